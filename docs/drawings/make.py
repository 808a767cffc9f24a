"""Draw the course's drawings, one look for all: python docs/drawings/make.py writes each NAME.svg.

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
from course_lib.plots import LINES

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
    """Draw a line along corners with a head at its end; `over` lifts it off the lines it crosses."""
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


if __name__ == "__main__":
    main()
