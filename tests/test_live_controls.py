"""The controls of the page that listens, in a real browser: what they do, against NumPy."""

from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit as sigmoid

from course_lib import audio

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "live" / "index.html"
CLIP = ROOT / "data" / "spoken-digits" / "clips" / "7_kokoro-michael_0.flac"
FAKE = "use-fake-device-for-media-stream"
PATIENCE = 20_000  # milliseconds, on a busy machine
LEAD, TAIL = 800, 2_240  # samples of silence around a clip that a listener hears
SEVEN, NINE = 0, 9  # clips of the page, by their place
AT_ONCE = {"reduced_motion": "no-preference"}


@contextmanager
def opened(browser, **options):
    """The page in a window of its own, which may ask no host and log no error."""
    page, wrong = browser.new_page(**AT_ONCE | options), []
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(error.message))
    allowed = ("file:", "data:")
    page.on("request", lambda asked: asked.url.startswith(allowed) or wrong.append(asked.url))
    with closing(page):
        page.goto(PAGE.as_uri())
        page.wait_for_selector("#card-force .result b")
        yield page
    assert not wrong


@pytest.fixture(scope="module")
def shared(browser):
    """One page for the tests that leave it as they found it."""
    with opened(browser) as page:
        yield page


@pytest.fixture
def page(shared):
    """The shared page with its first clip and the model of the digits, all gates as learned."""
    shared.select_option("#clip", "0")
    shared.select_option("#model", "digits")
    shared.evaluate("scrollTo(0, 0)")
    return shared


@pytest.fixture
def after_seven(page):
    """The shared page after “seven”, which the experiments take from then on."""
    page.click("#play")
    ended(page)
    return page


def ended(page):
    """Wait until a clip was played to its end: what was heard."""
    page.wait_for_selector("body[data-mode=ended]")
    return page.inner_text("#heard")


def frame(page):
    return int(page.get_attribute("body", "data-frame"))


def number(page, card, name):
    """A number in the result of an experiment, with all its digits; it runs when in sight."""
    page.locator(f"#card-{card} canvas").last.scroll_into_view_if_needed()
    page.wait_for_selector(f"#card-{card} .result b")
    return float(page.get_attribute(f"#card-{card} .result [data-{name}]", f"data-{name}"))


def slide(page, selector, value):
    """Move a slider as a hand does."""
    page.locator(selector).fill(f"{value}")


def weights(page, name):
    """A model's arrays: kernel, recurrent, bias; for a GRU the bias inside; the dense layer."""
    taken = "([key, values]) => [key, Array.from(values)]"
    found = page.evaluate(
        f"name => Object.fromEntries(Object.entries(DATA.models[name].weights).map({taken}))", name
    )
    arrays = {key: np.array(values) for key, values in found.items()}
    units = page.evaluate("name => DATA.models[name].units", name)
    arrays["kernel"] = arrays["kernel"].reshape(40, -1)
    arrays["recurrent"] = arrays["recurrent"].reshape(units, -1)
    arrays["logitsKernel"] = arrays["logitsKernel"].reshape(units, -1)
    return arrays


def clip(page, place):
    """A clip of the page as log-mel frames, scaled as the models do: `[frames, 40]`."""
    samples = page.evaluate("place => Array.from(DATA.clips[place].samples)", place)
    return np.array(samples, np.float32)


def scaled(samples):
    return audio.log_mel(samples) / 4 + 5 / 4


def gru(frames, model, update=None):
    """Lesson 07's step, again and again: states; the update gate as learned, or held."""
    states, h = [], np.zeros(len(model["recurrent"]))
    for x in frames:
        x_z, x_r, x_h = np.split(x @ model["kernel"] + model["bias"], 3)
        h_z, h_r, h_h = np.split(h @ model["recurrent"] + model["recurrentBias"], 3)
        z = sigmoid(x_z + h_z) if update is None else update
        candidate = np.tanh(x_h + sigmoid(x_r + h_r) * h_h)
        h = z * h + (1 - z) * candidate
        states.append(h)
    return np.array(states)


def rnn(frames, model, gain=1.0, activation=np.tanh):
    """Lesson 03's rule: states."""
    states, h = [], np.zeros(len(model["recurrent"]))
    for x in frames:
        h = activation(x @ model["kernel"] + gain * h @ model["recurrent"] + model["bias"])
        states.append(h)
    return np.array(states)


def probabilities(states, model):
    powers = np.exp(states @ model["logitsKernel"] + model["logitsBias"])
    return powers / powers.sum(axis=-1, keepdims=True)


def heard(page, place):
    """The frames of a clip with the silence around it that a listener hears."""
    return scaled(np.pad(clip(page, place), [LEAD, TAIL]))


def lstm(frames, model, held=None):
    """Lesson 06's step, again and again: states; gates as learned, or one held: (name, value)."""
    units = len(model["recurrent"])
    states, h, c = [], np.zeros(units), np.zeros(units)
    for x in frames:
        parts = np.split(x @ model["kernel"] + h @ model["recurrent"] + model["bias"], 4)
        sums = dict(zip(("input", "forget", "candidate", "output"), parts))
        gates = {name: sigmoid(total) for name, total in sums.items()}
        if held:
            gates[held[0]] = np.full(units, held[1])
        c = gates["forget"] * c + gates["input"] * np.tanh(sums["candidate"])
        h = gates["output"] * np.tanh(c)
        states.append(h)
    return np.array(states)


def right(page, answer):
    """How many digits of the page have this answer, a function of the samples → a digit."""
    words = page.evaluate("DATA.clips.slice(0, 10).map(({ word }) => word)")
    return sum(f"{answer(clip(page, place))}" == word for place, word in enumerate(words))


def test_the_first_click_plays_a_digit_and_says_what_is_heard(page):
    page.click("#play")
    page.wait_for_selector("#heard b")
    assert ended(page).startswith("heard: seven (0.9")
    assert page.inner_text("#heard").endswith("at the blue line)")
    model = weights(page, "digits")
    states = gru(heard(page, SEVEN), model)
    assert frame(page) == len(states) - 1
    row = page.locator("#adds li")
    unit = int(page.inner_text("#unit-name").split(":")[0].split()[1]) - 1
    shown = [float(each.get_attribute("data-value")) for each in row.all()]
    np.testing.assert_allclose(shown, states[-1][unit] * model["logitsKernel"][unit], atol=1e-5)
    assert page.inner_text("#play") == "Next word"
    page.click("#play")
    page.wait_for_selector("body[data-mode=clip]")
    assert page.eval_on_selector("#clip", "each => each.value") == "1"
    page.select_option("#clip", "0")
    assert page.inner_text("#play") == "Play a word"  # the one that was chosen


def test_everything_works_from_the_keyboard(page):
    page.focus("#play")
    page.keyboard.press("Enter")
    page.wait_for_function("Number(document.body.dataset.frame) > 20")
    page.focus("#gates")
    page.keyboard.press("Space")
    assert page.get_attribute("body", "data-mode") == "frozen"
    stopped = frame(page)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert frame(page) == stopped - 2
    assert page.get_attribute("#moment", "aria-valuetext").endswith("seconds")
    before = page.inner_text("#unit-name")
    page.keyboard.press("ArrowDown")
    assert page.inner_text("#unit-name") != before
    page.keyboard.press("s")
    assert page.is_checked("[name=speed][value='0.25']")
    page.keyboard.press("p")
    page.wait_for_function(f"Number(document.body.dataset.frame) > {stopped}")
    page.keyboard.press("s")
    page.keyboard.press("s")
    ended(page)
    page.locator("#touch-title").click()  # arrows choose a unit from anywhere
    before = page.inner_text("#unit-name")
    page.keyboard.press("ArrowUp")
    assert page.inner_text("#unit-name") != before


def test_every_control_has_its_turn_a_name_and_a_frame_around_it(page):
    page.click("#play")
    ended(page)
    page.focus(".skip")  # the first one on the page
    controls = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input, canvas[tabindex], summary")]
          .filter((each) => each.checkVisibility() && !each.disabled)
          .filter((each) => each.type !== "radio" || each.checked)
          .map((each) => each.id || each.value || each.textContent.trim())"""
    )
    visited = []
    while len(visited) < 80:
        page.keyboard.press("Tab")
        name, outline, label = page.evaluate(
            """() => {
              const each = document.activeElement;
              const seen = each.type === "radio" ? each.nextElementSibling : each;
              const words = each.ariaLabel ?? each.labels?.[0]?.textContent ?? each.textContent;
              const name = each.id || each.value || each.textContent.trim();
              return [name, getComputedStyle(seen).outlineStyle, words.trim()];
            }"""
        )
        if page.evaluate("document.activeElement === document.body") or name in visited:
            break  # once round the page
        assert outline == "solid", name
        assert label, name
        visited.append(name)
    assert [name for name in visited if name in controls] == controls


def test_the_answer_is_there_in_words(page):
    page.click("#play")
    ended(page)
    model = weights(page, "digits")
    last = probabilities(gru(heard(page, SEVEN), model)[-1], model)
    words = page.locator("#adds li").all_inner_texts()
    best = f"{words[last.argmax()].strip()} {last.max():.2f}"
    assert f"seconds: {best}, " in page.get_attribute("#answers", "aria-label")


def test_the_knob_of_the_moment_goes_with_the_sound(page):
    page.check("[name=speed][value='0.1']", force=True)
    assert page.is_disabled("#moment")  # nothing was heard yet
    page.click("#play")
    page.wait_for_function("Number(document.body.dataset.frame) > 5")
    found = "[Number(moment.value), Number(moment.max), Number(document.body.dataset.frame)]"
    value, most, now = page.evaluate(found)
    assert value == now
    page.check("[name=speed][value='1']", force=True)
    ended(page)
    assert most == frame(page) > 2 * value
    slide(page, "#moment", 12)  # back to what was
    assert frame(page) == 12
    page.locator("#moment").press("d")  # letters are the page's, arrows the slider's
    page.wait_for_selector("body[data-mode=clip]")
    ended(page)


def test_slow_motion_is_slow(page):
    page.check("[name=speed][value='0.1']", force=True)
    page.click("#play")
    page.wait_for_function("Number(document.body.dataset.frame) > 3")
    page.evaluate("window.begin = [performance.now(), Number(document.body.dataset.frame)]")
    page.wait_for_timeout(400)
    seconds, frames = page.evaluate(
        "[(performance.now() - begin[0]) / 1e3, Number(document.body.dataset.frame) - begin[1]]"
    )
    assert frames == pytest.approx(10 * seconds, abs=4)  # 100 a second at full speed
    page.check("[name=speed][value='1']", force=True)
    ended(page)


@pytest.mark.parametrize(["choice", "z"], [("update open", 0), ("update shut", 1)])
def test_gates_that_are_forced_do_what_lessons_06_and_07_say(page, choice, z):
    page.select_option("#force", choice)
    assert page.input_value("#force-here") == choice  # beside the pictures stands the same
    model, frames = weights(page, "digits"), heard(page, SEVEN)
    states = gru(frames, model, update=z)
    moves = np.linalg.norm(np.diff(states, axis=0, prepend=0), axis=1).mean()
    assert number(page, "force", "moves") == pytest.approx(moves, abs=1e-4)
    likeliest = probabilities(states, model)[:, :10].max()
    assert number(page, "force", "forced") == pytest.approx(likeliest, abs=1e-4)
    learned = probabilities(gru(frames, model), model)[:, :10].max()
    assert number(page, "force", "learned") == pytest.approx(learned, abs=1e-4)
    if z == 1:
        assert number(page, "force", "moves") == 0
        assert "the memory stays at 0" in page.inner_text("#caption")
    page.select_option("#force", "")
    assert number(page, "force", "forced") == number(page, "force", "learned")


def test_what_is_said_comes_from_the_run_that_is_shown(page):
    page.click("#play")
    free = ended(page)
    page.select_option("#force", "update shut")
    held = page.inner_text("#heard")
    assert held.startswith("with the gates held: ")
    verdict = held.removeprefix("with the gates held: ")
    assert verdict in page.inner_text("#card-force .result")
    assert verdict.endswith("no word was heard")  # the memory stays empty
    page.select_option("#force", "")
    assert page.inner_text("#heard") == free


@pytest.mark.parametrize("gate", ["input", "forget", "output"])
def test_the_gates_of_an_lstm_are_held_as_lesson_06_says(page, gate):
    page.select_option("#model", "lstm")
    model, frames = weights(page, "lstm"), scaled(clip(page, SEVEN))
    for word, value in [("open", 1.0), ("shut", 0.0)]:
        page.select_option("#force-here", f"{gate} {word}")
        states = lstm(frames, model, (gate, value))
        likeliest = probabilities(states[-1], model).max()
        assert number(page, "force", "forced") == pytest.approx(likeliest, abs=1e-4)
        moves = np.linalg.norm(np.diff(states, axis=0, prepend=0), axis=1).mean()
        assert number(page, "force", "moves") == pytest.approx(moves, abs=1e-4)
    assert "What it shows moves" in page.inner_text("#card-force .result")
    assert "shows of its memory" in page.inner_text("#state-text")
    learned = probabilities(lstm(frames, model)[-1], model).max()
    assert number(page, "force", "learned") == pytest.approx(learned, abs=1e-4)


def test_one_unit_is_held_alone(page):
    page.select_option("#gate", "reset")
    page.select_option("#force", "unit shut")
    assert page.input_value("#gate") == "update"  # the gate that is held is shown
    assert "state 0.00" in page.inner_text("#adds-text")
    page.locator("#unit").press("ArrowRight")  # another unit is held
    assert "update gate is 0.00 open, its state 0.00" in page.inner_text("#adds-text")
    page.select_option("#force", "")


def test_open_is_1_for_an_update_gate_too(page):
    model, frames = weights(page, "digits"), heard(page, SEVEN)
    page.click("#play")
    ended(page)
    unit = int(page.inner_text("#unit-name").split(":")[0].split()[1]) - 1
    before = gru(frames, model)[-2]
    x_z = np.split(frames[-1] @ model["kernel"] + model["bias"], 3)[0]
    h_z = np.split(before @ model["recurrent"] + model["recurrentBias"], 3)[0]
    opened = 1 - sigmoid(x_z + h_z)[unit]  # Keras's z is 1 where a gate is shut
    assert f"Its update gate is {opened:.2f} open" in page.inner_text("#adds-text")
    assert "1 − z" in page.get_attribute("#gate", "title")


def test_units_are_sorted_by_their_strongest_link(page):
    names = page.evaluate(
        """() => Array.from({ length: 96 }, (_, row) => {
          unit.value = row;
          unit.dispatchEvent(new Event("input"));
          return document.getElementById("unit-name").textContent;
        })"""
    )
    links = np.abs(weights(page, "digits")["logitsKernel"]).argmax(axis=1)
    words = [text.strip() for text in page.locator("#adds li").all_inner_texts()]
    units = [int(name.split(":")[0].split()[1]) - 1 for name in names]
    assert sorted(units) == list(range(96))
    assert (np.diff(links[units]) >= 0).all()
    for name, unit in zip(names, units):
        assert name.endswith(f"it affects “{words[links[unit]]}” most")
    assert names[-1].endswith("“no word” most")


def test_the_commands_have_clips_of_their_own(after_seven):
    page = after_seven
    page.select_option("#model", "commands")
    options = page.locator("#clip option").all_inner_texts()
    assert options == ["down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes"]
    page.click("#play")
    assert page.get_attribute("body", "data-mode") == "clip"
    assert "down, go, left" in page.inner_text("#knows")  # while it plays
    assert ended(page).startswith("heard: down (0.")
    assert page.inner_text("#digit") == "seven"  # the experiments stay with the digit
    assert page.inner_text("#which") == "the last digit played"
    page.select_option("#model", "gru")
    assert page.locator("#clip option").first.inner_text() == "seven"


def test_an_answer_that_is_wrong_or_unsure_says_so(page):
    page.select_option("#model", "rnn")
    model, frames = weights(page, "rnn"), scaled(clip(page, SEVEN))
    found = probabilities(rnn(frames, model)[-1], model)
    assert found.argmax() != 7 and found.max() < 0.5
    words = page.locator("#adds li").all_inner_texts()
    page.click("#play")
    thinks = f"{words[found.argmax()].strip()} (wrong; {found.max():.2f} at the end)"
    assert ended(page) == f"said: seven; not sure, perhaps {thinks}"


def test_a_unit_says_whether_it_speaks_for_its_strongest_link(page):
    page.click("#play")
    ended(page)
    name = page.inner_text("#unit-name")
    unit = int(name.split(":")[0].split()[1]) - 1
    model = weights(page, "digits")
    link = np.abs(model["logitsKernel"][unit]).argmax()
    word = page.locator("#adds li").nth(link).inner_text().strip()
    assert name.endswith(f"it affects “{word}” most")
    state = gru(heard(page, SEVEN), model)[-1][unit]
    side = "for" if state * model["logitsKernel"][unit, link] >= 0 else "against"
    assert f"so it speaks {side} “{word}”" in page.inner_text("#adds-text")


def test_without_its_mask_a_network_reads_the_silence(after_seven):
    page = after_seven
    silence = np.full([40, 40], np.log(audio.LOG_OFFSET) / 4 + 5 / 4)
    slide(page, "#silence", 40)
    model = weights(page, "gru")

    def answer(samples, more=silence):
        return probabilities(gru(np.concatenate([scaled(samples), more]), model)[-1], model)

    seven = clip(page, SEVEN)
    torn, kept = answer(seven), answer(seven, silence[:0])
    assert number(page, "silence", "unmasked") == pytest.approx(torn.max(), abs=1e-4)
    assert number(page, "silence", "masked") == pytest.approx(kept.max(), abs=1e-4)
    counted = right(page, lambda samples: answer(samples).argmax())
    assert number(page, "silence", "right-unmasked") == counted
    assert counted < number(page, "silence", "right-masked")
    of_rnn = weights(page, "rnn")

    def by_rnn(samples, more):
        return probabilities(rnn(np.concatenate([scaled(samples), more]), of_rnn)[-1], of_rnn)

    for name, more in [("rnn-masked", silence[:0]), ("rnn-unmasked", silence)]:
        counted = right(page, lambda samples, more=more: by_rnn(samples, more).argmax())
        assert number(page, "silence", name) == counted
    kept, read = (number(page, "silence", f"right-{name}") for name in ("masked", "unmasked"))
    assert f"this GRU {kept:.0f} → {read:.0f}" in page.inner_text("#card-silence")
    assert "40 frames (0.4 s)" in page.inner_text("#silence-now")
    slide(page, "#silence", 0)
    assert number(page, "silence", "unmasked") == number(page, "silence", "masked")


def test_order_counts(after_seven):
    page = after_seven
    model, counts = weights(page, "gru"), {}
    numbers = "count => engine.shuffled(Array.from({ length: count }, (_, at) => at), 1)"
    orders = {
        "recorded": lambda frames: frames,
        "reversed": lambda frames: frames[::-1],
        "shuffled": lambda frames: frames[page.evaluate(numbers, len(frames))],
    }
    for name, order in orders.items():
        page.select_option("#order", name)
        frames = order(scaled(clip(page, SEVEN)))
        expected = probabilities(gru(frames, model)[-1], model).max()
        assert number(page, "order", "answer") == pytest.approx(expected, abs=1e-4)
        counts[name] = number(page, "order", "right")
        untouched = page.inner_text("#card-order .result")
        assert f"untouched: {counts['recorded']:.0f} of 10" in untouched
    assert counts["recorded"] > max(counts["reversed"], counts["shuffled"])
    page.select_option("#order", "recorded")


def test_the_gradient_is_that_of_lesson_05(after_seven):
    page = after_seven
    model, frames = weights(page, "rnn"), scaled(clip(page, SEVEN))
    states = rnn(frames, model)
    error = model["logitsKernel"] @ (probabilities(states[-1], model) - np.eye(10)[7])
    sizes = []
    for state in states[::-1]:  # the way back, as in lesson 05
        delta = error * (1 - state**2)
        sizes.append(np.linalg.norm(model["kernel"] @ delta / 4))
        error = model["recurrent"] @ delta
    sizes = np.array(sizes[::-1])
    for at in [0, 20]:
        slide(page, "#at", at)
        assert number(page, "gradient", "rnn") == pytest.approx(sizes[at] / sizes[-1], rel=1e-3)
    slide(page, "#at", len(frames) - 1)  # each line is relative to the last frame
    assert number(page, "gradient", "rnn") == number(page, "gradient", "gru") == 1
    usual = number(page, "gradient", "rnn-usual"), number(page, "gradient", "gru-usual")
    assert usual[0] < usual[1] / 10
    assert 0 < number(page, "gradient", "grows") < 5
    for place, share in [(8, usual[0]), (9, usual[1])]:
        page.locator("#question").select_option(index=place)
        page.click("#run")
        says = page.inner_text("#truth")
        times = float(page.get_attribute("#truth b", "data-value"))
        assert times == pytest.approx(1 / share)
        assert says.endswith("times smaller.") if share < 1 else says.startswith("Not smaller")


def test_with_larger_weights_only_tanh_holds_the_state(after_seven):
    page = after_seven
    model, frames = weights(page, "rnn"), scaled(clip(page, SEVEN))
    dense, bias = model["logitsKernel"], model["logitsBias"]
    for gain in [0.2, 1.5]:
        slide(page, "#gain", gain)
        held = np.abs(rnn(frames, model, gain)[-1]).max()
        free = np.abs(rnn(frames, model, gain, lambda total: total)[-1]).max()
        assert number(page, "gain", "held") == pytest.approx(held, abs=1e-3)
        assert number(page, "gain", "free") == pytest.approx(free, rel=1e-2)

        def answer(samples, gain=gain):
            return (rnn(scaled(samples), model, gain)[-1] @ dense + bias).argmax()

        counted = right(page, answer)
        assert number(page, "gain", "right") == counted
    assert free > 1_000 and held <= 1


def test_int8_costs_little(after_seven):
    page = after_seven

    def rounded(matrix):
        step = np.abs(matrix).max(axis=0) / 127
        return np.round(matrix / step) * step

    model, frames = weights(page, "digits"), heard(page, SEVEN)
    matrices = ["kernel", "recurrent", "logitsKernel"]
    small = model | {name: rounded(model[name]) for name in matrices}
    change = probabilities(gru(frames, small), small) - probabilities(gru(frames, model), model)
    page.uncheck("#int8")
    assert number(page, "int8", "change") == 0
    page.check("#int8")
    assert number(page, "int8", "change") == pytest.approx(np.abs(change).max(), abs=1e-3)
    assert 0 < number(page, "int8", "change") < 0.1


def test_a_class_predicts_then_runs(page):
    page.locator("#question").select_option(index=0)
    page.focus("#question")  # keys count here, too
    page.keyboard.press("1")
    page.locator(".class h2").click()
    for key in "13":
        page.keyboard.press(key)
    page.keyboard.press("6")
    page.keyboard.press("Backspace")
    counts = page.locator(".guess .count")
    assert counts.all_inner_texts() == ["2", "0", "1", "0", "0", "0"]
    assert page.locator(".guess.true").count() == 0  # the result waits
    page.click("#run")
    page.keyboard.press("1")  # too late: it counts no more
    assert counts.first.inner_text() == "2"
    model = weights(page, "gru")  # shut: the state stays at zero, whatever is said
    always = probabilities(np.zeros(len(model["recurrent"])), model).argmax()
    assert page.get_attribute("#truth b", "data-value") == f"{right(page, lambda _: always)}"
    assert "2 of 3 guesses had it" in page.inner_text("#truth")
    word = page.locator("#clip option").all_inner_texts()
    assert "It always gives the same answer" in page.inner_text("#truth")
    assert any(f"“{each}”: right once in ten" in page.inner_text("#truth") for each in word)
    assert page.locator(".guess.true .count").inner_text() == "2"
    page.click("#clear")
    assert counts.all_inner_texts() == ["0"] * 6
    for place in range(1, page.locator("#question option").count()):
        page.locator("#question").select_option(index=place)
        page.click("#run")
        assert page.locator(".guess.true").count() == 1


def test_every_network_can_be_chosen_and_answers(page):
    words = {"gru": "heard: seven", "lstm": "heard: seven", "rnn": "seven"}
    for name, expected in words.items():
        page.select_option("#model", name)
        page.click("#play")
        assert expected in ended(page)
    assert page.is_hidden("#gates")
    assert page.is_hidden("#gate")  # a vanilla RNN has none
    assert "no gates" in page.inner_text("#caption")
    assert "no gates to force" in page.inner_text("#card-force")
    assert page.is_hidden("#force") and page.is_hidden("#card-force .result")
    licences = page.inner_text("#licences")
    assert "CC BY-SA 4.0" in licences and "CC BY 4.0" in licences


def test_a_unit_is_chosen_by_pointing(page):
    page.click("#play")
    ended(page)
    box = page.locator("#gates").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 10)
    first, moment = page.inner_text("#unit-name"), frame(page)
    page.mouse.click(box["x"] + box["width"] / 3, box["y"] + box["height"] - 10)
    assert page.inner_text("#unit-name") != first
    assert frame(page) < moment
    assert page.get_attribute("body", "data-mode") == "ended"


def test_the_microphone_is_heard(launch, sound):
    digit = np.pad(audio.read(CLIP, sample_rate=48_000), [24_000, 48_000])
    spoken = sound("spoken.wav", digit, 48_000)
    hears = [FAKE, "use-fake-ui-for-media-stream", f"use-file-for-fake-audio-capture={spoken}"]
    with closing(launch(*hears)) as browser, opened(browser) as page:
        page.click("#microphone")
        page.wait_for_selector("#heard b")
        assert page.inner_text("#heard").startswith("heard: seven (0.")
        page.click("#freeze")
        assert page.get_attribute("body", "data-mode") == "frozen"
        page.focus("#gates")
        now = frame(page)
        page.keyboard.press("ArrowLeft")
        assert frame(page) == now - 1
        page.click("#from-here")
        page.wait_for_selector("body[data-mode=ended]")


def test_without_a_microphone_a_sentence_says_so_and_the_clips_play(browser):
    with opened(browser) as page:
        refuse = "async () => { throw new DOMException('', 'NotAllowedError') }"
        page.evaluate(f"void (navigator.mediaDevices.getUserMedia = {refuse})")
        page.click("#microphone")
        page.wait_for_function("heard.textContent.includes('does not allow')")
        assert "The clips still play" in page.inner_text("#heard")
        page.evaluate("void delete Navigator.prototype.mediaDevices")
        page.click("#microphone")
        page.wait_for_function("heard.textContent.includes('offers this page no microphone')")
        page.click("#play")
        assert ended(page).startswith("heard: seven")


def test_a_missing_microphone_leaves_the_last_word_as_it_was(browser):
    with opened(browser) as page:
        page.click("#play")
        said, last = ended(page), frame(page)
        page.evaluate("void delete Navigator.prototype.mediaDevices")
        page.click("#microphone")
        page.wait_for_function("heard.textContent.includes('offers this page no microphone')")
        assert frame(page) == last == int(page.input_value("#moment"))
        for button in ["#freeze", "#from-here"]:  # the first one says “Play again”
            page.click(button)
            assert page.get_attribute("body", "data-mode") == "clip"
            assert ended(page) == said


SIZES = [(1280, 860), (1024, 768), (1920, 1080), (390, 844)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_views_fit_the_screen(browser, width, height):
    bottom = "document.getElementById('moment').getBoundingClientRect().bottom"
    with opened(browser, viewport={"width": width, "height": height}) as page:
        page.click("#play")
        ended(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(bottom) <= height
        cut = page.evaluate(
            "Math.max(...['aside', '#stage'].map((name) => {"
            "const each = document.querySelector(name);"
            "return each.scrollHeight - each.clientHeight; }))"
        )
        assert cut <= 1
        if width > 500:
            page.keyboard.press("f")
            page.wait_for_function("document.fullscreenElement !== null")
            page.wait_for_function(f"{bottom} <= innerHeight")
            page.keyboard.press("f")
            page.wait_for_function("document.fullscreenElement === null")


def test_nothing_runs_over_the_edge_of_a_phone(browser):
    with opened(browser, viewport={"width": 390, "height": 844}) as page:
        assert page.is_visible("#force-here")
        for name in ["digits", "lstm", "rnn"]:
            page.select_option("#model", name)
            cut = page.locator("figcaption span").evaluate_all(
                "each => each.filter((one) => one.scrollWidth > one.clientWidth + 1)"
                ".filter((one) => getComputedStyle(one).overflow === 'hidden').length"
            )
            assert cut == 0
        for place in range(page.locator("#question option").count()):
            page.locator("#question").select_option(index=place)
            page.click("#run")
            over = page.evaluate(
                """() => [...document.querySelectorAll("body *")]
                  .filter((each) => each.checkVisibility() && !each.matches(".skip"))
                  .filter((each) => each.getBoundingClientRect().right > 390.5)
                  .map((each) => each.outerHTML.slice(0, 80))"""
            )
            assert over == []


def test_the_poster_and_the_lessons_are_where_the_links_say(page):
    links = page.locator("main a, footer a").evaluate_all(
        "each => each.map((link) => link.getAttribute('href')).filter((link) => link[0] !== '#')"
    )
    assert "../drawings/poster.pdf" in links
    assert len(links) >= 8
    missing = [link for link in links if not (PAGE.parent / link).exists()]
    assert missing == []


def test_a_web_host_serves_it_as_well(browser, server):
    address = server(PAGE.read_bytes())
    page, wrong = browser.new_page(**AT_ONCE), []
    page.on("pageerror", lambda error: wrong.append(error.message))
    page.on("request", lambda asked: wrong.append(asked.url))
    with closing(page):
        page.goto(address)
        page.click("#play")
        assert ended(page).startswith("heard: seven")
        assert [each for each in wrong if not each.startswith(("data:", address))] == []


def test_a_phone_a_dark_room_and_calm_eyes(browser):
    phone = {"viewport": {"width": 360, "height": 740}, "reduced_motion": "reduce"}
    with opened(browser, color_scheme="dark", **phone) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert max(int(value) for value in dark[4:-1].split(",")) < 60
        page.click("#play")
        assert ended(page).startswith("heard: seven")
        assert page.get_attribute("#heard", "aria-live") == "polite"
