"""A clip's waveform, and its log-mel frames."""

import functools

import numpy as np
import soxr
from scipy import fft

from course_lib.files import decode

SAMPLE_RATE = 8_000  # hertz: telephone quality, enough for speech
FRAME_LENGTH = 200  # samples: 25 ms
FRAME_STEP = 80  # samples: 10 ms
FFT_LENGTH = 256  # samples: a frame and 56 zeros, bins of 31.25 Hz
N_MELS = 40  # bands
MEL_LOW, MEL_HIGH = 20, 4_000  # hertz: edges of the lowest and the highest band
LOG_OFFSET = 1e-6  # mel energy: what digital silence counts as, so that its logarithm is -13.8
TYPICAL_LOG_MEL = -5.0  # natural log of mel energy: the middle of speech
AUDIBLE = 9.0  # natural log of energy, 39 dB: frames so much quieter than the loudest count as near-silent
FRAMES_AT_ONCE = 4_096  # frames: one piece of work, about 4 MB


def read(path, *, sample_rate=SAMPLE_RATE):
    """Read a clip, mixed to mono and resampled.

    Returns: float32 `[samples]` in units of full scale, at `sample_rate` hertz.
    Raises: UnreadableSound (a ValueError) if the file is not a usable clip.
    Source: resampling by libsoxr, quality "HQ".
    """
    samples, file_rate = decode(path)
    waveform = samples.mean(axis=1)
    if file_rate != sample_rate:
        waveform = soxr.resample(waveform, file_rate, sample_rate)
    return waveform


def frame_count(samples, *, frame_length=FRAME_LENGTH, frame_step=FRAME_STEP):
    """How many whole frames fit in a waveform of so many samples.

    Returns: an integer, 0 when the waveform is shorter than one frame. Takes arrays, too.
    """
    return np.maximum(0, 1 + (np.asarray(samples) - frame_length) // frame_step)


def window(frame_length=FRAME_LENGTH):
    """The Hann window that every frame is multiplied by.

    Returns: float32 `[frame_length]`, the periodic form, from 0 to 1.
    """
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame_length) / frame_length)).astype(np.float32)


def mel_filters(*, n_mels=N_MELS, sample_rate=SAMPLE_RATE, fft_length=FFT_LENGTH, low=MEL_LOW, high=MEL_HIGH):
    """Triangular filters, evenly spaced on the mel scale, each with a peak of 1.

    Returns: float32 `[fft_length // 2 + 1, n_mels]`, the weight of each frequency bin in each band.
    Raises: ValueError if a band is so narrow that no bin falls into it.
    Source: mel = 2595 log10(1 + hertz / 700), O'Shaughnessy 1987; triangles straight in hertz, as in librosa with htk=True, norm=None.
    """
    edges = _band_edges(n_mels, low, high)
    bins = np.arange(fft_length // 2 + 1) * sample_rate / fft_length
    rising = (bins[:, None] - edges[:-2]) / np.diff(edges[:-1])
    falling = (edges[2:] - bins[:, None]) / np.diff(edges[1:])
    filters = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    if not filters.any(axis=0).all():
        empty = int(np.flatnonzero(~filters.any(axis=0))[0])
        raise ValueError(f"expected a frequency bin in each of {n_mels} bands, found none in band {empty}: use fewer bands or a longer FFT")
    return filters


def band_centres(n_mels=N_MELS, *, high=MEL_HIGH):
    """The frequency at which each mel band is most sensitive.

    Returns: float64 `[n_mels]` in hertz; `high` is the upper edge of the highest band.
    """
    return _band_edges(n_mels, MEL_LOW, high)[1:-1]


def log_mel(waveform, *, sample_rate=SAMPLE_RATE, frame_length=FRAME_LENGTH, frame_step=FRAME_STEP, n_mels=N_MELS):
    """The log-mel frames of one waveform.

    Args: sample_rate: hertz; frame_length and frame_step: samples; n_mels: bands up to half the sample rate.
    Returns: float32 `[frames, n_mels]`, natural log of mel energy; frames = 1 + (samples - frame_length) // frame_step.
    Raises: ValueError if the waveform is not one-dimensional, is shorter than a frame, or holds values that are not finite numbers.
    """
    return log_mels([waveform], sample_rate=sample_rate, frame_length=frame_length, frame_step=frame_step, n_mels=n_mels)[0]


def log_mels(waveforms, *, sample_rate=SAMPLE_RATE, frame_length=FRAME_LENGTH, frame_step=FRAME_STEP, n_mels=N_MELS):
    """The log-mel frames of many waveforms, computed together, which is many times faster than one by one.

    Args: waveforms: `[samples]` each; sample_rate: hertz; frame_length and frame_step: samples; n_mels: bands up to half the sample rate.
    Returns: a list of float32 `[frames, n_mels]`, in the order of `waveforms`; each is what `log_mel` gives.
    Raises: ValueError as `log_mel` does, with the position of the clip.
    """
    waveforms = [_checked(waveform, position, frame_length, sample_rate) for position, waveform in enumerate(waveforms)]
    if not waveforms:
        return []
    samples = np.array([len(waveform) for waveform in waveforms])
    counts = frame_count(samples, frame_length=frame_length, frame_step=frame_step)
    first_frame, first_sample = np.cumsum(counts) - counts, np.cumsum(samples) - samples
    in_clip = np.arange(counts.sum()) - np.repeat(first_frame, counts)
    starts = np.repeat(first_sample, counts) + frame_step * in_clip
    every_frame = np.lib.stride_tricks.sliding_window_view(np.concatenate(waveforms), frame_length)
    fft_length = 1 << (frame_length - 1).bit_length()  # the next power of two: FFT_LENGTH for FRAME_LENGTH
    filters, taper = _filters(n_mels, sample_rate, fft_length), window(frame_length)
    mels = np.empty((len(starts), n_mels), np.float32)
    for piece in range(0, len(starts), FRAMES_AT_ONCE):
        rows = slice(piece, piece + FRAMES_AT_ONCE)
        spectrum = fft.rfft(every_frame[starts[rows]] * taper, fft_length)
        mels[rows] = np.log((spectrum.real**2 + spectrum.imag**2) @ filters + LOG_OFFSET)
    return np.split(mels, first_frame[1:])


def trimmed(frames, *, below=AUDIBLE):
    """Leave out the near-silent frames at both ends.

    Args: below: natural log of energy; frames so much quieter than the loudest are near-silent.
    Returns: float32 `[frames, mels]`, one frame or more.
    """
    energy = np.log(np.exp(frames).sum(axis=1))
    audible = np.flatnonzero(energy >= energy.max() - below)
    return frames[audible[0] : audible[-1] + 1]


def centred(frames):
    """Give each band the same mean over the clip, which takes away level, microphone and part of the voice.

    Returns: float32 `[frames, mels]`, around TYPICAL_LOG_MEL.
    """
    return frames - frames.mean(axis=0) + np.float32(TYPICAL_LOG_MEL)


@functools.cache
def _filters(n_mels, sample_rate, fft_length):
    """The filters up to half the sample rate, kept: a stream asks for them a hundred times a second."""
    return mel_filters(n_mels=n_mels, sample_rate=sample_rate, fft_length=fft_length, high=sample_rate / 2)


def _checked(waveform, position, frame_length, sample_rate):
    waveform = np.asarray(waveform, np.float32)
    if waveform.ndim != 1:
        raise ValueError(f"clip {position}: expected a waveform [samples], found an array of shape {list(waveform.shape)}")
    if len(waveform) < frame_length:
        raise ValueError(
            f"clip {position}: expected {frame_length} samples or more ({1000 * frame_length // sample_rate} ms), found {len(waveform)}"
        )
    if not np.isfinite(waveform).all():
        raise ValueError(f"clip {position}: expected finite samples, found {int((~np.isfinite(waveform)).sum())} that are not")
    return waveform


def _band_edges(n_mels, low, high):
    """Where bands begin, peak and end, in hertz: evenly spaced in mel."""
    return _hertz(np.linspace(_mel(low), _mel(high), n_mels + 2))


def _mel(hertz):
    return 2595 * np.log10(1 + hertz / 700)


def _hertz(mel):
    return 700 * (10 ** (mel / 2595) - 1)
