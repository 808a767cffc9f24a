"""What one frame costs a model that listens, in Keras and as exported files, on one core: `python -m benchmarks.streaming` prints the tables."""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import psutil
import tensorflow as tf

from benchmarks.measure import Stopwatch, table, verdict
from course_lib import audio, data, evaluation, models
from course_lib.extra.streaming import Stream, export, export_with_features

PIECE = audio.FRAME_STEP  # samples: 10 ms, one frame
PIECES = 2_000  # 20 s of sound a round
ROUNDS = 5  # turns of each contender
MINUTES = 10  # of sound pushed 10 ms at a time, for the memory
BAR = 1.0  # millisecond a frame
CALIBRATION = 100  # clips whose ranges an int8 file takes over


def main():
    """Measure and print both tables, alone on the standard output."""
    os.sched_setaffinity(0, {0}) if hasattr(os, "sched_setaffinity") else None
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as folder:
        model, classes = models.ready()
        clips = digits(classes)
        files = exports(
            model,
            clips[clips.split == "train"].frames.sample(CALIBRATION, random_state=0),
            Path(folder),
        )
        streams = {"Keras": Stream(model)} | {
            name: Stream(file.path) for name, file in files.items()
        }
        parts = [
            report(streams, files, model, clips[clips.split == "test"]),
            memory(streams["Keras"]),
        ]
    print("\n".join(parts))


def digits(classes):
    """The digits with their frames, and their labels by the ready model's classes."""
    clips = data.load("digits")
    clips["label"] = clips["label"].cat.set_categories(classes)
    return clips.assign(
        waveform=[audio.read(path) for path in clips.path],
        frames=lambda table: audio.log_mels(table.waveform),
    )


def exports(model, calibration, folder):
    """The files that are measured: a dict of name → Exported."""
    return {
        "file, float32": export(model, folder / "float32.tflite"),
        "file, float32, features inside": export_with_features(model, folder / "features.tflite"),
        "file, int8": export(model, folder / "int8.tflite", calibration=calibration),
        "file, int8 with int16 activations": export(
            model, folder / "int16.tflite", calibration=calibration, activations="int16"
        ),
    }


def milliseconds(streams):
    """CPU milliseconds a frame of each stream, in turns, and those of its features alone: a dict of name → float `[rounds]`."""
    pieces = np.random.default_rng(0).normal(0, 0.1, [PIECES, PIECE]).astype(np.float32)
    window = pieces[:3].reshape(-1)[: audio.FRAME_LENGTH]
    laps, watch = {name: [] for name in [*streams, "the features alone"]}, Stopwatch()
    for _ in range(ROUNDS + 1):  # the first round only warms up
        for name, stream in streams.items():
            watch.restart()
            for piece in pieces:
                stream.push(piece)
            laps[name].append(1_000 * watch.lap()[0] / PIECES)
        watch.restart()
        for _ in range(PIECES):
            audio.log_mel(window)
        laps["the features alone"].append(1_000 * watch.lap()[0] / PIECES)
    return {name: np.array(values[1:]) for name, values in laps.items()}


def report(streams, files, model, test):
    """The table of costs, sizes, differences and accuracies.

    Returns: a text in Markdown.
    """
    laps, exact, rows = milliseconds(streams), evaluation.predict(model, test.frames), []
    for name, values in laps.items():
        median, size = np.median(values), f"{files[name].kilobytes:.0f}" if name in files else ""
        row = [
            name,
            f"{median:.2f} ({values.min():.2f} to {values.max():.2f})",
            f"{median / 10:.3f}",
            f"{median / np.median(laps['Keras']):.2f}",
            size,
        ]
        if name in streams:
            logits = whole_clips(streams[name], test.waveform)
            row += [
                f"{np.abs(logits - exact).max():.1g}",
                str(evaluation.score(logits.argmax(axis=1) == test.label.cat.codes)),
            ]
        rows.append([*row, *[""] * (7 - len(row))])
    columns = [
        "stream",
        "CPU ms a frame",
        "real-time factor",
        "of Keras",
        "kB",
        "largest change of a logit",
        "accuracy, official test",
    ]
    found = verdict(np.median(laps["Keras"]), BAR, at_most=True)
    return (
        f"## The ready model, 10 ms of sound at a time, on one core\n\n{table(columns, rows)}\n\n"
        f"Medians, least and largest of {ROUNDS} rounds of {PIECES:,} frames, in turns. A stream in Python makes its features by NumPy, but for the file that has them inside. The real-time factor "
        f"is the share of one core that listening takes. The clips of the test went through each stream, and the answer is that after the last frame; {test.source.iloc[0]}, whose "
        f"speakers the model has heard in training. The bar of {BAR:g} ms a frame for the Keras stream is {found}.\n"
    )


def whole_clips(stream, waveforms):
    """The logits after each whole clip: float32 `[clips, classes]`."""
    rows = []
    for waveform in waveforms:
        stream.reset()
        stream.push(waveform)
        rows.append(stream.logits)
    return np.stack(rows)


def memory(stream):
    """How much the process grows while it listens for ten minutes.

    Returns: a text in Markdown.
    """
    stream.reset()
    process, pieces, rows = (
        psutil.Process(),
        np.random.default_rng(1).normal(0, 0.1, [6_000, PIECE]).astype(np.float32),
        [],
    )
    for minute in range(MINUTES):
        for piece in pieces:
            stream.push(piece)
        if minute in (0, MINUTES - 1):
            rows.append([f"after {minute + 1} min", f"{process.memory_info().rss / 2**20:.1f}"])
    return f"## Memory, 10 ms at a time\n\n{table(['', 'MB of the process'], rows)}\n"


if __name__ == "__main__":
    main()
