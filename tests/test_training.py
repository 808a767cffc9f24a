"""Training: it learns, repeats, clips, explains a loss that is not a number, and draws its curve."""

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf

from course_lib import models, training
from course_lib.batches import bucketed


@pytest.fixture
def easy(clip_frames):
    """Two classes that differ in level, as a dataset."""
    frames = clip_frames(np.random.default_rng(0).integers(5, 15, 32))
    labels = np.arange(32) % 2
    return bucketed([clip + 4 * label for clip, label in zip(frames, labels)], labels, batch_size=8, n_lengths=2)


@pytest.mark.parametrize("build", [models.average, lambda classes: models.rnn(classes, units=4)], ids=["average", "rnn"])
def test_fit_learns_and_repeats_with_its_seed(clip_frames, build):
    def train():
        keras.utils.set_random_seed(3)
        labels = np.arange(16) % 2
        easy = bucketed([clip + 4 * label for clip, label in zip(clip_frames([7] * 16), labels)], labels, batch_size=8, seed=5)
        return training.fit(build(2), easy, easy, epochs=4, learning_rate=0.03).history

    first, second = train(), train()
    assert set(first) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert all(len(values) == 4 and np.isfinite(values).all() for values in first.values())
    assert first["loss"][-1] < first["loss"][0]
    assert {name: pytest.approx(values, rel=1e-5) for name, values in first.items()} == second


def test_fit_without_validation(easy):
    assert set(training.fit(models.average(2), easy, epochs=1).history) == {"loss", "accuracy"}


def test_fit_clips_all_gradients_together(easy):
    model = models.average(2)
    training.fit(model, easy, easy, epochs=1, clip_norm=0.25)
    assert model.optimizer.global_clipnorm == 0.25 and model.optimizer.clipnorm is None


def test_fit_passes_callbacks_on(easy):
    seen = []
    training.fit(models.average(2), easy, easy, epochs=2, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda n, logs: seen.append(n))])
    assert seen == [0, 1]


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_loss_that_is_not_finite_stops_with_advice(easy, poison):
    model = models.average(2)
    model.layers[-1].bias.assign([poison, 0])
    with pytest.raises(FloatingPointError, match="epoch 1: expected a finite loss, found .*smaller learning_rate"):
        training.fit(model, easy, easy, epochs=3)


def convolving(classes):
    clip = keras.Input([None, 40])
    return keras.Model(clip, keras.layers.GRU(classes)(keras.layers.Conv1D(4, 3)(clip)))


@pytest.mark.parametrize(
    "build, devices, expected",
    [
        (models.average, [], False),
        *((build, [], True) for build in (models.rnn, models.lstm, models.gru, models.bidirectional)),
        (convolving, [], False),
        (models.gru, ["a GPU"], False),
    ],
)
def test_xla_compiles_recurrent_layers_on_a_cpu(monkeypatch, build, devices, expected):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: devices if kind == "GPU" else [])
    assert training.compiles(build(2)) is expected


def test_learning_curve_has_labels_and_a_point_an_epoch(easy):
    curve = training.LearningCurve()
    training.fit(models.average(2), easy, easy, epochs=3, callbacks=[curve])
    figure = curve.draw()
    assert [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes] == [("epoch", "loss"), ("epoch", "accuracy")]
    for axes in figure.axes:
        assert [line.get_label() for line in axes.lines] == ["training", "validation"]
        assert all(line.get_xdata().tolist() == [1, 2, 3] for line in axes.lines)
        assert axes.get_legend() and axes.get_title()
    plt.close(figure)


def test_training_leaves_no_figure_open(easy):
    training.fit(models.average(2), easy, easy, epochs=2)
    assert not plt.get_fignums()
