"""Running probabilities over a long recording → the moments at which a word was heard, and how many of them are right."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from course_lib import audio

NOTHING = "nothing"  # the class that is no word
LATE = 0.5  # seconds after a word's end within which it still counts as heard


class Spotted(NamedTuple):
    """How a detector fared: words heard, words missed, detections where no such word was, and those in an hour."""

    hits: int
    misses: int
    false_alarms: int
    false_alarms_an_hour: float

    def __str__(self):
        share = f"{self.hits} of {self.hits + self.misses} heard"
        return f"{share}, {self.misses} missed, {self.false_alarms} false alarms ({self.false_alarms_an_hour:.0f} an hour)"


def smoothed(probabilities, frames):
    """The mean of the last so many rows at each row; at the beginning, of those that there are.

    Args: probabilities: `[frames, classes]`; frames: how many, 1 changes nothing.
    Returns: float64 `[frames, classes]`. It looks only back, so that a stream can do it.
    """
    total = np.cumsum(np.asarray(probabilities, np.float64), axis=0)
    before = np.concatenate([np.zeros_like(total[:frames]), total[:-frames]])[: len(total)]
    return (total - before) / np.minimum(np.arange(1, len(total) + 1), frames)[:, None]


def detections(probabilities, classes, *, threshold=0.55, smooth=10, apart=0.5, frame_length=audio.FRAME_LENGTH, frame_step=audio.FRAME_STEP):
    """The moments at which a class, other than "nothing", rises to the threshold.

    Args: probabilities: `[frames, classes]`, as `Stream.push` gives; classes: their names; threshold: of the smoothed probability; smooth:
    frames that are averaged; apart: seconds after a detection in which there is no other (the refractory time); frame_length,
    frame_step: samples at audio.SAMPLE_RATE. A class is detected again only after it has fallen below the threshold.
    Returns: a DataFrame, a detection a row: seconds (the end of the frame), label, probability.
    Raises: ValueError if there is not one name for each column.
    """
    probabilities, classes = np.asarray(probabilities), list(classes)
    if probabilities.ndim != 2 or probabilities.shape[1] != len(classes):
        raise ValueError(f"expected probabilities [frames, {len(classes)}], found shape {list(probabilities.shape)}")
    words = [number for number, name in enumerate(classes) if name != NOTHING]
    heights = smoothed(probabilities, smooth)[:, words]
    best, rows, last, silent_until = heights.argmax(axis=1), [], None, -np.inf
    for frame in np.flatnonzero(heights.max(axis=1) >= threshold):
        seconds = (frame_length + frame * frame_step) / audio.SAMPLE_RATE
        again = rows and best[frame] == best[last] and (heights[last : frame + 1, best[frame]] >= threshold).all()
        if seconds >= silent_until and not again:
            rows.append((seconds, classes[words[best[frame]]], heights[frame, best[frame]]))
            last, silent_until = frame, seconds + apart
    return pd.DataFrame(rows, columns=["seconds", "label", "probability"])


def compare(found, said, *, seconds, late=LATE):
    """Compare what was detected with what was said.

    Args: found: as `detections` gives; said: a DataFrame with the columns begin, end (seconds) and label; seconds: how long the recording is;
    late: seconds after a word's end within which its detection counts. Each word can be hit once, by its own label; every other
    detection is a false alarm.
    Returns: a Spotted.
    """
    open_words = [[row.begin, row.end + late, str(row.label)] for row in said.itertuples()]
    for row in found.itertuples():
        hit = next((word for word in open_words if word[0] <= row.seconds <= word[1] and word[2] == str(row.label)), None)
        if hit:
            open_words.remove(hit)
    hits = len(said) - len(open_words)
    alarms = len(found) - hits
    return Spotted(hits, len(open_words), alarms, 3_600 * alarms / seconds)
