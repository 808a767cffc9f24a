"""Make quiz sheets to print in build/quizzes: one for learners, one with the answers, a lesson."""

import re
import sys
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markdown_it import MarkdownIt
from markupsafe import Markup

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools import build

QUESTION = re.compile(r"^\*\*(\d)\. (.+?)\*\*$", flags=re.MULTILINE | re.DOTALL)
ANSWER = re.compile(r"^<details><summary>([A-D])\. (.+?)</summary>(Yes|No): (.+?)</details>$", re.M)
LETTERED = re.compile(r"<details><summary>[A-D]\.")  # an answer, and no note
LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")


def main() -> None:
    folder = build.ROOT / "build" / "quizzes"
    folder.mkdir(parents=True, exist_ok=True)
    sheets = {source.stem: [quiz(source)] for source in build.sources()}
    sheets["all_lessons"] = [sheet for each in sheets.values() for sheet in each]
    for name, chosen in sheets.items():
        for ending, answers in (("", False), ("_answers", True)):
            sheet = page(chosen, answers=answers)
            (folder / f"{name}{ending}.html").write_text(sheet, encoding="utf-8")
    print(f"{len(sheets)} sheets, each without and with its answers, are in {folder}")


def quiz(source: Path) -> dict:
    """Read a lesson's quiz: its title, and questions with their answers."""
    cells = [cell for cell in build.read(source) if not cell.metadata.get("tags")]
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    title = re.search(r"^# (.+)$", text, flags=re.MULTILINE)[1]
    _, *parts = QUESTION.split(text.rpartition("\n## Quiz\n")[2])  # number, question, body, …
    questions = []
    for number, question, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        answers = [(letter, inline(answer), yes == "Yes", inline(why))
                   for letter, answer, yes, why in ANSWER.findall(body)]  # fmt: skip
        if sum(right for _, _, right, _ in answers) != 1 or len(answers) != len(
            LETTERED.findall(body)
        ):
            sys.exit(f"{source.name}, question {number}: expected a <details> a line, one right")
        questions.append({"text": inline(" ".join(question.split())), "answers": answers})
    return {"title": title, "questions": questions}


def inline(text: str) -> Markup:
    """Turn a line of Markdown into HTML; of a link only its words stay."""
    return Markup(MarkdownIt("commonmark").renderInline(LINK.sub(r"\1", text.strip())))


def page(sheets: list[dict], *, answers: bool) -> str:
    """Write quizzes as one page, each on its own sheet of A4."""
    templates = FileSystemLoader(Path(__file__).with_name("templates"))
    environment = Environment(loader=templates, autoescape=True, trim_blocks=True)
    return environment.get_template("quiz.html.j2").render(sheets=sheets, answers=answers)


if __name__ == "__main__":
    main()
