"""One builder for each architecture: number of classes → an uncompiled Keras model with logits.

Every model takes batches `[batch, time, n_mels]` padded with PADDING, its first layer makes the
mask, and it gives logits `[batch, n_classes]`.
"""

import functools
import weakref
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from course_lib import cells
from course_lib.audio import N_MELS, TYPICAL_LOG_MEL
from course_lib.batches import PADDING

MOMENTUM = 0.95  # of the running means of batch normalisation: trainings here have few steps
SPREAD_LOG_MEL = 4.0  # natural log of mel energy: one standard deviation
LEAST_SCORE = -1e4  # of padding: its weight is 0, and float16 can hold it
READY = Path(__file__).resolve().parent.parent / "data" / "ready-model"

cells.install()


def average(n_classes: int, *, n_mels: int = N_MELS) -> keras.Model:
    """Build a baseline that is blind to order: mean and mean square of each band, one layer."""
    clip, frames = _masked_frames(n_mels)
    squares = keras.layers.Multiply(name="squares")([frames, frames])
    both = keras.layers.Concatenate(name="frames_and_squares")([frames, squares])
    mean = GlobalAveragePooling1D(name="mean_over_time")(both)
    return _logits("average", clip, mean, n_classes)


def rnn(
    n_classes: int,
    *,
    units: int = 64,
    recurrent_initializer: str | keras.Initializer = "orthogonal",
    n_mels: int = N_MELS,
) -> keras.Model:
    """Build a vanilla RNN that answers from its last state."""
    clip, frames = _masked_frames(n_mels)
    layer = keras.layers.SimpleRNN(units, recurrent_initializer=recurrent_initializer, name="rnn")
    return _logits("rnn", clip, layer(frames), n_classes)


def lstm(n_classes: int, *, units: int = 64, n_mels: int = N_MELS) -> keras.Model:
    """Build an LSTM that answers from its last state."""
    clip, frames = _masked_frames(n_mels)
    return _logits("lstm", clip, keras.layers.LSTM(units, name="lstm")(frames), n_classes)


def gru(n_classes: int, *, units: int = 64, n_mels: int = N_MELS) -> keras.Model:
    """Build a GRU that answers from its last state."""
    clip, frames = _masked_frames(n_mels)
    return _logits("gru", clip, keras.layers.GRU(units, name="gru")(frames), n_classes)


def bidirectional(n_classes: int, *, units: int = 48, n_mels: int = N_MELS) -> keras.Model:
    """Build two GRUs, one forward and one backward, whose last states answer together."""
    clip, frames = _masked_frames(n_mels)
    both_ways = keras.layers.Bidirectional(keras.layers.GRU(units), name="both_ways")
    return _logits("bidirectional", clip, both_ways(frames), n_classes)


def stacked(n_classes: int, *, units: int = 48, n_mels: int = N_MELS) -> keras.Model:
    """Build two GRUs, the second of which reads the states of the first."""
    clip, frames = _masked_frames(n_mels)
    states = keras.layers.GRU(units, return_sequences=True, name="lower")(frames)
    return _logits("stacked", clip, keras.layers.GRU(units, name="upper")(states), n_classes)


def attention(n_classes: int, *, units: int = 48, n_mels: int = N_MELS) -> keras.Model:
    """Build two GRUs, one each way, whose states at all frames are averaged by attention."""
    clip, frames = _masked_frames(n_mels)
    summary = AttentionPooling(name="attention")(_both_ways(frames, units))
    return _logits("attention", clip, summary, n_classes)


def crnn(
    n_classes: int,
    *,
    filters: tuple[int, ...] = (24, 48, 96),
    units: int = 48,
    dropout: float = 0.3,
    n_mels: int = N_MELS,
) -> keras.Model:
    """Build convolutions, then two GRUs, one each way, averaged by attention.

    Each convolution, with so many `filters`, halves time and frequency; `dropout` acts before the
    GRUs and before the logits. Source: E. Çakır et al. 2017, on sound events.
    """
    clip, frames = _masked_frames(n_mels)
    patterns = MaskedConvolutions(filters, name="convolutions")(frames)
    kept = keras.layers.Dropout(dropout, name="dropout_of_patterns")(patterns)
    summary = AttentionPooling(name="attention")(_both_ways(kept, units))
    kept = keras.layers.Dropout(dropout, name="dropout_of_summary")(summary)
    return _logits("crnn", clip, kept, n_classes)


_EACH = average, rnn, lstm, gru, bidirectional, stacked, attention, crnn
BUILDERS: dict[str, Callable[..., keras.Model]] = {build.__name__: build for build in _EACH}


def ready(name: str = "digits") -> tuple[keras.Model, list[str]]:
    """Load a trained GRU that comes with the course, and the names of its 11 classes.

    It spots the ten digits, or the ten "commands" of Speech Commands, in an endless sound; the
    eleventh class is "nothing": logits `[batch, 11]`.

    Source:
        data/ready-model/README.md, the models' card.
    """
    if name not in ("digits", "commands"):
        raise ValueError(f'expected "digits" or "commands", found {name!r}')
    path = READY / f"{name}.keras"
    if not path.exists():
        raise FileNotFoundError(f"expected {path}, found no such file: get the course again")
    names = path.with_suffix(".txt").read_text(encoding="utf-8").split()
    return keras.models.load_model(path, compile=False), names


def forward(model: keras.Model) -> Callable:
    """Return a model's forward pass, traced once for all lengths.

    It takes `[batch, time, mels]` and gives the model's output; new weights need no new trace.
    """
    return functools.partial(_answer, model)


_MADE = weakref.WeakKeyDictionary()  # for each model that is still in use: what was made of it


def made_once(make: Callable, model: keras.Model, *details) -> Callable:
    """Return `make(model, *details)`, made only once, and freed together with the model.

    `make` is given a `weakref.proxy`, since what refers to a model keeps it in memory.
    """
    made, key = _MADE.setdefault(model, {}), (make, *details)
    if key not in made:
        made[key] = make(weakref.proxy(model), *details)
    return made[key]


def _answer(model, padded):
    return made_once(_trace, model, *padded.shape[2:])(padded)


def _trace(model, *bands):
    traced = tf.function(
        lambda padded: model(padded, training=False),
        input_signature=[tf.TensorSpec([None, None, *bands])],
        autograph=False,
    )
    return traced.get_concrete_function()  # TensorFlow's warning of retracing does not count it


@keras.saving.register_keras_serializable("course_lib")
class AttentionPooling(keras.layers.Layer):
    """A weighted mean of the states over time, with weights that are learned; padding has none.

    Source:
        Attention without a query, D. Bahdanau et al. 2015 (additive score), C. Raffel and
        D. Ellis 2015 (feed-forward form).
    """

    def build(self, shape):
        # A bias would cancel in the softmax.
        self.score = keras.layers.Dense(1, use_bias=False, name="score")
        self.score.build(shape)
        self.built = True

    def call(self, states, mask=None):
        return keras.ops.sum(self.weights_over_time(states, mask) * states, axis=1)

    def weights_over_time(self, states, mask=None):
        """Weigh each frame: `[batch, time, units]` → `[batch, time, 1]`, sum 1 over time."""
        scores = self.score(keras.ops.tanh(states))
        if mask is not None:
            scores = keras.ops.where(mask[..., None], scores, LEAST_SCORE)
        # By hand, since Keras's softmax warns of a clip of one frame.
        powers = keras.ops.exp(scores - keras.ops.max(scores, axis=1, keepdims=True))
        return powers / keras.ops.sum(powers, axis=1, keepdims=True)

    def compute_mask(self, states, mask=None):
        return None  # no time is left


@keras.saving.register_keras_serializable("course_lib")
class GlobalAveragePooling1D(keras.layers.GlobalAveragePooling1D):
    """Keras's mean over time, but zeros, not NaN, for a clip that is padding alone."""

    def call(self, frames, mask=None):
        if mask is None:
            return super().call(frames)
        counted = keras.ops.cast(mask, frames.dtype)[..., None]
        count = keras.ops.maximum(keras.ops.sum(counted, axis=1), 1)
        return keras.ops.sum(frames * counted, axis=1) / count


@keras.saving.register_keras_serializable("course_lib")
class MaskedConvolutions(keras.layers.Layer):
    """Convolutions that halve time and frequency, in which padding stays zero and counts nothing.

    Each is 3 by 3 in steps of 2, followed by batch normalisation and ReLU. n of them turn
    `[batch, time, bands]` and its mask into `[batch, time / 2**n, features]`, rounded up, and its.
    """

    def __init__(self, filters, *, name=None, trainable=True, dtype=None):
        super().__init__(name=name, trainable=trainable, dtype=dtype)
        self.filters, self.supports_masking = tuple(filters), True

    def build(self, shape):
        normalise_bands = keras.layers.BatchNormalization(momentum=MOMENTUM, name="normalise_bands")
        normalise_bands.build([None, None, shape[-1]])
        self.normalise_bands = normalise_bands
        self.convolve, self.normalise, channels = [], [], 1
        for number, filters in enumerate(self.filters):
            convolve = keras.layers.Conv2D(
                filters, 3, strides=2, use_bias=False, name=f"convolve_{number}"
            )
            normalise = keras.layers.BatchNormalization(
                momentum=MOMENTUM, name=f"normalise_{number}"
            )
            convolve.build([None, None, None, channels])
            normalise.build([None, None, None, filters])
            self.convolve.append(convolve)
            self.normalise.append(normalise)
            channels = filters
        self.built = True

    def call(self, frames, mask=None, training=False):
        if mask is None:
            mask = keras.ops.ones(keras.ops.shape(frames)[:2], bool)
        image = self.normalise_bands(frames, mask=mask, training=training)[..., None]
        for convolve, normalise in zip(self.convolve, self.normalise):
            # Padding is zero, as what lies beyond the edges. "same" would start elsewhere at odd
            # lengths, so the edges are padded here.
            image = image * keras.ops.cast(mask, image.dtype)[:, :, None, None]
            image = convolve(keras.ops.pad(image, [(0, 0), (1, 1), (1, 1), (0, 0)]))
            mask = mask[:, ::2]
            shape = keras.ops.shape(image)[:3]
            everywhere = keras.ops.broadcast_to(mask[:, :, None], shape)
            image = keras.ops.relu(normalise(image, mask=everywhere, training=training))
        batch, time = keras.ops.shape(image)[:2]
        features = self.compute_output_shape(frames.shape)[-1]
        return keras.ops.reshape(image, [batch, time, features])

    def compute_mask(self, frames, mask=None):
        return None if mask is None else mask[:, :: 2 ** len(self.filters)]

    def compute_output_shape(self, shape):
        factor = 2 ** len(self.filters)
        time, bands = (None if size is None else -(-size // factor) for size in shape[1:])
        return (shape[0], time, bands * self.filters[-1])

    def get_config(self):
        return super().get_config() | {"filters": self.filters}


def _masked_frames(n_mels):
    """Make the input, and its frames with a mask and on a scale of about -2 to 2."""
    clip = keras.Input([None, n_mels], name="frames")
    frames = keras.layers.Masking(PADDING, name="mask")(clip)
    scale, offset = 1 / SPREAD_LOG_MEL, -TYPICAL_LOG_MEL / SPREAD_LOG_MEL
    return clip, keras.layers.Rescaling(scale, offset, name="scale")(frames)


def _both_ways(frames, units):
    layer = keras.layers.GRU(units, return_sequences=True)
    return keras.layers.Bidirectional(layer, name="both_ways")(frames)


def _logits(name, clip, summary, n_classes):
    return keras.Model(clip, keras.layers.Dense(n_classes, name="logits")(summary), name=name)
