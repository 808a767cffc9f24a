"""The front page: pictures that the lessons drew, results that they print, commands that exist; and what benchmarks/README.md quotes."""

import re
from pathlib import Path

import nbformat
import pytest

from notebooks import pictures

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.split("## What the course found")[1].split("\n## ")[0].splitlines() if line.startswith("| ")][2:]
NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?(?![\w]*\.?\d)")


def printed(link):
    """What a notebook prints, and what its text says."""
    cells = nbformat.read(ROOT / link, as_version=4).cells
    outputs = [output.get("text") or output.get("data", {}).get("text/plain", "") for cell in cells for output in cell.get("outputs", [])]
    return "\n".join(outputs)


def numbers(text):
    return set(NUMBER.findall(text))


def test_reader_hears_and_sees_before_anything_else():
    places = [TEXT.index(part) for part in ["hear a voice", "](notebooks/pictures/", "| lesson | the question", "make lab", "## What the course found"]]
    assert places == sorted(places)


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_picture_is_the_lessons_own_with_its_words(name):
    drawn, words = pictures.drawn(name)
    assert (pictures.FOLDER / name).read_bytes() == drawn, "run: python notebooks/pictures.py"
    assert f"![{words}](notebooks/pictures/{name})" in TEXT, f"the README describes {name} in other words than its lesson"


def test_there_are_three_pictures_and_no_others():
    assert sorted(re.findall(r"\]\(notebooks/pictures/([^)]+)\)", TEXT)) == sorted(pictures.PICTURES)


@pytest.mark.parametrize("row", RESULTS, ids=lambda row: re.sub(r"\W+", "_", row[0]).strip("_"))
def test_every_result_is_printed_by_its_lesson(row):
    _, found, lesson = row
    [link] = re.findall(r"\]\(([^)]+)\)", lesson)
    assert numbers(found), "expected a number"
    missing = numbers(found) - numbers(printed(link))
    assert not missing, f"{', '.join(sorted(missing))} is not printed by {link}"


def test_a_result_that_no_lesson_prints_is_found_out():
    assert numbers("accuracy 0.93 of 2,700 clips") == {"0.93", "2,700"}
    assert numbers("0.93") - numbers("0.937")


def test_commands_exist():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    texts = [TEXT, *((ROOT / name).read_text(encoding="utf-8") for name in ["TEACHING.md", "CONTRIBUTING.md", "FAQ.md"] if (ROOT / name).exists())]
    asked = {name for text in texts for name in re.findall(r"(?:`|^    )make (?:[A-Z]+=\S+ )?([a-z][\w-]*)", text, flags=re.MULTILINE)}
    assert asked and asked <= targets, f"named and not in the Makefile: {sorted(asked - targets)}"


def test_benchmarks_page_quotes_its_results():
    page = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    held = "\n".join(path.read_text(encoding="utf-8") for path in [*(ROOT / "benchmarks" / "results").glob("*.md"), ROOT / "data" / "ready-model" / "README.md"])
    figures = {number for line in page.splitlines() if line.startswith("|") for number in numbers(line.split("|")[2]) if "." in number}
    missing = figures - numbers(held)
    assert figures and not missing, f"{', '.join(sorted(missing))} stands in no result"
