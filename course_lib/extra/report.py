"""What is wrong with a set of clips, or may be, before anybody trains on it: in sentences."""

import re
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd

from course_lib.data import CLIPPED_RUN, PARTS, measured

FEW = 20  # clips of a class: with fewer, a test of a fifth holds three or less
UNBALANCED, UNEQUAL = 3, 10  # times: largest class to smallest, longest clip to shortest
PEAK, SILENCE, SHORT = -50, 0.8, 0.1  # decibels, share, seconds of a clip: what still is right
LONG = 60  # seconds of a clip: what is longer holds many sounds, and counts as one
RARE = 0.1  # share of the clips: so few at a low rate need not bring all others down
CERTAIN, LARGE = 3, 0.15  # above chance, in standard deviations and as a share: less is no warning
SHOWN = 5  # files, or classes: so many are named, and the others counted
LEAKY_FEATURES = [  # columns that may predict the class without being its sound; unit; what to do
    ("seconds", "Length", "s", "cut all clips into segments of one length"),
    ("level", "Level", "dB", "record all classes alike, or vary the level in training"),
    ("sample_rate", "Sample rate", "Hz", "bring all clips to the lowest rate"),
]


def warnings(clips: pd.DataFrame) -> list[str]:
    """List what is wrong with clips, measured or not: a sentence each, with what to do.

    Raises:
        ValueError: There is no clip, or one has no label or group.
    """
    clips = measured(clips)
    clips = clips.assign(label=clips["label"].astype(str))
    parts = (_classes, _names, _groups, _copies, _leaky_features, _unequal, _single_clips)
    return [sentence for part in parts for sentence in part(clips)]


def single_feature_accuracy(values, labels) -> tuple[float, float, float]:
    """Classify clips by one number each: the class whose other clips have the nearest median.

    Returns:
        The mean over the classes of two clips or more of the share that is right (a tie is a
        guess), the share that chance would give, and the standard deviation of chance.
    """
    values, labels = np.asarray(values, np.float64), np.asarray(labels, str)
    names, sizes = np.unique(labels, return_counts=True)
    names, sizes = names[sizes > 1], sizes[sizes > 1]
    if not len(names):
        return 1.0, 1.0, 0.0
    distances = [_distances(values, labels == name) for name in names]
    nearest = np.isclose(distances, np.min(distances, axis=0))
    guesses = nearest / nearest.sum(axis=0)
    right = [guess[labels == name].mean() for guess, name in zip(guesses, names)]
    chance = 1 / len(names)
    spread = np.sqrt((chance * (1 - chance) / sizes).sum()) / len(names)
    return float(np.mean(right)), chance, float(spread)


def _classes(clips):
    counts = clips["label"].value_counts().sort_index(kind="stable")
    most, least = counts.idxmax(), counts.idxmin()
    if len(counts) == 1:
        yield f"There is one class only, {most!r}: a classifier needs two. Add another folder."
    few = [f"{name!r} {count}" for name, count in counts.items() if count < FEW]
    if few:
        which = f"{len(few)} of {len(counts)} classes ({_some(few)})"
        yield f"Too few clips in {which}: the test will be vague. Record {FEW} or more of each."
    if counts[most] >= UNBALANCED * counts[least]:
        sizes = f"{most!r} has {counts[most]:,} clips, {least!r} {counts[least]:,}"
        yield f"Unbalanced classes: {sizes}. Look at each class's own accuracy, or record more."


def _names(clips):
    labels = sorted(clips["label"].unique())
    alike = {}
    for label in labels:
        alike.setdefault(_plain(label), []).append(label)
    for same in alike.values():
        if len(same) > 1:
            named = ", ".join(map(repr, same))
            yield f"Classes {named} differ by case or spaces only. If they are one, join them."
    parts = [label for label in labels if label.strip().lower() in PARTS]
    if len(parts) > 1:
        named = ", ".join(map(repr, parts))
        yield f"Classes {named} are named like the parts of a set. If they are, give one of them."


def _plain(label):
    """A label without what two people may write differently."""
    return re.sub(r"[\s_-]+", "", unicodedata.normalize("NFKC", label).casefold())


def _groups(clips):
    n_groups = clips["group"].nunique()
    groups_of = clips.groupby("label")["group"].nunique()
    single = [repr(name) for name in groups_of.index[groups_of == 1]]
    if n_groups == 1:
        what = f"All {len(clips):,} clips are of one group, {clips['group'].iloc[0]!r}"
        yield f"{what}: no test can say what happens with another. Record others."
    elif single:
        classes = f"{_count(len(single), 'class', 'classes')} of one group only ({_some(single)})"
        yield f"{classes}: group and class cannot be separated, nor tested. Record more groups."
    if 1 < n_groups == len(clips):
        to_do = "if several share a speaker, name it by a pattern"
        yield f"Each of the {n_groups:,} clips is its own group: {to_do}, or the test is too kind."


def _copies(clips):
    contents = clips.groupby("content")
    labels, groups = (contents[name].transform("nunique") > 1 for name in ("label", "group"))
    others = contents["path"].transform("count").gt(1) & ~groups & ~labels
    for chosen, where, to_do in [
        (labels, "under two labels or more", "keep the right one"),
        (groups & ~labels, "in two groups or more, a leak", "delete them or make one group"),
        (others, "in one group, and so counted twice", "delete the copies"),
    ]:
        if chosen.any():
            recordings = _count(clips["content"][chosen].nunique(), "recording")
            yield f"{recordings} there more than once {where}: {_files(clips[chosen])}: {to_do}."


def _leaky_features(clips):
    for column, name, unit, to_do in LEAKY_FEATURES:
        share, chance, spread = single_feature_accuracy(clips[column], clips["label"])
        if share > chance + max(CERTAIN * spread, LARGE):
            ends = clips.groupby("label")[column].median().sort_values().iloc[[0, -1]].items()
            medians = " to ".join(
                f"{round(median, 2):,g} {unit} ({label!r})" for label, median in ends
            )
            accuracy = f"in {share:.0%} of clips (chance {chance:.0%}), medians {medians}"
            yield f"{name} alone predicts the class {accuracy}. If that should not be, {to_do}."


def _unequal(clips):
    rates = clips["sample_rate"].value_counts().sort_index()
    shortest, longest = clips["seconds"].agg(["min", "max"])
    if len(rates) > 1:
        listed = _some([f"{count:,} at {rate:,} Hz" for rate, count in rates.items()])
        rarest = f", or leave {rates.iloc[0]:,} out" if rates.iloc[0] < RARE * len(clips) else ""
        to_do = f"bring all clips to {rates.index[0]:,} Hz{rarest}"
        yield f"{len(rates)} sample rates ({listed}): {to_do}."
    if longest >= UNEQUAL * shortest:
        lengths = f"{shortest:.2f} to {longest:.1f} s, {longest / shortest:,.0f} times as long"
        yield f"Unequal lengths: {lengths}. Cut long clips into segments."


def _single_clips(clips):
    silent, short = clips["peak"] < PEAK, clips["seconds"] < SHORT
    silent_to_do = "record again or leave out, or use one channel if two cancel each other"
    mostly = (clips["silence"] > SILENCE) & ~silent
    for chosen, what, to_do in [
        (silent, f"almost silent (peak below {PEAK} dB, channels mixed)", silent_to_do),
        (mostly, f"silent for over {SILENCE:.0%} of the time", "cut the silence off"),
        (clips["clipped"], f"clipped ({CLIPPED_RUN} samples or more)", "record with less gain"),
        (short, f"shorter than {SHORT} s", "listen, and leave out what is cut short"),
        (clips["seconds"] > LONG, f"longer than {LONG} s, and counted as one", "cut into segments"),
    ]:
        if chosen.any():
            yield f"{_count(chosen.sum(), 'clip')} {what}: {_files(clips[chosen])}: {to_do}."
    if skipped := clips.attrs.get("skipped"):
        yield f"{_count(len(skipped), 'file')} skipped; fix or delete: {_some(skipped, '; ')}."


def _distances(values, members):
    """From each value to the median of a class; for its members, to that of the other members."""
    medians, own = np.full(len(values), np.median(values[members])), values[members]
    medians[members] = [np.median(np.delete(own, place)) for place in range(len(own))]
    return np.abs(values - medians)


def _count(number, noun, plural=None):
    return f"1 {noun} is" if number == 1 else f"{number:,} {plural or noun + 's'} are"


def _files(clips):
    return _some(["/".join(Path(path).parts[-2:]) for path in clips["path"]])


def _some(names, between=", "):
    more = [f"and {len(names) - SHOWN:,} more"] if len(names) > SHOWN else []
    return between.join(names[:SHOWN] + more)
