"""Clips that need not fit in memory: written once as shards, read back as padded batches.

A shard is a file of many clips. Beside the shards lies an index, a line a shard, with the length,
label and group of each clip. So the batches of an epoch are planned before a frame is read, and
are the same for the same seed and epoch: on each worker, and after an interruption.
"""

import hashlib
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
from tqdm import tqdm

from course_lib import audio, batches

FORMS = {"tfrecord": ".tfrecord", "flat": ".f32"}  # how a shard holds its clips
INDEX = "index.jsonl"  # in the folder: a line of settings, a line a shard, a last line
PER_SHARD = 1_000  # clips: 7 MB of spoken digits
BUFFER = 4_000  # clips that wait in memory, so that those of several shards mix
FLOAT32 = "<f4"  # the same bytes on every machine
FEATURES = {"frames": tf.io.FixedLenFeature([], tf.string)}  # what is read of a record


def log_mel_of_path(path: str | Path, **settings: int) -> np.ndarray:
    """Compute the log-mel frames of a file, with the options of `audio.log_mel`."""
    rate = settings.get("sample_rate", audio.SAMPLE_RATE)
    return audio.log_mel(audio.read(path, sample_rate=rate), **settings)


def write(
    clips: pd.DataFrame | Iterable[tuple],
    folder: str | Path,
    *,
    frames: Callable = log_mel_of_path,
    classes: Iterable[str] | None = None,
    per_shard: int = PER_SHARD,
    form: str = "tfrecord",
    **settings: int,
) -> None:
    """Write clips as shards, in the order given, or go on where an earlier call ended.

    Shards that are whole are kept; missing and damaged ones are made anew. (Of tuples, give the
    same again.) A clip that cannot be read is left out and named in a sentence.

    Args:
        clips: A table with path, label and group, as from `data.load`; or tuples (path, label,
            group), where frames `[frames, mels]` may stand for the path. Labels are integers, in
            a table also a categorical column. Mix a sorted table first: `clips.sample(frac=1)`.
        folder: Where the shards and their index go.
        frames: path, **settings → float32 `[frames, mels]`.
        classes: The names of the labels, where there is no categorical column.
        form: "tfrecord", or "flat": an array of all frames, one clip after the other.
        settings: Options of `frames`, kept in the index.

    Raises:
        ValueError: The folder was begun with other clips or settings, or no clip can be read.
    """
    if form not in FORMS:
        raise ValueError(f"expected one of {', '.join(FORMS)}, found {form!r}")
    folder, head = Path(folder), {"form": form, "per_shard": per_shard, "settings": settings}
    rows, total = iter(clips), None
    head["classes"] = None if classes is None else list(classes)
    if isinstance(clips, pd.DataFrame):
        names, labels = batches.categories(clips["label"]), batches.codes(clips["label"])
        head["classes"] = list(names) if names else head["classes"]
        table = clips[["path", "label", "group"]].to_csv(index=False)
        head["table"] = hashlib.sha256(table.encode()).hexdigest()
        rows, total = zip(clips["path"], labels, clips["group"]), len(clips)
    whole, lines = _whole_shards(folder, head), []
    _write_index(folder, [head, *whole.values()])
    with (
        open(folder / INDEX, "a", encoding="utf-8") as index,
        tqdm(total=total, unit=" clips", file=sys.stdout) as bar,
    ):
        while part := list(itertools.islice(rows, per_shard)):
            path = folder / f"shard-{len(lines):05}{FORMS[form]}"
            line = whole.get(path.name)
            if line is None:
                line = _write_shard(path, part, lambda sound: frames(sound, **settings))
                index.write(json.dumps(line) + "\n")
                index.flush()
            lines.append(line)
            bar.update(len(part))
    skipped = list(itertools.chain(*(line["skipped"] for line in lines)))
    mels = sorted({line["mels"] for line in lines if line["lengths"]})
    if len(mels) != 1:
        found = f"{mels}; left out: {'; '.join(skipped[:1]) or 'none'}"
        raise ValueError(f"expected clips of one number of bands, found {found}")
    _write_index(folder, [head, *lines, {"shards": len(lines)}])
    for sentence in skipped:
        print(f"left out: {sentence}")


def check(folder: str | Path) -> list[str]:
    """Name the shards that are missing or damaged, each in a sentence; the whole set is read."""
    _, lines, ended = _index(Path(folder))
    faults = [_fault(Path(folder) / line["file"], line) for line in lines]
    unfinished = [] if ended else [f"expected a finished set, found {len(lines)} shards of it"]
    return [fault for fault in faults if fault] + unfinished


def table(folder: str | Path) -> pd.DataFrame:
    """List the clips of a folder of shards without reading one.

    Returns:
        One clip a row: shard (its number), begin (its first frame in the shard), length (frames),
        label (categorical, where classes are known) and group, fit for `data.split`. Of the form
        "flat" also frames, float32 `[frames, mels]`: arrays that stay on disk until they are used
        (and are not checked). `.attrs` has classes, form, settings, mels, and skipped, the
        sentences on clips that were left out.

    Raises:
        ValueError: There is no index, or the set is not finished.
    """
    shards = Shards(folder)
    if shards.form != "flat":
        return shards.clips
    flat = [shards.flat(number) for number in range(len(shards.lines))]
    places = zip(shards.shard_of, shards.begins, shards.lengths)
    frames = [flat[number][begin : begin + length] for number, begin, length in places]
    return shards.clips.assign(frames=frames)


def read(
    folder: str | Path,
    *,
    groups: Iterable | None = None,
    batch_size: int = batches.BATCH_SIZE,
    n_lengths: int | None = None,
    buffer: int | None = BUFFER,
    seed: int = 0,
    epoch: int | None = None,
    skip: int = 0,
    worker: int = 0,
    workers: int = 1,
    augment: Callable | None = None,
) -> tf.data.Dataset:
    """Read batches of clips of similar length from shards, as `batches.bucketed` makes them.

    Shards come in random order, and clips mix with those that wait in the buffer. In memory are
    one shard, the buffer and a batch of each length. A shard is checked when it is first read.

    Args:
        folder: What `write` has made.
        groups: Read the clips of these groups only: one side of a split by speaker.
        batch_size: Of the batch of all workers together.
        n_lengths, augment: As in `batches.bucketed`.
        buffer: In clips. None: shuffle the whole set, a clip at a time; needs the form "flat".
        seed: The same seed repeats the same epochs.
        epoch: Always this epoch, from 0. None: the next one in each pass over the data.
        skip: Leave out so many batches of `epoch`, those used before an interruption.
        worker, workers: Give this worker's share of each batch; the shares of all are the batch.

    Returns:
        Pairs of float32 `[batch, time, mels]`, padded at the end with PADDING, and int32
        `[batch]`; every clip once an epoch. Its attribute `classes` has the names of the labels.

    Raises:
        ValueError: An argument does not fit; or, while reading, a shard is missing or damaged.
    """
    shards = Shards(folder)
    clips, labels = shards.clips, batches.codes(shards.clips["label"])
    if groups is not None:
        groups, known = set(groups), set(clips["group"])
        if not groups or groups - known:
            found = f"{sorted(map(str, groups - known))}"
            raise ValueError(f"expected some of the {len(known)} groups of the set, found {found}")
        clips = clips[clips["group"].isin(groups)]
    if buffer is None and shards.form != "flat":
        raise ValueError(f'expected the form "flat" to shuffle all, found {shards.form!r}')
    buckets = batches.bucket(clips["length"], batch_size=batch_size, n_lengths=n_lengths)
    buckets = [clips.index.to_numpy()[members] for members in buckets]
    if len(buckets) > 1 and len(buckets[0]) < workers:  # only the first may be so small
        buckets[:2] = [np.concatenate(buckets[:2])]
    if not 0 <= worker < workers <= min(batch_size, *map(len, buckets)):
        expected = "a clip for each worker in each batch"
        raise ValueError(f"expected {expected}, found worker {worker} of {workers}")
    longest = np.zeros(len(shards), int)
    for members in buckets:
        longest[members] = shards.lengths[members].max()
    count = sum(_batch_count(members, batch_size) for members in buckets)
    if skip and (epoch is None or not 0 < skip <= count):
        expected = f"an epoch, and 0 to {count} of its batches to leave out"
        raise ValueError(f"expected {expected}, found epoch {epoch} and {skip}")
    passes = itertools.count()

    def one_epoch():
        number = next(passes) if epoch is None else epoch
        random, options = np.random.default_rng([seed, number]), (batch_size, buffer)
        stream, planned = plan(buckets, shards.shard_of, random, *options)
        shares = [members[worker::workers] for members in planned[skip:]]
        for members, frames in zip(shares, _in_turn(shards, stream, shares)):
            if augment is not None:
                seeds = [np.random.default_rng([seed, number, clip]) for clip in members]
                frames = batches.check([augment(*each) for each in zip(frames, seeds)])
            yield batches.pad(frames, length=longest[members[0]]), labels[members]

    signature = tf.TensorSpec([None, None, shards.mels]), tf.TensorSpec([None], tf.int32)
    dataset = tf.data.Dataset.from_generator(one_epoch, output_signature=signature)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(count - skip)).prefetch(2)
    dataset.classes = shards.clips.attrs["classes"]
    return dataset


def plan(
    buckets: list[np.ndarray],
    shard_of: np.ndarray,
    random: np.random.Generator,
    batch_size: int = batches.BATCH_SIZE,
    buffer: int | None = BUFFER,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Settle in which order the clips of an epoch are read, and which make each batch.

    Clips are numbers: rows of `table`. `buckets` has the clips of each bucket, and `shard_of` the
    shard of each clip. The batches come in the order in which they are complete.
    """
    stream = np.sort(np.concatenate(buckets))
    if buffer is None:
        stream = drawn = random.permutation(stream)
    else:
        turns = random.permutation(shard_of.max() + 1)  # of each shard
        stream = stream[np.argsort(turns[shard_of[stream]], kind="stable")]
        drawn = _drawn(stream, buffer, random)
    read_at, drawn_at = np.zeros((2, len(shard_of)), int)
    read_at[stream], drawn_at[drawn] = np.arange(len(stream)), np.arange(len(drawn))
    planned = []
    for members in buckets:
        members = members[np.argsort(drawn_at[members])]
        planned += np.array_split(members, _batch_count(members, batch_size))
    return stream, sorted(planned, key=lambda members: read_at[members].max())


class Shards:
    """The clips of a folder of shards: `shards[number]` is (frames, label, group).

    That reads one clip in the form "flat", and its whole shard in the form "tfrecord".
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        head, lines, ended = _index(self.folder)
        if not ended:
            found = f"{len(lines)} shards of it: call `write` again, it goes on from there"
            raise ValueError(f"{folder}: expected a finished set of shards, found {found}")
        kept = ("file", "bytes", "sha256")  # the rest of a line goes into the table
        self.lines = [{name: line[name] for name in kept} for line in lines]
        self.form, self.mels = head["form"], max(line["mels"] for line in lines)
        self.shard_of = np.repeat(range(len(lines)), [len(line["lengths"]) for line in lines])
        clips = pd.DataFrame({"shard": self.shard_of})
        for column in ("length", "label", "group"):
            clips[column] = list(itertools.chain(*(line.pop(f"{column}s") for line in lines)))
        same = {group: group for group in clips["group"]}  # one object a name, not one a clip
        clips["group"] = clips["group"].map(same)
        if head["classes"] is not None:
            clips["label"] = pd.Categorical.from_codes(clips["label"], head["classes"])
        self.lengths = clips["length"].to_numpy()
        clips["begin"] = clips.groupby("shard")["length"].cumsum() - self.lengths
        self.begins, self.checked = clips["begin"].to_numpy(), set()
        clips.attrs = {**head, "mels": self.mels}
        clips.attrs["skipped"] = list(itertools.chain(*(line["skipped"] for line in lines)))
        self.clips = clips

    def __len__(self):
        return len(self.clips)

    def __getitem__(self, number):
        [frames] = self.frames(np.array([number]))
        return frames, self.clips["label"].iloc[number], self.clips["group"].iloc[number]

    def flat(self, shard: int) -> np.ndarray:
        """Map a shard of the form "flat" into memory: float32 `[frames of all clips, mels]`."""
        path = self.folder / self.lines[shard]["file"]
        if not self.lines[shard]["bytes"]:  # none of its clips could be read
            return np.zeros([0, self.mels], FLOAT32)
        return np.asarray(np.memmap(path, FLOAT32, mode="r").reshape(-1, self.mels))

    def frames(self, numbers: np.ndarray) -> list[np.ndarray]:
        """Read clips of one shard, whose bytes are checked the first time."""
        shard = self.shard_of[numbers[0]]
        path, line = self.folder / self.lines[shard]["file"], self.lines[shard]
        if shard not in self.checked and (fault := _fault(path, line)):
            raise ValueError(fault)
        self.checked.add(shard)
        if self.form == "flat":
            flat = self.flat(shard)
            begins, ends = self.begins[numbers], self.begins[numbers] + self.lengths[numbers]
            return [np.array(flat[begin:end]) for begin, end in zip(begins, ends)]
        first, end = np.searchsorted(self.shard_of, [shard, shard + 1])
        [records] = tf.data.TFRecordDataset(str(path)).batch(end - first)
        parsed = tf.io.parse_example(tf.gather(records, numbers - first), FEATURES)
        clips = parsed["frames"].numpy()
        return [np.frombuffer(clip, FLOAT32).reshape(-1, self.mels) for clip in clips]


def _in_turn(shards, stream, shares):
    """Give the frames of each share, reading its clips in the order of the stream."""
    wanted, waiting = np.zeros(len(shards), bool), {}
    wanted[np.concatenate([[], *shares]).astype(int)] = True
    stream = stream[wanted[stream]]
    parts = iter(np.split(stream, np.flatnonzero(np.diff(shards.shard_of[stream])) + 1))
    for members in shares:
        while not all(clip in waiting for clip in members):
            part = next(parts)
            waiting.update(zip(part, shards.frames(part)))
        yield [waiting.pop(clip) for clip in members]


def _drawn(stream, buffer, random):
    """Give the order in which clips leave a shuffle buffer that is kept full, as in tf.data."""
    held, coming = stream[:buffer].copy(), stream[buffer:]
    drawn = np.empty_like(stream)
    for place, choice in enumerate(random.integers(buffer, size=len(coming))):
        drawn[place], held[choice] = held[choice], coming[place]
    drawn[len(coming) :] = random.permutation(held)
    return drawn


def _batch_count(members, batch_size):
    return -(-len(members) // batch_size)


def _write_shard(path, part, frames):
    """Write the clips that can be read, and give the shard's line of the index."""
    line = {"file": path.name, "mels": 0, "lengths": [], "labels": [], "groups": [], "skipped": []}
    clips = []
    for place, (sound, label, group) in enumerate(part):
        name = f"clip {place}" if isinstance(sound, np.ndarray) else sound
        try:
            [clip] = batches.check([sound if isinstance(sound, np.ndarray) else frames(sound)])
            if clips and clip.shape[1] != line["mels"]:
                raise ValueError(f"expected {line['mels']} bands, found {clip.shape[1]}")
        except (OSError, ValueError) as error:
            line["skipped"].append(f"{path.name}, {name}: {error}")
            continue
        clips.append(clip.astype(FLOAT32))
        line["mels"] = clip.shape[1]
        line["lengths"].append(len(clip))
        line["labels"].append(int(label))
        line["groups"].append(group.item() if isinstance(group, np.generic) else group)
    unfinished = path.with_name(f"{path.name}.part")
    if path.suffix == FORMS["flat"]:
        with open(unfinished, "wb") as file:
            for clip in clips:
                file.write(clip.tobytes())
    else:
        with tf.io.TFRecordWriter(str(unfinished)) as file:
            for each in zip(clips, line["labels"], line["groups"]):
                file.write(_example(*each))
    os.replace(unfinished, path)
    return {**line, "bytes": path.stat().st_size, "sha256": _sha256(path)}


def _example(clip, label, group):
    """Make a record; its label and group are for readers that do without the index."""
    values = {
        "frames": {"bytes_list": {"value": [clip.tobytes()]}},
        "label": {"int64_list": {"value": [label]}},
        "group": {"bytes_list": {"value": [str(group).encode()]}},
    }
    features = {name: tf.train.Feature(**value) for name, value in values.items()}
    features = tf.train.Features(feature=features)
    return tf.train.Example(features=features).SerializeToString()


def _whole_shards(folder, head):
    """Find the shards that an earlier call has written and that are as listed: file → line."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / INDEX).exists():
        return {}
    begun, lines, _ = _index(folder)
    if begun != json.loads(json.dumps(head)):
        found = f"{head}: delete the folder, or name another"
        raise ValueError(f"{folder}: expected the clips and settings {begun}, found {found}")
    return {line["file"]: line for line in lines if not _fault(folder / line["file"], line)}


def _fault(path, line):
    """Say what is wrong with a shard, or None."""
    if not path.exists():
        return f"{path.name}: expected a file of {line['bytes']:,} bytes, found none"
    if (size := path.stat().st_size) != line["bytes"]:
        return f"{path.name}: expected {line['bytes']:,} bytes, found {size:,}"
    if (found := _sha256(path)) != line["sha256"]:
        return f"{path.name}: expected SHA-256 {line['sha256'][:12]}…, found {found[:12]}…"


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _index(folder):
    """Read the index: its settings, the lines of shards, and whether the set is finished."""
    path = folder / INDEX
    if not path.exists():
        raise ValueError(f"expected shards, found no {INDEX} in {folder}")
    try:
        with open(path, encoding="utf-8") as file:  # a line cut off does not count
            head, *lines = [json.loads(line) for line in file if line.endswith("\n")]
    except ValueError as error:
        raise ValueError(f"{path}: expected lines of JSON, found others: {error}") from error
    ended = bool(lines) and "shards" in lines[-1]
    return head, lines[:-1] if ended else lines, ended


def _write_index(folder, lines):
    unfinished = folder / f"{INDEX}.part"
    unfinished.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    os.replace(unfinished, folder / INDEX)
