"""The microscope: what it shows is what Keras computes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_lib import evaluation, microscope, models
from course_lib.batches import pad

CELLS = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


@pytest.fixture
def clip(clip_frames):
    return clip_frames([12])[0]


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)


@pytest.mark.parametrize("name", ["average", "gru", "attention"])
def test_gradient_by_frame_is_the_slope_of_the_loss(clip, name):
    model = models.BUILDERS[name](3)
    found = microscope.gradient_by_frame(model, clip, 2)
    assert found.shape == (12,)

    def loss(frames):
        return float(keras.losses.SparseCategoricalCrossentropy(from_logits=True)(np.array([2]), model(frames[None])))

    direction = np.zeros_like(clip)
    with tf.GradientTape() as tape:
        frames = tf.Variable(clip[None])
        value = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(np.array([2]), model(frames))
    direction[5] = tape.gradient(value, frames)[0, 5]
    direction[5] /= np.linalg.norm(direction[5])
    assert found[5] == pytest.approx((loss(clip + 0.05 * direction) - loss(clip - 0.05 * direction)) / 0.1, rel=0.02)


@pytest.mark.parametrize("name", CELLS)
def test_last_state_by_hand_is_the_one_of_keras(clip, name):
    model = models.BUILDERS[name](3, units=7)
    states = microscope.gates(model, clip)["state"]
    by_keras = keras.Model(model.inputs[0], model.get_layer(name).output)
    assert states.shape == (12, 7)
    for count in (1, 5, 12):
        np.testing.assert_allclose(states[count - 1], by_keras(clip[None, :count])[0], atol=1e-5)


@pytest.mark.parametrize("reset_after", [True, False])
def test_both_forms_of_the_gru(clip, reset_after):
    inputs = keras.Input([None, 40])
    layer = keras.layers.GRU(5, reset_after=reset_after, bias_initializer="normal", return_sequences=True)
    found = microscope.gates(keras.Model(inputs, layer(inputs)), clip)
    np.testing.assert_allclose(found["state"], layer(clip[None])[0], atol=1e-5)
    assert list(found) == ["update", "reset", "candidate", "state"]


def test_lstm_has_four_gates_a_cell_and_a_state(clip):
    found = microscope.gates(models.lstm(3, units=4), clip)
    assert set(found) == {"input", "forget", "output", "candidate", "cell", "state"}
    assert all(((found[name] > 0) & (found[name] < 1)).all() for name in ("input", "forget", "output"))
    np.testing.assert_allclose(found["state"], found["output"] * np.tanh(found["cell"]), atol=1e-6)


def test_first_recurrent_layer_is_the_one_that_is_shown(clip):
    assert microscope.gates(models.stacked(3, units=4), clip)["state"].shape == (12, 4)


@pytest.mark.parametrize("look", [microscope.gates, microscope.attention])
def test_model_without_such_a_layer_is_refused(clip, look):
    with pytest.raises(ValueError, match="expected a.* layer, found .*GlobalAveragePooling1D"):
        look(models.average(3), clip)


@pytest.mark.parametrize("name", ["gru", "bidirectional"])
def test_running_probabilities_are_the_answers_to_every_beginning(clip, name):
    model = models.BUILDERS[name](3)
    found = microscope.running_probabilities(model, clip)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    for count in (1, 7, 12):
        np.testing.assert_allclose(found[count - 1], keras.ops.softmax(model(clip[None, :count]))[0], atol=1e-5)


@pytest.mark.parametrize("answers, frames", [([1, 1, 1], 1), ([0, 1, 1], 2), ([0, 0, 1], 3), ([1, 0, 1, 1], 3), ([2], 1)])
def test_settled_is_the_last_change(answers, frames):
    assert microscope.settled(np.eye(3)[answers]) == frames


def test_attention_is_what_the_layer_weighs_with(clip):
    model = models.attention(3)
    weights = microscope.attention(model, clip)
    layer = model.get_layer("attention")
    states = keras.Model(model.inputs[0], model.get_layer("both_ways").output)(clip[None])
    np.testing.assert_allclose(weights @ states[0].numpy(), layer(states)[0], atol=1e-5)
    assert weights.sum() == pytest.approx(1, abs=1e-5) and weights.shape == (12,)
    assert evaluation.check_mask(model, pad([clip, clip[:4]])) < 1e-5
