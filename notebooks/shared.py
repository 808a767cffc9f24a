"""What the programs share that build, run, prove and show the lessons; needs nothing but Python."""

import re
import sys

QUIET = ["--log-level=ERROR"]  # of a kernel: no note on how it talks to the program that started it
WIDGET = "application/vnd.jupyter.widget-view+json"  # an output that is nothing without its kernel


def chosen(files, names):
    """Of the lessons' files those that are named, or all if none is.

    Args: files: paths whose names begin with the lesson's number; names: numbers or names of lessons, such as 05.
    Returns: a list. A name that no file has ends the program with a sentence.
    """
    unknown = [name for name in names if not any(file.name.startswith(name) for file in files)]
    if unknown or not files:
        sys.exit(f"expected lessons such as {files[0].stem if files else '17_name'}, found {', '.join(unknown) or 'none'}")
    return [file for file in files if not names or file.name.startswith(tuple(names))]


def anchor(heading):
    """Where a link to a heading leads, without the #: by GitHub's rule lower case, spaces as hyphens, no other signs."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")
