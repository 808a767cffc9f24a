"""How often the models are right: `python -m benchmarks.accuracy` prints the tables."""

import contextlib
import sys

import keras
import numpy as np
import pandas as pd

from benchmarks.measure import Stopwatch, table, verdict
from course_lib import audio, batches, data, evaluation, models, training

SEEDS = (0, 1, 2)
VALIDATION_TAKES = range(
    5, 10
)  # of each digit and speaker, from the official training part, which has takes 5 to 49
LSTM_BAR, LSTM_SECONDS = 0.97, 60  # accuracy; wall seconds of training
ACROSS_BAR = 0.70  # accuracy on real recordings after training on synthetic voices
ACROSS_EPOCHS = 18  # at most; the best one is chosen on held-out synthetic voices
ACROSS_LEARNING_RATE = 2e-3
NEAR_SILENT = 7.0  # natural log of energy, 30 dB
DEVELOPMENT = (
    "jackson",
    "lucas",
    "nicolas",
)  # the speakers with whom the synthetic voices were designed


def main():
    """Measure and print both tables, alone on the standard output."""
    with contextlib.redirect_stdout(sys.stderr):
        real = with_frames(data.load("fsdd"))
        parts = [official(real), across(with_frames(data.load("spoken-digits")), real)]
    print("\n".join(parts))


def with_frames(clips):
    """The clips with a column `frames`: their log-mel frames.

    Returns: a DataFrame.
    """
    return clips.assign(frames=audio.log_mels([audio.read(path) for path in clips["path"]]))


def normalised(frames):
    """Trim the near-silent frames at both ends, then give each band the same mean over the clip.

    Returns: float32 `[frames, N_MELS]`, in the models' units.
    """
    return audio.subtract_mean(audio.trim_silence(frames, below=NEAR_SILENT))


def official(real):
    """Train LSTM(64) on the official split with each seed, for epochs fixed in advance.

    Returns: a text in Markdown.
    """
    take = real["path"].map(lambda path: int(path.stem.split("_")[-1]))
    held_out = (real["split"] == "train") & take.isin(VALIDATION_TAKES)
    train, validation, test = (
        real[(real["split"] == "train") & ~held_out],
        real[held_out],
        real[real["split"] == "test"],
    )
    rows, scores = [], []
    for seed in SEEDS:
        model, (cpu, wall) = trained(
            models.lstm, train, validation, seed=seed, epochs=training.EPOCHS
        )
        scores.append((evaluation.evaluate(model, test), wall))
        seen = evaluation.evaluate(model, validation).accuracy
        rows.append([str(seed), f"{seen:.3f}", str(scores[-1][0]), f"{cpu:.0f}", f"{wall:.0f}"])
    mean, longest = (
        np.mean([score.accuracy for score, _ in scores]),
        max(wall for _, wall in scores),
    )
    return (
        f"## LSTM(64), official split\n\n{table(['seed', 'validation', 'test', 'CPU s', 'wall s'], rows)}\n\n"
        f"{band([score.accuracy for score, _ in scores])} (bar {LSTM_BAR}: {verdict(mean, LSTM_BAR)}). "
        f"Longest training {longest:.0f} s on the wall, with the compiling "
        f"(bar {LSTM_SECONDS} s or less: {verdict(longest, LSTM_SECONDS, at_most=True)}). {training.EPOCHS} epochs, fixed in advance; "
        f"trained on {len(train):,} clips, {len(validation):,} for validation (takes 5 to 9), "
        f"both from the official training part; {len(test):,} test clips.\n"
    )


def across(synthetic, real):
    """Train a bidirectional GRU on synthetic voices alone with each seed, and score it on all real clips.

    Returns: a text in Markdown.
    """
    synthetic, real = (
        clips.assign(frames=clips["frames"].map(normalised)) for clips in (synthetic, real)
    )
    assert list(synthetic["label"].cat.categories) == list(real["label"].cat.categories)
    train, held_out = (
        synthetic[synthetic["split"] == "train"],
        synthetic[synthetic["split"] == "test"],
    )
    columns, overall = {}, []
    for seed in SEEDS:
        best = keras.callbacks.EarlyStopping(
            "val_loss", patience=ACROSS_EPOCHS, restore_best_weights=True
        )
        options = {
            "epochs": ACROSS_EPOCHS,
            "learning_rate": ACROSS_LEARNING_RATE,
            "callbacks": [best],
        }
        model, _ = trained(models.bidirectional, train, held_out, seed=seed, **options)
        correct = (
            evaluation.predict(model, real["frames"]).argmax(axis=1) == real["label"].cat.codes
        )
        known = real["group"].isin(DEVELOPMENT)
        overall.append(evaluation.score(correct).accuracy)
        held = evaluation.evaluate(model, held_out).accuracy
        voices = {"epochs": str(best.best_epoch + 1), "held-out synthetic voices": round(held, 3)}
        speakers = evaluation.by_group(real["group"], correct)["accuracy"].round(3)
        halves = {
            "development speakers": round(correct[known].mean(), 3),
            "the other speakers": round(correct[~known].mean(), 3),
        }
        columns[f"seed {seed}"] = (
            voices | {"all real clips": round(overall[-1], 3)} | halves | speakers.to_dict()
        )
    return _across_report(columns, overall, train, held_out, real)


def _across_report(columns, overall, train, held_out, real):
    """The table of `across`, and what was trained and scored on what."""
    found = pd.DataFrame(columns, dtype=object)
    rows = [[name, *map(str, row)] for name, *row in found.itertuples()]
    return (
        f"## Bidirectional GRU, synthetic voices → real recordings\n\n{table(['accuracy', *found], rows)}\n\n"
        f"{band(overall)} (bar {ACROSS_BAR}: {verdict(np.mean(overall), ACROSS_BAR)}). "
        f"Trained on {len(train):,} clips of {train['group'].nunique()} synthetic voices; the best of {ACROSS_EPOCHS} epochs "
        f"by the loss on {len(held_out):,} clips of {held_out['group'].nunique()} other synthetic voices; "
        f"scored on all {len(real):,} real clips of {real['group'].nunique()} speakers. The voices and the features were designed with an eye on "
        f"the development speakers ({', '.join(DEVELOPMENT)}), and without a look at the others.\n"
    )


def trained(
    builder, train, validation, *, seed, epochs, learning_rate=training.LEARNING_RATE, callbacks=()
):
    """Train a fresh model.

    Returns: the model, and its (CPU seconds, wall seconds) of training.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    model, watch = builder(train["label"].cat.categories.size), Stopwatch()
    batched = batches.bucketed(train["frames"], train["label"], seed=seed)
    watched = batches.bucketed(validation["frames"], validation["label"], seed=seed)
    training.fit(
        model, batched, watched, epochs=epochs, learning_rate=learning_rate, callbacks=callbacks
    )
    return model, watch.lap()


def band(accuracies):
    """Mean and range of the accuracies of all seeds, in words.

    Returns: a text.
    """
    return f"Mean accuracy {np.mean(accuracies):.3f}, from {min(accuracies):.3f} to {max(accuracies):.3f} over {len(accuracies)} seeds"


if __name__ == "__main__":
    main()
