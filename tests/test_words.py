"""A picture in words: every panel, axis, line and colour is named, and what is missing is asked for."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_lib.words import in_words


@pytest.fixture
def axes():
    yield plt.subplots()[1]
    plt.close("all")


def test_axes_ranges_and_lines_are_named(axes):
    axes.plot([0, 2_000], [0.001, 0.1], label="left")
    axes.plot([0, 2_000], [0.01, 1], label="right")
    axes.set(title="two lines", xlabel="frequency (Hz)", ylabel="gain", yscale="log", xlim=(0, 2_000), ylim=(0.001, 1))
    axes.legend()
    assert in_words(axes, "the right one is higher.") == (
        'In words: "two lines" shows gain from 0.001 to 1 on a logarithmic scale against frequency (Hz) from 0 to 2,000, lines: left, right. To see: the right one is higher.'
    )


def test_colours_and_names_on_an_axis_are_named(axes):
    axes.figure.colorbar(axes.imshow([[0, 3]]), label="clips")
    axes.set_xticks([0, 1], ["yes", "no"])
    axes.set_yticks([0], ["always"])
    axes.set(title="counts", xlabel="answer")
    assert in_words(axes.figure, "three of no") == 'In words: "counts" shows always against answer yes, no, colour: clips from 0 to 3. To see: three of no.'


def test_many_names_are_shortened_and_numbers_become_a_range(axes):
    axes.set_xticks(range(10), [f"word {n}" for n in range(10)])
    axes.set_yticks(range(3), ["165", "420", "3790"])
    axes.set(title="t", xlabel="word", ylabel="band (Hz)")
    assert '"t" shows band (Hz) from 165 to 3790 against word word 0 to word 9.' in in_words(axes, "a fact")


def test_range_leaves_the_empty_margins_out(axes):
    axes.plot([0, 1, 2], [3, 4, 5])
    axes.set(title='the "line"', xlabel="x", ylabel="y", ylim=(0, 4))
    assert in_words(axes, "f").startswith("""In words: "the 'line'" shows y from 3 to 4 against x from 0 to 2.""")


@pytest.mark.parametrize("scale, shown", [("linear", "y from 0 to 1"), ("log", "y from 1e-20 to 1 on a logarithmic scale")])
def test_rounding_errors_are_zero_unless_the_scale_has_no_zero(axes, scale, shown):
    axes.plot([0, 1], [1e-20, 1])
    axes.set(title="t", xlabel="x", ylabel="y", yscale=scale)
    assert shown in in_words(axes, "f")


def test_names_with_commas_are_kept_apart(axes):
    axes.set_yticks([0, 1], ["adam, unseen", "eve"])
    axes.set(title="t", xlabel="x")
    assert "shows adam, unseen; eve against" in in_words(axes, "f")


def test_shared_axis_is_named_once():
    figure, (top, below) = plt.subplots(2, 1, sharex=True)
    top.set(title="above", ylabel="a", ylim=(0, 1))
    below.set(title="below", ylabel="b", ylim=(0, 2), xlabel="time (s)", xlim=(0, 3))
    assert in_words(figure, "f") == 'In words: "above" shows a from 0 to 1; "below" shows b from 0 to 2; all against time (s) from 0 to 3. To see: f.'
    plt.close(figure)


@pytest.mark.parametrize("labels, missing", [({"title": "t", "xlabel": "x"}, "label"), ({"xlabel": "x", "ylabel": "y"}, "title")])
def test_a_picture_without_title_or_label_is_refused(axes, labels, missing):
    axes.plot(np.arange(3))
    axes.set(**labels)
    with pytest.raises(ValueError, match=f"expected a .*{missing}"):
        in_words(axes, "a fact")


def test_a_fact_is_asked_for(axes):
    with pytest.raises(ValueError, match="expected the fact"):
        in_words(axes, "  ")
