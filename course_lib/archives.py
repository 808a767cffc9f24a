"""An archive of recordings → its folder: found, downloaded, verified and unpacked."""

import contextlib
import errno
import gzip
import hashlib
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import pooch

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be removed
    fcntl = None

TIMEOUT = (5, 10)  # seconds to connect, and to wait for an answer
ADVICE = "download it by hand, put it into a folder, and name the folder in COURSE_DATA_DIR"
ARCHIVE_ERRORS = (
    *(zipfile.error, tarfile.TarError, gzip.BadGzipFile, zlib.error),
    *(EOFError, RuntimeError),
)
MARK = "in use"  # a file that is locked in a folder into which an archive is unpacked

pooch.get_logger().setLevel("WARNING")


class Unavailable(OSError):
    """A data set that is neither here nor to be downloaded; the message says what to do."""


class Archive(NamedTuple):
    """An archive of recordings: the name of its file, its address, and how it is verified."""

    file: str
    url: str | None  # None: it is made on one's own machine, see data/README.md
    sha256: str | None  # of the archive, or the `fingerprint` of its recordings; None: not known
    recordings: str | None = None  # pattern of these files


def folder_of(archive: Archive, downloads: Path, *, only_as: str | None = None) -> Path:
    """Find the unpacked folder of an archive, or make it; the archive is downloaded if need be.

    Several processes may ask at once; an interrupted call leaves nothing half done, and what one
    that was killed has left is removed by the next.

    Args:
        archive: What is wanted. The folder that COURSE_DATA_DIR names is looked into first.
        downloads: Where archives are unpacked, if it can be written.
        only_as: The name under which a large archive has to be asked for to be downloaded.

    Raises:
        Unavailable: It is neither here nor to be downloaded, or it is spoiled.
    """
    given = os.environ.get("COURSE_DATA_DIR")
    name = archive.file.removesuffix(".zip").removesuffix(".tar.gz")
    caches = Path.home() / ".cache", Path(tempfile.gettempdir())
    places = [downloads, *(cache / "rnn-audio-course" for cache in caches)]
    _remove_leftovers(places)
    for place in [Path(given), *places] if given else places:
        if os.path.isdir(place / name):  # False, too, where one may not look
            return _with_recordings(place / name, archive)
    place = next(filter(_is_writable, places), None)
    if place is None:
        raise Unavailable(f"{name}: expected a folder that can be written, found none")
    try:
        with (
            tempfile.TemporaryDirectory(dir=place, prefix=".unpacking-") as beside,
            open(Path(beside) / MARK, "w") as mark,
        ):
            _lock(mark)
            inner = _recordings(archive, Path(beside), given, only_as)
            try:
                os.rename(inner, place / name)
            except OSError:
                if not (place / name).is_dir():  # else another process was first
                    raise
    except Unavailable:
        raise
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        advice = "make room" if is_full else "unpack it by hand, see data/README.md"
        found = error.strerror or type(error).__name__
        raise Unavailable(
            f"{archive.file}: expected to unpack it, found {found}: {advice}"
        ) from error
    return place / name


def fingerprint(folder: Path, *patterns: str) -> str:
    """Hash names and contents of the files that match: 64 hexadecimal digits of SHA-256."""
    total = hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in folder.glob(pattern)):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            total.update(f"{name} {pooch.file_hash(path)}\n".encode())
    return total.hexdigest()


def _recordings(archive, beside, given, only_as):
    """The folder of verified recordings, unpacked beside where it will lie."""
    packed = Path(given or beside) / archive.file
    if archive.url is None and not os.path.isfile(packed):
        looked = f"looked for {packed.name}: not here, and no address is known"
        raise Unavailable(f"{looked}; data/README.md says how to make it")
    if given and not os.path.isfile(packed):
        looked = f"looked for {packed.name} in the folder that COURSE_DATA_DIR names: not there"
        raise Unavailable(f"{looked}; put it there, or unset COURSE_DATA_DIR")
    if not given and only_as:
        looked = f"looked for {packed.name}: not here, and too large to be downloaded unasked"
        raise Unavailable(f"{looked}; {ADVICE}, or load {only_as!r} by this name")
    if not given:
        _download(archive, packed)
    if archive.recordings is None:
        _verify(archive, pooch.file_hash(packed))
    _unpack(packed, beside / "files")
    inner = _only_folder(beside / "files")
    if archive.recordings:
        _verify(archive, fingerprint(inner, archive.recordings))
    return inner


def _lock(mark):
    """Lock an open file, or raise OSError where another process has."""
    if fcntl:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _remove_leftovers(places):
    for beside in [each for place in places for each in place.glob(".unpacking-*")]:
        with contextlib.suppress(OSError), open(beside / MARK) as mark:
            _lock(mark)
            os.remove(beside / MARK)  # on Windows an error if another process has it open
            shutil.rmtree(beside)


def _download(archive, target):
    """Fetch an archive whole, or raise."""
    options = {"timeout": TIMEOUT, "headers": {"Accept-Encoding": "identity"}}
    fetch = pooch.HTTPDownloader(progressbar=True, chunk_size=1 << 20, **options)
    try:
        pooch.retrieve(archive.url, None, target.name, target.parent, downloader=fetch)
    except (OSError, ValueError) as error:
        answer = getattr(error, "response", None)
        found = getattr(error, "strerror", None) or type(error).__name__
        found = found if answer is None else f"status {answer.status_code}"
        looked = f"looked for {archive.file} at {archive.url}: {found}"
        raise Unavailable(f"{looked}; {ADVICE}") from error


def _verify(archive, found):
    if archive.sha256 not in (found, None):
        known = f"expected the fingerprint {archive.sha256[:12]}…, found {found[:12]}…"
        raise Unavailable(f"{archive.file}: {known}: these are not the files this course knows")


def _unpack(packed, folder):
    """Unpack an archive, refusing one that is damaged or reaches outside its folder."""
    folder.mkdir()
    try:
        if packed.suffix == ".zip":
            with zipfile.ZipFile(packed) as archive:
                for name in archive.namelist():
                    if not (folder / name).resolve().is_relative_to(folder.resolve()):
                        raise zipfile.BadZipFile(f"{name!r}, which reaches outside")
                archive.extractall(folder)
        else:
            with tarfile.open(packed, "r:gz") as archive:
                archive.extractall(folder, filter="data")  # no links or devices, all inside
    except ARCHIVE_ERRORS as error:
        found = f"expected a whole archive, found {error}"
        raise Unavailable(f"{packed.name}: {found}: delete it and fetch it again") from error


def _only_folder(folder):
    """The single folder that an archive of a repository holds, or the folder itself."""
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _with_recordings(folder, archive):
    """A folder that holds the recordings, or the only one in it, as Windows unpacks archives."""
    for place in (folder, _only_folder(folder)):
        if any(place.glob(archive.recordings or "*/*")):
            return place
    raise Unavailable(f"folder {folder.name}: expected recordings, found none; delete the folder")


def _is_writable(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
