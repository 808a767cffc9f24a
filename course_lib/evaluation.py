"""Predictions → numbers: accuracy with an interval, confusion, groups, masks, the results."""

import os
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd
from scipy.stats import binomtest

from course_lib import batches
from course_lib.models import forward

RESULTS = Path(__file__).resolve().parent.parent / "build" / "results.csv"
TOLERANCE = 1e-5  # logits: what rounding alone may change in float32
COARSE = {"float16": 2.0**-10, "bfloat16": 2.0**-7}  # the step from 1 to the next number
ROUNDINGS = 16  # steps: what rounding alone may change in these
CLIPS_AT_ONCE = 64  # clips of similar length in one padded batch
CLIPS_CHECKED = 8
MORE_PADDING = ((0, 0), (0, 17), (0, 0))  # frames: `check_mask` pads each batch so much further


def predict(model: keras.Model, frames: Sequence[np.ndarray]) -> np.ndarray:
    """Compute the logits of each clip, in batches of similar length: float32 `[clips, classes]`."""
    frames = batches.check(frames)
    by_length = np.argsort(batches.lengths(frames), kind="stable")
    pieces = np.array_split(by_length, -(-len(frames) // CLIPS_AT_ONCE))
    padded = (batches.pad([frames[clip] for clip in piece]) for piece in pieces)
    logits = np.concatenate([forward(model)(batch) for batch in padded])
    return logits[np.argsort(by_length)].astype(np.float32)


class Score(NamedTuple):
    """The share of clips that are right, and the 95 % interval of the true share."""

    accuracy: float
    low: float
    high: float
    clips: int

    def __str__(self):
        interval = f"95 % interval {self.low:.3f} to {self.high:.3f}"
        return f"{self.accuracy:.3f} ({interval}, {self.clips:,} clips)"


def score(correct: Sequence[bool]) -> Score:
    """Compute the accuracy, a boolean for each clip, with Wilson's 95 % interval.

    The interval takes clips for independent: with few speakers the truth is less certain.
    """
    correct = _booleans(correct)
    if not correct.size:
        raise ValueError("expected one answer or more, found none")
    interval = binomtest(int(correct.sum()), correct.size).proportion_ci(method="wilson")
    return Score(float(correct.mean()), float(interval.low), float(interval.high), correct.size)


def evaluate(
    model: keras.Model,
    clips: pd.DataFrame,
    *,
    classes: Sequence[str] | None = None,
    lesson: str | None = None,
    split: str = "official",
) -> Score:
    """Compute the accuracy of a model on clips with `frames` and a categorical `label`.

    It warns if padding changes an answer, as `check_mask` finds out on the first clips.

    Args:
        classes: the names of the model's outputs, in their order. By default those that the model
            was trained on by `training.fit`; if there are none, only their number is compared.
        lesson: such as "02": the score becomes a row of the learner's table, `Results`.
        split: how these clips were set apart from the training, for that row.

    Raises:
        ValueError: The labels have other classes than the model, or one is missing.
    """
    if classes is None:
        classes = getattr(model, "classes", None)
    truth, logits = _codes(clips["label"], classes), predict(model, clips["frames"])
    names = batches.categories(clips["label"])
    if classes is None and len(names) != logits.shape[1]:
        expected = f"{logits.shape[1]} classes, as many as the model has outputs"
        raise ValueError(f"expected {expected}, found {len(names)}: {list(names)}")
    _warn_of_padding(model, clips["frames"])
    found = score(logits.argmax(axis=1) == truth)
    if lesson is not None:
        entry = {"model": model.name, "data": clips["source"].iloc[0], "split": split}
        Results().add(score=found, lesson=lesson, parameters=model.count_params(), **entry)
    return found


def paired_difference(correct_a: Sequence, correct_b: Sequence) -> tuple[float, float, float]:
    """Compute accuracy of a minus accuracy of b on the same clips, and its 95 % interval's ends.

    Source:
        R. G. Newcombe, "Improved confidence intervals for the difference between binomial
        proportions based on paired data", Statistics in Medicine 17, 1998, method 10.
    """
    a, b = _booleans(correct_a), _booleans(correct_b)
    if a.shape != b.shape:
        raise ValueError(f"expected answers to the same clips, found {a.size} and {b.size}")
    one, other, n = score(a), score(b), a.size
    # phi is the correlation of the two; a positive one is corrected for continuity.
    agreement = float((a & b).sum() * (~a & ~b).sum() - (a & ~b).sum() * (~a & b).sum())
    if agreement > 0:
        agreement = max(agreement - n / 2, 0)
    spread = np.sqrt(float(a.sum() * (~a).sum()) * float(b.sum() * (~b).sum()))
    phi = agreement / spread if spread else 0.0

    def distance(x, y):
        return np.sqrt(max(0, x**2 - 2 * phi * x * y + y**2))

    difference = one.accuracy - other.accuracy
    below = distance(one.accuracy - one.low, other.high - other.accuracy)
    above = distance(one.high - one.accuracy, other.accuracy - other.low)
    return difference, float(difference - below), float(difference + above)


def confusion(
    labels: pd.Series | pd.Categorical,
    predicted: Sequence[int],
    *,
    classes: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Count how often each class was taken for each: a row a true class, a column an answer.

    Args:
        labels: categorical.
        predicted: the class number of each clip; or categorical, with the classes of `labels`.
        classes: the names of the model's outputs, in their order, to be compared with the labels'.

    Raises:
        ValueError: The classes differ, or a label or an answer is none of them.
    """
    truth, names = _codes(labels, classes), batches.categories(labels)
    answers = batches.categories(predicted) or names
    predicted = batches.codes(predicted)
    if answers != names:
        raise ValueError(f"expected answers of the classes {list(names)}, found {list(answers)}")
    if len(predicted) != len(truth):
        raise ValueError(f"expected {len(truth)} answers, one a label, found {len(predicted)}")
    if (predicted >= len(names)).any():
        expected = f"answers of 0 to {len(names) - 1}, for the classes {list(names)}"
        raise ValueError(f"expected {expected}, found {predicted.max()}")
    table = np.zeros([len(names)] * 2, int)
    np.add.at(table, (truth, predicted), 1)
    index, columns = pd.Index(names, name="true"), pd.Index(names, name="answer")
    return pd.DataFrame(table, index=index, columns=columns)


def by_group(groups: Sequence[str], correct: Sequence[bool]) -> pd.DataFrame:
    """Score each group, such as a speaker: a row a group, columns accuracy, low, high, clips."""
    correct, (codes, names) = _booleans(correct), _groups(groups)
    if len(correct) != len(codes):
        found = f"{len(codes)} groups and {len(correct)} answers"
        raise ValueError(f"expected one group an answer, found {found}")
    scores = [score(correct[codes == code]) for code in range(len(names))]
    return pd.DataFrame(scores, index=pd.Index(names, name="group"), columns=Score._fields)


def _warn_of_padding(model, frames):
    """Warn if padding changes an answer; the mask is checked on a few clips."""
    try:
        check_mask(model, batches.pad(list(frames)[:CLIPS_CHECKED]))
    except AssertionError as error:
        warnings.warn(f"model '{model.name}': {error}", stacklevel=3)


def _codes(labels, classes):
    """The codes of a categorical column whose classes are as expected; None stands for any."""
    names = batches.categories(labels)
    if names is None:
        expected = "expected a categorical column of labels, as pd.Categorical makes it"
        raise ValueError(f"{expected}, found {getattr(labels, 'dtype', type(labels).__name__)}")
    if classes is not None and list(names) != list(classes):
        raise ValueError(f"expected labels of the classes {list(classes)}, found {list(names)}")
    return batches.codes(labels)


def _groups(groups):
    """The number of each clip's group, `[clips]`, and the groups' names, sorted."""
    codes, names = pd.factorize(pd.Series(groups, dtype=object), sort=True)
    if (codes < 0).any():
        raise ValueError(f"clip {np.argmax(codes < 0)}: expected a group, found none")
    return codes, list(names)


def _booleans(correct):
    """Answers as booleans `[clips]`, or the name of one that is neither right nor wrong."""
    correct = np.asarray(correct)
    if correct.ndim != 1:
        raise ValueError(f"expected one answer a clip, found shape {list(correct.shape)}")
    wrong = pd.isna(correct)
    wrong[~wrong] = ~np.isin(correct[~wrong], [False, True])
    if wrong.any():
        position = np.argmax(wrong)
        raise ValueError(f"clip {position}: expected True or False, found {correct[position]}")
    return correct.astype(bool)


def cost(model: keras.Model, frames: Sequence[np.ndarray]) -> dict[str, float]:
    """Measure what a model costs: parameters, kilobytes of weights, milliseconds a clip.

    The clips come one at a time, and their median counts; a kilobyte is 1,024 bytes.
    """
    waits = []
    for clip in [frames[0], *frames]:  # the first only warms up
        begin = time.perf_counter()
        forward(model)(clip[None])
        waits.append(1_000 * (time.perf_counter() - begin))
    return {
        "parameters": model.count_params(),
        "kilobytes": sum(weight.nbytes for weight in model.get_weights()) / 1_024,
        "milliseconds": float(np.median(waits[1:])),
    }


def check_mask(model: keras.Model, batch: np.ndarray) -> float:
    """Check that padding changes no logit: each clip alone, in the batch, and padded further.

    Args:
        batch: float32 `[batch, time, mels]`, clips padded at the end with PADDING.

    Returns the largest change of a logit.

    Raises:
        ValueError: a clip is not padded at the end.
        AssertionError: padding changes a logit; names the layer that lost the mask.
    """
    batch = np.asarray(batch, np.float32)
    real = ~(batch == batches.PADDING).all(axis=2)
    counts = real.sum(axis=1)
    if not (real == (np.arange(batch.shape[1]) < counts[:, None])).all() or not counts.all():
        expected = "expected every clip to have frames first and padding after"
        raise ValueError(f"{expected}, found padding before or between frames")
    longer = np.pad(batch, MORE_PADDING, constant_values=batches.PADDING)
    alone = np.concatenate([forward(model)(clip[None, :n]) for clip, n in zip(batch, counts)])
    together = [np.float32(forward(model)(padded)) for padded in (batch, longer)]
    change, allowed = np.abs(together - np.float32(alone)).max(), tolerance(model, alone)
    if not change <= allowed:  # nor is it NaN
        found = f"padding changes a logit by {change:.2g}, expected {allowed:.0e} or less"
        raise AssertionError(f"{found}: {_layer_at_fault(model, batch, longer, real)}")
    return float(change)


def tolerance(model: keras.Model | keras.Layer, values: np.ndarray) -> float:
    """Compute how far rounding alone may move a model's or a layer's `values`, any shape.

    The coarsest precision of its layers decides, and the largest of the values if it is above 1.
    """
    layers = getattr(model, "layers", [model])
    step = max(COARSE.get(layer.compute_dtype, 0) for layer in layers)
    return float(max(TOLERANCE, ROUNDINGS * step) * max(1, np.abs(values).max()))


def _layer_at_fault(model, batch, longer, real):
    """Name the layer that makes padding change a logit, and what it does, in a sentence."""
    unknown = "no single layer could be named: look at what each does with the padded frames"
    if not getattr(model, "inputs", None):  # a subclass, whose steps are not known
        return unknown
    steps = getattr(model, "operations", model.layers)  # layers, and arithmetic such as 2 * frames
    steps = [step for step in steps if not isinstance(step, keras.layers.InputLayer)]
    outputs = {step: keras.tree.flatten(step.output)[0] for step in steps}
    # Steps whose outputs are not numbers make the masks.
    outputs = {step: output for step, output in outputs.items() if "float" in output.dtype}
    layer_by_layer = keras.Model(model.inputs[0], list(outputs.values()))
    mask_before = name_before = None
    for step, now, further in zip(outputs, layer_by_layer(batch), layer_by_layer(longer)):
        name = f"layer '{step.name}' ({type(step).__name__})"
        mask = getattr(now, "_keras_mask", None)
        if mask is None and mask_before is not None and now.shape.rank > 2:
            return f"{name} loses the mask"
        if mask is not None and mask.shape == real.shape and not np.array_equal(mask, real):
            if name_before is None:
                return f"{name} looks for another value than {batches.PADDING}"
            return f"{name_before} changes the padding before {name} can mark it"
        if now.shape == further.shape and _differ(model, np.float32(now), np.float32(further)):
            if mask_before is not None:
                return f"{name} ignores the mask"
            return f"{name} gets no mask from the layers before it: let Masking(PADDING) come first"
        mask_before, name_before = mask if now.shape.rank > 2 else mask_before, name
    return unknown


def _differ(model, one, other):
    return not np.abs(one - other).max() <= tolerance(model, one)


class Results:
    """The table of models that a learner fills from lesson to lesson, kept in a CSV file."""

    KEY = ("lesson", "model", "data", "split")
    COSTS = ("parameters", "seconds", "milliseconds", "kilobytes")
    COLUMNS = (*KEY, *Score._fields, "seeds", "least", "largest", *COSTS)

    def __init__(self, path: str | Path = RESULTS):
        self.path = Path(path)

    def add(self, *, score: Score | Sequence[Score], **entry: str | float | None) -> pd.DataFrame:
        """Write a model's row, in place of an earlier one with the same KEY; return the table.

        Args:
            score: a Score, or one for each seed: their means, least and largest are kept.
            **entry: lesson, such as "02", model, data, split; parameters, and what was measured:
                seconds of an epoch, milliseconds for a clip alone, kilobytes of the weights.
        """
        unknown = set(entry) - {*self.KEY, *self.COSTS}
        missing = {*self.KEY, "parameters"} - set(entry)
        if unknown or missing:
            raise TypeError(f"expected {self.KEY + self.COSTS}, found {tuple(entry)}")
        scores = pd.DataFrame([score] if isinstance(score, Score) else score, columns=Score._fields)
        row = entry | scores.mean().to_dict() | {"clips": scores.clips[0], "seeds": len(scores)}
        if len(scores) > 1:
            row |= {"least": scores.accuracy.min(), "largest": scores.accuracy.max()}
        rows = [*self.table().to_dict("records"), row]
        table = pd.DataFrame(rows, columns=self.COLUMNS).drop_duplicates([*self.KEY], keep="last")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.path.parent) as folder:
            written = Path(folder) / self.path.name
            table.sort_values("lesson", kind="stable").to_csv(written, index=False)
            os.replace(written, self.path)  # all of the new table or all of the old
        return self.table()

    def table(self) -> pd.DataFrame:
        """Read all rows so far, with the columns COLUMNS."""
        if not self.path.exists():
            return pd.DataFrame(columns=self.COLUMNS)
        types = dict.fromkeys(self.KEY, str)
        table = pd.read_csv(self.path, dtype=types, float_precision="round_trip")
        return table.reindex(columns=self.COLUMNS)
