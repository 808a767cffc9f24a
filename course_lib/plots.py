"""Pictures: each function takes an axes, draws, labels it, and returns it; nothing is computed here that a lesson would claim."""

import json
from html import escape
from string import Template
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from IPython import get_ipython
from IPython.display import HTML, Audio, display
from matplotlib.figure import Figure

from course_lib.audio import FRAME_LENGTH, FRAME_STEP, SAMPLE_RATE, band_centres
from course_lib.words import COLUMNS, in_words

COLOURS = "viridis"  # rises evenly in lightness, so that it reads the same in grey and for a colour-blind eye
LINES = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9"]  # Okabe & Ito 2008: told apart by the colour-blind
plt.rcParams["axes.prop_cycle"] = cycler(color=LINES)
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


def log_mel(frames, *, axes=None, top=SAMPLE_RATE / 2, step=STEP, title="log-mel frames"):
    """Draw log-mel frames, with the bands' centres in hertz on the vertical axis.

    Args: frames: `[frames, bands]`, natural log of mel energy; top: hertz, the upper edge of the highest band; step: seconds a frame.
    Returns: the axes.
    """
    axes = axes or _axes(3)
    bands = frames.shape[1]
    image = axes.imshow(frames.T, extent=(START, START + len(frames) * step, -0.5, bands - 0.5), **PICTURE)
    ticks = np.linspace(0, bands - 1, 5).round().astype(int)
    axes.set_yticks(ticks, [f"{centre:.0f}" for centre in band_centres(bands, high=top)[ticks]])
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
    axes.set_xticks(range(len(table.columns)), table.columns, rotation=40 if max(len(str(name)) for name in table.columns) > 6 else 0)
    axes.set_yticks(range(len(table.index)), table.index)
    axes.set(xlabel="answer", ylabel="true class", title=fill(title, 36))
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


def under_frames(frames, curves, *, unit, scale="linear", title="frame by frame"):
    """Draw log-mel frames and, under them on the same time axis, a line for each quantity that has a value a frame.

    Args: frames: `[frames, bands]`; curves: a dict from name to `[frames]`; unit: what the lines measure; scale: "linear" or "log".
    Returns: a matplotlib figure.
    """
    figure, (top, under) = plt.subplots(2, 1, figsize=(9, 5), layout="constrained", sharex=True)
    log_mel(frames, axes=top).set_xlabel("")
    for (name, values), style in zip(curves.items(), ["-", "--", "-.", ":"] * len(curves)):
        under.plot(middle(len(values)), values, style, label=name, linewidth=1.8)
    under.set(xlabel="time (s)", ylabel=unit, yscale=scale, title=title)
    under.legend()
    return figure


def gates(frames, values, *, title="inside the layer"):
    """Draw log-mel frames and, under them on the same time axis, an image with a row for each unit of each gate or state.

    Args: frames: `[frames, bands]`; values: a dict from name to `[frames, units]`, as `microscope.gates` gives.
    Returns: a matplotlib figure.
    """
    figure, panels = plt.subplots(1 + len(values), 1, figsize=(9, 2.2 + 1.3 * len(values)), layout="constrained", sharex=True, height_ratios=[1.5] + [1] * len(values))
    log_mel(frames, axes=panels[0]).set_xlabel("")
    for axes, (name, value) in zip(panels[1:], values.items()):
        top = max(1, np.abs(value).max())  # 1 is the most that a gate or a state can be; an LSTM's cell may be more
        image = axes.imshow(value.T, extent=(START, START + len(value) * STEP, -0.5, value.shape[1] - 0.5), **PICTURE)
        image.set_clim(0 if value.min() >= 0 else -top, top)
        axes.set(ylabel="unit", title=f"{title}: {name}")
        figure.colorbar(image, ax=axes, label=name)
    panels[-1].set_xlabel("time (s)")
    return figure


def middle(count):
    """The time of the middle of each of the first `count` frames.

    Returns: float64 `[count]` in seconds.
    """
    return FRAME_LENGTH / 2 / SAMPLE_RATE + np.arange(count) * STEP


def moving_state(points, waveform, *, title="the path of the state"):
    """A path in the plane with a dot that moves along it while the waveform plays; without scripts the path is there, and the player.

    Args: points: `[frames, 2]`, a point for each frame; waveform: `[samples]` at SAMPLE_RATE.
    Returns: an IPython HTML object.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (20 + (points - low) / np.where(high > low, high - low, 1) * [460, 260]).round(1).tolist()
    return HTML(
        MOVING_STATE.substitute(
            title=escape(title),
            path=" ".join(f"{x},{300 - y:.1f}" for x, y in scaled),
            points=json.dumps([[x, round(300 - y, 1)] for x, y in scaled]),
            times=json.dumps(middle(len(points)).round(4).tolist()),
            player=Audio(waveform, rate=SAMPLE_RATE)._repr_html_(),
        )
    )


MOVING_STATE = Template("""
<figure style="margin:0"><figcaption>$title: press play, and follow the dot</figcaption>
<svg viewBox="0 0 500 320" width="500" role="img" aria-label="$title" style="background:#fff; display:block">
<polyline points="$path" fill="none" stroke="#0072B2" stroke-width="2"/><circle r="7" cx="-20" cy="-20" fill="#D55E00"/></svg>
$player
<script>(() => {
  const figure = document.currentScript.closest("figure"), sound = figure.querySelector("audio"), dot = figure.querySelector("circle");
  const points = $points, times = $times;
  const move = () => {
    const next = times.findIndex(time => time > sound.currentTime), at = points[next < 0 ? points.length - 1 : Math.max(0, next - 1)];
    dot.setAttribute("cx", at[0]); dot.setAttribute("cy", at[1]);
    if (!sound.paused) requestAnimationFrame(move);
  };
  for (const event of ["play", "seeked", "pause", "ended"]) sound.addEventListener(event, move);
})();</script></figure>""")


def describe(picture, fact):
    """Show a picture and, below it, one sentence for whoever cannot see it, which is its alternative text as well.

    Args: picture: an axes, or a figure with several; fact: what there is to see, in words, with its number.
    Raises: ValueError if a panel has no title or an axis no label, or if the fact is empty.
    """
    figure, sentence = picture if isinstance(picture, Figure) else picture.figure, in_words(picture, fact)
    if get_ipython() is not None:
        display(figure, metadata={"image/png": {"alt": sentence}})
    plt.close(figure)
    print(fill(sentence, COLUMNS))


def _axes(height, *, width=9):
    return plt.subplots(figsize=(width, height), layout="constrained")[1]
