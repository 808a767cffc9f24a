# %% [markdown]
# # 07 · GRU
#
# The LSTM of lesson 06 carries two rows of numbers and opens three gates. The GRU (*gated recurrent unit*, Cho and others
# 2014) carries one row and opens two. What is left out, what does it cost, and does its gate hold the state when there is
# nothing to hear?
#
# **You will**
# - compute a GRU by hand in both its forms, and find the same numbers as `keras.layers.GRU`;
# - derive how many parameters each form has, see why one has two biases, and compare with the LSTM and the vanilla RNN;
# - put a silence into the middle of clips, and measure what the update gate does and how far the state moves.
#
# **Minutes:** 35, of which the computer takes about a quarter of one (exercises 3 and 4 take 10 more). **You need:** lessons 03, 04 and 06.

# %% [markdown] tags=["slide", "only-slides"]
# ## What can be left out?
# - One row of numbers, two gates
# - What does it cost to leave the rest out?
# - Does a gate hold the state in a silence?

# %% [markdown] tags=["notes"]
# Ask the class to close the books and say what an LSTM carries and opens: two rows (state and cell), three gates. Then: which of these five would you leave out?

# %% tags=["setup"]
import setup_course

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np

from course_lib import audio, batches, data, evaluation, models, plots, training
from course_lib.extra import microscope

# %%
train, validation, test = data.load_parts("digits")

# %% [markdown]
# ## One row, two gates
#
# For every frame, the GRU works out three things, each a number for each unit:
# - the [*update gate*](../docs/glossary.md#update-gate), a soft switch from 0 to 1: how much of the old state to KEEP;
# - the [*reset gate*](../docs/glossary.md#reset-gate), another one: how much of the old state the candidate may look at;
# - the *candidate*, from -1 to 1: what the new state would be if nothing were kept.
#
# The new state lies between the old state and the candidate, and the update gate says where:
#
#     new state = update * state + (1 - update) * candidate
#
# An LSTM has a gate for forgetting and another for letting in. Here one gate does both: what is kept and what is let in
# always add up to 1. There is no output gate and no separate cell: the state is the memory.
#
# **A trap.** Here, as in Keras and in Cho and others (2014), an update gate near 1 keeps. Chung and others (2014) write it
# the other way round: theirs near 1 replaces. The networks are the same; the word "update" then means the opposite. Look at
# the formula before you read a picture of gates. Exercise 1 translates.
#
# ## By hand, twice
#
# There are two forms, and Keras has both. They differ in when the reset gate comes in. (Both are Cho and others 2014: the first version of the paper resets
# after, the third before.) In the *reset-before* form, the gate is applied to the STATE, *before* the state is multiplied by its weights. Keras keeps the weights of update gate, reset gate and candidate
# side by side, in this order.

# %% [markdown] tags=["slide", "only-slides"]
# ## The new state lies between two values
# - `new state = update * state + (1 - update) * candidate`
# - Update near 1: KEEP. (In Keras. In Chung 2014: replace.)
# - Reset: how much of the past the candidate may see
# - No output gate, no cell: the state is the memory

# %% [markdown] tags=["notes"]
# Draw a line with the old state at one end and the candidate at the other; the update gate slides a bead along it. At 1 the bead sits on the OLD state. Ask everybody to point to the
# end where 'update = 0.99' puts it: the word 'update' tempts to the wrong one.


# %%
def sigmoid(sums):
    """A soft switch, from 0 to 1."""
    return 1 / (1 + np.exp(-sums))


def step_before(frame, state, kernel, recurrent_kernel, bias):
    """One step of the reset-before form: reset, then multiply."""
    update, reset, candidate = np.split(frame @ kernel + bias, 3)
    for_update, for_reset, for_candidate = np.split(recurrent_kernel, 3, axis=1)
    update = sigmoid(update + state @ for_update)
    reset = sigmoid(reset + state @ for_reset)
    candidate = np.tanh(candidate + (reset * state) @ for_candidate)
    return update * state + (1 - update) * candidate


# %% [markdown]
# In the *reset-after* form it is applied to the PRODUCT, *after* the multiplication. So one product serves all three, `state @
# recurrent_kernel`, and a second row of biases belongs to it.

# %% [markdown] tags=["slide", "only-slides"]
# ## Reset after: multiply, then reset
# - Two rows of biases. Guess: which second biases are superfluous?


# %% tags=["more"]
def step_after(frame, state, kernel, recurrent_kernel, biases):
    """One step of the reset-after form: multiply, then reset."""
    frame_bias, state_bias = biases
    update, reset, candidate = np.split(frame @ kernel + frame_bias, 3)
    past_update, past_reset, past_candidate = np.split(
        state @ recurrent_kernel + state_bias, 3
    )
    update = sigmoid(update + past_update)
    reset = sigmoid(reset + past_reset)
    candidate = np.tanh(candidate + reset * past_candidate)
    return update * state + (1 - update) * candidate


# %% [markdown] tags=["notes"]
# Circle the one place where the forms differ: reset * past_candidate, here after the multiplication, in the other form reset * state before it. Guess, part by part: if the second
# bias of update, reset, candidate moves into the first row, do the states stay?


# %%
def read_by_hand(step, frames, weights):
    """The state after each frame, [frames, units]."""
    state = np.zeros(weights[1].shape[0])
    states = []
    for frame in frames:
        state = step(frame, state, *weights)
        states.append(state)
    return np.array(states)


sixes = validation[validation.label == "6"]
clip = sixes.loc[(sixes.seconds - 0.487).abs().idxmin()]  # of about half a second
frames = (clip.frames - models.TYPICAL_LOG_MEL) / models.SPREAD_LOG_MEL
print("a six, [frames, bands]:", list(frames.shape))

# %% [markdown]
# Keras calls the forms `reset_after=False` and `reset_after=True`. **Predict, then run:** which of the two do you get if you
# do not say? The biases are random here, so that a forgotten one would show.

# %%
built = {}
for step, after in {step_before: False, step_after: True}.items():
    keras.utils.set_random_seed(1)
    layer = keras.layers.GRU(
        16, reset_after=after, return_sequences=True, bias_initializer="random_normal"
    )
    by_keras = keras.ops.convert_to_numpy(layer(frames[None]))[0]
    built[after] = layer.get_weights()
    by_hand = read_by_hand(step, frames, built[after])
    np.testing.assert_allclose(by_hand, by_keras, atol=1e-5)
    shapes = [list(weights.shape) for weights in built[after]]
    apart = f"apart by {np.abs(by_hand - by_keras).max():.0e} at most"
    print(f"reset_after={after}: {apart}; weights {shapes}")
print(f"by default: reset_after={keras.layers.GRU(16).reset_after}")

# %% [markdown]
# Both agree. The kernels have three columns for each unit; the reset-after form has two rows of biases.
#
# ## Do the forms differ at all?
#
# Give both the same kernels and the same biases, the second row being zeros. **Predict, then run:** at which frame do their
# states part, if they do?

# %%
kernel, recurrent_kernel, bias = built[False]
two_rows = np.stack([bias, np.zeros_like(bias)])
one_form = read_by_hand(step_before, frames, (kernel, recurrent_kernel, bias))
the_other = read_by_hand(step_after, frames, (kernel, recurrent_kernel, two_rows))
apart = np.abs(one_form - the_other).max(axis=1)
print("the largest difference after frames 0, 1, 2, 10:", apart[[0, 1, 2, 10]].round(4))

# %% [markdown]
# After frame 0 they are alike: the state before was zeros, and there was nothing to reset. From then on they are two
# different networks. Weights that were trained in one form cannot be used in the other.
#
# ## Why two biases?
#
# The two rows look wasteful: one bias for the frame, one for the state, and both are added. So move a part of the second row
# into the first. **Predict, then run:** for which of the three parts do the states stay as they were?

# %% [markdown] tags=["slide", "only-slides"]
# ## Two of three move; and the bill
# - A gate's two biases are added: only the sum counts
# - The candidate's stands inside the bracket that reset multiplies
# - Sets of weights: RNN 1, GRU 3, LSTM 4

# %% tags=["more", "no-code"]
kernel, recurrent_kernel, biases = built[True]
as_before = read_by_hand(step_after, frames, built[True])
for position, part in enumerate(["update gate", "reset gate", "candidate"]):
    columns = slice(16 * position, 16 * (position + 1))
    moved = biases.copy()
    moved[0, columns] += moved[1, columns]
    moved[1, columns] = 0
    now = read_by_hand(step_after, frames, (kernel, recurrent_kernel, moved))
    change = f"states change by {np.abs(now - as_before).max():.0e}"
    print(f"second bias of the {part:>11} moved into the first: {change}")

# %% [markdown]
# For the gates only the sum counts: up to rounding nothing changes. For the candidate the second bias stands inside the
# bracket that the reset gate multiplies, `reset * (state @ … + bias)`, so it cannot be moved out. The reset-after form needs one
# more bias a unit, and is given three.
#
# Why is that form the default, then? NVIDIA's library for GPUs, cuDNN, computes it with both biases, and `reset_after=True`
# is the form that Keras's documentation names as compatible with cuDNN: the same weights then run there, and on a processor.
# One product in place of two at each step is also less to wait for. (This machine has no say in that: the lesson measures no
# GPU.)
#
# ## Count
#
# Per unit, one set of weights is a weight for each band, one for each unit, and a bias. The vanilla RNN has one such set, the
# LSTM four, the GRU three.


# %% tags=["more", "no-code"]
def one_set(bands, units):
    """The parameters of a vanilla RNN layer: one set of weights."""
    return bands * units + units * units + units


counts = {
    "SimpleRNN": one_set(40, 64),
    "GRU, reset_after=False": 3 * one_set(40, 64),
    "GRU, reset_after=True": 3 * one_set(40, 64) + 3 * 64,
    "LSTM": 4 * one_set(40, 64),
}
for name, number in counts.items():
    share = number / counts["LSTM"]
    print(f"{name:>23}: {number:>6,} parameters, {share:.0%} of the LSTM's")

# %% [markdown] tags=["notes"]
# Point to `reset * (state @ … + bias)` on the slide before. The first lines print it: for the gates nothing changes but rounding; for the candidate the states do. Then the counts:
# why 76 % and not 75 %? The second row of biases: 3 * 64.

# %%
layers = {
    "SimpleRNN": keras.layers.SimpleRNN(64),
    "GRU, reset_after=False": keras.layers.GRU(64, reset_after=False),
    "GRU, reset_after=True": keras.layers.GRU(64),
    "LSTM": keras.layers.LSTM(64),
}
for name, layer in layers.items():
    layer.build([None, None, 40])
    assert layer.count_params() == counts[name], name
print(f"all {len(layers)} counts are Keras's")

# %% [markdown]
# ## Train one
#
# 64 units, the reset-after form. As after every model since lesson 04, the mask is checked first: padding must not change an answer.

# %%
keras.utils.set_random_seed(0)
model = models.gru(train.label.nunique())
change = evaluation.check_mask(model, batches.pad(list(validation.frames[:8])))
print(
    f"{model.count_params():,} parameters; "
    f"padding changes a logit by {change:.0e} at most"
)

# %% [markdown]
# The next cell takes about five seconds.

# %%
history = training.fit(
    model,
    train=batches.bucketed(train.frames, train.label),
    validation=batches.bucketed(validation.frames, validation.label),
    epochs=6,
)
change = evaluation.check_mask(model, batches.pad(list(validation.frames[:8])))
print(f"trained; padding changes a logit by {change:.0e} at most")

# %%
score = evaluation.evaluate(model, test)
evaluation.Results().add(
    lesson="07",
    model=model.name,
    data=train.source.iloc[0],
    split="official",
    score=score,
    parameters=model.count_params(),
)
print(f"six epochs, one seed, the official test: {score}")

# %% [markdown]
# One run, one seed. Whether GRU or LSTM is better cannot be told from it; lesson 08 compares them with several.
#
# ## The gates over a clip
#
# `microscope.gates` works out both gates at each frame, as `step_after` does. The units are sorted, those that keep most at
# the top.

# %%
inside = microscope.gates(model, clip.frames)
by_hand = read_by_hand(step_after, frames, model.get_layer("gru").get_weights())
np.testing.assert_allclose(inside["state"], by_hand, atol=1e-5)
order = inside["update"].mean(axis=0).argsort()
in_order = {name: inside[name][:, order] for name in ["update", "reset"]}
figure = plots.gates(clip.frames, in_order, title=f'"six", {clip.group}')
kept = inside["update"].mean(axis=0)
plots.show(
    figure,
    "averaged over the clip, update gates lie between "
    f"{kept.min():.2f} and {kept.max():.2f}",
)

# %% [markdown]
# Look along the rows of the update gate: some units keep more than others, and many change with the sound.
#
# ## In a silence
#
# Put a silence of 300 ms, thirty frames, into the middle of the clip: digital silence, every energy 0, which counts as
# `np.log(audio.LOG_OFFSET)`. Nothing is said in it, and what was heard before must last until the word goes on.
#
# **Predict, then run.** Averaged over the units, will the update gate be higher in the silence than outside it (keep!),
# lower, or the same? How near to 1?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: 300 ms of silence, put into a clip
# - Averaged over the units: is the update gate …
# - higher in the silence (keep!), lower, or the same?
# - How near to 1?

# %% [markdown] tags=["notes"]
# Everybody writes a direction and a number. Expect 'higher', and a number near 1. Ask why: because it would be sensible. Nobody told the network.

# %%
LENGTH = 30  # frames: 300 ms


def insert(frames, pause):
    """The clip with other frames in its middle."""
    middle = len(frames) // 2
    return np.concatenate([frames[:middle], pause, frames[middle:]])


silence = np.full([LENGTH, audio.N_MELS], np.log(audio.LOG_OFFSET), np.float32)
paused = insert(clip.frames, silence)
within = insert(np.zeros(len(clip.frames), bool), np.ones(LENGTH, bool))
print(
    f"{len(clip.frames)} frames, and {within.sum()} of "
    f"silence in their middle: {list(paused.shape)}"
)

# %% [markdown] tags=["slide", "only-slides"]
# ## One clip: it rises, and stays far from 1
# - Middle of the clip: thirty frames of digital silence

# %% tags=["more", "no-code"]
update = microscope.gates(model, paused)["update"].mean(axis=1)
figure = plots.under_frames(
    paused, {"update gate": update}, unit="mean over units", title="a silence put in"
)
in_it, outside = update[within].mean(), update[~within].mean()
fact = f"in the silence the gate is {in_it:.2f} on average"
plots.show(figure, f"{fact}, outside it {outside:.2f}")

# %% [markdown] tags=["notes"]
# Ask: what else differs between the pause and the rest, besides silence? Nothing changes in it. What experiment would tell the two apart? Wait for 'hold a sound still'.

# %% [markdown]
# That is one clip. Now 120 validation clips, with a second question: is it the SILENCE, or only that nothing changes? For
# comparison, the frame before the pause is *held* for as long: a sound that stands still.


# %%
def look(frames, pause):
    """Update gates in the pause and outside it, and the states around and in it."""
    values, middle = microscope.gates(model, insert(frames, pause)), len(frames) // 2
    inner = values["update"][middle : middle + LENGTH]
    outer = np.delete(values["update"], slice(middle, middle + LENGTH), axis=0)
    return inner, outer, values["state"][middle - 1 : middle + LENGTH]


shapes = [list(part.shape) for part in look(clip.frames, silence)]
print("gates in the pause, outside it, and states:", *shapes)


# %%
def hold(frames):
    """The frame before the clip's middle, as often as a pause has frames."""
    return np.tile(frames[len(frames) // 2 - 1], [LENGTH, 1])


chosen = validation.sample(120, random_state=0)
seen = {
    "silence": [look(one, silence) for one in chosen.frames],
    "held": [look(one, hold(one)) for one in chosen.frames],
}
print(
    f"{len(chosen)} clips, twice; states of a pause: {list(seen['held'][0][2].shape)}"
)

# %% [markdown] tags=["slide", "only-slides"]
# ## 120 clips: silence, or only stillness?
# - `held`: the frame before the pause, thirty times over
# - Guess: a gate of that mean, thirty times. How much is left?

# %% tags=["more", "no-code"]
for name, rows in seen.items():
    inner = np.array([row[0].mean() for row in rows])
    outer = np.array([row[1].mean() for row in rows])
    low, high = np.quantile(inner - outer, [0.05, 0.95])
    mean, share = (inner - outer).mean(), (inner > outer).mean()
    print(
        f"{name:>8}: update gate {inner.mean():.2f} in the pause, "
        f"{outer.mean():.2f} outside; the difference: {mean:+.2f}, "
        f"nine clips in ten from {low:+.2f} to {high:+.2f}"
    )
    print(f"{'':>8}  higher in the pause than outside: {share:.0%} of the clips")

# %% [markdown] tags=["notes"]
# It answers to the silence, not to the lack of change. The next cell of the lesson asks an untrained GRU: was it learned? Now the guess: let them say a share, then compute the power
# together on the board.

# %% [markdown]
# On the real recordings the gate goes up in the silence in nearly all clips, and where a sound stands still it does not, on average:
# it answers to the silence, and not to the lack of change. Has it LEARNED that? A GRU with random weights says how much of it was there before.

# %%
keras.utils.set_random_seed(0)
fresh = models.gru(train.label.nunique())
change = evaluation.check_mask(fresh, batches.pad(list(validation.frames.head(8))))
print(f"padding changes a logit by {change:.0e}")
differences = []
for one in chosen.frames[:40]:
    update = microscope.gates(fresh, insert(one, silence))["update"].mean(axis=1)
    pause = insert(np.zeros(len(one), bool), np.ones(LENGTH, bool))
    differences.append(update[pause].mean() - update[~pause].mean())
print(
    f"untrained, 40 clips: pause minus outside {np.mean(differences):+.2f} on average"
)

# %% [markdown]
# Compare the sizes. A difference that training has made much larger was learned, though nobody asked for it; a small difference of either sign may come
# from a random beginning.
#
# ## Does it hold the state?
#
# A gate above one half sounds like keeping. **Predict, then run.** The gate applies at EVERY frame. If the candidate were
# zero, what share of the state would be left after thirty frames with a gate of that size? And the real state: how far does
# it move in the pause, compared with its own distance from zero?

# %% [markdown] tags=["slide", "only-slides"]
# ## The state as a whole does not hold
# - Distance moved, divided by the state's own size
# - Guess: are single units near the mean, even, or at both ends?

# %% tags=["more", "no-code"]
gate = np.mean([row[0].mean() for row in seen["silence"]])
print(
    f"a gate of {gate:.2f}, thirty times over: {gate**LENGTH:.0e} of the state is left"
)
for name, rows in seen.items():
    states = np.array([row[2] for row in rows])  # [clips, frames, units]
    size = np.linalg.norm(states[:, 0], axis=1)
    ratio = np.linalg.norm(states[:, -1] - states[:, 0], axis=1) / size
    low, high = np.quantile(ratio, [0.05, 0.95])
    away = f"the state ends {ratio.mean():.2f} of its size away"
    print(f"{name:>8}: {away}; nine in ten: {low:.2f} to {high:.2f}")

# %% [markdown] tags=["notes"]
# 'More than half is kept' is true of ONE frame. Here is the power. But answers survive part of the time, so something must hold. Draw three small histograms: a hill at the mean, a
# flat one, a U. Vote.

# %% [markdown]
# The state of the average clip moves by about its own size. Here is the movement frame by frame.

# %%
moves = {}
for name, rows in seen.items():
    steps = [np.linalg.norm(np.diff(row[2], axis=0), axis=1) for row in rows]
    moves[name] = np.mean(steps, axis=0)
axes = plt.subplots(figsize=(9, 3), layout="constrained")[1]
for (name, values), style in zip(moves.items(), ["-", "--"]):
    axes.plot(np.arange(LENGTH) * 10, values, style, label=name)
axes.set(
    xlabel="time in the pause (ms)",
    ylabel="distance",
    title="how far the state moves in each frame of a pause",
)
axes.legend()
first, last = moves["silence"][0], moves["silence"][-1]
fact = f"{first:.2f} in the silence's first frame, {last:.2f} in its last"
plots.show(axes, f"mean of {len(chosen)} clips: {fact}")

# %% [markdown]
# The state jumps as the silence begins, and then comes to rest: somewhere else. If every unit had jumped to one place, whatever
# the word, nothing would be left of its first half. But an average over 64 units may be like the average of a full and an empty glass. **Predict,
# then run.** How are the gates of single units spread in the silence: all near the mean, evenly from 0 to 1, or at both ends?

# %% [markdown] tags=["slide", "only-slides"]
# ## There is no such thing as THE gate
# - An average of full and empty glasses
# - Guess: overwrite the units that hold, or the others. What hurts more?

# %% tags=["more", "no-code"]
each_unit = {}  # [clips, units]
for name, rows in seen.items():
    each_unit[name] = np.array([row[0].mean(axis=0) for row in rows])
axes = plt.subplots(figsize=(9, 3), layout="constrained")[1]
for (name, values), style in zip(each_unit.items(), ["-", "--"]):
    line = {"histtype": "step", "linewidth": 1.8, "linestyle": style}
    axes.hist(values.ravel(), bins=40, range=(0, 1), label=name, **line)
axes.set(xlabel="update gate, averaged over the pause", ylabel="units of all clips")
axes.set_title("update gates in a pause")
axes.legend()
above = {name: (values > 0.9).mean() for name, values in each_unit.items()}
below = {name: (values < 0.1).mean() for name, values in each_unit.items()}
shares = f"{above['silence']:.0%} of the gates are above 0.9"
fact = f"in the silence {shares} and {below['silence']:.0%} below 0.1"
plots.show(
    axes, f"{fact}; in the held frame {above['held']:.0%} and {below['held']:.0%}"
)

# %% [markdown] tags=["notes"]
# A U. The caption has the shares above 0.9 and below 0.1. Ask: are the units at the right memory, or are they idle? How would you find out? Wait for 'take it away and look what
# breaks'.

# %% [markdown]
# There is no such thing as THE gate. So part the units by their gate in the silence, and measure again how far each number of
# the state moves.

# %%
# [clips, units]
moved = np.array([np.abs(row[2][-1] - row[2][0]) for row in seen["silence"]])
gates = each_unit["silence"]
for low, high in [(0, 0.5), (0.5, 0.9), (0.9, 0.97), (0.97, 1)]:
    these = (gates >= low) & (gates <= high)
    by_clip = [row[here].mean() for row, here in zip(moved, these) if here.any()]
    least, most = np.quantile(by_clip, [0.05, 0.95])
    part = f"{these.mean():>4.0%} of the gates"
    print(
        f"gate from {low:.2f} to {high:.2f}: {part}; units move by "
        f"{np.mean(by_clip):.2f}, in nine clips of ten by {least:.2f} to {most:.2f}"
    )

# %% [markdown]
# A unit's number lies between -1 and 1, so 2 is the farthest that it can go. On the real recordings the units with a gate
# very near 1 hardly move at all, and there are many of them; the others go far. What one unit forgets another may keep.
#
# Is that memory, or are these units idle? **Predict, then run.** At the end of the silence, one part of each clip's state is
# replaced by the mean over all these clips, which knows nothing of this one; then the word's second half is read. Which
# replacement hurts more: that of the units that held, or that of all the others?

# %%
weights = model.get_layer("gru").get_weights()
to_logits, logit_bias = model.get_layer("logits").get_weights()


def finish(one, state):
    """The answer after the clip's second half, read from a state."""
    half = one[len(one) // 2 :]
    for frame in (half - models.TYPICAL_LOG_MEL) / models.SPREAD_LOG_MEL:
        state = step_after(frame, state, *weights)
    return (state @ to_logits + logit_bias).argmax()


at_end = look(clip.frames, silence)[2][-1]
heard = train.label.cat.categories[finish(clip.frames, at_end)]
print(
    f"the six, its second half read from the state at the end of the silence: {heard}"
)

# %% [markdown] tags=["slide", "only-slides"]
# ## Memory, or idle? Replace and see
# - Replaced by the mean over clips: knows nothing of this one
# - Last line: what the second half of the word tells alone

# %% tags=["more", "no-code"]
rested = np.array([row[2][-1] for row in seen["silence"]])
held = gates > 0.97
none = np.zeros_like(held)
parts = {
    "nothing": none,
    "those that held": held,
    "all the others": ~held,
    "everything": ~none,
}
for name, replaced in parts.items():
    states = np.where(replaced, rested.mean(axis=0), rested)
    answers = [finish(one, state) for one, state in zip(chosen.frames, states)]
    right = evaluation.score(np.array(answers) == chosen.label.cat.codes)
    print(f"replaced: {name:>15} ({replaced.mean():>3.0%}): {right}")

# %% [markdown] tags=["notes"]
# Read the lines with their intervals. Losing the holding units costs; losing the others cannot be told from losing nothing. One training run, one seed, a pause that training never
# showed: say all three.

# %% [markdown]
# The last line is what the second half of the word tells alone. Compare the lines with their intervals. On the real recordings it hurts to lose what the holding units hold, and to lose the
# rest costs nothing that can be told from chance: what the others may still hold at the end of the silence is not needed. So
# some units do hold, and what they hold is used.
#
# For how long? **Predict, then run:** the share of right answers with longer and longer silences.

# %%
for length in [0, 10, 30, 100]:
    longer = np.full([length, audio.N_MELS], np.log(audio.LOG_OFFSET), np.float32)
    paused = [insert(one, longer) for one in validation.frames]
    answers = evaluation.predict(model, paused).argmax(axis=1)
    right = evaluation.score(answers == validation.label.cat.codes)
    print(f"{length * 10:>5} ms of silence: {right}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Exercise 2: which gate would hold?
# - Suppose the candidate is 0
# - `gate_to_keep(share, count)`: the gate that leaves `share` after `count` frames
# - Guess first: half after thirty frames. What gate?

# %% [markdown] tags=["notes"]
# Five minutes. The commonest slip is 1 - 0.5/30, equal portions; the check says so. The line that the check prints has the gate for 30 frames and this model's mean. Exercises 1, 3 and 4 are for those
# who are quicker, or for home.

# %% [markdown]
# An honest summary. "In a silence the update gate keeps" is right in its direction: the mean rises in nearly every clip. The
# mean is no measure of memory, though: it stays far from 1, and the state as a whole moves by about its own size. Under the
# mean there are units that hold and units that let go. The holding ones carry the word across, not always, and the longer the
# pause the less often. All this is ONE training run, of a model that was never shown such a pause: nothing in its training
# asked it to wait. Look at the units, and measure the state.
#
# ## Exercises
#
# **Exercise 1.** In the convention of Chung and others (2014) the last line of a step reads the other way round:


# %%
def step_swapped(frame, state, kernel, recurrent_kernel, biases):
    """One step of the reset-after form in which an update gate near 1 REPLACES."""
    frame_bias, state_bias = biases
    update, reset, candidate = np.split(frame @ kernel + frame_bias, 3)
    past_update, past_reset, past_candidate = np.split(
        state @ recurrent_kernel + state_bias, 3
    )
    update = sigmoid(update + past_update)
    reset = sigmoid(reset + past_reset)
    candidate = np.tanh(candidate + reset * past_candidate)
    return (1 - update) * state + update * candidate


by_hand = read_by_hand(step_after, frames, built[True])
swapped = read_by_hand(step_swapped, frames, built[True])
apart = np.abs(by_hand - swapped).max()
print(f"the same weights, the other convention: states up to {apart:.2f} apart")

# %% [markdown]
# Write `translate(kernel, recurrent_kernel, biases)`: three arrays with which `step_swapped` gives the states that
# `step_after` gives with these. The first third of the columns belongs to the update gate, and `1 - sigmoid(x)` is
# `sigmoid(-x)`.


# %% tags=["solution"]
def translate(kernel, recurrent_kernel, biases):
    """The weights for step_swapped: kernel, recurrent_kernel, biases."""
    units = kernel.shape[1] // 3
    signs = np.repeat([-1, 1, 1], units)
    return kernel * signs, recurrent_kernel * signs, biases * signs


# %% tags=["check"]
translated = translate(*(weights.copy() for weights in built[True]))
assert isinstance(translated, (tuple, list)) and len(translated) == 3, (
    "return kernel, recurrent_kernel and biases"
)
found = [weights.shape for weights in translated]
assert found == [weights.shape for weights in built[True]], (
    f"the shapes should stay as they were, found {found}"
)
of_update, others = (np.s_[..., :16], np.s_[..., 16:])
turned = [
    np.allclose(new[of_update], -old[of_update])
    for new, old in zip(translated, built[True])
]
assert any(turned), (
    "the update gate's columns do not turn it round: "
    "when is the gate 1 minus what it was?"
)
assert all(turned), (
    "what goes into the gate is a sum of three terms; turned so far, "
    f"of kernel, recurrent_kernel and biases: {turned}"
)
kept = all(
    np.allclose(new[others], old[others]) for new, old in zip(translated, built[True])
)
assert kept, (
    "other columns have changed: do reset gate and candidate differ between the two?"
)
away = np.abs(read_by_hand(step_swapped, frames, translated) - by_hand).max()
assert away < 1e-5, f"the states are still {away:.2g} apart"
random = np.random.default_rng(2)
small = [random.normal(size=size) for size in ([3, 15], [5, 15], [2, 15])]
few = random.normal(size=[7, 3])
expected = read_by_hand(step_after, few, small)
try:
    of_small = translate(*(weights.copy() for weights in small))
    found = read_by_hand(step_swapped, few, of_small)
except (ValueError, IndexError) as error:
    raise AssertionError(f"a GRU of another size does not fit: {error}") from None
assert np.allclose(found, expected), (
    "right for 16 units, wrong for a GRU of another size: "
    "where does the first third end?"
)
print(f"translated: states {away:.0e} apart; the two conventions are one network")

# %% [markdown]
# **Exercise 2.** Which gate would hold through the pause? Suppose the candidate is 0. Write `gate_to_keep(share, count)`: the
# size that the update gate must have so that `share` of the state is left after `count` frames. Guess first: half of the
# state after thirty frames, what gate?


# %% tags=["solution"]
def gate_to_keep(share, count):
    """The update gate with which a share of the state is left after so many frames."""
    return share ** (1 / count)


# %% tags=["check"]
answer = gate_to_keep(0.5, 30)
assert answer is not None, "gate_to_keep should return a number from 0 to 1"
assert np.isclose(gate_to_keep(0.5, 1), 0.5), (
    "after ONE frame with a gate of 0.5 half is left, also in your function"
)
assert not np.isclose(answer, 1 - 0.5 / 30), (
    "not in equal portions: each frame keeps a share of what is LEFT"
)
assert not np.isclose(answer, 1 - 0.5 ** (1 / 30)), (
    "that is what each frame replaces; near 1 KEEPS here"
)
assert not np.isclose(answer, 0.5**30), (
    "that is what a gate of 0.5 leaves; asked is the gate that leaves a half"
)
assert np.isclose(gate_to_keep(0.9, 10) ** 10, 0.9), (
    "with a share of 0.9 something else is left: use `share`"
)
assert np.isclose(answer**30, 0.5), (
    f"with a gate of {answer:.3f}, {answer**30:.3f} is left after 30 frames, not 0.5"
)
for share_left, frame_count in [(0.01, 3), (0.2, 250), (0.75, 17), (1.0, 9)]:
    left = gate_to_keep(share_left, frame_count) ** frame_count
    assert np.isclose(left, share_left), (
        "for another share and count it is wrong: let the gate act frame by frame"
    )
print(
    f"half after 30 frames: {answer:.3f}; after 100: {gate_to_keep(0.5, 100):.3f}; "
    f"this model's mean: {gate:.2f}"
)

# %% [markdown]
# **Exercise 3.** Does the update gate follow the loudness all through a clip, without any silence put in? For each of the
# clips in `forty`, take the correlation (`np.corrcoef(…)[0, 1]`) of two curves: the mean of the clip's frames over the bands,
# and the mean of the update gate over the units. Set `follows` to the median of the forty. Guess its sign first.

# %%
forty = list(chosen.frames[:40])
print(f"{len(forty)} clips, the first with [frames, bands] = {list(forty[0].shape)}")

# %% tags=["solution"]
correlations = []
for one in forty:
    update = microscope.gates(model, one)["update"].mean(axis=1)
    correlations.append(np.corrcoef(one.mean(axis=1), update)[0, 1])
follows = np.median(correlations)

# %% tags=["check"]
assert isinstance(follows, float), (
    "`follows` should be one number, not one for each clip"
)
assert abs(follows) <= 1, (
    f"a correlation lies between -1 and 1, you found {follows:.2f}"
)
of_each = {"update": [], "reset": [], "state": []}
for one in forty:
    values = microscope.gates(model, one)
    for name, found in of_each.items():
        curve = values[name].mean(axis=1)
        found.append(np.corrcoef(one.mean(axis=1), curve)[0, 1])
truth = np.array(of_each["update"])
of_reset, of_state = (np.median(of_each[name]) for name in ("reset", "state"))
slips = {
    'that is the reset gate: take the entry "update"': of_reset,
    'that is the state: take the entry "update"': of_state,
    "that is the mean of the forty: the median is asked": truth.mean(),
    "that is the first clip alone: all forty are asked": truth[0],
    "the size is right, and the sign is not": -np.median(truth),
}
right = np.isclose(follows, np.median(truth))
for slip, value_of_slip in slips.items():
    assert right or not np.isclose(follows, value_of_slip), slip
assert right, (
    f"found {follows:.2f}: do both curves have one value a frame, "
    "and is no pause put in?"
)
print(
    f"median {follows:.2f}, from {truth.min():.2f} to {truth.max():.2f}; "
    f"the reset gate: {of_reset:.2f}"
)

# %% [markdown]
# A negative number says: the louder, the less is kept and the more is let in. The gate listens for sound. That it would do so
# was in no rule.
#
# **Exercise 4.** A GRU has three sets of weights, an LSTM four. Set `units` to the largest number of units of a
# `keras.layers.GRU` in its default form, on 40 bands, that has no more parameters than an LSTM layer with 64. Guess first: 64
# times 4/3?

# %% tags=["solution"]
units = max(
    size
    for size in range(1, 200)
    if 3 * one_set(40, size) + 3 * size <= 4 * one_set(40, 64)
)

# %% tags=["check"]
assert isinstance(units, (int, np.integer)), "`units` should be a whole number"
budget, used = 4 * one_set(40, 64), 3 * one_set(40, int(units)) + 3 * units
assert units != 64 * 4 // 3, (
    f"in proportion it would be {units}, but the square grows faster: "
    f"{used:,} parameters, and the LSTM has {budget:,}"
)
assert used <= budget, (
    f"{units} units take {used:,} parameters, "
    f"more than {budget:,}; both rows of biases in?"
)
more = 3 * one_set(40, int(units) + 1) + 3 * (units + 1)
assert more > budget, f"{units} units take {used:,} of {budget:,}: more units would fit"
by_keras = keras.layers.GRU(int(units))
by_keras.build([None, None, 40])
assert by_keras.count_params() == used, "Keras counts other parameters: count again"
print(f"{units} units: {used:,} parameters; the LSTM with 64: {budget:,}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 1
# In Keras a unit's update gate is 0.99 throughout. The unit …
#
# - A. changes slowly: a hundredth is replaced each frame
# - B. follows the sound: it is updated by 99 %
# - C. is reset at each frame

# %% [markdown] tags=["notes"]
# Right: A. B is the convention of Chung and others, and the word 'update' invites it. C is the other gate, which does not empty the state either.

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 2
# What can the candidate's second bias do that the first cannot?
#
# - A. Nothing: both are added
# - B. Make the layer run faster
# - C. Count only as far as the past is let in

# %% [markdown] tags=["notes"]
# Right: C; it stands inside the bracket. A holds for the two gates. For B: the FORM is what cuDNN computes, not the bias.

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 3
# Mean update gate 0.7: is the state held for 300 ms?
#
# - A. Yes: more than half is kept
# - B. The average does not say
# - C. No: below 1 the past is lost

# %% [markdown] tags=["notes"]
# Right: B. To A: at EACH frame. To C: single units hold, and a candidate can repeat what the state held.

# %% [markdown]
# **You have seen**
# - a GRU by hand in both its forms, with the same numbers as `keras.layers.GRU`;
# - how many parameters each form has, why one has two biases, and how that compares with the LSTM and the vanilla RNN;
# - what the update gate does in a silence in the middle of clips, and how far the state moves.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. In Keras, a unit's update gate is 0.99 for a whole clip. What does the unit do?**
#
# <details><summary>A. It changes slowly: each frame replaces a hundredth of it</summary>Yes: new state = update * state + (1 - update) * candidate, and 1 - update is 0.01; in 50 frames that adds up to about 40 %.</details>
# <details><summary>B. It follows the sound closely: it is updated by 99 %</summary>No: that is the convention of Chung and others (2014), where a gate near 1 replaces. Keras's keeps.</details>
# <details><summary>C. It is reset at each frame</summary>No: that would be the reset gate, and it does not empty the state; it hides the state from the candidate.</details>
#
# **2. What can the second bias of the candidate do that the first cannot?**
#
# <details><summary>A. Nothing: both are added, so one would do</summary>No: that holds for the two gates. You moved the candidate's, and the states changed.</details>
# <details><summary>B. It makes the layer run faster</summary>No: it is one more addition. The FORM to which it belongs is the one that cuDNN computes.</details>
# <details><summary>C. It is multiplied by the reset gate, so that it counts only as far as the past is let in</summary>Yes: reset * (state @ recurrent_kernel + bias) has it inside the bracket.</details>
#
# **3. The mean update gate in a silence is 0.7. Is the state held for 300 ms?**
#
# <details><summary>A. Yes: more than half is kept</summary>No: more than half at EACH frame. After thirty of them almost nothing of the old state is left by that gate alone.</details>
# <details><summary>B. The average does not say: 0.7 at each frame forgets fast, and single units may hold</summary>Yes: measure how far the state moves, and look at the units one by one.</details>
# <details><summary>C. No: a gate below 1 means that the past is lost</summary>No: a candidate can repeat what the state held, and the resting place may depend on the past. Answers can survive.</details>
#
# Next: [08 Which one, and at what price?](08_which_one_and_at_what_price.ipynb). Back to the map: [00 Start here](00_start_here.ipynb).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
