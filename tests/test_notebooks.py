"""The built notebooks: fresh, clean, in the course's form; and the programs that build and run them."""

import ast
import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from notebooks import build, links, minutes, run

LESSONS = build.sources()
LOADED_WORDS = ["just", "easy", "easily", "simply", "obviously", "trivially", "of course"]
SPACE = r"\s+(?:# )?"  # between two words, which may stand on two lines of a source
SMALL_WORDS = set("a an and as at by each for from have how in into is it its no not of on one or so that the their them then this to what when where which who with without you your".split())
ALIKE = 0.6  # the least likeness of a promise and what became of it; two that do not belong together are less alike
UPGRADE = re.compile(r"""\bpip[\d.]*["', ]+(?:-[\w-]+["', ]+)*install\b(?:[^\n`]|\\\n)*?(?<![\w-])(?:-[a-zA-Z]*U[a-zA-Z]*|--upgrade|--force-reinstall|--pre)(?![\w-])""")
READ = [".md", ".py", ".ipynb", ".yml", ".yaml", ".txt", ".sh", ".bat", ".command", ".css", ".js", ".cfg", ".ini", ".toml", ""]  # files that people read or run; "" is the Makefile
MEMORY = re.compile(r"0x[0-9a-f]{6,}")
LINES_A_CELL = 15
WIDTH = 118  # characters: what a page shows without a scroll bar
LARGEST = 700_000  # bytes
EXAMPLE = '''# %% [markdown]
# # Example
# %% tags=["setup"]
import setup_course
# %%
import numpy as np
print("one"); print("two")
np.arange(3)
# %% tags=["solution"]
answer = 42
def double(x):
    """Twice x."""
    return 2 * x
# %% tags=["check"]
assert answer == 42, "what is six times seven?"
'''

BADGE = re.compile(r"\(https://colab\.research\.google\.com/github/([^)]+)\)")
each_lesson = pytest.mark.parametrize("source", LESSONS, ids=lambda source: source.stem)
each_view = pytest.mark.parametrize("view", [build.learner_path, build.solutions_path], ids=["learner", "solutions"])


def cells(source, kind):
    return [cell for cell in build.compose(source).cells if cell.cell_type == kind]


def prose(source):
    return "\n\n".join(cell.source for cell in cells(source, "markdown"))


@each_lesson
def test_notebooks_are_fresh(source):
    assert build.stale_parts(source) == []


@each_lesson
@each_view
def test_outputs_are_clean(source, view):
    notebook = nbformat.read(view(source), as_version=4)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert outputs
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    text = re.sub(r"[A-Za-z0-9+/=\\\n]{200,}", "", "\n".join(links.texts(outputs)))  # without pictures and sounds
    assert not links.ABSOLUTE.search(text), "an output holds an absolute path"
    assert not MEMORY.search(text), "an output holds a memory address, which differs from run to run"
    assert view(source).stat().st_size < LARGEST


@each_lesson
def test_learner_finds_blanks_and_the_other_outputs(source):
    learner, solved = (nbformat.read(view(source), as_version=4) for view in (build.learner_path, build.solutions_path))
    for mine, theirs in zip(learner.cells, solved.cells, strict=True):
        tags = mine.metadata.get("tags", [])
        if "solution" in tags:
            assert mine.source.startswith(build.BLANK) and mine.source != theirs.source
        else:
            assert mine.source == theirs.source.replace("](../../", "](../"), "but for the way to files outside, which begins one folder deeper"
        if mine.cell_type == "code":
            assert mine.outputs == ([] if {"solution", "check"} & set(tags) else theirs.outputs)


@each_lesson
def test_lesson_keeps_its_promises(source):
    """The same three things in the same order: the words of each pair are mostly the same."""
    promised, kept = promises(prose(source))
    assert len(promised) == len(kept) == 3, "a lesson promises three things, and closes with the same three"
    for promise, seen in zip(promised, kept):
        assert likeness(promise, seen) >= ALIKE, f"expected what was promised, found another thing:\n{promise}\n{seen}"


def promises(text):
    """The items of "You will" and those of "You have seen"."""
    parts = (text.split(opening)[1].split("\n\n")[0] for opening in ("**You will**", "**You have seen**"))
    return [re.split(r"^- ", part, flags=re.MULTILINE)[1:] for part in parts]


def likeness(first, second):
    """How many words two sentences share, from 0 to 1; a word is known by its first four letters, so that "train" and "trained" are one."""
    words = [{word[:4] for word in re.findall(r"[a-z]+", text.lower()) if word not in SMALL_WORDS} for text in (first, second)]
    return 2 * len(words[0] & words[1]) / (len(words[0]) + len(words[1]))


@each_lesson
def test_minutes_are_near_the_estimate(source):
    stated, more, computing = minutes.stated(source)
    estimate = minutes.estimate(minutes.content(source), computing)
    assert (1 - minutes.BAND) * estimate <= stated + more <= (1 + minutes.BAND) * estimate, f"{source.name} states {stated} + {more} minutes, and its page takes about {estimate:.0f}"


@each_lesson
def test_computing_time_is_as_recorded(source):
    """Where a lesson was measured, what it says of the computer's minutes is neither half nor twice of that."""
    recorded, (_, _, computing) = minutes.recorded_minutes(source), minutes.stated(source)
    assert recorded is None or agrees(computing, recorded), f"{source.name} says that the computer takes about {computing:g} minutes, and {recorded:.1f} are recorded"


def agrees(computing, recorded):
    return recorded <= minutes.TWICE * computing and (computing <= minutes.TWICE * recorded or computing < 1)


@each_lesson
def test_minutes_are_the_same_wherever_they_stand(source):
    stated = minutes.stated(source)[0]
    rows = [line for line in (build.ROOT / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("|") and f"/{source.stem}.ipynb)" in line]
    assert [cell.strip() for row in rows for cell in row.split("|") if cell.strip().isdigit()] == [str(stated)], f"README.md: expected one row for {source.stem} with {stated} minutes"
    notes = build.ROOT / "teaching" / f"{source.name[:2]}.md"
    if notes.exists():
        teaching, exercises = map(int, re.search(r"\*\*Minutes:\*\* (\d+) teaching, (\d+) exercises", notes.read_text(encoding="utf-8")).groups())
        assert teaching + exercises == stated, f"{notes.name}: expected {stated} minutes in all, found {teaching} + {exercises}"


@each_lesson
def test_lesson_has_its_form(source):
    assert re.search(r"\*\*Minutes:\*\* \d+", prose(source)) and "**You need:**" in prose(source)
    text = prose(source)
    tags = [tag for cell in cells(source, "code") for tag in cell.metadata.get("tags", [])]
    exercises = [tag for tag in tags if tag in ("solution", "check")]
    assert exercises == ["solution", "check"] * (len(exercises) // 2) and len(exercises) >= 6, "three exercises or more, each with its check"
    assert len(re.findall(r"\*\*Exercise \d", text)) == len(exercises) // 2, "each exercise is announced as **Exercise 1**, and so on"


@each_lesson
def test_quiz_explains_every_answer(source):
    quiz = prose(source).split("## Quiz")[1]
    questions = re.split(r"^\*\*\d\. ", quiz, flags=re.MULTILINE)[1:]
    assert len(questions) == 3, "a quiz has three questions"
    for question in questions:
        answers = re.findall(r"^<details><summary>([A-D])\. .+?</summary>(Yes|No): (.{30,})</details>$", question, flags=re.MULTILINE)
        assert len(answers) == question.count("<details>") >= 3, f"each answer is explained on one line:\n{question}"
        assert [letter for letter, *_ in answers] == list("ABCD"[: len(answers)])
        assert [verdict for _, verdict, _ in answers].count("Yes") == 1, f"one answer is right:\n{question}"
    right = [re.search(r"<summary>([A-D])\.[^<]*(?:<code>[^<]*</code>[^<]*)*</summary>Yes:", question)[1] for question in questions]
    assert len(set(right)) > 1, "the right answer does not always have the same letter"


@each_lesson
def test_learner_guesses_before_it_is_shown(source):
    assert "**Predict, then run" in prose(source), "a lesson asks for a guess before it shows"


@each_lesson
@each_view
def test_every_picture_has_its_words(source, view):
    """A picture that a cell shows is followed by its sentence, which is its alternative text as well."""
    for cell in nbformat.read(view(source), as_version=4).cells:
        outputs = cell.get("outputs", [])
        printed = "".join(output.text for output in outputs if output.output_type == "stream")
        for output in outputs:
            if "image/png" in output.get("data", {}):
                words = output.metadata.get("image/png", {}).get("alt", "")
                assert words.startswith("In words: ") and words in " ".join(printed.split()), f"a picture without its sentence:\n{cell.source}"


@each_lesson
def test_code_is_short_and_imports_stand_together(source):
    code = cells(source, "code")
    importing = [number for number, cell in enumerate(code) if imports(ast.parse(cell.source))]
    assert importing == [0, 1], "imports stand in one cell, after the set-up"
    for cell in code:
        lines = cell.source.splitlines()
        assert len(lines) <= LINES_A_CELL or {"long", "setup"} & set(cell.metadata.get("tags", [])), f"a cell of {len(lines)} lines:\n{cell.source}"
        assert max(map(len, lines)) <= WIDTH, f"a line is cut off on the page: {max(lines, key=len)}"


def imports(node):
    """Whether a piece of code imports something, at whatever depth; what it tries to import, since it may not be there, does not count."""
    return isinstance(node, (ast.Import, ast.ImportFrom)) or (not isinstance(node, ast.Try) and any(map(imports, ast.iter_child_nodes(node))))


@each_lesson
def test_lesson_adds_its_results_to_the_table(source):
    """Lesson 01 trains nothing."""
    number, code = source.name[:2], "\n".join(cell.source for cell in cells(source, "code"))
    assert number == "01" or (added(code) and re.search(rf"""lesson(=|["']: ?)["']{number}["']""", code)), f"{source.name}: expected evaluation.Results().add(…) with lesson={number!r}"


def added(code):
    """Whether a row is added to the table of results, directly or by a name that was given to it."""
    nodes = list(ast.walk(ast.parse(code)))
    given = [pair for node in nodes if isinstance(node, ast.Assign) for pair in zip(*(getattr(part, "elts", [part]) for part in (node.targets[0], node.value)))]
    tables = {"evaluation.Results()", *(ast.unparse(name) for name, value in given if ast.unparse(value) == "evaluation.Results()")}
    return any(isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add" and ast.unparse(node.func.value) in tables for node in nodes)


@each_lesson
def test_words(source):
    """Of the slides and the speaker's notes as well, of what code prints and of the checks' hints."""
    text = {kind: "\n\n".join(cell.source for cell in build.read(source) if cell.cell_type == kind) for kind in ("markdown", "code")}
    assert loaded(text["markdown"]) + named(text["code"]) == []
    assert "pip install" not in source.read_text(encoding="utf-8")


def loaded(text):
    """The words of a text that tell the reader how hard something is meant to be, but for code and what is quoted, such as a title."""
    return named(re.sub(r"```.*?```|`[^`]*`|(?<!\w)\"[^\"\n]*\"|\]\([^)]*\)|<!--.*?-->", " ", text, flags=re.DOTALL))


def named(text):
    """The loaded words of a text, wherever they stand."""
    return [word for word in LOADED_WORDS if re.search(rf"(?<![\w-]){word.replace(' ', SPACE)}(?![\w-])", text.lower())]


def course_texts(root):
    """The texts that people read or run, the tests left out, which hold the faults that they look for.

    Returns: a dict from path, below `root`, to text.
    """
    found = [path for path in links.files(root) if path.suffix in READ and path.relative_to(root).parts[0] != "tests"]
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8", errors="replace") for path in found}


@pytest.mark.parametrize("find", ["words", "paths"])
def test_no_file_has_a_loaded_word_or_a_path_of_one_machine(find):
    """Notebooks have tests of their own, and so has a lesson's source, whose text may quote a title."""
    assert faulty(build.ROOT, find) == []


def faulty(root, find):
    """The files that hold a loaded word, or a path of one machine."""
    lines = []
    for name, text in course_texts(root).items():
        lesson = re.match(r"notebooks/src/\d\d_", name)
        if find == "words" and not lesson and not name.endswith(".ipynb"):
            lines += [f"{name}: {word}" for word in (loaded if name.endswith(".md") else named)(text)]
        if find == "paths" and not name.endswith(".ipynb"):
            lines += [f"{name}: {found[0]} is a place on one machine" for found in links.ABSOLUTE.finditer(text)]
    return lines


PAGES = links.pages()
each_page = pytest.mark.parametrize("place", PAGES, ids=str)


@each_page
def test_every_picture_of_a_page_is_described(place):
    assert undescribed(PAGES[place]) == []


def undescribed(text):
    """The pictures of a page that have no words for whoever cannot see them."""
    images = [(token.attrs["src"], token.content) for token in links.parsed(text) if token.type == "image"]
    images += [(tag, "".join(re.findall(r"""alt=["']([^"']*)["']""", tag))) for tag in re.findall(r"<img[^>]*>", text)]
    return [source for source, words in images if len(words.strip()) < 10]


@each_lesson
def test_source_has_no_absolute_path(source):
    assert links.ABSOLUTE.findall(source.read_text(encoding="utf-8")) == [], "a place on one machine"


def test_nothing_that_a_learner_runs_or_reads_upgrades_packages():
    assert upgrades(build.ROOT) == []


def upgrades(root):
    """The files that put a newer package in the place of the one that is there, which is how courses break on Colab."""
    return [name for name, text in course_texts(root).items() if UPGRADE.search(text)]


@each_lesson
@each_view
def test_badge_leads_to_the_notebook_that_it_stands_in(source, view):
    """A solved notebook's leads to the learner's, which is the one to be worked in."""
    (repository, branch), badges = build.address(), BADGE.findall(nbformat.read(view(source), as_version=4).cells[0].source)
    assert badges == [f"{repository}/blob/{branch}/{build.learner_path(source).relative_to(build.ROOT).as_posix()}"]


def test_badges_of_the_front_page_lead_to_their_rows_notebook():
    rows = [line for line in (build.ROOT / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("|") and BADGE.search(line)]
    assert {source.name for source in LESSONS} == {f"{Path(re.search(r'[(](notebooks/.+?)[)]', row)[1]).stem}.py" for row in rows}
    for row in rows:
        assert BADGE.findall(row) == ["{}/blob/{}/{}".format(*build.address(), re.search(r"\((notebooks/.+?)\)", row)[1])]


@each_lesson
def test_no_instruction_of_the_template_is_left(source):
    assert "<!--" not in source.read_text(encoding="utf-8")


@pytest.fixture
def example(tmp_path, monkeypatch):
    """A small lesson in a folder of its own, with the set-up cell of the course."""
    (tmp_path / "src").mkdir()
    (tmp_path / "course_lib").symlink_to(build.ROOT / "course_lib")
    (tmp_path / "src" / "setup_course.py").write_text(build.SETUP.read_text(encoding="utf-8"), encoding="utf-8")
    source = tmp_path / "src" / "77_example.py"
    source.write_text(EXAMPLE, encoding="utf-8")
    for name, value in {"NOTEBOOKS": tmp_path, "ROOT": tmp_path, "SOURCES": tmp_path / "src", "SETUP": tmp_path / "src" / "setup_course.py"}.items():
        monkeypatch.setattr(build, name, value)
    return source


def test_two_builds_are_the_same_and_a_change_makes_them_stale(example):
    first = [path.read_bytes() for path in build.build(example)]
    assert [path.read_bytes() for path in build.build(example)] == first
    assert build.stale_parts(example) == []
    example.write_text(EXAMPLE.replace("one", "three"), encoding="utf-8")
    assert len(build.stale_parts(example)) == 2


def test_widget_is_built_as_its_text(example):
    """What a widget adds to a notebook bears a random name, which would make every build another one."""
    example.write_text(EXAMPLE + "# %%\nimport ipywidgets\nipywidgets.IntSlider(7)\n", encoding="utf-8")
    first = [path.read_bytes() for path in build.build(example)]
    assert [path.read_bytes() for path in build.build(example)] == first
    notebook = nbformat.read(build.learner_path(example), as_version=4)
    (output,) = notebook.cells[-1].outputs
    assert list(output.data) == ["text/plain"] and output.data["text/plain"].startswith("IntSlider(value=7")
    assert "widgets" not in notebook.metadata


def test_blank_runs_and_names_what_is_wanted():
    solution = 'helper = 1\nanswer, other = 42, 43\ndef double(x):\n    """Twice x."""\n    return 2 * x'
    blank = build.blank(solution, "assert answer == 42")
    names = {}
    exec(blank, names)
    assert blank.startswith(build.BLANK) and names["answer"] is ...
    assert not {"helper", "other"} & set(names), "the check does not ask for these"
    assert names["double"](1) is None and names["double"].__doc__ == "Twice x."


def test_blank_has_annotated_names_and_leaves_the_checks_own_alone():
    assert build.blank("left: float = 0.5\nfor name in 'ab':\n    left *= 2", "for name in 'ab':\n    assert left == 2") == f"{build.BLANK}\nleft = ..."


@pytest.mark.parametrize("solution", ["class Answer:\n    pass", "with open('x') as Answer:\n    pass", "for Answer in range(3):\n    pass", "import numpy as Answer"])
def test_blank_that_would_lose_a_name_is_refused(solution):
    with pytest.raises(ValueError, match="expected a solution that assigns Answer or defines it as a function, at the left edge"):
        build.blank(solution, "assert Answer")


def test_a_warning_stops_the_build(example):
    example.write_text(EXAMPLE + '# %%\nimport sys\nprint("careful", file=sys.stderr)\n', encoding="utf-8")
    with pytest.raises(ValueError, match="careful"):
        build.build(example)


def test_address_changes_in_one_place_and_everywhere(example, tmp_path):
    learner, _ = build.build(example)
    (tmp_path / "README.md").write_text(build.badge(example), encoding="utf-8")
    build.readdress("teacher/fork", "autumn")
    assert build.address() == ("teacher/fork", "autumn")
    assert "/github/teacher/fork/blob/autumn/" in (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "OWNER/NAME" not in learner.read_text(encoding="utf-8")
    assert build.stale_parts(example) == []


@pytest.mark.parametrize("repository, branch", [("https://example.org/owner/name", "main"), ("owner/name", 'a"b')])
def test_readdress_refuses_what_is_no_address(repository, branch):
    with pytest.raises(SystemExit, match="owner/name"):
        build.readdress(repository, branch)


def test_fingerprint_follows_imports():
    found = {path.name for path in build.helpers(build.SOURCES / "00_start_here.py")}
    assert {"datasets.py", "archives.py", "files.py", "evaluation.py"} <= found


@pytest.mark.parametrize("line", ["import course_lib.words", "from course_lib import words", "from course_lib.words import in_words"])
def test_helpers_are_found_however_they_are_imported(tmp_path, line):
    (tmp_path / "a.py").write_text(f"{line}\nfrom course_lib import nowhere\n", encoding="utf-8")
    assert {path.name for path in build.helpers(tmp_path / "a.py")} == {"words.py"}


def test_run_names_the_lesson_that_fails_and_runs_the_others(example, tmp_path, monkeypatch, capsys):
    build.build(example)
    broken = nbformat.read(tmp_path / "solutions" / "77_example.ipynb", as_version=4)
    broken.cells.append(nbformat.v4.new_code_cell("1 / 0"))
    nbformat.write(broken, tmp_path / "solutions" / "00_broken.ipynb")
    monkeypatch.setattr(run, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(run, "BUILD", tmp_path / "build")
    monkeypatch.setattr(sys, "argv", ["run.py"])
    with pytest.raises(SystemExit, match="1 of 2 lessons failed: 00_broken"):
        run.main()
    printed = capsys.readouterr().out
    assert re.search(r"00_broken +[\d.]+ s  FAILED: ZeroDivisionError", printed)
    assert re.search(r"77_example +[\d.]+ s  passed", printed)
    assert (tmp_path / "build" / "77_example.html").is_file()


def test_set_up_cell_clones_where_the_course_is_not(tmp_path):
    """A notebook that came alone fetches the course from the address in its set-up cell."""
    bare = tmp_path / "remote" / "teacher" / "fork"
    subprocess.run(["git", "init", "-q", "-b", build.address()[1], bare], check=True)
    (bare / "course_lib").mkdir(parents=True)
    (bare / "course_lib" / "diagnosis.py").write_text("def greet(lesson):\n    print('fetched for lesson', lesson)\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "-C", bare, "add", "."], check=True)
    subprocess.run(["git", "-C", bare, *identity, "commit", "-qm", "a"], check=True)
    (tmp_path / "alone").mkdir()
    redirect = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.file://{tmp_path}/remote/.insteadOf", "GIT_CONFIG_VALUE_0": "https://github.com/"}
    code = build.SETUP.read_text(encoding="utf-8").replace(build.address()[0], "teacher/fork")
    for _ in range(2):  # the second time it is there already
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path / "alone", env={"PATH": os.environ["PATH"], **redirect}, capture_output=True, text=True)
        assert done.stdout.strip() == "fetched for lesson NN", done.stderr


@pytest.fixture
def template(tmp_path, monkeypatch):
    """The lesson to copy, under a new name in a course of its own, whose table of results is its own as well."""
    folder = tmp_path / "notebooks" / "src"
    folder.mkdir(parents=True)
    shutil.copytree(build.ROOT / "course_lib", tmp_path / "course_lib", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "data").symlink_to(build.ROOT / "data")
    shutil.copy(build.SETUP, folder / "setup_course.py")
    source = folder / "17_something.py"
    shutil.copy(build.SOURCES / "template.py", source)
    for name, value in {"NOTEBOOKS": tmp_path / "notebooks", "ROOT": tmp_path, "SOURCES": folder, "SETUP": folder / "setup_course.py"}.items():
        monkeypatch.setattr(build, name, value)
    return source


FORM = [
    test_lesson_keeps_its_promises,
    test_minutes_are_near_the_estimate,
    test_computing_time_is_as_recorded,
    test_lesson_has_its_form,
    test_quiz_explains_every_answer,
    test_learner_guesses_before_it_is_shown,
    test_code_is_short_and_imports_stand_together,
    test_lesson_adds_its_results_to_the_table,
    test_words,
    test_source_has_no_absolute_path,
]
BUILT = [test_notebooks_are_fresh, test_outputs_are_clean, test_learner_finds_blanks_and_the_other_outputs, test_every_picture_has_its_words, test_badge_leads_to_the_notebook_that_it_stands_in]


def test_template_is_no_lesson_until_it_is_copied(template):
    original = Path(build.__file__).parent / "src" / "template.py"
    assert original.is_file() and original not in LESSONS
    assert build.sources() == [template]


@pytest.mark.parametrize("lint", FORM, ids=lambda lint: lint.__name__)
def test_template_has_the_form(template, lint):
    lint(template)


def test_template_builds_into_notebooks_that_pass(template):
    """Copy one file, run one command: the learner's notebook and the solved one, with every check of a built notebook."""
    build.build(template)
    for lint in BUILT:
        views = [build.learner_path, build.solutions_path] if "view" in inspect.signature(lint).parameters else [None]
        for view in views:
            lint(template, *([view] if view else []))
    assert (build.ROOT / "build" / "results.csv").read_text(encoding="utf-8").count("\n17,") == 2
    for cell in nbformat.read(build.solutions_path(template), as_version=4).cells:
        if "check" in cell.metadata.get("tags", []):
            assert cell.outputs and cell.outputs[0].output_type == "stream", "a solution passes its check, and the check says so"


FAULTS = [
    (test_lesson_keeps_its_promises, "# - the share of a clip that is enough.", "# - a report, read before anything was trained.", "another thing"),
    (test_lesson_keeps_its_promises, "# - find the share of a clip that is enough.\n", "", "three things"),
    (test_minutes_are_near_the_estimate, "**Minutes:** 20", "**Minutes:** 10", "states 10"),
    (test_minutes_are_near_the_estimate, "**Minutes:** 20", "**Minutes:** 60", "states 60"),
    (test_lesson_has_its_form, ' tags=["check"]', "", 'expected a cell tagged "check"'),
    (test_lesson_has_its_form, "**Exercise 1", "**Task 1", "each exercise"),
    (test_quiz_explains_every_answer, "</summary>No: it changes nothing in the model.", "</summary>Yes: it changes nothing in the model.", "one answer is right"),
    (test_quiz_explains_every_answer, "# **3. Two shares", "# Two shares", "three questions"),
    (test_learner_guesses_before_it_is_shown, "**Predict, then run.**", "Run.", "asks for a guess"),
    (test_code_is_short_and_imports_stand_together, "clip = test.iloc[0]", "import pandas as pd\nclip = test.iloc[0]", "one cell"),
    (test_code_is_short_and_imports_stand_together, "clip = test.iloc[0]", "if True:\n    import pandas as pd\nclip = test.iloc[0]", "one cell"),
    (test_lesson_adds_its_results_to_the_table, "evaluation.Results().add(", "evaluation.Results().show(", "Results().add"),
    (test_lesson_adds_its_results_to_the_table, '"lesson": "17"', '"lesson": "16"', "lesson='17'"),
    (test_code_is_short_and_imports_stand_together, "clip = test.iloc[0]", "clip = test.iloc[0]\n" * 15, "a cell of"),
    (test_words, "How near was your guess?", "That was easy.", "easy"),
    (test_words, "# How near was your guess?", "# %% [markdown] tags=[\"notes\"]\n# Of course it falls.", "of course"),
    (test_words, "# How near was your guess?", "# It falls, of\n# course.", "of course"),
    (test_words, "clip = test.iloc[0]", "clip = test.iloc[0]\nassert len(clip), 'that was easy'", "easy"),
    (test_words, "How near was your guess?", "Type pip install pandas.", "pip install"),
    (test_source_has_no_absolute_path, "clip = test.iloc[0]", "clip = '/home/me/clip.wav'", "a place on one machine"),
    (test_no_instruction_of_the_template_is_left, "", "", "<!--"),
]


@pytest.mark.parametrize("lint, old, new, complaint", FAULTS, ids=[f"{fault[0].__name__}-{number}" for number, fault in enumerate(FAULTS)])
def test_a_fault_in_a_lesson_is_found_out(template, lint, old, new, complaint):
    text = template.read_text(encoding="utf-8")
    assert old in text
    template.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises((AssertionError, ValueError), match=re.escape(complaint)):
        lint(template)


def test_a_lesson_that_does_not_say_what_the_computer_takes_is_found_out(template):
    template.write_text(template.read_text(encoding="utf-8").replace("takes less than one.", "takes a while."), encoding="utf-8")
    with pytest.raises(ValueError, match="less than one / "):
        minutes.stated(template)


def test_promises_in_another_order_are_found_out_in_every_lesson():
    """And one that was replaced by another lesson's: hardly two that do not belong together are as alike as those that do. Who beats whom is beyond a comparison of words."""
    pairs = [promises(prose(source)) for source in LESSONS]
    own = [likeness(promised[n], kept[n]) for promised, kept in pairs for n in range(3)]
    strange = [likeness(promised[n], kept[m]) for i, (promised, _) in enumerate(pairs) for j, (_, kept) in enumerate(pairs) for n in range(3) for m in range(3) if (i, n) != (j, m)]
    assert min(own) >= ALIKE and sum(each >= ALIKE for each in strange) < 0.01 * len(strange)
    assert likeness("an LSTM that beats a GRU;", "a GRU that beats an LSTM.") == 1, "what the test cannot see"


@pytest.mark.parametrize("computing, recorded, right", [(1, 1.2, True), (1, 2.5, False), (2, 0.9, False), (0.5, 0.1, True), (0.5, 1.2, False), (1.5, 2.9, True)])
def test_computing_time_is_compared(computing, recorded, right):
    assert agrees(computing, recorded) is right


def test_record_of_a_lesson_is_read_in_minutes(tmp_path, monkeypatch):
    monkeypatch.setattr(minutes, "RECORD", tmp_path / "proved.json")
    assert minutes.recorded_minutes(Path("05_a.py")) is None
    minutes.RECORD.write_text('{"lessons": {"05": {"processor": 90, "gpu": null}, "06": {"processor": null}}}', encoding="utf-8")
    assert [minutes.recorded_minutes(Path(name)) for name in ["05_a.py", "06_b.py", "07_c.py"]] == [1.5, None, None]


@pytest.mark.parametrize("text, found", [("That is EASY.", ["easy"]), ("Of course.", ["of course"]), ('A paper, "Just in time", and `just`', []), ("adjust; just-in-time; unjust", []), ("It simply\nworks", ["simply"]), ("Of\ncourse", ["of course"]), ('A disk of 5" is easy, and of 6" too.', ["easy"])])
def test_loaded_words_are_found(text, found):
    assert loaded(text) == found


@pytest.mark.parametrize(
    "text, found",
    [
        *[(text, True) for text in ["saved in /home/me/x", "C:\\Users\\me", "c:\\users\\me", "see /tmp/", "file:///home/me", "in /var/x", "open /content", "/Volumes/stick", "/opt/x"]],
        *[(text, False) for text in ["../data/work/x and https://example.org/home/x", "and/or", "data/content/x", "/opt/homebrew/bin", "/usr/bin/env", "https://example.org"]],
    ],
)
def test_absolute_paths_are_found(text, found):
    assert bool(links.ABSOLUTE.search(text)) is found


@pytest.mark.parametrize(
    "name, text, words, paths",
    [("course_lib/plots.py", 'x = "/tmp/x"  # of\n# course', ["of course"], 1), ("forms/a.yml", "label: easy, /home/me", ["easy"], 1), ("a.md", '"Just in time"', [], 0)],
)
def test_faults_of_files_are_found(tmp_path, name, text, words, paths):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert faulty(tmp_path, "words") == [f"{name}: {word}" for word in words] and len(faulty(tmp_path, "paths")) == paths


@pytest.mark.parametrize(
    "code, found",
    [("import a", True), ("if x:\n    import a", True), ("def f():\n    from a import b", True), ("try:\n    import a\nexcept ImportError:\n    a = None", False), ("important = 1", False)],
)
def test_imports_are_found_at_any_depth(code, found):
    assert imports(ast.parse(code)) is found


@pytest.mark.parametrize(
    "code, found",
    [("evaluation.Results().add(a=1)", True), ("t, n = evaluation.Results(), 0\nt.add(a=1)", True), ("t = evaluation.Results()\nset().add(1)", False), ("evaluation.Results().show()", False)],
)
def test_a_row_of_results_is_found(code, found):
    assert added(code) is found


def test_a_memory_address_is_found():
    assert MEMORY.search("<object at 0x55d1c8a0b2f0>") and not MEMORY.search("0x1f")


def test_pictures_without_words_are_found():
    assert undescribed('![a wave, and its peak at 0.2 s](a.png) ![](b.png) <img src="c.png"> <img src="d.png" alt="the gates of 24 units over a clip">') == ["b.png", '<img src="c.png">']


@pytest.mark.parametrize(
    "line, found",
    [
        *[(line, True) for line in ["!pip install -U tensorflow", "pip install --quiet --upgrade x", "pip install -qU x", "pip -q install -Uq x", "pip install --force-reinstall x"]],
        *[(line, True) for line in ["pip3.12 install x \\\n    --pre", '"pip", "install", "-U", "x"']],
        *[(line, False) for line in ["python -m pip install -r requirements.txt", "pip install -q ultra-light", "pip install x\nls -U", "`pip install x` and -U", "pip install --prefer-binary x-U"]],
    ],
)
def test_upgrades_are_found(tmp_path, line, found):
    (tmp_path / "notes.md").write_text(line, encoding="utf-8")
    assert upgrades(tmp_path) == (["notes.md"] if found else [])
