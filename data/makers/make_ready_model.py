"""Make data/ready-model: a small GRU that hears digits in an endless sound.

    python data/makers/make_ready_model.py train      train the model on every training clip and write digits.keras
    python data/makers/make_ready_model.py rehearse   three trainings, each without two real speakers and seven synthetic voices

A training keeps what it has reached in data/downloads/ready-model, and goes on from there when it is started again (remove the folder to begin anew);
with `--minutes 4` it stops by itself after so much CPU time. README.md beside this file says what comes out of it.
"""

import argparse
import functools
import json
import sys
import time
import zipfile
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from scipy import signal

DATA = Path(__file__).resolve().parents[1]
HERE = DATA / "ready-model"
sys.path.insert(0, str(DATA.parent))

from course_lib import audio, data, models
from course_lib.extra import augmentation

MODEL, CLASSES, KEPT = (
    HERE / "digits.keras",
    HERE / "classes.txt",
    DATA / "downloads" / "ready-model",
)
DIGITS, NOTHING = list("0123456789"), 10  # the eleventh class
UNITS = 96
ROUNDS, SCENES, FRAMES = 320, 64, 300  # scenes in a round; each of 3 s
HEARINGS = 2  # how often a round's scenes are heard, each time through another microphone
PIECE = 100  # frames: the gradient goes back no further, the state goes on
LEARNING_RATE = 6e-3  # falls along a cosine to nothing
SAMPLES = audio.FRAME_LENGTH + (FRAMES - 1) * audio.FRAME_STEP
EDGE = 30  # decibels below the loudest frame: where a word begins and ends
EARLY = 0.5  # share of a digit that is heard before it may be the answer
LATE = 0.7  # share of a digit that is heard before it has to be known
HOLD = 0.3  # seconds after its end during which it stays the answer
UNSURE = 0.10  # seconds after that in which any answer will do
SPEECH = (-60, -12)  # decibels of full scale: the level of a scene's speech
SPEEDS = (0.82, 0.91, 1.0, 1.1, 1.22)  # of a word
FURTHEST = 1.14  # factor of the vocal tract's warp
COLOUR, TILT = (
    8.0,
    1.5,
)  # of the microphone: decibels, at most; natural log of energy, from the middle band to an edge, at most
DROPOUT = 0.2  # of the states, on their way to the logits
NEWER = (
    "input_axes",
    "output_axes",
    "quantization_config",
)  # settings that Keras 3.12 does not know
NOT_OTHER = (
    "five",
    "seven",
    "nine",
    "tree",
)  # in the set of commands: three digits, and a word too near to one
SETS = ("fsdd", "spoken-digits", "spoken-commands", "environmental-sounds", "rhythms")
FOLDS = (("george", "lucas"), ("jackson", "theo"), ("nicolas", "yweweler"))


class Word(NamedTuple):
    """A word: its waveform at a level of 1, where it begins and ends in samples, its class, its speaker."""

    waveform: np.ndarray
    start: int
    end: int
    label: int
    group: str


class Sounds(NamedTuple):
    """What scenes are made of: words that are digits, words that are none, and noises of many seconds at a level of 1."""

    digits: list
    others: list
    noises: list


# --- sounds


def word(path, label, group):
    """A clip as a Word."""
    waveform = audio.read(path)
    power = (
        np.lib.stride_tricks.sliding_window_view(waveform, audio.FRAME_LENGTH)[:: audio.FRAME_STEP]
        .astype(float)
        .var(axis=1)
    )
    heard = np.flatnonzero(power > power.max() * 10 ** (-EDGE / 10))
    level = np.sqrt(power[power > power.max() / 100].mean())
    start, end = heard[0] * audio.FRAME_STEP, heard[-1] * audio.FRAME_STEP + audio.FRAME_LENGTH
    return Word((waveform / level).astype(np.float32), start, end, label, group)


def noise(path):
    """A noise at a level of 1, half a second or longer."""
    waveform = audio.read(path)
    return (waveform / np.sqrt(np.mean(waveform**2) + 1e-12)).astype(np.float32)


def sounds(split, *, only=None, without=()):
    """The sounds of one side of the split.

    Args: split: "train" or "test"; only: groups (speakers, voices, sources of noise), if not all are wanted; without: groups to leave out.
    """
    clips = every_clip()
    clips = clips[(clips.side == split) & ~clips.group.isin(without)]
    clips = clips if only is None else clips[clips.group.isin(only)]
    words, noises = clips[clips.role != "noise"], clips[clips.role == "noise"]
    made = [word(clip.path, clip.number, clip.group) for clip in words.itertuples()]
    digits, others = (
        [each for each in made if (each.label == NOTHING) == nothing] for nothing in (False, True)
    )
    return Sounds(digits, others, [noise(path) for path in noises.path])


@functools.cache
def every_clip():
    """All clips of the five sets with their role, "digit", "other" or "noise", their class number, and their side of the split."""
    tables = []
    for name in SETS:
        clips = data.load(name)
        spoken = name in SETS[:3] and clips.label != "silence"
        clips["word"] = [path.parent.name for path in clips.path]
        clips["role"] = np.where(spoken, "other" if name == "spoken-commands" else "digit", "noise")
        clips["number"] = [
            int(label) if role == "digit" else NOTHING
            for label, role in zip(clips.label, clips.role)
        ]
        clips["side"] = np.where(clips.split.isin(["test", "5"]), "test", "train")
        clips["set"] = name
        tables.append(clips[~clips.word.isin(NOT_OTHER)].iloc[:: 3 if name == "rhythms" else 1])
    return pd.concat(tables, ignore_index=True)


def left_out(fold):
    """The groups that a rehearsal does not hear: two real speakers, and a third of the voices and of the noises."""
    clips = every_clip()
    clips = clips[(clips.side == "train") & (clips.source != "Free Spoken Digit Dataset")]
    return {*FOLDS[fold], *np.unique(clips.group)[fold :: len(FOLDS)]}


# --- scenes


def decibels(number):
    """The factor of so many decibels, for a waveform."""
    return np.float32(10 ** (number / 20))


def scene(sounds, random):
    """Three seconds of sound, and the words in it.

    Returns: float32 `[SAMPLES]`, and a list of (class, first sample, last sample).
    """
    speech, said = (
        (np.zeros(SAMPLES, np.float32), []) if random.random() < 0.08 else spoken(sounds, random)
    )
    if random.random() < 0.4:
        speech = in_a_room(speech, random)
    level = random.uniform(*SPEECH)
    ratio = random.uniform(35, 70) if random.random() < 0.35 else random.uniform(0, 40)
    loudness = decibels(level)
    whole = speech * loudness + background(sounds, random) * loudness * decibels(-ratio)
    whole += random.standard_normal(SAMPLES, np.float32) * decibels(random.uniform(-100, -65))
    return whole, said


def spoken(sounds, random):
    """Words one after another, with pauses, from one speaker or from many."""
    speech, said = np.zeros(SAMPLES, np.float32), []
    place = (
        int(random.uniform(0, 400))
        if random.random() < 0.4
        else int(random.uniform(0.1, 1.2) * audio.SAMPLE_RATE)
    )
    while place < SAMPLES - 1_600:
        heard = some_word(sounds, random)
        waveform = heard.waveform * decibels(random.normal(0, 3))
        if random.random() < 0.5:
            fade = min(160, len(waveform) // 4)
            waveform[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
            waveform[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
        piece = waveform[: SAMPLES - place]
        speech[place : place + len(piece)] += piece
        said.append((heard.label, place + heard.start, place + heard.end))
        pause = random.uniform(0.03, 0.2) if random.random() < 0.3 else random.uniform(0.2, 1.4)
        place = said[-1][2] + int(pause * audio.SAMPLE_RATE)
    return speech, said


def some_word(sounds, random):
    """A digit, another word, or speech that is no word: a digit backwards, or pieces of digits in a wrong order."""
    choice = random.random()
    if choice < 0.70:
        return at_some_speed(sounds.digits, random)
    if choice < 0.85:
        return at_some_speed(sounds.others, random)
    if choice < 0.92:
        digit = at_some_speed(sounds.digits, random)
        return Word(
            np.ascontiguousarray(digit.waveform[::-1]), 0, len(digit.waveform), NOTHING, digit.group
        )
    pieces = [
        piece_of(sounds.digits[random.integers(len(sounds.digits))], random)
        for _ in range(random.integers(2, 6))
    ]
    waveform = np.concatenate(pieces)
    return Word(waveform, 0, len(waveform), NOTHING, "")


def at_some_speed(words, random, kept={}):
    """One of the words, played slower or faster; each is resampled once."""
    number, factor = random.integers(len(words)), SPEEDS[random.integers(len(SPEEDS))]
    chosen = words[number]
    if (id(chosen), factor) not in kept:
        changed = augmentation.speed(chosen.waveform, factor)
        kept[id(chosen), factor] = chosen._replace(
            waveform=changed, start=int(chosen.start / factor), end=int(chosen.end / factor)
        )
    return kept[id(chosen), factor]


def piece_of(digit, random):
    """A tenth of a second out of a digit, with soft edges."""
    length = min(len(digit.waveform), int(random.uniform(500, 1_000)))
    start = random.integers(len(digit.waveform) - length + 1)
    return digit.waveform[start : start + length] * signal.windows.tukey(length, 0.3).astype(
        np.float32
    )


def in_a_room(speech, random):
    """Speech with the response of a room: a direct sound, and noise that decays."""
    length = int(random.uniform(0.05, 0.4) * audio.SAMPLE_RATE)
    response = random.standard_normal(length, np.float32) * np.exp(
        -6.9 * np.arange(length, dtype=np.float32) / length
    )
    response *= decibels(random.uniform(-15, 0)) / np.sqrt(np.sum(response**2))
    response[0] = 1
    return signal.fftconvolve(speech, response)[:SAMPLES].astype(np.float32)


def background(sounds, random):
    """Noise at a level of 1: from a file, or of a random colour, steady or swelling."""
    if random.random() < 0.55:
        file = sounds.noises[random.integers(len(sounds.noises))]
        return np.roll(np.resize(file, max(len(file), SAMPLES)), random.integers(len(file)))[
            :SAMPLES
        ]
    spectrum = np.fft.rfft(random.standard_normal(SAMPLES, np.float32))
    places, heights = (
        np.sort(random.uniform(0, 4_000, 6)),
        random.normal(0, 8, 6) - random.uniform(0, 4) * np.arange(6),
    )
    shape = decibels(np.interp(np.linspace(0, 4_000, len(spectrum)), places, heights))
    made = np.fft.irfft(spectrum * shape, SAMPLES).astype(np.float32)
    if random.random() < 0.4:
        made *= decibels(
            np.interp(np.arange(SAMPLES), np.linspace(0, SAMPLES, 8), random.normal(0, 6, 8))
        )
    return made / np.sqrt(np.mean(made**2))


def targets(said):
    """The answer that is wanted at each frame, and how much it counts.

    Returns: int32 `[FRAMES]`, float32 `[FRAMES]`.
    """
    heard = (
        np.arange(FRAMES) * audio.FRAME_STEP + audio.FRAME_LENGTH
    )  # the last sample of each frame
    labels, counts = np.full(FRAMES, NOTHING, np.int32), np.ones(FRAMES, np.float32)
    for label, start, end in said:
        late, until = start, end
        if label != NOTHING:
            early, late, until = (
                start + EARLY * (end - start),
                start + LATE * (end - start),
                end + HOLD * audio.SAMPLE_RATE,
            )
            counts[(heard >= early) & (heard < until + UNSURE * audio.SAMPLE_RATE)] = 0
        answer = (heard >= late) & (heard < until)
        labels[answer], counts[answer] = label, 1
    return labels, counts


def round_of_scenes(sounds, seed, number):
    """The scenes of one round of training: log-mel frames, answers, and how much each counts."""
    random = np.random.default_rng([seed, number])
    scenes = [scene(sounds, random) for _ in range(SCENES)]
    frames, wanted = (
        audio.log_mels([waveform for waveform, _ in scenes]),
        [targets(said) for _, said in scenes],
    )
    labels, counts = (np.stack(each) for each in zip(*wanted))
    for _ in range(HEARINGS):
        changed = np.stack([changed_frames(each, random) for each in frames])
        yield from zip(
            *(np.split(each, FRAMES // PIECE, axis=1) for each in (changed, labels, counts)),
            [True] + [False] * (FRAMES // PIECE - 1),
        )


def changed_frames(frames, random):
    """A scene for another vocal tract and another microphone, with a few bands hidden now and then."""
    frames = augmentation.warp(frames, random, furthest=FURTHEST)
    frames = augmentation.colour(frames, random, decibels=random.uniform(0, COLOUR))
    frames += np.float32(random.uniform(-TILT, TILT)) * np.linspace(
        -1, 1, frames.shape[1], dtype=np.float32
    )
    return augmentation.mask_bands(frames, random, widest=6) if random.random() < 0.3 else frames


# --- the model


def framewise(*, units=UNITS, dropout=0.0):
    """The same GRU and the same Dense as in `models.gru`, with an answer at every frame, and with the state going in and out."""
    frames, state = keras.Input([None, audio.N_MELS]), keras.Input([units])
    scaled = models.gru(len(DIGITS) + 1, units=units).get_layer("scale")(frames)
    states, last = keras.layers.GRU(units, return_sequences=True, return_state=True)(
        scaled, initial_state=state
    )
    logits = keras.layers.Dense(len(DIGITS) + 1)(keras.layers.Dropout(dropout)(states))
    return keras.Model([frames, state], [logits, last])


def classifier(model):
    """`models.gru` with the weights of a framewise model."""
    plain = models.gru(len(DIGITS) + 1, units=model.layers[-1].kernel.shape[0])
    plain.set_weights(model.get_weights())
    return plain


def save(model, path):
    """Write a model so that Keras 3.12 and later can read it: without the settings that newer ones added and that are empty."""
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["config.json"] = json.dumps(without_new(json.loads(parts["config.json"]))).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def without_new(settings):
    """Settings of a model, of whatever depth, without those of NEWER that are empty."""
    if isinstance(settings, dict):
        return {
            name: without_new(value)
            for name, value in settings.items()
            if value is not None or name not in NEWER
        }
    return [without_new(each) for each in settings] if isinstance(settings, list) else settings


def train(name, material, *, seed=0, minutes=np.inf, note=lambda model, done: None):
    """Train on scenes, from where an earlier call of this name stopped.

    Returns: the framewise model, or None when the minutes are over before the training is.
    """
    begin, folder = time.process_time(), KEPT / name
    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(seed)
    model = framewise(dropout=DROPOUT)
    falling = keras.optimizers.schedules.CosineDecay(
        LEARNING_RATE, ROUNDS * HEARINGS * FRAMES // PIECE
    )
    adam = keras.optimizers.Adam(falling, global_clipnorm=1.0)
    adam.build(model.trainable_variables)
    variables, kept, done = [*model.variables, *adam.variables], folder / "kept.npz", 0
    if kept.exists():
        with np.load(kept) as arrays:
            done = int(arrays["done"])
            for number, variable in enumerate(variables):
                variable.assign(arrays[f"variable_{number}"])
    step, losses = compiled_step(model, adam), []
    while done < ROUNDS:
        for frames, labels, counts, first in round_of_scenes(material, seed, done):
            if first:
                state = tf.zeros([SCENES, UNITS])
            loss, state = step(tf.constant(frames), state, tf.constant(labels), tf.constant(counts))
            losses.append(loss)
        done += 1
        over = time.process_time() - begin > 60 * minutes
        if done % 50 == 0 or done == ROUNDS or over:
            np.savez(
                kept,
                done=done,
                **{
                    f"variable_{number}": variable.numpy()
                    for number, variable in enumerate(variables)
                },
            )
            print(
                f"{name}: round {done} of {ROUNDS}, loss {np.mean(losses):.3f}, {time.process_time() - begin:.0f} CPU seconds",
                flush=True,
            )
            losses = []
            note(model, done)
        if over and done < ROUNDS:
            return None
    return model


def compiled_step(model, adam):
    """One step of training as an XLA program: it returns the loss and the state after the piece."""

    @tf.function(jit_compile=True)
    def step(frames, state, labels, counts):
        with tf.GradientTape() as tape:
            logits, state = model([frames, state], training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_sum(losses * counts) / tf.reduce_sum(counts)
        adam.apply_gradients(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        )
        return loss, state

    return step


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["train", "rehearse"])
    parser.add_argument(
        "--minutes",
        type=float,
        default=np.inf,
        help="CPU minutes after which to stop; the next call goes on from there",
    )
    arguments = parser.parse_args()
    if arguments.what == "train":
        model = train("ready", sounds("train"), minutes=arguments.minutes)
        if model:
            save(classifier(model), MODEL)
            CLASSES.write_text("".join(f"{name}\n" for name in [*DIGITS, "nothing"]))
        return
    for fold in range(len(FOLDS)):
        if not train(
            f"fold-{fold}", sounds("train", without=left_out(fold)), minutes=arguments.minutes
        ):
            return


if __name__ == "__main__":
    main()
