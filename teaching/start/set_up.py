"""Set the course up in this folder, with no network and nothing installed, and open it."""

import argparse
import os
import platform
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = HERE / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
FIRST = "00_start_here.ipynb"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="run the diagnosis and lesson 00, end")
    parser.add_argument("--fits", action="store_true", help="say if there are packages, and end")
    options = parser.parse_args()
    pins = HERE / "wheels" / f"{this_machine()}.txt"
    if not pins.is_file():
        others = sorted(path.stem for path in pins.parent.glob("*.txt"))
        sys.exit(f"expected one of {', '.join(others)}, found {this_machine()}")
    if options.fits:
        return
    mark, expected = HERE / ".venv" / "set-up.txt", f"{HERE}\n{pins.read_text()}"
    if not (mark.is_file() and mark.read_text() == expected):
        install(pins)
        mark.write_text(expected)
    if (HERE / "recordings").is_dir():
        os.environ["COURSE_DATA_DIR"] = str(HERE / "recordings")
    sys.exit(check() if options.check else run("jupyter", "lab", f"notebooks/{FIRST}"))


def this_machine() -> str:
    """Name the computer and the Python that run this, such as win_amd64-3.12."""
    system = {"win32": "win", "darwin": "macosx"}.get(sys.platform, sys.platform)
    machine = platform.machine().lower() if sys.maxsize > 2**32 else "32bit"
    return f"{system}_{machine}-{sys.version_info[0]}.{sys.version_info[1]}"


def install(pins: Path) -> None:
    """Make the environment anew: the packages first, then the course itself."""
    print("setting the course up: some minutes, once", flush=True)
    venv.create(HERE / ".venv", clear=True, symlinks=os.name != "nt")
    pip = next(pins.parent.glob("pip-*.whl")) / "pip"  # Debian's Python brings none
    command = [PYTHON, pip, "--isolated", "install", "-qq", "--no-index", "--no-deps"]
    packages = ["--no-compile", "--find-links", pins.parent, "--requirement", pins]
    for part in (packages, ["--no-build-isolation", "--editable", HERE / "course"]):
        if subprocess.run([*command, *part]).returncode:
            sys.exit("The set-up failed; pip says why above. Was the zip unpacked whole?")


def run(*arguments: str) -> int:
    """Run a module of the environment in the course's folder; return its exit code."""
    return subprocess.run([PYTHON, "-m", *arguments], cwd=HERE / "course").returncode


def check() -> int:
    """Print the diagnosis and run lesson 00; return 0 if both came to their end."""
    nbconvert = ["jupyter", "nbconvert", "--to=notebook", "--execute", "--output-dir=build"]
    failed = run("course_lib") or run(*nbconvert, f"notebooks/solutions/{FIRST}")
    print(f"lesson 00 {'failed' if failed else 'ran from its start to its end'}")
    return failed


if __name__ == "__main__":
    main()
