"""Predictions → numbers: accuracy with an interval, confusion, per group; the mask check; the table of results."""

import os
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from course_lib import batches

RESULTS = Path(__file__).resolve().parent.parent / "build" / "results.csv"
TOLERANCE = 1e-5  # logits: what rounding alone may change
CLIPS_AT_ONCE = 64  # clips of similar length in one padded batch
Z_95 = 1.959964  # standard deviations: half the width of a 95 % interval


def predict(model, frames):
    """The logits of each clip, computed in padded batches of similar length.

    Args: frames: a sequence of float32 `[frames, mels]`.
    Returns: float32 `[clips, classes]`, in the order of `frames`.
    """
    frames = batches.check(frames)
    forward = _forward(model, frames[0].shape[1])
    by_length = np.argsort(batches.lengths(frames), kind="stable")
    pieces = np.array_split(by_length, -(-len(frames) // CLIPS_AT_ONCE))
    logits = np.concatenate([forward(batches.pad([frames[clip] for clip in piece])) for piece in pieces])
    return logits[np.argsort(by_length)]


class Score(NamedTuple):
    """A share of clips that are right, with the interval in which the true share lies in 95 of 100 such experiments."""

    accuracy: float
    low: float
    high: float
    clips: int

    def __str__(self):
        return f"{self.accuracy:.3f} (95 % interval {self.low:.3f} to {self.high:.3f}, {self.clips:,} clips)"


def score(correct):
    """The accuracy of right and wrong answers, with Wilson's 95 % interval.

    Args: correct: a boolean for each clip.
    Returns: a Score. The interval takes the clips for independent: with few speakers the truth is less certain.
    Raises: ValueError if there is no clip.
    Source: E. B. Wilson, "Probable inference", Journal of the American Statistical Association 22, 1927.
    """
    correct = np.asarray(correct, bool)
    if not correct.size:
        raise ValueError("expected one answer or more, found none")
    share, n = correct.mean(), correct.size
    middle = (share + Z_95**2 / (2 * n)) / (1 + Z_95**2 / n)
    half = Z_95 * np.sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2)) / (1 + Z_95**2 / n)
    return Score(float(share), float(max(0, min(share, middle - half))), float(min(1, max(share, middle + half))), n)  # a rounding step may not part them


def evaluate(model, clips):
    """The accuracy of a model on clips.

    Args: clips: a DataFrame with `frames` and a categorical `label`.
    Returns: a Score.
    """
    return score(predict(model, clips["frames"]).argmax(axis=1) == clips["label"].cat.codes)


def confusion(labels, predicted):
    """How often each class was taken for each.

    Args: labels: a categorical Series; predicted: the class number of each clip.
    Returns: a DataFrame of counts, a row for each true class and a column for each answer, in the order of the categories.
    """
    names = labels.cat.categories
    table = np.zeros([len(names), len(names)], int)
    np.add.at(table, (labels.cat.codes.to_numpy(), np.asarray(predicted)), 1)
    return pd.DataFrame(table, index=names.rename("true"), columns=names.rename("answer"))


def by_group(groups, correct):
    """The accuracy of each group: of each speaker, singer or recording.

    Returns: a DataFrame, a row for each group, with the columns accuracy, low, high, clips.
    """
    answers = pd.Series(np.asarray(correct, bool), index=pd.Index(groups, name="group"))
    return pd.DataFrame({name: score(part)._asdict() for name, part in answers.groupby(level=0)}).T.astype({"clips": int})


def leave_one_group_out(clips):
    """Each group in turn as the test, all others as the training.

    Returns: an iterator of (group, train, test), the two DataFrames.
    Raises: ValueError if there is one group only.
    """
    groups = sorted(clips["group"].unique())
    if len(groups) < 2:
        raise ValueError(f"expected two groups or more, found {groups}")
    for group in groups:
        yield group, clips[clips["group"] != group], clips[clips["group"] == group]


def price(model, frames):
    """What a model costs its user.

    Args: frames: a sequence of float32 `[frames, mels]`, clips such as it will hear.
    Returns: a dict: parameters; kilobytes of 1,024 bytes for its weights; milliseconds for one clip alone, the median over `frames`.
    """
    forward, waits = _forward(model, frames[0].shape[1]), []
    for clip in [frames[0], *frames]:  # the first only warms up
        begin = time.perf_counter()
        forward(clip[None])
        waits.append(1_000 * (time.perf_counter() - begin))
    size = sum(weight.nbytes for weight in model.get_weights())
    return {"parameters": model.count_params(), "kilobytes": size / 1_024, "milliseconds": float(np.median(waits[1:]))}


def check_mask(model, batch):
    """Check that padding changes no logit: each clip alone, as it is in the batch, and padded further.

    Args: batch: float32 `[batch, time, mels]`, clips padded at the end with PADDING.
    Returns: the largest change of a logit, a number below TOLERANCE.
    Raises: ValueError if a clip is not padded at the end; AssertionError that names the layer that lost the mask.
    """
    batch = np.asarray(batch, np.float32)
    real = ~(batch == batches.PADDING).all(axis=2)
    counts = real.sum(axis=1)
    if not (real == (np.arange(batch.shape[1]) < counts[:, None])).all() or not counts.all():
        raise ValueError("expected every clip to have frames first and padding after, found padding before or between frames")
    forward = _forward(model, batch.shape[2])
    longer = np.pad(batch, [(0, 0), (0, 17), (0, 0)], constant_values=batches.PADDING)
    alone = np.concatenate([forward(clip[None, :n]) for clip, n in zip(batch, counts)])
    change = max(np.abs(forward(padded) - alone).max() for padded in (batch, longer))
    if not change <= TOLERANCE:
        raise AssertionError(f"padding changes a logit by {change:.2g}, expected {TOLERANCE:.0e} or less: {_culprit(model, batch, real)}")
    return float(change)


def _forward(model, n_mels):
    """The model's answers to `[batch, time, n_mels]` as a function that is traced once for all shapes, and kept with the model."""
    if not hasattr(model, "_forward_of_course_lib"):
        shape = [tf.TensorSpec([None, None, n_mels])]
        forward = tf.function(lambda padded: model(padded, training=False), input_signature=shape, autograph=False)
        model._forward_of_course_lib = forward.get_concrete_function()  # does not count towards TensorFlow's warning about retracing
    return model._forward_of_course_lib


def _culprit(model, batch, real):
    """A sentence that names the layer to mend, when padding changes a logit."""
    steps = getattr(model, "operations", model.layers)  # layers, and arithmetic such as 2 * frames
    outputs = {step: keras.tree.flatten(step.output)[0] for step in steps if not isinstance(step, keras.layers.InputLayer)}
    layers = [step for step, output in outputs.items() if "float" in output.dtype]  # the others make the masks
    layer_by_layer = keras.Model(model.inputs[0], [outputs[layer] for layer in layers])
    longer = np.pad(batch, [(0, 0), (0, 17), (0, 0)], constant_values=batches.PADDING)
    before = earlier = None
    for layer, output, output_longer in zip(layers, layer_by_layer(batch), layer_by_layer(longer)):
        named, mask = f"layer '{layer.name}' ({type(layer).__name__})", getattr(output, "_keras_mask", None)
        if mask is None and before is not None and output.shape.rank > 2:
            return f"{named} loses the mask"
        if mask is not None and mask.shape == real.shape and not np.array_equal(mask, real):
            if earlier is None:
                return f"{named} looks for another value than {batches.PADDING}"
            return f"{earlier} changes the padding before {named} can mark it"
        if output.shape == output_longer.shape and not np.allclose(output, output_longer, atol=TOLERANCE):
            return f"{named} ignores the mask" if before is not None else f"{named} gets no mask from the layers before it: let Masking(PADDING) come first"
        before, earlier = mask if output.shape.rank > 2 else before, named
    return "no single layer could be named: look at what each does with the padded frames"


class Results:
    """The table of models that a learner fills from lesson to lesson, kept in a CSV file."""

    KEY = ("lesson", "model", "data", "split")
    COLUMNS = (*KEY, "accuracy", "low", "high", "clips", "seeds", "least", "largest", "parameters", "seconds", "milliseconds", "kilobytes")

    def __init__(self, path=RESULTS):
        self.path = Path(path)

    def add(self, *, lesson, model, data, split, score, parameters, seconds=None, milliseconds=None, kilobytes=None):
        """Write a model's row, in place of an earlier one of the same lesson, model, data and split.

        Args: lesson: its number, such as "02"; data: what it was trained and tested on; score: a Score, or a list with one for each
        seed, of which the means and the least and largest accuracy are kept; parameters: trained numbers; seconds: of an epoch;
        milliseconds: for a clip alone; kilobytes: of the weights.
        Returns: the whole table.
        """
        scores = pd.DataFrame([score] if isinstance(score, Score) else score, columns=Score._fields)
        means, clips = scores[["accuracy", "low", "high"]].mean(), int(scores.clips.iloc[0])
        spread = [len(scores), scores.accuracy.min(), scores.accuracy.max()] if len(scores) > 1 else [1, None, None]
        row = [lesson, model, data, split, *means, clips, *spread, parameters, seconds, milliseconds, kilobytes]
        rows = [*self.table().astype(object).to_numpy().tolist(), row]
        table = pd.DataFrame(rows, columns=self.COLUMNS).drop_duplicates(list(self.KEY), keep="last").sort_values("lesson", kind="stable")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.path.parent) as beside:
            table.to_csv(Path(beside) / self.path.name, index=False)
            os.replace(Path(beside) / self.path.name, self.path)
        return self.table()

    def table(self):
        """All rows so far.

        Returns: a DataFrame with the columns COLUMNS, without a row when no lesson has written one.
        """
        if not self.path.exists():
            return pd.DataFrame(columns=self.COLUMNS)
        table = pd.read_csv(self.path, dtype=dict.fromkeys(self.KEY, str), float_precision="round_trip")
        return table.reindex(columns=self.COLUMNS)
