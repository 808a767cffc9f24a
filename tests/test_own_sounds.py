"""Lesson 16 on folders that nobody prepared: it ends with a file that runs and a card that tells the truth, or with a clear sentence."""

import itertools
import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
import soundfile

from course_lib import audio, streaming, training
from notebooks import build

SOURCE = build.SOURCES / "16_your_own_sounds.py"


@pytest.fixture
def folder(tmp_path):
    """A folder to fill: its method-like `add` writes a sound of a class, a tone for "ton*" and noise for all else."""
    random = np.random.default_rng(0)

    def add(name, seconds, *, rate=16_000, channels=1, level=0.1):
        path = tmp_path / "meine Töne" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        time = np.arange(round(seconds * rate)) / rate
        tone = np.sin(2 * np.pi * random.uniform(300, 600) * time) if "ton" in name.split("/")[0] else random.normal(size=len(time)) / 3
        soundfile.write(path, level * random.uniform(0.5, 1) * np.stack([tone] * channels, axis=1), rate)
        return path

    add.root = tmp_path / "meine Töne"
    return add


@pytest.fixture
def lesson(monkeypatch, tmp_path, capsys):
    """Run the lesson on a folder, its products in a folder of the test's: → its names, and what it printed."""

    def run(folder, group=None):
        monkeypatch.chdir(build.NOTEBOOKS)
        monkeypatch.setenv("COURSE_SOUNDS_DIR", str(folder))
        monkeypatch.setenv("COURSE_SOUNDS_GROUP", group or "")
        monkeypatch.setattr("course_lib.evaluation.Results.__init__.__defaults__", (tmp_path / "results.csv",))
        monkeypatch.setattr(training, "compiles", lambda model: False)  # to compile a model takes longer than so few clips
        source = SOURCE.read_text(encoding="utf-8").replace("import setup_course\n", "")
        place = 'Path(models.__file__).parents[1] / "build"'
        assert source.count(place) == 1
        names = {"__name__": "__main__"}
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            exec(compile(source.replace(place, f"Path({str(tmp_path / 'build')!r})"), SOURCE.name, "exec"), names)
        return names, capsys.readouterr().out

    yield run
    plt.close("all")


def check_products(names, printed, folder):
    """The exported file runs and answers as the model does; the card holds the accuracy that was printed, and every warning."""
    products = names["BUILD"] / "models" / folder.name
    classes = (products / "classes.txt").read_text(encoding="utf-8").split("\n")[:-1]
    assert classes == sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name in classes)
    card = (products / "README.md").read_text(encoding="utf-8")
    accuracy = str(names["scores"][names["chosen"]])
    assert f"**{accuracy}**" in card and accuracy in printed.replace("\n", " ")
    assert names["scores"][names["chosen"]].accuracy == np.mean(names["answer"] == names["truth"])
    assert str(names["file_score"]) in card and names["file_score"] == names["scores"][names["chosen"]]  # 400 test clips or fewer: all
    assert all(f"- {fault}" in card and f"- {fault}" in " ".join(printed.split()) for fault in names["faults"])
    assert all(re.search(rf"^\| {re.escape(name.replace('|', '/'))} \|", card, flags=re.MULTILINE) for name in set(names["test"].label))
    stream = streaming.Stream(products / "model.tflite", **names["LISTEN"])
    last = stream.push(np.random.default_rng(0).normal(size=names["RATE"]).astype(np.float32) / 10)[-1]
    assert last.shape == (len(classes),) and last.sum() == pytest.approx(1, abs=1e-5)
    return card


def check_sides(names):
    """No group is on two sides; each class is learned."""
    sides = [names[side] for side in ("train", "validation", "test")]
    assert sum(map(len, sides)) == len(names["clips"])
    for one, other in itertools.combinations(sides, 2):
        assert not set(one.index) & set(other.index) and not set(one.group) & set(other.group)
    assert set(names["train"].label) == set(names["names"])


def test_folder_with_everything_in_it(folder, lesson):
    """Mixed rates, channels and lengths, nested folders, odd names; a broken, an empty and a silent file; a copy; a class of two clips."""
    for number in range(8):
        folder(f"tone/deep/er/{number}.wav", 0.4, rate=[8_000, 11_025, 44_100, 48_000][number % 4], channels=1 + number % 2)
        folder(f"Rauschen ß | γ/two words {number}.WAV", 0.4, rate=22_050)
    folder("tone/tiny.wav", 0.05), folder("Rauschen ß | γ/tiny.flac", 0.05), folder("tone/long.flac", 26.0)
    folder("tone/less than a frame.wav", 0.01)
    folder("two only/a.wav", 0.4, level=0.9), folder("two only/b.wav", 0.4, level=0.9)
    folder("tone/silent.wav", 0.5, level=0)
    (folder.root / "tone" / "copy.wav").write_bytes((folder.root / "tone" / "deep" / "er" / "0.wav").read_bytes())
    (folder.root / "tone" / "broken.wav").write_text("no sound")
    (folder.root / "tone" / "empty.wav").write_bytes(b"")
    (folder.root / "nothing in it").mkdir()
    names, printed = lesson(folder.root)
    card = check_products(names, printed, folder.root)
    check_sides(names)
    assert "test and the rest are parted by file (no groups known)" in printed and "by group" not in card
    assert "Test and the rest parted by file (no groups known)" in card and "- any other speaker, player or place" in card
    assert "not in the test: none; not in validation: two only" in printed and "validation has no clip of them" in card
    assert names["names"] == ["Rauschen ß | γ", "tone", "two only"] and names["RATE"] == 8_000
    assert "Rauschen ß / γ" not in card.split("## Accuracy")[0] and "skipped tone/broken.wav" in printed and "skipped tone/empty.wav" in printed
    assert "2 left out: copies 1, under two labels 0, without a sound 1" in printed
    assert {"a.wav", "b.wav"} == {path.name for side in ("train", "test") for path in names[side].path if path.parent.name == "two only"}
    for sentence in ["'two only' 2", "Unequal lengths: from 0.01 to 26.0 s", "sample rates", "2 files are skipped", "almost silent", "in two groups or more"]:
        assert sentence in card, sentence
    assert max(batch.shape[0] for batch in names["cut"](names["clips"]).frames) == names["SEGMENT"]
    assert names["cut"](names["clips"], most=4).whole.value_counts().max() == 4 < names["cut"](names["clips"]).whole.value_counts().max() == 9


def test_two_classes_of_four_clips_and_one_that_cannot_be_tested(folder, lesson):
    """Four groups each, and a class of one group, which is learned only."""
    for number, group in enumerate("abcd"):
        folder(f"tone/{group}_1.wav", 0.3, rate=44_100), folder(f"noise/{group * 2}_1.wav", 0.3, rate=44_100)
        folder(f"hum/z_{number}.wav", 0.3, rate=44_100)
    names, printed = lesson(folder.root, r"^(.+)_")
    card = check_products(names, printed, folder.root)
    check_sides(names)
    assert all(set(names[side].label) == {"tone", "noise"} for side in ("validation", "test"))
    assert "the classes hum, of which the test has no clip" in card and "1 class is of one group only ('hum')" in card
    assert names["RATE"] == 16_000 and "parted by clip" not in printed
    assert "test and the rest are parted by group\n" in printed and "no groups known" not in card
    assert names["usual"] in {"tone", "noise"}, "the largest class of all, hum, is one that the test never asks for"
    assert names["TIMES"] * names["updates"] >= 160


def test_one_speaker_only(folder, lesson):
    """It goes on, with a warning that the card repeats; and the file alone tells tones from noise that were never in the folder."""
    for number in range(8):
        folder(f"tone/me_{number}.wav", 0.3), folder(f"noise/me_{number}.wav", 0.3)
    names, printed = lesson(folder.root, r"^(.+)_")
    card = check_products(names, printed, folder.root)
    assert printed.count("FEWER THAN TWO CLASSES HAVE TWO GROUPS") == 2 and "not touched by it" not in printed and "All 16 clips are of one group, 'me'" in card
    assert "any other group: the groups of the test were learned from" in card and "Test and the rest parted by clip" in card
    assert not set(names["test"].index) & set(names["train"].index)
    right = []
    for label in ["tone", "noise"] * 5:
        stream = streaming.Stream(names["exported"].path, **names["LISTEN"])
        sound = audio.read(folder(f"{label}/new.wav", 0.3), sample_rate=names["RATE"])
        right.append(names["names"][stream.push(sound)[-1].argmax()] == label)
    assert sum(right) >= 9


def test_one_class_that_can_be_tested(folder, lesson):
    """Groups in one class only: the clips are dealt, since by group the test would ask for that class alone."""
    for number, group in enumerate("abcd"):
        folder(f"tone/{group}_1.wav", 0.3), folder(f"tone/{group}_2.wav", 0.3), folder(f"noise/z_{number}.wav", 0.3)
    names, printed = lesson(folder.root, r"^(.+)_")
    assert names["tested_by"] == names["chosen_by"] == "by clip" and "test and the rest are parted by clip: FEWER THAN TWO" in printed
    assert all(set(names[side].label) == {"tone", "noise"} for side in ("train", "validation", "test"))


@pytest.mark.parametrize(
    "files, message",
    [
        (["tone/1", "tone/2", "tone/3", "tone/4"], "expected two classes with 3 clips or more .*, found: tone 4"),
        (["tone/1", "tone/2", "tone/3", "noise/1", "noise/2"], "found: tone 3, noise 2"),
        (["1", "2"], "2 sound files outside any class folder"),
    ],
)
def test_folder_that_cannot_be_learned_from(folder, lesson, files, message):
    for name in files:
        folder(f"{name}.wav", 0.3)
    with pytest.raises(ValueError, match=message):
        lesson(folder.root)


def test_folder_that_is_not_there(lesson, tmp_path):
    with pytest.raises(ValueError, match="nowhere: expected a folder for each class .* found no such folder"):
        lesson(tmp_path / "nowhere")
