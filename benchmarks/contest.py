"""What all contenders of the speed benchmark share, and one run of one of them. No framework is imported here.

    python -m benchmarks.contest epochs_torch padded lstm plain         the mean validation accuracy after each epoch, up to GOAL
    python -m benchmarks.contest epochs_torch padded lstm plain 0 7     seconds and test accuracy of seed 0, 7 epochs

Both print JSON.
"""

import contextlib
import functools
import importlib
import json
import sys
import time
from typing import NamedTuple

import numpy as np
import psutil

from benchmarks.measure import Stopwatch
from course_lib import audio, data

SEEDS, SEARCH_SEEDS = range(5), range(10, 15)  # that are measured; that choose the epochs
GOAL, MOST_EPOCHS = 0.97, 16  # mean validation accuracy; the search ends here without it
UNITS, CLASSES, BATCH_SIZE = 64, 10, 32
CLIP_NORM, EPSILON = 1.0, 1e-7  # of all gradients together; of Adam, as in Keras
SHIFT, SCALE = -5.0, 4.0  # natural log of mel energy, as course_lib.models


class Recipe(NamedTuple):
    """Frames and learning rate, the same for all contenders."""

    step: int  # of each clip every such frame is taken: 2 gives exactly the frames of 20 ms steps
    rate: float  # of Adam: constant, or the peak
    cosine: bool  # whether it rises for an epoch, then falls to 0 along a cosine


RECIPES = {"plain": Recipe(1, 3e-3, False), "quick": Recipe(2, 6e-3, True)}


class Loop:
    """Training where no framework has a `fit`: batches of clips sorted by length, in random order, padded once.

    A subclass has `update(padded, counts, labels, rate)` and `logits(padded, counts)`.
    """

    def __init__(self, recipe, frames, labels, *, seed, epochs):
        self.batches, self.random = sorted_batches(frames, labels), np.random.default_rng(seed)
        self.rates = iter(rates(recipe, epochs, len(self.batches)))

    def fit(self, epochs):
        """Train on. Returns: a list of (CPU seconds, wall seconds), one an epoch."""
        watch = Stopwatch()
        for _ in range(epochs):
            for place in self.random.permutation(len(self.batches)):
                self.update(*self.batches[place], next(self.rates))
            watch.lap()
        return watch.laps

    def accuracy(self, frames, labels):
        """The share of clips that are answered rightly."""
        answered = [
            self.logits(padded, counts).argmax(axis=1) == label
            for padded, counts, label in sorted_batches(frames, labels)
        ]
        return np.concatenate(answered).mean()


def parts(recipe):
    """The digits: frames and labels of the training, validation and test clips."""
    with contextlib.redirect_stdout(sys.stderr):
        every = data.load_parts("digits")
    return [
        ([clip[:: recipe.step] for clip in part["frames"]], part["label"].cat.codes.to_numpy(int))
        for part in every
    ]


def sorted_batches(frames, labels):
    """Batches of clips of similar length.

    Returns: a list of float32 `[batch, time, mel]` (scaled, zeros behind), the clips' numbers of frames, their labels.
    """
    order, made = np.argsort([len(clip) for clip in frames], kind="stable"), []
    for members in np.split(order, range(BATCH_SIZE, len(order), BATCH_SIZE)):
        counts = np.array([len(frames[clip]) for clip in members])
        padded = np.zeros([len(members), counts.max(), audio.N_MELS], np.float32)
        for row, clip in zip(padded, members):
            row[: len(frames[clip])] = (frames[clip] - SHIFT) / SCALE
        made.append((padded, counts, labels[members]))
    return made


def rates(recipe, epochs, steps):
    """The learning rate of each step: a list of floats."""
    if not recipe.cosine:
        return [recipe.rate] * (epochs * steps)
    rising = np.arange(steps) / steps
    falling = (1 + np.cos(np.pi * np.linspace(0, 1, (epochs - 1) * steps, endpoint=False))) / 2
    return (recipe.rate * np.concatenate([rising, falling])).tolist()


def first_weights(cell, seed):
    """Weights by Keras's rules: uniform (Glorot), orthogonal, biases 0, that of the forget gate 1.

    Returns: kernel, recurrent, bias, those of the answer; gates in Keras's order.
    """
    random, gates = np.random.default_rng(seed), {"lstm": 4, "gru": 3}[cell]
    recurrent = np.linalg.qr(random.normal(size=[gates * UNITS, UNITS]))[0].T
    bias = np.zeros(gates * UNITS if cell == "lstm" else [2, gates * UNITS])
    if cell == "lstm":
        bias[UNITS : 2 * UNITS] = 1
    kernel, dense = (
        random.uniform(-1, 1, shape) * np.sqrt(6 / sum(shape))
        for shape in [(audio.N_MELS, gates * UNITS), (UNITS, CLASSES)]
    )
    weights = [kernel, recurrent, bias, dense, np.zeros(CLASSES)]
    return [weight.astype(np.float32) for weight in weights]


def search(trainer, recipe):
    """Train with SEARCH_SEEDS side by side until their mean validation accuracy reaches GOAL.

    A cosine ends with its training, so each number of epochs is trained from the start.
    Returns: the mean accuracies after 1, 2, … epochs; the last reaches GOAL, or is that of MOST_EPOCHS.
    """
    train, validation, _ = parts(recipe)
    means, trainers = [], None
    while len(means) < MOST_EPOCHS and max(means, default=0) < GOAL:
        epochs = len(means) + 1
        if recipe.cosine or not trainers:
            planned = epochs if recipe.cosine else MOST_EPOCHS
            trainers = [trainer(recipe, *train, seed=seed, epochs=planned) for seed in SEARCH_SEEDS]
        for each in trainers:
            each.fit(epochs if recipe.cosine else 1)
        means.append(float(np.mean([each.accuracy(*validation) for each in trainers])))
    return means


def measure(trainer, recipe, seed, epochs):
    """Train once and score it on the test.

    Returns: a dict: (CPU, wall) seconds from memory and from the start of the process, CPU seconds of the median epoch after the first, accuracy.
    """
    train, _, test = parts(recipe)
    watch = Stopwatch()
    trained = trainer(recipe, *train, seed=seed, epochs=epochs)
    laps = trained.fit(epochs)
    memory, started = watch.lap(), psutil.Process().create_time()
    start = time.process_time(), time.time() - started
    later = float(np.median([cpu for cpu, _ in laps[1:]])) if laps[1:] else None
    accuracy = float(trained.accuracy(*test))
    return {"memory": memory, "start": start, "later": later, "accuracy": accuracy}


def main(module, way, cell, recipe, *numbers):
    """Run a contender: `measure` with a seed and epochs, else `search`."""
    trainer = importlib.import_module(f"benchmarks.{module}").Trainer
    made = functools.partial(trainer, way, cell)
    run = measure if numbers else search
    print(json.dumps(run(made, RECIPES[recipe], *map(int, numbers))))


if __name__ == "__main__":
    main(*sys.argv[1:])
