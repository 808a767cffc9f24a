"""Changes that leave a clip's class as it is; a model learns not to lean on what they change.

`batches.bucketed(…, augment=…)` takes functions (frames, random) → frames, where frames are
float32 `[frames, bands]`, natural log of mel energy, and random is a NumPy generator.
"""

import functools
from collections.abc import Callable

import numpy as np
import soxr
import tensorflow as tf

from course_lib.audio import SAMPLE_RATE, band_centres
from course_lib.batches import PADDING

SHAPE = 3  # of the gamma distribution of a noise's energy in a band, from frame to frame
POINTS = 5  # of the random curve of `colour`, evenly over the bands
Random = np.random.Generator
Change = Callable[[np.ndarray, Random], np.ndarray]


def chain(*changes: Change) -> Change:
    """Make one change of several, the first of which is done first."""

    def changed(frames, random):
        return functools.reduce(lambda so_far, change: change(so_far, random), changes, frames)

    return changed


def speed(waveform: np.ndarray, factor: float) -> np.ndarray:
    """Play `[samples]` faster, as a tape: above 1 it is shorter, higher, of a smaller speaker.

    Source:
        T. Ko et al., "Audio augmentation for speech recognition", Interspeech 2015.
    """
    rates = factor * SAMPLE_RATE, SAMPLE_RATE
    return waveform if factor == 1 else soxr.resample(waveform, *rates).astype(np.float32)


def add_noise(waveform: np.ndarray, noise: np.ndarray, *, decibels: float) -> np.ndarray:
    """Add noise, repeated or cut to the length of a waveform `[samples]`.

    `decibels` are the waveform's power against that of the noise: a ValueError says that one of
    them is silent. The sum may go beyond full scale.
    """
    waveform = np.asarray(waveform, np.float32)
    noise = np.resize(np.asarray(noise, np.float32), len(waveform))
    power, noise_power = np.mean(np.square(waveform)), np.mean(np.square(noise))
    if power == 0 or noise_power == 0:
        found = f"powers of {power:.2g} and {noise_power:.2g}"
        raise ValueError(f"expected sound in the waveform and in the noise, found {found}")
    return waveform + noise * np.float32(np.sqrt(power / noise_power) * 10 ** (-decibels / 20))


def shorten_tract(frames: np.ndarray, factor: float) -> np.ndarray:
    """Move each frequency to `factor` times itself, as a vocal tract shorter by it does.

    What comes from beyond the edge is the band at the edge, repeated.

    Source:
        N. Jaitly and G. Hinton, "Vocal tract length perturbation improves speech recognition",
        ICML workshop 2013.
    """
    centres = band_centres(frames.shape[1])
    place = np.interp(centres / factor, centres, np.arange(len(centres)))
    lower = np.minimum(place.astype(int), len(centres) - 2)
    share = (place - lower).astype(np.float32)
    return frames[:, lower] * (1 - share) + frames[:, lower + 1] * share


def warp(frames: np.ndarray, random: Random, *, furthest: float) -> np.ndarray:
    """Shorten or lengthen the vocal tract by a random factor, 1 / furthest to furthest."""
    return shorten_tract(frames, furthest ** random.uniform(-1, 1))


def hiss(frames: np.ndarray, random: Random, *, decibels: tuple, share: float = 0.5) -> np.ndarray:
    """Add the energies of noise of a random colour to a `share` of the clips.

    `decibels` are the least and most mean energy of the clip against that of the noise.
    """
    if random.random() >= share:
        return frames
    tilt = random.uniform(-2, 2) * np.linspace(-1, 1, frames.shape[1])  # lowest to highest band
    level = np.log(np.exp(frames).mean()) - random.uniform(*decibels) * np.log(10) / 10
    energy = random.standard_gamma(SHAPE, frames.shape, dtype=np.float32) / SHAPE
    noise = (level + tilt).astype(np.float32) + np.log(energy + np.float32(1e-3))
    return np.logaddexp(frames, noise)


def crop(frames: np.ndarray, random: Random, *, shortest: int, longest: int) -> np.ndarray:
    """Cut out a piece of random length (in frames), at a random place; short clips stay whole."""
    length = min(len(frames), int(random.integers(shortest, longest + 1)))
    start = random.integers(len(frames) - length + 1)
    return frames[start : start + length]


def shift(frames: np.ndarray, random: Random) -> np.ndarray:
    """Move a clip in time; what leaves at the end enters at the beginning."""
    return np.roll(frames, random.integers(len(frames)), axis=0)


def colour(frames: np.ndarray, random: Random, *, decibels: float) -> np.ndarray:
    """Make bands louder or quieter along a smooth random curve, as another microphone does.

    `decibels` are its standard deviation.

    Source:
        FilterAugment, H. Nam et al. 2022, in which bands change in steps or along lines.
    """
    heights = random.normal(0, decibels * np.log(10) / 10, POINTS)
    places = np.linspace(0, POINTS - 1, frames.shape[1])
    return frames + np.interp(places, np.arange(POINTS), heights).astype(np.float32)


def mask_bands(frames: np.ndarray, random: Random, *, widest: int, count: int = 1) -> np.ndarray:
    """Hide up to `widest` neighbouring bands behind the clip's mean, `count` times.

    Source:
        SpecAugment, D. S. Park et al. 2019; as is `mask_frames`.
    """
    return mask_frames(frames.T, random, widest=widest, count=count).T


def mask_frames(frames: np.ndarray, random: Random, *, widest: int, count: int = 1) -> np.ndarray:
    """Hide up to `widest` neighbouring frames, a quarter of the clip at most, `count` times."""
    hidden = frames.copy()
    for _ in range(count):
        width = random.integers(min(widest, len(frames) // 4) + 1)
        start = random.integers(len(frames) - width + 1)
        hidden[start : start + width] = frames.mean()
    return hidden


def mixup(
    dataset: tf.data.Dataset, n_classes: int, *, alpha: float, seed: int = 0
) -> tf.data.Dataset:
    """Mix each clip with another one of its batch, and their classes with the same random weights.

    Args:
        dataset: batches of (padded frames, integer labels), as `bucketed` gives.
        n_classes: of the labels.
        alpha: of the Beta distribution of the weights: near 0 one clip is heard almost alone.
        seed: of the weights and partners.

    Returns:
        Batches of (`[batch, time, bands]`, probabilities `[batch, n_classes]`), each as long as
        its longest clip. The clip in whose place a mixture stands has the larger weight. The
        dataset's names of classes stay.

    Source:
        H. Zhang et al. 2018, and for sounds Y. Tokozume et al. 2018.
    """
    random = np.random.default_rng(seed)

    def mixed(frames, labels):
        if labels.max() >= n_classes:
            raise ValueError(f"expected labels of 0 to {n_classes - 1}, found {labels.max()}")
        partner = random.permutation(len(frames))
        share = random.beta(alpha, alpha, len(frames)).astype(np.float32)
        share = np.clip(np.maximum(share, 1 - share), 0.5, 1 - 1e-6)[:, None]
        classes = np.eye(n_classes, dtype=np.float32)[labels]
        longest = (frames != PADDING).any(axis=(0, 2)).sum()
        both = mix(frames[:, :longest], frames[partner, :longest], share[..., None])
        return both, share * classes + (1 - share) * classes[partner]

    def in_numpy(frames, labels):
        both, probabilities = tf.numpy_function(mixed, [frames, labels], [tf.float32, tf.float32])
        probabilities = tf.ensure_shape(probabilities, [None, n_classes])
        return tf.ensure_shape(both, frames.shape), probabilities

    mixtures = dataset.map(in_numpy)
    mixtures.classes = getattr(dataset, "classes", None)
    return mixtures


def mix(frames: np.ndarray, others: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    """Add the energies of two clips of one shape, `share` of the first; padding where both are."""
    both = np.logaddexp(frames + np.log(share), others + np.log(1 - share))
    return np.where((frames == PADDING) & (others == PADDING), PADDING, both).astype(np.float32)
