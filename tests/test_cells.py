"""The loops for CPUs against Keras's own: outputs, states and gradients of every layer and mask."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_lib import cells, models
from course_lib.batches import pad

BATCH, UNITS, BANDS = 5, 6, 7
LENGTHS = np.array([[9], [3], [8], [1], [0]])  # the last clip is padding alone
YES_OR_NO = (False, True)


@pytest.fixture
def kerass_own_after():
    yield
    cells.install()


def both_ways(layer, *, mask, time, begin):
    """Outputs, states and gradients of a layer: by Keras's own loop, and by ours."""
    random = np.random.default_rng(time)
    frames = tf.constant(random.normal(size=[BATCH, time, BANDS]), tf.float32)
    count = 2 if isinstance(layer, keras.layers.LSTM) else 1
    states = [tf.constant(random.normal(size=[BATCH, UNITS]), tf.float32) for _ in range(count)]
    masks = {
        "none": None,
        "at the end": np.arange(time) < LENGTHS,
        "anywhere": random.random([BATCH, time]) < 0.6,
    }
    mask = None if masks[mask] is None else tf.constant(masks[mask])
    found = []
    for switch in (cells.uninstall, cells.install):
        switch()
        with tf.GradientTape() as tape:
            tape.watch([frames, *states])
            given = layer(frames, mask=mask, initial_state=states if begin else None)
            loss = sum(tf.reduce_sum(tf.sin(each * np.arange(UNITS))) for each in given)
        sources = [frames, *(weight.value for weight in layer.weights), *(states if begin else [])]
        found.append([*given, *tape.gradient(loss, sources)])
    return found


@pytest.mark.parametrize("mask", ["none", "at the end", "anywhere"])
@pytest.mark.parametrize("kind", cells.LAYERS)
def test_outputs_states_and_gradients_are_those_of_keras(kind, mask, kerass_own_after):
    for sequences, backwards, zero in itertools.product(YES_OR_NO, repeat=3):
        options = {"return_sequences": sequences, "go_backwards": backwards}
        options |= {"zero_output_for_mask": zero, "bias_initializer": "normal"}
        layer = kind(UNITS, return_state=True, **options)
        layer.build([BATCH, None, BANDS])
        for time, begin in ((9, True), (4, False), (1, True)):
            kerass, ours = both_ways(layer, mask=mask, time=time, begin=begin)
            assert len(kerass) == len(ours)
            for expected, value in zip(kerass, ours):
                size = 1e-3 + np.abs(expected).max()
                np.testing.assert_allclose(
                    value, expected, rtol=0, atol=5e-6 * size, err_msg=options
                )


class HalfGRU(keras.layers.GRU):
    """A GRU with a cell of its own, that moves half as far."""

    class Cell(keras.layers.GRUCell):
        def call(self, inputs, states, training=False):
            output, [state] = super().call(inputs, states, training=training)
            return output / 2, [state / 2]

    def __init__(self, units):
        super().__init__(units)
        self.cell = self.Cell(units)


@pytest.mark.parametrize(
    "layer",
    [
        HalfGRU(UNITS),
        keras.layers.SimpleRNN(UNITS, activation="relu"),
        keras.layers.LSTM(UNITS, recurrent_activation="hard_sigmoid"),
        keras.layers.LSTM(UNITS, use_bias=False),
        keras.layers.GRU(UNITS, reset_after=False),
        keras.layers.GRU(UNITS, recurrent_dropout=0.5),
        keras.layers.GRU(UNITS, dtype="mixed_float16"),
    ],
)
def test_unusual_layers_keep_the_loop_of_keras(layer, monkeypatch):
    kind, asked = next(each for each in cells.LAYERS if isinstance(layer, each)), []
    own = cells.KERAS_LOOPS[kind]
    monkeypatch.setitem(cells.KERAS_LOOPS, kind, lambda *given: asked.append(1) or own(*given))
    assert layer(np.ones([2, 3, BANDS], np.float32)).shape == (2, UNITS) and asked == [1]


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "bidirectional", "stacked", "attention"])
def test_a_model_learns_the_same(name, kerass_own_after):
    random = np.random.default_rng(0)
    frames = pad([random.normal(-5, 2, [time, 40]) for time in random.integers(1, 20, 24)])
    labels, trained = random.integers(0, 3, 24), []
    for switch in (cells.uninstall, cells.install):
        switch()
        keras.utils.set_random_seed(0)
        model = models.BUILDERS[name](3)
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.fit(frames, labels, epochs=2, batch_size=8, shuffle=False, verbose=0)
        trained.append(model.get_weights())
    for expected, weights in zip(*trained):
        np.testing.assert_allclose(weights, expected, atol=1e-5)


def test_what_stands_in_the_padding_does_not_matter():
    layer, mask = keras.layers.GRU(UNITS), tf.constant([[True, False, True]])
    frames = np.ones([1, 3, BANDS], np.float32)
    clean = layer(frames, mask=mask)
    frames[:, 1] = np.nan
    with tf.GradientTape() as tape:
        spoiled = layer(frames, mask=mask)
    np.testing.assert_array_equal(spoiled, clean)
    assert all(
        np.isfinite(each).all()
        for each in tape.gradient(spoiled, [each.value for each in layer.weights])
    )


def test_a_gpu_keeps_what_keras_does_there(monkeypatch, kerass_own_after):
    cells.uninstall()
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])
    cells.install()
    assert {kind: kind.inner_loop for kind in cells.LAYERS} == cells.KERAS_LOOPS


@pytest.mark.filterwarnings("ignore:Model doesn't support `jit_compile=True`")
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_who_asks_for_xla_gets_a_trained_model(name):
    model = models.BUILDERS[name](2, units=4)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, jit_compile=True)
    assert np.isfinite(model.fit(np.ones([4, 6, 40]), np.arange(4) % 2, verbose=0).history["loss"])


@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("known", [None, 2])
@pytest.mark.parametrize("kind", cells.LAYERS)
def test_traces_for_sizes_that_are_not_known(kind, batch, known):
    layer, states = kind(UNITS), 2 if kind is keras.layers.LSTM else 1
    frames, begin = tf.ones([2, 3, BANDS]), [tf.ones([2, UNITS])] * states
    signature = [tf.TensorSpec([batch, None, BANDS]), [tf.TensorSpec([known, UNITS])] * states]
    call = tf.function(lambda x, h: layer(x, initial_state=h), input_signature=signature)
    np.testing.assert_allclose(call(frames, begin), layer(frames, initial_state=begin), atol=1e-6)
