"""Spoken commands: Speech Commands by its official lists, from a small archive of the same layout, and the embedded set."""

import functools
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from course_lib import archives, audio, datasets, sets

SET = Path(__file__).resolve().parent.parent / "data" / "spoken-commands"
MAX_BYTES = 5_500_000
UNKNOWN = {"bed", "bird", "cat", "dog", "five", "happy", "house", "seven", "tree", "wow"}
UNSEEN = {"follow", "forward", "learn", "nine", "sheila"}
SPEAKERS = {"2aa787cf": "test", "ffa76c4a": "test"}  # as the official testing_list.txt has them
FILES = {  # of a small Speech Commands: file name → seconds
    "yes/2aa787cf_nohash_0.wav": 1.0,
    "yes/0a0a0a0a_nohash_0.wav": 0.7,
    "bird/0a0a0a0a_nohash_0.wav": 1.0,
    "bird/1b1b1b1b_nohash_3.wav": 1.0,
    "_background_noise_/doing_the_dishes.wav": 2.5,
    "_background_noise_/pink_noise.wav": 3.0,
}
TEXTS = {"testing_list.txt": "yes/2aa787cf_nohash_0.wav\n", "validation_list.txt": "bird/1b1b1b1b_nohash_3.wav\n", "README.md": "about"}


def wav(seconds):
    samples = 0.1 * np.sin(np.arange(round(16_000 * seconds)))
    content = io.BytesIO()
    soundfile.write(content, samples, 16_000, format="WAV")
    return content.getvalue()


CONTENT = {**{name: wav(seconds) for name, seconds in FILES.items()}, **{name: text.encode() for name, text in TEXTS.items()}}


def tar_gz(content, *, extra=()):
    """A tar.gz without a folder around its files, as the original is, and members of other kinds."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        for name, data in content.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
        for member in extra:
            file.addfile(member)
    return packed.getvalue()


def zip_of(content):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, data in content.items():
            file.writestr(name, data)
    return packed.getvalue()


@pytest.fixture
def shelves(tmp_path, monkeypatch):
    """One empty shelf, nothing given, and archives that nobody serves."""
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
    monkeypatch.setattr(sets, "DATA", tmp_path / "data")
    for name in ["SPEECH_COMMANDS", "MINI_SPEECH_COMMANDS"]:
        monkeypatch.setattr(sets, name, getattr(sets, name)._replace(url="http://127.0.0.1:9/closed"))
    return tmp_path / "data" / "downloads"


@pytest.fixture
def serve(shelves, server, monkeypatch):
    """A server that gives an archive, whose SHA-256 is then the expected one: the name of the archive in `sets`, content."""

    def start(name, content):
        given = {"url": server(content), "sha256": hashlib.sha256(content).hexdigest()}
        monkeypatch.setattr(sets, name, getattr(sets, name)._replace(**given))

    return start


def check_small_set(clips):
    assert list(clips.columns) == datasets.COLUMNS and len(clips) == len(FILES)
    assert set(clips["label"]) == {"yes", "unknown", "silence"}
    by_name = clips.set_index(clips["path"].map(lambda path: f"{path.parent.name}/{path.name}"))
    assert by_name["split"].to_dict() == {
        "yes/2aa787cf_nohash_0.wav": "test",
        "yes/0a0a0a0a_nohash_0.wav": "train",
        "bird/0a0a0a0a_nohash_0.wav": "train",
        "bird/1b1b1b1b_nohash_3.wav": "validation",
        "_background_noise_/doing_the_dishes.wav": "test",
        "_background_noise_/pink_noise.wav": "train",
    }
    assert by_name["group"]["yes/2aa787cf_nohash_0.wav"] == "2aa787cf" and by_name["group"]["bird/0a0a0a0a_nohash_0.wav"] == "0a0a0a0a"
    assert by_name["seconds"].to_dict() == FILES


# The real set


def test_speech_commands_is_downloaded_and_unpacked_once(serve, shelves, monkeypatch, capsys):
    serve("SPEECH_COMMANDS", tar_gz(CONTENT))
    check_small_set(datasets.load("speech-commands"))
    monkeypatch.setattr(sets, "SPEECH_COMMANDS", sets.SPEECH_COMMANDS._replace(url="http://127.0.0.1:9/closed"))
    check_small_set(datasets.load("speech-commands"))
    check_small_set(datasets.load("commands"))
    assert [path.name for path in shelves.iterdir()] == ["speech_commands_v0.02"]
    assert "Speech Commands v2, CC BY 4.0" in capsys.readouterr().out


@pytest.mark.parametrize("unpacked", [False, True])
def test_commands_takes_what_is_given(serve, shelves, tmp_path, monkeypatch, unpacked):
    content = tar_gz(CONTENT)
    serve("SPEECH_COMMANDS", content)
    given = tmp_path / "given"
    given.mkdir()
    monkeypatch.setenv("COURSE_DATA_DIR", str(given))
    (given / "speech_commands_v0.02.tar.gz").write_bytes(content)
    if unpacked:
        with tarfile.open(given / "speech_commands_v0.02.tar.gz") as file:
            file.extractall(given / "speech_commands_v0.02", filter="data")
    check_small_set(datasets.load("commands"))
    assert shelves.exists() != unpacked


def test_commands_never_downloads_the_large_archive(serve, monkeypatch, capsys):
    serve("SPEECH_COMMANDS", tar_gz(CONTENT))
    rows = [(SET / "clips" / "yes" / next((SET / "clips" / "yes").iterdir()).name, "yes", "a", "train", "embedded", "CC BY 4.0")]
    stand_in = sets.real_or(functools.partial(sets.speech_commands, url=None), lambda: rows, "synthetic voices")
    monkeypatch.setitem(sets.ROWS, "commands", stand_in)
    assert set(datasets.load("commands")["source"]) == {"embedded"}
    assert "too large to be downloaded unasked" in capsys.readouterr().out


def test_other_archive_is_refused_before_it_is_unpacked(serve, shelves, monkeypatch):
    serve("SPEECH_COMMANDS", tar_gz(CONTENT))
    monkeypatch.setattr(sets, "SPEECH_COMMANDS", sets.SPEECH_COMMANDS._replace(sha256="0" * 64))
    monkeypatch.setattr(archives, "_unpack", None)
    with pytest.raises(archives.Unavailable, match="speech_commands_v0.02.tar.gz: expected the archive with the fingerprint 000000000000…, found"):
        datasets.load("speech-commands")
    assert list(shelves.iterdir()) == []


def member(name, kind=tarfile.REGTYPE, target=""):
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


@pytest.mark.parametrize(
    "evil, words",
    [
        (member("../evil.wav"), "'../evil.wav', which reaches outside"),
        (member("/tmp/evil-of-the-course.wav"), "which reaches outside"),
        (member("yes/evil", tarfile.SYMTYPE, "/etc"), "'yes/evil', which is a link or a device"),
        (member("yes/evil", tarfile.LNKTYPE, "README.md"), "'yes/evil', which is a link or a device"),
        (member("yes/evil", tarfile.CHRTYPE), "'yes/evil', which is a link or a device"),
        (member("yes/evil", tarfile.FIFOTYPE), "'yes/evil', which is a link or a device"),
    ],
)
def test_tar_with_a_member_that_does_not_belong_is_refused(serve, shelves, tmp_path, evil, words):
    serve("SPEECH_COMMANDS", tar_gz(CONTENT, extra=[evil]))
    with pytest.raises(archives.Unavailable, match=f"speech_commands_v0.02.tar.gz: expected files inside their folder, found .*{words}"):
        datasets.load("speech-commands")
    assert list(shelves.iterdir()) == [] and not list(tmp_path.rglob("*evil*")) and not Path("/tmp/evil-of-the-course.wav").exists()


@pytest.mark.parametrize("damage", [lambda content: content[:-2_000], lambda content: b"<html>Log in first</html>"])
def test_damaged_tar_is_refused(serve, shelves, damage):
    serve("SPEECH_COMMANDS", damage(tar_gz({**CONTENT, "noise.bin": np.random.default_rng(0).bytes(50_000)})))
    with pytest.raises(archives.Unavailable, match="expected a tar.gz archive, found a damaged file .*: delete it and fetch it again"):
        datasets.load("speech-commands")
    assert list(shelves.iterdir()) == []


@pytest.mark.parametrize("beside", [{}, {"__MACOSX/._mini_speech_commands": b"0"}])
def test_mini_set_is_split_by_the_official_rule(serve, beside):
    words = {f"mini_speech_commands/{word}/{speaker}_nohash_0.wav": wav(1) for word in ["yes", "no"] for speaker in [*SPEAKERS, "0a0a0a0a"]}
    serve("MINI_SPEECH_COMMANDS", zip_of({**words, "mini_speech_commands/README.md": b"about", "mini_speech_commands/yes/._a_nohash_0.wav": b"0", **beside}))
    clips = datasets.load("mini-speech-commands")
    assert len(clips) == 6 and set(clips["label"]) == {"yes", "no"}
    assert {row.group: row.split for row in clips.itertuples() if row.group in SPEAKERS} == SPEAKERS


def test_official_rule_puts_a_tenth_of_the_speakers_on_each_side():
    splits = pd.Series([sets._official_split(f"{number:08x}") for number in range(4_000)]).value_counts(normalize=True)
    assert splits["test"] == pytest.approx(0.1, abs=0.02) and splits["validation"] == pytest.approx(0.1, abs=0.02)


# The embedded set


@pytest.fixture(scope="module")
def listed():
    return pd.read_csv(SET / "clips.csv", dtype=str, keep_default_na=False)


def test_rows_have_the_columns_and_match_the_files(listed):
    assert list(listed.columns) == ["file", "label", "group", "split", "engine", "voice", "accent", "licence"]
    assert (listed != "").all(axis=None) and listed["file"].is_unique
    assert sorted(listed["file"]) == sorted(path.relative_to(SET / "clips").as_posix() for path in (SET / "clips").rglob("*") if path.is_file())
    assert (listed["file"].str.split("/").str[0] == listed["label"]).all()


def test_every_file_is_mp3_at_8_khz_mono_and_a_word_lasts_a_second_at_most(listed):
    for row in listed.itertuples():
        info = soundfile.info(SET / "clips" / row.file)
        assert (info.format, info.samplerate, info.channels) == ("MP3", 8_000, 1), row.file
        assert info.duration >= 20 if row.label == sets.NOISES else 0.15 <= info.duration <= 1, row.file


def test_levels_are_alike_and_no_two_files_hold_the_same_sound(listed):
    waveforms = {name: audio.read(SET / "clips" / name) for name in listed["file"]}
    peaks = pd.Series({name: np.abs(waveform).max() for name, waveform in waveforms.items()})[(listed["label"] != sets.NOISES).to_numpy()]
    assert peaks.between(0.1, 0.6).all()
    assert pd.Series({name: waveform.tobytes() for name, waveform in waveforms.items()}).is_unique


def test_no_voice_and_no_noise_is_on_both_sides(listed):
    assert (listed.groupby("group")["split"].nunique() == 1).all() and set(listed["split"]) == {"train", "test"}
    noises = listed[listed["label"] == sets.NOISES]
    assert (noises["split"].value_counts() >= 3).all() and len(noises) >= 7


def test_unseen_words_are_in_the_test_alone(listed):
    words = {split: set(part["label"]) - {sets.NOISES} for split, part in listed.groupby("split")}
    assert words == {"train": {*sets.COMMANDS, *UNKNOWN}, "test": {*sets.COMMANDS, *UNKNOWN, *UNSEEN}}


def test_every_voice_says_every_word_of_its_side(listed):
    for split, words in {"train": {*sets.COMMANDS, *UNKNOWN}, "test": {*sets.COMMANDS, *UNKNOWN, *UNSEEN}}.items():
        part = listed[(listed["split"] == split) & (listed["label"] != sets.NOISES)]
        takes = part.groupby(["group", "label"]).size().unstack(fill_value=0)
        assert set(takes.columns) == words and takes.to_numpy().min() >= 3 and (takes[list(sets.COMMANDS)] >= 5).all(axis=None)


def test_loader_gives_twelve_classes():
    clips = datasets.load("spoken-commands")
    assert set(clips["label"]) == {*sets.COMMANDS, "unknown", "silence"}
    assert set(clips[clips["label"] == "unknown"]["path"].map(lambda path: path.parent.name)) == UNKNOWN | UNSEEN
    assert clips.attrs["skipped"] == []


def test_set_is_small_and_its_card_names_every_engine(listed):
    assert sum(path.stat().st_size for path in SET.rglob("*") if path.is_file()) <= MAX_BYTES
    card = (SET / "README.md").read_text(encoding="utf-8").lower()
    assert [engine for engine in listed["engine"].unique() if engine not in ("none",) and not set(engine.split("+")) <= set(card.replace(",", " ").split())] == []
    assert (SET / "LICENSE").stat().st_size > 0
