# %% [markdown]
# # 08 · Which one, and at what price?
#
# You have taken three *cells* apart (here: kinds of recurrent layer): the vanilla RNN, the LSTM and the GRU. Which one do you choose, and what does it cost?
#
# **You will**
# - tune the learning rate of each contestant on validation clips, and see how much a ranking depends on it;
# - compare accuracy against epochs, and decide with one rule: the paired difference with its interval;
# - measure the time to reach an accuracy, and how time grows with the length of a clip;
# - learn what is left of a test set that many lessons have used.
#
# **Minutes:** 85, of which the computer takes about two. **You need:** lessons 02 and 04 to 07; pandas basics.

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
import timeit
from collections import defaultdict

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from scipy import stats

from course_lib import batches, data, evaluation, models, plots, training

# %% [markdown]
# ## Rules first
#
# Rules come before results, or the results choose the rules:
#
# 1. **Four contestants:** the order-blind average of [lesson 02](02_a_baseline_and_an_honest_split.ipynb), and RNN, LSTM and GRU with 64 units
#    each. The RNN may take the better of two starts, orthogonal or identity ([lesson 05](05_training_a_vanilla_rnn.ipynb)). LSTM and GRU keep Keras's starting biases; a bias of 3
#    (lessons 06 and 07) could help them.
# 2. **The same budget:** the same clips, batches and epochs.
# 3. **The same tuning:** each gets its own learning rate. All try the same grid, and validation clips choose. If the best rate lies at an edge, we look one step further.
# 4. **Fresh seeds:** five that the tuning has not used.
# 5. **The choice:** the best mean on validation clips wins. If a smaller contestant is not clearly worse (the interval contains 0), take the smaller one.
# 6. **The test comes last**, and chooses nothing.
#
# Dozens of trainings must fit into a minute. So each learns from 45 clips of each digit, and hears every second frame (one every 20 ms). `cache` keeps the batches of
# the first epoch, and `shuffle` gives them a new order each epoch.

# %%
pool, validation, test = data.load_parts("digits", validation=0.2)
for part in (pool, validation, test):
    part["frames"] = [frames[::2] for frames in part.frames]
train = pool.groupby("label", observed=True).sample(45, random_state=0)
batched = batches.bucketed(train.frames, train.label).cache()
batched = batched.shuffle(len(batched), seed=0)
watched = batches.bucketed(validation.frames, validation.label).cache()
print(f"{len(train)} clips to learn from, in {len(batched)} batches an epoch")
print(f"{len(validation)} to choose by, {len(test)} for the test")

# %% [markdown] tags=["slide", "only-slides"]
# ## Rules first, or the results choose the rules
# - Four contestants, the same clips and epochs
# - Each tunes its own learning rate, on the same grid
# - Validation clips choose; five fresh seeds compare
# - The test is looked at after the choice

# %% [markdown] tags=["notes"]
# Ask what goes wrong if the rule is made after the table is seen. Then: why is one learning rate for all not fair, although it is the same for all?

# %% [markdown]
# We compile each contestant once. Then a new training needs fresh weights, an
# optimizer without a memory, and a rate. `steps_per_execution` runs a whole epoch in one call, which saves overhead.

# %%
contestants = {
    "average": models.average(10),
    "rnn orthogonal": models.rnn(10),
    "rnn identity": models.rnn(10, recurrent_initializer="identity"),
    "lstm": models.lstm(10),
    "gru": models.gru(10),
}
for model in contestants.values():
    optimizer = keras.optimizers.Adam(global_clipnorm=1.0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    options = {"metrics": ["accuracy"], "steps_per_execution": len(batched)}
    model.compile(optimizer, loss, **options)

# %%
EPOCHS = 12


def train_fresh(model, rate, seed, **options):
    """Train from fresh weights with a fresh optimizer."""
    keras.utils.set_random_seed(seed)
    # a clone has new random weights; with zeros, Adam forgets past gradients
    model.set_weights(keras.models.clone_model(model).get_weights())
    for variable in model.optimizer.variables:
        variable.assign(tf.zeros_like(variable))
    model.optimizer.learning_rate = rate
    return model.fit(batched, epochs=EPOCHS, shuffle=False, verbose=0, **options)


# %% [markdown]
# ## The rate can choose the winner
#
# **Predict, then run.** The grid is 0.001, 0.003, 0.01 and 0.03, with three seeds each. Will one cell be ahead at all four rates? Write down your order at
# 0.001 and at 0.03.

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: one ranking, or four?
# - Learning rates 0.001, 0.003, 0.01, 0.03
# - Is one cell ahead at all of them?

# %% [markdown] tags=["notes"]
# Written, and kept. Most expect one order that holds at every rate, and a little noise.

# %%
RATES, BEYOND = [0.001, 0.003, 0.01, 0.03], {0.001: 0.0003, 0.03: 0.1}


def accuracies(model, rate):
    """Validation accuracy after each of three trainings."""
    found = []
    for seed in (10, 11, 12):
        train_fresh(model, rate, seed)
        found.append(evaluation.evaluate(model, validation).accuracy)
    return found


# %%
tried = {}  # of each contestant: from rate to three accuracies
for name, model in contestants.items():
    tried[name] = {rate: accuracies(model, rate) for rate in RATES}
    best = max(RATES, key=lambda rate: np.mean(tried[name][rate]))
    if best in BEYOND:  # the best lies at an edge: one step further
        tried[name][BEYOND[best]] = accuracies(model, BEYOND[best])
grid = pd.DataFrame(tried).sort_index().map(np.mean)
grid.round(3)

# %% [markdown] tags=["slide", "only-slides"]
# ## The rate can choose the winner
# - A curve for each contestant; its top is its own rate

# %% tags=["fold", "more", "no-code"]
# @title Draw: validation accuracy against the learning rate {display-mode: "form"}
axes = plt.subplots(figsize=(9, 4), layout="constrained")[1]
for number, (name, marker) in enumerate(zip(tried, "osv^D")):
    colour, rates = f"C{number}", sorted(tried[name])
    for rate in rates:
        axes.plot([rate] * 3, tried[name][rate], marker, color=colour, alpha=0.5)
    axes.plot(rates, grid[name][rates], marker + "-", color=colour, label=name)
shown = sorted(grid.index)
axes.set_xscale("log")
axes.set_xticks(shown, shown)
axes.xaxis.minorticks_off()
axes.set(xlabel="learning rate", ylabel="validation accuracy", ylim=(0, 1.02))
axes.set_title("three seeds each; the line joins the means")
axes.legend()
ahead = grid["gru"] - grid["lstm"]
slow, fast = ahead[RATES[0]], ahead[RATES[-1]]
fact = f"GRU minus LSTM is {slow:+.3f} at a rate of {RATES[0]}"
plots.show(axes, f"{fact} and {fast:+.3f} at {RATES[-1]}")

# %% [markdown] tags=["notes"]
# Cover all columns of the picture but one, and let the class announce a winner. Then another. Ask which column a paper would have shown.

# %% [markdown]
# Each curve has a top. Now follow LSTM and GRU. At 0.001 the LSTM is ahead by 0.1 or more; at 0.03 the GRU is ahead. Fix one rate for
# both, and the rate has chosen your winner. So each contestant needs its own rate. The start matters, too: with each at its best rate, the RNN gains about 0.1 from the identity.
#
# ## Five fresh seeds
#
# Now each trains at its own rate from five fresh seeds, and we follow its validation accuracy. **Predict, then
# run.** Will all four have finished learning after 12 epochs? How far apart are the best and the worst of five LSTMs?

# %%
epochs = np.arange(3, EPOCHS + 1, 3)  # we look at every third
best_rate = grid.idxmax()
rnn = grid[["rnn orthogonal", "rnn identity"]].max().idxmax()
finalists = ["average", rnn, "lstm", "gru"]
truth = validation.label.cat.codes.to_numpy()
stopwatch = training.Stopwatch()  # writes the seconds of each epoch into the history
settings = {"validation_data": watched, "validation_freq": 3, "callbacks": [stopwatch]}
for name in finalists:
    print(f"{name:>14}: learning rate {best_rate[name]}")

# %%
runs, weights, right = defaultdict(list), defaultdict(list), defaultdict(list)
for name in finalists:
    model = contestants[name]
    for seed in range(5):
        run = train_fresh(model, best_rate[name], seed, **settings)
        runs[name].append(run.history)
        weights[name].append(model.get_weights())
        answers = evaluation.predict(model, validation.frames).argmax(axis=1)
        right[name].append(answers == truth)
# validation accuracy at the end, a row for each seed, a column for each contestant
final = pd.DataFrame({name: np.mean(right[name], axis=1) for name in finalists})

# %% [markdown] tags=["slide", "only-slides"]
# ## Five fresh seeds each, at their own rates
# - Look along the points before you compare the lines

# %% tags=["fold", "more", "no-code"]
# @title Draw: validation accuracy against epochs {display-mode: "form"}
axes = plt.subplots(figsize=(9, 4), layout="constrained")[1]
for name in finalists:
    number = list(contestants).index(name)
    colour, marker, shift = f"C{number}", "osv^D"[number], 0.1 * (number - 2)
    curves = np.array([run["val_accuracy"] for run in runs[name]])
    for values in curves:
        axes.plot(epochs + shift, values, marker, color=colour, alpha=0.35, ms=5)
    mean = curves.mean(axis=0)
    axes.plot(epochs + shift, mean, marker + "-", color=colour, label=name, ms=4)
axes.set_xticks(epochs)
axes.set(xlabel="epoch", ylabel="validation accuracy", ylim=(0, 1.02))
axes.set_title("five seeds, each contestant at its own learning rate")
axes.legend(loc="lower right")
ends = ", ".join(f"{name} {mean:.3f}" for name, mean in final.mean().items())
spread = np.ptp(final.lstm)
plots.show(axes, f"the means end at {ends}; best and worst LSTM are {spread:.3f} apart")

# %% [markdown] tags=["notes"]
# A paper that trains each model once has drawn one point from each column of five. Let two learners draw one LSTM and one GRU at random and announce 'the winner'; repeat three times.

# %% [markdown]
# LSTM and GRU climb fastest and begin to flatten. The others still climb: the picture ranks the four *at this budget*. Then compare the five points of one
# cell. A paper that trains each model once shows only one of them.
#
# ## Better, or lucky?
#
# Lesson 05 put an interval on the paired difference of two *trained models*. A cell is more than one model: to judge a cell, each training counts as one measurement. So $a_s$ and $b_s$ are now
# the accuracies of A and B trained with seed $s$, on the same validation clips. We take the difference for each seed, and put the interval on the mean:
#
# $$d_s = a_s - b_s, \qquad \bar d \pm t_{.975,\,S-1}\,\frac{\mathrm{sd}(d)}{\sqrt S}$$
#
# With $S = 5$ seeds, $t_{.975,4} = 2.78$ ($t$ is Student's, sd is the standard deviation). This replaces lesson 05's "with every seed". (These clips also chose the rates, so all accuracies may be a little
# too good.) Again, A is better if the whole interval lies above 0. If it contains 0, the question is open. Open is not equal.

# %% [markdown] tags=["slide", "only-slides"]
# ## Better, or lucky?
# - One paired difference for each seed, on the same clips
# - Mean ± t · sd / √5: does the interval contain 0?


# %% tags=["more", "no-code"]
def over_seeds(a, b):
    """The mean of the paired differences, and the ends of its 95 % interval."""
    differences = np.array(a) - np.array(b)
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    half = stats.t.ppf(0.975, len(differences) - 1) * error
    return differences.mean(), differences.mean() - half, differences.mean() + half


for a, b in [(rnn, "average"), ("lstm", rnn), ("gru", rnn), ("gru", "lstm")]:
    mean, low, high = over_seeds(final[a], final[b])
    print(f"{a:>12} − {b:<12} {mean:+.3f}, interval {low:+.3f} to {high:+.3f}")

# %% [markdown] tags=["notes"]
# Ask for the unit: clip or seed? Write d_s for the five seeds on the board, from the picture, and let the class compute the mean before the line is read.

# %% [markdown]
# LSTM and GRU beat the vanilla RNN, even with its better start and its own rate: both intervals lie far above 0. RNN against the order-blind average is open.
# The last line is what people ask about. GRU against LSTM is open, too: the interval contains 0, and on this page it reaches from about −0.02 to +0.04. A wrong rate costs far more than the wrong choice between these two.
#
# ### One pair proves little
#
# With one GRU and one LSTM, lesson 05's interval would be all you have. **Predict, then run.** For how many of the five seeds
# does it exclude 0? And for two LSTMs that differ in nothing but their seed?

# %% [markdown] tags=["slide", "only-slides"]
# ## One pair is an anecdote
# - Five pairs GRU/LSTM: how many intervals exclude 0?
# - And pairs of two LSTMs, or of two GRUs?

# %% tags=["more", "no-code"]
pairs = {"GRU and LSTM": list(zip(right["gru"], right["lstm"]))}
for name in ("lstm", "gru"):
    pairs[f"two {name.upper()}s"] = list(itertools.combinations(right[name], 2))
for kind, both in pairs.items():
    found = [evaluation.paired_difference(first, second) for first, second in both]
    clear = [low > 0 or high < 0 for _, low, high in found]
    least, largest = min(found)[0], max(found)[0]
    print(f"{kind}: {sum(clear)} of {len(both)} intervals exclude 0;", end=" ")
    print(f"differences from {least:+.3f} to {largest:+.3f}")

# %% [markdown] tags=["notes"]
# Ask: which of the five pairs would your paper have printed? The interval of one pair speaks of two TRAINED MODELS. For cells the seed is the unit to count.

# %% [markdown]
# Intervals exclude 0 even between two trainings of *one* cell. The interval of a pair is about these two trained models; it says nothing about the cells.
#
# <details><summary>The same in papers: McNemar's test</summary>
#
# Let $b$ clips be right for the first model alone, $c$ for the second alone. The paired difference is $(b-c)/n$; [McNemar's test](../docs/glossary.md#mcnemars-test) (1947) asks
# whether $b$ and $c$ differ by more than chance: $\chi^2 = (|b-c|-1)^2/(b+c)$. For small $b+c$ take the exact `stats.binomtest(b, b + c)`. Its [p](../docs/glossary.md#p) says how often chance alone would be so uneven if
# both were equally good.
#
# </details>
#
# ### The choice, then the test
#
# Rule 5 chooses. Then the test clips are scored, for the only time in this lesson.

# %%
best = final.mean().idxmax()
others = [name for name in finalists if name != best]
rivals = [name for name in others if over_seeds(final[best], final[name])[1] <= 0]
size = {name: contestants[name].count_params() for name in finalists}
chosen = min([best, *rivals], key=size.get)
print(f"best mean: {best}; not told apart from it: {', '.join(rivals) or 'none'}")
print(f"chosen: {chosen}, {size[chosen]:,} parameters")

# %%
for name in finalists:
    model, scores = contestants[name], []
    for saved in weights[name]:
        model.set_weights(saved)
        scores.append(evaluation.evaluate(model, test))
    shares = [score.accuracy for score in scores]
    spread = f"{min(shares):.3f} to {max(shares):.3f} over five seeds"
    print(f"{name:>14}: test {np.mean(shares):.3f}, {spread}")
    entry = {"lesson": "08", "model": model.name, "data": test.source.iloc[0]}
    entry |= {"split": "official", "parameters": size[name]}
    evaluation.Results().add(score=scores, **entry)

# %% [markdown]
# The numbers are lower than in lessons 02 and 07, because these models learned from 450 clips, with every second frame. Whatever the rows say, we keep our choice: a test that chooses is no longer a test.
# (Lesson 05 compared two starts on the test clips. That was a report; here validation clips chose the start.)
#
# **What is this test worth?** Eleven lessons of this course score the same 300 official test clips. One look each makes eleven looks.
# Whenever somebody keeps what worked on test clips, their numbers become a little too good: *adaptive reuse* (Dwork et al. 2015).
# Recht et al. (2019) built fresh test sets for CIFAR-10 and ImageNet. The models scored lower there, in nearly the same order.
#
# So in this course validation clips make all choices. A test number is a report, and small differences between lessons mean nothing.
# The speakers of this test are in the training, too: [lesson 11](11_voices_never_heard_before.ipynb) tests new ones, and in
# [lesson 16](16_your_own_sounds.ipynb) you record a test that nobody has used.
#
# ## Is that expensive?
#
# Nobody wants epochs; we want accuracy. So we measure the *time to an accuracy*: the seconds until a
# mean curve above reaches 0.75, and 0.9. **Predict, then run.** Who is first at 0.75, the cheap average or the expensive LSTM?

# %% [markdown] tags=["slide", "only-slides"]
# ## Expensive to reach what?
# - Seconds an epoch say little; seconds to an accuracy count
# - Next guess: a clip twice as long, and 1,600 frames laid out in two ways

# %% tags=["timing", "more", "no-code"]
some, costs = list(validation.frames[:60]), {}
for name in finalists:
    epoch = np.median([run["seconds"] for run in runs[name]])
    costs[name] = {"ms an epoch": 1_000 * epoch}
    mean = np.mean([run["val_accuracy"] for run in runs[name]], axis=0)
    for goal in (0.75, 0.9):
        reached = epochs[mean >= goal]
        costs[name][f"s to {goal}"] = reached[0] * epoch if len(reached) else np.nan
    costs[name] |= evaluation.cost(contestants[name], some)  # ms for one clip
table = pd.DataFrame(costs).T.round(2).astype({"parameters": int})
table.drop(columns="kilobytes")

# %% [markdown] tags=["notes"]
# Read the table by columns: who is cheapest an epoch, who first at 0.8? NaN means never, at this budget. Times are this machine's; run it again and they differ.

# %% [markdown]
# These are times of one machine, and noisy: trust only their order of magnitude. (All are with this course's fast version of Keras's recurrent layers, which `course_lib` switches on; see the end of this section.)
# Accuracy was measured every third epoch, so the times to a goal are rough. `NaN` means that 12 epochs were not enough: only LSTM and GRU reach 0.9. At 0.75 the average is first or
# close to it: it needs more epochs, but they are cheap. The last column is how long a user waits for one clip of half a second, once its frames are ready: half a millisecond or less here.
#
# ### What makes a recurrent layer slow?
#
# Frame 20 must wait for the state that frame 19 leaves. **Predict, then run.** First, a training step for 32 clips of 50 to 400
# frames: do twice the frames take the same time, twice, or four times? Second, 1,600 frames as one clip, or as 64 clips of 25: the multiplications are the same. Is the
# time the same, too?


# %% tags=["timing"]
def milliseconds(work, *shape, **arguments):
    noise = tf.random.normal(shape, -5, 4)
    times = timeit.repeat(lambda: work(noise, **arguments), number=1, repeat=6)
    return 1_000 * min(times[1:])  # the first compiles; other programs only add time


lengths, ways, spent = [50, 100, 200, 400], [(1, 1_600), (64, 25)], {}
for name in finalists:
    step, read = contestants[name].train_on_batch, contestants[name].predict_on_batch
    spent[name] = [milliseconds(step, 32, n, 40, y=np.zeros(32)) for n in lengths]
    spent[name] += [milliseconds(read, *way, 40) for way in ways]
index = [f"train 32 × {n} frames" for n in lengths]
index += [f"read {count} × {n} frames" for count, n in ways]
pd.DataFrame(spent, index).round(1)

# %% [markdown]
# For the recurrent layers, twice the frames take roughly twice the time: the cost is *linear* in the length. ([Self-attention](../docs/glossary.md#self-attention) compares each frame with each other
# frame: its cost grows with the square.) Memory in training is linear, too, since each step back needs what its step forward computed. Exercise 2 counts it.
#
# The last two rows show the real weakness. The multiplications are the same, but one long clip took several times as long. A recurrent layer reads 64 clips in 25 steps, and one long clip in 1,600
# steps, one after the other. One small step leaves little for other cores to do, so parallel work must come from the batch. That is what *sequential* means, and why one clip leaves a GPU mostly idle.
#
# ### How much of the cost is the framework?
#
# Here is a whole LSTM in plain NumPy: forward, back through time, the gradient of the loss, and Adam. (It is folded, for looking things up;
# [lesson 06](06_lstm.ipynb) has the equations.) Does it compute the same as our Keras model?


# %% tags=["fold"]
# @title An LSTM in NumPy, 1: forward {display-mode: "form"}
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


# %% tags=["fold"]
# @title An LSTM in NumPy, 2: back through time {display-mode: "form"}
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


# %% tags=["fold"]
# @title An LSTM in NumPy, 3: the loss, and Adam {display-mode: "form"}
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


# %%
model, (padded, labels) = contestants["lstm"], next(iter(batched))
with tf.GradientTape() as tape:
    logits = model(padded)
    loss = model.loss(labels, logits)  # as compiled: the mean over the batch
by_keras = [logits, *tape.gradient(loss, model.trainable_variables)]
counts = (padded[:, :, 0].numpy() != batches.PADDING).sum(axis=1)
batch = (padded.numpy().transpose(1, 0, 2) + 5) / 4, counts, labels.numpy()
values = model.get_weights()
by_hand = gradients_by_hand(values, *batch, lstm_forward, lstm_backward)
for mine, others in zip([by_hand[0], *by_hand[1]], by_keras):
    np.testing.assert_allclose(mine, others, atol=1e-4 * abs(mine).max())
print(f"equal: {logits.shape[0]} clips' logits, and all gradients")

# %% [markdown]
# The logits and the gradients agree (Adam is not compared). In the [benchmark's](../benchmarks/results/speed.md) LSTM table, Keras's own layers take about three times as long
# as NumPy. Keras splits each frame into a dozen small operations, and starting them costs more than computing them. So this course brings a fast program of its own
# for recurrent layers, like [cuDNN](../docs/glossary.md#cudnn) on a GPU.
#
# Why use a framework, then? Change a gate or add a layer, and by hand you derive and check new gradients. A framework finds them.
#
# ## What may be said, and what may not
#
# - LSTM and GRU against the vanilla RNN: at this budget and on these clips, a large and clear difference.
# - LSTM against GRU: open here. While we wrote this lesson we ran other budgets, too: the GRU's mean was ahead each time, once clearly. A result looks too good if the other tries are not reported.
# - When accuracy cannot tell two models apart, choose by something else: the cost, or what you can explain.
# - The cost: linear in the length, sequential in time, small for half a second of sound.
#
# ## Take it home
#
# The recipe trains two cells from three seeds each. It keeps the larger one only if the interval of the paired difference lies above 0.
# Both rates are 0.01 here only as a start: put each cell's own tuned rate there.

# %%
sounds, labels = list(train.frames), train.label.cat.codes.to_numpy()
print(f"{len(sounds)} sounds of {len(set(labels))} classes")

# %% tags=["recipe"]
# Before this cell: `sounds`, a list of float32 arrays [frames, 40] (log-mel, any
# lengths), and `labels`, a NumPy array with the number of each sound's class.
import keras
import numpy as np

PADDING, T = -1000.0, 4.30  # T: Student's t, 95 %, for three seeds
padded = np.full([len(sounds), max(map(len, sounds)), 40], PADDING, np.float32)
for row, sound in zip(padded, sounds):
    row[: len(sound)] = sound
order = np.random.default_rng(0).permutation(len(sounds))
held, kept = np.split(order, [len(order) // 4])  # to choose by, to learn from
networks, shares = [], []
for cell, rate in [(keras.layers.GRU, 0.01), (keras.layers.LSTM, 0.01)]:  # tune both
    clip = keras.Input([None, 40])
    frames = keras.layers.Rescaling(1 / 4, 5 / 4)(keras.layers.Masking(PADDING)(clip))
    logits = keras.layers.Dense(int(labels.max()) + 1)(cell(32)(frames))
    model = keras.Model(clip, logits)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(global_clipnorm=1.0), loss)
    for seed in range(3):  # fresh weights, an optimizer without a memory
        keras.utils.set_random_seed(seed)
        model.set_weights(keras.models.clone_model(model).get_weights())
        for variable in model.optimizer.variables:
            variable.assign(keras.ops.zeros_like(variable))
        model.optimizer.learning_rate = rate
        model.fit(padded[kept], labels[kept], epochs=5, verbose=0)
        answers = model.predict(padded[held], verbose=0).argmax(axis=1)
        shares.append(np.mean(answers == labels[held]))
    networks.append(model)
difference = np.subtract(shares[3:], shares[:3])
half = T * difference.std(ddof=1) / 3**0.5
print(f"LSTM − GRU: {difference.mean():+.3f} ± {half:.3f} (95 % interval)")
model = networks[1] if difference.mean() > half else networks[0]

# %% [markdown]
# ## Exercises
#
# **Exercise 1. How many seeds?** The paired differences of single seeds have the standard deviation `deviation`. Write `seeds_needed(deviation, difference)`: the smallest
# number of seeds, 2 or more, for which the half width of the interval is below `difference`. Guess first, for a deviation of 0.02 and a difference of 0.01: 5, 10 or 20?


# %% tags=["solution"]
def seeds_needed(deviation, difference):
    """The smallest number of seeds whose interval is narrow enough."""
    seeds = 2
    while stats.t.ppf(0.975, seeds - 1) * deviation / np.sqrt(seeds) >= difference:
        seeds += 1
    return seeds


# %% tags=["check"]
found = seeds_needed(0.02, 0.01)
assert found is not None, "seeds_needed should return a whole number of seeds"
assert seeds_needed(0.001, 1.0) == 2, (
    "tiny deviation, large difference: two seeds are enough, and fewer give no "
    "standard deviation"
)


def half_width(seeds, deviation):
    return stats.t.ppf(0.975, seeds - 1) * deviation / np.sqrt(seeds)


for deviation, difference in [(0.02, 0.01), (0.013, 0.011), (0.03, 0.004)]:
    found = seeds_needed(deviation, difference)
    assert found == int(found), "a number of seeds is a whole number"
    assert half_width(found, deviation) < difference, (
        f"deviation {deviation}, difference {difference}: with your number of seeds the "
        "interval is still too wide. Does your t depend on the number of seeds?"
    )
    assert found == 2 or half_width(found - 1, deviation) >= difference, (
        f"deviation {deviation}, difference {difference}: fewer seeds are enough"
    )
here = (final.gru - final.lstm).std(ddof=1)
print(f"the five differences GRU − LSTM above have a deviation of {here:.3f}:")
print(f"for a difference of 0.01 that takes {seeds_needed(here, 0.01)} seeds")

# %% [markdown]
# **Exercise 2. What fills the memory?** For the way back, an LSTM keeps six vectors at each frame: three gates, the candidate, the cell state and the hidden state. Each number takes 4 bytes.
# Write `kept_megabytes(seconds, clips)` for 64 units and 100 frames per second; a megabyte is a million bytes. Guess
# first: do 32 clips of one minute need more than a gigabyte?


# %% tags=["solution"]
def kept_megabytes(seconds, clips):
    """What training keeps for the way back through an LSTM with 64 units."""
    return 6 * 64 * 4 * 100 * seconds * clips / 1e6


# %% tags=["check"]
found = kept_megabytes(10, 1)
assert found is not None, "kept_megabytes should return a number of megabytes"
expected = 1.536
slips = {
    1e6: "those are bytes: a megabyte is a million of them",
    1 / 6: "that is one vector: an LSTM keeps six at each frame",
    1 / 4: "those are numbers, not bytes: each takes four",
    1 / 64: "a vector has a number for each unit",
    1 / 100: "a second has a hundred frames",
    80: "those are samples: the LSTM reads frames",
}
for factor, slip in slips.items():
    assert not np.isclose(found, expected * factor, rtol=0.005), slip
assert np.isclose(found, expected, rtol=0.005), (
    f"one clip of 10 seconds: you find {found:,.3f} MB; which factor is off: vectors, "
    "units, bytes, frames?"
)
assert np.isclose(kept_megabytes(10, 7), 7 * expected, rtol=0.005), (
    "every clip of the batch keeps its own"
)
assert np.isclose(kept_megabytes(25, 1), 2.5 * expected, rtol=0.005), (
    "twice the frames, twice the memory"
)
minute, own = kept_megabytes(60, 32), contestants["lstm"].count_params() * 4 / 1e6
print(f"32 clips of a minute: {minute:,.0f} MB; the weights: {own:.1f} MB")

# %% [markdown]
# **Exercise 3. Build, train, beat this number:** `final.mean().max()`, the winner's mean on validation clips. Build and compile a recurrent model `own` in Keras, and
# `fit` it. There is no budget now: take other units, another rate, or all clips in `pool`, most of which the contest never used. It is judged on
# `validation`, whose clips have every second frame, like those of `pool`. It must take clips of any length, and padding must change no answer.

# %% tags=["solution"]
keras.utils.set_random_seed(1)
everything = batches.bucketed(pool.frames, pool.label)
own = keras.Sequential(
    [
        keras.Input([None, 40]),
        keras.layers.Masking(batches.PADDING),
        keras.layers.Rescaling(1 / 4, 5 / 4),
        keras.layers.GRU(64),
        keras.layers.Dense(10),
    ]
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
own.compile(
    keras.optimizers.Adam(0.005, global_clipnorm=1.0), loss, metrics=["accuracy"]
)
history = own.fit(everything, epochs=12, shuffle=False, verbose=0)

# %% tags=["check"]
number = final.mean().max()
assert isinstance(own, keras.Model), "`own` should be a Keras model: build it first"
assert own.input_shape == (None, None, 40), (
    f"`own` takes {own.input_shape}: keras.Input([None, 40]) takes clips of any length"
)
assert own.output_shape == (None, 10), (
    f"`own` gives {own.output_shape}: one logit for each of ten digits, for each clip"
)
try:
    evaluation.check_mask(own, batches.pad(list(validation.frames[:8])))
except AssertionError as error:
    raise AssertionError(f"{error}. Is Masking(batches.PADDING) the first layer?")
reached = evaluation.evaluate(own, validation).accuracy
assert reached > number, (
    f"validation accuracy {reached:.3f}, to beat: {number:.3f}. More clips help "
    "most; then epochs and the rate"
)
print(f"validation accuracy {reached:.3f} beats {number:.3f}")

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
# Two cells, one learning rate for both: GRU 0.94, LSTM 0.80. So …
#
# - A. the GRU is the better cell
# - B. at this rate the GRU was better; tune both
# - C. the LSTM needs more units

# %% [markdown] tags=["notes"]
# Right: B. A is the commonest: show the picture of the rates again. Nothing in these two numbers speaks for C.

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 3
# Two cells, five seeds each. By which number do you choose?
#
# - A. paired difference on validation clips, with its interval
# - B. the best seed on the test
# - C. the mean over the seeds on the test

# %% [markdown] tags=["notes"]
# Right: A. To C: averaging removes the luck of seeds, not the choosing by the test.

# %% [markdown]
# **You have seen**
# - a rate tuned for each contestant, and a ranking of two cells that turned with the rate;
# - accuracy against epochs, and one rule for "better": the paired difference over seeds with its interval;
# - the time to an accuracy, a cost that is linear in the length, and why frames cannot be read all at once;
# - what a test is worth that many lessons have used.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. Clips become four times as long. What happens to the time of an LSTM's training step?**
#
# <details><summary>A. It stays about the same, because more cores can read the frames at once.</summary>No: each frame needs the state that the frame before it left. Only the clips of a batch can be read at once.</details>
# <details><summary>B. It becomes about four times as long.</summary>Yes: one step for each frame, all alike, so time is linear in the length.</details>
# <details><summary>C. It becomes about sixteen times as long.</summary>No: that is quadratic, as when each frame is compared with each other frame.</details>
#
# **2. One learning rate for both cells: the GRU reaches 0.94, the LSTM 0.80. What do you know?**
#
# <details><summary>A. The GRU is the better cell.</summary>No: another rate may turn the order round, as it did here. Each cell needs its own tuned rate.</details>
# <details><summary>B. At this rate the GRU did better.</summary>Yes: tune both on validation clips, with the same effort, before you compare cells.</details>
# <details><summary>C. The LSTM needs more units.</summary>No: nothing here speaks about units. The rate may be all that is wrong.</details>
#
# **3. Two cells, five seeds each. By which number do you choose?**
#
# <details><summary>A. By the paired difference on validation clips, with its interval.</summary>Yes: the test stays unspent, the luck of the seeds is in the interval, and the smaller cell decides what stays open.</details>
# <details><summary>B. By the best seed on the test.</summary>No: the best of many is luck in part, and then the test measures your choosing.</details>
# <details><summary>C. By the mean over the seeds on the test.</summary>No: averaging removes the luck of the seeds, but a choice made by the test makes its number too good.</details>
#
# <details><summary>If you ran this on the synthetic voices</summary>They are six machines that say each word in nearly the same way. The accuracies differ, and the order of the contestants may differ, too.</details>
#
# Next: [09 Order and the whole clip](09_order_and_the_whole_clip.ipynb). All lessons: [README](../README.md).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
