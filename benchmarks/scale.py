"""Clips from shards: how many a second, how much memory, how well they are mixed, and where sound in memory ends: `python -m benchmarks.scale` prints the tables."""

import contextlib
import functools
import json
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks.measure import Stopwatch, table, verdict
from course_lib import audio, batches, data, models, training
from course_lib.extra import shards

ROOT = Path(__file__).resolve().parent.parent
CLIPS = 20_000  # for the throughput
ROUNDS = 3  # of each way, in turns
FEW, SOME, MANY = 10_000, 30_000, 100_000  # clips, for the memory
MEMORY_BAR = 1.1  # of the memory for FEW clips, for MANY
HOURS = (3, 9, 27)  # in memory; a line through the first two foretells the third
PADDED_HOURS = (1, 3, 6)
MACHINE = 12_000  # megabytes
VOICES, SHARD = 100, 1_000  # speakers, and clips a shard, of the set that is mixed
BUFFERS = (1, 1_000, 4_000, 16_000, None)
SEEDS, EPOCHS = (0, 1, 2), 6  # of the digits that are learned in other orders
ORDERS = {  # digits in shards of 100: written in order of class or mixed, then the buffer
    "in order of class, no buffer": ("sorted", 1),
    "in order of class, buffer of 400": ("sorted", 400),
    "in order of class, buffer of 1,600": ("sorted", 1_600),
    "mixed, no buffer": ("mixed", 1),
    "mixed, buffer of 400": ("mixed", 400),
    "mixed, the whole set": ("mixed", None),
}
LOSES = "A *batch* is of 32 clips. *Alike* is how much more often two clips of a batch have one speaker than in batches drawn from the whole set."


def main():
    """Print all tables."""
    said = contextlib.redirect_stdout(sys.stderr)  # what loading prints
    with tempfile.TemporaryDirectory() as folder, said:
        parts = [
            throughput_report(Path(folder)),
            memory_report(Path(folder)),
            hours_report(),
            mixing_report(),
            learning_report(Path(folder)),
        ]
    print("\n".join(parts))


@functools.cache
def digits():
    """The frames of the digits' training part, 2,460 clips of 0.15 to 2.3 s, and their table."""
    return data.load_parts("digits")[0]


def many(count):
    """So many clips, in a random order, with the frames of the digits: copies, each of which takes memory.

    Yields: (frames, label, group).
    """
    train = digits()
    frames, labels = list(train["frames"]), train["label"].cat.codes.to_numpy()
    for number in np.random.default_rng(0).integers(len(frames), size=count):
        yield frames[number].copy(), labels[number], "a speaker"


def throughput_report(folder):
    """Clips a CPU second, read from a disk whose pages are in memory already.

    Returns: a text in Markdown.
    """
    written, _ = [], digits()
    for form in shards.FORMS:
        watch = Stopwatch()
        shards.write(many(CLIPS), folder / form, form=form)
        size = sum(path.stat().st_size for path in (folder / form).iterdir()) / 1e6
        written.append([form, f"{CLIPS / watch.lap()[0]:,.0f}", f"{size:.0f}"])
    ways = {
        "tfrecord": lambda: shards.read(folder / "tfrecord"),
        "tfrecord, tf.data's own operations": lambda: in_tensorflow(folder / "tfrecord"),
        "flat": lambda: shards.read(folder / "flat"),
        "flat, the whole set shuffled": lambda: shards.read(folder / "flat", buffer=None),
    }
    frames, labels, _ = zip(*many(CLIPS))
    ways["in memory: batches.bucketed"] = lambda: batches.bucketed(frames, np.array(labels))
    found = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            watch = Stopwatch()
            assert sum(len(labels) for _, labels in way()) == CLIPS
            found[name].append(CLIPS / watch.lap()[0])
    rows = [[n, *(f"{f(found[n]):,.0f}" for f in (np.median, min, max))] for n in found]
    return (
        f"## Clips a CPU second\n\n{table(['form', 'written', 'MB on disk'], written)}\n\n"
        f"{table(['way', 'read, median', 'least', 'most'], rows)}\n\n"
        f"{CLIPS:,} clips with frames of the digits, in shards of {shards.PER_SHARD:,}, {ROUNDS} passes each, in turns; a pass has its set-up, the check of every shard's SHA-256 "
        f"and a buffer of {shards.BUFFER:,} clips. The files are in the system's memory: a slow disk or network comes on top. tf.data's own operations are `TFRecordDataset`, `shuffle`, `parse_single_example` and "
        "`bucket_by_sequence_length`; they run on several threads, whose CPU seconds count.\n"
    )


def in_tensorflow(folder):
    """The usual pipeline, without an index: the same shuffling and the same lengths."""
    features = {
        "frames": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }
    lengths = shards.table(folder)["length"].to_numpy()
    longest = [lengths[members].max() for members in batches.bucket(lengths)]

    def parsed(record):
        clip = tf.io.parse_single_example(record, features)
        frames = tf.io.decode_raw(clip["frames"], tf.float32)
        return tf.reshape(frames, [-1, audio.N_MELS]), clip["label"]

    records = tf.data.TFRecordDataset([str(path) for path in sorted(folder.glob("*.tfrecord"))])
    return (
        records.shuffle(shards.BUFFER, seed=0)
        .map(parsed)
        .bucket_by_sequence_length(
            lambda frames, label: tf.shape(frames)[0],
            bucket_boundaries=[int(length) + 1 for length in longest],
            bucket_batch_sizes=[batches.BATCH_SIZE] * (len(longest) + 1),
            padded_shapes=([None, audio.N_MELS], []),
            padding_values=(batches.PADDING, np.int64(0)),
            pad_to_bucket_boundary=False,
        )
        .prefetch(2)
    )


def memory_report(folder):
    """The most memory of a process that reads an epoch, for sets of three sizes.

    Returns: a text in Markdown.
    """
    base = child("nothing")
    rows, ratios, beyond, a_clip = [], [], [], []
    for form in shards.FORMS:
        peaks = []
        for count in (FEW, SOME, MANY):
            place = folder / f"{form}-{count}"
            shards.write(many(count), place, form=form)
            peaks.append(child("peak", place))
            for path in place.iterdir():
                path.unlink()
        ratios.append(peaks[-1] / peaks[0])
        beyond.append(f"{(peaks[-1] - base) / (peaks[0] - base):.1f}")
        a_clip.append(f"{(peaks[-1] - peaks[0]) * 2**20 / (MANY - FEW):.0f}")
        rows.append([form, *(f"{peak:.0f}" for peak in peaks), f"{ratios[-1]:.3f}"])
    peaks = [child("in-memory", count) for count in (FEW, SOME, MANY)]
    rows.append(["in memory", *(f"{peak:.0f}" for peak in peaks), f"{peaks[-1] / peaks[0]:.3f}"])
    header = ["", *(f"{count:,} clips" for count in (FEW, SOME, MANY)), "last to first"]
    met = verdict(max(ratios), MEMORY_BAR, at_most=True)
    return (
        f"## Memory\n\nMB of the process at the most, each in a process of its own, from import to the end of an epoch.\n\n{table(header, rows)}\n\n"
        f"The bar of {MEMORY_BAR} for the shards is {met}. Of the memory, {base:.0f} MB are Python, TensorFlow and the course before anything is read; without them the last is {' and '.join(beyond)} times the first. "
        f"It grows by {' and '.join(a_clip)} bytes a clip; the index and the plan of an epoch, which are in memory for all clips, are a part of that.\n"
    )


def hours_report():
    """Where frames in memory end.

    Returns: a text in Markdown.
    """
    rows = []
    for name, hours in (("in-memory", HOURS), ("padded", PADDED_HOURS)):
        train = digits()
        clips_an_hour = 3_600 / (batches.lengths(train["frames"]).mean() * 0.01)
        peaks = [child(name, round(each * clips_an_hour)) for each in hours]
        an_hour = (peaks[1] - peaks[0]) / (hours[1] - hours[0])
        foretold = peaks[1] + an_hour * (hours[2] - hours[1])
        ends = hours[1] + (MACHINE - peaks[1]) / an_hour
        what = {
            "in-memory": "a list of frames, `batches.bucketed`",
            "padded": "one padded array, `batches.pad` and `fit`",
        }[name]
        measured = [f"{h} h: {peak:.0f}" for h, peak in zip(hours, peaks)]
        rows.append([what, *measured, f"{foretold:.0f}", f"{an_hour:.0f}", f"{ends:.0f}"])
    header = ["", "MB", "MB", "MB", "as a line foretells", "MB an hour", "hours in 12 GB"]
    return (
        f"## Where sound in memory ends\n\n{table(header, rows)}\n\n"
        "Frames of the digits, 40 bands every 10 ms, each in a process of its own. An hour is an hour of sound in frames; the last column is where the line reaches 12,000 MB, all for this process. "
        "Beyond it the system ends the process. The padded array is as long as the longest clip for every clip.\n"
    )


def mixing_report():
    """How far from a full shuffle a buffer is.

    Returns: a text in Markdown.
    """
    count = VOICES * 200
    speaker = np.repeat(np.arange(VOICES), 200)
    shard_of, rows = np.arange(count) // SHARD, []
    orders = {"sorted": speaker, "mixed": np.random.default_rng(1).permutation(speaker)}
    for buffer in BUFFERS:
        row = ["the whole set" if buffer is None else f"{buffer:,}"]
        for of in orders.values():
            _, planned = shards.plan(
                [np.arange(count)], shard_of, np.random.default_rng(0), 32, buffer
            )
            several = np.mean([len(set(of[batch])) for batch in planned])
            pairs = [(np.bincount(of[b]) ** 2).sum() - len(b) for b in planned]
            alike = sum(pairs) / sum(len(b) * (len(b) - 1) for b in planned)
            row += [f"{several:.1f}", f"{alike * (count - 1) / 199:.1f}"]
        rows.append(row)
    header = ["buffer, clips"]
    for order in ("in order of speaker", "mixed once, then written"):
        header += [f"{order}: speakers a batch", "alike"]
    return (
        f"## How far from a full shuffle\n\n{table(header, rows)}\n\n"
        f"{count:,} clips of {VOICES} speakers in shards of {SHARD:,}, one epoch, planned and not read. {LOSES}\n"
    )


def learning_report(folder):
    """What the order costs a GRU that learns digits.

    Returns: a text in Markdown.
    """
    train, watched, _ = data.load_parts("digits")
    train = train.sort_values("label")
    places = {"sorted": train, "mixed": train.sample(frac=1, random_state=0)}
    for name, clips in places.items():
        for_shards = clips[["path", "label", "group"]]
        shards.write(for_shards, folder / f"digits-{name}", per_shard=100, form="flat")
    validation, rows = batches.bucketed(watched["frames"], watched["label"]), []
    for name, (place, buffer) in ORDERS.items():
        scores = []
        for seed in SEEDS:
            tf.keras.utils.set_random_seed(seed)
            dataset = shards.read(folder / f"digits-{place}", buffer=buffer, seed=seed)
            model = models.gru(10)
            training.fit(model, dataset, epochs=EPOCHS)
            scores.append(model.evaluate(validation, verbose=0)[1])
        scores = sorted(scores)
        rows.append([name, f"{np.mean(scores):.3f}", *(f"{score:.3f}" for score in scores)])
    return (
        f"## What the order costs\n\n{table(['digits, shards of 100', 'mean', 'least', '', 'most'], rows)}\n\n"
        f"GRU(64), {EPOCHS} epochs, accuracy on {len(watched)} validation clips after training on {len(train):,}, seeds {', '.join(map(str, SEEDS))}.\n"
    )


def child(*command):
    """What a part says that runs in a process of its own.

    Returns: a float.
    """
    called = [sys.executable, "-m", "benchmarks.scale", *map(str, command)]
    done = subprocess.run(called, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def part(what, *arguments):
    """Read or keep clips, and print the most memory that this process has taken, in megabytes."""
    if what == "peak":
        for _ in shards.read(arguments[0]):
            pass
    if what in ("in-memory", "padded"):
        frames, labels, _ = zip(*many(int(arguments[0])))
        if what == "in-memory":
            for _ in batches.bucketed(frames, np.array(labels)):
                pass
        else:
            model = models.average(10)
            training.compile_model(model)
            model.fit(
                batches.pad(frames), np.array(labels), batch_size=32, steps_per_epoch=1, verbose=0
            )
    print(json.dumps(most_memory()))


def most_memory():
    """The most memory that this process has taken so far; on Linux `getrusage` would name its parent's if that was more.

    Returns: a float, megabytes.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes; on a Mac bytes
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    part(*sys.argv[1:]) if sys.argv[1:] else main()
