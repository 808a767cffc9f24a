"""One builder for each architecture: number of classes → an uncompiled Keras model with logits.

Every model takes batches `[batch, time, N_MELS]` padded with PADDING; its first layer makes the mask.
"""

from pathlib import Path

import keras

from course_lib.audio import N_MELS, TYPICAL_LOG_MEL
from course_lib.batches import PADDING

MOMENTUM = 0.95  # of the running means of batch normalisation: a few hundred steps are all that a training here has
SPREAD_LOG_MEL = 4.0  # natural log of mel energy: one standard deviation
READY = Path(__file__).resolve().parent.parent / "data" / "ready-model"


def average(n_classes, *, n_mels=N_MELS):
    """The baseline that is blind to order: mean and mean square of each band over the clip, then a logistic layer.

    Returns: an uncompiled `keras.Model`, float32 `[batch, time, n_mels]` → logits `[batch, n_classes]`.
    """
    clip, frames = _masked_frames(n_mels)
    squares = keras.layers.Multiply(name="squares")([frames, frames])
    both = keras.layers.Concatenate(name="frames_and_squares")([frames, squares])
    return _logits("average", clip, keras.layers.GlobalAveragePooling1D(name="mean_over_time")(both), n_classes)


def rnn(n_classes, *, units=64, recurrent_initializer="orthogonal", n_mels=N_MELS):
    """A vanilla RNN that reads the frames in order and answers from its last state.

    Args: recurrent_initializer: how the matrix from state to state begins, a Keras initializer or its name.
    Returns: an uncompiled `keras.Model`, float32 `[batch, time, n_mels]` → logits `[batch, n_classes]`.
    """
    clip, frames = _masked_frames(n_mels)
    return _logits("rnn", clip, keras.layers.SimpleRNN(units, recurrent_initializer=recurrent_initializer, name="rnn")(frames), n_classes)


def lstm(n_classes, *, units=64, n_mels=N_MELS):
    """An LSTM that reads the frames in order and answers from its last state.

    Returns: an uncompiled `keras.Model`, float32 `[batch, time, n_mels]` → logits `[batch, n_classes]`.
    """
    clip, frames = _masked_frames(n_mels)
    return _logits("lstm", clip, keras.layers.LSTM(units, name="lstm")(frames), n_classes)


def gru(n_classes, *, units=64, n_mels=N_MELS):
    """A GRU that reads the frames in order and answers from its last state.

    Returns: an uncompiled `keras.Model`, float32 `[batch, time, n_mels]` → logits `[batch, n_classes]`.
    """
    clip, frames = _masked_frames(n_mels)
    return _logits("gru", clip, keras.layers.GRU(units, name="gru")(frames), n_classes)


def bidirectional(n_classes, *, units=48, n_mels=N_MELS):
    """Two GRUs, one from the first frame to the last and one back, whose last states answer together.

    Returns: an uncompiled `keras.Model`, float32 `[batch, time, n_mels]` → logits `[batch, n_classes]`.
    """
    clip, frames = _masked_frames(n_mels)
    both_ways = keras.layers.Bidirectional(keras.layers.GRU(units), name="both_ways")(frames)
    return _logits("bidirectional", clip, both_ways, n_classes)


def stacked(n_classes, *, units=48, n_mels=N_MELS):
    """Two GRUs, the second of which reads the states of the first, and answers from its last state.

    Returns: an uncompiled `keras.Model`, float32 `[batch, time, n_mels]` → logits `[batch, n_classes]`.
    """
    clip, frames = _masked_frames(n_mels)
    states = keras.layers.GRU(units, return_sequences=True, name="lower")(frames)
    return _logits("stacked", clip, keras.layers.GRU(units, name="upper")(states), n_classes)


def attention(n_classes, *, units=48, n_mels=N_MELS):
    """Two GRUs, one each way, whose states at all frames are weighed by attention.

    Returns: an uncompiled `keras.Model`, float32 `[batch, time, n_mels]` → logits `[batch, n_classes]`.
    """
    clip, frames = _masked_frames(n_mels)
    states = keras.layers.Bidirectional(keras.layers.GRU(units, return_sequences=True), name="both_ways")(frames)
    return _logits("attention", clip, AttentionPooling(name="attention")(states), n_classes)


def crnn(n_classes, *, filters=(24, 48, 96), units=48, dropout=0.3, n_mels=N_MELS):
    """Convolutions that look for local patterns, then two GRUs, one each way, whose states are weighed by attention.

    Args: filters: patterns that each convolution looks for; each halves time and frequency; dropout: the share of numbers that are
    left out, in training, before the GRUs and before the logits.
    Returns: an uncompiled `keras.Model`, float32 `[batch, time, n_mels]` → logits `[batch, n_classes]`.
    Source: convolutional recurrent networks for sound events, E. Çakır et al. 2017.
    """
    clip, frames = _masked_frames(n_mels)
    patterns = MaskedConvolutions(filters, name="convolutions")(frames)
    kept = keras.layers.Dropout(dropout, name="dropout_of_patterns")(patterns)
    states = keras.layers.Bidirectional(keras.layers.GRU(units, return_sequences=True), name="both_ways")(kept)
    summary = AttentionPooling(name="attention")(states)
    return _logits("crnn", clip, keras.layers.Dropout(dropout, name="dropout_of_summary")(summary), n_classes)


def ready():
    """The trained GRU that comes with the course: it hears the ten digits, and "nothing", in an endless sound.

    Returns: a `keras.Model`, float32 `[batch, time, N_MELS]` → logits `[batch, 11]`, and the names of its classes.
    Raises: FileNotFoundError if its file is missing.
    Source: data/ready-model/README.md, the model's card.
    """
    if not (READY / "digits.keras").exists():
        raise FileNotFoundError("expected data/ready-model/digits.keras, which comes with the course, found no such file: get the course again")
    return keras.models.load_model(READY / "digits.keras", compile=False), (READY / "classes.txt").read_text(encoding="utf-8").split()


@keras.saving.register_keras_serializable("course_lib")
class AttentionPooling(keras.layers.Layer):
    """A weighted mean of the states over time; the weights are learned from each state, and padding has weight 0.

    Source: attention without a query, D. Bahdanau et al. 2015 (additive score), C. Raffel and D. Ellis 2015 (feed-forward form).
    """

    def build(self, shape):
        self.score = keras.layers.Dense(1, use_bias=False, name="score")  # a bias would cancel in the softmax
        self.score.build(shape)
        self.built = True

    def call(self, states, mask=None):
        return keras.ops.sum(self.weights_over_time(states, mask) * states, axis=1)

    def weights_over_time(self, states, mask=None):
        """The weight of each frame.

        Args: states: `[batch, time, units]`; mask: `[batch, time]`, or None where no frame is padding.
        Returns: float32 `[batch, time, 1]`, sum 1 over time.
        """
        scores = self.score(keras.ops.tanh(states))
        if mask is not None:
            scores = keras.ops.where(mask[..., None], scores, -1e9)
        powers = keras.ops.exp(scores - keras.ops.max(scores, axis=1, keepdims=True))  # Keras's softmax warns of a clip of one frame
        return powers / keras.ops.sum(powers, axis=1, keepdims=True)

    def compute_mask(self, states, mask=None):
        return None  # no time is left


@keras.saving.register_keras_serializable("course_lib")
class MaskedConvolutions(keras.layers.Layer):
    """Convolutions over time and frequency, each of which halves both, in which padding stays zero and is never counted.

    Args: filters: patterns of each convolution. Each is 3 by 3, in steps of 2, and followed by batch normalisation and ReLU.
    Input: `[batch, time, bands]` and its mask. Output: `[batch, time / 2**n, features]` for n convolutions, rounded up, and its mask.
    """

    def __init__(self, filters, *, name=None, trainable=True, dtype=None):
        super().__init__(name=name, trainable=trainable, dtype=dtype)
        self.filters, self.supports_masking = tuple(filters), True

    def build(self, shape):
        self.normalise_bands = keras.layers.BatchNormalization(momentum=MOMENTUM, name="normalise_bands")
        self.normalise_bands.build([None, None, shape[-1]])
        self.convolve, self.normalise, channels = [], [], 1  # lists of layers, which every Keras saves
        for number, filters in enumerate(self.filters):
            convolve = keras.layers.Conv2D(filters, 3, strides=2, use_bias=False, name=f"convolve_{number}")
            normalise = keras.layers.BatchNormalization(momentum=MOMENTUM, name=f"normalise_{number}")
            convolve.build([None, None, None, channels])
            normalise.build([None, None, None, filters])
            self.convolve.append(convolve)
            self.normalise.append(normalise)
            channels = filters
        self.built = True

    def call(self, frames, mask=None, training=False):
        mask = keras.ops.ones(keras.ops.shape(frames)[:2], bool) if mask is None else mask
        image = self.normalise_bands(frames, mask=mask, training=training)[..., None]
        for convolve, normalise in zip(self.convolve, self.normalise):
            image = image * keras.ops.cast(mask, image.dtype)[:, :, None, None]  # padding is what lies beyond the edges: zero
            image = convolve(keras.ops.pad(image, [(0, 0), (1, 1), (1, 1), (0, 0)]))  # "same" would begin elsewhere at odd lengths
            mask = mask[:, ::2]
            everywhere = keras.ops.broadcast_to(mask[:, :, None], keras.ops.shape(image)[:3])
            image = keras.ops.relu(normalise(image, mask=everywhere, training=training))
        batch, time = keras.ops.shape(image)[:2]
        return keras.ops.reshape(image, [batch, time, self.compute_output_shape(frames.shape)[-1]])

    def compute_mask(self, frames, mask=None):
        return None if mask is None else mask[:, :: 2 ** len(self.filters)]

    def compute_output_shape(self, shape):
        halved = [None if size is None else -(-size // 2 ** len(self.filters)) for size in shape[1:]]
        return (shape[0], halved[0], halved[1] * self.filters[-1])

    def get_config(self):
        return super().get_config() | {"filters": self.filters}


BUILDERS = {
    "average": average,
    "rnn": rnn,
    "lstm": lstm,
    "gru": gru,
    "bidirectional": bidirectional,
    "stacked": stacked,
    "attention": attention,
    "crnn": crnn,
}


def _masked_frames(n_mels):
    """The input, and its frames with a mask and on a scale of about -2 to 2."""
    clip = keras.Input([None, n_mels], name="frames")
    frames = keras.layers.Masking(PADDING, name="mask")(clip)
    scale = keras.layers.Rescaling(1 / SPREAD_LOG_MEL, -TYPICAL_LOG_MEL / SPREAD_LOG_MEL, name="scale")
    return clip, scale(frames)


def _logits(name, clip, summary, n_classes):
    return keras.Model(clip, keras.layers.Dense(n_classes, name="logits")(summary), name=name)
