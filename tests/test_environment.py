"""The sets of environmental sounds: the embedded one as it lies in the repository, what its classes sound like, and ESC-10's list."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from course_lib import archives, datasets, sets

SET = Path(__file__).resolve().parent.parent / "data" / "environmental-sounds"
RATE = 8_000  # Hz
CLASSES = ["alarm", "car horn", "clock", "doorbell", "engine", "fire", "footsteps", "helicopter", "rain", "siren"]
SOURCES, TAKES, FOLDS = 20, 3, list("12345")
BLOCK = 40  # samples: 5 ms


@pytest.fixture(scope="module")
def listed():
    return pd.read_csv(SET / "clips.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def waveforms(listed):
    return {name: soundfile.read(SET / "clips" / name, dtype="float64")[0] for name in listed["file"]}


@pytest.fixture(scope="module")
def of_class(listed, waveforms):
    """A function from a class to the waveforms of its clips."""
    return lambda label: [waveforms[name] for name in listed.loc[listed["label"] == label, "file"]]


# The set


def test_rows_have_the_columns_and_no_gaps(listed):
    assert list(listed.columns) == ["file", "label", "group", "split", "licence"]
    assert (listed != "").all(axis=None) and set(listed["licence"]) == {"CC BY 4.0"}


def test_files_and_rows_match_one_to_one(listed):
    assert listed["file"].is_unique
    assert sorted(listed["file"]) == sorted(path.name for path in (SET / "clips").iterdir())


def test_every_clip_is_mp3_at_8_khz_mono(listed):
    for name in listed["file"]:
        info = soundfile.info(SET / "clips" / name)
        assert (info.format, info.samplerate, info.channels, info.subtype) == ("MP3", RATE, 1, "MPEG_LAYER_III"), name


def test_bit_rate_is_constant(listed, waveforms):
    rates = [8 * (SET / "clips" / name).stat().st_size / (len(waveforms[name]) / RATE) for name in listed["file"]]
    assert 24_000 < min(rates) and max(rates) < 29_000  # bits a second; the shortest clips pay most for the header


def test_lengths_differ_within_their_limits(waveforms):
    seconds = np.array([len(waveform) / RATE for waveform in waveforms.values()])
    assert 1.49 < seconds.min() and seconds.max() < 4.01 and len(set(seconds)) > 500


def test_no_clip_is_clipped_or_silent(waveforms):
    peaks = {name: np.abs(samples).max() for name, samples in waveforms.items()}
    assert {name: peak for name, peak in peaks.items() if not 0.05 < peak < 0.9} == {}


def test_no_two_clips_hold_the_same_sound(waveforms):
    contents = pd.Series({name: hashlib.sha256(samples.tobytes()).hexdigest() for name, samples in waveforms.items()})
    assert list(contents[contents.duplicated(keep=False)].index) == []


def test_every_class_has_its_sources_and_takes(listed):
    assert sorted(listed["label"].unique()) == CLASSES
    takes = listed.groupby(["label", "group"]).size()
    assert (takes == TAKES).all() and (takes.groupby(level="label").size() == SOURCES).all()


def test_no_source_is_on_two_folds_and_folds_are_balanced(listed):
    assert (listed.groupby("group")["split"].nunique() == 1).all() and (listed.groupby("group")["label"].nunique() == 1).all()
    folds = listed.groupby(["split", "label"]).size().unstack()
    assert list(folds.index) == FOLDS and (folds == SOURCES * TAKES // len(FOLDS)).all(axis=None)


def test_level_does_not_give_the_class_away(listed, waveforms):
    peaks = pd.Series([20 * np.log10(np.abs(waveforms[name]).max()) for name in listed["file"]])
    means = peaks.groupby(listed["label"]).mean()
    assert means.max() - means.min() < peaks.std()


def test_set_is_small_and_documented(listed):
    assert sum(path.stat().st_size for path in SET.rglob("*") if path.is_file()) <= 5_500_000
    card = (SET / "README.md").read_text(encoding="utf-8").lower()
    assert [label for label in CLASSES if label not in card] == []
    assert "CC BY 4.0" in (SET / "LICENSE").read_text(encoding="utf-8")


def test_loader_gives_the_set(capsys):
    clips = datasets.load("environmental-sounds")
    assert list(clips.columns) == datasets.COLUMNS and len(clips) == len(CLASSES) * SOURCES * TAKES
    assert list(clips["label"].cat.categories) == CLASSES and sorted(clips["split"].unique()) == FOLDS
    assert "600 clips, 200 sources, embedded environmental sounds, CC BY 4.0" in capsys.readouterr().out


# What each class sounds like


def pitch_track(waveform):
    """The strongest frequency below 2,200 Hz in each 64 ms that is loud, in Hz."""
    pieces = np.lib.stride_tricks.sliding_window_view(waveform, 512)[::256]
    power = (pieces**2).mean(axis=1)
    spectra = np.abs(np.fft.rfft(pieces * np.hanning(512), 4_096))
    low, high = 250 * 4_096 // RATE, 2_200 * 4_096 // RATE
    strongest = low + spectra[:, low:high].argmax(axis=1)
    return strongest[power > 0.1 * power.max()] * RATE / 4_096


def envelope(waveform):
    """The level of each 5 ms, as an amplitude."""
    return np.sqrt((waveform[: len(waveform) // BLOCK * BLOCK].reshape(-1, BLOCK) ** 2).mean(axis=1))


def periodicity(curve, shortest, longest, step):
    """The largest autocorrelation of a curve at a lag between two times in seconds; 1 is a curve that repeats itself exactly."""
    curve = curve - curve.mean()
    lags = range(round(shortest / step), min(round(longest / step), len(curve) // 2))
    return max(np.corrcoef(curve[lag:], curve[:-lag])[0, 1] for lag in lags)


def share(values, holds):
    return np.mean([holds(value) for value in values])


def spread_in_semitones(waveform):
    """How far the strongest pitch wanders: from its 10th to its 90th percentile."""
    low, high = np.percentile(pitch_track(waveform), [10, 90])
    return 12 * np.log2(high / low)


def test_pitch_of_a_siren_moves(of_class):
    assert share(of_class("siren"), lambda waveform: spread_in_semitones(waveform) > 1.5) > 0.9


def test_pitch_of_an_alarm_stays(of_class):
    assert share(of_class("alarm"), lambda waveform: spread_in_semitones(waveform) < 1) > 0.75


def test_alarm_beeps_and_siren_sounds_on(of_class):
    silent = {label: [np.mean(envelope(w) < 0.4 * np.percentile(envelope(w), 95)) for w in of_class(label)] for label in ("alarm", "siren")}
    assert np.median(silent["alarm"]) > 0.3 and np.median(silent["siren"]) < 0.05


def test_ticks_of_a_clock_are_periodic_and_steps_are_not(of_class):
    clock, steps = ([periodicity(envelope(waveform), 0.19, 1.05, BLOCK / RATE) for waveform in of_class(name)] for name in ("clock", "footsteps"))
    assert np.median(clock) > 0.8 and np.median(clock) > np.median(steps) + 0.2


def test_doorbell_dies_away(of_class):
    """A bar is loudest where it is struck: the level falls for longer than it rises."""
    falling = [np.mean(np.diff(np.convolve(envelope(w), np.ones(8) / 8, "valid")) < 0) for w in of_class("doorbell")]
    assert np.median(falling) > 0.55


def test_blades_of_a_helicopter_come_at_their_rate_and_pulses_of_an_engine_at_theirs(of_class):
    blades = [periodicity(envelope(waveform), 1 / 21, 1 / 8, BLOCK / RATE) for waveform in of_class("helicopter")]
    others = [periodicity(envelope(waveform), 1 / 21, 1 / 8, BLOCK / RATE) for waveform in of_class("rain")]
    assert np.median(blades) > 0.5 > 0.3 > np.median(others)
    pulses = [periodicity(waveform[:4_000], 1 / 102, 1 / 22, 1 / RATE) for waveform in of_class("engine")]
    hiss = [periodicity(waveform[:4_000], 1 / 102, 1 / 22, 1 / RATE) for waveform in of_class("rain")]
    assert np.median(pulses) > 0.4 > 0.2 > np.median(hiss)


def test_fire_crackles_and_rain_is_steady(of_class):
    peaks = {label: np.median([envelope(w).max() / np.median(envelope(w)) for w in of_class(label)]) for label in ("fire", "rain")}
    assert peaks["fire"] > 2 * peaks["rain"]


def test_pitch_of_a_horn_stays_from_one_moment_to_the_next(of_class):
    steady = [np.mean(np.abs(np.diff(np.log2(pitch_track(waveform)))) < 1 / 24) for waveform in of_class("car horn")]
    assert np.median(steady) > 0.9


# ESC-10


@pytest.fixture(scope="module")
def esc_10():
    """ESC-10, where COURSE_DATA_DIR has it."""
    given = os.environ.get("COURSE_DATA_DIR")
    names = [sets.ESC_10.name, f"{sets.ESC_10.name}.zip"]
    if not given or not any((Path(given) / name).exists() for name in names):
        pytest.skip(f"COURSE_DATA_DIR names no folder with {names[1]}")
    return datasets.load("esc-10")


def test_esc_10_has_400_clips_in_ten_classes_and_five_folds(esc_10):
    assert len(esc_10) == 400 and esc_10["label"].value_counts().eq(40).all() and len(esc_10["label"].cat.categories) == 10
    assert esc_10["split"].value_counts().to_dict() == dict.fromkeys(FOLDS, 80)
    assert esc_10.groupby(["split", "label"], observed=True).size().eq(8).all()


def test_no_recording_of_esc_10_is_on_two_folds(esc_10):
    assert (esc_10.groupby("group")["split"].nunique() == 1).all() and esc_10["group"].nunique() < len(esc_10)


def test_every_clip_of_esc_10_names_its_author_and_lasts_about_five_seconds(esc_10):
    assert esc_10["licence"].str.match(r"CC BY 3\.0; clip derived from .+").all()
    assert (esc_10["seconds"].between(4.9, 5.1)).mean() > 0.98 and esc_10["seconds"].between(3.6, 7.3).all()


def test_environment_takes_the_real_set_where_it_is(esc_10):
    assert datasets.load("environment")["source"].unique().tolist() == ["ESC-10"]


def test_environment_takes_the_embedded_set_where_the_real_one_is_not(monkeypatch, capsys):
    monkeypatch.setattr(sets, "unpacked", unavailable)
    clips = datasets.load("environment")
    assert len(clips) == 600 and "are not to be had" in capsys.readouterr().out


def unavailable(*arguments, **options):
    raise archives.Unavailable("looked everywhere")
