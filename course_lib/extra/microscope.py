"""What happens inside a model while it reads one clip: gradients, gates and states, attention.

Clips are float32 `[frames, mels]`.
"""

import functools

import keras
import numpy as np
import tensorflow as tf
from scipy.special import expit as sigmoid

from course_lib import evaluation, models


def gradient_by_frame(model: keras.Model, frames: np.ndarray, label: int) -> np.ndarray:
    """Measure the norm of the loss's gradient at each frame.

    float64 `[frames]`, in units of loss per unit of log energy.
    """
    traced = _gradient(model, frames.shape[1])
    gradient = traced(tf.constant(frames[None]), tf.constant([label], tf.int32))
    return np.linalg.norm(np.float64(gradient[0]), axis=1)


def gates(model: keras.Model, frames: np.ndarray) -> dict[str, np.ndarray]:
    """Work out from its weights what the first recurrent layer computes at each frame.

    float32 `[frames, units]` by name: state; of an LSTM input, forget, output, candidate and cell,
    too; of a GRU update, reset and candidate. ValueError if there is no such layer.
    """
    layer = _first(model, *STEPS)
    step, weights = STEPS[type(layer)], [weight.numpy() for weight in layer.weights]
    values = dict.fromkeys(["state", "cell"], np.zeros(layer.units, np.float32))
    steps = []
    for frame in _input_of(layer, model, frames)[0].numpy():
        values = step(frame, values, layer, *weights)
        steps.append(values)
    return {name: np.stack([values[name] for values in steps]) for name in values}


def running_probabilities(model: keras.Model, frames: np.ndarray) -> np.ndarray:
    """Answer each beginning of a clip, from its first frame to the whole: `[frames, classes]`."""
    beginnings = [frames[:count] for count in range(1, len(frames) + 1)]
    return tf.nn.softmax(evaluation.predict(model, beginnings)).numpy()


def settled(probabilities: np.ndarray) -> int:
    """Count the frames heard when the most probable class changed for the last time, from 1."""
    answers = np.argmax(probabilities, axis=1)
    changes = np.flatnonzero(np.diff(answers)) + 1
    return int(changes[-1]) + 1 if len(changes) else 1


def attention(model: keras.Model, frames: np.ndarray) -> np.ndarray:
    """Look up how much each frame's state weighs in the answer: `[frames]`, sum 1.

    Raises:
        ValueError: The model has no AttentionPooling layer.
    """
    layer = _first(model, models.AttentionPooling)
    return layer.weights_over_time(_input_of(layer, model, frames)).numpy()[0, :, 0]


def _first(model, *kinds):
    """The first layer of one of these kinds."""
    for layer in model.layers:
        if isinstance(layer, kinds):
            return layer
    wanted = " or ".join(kind.__name__ for kind in kinds)
    found = [type(layer).__name__ for layer in model.layers]
    raise ValueError(f"expected a layer of kind {wanted}, found {found}")


@functools.lru_cache(maxsize=32)
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
    """What a layer is given for one clip, `[1, frames, values]`."""
    return models.forward(_before(layer, model))(tf.constant(frames[None]))


@functools.lru_cache(maxsize=32)
def _before(layer, model):
    """The model as far as the input of one of its layers."""
    return keras.Model(model.inputs[0], keras.tree.flatten(layer.input)[0])


def _rnn_step(frame, before, layer, kernel, recurrent, bias):
    return {"state": np.tanh(frame @ kernel + before["state"] @ recurrent + bias)}


def _lstm_step(frame, before, layer, kernel, recurrent, bias):
    sums = np.split(frame @ kernel + before["state"] @ recurrent + bias, 4)
    gate = {"input": sigmoid(sums[0]), "forget": sigmoid(sums[1]), "output": sigmoid(sums[3])}
    candidate = np.tanh(sums[2])
    cell = gate["forget"] * before["cell"] + gate["input"] * candidate
    state = gate["output"] * np.tanh(cell)
    return {**gate, "candidate": candidate, "cell": cell, "state": state}


def _gru_step(frame, before, layer, kernel, recurrent, bias):
    bias, recurrent_bias = bias if layer.reset_after else (bias, np.zeros_like(bias))
    update, reset, candidate = np.split(frame @ kernel + bias, 3)
    of_update, of_reset, of_candidate = np.split(recurrent, 3, axis=1)
    update_bias, reset_bias, candidate_bias = np.split(recurrent_bias, 3)
    update = sigmoid(update + before["state"] @ of_update + update_bias)
    reset = sigmoid(reset + before["state"] @ of_reset + reset_bias)
    if layer.reset_after:
        past = reset * (before["state"] @ of_candidate + candidate_bias)
    else:
        past = (reset * before["state"]) @ of_candidate
    candidate = np.tanh(candidate + past)
    state = update * before["state"] + (1 - update) * candidate
    return {"update": update, "reset": reset, "candidate": candidate, "state": state}


STEPS = {
    keras.layers.SimpleRNN: _rnn_step,
    keras.layers.LSTM: _lstm_step,
    keras.layers.GRU: _gru_step,
}
