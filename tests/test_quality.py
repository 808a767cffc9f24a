"""Warnings: each is there when its fault is, with its number, and gone when the fault is."""

import re

import numpy as np
import pandas as pd
import pytest

from course_lib.quality import FEW, NAMED, measure, report, told_by, warnings

GOOD = {"sample_rate": 16_000, "peak": -6.0, "silence": 0.1, "clipped": False, "duplicate": False}


def table(n=FEW, *, labels=("cat", "dog"), groups=5, seed=0):
    """Measures of a folder without a fault: n clips of each class, by the same speakers."""
    random = np.random.default_rng(seed)
    label = np.repeat(labels, n)
    clips = pd.DataFrame({"path": [f"{name}/{number}.wav" for number, name in enumerate(label)], "label": pd.Categorical(label)})
    clips["group"] = [f"speaker {number % groups}" for number in range(len(clips))]
    clips["seconds"], clips["level"] = random.uniform(1, 2, len(clips)), random.uniform(-25, -20, len(clips))
    return clips.assign(content=[f"{number}" for number in range(len(clips))], **GOOD)


def only(clips, *words):
    """The one sentence that a faulty table is given, after a look that it holds these words."""
    [sentence] = warnings(clips)
    for word in words:
        assert word in sentence, sentence
    return sentence


def test_nothing_is_wrong():
    assert warnings(table()) == []


def test_classes():
    only(table(labels=["cat"]), "one class only, 'cat'", "needs two")
    few = table(FEW - 1)
    only(few, f"Too few clips in 2 of 2 classes ('cat' {FEW - 1}, 'dog' {FEW - 1})", f"{FEW} or more")
    assert warnings(pd.concat([few, table(3, labels=["owl"])], ignore_index=True).assign(content=range(2 * FEW + 1)))[0].count("'") == 6
    unbalanced = pd.concat([table(3 * FEW, labels=["cat"]), table(FEW, labels=["dog"])], ignore_index=True)
    only(unbalanced.assign(content=range(len(unbalanced))), f"'cat' has {3 * FEW} clips, 'dog' {FEW}", "right in 75%")
    assert warnings(unbalanced.iloc[1:].assign(content=range(len(unbalanced) - 1))) == []


def test_class_without_clips_is_no_class():
    clips = table()
    clips["label"] = clips["label"].cat.add_categories("owl")
    assert warnings(clips) == []


def test_groups():
    only(table().assign(group="me"), f"All {2 * FEW} clips are of one group, 'me'")
    own = table()
    only(own.assign(group=own["path"]), f"Each of the {2 * FEW} clips is its own group")
    alone = table()
    alone.loc[alone["label"] == "dog", "group"] = "adam"
    only(alone, "1 class is of one group only ('dog')")
    alone.loc[alone["label"] == "cat", "group"] = "eve"
    only(alone, "2 classes are of one group only ('cat', 'dog')")


@pytest.mark.parametrize(
    "first, second, words",
    [
        (0, FEW, "1 recording is there more than once under two labels or more: cat/0.wav, dog/20.wav"),
        (0, 1, "1 recording is there more than once in two groups or more, a leak if the split parts them: cat/0.wav, cat/1.wav"),
        (0, 5, "1 recording is there more than once in one group, and so counted twice: cat/0.wav, cat/5.wav"),
    ],
)
def test_copies_are_named_with_what_they_do(first, second, words):
    clips = table()
    clips.loc[second, "content"] = clips.loc[first, "content"]
    only(clips, words)


@pytest.mark.parametrize("column, moved, words", [("level", -10, "Level (dB) betrays the class"), ("seconds", 2, "Length (s) betrays the class")])
def test_what_betrays_the_class(column, moved, words):
    clips = table()
    clips.loc[clips["label"] == "dog", column] += moved
    only(clips, words, "right in 100%, by luck 50%", "('cat')", "('dog')")
    shuffled = clips.assign(**{column: np.random.default_rng(0).permutation(clips[column])})
    assert warnings(shuffled) == []


def test_rates():
    clips = table()
    clips.loc[::2, "sample_rate"] = 44_100
    only(clips, f"2 sample rates ({FEW} at 16,000 Hz, {FEW} at 44,100 Hz)", "above 8 kHz")
    clips["sample_rate"] = np.where(clips["label"] == "dog", 8_000, 16_000)
    betrayed, rates = warnings(clips)
    assert "sample rate (Hz) betrays the class: alone it is right in 100%" in betrayed and "2 sample rates" in rates


def test_lengths():
    clips = table()
    clips.loc[3, "seconds"] = 26.0
    only(clips, "Unequal lengths", "to 26.0 s", f"{26 / clips['seconds'].min():.0f} times")


@pytest.mark.parametrize(
    "fault, words",
    [
        ({"peak": -51.0}, "almost silent (peak below -50 dB)"),
        ({"silence": 0.81}, "silent for over 80% of the time"),
        ({"clipped": True}, "clipped (3 samples"),
    ],
)
def test_single_clips_are_counted_and_named(fault, words):
    clips = table()
    for name, value in fault.items():
        clips.loc[7, name] = value
    only(clips, f"1 clip is {words}", ": cat/7.wav: ")
    for name, value in fault.items():
        clips.loc[: NAMED + 1, name] = value
    only(clips, f"{NAMED + 2 + (NAMED + 1 < 7)} clips are", " and ", " more: ")


def test_short_and_skipped():
    clips = table()
    clips["seconds"] *= 0.09
    sentence = only(clips, "shorter than 0.1 s", ": ")
    assert int(re.match(r"\d+", sentence)[0]) == (clips["seconds"] < 0.1).sum()
    clips = table()
    clips.attrs["skipped"] = ["dog/a.wav: expected audio, found an empty file", "dog/b.wav: another"]
    only(clips, "2 files are skipped, the first since dog/a.wav: expected audio, found an empty file")


@pytest.mark.parametrize("seed", range(5))
def test_numbers_of_chance_betray_nothing(seed):
    random = np.random.default_rng(seed)
    labels = np.repeat(list("abcdefghij"), 30)
    share, luck, spread = told_by(random.normal(size=300), labels)
    assert luck == 0.1 and spread == pytest.approx(np.sqrt(0.09 / 300))
    assert abs(share - luck) < 4 * spread


def test_told_by_edges():
    assert told_by([1, 1, 1, 1], list("aabb"))[:2] == (0.5, 0.5), "a tie is a guess"
    assert told_by([1, 1, 9, 9], list("aabb"))[0] == 1
    assert told_by([1, 9, 1, 9], list("aabb"))[0] <= 0.5
    assert told_by([1, 2, 3], list("abb"))[0] == told_by([1, 2, 3], list("abb"))[1] == 1, "a class of one clip has no other clips"
    assert told_by([1, 2], list("ab"))[:2] == (1, 1)


def test_measured_once_is_enough(sound, tone):
    paths = [sound(f"{label}/{number}.wav", tone(hertz=300 + number)) for label in "ab" for number in range(2)]
    listed = pd.DataFrame({"path": paths, "seconds": 0.5, "sample_rate": 8_000, "group": list("wxyz")}).assign(label=pd.Categorical(list("aabb")))
    joined = listed.join(measure(listed))
    assert report(joined).equals(report(listed)) and warnings(joined) == warnings(listed)
    assert [line.split(":")[0] for line in warnings(listed)] == [
        "Too few clips in 2 of 2 classes ('a' 2, 'b' 2)",
        "Each of the 4 clips is its own group",
        "2 recordings are there more than once under two labels or more",
    ]
