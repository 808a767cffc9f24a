"""TEACHING.md: its table of lessons is fresh, its schedules add up, and each lesson in them has the minutes that it states."""

import re

import pytest

from teaching import timetable

TEXT = timetable.PAGE.read_text(encoding="utf-8")
STATED = {line.split("|")[1].strip()[1:3]: int(line.split("|")[2]) for line in timetable.table().splitlines()[2:]}
SCHEDULES = [part for part in re.split(r"^Total: ", TEXT.split("## Schedules")[1], flags=re.MULTILINE)]
TOTALS = [int(total) for total in re.findall(r"^Total: (\d+) minutes", TEXT, flags=re.MULTILINE)]


def rows(part):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if re.match(r"\| \d", line)]


def lessons(text):
    return re.findall(r"\]\(teaching/(\d\d)\.md\)", text)


def test_table_of_lessons_is_fresh():
    assert timetable.table() in TEXT, "run: python teaching/timetable.py"
    assert len(STATED) == len(list((timetable.ROOT / "notebooks" / "src").glob("[0-9][0-9]_*.py")))


@pytest.mark.parametrize("number", range(len(TOTALS)))
def test_schedule_adds_up(number):
    found = rows(SCHEDULES[number])
    assert sum(int(minutes) for minutes, _ in found) == TOTALS[number], found
    for minutes, what in found:
        for lesson in lessons(what):
            assert int(minutes) == STATED[lesson] if "short" not in what else int(minutes) < STATED[lesson], f"{what}: the lesson states {STATED[lesson]} minutes"


def test_term_fills_every_week():
    weeks = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.split("### A term")[1].splitlines() if re.match(r"\| \d", line)]
    assert [int(week) for week, *_ in weeks] == list(range(1, 15))
    for week, minutes, named, rest in weeks:
        one_of = lessons(named)[:1] if " or " in named else lessons(named)
        assert int(minutes) == sum(STATED[lesson] for lesson in one_of), f"week {week}"
        assert int(minutes) + sum(map(int, re.findall(r", (\d+)(?:;|$)", rest))) == 90, f"week {week} has not 90 minutes"
    assert set(lessons(TEXT.split("### A term")[1])) == set(STATED), "a term has every lesson"


def test_notes_that_state_nothing_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(timetable, "ROOT", tmp_path)
    with pytest.raises(ValueError, match=r"teaching/05\.md: expected a line"):
        timetable.parts("05")
