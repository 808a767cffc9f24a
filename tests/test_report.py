"""The report's warnings: each is there when its defect is, with its number, and else not."""

import numpy as np
import pandas as pd
import pytest

from course_lib import data
from course_lib.extra import report
from course_lib.extra.report import FEW, SHOWN, single_feature_accuracy

GOOD = {"sample_rate": 16_000, "peak": -6.0, "silence": 0.1, "clipped": False, "duplicate": False}


def table(n=FEW, *, labels=("cat", "dog"), seed=0):
    """Measures of a folder without a defect: n clips of each class, by the same five speakers."""
    random = np.random.default_rng(seed)
    label = np.repeat(labels, n)
    clips = pd.DataFrame({"label": pd.Categorical(label)})
    clips["path"] = [f"{name}/{number}.wav" for number, name in enumerate(label)]
    clips["group"] = [f"speaker {number % 5}" for number in range(len(clips))]
    clips["seconds"] = random.uniform(1, 2, len(clips))
    clips["level"] = random.uniform(-25, -20, len(clips))
    return clips.assign(content=[str(number) for number in range(len(clips))], **GOOD)


def only_warning(clips):
    [sentence] = report.warnings(clips)
    return sentence


def test_nothing_is_wrong():
    clips = table()
    clips["label"] = clips["label"].cat.add_categories("owl")  # a class without clips is no class
    assert report.warnings(clips) == []


def test_number_of_classes_and_of_their_clips():
    assert "one class only, 'cat'" in only_warning(table(labels=["cat"]))
    assert f"2 of 2 classes ('cat' {FEW - 1}, 'dog' {FEW - 1})" in only_warning(table(FEW - 1))
    parts = [table(3 * FEW, labels=["cat"]), table(FEW, labels=["dog"])]
    unbalanced = pd.concat(parts, ignore_index=True).assign(content=range(4 * FEW))
    assert f"'cat' has {3 * FEW} clips, 'dog' {FEW}" in only_warning(unbalanced)
    assert report.warnings(unbalanced.iloc[1:]) == []


def test_groups():
    clips = table()
    assert f"All {2 * FEW} clips are of one group, 'me'" in only_warning(clips.assign(group="me"))
    alone = clips.assign(group=clips["path"])
    assert f"Each of the {2 * FEW} clips is its own group" in only_warning(alone)
    is_dog = clips["label"] == "dog"
    clips.loc[is_dog, "group"] = "adam"
    assert "1 class is of one group only ('dog')" in only_warning(clips)
    clips.loc[~is_dog, "group"] = "eve"
    assert "2 classes are of one group only ('cat', 'dog')" in only_warning(clips)


@pytest.mark.parametrize("other, where", [(FEW, "two labels"), (1, "two groups"), (5, "one group")])
def test_copies_are_named_with_what_they_do(other, where):
    clips = table()
    clips.loc[other, "content"] = clips.loc[0, "content"]
    sentence = only_warning(clips)
    assert sentence.startswith("1 recording is there more than once") and where in sentence
    assert f"cat/0.wav, {clips.path[other]}" in sentence


@pytest.mark.parametrize("column, moved", [("level", -10), ("seconds", 2)])
def test_feature_that_predicts_the_class(column, moved):
    clips = table()
    clips.loc[clips["label"] == "dog", column] += moved
    sentence = only_warning(clips)
    assert "predicts the class in 100% of clips (chance 50%)" in sentence
    assert "('cat')" in sentence and "('dog')" in sentence
    shuffled = clips.assign(**{column: np.random.default_rng(0).permutation(clips[column])})
    assert report.warnings(shuffled) == []


def test_sample_rates_and_lengths():
    clips = table()
    assert "26.0 s" in only_warning(clips.assign(seconds=np.where(clips.index == 3, 26.0, 1.5)))
    clips.loc[::2, "sample_rate"] = 44_100
    mixed = only_warning(clips)
    assert f"2 sample rates ({FEW} at 16,000 Hz, {FEW} at 44,100 Hz)" in mixed
    clips["sample_rate"] = np.where(clips["label"] == "dog", 8_000, 16_000)
    leaky, mixed = report.warnings(clips)
    assert leaky.startswith("Sample rate alone predicts") and "2 sample rates" in mixed


@pytest.mark.parametrize(
    "column, value", [("peak", -51.0), ("silence", 0.81), ("clipped", True), ("seconds", 0.09)]
)
def test_clips_with_a_defect_are_counted_and_named(column, value):
    clips = table().assign(seconds=0.5)
    clips.loc[7, column] = value
    sentence = only_warning(clips)
    assert sentence.startswith("1 clip is ") and ": cat/7.wav: " in sentence
    clips.loc[: SHOWN + 1, column] = value
    first = report.warnings(clips)[-1]
    assert first.startswith(f"{SHOWN + 3} clips are ") and "and 3 more: " in first


def test_few_clips_of_a_low_rate_may_be_left_out_and_long_ones_are_named():
    clips = table(3 * FEW)
    clips["sample_rate"] = np.where(clips.index % 30 == 0, 8_000, 44_100)
    assert "bring all clips to 8,000 Hz, or leave 4 out." in only_warning(clips)
    clips = table().assign(seconds=61.0)
    sentence = only_warning(clips)
    assert f"{2 * FEW} clips are longer than 60 s, and counted as one: " in sentence
    assert "cut into segments" in sentence


@pytest.mark.parametrize("other", ["Dog", " dog ", "DOG", "d o-g", "\uff44og"])
def test_classes_that_differ_by_case_or_spaces_are_named(other):
    clips = table(labels=["cat", "dog", other])
    sentence = only_warning(clips)
    assert f"{other!r}" in sentence and "differ by case or spaces only" in sentence
    assert report.warnings(table(labels=["cat", "dog", "dogs"])) == []


def test_classes_that_are_named_like_parts_of_a_set():
    sentence = only_warning(table(labels=["cat", "test", "Train"]))
    assert "'Train', 'test' are named like the parts of a set" in sentence
    assert report.warnings(table(labels=["bus", "train"])) == []


def test_skipped_files():
    clips = table()
    clips.attrs["skipped"] = ["dog/a.wav: expected audio", "dog/b.wav: another"]
    sentence = only_warning(clips)
    assert (
        "2 files are skipped; fix or delete: dog/a.wav: expected audio; dog/b.wav: an" in sentence
    )


@pytest.mark.parametrize("seed", range(5))
def test_random_numbers_predict_nothing(seed):
    labels = np.repeat(list("abcdefghij"), 30)
    values = np.random.default_rng(seed).normal(size=300)
    share, chance, spread = single_feature_accuracy(values, labels)
    assert chance == 0.1 and spread == pytest.approx(np.sqrt(0.09 / 300))
    assert abs(share - chance) < 4 * spread


def test_single_feature_accuracy_of_few_clips():
    assert single_feature_accuracy([1, 1, 1, 1], list("aabb"))[0] == 0.5, "a tie is a guess"
    assert single_feature_accuracy([1, 1, 9, 9], list("aabb"))[0] == 1
    assert single_feature_accuracy([1, 9, 1, 9], list("aabb"))[0] <= 0.5
    assert single_feature_accuracy([1, 2, 3], list("abb"))[:2] == (1, 1), "class a does not count"
    assert single_feature_accuracy([1, 2], list("ab"))[:2] == (1, 1)


def test_clips_are_measured_if_they_were_not(sound, tone):
    paths = [sound(f"{name}.wav", tone(hertz=300 + ord(name) % 2)) for name in "abcd"]
    clips = pd.DataFrame({"path": paths, "label": list("aabb"), "group": list("wxyz")})
    clips = clips.assign(seconds=0.5, sample_rate=8_000)
    assert report.warnings(clips) == report.warnings(clips.join(data.measure(clips)))
    assert any("2 recordings are there more than once" in line for line in report.warnings(clips))
