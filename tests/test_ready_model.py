"""The ready model: small, as good as its card says, silent in noise, the same frame by frame."""

import importlib

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from scipy import special

from course_lib import audio, batches, data, evaluation, models
from course_lib.extra import streaming

FOLDER = data.DATA / "ready-model"
MAX_BYTES = 200_000
NEW_VOICES = 0.62  # at least this share of synthetic voices that it never heard
SAME_AT_MINUS_20_DECIBELS = 0.80  # at least this share of clips has the same answer
DETECTED = 0.5  # at least this share of those voices is found by the detector
NOTHING = -1  # the last class


@pytest.fixture(scope="module")
def ready():
    return models.ready()


@pytest.fixture(scope="module")
def new_voices():
    """The test voices of the embedded set, unheard in training, with their waveforms."""
    clips = data.load("spoken-digits")
    clips = clips[clips.split == "test"].copy()
    clips["waveform"] = [audio.read(path) for path in clips.path]
    return clips


@pytest.fixture(scope="module")
def results():
    """What was measured: part, value, low and high by name."""
    return pd.read_csv(FOLDER / "results.csv").set_index("what")


@pytest.fixture(scope="module")
def making():
    """The program that makes the model, as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(data.DATA / "makers")
        return importlib.import_module("make_ready_model")


@pytest.fixture(scope="module")
def running(ready, making):
    """A function: waveforms → the probabilities at every frame, in one batch."""
    everywhere = making.framewise()
    everywhere.set_weights(ready[0].get_weights())
    shapes = [tf.TensorSpec([None, None, audio.N_MELS]), tf.TensorSpec([None, making.UNITS])]
    forward = tf.function(lambda *inputs: everywhere(inputs)[0], input_signature=shapes)

    def probabilities(waveforms):
        frames = audio.log_mels(waveforms)
        state = tf.zeros([len(frames), making.UNITS])
        logits = forward(batches.pad(frames), state).numpy()
        return [special.softmax(rows[:n], axis=1) for rows, n in zip(logits, map(len, frames))]

    return probabilities


def answers(model, waveforms):
    return evaluation.predict(model, audio.log_mels(waveforms)).argmax(axis=1)


def pause(samples):
    return 1e-4 * np.random.default_rng(0).standard_normal(samples)


def test_file_is_small_and_its_classes_are_the_digits_and_nothing(ready, new_voices):
    model, classes = ready
    assert (FOLDER / "digits.keras").stat().st_size <= MAX_BYTES
    assert classes == [*new_voices.label.cat.categories, "nothing"]
    assert model.output_shape == (None, 11) and model.input_shape == (None, None, audio.N_MELS)
    evaluation.check_mask(model, batches.pad(audio.log_mels(new_voices.waveform.head(16))))


def test_missing_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "READY", tmp_path)
    with pytest.raises(FileNotFoundError, match="digits.keras, found no such file"):
        models.ready()


def test_new_voices_are_understood_as_often_as_the_results_say(ready, new_voices, results):
    right = answers(ready[0], new_voices.waveform) == new_voices.label.cat.codes
    said = results.value["synthetic voices, new, after the last frame"]
    assert right.mean() >= NEW_VOICES and right.mean() == pytest.approx(said, abs=0.006)


def test_level_changes_few_answers(ready, new_voices):
    """A peak of 0.3 of full scale, and 20 dB less."""
    level = [waveform / np.abs(waveform).max() for waveform in new_voices.waveform]
    loud, quiet = (answers(ready[0], [peak * each for each in level]) for peak in (0.3, 0.03))
    assert (loud == quiet).mean() >= SAME_AT_MINUS_20_DECIBELS


@pytest.mark.parametrize("level", [0, 1e-4, 1e-3, 1e-2, 1e-1])
def test_silence_and_hiss_are_nothing(running, level):
    hiss = level * np.random.default_rng(0).standard_normal(10 * audio.SAMPLE_RATE)
    [probabilities] = running([hiss])
    assert (probabilities.argmax(axis=1) == probabilities.shape[1] - 1).mean() > 0.99


def test_pauses_around_a_digit_are_nothing_and_the_digit_stands_out(running, new_voices):
    """Half a second before the word, and more than half a second after it."""
    some = new_voices.iloc[::4]
    sounds = [np.concatenate([pause(6_000), each, pause(6_000)]) for each in some.waveform]
    probabilities = running(sounds)
    digits = np.array([rows[:, :NOTHING].max(axis=0).argmax() for rows in probabilities])
    silent = np.array([rows[[40, -1], NOTHING] for rows in probabilities])
    assert (digits == some.label.cat.codes).mean() >= NEW_VOICES and (silent > 0.5).mean() > 0.95


def test_stream_gives_the_same_probabilities(ready, running, new_voices):
    [waveform] = new_voices.waveform.head(1)
    streamed = streaming.Stream(ready[0]).push(waveform)
    np.testing.assert_allclose(streamed, running([waveform])[0], atol=1e-5)


def test_answer_does_not_depend_on_what_was_said_before(ready, new_voices):
    """In an endless sound a second digit is understood about as well as the first."""
    some, before = new_voices.iloc[::4], new_voices.iloc[1::4]
    both = zip(before.waveform, some.waveform, strict=True)
    pairs = [np.concatenate([first, pause(8_000), second]) for first, second in both]
    right = [answers(ready[0], each) == some.label.cat.codes for each in (some.waveform, pairs)]
    assert right[1].mean() >= right[0].mean() - 0.1


def test_detector_of_the_card_hears_digits_among_pauses(ready, running, new_voices, results):
    """New voices with pauses of a second: the settings of the card find most digits."""
    options = {name: results.value[name] for name in ("threshold", "apart")}
    some = new_voices.iloc[::4]
    pieces = [np.concatenate([pause(audio.SAMPLE_RATE), each]) for each in some.waveform]
    ends = np.cumsum([len(piece) for piece in pieces]) / audio.SAMPLE_RATE
    said = pd.DataFrame({"begin": ends - some.seconds, "end": ends, "label": some.label})
    [probabilities] = running([np.concatenate([*pieces, pause(audio.SAMPLE_RATE)])])
    options["smooth"] = int(results.value["smooth"])
    found = streaming.detections(probabilities, ready[1], **options)
    assert streaming.compare(found, said, seconds=ends[-1]).hits / len(said) >= DETECTED
