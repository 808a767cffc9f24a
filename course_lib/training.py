"""Compile and fit, always the same way, with a learning curve that grows while the model trains."""

import contextlib
import functools
import os
import time
from textwrap import fill

import keras
import matplotlib.pyplot as plt
import tensorflow as tf
from IPython import get_ipython
from IPython.display import display

from course_lib.words import COLUMNS, in_words

EPOCHS = 12
LEARNING_RATE = 3e-3
CLIP_NORM = 1.0  # the norm of all gradients together that a step may not exceed


def fit(model, train, validation=None, *, epochs=EPOCHS, learning_rate=LEARNING_RATE, clip_norm=CLIP_NORM, callbacks=()):
    """Train a classifier with Adam on the cross-entropy of its logits.

    Args: model: an uncompiled Keras model with logits; train, validation: datasets of (frames, integer labels), as `bucketed` gives;
    train may have a probability for each class as its labels, as `augmentation.mixup` gives; without validation no learning curve is drawn.
    Returns: the `keras.callbacks.History`: loss, accuracy, val_loss, val_accuracy and seconds, a value an epoch; the seconds leave
    out the validation, and the first hold the compiling.
    Raises: FloatingPointError if the loss is no longer a finite number, with what to try.
    """
    prepare(model, learning_rate=learning_rate, clip_norm=clip_norm)
    if train.element_spec[1].shape.rank == 2:
        model.compile(model.optimizer, keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"], jit_compile=compiles(model))
        validation = validation and validation.map(lambda frames, labels: (frames, tf.one_hot(labels, model.output_shape[-1])))
    return _fit_compiled(model, train, validation, epochs, callbacks)


def fit_seeds(model, train, *, seeds, epochs=EPOCHS, learning_rate=LEARNING_RATE, clip_norm=CLIP_NORM):
    """Train one architecture from several random beginnings, compiled once.

    Args: model: an uncompiled Keras model with logits; train: a dataset of (frames, integer labels); seeds: integers.
    Returns: an iterator of (seed, model, history): the same model each time, with new weights, so use it before the next;
    the order of the batches goes on from seed to seed.
    Raises: FloatingPointError if the loss is no longer a finite number, with what to try.
    """
    prepare(model, learning_rate=learning_rate, clip_norm=clip_norm)
    model.optimizer.build(model.trainable_variables)
    untouched = [variable.numpy() for variable in model.optimizer.variables]
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        model.set_weights(keras.models.clone_model(model).get_weights())
        for variable, value in zip(model.optimizer.variables, untouched):
            variable.assign(value)
        yield seed, model, _fit_compiled(model, train, None, epochs, ())


def prepare(model, *, learning_rate=LEARNING_RATE, clip_norm=CLIP_NORM):
    """Give a model its loss, Adam, and XLA where that is faster."""
    start_xla()
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate, global_clipnorm=clip_norm),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=compiles(model),
    )


def _fit_compiled(model, train, validation, epochs, callbacks):
    watchers = [Stopwatch(), StopAtNaN(), *([LearningCurve()] if validation is not None else []), *callbacks]
    return model.fit(train, validation_data=validation, epochs=epochs, shuffle=False, verbose=0, callbacks=watchers)


def compiles(model):
    """Whether XLA makes this model's training faster: on a CPU that of a recurrent layer, if nothing convolves; on a GPU cuDNN is faster.

    Returns: a bool for `model.compile(jit_compile=…)`.
    """
    recurs = any(isinstance(layer, (keras.layers.RNN, keras.layers.Bidirectional)) for layer in model.layers)
    convolves = any("Conv" in type(layer).__name__ for layer in model.layers)
    return recurs and not convolves and not tf.config.list_physical_devices("GPU")


@functools.cache
def start_xla():
    """Start XLA once a process, without the notes that it then writes."""
    with quiet_stderr():
        tf.function(lambda number: number + 1, jit_compile=True)(tf.constant(1.0))


@contextlib.contextmanager
def quiet_stderr():
    """Within this context nothing reaches the error stream, not even what TensorFlow writes past Python's streams and past every setting."""
    with contextlib.ExitStack() as stack:
        stderr = os.dup(2)
        stack.callback(os.close, stderr)
        stack.callback(os.dup2, stderr, 2)
        os.dup2(stack.enter_context(open(os.devnull, "w")).fileno(), 2)
        yield


class Stopwatch(keras.callbacks.Callback):
    """Writes the seconds of each epoch into its logs, those of the validation left out."""

    def on_epoch_begin(self, epoch, logs=None):
        self.begin, self.apart = time.perf_counter(), 0

    def on_test_begin(self, logs=None):
        self.pause = time.perf_counter()

    def on_test_end(self, logs=None):
        self.apart += time.perf_counter() - self.pause

    def on_epoch_end(self, epoch, logs=None):
        logs["seconds"] = time.perf_counter() - self.begin - self.apart


class StopAtNaN(keras.callbacks.Callback):
    """Stops the training with an explanation when the loss is no longer a finite number."""

    def on_epoch_end(self, epoch, logs=None):
        if logs["loss"] - logs["loss"] != 0:
            raise FloatingPointError(
                f"epoch {epoch + 1}: expected a finite loss, found {logs['loss']}: use a smaller learning_rate or a smaller clip_norm"
            )


class LearningCurve(keras.callbacks.Callback):
    """Draws loss and accuracy after each epoch: in a notebook the picture grows and one final picture stays."""

    def on_train_begin(self, logs=None):
        self.seen, self.handle = [], None

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(dict(logs))
        if get_ipython() is None:
            return
        figure = self.draw()
        alternative = {"image/png": {"alt": in_words(figure, self.fact())}}
        if self.handle is None:
            self.handle = display(figure, display_id=True, metadata=alternative)
        else:
            self.handle.update(figure, metadata=alternative)
        plt.close(figure)

    def on_train_end(self, logs=None):
        if self.handle is not None:
            print(fill(in_words(self.draw(), self.fact()), COLUMNS))
            plt.close()

    def fact(self):
        """What the curves have come to.

        Returns: a str.
        """
        now = self.seen[-1]
        return (
            f"after epoch {len(self.seen)} the loss is {now['loss']:.2f} in training and {now['val_loss']:.2f} in validation, "
            f"the accuracy {now['accuracy']:.3f} and {now['val_accuracy']:.3f}"
        )

    def draw(self):
        """The picture so far: loss on the left, accuracy on the right.

        Returns: a matplotlib figure.
        """
        figure, panels = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained")
        for axes, quantity in zip(panels, ["loss", "accuracy"]):
            for name, label, style in [(quantity, "training", "o-"), (f"val_{quantity}", "validation", "s--")]:
                if name in self.seen[0]:
                    axes.plot(range(1, len(self.seen) + 1), [logs[name] for logs in self.seen], style, label=label, markersize=4)
            axes.set(xlabel="epoch", ylabel=quantity, title=f"{self.model.name}: {quantity}")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.legend()
        return figure
