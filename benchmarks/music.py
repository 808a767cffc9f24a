"""Music or speech by folds of whole recordings, and the memory of truncated windows (lesson 13).

    .venv/bin/python -m benchmarks.music              train what is missing, then print the tables
    .venv/bin/python -m benchmarks.music folds        train only the missing pieces of one part:
                                                      folds or memory

What a piece gave is kept as a file in build/music with its date and versions. It stays when code or packages change: delete the folder to begin anew.
With the tables come files for lesson 13, results/music_*.csv.
"""

import contextlib
import itertools
import json
import resource
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.measure import Stopwatch, made, table, when_made
from course_lib import audio, batches, data, evaluation, models, training

HERE = Path(__file__).resolve().parent
PIECES, RESULTS = HERE.parent / "build" / "music", HERE / "results"
SAMPLES = {"frame_length": 512, "frame_step": 320, "n_mels": 16}  # at 8 kHz: 64 ms, 40 ms
BANDS, WINDOW, FOLDS, INNER = SAMPLES["n_mels"], 50, 5, 4  # a window is two seconds
SEEDS, BATCH = (0, 1, 2), 50
RATES, EPOCHS, CENTRED = (0.01, 0.03, 0.1), (12, 24), (False, True)
NETWORKS = ("average", "GRU shuffled", "GRU last state", "GRU mean of states")
LINEAR, STRENGTHS = "linear", np.logspace(-3, 5, 9)  # of scikit-learn's C
DRAWS = 10_000  # of groups of recordings, for an interval

MEMORY_LENGTHS, MEMORY_BATCH, MEMORY_UNITS = (25, 250, 2_500), 32, 64


def main(wanted):
    """Measure what is missing of the parts that are wanted; with none named, all, and print the tables.

    Raises: SystemExit if there is no such part.
    """
    if wanted[:1] == ["peak"]:
        print(peak(int(wanted[1])))
        return
    parts = {"folds": folds, "memory": memory}
    unknown = [name for name in wanted if name not in parts]
    if unknown:
        sys.exit(f"expected parts among {', '.join(parts)}, found {', '.join(unknown)}")
    PIECES.mkdir(parents=True, exist_ok=True)
    with contextlib.redirect_stdout(sys.stderr):
        found = {name: parts[name]() for name in wanted or parts}
    if not wanted:
        print(report(**found))


def piece(name, measure):
    """What a piece gave; it is measured if it is not kept yet."""
    path = PIECES / f"{name}.json"
    if not path.exists():
        watch = Stopwatch()
        found = measure()
        found |= {"made": made(), "seconds": watch.lap()[0]}
        path.write_text(json.dumps(found), encoding="utf-8")
        print(f"{name}: {found['seconds']:.0f} s of CPU", flush=True)
    return json.loads(path.read_text(encoding="utf-8"))


# Music or speech


def folds():
    """Each model on each fold of GTZAN Music/Speech, whole recordings apart, tuned on inner groups."""
    clips = data.load("music-speech-10s")
    waveforms = (audio.read(path) for path in clips["path"])
    clips["frames"] = audio.log_mels(waveforms, **SAMPLES)
    found = []
    for fold, (train, test) in enumerate(outer(clips)):
        sides = clips.iloc[train], clips.iloc[test]
        assert not set(sides[0]["group"]) & set(sides[1]["group"]), "a recording is on both sides"
        for name in (LINEAR, *NETWORKS):
            fit = linear if name == LINEAR else network
            what = f"{name.replace(' ', '-')}-{fold}"
            found.append(piece(what, lambda fit=fit, sides=sides, name=name: fit(name, *sides)))
            found[-1] |= {"model": name, "fold": fold, "groups": sides[1]["group"].tolist()}
    return found


def outer(clips):
    """The folds, each a pair of positions: to learn from, and for the test."""
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    return splitter.split(clips, clips["label"], clips["group"])


def linear(name, train, test):
    """Logistic regression on mean and standard deviation of each band over the whole recording."""
    folds = StratifiedGroupKFold(INNER, shuffle=True, random_state=0)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2_000))
    search = GridSearchCV(model, {"logisticregression__C": STRENGTHS}, cv=folds)
    search.fit(statistics(train), train["label"], groups=train["group"])
    right = search.predict(statistics(test)) == test["label"]
    chosen = {"C": float(search.best_params_["logisticregression__C"])}
    return {"chosen": chosen, "right": [right.astype(int).tolist()]}


def statistics(clips):
    """Mean and standard deviation of each band."""
    return np.stack([np.r_[each.mean(axis=0), each.std(axis=0)] for each in clips["frames"]])


def network(name, train, test):
    """A network on windows of two seconds whose log probabilities vote for the recording.

    The settings are those with the most windows right on an inner fold (a quarter of the training
    groups); then the network learns from all training groups, from each of SEEDS.
    """
    splitter = StratifiedGroupKFold(INNER, shuffle=True, random_state=0)
    learn, watch = next(splitter.split(train, train["label"], train["group"]))
    learn, watch = train.iloc[learn], train.iloc[watch]
    tried = []
    for rate, epochs, centred in itertools.product(RATES, EPOCHS, CENTRED):
        setting = {"rate": rate, "epochs": epochs, "centred": centred}
        answers = next(trained(name, learn, watch, seeds=[0], **setting))
        tried.append(setting | {"windows": float(np.mean(right_windows(answers, watch)))})
    chosen = max(tried, key=lambda each: each["windows"])
    setting = {key: chosen[key] for key in ("rate", "epochs", "centred")}
    answers = list(trained(name, train, test, seeds=SEEDS, **setting))
    truth = test["label"].cat.codes.to_numpy()
    right = [each.sum(axis=1).argmax(axis=1) == truth for each in answers]
    of_windows = [right_windows(each, test).mean(axis=1).tolist() for each in answers]
    right = [each.astype(int).tolist() for each in right]
    return {"chosen": chosen, "tried": tried, "right": right, "windows": of_windows}


def trained(name, train, test, *, seeds, rate, epochs, centred):
    """Log probabilities `[recordings, windows, classes]` of the test, after each training."""
    pieces, labels = cut(train, centred)
    heard, _ = cut(test, centred)
    mixed = name == "GRU shuffled"
    if mixed:
        random = np.random.default_rng(0)
        heard = [random.permutation(frames) for frames in heard]
    augment = (lambda frames, random: random.permutation(frames)) if mixed else None
    learn = batches.bucketed(pieces, labels, batch_size=BATCH, augment=augment)
    falling = keras.optimizers.schedules.CosineDecay(rate, epochs * len(learn))
    setting = {"epochs": epochs, "learning_rate": falling, "seeds": seeds}
    for _, model, _ in training.fit_seeds(build(name), learn, **setting):
        logits = evaluation.predict(model, heard)
        yield tf.nn.log_softmax(logits).numpy().reshape(len(test), -1, logits.shape[1])


def build(name, n_classes=2):
    """One of NETWORKS."""
    if name == "average":
        return models.average(n_classes, n_mels=BANDS)
    if name == "GRU last state":
        return models.gru(n_classes, units=48, n_mels=BANDS)
    clip = keras.Input([None, BANDS])
    frames = keras.layers.Masking(batches.PADDING)(clip)
    frames = keras.layers.Rescaling(1 / 4, 5 / 4)(frames)
    states = keras.layers.GRU(48, return_sequences=True)(frames)
    mean = keras.layers.GlobalAveragePooling1D()(states)
    return keras.Model(clip, keras.layers.Dense(n_classes)(mean), name="gru-mean")


def cut(clips, centred):
    """Windows that follow each other, and the class of each."""
    pieces, labels = [], []
    for clip in clips.assign(code=clips["label"].cat.codes).itertuples():
        for start in range(0, len(clip.frames) - WINDOW + 1, WINDOW):
            window = clip.frames[start : start + WINDOW]
            pieces.append(audio.subtract_mean(window) if centred else window)
            labels.append(clip.code)
    return pieces, np.array(labels)


def right_windows(answers, clips):
    """Whether each window is right: booleans `[recordings, windows]`."""
    return answers.argmax(axis=2) == clips["label"].cat.codes.to_numpy()[:, None]


# Memory of a window


def memory():
    """How much a step of training adds to the most memory that a process ever had."""
    return [
        piece(f"memory-{length}", lambda length=length: measured_peak(length)) | {"window": length}
        for length in MEMORY_LENGTHS
    ]


def measured_peak(length):
    """The megabytes of `peak`, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.music", "peak", str(length)]
    done = subprocess.run(command, cwd=HERE.parent, check=True, stdout=subprocess.PIPE, text=True)
    return {"megabytes": float(done.stdout)}


def peak(length):
    """Megabytes that three steps on windows of `length` frames add to the peak of this process."""
    window, before = keras.Input([None, BANDS]), keras.Input([MEMORY_UNITS])
    states = keras.layers.GRU(MEMORY_UNITS, return_sequences=True)(window, initial_state=before)
    model = keras.Model([window, before], keras.ops.mean(states, axis=1))

    @tf.function(reduce_retracing=True)
    def step(window, before):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model([window, before]) ** 2)
        return tape.gradient(loss, model.trainable_variables)

    def steps(length):
        frames = tf.random.normal([MEMORY_BATCH, length, BANDS])
        for _ in range(3):
            step(frames, tf.zeros([MEMORY_BATCH, MEMORY_UNITS]))
        largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes; on a Mac bytes
        return largest / (2**20 if sys.platform == "darwin" else 2**10)

    small = steps(2)  # TensorFlow itself, and the traced step
    return steps(length) - small


# The tables


def report(folds, memory):
    """The tables in Markdown; and the files for the lesson."""
    lines = [when_made([*folds, *memory], "pieces") + "\n"]
    lines += of_folds(folds) + of_memory(memory)
    return "\n".join(lines)


def of_folds(found):
    """Accuracy over all recordings, seed by seed, with an interval over groups."""
    right, rows, kept = {}, [], []
    for name in (LINEAR, *NETWORKS):
        parts = [each for each in found if each["model"] == name]
        groups = np.concatenate([each["groups"] for each in parts])
        right[name] = np.concatenate([each["right"] for each in parts], axis=1)  # [seeds, clips]
        low, high = over_groups(groups, right[name].mean(axis=0))
        seeds = right[name].mean(axis=1)
        rows.append(
            [name, f"{seeds.mean():.3f}", f"{low:.3f} to {high:.3f}"]
            + [", ".join(f"{each:.3f}" for each in seeds)]
        )
        kept += [
            [name, seed, accuracy, seeds.mean(), low, high] for seed, accuracy in enumerate(seeds)
        ]
    columns = ["model", "seed", "accuracy", "mean", "low", "high"]
    save("folds", kept, columns)
    pairs = []
    best = NETWORKS[-1]
    for one, other in [(best, "GRU shuffled"), (best, "average"), (best, LINEAR)]:
        difference = right[one].mean(axis=0) - right[other].mean(axis=0)
        low, high = over_groups(groups, difference)
        pairs.append([one, other, difference.mean(), low, high])
    save("pairs", pairs, ["model", "other", "difference", "low", "high"])
    count = len(right[best][0]), len(set(groups))
    lines = [f"## Music or speech: {count[0]} recordings of {count[1]} groups, {FOLDS} folds\n"]
    lines += [table(["model", "accuracy", "95 % interval", "each seed"], rows), ""]
    words = [
        [f"{a} minus {b}", f"{d:+.3f}", f"{low:+.3f} to {high:+.3f}"]
        for a, b, d, low, high in pairs
    ]
    lines += [table(["paired difference", "mean of seeds", "95 % interval"], words), ""]
    lines.append(
        f"Windows of two seconds vote; the linear model sees the whole ten seconds. Intervals: whole groups drawn again {DRAWS:,} times, answers averaged over the seeds. "
        f"Rate ({', '.join(map(str, RATES))}), epochs ({', '.join(map(str, EPOCHS))}) and whether each window is centred were chosen on inner groups, for each model and fold alike: {chosen(found)}.\n"
    )
    return lines


def chosen(found):
    """What the inner groups chose, in words."""
    words = []
    for name in NETWORKS:
        each = [part["chosen"] for part in found if part["model"] == name]
        settings = [f"{one['rate']}/{one['epochs']}{'/centred' * one['centred']}" for one in each]
        words.append(f"{name} {', '.join(settings)}")
    return "; ".join(words)


def over_groups(groups, values):
    """The ends of a 95 % interval of the mean of values `[clips]`, groups drawn again."""
    names, of = np.unique(groups, return_inverse=True)
    share = np.full(len(names), 1 / len(names))
    times = np.random.default_rng(0).multinomial(len(names), share, DRAWS)
    drawn = (times @ np.bincount(of, values)) / (times @ np.bincount(of))
    return np.quantile(drawn, [0.025, 0.975])


def of_memory(found):
    """Megabytes of each window."""
    save("memory", [[each["window"], each["megabytes"]] for each in found], ["window", "megabytes"])
    rows = [[f"{each['window']:,}", f"{each['megabytes']:.0f}"] for each in found]
    return [
        "## Memory of a training step\n",
        table(["window (frames)", "megabytes"], rows),
        "",
        f"A GRU of {MEMORY_UNITS} units, {MEMORY_BATCH} sequences: what three steps add to the largest resident size of a process of its own.\n",
    ]


def save(name, rows, columns):
    """Write a file for the lesson."""
    path = RESULTS / f"music_{name}.csv"
    pd.DataFrame(rows, columns=columns).round(4).to_csv(path, index=False)


if __name__ == "__main__":
    main(sys.argv[1:])
