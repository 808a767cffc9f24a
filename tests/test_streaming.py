"""A stream against the whole clip: the same logits however the samples are cut, and clear words when samples are wrong."""

import functools
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import audio, batches, microscope, models
from course_lib.streaming import Stream

L = keras.layers
LOOKS_BACK = ["average", "rnn", "lstm", "gru", "stacked", "mean_of_states", "attention_to_states", "both_forms"]
TOLERANCE = 1e-5  # logits


def front():
    clip = keras.Input([None, audio.N_MELS])
    return clip, L.Rescaling(0.25, 1.25)(L.Masking(batches.PADDING)(clip))


def mean_of_states():
    clip, frames = front()
    return keras.Model(clip, L.Dense(5)(L.GlobalAveragePooling1D()(L.GRU(12, return_sequences=True)(frames))))


def attention_to_states():
    clip, frames = front()
    states = L.Dropout(0.3)(L.LayerNormalization()(L.LSTM(12, return_sequences=True)(frames)))
    return keras.Model(clip, L.Dense(5)(models.AttentionPooling()(states)))


def both_forms():
    """Two GRUs of the two forms beside each other, with a batch normalisation between, as a frame's features may branch."""
    clip, frames = front()
    first = L.GRU(8, reset_after=False, return_sequences=True)(L.BatchNormalization()(frames))
    second = L.SimpleRNN(8, return_sequences=True)(L.Dense(6, activation="relu")(frames))
    return keras.Model(clip, L.Dense(5)(L.LSTM(7)(L.Concatenate()([first, second]))))


@pytest.fixture(scope="module")
def model_of():
    """Each model once, with random weights everywhere, biases and running means included."""
    made = {}

    def make(name):
        if name not in made:
            keras.utils.set_random_seed(1)
            build = models.BUILDERS[name] if name in models.BUILDERS else globals()[name]
            made[name] = build(5) if name in models.BUILDERS else build()
            random = np.random.default_rng(2)
            made[name].set_weights([np.abs(weight) + 0.1 * random.random(weight.shape) - 0.03 for weight in made[name].get_weights()])
        return made[name]

    return make


@pytest.fixture(scope="module")
def waveform():
    random = np.random.default_rng(0)
    return (0.2 * random.standard_normal(6_000) * np.linspace(0, 1, 6_000)).astype(np.float32)


@pytest.fixture(scope="module")
def stream_of(model_of):
    """A stream of each model, which begins anew."""
    made = {}

    def begin(name):
        made[name] = made[name] if name in made else Stream(model_of(name))
        made[name].reset()
        return made[name]

    return begin


@pytest.fixture(scope="module")
def whole_clip(model_of, waveform):
    """The logits that Keras gives for the whole clip."""
    return functools.cache(lambda name: model_of(name)(audio.log_mel(waveform)[None]).numpy()[0])


def pieces(waveform, cuts):
    return np.split(waveform, np.sort(np.array(cuts, int) % (len(waveform) + 1)))


@pytest.mark.parametrize("name", LOOKS_BACK)
@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 6_000), max_size=30))
def test_every_cutting_gives_the_logits_of_the_whole_clip(whole_clip, stream_of, waveform, name, cuts):
    stream, expected = stream_of(name), whole_clip(name)
    rows = [stream.push(piece) for piece in pieces(waveform, cuts)]
    assert sum(map(len, rows)) == audio.frame_count(len(waveform))
    assert np.abs(stream.logits - expected).max() <= TOLERANCE
    assert stream.position == len(waveform)


@pytest.mark.parametrize("name", LOOKS_BACK)
def test_each_row_is_the_answer_to_the_beginning_of_the_clip(model_of, stream_of, waveform, name):
    running = stream_of(name).push(waveform)
    np.testing.assert_allclose(running, microscope.running_probabilities(model_of(name), audio.log_mel(waveform)), atol=TOLERANCE)


def test_a_layer_wrapped_for_every_frame(waveform):
    clip, frames = front()
    model = keras.Model(clip, L.Dense(5)(L.GRU(8)(L.TimeDistributed(L.Dense(6))(frames))))
    stream = Stream(model)
    stream.push(waveform)
    assert np.abs(stream.logits - model(audio.log_mel(waveform)[None]).numpy()[0]).max() <= TOLERANCE


def test_features_of_another_rate_and_step(waveform):
    keras.utils.set_random_seed(0)
    model, settings_of = models.gru(3, n_mels=64), {"sample_rate": 16_000, "frame_length": 400, "frame_step": 320}
    stream = Stream(model, **settings_of)
    for piece in pieces(waveform, range(0, 6_000, 130)):
        stream.push(piece)
    whole = model(audio.log_mel(waveform, **settings_of, n_mels=64)[None]).numpy()[0]
    assert np.abs(stream.logits - whole).max() <= TOLERANCE


def test_nothing_comes_before_a_window_is_full(model_of):
    stream = Stream(model_of("gru"))
    assert stream.push(np.zeros(0, np.float32)).shape == (0, 5)
    assert stream.push(np.zeros(199)).shape == (0, 5) and stream.logits is None
    assert stream.push(np.zeros(1)).shape == (1, 5)


@pytest.mark.parametrize(
    "samples, message",
    [
        (np.array([0.1, np.nan, np.inf]), r"expected finite samples, found 2 that are not, the first at 0\.250 s; nothing of this piece was taken"),
        (np.zeros([2, 100]), r"expected a waveform \[samples\] of floats .* found float64 \[2, 100\]"),
        (np.zeros(100, np.int16), r"expected a waveform \[samples\] of floats in units of full scale, found int16 \[100\]"),
    ],
)
def test_a_bad_piece_is_refused_and_leaves_the_stream_as_it_was(model_of, waveform, samples, message):
    stream, untouched = Stream(model_of("lstm")), Stream(model_of("lstm"))
    stream.push(waveform[:2_000]), untouched.push(waveform[:2_000])
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


def test_a_piece_that_was_pushed_before_is_refused(model_of, waveform):
    stream = Stream(model_of("gru"))
    stream.push(waveform)
    with pytest.raises(ValueError, match="expected samples from position 6,000 on, found a piece from 5,000: was it pushed twice?"):
        stream.push(waveform[5_000:], start=5_000)


def test_reset_forgets_everything(model_of, waveform):
    stream = Stream(model_of("stacked"))
    first = stream.push(waveform)
    stream.reset()
    assert stream.logits is None and stream.position == 0
    np.testing.assert_array_equal(stream.push(waveform), first)


@pytest.mark.parametrize("name, layer", [("bidirectional", "both_ways"), ("attention", "both_ways"), ("crnn", "convolutions")])
def test_a_model_that_looks_ahead_is_refused_by_the_name_of_its_layer(name, layer):
    with pytest.raises(ValueError, match=f"expected layers that look only at a frame and back, found '{layer}'"):
        Stream(models.BUILDERS[name](5))


def test_backward_and_arithmetic_are_refused():
    clip, frames = front()
    with pytest.raises(ValueError, match="found 'backwards' \\(GRU\\)"):
        Stream(keras.Model(clip, L.Dense(5)(L.GRU(4, go_backwards=True, name="backwards")(frames))))
    with pytest.raises(ValueError, match="found the operation 'multiply.*' between them: write it as a layer"):
        Stream(keras.Model(clip, L.Dense(5)(L.GRU(4)(frames * 2))))


ENDLESS = """
import keras
import numpy as np
import psutil

from course_lib import audio, models
from course_lib.streaming import Stream

keras.utils.set_random_seed(0)
stream, process = Stream(models.gru(5)), psutil.Process()
pieces_of_a_minute = np.random.default_rng(0).normal(0, 0.1, [6_000, 80]).astype(np.float32)


def minute():
    for piece in pieces_of_a_minute:
        stream.push(piece)
    return process.memory_info().rss / 2**20  # MB


begin = minute()
print(max(minute() for _ in range(9)) - begin, len(stream.waiting) / audio.FRAME_LENGTH, stream.position / audio.SAMPLE_RATE)
"""


def test_ten_minutes_in_pieces_of_ten_milliseconds_take_no_memory():
    """In a process of its own, since what other tests left behind grows and shrinks as it likes. To keep the samples would take 17 MB."""
    done = subprocess.run([sys.executable, "-c", ENDLESS], cwd=Path(__file__).parent.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    more, waiting, seconds = map(float, done.stdout.split())
    assert more < 4 and waiting < 1 and seconds == 600
