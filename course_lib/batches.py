"""Frames of many lengths → batches `[batch, time, mel]`, padded at the end, with few lengths."""

import itertools

import numpy as np
import pandas as pd
import tensorflow as tf

PADDING = -1_000.0  # log of energy: no frame can hold it, since a float32 energy has a log between -104 and 89
BATCH_SIZE = 32  # clips
N_LENGTHS = 16  # padded lengths, and so programs that XLA compiles, about one second each
GRID = 8  # clips: buckets end at multiples of it, counted from the longest clip
CANDIDATE_CUTS = 512  # places where a bucket may end; bounds the search when there are many clips


def bucketed(frames, labels, *, batch_size=BATCH_SIZE, n_lengths=N_LENGTHS, seed=0, augment=None):
    """Batches of clips of similar length, in a new random order each epoch.

    Args: frames: a sequence of float32 `[frames, mels]`; labels: integers, or a categorical Series whose codes are taken; augment: a
    function (frames, random) → frames, as many or fewer, that changes each clip anew whenever it goes into a batch; random is a
    NumPy generator.
    Returns: a `tf.data.Dataset` of (float32 `[batch, time, mels]` padded at the end with PADDING, int32 `[batch]`); every clip
    once an epoch, the same number of batches each epoch, `n_lengths` padded lengths or fewer; `len()` works; the same seed
    repeats the same epochs.
    Raises: ValueError if a clip has no frames, another number of bands, or a frame that could be taken for padding.
    """
    frames, labels = check(frames), _integers(labels)
    if len(frames) != len(labels):
        raise ValueError(f"expected one label a clip, found {len(frames)} clips and {len(labels)} labels")
    buckets = [
        (pad([frames[clip] for clip in members]), labels[members])
        for members in bucket(lengths(frames), batch_size=batch_size, n_lengths=n_lengths)
    ]
    epoch = itertools.count()
    dataset = tf.data.Dataset.from_generator(
        lambda: _epoch(buckets, batch_size, np.random.default_rng([seed, next(epoch)]), augment),
        output_signature=(
            tf.TensorSpec([None, None, frames[0].shape[1]], tf.float32),
            tf.TensorSpec([None], tf.int32),
        ),
    )
    batches = sum(_batch_count(len(members), batch_size) for _, members in buckets)
    return dataset.apply(tf.data.experimental.assert_cardinality(batches)).prefetch(2)


def bucket(lengths, *, batch_size=BATCH_SIZE, n_lengths=N_LENGTHS):
    """Group clips of similar length, so that `n_lengths` padded lengths waste as little as they can.

    Args: lengths: frames of each clip.
    Returns: a list of integer arrays, the positions of the clips of each bucket, shortest first. Every bucket divides evenly
    into batches of `batch_size` clips or somewhat fewer (the shortest clips take the remainder), so that few shapes occur.
    """
    lengths = np.asarray(lengths)
    order = np.argsort(lengths, kind="stable")
    step = GRID * -(-len(order) // (GRID * CANDIDATE_CUTS))
    ends = np.arange(len(order), 0, -step)[::-1]
    return np.split(order, _best_cuts(np.concatenate([[0], ends]), lengths[order[ends - 1]], batch_size, n_lengths))


def pad(frames, *, length=None):
    """Clips of different lengths in one array, padded at the end with PADDING.

    Returns: float32 `[clips, length, mels]`; `length` is in frames, by default the longest clip's.
    Raises: ValueError if a clip is longer than `length`.
    """
    longest = max(lengths(frames))
    if length is not None and length < longest:
        raise ValueError(f"expected clips of {length} frames or fewer, found one of {longest}")
    padded = np.full([len(frames), length or longest, frames[0].shape[1]], PADDING, np.float32)
    for row, clip in zip(padded, frames):
        row[: len(clip)] = clip
    return padded


def padding_waste(lengths, buckets=None):
    """The share of the padded frames that are padding.

    Args: lengths: frames of each clip; buckets: the positions of the clips that share a padded length, by default what `bucket` gives.
    Returns: a number from 0 to 1.
    """
    lengths = np.asarray(lengths)
    buckets = bucket(lengths) if buckets is None else buckets
    return 1 - lengths.sum() / sum(len(members) * lengths[members].max() for members in buckets)


def lengths(frames):
    """How many frames each clip has.

    Returns: int `[clips]`.
    """
    return np.array([len(clip) for clip in frames])


def check(frames):
    """The clips as a list, if every one of them can be padded.

    Returns: a list of float32 `[frames, mels]`.
    Raises: ValueError that names the first clip that has no frames, another shape, values that are not finite, or a frame of padding.
    """
    frames = [np.asarray(clip, np.float32) for clip in frames]
    if not frames:
        raise ValueError("expected one clip or more, found none")
    bands = frames[0].shape[1] if frames[0].ndim == 2 else "bands"
    for position, clip in enumerate(frames):
        if clip.ndim != 2 or not len(clip) or clip.shape[1] != bands:
            raise ValueError(f"clip {position}: expected frames [1 or more, {bands}], found shape {list(clip.shape)}")
        if not np.isfinite(clip).all():
            raise ValueError(f"clip {position}: expected finite frames, found {int((~np.isfinite(clip)).sum())} values that are not")
        if (clip == PADDING).all(axis=1).any():
            raise ValueError(f"clip {position}: expected no frame of {PADDING}, found one: it would be taken for padding")
    return frames


def _integers(labels):
    if isinstance(getattr(labels, "dtype", None), pd.CategoricalDtype):
        labels = labels.cat.codes
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise ValueError(f"expected labels as integers or a categorical column, found {labels.dtype}")
    if (labels < 0).any():
        raise ValueError(f"clip {np.argmax(labels < 0)}: expected a label of 0 or more, found {labels.min()} (-1 stands for a missing one)")
    return labels.astype(np.int32)


def _epoch(buckets, batch_size, random, augment):
    """The batches of one epoch: clips shuffled within their bucket, then all batches shuffled."""
    batches = [
        (padded, labels, members)
        for padded, labels in buckets
        for members in np.array_split(random.permutation(len(labels)), _batch_count(len(labels), batch_size))
    ]
    for choice in random.permutation(len(batches)):
        padded, labels, members = batches[choice]
        yield padded[members] if augment is None else _augmented(padded[members], augment, random), labels[members]


def _augmented(padded, augment, random):
    """A batch whose clips are changed, each without its padding, and padded again to the same length."""
    counts = (padded != PADDING).any(axis=2).sum(axis=1)
    return pad(check([augment(clip[:count], random) for clip, count in zip(padded, counts)]), length=padded.shape[1])


def _batch_count(clips, batch_size):
    """How many batches a bucket makes: batches of one size if they can be three quarters full, else as few as possible."""
    fewest = -(-clips // batch_size)
    even = [count for count in range(fewest, 2 * fewest + 1) if clips % count == 0 and 4 * clips >= 3 * count * batch_size]
    return even[0] if even else fewest


def _best_cuts(starts, longest, batch_size, n_lengths):
    """Where to cut sorted clips into `n_lengths` pieces so that the padded frames are fewest, by dynamic programming.

    Args: starts: the positions where a piece may start or end, from 0 to the number of clips; longest: frames of the clip before each later one.
    """
    clips = np.maximum(0, starts[None, 1:] - starts[:, None])  # [start, end]
    sizes, which = np.unique(clips, return_inverse=True)
    even = np.array([size > 0 and size % _batch_count(size, batch_size) == 0 for size in sizes])[which.reshape(clips.shape)]
    even[0] = clips[0] > 0  # the first piece takes the remainder
    cost = np.where(even, clips * longest, np.inf)
    best, came_from = cost[0], []
    for _ in range(min(n_lengths, len(longest)) - 1):
        through = np.concatenate([[np.inf], best])[:, None] + cost
        came_from.append(np.where(through.min(axis=0) < best, through.argmin(axis=0), 0))
        best = np.minimum(best, through.min(axis=0))
    cuts, end = [], len(longest)
    for step in reversed(came_from):
        if step[end - 1]:  # 0 where one piece more does not help
            end = step[end - 1]
            cuts.append(starts[end])
    return cuts[::-1]
