# %% [markdown]
# # 08 · Which one, and at what price?
#
# You have taken three cells apart: the vanilla RNN, the LSTM, the GRU. Which one do you choose, and what does it cost? People say that
# recurrent networks are expensive to compute. This lesson measures how expensive, and asks how sure you can be that one is better.
#
# **You will**
# - train four models from five seeds each, and put their accuracy, its spread and their prices into one table;
# - measure how time and memory grow with the length of a clip, and find out why frames cannot be read all at once;
# - train an LSTM in sixty lines of NumPy, and see what a framework is for;
# - compare two models on the same clips, and say what five seeds and one test cannot tell.
#
# **Minutes:** 40, of which the computer takes about one (exercises 3 and 4 take 10 more). **You need:** lessons 02 and 04 to 07.

# %% [markdown] tags=["slide", "only-slides"]
# ## Which one do you choose?
# - RNN, LSTM or GRU: on what evidence?
# - How sure can you be?
# - What does it cost?

# %% [markdown] tags=["notes"]
# Ask for a show of hands: who would take the LSTM, who the GRU, and on what evidence? Write the evidence on the board: 'a paper', 'it worked for me'. Come back to that list at the
# end.

# %% tags=["setup"]
import setup_course

# %%
import itertools
import time
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from scipy import stats

from course_lib import audio, batches, cells, data, evaluation, models, plots, training

# %% [markdown]
# ## The rules of the contest
#
# Rules come before results, or the results choose the rules. Here are ours:
# - four candidates: the order-blind average of [lesson 02](02_a_baseline_and_an_honest_split.ipynb), and RNN, LSTM and GRU with 64 units each;
# - the same training clips, batch size and number of epochs for all, and for each of the three cells the same learning rate (the average has
#   its own, from lesson 02);
# - five *seeds* each. A seed fixes the random weights that a training starts from; the order of the batches differs from training to training, too;
# - the choice is made on validation clips, which come out of the training part: *among the models whose range over the seeds reaches the range of
#   the best, take the smallest.* Size, and not speed, since a choice should not hang on a clock that wobbles;
# - the test is looked at after the choice.
#
# Twenty trainings take time, so about a fifth of the training part must do; the cell prints how many clips that is. They are taken evenly from every
# digit of every voice.

# %%
clips = data.load("digits")
clips["frames"] = audio.log_mels(audio.read(path) for path in clips.path)
test = clips[clips.split == "test"]
rest = clips[clips.split == "train"].sample(frac=1, random_state=0)  # in random order
piles = rest.groupby(["label", "group"], observed=True)  # one digit by one voice
place = piles.cumcount() / piles["label"].transform("size")  # in its pile: from 0 to 1
validation = rest[place < 0.11]
train = rest[(place >= 0.11) & (place < 0.31)]
parts = (
    f"{len(train):,} of {len(rest):,} to learn from, {len(validation):,} to choose by"
)
print(f"{parts}, {len(test):,} for the test")
known, voices = set(test.group) & set(train.group), test.group.nunique()
print(f"voices of the test that are in training, too: {len(known)} of {voices}")

# %% [markdown]
# The clips are batched by length ([lesson 04](04_clips_of_many_lengths.ipynb)), and each model proves that it minds the mask.

# %% [markdown] tags=["slide", "only-slides"]
# ## Rules first, or the results choose the rules
# - Four candidates, the same clips and epochs, five seeds each
# - Choose on validation clips
# - In reach of the best: take the smallest
# - The test is looked at after the choice

# %% [markdown] tags=["notes"]
# Ask what goes wrong if the rule is made after the table is seen. Then: why by size and not by speed? A clock wobbles; a count of bytes does not.

# %%
SEEDS, EPOCHS = range(5), 7
RATES = {"average": 0.03, "rnn": 0.003, "lstm": 0.003, "gru": 0.003}  # learning rates
batched = batches.bucketed(train.frames, train.label)
padded, _ = next(iter(batched))
keras.utils.set_random_seed(0)
four = {name: models.BUILDERS[name](clips.label.nunique()) for name in RATES}
for name, model in four.items():
    change = evaluation.check_mask(model, padded)
    print(f"{name:>8}: padding changes a logit by {change:.0e} at most")

# %% [markdown]
# ## Five seeds each
#
# **Predict, then run.** Write three things down. In which order will the four come out in accuracy? How far apart are the best and
# the worst of five LSTMs? How many times the average's seconds does an LSTM take for an epoch?
#
# The next cell trains all twenty, in about twenty seconds on an idle processor core. Each architecture is traced once, for all its seeds.

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: three numbers
# - The order of average, RNN, LSTM, GRU in accuracy?
# - How far apart: the best and the worst of five LSTMs?
# - How many times the average's seconds does an LSTM take?

# %% [markdown] tags=["notes"]
# Written, and kept. The second guess is the one that matters: expect it far too small.

# %% [markdown] tags=["slide", "only-slides"]
# ## Along the rows first, then between them
# - A row: five seeds of one model
# - Best to worst LSTM against the means of LSTM and GRU

# %% tags=["more", "no-code"]
heard = pd.concat([validation, test])
truth = heard.label.cat.codes.to_numpy()
on_test = (heard.split == "test").to_numpy()
right = {}  # of each model: True and False, [seeds, clips]
histories = {}  # of each model: a table for each seed, with a row for each epoch
for name, model in four.items():
    right[name], histories[name] = np.zeros([len(SEEDS), len(heard)], bool), []
    setting = {"epochs": EPOCHS, "learning_rate": RATES[name]}
    for seed, trained, history in training.fit_seeds(
        model, batched, seeds=SEEDS, **setting
    ):
        answers = evaluation.predict(trained, heard.frames).argmax(axis=1)
        right[name][seed] = answers == truth
        histories[name].append(pd.DataFrame(history.history))
    shares = right[name][:, ~on_test].mean(axis=1)
    print(f"{name:>8}: validation", *[f"{share:.3f}" for share in shares])

# %% tags=["more", "no-code"]
each = {name: answers[:, ~on_test].mean(axis=1) for name, answers in right.items()}
print(f"the best and the worst LSTM are {np.ptp(each['lstm']):.3f} apart;")
print(f"the means of LSTM and GRU {abs(each['lstm'].mean() - each['gru'].mean()):.3f}")

# %% [markdown] tags=["notes"]
# Twenty numbers, five a row. A paper that trains each model once has drawn one number from each row. Let two learners draw one LSTM and one GRU at random and announce 'the winner';
# repeat three times.

# %% [markdown]
# Five numbers a row, one for each seed. Look along the rows before you compare them: if five LSTMs lie further apart from one another than the
# means of two cells, one training of each would have told you little. A paper that trains each model once has drawn one
# number from each row.
#
# ## One table
#
# Now the prices. *Seconds* are those of an epoch of training, the median over all epochs but each training's first, which may hold the tracing.
# *Milliseconds* are what a user waits for one clip alone, the median over 60 clips. *Kilobytes* hold the weights. The clock counts everything
# that the machine does meanwhile: run the lesson again and the times will differ. Trust their order of size. Milliseconds begin when the frames are ready.

# %% tags=["timing"]
rows, some = {}, validation.frames.iloc[:60].tolist()
for name, model in four.items():
    shares = right[name][:, ~on_test].mean(axis=1)
    rows[name] = {"mean": shares.mean(), "least": shares.min(), "largest": shares.max()}
    seconds = [history.seconds[1:] for history in histories[name]]
    rows[name]["seconds"] = np.median(seconds)
    rows[name] |= evaluation.cost(model, some)
table = pd.DataFrame(rows).T.astype({"parameters": int})
decimals = {"mean": 3, "least": 3, "largest": 3, "seconds": 2, "kilobytes": 1}
table.round(decimals | {"milliseconds": 2})

# %% [markdown] tags=["slide", "only-slides"]
# ## What the user pays, what the trainer pays
# - Left and above is better; the bars span five seeds
# - Guess: a clip twice as long. Time the same, double, fourfold?
# - Guess: 1,600 frames as one clip, or as 64 of 25?

# %% tags=["more", "no-code", "timing"]
figure, panels = plt.subplots(
    1, 2, figsize=(10, 3.6), layout="constrained", sharey=True
)
for (name, row), marker in zip(table.iterrows(), "os^D"):
    spread = [[row["mean"] - row.least], [row.largest - row["mean"]]]
    for axes, price in zip(panels, ["milliseconds", "seconds"]):
        axes.errorbar(
            row[price], row["mean"], yerr=spread, fmt=marker, capsize=4, label=name
        )
panels[0].set(xlabel="milliseconds a clip", title="what the user pays")
panels[1].set(xlabel="seconds an epoch", title="what the trainer pays")
panels[0].set(ylabel="validation accuracy", xlim=(0, None), ylim=(0, 1.02))
panels[1].set(xlim=(0, None))
panels[0].legend()
best, cheapest = table["mean"].idxmax(), table.milliseconds.idxmin()
top, quick = table.loc[best], table.loc[cheapest]
reaches = f"{top['mean']:.3f} ({top.least:.3f} to {top.largest:.3f})"
fact = f"the most accurate is {best}, {reaches}; the quickest is {cheapest}"
plots.show(figure, f"{fact}, with {quick['mean']:.3f}")

# %% [markdown] tags=["notes"]
# Ask which model nobody would choose, and why: something cheaper is better. That is 'dominated', exercise 2. Times are this machine's; run it again and they differ. The rule then
# picks from the reach of the best: say the choice before the cell does. Then the two guesses, in pairs; the number of multiplications is the same in the second. To 'many cores read
# all frames at once' ask: from which state does frame 20 start?

# %% [markdown]
# The bars span the five seeds. What lies left and above is better: quicker and more often right. On the real recordings the plain RNN is behind the
# average, which is blind to order and cheaper: with this little training, its memory has not paid. LSTM and GRU stand above both. (The embedded synthetic voices are many, with few clips of each: so short a training takes no model far
# there. The rest of the lesson reads the same.)
#
# ### The choice
#
# The rule from the beginning of the lesson: among the models whose range reaches the range of the best, take the smallest. Then the test. Later
# sections look at these answers again, and choose nothing by them.

# %%
reach = table[table.largest >= table.least[best]]
chosen = reach.kilobytes.idxmin()
print(f"in reach of {best}: {', '.join(reach.index)}; chosen: {chosen}")
results = evaluation.Results()
entry = {"lesson": "08", "data": clips.source.iloc[0], "split": "official"}
for name, row in table.iterrows():
    scores = [evaluation.score(answers) for answers in right[name][:, on_test]]
    costs = dict(row[["seconds", "milliseconds", "kilobytes"]])
    costs["parameters"] = int(row.parameters)
    results.add(model=name, score=scores, **costs, **entry)
    shares = [score.accuracy for score in scores]
    mark = " ← chosen" if name == chosen else ""
    spread = f"from {min(shares):.3f} to {max(shares):.3f} over {len(shares)} seeds"
    print(f"{name:>8}: test {np.mean(shares):.3f}, {spread}{mark}")

# %% [markdown]
# All four test numbers are printed, because this lesson compares. The choice is not reopened, even if another row now looks better:
# who chooses by the test has no test left.
#
# ## Is that expensive?
#
# A price needs a comparison. Two are at hand: the average, and the time that the clip itself lasts.

# %% tags=["timing"]
lasts = 1_000 * validation.seconds.iloc[:60].median()  # milliseconds
prices = table[["milliseconds", "seconds", "kilobytes"]]
against = (prices / prices.loc["average"]).round(1).add_suffix(", times the average's")
share = table.milliseconds / lasts
against["share of the clip's duration"] = [f"{each:.1%}" for each in share]
against

# %% [markdown]
# Against the average, a recurrent cell is expensive. Against the sound it is cheap: the last column says how much of the clip's own
# duration is spent on reading its frames. Below 100 % the model keeps up with a microphone.
#
# ## What does a longer clip cost?
#
# Now one step of training, forward and with the gradient, for a batch of 32 clips, all of one length: 25 frames, 50, and so on up to
# 800. **Predict, then run.** If a clip is twice as long, does a step take the same time, twice the time (*linear*), or four times
# (*quadratic*)? And does the LSTM's line rise more steeply than the RNN's?
#
# The loss is replaced by the mean square of the logits, which costs about as much. Each time is the least of five, because whatever else the machine does can only add time.


# %% tags=["timing"]
def timed(work, batch, repeats=5):
    """The least seconds of some work on a batch."""
    spent = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work(batch)
        spent.append(time.perf_counter() - begin)
    return min(spent)


pause = timed(lambda _: time.sleep(0.01), None)
print(f"a pause of 10 ms takes {1_000 * pause:.1f} ms by this clock")

# %%
# [batch, time, mel], any batch and any time
BATCH = [tf.TensorSpec([None, None, audio.N_MELS])]


def noise(clips, frames):
    """Random frames, as loud as speech: the clock does not mind what is in them."""
    values = np.random.default_rng(0).normal(-5, 4, [clips, frames, audio.N_MELS])
    return tf.constant(values, tf.float32)


print("[batch, time, mel] =", list(noise(32, 25).shape))


# %% tags=["timing"]
def training_step(model):
    """Forward and gradient as one function for all shapes."""

    def gradients(batch):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(batch, training=True) ** 2)
        return tape.gradient(loss, model.trainable_variables)

    traced = tf.function(gradients, input_signature=BATCH, autograph=False)
    return traced.get_concrete_function()


LENGTHS = [25, 50, 100, 200, 400, 800]
steps, spent = {name: training_step(model) for name, model in four.items()}, {}
for name, step in steps.items():
    step(noise(32, 25))  # the first call only warms up
    spent[name] = [timed(step, noise(32, frames)) for frames in LENGTHS]
in_seconds = pd.DataFrame(spent, index=pd.Index(LENGTHS, name="frames"))
(1_000 * in_seconds).round(1).add_suffix(" (ms)")

# %% [markdown]
# If time grows as a power of the length, `seconds = a · frames ** b`, then on two logarithmic axes it is a straight line, and the *exponent* `b` is
# its slope: 1 for linear, 2 for quadratic. `np.polyfit` finds it.

# %% [markdown] tags=["slide", "only-slides"]
# ## Linear, and the cell lifts the line
# - Two logarithmic axes: the slope is the power

# %% tags=["more", "no-code", "timing"]
axes, exponents = plt.subplots(figsize=(8, 4), layout="constrained")[1], {}
for (name, seconds), marker in zip(spent.items(), "os^D"):
    exponents[name] = np.polyfit(np.log(LENGTHS), np.log(seconds), 1)[0]
    label = f"{name}: exponent {exponents[name]:.2f}"
    axes.loglog(LENGTHS, seconds, f"{marker}-", label=label)
for power, start, style in [(1, spent["rnn"][0], "--"), (2, spent["rnn"][0], ":")]:
    ideal = start * (np.array(LENGTHS[:4]) / LENGTHS[0]) ** power
    axes.loglog(LENGTHS[:4], ideal, style, color="grey", label=f"a slope of {power}")
axes.set_xticks(LENGTHS, LENGTHS)
axes.xaxis.minorticks_off()
axes.set(xlabel="frames in a clip", title="a training step of 32 clips")
axes.set_ylabel("seconds for a step")
axes.legend(loc="lower right")
found = ", ".join(f"{name} {exponent:.2f}" for name, exponent in exponents.items())
plots.show(axes, f"the fitted exponents are {found}")

# %% [markdown] tags=["notes"]
# Read the first decimal at most. A line that drops where clips grow shows a busy machine, nothing else. An exponent below 1 is the fixed cost of a call, not a bargain.

# %% [markdown]
# An exponent near 1 means linear: twice the frames, twice the time. An exponent below 1 does not mean that long clips are a bargain; some of
# the cost of a call is there for a clip of any length, and it weighs most on the short ones. The clock wobbles, so read the first decimal at most; where a
# line drops although the clips grow, the machine was busy. An LSTM does more work at each frame than a vanilla RNN, not more frames: that lifts
# its line and leaves the slope.
#
# Linear is not bad. A layer in which every frame looks at every other ([*self-attention*](../docs/glossary.md#self-attention), the heart of a transformer) has a quadratic number of pairs
# to weigh (Vaswani et al. 2017, table 1). What the same table holds against recurrent layers is something else; we come to it below.
#
# ### And memory?
#
# To go back through time, training must keep what the forward pass computed at every frame: with the gradients of [lesson 05](05_training_a_vanilla_rnn.ipynb) in mind, each step back
# needs the numbers of its own step. The vanilla RNN keeps its state. An LSTM keeps its input, forget and output gates, its
# candidate, its cell and its state: six. A GRU keeps two gates, the candidate, the part of it that the reset gate multiplies, and the state: five. Each is a row of
# `units` numbers of 4 bytes. No clock is needed here: count. (The frames themselves come on top.)

# %%
KEPT = {"rnn": 1, "lstm": 6, "gru": 5}  # rows of `units` numbers at each frame
UNITS, NUMBER = 64, 4  # units; bytes of a float32
megabytes = {
    name: [kept * frames * UNITS * NUMBER * 32 / 1e6 for frames in LENGTHS]
    for name, kept in KEPT.items()
}
weights = {name: four[name].count_params() * NUMBER / 1e6 for name in KEPT}
rounded = {name: round(size, 2) for name, size in weights.items()}
print("megabytes of the weights:", rounded)
kept_at = pd.DataFrame(megabytes, index=pd.Index(LENGTHS, name="frames"))
kept_at.round(1).add_suffix(" (MB)")

# %% [markdown]
# Compare the two outputs: in training it is not the weights that fill the memory, it is what is kept for the way back, and that is linear in the
# length, too. It is a count of what the way back needs; a library may keep more, or compute a part again. A model that only answers keeps one state (an LSTM its cell, too), whatever the length.
#
# ## Why not all frames at once?
#
# Frame 20 cannot be read before frame 19 has been: its step needs the state that frame 19 left. **Predict, then run.** Take 1,600
# frames and lay them out in four ways: one clip of 1,600 frames, 4 of 400, 16 of 100, 64 of 25. The number of multiplications is the same. Is the time?


# %% tags=["timing"]
def forward(model):
    """The model's answers as one function for batches of every shape."""

    def answer(batch):
        return model(batch, training=False)

    traced = tf.function(answer, input_signature=BATCH, autograph=False)
    return traced.get_concrete_function()


answering = {name: forward(model) for name, model in four.items()}
ways = [(1, 1_600), (4, 400), (16, 100), (64, 25)]
laid_out = {}
for name, answer in answering.items():
    answer(noise(1, 25))  # the first call only warms up
    laid_out[name] = [timed(answer, noise(*way), repeats=5) for way in ways]
names = [f"{count} × {frames}" for count, frames in ways]
in_seconds = pd.DataFrame(laid_out, index=pd.Index(names, name="clips × frames"))
(1_000 * in_seconds).round(1).add_suffix(" (ms)")

# %% [markdown] tags=["slide", "only-slides"]
# ## The same work, in another order
# - 1,600 steps in a row, or 25 steps for 64 clips
# - The average hardly minds

# %% tags=["more", "no-code", "timing"]
for name, times in laid_out.items():
    ratio = f"one long clip takes {times[0] / times[-1]:.1f} times as long"
    print(f"{name:>8}: {ratio} as 64 short ones with as many frames")

# %% [markdown] tags=["notes"]
# Board: a chain of 1,600 small boxes against 25 tall ones. The parallel work must come from the batch. Ask what that means for a telephone that hears one person.

# %% [markdown]
# The same work, in another order. The average does not mind how its frames are laid out, or much less. A recurrent cell does: in a batch of 64 clips, 64 frames are read in one
# multiplication of matrices, and there are 25 such steps; the one long clip needs 1,600 steps, one after another, each so small that the
# processor spends its time on getting ready. More cores would help little: one step for one clip has little to share out. That is what
# people mean when they call recurrent networks *sequential*; a GPU, with thousands of small processors, is left mostly idle by one clip.
#
# Parallel work must come from the other axis, the batch. **Predict, then run:** clips of 50 frames, in batches of 1, 8, 32 and 128. How many times as many
# clips a second does the LSTM answer with 128 at once as with one: about the same, 10 times, 128 times?

# %% tags=["timing"]
SIZES = [1, 8, 32, 128]
rates = {
    name: [size / timed(answer, noise(size, 50), repeats=7) for size in SIZES]
    for name, answer in answering.items()
}
axes = plt.subplots(figsize=(8, 3.6), layout="constrained")[1]
for (name, values), marker in zip(rates.items(), "os^D"):
    axes.loglog(SIZES, values, f"{marker}-", label=name)
axes.set_xticks(SIZES, SIZES)
axes.xaxis.minorticks_off()
axes.set(xlabel="clips in a batch", title="answers to clips of 50 frames")
axes.set_ylabel("clips a second")
axes.legend()
gains = [f"{name} {values[-1] / values[0]:.0f} times" for name, values in rates.items()]
fact = "with 128 clips at once, against one at a time"
plots.show(axes, f"{fact}: {', '.join(gains)} as many clips a second")
longer = f"{SIZES[-1] * rates['lstm'][0] / rates['lstm'][-1]:.1f}"
print(f"an LSTM's step for 128 clips takes {longer} times as long as its step for one")

# %% [markdown]
# A step for 128 clips costs more than a step for one, but far less than 128 times as much, until the multiplications themselves fill the processor. That is
# the reason for the two prices in the table: training works on batches and pays little for each clip; a user with one clip pays for every step alone.
#
# ## What buckets buy
#
# Training reads padding as it reads sound. How much padding do the few lengths of `batches.bucketed` leave?

# %%
lengths = batches.lengths(train.frames)
ways = {"one length": [np.arange(len(lengths))], "buckets": batches.bucket(lengths)}
waste = {name: batches.padding_waste(lengths, way) for name, way in ways.items()}
print("padding:", ", ".join(f"{name} {share:.0%}" for name, share in waste.items()))

# %% [markdown]
# A frame that is not there costs nothing. Every framework can save it.
#
# ## An LSTM in sixty lines of NumPy
#
# How much of the price is the LSTM, and how much is the framework? Leave the framework out. [Lesson 06](06_lstm.ipynb) read one clip by hand. Here is the rest: a
# batch of clips, the way back through time, and Adam.
#
# First the way forward, with time as the first axis. The gates are kept, because the way back needs them.


# %%
def sigmoid(value):
    return 0.5 + 0.5 * np.tanh(0.5 * value)


def lstm_forward(weights, frames):
    """Gates [time, batch, 4 * units]; cells and states, zeros in front of frame 0."""
    kernel, recurrent, bias = weights
    gates = frames @ kernel + bias  # of all frames at once
    input_, forget, candidate, output = np.split(gates, 4, axis=2)  # views, no copies
    cell = np.zeros([len(frames) + 1, *output.shape[1:]], np.float32)
    state = np.zeros_like(cell)
    for t in range(len(frames)):
        gates[t] += state[t] @ recurrent
        for gate in (input_, forget, output):
            gate[t] = sigmoid(gate[t])
        candidate[t] = np.tanh(candidate[t])
        cell[t + 1] = forget[t] * cell[t] + input_[t] * candidate[t]
        state[t + 1] = output[t] * np.tanh(cell[t + 1])
    return gates, cell, state


# %% [markdown]
# Back-propagation through time reads the frames from the last to the first. `to_cell` and `to_state` say how the loss changes with the cell and the state of a frame. Each
# gate gets its share by the chain rule: the slope of a sigmoid is `gate * (1 - gate)`, that of a tanh `1 - candidate**2`.


# %%
def lstm_backward(weights, frames, kept, from_above):
    """Gradients of kernel, recurrent and bias; from_above: [time, batch, units]."""
    recurrent, (gates, cell, state) = weights[1], kept
    input_, forget, candidate, output = np.split(gates, 4, axis=2)
    to_gates, to_state, to_cell = np.empty_like(gates), 0, 0
    for t in reversed(range(len(frames))):
        to_state = to_state + from_above[t]
        bent = np.tanh(cell[t + 1])
        to_cell = to_cell + to_state * output[t] * (1 - bent**2)
        parts = [
            to_cell * candidate[t] * input_[t] * (1 - input_[t]),
            to_cell * cell[t] * forget[t] * (1 - forget[t]),
            to_cell * input_[t] * (1 - candidate[t] ** 2),
            to_state * bent * output[t] * (1 - output[t]),
        ]
        to_gates[t] = np.concatenate(parts, axis=1)
        to_state, to_cell = to_gates[t] @ recurrent.T, to_cell * forget[t]
    rows = to_gates.reshape(-1, to_gates.shape[2])
    inputs, before = (each.reshape(len(rows), -1) for each in (frames, state[:-1]))
    return [inputs.T @ rows, before.T @ rows, rows.sum(axis=0)]


# %% [markdown]
# The layer on top answers from each clip's last state. So the gradient enters at each clip's last frame, and what the LSTM makes of the padding behind it
# counts nowhere: no mask is needed. Adam follows Keras's formula, with the same clipping of the gradient.


# %%
def gradients_by_hand(weights, frames, counts, labels, forward, backward):
    """Logits of a batch, and the gradient of its loss by each of the weights."""
    *recurrent, dense, offset = weights
    kept, clips = forward(recurrent, frames), np.arange(len(labels))
    last = kept[-1][counts, clips]  # each clip's state after its last frame
    logits = last @ dense + offset
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    wrong = powers / powers.sum(axis=1, keepdims=True)  # probabilities ...
    wrong[clips, labels] -= 1  # ... minus the truth: the slope of the cross-entropy
    wrong /= len(labels)
    from_above = np.zeros_like(kept[-1][1:])
    from_above[counts - 1, clips] = wrong @ dense.T
    below = backward(recurrent, frames, kept, from_above)
    return logits, [*below, last.T @ wrong, wrong.sum(axis=0)]


# %%
def adam(weights, gradients, moments, step, rate=0.003):
    """Clip the gradients to a norm of 1 together; change weights and moments."""
    norm = sum((gradient**2).sum() for gradient in gradients) ** 0.5
    rate *= (1 - 0.999**step) ** 0.5 / (1 - 0.9**step)
    for weight, gradient, moment in zip(weights, gradients, moments):
        gradient = gradient / max(norm, 1)
        mean, square = moment
        mean += 0.1 * (gradient - mean)
        square += 0.001 * (gradient**2 - square)
        weight -= rate * mean / (np.sqrt(square) + 1e-7)


# %% [markdown]
# Is it right? The logits and gradients of Keras for one batch decide.


# %%
def prepared(padded, labels):
    """Scaled frames [time, batch, mel], the clips' numbers of frames, and labels."""
    counts = (padded[:, :, 0].numpy() != batches.PADDING).sum(axis=1)
    scaled = (padded.numpy() - audio.TYPICAL_LOG_MEL) / models.SPREAD_LOG_MEL
    return scaled.transpose(1, 0, 2).copy(), counts, labels.numpy()


keras.utils.set_random_seed(0)
begin = models.lstm(clips.label.nunique())
padded, labels = next(iter(batched))
with tf.GradientTape() as tape:
    logits = begin(padded)
    losses = keras.losses.sparse_categorical_crossentropy(labels, logits, True)
    loss = tf.reduce_mean(losses)
by_keras = [logits, *tape.gradient(loss, begin.trainable_variables)]
batch, cell = prepared(padded, labels), (lstm_forward, lstm_backward)
logits, slopes = gradients_by_hand(begin.get_weights(), *batch, *cell)
for mine, theirs in zip([logits, *slopes], by_keras):
    np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-4 * abs(mine).max())
print(f"equal: {logits.size} logits and {len(slopes)} gradients")

# %% [markdown]
# **Predict, then run.** Now NumPy and Keras train from the same weights on the same batches, on one core each. Is NumPy ten times slower than Keras, about as fast, or faster?

# %% [markdown] tags=["slide", "only-slides"]
# ## Sixty lines of NumPy against a framework
# - The same weights, the same batches, the same gradients
# - Guess: ten times slower, about as fast, or faster?
# - Then why does nobody train like that?

# %% [markdown] tags=["notes"]
# Take the guess by hands. Then collect reasons for a framework on the board before you read those of the lesson: gradients of whatever you change, layers, GPUs, files, colleagues.


# %% tags=["timing"]
def same_batches():
    """Batches that begin with the same epoch each time."""
    return batches.bucketed(train.frames, train.label)


FEW = 5  # epochs
by_numpy, took, number, repeated = begin.get_weights(), [], 0, same_batches()
moments = [np.zeros([2, *weight.shape], np.float32) for weight in by_numpy]
for _ in range(FEW):
    started = time.perf_counter()
    for padded, labels in repeated:
        batch, number = prepared(padded, labels), number + 1
        _, slopes = gradients_by_hand(by_numpy, *batch, *cell)
        adam(by_numpy, slopes, moments, number)
    took.append(time.perf_counter() - started)
trained_by = {"NumPy": (by_numpy, took)}

# %% tags=["more", "no-code", "timing"]
loops = {"Keras, this course's kernel": cells.install, "Keras's own": cells.uninstall}
for name, switch in loops.items():
    switch()
    model = models.lstm(clips.label.nunique())
    model.set_weights(begin.get_weights())
    took = training.fit(model, same_batches(), epochs=FEW).history["seconds"]
    trained_by[name] = model.get_weights(), took
cells.install()
for name, (trained_weights, took) in trained_by.items():
    model.set_weights(trained_weights)
    reached = evaluation.evaluate(model, validation).accuracy
    prices = f"{sum(took):.1f} s in all, a later epoch {np.median(took[1:]):.2f} s"
    print(f"{name:>27}: {prices}; validation {reached:.3f}")

# %% [markdown]
# NumPy is not ten times slower. For an epoch it takes about as long as Keras's own loop, or less, and it has nothing to trace before the first step. Keras's own loop splits
# each frame into a dozen small operations and finds their gradients one by one; starting them costs more than computing them. So on a CPU this course gives
# Keras a kernel for its recurrent layers (`course_lib/cells.py`), as Keras has [cuDNN](../docs/glossary.md#cudnn) for LSTM and GRU on a GPU: the same numbers, and a later
# epoch in less time. (The accuracies differ a little: sums in another order are rounded otherwise, and training enlarges the difference.)
#
# Why use a framework all the same? Change one thing, such as a gate, a second layer or attention. By hand, you derive new gradients and check them; a framework
# finds them. It brings layers that others have tested, runs on a GPU, and saves the model to a file that your colleagues can read. Nobody else knows your sixty lines.
#
# The course's benchmark asks the whole question: how many seconds from ready frames to a validation accuracy of 0.97, on 2,460 clips? It has the same recipe for
# all, and five seeds. Here are the rows for LSTM(64).

# %%
report = Path(evaluation.__file__).parent.parent / "benchmarks" / "results" / "speed.md"
section = report.read_text(encoding="utf-8").split("\n## ")[1]
for line in section.splitlines():
    if line.startswith("|"):
        print("|".join(line.split("|")[:7]))

# %% [markdown]
# ## Is the GRU better than the LSTM?
#
# Or the LSTM better than the GRU? Take the test now. Two ranges that overlap, or two of lesson 02's intervals, decide nothing here, because both models answered the SAME
# clips: a clip that is hard for one is hard for the other, and such clips say nothing about the difference. What counts are the clips where exactly
# one of the two is right. If the models were equally good, each such clip would be the toss of a coin. That is [McNemar's test](../docs/glossary.md#mcnemars-test) (1947), here in its exact
# form: how probable is it that fair coins fall as unevenly as this, or more so? That probability is [*p*](../docs/glossary.md#p).
#
# **Predict, then run.** Five pairs: the LSTM and the GRU of each seed. In how many of the five will p be below 0.05?

# %% [markdown] tags=["slide", "only-slides"]
# ## The same clips: count where they differ
# - Both right, both wrong: says nothing
# - Only one right: the toss of a coin?
# - p: how often fair coins fall as unevenly, or more
# - Guess: five pairs LSTM/GRU. In how many is p below 0.05?

# %% [markdown] tags=["notes"]
# Board: a table of two by two; cross out the diagonal. Take the guess by fingers, none to five.

# %% [markdown] tags=["slide", "only-slides"]
# ## One pair would have been an anecdote
# - Then the same between two LSTMs, or two GRUs
# - Guess: five against five. Is LSTM − GRU more than luck?


# %% tags=["more", "no-code"]
def mcnemar(first, second):
    """McNemar's exact test: clips that only the first has right, only the second; p."""
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    differ = only_first + only_second
    p = stats.binomtest(only_first, differ).pvalue if differ else 1.0
    return only_first, only_second, p


tested = {name: answers[:, on_test] for name, answers in right.items()}
for seed in SEEDS:
    only_lstm, only_gru, p = mcnemar(tested["lstm"][seed], tested["gru"][seed])
    counts = f"only LSTM right {only_lstm:2}, only GRU right {only_gru:2}"
    print(f"seed {seed}: {counts}, p = {p:.4f}")

# %% [markdown]
# Each line is a fair test of one question: do THESE two trained models differ? Had you trained one pair, you would have one of these lines, and the seed would
# have chosen which. So ask the same of two LSTMs, or two GRUs, which differ in their first weights and the order of the batches alone.

# %% tags=["more", "no-code"]
for name in ("lstm", "gru"):
    pairs = list(itertools.combinations(tested[name], 2))
    low = sum(mcnemar(first, second)[2] < 0.05 for first, second in pairs)
    kind = f"{name.upper()}s from different seeds"
    print(f"{low} of {len(pairs)} pairs of {kind} have p below 0.05")

# %% [markdown] tags=["notes"]
# Ask: which of the five lines would your paper have printed? McNemar compares two TRAINED MODELS. For architectures the seed is the unit to count.

# %% [markdown]
# By chance alone about one pair in twenty would come out so, or fewer. Where more do, two trainings of ONE architecture gave models of different quality, and the
# test is right to say so. McNemar's test compares two
# trained models. It does not compare two architectures. For that, the seed is the unit to count.
#
# ### Five against five
#
# Shuffle the names. If LSTM and GRU were the same kind of thing, the ten accuracies could have been dealt to the two names in any way. There are
# 252 ways to deal ten numbers into two hands of five. The share of the ways in which the two means are at least as far apart as we
# found is the p of a [*permutation test*](../docs/glossary.md#permutation-test).

# %% [markdown] tags=["slide", "only-slides"]
# ## Five against five: shuffle the names
# - 252 ways to deal ten numbers into two hands
# - p: the share of ways at least as far apart


# %% tags=["more", "no-code"]
def permutation(first, second):
    """The p of a permutation test on the difference of two means."""
    both, size = np.concatenate([first, second]), len(first)
    hands = [
        np.isin(range(len(both)), chosen)
        for chosen in itertools.combinations(range(len(both)), size)
    ]
    apart = np.array([abs(both[hand].mean() - both[~hand].mean()) for hand in hands])
    return (apart >= abs(first.mean() - second.mean()) - 1e-9).mean(), len(hands)


shares = {name: answers.mean(axis=1) for name, answers in tested.items()}
for pair in [("lstm", "gru"), ("lstm", "rnn")]:
    first, second = (shares[name] for name in pair)
    apart, (p, deals) = first[:, None] - second, permutation(first, second)
    spread = f"single pairs from {apart.min():+.3f} to {apart.max():+.3f}"
    print(f"{' − '.join(pair)}: {apart.mean():+.3f}, {spread}, p = {p:.4f}")
print(f"the smallest p that {deals} deals allow: {2 / deals:.3f}")

# %% [markdown] tags=["notes"]
# Do it with ten cards and two hands once. Ask why p cannot be smaller than the last line says. Then show, live, the cell under 'Unfinished is not worse': twice the epochs, and the
# gain is larger than the difference between the two cells.

# %% [markdown]
# The first line is the answer that you can give: a mean difference, and what single pairs of seeds would have shown. Where the range holds zero, some pairs
# would have sent you home with "the LSTM wins", others with "the GRU wins". Where p is small (below 0.05, as is the custom), the difference is more than the luck of the
# seeds: at these epochs, these clips and this learning rate. Where it is not, five seeds each leave the question open. On the real recordings LSTM and RNN are another matter: every LSTM beats every RNN, and p is
# as small as five seeds can make it. No five against five can give a smaller p than the last line.
#
# ### A few voices
#
# Seeds are one source of chance. The voices are another, and no seed shakes it.

# %%
# of each clip: the share of seeds that have it right
over_seeds = {name: tested[name].mean(axis=0) for name in ("lstm", "gru")}
by_voice = pd.DataFrame(over_seeds).groupby(test.group.to_numpy()).mean()
places = np.arange(len(by_voice))
axes = plt.subplots(figsize=(8, 0.9 + 0.4 * len(by_voice)), layout="constrained")[1]
axes.scatter(by_voice.lstm, places, s=70, marker="^", color="C2", label="lstm")
axes.scatter(by_voice.gru, places, s=70, marker="D", color="C3", label="gru")
axes.set_yticks(places, by_voice.index)
axes.set(xlabel="accuracy, mean over the seeds", ylabel="voice")
axes.set_title("the test, voice by voice")
axes.legend()
apart = by_voice.max() - by_voice.min()
cells_apart = abs(by_voice.lstm - by_voice.gru).mean()
better = (by_voice.gru > by_voice.lstm).sum()
voices = f"{apart.lstm:.3f} apart for the LSTM and {apart.gru:.3f} for the GRU"
ahead = f"the GRU is ahead for {better} of {len(by_voice)} voices"
fact = f"the easiest and hardest voice are {voices}; {ahead}"
plots.show(
    axes, f"{fact}; for one voice the two are {cells_apart:.3f} apart on average"
)

# %% [markdown]
# On the real recordings these voices were in training, so this is the mild case; in [lesson 02](02_a_baseline_and_an_honest_split.ipynb) the average's accuracy ranged far more widely over voices
# that it had never heard. Compare how far apart the voices lie with how far apart the two cells are for one voice: the line under the picture has both.
#
# ### Unfinished is not worse
#
# All four had the same number of epochs. Is that fair? Look whether they had finished.

# %%
axes, fell = plt.subplots(figsize=(8, 3.4), layout="constrained")[1], []
epochs = np.arange(1, EPOCHS + 1)
for (name, tables), marker in zip(histories.items(), "os^D"):
    losses = np.array([history.loss for history in tables])
    fell.append(f"{(losses[:, -1] / losses[:, -2]).mean():.2f} ({name})")
    axes.plot(epochs, losses.mean(axis=0), f"{marker}-", label=name)
    axes.fill_between(epochs, losses.min(axis=0), losses.max(axis=0), alpha=0.2)
axes.set(xlabel="epoch", ylabel="loss, training clips", ylim=(0, None))
axes.set_title("loss, mean and range of five seeds")
axes.legend()
plots.show(axes, f"in the last epoch the loss is multiplied by {', '.join(fell)}")

# %% [markdown]
# A factor below 1 is a loss that was still falling when the time was up. So the table ranks the four *at this budget*: these clips, these epochs, this learning rate.
#
# **Predict, then run.** The LSTM and the GRU of the last seed go on for as many epochs again. How much do they gain, against the difference
# between the two in the table?

# %%
for name in ("lstm", "gru"):
    before = right[name][-1, ~on_test].mean()
    # as compiled, and with the weights that the last seed left
    four[name].fit(batched, epochs=EPOCHS, shuffle=False, verbose=0)
    after = evaluation.evaluate(four[name], validation).accuracy
    gain = f"{before:.3f} after {EPOCHS} epochs, {after:.3f} after {2 * EPOCHS}"
    print(f"{name:>8}: validation {gain}")
apart = abs(table["mean"]["lstm"] - table["mean"]["gru"])
print(f"in the table the two are {apart:.3f} apart")

# %% [markdown]
# A gain of that size, against a difference of that size: what looked like a ranking of cells may be in part a ranking of how quickly they learn, with this setting (and
# this is one seed). If you have a few minutes, set the three cells' learning rates in `RATES` to 0.008, and run the cells from there down to the table of prices;
# stop there, because the cells after it look at the test. Does the order of LSTM and GRU stay?
#
# ## What may be said, and what may not
#
# - LSTM and GRU against RNN: on the real recordings the ranges over the seeds are far apart. At this budget, that difference is real.
# - LSTM against GRU: look at the range of the differences and at p. Even a small p speaks of this budget. One number for each, from one seed, would
#   have been an anecdote.
# - One learning rate for the three cells is a rule, and may favour one of them.
# - Equal units are not equal parameters: the table has the numbers, and exercise 1 finds the GRU with as many as the LSTM.
# - One test, of few voices. On the real recordings the model had heard all of them before. About other voices the table says nothing; about another kind of sound even less.
# - The price: linear in the length, for time and memory. Frames come one after another; batches share the steps. For clips of
#   half a second the price is small.
#
# Then which one? When two models cannot be told apart by accuracy, choose by what can be told apart: the price, or what you can explain.
#
# ## Exercises
#
# **Exercise 1.** How many units must a GRU *layer* have to hold as many parameters as an LSTM layer with 64 units, both reading 40 bands? From lessons
# 06 and 07: an LSTM of n units has `4 * (n * (n + 40) + n)`, a Keras GRU `3 * (n * (n + 40) + 2 * n)`. Set `units` to the whole number that comes
# nearest. Solve the equation, or let a loop find it. The check builds both layers.

# %% tags=["solution"]
wanted = 4 * (64 * (64 + 40) + 64)
units = min(range(1, 200), key=lambda n: abs(3 * (n * (n + 40) + 2 * n) - wanted))


# %% tags=["check"]
def size(layer):
    layer.build([None, None, 40])
    return layer.count_params()


assert isinstance(units, (int, np.integer)), (
    "`units` is still blank, or no whole number: round what you find"
)
assert 1 <= units <= 1_000, (
    f"a layer of {units} units: look at the sign, or at the size"
)
assert units != 64, (
    "64 are equal units: the GRU then has a gate less, and fewer parameters"
)
assert units != 85, (
    "4/3 of 64 would do if parameters grew with the units; they grow with "
    "units * (units + 40)"
)
assert units != 74, (
    "sqrt(4/3) of 64 leaves out the 40 bands: the kernel grows with the units, not "
    "with their square"
)
of_lstm, of_gru = size(keras.layers.LSTM(64)), size(keras.layers.GRU(units))
neighbours = [size(keras.layers.GRU(max(1, units + step))) for step in (-1, 1)]
nearest = min([of_gru, *neighbours], key=lambda count: abs(count - of_lstm))
assert of_gru == nearest, (
    f"Keras counts {of_gru:,} parameters in GRU({units}) and {of_lstm:,} in LSTM(64): "
    "another number of units comes nearer"
)
print(
    f"LSTM(64) has {of_lstm:,} parameters, GRU({units}) {of_gru:,}: {units - 64} units "
    "more for the same"
)

# %% [markdown]
# **Exercise 2.** A model is *dominated* if another is at least as accurate AND at most as slow, and better in one of the two. The
# models that nobody dominates form the [*Pareto front*](../docs/glossary.md#pareto-front): only among them is there anything to choose. Write `front(accuracy, milliseconds)`: both are dicts from
# name to number; return the set of names on the front. Guess first which of the four are on it.


# %% tags=["solution"]
def front(accuracy, milliseconds):
    """The names of the models that no other dominates."""

    def dominated(name):
        for other in accuracy:
            as_good = accuracy[other] >= accuracy[name]
            as_quick = milliseconds[other] <= milliseconds[name]
            better = accuracy[other] > accuracy[name]
            quicker = milliseconds[other] < milliseconds[name]
            if as_good and as_quick and (better or quicker):
                return True
        return False

    return {name for name in accuracy if not dominated(name)}


# %% tags=["check", "timing"]
def front_of(*pairs):
    """The places of the pairs (accuracy, milliseconds) that your front keeps."""
    accuracy = {f"model {n}": pair[0] for n, pair in enumerate(pairs)}
    milliseconds = {f"model {n}": pair[1] for n, pair in enumerate(pairs)}
    found = front(accuracy, milliseconds)
    assert isinstance(found, set), "front should return a set of the names it keeps"
    assert found <= set(accuracy), f"front gives names that no model has: {found}"
    return {int(name.split()[1]) for name in found}


found = front_of((0.80, 1), (0.90, 5), (0.95, 9))
assert found != {0, 2}, (
    "0.80 in 1 ms, 0.90 in 5 ms, 0.95 in 9 ms: you leave out the middle one, yet "
    "nobody is better AND quicker"
)
assert found == {0, 1, 2}, (
    f"0.80 in 1 ms, 0.90 in 5 ms, 0.95 in 9 ms: you keep {len(found)} of the three: "
    "does any of them beat another in both?"
)
assert front_of((0.90, 5), (0.85, 6)) == {0}, (
    "0.90 in 5 ms, 0.85 in 6 ms: is slower worse, and more accurate better?"
)
assert front_of((0.80, 1), (0.80, 2)) == {0}, (
    "0.80 in 1 ms, 0.80 in 2 ms: a tie in one of the two saves nobody"
)
assert front_of((0.85, 5), (0.90, 5)) == {1}, (
    "0.85 and 0.90, both in 5 ms: a tie in one of the two saves nobody"
)
assert front_of((0.9, 3), (0.9, 3)) == {0, 1}, (
    "two equal models do not dominate each other: one must be better in something"
)
random = np.random.default_rng(3)
for count in [1, *random.integers(2, 15, 40)]:
    pairs = list(zip(random.integers(5, 10, count) / 10, random.integers(1, 7, count)))
    kept = set()
    for n, (accuracy, wait) in enumerate(pairs):
        best_as_quick = max(pair[0] for pair in pairs if pair[1] <= wait)
        least_as_good = min(pair[1] for pair in pairs if pair[0] >= accuracy)
        if best_as_quick == accuracy and least_as_good == wait:
            kept.add(n)
    assert front_of(*pairs) == kept, (
        f"right for two or three models, wrong for a table of {count}: compare each "
        "model with ALL others"
    )
names = sorted(front(dict(table["mean"]), dict(table.milliseconds)))
print("on the front of this lesson's table:", *names)

# %% [markdown] tags=["slide", "only-slides"]
# ## Exercise 3: how many seeds?
# - Two invented models, five seeds each: means 0.940 and 0.950
# - Standard deviation over the seeds: 0.0158
# - Do the ranges overlap?
# - `16 * (s / d) ** 2`: how many seeds each?

# %% [markdown] tags=["notes"]
# Three minutes with paper. Then exercise 2 (the Pareto front) for those who are quick. The answer, 40 seeds each, is the sentence that people take home.

# %% [markdown]
# **Exercise 3.** Somebody shows you two invented models, five seeds each, and says that the second is better.

# %%
first = np.array([0.93, 0.95, 0.94, 0.92, 0.96])
second = np.array([0.95, 0.97, 0.93, 0.96, 0.94])
for seeds in (first, second):
    deviation = f"standard deviation over the seeds {seeds.std(ddof=1):.4f}"
    print(f"mean {seeds.mean():.3f}, {deviation}")

# %% [markdown]
# Set `overlap` to True if their ranges (least to largest) overlap, else False. Then `needed`: how many seeds *each* would need so that a true difference of this size is
# found (with p below 0.05) in about four of five such experiments. A rule of thumb: `16 * (s / d) ** 2`, where `s` is the standard deviation over the seeds (`ddof=1`) and
# `d` the difference of the means (R. Lehr, 1992); round up.

# %% tags=["solution"]
overlap = bool(first.max() >= second.min() and second.max() >= first.min())
ratio = first.std(ddof=1) / (second.mean() - first.mean())
needed = int(np.ceil(16 * ratio**2))

# %% tags=["check"]
assert overlap is not ... and needed is not ..., (
    "set both: `overlap` to True or False, `needed` to a number of seeds"
)
apart = first.max() < second.min() or second.max() < first.min()
assert bool(overlap) != bool(apart), (
    "look at the ranges again: compare the best of the first with the least of the "
    "second"
)
assert needed not in (25, 26), "square the ratio: 16 * (s / d) ** 2"
assert needed not in (32, 33), (
    "five seeds are a sample: use std(ddof=1), which divides by 4 and not by 5"
)
assert not (needed == 0 or np.isclose(needed, 16 / 2.5, atol=1)), (
    "the ratio is upside down: the smaller the difference, the more seeds it takes"
)
difference = second.mean() - first.mean()
exact = 16 * np.sum((first - first.mean()) ** 2) / (len(first) - 1) / difference**2
assert needed == int(needed) and exact - 1e-6 <= needed <= exact + 1 + 1e-6, (
    f"found {needed}: s is the standard deviation printed above, d the difference of "
    "the two means; round up"
)
p = permutation(first, second)[0]
print(
    f"{needed} seeds each for a difference of {difference:.3f}; with {len(first)}, "
    f"p = {p:.2f}"
)

# %% [markdown]
# **Exercise 4.** A batch of 32 clips of one minute, at 8,000 samples a second, trains an LSTM with 64 units. How many megabytes (of a million bytes) must be kept
# for the way back? Use `KEPT["lstm"]`, `UNITS`, `NUMBER`, and `audio.frame_count(samples)`, which says how many frames that many samples give. Guess first: more than a gigabyte?

# %% tags=["solution"]
frames = audio.frame_count(60 * audio.SAMPLE_RATE)
minute = KEPT["lstm"] * frames * UNITS * NUMBER * 32 / 1e6

# %% tags=["check"]
assert minute is not ..., (
    "set `minute` to a number of megabytes: rows × frames × units × bytes × clips / 1e6"
)
expected = 6 * 5_998 * 64 * 4 * 32 / 1e6
slips = {
    1 / 32: "that is one clip: the batch has 32 of them",
    1 / 6: "that is the state alone: an LSTM keeps more at each frame",
    1 / 4: "those are numbers, not bytes: a float32 takes several",
    1e6 / 2**20: "a megabyte is a million bytes here",
    1e6: "those are bytes: a megabyte is a million of them",
    480_000 / 5_998: "those are samples: the LSTM reads frames",
}
for factor, slip in slips.items():
    assert not np.isclose(minute, expected * factor, rtol=0.002), slip
assert np.isclose(minute, expected, rtol=0.01), (
    f"found {minute:,.1f} MB: which of the five factors is off: rows, frames, units, "
    "bytes, clips?"
)
print(
    f"{minute:,.0f} MB for a batch of clips of a minute, and {weights['lstm']:.2f} MB "
    "for the weights"
)

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 1
# Clips become four times as long. An LSTM's training step takes …
#
# - A. about the same: more cores read the frames at once
# - B. about four times as long
# - C. about sixteen times as long

# %% [markdown] tags=["notes"]
# Right: B. To A: frame 20 starts from the state of frame 19. C would be each frame against each other frame.

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 2
# One LSTM, one GRU: McNemar's p is 0.01. So …
#
# - A. GRUs and LSTMs differ on this task
# - B. with probability 1 % they are equally good
# - C. these two models differ more than chance explains

# %% [markdown] tags=["notes"]
# Right: C. A is the commonest: ask about two LSTMs of different seeds. B turns the sentence round: p is computed IF they are equal.

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 3
# Two architectures, five seeds each. By which number do you choose?
#
# - A. mean over the seeds on validation, then the price
# - B. the best seed on the test
# - C. the mean over the seeds on the test

# %% [markdown] tags=["notes"]
# Right: A. To C: averaging removes the luck of seeds, not the choosing by the test.

# %% [markdown]
# **You have seen**
# - four models from five seeds each: their accuracy, its spread and their prices in one table;
# - how time and memory grow with the length of a clip, and why frames cannot be read all at once;
# - an LSTM in NumPy that keeps up with a framework, and why a framework is used all the same;
# - two models compared on the same clips, and what five seeds and one test cannot tell.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. Clips become four times as long. What happens to the time of an LSTM's training step?**
#
# <details><summary>A. It stays about the same, because a GPU or more cores can read the frames at once.</summary>No: each frame needs the state that the frame before it left. Only clips of a batch can be read at once.</details>
# <details><summary>B. It becomes about four times as long.</summary>Yes: one step for each frame, all alike, so time is linear in the length, and so is the memory that is kept for the way back.</details>
# <details><summary>C. It becomes about sixteen times as long.</summary>No: that is quadratic, as when each frame is compared with each other frame. A recurrent cell looks at one frame and one state.</details>
#
# **2. One LSTM and one GRU answer the same test clips; McNemar's p is 0.01. What do you know?**
#
# <details><summary>A. GRUs and LSTMs differ in quality on this task.</summary>No: the test compared two trained models. Two LSTMs from different seeds may differ as much.</details>
# <details><summary>B. The probability that the two are equally good is 1 %.</summary>No: p is how often fair coins would fall this unevenly IF the two were equally good; it is no probability of the if.</details>
# <details><summary>C. These two trained models differ more than chance on these clips would explain.</summary>Yes: and no more than that. It says nothing about other seeds, other voices, or the architectures.</details>
#
# **3. Two architectures, five seeds each. You have the validation and the test accuracy of all ten models. By which number do you choose?**
#
# <details><summary>A. By the mean over the seeds on validation clips, with the price where the ranges overlap.</summary>Yes: the test stays unspent, the spread is seen, and price decides what accuracy cannot.</details>
# <details><summary>B. By the best seed on the test.</summary>No: the best of many draws is luck in part, and the test then no longer measures anything but your choosing.</details>
# <details><summary>C. By the mean over the seeds on the test, since it has no luck in it.</summary>No: a choice made by the test makes its number too good, whatever is averaged.</details>
#
# Next: [09 Order and the whole clip](09_order_and_the_whole_clip.ipynb). Back to the map: [00 Start here](00_start_here.ipynb).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
