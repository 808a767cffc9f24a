"""The recorder without a browser: what a page may send, what Python makes of it, and what is done where nothing is sent."""

import base64
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
import soundfile
import soxr
from nbclient import NotebookClient

from course_lib import audio
from course_lib.files import UnreadableSound
from course_lib.recorder import LONGEST, SHORTEST, Recorder

ROOT = Path(__file__).resolve().parent.parent
RATE = audio.SAMPLE_RATE


@pytest.fixture
def spoken():
    """Two seconds of what is no tone and not periodic: noise below 3 kHz, at 48 kHz, with silence at its ends."""
    noise = np.random.default_rng(0).standard_normal(2 * RATE)
    return np.pad(0.1 * soxr.resample(noise, RATE, 48_000)[9_600:-9_600], 9_600).clip(-0.9, 0.9)


def encoded(samples, rate=48_000, **options):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, **{"format": "WAV", **options})
    return file.getvalue()


def send(recorder, sound, name="The recording", *, text=False, **changes):
    """Hand a recorder the message that a page sends.

    Returns: the kind of its answer and the sentence.
    """
    content = {"take": "1", "name": name, "bytes": len(sound), **({"base64": base64.b64encode(sound).decode()} if text else {}), **changes}
    buffers = [] if text or sound is None else [memoryview(sound)]
    recorder._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": buffers})
    assert recorder.answer["take"] == "1" and recorder.status == recorder.answer["sentence"]
    return recorder.answer["kind"], recorder.status


# What arrives


@pytest.mark.parametrize("text", [False, True], ids=["binary", "text"])
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_recording_is_the_same_as_its_file_read_from_disk(tmp_path, spoken, rate, text):
    sound = encoded(soxr.resample(spoken, 48_000, rate), rate)
    (tmp_path / "same.wav").write_bytes(sound)
    recorder = Recorder()
    assert not recorder.recorded and recorder.status == ""
    assert send(recorder, sound, text=text) == ("good", "The recording: 2.0 s.")
    assert recorder.recorded and recorder.samples().dtype == np.float32
    np.testing.assert_array_equal(recorder.samples(), audio.read(tmp_path / "same.wav"))
    np.testing.assert_allclose(recorder.samples()[400:-400], soxr.resample(spoken, 48_000, RATE)[400:-400], atol=2e-3)


def test_stereo_is_mixed(spoken):
    recorder = Recorder()
    send(recorder, encoded(np.stack([spoken, 0 * spoken], axis=1)))
    both = recorder.samples()
    send(recorder, encoded(spoken))
    np.testing.assert_allclose(both, recorder.samples() / 2, atol=1e-4)


@pytest.mark.parametrize("name, options", [("a.flac", {"format": "FLAC"}), ("a.OGG", {"format": "OGG"}), ("a.mp3", {"format": "MP3"}), ("two words.wav", {"subtype": "FLOAT"})])
def test_every_format_that_is_uploaded_as_it_is(spoken, name, options):
    recorder = Recorder()
    assert send(recorder, encoded(spoken, **options), name) == ("good", f"{name}: 2.0 s.")
    assert np.corrcoef(recorder.samples()[: 2 * RATE], soxr.resample(spoken, 48_000, RATE))[0, 1] > 0.95


def test_samples_are_a_copy(spoken):
    recorder = Recorder()
    send(recorder, encoded(spoken))
    recorder.samples()[:] = 0
    assert recorder.samples().any()


def test_the_last_recording_counts(spoken):
    recorder = Recorder()
    send(recorder, encoded(spoken))
    send(recorder, encoded(spoken[:48_000]))
    assert len(recorder.samples()) == RATE


# What is of no use, and what is doubtful


def useless(spoken):
    silence, fault = np.zeros(48_000), spoken.copy()
    fault[123] = np.nan
    yield "notes.wav", b"not a sound", "notes.wav: expected audio, found 11 bytes of text."
    yield "empty.wav", b"", "empty.wav: expected audio, found an empty file."
    yield "noise.flac", np.random.default_rng(0).bytes(999), "noise.flac: expected audio, found 999 bytes that no decoder accepts"
    yield "cut.wav", encoded(spoken)[:9_000], "cut.wav: expected 192,000 bytes of samples, found 8,956: it was cut short."
    yield "fault.wav", encoded(fault, subtype="FLOAT"), "fault.wav: expected finite samples, found nan at sample 123."
    yield "header.wav", encoded(silence[:0]), "header.wav: expected audio, found a header and no samples."
    yield "The recording", encoded(spoken[20_000:22_000]), "The recording: expected 0.1 seconds or more, found 0.04."
    yield "The recording", encoded(silence), "The recording: expected a sound, found 1.0 s of silence (is the microphone muted"
    yield "opposite.wav", encoded(np.stack([spoken, -spoken], axis=1), subtype="FLOAT"), "opposite.wav: expected a sound, found 2.0 s of silence"


def test_what_is_of_no_use_is_named_and_the_recording_before_it_is_kept(spoken, capsys):
    recorder = Recorder()
    for before in [None, encoded(spoken)]:
        if before:
            send(recorder, before)
        for name, sound, sentence in useless(spoken):
            kind, said = send(recorder, sound, name)
            assert kind == "bad" and said.startswith(sentence), said
            assert said.endswith("The recording before it is kept.") == bool(before)
            assert "/" not in said, "the place where it was decoded is of no interest"
            assert recorder.recorded == bool(before)
    assert len(recorder.samples()) == 2 * RATE
    assert "The recording before it is kept." in capsys.readouterr().out


@pytest.mark.parametrize("change, sentence", [(lambda sound: (3 * sound / np.abs(sound).max()).clip(-1, 1), "clipped"), (lambda sound: sound / 1_000, r"faint \(peak -\d\d dB\)")])
def test_what_is_doubtful_is_kept_and_named_each_time(spoken, capsys, change, sentence):
    recorder = Recorder()
    kind, said = send(recorder, encoded(change(spoken)))
    assert kind == "fault" and re.match(rf"The recording: 2\.0 s, but it is {sentence}.* record again\.$", said)
    recorder.samples()
    assert capsys.readouterr().out == f"{said}\n"


@pytest.mark.parametrize("loss", [{"bytes": 7}, {"bytes": None}, {"base64": "?"}, {"base64": ""}])
def test_what_did_not_arrive_whole_is_asked_for_again(spoken, loss):
    recorder = Recorder()
    kind, said = send(recorder, encoded(spoken), text="base64" in loss, **loss)
    assert kind == "again" and "did not arrive whole" in said and not recorder.recorded


def test_message_from_nowhere_is_no_recording(capsys):
    recorder = Recorder()
    recorder._handle_msg({"content": {"data": {"method": "custom", "content": {}}}, "buffers": []})
    assert not recorder.recorded and capsys.readouterr() == ("", "")


# Saving


def test_saved_recording_reads_back_the_same(tmp_path, spoken):
    recorder = Recorder()
    send(recorder, encoded(spoken * 4, subtype="FLOAT"))  # resampled, and in part above full scale: nothing that 16 bits could hold
    assert np.abs(recorder.samples()).max() > 1
    path = recorder.save(tmp_path / "new" / "folder" / "take.wav")
    np.testing.assert_array_equal(audio.read(path), recorder.samples())


def test_saving_overwrites_nothing(tmp_path, spoken):
    recorder = Recorder()
    send(recorder, encoded(spoken))
    path = tmp_path / "take.wav"
    path.write_bytes(b"dear")
    with pytest.raises(FileExistsError, match=re.escape(f"{path}: expected no file of this name, found one")):
        recorder.save(str(path))
    assert path.read_bytes() == b"dear"


def test_name_that_promises_another_format_is_refused(tmp_path, spoken):
    recorder = Recorder()
    send(recorder, encoded(spoken))
    with pytest.raises(ValueError, match="expected a name that ends in .wav, found .mp3"):
        recorder.save(tmp_path / "take.mp3")
    assert not list(tmp_path.iterdir())


# Without a recording


def test_clip_stands_in_and_a_sentence_says_so(sound, tmp_path, capsys):
    recorder = Recorder(instead=sound("seven.wav", rate=44_100))
    np.testing.assert_array_equal(recorder.samples(), audio.read(tmp_path / "seven.wav"))
    said = capsys.readouterr().out
    assert said.startswith("Nothing was recorded: this is the clip seven.wav instead.") and "press Record above" in said
    assert str(tmp_path) not in said and said.count("\n") == 1 and not recorder.recorded
    np.testing.assert_array_equal(audio.read(recorder.save(tmp_path / "saved.wav")), audio.read(tmp_path / "seven.wav"))
    assert capsys.readouterr().out == said, "saving says that it is no recording, too"


def test_clip_stands_in_for_a_refused_recording_and_both_are_named(sound, capsys):
    recorder = Recorder(instead=sound("seven.wav"))
    send(recorder, encoded(np.zeros(48_000)))
    recorder.samples()
    assert re.match(r"The recording: expected a sound, .* Nothing was recorded: this is the clip seven.wav", capsys.readouterr().out)


def test_without_recording_and_clip_the_error_says_what_to_do(tmp_path):
    for use in [Recorder().samples, lambda: Recorder().save(tmp_path / "take.wav")]:
        with pytest.raises(ValueError, match="Expected a recording, found none: press Record above"):
            use()


def test_clip_that_is_no_sound_is_named(tmp_path):
    with pytest.raises(UnreadableSound, match="nowhere.wav: expected audio, found no such file"):
        Recorder(instead=tmp_path / "nowhere.wav").samples()


@pytest.mark.parametrize("seconds", [0, SHORTEST / 2, LONGEST + 1, np.nan])
def test_length_that_cannot_be_is_refused(seconds):
    with pytest.raises(ValueError, match=f"expected 0.1 to 60 seconds, found {seconds}"):
        Recorder(seconds=seconds)


def test_words_stand_for_the_widget_where_no_page_shows_it(spoken):
    recorder = Recorder()
    assert "run this cell in JupyterLab or Colab" in repr(recorder) and len(repr(recorder)) <= 110  # ipywidgets 7 cuts longer ones
    send(recorder, encoded(spoken))
    assert repr(recorder) == "Recorder: 2.0 s recorded"


# In other programs


def test_plain_python_says_nothing_on_the_error_stream(sound):
    code = "import sys; from course_lib.recorder import Recorder; r = Recorder(instead=sys.argv[1]); print(r, len(r.samples()))"
    done = subprocess.run([sys.executable, "-W", "always::UserWarning", "-c", code, sound("seven.wav")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.splitlines() == [done.stdout.splitlines()[0], f"{Recorder()} 4000"]
    assert done.stdout.startswith("Nothing was recorded")


def test_kernel_takes_a_message_from_its_page(tmp_path, spoken):
    """The whole way but for the browser: a binary message over the kernel's socket, handled between two cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom course_lib.recorder import Recorder\nrecorder = Recorder()\nrecorder")])
    notebook.cells.append(nbformat.v4.new_code_cell("recorder.samples()[4000:4003].tolist()"))
    client, sound = NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}), encoded(spoken)
    with client.setup_kernel():
        shown = client.execute_cell(notebook.cells[0], 0).outputs
        (output,) = shown
        assert output.data["text/plain"] == repr(Recorder())
        page = {"comm_id": output.data["application/vnd.jupyter.widget-view+json"]["model_id"]}
        content = {"method": "custom", "content": {"take": "1", "name": "The recording", "bytes": len(sound)}}
        shell = client.kc.shell_channel
        shell.session.send(shell.socket, "comm_msg", {**page, "data": content}, buffers=[sound])
        outputs = client.execute_cell(notebook.cells[1], 1).outputs
    assert outputs[0].text == "The recording: 2.0 s.\n"
    recorder = Recorder()
    send(recorder, sound)
    assert json.loads(outputs[1].data["text/plain"]) == recorder.samples()[4000:4003].tolist()
    assert not [output for output in [*shown, *outputs] if output.get("name") == "stderr"]
