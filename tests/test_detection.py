"""The detector against what can be worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib import detection

CLASSES = ["yes", "no", "nothing"]


def bumps(frames, *places):
    """Probabilities that are "nothing" except at (class number, first frame, last frame, height)."""
    probabilities = np.tile([0.0, 0.0, 1.0], (frames, 1))
    for number, first, last, height in places:
        probabilities[first:last] = 0
        probabilities[first:last, number] = height
        probabilities[first:last, 2] = 1 - height
    return probabilities


def test_a_bump_is_detected_once_when_its_mean_reaches_the_threshold():
    found = detection.detections(bumps(200, (0, 50, 120, 1.0)), CLASSES, threshold=0.5, smooth=10, apart=0.2)
    assert found.label.tolist() == ["yes"]
    # the fifth frame of the bump makes the mean of ten 0.5; frame 54 ends at 200 + 54 * 80 samples
    assert found.seconds.tolist() == [(200 + 54 * 80) / 8_000]
    assert found.probability.tolist() == [0.5]


def test_a_class_is_detected_again_only_after_it_has_fallen():
    twice = bumps(300, (0, 50, 80, 1.0), (0, 150, 180, 1.0))
    assert len(detection.detections(twice, CLASSES, smooth=1, apart=0.1)) == 2
    assert len(detection.detections(bumps(300, (0, 50, 290, 1.0)), CLASSES, smooth=1, apart=0.1)) == 1


def test_nothing_is_detected_within_the_refractory_time():
    close = bumps(300, (0, 50, 60, 1.0), (1, 70, 75, 1.0), (1, 160, 170, 1.0))
    assert detection.detections(close, CLASSES, smooth=1, apart=0.5).label.tolist() == ["yes", "no"]
    assert detection.detections(close, CLASSES, smooth=1, apart=0.1).label.tolist() == ["yes", "no", "no"]


def test_the_class_nothing_is_never_detected_wherever_it_stands():
    probabilities = bumps(50)[:, ::-1]
    assert detection.detections(probabilities, CLASSES[::-1]).empty


@given(st.integers(1, 60), st.integers(1, 40), st.integers(0, 5))
def test_smoothing_is_the_mean_of_what_came_before(rows, frames, seed):
    probabilities = np.random.default_rng(seed).random([rows, 3])
    expected = [probabilities[max(0, row - frames + 1) : row + 1].mean(axis=0) for row in range(rows)]
    np.testing.assert_allclose(detection.smoothed(probabilities, frames), expected, atol=1e-12)


def test_another_number_of_names_is_refused():
    with pytest.raises(ValueError, match=r"expected probabilities \[frames, 2\], found shape \[5, 3\]"):
        detection.detections(np.zeros([5, 3]), CLASSES[:2])


def test_hits_misses_and_false_alarms():
    said = pd.DataFrame([(1.0, 1.5, "yes"), (3.0, 3.5, "no"), (5.0, 5.5, "yes")], columns=["begin", "end", "label"])
    found = pd.DataFrame(
        [(1.4, "yes", 0.9), (1.9, "yes", 0.9), (3.4, "yes", 0.9), (5.9, "yes", 0.9), (9.0, "no", 0.9)], columns=["seconds", "label", "probability"]
    )
    # 1.4 hits, 1.9 is a second one, 3.4 has the wrong label, 5.9 is late and hits, 9.0 comes from nowhere; "no" is missed
    result = detection.compare(found, said, seconds=360)
    assert result == detection.Spotted(2, 1, 3, 30.0)
    assert str(result) == "2 of 3 heard, 1 missed, 3 false alarms (30 an hour)"
    assert detection.compare(found, said, seconds=360, late=0.3).hits == 1


def test_a_silent_recording_has_no_false_alarm():
    empty = detection.detections(bumps(10), CLASSES)
    assert detection.compare(empty, pd.DataFrame(columns=["begin", "end", "label"]), seconds=60) == detection.Spotted(0, 0, 0, 0.0)
