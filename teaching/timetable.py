"""Write the table of lessons into TEACHING.md: minutes from the lessons and the notes, seconds from the last proof; --check says whether it is fresh."""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from notebooks import minutes

PAGE = ROOT / "TEACHING.md"
PLACE = re.compile(r"(<!-- timetable: .*?-->\n).*?(<!-- end of timetable -->)", re.DOTALL)
COLUMNS = ["lesson", "minutes", "teaching", "exercises", "CPU seconds", "rests on"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; end with a sentence if the table is old")
    options = parser.parse_args()
    text = PAGE.read_text(encoding="utf-8")
    if not PLACE.search(text):
        sys.exit("expected the marks of the table in TEACHING.md (<!-- timetable: … --> and <!-- end of timetable -->), found none")
    fresh = PLACE.sub(lambda found: f"{found[1]}\n{table()}\n\n{found[2]}", text)
    if options.check:
        sys.exit("TEACHING.md: its table is older than the lessons, the notes or the proof; run: make timetable" if fresh != text else None)
    PAGE.write_text(fresh, encoding="utf-8")


def table():
    """The table of all lessons, in Markdown."""
    rows = [row(source) for source in sorted((ROOT / "notebooks" / "src").glob("[0-9][0-9]_*.py"))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [COLUMNS, ["---"] * len(COLUMNS), *rows])


def row(source):
    """The cells of one lesson.

    Raises: ValueError if the lesson or its notes do not state their minutes.
    """
    number, seconds = source.name[:2], minutes.recorded_seconds(source)
    measured = f"{seconds:.0f}" if seconds else "not measured"
    return [f"[{number} {minutes.title(source)}](teaching/{number}.md)", f"{minutes.stated(source)[0]}", *parts(number), measured, minutes.needed(source)]


def parts(number):
    """The minutes of teaching and of exercises, as a lesson's notes say."""
    notes = ROOT / "teaching" / f"{number}.md"
    found = re.search(r"\*\*Minutes:\*\* (\d+) teaching, (\d+) exercises", notes.read_text(encoding="utf-8")) if notes.exists() else None
    if not found:
        raise ValueError(f"teaching/{number}.md: expected a line **Minutes:** T teaching, E exercises, found {'none' if notes.exists() else 'no such file: copy teaching/template.md'}")
    return found.groups()


if __name__ == "__main__":
    main()
