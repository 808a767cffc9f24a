# %% [markdown]
# # 05 · Training a vanilla RNN
#
# A vanilla RNN can read a clip of any length. Can it *learn* from one? The loss is known at the end of the clip, and the first
# frame lies dozens of steps back.
#
# **You will**
# - carry the gradient back through time by hand, and agree with Keras;
# - see it vanish under a spectrogram, and predict how fast;
# - make a gradient explode, clip it, and choose a learning rate and an initialiser fairly.
#
# **Minutes:** 105 (reading and running 70, exercises 30, quiz 5). **You need:** lessons 03 and 04, matrix products, partial derivatives, the chain rule.
# Jacobians and singular values are explained.

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
from keras.optimizers import SGD, Adam

from course_lib import batches, data, evaluation, models, plots
from course_lib.extra import microscope

rest, validation, test = data.load_parts("digits")
shuffled = rest.sample(frac=1, random_state=0)
train = shuffled.groupby("label", observed=True).head(90)  # 900, to save time
by_length = validation.frames.map(len).sort_values().index  # the longest clip is last

# %% [markdown]
# ## One unit first
#
# One unit has one number as its hidden state. With input $x_t$ and weights $w$ and $u$:
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
def read(state, w, u, inputs):
    """The state before the first step and after each."""
    states = [state]
    for value in inputs:
        states.append(np.tanh(w * states[-1] + u * value))
    return np.array(states)


w, u, inputs = 1.0, 0.5, np.random.default_rng(0).normal(size=20)
states = read(0.0, w, u, inputs)
product = np.prod(w * (1 - states[1:] ** 2))
changed = (read(1e-4, w, u, inputs)[-1] - states[-1]) / 1e-4
print(f"20 factors: {product:.2e}; changing the first state a little: {changed:.2e}")

# %% [markdown]
# Both ways agree: less than a ten-thousandth arrives. A product of many factors below 1 is tiny.
#
# The weight $w$ acts at every step, so its gradient has a term per step. Write $\mathcal L$ for the loss and $\delta_t = \partial\mathcal L/\partial a_t$
# for its gradient just before the $\tanh$. Since $a_t$ contains $w\,h_{t-1}$,
#
# $$\frac{\partial\mathcal L}{\partial w} = \sum_{t=1}^{T} \delta_t\,h_{t-1}$$
#
# ## Sixty-four units
#
# Now $\mathbf h_t$ is a vector. The weight from unit $j$ to unit $i$ gets $\delta_i h_j$. All pairs at once are the *outer product* $\boldsymbol\delta_t\,\mathbf h_{t-1}^{\top}$:
# a table of units by units. The logits are $\mathbf z$, their softmax is $\hat{\mathbf y}$, and $\mathbf e_y$ has a 1 at the true class $y$, else zeros.
# The sign $\odot$ multiplies entry by entry. The way back has five steps:
#
# 1. From the [cross-entropy](../docs/glossary.md#cross-entropy) to the last state: $\partial\mathcal L/\partial\mathbf z = \hat{\mathbf y}-\mathbf e_y$.
#    So $\partial\mathcal L/\partial\mathbf h_T = \mathbf W_{hy}^{\top}(\hat{\mathbf y}-\mathbf e_y)$.
# 2. Through the $\tanh$: $\boldsymbol\delta_t = \frac{\partial\mathcal L}{\partial\mathbf h_t}\odot(1-\mathbf h_t^{2})$.
# 3. Add this frame's term to each gradient: $\boldsymbol\delta_t\,\mathbf h_{t-1}^{\top}$ to that of $\mathbf W_{hh}$, $\boldsymbol\delta_t\,\mathbf x_t^{\top}$ to that
#    of $\mathbf W_{xh}$, $\boldsymbol\delta_t$ to that of $\mathbf b_h$.
# 4. One frame back: $\partial\mathcal L/\partial\mathbf h_{t-1} = \mathbf W_{hh}^{\top}\boldsymbol\delta_t$.
# 5. Repeat from 2.
#
# This is [*back-propagation through time*](../docs/glossary.md#back-propagation-through-time) (Werbos 1990).
#
# Read the dashed arrows from right to left. Each carries its step's [*Jacobian*](../docs/glossary.md#jacobian): the matrix of the derivatives of
# output by input. Small changes go forwards through the Jacobian, gradients back through its transpose. So the arrows say
# $\mathbf W_{hh}$ where step 4 says $\mathbf W_{hh}^{\top}$. $\mathrm{diag}(\mathbf v)$ is the matrix with $\mathbf v$ on its diagonal, and multiplies as $\odot$ does.

# %% tags=["slide", "no-code"]
plots.drawing("bptt")

# %% [markdown] tags=["notes"]
# Ask for the label of every dashed arrow before you show it. Which arrow is taken once per frame? Which once only?

# %% [markdown]
# ### By hand and by Keras
#
# This is the whole vanilla RNN of lesson 03. You can change three things. After it we write the forward pass by hand,
# then the way back. `tf.GradientTape` records a forward pass and differentiates it: it is the judge. Keras uses row vectors, so its
# `recurrent_kernel` is $\mathbf W_{hh}^{\top}$.


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


long = validation.loc[by_length[-5]]  # the fifth longest
scaled, states = forward(model, long.frames)
kernel, recurrent_kernel, bias, to_logits, logit_bias = model.get_weights()
exponentials = np.exp(states[-1] @ to_logits + logit_bias)
truth = validation.label.cat.categories.get_loc(long.label)

# %% [markdown] tags=["slide", "only-slides"]
# ## The way back
#
# 1. Probabilities minus 1 at the right class, to the last state.
# 2. Through tanh: times its slope.
# 3. Add this frame's outer product.
# 4. One frame back: recurrent_kernel @ delta.

# %% tags=["more"]
probabilities = exponentials / exponentials.sum()
error = to_logits @ (probabilities - np.eye(10)[truth])  # 1: dL / dh_T
by_kernel, by_bias = np.zeros_like(kernel), np.zeros_like(bias)
by_recurrent, size = np.zeros_like(recurrent_kernel), np.zeros(len(scaled))
for t in range(len(scaled), 0, -1):
    delta = error * (1 - states[t] ** 2)  # 2: through tanh
    by_recurrent += np.outer(states[t - 1], delta)  # 3: this frame's terms
    by_kernel += np.outer(scaled[t - 1], delta)
    by_bias += delta
    size[t - 1] = np.linalg.norm(kernel @ delta / 4)  # the frame's own, see below
    error = recurrent_kernel @ delta  # 4: dL / dh_(t-1)

# %% tags=["more", "no-code"]
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
frames = tf.constant(long.frames[None])
with tf.GradientTape() as tape:
    tape.watch(frames)  # it watches weights unasked, inputs only if told
    loss = LOSS(np.array([truth]), model(frames))
of_rnn = model.trainable_variables[:3]  # the last two are those of Dense
*by_keras, by_frames = tape.gradient(loss, [*of_rnn, frames])
by_hand = {"kernel": by_kernel, "recurrent_kernel": by_recurrent, "bias": by_bias}
for (name, found), expected in zip(by_hand.items(), by_keras, strict=True):
    np.testing.assert_allclose(found, expected, atol=1e-5)
    print(f"{name}: largest difference {np.abs(found - expected).max():.0e}")
np.testing.assert_allclose(size, np.linalg.norm(by_frames[0], axis=1), rtol=1e-3)

# %% [markdown] tags=["notes"]
# Let somebody find steps 2, 3 and 4 in the code. Read the largest difference aloud. `size[t]` is a by-product, and it will be the main character from here on.

# %% [markdown]
# ## The microscope
#
# `size` holds one number per frame: the norm of $\partial\mathcal L/\partial\mathbf x_t = \frac{1}{4}\mathbf W_{xh}^{\top}\boldsymbol\delta_t$. Here
# $\mathbf x_t$ is the frame before `Rescaling`, whose factor in the chain rule is $\frac{1}{4}$. The norm tells how much a small change of the frame changes the loss. Papers call
# it [*input gradient*](../docs/glossary.md#input-gradient) or *saliency*. The tape agrees to a thousandth of each norm, however small. Later we use the course's copy,
# `microscope.gradient_by_frame`.
#
# **Predict, then run.** How many times smaller is the gradient at the first frame of a long clip than at the last: 10 times? A thousand? More?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: the first frame against the last
#
# **How many times smaller: 10, a thousand, more?**

# %% [markdown] tags=["notes"]
# Everyone writes a power of ten. Collect the smallest and the largest on the board before you go on. Then: look at the axis before you look at the line.

# %% tags=["fold", "slide", "no-code"]
# @title Draw: the gradient at each frame, untrained {display-mode: "form"}
title = "norm of the loss's gradient at each frame"
curve = microscope.gradient_by_frame(model, long.frames, truth)
np.testing.assert_allclose(curve, size, rtol=1e-3)
picture = plots.under_frames(
    long.frames,
    {"untrained RNN": curve},
    unit="gradient norm",
    scale="log",
    title=title,
)
orders = np.log10(size[-1] / size[0])
fact = (
    f"from the last frame to the first the gradient falls by {orders:.0f} powers of ten"
)
plots.show(picture, fact)

# %% [markdown]
# A nearly straight line on this axis means: each frame further back costs about the same *factor*. Quiet
# frames shrink the gradient, too. At first this model learns next to nothing from a word's beginning: the
# [*vanishing gradient*](../docs/glossary.md#vanishing-gradient) (Hochreiter 1991; Bengio et al. 1994).
#
# Does training change that? We train this RNN and an LSTM at the rates of lessons 03 and 00, and measure the eight longest validation clips.
# Expect lower accuracies: only 900 of the 2,460 clips, and six epochs.

# %%
batched = batches.bucketed(train.frames, train.label)


def fit(model, rate):
    """Compile and train for six epochs."""
    optimizer = Adam(rate, global_clipnorm=1.0)
    model.compile(optimizer=optimizer, loss=LOSS, metrics=["accuracy"])
    model.fit(batched, epochs=6, shuffle=False, verbose=0)
    return model


keras.utils.set_random_seed(0)
untrained = {"rnn": vanilla(), "lstm": models.lstm(10)}
trained = {"rnn": fit(vanilla(), 0.001), "lstm": fit(models.lstm(10), 0.003)}
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
# The trained RNN's gradient still loses nearly all of its size, the LSTM's far less (one training each). Lesson 06 explains why.
#
# ## How fast does it vanish?
#
# One step has the Jacobian $\mathbf J_k=\mathrm{diag}(1-\mathbf h_k^2)\,\mathbf W_{hh}$. To go back from $\mathbf h_T$ to $\mathbf h_t$, multiply these matrices. The order matters:
#
# $$\frac{\partial\mathbf h_T}{\partial\mathbf h_t}=\mathbf J_T\,\mathbf J_{T-1}\cdots\mathbf J_{t+1}$$
#
# A matrix can stretch a vector at most by its largest [*singular value*](../docs/glossary.md#singular-value) $\sigma_{\max}$. Keras starts with an
# [*orthogonal*](../docs/glossary.md#orthogonal) matrix: it rotates or mirrors vectors and keeps their length, so all its singular values are 1. Multiplied by a *gain*, it stretches
# *every* vector by the gain.
#
# So one step back multiplies each entry of the gradient by its unit's slope, then the length by the gain. A length is the root of a
# sum of squares. If the entries are about equally large, the slopes shrink it by their root mean square.
#
# **Predict, then run.** At which gain does the gradient stay about level: 0.7, 1, 2 or 3?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: at which gain does it stay level?
#
# One step costs about: gain × root mean square of the slope.
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
    slope = np.sqrt(np.mean(slopes**2))  # root mean square
    steps = len(curve) - 1
    measured = (curve[0] / curve[-1]) ** (1 / steps)  # the mean factor per frame
    print(f"{name} x slope {slope:.2f} = {gain * slope:.2f}, measured {measured:.2f}")
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
# The gain and tanh's slopes predict how steep the line is. Near gain 2 it is level. Below 1 per frame the gradient vanishes; above 1 it grows: an
# [*exploding gradient*](../docs/glossary.md#exploding-gradient). Gain 3 does not triple the factor of gain 1: with larger states more units *saturate*: they lie near -1 or 1, where $\tanh$ is flat.
#
# ### The bound, and what it does not say
#
# The norm of a matrix is its largest singular value, and the slope of $\tanh$ is at most 1. So
#
# $$\left\|\frac{\partial\mathbf h_T}{\partial\mathbf h_t}\right\|\le\sigma_{\max}^{T-t}$$
#
# If $\sigma_{\max} < 1$, the gradient *must* vanish: the condition is **sufficient**. If $\sigma_{\max} > 1$, it *may* explode or
# vanish: for exploding the condition is only **necessary** (Pascanu et al. 2013). The next cell multiplies
# the actual Jacobians, each new frame's from the left.


# %%
def jacobian(model, frames):
    """The change of the last state with the first, dh_T / dh_1."""
    recurrent = model.layers[-2].get_weights()[1]
    product = np.eye(64)
    for state in forward(model, frames)[1][2:]:  # h_2 to h_T
        product = np.diag(1 - state**2) @ recurrent.T @ product
    return product


for name, one in {**started, "trained": trained["rnn"]}.items():
    bound = np.linalg.norm(one.layers[-2].get_weights()[1], 2) ** (len(scaled) - 1)
    found = np.linalg.svd(jacobian(one, long.frames), compute_uv=False)
    values = f"largest singular value {found[0]:.0e}, 10th largest {found[9]:.0e}"
    print(f"{name}: bound {bound:.0e}; product: {values}")

# %% [markdown]
# At gain 0.7 the bound leaves no choice: the product vanishes. At gain 1, Keras's default, the bound allows a level gradient, but the slopes make the product vanish.
# After training the bound is astronomical, and the product has still vanished.
#
# ### Then why not begin with gain 2?
#
# Its gradient is level. But a norm hides directions. At gain 2 the product keeps one direction at nearly full size, and the 10th largest is down to about a millionth:
# something is kept, perhaps not the right things. Does it *train* well? An experiment below decides.
#
# ## Exploding, and clipping
#
# [*ReLU*](../docs/glossary.md#relu) (negative values become 0) does not bound the state as $\tanh$ does. Le et al. (2015)
# start ReLU units with the *identity* as recurrent matrix: the state adds up what comes in. We train such a network by plain gradient descent, then by Adam, and
# record the loss and the norm $\|\mathbf g\|$ of the whole gradient, with and without [*clipping*](../docs/glossary.md#clipping) (here: cutting, no audio clip):
#
# $$\mathbf g\leftarrow\mathbf g\cdot\min\bigl(1,\ \theta/\|\mathbf g\|\bigr)$$
#
# A gradient longer than $\theta$, over all weights together, keeps its direction. Keras calls $\theta$ `global_clipnorm`.
#
# **Predict, then run both cells.** Unclipped, at rate 0.1: what is the mean loss during each of four epochs? (A model that gives each digit a tenth has 2.30.)

# %% [markdown] tags=["slide", "only-slides"]
# ## ReLU, identity, plain gradient descent
#
# **The norm of the first gradient? The mean loss during each of four epochs?**

# %% [markdown] tags=["notes"]
# Ask for four numbers. Nobody writes what will be printed.


# %%
four_epochs = 4 * list(batched)  # the same for each run


def descend(model, optimizer):
    """The loss and the gradient's norm, before clipping, at each step."""
    optimizer.build(model.trainable_variables)  # tells it which weights to change

    @tf.function(reduce_retracing=True, autograph=False)  # compiles `step`: faster
    def step(frames, labels):
        with tf.GradientTape() as tape:
            loss = LOSS(labels, model(frames))
        gradient = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradient, model.trainable_variables)  # clips, then steps
        return loss, tf.linalg.global_norm(gradient)

    return np.array([step(*batch) for batch in four_epochs])


# %% tags=["slide", "no-code"]
settings = {"unclipped": SGD(0.1), "clipped to 1": SGD(0.1, global_clipnorm=1.0)}
settings["unclipped, rate 0.0001"] = SGD(0.0001)
settings["unclipped, Adam"] = Adam(0.001)
settings["clipped, Adam"] = Adam(0.001, global_clipnorm=1.0)
for name, optimizer in settings.items():
    keras.utils.set_random_seed(0)
    summing = vanilla(Identity, activation="relu")
    losses, norms = descend(summing, optimizer).T
    print(f"mean loss by epoch, {name}:", *losses.reshape(4, -1).mean(1).round(2))
    print(f"   gradient norm: least {norms.min():.0f}, first", *norms[:4].round())
    if np.isfinite(losses).all():
        print(f"   validation {evaluation.evaluate(summing, validation)}")

# %% [markdown] tags=["notes"]
# nan: a number grew too large, and after that every weight is nan too. One setting more, and it runs. Compare the last loss with 2.30. Then the control: a rate a thousand times
# smaller survives as well. Ask: does clipping help against vanishing? (It lengthens nothing.)
# Before the next slide, guesses on paper: orthogonal, the same with gain 2, identity; five rates each. Which comes first, and where does gain 2 come?

# %% [markdown]
# Unclipped, one step is so long that the next gradient is [`nan`](../docs/glossary.md#not-a-number), *not a number*; after that every weight is `nan` too.
# Clipped, the same network trains. So does the control, unclipped at a thousandth of the rate.
#
# Even the least norm is above 1, so *every* step was clipped, and $\theta$ sets the length of the steps as well. To cut outliers only,
# write down the norms of a few hundred steps and take their 90th percentile.
#
# Adam, which this course uses, divides the gradient by a running average of its size. So its steps are short, and it survives unclipped. But one huge gradient
# fills that average for many steps. Clipping prevents this; here its run ends ahead (one run each). At $\theta=1$ it is not rare: most gradients of these trainings are longer, so each batch counts about the same.
#
# Clipping cannot rescue an infinite gradient, and against vanishing it does nothing.
#
# ## Which initialiser, at which learning rate?
#
# Three [*initialisers*](../docs/glossary.md#initialiser) compete, with $\tanh$ and Adam: the *orthogonal* matrix, the same with gain 2, and the identity. A fair contest varies one thing and tunes the rest equally: each
# start gets five learning rates with two seeds each, judged on *validation* clips. If the best rate is at the grid's edge, a
# better one may lie outside. Thirty trainings take about half a minute.
#
# **Predict, then run.** Which start comes first? Where does gain 2 come?

# %%
STARTS = {"orthogonal": (Orthogonal, 1.0), "gain 2": (Orthogonal, 2.0)}
STARTS["identity"] = (Identity, 1.0)
again = fit(vanilla(), 0.001)  # compiled once: compiling takes longer than training


def retrain(start, rate, seed):
    """Give `again` fresh weights and a fresh optimizer, and train it."""
    keras.utils.set_random_seed(seed)
    again.set_weights(vanilla(*STARTS[start]).get_weights())
    for variable in again.optimizer.variables:  # Adam's running means, step count
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
    pairs = [f"{mean:.2f} at {rate}" for mean, rate in zip(means, RATES)]
    print(f"{start}, mean accuracy:", ", ".join(pairs))

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
# Why not begin with gain 2? Because on this grid, tuned like the others, it trains worst. Lesson 03's rate, 0.001, is at or near the best
# for the other two; at 0.01 both have lost much.
#
# ### One rule for "better"
#
# Identity comes first. Better, or lucky? The course's rule is the [*paired difference*](../docs/glossary.md#paired-difference) with its interval:
#
# 1. Both models answer the same clips, and these clips were not used to choose any setting. For clip $i$, $a_i = 1$ if A is right, else 0; $b_i$ likewise for B.
# 2. The paired difference is $d = \frac{1}{n}\sum_i (a_i-b_i)$. Only clips where exactly one of the two is right count.
# 3. Its 95 % interval says which true differences fit these clips (Newcombe 1998). If A and B were equally good, each clip that counts would be a coin toss;
#    the more tosses A wins beyond half, the higher the interval lies. **A is better if the whole interval lies above 0.** If it contains 0,
#    the clips do not show which is better.
# 4. Training is random, too. We claim "better" for the *recipe* only if every fresh seed says so.
#
# We compare identity with orthogonal, each at its best rate, on the test clips, with three fresh seeds.

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
# All three intervals lie above 0, so we may say: *for this model, these speakers and six epochs, the identity start is better.*
#
# Why does it help? Not by its singular values: they are all 1, as for every orthogonal matrix. A hypothesis, not proved: each unit starts by keeping its *own*
# past, as a running sum. To test it, start with *minus* the identity: the past flips its sign at each step, so neighbouring frames cancel.
#
# ## Take it home
#
# The identity start, clipping, and a rate from inside the grid. The recipe takes 300 clips, but 15 epochs. Only 30 clips validate: its accuracy may be
# off by 0.15, so do not compare it with the grid's.

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
# Now the exercises. Exercise 1 asks how far back a model learns: take a guess for the RNN and for the LSTM. Exercise 2 for those who like to write clipping themselves. Exercise 3 is the one to take time for: they build and train a model of their own.

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** How far back does a model learn? `by_frame` holds one gradient norm for each frame, like `size`. Write `reach(by_frame, share)`: the least number
# of frames, counted from the *end* of the clip, that hold at least `share` of the sum of all norms.


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
# squares) is at most `largest`, they stay. Otherwise one factor scales them all to norm `largest`. What if all are zeros?


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
# **Exercise 3: build, train, beat this number.** The number is the best mean validation accuracy in the grid. Build
# your own vanilla RNN as `mine`: masked, any length, ten logits, `SimpleRNN` only. Train it on clips from `rest` (all, if you like), never on `validation`. The rest is yours; 20 seconds are plenty.

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
history = mine.fit(everything, epochs=16, shuffle=False, verbose=0)

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
number = max(accuracies.mean(axis=1).max() for accuracies in watched.values())
assert reached >= number, (
    f"validation accuracy {reached:.3f}, the number is {number:.3f}: which start and "
    "which rate were best in the grid? Use more clips or more epochs than it did"
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
# - that it vanishes as gain and slopes predict, and a bound that can rule out growth, but cannot promise it;
# - an exploding gradient, clipped, and initialisers compared by the paired difference.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. In a vanilla RNN the gradient at the first frame of a long clip is nearly zero. What follows?**
#
# <details><summary>A. The first frame does not influence the answer.</summary>No: the gradient is about a SMALL change. A saturated unit may store what happened long ago.</details>
# <details><summary>B. The weights can hardly learn to use what happens there.</summary>Yes: a weight's gradient is a sum over frames, and the last ones drown that frame's term.</details>
# <details><summary>C. The learning rate should be raised until the first frame counts.</summary>No: that lengthens the terms of ALL frames alike.</details>
#
# **2. The largest singular value of the recurrent matrix is 1.2. What follows for the gradient of a <code>tanh</code> RNN?**
#
# <details><summary>A. It explodes.</summary>No: above 1 is only necessary. The slopes may still shrink the product.</details>
# <details><summary>B. It vanishes.</summary>No: that would be certain only below 1.</details>
# <details><summary>C. Neither: measure the product of the Jacobians.</summary>Yes: below the bound anything may happen.</details>
#
# **3. On 300 clips the paired difference of A and B is +0.02, with an interval from -0.01 to +0.05. What may we say?**
#
# <details><summary>A. A is better by 0.02.</summary>No: a true difference of -0.01 fits, too.</details>
# <details><summary>B. These clips do not show which is better.</summary>Yes: the interval contains 0. More clips would narrow it.</details>
# <details><summary>C. A and B are equally good.</summary>No: +0.05 fits, too. Not shown is not the same as none.</details>
#
# <details><summary>If you ran this on the synthetic voices</summary>All numbers differ; the identity is the best start there, too.</details>
#
# **Touch it.** [The page that listens](../docs/live/index.html) has a vanilla RNN beside a GRU, with the gradient of each frame below the word.
#
# Next: [06 LSTM](06_lstm.ipynb), which gives the gradient a path of its own. All lessons: [README](../README.md).
#
# *Papers: Werbos 1990, Proc. IEEE 78; Hochreiter 1991, diploma thesis, TU Munich; Bengio, Simard and Frasconi 1994, IEEE Trans. Neural Networks 5; Pascanu, Mikolov and Bengio 2013, ICML; Le, Jaitly and Hinton 2015, arXiv:1504.00941; Newcombe 1998, Statistics in Medicine 17. Recordings: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
