"""Scenes: what is in them is where they say it is, and a model that learned from them listens."""

import keras
import numpy as np
import pytest

from course_lib import audio, batches, evaluation
from course_lib.extra import scenes, streaming

NOTHING, MELS = 2, audio.N_MELS


def tone(band, *, frames=40, silence=20):
    """A clip of one loud band between two silences."""
    clip = np.full([frames + 2 * silence, MELS], -12.0, np.float32)
    clip[silence : silence + frames, band : band + 8] = 0
    return clip


@pytest.fixture(scope="module")
def tones():
    """Two words, a low and a high tone, and one that is neither."""
    return scenes.words([tone(2), tone(28), tone(15)], [0, 1, NOTHING])


@pytest.fixture(scope="module")
def made(tones):
    noise = np.random.default_rng(0).normal(-9, 1, [500, MELS]).astype(np.float32)
    options = {"nothing": NOTHING, "others": tones[2:], "batches": 6, "batch_size": 32}
    return scenes.Scenes(tones[:2], [noise], seconds=2.0, augment=None, **options)


def test_word_is_found_and_brought_to_a_level_of_zero(tones):
    word = tones[0]
    assert (word.begin, word.end, word.label) == (20, 60, 0)
    energy = np.exp(word.frames[word.begin : word.end]).mean()
    assert energy == pytest.approx(1, rel=1e-3)


def test_noise_between_words_is_not_taken_for_a_word():
    clip = np.logaddexp(tone(4), np.float32(-6))
    [word] = scenes.words([clip], [0])
    assert (word.begin, word.end) == (20, 60)


def test_batches_repeat_with_their_seed_and_change_with_the_epoch(tones, made):
    again = scenes.Scenes(tones[:2], made.noises, nothing=NOTHING, others=tones[2:], seconds=2.0)
    again.augment, again.batch_size = None, 32
    first = made[1]
    assert [each.shape for each in first] == [(32, 200, MELS), (32, 200), (32, 200)]
    assert [each.dtype for each in first] == [np.float32, np.int32, np.float32]
    np.testing.assert_allclose(first[0], again[1][0], atol=1e-5)
    again.on_epoch_end()
    assert np.abs(first[0] - again[1][0]).max() > 1


def test_answers_are_wanted_from_late_in_the_word_until_shortly_after_it(made):
    labels, counts = made.targets([(1, 40, 80)])
    assert (labels[:70] == NOTHING).all() and (labels[110:] == NOTHING).all()
    assert (labels[70:110] == 1).all() and counts[70:110].all()
    assert counts[:60].all() and not counts[60:70].any()
    assert not counts[110:120].any() and counts[120:].all()


def test_what_is_no_class_is_nothing_at_every_frame(made):
    labels, counts = made.targets([(NOTHING, 40, 80)])
    assert (labels == NOTHING).all() and counts.all()


def test_scene_holds_its_words_where_it_says(made):
    """The tone's own bands are louder within the word than just before it."""
    for seed in range(20):
        frames, said = made.scene(np.random.default_rng(seed))
        assert frames.shape == (200, MELS) and np.isfinite(frames).all()
        for label, begin, end in said[:1]:
            if label != NOTHING and begin > 2 and end < 200:
                low, high = frames[begin + 2 : end - 2].mean(axis=0)[[4, 30]]
                assert (low > high) == (label == 0)


@pytest.mark.parametrize("seed", range(6))
def test_speech_that_is_no_word_is_nothing(tones, seed):
    word = scenes.no_word(tones, np.random.default_rng(seed), nothing=NOTHING)
    assert word.label == NOTHING and 0 < len(word.frames) <= 60 and word.end == len(word.frames)


def test_faster_word_is_shorter_and_keeps_its_place(tones):
    faster = scenes.at_speed(tones[0], 2.0)
    assert (len(faster.frames), faster.begin, faster.end) == (40, 10, 30)


def test_longer_frame_steps_make_shorter_scenes(tones):
    wide = scenes.Scenes(tones[:2], [], nothing=NOTHING, batch_size=2, frame_step=160)
    frames, labels, _ = wide[0]
    assert frames.shape[1] == labels.shape[1] == 150 and wide.shares[1] == 0


def test_model_learns_from_scenes_and_listens_as_a_stream(made):
    """Plain compile and fit; then the same weights answer from the last state, frame by frame."""
    keras.utils.set_random_seed(0)
    model = scenes.per_frame(3, units=16)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.02), loss=loss)
    history = model.fit(made, epochs=6, verbose=0).history["loss"]
    assert history[-1] < 0.6 * history[0]
    listener, frames = scenes.classifier(model), made[0][0][:4]
    everywhere = model.predict(frames, verbose=0)
    np.testing.assert_allclose(listener(frames), everywhere[:, -1], atol=1e-4)
    evaluation.check_mask(listener, batches.pad([frames[0], frames[1][:50]]))
    assert streaming.Stream(listener).push(np.zeros(8_000, np.float32)).shape == (98, 3)
