"""Make docs/live/models: a small RNN, LSTM and GRU for the page that listens.

    python data/makers/make_live_models.py      writes rnn.npz, lstm.npz, gru.npz and cards.json, in four minutes

Each learns from the 21 training voices of data/spoken-digits, whole clips with a mask, and answers from its last state. It is scored once, on the five test voices. The models are under CC BY 4.0, as the voices are.
"""

import json
import sys
from functools import partial
from pathlib import Path

import keras

DATA = Path(__file__).resolve().parents[1]
HERE = DATA.parent / "docs" / "live" / "models"
sys.path.insert(0, str(DATA.parent))

from course_lib import audio, batches, data, evaluation, models, training
from course_lib.extra import augmentation, streaming

UNITS = 32
EPOCHS = 80
RATES = {"rnn": 1e-3, "lstm": 6e-3, "gru": 6e-3}  # fall along a cosine to nothing
CHANGES = augmentation.chain(  # so that a model hears more than 21 voices
    partial(augmentation.warp, furthest=1.1),
    partial(augmentation.colour, decibels=3),
    partial(augmentation.hiss, decibels=(15, 40)),
)


def main():
    """Train, score and write each model."""
    clips = data.load("spoken-digits")
    clips["frames"] = audio.log_mels(audio.read(path) for path in clips["path"])
    train, test = (clips[clips["split"] == part] for part in ("train", "test"))
    classes = list(clips["label"].cat.categories)
    cards = {}
    for name, rate in RATES.items():
        keras.utils.set_random_seed(0)
        model = models.BUILDERS[name](len(classes), units=UNITS)
        epochs = batches.bucketed(train["frames"], train["label"], augment=CHANGES)
        falling = keras.optimizers.schedules.CosineDecay(rate, EPOCHS * len(epochs))
        training.fit(model, epochs, epochs=EPOCHS, learning_rate=falling)
        answers = evaluation.predict(model, test["frames"]).argmax(axis=1)
        right = int((answers == batches.codes(test["label"])).sum())
        cards[name] = (
            f"{UNITS} units; {right} of {len(test)} digits by five synthetic voices that it never heard"
        )
        print(name, cards[name], flush=True)
        streaming.save(model, HERE / f"{name}.npz", classes=classes)
    (HERE / "cards.json").write_text(json.dumps(cards, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
