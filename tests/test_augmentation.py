"""Augmentation: each change does to a sound what it says, keeps its shape and its class, and leaves what it was given alone."""

import numpy as np
import pytest

from course_lib import audio, augmentation, batches
from course_lib.audio import SAMPLE_RATE

CHANGES = {
    "warp": lambda frames, random: augmentation.warp(frames, random, furthest=1.2),
    "hiss": lambda frames, random: augmentation.hiss(frames, random, decibels=(0, 20)),
    "colour": lambda frames, random: augmentation.colour(frames, random, decibels=4),
    "crop": lambda frames, random: augmentation.crop(frames, random, shortest=3, longest=9),
    "shift": augmentation.shift,
    "mask_bands": lambda frames, random: augmentation.mask_bands(frames, random, widest=8),
    "mask_frames": lambda frames, random: augmentation.mask_frames(frames, random, widest=5),
}


def hum(hertz, *, seconds=0.5):
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE).astype(np.float32)


def loudest_hertz(waveform):
    return np.abs(np.fft.rfft(waveform)).argmax() * SAMPLE_RATE / len(waveform)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("count", [1, 2, 30])
def test_changes_suit_a_batch_and_leave_their_input_alone(clip_frames, name, count):
    """float32, as many frames or fewer, finite, another result each time unless one frame leaves no choice; the given frames stay."""
    [frames] = clip_frames([count])
    before = frames.copy()
    changed = [CHANGES[name](frames, np.random.default_rng(seed)) for seed in range(12)]
    assert all(one.dtype == np.float32 and one.shape[1] == frames.shape[1] and 1 <= len(one) <= count for one in changed)
    assert all(np.isfinite(one).all() for one in changed)
    np.testing.assert_array_equal(frames, before)
    np.testing.assert_array_equal(changed[0], CHANGES[name](frames, np.random.default_rng(0)))
    if count == 30:
        assert len({one.tobytes() for one in changed}) > 3


def test_changes_are_made_one_after_another():
    both = augmentation.one_after_another(lambda frames, random: frames + 1, lambda frames, random: frames * 10)
    np.testing.assert_array_equal(both(np.ones([2, 3]), None), np.full([2, 3], 20))


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.25])
def test_speed_changes_length_and_pitch_together(factor):
    played = augmentation.speed(hum(500), factor)
    assert played.dtype == np.float32 and len(played) == pytest.approx(4_000 / factor, abs=2)
    assert loudest_hertz(played) == pytest.approx(500 * factor, abs=3)


@pytest.mark.parametrize("decibels", [-5, 0, 20])
@pytest.mark.parametrize("length", [100, 4_000, 9_000])
def test_noise_has_the_ratio_that_was_asked_for(decibels, length):
    noise = np.random.default_rng(0).normal(0, 0.3, length)
    noisy = augmentation.add_noise(hum(500), noise, decibels=decibels)
    added = noisy - hum(500)
    assert 10 * np.log10(np.mean(hum(500) ** 2) / np.mean(added**2)) == pytest.approx(decibels, abs=0.01)


@pytest.mark.parametrize("waveform, noise", [(np.zeros(100), np.ones(100)), (np.ones(100), np.zeros(100))])
def test_silence_has_no_ratio_to_noise(waveform, noise):
    with pytest.raises(ValueError, match="expected sound in the waveform and in the noise, found powers of"):
        augmentation.add_noise(waveform, noise, decibels=0)


@pytest.mark.parametrize("factor", [0.85, 1.0, 1.2])
def test_a_shorter_tract_moves_a_peak_to_the_factor_of_its_frequency(factor):
    moved = augmentation.shorten_tract(audio.log_mel(hum(1_000)), factor)[5]
    assert audio.band_centres()[moved.argmax()] == pytest.approx(1_000 * factor, rel=0.05)


def test_a_tract_of_the_same_length_changes_nothing(clip_frames):
    [frames] = clip_frames([7])
    np.testing.assert_allclose(augmentation.shorten_tract(frames, 1), frames, atol=1e-4)


def test_hiss_has_its_ratio_and_its_share():
    """Over many clips the energy that is added is what was asked for; about the share of the clips get noise."""
    frames, random = np.full([50, 40], -3, np.float32), np.random.default_rng(0)
    noisy = [augmentation.hiss(frames, random, decibels=(10, 10)) for _ in range(400)]
    touched = [one for one in noisy if (one != frames).any()]
    assert 0.4 < len(touched) / len(noisy) < 0.6
    added = np.array([np.median(np.exp(one[:, 20]) - np.exp(frames[:, 20])) for one in touched]) / np.exp(-3)
    assert 10 * np.log10(np.mean(added)) == pytest.approx(-10, abs=1)


@pytest.mark.parametrize("count", [4, 20])
def test_crop_is_a_piece_of_the_clip(count):
    frames = np.arange(count, dtype=np.float32)[:, None] * np.ones(3, np.float32)
    pieces = [augmentation.crop(frames, np.random.default_rng(seed), shortest=5, longest=8)[:, 0] for seed in range(50)]
    assert all((np.diff(piece) == 1).all() for piece in pieces)
    assert {len(piece) for piece in pieces} == ({5, 6, 7, 8} if count == 20 else {4})
    assert {piece[0] for piece in pieces} >= ({0, 5, 10} if count == 20 else {0})


def test_colour_is_one_smooth_curve_for_the_whole_clip(clip_frames):
    """The same in every frame, of the spread that was asked for, without jumps from band to band."""
    [frames] = clip_frames([6])
    curves = [augmentation.colour(frames, np.random.default_rng(seed), decibels=4) - frames for seed in range(300)]
    assert max(np.ptp(curve, axis=0).max() for curve in curves) < 1e-5
    heights = np.array([curve[0, [0, -1]] for curve in curves]) * 10 / np.log(10)
    assert heights.std() == pytest.approx(4, rel=0.1) and abs(heights.mean()) < 0.5
    assert max(np.abs(np.diff(curve[0], n=2)).max() for curve in curves) < np.mean([np.ptp(curve[0]) for curve in curves])


def test_shift_turns_the_clip_round():
    frames = np.arange(9, dtype=np.float32)[:, None]
    moved = augmentation.shift(frames, np.random.default_rng(1))[:, 0]
    assert sorted(moved) == list(range(9)) and (np.diff(moved) % 9 == 1).all()


@pytest.mark.parametrize("name, axis, widest", [("mask_bands", 0, 8), ("mask_frames", 1, 5)])
def test_masks_hide_neighbours_behind_the_mean(clip_frames, name, axis, widest):
    [frames] = clip_frames([30])
    widths = set()
    for seed in range(100):
        hidden = CHANGES[name](frames, np.random.default_rng(seed))
        changed = np.flatnonzero((hidden != frames).all(axis=axis))
        widths.add(len(changed))
        assert (np.diff(changed) == 1).all() and len(changed) == (hidden != frames).any(axis=axis).sum()
        np.testing.assert_allclose(hidden[hidden != frames], frames.mean(), rtol=1e-5)
    assert widths == set(range(widest + 1))


def test_mixup_adds_energies_and_mixes_labels_alike():
    """Clips of one constant energy each: the weights can be read from the mixture, and are those of the labels."""
    energies = np.array([1.0, 2.0, 4.0, 8.0])
    frames = [np.full([length, 2], np.log(energy), np.float32) for length, energy in zip([3, 5, 5, 6], energies)]
    dataset = batches.bucketed(frames, np.arange(4), batch_size=4, n_lengths=1)
    mixed = augmentation.mixup(dataset, 4, alpha=0.5)
    assert len(mixed) == len(dataset)
    seen = 0
    for _ in range(20):
        for padded, probabilities in mixed.as_numpy_iterator():
            np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
            for clip, share in zip(padded, probabilities):
                mine = np.flatnonzero(share)
                count = max(len(frames[number]) for number in mine)
                assert (clip[:count] > batches.PADDING / 2).all() and (clip[count:] == batches.PADDING).all()
                both = min(len(frames[number]) for number in mine)
                np.testing.assert_allclose(np.exp(clip[:both]), share @ energies, rtol=1e-3)
                seen += len(mine) == 2
    assert seen > 20


def test_mixup_ends_each_batch_with_its_longest_clip(clip_frames):
    """What a crop leaves out is not computed."""
    dataset = batches.bucketed(clip_frames([50, 40, 3, 1]), np.arange(4), n_lengths=1, augment=lambda frames, random: frames[:45])
    [(frames, probabilities)] = augmentation.mixup(dataset, 4, alpha=0.4)
    assert frames.shape == (4, 45, 40) and probabilities.shape == (4, 4) and (probabilities.numpy().max(axis=1) >= 0.5 - 1e-6).all()


def test_mix_adds_energies(clip_frames):
    one, other = clip_frames([9]) + clip_frames([9], seed=1)
    np.testing.assert_allclose(np.exp(augmentation.mix(one, other, 0.3)), 0.3 * np.exp(one) + 0.7 * np.exp(other), rtol=1e-5)
