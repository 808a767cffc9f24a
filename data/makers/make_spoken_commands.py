"""Make data/spoken-commands: ten commands, other words and background noise, as 8 kHz MP3 files in the layout of Speech Commands.

    python data/makers/make_spoken_commands.py                  make the whole set
    python data/makers/make_spoken_commands.py --voices a,b     make the clips of these voices again, and keep the rest

The engines, rooms and microphones are those of make_spoken_digits.py, in a milder mixture. The data card,
data/spoken-commands/README.md, says how the set was made and which licences apply.
"""

import argparse
import csv
import shutil
import zlib
from functools import partial

import make_spoken_digits as digits
import numpy as np
import soundfile
import soxr
from make_spoken_digits import ENGINES, SAMPLE_RATE, Voice

SET = digits.DATA / "spoken-commands"
NOISES = "_background_noise_"
MAX_BYTES = 5_500_000  # the whole folder
CLIP_QUALITY, NOISE_QUALITY = (
    0.7,
    0.8,
)  # libsndfile's compression level for MP3: 24 and 16 kbit/s at 8 kHz

LONGEST = SAMPLE_RATE  # samples: 1 s
TILT = (-4.0, 4.0)  # dB per octave
STEADY_NOISE = (-45.0, -28.0)  # dB against the speech
PEAK = (0.2, 0.4)  # of full scale
NOISE_SECONDS, NOISE_LEVEL = 30, 0.05  # level: root mean square, of full scale

COMMANDS = "yes no up down left right on off stop go".split()
UNKNOWN = "bed bird cat dog five happy house seven tree wow".split()  # said by every voice
UNSEEN = (
    "follow forward learn nine sheila".split()
)  # said by test voices only: no model can have learned them
TAKES = {**dict.fromkeys(COMMANDS, 5), **dict.fromkeys(UNKNOWN, 3), **dict.fromkeys(UNSEEN, 4)}

VOICES = """
kokoro-adam      kokoro    am_adam                m  american  1.00  train
kokoro-onyx      kokoro    am_onyx                m  american  1.00  train
kokoro-michael   kokoro    am_michael             m  american  1.00  test
kokoro-heart     kokoro    af_heart               f  american  1.00  train
kokoro-bella     kokoro    af_bella               f  american  1.00  test
kokoro-lewis     kokoro    bm_lewis               m  british   1.00  train
kokoro-george    kokoro    bm_george              m  british   1.00  test
kokoro-emma      kokoro    bf_emma                f  british   1.00  train
pico-american    pico      en-US                  f  american  1.00  train
pico-british     pico      en-GB                  f  british   1.00  test
flite-rms        flite     rms                    m  american  1.00  train
flite-kal        flite     kal16                  m  american  1.00  train
flite-awb        flite     awb                    m  scottish  1.00  test
festival-ked     festival  ked_diphone            m  american  1.00  train
festival-slt     festival  cmu_us_slt_arctic_hts  f  american  1.00  test
espeak-american  espeak    en-us                  m  american  1.00  train
espeak-british   espeak    en-gb-x-rp             m  british   1.00  train
espeak-alice     espeak    en-us+f2               f  american  1.00  train
espeak-scottish  espeak    en-gb-scotland+f3      f  scottish  1.00  train
espeak-klatt     espeak    en-us+klatt2           m  american  1.00  train
espeak-lancaster espeak    en-gb-x-gbclan+f5      f  british   1.00  train
"""
VOICES = [Voice(*row.split()) for row in VOICES.strip().splitlines()]

IPA = {  # in Kokoro's alphabet, where A, I, O, Q and W are the diphthongs of "day", "my", "go", British "go" and "now"
    "american": "jˈɛs nˈO ˈʌp dˈWn lˈɛft ɹˈIt ˈɔn ˈɔf stˈɑp ɡˈO bˈɛd bˈɜɹd kˈæt dˈɔɡ fˈIv hˈæpi hˈWs sˈɛvən tɹˈi wˈW fˈɑlO fˈɔɹwəɹd lˈɜɹn nˈIn ʃˈilə",
    "british": "jˈɛs nˈQ ˈʌp dˈWn lˈɛft ɹˈIt ˈɒn ˈɒf stˈɒp ɡˈQ bˈɛd bˈɜːd kˈæt dˈɒɡ fˈIv hˈæpi hˈWs sˈɛvən tɹˈiː wˈW fˈɒlQ fˈɔːwəd lˈɜːn nˈIn ʃˈiːlə",
}
IPA = {accent: dict(zip(TAKES, sounds.split(), strict=True)) for accent, sounds in IPA.items()}

TALK = "my neighbour told me that his garden has nothing but apple trees and a very old wooden bench under them"
TALKERS = {  # voices that say none of the clips: engine, model
    "babble": [
        ("espeak", "en-gb+m1"),
        ("espeak", "en-us+f4"),
        ("espeak", "en-us+m4"),
        ("espeak", "en-gb+f1"),
        ("flite", "kal"),
    ],
    "chatter": [
        ("espeak", "en-029+f5"),
        ("espeak", "en-us-nyc+m8"),
        ("espeak", "en-029+m5"),
        ("flite", "slt"),
        ("festival", "kal_diphone"),
    ],
}


def main():
    """Make the clips wanted, the noises, and the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--voices", help="names from the table of voices, with commas between them")
    names = parser.parse_args().voices
    wanted = names.split(",") if names else [voice.name for voice in VOICES]
    if set(wanted) - {voice.name for voice in VOICES}:
        parser.error(f"expected voices of the table, found {names}")
    if not names:
        shutil.rmtree(SET / "clips", ignore_errors=True)
    for folder in [*TAKES, NOISES]:
        (SET / "clips" / folder).mkdir(parents=True, exist_ok=True)
    for voice in VOICES:
        if voice.name in wanted:
            print(voice.name, flush=True)
            make_voice(voice)
    make_noises()
    write_table()


def words_of(voice):
    """Return the words that a voice says."""
    return [word for word in TAKES if voice.split == "test" or word not in UNSEEN]


def clip_names(voice):
    """Return the file name and the word of each clip of a voice."""
    return [
        (f"{word}/{voice.name}_{take}.mp3", word)
        for word in words_of(voice)
        for take in range(TAKES[word])
    ]


def make_voice(voice):
    """Write all clips of one voice."""
    for name, word in clip_names(voice):
        write(name, make_clip(voice, word, name), CLIP_QUALITY)


def write(name, wave, quality):
    """Write an MP3 file of constant bit rate."""
    options = {
        "format": "MP3",
        "subtype": "MPEG_LAYER_III",
        "bitrate_mode": "CONSTANT",
        "compression_level": quality,
    }
    soundfile.write(SET / "clips" / name, wave, SAMPLE_RATE, **options)


def make_clip(voice, word, name):
    """Draw a clip until it passes the checks, from random numbers that depend on its file name only: float64 `[samples]`."""
    for attempt in range(digits.ATTEMPTS):
        wave = draw(voice, word, random(name, attempt))
        problem = digits.fault(wave) or ("is too long" if len(wave) > LONGEST else None)
        if problem is None:
            return wave
    raise SystemExit(
        f"{name}: none of {digits.ATTEMPTS} draws passed the checks; the last one {problem}"
    )


def draw(voice, word, rng):
    """Speak a word and record it in a drawn room with a drawn microphone: float64 `[samples]` in -1..1 at SAMPLE_RATE."""
    text = IPA[voice.accent][word] if voice.engine == "kokoro" else word
    rate, variable = (
        choices[rng.integers(len(choices))]
        for choices in (digits.RATES, ENGINES[voice.engine].variable)
    )
    wave, spoken_rate = digits.speak(voice.engine, voice.model, text, rate, variable)
    wave = soxr.resample(
        np.asarray(wave, np.float64), spoken_rate, SAMPLE_RATE * rng.uniform(*digits.SIZE)
    )
    wave = digits.microphone(digits.add_room(digits.trim(wave, rng), rng), rng, tilt=TILT)
    wave = digits.add_noise(digits.trim(wave, rng), rng, level=STEADY_NOISE)
    return wave / np.abs(wave).max() * np.exp(rng.uniform(*np.log(PEAK)))


def random(name, number=0):
    """Return random numbers that depend on a name and a number only."""
    return np.random.default_rng([zlib.crc32(name.encode()), number])


def make_noises():
    """Write the background noises, each at the same level."""
    for name, (make, _) in NOISE_MAKERS.items():
        wave = make(random(name))
        write(
            f"{NOISES}/{name}.mp3",
            np.clip(wave * NOISE_LEVEL / wave.std(), -0.9, 0.9),
            NOISE_QUALITY,
        )


def coloured(rng, colour, low=30, high=4_000):
    """Return noise whose power falls as 1 / frequency ** colour between two frequencies: float64 `[samples]`, deviation 1."""
    hertz = np.fft.rfftfreq(NOISE_SECONDS * SAMPLE_RATE, 1 / SAMPLE_RATE)
    spectrum = np.fft.rfft(rng.standard_normal(NOISE_SECONDS * SAMPLE_RATE)) * (hertz + 1) ** (
        -colour / 2
    )
    wave = np.fft.irfft(spectrum * ((low <= hertz) & (hertz <= high)))
    return wave / wave.std()


def hum(rng, fundamental, harmonics, breath):
    """Return the hum of a machine: harmonics that waver a little, and noise."""
    turns = np.cumsum(fundamental * (1 + 0.003 * coloured(rng, 2, 0.05, 2))) / SAMPLE_RATE
    tones = sum(
        rng.uniform(0.3, 1) / n * np.sin(2 * np.pi * (n * turns + rng.random()))
        for n in range(1, harmonics + 1)
    )
    return tones + breath * coloured(rng, 1, 100, 3_000)


def tap(rng):
    """Return running water: high noise that swells and falls."""
    return coloured(rng, 0, 700) * (1 + 0.3 * coloured(rng, 1, 0.5, 8)) + 0.3 * coloured(
        rng, 1, 100, 700
    )


def knocks(rng, a_second, decay, low, high, partials):
    """Return short sounds at random moments, each a few partials that die away: clinks of dishes, or keys."""
    wave = 0.02 * coloured(rng, 1)
    for start in np.flatnonzero(rng.random(len(wave)) < a_second / SAMPLE_RATE):
        time = np.arange(min(SAMPLE_RATE, len(wave) - start)) / SAMPLE_RATE
        tones = sum(
            np.sin(2 * np.pi * hertz * time + rng.random())
            for hertz in rng.uniform(low, high, partials)
        )
        wave[start : start + len(time)] += (
            rng.uniform(0.2, 1) * tones / partials * np.exp(-time / (decay * rng.uniform(0.5, 1.5)))
        )
    return wave


def talk(rng, name):
    """Return several voices that talk at once, far away: float64 `[samples]`."""
    total = np.zeros(NOISE_SECONDS * SAMPLE_RATE)
    for engine, model in TALKERS[name] * 2:
        wave, rate = digits.speak(
            engine, model, TALK, rng.choice([0.95, 1.1, 1.25]), ENGINES[engine].variable[0]
        )
        wave = soxr.resample(np.asarray(wave, np.float64), rate, SAMPLE_RATE)
        total += np.roll(np.resize(wave / wave.std(), len(total)), rng.integers(len(total)))
    return digits.add_room(total, rng)[: len(total)] + 0.1 * coloured(rng, 1) * total.std()


NOISE_MAKERS = {  # name: how it is made, and its side of the split
    "pink": (partial(coloured, colour=1), "train"),
    "brown": (partial(coloured, colour=2), "train"),
    "fan": (partial(hum, fundamental=97.0, harmonics=12, breath=0.6), "train"),
    "clinks": (partial(knocks, a_second=3, decay=0.08, low=900, high=3_800, partials=5), "train"),
    "babble": (partial(talk, name="babble"), "train"),
    "engine": (partial(hum, fundamental=38.0, harmonics=40, breath=0.3), "test"),
    "tap": (tap, "test"),
    "typing": (partial(knocks, a_second=6, decay=0.008, low=400, high=3_500, partials=9), "test"),
    "chatter": (partial(talk, name="chatter"), "test"),
}


def write_table():
    """Write clips.csv, one row for each file that is there, and check the size of the whole folder."""
    rows = []
    for voice in VOICES:
        fixed = [
            voice.name,
            voice.split,
            voice.engine,
            voice.model,
            voice.accent,
            ENGINES[voice.engine].licence,
        ]
        rows += [
            [name, word, *fixed]
            for name, word in clip_names(voice)
            if (SET / "clips" / name).exists()
        ]
    for name, (_, split) in NOISE_MAKERS.items():
        engine = "+".join(sorted({talker[0] for talker in TALKERS.get(name, [])})) or "none"
        rows.append(
            [f"{NOISES}/{name}.mp3", NOISES, name, split, engine, "none", "none", "CC BY 4.0"]
        )
    with open(SET / "clips.csv", "w", newline="", encoding="utf-8") as file:
        header = ["file", "label", "group", "split", "engine", "voice", "accent", "licence"]
        csv.writer(file, lineterminator="\n").writerows([header, *sorted(rows)])
    size = sum(path.stat().st_size for path in SET.rglob("*") if path.is_file())
    if size > MAX_BYTES:
        raise SystemExit(
            f"{SET.name} has {size:,} bytes, expected {MAX_BYTES:,} or less: take fewer takes"
        )


if __name__ == "__main__":
    main()
