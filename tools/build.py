"""A lesson's source → the learner's notebook and the solutions notebook; --check says whether they are fresh."""

import argparse
import ast
import base64
import hashlib
import io
import os
import re
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from PIL import Image

NOTEBOOKS = Path(__file__).resolve().parent
ROOT, SOURCES = NOTEBOOKS.parent, NOTEBOOKS / "src"
sys.path.insert(0, str(ROOT))

from notebooks import shared

SETUP = SOURCES / "setup_course.py"
GLOSSARY = ROOT / "GLOSSARY.md"
TERM = re.compile(r"\]\(\.\./GLOSSARY\.md#([\w-]+)\)")  # a link to the glossary, without a title
SLIDES_ALONE = {"only-slides", "notes"}  # cells that no notebook has
SLIDE_TAGS = {"slide", "more", "no-code", *SLIDES_ALONE}
BLANK = "# Your code here."
SECONDS_A_CELL = 300
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lessons", nargs="*", help="numbers or names of lessons, such as 01; by default all")
    parser.add_argument("--check", action="store_true", help="build nothing; say which notebooks are not fresh")
    parser.add_argument("--anew", action="store_true", help="run every cell, even where only words have changed since the last build")
    parser.add_argument("--repository", metavar="OWNER/NAME", help="write this address into the set-up cell and every badge, and run nothing")
    parser.add_argument("--branch", default="main", help="the branch that --repository means")
    options = parser.parse_args()
    if options.repository:
        return readdress(options.repository, options.branch)
    lessons = shared.chosen(sources(), options.lessons)
    if options.check:
        stale = [line for source in lessons for line in stale_parts(source)]
        print("\n".join(stale) or f"{len(lessons)} lessons are fresh")
        sys.exit(bool(stale))
    for source in lessons:
        done = "its words renewed" if kept_outputs(source) and not options.anew else "run and built"
        print(f"{source.stem}: ", end="", flush=True)  # if a cell fails, its lesson is named
        build(source, anew=options.anew)
        print(done, flush=True)


def sources():
    """The sources of all lessons, in order."""
    return sorted(SOURCES.glob("[0-9][0-9]_*.py"))


def build(source, *, anew=False):
    """Write a lesson's two notebooks; its cells run if code or helpers have changed since the last build, or if it is to be built `anew`.

    Returns: their paths.
    Raises: nbclient.exceptions.CellExecutionError if a cell fails; ValueError if a cell writes to the error stream.
    """
    whole, kept = compose(source), kept_outputs(source)
    learner(whole)  # what cannot be blanked is said before anything runs
    if kept and not anew:
        for cell, outputs in zip(code_cells(whole), kept, strict=True):
            cell.outputs = outputs
    else:
        (ROOT / "build" / "results.csv").unlink(missing_ok=True)  # rows of an earlier form of the lesson would show in its table
        whole = execute(whole)
    for path, notebook in [(learner_path(source), learner(whole)), (solutions_path(source), deeper(whole))]:
        path.parent.mkdir(exist_ok=True)
        path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return learner_path(source), solutions_path(source)


def kept_outputs(source):
    """What the code cells of a lesson gave when it was last built; None if its code or its helpers have changed since."""
    path = solutions_path(source)
    built = nbformat.read(path, as_version=4) if path.exists() else None
    return [cell.outputs for cell in code_cells(built)] if built and built.metadata.get("course", {}).get("made_from") == fingerprint(source) else None


def code_cells(notebook):
    """The code cells of a notebook, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def learner_path(source):
    """Where the notebook that a learner opens is written."""
    return NOTEBOOKS / f"{source.stem}.ipynb"


def solutions_path(source):
    """Where the notebook with the solutions is written."""
    return NOTEBOOKS / "solutions" / f"{source.stem}.ipynb"


def read(source):
    """The cells of a source, with all their tags.

    Raises: ValueError if a code cell is tagged to be left out, or a solution has no check after it.
    """
    cells = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent").cells
    if any(cell.cell_type == "code" and SLIDES_ALONE & set(cell.metadata.get("tags", [])) for cell in cells):
        raise ValueError(f"{source.name}: expected the tags {' and '.join(sorted(SLIDES_ALONE))} on cells of text alone, found one on a code cell")
    tags = [cell.metadata.get("tags", []) for cell in cells]
    if any(("solution" in tags[position]) != ("check" in tags[position + 1] if position + 1 < len(tags) else False) for position in range(len(tags))):
        raise ValueError(f'{source.name}: expected a cell tagged "check" right after each one tagged "solution", and nowhere else')
    return cells


def compose(source):
    """A source as a notebook that has not run: badge, set-up cell, and the lesson's cells with their tags.

    Returns: an nbformat notebook.
    """
    meanings = glossary()
    cells = [nbformat.v4.new_markdown_cell(badge(source)), *(cell for cell in read(source) if not SLIDES_ALONE & set(cell.metadata.get("tags", [])))]
    for position, cell in enumerate(cells):
        tags = [tag for tag in cell.metadata.get("tags", []) if tag not in SLIDE_TAGS]
        if "setup" in tags:
            cell.source = SETUP.read_text(encoding="utf-8").strip().replace('"NN"', f'"{source.name[:2]}"')
        if cell.cell_type == "markdown":
            cell.source = TERM.sub(lambda link: f'{link[0][:-1]} "{meanings[link[1]]}")' if link[1] in meanings else link[0], cell.source)
        cell.metadata, cell.id = nbformat.NotebookNode({"tags": tags} if tags else {}), f"cell-{position:03d}"
    return nbformat.v4.new_notebook(cells=cells, metadata={**KERNEL, "course": {"made_from": fingerprint(source)}})


def execute(notebook):
    """Run a notebook in a kernel of its own, in the notebooks' folder.

    Returns: the notebook with its outputs, and nothing in it that differs from run to run.
    """
    client = NotebookClient(notebook, timeout=SECONDS_A_CELL, kernel_name="python3", extra_arguments=shared.QUIET, resources={"metadata": {"path": str(NOTEBOOKS)}})
    client.execute(env={**os.environ, "PYTHONHASHSEED": "0"})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, [tidy(output) for output in joined(cell.outputs)]
        if "setup" in cell.metadata.get("tags", []):
            cell.outputs = []  # it speaks of the machine that it runs on, which is another for each reader
    for name in ["language_info", "widgets"]:
        notebook.metadata.pop(name, None)
    return notebook


def joined(outputs):
    """Outputs in which pieces of one stream, which arrive as the clock has it, are one."""
    whole = []
    for output in outputs:
        if whole and output.output_type == "stream" and whole[-1].get("name") == output.name:
            whole[-1].text += output.text
        else:
            whole.append(output)
    return whole


def tidy(output):
    """An output without its execution count and with small pictures, a widget as its text, or an error if it is one that no learner should see."""
    if output.output_type == "stream" and output.name == "stderr":
        raise ValueError(f"expected a cell without warnings, found: {output.text[:500]}")
    if "execution_count" in output:
        output.execution_count = None
    output.get("data", {}).pop(shared.WIDGET, None)  # names its widget by a random id, which differs from build to build and means nothing without its kernel
    if "image/png" in output.get("data", {}):
        output.data["image/png"] = smaller(output.data["image/png"])
    return output


def smaller(png):
    """A picture in 256 colours, which takes half the room and looks the same.

    Args: png: base64 text. Returns: base64 text.
    """
    kept = io.BytesIO()
    Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB").quantize(256).save(kept, "png", optimize=True)
    return base64.b64encode(kept.getvalue()).decode()


def learner(whole):
    """The notebook with the solutions blanked and the checks not yet run.

    Returns: a new notebook.
    """
    notebook = nbformat.from_dict(whole)
    for cell, following in zip(notebook.cells, [*notebook.cells[1:], None]):
        tags = cell.metadata.get("tags", [])
        if "solution" in tags:
            cell.source = blank(cell.source, following.source)
        if "solution" in tags or "check" in tags:
            cell.outputs = []
    return notebook


def deeper(whole):
    """The notebook as it stands in the folder of the solutions, from where a link to the course's folder has one step more to go.

    Returns: a new notebook.
    """
    notebook = nbformat.from_dict(whole)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("](../", "](../../")
    return notebook


def blank(solution, check):
    """What a learner finds in place of a solution: the names that the check asks for, and the heads of functions.

    Returns: source text that runs.
    Raises: ValueError if the check asks for a name that the solution makes in a way that a blank cannot have, such as a class.
    """
    asked = {node.id for node in ast.walk(ast.parse(check)) if isinstance(node, ast.Name)}
    lines, offered, tree = [BLANK], set(), ast.parse(solution)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            docstring = ast.get_docstring(node)
            lines += [f"def {node.name}({ast.unparse(node.args)}):", *([f'    """{docstring}"""'] if docstring else []), "    ..."]
            offered.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            stored = [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)]
            names = [name for name in dict.fromkeys(stored) if name in asked - offered]
            lines += [f"{name} = ..." for name in names]
            offered.update(names)
    own = {node.id for node in ast.walk(ast.parse(check)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    lost = sorted(made(tree) & asked - offered - own)
    if lost:
        raise ValueError(f"expected a solution that assigns {', '.join(lost)} or defines it as a function, at the left edge; found it made in another way")
    return "\n".join(lines)


def made(node):
    """The names that a piece of code makes, its functions' own names left out."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        return set()
    own = {(node.asname or node.name).partition(".")[0]} if isinstance(node, ast.alias) else {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set()
    return own.union(*(made(child) for child in ast.iter_child_nodes(node)))


def glossary():
    """The first sentence on each term of the glossary, by the anchor of its heading: what a link to it shows under the mouse."""
    text = GLOSSARY.read_text(encoding="utf-8") if GLOSSARY.exists() else ""
    entries = re.findall(r"^### (.+)\n+(.+?[.:])(?:\s|$)", text, flags=re.MULTILINE)
    return {shared.anchor(term): re.sub(r"[*`]|\[([^]]*)\]\([^)]*\)", r"\1", meaning).replace('"', "'") for term, meaning in entries}


def badge(source):
    """The link that opens the learner's notebook on Colab."""
    repository, branch = address()
    link = f"https://colab.research.google.com/github/{repository}/blob/{branch}/notebooks/{source.stem}.ipynb"
    return f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({link})"


def address():
    """The repository and the branch, from the one place where they stand."""
    return re.search(r'BRANCH = "NN", "(.+)", "(.+)"', SETUP.read_text(encoding="utf-8")).groups()


def readdress(repository, branch):
    """Write another address into the set-up cell, every notebook and the README; the notebooks keep their outputs."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository) or not re.fullmatch(r"[\w./-]+", branch):
        sys.exit(f"expected an address such as owner/name and a branch such as main, found {repository!r} and {branch!r}")
    old_repository, old_branch = address()
    old_line, new_line = f'", "{old_repository}", "{old_branch}"', f'", "{repository}", "{branch}"'
    replacements = [(f"/github/{old_repository}/blob/{old_branch}/", f"/github/{repository}/blob/{branch}/"), (old_line, new_line)]
    replacements.append((old_line.replace('"', '\\"'), new_line.replace('"', '\\"')))  # as it stands inside a notebook
    for path in [SETUP, ROOT / "README.md", *NOTEBOOKS.glob("**/[0-9][0-9]_*.ipynb")]:
        text = path.read_text(encoding="utf-8")
        for old, new in replacements:
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
    print(f"badges and set-up cells now point to {repository}, branch {branch}")


def fingerprint(source):
    """The SHA-256 of what a lesson's outputs depend on in this repository: its code, but for the set-up cell, and the helpers it imports.

    Which recordings were at hand, and which versions, it does not know.

    Returns: 64 hexadecimal digits.
    """
    parts = [cell.source.encode() for cell in read(source) if cell.cell_type == "code"] + [path.read_bytes() for path in sorted(helpers(source))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def helpers(path, known=frozenset()):
    """The modules of course_lib that a file imports, and those that they import."""
    found = set(known)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "course_lib":
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for module in (ROOT / "course_lib" / f"{name.split('.')[1]}.py" for name in names if name.startswith("course_lib.")):
            if module.exists() and module not in found:
                found |= helpers(module, frozenset(found | {module}))
    return found


def stale_parts(source):
    """Sentences on what is not fresh in a lesson's notebooks; none if all is."""
    fresh, lines = compose(source), []
    for path, expected in [(learner_path(source), learner(fresh)), (solutions_path(source), deeper(fresh))]:
        if not path.exists():
            lines.append(f"{path.relative_to(ROOT)}: not built")
            continue
        found = nbformat.read(path, as_version=4)
        same = [[(cell.source, cell.metadata.get("tags", [])) for cell in each.cells] for each in (found, expected)]
        if found.metadata.get("course") != expected.metadata["course"] or same[0] != same[1]:
            lines.append(f"{path.relative_to(ROOT)}: older than its source or the helpers; run: make build LESSONS={source.stem[:2]}")
    return lines


if __name__ == "__main__":
    main()
