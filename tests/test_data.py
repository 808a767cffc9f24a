"""The embedded set as it lies in the repository: complete, sound, split by voice, small, documented."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

SET = Path(__file__).resolve().parent.parent / "data" / "spoken-digits"
BLOCK = 80  # samples: 10 ms
EDGE = 8  # blocks: up to 80 ms may stand around the word, as in real trimmed recordings
EDGE_LEVEL = -48  # decibels against the loudest block: what counts as the word, not as silence


@pytest.fixture(scope="module")
def listed():
    return pd.read_csv(SET / "clips.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def waveforms(listed):
    return {name: soundfile.read(SET / "clips" / name, dtype="float64")[0] for name in listed["file"]}


def block_levels(waveform):
    """The level of each 10 ms in decibels against the loudest 10 ms."""
    power = (waveform[: len(waveform) // BLOCK * BLOCK].reshape(-1, BLOCK) ** 2).mean(axis=1)
    return 10 * np.log10(power / power.max() + 1e-12)


def test_rows_have_the_columns_and_no_gaps(listed):
    assert list(listed.columns) == ["file", "label", "group", "split", "engine", "voice", "accent", "licence"]
    assert (listed != "").all(axis=None)


def test_files_and_rows_match_one_to_one(listed):
    assert listed["file"].is_unique
    assert sorted(listed["file"]) == sorted(path.name for path in (SET / "clips").iterdir())


def test_every_clip_is_flac_at_8_khz_mono_16_bit(listed):
    for name in listed["file"]:
        info = soundfile.info(SET / "clips" / name)
        assert (info.format, info.samplerate, info.channels, info.subtype) == ("FLAC", 8_000, 1, "PCM_16"), name


def test_every_clip_lasts_as_long_as_a_digit(waveforms):
    assert {name: len(samples) / 8_000 for name, samples in waveforms.items() if not 0.15 <= len(samples) / 8_000 <= 1.3} == {}


def test_no_clip_is_clipped_or_silent(waveforms):
    peaks = {name: np.abs(samples).max() for name, samples in waveforms.items()}
    assert {name: peak for name, peak in peaks.items() if not 0.01 < peak < 0.99} == {}


def test_no_clip_begins_or_ends_with_silence(waveforms):
    levels = {name: block_levels(samples) for name, samples in waveforms.items()}
    loudest = {name: min(level[:EDGE].max(), level[-EDGE:].max()) for name, level in levels.items()}
    assert {name: level for name, level in loudest.items() if level < EDGE_LEVEL} == {}


def test_no_two_clips_hold_the_same_sound(waveforms):
    contents = pd.Series({name: hashlib.sha256(samples.tobytes()).hexdigest() for name, samples in waveforms.items()})
    assert list(contents[contents.duplicated(keep=False)].index) == []


def test_every_voice_says_every_digit_eight_times(listed):
    takes = listed.groupby(["group", "label"]).size().unstack(fill_value=0)
    assert list(takes.columns) == list("0123456789") and len(takes) >= 16
    assert takes.to_numpy().min() >= 8


def test_no_voice_is_on_both_sides_of_the_split(listed):
    sides = listed.groupby("group")["split"].unique()
    assert (sides.map(len) == 1).all() and set(listed["split"]) == {"train", "test"}


def test_every_voice_has_one_engine_accent_and_licence(listed):
    assert (listed.groupby("group")[["engine", "voice", "accent", "licence"]].nunique() == 1).all(axis=None)


def test_set_is_small():
    assert sum(path.stat().st_size for path in SET.rglob("*") if path.is_file()) <= 8_000_000


def test_card_names_every_engine_and_a_licence_lies_beside_it(listed):
    card = (SET / "README.md").read_text(encoding="utf-8").lower()
    assert [engine for engine in listed["engine"].unique() if engine.lower() not in card] == []
    assert (SET / "LICENSE").stat().st_size > 0
