"""A picture in words: what is on its axes, in which ranges, and what its colours and lines mean."""

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

COLUMNS = 110  # characters of a printed line, which a notebook would break in the middle of a word
MOST_NAMES = 8  # of ticks or lines: of more, the first and the last are named


def in_words(picture, fact):
    """One sentence for whoever cannot see a picture.

    Args: picture: a matplotlib axes, or a figure with several; fact: what there is to see, in words, with its number.
    Returns: a str: each panel's title, axes, ranges, lines and colours, then the fact.
    Raises: ValueError if a panel has no title or an axis no label, or if the fact is empty.
    """
    if not fact.strip():
        raise ValueError("expected the fact that the picture shows, found an empty text")
    panels = [axes for axes in picture.axes if axes.axison] if isinstance(picture, Figure) else [picture]
    panels = [axes for axes in panels if not hasattr(axes, "_colorbar")]
    across = {_axis(axes.xaxis) for axes in panels}
    shared = f"; all against {across.pop()}" if len(across) == 1 < len(panels) else ""
    return f"In words: {'; '.join(_panel(axes, not shared) for axes in panels)}{shared}. To see: {fact.strip().rstrip('.')}."


def _panel(axes, alone):
    """A panel: its title and axes, then the names of its lines and the meaning of its colours."""
    parts = [f'"{" ".join(axes.get_title().split()).replace(chr(34), chr(39))}" shows {_axis(axes.yaxis)}{f" against {_axis(axes.xaxis)}" if alone else ""}']
    if not axes.get_title():
        raise ValueError(f"expected a picture with a title, found none above {axes.get_ylabel()!r} against {axes.get_xlabel()!r}")
    legend = axes.get_legend()
    if legend is not None:
        parts.append(f"lines: {_list([text.get_text() for text in legend.get_texts()])}")
    for image in axes.get_images():
        low, high = map(_number, image.get_clim())
        parts.append(f"colour: {image.colorbar.ax.get_ylabel() if image.colorbar else 'value'} from {low} to {high}")
    return ", ".join(parts)


def _axis(axis):
    """An axis: its label and its range, or the names on it."""
    label = axis.get_label_text() or _shared_label(axis)
    names = [text.get_text() for text in axis.get_ticklabels()] if isinstance(axis.get_major_locator(), FixedLocator) else []
    if any(names) and (not label or not all(map(_is_number, names))):
        return f"{label} {_list(names)}".strip()
    if not label:
        raise ValueError(f"expected a label on each axis, found none on one of {axis.axes.get_title()!r}")
    low, high = (names[0], names[-1]) if any(names) else map(_number, _range(axis))
    return f"{label} from {low} to {high}{' on a logarithmic scale' if axis.get_scale() == 'log' else ''}"


def _range(axis):
    """The part of an axis that is in view and has something drawn on it."""
    (low, high), data = sorted(axis.get_view_interval()), axis.get_data_interval()
    within = max(low, data[0]), min(high, data[1])
    low, high = within if within[0] < within[1] else (low, high)
    nothing = 1e-9 * (high - low) if axis.get_scale() == "linear" else 0  # a zero that rounding has missed
    return [0.0 if abs(end) < nothing else end for end in (low, high)]


def _shared_label(axis):
    """The label of the panel at the edge that this one shares the axis with."""
    axes = axis.axes
    shared = (axes.get_shared_x_axes() if axis.axis_name == "x" else axes.get_shared_y_axes()).get_siblings(axes)
    labels = [getattr(other, f"{axis.axis_name}axis").get_label_text() for other in shared]
    return next(filter(None, labels), "")


def _list(names):
    separator = "; " if any("," in name for name in names) else ", "
    return separator.join(names) if len(names) <= MOST_NAMES else f"{names[0]} to {names[-1]}"


def _number(value):
    return f"{value:,.0f}" if 1_000 <= abs(value) < 1e6 else f"{value:.3g}"


def _is_number(text):
    return text.replace(",", "").replace(".", "").lstrip("-−").isdigit()
