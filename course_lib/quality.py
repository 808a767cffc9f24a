"""What a set of clips is like before anybody trains on it: the data report."""

import hashlib

import numpy as np
import pandas as pd

from course_lib.files import decode

FULL_SCALE = 0.999  # of full scale: a sample this large counts as clipped
CLIPPED_RUN = 3  # samples: so many at full scale in a row are heard as distortion
QUIET = 40  # decibels below the loudest block: counts as silence
BLOCK = 0.01  # seconds: the piece of sound that is called silent or not


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

    Args: clips: a DataFrame with path, label, group, seconds and sample_rate.
    Returns: a DataFrame, a row for each class and one named "all": clips, share (balance), groups, the least, median and largest
    seconds and level (decibels), sample_rates, silence (share), clipped, duplicates, and groups_of_duplicates (how many groups
    share a recording with another group: a leak between the sides of a split).
    """
    all_clips = clips.join(measure(clips))
    across = all_clips.groupby("content")["group"].transform("nunique") > 1
    all_clips = all_clips.assign(shared=across)
    classes = {str(label): part for label, part in all_clips.groupby("label", observed=False)}
    table = pd.DataFrame({name: _summary(part, len(clips)) for name, part in [*classes.items(), ("all", all_clips)]}).T
    return table.rename_axis("label").infer_objects()


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
