"""The built notebooks: fresh, clean, in the course's form; and the programs that build and run them."""

import ast
import inspect
import json
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
SMALL_WORDS = set("a an and as at by each for from have how in into is it its no not of on one or so that the their them then this to what when where which who with without you your".split())
ALIKE = 0.6  # the least likeness of a promise and what became of it; of two that do not belong together it is 0.54 at most
ABSOLUTE = re.compile(r"(?<![\w./~-])(/(tmp|home|root|Users|content|work|mnt|opt)/|[A-Z]:\\\\?\w)")
UPGRADE = re.compile(r"pip3? +install[^\n`]*(\s-U\b|--upgrade)")
READ = [".md", ".py", ".ipynb", ".yml", ".yaml", ".txt", ".sh", ".bat", ".command", ".cfg", ".ini", ".toml", ""]  # files that people read or run; "" is the Makefile
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
    text = re.sub(r"[A-Za-z0-9+/=\\\n]{200,}", "", json.dumps(outputs))  # without pictures and sounds
    assert not ABSOLUTE.search(text.replace('\\"', " ")), "an output holds an absolute path"
    assert "0x7f" not in text, "an output holds a memory address, which differs from run to run"
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
    assert len(re.findall(r"\*\*Exercise \d", text)) == len(exercises) // 2


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
    importing = [number for number, cell in enumerate(code) if any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.parse(cell.source).body)]
    assert importing == [0, 1], "imports stand in one cell, after the set-up"
    for cell in code:
        lines = cell.source.splitlines()
        assert len(lines) <= LINES_A_CELL or {"long", "setup"} & set(cell.metadata.get("tags", [])), f"a cell of {len(lines)} lines:\n{cell.source}"
        assert max(map(len, lines)) <= WIDTH, f"a line is cut off on the page: {max(lines, key=len)}"


@each_lesson
def test_words(source):
    """Of the slides and the speaker's notes as well."""
    assert loaded("\n\n".join(cell.source for cell in build.read(source) if cell.cell_type == "markdown")) == []
    assert "pip install" not in source.read_text(encoding="utf-8")


def loaded(text):
    """The words of a text that tell the reader how hard something is meant to be, but for code and what is quoted, such as a title."""
    plain = re.sub(r"```.*?```|`[^`]*`|\"[^\"\n]*\"|\]\([^)]*\)|<!--.*?-->", " ", text, flags=re.DOTALL).lower()
    return [word for word in LOADED_WORDS if re.search(rf"(?<![\w-]){word}(?![\w-])", plain)]


PAGES = {place: text for place, text in links.pages().items() if place.suffix == ".md"}
each_page = pytest.mark.parametrize("place", PAGES, ids=str)


@each_page
def test_pages_have_no_loaded_word_and_no_absolute_path(place):
    assert loaded(PAGES[place]) == []
    assert not ABSOLUTE.search(PAGES[place]), f"{place}: {ABSOLUTE.search(PAGES[place])[0]} is a place on one machine"


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
    assert ABSOLUTE.findall(source.read_text(encoding="utf-8")) == [], "a place on one machine"


def test_nothing_that_a_learner_runs_or_reads_upgrades_packages():
    assert upgrades(build.ROOT) == []


def upgrades(root):
    """The files that put a newer package in the place of the one that is there, which is how courses break on Colab."""
    found = []
    for path in root.glob("**/*"):
        parts = path.relative_to(root).parts
        if path.suffix in READ and path.is_file() and parts[0] != "tests" and not links.SKIPPED & set(parts) and not any(part.startswith(".") and part not in (".ci", ".github") for part in parts):
            found += [str(path.relative_to(root))] if UPGRADE.search(path.read_text(encoding="utf-8", errors="replace")) else []
    return found


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
    assert "OWNER" not in learner.read_text(encoding="utf-8")
    assert build.stale_parts(example) == []


def test_readdress_refuses_what_is_no_address():
    with pytest.raises(SystemExit, match="owner/name"):
        build.readdress("https://example.org/owner/name", "main")


def test_fingerprint_follows_imports():
    found = {path.name for path in build.helpers(build.SOURCES / "00_start_here.py")}
    assert {"datasets.py", "archives.py", "files.py", "evaluation.py"} <= found


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
    bare = tmp_path / "remote" / "OWNER" / "NAME"
    subprocess.run(["git", "init", "-q", "-b", "main", bare], check=True)
    (bare / "course_lib").mkdir(parents=True)
    (bare / "course_lib" / "diagnosis.py").write_text("def greet(lesson):\n    print('fetched for lesson', lesson)\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "-C", bare, "add", "."], check=True)
    subprocess.run(["git", "-C", bare, *identity, "commit", "-qm", "a"], check=True)
    (tmp_path / "alone").mkdir()
    redirect = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.file://{tmp_path}/remote/.insteadOf", "GIT_CONFIG_VALUE_0": "https://github.com/"}
    code = build.SETUP.read_text(encoding="utf-8").replace(build.address()[0], "OWNER/NAME")
    for _ in range(2):  # the second time it is there already
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path / "alone", env={"PATH": __import__("os").environ["PATH"], **redirect}, capture_output=True, text=True)
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
    test_words,
    test_source_has_no_absolute_path,
]
BUILT = [test_notebooks_are_fresh, test_outputs_are_clean, test_learner_finds_blanks_and_the_other_outputs, test_every_picture_has_its_words, test_badge_leads_to_the_notebook_that_it_stands_in]


def test_template_is_no_lesson_until_it_is_copied(template):
    assert build.SOURCES / "template.py" not in LESSONS
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
    (test_lesson_has_its_form, ' tags=["check"]', "", "three exercises"),
    (test_quiz_explains_every_answer, "</summary>No: it changes nothing in the model.", "</summary>Yes: it changes nothing in the model.", "one answer is right"),
    (test_quiz_explains_every_answer, "# **3. Two shares", "# Two shares", "three questions"),
    (test_learner_guesses_before_it_is_shown, "**Predict, then run.**", "Run.", "asks for a guess"),
    (test_code_is_short_and_imports_stand_together, "clip = test.iloc[0]", "import pandas as pd\nclip = test.iloc[0]", "one cell"),
    (test_code_is_short_and_imports_stand_together, "clip = test.iloc[0]", "clip = test.iloc[0]\n" * 15, "a cell of"),
    (test_words, "How near was your guess?", "That was easy.", "easy"),
    (test_words, "# How near was your guess?", "# %% [markdown] tags=[\"notes\"]\n# Of course it falls.", "of course"),
    (test_words, "How near was your guess?", "Type pip install pandas.", "pip install"),
    (test_source_has_no_absolute_path, "clip = test.iloc[0]", "clip = '/home/me/clip.wav'", "a place on one machine"),
    (test_no_instruction_of_the_template_is_left, "", "", "<!--"),
]


@pytest.mark.parametrize("lint, old, new, complaint", FAULTS, ids=[f"{fault[0].__name__}-{number}" for number, fault in enumerate(FAULTS)])
def test_a_fault_in_a_lesson_is_found_out(template, lint, old, new, complaint):
    text = template.read_text(encoding="utf-8")
    assert old in text
    template.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(AssertionError, match=re.escape(complaint)):
        lint(template)


def test_a_lesson_that_does_not_say_what_the_computer_takes_is_found_out(template):
    template.write_text(template.read_text(encoding="utf-8").replace("takes less than one.", "takes a while."), encoding="utf-8")
    with pytest.raises(ValueError, match="less than one / "):
        minutes.stated(template)


def test_promises_in_another_order_are_found_out_in_every_lesson():
    """And one that was replaced by another lesson's: no two that do not belong together are as alike as those that do."""
    pairs = [promises(prose(source)) for source in LESSONS]
    own = [likeness(promised[n], kept[n]) for promised, kept in pairs for n in range(3)]
    strange = [likeness(promised[n], kept[m]) for i, (promised, _) in enumerate(pairs) for j, (_, kept) in enumerate(pairs) for n in range(3) for m in range(3) if (i, n) != (j, m)]
    assert min(own) >= ALIKE > max(strange)


@pytest.mark.parametrize("computing, recorded, right", [(1, 1.2, True), (1, 2.5, False), (2, 0.9, False), (0.5, 0.1, True), (0.5, 1.2, False), (1.5, 2.9, True)])
def test_computing_time_is_compared(computing, recorded, right):
    assert agrees(computing, recorded) is right


def test_record_of_a_lesson_is_read_in_minutes(tmp_path, monkeypatch):
    monkeypatch.setattr(minutes, "RECORD", tmp_path / "proved.json")
    assert minutes.recorded_minutes(Path("05_a.py")) is None
    minutes.RECORD.write_text('{"lessons": {"05": {"processor": 90, "gpu": null}, "06": {"processor": null}}}', encoding="utf-8")
    assert [minutes.recorded_minutes(Path(name)) for name in ["05_a.py", "06_b.py", "07_c.py"]] == [1.5, None, None]


@pytest.mark.parametrize("text, found", [("That is EASY.", ["easy"]), ("Of course.", ["of course"]), ('A paper, "Just in time", and `just`', []), ("adjust; just-in-time; unjust", []), ("It simply\nworks", ["simply"])])
def test_loaded_words_are_found(text, found):
    assert loaded(text) == found


@pytest.mark.parametrize("text, found", [("saved in /home/me/x", True), ("C:\\Users\\me", True), ("../data/work/x and https://example.org/home/x", False), ("see /tmp/", True), ("and/or", False)])
def test_absolute_paths_are_found(text, found):
    assert bool(ABSOLUTE.search(text)) is found


def test_pictures_without_words_are_found():
    assert undescribed('![a wave, and its peak at 0.2 s](a.png) ![](b.png) <img src="c.png"> <img src="d.png" alt="the gates of 24 units over a clip">') == ["b.png", '<img src="c.png">']


@pytest.mark.parametrize("line, found", [("!pip install -U tensorflow", True), ("pip install --quiet --upgrade x", True), ("python -m pip install -r requirements.txt", False), ("pip install -q ultra-light", False)])
def test_upgrades_are_found(tmp_path, line, found):
    (tmp_path / "notes.md").write_text(line, encoding="utf-8")
    assert upgrades(tmp_path) == (["notes.md"] if found else [])
