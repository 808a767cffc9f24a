"""The diagnosis: what the first cell says of the versions and the time, and what is found to be wrong."""

import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from course_lib import diagnosis, faults

FOUND = {"python": "3.13.15", "tensorflow": "2.20.0", "keras": "3.13.2", "numpy": "2.1.3"}
STACKS = {"3.13": {"date": "2026-11-22", "versions": dict(FOUND)}, "3.10": {"date": "2026-11-21", "versions": {}}}


def test_same_versions_are_proved():
    line = diagnosis.compared(STACKS, {**FOUND, "python": "3.13.0"})
    assert line == "proved on 2026-11-22 with these versions: Python 3.13, TensorFlow 2.20.0, Keras 3.13.2"


@pytest.mark.parametrize("found, words", [({"keras": "3.14.0"}, "keras 3.14.0 (proved: 3.13.2)"), ({"numpy": None}, "numpy is missing (proved: 2.1.3)")])
def test_what_differs_is_named_and_nothing_else(found, words):
    line = diagnosis.compared(STACKS, {**FOUND, **found})
    assert line.startswith("not quite the versions proved on 2026-11-22 with Python 3.13: ") and words in line and "tensorflow" not in line
    assert "print(diagnosis.report())" in line and "\n" not in line


def test_python_never_proved_is_named():
    line = diagnosis.compared(STACKS, {**FOUND, "python": "3.14.1"})
    assert line.startswith("Python 3.14 is not among those that the course was proved with (3.10, 3.13)")


@pytest.mark.parametrize(
    "seconds, devices, line",
    [
        ({"processor": 81.4, "gpu": None}, [], "GPU: none, and none is needed. This lesson's cells compute for about 41 to 81 seconds on two cores (81 CPU seconds); with a GPU that was not measured"),
        ({"processor": 81.4, "gpu": 20}, ["Tesla T4"], "GPU: Tesla T4. This lesson's cells compute for about 41 to 81 seconds on two cores (81 CPU seconds), and for about 20 seconds with a GPU"),
        ({"processor": None, "gpu": 20.4}, ["Tesla T4"], "GPU: Tesla T4. This lesson's cells compute for about 20 seconds with a GPU; without one that was not measured"),
        ({"processor": None, "gpu": None}, ["Tesla T4"], "GPU: Tesla T4"),
        (None, [], "GPU: none, and none is needed"),
    ],
)
def test_time_is_the_recorded_one_or_said_to_be_unmeasured(seconds, devices, line):
    assert diagnosis.computing(seconds, devices) == line


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of one built lesson, with a set-up cell and a file of versions."""
    (tmp_path / "notebooks" / "src").mkdir(parents=True)
    (tmp_path / "notebooks" / "05_example.ipynb").write_text('{"metadata": {"course": {"made_from": "0123456789abcdef0123456789abcdef"}}}')
    (tmp_path / "notebooks" / "src" / "setup_course.py").write_text('import os\nLESSON, REPOSITORY, BRANCH = "NN", "OWNER/NAME", "main"\nprint("set up")\n')
    (tmp_path / "requirements-colab.txt").write_text("# of a day\nnumpy==2.1.3\nkeras==3.13.2  # why\n")
    monkeypatch.setattr(diagnosis, "ROOT", tmp_path)
    return tmp_path


def proved_of(of):
    return {"3.13": {**STACKS["3.13"], "of": of}}


@pytest.mark.parametrize(
    "name, old, new, words",
    [
        ("notebooks/05_example.ipynb", "0123", "3210", "its code or helpers"),
        ("notebooks/src/setup_course.py", "set up", "set-up", "the set-up cell"),
        ("requirements-colab.txt", "2.1.3", "2.1.4", "the versions asked for"),
        ("notebooks/src/setup_course.py", '"OWNER/NAME", "main"', '"teacher/fork", "autumn"', None),
        ("requirements-colab.txt", "# of a day", "# of another day", None),
    ],
)
def test_what_has_changed_since_the_proof_is_named_and_nothing_else(course, name, old, new, words):
    stacks = proved_of({"05": diagnosis.made_of("05")})
    assert "since" not in diagnosis.compared(stacks, FOUND, "05") and diagnosis.states(stacks, FOUND) == "as they were proved"
    text = (course / name).read_text()
    assert old in text
    (course / name).write_text(text.replace(old, new))
    line = diagnosis.compared(stacks, FOUND, "05")
    assert line.startswith("proved on 2026-11-22 with these versions: ") and (line.endswith(f"; since then has changed: {words}") if words else "since" not in line)
    assert diagnosis.states(stacks, FOUND) == ("changed since they were proved, or never proved: 05" if words else "as they were proved")


def test_lesson_that_was_never_proved_is_not_called_proved(course):
    assert diagnosis.compared(proved_of({"06": {}}), FOUND, "05").endswith("; this lesson was not proved then")
    assert diagnosis.compared(STACKS, FOUND, "05").endswith("; whether this lesson has changed since is not known"), "a record of the older form says of no lesson what it was"
    assert diagnosis.states(STACKS, FOUND) == "whether they have changed since they were proved with this Python is not known"
    assert diagnosis.changed(STACKS["3.13"], "NN") == "", "a source that runs without its notebook is no lesson"


def test_a_change_is_named_beside_other_versions(course):
    line = diagnosis.compared(proved_of({}), {**FOUND, "keras": "3.14.0"}, "05")
    assert "keras 3.14.0 (proved: 3.13.2); this lesson was not proved then; if a cell fails" in line


@pytest.mark.parametrize(
    "text, shown",
    [("/home/al/course", "~/course"), ("/home/al", "~"), ("/home/alice/course", "/home/alice/course"), ("/home/al.b/x", "/home/al.b/x"), ("(/home/al), /home/al.", "(~), ~."), ("/mnt/home/al/x", "/mnt/home/al/x"), ("file:///home/al/x -I/home/al/y", "file://~/x -I~/y")],
)
def test_only_the_users_own_folder_is_hidden(monkeypatch, text, shown):
    monkeypatch.setattr(faults.Path, "home", lambda: Path("/home/al"))
    assert faults.short(text) == shown


def test_first_cell_prints_two_lines(capsys):
    diagnosis.greet("05")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and platform.python_version().rpartition(".")[0] in lines[0] and lines[1].startswith("GPU: ")


@pytest.mark.parametrize("version, fault", [((3, 9), "Python 3.9"), ((3, 14), "Python 3.14"), ((3, 10), None), ((3, 13), None)])
def test_python_is_judged(version, fault):
    found = faults.wrong_python(version, wide=True)
    assert [fault in sentence and "3.10 to 3.13" in sentence for sentence in found] == ([True] if fault else [])
    assert "32-bit" in faults.wrong_python((3, 12), wide=False)[0]


def test_package_that_is_missing_or_too_old_is_named(monkeypatch, tmp_path):
    (tmp_path / "requirements.txt").write_text('numpy>=1.20  # fine\npandas>=99\nno-such-package==1.0\nelsewhere==1; python_version < "3.0"\n')
    monkeypatch.setattr(faults, "ROOT", tmp_path)
    [sentence] = faults.wrong_packages()
    assert "pandas" in sentence and "(asked for: >=99)" in sentence and "no-such-package is missing" in sentence
    assert "numpy" not in sentence and "elsewhere" not in sentence and "pip install -r requirements.txt" in sentence


def test_disk_that_is_nearly_full_is_named():
    assert faults.wrong_disk(2e9) == []
    assert faults.wrong_disk(0.3e9)[0].startswith("0.3 GB are free on the disk")


@pytest.fixture
def no_recordings(monkeypatch, tmp_path):
    """A machine with neither archives nor downloads."""
    for name in ["HOME", "TMPDIR"]:
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
    data = tmp_path / "data"
    shutil.copytree(diagnosis.ROOT / "data", data, ignore=shutil.ignore_patterns("downloads", "clips", "*.keras"))
    monkeypatch.setattr("course_lib.sets.DATA", data)
    return tmp_path


def test_embedded_sets_are_named_where_nothing_else_is(no_recordings):
    lines, wrong = faults.data()
    assert [line.split(":")[0] for line in lines] == ["digits", "environment", "commands", "music"]
    assert all("the embedded" in line for line in lines) and wrong == []


def test_a_set_that_is_missing_is_a_fault(no_recordings):
    (no_recordings / "data" / "rhythms" / "clips.csv").unlink()
    assert faults.data()[1] == ["data/rhythms is missing: get the course again, whole"]


def test_folder_of_archives_that_is_none_is_a_fault(no_recordings, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(no_recordings / "nowhere"))
    assert any("which is no folder" in fault for fault in faults.data()[1])


def test_folder_of_archives_by_half_a_path_is_a_fault(no_recordings, monkeypatch):
    """A notebook's kernel works in the notebooks' folder, and would look for it there."""
    (no_recordings / "archives").mkdir()
    monkeypatch.chdir(no_recordings)
    monkeypatch.setenv("COURSE_DATA_DIR", "archives")
    [sentence] = faults.data()[1]
    assert sentence.endswith(f"write the whole path, {no_recordings / 'archives'}")


def test_folder_without_recordings_is_not_called_real(no_recordings, monkeypatch):
    folder = no_recordings / "archives" / "ESC-10-553c8f1743b9dba6b282e1323c3ca8fa76923448"
    folder.mkdir(parents=True)
    monkeypatch.setenv("COURSE_DATA_DIR", str(folder.parent))
    assert "the embedded" in faults.data()[0][1]


def test_course_that_cannot_be_written_is_a_fault(monkeypatch, tmp_path):
    assert faults.wrong_folder(tmp_path) == [] and list(tmp_path.iterdir()) == []

    def refused(**options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(faults.tempfile, "TemporaryFile", refused)
    [sentence] = faults.wrong_folder(tmp_path)
    assert "cannot be written (Permission denied)" in sentence and "copy the course" in sentence


def test_damaged_archive_is_a_fault(no_recordings, monkeypatch):
    (no_recordings / "archives").mkdir()
    (no_recordings / "archives" / "ESC-10-553c8f1743b9dba6b282e1323c3ca8fa76923448.zip").write_bytes(b"not a zip")
    monkeypatch.setenv("COURSE_DATA_DIR", str(no_recordings / "archives"))
    assert any("damaged" in fault for fault in faults.data()[1])


def test_the_same_folders_are_looked_into_as_by_the_loaders(monkeypatch, tmp_path):
    from course_lib import archives, sets

    asked = {}
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(archives, "unpacked", lambda name, **options: asked.update(options))
    sets.unpacked(sets.FSDD, None)
    assert faults.shelves(sets.DATA) == [*asked["shelves"], asked["given"]]


def test_a_look_unpacks_nothing(no_recordings, monkeypatch):
    folder = no_recordings / "archives"
    folder.mkdir()
    with zipfile.ZipFile(folder / "ESC-10-553c8f1743b9dba6b282e1323c3ca8fa76923448.zip", "w") as archive:
        archive.writestr("a", "b")
    monkeypatch.setenv("COURSE_DATA_DIR", str(folder))
    before = sorted(no_recordings.rglob("*"))
    lines, wrong = faults.data()
    assert lines[1].startswith("environment: real recordings") and lines[1].endswith("to be unpacked") and wrong == []
    assert sorted(no_recordings.rglob("*")) == before


@pytest.mark.parametrize("error", [ValueError("numpy.dtype size changed"), AttributeError("no attribute"), ImportError("no module")])
def test_any_broken_package_is_reported_and_ends_nothing(monkeypatch, error):
    real = __import__

    def broken(name, *given, **options):
        if name == "tensorflow" or (name == "course_lib" and given[2] and "sets" in given[2]):
            raise error
        return real(name, *given, **options)

    monkeypatch.setattr("builtins.__import__", broken)
    assert faults.gpus() == []
    lines, wrong = faults.data()
    assert str(error) in lines[0] and any("restart the runtime" in sentence for sentence in wrong) == (not isinstance(error, ImportError))


def end_with(monkeypatch, **result):
    done = subprocess.CompletedProcess([], **{"stdout": "", "stderr": "", **result})
    monkeypatch.setattr(faults.subprocess, "run", lambda *given, **options: done)


@pytest.mark.parametrize("code", [-4, 132, 3221225501])
def test_processor_without_avx_is_named(monkeypatch, code):
    end_with(monkeypatch, returncode=code)
    assert "AVX" in faults.tensorflow()[1][0]


def test_tensorflow_that_does_not_start_is_quoted(monkeypatch):
    end_with(monkeypatch, returncode=1, stderr="Traceback\nImportError: DLL load failed\n")
    assert faults.tensorflow()[1] == ["TensorFlow does not start: ImportError: DLL load failed"]


def test_it_speaks_where_no_package_is_installed(tmp_path):
    """An isolated Python that sees no site-packages, as one finds it before the course is set up."""
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-S", "-m", "course_lib"], cwd=diagnosis.ROOT, env=bare, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "the packages are not installed for this Python" in done.stdout and "make lab" in done.stdout


def test_page_can_be_pasted_into_a_question():
    done = subprocess.run([sys.executable, "-m", "course_lib"], cwd=diagnosis.ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    for part in ["Python  ", "packages ", "compared ", "TensorFlow ", "folder ", "lessons  ", "data  "]:
        assert f"\n{part}" in done.stdout
    assert faults.short(done.stdout) == done.stdout, "a page for the public names no user's folder"
