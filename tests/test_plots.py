"""Pictures: labelled, on the clip's own time axis, told apart by every eye, and described in words."""

import itertools
import json
import re
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from course_lib import audio, evaluation, plots

FRAMES = np.random.default_rng(0).normal(-5, 4, [30, audio.N_MELS])
TO_CONES = np.array([[0.31399, 0.63951, 0.04650], [0.15537, 0.75789, 0.08670], [0.01775, 0.10945, 0.87257]])  # linear RGB → responses of the three cones
MISSING = {  # the cone that is missing, as a sum of the others
    "protanope": np.array([[0, 1.05118, -0.05116], [0, 1, 0], [0, 0, 1]]),
    "deuteranope": np.array([[1, 0, 0], [0.95130, 0, 0.04866], [0, 0, 1]]),
}


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def pictures():
    """One of each kind."""
    scores = {"gru": evaluation.score([1, 0, 1]), "rnn": evaluation.score([1, 0, 0])}
    names = pd.Series(pd.Categorical(["a", "b", "a"]))
    return {
        "waveform": lambda: plots.waveform(np.sin(np.arange(900))),
        "spectrogram": lambda: plots.spectrogram(FRAMES),
        "log_mel": lambda: plots.log_mel(FRAMES),
        "confusion": lambda: plots.confusion(evaluation.confusion(names, [0, 1, 1])),
        "intervals": lambda: plots.intervals(scores, chance=0.5),
        "under_frames": lambda: plots.under_frames(FRAMES, {"a": np.ones(30)}, unit="probability"),
        "gates": lambda: plots.gates(FRAMES, {"update": np.ones([30, 4]) / 2, "cell": -2 * np.ones([30, 4])}),
    }


@pytest.mark.parametrize("name", pictures())
def test_every_picture_can_be_said_in_words_and_is_closed(name, capsys):
    plots.describe(pictures()[name](), f"a {name}")
    assert re.fullmatch(rf"In words: .+ shows .+\. To see: a {name}\.", " ".join(capsys.readouterr().out.split()))
    assert not plt.get_fignums()


def test_describe_shows_the_picture_with_its_words_as_alternative_text(monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(plots, "get_ipython", lambda: "a notebook")
    monkeypatch.setattr(plots, "display", lambda figure, **options: shown.append((figure, options)))
    axes = plots.waveform(np.zeros(100))
    plots.describe(axes, "silence")
    assert shown == [(axes.figure, {"metadata": {"image/png": {"alt": " ".join(capsys.readouterr().out.split())}}})]


def test_frames_curves_and_gates_share_the_time_of_the_clip():
    times = plots.middle(30)
    assert times[0] == audio.FRAME_LENGTH / 2 / audio.SAMPLE_RATE and np.allclose(np.diff(times), audio.FRAME_STEP / audio.SAMPLE_RATE)
    for figure in (plots.under_frames(FRAMES, {"a": np.arange(30)}, unit="u"), plots.gates(FRAMES, {"g": np.ones([30, 3])})):
        top, under = (axes for axes in figure.axes if not hasattr(axes, "_colorbar"))
        left, right = top.get_images()[0].get_extent()[:2]
        assert left == pytest.approx(times[0] - plots.STEP / 2) and right == pytest.approx(times[-1] + plots.STEP / 2)
        assert under.get_xlim() == top.get_xlim()
    assert figure.axes[1].get_images()[0].get_extent()[:2] == [left, right]


def test_moving_state_has_a_point_and_a_time_for_each_frame():
    points = np.stack([np.arange(30), np.arange(30) ** 2], axis=1)
    page = plots.moving_state(points, np.sin(np.arange(2_700))).data
    drawn = json.loads(re.search(r"points = (\[.*?\]\]), times", page)[1])
    times = json.loads(re.search(r"times = (\[.*?\]);", page)[1])
    assert len(drawn) == len(times) == 30 and drawn[0] == [20, 280] and drawn[-1] == [480, 20]
    assert "<audio" in page and "http" not in page.replace("http://www.w3.org", "")


def test_moving_state_keeps_a_title_with_quotes_whole():
    page = plots.moving_state(np.eye(2), np.ones(200), title='"six" & <theo>').data
    root = ElementTree.fromstring(re.search(r"<svg.*?</svg>", page, flags=re.DOTALL)[0])
    assert root.get("aria-label") == '"six" & <theo>' and "<figcaption>&quot;six&quot; &amp; &lt;theo&gt;:" in page


def lightness(colour):
    """CIE L* of an sRGB colour."""
    luminance = linear(colour) @ [0.2126, 0.7152, 0.0722]
    return 116 * np.cbrt(luminance) - 16


def linear(colour):
    colour = np.array(to_rgb(colour))
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def test_colours_of_images_rise_in_lightness_for_every_eye():
    colours = plt.get_cmap(plots.COLOURS)(np.linspace(0, 1, 32))[:, :3]
    assert (np.diff([lightness(colour) for colour in colours]) > 0).all()
    for missing in MISSING.values():
        seen = [np.linalg.inv(TO_CONES) @ missing @ TO_CONES @ linear(colour) for colour in colours]
        assert (np.diff([colour @ [0.2126, 0.7152, 0.0722] for colour in seen]) > 0).all()


@pytest.mark.parametrize("eye", MISSING)
def test_lines_are_told_apart_by_every_eye(eye):
    assert plt.rcParams["axes.prop_cycle"].by_key()["color"] == plots.LINES
    seen = [np.linalg.inv(TO_CONES) @ MISSING[eye] @ TO_CONES @ linear(colour) for colour in plots.LINES]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(np.clip(seen, 0, 1), 2)) > 0.1
    red, green = linear("#d62728"), linear("#2ca02c")
    change = np.linalg.inv(TO_CONES) @ MISSING[eye] @ TO_CONES @ (red - green)
    assert np.linalg.norm(change) < np.linalg.norm(red - green) / 2  # what such an eye confuses does come out closer
