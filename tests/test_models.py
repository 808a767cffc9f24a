"""Every builder: what a model is, and that padding changes neither answers nor gradients."""

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import audio, models
from course_lib.batches import PADDING, pad

every_builder = pytest.mark.parametrize("name", models.BUILDERS)
LENGTHS = (40, 33, 17, 16, 8, 3, 1)  # frames: odd and even, and a single one


@pytest.fixture(scope="module")
def built():
    """One model of three classes for each builder."""
    keras.utils.set_random_seed(0)
    return {name: build(3) for name, build in models.BUILDERS.items()}


@pytest.fixture(scope="module")
def trained(built, clip_frames):
    """The same after a few steps, so that batch normalisation has means that are not 0 and 1."""
    clips, trained = clip_frames(LENGTHS), {}
    for name, model in built.items():
        trained[name] = keras.models.clone_model(model)
        trained[name].set_weights(model.get_weights())
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        trained[name].compile("adam", loss)
        trained[name].fit(pad(clips), np.arange(len(clips)) % 3, epochs=3, verbose=0)
    return trained


def logits(model, frames, length=None):
    return model(pad(frames, length=length)).numpy()


def dense(inputs, classes):
    return inputs * classes + classes


# A GRU of Keras has a bias for the input and one for the state (reset_after).
two_grus, upper_gru = 2 * 3 * 48 * (40 + 48 + 2), 3 * 48 * (48 + 48 + 2)


@pytest.mark.parametrize(
    "name, parameters",
    [
        ("average", dense(2 * 40, 10)),
        ("rnn", 64 * (40 + 64 + 1) + dense(64, 10)),
        ("lstm", 4 * 64 * (40 + 64 + 1) + dense(64, 10)),
        ("gru", 3 * 64 * (40 + 64 + 2) + dense(64, 10)),
        ("bidirectional", two_grus + dense(2 * 48, 10)),
        ("stacked", two_grus // 2 + upper_gru + dense(48, 10)),
        ("attention", two_grus + 2 * 48 + dense(2 * 48, 10)),
    ],
)
def test_parameters_are_as_many_as_the_formula_says(name, parameters):
    assert models.BUILDERS[name](10).count_params() == parameters


@every_builder
def test_model_is_uncompiled_masks_first_and_ends_in_logits(built, clip_frames, name):
    model = built[name]
    assert not model.compiled and model.name == name
    assert isinstance(model.layers[1], keras.layers.Masking)
    assert model.layers[1].mask_value == PADDING
    assert model.output_shape == (None, 3) and model.input_shape == (None, None, audio.N_MELS)
    answers = logits(model, clip_frames([5, 8]))
    assert answers.dtype == np.float32 and not np.allclose(answers.sum(axis=1), 1, atol=1e-2)


@every_builder
def test_builder_takes_classes_and_options(clip_frames, name):
    options = {} if name == "average" else {"units": 4}
    model = models.BUILDERS[name](7, n_mels=12, **options)
    assert logits(model, clip_frames([3, 6], n_mels=12)).shape == (2, 7)


@every_builder
@given(lengths=st.lists(st.integers(1, 25), min_size=2, max_size=4), more=st.integers(0, 9))
@settings(max_examples=5, deadline=None)
def test_neither_padding_nor_batch_mates_change_an_answer(
    trained, clip_frames, name, lengths, more
):
    model, frames = trained[name], clip_frames(lengths)
    together = logits(model, frames, max(lengths) + more)
    alone = np.concatenate([logits(model, [clip]) for clip in frames])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    others = [frames[0], *(clip + 3 for clip in frames[1:])]
    np.testing.assert_allclose(logits(model, others)[0], alone[0], atol=1e-5)


@every_builder
def test_gradient_is_zero_at_padding_and_only_there(built, clip_frames, name):
    padded = tf.constant(pad(clip_frames([4, 9, 6])))
    with tf.GradientTape() as tape:
        tape.watch(padded)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        loss = loss(np.array([0, 1, 2]), built[name](padded))
    size = np.abs(tape.gradient(loss, padded)).max(axis=2)
    real = (padded.numpy() != PADDING).any(axis=2)
    assert (size[~real] == 0).all() and (size[real] > 0).all()


@every_builder
def test_digital_silence_in_the_middle_is_no_padding(built, clip_frames, name):
    [clip] = clip_frames([9])
    silent, shorter = clip.copy(), np.delete(clip, 4, axis=0)
    silent[4] = np.log(audio.LOG_OFFSET)
    answer = logits(built[name], [silent])
    assert np.abs(answer - logits(built[name], [clip])).max() > 1e-3
    assert np.abs(answer - logits(built[name], [shorter])).max() > 1e-3


@every_builder
def test_every_weight_learns(built, trained, name):
    begin, end = built[name].trainable_weights, trained[name].trainable_weights
    for old, new in zip(begin, end):
        assert np.isfinite(new).all() and not np.array_equal(new, old), new.path


@every_builder
def test_saved_model_gives_the_same_answers(trained, clip_frames, tmp_path, name):
    trained[name].save(tmp_path / "model.keras")
    loaded, frames = keras.models.load_model(tmp_path / "model.keras"), clip_frames([4, 9, 6])
    np.testing.assert_allclose(logits(loaded, frames), logits(trained[name], frames), atol=1e-6)


def test_forward_is_traced_once_and_follows_the_weights(clip_frames, monkeypatch):
    model, frames = models.gru(3, units=6), clip_frames([4, 9])
    before = models.forward(model)(pad(frames))
    model.set_weights([weight + 0.1 for weight in model.get_weights()])
    monkeypatch.setattr(models.tf, "function", None)
    after = models.forward(model)(pad(frames))
    np.testing.assert_allclose(after, logits(model, frames), atol=1e-5)
    assert np.abs(after - before).max() > 1e-3


@every_builder
def test_what_was_made_of_a_model_is_freed_with_it(clip_frames, name):
    model = models.BUILDERS[name](3)
    answer, frames = models.forward(model), pad(clip_frames([4, 9]))
    expected, watched = model(frames), weakref.ref(model)
    del model
    np.testing.assert_allclose(answer(frames), expected, atol=1e-5)  # it is still in use
    del answer
    gc.collect()
    assert watched() is None


def test_forward_of_a_subclass(clip_frames):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.whole = models.gru(3, units=4)

        def call(self, frames):
            return self.whole(frames)

    model, frames = Own(), pad(clip_frames([4, 9]))
    np.testing.assert_allclose(models.forward(model)(frames), model.whole(frames), atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "mixed_float16", "mixed_bfloat16"])
@every_builder
def test_row_of_padding_alone_is_finite_and_leaves_the_others_alone(clip_frames, name, precision):
    keras.config.set_dtype_policy(precision)
    try:
        model = models.BUILDERS[name](3)
    finally:
        keras.config.set_dtype_policy("float32")
    clips = pad(clip_frames([7, 4]))
    nothing = np.full_like(clips, PADDING)
    answers = np.float32(model(np.concatenate([clips, nothing])))
    np.testing.assert_array_equal(answers[:2], np.float32(model(clips)))
    assert np.isfinite(answers).all() and np.isfinite(np.float32(model(nothing))).all()
    loss, weights = keras.losses.SparseCategoricalCrossentropy(from_logits=True), model.weights
    for frames in (np.concatenate([clips, nothing]), nothing):
        with tf.GradientTape() as tape:
            now = loss(np.zeros(len(frames), int), model(frames, training=True))
        sources = [weight.value for weight in model.trainable_weights]
        assert all(np.isfinite(each).all() for each in tape.gradient(now, sources))
        assert all(np.isfinite(weight).all() for weight in weights)


def test_mean_over_time_is_that_of_keras_but_for_padding_alone(clip_frames):
    ours, kerass = models.GlobalAveragePooling1D(), keras.layers.GlobalAveragePooling1D()
    frames, mask = pad(clip_frames([7, 4])), np.arange(7) < np.array([[7], [4]])
    np.testing.assert_array_equal(ours(frames), kerass(frames))
    np.testing.assert_array_equal(ours(frames, mask=mask), kerass(frames, mask=mask))
    assert (ours(frames, mask=mask & [[True], [False]]).numpy()[1] == 0).all()


def test_attention_pooling_is_a_weighted_mean_that_leaves_padding_out(recwarn):
    keras.utils.set_random_seed(0)
    states = np.random.default_rng(0).normal(size=[2, 5, 3]).astype(np.float32)
    mask = np.array([[True] * 5, [True] * 3 + [False] * 2])
    layer = models.AttentionPooling()
    pooled = layer(states, mask=mask).numpy()
    weights = layer.weights_over_time(states, mask).numpy()[..., 0]
    powers = np.exp(np.tanh(states) @ layer.score.kernel.numpy())[..., 0] * mask
    np.testing.assert_allclose(weights, powers / powers.sum(axis=1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(pooled, (weights[..., None] * states).sum(axis=1), atol=1e-6)
    assert (weights[1, 3:] == 0).all()
    np.testing.assert_allclose(layer(states[:, :1]), states[:, 0], atol=1e-6)
    assert not recwarn  # Keras's softmax warns of a single frame


def test_rnn_begins_with_the_matrix_that_is_asked_for():
    layer = models.rnn(2, units=5, recurrent_initializer="identity").get_layer("rnn")
    np.testing.assert_array_equal(layer.cell.recurrent_kernel, np.eye(5))


def test_padding_changes_nothing_in_the_convolutions_in_training_either(clip_frames):
    """The means over the batch that normalise in training are those of the real frames."""
    layer, found = models.MaskedConvolutions((4, 6)), []
    for length in (40, 41, 64):
        padded = pad(clip_frames(LENGTHS), length=length)
        mask = (padded != PADDING).any(axis=2)
        states = layer(np.where(mask[..., None], padded, 7), mask=mask, training=True).numpy()
        found.append(states[layer.compute_mask(None, mask)])
    np.testing.assert_allclose(found[1:], [found[0]] * 2, atol=1e-5)


def test_mask_of_the_convolutions_counts_the_frames_that_are_left():
    mask = np.arange(max(LENGTHS)) < np.array(LENGTHS)[:, None]
    layer = models.MaskedConvolutions((4, 6, 8))
    states = layer(np.zeros([*mask.shape, 40], np.float32), mask=mask)
    assert states.shape == layer.compute_output_shape([*mask.shape, 40]) == (len(LENGTHS), 5, 40)
    counts = layer.compute_mask(None, mask).sum(axis=1)
    assert list(counts) == [-(-length // 8) for length in LENGTHS]
