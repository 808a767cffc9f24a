"""Compile and fit, always the same way, with a learning curve that grows while a model trains."""

import contextlib
import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from textwrap import fill

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from IPython import get_ipython
from IPython.display import display
from keras.callbacks import Callback, History
from matplotlib.figure import Figure

from course_lib.plots import WIDTH, alt_text

EPOCHS = 12
LEARNING_RATE = 3e-3
CLIP_NORM = 1.0  # the norm of all gradients together that a step may not exceed


def fit(
    model: keras.Model,
    train: tf.data.Dataset,
    validation: tf.data.Dataset | None = None,
    *,
    epochs: int = EPOCHS,
    callbacks: Sequence[Callback] = (),
    **options: float,
) -> History:
    """Compile a model with logits, with the options of `compile_model`, and train it.

    Data are as `bucketed` gives; labels of `train` may be probabilities, as `augmentation.mixup`
    gives. Without validation no learning curve is drawn. The history also has the seconds of each
    epoch, without its validation. The model keeps the names of the classes, as `model.classes`.

    Raises:
        ValueError: The two datasets name other classes, or the model has no output for a label.
        FloatingPointError: The loss is not finite.
    """
    soft = train.element_spec[1].shape.rank == 2
    loss = keras.losses.CategoricalCrossentropy(from_logits=True) if soft else None
    compile_model(model, loss=loss, **options)
    names, others = _classes(train), _classes(validation)
    if None not in (names, others) and names != others:
        expected = f"validation clips of the classes {list(names)}, as in training"
        raise ValueError(f"expected {expected}, found {list(others)}")
    return _fit_compiled(model, train, validation, epochs, callbacks)


def fit_seeds(
    model: keras.Model, train: tf.data.Dataset, *, seeds: Iterable[int], epochs=EPOCHS, **options
) -> Iterator[tuple[int, keras.Model, History]]:
    """Train one architecture from several seeds, compiled once: seed, model, history.

    The model is the same object each time, with new weights: use it before the next.
    """
    compile_model(model, **options)
    model.optimizer.build(model.trainable_variables)
    untouched = [variable.numpy() for variable in model.optimizer.variables]
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        model.set_weights(keras.models.clone_model(model).get_weights())
        for variable, value in zip(model.optimizer.variables, untouched):
            variable.assign(value)
        # The order of the batches goes on from seed to seed.
        yield seed, model, _fit_compiled(model, train, None, epochs, ())


def compile_model(
    model: keras.Model, *, learning_rate=LEARNING_RATE, clip_norm=CLIP_NORM, loss=None
) -> None:
    """Give a model its loss (of integer labels if None), Adam, and accuracy as its metric."""
    optimizer = keras.optimizers.Adam(learning_rate, global_clipnorm=clip_norm)
    if model.distribute_strategy.num_replicas_in_sync == 1:
        # One device has nothing to sum, and for this sum TensorFlow would never free the graph.
        optimizer._all_reduce_sum_gradients = lambda pairs: pairs
    model.compile(
        optimizer=optimizer,
        loss=loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Silence the error stream, even what TensorFlow writes past Python and past every setting."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


class Stopwatch(Callback):
    """Writes the seconds of each epoch, those of the validation left out, into its logs."""

    def on_epoch_begin(self, epoch, logs=None):
        self.begin, self.validation = time.perf_counter(), 0

    def on_test_begin(self, logs=None):
        self.pause = time.perf_counter()

    def on_test_end(self, logs=None):
        self.validation += time.perf_counter() - self.pause

    def on_epoch_end(self, epoch, logs=None):
        logs["seconds"] = time.perf_counter() - self.begin - self.validation


class StopAtNaN(Callback):
    """Stops the training with an explanation when a loss is no longer a finite number."""

    def on_epoch_end(self, epoch, logs=None):
        for name in ("loss", "val_loss"):
            loss = logs.get(name, 0)
            if not np.isfinite(loss):
                found = f"epoch {epoch + 1}: expected a finite {name}, found {loss}"
                raise FloatingPointError(f"{found}: use a smaller learning_rate or clip_norm")


class LearningCurve(Callback):
    """Draws loss and accuracy after each epoch, in a notebook, in one picture that grows."""

    def on_train_begin(self, logs=None):
        self.seen, self.handle = [], None

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(dict(logs))
        if get_ipython() is not None:
            figure = self.draw()
            shown = {"metadata": {"image/png": {"alt": alt_text(figure, self.fact())}}}
            if self.handle is None:
                self.handle = display(figure, display_id=True, **shown)
            else:
                self.handle.update(figure, **shown)
            plt.close(figure)

    def on_train_end(self, logs=None):
        if self.handle is not None:
            print(fill(f"Look at: {self.fact()}.", WIDTH))

    def fact(self) -> str:
        """Say what the curves have come to."""
        now, epoch = self.seen[-1], f"after epoch {len(self.seen)}"
        if "val_accuracy" not in now:
            return f"{epoch} the accuracy in training is {now['accuracy']:.3f}"
        accuracies = (
            f"{now['val_accuracy']:.3f} in validation and {now['accuracy']:.3f} in training"
        )
        return f"{epoch} the accuracy is {accuracies}"

    def draw(self) -> Figure:
        """Draw the curves so far, loss on the left, accuracy on the right."""
        figure, panels = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained")
        curves, epochs = pd.DataFrame(self.seen), range(1, len(self.seen) + 1)
        for axes, name in zip(panels, ["loss", "accuracy"]):
            axes.plot(epochs, curves[name], "o-", label="training", markersize=4)
            if f"val_{name}" in curves:
                axes.plot(epochs, curves[f"val_{name}"], "s--", label="validation", markersize=4)
            axes.set(xlabel="epoch", ylabel=name, title=f"{self.model.name}: {name}")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.legend()
        return figure


def _fit_compiled(model, train, validation, epochs, callbacks):
    model.classes = _classes(train)
    curve = [] if validation is None else [LearningCurve()]
    callbacks = [Stopwatch(), StopAtNaN(), *curve, *callbacks]
    options = {"epochs": epochs, "shuffle": False, "verbose": 0, "callbacks": callbacks}
    watched = _labelled_alike(validation, train.element_spec[1].shape)
    try:
        return model.fit(train, validation_data=watched, **options)
    except (tf.errors.OpError, FloatingPointError) as error:
        ours = re.search("ValueError: (.*expected .+, found .+)", str(error))
        if ours:  # said within a dataset, and here between thirty lines of TensorFlow's
            raise ValueError(ours[1]) from None
        for dataset in (train, validation):
            _check_labels(model, dataset)
        raise


def _classes(dataset):
    """The names of a dataset's classes; None if it has none, as one made from another dataset."""
    names = getattr(dataset, "classes", None)
    return None if names is None else tuple(names)


def _labelled_alike(validation, shape):
    """Turn integer labels into probabilities where those of the training are probabilities."""
    if validation is None or validation.element_spec[1].shape.rank == shape.rank:
        return validation
    identity = tf.eye(shape[1])
    return validation.map(lambda frames, labels: (frames, tf.gather(identity, labels)))


def _check_labels(model, dataset):
    """Refuse a label for which the model has no output: its loss is an error on a CPU, else NaN."""
    if dataset is None or dataset.element_spec[1].shape.rank != 1:
        return
    for frames, labels in dataset:
        outputs = model(frames[:1]).shape[-1]
        outside = labels[(labels < 0) | (labels >= outputs)]
        if len(outside):
            expected = f"labels of 0 to {outputs - 1}, one for each output of the model"
            raise ValueError(f"expected {expected}, found {outside[0]}") from None
