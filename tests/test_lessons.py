"""Each lesson runs with its exercises left blank; a blank fails its check, the solution passes."""

import keras
import matplotlib.pyplot as plt
import pytest

from course_lib import evaluation, exercises
from tools import build

CHECKS = exercises.checks()


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """A learner's place: the notebooks' folder, and a results table of its own."""
    monkeypatch.chdir(build.NOTEBOOKS)
    results = (tmp_path / "results.csv",)
    monkeypatch.setattr("course_lib.evaluation.Results.__init__.__defaults__", results)
    yield
    plt.close("all")


@pytest.fixture
def architectures(monkeypatch):
    """The layers of the models that a lesson trains, and of those whose mask it checks."""
    seen, fit, check = {"trained": set(), "checked": set()}, keras.Model.fit, evaluation.check_mask

    def noting(name, function):
        def noted(model, *given, **options):
            seen[name].add(tuple(type(layer).__name__ for layer in model.layers))
            return function(model, *given, **options)

        return noted

    monkeypatch.setattr(keras.Model, "fit", noting("trained", fit))
    monkeypatch.setattr(evaluation, "check_mask", noting("checked", check))
    return seen


@pytest.mark.parametrize("source", build.sources(), ids=lambda source: source.stem)
def test_lesson_runs_blank_and_its_solutions_pass(source, elsewhere, architectures):
    """From lesson 04 on, a lesson checks the mask of every architecture that it trains."""
    names, exercise, solution = {"__name__": "__main__"}, 0, None
    for number, cell in enumerate(build.code_cells(build.compose(source))):
        tags, where = cell.metadata.get("tags", []), f"{source.name}, code cell {number}"
        if "solution" in tags:
            exercise += 1
            name, solution = f"{build.number(source)}.{exercise}", cell.source
            run(build.blank(solution, CHECKS[name]), names, where)
        elif "check" in tags:
            with pytest.raises(exercises.NotYet) as failed:
                run(cell.source, dict(names), f"{where} (blank)")
            assert len(str(failed.value)) > 20, f"{where}: a check's message should teach"
            solved = dict(names)
            run(solution, solved, f"{where} (solution)")
            run(cell.source, solved, f"{where} (check)")
        else:
            run(cell.source, names, where)
    assert source.name < "04" or architectures["trained"] <= architectures["checked"]


def run(code, names, where):
    exec(compile(code, where, "exec"), names)
