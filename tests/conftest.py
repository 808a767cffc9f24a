"""What tests share: quiet TensorFlow, no network, sound files, a server, a browser."""

import functools
import http.server
import os
import shutil
import socket
import sys
import threading
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import soundfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["MPLBACKEND"] = "Agg"
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# The same examples in every run; for others: pytest --hypothesis-profile=default
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.load_profile("same")

BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
FLAGS = ["no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking"]


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A test may talk to this machine only, and through no proxy."""
    connect = socket.socket.connect

    def connect_here(self, address):
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise ConnectionRefusedError(f"tests use no network, and {address} was asked for")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Say nothing of clients that hang up, as some tests have them do."""


@pytest.fixture
def server():
    """A factory of servers that give one answer each: content, status, promised length → URL."""
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
        serve = servers[-1].serve_forever
        threading.Thread(target=serve, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/archive"

    yield start
    for each in servers:
        each.shutdown()
        each.server_close()


@pytest.fixture(scope="module")
def launch():
    """A factory of browsers for one module: flags → this machine's Chromium, without a proxy."""
    if CHROMIUM is None:
        pytest.skip("no Chromium or Chrome was found (on Debian: apt install chromium)")
    playwright = pytest.importorskip("playwright.sync_api")
    kept = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    with playwright.sync_playwright() as running:
        start = functools.partial(running.chromium.launch, executable_path=CHROMIUM, env=kept)
        yield lambda *flags: start(args=[f"--{flag}" for flag in [*FLAGS, *flags]])


@pytest.fixture(scope="module")
def browser(launch):
    """One browser for a module."""
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
    """A factory of sound files in a temporary folder: name, samples (a tone), rate → the path."""

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
    from course_lib import data

    if not list(Path(os.environ.get("COURSE_DATA_DIR", "/nowhere")).glob("free-spoken-digit*")):
        pytest.skip("COURSE_DATA_DIR names no folder with the Free Spoken Digit Dataset")
    return data.load("fsdd")
