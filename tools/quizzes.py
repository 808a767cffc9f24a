"""The quiz of each lesson's source → sheets to print on A4: one for the learner, and one with the answers for the teacher."""

import argparse
import re
import sys
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markdown_it import MarkdownIt
from markupsafe import Markup

TEACHING = Path(__file__).resolve().parent
sys.path.insert(0, str(TEACHING.parent))

from notebooks import build

ANSWER = re.compile(r"^<details><summary>([A-D])\. (.+?)</summary>(Yes|No): (.+?)</details>$", flags=re.MULTILINE)
QUESTION = re.compile(r"^\*\*(\d)\. (.+?)\*\*$", flags=re.MULTILINE | re.DOTALL)
KINDS = {"": False, "_answers": True}  # the end of a file's name: whether it holds the answers
ALL = "all_lessons"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    folder = build.ROOT / "build" / "quizzes"
    folder.mkdir(parents=True, exist_ok=True)
    lessons = {source.stem: quiz(source) for source in build.sources()}
    for name, sheets in [*((name, [each]) for name, each in lessons.items()), (ALL, list(lessons.values()))]:
        for end, answers in KINDS.items():
            (folder / f"{name}{end}.html").write_text(page(sheets, answers=answers), encoding="utf-8")
    print(f"{len(lessons)} quizzes, each without and with its answers, and {ALL}.html with all of them: {folder.relative_to(build.ROOT)}")


def quiz(source):
    """The quiz of a lesson.

    Returns: a dict: `title`, such as "05 · Training a vanilla RNN"; `questions`, dicts of `text` and `answers`; these are dicts of `letter`, `text`, `right`, `why`. Texts are HTML.
    Raises: ValueError if a question or an answer is not in the lessons' form.
    """
    text = "\n\n".join(cell.source for cell in build.read(source) if cell.cell_type == "markdown" and not build.SLIDES_ALONE & set(cell.metadata.get("tags", [])))
    if "\n## Quiz\n" not in text:
        raise ValueError(f'{source.name}: expected a heading "## Quiz", found none')
    title, body = re.search(r"^# (.+)$", text, flags=re.MULTILINE)[1], text.rpartition("\n## Quiz\n")[2]
    heads = list(QUESTION.finditer(body))
    ends = [*(head.start() for head in heads[1:]), len(body)]
    questions = [{"text": inline(' '.join(head[2].split())), "answers": answers(source, head, body[head.end() : end])} for head, end in zip(heads, ends)]
    if [head[1] for head in heads] != ["1", "2", "3"]:
        raise ValueError(f"{source.name}: expected questions 1, 2 and 3, found {', '.join(head[1] for head in heads) or 'none'}")
    return {"title": title, "questions": questions}


def answers(source, head, body):
    """The answers to one question: its heading's match, and the text up to the next."""
    found = [{"letter": letter, "text": inline(text), "right": verdict == "Yes", "why": inline(why)} for letter, text, verdict, why in ANSWER.findall(body)]
    right = sum(answer["right"] for answer in found)
    if len(found) != body.count("<details>") or right != 1 or [answer["letter"] for answer in found] != list("ABCD"[: len(found)]):
        raise ValueError(f"{source.name}, question {head[1]}: expected lettered answers on one line each, one of them right; found {len(found)} in form, {right} right")
    return found


def inline(text):
    """The HTML of a line of a lesson, which may hold Markdown and HTML; a link is its words alone."""
    shown = MarkdownIt("commonmark").disable(["link", "autolink"]).renderInline(re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text.strip()))
    return Markup(shown)


def page(sheets, *, answers):
    """Sheets as one HTML page, each on a sheet of paper of its own.

    Args: sheets: quizzes, as quiz() gives them; answers: whether the right letters and the explanations are on it.
    """
    environment = Environment(loader=FileSystemLoader(TEACHING), autoescape=True, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    return environment.get_template("quiz.html.j2").render(sheets=sheets, answers=answers)


if __name__ == "__main__":
    main()
