"""The contender without a framework: the LSTM of lesson 08, and a GRU in the same way."""

import ast
from pathlib import Path

import numpy as np

from benchmarks.contest import Loop, first_weights

LESSONS = Path(__file__).resolve().parent.parent / "notebooks" / "src"
LESSON = LESSONS / "08_which_one_and_at_what_price.py"
TAKEN = "sigmoid", "lstm_forward", "lstm_backward", "gradients_by_hand", "adam"


def from_lesson():
    """The functions TAKEN as lesson 08 has them: a dict from name to function."""
    there = {"np": np}
    for statement in ast.parse(LESSON.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.FunctionDef) and statement.name in TAKEN:
            exec(compile(ast.Module([statement], []), LESSON.name, "exec"), there)
    return {name: there[name] for name in TAKEN}


lesson = from_lesson()
sigmoid = lesson["sigmoid"]


def gru_forward(weights, frames):
    """Update and reset gates and candidates, what of them comes from the state, and the states."""
    kernel, recurrent, (outer, inner) = weights
    parts = frames @ kernel + outer  # [time, batch, 3 * units], as Keras has them: z, r, candidate
    gates, units = 2 * len(recurrent), len(recurrent)
    inside = np.empty_like(parts)
    state = np.zeros([len(frames) + 1, frames.shape[1], units], np.float32)
    for t in range(len(frames)):
        inside[t] = state[t] @ recurrent + inner
        parts[t, :, :gates] = sigmoid(parts[t, :, :gates] + inside[t, :, :gates])
        update, reset, candidate = np.split(parts[t], 3, axis=1)
        candidate[:] = np.tanh(candidate + reset * inside[t, :, gates:])
        state[t + 1] = candidate + update * (state[t] - candidate)
    return parts, inside, state


def gru_backward(weights, frames, kept, from_above):
    """Gradients of kernel, recurrent and bias; from_above: `[time, batch, units]`."""
    recurrent, (parts, inside, state) = weights[1], kept
    update, reset, candidate = np.split(parts, 3, axis=2)
    of_candidate = inside[:, :, 2 * len(recurrent) :]
    outer, inner, to_state = np.empty_like(parts), np.empty_like(parts), 0
    for t in reversed(range(len(frames))):
        to_state = to_state + from_above[t]
        to_candidate = to_state * (1 - update[t]) * (1 - candidate[t] ** 2)
        to_update = to_state * (state[t] - candidate[t]) * update[t] * (1 - update[t])
        to_reset = to_candidate * of_candidate[t] * reset[t] * (1 - reset[t])
        outer[t] = np.concatenate([to_update, to_reset, to_candidate], axis=1)
        inner[t] = np.concatenate([to_update, to_reset, to_candidate * reset[t]], axis=1)
        to_state = inner[t] @ recurrent.T + to_state * update[t]
    outer, inner = (each.reshape(-1, each.shape[2]) for each in (outer, inner))
    inputs, before = (each.reshape(len(outer), -1) for each in (frames, state[:-1]))
    biases = np.stack([outer.sum(axis=0), inner.sum(axis=0)])
    return [inputs.T @ outer, before.T @ inner, biases]


CELLS = {
    "lstm": (lesson["lstm_forward"], lesson["lstm_backward"]),
    "gru": (gru_forward, gru_backward),
}


class Trainer(Loop):
    """Weights in Keras's order, and the moments of Adam."""

    def __init__(self, way, cell, recipe, frames, labels, *, seed, epochs):
        super().__init__(recipe, frames, labels, seed=seed, epochs=epochs)
        self.cell, self.weights, self.step = CELLS[cell], first_weights(cell, seed), 0
        self.moments = [np.zeros([2, *weight.shape], np.float32) for weight in self.weights]

    def update(self, padded, counts, labels, rate):
        """One step of Adam on one batch."""
        self.step += 1
        frames = np.ascontiguousarray(padded.transpose(1, 0, 2))
        _, gradients = lesson["gradients_by_hand"](self.weights, frames, counts, labels, *self.cell)
        lesson["adam"](self.weights, gradients, self.moments, self.step, rate)

    def logits(self, padded, counts):
        """The answers: float32 `[batch, classes]`."""
        *recurrent, dense, offset = self.weights
        states = self.cell[0](recurrent, padded.transpose(1, 0, 2))[-1]
        return states[counts, np.arange(len(counts))] @ dense + offset
