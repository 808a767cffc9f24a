"""Drawings: those that a lesson names are there, speak to who cannot see them, and can be made."""

import importlib.util
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "drawings"
SOURCES = [*ROOT.glob("notebooks/src/*.py"), *ROOT.glob("docs/*.md"), *ROOT.glob("teaching/*.md")]
NAMED = re.compile(r'plots\.drawing\("(\w+)"\)|drawings/(\w+)\.svg')
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def make():
    spec = importlib.util.spec_from_file_location("make_drawings", FOLDER / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def words(path):
    """Read a drawing's title and its text alternative, which stand before anything drawn."""
    title, description = list(ElementTree.parse(path).getroot())[:2]
    assert (title.tag, description.tag) == (f"{SVG}title", f"{SVG}desc")
    return title.text, description.text


def test_every_drawing_is_there_with_its_words_and_small(make):
    named = {first or second for path in SOURCES for first, second in NAMED.findall(read(path))}
    assert named <= make.DRAWINGS.keys() == {path.stem for path in FOLDER.glob("*.svg")}
    for name, drawing in make.DRAWINGS.items():
        path = FOLDER / f"{name}.svg"
        assert words(path) == (drawing.title, drawing.description)
        assert path.stat().st_size <= 80_000


def test_the_script_writes_every_drawing_and_the_same_each_time(make, tmp_path):
    make.main(tmp_path)
    assert {path.stem for path in tmp_path.glob("*.svg")} == make.DRAWINGS.keys()
    first = read(tmp_path / "readouts.svg")
    assert read(make.write("readouts", tmp_path)) == first
    poster = (tmp_path / "poster.pdf").read_bytes()
    assert poster.startswith(b"%PDF") and b"CreationDate" not in poster


def read(path):
    return path.read_text(encoding="utf-8")
