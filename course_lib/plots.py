"""Pictures: each function takes an axes (or makes one), draws, labels, and returns it."""

from pathlib import Path
from textwrap import fill
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from cycler import cycler
from IPython import get_ipython
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.audio import FRAME_LENGTH, FRAME_STEP, SAMPLE_RATE, band_centres

COLOURS = "viridis"  # rises evenly in lightness: the same in grey and for a colour-blind eye
LINES = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9"]  # Okabe, Ito
plt.rcParams["axes.prop_cycle"] = cycler(color=LINES)
STEP = FRAME_STEP / SAMPLE_RATE  # seconds: the width of a frame's column
START = (FRAME_LENGTH - FRAME_STEP) / 2 / SAMPLE_RATE  # seconds: columns stand at their middles
PICTURE = {"origin": "lower", "aspect": "auto", "cmap": COLOURS, "interpolation": "nearest"}
WIDTH = 100  # characters of a printed line
DRAWINGS = Path(__file__).resolve().parent.parent / "docs" / "drawings"


def show(picture: Axes | Figure, fact: str) -> None:
    """Show a picture with its alternative text, and print the fact that there is to see."""
    alternative = alt_text(picture, fact)
    if get_ipython() is not None:
        display(picture.figure, metadata={"image/png": {"alt": alternative}})
    plt.close(picture.figure)
    print(fill(f"Look at: {_sentence(fact)}", WIDTH))


def alt_text(picture: Axes | Figure, fact: str) -> str:
    """Describe a picture for those who cannot see it: the titles of its panels, then the fact."""
    if not fact.strip():
        raise ValueError("expected the fact that the picture shows, found an empty text")
    titles = [" ".join(axes.get_title().split()) for axes in picture.figure.axes]
    if not any(titles):
        raise ValueError("expected a picture with a title, found none")
    return f"{'; '.join(filter(None, titles))}. {_sentence(fact)}"


def drawing(name: str) -> None:
    """Show one of the course's drawings, such as "lstm", with its alternative text.

    Raises:
        FileNotFoundError: There is no such drawing; names those that there are.
    """
    path = DRAWINGS / f"{name}.svg"
    if not path.exists():
        known = ", ".join(sorted(other.stem for other in DRAWINGS.glob("*.svg")))
        raise FileNotFoundError(f"expected one of the drawings {known}, found {name!r}")
    text = path.read_text(encoding="utf-8")
    description = ElementTree.fromstring(text).findtext("{http://www.w3.org/2000/svg}desc")
    picture = {"image/svg+xml": text[text.index("<svg") :], "text/plain": description}
    display(picture, raw=True, metadata={"image/svg+xml": {"alt": description}})


def waveform(
    samples: np.ndarray, *, axes: Axes | None = None, sample_rate=SAMPLE_RATE, title="waveform"
) -> Axes:
    """Draw a waveform, `[samples]` in units of full scale, against time."""
    axes = axes or _axes(2.2)
    axes.plot(np.arange(len(samples)) / sample_rate, samples, linewidth=0.7)
    axes.set(xlabel="time (s)", ylabel="amplitude (1 = full scale)", title=title)
    axes.set_xlim(0, len(samples) / sample_rate)
    return axes


def spectrogram(
    values: np.ndarray,
    *,
    axes: Axes | None = None,
    top: float = SAMPLE_RATE / 2,
    start: float = START,
    step: float = STEP,
    unit: str = "power (dB)",
    title: str = "spectrogram",
) -> Axes:
    """Draw a spectrogram `[frames, bins]`, whose bins go from 0 to `top` hertz.

    The first column starts at `start` and each is `step` wide (seconds); colours mean `unit`.
    """
    axes = axes or _axes(3)
    image = axes.imshow(values.T, extent=(start, start + len(values) * step, 0, top), **PICTURE)
    axes.set(xlabel="time (s)", ylabel="frequency (Hz)", title=title)
    axes.figure.colorbar(image, ax=axes, label=unit)
    return axes


def log_mel(
    frames: np.ndarray,
    *,
    axes: Axes | None = None,
    frame_length: int = FRAME_LENGTH,
    frame_step: int = FRAME_STEP,
    sample_rate: int = SAMPLE_RATE,
    top: float | None = None,
    step: float | None = None,
    title: str = "log-mel frames",
) -> Axes:
    """Draw log-mel frames `[frames, bands]`, with the bands' centres in hertz at the side.

    Give frame_length, frame_step (samples) and sample_rate as the frames were made with. `step`
    (seconds a frame) and `top` (hertz, where the highest band ends) follow from them.
    """
    axes, bands = axes or _axes(3), frames.shape[1]
    start = (frame_length - frame_step) / 2 / sample_rate  # columns stand at their middles
    end = start + len(frames) * (step or frame_step / sample_rate)
    image = axes.imshow(frames.T, extent=(start, end, -0.5, bands - 0.5), **PICTURE)
    ticks = np.linspace(0, bands - 1, 5).round().astype(int)
    centres = band_centres(bands, high=top or sample_rate / 2)[ticks]
    axes.set_yticks(ticks, [f"{centre:.0f}" for centre in centres])
    axes.set(xlabel="time (s)", ylabel="mel band (centre, Hz)", title=title)
    axes.figure.colorbar(image, ax=axes, label="log energy")
    return axes


def confusion(table: pd.DataFrame, *, axes: Axes | None = None, title: str = "confusion") -> Axes:
    """Draw a table of confusions, as `evaluation.confusion` gives, each count in its cell."""
    axes = axes or _axes(4.4, width=5.2)
    image = axes.imshow(table, cmap=COLOURS)
    for (row, column), count in np.ndenumerate(table.to_numpy()):
        colour = "white" if count < table.to_numpy().max() / 2 else "black"
        axes.text(column, row, count, ha="center", va="center", color=colour, fontsize=8)
    longest = max(len(str(name)) for name in table.columns)
    axes.set_xticks(range(len(table.columns)), table.columns, rotation=40 if longest > 6 else 0)
    axes.set_yticks(range(len(table.index)), table.index)
    axes.set(xlabel="answer", ylabel="true class", title=fill(title, 36))
    axes.figure.colorbar(image, ax=axes, label="clips")
    return axes


def intervals(
    scores: pd.DataFrame | dict,
    *,
    axes: Axes | None = None,
    chance: float | None = None,
    title: str = "accuracy with its 95 % interval",
) -> Axes:
    """Draw accuracy, low and high of each row, or of a dict's Scores, and chance (dashed)."""
    if isinstance(scores, dict):
        rows = {name: score[:3] for name, score in scores.items()}
        scores = pd.DataFrame.from_dict(rows, orient="index", columns=["accuracy", "low", "high"])
    places, accuracy = np.arange(len(scores)), scores["accuracy"]
    axes = axes or _axes(0.8 + 0.4 * len(scores))
    bars = [accuracy - scores["low"], scores["high"] - accuracy]
    axes.errorbar(accuracy, places, xerr=bars, fmt="o", capsize=3)
    if chance is not None:
        axes.axvline(chance, linestyle="--", color="grey", label="chance")
        axes.legend()
    axes.set_yticks(places, scores.index)
    axes.set(xlabel="accuracy", title=title, xlim=(0, 1.02), ylim=(len(scores) - 0.5, -0.5))
    return axes


def report(table: pd.DataFrame) -> Figure:
    """Draw what `data.report` found in each class: clips, durations, levels, what is wrong."""
    classes = table.drop(index="all")
    rows, size = np.arange(len(classes)), (11, 0.9 + 0.24 * len(classes))
    figure, panels = plt.subplots(1, 4, figsize=size, layout="constrained", sharey=True)
    panels[0].barh(rows, classes["clips"].astype(int))
    panels[0].set(title="balance", xlabel="clips", ylabel="class")
    ranges = [
        ("seconds", "duration (s)", "shortest, median, longest"),
        ("level", "level (dB, 0 = full scale)", "softest, median, loudest"),
    ]
    for axes, (quantity, unit, title) in zip(panels[1:], ranges):
        columns = [classes[f"{quantity}_{which}"] for which in ("least", "median", "largest")]
        least, median, largest = (column.astype(float) for column in columns)
        bars = [median - least, largest - median]
        axes.errorbar(median, rows, xerr=bars, fmt="o", capsize=2, markersize=4)
        axes.set(title=title, xlabel=unit)
    problems = classes[["clipped", "duplicates"]].fillna(0).astype(int)  # a class may be empty
    for shift, name in zip([-0.2, 0.2], problems):
        panels[3].barh(rows + shift, problems[name], height=0.4, label=name)
    most = problems.to_numpy().max()
    panels[3].set(title="problems" if most else "problems: none", xlabel="clips")
    panels[3].set_xlim(0, max(1, most))
    panels[3].legend()
    panels[0].set_yticks(rows, classes.index)
    panels[0].invert_yaxis()
    return figure


def under_frames(
    frames: np.ndarray,
    curves: dict[str, np.ndarray],
    *,
    unit: str,
    scale: str = "linear",
    title: str = "frame by frame",
) -> Figure:
    """Draw log-mel frames and, on the same time axis, a line in `unit` for each `[frames]`."""
    figure, (top, under) = plt.subplots(2, 1, figsize=(9, 5), layout="constrained", sharex=True)
    log_mel(frames, axes=top).set_xlabel("")
    for (name, values), style in zip(curves.items(), ["-", "--", "-.", ":"] * len(curves)):
        under.plot(middle(len(values)), values, style, label=name, linewidth=1.8)
    under.set(xlabel="time (s)", ylabel=unit, yscale=scale, title=title)
    under.legend()
    return figure


def gates(
    frames: np.ndarray, values: dict[str, np.ndarray], *, title: str = "inside the layer"
) -> Figure:
    """Draw log-mel frames and, on the same time axis, an image for each `[frames, units]`."""
    count, heights = 1 + len(values), [1.5] + [1] * len(values)
    options = {"layout": "constrained", "sharex": True, "height_ratios": heights}
    figure, panels = plt.subplots(count, 1, figsize=(9, 0.9 + 1.3 * count), **options)
    log_mel(frames, axes=panels[0]).set_xlabel("")
    for axes, (name, value) in zip(panels[1:], values.items()):
        # A gate or a state is 1 at most; an LSTM's cell may be more.
        top, (frame_count, units) = max(1, np.abs(value).max()), value.shape
        extent = (START, START + frame_count * STEP, -0.5, units - 0.5)
        image = axes.imshow(value.T, extent=extent, **PICTURE)
        image.set_clim(0 if value.min() >= 0 else -top, top)
        axes.set(ylabel="unit", title=f"{title}: {name}")
        figure.colorbar(image, ax=axes, label=name)
    panels[-1].set_xlabel("time (s)")
    return figure


def middle(count: int) -> np.ndarray:
    """Compute the time of the middle of each of `count` frames: float64 `[count]`, in seconds."""
    return FRAME_LENGTH / 2 / SAMPLE_RATE + np.arange(count) * STEP


def _axes(height, *, width=9):
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def _sentence(fact):
    return f"{fact.strip().rstrip('.')}."
