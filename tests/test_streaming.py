"""Streams in NumPy against Keras and the whole clip; detections against sums by hand."""

import functools
import json
import pickle
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import audio, batches, models
from course_lib.extra import microscope, steps, streaming
from course_lib.extra.streaming import Spotted, Stream, detections

L = keras.layers
ROOT = Path(__file__).parent.parent
BUILT = ["average", "rnn", "lstm", "gru", "stacked"]  # by the course, and looking only back
OWN = ["mean_of_states", "attention_to_states", "both_forms", "sums", "no_bias", "framewise"]
OWN += ["sequential", "wrapped"]
LOOKS_BACK = [*BUILT, *OWN]
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
    noisy = L.GaussianNoise(0.1)(L.SpatialDropout1D(0.1)(L.Activation("tanh")(first)))
    sums = L.Add()([L.Multiply()([first, second]), L.Subtract()([second, noisy]), second])
    narrow = L.Normalization(mean=-5, variance=16)(L.BatchNormalization(scale=False)(frames))
    bare = [narrow]
    for layer, size in [(L.LSTM, 6), (L.GRU, 5), (L.SimpleRNN, 4)]:
        bare.append(layer(size, use_bias=False, return_sequences=True)(bare[-1]))
    cut = L.ReLU(max_value=0.5, negative_slope=0.1, threshold=0.2)(bare[-1])
    ends = {
        "mean_of_states": mean,
        "attention_to_states": models.AttentionPooling()(states),
        "both_forms": L.LSTM(7)(L.Concatenate()([first, second])),
        "sums": L.LayerNormalization(center=False)(L.GRU(4, reset_after=False)(sums)),
        "no_bias": L.GRU(5, reset_after=False, use_bias=False)(L.Dense(4, use_bias=False)(cut)),
        "wrapped": L.GRU(8)(L.TimeDistributed(L.Dense(6, "tanh"))(frames)),
        "backwards": L.GRU(4, go_backwards=True, name="backwards")(frames),
        "arithmetic": L.GRU(4)(frames * 2),
        "a summary among frames": L.GRU(4)(L.Multiply(name="mixed")([states, L.LSTM(12)(frames)])),
        "along time": L.GRU(4)(L.Concatenate(axis=1, name="along_time")([clip, clip])),
        "a mean as a frame": L.GRU(4)(L.GlobalAveragePooling1D(keepdims=True, name="mean")(clip)),
    }
    made = {name: keras.Model(clip, L.Dense(5)(end)) for name, end in ends.items()}
    made["framewise"] = keras.Model(clip, L.Dense(5)(states))
    layers = [L.BatchNormalization(center=False), L.GRU(4), L.Dense(5)]
    made["sequential"] = keras.Sequential([keras.Input([None, audio.N_MELS]), *layers])
    return made


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

    def logits(name):
        answer = model_of(name)(audio.log_mel(waveform)[None]).numpy()[0]
        return answer[-1] if name == "framewise" else answer

    return functools.cache(logits)


@pytest.mark.parametrize("name", LOOKS_BACK)
@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 6_000), max_size=30))
def test_every_cutting_gives_the_logits_of_the_clip(whole_clip, stream_of, waveform, name, cuts):
    stream, expected = stream_of(name), whole_clip(name)
    rows = [stream.push(piece) for piece in np.split(waveform, np.sort(np.array(cuts, int)))]
    assert sum(map(len, rows)) == audio.frame_count(len(waveform))
    assert np.abs(stream.logits - expected).max() <= TOLERANCE
    assert stream.position == len(waveform)


@pytest.mark.parametrize("name", LOOKS_BACK[:-3])  # the others have no mask, or no last answer
def test_each_row_is_the_answer_to_the_beginning_of_the_clip(model_of, stream_of, waveform, name):
    expected = microscope.running_probabilities(model_of(name), audio.log_mel(waveform))
    np.testing.assert_allclose(stream_of(name).push(waveform), expected, atol=TOLERANCE)


def test_a_long_piece_is_heard_block_by_block(stream_of, waveform, monkeypatch):
    at_once, stream = stream_of("lstm").push(waveform), stream_of("lstm")
    monkeypatch.setattr(streaming, "BLOCK", 7)
    np.testing.assert_allclose(stream.push(waveform), at_once, atol=TOLERANCE)


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
        (np.array([0.0, 1e300]), r"found 1 that are not, the first at 0\.250 s"),
        (np.zeros([2, 100]), r"expected a waveform \[samples\] .* found float64 \[2, 100\]"),
        (np.zeros(100, np.int16), r"in units of full scale, found int16 \[100\]"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
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
    "a summary among frames": "only at a frame and back, found 'mixed'",
    "along time": "only at a frame and back, found 'along_time'",
    "a mean as a frame": "only at a frame and back, found 'mean'",
}


@pytest.mark.parametrize("name", LOOKS_AHEAD)
def test_a_model_that_looks_ahead_is_refused_by_the_name_of_its_layer(model_of, name, tmp_path):
    with pytest.raises(ValueError, match=LOOKS_AHEAD[name]):
        Stream(model_of(name))
    with pytest.raises(ValueError, match=LOOKS_AHEAD[name]):
        streaming.save(model_of(name), tmp_path / "model.npz", classes=list("abcde"))
    assert list(tmp_path.iterdir()) == []


def tanh(x):
    """A function of one's own under the name of one of Keras."""
    return keras.ops.sin(x)


class GRU(L.GRU):
    """A layer of one's own under the name of one of Keras."""


def own_layers():
    """Layers that look only back, and that NumPy does not know here, with what is said of them."""
    return [
        ([L.GRU(3, activation="gelu", name="g")], r"activation .*, found gelu in 'g' \(GRU\)"),
        ([L.GRU(3, activation=tanh)], "an activation of Keras among .*, found tanh in"),
        ([GRU(3, name="mine")], r"only at a frame and back, found 'mine' \(GRU\)"),
        ([L.GRU(3), L.PReLU(name="bent")], r"that NumPy knows here, found 'bent' .*litert\.Step"),
        ([L.GRU(3), L.LayerNormalization(rms_scaling=True)], "without rms_scaling, found it in"),
    ]


@pytest.mark.filterwarnings("ignore:You passed `rms_scaling=True`")
@pytest.mark.parametrize("number", range(5))
def test_what_numpy_does_not_know_is_refused_by_name(number):
    layers, found = own_layers()[number]
    with pytest.raises(ValueError, match=found):
        Stream(keras.Sequential([keras.Input([None, audio.N_MELS]), *layers, L.Dense(2)]))


def test_a_layer_used_twice_is_refused():
    clip = keras.Input([None, audio.N_MELS])
    twice = L.Dense(audio.N_MELS, name="twice")
    with pytest.raises(ValueError, match="layers that are used once, found 'after' after one"):
        Stream(keras.Model(clip, L.GRU(2, name="after")(twice(twice(clip)))))


@pytest.mark.parametrize("name", steps.ACTIVATIONS)
def test_activations_are_those_of_keras(name):
    values = np.random.default_rng(5).normal(0, 4, [20, 7]).astype(np.float32)
    found = steps.ACTIVATIONS[name](values)
    np.testing.assert_allclose(found, keras.activations.get(name)(values), atol=1e-6)
    assert found.dtype == np.float32


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


@pytest.fixture(scope="module")
def file_of(model_of, tmp_path_factory):
    """The path of each model's file."""
    folder = tmp_path_factory.mktemp("files") / "new folder"
    save = functools.partial(streaming.save, classes=list("abcde"))
    return functools.cache(lambda name: save(model_of(name), folder / f"{name}.npz"))


@pytest.mark.parametrize("name", LOOKS_BACK)
def test_a_file_gives_what_its_model_gives(model_of, file_of, waveform, name):
    of_model, of_file = Stream(model_of(name)), Stream(str(file_of(name)))
    np.testing.assert_array_equal(of_file.push(waveform), of_model.push(waveform))
    assert (of_file.classes, of_model.classes) == (list("abcde"), None)


def test_a_file_knows_its_settings(waveform, tmp_path):
    keras.utils.set_random_seed(0)
    options = {"sample_rate": 16_000, "frame_length": 400, "frame_step": 320}
    model = models.gru(2, n_mels=64)
    path = streaming.save(model, tmp_path / "model.npz", classes=["ä", "b c"], **options)
    stream = Stream(path)
    for piece in np.split(waveform, range(0, 6_000, 130)):
        stream.push(piece)
    whole = model(audio.log_mel(waveform, **options, n_mels=64)[None]).numpy()[0]
    assert np.abs(stream.logits - whole).max() <= TOLERANCE and stream.classes == ["ä", "b c"]
    assert {name: getattr(stream, name) for name in options} == options
    np.testing.assert_array_equal(
        Stream(path, **options).push(waveform), Stream(path).push(waveform)
    )
    with pytest.raises(ValueError, match="a frame_step of 320, as the file has, found 80"):
        Stream(path, frame_step=80)


def damaged(path, how):
    """A copy of a model's file with a fault."""
    content, copy = path.read_bytes(), path.with_name(f"{how}.npz")
    arrays = dict(np.load(path))
    about = json.loads(str(arrays.pop("about")))
    arrays |= {"scale scale": np.array(None)} if how == "an object" else {}
    if how == "a missing weight":
        del arrays["gru kernel"]
    if how == "an unknown kind":
        about["layers"][1][1] = "cwrnn"
    if how == "another format":
        about["format"] = "course_lib stream 0"
    if how == "another number of classes":
        about["classes"] = ["a"]
    np.savez(copy, **arrays, about=json.dumps(about))
    if how == "cut short":
        copy.write_bytes(content[: len(content) // 2])
    if how == "a changed byte":
        middle = len(content) // 2
        copy.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    if how == "pickled":
        copy.write_bytes(pickle.dumps(arrays))
    if how == "empty":
        copy.write_bytes(b"")
    if how == "one array":
        with copy.open("wb") as file:
            np.save(file, np.zeros(3))
    if how == "foreign":
        np.savez(copy, weights=np.zeros(3))
    return copy


FAULTS = {
    "cut short": "not a zip file",
    "a changed byte": "CRC",
    "pickled": "pickled",
    "an object": "Object arrays cannot be loaded",
    "empty": "No data",
    "one array": "one array, not several",
    "foreign": "about",
    "another format": "the format 'course_lib stream 0', not 'course_lib stream 1'",
    "a missing weight": "kernel",
    "an unknown kind": "cwrnn",
    "another number of classes": "expected 5 classes with a name each, .* found a",
}


@pytest.mark.parametrize("how", FAULTS)
def test_another_or_broken_file_is_refused(file_of, how):
    path = damaged(file_of("gru"), how)
    expected = "a file that streaming.save wrote, found another"
    with pytest.raises(ValueError, match=rf"{how}\.npz: expected {expected} \(.*{FAULTS[how]}"):
        Stream(path)


def test_other_paths_and_other_classes_are_refused(model_of, tmp_path):
    (tmp_path / "a folder.npz").mkdir()
    for found in ("a folder", "none"):
        with pytest.raises(ValueError, match=f"that streaming.save wrote, found {found}"):
            Stream(tmp_path / f"{found}.npz")
    with pytest.raises(ValueError, match=r"model.keras: expected a file .npz or .tflite"):
        Stream("model.keras")
    with pytest.raises(ValueError, match=r"the path of a file .npz, found model.tflite"):
        streaming.save(model_of("gru"), "model.tflite", classes=list("abcde"))
    for classes in ("abcd", "abcda"):
        with pytest.raises(ValueError, match="5 classes with a name each"):
            streaming.save(model_of("gru"), tmp_path / "model.npz", classes=classes)
    with pytest.raises(ValueError, match="frame_step from 1 to 200, the frame_length, found 201"):
        Stream(model_of("gru"), frame_step=201)
    with pytest.raises(ValueError, match="frequency bin in each of 40 bands"):
        options = {"classes": list("abcde"), "frame_length": 40, "frame_step": 40}
        streaming.save(model_of("gru"), tmp_path / "model.npz", **options)
    for model in (None, keras.Sequential([L.GRU(3)])):
        with pytest.raises(ValueError, match="a built Keras model with one input and one output"):
            Stream(model)


LISTENER = """
import sys
import numpy as np
from course_lib.extra.streaming import Stream
rows = Stream(sys.argv[1]).push(np.load(sys.argv[2]))
print(*rows[-1])
print(*{"tensorflow", "keras"} & set(sys.modules))
"""


def test_a_file_needs_no_tensorflow(file_of, stream_of, waveform, tmp_path):
    np.save(tmp_path / "sound.npy", waveform)
    command = [sys.executable, "-c", LISTENER, file_of("lstm"), tmp_path / "sound.npy"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    row, loaded = done.stdout.splitlines()
    assert loaded == ""
    expected = stream_of("lstm").push(waveform)[-1]
    np.testing.assert_allclose(np.array(row.split(), float), expected, atol=1e-6)


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
    assert result == Spotted(2, 1, 3, 0.1) and result.false_alarms_an_hour == 30
    # of 3 events the tables of the Poisson distribution give 0.619 to 8.767
    assert result.limits() == pytest.approx((6.19, 87.67), abs=0.01)
    interval = "30 an hour, 95 % interval 6 to 88"
    assert str(result) == f"2 of 3 heard, 3 false alarms ({interval})"
    assert streaming.compare(found, said, seconds=360, late=0.3).hits == 1
    assert streaming.compare(found, said.set_index("begin", drop=False), seconds=360) == result
    assert streaming.compare(found, said[:0], seconds=360) == Spotted(0, 0, 5, 0.1)
    nothing = streaming.compare(found[:0], said[:0], seconds=3_600)
    assert nothing == Spotted(0, 0, 0, 1.0) and nothing.limits() == pytest.approx(
        (0, 3.69), abs=0.01
    )
