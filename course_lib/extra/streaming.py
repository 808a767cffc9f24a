"""A model, frame by frame: one step in time → a stream → a file for a small device → detections."""

import contextlib
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from scipy import special

from course_lib import audio
from course_lib.models import AttentionPooling
from course_lib.training import quiet_stderr

L = keras.layers
State = dict[str, np.ndarray]  # name → float32 [1, size]

PER_FRAME = (  # layers that treat every frame alike, whatever comes before and after it
    *(L.Masking, L.Rescaling, L.Normalization, L.BatchNormalization, L.LayerNormalization),
    *(L.Dense, L.TimeDistributed, L.Activation, L.ReLU),
    *(L.Dropout, L.SpatialDropout1D, L.GaussianNoise),
    *(L.Concatenate, L.Multiply, L.Add, L.Subtract),
)
OPERATIONS = {  # what an exported file may compute with, by the kind of its activations
    "int8": tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
    "int16": tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
}
NOTHING = "nothing"  # the class that is no word
LATE = 0.5  # seconds after a word's end within which its detection still counts


# One step in time


class Step:
    """One step of a model in time: a frame and the state before it → logits and the next state.

    Args:
        model: A functional Keras model, `[batch, time, mels]` → logits, whose layers look at a
            frame and at what came before it.

    Attributes:
        n_mels: Bands of a frame.
        initial: The state before the first frame: a dict of name → zeros `[1, size]`.

    Raises:
        ValueError: A layer, which is named, needs the whole clip or several frames at once.
    """

    def __init__(self, model: keras.Model):
        self.n_mels, self.model = model.input_shape[-1], model
        self.layers = [layer for layer in model.layers if not isinstance(layer, L.InputLayer)]
        _refuse_operations(model, self.layers)
        self.initial = {}
        for layer in self.layers:
            for part, size in _state_sizes(layer).items():
                self.initial[_state_name(layer, part)] = np.zeros([1, size], np.float32)

    def __call__(self, frame: np.ndarray | tf.Tensor, state: State) -> tuple[tf.Tensor, State]:
        """Take one frame `[1, mels]`: logits `[1, classes]`, and the next state."""
        values = {id(self.model.inputs[0]): frame[:, None]}
        next_state = {}
        for layer in self.layers:
            names = [_state_name(layer, part) for part in _state_sizes(layer)]
            inputs = [values[id(tensor)] for tensor in _inputs(layer)]
            value, after = _advance(layer, inputs, [state[name] for name in names])
            values[id(layer.output)] = value
            next_state.update(zip(names, after, strict=True))
        return tf.reshape(values[id(self.model.outputs[0])], [1, -1]), next_state


def _refuse_operations(model, layers):
    """Raise if arithmetic stands between two layers: no layer says what it does with a frame."""
    known = {id(model.inputs[0]), *(id(layer.output) for layer in layers)}
    read = [tensor for layer in layers for tensor in _inputs(layer)]
    for tensor in [*read, model.outputs[0]]:
        if id(tensor) not in known:
            name = next(each.name for each in model.operations if each.output is tensor)
            raise ValueError(
                f"expected layers alone, found the operation '{name}' between them: "
                "write it as a layer, such as Rescaling or Add"
            )


def _inputs(layer):
    """The tensors that a layer reads, without their masks."""
    return [tensor for tensor in keras.tree.flatten(layer.input) if "float" in tensor.dtype]


def _state_name(layer, part):
    return f"{layer.name}_{part}"


def _state_sizes(layer):
    """What a layer keeps from frame to frame, name → size; raises if no fixed size is enough."""
    shapes = [tensor.shape for tensor in _inputs(layer)]
    if isinstance(layer, L.RNN) and not layer.go_backwards and not layer.return_state:
        sizes = keras.tree.flatten(layer.cell.state_size)
        return {f"state_{number}": size for number, size in enumerate(sizes)}
    if isinstance(layer, L.GlobalAveragePooling1D):
        return {"mean": shapes[0][-1], "frames": 1}
    if isinstance(layer, AttentionPooling):
        return {"mean": shapes[0][-1], "weight": 1, "peak": 1}
    if not isinstance(layer, PER_FRAME) and any(len(shape) > 2 for shape in shapes):
        found = f"'{layer.name}' ({type(layer).__name__})"
        raise ValueError(f"expected layers that look only at a frame and back, found {found}")
    return {}


def _advance(layer, inputs, state):
    """A layer's value at this frame and its next state.

    Sequences are `[1, 1, features]`, all else `[1, features]`.
    """
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
        return mean[:, None] if layer.keepdims else mean, [mean, frames + 1]
    if isinstance(layer, AttentionPooling):  # the softmax over all frames so far, kept up to date
        mean, weight, old_peak = state
        score = layer.score(tf.tanh(value[:, 0]))
        peak = tf.maximum(score, old_peak)
        old, new = weight * tf.exp(old_peak - peak), tf.exp(score - peak)
        mean = mean + (value[:, 0] - mean) * new / (old + new)
        return mean, [mean, old + new, peak]
    if isinstance(layer, L.Masking):  # a stream has no padding
        return value, []
    return layer(value), []


# A stream


class Stream:
    """A model that listens: samples in pieces of any size → probabilities after each frame.

    Args:
        model: A Keras model that looks only back (see `Step`), or the path of a file that
            `export` or `export_with_features` wrote.
        sample_rate: Hertz, as the model was trained; frame_length and frame_step in samples.

    Attributes:
        logits: float32 `[classes]` after the last frame, or None.
        position: Samples of the recording taken so far.
        resets: How often a gap made the state begin anew.
    """

    def __init__(
        self,
        model: keras.Model | str | Path,
        *,
        sample_rate: int = audio.SAMPLE_RATE,
        frame_length: int = audio.FRAME_LENGTH,
        frame_step: int = audio.FRAME_STEP,
    ):
        self.sample_rate, self.frame_length = sample_rate, frame_length
        self.frame_step = frame_step
        if isinstance(model, keras.Model):
            self.runner = _KerasRunner(model)
        else:
            self.runner = _FileRunner(model, frame_length)
        self.resets = 0
        self.reset()

    def reset(self, *, position: int = 0) -> None:
        """Forget all samples; the next one is at `position` in the recording."""
        self.state, self.logits, self.position = self.runner.initial, None, position
        self.waiting = np.zeros(0, np.float32)

    def push(self, samples: np.ndarray, *, start: int | None = None) -> np.ndarray:
        """Take the next samples.

        Args:
            samples: float `[samples]` in units of full scale, any number.
            start: Where in the recording they begin, by default where the last ones ended. If
                samples are missing before it (a gap, a late start), the state begins anew, since
                a frame across a gap holds no sound that ever was; `resets` counts it.

        Returns:
            float32 `[frames, classes]`, the probabilities after each frame that became whole.

        Raises:
            ValueError: The samples are not a waveform of finite numbers, or were pushed before.
                Nothing of the piece is taken then.
        """
        samples = self._checked(samples)
        start = self.position if start is None else start
        if start < self.position:
            raise ValueError(
                f"expected samples from position {self.position:,} on, "
                f"found a piece from {start:,}: was it pushed twice?"
            )
        if start > self.position:
            self.resets += 1
            self.reset(position=start)
        self.position += len(samples)
        whole = np.concatenate([self.waiting, samples])
        framing = {"frame_length": self.frame_length, "frame_step": self.frame_step}
        count = int(audio.frame_count(len(whole), **framing))
        self.waiting = whole[count * self.frame_step :]
        if not count:
            return np.zeros([0, self.runner.n_classes], np.float32)
        if self.runner.n_mels is None:  # the file makes its features itself
            windows = np.lib.stride_tricks.sliding_window_view(whole, self.frame_length)
            frames = windows[:: self.frame_step][:count]
        else:
            options = {"sample_rate": self.sample_rate, "n_mels": self.runner.n_mels, **framing}
            frames = audio.log_mel(whole, **options)
        logits, self.state = self.runner(frames, self.state)
        self.logits = logits[-1]
        return special.softmax(logits, axis=1)

    def _checked(self, samples):
        """The samples as float32; raises if they are no waveform of finite floats."""
        samples = np.asarray(samples)
        if samples.ndim != 1 or samples.dtype.kind != "f":
            raise ValueError(
                "expected a waveform [samples] of floats in units of full scale, "
                f"found {samples.dtype} {list(samples.shape)}"
            )
        bad = np.flatnonzero(~np.isfinite(samples))
        if len(bad):
            seconds = (self.position + bad[0]) / self.sample_rate
            raise ValueError(
                f"expected finite samples, found {len(bad)} that are not, "
                f"the first at {seconds:.3f} s; nothing of this piece was taken"
            )
        return samples.astype(np.float32)


class _KerasRunner:
    """Frames and a state → the logits at each frame and the next state, by the Keras model."""

    def __init__(self, model):
        step = Step(model)
        self.initial, self.n_mels = step.initial, step.n_mels
        self.n_classes = model.output_shape[-1]

        def run(frames, state):
            count = tf.shape(frames)[0]

            def advance(number, logits, state):
                now, state = step(frames[number][None], state)
                return number + 1, logits.write(number, now), state

            logits = tf.TensorArray(tf.float32, count, element_shape=[1, self.n_classes])
            begin = (0, logits, state)
            _, logits, state = tf.while_loop(lambda number, *_: number < count, advance, begin)
            return logits.concat(), state

        shapes = {name: tf.TensorSpec(value.shape) for name, value in self.initial.items()}
        signature = [tf.TensorSpec([None, self.n_mels]), shapes]
        traced = tf.function(run, input_signature=signature, autograph=False)
        self.run = traced.get_concrete_function()  # looks up no trace, a hundred times a second

    def __call__(self, frames, state):
        state = {name: tf.convert_to_tensor(value) for name, value in state.items()}
        logits, state = self.run(tf.constant(frames), state)
        return logits.numpy(), state


class _FileRunner:
    """Frames, or windows of samples, and a state → the same, by an exported file."""

    def __init__(self, path, frame_length):
        if not Path(path).is_file():
            found = "a folder" if Path(path).is_dir() else "no such file"
            raise ValueError(f"{path}: expected a file that export wrote, found {found}")
        try:
            self.step = _interpreter(path).get_signature_runner()
        except ValueError as error:
            reason = str(error).splitlines()[0]
            raise ValueError(
                f"{path}: expected a LiteRT file that export wrote, found another ({reason})"
            ) from error
        shapes = {name: part["shape"] for name, part in self.step.get_input_details().items()}
        self.source = "samples" if "samples" in shapes else "frame"
        size = shapes.pop(self.source)[1]
        self.n_mels = None if self.source == "samples" else size
        if self.source == "samples" and size != frame_length:
            raise ValueError(
                f"{path}: expected a frame_length of {size} samples, as the file has, "
                f"found {frame_length}"
            )
        self.initial = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        self.n_classes = self.step.get_output_details()["logits"]["shape"][1]

    def __call__(self, frames, state):
        logits = []
        for frame in np.float32(frames):
            state = self.step(**{self.source: frame[None]}, **state)
            logits.append(state.pop("logits")[0])
        return np.stack(logits), state


# A LiteRT (TFLite) file, which a telephone or a small device can run


class Exported(NamedTuple):
    """A file that was written, and its size in units of 1,024 bytes."""

    path: Path
    kilobytes: float


def export(
    model: keras.Model,
    path: str | Path,
    *,
    calibration: Iterable[np.ndarray] | None = None,
    activations: str = "int8",
) -> Exported:
    """Write one step of a model (see `Step`) as a LiteRT (TFLite) file.

    The file's inputs and outputs are float32 `[1, size]`: "frame", "logits", and the state by its
    names, zeros at first.

    Args:
        model: It looks only back.
        path: Where to write.
        calibration: Log-mel frames of some clips, `[frames, mels]` each. With them the weights
            are int8, and activations are rounded in the ranges that these clips have; without
            them all is float32.
        activations: "int8" or "int16", what every frame, sum and state is rounded to.

    Raises:
        ValueError: A layer, which is named, needs the whole clip; or other activations.
    """
    if activations not in OPERATIONS:
        known = ", ".join(OPERATIONS)
        raise ValueError(f"expected activations to be one of {known}, found {activations!r}")
    step = Step(model)
    with _quiet(), tempfile.TemporaryDirectory() as folder:
        source = {"frame": [1, step.n_mels]}
        converter = _converter(step, source, lambda inputs: inputs.pop("frame"), folder)
        if calibration is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: _every_step(step, calibration)
            converter.target_spec.supported_ops = [OPERATIONS[activations]]
        return _write(converter.convert(), path)


def export_with_features(
    model: keras.Model,
    path: str | Path,
    *,
    sample_rate: int = audio.SAMPLE_RATE,
    frame_length: int = audio.FRAME_LENGTH,
) -> Exported:
    """Write one step of a model with its features, all in float32.

    The input is a window of "samples" `[1, frame_length]` where `export` takes a "frame".
    """
    step = Step(model)
    fft_length = 1 << (frame_length - 1).bit_length()  # the next power of two
    filters = audio.mel_filters(
        n_mels=step.n_mels, sample_rate=sample_rate, fft_length=fft_length, high=sample_rate / 2
    )

    def frame(inputs):
        windowed = inputs.pop("samples") * audio.window(frame_length)
        spectrum = tf.signal.rfft(windowed, [fft_length])
        power = tf.math.real(spectrum) ** 2 + tf.math.imag(spectrum) ** 2
        return tf.math.log(power @ filters + audio.LOG_OFFSET)

    with _quiet(), tempfile.TemporaryDirectory() as folder:
        converter = _converter(step, {"samples": [1, frame_length]}, frame, folder)
        return _write(converter.convert(), path)


def _converter(step: Step, source: dict, frame: Callable, folder: str):
    """A converter of a step that takes `frame(inputs)`; by a saved model, which keeps names."""

    def forward(**inputs):
        logits, state = step(frame(inputs), inputs)
        return {"logits": logits} | state

    shapes = source | {name: value.shape for name, value in step.initial.items()}
    inputs = {name: tf.TensorSpec(shape, tf.float32, name) for name, shape in shapes.items()}
    module = tf.Module()
    module.weights = [variable.value for variable in step.model.variables]  # become constants
    module.forward = tf.function(forward, autograph=False)
    signature = module.forward.get_concrete_function(**inputs)
    tf.saved_model.save(module, folder, {"serving_default": signature})
    return tf.lite.TFLiteConverter.from_saved_model(folder)


def _every_step(step: Step, clips: Iterable[np.ndarray]) -> Iterator[State]:
    """The inputs of every step over some clips, which show the converter their ranges."""
    advance = tf.function(lambda frame, state: step(frame, state), autograph=False)
    for frames in clips:
        state = step.initial
        for frame in np.float32(frames):
            before = {name: np.asarray(value) for name, value in state.items()}
            yield {"frame": frame[None], **before}
            _, state = advance(tf.constant(frame[None]), state)


def _write(content, path):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return Exported(path, len(content) / 1_024)


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
    logger = tf.get_logger()
    level = logger.level
    with quiet_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            logger.setLevel(logging.ERROR)
            yield
        finally:
            logger.setLevel(level)


# Detections in a long recording


class Spotted(NamedTuple):
    """How a detector did: words found, words missed, and detections where no such word was."""

    hits: int
    misses: int
    false_alarms: int
    false_alarms_an_hour: float

    def __str__(self):
        alarms = f"{self.false_alarms} false alarms ({self.false_alarms_an_hour:.0f} an hour)"
        return f"{self.hits} of {self.hits + self.misses} heard, {self.misses} missed, {alarms}"


def smoothed(probabilities: np.ndarray, frames: int) -> np.ndarray:
    """Average each row with the `frames - 1` before it, or as many as there are.

    It looks only back, so that a stream can do it: `[frames, classes]` → the same, float64.
    """
    total = np.cumsum(np.asarray(probabilities, np.float64), axis=0)
    before = np.concatenate([np.zeros_like(total[:frames]), total[:-frames]])[: len(total)]
    return (total - before) / np.minimum(np.arange(1, len(total) + 1), frames)[:, None]


def detections(
    probabilities: np.ndarray,
    classes: Sequence[str],
    *,
    threshold: float = 0.55,
    smooth: int = 10,
    apart: float = 0.5,
    frame_length: int = audio.FRAME_LENGTH,
    frame_step: int = audio.FRAME_STEP,
) -> pd.DataFrame:
    """Find the moments at which a class, other than "nothing", rises to the threshold.

    A class is detected again only after it has fallen below the threshold.

    Args:
        probabilities: `[frames, classes]`, as `Stream.push` returns.
        classes: Their names.
        threshold: Of the smoothed probability.
        smooth: Frames that are averaged.
        apart: Seconds after a detection without another (the refractory time).
        frame_length: Samples at audio.SAMPLE_RATE, as frame_step.

    Returns:
        A detection a row: seconds (the end of the frame), label, probability.

    Raises:
        ValueError: There is not one name for each column.
    """
    probabilities, classes = np.asarray(probabilities), list(classes)
    if probabilities.ndim != 2 or probabilities.shape[1] != len(classes):
        shape = list(probabilities.shape)
        raise ValueError(f"expected probabilities [frames, {len(classes)}], found shape {shape}")
    columns = [number for number, name in enumerate(classes) if name != NOTHING]
    heights = smoothed(probabilities, smooth)[:, columns]
    best = heights.argmax(axis=1)
    rows, last, silent_until = [], None, -np.inf
    for frame in np.flatnonzero(heights.max(axis=1) >= threshold):
        word = best[frame]
        seconds = (frame_length + frame * frame_step) / audio.SAMPLE_RATE
        if seconds < silent_until:
            continue
        if rows and word == best[last] and (heights[last : frame + 1, word] >= threshold).all():
            continue  # it has not fallen since
        rows.append((seconds, classes[columns[word]], heights[frame, word]))
        last, silent_until = frame, seconds + apart
    return pd.DataFrame(rows, columns=["seconds", "label", "probability"])


def compare(
    found: pd.DataFrame, said: pd.DataFrame, *, seconds: float, late: float = LATE
) -> Spotted:
    """Compare what was detected with what was said.

    Each word can be hit once, by its own label; every other detection is a false alarm.

    Args:
        found: As `detections` returns.
        said: A word a row: begin, end (seconds), label.
        seconds: Length of the recording.
        late: Seconds after a word's end within which its detection counts.
    """
    waiting = list(said.itertuples())
    for row in found.itertuples():
        for word in waiting:
            in_time = word.begin <= row.seconds <= word.end + late
            if in_time and str(word.label) == str(row.label):
                waiting.remove(word)
                break
    hits = len(said) - len(waiting)
    alarms = len(found) - hits
    return Spotted(hits, len(waiting), alarms, 3_600 * alarms / seconds)
