"""What a GRU should be given: raw samples or something made from them; then rate, bands, hop, log.

    .venv/bin/python -m benchmarks.inputs             train what is missing, print the tables
    .venv/bin/python -m benchmarks.inputs --missing   list the pieces that are missing
    .venv/bin/python -m benchmarks.inputs --report    print the tables of the pieces that are there
    .venv/bin/python -m benchmarks.inputs ladder      train the missing pieces whose names hold
                                                      "ladder" (or "choice", "log-mel", …)

A piece is one training, or one learning rate tried on validation clips from SEARCH_SEED. Each is
kept as a small file in build/inputs with its date and versions; delete the folder to begin anew.
With the tables come the CSV files that lesson 10 draws, results/inputs_*.csv.
"""

import contextlib
import functools
import itertools
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd
from scipy import fft, stats

from benchmarks.measure import Stopwatch, asked_for, made, table, verdict, when_made
from course_lib import audio, batches, data, evaluation, models

HERE = Path(__file__).resolve().parent
PIECES, RESULTS = HERE.parent / "build" / "inputs", HERE / "results"
SEEDS, SEARCH_SEED, CHOICE_SEEDS = (0, 1, 2), 10, range(5)
BATCH_SIZE, UNITS = 50, 48
CHUNK, MOST_CHUNKS = 160, 32  # samples; chunks of the longest clip in training, 0.64 s
FEW, MANY = 45, 200  # training clips of each digit
RATES, EPOCHS = (4e-3, 8e-3), (20, 40)  # that are tried; the rate falls from epoch to epoch
FAST_RATES = (16e-3, 32e-3)  # for the average, a single layer
POOL_EPOCHS = 20  # with MANY clips, whose epochs are longer
PAIRS, LENGTH, STRIDE, OFFSET = 40, 64, 8, 1e-3  # of the front end; samples
BAR = 0.82  # test accuracy of the front end with few clips, mean of SEEDS
COMMANDS_EACH = 100  # training clips of each of ten words
CHOICE_RATES, CHOICE_EPOCHS = (4e-3, 8e-3, 16e-3), 30  # epochs
FAINT = 20  # decibels below the usual level
CONDITIONS = ("as recorded", f"{FAINT} dB fainter")


class Input(NamedTuple):
    """A row of the ladder."""

    name: str
    make: Callable  # waveform → [frames, numbers]
    build: Callable  # training frames, numbers, classes → an uncompiled model
    rates: tuple[float, ...] = RATES  # learning rates that are tried


class Choice(NamedTuple):
    """A way to make frames from a recording."""

    name: str
    rate: int = 8_000  # hertz
    bands: int = 40
    hop: float = 0.020  # seconds
    compress: str = "log"


CHOICES = (
    Choice("8 kHz, 40 bands, 20 ms, log"),
    Choice("4 kHz", rate=4_000),
    Choice("16 kHz", rate=16_000),
    Choice("20 bands", bands=20),
    Choice("80 bands", bands=80),
    Choice("hop 10 ms", hop=0.010),
    Choice("hop 40 ms", hop=0.040),
    Choice("log, minus the clip's mean", compress="centred"),
    Choice("PCEN", compress="pcen"),
    Choice("MFCC", compress="mfcc"),
)


def main(wanted: list[str]) -> None:
    """Train the pieces that are missing (all, or those whose names hold a word), then report.

    Raises:
        SystemExit: No piece's name holds the word.
    """
    trainings = pieces()
    missing, reports = asked_for(trainings, kept, wanted)
    with contextlib.redirect_stdout(sys.stderr):
        for name in missing:
            keep(name, trainings[name]())
    if reports:
        print(report())


def pieces() -> dict[str, Callable]:
    """Name each training; what a later one needs comes before it."""
    named = {}
    for each in ladder():
        for rate, epochs in itertools.product(each.rates, EPOCHS):
            named[trial("ladder", each.name, rate, epochs)] = partial(tried, each, rate, epochs)
        for seed in SEEDS:
            named[f"ladder {each.name}, seed {seed}"] = partial(climbed, each, FEW, seed)
    for choice in CHOICES:
        for rate in CHOICE_RATES:
            name = trial("choice", choice.name, rate, CHOICE_EPOCHS)
            named[name] = partial(weighed, choice, rate)
        for seed in CHOICE_SEEDS:
            named[f"choice {choice.name}, seed {seed}"] = partial(chosen_input, choice, seed)
    for each in ladder():
        if each.name in POOLED:
            for seed in SEEDS:
                named[f"pool {each.name}, seed {seed}"] = partial(climbed, each, MANY, seed)
    return named


def kept(name: str) -> Path:
    """The file of a piece."""
    return PIECES / f"{name.replace(' ', '_')}.json"


def keep(name: str, found: dict) -> None:
    """Write a piece with its date and versions."""
    PIECES.mkdir(parents=True, exist_ok=True)
    kept(name).write_text(json.dumps({"made": made(), **found}), encoding="utf-8")
    print(name, found.get("accuracy", found.get("test")), f"{found['cpu']:.0f} CPU s", flush=True)


def same_level(waveform: np.ndarray) -> np.ndarray:
    """The waveform with a root mean square of 0.1."""
    return 0.1 * waveform / (np.sqrt(np.mean(waveform**2)) + 1e-9)


def chunks(waveform):
    """Chunks of CHUNK samples, end to end."""
    return waveform[: len(waveform) // CHUNK * CHUNK].reshape(-1, CHUNK)


def faded(waveform):
    """Frames of 25 ms, one each CHUNK samples, times a window."""
    every = np.lib.stride_tricks.sliding_window_view(waveform, audio.FRAME_LENGTH)
    return every[::CHUNK] * audio.window()


def parts(spectrum):
    """Real and imaginary parts side by side."""
    return np.concatenate([spectrum.real, spectrum.imag], axis=1)


def log_mel(waveform):
    """The course's log-mel frames, every second one."""
    return audio.log_mel(waveform, frame_step=CHUNK)


def delta(frames):
    """The slope of each column over five frames."""
    padded = np.pad(frames, [(2, 2), (0, 0)], mode="edge")
    return (2 * (padded[4:] - padded[:-4]) + (padded[3:-1] - padded[1:-3])) / 10


def cepstrum(log_mels):
    """Thirteen coefficients, their deltas, and the deltas of these."""
    bands = log_mels.shape[1]
    turns = np.outer(2 * np.arange(bands) + 1, np.arange(13)) / (2 * bands)
    coefficients = log_mels @ (np.sqrt(2 / bands) * np.cos(np.pi * turns))
    slopes = delta(coefficients)
    return np.concatenate([coefficients, slopes, delta(slopes)], axis=1)


def ladder() -> list[Input]:
    """The inputs, in the order of the lesson."""
    dft = partial(np.fft.rfft, axis=1)
    stft = partial(np.fft.rfft, n=audio.FFT_LENGTH, axis=1)
    return [
        Input("raw chunks", chunks, gru),
        Input("DFT of the chunk, complex", lambda wave: parts(dft(chunks(wave))), gru),
        Input("DFT of the chunk, modulus", lambda wave: np.abs(dft(chunks(wave))), gru),
        Input("STFT, complex", lambda wave: parts(stft(faded(wave))), gru),
        Input("STFT, modulus", lambda wave: np.abs(stft(faded(wave))), gru),
        Input("log-mel", log_mel, gru),
        Input("MFCC", lambda wave: cepstrum(log_mel(wave)), gru),
        Input("learned front end", chunks, front_end),
        Input("the same, mean before modulus", chunks, partial(front_end, order="mean first")),
        Input("the same, no modulus, no log", chunks, partial(front_end, order="no modulus")),
        Input("average of log-mels, no GRU", log_mel, lambda *_: models.average(10), FAST_RATES),
    ]


POOLED = ("raw chunks", "DFT of the chunk, modulus", "log-mel", "learned front end")


def gru(frames: list[np.ndarray], numbers: int, n_classes: int) -> keras.Model:
    """A GRU on standardised frames, whose mask is made from the padding."""
    clip = keras.Input([None, numbers])
    mask = keras.ops.any(keras.ops.not_equal(clip, batches.PADDING), axis=-1)
    scale = keras.layers.Normalization()
    scale.adapt(np.concatenate(frames)[None])
    state = keras.layers.GRU(UNITS)(scale(clip), mask=mask)
    return keras.Model(clip, keras.layers.Dense(n_classes)(state))


def front_end(frames, numbers, n_classes, *, order="modulus first"):
    """Pairs of learned filters, modulus, mean over the chunk, log; then the same GRU."""
    clip = keras.Input([None, numbers])
    mask = keras.ops.any(keras.ops.not_equal(clip, batches.PADDING), axis=-1)
    samples = keras.layers.Reshape([-1, numbers, 1])(clip)
    filters = keras.layers.Conv2D(2 * PAIRS, (1, LENGTH), strides=(1, STRIDE), use_bias=False)
    filtered = filters(samples)
    if order == "modulus first":
        heard = keras.ops.log(keras.ops.mean(modulus(filtered), axis=2) + OFFSET)
    elif order == "mean first":
        heard = keras.ops.log(modulus(keras.ops.mean(filtered, axis=2)) + OFFSET)
    else:
        heard = keras.ops.mean(filtered, axis=2)
    heard = keras.layers.BatchNormalization(momentum=0.9)(heard, mask=mask)
    state = keras.layers.GRU(UNITS)(heard, mask=mask)
    return keras.Model(clip, keras.layers.Dense(n_classes)(state))


def modulus(filtered):
    """The root of the sum of squares of each pair."""
    a, b = keras.ops.split(filtered, 2, axis=-1)
    return keras.ops.sqrt(a**2 + b**2 + 1e-8)


@functools.cache
def digits(each: int):
    """The digits: training clips (`each` of a digit), validation and test clips."""
    clips = data.load("fsdd")
    clips["waveform"] = [same_level(audio.read(path)) for path in clips["path"]]
    test, rest = (clips[clips["split"] == split] for split in ("test", "train"))
    piles = rest.groupby(["label", "group"], observed=True)
    validation = piles.sample(frac=0.1, random_state=0)
    pool = rest.drop(validation.index)
    pool = pool[batches.lengths(pool["waveform"]) < (MOST_CHUNKS + 1) * CHUNK]
    return pool.groupby("label", observed=True).sample(each, random_state=0), validation, test


def fitted(build, key, frames, labels, *, rate, epochs, seed):
    """Train: the model, its accuracy on its own clips, CPU seconds.

    Models with the same key are one object with new weights, since tracing takes longer than
    many epochs.
    """
    keras.utils.set_random_seed(seed)
    fresh = build(frames, frames[0].shape[1], int(labels.max()) + 1)
    if key not in COMPILED:
        COMPILED.clear()
        COMPILED[key] = fresh
        fresh.compile(
            optimizer=keras.optimizers.Adam(global_clipnorm=1.0),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        fresh.optimizer.build(fresh.trainable_variables)
    model = COMPILED[key]
    model.set_weights(fresh.get_weights())
    for variable in model.optimizer.variables:
        variable.assign(keras.ops.zeros_like(variable))
    cosine = keras.callbacks.LearningRateScheduler(
        lambda epoch: float(rate * (1 + np.cos(np.pi * epoch / epochs)) / 2)
    )
    padded, watch = batches.pad(frames), Stopwatch()
    options = {"batch_size": BATCH_SIZE, "epochs": epochs, "verbose": 0}
    history = model.fit(padded, labels, callbacks=[cosine], **options)
    return model, history.history["accuracy"][-1], watch.lap()[0]


COMPILED = {}  # by key: the model that was trained last


def codes(part):
    """The labels of a table, as integers."""
    return part["label"].cat.codes.to_numpy(int)


def right(model, frames, part):
    """Whether the model is right about each clip."""
    return evaluation.predict(model, frames).argmax(axis=1) == codes(part)


def tried(each: Input, rate: float, epochs: int) -> dict:
    """One setting of a row: its validation accuracy."""
    train, validation, _ = digits(FEW)
    learn, watched = (
        [each.make(wave) for wave in part["waveform"]] for part in (train, validation)
    )
    options = {"rate": rate, "epochs": epochs, "seed": SEARCH_SEED}
    model, _, cpu = fitted(each.build, each.name, learn, codes(train), **options)
    return {"accuracy": float(right(model, watched, validation).mean()), "cpu": cpu}


def best(kind: str, name: str, rates: tuple, epochs: tuple) -> tuple[float, int]:
    """The learning rate and number of epochs with the best validation accuracy."""
    settings = itertools.product(rates, epochs)
    return max(settings, key=lambda each: kept_accuracy(trial(kind, name, *each)))


def trial(kind, name, rate, epochs):
    """What the piece is called that tries a setting."""
    return f"tune {kind} {name}, {rate}, {epochs} epochs"


def kept_accuracy(name):
    """The accuracy that a piece holds."""
    return json.loads(kept(name).read_text(encoding="utf-8"))["accuracy"]


def climbed(each: Input, clips_of_a_digit: int, seed: int) -> dict:
    """Train a row at its best setting; score validation and test."""
    train, validation, test = digits(clips_of_a_digit)
    rate, epochs = best("ladder", each.name, each.rates, EPOCHS)
    epochs = epochs if clips_of_a_digit == FEW else POOL_EPOCHS
    learn = [each.make(wave) for wave in train["waveform"]]
    options = {"rate": rate, "epochs": epochs, "seed": seed}
    model, own, cpu = fitted(each.build, each.name, learn, codes(train), **options)
    evaluation.check_mask(model, batches.pad(learn[:8]))
    shares = {
        what: float(right(model, [each.make(wave) for wave in part["waveform"]], part).mean())
        for what, part in (("validation", validation), ("test", test))
    }
    found = {"input": each.name, "clips": len(train), "seed": seed, "rate": rate, "epochs": epochs}
    return found | shares | {"own": own, "parameters": model.count_params(), "cpu": cpu}


@functools.cache
def commands(rate: int):
    """Ten words of Speech Commands at one level: training, validation and test speakers."""
    clips = data.load("speech-commands-subset")
    words = clips[clips["label"].isin(data.COMMANDS)].copy()
    words["label"] = pd.Categorical(words["label"].astype(str), data.COMMANDS)
    train = words[words["split"] == "train"]
    train = train.groupby("label", observed=True).sample(COMMANDS_EACH, random_state=0)
    parts = [train, *(words[words["split"] == split] for split in ("validation", "test"))]
    for part in parts:
        read = [audio.read(path, sample_rate=rate) for path in part["path"]]
        part["waveform"] = [same_level(waveform) for waveform in read]
    return parts


def mel_energy(waveform, choice):
    """The energy in each mel band: [frames, bands]."""
    length, step = round(0.025 * choice.rate), round(choice.hop * choice.rate)
    every = np.lib.stride_tricks.sliding_window_view(waveform, length)[::step]
    power = np.abs(fft.rfft(every * audio.window(length), 1024)) ** 2
    return power @ filters(choice.rate, choice.bands)


@functools.cache
def filters(rate, bands):
    """The mel filters up to half the rate."""
    options = {"sample_rate": rate, "fft_length": 1024, "high": rate / 2}
    return audio.mel_filters(n_mels=bands, **options)


def pcen(energy, hop):
    """Per-channel energy normalisation (Wang et al. 2017): [frames, bands]."""
    smoothed, share = energy.copy(), 0.025 * hop / 0.010
    for now in range(1, len(energy)):
        smoothed[now] = (1 - share) * smoothed[now - 1] + share * energy[now]
    return (energy / (1e-6 + smoothed) ** 0.98 + 2) ** 0.5 - 2**0.5


def heard(waveform, choice):
    """The frames of a choice."""
    energy = mel_energy(waveform, choice)
    if choice.compress == "pcen":
        return pcen(energy, choice.hop)
    frames = np.log(energy + audio.LOG_OFFSET)
    if choice.compress == "centred":
        return frames - frames.mean(axis=0)
    return cepstrum(frames) if choice.compress == "mfcc" else frames


@functools.lru_cache(1)
def frames_of(choice: Choice) -> dict:
    """The frames of the training and validation clips, and of the test under each condition."""
    train, validation, test = commands(choice.rate)
    waves = {"train": train["waveform"], "validation": validation["waveform"]}
    waves[CONDITIONS[0]] = test["waveform"]
    waves[CONDITIONS[1]] = test["waveform"] * 10 ** (-FAINT / 20)
    return {
        name: [heard(wave, choice).astype(np.float32) for wave in some]
        for name, some in waves.items()
    }


def weighed(choice: Choice, rate: float) -> dict:
    """One learning rate of a choice: its validation accuracy."""
    train, validation, _ = commands(choice.rate)
    frames = frames_of(choice)
    options = {"rate": rate, "epochs": CHOICE_EPOCHS, "seed": SEARCH_SEED}
    model, _, cpu = fitted(gru, choice, frames["train"], codes(train), **options)
    correct = right(model, frames["validation"], validation)
    return {"accuracy": float(correct.mean()), "cpu": cpu}


def chosen_input(choice: Choice, seed: int) -> dict:
    """Train a choice at its best setting; score each test speaker under each of CONDITIONS."""
    train, _, test = commands(choice.rate)
    frames = frames_of(choice)
    rate, epochs = best("choice", choice.name, CHOICE_RATES, (CHOICE_EPOCHS,))
    options = {"rate": rate, "epochs": epochs, "seed": seed}
    model, own, cpu = fitted(gru, choice, frames["train"], codes(train), **options)
    speakers = {}
    for condition in CONDITIONS:
        correct = right(model, frames[condition], test)
        by_speaker = evaluation.by_group(test["group"], correct)["accuracy"]
        speakers[condition] = by_speaker.round(4).to_dict()
    found = {"choice": choice.name, "seed": seed, "rate": rate, "epochs": epochs, "own": own}
    means = {condition: float(np.mean(list(each.values()))) for condition, each in speakers.items()}
    return found | {"test": means, "speakers": speakers, "cpu": cpu}


def report() -> str:
    """The tables of the pieces that are there, and the CSV files."""
    found = {
        name: json.loads(kept(name).read_text(encoding="utf-8"))
        for name in pieces()
        if kept(name).exists()
    }
    climbs = [each for each in found.values() if "input" in each]
    chosen = [each for each in found.values() if "choice" in each]
    return "\n\n".join([when_made(found.values(), "pieces"), _ladder(climbs), _choices(chosen)])


def _ladder(climbs):
    columns = ["input", "clips", "seed", "validation", "test", "own", "parameters", "rate"]
    rows = pd.DataFrame(climbs, columns=[*columns, "epochs", "cpu"])
    rows.drop(columns="cpu").round(4).to_csv(RESULTS / "inputs_ladder.csv", index=False)
    lines = []
    for (clips, name), part in rows.groupby(["clips", "input"], sort=False):
        each = [" ".join(f"{share:.3f}" for share in part[what]) for what in ("validation", "test")]
        first = part.iloc[0]
        line = [
            name,
            f"{clips:,}",
            *each,
            f"{part['test'].mean():.3f}",
            f"{part['own'].mean():.3f}",
        ]
        line += [f"{first.parameters:,}", f"{first.rate:g}", str(first.epochs)]
        lines.append([*line, f"{part['cpu'].mean():.0f}"])
    header = ["input of the GRU", "clips", "validation", "test", "mean", "own clips", "parameters"]
    front = rows[(rows["input"] == "learned front end") & (rows["clips"] == 10 * FEW)]["test"]
    return (
        "## From raw samples to a front end: digits, official split\n\n"
        f"{table([*header, 'rate', 'epochs', 'CPU s'], lines)}\n\n"
        f"A GRU with {UNITS} units reads its last state; the learning rate falls along a cosine. The "
        f"first rate (of {RATES}; the average: {FAST_RATES}) and the epochs (of {EPOCHS}) were "
        "chosen for each row on validation clips, from another seed; with more clips the rate "
        f"stayed, for {POOL_EPOCHS} epochs. The test was scored after that. Bar for the learned "
        f"front end with "
        f"{10 * FEW} clips, mean of the seeds: {BAR} or more: {verdict(front.mean(), BAR)} "
        f"({front.mean():.3f}, from {front.min():.3f} to {front.max():.3f})."
    )


def _choices(chosen):
    speakers = {}
    listed = []
    for each in chosen:
        for condition in CONDITIONS:
            shares = pd.Series(each["speakers"][condition])
            speakers.setdefault((each["choice"], condition), []).append(shares)
            listed.append((each["choice"], condition, each["seed"], each["test"][condition]))
    columns = ["choice", "condition", "seed", "accuracy"]
    pd.DataFrame(listed, columns=columns).round(4).to_csv(
        RESULTS / "inputs_choices.csv", index=False
    )
    means = {key: pd.concat(shares, axis=1).mean(axis=1) for key, shares in speakers.items()}
    lines, differences = [], []
    base = CHOICES[0].name
    for choice in CHOICES:
        runs = [each for each in chosen if each["choice"] == choice.name]
        if not runs:
            continue
        line = [choice.name]
        for condition in CONDITIONS:
            line.append(" ".join(f"{run['test'][condition]:.3f}" for run in runs))
            if choice.name == base:
                line.append("")
                continue
            each = means[choice.name, condition] - means[base, condition]
            half = stats.t.ppf(0.975, len(each) - 1) * stats.sem(each)
            low, high = each.mean() - half, each.mean() + half
            differences.append((choice.name, condition, each.mean(), low, high))
            line.append(f"{each.mean():+.3f} ({low:+.3f} to {high:+.3f})")
        line += [f"{runs[0]['rate']:g}", str(runs[0]["epochs"])]
        lines.append([*line, f"{np.mean([run['cpu'] for run in runs]):.0f}"])
    columns = ["choice", "condition", "difference", "low", "high"]
    pd.DataFrame(differences, columns=columns).round(4).to_csv(
        RESULTS / "inputs_differences.csv", index=False
    )
    header = ["choice"]
    for condition in CONDITIONS:
        header += [condition, "against the first row"]
    count = len(next(iter(means.values()))) if means else 0
    return (
        "## What one chooses: ten words, new voices\n\n"
        f"{table([*header, 'rate', 'epochs', 'CPU s'], lines)}\n\n"
        f"{10 * COMMANDS_EACH:,} clips of Speech Commands to learn from, all at one level; "
        f"accuracy is the mean over {count} test speakers, none of them in training; differences "
        "are over the same speakers, with a 95 % interval (Student's t; mean of the seeds). Each "
        f"row differs from the first in what it names. The learning rate (of {CHOICE_RATES}; it "
        f"falls along a cosine, {CHOICE_EPOCHS} epochs) was chosen for each row on validation "
        "speakers, from another seed."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
