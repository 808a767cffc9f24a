"""Augmentation: each change does to a sound what it says, and leaves what it was given alone."""

from functools import partial

import numpy as np
import pytest

from course_lib import audio, batches
from course_lib.audio import SAMPLE_RATE
from course_lib.extra import augmentation

CHANGES = {
    "warp": partial(augmentation.warp, furthest=1.2),
    "hiss": partial(augmentation.hiss, decibels=(0, 20)),
    "colour": partial(augmentation.colour, decibels=4),
    "crop": partial(augmentation.crop, shortest=3, longest=9),
    "shift": augmentation.shift,
    "mask_bands": partial(augmentation.mask_bands, widest=8),
    "mask_frames": partial(augmentation.mask_frames, widest=5),
}


def changed_by(change, frames, times):
    return [change(frames, np.random.default_rng(seed)) for seed in range(times)]


@pytest.fixture
def hum(tone):
    return lambda hertz: np.float32(tone(hertz=hertz, rate=SAMPLE_RATE))


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("count", [1, 2, 30])
def test_changes_suit_a_batch_and_leave_their_input_alone(clip_frames, name, count):
    [frames], [before] = clip_frames([count]), clip_frames([count])
    changed = changed_by(CHANGES[name], frames, 12)
    assert {(one.dtype.name, one.shape[1]) for one in changed} == {("float32", 40)}
    assert all(1 <= len(one) <= count and np.isfinite(one).all() for one in changed)
    np.testing.assert_array_equal(frames, before)
    np.testing.assert_array_equal(changed[0], changed_by(CHANGES[name], frames, 1)[0])
    assert count < 30 or len({one.tobytes() for one in changed}) > 3


def test_chain_keeps_the_order():
    both = augmentation.chain(lambda frames, _: frames + 1, lambda frames, _: frames * 10)
    np.testing.assert_array_equal(both(np.ones([2, 3]), None), np.full([2, 3], 20))


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.25])
def test_speed_changes_length_and_pitch_together(hum, factor):
    played = augmentation.speed(hum(500), factor)
    assert played.dtype == np.float32 and len(played) == pytest.approx(4_000 / factor, abs=2)
    assert np.abs(np.fft.rfft(played)).argmax() == 250  # periods in half a second, as before


@pytest.mark.parametrize("decibels, length", [(-5, 100), (0, 4_000), (20, 9_000)])
def test_noise_has_the_ratio_that_was_asked_for(hum, decibels, length):
    noise = np.random.default_rng(0).normal(0, 0.3, length)
    added = augmentation.add_noise(hum(500), noise, decibels=decibels) - hum(500)
    ratio = np.mean(hum(500) ** 2) / np.mean(added**2)
    assert 10 * np.log10(ratio) == pytest.approx(decibels, abs=0.01)


def test_silence_has_no_ratio_to_noise():
    for sounds in [np.zeros(9), np.ones(9)], [np.ones(9), np.zeros(9)]:
        with pytest.raises(ValueError, match="expected sound in the waveform and in the noise"):
            augmentation.add_noise(*sounds, decibels=0)


@pytest.mark.parametrize("factor", [0.85, 1.0, 1.2])
def test_a_shorter_tract_moves_a_peak_to_the_factor_of_its_frequency(hum, factor):
    frames = audio.log_mel(hum(1_000))
    moved = augmentation.shorten_tract(frames, factor)
    assert audio.band_centres()[moved[5].argmax()] == pytest.approx(1_000 * factor, rel=0.05)


def test_hiss_has_its_ratio_and_its_share():
    frames, random = np.full([50, 40], -3, np.float32), np.random.default_rng(0)
    noisy = [augmentation.hiss(frames, random, decibels=(10, 10)) for _ in range(400)]
    touched = [one for one in noisy if (one != frames).any()]
    assert 0.4 < len(touched) / len(noisy) < 0.6
    added = [np.median(np.exp(one) - np.exp(frames), axis=0)[20] for one in touched]
    assert 10 * np.log10(np.mean(added) / np.exp(-3)) == pytest.approx(-10, abs=1)


def test_shift_turns_the_clip_round():
    [moved] = changed_by(augmentation.shift, np.arange(9), 1)
    assert sorted(moved) == list(range(9)) and (np.diff(moved) % 9 == 1).all()


@pytest.mark.parametrize("count, lengths", [(4, {4}), (20, {5, 6, 7, 8})])
def test_crop_is_a_piece_of_the_clip(count, lengths):
    frames = np.arange(count, dtype=np.float32)[:, None]
    crop = partial(augmentation.crop, shortest=5, longest=8)
    pieces = [piece[:, 0] for piece in changed_by(crop, frames, 50)]
    assert all((np.diff(piece) == 1).all() for piece in pieces)
    assert {len(piece) for piece in pieces} == lengths
    assert count == 4 or {piece[0] for piece in pieces} >= {0, 5, 10}


def test_colour_is_one_smooth_curve_for_the_whole_clip(clip_frames):
    [frames] = clip_frames([6])
    curves = np.stack(changed_by(CHANGES["colour"], frames, 300)) - frames
    assert np.ptp(curves, axis=1).max() < 1e-5
    heights = curves[:, 0, [0, -1]] * 10 / np.log(10)
    assert (heights.mean(), heights.std()) == pytest.approx((0, 4), abs=0.4)
    assert np.abs(np.diff(curves[:, 0], n=2)).max() < np.ptp(curves[:, 0], axis=1).mean()


@pytest.mark.parametrize("name, axis, widest", [("mask_bands", 0, 8), ("mask_frames", 1, 5)])
def test_masks_hide_neighbours_behind_the_mean(clip_frames, name, axis, widest):
    [frames] = clip_frames([30])
    widths = set()
    for hidden in changed_by(CHANGES[name], frames, 100):
        changed = np.flatnonzero((hidden != frames).all(axis=axis))
        widths.add(len(changed))
        assert (np.diff(changed) == 1).all()
        np.testing.assert_allclose(hidden[hidden != frames], frames.mean(), rtol=1e-5)
    assert widths == set(range(widest + 1))


def test_mixup_adds_energies_and_mixes_labels_alike():
    energies, lengths = np.array([1.0, 2.0, 4.0, 8.0]), np.array([3, 5, 5, 6])
    frames = [np.full([n, 2], np.log(e), np.float32) for n, e in zip(lengths, energies)]
    dataset = batches.bucketed(frames, np.arange(4), batch_size=4, n_lengths=1)
    mixed = augmentation.mixup(dataset, 4, alpha=0.5)
    pairs = [
        pair for _ in range(20) for answer in mixed.as_numpy_iterator() for pair in zip(*answer)
    ]
    for clip, share in pairs:
        shortest, longest = lengths[share > 0].min(), lengths[share > 0].max()
        assert share.sum() == pytest.approx(1) and share.max() >= 0.5 - 1e-6
        assert ((clip == batches.PADDING).all(axis=1) == (np.arange(len(clip)) >= longest)).all()
        np.testing.assert_allclose(np.exp(clip[:shortest]), share @ energies, rtol=1e-3)
    assert sum((share > 0).sum() == 2 for _, share in pairs) > 20


def test_mixup_ends_each_batch_with_its_longest_clip(clip_frames):
    frames, crop = clip_frames([50, 40, 3, 1]), {"augment": lambda frames, _: frames[:45]}
    dataset = batches.bucketed(frames, np.arange(4), n_lengths=1, **crop)
    [(frames, probabilities)] = augmentation.mixup(dataset, 4, alpha=0.4)
    assert frames.shape == (4, 45, 40) and probabilities.shape == (4, 4)
