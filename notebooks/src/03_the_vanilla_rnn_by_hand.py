# %% [markdown]
# # 03 · The vanilla RNN, by hand
#
# The average of lesson 02 was blind to order. A recurrent network reads one frame after another and carries a few numbers along, its
# [*hidden state*](../docs/glossary.md#state), or *state* for short. What is in these numbers, how are they made, and why can the same weights read a clip of any length?
#
# **You will**
# - write the recurrence in seven lines of NumPy, and get the same numbers as `keras.layers.SimpleRNN`;
# - follow the shapes through one step, count the weights, and read clips of any length with them;
# - train a vanilla RNN in Keras, and watch its state move while a word is said.
#
# **Minutes:** 90 with the exercises, of which the computer takes less than one. **You need:** lessons 00 to 02, the matrix product `@` of NumPy, a little pandas (`table[table.label == "6"]`), and what a Keras `Dense` layer is.

# %% [markdown] tags=["slide", "only-slides"]
# ## What does a recurrent layer compute, frame by frame?
#
# - The average of lesson 02 was blind to order.
# - Now: one frame after another, and a few numbers carried along.

# %% [markdown] tags=["notes"]
# Ask: in lesson 02, what could the average not know about "six" and its reverse? Then: what is the LEAST that you would have to remember from one frame to the next?
# Draw an empty box on the board and call it the state. It gets its numbers in five minutes.

# %% tags=["setup"]
import setup_course

# %%
import base64
import io
from string import Template

import keras
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Audio

from course_lib import audio, batches, data, evaluation, plots, training

# %% [markdown]
# ## A clip to read
#
# A network learns best from numbers around zero, and most log energies lie
# below it. So we add 5 and divide by 4. Here is one "six" of about half a second.

# %%
train, validation, test = data.load_parts("digits")


def scale(frames):
    """Log-mel frames as the models of this course read them: about -2 to 2."""
    return (frames + 5) / 4


sixes = validation[validation.label == "6"]
clip = sixes.loc[(sixes.seconds - 0.5).abs().idxmin()]
frames = scale(clip.frames)
print(
    f"{list(frames.shape)} = [frames, bands], {frames.min():.1f} to {frames.max():.1f}"
)

# %% [markdown]
# ## One rule, applied again and again
#
# A *recurrent neural network* (RNN) makes a new state from two things: the frame that comes in, and the state that was there before. The simplest
# such network is the [*vanilla* RNN](../docs/glossary.md#vanilla-rnn) (Elman 1990). Papers write it so:
#
# $$\mathbf h_t=\tanh(\mathbf W_{xh}\mathbf x_t+\mathbf W_{hh}\mathbf h_{t-1}+\mathbf b_h),\qquad \mathbf h_0=\mathbf 0$$
#
# $\mathbf x_t$ is frame $t$ and $\mathbf h_t$ the state after it. Each number of the state belongs to one [*unit*](../docs/glossary.md#unit). The first term is what the
# units make of the *frame*. The second is what they make of the *past*, and it is the only way in which the past comes in. Take it away, and a `Dense` layer
# with `activation="tanh"` is left.
#
# The drawing shows the rule twice: as a loop, and [*unrolled*](../docs/glossary.md#unrolled) into a chain, with one copy of the layer for each frame. How many different
# matrices are in the chain?

# %% [markdown] tags=["slide", "only-slides"]
# ## One rule, again and again
#
# $$\mathbf h_t=\tanh(\mathbf W_{xh}\mathbf x_t+\mathbf W_{hh}\mathbf h_{t-1}+\mathbf b_h)$$
#
# Two arrows into each state. How many different matrices?

# %% tags=["more", "no-code"]
plots.drawing("rnn")

# %% [markdown] tags=["notes"]
# Cover the middle term with your hand: what is left? A Dense layer with tanh. Everything new in this lesson is the term under the hand.
# Let them count: two arrows enter each state, and there are two matrices in all, besides the one that leads to the answer. The picture repeats them, the layer holds them once.

# %% [markdown]
# Three: two lead into the states, the same two at every step, and one leads to the answer. The picture repeats them, the layer holds them once.
#
# Keras calls this layer `SimpleRNN`. One convention differs: papers write vectors as *columns*, Keras writes them as *rows*. So each
# matrix of Keras is the transpose of the one in a paper:
#
# $$\mathbf h_t=\tanh(\mathbf x_t\mathbf K+\mathbf h_{t-1}\mathbf R+\mathbf b),\qquad \mathbf K=\mathbf W_{xh}^{\top},\quad \mathbf R=\mathbf W_{hh}^{\top},\quad \mathbf b=\mathbf b_h$$
#
# | in papers | in Keras | shape in Keras | starts as |
# |---|---|---|---|
# | $\mathbf W_{xh}$ | `kernel` $\mathbf K$ | [bands, units] | small random numbers (*Glorot uniform*) |
# | $\mathbf W_{hh}$ | `recurrent_kernel` $\mathbf R$ | [units, units] | orthogonal: a random rotation |
# | $\mathbf b_h$ | `bias` $\mathbf b$ | [units] | zeros |
#
# <details><summary>The same matrices in other books</summary>D2L writes rows, too: its W_xh is <code>kernel</code>. Goodfellow's U is <code>kernel.T</code>, his W is <code>recurrent_kernel.T</code>. PyTorch's <code>weight_ih_l0</code> is <code>kernel.T</code>, its <code>weight_hh_l0</code> is <code>recurrent_kernel.T</code>, and it has two biases, which add up.</details>
#
# We build a layer of 16 units. Its bias is random here, so that a forgotten bias would show. `return_sequences=True` asks for the state after every frame.

# %%
keras.utils.set_random_seed(1)
layer = keras.layers.SimpleRNN(
    16, return_sequences=True, bias_initializer="random_normal"
)
by_keras = layer(frames[None])[0]  # [None] makes the clip a batch of one
kernel, recurrent_kernel, bias = layer.get_weights()
for weights in layer.weights:
    print(f"{weights.name:>16} {list(weights.shape)}")

# %% [markdown]
# Now the rule in seven lines of NumPy. (The first frame has number 0 there: `states[0]` is $\mathbf h_1$.) A frame has 40 numbers and the state 16. Follow the shapes in the comments.

# %% [markdown] tags=["slide", "only-slides"]
# ## The rule, in seven lines


# %% tags=["more"]
def read_by_hand(frames, kernel, recurrent_kernel, bias):
    state, states = np.zeros(len(bias)), []
    for frame in frames:
        from_frame = frame @ kernel  # [40] @ [40, 16] → [16]
        from_past = state @ recurrent_kernel  # [16] @ [16, 16] → [16]
        state = np.tanh(from_frame + from_past + bias)  # [16]
        states.append(state)
    return np.array(states)  # [frames, 16]


states = read_by_hand(frames, kernel, recurrent_kernel, bias)
np.testing.assert_allclose(states, by_keras, atol=1e-5)
print(f"{list(states.shape)}, at most {np.abs(states - by_keras).max():.0e} apart")

# %% [markdown] tags=["notes"]
# Ask somebody to read the loop aloud in words. Two questions: what is the state before the first frame? And where in these lines does the LENGTH of the clip stand? (Nowhere but
# in the loop.)

# %% [markdown]
# The same numbers, up to rounding: `SimpleRNN` computes this rule and nothing else.
#
# ## Why tanh?
#
# The hyperbolic tangent squeezes any number into the range from -1 to 1. Near zero it changes almost nothing. **Predict, then run.** We read the same clip
# with a recurrent kernel that is 1.5 times as large, once with tanh and once without. How large does the largest number of the state become without it: about 10, about
# 1,000, or more than a million?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: the same rule without tanh
#
# Same clip, a recurrent kernel 1.5 times as large, nothing that squeezes.
#
# **The largest number in the state: about 10, about 1,000, more than a million?**

# %% [markdown] tags=["notes"]
# Three corners of the room for the three answers, or hands. Ask one person of each group for the reason.

# %% [markdown] tags=["slide", "only-slides"]
# ## With and without


# %% tags=["more", "no-code"]
def largest(activation):
    state, sizes = np.zeros(16), []
    for frame in frames:
        state = activation(frame @ kernel + state @ (1.5 * recurrent_kernel) + bias)
        sizes.append(np.abs(state).max())
    return sizes


sizes = {"with tanh": largest(np.tanh), "without": largest(lambda total: total)}
figure = plots.under_frames(
    clip.frames, sizes, unit="largest number", scale="log", title="size of the state"
)
fact = f"without tanh the state grows to {sizes['without'][-1]:.0e}"
plots.show(figure, f"{fact}, with tanh it stays below 1")

# %% [markdown] tags=["notes"]
# A straight line on a logarithmic axis is growth by one factor at every frame: 1.5, since an orthogonal matrix keeps lengths.
# Then the second reason for tanh, which no picture shows: without it the whole chain is one weighted sum, and "this, but only if that came before" cannot be said.

# %% [markdown]
# The recurrent kernel began as a rotation, which keeps the length of the state. Now each frame makes it 1.5 times as long, and without tanh the state explodes. With
# [tanh](../docs/glossary.md#tanh), every number stays between -1 and 1, for a clip of any length.
#
# Tanh has a second task. Without it each step is a weighted sum, and a chain of weighted sums is again one weighted sum of all frames. Such a network cannot say
# "this, but only if that came before".
#
# ## The first state, and the last
#
# Before the first frame the state is zero. So the first state should equal a `Dense` layer on frame 0. Without `return_sequences=True`, `SimpleRNN` gives one row.
# **Predict, then run:** is it the last state, or something new, such as the average of all states?

# %%
dense = np.tanh(frames[0] @ kernel + bias)
np.testing.assert_allclose(states[0], dense, atol=1e-6)
last_only = keras.layers.SimpleRNN(16)
last_only(frames[None])  # the first call makes the weights
last_only.set_weights(layer.get_weights())
row = last_only(frames[None])[0]
np.testing.assert_allclose(states[-1], row, atol=1e-5)
print(f"all states {list(states.shape)}; one row {list(row.shape)}, the last of them")
plots.drawing("one_or_many")

# %% [markdown]
# It is the last state. Both forms are in use: one answer for a whole clip is *many-to-one*, one answer for every frame is *many-to-many*.
#
# Why do we read the answer from the last state? **Predict, then run.** We replace one frame in the middle of the clip by another. Which states change: that one, those before it,
# those after it, all?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: one frame is replaced
#
# A frame in the middle of the clip becomes another one.
#
# **Which states change: that one, those before, those after, all?**

# %% [markdown] tags=["notes"]
# Everyone draws the curve that they expect on paper: time to the right, change upwards. This is the most telling guess of the lesson; give it a full minute.

# %% [markdown] tags=["slide", "only-slides"]
# ## Time runs one way

# %% tags=["more", "no-code"]
place = len(frames) // 2
changed = frames.copy()
changed[place] = frames[0]
other_states = read_by_hand(changed, kernel, recurrent_kernel, bias)
change = np.abs(other_states - states).max(axis=1)
figure = plots.under_frames(
    clip.frames, {"change": change}, unit="largest change", title="one frame replaced"
)
assert not change[:place].any()
fact = f"no state before frame {place} changes"
plots.show(figure, f"{fact}, and the change at the last frame is only {change[-1]:.0e}")

# %% [markdown] tags=["notes"]
# Who drew anything before the frame? Who drew a curve that stays up to the end? Both are worth a word: nothing before, and the trace fades.
# "Has heard" is not "remembers well": leave the fading for lesson 05.

# %% [markdown]
# Time runs one way: a state depends on its own frame and on all before it, never on those that come. Only the *last* state has heard every frame. That is why
# our models read the answer there, until lesson 09 tries other places.
#
# "Has heard" is not "remembers well". Here the change fades to almost nothing before the clip ends. The rotation alone would keep it, but tanh is flat away from zero, and each step through
# it makes the change smaller. How long a trace lasts is the question of lesson 05.
#
# ## Any length, one set of weights
#
# The shortest and the longest training clip go through the layer that read the "six". **Predict, then run:** does the layer hold more weights afterwards?

# %% [markdown] tags=["slide", "only-slides"]
# ## Any length, one set of weights
#
# The shortest and the longest training clip, the same layer.
# **Does it hold more weights afterwards?**

# %% tags=["more", "no-code"]
for extreme in [train.seconds.idxmin(), train.seconds.idxmax()]:
    other = scale(train.frames[extreme])
    print(f"{list(other.shape)} → {list(layer(other[None]).shape)}")
print(f"the layer holds {layer.count_params()} numbers")


def count(units, bands=40):
    """The parameters of a vanilla RNN layer: kernel, recurrent kernel, bias."""
    return bands * units + units * units + units


assert count(16) == layer.count_params()
print({units: count(units) for units in [16, 32, 64, 128]})

# %% [markdown] tags=["notes"]
# Hands before you point at the last lines. Then count on the board: bands times units, units times units, units.
# Ask: twice the units, how many times the parameters? (More than twice: the square.)

# %% [markdown]
# The same weights read clips of every length: they belong to the *rule*, not to the frames. With $F$ bands and $U$ units, the layer has
#
# $$FU+U^2+U=U(F+U+1)$$
#
# [parameters](../docs/glossary.md#parameter). The recurrent kernel grows with the square of the number of units.
#
# ## A whole model
#
# Around the layer we need four others. `Masking` marks the [padding](../docs/glossary.md#padding) of a batch, `Rescaling` does what `scale` does, and `Dense` turns the last state into one
# [logit](../docs/glossary.md#logits) for each word: $\mathbf z=\mathbf W_{hy}\mathbf h_T+\mathbf b_y$ in papers. The [softmax](../docs/glossary.md#softmax), $\hat y_c=e^{z_c}/\sum_{c'}e^{z_{c'}}$, is inside the loss.
#
# The mask $m_t$ is 1 at a real frame and 0 at padding, where the layer keeps its old state. So the last state is that of the last real frame (lesson 04):
#
# $$\mathbf h_t=m_t\tanh(\mathbf W_{xh}\mathbf x_t+\mathbf W_{hh}\mathbf h_{t-1}+\mathbf b_h)+(1-m_t)\,\mathbf h_{t-1}$$

# %% [markdown] tags=["slide", "only-slides"]
# ## A whole model
#
# Guess: how many parameters? And after ten epochs, what share of the validation clips will be right?

# %% tags=["more"]
keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input([None, 40]),  # any number of frames, 40 bands
        keras.layers.Masking(batches.PADDING),
        keras.layers.Rescaling(1 / 4, offset=5 / 4),
        keras.layers.SimpleRNN(64),
        keras.layers.Dense(10),
    ],
    name="rnn",
)

# %% [markdown]
# From here on, `models.rnn(10)` is this model.

# %%
model.summary()
model.compile(
    optimizer=keras.optimizers.Adam(1e-3, global_clipnorm=1.0),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)

# %% [markdown]
# $64\cdot(40+64+1)=6{,}720$ are in the RNN, and $64\cdot10+10=650$ in `Dense`. `global_clipnorm` shortens a gradient that is too long before the optimiser makes a step of it. The [learning rate](../docs/glossary.md#learning-rate) is a third of that in lesson 00: lesson 05 shows why a vanilla RNN wants
# both.
#
# **Predict, then run.** This RNN sees each training clip ten times. What share of the validation clips will it get right?

# %% [markdown] tags=["slide", "only-slides"]
# ## Ten epochs, one seed
#
# The LSTM of lesson 00 had twelve.

# %% tags=["more", "no-code"]
history = model.fit(
    batches.bucketed(train.frames, train.label),
    validation_data=batches.bucketed(validation.frames, validation.label),
    epochs=10,
    shuffle=False,  # bucketed shuffles
    verbose=0,
    callbacks=[training.LearningCurve()],  # draws the curves
)
validation_share = history.history["val_accuracy"][-1]
score = evaluation.evaluate(model, test, lesson="03")
print(f"official test: {score}")

# %% [markdown] tags=["notes"]
# Before the training, write the LSTM's validation share of lesson 00 and the average's test score of lesson 02 on the board, and take guesses.
# Compare with the order-blind average on the same test: most classes expect the RNN to win.
# Ask what one would have to do before calling one of the two better. (More seeds, tuning, longer training; lesson 08.)

# %% [markdown]
# The RNN learns. On this page it gets 0.74 of the test clips right. The order-blind model of lesson 02 got 0.87 of the same clips. Being able to hear order is not the same as using it
# well. This was one short training from one [seed](../docs/glossary.md#seed), so it does not judge vanilla RNNs; exercise 3 improves on it.
#
# ## The path of the state
#
# What has the state learned? A state is a point with 64 coordinates, and a clip is a path of such points, one every 10 ms. `keras.Model(inputs, outputs)` may end at any
# layer, so `reader` gives the last state of every validation clip. We look at these points from the side from which they look widest (you may skip the line with `svd`).
#
# On this map we draw one path: that of the "six" that the model is most sure about. Our own loop reads it, with the trained weights. The `Dense` layer
# usually sees the last state alone. Here it answers after *every* frame.

# %%
reader = keras.Model(model.inputs, model.layers[-2].output)
ends = evaluation.predict(reader, validation.frames)  # [clips, 64]: the last states
_, _, directions = np.linalg.svd(ends - ends.mean(axis=0), full_matrices=False)
plane = directions[:2].T  # the two directions of 64 in which they spread most
to_logits, logit_bias = model.layers[-1].get_weights()
said_six = np.flatnonzero(validation.label == "6")
logits = ends @ to_logits + logit_bias  # [clips, 10]
surest = said_six[logits[said_six, 6].argmax()]
six = validation.iloc[surest]
path = read_by_hand(scale(six.frames), *model.layers[-2].get_weights())
answers = (path @ to_logits + logit_bias).argmax(axis=1)
print("answer after each frame:", "".join(str(answer) for answer in answers))

# %% [markdown] tags=["slide", "only-slides"]
# ## Where the last states lie
#
# A small digit: one clip's last state. The line: the state's path through one "six".

# %% tags=["more", "no-code", "fold"]
# @title Draw: the last states, and the path of one "six" {display-mode: "form"}
large = {"fontsize": 20, "weight": "bold", "ha": "center", "va": "center"}
axes = plt.subplots(figsize=(9, 6), layout="constrained")[1]
for word in train.label.cat.categories:
    own = (ends @ plane)[validation.label == word]
    axes.scatter(*own.T, marker=f"${word}$", s=34, linewidth=0.4)
    axes.text(*np.median(own, axis=0), word, **large)
line = path @ plane
axes.plot(*line.T, color="black", linewidth=0.8)
dots = axes.scatter(
    *line.T, c=plots.middle(len(line)), cmap=plots.COLOURS, s=22, zorder=3
)
look = {"fontsize": 12, "arrowprops": {"arrowstyle": "->"}}
axes.annotate("first", line[0], line[0] + [0.9, 1.1], **look)
axes.annotate("last", line[-1], line[-1] + [0.6, -2.6], **look)
axes.figure.colorbar(dots, ax=axes, label="time in the six (s)")
title = f'last states of the validation clips, and the path of "six" by {six.group}'
axes.set(xlabel="first direction", ylabel="second direction", title=title)
fact = "small digits are last states, large ones stand in the middle of their word's"
plots.show(axes, f"{fact}; the line is the way of one six")

# %% tags=["fold"]
# @title Draw: the same map, with a dot that moves with the sound {display-mode: "form"}
PAGE = Template("""<figure style="margin:0"><svg viewBox="0 0 900 600" width="720"
role="img" aria-label="The same map: a dot moves along the path while the sound plays">
<image href="data:image/png;base64,$map" width="900" height="600"/>
<circle r="9" transform="translate(-20,-20)" fill="#D55E00" stroke="white"/></svg>
<br>$player <label><input type="checkbox" checked> slow motion (a quarter of the speed)
</label><script>{
  const figure = document.currentScript.closest("figure");
  const get = name => figure.querySelector(name), sound = get("audio");
  const move = () => {
    sound.playbackRate = get("input").checked ? 0.25 : 1;
    const at = $times.filter(time => time <= sound.currentTime).length;
    get("circle").setAttribute("transform", "translate(" + $points[at] + ")");
    if (!sound.paused) requestAnimationFrame(move);
  };
  sound.onplay = sound.onseeked = move; }</script></figure>""")
png, player = io.BytesIO(), Audio(audio.read(six.path), rate=audio.SAMPLE_RATE)
axes.figure.savefig(png, format="png", dpi=100)
points = [0, 600] + axes.transData.transform(line) * [1, -1]  # a page counts downwards
gaps = {"points": points.tolist(), "times": plots.middle(len(line))[1:].tolist()}
gaps |= {
    "player": player._repr_html_(),
    "map": base64.b64encode(png.getvalue()).decode(),
}
HTML(PAGE.substitute(gaps))

# %% [markdown] tags=["notes"]
# Ask which words are heaped on one another, and what their sounds share. Then the warning: two directions of 64 show only part of the spread; what looks like a heap may lie
# apart behind the page. The next cell of the lesson counts it.
# Show the moving dot with sound in the notebook here, if there is time.

# %% [markdown]
# Press play, in slow motion first. The dot shows where the state is while you hear the word.  On this page the answer is "6" in
# the first hiss, turns to "8" in the vowel, and comes back to "6" only in the last hiss. (If the dot lies near another digit, remember that the map shows 2 of 64 directions.)
#
# How much does the flat map hide? For each word we average the last states of its *training* clips. How often is the nearest average to a validation clip the right one? **Predict, then
# run:** is it right less often in the plane than in all 64 dimensions?


# %%
def nearest_is_own(train_points, points):
    words = train.label.cat.categories
    averages = [train_points[train.label == word].mean(axis=0) for word in words]
    distance = np.linalg.norm(points[:, None] - averages, axis=2)
    return (distance.argmin(axis=1) == validation.label.cat.codes).mean()


train_ends = evaluation.predict(reader, train.frames)
print(f"in the plane: {nearest_is_own(train_ends @ plane, ends @ plane):.2f}")
print(f"in 64 dimensions: {nearest_is_own(train_ends, ends):.2f}; guessing: 0.10")
print(f"right by the Dense layer: {validation_share:.2f}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Your turn: a memory of three numbers
#
#     state = tanh(from_input * number + from_itself * state + offset)
#
# - Below 0 if nothing has hissed.
# - Above 0 if something has, even 300 frames ago.

# %% [markdown] tags=["notes"]
# This is exercise 2. Exercise 1 (go on from a state) first for those who are unsure. On paper: what does the state do when only zeros come in, starting from 0, from -1, from 1?
# Exercise 3 trains a model: it suits pairs, or goes home.

# %% [markdown]
# In 64 dimensions the nearest average is right as often as the `Dense` layer. In the plane it is right less often: some words are separate only in directions that the map does not show. So the last
# state is a summary of what has been heard, in a form that training has shaped for one question.
#
# ## Exercises
#
# **Exercise 1.** A microphone never stops: sound comes in pieces. Write `go_on(state, frames, kernel, recurrent_kernel, bias)`: the state after these
# frames, if `state` was the state before them.


# %% tags=["solution"]
def go_on(state, frames, kernel, recurrent_kernel, bias):
    """The last state after some more frames, [units]."""
    for frame in frames:
        state = np.tanh(frame @ kernel + state @ recurrent_kernel + bias)
    return state


# %% tags=["check"]
weights = kernel, recurrent_kernel, bias
every = read_by_hand(frames, *weights)
answer = go_on(every[0], frames[1:2], *weights)
assert answer is not None and answer is not ..., (
    "go_on should return the state after the frames: a number for each unit"
)
assert np.shape(answer) == (16,), (
    f"expected one state of 16 numbers, found shape {np.shape(answer)}"
)
assert np.abs(answer).max() <= 1, (
    "a number outside -1 to 1: the tanh goes round the whole sum, bias included"
)
from_frame, from_past = frames[1] @ kernel, every[0] @ recurrent_kernel
slips = {
    "this state knows its frame alone, or begins with zeros: where does the state "
    "before come in?": np.tanh(from_frame + bias),
    "this state knows the past alone: where does the frame come in?": (
        np.tanh(from_past + bias)
    ),
    "the bias is missing from the sum": np.tanh(from_frame + from_past),
    "the product of state and recurrent kernel is turned: which of them comes first?": (
        np.tanh(from_frame + recurrent_kernel @ every[0] + bias)
    ),
    "that is the state that was given: nothing was read": every[0],
}
for slip, state_of_slip in slips.items():
    assert not np.allclose(answer, state_of_slip, atol=1e-6), slip
assert np.allclose(answer, every[1], atol=1e-6), (
    f"after one frame it is up to {np.abs(answer - every[1]).max():.2g} from the state "
    "of read_by_hand: compare with the rule, term by term"
)
several = go_on(every[9], frames[10:20], *weights)
assert not np.allclose(several, every[10], atol=1e-6), (
    "that is the state after the FIRST of ten frames"
)
assert not np.allclose(several, read_by_hand(frames[10:20], *weights)[-1], atol=1e-6), (
    "the second piece began from zeros: where does the given state go in?"
)
assert np.allclose(several, every[19], atol=1e-6), (
    "right for one frame, wrong for ten: which state goes into the next step?"
)
random = np.random.default_rng(4)
small = [random.normal(size=size) for size in ([3, 5], [5, 5], [5])]
sound = random.normal(size=[7, 3])
begin = np.zeros(5)
try:
    found = go_on(go_on(begin, sound[:4], *small), sound[4:], *small)
except (ValueError, IndexError):
    found = np.nan
assert np.allclose(found, read_by_hand(sound, *small)[-1]), (
    "right for this layer, wrong for another one: use the arguments, no other name"
)
assert not begin.any(), "the state that was given has changed: make a new array"
whole = every[-1]
joined = go_on(every[len(frames) // 2 - 1], frames[len(frames) // 2 :], *weights)
restart = read_by_hand(frames[-2:], *weights)[-1]
print(f"cut in two or whole: {np.abs(joined - whole).max():.0e} apart")
print(f"last two frames from zeros instead: {np.abs(restart - whole).max():.2f} apart")

# %% [markdown]
# If you keep the state, you can throw the past away. In Keras this is `last_only(frames[None], initial_state=state[None])`; each `[None]` makes a batch of one.
#
# **Exercise 2.** Build a memory by hand. One unit reads one number a frame: 1 where the frame hisses, 0 where it does not. Choose three numbers, `from_input`,
# `from_itself` and `offset`, so that in
#
#     state = tanh(from_input * number + from_itself * state + offset)
#
# the state ends below 0 if nothing has hissed, and above 0 if something has, even 300 frames ago. First let only zeros come in. With `from_itself` at most 1,
# the states from -1 and from 1 move towards the same place, and the hiss is forgotten. Above 1 there can be two places to stay, one below 0 and one above. Choose a negative `offset`, so that the state goes
# from 0 to the lower one. Keep it small: too far below 0, and the upper place is gone. Then choose `from_input` large enough to lift the state to the upper one.


# %%
def ends_at(numbers, from_input, from_itself, offset):
    weights = np.array([[from_input]]), np.array([[from_itself]]), np.array([offset])
    return read_by_hand(np.array(numbers)[:, None], *weights)[-1, 0]


print(f"all three 1, after one hiss: {ends_at([1], 1, 1, 1):.3f}")

# %% tags=["solution"]
from_input, from_itself, offset = 4.0, 2.0, -0.3

# %% tags=["check"]
given = (from_input, from_itself, offset)
assert all(isinstance(value, (int, float, np.number)) for value in given), (
    "from_input, from_itself, offset: three plain numbers"
)
zeros = [0] * 300
quiet, late, early = (
    ends_at(numbers, *given) for numbers in (zeros, zeros + [1], [1] + zeros)
)
assert quiet < 0, (
    f"300 zeros end at {quiet:.2f}, not below 0: "
    "which of the three acts on a state of 0?"
)
assert late > 0, (
    f"300 zeros and a 1 end at {late:.2f}: one hiss must outweigh the state before it"
)
assert early > 0, (
    f"a 1, then 300 zeros end at {early:.2f}: what keeps a state up when zeros come in?"
)
assert ends_at(zeros + [1] + zeros, *given) > 0, (
    "a hiss after a long silence is forgotten: how far up does one hiss lift the state?"
)
assert ends_at([1] + [0] * 5_000, *given) > 0, (
    "it fades in the end: follow the state on paper, from one zero to the next"
)
assert ends_at([1, 0, 1, 1] + zeros, *given) > 0, (
    "a second hiss undoes the first: what does a 1 add to a state that is up?"
)
for length in [1, 2, 3, 51]:
    assert ends_at([0] * length, *given) < 0, (
        "after a shorter silence the state is not below 0: does it change sides?"
    )
random = np.random.default_rng(2)
for share_of_hisses in [0.01, 0.1, 0.5, 0.9]:
    heard_before = (random.random(300) < share_of_hisses).astype(int)
    heard_before[int(random.integers(300))] = 1
    assert ends_at(heard_before, *given) > 0, (
        "after hisses at random places the state is not above 0: draw a few on paper"
    )


def hisses(frames):
    """1 for a frame louder above 2,000 Hz than below, and loud there for its clip."""
    above = audio.band_centres() > 2_000
    upper, lower = frames[:, above].mean(axis=1), frames[:, ~above].mean(axis=1)
    return ((upper > lower) & (upper > upper.mean())).astype(int)


for word in train.label.cat.categories:
    own = validation.frames[validation.label == word]
    memory = [ends_at(hisses(scale(one)), *given) > 0 for one in own]
    print(f'"{word}": your unit remembers a hiss in {np.mean(memory):.0%} of the clips')

# %% [markdown]
# One unit, three numbers, and it remembers for as long as you like. (The last lines that the check prints use a rough rule for the hisses of real words: more energy above 2,000 Hz
# than below.) A trained RNN has to *find* such weights. Why that is hard is the subject of lesson 05.
#
# **Exercise 3.** Build, train, beat this number. Make `my_model`, a vanilla RNN of your own in Keras, with at most 20,000 parameters, that is right on at least a
# tenth more validation clips than the lesson's: `1.1 * validation_share`. Count first: how many units fit? (`count` counts the RNN layer only; `Dense` adds 10 for each unit, and 10 more.) Ideas: `recurrent_initializer="identity"`, which begins by copying the state; 25 epochs
# (the accuracy goes up and down, so a few more are not always better); more units; two `SimpleRNN` layers, the first with `return_sequences=True`. Change one thing at a time. A training of
# 25 epochs takes about fifteen seconds.

# %% tags=["solution"]
keras.utils.set_random_seed(0)
my_model = keras.Sequential(
    [
        keras.Input([None, 40]),
        keras.layers.Masking(batches.PADDING),
        keras.layers.Rescaling(1 / 4, offset=5 / 4),
        keras.layers.SimpleRNN(96, recurrent_initializer="identity"),
        keras.layers.Dense(10),
    ],
    name="my_rnn",
)
my_model.compile(
    optimizer=keras.optimizers.Adam(1e-3, global_clipnorm=1.0),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
my_batches = batches.bucketed(train.frames, train.label)
my_history = my_model.fit(my_batches, epochs=15, shuffle=False, verbose=0)

# %% tags=["check"]
assert isinstance(my_model, keras.Model), (
    "my_model should be a Keras model, built and trained"
)
kinds = {type(layer).__name__ for layer in my_model.layers}
assert "SimpleRNN" in kinds, (
    "the model has no SimpleRNN layer: the task is a vanilla RNN"
)
gated = kinds & {"LSTM", "GRU", "Bidirectional"}
assert not gated, f"{', '.join(gated)}: that would win, but the task is a vanilla RNN"
assert my_model.count_params() <= 20_000, (
    f"{my_model.count_params():,} parameters, 20,000 at most: units times units grows "
    "faster than the units"
)
for row in [train.seconds.idxmin(), train.seconds.idxmax()]:
    one = train.frames[row]
    try:
        shape = tuple(my_model(one[None]).shape)
    except Exception as error:
        raise AssertionError(
            f"the model cannot read a clip of {len(one)} frames: is the number of frames "
            f"in keras.Input None? ({type(error).__name__})"
        )
    assert shape == (1, 10), (
        f"expected ten logits for a clip, [1, 10], found {list(shape)}"
    )
evaluation.check_mask(my_model, batches.pad(list(validation.frames[:8])))
mine = evaluation.evaluate(my_model, validation).accuracy
assert mine >= 1.1 * validation_share, (
    f"right on {mine:.3f} of the validation clips, {1.1 * validation_share:.3f} needed. "
    "Was it trained? Is the training accuracy still rising? Does it get better with "
    "another start of the recurrent kernel?"
)
print(f"{mine:.3f} with {my_model.count_params():,} parameters: well done")
print(f"the lesson's model: {validation_share:.3f} with {model.count_params():,}")

# %% [markdown]
# ## Take it home
#
# The whole lesson in one cell, without `course_lib`: paste it into a project of your own. It needs two names. Here they come from 300 training clips.

# %%
few = train.sample(300, random_state=0)
sounds, labels = list(few.frames), few.label.cat.codes.to_numpy()

# %% tags=["recipe"]
# Needs `sounds`, a list of log-mel arrays [frames, 40], and `labels`, an array of ints.
import keras
import numpy as np

keras.utils.set_random_seed(0)
PADDING = -1000.0  # a value that no real frame has
longest = max(len(sound) for sound in sounds)
padded = np.full([len(sounds), longest, 40], PADDING, "float32")
for padded_row, sound in zip(padded, sounds):
    padded_row[: len(sound)] = sound

model = keras.Sequential()
model.add(keras.Input([None, 40]))
model.add(keras.layers.Masking(PADDING))
model.add(keras.layers.Rescaling(1 / 4, 5 / 4))
model.add(keras.layers.SimpleRNN(64))
model.add(keras.layers.Dense(int(labels.max()) + 1))
optimizer = keras.optimizers.Adam(0.001, global_clipnorm=1.0)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer, loss, metrics=["accuracy"])
order = np.random.default_rng(0).permutation(len(sounds))  # fit takes the last fifth
padded, labels = padded[order], labels[order]
history = model.fit(padded, labels, validation_split=0.2, epochs=20, verbose=0)
print("validation accuracy:", round(history.history["val_accuracy"][-1], 2))

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz
#
# 1. Clips twice as long: how many more parameters?
# 2. The last frame is replaced: which states change?
# 3. Why does the chain begin with zeros?

# %% [markdown] tags=["notes"]
# Right are 1 B, 2 C, 3 A. The choices stand in the notebook and on the quiz sheet. If many say "all states" to question 2, go back to the picture of the replaced frame and ask
# for the arrow that leads back.

# %% [markdown]
# (This model learned from 240 clips only, so it is right less often than the lesson's.)
#
# **You have seen**
# - the recurrence in seven lines of NumPy, with the same numbers as `keras.layers.SimpleRNN`;
# - the shapes of one step, the count of the weights, and clips of any length read with them;
# - a vanilla RNN trained in Keras, and its state moving while a word is said.
#
# <details><summary>With the synthetic stand-in voices</summary>The course uses them when the recordings are not there. There are fewer clips of them, so ten epochs get about six validation
# clips in ten right. The map and the path look different, and the "six" may be taken for other digits on its way.</details>
#
# ## Quiz
#
# Answer first, then open.
#
# **1. A vanilla RNN with 32 units reads clips of 40 bands. You give it clips that are twice as long. How many more parameters
# does it need?**
#
# <details><summary>A. Twice as many, one set for each frame</summary>No: every frame goes through the same kernel and every state through the same recurrent kernel. The picture repeats them, the layer holds them once.</details>
# <details><summary>B. None</summary>Yes: the parameters belong to the rule. It is applied more often, and that costs time, not parameters.</details>
# <details><summary>C. 32 × 32 more, for the longer past</summary>No: the recurrent kernel has 32 × 32 weights for ONE step back, and is used again at every step.</details>
#
# **2. The last frame of a clip is replaced. Which states change?**
#
# <details><summary>A. All of them, because the units are connected to each other</summary>No: they are connected from one step to the NEXT. No arrow leads back in time.</details>
# <details><summary>B. None: the state is made of the states before</summary>No: it is made of the state before AND of its own frame.</details>
# <details><summary>C. The last state alone</summary>Yes: only the last state comes at or after that frame. We read the answer there, so the answer may change.</details>
#
# **3. Why does the chain begin with zeros?**
#
# <details><summary>A. Nothing has been heard yet: zeros remove the second term, and the first state is that of its frame alone</summary>Yes: zeros @ recurrent_kernel is zeros. Another beginning is allowed, and exercise 1 used one.</details>
# <details><summary>B. A state of zeros means silence</summary>No: silence is a FRAME, with very negative log energies. The state is the network's own, and its numbers measure nothing outside it.</details>
# <details><summary>C. The network would not run from any other state</summary>No: <code>initial_state</code> takes any numbers. Exercise 1 began its second piece in the middle of a clip.</details>
#
# **Touch it.** On [the page that listens](../docs/live/index.html), a slider makes the recurrent weights larger or smaller: watch the state explode, or die away.
#
# Next: [04 Clips of many lengths](04_clips_of_many_lengths.ipynb). All lessons: [README](../README.md).
#
# *Recordings in this notebook: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
