"""A folder → fair splits and choices; scenes for a room; what a model hears in endless sound."""

import keras
import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.metrics import balanced_accuracy_score

from course_lib import audio
from course_lib.extra import folders, hearing, rooms
from course_lib.extra.streaming import Stream

FRAMES = rooms.settings(8_000)
EDGES = {key: FRAMES[key] for key in ("sample_rate", "frame_length", "frame_step")}


def clips_of(labels, groups, **columns):
    paths = [f"/sounds/{label}/{number}.wav" for number, label in enumerate(labels)]
    table = {"path": paths, "label": pd.Categorical(labels), "group": groups}
    return pd.DataFrame(table | columns)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def tones():
    """Twelve clips of two classes, of six groups, a second of a low or of a high tone each."""
    time = np.arange(8_000) / 8_000
    waves = [np.sin(2 * np.pi * (300, 2_000)[n % 2] * time) / 10 for n in range(12)]
    frames = audio.log_mels([wave.astype(np.float32) for wave in waves], **FRAMES)
    return clips_of(["low", "high"] * 6, [f"g{n // 2}" for n in range(12)], frames=frames)


@pytest.mark.parametrize(
    "rates, wanted, said",
    [
        ([44_100] * 40, 44_100, "44,100 Hz, the highest that most files have"),
        ([44_100] * 38 + [8_000] * 2, 8_000, "2 files of lower rates forbid 16,000 Hz (38.wav"),
        ([48_000] * 39 + [22_050], 48_000, "their upper bands are empty: 39.wav"),
        ([11_025] * 40, 8_000, "8,000 Hz, the highest"),
        ([4_000] * 40, 8_000, "8,000 Hz, the highest"),
    ],
)
def test_the_rate_is_the_highest_that_almost_all_files_have(rates, wanted, said):
    clips = clips_of(["a"] * 20 + ["b"] * 20, range(40), sample_rate=rates)
    rate, sentence = folders.choose_rate(clips)
    assert rate == wanted and said in sentence
    audio.mel_filters(
        n_mels=rooms.settings(rate)["n_mels"],
        sample_rate=rate,
        fft_length=1 << (rate // 25 - 1).bit_length(),
        high=rate / 2,
    )


def test_copies_two_labels_and_silence_go_and_a_background_is_parted():
    labels = ["a"] * 4 + ["b"] * 4 + ["_background"]
    contents = ["1", "1", "2", "3", "3", "4", "5", "6", "7"]
    measured = {
        "content": contents,
        "duplicate": pd.Series(contents).duplicated(),
        "peak": [-9.0] * 7 + [-120.0, -60],
    }
    clips = clips_of([*labels], range(9), **measured)
    with pytest.raises(ValueError, match="two classes with 3 clips or more, found: a 2, b 2"):
        folders.usable(clips)
    more = clips_of(["a"] * 2 + ["b"] * 2, range(9, 13), content=list("wxyz"), peak=-9.0)
    both = pd.concat([clips, more.assign(duplicate=False)], ignore_index=True)
    both["label"] = both["label"].astype("category")
    rest, background, left_out = folders.usable(both)
    assert rest["label"].value_counts().to_dict() == {"a": 4, "b": 4}
    assert list(background["content"]) == ["7"] and list(rest.index) == list(range(8))
    reasons = ["a/1.wav: a copy", "a/3.wav: also under", "b/4.wav: also", "b/7.wav: without"]
    assert all(any(text.startswith(each) for text in left_out) for each in reasons)


def test_groups_stay_whole_in_halves_and_folds_and_clips_are_dealt_if_they_cannot():
    clips = clips_of(["a", "b"] * 30, [f"{'ab'[n % 2]}{n // 6}" for n in range(60)])
    learn, test, how = folders.halves(clips)
    assert how == "by group" and not set(learn["group"]) & set(test["group"])
    for ours, theirs in folders.folds(learn):
        assert not set(learn["group"].iloc[ours]) & set(learn["group"].iloc[theirs])
    _, _, how = folders.halves(clips.assign(group=range(60)))
    assert how.startswith("by file")
    one = clips.assign(group="me")
    learn, test, how = folders.halves(one)
    assert how.startswith("by clip") and len(learn) + len(test) == 60
    assert sum(len(theirs) for _, theirs in folders.folds(learn)) == len(learn)


def test_balanced_accuracy_is_scikit_learns_and_its_interval_counts_groups(rng):
    clips = clips_of(["a"] * 30 + ["b"] * 10, range(40))
    answers = np.where(rng.random(40) < 0.7, clips["label"], "a")
    score = folders.balanced(answers == clips["label"], clips)
    assert score.accuracy == pytest.approx(balanced_accuracy_score(clips["label"], answers))
    ten = folders.balanced(answers == clips["label"], clips.assign(group=np.arange(40) // 4))
    assert ten.high - ten.low > score.high - score.low
    sure = folders.balanced([True] * 40, clips)
    assert sure.accuracy == 1 and sure.low < 0.95 and sure.high == pytest.approx(1)


def test_the_simplest_of_those_that_tie_is_chosen(rng):
    clips, right = clips_of(["a", "b"] * 50, np.arange(100) // 2), rng.random(100) < 0.8
    other = right.copy()
    other[:2] = ~other[:2]
    correct = {"chance": rng.random(100) < 0.3, "simple": other, "large": right}
    kept, table = folders.choice(correct, clips)
    assert kept == "simple" and list(table["tie"]) == [False, True, True]
    difference, low, high = folders.paired(right, right, clips)
    assert difference == low == high == 0
    assert folders.paired([True] * 100, right, clips.assign(group="me"))[1:] == (-1, 1)


def test_noise_has_its_level_and_adds_to_frames_as_to_samples(rng):
    tone = (np.sin(np.arange(16_000) / 3) / 10).astype(np.float32)
    assert rooms.noisy(tone, "clean") is tone
    noise = rooms.noisy(np.zeros(80_000, np.float32), -60)
    assert 20 * np.log10(np.sqrt(np.mean(noise**2))) == pytest.approx(-60, abs=0.1)
    white = rooms.white_noise(FRAMES) - 60 * rooms.NEPER
    assert np.exp(white).mean() == pytest.approx(
        np.exp(audio.log_mel(noise, **FRAMES)).mean(), rel=0.05
    )
    clips = pd.DataFrame({"frames": [audio.log_mel(tone, **FRAMES)], "label": ["a"]})
    copies = rooms.with_copies(clips, FRAMES, copies=3)
    assert len(copies) == 4 and (copies["frames"].iloc[1] >= clips["frames"].iloc[0]).all()


def test_scenes_want_the_class_where_it_is_clear_and_nothing_where_only_noise_is(tones):
    scenes = rooms.Scenes(tones, FRAMES, batches=3, batch_size=40)
    frames, answers, counts = scenes[0]
    assert frames.shape == (40, rooms.TIME, 40) and frames.dtype == np.float32
    assert np.isfinite(frames).all() and set(np.unique(answers)) == {0, 1, 2}
    high = frames[(answers == 0) & (counts > 0)].mean(axis=0)  # categories are sorted: high, low
    low = frames[(answers == 1) & (counts > 0)].mean(axis=0)
    assert (high - low)[27] > 0 > (high - low)[8]
    repeated = rooms.Scenes(tones, FRAMES, batches=3, batch_size=40)
    assert np.array_equal(repeated[0][0], frames) and not np.array_equal(scenes[1][0], frames)
    scenes.on_epoch_end()
    assert not np.array_equal(scenes[0][0], frames)
    whole = rooms.Scenes(tones, FRAMES, batches=1, batch_size=40, per_frame=False)
    assert whole[0][1].shape == (40,) and set(whole[0][1]) == {0, 1, 2}
    assert len(rooms.Scenes(tones, FRAMES)) == 15


def test_pauses_are_cut_from_clips_but_not_digital_silence():
    clip = np.full([200, 40], 3.0, np.float32)
    clip[:60], clip[100:110], clip[150:] = -13.0, -13.0, np.log(audio.LOG_OFFSET)
    clip[:60] += 1.5
    [pause] = rooms.pauses([clip])
    assert len(pause) == 60


@pytest.fixture
def model(tones):
    """A model that answers at every frame, trained for a moment."""
    keras.utils.set_random_seed(0)
    clip = keras.Input([None, 40])
    x = keras.layers.Rescaling(1 / 4, 5 / 4)(clip)
    x = rooms.leaky_mean(40, seconds=0.1)(x)
    model = keras.Model(clip, keras.layers.Dense(3)(x))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.optimizer.learning_rate = 0.03
    model.fit(rooms.Scenes(tones, FRAMES, batches=20), epochs=3, verbose=0)
    return model


def test_a_leaky_mean_forgets(rng):
    layer, states = rooms.leaky_mean(3, seconds=0.5), rng.normal(size=(2, 50, 3)).astype("f4")
    keep, mean = np.exp(-0.02 / 0.5), np.zeros([2, 3])
    for moment in range(50):
        mean = keep * mean + (1 - keep) * states[:, moment]
    assert np.allclose(layer(states)[:, -1], mean, atol=1e-6)
    assert not layer.trainable_weights


def test_a_model_hears_clips_a_stream_and_endless_sound(model, tones):
    time = np.arange(8_000) / 8_000
    waves = [np.float32(np.sin(2 * np.pi * f * time) / 10) for f in (2_000, 300) * 3]
    heard = hearing.heard(model, list(tones["frames"]))
    assert [len(each) for each in heard] == [len(each) for each in tones["frames"]]
    for how in ("mean", "log", "last"):
        right = hearing.vote(heard, how=how) == tones["label"].cat.codes
        assert right.mean() > 0.9, how
    stream = Stream(model, **EDGES)
    again = hearing.listened(stream, waves)
    assert np.allclose(again[0], heard[1], atol=1e-4)
    classes = ["high", "low", "nothing"]
    sound, said = hearing.endless(waves, ["high", "low"] * 3, 8_000, decibels=-60)
    [found] = hearing.listened(stream, [sound])
    spotted = hearing.compare(found, classes, said, threshold=0.5)
    assert spotted.hits == 6 and spotted.false_alarms <= 1
    assert 0.3 <= hearing.best_threshold([(found, said)], classes) <= 0.95
    assert max(hearing.sure_in_pauses(stream, seconds=3).values()) < 0.05
    clip_model = keras.Sequential([keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(3)])
    clip_model.build([None, None, 40])
    windows = hearing.heard(clip_model, [np.zeros([400, 40], "f4"), np.zeros([20, 40], "f4")])
    assert [each.shape for each in windows] == [(3, 3), (1, 3)]


def test_detections_are_compared_with_what_was_played():
    probabilities = np.tile([0.0, 0.0, 1.0], [1_000, 1])
    probabilities[100:300] = 1, 0, 0  # 2 to 6 s: the first
    probabilities[500:600] = 0, 1, 0  # 10 to 12 s: another than was played
    said = pd.DataFrame({"begin": [2.0, 10.0], "end": [5.0, 12.0], "label": ["a", "a"]})
    found = hearing.compare(probabilities, ["a", "b", "nothing"], said, threshold=0.6)
    assert (found.hits, found.misses, found.false_alarms) == (1, 1, 1)
    assert found.hours == pytest.approx(20 / 3_600)


def test_a_long_clip_becomes_stretches():
    probabilities = np.tile([0.1, 0.9], [700, 1])
    probabilities[150:450] = 0.8, 0.2
    table = hearing.stretches(probabilities, ["dog", "nothing"])
    assert list(table["what"]) == ["nothing", "dog", "nothing"]
    assert list(table["from"]) == [0, 3, 9] and table["to"].iloc[-1] == 14
    assert np.allclose(table["probability"], [0.9, 0.8, 0.9])


def test_each_model_rehearses_clips_from_their_files(model, tmp_path):
    rows = []
    for number, hertz in enumerate((300, 2_000)):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, np.sin(np.arange(8_000) * hertz * 2 * np.pi / 8_000) / 10, 8_000)
        rows.append((path, ["low", "high"][number]))
    part = pd.DataFrame(rows, columns=["path", "label"])
    [(probabilities, said)] = hearing.rehearse([model], [part], FRAMES)
    assert sorted(said["label"]) == ["high", "low"] and probabilities.shape[1] == 3


@pytest.mark.parametrize("suffix", ["csv", "npz"])
def test_embeddings_come_by_file_name(suffix, tmp_path):
    clips, path = clips_of(["a", "b"], range(2)), tmp_path / f"table.{suffix}"
    rows = {"b/1.wav": [3.0, 4.0], "0.wav": [1.0, 2.0]}
    if suffix == "csv":
        pd.DataFrame(rows).T.to_csv(path, index_label="file")
    else:
        np.savez(path, **rows)
    assert folders.embeddings(path, clips).tolist() == [[1, 2], [3, 4]]
    more = clips_of(["a", "b", "c"], range(3))
    with pytest.raises(ValueError, match="a row for each clip, found none for c/2.wav"):
        folders.embeddings(path, more)


def test_runs_are_never_overwritten_and_a_card_has_all_sections(tmp_path):
    names = [folders.new_folder(tmp_path, "mine").name for _ in range(3)]
    assert names == ["mine", "mine-2", "mine-3"]
    assert folders.next_take(tmp_path, "clap", "me") == "clap/me_01.wav"
    table = pd.DataFrame({"accuracy": [0.5]}, index=pd.Index(["a|b"], name="class"))
    sections = {"One": "text", "Two": table, "Three": ["x"], "Four": [], "Five": {"n": 0.25}}
    card = folders.write_card(tmp_path / "README.md", "mine", sections)
    assert card == (tmp_path / "README.md").read_text(encoding="utf-8")
    for text in (
        "# Model card: mine",
        "## One\n\ntext",
        "| a/b | 0.5 |",
        "- x",
        "none",
        "n: 25.0%",
    ):
        assert text in card
