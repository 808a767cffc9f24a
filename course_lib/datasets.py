"""A named data set, or a folder of recordings, as a DataFrame with one clip a row."""

import os
import re
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from course_lib import archives
from course_lib.files import SUFFIXES, UnreadableSound, decode
from course_lib.quality import report

__all__ = ["load", "from_folder", "split_by_group", "report", "COLUMNS"]

COLUMNS = ["path", "label", "group", "split", "seconds", "sample_rate", "source", "licence"]
DATA = Path(__file__).resolve().parent.parent / "data"
FSDD_COMMIT = "26eb9aaf76e81b692f806f9140c2d2777410d7a1"
FSDD_URL = f"https://github.com/Jakobovski/free-spoken-digit-dataset/archive/{FSDD_COMMIT}.zip"
FSDD_SHA256 = "baa3a6dcf4da47fb3075bec71a8cefb512022cb9ae030a79a31b315f37bc67af"
FSDD_TEST_TAKES = 5  # the official test set: takes 0 to 4 of each digit by each speaker


def load(name):
    """Load a data set of the course by name, and say in one line which recordings it is.

    Args: name: "digits" (the real recordings if they can be had, else the embedded ones), "fsdd" (the real ones) or
    "spoken-digits" (the embedded ones).
    Returns: a DataFrame, one clip a row, with COLUMNS: path, label (categorical), group (the speaker), split ("train" or
    "test"), seconds, sample_rate (hertz), source, licence.
    Raises: ValueError for another name; archives.Unavailable if "fsdd" is neither here nor to be downloaded.
    """
    if name not in LOADERS:
        raise ValueError(f"expected one of {', '.join(sorted(LOADERS))}, found {name!r}")
    clips = LOADERS[name]()
    print(f"{name}: {len(clips):,} clips, {clips['group'].nunique()} speakers, {clips['source'].iloc[0]}, {clips['licence'].iloc[0]}")
    return clips


def from_folder(path, *, group=None):
    """Read a folder of class folders: what lies in `path/dog/…`, however deep, is of the class "dog".

    Args: path: the folder, with WAV, FLAC, OGG or MP3 files of any rate and number of channels; group: a pattern whose first
    parenthesis finds the group (speaker, recording) in a file's name, such as r"^([a-z]+)_"; by default each file is its own group.
    Returns: a DataFrame with COLUMNS; split is "all". A file that cannot be used is named in a printed line and skipped;
    `.attrs["skipped"]` lists the sentences.
    Raises: ValueError if there is no class folder, no usable file, or a name in which `group` finds nothing.
    """
    folder = Path(path)
    files = sorted(file for file in folder.glob("*/**/*") if file.suffix.lower() in SUFFIXES and not _hidden(file.relative_to(folder)))
    if not files:
        loose = sum(file.suffix.lower() in SUFFIXES for file in folder.glob("*")) if folder.is_dir() else 0
        state = f"{loose} sound files outside any class folder" if loose else "no sound file" if folder.is_dir() else "no such folder"
        raise ValueError(f"{folder}: expected a folder for each class with {', '.join(SUFFIXES)} files inside, found {state}")
    listed = [(file, file.relative_to(folder).parts[0], _group(file, group), "all", folder.name, "unknown") for file in files]
    clips = _table(listed, root=folder)
    print(f"{folder.name}: {len(clips):,} clips used, {len(clips.attrs['skipped']):,} skipped")
    return clips


def split_by_group(clips, *, fraction=0.2, seed=0):
    """Split clips in two so that no group is on both sides.

    Args: clips: a DataFrame with `group`; fraction: the share of clips wanted on the second side; groups are taken whole, in a
    random order that `seed` repeats, while they bring the share nearer to it.
    Returns: two DataFrames, the second of about `fraction` of the clips.
    Raises: ValueError if there is one group only, or the fraction is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"expected a fraction between 0 and 1, found {fraction}")
    sizes = clips["group"].value_counts().sort_index()
    if len(sizes) < 2:
        raise ValueError(f"expected two groups or more to split by, found {list(sizes.index)}")
    wanted, taken = fraction * len(clips), []
    for name in np.random.default_rng(seed).permutation(sizes.index):
        if abs(sizes[[*taken, name]].sum() - wanted) < abs(sizes[taken].sum() - wanted) and len(taken) < len(sizes) - 1:
            taken.append(name)
    taken = taken or [sizes.idxmin()]
    second = clips["group"].isin(taken)
    return clips[~second], clips[second]


def _fsdd():
    """The Free Spoken Digit Dataset, with its official split."""
    given = os.environ.get("COURSE_DATA_DIR")
    folder = archives.unpacked(
        f"free-spoken-digit-dataset-{FSDD_COMMIT}",
        url=FSDD_URL,
        recordings="recordings/*.wav",
        sha256=FSDD_SHA256,
        given=Path(given) if given else None,
        shelves=[DATA / "downloads", Path.home() / ".cache" / "rnn-audio-course", Path(tempfile.gettempdir()) / "rnn-audio-course"],
    )
    listed = []
    for file in (folder / "recordings").glob("*.wav"):
        digit, speaker, take = file.stem.split("_")
        split = "test" if int(take) < FSDD_TEST_TAKES else "train"
        listed.append((digit, speaker, int(take), file, split))
    return _table(
        (file, digit, speaker, split, "Free Spoken Digit Dataset", "CC BY-SA 4.0") for digit, speaker, _, file, split in sorted(listed)
    )


def _spoken_digits():
    """The embedded set: synthetic voices, with a split by voice."""
    listed = pd.read_csv(DATA / "spoken-digits" / "clips.csv", dtype=str)
    clips = DATA / "spoken-digits" / "clips"
    return _table(
        (clips / row.file, row.label, row.group, row.split, "embedded synthetic voices", "CC BY 4.0") for row in listed.itertuples()
    )


def _digits():
    """The real recordings if they can be had, else the embedded ones, with the reason."""
    try:
        return _fsdd()
    except archives.Unavailable as reason:
        print(f"the real recordings are not to be had, so synthetic voices stand in: {reason}")
        return _spoken_digits()


LOADERS = {"digits": _digits, "fsdd": _fsdd, "spoken-digits": _spoken_digits}


def _hidden(path):
    return any(part.startswith(".") for part in path.parts)


def _group(file, pattern):
    if pattern is None:
        return file.stem
    found = re.search(pattern, file.name)
    if not found or not found.groups():
        raise ValueError(f"{file}: expected the pattern {pattern!r} to find a group in parentheses in the file name, found none")
    return found[1]


def _table(listed, *, root=DATA):
    """Decode every listed clip; name (from `root` on) and skip those that cannot be used; the others make the DataFrame."""
    rows, skipped = [], []
    for file, label, group, split, source, licence in listed:
        try:
            samples, rate = decode(file)
            rows.append((file, label, group, split, len(samples) / rate, rate, source, licence))
        except UnreadableSound as error:
            skipped.append(str(error).replace(f"{root}{os.sep}", ""))
            print(f"skipped {skipped[-1]}")
    if not rows:
        raise ValueError(f"expected sound files, found {len(skipped)} that cannot be used, the first: {skipped[0]}")
    clips = pd.DataFrame(rows, columns=COLUMNS)
    clips["label"] = pd.Categorical(clips["label"])
    clips.attrs["skipped"] = skipped
    return clips
