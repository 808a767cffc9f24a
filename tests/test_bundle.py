"""The zip for a USB stick: what is in it, what its start script does with a small course on this machine, and what it says when something is wrong."""

import ensurepip
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "teaching"))

import bundle
import manifest
import packages
import set_up
from course_lib import archives, sets

HERE = packages.Target(*set_up.this_machine().split("-"))
ELSEWHERE = packages.Target("win_amd64" if HERE.platform != "win_amd64" else "linux_x86_64", "3.12")
IGNORED = ["data/downloads/clip.wav", ".venv/python", ".venv-colab/python", "build/page.html", "course_lib/__pycache__/old.pyc"]
SMALL = {  # a course in six files: it says what a start script has to give it
    ".gitignore": ".venv*/\nbuild/\ndata/downloads/\n__pycache__/\n",
    "notebooks/00_start_here.ipynb": nbformat.writes(nbformat.v4.new_notebook()),
    "course_lib/__init__.py": "",
    "course_lib/__main__.py": "import tiny\nprint('diagnosis', tiny.VERSION)\n",
    "notebooks/run.py": "import os, sys\nprint('lesson', sys.argv[1], os.environ['COURSE_DATA_DIR'])\nsys.exit(os.environ.get('LESSON_FAILS'))\n",
    "data/clips.csv": "file\n",
}
needs_sh = pytest.mark.skipif(os.name == "nt", reason="start.sh is for Linux and Mac")
needs_uv = pytest.mark.skipif(importlib.util.find_spec("uv") is None, reason="uv is not installed here")


def wheel(folder, name, version, *, files=(), requires=()):
    """Write a wheel of a few lines: name, version, files as (path, text), requirements."""
    about = f"{name.replace('-', '_')}-{version}.dist-info"
    wanted = "".join(f"Requires-Dist: {each}\n" for each in requires)
    texts = [*files, (f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{wanted}"), (f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        for inside, text in [*texts, (f"{about}/RECORD", "".join(f"{inside},,\n" for inside, _ in texts) + f"{about}/RECORD,,\n")]:
            file.writestr(inside, text)
    return path


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Three wheels: a tiny package, a stand-in for JupyterLab, and the pip that Python brings."""
    folder = tmp_path_factory.mktemp("wheels")
    pip = next((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"), None)
    if pip is None:
        pytest.skip("this Python brings no pip of its own")
    shutil.copy(pip, folder)
    wheel(folder, "tiny", "2.0", files=[("tiny.py", "VERSION = 2\n")])
    wheel(folder, "jupyter", "1.0", files=[("jupyter.py", "import sys, pathlib\nprint('jupyter', *sys.argv[1:], pathlib.Path.cwd().name)\n")])
    return folder


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A folder with a small course, and beside it what git ignores."""
    root = tmp_path_factory.mktemp("course")
    for name, text in {**SMALL, **dict.fromkeys(IGNORED, "not to be passed on")}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture(scope="module")
def make(wheels, course, tmp_path_factory):
    """A factory of bundles of the small course: targets, options → the path of the zip, and what was said of it."""

    def run(*targets, shelves=(), **options):
        pins = ["tiny==2.0", "jupyter==1.0", f"pip=={next(wheels.glob('pip-*')).name.split('-')[1]}"]
        build = tmp_path_factory.mktemp("build")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bundle, "ROOT", course)
            said = bundle.bundle(list(targets), lambda platform: [], shelves=shelves, build=build, resolve=lambda *_: pins, download=lambda *_: sorted(wheels.iterdir()), **options)
        return next(build.glob("*.zip")), said

    return run


@pytest.fixture(scope="module")
def zipped(make):
    return make(HERE)[0]


@pytest.fixture
def stick(zipped, tmp_path):
    """The bundle, unpacked as on a stick, and not set up."""
    return unpacked(zipped, tmp_path / "stick")


@pytest.fixture(scope="module")
def used(zipped, tmp_path_factory):
    """The bundle, unpacked and set up by its first start, and what that start printed."""
    folder = unpacked(zipped, tmp_path_factory.mktemp("used"))
    return folder, start(folder, "--check")


def unpacked(path, folder):
    with zipfile.ZipFile(path) as file:
        file.extractall(folder)
    return folder / bundle.TOP


def start(folder, *words, cwd=None, **environment):
    """Run start.sh as a learner would, with a home and no settings but these."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    given = {"HOME": str(home), "PATH": "/usr/bin:/bin", "COURSE_PYTHON": sys.executable, **environment}
    return subprocess.run(["sh", folder / "start.sh", *map(str, words)], env=given, cwd=cwd, capture_output=True, text=True)


# What is in the zip


def test_zip_holds_the_course_packages_recordings_and_start(zipped):
    with zipfile.ZipFile(zipped) as file:
        names = {name.removeprefix(f"{bundle.TOP}/") for name in file.namelist()}
    assert {name.removeprefix("course/") for name in names if name.startswith("course/")} == set(SMALL)
    assert {name.split("-")[0] for name in names if name.endswith(".whl")} == {"wheels/tiny", "wheels/jupyter", "wheels/pip"}
    scripts = {"start.sh", "start.command", "start.bat", "set_up.py", "manifest.py"}
    assert scripts | {"README-FIRST.txt", "python-needed.txt", "manifest.json", f"wheels/{HERE}.txt", "recordings/LICENCES.txt"} <= names


def test_scripts_may_be_executed_and_wheels_are_not_compressed_again(zipped):
    with zipfile.ZipFile(zipped) as file:
        members = {member.filename.removeprefix(f"{bundle.TOP}/"): member for member in file.infolist()}
    assert [members[name].external_attr >> 16 & 0o777 for name in ["start.sh", "start.command", "set_up.py"]] == [0o755, 0o755, 0o644]
    assert {member.compress_type for name, member in members.items() if name.endswith(".whl")} == {zipfile.ZIP_STORED}
    assert members["manifest.json"].compress_type == zipfile.ZIP_DEFLATED


def test_same_files_give_the_same_zip(make, zipped):
    assert make(HERE)[0].read_bytes() == zipped.read_bytes()


def test_course_files_are_those_of_git_and_without_git_those_not_ignored(course, tmp_path):
    assert bundle.course_files(course) == sorted(SMALL)
    cloned = shutil.copytree(course, tmp_path / "cloned")
    subprocess.run(["git", "-C", cloned, "init", "--quiet"], check=True)
    subprocess.run(["git", "-C", cloned, "add", "--all"], check=True)
    (cloned / "my own notes.txt").write_text("not in git")
    (cloned / "data" / "clips.csv").unlink()
    assert bundle.course_files(cloned) == sorted(set(SMALL) - {"data/clips.csv"})


def test_what_git_says_is_passed_on(course, tmp_path, capfd, monkeypatch):
    broken = shutil.copytree(course, tmp_path / "broken")
    (broken / ".git").write_text("gitdir: nowhere\n")
    monkeypatch.setenv("LC_ALL", "C")
    with pytest.raises(subprocess.CalledProcessError):
        bundle.course_files(broken)
    assert "not a git repository" in capfd.readouterr().err


def test_course_itself_is_taken_without_what_git_ignores():
    names = bundle.course_files(ROOT)
    assert {"requirements.txt", "course_lib/sets.py", "notebooks/00_start_here.ipynb", "data/spoken-digits/clips.csv"} <= set(names)
    assert not [name for name in names if name.startswith(("build/", ".venv", "data/downloads/")) or "__pycache__" in name]


def test_packages_of_two_targets_share_one_folder(make):
    path, said = make(HERE, ELSEWHERE)
    with zipfile.ZipFile(path) as file:
        inside = [name for name in file.namelist() if "/wheels/" in name]
    assert len(inside) == 3 + 2 and str(HERE) in said and str(ELSEWHERE) in said


def test_installer_of_python_is_packed_along_and_named(make, tmp_path):
    (tmp_path / "python-3.12.exe").write_bytes(b"installer")
    with zipfile.ZipFile(make(HERE, installers=[tmp_path / "python-3.12.exe"])[0]) as file:
        assert file.read(f"{bundle.TOP}/python-installer/python-3.12.exe") == b"installer"
        assert "lies in the folder python-installer" in file.read(f"{bundle.TOP}/README-FIRST.txt").decode()


def test_zip_too_large_for_a_common_stick_is_said(make, monkeypatch):
    assert "FAT32" not in make(HERE)[1]
    monkeypatch.setattr(bundle, "FAT_LIMIT", 1_000)
    assert "too large for a stick formatted as FAT32" in make(HERE)[1]


# Packages for another kind of computer


@needs_uv
@pytest.mark.parametrize("platform, python, names", [("win_amd64", "3.12", {"base", "colour", "old"}), ("linux_x86_64", "3.12", {"base", "penguin", "old"}), ("macosx_arm64", "3.13", {"base", "new"})])
def test_markers_are_evaluated_for_the_target_in_requirements_of_requirements_too(platform, python, names, tmp_path):
    for name in ["colour", "penguin", "old", "new"]:
        wheel(tmp_path, name, "1.0")
    wheel(tmp_path, "base", "1.0", requires=['colour; platform_system == "Windows"', 'penguin; sys_platform == "linux"'])
    lines = ["base", 'old; python_version < "3.13"', 'new; python_version >= "3.13"']
    assert packages.resolved(packages.Target(platform, python), lines, index=["--no-index", "--find-links", str(tmp_path)]) == sorted(f"{name}==1.0" for name in names)


@needs_uv
def test_target_without_packages_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(SystemExit, match="expected packages for Python 3.13 on Mac .Intel., found none"):
        packages.resolved(packages.Target("macosx_x86_64", "3.13"), ["nowhere"], index=["--no-index", "--find-links", str(tmp_path)])


@pytest.mark.parametrize("platform, gpu, name", [("linux_x86_64", False, "tensorflow-cpu"), ("linux_x86_64", True, "tensorflow"), ("win_amd64", False, "tensorflow"), ("linux_aarch64", False, "tensorflow")])
def test_linux_gets_the_smaller_tensorflow_unless_a_gpu_is_there(platform, gpu, name):
    lines = packages.requirements(ROOT / "requirements.txt", gpu=gpu)(platform)
    found = {packages.Requirement(line).name for line in lines}
    assert found & {"tensorflow", "tensorflow-cpu"} == {name}
    assert {"pip", "jupyterlab", "tensorflow-io"} <= found


def test_wheels_of_other_versions_are_left_and_a_missing_one_is_named(tmp_path):
    old, new = wheel(tmp_path, "some-thing", "1.0"), wheel(tmp_path, "some-thing", "2.0")
    assert packages.chosen([old, new], ["some-thing==2.0"]) == [new]
    with pytest.raises(SystemExit, match="found none of other==1.0"):
        packages.chosen([old, new], ["some-thing==1.0", "other==1.0"])


MACS = [("darwin", "arm64", "macosx_arm64"), ("darwin", "x86_64", "macosx_x86_64")]
COMPUTERS = [*MACS, ("win32", "AMD64", "win_amd64"), ("linux", "x86_64", "linux_x86_64"), ("linux", "aarch64", "linux_aarch64")]


@pytest.mark.parametrize("system, machine, name", COMPUTERS)
def test_start_names_a_computer_as_the_bundle_does(system, machine, name, monkeypatch):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(set_up.platform, "machine", lambda: machine)
    assert set_up.this_machine() == str(packages.Target(name, f"3.{sys.version_info.minor}")) and name in packages.PLATFORMS


# Recordings


@pytest.fixture
def known(tmp_path):
    """A folder that holds an archive of one recording, and the row that describes it."""
    shelf = tmp_path / "shelf"
    (shelf / "sounds" / "clips").mkdir(parents=True)
    (shelf / "sounds" / "clips" / "a.wav").write_bytes(b"sound")
    archive = sets.Archive("sounds", None, "clips/*.wav", archives.fingerprint(shelf / "sounds", "clips/*.wav"))
    shutil.make_archive(shelf / "sounds", "zip", shelf, "sounds")
    return shelf, [(archive, "Sounds", "CC BY 4.0", "a friend")]


def test_archive_of_recordings_goes_along_as_it_is_with_its_licence(known, tmp_path):
    shelf, rows = known
    shutil.rmtree(shelf / "sounds")
    contents = bundle.recordings([shelf], tmp_path, known=rows)
    assert contents["recordings/sounds.zip"] == shelf / "sounds.zip"
    assert all(words in contents["recordings/LICENCES.txt"].decode() for words in ["Sounds: sounds.zip", "made by a friend", "licence: CC BY 4.0"])


def test_recordings_that_were_found_unpacked_are_packed_again(known, tmp_path, monkeypatch):
    shelf, rows = known
    (shelf / "sounds.zip").unlink()
    (tmp_path / "scratch").mkdir()
    packed = bundle.recordings([tmp_path / "empty", shelf], tmp_path / "scratch", known=rows)["recordings/sounds.zip"]
    archive, again = rows[0][0], tmp_path / "again"
    found = archives.unpacked("sounds", url=None, recordings=archive.recordings, sha256=archive.sha256, given=packed.parent, shelves=[again])
    assert (found / "clips" / "a.wav").read_bytes() == b"sound"


@pytest.mark.parametrize("wrong, said", [("gone", "looked for sounds.zip"), ("cut", "damaged"), ("other", "not the files this course knows")])
def test_recordings_that_are_not_the_known_ones_are_left_out_with_a_sentence(known, tmp_path, capsys, wrong, said):
    shelf, rows = known
    shutil.rmtree(shelf / "sounds")
    if wrong == "gone":
        (shelf / "sounds.zip").unlink()
    elif wrong == "cut":
        (shelf / "sounds.zip").write_bytes((shelf / "sounds.zip").read_bytes()[:-40])
    else:
        rows[0] = (rows[0][0]._replace(sha256="0" * 64), *rows[0][1:])
    assert list(bundle.recordings([shelf], tmp_path, known=rows)) == ["recordings/LICENCES.txt"]
    assert "Sounds is left out" in (printed := capsys.readouterr().out) and said in printed


# The start script


@needs_sh
def test_first_start_sets_up_and_runs_lesson_00_on_the_recordings_of_the_stick(used):
    folder, done = used
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith(("diagnosis", "lesson"))] == ["diagnosis 2", f"lesson 00 {folder / 'recordings'}"]


@needs_sh
def test_second_start_sets_nothing_up_and_opens_lesson_00(used):
    folder, first = used
    done = start(folder, "--port", 1234)
    assert "setting the course up" in first.stdout and "setting the course up" not in done.stdout
    assert f"jupyter lab {Path('notebooks', '00_start_here.ipynb')} --port 1234 course" in done.stdout


@needs_sh
def test_check_fails_when_the_lesson_fails(used):
    assert start(used[0], "--check", LESSON_FAILS="3").returncode != 0


@needs_sh
def test_python_is_found_on_the_path(used, tmp_path):
    (tmp_path / "python3.12").write_text("#!/bin/sh\nexit 1\n")  # one for which there are no packages
    (tmp_path / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for path in tmp_path.iterdir():
        path.chmod(0o755)
    assert "diagnosis 2" in start(used[0], "--check", PATH=f"{tmp_path}:/usr/bin:/bin", COURSE_PYTHON="").stdout


@needs_sh
def test_missing_python_is_one_clear_sentence(make, tmp_path):
    done = start(unpacked(make(ELSEWHERE)[0], tmp_path))
    assert done.returncode == 1 and done.stderr == "" and not (tmp_path / bundle.TOP / ".venv").exists()
    assert f"packages for {ELSEWHERE.words}; no such Python was found here" in done.stdout and "python.org" in done.stdout


@needs_sh
def test_course_is_set_up_elsewhere_and_starts_there_without_the_stick(stick, tmp_path):
    done = start(stick, "--folder", "laptop", "--check", cwd=tmp_path)
    laptop = tmp_path / "laptop"
    assert done.returncode == 0 and f"lesson 00 {laptop / 'recordings'}" in done.stdout, done.stderr
    assert not (stick / ".venv").exists() and not list(laptop.glob("wheels/*.whl"))
    shutil.rmtree(stick)
    assert "diagnosis 2" in start(laptop, "--check").stdout


@needs_sh
def test_work_of_the_learner_stays_when_the_packages_are_installed_again(stick, tmp_path):
    laptop = tmp_path / "laptop"
    start(stick, "--folder", laptop, "--check")
    (laptop / "course" / "data" / "mine.txt").write_text("my work")
    shutil.rmtree(laptop / ".venv")
    assert "diagnosis 2" in start(stick, "--folder", laptop, "--check").stdout
    assert (laptop / "course" / "data" / "mine.txt").read_text() == "my work"


@needs_sh
def test_folder_with_another_course_in_it_is_refused_in_a_sentence(stick, tmp_path):
    (tmp_path / "mine" / "course").mkdir(parents=True)
    done = start(stick, "--folder", tmp_path / "mine")
    assert done.returncode == 1 and "Traceback" not in done.stderr and not (tmp_path / "mine" / ".venv").exists()
    assert f"{tmp_path / 'mine'} holds a folder course that is not this one; name another with --folder" in done.stderr


def test_folder_that_cannot_hold_the_packages_is_passed_over_with_the_reason(tmp_path, monkeypatch, capsys):
    link = Path.symlink_to
    monkeypatch.setattr(Path, "symlink_to", lambda path, to: (_ for _ in ()).throw(OSError(1, "no links here")) if "stick" in str(path) else link(path, to))
    monkeypatch.setattr(set_up, "needs", lambda: (1_000, 100))
    monkeypatch.setattr(set_up, "ready", lambda folder: False)
    assert set_up.place([tmp_path / "stick", tmp_path / "home"]) == tmp_path / "home"
    assert "no links here" in capsys.readouterr().out


def test_full_disk_is_said_before_anything_is_installed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(set_up, "needs", lambda: (10**18, 100))
    monkeypatch.setattr(set_up, "ready", lambda folder: False)
    with pytest.raises(SystemExit, match="--folder"):
        set_up.place([tmp_path])
    assert "expected 1000000000.0 GB free" in capsys.readouterr().out


def test_list_of_packages_says_what_they_take(stick, wheels, monkeypatch):
    monkeypatch.setattr(set_up, "HERE", stick)
    inside = [member for path in wheels.iterdir() for member in zipfile.ZipFile(path).infolist()]
    assert set_up.needs() == (sum(member.file_size for member in inside), max(len(member.filename) for member in inside))


def test_recordings_of_the_stick_come_before_those_of_the_computer(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", "of the computer")
    monkeypatch.setenv("PYTHONPATH", "packages of something else")
    (tmp_path / "recordings").mkdir()
    assert set_up._environment(tmp_path)["COURSE_DATA_DIR"] == "of the computer"
    (tmp_path / "recordings" / "sounds.zip").write_bytes(b"")
    environment = set_up._environment(tmp_path)
    assert environment["COURSE_DATA_DIR"] == str(tmp_path / "recordings") and "PYTHONPATH" not in environment


# The manifest


@needs_sh
def test_stick_as_it_was_made_is_verified(stick):
    done = start(stick, "--verify")
    assert done.returncode == 0 and f"all {len(manifest.read(stick))} files are as they were made" in done.stdout


@needs_sh
@pytest.mark.parametrize("word", ["--verify", "--check"])
def test_file_cut_short_is_named_before_anything_is_installed(stick, word):
    tiny = next(stick.glob("wheels/tiny-*.whl"))
    size = tiny.stat().st_size
    os.truncate(tiny, 100)
    done = start(stick, word)
    assert done.returncode == 1 and not (stick / ".venv").exists()
    assert f"wheels/{tiny.name}: expected {size} bytes, found 100" in done.stderr


@needs_sh
def test_changed_byte_is_found_by_verify(stick):
    path = stick / "course" / "course_lib" / "__main__.py"
    path.write_bytes(path.read_bytes().replace(b"diagnosis", b"diagnosiS"))
    done = start(stick, "--verify")
    assert done.returncode == 1 and "course/course_lib/__main__.py: expected content with the SHA-256" in done.stderr


def test_saved_lesson_is_no_fault_and_a_cut_or_missing_one_is(stick):
    lesson = stick / "course" / "notebooks" / "00_start_here.ipynb"
    lesson.write_text(json.dumps({"cells": [], "metadata": {"saved": True}}))
    assert manifest.damaged(stick, manifest.of_content) == []
    lesson.write_text('{"cells": [')
    assert [fault.split(":")[0] for fault in manifest.damaged(stick, manifest.of_size)] == ["course/notebooks/00_start_here.ipynb"]
    lesson.unlink()
    assert manifest.damaged(stick, manifest.of_size) == ["course/notebooks/00_start_here.ipynb: the file is missing"]


# Windows


def test_start_for_windows_has_its_line_ends_and_takes_the_same_steps(zipped):
    with zipfile.ZipFile(zipped) as file:
        batch, shell = (file.read(f"{bundle.TOP}/{name}").decode() for name in ["start.bat", "start.sh"])
        texts = [file.read(f"{bundle.TOP}/{name}") for name in ["start.bat", "README-FIRST.txt", "python-needed.txt", "recordings/LICENCES.txt"]]
    assert all(text.count(b"\n") == text.count(b"\r\n") > 0 for text in texts) and "\r" not in shell
    for step in [*packages.PYTHONS, "COURSE_PYTHON", "set_up.py", "--fits", "python-needed.txt"]:
        assert step in batch and step in shell, step
    assert '%found% "%here%set_up.py" %*' in batch and '"$python" "$here/set_up.py" "$@"' in shell
