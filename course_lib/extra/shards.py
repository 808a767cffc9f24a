"""Clips that need not fit in memory: written once as shards, read back as padded batches.

A shard is a file with many clips. Beside the shards lies an index, a line a shard, that knows the
length, label and group of each clip. So the batches of an epoch are planned before a frame is read,
and are the same for the same seed and epoch: on any machine, and after an interruption.
"""

import hashlib
import itertools
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
from tqdm import tqdm

from course_lib import audio, batches

FORMS = {"tfrecord": ".tfrecord", "flat": ".npy"}  # how a shard holds its clips
INDEX = "index.jsonl"  # in the folder: a line of settings, a line a shard, a last line
PER_SHARD = 1_000  # clips: 9 MB of spoken digits
BUFFER = 4_000  # clips that wait in memory, so that those of several shards mix
LITTLE_ENDIAN = "<f4"  # float32, the same on every machine
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
    """Write clips as shards, in the order given, or go on where an earlier call was interrupted.

    A shard is kept if the same clips belong in it and its bytes are as listed; missing and damaged
    ones are made anew. A clip that cannot be read is left out and named in the table's "skipped".

    Args:
        clips: A table with path, label and group, as from `data.load`; or tuples (path, label,
            group), where frames `[frames, mels]` may stand for the path. Labels are integers, in
            a table also a categorical column. Mix a sorted table before: `clips.sample(frac=1)`.
        folder: Where the shards and their index go.
        frames: (path, settings) → float32 `[frames, mels]`.
        classes: The names of the labels, where `clips` is no table with a categorical column.
        form: "tfrecord", or "flat": an array of all frames, one clip after the other.
        settings: Options of `frames`, kept in the index.

    Raises:
        ValueError: The folder was begun with other settings, or no clip can be read.
    """
    if form not in FORMS:
        raise ValueError(f"expected one of {', '.join(FORMS)}, found {form!r}")
    folder, (rows, names, total) = Path(folder), _rows(clips, classes)
    head = {"form": form, "per_shard": per_shard, "classes": names, "settings": settings}
    folder.mkdir(parents=True, exist_ok=True)
    whole, lines = _whole_shards(folder, head), []
    _write_index(folder, [head, *whole.values()])
    with open(folder / INDEX, "a", encoding="utf-8") as index, _progress(total) as bar:
        while part := list(itertools.islice(rows, per_shard)):
            file = f"shard-{len(lines):05}{FORMS[form]}"
            line, content = whole.get(file), _content(part)
            if line is None or line["content"] != content:
                mels = next((each["mels"] for each in lines if each["mels"]), None)
                first = len(lines) * per_shard
                line = _write_shard(folder / file, part, frames, settings, mels, first)
                line["content"] = content
                index.write(json.dumps(line) + "\n")
                index.flush()
            lines.append(line)
            bar.update(len(part))
    skipped = [sentence for line in lines for sentence in line["skipped"]]
    if not any(line["lengths"] for line in lines):
        found = f"none of {len(skipped)}. {''.join(skipped[:1])}"
        raise ValueError(f"expected one clip or more that can be read, found {found}")
    _write_index(folder, [head, *lines, {"shards": len(lines)}])
    for sentence in skipped:
        print(f"left out: {sentence}")


def check(folder: str | Path) -> list[str]:
    """Name the shards that are missing or damaged, each in a sentence; the whole set is read."""
    lines, ended = _index(folder)[1:]
    faults = [_fault(Path(folder) / line["file"], line) for line in lines]
    unfinished = [] if ended else [f"expected a finished set, found {len(lines)} shards of it"]
    return [fault for fault in faults if fault] + unfinished


def table(folder: str | Path) -> pd.DataFrame:
    """List the clips of a folder of shards, none of which is read.

    Returns:
        One clip a row: shard (its number), begin (its first frame in the shard), length (frames),
        label (categorical, where classes are known) and group, fit for `data.split`. `.attrs` has
        "form", "classes", "settings", "mels" and "skipped", the sentences of clips left out.

    Raises:
        ValueError: There is no index, or the set is not finished.
    """
    head, lines, ended = _index(folder)
    if not ended:
        found = f"{len(lines)} shards of it: call `write` again, it goes on from there"
        raise ValueError(f"{folder}: expected a finished set of shards, found {found}")
    sizes = [len(line["lengths"]) for line in lines]
    clips = pd.DataFrame({"shard": np.repeat(np.arange(len(lines)), sizes)})
    begins = [np.cumsum([0, *line["lengths"]])[:-1] for line in lines]
    clips["begin"] = np.concatenate(begins)
    for column in ("length", "label", "group"):
        clips[column] = list(itertools.chain(*(line[f"{column}s"] for line in lines)))
    clips["group"] = clips["group"].astype("category")
    if head["classes"] is not None:
        clips["label"] = pd.Categorical.from_codes(clips["label"], head["classes"])
    mels = next(line["mels"] for line in lines if line["mels"])
    skipped = list(itertools.chain(*(line["skipped"] for line in lines)))
    clips.attrs = {**head, "mels": mels, "skipped": skipped}
    return clips


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

    The shards come in random order, and clips mix with those that wait in the buffer: in memory
    are a shard, the buffer, and n_lengths batches at most. A shard's bytes are checked when it is
    first read.

    Args:
        folder: What `write` has made.
        groups: Read the clips of these groups only: a side of a split by speaker.
        batch_size, n_lengths, augment: As in `batches.bucketed`. A batch is that of all workers.
        buffer: In clips. None: shuffle the whole set, a clip at a time; needs the form "flat".
        seed: The same seed repeats the same epochs.
        epoch: Always this epoch, from 0. None: the next one in each pass over the data.
        skip: Leave out so many batches of `epoch`, which were used before an interruption.
        worker, workers: Give this worker's share of each batch; the shares of all are the batch.

    Returns:
        Pairs of float32 `[batch, time, mels]`, padded at the end with PADDING, and int32
        `[batch]`; every clip once an epoch. Its attribute `classes` has the names of the labels.

    Raises:
        ValueError: An argument does not fit; and while reading, a shard is missing or damaged.
    """
    shards = _Shards(folder)
    clips = shards.clips
    if groups is not None:
        clips = clips[clips["group"].isin(_known(groups, clips))]
    if not 0 <= worker < workers <= len(clips):
        expected = f"a worker from 0 to {workers - 1}, and a clip or more for each"
        raise ValueError(f"expected {expected}, found worker {worker} and {len(clips)} clips")
    if buffer is None and shards.form != "flat":
        raise ValueError(f'expected the form "flat" to shuffle all, found {shards.form!r}')
    numbers, labels = clips.index.to_numpy(), batches.codes(shards.clips["label"])
    buckets = batches.bucket(clips["length"], batch_size=batch_size, n_lengths=n_lengths)
    buckets = _shared([numbers[members] for members in buckets], workers)
    count = sum(-(-len(members) // batch_size) for members in buckets)
    if skip and (epoch is None or not 0 <= skip <= count):
        expected = f"an epoch, and 0 to {count} of its batches to leave out"
        raise ValueError(f"expected {expected}, found epoch {epoch} and {skip}")
    longest = np.zeros(len(shards.clips), int)
    for members in buckets:
        longest[members] = shards.lengths[members].max()
    passes = itertools.count()

    def one_epoch():
        number = next(passes) if epoch is None else epoch
        random = np.random.default_rng([seed, number])
        options = {"batch_size": batch_size, "buffer": buffer}
        stream, planned = plan(buckets, shards.shard_of, random, **options)
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
    *,
    batch_size: int,
    buffer: int | None,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Settle an epoch: in which order clips are read, and which make each batch, by their numbers.

    Args:
        buckets: The clips of each bucket; no others are read.
        shard_of: The shard of each clip of the set.
        buffer: As in `read`.
    """
    stream = np.sort(np.concatenate(buckets))
    if buffer is None:
        stream = drawn = random.permutation(stream)
    else:
        order = random.permutation(shard_of.max() + 1)  # of each shard, its turn
        stream = stream[np.argsort(order[shard_of[stream]], kind="stable")]
        drawn = _drawn(stream, buffer, random)
    read_at, drawn_at = np.zeros((2, len(shard_of)), int)
    read_at[stream], drawn_at[drawn] = np.arange(len(stream)), np.arange(len(drawn))
    planned = []
    for members in buckets:
        members = members[np.argsort(drawn_at[members])]
        planned += np.array_split(members, -(-len(members) // batch_size))
    return stream, sorted(planned, key=lambda members: read_at[members].max())


class Flat:
    """The clips of a folder in the form "flat": `flat[number]` is (frames, label, group)."""

    def __init__(self, folder: str | Path):
        self.shards = _Shards(folder)
        if self.shards.form != "flat":
            raise ValueError(f'expected the form "flat", found {self.shards.form!r}')

    def __len__(self):
        return len(self.shards.clips)

    def __getitem__(self, number):
        clip = self.shards.clips.iloc[number]
        [frames] = self.shards.frames(np.array([number]))
        return frames, clip["label"], clip["group"]


class _Shards:
    """The shards of a folder, of which one at a time is open."""

    def __init__(self, folder):
        self.folder, self.clips = Path(folder), table(folder)
        self.form, self.mels = self.clips.attrs["form"], self.clips.attrs["mels"]
        self.lines, self.checked = _index(folder)[1], set()
        self.lengths = self.clips["length"].to_numpy()
        self.begins, self.shard_of = self.clips["begin"].to_numpy(), self.clips["shard"].to_numpy()
        self.first = np.searchsorted(self.shard_of, np.arange(len(self.lines)))  # clip of a shard

    def frames(self, members):
        """Read clips of one shard; its bytes are checked the first time."""
        shard = self.shard_of[members[0]]
        path = self.folder / self.lines[shard]["file"]
        if shard not in self.checked and (fault := _fault(path, self.lines[shard])):
            raise ValueError(fault)
        self.checked.add(shard)
        if self.form == "flat":
            flat = np.load(path, mmap_mode="r")
            begins, ends = self.begins[members], self.begins[members] + self.lengths[members]
            return [np.array(flat[begin:end]) for begin, end in zip(begins, ends)]
        records = tf.data.TFRecordDataset(str(path)).batch(len(self.lines[shard]["lengths"]))
        wanted = tf.gather(next(iter(records)), members - self.first[shard])
        clips = tf.io.parse_example(wanted, FEATURES)["frames"].numpy()
        return [np.frombuffer(clip, LITTLE_ENDIAN).reshape(-1, self.mels) for clip in clips]


def _in_turn(shards, stream, shares):
    """Give the frames of each share, reading clips in the order of the stream."""
    wanted, waiting = np.zeros(len(shards.clips), bool), {}
    for members in shares:
        wanted[members] = True
    stream = stream[wanted[stream]]
    parts = iter(np.split(stream, np.flatnonzero(np.diff(shards.shard_of[stream])) + 1))
    for members in shares:
        while not all(clip in waiting for clip in members):
            part = next(parts)
            waiting.update(zip(part, shards.frames(part)))
        yield [waiting.pop(clip) for clip in members]


def _drawn(stream, buffer, random):
    """Give the order in which clips leave a shuffle buffer that is kept full, as tf.data's is."""
    held, drawn = list(stream[:buffer]), []
    coming = stream[buffer:]
    for clip, choice in zip(coming, random.integers(buffer, size=len(coming))):
        drawn.append(held[choice])
        held[choice] = clip
    return np.array(drawn + list(random.permutation(held)))


def _shared(buckets, workers):
    """Join short buckets with the next until each has a clip or more for every worker."""
    joined = []
    for members in buckets:
        if joined and len(joined[-1]) < workers:
            members = np.concatenate([joined.pop(), members])
        joined.append(members)
    if len(joined) > 1 and len(joined[-1]) < workers:
        joined[-2:] = [np.concatenate(joined[-2:])]
    return joined


def _known(groups, clips):
    groups, known = set(groups), set(clips["group"])
    if not groups or groups - known:
        found = ", ".join(sorted(map(str, groups - known))) or "none"
        raise ValueError(f"expected groups among the {len(known)} of the set, found {found}")
    return groups


def _progress(total):
    return tqdm(total=total, unit=" clips")


def _rows(clips, classes):
    """Give (path or frames, label, group) one by one; the names of classes; how many there are."""
    if not isinstance(clips, pd.DataFrame):
        return iter(clips), classes and list(classes), None
    names = batches.categories(clips["label"]) or classes
    rows = zip(clips["path"], batches.codes(clips["label"]), clips["group"])
    return rows, names and list(names), len(clips)


def _content(part):
    """Digest which clips a shard holds: arrays by their bytes, files by their path."""
    digest = hashlib.sha256()
    for sound, label, group in part:
        digest.update(sound.tobytes() if isinstance(sound, np.ndarray) else str(sound).encode())
        digest.update(f"|{label}|{group}|".encode())
    return digest.hexdigest()


def _write_shard(path, part, frames, settings, mels, first):
    """Write the clips of a shard that can be read, and give its line of the index."""
    clips, labels, groups, skipped = [], [], [], []
    for number, (sound, label, group) in enumerate(part, start=first):
        is_made = isinstance(sound, np.ndarray)
        try:
            [clip] = batches.check([sound if is_made else frames(sound, **settings)])
            if mels not in (None, clip.shape[1]):
                raise ValueError(f"expected {mels} bands, found {clip.shape[1]}")
        except (OSError, ValueError) as error:
            skipped.append(f"clip {number:,}{'' if is_made else f' ({sound})'}: {error}")
            continue
        mels = clip.shape[1]
        clips.append(clip.astype(LITTLE_ENDIAN))
        labels.append(int(label))
        groups.append(group.item() if isinstance(group, np.generic) else group)
    unfinished = path.with_name(path.name + ".part")
    if path.suffix == FORMS["flat"]:
        with open(unfinished, "wb") as file:
            np.save(file, np.concatenate([np.zeros([0, mels or 0], LITTLE_ENDIAN), *clips]))
    else:
        with tf.io.TFRecordWriter(str(unfinished)) as file:
            for clip, label, group in zip(clips, labels, groups):
                file.write(_example(clip, label, group))
    os.replace(unfinished, path)
    line = {"file": path.name, "bytes": path.stat().st_size, "sha256": _sha256(path), "mels": mels}
    lengths = [len(clip) for clip in clips]
    return {**line, "lengths": lengths, "labels": labels, "groups": groups, "skipped": skipped}


def _example(clip, label, group):
    """A record with what a reader without the index needs: frames as bytes, label and group."""
    values = {
        "frames": tf.train.Feature(bytes_list=tf.train.BytesList(value=[clip.tobytes()])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
        "group": tf.train.Feature(bytes_list=tf.train.BytesList(value=[str(group).encode()])),
    }
    return tf.train.Example(features=tf.train.Features(feature=values)).SerializeToString()


def _whole_shards(folder, head):
    """Find the shards that an earlier call has written and that are as listed: file → line."""
    if not (folder / INDEX).exists():
        return {}
    begun, lines, _ = _index(folder)
    if begun != json.loads(json.dumps(head)):
        advice = "give it another folder"
        raise ValueError(f"{folder}: expected the settings {begun}, found {head}: {advice}")
    return {line["file"]: line for line in lines if not _fault(folder / line["file"], line)}


def _fault(path, line):
    """Say what is wrong with a shard, or None."""
    if not path.exists():
        return f"{path.name}: expected a file of {line['bytes']:,} bytes, found none"
    if (size := path.stat().st_size) != line["bytes"]:
        return f"{path.name}: expected {line['bytes']:,} bytes, found {size:,}"
    if (found := _sha256(path)) != line["sha256"]:
        return f"{path.name}: expected SHA-256 {line['sha256'][:12]}…, found {found[:12]}…"
    return None


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _index(folder):
    """Read the index: its settings, the lines of shards, and whether the set is finished."""
    path = Path(folder) / INDEX
    if not path.exists():
        raise ValueError(f"expected shards, found no {INDEX} in {folder}")
    whole = path.read_text(encoding="utf-8").split("\n")[:-1]  # a line cut off is not there yet
    try:
        head, *lines = [json.loads(line) for line in whole]
    except ValueError as error:
        raise ValueError(f"{path}: expected lines of JSON, found others: {error}") from error
    ended = bool(lines) and "shards" in lines[-1]
    return head, lines[:-1] if ended else lines, ended


def _write_index(folder, lines):
    unfinished = folder / f"{INDEX}.part"
    unfinished.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    os.replace(unfinished, folder / INDEX)
