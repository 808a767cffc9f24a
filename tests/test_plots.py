"""Pictures: labelled, on the clip's own time axis, told apart by every eye, with a text instead."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from course_lib import audio, data, evaluation, plots

FRAMES = np.random.default_rng(0).normal(-5, 4, [30, audio.N_MELS])
# Linear RGB → responses of the three cones, and the cone that is missing as a sum of the others.
TO_CONES = np.array(
    [[0.31399, 0.63951, 0.0465], [0.15537, 0.75789, 0.0867], [0.01775, 0.10945, 0.87257]]
)
MISSING = {
    "protanope": np.array([[0, 1.05118, -0.05116], [0, 1, 0], [0, 0, 1]]),
    "deuteranope": np.array([[1, 0, 0], [0.9513, 0, 0.04866], [0, 0, 1]]),
}
TABLE = evaluation.confusion(pd.Series(pd.Categorical(["a", "b", "a"])), [0, 1, 1])
SCORES = {"gru": evaluation.score([1, 0, 1]), "rnn": evaluation.score([1, 0, 0])}
PICTURES = {
    "waveform": lambda: plots.waveform(np.sin(np.arange(900))),
    "spectrogram": lambda: plots.spectrogram(FRAMES),
    "log_mel": lambda: plots.log_mel(FRAMES),
    "confusion": lambda: plots.confusion(TABLE),
    "intervals": lambda: plots.intervals(SCORES, chance=0.5),
    "under_frames": lambda: plots.under_frames(FRAMES, {"a": np.ones(30)}, unit="probability"),
    "gates": lambda: plots.gates(FRAMES, {"update": np.ones([30, 4]), "cell": -np.ones([30, 4])}),
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_shown_once_with_its_text_and_closed(name, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(plots, "get_ipython", lambda: "a notebook")
    monkeypatch.setattr(plots, "display", lambda *figure, **options: shown.append(options))
    picture = PICTURES[name]()
    axes = [axes for axes in picture.figure.axes if axes.get_title()]
    assert all(each.get_ylabel() or len(each.get_yticklabels()) for each in axes)
    plots.show(picture, f"a {name}, of 7 ")
    titles = "; ".join(each.get_title() for each in axes)
    assert shown == [{"metadata": {"image/png": {"alt": f"{titles}. a {name}, of 7."}}}]
    assert capsys.readouterr().out == f"Look at: a {name}, of 7.\n" and not plt.get_fignums()


def test_picture_without_title_or_fact_is_refused():
    with pytest.raises(ValueError, match="expected a picture with a title, found none"):
        plots.show(plt.figure(), "nothing")
    with pytest.raises(ValueError, match="expected the fact .*, found an empty text"):
        plots.show(plots.waveform(np.ones(9)), " ")
    plt.close("all")


def test_frames_curves_and_gates_share_the_time_of_the_clip():
    times, step = plots.middle(30), audio.FRAME_STEP / audio.SAMPLE_RATE
    assert times[0] == audio.FRAME_LENGTH / 2 / audio.SAMPLE_RATE
    np.testing.assert_allclose(np.diff(times), step)
    for name in ("under_frames", "gates"):
        figure = PICTURES[name]()
        images = [
            axes.get_images()[0] for axes in figure.axes if axes.get_images() and axes.get_title()
        ]
        for image in images:
            left, right = image.get_extent()[:2]
            assert (left, right) == pytest.approx((times[0] - step / 2, times[-1] + step / 2))
        assert len({axes.get_xlim() for axes in figure.axes if axes.get_title()}) == 1
    plt.close("all")


def test_report_draws_a_class_without_clips(sound):
    for name in ("a", "b"):
        folder = sound(f"set/{name}/tone.wav").parent.parent
    clips = data.from_folder(folder).query("label == 'a'")
    balance, _, _, problems = plots.report(data.report(clips)).axes
    assert [bar.get_width() for bar in balance.patches] == [1, 0]
    assert {bar.get_width() for bar in problems.patches} == {0}
    assert [each.get_text() for each in balance.get_yticklabels()] == ["a", "b"]
    plt.close("all")


def test_frames_of_another_length_have_their_own_time_axis():
    """Frames of 50 ms every 20 ms: the middle of the first one lies at 25 ms."""
    setting = {"sample_rate": 16_000, "frame_length": 800, "frame_step": 320}
    axes = plots.log_mel(FRAMES, **setting)
    assert axes.get_images()[0].get_extent()[:2] == pytest.approx([0.015, 0.615])
    centres = audio.band_centres(audio.N_MELS, high=8_000)
    assert axes.get_yticklabels()[-1].get_text() == f"{centres[-1]:.0f}"
    plt.close("all")


def linear(colour):
    colour = np.array(to_rgb(colour))
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def seen_by(eye, colours):
    see = np.linalg.inv(TO_CONES) @ MISSING[eye] @ TO_CONES
    return np.array([see @ linear(colour) for colour in colours])


@pytest.mark.parametrize("eye", MISSING)
def test_colours_are_told_apart_by_every_eye(eye):
    """Colours of images rise in luminance; no two lines look alike, as red and green would."""
    image = plt.get_cmap(plots.COLOURS)(np.linspace(0, 1, 32))[:, :3]
    for colours in (np.array([linear(colour) for colour in image]), seen_by(eye, image)):
        assert (np.diff(colours @ [0.2126, 0.7152, 0.0722]) > 0).all()
    assert plt.rcParams["axes.prop_cycle"].by_key()["color"] == plots.LINES
    lines = np.clip(seen_by(eye, plots.LINES), 0, 1)
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(lines, 2)) > 0.1
    red, green = seen_by(eye, ["#d62728", "#2ca02c"])
    assert np.linalg.norm(red - green) < np.linalg.norm(linear("#d62728") - linear("#2ca02c")) / 2


def test_a_drawing_is_shown_with_its_words_and_an_unknown_one_names_those_there_are(
    tmp_path, monkeypatch
):
    svg = (
        '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><desc>A cell.</desc></svg>'
    )
    (tmp_path / "cell.svg").write_text(svg)
    shown = []
    monkeypatch.setattr(plots, "DRAWINGS", tmp_path)
    monkeypatch.setattr(plots, "display", lambda data, **options: shown.append((data, options)))
    plots.drawing("cell")
    [(data, options)] = shown
    assert data["image/svg+xml"].startswith("<svg") and data["text/plain"] == "A cell."
    assert options["metadata"]["image/svg+xml"]["alt"] == "A cell."
    with pytest.raises(FileNotFoundError, match="one of the drawings cell, found 'lstn'"):
        plots.drawing("lstn")
