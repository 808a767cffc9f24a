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
    assert set(first) == {"loss", "accuracy", "val_loss", "val_accuracy", "seconds"}
    assert all(len(values) == 4 and np.isfinite(values).all() for values in first.values())
    assert first["loss"][-1] < first["loss"][0]
    assert min(first.pop("seconds") + second.pop("seconds")) > 0
    assert {name: pytest.approx(values, rel=1e-5) for name, values in first.items()} == second


def test_fit_without_validation(easy):
    assert set(training.fit(models.average(2), easy, epochs=1).history) == {"loss", "accuracy", "seconds"}


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


def test_seconds_of_an_epoch_leave_out_the_validation(easy, monkeypatch):
    clock = iter([0, 10, 14, 15])  # the epoch begins, the validation begins and ends, the epoch ends
    monkeypatch.setattr(training.time, "perf_counter", lambda: next(clock))
    watch, logs = training.Stopwatch(), {}
    watch.on_epoch_begin(0)
    watch.on_test_begin()
    watch.on_test_end()
    watch.on_epoch_end(0, logs)
    assert logs == {"seconds": 11}


@pytest.mark.parametrize("name", ["average", "rnn", "attention"])
def test_each_seed_begins_anew_and_the_same_seed_alike(easy, name):
    begun = []

    class Beginning(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            moments = sum(np.abs(value.numpy()).sum() for value in self.model.optimizer.variables[2:])  # after steps and learning rate
            begun.append((self.model.get_weights(), int(self.model.optimizer.iterations), moments))

    fit = training._fit_compiled
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_fit_compiled", lambda *given: fit(*given[:-1], [Beginning()]))
        found = [(seed, history.history["loss"][0]) for seed, _, history in training.fit_seeds(models.BUILDERS[name](2), easy, seeds=[3, 4, 3], epochs=2)]
    assert [seed for seed, _ in found] == [3, 4, 3]
    assert [(steps, moments) for _, steps, moments in begun] == [(0, 0)] * 3
    same = [[np.array_equal(a, b) for a, b in zip(begun[0][0], begun[other][0])] for other in (1, 2)]
    assert not all(same[0]) and all(same[1])


def test_seeds_compile_once(easy, monkeypatch):
    compiled, prepare = [], training.prepare
    monkeypatch.setattr(training, "prepare", lambda model, **options: compiled.append(prepare(model, **options)))
    assert len(list(training.fit_seeds(models.average(2), easy, seeds=range(3), epochs=1))) == 3 == 3 * len(compiled)


def test_learning_curve_says_in_words_what_it_shows(easy, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(training, "get_ipython", lambda: "a notebook")
    monkeypatch.setattr(training, "display", lambda figure, **options: shown.append(options["metadata"]) or type("Handle", (), {"update": lambda self, figure, **options: shown.append(options["metadata"])})())
    history = training.fit(models.average(2), easy, easy, epochs=2).history
    printed = " ".join(capsys.readouterr().out.split())
    assert shown[-1] == {"image/png": {"alt": printed}} and len(shown) == 2
    assert f"after epoch 2 the loss is {history['loss'][-1]:.2f} in training and {history['val_loss'][-1]:.2f}" in printed
    assert not plt.get_fignums()


def test_labels_may_be_probabilities(clip_frames):
    """With all the probability on one class, training takes the very steps that it takes with integers; validation keeps its integers."""

    def train(change):
        keras.utils.set_random_seed(0)
        labels = np.arange(16) % 2
        batched = bucketed(clip_frames([7] * 16), labels, batch_size=8, seed=5)
        watched = bucketed(clip_frames([7] * 16), labels, batch_size=8, seed=5)
        return training.fit(models.average(2), change(batched), watched, epochs=3).history

    hard = train(lambda dataset: dataset)
    soft = train(lambda dataset: dataset.map(lambda padded, labels: (padded, tf.one_hot(labels, 2))))
    for quantity in ["loss", "accuracy", "val_loss", "val_accuracy"]:
        assert soft[quantity] == pytest.approx(hard[quantity], rel=1e-5)
