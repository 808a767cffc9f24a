"""A model, frame by frame, in NumPy: one step in time → a stream → a file → detections.

A Keras model is read by the names and weights of its layers: neither Keras nor TensorFlow is
imported here, so that a small computer can listen without them.
"""

import functools
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import fft, special

from course_lib import audio

BLOCK = 1_024  # frames: as many at once, so that an hour in one push takes little memory
INPUT = "frame"  # what a model's first layer reads
FORMAT = "course_lib stream 1"  # the first entry of a file
SETTINGS = {  # what a model hears, unless something else is said
    "sample_rate": audio.SAMPLE_RATE,
    "frame_length": audio.FRAME_LENGTH,
    "frame_step": audio.FRAME_STEP,
}
NOTHING = "nothing"  # the class that is no word
LATE = 0.5  # seconds after a word's end within which its detection still counts


class Stream:
    """A model that listens: samples in pieces of any size → probabilities after each frame.

    Hertz and samples are as in training; a file that `save` wrote knows its own. `logits` are
    those after the last frame, `[classes]` or None; `position` counts the samples of the recording
    so far, `resets` the gaps in it; `classes` are the names in a file, else None.

    Args:
        model: A Keras model that looks only back, the path of a file that `save` (.npz) or
            `litert.export` (.tflite) wrote, or a step of one's own, such as `litert.Step`.
    """

    def __init__(
        self,
        model,
        *,
        sample_rate: int | None = None,
        frame_length: int | None = None,
        frame_step: int | None = None,
    ):
        asked = zip(SETTINGS, [sample_rate, frame_length, frame_step])
        given = {name: value for name, value in asked if value is not None}
        settings, self.classes = SETTINGS | given, None
        if hasattr(model, "initial"):
            self.runner = model
        elif not isinstance(model, (str, os.PathLike)):
            self.runner = Step(*read_keras(model))
        elif Path(model).suffix == ".npz":
            self.runner, settings, self.classes = _load(Path(model))
            for name, value in given.items():
                if value != settings[name]:
                    expected = f"expected a {name} of {settings[name]}, as the file has"
                    raise ValueError(f"{model}: {expected}, found {value}")
        elif Path(model).suffix == ".tflite":
            from course_lib.extra import litert  # and with it TensorFlow

            self.runner = litert.FileStep(model, settings["frame_length"])
        else:
            raise ValueError(f"{model}: expected a file .npz or .tflite")
        self.sample_rate = settings["sample_rate"]
        self.frame_length, self.frame_step = settings["frame_length"], settings["frame_step"]
        if not 1 <= self.frame_step <= self.frame_length:
            expected = f"expected a frame_step from 1 to {self.frame_length}, the frame_length"
            raise ValueError(f"{expected}, found {self.frame_step}")
        self.within = np.arange(self.frame_length)
        n_mels = self.runner.n_mels
        # A file that makes its own features reads windows.
        self.features = None if n_mels is None else _LogMel(n_mels, **settings)
        self.resets = 0
        self.reset()

    def reset(self, *, position: int = 0) -> None:
        """Forget all samples; the next one is at `position` in the recording."""
        self.state, self.logits, self.position = self.runner.initial, None, position
        self.waiting = np.zeros(0, np.float32)

    def push(self, samples: np.ndarray, *, start: int | None = None) -> np.ndarray:
        """Take the next samples, float `[samples]` in units of full scale, any number.

        They begin at `start` in the recording, by default where the last ones ended. After a gap
        the state begins anew, as a frame across it holds no sound that ever was.

        Returns:
            float32 `[frames, classes]`, the probabilities after each frame that became whole.
        """
        samples, start = self._checked(samples), self.position if start is None else start
        if start < self.position:
            expected = f"expected samples from position {self.position:,} on"
            raise ValueError(f"{expected}, found a piece from {start:,}: was it pushed twice?")
        if start > self.position:
            self.resets += 1
            self.reset(position=start)
        self.position += len(samples)
        samples = np.concatenate([self.waiting, samples])
        framing = {"frame_length": self.frame_length, "frame_step": self.frame_step}
        count = int(audio.frame_count(len(samples), **framing))
        self.waiting = samples[count * self.frame_step :].copy()  # and let go of the others
        probabilities = np.empty([count, self.runner.n_classes], np.float32)
        for begin in range(0, count, BLOCK):
            numbers = np.arange(begin, min(begin + BLOCK, count))
            frames = samples[numbers[:, None] * self.frame_step + self.within]
            if self.features:
                frames = self.features(frames)
            logits, self.state = self.runner(frames, self.state)
            probabilities[numbers] = _softmax(logits)
            self.logits = logits[-1]
        return probabilities

    def _checked(self, samples):
        """The samples as float32; raises if they are no waveform of finite floats."""
        samples = np.asarray(samples)
        if samples.ndim != 1 or samples.dtype.kind != "f":
            expected = "expected a waveform [samples] of floats in units of full scale"
            raise ValueError(f"{expected}, found {samples.dtype} {list(samples.shape)}")
        samples = samples.astype(np.float32)
        finite = np.isfinite(samples)
        if not finite.all():
            bad = np.flatnonzero(~finite)
            first = f"the first at {(self.position + bad[0]) / self.sample_rate:.3f} s"
            found = f"found {len(bad)} that are not, {first}"
            raise ValueError(f"expected finite samples, {found}; nothing of this piece was taken")
        return samples


class _LogMel:
    """The frames of `audio.log_mel` from windows of samples; what never changes is made once."""

    def __init__(self, n_mels, *, sample_rate, frame_length, frame_step):
        self.fft_length = 1 << (frame_length - 1).bit_length()  # the next power of two
        options = {"sample_rate": sample_rate, "fft_length": self.fft_length}
        self.filters = audio.mel_filters(n_mels=n_mels, high=sample_rate / 2, **options)
        self.window = audio.window(frame_length)

    def __call__(self, windows):
        spectrum = fft.rfft(windows * self.window, self.fft_length)
        power = spectrum.real**2 + spectrum.imag**2
        return np.log(power @ self.filters + audio.LOG_OFFSET)


# A model as plain records, and one step of it.


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


def _softmax(logits):
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
    "softmax": _softmax,
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


# A Keras model as records: by the names of its layers, as Keras is not imported.


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


# A model as a file, without pickle: records and settings as text, weights as arrays.


def save(
    model,
    path: str | Path,
    *,
    classes: Sequence[str],
    sample_rate: int = audio.SAMPLE_RATE,
    frame_length: int = audio.FRAME_LENGTH,
    frame_step: int = audio.FRAME_STEP,
) -> Path:
    """Write a Keras model as one .npz file, which `Stream` runs where there is no TensorFlow.

    Args:
        model: See `read_keras`.
        path: Where to; folders are made.
        classes: The names of the logits, in their order.
        sample_rate: In hertz, as in training; the other two in samples.

    Returns:
        The path.
    """
    path, classes = Path(path), [str(name) for name in classes]
    if path.suffix != ".npz":
        raise ValueError(f"expected the path of a file .npz, found {path}")
    records, n_mels = read_keras(model)
    settings = {"sample_rate": sample_rate, "frame_length": frame_length, "frame_step": frame_step}
    stream = Stream(Step(records, n_mels), **settings)  # so that only what runs is written
    _check_classes(classes, stream.runner)
    arrays, layers = {}, []
    for *plain, weights in records:
        layers.append(plain)
        arrays |= {f"{plain[0]} {part}": values for part, values in weights.items()}
    about = {"format": FORMAT, "classes": classes, "n_mels": n_mels, **settings, "layers": layers}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, about=json.dumps(about), **arrays)
    return path


def _check_classes(classes, step):
    if len(classes) != step.n_classes or len(set(classes)) != len(classes):
        expected = f"expected {step.n_classes} classes with a name each, as there are logits"
        raise ValueError(f"{expected}, found {', '.join(classes)}")


def _load(path):
    """The step, the settings and the classes in a file that `save` wrote."""
    expected = f"{path}: expected a file that streaming.save wrote"
    if not path.is_file():
        raise ValueError(f"{expected}, found {'a folder' if path.is_dir() else 'none'}")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        about = json.loads(str(arrays.pop("about")))
        if about["format"] != FORMAT:
            raise ValueError(f"the format {about['format']!r}, not {FORMAT!r}")
        weights = {name: {} for name, *_ in about["layers"]}
        for name_and_part, values in arrays.items():
            name, _, part = name_and_part.rpartition(" ")
            weights[name][part] = values
        records = [Record(*plain, weights[plain[0]]) for plain in about["layers"]]
        step, classes = Step(records, about["n_mels"]), [str(name) for name in about["classes"]]
        _check_classes(classes, step)
        return step, {name: int(about[name]) for name in SETTINGS}, classes
    except Exception as error:  # a file may be broken in any way
        raise ValueError(f"{expected}, found another ({error or type(error).__name__})") from error


# From probabilities to detections.


class Spotted(NamedTuple):
    """How a detector did: words found, words missed, and detections where no such word was."""

    hits: int
    misses: int
    false_alarms: int
    false_alarms_an_hour: float

    def __str__(self):
        """Say it in a line."""
        alarms = f"{self.false_alarms} false alarms ({self.false_alarms_an_hour:.0f} an hour)"
        return f"{self.hits} of {self.hits + self.misses} heard, {self.misses} missed, {alarms}"


def smoothed(probabilities: np.ndarray, frames: int) -> np.ndarray:
    """Average each row of `[frames, classes]` with those before it, so many frames in all."""
    table = pd.DataFrame(probabilities, dtype=float)
    return table.rolling(frames, min_periods=1).mean().to_numpy()


def detections(
    probabilities: np.ndarray,
    classes: list[str],
    *,
    threshold: float = 0.55,
    smooth: int = 10,
    apart: float = 0.5,
) -> pd.DataFrame:
    """Find when a class other than "nothing" rises to the threshold: seconds, label, probability.

    `smooth` frames of the probabilities `[frames, classes]` are averaged; seconds are the end of a
    frame. After a detection there is no other for `apart` seconds, nor one of its class until that
    fell below the threshold.
    """
    shape, classes = list(np.shape(probabilities)), list(classes)
    if len(shape) != 2 or shape[1] != len(classes):
        raise ValueError(f"expected probabilities [frames, {len(classes)}], found shape {shape}")
    columns = [number for number, name in enumerate(classes) if name != NOTHING]
    heights = smoothed(probabilities, smooth)[:, columns]
    best = heights.argmax(axis=1)
    rows, last, silent_until = [], None, -np.inf
    for frame in np.flatnonzero(heights.max(axis=1) >= threshold):
        word = best[frame]
        seconds = (audio.FRAME_LENGTH + frame * audio.FRAME_STEP) / audio.SAMPLE_RATE
        since = heights[last : frame + 1, word]
        has_not_fallen = rows and word == best[last] and (since >= threshold).all()
        if seconds >= silent_until and not has_not_fallen:
            rows.append((seconds, classes[columns[word]], heights[frame, word]))
            last, silent_until = frame, seconds + apart
    return pd.DataFrame(rows, columns=["seconds", "label", "probability"])


def compare(
    found: pd.DataFrame, said: pd.DataFrame, *, seconds: float, late: float = LATE
) -> Spotted:
    """Compare the detections in a recording of so many seconds with the words that were said.

    A row of `said` is a word: begin, end (seconds), label. It can be hit once, by its own label,
    until `late` seconds after its end; every other detection is a false alarm.
    """
    missed = said.reset_index(drop=True).astype({"label": str})
    for row in found.itertuples():
        in_time = (missed.begin <= row.seconds) & (row.seconds <= missed.end + late)
        hit = missed.index[in_time & (missed.label == str(row.label))]
        missed = missed.drop(hit[:1])
    hits = len(said) - len(missed)
    alarms = len(found) - hits
    return Spotted(hits, len(missed), alarms, 3_600 * alarms / seconds)
