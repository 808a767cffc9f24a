"""A lesson's source → the learner's notebook and the solved one."""

import argparse
import ast
import base64
import hashlib
import io
import json
import os
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS, SOURCES, DOCS = ROOT / "notebooks", ROOT / "notebooks" / "src", ROOT / "docs"
SETUP = SOURCES / "setup_cell.py"
SLIDES_ALONE, SLIDE_TAGS = {"only-slides", "notes"}, {"slide", "more", "no-code"}
FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}}
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
TITLE = re.compile("# ?@title ")  # of a cell that Colab folds
WIDGET = "application/vnd.jupyter.widget-view+json"
SECONDS_A_CELL = 600
HOVER = re.compile(r"\]\(\.\./docs/glossary\.md#([\w-]+)\)")  # a link to a term of the glossary


def sources(names: list[str] | None = None) -> list[Path]:
    """List the sources of the lessons whose numbers or names are given, or of all."""
    every = sorted(SOURCES.glob("[0-9][0-9]*_*.py"))
    unknown = [name for name in names or [] if not any(s.name.startswith(name) for s in every)]
    if unknown:
        sys.exit(f"expected lessons such as {every[0].stem}, found {', '.join(unknown)}")
    return [source for source in every if not names or source.name.startswith(tuple(names))]


def number(source: Path) -> str:
    """Give the number of a lesson: "04", or "04b" of a bonus."""
    return source.stem.split("_")[0]


def learner_path(source: Path) -> Path:
    """Give the path of the notebook that a learner opens."""
    return NOTEBOOKS / f"{source.stem}.ipynb"


def solutions_path(source: Path) -> Path:
    """Give the path of the notebook with the solutions."""
    return NOTEBOOKS / "solutions" / f"{source.stem}.ipynb"


def read(source: Path) -> list[NotebookNode]:
    """Read the cells of a source; ValueError unless each "solution" is followed by its "check"."""
    cells = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent").cells
    tags = [set(cell.metadata.get("tags", [])) for cell in cells]
    for now, following in zip(tags, [*tags[1:], set()]):
        if ("solution" in now) != ("check" in following):
            raise ValueError(f'{source.name}: expected a "check" after each "solution", only there')
    untitled = [c for c, tag in zip(cells, tags) if "fold" in tag and not TITLE.match(c.source)]
    if untitled:
        found = untitled[0].source.partition("\n")[0]
        raise ValueError(f"{source.name}: expected #@title first in a folded cell, found {found!r}")
    if any(SLIDES_ALONE & tag and c.cell_type == "code" for tag, c in zip(tags, cells)):
        raise ValueError(
            f"{source.name}: expected {sorted(SLIDES_ALONE)} on text, found a code cell"
        )
    return cells


def compose(source: Path) -> NotebookNode:
    """Make the notebook of a source, not run yet: badge, set-up cell, cells, folded checks."""
    address = re.search(r"https://github\.com/([^\"]+)", SETUP.read_text(encoding="utf-8"))[1]
    page = f"https://colab.research.google.com/github/{address}/blob/main/notebooks"
    badge = f"[![Open in Colab](../docs/pictures/colab.svg)]({page}/{source.stem}.ipynb)"
    kept = [c for c in read(source) if not SLIDES_ALONE & set(c.metadata.get("tags", []))]
    cells, meanings, exercise = [nbformat.v4.new_markdown_cell(badge), *kept], glossary(), 0
    for position, cell in enumerate(cells):
        tags = [tag for tag in cell.metadata.get("tags", []) if tag not in SLIDE_TAGS]
        if "setup" in tags:
            cell.source = SETUP.read_text(encoding="utf-8").strip()
        if "check" in tags:
            exercise += 1
            title = f'#@title Check exercise {exercise} {{display-mode: "form"}}'
            cell.source = f'{title}\ncheck("{number(source)}.{exercise}")'
        if cell.cell_type == "markdown":
            cell.source = HOVER.sub(lambda m: f"{m[0][:-1]}{meanings.get(m[1], '')})", cell.source)
        folded = FOLDED if {"setup", "check", "fold"} & set(tags) else {}
        cell.metadata = nbformat.from_dict({**({"tags": tags} if tags else {}), **folded})
        cell.id = f"cell-{position:03d}"
    metadata = {"kernelspec": KERNEL, "course": {"made_from": fingerprint(source)}}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def glossary() -> dict[str, str]:
    """Map each term's anchor (by GitHub's rule) to the first sentence on it, as plain text."""
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    meanings = {}
    for term, first in re.findall(r"^### (.+)\n+(.+?[.:])(?:\s|$)", text, flags=re.MULTILINE):
        anchor = re.sub(r"[^\w -]", "", term.strip().lower()).replace(" ", "-")
        plain = re.sub(r"[*`]|\[([^]]*)\]\([^)]*\)", r"\1", first)
        meanings[anchor] = f' "{plain.replace(chr(34), chr(39))}"'
    return meanings


def blank(solution: str, check: str) -> str:
    """Give what a learner finds in place of a solution: the names that its check asks for."""
    asked = {node.id for node in ast.walk(ast.parse(check)) if isinstance(node, ast.Name)}
    lines, offered = ["# Your code here."], set()
    for node in ast.parse(solution).body:
        if isinstance(node, ast.FunctionDef):
            docstring = ast.get_docstring(node)
            lines.append(f"def {node.name}({ast.unparse(node.args)}):")
            lines += [f'    """{docstring}"""'] * bool(docstring) + ["    ..."]
            offered.add(node.name)
        elif isinstance(node, ast.Assign):
            parts = [part for target in node.targets for part in ast.walk(target)]
            stored = [part.id for part in parts if isinstance(part, ast.Name)]
            names = [name for name in dict.fromkeys(stored) if name in asked - offered]
            lines += [f"{name} = ..." for name in names]
            offered.update(names)
    if not asked & offered:
        raise ValueError(f"expected a solution that makes a name its check uses:\n{solution}")
    return "\n".join(lines)


def fingerprint(source: Path) -> str:
    """Hash what a lesson's outputs depend on: its code and the helpers it reaches, bare."""
    code = [cell.source for cell in read(source) if cell.cell_type == "code"]
    modules = sorted(helpers("\n".join(code), set()))
    parts = [bare(text) for text in [*code, *(path.read_text("utf-8") for path in modules)]]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def bare(code: str) -> str:
    """Strip comments, docstrings and blank lines, the same on every Python."""
    lines = code.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    with_docstring = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, with_docstring) and ast.get_docstring(node, clean=False) is not None:
            docstring = node.body[0]
            if docstring.lineno > getattr(node, "lineno", 0):  # not behind the def, as all it has
                for row in range(docstring.lineno, docstring.end_lineno + 1):
                    lines[row - 1] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())


def helpers(code: str, known: set[Path]) -> set[Path]:
    """Add to `known` the modules of course_lib that a piece of code imports, and those they do."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("course_lib"):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for path in (ROOT / f"{name.replace('.', '/')}.py" for name in names):
                if path.is_file() and path not in known:
                    known.add(path)
                    helpers(path.read_text(encoding="utf-8"), known)
    return known


def build(source: Path, *, anew: bool = False) -> str:
    """Write a lesson's two notebooks; its cells run if code or helpers have changed, or `anew`."""
    whole, outputs = compose(source), kept(source)
    learner(whole, source)  # what cannot be blanked is said before anything runs
    done = "words renewed" if outputs and not anew else "run and built"
    if outputs and not anew:
        whole.metadata.course["data"] = outputs.metadata.course["data"]
        for cell, old in zip(code_cells(whole), code_cells(outputs), strict=True):
            cell.outputs = old.outputs
    else:
        whole = execute(whole)
    pairs = (learner_path(source), learner(whole, source)), (solutions_path(source), deeper(whole))
    for path, notebook in pairs:
        path.parent.mkdir(exist_ok=True)
        path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return done


def kept(source: Path) -> NotebookNode | None:
    """Read the solved notebook if it was built from the same code and helpers."""
    path = solutions_path(source)
    built = nbformat.read(path, as_version=4) if path.exists() else None
    same = built and built.metadata.get("course", {}).get("made_from") == fingerprint(source)
    return built if same else None


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """List the code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def execute(notebook: NotebookNode) -> NotebookNode:
    """Run a notebook in the notebooks' folder; its outputs hold nothing that differs by run."""
    loaded = nbformat.v4.new_code_cell(
        "import json\nfrom course_lib import data as _\nprint(json.dumps(_.LOADED))"
    )
    notebook.cells.append(loaded)
    (ROOT / "build" / "results.csv").unlink(missing_ok=True)  # a lesson's table begins empty
    resources = {"metadata": {"path": str(NOTEBOOKS)}}
    quiet = {"extra_arguments": ["--log-level=ERROR"], "resources": resources}
    NotebookClient(notebook, timeout=SECONDS_A_CELL, kernel_name="python3", **quiet).execute(
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
    )
    notebook.metadata.course["data"] = json.loads(notebook.cells.pop().outputs[0].text)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, list(tidy(cell.outputs))
    for name in ("language_info", "widgets"):
        notebook.metadata.pop(name, None)
    return notebook


def tidy(outputs: list[NotebookNode]) -> Iterator[NotebookNode]:
    """Yield outputs: streams joined, pictures in 256 colours, widgets as text, no counts."""
    before = None
    for output in outputs:
        if output.output_type == "stream" and output.name == "stderr":
            raise ValueError(f"expected a cell without warnings, found: {output.text[:500]}")
        if output.output_type == "stream":
            text = (before.text if before else "") + output.text
            output.text = re.sub(r"[^\n]*\r(?!\n)", "", text)  # a progress bar's last state
            if before is not None:
                before.text = output.text
                continue
        before = output if output.output_type == "stream" else None
        if "execution_count" in output:
            output.execution_count = None
        output.get("data", {}).pop(WIDGET, None)
        if "image/png" in output.get("data", {}):
            output.data["image/png"] = smaller(output.data["image/png"])
        yield output


def smaller(png: str) -> str:
    """Reduce a picture (base64) to 256 colours: half the size, and it looks the same."""
    from PIL import Image

    reduced = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    picture.quantize(256).save(reduced, "png", optimize=True)
    return base64.b64encode(reduced.getvalue()).decode()


def learner(whole: NotebookNode, source: Path) -> NotebookNode:
    """Copy a notebook with its solutions blanked and its checks not run."""
    notebook = nbformat.from_dict(whole)
    checks = [c.source for c in read(source) if "check" in c.metadata.get("tags", [])]
    solutions = [c for c in notebook.cells if "solution" in c.metadata.get("tags", [])]
    for cell, check in zip(solutions, checks, strict=True):
        cell.source = blank(cell.source, check)
    for cell in code_cells(notebook):
        if {"solution", "check"} & set(cell.metadata.get("tags", [])):
            cell.outputs = []
    return notebook


def deeper(whole: NotebookNode) -> NotebookNode:
    """Copy a notebook with its links as they lead from the folder of the solutions."""
    notebook = nbformat.from_dict(whole)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("](../", "](../../")
    return notebook


def printed(where: str) -> str:
    """Give what a lesson ("04") prints, or the text of a benchmark's results ("speed.md")."""
    if where.endswith(".md"):
        return (ROOT / "benchmarks" / "results" / where).read_text(encoding="utf-8")
    [path] = (NOTEBOOKS / "solutions").glob(f"{where}_*.ipynb")
    outputs = [o for c in code_cells(nbformat.read(path, as_version=4)) for o in c.outputs]
    texts = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs]
    return "\n" + "\n".join(texts)


def claims() -> str:
    """Fill docs/claims.template.md; ValueError for a number that is printed nowhere."""
    texts = {}

    def value(gap):
        where, pattern = gap[1].split(" ", 1)
        texts[where] = texts.get(where) or printed(where)
        found = re.search(pattern, texts[where])
        if not found:
            raise ValueError(f"docs/claims.template.md: {where} prints nothing like {pattern}")
        return found[1]

    return re.sub(r"<<(.+?)>>", value, (DOCS / "claims.template.md").read_text(encoding="utf-8"))


def recipes() -> str:
    """Collect what the lessons give to take home: the text before each cell "recipe", the cell."""
    page = [(DOCS / "recipes.template.md").read_text(encoding="utf-8").strip()]
    for source in sources():
        cells = read(source)
        title = re.search(r"^# (.+)$", cells[0].source, flags=re.MULTILINE)[1]
        for cell in cells:
            if "recipe" in cell.metadata.get("tags", []):
                link = f"[lesson {number(source)}](../notebooks/{source.stem}.ipynb)"
                page += [f"## {title}", f"From {link}.", f"```python\n{cell.source}\n```"]
    return "\n\n".join(page) + "\n"


def differences(source: Path) -> Iterator[str]:
    """Run a lesson anew and yield what it gives otherwise than when it was built."""
    old = nbformat.read(solutions_path(source), as_version=4)
    for then, now in zip(code_cells(old), code_cells(execute(compose(source))), strict=True):
        if "timing" not in now.metadata.get("tags", []) and then.outputs != now.outputs:
            texts = [
                [o.get("text") or list(o.get("data", {})) for o in c.outputs] for c in (then, now)
            ]
            yield f"{source.stem}, {then.id}: {texts[0]} became {texts[1]}"


def main() -> None:
    """Build or compare the lessons that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lessons", nargs="*", help="numbers such as 05; by default all")
    parser.add_argument("--anew", action="store_true", help="run even where only words changed")
    parser.add_argument("--same", action="store_true", help="run again and compare the outputs")
    options = parser.parse_args()
    for source in sources(options.lessons):
        print(f"{source.stem}: ", end="", flush=True)
        if options.same:
            print("\n".join(differences(source)) or "nothing differs", flush=True)
        else:
            print(build(source, anew=options.anew), flush=True)
    (DOCS / "recipes.md").write_text(recipes(), encoding="utf-8")
    (DOCS / "claims.md").write_text(claims(), encoding="utf-8")


if __name__ == "__main__":
    main()
