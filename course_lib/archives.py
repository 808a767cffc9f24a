"""An archive of recordings, found or downloaded, verified, and unpacked once."""

import gzip
import hashlib
import http.client
import os
import shutil
import tarfile
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


def unpacked(name, *, url, recordings, sha256, given, shelves, suffix=".zip"):
    """The folder of an archive's files, unpacked on first use.

    Args: name: the archive's name without its suffix, ".zip" or ".tar.gz"; url: where it can be downloaded, or None if it is too large to
    be fetched unasked; recordings: a pattern for the files that count, and sha256: their fingerprint, or None and the SHA-256 of the
    archive itself; given: a folder that holds the archive or its files already, in which case nothing is downloaded, or None; shelves:
    folders to unpack into, the first that can be written is taken.
    Returns: a Path. Two processes may ask at once; an interrupted call leaves nothing half done.
    Raises: Unavailable if it is nowhere to be had, or is not what it should be.
    """
    for folder in [given, *shelves] if given else shelves:
        if os.path.isdir(folder / name):  # unlike Path.is_dir, it says no where one may not look
            return _with_recordings(folder / name, recordings or "*/*")
    shelf = _writable(shelves)
    with tempfile.TemporaryDirectory(dir=shelf, prefix=".unpacking-") as beside:
        archive = (given or Path(beside)) / f"{name}{suffix}"
        if given is None and url is None:
            raise Unavailable(f"looked for {archive.name}: not here, and too large to be downloaded unasked; {ADVICE}, or load it by its own name")
        if given is None:
            _download(url, archive)
        elif not os.path.isfile(archive):
            otherwise = ", or unset COURSE_DATA_DIR to download it" if url else ""
            raise Unavailable(f"looked for {archive.name} in COURSE_DATA_DIR={given}: not there; put it there{otherwise}")
        if recordings is None:
            _compare(archive.name, "the archive", sha256, _digest(archive))
        _unpack(archive, Path(beside) / "files")
        inner = _only_folder(Path(beside) / "files")
        if recordings is not None:
            _compare(archive.name, "recordings", sha256, fingerprint(inner, recordings))
        _move_into_place(inner, shelf / name)
    return shelf / name


def fingerprint(folder, pattern):
    """The SHA-256 of the names and contents of the files that match a pattern, however they were packed.

    Returns: 64 hexadecimal digits.
    """
    total = hashlib.sha256()
    for path in sorted(folder.glob(pattern)):
        total.update(f"{path.relative_to(folder).as_posix()} {_digest(path)}\n".encode())
    return total.hexdigest()


def _digest(path):
    """The SHA-256 of a file, which may be larger than memory."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            total.update(piece)
    return total.hexdigest()


def _compare(name, what, expected, found):
    """Raise unless two fingerprints are the same."""
    if found != expected:
        known = f"expected {what} with the fingerprint {expected[:12]}…, found {found[:12]}…"
        raise Unavailable(f"{name}: {known}: they are not the files this course knows")


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


def _unpack(archive, folder):
    """Unpack an archive, refusing one that is damaged or holds what does not belong into its folder."""
    folder.mkdir()
    kind, unpack = ("zip", _unzip) if archive.suffix == ".zip" else ("tar.gz", _untar)
    try:
        refused = unpack(archive, folder)
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, RuntimeError) as error:
        raise Unavailable(f"{archive.name}: expected a {kind} archive, found a damaged file ({error}): delete it and fetch it again") from error
    except OSError as error:
        raise Unavailable(f"{archive.name}: expected room to unpack it, found none ({error.strerror})") from error
    if refused:
        raise Unavailable(f"{archive.name}: expected files inside their folder, found {refused}")


def _unzip(archive, folder):
    """Unpack a zip; returns words for a member that is refused, or None."""
    with zipfile.ZipFile(archive) as file:
        outside = [name for name in file.namelist() if not _inside(folder, name)]
        if outside:
            return f"{outside[0]!r}, which reaches outside"
        file.extractall(folder)


def _untar(archive, folder):
    """Unpack a tar.gz in one pass; returns words for a member that is refused, or None."""
    with tarfile.open(archive, "r:gz") as file:
        for member in file:
            if not _inside(folder, member.name):
                return f"{member.name!r}, which reaches outside"
            if not (member.isfile() or member.isdir()):
                return f"{member.name!r}, which is a link or a device"
            file.extract(member, folder, filter="data")


def _inside(folder, name):
    return (folder / name).resolve().is_relative_to(folder.resolve())


def _only_folder(folder):
    """The single folder that an archive of a repository holds, or the folder itself."""
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _with_recordings(folder, pattern):
    """The folder that holds the recordings: this one, or the only one in it, since Windows' "Extract All" puts another of the same name around."""
    for place in (folder, _only_folder(folder)):
        if any(place.glob(pattern)):
            return place
    raise Unavailable(f"the folder {folder.name}: expected {pattern} inside, found none; delete the folder, and put the archive there as it was served")


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
