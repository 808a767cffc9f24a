"""One step of a model as a LiteRT (TFLite) file, which a telephone or a small device can run, and what runs it here."""

import contextlib
import logging
import tempfile
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from course_lib import audio
from course_lib.steps import Step
from course_lib.training import quiet_stderr

OPERATIONS = {  # what a file may compute with, by the kind of its activations
    "int8": tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
    "int16": tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
}


class Exported(NamedTuple):
    """A file that was written, and its size in units of 1,024 bytes."""

    path: Path
    kilobytes: float


def export(model, path, *, calibration=None, activations="int8"):
    """Write one step of a model as a LiteRT (TFLite) file: a frame and the state in, logits and the state out.

    Args: model: see `steps.Step`; path: where to write; calibration: log-mel frames of some clips, a sequence of float32 `[frames, mels]`: if
    given, the weights are int8, and `activations`, "int8" or "int16", is what every frame, sum and state is rounded to, in ranges taken from
    these clips; without it all is float32.
    Returns: an Exported. The file's inputs and outputs are float32 `[1, size]`: "frame", "logits", and the state by its names, zeros at first.
    Raises: ValueError that names a layer that needs the whole clip, or for other activations.
    """
    if activations not in OPERATIONS:
        raise ValueError(f"expected activations to be one of {', '.join(OPERATIONS)}, found {activations!r}")
    step = Step(model)
    with _quiet(), tempfile.TemporaryDirectory() as folder:
        converter = _converter(step, {"frame": [1, step.n_mels]}, lambda given: given.pop("frame"), folder)
        if calibration is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: _every_step(step, calibration)
            converter.target_spec.supported_ops = [OPERATIONS[activations]]
        return _written(converter.convert(), path)


def export_with_features(model, path, *, sample_rate=audio.SAMPLE_RATE, frame_length=audio.FRAME_LENGTH):
    """Write one step of a model with its features as a LiteRT (TFLite) file: a window of samples in, where `export` takes a frame.

    Args: model, path: as for `export`; sample_rate: hertz; frame_length: samples of a window, as the model was trained.
    Returns: an Exported; all is float32, and the input is "samples" `[1, frame_length]` in place of "frame".
    Raises: ValueError that names a layer that needs the whole clip.
    """
    step = Step(model)
    fft_length = 1 << (frame_length - 1).bit_length()
    filters = audio.mel_filters(n_mels=step.n_mels, sample_rate=sample_rate, fft_length=fft_length, high=sample_rate / 2)

    def frame(given):
        spectrum = tf.signal.rfft(given.pop("samples") * audio.window(frame_length), [fft_length])
        return tf.math.log((tf.math.real(spectrum) ** 2 + tf.math.imag(spectrum) ** 2) @ filters + audio.LOG_OFFSET)

    with _quiet(), tempfile.TemporaryDirectory() as folder:
        return _written(_converter(step, {"samples": [1, frame_length]}, frame, folder).convert(), path)


class FileRunner:
    """Frames, or windows of samples, and a state → the logits at each and the next state, by an exported file."""

    def __init__(self, path, frame_length):
        if not Path(path).is_file():
            raise ValueError(f"{path}: expected a file that export wrote, found {'a folder' if Path(path).is_dir() else 'no such file'}")
        try:
            self.step = _interpreter(path).get_signature_runner()
        except ValueError as error:
            raise ValueError(f"{path}: expected a LiteRT file that export wrote, found another ({str(error).splitlines()[0]})") from error
        inputs = {name: detail["shape"] for name, detail in self.step.get_input_details().items()}
        self.heard = "samples" if "samples" in inputs else "frame"
        self.n_mels = None if self.heard == "samples" else inputs["frame"][1]
        if self.heard == "samples" and inputs["samples"][1] != frame_length:
            raise ValueError(f"{path}: expected a frame_length of {inputs['samples'][1]} samples, as the file has, found {frame_length}")
        self.initial = {name: np.zeros(shape, np.float32) for name, shape in inputs.items() if name != self.heard}
        self.n_classes = self.step.get_output_details()["logits"]["shape"][1]

    def __call__(self, frames, state):
        logits = []
        for frame in np.float32(frames):
            state = self.step(**{self.heard: frame[None]}, **state)
            logits.append(state.pop("logits")[0])
        return np.stack(logits), state


@contextlib.contextmanager
def _quiet():
    """Neither the converter's notes, by whatever way they come, nor TensorFlow's warning that LiteRT is its heir: `_interpreter` sees to that."""
    logger = tf.get_logger()
    level = logger.level
    with quiet_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            logger.setLevel(logging.ERROR)
            yield
        finally:
            logger.setLevel(level)


def _interpreter(path):
    """What runs a LiteRT file: the LiteRT package if it is there, else the older one inside TensorFlow."""
    with _quiet():
        try:
            from ai_edge_litert.interpreter import Interpreter, OpResolverType
        except ImportError:
            Interpreter, OpResolverType = tf.lite.Interpreter, tf.lite.experimental.OpResolverType
        plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES  # a delegate gains nothing on one frame
        return Interpreter(str(path), num_threads=1, experimental_op_resolver_type=plain)


def _converter(step, heard, frame, folder):
    """A converter of a step whose frame is made by `frame` out of what is heard; by way of a saved model, which keeps the names."""

    def forward(**given):
        logits, after = step(frame(given), given)
        return {"logits": logits} | after

    shapes = heard | {name: value.shape for name, value in step.initial.items()}
    module = tf.Module()
    module.weights = [variable.value for variable in step.model.variables]  # the converter takes these for constants
    module.forward = tf.function(forward, autograph=False)
    signature = module.forward.get_concrete_function(**{name: tf.TensorSpec(shape, tf.float32, name) for name, shape in shapes.items()})
    tf.saved_model.save(module, folder, {"serving_default": signature})
    return tf.lite.TFLiteConverter.from_saved_model(folder)


def _written(content, path):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return Exported(path, len(content) / 1_024)


def _every_step(step, clips):
    """The inputs of every step over some clips, as the converter wants them, to see their ranges."""
    advance = tf.function(lambda frame, state: step(frame, state), autograph=False)
    for frames in clips:
        state = step.initial
        for frame in np.float32(frames):
            yield {"frame": frame[None], **{name: np.asarray(value) for name, value in state.items()}}
            state = advance(tf.constant(frame[None]), state)[1]
