"""The recorder in a real browser and JupyterLab, whose fake microphone hears a spoken digit."""

import json
import os
import re
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import nbformat
import numpy as np
import pytest
import soxr
from scipy import signal

from course_lib import audio

WANTED = "expected {}, which `pip install -e .[dev]` brings, to test the recorder in a browser"
playwright = pytest.importorskip("playwright.sync_api", reason=WANTED.format("playwright"))
pytest.importorskip("jupyterlab", reason=WANTED.format("JupyterLab"))

ROOT = Path(__file__).resolve().parent.parent
CLIP = ROOT / "data" / "spoken-digits" / "clips" / "7_espeak-american_0.flac"
SPOKEN = audio.read(CLIP)
SECONDS, LEAD = 2.0, 0.6  # of the recording, and of the silence before the digit
PATIENCE = 20_000  # milliseconds, on a busy machine
NEWS = "@jupyterlab/apputils-extension:announcements"  # would ask the network
FAKE = "use-fake-device-for-media-stream"
READY = "sessionContext?.session?.kernel?.connectionStatus === 'connected'"
CELLS = f"""
from course_lib.extra import recorder as module
recorder = module.Recorder(seconds={SECONDS})
recorder
# %%
recorder.save("take.wav")
len(recorder.samples())
# %%
recorder.save("voice.wav")
# %%
whole = module._sound
module._sound = lambda content, buffers: whole(content, [])
"""
LOST = [
    ("navigator.mediaDevices.getUserMedia = async () => { throw new DOMException() }", "(Error:"),
    ("delete Navigator.prototype.mediaDevices", "This browser offers pages no microphone."),
    ("window.AudioContext = undefined", "it has no AudioContext"),
]
NO_WORKLET = "AudioWorklet.prototype.addModule = async () => { throw new DOMException('', '') }"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab without the machine's settings: its folder, its address and its token."""
    folder, settings = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("settings")
    page = settings / "CONFIG" / "labconfig" / "page_config.json"
    page.parent.mkdir(parents=True)
    page.write_text(json.dumps({"disabledExtensions": {NEWS: True}}))
    own = {f"JUPYTER_{name}_DIR": str(settings / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    own |= {"IPYTHONDIR": str(settings), "PYTHONPATH": str(ROOT), "JUPYTER_PLATFORM_DIRS": "1"}
    options = ["--no-browser", "--allow-root", "--port=0", f"--ServerApp.root_dir={folder}"]
    options += ["--ServerApp.allow_remote_access=True", "--LabApp.expose_app_in_browser=True"]
    command = [sys.executable, "-m", "jupyterlab", *options]
    with subprocess.Popen(command, env=os.environ | own, stderr=subprocess.DEVNULL) as server:
        known, ends = settings / "RUNTIME" / f"jpserver-{server.pid}.json", time.time() + 60
        while not (known.exists() and known.read_text().endswith("}")) and time.time() < ends:
            time.sleep(0.1)
        try:
            found = json.loads(known.read_text())
            yield folder, found["url"].replace("localhost", "127.0.0.1"), found["token"]
        finally:
            server.terminate()


@contextmanager
def notebook(launch, lab, name, flags):
    """A fresh notebook in a folder and a browser of its own, its first cell run: the page."""
    folder, url, token = lab
    (folder / name).mkdir()
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in CELLS.split("# %%")]
    kernel = {"kernelspec": {"display_name": "Python 3", "name": "python3"}}
    content = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    nbformat.write(content, folder / name / "lesson.ipynb")
    with closing(launch(*flags)) as browser:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{url}doc/tree/{name}/lesson.ipynb?token={token}")
        page.wait_for_function(f"window.jupyterapp?.shell.currentWidget?.{READY}")
        run(page, 1)
        page.wait_for_selector(".course-recorder")
        yield page


def run(page, number):
    """Run a cell, by its number from 1, and wait for its end: → what it printed."""
    cell = page.locator(".jp-CodeCell").nth(number - 1)
    prompt = cell.locator(".jp-InputPrompt")
    before = prompt.inner_text()
    page.evaluate(f"jupyterapp.shell.currentWidget.content.activeCellIndex = {number - 1}")
    page.evaluate("void jupyterapp.commands.execute('notebook:run-cell')")
    playwright.expect(prompt).not_to_have_text(before, timeout=PATIENCE)
    playwright.expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=2 * PATIENCE)
    return "\n".join(cell.locator(".jp-OutputArea-output").all_inner_texts())


def says(page, words):
    """Wait until the recorder's status holds these words."""
    status = page.locator(".course-recorder").get_by_role("status")
    playwright.expect(status).to_contain_text(words, timeout=PATIENCE)


def record(page, key):
    """Record by keyboard, from the button to the end of the recording."""
    page.get_by_role("button", name="Record").press(key)
    page.wait_for_function("document.activeElement?.matches('.course-recorder .recording')")
    says(page, f"The recording: {SECONDS} s.")


def upload(page, path, words):
    page.locator(".course-recorder input").set_input_files(path)
    says(page, words)


def likeness(recording):
    """The best correlation of the clip with a piece of a recording, 1 when they are the same.

    They are compared at six times the rate: a recording begins between two samples of the clip.
    """
    recording, clip = (soxr.resample(np.float64(each), 1, 6) for each in (recording, SPOKEN))
    energies = signal.fftconvolve(recording**2, np.ones(len(clip)), "valid")
    products = signal.correlate(recording, clip, "valid")
    return (products / np.sqrt(energies.clip(1e-3) * (clip**2).sum())).max()


def test_a_digit_is_recorded_and_arrives_as_it_was_spoken(launch, lab, sound):
    digit, folder = audio.read(CLIP, sample_rate=48_000), lab[0] / "recorded"
    spoken = sound("spoken.wav", np.pad(digit, [round(LEAD * 48_000), 3 * 48_000]), 48_000)
    hears = f"use-file-for-fake-audio-capture={spoken}%noloop"
    with notebook(launch, lab, "recorded", [FAKE, "use-fake-ui-for-media-stream", hears]) as page:
        for attempt in range(3):  # a busy browser drops pieces
            record(page, "Enter")
            run(page, 2)
            recording = audio.read((folder / "take.wav").rename(folder / f"{attempt}.wav"))
            assert len(recording) == SECONDS * audio.SAMPLE_RATE
            if likeness(recording) > 0.99:
                break
        assert likeness(recording) > 0.99, "what arrived is not what was spoken"
        assert likeness(audio.read(CLIP.with_name("7_espeak-american_1.flac"))) < 0.9
        page.evaluate(f"void ({NO_WORKLET})")  # then the page records by itself
        record(page, "Space")
        run(page, 3)
        assert likeness(audio.read(folder / "voice.wav")) > 0.5


def test_without_a_microphone_the_page_says_so_and_takes_files(launch, lab, sound, tmp_path):
    length, folder = f"{len(SPOKEN) / audio.SAMPLE_RATE:.1f} s", lab[0] / "refused"
    with notebook(launch, lab, "refused", [FAKE]) as page:
        page.get_by_role("button", name="Record").click()
        says(page, "does not allow this page the microphone")
        for lost, words in LOST:
            page.evaluate(f"void ({lost})")
            page.get_by_role("button", name="Record").click()
            says(page, words)
        upload(page, CLIP, f"{CLIP.name}: {length}.")
        (tmp_path / "notes.wav").write_text("not a sound")
        upload(page, tmp_path / "notes.wav", "found 11 bytes of text. The recording before it")
        run(page, 2)
        np.testing.assert_array_equal(audio.read(folder / "take.wav"), SPOKEN)
        run(page, 4)  # from now on binary messages are lost, and Python asks for text
        voice = sound("voice.opus", SPOKEN, format="OGG", subtype="OPUS")
        upload(page, voice, f"voice.opus: {length}.")
        run(page, 3)
        assert likeness(np.pad(audio.read(folder / "voice.wav"), 80)) > 0.9
