"""Every builder: what a model is, and that padding changes neither its answers nor its gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import audio, evaluation, models
from course_lib.batches import PADDING, pad

every_builder = pytest.mark.parametrize("name", models.BUILDERS)
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def built():
    """One model of three classes for each builder."""
    keras.utils.set_random_seed(0)
    return {name: build(3) for name, build in models.BUILDERS.items()}


def logits(model, frames, length=None):
    return model(pad(frames, length=length)).numpy()


def recurrent_weights(inputs, units):
    return units * (inputs + units)


def dense(inputs, classes):
    return inputs * classes + classes


@pytest.mark.parametrize(
    "name, parameters",
    [
        ("average", dense(2 * 40, 10)),
        ("rnn", recurrent_weights(40, 64) + 64 + dense(64, 10)),
        ("lstm", 4 * (recurrent_weights(40, 64) + 64) + dense(64, 10)),
        ("gru", 3 * (recurrent_weights(40, 64) + 2 * 64) + dense(64, 10)),  # reset_after: a bias for the input, one for the state
        ("bidirectional", 2 * 3 * (recurrent_weights(40, 48) + 2 * 48) + dense(2 * 48, 10)),
        ("stacked", 3 * (recurrent_weights(40, 48) + recurrent_weights(48, 48) + 4 * 48) + dense(48, 10)),
        ("attention", 2 * 3 * (recurrent_weights(40, 48) + 2 * 48) + 2 * 48 + dense(2 * 48, 10)),
    ],
)
def test_parameters_are_as_many_as_the_formula_says(name, parameters):
    assert models.BUILDERS[name](10).count_params() == parameters


@every_builder
def test_model_is_uncompiled_masks_first_and_ends_in_logits(built, clip_frames, name):
    model = built[name]
    assert not model.compiled
    assert isinstance(model.layers[1], keras.layers.Masking) and model.layers[1].mask_value == PADDING
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
def test_neither_padding_nor_batch_mates_change_an_answer(built, clip_frames, name, lengths, more):
    frames = clip_frames(lengths)
    together = logits(built[name], frames, max(lengths) + more)
    alone = np.concatenate([logits(built[name], [clip]) for clip in frames])
    np.testing.assert_allclose(together, alone, atol=TOLERANCE)
    others = [frames[0], *(clip + 3 for clip in frames[1:])]
    np.testing.assert_allclose(logits(built[name], others)[0], alone[0], atol=TOLERANCE)


@every_builder
def test_gradient_is_zero_at_padding_and_only_there(built, clip_frames, name):
    padded = tf.constant(pad(clip_frames([4, 9, 6])))
    with tf.GradientTape() as tape:
        tape.watch(padded)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(np.array([0, 1, 2]), built[name](padded))
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
def test_weights_learn_from_one_step(built, clip_frames, name):
    model = keras.models.clone_model(built[name])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = [weight.numpy() for weight in model.trainable_weights]
    assert np.isfinite(model.train_on_batch(pad(clip_frames([4, 9, 6])), np.array([0, 1, 2])))
    after = [weight.numpy() for weight in model.trainable_weights]
    assert all(np.isfinite(new).all() and not np.array_equal(new, old) for new, old in zip(after, before))


@every_builder
def test_saved_model_gives_the_same_answers(built, clip_frames, tmp_path, name):
    built[name].save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    frames = clip_frames([4, 9, 6])
    np.testing.assert_allclose(logits(loaded, frames), logits(built[name], frames), atol=1e-6)


def test_attention_pooling_is_a_weighted_mean_that_leaves_padding_out():
    keras.utils.set_random_seed(0)
    states = np.random.default_rng(0).normal(size=[2, 5, 3]).astype(np.float32)
    mask = np.array([[True] * 5, [True] * 3 + [False] * 2])
    layer = models.AttentionPooling()
    pooled, weights = layer(states, mask=mask).numpy(), layer.weights_over_time(states, mask).numpy()[..., 0]
    powers = np.exp(np.tanh(states) @ layer.score.kernel.numpy())[..., 0] * mask
    np.testing.assert_allclose(weights, powers / powers.sum(axis=1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(pooled, (weights[..., None] * states).sum(axis=1), atol=1e-6)
    assert (weights[1, 3:] == 0).all()


def test_attention_pooling_of_one_frame_is_that_frame_and_no_warning(recwarn):
    frame = np.ones([1, 1, 3], np.float32)
    np.testing.assert_allclose(models.AttentionPooling()(frame), frame[:, 0], atol=1e-6)
    assert not recwarn


def test_rnn_begins_with_the_matrix_that_is_asked_for():
    recurrent = models.rnn(2, units=5, recurrent_initializer="identity").get_layer("rnn").cell.recurrent_kernel
    np.testing.assert_array_equal(recurrent, np.eye(5))


# The convolutions of crnn: they keep the mask, and let no padding in

LENGTHS = (40, 33, 17, 16, 8, 3, 1)  # frames: odd and even, and a single one


@pytest.fixture(scope="module")
def clips():
    random = np.random.default_rng(0)
    return [random.normal(-5, 4, (length, 40)).astype(np.float32) for length in LENGTHS]


@pytest.fixture(scope="module")
def trained_crnn(clips):
    """Trained for a few steps, so that the running means of batch normalisation are not 0 and 1."""
    keras.utils.set_random_seed(0)
    model = models.crnn(3, filters=(4, 6, 8), units=5)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(pad(clips), np.arange(len(clips)) % 3, epochs=3, verbose=0)
    return model


def test_padding_changes_no_logit(trained_crnn, clips):
    assert evaluation.check_mask(trained_crnn, pad(clips)) < evaluation.TOLERANCE


def test_padding_changes_nothing_in_training_either(clips):
    """The means over the batch that normalise in training are those of the real frames."""
    layer = models.MaskedConvolutions((4, 6))
    found = []
    for length in (40, 41, 64):
        padded = pad(clips, length=length)
        mask = (padded != PADDING).any(axis=2)
        states = layer(np.where(mask[..., None], padded, 7), mask=mask, training=True)
        kept = layer.compute_mask(None, mask)
        found.append(np.concatenate([keras.ops.convert_to_numpy(row)[real] for row, real in zip(states, kept)]))
    np.testing.assert_allclose(found[1], found[0], atol=1e-5)
    np.testing.assert_allclose(found[2], found[0], atol=1e-5)


def test_mask_counts_the_frames_that_are_left(clips):
    mask = np.arange(max(LENGTHS)) < np.array(LENGTHS)[:, None]
    layer = models.MaskedConvolutions((4, 6, 8))
    states = layer(np.zeros([*mask.shape, 40], np.float32), mask=mask)
    halved = layer.compute_mask(None, mask)
    assert states.shape == layer.compute_output_shape([*mask.shape, 40]) == (len(LENGTHS), 5, 5 * 8)
    assert list(halved.sum(axis=1)) == [-(-length // 8) for length in LENGTHS]


def test_gradient_at_padding_is_zero(trained_crnn, clips):
    padded = tf.constant(pad(clips))
    with tf.GradientTape() as tape:
        tape.watch(padded)
        loss = tf.reduce_sum(trained_crnn(padded) ** 2)
    size = np.abs(tape.gradient(loss, padded)).max(axis=2)
    real = np.arange(max(LENGTHS)) < np.array(LENGTHS)[:, None]
    assert size[~real].max() == 0 and size[real].max() > 0


def test_saved_and_loaded_it_answers_the_same(trained_crnn, clips, tmp_path):
    trained_crnn.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(evaluation.predict(loaded, clips), evaluation.predict(trained_crnn, clips), atol=1e-6)
