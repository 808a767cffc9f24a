"""The microscope: what it shows is what Keras computes."""

import keras
import numpy as np
import pytest

from course_lib import models
from course_lib.extra import microscope


@pytest.fixture
def clip(clip_frames):
    keras.utils.set_random_seed(0)
    return clip_frames([12])[0]


@pytest.mark.parametrize("name", ["average", "gru", "attention"])
def test_gradient_by_frame_is_the_slope_of_the_loss(clip, name):
    model = models.BUILDERS[name](3)
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def loss(frames):
        return float(cross_entropy(np.array([2]), model(frames[None])))

    changes = 0.05 * np.eye(12 * 40, dtype=np.float32).reshape(12, 40, 12, 40)[5]
    slopes = [(loss(clip + change) - loss(clip - change)) / 0.1 for change in changes]
    found = microscope.gradient_by_frame(model, clip, 2)
    assert found.shape == (12,) and found[5] == pytest.approx(np.linalg.norm(slopes), rel=0.02)


@pytest.mark.parametrize("name", ["rnn", "lstm", "stacked"])
def test_states_by_hand_are_those_of_keras(clip, name):
    model = models.BUILDERS[name](3, units=7)
    states = microscope.gates(model, clip)["state"]
    by_keras = keras.Model(model.inputs[0], model.layers[3].output)
    for count in (1, 5, 12):
        last = np.reshape(by_keras(clip[None, :count]), [-1, 7])[-1]  # of one state or all
        np.testing.assert_allclose(states[count - 1], last, atol=1e-5)


@pytest.mark.parametrize("reset_after", [True, False])
def test_both_forms_of_the_gru(clip, reset_after):
    inputs = keras.Input([None, 40])
    options = {"reset_after": reset_after, "bias_initializer": "normal"}
    layer = keras.layers.GRU(5, return_sequences=True, **options)
    found = microscope.gates(keras.Model(inputs, layer(inputs)), clip)
    np.testing.assert_allclose(found["state"], layer(clip[None])[0], atol=1e-5)
    assert list(found) == ["update", "reset", "candidate", "state"]


def test_gates_of_the_lstm_make_its_cell_and_its_state(clip):
    found = microscope.gates(models.lstm(3, units=4), clip)
    before = np.vstack([np.zeros(4), found["cell"][:-1]])
    cell = found["forget"] * before + found["input"] * found["candidate"]
    np.testing.assert_allclose(found["cell"], cell, atol=1e-6)
    np.testing.assert_allclose(found["state"], found["output"] * np.tanh(cell), atol=1e-6)


@pytest.mark.parametrize("look", [microscope.gates, microscope.attention])
def test_model_without_such_a_layer_is_refused(clip, look):
    with pytest.raises(ValueError, match="expected a layer .*, found .*GlobalAveragePooling1D"):
        look(models.average(3), clip)


def test_new_weights_need_no_new_look_and_leave_nothing_on_the_model(clip):
    model = models.stacked(3, units=4)
    names = set(vars(model))
    before = microscope.gates(model, clip)["state"], microscope.gradient_by_frame(model, clip, 0)
    model.set_weights([2 * weight for weight in model.get_weights()])
    after = microscope.gates(model, clip)["state"], microscope.gradient_by_frame(model, clip, 0)
    assert all(np.abs(one - other).max() > 1e-3 for one, other in zip(before, after))
    assert set(vars(model)) == names


@pytest.mark.parametrize("name", ["gru", "bidirectional"])
def test_running_probabilities_are_the_answers_to_every_beginning(clip, name):
    model = models.BUILDERS[name](3)
    found = microscope.running_probabilities(model, clip)
    for count in (1, 7, 12):
        expected = keras.ops.softmax(model(clip[None, :count]))[0]
        np.testing.assert_allclose(found[count - 1], expected, atol=1e-5)


def test_settled_is_the_last_change():
    for answers, frames in [([1, 1], 1), ([0, 1, 1], 2), ([1, 0, 1, 1], 3)]:
        assert microscope.settled(np.eye(3)[answers]) == frames


def test_attention_is_what_the_layer_weighs_with(clip):
    model = models.attention(3)
    weights = microscope.attention(model, clip)
    layer = model.get_layer("attention")
    states = keras.Model(model.inputs[0], model.get_layer("both_ways").output)(clip[None])
    np.testing.assert_allclose(weights @ states[0].numpy(), layer(states)[0], atol=1e-5)
    assert weights.sum() == pytest.approx(1, abs=1e-5) and weights.shape == (12,)
