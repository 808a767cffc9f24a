"""Make one zip for a USB stick: the course, its packages for the classroom's computers, recordings, and a start script that needs no network."""

import argparse
import fnmatch
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
START = ROOT / "teaching" / "start"
sys.path[:0] = [str(ROOT), str(START)]

import manifest
import packages
import set_up
from course_lib import archives, sets

BUILD = ROOT / "build" / "bundle"
TOP = "rnn-audio-course"  # the folder in the zip
CC = "https://creativecommons.org/licenses"
RECORDINGS = [  # archive, name, licence, who made it; both licences allow to pass it on
    (sets.FSDD, "Free Spoken Digit Dataset", f"CC BY-SA 4.0, {CC}/by-sa/4.0/", "Zohar Jackson and others, https://github.com/Jakobovski/free-spoken-digit-dataset"),
    (sets.ESC_10, "ESC-10", f"CC BY 3.0, {CC}/by/3.0/", "K. J. Piczak, https://github.com/karolpiczak/ESC-10; the README.txt in it names the author of each clip"),
]
PACKED = {".whl", ".zip", ".flac", ".mp3", ".ogg", ".png", ".keras", ".exe", ".pkg"}  # to compress these once more would only take time
MOMENT = (2026, 1, 1, 0, 0, 0)  # the date of every file in the zip: the same files give the same zip
FAT_LIMIT = 4 * 2**30 - 1  # bytes of the largest file that a stick formatted as FAT32 holds


def main():
    here = packages.Target(*set_up.this_machine().split("-"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platform", action="append", choices=packages.PLATFORMS, help=f"what the computers are, may be given several times; by default as here, {here.platform}")
    parser.add_argument("--python", action="append", choices=packages.PYTHONS, help=f"the Python that they have, may be given several times; by default as here, {here.python}")
    parser.add_argument("--data", type=Path, help="a folder with archives of recordings; by default COURSE_DATA_DIR, else what the lessons have downloaded")
    parser.add_argument("--gpu", action="store_true", help="for Linux with a graphics processor: TensorFlow for both, some 600 MB more")
    parser.add_argument("--python-installer", type=Path, action="append", default=[], help="an installer of Python to pack along, may be given several times")
    options = parser.parse_args()
    targets = [packages.Target(platform, python) for platform in options.platform or [here.platform] for python in options.python or [here.python]]
    unknown = [str(target) for target in targets if target.platform not in packages.PLATFORMS or target.python not in packages.PYTHONS]
    if unknown:
        known = f"{', '.join(packages.PLATFORMS)} and {', '.join(packages.PYTHONS)}"
        sys.exit(f"expected a computer and a Python among {known}, found {', '.join(unknown)}; name one: make bundle BUNDLE=\"--platform linux_x86_64 --python 3.12\"")
    missing = [str(path) for path in options.python_installer if not path.is_file()]
    if missing:
        sys.exit(f"expected the installer of a Python, found no file {', '.join(missing)}")
    print(bundle(targets, packages.requirements(ROOT / "requirements.txt", gpu=options.gpu), shelves=data_folders(options.data), installers=options.python_installer))


def bundle(targets, wanted, *, shelves, installers=(), build=BUILD, resolve=None, download=None):
    """Make the zip.

    Args: targets: a list of Target; wanted: a function from a platform to lines of requirements; shelves: folders that may hold recordings; installers: files; build: the
    folder for the zip and for what is downloaded; resolve, download: in place of those of `packages`.
    Returns: a sentence on the zip.
    """
    build.mkdir(parents=True, exist_ok=True)
    contents = {f"course/{name}": ROOT / name for name in course_files(ROOT)}
    for target in targets:
        pins = (resolve or packages.resolved)(target, wanted(target.platform))
        wheels = packages.chosen((download or packages.downloaded)(target, pins, build / "wheels" / str(target)), pins)
        contents[f"wheels/{target}.txt"] = packages.listing(wheels, pins)
        contents |= {f"wheels/{wheel.name}": wheel for wheel in wheels}
    contents |= started(targets, installers)
    with tempfile.TemporaryDirectory(dir=build) as scratch:
        contents |= recordings(shelves, Path(scratch))
        path = build / f"{TOP}-{'-'.join(dict.fromkeys(str(target) for target in targets))}.zip"
        write(path, contents)
    size = path.stat().st_size
    warning = ": too large for a stick formatted as FAT32, format it as exFAT" if size > FAT_LIMIT else ""
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    return f"{shown}: {size / 1e6:,.0f} MB, {len(contents)} files{warning}"


def course_files(root):
    """The course as git has it, with what has been changed since; without git, all that .gitignore does not leave out.

    Returns: a sorted list of paths with slashes, relative to the root.
    """
    if (root / ".git").exists():
        listed = subprocess.run(["git", "-C", root, "ls-files", "-z"], check=True, stdout=subprocess.PIPE, text=True).stdout.split("\0")
        return sorted(name for name in listed if name and (root / name).is_file())
    ignored = [line.rstrip("/") for line in (root / ".gitignore").read_text(encoding="utf-8").split()]
    every = (PurePosixPath(path.relative_to(root).as_posix()) for path in root.rglob("*") if path.is_file())
    return sorted(str(path) for path in every if not any(fnmatch.fnmatch(folder.name, each) or str(folder) == each for folder in [path, *path.parents] for each in ignored))


def started(targets, installers):
    """The start scripts, and the words that belong to them.

    Returns: a dict from a name in the zip to a Path or bytes.
    """
    names = ", ".join(target.words for target in targets)
    installer = "Its installer lies in the folder python-installer." if installers else "Its installer is to be had from python.org, with a network, or from your teacher."
    needed = f"{' or '.join(dict.fromkeys(f'Python {target.python}' for target in targets))} (64 bits)."
    readme = (START / "README-FIRST.txt").read_text(encoding="utf-8").format(needed=needed, installer=installer, targets=names)
    sentence = f"This folder holds packages for {names}; no such Python was found here: install one, and start again. {installer} A Python in an unusual place is named in COURSE_PYTHON.\n"
    scripts = {path.name: path for path in START.iterdir() if path.suffix in (".sh", ".command", ".py")}
    windows = {"start.bat": _for_windows((START / "start.bat").read_text(encoding="utf-8")), "README-FIRST.txt": _for_windows(readme)}
    return {**scripts, **windows, "python-needed.txt": _for_windows(sentence), **{f"python-installer/{path.name}": path for path in installers}}


def _for_windows(text):
    """Text with the line ends that Windows expects, as bytes."""
    return text.replace("\n", "\r\n").encode()


def data_folders(given):
    """The folders in which recordings are looked for.

    Args: given: a folder, or None. Returns: a list of Paths.
    """
    named = given or os.environ.get("COURSE_DATA_DIR")
    return [Path(named)] if named else [sets.DATA / "downloads", Path.home() / ".cache" / "rnn-audio-course"]


def recordings(shelves, scratch, *, known=RECORDINGS):
    """The archives of recordings that are here, each compared with its fingerprint; prints a line for one that is not.

    Args: shelves: folders; scratch: an empty folder to work in; known: rows of an archive, its name, licence and maker. Returns: a dict from a name in the zip to a Path or bytes.
    """
    contents, words = {}, ["Recordings in this folder", ""]
    for archive, name, licence, maker in known:
        try:
            contents[f"recordings/{archive.name}.zip"] = _archive(archive, shelves, scratch)
            words += [f"{name}: {archive.name}.zip", f"  made by {maker}", f"  licence: {licence}; unchanged", ""]
        except archives.Unavailable as reason:
            print(f"{name} is left out, and sounds that come with the course stand in: {reason}")
    words += ["The sets that come with the course are in course/data, each with its licence."]
    return {**contents, "recordings/LICENCES.txt": _for_windows("\n".join([*words, ""]))}


def _archive(archive, shelves, scratch):
    """An archive of recordings as a zip, whose recordings are the known ones: as it was found, or packed again where it was found unpacked."""
    shelf = next((each for each in shelves for name in (archive.name, f"{archive.name}.zip") if (each / name).exists()), None)
    if shelf is None:
        raise archives.Unavailable(f"looked for {archive.name}.zip in {', '.join(map(str, shelves))}: not there")
    found = archives.unpacked(archive.name, url=None, recordings=archive.recordings, sha256=archive.sha256, given=shelf, shelves=[scratch])
    if archives.fingerprint(found, archive.recordings) != archive.sha256:
        raise archives.Unavailable(f"{found}: these are not the files this course knows")
    whole = shelf / f"{archive.name}.zip"
    if not whole.exists():
        whole = scratch / whole.name
        write_zip(whole, {f"{archive.name}/{path.relative_to(found).as_posix()}": path for path in found.rglob("*") if path.is_file()})
    return whole


def write(path, contents):
    """Write the bundle with its manifest.

    Args: path: the zip; contents: a dict from a name to a Path or bytes.
    """
    lines = {name: _described(source) for name, source in sorted(contents.items())}
    write_zip(path, {f"{TOP}/{name}": source for name, source in {**contents, manifest.NAME: json.dumps(lines, indent=0).encode()}.items()})


def _described(source):
    """The size and the SHA-256 of a Path or bytes."""
    if isinstance(source, bytes):
        return {"bytes": len(source), "sha256": hashlib.sha256(source).hexdigest()}
    return {"bytes": source.stat().st_size, "sha256": manifest.sha256(source)}


def write_zip(path, contents):
    """Write a zip whose bytes follow from its contents alone; what is compressed already is stored as it is."""
    beside = path.with_suffix(".part")
    with zipfile.ZipFile(beside, "w", allowZip64=True) as file:
        for name, source in sorted(contents.items()):
            member = zipfile.ZipInfo(name, MOMENT)
            member.external_attr = (0o100755 if name.endswith((".sh", ".command")) else 0o100644) << 16
            member.create_system = 3  # Unix, wherever it is made
            member.compress_type = zipfile.ZIP_STORED if Path(name).suffix in PACKED else zipfile.ZIP_DEFLATED
            if isinstance(source, bytes):
                file.writestr(member, source)
                continue
            member.file_size = source.stat().st_size
            with source.open("rb") as read, file.open(member, "w") as written:
                shutil.copyfileobj(read, written, manifest.PIECE)
    beside.replace(path)


if __name__ == "__main__":
    main()
