"""What lessons give to take home runs where there is no course, learns, and its mask is exact."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile

from course_lib import audio, data
from tools import build

SOUNDS = """
import sys
sys.modules["course_lib"] = None  # importing it is an error
import numpy as np
def made(rng, count):
    labels = np.arange(count) % 3
    sounds = []
    for label in labels:
        frames = rng.normal(-5, 3, [rng.integers(12, 50), 40]).astype(np.float32)
        frames[:, 10 * label : 10 * label + 10] += 5
        sounds.append(frames)
    return sounds, labels
sounds, labels = made(np.random.default_rng(0), 300)
"""
JUDGED = """
new_sounds, new_labels = made(np.random.default_rng(1), 60)
alone = np.concatenate([np.asarray(model(frames[None])) for frames in new_sounds])
assert alone.shape == (60, 3), alone.shape
for more in (0, 9):
    box = np.full([60, 50 + more, 40], PADDING, np.float32)
    for row, frames in zip(box, new_sounds):
        row[: len(frames)] = frames
    change = np.abs(np.asarray(model(box)) - alone).max()
    assert change <= 1e-5 * max(1, np.abs(alone).max()), f"padding changes a logit by {change}"
accuracy = (alone.argmax(axis=1) == new_labels).mean()
assert accuracy >= 0.9, f"accuracy {accuracy} on new clips"
"""


def recipe_of(source):
    found = [c.source for c in build.read(source) if "recipe" in c.metadata.get("tags", [])]
    assert len(found) <= 1, f"{source.name}: expected one recipe, found {len(found)}"
    return found[0] if found else None


RECIPES = {build.number(source): recipe_of(source) for source in build.sources()}
TAKEN_HOME = [name for name, code in RECIPES.items() if code and name >= "03"]


@pytest.mark.parametrize("lesson", TAKEN_HOME)
def test_a_recipe_learns_and_padding_changes_nothing(lesson, tmp_path):
    done = run(SOUNDS + RECIPES[lesson] + JUDGED, tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_recipe_for_frames_gives_those_of_the_course(tmp_path):
    path = tmp_path / "word.wav"
    word = audio.read(data.load("spoken-digits").path[0])
    soundfile.write(path, word, audio.SAMPLE_RATE)
    blocked = "import sys\nsys.modules['course_lib'] = None\n"
    code = f"{blocked}path = {str(path)!r}\n{RECIPES['01']}\nimport numpy\n"
    done = run(code + "numpy.save('frames.npy', frames)", tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    expected = audio.log_mel(audio.read(path))
    np.testing.assert_allclose(np.load(tmp_path / "frames.npy"), expected, atol=1e-3)


def test_every_lesson_that_trains_from_the_third_to_the_ninth_gives_a_recipe():
    assert {f"{number:02}" for number in range(3, 10)} <= set(TAKEN_HOME)
    assert (build.DOCS / "recipes.md").read_text("utf-8") == build.recipes(), "run: make build"


def run(code, folder):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
