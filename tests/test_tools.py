"""The teacher's programs: slides, quiz sheets, the stick, and the book."""

import ensurepip
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from course_lib import data
from teaching.start import set_up
from tools import build, bundle, quizzes, slides

ROOT = Path(__file__).resolve().parents[1]
LESSON = """# %% [markdown]
# # 41 · Small
# What the lesson is about.

# %% tags=["setup"]
import setup_course

# %% [markdown] tags=["slide", "only-slides"]
# ## Is it small?
# - $a_t < b$, but `$a$` is code

# %% [markdown] tags=["notes"]
# Ask first.

# %%
hidden = 1

# %% tags=["more", "no-code"]
print(hidden + 1)

# %% tags=["slide"]
shown = "code"

# %% tags=["solution"]
answer = 2

# %% tags=["check"]
assert answer == 2

# %% [markdown]
# **You have seen** a lesson.
#
# ## Quiz
#
# **1. How many is
# `1 + 1`?**
#
# <details><summary>A. One.</summary>No: count again.</details>
# <details><summary>B. Two.</summary>Yes: see [there](there.md).</details>
#
# **2. And `0 * 7`?**
#
# <details><summary>A. <code>0</code></summary>Yes: nothing is left.</details>
# <details><summary>B. Seven.</summary>No: that is with a one.</details>
#
# Next: [42 Large](42_large.ipynb).
#
# *Text: CC BY 4.0.*
"""

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A lesson, with its solutions notebook."""
    path = tmp_path / "41_small.py"
    path.write_text(LESSON, encoding="utf-8")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "sources", lambda: [path])
    monkeypatch.setattr(build, "solutions_path", lambda source: tmp_path / "solved.ipynb")
    cells = [cell for cell in build.read(path) if "notes" not in cell.metadata.get("tags", [])]
    for cell in cells:
        if cell.cell_type == "code":
            cell.source = "set_up()" if "setup" in cell.metadata.get("tags", []) else cell.source
            cell.outputs = [nbformat.v4.new_output("stream", text=f"out of {cell.source}")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "solved.ipynb")
    return path


def sections(page):
    return re.findall(r"<section>(.*?)</section>", page, flags=re.DOTALL)


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page))


def test_slides_follow_the_tags_in_order(source):
    first, second, last = sections(slides.to_html(slides.slides(source)))
    assert words(first).index("41 · Small") < words(first).index("Is it small?")
    assert "out of print(hidden + 1)" in words(first)
    assert words(first).count("print(hidden + 1)") == 1  # the output, without the code
    assert "hidden = 1" not in words(first)
    assert "Ask first." in re.search(r'<aside class="notes">(.*?)</aside>', first, re.DOTALL)[1]
    assert 'shown = "code"' in words(second).replace("&quot;", '"')
    assert "Next: 42 Large." in words(last) and "You have seen" in words(last)
    assert "How many" not in words(last)


def test_formulas_on_slides_become_mathml_and_code_stays(source):
    page = sections(slides.to_html(slides.slides(source)))[0]
    assert page.count("<math") == 1
    assert "<code>$a$</code>" in page


def test_slides_ask_no_other_host(source, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["slides.py", "41"])
    slides.main()
    folder = source.parent / "build" / "slides"
    page = (folder / "41_small.html").read_text(encoding="utf-8")
    asked = re.findall(r'<(?:script|link)[^>]* (?:src|href)="([^"]*)"', page)
    assert asked and all((folder / each).is_file() for each in asked)
    assert not re.search(r"(src|href)=\"(https?:)?//", page)


def test_slides_of_other_code_are_refused(source):
    source.write_text(LESSON.replace("hidden + 1", "hidden + 2"), encoding="utf-8")
    with pytest.raises(SystemExit, match="make build LESSONS=41"):
        slides.slides(source)


def test_quiz_sheets_with_and_without_answers(source):
    quizzes.main()
    folder = source.parent / "build" / "quizzes"
    sheet = (folder / "41_small.html").read_text(encoding="utf-8")
    key = (folder / "41_small_answers.html").read_text(encoding="utf-8")
    for page in (sheet, key, (folder / "all_lessons.html").read_text(encoding="utf-8")):
        assert "1. How many is <code>1 + 1</code>?" in page
        assert "<div>A. <code>0</code>" in page
    assert "see there" in key and key.count("✓") == 2
    right = re.findall(r'class="right">.*?<div>([A-D])\.', key, flags=re.DOTALL)
    assert right == ["B", "A"]
    for secret in ("✓", 'class="right"', "count again", "nothing is left", "Yes", "Wrong"):
        assert secret not in sheet


def test_quiz_with_two_right_answers_is_refused(source):
    source.write_text(LESSON.replace("No: count", "Yes: count"), encoding="utf-8")
    with pytest.raises(SystemExit, match="question 1: expected"):
        quizzes.quiz(source)


JUPYTER = """import os, sys
print('jupyter', *sys.argv[1:], os.environ['COURSE_DATA_DIR'])
sys.exit(int(os.environ.get('FAIL', 0)))
"""
COURSE = """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = """import pathlib, zipfile
def build_editable(folder, settings=None, metadata=None):
    name, info = "course-1.0-py3-none-any.whl", "course-1.0.dist-info"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as file:
        file.writestr("course.pth", str(pathlib.Path.cwd()))
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: course\\nVersion: 1.0\\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\n")
        file.writestr(f"{info}/RECORD", "")
    return name
"""


def wheel(folder, name, code):
    """Write a wheel of one module, version 1.0."""
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", code)
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture(scope="module")
def stick(tmp_path_factory):
    """A stick for this computer: the true start scripts, tiny packages, a course of one module."""
    folder = tmp_path_factory.mktemp("with space") / "a stick"
    shutil.copytree(ROOT / "teaching" / "start", folder)
    (folder / "course" / "course_lib").mkdir(parents=True)
    (folder / "course" / "pyproject.toml").write_text(COURSE)
    (folder / "course" / "backend.py").write_text(BACKEND)
    module = "import tiny; print('diagnosis', tiny.WORD)"
    (folder / "course" / "course_lib" / "__main__.py").write_text(module)
    (folder / "wheels").mkdir()
    (folder / "recordings").mkdir()
    wheel(folder / "wheels", "jupyter", JUPYTER)
    pip = next((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
    shutil.copy(pip, folder / "wheels")
    pins = "tiny==1.0\njupyter==1.0\n"
    (folder / "wheels" / f"{set_up.this_machine()}.txt").write_text(pins)
    return folder


def start(folder, *arguments, **environment):
    """Start the stick with this Python, where a package index is far away."""
    environment |= {"PATH": os.environ["PATH"], "PIP_INDEX_URL": "http://127.0.0.1:9"}
    command = ["sh", str(folder / "start.sh"), *arguments]
    environment["COURSE_PYTHON"] = sys.executable
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_stick_is_set_up_once_without_a_network(stick):
    failed = start(stick)
    assert failed.returncode == 1 and "unpacked whole?" in failed.stderr  # a package is missing
    wheel(stick / "wheels", "tiny", "WORD = 'of a tiny package'")
    first = start(stick, "--check")
    assert first.returncode == 0, first.stderr
    assert "setting the course up" in first.stdout
    assert "diagnosis of a tiny package" in first.stdout
    assert "solutions/00_start_here.ipynb" in first.stdout and "ran from its" in first.stdout
    second = start(stick)
    assert f"lab notebooks/00_start_here.ipynb {stick / 'recordings'}" in second.stdout
    assert "setting the course up" not in second.stdout
    failed = start(stick, "--check", FAIL="1")
    assert failed.returncode == 1 and "lesson 00 failed" in failed.stdout


def test_stick_for_other_computers_names_them(stick):
    here = next((stick / "wheels").glob("*.txt"))
    here.rename(here.with_name("amiga-3.12.txt"))
    done = start(stick)
    assert done.returncode == 1 and "No Python was found" in done.stdout
    command = [sys.executable, stick / "set_up.py"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert f"expected one of amiga-3.12, found {set_up.this_machine()}" in done.stderr


COMPUTERS = [("linux", "aarch64"), ("win", "AMD64"), ("macosx", "arm64"), ("macosx", "x86_64")]


@pytest.mark.parametrize(("system", "machine"), COMPUTERS)
def test_computers_have_the_names_of_the_bundle(system, machine, monkeypatch):
    told = {"win": "win32", "macosx": "darwin"}.get(system, system)
    monkeypatch.setattr(sys, "platform", told)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert set_up.this_machine().rpartition("-")[0] in bundle.PLATFORMS


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A function: the program's words → the zip that it makes, without a download."""

    def packages(*target):
        wheel(tmp_path, "_".join(target), "")
        return tmp_path.glob(f"{'_'.join(target)}*.whl")

    def make(*arguments):
        monkeypatch.setattr(sys, "argv", ["bundle.py", *arguments])
        bundle.main()
        return zipfile.ZipFile(next(tmp_path.glob("*.zip")))

    monkeypatch.setattr(bundle, "BUILD", tmp_path)
    monkeypatch.setattr(bundle, "packages", packages)
    return make


def test_bundle_holds_course_packages_and_start_scripts(made):
    targets = ["--platform=win_amd64", "--platform=linux_x86_64", "--python=3.12"]
    whole = made(*targets, "--without-recordings")
    names = {name.removeprefix(f"{bundle.TOP}/") for name in whole.namelist()}
    assert {"course/requirements.txt", "course/course_lib/audio.py"} <= names
    assert {"start.sh", "start.bat", "start.command", "set_up.py"} <= names
    assert {"wheels/win_amd64_3.12-1.0-py3-none-any.whl"} <= names
    assert {"wheels/linux_x86_64_3.12-1.0-py3-none-any.whl"} <= names
    assert not any(name.startswith(("recordings", "course/build")) for name in names)
    readme = whole.read(f"{bundle.TOP}/README-FIRST.txt").decode()
    assert "win_amd64-3.12, linux_x86_64-3.12\r\n" in readme
    assert whole.getinfo(f"{bundle.TOP}/start.command").external_attr >> 16 & 0o111


def test_bundle_stops_without_recordings_unless_it_is_told(made, monkeypatch, tmp_path):
    def unavailable(name):
        raise data.Unavailable(f"{name}: not here")

    monkeypatch.setattr(data, "load", unavailable)
    with pytest.raises(SystemExit, match="fsdd: not here\n.*--without-recordings"):
        made()
    assert not list(tmp_path.glob("*.zip"))
    clip = tmp_path / "set-1" / "recordings" / "a.wav"
    clip.parent.mkdir(parents=True)
    clip.touch()
    monkeypatch.setattr(data, "load", lambda name: pd.DataFrame({"path": [clip]}))
    assert f"{bundle.TOP}/recordings/set-1/recordings/a.wav" in made().namelist()


def test_bundle_of_an_unknown_computer_is_refused(made, capsys):
    with pytest.raises(SystemExit):
        made("--platform", "amiga")
    assert "win_amd64" in capsys.readouterr().err


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A book of a front page and one lesson, whose picture, solution and links the test knows."""
    root = tmp_path_factory.mktemp("book")
    shutil.copytree(ROOT / "docs", root / "docs", ignore=shutil.ignore_patterns("*.md"))
    for folder in ("notebooks/solutions", "data"):
        (root / folder).mkdir(parents=True)
    front = "# Front\n\n[lesson](../notebooks/41_small.ipynb) [folder](../data)\n\n"
    front += "[solved](../notebooks/solutions/41_small.ipynb)\n\n"
    (root / "docs" / "index.md").write_text(f"{front}```{{toctree}}\n../notebooks/41_small\n```\n")
    badge = "[![Open](https://host.example/badge.svg)](https://host.example/41)"
    new = nbformat.v4
    picture = new.new_output("display_data", {"image/png": PIXEL})
    picture.metadata["image/png"] = {"alt": 'words on "it"'}
    blank = new.new_code_cell("x = ...", metadata={"tags": ["solution"]})
    head = "# 41 · Small\n\nSee [front](../docs/index.md#front). $h_t$"
    cells = [new.new_markdown_cell(badge), new.new_markdown_cell(head)]
    cells += [new.new_code_cell("draw()", outputs=[picture]), blank]
    kernel = {"language_info": {"name": "python"}}
    notebook = new.new_notebook(cells=cells, metadata=kernel)
    nbformat.write(notebook, root / "notebooks" / "41_small.ipynb")
    blank.source = "x = 2"
    nbformat.write(notebook, root / "notebooks" / "solutions" / "41_small.ipynb")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", "docs", "build"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return root / "build"


def test_book_links_hold_and_no_other_host_is_asked(book):
    front = (book / "docs" / "index.html").read_text(encoding="utf-8")
    assert front.count('href="../notebooks/41_small.html"') >= 3  # contents, lesson, solved
    assert "<p>" in front and ">folder<" not in front
    lesson = (book / "notebooks" / "41_small.html").read_text(encoding="utf-8")
    assert "../docs/index.html#front" in lesson
    assert 'href="https://host.example/41"' in lesson
    assert not re.search(r'(<script|<img|<link)[^>]*(src|href)="https?:', front + lesson)
    downloads = re.findall(r'href="\.\./(_downloads/[^"]*)"', lesson)
    solved = [nbformat.read(book / each, as_version=4).cells[-1].source for each in downloads]
    assert sorted(solved) == ["x = ...", "x = 2"]


def test_book_folds_solutions_and_keeps_the_words_of_pictures(book):
    lesson = (book / "notebooks" / "41_small.html").read_text(encoding="utf-8")
    folded = re.search(r"<details.*?A solution.*?</details>", lesson, flags=re.DOTALL)[0]
    assert "2" in words(folded) and "..." not in words(folded)
    assert 'alt="words on &quot;it&quot;"' in lesson
    assert "<math" in lesson
