"""Frames of many lengths → batches `[batch, time, mel]`, padded at the end, with few lengths."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import tensorflow as tf

PADDING = -1_000.0  # log of energy: no frame holds it, the log of a float32 is -104 to 89
BATCH_SIZE = 32  # clips
N_LENGTHS = 16  # padded lengths at most: on the digits, 5 % of the frames are padding
FEWEST = 3  # batches of each length on average: with fewer, the same clips meet each epoch
CUT_EVERY = 8  # clips: between two places where a bucket may end, so that batches come out even
MOST_CUTS = 512  # places where a bucket may end: the search looks at each pair of them


def bucketed(
    frames: Sequence[np.ndarray],
    labels: Sequence[int] | pd.Series | pd.Categorical,
    *,
    batch_size: int = BATCH_SIZE,
    n_lengths: int | None = None,
    seed: int = 0,
    augment: Callable | None = None,
) -> tf.data.Dataset:
    """Make batches of clips of similar length, in a new random order each epoch.

    Args:
        frames: float32 `[frames, mels]` for each clip.
        labels: integers, or a categorical column, whose codes are taken.
        batch_size, n_lengths: the most clips in a batch, and the most padded lengths (see
            `bucket`).
        seed: the same seed repeats the same epochs.
        augment: (frames, random generator) → frames, no more; changes a clip at each use.

    Returns:
        Pairs of float32 `[batch, time, mels]`, padded at the end with PADDING, and int32
        `[batch]`; every clip once an epoch, the same number of batches each epoch (`len`).
        Its attribute `classes` has the names of a categorical column, by code; else it is None.
    """
    frames, names = check(frames), categories(labels)
    if len(frames) != len(labels):
        found = f"{len(frames)} clips and {len(labels)} labels"
        raise ValueError(f"expected one label a clip, found {found}")
    labels = codes(labels)
    buckets = bucket(lengths(frames), batch_size=batch_size, n_lengths=n_lengths)
    epoch = itertools.count()

    def changed(clips, length, random):
        if augment is not None:
            clips = check([augment(clip, random) for clip in clips])
        return pad(clips, length=length)

    def one_epoch():
        random = np.random.default_rng([seed, next(epoch)])
        for members, length in _shuffled(buckets, lengths(frames), batch_size, random):
            yield changed([frames[clip] for clip in members], length, random), labels[members]

    # What is wrong with `augment` is said here in a line, from within TensorFlow in thirty.
    changed(frames[:1], len(frames[0]), np.random.default_rng(seed))
    bands = frames[0].shape[1]
    signature = tf.TensorSpec([None, None, bands]), tf.TensorSpec([None], tf.int32)
    dataset = tf.data.Dataset.from_generator(one_epoch, output_signature=signature)
    count = sum(_batch_count(len(members), batch_size) for members in buckets)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(count)).prefetch(2)
    dataset.classes = names
    return dataset


def bucket(
    lengths: Sequence[int], *, batch_size: int = BATCH_SIZE, n_lengths: int | None = None
) -> list[np.ndarray]:
    """Group clips of similar length in `n_lengths` buckets, so that padding them wastes least.

    By default there are N_LENGTHS buckets, or so many that each has FEWEST batches on average.
    The clips are sorted by length and cut into buckets. Cuts lie on a grid, CUT_EVERY clips apart
    and counted from the longest clip (wider apart if there are many clips): so buckets can divide
    evenly into batches, and the search stays small.

    Returns:
        The positions of the clips of each bucket, shortest clips first; only the first bucket may
        divide unevenly into batches of `batch_size` clips or somewhat fewer.
    """
    lengths = np.asarray(lengths)
    order = np.argsort(lengths, kind="stable")
    n_lengths = n_lengths or max(1, min(N_LENGTHS, len(order) // (FEWEST * batch_size)))
    grid = CUT_EVERY * -(-len(order) // (CUT_EVERY * MOST_CUTS))
    cuts = np.append(np.arange(len(order), 0, -grid), 0)[::-1]  # clips before each place to cut
    return np.split(order, _best_cuts(cuts, lengths[order[cuts - 1]], batch_size, n_lengths))


def pad(frames: Sequence[np.ndarray], *, length: int | None = None) -> np.ndarray:
    """Pad clips at the end: float32 `[clips, length, mels]`, as long as the longest by default."""
    longest = max(lengths(frames))
    if length is not None and length < longest:
        raise ValueError(f"expected clips of {length} frames or fewer, found one of {longest}")
    padded = np.full([len(frames), length or longest, frames[0].shape[1]], PADDING, np.float32)
    for row, clip in zip(padded, frames):
        row[: len(clip)] = clip
    return padded


def padding_waste(lengths: Sequence[int], buckets: Sequence[Sequence[int]] | None = None) -> float:
    """Compute which share of the padded frames is padding, 0 to 1, in the buckets of `bucket`."""
    lengths = np.asarray(lengths)
    buckets = bucket(lengths) if buckets is None else buckets
    return 1 - lengths.sum() / sum(len(clips) * lengths[clips].max() for clips in buckets)


def lengths(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Count the frames of each clip: int `[clips]`."""
    return np.array([len(clip) for clip in frames])


def check(frames: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the clips as a list of float32 `[frames, mels]`, or name one that cannot be padded."""
    frames = [np.asarray(clip, np.float32) for clip in frames]
    if not frames:
        raise ValueError("expected one clip or more, found none")
    bands = frames[0].shape[1] if frames[0].ndim == 2 else "bands"
    for position, clip in enumerate(frames):
        if clip.ndim != 2 or not len(clip) or clip.shape[1] != bands:
            expected, found = f"frames [1 or more, {bands}]", f"shape {list(clip.shape)}"
        elif not np.isfinite(clip).all():
            bad = int((~np.isfinite(clip)).sum())
            expected, found = "finite frames", f"{bad} values that are not"
        elif (clip == PADDING).all(axis=1).any():
            expected, found = f"no frame of {PADDING}", "one: it would be taken for padding"
        else:
            continue
        raise ValueError(f"clip {position}: expected {expected}, found {found}")
    return frames


def categories(labels: Sequence) -> tuple | None:
    """Return the names of a categorical column, in the order of its codes; None for other labels.

    The names are those of the whole column, whether a clip has them or not.
    """
    if isinstance(getattr(labels, "dtype", None), pd.CategoricalDtype):
        return tuple(labels.dtype.categories)
    return None


def codes(labels: Sequence[int] | pd.Series | pd.Categorical) -> np.ndarray:
    """Return integers, or the codes of a categorical column, as int32 `[clips]`.

    Raises:
        ValueError: A label is missing, negative, or no integer; names the clip by its position.
    """
    if np.ndim(labels) != 1:
        expected = "labels as integers or a categorical column, one a clip"
        raise ValueError(f"expected {expected}, found shape {list(np.shape(labels))}")
    column = pd.Series(labels)
    if column.isna().any():
        raise ValueError(f"clip {column.isna().argmax()}: expected a label, found none")
    if categories(column) is not None:
        column = column.cat.codes
    if column.dtype.kind not in "iu":
        expected = "labels as integers or a categorical column"
        raise ValueError(f"expected {expected}, found {column.dtype}")
    labels = column.to_numpy(np.int64)
    outside = (labels < 0) | (labels > np.iinfo(np.int32).max)
    if outside.any():
        position = outside.argmax()
        raise ValueError(
            f"clip {position}: expected a label of 0 or more, found {labels[position]}"
        )
    return labels.astype(np.int32)


def _shuffled(buckets, lengths, batch_size, random):
    """Give the batches of an epoch, members and length: shuffled in each bucket, then in all."""
    batches = []
    for members in buckets:
        shuffled, count = random.permutation(members), _batch_count(len(members), batch_size)
        length = lengths[members].max()
        batches += [(batch, length) for batch in np.array_split(shuffled, count)]
    return [batches[choice] for choice in random.permutation(len(batches))]


def _batch_count(clips, batch_size):
    """Count a bucket's batches: of one size if they can be 3/4 full, else as few as possible."""
    fewest = -(-clips // batch_size)
    for count in range(fewest, 2 * fewest + 1):
        if clips % count == 0 and 4 * clips >= 3 * count * batch_size:
            return count
    return fewest


def _best_cuts(cuts, longest, batch_size, n_lengths):
    """Choose the cuts between buckets by dynamic programming, so that padded frames are fewest.

    The fewest padded frames for the clips before cut `end`, in k + 1 buckets or fewer, are the
    least over all `start` of: the fewest for those before `start` in k, plus the last bucket's.

    Args:
        cuts: clips before each place where a bucket may start or end, from 0 to all of them.
        longest: frames of the clip just before each cut, the longest of a bucket that ends there.
    """
    clips = np.maximum(0, cuts[None, :] - cuts[:, None])  # of a bucket, [start, end]
    sizes, which = np.unique(clips, return_inverse=True)
    even = np.array([size > 0 and size % _batch_count(size, batch_size) == 0 for size in sizes])
    allowed = even[which.reshape(clips.shape)]
    allowed[0] = clips[0] > 0  # the shortest clips take the remainder
    padded_frames = np.where(allowed, clips * longest, np.inf)
    fewest, starts = padded_frames[0], []  # with one bucket: [end]; where the last bucket starts
    for _ in range(min(n_lengths, len(cuts) - 1) - 1):
        with_one_more = fewest[:, None] + padded_frames
        better = with_one_more.min(axis=0) < fewest
        starts.append(np.where(better, with_one_more.argmin(axis=0), 0))
        fewest = np.minimum(fewest, with_one_more.min(axis=0))
    chosen, end = [], len(cuts) - 1
    for start in reversed(starts):
        if start[end]:  # 0: one bucket more does not help
            end = start[end]
            chosen.append(cuts[end])
    return chosen[::-1]
