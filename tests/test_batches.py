"""Batches: every clip once, with its label, in few shapes, padded at the end, with little waste."""

import itertools
import warnings

import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import batches, models
from course_lib.batches import PADDING, bucket, bucketed, pad, padding_waste

few = settings(max_examples=10, deadline=None)
some_lengths = st.lists(st.integers(1, 30), min_size=1, max_size=80)
LENGTHS = np.random.default_rng(1).integers(3, 40, 100)


def numbered(lengths):
    """Clips whose every value is the number of the clip, and these numbers as labels."""
    frames = [np.full([length, 3], clip, np.float32) for clip, length in enumerate(lengths)]
    return frames, np.arange(len(lengths))


def epochs(dataset, count=1):
    return [[(padded.numpy(), labels.numpy()) for padded, labels in dataset] for _ in range(count)]


def order(epoch):
    """The labels of an epoch's clips in their order: what a seed decides."""
    return [labels.tolist() for _, labels in epoch]


@given(lengths=some_lengths, batch_size=st.integers(1, 12), n_lengths=st.integers(1, 5))
@few
def test_every_clip_once_an_epoch_with_its_label(lengths, batch_size, n_lengths):
    dataset = bucketed(*numbered(lengths), batch_size=batch_size, n_lengths=n_lengths)
    for epoch in epochs(dataset, 2):
        assert len(epoch) == len(dataset)
        assert sorted(np.concatenate([labels for _, labels in epoch])) == list(range(len(lengths)))
        assert max(len(labels) for _, labels in epoch) <= batch_size
        assert len({padded.shape[1] for padded, _ in epoch}) <= n_lengths
        for padded, labels in epoch:
            for row, label in zip(padded, labels):
                count = lengths[label]
                assert (row[:count] == label).all() and (row[count:] == PADDING).all()


def test_types_and_the_static_shape():
    frames, labels = bucketed(*numbered([3, 5])).element_spec
    assert (frames.shape.as_list(), frames.dtype.name) == ([None, None, 3], "float32")
    assert (labels.shape.as_list(), labels.dtype.name) == ([None], "int32")


def test_epochs_differ_and_only_the_same_seed_repeats_them():
    runs = [epochs(bucketed(*numbered(LENGTHS), seed=seed), 3) for seed in (1, 1, 2)]
    first, again, other = ([order(epoch) for epoch in run] for run in runs)
    assert first == again
    assert not any(one == two for one, two in itertools.combinations(first + other, 2))


@given(
    lengths=st.lists(st.integers(1, 200), min_size=20, max_size=300),
    batch_size=st.sampled_from([8, 16, 32]),
)
@few
def test_shapes_are_few(lengths, batch_size):
    """One shape for each length, and one more where the shortest clips take the remainder."""
    [epoch] = epochs(bucketed(*numbered(lengths), batch_size=batch_size, n_lengths=4))
    assert len({padded.shape for padded, _ in epoch}) <= 5


def test_clips_of_one_length_are_not_padded():
    [epoch] = epochs(bucketed(*numbered([5] * 70)))
    assert not any((padded == PADDING).any() for padded, _ in epoch)


@given(lengths=some_lengths, batch_size=st.integers(1, 40), n_lengths=st.integers(1, 6))
@few
def test_buckets_hold_every_clip_once_from_short_to_long(lengths, batch_size, n_lengths):
    buckets = bucket(lengths, batch_size=batch_size, n_lengths=n_lengths)
    assert len(buckets) <= n_lengths and all(map(len, buckets))
    clips = np.concatenate(buckets)
    assert sorted(clips) == list(range(len(lengths)))
    assert (np.diff(np.array(lengths)[clips]) >= 0).all()


@given(lengths=st.lists(st.integers(1, 60), min_size=1, max_size=60), n_lengths=st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_buckets_waste_as_little_as_brute_force_finds(lengths, n_lengths):
    """With batches of 8 clips every cut on the grid, counted from the longest, divides evenly."""
    ordered = np.sort(lengths)
    grid = range(len(lengths) - batches.CUT_EVERY, 0, -batches.CUT_EVERY)

    def padded_frames(cuts):
        return sum(len(part) * part[-1] for part in np.split(ordered, sorted(cuts)))

    choices = (cuts for count in range(n_lengths) for cuts in itertools.combinations(grid, count))
    buckets = bucket(lengths, batch_size=8, n_lengths=n_lengths)
    found = sum(len(clips) * np.array(lengths)[clips].max() for clips in buckets)
    assert found == min(map(padded_frames, choices))


@pytest.mark.parametrize(("clips", "count"), [(20, 1), (96 * 3 - 1, 2), (96 * 3, 3), (9_600, 16)])
def test_few_clips_have_few_lengths(clips, count):
    assert len(bucket(np.arange(clips), batch_size=32)) == count


def test_padding_waste_by_hand():
    assert padding_waste([2, 4, 10], [[0, 1], [2]]) == pytest.approx(2 / 18)
    assert padding_waste([2, 4, 10]) == pytest.approx(14 / 30)
    assert padding_waste([5, 5, 5]) == 0


def test_padding_waste_of_the_real_digits(real_digits):
    train = real_digits[real_digits["split"] == "train"]
    frames = 1 + (np.round(train["seconds"] * 8_000).astype(int) - 200) // 80
    assert len(frames) == 2_700 and padding_waste(frames) <= 0.05


def test_pad_by_hand():
    padded = pad([np.ones([1, 2]), np.ones([3, 2])], length=4)
    assert padded[:, :, 0].tolist() == [[1, PADDING, PADDING, PADDING], [1, 1, 1, PADDING]]
    assert padded.shape == (2, 4, 2) and padded.dtype == np.float32
    with pytest.raises(ValueError, match="expected clips of 2 frames or fewer, found one of 3"):
        pad([np.ones([3, 2])], length=2)


GOOD = np.zeros([4, 3], np.float32)
HALF_PADDED = np.concatenate([GOOD, np.full([1, 3], PADDING, np.float32)])
MISSING = pd.Series(["yes", None], dtype="category")


@pytest.mark.parametrize(
    "frames, labels, message",
    [
        ([], [], "expected one clip or more, found none"),
        ([GOOD, GOOD + np.nan], [0, 1], "clip 1: expected finite frames, found 12 values"),
        ([GOOD, GOOD[:0]], [0, 1], r"clip 1: expected frames \[1 or more, 3\], found shape \[0, 3"),
        ([GOOD, GOOD[:, :2]], [0, 1], r"clip 1: expected frames .*, found shape \[4, 2\]"),
        (GOOD, [0, 1, 2, 3], r"clip 0: expected frames \[1 or more, bands\], found shape \[3\]"),
        ([1.0, 2.0], [0, 1], r"clip 0: expected frames .* found shape \[\]"),
        ([GOOD, HALF_PADDED], [0, 1], "clip 1: expected no frame of -1000.0, found one"),
        ([GOOD, GOOD], [0], "expected one label a clip, found 2 clips and 1 labels"),
        ([GOOD], [0.0], "expected labels as integers or a categorical column, found float64"),
        ([GOOD], np.eye(3, dtype=int)[:1], r"expected labels .*, one a clip, found shape \[1, 3\]"),
        (
            [GOOD],
            ["yes"],
            "expected labels as integers or a categorical column, found (str|object)",
        ),
        ([GOOD, GOOD], MISSING, "clip 1: expected a label, found none"),
        ([GOOD, GOOD], [0, None], "clip 1: expected a label, found none"),
        ([GOOD, GOOD], pd.array([0, None], "Int64"), "clip 1: expected a label, found none"),
        ([GOOD, GOOD], [0, -1], "clip 1: expected a label of 0 or more, found -1"),
        ([GOOD, GOOD], [0, 2**32], "clip 1: expected a label of 0 or more, found 4294967296"),
    ],
)
def test_bad_input_is_named(frames, labels, message):
    with pytest.raises(ValueError, match=message):
        bucketed(frames, labels)


def test_band_that_holds_the_padding_value_is_no_padding():
    assert len(batches.check([np.where(np.arange(3) == 0, PADDING, GOOD)])) == 1


NAMES = pd.Categorical(["dog", "cat", "dog", "owl"], categories=["ant", "cat", "dog", "owl"])


@pytest.mark.parametrize(
    "names", [NAMES, pd.Series(NAMES, index=[3, 3, 3, 3]), pd.CategoricalIndex(NAMES)]
)
def test_categorical_labels_give_their_codes_and_their_names(names):
    dataset = bucketed([GOOD] * 4, names)
    [[(_, labels)]] = epochs(dataset)
    assert sorted(labels) == [1, 2, 2, 3]
    assert list(dataset.classes) == ["ant", "cat", "dog", "owl"]


@pytest.mark.parametrize("labels", [[2, 0], np.uint8([2, 0]), pd.Series([2, 0], dtype="Int64")])
def test_integer_labels_stay_as_they_are_and_have_no_names(labels):
    dataset = bucketed([GOOD] * 2, labels)
    assert sorted(epochs(dataset)[0][0][1]) == [0, 2] and dataset.classes is None


def test_keras_trains_several_epochs_without_a_warning():
    frames = [np.zeros([length, 40], np.float32) for length in LENGTHS]
    dataset, model = bucketed(frames, LENGTHS % 3), models.average(3)
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = model.fit(dataset, validation_data=dataset, epochs=3, shuffle=False, verbose=0)
    assert len(history.history["val_loss"]) == 3


def test_augment_changes_each_clip_anew_and_never_its_padding():
    def crop(clip, random):
        assert not (clip == PADDING).any(), "augment was given padding"
        return clip[: random.integers(1, len(clip) + 1)]

    frames, labels = numbered(range(4, 20))
    setting = {"batch_size": 4, "n_lengths": 2}
    [plain] = epochs(bucketed(frames, labels, **setting))
    seen = []
    for epoch in epochs(bucketed(frames, labels, **setting, augment=crop), 2):
        assert sorted(p.shape for p, _ in epoch) == sorted(p.shape for p, _ in plain)
        clips = {label: clip for padded, labels in epoch for clip, label in zip(padded, labels)}
        assert all(set(clip[clip != PADDING]) == {label} for label, clip in clips.items())
        seen.append([(clips[n] != PADDING).any(axis=1).sum() for n in labels])
    assert seen[0] != seen[1] and (np.array(seen) <= np.arange(4, 20)).all()


@pytest.mark.parametrize(
    "augment, message",
    [
        (
            lambda clip, _: np.repeat(clip, 2, axis=0),
            "expected clips of 4 frames or .*, found .* 8",
        ),
        (
            lambda clip, _: clip[:0],
            r"clip 0: expected frames \[1 or more, .*, found shape \[0, 3\]",
        ),
        (lambda clip, _: clip * np.nan, "clip 0: expected finite frames, found 12 values"),
        (lambda clip, _: None, r"clip 0: expected frames .*, found shape \[\]"),
    ],
)
def test_augment_that_spoils_a_clip_is_refused_at_once(augment, message):
    with pytest.raises(ValueError, match=message):
        bucketed([GOOD] * 4, [0] * 4, augment=augment)


def test_augment_that_seldom_makes_a_clip_longer_is_refused():
    def seldom(clip, random):
        return np.repeat(clip, 2, axis=0) if random.random() < 0.1 else clip

    with pytest.raises(Exception, match="expected clips of 4 frames or fewer, found one of 8"):
        list(bucketed([GOOD] * 99, [0] * 99, augment=seldom))
