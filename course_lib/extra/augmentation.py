"""Changes that leave a clip's class as it is: a model that is trained on changed clips leans less on what they change.

What `batches.bucketed(…, augment=…)` takes has the form (frames, random) → frames, where random is a NumPy generator.
"""

import functools

import numpy as np
import soxr
import tensorflow as tf

from course_lib.audio import SAMPLE_RATE, band_centres
from course_lib.batches import PADDING

ROUGHNESS = 3  # how uneven noise is from frame to frame: the shape of the gamma distribution of its energy in a band
POINTS = 5  # of the random curve of `colour`, evenly over the bands


def one_after_another(*changes):
    """Several changes as one.

    Args: changes: functions (frames, random) → frames.
    Returns: a function (frames, random) → frames.
    """
    return lambda frames, random: functools.reduce(lambda changed, change: change(changed, random), changes, frames)


def speed(waveform, factor):
    """Play a waveform faster or slower, as a tape is: above 1 it is shorter, higher, and of a smaller speaker.

    Returns: float32 `[samples / factor]`, to be heard at the rate of `waveform`.
    Source: T. Ko et al., "Audio augmentation for speech recognition", Interspeech 2015; resampling by libsoxr.
    """
    return waveform if factor == 1 else soxr.resample(waveform, factor * SAMPLE_RATE, SAMPLE_RATE).astype(np.float32)


def add_noise(waveform, noise, *, decibels):
    """Lay noise under a waveform.

    Args: noise: `[samples]`, repeated or cut to the waveform's length; decibels: power of the waveform against that of the noise.
    Returns: float32 `[samples]`; it may go beyond full scale.
    Raises: ValueError if waveform or noise is silent, since no ratio is defined then.
    """
    waveform, noise = np.asarray(waveform, np.float32), np.resize(np.asarray(noise, np.float32), len(waveform))
    powers = np.mean(np.square(waveform)), np.mean(np.square(noise))
    if not all(powers):
        raise ValueError(f"expected sound in the waveform and in the noise, found powers of {powers[0]:.2g} and {powers[1]:.2g}")
    return waveform + noise * np.float32(np.sqrt(powers[0] / powers[1]) * 10 ** (-decibels / 20))


def shorten_tract(frames, factor):
    """Move what is at each frequency to `factor` times that frequency, as a vocal tract does that is shorter by that factor.

    Args: frames: float32 `[frames, bands]` at SAMPLE_RATE.
    Returns: float32 `[frames, bands]`; what comes from beyond the edge is the band at the edge, repeated.
    Source: N. Jaitly and G. Hinton, "Vocal tract length perturbation improves speech recognition", ICML workshop 2013.
    """
    centres = band_centres(frames.shape[1])
    place = np.interp(centres / factor, centres, np.arange(len(centres)))
    lower = np.minimum(place.astype(int), len(centres) - 2)
    share = (place - lower).astype(np.float32)
    return frames[:, lower] * (1 - share) + frames[:, lower + 1] * share


def warp(frames, random, *, furthest):
    """Give the speaker another vocal tract, shorter or longer by a random factor.

    Args: furthest: the largest factor, above 1; the smallest is 1 / furthest.
    Returns: float32 `[frames, bands]`.
    """
    return shorten_tract(frames, furthest ** random.uniform(-1, 1))


def hiss(frames, random, *, decibels, share=0.5):
    """Lay noise of a random colour under a clip: energies add, so that no waveform is needed.

    Args: decibels: (least, most) mean energy of the clip against that of the noise; share: how many of the clips get noise.
    Returns: float32 `[frames, bands]`, natural log of energy.
    """
    if random.random() >= share:
        return frames
    colour = random.uniform(-2, 2) * np.linspace(-1, 1, frames.shape[1])  # natural log, from the lowest band to the highest
    level = np.log(np.exp(frames).mean()) - random.uniform(*decibels) * np.log(10) / 10
    energy = random.standard_gamma(ROUGHNESS, frames.shape, dtype=np.float32) / ROUGHNESS + np.float32(1e-3)
    return np.logaddexp(frames, (level + colour).astype(np.float32) + np.log(energy))


def crop(frames, random, *, shortest, longest):
    """Cut a piece of random length out of a clip, at a random place.

    Args: shortest, longest: in frames; a clip that is shorter than the length drawn stays whole.
    Returns: float32 `[frames, bands]`, `longest` frames or fewer.
    """
    length = min(len(frames), int(random.integers(shortest, longest + 1)))
    start = random.integers(len(frames) - length + 1)
    return frames[start : start + length]


def shift(frames, random):
    """Move a clip in time by a random number of frames; what leaves at the end enters at the beginning.

    Returns: float32 `[frames, bands]`.
    """
    return np.roll(frames, random.integers(len(frames)), axis=0)


def colour(frames, random, *, decibels):
    """Make some bands louder and others quieter, along a smooth random curve, as another microphone or room does.

    Args: decibels: one standard deviation of the curve.
    Returns: float32 `[frames, bands]`.
    Source: FilterAugment, H. Nam et al. 2022, in which the bands change in steps or along lines.
    """
    heights = random.normal(0, decibels * np.log(10) / 10, POINTS)
    places = np.linspace(0, POINTS - 1, frames.shape[1])
    return frames + np.interp(places, np.arange(POINTS), heights).astype(np.float32)


def mask_bands(frames, random, *, widest, count=1):
    """Hide neighbouring bands behind the clip's mean, `count` times: a model may not lean on a single band.

    Args: widest: bands, the most that are hidden at once.
    Returns: float32 `[frames, bands]`.
    Source: SpecAugment, D. S. Park et al. 2019.
    """
    return mask_frames(frames.T, random, widest=widest, count=count).T


def mask_frames(frames, random, *, widest, count=1):
    """Hide neighbouring frames behind the clip's mean, `count` times: a model may not lean on a single moment.

    Args: widest: frames, the most that are hidden at once, and never more than a quarter of the clip.
    Returns: float32 `[frames, bands]`.
    Source: SpecAugment, D. S. Park et al. 2019.
    """
    hidden = frames.copy()
    for _ in range(count):
        width = random.integers(min(widest, len(frames) // 4) + 1)
        start = random.integers(len(frames) - width + 1)
        hidden[start : start + width] = frames.mean()
    return hidden


def mixup(dataset, n_classes, *, alpha, seed=0):
    """Add the energies of each clip and of another one of its batch, with random weights, and mix their classes alike.

    Args: dataset: batches of (frames padded with PADDING, integer labels), as `bucketed` gives; alpha: of the Beta distribution of
    the weights: near 0 one clip is heard all but alone, at 1 every weight is as likely as any other.
    Returns: a `tf.data.Dataset` of (float32 `[batch, time, bands]`, float32 `[batch, n_classes]`), as many batches, each as long as
    its longest clip; a mixture is as long as the longer of its two clips, and mostly the clip in whose place it stands.
    Source: H. Zhang et al. 2018, and for sounds Y. Tokozume et al. 2018.
    """
    random = np.random.default_rng(seed)

    def mixed(frames, labels):
        partner, share = random.permutation(len(frames)), random.beta(alpha, alpha, len(frames)).astype(np.float32)
        share = np.clip(np.maximum(share, 1 - share), 0.5, 1 - 1e-6)[:, None]
        classes = np.eye(n_classes, dtype=np.float32)[labels]
        longest = (frames != PADDING).any(axis=(0, 2)).sum()
        return mix(frames[:, :longest], frames[partner, :longest], share[..., None]), share * classes + (1 - share) * classes[partner]

    def in_numpy(frames, labels):
        both, probabilities = tf.numpy_function(mixed, [frames, labels], [tf.float32, tf.float32])
        return tf.ensure_shape(both, frames.shape), tf.ensure_shape(probabilities, [None, n_classes])

    return dataset.map(in_numpy)


def mix(frames, others, share):
    """The frames of two sounds heard at once: their energies are added.

    Args: others: of the same shape; share: of `frames` in the sum, above 0 and below 1, a number or an array that fits.
    Returns: float32 of the same shape; padding where both are padding.
    """
    both = np.logaddexp(frames + np.log(share), others + np.log(1 - share))
    return np.where((frames == PADDING) & (others == PADDING), PADDING, both).astype(np.float32)
