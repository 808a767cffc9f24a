"""Tables of clips: folders as learners have them, splits without a leak, archives in any state."""

import io
import itertools
import os
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import archives, audio, data, decoding
from course_lib.extra import report

NAME = "free-spoken-digit-dataset-26eb9aaf76e81b692f806f9140c2d2777410d7a1"


def check_table(clips):
    """Check the columns and the types that every loader promises."""
    assert list(clips.columns) == data.COLUMNS
    assert isinstance(clips["label"].dtype, pd.CategoricalDtype)
    assert clips["seconds"].dtype == np.float64 and clips["sample_rate"].dtype.kind == "i"
    assert all(isinstance(path, Path) and path.is_file() for path in clips["path"])
    assert list(clips.index) == list(range(len(clips)))


# Folders


def test_folder_gives_what_is_usable_and_names_what_is_skipped(sound, tmp_path, tone, capsys):
    names = ["dog/a.wav", "dog/deep/b.flac", "dog/C.WAV", "Katze Ä/b c.ogg", "Katze Ä/γ.mp3"]
    paths = [sound(f".course/{name}") for name in names]
    paths.append(sound(".course/dog/stereo.wav", np.stack([tone(), tone()], axis=1)))
    paths.append(sound(".course/dog/fast.wav", rate=44_100))
    folder = tmp_path / ".course"
    hidden = ["dog/.hidden.wav", ".cache/b.wav", "dog/.trash/c.wav"]
    others = ["dog/notes.txt", "loose.wav", "dog/b.M4A"]
    for name in [*hidden, *others, "Katze Ä/0 broken.wav"]:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(paths[0].read_bytes()[:50])
    clips = data.from_folder(str(folder))
    check_table(clips)
    assert set(clips["path"]) == set(paths)
    assert clips["label"].value_counts().to_dict() == {"dog": 5, "Katze Ä": 2}
    assert set(clips["sample_rate"]) == {8_000, 44_100}
    assert clips["seconds"].tolist() == pytest.approx([0.5] * 7)
    assert set(clips["split"]) == {"all"} and clips["group"].is_unique
    assert sorted(clips.attrs["skipped"]) == [
        "Katze Ä/0 broken.wav: expected 8,000 bytes of samples, found 6: it was cut short",
        "dog/b.M4A: expected a sound, found .M4A: if it is one, convert it to WAV",
        "dog/notes.txt: expected a sound, found .txt: if it is one, convert it to WAV",
        "loose.wav: expected a sound in a class folder, found it outside",
    ]
    out = capsys.readouterr().out
    assert "7 clips used, 4 skipped" in out
    assert all(f"skipped {sentence}" in out for sentence in clips.attrs["skipped"])


def test_folder_reads_every_kind_and_names_what_holds_no_sound(sound, tmp_path):
    kinds = {"au": "AU", "wave": "WAV", "oga": "OGG", "bwf": "WAV", "w64": "W64", "aifc": "AIFF"}
    for suffix, kind in kinds.items():
        sound(f"dog/a.{suffix}", format=kind)
    (tmp_path / "empty").mkdir()
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "a.m4a").write_bytes(b"no sound")
    clips = data.from_folder(tmp_path)
    assert len(clips) == 6 and set(clips["label"]) == {"dog"}
    assert clips.attrs["skipped"] == [
        "phone/a.m4a: expected a sound, found .m4a: if it is one, convert it to WAV",
        "empty: expected sounds in this class folder, found none",
        "phone: expected sounds in this class folder, found none",
    ]


def test_one_odd_file_does_not_end_the_run(sound, tmp_path):
    for name in ("dog/a.wav", "cat/a.wav", "elsewhere/a.wav"):
        sound(f"all/{name}")
    folder = tmp_path / "all"
    (folder / "elsewhere").rename(tmp_path / "elsewhere")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")  # a class on another disk
    (folder / "dog" / "loop").symlink_to(folder)
    (folder / "dog" / "gone.wav").symlink_to("nowhere")
    (folder / "dog" / "folder.wav").mkdir()
    os.mkfifo(folder / "dog" / "pipe.wav")
    sound("all/cat/name.wav").rename(os.fsdecode(os.fsencode(folder) + b"/cat/\xe9.wav"))
    sound("all/cat/voicemail.wav", subtype="GSM610")
    long = sound("all/cat/long.flac")
    content = bytearray(long.read_bytes())
    content[21] |= 0x0F
    long.write_bytes(content)
    clips = data.from_folder(folder)
    used = ["cat/\\xe9.wav", "cat/a.wav", "cat/voicemail.wav", "dog/a.wav", "linked/a.wav"]
    assert set(clips["group"]) == set(used) and len(clips) == 5
    names = [sentence.partition(":")[0] for sentence in sorted(clips.attrs["skipped"])]
    assert names == ["cat/long.flac", "dog/gone.wav", "dog/pipe.wav"]


def test_folder_that_cannot_be_read_is_named(sound, tmp_path, monkeypatch):
    sound("dog/a.wav"), sound("dog/closed/b.wav")
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    sentence = "expected a folder that can be read, found Permission denied"
    assert data.from_folder(tmp_path).attrs["skipped"] == [f"dog/closed: {sentence}"]
    with pytest.raises(ValueError, match=f"found no sound file; .: {sentence}"):
        data.from_folder(tmp_path / "dog" / "closed")


@pytest.mark.parametrize(
    "names, message",
    [
        (["train/dog/a.wav", "test/dog/b.wav"], "found test, train, the parts of a set: give one"),
        (["Train/a.wav", "valid/b.wav", " test /c.wav"], "the parts of a set: give one of them"),
    ],
)
def test_parts_of_a_set_are_no_classes(sound, tmp_path, names, message):
    for name in names:
        sound(name)
    with pytest.raises(ValueError, match=message):
        data.from_folder(tmp_path)
    sound("a class/a.wav")
    assert data.from_folder(tmp_path)["label"].nunique() > 2


@pytest.mark.parametrize(
    "files, message",
    [
        ([], "expected a folder for each class, with sounds, or labels.csv, found no sound file"),
        (["a.wav", "b.flac"], "found 2 sound files outside any class folder"),
        (["dog/a.m4a", "dog/.b.wav"], r"found no sound file \(1 of other kinds, such as .m4a"),
        (["dog/a.wav", "cat/b.wav"], "found 2 that cannot be used, the first: cat.b.wav"),
    ],
)
def test_folder_without_a_usable_file_is_refused(tmp_path, files, message):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no sound")
    with pytest.raises(ValueError, match=message):
        data.from_folder(tmp_path)
    for name, found in [("nowhere", "no such folder"), ("a" * 300, "no such folder")]:
        with pytest.raises(ValueError, match=f"found {found}"):
            data.from_folder(tmp_path / name)
    (tmp_path / "archive.zip").write_bytes(b"no folder")
    with pytest.raises(ValueError, match="archive.zip: expected a folder .*, found a file: unpack"):
        data.from_folder(tmp_path / "archive.zip")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_list_says_which_file_is_of_what_class(sound, tmp_path, separator):
    names = ["train/a.wav", "b.wav", "deep/c.flac", "two.wav", "none.wav", "extra.wav"]
    paths = [sound(name) for name in names]
    (tmp_path / "d.m4a").write_bytes(b"no sound")
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    rows = [
        ("File", " label", "group", "remark"),
        ("train/a.wav", "dog ", "rex", "x"),
        (r"deep\c.flac", "cat", "", "backslash"),
        ("b.wav", "dog", "bello", ""),
        ("b.wav", "dog", "bello", "once more"),
        ("two.wav", "dog", "rex", ""),
        ("two.wav", "cat", "rex", ""),
        ("none.wav", "", "rex", ""),
        ("gone.wav", "dog", "rex", ""),
        ("d.m4a", "dog", "rex", ""),
        ("broken.wav", "dog", "rex", ""),
    ]
    text = "\n".join(separator.join(row) for row in rows)
    (tmp_path / data.LIST).write_text(text, encoding="utf-8-sig")
    clips = data.from_folder(tmp_path)
    check_table(clips)
    assert clips["path"].tolist() == [paths[0], paths[2], paths[1]]
    assert clips["label"].tolist() == ["dog", "cat", "dog"]
    assert clips["group"].tolist() == ["rex", "deep/c.flac", "bello"]
    *skipped, broken = clips.attrs["skipped"]
    assert skipped == [
        "two.wav: expected one label in labels.csv, found 2: cat, dog",
        "none.wav: expected one label in labels.csv, found none",
        "gone.wav: listed in labels.csv, found no such file",
        "d.m4a: expected a sound, found .m4a: if it is one, convert it to WAV",
        "extra.wav: expected in labels.csv, found it in no row",
    ]
    assert broken.startswith("broken.wav: expected ")
    groups = data.from_folder(tmp_path, group=r"^(.)")["group"]
    assert groups.tolist() == ["a", "c", "b"]


@pytest.mark.parametrize("content", [b"", b"name,class\na.wav,dog", b"file,label\n\xff\xfe,dog"])
def test_a_list_that_is_no_such_table_is_refused(sound, tmp_path, content):
    sound("dog/a.wav")
    (tmp_path / data.LIST).write_bytes(content)
    with pytest.raises(ValueError, match="labels.csv: expected a table with the columns file and"):
        data.from_folder(tmp_path)


def test_groups_are_files_or_what_a_pattern_finds(sound, tmp_path):
    names = ["one/adam/1.wav", "one/eve/1.wav", "one/max_1.wav", "two/eve/deep/1.wav"]
    for name in names:
        sound(name)
    assert data.from_folder(tmp_path)["group"].tolist() == names
    groups = data.from_folder(tmp_path, group=r"^(.+?)[/_]")["group"]
    assert groups.tolist() == ["adam", "eve", "max", "eve"]
    # These find nothing, have no parentheses, or find nothing within them
    for pattern in (r"^(\d+)_", r"^[a-z]+", r"^(?:(.+?)/)?", r"^(x*)", r"( *)"):
        with pytest.raises(ValueError, match="1.wav: expected .* to find a group in parentheses"):
            data.from_folder(tmp_path, group=pattern)


# Splits


def check_split(clips, *, fraction, seed):
    first, second = data.split(clips, fraction=fraction, seed=seed)
    assert len(first) and len(second)
    assert not set(first["group"]) & set(second["group"])
    assert sorted([*first.index, *second.index]) == sorted(clips.index)
    again = data.split(clips, fraction=fraction, seed=seed)
    assert first.equals(again[0]) and second.equals(again[1])
    return first, second


@given(
    st.lists(st.integers(1, 20), min_size=2, max_size=12), st.floats(0.05, 0.95), st.integers(0, 99)
)
@settings(max_examples=40, deadline=None)
def test_split_keeps_groups_whole_and_the_fraction_near(sizes, fraction, seed):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    clips = pd.DataFrame({"group": groups}, index=np.arange(len(groups))[::-1])
    _, second = check_split(clips, fraction=fraction, seed=seed)
    assert abs(len(second) - fraction * len(clips)) <= max(sizes)


class_sizes = st.lists(st.integers(1, 6), min_size=1, max_size=6)


@given(st.lists(class_sizes, min_size=1, max_size=6), st.floats(0.05, 0.5), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_split_has_every_class_on_both_sides(classes, fraction, seed):
    """A class with two groups of its own or more is on both sides, one with one on the first."""
    groups = [(label, group) for label, n in enumerate(map(len, classes)) for group in range(n)]
    clips = pd.DataFrame(groups, columns=["label", "group"])
    clips["group"] += 10 * clips["label"]
    clips = clips.loc[clips.index.repeat(np.concatenate(classes))].reset_index(drop=True)
    testable = {label for label, sizes in enumerate(classes) if len(sizes) > 1}
    if testable:
        first, second = check_split(clips, fraction=fraction, seed=seed)
        assert set(first["label"]) == set(clips["label"]) and set(second["label"]) == testable


@pytest.mark.parametrize("trial", range(20))
def test_split_of_groups_with_several_classes_is_as_good_as_any(trial):
    """Of all ways to share the groups out, none loses fewer classes."""
    random = np.random.default_rng(trial)
    holds = random.random([random.integers(2, 9), 4]) < 0.35
    holds[:2, 0] = True
    rows = np.repeat(np.argwhere(holds), 3, axis=0)
    clips = pd.DataFrame(rows, columns=["group", "label"])
    holds = pd.crosstab(clips["group"], clips["label"]).to_numpy() > 0
    several = holds.sum(axis=0) > 1

    def lost(taken):
        missing = several & ~holds[taken].any(axis=0)
        return (~holds[~taken].any(axis=0)).sum(), missing.sum()

    ways = (np.arange(1, 2 ** len(holds) - 1)[:, None] >> np.arange(len(holds))) % 2 == 1
    _, second = check_split(clips, fraction=0.3, seed=0)
    taken = np.isin(np.unique(clips["group"]), second["group"])
    assert lost(taken) == min(lost(way) for way in ways)


def test_split_of_real_shapes_is_near_the_fraction():
    """Twenty speakers of different sizes who say all ten digits."""
    sizes = np.random.default_rng(0).integers(20, 60, 20)
    clips = pd.DataFrame({"group": np.repeat(np.arange(20), sizes)})
    clips["label"] = pd.Categorical(clips.groupby("group").cumcount() % 10)
    for fraction in (0.1, 0.2, 0.3, 0.5, 0.7):
        sides = [check_split(clips, fraction=fraction, seed=seed)[1] for seed in range(5)]
        assert all(side["label"].nunique() == 10 for side in sides)
        errors = [abs(len(side) / len(clips) - fraction) for side in sides]
        assert max(errors) < sizes.max() / len(clips)  # less than one speaker
        assert len({tuple(side["group"].unique()) for side in sides}) > 1


def test_split_of_speakers_with_one_class_each_of_rows_numbered_twice_and_of_one_group():
    clips = pd.DataFrame({"label": ["a", "a", "b"], "group": ["eve", "eve", "adam"]})
    assert sorted(map(len, data.split(clips))) == [1, 2]
    first, second = data.split(pd.concat([clips, clips.assign(group=["tom", "tom", "max"])]))
    assert len(first) + len(second) == 6 and not set(first["group"]) & set(second["group"])
    with pytest.raises(ValueError, match=r"two groups or more to split by, found \['eve'\]"):
        data.split(clips[:2])
    for fraction in (0, 1.0):
        with pytest.raises(ValueError, match=f"a fraction between 0 and 1, found {fraction}"):
            data.split(clips, fraction=fraction)


def test_split_takes_time_in_proportion_to_its_clips():
    labels = np.random.default_rng(0).choice(list("abcdefghij"), 20_000)
    clips = pd.DataFrame({"group": [f"clip {i}" for i in range(20_000)], "label": labels})
    before = time.process_time()
    _, second = data.split(clips, fraction=0.2)
    assert time.process_time() - before < 20 and len(second) == 4_000


def test_split_of_unused_missing_and_mixed_values():
    clips = pd.DataFrame({"group": list("aabbcc"), "label": list("xyxyxy")})
    plain = [side.index.tolist() for side in data.split(clips)]
    odd = clips.astype({"group": pd.CategoricalDtype(list("zcbad")), "label": "category"})
    first, second = data.split(odd[odd["group"] != "d"])
    assert [len(first), len(second)] == [4, 2] and not set(first["group"]) & set(second["group"])
    assert [side.index.tolist() for side in data.split(clips.astype(object))] == plain
    data.split(clips.assign(group=[1, 1, "b", "b", 2.5, 2.5], label=[1, "x", 1, "x", 2.5, 1]))
    for column in ("group", "label"):
        for nothing in (None, np.nan, "", " "):
            gaps = clips.assign(**{column: ["a", nothing, "b", "b", nothing, "c"]})
            found = f"expected a {column} for each clip, found 2 of 6 without, the first in row 1"
            for categories in ("object", "category"):
                with pytest.raises(ValueError, match=found):
                    data.split(gaps.astype(categories))
    with pytest.raises(ValueError, match=r"two groups or more to split by, found \[\]"):
        data.split(clips[:0])


# The report


def table_of(*paths, labels=None, groups=None):
    names = groups or [path.name for path in paths]
    clips = pd.DataFrame({"path": paths, "group": names, "seconds": 0.5, "sample_rate": 8_000})
    return clips.assign(label=pd.Categorical(labels or ["a"] * len(paths)))


def test_report_gives_each_class_and_all(sound, tone):
    paths = sound("1.wav"), sound("2.wav", tone(hertz=500)), sound("3.wav", tone(hertz=600))
    clips = table_of(*paths, labels=["a", "a", "b"])
    clips["label"] = clips["label"].cat.add_categories("empty")
    table = data.report(clips)
    assert table["clips"].to_dict() == {"a": 2, "b": 1, "empty": 0, "all": 3}
    assert table["share"].tolist() == [0.667, 0.333, 0, 1] and table["groups"].max() == 3
    assert table.loc["b", ["seconds_median", "sample_rates"]].tolist() == [0.5, "8000"]
    faults = table.loc["all", ["clipped", "duplicates", "groups_of_duplicates", "silence"]]
    assert not faults.any()
    assert data.report(clips.join(data.measure(clips))).equals(table)


def test_level_silence_and_clipping_are_measured(sound, tone):
    samples = np.concatenate([np.zeros(2_400), tone(seconds=0.1, level=0.25)])
    [measured] = data.measure(table_of(sound(samples=samples, subtype="FLOAT"))).itertuples()
    assert measured.level == pytest.approx(20 * np.log10(0.25 / np.sqrt(8)), abs=0.06)
    assert measured.peak == pytest.approx(20 * np.log10(0.25), abs=0.06)
    assert measured.silence == 0.75 and not measured.clipped
    [silent] = data.measure(table_of(sound(samples=np.zeros(800)))).itertuples()
    assert (silent.silence, silent.level) == (1, -120)
    for at_full_scale, clipped in [(2, False), (3, True)]:
        samples = tone()
        samples[100 : 100 + at_full_scale] = -1
        assert data.measure(table_of(sound(samples=samples)))["clipped"].tolist() == [clipped]


def test_the_same_sound_is_found_in_two_formats_and_two_groups(sound, tone):
    samples = (2**14 * tone()).astype(np.int16)
    paths = [sound(name, samples) for name in ("a.wav", "b.flac", "c.wav")]
    paths.append(sound("d.wav", -samples))
    for groups, expected in [(["eve", "adam", "eve", "tom"], [2, 2]), (["eve"] * 4, [2, 0])]:
        table = data.report(table_of(*paths, groups=groups))
        assert table.loc["all", ["duplicates", "groups_of_duplicates"]].tolist() == expected


def test_report_of_tables_one_below_the_other_of_mixed_labels_and_of_nothing(sound, tone):
    paths = [sound(f"{hertz}.wav", tone(hertz=hertz)) for hertz in (300, 400, 500)]
    clips = table_of(*paths, labels=["a", "b", "b"])
    clean = data.report(pd.concat([clips, clips.assign(group="copy")], ignore_index=True))
    assert clean.loc["all", ["clips", "duplicates"]].tolist() == [6, 3]
    half = clips.join(data.measure(clips))
    for first, second in [(clips, clips), (half, half), (half, clips)]:
        both = pd.concat([first, second.assign(group="copy")])  # its index has each number twice
        assert data.report(both).equals(clean)
        assert len(report.warnings(both)) == len(report.warnings(both.reset_index(drop=True)))
    mixed = data.report(clips.assign(label=["a", 1, 1]))
    assert mixed["clips"].to_dict() == {"a": 1, "1": 2, "all": 3}
    for function in (data.report, report.warnings, data.measure):
        with pytest.raises(ValueError, match="expected one clip or more to measure, found none"):
            function(clips[:0])
    for function in (data.report, report.warnings):
        with pytest.raises(
            ValueError, match="a label for each clip, found 1 of 3 .*row 1 .*400.wav"
        ):
            function(clips.assign(label=["a", None, "b"]))


def test_channels_that_cancel_are_measured_and_said(sound, tone):
    clips = table_of(sound(samples=np.stack([tone(), -tone()], axis=1)))
    [measured] = data.measure(clips).itertuples()
    assert measured.peak < -80 and measured.level < -80
    [sentence] = [each for each in report.warnings(clips) if "almost silent" in each]
    assert "channels mixed" in sentence and "use one channel if two cancel" in sentence


def test_measures_do_not_depend_on_the_size_of_pieces(sound, tone, monkeypatch):
    samples = np.concatenate([tone(seconds=1.003), np.zeros(3_000), tone(hertz=50)])
    samples[[4_999, 5_000, 5_001]] = 1
    clips = table_of(
        sound(samples=np.stack([samples, samples], 1)), sound("b.wav", tone(seconds=0.002))
    )
    whole = data.measure(clips)
    assert whole["clipped"].tolist() == [True, False]
    for size in (10, 2_000, 10_000):
        monkeypatch.setattr(decoding, "PIECE", size)
        pd.testing.assert_frame_equal(data.measure(clips), whole)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells how much memory was used")
def test_two_hours_of_stereo_are_read_within_300_megabytes(tmp_path):
    """The samples are a hole in the file, which takes no room on the disk."""
    path, size = tmp_path / "long.wav", 2 * 3_600 * 16_000 * 4
    soundfile.write(path, np.zeros([0, 2]), 16_000)
    header = bytearray(path.read_bytes())
    header[4:8], header[-4:] = struct.pack("<I", size + 36), struct.pack("<I", size)
    path.write_bytes(header)
    os.truncate(path, len(header) + size)
    script = (
        "import re; from course_lib import data, decoding; import pandas as pd;"
        f"print(decoding.length({str(path)!r}));"
        f"print(data.measure(pd.DataFrame({{'path': [{str(path)!r}]}}))['peak'].item());"
        "print(re.search('VmHWM:\\s*(.*) kB', open('/proc/self/status').read())[1])"
    )
    root = Path(data.__file__).parent.parent
    out = subprocess.check_output([sys.executable, "-c", script], cwd=root, text=True).splitlines()
    assert out[:2] == [f"({size // 4}, 16000)", "-120.0"] and int(out[2]) < 300_000


# Archives: small ones of the same layout stand in for the real ones


@pytest.fixture
def places(tmp_path, monkeypatch):
    """The folders that recordings may be unpacked into, empty; the network closed."""
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(data, "DATA", tmp_path / "data")
    cached = [tmp_path / "home" / ".cache", tmp_path / "temporary"]
    (tmp_path / "temporary").mkdir()
    return [tmp_path / "data" / "downloads", *(place / "rnn-audio-course" for place in cached)]


def known(monkeypatch, **changes):
    """Change what is known of the archive of digits, for "digits" and "fsdd" alike."""
    for name in ("digits", "fsdd"):
        archive = data.SETS[name].archive._replace(**changes)
        monkeypatch.setitem(data.SETS, name, data.SETS[name]._replace(archive=archive))


@pytest.fixture
def archive(tmp_path, places, tone, monkeypatch):
    """A zip of 16 digits and an embedded set of two, with their fingerprints; nothing is served."""
    folder = tmp_path / "made" / NAME
    (folder / "recordings").mkdir(parents=True)
    for digit, speaker, take in itertools.product("01", ["eve", "adam"], [0, 4, 5, 10]):
        file = folder / "recordings" / f"{digit}_{speaker}_{take}.wav"
        soundfile.write(file, tone(hertz=300 + take), 8_000)
    clips = tmp_path / "data" / "six-voices" / "clips"
    clips.mkdir(parents=True)
    (clips.parent / "clips.csv").write_text("file,label,group,split\na.wav,0,anna,train\n")
    soundfile.write(clips / "a.wav", tone(), 8_000)
    sha256 = data.fingerprint(folder, "recordings/*.wav")
    known(monkeypatch, sha256=sha256, url="http://127.0.0.1:9/closed.zip")
    return Path(shutil.make_archive(str(folder), "zip", folder.parent, NAME))


def check_digits(clips, place):
    check_table(clips)
    assert len(clips) == 16 and set(clips["group"]) == {"adam", "eve"}
    takes = clips["path"].map(lambda path: int(path.stem.split("_")[2]))
    assert (clips["split"] == np.where(takes < 5, "test", "train")).all()
    assert all(path.is_relative_to(place) for path in clips["path"])


def check_unavailable(places, message):
    """Check that the digits are refused in these words, and nothing half done is left."""
    with pytest.raises(data.Unavailable, match=message):
        data.load("fsdd")
    assert [path for place in places for path in place.rglob("*")] == []


def test_given_folder_is_read_unpacked_or_packed(archive, places, monkeypatch, tmp_path):
    given = tmp_path / "given"
    monkeypatch.setenv("COURSE_DATA_DIR", str(given))
    for folder in (given / NAME / NAME, given / NAME):
        shutil.copytree(archive.parent / NAME, folder)
        check_digits(data.load("fsdd"), folder)
        shutil.rmtree(given)
    assert not places[0].exists()
    given.mkdir()
    archive.rename(given / archive.name)
    check_digits(data.load("fsdd"), places[0])
    shutil.rmtree(given)  # once is enough
    check_digits(data.load("fsdd"), places[0])
    assert [path.name for path in places[0].iterdir()] == [NAME]


def test_set_unpacked_by_hand_with_foreign_files_is_used(archive, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("COURSE_DATA_DIR", str(archive.parent))
    recordings = archive.parent / NAME / "recordings"
    for name in ("._0_george_0.wav", ".hidden.wav", ".DS_Store", "notes.txt"):
        (recordings / name).write_bytes(b"no sound")
    (recordings / "x.wav").mkdir()
    foreign = ["0_eve_0 (1).wav", "0_eve_0 copy.wav", "speech.wav", "0_eve_.wav"]
    for name in foreign:
        shutil.copy(recordings / "0_eve_0.wav", recordings / name)
    (recordings / "1_eve_4.wav").write_bytes(b"")
    for name in ("fsdd", "digits"):
        clips = data.load(name)
        assert len(clips) == 15 and set(clips["group"]) == {"adam", "eve"}
        skipped = [sentence.partition(": expected")[0] for sentence in clips.attrs["skipped"]]
        assert sorted(skipped) == sorted(f"recordings/{each}" for each in [*foreign, "1_eve_4.wav"])
    capsys.readouterr()
    for file in recordings.glob("[01]*.wav"):
        file.write_bytes(b"no sound")
    with pytest.raises(
        data.Unavailable, match=f"folder {NAME}: .*found 20 .*, the first: .*wav: expected"
    ):
        data.load("fsdd")


def test_archive_is_downloaded_once(archive, places, server, monkeypatch, capsys):
    known(monkeypatch, url=server(archive.read_bytes()))
    check_digits(data.load("digits"), places[0])
    known(monkeypatch, url="http://127.0.0.1:9/closed.zip")
    check_digits(data.load("digits"), places[0])
    assert [path.name for path in places[0].iterdir()] == [NAME]
    line = "digits: 16 clips, 2 speakers, Free Spoken Digit Dataset, CC BY-SA 4.0\n"
    assert capsys.readouterr().out == 2 * line
    assert data.LOADED["digits"] == f"fsdd:{data.SETS['fsdd'].archive.sha256[:12]}"


def test_folder_that_cannot_be_written_is_passed_over(archive, places, server, monkeypatch):
    known(monkeypatch, url=server(archive.read_bytes()))
    places[1].parent.parent.mkdir()
    for blocked in (places[0], places[1].parent):
        blocked.write_text("a file where a folder should be")
    check_digits(data.load("fsdd"), places[2])


def test_stand_in_says_why_and_shows_no_folder(archive, places, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "secret"))
    clips = data.load("digits")
    assert clips["group"].tolist() == ["anna"] and clips["licence"].tolist() == ["CC BY 4.0"]
    reason, summary = capsys.readouterr().out.splitlines()
    assert "six-voices stand in" in reason and "COURSE_DATA_DIR names: not there" in reason
    assert "secret" not in reason and summary.startswith("digits: 1 clips, 1 speakers, six")
    before = data.LOADED["digits"]
    assert before == data.fingerprint_of("six-voices") and before.startswith("six-voices:")
    soundfile.write(tmp_path / "data" / "six-voices" / "clips" / "a.wav", np.zeros(800), 8_000)
    assert data.fingerprint_of("six-voices") != before
    check_unavailable(places, f"looked for {NAME}.zip in the folder that COURSE_DATA_DIR names")


def zip_of(*names):
    """The bytes of a zip archive with these files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name in names:
            file.writestr(name, "other")
    return packed.getvalue()


@pytest.mark.parametrize(
    "change, answer, message",
    [
        (lambda whole: whole[:1_000], {"promised": 5_000}, "ChunkedEncodingError; download it by"),
        (lambda whole: b"no", {"status": 404}, "status 404; download it by hand"),
        (lambda whole: b"", {"before": lambda: time.sleep(0.5)}, "ReadTimeout; download it"),
        (lambda whole: b"<html>Log in first</html>", {}, "expected a whole archive, found File is"),
        (lambda whole: zip_of(f"{NAME}/recordings/0_eve_0.wav"), {}, "fingerprint.*are not the"),
        (lambda whole: zip_of(f"{NAME}/a", "../evil"), {}, "'../evil', which reaches outside"),
        (lambda whole: zip_of("/tmp/evil-of-the-course"), {}, "evil.*, which reaches outside"),
        (lambda whole: whole[:200] + bytes(400) + whole[600:], {}, "whole archive, found .*: del"),
    ],
)
def test_bad_answer_is_refused(archive, places, server, monkeypatch, change, answer, message):
    monkeypatch.setattr(archives, "TIMEOUT", (1, 0.2))
    known(monkeypatch, url=server(change(archive.read_bytes()), **answer))
    check_unavailable(places, message)
    assert not list(archive.parents[1].rglob("*evil*")) + list(Path("/tmp").glob("evil-of*"))


def test_closed_network_full_disk_and_interruption_leave_nothing(
    archive, places, server, monkeypatch
):
    check_unavailable(places, "looked for .* at http://127.0.0.1:9/closed.zip: ConnectionError;")
    known(monkeypatch, url=server(archive.read_bytes()))
    full = OSError(28, "No space left on device", "/a/secret/place")
    monkeypatch.setattr(zipfile.ZipFile, "extractall", mock.Mock(side_effect=full))
    check_unavailable(places, "expected to unpack it, found No space left on device: make room")
    other = OSError(5, "Input/output error", "/a/secret/place")
    monkeypatch.setattr(zipfile.ZipFile, "extractall", mock.Mock(side_effect=other))
    check_unavailable(places, "found Input/output error: unpack it by hand, see data/README.md")
    monkeypatch.setattr(zipfile.ZipFile, "extractall", mock.Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        data.load("digits")
    assert [path for place in places for path in place.rglob("*")] == []


def test_what_a_killed_process_left_is_removed_and_what_another_holds_is_not(
    archive, places, server
):
    url = server(archive.read_bytes())
    known_here = data.SETS["fsdd"].archive._replace(url=url)
    script = (
        "import time; from pathlib import Path; from course_lib import archives, data;"
        f"data.DATA = Path({str(data.DATA)!r}); archive = data.Archive(*{tuple(known_here)!r});"
        "data.SETS['fsdd'] = data.SETS['fsdd']._replace(archive=archive);"
        "archives._unpack = lambda *_: (print('unpacking', flush=True), time.sleep(60));"
        "data.load('fsdd')"
    )
    root = Path(data.__file__).parent.parent
    process = subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"unpacking\n"
    [beside] = places[0].iterdir()
    archives._remove_leftovers(places)
    assert beside.is_dir()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert beside.is_dir()
    with pytest.raises(data.Unavailable):
        data.load("fsdd")
    assert list(places[0].iterdir()) == []


@pytest.mark.parametrize("name", ["../evil", "inside/link", "inside/device"])
def test_hostile_tar_is_refused(archive, places, monkeypatch, name, tmp_path):
    member = tarfile.TarInfo(name)
    if "link" in name:
        member.type, member.linkname = tarfile.SYMTYPE, "../../evil"
    if "device" in name:
        member.type = tarfile.CHRTYPE
    with tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as file:
        file.addfile(member)
    with pytest.raises(data.Unavailable, match="expected a whole archive, found .*" + name[-4:]):
        archives._unpack(tmp_path / "evil.tar.gz", tmp_path / "files")


def test_large_set_is_downloaded_by_its_own_name_only(places, monkeypatch, capsys):
    archive = data.SETS["gtzan"].archive._replace(url="http://127.0.0.1:9/closed.tar.gz")
    for name in ("gtzan", "music"):
        monkeypatch.setitem(data.SETS, name, data.SETS[name]._replace(archive=archive))
    with pytest.raises(data.Unavailable, match="genres.tar.gz at http.*ConnectionError"):
        data.load("gtzan")
    with pytest.raises(data.Unavailable, match="too large to be downloaded unasked.*load 'gtzan'"):
        data._folder(data.SETS["music"])


def test_two_processes_may_ask_at_once(archive, places, server):
    """Both wait for the other's request before they are answered."""
    barrier = threading.Barrier(2, timeout=60)
    url = server(archive.read_bytes(), before=barrier.wait)
    known_here = data.SETS["fsdd"].archive._replace(url=url)
    script = (
        "from pathlib import Path; from course_lib import data;"
        f"data.DATA = Path({str(data.DATA)!r}); archive = data.Archive(*{tuple(known_here)!r});"
        "data.SETS['fsdd'] = data.SETS['fsdd']._replace(archive=archive);"
        "print(len(data.load('fsdd')))"
    )
    command = [sys.executable, "-c", script]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    root = Path(data.__file__).parent.parent
    for process in [subprocess.Popen(command, cwd=root, **pipes) for _ in range(2)]:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert out.splitlines()[-1] == "16"
    assert [path.name for path in places[0].iterdir()] == [NAME]


# Parts


def test_parts_are_official_and_a_share_of_each_label_and_group(capsys):
    train, validation, test = data.load_parts("spoken-digits", validation=0.125, seed=3)
    clips = data.load("spoken-digits")
    assert len(train) + len(validation) + len(test) == len(clips)
    assert test.index.equals(clips.index[clips["split"] == "test"])
    assert not set(train.index) & set(validation.index)
    assert (validation.groupby(["label", "group"], observed=True).size() == 1).all()
    line = f"{len(train):,} to learn from, {len(validation):,} to watch, {len(test):,} for the test"
    assert line in capsys.readouterr().out
    clip = validation.iloc[7]
    np.testing.assert_allclose(clip["frames"], audio.log_mel(audio.read(clip["path"])), atol=1e-5)
    with pytest.raises(ValueError, match="expected one of .*digits.*, fsdd, .*found 'birds'"):
        data.load_parts("birds")
    with pytest.raises(ValueError, match=r"expected splits train and test, found \['1', '2'"):
        data.load_parts("environmental-sounds")
