# %% [markdown]
# # 03 · The vanilla RNN, by hand
#
# The average of lesson 02 was blind to order. A recurrent network reads one frame after another and carries a few numbers
# along, its [*state*](../docs/glossary.md#state). What is in these numbers, how are they made, and why can the same weights read a clip of any length?
#
# **You will**
# - write the recurrence in six lines of NumPy, and find the same numbers as `keras.layers.SimpleRNN`;
# - follow the shapes through every step, count the weights, and read clips of different lengths with the same ones;
# - train a small vanilla RNN, watch its state move while the sound plays, and see where it ends.
#
# **Minutes:** 45, of which the computer takes about a quarter of one. **You need:** lessons 00 to 02, and what a Keras `Dense` layer is.

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
import json
from html import escape
from string import Template

import keras
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Audio

from course_lib import audio, batches, data, evaluation, models, plots, training

# %% [markdown]
# ## A clip to read
#
# The clips come in the three parts of lesson 00. Everything below looks at training and validation clips; the test waits
# for one number near the end.

# %%
train, validation, test = data.load_parts("digits")

# %% [markdown]
# A network learns best from small numbers around zero. Log energies are mostly below it, so the models of this
# course begin with a fixed shift and a fixed factor, the same for all clips and bands: plus 5, then divided by 4. Here they are by hand, on one "six".


# %%
def scale(frames):
    """Log-mel frames on the scale that the models of this course read."""
    return (frames - models.TYPICAL_LOG_MEL) / models.SPREAD_LOG_MEL


sixes = validation[validation.label == "6"]
clip = sixes.loc[(sixes.seconds - 0.487).abs().idxmin()]  # of about half a second
frames = scale(clip.frames)
print(f"before: from {clip.frames.min():.1f} to {clip.frames.max():.1f}")
print(
    f"scaled: from {frames.min():.1f} to {frames.max():.1f}; "
    f"[frames, bands] = {list(frames.shape)}"
)

# %% [markdown]
# ## One rule, applied again and again
#
# A *recurrent neural network* (RNN) keeps a row of numbers: its *state*. Each number belongs to one [*unit*](../docs/glossary.md#unit). For every frame
# it makes a new state from two things: the frame that comes in, and the state that was there before. The plainest such
# network, the [*vanilla* RNN](../docs/glossary.md#vanilla-rnn) (after Elman 1990), has this rule (`tanh` squeezes every number into -1 to 1; a section below asks why):
#
#     new state = tanh(frame @ kernel + state @ recurrent_kernel + bias)
#
# The words are Keras's. If you take the middle term away, a `Dense` layer with `activation="tanh"` is left. Keras has the rule as `SimpleRNN`. Build
# one with 16 units and random weights, and look at what it holds. (Keras starts the [biases](../docs/glossary.md#bias) at 0; here they are random, too,
# so that a forgotten bias would show.) `build` makes the weights, for any batch, any number of frames and 40 bands;
# `return_sequences=True` asks for the state after every frame.

# %% [markdown] tags=["slide", "only-slides"]
# ## One rule, again and again
#
#     new state = tanh(frame @ kernel + state @ recurrent_kernel + bias)

# %% tags=["more"]
keras.utils.set_random_seed(1)
layer = keras.layers.SimpleRNN(
    16, return_sequences=True, bias_initializer="random_normal"
)
layer.build([None, None, audio.N_MELS])
kernel, recurrent_kernel, bias = layer.get_weights()
names = ["kernel", "recurrent_kernel", "bias"]
for name, weights in zip(names, layer.get_weights()):
    print(f"{name:>16} {list(weights.shape)}")

# %% [markdown] tags=["notes"]
# Cover the middle term with your hand: what is left? A Dense layer with tanh. Everything new in this lesson is the term under the hand.
# Before the shapes appear, ask for them: 40 bands come in, 16 units go out. Who can give the shape of the recurrent kernel, and why is it square?

# %% [markdown]
# - `kernel`, a row for each band and a column for each unit: what each unit makes of the FRAME.
# - `recurrent_kernel`, a row and a column for each unit: what each unit makes of the STATE one frame earlier, its own number and all
#   the others'. This matrix is the only way by which the past comes in.
# - `bias`, a number for each unit that is added whatever comes in.
#
# Now the rule, in six lines.

# %% [markdown] tags=["slide", "only-slides"]
# ## The rule, in six lines


# %% tags=["more"]
def read_by_hand(frames, kernel, recurrent_kernel, bias):
    """The state after each frame, [frames, units]."""
    state = np.zeros(len(bias))
    states = []
    for frame in frames:
        state = np.tanh(frame @ kernel + state @ recurrent_kernel + bias)
        states.append(state)
    return np.array(states)


states = read_by_hand(frames, kernel, recurrent_kernel, bias)
print("[frames, bands]", list(frames.shape), "→ [frames, units]", list(states.shape))

# %% [markdown] tags=["notes"]
# Ask somebody to read the loop aloud in words. Two questions: what is the state before the first frame? And where in these lines does the LENGTH of the clip stand? (Nowhere but
# in the loop.)

# %% [markdown]
# Is that all that `SimpleRNN` does? Ask it. It expects a batch, so the clip goes in as a batch of one.

# %% tags=["more", "no-code"]
by_keras = keras.ops.convert_to_numpy(layer(frames[None]))[0]
np.testing.assert_allclose(states, by_keras, atol=1e-5)
print(
    f"{states.size} numbers, the largest difference "
    f"{np.abs(states - by_keras).max():.0e}"
)

# %% [markdown]
# ### The shapes of one step
#
# Frame 20 of the clip, and the state that frames 0 to 19 have left. Both terms must end as one number for each unit, or they
# could not be added.

# %%
frame, state = frames[20], states[19]
steps = {
    "frame": frame,
    "frame @ kernel": frame @ kernel,
    "state": state,
    "state @ recurrent_kernel": state @ recurrent_kernel,
    "tanh(the sum of both and the bias)": np.tanh(
        frame @ kernel + state @ recurrent_kernel + bias
    ),
}
for name, values in steps.items():
    print(
        f"{name:>34} {list(values.shape)}  from "
        f"{values.min():+.2f} to {values.max():+.2f}"
    )

# %% [markdown]
# ## Unrolled
#
# Lay the steps side by side, each above its frame, and the loop becomes a chain. This is the picture that books call the
# [*unrolled* network](../docs/glossary.md#unrolled). Here it stands on the first six frames of the "six".

# %% [markdown] tags=["slide", "only-slides"]
# ## Unrolled
#
# Two arrows into each state. How many different matrices?

# %% tags=["more", "no-code"]
shown, times = 6, plots.middle(7)
axes = plt.subplots(figsize=(11, 5.2), layout="constrained")[1]
plots.log_mel(
    clip.frames[:shown], axes=axes, title="the RNN unrolled over the first six frames"
)
centred = {"ha": "center", "va": "center"}
look = {**centred, "bbox": {"boxstyle": "round,pad=0.5", "facecolor": "white"}}
arrow = {"arrowstyle": "->", "linewidth": 1.5, "shrinkA": 0, "shrinkB": 30}
axes.annotate("zeros", (times[0], 64), (times[0] - 0.01, 64), arrowprops=arrow, **look)
axes.text(times[shown] - 0.001, 64, "…", fontsize=16, **centred)
for number, (here, following) in enumerate(zip(times[:shown], times[1:])):
    axes.annotate(
        f"state {number}", (following, 64), (here, 64), arrowprops=arrow, **look
    )
    axes.annotate(f"frame {number}", (here, 67), (here, 45), arrowprops=arrow, **look)
    axes.text(here + 0.0003, 53, "kernel", va="center", fontsize=9)
    axes.text(here - 0.005, 67, "recurrent\nkernel", ha="center", fontsize=8)
axes.set(ylim=(-0.5, 75), xlim=(times[0] - 0.013, times[shown] + 0.001))
fact = "each has an arrow from its own frame and one from the state before"
plots.show(axes, f"{shown} states in a chain: {fact}")

# %% [markdown] tags=["notes"]
# Let them count: twelve arrows enter the six states, and there are two matrices. The picture repeats them, the layer holds them once.
# Ask which arrow would have to be cut so that a Dense layer is left.

# %% [markdown]
# Two arrows enter each state: one from its frame, through `kernel`, and one from the state before, through
# `recurrent_kernel`. They are the same two matrices at every step. Nothing in the picture depends on how many columns the
# clip has.
#
# The chain begins with *zeros*: before the first frame there is nothing to remember. So the first state knows its frame
# alone, as a `Dense` layer would.

# %%
dense = np.tanh(frames[0] @ kernel + bias)
np.testing.assert_allclose(states[0], dense, atol=1e-6)
dense_next = np.tanh(frames[1] @ kernel + bias)
print(
    "state 0 and a Dense layer on frame 0: at most "
    f"{np.abs(states[0] - dense).max():.0e} apart"
)
print(
    "state 1 and a Dense layer on frame 1: up to "
    f"{np.abs(states[1] - dense_next).max():.2f} apart"
)

# %% [markdown]
# ## Why tanh?
#
# The hyperbolic tangent bends any number into the range from -1 to 1; around zero it leaves it nearly as it is. **Predict,
# then run.** The same rule reads the same clip without it. How large does the largest number in the state become: about 1,
# 10, 100?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: the same rule without tanh
#
# Same weights, same clip, nothing that squeezes.
#
# **The largest number in the state: about 1, 10 or 100?**

# %% [markdown] tags=["notes"]
# Three corners of the room for 1, 10 and 100, or hands. Ask one person of each group for the reason.

# %% [markdown] tags=["slide", "only-slides"]
# ## With and without


# %% tags=["more", "no-code"]
def largest(squash):
    """The largest size of a number in the state, after each frame."""
    state, sizes = np.zeros(len(bias)), []
    for frame in frames:
        state = squash(frame @ kernel + state @ recurrent_kernel + bias)
        sizes.append(np.abs(state).max())
    return sizes


sizes = {"with tanh": largest(np.tanh), "without": largest(lambda sums: sums)}
figure = plots.under_frames(
    clip.frames, sizes, unit="largest number", title="the state with and without tanh"
)
reached = {name: max(values) for name, values in sizes.items()}
plots.show(
    figure,
    f"with tanh the largest is {reached['with tanh']:.2f}, without it "
    f"{reached['without']:.1f}",
)

# %% [markdown] tags=["notes"]
# It does not run away here: these weights add and take away. With larger weights it can grow at every frame.
# Then the second reason for tanh, which no picture shows: without it the whole chain is one weighted sum, and "this, but only if that came before" cannot be said.

# %% [markdown]
# Every step adds something, and without a bound the sum goes where its terms carry it; with larger weights it can grow with
# every frame. [Tanh](../docs/glossary.md#tanh) keeps each number between -1 and 1, however long the clip. And it does a second thing: without it each step
# would be a sum of products, a chain of such steps is again a sum of products, and the last state would be a weighted sum of
# all frames. Such a network cannot say "this, but only if that came before".
#
# ## All states, or the last?
#
# `return_sequences=True` gave a state for each frame. Without it, the layer gives one row. **Predict, then run:** is it the last
# state, or something new, such as the average of all states?

# %%
last_only = keras.layers.SimpleRNN(16)
last_only.build([None, None, audio.N_MELS])
last_only.set_weights(layer.get_weights())
last = keras.ops.convert_to_numpy(last_only(frames[None]))[0]
np.testing.assert_allclose(last, states[-1], atol=1e-5)
print(
    "return_sequences=True: [batch, frames, units] =", list(layer(frames[None]).shape)
)
print("return_sequences=False: [batch, units] =", list(last_only(frames[None]).shape))
print(
    "the last of all states and the last state: at most "
    f"{np.abs(last - states[-1]).max():.0e} apart"
)

# %% [markdown]
# It is the last row, and nothing else. Why read the answer there? **Predict, then run.** One frame in the middle of the clip
# is replaced by another. Which states change: that one, those before it, those after it, all?

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
difference = np.abs(other_states - states).max(axis=1)
figure = plots.under_frames(
    clip.frames,
    {"change": difference},
    unit="largest change",
    title="one frame is replaced",
)
first = int(np.flatnonzero(difference)[0])
before = np.count_nonzero(difference[:place])
after = np.count_nonzero(difference[place:])
at_first, at_last = difference[place], difference[-1]
fact = f"{before} states before frame {place} change, and {after} from it on"
plots.show(figure, f"{fact}: by {at_first:.2f} there, by {at_last:.0e} at the end")

# %% [markdown] tags=["notes"]
# Who drew anything before the frame? Who drew a curve that stays up to the end? Both are worth a word: nothing before, and the trace fades.
# "Has had news of" is not "remembers well": leave the fading for lesson 05.

# %% [markdown]
# Time runs one way: a state knows its own frame and all before it, and nothing of what comes. Only the LAST state has had
# news of every frame. That is why the models of this course put their `Dense` layer there, until lesson 09 tries
# other places.
#
# "Has had news of" is not "remembers well". Look at how the change moves after the replaced frame. How long a trace lasts is
# the question of lesson 05.
#
# ## Any length, one set of weights
#
# The shortest and the longest training clip go through the layer that read the "six". **Predict, then run:** does
# the layer hold more weights afterwards?

# %% [markdown] tags=["slide", "only-slides"]
# ## Any length, one set of weights
#
# The shortest and the longest training clip, the same layer.
# **Does it hold more weights afterwards?**

# %% tags=["more", "no-code"]
held = layer.count_params()
rows = {"shortest": train.seconds.idxmin(), "longest": train.seconds.idxmax()}
for name, row in rows.items():
    other = scale(train.frames[row])
    shape = list(layer(other[None]).shape)
    by_dense = f"a Dense layer on it all: {other.size * 16:,} weights"
    print(f"{name}: {list(other.shape)} → {shape}; {by_dense}")
assert layer.count_params() == held
assert held == sum(weights.size for weights in layer.get_weights())
print(f"the RNN holds {layer.count_params()} numbers, as before")

# %% [markdown] tags=["notes"]
# Hands before you point at the last line. Then count on the board: bands times units, units times units, units.
# Ask: twice the units, how many times the parameters? (More than twice: the square.)

# %% [markdown]
# A `Dense` layer on the whole clip would need weights for each frame, and could not take a clip that is one frame longer. The
# RNN's weights belong to the RULE, not to the frames.
#
# ## Count them
#
# [*Parameters*](../docs/glossary.md#parameter) are all numbers that training may change, weights and biases. Each unit has a weight for each band, a weight for each
# unit, and a bias. So count them for a layer of `units` units:


# %%
def count(bands, units):
    """The parameters of a vanilla RNN layer: kernel, recurrent kernel, bias."""
    return bands * units + units * units + units


assert count(audio.N_MELS, 16) == layer.count_params()
for units in [16, 32, 64, 128]:
    past = units * units / count(audio.N_MELS, units)
    print(
        f"{units:>4} units: {count(audio.N_MELS, units):>6,} parameters, "
        f"{past:.0%} of them for the past"
    )

# %% [markdown]
# Twice the units need more than twice the parameters: the recurrent [kernel](../docs/glossary.md#kernel) grows with the square.
#
# ## Train one
#
# Random weights make a random state. So let one learn: 64 units, then a `Dense` layer that makes ten logits of the last
# state. Count first.

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: a vanilla RNN learns
#
# - 64 units, then ten logits from the last state.
# - Ten passes; the LSTM of lesson 00 had eight.
#
# **What share of the validation clips will be right?**

# %% tags=["more", "no-code"]
keras.utils.set_random_seed(0)
model = models.rnn(train.label.nunique())
by_count = count(audio.N_MELS, 64) + 64 * 10 + 10
assert by_count == model.count_params()
print(f"{by_count:,} parameters: {', '.join(layer.name for layer in model.layers)}")

# %% [markdown] tags=["notes"]
# Write the LSTM's validation share of lesson 00 and the average's test score of lesson 02 on the board, then take guesses. Start the training cell: it takes about five seconds.

# %% [markdown]
# `mask` and `scale` have none. The mask makes the RNN skip the padding, so that its last state is the one after the clip's
# last real frame; lesson 04 is about nothing else.
#
# **Predict, then run.** In lesson 00 an LSTM saw every training clip eight times. This RNN sees them ten times. What share of
# the validation clips will it get right? The next cell takes about five seconds.

# %% [markdown] tags=["slide", "only-slides"]
# ## Ten epochs, one seed

# %% tags=["more", "no-code"]
history = training.fit(
    model,
    train=batches.bucketed(train.frames, train.label),
    validation=batches.bucketed(validation.frames, validation.label),
    epochs=10,
    learning_rate=1e-3,
)
share = history.history["val_accuracy"][-1]
print(
    f"after the last epoch, right about {share:.1%} "
    "of the validation clips; guessing: 10%"
)

# %% [markdown]
# A short training: it is here so that the state means something. Lesson 05 asks why a vanilla RNN is hard
# to train. (Its steps are smaller than in lesson 00: the [learning rate](../docs/glossary.md#learning-rate) is a third of that.) For the table, its score on the official test:

# %% tags=["more", "no-code"]
score = evaluation.evaluate(model, test)
evaluation.Results().add(
    lesson="03",
    model=model.name,
    data=train.source.iloc[0],
    split="official",
    score=score,
    parameters=model.count_params(),
)
print(f"ten epochs, one seed, the official test: {score}")

# %% [markdown] tags=["notes"]
# Compare with the order-blind average on the same test: most classes expect the RNN to win. To be able to hear order is not yet to make good use of it.
# Ask what one would have to do before calling one of the two better. (More seeds, longer training; lesson 08.)

# %% [markdown]
# One training from one [seed](../docs/glossary.md#seed), cut short: take it for a rough mark. Compare it with the order-blind average of lesson 02 on the
# same test. To be able to hear order is not yet to make good use of it.
#
# ## The path of the state
#
# The six lines work with trained weights as well. They give the states of the "six", and the last one, through the `Dense`
# layer, is the model's answer, right or wrong.

# %%
trained = model.get_layer("rnn").get_weights()
states = read_by_hand(frames, *trained)
to_logits, logit_bias = model.get_layer("logits").get_weights()
logits = states[-1] @ to_logits + logit_bias
np.testing.assert_allclose(
    logits, evaluation.predict(model, [clip.frames])[0], atol=1e-4
)
heard = train.label.cat.categories[logits.argmax()]
print(f"states {list(states.shape)}, logits {list(logits.shape)}; the answer: {heard}")

# %% [markdown]
# A state is a point with 64 coordinates, and a clip is a path of such points, one every 10 ms. To draw the path, look at it
# from the side from which it looks widest: the two directions in which the states of many clips spread most. They are the
# first two *principal components*, and `np.linalg.svd` finds them. Here they come from the states of one validation clip for
# each word and voice.


# %%
def widest_plane(points):
    """The centre, the two widest directions [units, 2], and the share they show."""
    centre = points.mean(axis=0)
    _, spread, directions = np.linalg.svd(points - centre, full_matrices=False)
    return centre, directions[:2].T, (spread[:2] ** 2).sum() / (spread**2).sum()


chosen = validation.groupby(["label", "group"], observed=True).head(1)
every_state = np.concatenate(
    [read_by_hand(scale(one), *trained) for one in chosen.frames]
)
centre, plane, shown = widest_plane(every_state)
path = (states - centre) @ plane
print(
    f"{list(every_state.shape)} states of {len(chosen)} clips → path {list(path.shape)}"
)
print(f"two directions of 64 show {shown:.0%} of the spread")

# %% [markdown]
# The grey points are the states of all these clips; the line is the "six", from its first state to its last.

# %%
cloud = (every_state - centre) @ plane
axes = plt.subplots(figsize=(8, 5), layout="constrained")[1]
axes.scatter(*cloud.T, s=4, color="lightgrey")
axes.plot(*path.T, color="black", linewidth=0.7)
dots = axes.scatter(*path.T, c=plots.middle(len(path)), cmap=plots.COLOURS, zorder=2)
for name, number in {"first": 0, "last": -1}.items():
    axes.annotate(
        name,
        path[number],
        path[number] - [1.6, 1],
        fontsize=12,
        arrowprops={"arrowstyle": "->"},
    )
axes.figure.colorbar(dots, ax=axes, label="time (s)")
axes.set(
    xlabel="first direction",
    ylabel="second direction",
    title=f'the state\'s path through "six", {clip.group}',
)
moved = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
straight = np.linalg.norm(path[-1] - path[0])
plots.show(
    axes,
    f"in this plane the path is {moved:.1f} long, "
    f"and its ends are {straight:.1f} apart",
)

# %% [markdown]
# Now play it. The dot is where the state is while you hear the sound. (A clip of half a second is short: play it again and
# again, and watch one part of the word at a time.) The first of the two cells only draws: it is a web page's code.

# %%
MOVING_DOT = Template("""
<figure style="margin:0"><figcaption>$title: press play, and follow the dot</figcaption>
<svg viewBox="0 0 500 320" width="500" role="img" aria-label="$title"
style="background:#fff; display:block">
<polyline points="$path" fill="none" stroke="#0072B2" stroke-width="2"/>
<circle r="7" cx="-20" cy="-20" fill="#D55E00"/></svg>
$player
<script>{
  const figure = document.currentScript.closest("figure");
  const sound = figure.querySelector("audio"), dot = figure.querySelector("circle");
  const points = $points, times = $times;
  const move = () => {
    const at = times.filter(time => time <= sound.currentTime).length - 1;
    const [x, y] = points[Math.max(0, at)];
    dot.setAttribute("cx", x); dot.setAttribute("cy", y);
    if (!sound.paused) requestAnimationFrame(move);
  };
  for (const event of ["play", "seeked", "pause", "ended"])
    sound.addEventListener(event, move);
}</script></figure>""")


def moving_state(points, waveform, *, title):
    """The path of points [frames, 2], and a dot that moves on it with the sound."""
    spread = points.max(axis=0) - points.min(axis=0)
    scaled = (20 + (points - points.min(axis=0)) / spread * [460, 260]).round(1)
    scaled[:, 1] = (300 - scaled[:, 1]).round(1)  # a web page counts downwards
    return HTML(
        MOVING_DOT.substitute(
            title=escape(title),
            path=" ".join(f"{x},{y}" for x, y in scaled),
            points=json.dumps(scaled.tolist()),
            times=json.dumps(plots.middle(len(points)).round(4).tolist()),
            player=Audio(waveform, rate=audio.SAMPLE_RATE)._repr_html_(),
        )
    )


# %%
print(f"{len(path)} points in {len(path) * 0.01:.2f} s, the plane of the picture above")
moving_state(path, audio.read(clip.path), title=f'"six", {clip.group}')

# %% [markdown]
# **Predict, then run.** When does the state move fast: in the hisses, in the vowel, in the silence, or where one gives way to
# the next? The line is the distance in all 64 dimensions from each state to the next.

# %%
speed = np.linalg.norm(
    np.diff(states, axis=0, prepend=np.zeros_like(states[:1])), axis=1
)
figure = plots.under_frames(
    clip.frames, {"distance": speed}, unit="distance", title="how far the state moves"
)
fastest = int(speed[8:].argmax()) + 8
when = plots.middle(len(speed))[fastest]
start = f"the state leaves zero with steps of up to {speed[:8].max():.1f}"
later = f"later it moves farthest, {speed[fastest]:.1f}, at {when:.2f} s"
plots.show(figure, f"{start}; {later}; its median step is {np.median(speed):.1f}")

# %% [markdown]
# The first steps are long because the state comes from zeros; the first eight are left out of the search for the largest. Find
# that step's time in the upper picture: what begins or ends there? One clip is one clip; is
# it so for others? If sounds that change move the state, then frames that differ much from the frame before should be those
# with long steps. A correlation over many clips says how much of that is true.


# %%
def correlation(frames):
    """How alike two curves are: the change of the frame, and the step of the state."""
    change = np.linalg.norm(np.diff(frames, axis=0), axis=1)
    moves = np.linalg.norm(np.diff(read_by_hand(frames, *trained), axis=0), axis=1)
    return np.corrcoef(change, moves)[0, 1]


each = np.array([correlation(scale(one)) for one in chosen.frames])
low, high = np.quantile(each, [0.05, 0.95])
print(
    f"{len(each)} clips: median correlation {np.median(each):.2f}; nine in ten lie "
    f"from {low:.2f} to {high:.2f}"
)

# %% [markdown]
# 1 would mean that the length of a step is in proportion to the frame's change; 0, that one tells nothing in a straight line about the other. Three
# things part them: the kernel weighs some bands more than others, tanh flattens large sums, and the second arrow: where a state goes
# depends on where it was.
#
# ## What the last state holds
#
# The `Dense` layer sees one point for each clip. If training did anything, clips of one word should end near each other.
# `keras.Model` can end at any layer, so this one gives last states.

# %%
reader = keras.Model(model.input, model.get_layer("rnn").output)
ends = evaluation.predict(reader, validation.frames)
centre, plane, shown = widest_plane(ends)
print(
    f"last states {list(ends.shape)}; two directions show {shown:.0%} of their spread"
)

# %% [markdown] tags=["slide", "only-slides"]
# ## Where the last states lie
#
# A small digit: one clip's last state. Which words share a place?


# %% tags=["more", "no-code"]
def draw_ends(axes, points, labels, title):
    """A small digit for each clip's last state, a large one amid each word's."""
    large = {"fontsize": 20, "weight": "bold", "ha": "center", "va": "center"}
    for word in labels.cat.categories:
        own = points[labels == word]
        axes.scatter(*own.T, marker=f"${word}$", s=34, linewidth=0.4)
        axes.text(*np.median(own, axis=0), word, **large)
    axes.set(xlabel="first direction", ylabel="second direction", title=title)


figure, axes = plt.subplots(figsize=(9, 6), layout="constrained")
title = "where the last states of the validation clips lie"
draw_ends(axes, (ends - centre) @ plane, validation.label, title)
plots.show(
    axes, f"{len(ends)} clips of ten words; the plane shows {shown:.0%} of the spread"
)

# %% [markdown] tags=["notes"]
# Ask which words are heaped on one another, and what their sounds share. Then the warning: two directions of 64 show only part of the spread; what looks like a heap may lie
# apart behind the page. The next cell of the lesson counts it.
# Show the moving state with sound in the notebook here, if there is time.

# %% [markdown]
# Which words have a place of their own, and which are heaped on one another? A picture in two dimensions hides what lies
# behind. So count: find the middle of each word's last states over the TRAINING clips, and ask how often the nearest middle
# to a validation clip is that of its own word, in the plane and in all 64 dimensions.


# %%
def nearest_is_own(of_train, of_validation):
    """The share of validation clips whose nearest middle is their own word's."""
    words = train.label.cat.categories
    middles = np.array([of_train[train.label == word].mean(axis=0) for word in words])
    distance = np.linalg.norm(of_validation[:, None] - middles, axis=2)
    return (distance.argmin(axis=1) == validation.label.cat.codes).mean()


train_ends = evaluation.predict(reader, train.frames)
in_plane = nearest_is_own((train_ends - centre) @ plane, (ends - centre) @ plane)
everywhere = nearest_is_own(train_ends, ends)
print(
    f"nearest to its own word: {in_plane:.2f} in the plane, {everywhere:.2f} in 64 "
    "dimensions; guessing 0.10"
)
print(f"right by the Dense layer: {share:.2f}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Your turn: a memory of three numbers
#
#     state = tanh(from_input * number + from_itself * state + offset)
#
# - Below 0 if nothing has hissed.
# - Above 0 if something has, even 300 frames ago.

# %% [markdown] tags=["notes"]
# This is exercise 3. Exercise 1 (one step) first for those who are unsure. On paper: what does the state do when only zeros come in, starting from 0, from -1, from 1? Whoever is
# ready does exercise 2: a sound in two pieces.

# %% [markdown]
# So this is what the LAST state is: a summary of what has been heard, in a form that training has shaped for one question. The
# states on the way were shaped only so far as they lead there. Nobody told a unit what to stand for. On the real recordings the words come apart in this short training, though
# not cleanly; where your share is near 0.10, the network has learned little yet, and its last states lie in one heap.
#
# ## Exercises
#
# **Exercise 1.** Write `step(frame, state, kernel, recurrent_kernel, bias)`: the state after ONE frame, from the frame and
# the state before.


# %% tags=["solution"]
def step(frame, state, kernel, recurrent_kernel, bias):
    """The state after one frame."""
    return np.tanh(frame @ kernel + state @ recurrent_kernel + bias)


# %% tags=["check"]
every = read_by_hand(frames, kernel, recurrent_kernel, bias)
answer = step(frames[1], every[0], kernel, recurrent_kernel, bias)
assert answer is not None, (
    "step should return the new state, an array with a number for each unit"
)
assert np.shape(answer) == (16,), (
    f"expected 16 numbers, one for each unit, found shape {np.shape(answer)}"
)
assert np.abs(answer).max() <= 1, (
    "a number outside -1 to 1: the tanh goes round the whole sum, bias included"
)
from_frame, from_state = frames[1] @ kernel, every[0] @ recurrent_kernel
slips = {
    "this state knows its frame alone: where does the state before come in?": (
        np.tanh(from_frame + bias)
    ),
    "this state knows the state before alone: where does the frame come in?": (
        np.tanh(from_state + bias)
    ),
    "the bias is missing from the sum": np.tanh(from_frame + from_state),
    "the bias stands outside the tanh": np.tanh(from_frame + from_state) + bias,
    "the product of state and recurrent kernel is turned: which of them comes first?": (
        np.tanh(from_frame + recurrent_kernel @ every[0] + bias)
    ),
}
for slip, state_of_slip in slips.items():
    assert not np.allclose(answer, state_of_slip, atol=1e-6), slip
apart = np.abs(answer - every[1]).max()
assert np.allclose(answer, every[1], atol=1e-6), (
    f"up to {apart:.2g} from the state of read_by_hand: "
    "compare with the rule, term by term"
)
random = np.random.default_rng(4)
small = [random.normal(size=size) for size in ([3, 5], [5, 5], [5])]
two_frames = random.normal(size=[2, 3])
two_states = read_by_hand(two_frames, *small)
try:
    found = step(two_frames[1], two_states[0], *small)
except ValueError:
    found = np.nan
assert np.allclose(found, two_states[1]), (
    "right for this layer, wrong for another one: use the arguments, no other name"
)
print(f"state 1 of the six, from frame 1 and state 0: right to {apart:.0e}")

# %% [markdown]
# **Exercise 2.** A sound arrives in two pieces. `last_only(piece[None])` reads a piece from zeros and gives its last state,
# `[1, units]`; `last_only(piece[None], initial_state=state)` goes on from such a state. Write `in_two_pieces(first, second)`:
# the last state after both pieces, as if the clip had never been cut. Do not join the pieces: hand on the state.


# %% tags=["solution"]
def in_two_pieces(first, second):
    """The last state of last_only, [1, units], after one piece and then the other."""
    return last_only(second[None], initial_state=last_only(first[None]))


# %% tags=["check"]
def apart(one, other):
    return float(keras.ops.max(keras.ops.abs(one - other)))


first, second, whole = frames[:-2], frames[-2:], last_only(frames[None])
answer = in_two_pieces(first, second)
assert answer is not None, (
    "in_two_pieces should return the state after the second piece"
)
assert tuple(np.shape(answer)) == (1, 16), (
    f"expected a state [1, 16], found {list(np.shape(answer))}: "
    "what gives such a state?"
)
assert apart(answer, last_only(first[None])) > 1e-5, (
    "that is the state after the FIRST piece, or the pieces are swapped"
)
restart = apart(whole, last_only(second[None]))
assert apart(answer, last_only(second[None])) > 1e-5, (
    "the second piece began from zeros: where does the state of the first go in?"
)
assert apart(answer, whole) < 1e-5, (
    f"{apart(answer, whole):.1g} from the state of the clip that was never cut"
)
for other, cut in [(train.frames.iloc[7], -1), (train.frames.iloc[-5], -3)]:
    other = scale(other)
    together = in_two_pieces(other[:cut], other[cut:])
    assert apart(together, last_only(other[None])) < 1e-5, (
        "with another clip and another cut it is wrong: "
        "use the arguments, no other name"
    )
half = apart(whole, last_only(frames[None, len(frames) // 2 :]))
print(
    f"cut or whole: {apart(answer, whole):.0e} apart; "
    f"had the second piece begun from zeros: {restart:.2f}"
)
print(f"had the second HALF begun from zeros: {half:.1e}")

# %% [markdown]
# The last line is worth a thought: with these random weights, half a clip later the state has all but forgotten where it
# started. Now the other way round: whoever has the state can throw the past away. A microphone that never stops is read this
# way, piece by piece.
#
# **Exercise 3.** Build a memory by hand. ONE unit reads ONE number a frame: 1 where the frame hisses, 0 where it does not.
# Choose three numbers, `from_input`, `from_itself` and `offset`, so that in
#
#     state = tanh(from_input * number + from_itself * state + offset)
#
# the state ends below 0 if nothing has hissed, and above 0 if something has, even if that was 300 frames ago. Try values on
# paper first: what does the state do when only zeros come in, from 0, from -1 and from 1?


# %%
def hisses(frames):
    """1 for a frame louder above 2,000 Hz than below, and loud there for its clip."""
    above = audio.band_centres() > 2_000
    upper, lower = frames[:, above].mean(axis=1), frames[:, ~above].mean(axis=1)
    return ((upper > lower) & (upper > upper.mean()))[:, None].astype(float)


print("frames of the six that hiss:", int(hisses(frames).sum()), "of", len(frames))


# %%
def ends_at(numbers, from_input, from_itself, offset):
    """The state of such a unit after these numbers."""
    weights = (
        np.array([[from_input]], float),
        np.array([[from_itself]], float),
        np.array([offset], float),
    )
    return read_by_hand(np.array(numbers, float)[:, None], *weights)[-1, 0]


print(f"all three 1, after one hiss: {ends_at([1], 1, 1, 1):.3f}")

# %% tags=["solution"]
from_input, from_itself, offset = 4.0, 2.0, -0.3

# %% tags=["check"]
given = (from_input, from_itself, offset)
assert all(isinstance(value, (int, float)) for value in given), (
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
    heard_before = random.random(300) < share_of_hisses
    heard_before[int(random.integers(300))] = True
    assert ends_at(heard_before, *given) > 0, (
        "after hisses at random places the state is not above 0: draw a few on paper"
    )
for word in train.label.cat.categories:
    memory = [
        ends_at(hisses(scale(one))[:, 0], *given) > 0
        for one in validation.frames[validation.label == word]
    ]
    print(f'"{word}": something hissed in {np.mean(memory):.0%} of the clips')

# %% [markdown]
# One unit, three numbers, and it remembers for as long as you like. What counts as a hiss is decided by a rough rule: the burst of
# a "t" may count, too, and real hisses may be missed: how often did it find the s of "seven"? A trained RNN has to FIND such weights. Why that is hard is the matter of lesson 05.
#
# **Exercise 4.** You may spend 20,000 parameters on a model such as `models.rnn`: the recurrent layer on 40 bands, and the
# `Dense` layer with ten classes. Set `most_units` to the largest number of units that stays within it. Guess first: 64 units
# take 7,370 of them. Would three times 64 fit?

# %% tags=["solution"]
most_units = max(
    units for units in range(1, 500) if count(40, units) + units * 10 + 10 <= 20_000
)

# %% tags=["check"]
assert isinstance(most_units, (int, np.integer)), (
    "`most_units` should be a whole number of units"
)
total = count(40, most_units) + most_units * 10 + 10
without_dense = max(units for units in range(1, 500) if count(40, units) <= 20_000)
assert most_units != without_dense, (
    "these units fill the RNN layer alone; the Dense layer needs room, too"
)
assert total <= 20_000, (
    f"{most_units} units take {total:,}: units times units grows faster than the units"
)
assert count(40, most_units + 1) + (most_units + 1) * 10 + 10 > 20_000, (
    f"one unit more than {most_units} fits, too"
)
assert models.rnn(10, units=int(most_units)).count_params() == total, (
    "count again: two kernels, bias, Dense"
)
past = most_units**2 / total
print(
    f"{most_units} units: {total:,} parameters, "
    f"{past:.0%} of them in the recurrent kernel"
)

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
# **You have seen**
# - the recurrence in six lines of NumPy, with the same numbers as `keras.layers.SimpleRNN`;
# - the shapes through every step, the count of the weights, and clips of different lengths read with the same ones;
# - a small vanilla RNN trained, its state moving while the sound plays, and where it ends.
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
# <details><summary>C. The last state alone</summary>Yes: only the last state comes at or after that frame. As the answer is read there, the answer may change.</details>
#
# **3. Why does the chain begin with zeros?**
#
# <details><summary>A. Because nothing has been heard yet: zeros make the second term vanish, and the first state is that of its frame alone</summary>Yes: zeros @ recurrent_kernel is zeros. Another beginning is allowed, and exercise 2 used one.</details>
# <details><summary>B. Because a state of zeros means silence</summary>No: silence is a FRAME, with very negative log energies. The state is the network's own, and its numbers measure nothing outside it.</details>
# <details><summary>C. Because the network would not run from any other state</summary>No: <code>initial_state</code> takes any numbers. Exercise 2 began its second piece in the middle of a clip.</details>
#
# Next: [04 Clips of many lengths](04_clips_of_many_lengths.ipynb). Back to the map: [00 Start here](00_start_here.ipynb).
#
# *Recordings in this notebook: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
