"""The doctor: what it finds here, what it finds wrong, and that it speaks without any package."""

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from course_lib import __main__ as doctor
from course_lib import data


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with the embedded sets and no archives or downloads."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    return tmp_path


def test_packages_that_are_missing_or_old_are_named(monkeypatch):
    asked = 'numpy>=1.20  # fine\n-e .\npandas>=99\njupyterlab>=99\nother==1; python_version < "3"'
    sentence = doctor.packages(asked)
    assert "pandas >=99" in sentence and "jupyterlab" in sentence
    assert "numpy" not in sentence and "other" not in sentence
    monkeypatch.setattr(doctor.util, "find_spec", lambda name: name)  # as on Colab
    assert "jupyterlab" not in doctor.packages(asked)


def test_recordings_are_real_or_a_stand_in(machine):
    assert doctor.ARCHIVES == {name: data.SETS[name].archive.file for name in doctor.ARCHIVES}
    assert doctor.recordings()[0].count("stand-in") == 6
    folder = machine / data.SETS["fsdd"].archive.file.removesuffix(".zip") / "recordings"
    folder.mkdir(parents=True)
    assert doctor.recordings()[0].count("stand-in") == 6, "an empty folder holds no recordings"
    (folder / "7_jackson_0.wav").touch()
    (machine / data.SETS["gtzan"].archive.file).touch()
    found, wrong = doctor.recordings()
    assert found.count("real recordings") == 2 and not wrong


def test_folder_of_archives_has_its_whole_path(machine, monkeypatch):
    monkeypatch.chdir(machine)
    for given in (".", str(machine / "nowhere")):
        monkeypatch.setenv("COURSE_DATA_DIR", given)
        assert given in doctor.recordings()[1]


@pytest.mark.parametrize("code, says", [(-4, "AVX"), (1, "DLL load failed")])
def test_tensorflow_that_does_not_start_is_quoted(monkeypatch, code, says):
    done = SimpleNamespace(returncode=code, stderr="Traceback\nImportError: DLL load failed\n")
    monkeypatch.setattr(doctor.subprocess, "run", lambda *_, **options: done)
    assert says in doctor.tensorflow()[1]


def test_page_numbers_what_is_wrong_and_hides_the_home_folder(monkeypatch, capsys):
    monkeypatch.setattr(Path, "home", lambda: doctor.ROOT.parent)
    monkeypatch.setattr(doctor, "tensorflow", lambda: ("starts", f"wrong: {doctor.ROOT}"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1))
    doctor.main()
    page = capsys.readouterr().out
    assert "wrong: ~/" in page and str(doctor.ROOT) not in page and "0.0 GB are free" in page


def test_it_speaks_without_packages():
    command = [sys.executable, "-S", "-m", "course_lib"]
    assert "not installed" in subprocess.check_output(command, cwd=doctor.ROOT, text=True)
