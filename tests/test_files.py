"""Decoding: every odd but usable file is read, every unusable one is refused in words."""

import os
import re

import numpy as np
import pytest

from course_lib.files import UnreadableSound, decode


def refused(path, *, found):
    """Check that a file is refused in a sentence that names it, what was expected and what was found."""
    with pytest.raises(UnreadableSound, match=rf"^{re.escape(str(path))}: expected .*, found {found}"):
        decode(path)


def cut(path, share):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    return path


def with_declared_size(path, size):
    """Write another number of bytes into a WAV header's data chunk."""
    content = bytearray(path.read_bytes())
    start = content.index(b"data") + 4
    content[start : start + 4] = size.to_bytes(4, "little")
    path.write_bytes(content)
    return path


def test_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty.wav"
    path.touch()
    refused(path, found="an empty file")


def test_text_named_wav_is_refused(tmp_path):
    path = tmp_path / "notes.wav"
    path.write_text("not a sound\n")
    refused(path, found=f"{path.stat().st_size} bytes of text")


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3", ""])
def test_random_bytes_are_refused(tmp_path, suffix):
    path = tmp_path / f"random{suffix}"
    path.write_bytes(np.random.default_rng(0).bytes(5_000))
    refused(path, found=rf"5,000 bytes that no decoder accepts \({suffix or 'no suffix'}")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_cut_file_is_refused(sound, suffix, share):
    noise = 0.1 * np.random.default_rng(0).standard_normal(80_000)
    refused(cut(sound(f"clip.{suffix}", noise), share), found=".*cut short")


@pytest.mark.parametrize("suffix", ["wav", "ogg"])
def test_header_without_samples_is_refused(sound, suffix):
    refused(sound(f"clip.{suffix}", np.zeros(0)), found="a header and no samples")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_value_that_is_not_finite_is_refused_with_its_place(sound, value):
    samples = np.zeros([800, 2])
    samples[123, 1] = value
    refused(sound(samples=samples, subtype="FLOAT"), found=f"{value} at sample 123")


def test_missing_file_is_refused(tmp_path):
    refused(tmp_path / "nowhere.wav", found="no such file")


def test_folder_is_refused(tmp_path):
    refused(tmp_path, found="a folder")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_file_without_read_permission_is_refused(sound):
    path = sound()
    path.chmod(0)
    refused(path, found="a file that may not be read")


@pytest.mark.parametrize("size", [0x7FFFFFFF, 0xFFFFFFFF])
def test_complete_wav_with_a_streaming_size_is_read(sound, size):
    path = sound()
    samples, _ = decode(path)
    streamed, _ = decode(with_declared_size(path, size))
    np.testing.assert_array_equal(streamed, samples)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_every_format_is_read_at_its_rate(sound, tone, suffix, rate):
    samples, found = decode(sound(f"clip.{suffix}", rate=rate))
    assert (samples.shape, samples.dtype, found) == ((rate // 2, 1), np.float32, rate)
    np.testing.assert_allclose(samples[200:-200, 0], tone(rate=rate)[200:-200], atol=0.05)


def test_96_khz_is_read(sound):
    samples, rate = decode(sound(rate=96_000))
    assert (len(samples), rate) == (48_000, 96_000)


@pytest.mark.parametrize(
    "subtype, step", [("PCM_U8", 2**-7), ("PCM_16", 2**-15), ("PCM_24", 2**-23), ("PCM_32", 2**-24), ("FLOAT", 2**-24)]
)
def test_every_sample_format_is_in_units_of_full_scale(sound, tone, subtype, step):
    samples, _ = decode(sound(subtype=subtype))
    np.testing.assert_allclose(samples[:, 0], tone(), atol=step)


def test_stereo_keeps_its_channels(sound, tone):
    samples, _ = decode(sound(samples=np.stack([tone(), -tone()], axis=1)))
    np.testing.assert_allclose(samples[:, 0], -samples[:, 1], atol=2**-15)
    assert np.ptp(samples[:, 0]) > 0.9


def test_single_sample_is_read(sound):
    samples, _ = decode(sound(samples=np.array([0.25])))
    assert samples.tolist() == [[0.25]]


def test_digital_silence_is_read(sound):
    samples, _ = decode(sound(samples=np.zeros(800)))
    assert samples.shape == (800, 1) and not samples.any()


def test_ten_minutes_are_read(sound):
    samples, rate = decode(sound(samples=np.zeros(600 * 8_000)))
    assert len(samples) / rate == 600


@pytest.mark.parametrize("name", ["two words.wav", "Größe.flac", "ήχος φωνής.ogg", "音 声.wav"])
def test_any_name_is_read(sound, name):
    assert len(decode(sound(name))[0]) == 4_000


def test_path_may_be_text(sound):
    assert len(decode(str(sound()))[0]) == 4_000
