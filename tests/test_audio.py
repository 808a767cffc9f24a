"""Sound files, waveforms and log-mel frames, against librosa, tf.signal and arithmetic."""

import os
import re
import struct
import time
from unittest import mock

import librosa
import numpy as np
import pytest
import soundfile
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import audio, decoding

FORMATS = {"wave": "WAV", "bwf": "WAV", "oga": "OGG", "opus": "OGG", "mp2": "MP3"}
FORMATS |= {"aif": "AIFF", "aifc": "AIFF", "snd": "AU"}
SUFFIXES = [suffix[1:] for suffix in decoding.SUFFIXES]
WAVS = "PCM_U8 PCM_16 PCM_24 PCM_32 FLOAT DOUBLE ULAW ALAW IMA_ADPCM MS_ADPCM GSM610 G721_32"
WAVS = [*WAVS.split(), "NMS_ADPCM_16", "NMS_ADPCM_24", "NMS_ADPCM_32"]
NO_SOUND = {
    b"": "an empty file",
    b"no sound": "8 bytes of text",
    "<p>ήχος</p>".encode(): "15 bytes of text",
    b"\xc8" * 99: "99 bytes that no",
    bytes(1_000): "1,000 bytes, the first 1,000 of them zero",
    b"\x1aE\xdf\xa3" + bytes(99): "WebM or Matroska (103 bytes): convert it to WAV",
    b"\0\0\0 ftypM4A " + bytes(99): "MP4 or M4A (111 bytes): convert it to WAV",
    b"#!AMR\n<" + bytes(99): "AMR (106 bytes)",
}


def kind(suffix):
    """How soundfile writes a file of this suffix."""
    options = {"format": FORMATS.get(suffix, suffix.upper())}
    return options | {"subtype": "OPUS"} if suffix == "opus" else options


def noise(samples, *, seed=0):
    return np.random.default_rng([seed, samples]).normal(0, 0.1, samples).astype(np.float32)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("rate", [8_000, 48_000])
def test_every_format_is_decoded_at_its_rate(sound, tone, suffix, rate):
    path = sound(f"two words, ήχος.{suffix}", rate=rate, **kind(suffix))
    samples, found = decoding.decode(str(path))
    assert decoding.length(path) == (len(samples), rate)
    assert (samples.shape, samples.dtype, found) == ((rate // 2, 1), np.float32, rate)
    inside = slice(1_000, -1_000)
    np.testing.assert_allclose(samples[inside, 0], tone(rate=rate)[inside], atol=0.1)


@pytest.mark.parametrize("subtype, bits", [("PCM_U8", 7), ("PCM_16", 15), ("PCM_24", 23)])
def test_every_sample_format_is_in_units_of_full_scale(sound, tone, subtype, bits):
    samples, _ = decoding.decode(sound(samples=np.stack([tone(), -tone()], 1), subtype=subtype))
    np.testing.assert_allclose(samples[:, 0], tone(), atol=2.0**-bits)
    np.testing.assert_allclose(samples[:, 1], -tone(), atol=2.0**-bits)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_file_that_was_cut_short_is_refused(sound, suffix, share):
    path = sound(f"clip.{suffix}", noise(80_000), **kind(suffix))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(decoding.UnreadableSound, match="expected .*, found .*cut short"):
        decoding.decode(path)


@pytest.mark.parametrize("content, found", NO_SOUND.items())
def test_what_is_no_sound_is_refused_with_its_name(tmp_path, content, found):
    path = tmp_path / "clip.wav"
    path.write_bytes(content)
    message = f"^{re.escape(str(path))}: expected audio, found {re.escape(found)}"
    with pytest.raises(decoding.UnreadableSound, match=message):
        decoding.decode(path)


def test_unusable_samples_are_refused_with_their_place(sound):
    samples = np.zeros([800, 2])
    for value, words in [(np.inf, "inf"), (np.nan, "nan"), (1e30, "1.*e.30")]:
        samples[123, 1] = value
        message = f"expected finite samples.*, found {words} at sample 123"
        with pytest.raises(decoding.UnreadableSound, match=message):
            decoding.decode(sound(samples=samples, subtype="FLOAT"))
    with pytest.raises(decoding.UnreadableSound, match="found a header and no samples"):
        decoding.decode(sound(samples=np.zeros(0)))
    with pytest.raises(decoding.UnreadableSound, match="found no file that can be read"):
        decoding.decode("nowhere.wav")


@pytest.mark.parametrize("subtype", WAVS)
def test_every_wav_is_decoded_whole_and_in_pieces(sound, tone, subtype, monkeypatch):
    path = sound(samples=tone(seconds=2), subtype=subtype)
    whole, _ = decoding.decode(path)
    assert 16_000 <= len(whole) < 16_000 + 1_024  # whole blocks, or frames
    monkeypatch.setattr(decoding, "PIECE", 999)
    pieces = [samples for samples, _ in decoding.pieces(path)]
    assert len(pieces) > 16 and np.array_equal(np.concatenate(pieces), whole)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_pieces_together_are_the_whole(sound, suffix, monkeypatch):
    path = sound(f"clip.{suffix}", np.stack([noise(9_000), noise(9_001)[1:]], 1), **kind(suffix))
    whole, _ = decoding.decode(path)
    monkeypatch.setattr(decoding, "PIECE", 1_000)
    assert np.array_equal(decoding.decode(path)[0], whole) and len(whole) >= 9_000


@pytest.mark.parametrize(
    "size", [0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFF - 36, 0xFFFFFFFE]
)
@pytest.mark.parametrize("begin", [0, 1])
def test_whole_wav_whose_header_was_streamed_is_read(sound, tone, size, begin):
    samples = tone()
    samples[:50] *= begin  # silence looks like no chunk, and so does sound
    path = sound(samples=samples)
    content = path.read_bytes()
    start = content.index(b"data") + 4
    for riff in (size, size + 36, 36):
        riff = struct.pack("<I", riff & 0xFFFFFFFF)
        header = content[:4] + riff + content[8:start] + struct.pack("<I", size)
        path.write_bytes(header + content[start + 4 :])
        np.testing.assert_allclose(decoding.decode(path)[0][:, 0], samples, atol=1e-4)


def test_header_without_samples_is_no_streamed_one(sound):
    path = sound(samples=np.zeros(0))
    path.write_bytes(path.read_bytes() + b"LIST\4\0\0\0INFO")
    with pytest.raises(decoding.UnreadableSound, match="found a header and no samples"):
        decoding.decode(path)


@pytest.mark.parametrize("suffix", ["au", "aiff"])
def test_other_headers_that_were_streamed_are_read(sound, suffix):
    path = sound(f"clip.{suffix}", noise(4_000))
    content = path.read_bytes()
    start = 8 if suffix == "au" else content.index(b"SSND") + 4
    for size in {"au": [0xFFFFFFFF], "aiff": [0x7F000008, 0]}[suffix]:
        path.write_bytes(content[:start] + size.to_bytes(4, "big") + content[start + 4 :])
        assert len(decoding.decode(path)[0]) == 4_000


# What libsndfile would guess, or leave out without a word


def without_tag(content):
    """An MP3 file as a pipe leaves it: without the first frame, which counts the others."""
    size, _, _ = decoding._mpeg_frame(content[:4])
    return content[size:]


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("mode", ["VARIABLE", "CONSTANT"])
@pytest.mark.parametrize("quiet", [slice(0), slice(30_000), slice(30_000, None)])
def test_piped_mp3_is_decoded_whole(sound, rate, channels, mode, quiet):
    samples = np.stack([noise(60_000)] * channels, axis=1)
    samples[quiet] = 0
    path = sound("clip.mp3", samples, rate, bitrate_mode=mode, compression_level=0.3)
    tagged, _ = decoding.decode(path)
    assert len(tagged) == 60_000
    content = without_tag(path.read_bytes())
    tag = b"ID3\3\0\0\0\0\1\0" + bytes(128)
    for change in (b"", tag, tag + tag, bytes(700)):
        path.write_bytes(change + content + b"TAG" + bytes(125))
        piped, _ = decoding.decode(path)
        assert 60_000 <= len(piped) < 60_000 + 3 * 1_152
        delay = int(np.abs(np.correlate(piped[:40_000, 0], tagged[31_000:33_000, 0])).argmax())
        if quiet == slice(0):  # the same sound, later by what the coder adds
            behind = piped[delay : delay + 2_000, 0]
            np.testing.assert_allclose(behind, tagged[31_000:33_000, 0], atol=1e-3)
    path.write_bytes(content[:-5])
    with pytest.raises(
        decoding.UnreadableSound, match="a whole MPEG frame after .*: it was cut short"
    ):
        decoding.decode(path)


@pytest.mark.parametrize("bits", [0xFFFD8000, 0xFFFDA400, 0xFFF58400, 0xFFFF8000])
def test_first_two_mpeg_layers_are_decoded_whole(tmp_path, bits):
    header = bits.to_bytes(4, "big")
    size, samples, _ = decoding._mpeg_frame(header)
    path = tmp_path / "silence.mp2"
    path.write_bytes(50 * header.ljust(size, b"\0"))
    assert decoding.length(path)[0] == 50 * samples


@pytest.mark.parametrize("junk", [b"\xff", b"\0", b"\xff\xfb", b"\xff\xfb\x10"])
def test_no_mp3_is_refused_at_once(tmp_path, junk):
    path = tmp_path / "junk.mp3"
    path.write_bytes(junk * 5_000_000)
    before = time.process_time()
    with pytest.raises(decoding.UnreadableSound):
        audio.read(path)
    assert time.process_time() - before < 10


def test_mp3s_one_behind_the_other_are_decoded_whole(sound):
    path = sound("clip.mp3", noise(20_000))
    path.write_bytes(2 * path.read_bytes())
    assert 40_000 <= decoding.length(path)[0] < 44_000


@pytest.mark.parametrize("suffix", [each for each in SUFFIXES if each not in ("mp3", "mp2")])
def test_other_sounds_one_behind_the_other_are_refused(sound, suffix):
    path = sound(f"clip.{suffix}", noise(20_000), **kind(suffix))
    path.write_bytes(path.read_bytes() + sound("other", noise(8_000), **kind(suffix)).read_bytes())
    with pytest.raises(decoding.UnreadableSound, match="clip.*found (2 one behind|.* no decoder)"):
        decoding.decode(path)


def test_flac_of_unknown_length_is_read_and_of_a_false_one_refused(sound):
    path = sound("clip.flac", noise(20_000))
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert len(decoding.decode(path)[0]) == 20_000
    content[21] |= 0x04  # 2 to the 34
    path.write_bytes(content)
    with pytest.raises(
        decoding.UnreadableSound, match="expected 17,179,869,184 samples, found 20,000"
    ):
        decoding.decode(path)


@pytest.mark.parametrize("rate", [1, 999, 2_000_000_000])
def test_absurd_rate_is_refused(sound, rate):
    path = sound()
    content = path.read_bytes()
    path.write_bytes(content[:24] + struct.pack("<I", rate) + content[28:])
    with pytest.raises(decoding.UnreadableSound, match=f"1,000 to 1,000,000 Hz, found {rate:,}"):
        audio.read(path)
    with pytest.raises(ValueError, match=f"1,000 to 1,000,000 Hz, found {rate:,}"):
        audio.read(sound(), sample_rate=rate)


def test_what_is_no_regular_file_is_refused(tmp_path, sound, monkeypatch):
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    names = ["pipe.wav", "folder.wav", "loop.wav", "a" * 300 + ".wav", "nul\0.wav", "a/" * 3_000]
    for name in names:
        for function in (decoding.decode, audio.read, decoding.length):
            with pytest.raises(
                decoding.UnreadableSound, match="expected audio, found no file that can"
            ):
                function(tmp_path / name)
    path = sound()
    monkeypatch.setattr(soundfile.SoundFile, "read", mock.Mock(side_effect=MemoryError))
    with pytest.raises(decoding.UnreadableSound, match="found more samples than fit into memory"):
        audio.read(path)


def test_name_that_is_no_text_can_be_read_and_printed(tmp_path, sound):
    path = sound().rename(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9t\xe9.wav"))
    assert len(audio.read(path)) == 4_000
    path.write_bytes(b"no sound")
    with pytest.raises(decoding.UnreadableSound) as refused:
        audio.read(path)
    assert "\\xe9t\\xe9.wav: expected audio, found 8 bytes" in str(refused.value).encode().decode()


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
        (np.full(300, 1e30), r"expected samples in units of full scale, found 1e\+30"),
        (np.zeros(300, np.int16), "expected float samples in units of full scale, found int16"),
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
