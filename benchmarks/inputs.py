"""What a GRU should be given: raw samples or something made from them; then rate, bands, hop, log.

    .venv/bin/python -m benchmarks.inputs             train what is missing, print the tables
    .venv/bin/python -m benchmarks.inputs --missing   list the pieces that are missing
    .venv/bin/python -m benchmarks.inputs --report    print the tables of the pieces that are there
    .venv/bin/python -m benchmarks.inputs ladder      train the missing pieces whose names hold
                                                      "ladder" (or "choice", "log-mel", …)

A piece is one training, or one learning rate tried on validation clips from SEARCH_SEEDS. Each is
kept as a small file in build/inputs with its date and versions; delete the folder to begin anew.
With the tables come the CSV files that lesson 10 draws, results/inputs_*.csv.
"""

import contextlib
import functools
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.measure import Stopwatch, made, table, verdict, when_made
from course_lib import audio, batches, data, evaluation, models

HERE = Path(__file__).resolve().parent
PIECES, RESULTS = HERE.parent / "build" / "inputs", HERE / "results"
SEEDS, SEARCH_SEEDS = (0, 1, 2), (10, 11)
BATCH_SIZE, UNITS = 50, 48
CHUNK, MOST_CHUNKS = 160, 32  # samples; chunks of the longest clip in training, 0.64 s
FEW, MANY = 45, 225  # training clips of each digit
RATES, EPOCHS = (2e-3, 4e-3, 8e-3), (10, 20, 40)  # that are tried
FAST_RATES = (8e-3, 16e-3, 32e-3)  # for the average, a single layer
FILTERS, LENGTH, STRIDE, OFFSET = 40, 64, 8, 1e-3  # of the front end; samples
BAR = 0.82  # test accuracy of the front end with few clips, each of SEEDS
COMMANDS_EACH = 100  # training clips of each of ten words
CHOICE_RATES, CHOICE_EPOCHS = (4e-3, 8e-3), (10, 20, 30)  # from the first of SEARCH_SEEDS
NOISE, FAINT = 10, 20  # decibels: the noise below the words; the words below their usual level
CONDITIONS = ("as recorded", f"{FAINT} dB fainter", f"noise at {NOISE} dB")


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
    if wanted == ["--missing"]:
        print("\n".join(name for name in trainings if not kept(name).exists()))
        return
    report_only = wanted == ["--report"]
    wanted = [] if report_only else wanted
    chosen = [name for name in trainings if not wanted or any(word in name for word in wanted)]
    if not chosen:
        sys.exit(f"expected a part of {', '.join(trainings)}, found {', '.join(wanted)}")
    with contextlib.redirect_stdout(sys.stderr):
        for name in chosen:
            if not kept(name).exists() and not report_only:
                keep(name, trainings[name]())
    if not wanted:
        print(report())


def pieces() -> dict[str, Callable]:
    """Name each training; what a later one needs comes before it."""
    named = {}
    for each in ladder():
        tries = {
            f"tune ladder {each.name} {rate}": partial(tried, each, rate) for rate in each.rates
        }
        named |= tries
        for seed in SEEDS:
            named[f"ladder {each.name}, seed {seed}"] = partial(climbed, each, FEW, seed)
    for choice in CHOICES:
        for rate in CHOICE_RATES:
            named[f"tune choice {choice.name} {rate}"] = partial(weighed, choice, rate)
        for seed in SEEDS:
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
        Input("the same, no log", chunks, partial(front_end, order="no log")),
        Input("the same, filters of a whole chunk", chunks, partial(front_end, length=CHUNK)),
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


def front_end(frames, numbers, n_classes, *, order="modulus first", length=LENGTH):
    """Filters that are learned, modulus, mean over the chunk, log; then the same GRU."""
    clip = keras.Input([None, numbers])
    mask = keras.ops.any(keras.ops.not_equal(clip, batches.PADDING), axis=-1)
    samples = keras.layers.Reshape([-1, numbers, 1])(clip)
    filters = keras.layers.Conv2D(FILTERS, (1, length), strides=(1, STRIDE), use_bias=False)
    filtered = filters(samples)
    if order == "mean first":
        energy = keras.ops.abs(keras.ops.mean(filtered, axis=2))
    else:
        energy = keras.ops.mean(keras.ops.abs(filtered), axis=2)
    heard = energy if order == "no log" else keras.ops.log(energy + OFFSET)
    heard = keras.layers.BatchNormalization(momentum=0.9)(heard, mask=mask)
    state = keras.layers.GRU(UNITS)(heard, mask=mask)
    return keras.Model(clip, keras.layers.Dense(n_classes)(state))


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


def fitted(build, frames, labels, *, rate, seed, marks):
    """Train; after each number of epochs in `marks` yield the model, its accuracy and seconds."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    model = build(frames, frames[0].shape[1], int(labels.max()) + 1)
    model.compile(
        optimizer=keras.optimizers.Adam(rate, global_clipnorm=1.0),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    padded, watch, done = batches.pad(frames), Stopwatch(), 0
    for epochs in marks:
        watch.restart()
        history = model.fit(padded, labels, batch_size=BATCH_SIZE, epochs=epochs - done, verbose=0)
        done = epochs
        yield model, history.history["accuracy"][-1], watch.lap()[0]


def codes(part):
    """The labels of a table, as integers."""
    return part["label"].cat.codes.to_numpy(int)


def right(model, frames, part):
    """Whether the model is right about each clip."""
    return evaluation.predict(model, frames).argmax(axis=1) == codes(part)


def tried(each: Input, rate: float) -> dict:
    """One learning rate of a row: the validation accuracy after each of EPOCHS."""
    train, validation, _ = digits(FEW)
    return searched(each.make, each.build, train, validation, rate, EPOCHS, SEARCH_SEEDS)


def searched(make, build, train, validation, rate, marks, seeds):
    """The mean validation accuracy over seeds after each number of epochs."""
    learn, watched = ([make(wave) for wave in part["waveform"]] for part in (train, validation))
    shares, seconds = [], 0
    for seed in seeds:
        found = []
        for model, _, cpu in fitted(build, learn, codes(train), rate=rate, seed=seed, marks=marks):
            found.append(right(model, watched, validation).mean())
            seconds += cpu
        shares.append(found)
    return {"accuracy": np.mean(shares, axis=0).tolist(), "cpu": seconds}


def setting(kind: str, name: str, rates: tuple, marks: tuple) -> tuple[float, int]:
    """The learning rate and number of epochs with the best mean validation accuracy."""
    shares = []
    for rate in rates:
        text = kept(f"tune {kind} {name} {rate}").read_text(encoding="utf-8")
        shares.append(json.loads(text)["accuracy"])
    best = np.unravel_index(np.argmax(shares), np.shape(shares))
    return rates[best[0]], marks[best[1]]


def climbed(each: Input, clips_of_a_digit: int, seed: int) -> dict:
    """Train a row at its best setting; score validation and test."""
    train, validation, test = digits(clips_of_a_digit)
    rate, epochs = setting("ladder", each.name, each.rates, EPOCHS)
    learn = [each.make(wave) for wave in train["waveform"]]
    options = {"rate": rate, "seed": seed, "marks": [epochs]}
    model, own, cpu = next(fitted(each.build, learn, codes(train), **options))
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
    words["label"] = pd.Categorical(words["label"], data.COMMANDS)
    words["waveform"] = [same_level(audio.read(path, sample_rate=rate)) for path in words["path"]]
    train = words[words["split"] == "train"]
    train = train.groupby("label", observed=True).sample(COMMANDS_EACH, random_state=0)
    validation, test = (words[words["split"] == split] for split in ("validation", "test"))
    silence = clips[(clips["label"] == "silence") & (clips["split"] == "test")]
    noises = [same_level(audio.read(path, sample_rate=rate)) for path in silence["path"]]
    return train, validation, test, noises


def mel_energy(waveform, choice):
    """The energy in each mel band: [frames, bands]."""
    length, step = round(0.025 * choice.rate), round(choice.hop * choice.rate)
    every = np.lib.stride_tricks.sliding_window_view(waveform, length)[::step]
    power = np.abs(np.fft.rfft(every * audio.window(length), 1024)) ** 2
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


def weighed(choice: Choice, rate: float) -> dict:
    """One learning rate of a choice: the validation accuracy after each of CHOICE_EPOCHS."""
    train, validation, *_ = commands(choice.rate)
    make = partial(heard, choice=choice)
    return searched(make, gru, train, validation, rate, CHOICE_EPOCHS, SEARCH_SEEDS[:1])


def noisy(waveform, noises, random):
    """The word with a piece of a noise, NOISE decibels below it."""
    noise = noises[random.integers(len(noises))]
    start = random.integers(len(noise) - len(waveform))
    piece = same_level(noise[start : start + len(waveform)])
    return waveform + piece * 10 ** (-NOISE / 20)


def chosen_input(choice: Choice, seed: int) -> dict:
    """Train a choice at its best setting; score each test speaker under each of CONDITIONS."""
    train, _, test, noises = commands(choice.rate)
    rate, epochs = setting("choice", choice.name, CHOICE_RATES, CHOICE_EPOCHS)
    learn = [heard(wave, choice) for wave in train["waveform"]]
    options = {"rate": rate, "seed": seed, "marks": [epochs]}
    model, own, cpu = next(fitted(gru, learn, codes(train), **options))
    random = np.random.default_rng(0)
    changes = (
        lambda wave: wave,
        lambda wave: wave * 10 ** (-FAINT / 20),
        lambda wave: noisy(wave, noises, random),
    )
    speakers = {}
    for condition, change in zip(CONDITIONS, changes, strict=True):
        correct = right(model, [heard(change(wave), choice) for wave in test["waveform"]], test)
        by_speaker = evaluation.by_group(test["group"], correct)["accuracy"]
        speakers[condition] = by_speaker.round(4).to_dict()
    found = {"choice": choice.name, "seed": seed, "rate": rate, "epochs": epochs, "own": own}
    means = {condition: float(np.mean(list(each.values()))) for condition, each in speakers.items()}
    return found | {"test": means, "speakers": speakers, "cpu": cpu, "frames": sum(map(len, learn))}


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
    least = front.min() if len(front) else 0
    return (
        "## From raw samples to a front end: digits, official split\n\n"
        f"{table([*header, 'rate', 'epochs', 'CPU s'], lines)}\n\n"
        f"A GRU with {UNITS} units reads its last state. Learning rate (of {RATES}; the average: {FAST_RATES}) and epochs (of "
        f"{EPOCHS}) were chosen for each row on validation clips, from other seeds; with more "
        "clips they stayed. The test was scored after that. Bar for the learned front end with "
        f"{10 * FEW} clips, each seed: {BAR} or more: {verdict(least, BAR)} ({least:.3f})."
    )


def _choices(chosen):
    speakers = {}
    listed = []
    for each in chosen:
        for condition, shares in each["speakers"].items():
            speakers.setdefault((each["choice"], condition), []).append(pd.Series(shares))
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
        "row differs from the first in what it names. Learning rate (of "
        f"{CHOICE_RATES}) and epochs (of {CHOICE_EPOCHS}) were chosen for each row on validation "
        "speakers, from another seed."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
