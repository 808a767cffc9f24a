"""The recorder in a real browser and a real JupyterLab: the browser's fake microphone hears a spoken digit, and Python gets it."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import nbformat
import numpy as np
import pytest
import soxr
from scipy import signal

from course_lib import audio

WANTED = "expected {}, which `pip install -e .[dev]` brings, to test the recorder in a browser"
playwright = pytest.importorskip("playwright.sync_api", reason=WANTED.format("playwright"))
if find_spec("jupyterlab") is None:
    pytest.skip(WANTED.format("JupyterLab"), allow_module_level=True)

ROOT = Path(__file__).resolve().parent.parent
DIGIT, CLIP, OTHER = "7", ROOT / "data" / "spoken-digits" / "clips" / "7_espeak-american_0.flac", "7_espeak-american_1.flac"
SECONDS, LEAD = 2.0, 0.6  # of the recording, and of the silence before the digit
PATIENCE = 20_000  # milliseconds, on a busy machine
READY = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.connectionStatus === 'connected'"
CELLS = [
    f'from course_lib.recorder import Recorder\nrecorder = Recorder(seconds={SECONDS}, instead="clip.flac")\nrecorder',
    'recorder.save("take.wav")\nlen(recorder.samples())',
    "from course_lib import models, streaming\nmodel, classes = models.ready()\nprobabilities = streaming.Stream(model).push(recorder.samples())\n"
    'surest = {name: probabilities[:, index].max() for index, name in enumerate(classes) if name != "nothing"}\nmax(surest, key=surest.get)',
    'recorder.save("voice.wav")',
    "from course_lib import recorder as module\nwhole = module._sound\nmodule._sound = lambda content, buffers: whole(content, [])",
]
LOST = [
    ("navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('gone', 'NotFoundError') }", "No microphone was found."),
    ("navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('held', 'NotReadableError') }", "another program may hold it"),
    ("Object.defineProperty(navigator, 'mediaDevices', {value: undefined})", "This browser offers pages no microphone."),
    ("Object.defineProperty(window, 'isSecureContext', {value: false})", "a page without a secure address, and this one came from http://127.0.0.1"),
    ("window.AudioContext = undefined", "it has no AudioContext"),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab of its own, with no settings of the machine's: its folder, its address and its token."""
    folder, settings = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("settings")
    announcements = settings / "config" / "labconfig" / "page_config.json"  # they would ask the network for news
    announcements.parent.mkdir(parents=True)
    announcements.write_text(json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}))
    shutil.copy(CLIP, folder / "clip.flac")
    own = {f"JUPYTER_{name.upper()}_DIR": str(settings / name) for name in ["config", "data", "runtime"]}
    environment = {**os.environ, **own, "IPYTHONDIR": str(settings / "ipython"), "PYTHONPATH": str(ROOT), "JUPYTER_PLATFORM_DIRS": "1"}
    options = ["--no-browser", "--allow-root", "--port=0", f"--ServerApp.root_dir={folder}", "--ServerApp.allow_remote_access=True", "--LabApp.expose_app_in_browser=True"]
    with (settings / "log").open("wb") as log, subprocess.Popen([sys.executable, "-m", "jupyterlab", *options], env=environment, stdout=log, stderr=log) as server:
        try:
            yield folder, *address(server, settings)
        finally:
            server.terminate()


def address(server, settings):
    for _ in range(PATIENCE // 100):
        for found in (settings / "runtime").glob(f"jpserver-{server.pid}.json"):
            if (text := found.read_text()).endswith("}"):
                known = json.loads(text)
                return known["url"].replace("localhost", "127.0.0.1"), known["token"]
        assert server.poll() is None, (settings / "log").read_text()
        time.sleep(0.1)
    raise TimeoutError((settings / "log").read_text())


@contextmanager
def notebook(launch, lab, name, flags=()):
    """A fresh notebook with CELLS in a folder of its own, open in a browser of its own, its first cell run: the page."""
    folder, url, token = lab
    (folder / name).mkdir()
    shutil.copy(CLIP, folder / name / "clip.flac")
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / name / "lesson.ipynb")
    browser = launch(*flags)
    try:
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        page.set_default_timeout(PATIENCE)
        page.goto(f"{url}doc/tree/{name}/lesson.ipynb?token={token}")
        page.wait_for_function(READY)
        run(page, 1)
        page.wait_for_selector(".course-recorder")
        yield page
    finally:
        browser.close()


def run(page, number):
    """Run a cell, by its number from 1, and wait for its end.

    Returns: what it printed.
    """
    prompt = page.locator(".jp-CodeCell").nth(number - 1).locator(".jp-InputPrompt")
    before = prompt.inner_text()
    page.evaluate(f"jupyterapp.shell.currentWidget.content.activeCellIndex = {number - 1}, void jupyterapp.commands.execute('notebook:run-cell')")
    playwright.expect(prompt).not_to_have_text(before, timeout=PATIENCE)
    playwright.expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=2 * PATIENCE)
    return "\n".join(page.locator(".jp-CodeCell").nth(number - 1).locator(".jp-OutputArea-output").all_inner_texts())


def says(page, *sentences):
    """Wait until the recorder's status holds these words."""
    for sentence in sentences:
        playwright.expect(page.locator(".course-recorder").get_by_role("status")).to_contain_text(sentence, timeout=PATIENCE)


def record(page, key):
    """Record by keyboard, from the button to the end of the recording."""
    page.get_by_role("button", name="Record").press(key)
    page.wait_for_function("document.activeElement?.matches('.course-recorder .recording') && document.activeElement.innerText === 'Stop'")
    says(page, f"The recording: {SECONDS} s.")


def upload(page, path):
    page.locator(".course-recorder input").set_input_files(path)


@pytest.fixture
def microphone(sound):
    """What a browser is told so that its microphone hears the digit, with silence around it, from when a page opens it."""
    digit = audio.read(CLIP, sample_rate=48_000)
    spoken = sound("spoken.wav", np.pad(digit, [round(LEAD * 48_000), 3 * 48_000]), 48_000)
    return ["use-fake-device-for-media-stream", "use-fake-ui-for-media-stream", f"use-file-for-fake-audio-capture={spoken}%noloop"]


def likeness(recording, clip):
    """The best correlation of a clip with a piece of a recording, 1 when they are the same, and the share of the recording's energy in that piece.

    Both are at audio.SAMPLE_RATE; they are compared at six times that, since a recording begins between two samples of the clip.
    """
    recording, clip = (soxr.resample(waveform.astype(np.float64), 1, 6) for waveform in (recording, clip))
    energies = signal.fftconvolve(recording**2, np.ones(len(clip)), "valid")
    products = signal.correlate(recording, clip, "valid")
    best = np.argmax(products)
    return products[best] / np.sqrt(energies[best] * (clip**2).sum()), energies[best] / (recording**2).sum()


def test_a_digit_is_recorded_arrives_and_is_heard_by_the_ready_model(launch, lab, microphone):
    """One test for three things, since the page is what takes time."""
    folder = lab[0] / "recorded"
    with notebook(launch, lab, "recorded", microphone) as page:
        python_gets_what_the_microphone_heard(page, folder)
        assert run(page, 3).split()[-1] == repr(DIGIT)
        where_the_audio_thread_takes_no_module_the_page_records_by_itself(page, folder)


def python_gets_what_the_microphone_heard(page, folder):
    for attempt in range(3):  # the browser's audio thread drops a piece when the machine is too busy for it
        record(page, "Enter")
        assert page.locator(".course-recorder audio").evaluate("player => player.duration") == pytest.approx(SECONDS, abs=0.01)
        assert "The recording: 2.0 s." in run(page, 2)
        recording = audio.read((folder / "take.wav").rename(folder / f"take {attempt}.wav"))
        assert len(recording) == SECONDS * audio.SAMPLE_RATE
        correlation, share = likeness(recording, audio.read(CLIP))
        if correlation > 0.99:
            break
    assert correlation > 0.99 and share > 0.99, "what arrived is not what was spoken"
    assert likeness(recording, audio.read(CLIP.with_name(OTHER)))[0] < 0.9, "another clip would have passed, too"


def where_the_audio_thread_takes_no_module_the_page_records_by_itself(page, folder):
    page.evaluate("void (AudioWorklet.prototype.addModule = async () => { throw new DOMException('forbidden', 'AbortError') })")
    record(page, "Space")
    run(page, 4)
    recording = audio.read(folder / "voice.wav")
    assert len(recording) == SECONDS * audio.SAMPLE_RATE and likeness(recording, audio.read(CLIP))[0] > 0.5  # a busy page drops pieces


def test_without_permission_the_page_says_so_and_a_file_can_be_uploaded(launch, lab, sound, tmp_path):
    with notebook(launch, lab, "refused", ["use-fake-device-for-media-stream"]) as page:
        page.get_by_role("button", name="Record").click()
        says(page, "does not allow this page the microphone", "or upload a sound file")
        for lost, sentence in LOST:
            page.evaluate(f"void ({lost})")
            page.get_by_role("button", name="Record").click()
            says(page, sentence, "or upload a sound file")
        notes, length = tmp_path / "notes.txt", f"{len(audio.read(CLIP)) / audio.SAMPLE_RATE:.1f} s"
        notes.write_text("not a sound")
        upload(page, notes)
        says(page, "notes.txt: expected a sound file (WAV, FLAC, OGG, MP3", "found 11 bytes of type text/plain that this browser cannot decode.")
        upload(page, CLIP)
        says(page, f"{CLIP.name}: {length}.")
        upload(page, notes.rename(tmp_path / "notes.wav"))
        says(page, "notes.wav: expected audio, found 11 bytes of text. The recording before it is kept.")
        run(page, 2)
        np.testing.assert_array_equal(audio.read(lab[0] / "refused" / "take.wav"), audio.read(CLIP))
        run(page, 5)  # from now on binary messages are lost on their way, and Python asks for text
        upload(page, sound("voice.opus", audio.read(CLIP), format="OGG", subtype="OPUS"))  # as telephones write; Python is sent a WAV
        says(page, f"voice.opus: {length}.")
        run(page, 4)
        assert likeness(np.pad(audio.read(lab[0] / "refused" / "voice.wav"), 80), audio.read(CLIP))[0] > 0.9
