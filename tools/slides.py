"""Make slides in build/slides from the tags of a source and the outputs of the built lesson."""

import argparse
import html
import re
import shutil
import sys
from importlib.resources import files
from pathlib import Path

import nbformat
from docutils.utils.math.latex2mathml import tex2mathml
from nbconvert import SlidesExporter
from nbconvert.preprocessors import TagRemovePreprocessor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools import build

TEMPLATES = str(Path(__file__).resolve().with_name("templates"))
PLACES = {"slide": "slide", "more": "-", "notes": "notes"}  # a tag → nbconvert's slide_type
FIXED = {"setup", "check"}  # cells whose code the build writes itself
ENDING = re.compile(r"\*\*You have seen|Next:|\*[^*]")  # paragraphs that close a lesson
LINK = re.compile(r"(?<!!)\[([^]]+)\]\([^)]+\)")  # its address leads nowhere from a slide
MATH = re.compile(r"<(code|pre|script)\b.*?</\1>|(\$\$?)([^\s$](?:[^$]*[^\s$])?)\2", re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lessons", nargs="*", help="numbers such as 06; by default all")
    lessons = parser.parse_args().lessons
    folder = build.ROOT / "build" / "slides"
    reveal = files("sphinx_revealjs") / "_static" / "revealjs"
    shutil.copytree(reveal, folder / "reveal.js", dirs_exist_ok=True)
    for source in build.sources(lessons):
        page = to_html(slides(source))
        (folder / f"{source.stem}.html").write_text(page, encoding="utf-8")
        print(f"{source.stem}: {page.count('<section')} slides")


def slides(source: Path) -> nbformat.NotebookNode:
    """Choose the cells that a lesson shows, with outputs, between a first and a last slide."""
    cells = build.read(source)
    add_outputs(source, cells)
    shown = [cell for cell in cells if PLACES.keys() & tags(cell)]
    if not shown or "slide" not in tags(shown[0]):
        sys.exit(f'{source.name}: expected a cell tagged "slide" first, found none')
    for cell in shown:
        cell.metadata["slideshow"] = {"slide_type": PLACES[min(PLACES.keys() & tags(cell))]}
    title = re.search(r"^# (.+)$", cells[0].source, flags=re.MULTILINE)[1]
    shown[0].source = f"# {title}\n\n{shown[0].source}"  # the question stands below the title
    texts = [cell.source for cell in cells if cell.cell_type == "markdown" and not tags(cell)]
    ending = [text for text in texts[-1].split("\n\n") if ENDING.match(text)]
    last = LINK.sub(r"\1", "\n\n".join(["## Where to go next", *ending]))
    shown.append(nbformat.v4.new_markdown_cell(last))
    shown[-1].metadata["slideshow"] = {"slide_type": "slide"}
    return nbformat.v4.new_notebook(cells=shown, metadata={"title": title})


def tags(cell: nbformat.NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def add_outputs(source: Path, cells: list[nbformat.NotebookNode]) -> None:
    """Copy the outputs of the solutions notebook into the code cells of its source."""
    built = nbformat.read(build.solutions_path(source), as_version=4).cells
    own, done = ([cell for cell in each if cell.cell_type == "code"] for each in (cells, built))
    code = [[cell.source for cell in each if not FIXED & tags(cell)] for each in (own, done)]
    if code[0] != code[1]:
        sys.exit(f"{source.name} has changed: make build LESSONS={build.number(source)}")
    for cell, other in zip(own, done, strict=True):
        cell.outputs = other.outputs


def to_html(notebook: nbformat.NotebookNode) -> str:
    """Write slides as one page, which asks for nothing but the folder reveal.js beside it."""
    exporter = SlidesExporter(template_name="deck", extra_template_basedirs=[TEMPLATES])
    exporter.register_preprocessor(TagRemovePreprocessor(remove_input_tags={"no-code"}), True)
    return MATH.sub(formula, exporter.from_notebook_node(notebook)[0])


def formula(found: re.Match) -> str:
    """Turn $...$ outside of code into MathML, which a browser draws by itself."""
    return found[0] if found[1] else tex2mathml(html.unescape(found[3]), as_block=found[2] == "$$")


if __name__ == "__main__":
    main()
