"""A sound file on disk → its samples, or an error that says what is wrong with it."""

import re
from pathlib import Path

import numpy as np
import soundfile

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF)  # bytes that a program writes in a WAV header when it streams
OGG_PAGE = 65_307  # bytes: the largest page of an OGG file


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
    if _lacks_last_page(path):
        raise UnreadableSound(f"{path}: expected a last OGG page after {len(samples):,} samples, found none: it was cut short")
    if not len(samples):
        raise UnreadableSound(f"{path}: expected audio, found a header and no samples")
    if not np.isfinite(samples).all():
        first = int(np.flatnonzero(~np.isfinite(samples).all(axis=1))[0])
        raise UnreadableSound(f"{path}: expected finite samples, found {samples[first][~np.isfinite(samples[first])][0]} at sample {first:,}")
    return samples, sample_rate


def _declared_bytes(header_log):
    """What a WAV header declares and what the file holds, in bytes, or None where they agree."""
    found = re.search(r"^data : (\d+) \(should be (\d+)\)", header_log, flags=re.MULTILINE)
    if not found or int(found[1]) in UNKNOWN_SIZES or int(found[1]) <= int(found[2]):
        return None
    return int(found[1]), int(found[2])


def _lacks_last_page(path):
    """Whether an OGG file ends before the page that is marked as its last, which libsndfile does not notice."""
    with path.open("rb") as file:
        if file.read(4) != b"OggS":
            return False
        file.seek(max(0, path.stat().st_size - OGG_PAGE))
        end = file.read()
    page = end[end.rfind(b"OggS") :]
    whole = len(page) > 26 and len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]])
    return not (whole and page[5] & 4)


def _kind(path):
    """A few words for what an undecodable file is."""
    if path.is_dir():
        return "a folder"
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
