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
from unittest.mock import Mock, call

import nbformat
import pandas as pd
import pytest

from course_lib import data
from teaching.start import set_up
from tools import build, bundle, quizzes, slides

ROOT = Path(__file__).resolve().parents[1]
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
LESSON = """# %% [markdown]
# # 41 · Small
# A lesson, with its [front](../docs/index.md#front).
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
shown = 2
# %% tags=["solution"]
answer = 2
# %% tags=["check"]
assert answer == 2
# %% [markdown]
# **You have seen** $h_t$.
#
# ## Quiz
#
# **1. How many is
# `1 + 1`?**
#
# <details><summary>A. One.</summary>No: count again.</details>
# <details><summary>B. Two.</summary>Yes: see [there](../docs/index.md).</details>
#
# Next: [42 Large](41_small.ipynb).
"""
FRONT = """# Front
[lesson](../notebooks/41_small.ipynb) [solved](../notebooks/solutions/41_small.ipynb) [folder](.)
```{toctree}
../notebooks/41_small
```
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The one lesson of a course, built by hand: each cell says what it is, and has a picture."""
    root = tmp_path_factory.mktemp("course")
    shutil.copytree(ROOT / "docs", root / "docs", ignore=shutil.ignore_patterns("*.md"))
    (root / "docs" / "index.md").write_text(FRONT)
    (root / "notebooks" / "solutions").mkdir(parents=True)
    path = root / "41_small.py"
    path.write_text(LESSON, encoding="utf-8")
    picture = nbformat.v4.new_output("display_data", {"image/png": PIXEL})
    picture.metadata["image/png"] = {"alt": 'words on "it"'}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "ROOT", root)
        patch.setattr(build, "NOTEBOOKS", root / "notebooks")
        patch.setattr(build, "sources", lambda names=None: [path])
        whole = build.compose(path)
        for cell in build.code_cells(whole):
            cell.outputs = [nbformat.v4.new_output("stream", text=f"out: {cell.source}"), picture]
        nbformat.write(build.learner(whole, path), build.learner_path(path))
        nbformat.write(build.deeper(whole), build.solutions_path(path))
        yield path


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page))


def test_slides_follow_the_tags_and_ask_no_other_host(source, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["slides.py", "41"])
    slides.main()
    folder = source.parent / "build" / "slides"
    page = (folder / "41_small.html").read_text(encoding="utf-8")
    asked = re.findall(r'<(?:script|link)[^>]* (?:src|href)="([^"]*)"', page)
    assert asked and all((folder / each).is_file() for each in asked)
    parts = re.findall(r"<section>(.*?)</section>", page, flags=re.DOTALL)
    first, second, last = map(words, parts)
    order = ["41 · Small", "Is it small?", "Ask first.", "out: print(hidden + 1)"]
    assert sorted(order, key=first.index) == order
    assert first.count("hidden") == 1  # the output of one cell, and no code
    assert re.search(r'<aside class="notes">\s*<p>Ask first.</p>\s*</aside>', parts[0])
    assert "words on" in parts[0] and "<code>$a$</code>" in parts[0] and "<math" in parts[0]
    assert second.count("shown = 2") == 2  # code and output
    assert "42 Large." in last and "You have seen" in last and "How many" not in last


def test_quiz_sheets_with_and_without_answers(source):
    quizzes.main()
    folder = source.parent / "build" / "quizzes"
    sheet = (folder / "41_small.html").read_text(encoding="utf-8")
    key = (folder / "41_small_answers.html").read_text(encoding="utf-8")
    assert all("1. How many is <code>1 + 1</code>?" in page for page in (sheet, key))
    right = re.findall(r'class="right">.*?<div>([A-D])\.', key, flags=re.DOTALL)
    assert right == ["B"] and "see there" in key
    assert not any(secret in sheet for secret in ("✓", '"right"', "count again", "see there"))


def test_lessons_of_another_form_are_refused(source):
    other_code = ("hidden + 1", "hidden + 2", slides.slides, "make build LESSONS=41")
    two_right_answers = ("No: count", "Yes: count", quizzes.quiz, "question 1: expected")
    for old, new, make, message in (other_code, two_right_answers):
        source.write_text(LESSON.replace(old, new), encoding="utf-8")
        with pytest.raises(SystemExit, match=message):
            make(source)
    source.write_text(LESSON, encoding="utf-8")


def test_book_has_pages_whose_links_hold_with_solutions_folded(source):
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", "docs", "build/book"]
    done = subprocess.run(command, cwd=source.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    book = source.parent / "build" / "book"
    front = (book / "docs" / "index.html").read_text(encoding="utf-8")
    assert front.count('href="../notebooks/41_small.html"') >= 3  # contents, lesson, solved
    page = (book / "notebooks" / "41_small.html").read_text(encoding="utf-8")
    assert "../docs/index.html#front" in page and "/notebooks/41_small.ipynb" in page
    assert not re.search(r'(<script|<img|<link)[^>]*(src|href)="https?:', front + page)
    paths = re.findall(r'href="\.\./(_downloads/[^"]*)"', page)
    files = [nbformat.read(book / path, as_version=4) for path in paths]
    blank, solved = [build.code_cells(each)[-2].source for each in files]
    assert "answer = ..." in blank and solved == "answer = 2"
    folded = re.search(r"<details.*?A solution.*?</details>", page, flags=re.DOTALL)[0]
    assert "answer = 2" in words(folded) and "..." not in words(folded)
    assert 'alt="words on &quot;it&quot;"' in page and "<math" in page


JUPYTER = """import os, sys
print('jupyter', *sys.argv[1:], os.environ['COURSE_DATA_DIR'])
sys.exit(int(os.environ.get('FAIL', 0)))
"""
BACKEND = """import os, shutil
def build_editable(folder, settings=None, metadata=None):
    return os.path.basename(shutil.copy("course-1.0-py3-none-any.whl", folder))
"""


def wheel(folder, name, code=""):
    """Write a wheel of one module, version 1.0."""
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", code)
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture(scope="module")
def stick(tmp_path_factory):
    """A stick for this computer: the true start scripts, but a tiny course and package."""
    folder = tmp_path_factory.mktemp("with space") / "a stick"
    shutil.copytree(ROOT / "teaching" / "start", folder)
    for name in ("course/course_lib", "wheels", "recordings"):
        (folder / name).mkdir(parents=True)
    backend = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    (folder / "course" / "pyproject.toml").write_text(backend)
    (folder / "course" / "backend.py").write_text(BACKEND)
    (folder / "course" / "course_lib" / "__main__.py").write_text("import course")
    wheel(folder / "course", "course")
    pip = next((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
    shutil.copy(pip, folder / "wheels")
    (folder / "wheels" / f"{set_up.this_machine()}.txt").write_text("jupyter==1.0")
    return folder


def start(folder, *arguments, **environment):
    """Start the stick with this Python, where a package index is far away."""
    environment |= {"PATH": os.environ["PATH"], "PIP_INDEX_URL": "http://127.0.0.1:9"}
    environment["COURSE_PYTHON"] = sys.executable
    command = ["sh", folder / "start.sh", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_stick_is_set_up_once_without_a_network(stick):
    failed = start(stick)
    assert failed.returncode == 1 and "unpacked whole?" in failed.stderr  # a package is missing
    wheel(stick / "wheels", "jupyter", JUPYTER)
    first = start(stick, "--check")
    assert first.returncode == 0, first.stderr
    assert "setting the course up" in first.stdout and "ran from its start" in first.stdout
    second = start(stick)
    assert f"lab notebooks/00_start_here.ipynb {stick / 'recordings'}" in second.stdout
    assert "setting the course up" not in second.stdout
    assert "lesson 00 failed" in start(stick, "--check", FAIL="1").stdout
    pins = stick / "wheels" / f"{set_up.this_machine()}.txt"
    pins.rename(pins.with_name("amiga-3.12.txt"))
    assert "No Python was found" in start(stick).stdout


@pytest.mark.parametrize("machine", ["linux aarch64", "win32 AMD64", "darwin arm64"])
def test_computers_have_the_names_of_the_bundle(machine, monkeypatch):
    monkeypatch.setattr(sys, "platform", machine.split()[0])
    monkeypatch.setattr(platform, "machine", lambda: machine.split()[1])
    assert set_up.this_machine().rpartition("-")[0] in bundle.PLATFORMS


def test_bundle_holds_course_packages_and_recordings_or_stops(monkeypatch, tmp_path):
    clip = tmp_path / "set-1" / "recordings" / "a.wav"
    clip.parent.mkdir(parents=True)
    clip.touch()
    packages = Mock(return_value=[clip])
    targets = ["--platform=win_amd64", "--platform=linux_x86_64", "--python=3.12"]
    monkeypatch.setattr(sys, "argv", ["bundle.py", *targets])
    monkeypatch.setattr(bundle, "BUILD", tmp_path)
    monkeypatch.setattr(bundle, "packages", packages)
    monkeypatch.setattr(data, "load", Mock(side_effect=data.Unavailable("fsdd: not here")))
    with pytest.raises(SystemExit, match="fsdd: not here\n.*--without-recordings"):
        bundle.main()
    assert not list(tmp_path.glob("*.zip"))
    monkeypatch.setattr(data, "load", lambda name: pd.DataFrame({"path": [clip]}))
    bundle.main()
    assert packages.mock_calls == [call("win_amd64", "3.12"), call("linux_x86_64", "3.12")]
    whole = zipfile.ZipFile(next(tmp_path.glob("*.zip")))
    names = {name.removeprefix(f"{bundle.TOP}/") for name in whole.namelist()}
    assert {"course/requirements.txt", "start.sh", "start.bat", "set_up.py"} <= names
    assert {"wheels/a.wav", "recordings/set-1/recordings/a.wav"} <= names
