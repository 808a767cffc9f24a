"""Pictures: each function takes an axes, draws, labels it, and returns it; nothing is computed here that a lesson would claim."""

import matplotlib.pyplot as plt
import numpy as np

from course_lib.audio import FRAME_LENGTH, FRAME_STEP, SAMPLE_RATE, band_centres

COLOURS = "viridis"  # rises evenly in lightness, so that it reads the same in grey and for a colour-blind eye
STEP = FRAME_STEP / SAMPLE_RATE  # seconds: the width of a frame's column
START = (FRAME_LENGTH - FRAME_STEP) / 2 / SAMPLE_RATE  # seconds: a column is centred on the middle of its frame
PICTURE = {"origin": "lower", "aspect": "auto", "cmap": COLOURS, "interpolation": "nearest"}


def waveform(samples, *, axes=None, sample_rate=SAMPLE_RATE, title="waveform"):
    """Draw a waveform against time.

    Args: samples: `[samples]` in units of full scale; axes: a matplotlib axes, or None for a new one.
    Returns: the axes.
    """
    axes = axes or _axes(2.2)
    axes.plot(np.arange(len(samples)) / sample_rate, samples, linewidth=0.7)
    axes.set(xlabel="time (s)", ylabel="amplitude (1 = full scale)", title=title, xlim=(0, len(samples) / sample_rate))
    return axes


def spectrogram(values, *, axes=None, top=SAMPLE_RATE / 2, start=START, step=STEP, unit="power (dB)", title="spectrogram"):
    """Draw a spectrogram with linear frequency.

    Args: values: `[frames, bins]` from 0 to `top` hertz; start and step: where the first column begins and how wide one is, in
    seconds; unit: what the colours mean.
    Returns: the axes.
    """
    axes = axes or _axes(3)
    image = axes.imshow(values.T, extent=(start, start + len(values) * step, 0, top), **PICTURE)
    axes.set(xlabel="time (s)", ylabel="frequency (Hz)", title=title)
    axes.figure.colorbar(image, ax=axes, label=unit)
    return axes


def log_mel(frames, *, axes=None, title="log-mel frames"):
    """Draw log-mel frames, with the bands' centres in hertz on the vertical axis.

    Args: frames: `[frames, bands]`, natural log of mel energy.
    Returns: the axes.
    """
    axes = axes or _axes(3)
    bands = frames.shape[1]
    image = axes.imshow(frames.T, extent=(START, START + len(frames) * STEP, -0.5, bands - 0.5), **PICTURE)
    ticks = np.arange(3, bands, 9)
    axes.set_yticks(ticks, [f"{centre:.0f}" for centre in band_centres(bands)[ticks]])
    axes.set(xlabel="time (s)", ylabel="mel band (centre, Hz)", title=title)
    axes.figure.colorbar(image, ax=axes, label="log energy")
    return axes


def confusion(table, *, axes=None, title="confusion"):
    """Draw a table of confusions, each count in its cell.

    Args: table: a DataFrame, a row for each true class, a column for each answer, as `evaluation.confusion` gives.
    Returns: the axes.
    """
    axes = axes or _axes(4.4, width=5.2)
    image = axes.imshow(table, cmap=COLOURS)
    for (row, column), count in np.ndenumerate(table.to_numpy()):
        dark = count < table.to_numpy().max() / 2
        axes.text(column, row, count, ha="center", va="center", color="white" if dark else "black", fontsize=8)
    axes.set_xticks(range(len(table.columns)), table.columns)
    axes.set_yticks(range(len(table.index)), table.index)
    axes.set(xlabel="answer", ylabel="true class", title=title)
    axes.figure.colorbar(image, ax=axes, label="clips")
    return axes


def intervals(scores, *, axes=None, chance=None, title="accuracy with its 95 % interval"):
    """Draw accuracies as points with their intervals, a line each.

    Args: scores: a DataFrame with the columns accuracy, low, high, or a dict from name to Score; chance: a dashed line there.
    Returns: the axes.
    """
    rows = [(name, *score[:3]) for name, score in scores.items()] if isinstance(scores, dict) else list(scores[["accuracy", "low", "high"]].itertuples())
    names, accuracy, low, high = (np.array(column) for column in zip(*rows))
    axes = axes or _axes(0.8 + 0.4 * len(rows))
    axes.errorbar(accuracy, np.arange(len(rows)), xerr=[accuracy - low, high - accuracy], fmt="o", capsize=3)
    if chance is not None:
        axes.axvline(chance, linestyle="--", color="grey", label="chance")
        axes.legend()
    axes.set_yticks(range(len(rows)), names)
    axes.set(xlabel="accuracy", title=title, xlim=(0, 1.02), ylim=(len(rows) - 0.5, -0.5))
    return axes


def report(table):
    """Draw a data report: clips, durations, levels, and what is wrong, for each class.

    Args: table: a DataFrame as `datasets.report` gives.
    Returns: a matplotlib figure.
    """
    classes = table.drop(index="all")
    figure, panels = plt.subplots(1, 4, figsize=(11, 0.9 + 0.24 * len(classes)), layout="constrained", sharey=True)
    rows = np.arange(len(classes))
    panels[0].barh(rows, classes["clips"].astype(int))
    panels[0].set(title="balance", xlabel="clips")
    for axes, quantity, unit in [(panels[1], "seconds", "duration (s)"), (panels[2], "level", "level (dB, 0 = full scale)")]:
        least, median, largest = (classes[f"{quantity}_{which}"].astype(float) for which in ("least", "median", "largest"))
        axes.errorbar(median, rows, xerr=[median - least, largest - median], fmt="o", capsize=2, markersize=4)
        axes.set(title="least, median, largest", xlabel=unit)
    for shift, fault in [(-0.2, "clipped"), (0.2, "duplicates")]:
        panels[3].barh(rows + shift, classes[fault].astype(int), height=0.4, label=fault)
    panels[3].set(title="faults" if classes[["clipped", "duplicates"]].to_numpy().any() else "faults: none", xlabel="clips", xlim=(0, max(1, classes[["clipped", "duplicates"]].astype(int).to_numpy().max())))
    panels[3].legend()
    panels[0].set_yticks(rows, classes.index)
    panels[0].set_ylabel("class")
    panels[0].invert_yaxis()
    return figure


def _axes(height, *, width=9):
    return plt.subplots(figsize=(width, height), layout="constrained")[1]
