"""The contenders in PyTorch: one thread, batches of clips sorted by length, padded or packed."""

import numpy as np
import torch
from torch import nn

from benchmarks.contest import CLASSES, CLIP_NORM, EPSILON, UNITS, Loop, first_weights
from course_lib.audio import N_MELS


class Classifier(nn.Module):
    """A recurrent layer, the state after each clip's last frame, logits."""

    def __init__(self, way, cell, seed):
        super().__init__()
        self.packed = way == "packed"
        self.layer = {"lstm": nn.LSTM, "gru": nn.GRU}[cell](N_MELS, UNITS, batch_first=True)
        self.answer = nn.Linear(UNITS, CLASSES)
        *weights, dense, offset = map(torch.tensor, first_weights(cell, seed))
        kernel, recurrent, bias = weights if cell == "lstm" else map(reset_first, weights)
        outer, inner = (bias, torch.zeros_like(bias)) if cell == "lstm" else bias
        given = {"weight_ih_l0": kernel.T, "weight_hh_l0": recurrent.T}
        given |= {"bias_ih_l0": outer, "bias_hh_l0": inner}
        self.layer.load_state_dict(given)
        self.answer.load_state_dict({"weight": dense.T, "bias": offset})

    def forward(self, padded, counts):
        if self.packed:
            packed = nn.utils.rnn.pack_padded_sequence(
                padded, counts, batch_first=True, enforce_sorted=False
            )
            last = self.layer(packed)[1]
            return self.answer((last[0] if isinstance(last, tuple) else last)[-1])
        states = self.layer(padded)[0]
        return self.answer(states[torch.arange(len(counts)), counts - 1])


def reset_first(weight):
    """A GRU's weight in PyTorch's order: Keras has the update gate first."""
    update, reset, candidate = weight.chunk(3, dim=-1)
    return torch.cat([reset, update, candidate], dim=-1)


class Trainer(Loop):
    """The model with Adam, which has Keras's epsilon."""

    def __init__(self, way, cell, recipe, frames, labels, *, seed, epochs):
        super().__init__(recipe, frames, labels, seed=seed, epochs=epochs)
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        self.batches = [tuple(map(torch.from_numpy, batch)) for batch in self.batches]
        self.model = Classifier(way, cell, seed)
        self.optimizer = torch.optim.Adam(self.model.parameters(), eps=EPSILON)

    def update(self, padded, counts, labels, rate):
        """One step of Adam on one batch."""
        self.optimizer.param_groups[0]["lr"] = rate
        self.optimizer.zero_grad()
        nn.functional.cross_entropy(self.model(padded, counts), labels).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM)
        self.optimizer.step()

    def logits(self, padded, counts):
        """The answers: float32 `[batch, classes]`."""
        with torch.no_grad():
            given = map(torch.from_numpy, (padded, np.asarray(counts)))
            return self.model(*given).numpy()
