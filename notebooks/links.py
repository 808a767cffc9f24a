"""The links of the course's pages: one line for each address on the web, with the files it stands in; --check asks each whether it still answers."""

import argparse
import functools
import http.client
import json
import os
import re
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import jupytext
import yaml
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from notebooks import shared

SKIPPED = {"build", "downloads", "node_modules", "__pycache__"}  # folders that are made on this machine
SHOWN = {".ci", ".github"}  # folders that belong to the course, though their names begin with a dot
FORMS = ".github/ISSUE_TEMPLATE"
FROM_A_FORM = "../blob/HEAD/"  # what leads from a form on GitHub to a file of the course, whatever the branch is called
WEB = re.compile(r"https?://")
BARE = re.compile(r"https?://[^\s<>()\"'`\]]*[^\s<>()\"'`\].,;:]")  # an address without brackets around it
TARGET = re.compile(r"""(?<![\w-])(?:href|src)\s*=\s*(?:"([^"]+)"|'([^']+)'|([^\s"'>]+))""")  # of a link in HTML
NAMED = re.compile(r"(?<![\w\]])\[[^\[\]]+\]\[[^\[\]]*\]")  # a link whose address stands elsewhere on the page; one that was found is no text any more
ABSOLUTE = re.compile(  # a place on one machine; the folders of the system and of Homebrew are the same on all
    r"(?<![\w.~-])(?:(?:file://)?(?<![\w./~-])/(?:tmp|home|root|Users|Volumes|content|work|mnt|media|opt(?!/homebrew)|srv|var|data|private)(?:/|\b(?![\w-]))|file:///\w|[A-Za-z]:(?:\\\\?|/)(?=\w)(?!/))"
)
TIMEOUT = 20  # seconds
BROWSER = {"User-Agent": "Mozilla/5.0 (a check of a course's links)"}  # some hosts answer nothing else


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help=f"ask each address, for {TIMEOUT} seconds at most, and exit with 1 if one does not answer")
    options, found = parser.parse_args(), web(pages())
    with ThreadPoolExecutor(8) as pool:
        said = dict(zip(found, pool.map(answer, found))) if options.check else {}
    for address, places in found.items():
        print(" ".join([*([said[address]] if said else []), address, *(f"({place})" for place in places)]))
    lost = [address for address, status in said.items() if status != "ok"]
    print(f"{len(found)} addresses" + (f", {len(lost)} without an answer" if said else ""))
    sys.exit(bool(lost))


def files(root=ROOT):
    """The course's own files: none that is hidden or made on this machine, and none of a Python's, whatever its folder is called.

    Returns: a sorted list of paths.
    """
    found = []
    for folder, below, names in os.walk(root):
        below[:] = [name for name in below if _own(name) and not (Path(folder) / name / "pyvenv.cfg").exists()]
        found += [Path(folder) / name for name in names if not name.startswith(".")]
    return sorted(found)


def _own(folder):
    return folder not in SKIPPED and (folder in SHOWN or not folder.startswith("."))


def pages(root=ROOT):
    """The Markdown that people read: files, the forms for questions, the lessons' sources, and the notebooks as they are built.

    Returns: a dict from path, below `root`, to text.
    """
    found = {}
    for path in files(root):
        inside = path.relative_to(root)
        if path.suffix == ".md":
            found[inside] = path.read_text(encoding="utf-8")
        elif path.match("notebooks/src/*.py"):
            found[inside] = prose(jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent"))
        elif path.suffix == ".ipynb":
            found[inside] = prose(json.loads(path.read_text(encoding="utf-8")))
        elif path.match(f"{FORMS}/*.yml"):
            found[inside] = "\n\n".join(texts(yaml.safe_load(path.read_text(encoding="utf-8"))))
    return found


def texts(tree):
    """All texts in lists and dicts, as YAML or JSON gives them; not the names of a dict."""
    if isinstance(tree, (dict, list)):
        return [text for part in (tree.values() if isinstance(tree, dict) else tree) for text in texts(part)]
    return [tree] if isinstance(tree, str) else []


def prose(notebook):
    """The text of a notebook's markdown cells.

    Args: notebook: as nbformat or JSON reads it.
    """
    return "\n\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")


def parsed(text):
    """The tokens of a Markdown text, those inside a paragraph or a heading after it."""
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        yield token
        yield from token.children or []


def links(text):
    """Where the links and pictures of a text lead, those in code left out.

    Returns: a list of addresses, in order.
    """
    found, inside = [], False
    for token in parsed(text):
        inside = {"link_open": True, "link_close": False}.get(token.type, inside)
        if token.type in ("link_open", "image"):
            found.append(token.attrs.get("href") or token.attrs.get("src"))
        elif token.type in ("html_block", "html_inline"):
            found += ["".join(each) for each in TARGET.findall(token.content)]
        elif token.type == "text" and not inside:
            found += BARE.findall(token.content)
    return found


def undefined(text):
    """The links of a text that name an address which stands nowhere, such as [this][nowhere]."""
    paragraphs = ["".join("`" if child.type == "code_inline" else child.content or " " * child.type.endswith("break") for child in token.children) for token in parsed(text) if token.type == "inline"]
    return [found for paragraph in paragraphs for found in NAMED.findall(paragraph)]


def headings(text):
    """The texts of a page's headings, as they are read."""
    following = False
    for token in parsed(text):
        if following and token.type == "inline":
            yield "".join(child.content for child in token.children if child.type in ("text", "code_inline"))
        following = token.type == "heading_open"


@functools.cache
def anchors(text, *, notebook=False):
    """The places of a page that a link can name: GitHub's rule for Markdown, Jupyter's for a notebook.

    Returns: a set of texts, without the #.
    """
    if notebook:
        return {heading.replace(" ", "-") for heading in headings(text)}
    found = set(re.findall(r"""<a (?:id|name)=["']([^"']+)["']""", text))
    for heading in headings(text):
        plain = shared.anchor(heading)
        found.add(next(name for name in [plain, *(f"{plain}-{count}" for count in range(1, 100))] if name not in found))
    return found


def broken(place, text, *, root=ROOT):
    """Sentences on the links of a page that lead nowhere in the repository; addresses on the web are not asked.

    Args: place: the page's path below `root`. A source is read as the notebook that is built from it.
    """
    lines, folder = [f"{place}: {link} has no address" for link in undefined(text)], root / place.parent
    if place.parent.name == "src":
        folder = folder.parent
    elif place.suffix == ".yml":
        folder = root / "issues"
    for link in links(text):
        if WEB.match(link) or link.startswith("mailto:"):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = Path(os.path.normpath(folder / (name.replace(FROM_A_FORM, "../") if place.suffix == ".yml" else name))) if name else root / place
        if name and not _is_there(target, root):
            lines.append(f"{place}: {link} leads to no file of the course")
        elif anchor and (target.is_dir() or anchor not in anchors(_read(target) if name else text, notebook=target.suffix in (".ipynb", ".py"))):
            lines.append(f"{place}: {link} leads to no heading of {target.name}")
    return lines


def _is_there(target, root):
    """Whether a file or a folder is one of the course's own: what is made here is missing elsewhere."""
    if not target.exists() or not target.resolve().is_relative_to(root.resolve()):
        return False
    return all(map(_own, target.relative_to(root).parts if target.is_dir() else target.relative_to(root).parts[:-1]))


def _read(path):
    text = path.read_text(encoding="utf-8")
    return prose(json.loads(text)) if path.suffix == ".ipynb" else text


def web(found):
    """The addresses on the web, with the files that they stand in; a notebook is left out, for its source is listed.

    Returns: a dict from address to a sorted list of paths, sorted by address.
    """
    places = {}
    for place, text in found.items():
        for link in links(text) if place.suffix != ".ipynb" else []:
            if WEB.match(link):
                places.setdefault(link, set()).add(str(place))
    return {address: sorted(places[address]) for address in sorted(places)}


def answer(address, *, timeout=TIMEOUT):
    """Ask an address on the web whether it is there.

    Returns: "ok", or in a word or two what came in its place.
    """
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=BROWSER), timeout=timeout) as response:
            response.read(1)
        return "ok"
    except urllib.error.HTTPError as error:
        return f"answer-{error.code}"
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"no-answer-{type(error).__name__}"


if __name__ == "__main__":
    main()
