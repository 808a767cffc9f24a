"""The built notebooks: fresh, clean, in the course's form; and the programs that build and run them."""

import ast
import json
import re
import subprocess
import sys

import nbformat
import pytest

from notebooks import build, run

LESSONS = build.sources()
LOADED_WORDS = ["just", "easy", "easily", "simply", "obviously", "trivially", "of course"]
LINES_A_CELL = 15
WIDTH = 118  # characters: what a page shows without a scroll bar
LARGEST = 700_000  # bytes
EXAMPLE = '''# %% [markdown]
# # Example
# %% tags=["setup"]
import setup_course
# %%
import numpy as np
print("one"); print("two")
np.arange(3)
# %% tags=["solution"]
answer = 42
def double(x):
    """Twice x."""
    return 2 * x
# %% tags=["check"]
assert answer == 42, "what is six times seven?"
'''

each_lesson = pytest.mark.parametrize("source", LESSONS, ids=lambda source: source.stem)
each_view = pytest.mark.parametrize("view", [build.learner_path, build.solutions_path], ids=["learner", "solutions"])


def cells(source, kind):
    return [cell for cell in build.compose(source).cells if cell.cell_type == kind]


def prose(source):
    return "\n\n".join(cell.source for cell in cells(source, "markdown"))


@each_lesson
def test_notebooks_are_fresh(source):
    assert build.stale_parts(source) == []


@each_lesson
@each_view
def test_outputs_are_clean(source, view):
    notebook = nbformat.read(view(source), as_version=4)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert outputs
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    text = re.sub(r"[A-Za-z0-9+/=\\\n]{200,}", "", json.dumps(outputs))  # without pictures and sounds
    assert not re.search(r"/(tmp|home|root|Users|content|work)/", text), "an output holds an absolute path"
    assert "0x7f" not in text, "an output holds a memory address, which differs from run to run"
    assert view(source).stat().st_size < LARGEST


@each_lesson
def test_learner_finds_blanks_and_the_other_outputs(source):
    learner, solved = (nbformat.read(view(source), as_version=4) for view in (build.learner_path, build.solutions_path))
    for mine, theirs in zip(learner.cells, solved.cells, strict=True):
        tags = mine.metadata.get("tags", [])
        if "solution" in tags:
            assert mine.source.startswith(build.BLANK) and mine.source != theirs.source
        else:
            assert mine.source == theirs.source
        if mine.cell_type == "code":
            assert mine.outputs == ([] if {"solution", "check"} & set(tags) else theirs.outputs)


@each_lesson
def test_lesson_has_its_form(source):
    text = prose(source)
    promised, kept = (re.findall(r"^- ", part, flags=re.MULTILINE) for part in between(text, "**You will**", "**You have seen**"))
    assert len(promised) == len(kept) == 3, "a lesson promises three things, and closes with the same three"
    assert re.search(r"\*\*Minutes:\*\* \d+", text) and "**You need:**" in text
    tags = [tag for cell in cells(source, "code") for tag in cell.metadata.get("tags", [])]
    exercises = [tag for tag in tags if tag in ("solution", "check")]
    assert exercises == ["solution", "check"] * (len(exercises) // 2) and len(exercises) >= 6, "three exercises or more, each with its check"
    assert len(re.findall(r"\*\*Exercise \d", text)) == len(exercises) // 2


@each_lesson
def test_quiz_explains_every_answer(source):
    quiz = prose(source).split("## Quiz")[1]
    questions = re.split(r"^\*\*\d\. ", quiz, flags=re.MULTILINE)[1:]
    assert len(questions) == 3, "a quiz has three questions"
    for question in questions:
        answers = re.findall(r"^<details><summary>([A-D])\. .+?</summary>(Yes|No): (.{30,})</details>$", question, flags=re.MULTILINE)
        assert len(answers) == question.count("<details>") >= 3, f"each answer is explained on one line:\n{question}"
        assert [letter for letter, *_ in answers] == list("ABCD"[: len(answers)])
        assert [verdict for _, verdict, _ in answers].count("Yes") == 1, f"one answer is right:\n{question}"
    right = [re.search(r"<summary>([A-D])\.[^<]*(?:<code>[^<]*</code>[^<]*)*</summary>Yes:", question)[1] for question in questions]
    assert len(set(right)) > 1, "the right answer does not always have the same letter"


@each_lesson
def test_learner_guesses_before_it_is_shown(source):
    assert len(re.findall(r"\*\*Predict, then run", prose(source))) >= 1


@each_lesson
@each_view
def test_every_picture_has_its_words(source, view):
    """A picture that a cell shows is followed by its sentence, which is its alternative text as well."""
    for cell in nbformat.read(view(source), as_version=4).cells:
        outputs = cell.get("outputs", [])
        printed = "".join(output.text for output in outputs if output.output_type == "stream")
        for output in outputs:
            if "image/png" in output.get("data", {}):
                words = output.metadata.get("image/png", {}).get("alt", "")
                assert words.startswith("In words: ") and words in " ".join(printed.split()), f"a picture without its sentence:\n{cell.source}"


def between(text, opening, closing):
    """What follows the opening up to the next blank line after its list, and what follows the closing."""
    return text.split(opening)[1].split("\n\n")[0], text.split(closing)[1].split("\n\n")[0]


@each_lesson
def test_code_is_short_and_imports_stand_together(source):
    code = cells(source, "code")
    importing = [number for number, cell in enumerate(code) if any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.parse(cell.source).body)]
    assert importing == [0, 1], "imports stand in one cell, after the set-up"
    for cell in code:
        lines = cell.source.splitlines()
        assert len(lines) <= LINES_A_CELL or "long" in cell.metadata.get("tags", []), f"a cell of {len(lines)} lines:\n{cell.source}"
        assert max(map(len, lines)) <= WIDTH, f"a line is cut off on the page: {max(lines, key=len)}"


@each_lesson
def test_words(source):
    text = prose(source).lower()
    assert [word for word in LOADED_WORDS if re.search(rf"\b{word}\b", text)] == []
    assert "pip install" not in source.read_text(encoding="utf-8")


@each_lesson
def test_links_reach_their_files(source):
    for name in re.findall(r"\]\(([^)#]+\.ipynb)\)", prose(source)):
        if not name.startswith("http"):
            assert (build.NOTEBOOKS / name).is_file(), f"{source.name} links to {name}, which is not there"


@each_lesson
def test_badge_names_the_notebook(source):
    assert cells(source, "markdown")[0].source.endswith(f"/notebooks/{build.learner_path(source).name})")


@pytest.fixture
def example(tmp_path, monkeypatch):
    """A small lesson in a folder of its own, with the set-up cell of the course."""
    (tmp_path / "src").mkdir()
    (tmp_path / "course_lib").symlink_to(build.ROOT / "course_lib")
    (tmp_path / "src" / "setup_course.py").write_text(build.SETUP.read_text(encoding="utf-8"), encoding="utf-8")
    source = tmp_path / "src" / "77_example.py"
    source.write_text(EXAMPLE, encoding="utf-8")
    for name, value in {"NOTEBOOKS": tmp_path, "ROOT": tmp_path, "SOURCES": tmp_path / "src", "SETUP": tmp_path / "src" / "setup_course.py"}.items():
        monkeypatch.setattr(build, name, value)
    return source


def test_two_builds_are_the_same_and_a_change_makes_them_stale(example):
    first = [path.read_bytes() for path in build.build(example)]
    assert [path.read_bytes() for path in build.build(example)] == first
    assert build.stale_parts(example) == []
    example.write_text(EXAMPLE.replace("one", "three"), encoding="utf-8")
    assert len(build.stale_parts(example)) == 2


def test_widget_is_built_as_its_text(example):
    """What a widget adds to a notebook bears a random name, which would make every build another one."""
    example.write_text(EXAMPLE + "# %%\nimport ipywidgets\nipywidgets.IntSlider(7)\n", encoding="utf-8")
    first = [path.read_bytes() for path in build.build(example)]
    assert [path.read_bytes() for path in build.build(example)] == first
    notebook = nbformat.read(build.learner_path(example), as_version=4)
    (output,) = notebook.cells[-1].outputs
    assert list(output.data) == ["text/plain"] and output.data["text/plain"].startswith("IntSlider(value=7")
    assert "widgets" not in notebook.metadata


def test_blank_runs_and_names_what_is_wanted():
    solution = 'helper = 1\nanswer, other = 42, 43\ndef double(x):\n    """Twice x."""\n    return 2 * x'
    blank = build.blank(solution, "assert answer == 42")
    names = {}
    exec(blank, names)
    assert blank.startswith(build.BLANK) and names["answer"] is ...
    assert not {"helper", "other"} & set(names), "the check does not ask for these"
    assert names["double"](1) is None and names["double"].__doc__ == "Twice x."


def test_a_warning_stops_the_build(example):
    example.write_text(EXAMPLE + '# %%\nimport sys\nprint("careful", file=sys.stderr)\n', encoding="utf-8")
    with pytest.raises(ValueError, match="careful"):
        build.build(example)


def test_address_changes_in_one_place_and_everywhere(example, tmp_path):
    learner, _ = build.build(example)
    (tmp_path / "README.md").write_text(build.badge(example), encoding="utf-8")
    build.readdress("teacher/fork", "autumn")
    assert build.address() == ("teacher/fork", "autumn")
    assert "/github/teacher/fork/blob/autumn/" in (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "OWNER" not in learner.read_text(encoding="utf-8")
    assert build.stale_parts(example) == []


def test_readdress_refuses_what_is_no_address():
    with pytest.raises(SystemExit, match="owner/name"):
        build.readdress("https://example.org/owner/name", "main")


def test_fingerprint_follows_imports():
    found = {path.name for path in build.helpers(build.SOURCES / "00_start_here.py")}
    assert {"datasets.py", "archives.py", "files.py", "evaluation.py"} <= found


def test_run_names_the_lesson_that_fails_and_runs_the_others(example, tmp_path, monkeypatch, capsys):
    build.build(example)
    broken = nbformat.read(tmp_path / "solutions" / "77_example.ipynb", as_version=4)
    broken.cells.append(nbformat.v4.new_code_cell("1 / 0"))
    nbformat.write(broken, tmp_path / "solutions" / "00_broken.ipynb")
    monkeypatch.setattr(run, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(run, "BUILD", tmp_path / "build")
    monkeypatch.setattr(sys, "argv", ["run.py"])
    with pytest.raises(SystemExit, match="1 of 2 lessons failed: 00_broken"):
        run.main()
    printed = capsys.readouterr().out
    assert re.search(r"00_broken +[\d.]+ s  FAILED: ZeroDivisionError", printed)
    assert re.search(r"77_example +[\d.]+ s  passed", printed)
    assert (tmp_path / "build" / "77_example.html").is_file()


def test_set_up_cell_clones_where_the_course_is_not(tmp_path):
    """A notebook that came alone fetches the course from the address in its set-up cell."""
    bare = tmp_path / "remote" / "OWNER" / "NAME"
    subprocess.run(["git", "init", "-q", "-b", "main", bare], check=True)
    (bare / "course_lib").mkdir(parents=True)
    (bare / "course_lib" / "here.py").write_text("FOUND = True\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "-C", bare, "add", "."], check=True)
    subprocess.run(["git", "-C", bare, *identity, "commit", "-qm", "a"], check=True)
    (tmp_path / "alone").mkdir()
    redirect = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.file://{tmp_path}/remote/.insteadOf", "GIT_CONFIG_VALUE_0": "https://github.com/"}
    code = build.SETUP.read_text(encoding="utf-8").replace(build.address()[0], "OWNER/NAME") + "\nfrom course_lib import here; print(here.FOUND)"
    for _ in range(2):  # the second time it is there already
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path / "alone", env={"PATH": __import__("os").environ["PATH"], **redirect}, capture_output=True, text=True)
        assert done.stdout.strip() == "True", done.stderr
