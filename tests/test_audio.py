"""Waveforms and log-mel frames, against librosa, tf.signal and what arithmetic says."""

import librosa
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import audio

FLOOR = np.log(np.float32(audio.LOG_OFFSET))  # what digital silence gives
any_length = st.integers(audio.FRAME_LENGTH, 3_000)


def noise(samples, *, seed=0):
    return np.random.default_rng([seed, samples]).normal(0, 0.1, samples).astype(np.float32)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 96_000])
def test_reading_keeps_pitch_level_and_duration(sound, tone, rate):
    waveform = audio.read(sound(samples=tone(rate=rate, seconds=1), rate=rate))
    assert waveform.dtype == np.float32 and waveform.ndim == 1
    assert abs(len(waveform) - audio.SAMPLE_RATE) <= 1
    spectrum = np.abs(np.fft.rfft(waveform, audio.SAMPLE_RATE))
    assert spectrum.argmax() == 440
    np.testing.assert_allclose(np.sqrt(2 * np.mean(waveform[400:-400] ** 2)), 0.5, rtol=1e-3)


def test_reading_removes_what_the_lower_rate_cannot_hold(sound, tone):
    waveform = audio.read(sound(samples=tone(hertz=7_000, rate=44_100), rate=44_100))
    assert np.abs(waveform[200:-200]).max() < 1e-3


def test_reading_mixes_channels_to_their_mean(sound, tone):
    waveform = audio.read(sound(samples=np.stack([tone(), 0 * tone()], axis=1)))
    np.testing.assert_allclose(waveform, tone() / 2, atol=2**-15)


def test_reading_at_another_rate(sound):
    assert len(audio.read(sound(), sample_rate=16_000)) == 8_000


@given(samples=any_length)
@settings(max_examples=25, deadline=None)
def test_frame_count_is_what_log_mel_gives(samples):
    frames = audio.log_mel(noise(samples))
    assert frames.shape == (audio.frame_count(samples), audio.N_MELS)
    assert frames.dtype == np.float32


def test_frame_count_of_an_array_and_below_one_frame():
    np.testing.assert_array_equal(audio.frame_count([0, 1, 199, 200, 279, 280, 8_000]), [0, 0, 0, 1, 1, 2, 98])


@pytest.mark.parametrize("samples", [0, 1, 199])
def test_clip_shorter_than_a_frame_is_refused(samples):
    with pytest.raises(ValueError, match=rf"expected 200 samples or more \(25 ms\), found {samples}$"):
        audio.log_mel(np.zeros(samples))


def test_clip_of_one_frame():
    assert audio.log_mel(noise(200)).shape == (1, 40)


@pytest.mark.parametrize("shape", [(), (1, 800), (800, 2)])
def test_waveform_with_other_dimensions_is_refused(shape):
    with pytest.raises(ValueError, match=r"expected a waveform \[samples\], found an array of shape"):
        audio.log_mel(np.zeros(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused_with_the_clip(value):
    broken = noise(800)
    broken[[3, 5]] = value
    with pytest.raises(ValueError, match="clip 1: expected finite samples, found 2 that are not"):
        audio.log_mels([noise(800), broken])


def test_digital_silence_gives_the_floor():
    np.testing.assert_allclose(audio.log_mel(np.zeros(800)), FLOOR, rtol=1e-6)


def test_ten_minutes():
    frames = audio.log_mel(np.tile(noise(8_000), 600))
    assert frames.shape == (audio.frame_count(600 * 8_000), 40)
    np.testing.assert_allclose(frames[-98:], frames[:98], atol=1e-5)


def test_no_clips():
    assert audio.log_mels([]) == []


@given(lengths=st.lists(any_length, min_size=1, max_size=6))
@settings(max_examples=15, deadline=None)
def test_many_clips_give_what_each_gives_alone(lengths):
    waveforms = [noise(length, seed=position) for position, length in enumerate(lengths)]
    together = audio.log_mels(waveforms)
    assert len(together) == len(waveforms)
    for frames, waveform in zip(together, waveforms):
        np.testing.assert_allclose(frames, audio.log_mel(waveform), atol=1e-5)


def test_clips_beyond_one_piece_of_work_give_what_each_gives_alone():
    waveforms = [noise(8_000, seed=seed) for seed in range(60)]
    assert sum(audio.frame_count(len(waveform)) for waveform in waveforms) > audio.FRAMES_AT_ONCE
    for frames, waveform in zip(audio.log_mels(waveforms), waveforms):
        np.testing.assert_allclose(frames, audio.log_mel(waveform), atol=1e-5)


def test_neighbours_in_the_list_change_nothing():
    waveform = noise(1_234)
    between_silence = audio.log_mels([np.zeros(999), waveform, np.zeros(777)])[1]
    between_noise = audio.log_mels([noise(2_001), waveform, 9 * noise(555)])[1]
    np.testing.assert_allclose(between_silence, between_noise, atol=1e-5)


@pytest.mark.parametrize("waveform", [noise(8_000), np.sin(np.arange(4_321) ** 1.4 / 40)], ids=["noise", "sweep"])
def test_log_mel_equals_librosa(waveform):
    energy = librosa.feature.melspectrogram(
        y=np.pad(waveform, 28), sr=8_000, n_fft=256, win_length=200, hop_length=80, center=False,
        n_mels=40, fmin=20, fmax=4_000, htk=True, norm=None,
    )  # fmt: skip
    frames = audio.log_mel(waveform)
    np.testing.assert_allclose(frames, np.log(energy.T[: len(frames)] + audio.LOG_OFFSET), atol=1e-3)


@pytest.mark.parametrize("samples", [200, 279, 280, 5_000])
def test_log_mel_equals_tensorflow_with_the_same_filters(samples):
    spectrum = tf.signal.stft(noise(samples), 200, 80, 256, window_fn=lambda length, dtype: tf.signal.hann_window(length, True, dtype))
    energy = tf.abs(spectrum) ** 2 @ audio.mel_filters()
    np.testing.assert_allclose(audio.log_mel(noise(samples)), tf.math.log(energy + audio.LOG_OFFSET), atol=1e-3)


def test_window_equals_tensorflow():
    np.testing.assert_allclose(audio.window(), tf.signal.hann_window(200, periodic=True), atol=1e-6)


@pytest.mark.parametrize("n_mels, rate, fft_length, high", [(40, 8_000, 256, 4_000), (20, 8_000, 512, 3_000), (64, 16_000, 1_024, 8_000)])
def test_mel_filters_equal_librosa(n_mels, rate, fft_length, high):
    filters = audio.mel_filters(n_mels=n_mels, sample_rate=rate, fft_length=fft_length, high=high)
    reference = librosa.filters.mel(sr=rate, n_fft=fft_length, n_mels=n_mels, fmin=20, fmax=high, htk=True, norm=None)
    np.testing.assert_allclose(filters, reference.T, atol=1e-5)


def test_mel_filters_differ_from_tensorflow_by_the_curve_of_the_mel_scale():
    """TensorFlow's triangles are straight in mel, these are straight in hertz: the same edges, a few hundredths between them."""
    bent = tf.signal.linear_to_mel_weight_matrix(40, 129, 8_000, 20.0, 4_000.0).numpy()
    difference = np.abs(audio.mel_filters() - bent)
    assert 1e-3 < difference.max() < 0.03
    np.testing.assert_array_equal(audio.mel_filters() > 1e-5, bent > 1e-5)


def test_mel_bands_peak_at_their_centres():
    loudest = audio.mel_filters(fft_length=8_192).argmax(axis=0) * audio.SAMPLE_RATE / 8_192
    np.testing.assert_allclose(loudest, audio.band_centres(), atol=1)


def test_band_without_a_bin_is_refused():
    with pytest.raises(ValueError, match="expected a frequency bin in each of 100 bands, found none in band 1"):
        audio.mel_filters(n_mels=100)


@given(gain=st.floats(0.5, 20))
@settings(max_examples=10, deadline=None)
def test_gain_adds_twice_its_log(gain):
    waveform = noise(1_000)
    louder = audio.log_mel(np.float32(gain) * waveform) - audio.log_mel(waveform)
    np.testing.assert_allclose(louder, 2 * np.log(gain), atol=1e-3)


@pytest.mark.parametrize("rate, length, step, bands", [(16_000, 400, 160, 64), (22_050, 512, 441, 40), (8_000, 512, 320, 32)])
def test_log_mels_of_another_rate_equal_librosa(rate, length, step, bands):
    """Frames, bands and edges follow the options: the same energies as librosa's for the same settings."""
    librosa = pytest.importorskip("librosa")
    waveform = np.random.default_rng(0).normal(0, 0.1, rate).astype(np.float32)
    frames = audio.log_mel(waveform, sample_rate=rate, frame_length=length, frame_step=step, n_mels=bands)
    fft_length = 512
    energies = librosa.feature.melspectrogram(
        y=np.pad(waveform, [(fft_length - length) // 2] * 2), sr=rate, n_fft=fft_length, win_length=length, hop_length=step,
        center=False, n_mels=bands, fmin=20, fmax=rate / 2, htk=True, norm=None,
    )  # fmt: skip
    assert frames.shape == (audio.frame_count(rate, frame_length=length, frame_step=step), bands)
    np.testing.assert_allclose(frames, np.log(energies.T[: len(frames)] + audio.LOG_OFFSET), atol=2e-3)


def test_trimmed_leaves_out_the_near_silent_ends_alone(clip_frames):
    """30 dB below the loudest frame is the edge; a pause inside a word stays; what is trimmed once stays so."""
    frames = np.full([12, 40], -5, np.float32)
    frames[[0, 1, 6, 10, 11]] -= audio.AUDIBLE + 0.1
    frames[2] -= audio.AUDIBLE - 0.1
    np.testing.assert_array_equal(audio.trimmed(frames), frames[2:10])
    np.testing.assert_array_equal(audio.trimmed(frames[2:10]), frames[2:10])
    assert len(audio.trimmed(np.full([4, 40], np.log(audio.LOG_OFFSET), np.float32))) == 4


def test_centred_takes_the_level_of_every_band_away(clip_frames):
    [frames] = clip_frames([9])
    other_microphone = frames + np.linspace(-3, 3, 40, dtype=np.float32)
    np.testing.assert_allclose(audio.centred(frames), audio.centred(other_microphone), atol=1e-4)
    np.testing.assert_allclose(audio.centred(frames).mean(axis=0), audio.TYPICAL_LOG_MEL, atol=1e-4)
