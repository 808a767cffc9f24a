"""The benchmarks: a wrong name starts no measurement, and each runs in a process of its own."""

import functools
import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks import (
    commands,
    contest,
    environment,
    epochs_keras,
    epochs_numpy,
    measure,
    run,
    scale,
    voices,
)
from course_lib import audio, cells


@pytest.mark.parametrize(
    "main, wanted, said",
    [
        (run.main, ["speed", "sped"], "live, found sped$"),
        (environment.main, ["crnn", "cnrn"], "crnn-changed-fold5-seed2, found cnrn$"),
        (commands.main, ["order-3"], "voices-synthetic, ready, found order-3$"),
        (voices.main, ["george", "gorge"], "rung12-yweweler-1, found gorge$"),
    ],
)
def test_unknown_name_is_refused_before_anything_is_measured(monkeypatch, main, wanted, said):
    monkeypatch.delattr(run.subprocess, "run")
    monkeypatch.delattr(voices, "digits")
    monkeypatch.delattr(environment, "from_lesson")
    with pytest.raises(SystemExit, match=said):
        main(wanted)


def test_known_names_run_in_their_order_and_are_kept(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(run, "HERE", tmp_path)
    answer = SimpleNamespace(stdout="figures")
    monkeypatch.setattr(run.subprocess, "run", lambda command, **_: asked.append(command) or answer)
    for load, names in [(0.6, ["streaming", "voices"]), (0.4, ["accuracy"])]:
        monkeypatch.setattr(run, "load", lambda load=load: load)
        run.main(names)
    assert [command[-1].split(".")[1] for command in asked] == ["streaming", "voices", "accuracy"]
    pages = {path.stem: path.read_text() for path in (tmp_path / "results").iterdir()}
    assert set(pages) == {"streaming", "voices", "accuracy"}
    assert ["not quiet" in pages[name] for name in ("streaming", "voices", "accuracy")] == [
        True,
        False,  # pieces that were measured before
        False,
    ]


def test_memory_is_the_process_own_and_a_part_without_a_name_reads_nothing(capsys):
    held = np.ones(50_000_000 // 8)
    before = scale.most_memory()
    scale.part("nothing")
    assert before >= held.nbytes / 2**20 and float(capsys.readouterr().out) >= before


def test_larger_buffer_is_nearer_to_a_full_shuffle():
    rows = [line.split("|")[1:4] for line in scale.mixing_report().splitlines()[4:9]]
    alike = [float(each) for *_, each in rows]
    assert alike == sorted(alike, reverse=True) and alike[-1] == 1.0


def test_functions_of_lesson_12_are_found_and_make_windows_of_49_frames():
    lesson = commands.from_lesson(names=["no", "silence"], is_command=np.array([True, False]))
    random = np.random.default_rng(0)
    words, noise = random.normal(size=[3, 118, 40]), random.normal(size=[500, 40])
    made = lesson["varied"](words.astype(np.float32), noise.astype(np.float32), random)
    assert made.shape == (3, 49, 40) and np.isfinite(made).all()


def test_models_of_lesson_14_and_versions_are_found():
    lesson = environment.from_lesson()
    assert all(callable(lesson[name]) for name in ["prepared", "trained", *environment.MODELS])
    assert set(measure.made()) == {"date", *measure.NAMED}


@pytest.fixture(scope="module")
def digits():
    """A few noisy clips of other lengths and another loudness for each class, in three parts."""
    random = np.random.default_rng(0)
    labels = np.tile(np.arange(2), 20)
    frames = [
        random.normal(4 * label - 7, 1, [random.integers(3, 9), audio.N_MELS]).astype(np.float32)
        for label in labels
    ]
    return [(frames, labels)] * 3


@pytest.fixture
def kernel_again():
    """The course's kernel, whichever loop a contender has put in its place."""
    yield
    cells.install()


@pytest.mark.parametrize(
    "trainer, way, recipe",
    [
        (epochs_keras.Trainer, "bucketed kernel", "quick"),
        (epochs_keras.Trainer, "bucketed", "plain"),
        (epochs_keras.Trainer, "padded", "plain"),
        (epochs_numpy.Trainer, "padded", "quick"),
    ],
)
def test_contender_learns_and_is_measured(trainer, way, recipe, digits, kernel_again, monkeypatch):
    monkeypatch.setattr(contest, "parts", lambda recipe: digits)
    recipe = contest.RECIPES[recipe]._replace(rate=0.03)
    found = contest.measure(functools.partial(trainer, way, "gru"), recipe, seed=0, epochs=8)
    assert found["accuracy"] == 1
    assert found["start"][0] > found["memory"][0] > found["later"] > 0
    json.dumps(found)


@pytest.mark.parametrize("cosine", [False, True])
def test_search_ends_where_the_mean_reaches_the_goal(cosine, digits, monkeypatch):
    """Each seed of a constant rate trains on; each number of epochs of a cosine begins anew."""
    monkeypatch.setattr(contest, "parts", lambda recipe: digits)
    made = []

    class Trainer:
        def __init__(self, recipe, frames, labels, *, seed, epochs):
            made.append((seed, epochs))
            self.trained, self.late = 0, seed == 14

        def fit(self, epochs):
            self.trained += epochs

        def accuracy(self, frames, labels):
            return 1.0 if self.trained >= 2 + self.late else 0.5

    recipe = contest.RECIPES["quick"]._replace(cosine=cosine)
    assert contest.search(Trainer, recipe) == pytest.approx([0.5, 0.9, 1.0])
    planned = [1, 2, 3] if cosine else [contest.MOST_EPOCHS]
    assert made == [(seed, epochs) for epochs in planned for seed in contest.SEARCH_SEEDS]


def test_cosine_of_all_contenders_is_keras_own():
    recipe, steps, epochs = contest.RECIPES["quick"], 5, 4
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, (epochs - 1) * steps, warmup_target=recipe.rate, warmup_steps=steps
    )
    expected = [float(schedule(step)) for step in range(epochs * steps)]
    np.testing.assert_allclose(contest.rates(recipe, epochs, steps), expected, atol=1e-8)


@pytest.mark.parametrize("cell", epochs_numpy.CELLS)
def test_numpy_cell_has_the_gradients_of_keras(cell, digits):
    (padded, counts, labels), *_ = contest.sorted_batches(*digits[0])
    weights = contest.first_weights(cell, 0)
    layer = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell](contest.UNITS)
    answer = keras.layers.Dense(contest.CLASSES)
    layer.build(padded.shape)
    layer.set_weights(weights[:3])
    answer.build([None, contest.UNITS])
    answer.set_weights(weights[3:])
    mask = np.arange(padded.shape[1]) < counts[:, None]
    with tf.GradientTape() as tape:
        logits = answer(layer(padded, mask=tf.constant(mask)))
        losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        loss = tf.reduce_mean(losses)
    expected = tape.gradient(loss, [*layer.trainable_weights, *answer.trainable_weights])
    by_hand = epochs_numpy.lesson["gradients_by_hand"]
    frames = padded.transpose(1, 0, 2)
    found, gradients = by_hand(weights, frames, counts, labels, *epochs_numpy.CELLS[cell])
    np.testing.assert_allclose(found, logits, atol=1e-5)
    for ours, theirs in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5 * np.abs(theirs).max())


def test_numpy_and_torch_start_from_the_same_model(digits):
    pytest.importorskip("torch")
    from benchmarks import epochs_torch

    for cell in epochs_numpy.CELLS:
        given, options = (contest.RECIPES["plain"], *digits[0]), {"seed": 3, "epochs": 1}
        padded, counts, _ = contest.sorted_batches(*digits[0])[0]
        expected = epochs_numpy.Trainer("", cell, *given, **options).logits(padded, counts)
        for way in ("padded", "packed"):
            by_torch = epochs_torch.Trainer(way, cell, *given, **options)
            np.testing.assert_allclose(by_torch.logits(padded, counts), expected, atol=1e-5)
