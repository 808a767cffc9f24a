"""A model that listens, in NumPy: a stream of sound → probabilities → detections; and its file.

Neither Keras nor TensorFlow is imported here, so that a small computer can listen without them.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import fft, stats

from course_lib import audio
from course_lib.extra.steps import Record, Step, read_keras, softmax

BLOCK = 1_024  # frames: as many at once, so that an hour in one push takes little memory
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

    Hertz and samples are as in training; a file that describes itself knows its own (`save` writes
    such files, and `litert.export` if it is told the classes). `logits` are those after the last
    frame, `[classes]` or None; `position` counts the samples of the recording so far, `resets` the
    gaps in it; `classes` are the names in a file, else None.

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
        else:
            self.runner, of_file, self.classes = _from_file(Path(model))
            for name, value in of_file.items():
                if name in given and value != given[name]:
                    expected = f"expected a {name} of {value}, as the file has"
                    raise ValueError(f"{model}: {expected}, found {given[name]}")
            settings |= of_file
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
            probabilities[numbers] = softmax(logits)
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


def _from_file(path):
    """The step, the settings and the classes of a file; of a LiteRT file what it says of them."""
    if path.suffix == ".npz":
        return _load(path)
    if path.suffix != ".tflite":
        raise ValueError(f"{path}: expected a file .npz or .tflite")
    from course_lib.extra import litert  # and with it TensorFlow

    step = litert.FileStep(path)
    if step.about is not None:
        return step, {name: step.about[name] for name in SETTINGS}, step.about["classes"]
    windows = {} if step.frame_length is None else {"frame_length": step.frame_length}
    return step, windows, None


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
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            raise ValueError("one array, not several with names")
        with content:
            arrays = dict(content)
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


class Spotted(NamedTuple):
    """How a detector did: words found, words missed, and detections where no such word was."""

    hits: int
    misses: int
    false_alarms: int
    hours: float

    @property
    def false_alarms_an_hour(self) -> float:
        """The rate of false alarms."""
        return self.false_alarms / self.hours

    def limits(self) -> tuple[float, float]:
        """Compute the 95 % interval of the false alarms an hour, if they come independently.

        Source:
            F. Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28, 1936.
        """
        count = self.false_alarms
        low = stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0
        high = stats.chi2.ppf(0.975, 2 * count + 2) / 2
        return float(low / self.hours), float(high / self.hours)

    def __str__(self):
        """Say it in a line."""
        low, high = self.limits()
        rate = f"{self.false_alarms_an_hour:,.0f} an hour"
        alarms = f"{self.false_alarms:,} false alarms"
        heard = f"{self.hits} of {self.hits + self.misses} heard"
        return f"{heard}, {alarms} ({rate}, 95 % interval {low:,.0f} to {high:,.0f})"


def smoothed(probabilities: np.ndarray, frames: int) -> np.ndarray:
    """Average each row of `[frames, classes]` with those before it, so many frames in all."""
    sums = np.cumsum(probabilities, axis=0, dtype=float)
    sums[frames:] -= sums[:-frames].copy()
    return sums / np.minimum(np.arange(1, len(sums) + 1), frames)[:, None]


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
    best, numbers = heights.argmax(axis=1), np.arange(len(heights))
    below = np.where(heights < threshold, numbers[:, None], -1)
    fell = np.maximum.accumulate(below, axis=0)  # when each class was last below the threshold
    high = np.flatnonzero(heights.max(axis=1) >= threshold)
    seconds = (audio.FRAME_LENGTH + high * audio.FRAME_STEP) / audio.SAMPLE_RATE
    rows, last, number = [], None, 0
    while number < len(high):
        frame, word, after = high[number], best[high[number]], number + 1
        has_not_fallen = rows and word == best[last] and fell[frame, word] < last
        if not has_not_fallen:
            rows.append((seconds[number], classes[columns[word]], heights[frame, word]))
            last, after = frame, max(after, np.searchsorted(seconds, seconds[number] + apart))
        number = after
    return pd.DataFrame(rows, columns=["seconds", "label", "probability"])


def compare(
    found: pd.DataFrame, said: pd.DataFrame, *, seconds: float, late: float = LATE
) -> Spotted:
    """Compare the detections in a recording of so many seconds with the words that were said.

    A row of `said` is a word: begin, end (seconds), label. It can be hit once, by its own label,
    until `late` seconds after its end; every other detection is a false alarm.
    """
    begin, end = said.begin.to_numpy(float), said.end.to_numpy(float) + late
    labels, missed = said.label.to_numpy(str), np.ones(len(said), bool)
    for moment, label in zip(found.seconds, found.label.astype(str)):
        in_time = missed & (begin <= moment) & (moment <= end)
        missed[np.flatnonzero(in_time & (labels == label))[:1]] = False
    hits, misses = int((~missed).sum()), int(missed.sum())
    return Spotted(hits, misses, len(found) - hits, seconds / 3_600)
