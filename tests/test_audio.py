"""Sound files, waveforms and log-mel frames, against librosa, tf.signal and arithmetic."""

import re

import librosa
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import audio

SUFFIXES = [suffix[1:] for suffix in audio.SUFFIXES]
NO_SOUND = {b"": "an empty file", b"no sound": "8 bytes of text", b"\xc8" * 99: "99 bytes that no"}


def noise(samples, *, seed=0):
    return np.random.default_rng([seed, samples]).normal(0, 0.1, samples).astype(np.float32)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_every_format_is_decoded_at_its_rate(sound, tone, suffix, rate):
    samples, found = audio.decode(str(sound(f"two words, ήχος.{suffix}", rate=rate)))
    assert (samples.shape, samples.dtype, found) == ((rate // 2, 1), np.float32, rate)
    np.testing.assert_allclose(samples[200:-200, 0], tone(rate=rate)[200:-200], atol=0.05)


@pytest.mark.parametrize("subtype, bits", [("PCM_U8", 7), ("PCM_16", 15), ("PCM_24", 23)])
def test_every_sample_format_is_in_units_of_full_scale(sound, tone, subtype, bits):
    samples, _ = audio.decode(sound(samples=np.stack([tone(), -tone()], 1), subtype=subtype))
    np.testing.assert_allclose(samples[:, 0], tone(), atol=2.0**-bits)
    np.testing.assert_allclose(samples[:, 1], -tone(), atol=2.0**-bits)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_file_that_was_cut_short_is_refused(sound, suffix, share):
    path = sound(f"clip.{suffix}", noise(80_000))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(audio.UnreadableSound, match="expected .*, found .*cut short"):
        audio.decode(path)


@pytest.mark.parametrize("content, found", NO_SOUND.items())
def test_what_is_no_sound_is_refused_with_its_name(tmp_path, content, found):
    path = tmp_path / "clip.wav"
    path.write_bytes(content)
    message = f"^{re.escape(str(path))}: expected audio, found {found}"
    with pytest.raises(audio.UnreadableSound, match=message):
        audio.decode(path)


def test_unusable_samples_are_refused_with_their_place(sound):
    samples = np.zeros([800, 2])
    samples[123, 1] = np.inf
    with pytest.raises(audio.UnreadableSound, match="expected finite .*, found inf at sample 123"):
        audio.decode(sound(samples=samples, subtype="FLOAT"))
    with pytest.raises(audio.UnreadableSound, match="found a header and no samples"):
        audio.decode(sound(samples=np.zeros(0)))
    with pytest.raises(audio.UnreadableSound, match="found no file that can be read"):
        audio.decode("nowhere.wav")


def test_whole_wav_whose_header_was_streamed_is_read(sound):
    path = sound()
    content = path.read_bytes()
    start = content.index(b"data") + 4
    path.write_bytes(content[:start] + b"\xff" * 4 + content[start + 4 :])
    assert len(audio.decode(path)[0]) == 4_000


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
def test_reading_keeps_pitch_level_and_duration(sound, tone, rate):
    waveform = audio.read(sound(samples=tone(rate=rate, seconds=1), rate=rate))
    assert waveform.dtype == np.float32 and abs(len(waveform) - audio.SAMPLE_RATE) <= 1
    assert np.abs(np.fft.rfft(waveform, audio.SAMPLE_RATE)).argmax() == 440
    np.testing.assert_allclose(np.sqrt(2 * np.mean(waveform[400:-400] ** 2)), 0.5, rtol=1e-3)


def test_reading_mixes_channels_and_removes_what_the_lower_rate_cannot_hold(sound, tone):
    high, low = tone(hertz=7_000, rate=44_100), tone(rate=44_100)
    waveform = audio.read(sound(samples=np.stack([high, low], axis=1), rate=44_100))
    np.testing.assert_allclose(waveform[200:-200], tone()[200:-200] / 2, atol=1e-3)


@given(samples=st.integers(0, 3_000))
@settings(max_examples=25, deadline=None)
def test_frame_count_is_that_of_whole_frames(samples):
    assert audio.frame_count(samples) == len(range(0, samples - audio.FRAME_LENGTH + 1, 80))


@pytest.mark.parametrize(
    "waveform, message",
    [
        (np.zeros(199), r"clip 1: expected 200 samples or more \(25 ms\), found 199$"),
        (np.zeros([800, 2]), r"expected a waveform \[samples\], found .* shape \[800, 2\]"),
        (np.full(300, np.nan), "clip 1: expected finite samples, found 300 that are not"),
    ],
)
def test_unusable_waveform_is_refused_with_its_position(waveform, message):
    with pytest.raises(ValueError, match=message):
        audio.log_mels([noise(800), waveform])


@given(lengths=st.lists(st.integers(200, 3_000), max_size=6))
@settings(max_examples=15, deadline=None)
def test_many_clips_give_what_each_gives_alone(lengths):
    waveforms = [noise(length, seed=position) for position, length in enumerate(lengths)]
    waveforms += [noise(8_000)] * (audio.FRAMES_AT_ONCE // 98)  # more than one piece of work
    for frames, waveform in zip(audio.log_mels(iter(waveforms)), waveforms, strict=True):
        np.testing.assert_allclose(frames, audio.log_mel(waveform), atol=1e-5)


@pytest.mark.parametrize(
    "rate, length, step, bands",
    [(8_000, 200, 80, 40), (16_000, 400, 160, 64), (22_050, 512, 441, 40)],
)
def test_log_mel_equals_librosa(rate, length, step, bands):
    fft = 256 if length == 200 else 512
    options = {"sr": rate, "n_mels": bands, "fmin": 20, "fmax": rate / 2, "htk": True, "norm": None}
    energy = librosa.feature.melspectrogram(
        y=np.pad(noise(rate), (fft - length) // 2),
        **options | {"n_fft": fft, "win_length": length, "hop_length": step, "center": False},
    )
    lengths = {"frame_length": length, "frame_step": step}
    frames = audio.log_mel(noise(rate), sample_rate=rate, n_mels=bands, **lengths)
    assert len(frames) == audio.frame_count(rate, **lengths)
    expected = np.log(energy.T[: len(frames)] + audio.LOG_OFFSET)
    np.testing.assert_allclose(frames, expected, atol=2e-3)
    filters = audio.mel_filters(n_mels=bands, sample_rate=rate, fft_length=fft, high=rate / 2)
    np.testing.assert_allclose(filters, librosa.filters.mel(n_fft=fft, **options).T, atol=1e-5)


@pytest.mark.parametrize("samples", [200, 279, 280, 5_000])
def test_log_mel_equals_tensorflow_with_the_same_filters(samples):
    taper = tf.signal.hann_window(200, periodic=True)
    np.testing.assert_allclose(audio.window(), taper, atol=1e-6)
    spectrum = tf.signal.stft(noise(samples), 200, 80, 256, window_fn=lambda *_, dtype: taper)
    expected = tf.math.log(tf.abs(spectrum) ** 2 @ audio.mel_filters() + audio.LOG_OFFSET)
    np.testing.assert_allclose(audio.log_mel(noise(samples)), expected, atol=1e-3)


def test_mel_bands_peak_at_their_centres_and_hold_a_bin():
    loudest = audio.mel_filters(fft_length=8_192).argmax(axis=0) * audio.SAMPLE_RATE / 8_192
    np.testing.assert_allclose(loudest, audio.band_centres(), atol=1)
    with pytest.raises(ValueError, match="a frequency bin in each of 100 bands, found none in"):
        audio.mel_filters(n_mels=100)


def test_gain_adds_twice_its_log_and_silence_is_the_floor():
    louder = audio.log_mel(3 * noise(1_000)) - audio.log_mel(noise(1_000))
    np.testing.assert_allclose(louder, 2 * np.log(3), atol=1e-3)
    np.testing.assert_allclose(audio.log_mel(np.zeros(800)), np.log(audio.LOG_OFFSET), rtol=1e-6)


def test_silence_is_trimmed_at_the_ends_alone():
    frames = np.full([12, 40], -5, np.float32)
    frames[[0, 1, 6, 10, 11]] -= audio.AUDIBLE + 0.1
    frames[2] -= audio.AUDIBLE - 0.1
    np.testing.assert_array_equal(audio.trim_silence(frames), frames[2:10])


def test_subtracting_the_mean_takes_a_microphone_away(clip_frames):
    [frames] = clip_frames([9])
    other = audio.subtract_mean(frames + np.linspace(-3, 3, 40, dtype=np.float32))
    np.testing.assert_allclose(audio.subtract_mean(frames), other, atol=1e-4)
    np.testing.assert_allclose(other.mean(axis=0), audio.TYPICAL_LOG_MEL, atol=1e-4)
