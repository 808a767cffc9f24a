# %% [markdown]
# # 05 · Training a vanilla RNN
#
# A vanilla RNN can read a clip of any length. Can it *learn* from one? The error is known at the end of the clip, and the first
# frame lies dozens of steps back. In this lesson you follow the error on its way back, frame by frame, and see where it dies.
#
# **You will**
# - carry the error back through time by hand, and agree with TensorFlow to five decimals;
# - see the gradient vanish under a spectrogram, and predict how fast from two numbers;
# - make a gradient explode, clip it, and measure what the learning rate and the first weights change.
#
# **Minutes:** 45, of which the computer takes about half of one. **You need:** lessons 03 and 04, and what a derivative is.

# %% [markdown] tags=["slide", "only-slides"]
# ## A vanilla RNN can read any clip. Can it learn from it?
#
# - The error is known at the clip's end.
# - The first frame lies dozens of steps back.

# %% [markdown] tags=["notes"]
# Ask: a clip has 76 frames and the answer is wrong. Which of the frames was to blame, and how would the news get there? Let them describe a way back through the chain of lesson
# 03, which you draw again.

# %% tags=["setup"]
import setup_course

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from course_lib import audio, batches, data, evaluation, models, plots, training
from course_lib.extra import microscope

# %% [markdown]
# ## A small training set
#
# This lesson trains seventeen small models. To save your time it learns from 90 clips of each word, and watches a tenth of each voice's
# clips as validation. The test clips stay in their drawer until the end.

# %%
rest, validation, test = data.load_parts("digits")
others = rest.sample(frac=1, random_state=0)  # in a random order
train = others.groupby("label", observed=True).head(90)
by_length = validation.frames.map(len).sort_values().index
short, long = validation.loc[by_length[5]], validation.loc[by_length[-5]]
print(f"{len(train)} to learn from, {len(validation)} to watch")
print(
    f"a short clip of {len(short.frames)} frames and a long one of {len(long.frames)}"
)

# %% [markdown]
# ## Back through time
#
# A network learns by [*gradient descent*](../docs/glossary.md#gradient-descent): it asks of every weight how the loss would change if the weight were a little larger,
# and takes a small step the other way. In an RNN the same recurrent matrix acts at every frame, so its [gradient](../docs/glossary.md#gradient) is a sum with one
# part for each frame. The parts are found from the end to the beginning:
#
# 1. For the [cross-entropy](../docs/glossary.md#cross-entropy), the derivative of the loss by the logits is the probabilities minus 1 at the right word. The `Dense` weights carry it to
#    the last state. From here on *error* means: how the loss depends on the state at that frame.
# 2. Through the `tanh`: multiply by its slope, `1 - state²`.
# 3. Through the recurrent matrix: forward it was `state @ recurrent`, so the way back is `recurrent @ error`, and you know how the loss depends on the
#    state one frame EARLIER.
# 4. Repeat from 2.
#
# This is [*back-propagation through time*](../docs/glossary.md#back-propagation-through-time) (Werbos 1990). First the forward pass, whose states `microscope.gates` gives you frame by frame; a fresh
# model will do.

# %%
keras.utils.set_random_seed(0)
model = models.rnn(train.label.nunique())
change = evaluation.check_mask(model, batches.pad(list(validation.frames.head(8))))
kernel, recurrent, bias, weight, offset = model.get_weights()
states = microscope.gates(model, long.frames)["state"]
logits = states[-1] @ weight + offset
truth = train.label.cat.categories.get_loc(long.label)
print(
    f"states {states.shape}, logits {logits.shape}, said: {long.label}; "
    f"padding changes a logit by {change:.0e}"
)

# %% [markdown]
# Now the way back, in nine lines.

# %% [markdown] tags=["slide", "only-slides"]
# ## The way back, in four steps
#
# 1. Probabilities minus 1 at the right word, to the last state.
# 2. Through tanh: times its slope, 1 - state².
# 3. Through the matrix: recurrent @ error, one frame earlier.
# 4. Again from 2.

# %% [markdown] tags=["notes"]
# Do one unit by hand on the board first: state 0.8, slope 1 - 0.64 = 0.36, weight 1. What is left of an error of 1 after one frame? After three? Then the same with vectors.

# %% [markdown] tags=["slide", "only-slides"]
# ## Nine lines

# %% tags=["more"]
probabilities = np.exp(logits) / np.exp(logits).sum()
error = weight @ (probabilities - np.eye(len(logits))[truth])  # loss by last state
gradient, size = np.zeros_like(recurrent), np.zeros(len(states))
for t in reversed(range(len(states))):
    error = error * (1 - states[t] ** 2)  # through tanh
    size[t] = np.linalg.norm(kernel @ error) / models.SPREAD_LOG_MEL  # by frame t
    if t > 0:
        gradient += np.outer(states[t - 1], error)  # frame t's part
    error = recurrent @ error  # to the state one frame earlier
print(f"gradient {gradient.shape}, the recurrent matrix {recurrent.shape}")

# %% [markdown]
# `size[t]` is a by-product: how much the loss would change with frame `t`. (The division is the chain rule's part for the
# fixed scale that our models put before the RNN.) Does TensorFlow agree?

# %% tags=["more", "no-code"]
with tf.GradientTape() as tape:
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=[truth], logits=model(long.frames[None])
    )
by_tensorflow = tape.gradient(loss, model.get_layer("rnn").cell.recurrent_kernel)
np.testing.assert_allclose(gradient, by_tensorflow, atol=1e-5)
by_frame = microscope.gradient_by_frame(model, long.frames, truth)
np.testing.assert_allclose(size, by_frame, atol=1e-5)
difference = np.abs(gradient - by_tensorflow).max()
print(
    f"largest difference {difference:.0e}; largest entry {np.abs(gradient).max():.2f}"
)

# %% [markdown] tags=["notes"]
# Let somebody find steps 2 and 3 in the code. `size[t]` is a by-product, and it will be the lesson's main character: how much the loss would change with frame t. Then
# TensorFlow: read the largest difference aloud.

# %% [markdown]
# ## The microscope
#
# `microscope.gradient_by_frame` gives the same curve for any model. It is the course's microscope: under the picture of a sound it shows how
# strongly each frame can change the loss, and so how much the model can learn from it.
#
# **Predict, then run.** The word begins near the start of this clip; quiet frames follow it. How many times weaker is the gradient at the first
# frame of the long clip than at the last? 10 times? A thousand? More?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: the first frame against the last
#
# The word begins near the start; quiet frames follow it.
#
# **How many times weaker: 10, a thousand, more?**

# %% [markdown] tags=["notes"]
# Everyone writes a power of ten. Collect the smallest and the largest on the board before you go on.

# %% [markdown] tags=["slide", "only-slides"]
# ## The microscope
#
# Look at the axis before you look at the line.

# %% tags=["more", "no-code"]
title = "how much a small change of each frame changes the loss"
curve = {"untrained RNN": by_frame}
figure = plots.under_frames(
    long.frames, curve, unit="gradient norm", scale="log", title=title
)
times = by_frame[-1] / by_frame[0]
plots.show(
    figure,
    f"at the first of {len(by_frame)} frames the gradient is {times:.0e} times weaker",
)

# %% [markdown] tags=["notes"]
# Each label is a hundred times the one below it. A straight line here means: every frame further back costs the same FACTOR. The quiet frames cost it, too.
# Ask what this model can learn from the beginning of the word. Next to nothing.

# %% [markdown]
# Look at the axis: its labels are powers of ten. A straight line on such an axis means that every frame further back costs the same
# FACTOR. The quiet frames cost it, too. From the first half
# of the word this model can learn next to nothing. This is the [*vanishing gradient*](../docs/glossary.md#vanishing-gradient).
#
# Does training mend it? And is a short clip better off? The next cell trains the RNN for eight epochs and an LSTM, which
# the next lesson takes apart, beside it. It takes about five seconds.

# %%
trained = {}
for name in ["rnn", "lstm"]:
    keras.utils.set_random_seed(0)
    trained[name] = models.BUILDERS[name](train.label.nunique())
    training.fit(
        trained[name],
        batches.bucketed(train.frames, train.label),
        epochs=8,
    )
    score = evaluation.evaluate(trained[name], validation)
    padded = batches.pad(list(validation.frames.head(8)))
    change = evaluation.check_mask(trained[name], padded)
    print(f"{name}: validation {score}; padding changes a logit by {change:.0e}")

# %% [markdown] tags=["slide", "only-slides"]
# ## After training: a short clip and a long one

# %% [markdown] tags=["notes"]
# First the short clip: both models reach its beginning.

# %% tags=["more", "no-code"]
for clip in [short, long]:
    truth = train.label.cat.categories.get_loc(clip.label)
    curves = {
        name: microscope.gradient_by_frame(model, clip.frames, truth)
        for name, model in trained.items()
    }
    count = f"{len(clip.frames)} frames"
    title = f"{count}: how much a small change of each changes the loss"
    figure = plots.under_frames(
        clip.frames, curves, unit="gradient norm", scale="log", title=title
    )
    ratio = {name: curve[0] / curve[-1] for name, curve in curves.items()}
    plots.show(
        figure, f"first frame to last, RNN {ratio['rnn']:.0e}, LSTM {ratio['lstm']:.0e}"
    )

# %% [markdown] tags=["notes"]
# Then the long one: where do the two lines part? Compare the left ends, in powers of ten.
# Somebody says: the RNN is ahead at the right end. Yes; it learns from the last frames, and mostly from them.

# %% [markdown]
# On the real recordings the first frame of the short clip keeps more of the gradient than that of the long one, in both models. But one clip is an anecdote. Here are the eight longest validation clips, before the training and after it.

# %% [markdown] tags=["slide", "only-slides"]
# ## The claim, measured on eight clips
# The first frame's gradient as a share of the last frame's.


# %% tags=["more", "no-code"]
def first_to_last(model, clip):
    """The gradient at the first frame as a share of that at the last."""
    truth = train.label.cat.categories.get_loc(clip.label)
    by_frame = microscope.gradient_by_frame(model, clip.frames, truth)
    return by_frame[0] / by_frame[-1]


longest = [validation.loc[name] for name in by_length[-8:]]
keras.utils.set_random_seed(0)
untrained = {name: models.BUILDERS[name](train.label.nunique()) for name in trained}
for when, pair in {"untrained": untrained, "trained": trained}.items():
    ratios = {
        name: np.array([first_to_last(model, clip) for clip in longest])
        for name, model in pair.items()
    }
    for name, ratio in ratios.items():
        print(
            f"{when} {name}: median {np.median(ratio):.0e}, "
            f"from {ratio.min():.0e} to {ratio.max():.0e}"
        )
    orders = np.log10(np.median(ratios["lstm"]) / np.median(ratios["rnn"]))
    print(f"{when}: {orders:.1f} orders of magnitude between the two medians")

# %% [markdown] tags=["notes"]
# One clip is an anecdote; here are eight. The claim holds for the vanilla RNN, most of all before the training, when there is everything to learn. Ask what changes by training,
# and what does not: the medians stay orders of magnitude apart.

# %% [markdown]
# "The gradients of an RNN vanish" is a common claim; these lines are its measurement. It holds for the vanilla RNN, most of all before
# the training, when there is everything to learn. It holds far less for the LSTM. After training both gradients reach further back,
# and the LSTM's still much further. Clips differ from one another by orders of magnitude, and another training may, too. Why the gradient vanishes, one can predict.
#
# ## How fast does it vanish?
#
# Step 3 multiplies by the recurrent matrix. How much longer can that make a vector? At most by a factor, the matrix's largest [*singular value*](../docs/glossary.md#singular-value).
# Keras begins with an [*orthogonal*](../docs/glossary.md#orthogonal) matrix, all of whose singular values are 1: it turns vectors and keeps their length. So the
# shrinking comes from step 2, the slope of `tanh`, which is 1 at zero and smaller everywhere else.
#
# If all directions are alike, one frame back costs about *singular value × root mean square of the slope*. The next cell scales the
# orthogonal matrix by a *gain* and compares this product with the factor that the microscope shows.
#
# **Predict, then run.** At which gain, about, does the gradient stay as it is: 0.5, 1, 2 or 3?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: at which gain does it stay level?
#
# A frame costs: singular value × root mean square of tanh's slope.
#
# **The orthogonal matrix times 0.5, 1, 2 or 3?**

# %% [markdown] tags=["notes"]
# Most say 1, since an orthogonal matrix keeps every length. Ask them what the slope of tanh does then.

# %% [markdown] tags=["slide", "only-slides"]
# ## Two numbers predict the line

# %% tags=["more", "no-code"]
curves, truth = {}, train.label.cat.categories.get_loc(long.label)
for gain in [0.5, 1, 2, 3]:
    keras.utils.set_random_seed(0)
    model = models.rnn(train.label.nunique())  # the untrained RNN from above
    matrix = model.get_layer("rnn").cell.recurrent_kernel
    matrix.assign(gain * matrix)
    by_frame = microscope.gradient_by_frame(model, long.frames, truth)
    curves[f"gain {gain}"] = by_frame
    slope = 1 - microscope.gates(model, long.frames)["state"] ** 2
    largest = np.linalg.norm(matrix, 2)  # singular value
    factor = (by_frame[0] / by_frame[-1]) ** (1 / (len(by_frame) - 1))
    predicted = largest * np.sqrt((slope**2).mean())
    print(
        f"largest singular value {largest:.1f}: "
        f"predicted factor {predicted:.2f} a frame, measured {factor:.2f}"
    )

# %% tags=["more", "no-code"]
title = "four gains of the recurrent matrix, untrained"
figure = plots.under_frames(
    long.frames, curves, unit="gradient norm", scale="log", title=title
)
first = ", ".join(f"{name}: {curve[0]:.0e}" for name, curve in curves.items())
plots.show(figure, f"at the first frame {first}")

# %% [markdown] tags=["notes"]
# Predicted and measured agree to less than a tenth a frame; over a whole clip even that multiplies to a large factor. A factor below 1 vanishes, above 1 explodes; there is little in
# between.
# After training the prediction misses: one singular value no longer stands for all.

# %% [markdown]
# Two numbers predict the microscope's line, to less than a tenth a frame (over a whole clip even that multiplies to a large factor). A factor below 1 vanishes, a factor above 1 makes an [*exploding gradient*](../docs/glossary.md#exploding-gradient); after dozens of frames there is
# little in between. A larger gain drives `tanh` further into its flat ends, which takes part of the gain back.
#
# The largest singular value alone gives a bound, no more: the gradient cannot grow faster. What did training do to it?

# %%
matrix = trained["rnn"].get_layer("rnn").cell.recurrent_kernel.numpy()
singular = np.linalg.svd(matrix, compute_uv=False)
slope = 1 - microscope.gates(trained["rnn"], long.frames)["state"] ** 2
print(
    f"trained: singular values from {singular.min():.2f} "
    f"to {singular.max():.2f}, all were 1.00"
)
predicted = singular.max() * np.sqrt((slope**2).mean())
by_frame = microscope.gradient_by_frame(trained["rnn"], long.frames, truth)
factor = (by_frame[0] / by_frame[-1]) ** (1 / (len(by_frame) - 1))
print(
    f"the product would predict a factor of {predicted:.2f} a frame; "
    f"measured {factor:.2f}"
)

# %% [markdown]
# Training has pulled the matrix out of shape: some directions are stretched, others shrink. The largest singular value no longer stands for all of them, and the
# prediction misses; the microscope is what remains.
#
# ## Exploding, and a limit against it
#
# `tanh` keeps every state between -1 and 1, whatever the gradient does. Without it nothing holds the state. This RNN has [*ReLU*](../docs/glossary.md#relu) units (negative
# values become 0, others stay) and a gain of 1.6, and it learns by plain gradient descent: each step is the gradient times the
# *learning rate*.


# %%
def relu_rnn():
    """A vanilla RNN whose states nothing holds."""
    keras.utils.set_random_seed(0)
    start = keras.initializers.Orthogonal(1.6)
    rnn = keras.layers.SimpleRNN(64, activation="relu", recurrent_initializer=start)
    clip = keras.Input([None, audio.N_MELS])
    masked = keras.layers.Masking(batches.PADDING)(clip)
    scaled = keras.layers.Rescaling(1 / 4, 5 / 4)(masked)  # as in all our models
    logits = keras.layers.Dense(train.label.nunique())(rnn(scaled))
    return keras.Model(clip, logits, name="relu_rnn")


# nine frames of each clip: over many, rounding errors explode as well
beginnings = batches.pad([clip[:9] for clip in validation.frames.head(8)])
change = evaluation.check_mask(relu_rnn(), beginnings)
print(
    f"{relu_rnn().count_params():,} parameters; padding changes a logit by {change:.0e}"
)

# %% [markdown]
# **Predict, then run.** What will its loss be after four epochs?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: without tanh, with a gain of 1.6
#
# ReLU units, plain gradient descent.
#
# **The loss after each of four epochs?**

# %% [markdown] tags=["notes"]
# Ask for four numbers. Nobody writes what will be printed.

# %% [markdown] tags=["slide", "only-slides"]
# ## Exploded, and clipped


# %% tags=["more", "no-code"]
def descend(largest_norm):
    """Train by plain gradient descent; longer gradients are cut to `largest_norm`."""
    model = relu_rnn()
    model.compile(
        optimizer=keras.optimizers.SGD(0.1, global_clipnorm=largest_norm),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    batched = batches.bucketed(train.frames, train.label)
    return model.fit(batched, epochs=4, shuffle=False, verbose=0).history["loss"]


print("loss after each epoch, unclipped:", *(f"{loss:.2f}" for loss in descend(None)))

# %% [markdown]
# `nan` is [*not a number*](../docs/glossary.md#not-a-number): somewhere on the way a number grew too large to be held, and from then on every weight is spoiled. [*Clipping*](../docs/glossary.md#clipping) (the word has
# nothing to do with our clips) changes one thing: a gradient whose length, over all weights together, is larger than 1
# is cut down to length 1. It keeps its direction.

# %% tags=["more", "no-code"]
clipped = descend(1.0)
print("loss after each epoch, clipped to 1:", *(f"{loss:.2f}" for loss in clipped))

# %% [markdown] tags=["notes"]
# nan: a number grew too large to be held, and every weight is spoiled from then on. One setting more, and it runs. But compare the last loss with 2.30, the logarithm of 10:
# clipping has stopped the explosion; it has not made this a good beginning.
# Ask: does clipping mend vanishing? (There is nothing left to lengthen.)

# %% [markdown]
# The same weights, the same clips, the same order; one setting more. Compare the last loss with 2.30, the logarithm of 10, which is the loss of a model that gives each
# word a tenth: clipping has stopped the explosion; it has not made this a good beginning. That is why `training.fit` clips to 1 unless you say otherwise, and why it
# stops with an explanation when a loss is no longer a number. Clipping prevents explosions. It cannot mend vanishing: there is nothing left to lengthen.
#
# ## Learning rate and first weights
#
# How much do the two settings matter that everybody must choose? Three ways to begin: *orthogonal*; *Glorot* (random numbers, whose matrix has
# singular values from near 0 to about 2); and the *identity* matrix, which begins by keeping the old state as it is (Le, Jaitly and Hinton 2015, for ReLU units). The identity is orthogonal, too: all its
# singular values are 1.
#
# **Predict, then run.** Three seeds each, six epochs. Which begins best, and is the difference larger than the spread over the seeds?
# About ten seconds, and half of that for two other learning rates in the cell after it.

# %% [markdown] tags=["slide", "only-slides"]
# ## First weights and learning rate: which ranges overlap?

# %% tags=["more", "no-code"]
batched = batches.bucketed(train.frames, train.label)
watched, drawer = {}, {}
for start in ["orthogonal", "glorot_uniform", "identity"]:
    model = models.rnn(train.label.nunique(), recurrent_initializer=start)
    change = evaluation.check_mask(model, batches.pad(list(validation.frames.head(8))))
    watched[start], drawer[start] = [], []
    fits = training.fit_seeds(model, batched, seeds=[0, 1, 2], epochs=6)
    for seed, model, history in fits:
        watched[start].append(evaluation.evaluate(model, validation).accuracy)
        drawer[start].append(evaluation.evaluate(model, test))  # not looked at yet
    spread = f"{min(watched[start]):.3f} to {max(watched[start]):.3f}"
    mean = f"{np.mean(watched[start]):.3f} ({spread}, 3 seeds)"
    print(f"{start}: validation accuracy {mean}; padding {change:.0e}")

# %% tags=["more", "no-code"]
for rate in [3e-4, 3e-2]:
    model = models.rnn(train.label.nunique())
    setting = {"seeds": [0, 1], "epochs": 6, "learning_rate": rate}
    fits = training.fit_seeds(model, batched, **setting)
    found = [evaluation.evaluate(model, validation).accuracy for _, model, _ in fits]
    change = evaluation.check_mask(model, batches.pad(list(validation.frames.head(8))))
    spread = f"{min(found):.3f} to {max(found):.3f}, 2 seeds"
    print(f"learning rate {rate:g}: {spread}; padding {change:.0e}")
before = watched["orthogonal"]
spread = f"{min(before):.3f} to {max(before):.3f}, 3 seeds"
print(f"learning rate {training.LEARNING_RATE:g}: {spread}")

# %% [markdown] tags=["notes"]
# Compare the ranges, not the best runs. Where two overlap, three seeds do not tell the two apart. The identity has the best mean: does its range touch another one? The
# largest singular value cannot say why it is ahead: it is 1 for it and for any orthogonal matrix. Leave that standing.

# %% [markdown]
# Compare the ranges, not the best runs: where two ranges overlap, three seeds do not tell the two apart. On the real recordings a rate ten times
# too small has not arrived after six epochs, a rate ten times larger does worse still, and the identity has the best mean. Look whether its range
# touches another one before you call it the best. The largest singular value cannot say why it is ahead: it is 1 for it and for any orthogonal matrix.
#
# The beginning with the best mean on the VALIDATION clips is taken to the test. It was chosen without a look there.

# %%
best = max(watched, key=lambda start: np.mean(watched[start]))
entry = {
    "lesson": "05",
    "data": train.source.iloc[0],
    "split": "official",
    "parameters": model.count_params(),
}
table = evaluation.Results().add(
    model=f"rnn, {best}, 900 clips", score=drawer[best], **entry
)
columns = ["model", "split", "accuracy", "least", "largest", "seeds", "parameters"]
table[table.lesson == "05"][columns].round(3)

# %% [markdown] tags=["slide", "only-slides"]
# ## Your turn: how far back does it listen?
#
# Write `reach(by_frame, share)`: exercise 3.
#
# - The fewest LAST frames that hold `share` of the gradient.
# - Guess for 99 %: the RNN, the LSTM?

# %% [markdown] tags=["notes"]
# Exercise 1 first, with a pocket calculator: a factor of 0.63 a frame, how many milliseconds to a thousandth? Then this one. Exercise 2 for those who like to write clipping
# themselves.

# %% [markdown]
# Do not compare it with the models of other lessons: it learned from 900 clips in six epochs, the RNN of lesson 03 from more than twice as many in ten. Compare the
# beginnings here with one another, and nothing else.
#
# ## Exercises
#
# **Exercise 1.** Suppose one frame back multiplies the gradient by `factor = 0.63`. After how many frames has it fallen to a thousandth? Solve
# `factor ** frames == 1 / 1000` for `frames` (a logarithm helps), and set `milliseconds` to the time in sound, at 10 ms a frame, not rounded.

# %% tags=["solution"]
frames_to_a_thousandth = np.log(1 / 1000) / np.log(0.63)
milliseconds = 10 * frames_to_a_thousandth

# %% tags=["check"]
assert isinstance(milliseconds, (float, np.floating)), (
    "`milliseconds` should be one number"
)
assert milliseconds > 0, (
    "both logarithms are negative, so their quotient is positive: check the signs"
)
assert not np.isclose(0.63**milliseconds, 1e-3, rtol=0.1), (
    "those are frames: how long is a frame?"
)
assert np.isclose(0.63 ** (milliseconds / 10), 1e-3, rtol=1e-3), (
    f"after {milliseconds:.0f} ms there is {0.63 ** (milliseconds / 10):.2g} left, "
    "not a thousandth: are the frames rounded?"
)
print(
    f"a thousandth is left after {milliseconds:.0f} ms; the long clip lasts "
    f"{10 * len(long.frames)} ms"
)

# %% [markdown]
# **Exercise 2.** Write `clip(gradients, largest)`: a list of arrays in, a list of arrays out. If the length of ALL of them together (the root of the sum of all
# squares) is at most `largest`, they stay; otherwise all are scaled by the same factor, so that the length together is `largest`.


# %% tags=["solution"]
def clip(gradients, largest):
    """The gradients, cut to a length of `largest` together."""
    length = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    factor = largest / max(length, largest)
    return [gradient * factor for gradient in gradients]


# %% tags=["check"]
def total(gradients):
    return np.sqrt(sum(np.sum(np.square(gradient)) for gradient in gradients))


two = [np.array([3.0, 0.0]), np.array([[4.0]])]
before = [part.copy() for part in two]
cut = clip(two, 1)
assert isinstance(cut, list) and len(cut) == 2, (
    "return a list with as many arrays as came in"
)
assert all(np.shape(new) == old.shape for new, old in zip(cut, two)), (
    f"the shapes should stay {[old.shape for old in two]}, "
    f"found {[np.shape(new) for new in cut]}"
)
assert not np.isclose(np.abs(cut[0]).max(), 1), (
    "each array was cut by itself; take ONE length for all"
)
assert np.isclose(total(cut), 1), (
    f"a length of 5 was to be cut to 1, found a length of {total(cut):.3g}"
)
expected = [part.numpy() for part in tf.clip_by_global_norm(two, 1.0)[0]]
assert np.allclose(cut[0], expected[0]) and np.allclose(cut[1], expected[1]), (
    "the length is right, the direction is not: one factor for all numbers"
)
assert np.allclose(clip(two, 10)[0], two[0]), (
    "gradients that are short enough should stay as they are"
)
assert all(np.array_equal(new, old) for new, old in zip(two, before)), (
    "the arrays that came in have changed: make new ones"
)
with np.errstate(all="ignore"):
    nothing = clip([np.zeros(3), np.zeros([2, 2])], 1)
assert all(np.array_equal(part, np.zeros_like(part)) for part in nothing), (
    "gradients of zeros should stay zeros: what becomes of your factor there?"
)
random = np.random.default_rng(6)
three = [random.normal(size=size) for size in ([4], [2, 3], [1, 1, 5])]
for largest in (0.3, 2.0, total(three), 40.0):
    expected = tf.clip_by_global_norm(three, largest)[0]
    for new, old in zip(clip(three, largest), expected, strict=True):
        assert np.allclose(new, old), (
            "three other gradients, and another largest length: "
            "not as TensorFlow does it"
        )
print("cut from length 5 to 1:", cut[0], cut[1][0], "as TensorFlow does it")

# %% [markdown]
# **Exercise 3.** How far back does a model listen while it learns? Write `reach(by_frame, share)`: the least number of frames, counted from the END of
# the clip, that hold at least `share` of the sum of all gradient norms.


# %% tags=["solution"]
def reach(by_frame, share):
    """How many of the last frames hold `share` of the gradient."""
    held = np.cumsum(by_frame[::-1]) / np.sum(by_frame)
    return int(np.argmax(held >= share)) + 1


# %% tags=["check"]
found = reach(np.array([1.0, 1.0, 2.0, 4.0]), 0.7)
assert found is not None, "reach should return a number of frames"
assert found == int(found), f"expected a whole number of frames, found {found}"
assert found != 1, (
    "of [1, 1, 2, 4] the last frame holds a half, less than 0.7: "
    "does your count begin at 0?"
)
assert found == 2, (
    f"of [1, 1, 2, 4] the last {found} hold more than 0.7 asks for, "
    "or you count from the other end"
)
assert reach(np.ones(5), 1.0) == 5, (
    "to hold everything of an even gradient takes all five frames"
)
assert reach(np.array([1.0, 1.0, 2.0, 4.0]), 0.5) == 1, (
    "`at least` includes the case that the frames hold exactly this share"
)
random = np.random.default_rng(8).exponential(size=40)
for part in [0.05, 0.3, 0.77, 0.99]:
    frames_from_end = reach(random, part)
    with_them = random[len(random) - frames_from_end :].sum() / random.sum()
    with_one_less = random[len(random) - frames_from_end + 1 :].sum() / random.sum()
    assert with_one_less < part <= with_them, (
        "for another curve and another share your count is not the least that holds it"
    )
truth = train.label.cat.categories.get_loc(long.label)
far = {
    name: reach(microscope.gradient_by_frame(model, long.frames, truth), 0.99)
    for name, model in trained.items()
}
print(
    f"99 % of the gradient lies in the last frames of {len(long.frames)}: "
    f"RNN {far['rnn']}, LSTM {far['lstm']}"
)

# %% [markdown]
# **Exercise 4.** Make a matrix `turn`, 64 × 64, with ALL singular values 0.9: take the orthogonal factor of a random matrix (`np.linalg.qr` returns it
# first) and scale it. What is left of a vector's length after 50 multiplications by it? Set `left` to that share, without multiplying.

# %% tags=["solution"]
turn = 0.9 * np.linalg.qr(np.random.default_rng(0).normal(size=[64, 64]))[0]
left = 0.9**50

# %% tags=["check"]
assert np.shape(turn) == (64, 64), "`turn` should be a matrix of 64 rows and 64 columns"
values = np.linalg.svd(turn, compute_uv=False)
assert not np.allclose(values, 1), (
    "the singular values are 1: scale the orthogonal matrix by 0.9"
)
span = f"{values.min():.2f} to {values.max():.2f}"
assert np.allclose(values, 0.9), (
    f"expected all singular values 0.9, found {span}: is it qr's FIRST result?"
)
assert isinstance(left, float), "`left` should be one number"
assert not np.isclose(left, 0.9), "that is what ONE multiplication leaves"
for vector in [np.ones(64), np.random.default_rng(9).normal(size=64)]:
    shorter = np.linalg.matrix_power(turn, 50) @ vector
    assert np.isclose(left, np.linalg.norm(shorter) / np.linalg.norm(vector)), (
        f"found {left:.3g}: what is left of what is left, fifty times over?"
    )
print(f"after 50 frames {left:.4f} of the length is left, whatever the direction")

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz
#
# 1. The gradient at the first frame is nearly zero: what follows?
# 2. All singular values are 1: does the gradient vanish?
# 3. What does clipping do for a vanishing gradient?

# %% [markdown] tags=["notes"]
# Right are 1 B, 2 C, 3 A. Question 1 is the one to discuss: "the frame does not influence the answer" and "the model cannot learn from it" are two sentences. The choices stand
# in the notebook and on the quiz sheet.

# %% [markdown]
# **You have seen**
# - the error carried back through time by hand, as TensorFlow does it;
# - the gradient vanish under a spectrogram, and two numbers that predict how fast;
# - a gradient explode and be clipped, and what the learning rate and the first weights change.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. In a vanilla RNN the gradient at the first frame of a long clip is nearly zero. What follows?**
#
# <details><summary>A. The first frame does not influence the answer.</summary>No: the gradient says what a SMALL change of the frame would do. The memory of three numbers in lesson 03 is decided by its first hiss, and its gradient has vanished all the same. It is learning from the frame that becomes nearly impossible.</details>
# <details><summary>B. The weights can hardly learn to use what happens there.</summary>Yes: a weight's gradient is a sum over the frames, and the part of that frame is drowned by the last ones.</details>
# <details><summary>C. The learning rate should be raised until the first frame counts.</summary>No: that lengthens the parts of ALL frames alike; the last frames would then take steps that are far too long.</details>
#
# **2. All singular values of a recurrent matrix are 1. Does the gradient vanish?**
#
# <details><summary>A. No, the matrix keeps every length.</summary>No: the matrix does, but the slope of <code>tanh</code> is below 1 wherever the state is not 0, and it multiplies in at each frame.</details>
# <details><summary>B. It explodes, since rounding errors add up.</summary>No: rounding changes the seventh digit or so; a factor above 1 a frame is needed for an explosion.</details>
# <details><summary>C. It can: the slope of <code>tanh</code> multiplies in as well.</summary>Yes: the factor a frame is about the singular value times the root mean square of the slope.</details>
#
# **3. What does clipping the gradient to a length of 1 do for a vanishing gradient?**
#
# <details><summary>A. Nothing: it shortens long gradients, and lengthens none.</summary>Yes: it is a remedy for explosions alone.</details>
# <details><summary>B. It lengthens the gradient of the early frames.</summary>No: all parts are scaled by one factor, which is never above 1.</details>
# <details><summary>C. It makes it worse, since early frames are cut most.</summary>No: it cuts the whole by one factor, and only when the whole is too long.</details>
#
# Next: [06 LSTM](06_lstm.ipynb), which gives the error a road of its own. Back to the map: [00 Start here](00_start_here.ipynb).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
