"""An archive of recordings, found or downloaded, verified, and unpacked once."""

import hashlib
import http.client
import os
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from pathlib import Path

SECONDS_TO_ANSWER = 10  # a classroom without a network should not wait longer
PIECE = 1 << 20  # bytes
ADVICE = "download it by hand, put it into a folder, and name that folder in COURSE_DATA_DIR"


class Unavailable(OSError):
    """A data set that is neither here nor to be had; the message says what was looked for, where, and what to do."""


def unpacked(name, *, url, recordings, sha256, given, shelves):
    """The folder of an archive's files, unpacked on first use.

    Args: name: the archive's name without ".zip"; url: where it can be downloaded, or None if it is too large to be fetched unasked;
    recordings: a pattern for the files that count, and sha256: their fingerprint; given: a folder that holds the archive or its files
    already, in which case nothing is downloaded, or None; shelves: folders to unpack into, the first that can be written is taken.
    Returns: a Path. Two processes may ask at once; an interrupted call leaves nothing half done.
    Raises: Unavailable if it is nowhere to be had, or is not what it should be.
    """
    for folder in [given, *shelves] if given else shelves:
        if os.path.isdir(folder / name):  # unlike Path.is_dir, it says no where one may not look
            return folder / name
    shelf = _writable(shelves)
    with tempfile.TemporaryDirectory(dir=shelf, prefix=".unpacking-") as beside:
        archive = (given or Path(beside)) / f"{name}.zip"
        if given is None and url is None:
            raise Unavailable(f"looked for {archive.name}: not here, and too large to be downloaded unasked; {ADVICE}, or load it by its own name")
        if given is None:
            _download(url, archive)
        elif not os.path.isfile(archive):
            raise Unavailable(f"looked for {archive.name} in COURSE_DATA_DIR={given}: not there; put it there, or unset COURSE_DATA_DIR to download it")
        _unzip(archive, Path(beside) / "files")
        inner = _only_folder(Path(beside) / "files")
        found = fingerprint(inner, recordings)
        if found != sha256:
            raise Unavailable(
                f"{archive.name}: expected recordings with the fingerprint {sha256[:12]}…, found {found[:12]}…: they are not the files this course knows"
            )
        _move_into_place(inner, shelf / name)
    return shelf / name


def fingerprint(folder, pattern):
    """The SHA-256 of the names and contents of the files that match a pattern, however they were packed.

    Returns: 64 hexadecimal digits.
    """
    total = hashlib.sha256()
    for path in sorted(folder.glob(pattern)):
        total.update(f"{path.relative_to(folder).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def _download(url, target):
    """Fetch a file whole, or raise."""
    try:
        with urllib.request.urlopen(url, timeout=SECONDS_TO_ANSWER) as answer, target.open("wb") as file:
            shutil.copyfileobj(answer, file, PIECE)
            promised = answer.headers["Content-Length"]
    except urllib.error.HTTPError as error:
        raise Unavailable(f"looked for {target.name} at {url}: the server answered {error.code} ({error.reason}); {ADVICE}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unavailable(f"looked for {target.name} at {url}: no answer ({getattr(error, 'reason', error)}); {ADVICE}") from error
    if promised and int(promised) != target.stat().st_size:
        size = target.stat().st_size
        raise Unavailable(f"{url}: expected {int(promised):,} bytes, found {size:,}: the download was cut off; try again, or {ADVICE}")


def _unzip(archive, folder):
    """Unpack a zip, refusing one that is damaged or reaches outside its folder."""
    folder.mkdir()
    try:
        with zipfile.ZipFile(archive) as file:
            outside = [name for name in file.namelist() if not (folder / name).resolve().is_relative_to(folder.resolve())]
            if not outside:
                file.extractall(folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise Unavailable(f"{archive.name}: expected a zip archive, found a damaged file ({error}): delete it and fetch it again") from error
    except OSError as error:
        raise Unavailable(f"{archive.name}: expected room to unpack it, found none ({error.strerror})") from error
    if outside:
        raise Unavailable(f"{archive.name}: expected files inside their folder, found {outside[0]!r}, which reaches outside")


def _only_folder(folder):
    """The single folder that an archive of a repository holds, or the folder itself."""
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _move_into_place(folder, target):
    """Rename a complete folder to its place; whoever comes second keeps what the first one put there."""
    try:
        os.rename(folder, target)
    except OSError:
        if not target.is_dir():
            raise


def _writable(folders):
    """The first folder that can be written, made if need be."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    raise Unavailable(f"expected a folder that can be written, found none among {', '.join(str(folder) for folder in folders)}")
