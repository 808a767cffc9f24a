"""The contenders in Keras: the course's kernel or Keras's own layers, bucketed or padded, with XLA or without."""

import keras
import numpy as np

from benchmarks.contest import BATCH_SIZE, CLASSES, CLIP_NORM
from benchmarks.measure import Stopwatch
from course_lib import batches, cells, models, training


class Laps(keras.callbacks.Callback):
    """Reads a stopwatch at the end of each epoch."""

    def on_train_begin(self, logs=None):
        self.watch = Stopwatch()

    def on_epoch_end(self, epoch, logs=None):
        self.watch.lap()


class Trainer:
    """A model of the course, compiled and fitted as `training.fit` does it."""

    def __init__(self, way, cell, recipe, frames, labels, *, seed, epochs):
        (cells.install if "kernel" in way else cells.uninstall)()
        keras.utils.set_random_seed(seed)
        self.model = models.BUILDERS[cell](CLASSES)
        if "padded" in way:
            self.given = {"x": batches.pad(frames), "y": labels, "batch_size": BATCH_SIZE}
            steps = -(-len(frames) // BATCH_SIZE)
        else:
            self.given = {"x": batches.bucketed(frames, labels, seed=seed), "shuffle": False}
            steps = len(self.given["x"])
        rate = recipe.rate
        if recipe.cosine:
            falling = max(1, (epochs - 1) * steps)  # Keras allows no 0
            rate = keras.optimizers.schedules.CosineDecay(
                0.0, falling, warmup_target=recipe.rate, warmup_steps=steps
            )
        training.compile_model(self.model, learning_rate=rate, clip_norm=CLIP_NORM)
        self.model.jit_compile = "xla" in way

    def fit(self, epochs):
        """Train on. Returns: a list of (CPU seconds, wall seconds), one an epoch."""
        laps = Laps()
        self.model.fit(**self.given, epochs=epochs, verbose=0, callbacks=[laps])
        return laps.watch.laps

    def accuracy(self, frames, labels):
        """The share of clips that are answered rightly."""
        logits = models.forward(self.model)(batches.pad(frames))
        return np.mean(logits.numpy().argmax(axis=1) == labels)
