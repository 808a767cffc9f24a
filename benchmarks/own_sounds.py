"""Lesson 16 on folders of 300 clips of 1 to 26 s at 44.1 kHz: what noise costs its file, and what an SVM does.

    .venv/bin/python -m benchmarks.own_sounds                   make a folder out of ESC-10, measure what is missing, then print the tables
    .venv/bin/python -m benchmarks.own_sounds NAME=FOLDER       measure a folder of your own under a name, if it is missing (NAME=FOLDER,PATTERN with groups)
    .venv/bin/python -m benchmarks.own_sounds report            print the tables of what is there, and write the CSV

Each seed is a split of its own (the seed of `folders.halves`) and a training of its own. Model, training and baselines are read from the lesson's source. What a seed gave is kept as a file in build/own_sounds_measured with its date and versions; delete that folder to begin anew.
"""

import ast
import contextlib
import json
import shutil
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import soundfile
from sklearn import base, linear_model, pipeline, preprocessing, svm

from benchmarks.measure import made, table, verdict, when_made
from course_lib import audio, batches, data, models
from course_lib.extra import folders, hearing, litert, rooms, streaming

ROOT = Path(__file__).resolve().parent.parent
LESSON = ROOT / "notebooks" / "src" / "16_your_own_sounds.py"
KEPT = ROOT / "build" / "own_sounds_measured"
CSV = ROOT / "benchmarks" / "results" / "own_sounds.csv"
MADE = "environment"  # the name of the folder that is made here
TITLES = {
    "instruments": "A public folder of 300 instrument clips from Freesound",
    MADE: "A folder made of ESC-10: pieces of one recording, cut and joined",
}
SEEDS = (0, 1, 2)
LEVELS = ("clean", -60, -40)
COSTS = {-60: 0.05, -40: 0.15}  # bars: accuracy that noise may cost, mean of the seeds
SURE = 0.02  # bar: share of the frames of a pause with a class at 0.9 or more
CLIPS, SHORTEST, LONGEST, RATE = 30, 1.0, 26.0, 44_100  # a class; seconds; hertz


def main(arguments):
    """Measure the folders that are named, by default the one made here, and print the tables of all."""
    if arguments != ["report"]:
        named = dict(each.split("=", 1) for each in arguments) or {MADE: None}
        with contextlib.redirect_stdout(sys.stderr):
            for name, where in named.items():
                missing = [seed for seed in SEEDS if not kept(name, seed).exists()]
                for seed in missing:
                    path, _, pattern = where.partition(",") if where else made_folder()
                    keep(name, seed, measured(path, pattern or None, seed))
    print(report())


def made_folder():
    """Make 300 clips of 1 to 26 s out of ESC-10, ten classes: pieces of one recording, cut and joined.

    Returns: its path, a comma, the pattern of its groups, which are the recordings.
    """
    folder = KEPT / "esc-10"
    if not folder.exists():
        random, clips = np.random.default_rng(0), data.load("esc-10")
        unfinished = KEPT / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        for label, of_class in clips.groupby("label", observed=True):
            (unfinished / label).mkdir(parents=True)
            recordings = [part for _, part in of_class.groupby("group")]
            for number in range(CLIPS):
                part = recordings[number % len(recordings)]
                sound = np.concatenate([audio.read(p, sample_rate=RATE) for p in part["path"]])
                length = int(np.clip(random.lognormal(1.4, 0.7), SHORTEST, LONGEST) * RATE)
                start = random.integers(len(sound))
                clip = np.resize(np.roll(sound, -start), length)
                name = f"{part['group'].iloc[0]}_{number:02}.wav"
                soundfile.write(unfinished / label / name, np.clip(clip, -1, 1), RATE)
        unfinished.rename(folder)
    return str(folder), ",", "^(.+)_"


def lesson(**there):
    """The lesson's model, training and baselines, with the values that they need."""
    wanted = {"baseline", "listener", "trained", "network"}
    there |= {"np": np, "keras": keras, "base": base}
    there |= {"pipeline": pipeline, "preprocessing": preprocessing}
    there |= {"batches": batches, "models": models, "rooms": rooms, "hearing": hearing}
    for statement in ast.parse(LESSON.read_text(encoding="utf-8")).body:
        targets = [ast.unparse(each) for each in getattr(statement, "targets", [])]
        if wanted & {getattr(statement, "name", None), *targets}:
            exec(compile(ast.Module([statement], []), LESSON.name, "exec"), there)
    return there


def measured(path, pattern, seed):
    """Split a folder, train on the larger side, export, and ask the file and the baselines in noise.

    Returns: a dict: when it was made, what was heard, and for each model and level whether each answer is right.
    """
    clips, background, _ = folders.usable(measured_clips(path, pattern))
    rate, _ = folders.choose_rate(clips)
    frames = rooms.settings(rate)
    for part in (clips, background):
        waveforms = (rooms.read(path, frames) for path in part["path"])
        part["frames"] = audio.log_mels(waveforms, **frames)
    learn, test, how = folders.halves(clips, seed=seed)
    names = list(clips["label"].cat.categories)
    there = lesson(FRAMES=frames, names=names, background=background, fitted={}, EPOCHS=10)
    begin = time.process_time()
    there["network"]("gru")(learn, seed)
    seconds = time.process_time() - begin
    support = svm.SVC(C=10, class_weight="balanced")
    both = 2 * frames["n_mels"]
    logistic = linear_model.LogisticRegression(class_weight="balanced", max_iter=2_000)
    baselines = {
        "SVM": there["baseline"]("SVM", support),
        "SVM, no noise learned": there["baseline"]("clean", support, copies=0),
        "average": there["baseline"]("average", logistic, lambda c: rooms.statistics(c)[:, :both]),
    }
    answer = {name: fit(learn, seed) for name, fit in baselines.items()}
    edges = {key: frames[key] for key in ("sample_rate", "frame_length", "frame_step")}
    classes = [*names, rooms.NOTHING]
    model, file = there["fitted"]["gru", seed], KEPT / "model.tflite"
    exported = litert.export_with_features(model, file, classes=classes, **edges)
    stream = streaming.Stream(exported.path)
    truth, right = test["label"].cat.codes.to_numpy(), {}
    for level in LEVELS:
        played = [rooms.noisy(rooms.read(p, frames), level) for p in test["path"]]
        heard = hearing.listened(stream, played)
        noisy = test.assign(frames=[audio.log_mel(each, **frames) for each in played])
        told = {f"file, {how}": hearing.vote(heard, how=how) for how in ("mean", "log", "last")}
        told |= {name: each(noisy) for name, each in answer.items()}
        right[str(level)] = {name: (each == truth).tolist() for name, each in told.items()}
    return {
        "made": made(),
        "clips": len(clips),
        "test": len(test),
        "rate": rate,
        "how": how,
        "parameters": model.count_params(),
        "seconds": seconds,
        "pauses": hearing.sure_in_pauses(stream),
        "right": right,
    }


def measured_clips(path, pattern):
    """The clips of a folder, with what `data.measure` tells of them."""
    clips = data.from_folder(path, group=pattern)
    return clips.join(data.measure(clips))


def kept(name, seed):
    """The file of a seed."""
    return KEPT / f"{name}-{seed}.json"


def keep(name, seed, found):
    """Write what a seed gave."""
    KEPT.mkdir(parents=True, exist_ok=True)
    kept(name, seed).write_text(json.dumps(found), encoding="utf-8")
    print(f"{name}, seed {seed}: kept", flush=True)


def report():
    """Write the CSV of what is there, and make the tables.

    Returns: a text in Markdown.
    """
    found = {}
    for file in sorted(KEPT.glob("*-[0-9].json")):
        name, seed = file.stem.rsplit("-", 1)
        found[name, int(seed)] = json.loads(file.read_text(encoding="utf-8"))
    rows = [
        {"folder": name, "seed": seed, "model": model, "noise": level, "accuracy": np.mean(each)}
        for (name, seed), piece in found.items()
        for level, models_ in piece["right"].items()
        for model, each in models_.items()
    ]
    accuracies = pd.DataFrame(rows)
    accuracies.round(4).to_csv(CSV, index=False)
    text = when_made([*found.values()], "trainings")
    for name in accuracies["folder"].unique():
        text += "\n\n" + of_folder(name, accuracies[accuracies["folder"] == name], found)
    return text


def of_folder(name, rows, found):
    """The table of one folder, and its bars."""
    pieces = [piece for (other, _), piece in found.items() if other == name]
    lines, mean = [], rows.groupby(["model", "noise"])["accuracy"].mean()
    for model in rows["model"].unique():
        line = [model]
        for level in map(str, LEVELS):
            here = rows[(rows["model"] == model) & (rows["noise"] == level)]["accuracy"]
            line.append(f"{here.mean():.3f} ({', '.join(f'{each:.3f}' for each in here)})")
        line += [f"{mean[model, 'clean'] - mean[model, str(level)]:+.3f}" for level in COSTS]
        lines.append(line)
    header = ["model", "clean", "−60 dBFS", "−40 dBFS", "cost at −60", "cost at −40"]
    bars = []
    for how in ("mean", "log"):
        for level, bar in COSTS.items():
            cost = mean[f"file, {how}", "clean"] - mean[f"file, {how}", str(level)]
            bars.append(
                f"{how}, {level} dBFS {cost:.3f} (bar {bar}: {verdict(cost, bar, at_most=True)})"
            )
    sure = {key: np.mean([piece["pauses"][key] for piece in pieces]) for key in pieces[0]["pauses"]}
    most = max(sure.values())
    one = pieces[0]
    seconds = np.mean([piece["seconds"] for piece in pieces])
    what = TITLES.get(name, name)
    return f"""## {what}

{one["clips"]} clips, {one["test"]} of them the test, {one["rate"]:,} Hz, split {one["how"]}; {one["parameters"]:,} parameters, {seconds:.0f} CPU seconds a training of the GRU.

{table(header, lines)}

Accuracy on test clips, mean of {len(pieces)} splits and trainings, each in parentheses. The file answers by the mean probability over the frames, the mean log probability, or the last frame, without "nothing". What noise costs the file: {"; ".join(bars)}. Sure of a class (0.9 or more) in pauses: {", ".join(f"{key} {share:.1%}" for key, share in sure.items())} (bar {SURE:.0%}: {verdict(most, SURE, at_most=True)})."""


if __name__ == "__main__":
    main(sys.argv[1:])
