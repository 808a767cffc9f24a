"""Streams and exported files against the whole clip; detections against sums by hand."""

import functools
import logging
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import audio, batches, evaluation, models
from course_lib.extra import microscope, streaming
from course_lib.extra.streaming import Spotted, Stream, detections, export, export_with_features

# The older runtime announces its successor; both are compared here.
pytestmark = pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
L = keras.layers
ROOT = Path(__file__).parent.parent
BUILT = ["average", "rnn", "lstm", "gru", "stacked"]  # by the course, and looking only back
LOOKS_BACK = [*BUILT, "mean_of_states", "attention_to_states", "both_forms", "wrapped"]
TOLERANCE = 1e-5  # of a logit
CLASSES = ["yes", "no", "nothing"]


def own_models():
    """Models that a learner may write: a mean, an attention, branches, a wrapped layer."""
    clip = keras.Input([None, audio.N_MELS])
    frames = L.Rescaling(0.25, 1.25)(L.Masking(batches.PADDING)(clip))
    mean = L.GlobalAveragePooling1D()(L.GRU(12, return_sequences=True)(frames))
    states = L.Dropout(0.3)(L.LayerNormalization()(L.LSTM(12, return_sequences=True)(frames)))
    first = L.GRU(8, reset_after=False, return_sequences=True)(L.BatchNormalization()(frames))
    second = L.SimpleRNN(8, return_sequences=True)(L.Dense(6, "relu")(frames))
    ends = {
        "mean_of_states": mean,
        "attention_to_states": models.AttentionPooling()(states),
        "both_forms": L.LSTM(7)(L.Concatenate()([first, second])),
        "wrapped": L.GRU(8)(L.TimeDistributed(L.Dense(6, "tanh"))(frames)),
        "backwards": L.GRU(4, go_backwards=True, name="backwards")(frames),
        "arithmetic": L.GRU(4)(frames * 2),
    }
    return {name: keras.Model(clip, L.Dense(5)(end)) for name, end in ends.items()}


@pytest.fixture(scope="module")
def model_of():
    """Each model once, with random weights everywhere, biases and running means included."""

    @functools.cache
    def make(name):
        keras.utils.set_random_seed(1)
        model = models.BUILDERS[name](5) if name in models.BUILDERS else own_models()[name]
        random = np.random.default_rng(2)
        change = [0.1 * random.random(weight.shape) - 0.03 for weight in model.get_weights()]
        model.set_weights([np.abs(w) + c for w, c in zip(model.get_weights(), change, strict=True)])
        return model

    return make


@pytest.fixture(scope="module")
def waveform():
    loudness = 0.2 * np.linspace(0, 1, 6_000)
    return (loudness * np.random.default_rng(0).standard_normal(6_000)).astype(np.float32)


@pytest.fixture(scope="module")
def stream_of(model_of):
    """A stream of each model, which begins anew."""
    made = functools.cache(lambda name: Stream(model_of(name)))

    def begin(name):
        made(name).reset()
        return made(name)

    return begin


@pytest.fixture(scope="module")
def whole_clip(model_of, waveform):
    """The logits that Keras gives for the whole clip."""
    return functools.cache(lambda name: model_of(name)(audio.log_mel(waveform)[None]).numpy()[0])


@pytest.fixture(params=["LiteRT", "TensorFlow"])
def runtime(request, monkeypatch):
    """The package LiteRT where it is installed, and the one inside TensorFlow."""
    if request.param == "LiteRT":
        pytest.importorskip("ai_edge_litert", reason="the package ai-edge-litert is not installed")
    else:
        monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)


def logits_of(stream, waveforms):
    rows = []
    for each in waveforms:
        stream.reset()
        stream.push(each)
        rows.append(stream.logits)
    return np.stack(rows)


@pytest.mark.parametrize("name", LOOKS_BACK)
@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 6_000), max_size=30))
def test_every_cutting_gives_the_logits_of_the_clip(whole_clip, stream_of, waveform, name, cuts):
    stream, expected = stream_of(name), whole_clip(name)
    rows = [stream.push(piece) for piece in np.split(waveform, np.sort(np.array(cuts, int)))]
    assert sum(map(len, rows)) == audio.frame_count(len(waveform))
    assert np.abs(stream.logits - expected).max() <= TOLERANCE
    assert stream.position == len(waveform)


@pytest.mark.parametrize("name", LOOKS_BACK[:-1])  # Keras's TimeDistributed loses the mask
def test_each_row_is_the_answer_to_the_beginning_of_the_clip(model_of, stream_of, waveform, name):
    expected = microscope.running_probabilities(model_of(name), audio.log_mel(waveform))
    np.testing.assert_allclose(stream_of(name).push(waveform), expected, atol=TOLERANCE)


def test_features_of_another_rate_and_step(waveform):
    keras.utils.set_random_seed(0)
    options = {"sample_rate": 16_000, "frame_length": 400, "frame_step": 320}
    model = models.gru(3, n_mels=64)
    stream = Stream(model, **options)
    for piece in np.split(waveform, range(0, 6_000, 130)):
        stream.push(piece)
    whole = model(audio.log_mel(waveform, **options, n_mels=64)[None]).numpy()[0]
    assert np.abs(stream.logits - whole).max() <= TOLERANCE


@pytest.mark.parametrize(
    "samples, message",
    [
        (np.array([0.1, np.nan, np.inf]), r"found 2 that are not, the first at 0\.250 s"),
        (np.zeros([2, 100]), r"expected a waveform \[samples\] .* found float64 \[2, 100\]"),
        (np.zeros(100, np.int16), r"in units of full scale, found int16 \[100\]"),
    ],
)
def test_a_bad_piece_is_refused_and_changes_nothing(model_of, waveform, samples, message):
    stream, untouched = Stream(model_of("lstm")), Stream(model_of("lstm"))
    for each in (stream, untouched):
        each.push(waveform[:2_000])
    with pytest.raises(ValueError, match=message):
        stream.push(samples)
    np.testing.assert_array_equal(stream.push(waveform[2_000:]), untouched.push(waveform[2_000:]))


def test_a_gap_or_a_late_start_begins_anew(model_of, waveform):
    stream, late = Stream(model_of("gru")), Stream(model_of("gru"))
    stream.push(waveform[:2_000])
    after = stream.push(waveform[3_000:], start=3_000)
    np.testing.assert_array_equal(after, late.push(waveform[3_000:], start=3_000))
    np.testing.assert_array_equal(after, Stream(model_of("gru")).push(waveform[3_000:]))
    assert (stream.resets, late.resets, stream.position) == (1, 1, 6_000)
    assert len(stream.push(waveform[:80], start=6_000)) and stream.resets == 1  # no gap
    stream.reset()
    assert stream.logits is None
    np.testing.assert_array_equal(stream.push(waveform[3_000:]), after)
    with pytest.raises(ValueError, match="from position 3,000 on, found a piece from 2,000"):
        stream.push(waveform, start=2_000)


LOOKS_AHEAD = {
    "bidirectional": "layers that look only at a frame and back, found 'both_ways'",
    "attention": "found 'both_ways'",
    "crnn": "found 'convolutions'",
    "backwards": r"found 'backwards' \(GRU\)",
    "arithmetic": "found the operation 'multiply.*' between them",
}


@pytest.mark.parametrize("name", LOOKS_AHEAD)
def test_a_model_that_looks_ahead_is_refused_by_the_name_of_its_layer(model_of, name, tmp_path):
    with pytest.raises(ValueError, match=LOOKS_AHEAD[name]):
        Stream(model_of(name))
    with pytest.raises(ValueError, match=LOOKS_AHEAD[name]):
        export(model_of(name), tmp_path / "model.tflite")
    assert list(tmp_path.iterdir()) == []


ENDLESS = """
import numpy as np, psutil
from course_lib import models
from course_lib.extra.streaming import Stream
stream, process = Stream(models.gru(5)), psutil.Process()
pieces = np.random.default_rng(0).normal(0, 0.1, [6_000, 80]).astype(np.float32)
used = []
for minute in range(10):
    for piece in pieces:
        stream.push(piece)
    used.append(process.memory_info().rss / 2**20)  # MB
print(max(used) - used[0], len(stream.waiting), stream.position)
"""


def test_ten_minutes_in_pieces_of_ten_milliseconds_take_no_memory():
    """In a process of its own, as other tests leave memory behind. The samples are 17 MB."""
    done = subprocess.run([sys.executable, "-c", ENDLESS], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    more, waiting, position = map(float, done.stdout.split())
    assert more < 4 and waiting < audio.FRAME_LENGTH and position == 600 * audio.SAMPLE_RATE


@pytest.mark.parametrize("name", BUILT)
@pytest.mark.parametrize("write", [export, export_with_features])
def test_a_float_file_gives_the_logits_of_keras(model_of, waveform, name, write, tmp_path, runtime):
    waveforms = [waveform, waveform[:900]]
    written = write(model_of(name), tmp_path / "new folder" / "model.tflite")
    expected = evaluation.predict(model_of(name), audio.log_mels(waveforms))
    assert np.abs(logits_of(Stream(written.path), waveforms) - expected).max() <= 1e-4
    assert written.kilobytes == written.path.stat().st_size / 1_024


def test_the_file_says_what_it_takes(model_of, tmp_path):
    path = export(model_of("lstm"), tmp_path / "model.tflite").path
    runner = tf.lite.Interpreter(str(path)).get_signature_runner()
    details = runner.get_input_details(), runner.get_output_details()
    inputs, outputs = ({name: list(part["shape"]) for name, part in d.items()} for d in details)
    state = {"lstm_state_0": [1, 64], "lstm_state_1": [1, 64]}
    assert inputs == {"frame": [1, 40]} | state and outputs == {"logits": [1, 5]} | state
    assert {part["dtype"] for part in details[0].values()} == {np.float32}


@pytest.mark.parametrize("activations, change", [("int8", 0.5), ("int16", 0.05)])
def test_whole_numbers_halve_the_file(activations, change, waveform, tmp_path, runtime):
    keras.utils.set_random_seed(3)
    model, waveforms = models.gru(6), [waveform, waveform[:900]]
    frames = audio.log_mels(waveforms)
    options = {"calibration": frames, "activations": activations}
    rounded = export(model, tmp_path / "rounded.tflite", **options)
    assert rounded.kilobytes < export(model, tmp_path / "exact.tflite").kilobytes / 1.8
    answers = logits_of(Stream(rounded.path), waveforms)
    assert 0 < np.abs(answers - evaluation.predict(model, frames)).max() < change
    tensors = tf.lite.Interpreter(str(rounded.path)).get_tensor_details()
    inside = [part for part in tensors if "frame" not in part["name"]]
    assert np.dtype(activations).type in {part["dtype"] for part in inside}


def test_export_writes_nothing_to_the_notebook(model_of, tmp_path, capfd, caplog):
    """The converter's notes would stand under a cell, as TensorFlow's log does in a kernel."""
    caplog.set_level(logging.INFO, "tensorflow")  # as in a kernel
    frames = [np.zeros([20, 40], np.float32)]
    rounded = export(model_of("rnn"), tmp_path / "model.tflite", calibration=frames)
    with_features = export_with_features(model_of("rnn"), tmp_path / "features.tflite")
    for file in (rounded, with_features):
        Stream(file.path).push(np.zeros(400))
    assert capfd.readouterr().err == "" and caplog.messages == []
    assert logging.root.manager.disable == logging.NOTSET


def test_other_activations_and_other_files_are_refused(model_of, waveform, tmp_path):
    with pytest.raises(ValueError, match="one of int8, int16, found 'int4'"):
        export(model_of("gru"), tmp_path / "model.tflite", activations="int4")
    (tmp_path / "text.tflite").write_text("no model")
    for path, found in [("text.tflite", "another"), ("none.tflite", "none"), (".", "a folder")]:
        with pytest.raises(ValueError, match=f"LiteRT file that export wrote, found {found}"):
            Stream(tmp_path / path)
    path = export_with_features(model_of("gru"), tmp_path / "model.tflite", frame_length=256).path
    with pytest.raises(ValueError, match="a frame_length of 256 samples, .* found 200"):
        Stream(path)
    assert len(Stream(path, frame_length=256).push(waveform)) == 1 + (6_000 - 256) // 80


def bumps(frames, *places):
    """Probabilities that are "nothing" but at (class number, first frame, last frame)."""
    probabilities = np.tile([0.0, 0.0, 1.0], (frames, 1))
    for number, first, last in places:
        probabilities[first:last] = np.eye(3)[number]
    return probabilities


def test_a_bump_is_detected_when_its_mean_reaches_the_threshold():
    found = detections(bumps(200, (0, 50, 120)), CLASSES, threshold=0.5, smooth=10, apart=0.2)
    # the fifth frame of the bump makes the mean of ten 0.5; frame 54 ends at 200 + 54 * 80 samples
    assert found.to_numpy().tolist() == [[(200 + 54 * 80) / 8_000, "yes", 0.5]]
    assert detections(bumps(50)[:, ::-1], CLASSES[::-1]).empty  # "nothing", wherever it stands
    with pytest.raises(ValueError, match=r"probabilities \[frames, 2\], found .*\[50, 3\]"):
        detections(bumps(50), CLASSES[:2])


def test_a_class_is_detected_again_only_when_it_has_fallen_and_time_has_passed():
    def heard(*places, apart=0.1):
        found = detections(bumps(300, *places), CLASSES, smooth=1, apart=apart)
        return found.label.tolist()

    assert heard((0, 50, 290)) == ["yes"]
    assert heard((0, 50, 80), (0, 150, 180)) == ["yes", "yes"]
    close = (0, 50, 60), (1, 70, 75), (1, 160, 170)
    assert heard(*close) == ["yes", "no", "no"] and heard(*close, apart=0.5) == ["yes", "no"]


@given(st.integers(1, 60), st.integers(1, 40), st.integers(0, 5))
def test_smoothing_is_the_mean_of_what_came_before(rows, frames, seed):
    given_rows = np.random.default_rng(seed).random([rows, 3])
    expected = [given_rows[max(0, row - frames + 1) : row + 1].mean(axis=0) for row in range(rows)]
    np.testing.assert_allclose(streaming.smoothed(given_rows, frames), expected, atol=1e-12)


def test_hits_misses_and_false_alarms():
    columns = ["begin", "end", "label"]
    said = pd.DataFrame([(1, 1.5, "yes"), (3, 3.5, "no"), (5, 5.5, "yes")], columns=columns)
    rows = [(1.4, "yes"), (1.9, "yes"), (3.4, "yes"), (5.9, "yes"), (9.0, "no")]
    found = pd.DataFrame(rows, columns=["seconds", "label"])
    # 1.4 hits, 1.9 is a second one, 3.4 has the wrong label, 5.9 is late and hits, 9.0 is far off
    result = streaming.compare(found, said, seconds=360)
    assert result == Spotted(2, 1, 3, 30.0)
    assert str(result) == "2 of 3 heard, 1 missed, 3 false alarms (30 an hour)"
    assert streaming.compare(found, said, seconds=360, late=0.3).hits == 1
    assert streaming.compare(found, said.set_index("begin", drop=False), seconds=360) == result
    assert streaming.compare(found, said[:0], seconds=360) == Spotted(0, 0, 5, 50.0)
    assert streaming.compare(found[:0], said[:0], seconds=60) == Spotted(0, 0, 0, 0.0)
