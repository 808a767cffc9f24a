# %% [markdown]
# # 07 · GRU
#
# The LSTM of lesson 06 carries two vectors and opens three gates. The *gated recurrent unit* (GRU, Cho et al. 2014) carries one vector and opens two gates. What is left out, and how many
# parameters does that save? And if we put a silence into the middle of a word, does the GRU still know how the word began?
#
# **You will**
# - compute a GRU in NumPy in both of its forms, and agree with Keras;
# - explain its two biases, and count its parameters;
# - train one in Keras;
# - find out which units carry a word across a silence.
#
# **Minutes:** 85 with the exercises, of which the computer takes less than one. **You need:** lessons 03 to 06.

# %% [markdown] tags=["slide", "only-slides"]
# ## What can be left out?
# - One vector, two gates
# - What does it cost to leave the rest out?
# - Does it hold a word through a silence?

# %% [markdown] tags=["notes"]
# Ask the class to close the books and say what an LSTM carries and opens: two vectors (hidden state and cell state), three gates. Then: which of these five would you leave out?

# %% tags=["setup"]
import setup_course

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.special import expit as sigmoid

from course_lib import audio, batches, data, evaluation, plots
from course_lib.extra import microscope

train, validation, test = data.load_parts("digits")
sixes = validation[validation.label == "6"]
clip = sixes.loc[(sixes.seconds - 0.487).abs().idxmin()]  # about half a second
scaled = clip.frames / 4 + 5 / 4  # what Rescaling(1 / 4, offset=5 / 4) does

# %% [markdown] tags=["slide", "only-slides"]
# ## One vector, two gates

# %% [markdown]
# ## One vector, two gates
#
# The GRU has no cell state and no output gate: its hidden state $\mathbf h_t$ is the memory, the upper line of the drawing.

# %% tags=["more", "no-code"]
plots.drawing("gru")

# %% [markdown] tags=["notes"]
# Draw a line with the old state at one end and the candidate at the other; the update gate slides a bead along it. At 1 the bead sits on the OLD state. Ask everybody to point to the
# end where 'z = 0.99' puts it: the word 'update' tempts to the wrong one.

# %% [markdown]
# The [*update gate*](../docs/glossary.md#update-gate) $\mathbf z_t$ says how much of the old state to keep. The [*reset gate*](../docs/glossary.md#reset-gate) $\mathbf r_t$ says how
# much of the past the [candidate](../docs/glossary.md#candidate) $\tilde{\mathbf h}_t$ may see: with $\mathbf r_t$ near 0 the candidate depends on the current frame alone, as at
# the start of a clip.
#
# $$\begin{aligned}
# \mathbf z_t &= \sigma(\mathbf W_z\mathbf x_t+\mathbf U_z\mathbf h_{t-1}+\mathbf b_z) \\
# \mathbf r_t &= \sigma(\mathbf W_r\mathbf x_t+\mathbf U_r\mathbf h_{t-1}+\mathbf b_r) \\
# \tilde{\mathbf h}_t &= \tanh\bigl(\mathbf W_h\mathbf x_t+\mathbf b_h^{\mathrm{in}}+\mathbf r_t\odot(\mathbf U_h\mathbf h_{t-1}+\mathbf b_h^{\mathrm{rec}})\bigr) \\
# \mathbf h_t &= \mathbf z_t\odot\mathbf h_{t-1}+(1-\mathbf z_t)\odot\tilde{\mathbf h}_t
# \end{aligned}$$
#
# Keras stores two biases for each part: `bias[0]` goes with the frame (in), `bias[1]` with the past (rec). In the two gates they are just added, so the formula shows one.
#
# The last line is a weighted mean of the old state and the candidate. An LSTM has one gate for keeping and one for writing; here the two shares always add up to 1.
#
# **A trap.** In this formula, which is Keras's, $\mathbf z_t$ near 1 *keeps*. Chung et al. (2014) write $\mathbf h_t=(1-\mathbf z_t)\odot\mathbf h_{t-1}+\mathbf
# z_t\odot\tilde{\mathbf h}_t$: there, near 1 *replaces*. Look at the formula before you read a picture of gates. Exercise 1 translates between the two.

# %% [markdown] tags=["slide", "only-slides"]
# ## The new state lies between two values
# - Keras: `h = z * h + (1 - z) * candidate`
# - z near 1: KEEP. (In Chung et al. 2014: replace.)
# - No output gate, no cell state


# %% tags=["more"]
def step_after(x, h, kernel, recurrent_kernel, bias):
    """One step of Keras's default form: multiply by U, then reset."""
    x_z, x_r, x_h = np.split(x @ kernel + bias[0], 3)  # Keras's order: z, r, h
    h_z, h_r, h_h = np.split(h @ recurrent_kernel + bias[1], 3)
    z = sigmoid(x_z + h_z)
    r = sigmoid(x_r + h_r)
    candidate = np.tanh(x_h + r * h_h)
    return z * h + (1 - z) * candidate


# %% [markdown] tags=["notes"]
# Circle `r * h_h`: here the reset comes after the multiplication. The other form has `r * h` before it. Ask: which second biases could move into the first row?

# %% [markdown]
# Keras calls this form `reset_after=True`. In the other form, `reset_after=False`, the reset gate acts on the state *before* it is multiplied by $\mathbf U_h$, and there is one
# bias:
#
# $$\tilde{\mathbf h}_t=\tanh\bigl(\mathbf W_h\mathbf x_t+\mathbf U_h(\mathbf r_t\odot\mathbf h_{t-1})+\mathbf b_h\bigr)$$
#
# Many textbooks show this one. Weights trained in one form are useless in the other.

# %%
plots.drawing("gru_reset_before")


# %%
def step_before(x, h, kernel, recurrent_kernel, bias):
    """One step of the other form: reset, then multiply by U."""
    x_z, x_r, x_h = np.split(x @ kernel + bias, 3)
    U_z, U_r, U_h = np.split(recurrent_kernel, 3, axis=1)
    z = sigmoid(x_z + h @ U_z)
    r = sigmoid(x_r + h @ U_r)
    candidate = np.tanh(x_h + (r * h) @ U_h)
    return z * h + (1 - z) * candidate


# %%
def read_by_hand(step, frames, weights):
    """The hidden state after each frame, [frames, units]."""
    h, states = np.zeros(len(weights[1])), []
    for x in frames:
        h = step(x, h, *weights)
        states.append(h)
    return np.array(states)


# %%
built = {}
for reset_after, step in [(True, step_after), (False, step_before)]:
    keras.utils.set_random_seed(1)
    form = {"reset_after": reset_after, "bias_initializer": "random_normal"}
    layer = keras.layers.GRU(16, return_sequences=True, **form)
    by_keras = layer(scaled[None])[0]
    built[reset_after] = layer.get_weights()
    by_hand = read_by_hand(step, scaled, built[reset_after])
    np.testing.assert_allclose(by_hand, by_keras, atol=1e-5)
    shapes = [list(weight.shape) for weight in built[reset_after]]
    print(f"reset_after={reset_after}: by hand as by Keras; {shapes}")

# %% [markdown]
# Both forms agree with Keras. With $F$ features and $U$ units, the arrays are:
#
# | formula | in Keras (rows: every matrix is the transpose of the paper's) |
# |---|---|
# | $\mathbf W_z, \mathbf W_r, \mathbf W_h$ | `np.split(kernel, 3, axis=1)`, kernel $F\times 3U$ |
# | $\mathbf U_z, \mathbf U_r, \mathbf U_h$ | `np.split(recurrent_kernel, 3, axis=1)`, $U\times 3U$ |
# | $\mathbf b^{\mathrm{in}}$ and $\mathbf b^{\mathrm{rec}}$ | `bias[0]` and `bias[1]`, $2\times 3U$; with `reset_after=False` only $3U$ |
#
# **In other books.** PyTorch stores r, z, n (n is the candidate), resets after, has two biases, and its z keeps, as Keras's does. ONNX stores z, r, h; `linear_before_reset=1` is
# the reset after.
#
# ## Why two biases?
#
# In the gates, both biases are simply added. That looks wasteful. So take the columns of one part (update gate, reset gate or candidate), add the second row to the first there, and set the second to 0. **Predict, then run:** for which part do
# the states stay as they were?

# %% [markdown] tags=["slide", "only-slides"]
# ## Two of three can move
# - A gate's two biases are added: only the sum counts
# - The candidate's stands inside the bracket that r multiplies

# %% tags=["more", "no-code"]
kernel, recurrent_kernel, bias = built[True]
unmoved = read_by_hand(step_after, scaled, built[True])
for number, part in enumerate(["update gate", "reset gate", "candidate"]):
    columns = slice(16 * number, 16 * (number + 1))
    moved = bias.copy()
    moved[0, columns] += bias[1, columns]
    moved[1, columns] = 0
    states = read_by_hand(step_after, scaled, (kernel, recurrent_kernel, moved))
    print(f"{part:>11}: states change by {np.abs(states - unmoved).max():.0e}")

# %% [markdown] tags=["notes"]
# For the gates nothing changes but rounding; for the candidate the states do. Then the counts, by the class, before the next cell prints them.

# %% [markdown]
# In the gates only the sum counts. The candidate's second bias stands inside the bracket that $\mathbf r_t$ multiplies, so it cannot move. The form needs one extra bias per unit;
# Keras gives it three, because cuDNN, NVIDIA's library for GPUs, is built so. That is also why this form is the default. Keras hands a GRU to cuDNN if it has `tanh` and `sigmoid`,
# biases, `reset_after=True`, no `recurrent_dropout`, no `unroll`, and all padding on the right.
#
# ## The parameters
#
# One set of weights is $U(F+U+1)$ numbers. **Predict, then run:** how many sets does a GRU have?

# %%
four = {
    "vanilla RNN": keras.layers.SimpleRNN(64),
    "GRU, reset before": keras.layers.GRU(64, reset_after=False),
    "GRU, reset after": keras.layers.GRU(64),
    "LSTM": keras.layers.LSTM(64),
}
for layer in four.values():
    layer.build([None, None, 40])
counts = {name: layer.count_params() for name, layer in four.items()}
table = pd.DataFrame({"parameters": counts})
table["sets"] = table.parameters / (64 * (40 + 64 + 1))
table.round(2)

# %% [markdown]
# Three sets, and one more bias row in the default form: $3U(F+U+2)$. A GRU has about three quarters of an LSTM's parameters and one vector to carry. Lesson 08 asks which of them
# learns better.
#
# ## Train one
#
# The model of lesson 00 with a GRU in it. We keep its untrained twin, as in lesson 06.


# %%
def classifier(layer):
    """The model of lesson 00 around a recurrent layer."""
    mask = keras.layers.Masking(batches.PADDING)
    scale = keras.layers.Rescaling(1 / 4, offset=5 / 4)
    layers = [keras.Input([None, 40]), mask, scale, layer, keras.layers.Dense(10)]
    return keras.Sequential(layers, name="gru")


keras.utils.set_random_seed(0)
model = classifier(keras.layers.GRU(64, name="gru"))
untrained = keras.models.clone_model(model)
untrained.set_weights(model.get_weights())

# %%
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
adam = keras.optimizers.Adam(3e-3, global_clipnorm=1.0)
model.compile(adam, loss, metrics=["accuracy"])
batched = batches.bucketed(train.frames, train.label)
model.fit(batched, epochs=6, shuffle=False, verbose=2)  # about five seconds
score = evaluation.evaluate(model, test, lesson="07")
print(f"test, one seed: {score}")

# %% tags=["fold"]
# @title Draw: update and reset gates over the clip {display-mode: "form"}
inside = microscope.gates(model, clip.frames)
order = inside["update"].mean(axis=0).argsort()
panels = {name: inside[name][:, order] for name in ["update", "reset"]}
figure = plots.gates(clip.frames, panels, title="units sorted by update gate")
kept = inside["update"].mean(axis=0)
fact = (
    f"averaged over the clip, the update gates of single units lie between "
    f"{kept.min():.2f} and {kept.max():.2f}"
)
plots.show(figure, fact)

# %% [markdown]
# Each row is a unit; yellow is near 1. A yellow update gate keeps the old state. The units run at different speeds: the upper rows keep their state somewhat longer, the lower ones follow the
# sound. And many reset gates change where one sound ends and the next begins.
#
# ## A silence in the middle
#
# Now an investigation. We cut each validation clip in its middle and put digital silence there. The model never heard such a pause. The GRU must remember the first half until the
# second half comes.
#
# **Predict, then run.** How many answers are still right after 300 ms of silence? And the mean update gate: will it rise in the silence? How near to 1?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: 300 ms of silence in the middle of a word
# - How many answers survive?
# - Averaged over the units: does the update gate rise? How near to 1?

# %% [markdown] tags=["notes"]
# Everybody writes a share, a direction and a number. Expect 'higher', and a number near 1. Ask why: because it would be sensible. Nobody told the network.


# %%
def insert(frames, pause):
    """The clip with a pause in its middle."""
    middle = len(frames) // 2
    return np.concatenate([frames[:middle], pause, frames[middle:]])


silence = np.full([100, 40], np.log(audio.LOG_OFFSET), np.float32)  # one second
pause = silence[:30]  # 300 ms
for count in [0, 10, 30, 100]:
    paused = [insert(frames, silence[:count]) for frames in validation.frames]
    answers = evaluation.predict(model, paused).argmax(axis=1)
    found = evaluation.score(answers == validation.label.cat.codes)
    print(f"{count * 10:>5} ms of silence: {found}")


# %%
def look(network, frames, pause):
    """What a GRU does in a pause that is put into the middle of a clip."""
    during = slice(len(frames) // 2, len(frames) // 2 + len(pause))
    inside = microscope.gates(network, insert(frames, pause))
    gates, states = inside["update"], inside["state"]
    before, after = states[during.start - 1], states[during.stop - 1]
    return {
        "in the pause": gates[during].mean(),
        "outside": np.delete(gates, during, axis=0).mean(),
        "state moves": np.linalg.norm(after - before) / np.linalg.norm(before),
        "by unit": gates[during].mean(axis=0),
    }


# %% [markdown] tags=["slide", "only-slides"]
# ## One clip: it rises, and stays far from 1

# %% tags=["fold", "more", "no-code"]
# @title Draw: the mean update gate of one clip {display-mode: "form"}
with_pause = insert(clip.frames, pause)
curve = microscope.gates(model, with_pause)["update"].mean(axis=1)
curves = {"update gate": curve}
title = "300 ms of silence in the middle of a six"
figure = plots.under_frames(with_pause, curves, unit="mean of 64 units", title=title)
figure.axes[1].set_ylim(0, 1)
middle = len(clip.frames) // 2
inner, outer = curve[middle : middle + 30], np.delete(curve, slice(middle, middle + 30))
fact = f"{inner.mean():.2f} in the silence, {outer.mean():.2f} outside it, far from 1"
plots.show(figure, fact)

# %% [markdown] tags=["notes"]
# Ask: what else differs between the pause and the rest, besides silence? Nothing changes in it. What experiment would tell the two apart? Wait for 'hold a sound still'.

# %% [markdown] tags=["slide", "only-slides"]
# ## Is it the silence, or only that nothing changes?
# - `sound frozen`: the frame before the pause, thirty times over
# - Was it learned? Ask the untrained twin
# - Guess: a gate of that mean, thirty times over. How much is left?

# %% tags=["more", "no-code"]
chosen = validation.sample(120, random_state=0)
looks = {"silence": [], "sound frozen": [], "silence, untrained": []}
for frames in chosen.frames:
    held_sound = np.tile(frames[len(frames) // 2 - 1], [30, 1])
    looks["silence"].append(look(model, frames, pause))
    looks["sound frozen"].append(look(model, frames, held_sound))
    looks["silence, untrained"].append(look(untrained, frames, pause))
columns = ["in the pause", "outside", "state moves"]
means = {name: pd.DataFrame(rows)[columns].mean() for name, rows in looks.items()}
table = pd.DataFrame(means).T
left = [f"{gate**30:.0e}" for gate in table["in the pause"]]
table.assign(**{"left after 30 frames": left}).round(3)

# %% [markdown] tags=["notes"]
# It answers to the silence, not to the lack of change; and it was learned. 'More than half is kept' is true of ONE frame; the last column has the power. But answers survive, so
# something must hold. Draw three small histograms: a hill at the mean, a flat one, a U. Vote.

# %% [markdown]
# The table shows means over 120 clips. In a silence the mean gate rises by about 0.15. If we repeat the last frame before the cut for as long, it does not, so the GRU responds to the *silence*, not to
# the lack of change. The untrained twin does almost nothing of the kind: this was learned, though nobody asked for it.
#
# *State moves* is the distance between the states before and after the pause, divided by the norm of the first. (In the picture above, the gate rises already before our silence: a "six" has a
# short silence of its own, lesson 01.)
#
# A mean gate of about 0.7, applied thirty times, leaves next to nothing, and the state moves by about its own norm. Yet most answers are still right. Either the second half of the word is enough, or something carries the first half.
#
# **Predict, then run.** How are the gates of single units spread in the silence: around the mean, evenly, or at both ends?

# %% [markdown] tags=["slide", "only-slides"]
# ## There is no such thing as THE gate
# - Guess: overwrite the units that hold, or as many at random. What hurts more?

# %% tags=["fold", "more", "no-code"]
# @title Draw: update gates of single units in the pause {display-mode: "form"}
axes = plt.subplots(figsize=(9, 2.6), layout="constrained")[1]
shares = {}
for name, style in {"silence": "-", "sound frozen": "--"}.items():
    values = np.ravel([row["by unit"] for row in looks[name]])
    line = {"histtype": "step", "linewidth": 1.8, "linestyle": style}
    axes.hist(values, bins=40, range=(0, 1), label=name, **line)
    shares[name] = (values > 0.9).mean()
axes.set(
    xlabel="update gate, averaged over the pause",
    ylabel="units of all clips",
    title="update gates in a pause of 300 ms",
)
axes.legend()
fact = (
    f"in the silence {shares['silence']:.0%} of the gates are above 0.9, with a sound "
    f"frozen {shares['sound frozen']:.0%}"
)
plots.show(axes, fact)

# %% [markdown]
# The gates form a U: about half of them are nearly 1. The mean describes hardly any unit.
#
# A unit *holds* if its gate, averaged over the pause, is above 0.97 ($0.97^{30}=0.40$): at least four tenths of its state survive the pause. Are they the memory, or are they idle? We test it. At the end of the silence we
# replace their values by the mean over all clips, which says nothing about this clip. Then the GRU reads the second half. For comparison we replace as many units at random, then all the *rest*,
# then *all* units: the last shows what the second half is worth without the first.
#
# **Predict, then run:** which replacement costs most, apart from *all*?

# %% [markdown] tags=["notes"]
# A U. Ask: are the units at the right memory, or are they idle? How would you find out? Wait for 'take it away and look what breaks'.


# %%
def read_on(clips, states=None):
    """The GRU's last states, [clips, units], after it read on from given states."""
    padded = batches.pad(clips)
    mask = (padded != batches.PADDING).any(axis=2)  # by hand: we call the GRU alone
    gru = model.get_layer("gru")
    return gru(padded / 4 + 5 / 4, mask=mask, initial_state=states).numpy()


halves = [np.split(frames, [len(frames) // 2]) for frames in chosen.frames]
after_silence = read_on([np.concatenate([first, pause]) for first, _ in halves])
holds = np.array([row["by unit"] for row in looks["silence"]]) > 0.97
truth = chosen.label.cat.codes
at_random = np.random.default_rng(0).permuted(holds, axis=1)  # as many per clip
print(f"{holds.sum(axis=1).mean():.0f} of 64 units hold, on average")

# %% [markdown] tags=["slide", "only-slides"]
# ## Memory, or idle? Replace and see
# - Replaced by the mean over clips: knows nothing of this one
# - `hold`: gates above 0.97; `random`: as many; `rest`: all the others

# %% tags=["more", "no-code"]
cases = {"none": np.zeros_like(holds), "random": at_random, "hold": holds}
cases |= {"rest": ~holds, "all": np.ones_like(holds)}
right = {}
for name, replaced in cases.items():
    states = np.where(replaced, after_silence.mean(axis=0), after_silence)
    logits = model.layers[-1](read_on([second for _, second in halves], states))
    right[name] = logits.numpy().argmax(axis=1) == truth
    print(f"units replaced: {name:>6}, right answers: {right[name].mean():.3f}")
for pair in ["hold none", "rest none", "hold random", "hold all"]:
    one, other = pair.split()
    difference, low, high = evaluation.paired_difference(right[one], right[other])
    print(f"{one} minus {other}: {difference:+.3f} ({low:+.3f} to {high:+.3f})")

# %% [markdown] tags=["notes"]
# Losing the holding units costs most; losing the others cannot be told from losing nothing. One training run, one seed, a pause that training never showed: say all three.

# %% [markdown]
# Replacing the units that hold loses about a quarter of the right answers, far more than replacing as many at random: the paired difference is clearly below zero. It does nearly as much harm as
# replacing *all* units (the interval of that difference contains zero), so most of what is left comes from the second half. Replacing all the rest costs little or nothing; its interval contains zero. So the holding units
# are the memory, and by the end of the silence the rest have little left to say.
#
# This is one training run, and a pause that training never showed. But look at the method: the mean of a gate, then the state, then single units, then an intervention with a
# control. Only the last step showed what carries the word.
#
# ## Take it home
#
# A GRU whose update gate starts near 1, so that it keeps. Its bias is the GRU's forget bias: with 3, half of the state is left after 14 frames. Keras has no switch for it, so we fill the array
# $2\times 3U$ ourselves.

# %%
shuffled = train.sample(frac=1, random_state=0)
few = shuffled.groupby("label", observed=True).head(30)
sounds, labels = list(few.frames), few.label.cat.codes.to_numpy()

# %% tags=["recipe"]
# Needs `sounds`, a list of float32 arrays [frames, 40], and `labels`, an array of ints.
import keras
import numpy as np

PADDING, UNITS, UPDATE_BIAS = -1000.0, 64, 3.0
keras.utils.set_random_seed(0)
order = np.random.permutation(len(sounds))  # validation_split takes the last ones
padded = keras.utils.pad_sequences(
    [sounds[n] for n in order], dtype="float32", padding="post", value=PADDING
)
start = np.zeros([2, 3 * UNITS])  # rows: input, recurrent; columns: z, r, h
start[0, :UNITS] = UPDATE_BIAS
layers = [
    keras.Input([None, 40]),
    keras.layers.Masking(PADDING),
    keras.layers.Rescaling(1 / 4, offset=5 / 4),  # log energies to about -2 to 2
    keras.layers.GRU(UNITS, bias_initializer=keras.initializers.Constant(start)),
    keras.layers.Dense(int(np.max(labels)) + 1),
]
model = keras.Sequential(layers)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
adam = keras.optimizers.Adam(0.008, global_clipnorm=1.0)
model.compile(adam, loss, metrics=["accuracy"])
options = {"epochs": 10, "validation_split": 0.2, "verbose": 0}
history = model.fit(padded, np.asarray(labels)[order], **options).history
print("validation accuracy:", round(history["val_accuracy"][-1], 3))

# %% [markdown] tags=["slide", "only-slides"]
# ## Exercise 1: translate
# - Chung et al. 2014: `h = (1 - z) * h + z * candidate`
# - Which weights give the same states there?
# - `1 - sigmoid(x)` is `sigmoid(-x)`

# %% [markdown] tags=["notes"]
# Five minutes in pairs. The commonest slip is to turn the kernel alone: what enters the gate is a sum of three terms.

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** A friend has a GRU in the convention of Chung et al. (2014): the last line of a step reads `(1 - z) * h + z * candidate`. All else is as in `step_after`. Write
# `translate(kernel, recurrent_kernel, bias)`. It takes the weights of `step_after` and returns three arrays. With these three, the friend's GRU must give the same states. ($1-\sigma(x)=\sigma(-x)$.)


# %% tags=["solution"]
def translate(kernel, recurrent_kernel, bias):
    """The weights for the other convention: kernel, recurrent_kernel, bias."""
    units = kernel.shape[1] // 3
    signs = np.repeat([-1, 1, 1], units)
    return kernel * signs, recurrent_kernel * signs, bias * signs


# %% tags=["check"]
def step_swapped(x, h, kernel, recurrent_kernel, bias):
    x_z, x_r, x_h = np.split(x @ kernel + bias[0], 3)
    h_z, h_r, h_h = np.split(h @ recurrent_kernel + bias[1], 3)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    return (1 - z) * h + z * np.tanh(x_h + r * h_h)


translated = translate(*(weight.copy() for weight in built[True]))
assert isinstance(translated, (tuple, list)) and len(translated) == 3, (
    "return kernel, recurrent_kernel and bias"
)
found = [np.shape(weight) for weight in translated]
assert found == [weight.shape for weight in built[True]], (
    f"the shapes should stay as they were, found {found}"
)
of_update, others = (np.s_[..., :16], np.s_[..., 16:])
pairs = list(zip(translated, built[True]))
turned = [bool(np.allclose(new[of_update], -old[of_update])) for new, old in pairs]
assert any(turned), (
    "the update gate's columns do not turn it round: "
    "when is the gate 1 minus what it was?"
)
assert all(turned), (
    "what goes into the gate is a sum of three terms; turned so far, "
    f"of kernel, recurrent_kernel and bias: {turned}"
)
assert all(np.allclose(new[others], old[others]) for new, old in pairs), (
    "other columns have changed: do reset gate and candidate differ between the two?"
)
random = np.random.default_rng(2)
small = [random.normal(size=size) for size in ([3, 15], [5, 15], [2, 15])]
few_frames = random.normal(size=[7, 3])
expected = read_by_hand(step_after, few_frames, small)
try:
    of_small = translate(*(weight.copy() for weight in small))
    found = read_by_hand(step_swapped, few_frames, of_small)
except (ValueError, IndexError) as error:
    raise AssertionError(f"a GRU of another size does not fit: {error}") from None
assert np.allclose(found, expected), (
    "right for 16 units, wrong for a GRU of another size: "
    "where does the first third end?"
)
print("translated: the two conventions are one network")

# %% [markdown]
# **Exercise 2.** A microphone sends sound in pieces. Write `read_in_pieces(layer, frames, size)`: it gives a Keras GRU layer, which returns its last state only, the frames `[frames,
# features]` in pieces of `size` frames, one after the other, and returns the state after the last piece, `[units]`. Start from zeros, `[1, layer.units]`, and pass the state on with
# `layer(piece[None], initial_state=state)`, where `[None]` makes a batch of one. The last piece may be shorter.


# %% tags=["solution"]
def read_in_pieces(layer, frames, size):
    """The GRU's state after it read the frames piece by piece."""
    state = np.zeros([1, layer.units], np.float32)
    for begin in range(0, len(frames), size):
        piece = frames[None, begin : begin + size]
        state = layer(piece, initial_state=state)
    return np.array(state)[0]


# %% tags=["check"]
class Recorded:
    """A GRU layer that notes how many frames it is given at a time."""

    def __init__(self, layer):
        self.layer, self.units, self.sizes = layer, layer.units, []

    def __call__(self, piece, **options):
        self.sizes.append(np.shape(piece)[1])
        return self.layer(piece, **options)


keras.utils.set_random_seed(2)
whole_layer = keras.layers.GRU(5)
sound = np.random.default_rng(1).normal(size=[23, 3]).astype(np.float32)
whole = np.array(whole_layer(sound[None]))[0]
for size in [10, 1, 23]:
    recorded = Recorded(whole_layer)
    found = read_in_pieces(recorded, sound, size)
    assert found is not None, "`read_in_pieces` should return the last state"
    assert np.shape(found) == (5,), (
        f"expected the state of one clip, [units] = [5], found {list(np.shape(found))}"
    )
    assert recorded.sizes and max(recorded.sizes) <= size, (
        f"pieces of {size} frames were asked for; the layer got {recorded.sizes}"
    )
    assert sum(recorded.sizes) == 23, (
        f"of 23 frames, in pieces of {size}, the layer got {sum(recorded.sizes)}"
    )
    last_alone = np.array(whole_layer(sound[None, 23 - recorded.sizes[-1] :]))[0]
    forgot = size < 23 and np.allclose(found, last_alone, atol=1e-5)
    assert not forgot, "each piece began from zeros: hand the state on"
    assert np.allclose(found, whole, atol=1e-5), (
        f"in pieces of {size} the state is {np.abs(found - whole).max():.2g} away from "
        "that of the whole sound"
    )
print("in pieces or whole: the same state, as in lesson 15's stream")

# %% [markdown]
# **Exercise 3.** Build, train, beat this number. The next cell trains Keras's GRU on 700 clips for six epochs. Build a Keras model of your own with a GRU of 64 units or fewer in
# it, train it on the same `small_batches`, and call it `mine`. You may choose the starting values, the learning rate and the epochs. Which bias made the LSTM of lesson 06 learn
# faster? Which bias of a GRU does the same?

# %%
small = shuffled.groupby("label", observed=True).head(70)
small_batches = batches.bucketed(small.frames, small.label)
keras.utils.set_random_seed(0)
plain = classifier(keras.layers.GRU(64))
adam = keras.optimizers.Adam(3e-3, global_clipnorm=1.0)
plain.compile(adam, loss, metrics=["accuracy"])
plain.fit(small_batches, epochs=6, shuffle=False, verbose=0)
to_beat = evaluation.evaluate(plain, validation).accuracy
print(f"beat {to_beat:.3f} on the validation clips")

# %% tags=["solution"]
start = np.zeros([2, 192])
start[0, :64] = 3  # the update gate
keras.utils.set_random_seed(1)
mine = classifier(
    keras.layers.GRU(64, bias_initializer=keras.initializers.Constant(start))
)
# few clips: a larger step; with more, 0.003 is safer
adam = keras.optimizers.Adam(8e-3, global_clipnorm=1.0)
mine.compile(adam, loss, metrics=["accuracy"])
history = mine.fit(small_batches, epochs=10, shuffle=False, verbose=0)

# %% tags=["check"]
assert isinstance(mine, keras.Model), "`mine` should be a Keras model"
kinds = {type(each).__name__: each for each in mine.layers}
assert "GRU" in kinds, f"expected a GRU layer in `mine`, found {', '.join(kinds)}"
assert kinds["GRU"].units <= 64, f"64 units or fewer, found {kinds['GRU'].units}"
assert mine.input_shape[1:] == (None, 40), (
    f"expected an input [None, 40], any length, found {list(mine.input_shape[1:])}"
)
assert mine.output_shape[-1] == 10, (
    f"expected ten logits, found {mine.output_shape[-1]} outputs"
)
evaluation.check_mask(mine, batches.pad(list(validation.frames[:8])))
reached = evaluation.evaluate(mine, validation)
assert reached.accuracy > to_beat, (
    f"{reached.accuracy:.3f} of the validation clips, expected more than "
    f"{to_beat:.3f}: a start that keeps? another rate? more epochs?"
)
print(f"{reached.accuracy:.3f} against {to_beat:.3f}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 1
# In Keras a unit's update gate is 0.99 throughout. The unit …
#
# - A. changes slowly: a hundredth is replaced per frame
# - B. follows the sound: it is updated by 99 %
# - C. is reset at each frame

# %% [markdown] tags=["notes"]
# Right: A. B is the convention of Chung et al., and the word 'update' invites it. C is the other gate, which does not empty the state either.

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
# Mean update gate 0.7: is the word lost after 300 ms of silence?
#
# - A. No: more than half is kept
# - B. The mean does not say
# - C. Yes: 0.7 to the power of 30 is nearly 0

# %% [markdown] tags=["notes"]
# Right: B. To A: at EACH frame. To C: single units hold, and the answers showed it.

# %% [markdown]
# **You have seen**
# - a GRU in NumPy in both of its forms, with Keras's numbers;
# - what its two biases are for, and its parameters beside those of RNN and LSTM;
# - a GRU trained in Keras;
# - a silence that a word survives, and the units that carry it.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. In Keras, a unit's update gate is 0.99 for a whole clip. What does the unit do?**
#
# <details><summary>A. It changes slowly: each frame replaces a hundredth of it.</summary>Yes: 1 − z is 0.01; in 50 frames that adds up to about 40 %.</details>
# <details><summary>B. It follows the sound closely: it is updated by 99 %.</summary>No: that is the convention of Chung et al. (2014), where a gate near 1 replaces. Keras's keeps.</details>
# <details><summary>C. It is reset at each frame.</summary>No: that would be the reset gate, and it does not empty the state; it hides the state from the candidate.</details>
#
# **2. What can the second bias of the candidate do that the first cannot?**
#
# <details><summary>A. Nothing: both are added, so one would do.</summary>No: that holds for the two gates. You moved the candidate's, and the states changed.</details>
# <details><summary>B. It makes the layer run faster.</summary>No: it is one more addition. The form to which it belongs is the one that cuDNN computes.</details>
# <details><summary>C. It is multiplied by the reset gate, so it counts only as far as the past is let in.</summary>Yes: it stands inside the bracket, beside the product with the state.</details>
#
# **3. The mean update gate in a silence is 0.7. Is the word lost after 300 ms?**
#
# <details><summary>A. No: more than half is kept.</summary>No: more than half at each frame. After thirty frames such a gate alone leaves almost nothing.</details>
# <details><summary>B. The mean does not say: single units may hold.</summary>Yes: look at the units one by one, and replace them to see which of them matter.</details>
# <details><summary>C. Yes: 0.7 to the power of 30 is nearly 0.</summary>No: the mean of many units near 1 and some near 0 describes neither. Replacing the holding units showed that they still carried the first half.</details>
#
# **Touch it.** On [the page that listens](../docs/live/index.html), watch the update gates of 96 units while a word is said, then hold them open or shut.
#
# Next: [08 Which one, and at what price?](08_which_one_and_at_what_price.ipynb). All lessons: [README](../README.md).
#
# <details><summary>To read on</summary>K. Cho et al., <i>Learning phrase representations using RNN encoder–decoder</i>, 2014 (the first version of the paper resets after the product, the third before it). J. Chung et al., <i>Empirical evaluation of gated recurrent neural networks on sequence modeling</i>, 2014.</details>
# <details><summary>Without the real recordings</summary>On the synthetic voices the numbers differ: the second half of a word alone tells more, so that replacing units costs less. The conclusions are the same.</details>
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
