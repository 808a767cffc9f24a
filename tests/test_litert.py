"""Exported files against the Keras model, under both runtimes that can run them."""

import logging
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_lib import audio, evaluation, models
from course_lib.streaming import Stream, export, export_with_features

pytestmark = pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")  # these tests compare both runtimes
LOOKS_BACK = ["average", "rnn", "lstm", "gru", "stacked"]
TOLERANCE = 1e-4  # logits


@pytest.fixture(params=["LiteRT", "TensorFlow"])
def runtime(request, monkeypatch):
    """The runtime package where it is installed, and the one inside TensorFlow."""
    if request.param == "LiteRT":
        pytest.importorskip("ai_edge_litert", reason="the package ai-edge-litert is not installed")
    else:
        monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    return request.param


@pytest.fixture(scope="module")
def waveforms():
    random = np.random.default_rng(0)
    return [(0.1 * random.standard_normal(length) * random.random()).astype(np.float32) for length in (3_000, 5_500, 900)]


def model_of(name):
    keras.utils.set_random_seed(3)
    return models.BUILDERS[name](6)


def logits_of(stream, waveforms):
    rows = []
    for waveform in waveforms:
        stream.reset()
        stream.push(waveform)
        rows.append(stream.logits)
    return np.stack(rows)


@pytest.mark.parametrize("name", LOOKS_BACK)
@pytest.mark.parametrize("write", [export, export_with_features])
def test_a_float_file_gives_the_logits_of_keras(name, write, waveforms, tmp_path, runtime):
    model = model_of(name)
    written = write(model, tmp_path / "new folder" / "model.tflite")
    expected = evaluation.predict(model, [audio.log_mel(waveform) for waveform in waveforms])
    assert np.abs(logits_of(Stream(written.path), waveforms) - expected).max() <= TOLERANCE
    assert written.kilobytes == written.path.stat().st_size / 1_024


def test_the_file_says_what_it_takes(tmp_path):
    path = export(model_of("lstm"), tmp_path / "model.tflite").path
    runner = tf.lite.Interpreter(str(path)).get_signature_runner()
    inputs = {name: list(detail["shape"]) for name, detail in runner.get_input_details().items()}
    outputs = {name: list(detail["shape"]) for name, detail in runner.get_output_details().items()}
    state = {"lstm_state_0": [1, 64], "lstm_state_1": [1, 64]}
    assert inputs == {"frame": [1, 40]} | state and outputs == {"logits": [1, 6]} | state
    assert {detail["dtype"] for detail in runner.get_input_details().values()} == {np.float32}


@pytest.mark.parametrize("activations, change", [("int8", 0.5), ("int16", 0.05)])
def test_whole_numbers_make_a_file_of_half_the_size_that_answers_nearly_the_same(activations, change, waveforms, tmp_path, runtime):
    model, frames = model_of("gru"), [audio.log_mel(waveform) for waveform in waveforms]
    rounded = export(model, tmp_path / "rounded.tflite", calibration=frames, activations=activations)
    exact = export(model, tmp_path / "exact.tflite")
    assert rounded.kilobytes < exact.kilobytes / 1.8
    difference = np.abs(logits_of(Stream(rounded.path), waveforms) - evaluation.predict(model, frames)).max()
    assert 0 < difference < change
    tensors = tf.lite.Interpreter(str(rounded.path)).get_tensor_details()
    kinds = {detail["dtype"] for detail in tensors if "frame" not in detail["name"] and "state" not in detail["name"] and detail["dtype"] is not np.float32}
    assert np.dtype(activations).type in kinds


def test_nothing_is_written_beside_the_file(tmp_path, capfd, caplog):
    """Notes of the converter on the error stream would stand in a learner's notebook, and a kernel gets TensorFlow's log there, too."""
    caplog.set_level(logging.INFO, "tensorflow")  # as in a kernel
    frames = [np.zeros([20, 40], np.float32)]
    Stream(export(model_of("rnn"), tmp_path / "model.tflite", calibration=frames).path).push(np.zeros(400))
    Stream(export_with_features(model_of("rnn"), tmp_path / "features.tflite").path).push(np.zeros(400))
    assert capfd.readouterr().err == "" and caplog.messages == []
    assert tf.get_logger().level == logging.INFO


def test_other_activations_and_a_model_that_looks_ahead_are_refused(tmp_path):
    with pytest.raises(ValueError, match="expected activations to be one of int8, int16, found 'int4'"):
        export(model_of("gru"), tmp_path / "model.tflite", calibration=[], activations="int4")
    with pytest.raises(ValueError, match="found 'both_ways' \\(Bidirectional\\)"):
        export(models.bidirectional(6), tmp_path / "model.tflite")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_exported_file_is_named(tmp_path, waveforms):
    (tmp_path / "text.tflite").write_text("no model")
    for path, found in [("text.tflite", "found another"), ("none.tflite", "found no such file"), (".", "found a folder")]:
        with pytest.raises(ValueError, match=f"expected a .*file that export wrote, {found}"):
            Stream(tmp_path / path)
    path = export_with_features(model_of("gru"), tmp_path / "model.tflite", frame_length=256).path
    with pytest.raises(ValueError, match="expected a frame_length of 256 samples, as the file has, found 200"):
        Stream(path)
    assert len(Stream(path, frame_length=256).push(waveforms[0])) == 1 + (3_000 - 256) // 80
