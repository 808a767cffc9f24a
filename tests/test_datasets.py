"""Data sets: folders as learners have them, splits without a leak, the report, and an archive in every condition."""

import os
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st

from course_lib import archives, datasets, sets
from course_lib.datasets import COLUMNS, from_folder, report, split_by_group

NAME = sets.FSDD.name


def check_table(clips):
    """Check the columns and the types that every loader promises."""
    assert list(clips.columns) == COLUMNS
    assert isinstance(clips["label"].dtype, pd.CategoricalDtype)
    assert clips["seconds"].dtype == np.float64 and clips["sample_rate"].dtype.kind == "i"
    assert all(isinstance(path, Path) and path.is_file() for path in clips["path"])
    assert set(clips["split"]) <= {"train", "test", "all"}
    assert list(clips.index) == list(range(len(clips)))


# Folders


def test_unknown_name_is_refused():
    with pytest.raises(ValueError, match="expected one of .*digits.*, fsdd, .*found 'birds'"):
        datasets.load("birds")


def test_folder_of_everything_usable(sound, tmp_path, tone, capsys):
    names = ["dog/a.wav", "dog/deep/er/b.flac", "dog/C.WAV", "Katze Ä/two words.ogg", "Katze Ä/γάτα.mp3"]
    for name in names:
        sound(name)
    sound("dog/stereo.wav", np.stack([tone(), tone()], axis=1))
    sound("dog/fast.wav", rate=44_100)
    clips = from_folder(tmp_path)
    check_table(clips)
    assert {path.relative_to(tmp_path).as_posix() for path in clips["path"]} == {*names, "dog/stereo.wav", "dog/fast.wav"}
    assert clips["label"].value_counts().to_dict() == {"dog": 5, "Katze Ä": 2}
    assert set(clips["sample_rate"]) == {8_000, 44_100} and clips["seconds"].tolist() == pytest.approx([0.5] * 7)
    assert set(clips["split"]) == {"all"} and clips["group"].is_unique and clips.attrs["skipped"] == []
    assert "7 clips used, 0 skipped" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["dog/.hidden.wav", "dog/._a.wav", ".cache/b.wav", "dog/.trash/c.wav", "dog/notes.txt", "loose.wav"])
def test_hidden_and_other_files_are_ignored(sound, tmp_path, name):
    sound("dog/a.wav")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("no sound")
    clips = from_folder(tmp_path)
    assert [path.name for path in clips["path"]] == ["a.wav"] and clips.attrs["skipped"] == []


def test_hidden_folder_may_hold_the_classes(sound, tmp_path):
    sound(".course/sounds/dog/a.wav")
    assert len(from_folder(tmp_path / ".course" / "sounds")) == 1


def test_unreadable_file_among_a_thousand_is_named_and_skipped(sound, tmp_path, capsys):
    content = sound("beep/0000.wav", np.ones(8) / 8).read_bytes()
    for number in range(1, 1_000):
        (tmp_path / "beep" / f"{number:04}.wav").write_bytes(content)
    (tmp_path / "beep" / "0500 broken.wav").write_bytes(content[:50])
    clips = from_folder(tmp_path)
    assert len(clips) == 1_000 and list(clips.index) == list(range(1_000))
    [sentence] = clips.attrs["skipped"]
    assert "0500 broken.wav: expected 16 bytes of samples, found 6" in sentence
    printed = capsys.readouterr().out
    assert f"skipped {sentence}" in printed and "1,000 clips used, 1 skipped" in printed


@pytest.mark.parametrize(
    "files, message",
    [
        ([], "found no sound file"),
        (["a.wav", "b.flac"], "found 2 sound files outside any class folder"),
        (["dog/notes.txt"], "found no sound file"),
        (["dog/.hidden.wav"], "found no sound file"),
        (["dog/a.wav", "cat/b.wav"], "expected sound files, found 2 that cannot be used, the first: cat.b.wav"),
    ],
)
def test_folder_without_a_usable_file_is_refused(tmp_path, files, message):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no sound")
    with pytest.raises(ValueError, match=message):
        from_folder(tmp_path)


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nowhere: expected a folder for each class with .wav, .flac, .ogg, .mp3 .* found no such folder"):
        from_folder(tmp_path / "nowhere")


def test_class_of_one_clip(sound, tmp_path):
    sound("dog/a.wav"), sound("cat/b.wav"), sound("cat/c.wav")
    clips = from_folder(str(tmp_path))
    assert clips["label"].value_counts().to_dict() == {"cat": 2, "dog": 1}
    assert report(clips).loc["dog", "clips"] == 1


def test_group_pattern_finds_the_speaker(sound, tmp_path):
    sound("one/eve_1.wav"), sound("one/eve_2.wav"), sound("two/adam_1.wav")
    assert sorted(from_folder(tmp_path, group=r"^([a-z]+)_")["group"]) == ["adam", "eve", "eve"]


@pytest.mark.parametrize("pattern", [r"^(\d+)_", r"^[a-z]+_"])
def test_group_pattern_that_finds_nothing_is_refused(sound, tmp_path, pattern):
    sound("one/eve_1.wav")
    with pytest.raises(ValueError, match="eve_1.wav: expected the pattern .* to find a group in parentheses in the file name, found none"):
        from_folder(tmp_path, group=pattern)


def test_files_of_one_name_in_two_classes_are_two_groups(sound, tmp_path):
    sound("dog/1.wav"), sound("cat/1.wav"), sound("cat/deep/1.wav"), sound("cat/1.flac")
    assert set(from_folder(tmp_path)["group"]) == {"dog/1.wav", "cat/1.wav", "cat/deep/1.wav", "cat/1.flac"}


def test_group_pattern_finds_the_folder_of_a_speaker(sound, tmp_path):
    sound("one/eve/1.wav"), sound("one/adam/1.wav"), sound("two/eve/deep/1.wav")
    assert sorted(from_folder(tmp_path, group=r"^(.+?)/")["group"]) == ["adam", "eve", "eve"]


def test_group_pattern_that_is_none_is_refused(sound, tmp_path):
    sound("one/eve_1.wav")
    with pytest.raises(ValueError, match=r"expected a pattern such as '\^\(\.\+\)_', found '\(' \(.*\)"):
        from_folder(tmp_path, group="(")


def test_sounds_of_other_kinds_are_counted(sound, tmp_path, capsys):
    sound("dog/a.wav")
    for name in ["b.m4a", "C.M4A", "notes.txt"]:
        (tmp_path / "dog" / name).write_text("anything")
    assert len(from_folder(tmp_path)) == 1
    assert "2 sounds are of other kinds" in capsys.readouterr().out
    (tmp_path / "dog" / "a.wav").unlink()
    with pytest.raises(ValueError, match="found no sound file .2 of other kinds, such as .m4a: convert them to WAV"):
        from_folder(tmp_path)


# Splits


@given(
    sizes=st.lists(st.integers(1, 20), min_size=2, max_size=12),
    fraction=st.floats(0.05, 0.95),
    seed=st.integers(0, 99),
    named=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_split_keeps_groups_whole_and_the_fraction_near(sizes, fraction, seed, named):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    clips = pd.DataFrame({"group": [f"speaker {group}" for group in groups] if named else groups}, index=np.arange(len(groups))[::-1])
    first, second = split_by_group(clips, fraction=fraction, seed=seed)
    assert len(first) and len(second)
    assert not set(first["group"]) & set(second["group"])
    assert sorted([*first.index, *second.index]) == sorted(clips.index)
    assert abs(len(second) - fraction * len(clips)) <= max(sizes)
    again = split_by_group(clips, fraction=fraction, seed=seed)
    assert first.equals(again[0]) and second.equals(again[1])


def test_split_by_another_seed_takes_other_groups():
    clips = pd.DataFrame({"group": np.arange(40) % 20})
    assert len({tuple(split_by_group(clips, seed=seed)[1]["group"].unique()) for seed in range(5)}) > 1


@given(groups=st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=6), min_size=1, max_size=6), fraction=st.floats(0.05, 0.5), seed=st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_split_has_every_class_on_both_sides(groups, fraction, seed):
    """Each class has groups of its own, of these sizes: with two or more it is on both sides, with one on the first."""
    rows = [(f"class {label}", f"{label}-{group}") for label, sizes in enumerate(groups) for group, size in enumerate(sizes) for _ in range(size)]
    clips = pd.DataFrame(rows, columns=["label", "group"]).astype({"label": "category"})
    testable = {f"class {label}" for label, sizes in enumerate(groups) if len(sizes) > 1}
    if testable:
        first, second = split_by_group(clips, fraction=fraction, seed=seed)
        assert set(first["label"]) == set(clips["label"]) and set(second["label"]) == testable
        assert not set(first["group"]) & set(second["group"]) and len(first) + len(second) == len(clips)
        again = split_by_group(clips, fraction=fraction, seed=seed)
        assert first.equals(again[0]) and second.equals(again[1])


@given(labels=st.lists(st.integers(0, 3), min_size=4, max_size=80), speakers=st.integers(2, 9), fraction=st.floats(0.1, 0.5), seed=st.integers(0, 99))
@example(labels=[2, 0, 0, 0, 1, 3, 0, 0, 0, 1], speakers=4, fraction=0.5, seed=0)  # two classes of one group each take the two groups of a third
@settings(max_examples=100, deadline=None)
def test_split_is_what_it_was_where_no_class_was_missing(labels, speakers, fraction, seed):
    clips = pd.DataFrame({"label": pd.Categorical(labels), "group": np.arange(len(labels)) % speakers})
    first, second = split_by_group(clips.drop(columns="label"), fraction=fraction, seed=seed)
    mended = split_by_group(clips, fraction=fraction, seed=seed)
    sides, sides_now = ([set(clips["label"][side.index]) for side in split] for split in ((first, second), mended))
    if sides[0] == sides[1]:
        assert first.index.equals(mended[0].index) and second.index.equals(mended[1].index)
    several = clips.groupby("label", observed=True)["group"].nunique() > 1
    testable = set(several.index[several])

    def missing(learned, tested):
        """Classes that cannot be learned count before those that could be tested and are not."""
        return len(set(labels) - learned), len(testable - tested)

    assert missing(*sides_now) <= missing(*sides) and len(mended[0]) and len(mended[1])


def test_split_of_speakers_who_say_one_class_each():
    """Nothing can be tested then: one class is on each side, and none is lost."""
    first, second = split_by_group(pd.DataFrame({"label": ["a", "a", "b"], "group": ["eve", "eve", "adam"]}))
    assert len(first) + len(second) == 3 and len(set(first["group"])) == len(set(second["group"])) == 1


def test_split_of_two_tables_put_together():
    """`pd.concat` leaves every row number there twice."""
    part = pd.DataFrame({"group": list("aabbccdd"), "label": list("xyxyxyxy")})
    first, second = datasets.split_by_group(pd.concat([part, part.assign(group=part.group + "2")]), fraction=0.25)
    assert len(first) + len(second) == 16 and not set(first.group) & set(second.group)


def test_split_changes_other_groups_with_another_seed():
    clips = pd.DataFrame({"label": pd.Categorical(["a"] * 50 + ["b"] * 5), "group": np.arange(55)})
    chosen = {tuple(second.loc[second["label"] == "b", "group"]) for _, second in (split_by_group(clips, fraction=0.04, seed=seed) for seed in range(20))}
    assert len(chosen) > 2


@pytest.mark.parametrize(
    "groups, fraction, message",
    [
        (["eve", "eve"], 0.2, r"expected two groups or more to split by, found \['eve'\]"),
        (["eve", "adam"], 0, "expected a fraction between 0 and 1, found 0"),
        (["eve", "adam"], 1.0, "expected a fraction between 0 and 1, found 1.0"),
    ],
)
def test_split_that_cannot_be_is_refused(groups, fraction, message):
    with pytest.raises(ValueError, match=message):
        split_by_group(pd.DataFrame({"group": groups}), fraction=fraction)


# The report


def table_of(*paths, labels=None, groups=None):
    listed = [{"path": path, "seconds": 0.5, "sample_rate": 8_000} for path in paths]
    return pd.DataFrame(listed).assign(label=pd.Categorical(labels or ["a"] * len(paths)), group=groups or [path.name for path in paths])


def test_report_gives_each_class_and_all(sound, tone):
    clips = table_of(sound("1.wav"), sound("2.wav", tone(hertz=500)), sound("3.wav", tone(hertz=600)), labels=["a", "a", "b"])
    table = report(clips)
    assert list(table.index) == ["a", "b", "all"]
    assert table["clips"].tolist() == [2, 1, 3] and table["share"].tolist() == [0.667, 0.333, 1.0] and table["groups"].tolist() == [2, 1, 3]
    assert (table["seconds_median"] == 0.5).all() and (table["sample_rates"] == "8000").all()
    assert not table[["clipped", "duplicates", "groups_of_duplicates", "silence"]].to_numpy().any()


@pytest.mark.parametrize("level", [1 / 64, 0.25, 0.5])
def test_report_measures_the_level_of_a_sine(sound, tone, level):
    table = report(table_of(sound(samples=tone(level=level), subtype="FLOAT")))
    assert table.loc["all", "level_median"] == pytest.approx(20 * np.log10(level / np.sqrt(2)), abs=0.06)


def test_report_measures_the_share_of_silence(sound, tone):
    table = report(table_of(sound(samples=np.concatenate([np.zeros(2_400), tone(seconds=0.1)]))))
    assert table.loc["all", "silence"] == 0.75
    assert report(table_of(sound(samples=np.zeros(800)))).loc["all", ["silence", "level_median"]].tolist() == [1, -120]


@pytest.mark.parametrize("at_full_scale, clipped", [(2, 0), (3, 1)])
def test_report_counts_runs_at_full_scale_as_clipped(sound, tone, at_full_scale, clipped):
    samples = tone()
    samples[100 : 100 + at_full_scale] = -1
    assert report(table_of(sound(samples=samples))).loc["all", "clipped"] == clipped


def test_report_finds_the_same_sound_in_two_formats_and_two_groups(sound, tone):
    samples = (2**14 * tone()).astype(np.int16)
    paths = sound("a.wav", samples), sound("b.flac", samples), sound("c.wav", samples), sound("d.wav", -samples)
    table = report(table_of(*paths, groups=["eve", "adam", "eve", "tom"]))
    assert table.loc["all", ["duplicates", "groups_of_duplicates"]].tolist() == [2, 2]
    same_group = report(table_of(*paths, groups=["eve", "eve", "eve", "tom"]))
    assert same_group.loc["all", ["duplicates", "groups_of_duplicates"]].tolist() == [2, 0]


def test_report_of_a_clip_shorter_than_a_block(sound):
    assert report(table_of(sound(samples=np.array([0.5])))).loc["all", "level_median"] == pytest.approx(-6)


# The archive of real recordings: a small one of the same layout stands in for it


@pytest.fixture
def archive(tmp_path, tone, monkeypatch):
    """A small archive, whose fingerprint is the expected one, in a folder of its own: the path of the zip."""
    folder = tmp_path / "made" / NAME
    (folder / "recordings").mkdir(parents=True)
    for digit in range(2):
        for speaker in ["eve", "adam"]:
            for take in [0, 4, 5, 10]:
                soundfile.write(folder / "recordings" / f"{digit}_{speaker}_{take}.wav", tone(hertz=300 + digit + take), 8_000)
    (folder / "README.md").write_text("about")
    monkeypatch.setattr(sets, "FSDD", sets.FSDD._replace(sha256=archives.fingerprint(folder, "recordings/*.wav")))
    return packed(folder)


def packed(folder):
    path = folder.with_name(f"{NAME}.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for inside in sorted(folder.rglob("*")):
            file.write(inside, inside.relative_to(folder.parent))
    return path


@pytest.fixture
def shelves(tmp_path, monkeypatch):
    """The three folders that the recordings may be unpacked into, empty; nothing given; the network closed."""
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(sets, "DATA", tmp_path / "data")
    monkeypatch.setattr(sets, "FSDD", sets.FSDD._replace(url="http://127.0.0.1:9/closed.zip"))
    return [tmp_path / "data" / "downloads", tmp_path / "home" / ".cache" / "rnn-audio-course", tmp_path / "temporary" / "rnn-audio-course"]


@pytest.fixture
def serve(server, monkeypatch):
    """A server that gives one answer in the place of the real archive: content, status, promised length → its address."""

    def start(content, **answer):
        address = server(content, **answer)
        monkeypatch.setattr(sets, "FSDD", sets.FSDD._replace(url=address))
        return address

    return start


def left_over(shelves):
    return [path for shelf in shelves for path in shelf.rglob("*")]


def check_small_digits(clips, shelf):
    check_table(clips)
    assert len(clips) == 16 and set(clips["group"]) == {"adam", "eve"} and set(clips["label"]) == {"0", "1"}
    takes = clips["path"].map(lambda path: int(path.stem.split("_")[2]))
    assert (clips["split"] == np.where(takes < 5, "test", "train")).all()
    assert all(path.is_relative_to(shelf) for path in clips["path"])


def test_archive_is_unpacked_from_a_given_folder_once(archive, shelves, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(archive.parent))
    for inside in (archive.parent / NAME).rglob("*.wav"):
        inside.unlink()
    (archive.parent / NAME).rename(archive.parent / "elsewhere")
    check_small_digits(datasets.load("fsdd"), shelves[0])
    assert [path.name for path in shelves[0].iterdir()] == [NAME]
    archive.unlink()
    check_small_digits(datasets.load("fsdd"), shelves[0])


def test_recordings_are_read_where_they_lie_unpacked(archive, shelves, monkeypatch, capsys):
    archive.unlink()
    monkeypatch.setenv("COURSE_DATA_DIR", str(archive.parent))
    check_small_digits(datasets.load("fsdd"), archive.parent)
    assert left_over(shelves) == []
    assert capsys.readouterr().out == "fsdd: 16 clips, 2 speakers, Free Spoken Digit Dataset, CC BY-SA 4.0\n"


def test_recordings_in_a_folder_too_deep_are_found(archive, shelves, monkeypatch):
    """Windows unpacks an archive into a folder of its name around the archive's own."""
    (archive.parent / NAME).rename(archive.parent / "own")
    (archive.parent / NAME).mkdir()
    (archive.parent / "own").rename(archive.parent / NAME / NAME)
    monkeypatch.setenv("COURSE_DATA_DIR", str(archive.parent))
    check_small_digits(datasets.load("fsdd"), archive.parent / NAME / NAME)


def test_folder_without_recordings_is_named(archive, shelves, monkeypatch, capsys, embedded):
    (archive.parent / "given" / NAME).mkdir(parents=True)
    monkeypatch.setenv("COURSE_DATA_DIR", str(archive.parent / "given"))
    with pytest.raises(archives.Unavailable, match=rf"the folder {NAME}: expected recordings/\*\.wav inside, found none; delete the folder"):
        datasets.load("fsdd")
    datasets.load("digits")
    assert f"the folder {NAME}: expected" in capsys.readouterr().out


def test_archive_is_downloaded_once(archive, shelves, serve, monkeypatch):
    serve(archive.read_bytes())
    check_small_digits(datasets.load("fsdd"), shelves[0])
    monkeypatch.setattr(sets, "FSDD", sets.FSDD._replace(url="http://127.0.0.1:9/closed.zip"))
    check_small_digits(datasets.load("fsdd"), shelves[0])
    assert [path.name for path in shelves[0].iterdir()] == [NAME]


def test_shelf_that_cannot_be_written_is_passed_over(archive, shelves, monkeypatch):
    sets.DATA.write_text("a file where a folder should be")
    shelves[1].parent.parent.mkdir()
    shelves[1].parent.write_text("another")
    monkeypatch.setenv("COURSE_DATA_DIR", str(archive.parent))
    (archive.parent / NAME).rename(archive.parent / "elsewhere")
    check_small_digits(datasets.load("fsdd"), shelves[2])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read and write everywhere")
@pytest.mark.parametrize("rights", [0o500, 0o000])
def test_shelf_without_rights_is_passed_over(archive, shelves, serve, rights):
    serve(archive.read_bytes())
    shelves[0].mkdir(parents=True)
    shelves[0].chmod(rights)
    try:
        check_small_digits(datasets.load("fsdd"), shelves[1])
    finally:
        shelves[0].chmod(0o700)


def test_no_shelf_can_be_written(archive, shelves, monkeypatch):
    for place in [sets.DATA, shelves[1].parents[1], shelves[2]]:
        place.write_text("a file where a folder should be")
    with pytest.raises(archives.Unavailable, match="expected a folder that can be written, found none among"):
        datasets.load("fsdd")


def unavailable(shelves, message):
    """Check that the recordings are refused, in these words, and that nothing half done is left."""
    with pytest.raises(archives.Unavailable, match=message):
        datasets.load("fsdd")
    assert left_over(shelves) == []


def test_given_folder_without_the_archive(tmp_path, shelves, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    unavailable(shelves, f"looked for {NAME}.zip in COURSE_DATA_DIR=.*: not there; put it there, or unset COURSE_DATA_DIR")


def test_download_that_is_cut_off(archive, shelves, serve):
    whole = archive.read_bytes()
    serve(whole[:1_000], promised=len(whole))
    unavailable(shelves, f"expected {len(whole):,} bytes, found 1,000: the download was cut off")


@pytest.mark.parametrize("status, words", [(404, r"the server answered 404 \(Not Found\)"), (503, "the server answered 503")])
def test_server_that_refuses(shelves, serve, status, words):
    serve(b"no", status=status)
    unavailable(shelves, f"{words}.*; download it by hand")


def test_server_that_is_silent(shelves, serve, monkeypatch):
    monkeypatch.setattr(archives, "SECONDS_TO_ANSWER", 0.1)
    serve(b"", before=lambda: time.sleep(0.3))
    unavailable(shelves, r"no answer \(timed out\); download it by hand")


def test_no_network(shelves):
    unavailable(shelves, r"no answer \(.*refused.*\); download it by hand, put it into a folder, and name that folder in COURSE_DATA_DIR")


def test_proxy_that_is_not_there(shelves, serve, archive, monkeypatch):
    serve(archive.read_bytes())
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    unavailable(shelves, r"no answer \(.*refused.*\)")


def test_page_instead_of_the_archive(shelves, serve):
    serve(b"<html>Log in to the network first</html>")
    unavailable(shelves, r"expected a zip archive, found a damaged file \(File is not a zip file\): delete it and fetch it again")


def zip_of(path, **files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path.read_bytes()


def test_archive_of_other_recordings(tmp_path, shelves, serve):
    serve(zip_of(tmp_path / "other.zip", **{f"{NAME}/recordings/0_eve_0.wav": "other"}))
    unavailable(shelves, "expected recordings with the fingerprint .*, found .*: they are not the files this course knows")


def test_empty_archive(tmp_path, shelves, serve):
    serve(zip_of(tmp_path / "empty.zip"))
    unavailable(shelves, f"{NAME}.zip: expected")


@pytest.mark.parametrize("name", ["../evil.wav", f"{NAME}/../../evil.wav", "/tmp/evil-of-the-course.wav"])
def test_archive_that_reaches_outside(tmp_path, shelves, serve, name):
    serve(zip_of(tmp_path / "evil.zip", **{f"{NAME}/recordings/0_eve_0.wav": "good", name: "evil"}))
    unavailable(shelves, "expected files inside their folder, found '.*evil.*', which reaches outside")
    assert not list(tmp_path.rglob("evil*.wav")) and not Path(name).exists()


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7])
@pytest.mark.parametrize("damage", [b"\x00" * 40, b"\xff" * 40], ids=["zeros", "ones"])
def test_damaged_archive(archive, shelves, serve, place, damage):
    content = bytearray(archive.read_bytes())
    start = int(place * len(content))
    content[start : start + len(damage)] = damage
    serve(bytes(content))
    unavailable(shelves, f"{NAME}.zip: expected a zip archive, found a damaged file")


def test_archive_with_a_damaged_recording(archive, shelves, serve):
    """The first byte of its compressed data announces a kind of block that does not exist."""
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as file:
        recording = file.getinfo(f"{NAME}/recordings/1_eve_5.wav")
    content[recording.header_offset + 30 + len(recording.filename)] = 0b111
    serve(bytes(content))
    unavailable(shelves, "found a damaged file .*invalid block type.*: delete it and fetch it again")


def test_encrypted_archive(archive, shelves, serve):
    content = bytearray(archive.read_bytes())
    for signature, flags in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)]:
        start = content.find(signature)
        while start >= 0:
            content[start + flags] |= 1
            start = content.find(signature, start + 1)
    serve(bytes(content))
    unavailable(shelves, f"{NAME}.zip: expected a zip archive")


def test_full_disk(archive, shelves, serve, monkeypatch):
    def fail(*arguments):
        raise OSError(28, "No space left on device")

    serve(archive.read_bytes())
    monkeypatch.setattr(zipfile.ZipFile, "extractall", fail)
    unavailable(shelves, r"expected room to unpack it, found none \(No space left on device\)")


def test_two_processes_may_ask_at_once(archive, shelves, serve):
    """Both wait for the other's request before they are answered."""
    address = serve(archive.read_bytes(), before=threading.Barrier(2, timeout=60).wait)
    script = (
        "import sys; from pathlib import Path; from course_lib import datasets, sets;"
        f"sets.DATA, sets.FSDD = Path({str(sets.DATA)!r}), sets.FSDD._replace(url={address!r}, sha256={sets.FSDD.sha256!r});"
        "print(len(datasets.load('fsdd')))"
    )
    root = Path(datasets.__file__).parent.parent
    processes = [subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert out.splitlines()[-1] == "16"
    assert [path.name for path in shelves[0].iterdir()] == [NAME]


@pytest.fixture
def embedded(shelves, tone):
    """An embedded set of two clips."""
    clips = sets.DATA / "spoken-digits" / "clips"
    clips.mkdir(parents=True)
    rows = [("0_anna_0.flac", "0", "anna", "train"), ("1_otto_0.flac", "1", "otto", "test")]
    for name, *_ in rows:
        soundfile.write(clips / name, tone(), 8_000)
    listed = "".join(f"{','.join(row)},engine,voice,accent,Apache-2.0\n" for row in rows)
    (clips.parent / "clips.csv").write_text("file,label,group,split,engine,voice,accent,licence\n" + listed)


def test_embedded_digits(embedded, capsys):
    clips = datasets.load("spoken-digits")
    check_table(clips)
    assert clips[["label", "group", "split", "licence"]].values.tolist() == [
        ["0", "anna", "train", "CC BY 4.0"],
        ["1", "otto", "test", "CC BY 4.0"],
    ]
    assert capsys.readouterr().out == "spoken-digits: 2 clips, 2 speakers, embedded synthetic voices, CC BY 4.0\n"


def test_digits_are_the_real_ones_if_they_can_be_had(embedded, archive, serve, capsys):
    serve(archive.read_bytes())
    assert len(datasets.load("digits")) == 16
    assert capsys.readouterr().out == "digits: 16 clips, 2 speakers, Free Spoken Digit Dataset, CC BY-SA 4.0\n"


def test_digits_fall_back_to_the_embedded_ones_and_say_why(embedded, capsys):
    assert set(datasets.load("digits")["source"]) == {"embedded synthetic voices"}
    reason, summary = capsys.readouterr().out.splitlines()
    assert "synthetic voices stand in" in reason and "no answer" in reason
    assert summary.startswith("digits: 2 clips")


def test_real_digits_have_their_official_split(real_digits):
    check_table(real_digits)
    assert len(real_digits) == 3_000 and real_digits["group"].nunique() == 6
    assert real_digits["label"].cat.categories.tolist() == list("0123456789")
    test = real_digits[real_digits["split"] == "test"]
    assert len(test) == 300 and set(test["path"].map(lambda path: path.stem.split("_")[2])) == set("01234")
    assert (test.groupby(["label", "group"], observed=True).size() == 5).all()
