"""What convolutions, a GRU, its readout and changed clips buy in lesson 14, on ESC-10's folds.

    .venv/bin/python -m benchmarks.environment         train what is missing, print the tables
    .venv/bin/python -m benchmarks.environment crnn    train the missing pieces whose names hold
                                                       "crnn" (or "tune", "fold1", …)

Each piece is one training by the lesson's own code, kept as a small file in build/environment with
its date and versions. It stays when code or packages change: delete the folder to begin anew. With
the tables comes results/environment.csv, which lesson 14 reads.
"""

import ast
import contextlib
import functools
import json
import sys
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd

from benchmarks.measure import Stopwatch, made, table, verdict, when_made
from course_lib import audio, batches, data, evaluation, models
from course_lib.extra import augmentation

ROOT = Path(__file__).resolve().parent.parent
LESSON = ROOT / "notebooks" / "src" / "14_environmental_sound.py"
PIECES = ROOT / "build" / "environment"
CSV = ROOT / "benchmarks" / "results" / "environment.csv"
BAR = 0.88  # mean accuracy over folds and seeds of the best model, a single one
FOLDS, DEVELOPMENT = "12345", "12"  # those that were looked at while the lesson was designed
PAIRS = "12", "34", "51"  # held out to tune: each fold of a pair is validation for the other
SEEDS = {"plain": (0, 1, 2), "changed": (0, 1)}  # clips as they are, or changed and mixed
GRU_RATES, RATES = (0.004, 0.008, 0.016), (0.002, 0.004, 0.008)
MODELS = {
    "average": (0.01, 0.03, 0.1),
    "gru_last": GRU_RATES,
    "gru_mean": GRU_RATES,
    "convolutions": RATES,
    "crnn": RATES,
}  # and the learning rates that are tried
CONTESTANTS = {(model, arm): seeds for arm, seeds in SEEDS.items() for model in MODELS}
FULL = "full_crnn"  # models.crnn, other frames, more epochs, changed clips: many steps at once
CONTESTANTS[FULL, "changed"] = (0, 1, 2)
FULL_FRAMES = {"sample_rate": 16_000, "frame_length": 800, "frame_step": 320, "n_mels": 64}
FULL_RATE, FULL_EPOCHS = 0.004, 24
STEPS = {
    "the mean of a GRU's states, not the last": ("gru_mean", "gru_last"),
    "a GRU, last state": ("gru_last", "average"),
    "a GRU, mean of its states": ("gru_mean", "average"),
    "convolutions, no GRU": ("convolutions", "average"),
    "convolutions before the GRU": ("crnn", "gru_mean"),
    "a GRU after the convolutions": ("crnn", "convolutions"),
}  # more and less
DRAWS = 10_000  # of recordings, for an interval


class Piece(NamedTuple):
    """One training: which model, on which clips, without which folds; no rate: the tuned one."""

    model: str
    arm: str
    held_out: str
    seed: int
    rate: float | None = None

    def __str__(self):
        tune = "" if self.rate is None else f"tune{self.rate}-"
        return f"{tune}{self.model}-{self.arm}-fold{self.held_out}-seed{self.seed}"

    def file(self):
        """Where its result is kept."""
        return PIECES / f"{self}.json"

    def found(self):
        """Read its result."""
        return json.loads(self.file().read_text(encoding="utf-8"))


def tuning():
    """The trainings that choose the learning rates, on clips as they are."""
    tried = [(model, rate) for model, rates in MODELS.items() for rate in rates]
    return [Piece(model, "plain", pair, 0, rate) for model, rate in tried for pair in PAIRS]


def final():
    """The trainings that are compared."""
    return [
        Piece(model, arm, fold, seed)
        for (model, arm), seeds in CONTESTANTS.items()
        for seed in seeds
        for fold in FOLDS
    ]


def main(wanted):
    """Train the missing pieces that are wanted; with none named, all, and print the tables.

    Raises: SystemExit if a word is in the name of no piece.
    """
    every = tuning() + final()
    unknown = [word for word in wanted if not any(word in str(piece) for piece in every)]
    if unknown:
        examples = f"{every[0]} or {every[-1]}"
        sys.exit(f"expected words from names such as {examples}, found {', '.join(unknown)}")
    chosen = [piece for piece in every if not wanted or any(word in str(piece) for word in wanted)]
    missing = [piece for piece in chosen if not piece.file().exists()]
    with contextlib.redirect_stdout(sys.stderr):
        for number, piece in enumerate(missing):
            train(piece)
            print(f"{number + 1} of {len(missing)}: {piece}", flush=True)
    if not wanted:
        print(report())


@functools.cache
def from_lesson(full=False):
    """Run the functions and constants of lesson 14, so that a learner sees what was measured.

    Args: full: with the settings of FULL in place of the lesson's.
    Returns: a dict from name to value.
    """
    there = {"np": np, "pd": pd, "keras": keras, "audio": audio, "batches": batches}
    there |= {"models": models, "augmentation": augmentation}
    for statement in ast.parse(LESSON.read_text(encoding="utf-8")).body:
        assigned = isinstance(statement, ast.Assign)
        constant = assigned and ast.unparse(statement.targets[0]).isupper()
        if constant or isinstance(statement, ast.FunctionDef):
            exec(compile(ast.Module([statement], []), LESSON.name, "exec"), there)
    if full:
        there |= {"FRAMES": FULL_FRAMES, "EPOCHS": FULL_EPOCHS, FULL: None}
        there["build"] = lambda _, n_classes: models.crnn(n_classes, n_mels=FULL_FRAMES["n_mels"])
    return there


@functools.cache
def clips_of(full):
    """ESC-10 with the frames of the lesson, or of FULL."""
    lesson, clips = from_lesson(full), data.load("esc-10")
    rate = lesson["FRAMES"]["sample_rate"]
    waveforms = (audio.read(path, sample_rate=rate) for path in clips["path"])
    frames = audio.log_mels(waveforms, **lesson["FRAMES"])
    return clips.assign(frames=[lesson["prepared"](each) for each in frames])


def train(piece):
    """Train a piece, and keep its logits for the clips of each fold that it did not hear."""
    full = piece.model == FULL
    lesson, clips = from_lesson(full), clips_of(full)
    held_out = clips["split"].isin([*piece.held_out])
    learn, ask = clips[~held_out], clips[held_out]
    assert not set(learn["group"]) & set(ask["group"]), "a recording is on both sides"
    rate = piece.rate or tuned(piece.model, piece.held_out)
    keras.backend.clear_session()
    watch = Stopwatch()
    options = {"change": piece.arm == "changed", "rate": rate, "seed": piece.seed}
    model = lesson["trained"](lesson[piece.model], learn, **options)
    seconds, _ = watch.lap()
    found = {"made": made(), "rate": rate, "seconds": seconds, "parameters": model.count_params()}
    for fold, part in ask.groupby("split"):
        found[fold] = {
            "recordings": list(part["group"]),
            "labels": part["label"].cat.codes.tolist(),
            "logits": evaluation.predict(model, part["frames"]).round(3).tolist(),
        }
    PIECES.mkdir(parents=True, exist_ok=True)
    piece.file().write_text(json.dumps(found), encoding="utf-8")


def tuned(model, fold):
    """The learning rate that is best on other folds, of models that did not hear `fold`."""
    if model == FULL:
        return FULL_RATE
    asked = [(pair, pair.replace(fold, "")) for pair in PAIRS if fold in pair]
    means = {}
    for rate in MODELS[model]:
        found = [(Piece(model, "plain", pair, 0, rate).found(), other) for pair, other in asked]
        means[rate] = np.mean([right(piece[other]).mean() for piece, other in found])
    return max(means, key=means.get)


def right(answered):
    """Whether each answer is right: a bool array `[clips]`."""
    return np.argmax(answered["logits"], axis=1) == answered["labels"]


def report():
    """Write the CSV, and make the tables of the accuracies and of what each step buys.

    Returns: a text in Markdown.
    """
    found = {piece: piece.found() for piece in final()}
    keys = ["model", "arm", "fold", "recording"]
    answers = pd.concat(rows_of(piece, result[piece.held_out]) for piece, result in found.items())
    grouped = answers.groupby([*keys, "seed"], sort=False)["right"]
    counts = grouped.sum().unstack().add_prefix("seed_").sort_index()
    clips = grouped.size().unstack()[0].sort_index().loc["average", "plain"]
    sizes = clips.reindex(counts.index.droplevel([0, 1])).to_numpy(int)
    counts.astype("Int64").assign(clips=sizes).to_csv(CSV)
    mean = counts.mean(axis=1)
    rows = [row(model, arm, counts, clips, found) for model, arm in CONTESTANTS]
    best, arm = (mean.groupby(keys[:2]).sum() / clips.sum()).idxmax()
    single = mean[best, arm].sum() / clips.sum()
    text = with_interval(ensemble(best, arm, found).reindex(clips.index), clips)
    rows.append([f"ensemble of {len(CONTESTANTS[best, arm])} {best}", arm, text] + [""] * 6)
    header = ["model", "clips in training", "accuracy, 95 % interval", "each seed", "folds 1, 2"]
    header += ["folds 3, 4, 5", "rates, folds 1 to 5", "parameters", "CPU s"]
    steps = {what: ((more, "plain"), (less, "plain")) for what, (more, less) in STEPS.items()}
    steps |= {f"changed clips: {name}": ((name, "changed"), (name, "plain")) for name in MODELS}
    bought = [
        [what, with_interval(mean[more] - mean[less], clips, sign="+")]
        for what, (more, less) in steps.items()
    ]
    return f"""{when_made([*found.values()], "trainings")}

## Five models on the five folds of ESC-10

{table(header, rows)}

Best single model: {best}, {arm} clips, {single:.3f} in the mean of its seeds (bar {BAR}: {verdict(single, BAR)}). The ensemble takes the mean of its members' logits. Each fold is answered by models that learned from the other four. Learning rates: the best of three on whole folds among those four, by models that heard neither, on clips as they are.

The five models were designed on folds 1 and 2. {FULL} is several steps away from them: models.crnn, 16 kHz with a frame every 20 ms, {FULL_EPOCHS} epochs, one learning rate. It was the best of eight designs in validation, on folds that the models asked had not heard; together these were all five folds, so its figure is a little too good.

## What each step buys

{table(["step", "accuracy, more minus less, 95 % interval"], bought)}

Intervals: whole recordings, drawn again {DRAWS:,} times, of the mean over seeds; they leave out what other seeds would change.
"""


def rows_of(piece, answered):
    """A row for each test clip of a training: its recording, and whether the answer is right."""
    columns = {"recording": answered["recordings"], "right": right(answered).astype(int)}
    names = {"model": piece.model, "arm": piece.arm, "fold": piece.held_out, "seed": piece.seed}
    return pd.DataFrame(columns).assign(**names)


def row(model, arm, counts, clips, found):
    """One row of the first table: texts."""
    here = counts.loc[model, arm].dropna(axis=1)
    seeds = " ".join(f"{accuracy:.3f}" for accuracy in here.sum() / clips.sum())
    looked_at = here.index.get_level_values("fold").isin([*DEVELOPMENT])
    parts = [here[part].mean(axis=1).sum() / clips[part].sum() for part in (looked_at, ~looked_at)]
    pieces = [
        found[Piece(model, arm, fold, seed)] for seed in CONTESTANTS[model, arm] for fold in FOLDS
    ]
    rates = " ".join(f"{piece['rate']:g}" for piece in pieces[: len(FOLDS)])
    seconds = np.mean([piece["seconds"] for piece in pieces])
    texts = [*(f"{part:.3f}" for part in parts), rates]
    texts += [f"{pieces[0]['parameters']:,}", f"{seconds:.0f}"]
    return [model, arm, with_interval(here.mean(axis=1), clips), seeds, *texts]


def ensemble(model, arm, found):
    """How many clips of each recording the mean of the logits of all seeds has right."""
    rows = []
    for fold in FOLDS:
        members = [found[Piece(model, arm, fold, seed)][fold] for seed in CONTESTANTS[model, arm]]
        logits = np.mean([member["logits"] for member in members], axis=0)
        rows.append(rows_of(Piece(model, arm, fold, -1), members[0] | {"logits": logits}))
    return pd.concat(rows).groupby(["fold", "recording"])["right"].sum()


def with_interval(counts, clips, *, sign=""):
    """Clips right in each recording as an accuracy with its interval over recordings: a text."""
    drawn = np.random.default_rng(0).integers(len(clips), size=[DRAWS, len(clips)])
    means = counts.to_numpy()[drawn].sum(axis=1) / clips.to_numpy()[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{counts.sum() / clips.sum():{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


if __name__ == "__main__":
    main(sys.argv[1:])
