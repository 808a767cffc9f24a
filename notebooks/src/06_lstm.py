# %% [markdown]
# # 06 · LSTM
#
# In a vanilla RNN the error dies on its way back (lesson 05). The *long short-term memory* of Hochreiter and Schmidhuber (1997; the forget [gate](../docs/glossary.md#gate) is of Gers,
# Schmidhuber and Cummins 2000) gives it a road of its own. Is that why an LSTM does better, and does it always? You build one by hand, watch it listen, and then try to break it.
#
# **You will**
# - compute an LSTM's gates by hand, and agree with Keras to five decimals;
# - see its gates open and close under a spectrogram, and turn a forget bias into milliseconds of memory;
# - find the lag at which an RNN, an LSTM and a GRU forget, and what mends it.
#
# **Minutes:** 45, of which the computer takes about half of one. **You need:** lessons 03 to 05.

# %% [markdown] tags=["slide", "only-slides"]
# ## Does a second memory mend it?
# - Lesson 05: the error dies on its way back
# - The LSTM gives it a road of its own
# - Does that mend it? Always? When not?

# %% [markdown] tags=["notes"]
# Begin with lesson 05's curve on the board: the vanilla RNN's gradient falls by many powers of ten towards the first frame. Ask: what would you multiply by instead, so that it does
# not fall?

# %% tags=["setup"]
import setup_course

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from course_lib import audio, batches, data, evaluation, models, plots, training
from course_lib.extra import microscope

# %%
rest, validation, test = data.load_parts("digits")
others = rest.sample(frac=1, random_state=0)  # in a random order
train = others.groupby("label", observed=True).head(70)  # few, to save time
by_length = validation.frames.map(len).sort_values().index
long = validation.loc[by_length[-5]]
print(
    f"{len(train)} to learn from, {len(validation)} to watch; "
    f"the long clip has {len(long.frames)} frames"
)

# %% [markdown]
# ## A second memory
#
# A vanilla RNN overwrites its whole state at each frame: `tanh(...)` of everything, every time. An LSTM has a second memory, the [*cell*](../docs/glossary.md#cell), and
# changes it with care:
#
# `cell = forget * cell + input * candidate`
#
# `candidate` is what a vanilla RNN would write, a number from -1 to 1 for each unit. `forget` and `input` are *gates*: numbers between 0 and 1, one a
# unit, computed at each frame from the frame and the state before it by a [*sigmoid*](../docs/glossary.md#sigmoid), a soft switch. `forget` near 1 keeps what is in the cell; `input` near 0
# lets nothing in. A third gate, `output`, decides how much of the cell the rest of the network sees: `state = output * tanh(cell)`.
#
# Here is the whole of it. Keras keeps the weights of the four parts side by side, in the order input, forget, [candidate](../docs/glossary.md#candidate), output.

# %% [markdown] tags=["slide", "only-slides"]
# ## A second memory, changed with care
# - `cell = forget * cell + input * candidate`
# - `state = output * tanh(cell)`
# - `candidate`: what a vanilla RNN would write, from -1 to 1
# - Three gates, each a number from 0 to 1 for every unit
# - One frame back along the cell: times `forget`, and nothing else

# %% [markdown] tags=["notes"]
# Draw the cell as a straight road with one tap on it, the forget gate, and a side road that joins, the input gate. Ask: which number on the road may make the error vanish? Let them
# say 'forget near 0' themselves.

# %% [markdown] tags=["slide", "only-slides"]
# ## The whole of it
# - Order in Keras: input, forget, candidate, output


# %% tags=["more"]
def sigmoid(x):
    """A soft switch: 0 far below zero, 0.5 at zero, 1 far above."""
    return 1 / (1 + np.exp(-x))


def lstm_by_hand(frames, kernel, recurrent, bias):
    """The states of an LSTM, frame by frame."""
    state = cell = np.zeros(recurrent.shape[0])
    states = []
    for frame in frames:
        input_, forget, candidate, output = np.split(
            frame @ kernel + state @ recurrent + bias, 4
        )
        cell = sigmoid(forget) * cell + sigmoid(input_) * np.tanh(candidate)
        state = sigmoid(output) * np.tanh(cell)
        states.append(state)
    return np.stack(states)


# %% [markdown] tags=["notes"]
# Read it aloud, line by line. Ask: how many weights, against a SimpleRNN of as many units? Four times: the split into 4 says so. The next cell of the lesson agrees with Keras to
# five decimals.

# %%
keras.utils.set_random_seed(0)
layer = keras.layers.LSTM(64, return_sequences=True)
scaled = (long.frames - models.TYPICAL_LOG_MEL) / models.SPREAD_LOG_MEL
by_keras = layer(scaled[None])[0]
by_hand = lstm_by_hand(scaled, *layer.get_weights())
np.testing.assert_allclose(by_hand, by_keras, atol=1e-5)
print("kernel, recurrent, bias:", [weight.shape for weight in layer.get_weights()])
print(
    f"states {by_hand.shape}; largest difference {np.abs(by_hand - by_keras).max():.0e}"
)

# %% [markdown]
# Each matrix is four times as wide as a vanilla RNN's, so an LSTM has four times the weights: `4 * 64 * (40 + 64 + 1)`.

# %%
assert layer.count_params() == 4 * 64 * (40 + 64 + 1)
of_rnn = 64 * (40 + 64 + 1)
print(f"{layer.count_params():,} weights; a SimpleRNN of 64 units has {of_rnn:,}")

# %% [markdown]
# ## Where the error travels
#
# Go back one frame along the cell. In a vanilla RNN you multiply by a matrix and by the slope of `tanh`. Along this road you multiply by `forget`, and by nothing
# else. If that gate is 0.99, then 100 frames back a third is left. That is the road.
#
# And if the gate is 0.5? Half of the memory, and of the error, is gone after ONE frame. Before training, what goes into a gate's sigmoid lies around
# zero, its *bias* added; so the [*forget bias*](../docs/glossary.md#forget-bias) decides how long a fresh LSTM remembers.
#
# **Predict, then run.** `sigmoid(0)` is 0.5. With a bias of 1, which Keras takes (Jozefowicz et al. 2015), after how many frames is half of a memory left? With 3? With 5?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: when is half of a memory left?
# - `sigmoid(0)` is 0.5: half is gone after one frame
# - Forget bias 1, as Keras begins: after how many frames?
# - Forget bias 3?
# - Forget bias 5?
# - One frame is 10 ms. A spoken digit: about half a second.

# %% [markdown] tags=["notes"]
# Everybody writes three numbers. Collect the smallest and the largest guess for bias 5, and leave both on the board.

# %% [markdown] tags=["slide", "only-slides"]
# ## A forget bias is a length of time
# - Compare the last column with half a second

# %% tags=["more"]
for bias in [0, 1, 3, 5]:
    kept = sigmoid(bias)
    half = np.log(0.5) / np.log(kept)  # kept ** half == 0.5
    print(
        f"forget bias {bias}: keeps {kept:.3f} a frame, "
        f"a half after {half:5.1f} frames = {10 * half:4.0f} ms"
    )

# %% [markdown] tags=["notes"]
# Ask: which of the four would you choose for a digit? Keep the answers on the board; three of the biases meet real words in a minute. And ask what happens to the error on the way
# back: it goes through the same gate.

# %% [markdown]
# A spoken digit lasts about half a second. With a bias of 1, the memory of a fresh LSTM is gone long before. The microscope of lesson 05
# agrees on the order, not on the numbers: a gate moves around its mean, and the error has a second road, through the state and the gates.


# %%
def fresh_lstm(forget_bias):
    """An LSTM that has not learned, with this bias for all its forget gates."""
    keras.utils.set_random_seed(0)
    model = models.lstm(train.label.nunique())
    bias = model.get_layer("lstm").cell.bias
    input_, forget, candidate, output = np.split(bias.numpy(), 4)
    forget = np.full_like(forget, forget_bias)
    bias.assign(np.concatenate([input_, forget, candidate, output]))
    return model


biases = fresh_lstm(3).get_layer("lstm").cell.bias.numpy()
print("input and forget biases, the first of each:", biases[[0, 64]])

# %% [markdown] tags=["slide", "only-slides"]
# ## Before training: what reaches the first frame?
# - Read from right to left: the error goes back
# - Guess: biases 0, 1, 3, ordered by accuracy on real words?

# %% tags=["more", "no-code"]
truth, curves = train.label.cat.categories.get_loc(long.label), {}
for bias in [0, 1, 3]:
    by_frame = microscope.gradient_by_frame(fresh_lstm(bias), long.frames, truth)
    curves[f"forget bias {bias}"] = by_frame
title = "LSTMs before training"
figure = plots.under_frames(
    long.frames, curves, unit="gradient norm", scale="log", title=title
)
parts = [f"{name}: {curve[0] / curve[-1]:.0e}" for name, curve in curves.items()]
fact = "the first frame's gradient as a share of the last one's"
plots.show(figure, f"{fact}; {', '.join(parts)}")

# %% [markdown] tags=["notes"]
# Each label on this axis is a hundred times the one below it. Ask for the ratio first frame to last frame of each curve: the line under the picture has it. Then take the guess for the training: a
# show of hands for each order.

# %% [markdown]
# ## What does the bias change on real words?
#
# **Predict, then run.** Three trainings of six epochs, about five seconds in all. Order the biases 0, 1 and 3 by the accuracy that you expect.

# %% [markdown] tags=["slide", "only-slides"]
# ## Nothing was changed but 64 numbers
# - Same weights otherwise, same clips, same six epochs
# - Where two intervals overlap, this run orders nothing
# - Guess: at the word's two ends, what do the gates do?

# %% tags=["more", "no-code"]
trained, watched = {}, {}
batched = batches.bucketed(train.frames, train.label)
padded = batches.pad(list(validation.frames.head(8)))
for bias in [0, 1, 3]:
    trained[bias] = fresh_lstm(bias)
    training.fit(trained[bias], batched, epochs=6)
    watched[bias] = evaluation.evaluate(trained[bias], validation)
    change = evaluation.check_mask(trained[bias], padded)
    print(
        f"forget bias {bias}: validation {watched[bias]}; "
        f"padding changes a logit by {change:.0e}"
    )

# %% [markdown] tags=["notes"]
# Ask which pairs of intervals overlap. One seed: say so. Then the guess: where the word begins and where it ends, what would you WANT the input and the forget gate to do?

# %% [markdown]
# The intervals are for the choice of clips; another seed adds to them. Where two of them overlap, this run does not order the two. On the real recordings the bias of 0 is
# far behind the bias of 3. Nothing else was changed: neither the number of weights, nor the data, nor the budget. Yet what tells one digit from another is
# spread over the whole word, so a model need not carry anything from the first frame to the last. Below we give it a task where it must.
#
# The model that did best on the validation clips goes to the test, and under the microscope. Expect a lower score there: the best of three is partly lucky on the clips
# that chose it.

# %%
best = max(watched, key=lambda bias: watched[bias].accuracy)
model = trained[best]
score = evaluation.evaluate(model, test)
entry = {
    "lesson": "06",
    "data": train.source.iloc[0],
    "split": "official",
    "parameters": model.count_params(),
}
table = evaluation.Results().add(
    model=f"lstm, forget bias {best}, 700 clips", score=score, **entry
)
print(f"forget bias {best}, test: {score}")

# %% [markdown]
# ## Watch the gates
#
# Each row of the pictures below is one of the first 24 units, each column a frame. Yellow gates are open, dark ones are closed.
#
# **Predict, then run.** Where the word begins and where it ends, what would you want the input and the forget gate to do?

# %% [markdown] tags=["slide", "only-slides"]
# ## Gates under a spectrogram
# - Yellow is open, dark is closed; a row is a unit

# %% tags=["more", "no-code"]
gates = microscope.gates(model, long.frames)
some = {name: gates[name][:, :24] for name in ["input", "forget", "output", "cell"]}
loudness = long.frames.mean(axis=1)
follows = {
    name: np.corrcoef(gates[name].mean(axis=1), loudness)[0, 1]
    for name in ["input", "forget", "output"]
}
figure = plots.gates(long.frames, some, title=f"{long.label}, 24 units")
parts = ", ".join(f"{name} {value:+.2f}" for name, value in follows.items())
plots.show(figure, f"mean gate against loudness, correlation: {parts}")

# %% [markdown] tags=["notes"]
# Let them look for half a minute before anybody speaks. Ask: is the forget gate closed where the word ends? Mostly not. Look at the colour bar of the cell: it has no bound. Warn: an
# untrained LSTM may show correlations as large; a gate's name is not its job.

# %% [markdown]
# Many gates are nearly open or nearly shut for long stretches. The correlations under the picture say whether, on average over the units, a gate opens or closes as the clip
# grows louder. Do not make too much of them: it is one clip, and an LSTM that has not learned may show correlations as large, because a mean over units follows whatever the
# frames share. A gate that has a name is not yet a gate that does what the name says. And look at the colour bar of the cell: the cell has no bound, it adds up.
#
# How long do the units remember now? What is left of a memory is the product of the gates on its way, so the *geometric* mean of a unit's forget gate gives its [half-life](../docs/glossary.md#half-life).

# %%
kept = np.exp(np.log(gates["forget"]).mean(axis=0))  # the geometric mean
half_lives = 10 * np.log(0.5) / np.log(kept)  # milliseconds
axes = plt.subplots(figsize=(9, 2.6), layout="constrained")[1]
axes.hist(half_lives, bins=np.geomspace(5, max(1_000, half_lives.max()), 30))
axes.set(
    xscale="log",
    xlabel="half-life (ms)",
    ylabel="units",
    title="how long the 64 cells remember",
)
low, middle, high = np.quantile(half_lives, [0, 0.5, 1])
plots.show(
    axes, f"half-lives from {low:.0f} to {high:.0f} ms, the median {middle:.0f} ms"
)

# %% [markdown]
# A model of several speeds: some cells follow each sound, others keep a memory over a good part of the word.
#
# ## The long lag
#
# Now a task that cannot be solved without memory. There are six inputs: one for each of four words, one for "now", one for the question. A *cue* tells the
# word. Then come `lag` frames of distraction, random numbers. Then a frame asks: which word was it? Each sequence is new, so that nothing can be learned by heart. Someone who forgot is right once in four times.


# %%
def sequences(count, lag, *, seed):
    """Cue, distraction, question, [count, lag + 2, 6], as loud as speech; the words."""
    random = np.random.default_rng(seed)
    words = random.integers(0, 4, count)
    frames = np.zeros([count, lag + 2, 6], np.float32)
    frames[:, 1:-1, :4] = random.normal(0, 0.25, [count, lag, 4])  # distraction
    frames[np.arange(count), 0, words] = 2  # the cue: which word
    frames[:, 0, 4] = 2  # and "now"
    frames[:, -1, 5] = 2  # the question
    # the models take this scale off again
    return frames * models.SPREAD_LOG_MEL + models.TYPICAL_LOG_MEL, words


# %% [markdown] tags=["slide", "only-slides"]
# ## A task that cannot be done without memory
# - Frame 0 shows the word; the last frame asks
# - Between them: `lag` frames of noise. Guessing is right once in four.
# - Guess, for RNN, LSTM and GRU:
# - at which lag, 10, 30, 100 or 300, does each forget?

# %% tags=["more", "no-code"]
frames, words = sequences(3, 10, seed=0)
axes = plt.subplots(figsize=(9, 2.4), layout="constrained")[1]
image = axes.imshow(frames[0].T, aspect="auto", cmap=plots.COLOURS)
axes.figure.colorbar(image, ax=axes, label="value")
title = f"one sequence with a lag of 10; the word is {words[0]}"
axes.set(xlabel="frame", ylabel="input", title=title)
fact = f"only frame 0 shows the word, by input {words[0]}"
plots.show(axes, f"{fact}; input 5 asks at frame {len(frames[0]) - 1}")

# %% [markdown] tags=["notes"]
# Three written numbers from everybody. Expect 'the RNN first, the LSTM last'. Do not comment yet.

# %% [markdown]
# Each model gets the same budget: 120 batches of 32 sequences. RNN, LSTM and GRU begin as Keras begins them. Two more begin with their gates *set*: the LSTM with a forget
# bias of 5 and an input bias of -5 (keep what is there, let little in), the GRU, the next lesson's cell, with a bias of 5 on its one gate for both.


# %%
def set_gates(model, name):
    """Begin with a gate that keeps: half of a memory is left after 103 frames."""
    layer = model.layers[3]  # after input, mask and scale
    bias, units = layer.cell.bias.numpy(), layer.units
    if name == "lstm":
        bias[:units] = -5  # input
        bias[units : 2 * units] = 5  # forget
    else:
        bias[0, :units] = 5  # update
    layer.cell.bias.assign(bias)


model = models.gru(4, units=24, n_mels=6)
set_gates(model, "gru")
print("the GRU's first biases:", model.layers[3].cell.bias[0, :3].numpy())


# %%
def remembers(name, lag, *, gates_set=False):
    """Train on the task; the share of 500 new sequences that are answered right."""
    keras.utils.set_random_seed(0)
    model = models.BUILDERS[name](4, units=24, n_mels=6)
    if gates_set:
        set_gates(model, name)
    examples = tf.data.Dataset.from_tensor_slices(sequences(120 * 32, lag, seed=1))
    training.fit(model, examples.batch(32), epochs=1, learning_rate=0.01)
    frames, words = sequences(500, lag, seed=2)
    return (evaluation.predict(model, frames).argmax(axis=1) == words).mean()


# %% [markdown]
# **Predict, then run.** At which of the lags 10, 30, 100 and 300 does each forget? Write down three numbers, for RNN, LSTM and GRU as Keras begins
# them. (A model that guesses at one lag is not tried at a longer one.) About ten seconds.

# %%
lags, right = [10, 30, 100, 300], {}
for name in ["rnn", "lstm", "gru"]:
    model = models.BUILDERS[name](4, units=24, n_mels=6)
    change = evaluation.check_mask(model, batches.pad(list(frames)))
    right[name] = []
    for lag in lags:
        # what guesses at one lag is not tried at a longer one
        guesses = min(right[name], default=1) < 0.3
        right[name].append(np.nan if guesses else remembers(name, lag))
    shares = np.round(right[name], 2)
    print(f"{name}: {shares}; padding changes a logit by {change:.0e}")

# %%
for name in ["lstm", "gru"]:
    found = remembers(name, lags[-1], gates_set=True)  # the longest lag alone
    right[f"{name}, gates set"] = [np.nan, np.nan, np.nan, found]
    print(f"{name}, gates set, lag {lags[-1]}: {found:.2f}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Who remembers the cue?
# - As Keras begins them: RNN, LSTM, GRU
# - With gates set to keep: two marks in the upper right corner

# %% tags=["more", "no-code"]
axes = plt.subplots(figsize=(9, 3.4), layout="constrained")[1]
for (name, shares), marker in zip(right.items(), "osD^v"):
    axes.plot(lags, shares, marker + "-", label=name, alpha=0.8)
axes.axhline(0.25, linestyle="--", color="grey", label="guessing")
axes.set(
    xscale="log",
    xlabel="lag (frames)",
    ylabel="share right",
    ylim=(0, 1.05),
    title="who remembers the cue?",
)
axes.set_xticks(lags, lags)
axes.legend()
solved = [
    f"{name} {max(np.array(lags)[np.array(shares) > 0.9], default=0)}"
    for name, shares in right.items()
]
plots.show(axes, f"the longest lag that each solves: {'; '.join(solved)}")

# %% [markdown] tags=["notes"]
# Silence first: the picture contradicts the textbook sentence. Ask: is the road not there? It is, and it is barred: sigmoid(1) to the power of 30 is what arrives. Then: what a cell
# CAN do and what it LEARNS in a budget are two things. One seed, one budget.

# %% [markdown]
# If you had expected "the LSTM remembers, the RNN forgets", look again. As Keras begins them, the gates stand half open, and within this budget the LSTM and the GRU
# forget no later than the vanilla RNN, and here earlier: its matrix keeps lengths, and these inputs are small, so that the slope of `tanh` stays nearer to 1 than on the louder
# frames of lesson 05. The road is there, and it is barred: the error must first reach the cue before
# training can learn to open the gate. With the gates set from the beginning, the same cells with the same budget carry the cue over hundreds of frames.
#
# This is one seed and one budget; with more training the LSTM and the GRU may find the road by themselves. A rule worth trying: when you know how long a model must remember,
# begin with gates of that half-life (Tallec and Ollivier 2018 give each unit a half-life of its own, drawn from a range).

# %% [markdown] tags=["slide", "only-slides"]
# ## Exercise 2: an LSTM that counts
# - One unit hears 1 (loud) or 0 (quiet)
# - Its cell should hold how many frames were loud
# - Set `kernel` and `bias`: input, forget, candidate, output
# - No training. `sigmoid(10)` is as good as 1.

# %% [markdown] tags=["notes"]
# Ten minutes in pairs, on paper before the keyboard. Hint when stuck: which gate must differ between loud and quiet? Only that one needs a kernel other than 0. Afterwards ask why a
# vanilla RNN could not do it: its tanh cannot hold a 4.

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** A cue must survive 100 frames with half of its strength. Which forget bias does that? Set `bias_for_100`. (`forget ** 100 == 0.5`, and `sigmoid(bias) == forget`;
# the inverse of the sigmoid is `log(forget / (1 - forget))`.)

# %% tags=["solution"]
forget = 0.5 ** (1 / 100)
bias_for_100 = np.log(forget / (1 - forget))

# %% tags=["check"]
assert isinstance(bias_for_100, (float, np.floating)), (
    "`bias_for_100` should be one number"
)
assert not np.isclose(bias_for_100, 0.5 ** (1 / 100)), (
    "that is the gate; which bias makes the sigmoid give it?"
)
left = sigmoid(bias_for_100) ** 100
assert np.isclose(left, 0.5, atol=0.001), (
    f"with this bias {left:.3f} is left after 100 frames, and a half is asked"
)
memory = keras.layers.LSTM(1, return_state=True)
memory.build([None, None, 1])
closed = [-50, bias_for_100, 0, 0]  # nothing comes in
memory.set_weights([np.zeros([1, 4]), np.zeros([1, 4]), np.array(closed)])
cue = [np.zeros([1, 1]), np.ones([1, 1])]
cell = float(memory(np.zeros([1, 200, 1]), initial_state=cue)[2][0, 0])
assert np.isclose(cell, 0.25, atol=0.005), (
    f"in an LSTM with this forget bias {cell:.3f} of a cue is left after 200 frames"
)
print(
    f"forget bias {bias_for_100:.2f}; Keras begins with 1, "
    f"which leaves {sigmoid(1) ** 100:.0e}"
)

# %% [markdown]
# **Exercise 2.** Build an LSTM that counts, without training. One unit hears one number a frame, 1 (loud) or 0 (quiet), and its cell should hold how many
# frames were loud. Set `kernel` (what each part hears) and `bias`, each a list of four numbers in the order input, forget, candidate, output: the input gate should open at a
# loud frame only, the forget gate stay open, the candidate be 1. The recurrent weights are 0, and the output gate does not matter. (A sigmoid or a tanh of 10 is as good as 1,
# a sigmoid of -10 as good as 0.)

# %% tags=["solution"]
kernel = [20, 0, 0, 0]
bias = [-10, 10, 10, 10]

# %% tags=["check"]
assert np.shape(kernel) == np.shape(bias) == (4,), (
    "`kernel` and `bias` should each be a list of four numbers"
)
at_rest, when_loud = sigmoid(bias[0]), sigmoid(kernel[0] + bias[0])
assert at_rest < 0.1 < 0.9 < when_loud, (
    f"the input gate is {at_rest:.2f} when quiet, {when_loud:.2f} when loud"
)
counter = keras.layers.LSTM(1, return_state=True)
counter.build([None, None, 1])
counter.set_weights([np.reshape(kernel, [1, 4]), np.zeros([1, 4]), np.array(bias)])
heard = np.array([1, 0, 0, 1, 1, 0, 1, 0], np.float32)
quiet = float(counter(np.zeros([1, 8, 1], np.float32))[2][0, 0])
assert abs(quiet) < 0.1, (
    f"eight quiet frames were counted as {quiet:.1f}: "
    "is a gate open that should not be?"
)
counted = float(counter(heard[None, :, None])[2][0, 0])
assert counted > 3, (
    f"four loud frames count as {counted:.1f}: "
    "does the forget gate keep, and is the candidate 1?"
)
assert abs(counted - 4) < 0.1, (
    f"four loud frames were counted as {counted:.1f}: are all gates near 0 or near 1?"
)
longer = np.random.default_rng(3).integers(0, 2, 24)
of_longer = float(counter(np.float32(longer)[None, :, None])[2][0, 0])
assert abs(of_longer - longer.sum()) < 0.5, (
    f"a longer sound is counted as {of_longer:.1f}, and that is not how many are loud: "
    "what is lost or added in each frame?"
)
print(
    f"counted {counted:.3f} loud frames in {heard.astype(int)}; "
    "a vanilla RNN's tanh could not hold a 4"
)

# %% [markdown]
# **Exercise 3.** Which unit has the longest memory in the clip's gates? Set `slowest` to its number and `its_half_life` to its half-life in
# milliseconds. `gates["forget"]` is `[frames, units]`; take the geometric mean over the frames, as above.

# %% tags=["solution"]
mean_forget = np.exp(np.log(gates["forget"]).mean(axis=0))
slowest = mean_forget.argmax()
its_half_life = 10 * np.log(0.5) / np.log(mean_forget[slowest])

# %% tags=["check"]
assert isinstance(slowest, (int, np.integer)), (
    f"`slowest` should be the number of a unit, found {slowest!r}"
)
assert 0 <= slowest < 64, (
    f"found {slowest}: there are 64 units; take the mean over axis 0, the frames"
)
left = np.prod(gates["forget"].astype(np.float64), axis=0)
own = left[slowest] ** (1 / len(long.frames))
assert np.isclose(left[slowest], left.max(), rtol=1e-3), (
    f"unit {slowest} keeps {own:.3f} a frame, and another keeps more"
)
assert isinstance(its_half_life, (float, np.floating)) and its_half_life > 0, (
    "`its_half_life` should be one number above 0"
)
expected = np.log(2) / -np.log(own)  # frames
assert not np.isclose(its_half_life, expected, rtol=0.01), (
    f"{its_half_life:.1f} frames: how long is that in milliseconds?"
)
plain = np.log(2) / -np.log(gates["forget"].mean(axis=0)[slowest])
right_mean = np.isclose(its_half_life, 10 * expected, rtol=0.001)
assert right_mean or not np.isclose(its_half_life, 10 * plain, rtol=0.001), (
    "that is the half-life of the usual mean: what is left is a PRODUCT of gates"
)
assert right_mean, (
    f"after {its_half_life:.0f} ms {own ** (its_half_life / 10):.2f} is left, "
    "not a half"
)
print(
    f"unit {slowest}: half-life {its_half_life:.0f} ms, in a clip of "
    f"{10 * len(long.frames)} ms"
)

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 1
# One frame back along the cell, the error passes through …
#
# - A. the recurrent matrix and the slope of `tanh`
# - B. the output gate
# - C. the forget gate

# %% [markdown] tags=["notes"]
# Fingers: one, two, three. Right: C. Whoever says A describes the other road, which an LSTM has, too.

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 2
# A forget bias of 0 and 50 frames: that is …
#
# - A. nothing to mind: the gate is learned
# - B. a memory whose half-life is one frame
# - C. a memory that never forgets

# %% [markdown] tags=["notes"]
# Right: B. To A: learned from which error? 0.5 to the power of 50 of it arrives. C takes the bias for the gate.

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 3
# On the long lag LSTM and GRU were no better. So …
#
# - A. what a cell can do is not what it learns
# - B. LSTMs have no advantage over vanilla RNNs
# - C. the task cannot be solved

# %% [markdown] tags=["notes"]
# Right: A. To B: the digits, and the two models with their gates set. To C: count the models that solved the longest lag.

# %% [markdown]
# **You have seen**
# - an LSTM's gates computed by hand, as Keras computes them;
# - its gates under a spectrogram, and a forget bias as milliseconds of memory;
# - the lag at which an RNN, an LSTM and a GRU forget, and what mends it.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. Through what does the error pass on its way one frame back along the cell?**
#
# <details><summary>A. Through the recurrent matrix and the slope of <code>tanh</code>.</summary>No: that is the road of the vanilla RNN. An LSTM has it too, through its gates, but the cell has a road beside it.</details>
# <details><summary>B. Through the output gate.</summary>No: that gate stands between the cell and the state; along the cell itself it does not act.</details>
# <details><summary>C. Through the forget gate.</summary>Yes: the cell before is multiplied by it and by nothing else, so the error is, too.</details>
#
# **2. An LSTM begins with a forget bias of 0. What is that for a clip of 50 frames?**
#
# <details><summary>A. Nothing to mind, since the gate is learned.</summary>No: it is learned from an error that must first come back through it, and 0.5 to the power of 50 is about 1e-15.</details>
# <details><summary>B. A memory whose half-life is one frame.</summary>Yes: <code>sigmoid(0)</code> is 0.5; a longer memory must be learned from what little error arrives.</details>
# <details><summary>C. A memory that never forgets.</summary>No: the bias of 0 makes the GATE 0.5, not 0, and a gate of 0 would forget at once.</details>
#
# **3. On the long lag, LSTM and GRU as Keras begins them were no better than the vanilla RNN. What do you conclude?**
#
# <details><summary>A. What a cell can do and what it learns in a given budget are two things; the beginning matters.</summary>Yes: the same cells solved it when their gates began by keeping.</details>
# <details><summary>B. LSTMs have no advantage over vanilla RNNs.</summary>No: on the digits the LSTM is well ahead (lesson 05), and with its gates set it solves lags that the RNN does not.</details>
# <details><summary>C. The task cannot be solved.</summary>No: two of the five models solved its longest lag.</details>
#
# Next: [07 GRU](07_gru.ipynb), which does with fewer gates. Back to the map: [00 Start here](00_start_here.ipynb).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
