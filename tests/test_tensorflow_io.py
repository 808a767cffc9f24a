"""tensorflow-io, where there is one: it decodes in a pipeline what soundfile decodes outside."""

import numpy as np
import pytest
import soundfile
import tensorflow as tf

tfio = pytest.importorskip("tensorflow_io", reason="there is no tensorflow-io for this Python")
DTYPES = {"wav": "int16", "flac": "int16", "ogg": "float32"}


@pytest.fixture
def noisy(sound, tone):
    """A factory of noisy stereo tones in a sound file."""
    noise = np.random.default_rng(0).normal(0, 0.05, [4_000, 2])
    return lambda name: sound(name, np.stack([tone(), tone(hertz=600)], axis=1) + noise)


@pytest.mark.parametrize(
    "suffix, decode, tolerance",
    [
        ("wav", lambda content: tfio.audio.decode_wav(content, dtype=tf.int16), 0),
        ("flac", lambda content: tfio.audio.decode_flac(content, dtype=tf.int16), 0),
        ("ogg", lambda content: tfio.audio.decode_vorbis(content), 1e-6),
    ],
)
def test_decoding_in_a_pipeline_equals_soundfile(noisy, suffix, decode, tolerance):
    path = noisy(f"clip.{suffix}")
    names = tf.data.Dataset.from_tensors(str(path))
    [decoded] = names.map(lambda name: decode(tf.io.read_file(name)))
    expected, _ = soundfile.read(path, dtype=DTYPES[suffix])
    np.testing.assert_allclose(decoded, expected, atol=tolerance, rtol=0)


@pytest.mark.parametrize("suffix, tolerance", [("wav", 0), ("flac", 0), ("ogg", 1e-6)])
def test_slice_of_a_lazy_file_equals_soundfile(noisy, suffix, tolerance):
    path = noisy(f"clip.{suffix}")
    lazy = tfio.audio.AudioIOTensor(str(path))
    assert lazy.shape.numpy().tolist() == [4_000, 2] and lazy.rate.numpy() == 8_000
    expected, _ = soundfile.read(path, start=1_000, stop=3_000, dtype=DTYPES[suffix])
    np.testing.assert_allclose(lazy[1_000:3_000], expected, atol=tolerance, rtol=0)


@pytest.mark.parametrize("masking, axis", [(tfio.audio.time_mask, 0), (tfio.audio.freq_mask, 1)])
def test_mask_zeroes_one_stretch_of_time_or_of_frequency(masking, axis):
    frames = np.random.default_rng(0).uniform(1, 2, [50, 40]).astype(np.float32)
    widths = set()
    for _ in range(20):
        masked = masking(frames, param=10).numpy()
        zero = (masked == 0).all(axis=1 - axis)
        kept, before = (np.compress(~zero, each, axis) for each in (masked, frames))
        np.testing.assert_array_equal(kept, before)
        assert zero.sum() == 0 or np.ptp(np.flatnonzero(zero)) == zero.sum() - 1
        widths.add(int(zero.sum()))
    assert max(widths) <= 10 and len(widths) > 1
