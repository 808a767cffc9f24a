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

OTHER_SOUNDS = (".aac", ".aif", ".aiff", ".amr", ".caf", ".m4a", ".mp4", ".opus", ".webm", ".wma")  # sounds that are not read, to be named
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
    parenthesis finds the group (speaker, recording) in a file's name, such as r"^([a-z]+)_", or, if it finds none there, in its path
    below the class folder, such as r"^(.+?)/" for a folder for each group; by default each file is its own group.
    Returns: a DataFrame with COLUMNS; split is "all". A file that cannot be used is named in a printed line and skipped;
    `.attrs["skipped"]` lists the sentences. Files of kinds that are not read (OTHER_SOUNDS) are counted in a printed line.
    Raises: ValueError if there is no class folder, no usable file, a pattern that is none, or a name in which it finds nothing.
    """
    folder = Path(path)
    seen = sorted(file for file in folder.glob("*/**/*") if not _hidden(file.relative_to(folder)))
    files = [file for file in seen if file.suffix.lower() in SUFFIXES]
    others = sum(file.suffix.lower() in OTHER_SOUNDS for file in seen)
    if not files:
        loose = sum(file.suffix.lower() in SUFFIXES for file in folder.glob("*")) if folder.is_dir() else 0
        state = f"{loose} sound files outside any class folder" if loose else "no sound file" if folder.is_dir() else "no such folder"
        state += f" ({others} of other kinds, such as .m4a: convert them to WAV)" if others else ""
        raise ValueError(f"{folder}: expected a folder for each class with {', '.join(SUFFIXES)} files inside, found {state}")
    listed = [(file, file.relative_to(folder).parts[0], _group(file, group, folder), "all", folder.name, "unknown") for file in files]
    clips = _table(listed, root=folder)
    if others:
        print(f"{others:,} sounds are of other kinds ({', '.join(OTHER_SOUNDS)}) and are not used: convert them to WAV")
    print(f"{folder.name}: {len(clips):,} clips used, {len(clips.attrs['skipped']):,} skipped")
    return clips


def split_by_group(clips, *, fraction=0.2, seed=0):
    """Split clips in two so that no group is on both sides.

    Args: clips: a DataFrame with `group`, and with `label` if each class is to be on both sides; fraction: the share of clips wanted
    on the second side; groups are taken whole, in a random order that `seed` repeats, while they bring the share nearer to it.
    Returns: two DataFrames, the second of about `fraction` of the clips. Where a class is missing on a side although it has two
    groups or more, single groups change sides until it is there (if groups hold several classes, as far as that is possible). A
    class with one group is on the first side, where it can be learned, and is not in the second at all.
    Raises: ValueError if there is one group only, or the fraction is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"expected a fraction between 0 and 1, found {fraction}")
    sizes = clips["group"].value_counts().sort_index()
    if len(sizes) < 2:
        raise ValueError(f"expected two groups or more to split by, found {list(sizes.index)}")
    wanted, taken, order = fraction * len(clips), [], np.random.default_rng(seed).permutation(sizes.index)
    for name in order:
        if abs(sizes[[*taken, name]].sum() - wanted) < abs(sizes[taken].sum() - wanted) and len(taken) < len(sizes) - 1:
            taken.append(name)
    taken = taken or [sizes.idxmin()]
    if "label" in clips:
        taken = _with_every_class(pd.crosstab(clips["group"].to_numpy(), clips["label"].astype(str).to_numpy()).loc[order], taken, wanted)
    second = clips["group"].isin(taken)
    return clips[~second], clips[second]


def _with_every_class(counts, taken, wanted):
    """The groups of the second side, changed one by one until every class is on both sides, or on the first if it has one group.

    Args: counts: a DataFrame of clips, a row for each group, a column for each class; taken: groups; wanted: clips on the second side.
    """
    holds, sizes, second = counts.to_numpy() > 0, counts.to_numpy().sum(axis=1), counts.index.isin(taken)
    groups, mended = holds.sum(axis=0), False

    def faults(there, clips, members):
        """Classes that cannot be learned, classes that could be tested and are not, clips too many or too few: a row for each split."""
        lost = (there == groups).sum(axis=1) + len(groups) * ((members == 0) | (members == len(sizes)))
        return np.stack([lost, ((there == 0) & (groups > 1)).sum(axis=1), np.abs(clips - wanted)], axis=1)

    now = faults(holds[second].sum(axis=0)[None], sizes[second].sum(keepdims=True), second.sum(keepdims=True))[0]
    while mended or now[:2].any():
        sign = np.where(second, -1, 1)  # of each group, if it were to change sides
        there, clips = holds[second].sum(axis=0) + sign[:, None] * holds, sizes[second].sum() + sign * sizes
        found = faults(there, clips, second.sum() + sign)
        best = np.lexsort(found.T[::-1])[0]
        if tuple(found[best]) >= tuple(now):
            break
        second[best], now, mended = not second[best], found[best], True
    return counts.index[second]


def _hidden(path):
    return any(part.startswith(".") for part in path.parts)


def _group(file, pattern, folder):
    if pattern is None:
        return file.relative_to(folder).as_posix()
    try:
        found = re.search(pattern, file.name) or re.search(pattern, "/".join(file.relative_to(folder).parts[1:]))
    except re.error as error:
        raise ValueError(f"expected a pattern such as '^(.+)_', found {pattern!r} ({error})") from error
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
