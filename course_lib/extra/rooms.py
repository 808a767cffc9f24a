"""Clips → training for a room: noise at all levels, pauses, and an answer for every frame."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from course_lib import audio
from course_lib.extra import augmentation, streaming

NOTHING = streaming.NOTHING
BANDS = {8_000: 40, 16_000: 64, 22_050: 64, 32_000: 80, 44_100: 80, 48_000: 80}  # rate → bands
NEPER = np.log(10) / 10  # natural log of energy for each decibel
FLOOR = np.log(audio.LOG_OFFSET)  # what digital silence is
TIME = 150  # frames of a scene: 3 s
NOISE = (-85.0, -25.0)  # decibels of full scale: steady noise in a scene, at random between
QUIET = 0.2  # the share of scenes without noise
LEVEL = 6.0  # decibels: the standard deviation of a sound's level from use to use
EMPTY = 0.15  # the share of scenes without a sound
LOUD, SOFT = 35.0, 55.0  # decibels below a clip's loudest frame: above is sound, below is none
HEARD, HIDDEN = 6.0, -8.0  # decibels above the noise, in the clearest tenth of the bands
PAUSE = 25  # frames: shorter pauses in the clips are not kept
MEMORY = 0.5  # seconds after which a leaky mean has forgotten two thirds


def settings(rate: int) -> dict[str, int]:
    """Give the options of `audio.log_mel` at a rate of BANDS: 40 ms every 20 ms, more bands."""
    return {
        "sample_rate": rate,
        "frame_length": rate // 25,
        "frame_step": rate // 50,
        "n_mels": BANDS[rate],
    }


def read(path: str | Path, frames: dict[str, int]) -> np.ndarray:
    """Read a clip at the rate of these settings; one shorter than a frame is filled with zeros."""
    waveform = audio.read(path, sample_rate=frames["sample_rate"])
    return np.pad(waveform, (0, max(0, frames["frame_length"] - len(waveform))))


def noisy(waveform: np.ndarray, decibels: float | str, *, seed: int = 0) -> np.ndarray:
    """Add white noise, in decibels of full scale (-60: a quiet room); "clean" adds none."""
    if decibels == "clean":
        return waveform
    noise = np.random.default_rng(seed).standard_normal(len(waveform), np.float32)
    return waveform + np.float32(10 ** (decibels / 20)) * noise


def white_noise(settings: dict[str, int], *, seconds: float = 120) -> np.ndarray:
    """Make frames of white noise of 0 decibels, float32 `[frames, bands]`."""
    silence = np.zeros(int(seconds * settings["sample_rate"]), np.float32)
    return audio.log_mel(noisy(silence, 0), **settings)


def with_copies(
    clips: pd.DataFrame, settings: dict[str, int], *, copies: int = 2, seed: int = 0
) -> pd.DataFrame:
    """Add copies of each clip's `frames` with white noise of a random level, -80 to -30 decibels.

    The energies of two sounds add, which `np.logaddexp` does.
    """
    random, white = np.random.default_rng(seed), white_noise(settings)
    tables = [clips]
    for _ in range(copies):
        frames = []
        for clip in clips["frames"]:
            noise = white[(random.integers(len(white)) + np.arange(len(clip))) % len(white)]
            level = np.float32(random.uniform(-80, -30) * NEPER)
            frames.append(np.logaddexp(clip, noise + level))
        tables.append(clips.assign(frames=frames))
    return pd.concat(tables)


def pauses(frames: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Cut the pauses of PAUSE frames or more out of clips: SOFT decibels below the loudest frame.

    Digital silence is left out: every scene can make that.
    """
    found = []
    for clip in frames:
        energy = np.log(np.exp(clip).mean(axis=1))
        quiet = (energy < energy.max() - SOFT * NEPER) & (energy > FLOOR + 1)
        edges = np.flatnonzero(np.diff(quiet.astype(int), prepend=0, append=0))
        found += [clip[a:b] for a, b in edges.reshape(-1, 2) if b - a >= PAUSE]
    return found


def statistics(clips: pd.DataFrame) -> np.ndarray:
    """Describe clips by mean, deviation and 90th percentile of each band: `[clips, 3 * bands]`."""
    rows = []
    for frames in clips["frames"]:
        loud = np.percentile(frames, 90, axis=0)
        rows.append(np.concatenate([frames.mean(axis=0), frames.std(axis=0), loud]))
    return np.stack(rows)


def leaky_mean(
    units: int, *, every_frame: bool = True, seconds: float = MEMORY
) -> keras.layers.SimpleRNN:
    """Make a layer that averages states over time and forgets: exp(-1) is left after `seconds`.

    It is a vanilla RNN without tanh whose weights are fixed, so whatever runs one runs this.
    """
    keep, identity = float(np.exp(-0.02 / seconds)), keras.initializers.Identity
    weights = {"kernel_initializer": identity(1 - keep), "recurrent_initializer": identity(keep)}
    weights |= {"use_bias": False, "trainable": False}
    options = {"activation": "linear", "return_sequences": every_frame, "name": "leaky_mean"}
    return keras.layers.SimpleRNN(units, **options, **weights)


class Scenes(keras.utils.PyDataset):
    """Batches of scenes for `model.fit`, other ones in every epoch: one sound each, in a room.

    A scene has TIME frames: steady noise of a random colour and level, or a background; in it a
    piece of a clip, a little louder or softer, of another colour. Their energies add. Each class
    comes equally often. `scenes[n]` is a batch: frames `[batch, TIME, bands]`, the answer that is
    wanted at each frame `[batch, TIME]` (the last number is "nothing"), and how much the frame
    counts: 0 where any answer will do.

    Args:
        clips: A table with `frames`, float32 `[frames, bands]`, and a categorical `label`.
        settings: As `settings` gives.
        backgrounds: float32 `[frames, bands]` each. They and the pauses in the clips are used half
            of the time, if there are any.
        batches, batch_size: Of an epoch; by default one batch for about 7 windows of TIME frames
            in the clips (at most 4 of a clip), 15 to 80.
        per_frame: False: one answer a scene, `[batch]`, and no third value.
        seed: The same seed repeats the same epochs.
    """

    def __init__(
        self,
        clips: pd.DataFrame,
        settings: dict[str, int],
        *,
        backgrounds: Sequence[np.ndarray] = (),
        batches: int | None = None,
        batch_size: int = 32,
        per_frame: bool = True,
        seed: int = 0,
    ):
        super().__init__()
        self.frames, self.n_classes = list(clips["frames"]), len(clips["label"].cat.categories)
        windows = sum(min(4, -(-len(frames) // TIME)) for frames in self.frames)
        self.batches = batches or min(max(windows // 7, 15), 80)
        self.batch_size, self.per_frame = batch_size, per_frame
        self.seed, self.epoch = seed, 0
        codes = clips["label"].cat.codes.to_numpy()
        self.labels = sorted(set(codes))
        self.members = {label: np.flatnonzero(codes == label) for label in self.labels}
        self.white = white_noise(settings)
        self.loudness = np.log(np.exp(self.white).mean())  # at 0 decibels
        backgrounds = [*backgrounds, *pauses(self.frames)]
        repeated = [np.resize(each, (max(len(each), TIME), each.shape[1])) for each in backgrounds]
        self.backgrounds = [each - np.log(np.exp(each).mean()) for each in repeated]

    def __len__(self):
        return self.batches

    def on_epoch_end(self):
        """Go on to the scenes of the next epoch."""
        self.epoch += 1

    def __getitem__(self, number):
        random = np.random.default_rng([self.seed, self.epoch, number])
        scenes = [self.scene(random) for _ in range(self.batch_size)]
        frames, answers, counts = (np.stack(each) for each in zip(*scenes))
        if self.per_frame:
            return frames, answers, counts
        sounds = np.where((answers < self.n_classes) & (counts > 0), answers, -1).max(axis=1)
        return frames, np.where(sounds < 0, self.n_classes, sounds)

    def scene(self, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Make one scene: frames `[TIME, bands]`, answers `[TIME]`, how much each counts."""
        noise = self.noise(random)
        energy = np.exp(noise) + np.float32(audio.LOG_OFFSET)
        answers, counts = np.full(TIME, self.n_classes), np.ones(TIME, np.float32)
        if random.random() > EMPTY:
            label = self.labels[random.integers(len(self.labels))]
            clip = self.frames[random.choice(self.members[label])]
            piece = augmentation.crop(clip, random, shortest=TIME // 3, longest=TIME)
            piece = augmentation.colour(piece, random, decibels=LEVEL / 2)
            piece = piece + np.float32(random.normal(0, LEVEL) * NEPER)
            start = random.integers(TIME - len(piece) + 1)
            rows = slice(start, start + len(piece))
            energy[rows] += np.exp(piece)
            answers[rows], counts[rows] = self.wanted(piece, noise[rows], label)
        widest = noise.shape[1] // 8
        return augmentation.mask_bands(np.log(energy), random, widest=widest), answers, counts

    def wanted(self, piece: np.ndarray, noise: np.ndarray, label: int) -> tuple:
        """Say at which frames of a piece its label is wanted, "nothing", or any answer."""
        energy = np.log(np.exp(piece).mean(axis=1))
        below = (energy.max() - energy) / NEPER
        clearest = np.sort(piece - noise, axis=1)[:, -(piece.shape[1] // 10) :].mean(axis=1) / NEPER
        digital = energy < FLOOR + 1
        gone = (below > SOFT) | (clearest < HIDDEN) | digital
        sounds = (below < LOUD) & (clearest > HEARD) & ~gone
        return np.where(gone, self.n_classes, label), (gone | sounds).astype(np.float32)

    def noise(self, random: np.random.Generator) -> np.ndarray:
        """Take steady noise of a random colour, a background, or none, at a random level."""
        noise = self.white
        if random.random() < QUIET:
            return np.full([TIME, noise.shape[1]], 2 * FLOOR, np.float32)
        level = random.uniform(*NOISE) * NEPER
        if self.backgrounds and random.random() < 0.5:
            noise = self.backgrounds[random.integers(len(self.backgrounds))]
            level += self.loudness
        start = random.integers(len(noise) - TIME + 1)
        decibels = random.choice([0, LEVEL])  # half of it white
        noise = augmentation.colour(noise[start : start + TIME], random, decibels=decibels)
        return noise + np.float32(level)
