"""One step of a model in time, with its state in the open: what a stream and an exported file are made of."""

import keras
import numpy as np
import tensorflow as tf

from course_lib.models import AttentionPooling

L = keras.layers
PER_FRAME = (  # layers that treat every frame alike, whatever comes before and after it
    *(L.Masking, L.Rescaling, L.Normalization, L.BatchNormalization, L.LayerNormalization, L.Dense, L.TimeDistributed),
    *(L.Activation, L.ReLU, L.Dropout, L.SpatialDropout1D, L.GaussianNoise, L.Concatenate, L.Multiply, L.Add, L.Subtract),
)


class Step:
    """One step of a model in time: a frame and the state before it → logits and the state after it.

    Args: model: a functional Keras model, `[batch, time, mels]` → logits, whose layers look at a frame and at what came before it.
    Attributes: n_mels; initial: a dict of float32 `[1, size]`, zeros, the state before the first frame.
    Raises: ValueError that names a layer that needs the whole clip, or several frames at once.
    """

    def __init__(self, model):
        self.n_mels, self.model = model.input_shape[-1], model
        self.layers = [layer for layer in model.layers if not isinstance(layer, L.InputLayer)]
        _check_joints(model, self.layers)
        sizes = {_name(layer, part): size for layer in self.layers for part, size in _state_sizes(layer).items()}
        self.initial = {name: np.zeros([1, size], np.float32) for name, size in sizes.items()}

    def __call__(self, frame, state):
        """Take one frame.

        Args: frame: float32 `[1, mels]`; state: a dict such as `initial`.
        Returns: logits `[1, classes]`, and the next state, a dict.
        """
        values, after = {id(self.model.inputs[0]): frame[:, None]}, {}
        for layer in self.layers:
            before = [state[_name(layer, part)] for part in _state_sizes(layer)]
            given = [values[id(tensor)] for tensor in _inputs(layer)]
            values[id(layer.output)], now = _advance(layer, given if len(given) > 1 else given[0], before)
            after |= {_name(layer, part): value for part, value in zip(_state_sizes(layer), now)}
        return tf.reshape(values[id(self.model.outputs[0])], [1, -1]), after


def _check_joints(model, layers):
    """An error if arithmetic stands between two layers: what it does with each frame cannot be looked up."""
    made = {id(tensor) for tensor in [model.inputs[0], *(layer.output for layer in layers)]}
    for tensor in [*(tensor for layer in layers for tensor in _inputs(layer)), model.outputs[0]]:
        if id(tensor) not in made:
            maker = next(operation.name for operation in model.operations if operation.output is tensor)
            raise ValueError(f"expected layers alone, found the operation '{maker}' between them: write it as a layer, such as Rescaling or Add")


def _inputs(layer):
    """The tensors that a layer reads, without their masks."""
    return [tensor for tensor in keras.tree.flatten(layer.input) if "float" in tensor.dtype]


def _name(layer, part):
    return f"{layer.name}_{part}"


def _state_sizes(layer):
    """What a layer must remember from frame to frame: a dict of name → size. An error if no memory of a fixed size is enough."""
    shapes = [tensor.shape for tensor in _inputs(layer)]
    if isinstance(layer, L.RNN) and not layer.go_backwards and not layer.return_state:
        return {f"state_{number}": size for number, size in enumerate(keras.tree.flatten(layer.cell.state_size))}
    if isinstance(layer, L.GlobalAveragePooling1D):
        return {"mean": shapes[0][-1], "frames": 1}
    if isinstance(layer, AttentionPooling):
        return {"mean": shapes[0][-1], "weight": 1, "peak": 1}
    if not isinstance(layer, PER_FRAME) and any(len(shape) > 2 for shape in shapes):
        raise ValueError(f"expected layers that look only at a frame and back, found '{layer.name}' ({type(layer).__name__})")
    return {}


def _advance(layer, given, before):
    """A layer's value at this frame, and what it remembers. Sequences are `[1, 1, features]`, all else `[1, features]`."""
    if isinstance(layer, L.RNN):
        state = keras.tree.pack_sequence_as(layer.cell.state_size, before)
        value, after = layer.cell(given[:, 0], state if isinstance(state, (list, tuple)) else [state], training=False)
        return value[:, None] if layer.return_sequences else value, keras.tree.flatten(after)
    if isinstance(layer, L.GlobalAveragePooling1D):
        mean, frames = before
        mean = mean + (given[:, 0] - mean) / (frames + 1)
        return mean[:, None] if layer.keepdims else mean, [mean, frames + 1]
    if isinstance(layer, AttentionPooling):
        mean, weight, before_peak = before
        score = layer.score(tf.tanh(given[:, 0]))
        peak = tf.maximum(score, before_peak)
        old, new = weight * tf.exp(before_peak - peak), tf.exp(score - peak)
        mean = mean + (given[:, 0] - mean) * new / (old + new)
        return mean, [mean, old + new, peak]
    return given if isinstance(layer, L.Masking) else layer(given), []  # a stream has no padding
