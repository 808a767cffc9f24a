"""How often the digits of a speaker who was never heard are recognised, and what earns it.

    .venv/bin/python -m benchmarks.voices             train what is missing, print the tables
    .venv/bin/python -m benchmarks.voices --missing   list the pieces that are missing
    .venv/bin/python -m benchmarks.voices george      train the missing pieces whose names hold
                                                      "george" (or "recipe", "rung3", …)

Each piece is one training, kept as a small file in build/voices with its date and versions. It
stays when code or packages change: delete the folder to begin anew. With the tables come CSV
files for lesson 11, results/voices_*.csv.
"""

import contextlib
import functools
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.measure import Stopwatch, made, table, verdict, when_made
from course_lib import audio, batches, data, evaluation, models, training
from course_lib.extra import augmentation

HERE = Path(__file__).resolve().parent
PIECES = HERE.parent / "build" / "voices"
RESULTS = HERE / "results"
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
FRAME_STEP = 160  # samples: a frame every 20 ms
SEEDS, RUNG_SEEDS = (0,), (0, 1)  # of the ladder more, since its steps are small
MEAN_BAR, WORST_BAR, OFFICIAL_BAR, UNHEARD_BAR, HALF_BAR = 0.90, 0.85, 0.985, 0.85, 0.90
BATCH_SIZE, N_LENGTHS = 64, 4
SPEEDS = (0.82, 0.9, 1.0, 1.1, 1.22)
ENDS = 15  # frames: so much background, or less, at each end of a clip in training
REPEATS = (
    3  # times a clip of many-voices counts: one of its speakers has two clips, one of fsdd 500
)
LEARNING_RATE, LEAST_RATE, WARM_UP = 6e-3, 0.01, 40  # the peak; a share of it; batches
RECIPE_UPDATES, RUNG_UPDATES, LONG_UPDATES = 2_000, 300, 1_500  # batches, about
BUDGETS = {"short": RUNG_UPDATES, "long": LONG_UPDATES}
WORDS = ("yes", "up", "down", "left", "right", "go")  # that many speakers say
COUNTS, CLIPS, DRAWS, WORD_EPOCHS = (5, 10, 20, 40, 60, 120), 120, 6, 40


class Rung(NamedTuple):
    """One way to train: what is done to a clip, which clips there are, and the model."""

    name: str
    centre: Callable | None = None  # frames → frames, of all clips
    trimmed: bool = False
    ends: bool = False  # whether training clips begin and end with some background
    changes: tuple = ()  # functions (frames, random) → frames, of training clips, before `centre`
    masks: tuple = ()  # the same, after it
    speeds: tuple = (1.0,)  # copies of the training clips
    synthetic: bool = False  # whether the embedded voices are training clips as well
    real: bool = False  # whether the training and validation speakers of many-voices are, too
    builder: Callable = partial(models.gru, units=64)


def ladder():
    """The rungs in their order, one change each.

    Returns: a list of Rungs.
    """
    noise = partial(augmentation.hiss, decibels=(0, 40), share=0.8)
    tract = partial(augmentation.warp, furthest=1.16)
    steps = [
        ("one mean a clip", {"centre": subtract_one_mean}),
        ("a mean per band instead", {"centre": audio.subtract_mean}),
        ("+ trimmed", {"trimmed": True}),
        ("+ both directions", {"builder": models.bidirectional}),
        ("+ attention", {"builder": models.attention}),
        ("+ background at the ends", {"ends": True}),
        ("+ noise", {"changes": (noise,)}),
        ("+ vocal tract", {"changes": (tract, noise)}),
        ("+ five speeds", {"speeds": SPEEDS}),
        ("+ synthetic voices", {"synthetic": True}),
        ("+ real voices", {"real": True}),
        ("+ convolutions", {"builder": partial(models.crnn, filters=(24, 48))}),
    ]
    rungs = [Rung("GRU, as recorded")]
    for name, change in steps:
        rungs.append(rungs[-1]._replace(name=name, **change))
    return rungs


def recipe():
    """The last rung with lighter changes, chosen on takes 5 to 9 and on synthetic test voices.

    Returns: a Rung.
    """
    tract = partial(augmentation.warp, furthest=1.1)
    crnn = partial(models.crnn, filters=(24, 48), dropout=0.15)
    return ladder()[-1]._replace(changes=(tract,), speeds=(0.9, 1.0, 1.1), builder=crnn)


def arms():
    """Attention without changed copies, with few of them, and with as many as an earlier edition.

    Returns: a dict from a name without spaces to a Rung.
    """
    by_name = {rung.name: rung for rung in ladder()}
    none = by_name["+ attention"]
    tract = partial(augmentation.warp, furthest=1.16)
    noise = partial(augmentation.hiss, decibels=(0, 30))
    masks = partial(augmentation.mask_bands, widest=8), partial(augmentation.mask_frames, widest=5)
    heavy = none._replace(changes=(tract, noise), masks=masks, speeds=SPEEDS)
    return {"none": none, "light": by_name["+ noise"], "heavy": heavy}


def subtract_one_mean(frames):
    """Shift a clip to a mean of TYPICAL_LOG_MEL, all bands alike.

    Returns: float32 `[frames, N_MELS]`.
    """
    return frames - frames.mean() + np.float32(audio.TYPICAL_LOG_MEL)


def main(wanted):
    """Train the missing pieces that are wanted; with none named, all, and print the tables.

    Raises: SystemExit if a word is in the name of no piece.
    """
    if wanted == ["--missing"]:
        print("\n".join(missing()))
        return
    unknown = [word for word in wanted if not any(word in piece for piece in pieces())]
    if unknown:
        examples = f"{pieces()[0]} or {pieces()[-1]}"
        sys.exit(
            f"expected words from the names of pieces, such as {examples}, "
            f"found {', '.join(unknown)}"
        )
    with contextlib.redirect_stdout(sys.stderr):
        for piece in missing():
            if not wanted or any(word in piece for word in wanted):
                run(piece)
    if not wanted:
        print(report())


def pieces():
    """The names of all trainings.

    Returns: a list of texts: what is trained, who is left out (or how many speakers there are),
        and the seed; such as "recipe-george-0", "rung3-theo-1" or "speakers-20-4".
    """
    names = [f"speakers-{count}-{draw}" for count in COUNTS for draw in range(DRAWS)]
    for seed in SEEDS:
        names += [f"{kind}-all-{seed}" for kind in ("unheard", "half1", "half2", "official")]
        names += [f"recipe-{speaker}-{seed}" for speaker in SPEAKERS]
        names += [f"{budget}_{arm}-all-{seed}" for budget in BUDGETS for arm in arms()]
    for seed in RUNG_SEEDS:
        for rung in range(len(ladder())):
            names += [f"rung{rung}-{speaker}-{seed}" for speaker in SPEAKERS]
    return names


def missing():
    """The names of the trainings that have left no file yet.

    Returns: a list of texts.
    """
    return [piece for piece in pieces() if not (PIECES / f"{piece}.json").exists()]


@functools.cache
def digits():
    """The digits of three sets, with a column of log-mel frames for each of SPEEDS.

    Returns: a DataFrame; its column `set` has the name of the set.
    """
    sets = ("fsdd", "spoken-digits", "many-voices")
    clips = pd.concat([data.load(name).assign(set=name) for name in sets], ignore_index=True)
    clips["label"] = pd.Categorical(clips["label"])
    waveforms = [audio.read(path) for path in clips["path"]]
    for factor in SPEEDS:
        faster = [augmentation.speed(waveform, factor) for waveform in waveforms]
        clips[factor] = audio.log_mels(faster, frame_step=FRAME_STEP)
    return clips


@functools.cache
def words():
    """The clips of WORDS in the subset of Speech Commands, trimmed and centred.

    Returns: a DataFrame.
    """
    clips = data.load("commands")
    clips["word"] = [path.parent.name for path in clips["path"]]
    clips = clips[clips["word"].isin(WORDS)].reset_index(drop=True)
    clips["label"] = pd.Categorical(clips["word"], WORDS)
    frames = audio.log_mels([audio.read(path) for path in clips["path"]], frame_step=FRAME_STEP)
    clips["frames"] = [audio.subtract_mean(audio.trim_silence(clip)) for clip in frames]
    return clips


def run(piece):
    """Train and test one piece, and keep what came out."""
    kind, which, seed = piece.split("-")
    if kind == "speakers":
        found = few_speakers(int(which), int(seed))
    else:
        found = of_digits(kind, which, int(seed))
    PIECES.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"made": made(), **found})
    (PIECES / f"{piece}.json").write_text(text, encoding="utf-8")
    print(f"{piece}: {found['accuracy']:.3f}, {found['cpu']:.0f} CPU s", flush=True)


def of_digits(kind, which, seed):
    """Train on digits, test on those that the piece leaves out and on the 228 voices.

    Returns: a dict; "voices" has 1 or 0 for each clip of many-voices, right or wrong.
    """
    clips, updates, rung = digits(), RUNG_UPDATES, recipe()
    sets, speakers = clips["set"], clips["group"]
    many = (sets == "many-voices").to_numpy()
    if kind.startswith("rung"):
        rung = ladder()[int(kind.removeprefix("rung"))]
    elif "_" in kind:
        budget, arm = kind.split("_")
        rung, updates = arms()[arm], BUDGETS[budget]
    else:
        updates = RECIPE_UPDATES
    own = (sets == "fsdd").to_numpy()
    real = many & (clips["split"] != "test").to_numpy() if rung.real else np.zeros(len(clips), bool)
    if kind == "official":
        test = own & (clips["split"] == "test").to_numpy()
    elif which in SPEAKERS:
        test = own & (speakers == which).to_numpy()
    elif kind == "unheard" or "_" in kind:
        test, real = many, np.zeros(len(clips), bool)
    else:
        first = many & speakers.isin(first_half(speakers[many].unique())).to_numpy()
        real = first if kind == "half1" else many & ~first
        test = many & ~real
    learn = (own & ~test) | real
    if rung.synthetic:
        learn |= (sets == "spoken-digits").to_numpy()
    repeated = np.repeat(np.flatnonzero(learn), np.where(real[learn], REPEATS, 1))
    model, cpu, wall = trained(rung, clips.iloc[repeated], updates=updates, seed=seed)
    right = answered(model, rung, clips[test])
    return {
        "accuracy": float(right.mean()),
        "clips": len(right),
        "groups": {
            group: row.accuracy
            for group, row in evaluation.by_group(speakers[test], right).iterrows()
        },
        "voices": answered(model, rung, clips[many]).astype(int).tolist(),
        "cpu": cpu,
        "wall": wall,
        "parameters": model.count_params(),
        "train": int(learn.sum()),
    }


def first_half(speakers):
    """Half of the speakers, drawn at random.

    Returns: an array of names.
    """
    return np.random.default_rng(0).permutation(np.sort(speakers))[: len(speakers) // 2]


def trained(rung, clips, *, updates, seed):
    """Train as a rung says.

    Returns: the model, and its CPU seconds and wall seconds, which leave out the log-mel frames.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    frames = [clip for factor in rung.speeds for clip in clips[factor]]
    if rung.trimmed:
        frames = [audio.trim_silence(clip) for clip in frames]
    if rung.ends:
        frames = [with_ends(clip, random) for clip in frames]
    changes = [cut_ends] if rung.ends else []
    changes += rung.changes
    if rung.centre is not None:
        changes.append(lambda clip, _: rung.centre(clip))
    augment = augmentation.chain(*changes, *rung.masks)
    labels = np.tile(clips["label"].cat.codes, len(rung.speeds))
    options = {"batch_size": BATCH_SIZE, "n_lengths": N_LENGTHS, "seed": seed}
    batched = batches.bucketed(frames, labels, augment=augment, **options)
    model, watch = rung.builder(clips["label"].cat.categories.size), Stopwatch()
    epoch = len(batched)
    if updates < epoch:  # less than one epoch of all copies
        batched, epoch = batched.take(updates), updates
    epochs = round(updates / epoch)
    training.fit(model, batched, epochs=epochs, learning_rate=rate(epochs * epoch))
    return model, *watch.lap()


def with_ends(frames, random):
    """Put background before and after a clip: ENDS frames each, drawn from its quietest ones.

    Returns: float32 `[frames + 2 * ENDS, N_MELS]`.
    """
    quietest = np.argsort(np.exp(frames).sum(axis=1))[: max(2, len(frames) // 8)]
    pieces = []
    for _ in range(2):
        drawn = frames[random.choice(quietest, ENDS)] - random.uniform(0, 4)
        pieces.append(drawn + random.normal(0, 0.5, drawn.shape))
    return np.concatenate([pieces[0], frames, pieces[1]]).astype(np.float32)


def cut_ends(frames, random):
    """Leave a random length of what `with_ends` has added at each end.

    Returns: float32 `[frames, N_MELS]`.
    """
    before, after = random.integers(ENDS + 1, size=2)
    return frames[before : len(frames) - after]


def rate(updates):
    """A learning rate that rises for WARM_UP batches and then falls along a cosine.

    Returns: a Keras schedule.
    """
    options = {"warmup_target": LEARNING_RATE, "warmup_steps": WARM_UP, "alpha": LEAST_RATE}
    return keras.optimizers.schedules.CosineDecay(LEARNING_RATE / 10, updates - WARM_UP, **options)


def answered(model, rung, clips):
    """Whether the model is right about each clip.

    Returns: bool `[clips]`.
    """
    frames = list(clips[1.0])
    if rung.trimmed:
        frames = [audio.trim_silence(clip) for clip in frames]
    if rung.centre is not None:
        frames = [rung.centre(clip) for clip in frames]
    return evaluation.predict(model, frames).argmax(axis=1) == clips["label"].cat.codes.to_numpy()


def few_speakers(count, draw):
    """Train attention on CLIPS clips of WORDS by `count` speakers.

    Returns: a dict; the accuracy is the mean over all validation and test speakers.
    """
    clips = words()
    learn, test = (
        drawn(clips[clips["split"] == "train"], count, draw),
        clips[clips.split != "train"],
    )
    keras.backend.clear_session()
    keras.utils.set_random_seed(draw)
    batched = batches.bucketed(learn["frames"], learn["label"], batch_size=40, n_lengths=1)
    falling = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, WORD_EPOCHS * len(batched))
    model, watch = models.attention(len(WORDS)), Stopwatch()
    training.fit(model, batched, epochs=WORD_EPOCHS, learning_rate=falling)
    cpu, wall = watch.lap()
    answers = evaluation.predict(model, list(test["frames"])).argmax(axis=1)
    of_speakers = evaluation.by_group(test["group"], answers == test["label"].cat.codes)
    return {
        "accuracy": float(of_speakers["accuracy"].mean()),
        "groups": of_speakers["accuracy"].to_dict(),
        "cpu": cpu,
        "wall": wall,
    }


def drawn(clips, count, seed):
    """Draw speakers who have enough clips, and as many clips of each, the words evenly.

    Returns: CLIPS rows of the DataFrame.
    """
    random, each = np.random.default_rng([count, seed]), CLIPS // count
    counts = clips["group"].value_counts()
    speakers = random.choice(sorted(counts.index[counts >= each]), count, replace=False)
    piles = {speaker: clips[clips["group"] == speaker] for speaker in speakers}
    taken, of_word = [], dict.fromkeys(WORDS, 0)
    for _ in range(each):
        for speaker in speakers:
            left = piles[speaker].drop(taken, errors="ignore").sample(frac=1, random_state=random)
            rarest = left["label"].map(of_word).astype(int).idxmin()
            of_word[clips["label"][rarest]] += 1
            taken.append(rarest)
    return clips.loc[taken]


def report():
    """When the pieces were made, and the tables; it writes the CSV files as well.

    Returns: a text in Markdown.
    """
    found = {
        piece: json.loads((PIECES / f"{piece}.json").read_text(encoding="utf-8"))
        for piece in pieces()
        if (PIECES / f"{piece}.json").exists()
    }
    with contextlib.redirect_stdout(sys.stderr):
        clips = data.load("many-voices")
    _summarise(found, clips)
    parts = [_recipe(found), _many(found, clips), _ladder(found, clips), _arms(found, clips)]
    return "\n\n".join([when_made(list(found.values()), "trainings"), *parts, _few(found)])


def _keep(name, columns, rows):
    """Write a table that lesson 11 reads."""
    path = RESULTS / f"voices_{name}.csv"
    pd.DataFrame(rows, columns=columns).round(4).to_csv(path, index=False)


def _seeds(found, name):
    """What the seeds of one training found, in a list."""
    return [found[f"{name}-{seed}"] for seed in RUNG_SEEDS if f"{name}-{seed}" in found]


def _accuracies(found, kind):
    """The accuracy on each of SPEAKERS, left out, mean over the seeds: float `[speakers]`."""
    runs = [_seeds(found, f"{kind}-{speaker}") for speaker in SPEAKERS]
    return np.array([np.mean([run["accuracy"] for run in each]) for each in runs])


def _on_voices(found, kind, chosen):
    """The accuracy on the chosen clips of many-voices, mean over all trainings of a kind."""
    runs = [run for speaker in SPEAKERS for run in _seeds(found, f"{kind}-{speaker}")]
    return np.mean([np.array(run["voices"])[chosen].mean() for run in runs])


def _mean_and_interval(values):
    """A mean and its 95 % interval by Student's t, in words."""
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return (
        f"{np.mean(values):+.3f} ({np.mean(values) - half:+.3f} to {np.mean(values) + half:+.3f})"
    )


def over_speakers(right, speakers):
    """The accuracy on clips, and its 95 % interval by drawing whole speakers again, 2,000 times.

    Returns: three floats.
    """
    codes, names = pd.factorize(speakers)
    clips, hits = np.bincount(codes), np.bincount(codes, right)
    again = np.random.default_rng(0).integers(len(names), size=[2_000, len(names)])
    shares = hits[again].sum(axis=1) / clips[again].sum(axis=1)
    return float(np.mean(right)), *np.quantile(shares, [0.025, 0.975])


def _recipe(found):
    """The recipe's accuracy for each speaker left out and on the official split, and its price."""
    rows = []
    for name in (*[f"recipe-{speaker}" for speaker in SPEAKERS], "official-all"):
        runs = _seeds(found, name)
        shares = [run["accuracy"] for run in runs]
        kind, who = name.split("-")
        row = ["official split" if kind == "official" else f"{who} left out"]
        row += [", ".join(f"{share:.3f}" for share in shares), f"{np.mean(shares):.3f}"]
        rows.append([*row, str(runs[0]["clips"]), f"{max(run['cpu'] for run in runs):.0f}"])
    means, official = _accuracies(found, "recipe"), float(rows[-1][2])
    rows.insert(len(SPEAKERS), ["mean of the six", "", f"{means.mean():.3f}", "", ""])
    worst = means.argmin()
    header = ["left out", "seeds", "mean", "test clips", "CPU s"]
    return (
        f"## Speakers never heard: the recipe\n\n{table(header, rows)}\n\n"
        f"Mean of the six {means.mean():.3f} (bar {MEAN_BAR}: {verdict(means.mean(), MEAN_BAR)}); "
        f"worst {SPEAKERS[worst]}, {means[worst]:.3f} (bar {WORST_BAR}: "
        f"{verdict(means[worst], WORST_BAR)}); official split {official:.3f} (bar {OFFICIAL_BAR}: "
        f"{verdict(official, OFFICIAL_BAR)}). About {RECIPE_UPDATES:,} batches of {BATCH_SIZE} "
        "clips. The other five speakers, all synthetic voices, and the training and validation "
        "speakers of the 228 are in the training. The changes are lighter than on the ladder: "
        "background at the ends, a vocal tract within 10 %, three speeds, no noise. They were "
        "chosen on takes 5 to 9 of the six and on the synthetic test voices, which were left out "
        "for that. Looks at the tests before this choice: a first version without speeds on two "
        "of the six (george 0.850, nicolas 0.746), and the ladder's heavier changes in 1,300 "
        "batches on the official split (0.943) and on the voices (0.920; halves 0.917 and 0.927). "
        "An earlier edition, with frames every 10 ms, four CPU minutes a training and no real "
        "voices, had 0.890 in the mean of the six, 0.836 for nicolas, and 0.983 in the official "
        "split; which of the changes since costs what was not measured."
    )


def _summarise(found, clips):
    """Keep what the recipe reaches beside what was asked for."""
    first = np.isin(clips["group"], first_half(clips["group"].unique()))
    means = _accuracies(found, "recipe")
    official = np.mean([run["accuracy"] for run in _seeds(found, "official-all")])
    tests = {"unheard": np.full(len(clips), True), "half1": ~first, "half2": first}
    voices = [
        np.mean([run["voices"] for run in _seeds(found, f"{kind}-all")], axis=0)[chosen].mean()
        for kind, chosen in tests.items()
    ]
    rows = [
        ("six left out, mean", MEAN_BAR, means.mean()),
        (f"six left out, worst: {SPEAKERS[means.argmin()]}", WORST_BAR, means.min()),
        ("official test", OFFICIAL_BAR, official),
        ("228 voices, none in training", UNHEARD_BAR, voices[0]),
        ("114 voices, the other 114 in training", HALF_BAR, voices[1]),
        ("the other way round", HALF_BAR, voices[2]),
    ]
    _keep("recipe", ["test", "asked for", "accuracy"], rows)


def _many(found, clips):
    """The recipe for the 228 voices: with none of them in the training, and with half of them."""
    speakers = clips["group"].to_numpy()
    first = np.isin(speakers, first_half(clips["group"].unique()))
    looked_at = (clips["split"] == "train").to_numpy()
    everybody = np.full(len(clips), True)
    tests = [
        ("none of the 228 in training: all 228", "unheard", everybody),
        ("of these, those on whom nothing was tried first", "unheard", ~looked_at),
        ("first half in training, second half tested", "half1", ~first),
        ("second half in training, first half tested", "half2", first),
    ]
    rows, means = [], []
    for name, kind, chosen in tests:
        right = np.array([run["voices"] for run in _seeds(found, f"{kind}-all")])[:, chosen]
        mean, low, high = over_speakers(right.mean(axis=0), speakers[chosen])
        shares = ", ".join(f"{share:.3f}" for share in right.mean(axis=1))
        counts = [str(len(set(speakers[chosen]))), str(chosen.sum())]
        rows.append([name, *counts, shares, f"{mean:.3f}", f"{low:.3f} to {high:.3f}"])
        means.append(mean)
    header = ["test", "speakers", "clips", "seeds", "mean", "95 % interval over speakers"]
    return (
        f"## Digits by 228 speakers\n\n{table(header, rows)}\n\n"
        f"Unheard speakers {means[0]:.3f} (bar {UNHEARD_BAR}: {verdict(means[0], UNHEARD_BAR)}); "
        f"halves {means[2]:.3f} and {means[3]:.3f} (bar {HALF_BAR}: "
        f"{verdict(min(means[2:]), HALF_BAR)}). The six speakers of fsdd and all synthetic voices "
        "are in each training. That background at the ends and noise help was found on the clips "
        "of the 148 training speakers, with none of the 228 in the training. The halves are made "
        "of all sides of the subset, its test speakers among them: no other training here has "
        "those."
    )


def _ladder(found, clips):
    """Each rung's accuracy for each speaker left out, what it gains, and its CSV file."""
    unheard, everybody = (clips["split"] == "test").to_numpy(), np.full(len(clips), True)
    rows, listed, before = [], [], None
    for number, rung in enumerate(ladder()):
        kind = f"rung{number}"
        shares = _accuracies(found, kind)
        gain = "" if before is None else _mean_and_interval(shares - before)
        voices = [_on_voices(found, kind, unheard), _on_voices(found, kind, everybody)]
        runs = [run for speaker in SPEAKERS for run in _seeds(found, f"{kind}-{speaker}")]
        row = [rung.name, *[f"{share:.3f}" for share in (*shares, shares.mean())], gain]
        row += [f"{voices[0]:.3f}", "" if rung.real else f"{voices[1]:.3f}"]
        rows.append([*row, f"{np.mean([run['cpu'] for run in runs]):.0f}"])
        tested = dict(zip(SPEAKERS, shares, strict=True)) | {"43 voices": voices[0]}
        tested |= {} if rung.real else {"228 voices": voices[1]}
        listed += [(number, rung.name, test, round(share, 4)) for test, share in tested.items()]
        before = shares
    _keep("ladder", ["rung", "name", "test", "accuracy"], listed)
    header = ["rung", *SPEAKERS, "mean", "gain (95 % interval over the six)"]
    header += ["43 test voices", "228 voices", "CPU s"]
    seeds = len(_seeds(found, f"rung0-{SPEAKERS[0]}"))
    return (
        f"## Speakers never heard: the ladder\n\n{table(header, rows)}\n\n"
        f"One change a rung; each of the six left out in turn; seeds: {seeds}; about "
        f"{RUNG_UPDATES} batches of {BATCH_SIZE} clips each, fewer than the recipe's "
        f"{RECIPE_UPDATES:,}. The columns of voices are means over the same trainings."
    )


def _arms(found, clips):
    """What changed copies are worth, in a short training and in one of five times the length."""
    rows, listed = [], []
    speakers = clips["group"].to_numpy()
    for budget, updates in BUDGETS.items():
        of_arms = {}
        for arm in arms():
            runs = _seeds(found, f"{budget}_{arm}-all")
            right = np.mean([run["voices"] for run in runs], axis=0)
            of_arms[arm] = pd.Series(right).groupby(speakers).mean()
            gain = "" if arm == "none" else _mean_and_interval(of_arms[arm] - of_arms["none"])
            shares = ", ".join(f"{run['accuracy']:.3f}" for run in runs)
            rows.append([f"{updates:,} batches, {arm}", shares, f"{right.mean():.3f}", gain])
            listed.append((updates, arm, right.mean()))
    _keep("copies", ["batches", "copies", "accuracy"], listed)
    header = ["attention, fsdd alone", "seeds", "228 voices"]
    header += ["against none (mean and 95 % interval over the speakers)"]
    return (
        f"## Changed copies, and the length of the training\n\n{table(header, rows)}\n\n"
        "All six speakers are in the training, and the 228 voices are the test. Light: background "
        "at the ends, noise. Heavy, as in an earlier edition: five speeds, vocal tract, noise, "
        "masks. One seed."
    )


def _few(found):
    """The accuracy by the number of training speakers, and its CSV file."""
    rows, listed, of_speakers = [], [], {}
    for count in COUNTS:
        runs = [found[f"speakers-{count}-{draw}"] for draw in range(DRAWS)]
        shares = [run["accuracy"] for run in runs]
        listed += [(count, draw, round(share, 4)) for draw, share in enumerate(shares)]
        of_speakers[count] = pd.DataFrame([run["groups"] for run in runs]).mean()
        half = stats.t.ppf(0.975, DRAWS - 1) * stats.sem(shares)
        each = f"{CLIPS // count}"
        row = [str(count), each, f"{np.mean(shares):.3f}", f"± {half:.3f}"]
        against = of_speakers[count] - of_speakers[COUNTS[0]]
        rows.append([*row, "" if count == COUNTS[0] else _mean_and_interval(against)])
    _keep("speakers", ["speakers", "draw", "accuracy"], listed)
    header = ["training speakers", "clips of each", "accuracy", "95 % over draws"]
    header += [f"against {COUNTS[0]} speakers (95 % interval over test speakers)"]
    return (
        f"## {CLIPS} clips, by few speakers or by many\n\n{table(header, rows)}\n\n"
        f"Six words of Speech Commands; {CLIPS} clips in each training, the words evenly; "
        f"{DRAWS} draws of speakers; the accuracy is the mean over {len(against)} validation and "
        "test speakers, for whom nothing was tuned here."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
