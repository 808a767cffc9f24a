"""A sound file on disk → its waveform → its log-mel frames."""

import functools
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soxr
from scipy import fft

from course_lib.decoding import HIGHEST_RATE, LOUDEST, LOWEST_RATE, RATES, pieces, refusals

SAMPLE_RATE = 8_000  # hertz: telephone quality, enough for speech
FRAME_LENGTH = 200  # samples: 25 ms
FRAME_STEP = 80  # samples: 10 ms
FFT_LENGTH = 256  # samples: a frame and 56 zeros, bins of 31.25 Hz
N_MELS = 40  # bands
MEL_LOW, MEL_HIGH = 20, 4_000  # hertz: edges of the lowest and the highest band
LOG_OFFSET = 1e-6  # mel energy: what digital silence counts as, so that its logarithm is -13.8
TYPICAL_LOG_MEL = -5.0  # natural log of mel energy: the middle of speech
AUDIBLE = 9.0  # natural log of energy, 39 dB: frames so far below the loudest are near-silent
FRAMES_AT_ONCE = 4_096  # frames: one piece of work, about 4 MB


def read(path: str | Path, *, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Read a clip as mono float32 `[samples]` in units of full scale, resampled by libsoxr."""
    if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        raise ValueError(f"expected {RATES}, found {sample_rate:,}")
    with refusals(path):
        decoded, rates = zip(*((samples.mean(axis=1), rate) for samples, rate in pieces(path)))
        waveform = np.concatenate(decoded)
        if rates[0] != sample_rate:
            waveform = soxr.resample(waveform, rates[0], sample_rate)
        return waveform


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
