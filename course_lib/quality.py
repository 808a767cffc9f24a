"""What a set of clips is like before anybody trains on it: the data report."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from course_lib.audio import decode

FULL_SCALE = 0.999  # of full scale: a sample this large counts as clipped
CLIPPED_RUN = 3  # samples: so many at full scale in a row are heard as distortion
QUIET = 40  # decibels below the loudest block: counts as silence
BLOCK = 0.01  # seconds: the piece of sound that is called silent or not

FEW = 20  # clips of a class: with fewer, a test of a fifth holds three or less
UNBALANCED, UNEQUAL = 3, 10  # times: largest class against smallest, longest clip against shortest
HUSHED = -50  # decibels: a clip whose peak is below it is almost silent
SILENT = 0.8  # share of silence: a clip with more is mostly silent
BRIEF = 0.1  # seconds: a clip that is shorter holds next to nothing
CERTAIN, TELLING = 3, 0.15  # standard deviations and share above luck: what tells less of the class is not worth a warning
NAMED = 5  # files, or classes: so many are named, and the others counted
BETRAYERS = {  # what may tell the class without being its sound: its name, and what to do about it
    "seconds": ("Length (s)", "cut all clips into segments of one length, and record all classes alike"),
    "level": ("Level (dB)", "record all classes at one distance and one gain, or change the level at random in training"),
    "sample_rate": ("The sample rate (Hz)", "bring all clips to the lowest rate, and record all classes with one device"),
}


def measure(clips):
    """Measure each clip: its level, its silence, whether it is clipped, and whether another clip holds the same samples.

    Args: clips: a DataFrame with `path`, as `datasets.load` gives.
    Returns: a DataFrame with the same rows: peak and level (decibels, 0 is full scale, level by root mean square), silence (share of
    the clip), clipped (a boolean), content (a hash of the samples), duplicate (a boolean: an earlier clip holds the same samples).
    """
    rows = pd.DataFrame([_measure(path) for path in clips["path"]], index=clips.index)
    return rows.assign(duplicate=rows["content"].duplicated())


def report(clips):
    """A data report: what each class holds, and all classes together.

    Args: clips: a DataFrame with path, label, group, seconds and sample_rate; what `measure` gives is not measured again if it is there.
    Returns: a DataFrame, a row for each class and one named "all": clips, share (balance), groups, the least, median and largest
    seconds and level (decibels), sample_rates, silence (share), clipped, duplicates, and groups_of_duplicates (how many groups
    share a recording with another group: a leak between the sides of a split).
    """
    all_clips = _with_measures(clips)
    across = all_clips.groupby("content")["group"].transform("nunique") > 1
    all_clips = all_clips.assign(shared=across)
    classes = {str(label): part for label, part in all_clips.groupby("label", observed=False)}
    table = pd.DataFrame({name: _summary(part, len(clips)) for name, part in [*classes.items(), ("all", all_clips)]}).T
    return table.rename_axis("label").infer_objects()


def warnings(clips):
    """What is wrong with a set of clips, or may be: a sentence for each fault, with its number and what to do.

    Args: clips: as for `report`; `.attrs["skipped"]`, as `datasets.from_folder` leaves it, is counted too.
    Returns: a list of str: on classes, groups, copies, what betrays the class, and single clips; empty if nothing was found.
    """
    clips = _with_measures(clips)
    found = [*_classes(clips), *_groups(clips), *_copies(clips), *_betrayals(clips), *_unequal(clips)]
    for fault, is_so, to_do in [
        (f"almost silent (peak below {HUSHED} dB)", clips["peak"] < HUSHED, "listen, and record anew or leave out"),
        (f"silent for over {SILENT:.0%} of the time", (clips["silence"] > SILENT) & (clips["peak"] >= HUSHED), "cut the silence off"),
        (f"clipped ({CLIPPED_RUN} samples or more in a row at full scale)", clips["clipped"], "record with less gain, or from further away"),
        (f"shorter than {BRIEF} s", clips["seconds"] < BRIEF, "listen, and leave out what is cut short"),
    ]:
        if is_so.any():
            found.append(f"{_count(is_so.sum(), 'clip')} {fault}: {_files(clips[is_so])}: {to_do}.")
    skipped = clips.attrs.get("skipped", [])
    return found + ([f"{_count(len(skipped), 'file')} skipped, the first since {skipped[0]}: mend or delete."] if skipped else [])


def told_by(values, labels):
    """How much one number a clip tells of its class: each clip is given to the class whose other clips have the nearest median.

    Args: values: a number for each clip; labels: its class.
    Returns: the share that is right, as the mean over the classes with two clips or more (a tie is a guess); the share that luck
    would give; and one standard deviation of luck.
    """
    values, labels = np.asarray(values, np.float64), np.asarray(labels, str)
    names, sizes = np.unique(labels, return_counts=True)
    names, sizes = names[sizes > 1], sizes[sizes > 1]
    if not len(names):
        return 1.0, 1.0, 0.0
    away = np.stack([np.abs(values - _medians_of_others(values, labels == name)) for name in names])
    nearest = np.isclose(away, away.min(axis=0))
    guess = nearest / nearest.sum(axis=0)
    luck = 1 / len(names)
    spread = np.sqrt((luck * (1 - luck) / sizes).sum()) / len(names)
    return float(np.mean([row[labels == name].mean() for row, name in zip(guess, names)])), luck, float(spread)


def _measure(path):
    samples, sample_rate = decode(path)
    mono = samples.mean(axis=1)
    block = max(1, int(BLOCK * sample_rate))
    blocks = mono[: len(mono) // block * block].reshape(-1, block) if len(mono) >= block else mono[None]
    power = (blocks.astype(np.float64) ** 2).mean(axis=1)
    full = (np.abs(samples) >= FULL_SCALE).any(axis=1)
    runs = np.convolve(full, np.ones(CLIPPED_RUN), "valid") if len(full) >= CLIPPED_RUN else np.zeros(1)
    return {
        "peak": _decibels(np.abs(samples).max() ** 2),
        "level": _decibels((mono.astype(np.float64) ** 2).mean()),
        "silence": float((power <= power.max() * 10 ** (-QUIET / 10)).mean()),
        "clipped": bool((runs >= CLIPPED_RUN).any()),
        "content": hashlib.sha256(samples.tobytes()).hexdigest()[:16],
    }


def _decibels(power):
    return float(10 * np.log10(max(power, 1e-12)))


def _summary(part, total):
    if part.empty:
        return {"clips": 0, "share": 0.0, "groups": 0}
    return {
        "clips": len(part),
        "share": round(len(part) / total, 3),
        "groups": part["group"].nunique(),
        "seconds_least": round(part["seconds"].min(), 2),
        "seconds_median": round(part["seconds"].median(), 2),
        "seconds_largest": round(part["seconds"].max(), 2),
        "level_least": round(part["level"].min(), 1),
        "level_median": round(part["level"].median(), 1),
        "level_largest": round(part["level"].max(), 1),
        "sample_rates": ", ".join(str(rate) for rate in sorted(part["sample_rate"].unique())),
        "silence": round(part["silence"].mean(), 3),
        "clipped": int(part["clipped"].sum()),
        "duplicates": int(part["duplicate"].sum()),
        "groups_of_duplicates": part.loc[part["shared"], "group"].nunique(),
    }


def _with_measures(clips):
    return clips if "content" in clips else clips.join(measure(clips))


def _medians_of_others(values, members):
    """The median of a class; for each of its members that of the other members."""
    medians, own = np.full(len(values), np.median(values[members])), values[members]
    medians[members] = [np.median(np.delete(own, place)) for place in range(len(own))]
    return medians


def _classes(clips):
    counts = clips["label"].astype(str).value_counts().sort_index(kind="stable")
    most, least = counts.idxmax(), counts.idxmin()
    if len(counts) == 1:
        yield f"There is one class only, {most!r}: a classifier needs two. Add a folder of what it is to be told from."
    few = [f"{name!r} {count}" for name, count in counts.items() if count < FEW]
    if few:
        yield f"Too few clips in {len(few)} of {len(counts)} classes ({_some(few)}): the test will be vague. Record {FEW} or more of each."
    if counts[most] >= UNBALANCED * counts[least]:
        sizes = f"{most!r} has {counts[most]:,} clips, {least!r} {counts[least]:,}, and always {most!r} is right in {counts[most] / len(clips):.0%}"
        yield f"Unbalanced classes: {sizes}. Look at each class's own accuracy, or record more of the small ones."


def _groups(clips):
    groups, one = clips["group"].nunique(), clips.groupby(clips["label"].astype(str))["group"].nunique() == 1
    alone = [repr(name) for name in one.index[one]]
    if groups == 1:
        yield f"All {len(clips):,} clips are of one group, {clips['group'].iloc[0]!r}: no test can say what happens with another. Record others."
    elif alone:
        what = _count(len(alone), "class", "classes")
        yield f"{what} of one group only ({_some(alone)}): group and class cannot be told apart, nor tested. Record more groups."
    if 1 < groups == len(clips):
        yield f"Each of the {groups:,} clips is its own group: if several have one speaker or source, name it by a pattern, or the test is too kind."


def _copies(clips):
    contents = clips.groupby("content")
    labels, groups = (contents[column].transform("nunique") > 1 for column in ("label", "group"))
    for is_so, where, to_do in [
        (labels, "under two labels or more", "keep the right one"),
        (groups & ~labels, "in two groups or more, a leak if the split parts them", "delete the copies, or make them one group"),
        (contents["path"].transform("count").gt(1) & ~groups & ~labels, "in one group, and so counted twice", "delete the copies"),
    ]:
        if is_so.any():
            number = _count(clips["content"][is_so].nunique(), "recording")
            yield f"{number} there more than once {where}: {_files(clips[is_so])}: {to_do}."


def _betrayals(clips):
    for column, (name, to_do) in BETRAYERS.items():
        share, luck, spread = told_by(clips[column], clips["label"])
        if share > luck + max(CERTAIN * spread, TELLING):
            medians = clips.groupby(clips["label"].astype(str))[column].median()
            ends = " to ".join(f"{medians[label]:.4g} ({label!r})" for label in (medians.idxmin(), medians.idxmax()))
            yield f"{name} betrays the class: alone it is right in {share:.0%}, by luck {luck:.0%}; medians {ends}. If that is chance, {to_do}."


def _unequal(clips):
    rates, (shortest, longest) = clips["sample_rate"].value_counts().sort_index(), clips["seconds"].agg(["min", "max"])
    if len(rates) > 1:
        listed = _some([f"{count:,} at {rate:,} Hz" for rate, count in rates.items()])
        yield f"{len(rates)} sample rates ({listed}): not all clips hold anything above {rates.index[0] / 2_000:g} kHz. Bring them to one rate."
    if longest >= UNEQUAL * shortest:
        times = f"from {shortest:.2f} to {longest:.1f} s, {longest / shortest:,.0f} times as long"
        yield f"Unequal lengths: {times}. Cut long clips into segments, and let each clip count once."


def _count(number, noun, plural=None):
    return f"1 {noun} is" if number == 1 else f"{number:,} {plural or noun + 's'} are"


def _files(clips):
    return _some([f"{Path(path).parent.name}/{Path(path).name}" for path in clips["path"]])


def _some(names):
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")
