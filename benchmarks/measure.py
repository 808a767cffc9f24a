"""A stopwatch, when and with what it was read, and tables of it."""

import collections
import datetime
import importlib.metadata
import platform
import sys
import time

import numpy as np

NAMED = ("python", "tensorflow", "keras")  # whose versions are noted with a piece


class Stopwatch:
    """Measures the time between its laps, in seconds of CPU (all threads of this process) and on the wall."""

    def __init__(self):
        self.laps, self.last = [], self._now()

    def restart(self):
        """Begin a lap now, forgetting the time since the last one."""
        self.last = self._now()

    def lap(self):
        """End a lap and begin the next.

        Returns: (CPU seconds, wall seconds).
        """
        now = self._now()
        self.laps.append(tuple((now - self.last).tolist()))
        self.last = now
        return self.laps[-1]

    @staticmethod
    def _now():
        return np.array([time.process_time(), time.perf_counter()])


def asked_for(names, kept, wanted):
    """Read a benchmark's arguments: words in names of pieces, --missing (list them) or --report.

    Returns: the pieces to train, and whether to print the tables. Raises: SystemExit if no piece's
    name holds a word.
    """
    missing = [name for name in names if not kept(name).exists()]
    if wanted == ["--missing"]:
        print("\n".join(missing))
        return [], False
    if not wanted or wanted == ["--report"]:
        return ([] if wanted else missing), True
    if not any(word in name for name in names for word in wanted):
        sys.exit(f"expected a part of {', '.join(names)}, found {', '.join(wanted)}")
    return [name for name in missing if any(word in name for word in wanted)], False


def made():
    """When and with what a piece is measured; it is kept with the piece, which may be older than the table that holds it.

    Returns: a dict from "date" and NAMED to texts.
    """
    return {"date": datetime.date.today().isoformat(), **versions(*NAMED)}


def versions(*names):
    """The versions of packages, or of "python".

    Returns: a dict from name to version.
    """
    return {
        name: platform.python_version() if name == "python" else importlib.metadata.version(name)
        for name in names
    }


def when_made(found, what):
    """When and with what the pieces of a table were measured.

    Args: found: dicts, each with what `made` gave, if that was noted; what: a piece's name in the plural.
    Returns: a line.
    """
    noted = collections.Counter(_noted(each.get("made")) for each in found)
    return f"The {len(found)} {what} are kept one by one and may be older than this report: {'; '.join(f'{count} {words}' for words, count in sorted(noted.items()))}."


def _noted(made):
    """What `made` gave, in words."""
    if made is None:
        return "of a date and with versions that were not noted"
    return f"of {made['date']}, {', '.join(f'{name} {made[name]}' for name in NAMED)}"


def verdict(found, bar, *, at_most=False):
    """Whether a figure meets its bar, which is the least allowed, or the most where `at_most`.

    Returns: a word, "met" or "missed".
    """
    return "met" if (found <= bar if at_most else found >= bar) else "missed"


def table(header, rows):
    """A table in Markdown, the first column to the left, numbers to the right.

    Args: header: the names of the columns; rows: lists of texts.
    Returns: a text of lines.
    """
    rule = [":---"] + ["---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *rows])
