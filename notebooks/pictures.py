"""Copy the pictures of the front page out of the lessons that drew them; --check says whether they are still the lessons' own."""

import argparse
import base64
import sys
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).resolve().parent
FOLDER = NOTEBOOKS / "pictures"
PICTURES = {"seven.png": ("00", 2), "gradient.png": ("05", 3), "detector.png": ("15", 2)}  # the lesson, and which of its pictures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="copy nothing; say which pictures are old")
    options = parser.parse_args()
    old = [name for name in PICTURES if not (FOLDER / name).exists() or (FOLDER / name).read_bytes() != drawn(name)[0]]
    if options.check:
        sys.exit(f"older than their lessons: {', '.join(old)}; run: make build" if old else None)
    FOLDER.mkdir(exist_ok=True)
    for name in old:
        (FOLDER / name).write_bytes(drawn(name)[0])
    print(f"{len(old)} of {len(PICTURES)} pictures renewed in {FOLDER.name}/")


def drawn(name):
    """A picture of the front page as its lesson drew it.

    Returns: the bytes of the file, and the sentence that describes it.
    """
    lesson, number = PICTURES[name]
    [path] = NOTEBOOKS.glob(f"{lesson}_*.ipynb")
    outputs = [output for cell in nbformat.read(path, as_version=4).cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
    if len(outputs) < number:
        raise ValueError(f"{path.name}: expected {number} pictures or more, found {len(outputs)}")
    output = outputs[number - 1]
    return base64.b64decode(output.data["image/png"]), output.metadata["image/png"]["alt"]


if __name__ == "__main__":
    main()
