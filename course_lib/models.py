"""One builder for each architecture: number of classes → an uncompiled Keras model with logits.

Every model takes batches `[batch, time, N_MELS]` padded with PADDING; its first layer makes the mask.
"""

import keras

from course_lib.audio import N_MELS
from course_lib.batches import PADDING

TYPICAL_LOG_MEL = -5.0  # natural log of mel energy: the middle of speech
SPREAD_LOG_MEL = 4.0  # natural log of mel energy: one standard deviation


def average(n_classes, *, n_mels=N_MELS):
    """The baseline that is blind to order: mean and mean square of each band over the clip, then a logistic layer.

    Returns: an uncompiled `keras.Model`, float32 `[batch, time, n_mels]` → logits `[batch, n_classes]`.
    """
    clip, frames = _masked_frames(n_mels)
    squares = keras.layers.Multiply(name="squares")([frames, frames])
    both = keras.layers.Concatenate(name="frames_and_squares")([frames, squares])
    return _logits("average", clip, keras.layers.GlobalAveragePooling1D(name="mean_over_time")(both), n_classes)


def rnn(n_classes, *, units=64, n_mels=N_MELS):
    """A vanilla RNN that reads the frames in order and answers from its last state.

    Returns: an uncompiled `keras.Model`, float32 `[batch, time, n_mels]` → logits `[batch, n_classes]`.
    """
    clip, frames = _masked_frames(n_mels)
    return _logits("rnn", clip, keras.layers.SimpleRNN(units, name="rnn")(frames), n_classes)


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


BUILDERS = {"average": average, "rnn": rnn, "lstm": lstm, "gru": gru, "bidirectional": bidirectional}


def _masked_frames(n_mels):
    """The input, and its frames with a mask and on a scale of about -2 to 2."""
    clip = keras.Input([None, n_mels], name="frames")
    frames = keras.layers.Masking(PADDING, name="mask")(clip)
    scale = keras.layers.Rescaling(1 / SPREAD_LOG_MEL, -TYPICAL_LOG_MEL / SPREAD_LOG_MEL, name="scale")
    return clip, scale(frames)


def _logits(name, clip, summary, n_classes):
    return keras.Model(clip, keras.layers.Dense(n_classes, name="logits")(summary), name=name)
