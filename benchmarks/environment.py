"""The recipe of lesson 14 on the five folds of ESC-10.

    .venv/bin/python -m benchmarks.environment          train what is missing, then print the tables
    .venv/bin/python -m benchmarks.environment 1 3      train these folds, if they are missing

What a fold gave is kept as a file in build/environment with its date and versions. It stays when code or packages change: delete the folder to begin anew.
"""

import ast
import contextlib
import json
import sys
from pathlib import Path

import keras
import numpy as np

from benchmarks.measure import Stopwatch, made, table, verdict, when_made
from course_lib import audio, batches, data, evaluation, models, training
from course_lib.extra import augmentation

ROOT = Path(__file__).resolve().parent.parent
LESSON = ROOT / "notebooks" / "src" / "14_environmental_sound.py"
KEPT = ROOT / "build" / "environment"
FOLDS = ("1", "2", "3", "4", "5")
DEVELOPMENT = ("1", "2")  # the folds on which the recipe was made
BAR, SECONDS = (
    0.88,
    180,
)  # mean accuracy over the folds; wall seconds of training a fold, the whole committee, on two cores
SEED = 0
RECIPE = (
    "RATE",
    "STEP",
    "FRAMES",
    "SILENCE",
    "prepared",
    "augmented",
    "EPOCHS",
    "MEMBERS",
    "PEAK_RATE",
    "ALPHA",
    "trained_crnn",
)
BASELINES = {"average": {"epochs": 20, "learning_rate": 0.03}, "gru": {"epochs": 12}}
DRAWS = 10_000  # of recordings, for an interval


def main(wanted):
    """Measure the folds that are wanted and missing; with none named, all, and print the tables, alone on the standard output.

    Raises: SystemExit if there is no such fold.
    """
    unknown = [fold for fold in wanted if fold not in FOLDS]
    if unknown:
        sys.exit(f"expected folds among {', '.join(FOLDS)}, found {', '.join(unknown)}")
    missing = [fold for fold in wanted or FOLDS if not kept(fold).exists()]
    if missing:
        with contextlib.redirect_stdout(sys.stderr):
            recipe = from_lesson(*RECIPE)
            clips = data.load("esc-10")
            clips["frames"] = list(recipe["prepared"](clips["path"]))
            for fold in missing:
                keep(fold, measured(clips, fold, recipe))
    if not wanted:
        print(report([json.loads(kept(fold).read_text(encoding="utf-8")) for fold in FOLDS]))


def from_lesson(*names):
    """Functions and constants as lesson 14 has them, so that the figures are those of the code that a learner sees.

    Returns: a dict from name to value. Raises: KeyError if the lesson has no such name.
    """
    there = {
        "np": np,
        "keras": keras,
        "audio": audio,
        "augmentation": augmentation,
        "batches": batches,
        "models": models,
        "training": training,
    }
    for statement in ast.parse(LESSON.read_text(encoding="utf-8")).body:
        if defined_by(statement) & set(names):
            exec(compile(ast.Module([statement], []), LESSON.name, "exec"), there)
    return {name: there[name] for name in names}


def defined_by(statement):
    """The names that a statement at the top of a program gives a value to."""
    if isinstance(statement, ast.Assign):
        return {
            part.id
            for target in statement.targets
            for part in ast.walk(target)
            if isinstance(part, ast.Name)
        }
    return {statement.name} if isinstance(statement, ast.FunctionDef) else set()


def measured(clips, fold, recipe):
    """Train the CRNN and the two baselines without a fold, and answer its clips.

    Returns: a dict: when it was made, the fold, the recording of each clip, for each model (and each member of the CRNN's committee) whether each answer
    is right, and the (CPU, wall) seconds of training.
    """
    train, test = clips[clips["split"] != fold], clips[clips["split"] == fold]
    assert not set(train["group"]) & set(test["group"]), "a recording is on both sides"
    trainers = {name: lambda name=name: [baseline(name, train)] for name in BASELINES}
    trainers["crnn"] = lambda: [
        recipe["trained_crnn"](train, seed=seed) for seed in range(recipe["MEMBERS"])
    ]
    found = {
        "made": made(),
        "fold": fold,
        "recordings": list(test["group"]),
        "epochs": recipe["EPOCHS"],
        "correct": {},
        "seconds": {},
    }
    for name, trainer in trainers.items():
        keras.backend.clear_session()
        watch = Stopwatch()
        trained = trainer()
        found["seconds"][name] = watch.lap()
        logits = [evaluation.predict(model, test["frames"]) for model in trained]
        found["correct"][name] = right(np.mean(logits, axis=0), test["label"])
    return found | {"members": [right(each, test["label"]) for each in logits]}


def right(logits, labels):
    """Whether each answer is right.

    Returns: a list of 0 and 1.
    """
    return (logits.argmax(axis=1) == labels.cat.codes).astype(int).tolist()


def baseline(name, train):
    """A model without convolutions, trained as in the lesson on clips as they are.

    Returns: the model.
    """
    keras.utils.set_random_seed(SEED)
    model = models.BUILDERS[name](
        train["label"].cat.categories.size, n_mels=train["frames"].iloc[0].shape[1]
    )
    training.fit(
        model,
        batches.bucketed(train["frames"], train["label"], n_lengths=3, seed=SEED),
        **BASELINES[name],
    )
    return model


def kept(fold):
    """The file of what a fold gave."""
    return KEPT / f"fold-{fold}.json"


def keep(fold, found):
    """Write what a fold gave."""
    KEPT.mkdir(parents=True, exist_ok=True)
    kept(fold).write_text(json.dumps(found), encoding="utf-8")


def report(found):
    """When the folds were measured, the folds side by side, and the mean over them with its interval.

    Returns: a text in Markdown.
    """
    rows = [
        [each["fold"], "development" if each["fold"] in DEVELOPMENT else "untouched"]
        + [f"{np.mean(each['correct'][name]):.4f}" for name in (*BASELINES, "crnn")]
        + [f"{seconds:.0f}" for seconds in each["seconds"]["crnn"]]
        for each in found
    ]
    lines = [
        f"{when_made(found, 'folds')}\n",
        f"## CRNN on {len(found)} of the {len(FOLDS)} folds of ESC-10\n",
    ]
    lines += [table(["fold", "", "average", "GRU(64)", "CRNN", "CPU s", "wall s"], rows), ""]
    known, untouched = (
        [each for each in found if (each["fold"] in DEVELOPMENT) is wanted]
        for wanted in (True, False)
    )
    parts = {"all": found, "development": known, "untouched": untouched}
    means = [summary(name, part) for name, part in parts.items() if part]
    lines += [table(["mean accuracy, 95 % interval", "average", "GRU(64)", "CRNN"], means), ""]
    mean, longest = (
        np.mean([np.mean(each["correct"]["crnn"]) for each in found]),
        max(each["seconds"]["crnn"][1] for each in found),
    )
    members = np.mean([each["members"] for each in found], axis=(0, 2))
    lines.append(
        f"CRNN: a committee of {len(members)}, whose members alone have {', '.join(f'{each:.3f}' for each in members)} in the mean. Committee, mean over {len(found)} folds {mean:.3f} (bar {BAR}: {verdict(mean, BAR)}). Longest training {longest:.0f} s on the wall "
        f"(bar {SECONDS} s or less on two cores: {verdict(longest, SECONDS, at_most=True)}). Each fold: trained on the other four, {found[0]['epochs']} epochs a member, "
        f"seeds from {SEED}; the recipe was made on folds {' and '.join(DEVELOPMENT)}, each left out of its own training, and the others were scored once, when it was fixed. "
        f"Intervals: the recordings of the folds, drawn again {DRAWS:,} times; they leave out what another seed would change.\n"
    )
    return "\n".join(lines)


def summary(name, found):
    """A row: the mean accuracy of each model over some folds, with an interval from drawing whole recordings.

    Returns: a list of texts.
    """
    row = [f"{name} folds ({', '.join(each['fold'] for each in found)})"]
    recordings = np.concatenate(
        [[f"{each['fold']}-{recording}" for recording in each["recordings"]] for each in found]
    )
    names, of = np.unique(recordings, return_inverse=True)
    times = np.random.default_rng(0).multinomial(
        len(names), np.full(len(names), 1 / len(names)), DRAWS
    )  # how often each is drawn
    for model in (*BASELINES, "crnn"):
        correct = np.concatenate([each["correct"][model] for each in found])
        drawn = (times @ np.bincount(of, correct)) / (times @ np.bincount(of))
        low, high = np.quantile(drawn, [0.025, 0.975])
        row.append(
            f"{np.mean([np.mean(each['correct'][model]) for each in found]):.3f} ({low:.3f} to {high:.3f})"
        )
    return row


if __name__ == "__main__":
    main(sys.argv[1:])
