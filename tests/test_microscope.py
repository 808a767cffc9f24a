"""The microscope: what it shows is what Keras computes."""

import keras
import numpy as np
import pytest

from course_lib import models
from course_lib.batches import PADDING
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


def alone(layer, *, before=()):
    """A model of one recurrent layer."""
    inputs = keras.Input([None, 40])
    frames = inputs
    for each in before:
        frames = each(frames)
    return keras.Model(inputs, layer(frames))


OPTIONS = [
    {},
    {"activation": "relu"},
    {"activation": "softsign", "bias_initializer": "normal"},
    {"use_bias": False},
    {"dropout": 0.5, "recurrent_dropout": 0.5, "return_state": True},
]
OF_GATES = [{"recurrent_activation": "hard_sigmoid"}, {"recurrent_activation": "softmax"}]
OF_GRU = [{"reset_after": False}, {"reset_after": False, "use_bias": False}]
OF_GRU += [{"reset_after": False, "bias_initializer": "normal"}]
LAYERS = [(keras.layers.SimpleRNN, options) for options in OPTIONS]
LAYERS += [(keras.layers.LSTM, options) for options in OPTIONS + OF_GATES]
LAYERS += [(keras.layers.GRU, options) for options in OPTIONS + OF_GATES + OF_GRU]


@pytest.mark.parametrize("precision, off", [("float32", 1e-5), ("mixed_float16", 0.01)])
@pytest.mark.parametrize("kind, options", LAYERS)
def test_states_are_right_whatever_the_layer_computes(clip, kind, options, precision, off):
    mask = keras.layers.Masking(PADDING)
    layer = kind(5, return_sequences=True, dtype=precision, **options)
    found = microscope.gates(alone(layer, before=[mask]), clip)
    expected = np.float32(keras.tree.flatten(layer(clip[None]))[0])[0]
    np.testing.assert_allclose(found["state"], expected, atol=off * max(1, expected.max()))
    names = {"SimpleRNN": [], "GRU": ["update", "reset", "candidate"]}
    names["LSTM"] = ["input", "forget", "output", "candidate", "cell"]
    assert list(found) == [*names[kind.__name__], "state"]


class OwnGRU(keras.layers.GRU):
    """A GRU that might compute anything."""


def begun_elsewhere():
    inputs = keras.Input([None, 40])
    begin = keras.layers.Dense(5)(keras.layers.GlobalAveragePooling1D()(inputs))
    return keras.Model(inputs, keras.layers.GRU(5)(inputs, initial_state=begin))


def stateful():
    inputs = keras.Input(batch_shape=[1, None, 40])
    return keras.Model(inputs, keras.layers.GRU(5, stateful=True)(inputs))


def subclass():
    class Own(keras.Model):
        pass

    return Own()


GRU = keras.layers.GRU
REFUSED = {
    "backwards": (lambda: alone(GRU(5, go_backwards=True)), "to read forward, .*, found states"),
    "backwards, sequences": (
        lambda: alone(keras.layers.LSTM(5, go_backwards=True, return_sequences=True)),
        "to read forward, frame by frame, found states that differ",
    ),
    "subclass of a layer": (lambda: alone(OwnGRU(5)), r"first recurrent layer, found .*\(OwnGRU\)"),
    "cell": (lambda: alone(keras.layers.RNN(keras.layers.GRUCell(5))), r"layer, found .*\(RNN\)"),
    "both ways first": (
        lambda: alone(
            GRU(5), before=[keras.layers.Bidirectional(GRU(5, return_sequences=True), name="both")]
        ),
        r"SimpleRNN or LSTM or GRU as the first .*, found 'both' \(Bidirectional\)",
    ),
    "begun elsewhere": (begun_elsewhere, "expected states that begin with zeros, found others"),
    "stateful": (stateful, "expected states that begin with zeros, found others"),
    "subclass of a model": (subclass, "expected a functional or .*, found a subclass, Own"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_layer_that_cannot_be_followed_is_refused(clip, case):
    build, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        microscope.gates(build(), clip)


def test_frames_that_a_model_leaves_out_are_refused(clip):
    silent, padded = clip.copy(), clip.copy()
    silent[4], padded[11] = 0, PADDING
    model = alone(GRU(5), before=[keras.layers.Masking(0.0)])
    with pytest.raises(ValueError, match="expected frames that count, found 1 that the model"):
        microscope.gates(model, silent)
    for look in (microscope.gates, microscope.attention):
        with pytest.raises(ValueError, match="expected no frame of -1000.0, found one"):
            look(models.attention(3) if look is microscope.attention else model, padded)


def test_label_of_no_class_is_refused(clip):
    for label in (3, -1):
        with pytest.raises(ValueError, match=f"expected a label of 0 to 2, found {label}"):
            microscope.gradient_by_frame(models.average(3), clip, label)


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


def test_attention_is_what_the_layer_weighs_with(clip):
    model = models.attention(3)
    weights = microscope.attention(model, clip)
    layer = model.get_layer("attention")
    states = keras.Model(model.inputs[0], model.get_layer("both_ways").output)(clip[None])
    np.testing.assert_allclose(weights @ states[0].numpy(), layer(states)[0], atol=1e-5)
    assert weights.sum() == pytest.approx(1, abs=1e-5) and weights.shape == (12,)
