"""The diagnosis: what the first cell says of the versions and the time, and what is found to be wrong."""

import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from course_lib import diagnosis

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
        ({"processor": 81.4, "gpu": None}, [], "GPU: none, and none is needed. This lesson's cells compute for about 81 CPU seconds, which two cores share, not measured: seconds with a GPU"),
        ({"processor": 81.4, "gpu": 20}, ["Tesla T4"], "GPU: Tesla T4. This lesson's cells compute for about 81 CPU seconds, which two cores share, 20 seconds with a GPU"),
        (None, [], "GPU: none, and none is needed"),
    ],
)
def test_time_is_the_recorded_one_or_said_to_be_unmeasured(seconds, devices, line):
    assert diagnosis.computing(seconds, devices) == line


def test_first_cell_prints_two_lines(capsys):
    diagnosis.greet("05")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and platform.python_version().rpartition(".")[0] in lines[0] and lines[1].startswith("GPU: ")


@pytest.mark.parametrize("version, fault", [((3, 9), "Python 3.9"), ((3, 14), "Python 3.14"), ((3, 10), None), ((3, 13), None)])
def test_python_is_judged(version, fault):
    found = diagnosis.wrong_python(version, wide=True)
    assert [fault in sentence and "3.10 to 3.13" in sentence for sentence in found] == ([True] if fault else [])
    assert "32-bit" in diagnosis.wrong_python((3, 12), wide=False)[0]


def test_package_that_is_missing_or_too_old_is_named(monkeypatch, tmp_path):
    (tmp_path / "requirements.txt").write_text('numpy>=1.20  # fine\npandas>=99\nno-such-package==1.0\nelsewhere==1; python_version < "3.0"\n')
    monkeypatch.setattr(diagnosis, "ROOT", tmp_path)
    [sentence] = diagnosis.wrong_packages()
    assert "pandas" in sentence and "(asked for: >=99)" in sentence and "no-such-package is missing" in sentence
    assert "numpy" not in sentence and "elsewhere" not in sentence and "pip install -r requirements.txt" in sentence


def test_disk_that_is_nearly_full_is_named():
    assert diagnosis.wrong_disk(2e9) == []
    assert diagnosis.wrong_disk(0.3e9)[0].startswith("0.3 GB are free on the disk")


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
    lines, faults = diagnosis.data()
    assert [line.split(":")[0] for line in lines] == ["digits", "environment", "commands", "music"]
    assert all("the embedded" in line for line in lines) and faults == []


def test_a_set_that_is_missing_is_a_fault(no_recordings):
    (no_recordings / "data" / "rhythms" / "clips.csv").unlink()
    assert diagnosis.data()[1] == ["data/rhythms is missing: get the course again, whole"]


def test_folder_of_archives_that_is_none_is_a_fault(no_recordings, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(no_recordings / "nowhere"))
    assert any("which is no folder" in fault for fault in diagnosis.data()[1])


def test_damaged_archive_is_a_fault(no_recordings, monkeypatch):
    (no_recordings / "archives").mkdir()
    (no_recordings / "archives" / "ESC-10-553c8f1743b9dba6b282e1323c3ca8fa76923448.zip").write_bytes(b"not a zip")
    monkeypatch.setenv("COURSE_DATA_DIR", str(no_recordings / "archives"))
    assert any("damaged" in fault for fault in diagnosis.data()[1])


def test_the_same_folders_are_looked_into_as_by_the_loaders(monkeypatch, tmp_path):
    from course_lib import archives, sets

    asked = {}
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(archives, "unpacked", lambda name, **options: asked.update(options))
    sets.unpacked(sets.FSDD, None)
    assert diagnosis.shelves(sets.DATA) == [*asked["shelves"], asked["given"]]


def test_a_look_unpacks_nothing(no_recordings, monkeypatch):
    folder = no_recordings / "archives"
    folder.mkdir()
    with zipfile.ZipFile(folder / "ESC-10-553c8f1743b9dba6b282e1323c3ca8fa76923448.zip", "w") as archive:
        archive.writestr("a", "b")
    monkeypatch.setenv("COURSE_DATA_DIR", str(folder))
    before = sorted(no_recordings.rglob("*"))
    lines, faults = diagnosis.data()
    assert lines[1].startswith("environment: real recordings") and lines[1].endswith("to be unpacked") and faults == []
    assert sorted(no_recordings.rglob("*")) == before


@pytest.mark.parametrize("error", [ValueError("numpy.dtype size changed"), AttributeError("no attribute"), ImportError("no module")])
def test_any_broken_package_is_reported_and_ends_nothing(monkeypatch, error):
    real = __import__

    def broken(name, *given, **options):
        if name == "tensorflow" or (name == "course_lib" and given[2] and "sets" in given[2]):
            raise error
        return real(name, *given, **options)

    monkeypatch.setattr("builtins.__import__", broken)
    assert diagnosis.gpus() == []
    assert str(error) in diagnosis.data()[0][0]


def end_with(monkeypatch, **result):
    done = subprocess.CompletedProcess([], **{"stdout": "", "stderr": "", **result})
    monkeypatch.setattr(diagnosis.subprocess, "run", lambda *given, **options: done)


@pytest.mark.parametrize("code", [-4, 132, 3221225501])
def test_processor_without_avx_is_named(monkeypatch, code):
    end_with(monkeypatch, returncode=code)
    assert "AVX" in diagnosis.tensorflow()[1][0]


def test_tensorflow_that_does_not_start_is_quoted(monkeypatch):
    end_with(monkeypatch, returncode=1, stderr="Traceback\nImportError: DLL load failed\n")
    assert diagnosis.tensorflow()[1] == ["TensorFlow does not start: ImportError: DLL load failed"]


def test_it_speaks_where_no_package_is_installed(tmp_path):
    """An isolated Python that sees no site-packages, as one finds it before the course is set up."""
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-S", "-m", "course_lib"], cwd=diagnosis.ROOT, env=bare, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "the packages are not installed for this Python" in done.stdout and "make lab" in done.stdout


def test_page_can_be_pasted_into_a_question():
    done = subprocess.run([sys.executable, "-m", "course_lib"], cwd=diagnosis.ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    for part in ["Python  ", "packages ", "compared ", "TensorFlow ", "folder ", "data  "]:
        assert f"\n{part}" in done.stdout
    assert str(Path.home()) not in done.stdout, "a page for the public names no user's folder"
