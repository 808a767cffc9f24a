"""Each lesson runs with its exercises left blank; a blank fails its check with a hint, and the solution passes it."""

import os
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import pytest

from course_lib import evaluation
from notebooks import build

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """A learner's place: the notebooks' folder, and a results table of its own."""
    monkeypatch.chdir(build.NOTEBOOKS)
    monkeypatch.setattr("course_lib.evaluation.Results.__init__.__defaults__", (tmp_path / "results.csv",))
    yield tmp_path
    plt.close("all")


@pytest.fixture
def architectures(monkeypatch):
    """The layers of the models that a lesson trains, and of those whose mask it checks."""
    seen, fit, check = {"trained": set(), "checked": set()}, keras.Model.fit, evaluation.check_mask

    def note(name, function):
        def noted(model, *given, **options):
            seen[name].add(tuple(type(layer).__name__ for layer in model.layers))
            return function(model, *given, **options)

        return noted

    monkeypatch.setattr(keras.Model, "fit", note("trained", fit))
    monkeypatch.setattr(evaluation, "check_mask", note("checked", check))
    return seen


@pytest.mark.parametrize("source", build.sources(), ids=lambda source: source.stem)
def test_lesson_runs_blank_and_its_solutions_pass(source, elsewhere, architectures):
    """From lesson 04 on, a lesson checks the mask of every architecture that it trains."""
    names, solution = {"__name__": "__main__"}, None
    code = [cell for cell in build.compose(source).cells if cell.cell_type == "code"]
    for number, cell in enumerate(code):
        tags, where = cell.metadata.get("tags", []), f"{source.name}, code cell {number}"
        if "solution" in tags:
            solution = cell.source
            run(build.blank(solution, code[number + 1].source), names, where)
        elif "check" in tags:
            with pytest.raises(AssertionError) as failed:
                run(cell.source, dict(names), f"{where} (blank)")
            assert len(str(failed.value)) > 20, f"{where}: the check's message should teach, found {str(failed.value)!r}"
            solved = dict(names)
            run(solution, solved, f"{where} (solution)")
            run(cell.source, solved, f"{where} (check)")
        else:
            run(cell.source, names, where)
    assert source.name < "04" or architectures["trained"] <= architectures["checked"]


def run(code, names, where):
    """Run a cell; what it prints and draws is not looked at here."""
    exec(compile(code, where, "exec"), names)
