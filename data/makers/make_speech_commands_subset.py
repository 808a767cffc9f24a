"""Make the sets `speech-commands-subset` and `many-voices` from the public archives.

    python data/makers/make_speech_commands_subset.py speech_commands_v0.01.tar.gz speech_commands_v0.02.tar.gz

Both archives are needed: some recordings are in one of them alone. They lie at
http://download.tensorflow.org/data/. Recordings are known by their content, since the same name
can be another recording in the other archive: data/speech_commands_subset.csv lists the first 16
digits of the SHA-256 of each WAV file. The two folders are written to data/downloads, where
`data.load("commands")` and `data.load("many-voices")` find them.
"""

import argparse
import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from scipy import signal
from tqdm.auto import tqdm

DATA = Path(__file__).resolve().parents[1]
SUBSET, DIGITS = "speech_commands_subset", "speech_commands_digits"
NOISES = "_background_noise_"
LISTS = {"testing_list.txt": "test", "validation_list.txt": "validation"}
TAPS, CUT_OFF, BETA = 127, 3_600, 8.6  # of the low pass in front of 8 kHz: hertz, Kaiser window


def make(archives: list[Path], target: Path) -> list[str]:
    """Write the two folders below `target`; give the listed names that no archive holds."""
    listed = pd.read_csv(DATA / "speech_commands_subset.csv", dtype=str, keep_default_na=False)
    wanted = listed.set_index("sha256")
    found = set()
    for archive in archives:
        with tarfile.open(archive) as members:
            for member in tqdm(members, desc=archive.name, unit=" files"):
                if not member.isfile() or not member.name.endswith(".wav"):
                    continue
                content = members.extractfile(member).read()
                key = hashlib.sha256(content).hexdigest()[:16]
                if Path(member.name).parent.name == NOISES:
                    name = Path(member.name).stem
                    write(target / SUBSET / NOISES / f"{name}.flac", *samples_of(content))
                elif key in wanted.index and key not in found:
                    write_clip(wanted.loc[key], content, target)
                    found.add(key)
    for name, side in LISTS.items():
        files = listed.loc[(listed["split"] == side) & (listed["file"] != ""), "file"]
        lines = [f"{official(file)}.wav\n" for file in files]
        (target / SUBSET / name).write_text("".join(lines), encoding="utf-8")
    missing = wanted.index.difference(list(found))
    return [row.file or row.digit for row in wanted.loc[missing].itertuples()]


def write_clip(row: pd.Series, content: bytes, target: Path) -> None:
    """Write one recording where it belongs: among the commands, the digits, or both."""
    samples, rate = samples_of(content)
    if row["file"]:
        write(target / SUBSET / f"{official(row['file'])}.flac", samples, rate)
    if row["digit"]:
        half = at_8_khz(samples)
        write(target / DIGITS / "recordings" / f"{row['digit']}.flac", half, rate // 2)


def official(file: str) -> str:
    """The name of a clip as the original has it: word/speaker_nohash_number."""
    speaker, number = file.rsplit("_", 1)
    return f"{speaker}_nohash_{number}"


def samples_of(content: bytes) -> tuple[np.ndarray, int]:
    """The int16 samples of a WAV file and its rate in hertz."""
    return soundfile.read(io.BytesIO(content), dtype="int16")


def at_8_khz(samples: np.ndarray) -> np.ndarray:
    """Every second sample of int16 at 16 kHz behind a low pass."""
    taps = signal.firwin(TAPS, CUT_OFF, window=("kaiser", BETA), fs=16_000)
    low = np.convolve(samples.astype(float), taps, mode="same")[::2]
    return np.clip(np.round(low), -(2**15), 2**15 - 1).astype(np.int16)


def write(path: Path, samples: np.ndarray, rate: int) -> None:
    """Write 16-bit FLAC; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype="PCM_16")


def main() -> None:
    """Make the folders and say what is missing."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("archives", nargs="+", type=Path)
    parser.add_argument("--to", type=Path, default=DATA / "downloads")
    arguments = parser.parse_args()
    missing = make(arguments.archives, arguments.to)
    for name in missing:
        print(f"{name}: expected its recording in one of the archives, found none")
    print(f"{len(missing):,} recordings are missing")


if __name__ == "__main__":
    main()
