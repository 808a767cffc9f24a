"""Seconds to an accuracy, against other programs; seconds of log-mel frames; memory of an hour: `python -m benchmarks.speed` prints the tables."""

import contextlib
import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import librosa
import numpy as np
import pandas as pd

from benchmarks.contest import BATCH_SIZE, GOAL, MOST_EPOCHS, SEARCH_SEEDS, SEEDS
from benchmarks.measure import Stopwatch, table, verdict
from course_lib import audio, data

ROOT = Path(__file__).resolve().parent.parent
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OPENBLAS_NUM_THREADS")
LOG_MEL_ROUNDS = 5  # turns of each contender of the log-mel frames, in one process
TOLERANCE = 2e-3  # natural log of mel energy: how far float32 may be from librosa
LOG_MEL_BAR = 7  # times less CPU than librosa
SPLITS = (5_000, 20_000)  # clips
READINGS = (3, 16)  # of the digits, 22 minutes: an hour takes what the two differ by
MANY_HOURS, MEMORY_BAR = 100, 12  # hours that shall fit in so many GB


class Contender(NamedTuple):
    """One row of the tables, trained by a module of this package."""

    module: str
    way: str  # words that the module reads
    search: str  # the way that finds the epochs: the same numbers in less time
    threads: str = "1"  # what the course sets; "0" is the default of TensorFlow


KERNEL = "bucketed kernel"
COURSE = Contender("epochs_keras", KERNEL, KERNEL)
RIVAL = Contender("epochs_torch", "padded", "padded")
CONTENDERS = {
    "this course": COURSE,
    "Keras, bucketed": Contender("epochs_keras", "bucketed", KERNEL, "0"),
    "Keras, bucketed, XLA": Contender("epochs_keras", "bucketed xla", KERNEL, "0"),
    "Keras, padded to the longest of the set": Contender(
        "epochs_keras", "padded", "padded kernel", "0"
    ),
    "PyTorch, padded": RIVAL,
    "PyTorch, packed": Contender("epochs_torch", "packed", "padded"),
    "NumPy": Contender("epochs_numpy", "padded", "padded"),
}
BOTH = {"this course": COURSE, "PyTorch, padded": RIVAL}
TABLES = {  # title: cell, recipe, contenders
    "LSTM(64)": ("lstm", "plain", CONTENDERS),
    "GRU(64)": ("gru", "plain", CONTENDERS),
    "LSTM(64), frames every 20 ms": ("lstm", "quick", BOTH),
    "GRU(64), frames every 20 ms": ("gru", "quick", BOTH),
}
RULES = f"""## How the contenders ran

All train on the 2,460 digits of the official training part that `data.load_parts` leaves for training, with batches of {BATCH_SIZE} clips, Adam at a constant rate of 0.003 and gradients clipped to a norm of 1. Where frames come every 20 ms, the rate rises to 0.006 in the first epoch and then falls to 0 along a cosine. First weights follow Keras's rules everywhere: Glorot, orthogonal, a forget bias of 1; PyTorch's LSTM has its usual second bias, which begins at 0.

*Epochs* is the smallest number after which the mean accuracy of seeds {SEARCH_SEEDS[0]} to {SEARCH_SEEDS[-1]} on the 240 validation clips reaches {GOAL} ({MOST_EPOCHS} at most). Two epochs more or less are chance: PyTorch and NumPy begin with the same GRU and the same batches. Rows that compute the same numbers share it: the bucketed ones in Keras, and the two in PyTorch. Then seeds {SEEDS[0]} to {SEEDS[-1]} train so many epochs, each in a process of its own, the contenders in turns, and are scored once on the 300 test clips.

*CPU s* and *wall s* are medians over the seeds. They begin with frames in memory and hold all that follows: batches, model, tracing, compiling, what an optimizer imports. *Whole* counts from the start of the process, with imports, reading and frames. *Later epoch* is the median CPU time of the epochs after the first. The last column is CPU s against the best of the others.

The course, PyTorch and NumPy run on one thread; the other rows in Keras have Keras's own layers and TensorFlow's default threads. PyTorch and NumPy read clips that are sorted by length and cut into batches; each batch is padded once, then the last states are gathered, or it is packed. The NumPy LSTM is the code of lesson 08.
"""


def main():
    """Measure and print all tables, alone on the standard output."""
    with contextlib.redirect_stdout(sys.stderr):
        parts = [f"## {title}\n\n{race_table(race(*what))}\n" for title, what in TABLES.items()]
        parts += [RULES, log_mel_report(), split_report(), memory_report()]
    print("\n".join(parts))


def race(cell, recipe, contenders):
    """Find the epochs that each contender needs, then train it with each seed, in turns.

    Returns: for each title the number of epochs, and a list of what `contest.measure` found.
    """
    needed = {title: epochs(c.module, c.search, cell, recipe) for title, c in contenders.items()}
    found = {title: [] for title in contenders}
    for seed in SEEDS:
        for title, each in contenders.items():
            asked = [each.module, each.way, cell, recipe, seed, needed[title]]
            found[title].append(child("contest", *asked, threads=each.threads))
    return {title: (needed[title], runs) for title, runs in found.items()}


@functools.cache
def epochs(module, way, cell, recipe):
    """The number of epochs in which a contender reaches GOAL."""
    return len(child("contest", module, way, cell, recipe))


def child(module, *arguments, threads="1"):
    """Run a module of this package in a process of its own.

    Returns: what it prints, read as JSON.
    """
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **dict.fromkeys(THREADS, threads)},
    )
    found = done.stdout.splitlines()[-1]
    print(*arguments, found, flush=True)
    return json.loads(found)


def race_table(found):
    """The table of one race.

    Returns: a text in Markdown.
    """
    cpu = {t: np.median([run["memory"][0] for run in runs]) for t, (_, runs) in found.items()}
    rows = []
    for title, (number, runs) in found.items():
        accuracy = [run["accuracy"] for run in runs]
        spread = f"{np.mean(accuracy):.3f} ({min(accuracy):.3f} to {max(accuracy):.3f})"
        seconds = np.median([[*run["memory"], *run["start"], run["later"]] for run in runs], axis=0)
        best = min(value for other, value in cpu.items() if other != title)
        figures = [f"{each:.1f}" for each in seconds[:4]] + [f"{seconds[4]:.2f}"]
        rows.append([title, str(number), spread, *figures, f"{cpu[title] / best:.2f}"])
    header = ["contender", "epochs", "test accuracy", "CPU s", "wall s"]
    return table(
        [*header, "whole, CPU s", "whole, wall s", "later epoch", "of the best other"], rows
    )


def librosa_log_mels(waveforms):
    """The frames of `audio.log_mels`, by librosa.

    Returns: a list of float32 `[frames, N_MELS]`, natural log of mel energy.
    """
    edge = (audio.FFT_LENGTH - audio.FRAME_LENGTH) // 2  # samples: librosa centres the window
    settings = dict(
        sr=audio.SAMPLE_RATE, n_fft=audio.FFT_LENGTH, win_length=audio.FRAME_LENGTH, hop_length=audio.FRAME_STEP,
        center=False, n_mels=audio.N_MELS, fmin=audio.MEL_LOW, fmax=audio.MEL_HIGH, htk=True, norm=None,
    )  # fmt: skip
    padded = (np.pad(waveform, edge) for waveform in waveforms)
    mels = (librosa.feature.melspectrogram(y=waveform, **settings) for waveform in padded)
    return [np.log(mel + audio.LOG_OFFSET).T for mel in mels]


def log_mel_report():
    """Time both, and check that they agree.

    Returns: a text in Markdown.
    """
    paths, watch = data.load("digits")["path"], Stopwatch()
    waveforms = [audio.read(path) for path in paths]
    reading = watch.lap()
    frames = zip(audio.log_mels(waveforms), librosa_log_mels(waveforms), strict=True)
    largest = max(np.abs(ours - theirs).max() for ours, theirs in frames)
    assert largest < TOLERANCE, f"expected a difference below {TOLERANCE}, found {largest}"
    watch.restart()
    for _ in range(LOG_MEL_ROUNDS):
        for work in (audio.log_mels, librosa_log_mels):
            work(waveforms)
            watch.lap()
    ours, theirs = np.median(np.reshape(watch.laps[1:], [LOG_MEL_ROUNDS, 2, 2]), axis=0)
    timed = {
        "course_lib.audio.log_mels": ours,
        "librosa.feature.melspectrogram": theirs,
        "reading and decoding the files, once": reading,
    }
    rows = [[name, f"{cpu:.3f}", f"{wall:.3f}"] for name, (cpu, wall) in timed.items()]
    ratio = theirs[0] / ours[0]
    return (
        f"## Log-mel frames of {len(paths):,} clips\n\n{table(['work', 'CPU s', 'wall s'], rows)}\n\n"
        f"Ratio {ratio:.1f} in CPU seconds (bar {LOG_MEL_BAR}: {verdict(ratio, LOG_MEL_BAR)}), medians of "
        f"{LOG_MEL_ROUNDS} turns. Largest difference {largest:.1e} (tolerance {TOLERANCE:.0e}, natural log).\n"
    )


def split_report():
    """What a split of many clips takes, each its own group.

    Returns: a text in Markdown.
    """
    rows, watch = [], Stopwatch()
    for count in SPLITS:
        labels = pd.Categorical(np.arange(count) % 10)
        clips = pd.DataFrame({"group": np.arange(count), "label": labels})
        watch.restart()
        data.split(clips)
        rows.append([f"{count:,}", f"{watch.lap()[0]:.1f}"])
    return f"## A split of clips, each its own group\n\n{table(['clips', 'CPU s'], rows)}\n"


def memory_report():
    """What hours of sound take, from files to the batches of an epoch.

    Returns: a text in Markdown.
    """
    sizes = [child("memory", readings) for readings in READINGS]
    (fewer, first), (more, last) = sizes
    an_hour = (last - first) / (more - fewer)
    gigabytes = (first + an_hour * (MANY_HOURS - fewer)) / 1_000
    rows = [[f"{hours:.1f}", f"{megabytes:.0f}"] for hours, megabytes in sizes]
    return (
        f"## Memory\n\n{table(['hours of digits', 'MB at the most'], rows)}\n\n"
        f"One hour takes {an_hour:.0f} MB, from its files over the frames to the batches of an epoch; {MANY_HOURS} hours "
        f"would take {gigabytes:.1f} GB (bar {MEMORY_BAR}: {verdict(gigabytes, MEMORY_BAR, at_most=True)}).\n"
    )


if __name__ == "__main__":
    main()
