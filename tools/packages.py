"""The packages that a kind of computer needs: found, downloaded and listed on a computer of another kind."""

import subprocess
import sys
import zipfile
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename


def _manylinux(machine, newest, oldest):
    """The kinds of wheels for a Linux whose C library is glibc 2.newest, back to 2.oldest."""
    return [f"manylinux_2_{minor}_{machine}" for minor in range(newest, oldest - 1, -1)]


PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
PLATFORMS = {  # its name → what a reader calls it, its name in uv, and the kinds of wheels that run there
    "linux_x86_64": ("Linux (Intel, AMD)", "x86_64-manylinux_2_28", [*_manylinux("x86_64", 28, 5), "manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]),
    "linux_aarch64": ("Linux (ARM)", "aarch64-manylinux_2_28", [*_manylinux("aarch64", 28, 17), "manylinux2014_aarch64"]),
    "win_amd64": ("Windows (Intel, AMD)", "x86_64-pc-windows-msvc", ["win_amd64"]),
    "macosx_arm64": ("Mac (M1 and later)", "aarch64-apple-darwin", ["macosx_13_0_arm64"]),
    "macosx_x86_64": ("Mac (Intel)", "x86_64-apple-darwin", ["macosx_13_0_x86_64"]),
}


class Target(NamedTuple):
    """A kind of computer: a name in PLATFORMS, and a Python."""

    platform: str
    python: str

    def __str__(self):
        return f"{self.platform}-{self.python}"

    @property
    def words(self):
        """What a reader calls it, such as "Python 3.12 on Windows (Intel, AMD)"."""
        return f"Python {self.python} on {PLATFORMS[self.platform][0]}"


def requirements(path, *, gpu):
    """The requirements of the course, and pip, with which they are installed.

    Returns: a function from a platform to a list of lines; on Linux with an Intel or AMD processor they ask for the TensorFlow without a GPU, unless gpu is true.
    """

    def wanted(platform):
        lines = [line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
        asked = [Requirement(line) for line in lines if line]
        for each in asked:
            if each.name == "tensorflow" and platform == "linux_x86_64" and not gpu:
                each.name = "tensorflow-cpu"
        return [*map(str, asked), "pip"]

    return wanted


def resolved(target, lines, *, index=()):
    """The versions of all packages that a target needs, found by uv, which evaluates the markers of all of them as they are there; pip takes this computer's.

    Args: lines: requirements; index: words for uv that say where to look, in place of PyPI. Returns: a list such as "numpy==1.26.4".
    Raises: SystemExit if there are no packages for the target.
    """
    options = ["--quiet", "--no-header", "--no-annotate", "--only-binary", ":all:", "--python-platform", PLATFORMS[target.platform][1], "--python-version", target.python, *index]
    done = subprocess.run([sys.executable, "-m", "uv", "pip", "compile", *options, "-"], input="\n".join(lines), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"expected packages for {target.words}, found none that go together:\n{done.stderr.strip()}")
    return done.stdout.split()


def downloaded(target, pins, folder):
    """Download wheels; those that are there already stay.

    Args: pins: as from `resolved`; folder: where they go. Returns: the wheels in the folder. Raises: SystemExit if one is not to be had.
    """
    print(f"downloading {len(pins)} packages for {target.words}", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    kinds = [word for kind in PLATFORMS[target.platform][2] for word in ("--platform", kind)]
    options = ["--quiet", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--implementation", "cp", "--python-version", target.python, *kinds]
    if subprocess.run([sys.executable, "-m", "pip", "download", *options, "--dest", folder, *pins]).returncode:
        sys.exit("The packages could not be downloaded; what pip says stands above")
    return sorted(folder.glob("*.whl"))


def chosen(wheels, pins):
    """The wheels of the pinned versions: the folder may hold older ones.

    Raises: SystemExit if one is missing.
    """
    by_pin = {f"{name}=={version}": wheel for wheel in wheels for name, version, *_ in [parse_wheel_filename(wheel.name)]}
    asked = [f"{canonicalize_name(name)}=={version}" for name, _, version in (pin.partition("==") for pin in pins)]
    missing = [pin for pin in asked if pin not in by_pin]
    if missing:
        sys.exit(f"expected a wheel of each package, found none of {', '.join(missing)}")
    return [by_pin[pin] for pin in asked]


def listing(wheels, pins):
    """The list of a target's packages for the start script; its first line says how much room they take.

    Returns: bytes.
    """
    inside = [member for wheel in wheels for member in zipfile.ZipFile(wheel).infolist()]
    first = f"# {sum(member.file_size for member in inside)} bytes when installed, {max(len(member.filename) for member in inside)} characters in the longest path"
    return "\n".join([first, *pins, ""]).encode()
