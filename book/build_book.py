"""The built notebooks and the pages of text → a static site in build/book, which needs no network; Sphinx makes it of what is staged here."""

import argparse
import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import nbformat

BOOK = Path(__file__).resolve().parent
ROOT = BOOK.parent
sys.path.insert(0, str(ROOT))

from notebooks import build as course

TEXTS = ["*.md", "teaching/*.md", "data/README.md", "data/*/README.md", "benchmarks/README.md", "benchmarks/results/*.md"]  # besides the notebooks, what becomes a page
FRONT = {"README.md": "index.md"}  # the page that a web host shows first has this name
CONTENTS = {  # the headings of the list at the side, and what stands under them in this order; pages that are not named here stand under MORE
    "Lessons": ["notebooks/*.ipynb"],
    "To look things up": ["GLOSSARY.md", "FAQ.md", "CLAIMS.md"],
    "Teaching": ["TEACHING.md"],
    "Data and measurements": ["data/README.md", "benchmarks/README.md"],
}
MORE = "About the course"
BELOW = {"TEACHING.md": "teaching/*.md", "data/README.md": "data/*/README.md", "benchmarks/README.md": "benchmarks/results/*.md"}  # the pages that a page ends with
FOLDERS = {"teaching": "TEACHING.md", "benchmarks/results": "benchmarks/README.md"}  # the page that lists a folder's pages; for others it is their README.md
BADGE = re.compile(r"\[!\[([^]]*)\]\(https?:[^)]*\)\]\(([^)]*)\)")  # a link around a picture from another host
TARGET = re.compile(r"(?<=\]\()[^)\s]+")  # where a link of Markdown leads
SETUP = "Set-up: finds the course's helpers, or fetches them on Colab"
SOLUTION = "A solution, and what the check says to it"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "book", help="the folder of the site (by default build/book)")
    options = parser.parse_args()
    pages = build(options.out)
    print(f"{pages} pages; open {os.path.relpath(options.out / 'index.html')} in a browser")


def build(out, *, root=ROOT):
    """Stage the course that lies in `root` beside the folder `out`, and let Sphinx write the site there, in place of an earlier one.

    Returns: the number of its pages.
    Raises: ValueError if `out` holds something else than a site; RuntimeError with Sphinx's words if it warns of anything.
    """
    if out.exists() and any(out.iterdir()) and not (out / "searchindex.js").exists():
        raise ValueError(f"{out}: expected an empty folder or an earlier book, found {sorted(path.name for path in out.iterdir())[:3]}")
    scratch = out.with_name(f"{out.name}-source")
    for folder in (out, scratch):
        shutil.rmtree(folder, ignore_errors=True)
    stage(root, scratch / "pages")
    arguments = ["-b", "html", "-W", "--keep-going", "-q", "-c", BOOK, "-d", scratch / "doctrees", scratch / "pages", scratch / "html"]
    done = subprocess.run([sys.executable, "-m", "sphinx", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"expected a book without a warning, found:\n{done.stderr.replace(f'{scratch}/pages/', '')}")
    shutil.move(scratch / "html", out)
    return len(list(out.glob("**/*.html")))


def stage(root, folder):
    """Write what Sphinx reads: every page, in its place of the repository, and the files that pages link to."""
    texts = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for pattern in TEXTS for path in sorted(root.glob(pattern))}
    lessons = {path.relative_to(root).as_posix(): path for path in sorted(root.glob("notebooks/[0-9][0-9]_*.ipynb"))}
    names = [*lessons, *texts]
    below = {child: parent for parent, pattern in BELOW.items() if parent in texts for child in matching(pattern, names) if child != parent}
    for name, text in texts.items():
        text += toctree(name, [child for child in below if below[child] == name], ":titlesonly:")
        if name == "README.md":
            text = front(text, [page for page in names if page not in {*below, name}])
        write(folder / FRONT.get(name, name), linked(BADGE.sub(r"[\1](\2)", text), name, names, root, folder))
    for name, path in lessons.items():
        solutions = path.parent / "solutions" / path.name
        notebook = lesson(nbformat.read(path, as_version=4), nbformat.read(solutions, as_version=4), path.name)
        for cell in (cell for cell in notebook.cells if cell.cell_type == "markdown"):
            cell.source = linked(cell.source, name, names, root, folder)
        write(folder / name, nbformat.writes(notebook))
        for copy, original in {path.name: path, f"solutions/{path.name}": solutions}.items():
            write(folder / "downloads" / copy, original.read_text(encoding="utf-8"))


def write(path, text):
    """Write a text in UTF-8 into a folder that is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def matching(pattern, names):
    """The names that match a pattern, in their order."""
    return [name for name in names if PurePosixPath(name).match(pattern)]


def front(text, pages):
    """The README as the first page: with a word on how to read the book, and with the contents by which all pages are ordered.

    Args: pages: what the contents name.
    """
    opening, heading, rest = text.partition("\n## ")
    listed = {part: [page for pattern in patterns for page in matching(pattern, pages)] for part, patterns in CONTENTS.items()}
    listed[MORE] = [page for page in pages if not any(page in under for under in listed.values())]
    contents = "".join(toctree("README.md", under, ":hidden:", f":caption: {part}") for part, under in listed.items())
    return f"{opening}\n{(BOOK / 'reading.md').read_text(encoding='utf-8')}{heading}{rest}{contents}"


def toctree(page, names, *options):
    """Sphinx's list of the pages that follow a page; no text where none do."""
    lines = [relative(name, page) for name in names]
    return "\n".join(["", "", "```{toctree}", *options, "", *lines, "```", ""]) if names else ""


def relative(path, page):
    """The way from a page to a path; both are counted from the top of the repository."""
    return PurePosixPath(os.path.relpath(path, PurePosixPath(page).parent)).as_posix()


def linked(text, page, names, root, folder):
    """A page's text with links that hold in the book; files that are no pages are copied beside.

    Args: names: of all pages; root: of the course; folder: where pages are staged.
    """

    def mended(link):
        target, _, anchor = link[0].partition("#")
        path = PurePosixPath(os.path.normpath(PurePosixPath(page).parent / target)).as_posix()
        if not target or ":" in target:
            return link[0]
        if (root / path).is_dir():
            own = FOLDERS.get(path, f"{path}/README.md")
            if own not in names:
                return "https://github.com/{}/tree/{}/".format(*course.address()) + path
            path = own
        path = path.replace("notebooks/solutions/", "notebooks/")  # a lesson's page has its solutions
        if path not in names and (root / path).is_file():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / path, folder / path)
        return relative(FRONT.get(path, path), page) + (f"#{anchor}" if anchor else "")

    return TARGET.sub(mended, text)


def lesson(notebook, solved, name):
    """A learner's notebook as a page of the book: links under its title, the set-up folded, each solution folded below its check, each picture with its words.

    Args: solved: the notebook with the solutions; name: of their files. Returns: a new notebook.
    """
    badge, title, *rest = notebook.cells
    heading, _, opening = title.source.partition("\n")
    text, colab = BADGE.search(badge.source).groups()
    links = f"[{text}]({colab}) · {{download}}`Download the notebook <../downloads/{name}>` · {{download}}`Download it solved <../downloads/solutions/{name}>`"
    cells = [nbformat.v4.new_markdown_cell(f"{heading}\n\n{links}\n{opening}")]
    for mine, theirs in zip(rest, solved.cells[2:], strict=True):
        tags = mine.metadata.get("tags", [])
        cells += described(folded(mine, SETUP) if "setup" in tags else mine)
        if "solution" in tags:
            solution = theirs
        if "check" in tags:
            cells.append(folded(nbformat.v4.new_code_cell(solution.source, outputs=[*solution.outputs, *theirs.outputs]), SOLUTION))
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number:03d}"
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": course.KERNEL["kernelspec"]})


def folded(cell, line):
    """A code cell that MyST-NB shows closed, as one line of text."""
    shown = nbformat.from_dict(cell)
    shown.metadata = {"tags": ["hide-cell"], "mystnb": {"code_prompt_show": line, "code_prompt_hide": line}}
    return shown


def described(cell):
    """A cell as a cell for each of its pictures, whose words stand below it: MyST-NB takes a picture's words from its cell, where notebooks have them in its output.

    Returns: a list of cells, of which the later ones show outputs alone.
    """
    if cell.cell_type != "code":
        return [cell]
    cell = nbformat.from_dict(cell)  # not the notebook's own, whose outputs are changed here
    parts = [nbformat.from_dict({**cell, "outputs": []})]
    for output in cell.outputs:
        words = output.get("metadata", {}).get("image/png", {}).get("alt")
        if words and "image" in parts[-1].metadata.get("mystnb", {}):
            parts.append(nbformat.v4.new_code_cell("...", metadata={"tags": ["remove-input"]}))  # an empty cell would be left out
        if words:
            parts[-1].metadata.setdefault("mystnb", {})["image"] = {"alt": words}
        parts[-1].outputs.append(output)
        if words and taken(words, cell.outputs):
            parts[-1].outputs.append(nbformat.v4.new_output("display_data", {"text/html": f'<p class="words">{html.escape(words, quote=False)}</p>'}))
    for part in parts:
        part.outputs = [output for output in part.outputs if output.output_type != "stream" or output.text.strip()]
    return parts


def taken(words, outputs):
    """Take a picture's words, which its cell prints in lines of one width, out of what it prints: a page has its own width. Returns: whether they were there."""
    printed = re.compile(r"\s+".join(map(re.escape, words.split())) + r"\n?")
    for output in (each for each in outputs if each.output_type == "stream" and printed.search(each.text)):
        output.text = printed.sub("", output.text, count=1)
        return True
    return False


if __name__ == "__main__":
    main()
