"""The ready models: small, as good as their card says, silent in noise, the same in a stream."""

import importlib

import numpy as np
import pandas as pd
import pytest
from scipy import special

from course_lib import audio, batches, data, evaluation, models
from course_lib.extra import scenes, streaming

FOLDER = data.DATA / "ready-model"
NAMES = ("digits", "commands")
MAX_BYTES = 200_000
NEW_VOICES = 0.62  # at least this share of synthetic voices that it never heard
SAME_AT_MINUS_20_DECIBELS = 0.80  # at least this share of clips has the same answer
DETECTED = 0.5  # at least this share of those voices is found by the detector
NOTHING = -1  # the last class


@pytest.fixture(scope="module", params=NAMES)
def each(request):
    """Each of the two, with its classes."""
    return models.ready(request.param)


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
    """The program that makes the models, as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(data.DATA / "makers")
        return importlib.import_module("make_ready_models")


@pytest.fixture(scope="module")
def running(ready):
    """A function: waveforms → the probabilities at every frame, in one batch."""
    return everywhere(ready[0])


def everywhere(model):
    whole = scenes.per_frame(model.output_shape[-1])
    whole.set_weights(model.get_weights())

    def probabilities(waveforms):
        frames = audio.log_mels(waveforms)
        logits = models.forward(whole)(batches.pad(frames)).numpy()
        return [special.softmax(rows[:n], axis=1) for rows, n in zip(logits, map(len, frames))]

    return probabilities


def likeliest(probabilities):
    return np.array([rows[:, :NOTHING].max(axis=0).argmax() for rows in probabilities])


def pause(samples):
    return 1e-4 * np.random.default_rng(0).standard_normal(samples)


@pytest.mark.parametrize("name", NAMES)
def test_file_is_small_and_a_stream_by_itself(name, new_voices):
    model, classes = models.ready(name)
    words = new_voices.label.cat.categories if name == "digits" else sorted(data.COMMANDS)
    assert (FOLDER / f"{name}.keras").stat().st_size <= MAX_BYTES
    assert classes == [*words, "nothing"]
    assert model.output_shape == (None, 11) and model.input_shape == (None, None, audio.N_MELS)
    evaluation.check_mask(model, batches.pad(audio.log_mels(new_voices.waveform.head(16))))


def test_missing_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "READY", tmp_path)
    with pytest.raises(FileNotFoundError, match="digits.keras, found no such file"):
        models.ready()


def test_unknown_name_is_refused():
    with pytest.raises(ValueError, match='expected "digits" or "commands", found \'music\''):
        models.ready("music")


def test_new_voices_are_understood(running, new_voices):
    right = likeliest(running(new_voices.waveform)) == new_voices.label.cat.codes
    assert right.mean() >= NEW_VOICES


@pytest.mark.parametrize("name", NAMES)
def test_real_voices_are_understood_as_often_as_the_results_say(name, making, results):
    if "Speech Commands" not in data.load("commands").source.iloc[0]:
        pytest.skip("needs the subset of Speech Commands")
    [said] = results.index[results.index.str.match(rf"{name}, 80 speakers.*in 2 s, noise at 20 dB")]
    known, _ = making.spoken(name, "test")
    right = making.likeliest_is_right(name, known, 20)
    assert right.mean() == pytest.approx(results.value[said], abs=0.01)


def test_level_changes_few_answers(running, new_voices):
    """A peak of 0.3 of full scale, and 20 dB less."""
    level = [waveform / np.abs(waveform).max() for waveform in new_voices.waveform]
    loud, quiet = (likeliest(running([peak * one for one in level])) for peak in (0.3, 0.03))
    assert (loud == quiet).mean() >= SAME_AT_MINUS_20_DECIBELS


@pytest.mark.parametrize("level", [0, 1e-4, 1e-3, 1e-2, 1e-1])
def test_silence_and_hiss_are_nothing(each, level):
    hiss = level * np.random.default_rng(0).standard_normal(10 * audio.SAMPLE_RATE)
    probabilities = streaming.Stream(each[0]).push(hiss)
    assert (probabilities.argmax(axis=1) == probabilities.shape[1] - 1).mean() > 0.99


def test_pauses_around_a_digit_are_nothing_and_the_digit_stands_out(running, new_voices):
    """Half a second before the word, and more than half a second after it."""
    some = new_voices.iloc[::4]
    sounds = [np.concatenate([pause(6_000), one, pause(6_000)]) for one in some.waveform]
    probabilities = running(sounds)
    silent = np.array([rows[[40, -1], NOTHING] for rows in probabilities])
    right = likeliest(probabilities) == some.label.cat.codes
    assert right.mean() >= NEW_VOICES and (silent > 0.5).mean() > 0.95


def test_stream_gives_the_same_probabilities(each, new_voices):
    [waveform] = new_voices.waveform.head(1)
    streamed = streaming.Stream(each[0]).push(waveform)
    np.testing.assert_allclose(streamed, everywhere(each[0])([waveform])[0], atol=1e-5)


def test_answer_does_not_depend_on_what_was_said_before(running, new_voices):
    """In an endless sound a second digit is understood about as well as the first."""
    some, before = new_voices.iloc[::4], new_voices.iloc[1::4]
    both = zip(before.waveform, some.waveform, strict=True)
    pairs = [np.concatenate([first, pause(8_000), second, pause(4_000)]) for first, second in both]
    alone = [np.concatenate([one, pause(4_000)]) for one in some.waveform]
    seconds = [rows[-len(audio.log_mel(one)) :] for rows, one in zip(running(pairs), alone)]
    right = [likeliest(rows) == some.label.cat.codes for rows in (running(alone), seconds)]
    assert right[1].mean() >= right[0].mean() - 0.1


def test_detector_of_the_card_hears_digits_among_pauses(ready, running, new_voices, results):
    """New voices with pauses of a second: the threshold of the card finds most digits."""
    some = new_voices.iloc[::4]
    pieces = [np.concatenate([pause(audio.SAMPLE_RATE), one]) for one in some.waveform]
    ends = np.cumsum([len(piece) for piece in pieces]) / audio.SAMPLE_RATE
    said = pd.DataFrame({"begin": ends - some.seconds, "end": ends, "label": some.label})
    [probabilities] = running([np.concatenate([*pieces, pause(audio.SAMPLE_RATE)])])
    threshold = results.value["digits, talk: threshold"]
    found = streaming.detections(probabilities, ready[1], threshold=threshold)
    assert streaming.compare(found, said, seconds=ends[-1]).hits / len(said) >= DETECTED


def test_card_quotes_the_results_as_they_were_measured(results):
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    for what, row in results.iterrows():
        assert f"| {what.partition(', ')[2]} | {row.value:g} |" in card
