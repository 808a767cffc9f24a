"""What every file of the folder was when it was made, and which is not so any more."""

import hashlib
import json

NAME = "manifest.json"
PIECE = 1 << 20  # bytes


def read(folder):
    """The manifest.

    Returns: a dict from a file's name to its `bytes` and its `sha256`.
    """
    return json.loads((folder / NAME).read_text(encoding="utf-8"))


def damaged(folder, differs):
    """Sentences on the files that the manifest names and that are missing or not as they were made.

    Args: folder: where they lie; differs: a function of a path and its line of the manifest that says in words what differs, or None.
    Returns: a list of sentences. A notebook that a learner saved is no fault, as long as it is whole.
    """
    faults = []
    for name, line in read(folder).items():
        path = folder / name
        reason = differs(path, line) if path.is_file() else "the file is missing"
        if reason and not (path.suffix == ".ipynb" and _is_notebook(path)):
            faults.append(f"{name}: {reason}")
    return faults


def of_size(path, line):
    """How a file's size differs from the manifest, in words, or None."""
    size = path.stat().st_size
    return None if size == line["bytes"] else f"expected {line['bytes']:,} bytes, found {size:,}"


def of_content(path, line):
    """How a file's content differs from the manifest, in words, or None."""
    found = sha256(path)
    return of_size(path, line) or (None if found == line["sha256"] else f"expected content with the SHA-256 {line['sha256'][:12]}…, found {found[:12]}…")


def sha256(path):
    """The SHA-256 of a file, which may be larger than memory."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            total.update(piece)
    return total.hexdigest()


def _is_notebook(path):
    try:
        return "cells" in json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
