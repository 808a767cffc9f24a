"""A sound file on disk → its waveform → its log-mel frames."""

import codecs
import contextlib
import functools
import os
import re
import stat
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
from scipy import fft

SUFFIXES = (  # kinds of sound file that are read
    *(".wav", ".flac", ".ogg", ".mp3", ".wave", ".bwf", ".rf64", ".w64", ".oga", ".opus", ".mp2"),
    *(".aif", ".aiff", ".aifc", ".au", ".snd", ".caf"),
)
SAMPLE_RATE = 8_000  # hertz: telephone quality, enough for speech
LOWEST_RATE, HIGHEST_RATE = 1_000, 1_000_000  # hertz: outside, a header is damaged
RATES = f"a sample rate of {LOWEST_RATE:,} to {HIGHEST_RATE:,} Hz"
FRAME_LENGTH = 200  # samples: 25 ms
FRAME_STEP = 80  # samples: 10 ms
FFT_LENGTH = 256  # samples: a frame and 56 zeros, bins of 31.25 Hz
N_MELS = 40  # bands
MEL_LOW, MEL_HIGH = 20, 4_000  # hertz: edges of the lowest and the highest band
LOG_OFFSET = 1e-6  # mel energy: what digital silence counts as, so that its logarithm is -13.8
TYPICAL_LOG_MEL = -5.0  # natural log of mel energy: the middle of speech
AUDIBLE = 9.0  # natural log of energy, 39 dB: frames so far below the loudest are near-silent
LOUDEST = 1e10  # of full scale: the energy of more is not finite
FRAMES_AT_ONCE = 4_096  # frames: one piece of work, about 4 MB
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
    with _refusals(path):
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
    with _refusals(path):
        decoded, rates = zip(*pieces(path))
        return np.concatenate(decoded), rates[0]


def length(path: str | Path) -> tuple[int, int]:
    """Count the samples of each channel, and give the sample rate in hertz, as `pieces` does."""
    counts, rates = zip(*((len(samples), rate) for samples, rate in pieces(path)))
    return sum(counts), rates[0]


def read(path: str | Path, *, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Read a clip as mono float32 `[samples]` in units of full scale, resampled by libsoxr."""
    if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        raise ValueError(f"expected {RATES}, found {sample_rate:,}")
    with _refusals(path):
        decoded, rates = zip(*((samples.mean(axis=1), rate) for samples, rate in pieces(path)))
        waveform = np.concatenate(decoded)
        if rates[0] != sample_rate:
            waveform = soxr.resample(waveform, rates[0], sample_rate)
        return waveform


def text_of(path: str | Path) -> str:
    """Write a path so that it can be printed, even if its bytes are no text."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def frame_count(samples, *, frame_length: int = FRAME_LENGTH, frame_step: int = FRAME_STEP):
    """Count the whole frames in a waveform of `samples` samples (a number, or an array)."""
    return np.maximum(0, 1 + (np.asarray(samples) - frame_length) // frame_step)


def window(frame_length: int = FRAME_LENGTH) -> np.ndarray:
    """Make the periodic Hann window that frames are multiplied by: float32 `[frame_length]`."""
    turn = 2 * np.pi * np.arange(frame_length) / frame_length
    return (0.5 - 0.5 * np.cos(turn)).astype(np.float32)


def mel_filters(
    *,
    n_mels: int = N_MELS,
    sample_rate: int = SAMPLE_RATE,
    fft_length: int = FFT_LENGTH,
    low: float = MEL_LOW,
    high: float = MEL_HIGH,
) -> np.ndarray:
    """Make triangular filters, evenly spaced on the mel scale, each with a peak of 1.

    Returns:
        float32 `[fft_length // 2 + 1, n_mels]`, the weight of each frequency bin in each band.

    Raises:
        ValueError: A band is so narrow that no bin falls into it.

    Source:
        mel = 2595 log10(1 + hertz / 700), O'Shaughnessy 1987; straight in hertz, as in librosa.
    """
    edges = _band_edges(n_mels, low, high)
    bins = np.arange(fft_length // 2 + 1) * sample_rate / fft_length
    rising = (bins[:, None] - edges[:-2]) / np.diff(edges[:-1])
    falling = (edges[2:] - bins[:, None]) / np.diff(edges[1:])
    filters = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    empty = np.flatnonzero(~filters.any(axis=0))
    if len(empty):
        expected = f"expected a frequency bin in each of {n_mels} bands"
        advice = "use fewer bands or a longer FFT"
        raise ValueError(f"{expected}, found none in band {empty[0]}: {advice}")
    return filters


def band_centres(n_mels: int = N_MELS, *, high: float = MEL_HIGH) -> np.ndarray:
    """Find where each mel band is most sensitive: float64 `[n_mels]` in hertz, up to `high`."""
    return _band_edges(n_mels, MEL_LOW, high)[1:-1]


def log_mel(
    waveform: np.ndarray,
    *,
    sample_rate: int = SAMPLE_RATE,
    frame_length: int = FRAME_LENGTH,
    frame_step: int = FRAME_STEP,
    n_mels: int = N_MELS,
) -> np.ndarray:
    """Compute the log-mel frames of one waveform `[samples]`.

    sample_rate is in hertz, frame_length and frame_step in samples; the bands end at half the
    sample rate.

    Returns:
        float32 `[frames, n_mels]`: natural log of mel energy, where frames is
        1 + (samples - frame_length) // frame_step.

    Raises:
        ValueError: The waveform is not one-dimensional, shorter than a frame, or not finite.
    """
    waveform = _checked(waveform, frame_length, sample_rate)
    every = np.lib.stride_tricks.sliding_window_view(waveform, frame_length)[::frame_step]
    fft_length = 1 << (frame_length - 1).bit_length()  # the next power of two
    filters, taper = _filters(n_mels, sample_rate, fft_length), window(frame_length)
    mels = np.empty((len(every), n_mels), np.float32)
    for begin in range(0, len(every), FRAMES_AT_ONCE):
        rows = slice(begin, begin + FRAMES_AT_ONCE)
        spectrum = fft.rfft(every[rows] * taper, fft_length)
        mels[rows] = np.log((spectrum.real**2 + spectrum.imag**2) @ filters + LOG_OFFSET)
    return mels


def log_mels(waveforms: Iterable[np.ndarray], **options: int) -> list[np.ndarray]:
    """Compute the log-mel frames of each waveform in turn, with the options of `log_mel`.

    Of a generator, such as `audio.read(path) for path in paths`, one waveform at a time is in
    memory. An error names the position of its clip.
    """
    frames = []
    for position, waveform in enumerate(waveforms):
        try:
            frames.append(log_mel(waveform, **options))
        except ValueError as error:
            raise ValueError(f"clip {position}: {error}") from error
    return frames


def trim_silence(frames: np.ndarray, *, below: float = AUDIBLE) -> np.ndarray:
    """Leave out the near-silent frames at both ends of `[frames, mels]`; one or more stay.

    Near-silent is more than `below` (natural log of energy) under the loudest frame.
    """
    energy = np.log(np.exp(frames).sum(axis=1))
    audible = np.flatnonzero(energy >= energy.max() - below)
    return frames[audible[0] : audible[-1] + 1]


def subtract_mean(frames: np.ndarray) -> np.ndarray:
    """Shift each band of `[frames, mels]` to a mean of TYPICAL_LOG_MEL over the clip."""
    return frames - frames.mean(axis=0) + np.float32(TYPICAL_LOG_MEL)


@functools.cache
def _filters(n_mels, sample_rate, fft_length):
    """The filters up to half the sample rate; cached, as a stream needs them at each step."""
    high = sample_rate / 2
    return mel_filters(n_mels=n_mels, sample_rate=sample_rate, fft_length=fft_length, high=high)


def _checked(waveform, frame_length, sample_rate):
    waveform = np.asarray(waveform)
    shape, kind = list(waveform.shape), waveform.dtype
    if waveform.ndim != 1:
        problem = f"a waveform [samples], found an array of shape {shape}"
    elif kind.kind != "f":
        problem = f"float samples in units of full scale, found {kind}: divide by full scale"
    elif len(waveform) < frame_length:
        milliseconds = 1000 * frame_length // sample_rate
        problem = f"{frame_length} samples or more ({milliseconds} ms), found {len(waveform)}"
    elif not (finite := np.isfinite(waveform)).all():
        problem = f"finite samples, found {(~finite).sum()} that are not"
    elif (largest := np.abs(waveform).max()) > LOUDEST:
        problem = f"samples in units of full scale, found {largest:.3g}"
    else:
        return waveform.astype(np.float32, copy=False)
    raise ValueError(f"expected {problem}")


def _band_edges(n_mels, low, high):
    """Where bands begin, peak and end, in hertz: evenly spaced in mel."""
    lowest, highest = 2595 * np.log10(1 + np.array([low, high]) / 700)
    return 700 * (10 ** (np.linspace(lowest, highest, n_mels + 2) / 2595) - 1)


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
def _refusals(path):
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
