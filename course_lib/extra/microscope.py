"""What happens inside a model while it reads one clip: gradients, gates and states, attention.

Clips are float32 `[frames, mels]`.
"""

import keras
import numpy as np
import tensorflow as tf

from course_lib import batches, evaluation, models

FEW = 3  # frames: after so many the states of `gates` are compared with those of the layer


def gradient_by_frame(model: keras.Model, frames: np.ndarray, label: int) -> np.ndarray:
    """Measure the norm of the loss's gradient at each frame.

    float64 `[frames]`, in units of loss per unit of log energy.
    """
    [frames] = batches.check([frames])
    n_classes = getattr(model, "output_shape", [None])[-1]  # None: a subclass has no shape
    if n_classes is not None and not 0 <= label < n_classes:
        raise ValueError(f"expected a label of 0 to {n_classes - 1}, found {label}")
    traced = models.made_once(_gradient, model, frames.shape[1])
    gradient = traced(tf.constant(frames[None]), tf.constant([label], tf.int32))
    return np.linalg.norm(np.float64(gradient[0]), axis=1)


def gates(model: keras.Model, frames: np.ndarray) -> dict[str, np.ndarray]:
    """Work out from its weights what the first recurrent layer computes at each frame.

    float32 `[frames, units]` by name: state; of an LSTM input, forget, output, candidate and cell,
    too; of a GRU update, reset and candidate.

    Raises:
        ValueError: There is no such layer, or it does not read each frame, from the first to the
            last, beginning with zeros.
    """
    layer = _first(model, keras.layers.RNN, keras.layers.Bidirectional)
    if type(layer) not in STEPS:
        kinds = " or ".join(kind.__name__ for kind in STEPS)
        found = f"'{layer.name}' ({type(layer).__name__})"
        raise ValueError(f"expected {kinds} as the first recurrent layer, found {found}")
    inputs = [each for each in keras.tree.flatten(layer.input) if each.dtype != "bool"]  # no mask
    if layer.stateful or len(inputs) > 1:
        raise ValueError(f"expected states that begin with zeros, found others in '{layer.name}'")
    given, step, cell = _input_of(layer, model, frames), STEPS[type(layer)], layer.cell
    kernel, recurrent = cell.kernel.numpy(), cell.recurrent_kernel.numpy()
    bias = np.zeros([2, kernel.shape[1]], np.float32)  # of the input; with reset_after, of the past
    if cell.bias is not None:
        bias = np.atleast_2d(cell.bias.numpy())
    values = dict.fromkeys(["state", "cell"], np.zeros(layer.units, np.float32))
    steps = []
    for drive in given[0].numpy() @ kernel + bias[0]:
        values = step(drive, values, cell, recurrent, bias)
        steps.append(values)
    found = {name: np.stack([values[name] for values in steps]) for name in values}
    _compare(found["state"], layer, given)
    return found


def running_probabilities(model: keras.Model, frames: np.ndarray) -> np.ndarray:
    """Answer each beginning of a clip, from its first frame to the whole: `[frames, classes]`."""
    beginnings = [frames[:count] for count in range(1, len(frames) + 1)]
    return tf.nn.softmax(evaluation.predict(model, beginnings)).numpy()


def attention(model: keras.Model, frames: np.ndarray) -> np.ndarray:
    """Look up how much each frame's state weighs in the answer: `[frames]`, sum 1.

    Raises:
        ValueError: The model has no AttentionPooling layer.
    """
    layer = _first(model, models.AttentionPooling)
    return layer.weights_over_time(_input_of(layer, model, frames)).numpy()[0, :, 0]


def _first(model, *kinds):
    """The first layer of one of these kinds."""
    if not getattr(model, "inputs", None):
        found = f"a subclass, {type(model).__name__}"
        raise ValueError(f"expected a functional or Sequential model, found {found}")
    for layer in model.layers:
        if isinstance(layer, kinds):
            return layer
    wanted = " or ".join(kind.__name__ for kind in kinds)
    found = [type(layer).__name__ for layer in model.layers]
    raise ValueError(f"expected a layer of kind {wanted}, found {found}")


def _gradient(model, n_mels):
    """The gradient of the loss with respect to the frames, traced once for all lengths."""
    signature = [tf.TensorSpec([1, None, n_mels]), tf.TensorSpec([1], tf.int32)]

    def gradient(clip, label):
        with tf.GradientTape() as tape:
            tape.watch(clip)
            logits = model(clip, training=False)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=logits)
        return tape.gradient(loss, clip)

    traced = tf.function(gradient, input_signature=signature, autograph=False)
    return traced.get_concrete_function()


def _input_of(layer, model, frames):
    """What a layer is given for one clip, `[1, frames, values]`, each of which must count."""
    given = models.made_once(_before, model, layer)(np.stack(batches.check([frames])))
    mask = getattr(given, "_keras_mask", None)
    if mask is not None and not np.all(mask):
        hidden = f"{np.sum(~mask.numpy())} that the model takes for padding"
        raise ValueError(f"expected frames that count, found {hidden}")
    return given


def _before(model, layer):
    """The model as far as the input of one of its layers."""
    return keras.Model(model.inputs[0], keras.tree.flatten(layer.input)[0])


def _compare(states, layer, given):
    """Refuse a layer that computes something else than its weights say by default."""
    few = given[:, :FEW]
    by_keras = np.float32(keras.tree.flatten(layer(few))[0])[0]
    last = by_keras[-1] if layer.return_sequences else by_keras
    change = np.abs(states[few.shape[1] - 1] - last).max()
    if not change <= evaluation.tolerance(layer, last):
        expected = f"'{layer.name}' to read forward, frame by frame"
        raise ValueError(f"expected {expected}, found states that differ by {change:.2g}")


def _activated(activation, sums):
    return keras.ops.convert_to_numpy(activation(sums))


def _rnn_step(drive, before, cell, recurrent, bias):
    return {"state": _activated(cell.activation, drive + before["state"] @ recurrent)}


def _lstm_step(drive, before, cell, recurrent, bias):
    sums = np.split(drive + before["state"] @ recurrent, 4)
    names = {"input": sums[0], "forget": sums[1], "output": sums[3]}
    gate = {name: _activated(cell.recurrent_activation, each) for name, each in names.items()}
    candidate = _activated(cell.activation, sums[2])
    now = gate["forget"] * before["cell"] + gate["input"] * candidate
    state = gate["output"] * _activated(cell.activation, now)
    return {**gate, "candidate": candidate, "cell": now, "state": state}


def _gru_step(drive, before, cell, recurrent, bias):
    drives, biases = np.split(drive, 3), [np.float32(0)] * 3
    if cell.reset_after:
        biases = np.split(bias[1], 3)
    of_update, of_reset, of_candidate = np.split(recurrent, 3, axis=1)
    update = drives[0] + before["state"] @ of_update + biases[0]
    reset = drives[1] + before["state"] @ of_reset + biases[1]
    update, reset = (_activated(cell.recurrent_activation, each) for each in (update, reset))
    if cell.reset_after:
        past = reset * (before["state"] @ of_candidate + biases[2])
    else:
        past = (reset * before["state"]) @ of_candidate
    candidate = _activated(cell.activation, drives[2] + past)
    state = update * before["state"] + (1 - update) * candidate
    return {"update": update, "reset": reset, "candidate": candidate, "state": state}


STEPS = {
    keras.layers.SimpleRNN: _rnn_step,
    keras.layers.LSTM: _lstm_step,
    keras.layers.GRU: _gru_step,
}
