"""A folder of clips that nobody has prepared → what can be used, fair splits, fair comparisons."""

import math
import shutil
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import joblib
import keras
import numpy as np
import pandas as pd
import soundfile
from scipy import stats
from sklearn.model_selection import StratifiedGroupKFold

from course_lib import audio, data, decoding, evaluation
from course_lib.extra.rooms import BANDS, NOTHING

BACKGROUNDS = {NOTHING, "background", "_background", "_background_noise_"}  # classes of no sound
RARE = 0.05  # of a class: so few clips of a lower rate do not bring the others down
NO_SOUND = -100.0  # decibels of the peak: such a clip holds next to nothing
SHOWN = 5  # names in a sentence


def choose_rate(clips: pd.DataFrame) -> tuple[int, str]:
    """Choose the highest rate of BANDS that all but a RARE few clips of each class have.

    Returns:
        The rate in hertz, and a sentence that names the files that force a lower one.
    """
    rates, names = sorted(BANDS), np.array([Path(path).name for path in clips["path"]])

    def lower(rate):
        below = clips["sample_rate"] < rate
        share = below.groupby(clips["label"], observed=True).transform("mean")
        return below.to_numpy(), (below & (share > RARE)).to_numpy()

    rate = max([rate for rate in rates if not lower(rate)[1].any()], default=rates[0])
    few = [names[each] for each in np.flatnonzero(lower(rate)[0])]
    sentence = f"{rate:,} Hz, the highest that most files have"
    above = [other for other in rates if rate < other <= clips["sample_rate"].max()]
    force = names[lower(above[0])[1]] if above else []
    if 0 < len(force) <= len(names) / 2:
        sentence = f"{rate:,} Hz: {len(force):,} files of lower rates forbid {above[0]:,} Hz"
        sentence += f" ({_some(force)}); leave them out or record them again to go higher"
    if few:
        sentence += f"; recorded lower, so that their upper bands are empty: {_some(few)}"
    return rate, sentence


def usable(clips: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Leave out copies, recordings under two labels, clips without any sound; part the background.

    Args:
        clips: With the columns that `data.measure` gives.

    Returns:
        The clips, numbered from 0; those of a class of BACKGROUNDS; and a sentence for each file
        that was left out.

    Raises:
        ValueError: There are fewer than two classes of three clips.
    """
    labels = clips.groupby("content")["label"].transform("nunique")
    reasons = {
        "a copy of another file": clips["duplicate"],
        "also under another label": labels > 1,
        "without a sound": clips["peak"] < NO_SOUND,
    }
    why = pd.Series("", index=clips.index)
    for reason, found in reasons.items():
        why[found] = reason
    paths = clips["path"][why != ""]
    files = [decoding.text_of("/".join(Path(path).parts[-2:])) for path in paths]
    left_out = [f"{file}: {reason}" for file, reason in zip(files, why[why != ""])]
    clips = clips[why == ""]
    is_background = clips["label"].astype(str).str.lower().isin(BACKGROUNDS)
    background, clips = clips[is_background].copy(), clips[~is_background].reset_index(drop=True)
    clips["label"] = clips["label"].astype(str).astype("category")
    counts = clips["label"].value_counts()
    if (counts >= 3).sum() < 2:
        found = ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
        raise ValueError(f"expected two classes with 3 clips or more, found: {found}")
    return clips, background, left_out


def halves(clips: pd.DataFrame, *, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Split clips in two, about a fifth in the second: by group, or else by clip.

    Where no group has two classes, each class is split alone. Groups cannot be kept apart if fewer
    than two classes have two of them: then clips are dealt. The third value says how it was done.

    Raises:
        ValueError: No class has two clips.
    """
    groups_of = clips.groupby("label", observed=True)["group"].nunique()
    by_group = (groups_of > 1).sum() > 1
    table = clips if by_group else clips.assign(group=clips.index)
    parts, second = [table], []
    if (table.groupby("group")["label"].nunique() == 1).all():
        parts = [part for _, part in table.groupby("label", observed=True)]
    for part in parts:
        if part["group"].nunique() > 1:
            second += list(data.split(part, seed=seed)[1].index)
    if not second:
        found = f"found {len(clips)} clips: record more"
        raise ValueError(f"expected a class with two clips or more to split, {found}")
    how = "by group"
    if not by_group:
        how = "by clip: groups are on both sides, so the score is too kind"
    elif clips["group"].nunique() == len(clips):
        how = "by file: no groups are known, and a speaker or place may be on both sides"
    return clips.drop(second), clips.loc[sorted(second)], how


def folds(clips: pd.DataFrame, *, count: int = 3, seed: int = 0) -> list[tuple]:
    """Split clips in `count` folds: pairs of positions, to learn from and to choose by.

    No group is in two folds, unless there are too few groups: see `halves`.

    Raises:
        ValueError: A side has one class only.
    """
    groups_of = clips.groupby("label", observed=True)["group"].nunique()
    groups = clips["group"] if (groups_of > 1).sum() > 1 else clips.index
    codes, labels = pd.factorize(groups)[0], clips["label"].cat.codes.to_numpy()
    most = min(np.bincount(labels).max(), codes.max() + 1)
    splitter = StratifiedGroupKFold(min(count, most), shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class of few clips
        pairs = list(splitter.split(codes, labels, codes))
    for learn, _ in pairs:
        if len(set(labels[learn])) < 2:
            found = "one that is in one group or clip alone: record more of each"
            raise ValueError(f"expected two classes or more in each fold, found {found}")
    return pairs


def balanced(correct: Sequence[bool], clips: pd.DataFrame) -> evaluation.Score:
    """Score answers by the mean over the classes of the share that is right.

    The interval is Wilson's, for as many independent answers as the groups are worth (Kish 1965):
    with a group for each clip and classes of one size, the number of clips.
    """
    weights = _weights(clips)
    share = min(1.0, float(weights @ np.asarray(correct, float)))
    independent = 1 / (pd.Series(weights).groupby(clips["group"].to_numpy()).sum() ** 2).sum()
    z = stats.norm.ppf(0.975)
    middle = (share + z**2 / (2 * independent)) / (1 + z**2 / independent)
    spread = math.sqrt(share * (1 - share) / independent + z**2 / (4 * independent**2))
    spread *= z / (1 + z**2 / independent)
    return evaluation.Score(share, max(0, middle - spread), min(1, middle + spread), len(clips))


def paired(correct: Sequence, others: Sequence, clips: pd.DataFrame) -> tuple[float, float, float]:
    """Compare two answers to the same clips: balanced accuracy minus the other's, 95 % interval.

    Groups, not clips, are taken for independent (a t interval over their sums). If the interval
    includes 0, it is a tie.
    """
    weights = _weights(clips)
    each = weights * (np.asarray(correct, float) - np.asarray(others, float))
    groups = clips["group"].to_numpy()
    sums = pd.Series(each).groupby(groups).sum()
    sizes = pd.Series(weights).groupby(groups).sum()
    difference, count = float(each.sum()), len(sums)
    if count < 2:
        return difference, -1.0, 1.0
    variance = count / (count - 1) * ((sums - difference * sizes) ** 2).sum()
    half = float(stats.t.ppf(0.975, count - 1) * np.sqrt(variance))
    return difference, difference - half, difference + half


def choice(correct: dict[str, Sequence[bool]], clips: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Choose among contestants: the simplest of those that tie with the best.

    Args:
        correct: Whether each answer is right, `[clips]`, by contestant, the simplest first.
        clips: That were asked, with `label` and `group`.

    Returns:
        Its name, and a row for each: its score, how far it is behind the best with the 95 %
        interval (`paired`), and whether that is a tie.
    """
    scores = {name: balanced(each, clips).accuracy for name, each in correct.items()}
    best = max(scores, key=scores.get)
    rows = []
    for name, each in correct.items():
        behind, low, high = paired(correct[best], each, clips)
        rows.append((scores[name], behind, low, high, low <= 0))
    columns = ["balanced accuracy", "behind the best", "low", "high", "tie"]
    table = pd.DataFrame(rows, index=list(correct), columns=columns)
    return table.index[table["tie"]][0], table


def embeddings(path: str | Path, clips: pd.DataFrame) -> np.ndarray:
    """Read the embedding of each clip from a table by file name: float64 `[clips, numbers]`.

    The table is a CSV, whose first column is the file and the others numbers, or an NPZ with an
    array for each file. A file is named as its clip is, with or without its folder.

    Raises:
        ValueError: A clip has none; names some.
    """
    if Path(path).suffix == ".npz":
        with np.load(path) as arrays:
            rows = {name: np.ravel(arrays[name]) for name in arrays}
    else:
        table = pd.read_csv(path, index_col=0)
        rows = {str(name): row for name, row in zip(table.index, table.to_numpy(float))}
    ways = [("/".join(Path(p).parts[-2:]), Path(p).name, Path(p).stem) for p in clips["path"]]
    found = [next((rows[name] for name in names if name in rows), None) for names in ways]
    missing = [names[0] for names, row in zip(ways, found) if row is None]
    if missing:
        raise ValueError(f"{path}: expected a row for each clip, found none for {_some(missing)}")
    return np.stack(found)


def stand_in(folder: Path) -> Path:
    """Write modelled sounds as a learner's folder: five classes, and some faults; return it."""
    shutil.rmtree(folder, ignore_errors=True)
    modelled = data.load("environmental-sounds")
    few = modelled["group"].isin([f"doorbell-0{n}" for n in range(5)])
    wanted = modelled["label"].isin(["alarm", "clock", "footsteps", "siren"]) | few
    third_take = modelled["path"].map(lambda path: path.stem.endswith("_2"))
    for clip in modelled[wanted & ~third_take].itertuples():
        (folder / clip.label).mkdir(parents=True, exist_ok=True)
        shutil.copy(clip.path, folder / clip.label / clip.path.name)
    clock, alarm = folder / "clock", folder / "alarm"
    shutil.copy(clock / "clock-03_1.mp3", clock / "clock-77_0.mp3")
    (folder / "siren" / "siren-99_0.wav").write_text("This is not a recording.")
    soundfile.write(folder / "footsteps" / "footsteps-99_0.wav", np.zeros(8_000), 8_000)
    loud = audio.read(alarm / "alarm-04_0.mp3", sample_rate=44_100)
    loud *= 3 / np.abs(loud).max()  # beyond full scale: the file holds it cut off
    soundfile.write(alarm / "alarm-04_9.wav", np.stack([loud, loud], axis=1), 44_100)
    return folder


def next_take(folder: Path, label: str, speaker: str) -> str:
    """Name the next take of a recording session, such as "clap/me_01.wav"."""
    number = 1
    while (folder / label / f"{speaker}_{number:02}.wav").exists():
        number += 1
    return f"{label}/{speaker}_{number:02}.wav"


def new_folder(parent: str | Path, name: str) -> Path:
    """Make a folder that was not there: `name`, or `name`-2, -3, … if there is one already."""
    path, number = Path(parent) / name, 1
    while True:
        try:
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            number += 1
            path = Path(parent) / f"{name}-{number}"


def markdown(table: pd.DataFrame) -> str:
    """Write a table in Markdown, its index as the first column."""
    rows = [[str(table.index.name or ""), *table.columns], ["---"] * (1 + table.shape[1])]
    rows += [[str(name), *map(str, row)] for name, *row in table.itertuples()]
    cells = [[str(cell).replace("|", "/") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def save(model, path: Path) -> Path:
    """Write a model that needs whole clips: of Keras as .keras, of scikit-learn as .joblib."""
    if isinstance(model, keras.Model):
        path = path.with_name(f"{path.name}.keras")
        model.save(path)
    else:
        path = path.with_name(f"{path.name}.joblib")
        joblib.dump(model, path)
    return path


def versions() -> dict[str, str]:
    """Give the versions of the packages that a saved model depends on."""
    return {each: version(each) for each in ("keras", "tensorflow", "scikit-learn", "numpy")}


def write_card(path: Path, title: str, sections: dict[str, object]) -> str:
    """Write a model card in Markdown and return it.

    Args:
        path: Of the file.
        title: What the model was made from.
        sections: Heading → a text, a table, or points: a list, or a dict of texts and shares.
    """
    card = [f"# Model card: {title}"]
    for heading, content in sections.items():
        if isinstance(content, dict):
            shares = {key: f"{c:.1%}" if isinstance(c, float) else c for key, c in content.items()}
            content = [f"{key}: {text}" for key, text in shares.items()]
        if isinstance(content, list):
            content = "\n".join(f"- {each}" for each in content) or "none"
        elif isinstance(content, pd.DataFrame):
            content = markdown(content)
        card.append(f"## {heading}\n\n{content}")
    card.append(f"Made on {pd.Timestamp.today().date()} with lesson 16 of the course.")
    text = "\n\n".join(card) + "\n"
    path.write_text(text, encoding="utf-8")
    return text


def _weights(clips):
    """What each clip counts: all classes that there are alike; the sum is 1."""
    labels = clips["label"].astype(str)
    return (1 / labels.groupby(labels).transform("size") / labels.nunique()).to_numpy()


def _some(names):
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(map(str, names[:SHOWN])) + more
