"""What one frame costs a model that listens, in NumPy, in TensorFlow and as exported files, on one core: `python -m benchmarks.streaming` prints the tables."""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy: two threads on one core would only wait

import contextlib
import sys
import tempfile
from pathlib import Path

import numpy as np
import psutil
import tensorflow as tf

from benchmarks.measure import Stopwatch, table, verdict
from course_lib import audio, data, evaluation, models
from course_lib.extra import litert, streaming
from course_lib.extra.streaming import Stream

PIECE = audio.FRAME_STEP  # samples: 10 ms, one frame
PIECES = 2_000  # 20 s of sound a round
ROUNDS = 5  # turns of each contender
MINUTES = 10  # of sound pushed 10 ms at a time, for the memory
BAR = 0.1  # millisecond a frame, for the NumPy file
NUMPY_FILE = "NumPy, file"
CALIBRATION = 100  # clips whose ranges an int8 file takes over


def main():
    """Measure and print both tables, alone on the standard output."""
    os.sched_setaffinity(0, {0}) if hasattr(os, "sched_setaffinity") else None
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as folder:
        model, classes = models.ready()
        clips = digits(classes)
        calibration = clips[clips.split == "train"].frames.sample(CALIBRATION, random_state=0)
        files = exports(model, classes, calibration, Path(folder))
        streams = {
            "NumPy, Keras model turned": Stream(model),
            NUMPY_FILE: Stream(files[NUMPY_FILE]),
            "TensorFlow step": Stream(litert.Step(model)),
        }
        streams |= {name: Stream(path) for name, path in files.items() if name not in streams}
        parts = [
            report(streams, files, model, clips[clips.split == "test"]),
            memory(streams[NUMPY_FILE]),
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


def exports(model, classes, calibration, folder):
    """The files that are measured: a dict of name → path."""
    int16 = {"calibration": calibration, "activations": "int16"}
    inside = litert.export_with_features(model, folder / "features.tflite")
    int8 = litert.export(model, folder / "int8.tflite", calibration=calibration)
    return {
        NUMPY_FILE: streaming.save(model, folder / "model.npz", classes=classes),
        "LiteRT file, float32": litert.export(model, folder / "float32.tflite").path,
        "LiteRT file, float32, features inside": inside.path,
        "LiteRT file, int8": int8.path,
        "LiteRT file, int8 with int16 activations": litert.export(
            model, folder / "int16.tflite", **int16
        ).path,
    }


def milliseconds(streams):
    """CPU milliseconds a frame of each stream, in turns, and of two parts of the NumPy one: a dict of name → float `[rounds]`."""
    pieces = np.random.default_rng(0).normal(0, 0.1, [PIECES, PIECE]).astype(np.float32)
    window, watch, laps = pieces[:3].reshape(1, -1)[:, : audio.FRAME_LENGTH], Stopwatch(), {}
    features, step = streams[NUMPY_FILE].features, streams[NUMPY_FILE].runner
    frame = features(window)
    contenders = {name: stream.push for name, stream in streams.items()}
    contenders["of this in NumPy: the features"] = lambda piece: features(window)
    contenders["of this in NumPy: the step"] = lambda piece: step(frame, step.initial)
    for _ in range(ROUNDS + 1):  # the first round only warms up
        for name, take in contenders.items():
            watch.restart()
            for piece in pieces:
                take(piece)
            laps.setdefault(name, []).append(1_000 * watch.lap()[0] / PIECES)
    return {name: np.array(values[1:]) for name, values in laps.items()}


def report(streams, files, model, test):
    """The table of costs, sizes, differences and accuracies.

    Returns: a text in Markdown.
    """
    laps, exact, rows = milliseconds(streams), evaluation.predict(model, test.frames), []
    for name, values in laps.items():
        median = np.median(values)
        size = f"{files[name].stat().st_size / 1_024:.0f}" if name in files else ""
        row = [
            name,
            f"{median:.3f} ({values.min():.3f} to {values.max():.3f})",
            f"{median / 10:.4f}",
            f"{median / np.median(laps['TensorFlow step']):.2f}",
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
        "of the TensorFlow step",
        "kB",
        "largest change of a logit",
        "accuracy, official test",
    ]
    found = verdict(np.median(laps[NUMPY_FILE]), BAR, at_most=True)
    return (
        f"## The ready model, 10 ms of sound at a time, on one core\n\n{table(columns, rows)}\n\n"
        f"Medians, least and largest of {ROUNDS} rounds of {PIECES:,} frames, in turns. A stream makes its features by NumPy, but for the file that has them inside; beside features and step it checks the samples and keeps those that wait. The real-time factor "
        f"is the share of one core that listening takes. The clips of the test went through each stream, and the answer is that after the last frame; {test.source.iloc[0]}, whose "
        f"speakers the model has heard in training. The bar of {BAR:g} ms a frame for the NumPy file is {found}.\n"
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
