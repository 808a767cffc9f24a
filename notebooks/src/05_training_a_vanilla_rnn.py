# %% [markdown]
# # 05 · Training a vanilla RNN
#
# A vanilla RNN can read a clip of any length. Can it *learn* from one? The loss is known at the end of the clip, and the first
# frame lies dozens of steps back. We follow the gradient on its way back, frame by frame, and see where it vanishes.
#
# **You will**
# - carry the gradient back through time by hand, and agree with Keras to five decimals;
# - see it vanish under a spectrogram, predict how fast, and learn what the prediction does not say;
# - make a gradient explode, clip it, and choose a learning rate and an initialiser fairly.
#
# **Minutes:** 75, of which the computer takes about one. **You need:** lessons 03 and 04, what a derivative is, and the chain rule.

# %% [markdown] tags=["slide", "only-slides"]
# ## A vanilla RNN can read any clip. Can it learn from it?
#
# - The loss is known at the clip's end.
# - The first frame lies dozens of steps back.

# %% [markdown] tags=["notes"]
# Ask: a clip has 76 frames and the answer is wrong. Which of the frames was to blame, and how would the news get there? Draw the chain of lesson 03 again and let them describe a
# way back through it.

# %% tags=["setup"]
import setup_course

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras.initializers import Identity, Orthogonal
from keras.optimizers import SGD

from course_lib import batches, data, evaluation, models, plots
from course_lib.extra import microscope

rest, validation, test = data.load_parts("digits")
shuffled = rest.sample(frac=1, random_state=0)
train = shuffled.groupby("label", observed=True).head(90)  # few, to save time
by_length = validation.frames.map(len).sort_values().index

# %% [markdown]
# ## One unit first
#
# A network with one unit has one number as its hidden state. With input $x_t$ and weights $w$ and $u$:
#
# $$h_t = \tanh(a_t), \qquad a_t = w\,h_{t-1} + u\,x_t$$
#
# How much does the last state change if an early one changes a little? The chain rule gives one factor per step. The slope of
# $\tanh$ at $a_t$ is $1 - h_t^2$, so each factor is $w\,(1 - h_t^2)$:
#
# $$\frac{\partial h_T}{\partial h_0} = \prod_{t=1}^{T} w\,(1 - h_t^2)$$
#
# **Predict, then run.** Take $w = 1$, small inputs and 20 steps. How much of a change in $h_0$ arrives: about a tenth, a thousandth, less?

# %% [markdown] tags=["slide", "only-slides"]
# ## One unit: a product of factors
#
# One step back costs $w\,(1 - h_t^2)$.
#
# **w = 1, small inputs, 20 steps: how much arrives?**

# %% [markdown] tags=["notes"]
# Do it on the board first: state 0.8, slope 1 - 0.64 = 0.36, weight 1. What is left of a change of 1 after one step? After three?


# %% tags=["more"]
def read(state, weight, inputs):
    """The state before the first step and after each."""
    states = [state]
    for value in inputs:
        states.append(np.tanh(weight * states[-1] + value))
    return np.array(states)


inputs = np.random.default_rng(0).normal(size=20) / 2
states = read(0.0, 1.0, inputs)
product = np.prod(1.0 * (1 - states[1:] ** 2))
nudged = (read(1e-4, 1.0, inputs)[-1] - states[-1]) / 1e-4
print(f"20 factors multiplied: {product:.2e}; by nudging the first state: {nudged:.2e}")

# %% [markdown]
# Both ways agree: less than a ten-thousandth arrives. A product of many factors below 1 is tiny. That is this lesson in one line.
#
# The weight $w$ acts at every step, so its gradient is a sum with one term per step. Write $\delta_t = \partial\mathcal L/\partial a_t$
# for the gradient just before the $\tanh$. Since $a_t$ contains $w\,h_{t-1}$,
#
# $$\frac{\partial\mathcal L}{\partial w} = \sum_{t=1}^{T} \delta_t\,h_{t-1}$$
#
# ## Sixty-four units
#
# Now $\mathbf h_t$ is a vector, and $\mathbf W_{hh}$ holds one weight for each *pair* of units. The weight from unit $j$ to unit $i$
# gets $\delta_i h_j$. All pairs at once are the *outer product* $\boldsymbol\delta_t\,\mathbf h_{t-1}^{\top}$: a table with a row per unit and a column per unit.
# With $C$ classes, logits $\mathbf z$ and the true class $y$, the way back has five steps:
#
# 1. From the [cross-entropy](../docs/glossary.md#cross-entropy) to the last state: $\partial\mathcal L/\partial\mathbf z = \hat{\mathbf y}-\mathbf e_y$, the
#    probabilities minus 1 at the right class. So $\partial\mathcal L/\partial\mathbf h_T = \mathbf W_{hy}^{\top}(\hat{\mathbf y}-\mathbf e_y)$.
# 2. Through the $\tanh$: $\boldsymbol\delta_t = \frac{\partial\mathcal L}{\partial\mathbf h_t}\odot(1-\mathbf h_t^{2})$.
# 3. Add this frame's term to each gradient: $\boldsymbol\delta_t\,\mathbf h_{t-1}^{\top}$ to that of $\mathbf W_{hh}$, $\boldsymbol\delta_t\,\mathbf x_t^{\top}$ to that
#    of $\mathbf W_{xh}$, $\boldsymbol\delta_t$ to that of $\mathbf b_h$.
# 4. One frame back: $\partial\mathcal L/\partial\mathbf h_{t-1} = \mathbf W_{hh}^{\top}\boldsymbol\delta_t$.
# 5. Repeat from 2.
#
# This is [*back-propagation through time*](../docs/glossary.md#back-propagation-through-time) (Werbos 1990). Read the dashed arrows from right to left.

# %% tags=["slide", "no-code"]
plots.drawing("bptt")

# %% [markdown] tags=["notes"]
# Ask for the label of every dashed arrow before you show it. Which arrow is taken once per frame? Which once only?

# %% [markdown]
# ### By hand and by Keras
#
# Here is lesson 03's vanilla RNN whole, with three choices left open. Then come the forward pass by hand, the way back
# by hand (steps 1 to 5 in ten lines), and Keras's `GradientTape` as the judge: it records the forward pass and differentiates it. Keras uses row vectors, so its
# matrices are the transposes of the papers': `recurrent_kernel` is $\mathbf W_{hh}^{\top}$ (lesson 03).


# %%
def vanilla(start=Orthogonal, gain=1.0, activation="tanh"):
    """A vanilla RNN; its recurrent matrix starts as `gain` times `start`."""
    options = {"activation": activation, "recurrent_initializer": start(gain)}
    layers = [keras.Input([None, 40]), keras.layers.Masking(batches.PADDING)]
    layers += [keras.layers.Rescaling(1 / 4, 5 / 4)]
    layers += [keras.layers.SimpleRNN(64, **options), keras.layers.Dense(10)]
    return keras.Sequential(layers, name="rnn")


keras.utils.set_random_seed(0)
model = vanilla()
model.summary()


# %%
def forward(model, frames):
    """The scaled frames, and the states from h_0 (zeros) to h_T."""
    kernel, recurrent_kernel, bias = model.layers[-2].get_weights()
    scaled, states = frames / 4 + 5 / 4, [np.zeros(64)]
    for frame in scaled:
        states.append(np.tanh(frame @ kernel + states[-1] @ recurrent_kernel + bias))
    return scaled, np.array(states)


long = validation.loc[by_length[-5]]
scaled, states = forward(model, long.frames)
kernel, recurrent_kernel, bias, to_logits, logit_bias = model.get_weights()
powers = np.exp(states[-1] @ to_logits + logit_bias)
truth = validation.label.cat.categories.get_loc(long.label)

# %% [markdown] tags=["slide", "only-slides"]
# ## The way back
#
# 1. Probabilities minus 1 at the right class, to the last state.
# 2. Through tanh: times its slope.
# 3. Add this frame's outer product.
# 4. One frame back: recurrent_kernel @ delta.

# %% tags=["more"]
error = to_logits @ (powers / powers.sum() - np.eye(10)[truth])  # 1: dL / dh_T
by_kernel, by_bias = np.zeros_like(kernel), np.zeros_like(bias)
by_recurrent, size = np.zeros_like(recurrent_kernel), np.zeros(len(scaled))
for t in range(len(scaled), 0, -1):
    delta = error * (1 - states[t] ** 2)  # 2: through tanh
    by_recurrent += np.outer(states[t - 1], delta)  # 3: this frame's terms
    by_kernel += np.outer(scaled[t - 1], delta)
    by_bias += delta
    size[t - 1] = np.linalg.norm(kernel @ delta) / 4  # the norm of dL / dx_t
    error = recurrent_kernel @ delta  # 4: dL / dh_(t-1)
print(f"gradient {by_recurrent.shape}, recurrent_kernel {recurrent_kernel.shape}")

# %% tags=["more", "no-code"]
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
with tf.GradientTape() as tape:
    loss = LOSS(np.array([truth]), model(long.frames[None]))
by_keras = tape.gradient(loss, model.trainable_variables)
by_hand = {"kernel": by_kernel, "recurrent_kernel": by_recurrent, "bias": by_bias}
for (name, gradient), expected in zip(by_hand.items(), by_keras):
    np.testing.assert_allclose(gradient, expected, atol=1e-5)
    print(f"{name}: largest difference {np.abs(gradient - expected).max():.0e}")

# %% [markdown] tags=["notes"]
# Let somebody find steps 2, 3 and 4 in the code. Read the largest difference aloud. `size[t]` is a by-product, and it will be the main character from here on.

# %% [markdown]
# ## The microscope
#
# `size` holds the norm $\|\partial\mathcal L/\partial\mathbf x_t\|$ for each frame, with $\partial\mathcal L/\partial\mathbf x_t = \mathbf W_{xh}^{\top}\boldsymbol\delta_t$ (the division by
# 4 undoes `Rescaling`): how much a small change of the frame changes the loss. Papers call it [*input gradient*](../docs/glossary.md#input-gradient) or *saliency*. Keras can compute
# it for any model. From here on `microscope.gradient_by_frame` is the next cell.
#
# **Predict, then run both cells.** How many times smaller is the gradient at the first frame of a long clip than at the last: 10 times? A thousand? More?


# %%
def gradient_by_frame(model, frames, label):
    """The norm of the loss's gradient at each frame."""
    clip = tf.constant(frames[None])
    with tf.GradientTape() as tape:
        tape.watch(clip)
        loss = LOSS(np.array([label]), model(clip))
    return np.linalg.norm(tape.gradient(loss, clip)[0], axis=1)


np.testing.assert_allclose(
    size, gradient_by_frame(model, long.frames, truth), atol=1e-5
)
faster = microscope.gradient_by_frame(model, long.frames, truth)
np.testing.assert_allclose(size, faster, atol=1e-5)

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: the first frame against the last
#
# **How many times smaller: 10, a thousand, more?**

# %% [markdown] tags=["notes"]
# Everyone writes a power of ten. Collect the smallest and the largest on the board before you go on. Then: look at the axis before you look at the line.

# %% tags=["fold", "slide", "no-code"]
# @title Draw: the gradient at each frame, untrained {display-mode: "form"}
title = "norm of the loss's gradient at each frame"
picture = plots.under_frames(
    long.frames, {"untrained RNN": size}, unit="gradient norm", scale="log", title=title
)
orders = np.log10(size[-1] / size[0])
fact = (
    f"from the last frame to the first the gradient falls by {orders:.0f} powers of ten"
)
plots.show(picture, fact)

# %% [markdown]
# The vertical axis counts powers of ten. A nearly straight line on it means: each frame further back costs about the same *factor*, and
# quiet frames are not free. In its first training step this model learns next to nothing from the beginning of the word. This is the
# [*vanishing gradient*](../docs/glossary.md#vanishing-gradient) (Hochreiter 1991; Bengio, Simard and Frasconi 1994).
#
# Does training change that? Let us train this RNN and an LSTM, the subject of the next lesson, and measure the eight longest validation clips.
# (`global_clipnorm` is explained below.)

# %%
batched = batches.bucketed(train.frames, train.label)


def fit(model, rate=0.003):
    """Compile and train for six epochs."""
    optimizer = keras.optimizers.Adam(rate, global_clipnorm=1.0)
    model.compile(optimizer=optimizer, loss=LOSS, metrics=["accuracy"])
    model.fit(batched, epochs=6, shuffle=False, verbose=0)
    return model


keras.utils.set_random_seed(0)
untrained = {"rnn": vanilla(), "lstm": models.lstm(10)}
trained = {"rnn": fit(vanilla()), "lstm": fit(models.lstm(10))}
for name, one in trained.items():
    print(f"{name}: validation {evaluation.evaluate(one, validation)}")


# %%
def first_to_last(model, clip):
    """The gradient at the first frame as a share of that at the last."""
    label = validation.label.cat.categories.get_loc(clip.label)
    curve = microscope.gradient_by_frame(model, clip.frames, label)
    return curve[0] / curve[-1]


longest = [validation.loc[name] for name in by_length[-8:]]
for when, pair in {"untrained": untrained, "trained": trained}.items():
    medians = []
    for name, one in pair.items():
        medians.append(np.median([first_to_last(one, clip) for clip in longest]))
        print(f"{when} {name}: median {medians[-1]:.0e}")
    print(f"{when}: {np.log10(medians[1] / medians[0]):.1f} orders of magnitude apart")

# %% [markdown] tags=["notes"]
# One clip is an anecdote; here are eight. Ask what training changes, and what it does not: the medians stay orders of magnitude apart.

# %% [markdown]
# Training lets both gradients reach further back. The RNN's still loses nearly all of its size on the way, the LSTM's far less. This is one training of
# each; lesson 06 explains the difference.
#
# ## How fast does it vanish?
#
# One step back multiplies by a matrix, the local [*Jacobian*](../docs/glossary.md#jacobian). From the last state to state $t$ they multiply:
#
# $$\frac{\partial\mathbf h_T}{\partial\mathbf h_t}=\prod_{k=T}^{t+1}\mathrm{diag}(1-\mathbf h_k^2)\,\mathbf W_{hh}$$
#
# How much can $\mathbf W_{hh}$ stretch a vector? At most by its largest [*singular value*](../docs/glossary.md#singular-value) $\sigma_{\max}$. Keras starts with an
# [*orthogonal*](../docs/glossary.md#orthogonal) matrix, whose singular values are all 1: it rotates or mirrors vectors and keeps their length. So at the start only the slopes shrink the
# gradient. If the gradient is spread evenly over the units, squares of the slopes average, and one step costs about
# $\sigma_{\max}$ times the root mean square of the slope. A *gain* multiplies the matrix.
#
# **Predict, then run.** At which gain does the gradient neither shrink nor grow much: 0.7, 1, 2 or 3?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: at which gain does it stay level?
#
# One step costs about: largest singular value × root mean square of the slope.
#
# **The orthogonal matrix times 0.7, 1, 2 or 3?**

# %% [markdown] tags=["notes"]
# Most say 1, since an orthogonal matrix keeps every length. Ask them what the slope of tanh does then.

# %%
curves, started = {}, {}
for gain in [0.7, 1.0, 2.0, 3.0]:
    keras.utils.set_random_seed(0)
    fresh, name = vanilla(gain=gain), f"gain {gain}"
    curve = microscope.gradient_by_frame(fresh, long.frames, truth)
    slopes = 1 - forward(fresh, long.frames)[1][1:] ** 2
    predicted = gain * np.sqrt(np.mean(slopes**2))
    measured = (curve[0] / curve[-1]) ** (1 / (len(curve) - 1))
    print(f"{name}: {predicted:.2f} per frame predicted, {measured:.2f} measured")
    curves[name], started[name] = curve, fresh

# %% tags=["fold", "slide", "no-code"]
# @title Draw: four gains {display-mode: "form"}
title = "norm of the loss's gradient, four gains of the recurrent matrix, untrained"
picture = plots.under_frames(
    long.frames, curves, unit="gradient norm", scale="log", title=title
)
plots.show(
    picture, "gain 2 stays closest to level; 0.7 and 1 fall to the left, 3 rises"
)

# %% [markdown] tags=["notes"]
# Below 1 per frame vanishes, above 1 explodes. Then let somebody ask the best question of the lesson: so why not begin with gain 2?

# %% [markdown]
# Two numbers predict the slope; level is about gain 2. Below 1 per frame the gradient vanishes; above 1 it grows: an
# [*exploding gradient*](../docs/glossary.md#exploding-gradient).
#
# ### The bound, and what it does not say
#
# The slope of $\tanh$ is at most $\gamma = 1$. So
#
# $$\left\|\frac{\partial\mathbf h_T}{\partial\mathbf h_t}\right\|\le(\gamma\,\sigma_{\max})^{T-t}$$
#
# If $\gamma\,\sigma_{\max} < 1$, the gradient *must* vanish: the condition is **sufficient**. If $\gamma\,\sigma_{\max} > 1$, it *may* explode, and it
# may just as well vanish: for exploding the condition is only **necessary** (Pascanu, Mikolov and Bengio 2013). The next cell multiplies the actual Jacobians,
# from the last state to the first, and compares.


# %%
def jacobian(model, frames):
    """The change of the last state with the first, dh_T / dh_1."""
    recurrent = model.layers[-2].get_weights()[1]
    product = np.eye(64)
    for state in forward(model, frames)[1][2:]:
        product = np.diag(1 - state**2) @ recurrent.T @ product
    return product


for name, one in {**started, "trained": trained["rnn"]}.items():
    recurrent = one.layers[-2].get_weights()[1]
    bound = np.linalg.svd(recurrent, compute_uv=False)[0] ** (len(scaled) - 1)
    found = np.linalg.svd(jacobian(one, long.frames), compute_uv=False)
    print(f"{name}: bound {bound:.0e}, largest {found[0]:.0e}, tenth {found[9]:.0e}")

# %% [markdown]
# At gain 0.7 the bound leaves no choice: the product vanishes. At gain 2 and after training the bound is astronomically large and tells us nothing; yet the
# product of the trained network has vanished. Training stretches some directions of the matrix and shrinks others, and no single number stands for them all.
#
# ### Then why not begin with gain 2?
#
# Its gradient is level, after all. But a norm hides directions. At gain 2 the product keeps one direction at nearly full size, and the tenth is down to about a millionth: a
# few directions carry the whole gradient. The same product works forwards, too: along these few, a click in the first frame is still there at the end. A level
# gradient means that something is kept, not that the right things are. Whether it *trains* well is a question for an experiment, and gain 2 competes below.
#
# ## Exploding, and clipping
#
# [*ReLU*](../docs/glossary.md#relu) (negative values become 0) does not bound the state as $\tanh$ does. Le, Jaitly and Hinton (2015)
# start ReLU units with the *identity* as recurrent matrix: the state adds up what comes in. We train such a network by plain gradient descent and
# record the loss and the norm $\|\mathbf g\|$ of the whole gradient at each step, with and without [*clipping*](../docs/glossary.md#clipping):
#
# $$\mathbf g\leftarrow\mathbf g\cdot\min\bigl(1,\ \theta/\|\mathbf g\|\bigr)$$
#
# A gradient longer than $\theta$, over all weights together, is cut to length $\theta$ and keeps its direction. Keras calls $\theta$ `global_clipnorm`.
#
# **Predict, then run both cells.** Unclipped, at rate 0.1: what is the loss after each of four epochs? (A model that gives each digit a tenth has 2.30.)

# %% [markdown] tags=["slide", "only-slides"]
# ## ReLU, identity, plain gradient descent
#
# **The norm of the first gradient? The loss after each of four epochs?**

# %% [markdown] tags=["notes"]
# Ask for four numbers. Nobody writes what will be printed.


# %%
four_epochs = 4 * list(batched)  # the same for each run


def descend(model, optimizer):
    """Loss and gradient norm of each step of plain gradient descent."""
    optimizer.build(model.trainable_variables)

    @tf.function(reduce_retracing=True, autograph=False)
    def step(frames, labels):
        with tf.GradientTape() as tape:
            loss = LOSS(labels, model(frames))
        gradient = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradient, model.trainable_variables)
        return loss, tf.linalg.global_norm(gradient)

    return np.array([step(*batch) for batch in four_epochs])


# %% tags=["slide", "no-code"]
settings = {"unclipped": SGD(0.1), "clipped to 1": SGD(0.1, global_clipnorm=1.0)}
settings["unclipped, rate 0.0001"] = SGD(0.0001)
for name, optimizer in settings.items():
    keras.utils.set_random_seed(0)
    summing = vanilla(Identity, activation="relu")
    losses, norms = descend(summing, optimizer).T
    print(f"loss after each epoch, {name}:", *losses.reshape(4, -1).mean(1).round(2))
    print("   gradient norm, first steps:", *norms[:4].round())
    if np.isfinite(losses).all():
        print(f"   all steps: median {np.median(norms):.0f}, least {norms.min():.0f}")
        print(f"   validation {evaluation.evaluate(summing, validation)}")

# %% [markdown] tags=["notes"]
# nan: a number grew too large, and after that every weight is nan too. One setting more, and it runs. Compare the last loss with 2.30. Then the control: a rate a thousand times
# smaller survives as well. Ask: does clipping help against vanishing? (It lengthens nothing.)
# Before the next slide, guesses on paper: orthogonal, the same with gain 2, identity; five rates each. Which comes first, and where does gain 2 come?

# %% [markdown]
# Unclipped, one step is so long that the next gradient is [`nan`](../docs/glossary.md#not-a-number), *not a number*; after that every weight is `nan` too.
# Clipped, the same weights train on the same batches. The control, unclipped at a thousandth of the rate, survives too. On this page it learns less in four epochs, but one run each does not prove which is better.
#
# Even the least norm is above 1, so *every* step was clipped, and $\theta$ sets the length of the steps as well. In a healthy training
# clipping is rare: log the norm for a few hundred steps and take a high quantile, such as the 90th percentile, as $\theta$.
#
# Clipping bounds the step. It cannot rescue a gradient that is already infinite, and against vanishing it does nothing.
#
# ## Which initialiser, at which learning rate?
#
# Three [*initialisers*](../docs/glossary.md#initialiser) compete, with $\tanh$ and Adam: the *orthogonal* matrix, the same with gain 2, and the identity. A fair contest varies one thing and tunes the rest equally: each
# start gets the same five learning rates with two seeds each, judged on *validation* clips. The best rate should lie inside the grid; at an edge, a
# better one may lie outside.
#
# **Predict, then run.** Which start comes first, and does gain 2 with its level gradient come last?

# %%
STARTS = {"orthogonal": (Orthogonal, 1.0), "gain 2": (Orthogonal, 2.0)}
STARTS["identity"] = (Identity, 1.0)
again = fit(vanilla())  # compiled once, since compiling takes longer than training


def retrain(start, rate, seed):
    """Give `again` fresh weights and a fresh optimizer, and train it."""
    keras.utils.set_random_seed(seed)
    again.set_weights(vanilla(*STARTS[start]).get_weights())
    for variable in again.optimizer.variables:
        variable.assign(keras.ops.zeros_like(variable))
    again.optimizer.learning_rate = rate
    again.fit(batched, epochs=6, shuffle=False, verbose=0)


# %%
RATES = [0.0003, 0.001, 0.003, 0.01, 0.03]
watched, best_rate = {start: np.zeros([5, 2]) for start in STARTS}, {}
for start, accuracies in watched.items():
    for row, rate in enumerate(RATES):
        for seed in [0, 1]:
            retrain(start, rate, seed)
            found = evaluation.evaluate(again, validation)
            accuracies[row, seed] = found.accuracy
    means = accuracies.mean(axis=1)
    best_rate[start] = RATES[means.argmax()]
    print(f"{start}: mean per rate", *(f"{mean:.2f}" for mean in means))

# %% tags=["fold", "slide", "no-code"]
# @title Draw: validation accuracy by learning rate {display-mode: "form"}
figure, axes = plt.subplots(figsize=(9, 3.6), layout="constrained")
for (start, points), marker in zip(watched.items(), "os^"):
    [line] = axes.plot(RATES, points.mean(axis=1), label=start)
    for seed in [0, 1]:
        axes.plot(RATES, points[:, seed], marker, color=line.get_color())
axes.axhline(0.1, linestyle="--", color="grey", label="chance")
title = "three initialisers at five learning rates; a point is a seed"
axes.set(
    xscale="log", xlabel="learning rate", ylabel="validation accuracy", title=title
)
axes.legend()
chosen = ", ".join(f"{start} {rate:g}" for start, rate in best_rate.items())
plots.show(axes, f"each start has its own best rate: {chosen}")

# %% [markdown] tags=["notes"]
# Compare curves at their own best rates, never at one common rate: at 0.01 orthogonal and identity can hardly be told apart. Gain 2 has the level gradient and the lowest curve.

# %% [markdown]
# Why not begin with gain 2? Because on this grid, tuned like the others, it trains worst. A level gradient is not enough.
#
# ### One rule for "better"
#
# Identity comes first. Is it better, or lucky? From here on the course has one rule, the [*paired difference*](../docs/glossary.md#paired-difference) with its interval:
#
# 1. Both models answer the **same** clips, which have chosen nothing. For clip $i$, $a_i = 1$ if A is right, else 0; $b_i$ likewise for B.
# 2. The paired difference is $d = \frac1n\sum_i (a_i-b_i)$. Only clips on which they disagree count.
# 3. Its 95 % interval says which true differences fit these clips (Newcombe 1998). **A is better if the whole interval lies above 0.** If it contains 0,
#    the clips do not show which is better. That is not the same as "equal".
# 4. Training is random, too. We repeat it with fresh seeds, and claim "better" for the *recipe* only if every seed says so.
#
# We compare identity with orthogonal, each at its own best rate, on the test clips, with three seeds that the grid has not used.

# %%
rivals, differences = {"identity": [], "orthogonal": []}, []
for seed in [10, 11, 12]:
    for start, right in rivals.items():
        retrain(start, best_rate[start], seed)
        answers = evaluation.predict(again, test.frames).argmax(axis=1)
        right.append(answers == test.label.cat.codes.to_numpy())
    a, b = rivals["identity"][-1], rivals["orthogonal"][-1]
    differences.append(evaluation.paired_difference(a, b))

# %% tags=["fold", "slide", "no-code"]
# @title Draw: the paired differences; add both to the results {display-mode: "form"}
figure, axes = plt.subplots(figsize=(9, 2.2), layout="constrained")
for seed, (difference, low, high) in zip([10, 11, 12], differences):
    print(f"seed {seed}: {difference:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}")
    bars = [[difference - low], [high - difference]]
    axes.errorbar([difference], [str(seed)], xerr=bars, fmt="o", capsize=4, color="C0")
axes.axvline(0, linestyle="--", color="grey")
title = "identity minus orthogonal on the same test clips, 95 % intervals"
axes.set(xlabel="paired difference of the accuracies", ylabel="seed", title=title)
above = sum(low > 0 for _, low, _ in differences)
plots.show(axes, f"{above} of 3 intervals lie wholly above 0, the dashed line")
table = evaluation.Results()
entry = {"lesson": "05", "data": test.source.iloc[0], "split": "official"}
entry["parameters"] = model.count_params()
for start, rights in rivals.items():
    score = [evaluation.score(right) for right in rights]
    table.add(model=f"rnn, {start}, 900 clips", score=score, **entry)

# %% [markdown]
# All three intervals lie above 0, so the rule allows the sentence: *for this model, these speakers and six epochs, the identity start is better.*
#
# Why does it help? Not by its singular values: they are all 1, as for every orthogonal matrix. A hypothesis, not proved here: with the identity each unit starts by keeping its *own*
# past, as a running sum. To test it, start with *minus* the identity: the singular values stay 1, but nothing is kept.
#
# ## Take it home
#
# A vanilla RNN that trains: the identity start, clipping, and a rate from inside the grid.

# %%
sounds = list(train.frames[:300])
labels = train.label.cat.codes.to_numpy()[:300]

# %% tags=["recipe"]
# Before: `sounds`, a list of float32 arrays [frames, 40] (log-mel), `labels`, ints.
import keras
import numpy as np

keras.utils.set_random_seed(0)
PADDING = -1000.0  # a value that no frame has
longest = max(len(sound) for sound in sounds)
padded = np.full([len(sounds), longest, 40], PADDING, np.float32)
for row, sound in zip(padded, sounds):
    row[: len(sound)] = sound

layers = [keras.Input([None, 40]), keras.layers.Masking(PADDING)]
layers += [keras.layers.Rescaling(1 / 4, 5 / 4)]  # log energies to about -2 to 2
layers += [keras.layers.SimpleRNN(64, recurrent_initializer="identity")]
layers += [keras.layers.Dense(int(max(labels)) + 1)]
model = keras.Sequential(layers)
optimizer = keras.optimizers.Adam(0.001, global_clipnorm=1.0)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])

shuffled = np.random.default_rng(0).permutation(len(sounds))  # the last tenth validates
options = {"epochs": 15, "batch_size": 32, "validation_split": 0.1, "verbose": 0}
history = model.fit(padded[shuffled], np.asarray(labels)[shuffled], **options)
print(f"validation accuracy {history.history['val_accuracy'][-1]:.2f}")

# %% [markdown] tags=["notes"]
# Now the exercises. Exercise 1 asks how far back a model listens: take a guess for the RNN and for the LSTM. Exercise 2 for those who like to write clipping themselves. Exercise 3 is the one to take time for: they build and train a model of their own.

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** How far back does a model listen while it learns? Write `reach(by_frame, share)`: the least number of frames, counted from the *end* of
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
far = {
    name: reach(microscope.gradient_by_frame(one, long.frames, truth), 0.99)
    for name, one in trained.items()
}
print(
    f"99 % of the gradient lies in the last frames of {len(long.frames)}: "
    f"RNN {far['rnn']}, LSTM {far['lstm']}; a frame is 10 ms"
)

# %% [markdown]
# **Exercise 2.** Write `clip(gradients, largest)`: a list of arrays in, a list of arrays out. If the norm of all of them together (the root of the sum of all
# squares) is at most `largest`, they stay. Otherwise all are scaled by the same factor, so that the norm together is `largest`. What if all are zeros?


# %% tags=["solution"]
def clip(gradients, largest):
    """The gradients, cut to a norm of `largest` together."""
    norm = np.sqrt(sum(np.sum(gradient**2) for gradient in gradients))
    factor = largest / max(norm, largest)
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
    "each array was cut by itself; take ONE norm for all"
)
assert np.isclose(total(cut), 1), (
    f"a norm of 5 was to be cut to 1, found a norm of {total(cut):.3g}"
)
expected = [part.numpy() for part in tf.clip_by_global_norm(two, 1.0)[0]]
assert np.allclose(cut[0], expected[0]) and np.allclose(cut[1], expected[1]), (
    "the norm is right, the direction is not: one factor for all numbers"
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
            "three other gradients, and another largest norm: not as TensorFlow does it"
        )
print("cut from norm 5 to 1:", cut[0], cut[1][0], "as TensorFlow does it")

# %% [markdown]
# **Exercise 3: build, train, beat this number.** The number is the best mean validation accuracy of the orthogonal start in the grid. Build a
# vanilla RNN of your own in Keras as `mine`: masked, any length, ten logits, `SimpleRNN` only. Train it on clips from `rest` (all, if you like), never on `validation`. Start,
# rate, clipping, epochs and units are yours; 20 seconds are plenty.

# %% tags=["solution"]
keras.utils.set_random_seed(1)
layers = [keras.Input([None, 40]), keras.layers.Masking(batches.PADDING)]
layers += [keras.layers.Rescaling(1 / 4, 5 / 4)]
layers += [keras.layers.SimpleRNN(64, recurrent_initializer="identity")]
layers += [keras.layers.Dense(10)]
mine = keras.Sequential(layers)
optimizer = keras.optimizers.Adam(0.001, global_clipnorm=1.0)
mine.compile(optimizer=optimizer, loss=LOSS, metrics=["accuracy"])
everything = batches.bucketed(rest.frames, rest.label)
history = mine.fit(everything, epochs=8, shuffle=False, verbose=0)

# %% tags=["check"]
assert isinstance(mine, keras.Model), "`mine` should be a Keras model"
gated = (keras.layers.LSTM, keras.layers.GRU)
assert not any(isinstance(layer, gated) for layer in mine.layers), (
    "an LSTM or a GRU is a later lesson: SimpleRNN only"
)
for length in [3, 30]:
    few = np.zeros([2, length, 40], np.float32)
    try:
        shape = tuple(mine(few).shape)
    except ValueError:
        shape = None
    assert shape is not None, (
        f"a clip of {length} frames cannot be read: is time None in keras.Input?"
    )
    assert shape == (2, 10), f"expected logits [2, 10] for two clips, found {shape}"
evaluation.check_mask(mine, batches.pad(list(validation.frames[:8])))
reached = evaluation.evaluate(mine, validation).accuracy
number = watched["orthogonal"].mean(axis=1).max()
assert reached >= number, (
    f"validation accuracy {reached:.3f}, the number is {number:.3f}: which start and "
    "which rate were best in the grid, and how many clips and epochs do you use?"
)
print(f"validation accuracy {reached:.3f}, the number was {number:.3f}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz
#
# 1. The gradient at the first frame is nearly zero: what follows? A: the frame has no influence. B: it can hardly be learned from. C: raise the rate.
# 2. The largest singular value is 1.2: what follows? A: it explodes. B: it vanishes. C: neither follows.
# 3. The paired difference is +0.02, interval -0.01 to +0.05: A: better. B: not shown. C: equal.

# %% [markdown] tags=["notes"]
# Right are 1 B, 2 C, 3 B. Question 1 is the one to discuss: "the frame does not influence the answer" and "the model cannot learn from it" are two sentences.

# %% [markdown]
# **You have seen**
# - the gradient carried back through time by hand, as Keras does it;
# - the gradient vanish under a spectrogram, two numbers that predict how fast, and a bound that only forbids;
# - a gradient explode and be clipped; three initialisers compared fairly, by the paired difference.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. In a vanilla RNN the gradient at the first frame of a long clip is nearly zero. What follows?**
#
# <details><summary>A. The first frame does not influence the answer.</summary>No: the gradient is about a SMALL change. A saturated unit may store what happened long ago although its gradient has vanished.</details>
# <details><summary>B. The weights can hardly learn to use what happens there.</summary>Yes: a weight's gradient is a sum over frames, and the last ones drown that frame's term.</details>
# <details><summary>C. The learning rate should be raised until the first frame counts.</summary>No: that lengthens the terms of ALL frames alike.</details>
#
# **2. The largest singular value of the recurrent matrix is 1.2. What follows for the gradient of a <code>tanh</code> RNN?**
#
# <details><summary>A. It explodes.</summary>No: above 1 is only necessary. The slopes may still shrink the product, as in this lesson's trained model.</details>
# <details><summary>B. It vanishes.</summary>No: that would be certain only below 1.</details>
# <details><summary>C. Neither: the product of the Jacobians has to be measured.</summary>Yes: below the bound anything may happen.</details>
#
# **3. On 300 clips the paired difference of A and B is +0.02, with an interval from -0.01 to +0.05. What may we say?**
#
# <details><summary>A. A is better by 0.02.</summary>No: true differences down to -0.01 fit these clips as well.</details>
# <details><summary>B. These clips do not show which is better.</summary>Yes: the interval contains 0. More clips would narrow it.</details>
# <details><summary>C. A and B are equally good.</summary>No: a difference of +0.05 fits, too. Not shown is not the same as none.</details>
#
# <details><summary>If you ran this on the synthetic voices</summary>Without the real recordings, synthetic voices stand in. All numbers differ: at gain 2 the product is larger, and at the small rate the loss may end lower than clipped.</details>
#
# Next: [06 LSTM](06_lstm.ipynb), which gives the gradient a path of its own. Back to the map: [00 Start here](00_start_here.ipynb).
#
# *Papers: Werbos 1990, Proc. IEEE 78; Hochreiter 1991, diploma thesis, TU Munich; Bengio, Simard and Frasconi 1994, IEEE Trans. Neural Networks 5; Pascanu, Mikolov and Bengio 2013, ICML; Le, Jaitly and Hinton 2015, arXiv:1504.00941; Newcombe 1998, Statistics in Medicine 17. Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
