"""A named data set, or a folder of recordings, as a table with one clip a row."""

import csv
import hashlib
import os
import re
import warnings
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from course_lib import archives, audio, decoding
from course_lib.archives import Archive, Unavailable, fingerprint

DATA = Path(__file__).resolve().parent.parent / "data"
COLUMNS = ["path", "label", "group", "split", "seconds", "sample_rate", "source", "licence"]
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
COMMANDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
NOISES = "_background_noise_"  # the folder of the files that "silence" is cut from
TEST_NOISES = ("doing_the_dishes", "running_tap")  # the noises have no official split
SPEAKERS = {"train": 541, "validation": 72, "test": 80}  # of `commands`: as in the subset
OTHERS = 5  # of the whole set, one in so many clips of other words is enough
PARTS = {"train", "training", "test", "testing", "dev", "val", "valid", "validation", "eval"}
LIST = "labels.csv"  # in a folder of one's own: which file is of what class
SHOWN = 20  # files that are skipped: so many are printed, and the others counted
FULL_SCALE, CLIPPED_RUN = 0.999, 3  # of full scale; samples in a row: then a clip is clipped
QUIET, BLOCK = 40, 0.01  # decibels below the loudest block; seconds: such a block is silent
FOREIGN = (None,) * 4  # label, group, split and licence of a file that is not the set's
LOADED = {}  # name asked for → "set:fingerprint" of the recordings that were loaded


class Set(NamedTuple):
    """One data set: what it is called, where it comes from, and how its clips are listed."""

    name: str
    source: str
    list_clips: Callable  # of the set's folder → rows of (file, label, group, split, licence)
    archive: Archive | None = None  # None: the set lies in data/NAME
    groups: str = "speakers"
    stand_in: str | None = None  # the name of the set to load where the archive cannot be had
    is_large: bool = False  # too large to be downloaded unless asked for by its own name


def load(name: str) -> pd.DataFrame:
    """Load one of SETS by name, and say in one line which recordings it is.

    Returns:
        One clip a row: path, label (categorical), group (the speaker, song or source), split
        ("train", "test" or an official fold), seconds, sample_rate (hertz), source, licence.

    Raises:
        ValueError: There is no such set.
        Unavailable: The set has no stand-in, and is neither here nor to be downloaded.
    """
    if name not in SETS:
        raise ValueError(f"expected one of {', '.join(sorted(SETS))}, found {name!r}")
    chosen, reasons, clips = SETS[name], [], None
    while clips is None:
        try:
            clips = _clips(chosen)
        except Unavailable as reason:
            if chosen.stand_in is None:
                raise
            reasons.append(str(reason))
            chosen = SETS[chosen.stand_in]
    if reasons:
        found = "other recordings" if chosen.archive else "no real recordings"
        print(f"{name}: {found}, {chosen.name} stand in: {'; '.join(reasons)}")
    LOADED[name] = fingerprint_of(chosen.name)
    licences = clips["licence"].unique()
    licence = licences[0] if len(licences) == 1 else "a licence for each clip"
    groups = f"{clips['group'].nunique():,} {chosen.groups}"
    print(f"{name}: {len(clips):,} clips, {groups}, {chosen.source}, {licence}")
    return clips


def load_parts(name: str, *, validation: float = 0.1, seed: int = 0) -> tuple[pd.DataFrame, ...]:
    """Load a set with its official split, and with `frames` (log-mel): train, validation, test.

    `validation` is the share of the training clips of each label and group that is set apart.
    """
    clips = load(name)
    if not {"train", "test"} <= set(clips["split"]):
        raise ValueError(f"expected splits train and test, found {sorted(set(clips['split']))}")
    clips["frames"] = audio.log_mels(audio.read(path) for path in clips["path"])
    test, rest = clips[clips["split"] == "test"], clips[clips["split"] == "train"]
    piles = rest.groupby(["label", "group"], observed=True)
    watched = piles.sample(frac=validation, random_state=seed)
    train = rest.drop(watched.index)
    print(f"{len(train):,} to learn from, {len(watched):,} to watch, {len(test):,} for the test")
    return train, watched, test


def from_folder(path: str | Path, *, group: str | None = None) -> pd.DataFrame:
    """Read a folder of class folders, or one with a `labels.csv` of which sound is what.

    What lies in `path/dog/…`, however deep, is of class "dog". A `path/labels.csv` goes first: its
    columns file (below `path`) and label, and if it likes group, name each sound. Files are of the
    kinds in `decoding.SUFFIXES`, of any rate; hidden ones are left out. `group` is a pattern whose
    first parenthesis finds the group (speaker, recording) in a file's name, such as r"^([a-z]+)_",
    or else in its path below the class folder, such as r"^(.+?)/". By default the group is what
    `labels.csv` says, or the file itself.

    Returns:
        As `load` does; split is "all". Whatever is not used (files that cannot be read, are of
        another kind, or have no class, rows without a file, and classes without a sound) is named
        in a sentence of `.attrs["skipped"]`, of which the first are printed.

    Raises:
        ValueError: There is no class folder or no usable file, the folders are the parts of a set
            ("train", "test"), `labels.csv` is no such table, or `group` finds nothing.
    """
    folder = Path(path)
    files, unread = _visible_files(folder)
    if os.path.isfile(folder / LIST):
        listed, skipped = _listed(folder, files, group)
        skipped = unread + skipped
    else:
        listed, skipped = _in_class_folders(folder, files, unread, group)
    clips = _table(listed, skipped, root=folder)
    used, left = f"{len(clips):,} clips used", f"{len(clips.attrs['skipped']):,} skipped"
    print(f"{decoding.text_of(folder.name)}: {used}, {left}")
    return clips


def split(clips: pd.DataFrame, *, fraction=0.2, seed=0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split clips in two, about `fraction` in the second; no group is on both sides.

    If there is a column `label`, a class with two groups or more is on both sides as far as that
    is possible; one with a single group is on the first side, where it can be learned.

    Raises:
        ValueError: There is one group only, a clip has no group or label, or the fraction is not
            between 0 and 1.

    Source:
        Folds of scikit-learn's StratifiedGroupKFold, of which the best are taken.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"expected a fraction between 0 and 1, found {fraction}")
    _check_present(clips, "group", "label")
    groups = clips["group"].astype(str) if clips["group"].dtype == object else clips["group"]
    groups, names = pd.factorize(groups, sort=True)
    labels = pd.factorize(clips["label"])[0] if "label" in clips else np.zeros(len(clips), int)
    if len(names) < 2:
        raise ValueError(f"expected two groups or more to split by, found {list(names)}")
    holds = pd.crosstab(groups, labels).to_numpy() > 0  # [groups, classes]
    several = holds.sum(axis=0) > 1
    free = np.flatnonzero(~holds[:, ~several].any(axis=1))  # groups that are no class's only one
    free = free if len(free) else np.arange(len(names))
    best, lowest_cost = None, None
    for second_sides in _candidates(groups, labels, free, fraction, seed):
        for side in second_sides:
            taken = np.isin(np.arange(len(names)), side)
            unlearned, held = ~holds[~taken].any(axis=0), holds[taken].any(axis=0)
            share = taken[groups].mean()
            cost = unlearned.sum(), (several & ~held).sum(), abs(share - fraction)
            if 0 < share < 1 and (best is None or cost < lowest_cost):
                best, lowest_cost = taken[groups], cost
        if best is not None and lowest_cost[:2] == (0, 0):
            break
    return clips[~best], clips[best]


def measure(clips: pd.DataFrame) -> pd.DataFrame:
    """Measure each clip of a table with `path`, of which a piece at a time is in memory.

    Returns:
        The same rows: peak and level (decibels of all channels mixed, 0 is full scale, level by
        root mean square), silence (share of the clip), clipped (a channel), content (a hash of the
        samples), and duplicate (an earlier clip holds the same samples).

    Raises:
        ValueError: There is no clip.
        decoding.UnreadableSound: A clip cannot be read.
    """
    if clips.empty:
        raise ValueError("expected one clip or more to measure, found none")
    rows = pd.DataFrame([_measure(path) for path in clips["path"]], index=clips.index)
    return rows.assign(duplicate=rows["content"].duplicated())


def measured(clips: pd.DataFrame) -> pd.DataFrame:
    """Give the clips with what `measure` tells of each, numbered from 0; measure if need be.

    Raises:
        ValueError: There is no clip, or one has no label or group.
    """
    _check_present(clips, "group", "label")
    clips = clips.reset_index(drop=True)
    if clips.empty or "content" not in clips or clips["content"].isna().any():
        clips = clips.assign(**measure(clips))
    return clips.assign(duplicate=clips["content"].duplicated())


def report(clips: pd.DataFrame) -> pd.DataFrame:
    """Tabulate what each class holds, and "all"; what `measure` gave is not measured again.

    Returns:
        A row a class: clips, share, groups, the least, median and largest seconds and level
        (decibels), sample_rates, silence (share), clipped, duplicates, and groups_of_duplicates
        (how many groups share a recording with another: a leak between the sides of a split).

    Raises:
        ValueError: There is no clip, or one has no label or group.
    """
    clips = measured(clips)
    shared = clips.groupby("content")["group"].transform("nunique") > 1
    clips = clips.assign(shared=shared)
    labels = clips["label"].astype("category").cat.categories.astype(str)
    rows = {label: clips[clips["label"].astype(str) == label] for label in labels}
    rows["all"] = clips
    table = pd.DataFrame({name: _summary(part, len(clips)) for name, part in rows.items()}).T
    return table.rename_axis("label").infer_objects()


def fingerprint_of(name: str) -> str:
    """Give "set:fingerprint", 12 hexadecimal digits, of one set (not of its stand-in)."""
    chosen = SETS[name]
    if chosen.archive:
        return f"{chosen.name}:{(chosen.archive.sha256 or 'not verified')[:12]}"
    return f"{chosen.name}:{fingerprint(DATA / chosen.name, 'clips.csv', 'clips/**/[!.]*')[:12]}"


def _candidates(groups, labels, free, fraction, seed):
    """Yield lists of second sides (groups), the best first: folds, fewer folds, at random."""
    rows = np.isin(groups, free)
    share = min(fraction / rows.mean(), 0.95)  # of the clips that may be taken
    groups, labels = groups[rows], labels[rows]
    folds_wanted = max(2, Fraction(share).limit_denominator(20).denominator)
    folds_possible = min(len(free), np.bincount(labels).max())
    for n_folds in range(min(folds_wanted, folds_possible), 1, -1):
        folder = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a class of few clips
            folds = [groups[fold] for _, fold in folder.split(groups, labels, groups)]
        taken = min(max(1, round(share * n_folds)), n_folds - 1)
        yield [np.concatenate((folds + folds)[start : start + taken]) for start in range(n_folds)]
    random = np.random.default_rng(seed)
    picks = random.random((200, len(free))) < random.random((200, 1))
    yield [*(free[pick] for pick in picks), free, free[:1]]


def _measure(path):
    content, peak, energy, count = hashlib.sha256(), 0.0, 0.0, 0
    power, begun = [], np.zeros(0, np.float32)  # of blocks, and the samples of one not yet whole
    before, is_clipped = np.zeros(0, bool), False
    for samples, sample_rate in decoding.pieces(path):
        mono = samples.mean(axis=1)
        content.update(samples.tobytes())
        peak = max(peak, float(np.abs(mono).max()))
        energy += float((mono.astype(np.float64) ** 2).sum())
        count += len(mono)
        block = max(1, int(BLOCK * sample_rate))
        begun = np.concatenate([begun, mono])
        blocks = begun[: len(begun) // block * block].reshape(-1, block)
        begun = begun[blocks.size :]
        power.append((blocks.astype(np.float64) ** 2).mean(axis=1))
        full = np.concatenate([before, (np.abs(samples) >= FULL_SCALE).any(axis=1)])
        runs = np.convolve(full, np.ones(CLIPPED_RUN))  # how many of CLIPPED_RUN samples are full
        is_clipped |= bool(runs.max() >= CLIPPED_RUN)
        before = full[1 - CLIPPED_RUN :]
    power = np.concatenate(power)
    power = power if len(power) else np.array([energy / count])  # shorter than one block
    return {
        "peak": _decibels(peak**2),
        "level": _decibels(energy / count),
        "silence": float((power <= power.max() * 10 ** (-QUIET / 10)).mean()),
        "clipped": is_clipped,
        "content": content.hexdigest()[:16],
    }


def _decibels(power):
    return float(10 * np.log10(max(power, 1e-12)))


def _summary(part, total):
    row = {"clips": len(part), "share": round(len(part) / total, 3)}
    row["groups"] = part["group"].nunique()
    if part.empty:
        return row
    for column, digits in (("seconds", 2), ("level", 1)):
        for name, number in (("least", "min"), ("median", "median"), ("largest", "max")):
            row[f"{column}_{name}"] = round(part[column].agg(number), digits)
    row["sample_rates"] = ", ".join(str(rate) for rate in sorted(part["sample_rate"].unique()))
    row["silence"] = round(part["silence"].mean(), 3)
    row["clipped"], row["duplicates"] = int(part["clipped"].sum()), int(part["duplicate"].sum())
    row["groups_of_duplicates"] = part.loc[part["shared"], "group"].nunique()
    return row


def _check_present(clips, *columns):
    for column in columns:
        values = clips[column] if column in clips else pd.Series([], dtype=object)
        missing = (values.isna() | (values.astype(str).str.strip() == "")).to_numpy()
        if missing.any():
            first = int(missing.argmax())
            path = f" ({decoding.text_of(clips['path'].iloc[first])})" if "path" in clips else ""
            found = f"{missing.sum():,} of {len(clips):,} without, the first in row {first}{path}"
            raise ValueError(f"expected a {column} for each clip, found {found}")


def _visible_files(folder):
    """The files below a folder, in order, and a sentence for each folder that cannot be read."""
    files, unread = [], []

    def name(error):
        place = decoding.text_of(os.path.relpath(error.filename, folder))
        unread.append(f"{place}: expected a folder that can be read, found {error.strerror}")

    for place, folders, names in os.walk(folder, onerror=name, followlinks=True):
        here = Path(place).resolve()
        above = {here, *here.parents}  # a link to one of them would lead here again
        folders[:] = [
            each for each in folders if each[0] != "." and (here / each).resolve() not in above
        ]
        files += [Path(place, each) for each in names if each[0] != "."]
    return sorted(files), unread


def _in_class_folders(folder, files, unread, group):
    """Rows of the sounds in class folders, and a sentence for everything else."""
    listed, skipped = [], list(unread)
    for file in files:
        name = decoding.text_of(file.relative_to(folder).as_posix())
        label, _, below = name.partition("/")
        if file.suffix.lower() not in decoding.SUFFIXES:
            skipped.append(_no_sound(name, file))
        elif not below:
            skipped.append(f"{name}: expected a sound in a class folder, found it outside")
        else:
            found = name if group is None else _group(name, below, group)
            listed.append((file, label, found, "all", decoding.text_of(folder.name), "unknown"))
    labels = {row[1] for row in listed}
    _check_layout(folder, labels, files, unread)
    inside = sorted(decoding.text_of(each.name) for each in folder.iterdir() if each.is_dir())
    empty = [name for name in inside if name not in labels and not name.startswith(".")]
    return listed, skipped + [
        f"{name}: expected sounds in this class folder, found none" for name in empty
    ]


def _listed(folder, files, group):
    """Rows of the sounds that `labels.csv` lists, and a sentence for all that is not used."""
    rows = _rows(folder / LIST)
    listed, skipped, known = [], [], {folder / LIST}
    for name, row in rows.groupby("file", sort=False):
        file = folder / name
        known.add(file)
        labels = sorted(set(row["label"]))
        if labels == [""] or len(labels) > 1:
            found = f"{len(labels)}: {', '.join(labels)}" if len(labels) > 1 else "none"
            skipped.append(f"{name}: expected one label in {LIST}, found {found}")
        elif not file.is_file():
            skipped.append(f"{name}: listed in {LIST}, found no such file")
        elif file.suffix.lower() not in decoding.SUFFIXES:
            skipped.append(_no_sound(name, file))
        else:
            found = (row["group"].iloc[0] or name) if group is None else _group(name, name, group)
            listed.append((file, labels[0], found, "all", decoding.text_of(folder.name), "unknown"))
    for file in files:
        if file not in known:
            name = decoding.text_of(file.relative_to(folder).as_posix())
            skipped.append(f"{name}: expected in {LIST}, found it in no row")
    return listed, skipped


def _rows(file):
    """The table of `labels.csv` as text without spaces at the ends, missing values empty."""
    expected = f"{LIST}: expected a table with the columns file and label, and perhaps group"
    try:
        rows = pd.read_csv(file, dtype=str, sep=None, engine="python", encoding="utf-8-sig")
    except (OSError, ValueError, csv.Error) as error:  # UnicodeDecodeError is a ValueError
        raise ValueError(f"{expected}, in UTF-8, found {error}") from error
    rows.columns = rows.columns.str.strip().str.lower()
    if not {"file", "label"} <= set(rows.columns):
        raise ValueError(f"{expected}, found the columns {', '.join(rows.columns)}")
    rows = rows.assign(group=rows["group"] if "group" in rows else "").fillna("")
    for column in ("file", "label", "group"):
        rows[column] = rows[column].str.strip()
    rows["file"] = rows["file"].str.replace("\\", "/")
    return rows[rows["file"] != ""]


def _no_sound(name, file):
    kind = file.suffix or "no suffix"
    return f"{name}: expected a sound, found {kind}: if it is one, convert it to WAV"


def _check_layout(folder, labels, files, unread):
    """Refuse a folder without sounds in class folders, or whose folders are parts of a set."""
    sounds = [file for file in files if file.suffix.lower() in decoding.SUFFIXES]
    kinds = [file.suffix or "no suffix" for file in files if file not in sounds]
    if labels and not {label.strip().lower() for label in labels} <= PARTS:
        return
    if labels:
        one = sorted(labels)[-1]
        found = f"{', '.join(sorted(labels))}, the parts of a set: give one of them, such as {one}"
    elif not os.path.isdir(folder):
        found = "a file: unpack it" if os.path.exists(folder) else "no such folder"
    else:
        found = f"{len(sounds)} sound files outside any class folder" if sounds else "no sound file"
        if kinds:
            found += f" ({len(kinds)} of other kinds, such as {kinds[0]}: convert them to WAV)"
        found = "; ".join([found, *unread])
    expected = (
        f"{decoding.text_of(folder)}: expected a folder for each class, with sounds, or {LIST}"
    )
    raise ValueError(f"{expected}, found {found}")


def _group(name, below, pattern):
    """The group that a pattern finds in a file's name, or else in its path in the class folder."""
    found = re.search(pattern, below.rpartition("/")[2]) or re.search(pattern, below)
    if not found or not found.groups() or not (found[1] or "").strip():
        raise ValueError(f"{name}: expected {pattern!r} to find a group in parentheses, found none")
    return found[1]


def _clips(chosen):
    """The clips of a set; files that are not the set's are named."""
    folder = _folder(chosen)
    rows = chosen.list_clips(folder)
    listed = [(*row[:4], chosen.source, row[4]) for row in rows if row[1] is not None]
    foreign = [decoding.text_of(row[0].relative_to(folder)) for row in rows if row[1] is None]
    skipped = [
        f"{name}: expected a file of {chosen.source}, found another name" for name in foreign
    ]
    try:
        return _table(listed, skipped, root=folder)
    except ValueError as error:
        raise Unavailable(f"folder {folder.name}: {error}; unpack its archive again") from error


def _folder(chosen):
    """The folder of a set: it lies in the repository, or comes out of an archive."""
    if chosen.archive is None:
        return DATA / chosen.name
    return archives.folder_of(
        chosen.archive, DATA / "downloads", only_as=chosen.name if chosen.is_large else None
    )


def _table(listed, skipped, *, root):
    """Decode every listed clip to a row; name (below `root`) and skip those that are unusable."""
    rows, skipped = [], list(skipped)
    for file, label, group, part, source, licence in listed:
        try:
            samples, rate = decoding.length(file)
            rows.append((file, label, group, part, samples / rate, rate, source, licence))
        except decoding.UnreadableSound as error:
            skipped.append(str(error).replace(f"{decoding.text_of(root)}{os.sep}", ""))
    for sentence in skipped[:SHOWN]:
        print(f"skipped {sentence}")
    if len(skipped) > SHOWN:
        print(f'skipped {len(skipped) - SHOWN:,} more: see .attrs["skipped"]')
    if not rows:
        found = (
            f"{len(skipped)} that cannot be used, the first: {skipped[0]}" if skipped else "none"
        )
        raise ValueError(f"expected sound files, found {found}")
    clips = pd.DataFrame(rows, columns=COLUMNS)
    clips["label"] = pd.Categorical(clips["label"])
    clips.attrs["skipped"] = skipped
    return clips


def _embedded(folder):
    rows = pd.read_csv(folder / "clips.csv", dtype=str).itertuples()
    clips = folder / "clips"
    return [(clips / row.file, row.label, row.group, row.split, "CC BY 4.0") for row in rows]


def _by_name(folder, form, suffix):
    """Each visible file of a kind with what its path below the folder tells; None if foreign."""
    for file in _visible_files(folder)[0]:
        if file.suffix == suffix:
            yield file, re.fullmatch(form, file.relative_to(folder).as_posix())


def _text(file):
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found = getattr(error, "strerror", None) or error.reason
        spoiled = f"folder {file.parent.name}: expected its {file.name}, found {found}"
        raise Unavailable(f"{spoiled}; unpack its archive again") from error


def _fsdd(folder):
    """The Free Spoken Digit Dataset with its official split: takes 0 to 4 are for the test."""
    rows, foreign = [], []
    for file, found in _by_name(folder, r"recordings/(\d)_([^_.]+)_(\d+)\.wav", ".wav"):
        if found:
            rows.append((found[1], found[2], int(found[3]), file))
        else:
            foreign.append((file, *FOREIGN))
    sides = {take: "test" for take in range(5)}
    return foreign + [
        (file, d, s, sides.get(take, "train"), "CC BY-SA 4.0") for d, s, take, file in sorted(rows)
    ]


def _esc_10(folder):
    """ESC-10 (K. J. Piczak 2015): the split is the official fold, the group the recording."""
    credit = r"^- \[(.+?)\]: +(clip derived from .+)$"
    credits = dict(re.findall(credit, _text(folder / "README.txt"), flags=re.MULTILINE))
    rows = []
    for file, found in _by_name(folder, r"\d+ - (.+)/(\d)-([^-]+)-[^-]+\.ogg", ".ogg"):
        if found and file.name in credits:
            licence = f"CC BY 3.0; {credits[file.name]}"
            rows.append((file, found[1].lower(), found[3], found[2], licence))
        else:
            rows.append((file, *FOREIGN))
    return rows


def _commands(folder):
    """Speech Commands (P. Warden 2018) in twelve classes; "silence" is whole noise files."""
    splits = {f"{NOISES}/{noise}": "test" for noise in TEST_NOISES}
    for part, listed in (("test", "testing_list.txt"), ("validation", "validation_list.txt")):
        splits |= {line.removesuffix(".wav"): part for line in _text(folder / listed).split()}
    return _words(folder, lambda file: splits.get(f"{file.parent.name}/{file.stem}", "train"))


def _some_commands(folder):
    """As many speakers of each side of Speech Commands as the subset has, and few other words."""
    rows = _commands(folder)
    speakers = pd.Series({row[2]: row[3] for row in rows if row[1] not in (None, "silence")})
    kept = set()
    for side, count in SPEAKERS.items():
        names = sorted(speakers.index[speakers == side])
        kept |= set(np.random.default_rng(0).permutation(names)[:count])
    others = [row for row in rows if row[1] == "unknown" and row[2] in kept]
    few = set(np.random.default_rng(0).permutation(len(others))[: len(others) // OTHERS])
    others = [row for number, row in enumerate(others) if number in few]
    return others + [
        row for row in rows if row[1] in (None, "silence") or row[1] in COMMANDS and row[2] in kept
    ]


def _many_voices(folder):
    """The ten digits by 228 speakers of Speech Commands, each on the side of the subset."""
    rows = []
    for file, found in _by_name(folder, r"recordings/(\d)_([^_.]+)_(\d+)\.flac", ".flac"):
        rows.append((file, found[1], found[2]) if found else (file, None, None))
    return _on_sides(rows)


def _digits_of_commands(folder):
    """The same speakers' digits in the whole of Speech Commands."""
    rows = []
    for file, found in _by_name(folder, r"(\w+)/(\w+)_nohash_\d+\.wav", ".wav"):
        if found and found[1] in DIGITS:
            rows.append((file, str(DIGITS.index(found[1])), found[2]))
    return _on_sides(rows)


def _on_sides(rows):
    """Rows of (file, digit, speaker) with the speaker's side; no other speaker is kept."""
    listed = pd.read_csv(DATA / "speech_commands_subset.csv", dtype=str)
    sides = dict(zip(listed["speaker"], listed["split"], strict=True))
    foreign = [(file, *FOREIGN) for file, digit, _ in rows if digit is None]
    return foreign + [
        (file, digit, speaker, sides[speaker], "CC BY 4.0")
        for file, digit, speaker in rows
        if speaker in sides
    ]


def _music_speech(folder):
    """GTZAN Music/Speech: whole files (30 s) or ten seconds of each; one artist is one group."""
    rows = []
    for file in _visible_files(folder)[0]:
        name = file.relative_to(folder).as_posix()
        found = re.fullmatch(r"(music|speech)(?:_wav)?/(.+?)(?:\d+[a-z]?)?\.(?:wav|flac)", name)
        if found:
            group = f"{found[1]}/{found[2]}"
            rows.append((file, found[1], group, "all", "no licence is stated: for study"))
    return rows


def _music_or_voices(_):
    """Embedded rhythms, and synthetic voices that say digits."""
    return [
        (row[0], label, row[2], "all", row[4])
        for name, label in (("rhythms", "music"), ("spoken-digits", "speech"))
        for row in _embedded(DATA / name)
    ]


def _mini_commands(folder):
    """A thousand clips each of eight commands, split by the rule of the whole set's authors."""

    def by_speaker(file):  # a tenth of the speakers each, by the SHA-1 of their names
        number = int(hashlib.sha1(_speaker(file).encode()).hexdigest(), 16) % 2**27
        place = number / (2**27 - 1)
        return "validation" if place < 0.1 else "test" if place < 0.2 else "train"

    return _words(folder, by_speaker)


def _spoken_commands(folder):
    return [(file, _command(word), *others) for file, word, *others in _embedded(folder)]


def _words(folder, part_of):
    """The clips of a folder with a folder for each word, WAV or (in the subset) FLAC."""
    rows = []
    suffix = ".flac" if any(folder.glob("*/*_nohash_*.flac")) else ".wav"
    for file, found in _by_name(folder, rf"{NOISES}/.+|\w+/\w+_nohash_\d+\.\w+", suffix):
        if found:
            label = _command(file.parent.name)
            rows.append((file, label, _speaker(file), part_of(file), "CC BY 4.0"))
        else:
            rows.append((file, *FOREIGN))
    return rows


def _command(word):
    return word if word in COMMANDS else "silence" if word == NOISES else "unknown"


def _speaker(file):
    return file.stem.split("_nohash_")[0]


def _gtzan(folder):
    """930 clips of GTZAN by the fault-filtered list (Kereliuk, Sturm and Larsen 2015)."""
    sounds = [file for file in sorted(folder.glob("*/*.*")) if file.suffix in decoding.SUFFIXES]
    found = {file.stem: file for file in sounds}
    rows = []
    for track, part in pd.read_csv(DATA / "gtzan_fault_filtered.csv", dtype=str).to_numpy():
        genre = track.split(".")[0]
        file = found.get(track, folder / genre / f"{track}.wav")  # a missing one is skipped later
        rows.append((file, genre, track, part, "no licence is stated: for study"))
    return rows


_SPEECH_URL = "https://storage.googleapis.com/download.tensorflow.org/data"
_FSDD = Archive(
    "free-spoken-digit-dataset-26eb9aaf76e81b692f806f9140c2d2777410d7a1.zip",
    "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/"
    "26eb9aaf76e81b692f806f9140c2d2777410d7a1.zip",
    "baa3a6dcf4da47fb3075bec71a8cefb512022cb9ae030a79a31b315f37bc67af",
    "recordings/*.wav",
)
_ESC_10 = Archive(
    "ESC-10-553c8f1743b9dba6b282e1323c3ca8fa76923448.zip",
    "https://github.com/karolpiczak/ESC-10/archive/553c8f1743b9dba6b282e1323c3ca8fa76923448.zip",
    "90f86c372a5566235f4a724cc3bd6163390aae3eebb52b3fd167001f2014db91",
    "*/*.ogg",
)
_SPEECH_COMMANDS = Archive(
    "speech_commands_v0.02.tar.gz",
    f"{_SPEECH_URL}/speech_commands_v0.02.tar.gz",
    "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
)
_SUBSET = Archive(
    "speech_commands_subset.zip",
    None,
    "db3de109f726d5796d53dbfabb9542a9713407f3b66f6f4c39bb5d40378c88a5",
)
_MANY_VOICES = Archive(
    "speech_commands_digits.zip",
    None,
    "dca7477e5197d73851aeb53a9d9aca89fcce692166fe8778ce285110369e7ce2",
)
_MUSIC_SPEECH_10S = Archive(
    "gtzan_music_speech_10s.zip",
    None,
    "9c23af9fcb4acbed5f851045751631d15052f85ab51f203fe2d462eab245cf0b",
)
_MUSIC_SPEECH = Archive(
    "music_speech.tar.gz", "http://opihi.cs.uvic.ca/sound/music_speech.tar.gz", None
)
_MINI = Archive(
    "mini_speech_commands.zip",
    f"{_SPEECH_URL}/mini_speech_commands.zip",
    "49650f2341b26d886b46b3f4fb8fed59e30300b17550f1ee4a768b3106cf93a0",
)
_GTZAN = Archive(
    "genres.tar.gz",
    "https://huggingface.co/datasets/marsyas/gtzan/resolve/main/data/genres.tar.gz",
    "b28cc067ff6199bd826f5d1a6931458586d64acae7f44b2e882b7a97af057531",
)
_SETS = (
    Set("fsdd", "Free Spoken Digit Dataset", _fsdd, _FSDD),
    Set("spoken-digits", "embedded synthetic voices", _embedded),
    Set("six-voices", "six embedded synthetic voices", _embedded),
    Set("esc-10", "ESC-10", _esc_10, _ESC_10, "sources"),
    Set("environmental-sounds", "embedded environmental sounds", _embedded, groups="sources"),
    Set("speech-commands", "Speech Commands v2", _commands, _SPEECH_COMMANDS),
    Set("speech-commands-subset", "Speech Commands (subset)", _commands, _SUBSET),
    Set("speech-commands-digits", "Speech Commands (ten digits)", _many_voices, _MANY_VOICES),
    Set("mini-speech-commands", "Speech Commands (mini)", _mini_commands, _MINI),
    Set("spoken-commands", "embedded synthetic voices", _spoken_commands),
    Set("gtzan", "GTZAN", _gtzan, _GTZAN, "songs"),
    Set("rhythms", "embedded rhythms", _embedded, groups="songs"),
    Set("music-speech-10s", "GTZAN Music/Speech", _music_speech, _MUSIC_SPEECH_10S, "sources"),
    Set("music-and-voices", "embedded rhythms and voices", _music_or_voices, groups="sources"),
)
SETS = {each.name: each for each in _SETS}
SETS["digits"] = SETS["fsdd"]._replace(stand_in="six-voices")
SETS["environment"] = SETS["esc-10"]._replace(stand_in="environmental-sounds")
SETS["commands"] = SETS["speech-commands-subset"]._replace(stand_in="some-speech-commands")
SETS["some-speech-commands"] = SETS["speech-commands"]._replace(
    list_clips=_some_commands, stand_in="spoken-commands", is_large=True
)
SETS["many-voices"] = SETS["speech-commands-digits"]._replace(stand_in="digits-of-many-voices")
SETS["digits-of-many-voices"] = SETS["speech-commands"]._replace(
    list_clips=_digits_of_commands, stand_in="spoken-digits", is_large=True
)
SETS["music-speech"] = SETS["music-speech-10s"]._replace(stand_in="whole-music-speech")
SETS["whole-music-speech"] = SETS["music-speech-10s"]._replace(
    archive=_MUSIC_SPEECH, stand_in="music-and-voices", is_large=True
)
SETS["music"] = SETS["gtzan"]._replace(stand_in="rhythms", is_large=True)
