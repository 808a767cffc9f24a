"""A named data set, or a folder of recordings, as a DataFrame with one clip a row."""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd

from course_lib import sets
from course_lib.files import SUFFIXES, UnreadableSound, decode
from course_lib.quality import report

__all__ = ["load", "from_folder", "split_by_group", "report", "COLUMNS"]

COLUMNS = ["path", "label", "group", "split", "seconds", "sample_rate", "source", "licence"]


def load(name):
    """Load a data set of the course by name, and say in one line which recordings it is.

    Args: name: "digits", "commands", "music" or "environment" (the real recordings if they can be had, else the embedded ones), or
    one set of sets.ROWS, such as "fsdd" (real) or "spoken-digits" (embedded).
    Returns: a DataFrame, one clip a row, with COLUMNS: path, label (categorical), group (the speaker, song or recording), split ("train"
    or "test", or the official fold), seconds, sample_rate (hertz), source, licence.
    Raises: ValueError for another name; archives.Unavailable if a real set is neither here nor to be downloaded.
    """
    if name not in sets.ROWS:
        raise ValueError(f"expected one of {', '.join(sorted(sets.ROWS))}, found {name!r}")
    clips = _table(sets.ROWS[name](), root=sets.DATA)
    licences = clips["licence"].unique()
    licence = licences[0] if len(licences) == 1 else "a licence for each clip"
    print(f"{name}: {len(clips):,} clips, {clips['group'].nunique():,} {sets.GROUPS.get(name, 'speakers')}, {clips['source'].iloc[0]}, {licence}")
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


def _hidden(path):
    return any(part.startswith(".") for part in path.parts)


def _group(file, pattern):
    if pattern is None:
        return file.stem
    found = re.search(pattern, file.name)
    if not found or not found.groups():
        raise ValueError(f"{file}: expected the pattern {pattern!r} to find a group in parentheses in the file name, found none")
    return found[1]


def _table(listed, *, root):
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
