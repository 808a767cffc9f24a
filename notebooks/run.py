"""Run every lesson in order, solutions included, and write the executed pages and the course's table of results."""

import argparse
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert import HTMLExporter

NOTEBOOKS = Path(__file__).resolve().parent
BUILD = NOTEBOOKS.parent / "build"
SECONDS_A_CELL = 600
sys.path.insert(0, str(NOTEBOOKS.parent))

from notebooks import shared

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lessons", nargs="*", help="numbers or names of lessons, such as 01; by default all")
    wanted = parser.parse_args().lessons
    lessons = shared.chosen(sorted((NOTEBOOKS / "solutions").glob("[0-9][0-9]_*.ipynb")), wanted)
    BUILD.mkdir(exist_ok=True)
    if not wanted:
        (BUILD / "results.csv").unlink(missing_ok=True)
    failed = [lesson.stem for lesson in lessons if not run(lesson)]
    show_results()
    print(f"pages: {BUILD.name}/*.html")
    if failed:
        sys.exit(f"{len(failed)} of {len(lessons)} lessons failed: {', '.join(failed)}")


def run(lesson):
    """Execute one notebook, write its page to build/, and print a line: lesson, seconds, result.

    Returns: whether every cell ran.
    """
    notebook = nbformat.read(lesson, as_version=4)
    client = NotebookClient(notebook, timeout=SECONDS_A_CELL, kernel_name="python3", extra_arguments=shared.QUIET, resources={"metadata": {"path": str(NOTEBOOKS)}})
    print(f"{lesson.stem:<34}", end=" ", flush=True)
    began, result = time.monotonic(), "passed"
    try:
        client.execute()
    except CellExecutionError as error:
        result = f"FAILED: {error.ename}: {error.evalue}"
    except (CellTimeoutError, DeadKernelError) as error:
        result = f"FAILED: {error}"
    print(f"{time.monotonic() - began:6.1f} s  {result}", flush=True)
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        output.get("data", {}).pop(shared.WIDGET, None)  # needs its kernel; its text says what it is
    notebook.metadata.pop("widgets", None)
    page, _ = HTMLExporter().from_notebook_node(notebook)
    (BUILD / f"{lesson.stem}.html").write_text(page, encoding="utf-8")
    return result == "passed"


def show_results():
    """Print the table that the lessons have filled."""
    from course_lib.evaluation import Results

    table = Results().table()
    print("\nResults" if len(table) else "\nno lesson has written a result")
    if len(table):
        print(table.to_string(index=False, na_rep="", float_format="{:.3f}".format))


if __name__ == "__main__":
    main()
