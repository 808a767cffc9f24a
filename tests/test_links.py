"""Links and the glossary: every link reaches a file or a heading, every term is linked where the course first uses it; the forms for questions."""

import functools
import re
import sys
from pathlib import Path

import pytest
import yaml

from notebooks import build, links, shared

PAGES = links.pages()
MEANINGS = build.glossary()
TERMS = {shared.anchor(term): term for term in re.findall(r"^### (.+)$", build.GLOSSARY.read_text(encoding="utf-8"), flags=re.MULTILINE)}
LONGEST = 200  # characters of a meaning: what a pointer's little window holds
EVERYDAY = {"cell": "06", "fold": "14", "gate": "06", "hit": "15", "miss": "12", "unit": "03", "vote": "13"}  # before this lesson the word has another sense

each_page = pytest.mark.parametrize("place", PAGES, ids=str)
each_term = pytest.mark.parametrize("anchor", TERMS)


@functools.cache
def flowing(text):
    """The sentences of a lesson, without headings, code, tables, the two lists of three, and the quiz.

    Returns: pairs of a paragraph and its links, each of them its start, its end, and its entry in the glossary (None for a link that leads elsewhere).
    """
    heading, quiz, listed, paragraphs = False, False, False, []
    for token in links.MarkdownIt("commonmark", {"html": True}).parse(re.sub(r"^\|.*$", "", text, flags=re.MULTILINE)):
        if token.type == "heading_open":
            heading = True
        elif token.type == "bullet_list_close":
            listed = False
        elif token.type == "inline":
            quiz = token.content.startswith("Quiz") if heading else quiz
            listed = listed or token.content in ("**You will**", "**You have seen**")
            if not heading and not quiz and not listed:
                paragraphs.append(words_and_links(token))
            heading = False
    return paragraphs


def words_and_links(paragraph):
    """What a reader sees of a paragraph, code as `, and where its links stand in it."""
    words, found = "", []
    for token in paragraph.children:
        if token.type == "link_open":
            found.append([len(words), None, anchor_of(token.attrs["href"])])
        elif token.type == "link_close":
            found[-1][1] = len(words)
        elif token.type == "text":
            words += token.content
        elif token.type in ("softbreak", "hardbreak"):
            words += " "
        elif token.type == "code_inline":
            words += "`"
    return words, found


def anchor_of(link):
    page, _, anchor = link.partition("#")
    return anchor if page == "../GLOSSARY.md" else None


def first_use(anchor, lessons):
    """Where the course uses a term for the first time.

    Args: lessons: a dict from a lesson's number to its text, in order.
    Returns: the number, the words around it, and whether it is linked to its entry; None if it is not used.
    """
    term = TERMS[anchor]
    pattern = re.compile(rf"(?<![\w-]){re.escape(term)}(?:s|es)?(?![\w-])", 0 if len(term) == 1 else re.IGNORECASE)
    for number, text in lessons.items():
        if number >= EVERYDAY.get(anchor, ""):
            for words, found in flowing(text):
                for start, end, leads_to in found:
                    if leads_to != anchor:  # words that have an entry of their own
                        words = words[:start] + "`" * (end - start) + words[end:]
                match = pattern.search(words)
                if match:
                    linked = any(start <= match.start() and match.end() <= end for start, end, leads_to in found if leads_to == anchor)
                    return number, words[max(0, match.start() - 50) : match.end() + 50], linked
    return None


@pytest.fixture(scope="module")
def lessons():
    return {source.name[:2]: "\n\n".join(cell.source for cell in build.compose(source).cells if cell.cell_type == "markdown") for source in build.sources()}


@each_page
def test_links_reach_a_file_or_a_heading(place):
    assert links.broken(place, PAGES[place]) == []


@pytest.mark.parametrize(
    "link, complaint",
    [
        ("[here](nowhere.md)", "no file"),
        ("[here](#nowhere)", "no heading"),
        ("[here](other.md#its-end)", "no heading"),
        ("[out](../../README.md)", "no file"),
        ("<details><summary>A. [not Markdown]</summary><a href='nowhere.md'>here</a></details>", "no file"),
        ("![a picture](nowhere.png)", "no file"),
        ("[here](lesson.ipynb#Its-End)", "no heading"),
        ("[here](folder#its-start)", "no heading"),
        ("[here](build/made.md)", "no file"),
        ("[here][nowhere]", "no address"),
        ("[*here*][]", "no address"),
        ("<img src=nowhere.png>", "no file"),
        ("<a href = 'nowhere.md'>here</a>", "no file"),
    ],
)
def test_a_link_to_nowhere_is_found_out(tmp_path, link, complaint):
    for folder in ["folder", "build"]:
        (tmp_path / folder).mkdir()
    for name in ["other.md", "build/made.md"]:
        (tmp_path / name).write_text("# Its start\n", encoding="utf-8")
    (tmp_path / "lesson.ipynb").write_text('{"cells": [{"cell_type": "markdown", "source": ["# Its Start"]}]}', encoding="utf-8")
    (line,) = links.broken(Path("page.md"), link, root=tmp_path)
    assert complaint in line and line.startswith("page.md: ")


def test_a_link_that_leads_somewhere_is_left_in_peace(tmp_path):
    (tmp_path / "other.md").write_text("# Why two *biases*?\n\n## A `mask`\n\n## A `mask`\n", encoding="utf-8")
    (tmp_path / "lesson.ipynb").write_text('{"cells": [{"cell_type": "markdown", "source": ["# Its Start"]}]}', encoding="utf-8")
    text = "# Here\n[a](other.md#why-two-biases) [b](other.md#a-mask-1) [c](#here) [d](lesson.ipynb#Its-Start) `[e](code.md)` https://example.org/f <https://example.org/g> [h][i] $x[t][k]$ `[j][k]`\n\n[i]: other.md"
    assert links.broken(Path("page.md"), text, root=tmp_path) == []


def test_a_solved_notebook_is_looked_at_in_its_own_folder(tmp_path):
    """It lies one folder deeper than the learner's, so a link that is right in one is wrong in the other."""
    (tmp_path / "GLOSSARY.md").write_text("# Glossary\n", encoding="utf-8")
    (tmp_path / "notebooks" / "solutions").mkdir(parents=True)
    assert links.broken(Path("notebooks/00_a.ipynb"), "[a](../GLOSSARY.md)", root=tmp_path) == []
    assert len(links.broken(Path("notebooks/solutions/00_a.ipynb"), "[a](../GLOSSARY.md)", root=tmp_path)) == 1


def test_a_forms_links_are_those_of_a_page_that_github_makes(tmp_path):
    """On the page of a new question a file of the course lies elsewhere than beside the form; HEAD is the branch, whatever its name."""
    forms = tmp_path / links.FORMS
    forms.mkdir(parents=True)
    (tmp_path / "FAQ.md").write_text("# A trouble\n", encoding="utf-8")
    texts = ["[a](../blob/HEAD/FAQ.md#a-trouble)", "[a](../blob/main/FAQ.md)", "[a](../../FAQ.md)", "[a](FAQ.md)"]
    (forms / "form.yml").write_text(yaml.safe_dump({"body": [{"attributes": {"value": text}} for text in texts]}), encoding="utf-8")
    (place,) = set(links.pages(tmp_path)) - {Path("FAQ.md")}
    assert [line.split()[1] for line in links.broken(place, links.pages(tmp_path)[place], root=tmp_path)] == ["../blob/main/FAQ.md", "../../FAQ.md", "FAQ.md"]


def test_what_is_made_here_is_no_file_of_the_course(tmp_path):
    (tmp_path / "another-python").mkdir()
    for name in ["a.md", ".github/b.yml", ".venv/c.md", "build/d.md", "another-python/pyvenv.cfg", "another-python/lib/e.md", ".hidden.md"]:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    assert [path.relative_to(tmp_path).as_posix() for path in links.files(tmp_path)] == [".github/b.yml", "a.md"]


def test_addresses_on_the_web_are_listed_with_their_files():
    found = links.web({Path("a.md"): "[x](https://example.org/x), https://example.org/y.", Path("b.md"): "<https://example.org/x>", Path("c.ipynb"): "https://example.org/z"})
    assert found == {"https://example.org/x": ["a.md", "b.md"], "https://example.org/y": ["a.md"]}


def test_an_address_is_asked(server):
    assert links.answer(server(b"here")) == "ok"
    assert links.answer(server(b"gone", status=404)) == "answer-404"
    assert links.answer("http://127.0.0.1:1/nobody", timeout=2).startswith("no-answer-")


def test_program_prints_a_line_for_each_address_and_counts_the_lost(server, monkeypatch, capsys):
    here, gone = server(b"here"), server(b"gone", status=404)
    monkeypatch.setattr(links, "pages", lambda: {Path("a.md"): f"{here} and {gone}"})
    for options, code in [([], 0), (["--check"], 1)]:
        monkeypatch.setattr(sys, "argv", ["links.py", *options])
        with pytest.raises(SystemExit) as ended:
            links.main()
        assert ended.value.code == code
    printed = capsys.readouterr().out.splitlines()
    assert sorted(printed[:2]) == sorted([f"{here} (a.md)", f"{gone} (a.md)"]) and printed[2] == "2 addresses"
    assert sorted(printed[3:5]) == sorted([f"ok {here} (a.md)", f"answer-404 {gone} (a.md)"]) and printed[5] == "2 addresses, 1 without an answer"


@each_term
def test_term_is_linked_where_the_course_first_uses_it(anchor, lessons):
    found = first_use(anchor, lessons)
    assert found, f"no lesson uses {TERMS[anchor]!r}"
    number, words, linked = found
    assert linked, f"lesson {number}: expected [{TERMS[anchor]}](../GLOSSARY.md#{anchor}) at its first use, found: …{words}…"


def test_first_use_is_found_wherever_it_stands():
    link = "[frame](../GLOSSARY.md#frame)"
    lists = f"**You will**\n- see a frame;\n- hear a frame.\n\n# A frame\n\n`frame`\n\n| a frame |\n|---|\n\n    frame\n\n"
    for text, expected in [
        (f"{lists}Each is one *{link}*. A frame is short.", True),
        (f"{lists}Frames are many, a {link} is one.", False),
        (f"{lists}Read [each frame](other.md), then a {link}.", True),
        (f"## Quiz\n\nWhat is a frame?\n\n## The frames\n\nA *[frame](../GLOSSARY.md#batch)* and a {link}.", True),
        ("The frames come one by one.", False),
    ]:
        assert first_use("frame", {"00": "nothing", "01": text})[::2] == ("01", expected), text
    assert first_use("frame", {"00": lists}) is None


def test_a_word_in_its_everyday_sense_is_no_first_use():
    assert first_use("cell", {"00": "Run the next cell.", "06": "The [cell](../GLOSSARY.md#cell) keeps."})[::2] == ("06", True)


@each_term
def test_meaning_fits_under_the_pointer(anchor):
    meaning = MEANINGS[anchor]
    assert meaning.endswith(".") and 20 < len(meaning) <= LONGEST
    assert not re.search(r"[*`\[\]<>]|\]\(", meaning), "a mark of Markdown is left over"


def test_glossary_is_in_order_and_each_entry_names_a_lesson_and_its_neighbours():
    text = build.GLOSSARY.read_text(encoding="utf-8")
    entries = text.split("\n### ")[1:]
    names = [entry.split("\n")[0] for entry in entries]
    assert names == sorted(names, key=str.lower) and len(set(MEANINGS)) == len(names)
    assert [name for name, entry in zip(names, entries) if "See also [" not in " ".join(entry.split())] == []
    assert sum("](notebooks/" in entry for entry in entries) > 0.9 * len(entries)


@pytest.fixture(scope="module")
def stems():
    return [source.stem for source in build.sources()]


def test_map_in_the_first_lesson_names_every_other(stems):
    road = PAGES[Path(f"notebooks/src/{stems[0]}.py")].split("## The road from here")[1]
    assert mapped(road) == stems[1:], f"{stems[0]}.py, The road from here: expected a row for each lesson, in order"


def test_map_and_next_are_read():
    assert mapped("| [01 A](01_a.ipynb) | why? |\n| [03 C](03_c.ipynb) | how? |\n[04](04_d.ipynb)") == ["01_a", "03_c"]
    assert following("Next to nothing.\n\nNext: [02 B](02_b.ipynb). Back: [00](00_a.ipynb).") == "02_b" and following("Next: [claims](../CLAIMS.md).") is None


def mapped(text):
    """The lessons to which the rows of a table lead."""
    return re.findall(r"^\| \[[^]]*\]\((\d\d_\w+)\.ipynb\)", text, flags=re.MULTILINE)


def following(text):
    """The lesson to which "Next" leads, None if to another page."""
    found = re.search(r"^Next: \[[^]]*\]\((\d\d_\w+)\.ipynb\)", text, flags=re.MULTILINE)
    return found and found[1]


def test_next_leads_to_the_next_lesson(stems):
    """The first lesson ends with the map, the last with the claims."""
    found = {stem: following(PAGES[Path(f"notebooks/src/{stem}.py")]) for stem in stems[1:]}
    wrong = [f"{stem}.py: expected Next: […]({wanted}.ipynb), found {found[stem]}" for stem, wanted in zip(stems[1:], [*stems[2:], None]) if found[stem] != wanted]
    assert wrong == []


FORMS = [path for path in sorted((links.ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")) if path.name != "config.yml"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_form_for_questions_is_one_that_github_reads(path):
    """GitHub shows no form whose fields lack an id, a label or a known type, and says so nowhere."""
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(form) <= {"name", "description", "body", "title", "labels"}
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert {field["type"] for field in fields} <= {"input", "textarea", "dropdown", "checkboxes"}
    assert len({field["id"] for field in fields}) == len({field["attributes"]["label"] for field in fields}) == len(fields) >= 3
    assert all(re.fullmatch(r"[\w-]+", field["id"]) for field in fields)
    assert all(set(field.get("validations", {})) <= {"required"} for field in fields)
    (lesson,) = [field for field in fields if field["id"] == "lesson"]
    titles = [re.search(r"^# # (\d\d) · (.+)$", source.read_text(encoding="utf-8"), flags=re.MULTILINE).groups() for source in build.sources()]
    assert [option for option in lesson["attributes"]["options"] if option[:2].isdigit()] == [f"{number} {title}" for number, title in titles]


def test_question_asks_for_the_diagnosis():
    asked = {field.get("id"): field for field in yaml.safe_load((FORMS[0].parent / "question.yml").read_text(encoding="utf-8"))["body"]}
    assert {"lesson", "expected", "happened", "diagnosis"} <= set(asked)
    assert "python -m course_lib" in asked["diagnosis"]["attributes"]["description"]
    assert set(yaml.safe_load((FORMS[0].parent / "config.yml").read_text(encoding="utf-8"))) <= {"blank_issues_enabled", "contact_links"}
