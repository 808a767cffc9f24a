"""How long a lesson takes to read and do, estimated from its page, beside what it states; one line for each lesson."""

import json
import re
import sys
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parent
sys.path.insert(0, str(NOTEBOOKS.parent))
from notebooks import build

WORDS_A_MINUTE = 175  # the lower end of what most adults read of English non-fiction (Brysbaert 2019: 175 to 300)
SECONDS_A_LINE = 3  # of code that is read, not written
MINUTES = {"looks": 0.25, "exercises": 3.5, "guesses": 0.5, "questions": 0.75}  # to look at what a cell gives, to do an exercise, to write a guess down, to answer a question
TWICE = 2  # what a lesson says of the computer's minutes is neither twice nor half of what was recorded: it is rounded, and machines differ
BAND = 0.25  # a lesson states no less than the estimate without this share, and no more than with it
SPOKEN = {"less than one": 0.5, "about half": 0.5, "about one": 1, "about one and a half": 1.5, "about two": 2, "about two and a half": 2.5, "about three": 3}
RECORD = NOTEBOOKS.parent / "course_lib" / "proved.json"


def main():
    print(f"{'lesson':<40} stated  estimate  words  code lines  cells  exercises  guesses  computing (min): stated, recorded")
    for source in build.sources():
        parts, (minutes, more, computing), recorded = content(source), stated(source), recorded_minutes(source)
        total = f"{minutes} + {more}" if more else f"{minutes}"
        print(
            f"{source.stem:<40}{total:>7}{estimate(parts, computing):>10.0f}{parts['words']:>7}{parts['lines']:>12}{parts['looks']:>7}{parts['exercises']:>11}{parts['guesses']:>9}"
            f"{computing:>15}{'' if recorded is None else f', {recorded:.1f}'}"
        )


def content(source):
    """What a learner reads and does in a lesson.

    Returns: a dict: words of text (the quiz and tables left out), lines and cells of code (solutions and checks left out), exercises, guesses, questions.
    """
    cells = build.compose(source).cells
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    read = re.sub(r"^## Quiz.*?(?=^## |\Z)|^\|.*?$|\]\(.*?\)|<.*?>", " ", text, flags=re.MULTILINE | re.DOTALL)
    tags = [set(cell.metadata.get("tags", [])) for cell in cells if cell.cell_type == "code"]
    code = [cell.source for cell in cells if cell.cell_type == "code" and not {"setup", "solution", "check"} & set(cell.metadata.get("tags", []))]
    return {
        "words": len(read.split()),
        "lines": sum(bool(line.strip()) for cell in code for line in cell.splitlines()),
        "looks": len(code),
        "exercises": sum("solution" in of_cell for of_cell in tags),
        "guesses": text.count("**Predict, then"),
        "questions": text.count("</summary>Yes:"),
    }


def estimate(parts, computing):
    """Minutes to read and do a lesson.

    Args: parts: as from `content`; computing: minutes that the computer takes while the learner waits.
    """
    reading = parts["words"] / WORDS_A_MINUTE + parts["lines"] * SECONDS_A_LINE / 60
    return reading + sum(minutes * parts[part] for part, minutes in MINUTES.items()) + computing


def stated(source):
    """The minutes that a lesson states, those that it adds for a part that can be left out, and how many the computer takes.

    Raises: ValueError if its line has another form.
    """
    text = "\n".join(cell.source for cell in build.read(source) if cell.cell_type == "markdown")
    found = re.search(r"^\*\*Minutes:\*\* (\d+), of which the computer takes ([a-z ]+?)( \([^)]*\))?\. \*\*You need:\*\*", text, flags=re.MULTILINE)
    if not found or found[2] not in SPOKEN:
        raise ValueError(f"{source.name}: expected a line **Minutes:** 40, of which the computer takes {' / '.join(SPOKEN)}. **You need:** …")
    more = re.search(r"takes? (\d+) more\)", found[3] or "")
    return int(found[1]), int(more[1]) if more else 0, SPOKEN[found[2]]


def recorded_minutes(source):
    """What the cells of a lesson took when it was last proved; None if nobody has measured it."""
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    seconds = record.get("lessons", {}).get(source.name[:2], {}).get("processor")
    return None if seconds is None else seconds / 60


if __name__ == "__main__":
    main()
