"""What happens inside a model while it reads one clip: gradients, gates and states, running answers, attention."""

import keras
import numpy as np
import tensorflow as tf

from course_lib import evaluation
from course_lib.models import AttentionPooling

RECURRENT = (keras.layers.SimpleRNN, keras.layers.LSTM, keras.layers.GRU)


def gradient_by_frame(model, frames, label):
    """How strongly each frame of a clip could change the loss: the norm of the loss's gradient with respect to it.

    Args: frames: float32 `[frames, mels]`; label: the number of the clip's class.
    Returns: float64 `[frames]`, in units of loss per unit of log energy.
    """

    def gradient(clip, label):
        with tf.GradientTape() as tape:
            tape.watch(clip)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=model(clip, training=False))
        return tape.gradient(loss, clip)

    traced = _kept(model, "gradient", lambda: _traced(gradient, tf.TensorSpec([1, None, frames.shape[1]]), tf.TensorSpec([1], tf.int32)))
    return np.linalg.norm(np.float64(traced(tf.constant(frames[None]), tf.constant([label], tf.int32))[0]), axis=1)


def gates(model, frames):
    """What the first recurrent layer of a model computes at each frame of a clip, worked out from its weights.

    Args: model: one with a SimpleRNN, LSTM or GRU as a layer of its own; frames: float32 `[frames, mels]`.
    Returns: a dict of float32 `[frames, units]`: state; of an LSTM input, forget, output, candidate, cell, too; of a GRU update, reset, candidate.
    Raises: ValueError if the model has no such layer.
    """
    layer = next((layer for layer in model.layers if isinstance(layer, RECURRENT)), None)
    if layer is None:
        raise ValueError(f"expected a SimpleRNN, LSTM or GRU layer, found {[type(layer).__name__ for layer in model.layers]}")
    step = {keras.layers.SimpleRNN: _rnn_step, keras.layers.LSTM: _lstm_step, keras.layers.GRU: _gru_step}[type(layer)]
    inputs = _input_of(layer, model, frames).numpy()[0]
    weights = [weight.numpy() for weight in layer.weights]
    values = {"state": np.zeros(layer.units, np.float32), "cell": np.zeros(layer.units, np.float32)}
    steps = []
    for frame in inputs:
        values = step(frame, values, layer, *weights)
        steps.append(values)
    return {name: np.stack([values[name] for values in steps]) for name in steps[0]}


def running_probabilities(model, frames):
    """A model's answer to each beginning of a clip: to its first frame, its first two, and so on to the whole.

    Args: frames: float32 `[frames, mels]`.
    Returns: float32 `[frames, classes]`, probabilities.
    """
    logits = evaluation.predict(model, [frames[:count] for count in range(1, len(frames) + 1)])
    return tf.nn.softmax(logits).numpy()


def settled(probabilities):
    """The moment of decision: how many frames were heard when the most probable class changed for the last time.

    Args: probabilities: `[frames, classes]`, as `running_probabilities` gives.
    Returns: an integer from 1 to the number of frames.
    """
    answers = np.argmax(probabilities, axis=1)
    return int(np.flatnonzero(np.append(True, answers[1:] != answers[:-1]))[-1]) + 1


def attention(model, frames):
    """How much each frame's state weighs in the answer of a model with attention pooling.

    Args: frames: float32 `[frames, mels]`.
    Returns: float32 `[frames]`, sum 1.
    Raises: ValueError if the model has no AttentionPooling layer.
    """
    layer = next((layer for layer in model.layers if isinstance(layer, AttentionPooling)), None)
    if layer is None:
        raise ValueError(f"expected an AttentionPooling layer, found {[type(layer).__name__ for layer in model.layers]}")
    return layer.weights_over_time(_input_of(layer, model, frames)).numpy()[0, :, 0]


def _input_of(layer, model, frames):
    """What a layer of the model is given for one clip, `[1, frames, values]`."""

    def trace():
        upstream = keras.Model(model.inputs[0], keras.tree.flatten(layer.input)[0])
        return _traced(lambda clip: upstream(clip, training=False), tf.TensorSpec([1, None, frames.shape[1]]))

    return _kept(model, f"input_of_{layer.name}", trace)(tf.constant(frames[None]))


def _traced(function, *shapes):
    """A function that TensorFlow has traced once, for clips of all lengths."""
    return tf.function(function, input_signature=shapes, autograph=False).get_concrete_function()


def _kept(model, name, make):
    """What was made of a model earlier under this name, or else make it now and keep it with the model."""
    name = f"_{name}_of_course_lib"
    if not hasattr(model, name):
        setattr(model, name, make())
    return getattr(model, name)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _rnn_step(frame, before, layer, kernel, recurrent, bias):
    return {"state": np.tanh(frame @ kernel + before["state"] @ recurrent + bias)}


def _lstm_step(frame, before, layer, kernel, recurrent, bias):
    entering, forget, candidate, output = np.split(frame @ kernel + before["state"] @ recurrent + bias, 4)
    gate = {"input": _sigmoid(entering), "forget": _sigmoid(forget), "output": _sigmoid(output), "candidate": np.tanh(candidate)}
    cell = gate["forget"] * before["cell"] + gate["input"] * gate["candidate"]
    return {**gate, "cell": cell, "state": gate["output"] * np.tanh(cell)}


def _gru_step(frame, before, layer, kernel, recurrent, bias):
    bias, recurrent_bias = bias if layer.reset_after else (bias, np.zeros_like(bias))
    update, reset, candidate = np.split(frame @ kernel + bias, 3)
    of_update, of_reset, of_candidate = np.split(recurrent, 3, axis=1)
    update_bias, reset_bias, candidate_bias = np.split(recurrent_bias, 3)
    update = _sigmoid(update + before["state"] @ of_update + update_bias)
    reset = _sigmoid(reset + before["state"] @ of_reset + reset_bias)
    if layer.reset_after:
        past = reset * (before["state"] @ of_candidate + candidate_bias)
    else:
        past = (reset * before["state"]) @ of_candidate
    candidate = np.tanh(candidate + past)
    return {"update": update, "reset": reset, "candidate": candidate, "state": update * before["state"] + (1 - update) * candidate}
