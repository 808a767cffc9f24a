"""The page that listens: it is fresh, asks no server, and computes what Keras and NumPy compute."""

import base64
import importlib.util
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import soxr

from course_lib import audio, batches, models
from course_lib.extra import microscope, streaming

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "live"
DIGITS = ROOT / "data" / "spoken-digits" / "clips"
COMMANDS = ROOT / "data" / "spoken-commands" / "clips"
CLOSE = 1e-5  # of states, gates and probabilities
PATHS = sorted(DIGITS.glob("*_0.flac"))[::13][:20]  # of all digits and of ten voices
NAMES = ["digits", "commands", "rnn", "lstm", "gru"]
HELPERS = """() => {
globalThis.floats = (text) =>
  new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
globalThis.text = (rows) => {
  const bytes = new Uint8Array(Float32Array.from(rows.flatMap((row) => [...row])).buffer);
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  return btoa(letters);
};
globalThis.model = (name) => new engine.Model(DATA.models[name]);
globalThis.framesOf = (samples) => new engine.LogMel(DATA.frame).push(floats(samples));
}"""


@pytest.fixture(scope="module")
def make():
    spec = importlib.util.spec_from_file_location("make_live", FOLDER / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page(browser):
    """The page as it is committed, opened from its folder; whatever it asks for or says is kept."""
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.asked, page.said = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.goto((FOLDER / "index.html").as_uri())
    page.evaluate(HELPERS)
    yield page
    context.close()


@pytest.fixture(scope="module")
def clips():
    """Waveforms of 20 clips."""
    return [audio.read(path) for path in PATHS]


@pytest.fixture(scope="module")
def frames(clips):
    return audio.log_mels(clips)


@pytest.fixture(scope="module", params=NAMES)
def known(request):
    """A model of the page: its name, and itself in Keras."""
    return request.param, in_keras(request.param)


def in_keras(name):
    if name in ("digits", "commands"):
        if not (models.READY / f"{name}.keras").exists():
            pytest.skip(f"there are no ready {name}")
        return models.ready(name)[0]
    stream = streaming.Stream(FOLDER / "models" / f"{name}.npz")
    [of_cell] = [each.weights for each in stream.runner.records if each.kind == name]
    [of_logits] = [each.weights for each in stream.runner.records if each.kind == "dense"]
    model = models.BUILDERS[name](len(stream.classes), units=len(of_cell["recurrent"]))
    bias = of_cell["bias"]
    if name == "gru":
        bias = np.stack([bias, of_cell["recurrent_bias"]])
    layers = [of_cell["kernel"], of_cell["recurrent"], bias, *of_logits.values()]
    model.set_weights(layers)
    return model


def sent(values):
    """Numbers as base64, which the page's `floats` reads."""
    return base64.b64encode(np.asarray(values, "<f4").tobytes()).decode()


def received(text, columns):
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(-1, columns)


def weights_of(model):
    kernel, recurrent, bias, logits_kernel, logits_bias = model.get_weights()
    return kernel, recurrent, bias, logits_kernel, logits_bias


def heard(
    page, name, waveform, *, frames="(frames) => frames", model="model", options="() => ({})"
):
    """What the page computes of a waveform: states, gates by name, probabilities, by frame."""
    found = page.evaluate(
        f"""([name, samples]) => {{
          const one = ({model})(name);
          const frames = ({frames})(framesOf(samples));
          const found = engine.run(one, frames, ({options})(frames));
          const gates = Object.keys(found.gates[0]);
          const byGate = gates.map((gate) => [gate, text(found.gates.map((each) => each[gate]))]);
          return {{
            frames: text(frames),
            gates: Object.fromEntries(byGate),
            state: text(found.states.map((state) => state.h)),
            probabilities: text(found.probabilities),
            units: one.units,
            classes: one.classes.length,
          }};
        }}""",
        [name, sent(waveform)],
    )
    units, classes = found["units"], found["classes"]
    values = {gate: received(text, units) for gate, text in found["gates"].items()}
    values["state"] = received(found["state"], units)
    values["probabilities"] = received(found["probabilities"], classes)
    values["frames"] = received(found["frames"], audio.N_MELS)
    return values


def by_hand(model, frames, *, gain=1, linear=False, force=None, rounded=lambda weights: weights):
    """The states of a Keras model's cell in NumPy, float64; a gate may be forced."""
    kernel, recurrent, bias, *_ = weights_of(model)
    kernel, recurrent = rounded(kernel), rounded(recurrent * np.float32(gain))
    bias = np.atleast_2d(bias)
    units, states = recurrent.shape[0], []
    state = cell = np.zeros(units)
    scaled = (frames - audio.TYPICAL_LOG_MEL) / models.SPREAD_LOG_MEL

    def gate(name, sums):
        opened = 1 / (1 + np.exp(-sums))
        return opened if force is None or name != force[0] else np.full(units, float(force[1]))

    for frame in np.float64(scaled):
        drive, past = frame @ kernel + bias[0], state @ recurrent
        if recurrent.shape[1] == units:
            state = drive + past if linear else np.tanh(drive + past)
        elif recurrent.shape[1] == 3 * units:
            z, r, g = np.split(drive, 3)
            z_past, r_past, g_past = np.split(past + bias[1], 3)
            candidate = np.tanh(g + gate("reset", r + r_past) * g_past)
            kept = gate("update", z + z_past)
            state = kept * state + (1 - kept) * candidate
        else:
            i, f, g, o = np.split(drive + past, 4)
            cell = gate("forget", f) * cell + gate("input", i) * np.tanh(g)
            state = gate("output", o) * np.tanh(cell)
        states.append(state)
    return np.array(states)


def answers(model, states, *, rounded=lambda weights: weights):
    *_, kernel, bias = weights_of(model)
    return streaming.softmax(states @ rounded(kernel) + bias)


# --- the page as a file


def test_the_page_is_as_fresh_as_its_sources(make, tmp_path):
    made = make.main(tmp_path / "page.html").read_bytes()
    assert made == (FOLDER / "index.html").read_bytes(), "run: python docs/live/make.py"
    assert len(made) <= 1_000_000


def test_the_build_refuses_what_it_cannot_join(make, monkeypatch, tmp_path):
    monkeypatch.setattr(make, "HERE", tmp_path)
    one, other = tmp_path / "one.js", tmp_path / "other.js"
    with pytest.raises(ValueError, match="found name in one.js and other.js"):
        make.check_unique({one: ["name"], other: ["name"]})
    with pytest.raises(ValueError, match="found import './one.js'"):
        make.plain(other, "import './one.js';\n")
    with pytest.raises(ValueError, match="found {a, b} ="):
        make.defined(other, "const {a, b} = c;\n")
    one.write_text('import {two} from "./other.js";\n')
    other.write_text('import {one} from "./one.js";\n')
    with pytest.raises(ValueError, match="found one.js → other.js → one.js"):
        make.in_order([one])


def test_the_page_asks_for_nothing_and_complains_of_nothing(page):
    page.wait_for_timeout(300)
    assert [url for url in page.asked if not url.startswith(("file:", "data:"))] == []
    assert page.said == []


def test_each_model_and_clip_shows_its_licence(page):
    carried = page.evaluate(
        "[Object.values(DATA.models).map((each) => [each.name, each.licence]), "
        "DATA.clips.map((each) => each.licence)]"
    )
    expected = {"digits": "CC BY-SA 4.0"}
    assert all(licence == expected.get(name, "CC BY 4.0") for name, licence in carried[0])
    assert carried[1] == ["CC BY 4.0"] * 20


def test_the_clips_are_by_voices_unknown_to_the_models_and_are_heard(make):
    voices = pd.read_csv(DIGITS.parent / "clips.csv", index_col="file")
    digits, classes = models.ready("digits")
    listens = streaming.Stream(digits)
    small = [streaming.Stream(FOLDER / "models" / f"{name}.npz") for name in ("gru", "lstm")]
    for name in make.CLIPS:
        assert voices.loc[f"{name}.flac", "split"] == "test"
        waveform, word = audio.read(DIGITS / f"{name}.flac"), name[0]
        listens.reset()
        probabilities = listens.push(np.pad(waveform, [800, 4_000]))[:, :10]
        assert classes[probabilities.max(axis=0).argmax()] == word, name
        for stream in small:
            stream.reset()
            assert stream.classes[stream.push(waveform)[-1].argmax()] == word, name


def test_the_commands_are_first_takes_by_test_voices_in_turn(make, page):
    voices = pd.read_csv(COMMANDS.parent / "clips.csv", index_col="file")
    model, classes = models.ready("commands")
    listens, right = streaming.Stream(model), 0
    carried = page.evaluate(
        "DATA.clips.slice(10).map(({ word, voice, samples }) => [word, voice, text([samples])])"
    )
    in_turn = [make.TEST_VOICES[number % 6] for number in range(10)]
    assert [voice for _, voice, _ in carried] == in_turn
    assert [word for word, _, _ in carried] == classes[:10]
    for word, voice, samples in carried:
        name = f"{word}/{voice}_0.mp3"
        assert voices.loc[name, "split"] == "test"
        waveform = received(samples, 1)[:, 0]
        # A step of 16 bits: an MP3 is not decoded to the same samples on every machine.
        np.testing.assert_allclose(waveform, audio.read(COMMANDS / name), atol=2 / 32_768)
        listens.reset()
        probabilities = listens.push(np.pad(waveform, [800, 2_240]))[:, :10]
        right += classes[probabilities.max(axis=0).argmax()] == word
    page.select_option("#model", "commands")
    assert f"gets {right} of 10 right" in page.inner_text("#heard")
    page.select_option("#model", "digits")


# --- the same numbers


def test_log_mel_frames_are_those_of_the_course(page, clips, frames):
    for waveform, by_course in zip(clips, frames):
        found = page.evaluate("(samples) => text(framesOf(samples))", sent(waveform))
        windows = np.lib.stride_tricks.sliding_window_view(waveform, audio.FRAME_LENGTH)
        windows = np.float64(windows[:: audio.FRAME_STEP] * audio.window())
        power = np.abs(np.fft.rfft(windows, audio.FFT_LENGTH)) ** 2
        exact = np.log(power @ np.float64(audio.mel_filters()) + audio.LOG_OFFSET)
        np.testing.assert_allclose(received(found, audio.N_MELS), exact, atol=CLOSE)
        # The course computes in float32, which is further from the exact values than the page is.
        np.testing.assert_allclose(received(found, audio.N_MELS), by_course, atol=1e-4)


def test_log_mel_frames_do_not_depend_on_the_pieces(page, clips):
    whole, pieces = page.evaluate(
        """(samples) => {
          const all = floats(samples);
          const ears = new engine.LogMel(DATA.frame);
          const frames = [];
          for (let at = 0; at < all.length; at += 37) {
            frames.push(...ears.push(all.slice(at, at + 37)));
          }
          return [text(framesOf(samples)), text(frames)];
        }""",
        sent(clips[0]),
    )
    assert whole == pieces


def test_states_gates_and_probabilities_are_those_of_keras(page, clips, frames, known):
    name, model = known
    padded = batches.pad(frames)
    recurrent, logits = model.layers[-2], model.layers[-1]
    every_state = type(recurrent)(recurrent.units, return_sequences=True)
    scaled = (padded - audio.TYPICAL_LOG_MEL) / models.SPREAD_LOG_MEL
    every_state.build(scaled.shape)
    every_state.set_weights(recurrent.get_weights())
    states = keras.ops.convert_to_numpy(every_state(scaled))
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(logits(states)))
    for number, waveform in enumerate(clips):
        found, count = heard(page, name, waveform), len(frames[number])
        by_keras = {"state": states[number, :count]}
        by_keras["probabilities"] = probabilities[number, :count]
        if name != "rnn":
            by_gate = microscope.gates(model, frames[number])
            by_keras |= {key: by_gate[key] for key in found.keys() & by_gate.keys() - {"state"}}
            assert len(by_keras) >= 5
        for key, values in by_keras.items():
            np.testing.assert_allclose(found[key], values, atol=CLOSE, err_msg=key)


def test_gradients_by_frame_are_those_of_keras(page, clips, frames, known):
    name, model = known
    for waveform, of_clip in list(zip(clips, frames))[::5]:
        found = page.evaluate(
            "([name, samples]) => [...engine.gradientByFrame(model(name), framesOf(samples), 3)]",
            [name, sent(waveform)],
        )
        by_keras = microscope.gradient_by_frame(model, of_clip, 3)
        np.testing.assert_allclose(found, by_keras, atol=1e-4 * by_keras.max())


def test_what_the_units_add_sums_to_the_logits(page, clips, known):
    name, _ = known
    difference = page.evaluate(
        """([name, samples]) => {
          const one = model(name);
          const found = engine.run(one, framesOf(samples));
          const sums = Float64Array.from(one.weights.logitsBias);
          for (let unit = 0; unit < one.units; unit += 1) {
            const added = one.contribution(unit, found.states.at(-1));
            added.forEach((value, number) => (sums[number] += value));
          }
          return Math.max(...sums.map((sum, n) => Math.abs(sum - found.logits.at(-1)[n])));
        }""",
        [name, sent(clips[0])],
    )
    assert difference < CLOSE


def test_detections_are_those_of_the_course(page, clips):
    model, classes = models.ready("digits")
    pause = np.zeros(2_400, np.float32)
    talk = np.concatenate([part for waveform in clips for part in (waveform, pause)])
    probabilities = streaming.Stream(model).push(talk)
    for settings in ({}, {"threshold": 0.3, "smooth": 4, "apart": 0.1}):
        by_course = streaming.detections(probabilities, classes, **settings)
        found = page.evaluate(
            """([settings, classes, rows]) => {
              const detector = new engine.Detector({ classes, ...settings });
              const all = floats(rows);
              const found = [];
              for (let frame = 0; frame < all.length / classes.length; frame += 1) {
                const row = all.subarray(frame * classes.length, (frame + 1) * classes.length);
                found.push(detector.push(row, (200 + 80 * frame) / 8000));
              }
              return found.filter((each) => each !== null);
            }""",
            [settings, classes, sent(probabilities)],
        )
        assert len(by_course) > 5
        assert [each["label"] for each in found] == by_course.label.astype(str).tolist()
        for column in ("seconds", "probability"):
            values = [each[column] for each in found]
            np.testing.assert_allclose(values, by_course[column].astype(float), atol=1e-6)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_another_rate_is_resampled_as_soxr_does(page, clips, rate):
    sound = soxr.resample(clips[0], 8_000, rate).astype(np.float32)
    found = page.evaluate(
        """([samples, rate]) => {
          const all = floats(samples);
          const stream = new engine.Resampler(rate, 8000);
          const pieces = [];
          for (let at = 0; at < all.length; at += 128) {
            pieces.push(stream.push(all.slice(at, at + 128)));
          }
          return [text([engine.resample(all, rate, 8000)]), text(pieces)];
        }""",
        [sent(sound), rate],
    )
    whole, pieces = (received(each, 1)[:, 0] for each in found)
    by_soxr = soxr.resample(sound, rate, 8_000)
    count = min(len(by_soxr), len(whole))
    assert abs(len(by_soxr) - len(whole)) <= 1
    error = np.square(whole[:count] - by_soxr[:count]).mean() / np.square(by_soxr).mean()
    assert error < 1e-3, "30 dB: the filters differ above 3.5 kHz alone"
    np.testing.assert_array_equal(pieces, whole[: len(pieces)])
    seconds = np.arange(rate) / rate
    for hertz, expected in [(440, 1), (3_300, 1), (5_000, 0)]:
        tone = np.sin(2 * np.pi * hertz * seconds)
        script = "([samples, rate]) => text([engine.resample(floats(samples), rate, 8000)])"
        passed = received(page.evaluate(script, [sent(tone), rate]), 1)[800:-800]
        assert np.sqrt(2 * np.square(passed).mean()) == pytest.approx(expected, abs=2e-3)


# --- the experiments


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize(
    ("name", "gate"),
    [
        *[("digits", gate) for gate in ("update", "reset")],
        *[("lstm", gate) for gate in ("input", "forget", "output")],
    ],
)
def test_a_gate_is_forced(page, clips, name, gate, value):
    options = f"() => ({{ force: {{ gate: '{gate}', value: {value} }} }})"
    found = heard(page, name, clips[0], options=options)
    assert (found[gate] == value).all()
    model = in_keras(name)
    expected = by_hand(model, found["frames"], force=(gate, value))
    np.testing.assert_allclose(found["state"], expected, atol=CLOSE)
    np.testing.assert_allclose(found["probabilities"], answers(model, expected), atol=CLOSE)
    if (gate, value) in [("update", 1), ("input", 0), ("output", 0)]:
        assert not found["state"].any(), "nothing came in, or out"


def test_a_gate_of_some_units_is_forced(page, clips):
    options = "() => ({ force: [{ gate: 'update', value: 1, units: new Set([2, 5]) }] })"
    found = heard(page, "gru", clips[0], options=options)
    assert np.flatnonzero(~found["state"].any(axis=0)).tolist() == [2, 5]
    with pytest.raises(Exception, match="expected a gate of this gru .update, reset., found input"):
        heard(page, "gru", clips[0], options="() => ({ force: { gate: 'input', value: 1 } })")


def test_a_masked_silence_changes_nothing_and_without_the_mask_it_does(page, clips, frames, known):
    name, model = known
    longer = "(frames) => engine.withSilence(frames, 100)"
    count = len(frames[0])
    masked = heard(
        page,
        name,
        clips[0],
        frames=longer,
        options=f"(frames) => ({{ masked: frames.map((_, number) => number >= {count}) }})",
    )
    torn = heard(page, name, clips[0], frames=longer)
    silence = np.full([100, audio.N_MELS], np.log(audio.LOG_OFFSET), np.float32)
    padding = np.full_like(silence, batches.PADDING)
    for found, after in [(masked, padding), (torn, silence)]:
        logits = np.asarray(model(np.concatenate([frames[0], after])[None]))[0]
        expected = streaming.softmax(logits)
        np.testing.assert_allclose(found["probabilities"][-1], expected, atol=CLOSE)
    np.testing.assert_array_equal(masked["state"][-1], masked["state"][count - 1])
    assert np.abs(torn["state"][-1] - torn["state"][count - 1]).max() > 0.01


@pytest.mark.parametrize("order", ["engine.reversed(frames)", "engine.shuffled(frames, 3)"])
def test_frames_in_another_order_are_the_same_frames(page, clips, frames, known, order):
    name, model = known
    found = heard(page, name, clips[0], frames=f"(frames) => {order}")
    sorted_rows = (np.sort(each, axis=0) for each in (found["frames"], frames[0]))
    np.testing.assert_allclose(*sorted_rows, atol=1e-4)
    if "reversed" in order:
        np.testing.assert_allclose(found["frames"], frames[0][::-1], atol=1e-4)
    expected = streaming.softmax(np.asarray(model(found["frames"][None]))[0])
    np.testing.assert_allclose(found["probabilities"][-1], expected, atol=CLOSE)
    assert np.abs(found["frames"] - frames[0]).max() > 1


@pytest.mark.parametrize("gain", [0, 0.5, 1.5])
def test_the_recurrent_weights_have_another_size(page, clips, frames, known, gain):
    name, model = known
    changed = f"(name) => model(name).with({{ gain: {gain} }})"
    found = heard(page, name, clips[0], model=changed)
    expected = by_hand(model, frames[0], gain=gain)
    # With large weights a difference grows from frame to frame.
    tolerance = CLOSE if gain <= 1 else 1e-2
    np.testing.assert_allclose(found["state"][:10], expected[:10], atol=10 * CLOSE)
    np.testing.assert_allclose(found["state"], expected, atol=tolerance)


def test_without_tanh_a_state_explodes(page, clips, frames):
    changed = "(name) => model(name).with({ gain: 1.5, linear: true })"
    found = heard(page, "rnn", clips[0], model=changed)["state"]
    expected = by_hand(in_keras("rnn"), frames[0], gain=1.5, linear=True)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
    assert np.abs(found[-1]).max() > 1e3


def test_weights_are_rounded_to_int8(page, clips, frames, known):
    def rounded(weights):
        scale = np.abs(np.float64(weights)).max(axis=0) / 127
        return np.floor(weights / scale + 0.5) * scale

    name, model = known
    found = heard(page, name, clips[0], model="(name) => model(name).with({ int8: true })")
    expected = by_hand(model, frames[0], rounded=rounded)
    np.testing.assert_allclose(found["state"], expected, atol=CLOSE)
    probabilities = answers(model, expected, rounded=rounded)
    np.testing.assert_allclose(found["probabilities"], probabilities, atol=CLOSE)
    assert np.abs(found["state"] - by_hand(model, frames[0])).max() > 1e-4
