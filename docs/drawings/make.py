"""Draw the course's drawings in one look: python docs/drawings/make.py writes NAME.svg, poster.pdf.

A drawing is a function that draws on axes whose units are inches of a page 9 inches wide.
"""

import re
import sys
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import NamedTuple

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch, Polygon, Rectangle
from matplotlib.path import Path as Line

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1]))
from course_lib.plots import COLOURS, LINES

WIDTH = 9  # inches
BLUE, RED, GREEN, PINK, INK, AMBER, SKY = LINES
INPUT, STATE, CELL, ANSWER, GATE, PLAIN = BLUE, GREEN, PINK, RED, AMBER, SKY
SOFT = "#555555"
WORDS, MATHS, CODE = 11, 16, 10.5  # points
STROKE = 1.8  # points
HEAD = 0.14  # inches: an arrow's head
CORNER = 0.12  # inches: how round an arrow turns
LOOK = {
    "mathtext.fontset": "custom",
    "mathtext.rm": "STIXGeneral",
    "mathtext.it": "STIXGeneral:italic",
    "mathtext.bf": "STIXGeneral:bold",
    "mathtext.bfit": "STIXGeneral:italic:bold",
    "mathtext.cal": "STIXGeneral:italic",
    "mathtext.tt": "DejaVu Sans Mono",
    "mathtext.fallback": "stix",
    "svg.fonttype": "path",
    "hatch.linewidth": 1,
    "pdf.fonttype": 42,
}


class Drawing(NamedTuple):
    """A drawing's function, the height of its page in inches, and its words."""

    draw: Callable[[Axes], None]
    height: float
    title: str
    description: str


class Place(NamedTuple):
    """Where a shape is: its middle, and how far it reaches from there."""

    x: float
    y: float
    reach: float
    rise: float

    @property
    def top(self):
        return self.x, self.y + self.rise

    @property
    def bottom(self):
        return self.x, self.y - self.rise

    @property
    def left(self):
        return self.x - self.reach, self.y

    @property
    def right(self):
        return self.x + self.reach, self.y


DRAWINGS: dict[str, Drawing] = {}


def drawing(height: float, title: str, description: str) -> Callable:
    """Enter a function among the drawings, under its own name."""

    def enter(draw):
        DRAWINGS[draw.__name__] = Drawing(draw, height, title, description)
        return draw

    return enter


# Primitives: all places in inches, all sizes in points of a page that is 9 inches wide.


def points(axes, size):
    """Scale a size to the width at which the page is drawn."""
    width = axes.get_window_extent().width / axes.figure.dpi
    return size * width / WIDTH


def tint(colour, share=0.25):
    """Mix a colour with white."""
    return tuple(1 - share * (1 - part) for part in to_rgb(colour))


def vector(letter, index=""):
    """Write a bold letter with an index: a vector or a matrix."""
    return rf"$\mathbf{{{letter}}}_{{{index}}}$"


def label(axes, x, y, text, *, size=WORDS, colour=INK, ha="center", va="center", **options):
    """Write words, or formulas between dollars."""
    style = {"fontsize": points(axes, size), "color": colour, "linespacing": 1.35, **options}
    return axes.text(x, y, text, ha=ha, va=va, zorder=6, **style)


def formula(axes, x, y, text, **options):
    """Write a formula in the size of formulas."""
    return label(axes, x, y, text, **{"size": MATHS, **options})


def footnote(axes, y, text):
    """Write a line under a drawing, across the page."""
    label(axes, WIDTH / 2, y, text, size=13, colour=SOFT)


def code(axes, x, y, text, **options):
    """Write a name of Keras."""
    style = {"size": CODE, "colour": SOFT, "family": "monospace", **options}
    return label(axes, x, y, text, **style)


def box(
    axes, x, y, text="", *, width=0.72, height=0.52, colour=INK, fill=None, size=MATHS, **options
):
    """Draw a round-cornered box with a text in it."""
    corner, style = (x - width / 2, y - height / 2), {"linewidth": points(axes, STROKE), **options}
    shape = "round,pad=0,rounding_size=0.1"
    fill = tint(colour) if fill is None else fill
    patch = FancyBboxPatch(corner, width, height, shape, ec=colour, fc=fill, zorder=4, **style)
    axes.add_patch(patch)
    label(axes, x, y - 0.01, text, size=size)
    return Place(x, y, width / 2, height / 2)


def gate(axes, x, y, function, name="", *, colour=GATE, width=0.92):
    """Draw a layer with weights: its function, and under it a name or a bias."""
    place = box(axes, x, y, width=width, height=0.66, colour=colour, fill=tint(colour, 0.35))
    label(axes, x, y + (0.1 if name else 0), function, size=18)
    label(axes, x, y - 0.17, name, size=14 if "$" in name else CODE)
    return place


def node(axes, x, y, sign, *, radius=0.17):
    """Draw an operation on single numbers, without weights: a circle with its sign."""
    style = {"ec": INK, "fc": "white", "linewidth": points(axes, STROKE), "zorder": 4}
    if len(sign) <= 1 or sign.startswith("$"):
        axes.add_patch(Circle((x, y), radius, **style))
        label(axes, x, y, sign, size=MATHS)
        return Place(x, y, radius, radius)
    corner, shape = (x - 0.33, y - radius), f"round,pad=0,rounding_size={radius}"
    axes.add_patch(FancyBboxPatch(corner, 0.66, 2 * radius, shape, **style))
    label(axes, x, y - 0.01, rf"$\{sign}$", size=14)
    return Place(x, y, 0.33, radius)


def dot(axes, x, y, *, colour=INK):
    """Mark a point where a line divides."""
    axes.add_patch(Circle((x, y), 0.055, color=colour, linewidth=0, zorder=3.5))


def arrow(
    axes, *corners, colour=INK, width=STROKE, style="-", head=True, over=False, rounding=CORNER
):
    """Draw a line along corners to a head; `over` lifts it off the lines that it crosses."""
    corners = [np.array(corner, float) for corner in corners]
    tip, way = corners[-1], corners[-1] - corners[-2]
    way /= np.linalg.norm(way)
    across = np.array([-way[1], way[0]])
    size = HEAD * max(1, (width / STROKE) ** 0.5)
    if head:
        corners[-1] = tip - 0.8 * size * way
        sides = [
            tip,
            tip - size * way + 0.42 * size * across,
            tip - size * way - 0.42 * size * across,
        ]
        axes.add_patch(Polygon(sides, color=colour, linewidth=0, zorder=3.4))
    line = turning(corners, rounding)
    shape = {"fc": "none", "capstyle": "butt", "joinstyle": "round"}
    if over:
        wide = points(axes, width + 5)
        axes.add_patch(PathPatch(line, ec="white", linewidth=wide, zorder=3.1, **shape))
    level = 3.2 if over else 3
    style = {"linewidth": points(axes, width), "linestyle": style, "zorder": level, **shape}
    axes.add_patch(PathPatch(line, ec=colour, **style))


def turning(corners, rounding):
    """Make a path along corners that turns in curves."""
    vertices, kinds = [corners[0]], [Line.MOVETO]
    for before, corner, after in zip(corners, corners[1:], corners[2:]):
        ways = [before - corner, after - corner]
        lengths = [np.linalg.norm(way) for way in ways]
        reach = min(rounding, *(length / 2 for length in lengths))
        start, end = (corner + way * reach / length for way, length in zip(ways, lengths))
        vertices += [start, corner, end]
        kinds += [Line.LINETO, Line.CURVE3, Line.CURVE3]
    return Line([*vertices, corners[-1]], [*kinds, Line.LINETO])


def dots(axes, x, y):
    """Mark that a sequence goes on."""
    for shift in (-0.13, 0, 0.13):
        axes.add_patch(Circle((x + shift, y), 0.03, color=INK, linewidth=0, zorder=4))


def frame(axes, x, y, text="", *, width=0.72, height=0.52, real=True):
    """Draw a frame, or hatched padding."""
    if real:
        return box(axes, x, y, text, width=width, height=height, colour=INPUT)
    style = {"colour": SOFT, "fill": "white", "hatch": "////"}
    return box(axes, x, y, width=width, height=height, **style)


def spectrogram(axes, left, bottom, width, height, *, frames=36, bands=24):
    """Draw log-mel frames of a made-up vowel between two hisses."""
    time, band = np.meshgrid(np.linspace(0, 1, frames), np.linspace(0, 1, bands))
    values = np.zeros_like(time)
    for start, bend in [(0.15, 0.1), (0.38, -0.12), (0.62, 0.08)]:
        values += np.exp(-(((band - start - bend * time) / 0.06) ** 2))
    values *= np.exp(-(((time - 0.48) / 0.22) ** 4))
    for start in (0.12, 0.88):
        values += 0.8 * band**2 * np.exp(-(((time - start) / 0.07) ** 2))
    values += 0.12 * np.random.default_rng(0).random(values.shape)
    extent = (left, left + width, bottom, bottom + height)
    look = {"cmap": COLOURS, "origin": "lower", "aspect": "auto", "interpolation": "none"}
    axes.imshow(values, extent=extent, zorder=4.5, **look)


def cell_border(axes, left, bottom, right, top):
    """Draw the box around all that one step computes."""
    style = {"ec": SOFT, "fc": "white", "linewidth": points(axes, 1.2), "zorder": 1}
    shape = "round,pad=0,rounding_size=0.25"
    patch = FancyBboxPatch((left, bottom), right - left, top - bottom, shape, **style)
    axes.add_patch(patch)


def cell_key(axes, x, y):
    """Explain the shapes of a cell's drawing."""
    for shift, colour in [(0, GATE), (0.48, PLAIN)]:
        size = {"width": 0.4, "height": 0.26}
        box(axes, x + shift, y, colour=colour, fill=tint(colour, 0.35), **size)
    label(axes, x + 0.8, y, "with weights", ha="left")
    node(axes, x + 2.25, y, "", radius=0.13)
    label(axes, x + 2.5, y, "element by element", ha="left")


# Recurrent networks


@drawing(
    4.3,
    "A recurrent network, folded and unrolled",
    "Left: the frame x_t goes through W_xh (kernel) into the state h_t, which comes back one step "
    "later through W_hh (recurrent_kernel). Right: the same network unrolled from h_0 = 0 to h_T, "
    "with the same matrices at every step; W_hy leads from the last state to the answer.",
)
def rnn(axes):
    label(axes, 1.5, 4.05, "folded", weight="bold")
    state = box(axes, 1.5, 2.2, vector("h", "t"), width=0.95, colour=STATE)
    read = box(axes, 1.5, 0.85, vector("x", "t"), colour=INPUT)
    answer = box(axes, 1.5, 3.45, r"$\hat{\mathbf{y}}$", colour=ANSWER)
    arrow(axes, read.top, state.bottom)
    arrow(axes, state.top, answer.bottom)
    delay = box(axes, 2.85, 1.72, "1 step\nlater", height=0.46, fill="white", size=CODE)
    arrow(axes, state.right, (2.85, 2.2), delay.top)
    arrow(axes, delay.bottom, (2.85, 1.3), (1.8, 1.3), (1.8, state.bottom[1]))
    formula(axes, 3.22, 1.32, vector("h", "t-1"))
    formula(axes, 1.38, 1.68, vector("W", "xh"), ha="right")
    code(axes, 1.38, 1.4, "kernel", ha="right")
    formula(axes, 2.35, 1.08, vector("W", "hh"))
    code(axes, 2.67, 0.8, "recurrent_kernel")
    formula(axes, 1.38, 2.98, vector("W", "hy"), ha="right")
    code(axes, 1.38, 2.7, "Dense kernel", ha="right")
    label(axes, 1.98, 3.45, "at the last frame", ha="left", colour=SOFT)

    label(axes, 6.35, 4.05, "unrolled: the same matrices at every step", weight="bold")
    places = {"0": 4.3, "1": 5.55, "2": 6.8, "T": 8.45}
    states = {
        index: box(axes, x, 2.2, vector("h", index), colour=STATE) for index, x in places.items()
    }
    for index, x in list(places.items())[1:]:
        read = box(axes, x, 0.85, vector("x", index), colour=INPUT)
        arrow(axes, read.top, states[index].bottom)
        formula(axes, x - 0.08, 1.52, vector("W", "xh"), ha="right")
    label(axes, 4.3, 1.78, "zeros", colour=SOFT)
    arrow(axes, states["0"].right, states["1"].left)
    arrow(axes, states["1"].right, states["2"].left)
    arrow(axes, states["2"].right, (7.4, 2.2), head=False)
    arrow(axes, (7.8, 2.2), states["T"].left)
    dots(axes, 7.6, 2.2)
    dots(axes, 7.6, 0.85)
    for x in (4.9, 6.15, 7.6):
        formula(axes, x, 2.45, vector("W", "hh"))
    answer = box(axes, 8.45, 3.45, r"$\hat{\mathbf{y}}$", colour=ANSWER)
    arrow(axes, states["T"].top, answer.bottom)
    formula(axes, 8.37, 2.85, vector("W", "hy"), ha="right")
    footnote(
        axes,
        0.25,
        r"Keras keeps the transposes:  $\mathtt{kernel}\ =\ \mathbf{W}_{xh}^\top$,  "
        r"$\mathtt{recurrent\_kernel}\ =\ \mathbf{W}_{hh}^\top$,  $\mathtt{bias}\ =\ \mathbf{b}_h$",
    )


@drawing(
    5.15,
    "A batch with its mask, and the state that is copied on",
    "Above: three clips of 8, 5 and 3 frames in one batch, the padding hatched, beside their mask "
    "of ones and zeros. Below: the second clip; where the mask is 1 the state reads its frame, "
    "where it is 0 the state h_5 is copied on to the end, and the answer reads h_5.",
)
def mask(axes):
    label(axes, 2.95, 4.92, "a batch of three clips", weight="bold")
    label(axes, 7.05, 4.92, "its mask", weight="bold")
    for row, real in enumerate([8, 5, 3]):
        y = 4.5 - 0.42 * row
        label(axes, 1.0, y, f"clip {row + 1}", ha="right")
        for step in range(8):
            size, here = {"width": 0.4, "height": 0.32}, step < real
            frame(axes, 1.35 + 0.46 * step, y, real=here, **size)
            colour = PLAIN if here else SOFT
            fill = tint(PLAIN, 0.35) if here else "white"
            x = 5.45 + 0.46 * step
            box(axes, x, y, f"{here:d}", size=12, colour=colour, fill=fill, **size)

    places = [1.35 + 1.0 * step for step in range(8)]
    states = []
    for step, x in enumerate(places, start=1):
        here, index = step <= 5, min(step, 5)
        state = box(axes, x, 1.93, vector("h", index), width=0.62, colour=STATE)
        read = frame(axes, x, 0.9, vector("x", step) if here else "", width=0.62, real=here)
        if here:
            arrow(axes, read.top, state.bottom)
        if states:
            arrow(axes, states[-1].right, state.left, colour=INK if here else ANSWER)
        formula(axes, x, 0.33, f"${here:d}$")
        states.append(state)
    label(axes, 0.85, 1.93, "clip 2", ha="right")
    label(axes, 0.85, 0.33, "mask $m_t$", size=13, ha="right")
    answer = box(axes, places[-1], 2.85, r"$\hat{\mathbf{y}}$", width=0.62, colour=ANSWER)
    arrow(axes, states[-1].top, answer.bottom, colour=ANSWER)
    label(axes, 7.35, 1.42, "$m_t = 0$:  copied on", size=13, colour=ANSWER)
    formula(
        axes,
        3.85,
        2.75,
        r"$\mathbf{h}_t = m_t\,\tanh(\mathbf{a}_t) + (1 - m_t)\,\mathbf{h}_{t-1}$",
    )


def rail(axes, *start, ends, **options):
    """Lead a line along the foot of a cell, and from it up into the layers that read it."""
    level = start[-1][1]
    *others, (last, end) = ends
    arrow(axes, *start, (last, level), (last, end), **options)
    for x, end in others:
        dot(axes, x, level, colour=options["colour"])
        arrow(axes, (x, level), (x, end), over=options["colour"] == INPUT, **options)


def frame_rail(axes, ends):
    """Lead the frame into a cell from below."""
    read = box(axes, 1.6, 0.95, vector("x", "t"), colour=INPUT)
    rail(axes, read.top, (1.6, FRAME_RAIL), ends=ends, colour=INPUT)


FRAME_RAIL, STATE_RAIL = 1.65, 2.0  # inches


@drawing(
    5.55,
    "The LSTM cell",
    "The cell c runs along the top: times the forget gate f, plus the input gate i times the "
    "candidate. The output gate o times tanh of the new cell is the new state h. All four layers "
    "read the frame x_t and the last state h_{t-1}.",
)
def lstm(axes):
    label(axes, 1.2, 5.35, "LSTM", weight="bold", ha="left")
    cell_border(axes, 1.2, 1.4, 7.95, 5.15)
    names = {"forget": 2.35, "input": 3.6, "candidate": 4.85, "output": 6.05}
    layers = {}
    for name, x in names.items():
        function = r"$\tanh$" if name == "candidate" else r"$\sigma$"
        colour = PLAIN if name == "candidate" else GATE
        layers[name] = gate(axes, x, 2.8, function, name, colour=colour)
    rail(axes, (0.85, STATE_RAIL), ends=[(x - 0.2, 2.47) for x in names.values()], colour=STATE)
    frame_rail(axes, [(x + 0.2, 2.47) for x in names.values()])
    kept, written = node(axes, 2.35, 4.7, r"$\odot$"), node(axes, 4.85, 3.7, r"$\odot$")
    added, shown = node(axes, 4.85, 4.7, "$+$"), node(axes, 7.15, 3.5, r"$\odot$")
    squashed = node(axes, 7.15, 4.15, "tanh")
    line = {"colour": CELL, "width": 3.2}
    arrow(axes, (0.85, 4.7), kept.left, **line)
    arrow(axes, kept.right, added.left, **line)
    arrow(axes, added.right, (8.3, 4.7), **line)
    dot(axes, 7.15, 4.7, colour=CELL)
    arrow(axes, (7.15, 4.7), squashed.top, colour=CELL)
    arrow(axes, squashed.bottom, shown.top)
    arrow(axes, layers["forget"].top, kept.bottom)
    arrow(axes, layers["input"].top, (3.6, 3.7), written.left)
    arrow(axes, layers["candidate"].top, written.bottom)
    arrow(axes, written.top, added.bottom)
    arrow(axes, layers["output"].top, (6.05, 3.5), shown.left)
    arrow(axes, shown.bottom, (7.15, STATE_RAIL), (8.3, STATE_RAIL), colour=STATE)
    formula(axes, 2.45, 3.6, vector("f", "t"), ha="left")
    formula(axes, 3.7, 3.42, vector("i", "t"), ha="left")
    formula(axes, 4.95, 3.33, r"$\tilde{\mathbf{c}}_t$", ha="left")
    formula(axes, 6.15, 3.28, vector("o", "t"), ha="left")
    formula(axes, 0.8, 4.7, vector("c", "t-1"), ha="right")
    formula(axes, 0.8, STATE_RAIL, vector("h", "t-1"), ha="right")
    formula(axes, 8.4, 4.7, vector("c", "t"), ha="left")
    formula(axes, 8.4, STATE_RAIL, vector("h", "t"), ha="left")
    cell_key(axes, 3.3, 0.98)
    footnote(axes, 0.48, rf"$\mathtt{{kernel}}\ =\ {blocks('W', 'ifco')}$   (Keras's order)")
    footnote(axes, 0.18, rf"$\mathtt{{recurrent\_kernel}}\ =\ {blocks('U', 'ifco')}$")


def blocks(letter, order):
    """Write Keras's blocks of weights side by side."""
    parts = [rf"\mathbf{{{letter}}}_{{{gate}}}^\top" for gate in order]
    return r"[\," + r"\ |\ ".join(parts) + r"\,]"


def gru_cell(axes, title, *, after):
    """Draw the GRU cell with its reset gate after, or before, the recurrent weights."""
    label(axes, 1.2, 5.47, title, weight="bold", ha="left")
    cell_border(axes, 1.2, 1.4, 8.15, 5.27)
    update = gate(axes, 2.45, 2.8, r"$\sigma$", "update")
    reset = gate(axes, 3.65, 2.8, r"$\sigma$", "reset")
    weights, chosen = ((5.0, 2.8), (5.0, 3.55)) if after else ((5.0, 3.55), (5.0, 2.8))
    biases = [r"$+\,\mathbf{b}_h^{\mathrm{rec}}$", r"$+\,\mathbf{b}_h^{\mathrm{in}}$"]
    if not after:
        biases = ["", r"$+\,\mathbf{b}_h$"]
    recurrent = gate(axes, *weights, vector("U", "h"), biases[0], colour=PLAIN)
    entering = gate(axes, 6.3, 2.8, vector("W", "h"), biases[1], colour=PLAIN)
    times, added = node(axes, *chosen, r"$\odot$"), node(axes, 6.3, 3.55, "$+$")
    squashed, new = node(axes, 7.4, 3.55, "tanh"), node(axes, 7.4, 4.3, r"$\odot$")
    kept, total = node(axes, 2.45, 4.9, r"$\odot$"), node(axes, 7.4, 4.9, "$+$")
    rest = node(axes, 3.65, 4.3, "$1-$", radius=0.21)
    lower, upper = (recurrent, times) if after else (times, recurrent)
    state_ends = [(2.25, 2.47), (3.45, 2.47), lower.bottom]
    dot(axes, 1.6, 4.9, colour=STATE)
    rail(axes, (1.6, 4.9), (1.6, STATE_RAIL), ends=state_ends, colour=STATE)
    frame_rail(axes, [(2.65, 2.47), (3.85, 2.47), entering.bottom])
    arrow(axes, lower.top, upper.bottom)
    arrow(axes, upper.right, added.left)
    if after:
        arrow(axes, reset.top, (3.65, 3.55), times.left)
        formula(axes, 3.75, 3.34, vector("r", "t"), ha="left")
    else:
        arrow(axes, reset.right, times.left)
        formula(axes, 4.45, 3.0, vector("r", "t"))
    arrow(axes, entering.top, added.bottom)
    arrow(axes, added.right, squashed.left)
    arrow(axes, squashed.top, new.bottom)
    arrow(axes, update.top, kept.bottom)
    dot(axes, 2.45, 4.3)
    arrow(axes, (2.45, 4.3), rest.left)
    arrow(axes, rest.right, new.left)
    arrow(axes, new.top, total.bottom)
    line = {"colour": STATE, "width": 3.2}
    arrow(axes, (0.85, 4.9), kept.left, **line)
    arrow(axes, kept.right, total.left, **line)
    arrow(axes, total.right, (8.4, 4.9), **line)
    formula(axes, 2.55, 3.55, vector("z", "t"), ha="left")
    formula(axes, 7.5, 3.93, r"$\tilde{\mathbf{h}}_t$", ha="left")
    formula(axes, 0.8, 4.9, vector("h", "t-1"), ha="right")
    formula(axes, 8.45, 4.9, vector("h", "t"), ha="left")
    cell_key(axes, 3.3, 0.98)


@drawing(
    5.65,
    "The GRU cell with reset_after=True, Keras's default",
    "The state h runs along the top: times the update gate z, plus 1 - z times the candidate. The "
    "reset gate r multiplies U_h h_{t-1} + b_rec, after the recurrent weights; the sum with "
    "W_h x_t + b_in goes through tanh and is the candidate.",
)
def gru(axes):
    gru_cell(axes, "GRU, reset_after=True: Keras's default", after=True)
    footnote(
        axes,
        0.48,
        rf"$\mathtt{{kernel}}\ =\ {blocks('W', 'zrh')}$,   "
        rf"$\mathtt{{recurrent\_kernel}}\ =\ {blocks('U', 'zrh')}$",
    )
    footnote(
        axes,
        0.18,
        r"$\mathtt{bias[0]}\ =\ \mathbf{b}^{\mathrm{in}}$,   "
        r"$\mathtt{bias[1]}\ =\ \mathbf{b}^{\mathrm{rec}}$",
    )


@drawing(
    5.65,
    "The GRU cell with reset_after=False, as in many papers and books",
    "As Keras's default, but the reset gate r multiplies the last state h_{t-1} before the "
    "recurrent weights U_h; the sum with W_h x_t + b_h goes through tanh and is the candidate.",
)
def gru_reset_before(axes):
    gru_cell(axes, "GRU, reset_after=False: many papers and books", after=False)
    footnote(
        axes,
        0.48,
        rf"$\mathtt{{kernel}}\ =\ {blocks('W', 'zrh')}$,   "
        rf"$\mathtt{{recurrent\_kernel}}\ =\ {blocks('U', 'zrh')}$",
    )
    footnote(
        axes, 0.18, r"$\mathtt{bias}\ =\ [\,\mathbf{b}_z\ |\ \mathbf{b}_r\ |\ \mathbf{b}_h\,]$"
    )


# What is read, and what flows back


@drawing(
    4.2,
    "Back-propagation through time",
    "The unrolled network from x_1 to the loss L. Dashed arrows lead back from the loss through z "
    "and h_T to h_1, each with its local Jacobian: y_hat - e_y, then W_hy, then at every step "
    "diag(1 - h_t^2) W_hh, and down to each frame diag(1 - h_t^2) W_xh.",
)
def bptt(axes):
    label(axes, 0.45, 3.98, "forwards", weight="bold", ha="left")
    label(axes, 1.65, 3.98, "backwards, with the Jacobian of each step", ha="left", **BACK_WORDS)
    places = {"1": 0.85, "2": 3.15, "T": 5.6}
    states = {i: box(axes, x, 3.25, vector("h", i), colour=STATE) for i, x in places.items()}
    for index, x in places.items():
        read = box(axes, x, 1.6, vector("x", index), colour=INPUT)
        arrow(axes, (x - 0.12, read.top[1]), (x - 0.12, states[index].bottom[1]))
        arrow(axes, (x + 0.12, states[index].bottom[1]), (x + 0.12, read.top[1]), **BACK)
        text = jacobian(index, "xh")
        formula(axes, x + 0.22, 2.2, text, ha="left", size=13, colour=ANSWER)
    logits = box(axes, 7.2, 3.25, r"$\mathbf{z}$", colour=INK, fill="white")
    loss = box(axes, 8.5, 3.25, r"$\mathrm{ℒ}$", colour=ANSWER, width=0.6)
    both_ways(axes, states["1"], states["2"].left, jacobian("2", "hh"))
    both_ways(axes, states["2"], (4.2, 3.25), "")
    both_ways(axes, Place(4.56, 3.25, 0, 0), states["T"].left, "")
    formula(axes, 4.38, 2.85, jacobian("T", "hh"), size=13, colour=ANSWER)
    dots(axes, 4.38, 3.25)
    dots(axes, 4.38, 1.6)
    both_ways(axes, states["T"], logits.left, vector("W", "hy"))
    both_ways(axes, logits, loss.left, r"$\hat{\mathbf{y}} - \mathbf{e}_y$")
    formula(
        axes,
        4.5,
        0.88,
        r"$\boldsymbol{\delta}_t = (1 - \mathbf{h}_t^2)\odot\partial\mathrm{ℒ}/\partial\mathbf{h}_t"
        r"\qquad \partial\mathrm{ℒ}/\partial\mathbf{h}_{t-1} ="
        r" \mathbf{W}_{hh}^\top\,\boldsymbol{\delta}_t"
        r"\qquad \partial\mathrm{ℒ}/\partial\mathbf{W}_{hh} = "
        r"\sum_t\,\boldsymbol{\delta}_t\,\mathbf{h}_{t-1}^\top$",
    )
    footnote(axes, 0.25, "A gradient goes back through the transpose of each Jacobian.")


BACK = {"colour": ANSWER, "style": (0, (4, 1.5))}
BACK_WORDS = {"colour": ANSWER, "weight": "bold"}


def jacobian(index, weights):
    """Write the Jacobian of one step of a vanilla RNN."""
    return rf"$\mathrm{{diag}}(1 - \mathbf{{h}}_{index}^2)\,\mathbf{{W}}_{{{weights}}}$"


def both_ways(axes, start, end, text):
    """Draw an arrow forwards from a place, and under it one back, with its Jacobian."""
    (x, y), (end_x, _) = start.right, end
    arrow(axes, (x, y + 0.1), (end_x, y + 0.1))
    arrow(axes, (end_x, y - 0.1), (x, y - 0.1), **BACK)
    formula(axes, (x + end_x) / 2, y - 0.4, text, size=13, colour=ANSWER)


@drawing(
    7.35,
    "Four ways to read a clip",
    "One spectrogram and four readouts above it, the arrows that the answer reads in colour. Last "
    "state: only the last. Stacked: the last of the upper layer. Both ends: the last state of the "
    "forward layer and that of the backward layer at the first frame. Weighted mean: every state.",
)
def readouts(axes):
    places = np.linspace(2.45, 6.95, 6)
    spectrogram(axes, 2.0, 0.4, 5.4, 1.0)
    label(axes, 0.15, 0.9, "log-mel frames,\nread by every row", ha="left")
    label(axes, 4.7, 0.2, "time", colour=SOFT)

    readout_name(axes, 2.1, "last state", "GRU")
    row = states_row(axes, places, 2.1)
    reads(axes, row[-1].right, reader(axes, 2.1).left)

    readout_name(axes, 3.45, "stacked", "GRU, GRU")
    lower = states_row(axes, places, 3.15)
    upper = states_row(axes, places, 3.8, fed=False)
    for under, over in zip(lower, upper):
        arrow(axes, under.top, over.bottom)
    reads(axes, upper[-1].right, reader(axes, 3.8).left)

    readout_name(axes, 5.15, "both ends", "Bidirectional")
    forward = states_row(axes, places, 4.8)
    backward = states_row(axes, places[::-1], 5.45)
    answer = reader(axes, 5.15)
    reads(axes, forward[-1].right, (7.5, 4.8), (7.5, 5.05), (answer.left[0], 5.05))
    first = backward[-1]
    reads(axes, first.top, (first.x, 5.83), (7.5, 5.83), (7.5, 5.25), (answer.left[0], 5.25))

    readout_name(axes, 6.5, "weighted mean", "AttentionPooling")
    row = states_row(axes, places, 6.5)
    for state, width in zip(row, [1, 1.5, 4.5, 3, 1.5, 1]):
        reads(axes, state.top, (state.x, 7.08), width=width)
    axes.add_patch(Rectangle((2.2, 7.08), 5.0, 0.06, color=ANSWER, linewidth=0))
    answer = reader(axes, 6.5)
    reads(axes, (7.2, 7.11), (answer.x, 7.11), answer.top)


def states_row(axes, places, y, *, fed=True):
    """Draw a layer's states, each read from the one before, and from its frame if it is fed."""
    row = [box(axes, x, y, width=0.5, height=0.32, colour=STATE) for x in places]
    for before, after in zip(row, row[1:]):
        way = 1 if after.x > before.x else -1
        arrow(axes, (before.x + way * 0.25, y), (after.x - way * 0.25, y))
    for state in row if fed else []:
        arrow(axes, (state.x, y - 0.44), state.bottom, colour=INPUT)
    return row


def readout_name(axes, y, name, layer):
    """Write a readout's name and its layer's at the left."""
    label(axes, 0.15, y + 0.12, name, weight="bold", ha="left")
    code(axes, 0.15, y - 0.14, layer, ha="left")


def reader(axes, y):
    """Draw the answer at the right."""
    return box(axes, 8.3, y, r"$\hat{\mathbf{y}}$", colour=ANSWER, width=0.6)


def reads(axes, *corners, width=2.6):
    """Draw an arrow along which the answer reads."""
    arrow(axes, *corners, colour=ANSWER, width=width)


@drawing(
    5.5,
    "Attention pooling",
    "Seven states, the last two of padding. Each real state has a score e_t; a softmax over the "
    "real frames makes weights alpha_t of them, 0.50 the largest, and 0 for padding. The weighted "
    "sum c of the states, with arrows as thick as the weights, leads to the answer.",
)
def attention(axes):
    scores = np.array([-0.6, 0.5, 1.7, 0.8, 0.1])
    weights = [*(np.exp(scores) / np.exp(scores).sum()), 0, 0]
    places = 1.95 + 0.92 * np.arange(7)
    total = box(axes, places[2], 0.65, r"$\mathbf{c}$", colour=ANSWER, width=1.5)
    for step, (x, weight) in enumerate(zip(places, weights), start=1):
        if step > len(scores):
            frame(axes, x, 2.3, width=0.6, real=False)
            axes.plot([x - 0.25, x + 0.25], [4.6, 4.6], color=SOFT, lw=points(axes, STROKE))
            label(axes, x, 4.75, "0")
            continue
        state = box(axes, x, 2.3, vector("h", step), width=0.6, colour=STATE)
        score = box(axes, x, 3.2, f"$e_{step}$", width=0.6, height=0.4, fill="white")
        arrow(axes, state.top, score.bottom)
        arrow(axes, score.top, (x, 3.82))
        arrow(axes, (x, 4.22), (x, 4.58))
        height = 1.1 * weight
        axes.add_patch(Rectangle((x - 0.25, 4.6), 0.5, height, color=ANSWER, linewidth=0))
        label(axes, x, 4.72 + height, f"{weight:.2f}")
        end = (total.x + 0.27 * (step - 3), total.top[1])
        reads(axes, state.bottom, end, width=1 + 8 * weight)
    softmax = (places[0] + places[4]) / 2
    size = {"width": 4.3, "height": 0.4, "size": 12, "colour": GATE, "fill": tint(GATE, 0.35)}
    box(axes, softmax, 4.02, "softmax over the real frames", **size)
    label(axes, places[5] + 0.46, 1.78, "padding", colour=SOFT)
    label(axes, 0.15, 2.3, "states", size=12, ha="left")
    label(axes, 0.15, 3.2, "scores", size=12, ha="left")
    label(axes, 0.15, 4.8, "weights $\\alpha_t$", size=12, ha="left")
    formula(axes, 6.15, 3.2, r"$e_t = \mathbf{v}^\top\tanh(\mathbf{h}_t)$", ha="left", size=15)
    formula(axes, 1.3, 0.65, r"$\mathbf{c} = \sum_t\,\alpha_t\,\mathbf{h}_t$", size=15)
    answer = box(axes, 7.0, 0.65, r"$\hat{\mathbf{y}}$", colour=ANSWER)
    arrow(axes, total.right, answer.left)
    code(axes, 5.5, 0.83, "Dense, softmax")


@drawing(
    4.75,
    "A bidirectional layer",
    "One row of states reads the frames from the first to the last, a second row from the last to "
    "the first; at each frame both are joined. Without return_sequences the answer gets the "
    "forward state of the last frame and the backward state of the first, in colour.",
)
def bidirectional(axes):
    places = {"1": 1.85, "2": 4.1, "T": 7.3}
    rows = {"→": {}, "←": {}}
    for index, x in places.items():
        read = box(axes, x, 0.5, vector("x", index), colour=INPUT)
        joined = box(axes, x, 3.9, joined_states(index), width=1.4, fill="white")
        for (sign, row), shift, y in zip(rows.items(), (-0.45, 0.45), (1.65, 2.75)):
            ends_here = (sign, index) in {("→", "T"), ("←", "1")}
            over = "right" if sign == "→" else "left"
            text = rf"$\overrightarrow{{\mathbf{{h}}}}_{index}$".replace("right", over)
            colour = ANSWER if ends_here else STATE
            state = box(axes, x + shift, y, text, colour=colour)
            row[index] = state
            foot = (x + shift / 3, read.top[1])
            middle = read.top[1] + 0.25
            arrow(axes, foot, (foot[0], middle), (state.x, middle), state.bottom)
            arrow(axes, state.top, (state.x, joined.bottom[1]))
    forward, backward = rows.values()
    arrow(axes, forward["1"].right, forward["2"].left, over=True)
    arrow(axes, backward["2"].left, backward["1"].right, over=True)
    arrow(axes, forward["2"].right, (5.5, 1.65), head=False, over=True)
    arrow(axes, (5.9, 1.65), forward["T"].left)
    arrow(axes, (5.5, 2.75), backward["2"].right)
    arrow(axes, backward["T"].left, (5.9, 2.75), head=False, over=True)
    for y in (0.5, 1.65, 2.75, 3.9):
        dots(axes, 5.7, y)
    label(axes, 0.1, 1.65, "forwards", ha="left")
    label(axes, 0.1, 2.75, "backwards", ha="left")
    code(axes, 0.1, 4.45, "return_sequences=True: joined at every frame", ha="left")
    text = "return_sequences=False: the two in colour"
    code(axes, 8.9, 4.45, text, ha="right", colour=ANSWER)


def joined_states(index):
    """Write the two states of a frame, joined."""
    return (
        rf"$[\overrightarrow{{\mathbf{{h}}}}_{index}\,;\,\overleftarrow{{\mathbf{{h}}}}_{index}]$"
    )


@drawing(
    3.55,
    "One answer or many",
    "Two networks over the same kind of frames. Many to one: the answer comes from the last state "
    "alone. Many to many: every state gives an answer.",
)
def one_or_many(axes):
    kinds = [
        (0.75, "many to one: an answer for the clip", "return_sequences=False"),
        (5.4, "many to many: one for every frame", "return_sequences=True"),
    ]
    for left, title, option in kinds:
        places = left + 0.95 * np.arange(4)
        label(axes, places.mean(), 3.3, title, weight="bold")
        code(axes, places.mean(), 0.15, option)
        states = [box(axes, x, 1.65, width=0.6, colour=STATE) for x in places]
        for before, after in zip(states, states[1:]):
            arrow(axes, before.right, after.left)
        for step, state in enumerate(states, start=1):
            label(axes, state.x, state.y, vector("h", step), size=MATHS)
            read = box(axes, state.x, 0.65, vector("x", step), width=0.6, colour=INPUT)
            arrow(axes, read.top, state.bottom)
            if step == 4 or option.endswith("True"):
                index = f"_{step}" if option.endswith("True") else ""
                text = rf"$\hat{{\mathbf{{y}}}}{index}$"
                answer = box(axes, state.x, 2.7, text, width=0.6, colour=ANSWER)
                arrow(axes, state.top, answer.bottom, colour=ANSWER)


# From the waveform to the frames


def curve(axes, place, heights, *, colour=BLUE, width=1.3, filled=False, style="-"):
    """Draw a line across a place; heights go from -1, its bottom, to 1, its top."""
    xs = np.linspace(place.left[0], place.right[0], len(heights))
    ys = place.y + place.rise * np.asarray(heights)
    if filled:
        axes.fill_between(xs, place.bottom[1], ys, color=tint(colour, 0.4), lw=0, zorder=2)
    axes.plot(xs, ys, color=colour, linewidth=points(axes, width), linestyle=style, zorder=5)


def span(axes, start, end, y, text, *, colour=INK):
    """Draw a length between two places, with its name in the middle."""
    middle = (start + end) / 2
    for tip in (start, end):
        arrow(axes, (middle, y), (tip, y), colour=colour)
    box_style = {"facecolor": "white", "edgecolor": "none", "pad": points(axes, 2)}
    formula(axes, middle, y, text, colour=colour, size=14, bbox=box_style)


def wave(count):
    """Make a few periods of a sound like a vowel's, between -1 and 1."""
    time = np.linspace(0, 1, count)
    pulse = (time * 9) % 1
    sound = np.exp(-4 * pulse) * np.sin(2 * np.pi * 4 * pulse)
    return 0.95 * sound * np.sin(np.pi * time) ** 0.5 / 0.7


@drawing(
    2.75,
    "From the waveform to log-mel frames",
    "A chain of seven steps with the shape after each: waveform [S], framing [M, L], times a "
    "window [M, L], rFFT [M, 129] complex, squared magnitude [M, 129], mel bands [M, 40], "
    "logarithm [M, 40].",
)
def stft(axes):
    steps = [
        ("waveform", "$[S]$"),
        ("framing", "$[M, L]$"),
        ("× window", "$[M, L]$"),
        ("rFFT", "$[M, 129]$"),
        ("$|\\cdot|^2$", "$[M, 129]$"),
        ("mel bands", "$[M, 40]$"),
        ("ln", "$[M, 40]$"),
    ]
    places = []
    for number, (name, shape) in enumerate(steps):
        place = box(axes, 0.68 + 1.275 * number, 2.05, width=1.0, height=0.9, fill="white")
        if places:
            arrow(axes, places[-1].right, place.left)
        places.append(place)
        size = 17 if "$" in name else 12
        label(axes, place.x, 1.33, name, size=size, weight="bold", va="baseline")
        formula(axes, place.x, 1.06, shape, size=15)
    label(axes, places[3].x, 0.77, "complex", colour=SOFT)
    footnote(
        axes,
        0.25,
        r"$M = 1 + \left\lfloor (S-L)\,/\,H \right\rfloor$ frames,   "
        r"$L = 200$ (25 ms),   $H = 80$ (10 ms),   $N = 256$",
    )
    inner = [Place(x, y, 0.42, 0.36) for x, y, *_ in places]
    sound, window = wave(150), np.hanning(60)
    part = sound[45:105]
    vowel = sum(np.sin(tone * np.arange(60)) / tone for tone in (0.2, 0.5, 0.85))
    curve(axes, inner[0], sound)
    for row, start in enumerate([30, 45, 60]):
        strip = Place(inner[1].x + 0.11 * (row - 1), 2.29 - 0.24 * row, 0.29, 0.13)
        curve(axes, strip, sound[start : start + 60], colour=[BLUE, RED, GREEN][row])
    curve(axes, inner[2], part * window)
    for sign in (1, -1):
        curve(axes, inner[2], sign * window, colour=SOFT, style="--", width=1)
    spectrum = np.fft.rfft(vowel * window, 512)[:110]
    spectrum /= abs(spectrum).max()
    curve(axes, inner[3], spectrum.real)
    curve(axes, inner[3], spectrum.imag, colour=RED, style="--")
    curve(axes, inner[4], 1.9 * abs(spectrum) ** 2 - 0.95, filled=True)
    edges = inner[5].left[0] + 0.84 * np.linspace(0, 1, 8) ** 1.6
    for left, middle, right in zip(edges, edges[1:], edges[2:]):
        line = {"color": BLUE, "linewidth": points(axes, 1.3), "zorder": 5}
        axes.plot([left, middle, right], [1.72, 2.38, 1.72], **line)
    spectrogram(axes, inner[6].left[0], 1.69, 0.84, 0.72, frames=24, bands=18)


@drawing(
    3.05,
    "Frames that overlap",
    "A waveform with three frames over it. Each is L = 200 samples long and begins H = 80 samples "
    "after the one before, so that neighbours share more than half; a bell-shaped window fades "
    "each in and out.",
)
def frames(axes):
    curve(axes, Place(4.5, 0.95, 4.1, 0.55), wave(600), colour=INK)
    label(axes, 0.4, 1.4, "waveform", size=12, ha="left")
    label(axes, 0.4, 2.3, "windows", size=12, ha="left")
    length, hop, first = 3.4, 1.36, 1.6
    for number, colour in enumerate([BLUE, RED, GREEN]):
        start = first + number * hop
        end = start + length
        for edge in (start, end):
            line = {"color": colour, "linewidth": points(axes, 1.2), "linestyle": ":"}
            axes.plot([edge, edge], [0.12, 1.98], **line)
        bell = Place((start + end) / 2, 2.33, length / 2, 0.35)
        curve(axes, bell, 2 * np.hanning(61) - 1, colour=colour, width=STROKE)
        label(axes, bell.x, 2.86, f"frame {number}", colour=colour, weight="bold")
    axes.plot([first, end], [1.98, 1.98], color=INK, linewidth=points(axes, 1.2))
    span(axes, first, first + hop, 0.25, "$H$")
    span(axes, start, end, 0.25, "$L$", colour=GREEN)
    for y, words in [(2.86, "$L = 200$: 25 ms"), (2.56, "$H = 80$: 10 ms")]:
        label(axes, 8.9, y, words, size=12, ha="right", colour=SOFT)


@drawing(
    3.4,
    "A frequency folded at half the sample rate",
    "Left: a spectrum up to the sample rate of 4 kHz, with a line at half of it; a tone of 3 kHz "
    "is mirrored at the line and appears at 1 kHz. Right: the same axis folded like paper at "
    "2 kHz, so that 3 kHz lies over 1 kHz.",
)
def folding(axes):
    left, khz, low = 0.6, 0.87, 1.0
    fold = left + 2 * khz
    label(axes, fold, 3.15, "a tone above half the sample rate", weight="bold")
    shade = {"color": tint(SOFT, 0.12), "linewidth": 0, "zorder": 1}
    axes.add_patch(Rectangle((fold, low), 2 * khz, 1.75, **shade))
    ruler(axes, left, low, khz, range(5))
    arrow(axes, (left, low), (left + 4.3 * khz, low))
    line = {"color": INK, "linewidth": points(axes, STROKE), "linestyle": "--"}
    axes.plot([fold, fold], [low, 2.75], **line)
    tone(axes, left + 3 * khz, low, INPUT)
    tone(axes, left + khz, low, ANSWER, dashed=True)
    label(axes, left + 3 * khz, 2.5, "3 kHz, played", colour=INPUT)
    label(axes, left + khz, 2.5, "1 kHz, heard", colour=ANSWER)
    arrow(axes, (left + 2.9 * khz, 2.15), (left + 1.1 * khz, 2.15), colour=ANSWER)

    left, khz, high = 5.35, 1.35, 1.75
    label(axes, left + khz, 3.15, "the axis, folded like paper", weight="bold")
    ruler(axes, left, low, khz, range(3))
    end = left + 2 * khz + 0.3
    turn = [(left, low), (end, low), (end, high), (left - 0.35, high)]
    arrow(axes, *turn, rounding=0.37)
    for number, x in [(3, left + khz - 0.17), (4, left)]:
        label(axes, x, high + 0.2, f"{number}", size=12)
    axes.plot([left, left], [high, high + 0.06], color=INK, linewidth=points(axes, STROKE))
    tone(axes, left + khz, high, INPUT)
    label(axes, left + khz + 0.2, 2.5, "3 kHz", colour=INPUT, ha="left")
    arrow(axes, (left + khz, high - 0.03), (left + khz, low), colour=ANSWER)
    label(axes, left + khz + 0.15, 1.4, "lies over 1 kHz", colour=ANSWER, ha="left")
    footnote(
        axes,
        0.22,
        r"$f_s = 4$ kHz:   $f_\mathrm{N} = f_s\,/\,2 = 2$ kHz,   "
        r"$f_\mathrm{alias} = |\,f - f_s\,\mathrm{round}(f/f_s)\,| = |\,3 - 4\,| = 1$ kHz",
    )


def ruler(axes, left, y, step, numbers):
    """Number an axis of frequencies."""
    for number in numbers:
        x = left + number * step
        axes.plot([x, x], [y - 0.06, y], color=INK, linewidth=points(axes, STROKE))
        label(axes, x, y - 0.25, f"{number} kHz" if x == left else f"{number}", size=12)


def tone(axes, x, y, colour, *, dashed=False):
    """Draw a tone in a spectrum: a line with a head."""
    style = (0, (3, 1.5)) if dashed else "-"
    line = {"color": colour, "linewidth": points(axes, 3), "linestyle": style, "zorder": 4}
    axes.plot([x, x], [y, y + 0.75], solid_capstyle="butt", **line)
    axes.add_patch(Circle((x, y + 0.75), 0.08, color=colour, linewidth=0, zorder=4))


@drawing(
    3.5,
    "Time against frequency",
    "Two tilings of the plane of time and frequency by tiles of one area. A short window makes "
    "narrow, high tiles: it tells when, and hardly which frequency. A long window makes wide, low "
    "tiles: it tells which frequency, and hardly when.",
)
def resolution(axes):
    kinds = [
        (0.75, 12, 3, (7, 1), "short window", "tells when, hardly which frequency"),
        (5.15, 3, 12, (1, 7), "long window", "tells which frequency, hardly when"),
    ]
    width, height, bottom = 3.6, 2.0, 0.85
    for left, columns, rows, chosen, title, words in kinds:
        label(axes, left + width / 2, 3.3, title, weight="bold", size=12)
        label(axes, left + width / 2, 3.05, words)
        size = (width / columns, height / rows)
        corner = (left + chosen[0] * size[0], bottom + chosen[1] * size[1])
        axes.add_patch(Rectangle(corner, *size, color=tint(BLUE, 0.5), linewidth=0))
        line = {"color": SOFT, "linewidth": points(axes, 1)}
        for x in np.linspace(left, left + width, columns + 1):
            axes.plot([x, x], [bottom, bottom + height], **line)
        for y in np.linspace(bottom, bottom + height, rows + 1):
            axes.plot([left, left + width], [y, y], **line)
        label(axes, left + width / 2, 0.65, "time", colour=SOFT)
        label(axes, left - 0.2, bottom + height / 2, "frequency", colour=SOFT, rotation=90)
    footnote(
        axes,
        0.25,
        r"All tiles have the same area:  $\sigma_t\,\sigma_f \geq 1\,/\,(4\pi)$",
    )


@drawing(
    3.1,
    "Source and filter",
    "Three spectra. The pulses of the vocal folds have lines at multiples of f_0 that fall with "
    "frequency; the vocal tract has resonances F_1 to F_4; their product, speech, has the lines "
    "of the first under the hills of the second.",
)
def source_filter(axes):
    hertz = np.linspace(0, 4000, 401)
    pitch = 160
    slope = -12 * np.log2(np.maximum(hertz, pitch) / pitch) / 2
    centres = [650, 1250, 2500, 3500, 4500]
    tract = np.ones(len(hertz), complex)
    for centre, band in zip(centres, [70, 80, 110, 140, 200]):
        pole = -np.pi * band + 2j * np.pi * centre
        line = 2j * np.pi * hertz
        tract *= abs(pole) ** 2 / ((line - pole) * (line - pole.conjugate()))
    tract = 20 * np.log10(abs(tract))
    panels = [Place(x, 1.6, 1.25, 0.8) for x in (1.4, 4.5, 7.6)]
    names = ["glottal pulses", "vocal-tract resonances", "speech"]
    curves = [slope, tract, slope + tract]
    for place, name, level in zip(panels, names, curves):
        (left, bottom), (right, _) = (place.left[0], place.bottom[1]), place.right
        arrow(axes, (left, bottom), (right + 0.1, bottom))
        arrow(axes, (left, bottom), (left, place.top[1] + 0.15))
        label(axes, place.x, 2.85, name, weight="bold", size=12)
        label(axes, place.x, bottom - 0.2, "frequency", colour=SOFT)
        heights = (level - level.min()) / (level.max() - level.min())
        heights = 1.7 * heights - 0.8
        if place is panels[1]:
            curve(axes, place, heights, colour=RED, width=STROKE, filled=True)
            for number, centre in enumerate(centres[:4], start=1):
                here = heights[centre // 10]
                spot = (left + 2.5 * centre / 4000, place.y + place.rise * here + 0.15)
                formula(axes, *spot, f"$F_{number}$", size=14)
            continue
        for multiple in range(pitch, 4000, pitch):
            x, top = left + 2.5 * multiple / 4000, heights[multiple // 10]
            line = {"color": BLUE, "linewidth": points(axes, STROKE), "zorder": 4}
            axes.plot([x, x], [bottom, place.y + place.rise * top], **line)
        if place is panels[2]:
            curve(axes, place, heights, colour=RED, style="--")
    formula(axes, 2.95, 1.6, r"$\times$", size=26)
    formula(axes, 6.05, 1.6, "$=$", size=26)
    formula(axes, 0.15 + 2.5 * pitch / 4000, 0.58, "$f_0$", size=14)
    footnote(axes, 0.22, "levels on a logarithmic scale")


# The poster

POSTER = (16.54, 11.69)  # inches: A3, landscape
NEW_STATE = (
    r"$\mathbf{h}_t = \mathbf{z}_t\odot\mathbf{h}_{t-1} + "
    r"(1-\mathbf{z}_t)\odot\tilde{\mathbf{h}}_t$"
)


def gate_equation(index, name="", function=r"\sigma"):
    """Write a layer of a cell: a function of the frame and the last state."""
    name = name or rf"\mathbf{{{index}}}"
    inside = r"\mathbf{W}_? \mathbf{x}_t + \mathbf{U}_? \mathbf{h}_{t-1} + \mathbf{b}_?"
    return rf"${name}_t = {function}({inside.replace('?', index)})$"


COLUMNS = [
    [
        (
            "rnn",
            "Vanilla RNN: SimpleRNN",
            [
                r"$\mathbf{h}_t = \tanh(\mathbf{W}_{xh}\,\mathbf{x}_t + "
                r"\mathbf{W}_{hh}\,\mathbf{h}_{t-1} + \mathbf{b}_h),\ \ \mathbf{h}_0 = \mathbf{0}$",
                r"$\hat{\mathbf{y}} = \mathrm{softmax}"
                r"(\mathbf{W}_{hy}\,\mathbf{h}_T + \mathbf{b}_y)$",
            ],
        ),
        (
            "mask",
            "Clips of many lengths: the mask",
            [
                r"$\mathbf{a}_t = \mathbf{W}_{xh}\,\mathbf{x}_t + \mathbf{W}_{hh}\,\mathbf{h}_{t-1}"
                r" + \mathbf{b}_h,\quad m_t \in \{0, 1\}$",
            ],
        ),
        (
            "bidirectional",
            "Both directions: Bidirectional",
            [
                r"$\overrightarrow{\mathbf{h}}_t = "
                r"f(\mathbf{x}_t, \overrightarrow{\mathbf{h}}_{t-1}),\quad "
                r"\overleftarrow{\mathbf{h}}_t = f'(\mathbf{x}_t, "
                r"\overleftarrow{\mathbf{h}}_{t+1}),\quad \mathbf{h}_t = "
                r"[\overrightarrow{\mathbf{h}}_t\,;\,\overleftarrow{\mathbf{h}}_t]$",
            ],
        ),
    ],
    [
        (
            "lstm",
            "Long short-term memory: LSTM",
            [
                gate_equation("i") + r"$,\quad$" + gate_equation("f"),
                gate_equation("o")
                + r"$,\quad$"
                + gate_equation("c", r"\tilde{\mathbf{c}}", r"\tanh"),
                r"$\mathbf{c}_t = \mathbf{f}_t\odot\mathbf{c}_{t-1} + "
                r"\mathbf{i}_t\odot\tilde{\mathbf{c}}_t,\qquad "
                r"\mathbf{h}_t = \mathbf{o}_t\odot\tanh(\mathbf{c}_t)$",
            ],
        ),
        (
            "attention",
            "A weighted mean of the states: attention pooling",
            [
                r"$e_t = \mathbf{v}^\top\tanh(\mathbf{h}_t),\qquad \alpha_t = "
                r"m_t\,e^{e_t}\ /\ \sum_s\,m_s\,e^{e_s}$",
                r"$\mathbf{c} = \sum_t\,\alpha_t\,\mathbf{h}_t,\qquad "
                r"\hat{\mathbf{y}} = \mathrm{softmax}(\mathbf{W}\,\mathbf{c} + \mathbf{b})$",
            ],
        ),
    ],
    [
        (
            "gru",
            "Gated recurrent unit: GRU",
            [
                gate_equation("z") + r"$,\quad$" + gate_equation("r"),
                r"$\tilde{\mathbf{h}}_t = \tanh(\mathbf{W}_h\,\mathbf{x}_t + "
                r"\mathbf{b}_h^{\mathrm{in}} + \mathbf{r}_t\odot(\mathbf{U}_h\,\mathbf{h}_{t-1} + "
                r"\mathbf{b}_h^{\mathrm{rec}}))$",
                NEW_STATE,
            ],
        ),
        (
            "gru_reset_before",
            "The same, with the reset gate first",
            [
                r"$\tilde{\mathbf{h}}_t = \tanh(\mathbf{W}_h\,\mathbf{x}_t + "
                r"\mathbf{U}_h\,(\mathbf{r}_t\odot\mathbf{h}_{t-1}) + \mathbf{b}_h)$",
                NEW_STATE,
            ],
        ),
    ],
]
WEIGHTS = [
    ("", "kernel", "recurrent_kernel", "bias", "parameters"),
    ("SimpleRNN", "[F, U]", "[U, U]", "[U]", "U (F + U + 1)"),
    ("LSTM", "[F, 4U]", "[U, 4U]", "[4U]", "4U (F + U + 1)"),
    ("GRU", "[F, 3U]", "[U, 3U]", "[2, 3U]", "3U (F + U + 2)"),
    ("reset_after=False", "[F, 3U]", "[U, 3U]", "[3U]", "3U (F + U + 1)"),
]
SYMBOLS = [
    (r"$\mathbf{x}_t$", "frame, F numbers"),
    (r"$\mathbf{h}_t$", "state, U numbers"),
    (r"$\mathbf{c}_t$", "the LSTM's cell"),
    (r"$\mathbf{z}_t\ \mathbf{r}_t$", "update and reset gate"),
    (r"$m_t$", "mask: 1 sound, 0 padding"),
    (r"$\hat{\mathbf{y}}$", "probability of each class"),
    (r"$\sigma$", "sigmoid, from 0 to 1"),
    (r"$\odot$", "product, element by element"),
    (r"$\mathbf{f}_t\ \mathbf{i}_t\ \mathbf{o}_t$", "forget, input, output gate"),
    (r"$\alpha_t$", "weight of a frame"),
]


def poster(folder: Path = FOLDER) -> Path:
    """Write the cells, the mask and the readouts with their equations on one page of A3."""
    path, pitch, scale = folder / "poster.pdf", 5.36, 0.562
    with plt.rc_context({**matplotlib.rcParamsDefault, **LOOK}):
        figure = plt.figure(figsize=POSTER)
        write_on(
            figure, 0.45, 11.2, "Recurrent neural networks on one page", size=25, weight="bold"
        )
        words = (
            "Recurrent neural networks for audio classification: a course in notebooks, in Keras"
        )
        write_on(figure, 16.1, 11.2, words, size=11, ha="right", color=SOFT)
        for column, entries in enumerate(COLUMNS):
            left, y = 0.3 + column * pitch, 10.75
            for name, heading, equations in entries:
                write_on(figure, left + 0.15, y - 0.05, heading, size=13, weight="bold", color=BLUE)
                width, height = WIDTH * scale, DRAWINGS[name].height * scale
                y -= 0.22 + height
                bounds = np.array([left, y, width, height]) / [*POSTER, *POSTER]
                DRAWINGS[name].draw(page(figure, bounds, DRAWINGS[name].height))
                for equation in equations:
                    y -= 0.27
                    write_on(figure, left + width / 2, y + 0.09, equation, size=11.5, ha="center")
                y -= 0.3
            if column == 1:
                weights_table(figure, left + 0.15, y - 0.05)
            if column == 2:
                symbols_table(figure, left + 0.15, y - 0.05)
        words = (
            "Licence: CC BY 4.0.  Matrices stand in front of columns, as in papers; "
            "Keras keeps their transposes."
        )
        write_on(figure, 0.45, 0.25, words, size=9, color=SOFT)
        figure.savefig(path, metadata={"CreationDate": None})
        plt.close(figure)
    return path


def write_on(figure, x, y, text, *, size, **options):
    """Write words on the poster, in its inches and points."""
    figure.text(x / POSTER[0], y / POSTER[1], text, fontsize=size, **{"va": "center", **options})


def weights_table(figure, left, y):
    """Write the shapes of each layer's weights."""
    write_on(figure, left, y, "Weights in Keras", size=13, weight="bold", color=BLUE)
    for number, row in enumerate(WEIGHTS):
        for shift, text in zip([0, 1.42, 2.12, 3.46, 4.08], row):
            style = {"family": "monospace", "color": INK if number else SOFT}
            write_on(figure, left + shift, y - 0.3 - 0.22 * number, text, size=8, **style)
    words = "LSTM: order i, f, c, o.   GRU: order z, r, h.   F: features of a frame, U: units"
    write_on(figure, left, y - 0.32 - 0.22 * len(WEIGHTS), words, size=8.5, color=SOFT)


def symbols_table(figure, left, y):
    """Write what the letters mean."""
    write_on(figure, left, y, "Symbols", size=13, weight="bold", color=BLUE)
    for number, (symbol, meaning) in enumerate(SYMBOLS):
        x, row = left + 2.6 * (number // 5), y - 0.3 - 0.24 * (number % 5)
        write_on(figure, x, row, symbol, size=12)
        write_on(figure, x + 0.7, row, meaning, size=9)


def write(name: str, folder: Path = FOLDER) -> Path:
    """Write one drawing as NAME.svg, with its title and its text alternative in it."""
    chosen, path = DRAWINGS[name], folder / f"{name}.svg"
    with plt.rc_context({**matplotlib.rcParamsDefault, **LOOK, "svg.hashsalt": name}):
        figure = plt.figure(figsize=(WIDTH, chosen.height))
        chosen.draw(page(figure, (0, 0, 1, 1), chosen.height))
        for artist in figure.findobj():
            artist.set_clip_on(False)
        nothing = dict.fromkeys(["Creator", "Date", "Format", "Type"])
        figure.savefig(path, format="svg", metadata=nothing)
        plt.close(figure)
    text = re.sub(r"^\s+", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.DOTALL)
    text = re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.5g}", text)
    words = (
        f'role="img" aria-labelledby="{name}-title {name}-desc" '
        'style="stroke-linejoin: round; stroke-linecap: butt">\n'
        f'<title id="{name}-title">{escape(chosen.title)}</title>\n'
        f'<desc id="{name}-desc">{escape(chosen.description)}</desc>'
    )
    start, rest = text[text.index("<svg") :].split(">", 1)
    path.write_text(f"{start} {words}{rest}", encoding="utf-8", newline="\n")
    return path


def page(figure, bounds, height):
    """Add axes whose units are inches of a page 9 inches wide."""
    axes = figure.add_axes(bounds, xlim=(0, WIDTH), ylim=(0, height))
    axes.set_axis_off()
    return axes


def main(folder: Path = FOLDER) -> None:
    """Write all drawings and the poster."""
    for name in DRAWINGS:
        write(name, folder)
    poster(folder)


if __name__ == "__main__":
    main()
