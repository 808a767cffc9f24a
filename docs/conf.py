"""Sphinx makes the book from the built notebooks and the pages of text: make book."""

import base64
import html
import json
import re
import shutil
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

project = html_title = "Recurrent neural networks for audio classification"
extensions = ["myst_nb"]
root_doc = "docs/index"
include_patterns = ["*.md", "*/*.md", "data/*/README.md", "benchmarks/*/*.md", "notebooks/*.ipynb"]
exclude_patterns = ["docs/*.template.md", "teaching/template.md", ".*", "build"]
suppress_warnings = ["myst.header"]  # the glossary's terms are headings of the third rank

nb_execution_mode = "off"
nb_ipywidgets_js = {}  # they would come from another host
myst_heading_anchors = 4  # headings have the anchors that they have on GitHub
myst_enable_extensions = ["colon_fence", "dollarmath", "html_image"]

html_theme = "furo"
html_static_path = ["static"]
html_extra_path = ["front"]  # index.html at the top, which leads to docs/index.html
html_css_files = ["book.css"]
html_favicon = "static/mark.svg"
html_math_renderer = "mathml"
html_use_index = html_copy_source = html_show_copyright = False
pygments_style, pygments_dark_style = "a11y-high-contrast-light", "a11y-high-contrast-dark"
# A search shows a line of each page that it finds; a folder on a disk cannot be asked for it.
SUMMARY = 'DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = location.protocol !== "file:";'
html_js_files = [(None, {"body": SUMMARY})]

BADGE = re.compile(r"\[!\[([^]]*)\]\([^)]*\)\]\(([^)]*)\)")  # a link with the look of a button
LINK = re.compile(r"\[([^]]+)\]\(([^):#]+)\)")
FOLDED = {"setup": "Set-up", "solution": "A solution", "check": "Its check"}  # tag → what is shown
PAGES = ("live/index.html", "drawings/poster.pdf")  # as they are, at the place where they are
PAGE = re.compile(r"\[([^]]+)\]\(([^)]*live/index\.html)\)")  # Sphinx would make it a download
DOWNLOADS = " · {{download}}`Download <{0}>` · {{download}}`Download it solved <solutions/{0}>`"


def setup(app: Sphinx) -> None:
    """Read pages from the whole repository, so that their links hold as they stand."""
    app.srcdir = type(app.srcdir)(Path(app.confdir).parent)
    app.connect("source-read", prepare)
    app.connect("build-finished", copy_pages)
    app.add_html_math_renderer("mathml", (write_formula, None), (write_formula, None))


def copy_pages(app: Sphinx, error: Exception | None) -> None:
    """Copy the page that listens, and the poster that it links, into the book."""
    for name in PAGES if error is None else ():
        target = Path(app.outdir) / "docs" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(app.confdir) / name, target)


def prepare(app: Sphinx, name: str, content: list[str]) -> None:
    """Turn what GitHub and Jupyter show into a page of the book."""
    page = Path(app.env.doc2path(name))
    if page.suffix == ".ipynb":
        solved = json.loads((page.parent / "solutions" / page.name).read_text(encoding="utf-8"))
        content[0] = json.dumps(lesson(json.loads(content[0]), solved, page.name))
        return
    text = content[0].replace("notebooks/solutions/", "notebooks/")  # a page has its solutions

    def link(found: re.Match) -> str:
        target = (page.parent / found[2]).resolve()
        hidden = target.suffix == ".md" and app.env.path2doc(target) not in app.env.found_docs
        return found[1] if target.is_dir() or (hidden and target.exists()) else found[0]

    content[0] = PAGE.sub(r'<a href="\2">\1</a>', LINK.sub(link, BADGE.sub(r"[\1](\2)", text)))


def lesson(notebook: dict, solved: dict, name: str) -> dict:
    """Put the solutions in, fold what is not for every reader, and give pictures their words."""
    for cell, solution in zip(notebook["cells"], solved["cells"], strict=True):
        for tag in FOLDED.keys() & set(cell["metadata"].get("tags", [])):
            cell.update(source=solution["source"], outputs=solution["outputs"])
            prompt = {"code_prompt_show": FOLDED[tag], "code_prompt_hide": FOLDED[tag]}
            cell["metadata"] = {"tags": ["hide-cell"], "mystnb": prompt}
        if cell["cell_type"] == "markdown":
            cell["source"] = PAGE.sub(r'<a href="\2">\1</a>', "".join(cell["source"]))
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            pictures = {"image/png": "".join(data.get("image/png", "")).strip()}
            drawn = "".join(data.get("image/svg+xml", ""))
            pictures["image/svg+xml"] = base64.b64encode(drawn.encode()).decode()
            for kind, content in pictures.items():
                if content:
                    alt = html.escape(output["metadata"].get(kind, {}).get("alt", ""))
                    picture = f'<img alt="{alt}" src="data:{kind};base64,{content}">'
                    output["data"] = {"text/html": picture}
    badge, title, *cells = notebook["cells"]
    links = BADGE.sub(r"[\1](\2)", "".join(badge["source"])) + DOWNLOADS.format(name)
    title["source"] = "".join(title["source"]).replace("\n", f"\n\n{links}\n", 1)
    return {**notebook, "cells": [title, *cells]}


def write_formula(writer: HTML5Translator, node: nodes.Element) -> None:
    """Write a formula in MathML, which a browser draws without a program of another host."""
    writer.body.append(tex2mathml(node.astext(), as_block=node.tagname == "math_block"))
    raise nodes.SkipNode
