"""How long a lesson takes to read and do, estimated from its page, beside what it states; one line for each lesson."""

import json
import re
import sys
from pathlib import Path  # and no other package: the table of lessons is made where there is only Python

NOTEBOOKS = Path(__file__).resolve().parent
sys.path.insert(0, str(NOTEBOOKS.parent))

from course_lib import diagnosis

WORDS_A_MINUTE = 175  # the lower end of what most adults read of English non-fiction (Brysbaert 2019: 175 to 300)
SECONDS_A_LINE = 3  # of code that is read, not written
MINUTES = {"looks": 0.25, "exercises": 3.5, "guesses": 0.5, "questions": 0.75}  # to look at what a cell gives, to do an exercise, to write a guess down, to answer a question
TWICE = 2  # what a lesson says of the computer's minutes is neither twice nor half of what was recorded: it is rounded, and machines differ
BAND = 0.25  # a lesson states no less than the estimate without this share, and no more than with it
SPOKEN = {"less than one": 0.5, "about half": 0.5, "about one": 1, "about one and a half": 1.5, "about two": 2, "about two and a half": 2.5, "about three": 3}
RECORD = diagnosis.PROVED


def main():
    from notebooks import build

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
    from notebooks import build

    cells = build.compose(source).cells
    shown = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    read = re.sub(r"^## Quiz.*?(?=^## |\Z)|^\|.*?$|\]\(.*?\)|<.*?>", " ", shown, flags=re.MULTILINE | re.DOTALL)
    tags = [set(cell.metadata.get("tags", [])) for cell in cells if cell.cell_type == "code"]
    code = [cell.source for cell in cells if cell.cell_type == "code" and not {"setup", "solution", "check"} & set(cell.metadata.get("tags", []))]
    return {
        "words": len(read.split()),
        "lines": sum(bool(line.strip()) for cell in code for line in cell.splitlines()),
        "looks": len(code),
        "exercises": sum("solution" in of_cell for of_cell in tags),
        "guesses": shown.count("**Predict, then"),
        "questions": shown.count("</summary>Yes:"),
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
    found = re.search(r"^\*\*Minutes:\*\* (\d+), of which the computer takes ([a-z ]+?)( \([^)]*\))?\. \*\*You need:\*\*", text(source), flags=re.MULTILINE)
    if not found or found[2] not in SPOKEN:
        raise ValueError(f"{source.name}: expected a line **Minutes:** 40, of which the computer takes {' / '.join(SPOKEN)}. **You need:** …")
    more = re.search(r"takes? (\d+) more\)", found[3] or "")
    return int(found[1]), int(more[1]) if more else 0, SPOKEN[found[2]]


def title(source):
    """The title of a lesson, without its number.

    Raises: ValueError if it has none.
    """
    found = re.search(rf"^# {source.name[:2]} · (.+)$", text(source), flags=re.MULTILINE)
    if not found:
        raise ValueError(f"{source.name}: expected a title such as # {source.name[:2]} · GRU, found none")
    return found[1]


def needed(source):
    """The lessons that a lesson says you need, as it names them; "nothing" if it names none."""
    said = re.search(r"\*\*You need:\*\* (.+)", text(source))
    found = re.search(r"lessons? ((?:\d\d(?:, | and | to )?)+)", said[1] if said else "")
    return found[1].rstrip(", ") if found else "nothing"


def text(source):
    """The lines of a source without the sign of a comment, so that its cells of text read as they show."""
    return re.sub(r"^# ?", "", source.read_text(encoding="utf-8"), flags=re.MULTILINE)


def recorded_seconds(source):
    """The CPU seconds that the cells of a lesson took when it was last proved; None if nobody has measured it."""
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    return record.get("lessons", {}).get(source.name[:2], {}).get("processor")


def recorded_minutes(source):
    """The same in minutes."""
    seconds = recorded_seconds(source)
    return None if seconds is None else seconds / 60


if __name__ == "__main__":
    main()
