"""A sound file of any kind that libsndfile reads → all of its samples, or a sentence why not.

libsndfile guesses the length of some files, and stops early in others without a word. What it
says is checked here against the file itself.
"""

import codecs
import contextlib
import os
import re
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

SUFFIXES = (  # kinds of sound file that are read
    *(".wav", ".flac", ".ogg", ".mp3", ".wave", ".bwf", ".rf64", ".w64", ".oga", ".opus", ".mp2"),
    *(".aif", ".aiff", ".aifc", ".au", ".snd", ".caf"),
)
LOWEST_RATE, HIGHEST_RATE = 1_000, 1_000_000  # hertz: outside, a header is damaged
RATES = f"a sample rate of {LOWEST_RATE:,} to {HIGHEST_RATE:,} Hz"
LOUDEST = 1e10  # of full scale: the energy of more is not finite
PIECE = 1 << 18  # samples of all channels: so many are decoded at once, 1 MB
STREAMED_SIZES = (0x7F000000, 0x7FFFFFFF, 0xFFFFFFFF, 2**63)  # bytes: "unknown" in a header
STREAMED_NEAR = 1 << 16  # bytes: some programs take the header off first
UNKNOWN_LENGTH = 1 << 62  # samples: libsndfile has not been told how many there are
SMALL = 4_096  # bytes: as much as a header
OGG_PAGE = 65_307  # bytes: the largest page of an OGG file
CHUNKED = {  # first bytes: where chunks begin, how a chunk's header is packed, what it is padded to
    b"RIFF": (12, "<4sI", 2),
    b"RIFX": (12, ">4sI", 2),
    b"RF64": (12, "<4sI", 2),
    b"FORM": (12, ">4sI", 2),
    b"caff": (8, ">4sq", 1),
    b"riff": (40, "<4s12xq", 8),
}
JUNK = 1 << 18  # bytes between MPEG frames: with more of them, nobody would find the next
MPEG_SUFFIXES = (".mp3", ".mp2")
MPEG_BITRATES = {  # kilobits a second, by (first version of MPEG, layer)
    (True, 1): range(32, 449, 32),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
BEGINS = {  # what a sound begins with, of which only the first would be decoded
    "FLAC": rb"fLaC[\x00\x80]\x00\x00\x22",
    "OGG": rb"OggS\x00\x02",
    "AU": rb"\.snd\x00\x00\x00",
    "CAF": rb"caff\x00\x01\x00\x00",
    "RF64": rb"RF64\xff\xff\xff\xffWAVE",
    "W64": rb"riff\x2e\x91\xcf\x11",
    "NIST": rb"NIST_1A\n",
}
OTHER_KINDS = {  # what a file begins with, and what it then is
    rb"\x1aE\xdf\xa3": "WebM or Matroska",
    rb"....ftyp": "MP4 or M4A",
    rb"0&\xb2u\x8ef\xcf\x11": "WMA",
    rb"\xff[\xf0\xf1\xf8\xf9]": "AAC",
    rb"#!AMR": "AMR",
    rb"RIFF....AVI ": "AVI",
    rb"wvpk": "WavPack",
    rb"MAC ": "Monkey's Audio",
    rb"MThd": "MIDI",
    rb"PK\x03\x04": "a zip archive",
    rb"\x1f\x8b": "a gzip archive",
    rb"%PDF": "PDF",
    rb"\x89PNG|\xff\xd8\xff|GIF8": "a picture",
}


class UnreadableSound(ValueError):
    """A file that cannot be used as a clip; the message says what was expected and found."""


def pieces(path: str | Path) -> Iterator[tuple[np.ndarray, int]]:
    """Decode a sound file, of any kind that libsndfile reads, piece by piece.

    Yields:
        float32 `[samples, channels]` in units of full scale, and the sample rate in hertz; one
        piece or more, each of a few megabytes.

    Raises:
        UnreadableSound: It is not audio, cut short, empty, in several parts, of an absurd rate, or
            holds numbers that are not finite. The last piece must be asked for to know.
    """
    path, count = Path(path), 0
    with refusals(path):
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would be waited for
            raise OSError
        with path.open("rb") as raw, _opened(raw) as file:
            _check_header(raw, file)
            at_once = max(1, min(PIECE // file.channels, file.frames))
            while len(samples := file.read(at_once, dtype="float32", always_2d=True)):
                _check_samples(samples, count)
                count += len(samples)
                yield samples, file.samplerate
            _check_length(raw, file, count)


def decode(path: str | Path) -> tuple[np.ndarray, int]:
    """Decode a whole sound file, with the errors of `pieces`.

    Returns:
        float32 `[samples, channels]` in units of full scale, and the sample rate in hertz.
    """
    with refusals(path):
        decoded, rates = zip(*pieces(path))
        return np.concatenate(decoded), rates[0]


def length(path: str | Path) -> tuple[int, int]:
    """Count the samples of each channel, and give the sample rate in hertz, as `pieces` does."""
    counts, rates = zip(*((len(samples), rate) for samples, rate in pieces(path)))
    return sum(counts), rates[0]


def text_of(path: str | Path) -> str:
    """Write a path so that it can be printed, even if its bytes are no text."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class _Problem(Exception):
    """What is wrong with a file, in the words that follow "expected"."""


class _Forward(soundfile.SoundFile):
    """A file that is read forward only; else soundfile seeks after each piece, inexact in MP3."""

    def seekable(self):
        return False


class _Given:
    """What libsndfile reads of a file: `head` in place of the bytes before `start`."""

    def __init__(self, raw, head=b"", start=0):
        self.raw, self.head, self.start, self.place = raw, head, start, 0

    def seek(self, offset, whence=os.SEEK_SET):
        end = len(self.head) + _size(self.raw) - self.start
        self.place = max(0, offset + (0, self.place, end)[whence])

    def tell(self):
        return self.place

    def read(self, size):
        found = self.head[self.place : self.place + size]
        behind = max(0, self.place - len(self.head))
        self.raw.seek(self.start + behind)
        found += self.raw.read(size - len(found))
        self.place += len(found)
        return found


@contextlib.contextmanager
def refusals(path):
    """Refuse a file by its name, whatever went wrong with it."""
    try:
        yield
    except UnreadableSound:
        raise
    except Exception as error:  # of libsndfile, the system, memory: other files are still used
        problem = error if isinstance(error, _Problem) else f"audio, found {_kind(path, error)}"
        raise UnreadableSound(f"{text_of(path)}: expected {problem}") from error


def _opened(raw):
    """Open a file for libsndfile, behind another header where its own tells no length."""
    try:
        file = _Forward(_Given(raw))
    except soundfile.LibsndfileError:
        if Path(raw.name).suffix.lower() not in MPEG_SUFFIXES:  # there, other bytes may come first
            raise
        return _Forward(_with_frame_count(raw, 0))
    if file.format == "MP3":
        return _Forward(_with_frame_count(raw, file.frames))
    start, declared = _samples_at(raw)
    if file.format not in ("WAV", "WAVEX") or not start or declared:
        return file
    raw.seek(0)
    head, follows = raw.read(start), raw.read(4)
    if not follows or follows.strip().isalnum():  # no sample, or another chunk
        return file
    order = "little" if head[:4] == b"RIFF" else "big"
    held = min(_size(raw) - start, 2**32 - 1).to_bytes(4, order)
    return _Forward(_Given(raw, head[:-4] + held, start))


def _check_header(raw, file):
    if not LOWEST_RATE <= file.samplerate <= HIGHEST_RATE:
        raise _Problem(f"{RATES}, found {file.samplerate:,}")
    start, declared = _samples_at(raw)
    held = _size(raw) - start
    near = [abs(declared - size) <= STREAMED_NEAR for size in STREAMED_SIZES]
    if declared > held and not any(near):
        raise _Problem(f"{declared:,} bytes of samples, found {held:,}: it was cut short")
    parts = _parts(raw, BEGINS[file.format]) if file.format in BEGINS else 1
    if parts > 1:
        raise _Problem(f"one sound, found {parts} one behind the other: save each by itself")


def _check_samples(samples, before):
    usable = np.abs(samples) <= LOUDEST  # and neither of them is nan
    if not usable.all():
        row, column = np.argwhere(~usable)[0]
        found = f"{samples[row, column]} at sample {before + row:,}"
        raise _Problem(f"finite samples in units of full scale, found {found}")


def _check_length(raw, file, count):
    if file.frames < UNKNOWN_LENGTH and count != file.frames:
        found = f"found {count:,}: it was cut short or is damaged"
        raise _Problem(f"{file.frames:,} samples, {found}")
    if file.format == "OGG" and _lacks_last_page(raw):
        raise _Problem(f"a last OGG page after {count:,} samples, found none: it was cut short")
    if not count and _size(raw) > SMALL:
        raise _Problem(f"audio, found no samples in {_size(raw):,} bytes: the header is damaged")
    if not count:
        raise _Problem("audio, found a header and no samples")


def _samples_at(raw):
    """Where the bytes of samples begin and how many a header declares; 0, 0 if it is not known."""
    raw.seek(0)
    kind = raw.read(4)
    if kind in (b".snd", b"dns."):
        return struct.unpack(">Ii" if kind == b".snd" else "<Ii", raw.read(8))
    place, layout, padding = CHUNKED.get(kind, (0, "", 1))
    declared_apart = 0  # by RF64
    while layout:
        raw.seek(place)
        header = raw.read(struct.calcsize(layout))
        if len(header) < struct.calcsize(layout):
            break
        name, size = struct.unpack(layout, header)
        place += len(header)
        if kind == b"riff":
            size -= len(header)
        if name in (b"data", b"SSND", b"BODY"):
            return place, declared_apart or size
        if name == b"ds64":
            declared_apart = int.from_bytes(raw.read(16)[8:], "little", signed=True)
        if size < 0 or not name.strip(b"\0"):
            break
        place += size + -size % padding
    return 0, 0


def _parts(raw, begins):
    """Count the sounds in a file by what each begins with."""
    found, end = set(), b""
    raw.seek(0)
    while block := raw.read(1 << 20):
        start = raw.tell() - len(block) - len(end)
        found.update(start + match.start() for match in re.finditer(begins, end + block))
        end = block[-16:]
    return len(found)


def _lacks_last_page(raw):
    """Whether an OGG file ends before the page marked as its last, unnoticed by libsndfile."""
    raw.seek(max(0, _size(raw) - OGG_PAGE))
    end = raw.read()
    page = end[end.rfind(b"OggS") :]
    whole = len(page) > 26 and len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]])
    return not (whole and page[5] & 4)


def _with_frame_count(raw, guess):
    """MPEG frames behind one that tells their number, where `guess` (of samples) is wrong."""
    start, count, is_whole = _mpeg_frames(raw)
    if not count:
        return _Given(raw)
    raw.seek(start)
    header = raw.read(4)
    size, samples, _ = _mpeg_frame(header)
    tag = re.match(rb".{5,32}(Xing|Info|VBRI)(....)(....)", raw.read(size - 4), re.DOTALL)
    if tag:
        count -= 1
        declared = int.from_bytes(tag[3], "big") if tag[1] != b"VBRI" and tag[2][3] & 1 else 0
        if declared >= count:  # if it is more, fewer will be found
            return _Given(raw, start=start)
        start += size
    if not is_whole:
        raise _Problem(f"a whole MPEG frame after {count:,} others, found a part: it was cut short")
    bits = int.from_bytes(header, "big")
    is_third_layer = bits >> 17 & 3 == 1
    if guess == count * samples or not is_third_layer:
        return _Given(raw)
    is_mono, is_first_version = bits >> 6 & 3 == 3, bits >> 19 & 1
    side = (17 if is_mono else 32) if is_first_version else (9 if is_mono else 17)
    first = ((bits & ~0xF200) | 0x19000).to_bytes(4, "big")  # no checksum, a size with room
    head = first + bytes(side) + b"Xing" + (1).to_bytes(4, "big") + count.to_bytes(4, "big")
    return _Given(raw, head.ljust(_mpeg_frame(first)[0], b"\0"), start)


def _mpeg_frames(raw):
    """Walk through MPEG frames: where they begin, how many are whole, whether all are."""
    end, place, start, count, junk = _size(raw), 0, 0, 0, 0
    kind, is_in_step = None, False
    while place + 4 <= end and junk < JUNK:
        raw.seek(place)
        header = raw.read(10)
        if header[:3] == b"ID3":
            place += 10 + sum((byte & 127) << 7 * (3 - i) for i, byte in enumerate(header[6:]))
            continue
        size, _, found = _mpeg_frame(header[:4])
        is_frame = size and found == (kind or found)
        if is_frame and not is_in_step and place + size != end:  # two in a row are no chance
            raw.seek(place + size)
            is_frame = _mpeg_frame(raw.read(4))[2] == found
        if not is_frame:
            raw.seek(place + 1)
            skipped = 1 + (raw.read(SMALL) + b"\xff").index(b"\xff")
            place, junk, is_in_step = place + skipped, junk + skipped, False
            continue
        if kind is None:
            start, kind = place, found
        if place + size > end:
            return start, count, False
        place, count, is_in_step = place + size, count + 1, True
    return start, count, True


def _mpeg_frame(header):
    """Bytes and samples of an MPEG frame, and the bits all frames of a sound share; else zeros."""
    bits = int.from_bytes(header, "big")
    version, layer, bitrate = bits >> 19 & 3, 4 - (bits >> 17 & 3), bits >> 12 & 15
    rate, padding = bits >> 10 & 3, bits >> 9 & 1
    if bits >> 21 != 0x7FF or version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return 0, 0, 0
    hertz = (44_100, 48_000, 32_000)[rate] >> {3: 0, 2: 1, 0: 2}[version]
    samples = 384 if layer == 1 else 1152 if version == 3 or layer == 2 else 576
    slot = 4 if layer == 1 else 1  # bytes
    bits_a_second = 1000 * MPEG_BITRATES[version == 3, layer][bitrate - 1]
    size = (samples // 8 // slot * bits_a_second // hertz + padding) * slot
    return size, samples, bits & 0xFFFE0C00


def _size(raw):
    return os.fstat(raw.fileno()).st_size


def _kind(path, error):
    """A few words for what an undecodable file is."""
    if isinstance(error, MemoryError):
        return "more samples than fit into memory"
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            return f"no file that can be read ({'a folder' if stat.S_ISDIR(mode) else 'no file'})"
        with open(path, "rb") as raw:
            head, size = raw.read(SMALL), _size(raw)
    except (OSError, ValueError) as problem:  # no such file, no permission, no possible name
        return f"no file that can be read ({getattr(problem, 'strerror', None) or problem})"
    if not size:
        return "an empty file"
    for begins, kind in OTHER_KINDS.items():
        if re.match(begins, head, re.DOTALL):
            return f"{kind} ({size:,} bytes): convert it to WAV"
    if not head.strip(b"\0"):
        return f"{size:,} bytes, the first {len(head):,} of them zero"
    if _is_text(head):
        return f"{size:,} bytes of text"
    suffix, says = path.suffix or "no suffix", getattr(error, "error_string", type(error).__name__)
    return (
        f"{size:,} bytes that no decoder accepts ({suffix}, damaged, cut short or unknown: {says})"
    )


def _is_text(head):
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return not re.search(r"[^\t\n\f\r -~\x80-\U0010ffff]", text)
