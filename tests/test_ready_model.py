"""The model that comes with the course: small, what its card says, deaf to level, silent in noise, and the same frame by frame."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import tensorflow as tf
from scipy import special

from course_lib import audio, batches, datasets, detection, evaluation, models, streaming

FOLDER = Path(__file__).resolve().parent.parent / "data" / "ready-model"
MAX_BYTES = 200_000
NEW_VOICES = 0.62  # a floor for synthetic voices that it never heard, below what the card says
SAME_AT_MINUS_20_DECIBELS = 0.80  # a floor for the share of clips with the same answer
DETECTED = 0.5  # a floor for the share of those voices that the detector hears
NOTHING = -1  # the last class


@pytest.fixture(scope="module")
def ready():
    return models.ready()


@pytest.fixture(scope="module")
def new_voices():
    """The test voices of the embedded set, none of which was heard in training, with their waveforms."""
    clips = datasets.load("spoken-digits")
    clips = clips[clips.split == "test"].copy()
    clips["waveform"] = [audio.read(path) for path in clips.path]
    return clips


@pytest.fixture(scope="module")
def making():
    """The program that makes the model, as a module."""
    specification = importlib.util.spec_from_file_location("make_ready_model", FOLDER / "make_ready_model.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def running(ready, making):
    """A function: waveforms → the probabilities at every frame, in one batch (a Stream gives the same, one frame after another)."""
    everywhere = making.framewise()
    everywhere.set_weights(ready[0].get_weights())
    shapes = [tf.TensorSpec([None, None, audio.N_MELS]), tf.TensorSpec([None, making.UNITS])]
    forward = tf.function(lambda frames, state: everywhere([frames, state], training=False)[0], input_signature=shapes)

    def probabilities(waveforms):
        frames = audio.log_mels(waveforms)
        answers = forward(batches.pad(frames), np.zeros([len(frames), making.UNITS], np.float32))
        return [special.softmax(rows[: len(clip)], axis=1) for rows, clip in zip(answers.numpy(), frames)]

    return probabilities


def logits(model, waveforms):
    return evaluation.predict(model, audio.log_mels(waveforms))


def test_file_is_small_and_its_licence_lies_beside_it():
    assert (FOLDER / "digits.keras").stat().st_size <= MAX_BYTES
    assert "CC BY-SA 4.0" in (FOLDER / "LICENSE").read_text(encoding="utf-8")


def test_classes_are_the_digits_in_the_order_of_the_data_set_and_nothing(ready, new_voices):
    model, classes = ready
    assert classes == [*new_voices.label.cat.categories, "nothing"]
    assert model.output_shape == (None, len(classes)) and model.input_shape == (None, None, audio.N_MELS)


def test_padding_changes_no_logit(ready, new_voices):
    evaluation.check_mask(ready[0], batches.pad(audio.log_mels(new_voices.waveform.head(16))))


def test_missing_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "READY", tmp_path)
    with pytest.raises(FileNotFoundError, match="expected data/ready-model/digits.keras"):
        models.ready()


def test_voices_never_heard_are_understood(ready, new_voices):
    right = logits(ready[0], new_voices.waveform).argmax(axis=1) == new_voices.label.cat.codes
    assert right.mean() >= NEW_VOICES


def test_level_changes_few_answers(ready, new_voices):
    """A peak of 0.3 of full scale, and 20 dB less."""
    level = [waveform / np.abs(waveform).max() for waveform in new_voices.waveform]
    loud, quiet = (logits(ready[0], [peak * waveform for waveform in level]).argmax(axis=1) for peak in (0.3, 0.03))
    assert (loud == quiet).mean() >= SAME_AT_MINUS_20_DECIBELS


@pytest.mark.parametrize("level", [0, 1e-4, 1e-3, 1e-2, 1e-1])
def test_silence_and_hiss_are_nothing(running, level):
    hiss = level * np.random.default_rng(0).standard_normal(10 * audio.SAMPLE_RATE)
    [probabilities] = running([hiss])
    assert (probabilities.argmax(axis=1) == probabilities.shape[1] - 1).mean() > 0.99


def test_pauses_around_a_digit_are_nothing_and_the_digit_stands_out(running, new_voices):
    """Half a second before the word, and more than half a second after it, the answer is "nothing"; in between it is the digit."""
    pause, some = 1e-4 * np.random.default_rng(0).standard_normal(6_000), new_voices.iloc[::4]
    probabilities = running([np.concatenate([pause, waveform, pause]) for waveform in some.waveform])
    heard = np.array([rows[:, :NOTHING].max(axis=0).argmax() for rows in probabilities])
    quiet = np.array([rows[[40, -1], NOTHING] for rows in probabilities])
    assert (heard == some.label.cat.codes).mean() >= NEW_VOICES and (quiet > 0.5).mean() > 0.95


def test_stream_gives_the_same_probabilities(ready, running, new_voices):
    waveform = new_voices.waveform.iloc[0]
    np.testing.assert_allclose(streaming.Stream(ready[0]).push(waveform), running([waveform])[0], atol=1e-5)


def test_answer_does_not_depend_on_what_was_said_before(ready, new_voices):
    """In an endless sound a second digit is understood about as well as the first."""
    some, before = new_voices.iloc[::4], new_voices.iloc[1::4]
    pause = 1e-4 * np.random.default_rng(0).standard_normal(8_000)
    pairs = [np.concatenate([first, pause, second]) for first, second in zip(before.waveform, some.waveform)]
    alone, after = (logits(ready[0], waveforms).argmax(axis=1) == some.label.cat.codes for waveforms in (some.waveform, pairs))
    assert after.mean() >= alone.mean() - 0.1


def test_card_quotes_the_results_as_they_were_measured():
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    results = pd.read_csv(FOLDER / "results.csv")
    assert set(results.part) == {"rehearsal", "detector", "test"} and results.what.is_unique
    for row in results.itertuples():
        number = f"{row.value:g}" if pd.isna(row.low) else f"{row.value:.3f} | {row.low:.3f} – {row.high:.3f}"
        assert f"| {row.what} | {number} |" in card, row.what
    [new] = results[results.what.str.startswith("the four real speakers by whom nothing was chosen")].itertuples()
    people = results.value[results.what.str.match(r"[a-z]+, in 2 s with noise at 20 dB")]
    assert len(people) == 6 and f"from {people.min():.3f} to {people.max():.3f}" in card
    assert f"**{new.value:.3f} ({new.low:.3f} to {new.high:.3f})**" in card


def test_results_belong_to_this_file(ready, new_voices):
    results = pd.read_csv(FOLDER / "results.csv").set_index("what").value
    right = logits(ready[0], new_voices.waveform).argmax(axis=1) == new_voices.label.cat.codes
    assert right.mean() == pytest.approx(results["synthetic voices, new, after the last frame"], abs=0.006)


def test_detector_of_the_card_hears_digits_among_pauses(ready, running, new_voices):
    """New voices with pauses of a second: the settings of the card find most digits."""
    settings = pd.read_csv(FOLDER / "results.csv").set_index("what").value
    options = {"threshold": settings["threshold"], "smooth": int(settings["smooth"]), "apart": settings["apart"]}
    some = new_voices.iloc[::4]
    pause = 1e-4 * np.random.default_rng(0).standard_normal(audio.SAMPLE_RATE)
    pieces = [np.concatenate([pause, waveform]) for waveform in some.waveform]
    ends = np.cumsum([len(piece) for piece in pieces]) / audio.SAMPLE_RATE
    said = pd.DataFrame({"begin": ends - some.seconds, "end": ends, "label": some.label})
    found = detection.detections(running([np.concatenate([*pieces, pause])])[0], ready[1], **options)
    spotted = detection.compare(found, said, seconds=ends[-1])
    assert spotted.hits / len(said) >= DETECTED


# How it was made


@pytest.fixture(scope="module")
def few_sounds(making):
    """A digit and another word of half a second, and a noise."""
    random = np.random.default_rng(1)
    waveforms = [random.standard_normal(4_000).astype(np.float32) for _ in range(3)]
    digit, other = (making.Word(waveform, 0, 4_000, label, "voice") for waveform, label in zip(waveforms, (7, making.NOTHING)))
    return making.Sounds([digit], [other], [waveforms[2]])


def test_word_is_found_between_its_silences_at_a_level_of_one(making, tmp_path, tone):
    faint = 0.001 * np.random.default_rng(0).standard_normal(8_000)
    faint[2_000:5_000] += tone(seconds=3_000 / 8_000, level=0.2)
    soundfile.write(tmp_path / "word.wav", faint, 8_000)
    found = making.word(tmp_path / "word.wav", 3, "voice")
    assert abs(found.start - 2_000) <= 200 and abs(found.end - 5_000) <= 200
    assert np.std(found.waveform[2_200:4_800]) == pytest.approx(1, rel=0.05)


def test_answer_is_wanted_from_late_in_the_digit_until_shortly_after_it(making):
    second = audio.SAMPLE_RATE
    labels, counts = making.targets([(7, second // 2, second), (making.NOTHING, 2 * second, 2 * second + 4_000)])
    at = {seconds: round((seconds * second - audio.FRAME_LENGTH) / audio.FRAME_STEP) for seconds in (0.3, 0.7, 0.8, 0.95, 1.25, 1.35, 1.5, 2.2)}
    wanted = {seconds: int(labels[frame]) for seconds, frame in at.items() if counts[frame]}
    assert wanted == {0.3: 10, 0.7: 10, 0.95: 7, 1.25: 7, 1.5: 10, 2.2: 10}


def test_scenes_follow_from_their_number_and_hold_what_they_say(making, few_sounds):
    first, again = (list(making.round_of_scenes(few_sounds, 0, 5)) for _ in range(2))
    other = list(making.round_of_scenes(few_sounds, 0, 6))
    assert all(np.array_equal(one, two) for piece, same in zip(first, again) for one, two in zip(piece[:3], same[:3]))
    assert not np.array_equal(first[0][0], other[0][0])
    assert {frames.shape for frames, *_ in first} == {(making.SCENES, making.PIECE, audio.N_MELS)}
    assert all(np.isfinite(frames).all() for frames, *_ in first)
    assert set(np.unique([labels for _, labels, *_ in first])) == {7, making.NOTHING}


def test_framewise_model_has_the_logits_of_the_classifier(making, clip_frames):
    everywhere = making.framewise()
    plain = making.classifier(everywhere)
    [frames] = clip_frames([30])
    logits_of_all = everywhere([frames[None], np.zeros([1, making.UNITS], np.float32)])[0][0]
    for length in (1, 7, 30):
        np.testing.assert_allclose(logits_of_all[length - 1], plain(frames[None, :length])[0], atol=1e-5)
