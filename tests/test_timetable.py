"""TEACHING.md: its table of lessons is fresh, its schedules add up, and each lesson in them has the minutes that it states."""

import re

import pytest

from teaching import timetable

TEXT = timetable.PAGE.read_text(encoding="utf-8")
SCHEDULES = [part for part in re.split(r"^Total: ", TEXT.split("## Schedules")[1], flags=re.MULTILINE)]
TERM = TEXT.split("### A term")[1]
HOW = "TEACHING.md, A term:"
WEEK = 90  # minutes
TOTALS = [int(total) for total in re.findall(r"^Total: (\d+) minutes", TEXT, flags=re.MULTILINE)]


def rows(part):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if re.match(r"\| \d", line)]


def lessons(text):
    return re.findall(r"\]\(teaching/(\d\d)\.md\)", text)


@pytest.fixture(scope="module")
def stated():
    """The minutes of each lesson, by its number."""
    return {line.split("|")[1].strip()[1:3]: int(line.split("|")[2]) for line in timetable.table().splitlines()[2:]}


def test_table_of_lessons_is_fresh(stated):
    assert timetable.table() in TEXT, "run: make timetable"
    assert len(stated) == len(list((timetable.ROOT / "notebooks" / "src").glob("[0-9][0-9]_*.py")))


def test_each_schedule_has_its_total():
    """A part with rows of minutes ends with a line "Total: … minutes", or no test adds them up; the weeks of a term do without."""
    *parts, rest = SCHEDULES
    assert len(TOTALS) == len(parts) > 0 and all(map(rows, parts))
    assert not rows(rest.split("### A term")[0]), "a schedule without a line that begins with Total:"


@pytest.mark.parametrize("number", range(len(TOTALS)))
def test_schedule_adds_up(number, stated):
    found = rows(SCHEDULES[number])
    assert sum(int(minutes) for minutes, _ in found) == TOTALS[number], found
    for minutes, what in found:
        for lesson in lessons(what):
            assert int(minutes) == stated[lesson] if "short" not in what else int(minutes) < stated[lesson], f"{what}: the lesson states {stated[lesson]} minutes"


def test_term_fills_every_week(stated):
    assert faults(TERM, stated) == []


def faults(term, stated):
    """Sentences on what is wrong with the weeks of a term."""
    weeks, lines = rows(term), []
    if [week for week, *_ in weeks] != [str(number + 1) for number in range(len(weeks))]:
        lines.append(f"{HOW} expected weeks from 1 to {len(weeks)}, found {', '.join(week for week, *_ in weeks)}")
    for week, minutes, named, rest in weeks:
        one_of = lessons(named)[:1] if " or " in named else lessons(named)
        wanted, whole = sum(stated[lesson] for lesson in one_of), int(minutes) + sum(map(int, re.findall(r", (\d+)(?:;|$)", rest)))
        lines += [f"{HOW} week {week} gives its lessons {minutes} minutes, and they state {wanted}"] if int(minutes) != wanted else []
        lines += [f"{HOW} week {week} has {whole} minutes, not {WEEK}; change what fills it"] if whole != WEEK else []
    return lines + [f"{HOW} name lesson {missing} in a week" for missing in sorted(set(stated) - {lesson for *_, named, _ in weeks for lesson in lessons(named)})]


@pytest.mark.parametrize(
    "old, new, complaint",
    [
        ("| 2 |", "| 3 |", "expected weeks from 1 to 2, found 1, 3"),
        ("| 40 |", "| 45 |", "week 2 gives its lessons 45 minutes, and they state 40"),
        ("quiz, 50", "quiz, 45", "week 2 has 85 minutes"),
        ("[01](teaching/01.md) |", "a film |", "name lesson 01 in a week"),
    ],
)
def test_a_fault_in_a_term_is_found_out(old, new, complaint):
    term = "| 1 | 60 | [00](teaching/00.md) | talk, 30 |\n| 2 | 40 | [01](teaching/01.md) | [01](teaching/01.md): the quiz, 50 |"
    assert faults(term, {"00": 60, "01": 40}) == []
    assert any(complaint in line for line in faults(term.replace(old, new), {"00": 60, "01": 40}))


@pytest.mark.parametrize("text, complaint", [(None, "no such file: copy teaching/template.md"), ("Minutes: many", "expected a line")])
def test_notes_that_state_nothing_are_refused(tmp_path, monkeypatch, text, complaint):
    monkeypatch.setattr(timetable, "ROOT", tmp_path)
    if text:
        (tmp_path / "teaching").mkdir()
        (tmp_path / "teaching" / "05.md").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"teaching/05\.md: .*{complaint}"):
        timetable.parts("05")
