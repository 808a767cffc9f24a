"""Make data/six-voices: English digits said 24 times each by six synthetic voices, as 8 kHz FLAC clips.

    python data/makers/make_six_voices.py                    make the whole set
    python data/makers/make_six_voices.py --voices a,b       make the clips of these voices again, and keep the others

The engines are those of make_spoken_digits.py. Each voice has one room, one microphone and one level, as a speaker has
who records at home. The data card, data/six-voices/README.md, says how the set was made and which licences apply.
"""

import argparse
import csv
import zlib

import make_spoken_digits as digits
import numpy as np
import soundfile
import soxr
from make_spoken_digits import ENGINES, SAMPLE_RATE, Voice

SET = digits.DATA / "six-voices"
MAX_BYTES = 7_300_000  # the whole folder
TAKES, TEST_TAKES = 24, 3  # takes 0 to 2 are for the test, as in the Free Spoken Digit Dataset

RATE = (0.95, 1.5)  # times the engine's own speaking rate
PITCH = (0.9, 1.1)  # times the engine's own pitch
STYLE_ROW = (3, 12)  # row of a Kokoro voice: its manner for a text of so many phonemes
SIZE = (0.98, 1.02)  # resampling: above 1 is a lower and slower voice
THRESHOLD = (-42.0, -34.0)  # dB against the loudest frame: where a word begins and ends
TILT = (-4.0, 4.0)  # dB per octave
NOISE = (-50.0, -38.0)  # dB against the speech
LEVEL, LEVEL_STEP = (
    -26.0,
    2.0,
)  # RMS in dB of full scale, and its standard deviation from take to take

VOICES = """
kokoro-adam      kokoro    am_adam                m  american  1.00  all
kokoro-heart     kokoro    af_heart               f  american  1.00  all
kokoro-daniel    kokoro    bm_daniel              m  british   1.00  all
flite-awb        flite     awb                    m  scottish  1.00  all
flite-rms        flite     rms                    m  american  1.00  all
festival-slt     festival  cmu_us_slt_arctic_hts  f  american  1.08  all
"""
VOICES = [Voice(*row.split()) for row in VOICES.strip().splitlines()]


def main():
    """Make the clips wanted, then the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--voices", help="names from the table of voices, with commas between them")
    names = parser.parse_args().voices
    wanted = names.split(",") if names else [voice.name for voice in VOICES]
    if set(wanted) - {voice.name for voice in VOICES}:
        parser.error(f"expected voices of the table, found {names}")
    (SET / "clips").mkdir(parents=True, exist_ok=True)
    for voice in VOICES:
        if voice.name in wanted:
            print(voice.name, flush=True)
            make_voice(voice)
    write_table()


def make_voice(voice):
    """Write all clips of one voice."""
    for digit in range(10):
        for take in range(TAKES):
            name = digits.clip_name(voice, digit, take)
            wave = make_clip(voice, digit, name)
            soundfile.write(SET / "clips" / name, wave, SAMPLE_RATE, subtype="PCM_16")


def make_clip(voice, digit, name):
    """Draw a clip until it passes the checks, from random numbers that depend on its file name only: float64 `[samples]`."""
    for attempt in range(digits.ATTEMPTS):
        wave = draw(voice, digit, np.random.default_rng([zlib.crc32(name.encode()), attempt]))
        problem = digits.fault(wave)
        if problem is None:
            return wave
    raise SystemExit(f"{name}: none of {attempt + 1} draws passed the checks; the last {problem}")


def draw(voice, digit, rng):
    """Speak a digit, and record it as this voice always is: float64 `[samples]` in -1..1 at SAMPLE_RATE."""
    wave, rate = digits.speak(voice.engine, voice.model, *manner(voice, digit, rng))
    size = float(voice.size) * rng.uniform(*SIZE)
    wave = soxr.resample(np.asarray(wave, np.float64), rate, SAMPLE_RATE * size)
    session = np.random.default_rng(zlib.crc32(voice.name.encode()))  # the same at each take
    word = digits.trim(wave, rng, threshold=THRESHOLD)
    wave = digits.microphone(digits.add_room(word, session), session, tilt=TILT)
    wave = digits.trim(wave, rng, threshold=THRESHOLD)
    colour = session.uniform(*NOISE)
    wave = digits.add_noise(wave, rng, level=(colour, colour))
    level = LEVEL + LEVEL_STEP * rng.standard_normal()
    wave = wave * 10 ** (level / 20) / np.sqrt(np.mean(wave**2))
    return wave * min(1, digits.LARGEST_PEAK / np.abs(wave).max())


def manner(voice, digit, rng):
    """Draw how a digit is said: its spelling, the rate (times normal) and the engine's own variable."""
    words = digits.IPA[voice.accent] if voice.engine == "kokoro" else digits.ENGLISH
    spellings = words.split()[digit].split("|")
    variable = {"kokoro": int(rng.integers(*STYLE_ROW)), "festival": None}
    pitch = round(rng.uniform(*PITCH), 3)
    rate = round(rng.uniform(*RATE), 3)
    return spellings[rng.integers(len(spellings))], rate, variable.get(voice.engine, pitch)


def write_table():
    """Write clips.csv, one row for each clip that is there, and check the size of the whole folder."""
    rows = []
    for voice in VOICES:
        fixed = [voice.engine, voice.model, voice.accent, ENGINES[voice.engine].licence]
        for digit in range(10):
            for take in range(TAKES):
                name = digits.clip_name(voice, digit, take)
                split = "test" if take < TEST_TAKES else "train"
                if (SET / "clips" / name).exists():
                    rows.append([name, digit, voice.name, split, *fixed])
    with open(SET / "clips.csv", "w", newline="", encoding="utf-8") as file:
        header = ["file", "label", "group", "split", "engine", "voice", "accent", "licence"]
        csv.writer(file, lineterminator="\n").writerows([header, *sorted(rows)])
    size = sum(path.stat().st_size for path in SET.rglob("*") if path.is_file())
    if size > MAX_BYTES:
        raise SystemExit(f"expected {MAX_BYTES:,} bytes or less, found {size:,}")


if __name__ == "__main__":
    main()
