"""Training: it learns, repeats, clips, explains a loss that is not a number, draws its curve."""

import gc
from unittest import mock

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from course_lib import models, training
from course_lib.batches import bucketed, pad
from course_lib.extra import augmentation

QUANTITIES = ["loss", "accuracy", "val_loss", "val_accuracy"]


@pytest.fixture
def easy(clip_frames):
    """A factory of one dataset: two classes that differ in level."""

    def make():
        labels = np.arange(16) % 2
        frames = [clip + 4 * label for clip, label in zip(clip_frames([7] * 16), labels)]
        return bucketed(frames, labels, batch_size=8, seed=5)

    return make


@pytest.mark.parametrize("build", [models.average, models.rnn])
def test_fit_learns_and_repeats_with_its_seed(easy, build):
    def train():
        keras.utils.set_random_seed(3)
        model = build(2)
        return training.fit(model, easy(), easy(), epochs=4, learning_rate=0.03).history

    first, second = train(), train()
    assert set(first) == {*QUANTITIES, "seconds"}
    assert all(len(values) == 4 and np.isfinite(values).all() for values in first.values())
    assert first["loss"][-1] < first["loss"][0] and min(first["seconds"]) > 0
    for quantity in QUANTITIES:
        assert first[quantity] == pytest.approx(second[quantity], rel=1e-5)
    assert not plt.get_fignums()


def test_fit_clips_all_gradients_together_and_passes_callbacks_on(easy):
    model, seen = models.average(2), []
    watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    history = training.fit(model, easy(), epochs=2, clip_norm=0.25, callbacks=[watch]).history
    assert model.optimizer.global_clipnorm == 0.25 and model.optimizer.clipnorm is None
    assert seen == [0, 1] and set(history) == {"loss", "accuracy", "seconds"}


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_loss_that_is_not_finite_stops_with_advice(easy, poison):
    model = models.average(2)
    model.layers[-1].bias.assign([poison, 0])
    with pytest.raises(
        FloatingPointError, match="epoch 1: expected a finite loss, found .*smaller"
    ):
        training.fit(model, easy(), epochs=3)


def test_seconds_of_an_epoch_leave_out_the_validation(monkeypatch):
    clock = iter([0, 10, 14, 15])  # the epoch begins, the validation begins, ends, the epoch ends
    monkeypatch.setattr(training.time, "perf_counter", lambda: next(clock))
    watch, logs = training.Stopwatch(), {}
    watch.on_epoch_begin(0)
    watch.on_test_begin()
    watch.on_test_end()
    watch.on_epoch_end(0, logs)
    assert logs == {"seconds": 11}


@pytest.mark.parametrize("name", ["average", "rnn", "attention"])
def test_each_seed_begins_anew_and_the_same_seed_alike(easy, name, monkeypatch):
    """Weights and optimizer are new at each seed, and the model is compiled once."""
    model, begun = models.BUILDERS[name](2), []
    train, compiled = model.fit, mock.Mock(side_effect=model.compile)

    def fit(*data, **options):
        moments = [np.abs(value).sum() for value in model.optimizer.variables[2:]]
        begun.append((model.get_weights(), sum(moments) + int(model.optimizer.iterations)))
        return train(*data, **options)

    monkeypatch.setattr(model, "fit", fit)
    monkeypatch.setattr(model, "compile", compiled)
    runs = [seed for seed, _, _ in training.fit_seeds(model, easy(), seeds=[3, 4, 3], epochs=2)]
    assert runs == [3, 4, 3] and compiled.call_count == 1
    weights, steps = zip(*begun)
    assert steps == (0, 0, 0)
    assert all(map(np.array_equal, weights[0], weights[2]))
    assert not all(map(np.array_equal, weights[0], weights[1]))


def test_learning_curve_grows_in_one_picture_and_says_what_it_shows(easy, monkeypatch, capsys):
    handle, display = mock.Mock(), mock.Mock()
    display.return_value = handle
    monkeypatch.setattr(training, "get_ipython", lambda: "a notebook")
    monkeypatch.setattr(training, "display", display)
    history = training.fit(models.average(2), easy(), easy(), epochs=3).history
    assert display.call_count == 1 and handle.update.call_count == 2 and not plt.get_fignums()
    said = " ".join(capsys.readouterr().out.split()).removeprefix("Look at: ")
    held_out, own = history["val_accuracy"][-1], history["accuracy"][-1]
    accuracies = f"{held_out:.3f} in validation and {own:.3f} in training"
    assert said == f"after epoch 3 the accuracy is {accuracies}."
    figure, metadata = handle.update.call_args.args[0], handle.update.call_args.kwargs["metadata"]
    assert metadata == {"image/png": {"alt": f"average: loss; average: accuracy. {said}"}}
    for axes, quantity in zip(figure.axes, ["loss", "accuracy"]):
        lines = {line.get_label(): line.get_ydata().tolist() for line in axes.lines}
        assert lines == {"training": history[quantity], "validation": history[f"val_{quantity}"]}
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", quantity) and axes.get_legend()


def test_learning_curve_does_without_validation_clips(easy, monkeypatch):
    monkeypatch.setattr(training, "get_ipython", lambda: "a notebook")
    monkeypatch.setattr(training, "display", display := mock.Mock())
    model, curve = models.average(2), training.LearningCurve()
    training.compile_model(model)
    options = {"epochs": 2, "shuffle": False, "verbose": 0, "callbacks": [curve]}
    history = model.fit(easy(), **options).history
    assert (
        curve.fact() == f"after epoch 2 the accuracy in training is {history['accuracy'][-1]:.3f}"
    )
    [figure] = display.call_args.args
    assert [line.get_label() for axes in figure.axes for line in axes.lines] == ["training"] * 2


def test_labels_may_be_probabilities(easy):
    """With all probability on one class the steps are those of integer labels."""

    def train(dataset):
        keras.utils.set_random_seed(0)
        return training.fit(models.average(2), dataset, easy(), epochs=3).history

    hard = train(easy())
    soft = train(easy().map(lambda padded, labels: (padded, tf.one_hot(labels, 2))))
    for quantity in QUANTITIES:
        assert soft[quantity] == pytest.approx(hard[quantity], rel=1e-5)


@pytest.fixture
def named(clip_frames):
    """A factory of datasets with the names of their classes."""
    return lambda names: bucketed(clip_frames([5] * len(names)), pd.Categorical(list(names)))


def test_model_keeps_the_names_of_its_classes(named):
    model = models.average(3)
    training.fit(model, named("abcabc"), named("aabbc"), epochs=1)
    assert list(model.classes) == ["a", "b", "c"]
    for _, trained, _ in training.fit_seeds(model, named("xyz"), seeds=[1], epochs=1):
        assert list(trained.classes) == ["x", "y", "z"]
    training.fit(model, augmentation.mixup(named("abc"), 3, alpha=0.4), epochs=1)
    assert list(model.classes) == ["a", "b", "c"]
    training.fit(model, named("abc").map(lambda frames, labels: (frames, labels)), epochs=1)
    assert model.classes is None


def test_validation_of_other_classes_is_refused_with_both_lists(named):
    message = r"validation clips of the classes \['a', 'b', 'c'\].*, found \['a', 'c'\]"
    with pytest.raises(ValueError, match=message):
        training.fit(models.average(3), named("abc"), named("acca"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", ["train", "validation", "mixup", "on a GPU", "subclass"])
def test_label_without_an_output_is_refused_in_a_sentence(clip_frames, case, monkeypatch):
    frames, model = clip_frames([5] * 8), models.average(3)
    good, bad = bucketed(frames, np.arange(8) % 3), bucketed(frames, np.arange(8) % 4)
    data = {"train": [bad], "subclass": [bad], "on a GPU": [bad], "validation": [good, bad]}
    data["mixup"] = [augmentation.mixup(good, 3, alpha=0.4), bad]
    if case == "on a GPU":  # where the loss of such a label is NaN
        monkeypatch.setattr(model, "fit", lambda *_, **options: not_finite(options["callbacks"]))
    if case == "subclass":
        model = Subclass(model)
    expected = "expected labels of 0 to 2, one for each output of the model, found 3"
    with pytest.raises(ValueError, match=expected):
        training.fit(model, *data[case], epochs=1)


def not_finite(callbacks):
    [stop] = [each for each in callbacks if isinstance(each, training.StopAtNaN)]
    stop.on_epoch_end(0, {"loss": np.nan})


class Subclass(keras.Model):
    """A model whose shapes Keras does not know."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def call(self, frames):
        return self.model(frames)


def test_label_outside_the_classes_of_mixup_is_refused_in_a_sentence(clip_frames):
    mixed = augmentation.mixup(bucketed(clip_frames([5] * 4), np.arange(4)), 3, alpha=0.4)
    with pytest.raises(ValueError, match="^expected labels of 0 to 2, found 3$"):
        training.fit(models.average(3), mixed, epochs=1)


def test_loss_of_the_validation_that_is_not_finite_is_named():
    with pytest.raises(FloatingPointError, match="epoch 3: expected a finite val_loss, found nan"):
        training.StopAtNaN().on_epoch_end(2, {"loss": 1.0, "val_loss": np.nan})


def test_clip_that_augmentation_spoils_is_named_in_a_line(clip_frames):
    def seldom(clip, random):
        return clip[:0] if random.random() < 0.1 else clip

    dataset = bucketed(clip_frames([5] * 99), [0] * 99, augment=seldom)
    message = r"^clip \d+: expected frames \[1 or more, 40\], found shape \[0, 40\]$"
    with pytest.raises(ValueError, match=message):
        training.fit(models.average(2), dataset, epochs=1)


def test_fit_keeps_no_graph_of_a_model_that_is_gone(easy):
    """A kernel in which one model after the other is trained would run out of memory."""

    def graphs_after_a_fit():
        training.fit(models.bidirectional(2, units=4), easy(), easy(), epochs=1)
        gc.collect()
        return sum(type(each).__name__ == "FuncGraph" for each in gc.get_objects())

    assert graphs_after_a_fit() == graphs_after_a_fit()


def test_trained_model_is_saved_and_trained_on(easy, tmp_path):
    model = models.rnn(2)
    training.fit(model, easy(), epochs=1)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    frames = next(iter(easy()))[0]
    np.testing.assert_allclose(loaded(frames), model(frames), atol=1e-6)
    for each in (model, loaded):
        each.fit(easy(), epochs=1, shuffle=False, verbose=0)
    np.testing.assert_allclose(loaded(frames), model(frames), atol=1e-5)


def test_keras_trains_on_padded_clips_without_names(clip_frames):
    model = models.average(2)
    training.compile_model(model)
    model.fit(pad(clip_frames([4, 7])), np.array([0, 1]), verbose=0)
    assert model.predict(pad(clip_frames([4])), verbose=0).shape == (1, 2)
