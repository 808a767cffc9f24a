"""What tools/build.py does beside running a lesson, and what it takes for a change."""

import json
import shutil

import nbformat
import pytest

from tools import build, nbgrader

LESSON = '''# %% [markdown] tags=["slide"]
# # Example, with a [mask](../docs/glossary.md#mask) and a [word](../docs/glossary.md#nowhere)
# %% [markdown] tags=["notes"]
# for the speaker alone
# %% tags=["setup"]
import setup_course
# %%
import random
# %% tags=["more", "no-code"]
print(random.SystemRandom().random())
# %% tags=["solution"]
def answer(question):
    """Answer."""
    return 42
# %% tags=["check"]
assert answer("six times seven") == 42, "what is six times seven, which is known?"
'''


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A small course in a folder of its own, with one lesson; its output differs in each run."""
    for folder in ("notebooks/src", "docs/pictures", "benchmarks/results", "course_lib"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(build.SETUP, tmp_path / "notebooks" / "src")
    (tmp_path / "docs" / "glossary.md").write_text(
        "# G\n\n### Mask\n\nOne `value` a frame. More.\n"
    )
    (tmp_path / "course_lib" / "audio.py").write_text('"""Sound."""\nRATE = 8_000  # hertz\n')
    places = {"ROOT": tmp_path, "NOTEBOOKS": tmp_path / "notebooks", "DOCS": tmp_path / "docs"}
    places |= {"SOURCES": tmp_path / "notebooks" / "src"}
    places |= {"SETUP": tmp_path / "notebooks" / "src" / "setup_cell.py"}
    for name, value in places.items():
        monkeypatch.setattr(build, name, value)
    (build.SOURCES / "77_example.py").write_text(LESSON)
    return tmp_path


@pytest.fixture
def source(course):
    return build.SOURCES / "77_example.py"


@pytest.fixture
def runs(monkeypatch):
    """Kernels in place of real ones: each run prints its own number."""
    made = []

    def execute(notebook):
        made.append(notebook)
        for cell in build.code_cells(notebook):
            cell.outputs = [nbformat.v4.new_output("stream", text=f"run {len(made)}")]
        notebook.metadata.course["data"] = {}
        return notebook

    monkeypatch.setattr(build, "execute", execute)
    return made


def printed(path):
    cells = build.code_cells(nbformat.read(path, as_version=4))
    return [output.text for cell in cells for output in cell.outputs]


@pytest.mark.parametrize(
    "change",
    [("# # Example", "# # Another title"), ('"""Answer."""', '"""Answer a question."""')],
    ids=["sentence", "docstring"],
)
def test_words_are_renewed_and_nothing_runs(source, runs, change):
    build.build(source)
    first = printed(build.solutions_path(source))
    source.write_text(LESSON.replace(*change))
    assert build.build(source) == "words renewed" and len(runs) == 1
    assert printed(build.solutions_path(source)) == first
    assert change[1].strip("# ") in build.solutions_path(source).read_text().replace('\\"', '"')


@pytest.mark.parametrize("change", [("random()", "random() + 1"), ("return 42", "return 40 + 2")])
def test_a_change_of_code_runs_it(source, runs, change):
    build.build(source)
    source.write_text(LESSON.replace(*change))
    assert build.build(source) == "run and built" and len(runs) == 2


def test_a_changed_docstring_or_comment_of_a_helper_is_no_change_and_code_is(course, source):
    source.write_text(
        LESSON.replace("import random\n", "import random\nfrom course_lib import audio\n")
    )
    helper, before = course / "course_lib" / "audio.py", build.fingerprint(source)
    helper.write_text('"""Sounds."""\n\nRATE = 8_000  # hertz, as on the telephone\n')
    assert build.fingerprint(source) == before
    helper.write_text('"""Sound."""\nRATE = 16_000  # hertz\n')
    assert build.fingerprint(source) != before


def test_helpers_are_followed_through_both_floors():
    found = build.helpers("from course_lib.extra.recorder import Recorder", set())
    assert {"recorder.py", "audio.py"} <= {path.name for path in found}
    assert "streaming.py" not in {path.name for path in found}


@pytest.mark.parametrize(
    "code, left",
    [
        ("x = '# no comment'  # one", "x = '# no comment'"),
        ('def f():\n    """Say."""\n    return 1\n', "def f():\n    return 1"),
        ('def f(): "all there is"\n', 'def f(): "all there is"'),
        ('x = """kept\n\nas it is"""', 'x = """kept\nas it is"""'),
    ],
)
def test_bare_code_has_no_comment_and_no_docstring(code, left):
    assert build.bare(code) == left


def test_learners_find_a_blank_a_folded_check_and_no_outputs_there(source, runs):
    build.build(source)
    cells = build.code_cells(nbformat.read(build.learner_path(source), as_version=4))
    solution, check = cells[-2:]
    assert solution.source == '# Your code here.\ndef answer(question):\n    """Answer."""\n    ...'
    assert check.source.splitlines()[1] == 'check("77.1")' and "seven" not in check.source
    for cell in (cells[0], check):
        assert cell.metadata.cellView == "form" and cell.metadata.jupyter.source_hidden
    assert not solution.outputs and not check.outputs and cells[1].outputs
    assert len(cells[0].source.splitlines()) <= 6
    text = build.learner_path(source).read_text()
    assert '(../docs/glossary.md#mask \\"One value a frame.\\")' in text and "speaker" not in text
    assert "(../../docs/glossary.md#mask" in build.solutions_path(source).read_text()


@pytest.mark.parametrize(
    "change, message",
    [
        (('# %% tags=["check"]', "# %%"), 'a "check" after each "solution"'),
        (("def answer(question):", "class answer:"), "makes a name its check uses"),
    ],
)
def test_an_exercise_that_cannot_be_one_is_refused(source, runs, change, message):
    source.write_text(LESSON.replace(*change))
    with pytest.raises(ValueError, match=message):
        build.build(source)
    assert not runs


def test_claims_are_filled_from_what_is_printed(course, source, runs):
    build.build(source)
    (course / "benchmarks" / "results" / "speed.md").write_text("| LSTM | 1.25 |")
    template = course / "docs" / "claims.template.md"
    template.write_text(r"It ran <<77 run (\d)>> time; <<speed.md LSTM \| ([\d.]+)>> s.")
    assert build.claims() == "It ran 1 time; 1.25 s."
    template.write_text(r"<<77 accuracy ([\d.]+)>>")
    with pytest.raises(ValueError, match="77 prints nothing like accuracy"):
        build.claims()


def test_a_warning_in_a_cell_is_refused_and_pieces_of_a_stream_are_joined():
    new = nbformat.v4.new_output
    pieces = [new("stream", text="a"), new("stream", text="b"), new("display_data")]
    joined = list(build.tidy(pieces))
    assert joined[0].text == "ab" and len(joined) == 2
    with pytest.raises(ValueError, match="without warnings, found: careful"):
        list(build.tidy([new("stream", name="stderr", text="careful")]))


def test_an_assignment_holds_the_solution_and_hidden_tests_in_nbgraders_marks(source):
    cells = [c for c in nbgrader.assignment(source).cells if "nbgrader" in c.metadata]
    solution, check = cells
    stub, _, rest = solution.source.partition("### BEGIN SOLUTION\n")
    assert "def answer(question):" in stub and "42" not in stub and "42" in rest
    assert solution.metadata.nbgrader.solution
    assert "### BEGIN HIDDEN TESTS\nassert answer" in check.source and check.metadata.nbgrader.grade
    assert json.dumps(check.metadata) and not any(c.metadata.nbgrader.task for c in cells)
