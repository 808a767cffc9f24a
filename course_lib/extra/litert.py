"""One step of a model in TensorFlow → a LiteRT file for a telephone or a small device, and back.

`streaming.Stream` runs such a file; all of TensorFlow that a stream may need is here.
"""

import contextlib
import json
import logging
import tempfile
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from course_lib import audio
from course_lib.models import AttentionPooling
from course_lib.training import quiet_stderr

L = keras.layers
PER_FRAME = (  # layers that treat every frame alike, whatever comes before and after it
    *(L.Masking, L.Rescaling, L.Normalization, L.BatchNormalization, L.LayerNormalization),
    *(L.Dense, L.TimeDistributed, L.Activation, L.ReLU, L.Dropout, L.SpatialDropout1D),
    *(L.GaussianNoise, L.Concatenate, L.Multiply, L.Add, L.Subtract),
)
FORMAT = "course_lib step 1"  # the first entry of a description
ABOUT = "about.json"  # the name of a description inside a file
OPERATIONS = {  # what an exported file may compute with, by the kind of its activations
    "int8": tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
    "int16": tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
}


class Step:
    """One step of a model in TensorFlow: frames and the state before them → logits, the next state.

    `streaming.Stream` takes it in place of a model that NumPy does not know: one with cells or
    activations of one's own, or with layers of one's own after the last frame. The model is a
    functional one, `[batch, time, mels]` → logits. `n_mels` is the size of a frame, `initial` the
    state before the first one: a dict of name → zeros `[1, size]`. A ValueError names a layer that
    needs the whole clip or several frames at once.
    """

    def __init__(self, model: keras.Model):
        self.model, self.n_mels = model, model.input_shape[-1]
        self.n_classes = model.output_shape[-1]
        self.layers = [layer for layer in model.layers if not isinstance(layer, L.InputLayer)]
        for operation in getattr(model, "operations", model.layers):
            if not isinstance(operation, L.Layer) and _floats(operation.output):
                found = f"the operation '{operation.name}' between them"
                advice = "write it as a layer, such as Rescaling or Add"
                raise ValueError(f"expected layers alone, found {found}: {advice}")
        known = {id(model.inputs[0])}
        for layer in self.layers:
            if not known.issuperset(map(id, _floats(layer.input))):
                found = f"'{layer.name}' after one that is used twice"
                raise ValueError(f"expected layers that are used once, found {found}")
            known.add(id(layer.output))
        sizes = {part: size for layer in self.layers for part, size in _state_sizes(layer).items()}
        self.initial = {name: np.zeros([1, size], np.float32) for name, size in sizes.items()}
        shapes = {name: tf.TensorSpec([1, size]) for name, size in sizes.items()}
        signature = [tf.TensorSpec([None, self.n_mels]), shapes]
        traced = tf.function(self._scan, input_signature=signature, autograph=False)
        self.scan = traced.get_concrete_function()  # looks up no trace, a hundred times a second

    def __call__(self, frames: np.ndarray, state: dict) -> tuple[np.ndarray, dict]:
        """Take some frames `[frames, mels]`: logits `[frames, classes]`, and the next state."""
        tensors = {name: tf.convert_to_tensor(value) for name, value in state.items()}
        logits, state = self.scan(tf.constant(frames), tensors)
        return logits.numpy(), {name: value.numpy() for name, value in state.items()}

    def _scan(self, frames, state):
        begin = (tf.zeros([1, self.n_classes]), state)
        logits, states = tf.scan(lambda old, row: self.advance(row[None], old[1]), frames, begin)
        return logits[:, 0], {name: value[-1] for name, value in states.items()}

    def advance(self, frame: tf.Tensor, state: dict) -> tuple[tf.Tensor, dict]:
        """Take one frame `[1, mels]` in TensorFlow: logits `[1, classes]`, and the next state."""
        values = {id(self.model.inputs[0]): frame[:, None]}
        next_state = {}
        for layer in self.layers:
            names = list(_state_sizes(layer))
            inputs = [values[id(tensor)] for tensor in _floats(layer.input)]
            value, after = _advance(layer, inputs, [state[name] for name in names])
            values[id(layer.output)] = value
            next_state.update(zip(names, after, strict=True))
        return tf.reshape(values[id(self.model.outputs[0])], [1, -1]), next_state


def _floats(tensors):
    """A list of tensors, without the masks among them."""
    return [tensor for tensor in keras.tree.flatten(tensors) if "float" in tensor.dtype]


def _state_sizes(layer):
    """What a layer keeps from frame to frame, name → size; raises if no fixed size is enough."""
    shapes, sizes = [tensor.shape for tensor in _floats(layer.input)], {}
    if _mixes_frames(layer, shapes):
        raise _looks_ahead(layer)
    if isinstance(layer, L.RNN) and not layer.go_backwards and not layer.return_state:
        for number, size in enumerate(keras.tree.flatten(layer.cell.state_size)):
            sizes[f"state_{number}"] = size
    elif isinstance(layer, L.GlobalAveragePooling1D) and not layer.keepdims:
        sizes = {"mean": shapes[0][-1], "frames": 1}
    elif isinstance(layer, AttentionPooling):
        sizes = {"mean": shapes[0][-1], "weight": 1, "peak": 1}
    elif not isinstance(layer, PER_FRAME) and any(len(shape) > 2 for shape in shapes):
        raise _looks_ahead(layer)
    return {f"{layer.name}_{part}": size for part, size in sizes.items()}


def _mixes_frames(layer, shapes):
    """Whether a layer works along time, or joins frames with what is known after all of them."""
    axes = np.atleast_1d(getattr(layer, "axis", -1))
    along_time = any(axis not in (-1, len(shapes[0]) - 1) for axis in axes)
    return along_time or len({len(shape) for shape in shapes}) > 1


def _looks_ahead(layer):
    found = f"'{layer.name}' ({type(layer).__name__})"
    return ValueError(f"expected layers that look only at a frame and back, found {found}")


def _advance(layer, inputs, state):
    """A layer's value at this frame, `[1, features]` or a sequence of one, and its next state."""
    value = inputs if len(inputs) > 1 else inputs[0]
    if isinstance(layer, L.RNN):
        states = keras.tree.pack_sequence_as(layer.cell.state_size, state)
        states = states if isinstance(states, (list, tuple)) else [states]
        output, after = layer.cell(value[:, 0], states, training=False)
        output = output[:, None] if layer.return_sequences else output
        return output, keras.tree.flatten(after)
    if isinstance(layer, L.GlobalAveragePooling1D):
        mean, frames = state
        mean = mean + (value[:, 0] - mean) / (frames + 1)
        return mean, [mean, frames + 1]
    if isinstance(layer, AttentionPooling):  # the softmax over all frames so far, kept up to date
        mean, weight, old_peak = state
        score = layer.score(tf.tanh(value[:, 0]))
        peak = tf.maximum(score, old_peak)
        old, new = weight * tf.exp(old_peak - peak), tf.exp(score - peak)
        mean = mean + (value[:, 0] - mean) * new / (old + new)
        return mean, [mean, old + new, peak]
    return value if isinstance(layer, L.Masking) else layer(value), []  # a stream has no padding


class FileStep:
    """The same as a Step, by an exported file, which may take windows of samples for frames.

    `n_mels` is then None. `about` is the description in the file, a dict, or None.
    """

    def __init__(self, path: Path):
        expected = f"{path}: expected a LiteRT file that export wrote"
        if not Path(path).is_file():
            raise ValueError(f"{expected}, found {'a folder' if Path(path).is_dir() else 'none'}")
        try:
            self.step = _interpreter(path).get_signature_runner()
        except ValueError as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f"{expected}, found another ({reason})") from error
        shapes = {name: part["shape"] for name, part in self.step.get_input_details().items()}
        self.source = "samples" if "samples" in shapes else "frame"
        size = shapes.pop(self.source)[1]
        self.n_mels = None if self.source == "samples" else size
        self.frame_length = size if self.source == "samples" else None
        self.about = _about(path)
        self.initial = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        self.n_classes = self.step.get_output_details()["logits"]["shape"][1]

    def __call__(self, frames, state):
        logits = []
        for frame in np.float32(frames):
            state = self.step(**{self.source: frame[None]}, **state)
            logits.append(state.pop("logits")[0])
        return np.stack(logits), state


class Exported(NamedTuple):
    """A LiteRT (TFLite) file that was written, and its size in units of 1,024 bytes."""

    path: Path
    kilobytes: float


def export(
    model: keras.Model,
    path: Path,
    *,
    calibration: list | None = None,
    activations: str = "int8",
    classes: Sequence[str] | None = None,
    version: str = "1",
    sample_rate: int = audio.SAMPLE_RATE,
    frame_length: int = audio.FRAME_LENGTH,
    frame_step: int = audio.FRAME_STEP,
) -> Exported:
    """Write one step of a model (see `Step`) as a file for a telephone or a small device.

    Its inputs and outputs are float32 `[1, size]`: "frame", "logits", and the state by its names.
    With `calibration`, the log-mel frames of some clips, the weights are int8, and every frame,
    sum and state is rounded to `activations`, "int8" or "int16", in the ranges of these clips.

    Args:
        classes: The names of the logits. With them a description (classes, `version` of the model,
            sample rate in hertz, frames in samples) lies in the file, and as JSON beside it.
    """
    if activations not in OPERATIONS:
        expected = f"expected activations to be one of {', '.join(OPERATIONS)}"
        raise ValueError(f"{expected}, found {activations!r}")
    source = {"frame": model.input_shape[-1]}
    step, operations = Step(model), OPERATIONS[activations]
    settings = {"sample_rate": sample_rate, "frame_length": frame_length, "frame_step": frame_step}
    about = _describe(step, "frame", classes, version, settings)
    return _write(step, path, source, lambda frame: frame, about, calibration, operations)


def export_with_features(
    model: keras.Model,
    path: Path,
    *,
    classes: Sequence[str] | None = None,
    version: str = "1",
    sample_rate: int = audio.SAMPLE_RATE,
    frame_length: int = audio.FRAME_LENGTH,
    frame_step: int = audio.FRAME_STEP,
) -> Exported:
    """Write one step of a model with its features, in float32: "samples" in place of "frame"."""
    step = Step(model)
    settings = {"sample_rate": sample_rate, "frame_length": frame_length, "frame_step": frame_step}
    about = _describe(step, "samples", classes, version, settings)
    fft_length = 1 << (frame_length - 1).bit_length()  # the next power of two
    options = {"sample_rate": sample_rate, "fft_length": fft_length, "high": sample_rate / 2}
    filters = audio.mel_filters(n_mels=model.input_shape[-1], **options)

    def log_mel(samples):
        spectrum = tf.signal.rfft(samples * audio.window(frame_length), [fft_length])
        power = tf.math.real(spectrum) ** 2 + tf.math.imag(spectrum) ** 2
        return tf.math.log(power @ filters + audio.LOG_OFFSET)

    return _write(step, path, {"samples": frame_length}, log_mel, about)


def _describe(step, source, classes, version, settings):
    """What a program around the file has to know; None without the names of the classes."""
    if classes is None:
        return None
    classes = [str(name) for name in classes]
    if len(classes) != step.n_classes or len(set(classes)) != len(classes):
        expected = f"expected {step.n_classes} classes with a name each, as there are logits"
        raise ValueError(f"{expected}, found {', '.join(classes)}")
    sizes = {"input": source, "n_mels": step.n_mels}
    return {"format": FORMAT, "version": version, "classes": classes, **settings, **sizes}


def _about(path):
    """The description in a file, or None if there is none."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        about = json.loads(archive.read(ABOUT))
    if about["format"] != FORMAT:
        raise ValueError(f"{path}: expected the format {FORMAT!r}, found {about['format']!r}")
    return about


def _write(step, path, source, features, about, calibration=None, operations=None):
    """Convert a step whose frame is `features(input)`; by a saved model, which keeps the names."""
    model, [name], path = step.model, source, Path(path)

    def forward(**inputs):
        logits, state = step.advance(features(inputs.pop(name)), inputs)
        return {"logits": logits} | state

    sizes = source | {part: value.shape[1] for part, value in step.initial.items()}
    inputs = {part: tf.TensorSpec([1, size], tf.float32, part) for part, size in sizes.items()}
    module = tf.Module()
    module.weights = [variable.value for variable in model.variables]  # become constants
    module.forward = tf.function(forward, autograph=False)
    signature = module.forward.get_concrete_function(**inputs)
    with _quiet(), tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, {"serving_default": signature})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if calibration is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: _every_step(step, calibration)
            converter.target_spec.supported_ops = [operations]
        content = converter.convert()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if about is not None:
        text = json.dumps(about, indent=1, ensure_ascii=False)
        path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
        # A zip archive after the model, where TensorFlow Lite keeps its associated files.
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(zipfile.ZipInfo(ABOUT), text)
    return Exported(path, path.stat().st_size / 1_024)


def _every_step(step, clips):
    """The inputs of every step over some clips, which show the converter their ranges."""
    for frames in clips:
        state = step.initial
        for frame in np.float32(frames):
            yield {"frame": frame[None], **state}
            _, state = step(frame[None], state)


def _interpreter(path):
    """What runs a LiteRT file: the package LiteRT if it is there, else TensorFlow's own."""
    with _quiet():
        try:
            from ai_edge_litert.interpreter import Interpreter, OpResolverType
        except ImportError:
            Interpreter, OpResolverType = tf.lite.Interpreter, tf.lite.experimental.OpResolverType
        resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES  # no gain on a single frame
        return Interpreter(str(path), num_threads=1, experimental_op_resolver_type=resolver)


@contextlib.contextmanager
def _quiet():
    """Hide the converter's notes, and TensorFlow's warning that LiteRT is its successor."""
    with quiet_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
