"""What `make check` asks, without running a lesson: notebooks are fresh, and fit to be read."""

import re
import tempfile
from pathlib import Path

import nbformat
import pytest

from course_lib import data
from tools import build, quizzes

ROOT = Path(__file__).resolve().parent.parent
# The set that each name stood for when the committed notebooks were built.
BUILT_ON = {"digits": "fsdd", "environment": "esc-10", "commands": "speech-commands-subset"}
BUILT_ON |= {"music": "rhythms", "many-voices": "speech-commands-digits"}
BUILT_ON |= {"music-speech": "music-speech-10s"}
each_lesson = pytest.mark.parametrize("source", build.sources(), ids=lambda path: path.stem)


def built(source):
    paths = build.learner_path(source), build.solutions_path(source)
    return [nbformat.read(path, as_version=4) for path in paths]


@each_lesson
def test_notebooks_are_as_fresh_as_their_source_and_helpers(source):
    fresh, found = build.compose(source), built(source)
    for notebook, expected in zip(found, [build.learner(fresh, source), build.deeper(fresh)]):
        advice = f"run: make build LESSONS={build.number(source)}"
        made_from = fresh.metadata.course["made_from"]
        assert notebook.metadata.course["made_from"] == made_from, f"code has changed; {advice}"
        for cell, wanted in zip(notebook.cells, expected.cells, strict=True):
            assert cell.source == wanted.source, f"words have changed; {advice}"
            assert cell.metadata == wanted.metadata, f"tags have changed; {advice}"


@each_lesson
def test_notebooks_were_built_on_the_recordings_that_the_course_means(source):
    for name, now in built(source)[1].metadata.course["data"].items():
        wanted = data.fingerprint_of(BUILT_ON.get(name, name))
        assert now == wanted, f"built on {now}, not on {wanted}: build it with these recordings"


@each_lesson
def test_outputs_show_no_error_and_no_path_and_pictures_have_words(source):
    here = [str(Path.home()) + "/", tempfile.gettempdir() + "/", f"{ROOT}/"]
    for cell in (cell for notebook in built(source) for cell in build.code_cells(notebook)):
        assert "pip install" not in cell.source
        for output in cell.outputs:
            text = output.get("text") or output.get("data", {}).get("text/plain", "")
            assert output.output_type != "error" and not any(folder in text for folder in here)
            for kind in {"image/png", "image/svg+xml"} & set(output.get("data", {})):
                assert output.metadata[kind]["alt"], f"no alternative text:\n{cell.source}"


@each_lesson
def test_a_lesson_ends_with_a_quiz_of_three_that_the_sheets_can_print(source):
    assert [len(each["answers"]) for each in quizzes.quiz(source)["questions"]] == [3, 3, 3]


def test_claims_have_the_numbers_that_the_lessons_print():
    assert (build.DOCS / "claims.md").read_text("utf-8") == build.claims(), "run: make build"


def test_links_between_the_courses_own_files_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("[!.]*/*.md"), *ROOT.glob("data/*/*.md")]
    texts = {page: page.read_text(encoding="utf-8") for page in pages}
    for source in build.sources():
        path = build.learner_path(source)
        cells = nbformat.read(path, as_version=4).cells  # in code, `](` is a list and a call
        texts[path] = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    del texts[ROOT / "teaching" / "template.md"]  # it names the lesson that is still to be written
    broken = []
    for page, text in texts.items():
        for link in re.findall(r"\]\(([^)\s#]+)[^)]*\)", text):
            if not link.startswith(("http", "mailto", "<<")):
                broken += [f"{page.name}: {link}"] * (not (page.parent / link).exists())
    assert broken == []
