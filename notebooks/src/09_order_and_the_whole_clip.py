# %% [markdown]
# # 09 · Order and the whole clip
#
# Two claims about recurrent networks are repeated everywhere: that they *capture temporal information*, and that they *miss the global
# context*. Both sound plausible. This lesson turns each into an experiment that prints a number, and then looks at the ways
# in which a model can use a whole clip and not its last state alone.
#
# **You will**
# - take the order of the frames away, from a trained model and from its training, and find out what order is worth;
# - compare four ways to read a clip, and find which kind of reading keeps the first word through a long distraction;
# - watch a model make up its mind frame by frame, and see which frames attention weighs.
#
# **Minutes:** 40, of which the computer takes about half of one. **You need:** lessons 02 to 08.

# %% [markdown] tags=["slide", "only-slides"]
# ## Two sentences that one reads everywhere
# - 'RNNs capture temporal information.'
# - 'RNNs miss the global context.'
# - Which experiment would print a number for each?

# %% [markdown] tags=["notes"]
# Give the class two minutes to design the experiments. Shuffling the test comes first; training on shuffled clips comes late or not at all. Write what comes on the board and leave a
# gap beside it.

# %% tags=["setup"]
import setup_course

# %%
import itertools

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from course_lib import audio, batches, data, evaluation, models, plots, training
from course_lib.extra import microscope

# %% [markdown]
# ## Clips, and a shorter training
#
# Many models are trained here, so four things save time: the models read every second frame, one each 20 ms; they learn from 900
# training clips of 32 such frames or fewer; a layer has 32 units; and there are two seeds. Their accuracies are not to be
# compared with those of lesson 08. The test clips are all those of the official split, of any length. The column `fine` keeps all
# frames, for the pictures.

# %%
clips = data.load("digits")
clips["fine"] = audio.log_mels(audio.read(path) for path in clips.path)
clips["frames"] = [fine[::2] for fine in clips.fine]
test, rest = clips[clips.split == "test"], clips[clips.split == "train"]
short = rest[batches.lengths(rest.frames) <= 32]
train = short.groupby("label", observed=True).sample(n=90, random_state=0)
truth = test.label.cat.codes.to_numpy()
print(f"{len(train)} clips to learn from, {len(test)} for the test")

# %% [markdown]
# ## Is the order read at all?
#
# Three versions of every test clip: as recorded, with its frames *shuffled* (put in a random order), and *reversed*. No frame is added or
# lost; the average of the frames is the same in all three.

# %%
random = np.random.default_rng(0)


def shuffled(frames):
    """The same frames in a random order."""
    return frames[random.permutation(len(frames))]


versions = {
    "as recorded": list(test.frames),
    "shuffled": [shuffled(frames) for frames in test.frames],
}
versions["reversed"] = [frames[::-1] for frames in test.frames]
print({name: list(frames[0].shape) for name, frames in versions.items()})

# %% [markdown]
# First the model that is blind to order, the average of lesson 02. That its answers stay is no finding: it follows from its
# arithmetic. It is a check of the experiment.

# %%
keras.utils.set_random_seed(0)
average = models.average(clips.label.nunique())
padded = batches.pad(list(test.frames[:8]))
print(f"{average.name}: check_mask {evaluation.check_mask(average, padded):.0e}")
in_order = batches.bucketed(train.frames, train.label, batch_size=50, n_lengths=1)
training.fit(average, in_order, epochs=12, learning_rate=0.03)
logits = {
    name: evaluation.predict(average, frames) for name, frames in versions.items()
}
for name, found in logits.items():
    np.testing.assert_allclose(found, logits["as recorded"], atol=1e-3)
    print(f"{name:>12}: {evaluation.score(found.argmax(axis=1) == truth)}")

# %% [markdown]
# Now a GRU, trained on clips as they were recorded. **Predict, then run:** what will be left of its accuracy when the frames are shuffled? And is a
# reversed clip, in which each frame keeps its neighbours, better or worse for it than a shuffled one?
#
# Two seeds are trained, so each accuracy is given as the mean and, in parentheses, the least and the largest.

# %% [markdown]
# One setting serves all GRU models of this lesson: a high learning rate, because the training is short. `band` writes the mean over the seeds and the range.

# %%
SETTING = {"seeds": [0, 1], "epochs": 8, "learning_rate": 8e-3}


def band(scores):
    """The mean accuracy of several seeds, with the least and the largest."""
    each = [score.accuracy for score in scores]
    return f"{np.mean(each):.3f} ({min(each):.3f} to {max(each):.3f})"


print(f"GRU, stacked, bidirectional, attention: {SETTING}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: the frames of the TEST clips in another order
# - As recorded, shuffled, reversed: no frame added or lost
# - The order-blind average: three times the same, by arithmetic
# - The GRU: what is left of its accuracy, shuffled?
# - And reversed: better or worse than shuffled?

# %% [markdown] tags=["notes"]
# Two numbers and a comparison, in writing. Expect 'reversed is milder', since each frame keeps its neighbours.

# %% [markdown] tags=["slide", "only-slides"]
# ## Order is read. What is it worth?
# - Guess: a GRU that LEARNS from shuffled clips. Near which line?

# %% tags=["more", "no-code"]
keras.utils.set_random_seed(0)
scores = {name: [] for name in versions}
gru = models.gru(clips.label.nunique(), units=32)
print(f"{gru.name}: check_mask {evaluation.check_mask(gru, padded):.0e}")
for seed, model, history in training.fit_seeds(gru, in_order, **SETTING):
    answers = evaluation.predict(model, sum(versions.values(), [])).argmax(axis=1)
    for name, its_answers in zip(versions, np.split(answers, 3)):
        scores[name].append(evaluation.score(its_answers == truth))
gru_seconds = history.history["seconds"][1:]  # the first epoch holds the tracing
print("GRU, trained on clips as recorded, tested on")
for name, of_seeds in scores.items():
    print(f"{name:>12}: {band(of_seeds)}")

# %% [markdown] tags=["notes"]
# Why is reversed worse? Likely: the answer leans on the last frames, and these are now the beginning of the word. Then point to the gap on the board: is this fall what order is
# worth? The GRU never met such a clip. Take the second guess before going on.

# %% [markdown]
# Order is read: the same frames in another order get other answers. On the real recordings reversed is worse than shuffled, though neighbours stay neighbours: a likely
# reason is that the answer leans on the last frames, and these are now the beginning of the word. So is the fall what order is *worth*? Not yet. The GRU never met a
# shuffled clip, and a clip that sounds like nothing it knows can confuse it, whether or not the order held the answer.
#
# ## What is order worth?
#
# The fair question gives the second model the same chance: it LEARNS from shuffled clips (each shuffled once, before the training), and is tested on shuffled clips. Same
# architecture, same clips, same number of steps. What it cannot do is use the order, for there is none.
#
# **Predict, then run.** Where will it land: near the shuffled line above, or near the line "as recorded"?

# %% [markdown] tags=["slide", "only-slides"]
# ## The fair question
# - Both were tested on clips like those they learned from

# %% tags=["more", "no-code"]
mixed_frames = [shuffled(frames) for frames in train.frames]
mixed = batches.bucketed(mixed_frames, train.label, batch_size=50, n_lengths=1)
without_order, tables = [], []
keras.utils.set_random_seed(0)
orderless = models.gru(clips.label.nunique(), units=32)
print(f"check_mask {evaluation.check_mask(orderless, padded):.0e}")
for seed, model, history in training.fit_seeds(orderless, mixed, **SETTING):
    answers = evaluation.predict(model, versions["shuffled"]).argmax(axis=1)
    without_order.append(evaluation.score(answers == truth))
    tables.append(evaluation.confusion(test.label, answers))
with_order = scores["as recorded"]
print(f"order in training and test:    {band(with_order)}")
print(f"no order in training and test: {band(without_order)}")
means = [np.mean([s.accuracy for s in each]) for each in (with_order, without_order)]
width = with_order[0].high - with_order[0].low
interval = f"one 95 % interval from {len(test)} clips is {width:.3f} wide"
print(f"order is worth {means[0] - means[1]:+.3f}; {interval}")

# %% [markdown] tags=["notes"]
# Long pause. Two differences on the board: the fall above, and this one. Ask for a task where order must be worth much: 'tip' and 'pit'; lesson 13's rhythms. Two seeds cannot prove
# a small difference; they show that a large one is not there.

# %% [markdown]
# Compare two differences: how much the first GRU lost on shuffled clips, and what order is worth here. The first is far larger: so most
# of the fall is what THIS GRU had come to rely on, and not what the task needs. Two seeds each cannot prove a small difference (the deals of lesson 08 give no p below 0.33); they
# can show that a large one is not there.
#
# And a surprise: on the real recordings a GRU without any order beats the average by far. A better model than the order-blind one is no proof of order.
#
# So the verdict on "captures temporal information": a GRU's answers do depend on the order. Whether that makes them better
# is another question, about the TASK more than about the GRU. Ten digits differ in which sounds they hold ("six" alone has so much hiss), and a *bag of
# sounds*, which sounds there are without their order, goes far. Had the list held "tip" and "pit", a bag would not do.
#
# Where the order is gone, which words are taken for each other?

# %%
table = sum(tables)
confused = []  # of each two words: how often one was taken for the other, and which two
for a, b in itertools.combinations(table.index, 2):
    confused.append((table.loc[a, b] + table.loc[b, a], f"{a} and {b}"))
worst = sorted(confused, key=lambda pair: -pair[0])[:3]
pairs = ", ".join(f"{names} {count} times" for count, names in worst)
errors = sum(count for count, _ in confused)
axes = plots.confusion(table, title="GRU without order, two seeds")
plots.show(axes, f"taken for each other most often: {pairs}, of {errors} errors")

# %% [markdown]
# Say the most confused pairs aloud, slowly. Do they share sounds, if you forget which comes first? Be careful with the blame, though: lesson 00's LSTM, which had the order,
# made mistakes, too.
#
# ## Four ways to read a clip
#
# The GRU answers from its last state alone. Three other builders:
# - **[stacked](../docs/glossary.md#stacked):** a second GRU reads the states of the first as if they were frames, and answers from its own last state.
# - **[bidirectional](../docs/glossary.md#bidirectional)** (Schuster & Paliwal 1997): one GRU reads from the first frame to the last, another from the last to the first; the two
#   final states lie side by side. Padding is skipped in both directions.
# - **[attention](../docs/glossary.md#attention):** a bidirectional GRU gives its states at ALL frames. Each state gets a score, the `tanh` of the state times one weight for each unit; softmax over
#   time turns the scores into *weights* that add up to 1; the answer is read from the weighted mean (after Bahdanau et al. 2015 and Raffel & Ellis 2015).
#
# Attention has a trap. At padding, a masked GRU repeats its last state, and inside `Bidirectional` Keras puts zeros there. A softmax over time gives
# either of them weight. Here is attention as it is often written; lesson 04's check looks at it.

# %%
keras.utils.set_random_seed(0)
clip = keras.Input([None, audio.N_MELS])
frames = keras.layers.Masking(batches.PADDING)(clip)
states = keras.layers.GRU(8, return_sequences=True)(frames)
score = keras.layers.Dense(1)(states)
weights = keras.ops.softmax(score, axis=1)  # over all frames, padding too
pooled = keras.ops.sum(weights * states, axis=1)
naive = keras.Model(clip, keras.layers.Dense(10)(pooled))
try:
    evaluation.check_mask(naive, padded)
except AssertionError as error:
    print(error)

# %% [markdown]
# `models.AttentionPooling` sets the scores of padding to a very large negative number *before* the softmax, so that their weight is 0 and the others
# still add up to 1. The check accepts it, as you see below.
#
# **Predict, then run.** Order the four by accuracy. Will the best beat the GRU by more than the seeds differ?

# %% [markdown] tags=["slide", "only-slides"]
# ## Four ways to read a clip
# - GRU: the last state
# - Stacked: a second GRU reads the states of the first
# - Bidirectional: one forwards, one backwards, final states side by side
# - Attention: a weight for each state, the weighted mean
# - Guess: the order? By more than the seeds differ?

# %% [markdown] tags=["notes"]
# Draw the four as chains of boxes under one spectrogram; mark in colour what the answer reads. Then the trap: a softmax over padding. The cell 'naive' fails check_mask; ask before
# running which layer is to blame.

# %%
found, seconds, trained = {"gru": with_order}, {"gru": gru_seconds}, {"gru": gru}
for name in ["stacked", "bidirectional", "attention"]:
    keras.utils.set_random_seed(0)
    model = trained[name] = models.BUILDERS[name](clips.label.nunique(), units=32)
    print(f"{name}: check_mask {evaluation.check_mask(model, padded):.0e}")
    found[name] = []
    for seed, model, history in training.fit_seeds(model, in_order, **SETTING):
        found[name].append(evaluation.evaluate(model, test))
        seconds[name] = history.history["seconds"][1:]

# %% [markdown] tags=["slide", "only-slides"]
# ## Both ends are heard in front
# - Look at three things: bands, seconds, parameters

# %% tags=["more", "no-code", "timing"]
rows = {}
for name, of_seeds in found.items():
    each = [score.accuracy for score in of_seeds]
    rows[name] = {
        "accuracy": np.mean(each),
        "low": np.mean([score.low for score in of_seeds]),
        "high": np.mean([score.high for score in of_seeds]),
        "least": min(each),
        "largest": max(each),
        "parameters": trained[name].count_params(),
        "seconds an epoch": np.median(seconds[name]),
    }
comparison = pd.DataFrame(rows).T
title = "official split: mean of two seeds, with the mean 95 % interval"
axes = plots.intervals(comparison, chance=0.1, title=title)
accuracy = comparison.accuracy
best = accuracy.idxmax()
highest = f"the best is {best} with {accuracy[best]:.3f}"
plots.show(axes, f"{highest}; gru has {accuracy['gru']:.3f}")
comparison.astype({"parameters": int}).round(3)

# %% [markdown] tags=["notes"]
# Two seeds. Do the bands from least to largest overlap? Who has twice the parameters? Seconds are this machine's. Do not let anybody name a winner among the other three.

# %% [markdown]
# `low` and `high` are the ends of the two seeds' 95 % intervals, averaged; they speak of the number of clips, not of seeds. Look at three things before you name a winner:
# whether the bands from `least` to `largest` overlap, what an epoch costs, and the parameters: the other three have about twice as many as the GRU. Two seeds are few. On the real recordings, in this short training, the two models that hear the clip from both ends come out in front. How far
# a GRU comes with all clips and all frames, [lesson 07](07_gru.ipynb) shows. The rows go into your table of results.

# %%
results = evaluation.Results()
entry = {"lesson": "09", "data": clips.source.iloc[0], "split": "official"}
once = evaluation.score(logits["as recorded"].argmax(axis=1) == truth)
results.add(model="average", score=once, parameters=average.count_params(), **entry)
size = orderless.count_params()
results.add(model="gru, shuffled frames", score=without_order, parameters=size, **entry)
for name, row in comparison.iterrows():
    costs = {"parameters": int(row.parameters), "seconds": row["seconds an epoch"]}
    rows = results.add(model=name, score=found[name], **costs, **entry)
columns = ["model", "accuracy", "least", "largest", "parameters"]
rows[rows.lesson == "09"][columns].round(3)

# %% [markdown]
# ## First clue, last answer
#
# Does an RNN miss the global context? Build a task that asks nothing else. A clip begins with one of three words. Then comes *babble*: frames drawn
# by lot from all training clips. Each is a piece of speech; together they say nothing about the word. The answer, *which word was it?*, is due at the end.

# %% [markdown] tags=["slide", "only-slides"]
# ## First clue, last answer
# - One of three words, then babble, then: which word was it?
# - Guess: after 50 frames of babble, who still knows the word?
# - GRU's last state? The same GRU with attention? Bidirectional?

# %% tags=["more", "no-code"]
words = ["0", "1", "7"]
babble = np.concatenate(list(rest.frames))


def then_babble(part, count):
    """The frames of each clip, followed by so many frames of babble."""
    return [
        np.concatenate([frames, babble[random.integers(len(babble), size=count)]])
        for frames in part.frames
    ]


by_word = short[short.label.isin(words)].groupby("label", observed=True)
learn = by_word.sample(n=100, random_state=0)
ask = test[test.label.isin(words)]
example = then_babble(learn.iloc[:1], 50)[0]
example = np.repeat(example, 2, axis=0)  # each frame twice, so that the time is right
title = f'"{learn.label.iloc[0]}", then one second of babble'
axes = plots.log_mel(example, title=title)
end = 0.02 * len(learn.frames.iloc[0])
plots.show(axes, f"the word ends after {end:.2f} s; nothing after it helps")

# %% [markdown] tags=["notes"]
# Babble: frames drawn by lot from all training clips. Chance is one in three. Also ask for 5 frames of babble with the plain GRU: nobody should expect a failure there.

# %% [markdown]
# Three readers, the GRU with two lengths of babble; 32 units in each GRU. `gru-attention` is
# the SAME one-way GRU; what differs is how its states are read: attention pooling over all of them, in place of the last one.


# %%
def gru_attention(n_classes, *, units):
    """A GRU that reads forwards only; attention weighs its states at all frames."""
    clip = keras.Input([None, audio.N_MELS])
    frames = keras.layers.Masking(batches.PADDING)(clip)
    typical, spread = models.TYPICAL_LOG_MEL, models.SPREAD_LOG_MEL
    frames = keras.layers.Rescaling(1 / spread, -typical / spread)(frames)
    states = keras.layers.GRU(units, return_sequences=True)(frames)
    pooled = models.AttentionPooling()(states)
    return keras.Model(
        clip, keras.layers.Dense(n_classes)(pooled), name="gru-attention"
    )


keras.utils.set_random_seed(0)
model = gru_attention(3, units=32)
change = evaluation.check_mask(model, padded)
print(f"{model.count_params():,} parameters, check_mask {change:.0e}")

# %% [markdown]
# **Predict, then run.** Chance is one in three. After 5 frames of babble (0.1 s), and after 50 (1 s): which of these readers still know
# the word? All get the same clips and the same number of epochs.

# %% [markdown] tags=["slide", "only-slides"]
# ## The last state forgets, the GRU does not
# - Rows 1 and 2: the same one-way GRU, read in two ways
# - 'In training' far above 'accuracy': learned by heart
# - Guess: after what share of a clip is an answer settled?

# %% tags=["more", "no-code", "timing"]
readers = [(models.gru, 5), (models.gru, 50), (gru_attention, 50)]
readers.append((models.bidirectional, 50))
said = learn.label.astype(str).map(words.index).to_numpy(int)
asked = ask.label.astype(str).map(words.index).to_numpy(int)
rows = []
for builder, count in readers:
    keras.utils.set_random_seed(0)
    model = builder(len(words), units=32)
    change = evaluation.check_mask(model, padded)
    print(f"{model.name}, {count} frames: check_mask {change:.0e}")
    clue = batches.bucketed(then_babble(learn, count), said, n_lengths=1)
    history = training.fit(model, clue, epochs=11, learning_rate=5e-3).history
    answers = evaluation.predict(model, then_babble(ask, count)).argmax(axis=1)
    score = evaluation.score(answers == asked)
    row = [model.name, count, history["accuracy"][-1], *score[:3]]
    rows.append([*row, sum(history["seconds"])])
columns = ["model", "babble (frames)", "in training", "accuracy", "low", "high"]
memory = pd.DataFrame(rows, columns=[*columns, "seconds"])
memory.round(3)

# %% [markdown] tags=["notes"]
# Ask: what exactly fails in row 1? Not 'the RNN': its last state, trained for a short time; the error has to come back through fifty updates. Bidirectional has a less noble way out:
# ask which, and how to block it (the clue in the middle).

# %% [markdown]
# Read the second and third line together. Both models have a one-way GRU with as many units. If the one that answers from its last state is
# near chance, and the other is not, then what fails is the *last state* as this GRU was trained: the
# error must go back through fifty updates (lesson 05), while attention hands it to the states of the word directly. Look at the column "in training", too: where it lies far above
# the accuracy on new clips, the model has probably learned its own clips, not the clue.
#
# The bidirectional model has a less noble way out: its backward half reads the babble first and the word LAST. Put the clue into
# the middle of a long clip, and it has to wait as well, half as long in each direction.
#
# The verdict on "misses the global context": **too strong as a statement about RNNs.** It fits a model that answers from its
# last state, trained for a short time. Gates that begin open for long ([lesson 06](06_lstm.ipynb) sets them so, and its lag grows from 10 to 300 frames) or another
# way of reading mend it; more training may. One seed each and few
# test clips: trust the large differences in the table, not the small ones.
#
# ## The moment of decision
#
# Back to the GRU with the ten digits, of the second seed. It answers at the end, but nothing stops us from asking after every frame:
# `microscope.running_probabilities` gives the answer to each beginning of the clip. `microscope.settled` says after how many
# frames the most probable word changed for the last time.
#
# **Predict, then run.** How is it for many clips? Guess the median: after what share of the clip does the answer no longer change? (All
# beginnings of 100 test clips go through the model in one call.)

# %% [markdown] tags=["slide", "only-slides"]
# ## The moment of decision
# - Ask after every frame; settled: the answer no longer changes
# - Half of the clips lie left of the median
# - Guess: which frames get attention? Loud, quiet, early, late?

# %% tags=["more", "no-code"]
some = test.sample(100, random_state=0)
beginnings = []
for frames in some.frames:
    beginnings += [frames[: count + 1] for count in range(len(frames))]
ends = np.cumsum(batches.lengths(some.frames))
running = np.split(evaluation.predict(gru, beginnings), ends[:-1])
some = some.assign(settles=[microscope.settled(each) for each in running])
shares = some.settles / batches.lengths(some.frames)
axes = plt.subplots(figsize=(9, 2.8), layout="constrained")[1]
axes.hist(shares, bins=np.linspace(0, 1, 21))
axes.set(xlabel="share of the clip heard when the answer settles", ylabel="clips")
axes.set_title("the moment of decision, 100 test clips")
early = f"in {(shares <= 0.5).mean():.0%} of the clips it settles within the first half"
half = f"half of the answers settle after {shares.median():.0%} of the clip or less"
plots.show(axes, f"{half}; {early}")

# %% [markdown] tags=["notes"]
# Compare with the guesses. Then show the single clip under it in the notebook, where one word overtakes another. Nobody knows AT that moment that it has settled. Ask what a live
# recogniser could do with this.

# %% [markdown]
# Now one clip: of those with a right answer, the one that settles nearest to that median. The four words that rose highest are drawn.

# %%
right = [each[-1].argmax() == code for each, code in zip(running, some.label.cat.codes)]
one = some.loc[(shares[right] - shares.median()).abs().idxmin()]
probabilities = microscope.running_probabilities(gru, one.frames)
top = np.argsort(-probabilities.max(axis=0))[:4]
as_fine = {}
for number in top:
    name = f'"{some.label.cat.categories[number]}"'
    as_fine[name] = np.repeat(probabilities[:, number], 2)[: len(one.fine)]
moment = microscope.settled(probabilities)
title = f'"{one.label}": the answer so far'
figure = plots.under_frames(one.fine, as_fine, unit="probability", title=title)
heard = f"{moment} of {len(one.frames)} frames, {0.02 * moment:.2f} s"
plots.show(figure, f"the answer settles after {heard}")

# %% [markdown]
# The first answers are answers to a piece of a clip, which the model never met in training; they say what the beginning is most
# like. Say the word slowly: after which of its sounds do YOU know it?
#
# A settled answer need not be a right one, and nobody knows *at* that moment that it has settled. Yet the first picture shows
# how much of a clip is heard after the decision. A live recogniser could answer that early.
#
# ### Why the bidirectional model cannot listen live
#
# The attention model's GRUs give their states at all frames: the first 32 numbers from the forward GRU, the other 32 from the backward one. Change
# the LAST frame of a clip only. What becomes of the states at the FIRST frame?

# %%
attention = trained["attention"]
states_of = keras.Model(attention.inputs[0], attention.get_layer("both_ways").output)
changed = one.frames.copy()
changed[-1] += 3
moved = np.abs(states_of(changed[None])[0] - states_of(one.frames[None])[0])[0]
forward, backward = moved[:32].max(), moved[32:].max()
print(f"state at the first frame moves by {forward:.3f} (forward)", end=", ")
print(f"{backward:.1e} (backward)")
n = len(one.frames)
print(f"frames read to answer after each of {n} frames: forward {n}", end=", ")
print(f"backward {n * (n + 1) // 2}")

# %% [markdown]
# The backward state at the first frame depends on the last frame, however little: it cannot be known before the clip is over. To answer
# after each frame, the backward GRU must begin anew each time, and the second line counts what that costs. The forward
# GRU adds one step for each new frame: that is how a recogniser listens live.
#
# ## Where attention looks
#
# The weights of attention pooling are one number a frame, so they can be drawn under the picture. The dashed line is the *even share*: the weight
# that each frame would have if all counted alike. **Predict, then run.** Loud frames or quiet ones? The beginning, the middle, or the end?

# %% [markdown] tags=["slide", "only-slides"]
# ## Where attention looks
# - Dashed: the even share, as if all frames counted alike


# %% tags=["more", "no-code"]
def draw_attention(clip):
    """The weight of each frame under the log-mel frames of a clip."""
    weights = microscope.attention(attention, clip.frames)
    even = np.full(len(clip.fine), 1 / len(weights))
    curves = {"attention": np.repeat(weights, 2)[: len(even)], "even share": even}
    title = f'weights of the frames of "{clip.label}"'
    figure = plots.under_frames(clip.fine, curves, unit="weight", title=title)
    peak = weights.argmax()
    largest = f"the largest weight, {weights[peak] * len(weights):.1f} times the even"
    plots.show(figure, f"{largest} share, is {peak / len(weights):.0%} into the clip")


draw_attention(one)

# %% [markdown] tags=["notes"]
# 'The sum is read here', not 'this sound decided': each state has read the clip from both ends. Ask how to find out what the answer rests on: change the frames, or take the
# gradient. The table for 100 clips follows in the notebook.

# %%
draw_attention(some[np.array(right) & (some.label != one.label)].iloc[0])

# %% [markdown]
# Two clips are two anecdotes. For 100 clips: the weight that the loudest third of the frames gets, and the weight of the first, middle and last third in
# time, whose even share is a third. *Loud* means a high mean log energy.

# %%
batch = batches.pad(list(some.frames))
layer = attention.get_layer("attention")
mask = (batch != batches.PADDING).any(axis=2)
weights = layer.weights_over_time(states_of(batch), mask)  # [clips, frames, 1]
weights = keras.ops.convert_to_numpy(weights)[:, :, 0]
rows = []
for frames, weight in zip(some.frames, weights):
    own = weight[: len(frames)]
    loudest = np.argsort(-frames.mean(axis=1))[: len(frames) // 3]
    in_time = [third.sum() for third in np.array_split(own, 3)]
    rows.append([own[loudest].sum(), len(loudest) / len(frames), *in_time])
columns = ["loudest third", "its even share", "first", "middle", "last"]
thirds = pd.DataFrame(rows, columns=columns)
print(f"weight on padding: {weights[~mask].sum():.1f}")
more = (thirds["loudest third"] > thirds["its even share"]).mean()
print(f"the loudest third gets more than its even share in {more:.0%} of the clips")
thirds.mean().round(3).to_frame("mean weight").T

# %% [markdown] tags=["slide", "only-slides"]
# ## Exercise 1: the end gets lost
# - The last 30 % of every test clip is cut off
# - Who loses most: `gru`, `bidirectional` or `attention`?
# - `lost`: accuracy on whole clips minus accuracy on cut ones

# %% [markdown] tags=["notes"]
# The guess first, in writing, with a reason. Expect 'bidirectional, because it needs the end'. Then seven minutes. Cut each clip at 0.7 of ITS OWN length.

# %% [markdown]
# Loud frames are seldom at the end of a clip, so the two findings may be one. And be careful with the conclusion. A weight belongs to a *state*, and each of these states has read the clip from both ends. A large weight
# on a frame says "the sum is read here"; it does not say "the sound of this frame decided" (Jain & Wallace 2019 argue this for text).
# What the answer rests on is found by changing the frames, as in the first exercise, or with the gradient of lesson 05.
#
# ## Exercises
#
# **Exercise 1.** The last 30 % of every test clip gets lost. Write down who loses most: `gru`, `bidirectional` or `attention`? Then measure: `lost` is a
# dict from these three names to the accuracy on whole test clips minus the accuracy on clips of which the
# first `round(0.7 * len(frames))` frames are kept. The models are in `trained`; `truth` holds the right answers. (Measure the whole clips with `trained`, too: the table above holds means over two seeds.)

# %% tags=["solution"]
cut = [frames[: round(0.7 * len(frames))] for frames in test.frames]
lost = {}
for name in ["gru", "bidirectional", "attention"]:
    answers = evaluation.predict(trained[name], [*test.frames, *cut]).argmax(axis=1)
    whole, part = np.split(answers, 2)
    lost[name] = np.mean(whole == truth) - np.mean(part == truth)

# %% tags=["check"]
assert isinstance(lost, dict), (
    "`lost` should be a dict, such as {'gru': 0.1}: a name, a difference of accuracies"
)
assert set(lost) == {"gru", "bidirectional", "attention"}, (
    f"expected the three names, found {sorted(lost)}"
)
kept = [(f, f[: round(0.7 * len(f))], f[-round(0.7 * len(f)) :]) for f in test.frames]
for name, value in lost.items():
    assert np.ndim(value) == 0 and np.isreal(value), (
        f"{name}: expected one number, found {value!r}"
    )
    each = []
    for frames in zip(*kept):  # whole clips, their beginnings, their ends
        answers = evaluation.predict(trained[name], list(frames)).argmax(axis=1)
        each.append(np.mean(answers == test.label.cat.codes.to_numpy()))
    whole, start, end = each
    slips = {
        start - whole: "whole minus cut: a loss is positive",
        whole - end: "you kept the END of each clip: keep the beginning",
        start: "that is the accuracy on cut clips: subtract it from the other",
        comparison.accuracy[name] - start: "the first number is the table's, a mean "
        "over two seeds: measure the whole clips with `trained`",
    }
    right = np.isclose(value, whole - start)
    for slip, hint in slips.items():
        assert right or not np.isclose(value, slip), f"{name}: {hint}"
    assert right, (
        f"{name}: not {value:.3f}: is each clip cut at 0.7 of ITS OWN length, and are "
        "both accuracies of this model?"
    )
loss = ", ".join(f"{name} {value:.3f}" for name, value in lost.items())
print("lost with the last 30 %:", loss)

# %% [markdown]
# **Exercise 2.** Masked attention pooling in NumPy. Write `pool(states, mask, kernel)`: the score of a state is
# `np.tanh(state) @ kernel`; padding gets no weight; the weights of each clip add up to 1; the result is the weighted sum. `states` is
# `[batch, time, units]`, `mask` is `[batch, time]` and True at real frames, `kernel` is `[units, 1]`. It should equal `models.AttentionPooling` to
# 1e-5.


# %% tags=["solution"]
def pool(states, mask, kernel):
    """The weighted mean of the states at real frames, [batch, units]."""
    scores = np.tanh(states) @ kernel
    scores = np.where(mask[:, :, None], scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = weights / weights.sum(axis=1, keepdims=True)
    return (weights * states).sum(axis=1)


# %% tags=["check"]
random = np.random.default_rng(1)
states = random.normal(size=(3, 9, 64)).astype(np.float32)
mask = np.arange(9) < np.array([[9], [5], [2]])
kernel = layer.score.get_weights()[0]
expected = keras.ops.convert_to_numpy(layer(states, mask=mask))
before = states.copy()
pooled = pool(states, mask, kernel)
assert pooled is not None, (
    "pool returns nothing yet: give back the weighted sum, [batch, units]"
)
assert np.shape(pooled) == (3, 64), (
    f"states [3, 9, 64] should give [3, 64], found {list(np.shape(pooled))}: over "
    "which axis is the sum?"
)
assert np.array_equal(states, before), (
    "your function changes the states: work on a copy"
)
score = np.exp(np.tanh(states) @ kernel)
unmasked = score / score.sum(axis=1, keepdims=True) * states
assert not np.allclose(pooled, unmasked.sum(axis=1), atol=1e-5), (
    "padding has weight: which score does softmax turn into 0?"
)
late = (unmasked * mask[:, :, None]).sum(axis=1)
assert not np.allclose(pooled, late, atol=1e-5), (
    "a padded clip's weights add up to less than 1: the mask comes too late"
)
assert np.allclose(pooled, expected, atol=1e-5), (
    "not the weighted mean: the softmax is over TIME, of scores from the tanh of the "
    "states"
)
other = random.normal(size=(2, 6, 5))
gaps = np.array([[1, 0, 1, 1, 0, 1], [0, 1, 0, 0, 1, 0]], bool)
other_kernel, wanted = random.normal(size=(5, 1)), []
for clip_states, real in zip(other, gaps):
    weight = np.exp(np.tanh(clip_states[real]) @ other_kernel)
    wanted.append((weight / weight.sum() * clip_states[real]).sum(axis=0))
assert np.allclose(pool(other, gaps, other_kernel), wanted, atol=1e-5), (
    "wrong for other states and another mask: does it hold for any shape and any mask?"
)
apart = np.abs(pooled - expected).max()
print(f"the largest difference from models.AttentionPooling: {apart:.0e}")

# %% [markdown]
# **Exercise 3.** Which of the 100 clips in `some` took the GRU longest to decide? Set `latest` to its row label (`some.settles` holds the frames
# heard), and `before` to the digit, as text, that was the most probable one frame before it settled. (`microscope.running_probabilities` gives
# a row for each number of frames heard: row 0 after ONE frame.) Then say that word slowly: why did it take so long?

# %% tags=["solution"]
latest = some.settles.idxmax()
probabilities = microscope.running_probabilities(gru, some.frames[latest])
answers_so_far = probabilities.argmax(axis=1)
before = some.label.cat.categories[answers_so_far[some.settles[latest] - 2]]

# %% tags=["check"]
assert latest is not ..., (
    "`latest` is still blank: the row label of the clip with the largest value in "
    "some.settles"
)
assert latest in some.index, (
    "`latest` should be a row label of `some`: idxmax gives it, argmax gives a position"
)
took = pd.Series([microscope.settled(each) for each in running], some.index)
assert took[latest] == took.max(), (
    f"that clip took {took[latest]} frames, and another took more: frames count, not "
    "the share"
)
names, moment = some.label.cat.categories, took[latest]
so_far = microscope.running_probabilities(gru, some.frames[latest]).argmax(axis=1)
after = names[so_far[moment - 1]]
assert before in list(names), (
    f"`before` should be one of {', '.join(names)} as text: take it from "
    "label.cat.categories"
)
assert before != after, (
    f"{after} is what it settled ON: row 0 is the answer after ONE frame, so which row "
    "is one frame before?"
)
assert before == names[so_far[moment - 2]], (
    f"after {moment - 1} frames another digit was the most probable: count the rows "
    "from 0"
)
print(
    f"{some.label[latest]}: {moment} of {len(so_far)} frames until {before} became "
    f"{after}"
)

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 1
# A GRU falls from 0.95 to 0.55, shuffled. So …
#
# - A. order is worth 0.40 for this task
# - B. this GRU's answers depend on the order
# - C. an order-blind model would have 0.55

# %% [markdown] tags=["notes"]
# Right: B, and no more. A and C are both refuted by numbers of this lesson: ask for them.

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 2
# Attention pooling after a masked one-way GRU: why the mask?
#
# - A. states at padding are zeros, which spoil the mean
# - B. without it the softmax fails
# - C. padding takes weight: the answer depends on the batch

# %% [markdown] tags=["notes"]
# Right: C. To A: this GRU repeats its last state; zeros come inside Bidirectional. To B: nothing fails, and that is the danger.

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 3
# A word, then babble. With attention the GRU knows the word. Why?
#
# - A. attention reads the states at the word's time
# - B. attention makes the GRU read backwards
# - C. attention has many more parameters

# %% [markdown] tags=["notes"]
# Right: A. To C: one weight for each unit.

# %% [markdown]
# **You have seen**
# - the order of the frames taken away, from a trained model and from its training, and what order is worth;
# - four ways to read a clip, and which kind of reading keeps the first word through a long distraction;
# - a model make up its mind frame by frame, and the frames that attention weighs.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. A GRU falls from 0.95 to 0.55 when the test clips are shuffled. What does that show?**
#
# <details><summary>A. That the order of the frames is worth 0.40 for this task.</summary>No: a GRU that LEARNS from shuffled clips may be far better than 0.55. The fall also holds the confusion by clips that are unlike all it met.</details>
# <details><summary>B. That this GRU's answers depend on the order.</summary>Yes: that, and no more. What order is worth is the difference between two models, each tested on clips like those that it learned from.</details>
# <details><summary>C. That an order-blind model would be right about 0.55 of the clips.</summary>No: that is another model, trained without order from the start. Its accuracy has to be measured, and it cannot fall when frames are shuffled.</details>
#
# **2. Attention pooling after a masked one-way GRU: why must the layer see the mask?**
#
# <details><summary>A. The states at padding are zeros, and zeros spoil the mean.</summary>No: this GRU repeats its last state at padding (inside <code>Bidirectional</code> they would be zeros). Zeros would do harm as well, for the weights would be spread over them.</details>
# <details><summary>B. Without it the softmax fails, since padding is -1,000.</summary>No: the softmax is taken over scores of states, which are small numbers. Nothing fails, and that is the danger: the logits depend on the padding.</details>
# <details><summary>C. Otherwise padding takes weight, and the answer depends on the batch.</summary>Yes: the repeated last states share in the softmax, more of them in a longer batch. <code>check_mask</code> finds it.</details>
#
# **3. A word, then a second of babble. A one-way GRU with attention pooling knows the word, the same GRU's last state does not. Why?**
#
# <details><summary>A. Attention reads the states at the time of the word.</summary>Yes: the clue needs no long life in the state, and the gradient reaches it without going through all the later steps.</details>
# <details><summary>B. Attention makes the GRU read backwards as well.</summary>No: the pooling only weighs states; this GRU reads forwards. The bidirectional model reads backwards.</details>
# <details><summary>C. Attention has many more parameters.</summary>No: it adds one weight for each unit. The table of the lesson compares GRUs with as many units.</details>
#
# Next: [10 What should an RNN hear?](10_what_should_an_rnn_hear.ipynb). Back to the map: [00 Start here](00_start_here.ipynb).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
