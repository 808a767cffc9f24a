"""The closing page: nine claims, each number of which a lesson prints or a benchmark holds, and a reading list that claims nothing unread."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "CLAIMS.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if re.match(r"\| \*\*(For|Against|Use):", line)]
LINK = re.compile(r"\]\(([^)\s]+)\)")
GAP = re.compile(r"\{\{.*?\}\}")
NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?(?![\w]*\.?\d)")
GIVEN = [
    "https://www.kaggle.com/c/tensorflow-speech-recognition-challenge",
    "https://medium.com/x8-the-ai-community/practical-deep-learning-for-audio-classification-862d3c2f04bc",
    "https://towardsdatascience.com/audio-classification-using-lstm-and-rnn-ed50d00a3887",
    "https://github.com/justinsalamon/scaper",
    "https://github.com/justinsalamon/UrbanSound",
]

each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: re.sub(r"\W+", "_", row[0]).strip("_"))


def numbers(text):
    return set(NUMBER.findall(text))


def printed(path):
    """What a notebook prints, or what a file of a benchmark says."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    outputs = [output for cell in nbformat.read(path, as_version=4).cells for output in cell.get("outputs", [])]
    return "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)


@pytest.mark.parametrize(
    "text, found",
    [
        ("0.937 (0.907 to 0.967), 81% of 2,700 clips", {"0.937", "0.907", "0.967", "81", "2,700"}),
        ("a loss of 7e-12, then 1e-06.", {"7e-12", "1e-06"}),
        ("100 ms, LSTM(64), [32, 40] and gru2", {"100", "64", "32", "40"}),
    ],
)
def test_numbers_are_read_whole(text, found):
    assert numbers(text) == found


def test_a_number_that_no_lesson_prints_is_found_out():
    assert numbers("accuracy 0.93") - numbers("accuracy 0.937") == {"0.93"}


def test_there_are_nine_claims():
    assert [row[0].split(":")[0].strip("*") for row in ROWS] == ["For"] * 3 + ["Against"] * 3 + ["Use"] * 3
    assert {len(row) for row in ROWS} == {5}


def test_nothing_is_left_to_fill_in():
    assert GAP.findall(TEXT) == []


@each_row
def test_every_number_stands_where_the_row_links_to(row):
    claim, lessons, _, found, _ = row
    sources = [ROOT / link for link in LINK.findall(GAP.sub("", lessons))]
    assert sources and all(lesson.is_file() for lesson in sources), f"{claim}: expected links to lessons that are built, found {lessons}"
    missing = numbers(GAP.sub("", found)) - numbers("\n".join(map(printed, sources)))
    assert not missing, f"{claim}: {', '.join(sorted(missing))} stands in CLAIMS.md, but not in what {', '.join(path.name for path in sources)} prints"


@each_row
def test_every_row_says_how_sure_it_is_and_what_follows(row):
    claim, _, _, found, verdict = row
    found = GAP.sub("", found)
    assert numbers(found), f"{claim}: expected a number"
    assert re.search(r"seed|interval|median|folds|speakers", found), f"{claim}: expected seeds, an interval or the parts it was found on"
    assert re.match(r"\*\*(Holds|Too strong|Not on this data)", verdict), f"{claim}: expected a verdict, found {verdict}"


@pytest.mark.parametrize("link", GIVEN)
def test_reading_list_gives_the_links_and_says_whether_they_were_opened(link):
    [line] = [line for line in TEXT.splitlines() if f"({link})" in line]
    assert re.search(r"not opened|opened on \d{4}-\d{2}-\d{2}", line), f"{line}: expected when it was opened, or that it was not"


def test_links_reach_their_files():
    links = [link for link in LINK.findall(GAP.sub("", TEXT)) if not link.startswith("https://")]
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_works_are_named_in_the_lessons():
    """A work stands in the list only if a lesson or the package names its first author and year."""
    places = [*(ROOT / "notebooks" / "src").glob("*.py"), *(ROOT / "course_lib").glob("*.py"), *(ROOT / "data").glob("*/README.md")]
    named = "\n".join(path.read_text(encoding="utf-8") for path in places)
    works = re.findall(r"^- (?:[A-Z]\. )+([\w']+).*?\b((?:19|20)\d{2})\b", TEXT.split("## What the lessons rest on")[1], flags=re.MULTILINE)
    assert len(works) > 25
    assert [work for work in works if not re.search(rf"{work[0]}\b[^\n]*(\n[^\n]*)?{work[1]}", named)] == []
