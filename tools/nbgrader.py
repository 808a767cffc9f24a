"""A lesson as an assignment for nbgrader: solutions are removed there, checks are hidden tests."""

import sys
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools import build


def assignment(source):
    """Make the instructor's version of a lesson, in nbgrader's own marks."""
    notebook = build.compose(source)
    checks = [c.source for c in build.read(source) if "check" in c.metadata.get("tags", [])]
    marks, exercise = {"schema_version": 3, "task": False}, 1
    for cell in build.code_cells(notebook):
        name = f"exercise-{build.number(source)}-{exercise}"
        if "solution" in cell.metadata.get("tags", []):
            asked = build.blank(cell.source, checks[exercise - 1])  # stays when the rest is removed
            cell.source = f"{asked}\n### BEGIN SOLUTION\n{cell.source}\n### END SOLUTION"
            kind = {"grade": False, "locked": False, "solution": True}
            cell.metadata["nbgrader"] = {**marks, **kind, "grade_id": name}
        elif "check" in cell.metadata.get("tags", []):
            hidden = f"### BEGIN HIDDEN TESTS\n{checks[exercise - 1]}\n### END HIDDEN TESTS"
            cell.source, cell.metadata = f"{cell.source}\n{hidden}", nbformat.NotebookNode()
            kind = {"grade": True, "locked": True, "solution": False, "points": 1}
            cell.metadata["nbgrader"] = {**marks, **kind, "grade_id": f"check-of-{name}"}
            exercise += 1
    return notebook


if __name__ == "__main__":
    for source in build.sources(sys.argv[1:]):
        path = build.ROOT / "build" / "nbgrader" / "source" / source.stem / f"{source.stem}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(assignment(source), path)
        print(path.relative_to(build.ROOT))
