"""A microphone in the notebook: record or upload a sound in the page, use it in Python."""

import base64
import binascii
import tempfile
from pathlib import Path

import anywidget
import numpy as np
import pandas as pd
import soundfile
import traitlets

from course_lib import audio, data
from course_lib.decoding import SUFFIXES, UnreadableSound

SHORTEST = 0.1  # seconds: less holds no word
LONGEST = 60.0  # seconds: as much fits in one message to Python
FAINT = 0.003  # of full scale, -50 dB: a lower peak is mostly the microphone's own noise
BUTTONS = (
    "Recorder: its Record and upload buttons show when you run this cell in JupyterLab or Colab"
)
CLIPPED = "clipped (too loud: cut off at full scale): move away or turn the microphone down"


class Recorder(anywidget.AnyWidget):
    """A Record button, an upload button and a player; the last line of a cell shows it.

    Args:
        seconds: A recording stops by itself after so long, at most LONGEST.
        instead: The path of a clip that stands in while nothing is recorded.

    Source:
        Web Audio (AudioWorklet) in the page, recorder.js; widget messages carry a WAV file.
    """

    _esm = Path(__file__).with_suffix(".js")
    seconds = traitlets.Float().tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)  # to the page: take, kind of answer, sentence

    def __init__(self, *, seconds: float = 2.0, instead: str | Path | None = None):
        if not SHORTEST <= seconds <= LONGEST:
            raise ValueError(f"expected {SHORTEST} to {LONGEST:g} seconds, found {seconds}")
        super().__init__(seconds=seconds)
        self._instead, self._samples = instead, None
        self.on_msg(self._receive)

    def __repr__(self):
        return f"Recorder: {_length(self._samples)} recorded" if self.recorded else BUTTONS

    @property
    def recorded(self) -> bool:
        """Whether a recording, or an uploaded sound, has arrived."""
        return self._samples is not None

    @property
    def status(self) -> str:
        """The last sentence on a recording or an upload, as the page shows it."""
        return self.answer.get("sentence", "")

    def samples(self) -> np.ndarray:
        """Give the last recording, or the clip `instead`, and print which it is.

        Returns:
            float32 `[samples]` at SAMPLE_RATE; a ValueError says that there is neither.
        """
        if self.recorded:
            print(self.status)
            return self._samples.copy()
        hint = "press Record above (or upload a file), then run this cell again"
        if self._instead is None:
            raise ValueError(f"{self.status} Expected a recording, found none: {hint}.".strip())
        clip = audio.read(self._instead)
        said = f"{self.status} Nothing was recorded: this is the clip {Path(self._instead).name}"
        print(f"{said.strip()} instead. For a sound of your own, {hint}.")
        return clip

    def save(self, path: str | Path) -> Path:
        """Write what `samples` gives to a WAV file, from which `audio.read` gives the same.

        No recording is overwritten (FileExistsError); the name must end in .wav (ValueError).
        """
        path = Path(path)
        if path.suffix.lower() != ".wav":
            raise ValueError(f"{path}: expected a name that ends in .wav, found {path.suffix!r}")
        if path.exists():
            to_do = "choose another name, or delete it first"
            raise FileExistsError(f"{path}: expected no file of this name, found one: {to_do}")
        samples = self._samples if self.recorded else self.samples()
        path.parent.mkdir(parents=True, exist_ok=True)
        # Floats keep every sample as it is, also above full scale.
        soundfile.write(path, samples, audio.SAMPLE_RATE, subtype="FLOAT")
        return path

    def _receive(self, _, content, buffers):
        """Take a sound from the page; one that cannot be used leaves the recording before it."""
        name, size = str(content.get("name", "The sound"))[-80:], content.get("bytes")
        sound = _sound(content, buffers)
        if len(sound) != size:
            lost = f"expected {size} bytes, found {len(sound)}: it did not arrive whole"
            self._reply(content, "again", f"{name}: {lost}. Try again.")
            return
        try:
            samples, problem = _decoded(sound, name)
        except UnreadableSound as error:
            kept = " The recording before it is kept." if self.recorded else ""
            self._reply(content, "bad", f"{error}.{kept}")
            return
        self._samples = samples
        but = f", but it is {problem}, and record again" if problem else ""
        self._reply(content, "fault" if problem else "good", f"{name}: {_length(samples)}{but}.")

    def _reply(self, content, kind, sentence):
        self.answer = {"take": content.get("take"), "kind": kind, "sentence": sentence}


def _sound(content, buffers):
    """The bytes of a sound: binary or, where a page's way to Python loses those, as text."""
    try:
        return bytes(buffers[0]) if buffers else base64.b64decode(content["base64"], validate=True)
    except (binascii.Error, KeyError):
        return b""


def _decoded(sound, name):
    """The waveform of a sound file's bytes, and what is wrong with it (may be empty)."""
    with tempfile.TemporaryDirectory() as folder:
        suffix = Path(name).suffix.lower()
        path = Path(folder) / f"sound{suffix if suffix in SUFFIXES else ''}"
        path.write_bytes(sound)
        try:
            waveform = audio.read(path)
        except UnreadableSound as error:
            raise UnreadableSound(str(error).replace(str(path), name)) from error
        clipped = data.measure(pd.DataFrame({"path": [path]}))["clipped"].item()
    if len(waveform) < SHORTEST * audio.SAMPLE_RATE:
        found = f"{len(waveform) / audio.SAMPLE_RATE:.2f}"
        raise UnreadableSound(f"{name}: expected {SHORTEST} seconds or more, found {found}")
    peak = np.abs(waveform).max()
    if peak == 0:
        found = f"{_length(waveform)} of silence (is the microphone muted, or another one chosen?)"
        raise UnreadableSound(f"{name}: expected a sound, found {found}")
    if clipped:
        return waveform, CLIPPED
    faint = f"faint (peak {20 * np.log10(peak):.0f} dB): come closer or turn the microphone up"
    return waveform, faint if peak < FAINT else ""


def _length(samples):
    return f"{len(samples) / audio.SAMPLE_RATE:.1f} s"
