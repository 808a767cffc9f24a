"""The embedded sets as they lie in the repository, their maker, and the layouts of real sets."""

import hashlib
import importlib.util
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile
from scipy import stats

from course_lib import archives, audio, data

FOLDERS = ["spoken-digits", "six-voices", "spoken-commands", "rhythms", "environmental-sounds"]
RATE = 8_000  # hertz
SOUNDS = "alarm, car horn, clock, doorbell, engine, fire, footsteps, helicopter, rain, siren"
COLUMNS = ["label", "group", "split"]
INSTRUMENTS = ["low", "middle", "high", "bass", "chords", "pad"]


@pytest.fixture(scope="module")
def tables():
    """The list of clips of each set, with a waveform for each."""
    tables = {}
    for name in FOLDERS:
        table = pd.read_csv(data.DATA / name / "clips.csv", dtype=str, keep_default_na=False)
        paths = [data.DATA / name / "clips" / file for file in table["file"]]
        tables[name] = table.assign(path=paths, waveform=[audio.read(path) for path in paths])
        tables[name].attrs["folder"] = data.DATA / name
    return tables


@pytest.fixture(params=FOLDERS)
def table(request, tables):
    return tables[request.param]


# Every set


def test_set_is_loaded_and_has_a_row_for_each_file(table, capsys):
    folder = table.attrs["folder"]
    assert (table.drop(columns="waveform") != "").all(axis=None) and table["file"].is_unique
    assert set(table["path"]) == {path for path in folder.rglob("clips/**/*") if path.is_file()}
    clips = data.load(folder.name)
    assert list(clips.columns) == data.COLUMNS and clips["path"].tolist() == table["path"].tolist()
    assert f"{folder.name}: {len(table):,} clips" in capsys.readouterr().out


def test_every_clip_is_mono_at_8_khz_and_none_is_clipped_silent_or_there_twice(table):
    kinds = {(info.samplerate, info.channels) for info in map(soundfile.info, table["path"])}
    assert kinds == {(RATE, 1)}
    peaks = table["waveform"].map(lambda waveform: np.abs(waveform).max())
    assert table["file"][(peaks <= 0.01) | (peaks >= 0.99)].tolist() == []
    contents = table["waveform"].map(lambda each: hashlib.sha256(each.tobytes()).hexdigest())
    assert table["file"][contents.duplicated()].tolist() == []


def test_no_group_is_on_two_sides_and_every_class_is_on_all(table):
    sides_of_a_group = 2 if table.attrs["folder"].name == "six-voices" else 1  # split by take there
    assert (table.groupby("group")["split"].nunique() == sides_of_a_group).all()
    assert set(table["split"]) in ({"train", "test"}, set("12345"))
    words = table[table["label"] != "_background_noise_"]
    sides = words.groupby("label")["split"].nunique()
    unseen = set(sides.index[sides < words["split"].nunique()])
    assert unseen <= {"follow", "forward", "learn", "nine", "sheila"}  # of the test alone


# Single sets


def test_every_voice_says_every_digit_eight_times_without_silence_around(tables):
    digits = tables["spoken-digits"]
    takes = digits.groupby(["group", "label"]).size().unstack(fill_value=0)
    assert list(takes.columns) == list("0123456789") and len(takes) >= 16
    assert takes.to_numpy().min() >= 8
    for waveform in digits["waveform"]:
        power = (waveform[: len(waveform) // 80 * 80].reshape(-1, 80) ** 2).mean(axis=1)
        level = 10 * np.log10(power / power.max() + 1e-12)
        assert min(level[:8].max(), level[-8:].max()) >= -48 and 0.15 <= len(waveform) / RATE <= 1.3


def test_six_voices_are_split_by_take_and_recorded_at_one_level(tables):
    digits = tables["six-voices"]
    takes = digits["file"].str.extract(r"_(\d+)\.flac$")[0].astype(int)
    assert (digits["split"] == np.where(takes < 3, "test", "train")).all()
    assert (digits.groupby(["group", "label"]).size() == 24).all() and len(digits) == 1_440
    levels = digits["waveform"].map(lambda waveform: 10 * np.log10(np.mean(waveform**2)))
    assert np.ptp(levels.groupby(digits["group"]).median()) < 1
    assert digits["waveform"].map(len).between(0.15 * RATE, 1.3 * RATE).all()


def test_every_rhythm_has_the_same_tempi_keys_and_instruments(tables):
    songs = tables["rhythms"].astype({"tempo": float})
    songs[INSTRUMENTS] = songs["instruments"].str.split(", ", expand=True)
    for column in ["tempo", "key", *INSTRUMENTS]:
        values = songs.groupby("label")[column].apply(sorted)
        assert all(each == values.iloc[0] for each in values)
    for _, part in songs.groupby("split"):
        for column in ["key", *INSTRUMENTS]:
            counts = pd.crosstab(part["label"], part[column])
            assert stats.chi2_contingency(counts).pvalue > 0.001
        tempi = [each["tempo"] for _, each in part.groupby("label")]
        assert stats.kruskal(*tempi).pvalue > 0.001


def test_every_environmental_sound_has_its_sources_and_folds(tables):
    table = tables["environmental-sounds"]
    assert sorted(set(table["label"])) == SOUNDS.split(", ")
    takes = table.groupby(["label", "group"]).size()
    assert (takes == 3).all() and (takes.groupby(level="label").size() == 20).all()
    assert (table.groupby(["split", "label"]).size() == 12).all()
    peaks = table["waveform"].map(lambda waveform: 20 * np.log10(np.abs(waveform).max()))
    means = peaks.groupby(table["label"]).mean()
    assert np.ptp(means) < peaks.std()  # the level does not tell the class


def test_environmental_sounds_are_what_their_maker_makes(tables):
    path = data.DATA / "makers" / "make_environmental_sounds.py"
    maker = importlib.util.module_from_spec(
        spec := importlib.util.spec_from_file_location("m", path)
    )
    spec.loader.exec_module(maker)
    assert maker.SET == data.DATA / "environmental-sounds"
    for row in tables["environmental-sounds"].iloc[::67].itertuples():
        made = maker.make_clip(row.label, row.group, int(row.file[-5]))
        assert len(made) == len(row.waveform)
        assert np.corrcoef(made, row.waveform)[0, 1] > 0.9


# Layouts of the real sets


def write(folder, *names):
    """Write half a second of silence under each name."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        kind = {"au": "AU", "flac": "FLAC"}.get(name.rpartition(".")[2], "WAV")
        soundfile.write(folder / name, np.zeros(4_000), RATE, format=kind)


@pytest.mark.parametrize("suffix", ["wav", "au"])
def test_gtzan_is_read_by_its_fault_filtered_list(tmp_path, monkeypatch, suffix, capsys):
    listed = pd.read_csv(data.DATA / "gtzan_fault_filtered.csv", dtype=str)
    assert listed["split"].value_counts().to_dict() == {
        "train": 443,
        "test": 290,
        "validation": 197,
    }
    assert listed["track"].is_unique and listed["track"].str.split(".").str[0].nunique() == 10
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    tracks = ["blues.00000", "blues.00012", "blues.00029", "blues.00100"]  # the last is not listed
    write(tmp_path / "genres", *(f"blues/{track}.{suffix}" for track in tracks))
    clips = data.load("music")
    assert clips["split"].tolist() == ["validation", "test", "train"]
    assert clips["group"].tolist() == tracks[:3] and set(clips["label"]) == {"blues"}
    assert len(clips.attrs["skipped"]) == 927
    assert clips.attrs["skipped"][-1].startswith("rock/rock.00099.wav: expected audio, found no")
    assert "music: 3 clips, 3 songs, GTZAN" in capsys.readouterr().out


def test_speech_commands_are_read_with_their_lists(tmp_path, monkeypatch):
    folder = tmp_path / "speech_commands_v0.02"
    names = ["yes/a_nohash_0.wav", "yes/b_nohash_0.wav", "bed/c_nohash_1.wav", "bed/._c.wav"]
    write(folder, *names, "_background_noise_/running_tap.wav", "_background_noise_/pink.wav")
    (folder / "testing_list.txt").write_text("yes/b_nohash_0.wav\n")
    (folder / "validation_list.txt").write_text("bed/c_nohash_1.wav\n")
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    assert data.load("speech-commands")[COLUMNS].astype(str).values.tolist() == [
        ["silence", "pink", "train"],
        ["silence", "running_tap", "test"],
        ["unknown", "c", "validation"],
        ["yes", "a", "train"],
        ["yes", "b", "test"],
    ]
    speakers = [f"{number:08x}" for number in range(60)]
    write(tmp_path / "mini_speech_commands", *(f"no/{name}_nohash_0.wav" for name in speakers))
    for clip in data.load("mini-speech-commands").itertuples():
        place = int(hashlib.sha1(clip.group.encode()).hexdigest(), 16) % 2**27 * 100 / (2**27 - 1)
        assert clip.split == ("validation" if place < 10 else "test" if place < 20 else "train")


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A folder for sets; what was unpacked on this machine before is out of sight."""
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    is_dir = archives.os.path.isdir
    monkeypatch.setattr(
        archives.os.path, "isdir", lambda path: str(tmp_path) in str(path) and is_dir(path)
    )
    return tmp_path


def test_commands_are_the_subset_or_some_speakers_of_the_whole_or_synthetic(nowhere, capsys):
    embedded = data.load("commands")
    assert data.LOADED["commands"].startswith("spoken-commands:")
    reason = "looked for speech_commands_subset.zip: not here.*how to make it; looked for speech_"
    assert re.search(reason, capsys.readouterr().out)
    whole = nowhere / "speech_commands_v0.02"
    speakers = [f"{number:08x}" for number in range(100)]
    for word in ("yes", "bed", "cat"):
        write(whole, *(f"{word}/{name}_nohash_0.wav" for name in speakers))
    lines = [f"{word}/{name}_nohash_0.wav\n" for word in ("yes", "bed", "cat") for name in speakers]
    (whole / "testing_list.txt").write_text("".join(lines))
    (whole / "validation_list.txt").write_text("")
    some = data.load("commands")
    assert len(embedded) > 100 and set(some["split"]) == {"test"}
    assert some["label"].value_counts().to_dict() == {"yes": 80, "unknown": 160 // data.OTHERS}
    assert "commands: other recordings, speech-commands stand in" in capsys.readouterr().out
    subset = nowhere / "speech_commands_subset"
    write(subset, "no/0c40e715_nohash_1.flac", "cat/1_nohash_0.flac", "_background_noise_/a.flac")
    (subset / "testing_list.txt").write_text("no/0c40e715_nohash_1.wav\n")
    (subset / "validation_list.txt").write_text("cat/1_nohash_0.wav\n")
    found = data.load("commands")[COLUMNS].astype(str).values.tolist()
    expected = [["silence", "a", "train"], ["unknown", "1", "validation"]]
    assert found == [*expected, ["no", "0c40e715", "test"]]


def test_many_voices_are_on_one_side_wherever_their_digits_come_from(nowhere):
    listed = pd.read_csv(data.DATA / "speech_commands_subset.csv", dtype=str).dropna()
    assert (listed.groupby("speaker")["split"].nunique() == 1).all()
    name = listed.iloc[0]["digit"]  # such as 8_08ab231c_0
    digit, speaker, _ = name.split("_")
    word, side = data.DIGITS[int(digit)], listed.iloc[0]["split"]
    assert set(data.load("many-voices")["label"]) == set("0123456789")  # synthetic
    whole = nowhere / "speech_commands_v0.02"
    write(whole, f"{word}/{speaker}_nohash_7.wav", f"{word}/stranger_nohash_0.wav", "yes/a.wav")
    assert data.load("many-voices")[COLUMNS].values.tolist() == [[digit, speaker, side]]
    write(nowhere / "speech_commands_digits/recordings", f"{name}.flac", "mine.flac")
    clips = data.load("many-voices")
    assert clips[COLUMNS].values.tolist() == [[digit, speaker, side]]
    assert clips["path"].iloc[0].suffix == ".flac" and len(clips.attrs["skipped"]) == 1


def test_music_and_speech_are_read_in_both_layouts_with_an_artist_in_one_group(nowhere):
    assert set(data.load("music-speech")["label"]) == {"music", "speech"}  # the stand-in
    names = ["music_wav/gravity.wav", "music_wav/gravity2.wav", "speech_wav/nj105a.wav"]
    write(nowhere / "music_speech", *names)
    clips = data.load("music-speech")
    assert clips["group"].tolist() == ["music/gravity", "music/gravity", "speech/nj"]
    write(nowhere / "gtzan_music_speech_10s", "music/gravity2.flac", "speech/nj105.flac")
    clips = data.load("music-speech")
    assert clips["path"].map(lambda path: path.suffix).tolist() == [".flac", ".flac"]
    assert clips["label"].tolist() == ["music", "speech"]


def test_subset_is_made_again_from_the_public_archives_by_content(tmp_path, monkeypatch, nowhere):
    spec = importlib.util.spec_from_file_location(
        "maker", data.DATA / "makers" / "make_speech_commands_subset.py"
    )
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    made, rows = tmp_path / "made", []
    for number, name in enumerate(
        ["zero/a_nohash_0.wav", "no/b_nohash_1.wav", "no/c_nohash_2.wav"]
    ):
        tone = np.sin(np.arange(16_000) * (number + 1) / 20) / 2
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(made / name, tone, 16_000, subtype="PCM_16")
        rows.append(hashlib.sha256((made / name).read_bytes()).hexdigest()[:16])
    soundfile.write(made / "no" / "other.wav", np.zeros(100), 16_000)
    shutil.make_archive(str(tmp_path / "v"), "gztar", made)
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "speech_commands_subset.csv").write_text(
        "file,digit,speaker,split,sha256\n"
        f"zero/a_9,0_a_0,a,test,{rows[0]}\nno/b_1,,b,validation,{rows[1]}\n"
        "no/d_0,,d,train,0000000000000000\n"
    )
    monkeypatch.setattr(maker, "DATA", tmp_path / "list")
    assert maker.make([tmp_path / "v.tar.gz"], nowhere) == ["no/d_0"]
    clips = data.load("commands")
    found = clips[["label", "split"]].astype(str).values.tolist()
    assert found == [["no", "validation"], ["unknown", "test"]]
    assert clips["path"].map(lambda path: path.name).tolist()[1] == "a_nohash_9.flac"
    eight, _ = soundfile.read(nowhere / "speech_commands_digits/recordings/0_a_0.flac")
    expected = np.sin(np.arange(8_000) / 10) / 2
    assert np.abs(eight - expected)[100:-100].max() < 1e-3


@pytest.mark.parametrize(
    "broken", [lambda file: file.unlink(), lambda file: file.write_bytes(b"\xff")]
)
def test_set_unpacked_by_hand_without_its_lists_is_refused_by_their_names(
    tmp_path, monkeypatch, broken, capsys
):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    esc = tmp_path / data.SETS["esc-10"].archive.file.removesuffix(".zip")
    names = ["1-17150-A.ogg", "1-17150-A (1).ogg", "no-credit-A.ogg", "._1-17150-A.ogg"]
    (esc / "001 - Dog bark").mkdir(parents=True)
    for name in names:
        soundfile.write(esc / "001 - Dog bark" / name, np.zeros(4_000), RATE)
    (esc / "README.txt").write_text("- [1-17150-A.ogg]: clip derived from somebody's\n")
    speech = tmp_path / "speech_commands_v0.02"
    write(speech, "yes/a_nohash_0.wav", "yes/a_nohash_0 (1).wav", "loose.wav", "yes/mine.wav")
    (speech / "testing_list.txt").write_text("yes/a_nohash_0.wav\n")
    (speech / "validation_list.txt").write_text("")
    clips = data.load("esc-10")
    assert clips[["label", "group", "split"]].astype(str).values.tolist() == [
        ["dog bark", "17150", "1"]
    ]
    assert len(clips.attrs["skipped"]) == 2
    clips = data.load("speech-commands")
    assert clips["split"].tolist() == ["test"] and len(clips.attrs["skipped"]) == 3
    broken(esc / "README.txt")
    broken(speech / "testing_list.txt")
    for name, stand_in, file in [
        ("esc-10", "environment", "README.txt"),
        ("speech-commands", "some-speech-commands", "testing_list.txt"),
    ]:
        with pytest.raises(data.Unavailable, match=f"expected its {file}, found .*; unpack"):
            data.load(name)
        assert len(data.load(stand_in)) > 100
        assert (
            f"stand in: folder {'ESC-10' if name == 'esc-10' else 'speech'}"
            in capsys.readouterr().out
        )


def test_real_sets_have_their_official_splits(real_digits):
    assert len(real_digits) == 3_000 and real_digits["group"].nunique() == 6
    takes = real_digits["path"].map(lambda path: int(path.stem.split("_")[2]))
    assert (real_digits["split"] == np.where(takes < 5, "test", "train")).all()
    clips = data.load("esc-10")
    assert clips.groupby(["split", "label"], observed=True).size().to_list() == [8] * 50
    assert (clips.groupby("group")["split"].nunique() == 1).all() and clips["group"].nunique() < 400
    assert clips["licence"].str.match(r"CC BY 3\.0; clip derived from .+").all()


def test_real_voices_are_apart(real_digits):
    commands, digits = data.load("commands"), data.load("many-voices")
    if data.LOADED["commands"].split(":")[0] != "speech-commands-subset":
        pytest.skip("the subset of Speech Commands is not here")
    spoken = commands[commands["label"] != "silence"]
    assert len(spoken) == 5_873 and spoken["group"].nunique() == 693
    assert spoken.groupby("split")["group"].nunique().to_dict() == {
        "train": 541,
        "validation": 72,
        "test": 80,
    }
    sides = pd.concat([spoken, digits]).groupby("group")["split"].nunique()
    assert (sides == 1).all() and digits["group"].nunique() == 228
