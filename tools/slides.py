"""A lesson's source and the outputs of its solutions notebook → its slides, one page that needs no network; which cells, their tags say."""

import argparse
import base64
import io
import re
import sys
from importlib.metadata import distribution
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter
from nbconvert.preprocessors import TagRemovePreprocessor
from PIL import Image
from pygments.formatters import HtmlFormatter

TEACHING = Path(__file__).resolve().parent
sys.path.insert(0, str(TEACHING.parent))

from notebooks import build, shared

DECK = TEACHING / "deck"
PLACES = {"slide": "slide", "more": "-", "notes": "notes"}  # our tag → nbconvert's word for it
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\([^)\s]+(?: \"[^\"]*\")?\)")
REVEAL = "sphinx_revealjs/_static/revealjs"  # reveal.js, as the package sphinx-revealjs brings it
THEME = "white_contrast_compact_verbatim_headers"
LETTERS = [("regular", 400, "normal"), ("italic", 400, "italic"), ("semibold", 600, "normal")]
ENLARGED = 1.4  # a picture's largest width on a slide, in its own pixels
TALLEST = 620  # pixels: a cell's pictures that are higher together go on more slides than one, or nobody could read them


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lessons", nargs="*", help="numbers or names of lessons, such as 01; by default all")
    lessons = shared.chosen(build.sources(), parser.parse_args().lessons)
    folder, failed = build.ROOT / "build" / "slides", []
    folder.mkdir(parents=True, exist_ok=True)
    for source in lessons:
        try:
            notebook = slides(source)
        except ValueError as reason:
            failed.append(source.stem)
            print(reason, flush=True)
            continue
        (folder / f"{source.stem}.html").write_text(page(source, notebook), encoding="utf-8")
        print(f"{source.stem}: {sum(starts(cell) for cell in notebook.cells)} slides", flush=True)
    if failed:
        sys.exit(f"{len(failed)} of {len(lessons)} lessons have no slides: {', '.join(failed)}")


def heading(source):
    """A lesson's number and title, such as "05 · Training a vanilla RNN"."""
    return re.search(r"^# (\d\d · .+)$", build.read(source)[0].source, flags=re.MULTILINE)[1]


def slides(source):
    """The cells of a lesson that its tags put on slides, with their outputs, between a first and a last slide.

    Returns: a notebook whose cells say in their metadata, in nbconvert's words, where they belong.
    Raises: ValueError if a tag stands where it means nothing, no cell is tagged, or the lesson's outputs are not those of its code.
    """
    cells = build.read(source)
    places = [place(source, cell) for cell in cells]
    used = [where for where in places if where]
    if "slide" not in used:
        raise ValueError(f'{source.name}: expected cells tagged "slide", found none')
    if used[0] != "slide":
        cell = cells[places.index(used[0])]
        raise ValueError(f'{source.name}: expected a cell tagged "slide" before the first one tagged "{used[0]}", found none before:\n{first_line(cell)}')
    fill(source, cells)
    shown = []
    for cell, where in ((cell, where) for cell, where in zip(cells, places) if where):
        shown += parts(source, cell, where, [*shown, cell])
    shown = [*opening(source, shown), *closing(source, cells)]
    for position, cell in enumerate(shown):
        cell.id = f"cell-{position:03d}"
    return nbformat.v4.new_notebook(cells=shown, metadata=build.KERNEL)


def place(source, cell):
    """The tag that puts a cell on a slide: "slide", "more" or "notes"; None for a cell that is on none.

    Raises: ValueError if its tags contradict each other.
    """
    tags = set(cell.metadata.get("tags", []))
    where = [tag for tag in PLACES if tag in tags]
    if len(where) > 1 or ("no-code" in tags and (cell.cell_type != "code" or not where)) or ("only-slides" in tags and not {"slide", "more"} & tags):
        rule = '"slide", "more" or "notes", one of them; "no-code" for code and "only-slides" only beside "slide" or "more"'
        raise ValueError(f"{source.name}: expected {rule}; found {', '.join(sorted(tags & build.SLIDE_TAGS))} at:\n{first_line(cell)}")
    return where[0] if where else None


def first_line(cell):
    """What a message shows of a cell."""
    return "    " + cell.source.partition("\n")[0][:100]


def fill(source, cells):
    """Give the code cells of a source the outputs that they had when the lesson was last built.

    Raises: ValueError if its code or its helpers have changed since then.
    """
    kept = build.kept_outputs(source)
    if kept is None:
        raise ValueError("\n".join([f"{source.name}: its outputs are older than its code", *build.stale_parts(source)]))
    for cell, outputs in zip((cell for cell in cells if cell.cell_type == "code"), kept, strict=True):
        cell.outputs = outputs


def parts(source, cell, where, shown):
    """A cell as nbconvert wants it, on more slides than one if its pictures need them, and the words on its pictures, which its listeners need and its viewers do not, as speaker's notes.

    Args: shown: the cells up to this one; the last heading among them is that of each further slide.
    """
    tags = cell.metadata.get("tags", [])
    if "no-code" in tags and not cell.outputs:
        raise ValueError(f'{source.name}: expected outputs of a cell tagged "no-code", found none:\n{first_line(cell)}')
    cell.metadata = nbformat.from_dict({"tags": tags, "slideshow": {"slide_type": PLACES[where]}})
    for output in filter(is_picture, cell.get("outputs", [])):
        take_words(cell, output)
    found, title = [], ([each.source.partition("\n")[0] for each in shown if each.source.startswith("#") and each.cell_type == "markdown"] or [f"## {heading(source)}"])[-1]
    for number, piece in enumerate(divided(cell), start=1):
        words = [output.metadata["image/png"].get("alt") for output in filter(is_picture, piece.get("outputs", []))]
        found += [*([slide_cell(f"{title} ({number})")] if number > 1 else []), piece, *(slide_cell(text, "notes") for text in words if text)]
    return found


def is_picture(output):
    """Whether an output of a cell is a picture."""
    return "image/png" in output.get("data", {})


def picture(output):
    """The picture of an output."""
    return Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))


def divided(cell):
    """A cell as the cells of one slide or more: its pictures on each are TALLEST pixels high together, or one alone; the later ones show outputs and no code."""
    pieces, height = [[]], 0
    for output in cell.get("outputs", []):
        own = picture(output).height if is_picture(output) else 0
        if own and height and height + own > TALLEST:
            pieces.append([])
            height = 0
        pieces[-1].append(output)
        height += own
    if len(pieces) == 1:
        return [cell]
    cell.outputs = pieces[0]
    hidden = {"tags": ["no-code"], "slideshow": {"slide_type": PLACES["more"]}}
    return [cell, *(nbformat.v4.new_code_cell(cell.source, metadata=nbformat.from_dict(hidden), outputs=outputs) for outputs in pieces[1:])]


def take_words(cell, output):
    """Enlarge a picture, and take the sentence that stands below it out of the cell's printed lines; it stays the picture's alternative text."""
    about = output.metadata.setdefault("image/png", nbformat.NotebookNode())
    about.width = round(ENLARGED * picture(output).width)
    words = about.get("alt", "")
    for printed in (each for each in cell.outputs if words and each.output_type == "stream"):
        printed.text = re.sub(r"\s+".join(map(re.escape, words.split())) + r"\n?", "", printed.text)
    cell.outputs = [each for each in cell.outputs if each.output_type != "stream" or each.text.strip()]


def slide_cell(text, kind="slide"):
    """A cell of words that the source does not have."""
    return nbformat.v4.new_markdown_cell(text, metadata=nbformat.from_dict({"slideshow": {"slide_type": kind}}))


def starts(cell):
    """Whether a new slide begins with a cell."""
    return cell.metadata.slideshow.slide_type == "slide"


def opening(source, shown):
    """The slides that a lesson shows, on the first number, title, minutes and licence; it is added if the lesson's own does not begin with the title."""
    minutes = re.search(r"\*\*Minutes:\*\* (\d+)", build.read(source)[0].source)
    course = "Recurrent neural networks for audio classification" + (f": a lesson of {minutes[1]} minutes" if minutes else "")
    keys = "Keys: arrows, F full screen, N notes beside the slide, S notes in a window of their own, ? all keys. Alt (on Linux Ctrl) and a click: larger there, and back. To print, write ?print-pdf at the end of the address."
    titled = [shown[0]] if shown[0].source.startswith("# ") else [slide_cell(f"# {heading(source)}")]
    return [*titled, slide_cell(f'{course}\n\n<p class="small">{keys} Text: CC BY 4.0.</p>', "-"), *shown[shown[0] is titled[0] :]]


def closing(source, cells):
    """The last slide, with the notebook's name and the credits that close the lesson."""
    last = [cell for cell in cells if cell.cell_type == "markdown" and not build.SLIDES_ALONE & set(cell.metadata.get("tags", []))][-1]
    credits = last.source.strip().rpartition("\n\n")[2].replace("\n", " ").strip("*")
    notebook = f"The whole lesson, with its exercises and its quiz: `notebooks/{source.stem}.ipynb`"
    return [slide_cell(f'## {heading(source)}\n\n{notebook}\n\n<p class="small">{credits}</p>')]


def page(source, notebook):
    """The slides as one HTML page."""
    exporter = SlidesExporter(template_name=DECK.name, extra_template_basedirs=[str(TEACHING)], filters={"without_links": without_links},
                              exclude_input_prompt=True, exclude_output_prompt=True, exclude_anchor_links=True)  # fmt: skip
    exporter.register_preprocessor(TagRemovePreprocessor(remove_input_tags={"no-code"}, enabled=True))
    return exporter.from_notebook_node(notebook, resources={"deck": {"title": heading(source), **assets()}})[0]


def without_links(text):
    """Markdown with the words of its links alone: a slide is shown where their addresses lead nowhere."""
    return LINK.sub(r"\1", text)


def assets():
    """The styles and programs that a page of slides holds.

    Returns: a dict: `css`, text; `scripts`, base64; `start`, JavaScript that starts the show.
    """
    reveal = Path(distribution("sphinx-revealjs").locate_file(REVEAL))
    theme = re.sub(r"@import url\([^)]*\);", "", (reveal / "dist" / "theme" / f"{THEME}.css").read_text(encoding="utf-8"))
    styles = [(reveal / "dist" / "reveal.css").read_text(encoding="utf-8"), theme, letters(reveal / "dist" / "theme" / "fonts" / "source-sans-pro")]
    styles += [HtmlFormatter(style="default", nobackground=True).get_style_defs(".highlight"), (DECK / "deck.css").read_text(encoding="utf-8")]
    scripts = [base64.b64encode((reveal / name).read_bytes()).decode() for name in ["dist/reveal.js", "plugin/notes/notes.js", "plugin/zoom/zoom.js"]]
    return {"css": "\n".join(styles), "scripts": scripts, "start": (DECK / "start.js").read_text(encoding="utf-8")}


def letters(folder):
    """Source Sans Pro inside the style, so that a slide has the same lines on every machine."""
    face = '@font-face {{ font-family: "Source Sans Pro"; font-weight: {}; font-style: {}; src: url(data:font/woff;base64,{}) format("woff"); }}'
    return "\n".join(face.format(weight, style, base64.b64encode((folder / f"source-sans-pro-{name}.woff").read_bytes()).decode()) for name, weight, style in LETTERS)


if __name__ == "__main__":
    main()
