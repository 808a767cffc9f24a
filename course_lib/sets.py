"""Where each named data set is found, and what its files are: rows of (file, label, group, split, source, licence)."""

import functools
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from course_lib import archives

DATA = Path(__file__).resolve().parent.parent / "data"
FSDD_TEST_TAKES = 5  # the official test set: takes 0 to 4 of each digit by each speaker
COMMANDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
NOISES = "_background_noise_"  # the folder of the files that "silence" is cut from
TEST_NOISES = ("doing_the_dishes", "running_tap")  # of Speech Commands, which has no official split of its noises


class Archive(NamedTuple):
    """An archive of recordings: its name without suffix, its address, a pattern for the files that count, and their fingerprint.

    Without a pattern the fingerprint is the SHA-256 of the archive itself, as others have published it.
    """

    name: str
    url: str
    recordings: str
    sha256: str
    suffix: str = ".zip"


FSDD = Archive(
    "free-spoken-digit-dataset-26eb9aaf76e81b692f806f9140c2d2777410d7a1",
    "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/26eb9aaf76e81b692f806f9140c2d2777410d7a1.zip",
    "recordings/*.wav",
    "baa3a6dcf4da47fb3075bec71a8cefb512022cb9ae030a79a31b315f37bc67af",
)
ESC_10 = Archive(
    "ESC-10-553c8f1743b9dba6b282e1323c3ca8fa76923448",
    "https://github.com/karolpiczak/ESC-10/archive/553c8f1743b9dba6b282e1323c3ca8fa76923448.zip",
    "*/*.ogg",
    "90f86c372a5566235f4a724cc3bd6163390aae3eebb52b3fd167001f2014db91",
)
SPEECH_URL = "https://storage.googleapis.com/download.tensorflow.org/data"
SPEECH_SHA256 = "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58"
SPEECH_COMMANDS = Archive("speech_commands_v0.02", f"{SPEECH_URL}/speech_commands_v0.02.tar.gz", None, SPEECH_SHA256, ".tar.gz")
MINI_SHA256 = "49650f2341b26d886b46b3f4fb8fed59e30300b17550f1ee4a768b3106cf93a0"
MINI_SPEECH_COMMANDS = Archive("mini_speech_commands", f"{SPEECH_URL}/mini_speech_commands.zip", None, MINI_SHA256)
GTZAN_URL = "https://huggingface.co/datasets/marsyas/gtzan/resolve/main/data/genres.tar.gz"
GTZAN = Archive("genres", GTZAN_URL, None, "b28cc067ff6199bd826f5d1a6931458586d64acae7f44b2e882b7a97af057531", ".tar.gz")


def fsdd():
    """The Free Spoken Digit Dataset, with its official split.

    Returns: a list of rows. Raises: archives.Unavailable if it is neither here nor to be downloaded.
    """
    rows = []
    for file in (unpacked(FSDD) / "recordings").glob("*.wav"):
        digit, speaker, take = file.stem.split("_")
        rows.append((digit, speaker, int(take), file, "test" if int(take) < FSDD_TEST_TAKES else "train"))
    return [(file, digit, speaker, split, "Free Spoken Digit Dataset", "CC BY-SA 4.0") for digit, speaker, _, file, split in sorted(rows)]


def esc_10():
    """ESC-10: ten kinds of environmental sound; the split is the official fold, the group the recording that a clip was cut from.

    Returns: a list of rows; the licence names the author of each clip.
    Raises: archives.Unavailable if it is neither here nor to be downloaded.
    Source: K. J. Piczak, "ESC: Dataset for environmental sound classification", ACM Multimedia 2015.
    """
    folder = unpacked(ESC_10)
    credits = dict(re.findall(r"^- \[(.+?)\]: +clip derived from (.+)$", (folder / "README.txt").read_text(encoding="utf-8"), flags=re.MULTILINE))
    rows = []
    for file in sorted(folder.glob("*/*.ogg")):
        fold, recording, _ = file.stem.split("-")
        rows.append((file, file.parent.name[6:].lower(), recording, fold, "ESC-10", f"CC BY 3.0; clip derived from {credits[file.name]}"))
    return rows


def speech_commands(*, url=...):
    """Speech Commands v2 in the twelve classes of the TensorFlow Speech Recognition Challenge, with its official split.

    Args: url: None if it is not to be downloaded (2.4 GB).
    Returns: a list of rows: the group is the speaker; the rows of "silence" are whole noise files, of a minute or more, to be cut.
    Raises: archives.Unavailable if it is neither here nor to be downloaded.
    Source: P. Warden, "Speech Commands: a dataset for limited-vocabulary speech recognition", 2018.
    """
    folder = unpacked(SPEECH_COMMANDS, url)
    lists = {"test": "testing_list.txt", "validation": "validation_list.txt"}
    splits = {name: split for split, file in lists.items() for name in (folder / file).read_text().split()}
    splits.update({f"{NOISES}/{noise}.wav": "test" for noise in TEST_NOISES})
    return _words(folder, "Speech Commands v2", lambda file: splits.get(f"{file.parent.name}/{file.name}", "train"))


def mini_speech_commands():
    """A thousand clips of each of eight commands of Speech Commands, whose split follows from the speaker's name as in the whole set.

    Returns: a list of rows. Raises: archives.Unavailable if it is neither here nor to be downloaded.
    """
    folder = unpacked(MINI_SPEECH_COMMANDS)
    inner = folder / MINI_SPEECH_COMMANDS.name  # there if the archive holds another folder beside it
    return _words(inner if inner.is_dir() else folder, "Speech Commands (mini)", lambda file: _official_split(_speaker(file)))


def spoken_commands():
    """The embedded commands, in the same classes; the rows of "silence" are whole noise files.

    Returns: a list of rows.
    """
    return [(file, _class(word), *others) for file, word, *others in embedded("spoken-commands", "embedded synthetic voices")()]


def _words(folder, source, split):
    """Rows of a folder that has a folder for each word, as Speech Commands has."""
    files = sorted(file for file in folder.glob("*/*.wav") if not file.name.startswith("."))
    return [(file, _class(file.parent.name), _speaker(file), split(file), source, "CC BY 4.0") for file in files]


def _class(word):
    return word if word in COMMANDS else "silence" if word == NOISES else "unknown"


def _speaker(file):
    return file.stem.split("_nohash_")[0]


def _official_split(speaker):
    """The rule by which the authors of Speech Commands made their lists: a tenth of the speakers each, by the SHA-1 of their names."""
    place = int(hashlib.sha1(speaker.encode()).hexdigest(), 16) % 2**27 / (2**27 - 1)
    return "validation" if place < 0.1 else "test" if place < 0.2 else "train"


def gtzan(*, url=...):
    """GTZAN: 930 of its 1,000 excerpts of songs in ten genres, without the known repetitions and faults; no artist is on two sides.

    Args: url: None if it is not to be downloaded (1.2 GB). Returns: a list of rows: the group is the song.
    Raises: archives.Unavailable if it is neither here nor to be downloaded.
    Source: G. Tzanetakis and P. Cook 2002; faults by B. L. Sturm 2013; list of C. Kereliuk, B. L. Sturm and J. Larsen 2015.
    """
    folder = unpacked(GTZAN, url)
    found = {file.stem: file for file in folder.glob("*/*.*")}
    listed = pd.read_csv(DATA / "gtzan_fault_filtered.csv", dtype=str).itertuples(index=False)
    files = [(found.get(track, folder / track.split(".")[0] / f"{track}.wav"), track, split) for track, split in listed]  # a missing one is named later
    return [(file, track.split(".")[0], track, split, "GTZAN", "no licence is stated: for study") for file, track, split in files]


def embedded(name, source):
    """An embedded set as its list of clips says.

    Returns: a function without arguments that returns a list of rows.
    """

    def rows():
        listed = pd.read_csv(DATA / name / "clips.csv", dtype=str)
        clips = DATA / name / "clips"
        return [(clips / row.file, row.label, row.group, row.split, source, "CC BY 4.0") for row in listed.itertuples()]

    return rows


def real_or(real, stand_in, named):
    """The real recordings if they can be had, else the embedded ones, with the reason in a printed line.

    Returns: a function without arguments that returns a list of rows.
    """

    def rows():
        try:
            return real()
        except archives.Unavailable as reason:
            where = f"={os.environ.get('COURSE_DATA_DIR')}"  # a notebook that is kept should not show it
            print(f"the real recordings are not to be had, so {named} stand in: {str(reason).replace(where, '')}")
            return stand_in()

    return rows


spoken_digits = embedded("spoken-digits", "embedded synthetic voices")
rhythms = embedded("rhythms", "embedded rhythms")
environmental_sounds = embedded("environmental-sounds", "embedded environmental sounds")
ROWS = {
    "digits": real_or(fsdd, spoken_digits, "synthetic voices"),
    "fsdd": fsdd,
    "spoken-digits": spoken_digits,
    "commands": real_or(functools.partial(speech_commands, url=None), spoken_commands, "synthetic voices"),
    "speech-commands": speech_commands,
    "mini-speech-commands": mini_speech_commands,
    "spoken-commands": spoken_commands,
    "music": real_or(functools.partial(gtzan, url=None), rhythms, "rhythms played by rule"),
    "gtzan": gtzan,
    "rhythms": rhythms,
    "environment": real_or(esc_10, environmental_sounds, "modelled sounds"),
    "esc-10": esc_10,
    "environmental-sounds": environmental_sounds,
}
GROUPS = {**dict.fromkeys(["music", "gtzan", "rhythms"], "songs"), "environment": "sources", "esc-10": "sources", "environmental-sounds": "sources"}  # what a group is; else a speaker


def unpacked(archive, url=...):
    """Find the folder of an archive's files: unpacked before, in COURSE_DATA_DIR, or downloaded; with url=None nothing is downloaded.

    Returns: its path. Raises: archives.Unavailable if it cannot be had.
    """
    given = os.environ.get("COURSE_DATA_DIR")
    return archives.unpacked(
        archive.name,
        url=archive.url if url is ... else url,
        recordings=archive.recordings,
        sha256=archive.sha256,
        suffix=archive.suffix,
        given=Path(given) if given else None,
        shelves=[DATA / "downloads", Path.home() / ".cache" / "rnn-audio-course", Path(tempfile.gettempdir()) / "rnn-audio-course"],
    )
