"""The program behind `make test-all`: what it counts, what it keeps, and the table that it writes into the README."""

import json
import sys

import pytest

import stacks  # beside this file; a package of IPython is called tests as well

REPORT = '<testsuites><testsuite tests="7" skipped="2" failures="1" errors="1"/><testsuite tests="3" skipped="0" failures="0" errors="0"/></testsuites>'
FOUND = {"python": "3.12.1", "tensorflow": "2.17.1", "keras": "3.15.1"}
DATA = ["digits: real recordings, x, unpacked", "music: the embedded rhythms, until the real ones are here"]
GOOD = {"passed": 5, "failed": 0, "skipped": 0, "minutes": 2.04}
SKIPPED = {"passed": 1, "failed": 0, "skipped": 17, "minutes": 2.04}
NOTEBOOKS = {"date": "2026-01-02", "how": "so", "notebooks": 34, "recordings": "real: digits", "versions": FOUND, "of": {}}
BAD = {"passed": 4, "failed": 1, "skipped": 1, "minutes": 2.04}


@pytest.fixture
def record(tmp_path, monkeypatch):
    """A record and a README of their own."""
    monkeypatch.setattr(stacks, "PROVED", tmp_path / "proved.json")
    monkeypatch.setattr(stacks, "README", tmp_path / "README.md")
    (tmp_path / "proved.json").write_text('{"stacks": {}, "lessons": {"00": {"processor": 5, "gpu": null}}}')
    (tmp_path / "README.md").write_text("before\n<!-- stacks: by a program -->\nold\n<!-- end of stacks -->\nafter\n")
    return lambda: json.loads((tmp_path / "proved.json").read_text())


def test_report_is_counted(tmp_path):
    (tmp_path / "report.xml").write_text(REPORT)
    assert stacks.counted(tmp_path / "report.xml") == {"passed": 6, "failed": 2, "skipped": 2}


def test_a_stack_is_proved_when_both_parts_passed_with_the_same_versions(record):
    stacks.keep("3.12", FOUND, DATA, {"rest": GOOD})
    assert record()["stacks"] == {}, "the lessons have not run yet"
    stacks.keep("3.12", FOUND, DATA, {"lessons": GOOD})
    assert record()["stacks"]["3.12"]["versions"] == FOUND
    assert record()["lessons"]["00"]["processor"] == 5, "what others wrote stays"


def test_a_failure_proves_nothing(record):
    stacks.keep("3.12", FOUND, DATA, {"rest": BAD, "lessons": GOOD})
    assert record()["stacks"] == {}
    assert record()["tests"]["3.12"]["rest"]["failed"] == 1


@pytest.mark.parametrize("part", ["rest", "lessons"])
def test_a_failure_ends_a_proof_of_the_same_versions_and_of_no_others(record, part):
    stacks.keep("3.12", FOUND, DATA, {"rest": GOOD, "lessons": GOOD})
    stacks.keep("3.12", {**FOUND, "keras": "3.16.0"}, DATA, {part: BAD})
    assert record()["stacks"]["3.12"]["versions"] == FOUND, "with other versions the proof stands"
    stacks.keep("3.12", FOUND, DATA, {"rest": GOOD, "lessons": GOOD})
    stacks.keep("3.12", FOUND, DATA, {part: BAD})
    assert record()["stacks"] == {}


def test_lessons_that_were_skipped_prove_nothing(record):
    stacks.keep("3.12", FOUND, DATA, {"rest": SKIPPED, "lessons": SKIPPED})
    assert record()["stacks"] == {}
    stacks.keep("3.12", FOUND, DATA, {"rest": SKIPPED, "lessons": GOOD})
    assert set(record()["stacks"]) == {"3.12"}, "other tests may be skipped, as those of a browser"


def test_a_failure_leaves_the_proof_by_notebooks(record):
    stacks.PROVED.write_text(json.dumps({"stacks": {"3.13": NOTEBOOKS}}))
    stacks.keep("3.13", FOUND, DATA, {"rest": BAD})
    assert record()["stacks"] == {"3.13": NOTEBOOKS}


def test_the_state_that_was_tested_is_noted(record, tmp_path):
    lessons = stacks.state("lessons")
    assert set(stacks.state("rest")) == {"commit"} and set(lessons) == {"commit", "of"}
    assert lessons["of"] == {number: {stacks.CODE: stacks.diagnosis.made_of(number)[stacks.CODE]} for number in lessons["of"]} and "05" in lessons["of"]
    stacks.keep("3.12", FOUND, DATA, {"rest": {"commit": "abc1234", **GOOD}, "lessons": {"commit": "def5678 and changes", "of": lessons["of"], **GOOD}})
    assert stacks.table().endswith(" (abc1234, def5678 and changes) |")
    stack = record()["stacks"]["3.12"]
    assert stack["how"].endswith("of commit abc1234, def5678 and changes") and stack["of"] == lessons["of"]
    assert stacks.diagnosis.changed(stack, "05") == ""


def test_a_course_without_git_has_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(stacks, "ROOT", tmp_path)
    assert stacks.state("rest") == {"commit": None}


def test_rows_of_the_older_form_are_read(record):
    stacks.keep("3.12", FOUND, DATA, {"rest": GOOD, "lessons": GOOD})
    assert "of" not in record()["stacks"]["3.12"] and record()["stacks"]["3.12"]["how"] == "the tests, with every lesson, its blanks and its solutions"
    assert stacks.diagnosis.changed(record()["stacks"]["3.12"], "05") == "; whether this lesson has changed since is not known"


def test_counts_of_other_versions_are_dropped(record):
    stacks.keep("3.12", FOUND, DATA, {"rest": GOOD})
    stacks.keep("3.12", {**FOUND, "keras": "3.16.0"}, DATA, {"lessons": GOOD})
    assert "rest" not in record()["tests"]["3.12"] and record()["stacks"] == {}


def test_colab_is_proved_by_notebooks_and_not_by_tests(record):
    stacks.keep("3.13", FOUND, DATA, {"rest": GOOD, "lessons": GOOD})
    assert record()["stacks"] == {} and "3.13" in record()["tests"]


def test_table_stands_between_its_marks(record):
    stacks.keep("3.12", FOUND, DATA, {"rest": GOOD})
    stacks.write_table()
    stacks.write_table()
    text = stacks.README.read_text()
    assert text.startswith("before\n<!-- stacks: by a program -->\n") and text.endswith("<!-- end of stacks -->\nafter\n") and "old" not in text
    assert "| 3.12 | 2.17.1 | 3.15.1 | 5 passed, 0 failed, 0 skipped | not run | 2 | real: digits |" in text


def test_table_has_the_proof_by_notebooks(record):
    stacks.PROVED.write_text(json.dumps({"stacks": {"3.13": NOTEBOOKS}}))
    assert stacks.table().splitlines()[2] == "| 3.13 | 2.17.1 | 3.15.1 | not run | 34 notebooks proved on 2026-01-02, recordings: real: digits | not noted | real: digits | 2026-01-02 |"
    stacks.keep("3.13", {**FOUND, "keras": "3.16.0"}, DATA, {"rest": GOOD})
    assert "| 5 passed, 0 failed, 0 skipped | 34 notebooks proved on 2026-01-02 with TensorFlow 2.17.1, Keras 3.15.1, recordings: real: digits | 2 |" in stacks.table()
    stacks.PROVED.write_text(json.dumps({"stacks": {"3.13": {"date": "2026-01-02", "how": "so", "versions": FOUND}}}))
    assert "| all notebooks proved on 2026-01-02, recordings: not noted |" in stacks.table(), "a record of the older form is read"


def test_table_alone_is_written_on_request(record, monkeypatch):
    monkeypatch.setattr(stacks, "stack", None)  # nothing runs
    monkeypatch.setattr(sys, "argv", ["stacks.py", "--table"])
    stacks.main()
    assert "old" not in stacks.README.read_text()


def test_readme_without_marks_is_refused(record):
    stacks.README.write_text("no table here")
    with pytest.raises(SystemExit, match="expected the marks"):
        stacks.write_table()


def test_readme_shows_the_record():
    assert f"-->\n\n{stacks.table()}\n\n<!--" in stacks.README.read_text(encoding="utf-8"), "the README's table is not that of the record; run: make timetable"


@pytest.mark.parametrize("code", [2, 5])
def test_a_pytest_that_did_not_end_or_found_nothing_proves_nothing(tmp_path, monkeypatch, code):
    monkeypatch.setattr(stacks, "ROOT", tmp_path)

    def run(command, **options):
        (tmp_path / "build" / "stack.xml").write_text(REPORT)
        return stacks.subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(stacks.subprocess, "run", run)
    with pytest.raises(RuntimeError, match=f"ended with code {code}"):
        stacks.tests("python", [])


def test_a_python_is_known_by_what_it_says(tmp_path, monkeypatch):
    liar = tmp_path / "python3.9"
    liar.write_text(f"#!{sys.executable}\nprint('3.12')\n")
    liar.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(stacks.Path, "home", lambda: tmp_path)
    assert stacks.interpreter("3.9") is None


def test_a_python_that_is_not_here_fails_nothing_and_is_named(monkeypatch, capsys):
    monkeypatch.setattr(stacks, "interpreter", lambda name: None)
    assert stacks.stack("3.12", ["rest"])
    assert "Python 3.12: not found here" in capsys.readouterr().out


def test_an_unknown_python_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["stacks.py", "3.14"])
    with pytest.raises(SystemExit, match="expected Pythons among .* found 3.14"):
        stacks.main()


def test_what_fails_ends_with_its_name(record, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["stacks.py", "3.12"])
    for name, value in {"interpreter": lambda name: "python", "environment": lambda name, python: "python", "versions": lambda python: (FOUND, DATA), "tests": lambda python, arguments: BAD}.items():
        monkeypatch.setattr(stacks, name, value)
    with pytest.raises(SystemExit, match="not all tests passed on Python 3.12"):
        stacks.main()
    assert "4 passed, 1 failed" in stacks.README.read_text(), "the table shows the failure"
