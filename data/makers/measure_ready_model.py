"""Measure data/ready-model: `python data/makers/measure_ready_model.py` writes results.csv, and the tables of the card.

It comes after both trainings of make_ready_model.py.

First the three rehearsals, each on the real speakers, voices and noises that it left out; they choose the detector's threshold, smoothing and
refractory time. Then, once, the model itself on test clips.
"""

import functools

import make_ready_model as making
import numpy as np
import pandas as pd
import tensorflow as tf
from make_ready_model import DIGITS, FOLDS, HERE, NOTHING, SETS, decibels
from scipy import special, stats

from course_lib import audio, batches, data, evaluation, models
from course_lib.extra import streaming

LEVEL = -28  # decibels of full scale: of the speech in what is spliced here
RATIOS = (20, 10, 0)  # decibels: speech against noise
LAST, DIGIT, PEAK = (
    "after the last frame",
    "the likeliest digit after the last frame",
    "the likeliest digit at any frame",
)
IN_TWO_SECONDS = f"in 2 s with noise at 20 dB, {PEAK}"
TRUSTED = f"the four real speakers by whom nothing was chosen, {IN_TWO_SECONDS}, mean and interval of people"  # the first rehearsal chose
REAL, VOICES = "left-out real speakers", "left-out synthetic voices"
SETTINGS = [
    (round(threshold, 2), smooth, apart)
    for threshold in np.arange(0.4, 0.96, 0.05)
    for smooth in (5, 10, 20)
    for apart in (0.3, 0.5)
]
CLASSES = [*DIGITS, "nothing"]


def listener(model):
    """A framewise model, or a classifier made framewise, as a function that is traced once for all shapes: frames → logits at every frame."""
    if len(model.inputs) == 1:
        weights, model = model.get_weights(), making.framewise()
        model.set_weights(weights)
    shapes = [tf.TensorSpec([None, None, audio.N_MELS]), tf.TensorSpec([None, making.UNITS])]
    forward = tf.function(
        lambda frames, state: model([frames, state], training=False)[0], input_signature=shapes
    )
    return lambda frames: forward(frames, np.zeros([len(frames), making.UNITS], np.float32)).numpy()


def running(listen, waveforms):
    """The probabilities at every frame of each waveform; `listen` is what `listener` gives."""
    frames = audio.log_mels(waveforms)
    order, found = np.argsort(batches.lengths(frames)), {}
    for part in np.array_split(order, -(-len(order) // 64)):
        logits = listen(batches.pad([frames[clip] for clip in part]))
        found.update(
            {
                clip: special.softmax(each[: len(frames[clip])], axis=1)
                for clip, each in zip(part, logits)
            }
        )
    return [found[clip] for clip in range(len(frames))]


def last(probabilities):
    return np.array([each[-1].argmax() for each in probabilities])


def last_digit(probabilities):
    return np.array([each[-1, :NOTHING].argmax() for each in probabilities])


def peak(probabilities):
    return np.array([each[:, :NOTHING].max(axis=0).argmax() for each in probabilities])


def said_at(words, level=LEVEL):
    return [word.waveform * decibels(level) for word in words]


def labels(words):
    return np.array([word.label for word in words])


def in_noise(words, sounds, ratio, *, seconds=None, seed=0):
    """Each word in noise: as long as it is, or somewhere in a recording of so many seconds."""
    random, heard = np.random.default_rng(seed), []
    for word, waveform in zip(words, said_at(words)):
        samples = len(waveform) if seconds is None else int(seconds * audio.SAMPLE_RATE)
        sound = np.resize(making.background(sounds, random), samples) * decibels(LEVEL - ratio)
        start = random.integers(max(1, samples - len(waveform) + 1))
        sound[start : start + len(waveform)] += waveform[:samples]
        heard.append(sound.astype(np.float32))
    return heard


def spliced(words, sounds, ratio, *, seed=0):
    """All words once, in a random order, with pauses of 0.3 to 2 s, in noise; and what was said when.

    Returns: float32 `[samples]`, and a DataFrame with begin, end (seconds) and label of the digits.
    """
    random = np.random.default_rng(seed)
    pieces, place, said = [], 0, []
    for number in random.permutation(len(words)):
        word, pause = (
            words[number],
            np.zeros(int(random.uniform(0.3, 2.0) * audio.SAMPLE_RATE), np.float32),
        )
        place += len(pause)
        said.append((place + word.start, place + word.end, word.label))
        pieces += [pause, word.waveform * decibels(random.normal(0, 3))]
        place += len(word.waveform)
    speech = np.concatenate(pieces)
    noise = np.concatenate(
        [making.background(sounds, random) for _ in range(len(speech) // making.SAMPLES + 1)]
    )[: len(speech)]
    table = pd.DataFrame(said, columns=["begin", "end", "label"]).astype(
        {"begin": float, "end": float}
    )
    table[["begin", "end"]] /= audio.SAMPLE_RATE
    return ((speech + noise * decibels(-ratio)) * decibels(LEVEL)).astype(np.float32), table[
        table.label != NOTHING
    ]


def spotted(recordings, setting):
    """How a detector of this setting fares on recordings, each of them running probabilities and what was said."""
    threshold, smooth, apart = setting
    spots, seconds = [], 0
    for probabilities, said in recordings:
        found = streaming.detections(
            probabilities, CLASSES, threshold=threshold, smooth=smooth, apart=apart
        )
        length = len(probabilities) * audio.FRAME_STEP / audio.SAMPLE_RATE
        spots.append(streaming.compare(found, said, seconds=length))
        seconds += length
    hits, misses, alarms = (sum(spot[number] for spot in spots) for number in range(3))
    return streaming.Spotted(hits, misses, alarms, 3_600 * alarms / seconds)


READINGS = {LAST: last, DIGIT: last_digit, PEAK: peak}


# --- the table


def row(part, what, right):
    """A share of right answers with its interval."""
    score = evaluation.score(right)
    value, low, high = (round(number, 3) for number in score[:3])
    return {
        "part": part,
        "what": what,
        "value": value,
        "low": low,
        "high": high,
        "clips": score.clips,
    }


def counted(part, what, spots):
    """A detector's hits as a share with its interval, and its false alarms an hour."""
    hits = (
        row(part, f"{what}: digits detected", [True] * spots.hits + [False] * spots.misses)
        if spots.hits + spots.misses
        else None
    )
    alarms = {
        "part": part,
        "what": f"{what}: false alarms an hour",
        "value": round(spots.false_alarms_an_hour, 1),
        "clips": spots.false_alarms,
    }
    return [hits, alarms] if hits else [alarms]


def over_people(what, shares):
    """The mean of the speakers' shares, with the interval in which the mean of many such speakers would lie, by Student's t."""
    half = stats.t.ppf(0.975, len(shares) - 1) * shares.std() / np.sqrt(len(shares))
    low, high = max(0, shares.mean() - half), min(1, shares.mean() + half)
    value, low, high = (round(float(number), 3) for number in (shares.mean(), low, high))
    return {
        "part": "rehearsal",
        "what": what,
        "value": value,
        "low": low,
        "high": high,
        "clips": len(shares),
    }


@functools.cache
def rehearsed():
    """For each fold its model, and the sounds that it did not hear."""
    found = []
    for fold in range(len(FOLDS)):
        unheard = making.sounds("train", only=making.left_out(fold))
        model = making.train(f"fold-{fold}", None)  # there already
        found.append((listener(model), unheard))
    return found


def rehearsals():
    """What the model does for voices that it has never heard: the rows, and the detector's setting, chosen here."""
    rows, people, answers, spots = [], [], {}, {}
    for fold, (listen, sounds) in enumerate(rehearsed()):
        real = [word for word in sounds.digits if word.group in FOLDS[fold]]
        voices = [word for word in sounds.digits if word.group not in FOLDS[fold]]
        people += [word.group for word in real]
        for name, words in ((REAL, real), (VOICES, voices)):
            probabilities = running(listen, said_at(words))
            for which, choose in READINGS.items():
                answers.setdefault((name, which), []).extend(choose(probabilities) == labels(words))
            probabilities = running(listen, in_noise(words, sounds, 20, seconds=2))
            answers.setdefault((name, IN_TWO_SECONDS), []).extend(
                peak(probabilities) == labels(words)
            )
        random = np.random.default_rng(fold)
        some = [real[number] for number in random.permutation(len(real))[:240]]
        for name, words in (
            ("digits and other words", some + sounds.others[:120]),
            ("other words", sounds.others),
        ):
            recording, said = spliced(words, sounds, 15, seed=fold)
            spots.setdefault(name, []).append((running(listen, [recording])[0], said))
    for (name, which), right in answers.items():
        rows.append(row("rehearsal", f"{name}, {which}", right))
    for which in (*READINGS, IN_TWO_SECONDS):
        rows.append(
            over_people(
                f"{REAL}, {which}, mean and interval of six people",
                pd.Series(answers[REAL, which]).groupby(people).mean(),
            )
        )
    shares = pd.Series(answers[REAL, IN_TWO_SECONDS]).groupby(people).mean()
    rows.append(over_people(TRUSTED, shares[~shares.index.isin(FOLDS[0])]))
    for person in sorted(set(people)):
        rows.append(
            row(
                "rehearsal",
                f"{person}, {IN_TWO_SECONDS}",
                np.array(answers[REAL, IN_TWO_SECONDS])[np.array(people) == person],
            )
        )
    tried = {setting: spotted(spots["digits and other words"], setting) for setting in SETTINGS}
    setting = max(SETTINGS, key=lambda each: tried[each].hits - tried[each].false_alarms)
    for name, value in zip(("threshold", "smooth", "apart"), setting):
        rows.append({"part": "detector", "what": name, "value": value})
    for name, recordings in spots.items():
        rows += counted("rehearsal", f"spliced, {name}", spotted(recordings, setting))
    return rows, setting


# --- the test, once


def tests(listen, setting):
    """The rows of the test clips."""
    sounds, clips, rows = making.sounds("test"), making.every_clip(), []
    for name, source in (
        ("real digits, speakers of the training", SETS[0]),
        ("synthetic voices, new", SETS[1]),
    ):
        these = clips[(clips.side == "test") & (clips["set"] == source)]
        waveforms, wanted = [audio.read(path) for path in these.path], these.number.to_numpy()
        words = [word for word in sounds.digits if word.group in set(these.group)]
        loud, quiet = (
            running(listen, waveforms),
            running(listen, [0.1 * waveform for waveform in waveforms]),
        )
        rows += [
            row("test", f"{name}, {which}", choose(loud) == wanted)
            for which, choose in READINGS.items()
        ]
        rows.append(row("test", f"{name}, 20 dB quieter, {LAST}", last(quiet) == wanted))
        rows.append(row("test", f"{name}, same answer 20 dB quieter", last(quiet) == last(loud)))
        for ratio in RATIOS:
            rows.append(
                row(
                    "test",
                    f"{name}, noise at {ratio} dB, {LAST}",
                    last(running(listen, in_noise(words, sounds, ratio))) == labels(words),
                )
            )
            recordings = in_noise(words, sounds, ratio, seconds=2)
            rows.append(
                row(
                    "test",
                    f"{name}, in 2 s with noise at {ratio} dB, {PEAK}",
                    peak(running(listen, recordings)) == labels(words),
                )
            )
            recording, said = spliced(words, sounds, ratio)
            rows += counted(
                "test",
                f"{name}, spliced, noise at {ratio} dB",
                spotted([(running(listen, [recording])[0], said)], setting),
            )
    recording, said = spliced(sounds.others, sounds, 20)
    rows += counted(
        "test",
        "other words by new voices, noise at 20 dB",
        spotted([(running(listen, [recording])[0], said)], setting),
    )
    for name, paths in test_noises(clips).items():
        rows += counted(
            "test",
            name,
            spotted(in_minutes(listen, [making.noise(path) for path in paths]), setting),
        )
    return rows


def test_noises(clips):
    """Files of noise that were not heard in training, by kind."""
    noises = clips[(clips.side == "test") & (clips.role == "noise")]
    kinds = {f"noise, {name}": noises.path[noises["set"] == name] for name in SETS[2:]}
    return kinds | {"noise, real (ESC-10, every fold)": data.load("esc-10").path}


def in_minutes(listen, noises):
    """Running probabilities over noises one after another, a minute at a time, in which no digit is said."""
    sound = np.concatenate(noises) * decibels(LEVEL)
    nothing = pd.DataFrame({"begin": [], "end": [], "label": []})
    minutes = np.split(sound, range(60 * audio.SAMPLE_RATE, len(sound), 60 * audio.SAMPLE_RATE))
    return [
        (probabilities, nothing)
        for probabilities in running(
            listen, [each for each in minutes if len(each) >= audio.FRAME_LENGTH]
        )
    ]


def as_table(rows):
    """Rows as the card shows them, in Markdown."""
    lines = ["| | value | 95 % interval | of |", "| --- | --- | --- | --- |"]
    for each in rows.itertuples():
        interval = "" if pd.isna(each.low) else f"{each.low:.3f} – {each.high:.3f}"
        number = f"{each.value:.3f}" if interval else f"{each.value:g}"
        lines.append(
            f"| {each.what} | {number} | {interval} | {'' if pd.isna(each.clips) else format(each.clips, ',')} |"
        )
    return "\n".join(lines)


def write_card(table):
    """Put the tables into the card, each between its two marks."""
    card = (HERE / "README.md").read_text(encoding="utf-8")
    for part, rows in table.groupby("part", sort=False):
        before, rest = card.split(f"<!-- {part} -->")
        after = rest.split(f"<!-- end of {part} -->")[1]
        card = f"{before}<!-- {part} -->\n{as_table(rows)}\n<!-- end of {part} -->{after}"
    (HERE / "README.md").write_text(card, encoding="utf-8")


def main():
    rows, setting = rehearsals()
    print(pd.DataFrame(rows).to_string(), flush=True)
    rows += tests(listener(models.ready()[0]), setting)
    table = pd.DataFrame(rows, columns=["part", "what", "value", "low", "high", "clips"]).astype(
        {"clips": "Int64"}
    )
    table.to_csv(HERE / "results.csv", index=False)
    write_card(table)


if __name__ == "__main__":
    main()
