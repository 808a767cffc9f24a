"""The teacher's edition: slides, quiz sheets, the notes on each lesson, the capstone's rubric."""

import base64
import io
import re
import subprocess
import sys
from html import unescape
from importlib.util import find_spec

import nbformat
import pytest
from PIL import Image

for package in ["nbconvert", "markdown_it", "jupytext"]:
    pytest.importorskip(package, reason=f"expected {package}: install requirements-dev.txt to build slides and quiz sheets")
from notebooks import build
from teaching import quizzes, slides

LESSONS = build.sources()
TEACHING = build.ROOT / "teaching"
SIZES = [(1280, 720), (1920, 1080)]
SECTIONS = ["Objectives", "On the board", "Schedule", "Three wrong answers", "What to skip", "Before class"]
FEWEST_SLIDES, LINES, WORDS = 6, 5, 12  # slides of a lesson; lines of a cell for slides alone, and words of a line
ASKED = re.compile(r"""(?:src|href|srcset|poster)\s*=\s*["']?([^"'\s>]+)|url\(\s*["']?([^"')]+)|@import\s+["']?([^"';\s]+)|\bimport\b[^;\n]*?\bfrom\s*["']([^"']+)|\bimport\(\s*["']([^"']+)""")
SMALL_PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WORDS_ON_IT = 'In words: "a dot" shows nothing against nothing. To see: it is small.'
EXAMPLE = """# %% [markdown]
# # 77 · Example
#
# Only the notebook says this.
#
# **Minutes:** 20. **You need:** nothing.
# %% tags=["setup"]
import setup_course
# %% [markdown] tags=["slide", "only-slides"]
# ## First question
# - See [the first lesson](00_start_here.ipynb)
# %% [markdown] tags=["notes"]
# Ask the back row.
# %% tags=["more"]
print("shown with its code")
# %% [markdown] tags=["slide"]
# ## Second question
# %% tags=["more", "no-code"]
print("shown without its code")
# %% [markdown]
# On no slide.
#
# ## Quiz
#
# **1. What is `one` and
# one?**
#
# <details><summary>A. Two.</summary>Yes: count <code>them</code>, in all their great number.</details>
# <details><summary>B. No: it is three.</summary>No: three is one more than is to be had here.</details>
#
# **2. Two?**
#
# <details><summary>A. No.</summary>No: for a reason that is given here.</details>
# <details><summary>B. Yes.</summary>Yes: for another reason that is given here.</details>
#
# **3. Three?**
#
# <details><summary>A. No.</summary>No: for a reason that is given here.</details>
# <details><summary>B. Yes.</summary>Yes: for another reason that is given here.</details>
#
# *Sounds: nobody. Text: CC BY 4.0.*
"""

each_lesson = pytest.mark.parametrize("source", LESSONS, ids=lambda source: source.stem)
needs_reveal = pytest.mark.skipif(find_spec("sphinx_revealjs") is None, reason="expected sphinx-revealjs, which brings reveal.js: install requirements-dev.txt")


@pytest.fixture
def example(tmp_path, monkeypatch):
    """A small tagged lesson in a folder of its own, and its solutions notebook as a build would have left it."""
    (tmp_path / "src").mkdir()
    (tmp_path / "course_lib").symlink_to(build.ROOT / "course_lib")
    (tmp_path / "src" / "setup_course.py").write_text(build.SETUP.read_text(encoding="utf-8"), encoding="utf-8")
    for name, value in {"NOTEBOOKS": tmp_path, "ROOT": tmp_path, "SOURCES": tmp_path / "src", "SETUP": tmp_path / "src" / "setup_course.py"}.items():
        monkeypatch.setattr(build, name, value)
    return written(tmp_path / "src" / "77_example.py", EXAMPLE)


def written(source, text):
    """A source with a text, and its solutions notebook with outputs: for each print what it prints, with a picture above the last."""
    source.write_text(text, encoding="utf-8")
    whole = build.compose(source)
    printing = [cell for cell in build.code_cells(whole) if cell.source.startswith("print")]
    for cell in printing:
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"{eval(cell.source[5:])}\n")]
    if printing:
        picture = nbformat.v4.new_output("display_data", data={"image/png": SMALL_PICTURE}, metadata={"image/png": {"alt": WORDS_ON_IT}})
        printing[-1].outputs = [picture, nbformat.v4.new_output("stream", name="stdout", text=f"{WORDS_ON_IT.replace('To see:', chr(10) + 'To see:')}\n{printing[-1].outputs[0].text}")]
    build.solutions_path(source).parent.mkdir(exist_ok=True)
    nbformat.write(whole, build.solutions_path(source))
    return source


def parts_of(page):
    """The slides of a page, each as what is shown and what is noted."""
    whole = re.findall(r"<section>(.*?)</section>", page, flags=re.DOTALL)
    return [(re.sub(r"<aside.*?</aside>", "", slide, flags=re.DOTALL), "".join(re.findall(r"<aside class=\"notes\">(.*?)</aside>", slide, flags=re.DOTALL))) for slide in whole]


def plain(html):
    """The words of a piece of HTML."""
    return " ".join(unescape(re.sub(r"<style.*?</style>|<[^>]+>", "", html, flags=re.DOTALL)).split())


@needs_reveal
def test_slides_are_what_the_tags_say(example):
    page = slides.page(example, slides.slides(example))
    (first, _), (one, note), (two, words), (last, _) = parts_of(page)
    assert "77 · Example" in first and "20 minutes" in first and "CC BY 4.0" in first
    assert "First question" in one and 'print</span><span class="p">(' in one and "shown with its code" in one
    assert "Second question" in two and "shown without its code" in two and "print" not in two
    assert "Ask the back row." in note and "Ask the back row." not in plain(one + two)
    assert "On no slide" not in page and "Only the notebook" not in page and "setup_course" not in page
    assert "notebooks/77_example.ipynb" in last and "Sounds: nobody." in last


@needs_reveal
def test_picture_keeps_its_words_and_the_slide_shows_them_to_listeners_alone(example):
    shown, noted = parts_of(slides.page(example, slides.slides(example)))[2]
    assert unescape(re.search(r"""alt=(["'])(.*?)\1""", shown)[2]) == WORDS_ON_IT
    assert "In words" not in plain(shown) and WORDS_ON_IT in plain(noted).replace("“", '"').replace("”", '"')


def test_pictures_that_are_too_tall_together_are_divided():
    def output(height):
        held = io.BytesIO()
        Image.new("L", (4, height)).save(held, "png")
        return nbformat.v4.new_output("display_data", data={"image/png": base64.b64encode(held.getvalue()).decode()})

    words = nbformat.v4.new_output("stream", name="stdout", text="words")
    half, rest = slides.TALLEST // 2, slides.TALLEST
    cell = nbformat.v4.new_code_cell("drawn()", metadata={"tags": []}, outputs=[output(half), output(half), words, output(2 * rest), words, output(1)])
    pieces = slides.divided(cell)
    assert [[slides.picture(each).height if slides.is_picture(each) else "words" for each in piece.outputs] for piece in pieces] == [[half, half, "words"], [2 * rest, "words"], [1]]
    assert [piece.metadata.tags for piece in pieces] == [[], ["no-code"], ["no-code"]]
    assert len(slides.divided(nbformat.v4.new_code_cell("", metadata={"tags": []}, outputs=[output(half), words]))) == 1


@needs_reveal
def test_page_of_slides_asks_for_nothing(example):
    page = slides.page(example, slides.slides(example))
    asked = {address for found in ASKED.findall(page) for address in found if address}
    assert asked and {address for address in asked if not address.startswith("data:")} == set()
    assert "the first lesson" in page and "00_start_here.ipynb" not in page


@needs_reveal
def test_same_source_same_slides(example):
    assert slides.page(example, slides.slides(example)) == slides.page(example, slides.slides(example))


@needs_reveal
def test_lesson_that_shows_its_title_gets_no_second_one(example):
    written(example, EXAMPLE.replace("# ## First question", "# # 77 · Example, shown"))
    notebook = slides.slides(example)
    (first, note), *others = parts_of(slides.page(example, notebook))
    assert "77 · Example, shown" in first and "20 minutes" in first and "Ask the back row." in note and len(others) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('["slide"', '["more"', 'expected a cell tagged "slide" before the first one tagged "more"'),
        ('"slide", ', "", '"only-slides" only beside'),
        ('["more", "no-code"]', '["no-code"]', "found no-code"),
        ('tags=["notes"]', 'tags=["notes", "more"]', "found more, notes"),
        ('print("shown without its code")', "silent = 1", 'expected outputs of a cell tagged "no-code"'),
    ],
)
def test_tag_in_a_place_where_it_means_nothing_is_refused(example, old, new, message):
    written(example, EXAMPLE.replace(old, new, 1))
    with pytest.raises(ValueError, match="77_example.py: ") as error:
        slides.slides(example)
    assert message in str(error.value)


def test_lesson_without_tags_is_named_and_the_others_are_made(example, monkeypatch, capsys):
    written(example.with_name("78_bare.py"), re.sub(r' tags=\["(slide|more|notes)[^\n]*', "", EXAMPLE))
    monkeypatch.setattr(slides, "page", lambda source, notebook: "a page")
    monkeypatch.setattr(sys, "argv", ["slides.py"])
    with pytest.raises(SystemExit, match="1 of 2 lessons have no slides: 78_bare"):
        slides.main()
    assert capsys.readouterr().out.splitlines() == ["77_example: 4 slides", '78_bare.py: expected cells tagged "slide", found none']
    assert [path.name for path in (build.ROOT / "build" / "slides").iterdir()] == ["77_example.html"]


def test_slides_of_older_outputs_are_refused(example):
    example.write_text(EXAMPLE.replace("shown with", "since then shown with"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"its outputs are older than its code\n(?s:.*)run: make build LESSONS=77"):
        slides.slides(example)
    example.write_text(EXAMPLE.replace("Ask the back row", "Ask the first row"), encoding="utf-8")
    assert "Ask the first row." in [cell.source for cell in slides.slides(example).cells], "a change of words alone needs no run"


@each_lesson
def test_lesson_has_slides(source):
    notebook = slides.slides(source)
    assert sum(map(slides.starts, notebook.cells)) >= FEWEST_SLIDES + 2, "besides the first and the last"
    assert [cell for cell in notebook.cells if cell.metadata.slideshow.slide_type == "notes" and not cell.source.startswith("In words: ")], "the teacher has notes"


@each_lesson
def test_cells_for_slides_alone_are_short(source):
    for cell in build.read(source):
        if "only-slides" in cell.metadata.get("tags", []):
            lines = [line for line in cell.source.splitlines() if line.strip() and not line.startswith("#")]
            assert len(lines) <= LINES, f"{len(lines)} lines:\n{cell.source}"
            assert max((len(line.lstrip("-*0123456789. ").split()) for line in lines), default=0) <= WORDS, f"a line of more than {WORDS} words:\n{cell.source}"


@needs_reveal
@each_lesson
def test_every_slide_fits_and_nothing_is_fetched(source, browser, tmp_path):
    """On a screen, the last lesson on a larger one as well: no slide is larger than its room, no console speaks, no other address is asked for, no picture is without its words."""
    path = tmp_path / f"{source.stem}.html"
    path.write_text(slides.page(source, slides.slides(source)), encoding="utf-8")
    for width, height in SIZES if source == LESSONS[-1] else SIZES[:1]:
        page, said = browser.new_page(viewport={"width": width, "height": height}), []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url) if request.url != path.as_uri() and not request.url.startswith("data:") else None)
        page.goto(path.as_uri())
        page.wait_for_function("window.Reveal && Reveal.isReady()")
        for number in range(1, page.evaluate("Reveal.getTotalSlides()") + 1):
            place = page.evaluate("Reveal.getCurrentSlide().dataset.fits + ' ' + (Reveal.getIndices().h + 1)")
            assert place == f"yes {number}", f"slide {number} has more than a screen of {width} × {height} holds"
            assert page.evaluate("[...Reveal.getCurrentSlide().querySelectorAll('img')].every(picture => picture.alt && picture.naturalWidth)")
            page.keyboard.press("ArrowRight")
        assert said == []
        page.close()


@needs_reveal
def test_keys_show_the_notes(example, browser, tmp_path):
    path = tmp_path / "slides.html"
    path.write_text(slides.page(example, slides.slides(example)), encoding="utf-8")
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.goto(path.as_uri() + "#/1")
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    assert not page.get_by_text("Ask the back row.").and_(page.locator(":visible")).count()
    page.keyboard.press("n")
    page.locator(".speaker-notes").get_by_text("Ask the back row.").wait_for()
    with context.expect_page() as opened:
        page.keyboard.press("s")
    opened.value.locator(".speaker-controls-notes").get_by_text("Ask the back row.").wait_for()
    context.close()


@needs_reveal
def test_print_has_a_page_for_each_slide_and_for_its_notes(example, browser, tmp_path):
    path = tmp_path / "slides.html"
    path.write_text(slides.page(example, slides.slides(example)), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri() + "?print-pdf")
    page.locator(".speaker-notes-pdf").last.wait_for()
    noted = sum(bool(notes) for _, notes in parts_of(path.read_text(encoding="utf-8")))
    assert noted == 2 and pages_of(page) == 4 + noted
    page.close()


def pages_of(page):
    """How many sheets of paper a page of the browser would take."""
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True)))


def test_quiz_is_read_as_it_stands(example):
    sheet = quizzes.quiz(example)
    assert sheet["title"] == "77 · Example" and len(sheet["questions"]) == 3
    first = sheet["questions"][0]
    assert first["text"] == "What is <code>one</code> and one?"
    assert [(answer["letter"], answer["right"]) for answer in first["answers"]] == [("A", True), ("B", False)]
    assert first["answers"][0] == {"letter": "A", "text": "Two.", "right": True, "why": "count <code>them</code>, in all their great number."}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("## Quiz", "## Quizzes", 'expected a heading "## Quiz"'),
        ("Yes: count", "No: count", "question 1: .*found 2 in form, 0 right"),
        ("No: three", "Yes: three", "question 1: .*found 2 in form, 2 right"),
        ("No: three", "Maybe: three", "question 1: .*found 1 in form, 1 right"),
        ("B. No", "C. No", "question 1: .*found 2 in form, 1 right"),
        ("**2. Two", "**4. Two", "expected questions 1, 2 and 3, found 1, 4, 3"),
    ],
)
def test_quiz_in_another_form_is_refused(example, old, new, message):
    example.write_text(EXAMPLE.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=f"77_example.py.*{message}"):
        quizzes.quiz(example)


@each_lesson
def test_sheet_without_answers_tells_none(source):
    sheet = quizzes.quiz(source)
    bare, full = (quizzes.page([sheet], answers=answers) for answers in (False, True))
    for question in sheet["questions"]:
        for answer in question["answers"]:
            assert plain(answer["text"]) in plain(bare) and plain(answer["why"]) in plain(full)
            assert plain(answer["why"]) not in plain(bare), "an explanation is on the learner's sheet"
    items = re.findall(r"<li.*?</li>", bare, flags=re.DOTALL)
    assert {re.sub(r"<div>.*</div>", "", item, flags=re.DOTALL) for item in items} == {'<li><span class="box"></span></li>'}, "all answers look alike"
    marked = [index for index, item in enumerate(re.findall(r"<li.*?</li>", full, flags=re.DOTALL)) if 'class="right"' in item]
    assert marked == [index for index, answer in enumerate(answer for question in sheet["questions"] for answer in question["answers"]) if answer["right"]]


@each_lesson
def test_sheet_agrees_with_the_lesson(source):
    """An independent reading: the letters before "Yes" in the notebook that learners open."""
    notebook = "\n".join(cell.source for cell in nbformat.read(build.learner_path(source), as_version=4).cells if cell.cell_type == "markdown")
    letters = re.findall(r"<summary>(.)\.(?:(?!</summary>).)*</summary>Yes:", notebook.rpartition("## Quiz")[2])
    found = [answer["letter"] for question in quizzes.quiz(source)["questions"] for answer in question["answers"] if answer["right"]]
    assert found == letters and len(found) == 3


def test_each_sheet_prints_on_one_page(browser, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["quizzes.py"])
    monkeypatch.setattr(build, "ROOT", tmp_path)
    quizzes.main()
    folder = tmp_path / "build" / "quizzes"
    assert len(list(folder.iterdir())) == 2 * (len(LESSONS) + 1)
    page = browser.new_page()
    for end in quizzes.KINDS:
        page.goto((folder / f"{quizzes.ALL}{end}.html").as_uri())
        assert pages_of(page) == len(LESSONS)
        assert page.locator("script, link, img").count() == 0
    page.close()


@each_lesson
def test_notes_on_a_lesson_have_their_form(source):
    text = (TEACHING / f"{source.name[:2]}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {slides.heading(source)}: notes for the teacher\n")
    assert [name for name in re.findall(r"^## (.+)$", text, flags=re.MULTILINE) if name in SECTIONS] == SECTIONS
    for name in SECTIONS:
        assert len(section(text, name).split()) >= 20, f"next to nothing under {name}"
    for name in ["Objectives", "Three wrong answers"]:
        assert re.findall(r"^(\d)\. ", section(text, name), flags=re.MULTILINE) == ["1", "2", "3"], f"three under {name}"


@each_lesson
def test_minutes_add_up_to_those_of_the_lesson(source):
    text = (TEACHING / f"{source.name[:2]}.md").read_text(encoding="utf-8")
    teaching, exercises = map(int, re.search(r"^\*\*Minutes:\*\* (\d+) teaching, (\d+) exercises, the quiz included", text, flags=re.MULTILINE).groups())
    assert teaching + exercises == int(re.search(r"\*\*Minutes:\*\* (\d+)", build.read(source)[0].source)[1])
    rows = re.findall(r"^\| *(\d+) *\|", section(text, "Schedule"), flags=re.MULTILINE)
    assert len(rows) >= 3 and sum(map(int, rows)) == teaching + exercises


def section(text, name):
    """What stands under a heading, up to the next of its rank."""
    return re.search(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)[1]


RUBRIC = (TEACHING / "rubric.md").read_text(encoding="utf-8")
CRITERIA = re.findall(r"^### (\d)\. ([^\n]+) \((\d+)\)\n+(.*?)(?=^##|\Z)", RUBRIC, flags=re.MULTILINE | re.DOTALL)


def test_weights_of_the_rubric_add_up_and_the_learner_sees_the_same():
    assert [int(number) for number, *_ in CRITERIA] == list(range(1, len(CRITERIA) + 1)) and len(CRITERIA) >= 5
    assert sum(int(weight) for _, _, weight, _ in CRITERIA) == 100
    shown = re.findall(r"^\| (.+?) \| (\d+) \|", section(RUBRIC, "For the learner: what you hand in, and what counts"), flags=re.MULTILINE)
    assert [(name.lower(), weight) for name, weight in shown] == [(name.lower(), weight) for _, name, weight, _ in CRITERIA]


def test_each_criterion_has_four_levels():
    for _, name, _, table in CRITERIA:
        assert re.findall(r"^\| (\d) \|", table, flags=re.MULTILINE) == list("0123"), name
        assert all(row.count("|") == 4 for row in table.splitlines() if row.startswith("|")), f"{name}: a level, what is seen, and where"


def test_numbers_of_the_good_answers_are_the_lessons_own():
    """The examples quote lesson 16; its solutions notebook prints each of their numbers."""
    quoted = section(RUBRIC, "What a good answer looks like").split("**What is not good")[0]
    (lesson,) = [source for source in LESSONS if source.name.startswith("16")]
    outputs = [output for cell in nbformat.read(build.solutions_path(lesson), as_version=4).cells for output in cell.get("outputs", [])]
    shown = [value for output in outputs for kind, value in output.get("data", {}).items() if kind.startswith("text/") and "base64" not in value]
    printed = " ".join([*(output.get("text", "") for output in outputs), *shown])
    numbers = re.findall(r"\d+\.\d+|\d+%|\d{2},\d{3}|\b\d{2,3}\b", quoted.replace("lesson 16", ""))
    assert len(numbers) > 15 and [number for number in numbers if number not in printed] == []


def test_the_rubrics_lines_of_code_find_a_leak():
    """The cell for teachers, on a split with a leak and on one without."""
    code = re.search(r"```python\n(.*?)```", RUBRIC, flags=re.DOTALL)[1]
    table = "import pandas as pd\nclips = pd.DataFrame({'label': list('aabb'), 'group': list('xyzb')})\n"
    for sides, expected in [("test, learnable = clips[:1], clips[1:]", "by group | no group on two sides"), ("test, learnable = clips[:2], clips[1:]", "by group | {'y'}")]:
        done = subprocess.run([sys.executable, "-c", f"{table}{sides}\ntested_by = 'by group'\n{code}"], capture_output=True, text=True)
        assert done.stdout.splitlines()[0] == expected, done.stderr
        assert done.stdout.splitlines()[-1] == "1 clips whose group is their class"
