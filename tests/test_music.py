"""The embedded rhythms as they lie in the repository, and GTZAN by its fault-filtered list from a folder of its layout."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from scipy import stats

from course_lib import archives, audio, datasets, sets

DATA = Path(__file__).resolve().parent.parent / "data"
SET = DATA / "rhythms"
RATE, SECONDS = 8_000, 12
FRAMES = {"frame_length": 512, "frame_step": 320}  # samples at 8 kHz: 25 frames a second
SEGMENT = 100  # frames: 4 s
INSTRUMENTS = ["low", "middle", "high", "bass", "chords", "pad"]


@pytest.fixture(scope="module")
def listed():
    table = pd.read_csv(SET / "clips.csv", dtype=str, keep_default_na=False)
    return table.join(table.instruments.str.split(", ", expand=True).set_axis(INSTRUMENTS, axis=1))


@pytest.fixture(scope="module")
def frames(listed):
    return audio.log_mels([audio.read(SET / "clips" / name) for name in listed["file"]], **FRAMES)


@pytest.fixture(scope="module")
def averages(frames):
    """Mean and mean square of each band over each segment of 4 s, each on the scale of one standard deviation: [songs, segments, 80]."""
    segments = np.stack([each[: len(each) // SEGMENT * SEGMENT] for each in frames]).reshape(len(frames), -1, SEGMENT, frames[0].shape[1])
    both = np.concatenate([segments.mean(axis=2), (segments**2).mean(axis=2)], axis=2)
    return (both - both.mean(axis=(0, 1))) / both.std(axis=(0, 1))


def test_rows_have_the_columns_and_no_gaps():
    table = pd.read_csv(SET / "clips.csv", dtype=str, keep_default_na=False)
    assert list(table.columns) == ["file", "label", "group", "split", "tempo", "key", "instruments", "licence"]
    assert (table != "").all(axis=None)


def test_files_and_rows_match_one_to_one(listed):
    assert listed["file"].is_unique
    assert sorted(listed["file"]) == sorted(path.name for path in (SET / "clips").iterdir())


def test_every_clip_is_mp3_at_8_khz_mono_with_a_constant_bit_rate(listed):
    sizes = [(SET / "clips" / name).stat().st_size for name in listed["file"]]
    for name in listed["file"]:
        info = soundfile.info(SET / "clips" / name)
        assert (info.format, info.samplerate, info.channels) == ("MP3", RATE, 1), name
        assert SECONDS <= info.duration <= SECONDS + 0.3, name
    assert len(set(sizes)) == 1


def test_no_clip_is_silent_or_runs_into_full_scale(listed):
    for name in listed["file"]:
        waveform = audio.read(SET / "clips" / name)
        assert 0.05 < np.abs(waveform).max() < 0.99, name


def test_a_song_is_one_clip_and_the_test_has_as_many_of_each_rhythm(listed):
    assert listed["group"].is_unique
    assert listed["label"].nunique() >= 6
    counts = pd.crosstab(listed["label"], listed["split"])
    assert set(counts.columns) == {"train", "test"} and (counts.nunique() == 1).all()


@pytest.mark.parametrize("column", ["tempo", "key", *INSTRUMENTS])
def test_every_rhythm_has_the_same_tempi_keys_and_instruments(listed, column):
    values = listed.groupby("label")[column].apply(sorted)
    assert all(each == values.iloc[0] for each in values)


@pytest.mark.parametrize("column", ["key", *INSTRUMENTS])
def test_no_split_has_an_instrument_or_a_key_for_some_rhythms_only(listed, column):
    """Within each split, too, the choice is independent of the rhythm, as far as chance goes."""
    for _, part in listed.groupby("split"):
        assert stats.chi2_contingency(pd.crosstab(part["label"], part[column])).pvalue > 0.001


def test_no_split_has_slower_songs_for_some_rhythms(listed):
    for _, part in listed.assign(tempo=listed["tempo"].astype(float)).groupby("split"):
        assert stats.kruskal(*(each["tempo"] for _, each in part.groupby("label"))).pvalue > 0.001


def softmax_regression(features, labels, *, steps=300, rate=0.5, decay=1e-3):
    """Weights [features + 1, classes] of a logistic regression with several classes, by gradient descent."""
    features, targets = np.pad(features, [(0, 0), (0, 1)], constant_values=1), np.eye(labels.max() + 1)[labels]
    weights = np.zeros((features.shape[1], targets.shape[1]))
    for _ in range(steps):
        logits = features @ weights
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        gradient = features.T @ (powers / powers.sum(axis=1, keepdims=True) - targets) / len(targets) + decay * weights
        weights -= rate * gradient
    return weights


def test_average_over_a_segment_does_not_give_the_rhythm_away(listed, averages):
    """An order-blind model, trained and tested on other songs in six ways, stays near chance."""
    codes = pd.Categorical(listed["label"]).codes.astype(int)
    segments = averages.shape[1]
    part = listed.groupby("label").cumcount().to_numpy() % 6
    right = []
    for held_out in range(6):
        train, test = part != held_out, part == held_out
        weights = softmax_regression(averages[train].reshape(-1, averages.shape[2]), np.repeat(codes[train], segments))
        logits = averages[test].reshape(-1, averages.shape[2]) @ weights[:-1] + weights[-1]
        right.append(logits.argmax(axis=1) == np.repeat(codes[test], segments))
    assert np.concatenate(right).mean() <= 1 / (codes.max() + 1) + 0.12


def test_segments_of_a_song_know_each_other(averages):
    """The nearest segment by its average is nearly always one of the same song: split by segment, and it stands on both sides."""
    songs, segments, _ = averages.shape
    flat, song = averages.reshape(songs * segments, -1), np.repeat(np.arange(songs), segments)
    nearest = [np.argsort(((flat - each) ** 2).sum(axis=1))[1] for each in flat]
    assert np.mean(song[nearest] == song) > 0.8


def test_set_is_small_and_documented():
    assert sum(path.stat().st_size for path in SET.rglob("*") if path.is_file()) <= 5_500_000
    card = (SET / "README.md").read_text(encoding="utf-8")
    assert "FluidR3" in card and "MIT" in card and (SET / "LICENSE").stat().st_size > 0


def test_loader_lists_the_rhythms(listed, capsys):
    clips = datasets.load("rhythms")
    assert list(clips.columns) == datasets.COLUMNS and len(clips) == len(listed)
    assert "songs" in capsys.readouterr().out


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """COURSE_DATA_DIR, with no other place to look in."""
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(archives, "unpacked", lambda name, *, url, given, **rest: _only_given(given, name))
    return tmp_path


def _only_given(given, name):
    if not (given / name).is_dir():
        raise archives.Unavailable(f"looked for {name}: not there")
    return given / name


def test_fault_filtered_list_is_whole():
    """The numbers of C. Kereliuk, B. L. Sturm and J. Larsen 2015, and no track twice."""
    table = pd.read_csv(DATA / "gtzan_fault_filtered.csv", dtype=str)
    assert table["split"].value_counts().to_dict() == {"train": 443, "test": 290, "validation": 197}
    assert table["track"].is_unique and table["track"].str.fullmatch(r"[a-z]+\.000\d\d").all()
    assert table["track"].str.split(".").str[0].nunique() == 10
    assert dict(table.to_numpy())["blues.00029"] == "train" and dict(table.to_numpy())["blues.00012"] == "test"


@pytest.mark.parametrize("suffix", ["wav", "au"])
def test_gtzan_is_read_from_a_folder_of_its_layout(shelf, tone, capsys, suffix):
    tracks = ["blues.00000", "blues.00012", "blues.00029", "rock.00010", "rock.00000", "disco.00038"]  # the last is on no list
    for track in tracks:
        path = shelf / "genres" / track.split(".")[0] / f"{track}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, tone(rate=22_050), 22_050, format={"wav": "WAV", "au": "AU"}[suffix])
    (shelf / "genres" / "rock" / f"._rock.00001.{suffix}").write_bytes(b"resource fork")
    clips = datasets.load("music")
    assert clips[["label", "group", "split"]].astype(str).to_numpy().tolist() == [
        ["blues", "blues.00000", "validation"],
        ["blues", "blues.00012", "test"],
        ["blues", "blues.00029", "train"],
        ["rock", "rock.00000", "train"],
        ["rock", "rock.00010", "test"],
    ]
    assert "music: 5 clips, 5 songs, GTZAN" in capsys.readouterr().out
    assert len(clips.attrs["skipped"]) == 925  # the listed tracks that the folder lacks, by name
    assert any("rock.00001.wav: expected" in line and "found no such file" in line for line in clips.attrs["skipped"])


def test_music_falls_back_on_the_rhythms_and_says_so(shelf, capsys):
    assert datasets.load("music")["source"].unique().tolist() == ["embedded rhythms"]
    assert "not to be had" in capsys.readouterr().out


def test_gtzan_is_downloaded_by_its_own_name_only(monkeypatch):
    asked = {}

    def unpacked(name, *, url, **rest):
        asked[name, url is None] = rest["suffix"]
        raise archives.Unavailable("not here")

    monkeypatch.setattr(archives, "unpacked", unpacked)
    for name in ["music", "gtzan"]:
        try:
            sets.ROWS[name]()
        except archives.Unavailable:
            pass
    assert asked == {("genres", True): ".tar.gz", ("genres", False): ".tar.gz"}
