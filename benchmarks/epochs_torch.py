"""The seconds of each epoch of one PyTorch contender: `python -m benchmarks.epochs_torch random 2` prints them as JSON."""

import json
import sys

import numpy as np
import torch
from torch import nn

from benchmarks.contest import (
    BATCH_SIZE,
    CLIP_NORM,
    EPOCHS,
    LEARNING_RATE,
    SCALE,
    SEED,
    SHIFT,
    UNITS,
    training_clips,
)
from benchmarks.measure import Stopwatch
from course_lib.audio import N_MELS

KERAS_EPSILON = 1e-7  # Adam: what Keras adds to the root of the second moment


class Classifier(nn.Module):
    """The course's LSTM: frames on a scale of about -2 to 2, the last state of each clip, logits."""

    def __init__(self, n_classes):
        super().__init__()
        self.lstm = nn.LSTM(N_MELS, UNITS, batch_first=True)
        self.logits = nn.Linear(UNITS, n_classes)

    def forward(self, packed):
        return self.logits(self.lstm(packed)[1][0][-1])


def epochs(frames, labels, order):
    """Train for EPOCHS epochs on packed sequences.

    Args: order: "random" batches, or batches of clips "sorted" by length, in a random order.
    Returns: a list of (CPU seconds, wall seconds), one an epoch.
    """
    clips = [torch.from_numpy((clip - SHIFT) / SCALE) for clip in frames]
    lengths, labels = torch.tensor([len(clip) for clip in clips]), torch.from_numpy(labels).long()
    model = Classifier(10)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, eps=KERAS_EPSILON)
    random, watch = np.random.default_rng(SEED), Stopwatch()
    for _ in range(EPOCHS):
        watch.restart()
        right = torch.zeros((), dtype=torch.long)
        for members in batches(lengths, order, random):
            padded = nn.utils.rnn.pad_sequence([clips[clip] for clip in members], batch_first=True)
            packed = nn.utils.rnn.pack_padded_sequence(
                padded, lengths[members], batch_first=True, enforce_sorted=False
            )
            right += step(model, optimizer, packed, labels[members])
        print(f"accuracy {right.item() / len(clips):.3f}", file=sys.stderr)
        watch.lap()
    return watch.laps


def batches(lengths, order, random):
    """The members of each batch of one epoch.

    Returns: a list of integer tensors.
    """
    if order == "random":
        return torch.from_numpy(random.permutation(len(lengths))).split(BATCH_SIZE)
    by_length = torch.argsort(lengths, stable=True).split(BATCH_SIZE)
    return [by_length[choice] for choice in random.permutation(len(by_length))]


def step(model, optimizer, packed, labels):
    """One step of Adam on one batch.

    Returns: how many answers were right before it, a tensor.
    """
    logits = model(packed)
    optimizer.zero_grad()
    nn.functional.cross_entropy(logits, labels).backward()
    nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
    optimizer.step()
    return (logits.argmax(dim=1) == labels).sum()


if __name__ == "__main__":
    torch.manual_seed(SEED)
    torch.set_num_threads(int(sys.argv[2]))
    print(json.dumps(epochs(*training_clips(), sys.argv[1])))
