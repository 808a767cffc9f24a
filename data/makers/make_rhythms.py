"""Make data/rhythms: short songs in several rhythms, written by rule and played with a free sound font, as 8 kHz MP3 files.

    python data/makers/make_rhythms.py                     make the whole set, then put it in the old one's place
    python data/makers/make_rhythms.py --songs 3 --to DIR  make the first songs of each rhythm in another folder, to compare

The data card, data/rhythms/README.md, says how the set was made and which licences apply.
"""

import argparse
import csv
import shutil
import tempfile
from collections import namedtuple
from pathlib import Path

import numpy as np
import soundfile
import soxr
import tinysoundfont

DATA = Path(__file__).resolve().parents[1]
SET = DATA / "rhythms"
FONT = DATA / "downloads" / "FluidR3Mono_GM.sf3"
MAX_BYTES = 5_500_000  # the whole folder

SONGS, TEST_SONGS = 36, 10  # of each rhythm
SECONDS = 12.0
RENDER_RATE, SAMPLE_RATE = 22_050, 8_000  # Hz
COMPRESSION = 0.85  # on soundfile's scale; with a constant bit rate it gives 16 kbit/s
LEAD = 3.0  # s played before the clip begins, so that it begins in the middle of the music
HUSH = 100_000  # samples played between two songs, so that nothing of the one sounds in the other

# One cycle of each rhythm: how many steps it has, and on which of them a voice strikes. In every rhythm a cycle holds 4 low, 4 middle
# and 8 high strokes, so that how often a voice strikes says nothing about the rhythm; when it strikes says all.
Rhythm = namedtuple("Rhythm", "steps low middle high")
RHYTHMS = {
    "bossa nova": Rhythm(16, [0, 6, 8, 14], [3, 6, 10, 13], [0, 2, 4, 6, 8, 10, 12, 14]),
    "house": Rhythm(16, [0, 4, 8, 12], [4, 7, 12, 15], [2, 3, 6, 7, 10, 11, 14, 15]),
    "reggae": Rhythm(16, [0, 4, 8, 12], [2, 6, 10, 14], [0, 3, 4, 7, 8, 11, 12, 15]),
    "shuffle": Rhythm(12, [0, 5, 6, 11], [2, 3, 8, 9], [0, 2, 3, 5, 6, 8, 9, 11]),
    "tango": Rhythm(16, [0, 3, 8, 11], [6, 7, 14, 15], [0, 1, 3, 4, 8, 9, 11, 12]),
    "waltz": Rhythm(12, [0, 1, 6, 7], [2, 4, 8, 10], [2, 3, 4, 5, 8, 9, 10, 11]),
}
CYCLE = (
    1.75,
    2.35,
)  # s, evenly spaced on a logarithmic scale; 4 beats to a cycle in four of the rhythms

# What is drawn for each song, by the General MIDI numbers: keys of the drum channel, programs of the others
LOW = {35: "acoustic bass drum", 36: "bass drum", 41: "low floor tom"}
MIDDLE = {37: "side stick", 38: "acoustic snare", 39: "hand clap", 40: "electric snare"}
HIGH = {
    42: "closed hi-hat",
    44: "pedal hi-hat",
    54: "tambourine",
    69: "cabasa",
    70: "maracas",
    82: "shaker",
}
BASS = {
    32: "acoustic bass",
    33: "fingered bass",
    34: "picked bass",
    35: "fretless bass",
    36: "slap bass",
    38: "synth bass",
}
CHORDS = {
    0: "piano",
    4: "electric piano",
    11: "vibraphone",
    16: "organ",
    21: "accordion",
    24: "nylon guitar",
    25: "steel guitar",
    26: "jazz guitar",
    27: "clean guitar",
}
PAD = {
    48: "strings",
    49: "slow strings",
    50: "synth strings",
    52: "choir",
    88: "new age pad",
    89: "warm pad",
}
KEYS = ["C", "D flat", "D", "E flat", "E", "F", "G flat", "G", "A flat", "A", "B flat", "B"]
DEGREES = [
    [0, 5, 7, 0],
    [0, 9, 5, 7],
    [0, 7, 9, 5],
    [0, 2, 7, 0],
    [9, 5, 0, 7],
    [0, 5, 2, 7],
]  # roots of the chords, semitones above the key
MINOR = {2, 4, 9}  # degrees whose chord is minor
VELOCITY = (90, 118)  # of a stroke, evenly drawn
DRUM_VOLUME, BASS_VOLUME, CHORD_VOLUME, PAD_VOLUME = (
    (112, 127),
    (60, 105),
    (40, 85),
    (20, 60),
)  # MIDI volume of a voice
PAD_VELOCITY = 60
DROPPED = (0.0, 0.03)  # share of the strokes that are left out
TIMING = 0.003  # s: standard deviation of a stroke's place
LENGTH = 0.16  # s that a bass note or a chord sounds
HISS = (-36.0, -24.0)  # dB: steady noise against the music, as of a tape
COLOUR = 9.0  # dB: standard deviation of the response at each of COLOUR_AT, as records differ in their sound
COLOUR_AT = [60, 150, 350, 800, 1_800, 4_000]  # Hz
PEAK = (0.1, 0.7)  # of full scale, even on a logarithmic scale

COLUMNS = ["file", "label", "group", "split", "tempo", "key", "instruments", "licence"]
CHANNELS = DRUM_CHANNEL, BASS_CHANNEL, CHORD_CHANNEL, PAD_CHANNEL = 9, 1, 2, 3

Song = namedtuple("Song", "rhythm number cycle key low middle high bass chords pad degrees")


def songs():
    """What each song is: the same lists for every rhythm, each list in a new random order.

    Returns: an iterator of Song, in a fixed order.
    """
    cycles = [float(seconds) for seconds in np.geomspace(*CYCLE, SONGS)]
    lists = [cycles, KEYS, *map(list, [LOW, MIDDLE, HIGH, BASS, CHORDS, PAD]), range(len(DEGREES))]
    for place, rhythm in enumerate(RHYTHMS):
        random = np.random.default_rng([7, place])
        columns = [[each[i % len(each)] for i in random.permutation(SONGS)] for each in lists]
        for number, choice in enumerate(zip(*columns)):
            yield Song(rhythm, number, *choice)


def strokes(song, random):
    """Every note of a song.

    Returns: a list of (second, second of its end, channel, key, velocity), in no order.
    """
    rhythm, notes = RHYTHMS[song.rhythm], []
    dropped, phase = random.uniform(*DROPPED), random.uniform(0, song.cycle)
    for cycle in range(int((LEAD + SECONDS) / song.cycle) + 2):
        begin = cycle * song.cycle - phase
        degree = DEGREES[song.degrees][cycle % len(DEGREES[song.degrees])]
        root = KEYS.index(song.key) + degree
        chord = [60 + (root + interval) % 12 for interval in (0, 3 if degree in MINOR else 4, 7)]
        voices = [
            (rhythm.low, [(DRUM_CHANNEL, song.low), (BASS_CHANNEL, 36 + root % 12)]),
            (
                rhythm.middle,
                [(DRUM_CHANNEL, song.middle), *((CHORD_CHANNEL, key) for key in chord)],
            ),
            (rhythm.high, [(DRUM_CHANNEL, song.high)]),
        ]
        for steps, sounds in voices:
            for step in steps:
                second = begin + step * song.cycle / rhythm.steps + random.normal(0, TIMING)
                velocity, kept = int(random.uniform(*VELOCITY)), random.random() >= dropped
                notes += [
                    (second, second + LENGTH, channel, key, velocity)
                    for channel, key in sounds
                    if kept
                ]
        notes += [(begin, begin + song.cycle, PAD_CHANNEL, key, PAD_VELOCITY) for key in chord]
    return notes


def player():
    """A synthesizer that holds the sound font, which takes seconds to load."""
    synth = tinysoundfont.Synth(samplerate=RENDER_RATE)
    synth.sfload(str(FONT))
    return synth


def play(song, synth):
    """Play a song. What was played before has no influence: the same song gives the same samples.

    Returns: float64 `[samples]` at SAMPLE_RATE.
    """
    random = np.random.default_rng([11, list(RHYTHMS).index(song.rhythm), song.number])
    [(font, sounds)] = synth.soundfonts.items()
    sounds.reset()
    synth.generate(HUSH)
    for channel, program in [
        (BASS_CHANNEL, song.bass),
        (CHORD_CHANNEL, song.chords),
        (PAD_CHANNEL, song.pad),
    ]:
        synth.program_select(channel, font, 0, program)
    synth.program_select(DRUM_CHANNEL, font, 128, 0, True)
    for channel, volume in zip(CHANNELS, [DRUM_VOLUME, BASS_VOLUME, CHORD_VOLUME, PAD_VOLUME]):
        synth.control_change(channel, 7, int(random.uniform(*volume)))
    notes = strokes(song, random)
    events = [(begin, 1, *note) for begin, _, *note in notes] + [
        (end, 0, *note) for _, end, *note in notes
    ]
    total, now, pieces = round((LEAD + SECONDS) * RENDER_RATE), 0, []
    for second, begins, channel, key, velocity in [
        *sorted(events),
        (LEAD + SECONDS, 0, PAD_CHANNEL, 0, 0),
    ]:
        sample = min(max(now, round(second * RENDER_RATE)), total)
        if sample > now:
            pieces.append(np.frombuffer(synth.generate(sample - now), np.float32))
            now = sample
        synth.noteon(channel, key, velocity) if begins else synth.noteoff(channel, key)
    stereo = np.concatenate(pieces).reshape(-1, 2)[round(LEAD * RENDER_RATE) :]
    waveform = soxr.resample(
        stereo.mean(axis=1, dtype=np.float64), RENDER_RATE, SAMPLE_RATE, quality="VHQ"
    )
    waveform = recorded(waveform, random)
    return waveform * np.exp(random.uniform(*np.log(PEAK))) / np.abs(waveform).max()


def recorded(waveform, random):
    """The music with the hiss and the colour of a recording, drawn for each song.

    Returns: float64 `[samples]`.
    """
    hiss = 10 ** (random.uniform(*HISS) / 20) * np.sqrt((waveform**2).mean())
    spectrum = np.fft.rfft(waveform + hiss * random.normal(size=len(waveform)))
    frequencies = np.fft.rfftfreq(len(waveform), 1 / SAMPLE_RATE)
    response = np.interp(
        np.log(frequencies + 1), np.log(COLOUR_AT), random.normal(0, COLOUR, len(COLOUR_AT))
    )
    return np.fft.irfft(spectrum * 10 ** (response / 20), len(waveform))


def row(song):
    """What the table says of a song, in the order of COLUMNS."""
    name = f"{song.rhythm.replace(' ', '-')}_{song.number:02d}"
    parts = [
        LOW[song.low],
        MIDDLE[song.middle],
        HIGH[song.high],
        BASS[song.bass],
        CHORDS[song.chords],
        PAD[song.pad],
    ]
    split = "test" if song.number >= SONGS - TEST_SONGS else "train"
    return [
        f"{name}.mp3",
        song.rhythm,
        name,
        split,
        f"{60 / song.cycle:.2f}",
        song.key,
        ", ".join(parts),
        "CC BY 4.0",
    ]


def make(folder, count):
    """Play the first `count` songs of each rhythm into a folder, with their table."""
    synth, rows = player(), []
    (folder / "clips").mkdir(parents=True)
    for song in songs():
        if song.number < count:
            rows.append(row(song))
            options = {
                "format": "MP3",
                "subtype": "MPEG_LAYER_III",
                "compression_level": COMPRESSION,
                "bitrate_mode": "CONSTANT",
            }
            soundfile.write(
                folder / "clips" / rows[-1][0], play(song, synth), SAMPLE_RATE, **options
            )
    with (folder / "clips.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    return len(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--songs", type=int, default=SONGS, help="how many of each rhythm")
    parser.add_argument("--to", type=Path, help="another folder, which must not be there yet")
    options = parser.parse_args()
    if options.to:
        print(f"{make(options.to, options.songs)} songs in {options.to}")
        return
    with tempfile.TemporaryDirectory(dir=DATA) as beside:
        made = make(Path(beside) / "new", SONGS)
        SET.mkdir(exist_ok=True)
        shutil.rmtree(SET / "clips", ignore_errors=True)
        for part in ("clips", "clips.csv"):
            (Path(beside) / "new" / part).replace(SET / part)
    size = sum(path.stat().st_size for path in SET.rglob("*") if path.is_file())
    if size > MAX_BYTES:
        raise SystemExit(f"expected {MAX_BYTES:,} bytes or fewer in {SET.name}, found {size:,}")
    print(f"{made} songs, {size:,} bytes")


if __name__ == "__main__":
    main()
