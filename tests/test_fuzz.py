"""Damaged sound files: an array or UnreadableSound, nothing else. For more of them: make fuzz."""

import faulthandler
import io
import os

import numpy as np
import pytest
import soundfile

from course_lib import audio, decoding

MUTATIONS = int(os.environ.get("FUZZ", 3_000))
A_HANG = 60  # seconds, of hundredths that a file takes
KINDS = [
    *[("WAV", subtype) for subtype in ("PCM_U8", "PCM_16", "FLOAT", "DOUBLE", "ULAW")],
    *[("WAV", subtype) for subtype in ("IMA_ADPCM", "MS_ADPCM", "GSM610", "G721_32")],
    *[("WAV", "NMS_ADPCM_16"), ("WAVEX", "PCM_24"), ("RF64", "PCM_16"), ("W64", "PCM_16")],
    *[("AIFF", "PCM_16"), ("AIFF", "IMA_ADPCM"), ("AU", "PCM_16"), ("AU", "G721_32")],
    *[("CAF", "PCM_16"), ("CAF", "ALAC_16"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24")],
    *[("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"), ("NIST", "PCM_16")],
]


def whole(kind, subtype, channels):
    """The bytes of a tenth of a second of noise."""
    samples = np.random.default_rng(0).normal(0, 0.1, [1_600, channels])
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format=kind, subtype=subtype)
    return file.getvalue()


def damaged(content, random):
    """Bytes changed, cut out, doubled, cut off or appended, more often near the header."""
    content = bytearray(content)
    for _ in range(random.integers(1, 5)):
        reach = random.choice([64, 512, len(content) + 1])
        place, size = random.integers(min(reach, len(content) + 1)), random.choice([1, 2, 4, 40])
        new = random.choice([0, 0xFF, 0x7F, 0x80, -1])
        new = random.bytes(size) if new < 0 else bytes([new] * size)
        how = random.choice(["changed"] * 5 + ["put in", "cut out", "cut off", "doubled", "behind"])
        if how in ("changed", "put in"):
            content[place : place + size * (how == "changed")] = new
        elif how == "cut out":
            del content[place : place + size]
        elif how == "cut off":
            del content[place:]
        elif how == "doubled":
            content[place:place] = content[place : place + random.integers(2_000)]
        else:
            content += content[: random.integers(2_000)]
    return content


@pytest.mark.parametrize("kind, subtype", KINDS)
def test_damaged_file_is_an_array_or_is_refused(kind, subtype, tmp_path):
    mono = subtype in ("GSM610", "G721_32", "NMS_ADPCM_16")
    contents = [whole(kind, subtype, channels) for channels in (1, 1 if mono else 2)]
    path = tmp_path / f"clip.{kind.lower()}"
    for seed in range(MUTATIONS // len(KINDS)):
        path.write_bytes(damaged(contents[seed % 2], np.random.default_rng(seed)))
        faulthandler.dump_traceback_later(A_HANG, exit=True)
        try:
            waveform = audio.read(path)
            assert waveform.ndim == 1 and len(waveform) < 1_000_000, seed
        except decoding.UnreadableSound as error:
            assert str(error).startswith(f"{path}: expected ") and ", found " in str(error), seed
    faulthandler.cancel_dump_traceback_later()
