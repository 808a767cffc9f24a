"""Exported LiteRT files and the TensorFlow step against the whole clip, in both runtimes."""

import functools
import json
import logging
import sys
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_lib import audio, batches, evaluation, models
from course_lib.extra.litert import Step, export, export_with_features
from course_lib.extra.streaming import Stream

# The older runtime announces its successor; both are compared here.
pytestmark = pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
L = keras.layers
BUILT = ["average", "rnn", "lstm", "gru", "stacked"]  # by the course, and looking only back


@pytest.fixture(scope="module")
def model_of():
    """Each of the course's models once, with random weights, biases included."""

    @functools.cache
    def make(name):
        keras.utils.set_random_seed(1)
        model = models.BUILDERS[name](5)
        random = np.random.default_rng(2)
        weights = [np.abs(w) + 0.1 * random.random(w.shape) - 0.03 for w in model.get_weights()]
        model.set_weights(weights)
        return model

    return make


@pytest.fixture(scope="module")
def waveform():
    loudness = 0.2 * np.linspace(0, 1, 6_000)
    return (loudness * np.random.default_rng(0).standard_normal(6_000)).astype(np.float32)


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


class Doubled(L.Layer):
    """A layer of a learner's own."""

    def call(self, summary):
        return 2 * summary


def own_models():
    """Models that only TensorFlow steps, and models that look ahead."""
    clip = keras.Input([None, audio.N_MELS])
    frames = L.Rescaling(0.25, 1.25)(L.Masking(batches.PADDING)(clip))
    states, summary = L.GRU(6, return_sequences=True)(frames), L.GRU(6)(frames)
    twice = L.Dense(audio.N_MELS)
    answers = {
        "own_cells": L.RNN([L.GRUCell(6), L.LSTMCell(5)])(frames),
        "own_layer": Doubled()(L.GRU(6, activation="gelu")(frames)),
        "attention": models.AttentionPooling()(states),
        "backwards": L.GRU(4, go_backwards=True, name="backwards")(frames),
        "arithmetic": L.GRU(4)(frames * 2),
        "a summary among frames": L.GRU(4)(L.Multiply(name="mixed")([states, summary])),
        "along time": L.GRU(4)(L.Concatenate(axis=1, name="along_time")([clip, clip])),
        "twice": L.GRU(4, name="after")(twice(twice(clip))),
        "a mean as a frame": L.GRU(4)(L.GlobalAveragePooling1D(keepdims=True, name="mean")(clip)),
    }
    return {name: keras.Model(clip, L.Dense(3)(answer)) for name, answer in answers.items()}


@pytest.mark.parametrize("name", ["own_cells", "own_layer", "attention"])
def test_a_stream_takes_a_step_in_tensorflow(waveform, name):
    keras.utils.set_random_seed(4)
    model = own_models()[name]
    stream = Stream(Step(model))
    rows = [stream.push(piece) for piece in np.split(waveform, [10, 500, 501, 4_000])]
    assert sum(map(len, rows)) == audio.frame_count(len(waveform))
    assert np.abs(stream.logits - model(audio.log_mel(waveform)[None])).max() <= 1e-5


@pytest.mark.parametrize(
    "name, found",
    [
        ("backwards", r"only at a frame and back, found 'backwards' \(GRU\)"),
        ("arithmetic", "found the operation 'multiply.*' between them"),
        ("a summary among frames", "only at a frame and back, found 'mixed'"),
        ("along time", "only at a frame and back, found 'along_time'"),
        ("twice", "layers that are used once, found 'after' after one that is used twice"),
        ("a mean as a frame", "only at a frame and back, found 'mean'"),
    ],
)
def test_a_model_that_looks_ahead_is_not_exported(name, found, tmp_path):
    with pytest.raises(ValueError, match=found):
        export(own_models()[name], tmp_path / "model.tflite")
    assert list(tmp_path.iterdir()) == []


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


SETTINGS = {"sample_rate": 16_000, "frame_length": 400, "frame_step": 320}


@pytest.mark.parametrize("write", [export, export_with_features])
def test_a_file_describes_itself_and_still_runs(write, waveform, tmp_path, runtime):
    keras.utils.set_random_seed(5)
    model, path = models.gru(2, n_mels=64), tmp_path / "model.tflite"
    bare = write(model, tmp_path / "bare.tflite", **SETTINGS)
    assert Stream(bare.path).classes is None and not (tmp_path / "bare.json").exists()
    written = write(model, path, classes=["ä", "b c"], version="7", **SETTINGS)
    assert written.kilobytes == path.stat().st_size / 1_024 > bare.kilobytes
    described = {"classes": ["ä", "b c"], "version": "7", "n_mels": 64, **SETTINGS}
    beside = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("about.json")) == beside
    assert described.items() <= beside.items()
    stream = Stream(path)
    assert {name: getattr(stream, name) for name in SETTINGS} == SETTINGS
    frames = audio.log_mel(waveform, **SETTINGS, n_mels=64)
    assert stream.classes == ["ä", "b c"] and len(stream.push(waveform)) == len(frames)
    assert np.abs(stream.logits - evaluation.predict(model, [frames])[0]).max() <= 1e-4
    with pytest.raises(ValueError, match="a frame_step of 320, as the file has, found 80"):
        Stream(path, frame_step=80)


def test_a_description_of_another_model_or_form_is_refused(model_of, tmp_path):
    path = tmp_path / "model.tflite"
    for classes in ("abcd", "abcda"):
        with pytest.raises(ValueError, match="5 classes with a name each, .* found a, b"):
            export(model_of("gru"), path, classes=classes)
    assert list(tmp_path.iterdir()) == []
    export(model_of("gru"), path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("about.json", json.dumps({"format": "course_lib step 0"}))
    with pytest.raises(ValueError, match="the format 'course_lib step 1', found '.* step 0'"):
        Stream(path)


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
    (tmp_path / "another.tflite").write_text("no model")
    (tmp_path / "a folder.tflite").mkdir()
    for found in ("another", "a folder", "none"):
        with pytest.raises(ValueError, match=f"LiteRT file that export wrote, found {found}"):
            Stream(tmp_path / f"{found}.tflite")
    path = export_with_features(model_of("gru"), tmp_path / "model.tflite", frame_length=256).path
    with pytest.raises(ValueError, match="a frame_length of 256, as the file has, found 200"):
        Stream(path, frame_length=200)
    assert len(Stream(path).push(waveform)) == 1 + (6_000 - 256) // 80
