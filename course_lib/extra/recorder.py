"""A microphone in the notebook: record or upload a sound in the page, and have its samples in Python."""

import base64
import binascii
import tempfile
from pathlib import Path

import anywidget
import numpy as np
import pandas as pd
import soundfile
import traitlets

from course_lib import audio, quality
from course_lib.audio import SUFFIXES, UnreadableSound

SHORTEST = 0.1  # seconds: less holds no word
LONGEST = 60.0  # seconds: 48,000 samples of 16 bits a second for so long fit in one message to Python
FAINT = 0.003  # of full scale, -50 dB: a recording whose peak is lower is mostly the microphone's own noise
NAME = 80  # characters of a file's name that are shown
BUTTONS = "Recorder: its Record and upload buttons show here when you run this cell in JupyterLab or Colab"


class Recorder(anywidget.AnyWidget):
    """A Record button, an upload button, a player and a line that says how it went; the last line of a cell shows it.

    Args: seconds: a recording stops by itself after so long, at most LONGEST; instead: the path of a clip that `samples` takes when
    nothing was recorded, as where no browser is.
    Raises: ValueError if `seconds` is not between SHORTEST and LONGEST.
    Source: Web Audio (AudioWorklet) in the page, recorder.js; Jupyter's widget messages carry the sound, as a WAV file.
    """

    _esm = Path(__file__).with_suffix(".js")
    seconds = traitlets.Float().tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)  # to the page: the take that is meant, the kind of answer, the sentence

    def __init__(self, *, seconds=2.0, instead=None):
        if not SHORTEST <= seconds <= LONGEST:
            raise ValueError(f"expected {SHORTEST} to {LONGEST:g} seconds, found {seconds}")
        super().__init__(seconds=seconds)
        self._instead, self._samples = instead, None
        self.on_msg(self._receive)

    def __repr__(self):
        return f"Recorder: {_length(self._samples)} recorded" if self.recorded else BUTTONS

    @property
    def recorded(self):
        """Whether a recording, or an uploaded sound, has arrived and is kept."""
        return self._samples is not None

    @property
    def status(self):
        """The last sentence on how a recording or an upload went, as the page shows it; empty before the first."""
        return self.answer.get("sentence", "")

    def samples(self):
        """The last recording or, where there is none, the clip `instead`; prints which it is, and what is wrong with it.

        Returns: float32 `[samples]` in units of full scale, mono, at audio.SAMPLE_RATE hertz.
        Raises: ValueError if nothing was recorded and there is no `instead`; UnreadableSound if `instead` is not a usable clip.
        """
        if self.recorded:
            print(self.status)
            return self._samples.copy()
        hint = "press Record above (or upload a file), then run this cell again"
        if self._instead is None:
            raise ValueError(f"{self.status} Expected a recording, found none: {hint}.".strip())
        clip = audio.read(self._instead)
        print(f"{self.status} Nothing was recorded: this is the clip {Path(self._instead).name} instead. For a sound of your own, {hint}.".strip())
        return clip

    def save(self, path):
        """Write what `samples` gives to a WAV file that `audio.read` reads back the same; folders are made.

        Args: path: ends in .wav. Returns: the path.
        Raises: FileExistsError if there is such a file: no recording is overwritten; ValueError if `path` has another ending, or as `samples`.
        """
        path = Path(path)
        if path.suffix.lower() != ".wav":
            raise ValueError(f"{path}: expected a name that ends in .wav, found {path.suffix or 'no ending'}")
        if path.exists():
            raise FileExistsError(f"{path}: expected no file of this name, found one: choose another name, or delete it first")
        samples = self._samples if self.recorded else self.samples()
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, audio.SAMPLE_RATE, subtype="FLOAT")  # 32 bits: every sample as it is, also above full scale
        return path

    def _receive(self, _, content, buffers):
        """Take a sound that the page sends; one that is of no use changes the status and keeps the recording before it."""
        take, name = content.get("take"), str(content.get("name", "The sound"))[-NAME:]
        sound = _sound(content, buffers)
        if len(sound) != content.get("bytes"):
            sentence = f"{name}: expected {content.get('bytes')} bytes, found {len(sound)}: it did not arrive whole. Try again."
            self.answer = {"take": take, "kind": "again", "sentence": sentence}
            return
        try:
            samples, fault = _decoded(sound, name)
        except UnreadableSound as error:
            kept = " The recording before it is kept." if self.recorded else ""
            self.answer = {"take": take, "kind": "bad", "sentence": f"{error}.{kept}"}
            return
        self._samples = samples
        sentence = f"{name}: {_length(samples)}{', ' if fault else ''}{fault}."
        self.answer = {"take": take, "kind": "fault" if fault else "good", "sentence": sentence}


def _sound(content, buffers):
    """The bytes of a sound: binary or, where a page's way to Python loses those, as text."""
    try:
        return bytes(buffers[0]) if buffers else base64.b64decode(content.get("base64", ""), validate=True)
    except binascii.Error:
        return b""


def _decoded(sound, name):
    """The waveform of a sound file's bytes, read as any clip on disk is, and what is wrong with it, in words; none if nothing is.

    Raises: UnreadableSound if it is not audio, too short or silent; the message names the file as the learner does.
    """
    with tempfile.TemporaryDirectory() as folder:
        suffix = Path(name).suffix.lower()
        path = Path(folder) / f"sound{suffix if suffix in SUFFIXES else ''}"
        path.write_bytes(sound)
        try:
            waveform = audio.read(path)
        except UnreadableSound as error:
            raise UnreadableSound(str(error).replace(str(path), name)) from error
        clipped = quality.measure(pd.DataFrame({"path": [path]}))["clipped"].item()
    if len(waveform) < SHORTEST * audio.SAMPLE_RATE:
        raise UnreadableSound(f"{name}: expected {SHORTEST} seconds or more, found {len(waveform) / audio.SAMPLE_RATE:.2f}")
    peak = np.abs(waveform).max()
    if not peak:
        raise UnreadableSound(f"{name}: expected a sound, found {_length(waveform)} of silence (is the microphone muted, or another one chosen?)")
    if clipped:
        return waveform, "but it is clipped (too loud: cut off at full scale): move away or turn the microphone down, and record again"
    if peak < FAINT:
        return waveform, f"but it is faint (peak {20 * np.log10(peak):.0f} dB): come closer or turn the microphone up, and record again"
    return waveform, ""


def _length(samples):
    return f"{len(samples) / audio.SAMPLE_RATE:.1f} s"
