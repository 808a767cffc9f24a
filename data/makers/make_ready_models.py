"""Make data/ready-model: two small GRUs that hear digits, and ten commands, in an endless sound.

    python data/makers/make_ready_models.py train      digits.keras and commands.keras; about 4 CPU minutes each
    python data/makers/make_ready_models.py measure    results.csv and the tables of the card; about 2

`train commands` trains one of the two. Both rest on the subset of Speech Commands (data/README.md): without it nothing is made.
"""

import argparse
import json
import sys
import time
import zipfile
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from scipy import special, stats

DATA = Path(__file__).resolve().parents[1]
HERE = DATA / "ready-model"
sys.path.insert(0, str(DATA.parent))

from course_lib import audio, data, models
from course_lib.extra import augmentation, scenes, streaming

CLASSES = {"digits": list("0123456789"), "commands": sorted(data.COMMANDS)}
EPOCHS, BATCHES, LEARNING_RATE = 55, 40, 6e-3  # the rate falls along a cosine to nothing
NOTHING, KNOCKS = 10, 600  # the eleventh class; sounds
SHARES = (0.52, 0.33)  # of words, of other words and sounds
OFTEN = 4  # the few real digits of many speakers, and other words, are heard so many times as often
NEAR = ("tree",)  # an other word that is too near to a digit to be learned as "nothing"
LEVEL, MINUTE = -28, 60 * audio.SAMPLE_RATE  # of what is measured, decibels of full scale; samples
RATIOS = {"clean": 60, "noise at 20 dB": 20, "noise at 10 dB": 10, "noise at 5 dB": 5}
# False alarms an hour of validation talk, for which thresholds are chosen.
BUDGETS = {"talk": 84, "a quiet home": 150}
NOBODY = pd.DataFrame({"begin": [], "end": [], "label": [], "speaker": []})
NEWER = ("input_axes", "output_axes", "quantization_config")  # Keras 3.12 does not know them


# --- what is heard


def clips(name, split):
    """The clips of a set on one side of its split, with the word that was said."""
    table = data.load(name)
    if name in ("commands", "many-voices") and "Speech Commands" not in table.source.iloc[0]:
        sys.exit(f"expected the real recordings of {name}, found a stand-in: see data/README.md")
    table = table[table.split.isin([split] if isinstance(split, str) else split)].copy()
    table["word"] = [path.parent.name for path in table.path]
    return table


def heard(table, labels):
    """The words of clips, to be learned as these classes (a number each, or one for all)."""
    frames = audio.log_mels(audio.read(path) for path in table.path)
    return scenes.words(frames, np.broadcast_to(labels, len(frames)))


def pieces(noises):
    """Each second of each noise, as something that is said and is "nothing"."""
    rows = audio.SAMPLE_RATE // audio.FRAME_STEP
    starts = [(noise, row) for noise in noises for row in range(0, len(noise) - rows + 1, rows)]
    return scenes.words([noise[row : row + rows] for noise, row in starts], [NOTHING] * len(starts))


def knocks(count, random):
    """Ticks, knocks and bangs, which begin like a word: noise of a random colour that fades."""
    sounds = []
    for _ in range(count):
        sound = np.full([100, audio.N_MELS], -30, np.float32)
        fade, apart = 10 ** random.uniform(-0.3, 1.2), random.integers(8, 100)  # frames
        burst = augmentation.colour(np.zeros_like(sound), random, decibels=8)
        for start in range(0, 100, apart):
            rows = np.arange(100 - start)[:, None] / fade
            sound[start:] = np.logaddexp(sound[start:], burst[start:] - rows)
        sounds.append(sound + np.log(random.standard_gamma(3, sound.shape) / 3 + 1e-3))
    return scenes.words(sounds, [NOTHING] * count)


def material(name):
    """The words, the other words and the noises that a model learns from: training sides alone."""
    real, synthetic = clips("commands", "train"), clips("spoken-commands", "train")
    hiss = audio.log_mels(audio.read(path) for path in real.path[real.label == "silence"])
    tables = [clips("environmental-sounds", list("1234")), clips("rhythms", "train")[::6]]
    noises = audio.log_mels(audio.read(path) for table in tables for path in table.path)
    real, synthetic = (table[table.label != "silence"] for table in (real, synthetic))
    if name == "commands":
        known = real[real.label != "unknown"]
        words = heard(known, [CLASSES[name].index(label) for label in known.label])
        others = OFTEN * heard(real[real.label == "unknown"], NOTHING)
        others += heard(synthetic[synthetic.label == "unknown"], NOTHING)
        others += heard(clips("spoken-digits", "train")[::4], NOTHING)
    else:
        digits = real[real.word.isin(data.DIGITS)]
        words = OFTEN * heard(digits, [data.DIGITS.index(word) for word in digits.word])
        for source, times in (("many-voices", OFTEN), ("fsdd", 1), ("spoken-digits", 1)):
            table = clips(source, "train")
            words += times * heard(table, table.label.astype(int))
        others = []
        for table in (real, synthetic[::3]):
            others += heard(table[~table.word.isin([*data.DIGITS, *NEAR])], NOTHING)
    others += pieces(hiss + noises) + knocks(KNOCKS, np.random.default_rng(0))
    return words, others, hiss + noises


# --- training


def train(name):
    """Train one model on scenes and write it, with the list of its classes."""
    words, others, noises = material(name)
    print(f"{name}: {len(words):,} words, {len(others):,} others, {len(noises)} noises", flush=True)
    options = {"shares": SHARES, "batches": BATCHES, "nothing": NOTHING}
    made = scenes.Scenes(words, noises, others=others, **options)
    keras.utils.set_random_seed(0)
    model, begin = scenes.per_frame(len(CLASSES[name]) + 1), time.process_time()
    falling = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, EPOCHS * BATCHES)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(falling, global_clipnorm=1.0), loss)
    model.fit(made, epochs=EPOCHS, verbose=2)
    print(f"{name}: {time.process_time() - begin:.0f} CPU seconds", flush=True)
    save(scenes.classifier(model), HERE / f"{name}.keras")
    (HERE / f"{name}.txt").write_text("\n".join([*CLASSES[name], "nothing", ""]))


def save(model, path):
    """Write a model so that Keras 3.12 and later can read it: without the settings that newer ones added and that are empty."""
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["config.json"] = json.dumps(without_new(json.loads(parts["config.json"]))).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def without_new(settings):
    """Settings of a model, of whatever depth, without those of NEWER that are empty."""
    if isinstance(settings, dict):
        return {
            name: without_new(value)
            for name, value in settings.items()
            if value is not None or name not in NEWER
        }
    return [without_new(each) for each in settings] if isinstance(settings, list) else settings


# --- measuring


def with_sound(table):
    return table.assign(waveform=[audio.read(path) for path in table.path])


def spoken(name, split):
    """What a model is to recognise, and other words by the same side: two tables with waveforms."""
    table = with_sound(clips("commands", split))
    if name == "commands":
        return table[table.label.isin(data.COMMANDS)], table[table.label == "unknown"]
    words = with_sound(clips("many-voices", ["validation", "test"]))  # 80, and nobody's training
    return words, table[~table.word.isin(data.DIGITS) & (table.label != "silence")]


def noises_of(split):
    table = clips("commands", split)
    return [audio.read(path) for path in table.path[table.label == "silence"]]


def at_level(waveform):
    """Speech at LEVEL, by its 10-ms blocks less than 25 dB below the loudest (as P.56, in short)."""
    blocks = waveform[: len(waveform) // 80 * 80].reshape(-1, 80)
    power = np.mean(blocks.astype(float) ** 2, axis=1)
    active = power[power > power.max() * 10**-2.5].mean()
    return waveform * np.float32(10 ** (LEVEL / 20) / np.sqrt(active + 1e-12))


def noise_at_level(waveform, decibels=LEVEL):
    level = np.sqrt(np.mean(waveform.astype(float) ** 2) + 1e-12)
    return waveform * np.float32(10 ** (decibels / 20) / level)


def in_noise(speech, noises, ratio, random):
    """Speech at LEVEL and a piece of a noise, so many decibels below it."""
    noise = noises[random.integers(len(noises))]
    piece = np.resize(np.roll(noise, random.integers(len(noise))), len(speech))
    return speech + noise_at_level(piece, LEVEL - ratio)


def likeliest_is_right(name, known, ratio):
    """Whether the likeliest word, at any frame, is the one that is somewhere in two seconds."""
    random, noises, sounds = np.random.default_rng(0), noises_of("test"), []
    for waveform in known.waveform:
        sound = np.zeros(2 * audio.SAMPLE_RATE, np.float32)
        start = random.integers(len(sound) - len(waveform) + 1)
        sound[start : start + len(waveform)] = at_level(waveform)
        sounds.append(in_noise(sound, noises, ratio, random))
    model, classes = models.ready(name)
    whole = scenes.per_frame(len(classes))
    whole.set_weights(model.get_weights())
    logits = whole.predict(np.stack(audio.log_mels(sounds)), batch_size=64, verbose=0)
    heights = special.softmax(logits, axis=-1)[..., :-1].max(axis=1)
    return np.array(classes)[heights.argmax(axis=1)] == known.label.astype(str)


def spliced(table, noises, ratio):
    """All words once, in a random order, with pauses of 0.3 to 1.5 s in noise; what was said when."""
    random, pieces, said, place = np.random.default_rng(0), [], [], 0
    for row in table.sample(frac=1, random_state=0).itertuples():
        pause = np.zeros(int(random.uniform(0.3, 1.5) * audio.SAMPLE_RATE), np.float32)
        begin, place = place + len(pause), place + len(pause) + len(row.waveform)
        said.append((begin / audio.SAMPLE_RATE, place / audio.SAMPLE_RATE, row.label, row.group))
        pieces += [pause, at_level(row.waveform)]
    minutes = np.array_split(np.concatenate(pieces), -(-place // MINUTE))  # each in its own noise
    sound = np.concatenate([in_noise(each, noises, ratio, random) for each in minutes])
    return sound, pd.DataFrame(said, columns=NOBODY.columns)


def one_after_another(table):
    """Recordings as they are, all at LEVEL: nothing that the model is to recognise is in them."""
    return np.concatenate([noise_at_level(waveform) for waveform in table.waveform]), NOBODY


def spotted(heard, classes, threshold):
    """How the detector does in (probabilities, what was said, seconds)."""
    probabilities, said, seconds = heard
    found = streaming.detections(probabilities, classes, threshold=threshold)
    return found, streaming.compare(found, said, seconds=seconds)


def choose(heard, classes, budget):
    """The lowest threshold with no more false alarms an hour than that."""
    for threshold in np.arange(0.30, 0.995, 0.01):
        _, spots = spotted(heard, classes, threshold)
        if spots.false_alarms_an_hour <= budget:
            print(f"threshold {threshold:.2f} for {budget} an hour: {spots}", flush=True)
            return round(float(threshold), 2)
    raise ValueError(f"expected a threshold for {budget} false alarms an hour, found none")


def share(right, speakers):
    """A share of right answers, with an interval over speakers, whose clips are not independent."""
    each = pd.Series(np.asarray(right, float)).groupby(np.asarray(speakers)).agg(["sum", "size"])
    value, count = each["sum"].sum() / len(right), len(each)
    spread = np.sqrt(((each["sum"] - value * each["size"]) ** 2).sum() * count / (count - 1))
    half = stats.t.ppf(0.975, count - 1) * spread / len(right)
    numbers = value, max(0, value - half), min(1, value + half)
    return *(round(float(number), 3) for number in numbers), len(right)


def missed(heard, classes, threshold):
    """The share of words that were not heard, with its interval over speakers."""
    found, _ = spotted(heard, classes, threshold)
    misses = []
    for speaker, theirs in heard[1].groupby("speaker"):
        spots = streaming.compare(found, theirs, seconds=heard[2])
        misses += [(speaker, False)] * spots.hits + [(speaker, True)] * spots.misses
    speakers, misses = zip(*misses)
    return share(misses, speakers)


def measure(name):
    """Choose the thresholds on validation, then score them on the speakers and sounds left."""
    model, classes = models.ready(name)

    def hear(sound, said):
        return streaming.Stream(model).push(sound), said, len(sound) / audio.SAMPLE_RATE

    known, others = spoken(name, "validation")
    if name == "commands":  # which leaves few other words: commands backwards are none, either
        backwards = known.assign(waveform=[waveform[::-1] for waveform in known.waveform])
        others = pd.concat([others, backwards])
    talk = hear(spliced(others, noises_of("train"), 20)[0], NOBODY)
    settings = {setting: choose(talk, classes, budget) for setting, budget in BUDGETS.items()}
    known, others = spoken(name, "test")
    kind = f"other words, {others.seconds.sum() / 60:.1f} of them speech"
    sounds = {kind: (spliced(others, noises_of("test"), 20)[0], NOBODY)}
    if name == "commands":
        fsdd = with_sound(clips("fsdd", ["train", "test"]))
        sounds["digits by six men"] = one_after_another(fsdd)
    for kind, table in with_sound(clips("music-speech", "all")).groupby("label", observed=True):
        sounds[kind] = one_after_another(table)
    sounds["a tap, dishes"] = one_after_another(pd.DataFrame({"waveform": noises_of("test")}))
    for kind, folds in (("environmental-sounds", ["5"]), ("esc-10", ["3", "4", "5"])):
        sounds[kind] = one_after_another(with_sound(clips(kind, folds)))
    sounds = {kind: hear(*each) for kind, each in sounds.items()}
    heard = {at: hear(*spliced(known, noises_of("test"), ratio)) for at, ratio in RATIOS.items()}
    people, rows = f"{known.group.nunique()} speakers never heard", []
    for at, ratio in RATIOS.items():
        right = likeliest_is_right(name, known, ratio)
        rows.append((f"{people}, in 2 s, {at}", *share(right, known.group)))
    for setting, threshold in settings.items():
        rows.append((f"{setting}: threshold", threshold, None, None, None))
        for at, each in heard.items():
            rows.append((f"{setting}: missed, {at}", *missed(each, classes, threshold)))
        for kind, each in sounds.items():
            _, spots = spotted(each, classes, threshold)
            rates = (round(rate, 1) for rate in (spots.false_alarms_an_hour, *spots.limits()))
            what = f"{setting}: false alarms an hour in {60 * spots.hours:.1f} minutes, {kind}"
            rows.append((what, *rates, spots.false_alarms))
    rows = [(name, f"{name}, {what}", *numbers) for what, *numbers in rows]
    print(pd.DataFrame(rows).to_string(header=False, index=False), flush=True)
    return rows


def as_table(rows):
    """Rows of one model as the card shows them, in Markdown."""
    lines = ["| | value | 95 % interval | of |", "| --- | --- | --- | --- |"]
    for _, what, value, low, high, of in rows:
        interval = "" if low is None else f"{low:g} – {high:g}"
        lines.append(
            f"| {what.partition(', ')[2]} | {value:g} | {interval} | {'' if of is None else format(of, ',')} |"
        )
    return "\n".join(lines)


def write(rows):
    """Write results.csv, and put each model's table into the card between its two marks."""
    table = pd.DataFrame(rows, columns=["part", "what", "value", "low", "high", "clips"])
    table.astype({"clips": "Int64"}).to_csv(HERE / "results.csv", index=False)
    card = (HERE / "README.md").read_text(encoding="utf-8")
    for name in CLASSES:
        before, rest = card.split(f"<!-- {name} -->")
        after = rest.split(f"<!-- end of {name} -->")[1]
        measured = as_table([row for row in rows if row[0] == name])
        card = f"{before}<!-- {name} -->\n{measured}\n<!-- end of {name} -->{after}"
    (HERE / "README.md").write_text(card, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["train", "measure"])
    parser.add_argument("names", nargs="*", default=list(CLASSES), help="digits, commands, or both")
    arguments = parser.parse_args()
    if arguments.what == "train":
        for name in arguments.names:
            train(name)
    else:
        write([row for name in CLASSES for row in measure(name)])


if __name__ == "__main__":
    main()
