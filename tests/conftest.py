"""What every test needs: the package on the path, quiet TensorFlow, sound files, no network; and a browser, for those that look at pages."""

import http.server
import os
import shutil
import socket
import sys
import threading
import urllib.request
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["MPLBACKEND"] = "Agg"
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import hypothesis
import numpy as np
import pytest
import soundfile

hypothesis.settings.register_profile("same", derandomize=True)  # the same examples in every run; for others: pytest --hypothesis-profile=default
hypothesis.settings.load_profile("same")

CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"])), None)
QUIET = ["no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"]


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A test may talk to 127.0.0.1 only, and through no proxy."""
    connect = socket.create_connection

    def connect_here(address, *arguments, **options):
        if address[0] != "127.0.0.1":
            raise ConnectionRefusedError(f"tests use no network, and {address} was asked for")
        return connect(address, *arguments, **options)

    monkeypatch.setattr(socket, "create_connection", connect_here)
    monkeypatch.setattr(urllib.request, "_opener", None)  # it would keep the proxies of an earlier test
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"]:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Server(http.server.ThreadingHTTPServer):
    """A server that says nothing of clients that hang up, as some tests have them do."""

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@pytest.fixture
def server():
    """A factory of servers on 127.0.0.1 that give one answer each: content, status, promised length → the address."""
    servers = []

    def start(content, *, status=200, promised=None, before=lambda: None):
        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                before()
                self.send_response(status)
                self.send_header("Content-Length", promised or len(content))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments):
                pass

        servers.append(Server(("127.0.0.1", 0), Answer))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/archive"

    yield start
    for each in servers:
        each.shutdown()
        each.server_close()


@pytest.fixture(scope="module")
def launch():
    """A factory of browsers: flags → the Chromium or Chrome of the machine, which asks no proxy.

    A module's own: as long as Playwright runs, asyncio takes its loop for everybody's, and what builds notebooks has to do without.
    """
    if CHROMIUM is None:
        pytest.skip("no Chromium or Chrome was found: install one (on Debian: apt install chromium) for the tests in a browser")
    playwright = pytest.importorskip("playwright.sync_api", reason="expected playwright: install requirements-dev.txt for the tests in a browser")
    environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    with playwright.sync_playwright() as running:
        yield lambda *flags: running.chromium.launch(executable_path=CHROMIUM, args=[f"--{flag}" for flag in [*QUIET, *flags]], env=environment)


@pytest.fixture(scope="module")
def browser(launch):
    launched = launch()
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def tone():
    """A factory of sine tones."""

    def make(*, hertz=440, seconds=0.5, rate=8_000, level=0.5):
        return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)

    return make


@pytest.fixture
def sound(tmp_path, tone):
    """A factory of sound files in a temporary folder: name, samples (a tone by default), rate → the path."""

    def write(name="tone.wav", samples=None, rate=8_000, **options):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, tone(rate=rate) if samples is None else samples, rate, **options)
        return path

    return write


@pytest.fixture(scope="session")
def clip_frames():
    """A factory of log-mel-like frames: lengths → a list of float32 [frames, mels]."""

    def make(lengths, *, n_mels=40, seed=0):
        random = np.random.default_rng(seed)
        return [random.normal(-5, 4, [length, n_mels]).astype(np.float32) for length in lengths]

    return make


@pytest.fixture(scope="session")
def real_digits():
    """The Free Spoken Digit Dataset, where COURSE_DATA_DIR has it."""
    from course_lib import datasets, sets

    folder, name = os.environ.get("COURSE_DATA_DIR"), sets.FSDD.name
    if not folder or not any((Path(folder) / name).with_name(found).exists() for found in [name, f"{name}.zip"]):
        pytest.skip(f"COURSE_DATA_DIR names no folder with {name}.zip")
    return datasets.load("fsdd")
