"""The recorder without a browser: what a page may send, and what is done where nothing is sent."""

import base64
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from course_lib import audio
from course_lib.decoding import UnreadableSound
from course_lib.extra.recorder import LONGEST, SHORTEST, Recorder

ROOT = Path(__file__).resolve().parent.parent
RATE = audio.SAMPLE_RATE


@pytest.fixture(scope="module")
def spoken():
    """Two seconds of noise below 3 kHz, at 48 kHz, with silence at its ends."""
    noise = soxr.resample(np.random.default_rng(0).standard_normal(2 * RATE), RATE, 48_000)
    return np.pad(0.1 * noise[9_600:-9_600], 9_600).clip(-0.9, 0.9)


@pytest.fixture
def recorded(spoken):
    """A recorder that has a recording."""
    recorder = Recorder()
    send(recorder, encoded(spoken))
    return recorder


def encoded(samples, rate=48_000, **options):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, **{"format": "WAV", **options})
    return file.getvalue()


def send(recorder, sound, name="The recording", *, as_text=False, **changes):
    """Send what a page sends: → the kind of the answer, and the sentence."""
    content = {"take": "1", "name": name, "bytes": len(sound)}
    if as_text:
        content["base64"] = base64.b64encode(sound).decode()
    data = {"method": "custom", "content": {**content, **changes}}
    buffers = [] if as_text else [memoryview(sound)]
    recorder._handle_msg({"content": {"data": data}, "buffers": buffers})  # as Jupyter does
    assert recorder.answer["take"] == "1" and recorder.status == recorder.answer["sentence"]
    return recorder.answer["kind"], recorder.status


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_recording_is_the_same_as_its_file_read_from_disk(tmp_path, spoken, rate, as_text):
    sound = encoded(soxr.resample(spoken, 48_000, rate), rate)
    (tmp_path / "same.wav").write_bytes(sound)
    recorder = Recorder()
    assert not recorder.recorded and recorder.status == ""
    assert send(recorder, sound, as_text=as_text) == ("good", "The recording: 2.0 s.")
    found = recorder.samples()
    np.testing.assert_array_equal(found, audio.read(tmp_path / "same.wav"))
    expected = soxr.resample(spoken, 48_000, RATE)
    np.testing.assert_allclose(found[400:-400], expected[400:-400], atol=2e-3)


def test_stereo_is_mixed_and_the_last_recording_counts(spoken, recorded):
    alone = recorded.samples()
    send(recorded, encoded(np.stack([spoken, 0 * spoken], axis=1)))
    np.testing.assert_allclose(recorded.samples(), alone / 2, atol=1e-4)


@pytest.mark.parametrize("name, form", [("a.flac", "FLAC"), ("a.OGG", "OGG"), ("a b.mp3", "MP3")])
def test_other_formats_can_be_uploaded(spoken, recorded, name, form):
    wave, recorder = recorded.samples(), Recorder()
    assert send(recorder, encoded(spoken, format=form), name) == ("good", f"{name}: 2.0 s.")
    assert np.corrcoef(recorder.samples()[: len(wave)], wave)[0, 1] > 0.95


def useless(spoken):
    silence, opposite = np.zeros(48_000), np.stack([spoken, -spoken], axis=1)
    nothing = spoken.copy()
    nothing[123] = np.nan
    yield "notes.wav", b"not a sound", "11 bytes of text"
    yield "empty.wav", b"", "an empty file"
    yield "cut.wav", encoded(spoken)[:9_000], "it was cut short"
    yield "nan.wav", encoded(nothing, subtype="FLOAT"), "nan at sample 123"
    yield "header.wav", encoded(silence[:0]), "a header and no samples"
    yield "short.wav", encoded(spoken[20_000:22_000]), "0.1 seconds or more, found 0.04"
    yield "silent.wav", encoded(silence), "1.0 s of silence"
    yield "opposite.wav", encoded(opposite, subtype="FLOAT"), "2.0 s of silence"


def test_useless_sound_is_named_and_the_recording_before_it_is_kept(spoken, recorded):
    before = recorded.samples()
    recorded.samples()[:] = 0  # of a copy
    for recorder in (Recorder(), recorded):
        for name, sound, found in useless(spoken):
            was_recorded = recorder.recorded
            kind, said = send(recorder, sound, name)
            assert kind == "bad" and said.startswith(f"{name}: expected ") and found in said
            assert said.endswith("before it is kept.") == was_recorded == recorder.recorded
            assert "/" not in said, "the place where it was decoded is of no interest"
    np.testing.assert_array_equal(recorded.samples(), before)


@pytest.mark.parametrize("factor, problem", [(30, "clipped"), (1e-3, r"faint \(peak -\d\d dB\)")])
def test_doubtful_sound_is_kept_and_named_each_time(spoken, capsys, factor, problem):
    recorder = Recorder()
    kind, said = send(recorder, encoded((factor * spoken).clip(-1, 1)))
    assert kind == "fault" and re.search(f"but it is {problem}.* record again", said)
    recorder.samples()
    assert capsys.readouterr().out == f"{said}\n"


@pytest.mark.parametrize("loss", [{"bytes": 7}, {"bytes": None}, {"base64": "?"}, {"base64": ""}])
def test_sound_that_did_not_arrive_whole_is_asked_for_again(spoken, loss):
    recorder = Recorder()
    kind, said = send(recorder, encoded(spoken), as_text="base64" in loss, **loss)
    assert kind == "again" and "did not arrive whole" in said and not recorder.recorded


def test_saved_recording_reads_back_the_same_and_overwrites_nothing(tmp_path, spoken):
    recorder = Recorder()
    send(recorder, encoded(spoken * 4, subtype="FLOAT"))
    assert np.abs(recorder.samples()).max() > 1, "which 16 bits could not hold"
    path = recorder.save(tmp_path / "new" / "folder" / "take.wav")
    np.testing.assert_array_equal(audio.read(path), recorder.samples())
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="expected no file of this name, found one"):
        recorder.save(str(path))
    with pytest.raises(ValueError, match="expected a name that ends in .wav, found '.mp3'"):
        recorder.save(tmp_path / "take.mp3")
    assert path.read_bytes() == before and not (tmp_path / "take.mp3").exists()


def test_clip_stands_in_and_a_sentence_says_so(sound, tmp_path, capsys):
    clip = sound("seven.wav", rate=44_100)
    recorder = Recorder(instead=clip)
    np.testing.assert_array_equal(recorder.samples(), audio.read(clip))
    said = capsys.readouterr().out
    assert said.startswith("Nothing was recorded: this is the clip seven.wav instead.")
    assert str(tmp_path) not in said and said.count("\n") == 1 and not recorder.recorded
    saved = recorder.save(tmp_path / "saved.wav")
    np.testing.assert_array_equal(audio.read(saved), audio.read(clip))
    assert capsys.readouterr().out == said, "saving says that it is no recording, too"
    send(recorder, encoded(np.zeros(48_000)))
    recorder.samples()
    assert re.match(".* found 1.0 s of silence.* Nothing was recorded", capsys.readouterr().out)


def test_errors_say_what_to_do(tmp_path):
    for use in [Recorder().samples, lambda: Recorder().save(tmp_path / "take.wav")]:
        with pytest.raises(ValueError, match="Expected a recording, found none: press Record"):
            use()
    with pytest.raises(UnreadableSound, match="nowhere.wav: expected audio"):
        Recorder(instead=tmp_path / "nowhere.wav").samples()
    for seconds in (0, SHORTEST / 2, LONGEST + 1, np.nan):
        with pytest.raises(ValueError, match=f"expected 0.1 to 60 seconds, found {seconds}"):
            Recorder(seconds=seconds)


def test_plain_python_says_nothing_on_the_error_stream():
    code = "import sys; from course_lib.extra.recorder import Recorder; print(Recorder())"
    command = [sys.executable, "-W", "always::UserWarning", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{Recorder()}\n", "")
    assert len(repr(Recorder())) <= 110, "ipywidgets 7 cuts longer ones"
