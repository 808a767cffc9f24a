"""The seconds of each epoch of one Keras contender: `python -m benchmarks.epochs_keras ours` prints them as JSON."""

import json
import sys

import keras
import numpy as np
import tensorflow as tf

from benchmarks.contest import EPOCHS, SEED, training_clips
from benchmarks.measure import Stopwatch
from course_lib import batches, models, training
from course_lib.audio import N_MELS


class EpochTimes(keras.callbacks.Callback):
    """Reads a stopwatch at the end of each epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.watch = getattr(self, "watch", None) or Stopwatch()
        self.watch.restart()

    def on_epoch_end(self, epoch, logs=None):
        self.watch.lap()


def ours(frames, labels):
    """The course's way: `batches.bucketed` and `training.fit`.

    Returns: a list of (CPU seconds, wall seconds), one an epoch.
    """
    times = EpochTimes()
    training.fit(
        models.lstm(10),
        batches.bucketed(frames, labels, seed=SEED),
        None,
        epochs=EPOCHS,
        callbacks=[times],
    )
    return times.watch.laps


def longest(frames, labels):
    """What Keras does by default with one padded array: every batch as long as the longest clip of the set.

    Returns: a list of (CPU seconds, wall seconds), one an epoch.
    """
    return _default_fit(batches.pad(frames), labels)


def batch(frames, labels):
    """Random batches, each padded to its own longest clip, with what Keras compiles by default.

    Returns: a list of (CPU seconds, wall seconds), one an epoch.
    """
    random = np.random.default_rng(SEED)

    def epoch():
        for members in np.array_split(
            random.permutation(len(frames)),
            range(batches.BATCH_SIZE, len(frames), batches.BATCH_SIZE),
        ):
            yield batches.pad([frames[clip] for clip in members]), labels[members]

    signature = (tf.TensorSpec([None, None, N_MELS], tf.float32), tf.TensorSpec([None], tf.int32))
    dataset = tf.data.Dataset.from_generator(epoch, output_signature=signature)
    count = -(-len(frames) // batches.BATCH_SIZE)
    return _default_fit(dataset.apply(tf.data.experimental.assert_cardinality(count)).prefetch(2))


def _default_fit(data, labels=None):
    """Train with the course's optimizer and loss, and everything else as Keras has it."""
    model, times = models.lstm(10), EpochTimes()
    model.compile(
        optimizer=keras.optimizers.Adam(training.LEARNING_RATE, global_clipnorm=training.CLIP_NORM),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(
        data,
        labels,
        batch_size=None if labels is None else batches.BATCH_SIZE,
        epochs=EPOCHS,
        verbose=0,
        callbacks=[times],
    )
    return times.watch.laps


CONTENDERS = {"ours": ours, "longest": longest, "batch": batch}

if __name__ == "__main__":
    keras.utils.set_random_seed(SEED)
    print(json.dumps(CONTENDERS[sys.argv[1]](*training_clips())))
