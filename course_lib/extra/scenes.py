"""Scenes to learn listening from: words, pauses and noise, and an answer for every frame.

All of it happens on log-mel frames: the energies of two sounds add, which `np.logaddexp` does.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import numpy as np

from course_lib import audio, models
from course_lib.extra import augmentation

WORD = 30.0  # decibels: a word lies so far, at most, below its loudest frame
SAID = 0.75  # the share of a word after which its answer is wanted
UNSURE = 0.5  # the share from which on any answer will do
HOLD = 0.3  # seconds after a word's end for which its answer is wanted
FADE = 0.1  # seconds after that in which any answer will do
LEVELS = (-55.0, -10.0)  # decibels of full scale: of the words of a scene, at random between
RATIOS = (0.0, 40.0)  # decibels: words against noise, at random between
PAUSES = (0.05, 1.2)  # seconds between two words
EMPTY = 0.08  # the share of scenes without a word
NEPER = np.log(10) / 10  # natural log of energy for each decibel
FULL_SCALE = 5.4  # natural log of the mean energy of the bands, for noise at 0 dB of full scale
LIGHT = augmentation.chain(
    lambda frames, random: augmentation.warp(frames, random, furthest=1.1),
    lambda frames, random: augmentation.colour(frames, random, decibels=3),
)


class Word(NamedTuple):
    """A clip `[frames, mels]`, the frames where its word begins and ends, and its class number."""

    frames: np.ndarray
    begin: int
    end: int
    label: int


def words(frames: Sequence[np.ndarray], labels: Sequence[int]) -> list[Word]:
    """Find the word in each clip: from the first to the last frame that is loud enough.

    Loud enough is less than WORD decibels below the loudest frame, or in a noisy clip the upper
    third between its quiet frames and the loudest. Each word is brought to a level of 0: the mean
    energy of its bands, over its loud frames.
    """
    found = []
    for clip, label in zip(frames, labels, strict=True):
        energy = np.log(np.exp(clip).mean(axis=1))
        quiet, loudest = np.percentile(energy, 10), energy.max()
        least = loudest - np.clip(0.7 * (loudest - quiet), WORD / 3 * NEPER, WORD * NEPER)
        loud = np.flatnonzero(energy >= least)
        level = np.log(np.exp(energy[loud]).mean())
        found.append(Word((clip - level).astype(np.float32), loud[0], loud[-1] + 1, int(label)))
    return found


def no_word(words: Sequence[Word], random: np.random.Generator, *, nothing: int) -> Word:
    """Make speech that is no word: one backwards, the first half of one, or pieces of several."""
    word, kind = words[random.integers(len(words))], random.integers(3)
    spoken = word.frames[word.begin : word.end]
    if kind == 0:
        spoken = spoken[::-1]
    elif kind == 1:
        spoken = spoken[: max(1, int(UNSURE * len(spoken)))]
    else:
        others = [words[number] for number in random.integers(len(words), size=4)]
        halves = [np.array_split(each.frames[each.begin : each.end], 3) for each in others]
        spoken = np.concatenate([three[random.integers(3)] for three in halves])
    return Word(spoken, 0, len(spoken), nothing)


def at_speed(word: Word, factor: float) -> Word:
    """Say a word faster by a factor: some of its frames are left out, or said twice."""
    count = max(1, round(len(word.frames) / factor))
    chosen = np.linspace(0, len(word.frames) - 1, count).round().astype(int)
    return word._replace(
        frames=word.frames[chosen], begin=int(word.begin / factor), end=int(word.end / factor)
    )


class Scenes(keras.utils.PyDataset):
    """Batches of scenes for `model.fit`, other ones in every epoch.

    `scenes[number]` is a batch: frames `[batch_size, time, mels]`, the class that is wanted at each
    frame `[batch_size, time]`, and how much the frame counts, 0 where any answer will do.

    Args:
        words: What is to be recognised, from `words`; labels are 0, 1, 2 …
        noises: float32 `[frames, mels]` each, as long as there are; a scene takes a piece of one.
        nothing: The class number of everything else.
        others: Words that are "nothing".
        shares: How often a word is one of `words`, one of `others`; the rest is `no_word`.
        batches, batch_size, seconds: The batches of an epoch, their scenes, and a scene's length.
        augment: (frames, random) → frames of the same shape, for each word; None for no change.
        seed: The same seed repeats the same epochs.
        frame_step: In samples, as in the frames.
    """

    def __init__(
        self,
        words: Sequence[Word],
        noises: Sequence[np.ndarray],
        *,
        nothing: int,
        others: Sequence[Word] = (),
        shares: tuple[float, float] = (0.62, 0.2),
        batches: int = 40,
        batch_size: int = 64,
        seconds: float = 3.0,
        augment: Callable | None = LIGHT,
        seed: int = 0,
        frame_step: int = audio.FRAME_STEP,
    ):
        super().__init__()
        self.words, self.others, self.shares = words, others or words, shares
        self.noises = [noise - np.log(np.exp(noise).mean()) for noise in noises]
        self.nothing, self.augment = nothing, augment
        if not others:
            self.shares = shares[0], 0.0
        self.batches, self.batch_size, self.seed, self.epoch = batches, batch_size, seed, 0
        self.rate = audio.SAMPLE_RATE / frame_step  # frames a second
        self.time = round(seconds * self.rate)

    def __len__(self):
        return self.batches

    def on_epoch_end(self):
        """Go on to the scenes of the next epoch."""
        self.epoch += 1

    def __getitem__(self, number):
        random = np.random.default_rng([self.seed, self.epoch, number])
        scenes = [self.scene(random) for _ in range(self.batch_size)]
        answers = [self.targets(said) for _, said in scenes]
        labels, counts = (np.stack(each) for each in zip(*answers))
        return np.stack([frames for frames, _ in scenes]), labels, counts

    def scene(self, random: np.random.Generator) -> tuple[np.ndarray, list[tuple]]:
        """Make one scene `[time, mels]`, and (class, first frame, end) of each word in it."""
        level = random.uniform(*LEVELS) * NEPER + FULL_SCALE
        frames = self.noise(random) + level - random.uniform(*RATIOS) * NEPER
        frames = np.logaddexp(frames, np.log(audio.LOG_OFFSET))
        said, place = [], int(random.uniform(0, 1) * self.rate)
        while place < self.time - 0.2 * self.rate and (said or random.random() > EMPTY):
            word = self.word(random)
            piece = word.frames[: self.time - place] + level + random.normal(0, 3) * NEPER
            rows = slice(place, place + len(piece))
            frames[rows] = np.logaddexp(frames[rows], piece)
            said.append((word.label, place + word.begin, place + word.end))
            place = said[-1][2] + int(random.uniform(*PAUSES) * self.rate)
        return frames.astype(np.float32), said

    def word(self, random: np.random.Generator) -> Word:
        """Choose a word, one that is "nothing" or no word; a little faster or slower, changed."""
        choice = random.random()
        if choice < self.shares[0]:
            word = self.words[random.integers(len(self.words))]
        elif choice < sum(self.shares):
            word = self.others[random.integers(len(self.others))]
        else:
            word = no_word(self.words, random, nothing=self.nothing)
        word = at_speed(word, random.uniform(0.85, 1.15))
        first = max(0, word.begin - random.integers(20))  # with a little of what was around it
        end = min(len(word.frames), word.end + random.integers(20))
        frames = word.frames[first:end]
        frames = self.augment(frames, random) if self.augment else frames
        return Word(frames, word.begin - first, word.end - first, word.label)

    def noise(self, random: np.random.Generator) -> np.ndarray:
        """Take a piece of a noise, or steady noise of a random colour, at a level of 0."""
        if self.noises and random.random() < 0.6:
            noise = self.noises[random.integers(len(self.noises))]
            rows = (random.integers(len(noise)) + np.arange(self.time)) % len(noise)
            return augmentation.colour(noise[rows], random, decibels=3)
        steady = random.standard_gamma(augmentation.SHAPE, [self.time, audio.N_MELS])
        colours = augmentation.colour(
            np.log(steady / augmentation.SHAPE + 1e-3), random, decibels=6
        )
        return colours - np.log(np.exp(colours).mean())

    def targets(self, said: Sequence[tuple]) -> tuple[np.ndarray, np.ndarray]:
        """Say what is wanted at each frame `[time]`, and how much the frame counts `[time]`."""
        labels = np.full(self.time, self.nothing, np.int32)
        counts = np.ones(self.time, np.float32)
        for label, begin, end in said:
            if label != self.nothing:
                early, late = (begin + int(share * (end - begin)) for share in (UNSURE, SAID))
                until = end + int(HOLD * self.rate)
                counts[early : until + int(FADE * self.rate)] = 0
                labels[late:until], counts[late:until] = label, 1
        return labels, counts


def per_frame(n_classes: int, *, units: int = 96, n_mels: int = audio.N_MELS) -> keras.Model:
    """Build a GRU that answers at every frame: `[batch, time, mels]` → logits for each frame."""
    whole = models.gru(n_classes, units=units, n_mels=n_mels)
    clip = keras.Input([None, n_mels], name="frames")
    states = keras.layers.GRU(units, return_sequences=True, name="gru")
    logits = keras.layers.Dense(n_classes, name="logits")
    return keras.Model(clip, logits(states(whole.get_layer("scale")(clip))), name="gru_per_frame")


def classifier(model: keras.Model) -> keras.Model:
    """Give `models.gru`, which answers from its last state, the weights of a `per_frame` model."""
    kernel = model.get_layer("logits").kernel
    whole = models.gru(kernel.shape[1], units=kernel.shape[0], n_mels=model.input_shape[-1])
    whole.set_weights(model.get_weights())
    return whole
