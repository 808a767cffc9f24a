"""A model that looks only back, as plain records, and one step of it in time, in NumPy.

A Keras model is read by the names and weights of its layers: neither Keras nor TensorFlow is
imported here, so that a small computer can listen without them.
"""

import functools
from typing import NamedTuple

import numpy as np
from scipy import special

INPUT = "frame"  # what a model's first layer reads


class Record(NamedTuple):
    """A layer as plain data: what it computes (see PER_FRAME and OVER_TIME), and from what."""

    name: str
    kind: str
    inputs: list[str]  # names of layers, or INPUT
    settings: dict  # of text and numbers
    weights: dict[str, np.ndarray]  # float32


class Step:
    """One step of a model in NumPy: frames and the state before them → logits, the next state.

    `initial` is the state before the first frame: a dict of layer name → array.

    Args:
        records: As `read_keras` gives.
        n_mels: The size of a frame.
    """

    def __init__(self, records: list[Record], n_mels: int):
        self.records, self.n_mels = records, n_mels
        with_state = [record for record in records if record.kind in OVER_TIME]
        self.initial = {record.name: _before_the_first(record) for record in with_state}
        silence = np.zeros([1, n_mels], np.float32)
        self.n_classes = self(silence, self.initial)[0].shape[1]

    def __call__(self, frames: np.ndarray, state: dict) -> tuple[np.ndarray, dict]:
        """Take some frames `[frames, mels]`: logits `[frames, classes]`, and the next state."""
        rows, after = {INPUT: frames}, {}
        for name, kind, inputs, settings, weights in self.records:
            values = [rows[each] for each in inputs]
            if kind in OVER_TIME:
                run = OVER_TIME[kind]
                rows[name], after[name] = run(values[0], state[name], settings, weights)
            else:
                rows[name] = PER_FRAME[kind](values, settings, weights)
        return rows[name], after


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits `[…, classes]` into probabilities."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


ACTIVATIONS = {
    "linear": lambda x: x,
    "tanh": np.tanh,
    "sigmoid": special.expit,
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "relu": lambda x: np.maximum(x, 0),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "silu": lambda x: x * special.expit(x),
    "softplus": lambda x: np.logaddexp(x, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "softmax": softmax,
}


def _layer_normalization(inputs, settings, weights):
    [rows] = inputs
    away = rows - rows.mean(axis=1, keepdims=True)
    variance = (away**2).mean(axis=1, keepdims=True)
    return away / np.sqrt(variance + settings["epsilon"]) * weights["gamma"] + weights["beta"]


def _relu(inputs, settings, _):
    [rows], threshold, most = inputs, settings["threshold"], settings["max_value"]
    above = rows if most is None else np.minimum(rows, most)
    return np.where(rows >= threshold, above, settings["negative_slope"] * (rows - threshold))


def _dense(inputs, settings, weights):
    [rows] = inputs
    return ACTIVATIONS[settings["activation"]](rows @ weights["kernel"] + weights["bias"])


PER_FRAME = {  # kind → inputs (each `[frames, features]`), settings, weights → `[frames, features]`
    "identity": lambda inputs, *_: inputs[0],
    "affine": lambda inputs, _, weights: inputs[0] * weights["scale"] + weights["offset"],
    "layer_normalization": _layer_normalization,
    "activation": lambda inputs, settings, _: ACTIVATIONS[settings["activation"]](inputs[0]),
    "relu": _relu,
    "dense": _dense,
    "concatenate": lambda inputs, *_: np.concatenate(inputs, axis=1),
    "add": lambda inputs, *_: functools.reduce(np.add, inputs),
    "subtract": lambda inputs, *_: functools.reduce(np.subtract, inputs),
    "multiply": lambda inputs, *_: functools.reduce(np.multiply, inputs),
}


def _rnn(rows, h, settings, weights):
    activation, recurrent = ACTIVATIONS[settings["activation"]], weights["recurrent"]
    states = np.empty([len(rows), len(recurrent)], np.float32)
    for number, drive in enumerate(rows @ weights["kernel"] + weights["bias"]):
        h = activation(drive + h @ recurrent)
        states[number] = h
    return states, h


def _lstm(rows, state, settings, weights):
    (h, c), recurrent = state, weights["recurrent"]
    activation = ACTIVATIONS[settings["activation"]]
    sigmoid = ACTIVATIONS[settings["recurrent_activation"]]
    units = len(recurrent)
    states = np.empty([len(rows), units], np.float32)
    for number, drive in enumerate(rows @ weights["kernel"] + weights["bias"]):
        gates = drive + h @ recurrent  # in, forget, candidate, out
        in_and_forget, out = sigmoid(gates[: 2 * units]), sigmoid(gates[3 * units :])
        candidate = activation(gates[2 * units : 3 * units])
        c = in_and_forget[units:] * c + in_and_forget[:units] * candidate
        h = out * activation(c)
        states[number] = h
    return states, np.stack([h, c])


def _gru(rows, h, settings, weights):
    activation = ACTIVATIONS[settings["activation"]]
    sigmoid = ACTIVATIONS[settings["recurrent_activation"]]
    recurrent, recurrent_bias = weights["recurrent"], weights["recurrent_bias"]
    units = len(recurrent)
    states = np.empty([len(rows), units], np.float32)
    for number, drive in enumerate(rows @ weights["kernel"] + weights["bias"]):
        inside = h @ recurrent + recurrent_bias
        gates = sigmoid(drive[: 2 * units] + inside[: 2 * units])
        update, reset = gates[:units], gates[units:]
        candidate = activation(drive[2 * units :] + reset * inside[2 * units :])
        h = candidate + update * (h - candidate)
        states[number] = h
    return states, h


def _gru_reset_before(rows, h, settings, weights):
    activation = ACTIVATIONS[settings["activation"]]
    sigmoid = ACTIVATIONS[settings["recurrent_activation"]]
    units = len(weights["recurrent"])
    to_gates, to_candidate = np.split(weights["recurrent"], [2 * units], axis=1)
    states = np.empty([len(rows), units], np.float32)
    for number, drive in enumerate(rows @ weights["kernel"] + weights["bias"]):
        gates = sigmoid(drive[: 2 * units] + h @ to_gates)
        update, reset = gates[:units], gates[units:]
        candidate = activation(drive[2 * units :] + (reset * h) @ to_candidate)
        h = candidate + update * (h - candidate)
        states[number] = h
    return states, h


def _mean(rows, state, *_):
    """The mean so far: `state` is the mean, and of how many frames."""
    before, frames = state[:-1], state[-1]
    counts = frames + 1 + np.arange(len(rows))
    means = (frames * before + np.cumsum(rows, axis=0, dtype=float)) / counts[:, None]
    return means.astype(np.float32), np.append(means[-1], counts[-1])


def _attention(rows, state, _, weights):
    """The softmax over all frames so far, kept up to date: mean, sum of weights, highest score."""
    mean, weight, peak = state[:-2], state[-2], state[-1]
    means = np.empty_like(rows)
    for number, [score] in enumerate(np.tanh(rows) @ weights["score"]):
        before, peak = peak, max(peak, float(score))
        old, new = weight * np.exp(before - peak), np.exp(score - peak)
        weight = old + new
        mean = mean + (rows[number] - mean) * (new / weight)
        means[number] = mean
    return means, np.concatenate([mean, [weight, peak]])


OVER_TIME = {  # kind → `[frames, features]`, state, settings, weights → the same, the next state
    "rnn": _rnn,
    "lstm": _lstm,
    "gru": _gru,
    "gru_reset_before": _gru_reset_before,
    "mean": _mean,
    "attention": _attention,
}


def _before_the_first(record):
    """The state of a layer before the first frame."""
    if record.kind == "mean":
        return np.zeros(record.settings["size"] + 1)
    if record.kind == "attention":
        return np.append(np.zeros(len(record.weights["score"]) + 1), -np.inf)
    units = len(record.weights["recurrent"])
    return np.zeros([2, units] if record.kind == "lstm" else units, np.float32)


def read_keras(model) -> tuple[list[Record], int]:
    """Read a Keras model that looks only back, as records in the order in which they run.

    Args:
        model: A functional or sequential one, `[batch, time, mels]` → logits.

    Returns:
        The records, and the size of a frame.

    Raises:
        ValueError: It names a layer that looks ahead, or one that NumPy does not know here.
    """
    if len(getattr(model, "inputs", [])) != 1 or len(model.outputs) != 1:
        expected = "expected a built Keras model with one input and one output"
        raise ValueError(f"{expected}, found {type(model).__name__}")
    names, records = {id(model.inputs[0]): INPUT}, []
    for layer in getattr(model, "operations", model.layers):
        if type(layer).__name__ == "InputLayer" or not _floats(layer.output):
            continue  # what is no float is about masks, and a stream has no padding
        if not hasattr(layer, "get_weights"):
            found = f"the operation '{layer.name}' between them"
            advice = "write it as a layer, such as Rescaling or Add"
            raise ValueError(f"expected layers alone, found {found}: {advice}")
        tensors = _floats(layer.input)
        kind, settings, weights = _read_layer(layer, [tensor.shape for tensor in tensors])
        if any(id(tensor) not in names for tensor in tensors):
            found = f"'{layer.name}' after one that is used twice"
            raise ValueError(f"expected layers that are used once, found {found}")
        inputs = [names[id(tensor)] for tensor in tensors]
        weights = {part: np.array(values, np.float32) for part, values in weights.items()}
        records.append(Record(layer.name, kind, inputs, settings, weights))
        names[id(layer.output)] = layer.name
    return records, model.inputs[0].shape[-1]


def _floats(tensors):
    """A list of tensors, without the masks among them."""
    tensors = tensors if isinstance(tensors, (list, tuple)) else [tensors]
    return [tensor for tensor in tensors if "float" in tensor.dtype]


def _read_layer(layer, shapes):
    """The kind, the settings and the weights of a layer that reads tensors of these shapes."""
    inner = layer.layer if type(layer).__name__ == "TimeDistributed" else layer
    from_keras_or_here = type(inner).__module__.split(".")[0] in ("keras", "course_lib")
    reader = READERS.get(type(inner).__name__) if from_keras_or_here else None
    ranks, axes = {len(shape) for shape in shapes}, np.atleast_1d(getattr(layer, "axis", -1))
    looks_ahead = (
        (reader is None and max(ranks) > 2)
        or any(axis not in (-1, max(ranks) - 1) for axis in axes)
        or len(ranks) > 1  # frames, and what is known after all of them
        or any(getattr(layer, name, None) == value for name, value in LOOKS_AHEAD.items())
    )
    found = f"'{layer.name}' ({type(layer).__name__})"
    if looks_ahead:
        raise ValueError(f"expected layers that look only at a frame and back, found {found}")
    if reader is None:
        advice = "Stream(litert.Step(model)) runs others in TensorFlow"
        raise ValueError(f"expected layers that NumPy knows here, found {found}: {advice}")
    return reader(inner)


def _name_of(activation, layer):
    """The name of an activation; raises if it is none of ACTIVATIONS."""
    name = activation.__name__
    if name not in ACTIVATIONS or not activation.__module__.startswith("keras."):
        expected = f"expected an activation of Keras among {', '.join(ACTIVATIONS)}"
        raise ValueError(f"{expected}, found {name} in '{layer.name}' ({type(layer).__name__})")
    return name


def _as_it_is(kind):
    """A reader of layers that have neither settings nor weights."""
    return lambda layer: (kind, {}, {})


def _read_dense(layer):
    bias = np.zeros(layer.units) if layer.bias is None else layer.bias
    settings = {"activation": _name_of(layer.activation, layer)}
    return "dense", settings, {"kernel": layer.kernel, "bias": bias}


def _read_rnn(layer):
    cell, settings = layer.cell, {"activation": _name_of(layer.activation, layer)}
    bias = np.zeros(cell.kernel.shape[1]) if cell.bias is None else cell.bias
    weights = {"kernel": cell.kernel, "recurrent": cell.recurrent_kernel, "bias": bias}
    return "rnn", settings, weights


def _read_lstm(layer):
    _, settings, weights = _read_rnn(layer)
    settings["recurrent_activation"] = _name_of(layer.recurrent_activation, layer)
    return "lstm", settings, weights


def _read_gru(layer):
    _, settings, weights = _read_lstm(layer)
    if not layer.cell.reset_after:
        return "gru_reset_before", settings, weights
    both = np.array(weights["bias"])  # one for the frame and one for the state, or zeros for both
    weights["bias"], weights["recurrent_bias"] = np.broadcast_to(both, [2, both.shape[-1]])
    return "gru", settings, weights


def _read_rescaling(layer):
    return "affine", {}, {"scale": layer.scale, "offset": layer.offset}


def _read_normalization(layer):
    mean, deviation = np.ravel(layer.mean), np.sqrt(np.ravel(layer.variance))
    if layer.invert:
        return "affine", {}, {"scale": deviation, "offset": mean}
    deviation = np.maximum(deviation, 1e-7)  # as Keras does
    return "affine", {}, {"scale": 1 / deviation, "offset": -mean / deviation}


def _read_batch_normalization(layer):
    mean, variance = np.array(layer.moving_mean), np.array(layer.moving_variance)
    scale = (layer.gamma if layer.scale else 1) / np.sqrt(variance + layer.epsilon)
    offset = (layer.beta if layer.center else 0) - mean * scale
    return "affine", {}, {"scale": scale, "offset": offset}


def _read_layer_normalization(layer):
    if layer.rms_scaling:
        expected = "expected a LayerNormalization without rms_scaling"
        raise ValueError(f"{expected}, found it in '{layer.name}'")
    weights = {
        "gamma": layer.gamma if layer.scale else 1,
        "beta": layer.beta if layer.center else 0,
    }
    return "layer_normalization", {"epsilon": layer.epsilon}, weights


def _read_activation(layer):
    return "activation", {"activation": _name_of(layer.activation, layer)}, {}


def _read_relu(layer):
    names = "max_value", "negative_slope", "threshold"
    settings = {name: getattr(layer, name) for name in names}
    return "relu", {name: None if v is None else float(v) for name, v in settings.items()}, {}


def _read_mean(layer):
    [frames] = _floats(layer.input)
    return "mean", {"size": frames.shape[-1]}, {}


def _read_attention(layer):
    return "attention", {}, {"score": layer.score.kernel}


LOOKS_AHEAD = {  # what a layer says of itself if it is none for a stream
    "go_backwards": True,
    "return_state": True,
    "keepdims": True,
    "data_format": "channels_first",
}
READERS = {  # class of Keras or of the course → layer → kind, settings and weights of its record
    "SimpleRNN": _read_rnn,
    "LSTM": _read_lstm,
    "GRU": _read_gru,
    "GlobalAveragePooling1D": _read_mean,
    "AttentionPooling": _read_attention,
    "Dense": _read_dense,
    "Activation": _read_activation,
    "ReLU": _read_relu,
    "Rescaling": _read_rescaling,
    "Normalization": _read_normalization,
    "BatchNormalization": _read_batch_normalization,
    "LayerNormalization": _read_layer_normalization,
    "Concatenate": _as_it_is("concatenate"),
    "Add": _as_it_is("add"),
    "Subtract": _as_it_is("subtract"),
    "Multiply": _as_it_is("multiply"),
    "Masking": _as_it_is("identity"),  # a stream has no padding
    "Dropout": _as_it_is("identity"),  # as these do nothing after the training
    "SpatialDropout1D": _as_it_is("identity"),
    "GaussianNoise": _as_it_is("identity"),
}
