"""Keras's SimpleRNN, LSTM and GRU on a CPU: the same numbers in less time.

On a GPU, Keras hands its recurrent layers to cuDNN. On a CPU it has nothing of the kind and takes
a frame apart into a dozen small operations, whose gradients it derives one by one. `install` gives
the three layers a loop for CPUs: for the LSTM the one that TensorFlow brings, for the others one
whose gradient is written by hand. Nothing else about the layers changes.
"""

import functools
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

BLOCK = 4  # frames in a turn of TensorFlow's loop: a turn costs about as much as a frame
LAYERS = (keras.layers.SimpleRNN, keras.layers.LSTM, keras.layers.GRU)
CELLS = (keras.layers.SimpleRNNCell, keras.layers.LSTMCell, keras.layers.GRUCell)
KERAS_LOOPS = {layer: layer.inner_loop for layer in LAYERS}


def install() -> None:
    """Let every SimpleRNN, LSTM and GRU of Keras run here, unless there is a GPU.

    A layer with another activation, precision or dropout than usual keeps Keras's own loop. XLA
    cannot compile an LSTM that runs here.
    """
    if not tf.config.list_physical_devices("GPU"):
        for layer in LAYERS:
            layer.inner_loop = _inner_loop


def uninstall() -> None:
    """Give all layers Keras's own loops again; models that were traced stay as they are."""
    for layer, loop in KERAS_LOOPS.items():
        layer.inner_loop = loop


def rnn(frames, states, kernel, recurrent, bias) -> list[tf.Tensor]:
    """Run a vanilla RNN over `[time, batch, features]`: its states `[time, batch, units]`."""
    return [_rnn(frames @ kernel + bias, *states, recurrent)]


def lstm(frames, states, kernel, recurrent, bias) -> list[tf.Tensor]:
    """Run an LSTM over `[time, batch, features]`: its h and its c, `[time, batch, units]`."""
    return _lstm(frames, *states, tf.concat([kernel, recurrent], 0), bias)


def gru(frames, states, kernel, recurrent, bias) -> list[tf.Tensor]:
    """Run a GRU (reset after) over `[time, batch, features]`: its h, `[time, batch, units]`."""
    return [_gru(frames @ kernel + bias[0], *states, recurrent, bias[1])]


@tf.custom_gradient
def _rnn(drive, begin, recurrent):
    """The states h = tanh(drive + h U), where `drive` is x W + b for all frames."""
    state = _loop(lambda h, x: (tf.tanh(x + h @ recurrent),) * 2, begin, [drive])

    def gradient(from_above):
        slope = 1 - state**2
        arrived = _arrived(from_above, None, slope, recurrent)
        inside = arrived[1:] * slope
        return inside, arrived[0], _weights(begin, state, inside)

    return state, gradient


@tf.custom_gradient
def _gru(drive, begin, recurrent, bias):
    """The states of z, r = σ(drive + h U + b), c = tanh(drive + r (h U + b)), z h + (1 - z) c."""
    units = begin.shape[1]

    def gates(x, h):
        zr, candidate = tf.split(h @ recurrent + bias, [2 * units, units], axis=-1)
        x_zr, x_candidate = tf.split(x, [2 * units, units], axis=-1)
        z, r = tf.split(tf.sigmoid(x_zr + zr), 2, axis=-1)
        return z, r, candidate, tf.tanh(x_candidate + r * candidate)

    def step(h, x):
        z, _, _, c = gates(x, h)
        h = c + z * (h - c)
        return h, h

    state = _loop(step, begin, [drive])

    def gradient(from_above):
        before = tf.concat([begin[None], state[:-1]], 0)
        z, r, candidate, c = gates(drive, before)  # all frames at once: cheaper than to keep them
        to_c = (1 - z) * (1 - c**2)
        to_z, to_r = (before - c) * z * (1 - z), to_c * candidate * r * (1 - r)
        slopes = tf.concat([to_z, to_r, to_c * r], 2)
        arrived = _arrived(from_above, z, slopes, recurrent)
        inside = tf.tile(arrived[1:], [1, 1, 3]) * slopes
        outside = tf.concat([inside[..., : 2 * units], arrived[1:] * to_c], 2)
        weights = _weights(begin, state, inside)
        return outside, arrived[0], weights, tf.reduce_sum(inside, [0, 1])

    return state, gradient


@tf.custom_gradient
def _lstm(frames, begin, cell, weights, bias):
    """TensorFlow's own LSTM, whose gates stand in the order i, c, f, o (in Keras: i, f, c, o)."""
    none = tf.zeros_like(bias[: begin.shape[1]])
    given = {
        "seq_len_max": tf.shape(frames, tf.int64)[0],
        **{"x": frames, "h_prev": begin, "cs_prev": cell, "use_peephole": False},
        **{"w": _other_order(weights), "b": _other_order(bias)},
        **{"wci": none, "wcf": none, "wco": none},
    }
    made = tf.raw_ops.BlockLSTM(**given, forget_bias=0, cell_clip=-1)

    def gradient(from_h, from_c):
        kept = made._asdict()
        found = tf.raw_ops.BlockLSTMGrad(**given, **kept, h_grad=from_h, cs_grad=from_c)
        begins = found.h_prev_grad, found.cs_prev_grad
        return found.x_grad, *begins, _other_order(found.w_grad), _other_order(found.b_grad)

    return [made.h, made.cs], gradient


def _other_order(weights):
    """Swap the second and the third of the four gates."""
    first, second, third, fourth = tf.split(weights, 4, axis=-1)
    return tf.concat([first, third, second, fourth], -1)


def _loop(step: Callable, state: tf.Tensor, sequences: Sequence, *, backwards=False) -> tf.Tensor:
    """Carry a state through `[time, batch, …]`: step(state, *frame) → the next state, and a row.

    Returns:
        The rows, `[time, batch, …]`.
    """
    time = tf.shape(sequences[0])[0]
    turns = (time + BLOCK - 1) // BLOCK
    filled = [tf.pad(each, [[0, turns * BLOCK - time], [0, 0], [0, 0]]) for each in sequences]
    batch = state.shape[0]  # None where it is not known yet
    sizes = [[turns, BLOCK, batch or -1, each.shape[2]] for each in filled]
    blocks = [tf.reshape(each, size) for each, size in zip(filled, sizes)]
    order = -1 if backwards else 1

    def turn(count, state, rows):
        place, kept = (turns - 1 - count if backwards else count), []
        frames = zip(*(tf.unstack(block[place], BLOCK) for block in blocks))
        for frame in list(frames)[::order]:
            state, row = step(state, *frame)
            kept.append(row)
        return count + 1, state, rows.write(place, tf.stack(kept[::order]))

    rows = tf.TensorArray(tf.float32, turns, element_shape=[BLOCK, *state.shape])
    begin = (0, state, rows)
    return tf.while_loop(lambda count, *_: count < turns, turn, begin)[2].concat()[:time]


def _arrived(from_above, kept, slopes, recurrent):
    """The gradient that arrives at each state, from above and from the frames after it.

    Args:
        from_above: `[time, batch, units]`.
        kept: the same shape, the share of a state that stays in the next; None for none.
        slopes: `[time, batch, n * units]`, of the n sums in front of the gates.

    Returns:
        `[1 + time, batch, units]`, that at the state before the first frame in front.
    """
    back, times = tf.transpose(recurrent), slopes.shape[2] // from_above.shape[2]
    sequences = [from_above, slopes] if kept is None else [from_above, slopes, kept]

    def step(later, above, slope, stays=None):
        here = later + above
        through_weights = (tf.concat([here] * times, 1) * slope) @ back
        return through_weights + (0.0 if stays is None else here * stays), here

    arrived = _loop(step, tf.zeros_like(from_above[0]), sequences, backwards=True)
    first = [each[0] for each in sequences[1:]]
    before = step(arrived[0], tf.zeros_like(arrived[0]), *first)[0]
    return tf.concat([before[None], arrived], 0)


def _weights(begin, state, inside):
    """The gradient of the recurrent weights: outer products of each state before and its sums."""
    before = tf.concat([begin[None], state[:-1]], 0)
    rows = [tf.reshape(each, [-1, each.shape[2]]) for each in (before, inside)]
    return tf.matmul(*rows, transpose_a=True)


def _inner_loop(layer, sequences, initial_state, mask=None, training=False):
    """What Keras calls once a layer: the last output, the outputs, and the last states."""
    kind = next(each for each in LAYERS if isinstance(layer, each))
    if not _is_usual(layer, sequences):
        return KERAS_LOOPS[kind](layer, sequences, initial_state, mask, training)
    run = {LAYERS[0]: rnn, LAYERS[1]: lstm, LAYERS[2]: gru}[kind]
    if kind is keras.layers.LSTM:
        layer.supports_jit = False
    states, cell = keras.tree.flatten(initial_state), layer.cell
    mask = keras.tree.flatten(mask)[0] if keras.tree.flatten(mask) else None
    weights = cell.kernel, cell.recurrent_kernel, cell.bias
    if layer.go_backwards:
        sequences = sequences[:, ::-1]
        mask = None if mask is None else mask[:, ::-1]
    if mask is None:
        mask = tf.ones(tf.shape(sequences)[:2], bool)
    frames, counts = _in_front(sequences, mask)
    traced = _traced_once(run, frames.shape[2], layer.units, len(states))
    ran = traced(tf.transpose(frames, [1, 0, 2]), states, *map(tf.convert_to_tensor, weights))
    last = [_after(ran_one, begin, counts) for ran_one, begin in zip(ran, states)]
    output = _after(ran[0], tf.zeros_like(states[0]), counts)
    outputs = _in_place(ran[0], mask) if layer.return_sequences else output[:, None]
    if layer.zero_output_for_mask:
        shown = tf.cast(mask, tf.float32)[..., None]
        output, outputs = output * shown[:, -1], outputs * shown[:, -tf.shape(outputs)[1] :]
    return output, outputs, last


@functools.cache
def _traced_once(run, features, units, n_states):
    """A loop over frames for all layers of one size, traced in a graph of its own.

    TensorFlow never forgets a custom gradient, nor the graph that it was traced in. In the graph
    of a model's training it would keep that model, and the next, as long as the kernel lives.
    """
    gates = {rnn: 1, lstm: 4, gru: 3}[run] * units
    bias = [2, gates] if run is gru else [gates]
    shapes = [features, gates], [units, gates], bias
    states = [tf.TensorSpec([None, units])] * n_states
    signature = [tf.TensorSpec([None, None, features]), states, *map(tf.TensorSpec, shapes)]
    return tf.function(run, input_signature=signature, autograph=False)


def _is_usual(layer, sequences):
    """Whether a layer is as Keras makes it by default, but for its size and what it returns."""
    cell = layer.cell
    return (
        type(cell) in CELLS
        and layer.compute_dtype == sequences.dtype == "float32"
        and cell.activation is keras.activations.tanh
        and getattr(cell, "recurrent_activation", None) in (None, keras.activations.sigmoid)
        and getattr(cell, "reset_after", True)
        and cell.bias is not None
        and not (cell.dropout or cell.recurrent_dropout or layer.unroll)
    )


def _in_front(sequences, mask):
    """Move the frames that count to the front of `[batch, time, …]`, zeros behind; and how many."""
    order = tf.argsort(tf.cast(mask, tf.int32), direction="DESCENDING", stable=True)
    counts = tf.reduce_sum(tf.cast(mask, tf.int32), 1)
    counted = tf.sequence_mask(counts, tf.shape(mask)[1])
    return tf.where(counted[..., None], tf.gather(sequences, order, batch_dims=1), 0), counts


def _after(ran, begin, counts):
    """The rows of `[time, batch, units]` after so many frames, those of `begin` after none."""
    places = tf.stack([counts, tf.range(tf.size(counts))], 1)
    return tf.gather_nd(tf.concat([begin[None], ran], 0), places)


def _in_place(ran, mask):
    """Outputs at the frames of a mask; at the others the last one before it, or zeros."""
    padded = tf.pad(tf.transpose(ran, [1, 0, 2]), [[0, 0], [1, 0], [0, 0]])
    return tf.gather(padded, tf.cumsum(tf.cast(mask, tf.int32), axis=1), batch_dims=1)
