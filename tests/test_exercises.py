"""Checks of the exercises: found by name, run on a copy of the learner's names, code unseen."""

import os
import subprocess
import sys
import types

import pytest
from IPython.core.interactiveshell import InteractiveShell

from course_lib import exercises

LESSON = """# %% [markdown]
# # A lesson with # %% in a sentence

# %% tags=["solution"]
answer, step = 7, lambda number: number + 1

# %% tags=["check"]
secret = 2 * 3
assert answer != 6, f"found {answer}:\\n which is one too few"
answer = secret
assert step(secret) == 7, "step(6) is not 7"

# %% tags=["no-code", "check"]
assert later, "the second is not solved"
"""


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """A notebook's Python, in an empty folder, beside a course of one lesson."""
    (tmp_path / "03_lesson.py").write_text(LESSON, encoding="utf-8")
    monkeypatch.setattr(exercises, "SOURCES", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    shell = InteractiveShell(user_module=types.ModuleType("lesson"), colors="nocolor")
    shell.run_cell("from course_lib import check")
    return shell


def test_solved_exercise_passes_and_leaves_no_name(shell, capsys):
    shell.run_cell("answer, step = 7, lambda number: number + 1")
    shell.run_cell('check("03.1")').raise_error()
    assert shell.user_ns["answer"] == 7 and "secret" not in shell.user_ns
    assert capsys.readouterr().out == ""


def test_failed_check_shows_one_line_and_not_its_code(shell, capsys):
    shell.run_cell("answer = 6")
    result = shell.run_cell('check("03.1")')
    assert isinstance(result.error_in_exec, exercises.NotYet)
    assert capsys.readouterr().out == "Not yet: found 6: which is one too few\n"


@pytest.mark.parametrize("body", ["1 / 0", "assert number < 0, 'mine'"])
def test_learners_own_error_keeps_its_type_and_its_line(shell, capsys, body):
    shell.run_cell(f"answer = 5\ndef step(number):\n    {body}")
    result = shell.run_cell('check("03.1")')
    assert type(result.error_in_exec) in (ZeroDivisionError, AssertionError)  # no NotYet
    shown = capsys.readouterr().out
    assert body in shown and "secret" not in shown and "Not yet" not in shown


@pytest.mark.parametrize("name", ["03.3", "04.1", "3.1", 3.1])
def test_unknown_exercise_is_answered_with_the_known_ones(shell, name):
    shell.run_cell("later = False")
    with pytest.raises(exercises.NotYet, match="the second is not solved"):
        shell.run_cell('check("03.2")').raise_error()
    with pytest.raises(ValueError, match=f"expected one of 03.1, 03.2, found {name!r}"):
        exercises.check(name)


def test_real_checks_are_found_from_any_folder_without_tensorflow(tmp_path):
    code = "import sys, course_lib.exercises as e; print(*e.checks())\n"
    code += "assert not {'tensorflow', 'keras', 'jupytext'} & set(sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(exercises.SOURCES.parents[1])}
    command = [sys.executable, "-c", code]
    names = subprocess.check_output(command, text=True, cwd=tmp_path, env=environment)
    lessons = {path.name.split("_")[0] for path in exercises.SOURCES.glob("[0-9]*_*.py")}
    assert {name.split(".")[0] for name in names.split()} == lessons
