"""A model hears clips, long recordings and sound without end: what it answers, and how well."""

from collections.abc import Iterable, Sequence

import keras
import numpy as np
import pandas as pd
from scipy.special import softmax

from course_lib import evaluation
from course_lib.extra import steps, streaming
from course_lib.extra.rooms import NOTHING, TIME, noisy, read

LATE = 0.5  # seconds after a sound within which a detection of it still counts
SMOOTH = 25  # frames: detections read the mean of half a second
THRESHOLDS = np.round(np.arange(0.3, 0.96, 0.05), 2)
STEP = 0.02  # seconds from frame to frame
PROGRAM = """import json, sys, zipfile, numpy as np, soundfile
from ai_edge_litert.interpreter import Interpreter
about = json.loads(zipfile.ZipFile("model.tflite").read("about.json"))
step, length = Interpreter("model.tflite").get_signature_runner(), about["frame_length"]
state = {key: np.zeros(part["shape"], "f4") for key, part in step.get_input_details().items()}
sound = soundfile.read(sys.argv[1], dtype="float32")[0]  # mono, at about["sample_rate"]
for end in range(length, len(sound) + 1, about["frame_step"]):
    state = step(**state | {"samples": sound[None, end - length : end]})
    logits = state.pop("logits")[0]
    print(f"{end / about['sample_rate']:.2f}", about["classes"][logits.argmax()])
"""  # runs such a file where the course is not


def heard(model: keras.Model, frames: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Let a model listen to each clip from its beginning: probabilities `[frames, classes]`.

    One that answers at every frame listens as a stream does. Another hears windows of TIME frames,
    and its probabilities are `[windows, classes]`.
    """
    if len(model.output_shape) == 3:
        step = steps.Step(*steps.read_keras(model))
        return [softmax(step(clip, step.initial)[0], axis=1) for clip in frames]
    parts = [np.array_split(clip, -(-len(clip) // TIME)) for clip in frames]
    logits = evaluation.predict(model, [window for clip in parts for window in clip])
    ends = np.cumsum([len(clip) for clip in parts])[:-1]
    return np.split(softmax(logits, axis=1), ends)


def listened(stream: streaming.Stream, waveforms: Iterable[np.ndarray]) -> list[np.ndarray]:
    """Play each clip to a stream that begins anew: probabilities `[frames, classes]` of each."""
    found = []
    for waveform in waveforms:
        stream.reset()
        found.append(stream.push(waveform))
    return found


def vote(probabilities: Sequence[np.ndarray], *, how: str = "mean") -> np.ndarray:
    """Answer each clip by the probabilities `[frames, classes]` of its frames, without "nothing".

    Args:
        probabilities: Of each clip, "nothing" the last.
        how: "mean" of the probabilities over time, "log" for the mean of their logarithms, or the
            "last" frame.

    Returns:
        The number of a class for each clip: int `[clips]`.
    """
    read = {
        "mean": lambda each: each.mean(axis=0),
        "log": lambda each: np.log(np.maximum(each, 1e-30)).mean(axis=0),
        "last": lambda each: each[-1],
    }
    return np.array([read[how](each[:, :-1]).argmax() for each in probabilities])


def stretches(probabilities: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """Say from when to when a long clip holds what: windows of TIME frames, each with one vote.

    Args:
        probabilities: `[frames, classes]` of one clip.
        classes: The names, "nothing" among them.

    Returns:
        A row for each stretch: seconds from and to, what, and the mean probability.
    """
    rows = []
    for start in range(0, len(probabilities), TIME):
        means = probabilities[start : start + TIME].mean(axis=0)
        what, end = classes[means.argmax()], min(start + TIME, len(probabilities))
        if rows and rows[-1][2] == what:
            begin, _, _, probability, windows = rows.pop()
            total = probability * windows + means.max()
            rows.append((begin, end * STEP, what, total / (windows + 1), windows + 1))
        else:
            rows.append((start * STEP, end * STEP, what, means.max(), 1))
    return pd.DataFrame(rows, columns=["from", "to", "what", "probability", "windows"])


def endless(
    waveforms: Sequence[np.ndarray],
    labels: Sequence[str],
    rate: int,
    *,
    decibels: float | str = "clean",
    longest: float = 6.0,
    seed: int = 0,
) -> tuple[np.ndarray, pd.DataFrame]:
    """Join clips to one sound with pauses of 1 to 4 s, in any order, with white noise over all.

    Args:
        waveforms: float32 `[samples]` each, of which `longest` seconds are taken at most.
        labels: Their classes.
        rate: In hertz.
        decibels: Of the noise, of full scale; "clean" for none.
        seed: The same seed repeats the sound.

    Returns:
        The samples, and a row for each clip: begin, end (seconds), label.
    """
    random = np.random.default_rng(seed)
    pieces, rows, place = [], [], 0
    for number in random.permutation(len(waveforms)):
        pause = np.zeros(int(random.uniform(1, 4) * rate), np.float32)
        sound = waveforms[number][: int(longest * rate)]
        begin = place + len(pause)
        place = begin + len(sound)
        pieces += [pause, sound]
        rows.append((begin / rate, place / rate, labels[number]))
    samples = noisy(np.concatenate(pieces), decibels, seed=seed)
    return samples, pd.DataFrame(rows, columns=["begin", "end", "label"])


def compare(
    probabilities: np.ndarray, classes: Sequence[str], said: pd.DataFrame, *, threshold: float
) -> streaming.Spotted:
    """Compare what a model finds in an endless sound with what was played.

    A sound is heard if its class rises to the threshold (a mean over SMOOTH frames) between its
    begin and LATE seconds after its end. A false alarm is each rise of another class.

    Args:
        probabilities: `[frames, classes]`, a frame every 20 ms.
        classes: The names, "nothing" among them.
        said: As `endless` gives.
        threshold: From 0 to 1.
    """
    heights = streaming.smoothed(probabilities, SMOOTH)
    hit, alarms = np.zeros(len(said), bool), 0
    begins, ends = said["begin"].to_numpy(), said["end"].to_numpy() + LATE
    labels = said["label"].to_numpy(str)
    for column, name in enumerate(classes):
        if name == NOTHING:
            continue
        high = (heights[:, column] >= threshold).astype(int)
        edges = np.flatnonzero(np.diff(high, prepend=0, append=0)).reshape(-1, 2) * STEP
        for first, last in edges:
            right = (labels == name) & (begins <= last) & (first <= ends)
            hit |= right
            alarms += not right.any()
    hours = len(probabilities) * STEP / 3_600
    return streaming.Spotted(int(hit.sum()), int((~hit).sum()), alarms, hours)


def rehearse(
    models: Sequence[keras.Model],
    parts: Sequence[pd.DataFrame],
    settings: dict[str, int],
    *,
    decibels: float = -60,
    most: int = 60,
) -> list[tuple[np.ndarray, pd.DataFrame]]:
    """Let each model hear an endless sound of clips that it has not learned, in noise.

    Args:
        models: One for each part.
        parts: Clips with `path` and `label`, of which `most` are played.
        settings: As `rooms.settings` gives.
        decibels: Of the noise, of full scale.
        most: Clips of a part.

    Returns:
        For each part probabilities `[frames, classes]`, and what was played (see `endless`).
    """
    edges = {key: settings[key] for key in ("sample_rate", "frame_length", "frame_step")}
    runs = []
    for number, (model, part) in enumerate(zip(models, parts, strict=True)):
        part = part.iloc[:: -(-len(part) // most)]
        waveforms = [read(path, settings) for path in part["path"]]
        options = {"decibels": decibels, "seed": number}
        sound, said = endless(waveforms, list(part["label"]), edges["sample_rate"], **options)
        runs.append((streaming.Stream(model, **edges).push(sound), said))
    return runs


def best_threshold(runs: Sequence[tuple], classes: Sequence[str]) -> float:
    """Choose the threshold of THRESHOLDS with the largest F1; of equals the highest.

    F1 is 2 hits / (2 hits + misses + false alarms): a miss costs as much as a false alarm.

    Args:
        runs: Of endless sounds: probabilities and what was played, as `compare` takes them.
        classes: The names, "nothing" among them.
    """

    def f1(threshold):
        found = [compare(each, classes, said, threshold=threshold) for each, said in runs]
        hits, misses, alarms, _ = np.sum(found, axis=0)
        return 2 * hits / max(1, 2 * hits + misses + alarms)

    return float(max(THRESHOLDS, key=lambda threshold: (f1(threshold), threshold)))


def sure_in_pauses(
    stream: streaming.Stream, *, threshold: float = 0.9, seconds: float = 10
) -> dict[str, float]:
    """Measure in which share of the frames a class reaches a threshold though there is none.

    The stream hears digital silence and white noise of -60 and of -40 decibels, so many seconds
    each.
    """
    shares, silence = {}, np.zeros(int(seconds * stream.sample_rate), np.float32)
    for name, decibels in (("digital silence", "clean"), ("-60 dBFS", -60), ("-40 dBFS", -40)):
        [found] = listened(stream, [noisy(silence, decibels)])
        shares[name] = float((found[:, :-1].max(axis=1) >= threshold).mean())
    return shares
