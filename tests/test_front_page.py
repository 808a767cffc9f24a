"""The front page: pictures that the lessons drew, results that they print, commands that exist; and what benchmarks/README.md quotes."""

import re
from pathlib import Path

import nbformat
import pytest

from notebooks import build, minutes, pictures

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.split("## What the course found")[1].split("\n## ")[0].splitlines() if line.startswith("| ")][2:]
NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?(?![\w]*\.?\d)")
NAMED = re.compile(rf"\b(RNN|LSTM|GRU|CRNN|average|raw|log-mel|chance) ({NUMBER.pattern})")  # whose number it is
COUNTS = "none one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen".split()
SHARES = {"5e-01": "a half", "3e-01": "a third", "2e-01": "a fifth", "1e-01": "a tenth", "1e-02": "a hundredth", "1e-03": "a thousandth"}


def printed(link):
    """What a notebook prints and shows as text."""
    cells = nbformat.read(ROOT / link, as_version=4).cells
    outputs = [output.get("text") or output.get("data", {}).get("text/plain", "") for cell in cells for output in cell.get("outputs", [])]
    return "\n".join(outputs)


def numbers(text):
    return set(NUMBER.findall(text))


def missing(found, text):
    """What a result claims that a text does not say: numbers that stand nowhere, and numbers with a name whose line has another."""
    lost = sorted(numbers(found) - numbers(text))
    return lost + [f"{name} {number}" for name, number in NAMED.findall(found) if not any(number in numbers(line) and re.search(rf"\b{name}\b", line, re.IGNORECASE) for line in said(text))]


def said(text):
    """The lines of a text; of a Markdown table each cell, with its column's name before it."""
    names = None
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")] if line.startswith("|") else None
        if cells and names:
            yield from (f"{name}: {cell}" for name, cell in zip(names, cells))
        elif not cells:
            yield line
        names = (names or cells) if cells else None


def claims(lesson, gradient, detector):
    """What the front page may say around its pictures.

    Args: lesson: the minutes of the first lesson; gradient, detector: the sentences of two pictures.
    """
    rnn, lstm = re.search(r"first frame to last, RNN (\S+), LSTM (\S+)\.$", gradient).groups()
    digits, detected = (list(each.split(", ")) for each in re.search(r"said: (.+); detected: (.*)\.$", detector).groups())
    found = sum(min(digits.count(digit), detected.count(digit)) for digit in set(digits))
    millions = float(f"{1e-6 / float(rnn):.0e}")
    return [f"{COUNTS[lesson].capitalize()} minutes later", f"{millions:.0f} million times less than the last", f"(orange) it counts {SHARES[lstm]}.", f"It finds {COUNTS[found]} of {COUNTS[len(digits)]},"]


def test_reader_hears_and_sees_before_anything_else():
    places = [TEXT.index(part) for part in ["hear a voice", "](notebooks/pictures/", "| lesson | the question", "make lab", "## What the course found"]]
    assert places == sorted(places)


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_picture_is_the_lessons_own_with_its_words(name):
    drawn, words = pictures.drawn(name)
    assert (pictures.FOLDER / name).read_bytes() == drawn, "run: make build"
    assert f"![{words}](notebooks/pictures/{name})" in TEXT, f"the README describes {name} in other words than its lesson"


def test_there_are_three_pictures_and_no_others():
    assert sorted(re.findall(r"\]\(notebooks/pictures/([^)]+)\)", TEXT)) == sorted(pictures.PICTURES)


@pytest.mark.parametrize("row", RESULTS, ids=lambda row: re.sub(r"\W+", "_", row[0]).strip("_"))
def test_every_result_is_printed_by_its_lesson(row):
    _, found, lesson = row
    [link] = re.findall(r"\]\(([^)]+)\)", lesson)
    assert numbers(found), "expected a number"
    lost = missing(found, printed(link))
    assert not lost, f"{', '.join(lost)} is not printed by {link}"


@pytest.mark.parametrize(
    "found, lost",
    [
        ("accuracy 0.93 of 2,700 clips", ["0.93", "2,700"]),
        ("RNN 0.498, LSTM 0.864", []),
        ("RNN 0.864, LSTM 0.498", ["RNN 0.864", "LSTM 0.498"]),
        ("an average 0.668, a GRU 0.650", []),
        ("an average 0.650, a GRU 0.668", ["average 0.650", "GRU 0.668"]),
    ],
)
def test_a_result_that_no_lesson_prints_is_found_out(found, lost):
    assert missing(found, "    rnn: test 0.498\n   lstm: test 0.864, 0.937\n\n| fold | average | gru |\n|---|---|---|\n| 1 | 0.668 (0.6) | 0.650 |") == lost


def test_words_around_the_pictures_say_what_the_pictures_say():
    opening = " ".join(TEXT.split("\n## ")[0].split())
    wanted = claims(minutes.stated(build.sources()[0])[0], pictures.drawn("gradient.png")[1], pictures.drawn("detector.png")[1])
    assert [claim for claim in wanted if claim not in opening] == [], "the README says something else"


def test_words_follow_from_the_pictures():
    assert claims(2, "To see: first frame to last, RNN 2e-07, LSTM 5e-01.", "To see: said: 4, 1, 3, 3; detected: 3, 4, 4.") == [
        "Two minutes later",
        "5 million times less than the last",
        "(orange) it counts a half.",
        "It finds two of four,",
    ]


def test_commands_exist():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    texts = [TEXT, *((ROOT / name).read_text(encoding="utf-8") for name in ["TEACHING.md", "CONTRIBUTING.md", "FAQ.md"] if (ROOT / name).exists())]
    asked = {name for text in texts for name in re.findall(r"(?:`|^    )make (?:[A-Z]+=\S+ )?([a-z][\w-]*)", text, flags=re.MULTILINE)}
    assert asked and asked <= targets, f"named and not in the Makefile: {sorted(asked - targets)}"


def test_benchmarks_page_quotes_its_results():
    page = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    held = "\n".join(path.read_text(encoding="utf-8") for path in [*(ROOT / "benchmarks" / "results").glob("*.md"), ROOT / "data" / "ready-model" / "README.md"])
    figures = {number for line in page.splitlines() if line.startswith("|") for number in numbers(line.split("|")[2]) if "." in number}
    lost = figures - numbers(held)
    assert figures and not lost, f"{', '.join(sorted(lost))} stands in no result"
