"""Where each named data set is found, and what its files are: rows of (file, label, group, split, source, licence)."""

import os
import re
import tempfile
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from course_lib import archives

DATA = Path(__file__).resolve().parent.parent / "data"
FSDD_TEST_TAKES = 5  # the official test set: takes 0 to 4 of each digit by each speaker


class Archive(NamedTuple):
    """An archive of recordings: its name without suffix, its address, a pattern for the files that count, and their fingerprint."""

    name: str
    url: str
    recordings: str
    sha256: str


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


def fsdd():
    """The Free Spoken Digit Dataset, with its official split.

    Returns: a list of rows. Raises: archives.Unavailable if it is neither here nor to be downloaded.
    """
    rows = []
    for file in (_unpacked(FSDD) / "recordings").glob("*.wav"):
        digit, speaker, take = file.stem.split("_")
        rows.append((digit, speaker, int(take), file, "test" if int(take) < FSDD_TEST_TAKES else "train"))
    return [(file, digit, speaker, split, "Free Spoken Digit Dataset", "CC BY-SA 4.0") for digit, speaker, _, file, split in sorted(rows)]


def esc_10():
    """ESC-10: ten kinds of environmental sound; the split is the official fold, the group the recording that a clip was cut from.

    Returns: a list of rows; the licence names the author of each clip.
    Raises: archives.Unavailable if it is neither here nor to be downloaded.
    Source: K. J. Piczak, "ESC: Dataset for environmental sound classification", ACM Multimedia 2015.
    """
    folder = _unpacked(ESC_10)
    credits = dict(re.findall(r"^- \[(.+?)\]: +clip derived from (.+)$", (folder / "README.txt").read_text(encoding="utf-8"), flags=re.MULTILINE))
    rows = []
    for file in sorted(folder.glob("*/*.ogg")):
        fold, recording, _ = file.stem.split("-")
        rows.append((file, file.parent.name[6:].lower(), recording, fold, "ESC-10", f"CC BY 3.0; clip derived from {credits[file.name]}"))
    return rows


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
            print(f"the real recordings are not to be had, so {named} stand in: {reason}")
            return stand_in()

    return rows


spoken_digits = embedded("spoken-digits", "embedded synthetic voices")
environmental_sounds = embedded("environmental-sounds", "embedded environmental sounds")
ROWS = {
    "digits": real_or(fsdd, spoken_digits, "synthetic voices"),
    "fsdd": fsdd,
    "spoken-digits": spoken_digits,
    "environment": real_or(esc_10, environmental_sounds, "modelled sounds"),
    "esc-10": esc_10,
    "environmental-sounds": environmental_sounds,
}
GROUPS = {"environment": "sources", "esc-10": "sources", "environmental-sounds": "sources"}  # what a group is; else a speaker


def _unpacked(archive, url=...):
    """The folder of an archive's files; with url=None nothing is downloaded."""
    given = os.environ.get("COURSE_DATA_DIR")
    return archives.unpacked(
        archive.name,
        url=archive.url if url is ... else url,
        recordings=archive.recordings,
        sha256=archive.sha256,
        given=Path(given) if given else None,
        shelves=[DATA / "downloads", Path.home() / ".cache" / "rnn-audio-course", Path(tempfile.gettempdir()) / "rnn-audio-course"],
    )
