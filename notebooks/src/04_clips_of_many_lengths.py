# %% [markdown]
# # 04 · Clips of many lengths
#
# A network learns from batches, and a batch is one array: every clip in it has the same length. Recordings have many lengths. So we
# fill up the shorter ones, and from then on somebody must remember which frames are real. What happens if nobody does?
#
# **You will**
# - pad a batch, make its mask, and write by hand what a recurrent layer does with it;
# - train one LSTM without a mask and with three remedies, and measure what each costs;
# - write a masked LSTM for clips of any length from memory: 25 lines of Keras to take home.
#
# **Minutes:** 75 with the exercises, of which the computer takes about one. **You need:** lessons 00 to 03 (what a state is; `compile` and `fit`),
# and Keras's `Sequential`. Pandas appears in one table.

# %% [markdown] tags=["slide", "only-slides"]
# ## A batch is one array; clips are not
#
# - The shorter clips are filled up.
# - Who remembers which frames are real?

# %% [markdown] tags=["notes"]
# Ask how everybody's last project made clips equally long. Collect: cut, repeat, zeros, silence. Write the list on the board; at the end of the lesson the class crosses out what
# does harm.

# %% tags=["setup"]
import setup_course

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf

from course_lib import audio, batches, data, evaluation, plots

train, validation, test = data.load_parts("digits")
lengths = np.array([len(frames) for frames in train.frames])
print(f"half of the clips have {np.median(lengths):.0f} frames or fewer")
print(f"the longest has {lengths.max()}: {lengths.max() / 100:.1f} seconds")

# %% [markdown]
# ## A batch is one array
#
# Half of the clips are short, and the longest is far longer. The clips stay as they are: a list of arrays, `[frames, 40]` each. Only a batch has to be one array. We fill up the shorter clips **at the end**,
# to the length of the longest. This is [*padding*](../docs/glossary.md#padding), and it takes five lines.
#
# Which number should padding hold? Zero would be the log energy of an ordinary sound, and silence occurs inside clips.
# We take -1000: no log energy comes near it.


# %%
PADDING = -1000.0


def pad(sounds, length=None):
    """Clips [frames, 40] as one array [clips, length, 40], padded at the end."""
    longest = max(len(frames) for frames in sounds)
    padded = np.full([len(sounds), length or longest, 40], PADDING, np.float32)
    for row, frames in zip(padded, sounds):
        row[: len(frames)] = frames
    return padded


eight = validation.sample(8, random_state=3).frames.tolist()
batch = pad(eight)
print("lengths:", [len(frames) for frames in eight])
print("[clips, time, bands] =", list(batch.shape))

# %% [markdown] tags=["slide", "only-slides"]
# ## Eight clips, one array
#
# White is padding. Why not fill it with zeros?

# %% tags=["fold", "more", "no-code"]
# @title Draw: a batch of eight clips {display-mode: "form"}
axes = plt.subplots(figsize=(9, 2.8), layout="constrained")[1]
energy = np.where(batch == PADDING, np.nan, batch).mean(axis=2)
image = axes.imshow(energy, aspect="auto", cmap=plots.COLOURS, interpolation="nearest")
axes.figure.colorbar(image, ax=axes, label="mean log energy")
title = "a batch of eight clips; padding is white"
axes.set(xlabel="frame", ylabel="clip", title=title)
share = (batch == PADDING).mean()
plots.show(axes, f"{share:.0%} of this batch is padding: the white area")

# %% [markdown] tags=["notes"]
# Ask what else one could fill in, and of each suggestion: could a real frame look like that? Zero is the log energy of a quite ordinary sound; silence occurs inside clips. The
# filling has to be a number that NO frame can hold.

# %% [markdown]
# From here on, `batches.pad` is this function, and `batches.PADDING` this number. The order matters: **first the frames of each clip by itself,
# then the padding.** If we padded the waveforms, some frames would be half sound and half zeros. Bonus lesson
# [04b](04b_layers_that_lose_the_mask.ipynb) measures that.
#
# ## The mask
#
# A [*mask*](../docs/glossary.md#mask) says for every frame whether it is real. `keras.layers.Masking(value)` makes one: a frame is padding if
# all of its 40 numbers equal `value`. **Predict, then run:** what is the shape of the mask?

# %% [markdown] tags=["slide", "only-slides"]
# ## The mask: one value per frame

# %% tags=["more", "no-code"]
masking = keras.layers.Masking(PADDING)
mask = np.asarray(masking.compute_mask(batch))
print("[clips, time] =", list(mask.shape), mask.dtype)
print("True in each row:", mask.sum(axis=1).tolist())
plots.drawing("mask")

# %% [markdown] tags=["notes"]
# Ask for the mask's shape before you uncover it: one value per frame, not per band and not per clip.
# Then the drawing: follow one row by finger. Where the mask says padding, the old state is copied on.

# %% [markdown]
# The mask has one value per frame, not per band and not per clip. It is stored *beside* the numbers, not in them. How does it get from
# `Masking` to the LSTM, with other layers in between? Keras attaches it to the tensor. Each layer then does one of three things:
# it hands the mask on, uses it, or drops it. The attribute is private (`_keras_mask`); we read it here only to look.

# %%
masked_batch = masking(batch)
scaled = keras.layers.Rescaling(1 / 4, 5 / 4)(masked_batch)
divided = masked_batch / 4
results = {
    "Masking": masked_batch,
    "Rescaling": scaled,
    "Dense": keras.layers.Dense(3)(masked_batch),
}
for name, tensor in (results | {"plain division": divided}).items():
    print(f"{name:>14}: mask {'kept' if hasattr(tensor, '_keras_mask') else 'LOST'}")
print("padded frames after Rescaling hold", np.unique(np.asarray(scaled)[~mask]))

# %% [markdown]
# Two things to remember. `Masking` sets the padded frames to 0, and the scale turns that into 1.25, which looks like a loud frame: from
# there on only the mask tells them apart. And **plain arithmetic between two layers drops the mask without a word.** Lesson 04b collects more layers that do.
#
# ## What a recurrent layer does with the mask
#
# Lesson 00 said that the layers *leave out* the padding. In fact the LSTM computes a new state for every frame of the batch. Where the mask says
# "padding", it keeps the old state instead. With $m_t=1$ for a real frame and $m_t=0$ for padding, the vanilla RNN of lesson 03 becomes
#
# $$\mathbf{h}_t = m_t\,\tanh(\mathbf{a}_t) + (1-m_t)\,\mathbf{h}_{t-1},\qquad \mathbf{a}_t = \mathbf{x}_t\mathbf{K} + \mathbf{h}_{t-1}\mathbf{R} + \mathbf{b}$$
#
# Here $\mathbf{K}$, $\mathbf{R}$ and $\mathbf{b}$ are Keras's `kernel`, `recurrent_kernel` and `bias`. Does `SimpleRNN` really do this? Compare.

# %% [markdown] tags=["slide", "only-slides"]
# ## What a recurrent layer does with the mask
#
# $$\mathbf{h}_t = m_t\,\tanh(\mathbf{a}_t) + (1-m_t)\,\mathbf{h}_{t-1}$$
#
# $m_t = 1$: a real frame. $m_t = 0$: padding.

# %% tags=["more"]
keras.utils.set_random_seed(1)
layer = keras.layers.SimpleRNN(5, return_sequences=True)
by_keras = np.asarray(layer(scaled))  # the mask comes with `scaled`
kernel, recurrent_kernel, bias = layer.get_weights()
state, by_hand = np.zeros([8, 5]), []  # [clips, units]
for t in range(batch.shape[1]):
    a = np.asarray(scaled)[:, t] @ kernel + state @ recurrent_kernel + bias
    m = mask[:, t, None]
    state = m * np.tanh(a) + (1 - m) * state
    by_hand.append(state)
np.testing.assert_allclose(np.stack(by_hand, axis=1), by_keras, atol=1e-5)
print("by hand = by Keras")

# %% [markdown] tags=["slide", "only-slides"]
# ## The same clip, with and without the mask

# %% tags=["fold", "more", "no-code"]
# @title Draw: one unit, with the mask and without {display-mode: "form"}
without = np.asarray(layer(np.asarray(scaled)))  # as a NumPy array it carries no mask
shortest = int(mask.sum(axis=1).argmin())
end = int(mask[shortest].sum())
axes = plt.subplots(figsize=(9, 2.8), layout="constrained")[1]
axes.plot(by_keras[shortest, :, 0], label="with the mask")
axes.plot(without[shortest, :, 0], "--", label="without")
axes.axvline(end - 0.5, color="grey", linewidth=1)
axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
xlabel = "frame (grey line: the clip ends)"
axes.set(xlabel=xlabel, ylabel="state of unit 1", title="with and without the mask")
plots.show(axes, "behind the grey line one curve stands still, and the other reads on")

# %% [markdown] tags=["notes"]
# Same layer, same weights, same clip. With the mask the old state is copied on; without it the layer goes on reading, and what it heard of the clip is mixed with the padding.

# %% [markdown]
# With the mask, the last state of the batch is the state at the clip's own end. Without it, the layer reads on. What it heard of the clip is mixed
# with what it heard of the padding.
#
# ## Inputs of any length?
#
# Recurrent networks are said to handle inputs of any length. We can test that: a clip must get the same logits alone, in a batch, and with more
# padding. Here is the model of lesson 00 once more. (An LSTM, because a vanilla RNN trains slowly; lesson 06 opens it.) **Predict, then
# run:** equal up to rounding, or about equal?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: inputs of any length?
#
# One clip: alone, in the batch, with 60 frames more.
#
# **The same logits up to rounding, or about the same?**

# %% [markdown] tags=["notes"]
# Hands. It is a common claim about recurrent networks; here it is a test. Ask what would have to be equal, and how exactly, before the claim may be called true.

# %%
keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input([None, 40]),
        keras.layers.Masking(PADDING),
        keras.layers.Rescaling(1 / 4, 5 / 4),
        keras.layers.LSTM(64),
        keras.layers.Dense(10),
    ]
)
model.summary()

# %% [markdown] tags=["slide", "only-slides"]
# ## It holds, with a mask

# %% tags=["more", "no-code"]
logits_alone = np.concatenate([model(frames[None]) for frames in eight])
for more in (0, 60):
    longer = pad(eight, length=batch.shape[1] + more)
    change = np.abs(model(longer) - logits_alone).max()
    print(f"{more:2} frames more: a logit changes by {change:.0e} at most")
print(f"the largest logit is {np.abs(logits_alone).max():.2f}")

# %% [markdown] tags=["notes"]
# Up to rounding, the same. Then the caution: that a network ACCEPTS any length says nothing about how well it remembers a long clip. That is lesson 05.

# %% [markdown]
# With a mask, the claim holds, up to rounding. (That a network *accepts* a long clip does not say how well it remembers it. Lesson 05 asks
# that.) The cell is worth keeping as a test, and needs no training: `evaluation.check_mask(model, batch)` does the same, and raises an error if a logit changes.
#
# ## What does a missing mask cost?
#
# Now we train. To save time, the lab takes 960 training clips and every second frame. (The very longest
# clips are not among them.) All clips are padded to one length, that of the longest.
# Many programs do so, to have a single array. Without a mask, -1000 would be a strange input, so a careful person
# pads with silence. So do we, either after the clip or in front of it.
#
# Four models, three of them a remedy for the first:
#
# | | padding | what the answer comes from |
# |---|---|---|
# | **no mask** | silence after the clip | the last state |
# | **mask** | `PADDING` after the clip, masked | the last state |
# | **pre-padding** | silence in front of the clip, no mask | the last state |
# | **masked mean** | `PADDING` after the clip, masked | the mean of the states at real frames |
#
# `GlobalAveragePooling1D` is that mean: it uses the mask if one arrives.


# %%
def every_second_frame(clips):
    """The frames as a list of arrays, and the labels as numbers 0 to 9."""
    return [frames[::2] for frames in clips.frames], clips.label.cat.codes.to_numpy()


lab_sounds, lab_labels = every_second_frame(train.sample(960, random_state=0))
new_sounds, new_labels = every_second_frame(validation)
longest = max(len(frames) for frames in lab_sounds + new_sounds)
real_frames = sum(len(frames) for frames in lab_sounds)
share = 1 - real_frames / (len(lab_sounds) * longest)
print(f"all clips padded to {longest} frames: {share:.0%} of the array is padding")


# %%
SILENCE = np.float32(np.log(audio.LOG_OFFSET))  # the log energy of digital silence


def ways_to_pad(sounds):
    """The same clips in three arrays."""
    marked = pad(sounds, length=longest)
    after = np.where(marked == PADDING, SILENCE, marked)
    shifts = [longest - len(frames) for frames in sounds]
    front = np.stack([np.roll(row, n, axis=0) for row, n in zip(after, shifts)])
    return {"PADDING after": marked, "silence after": after, "silence first": front}


arrays, new_arrays = ways_to_pad(lab_sounds), ways_to_pad(new_sounds)
print({way: list(array.shape) for way, array in arrays.items()})


# %%
def build(*, masked, mean):
    """The model above; without its mask, or with the mean of all states, if asked."""
    layers = [keras.Input([None, 40])]
    if masked:
        layers += [keras.layers.Masking(PADDING)]
    layers += [keras.layers.Rescaling(1 / 4, 5 / 4)]
    layers += [keras.layers.LSTM(64, return_sequences=mean)]
    if mean:
        layers += [keras.layers.GlobalAveragePooling1D()]
    return keras.Sequential([*layers, keras.layers.Dense(10)])


# %% [markdown]
# **Predict, then run.** A guess is right once in ten times. Write down eight numbers: the accuracy of each model on the validation clips, first
# padded as in its training, then one by one without any padding, as they would come from a microphone. Each model trains from three
# seeds. That takes about half a minute.

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: one LSTM, four ways
#
# 1. no mask: silence after the clip;
# 2. mask;
# 3. pre-padding: silence in front, no mask;
# 4. masked mean of all states.
#
# **Eight accuracies: each padded, and alone.**

# %% [markdown] tags=["notes"]
# Two minutes, on paper, eight numbers. Do not help. Then start the cell: it takes about half a minute. Ask meanwhile: which of the four is how YOUR programs do it?

# %%
lab = {  # name: way to pad, masked, mean
    "no mask": ("silence after", False, False),
    "mask": ("PADDING after", True, False),
    "pre-padding": ("silence first", False, False),
    "masked mean": ("PADDING after", True, True),
}
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
options = {"batch_size": 48, "epochs": 8, "verbose": 0}


# %%
def answers_padded_and_alone(model, way):
    """The answers to the validation clips, padded as in training, and one by one."""
    together = model.predict_on_batch(new_arrays[way])
    alone = [model.predict_on_batch(frames[None]) for frames in new_sounds]
    return together.argmax(axis=1), np.concatenate(alone).argmax(axis=1)


# %%
examples, rows = {}, []
for name, (way, masked, mean) in lab.items():
    for seed in range(3):
        keras.utils.set_random_seed(seed)
        model = build(masked=masked, mean=mean)
        model.compile(keras.optimizers.Adam(0.005), loss, metrics=["accuracy"])
        losses = model.fit(arrays[way], lab_labels, **options).history["loss"]
        together, alone = answers_padded_and_alone(model, way)
        scores = (together == new_labels).mean(), (alone == new_labels).mean()
        rows.append([name, *scores, (together != alone).sum(), losses[-1]])
    examples[name] = model  # of the last seed

# %%
columns = ["model", "padded", "alone", "answers that change", "loss"]  # of 240
seeds = pd.DataFrame(rows, columns=columns)
means = seeds.groupby("model", sort=False).mean()
for name, row in means.iterrows():
    print(
        f"{name}: {row.padded:.3f} padded, {row.alone:.3f} alone; loss {row.loss:.2f}"
    )
number_to_beat = seeds[seeds.model == "pre-padding"].alone.max()
print(f"pre-padding, alone, the best seed: {number_to_beat:.3f}")
means[["answers that change"]].round(0).astype(int)

# %% [markdown] tags=["slide", "only-slides"]
# ## What a missing mask costs, and three remedies

# %% tags=["fold", "more", "no-code"]
# @title Draw: every seed of the lab {display-mode: "form"}
axes = plt.subplots(figsize=(9, 2.8), layout="constrained")[1]
places = seeds.model.map(list(lab).index)
axes.plot(seeds.padded, places - 0.13, "o", label="padded as in training")
axes.plot(seeds.alone, places + 0.13, "^", label="alone")
axes.axvline(0.1, color="grey", linestyle="--", linewidth=1, label="chance")
axes.set_yticks(range(len(lab)), lab)
axes.set(xlabel="accuracy on validation clips", xlim=(0, 1), ylim=(3.5, -0.5))
axes.set_title("one LSTM, four ways, three seeds each")
axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
for name, of_seeds in seeds.groupby("model", sort=False):
    correct = (of_seeds.alone * len(new_labels)).round().astype(int)
    scores = [evaluation.score(np.arange(len(new_labels)) < n) for n in correct]
    entry = {"model": f"lstm, {name}", "data": train.source.iloc[0]}
    entry |= {"split": "validation", "parameters": examples[name].count_params()}
    evaluation.Results().add(lesson="04", score=scores, **entry)
fact = f"pre-padding: {means.padded['pre-padding']:.2f} padded, "
plots.show(axes, f"{fact}{means.alone['pre-padding']:.2f} alone")

# %% [markdown] tags=["notes"]
# Read from above. The first model guesses: why? (A long silence between the word and the answer.) Then pre-padding: padded it is as good as the others; alone it is not. It learned
# WITH the padding, and nothing warned. Ask what somebody sees who only ever looks at padded batches.

# %% [markdown]
# **No mask** hardly learns: its loss stays near 2.30, the logarithm of ten, which is a guess. (Padded and alone it guesses different words, so most answers change.) Its answer is read after a long silence. The training error
# has to find its way back through that silence to the word; lesson 05 measures how errors fade on such a way. The model did not learn; it is not that it learned and
# then forgot. Only this combination costs so much: padding *after* the clip, *and* an answer from the *last* state.
#
# Each **remedy** changes something about that combination. All three train well. On padded clips, three seeds are too few to say which is best.
#
# - **Pre-padding** puts the silence where it hurts less. `keras.utils.pad_sequences` does this by default. But when each clip comes by itself, without padding, the accuracy falls.
#   The model learned that a clip begins with silence; alone, it begins with a state of zeros. *Nothing warns: the loss fell.* With pre-padding you must pad to the same length forever.
# - **The mask** is exact: no answer changes. The padded frames never touch the state, so the model cannot learn to count on them.
# - **The masked mean** is exact as well, because it uses the same mask: it leaves the padded frames out.
#
# Of these four models, the two with a mask are exact. (Exercise 2 shows another exact way.) Where you read the answer, from the last state or from a mean, is another question; lesson 09 compares
# readouts. `check_mask` tells which models are exact. It pads with `PADDING`, not with
# silence, so the two models without a mask read frames of -1000. (The limit grows with the size of the logits.) We check the four trained models; the check works before training, too:

# %% [markdown] tags=["slide", "only-slides"]
# ## A check that takes a second

# %% tags=["more"]
for name, model in examples.items():
    try:
        print(f"{name}: a logit changes by {evaluation.check_mask(model, batch):.0e}")
    except AssertionError as error:
        print(f"{name}: {error}")

# %% [markdown] tags=["notes"]
# No training is needed to find the fault: alone, in the batch, with more padding, and compare. Read the error aloud: it names the layer. From here on the course checks every model.

# %% [markdown]
# The error names the layer to fix. From lesson 05 on, `evaluation.evaluate` runs this check for you and warns if padding changes a logit.
#
# ## Less padding: batches of similar length
#
# A mask makes padding harmless, not free: the layer computes a state for every padded frame and throws it away. One array was
# simple, and more than half of it was padding. If we sort the clips by length first, neighbours need little padding. Each batch then has a length of its own, so it is
# an array of its own. `fit` takes such batches as a `tf.data.Dataset`; in `TensorSpec`, `None` stands for "any size".
#
# Sorting has a drawback: the same clips sit together in every epoch. The second cell calls `batches.bucketed`, which has one improvement: it cuts
# the sorted list into [*buckets*](../docs/glossary.md#bucket), and in every epoch it draws the batches at random within each bucket. That costs a little more padding.


# %%
def sorted_batches():
    """Padded batches of 48 clips of similar length, and their labels."""
    order = np.argsort([len(frames) for frames in lab_sounds])
    for rows in np.array_split(order, len(order) // 48):
        yield pad([lab_sounds[row] for row in rows]), lab_labels[rows]


# the labels are int8 here, as pandas' codes: put the type of your labels
shapes = tf.TensorSpec([None, None, 40]), tf.TensorSpec([None], tf.int8)
dataset = tf.data.Dataset.from_generator(sorted_batches, output_signature=shapes)
print("the first three:", [list(frames.shape) for frames, _ in dataset.take(3)])
in_batches = sum(len(frames) * frames.shape[1] for frames, _ in dataset)
print(f"{1 - real_frames / in_batches:.0%} of these batches is padding")

# %%
bucketed = batches.bucketed(lab_sounds, lab_labels, batch_size=48)
in_batches = sum(len(frames) * frames.shape[1] for frames, _ in bucketed)
print(f"bucketed: {1 - real_frames / in_batches:.0%} is padding")
keras.utils.set_random_seed(0)
model = build(masked=True, mean=False)
model.compile(keras.optimizers.Adam(0.005), loss, metrics=["accuracy"])
model.fit(bucketed, epochs=8, shuffle=False, verbose=0)  # bucketed shuffles
right = evaluation.predict(model, new_sounds).argmax(axis=1) == new_labels
print(f"trained on them: {right.mean():.3f} of the validation clips")

# %% [markdown]
# It learns as well as from the plain array. Later lessons call `batches.bucketed` because it is faster ([04b](04b_layers_that_lose_the_mask.ipynb) measures that); a plain padded array does the same job.
# The learning rate was 0.005 in this lab, since its trainings are short; 0.003 with `global_clipnorm=1.0`, as in lesson 00, is the safer choice for a project.
#
# ## Exercises
#
# Replace the three dots by your own code. The cell below each exercise checks it.
#
# **Exercise 1.** Write `masked_mean(frames, mask)` in NumPy: the mean over time of each clip's real frames, `[clips, bands]`. `frames` is
# `[clips, time, bands]`, `mask` is `[clips, time]`. It should equal `GlobalAveragePooling1D`.


# %% tags=["solution"]
def masked_mean(frames, mask):
    """The mean over real frames of each clip."""
    return (frames * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1)[:, None]


# %% tags=["check"]
given = batch.copy()
found = masked_mean(given, mask)
assert found is not None, (
    "masked_mean should return an array [clips, bands]; yours returns nothing yet"
)
assert np.shape(found) == (len(batch), 40), (
    f"expected {(len(batch), 40)}, found {np.shape(found)}: which axis is time?"
)
assert not np.allclose(found, batch.mean(axis=1), rtol=1e-3), (
    "a mean over all frames, padding too: use the mask"
)
over_all = (batch * mask[:, :, None]).mean(axis=1)
assert not np.allclose(found, over_all, rtol=1e-3), (
    "you divide by all frames of the batch: how many of a clip's frames are real?"
)
by_keras = np.asarray(keras.layers.GlobalAveragePooling1D()(masked_batch))
assert np.allclose(found, by_keras, atol=1e-4), (
    "the means are not those of Keras: which frames count, and how many are they?"
)
assert np.array_equal(given, batch), "your function changes the frames it was given"
random = np.random.default_rng(1)
others, real = random.normal(size=[3, 9, 5]), random.random([3, 9]) < 0.6
others[~real] = 1e6
one_by_one = [values[here].mean(axis=0) for values, here in zip(others, real)]
assert np.allclose(masked_mean(others, real), one_by_one), (
    "for another batch, of other sizes and with another mask, it is wrong: "
    "what does your function take for granted about the mask?"
)
print(f"the largest difference from Keras: {np.abs(found - by_keras).max():.0e}")

# %% [markdown]
# **Exercise 2.** A fourth remedy, common in PyTorch: no mask in the layer, but read each clip's state *at its own last frame*. Write
# `last_real_state(states, lengths)` in NumPy: `states` is `[clips, time, units]`, `lengths` is a list with the number of real frames of each clip (`np.asarray` makes an array of it), and the result is
# `[clips, units]`. Before you run the check: will it equal the masked layer exactly?


# %% tags=["solution"]
def last_real_state(states, lengths):
    """The state of each clip at its own last frame."""
    return states[np.arange(len(states)), np.asarray(lengths) - 1]


# %% tags=["check"]
real = mask.sum(axis=1)
unmasked = np.asarray(layer(np.asarray(scaled)))
found = last_real_state(unmasked, real)
assert found is not None, (
    "last_real_state should return an array [clips, units]; yours returns nothing yet"
)
assert np.shape(found) == (8, 5), (
    f"expected one state a clip, (8, 5), found {np.shape(found)}: "
    "a clip and a frame have to be chosen together"
)
assert not np.allclose(found, unmasked[:, -1], atol=1e-5), (
    "those are the states at the end of the batch, after the padding"
)
after = unmasked[np.arange(8), np.minimum(real, unmasked.shape[1] - 1)]
assert not np.allclose(found, after, atol=1e-5), (
    "one frame too late: the first frame has the number 0"
)
with_mask = np.asarray(layer(scaled))[:, -1]
assert np.allclose(found, with_mask, atol=1e-5), (
    "not the states of the masked layer: which frame is a clip's last real one?"
)
numbers = np.arange(3 * 5 * 2).reshape(3, 5, 2)
assert np.array_equal(
    last_real_state(numbers, [5, 1, 3]), [[8, 9], [10, 11], [24, 25]]
), "right for this batch, not for another one, of other sizes"
print(f"difference from the masked layer: {np.abs(found - with_mask).max():.0e}")

# %% [markdown]
# Why is it exact? A forward layer reads the padding only after the clip. (A layer that reads backwards meets the padding
# *first*, so there this remedy fails and the mask does not.)
#
# **Exercise 3: build, train, beat this number.** Build a Keras model of your own that takes clips of any length and is not changed by padding. Train it on
# `arrays["PADDING after"]` and `lab_labels`. It must beat `number_to_beat`, the best seed of pre-padding on validation clips that come alone. Call it `mine`. `keras.layers.GRU` in place of `LSTM` (lesson 07), more units, the
# mean of the states in place of the last one, more epochs: your choice.

# %% tags=["solution"]
keras.utils.set_random_seed(7)
mine = keras.Sequential(
    [
        keras.Input([None, 40]),
        keras.layers.Masking(PADDING),
        keras.layers.Rescaling(1 / 4, 5 / 4),
        keras.layers.LSTM(64, return_sequences=True),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(10),
    ]
)
mine.compile(keras.optimizers.Adam(0.005), loss, metrics=["accuracy"])
history = mine.fit(arrays["PADDING after"], lab_labels, epochs=10, verbose=0)

# %% tags=["check"]
assert isinstance(mine, keras.Model), (
    f"`mine` should be a Keras model, found {type(mine).__name__}"
)
shape = getattr(mine, "input_shape", "none")
assert shape == (None, None, 40), (
    f"expected keras.Input([None, 40]) first, for any length, found {shape}"
)
assert mine.output_shape == (None, 10), (
    f"expected ten logits a clip, found {mine.output_shape}: "
    "does the time axis go before the last layer?"
)
try:
    evaluation.check_mask(mine, batch)
except AssertionError as error:
    raise AssertionError(f"not yet exact: {error}") from None
right = evaluation.predict(mine, new_sounds).argmax(axis=1) == new_labels
assert right.mean() > number_to_beat, (
    f"{right.mean():.3f} on the validation clips, to beat is {number_to_beat:.3f}: "
    "was it compiled with from_logits=True and trained, and does its loss fall?"
)
print(f"{right.mean():.3f}, which beats {number_to_beat:.3f}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Take it home
#
# From memory, in pairs, on paper: pad, Masking, Rescaling, LSTM, Dense, compile, fit.

# %% [markdown] tags=["notes"]
# Do exercise 1 first, for everybody: it shows who has understood the mask's shape. Then five minutes with closed notebooks: who can write the model down? Compare with the recipe.

# %% [markdown]
# ## Take it home
#
# Everything that this lesson taught fits into 25 lines. They need Keras and NumPy, and nothing of this course. `sounds` is a list of log-mel arrays, `labels` an array of
# numbers. Read it once, close the notebook, and write it down from memory.

# %%
sounds = train.frames.tolist()[::4]
labels = train.label.cat.codes.to_numpy()[::4]

# %% tags=["recipe"]
# sounds: a list of log-mel arrays [frames, 40], any lengths; labels: an array of ints
import keras
import numpy as np

PADDING = -1000.0  # no log energy comes near it


def pad(sounds, length=None):
    """Clips [frames, 40] as one array, padded at the end."""
    longest = max(len(frames) for frames in sounds)
    padded = np.full([len(sounds), length or longest, 40], PADDING, np.float32)
    for row, frames in zip(padded, sounds):
        row[: len(frames)] = frames
    return padded


keras.utils.set_random_seed(0)
layers = keras.layers
model = keras.Sequential([keras.Input([None, 40]), layers.Masking(PADDING)])
model.add(layers.Rescaling(1 / 4, 5 / 4))  # log energies: about -13 to 3, now -2 to 2
model.add(layers.LSTM(64))
model.add(layers.Dense(int(max(labels)) + 1))  # one logit per class
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
adam = keras.optimizers.Adam(0.003, global_clipnorm=1.0)
model.compile(adam, loss, metrics=["accuracy"])
history = model.fit(pad(sounds), np.asarray(labels), epochs=12, verbose=0)
print("training accuracy, each epoch:", np.round(history.history["accuracy"], 2))
alone = np.concatenate([model(frames[None]) for frames in sounds[:8]])
assert np.allclose(model(pad(sounds[:8])), alone, atol=1e-4), "the mask is lost"

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz
#
# 1. A batch is [32, 120, 40]: what shape has its mask?
# 2. A plain `/ 4` before the LSTM, good validation accuracy: is the mask at work?
# 3. Pre-padding, no mask, all clips padded to 120 frames: what is the catch?

# %% [markdown] tags=["notes"]
# Right are 1 C, 2 B, 3 B. If question 2 gets many "yes" votes, go back to the picture of the lab: what would somebody see who looks at padded batches only? The choices are in
# the notebook and on the quiz sheet.

# %% [markdown]
# The last two lines are the test of this lesson: alone equals in a batch. Keep them in your project. The accuracy above is that of the
# training clips; to judge a model, keep validation clips apart, as lesson 02 does.
#
# <details><summary>What holds only for these data</summary>
#
# The six synthetic voices that stand in for the recordings have no very long clips. So the model without a mask learns in part there: about 0.84 padded and 0.66 alone, where the mask has 1.00 both ways. On the recordings,
# forty epochs in place of eight did not help that model (two seeds): it went on guessing. How much pre-padding loses alone differs from seed to seed and from set to set.</details>
#
# **You have seen**
# - a batch padded, its mask, and by hand what a recurrent layer does with it;
# - one LSTM without a mask and with three remedies, and what each costs;
# - a masked LSTM for clips of any length in 25 lines of Keras.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. A batch has the shape [32, 120, 40]. What is the shape of its mask?**
#
# <details><summary>A. [32, 120, 40]</summary>No: a frame is padding as a whole, so one value per frame is enough; the bands share it.</details>
# <details><summary>B. [32]</summary>No: that could say which clips are real. The lengths have this shape, and a mask can be made from them.</details>
# <details><summary>C. [32, 120]</summary>Yes: for each clip and each frame, real or padding.</details>
#
# **2. A model divides its frames by 4 between the mask and the LSTM, with a plain `/`. It was trained and validated on batches of similar length, and its accuracy is good. Is the mask at work?**
#
# <details><summary>A. Yes: a lost mask would show as a bad accuracy.</summary>No: the validation clips are padded as well, and where the padding is short, a model can live with it. Alone, the clips may get other answers.</details>
# <details><summary>B. No: plain arithmetic drops it, and only a comparison with clips alone, such as <code>check_mask</code>, shows what that costs.</summary>Yes: the LSTM reads on through the padding, and the accuracy on padded clips does not tell you.</details>
# <details><summary>C. Yes: <code>Masking</code> has set the padding to 0, and an LSTM ignores zeros.</summary>No: a frame of zeros changes the state like any other frame; its bias and its old state go on acting.</details>
#
# **3. A colleague pads all clips in front with silence, to 120 frames, without a mask, and has a good accuracy. What is the catch?**
#
# <details><summary>A. None: padding in front never changes an answer.</summary>No: the state after a silence is not the state of zeros that a clip alone begins with.</details>
# <details><summary>B. The answers hold only as long as every clip is padded to 120 frames in the same way.</summary>Yes: with less padding or none, the answers change, and a longer clip does not fit.</details>
# <details><summary>C. The training must have failed, as for the model without a mask in this lesson.</summary>No: there the silence stood between the word and the answer. In front, it does not.</details>
#
# **Touch it.** On [the page that listens](../docs/live/index.html), take the mask off, append silence, and see which answers change.
#
# Next: [05 Training a vanilla RNN](05_training_a_vanilla_rnn.ipynb), or the bonus [04b Layers that lose the mask, and what padding costs](04b_layers_that_lose_the_mask.ipynb).
# All lessons: [README](../README.md).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
