"""A stopwatch, and tables of what it read."""

import time

import numpy as np


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
