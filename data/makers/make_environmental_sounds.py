"""Make data/environmental-sounds: ten kinds of sounds around us, from physical and signal models, as 8 kHz MP3 clips.

    python data/makers/make_environmental_sounds.py

A source is one siren, one clock, one engine in one room: its numbers are drawn once. A clip is one moment of a source: when it begins,
how fast it goes, how loud the background is. The data card, data/environmental-sounds/README.md, says where the models come from.
"""

import csv
import shutil
import tempfile
import zlib
from pathlib import Path

import numpy as np
import soundfile

SET = Path(__file__).resolve().parents[1] / "environmental-sounds"
MAX_BYTES = 5_500_000  # the whole folder
RATE = 8_000  # Hz
SOURCES, TAKES, FOLDS = 20, 3, 5  # sources of each class, clips of each source, parts of the set
SECONDS = (1.5, 4.0)  # length of a clip, even on a logarithmic scale
COMPRESSION = 0.75  # soundfile's scale from 0 to 1: at this rate about 26 kbit/s, the smallest that keeps a clip's exact length

# What is drawn for the recording: for each source, then for each clip
ROOM_DECAY = (0.05, 0.5)  # s in which the room's response falls by 60 dB
ROOM_GAIN = (-30.0, -8.0)  # dB: energy of the room's response against the direct sound
TILT = (-5.0, 5.0)  # dB per octave around 1 kHz: the microphone, and the air between
NOISE_COLOUR = (0.0, 1.5)  # power of the background falls as 1 / frequency ** colour
NOISE = (-30.0, -6.0)  # dB: background against sound, both by root mean square
PEAK = (0.1, 0.8)  # of full scale, even on a logarithmic scale

BAR_MODES = (1.0, 2.756, 5.404)  # frequencies of a bar with free ends, as multiples of the lowest


# One function a class: (source, take, time) → waveform. `source` gives the same draws for all clips of a source, `take` others for each;
# `time` is in seconds.


def siren(source, take, time):
    """Hi-lo (two pitches in turn), wail (a slow sweep up and down) or yelp (a fast one)."""
    kind, low = source.choice(["hi-lo", "wail", "yelp"]), source.uniform(380, 800)
    high = low * (source.uniform(1.25, 1.42) if kind == "hi-lo" else source.uniform(1.6, 2.2))
    period = {
        "hi-lo": source.uniform(0.8, 1.4),
        "wail": source.uniform(2.5, 5),
        "yelp": source.uniform(0.25, 0.45),
    }[kind]
    turn = (time / period * take.uniform(0.95, 1.05) + take.uniform()) % 1
    height = turn < 0.5 if kind == "hi-lo" else 0.5 - 0.5 * np.cos(2 * np.pi * turn)
    return tone(low * (high / low) ** height, harmonics(source))


def car_horn(source, take, time):
    """Two reeds about a third apart, held for a drawn time, once or more: the pitch does not move."""
    low, interval, timbre, long = (
        source.uniform(320, 520),
        source.uniform(1.15, 1.3),
        harmonics(source),
        source.uniform() < 0.5,
    )
    chord = tone(np.full(len(time), low), timbre) + tone(np.full(len(time), low * interval), timbre)
    begin, gate = take.uniform(0, 0.4), np.zeros(len(time))
    while begin < time[-1] - 0.15:
        end = begin + take.uniform(*(0.7, 1.8) if long else (0.12, 0.6))
        gate = np.maximum(gate, edge(time, begin, 0.015) * edge(-time, -end, 0.03))
        begin = end + take.uniform(0.1, 0.9)
    return chord * gate


def alarm(source, take, time):
    """Beeps of one pitch in a strict pattern: so many beeps, then a pause."""
    pitch, timbre, beeps = source.uniform(450, 2_000), harmonics(source), source.integers(1, 5)
    length, share = source.uniform(0.06, 0.3), source.uniform(0.4, 0.65)
    period = length * (beeps + source.uniform(0, 2))
    turn = (time * take.uniform(0.98, 1.02) + take.uniform(0, period)) % period
    gate = (
        edge(turn % length, 0, 0.003)
        * edge(-(turn % length), -length * share, 0.005)
        * (turn < beeps * length)
    )
    return tone(np.full(len(time), pitch), timbre) * gate


def doorbell(source, take, time):
    """Two struck bars, the second lower: three modes each, which die away, the higher the sooner."""
    high, interval = source.uniform(500, 1_000), source.uniform(1.18, 1.36)
    decay, gap, again = source.uniform(0.5, 1.6), source.uniform(0.3, 0.7), source.uniform(1.4, 2.4)
    gains = source.uniform(0.05, 0.6, 2)
    wave, begin = np.zeros(len(time)), take.uniform(0, 0.4)
    while begin < time[-1] - 0.3:
        for start, pitch in [
            (begin, high),
            (begin + gap * take.uniform(0.9, 1.1), high / interval),
        ]:
            for mode, gain in zip(BAR_MODES, [1, *gains]):
                wave += take.uniform(0.7, 1) * gain * ring(time - start, pitch * mode, decay / mode)
        begin += again * take.uniform(0.9, 1.3)
    return wave


def clock(source, take, time):
    """Ticks: hard impacts that excite three resonances of the case, every time at the same distance; tick and tock may differ."""
    period, limp = 1 / source.choice([1, 4 / 3, 2, 2.5, 4, 5]), source.uniform(-0.03, 0.03)
    tick, tock = impact(source), impact(source)
    starts = np.arange(take.uniform(-period, 0), time[-1], period)
    return sum(
        (tock if n % 2 else tick)(take, time - start - limp * period * (n % 2))
        for n, start in enumerate(starts)
    )


def footsteps(source, take, time):
    """Steps: the heel, and a softer toe after it; distance and force differ from step to step."""
    period, roll, toe_gain = (
        source.uniform(0.42, 0.75),
        source.uniform(0.06, 0.16),
        source.uniform(0.2, 0.7),
    )
    heel, toe, thump = impact(source), impact(source), source.uniform(70, 160)
    wave, start = np.zeros(len(time)), take.uniform(0, 0.4)
    while start < time[-1]:
        force, toe_start = take.uniform(0.4, 1), start + roll * take.uniform(0.8, 1.2)
        wave += force * (heel(take, time - start) + 0.5 * ring(time - start, thump, 0.12))
        wave += force * toe_gain * toe(take, time - toe_start)
        start += period * take.uniform(0.85, 1.15)
    return wave


def rain(source, take, time):
    """Drops at random moments, many a second, each a short ringing bubble, over the hiss of all those far away."""
    rate, pitch, hiss = (
        source.uniform(40, 250),
        source.uniform(900, 2_500),
        source.uniform(0.1, 0.6),
    )
    low, high = source.uniform(200, 800), source.uniform(2_500, 4_000)
    drops = scattered(take, time, rate, spread=0.8)
    wave = np.zeros(len(time))
    for octave in (-0.6, -0.2, 0.2, 0.6):
        bubble = ring(time[:400], pitch * 2**octave, source.uniform(0.01, 0.03))
        wave += np.convolve(drops * (take.integers(4, size=len(time)) == 0), bubble)[: len(time)]
    return scaled(wave) + hiss * scaled(band(take, len(time), low, high))


def fire(source, take, time):
    """Crackles: sparse pops of very different strength that come in bursts, over a rumble that flickers."""
    rate, rumble, flicker = source.uniform(3, 14), source.uniform(0.1, 0.6), source.uniform(2, 6)
    pops = [impact(source) for _ in range(3)]
    bursts = np.exp(1.2 * scaled(band(take, len(time), 0.3, 3)))
    wave = np.zeros(len(time))
    for n in np.flatnonzero(take.uniform(size=len(time)) < bursts / bursts.mean() * rate / RATE):
        wave += take.lognormal(0, 1) * pops[take.integers(3)](take, time - time[n])
    glow = np.exp(0.5 * scaled(band(take, len(time), 0.3, flicker)))
    return scaled(wave) + rumble * glow * scaled(
        band(take, len(time), 60, source.uniform(600, 2_500))
    )


def engine(source, take, time):
    """Pulses of the exhaust through its resonances, 25 to 100 a second; the driver holds or changes the speed."""
    idle, unevenness, gust = (
        source.uniform(25, 60),
        source.uniform(0, 0.35),
        source.uniform(0.1, 0.5),
    )
    exhaust = [
        (source.uniform(80, 300), 0.03),
        (source.uniform(300, 900), 0.015),
        (source.uniform(900, 2_500), 0.008),
    ]
    gains = source.uniform(0.3, 1, 3)
    moments = np.cumsum(take.uniform(0.4, 1.2, 8))
    speed = (
        idle
        * np.interp(time, moments - moments[0], take.choice([1, 1, 1.2, 1.6], 8))
        * take.uniform(0.95, 1.05)
    )
    firing = np.cumsum(speed) / RATE
    pulses = np.diff(np.floor(firing), prepend=0) * (
        1 + unevenness * np.cos(np.pi * np.floor(firing))
    )
    wave = sum(
        gain * np.convolve(pulses, ring(time[:800], *mode))[: len(time)]
        for gain, mode in zip(gains, exhaust)
    )
    return scaled(wave) + gust * scaled(
        band(take, len(time), 200, 3_500) * (0.4 + 0.6 * (1 - firing % 1))
    )


def helicopter(source, take, time):
    """Blades that slap the air 9 to 20 times a second, each a thump and a puff of noise, with the turbine's whine above."""
    blades, sharpness, whine = source.uniform(9, 20), source.uniform(3, 10), source.uniform(0, 0.3)
    thump, puff = source.uniform(60, 200), source.uniform(0.3, 1.2)
    turn = (time * blades * take.uniform(0.97, 1.03) + take.uniform()) % 1
    slap = np.exp(-sharpness * turn)
    wave = slap * np.sin(2 * np.pi * thump * turn / blades) + puff * slap * scaled(
        band(take, len(time), 100, source.uniform(800, 3_000))
    )
    return scaled(wave) + whine * tone(np.full(len(time), source.uniform(900, 2_500)), [1.0]) * (
        0.9 + 0.1 * take.uniform()
    )


SOUNDS = {
    name.__name__.replace("_", " "): name
    for name in (alarm, car_horn, clock, doorbell, engine, fire, footsteps, helicopter, rain, siren)
}


# What the models share


def harmonics(source):
    """Draw a timbre: the amplitudes of eight harmonics."""
    return np.arange(1.0, 9) ** -source.uniform(0.4, 2) * source.uniform(0.4, 1, 8)


def tone(pitch, amplitudes):
    """A sum of harmonics that follows a pitch in Hz; those above the rate's half are left out."""
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    return scaled(
        sum(
            gain * np.sin(k * phase) * (k * pitch < 0.45 * RATE)
            for k, gain in enumerate(amplitudes, 1)
        )
    )


def edge(time, begin, seconds):
    """A step from 0 to 1 that takes a few milliseconds."""
    return np.clip((time - begin) / seconds, 0, 1)


def ring(time, hertz, decay):
    """A damped oscillation from time 0 on; it falls by 60 dB in `decay` seconds."""
    return np.where(
        (time >= 0) & (hertz < RATE / 2),
        np.sin(2 * np.pi * hertz * time) * 10 ** (-3 * np.maximum(time, 0) / decay),
        0,
    )


def impact(source):
    """Draw what is hit: three resonances. The result makes one hit, (take, time since the hit) → waveform."""
    modes = list(
        zip(
            source.uniform(300, 3_200, 3), source.uniform(0.015, 0.07, 3), source.uniform(0.3, 1, 3)
        )
    )

    def hit(take, since):
        return sum(
            gain * take.uniform(0.8, 1) * ring(since, hertz, decay) for hertz, decay, gain in modes
        )

    return hit


def scattered(take, time, rate, spread):
    """Impulses at random moments, so many a second, of random strength."""
    return (
        (take.uniform(size=len(time)) < rate / RATE)
        * take.lognormal(0, spread, len(time))
        * take.choice([-1, 1], len(time))
    )


def band(take, samples, low, high):
    """Noise between two frequencies in Hz."""
    return shaped(
        take.standard_normal(samples),
        lambda hertz: 1 / np.sqrt((1 + (low / (hertz + 1e-3)) ** 4) * (1 + (hertz / high) ** 4)),
    )


def shaped(wave, gain):
    """Multiply a spectrum by a function of the frequency in Hz."""
    padded = 2 * len(wave)
    return np.fft.irfft(
        np.fft.rfft(wave, padded) * gain(np.fft.rfftfreq(padded, 1 / RATE)), padded
    )[: len(wave)]


def scaled(wave):
    """Give a waveform a root mean square of 1."""
    return wave / max(np.sqrt(np.mean(np.square(wave))), 1e-9)


# From a model to a file


def make_clip(label, source_name, take):
    """Draw a clip, from random numbers that depend on its source's name and its take only: float64 `[samples]`."""
    source, room = (
        np.random.default_rng([zlib.crc32(source_name.encode()), part]) for part in (0, 1)
    )
    take = np.random.default_rng([zlib.crc32(source_name.encode()), 2 + take])
    time = np.arange(int(np.exp(take.uniform(*np.log(SECONDS))) * RATE)) / RATE
    wave = scaled(SOUNDS[label](source, take, time))
    decay = room.uniform(*ROOM_DECAY)
    late = np.arange(1, int(decay * RATE)) / RATE
    echo = room.standard_normal(len(late)) * 10 ** (-3 * late / decay)
    echo *= 10 ** (room.uniform(*ROOM_GAIN) / 20) / np.linalg.norm(echo)
    wave = np.convolve(wave, [1.0, *echo])[: len(time)]
    tilt, colour = room.uniform(*TILT), room.uniform(*NOISE_COLOUR)
    wave = scaled(
        shaped(wave, lambda hertz: 10 ** (tilt * np.clip(np.log2((hertz + 1) / 1_000), -2, 2) / 20))
    )
    noise = scaled(
        shaped(take.standard_normal(len(time)), lambda hertz: (hertz + 30) ** (-colour / 2))
    )
    wave = wave + 10 ** (take.uniform(*NOISE) / 20) * noise
    return wave / np.abs(wave).max() * np.exp(take.uniform(*np.log(PEAK)))


def main():
    """Make all clips and the table beside the old set, then put them in its place."""
    SET.mkdir(exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory(dir=SET.parent, prefix="environmental-sounds-") as beside:
        clips = Path(beside) / "clips"
        clips.mkdir()
        for label in SOUNDS:
            for number in range(SOURCES):
                source = f"{label.replace(' ', '-')}-{number:02}"
                for take in range(TAKES):
                    file = f"{source}_{take}.mp3"
                    options = {
                        "subtype": "MPEG_LAYER_III",
                        "bitrate_mode": "CONSTANT",
                        "compression_level": COMPRESSION,
                    }
                    soundfile.write(clips / file, make_clip(label, source, take), RATE, **options)
                    rows.append([file, label, source, 1 + number % FOLDS, "CC BY 4.0"])
        shutil.rmtree(SET / "clips", ignore_errors=True)
        clips.rename(SET / "clips")
    with open(SET / "clips.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [["file", "label", "group", "split", "licence"], *rows]
        )
    size = sum(path.stat().st_size for path in SET.rglob("*") if path.is_file())
    if size > MAX_BYTES:
        raise SystemExit(
            f"{SET.name} has {size:,} bytes, expected {MAX_BYTES:,} or less: make the clips shorter"
        )


if __name__ == "__main__":
    main()
