"""How many seconds an epoch and the log-mel frames take, against others: `python -m benchmarks.speed` prints the tables."""

import contextlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import librosa
import numpy as np

from benchmarks.contest import EPOCHS
from benchmarks.measure import Stopwatch, table, verdict
from course_lib import audio, data

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 3  # runs of each contender of the epoch, one process each, taking turns
LOG_MEL_ROUNDS = 5  # turns of each contender of the log-mel frames, in one process
TOLERANCE = 2e-3  # natural log of mel energy: how far float32 may be from librosa
LOG_MEL_BAR = 7  # times less CPU than librosa
CONTENDERS = {  # title: (module, its arguments, the bar: times more CPU than ours)
    "this course": ("epochs_keras", ["ours"], None),
    "Keras, padded to the longest of the set": ("epochs_keras", ["longest"], 6),
    "Keras, padded to the longest of the batch": ("epochs_keras", ["batch"], None),
    "PyTorch, packed, random, 2 threads": ("epochs_torch", ["random", "2"], 8),
    "PyTorch, packed, sorted, 2 threads": ("epochs_torch", ["sorted", "2"], 4.5),
    "PyTorch, packed, random, 1 thread": ("epochs_torch", ["random", "1"], None),
    "PyTorch, packed, sorted, 1 thread": ("epochs_torch", ["sorted", "1"], None),
}


def main():
    """Measure and print both tables, alone on the standard output."""
    with contextlib.redirect_stdout(sys.stderr):
        parts = [epochs_report(epoch_seconds()), log_mel_report()]
    print("\n".join(parts))


def epochs_report(seconds):
    """The table of the epochs and how to read it.

    Returns: a text in Markdown.
    """
    return (
        f"## One epoch of LSTM(64) on 2,700 digits, batch 32\n\n{epochs_table(seconds)}\n\n"
        f"Medians of the {ROUNDS * (EPOCHS - 1)} epochs after the first; {ROUNDS} processes each, taking turns. The first epoch "
        "holds the compiling: what it took more than a later one stands apart. CPU seconds count all threads, and PyTorch's "
        "second thread mostly waits in a loop that counts as work, the longer the busier the machine: the rows with one thread "
        "show what the work itself costs. A bar is met if both the ratio of medians and the ratio of the least CPU seconds meet it.\n"
    )


def epoch_seconds():
    """Run every contender in a process of its own, in turns.

    Returns: for each title, float `[rounds, epochs, 2]`: CPU seconds and wall seconds.
    """
    laps = {title: [] for title in CONTENDERS}
    for _ in range(ROUNDS):
        for title, (module, arguments, _) in CONTENDERS.items():
            command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
            done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
            laps[title].append(json.loads(done.stdout.splitlines()[-1]))
    return {title: np.array(runs) for title, runs in laps.items()}


def epochs_table(seconds):
    """The table of the contenders: seconds of an epoch, of compiling, and the ratio to the first contender.

    Returns: a text in Markdown.
    """
    later = {title: np.median(runs[:, 1:], axis=(0, 1)) for title, runs in seconds.items()}
    least = {title: runs[:, 1:, 0].min() for title, runs in seconds.items()}
    ours, rows = next(iter(CONTENDERS)), []
    for title, (_, _, bar) in CONTENDERS.items():
        more = np.median(seconds[title][:, 0, 0]) - later[title][0]
        ratios = [*(later[title] / later[ours]), least[title] / least[ours]]  # CPU, wall, least CPU
        met = f"{bar}: {verdict(min(ratios[0], ratios[2]), bar)}" if bar else ""
        figures = [f"{found:.2f}" for found in (*later[title], least[title])]
        rows.append([title, *figures, f"{more:.1f}", *(f"{ratio:.1f}" for ratio in ratios), met])
    header = ["contender", "CPU s", "wall s", "least CPU s", "first epoch, more CPU s"]
    return table([*header, "CPU ratio", "wall ratio", "least CPU ratio", "bar"], rows)


def librosa_log_mels(waveforms):
    """The frames of `audio.log_mels`, by librosa.

    Returns: a list of float32 `[frames, N_MELS]`, natural log of mel energy.
    """
    edge = (
        audio.FFT_LENGTH - audio.FRAME_LENGTH
    ) // 2  # samples: librosa centres the window in the FFT
    settings = dict(
        sr=audio.SAMPLE_RATE, n_fft=audio.FFT_LENGTH, win_length=audio.FRAME_LENGTH, hop_length=audio.FRAME_STEP,
        center=False, n_mels=audio.N_MELS, fmin=audio.MEL_LOW, fmax=audio.MEL_HIGH, htk=True, norm=None,
    )  # fmt: skip
    mels = (
        librosa.feature.melspectrogram(y=np.pad(waveform, edge), **settings)
        for waveform in waveforms
    )
    return [np.log(mel + audio.LOG_OFFSET).T for mel in mels]


def log_mel_report():
    """Time both, check that they agree, and time a cache on disk.

    Returns: a text in Markdown.
    """
    paths, watch = data.load("fsdd")["path"], Stopwatch()
    waveforms = [audio.read(path) for path in paths]
    reading = watch.lap()
    largest = max(
        np.abs(a - b).max()
        for a, b in zip(audio.log_mels(waveforms), librosa_log_mels(waveforms), strict=True)
    )
    assert largest < TOLERANCE, f"expected a difference below {TOLERANCE}, found {largest}"
    ours, theirs = in_turns([audio.log_mels, librosa_log_mels], waveforms)
    saving, loading = cache_seconds(audio.log_mels(waveforms))
    timed = {
        "course_lib.audio.log_mels": ours, "librosa.feature.melspectrogram": theirs,
        "reading and decoding the files, once": reading, "np.savez of the frames": saving, "np.load of the frames": loading,
    }  # fmt: skip
    ratio = theirs[0] / ours[0]
    times = table(
        ["work", "CPU s", "wall s"],
        [[name, f"{cpu:.3f}", f"{wall:.3f}"] for name, (cpu, wall) in timed.items()],
    )
    return (
        f"## Log-mel frames of 3,000 clips\n\n{times}\n\nRatio {ratio:.1f} in CPU seconds (bar {LOG_MEL_BAR}: {verdict(ratio, LOG_MEL_BAR)}), medians of {LOG_MEL_ROUNDS} "
        f"turns. Largest difference {largest:.1e} (tolerance {TOLERANCE:.0e}, natural log). A cache of the frames "
        f"on disk would save {ours[0] - loading[0]:.2f} CPU seconds, with the reading {reading[0] + ours[0] - loading[0]:.2f}.\n"
    )


def in_turns(works, waveforms):
    """Time several functions of the same waveforms, one after the other, LOG_MEL_ROUNDS times.

    Returns: for each function, the median CPU seconds and wall seconds.
    """
    watch = Stopwatch()
    for _ in range(LOG_MEL_ROUNDS):
        for work in works:
            work(waveforms)
            watch.lap()
    return np.median(np.reshape(watch.laps, [LOG_MEL_ROUNDS, len(works), 2]), axis=0)


def cache_seconds(frames):
    """What it takes to save all frames in one file and to load them again as a list.

    Returns: (CPU seconds, wall seconds) of saving, and of loading.
    """
    with tempfile.TemporaryDirectory() as folder:
        file, watch = Path(folder) / "frames.npz", Stopwatch()
        np.savez(
            file, frames=np.concatenate(frames), ends=np.cumsum([len(clip) for clip in frames])
        )
        saving = watch.lap()
        with np.load(file) as cache:
            np.split(cache["frames"], cache["ends"][:-1])
        return saving, watch.lap()


if __name__ == "__main__":
    main()
