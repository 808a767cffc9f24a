"""The measurements behind every figure that the README and the lessons quote: `make bench`."""

import course_lib  # noqa: F401  before NumPy: it sets the number of threads
