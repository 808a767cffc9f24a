"""Set the course up from this folder, with no network, and open it. start.sh and start.bat find a Python and call this.

Only what Python itself brings is imported: nothing is installed yet.
"""

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import manifest

HERE = Path(__file__).resolve().parent
AT_HOME = Path.home() / "rnn-audio-course"  # where the course goes if this folder cannot hold it
FIRST = Path("notebooks", "00_start_here.ipynb")
PATH_LIMIT = 259  # characters of a path, on Windows


def main():
    parser = argparse.ArgumentParser(description="Set the course up with no network, and open JupyterLab at lesson 00. What is not named here goes to JupyterLab.", allow_abbrev=False)
    parser.add_argument("--check", action="store_true", help="instead of JupyterLab: print the diagnosis, run lesson 00, and end")
    parser.add_argument("--verify", action="store_true", help="instead: read every file of this folder and compare it with the manifest")
    parser.add_argument("--folder", type=Path, help="copy the course there and set it up there; by default it is set up in this folder")
    parser.add_argument("--fits", action="store_true", help=argparse.SUPPRESS)  # for the start scripts: are there packages for this Python?
    options, others = parser.parse_known_args()
    if options.fits:
        sys.exit(0 if packages().is_file() else 1)
    if options.verify:
        faults = manifest.damaged(HERE, manifest.of_content)
        sys.exit("\n".join(faults) if faults else print(f"all {len(manifest.read(HERE))} files are as they were made; a lesson that you have saved counts as such"))
    if not packages().is_file():
        sys.exit(f"found {this_machine()}. {(HERE / 'python-needed.txt').read_text(encoding='utf-8')}")
    folder = place([options.folder.expanduser().resolve()] if options.folder else [HERE, AT_HOME])
    if not ready(folder):
        set_up(folder)
    sys.exit(check(folder) if options.check else lab(folder, others))


def this_machine():
    """The platform and the Python that run this, as the lists of packages are named: linux_x86_64-3.12, win_amd64-3.12, macosx_arm64-3.12."""
    system = {"win32": "win", "darwin": "macosx"}.get(sys.platform, sys.platform)
    machine = platform.machine() if sys.maxsize > 2**32 else "32bit"
    return f"{system}_{machine.lower() if system == 'win' else machine}-{sys.version_info[0]}.{sys.version_info[1]}"


def packages():
    """The list of packages, with their versions, for this machine."""
    return HERE / "wheels" / f"{this_machine()}.txt"


def place(folders):
    """The first folder that can hold the set-up course; prints why the ones before it cannot.

    Raises: SystemExit if there is none.
    """
    for folder in folders:
        reason = None if ready(folder) else unfit(folder)
        if reason is None:
            return folder
        print(f"{folder}: {reason}")
    sys.exit("Name another folder: start with --folder FOLDER")


def unfit(folder):
    """Why a folder cannot hold the packages, or None.

    Returns: words, or None.
    """
    installed, longest = needs()
    inside = len(str(folder / ".venv" / "Lib" / "site-packages")) + 1 + longest
    if os.name == "nt" and inside > PATH_LIMIT:
        return f"expected paths of at most {PATH_LIMIT} characters, and some would have {inside}; a folder with a shorter name will do"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as trial:
            if os.name != "nt":
                Path(trial, "link").symlink_to("nothing")
    except OSError as error:
        return f"expected a folder that can be written and can hold links, found none ({error.strerror}); a stick is often so"
    if os.name != "nt" and os.statvfs(folder).f_flag & os.ST_NOEXEC:
        return "expected a disk from which programs may run, found one from which they may not"
    free = shutil.disk_usage(folder).free
    return None if free > installed else f"expected {installed / 1e9:.1f} GB free for the packages, found {free / 1e9:.1f}"


def needs():
    """The bytes that the packages take when they are installed, and the length of their longest path, from the first line of their list.

    Returns: two numbers.
    """
    first = packages().read_text(encoding="utf-8").partition("\n")[0]
    return tuple(int(number) for number in re.findall(r"\d+", first))


def ready(folder):
    """Whether the course is set up in a folder, with these packages and with this Python."""
    mark = folder / ".venv" / "set-up.txt"
    return mark.is_file() and mark.read_text(encoding="utf-8") == _mark() and _python(folder).is_file()


def set_up(folder):
    """Copy the course to a folder, unless it is this one, and install the packages there.

    Raises: SystemExit if a file of the stick is missing or cut short, or if the packages cannot be installed.
    """
    faults = manifest.damaged(HERE, manifest.of_size)
    if faults:
        sys.exit("\n".join([*faults, "This copy is not whole: copy the zip again, and unpack it again."]))
    if folder != HERE:
        copy(folder)
    print(f"setting the course up in {folder}: {needs()[0] / 1e9:.1f} GB, some minutes, once", flush=True)
    venv.EnvBuilder(clear=True, symlinks=os.name != "nt", with_pip=False).create(folder / ".venv")
    pip = next((HERE / "wheels").glob("pip-*.whl")) / "pip"  # Debian's Python brings none
    install = ["--isolated", "--disable-pip-version-check", "--quiet", "install", "--no-index", "--no-deps", "--no-compile", "--no-warn-script-location"]
    done = subprocess.run([_python(folder), "-I", pip, *install, "--find-links", HERE / "wheels", "--requirement", packages()])
    if done.returncode:
        sys.exit("The packages could not be installed; what pip says stands above. To find a damaged file, start with --verify")
    (folder / ".venv" / "set-up.txt").write_text(_mark(), encoding="utf-8")


def copy(folder):
    """Copy what a learner needs, all but the packages; what is there already, with the learner's work in it, stays.

    Raises: SystemExit if the folder holds something else by the name of the course.
    """
    if (folder / "course").exists():
        if not (folder / manifest.NAME).is_file():
            sys.exit(f"{folder} holds a folder course that is not this one; name another with --folder")
        if (folder / manifest.NAME).read_bytes() != (HERE / manifest.NAME).read_bytes():
            print(f"{folder} holds another edition of the course, which is used as it is; for this one, give that folder another name and start again")
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".copying-") as beside:
        whole = Path(beside, "whole")
        shutil.copytree(HERE, whole, ignore=shutil.ignore_patterns("*.whl", "python-installer", ".venv", Path(beside).name))
        for path in sorted(whole.iterdir(), key=lambda path: path.name == "course"):  # the course last: it says that all is there
            if not (folder / path.name).exists():
                path.rename(folder / path.name)


def check(folder):
    """Print the diagnosis and run lesson 00.

    Returns: the exit code: 0 if both ran to their end.
    """
    commands = [["-m", "course_lib"], [Path("notebooks", "run.py"), "00"]]
    return max(abs(subprocess.run([_python(folder), *command], cwd=folder / "course", env=_environment(folder)).returncode) for command in commands)


def lab(folder, others):
    """Open JupyterLab at lesson 00, until the learner ends it.

    Args: folder: where the course is set up; others: words for JupyterLab. Returns: the exit code.
    """
    print("opening JupyterLab; this window must stay open. To end: Ctrl+C here", flush=True)
    try:
        return subprocess.run([_python(folder), "-m", "jupyter", "lab", FIRST, *others], cwd=folder / "course", env=_environment(folder)).returncode
    except KeyboardInterrupt:
        return 0


def _python(folder):
    return folder / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _mark():
    """What the set-up depends on: the list of packages, and the Python under it."""
    return f"{hashlib.sha256(packages().read_bytes()).hexdigest()} {sys.base_prefix} {platform.python_version()}\n"


def _environment(folder):
    """The environment of the course: its own packages, and the recordings that were brought along, with which nothing is downloaded."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    recordings = folder / "recordings"
    return {**kept, "COURSE_DATA_DIR": str(recordings)} if any(recordings.glob("*.zip")) else {"COURSE_DATA_DIR": str(recordings), **kept}


if __name__ == "__main__":
    main()
