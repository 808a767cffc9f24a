"""A sound file on disk → its samples, or an error that says what is wrong with it."""

import re
from pathlib import Path

import numpy as np
import soundfile

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF)  # bytes that a program writes in a WAV header when it streams


class UnreadableSound(ValueError):
    """A file that cannot be used as a clip; the message names it, what was expected and what was found."""


def decode(path):
    """Decode a whole sound file (WAV, FLAC, OGG or MP3).

    Returns: float32 `[samples, channels]` in units of full scale, and the sample rate in hertz.
    Raises: UnreadableSound if the file is not audio, cut short, empty or holds values that are not finite numbers.
    Source: libsndfile, through the package soundfile.
    """
    path = Path(path)
    try:
        with soundfile.SoundFile(path) as file:
            promised, declared = file.frames, _declared_bytes(file.extra_info)
            samples, sample_rate = file.read(dtype="float32", always_2d=True), file.samplerate
    except (soundfile.LibsndfileError, OSError) as error:
        raise UnreadableSound(f"{path}: expected audio, found {_kind(path)}") from error
    if declared:
        raise UnreadableSound(f"{path}: expected {declared[0]:,} bytes of samples, found {declared[1]:,}: it was cut short")
    if len(samples) != promised:
        raise UnreadableSound(f"{path}: expected {promised:,} samples, found {len(samples):,}: it was cut short")
    if not len(samples):
        raise UnreadableSound(f"{path}: expected audio, found a header and no samples")
    if not np.isfinite(samples).all():
        first = int(np.flatnonzero(~np.isfinite(samples).all(axis=1))[0])
        raise UnreadableSound(f"{path}: expected finite samples, found {samples[first].max()} at sample {first:,}")
    return samples, sample_rate


def _declared_bytes(header_log):
    """What a WAV header declares and what the file holds, in bytes, or None where they agree."""
    found = re.search(r"^data : (\d+) \(should be (\d+)\)", header_log, flags=re.MULTILINE)
    if not found or int(found[1]) in UNKNOWN_SIZES or int(found[1]) <= int(found[2]):
        return None
    return int(found[1]), int(found[2])


def _kind(path):
    """A few words for what an undecodable file is."""
    if not path.is_file():
        return "no such file"
    try:
        size, start = path.stat().st_size, path.open("rb").read(512)
    except OSError as error:
        return f"a file that may not be read ({error.strerror})"
    if not size:
        return "an empty file"
    try:
        start.decode("ascii")
        return f"{size:,} bytes of text"
    except UnicodeDecodeError:
        return f"{size:,} bytes that no decoder accepts ({path.suffix or 'no suffix'}, damaged or cut short)"
