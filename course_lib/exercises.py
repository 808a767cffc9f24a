"""Checks of the exercises, whose code stays in the lessons' sources: `check("03.1")`."""

import re
import sys
import traceback
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent / "notebooks" / "src"


class NotYet(AssertionError):
    """An exercise that is not solved yet, with what to look at; a notebook shows one line."""

    def _render_traceback_(self, *_):
        return [f"Not yet: {self}"]


def check(name: str) -> None:
    """Run the check of an exercise, such as "03.1", on what the caller has defined.

    The check works in a copy of the caller's names and leaves none of its own. An error in the
    learner's own code keeps its type and its traceback.

    Raises:
        NotYet: the check failed; its message says what was found.
        ValueError: there is no such exercise.
    """
    found = checks()
    if name not in found:
        lesson = [other for other in found if other.split(".")[0] == str(name).split(".")[0]]
        raise ValueError(f"expected one of {', '.join(lesson or found)}, found {name!r}")
    caller = sys._getframe(1).f_globals
    try:
        exec(compile(found[name], f"<check {name}>", "exec", dont_inherit=True), dict(caller))
    except AssertionError as error:
        frames = traceback.walk_tb(error.__traceback__)
        if any(frame.f_globals is caller for frame, _ in frames):
            raise  # an assert of the learner's
        raise NotYet(" ".join(str(error).split()) or "the answer is not right") from None


def checks() -> dict[str, str]:
    """Collect the code of all checks, by lesson and number: "03.1", "04b.2" and so on."""
    found = {}
    for source in sorted(SOURCES.glob("[0-9][0-9]*_*.py")):
        cells = re.split(r"^# %%", source.read_text(encoding="utf-8"), flags=re.MULTILINE)
        codes = []
        for cell in cells[1:]:
            head, _, code = cell.partition("\n")
            if "[markdown]" not in head and '"check"' in head:
                codes.append(code)
        lesson = source.stem.split("_")[0]
        found |= {f"{lesson}.{number}": code for number, code in enumerate(codes, 1)}
    return found
