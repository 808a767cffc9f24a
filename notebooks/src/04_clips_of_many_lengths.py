# %% [markdown]
# # 04 · Clips of many lengths
#
# A network learns from batches, and a batch is a box: every clip in it has the same length. Clips are not boxes. The shorter ones are
# filled up, and from then on somebody has to remember what is sound and what is filling. What happens if nobody does?
#
# **You will**
# - follow a mask from the padding to the last state, and test whether a recurrent network handles inputs of any length;
# - train one model three times, with a mask and without, and measure what the missing mask costs;
# - catch the layers that lose a mask, and measure what padding costs in seconds.
#
# **Minutes:** 50, of which the computer takes about half of one. **You need:** lesson 03: what a state is, and that an RNN reads frame by frame.

# %% [markdown] tags=["slide", "only-slides"]
# ## A batch is a box; clips are not
#
# - The shorter clips are filled up.
# - Who remembers what is sound and what is filling?

# %% [markdown] tags=["notes"]
# Ask how everybody's last project made clips equally long. Collect: cut, repeat, zeros, silence. Write the list on the board; at the end of the lesson the class crosses out what
# does harm.

# %% tags=["setup"]
import setup_course

# %%
import itertools
import time
import warnings

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf

from course_lib import audio, batches, data, evaluation, models, plots, training

# %% [markdown]
# ## A batch is a box

# %%
rest, validation, test = data.load_parts("digits")
clips = pd.concat([rest, validation, test]).sort_index()
lengths = batches.lengths(clips.frames)
axes = plt.subplots(figsize=(9, 2.6), layout="constrained")[1]
axes.hist(lengths, bins=60)
axes.set(
    xlabel="length (frames of 10 ms)", ylabel="clips", title="how long the clips are"
)
half = f"half of the clips have {np.median(lengths):.0f} frames or fewer"
plots.show(axes, f"{half}, the longest {lengths.max()}")

# %% [markdown]
# Here are eight of them in one box, a clip a row. Each is as long as the longest once its row has been filled up at the end: that is
# *padding*. `batches.pad` does it. What it fills in is a number that no frame can hold: a float32 energy has a logarithm
# between -104 and 89, and `batches.PADDING` lies far below.

# %% [markdown] tags=["slide", "only-slides"]
# ## Eight clips, one box
#
# White is padding. Why not fill it with zeros?

# %% tags=["more", "no-code"]
validation = validation.sample(frac=1, random_state=0)  # in a random order
eight = validation.frames.head(8).tolist()
batch = batches.pad(eight)
axes = plt.subplots(figsize=(9, 2.8), layout="constrained")[1]
loudness = np.where(batch == batches.PADDING, np.nan, batch).mean(axis=2)
image = axes.imshow(
    loudness, aspect="auto", cmap=plots.COLOURS, interpolation="nearest"
)
axes.figure.colorbar(image, ax=axes, label="mean log energy")
axes.set(
    xlabel="frame", ylabel="clip", title="a batch of eight clips; padding is white"
)
waste = batches.padding_waste(batches.lengths(eight), [np.arange(8)])
plots.show(axes, f"the white part, which is padding, is {waste:.0%} of the box")
print("[batch, time, mel] =", list(batch.shape), "filled with", batches.PADDING)

# %% [markdown] tags=["notes"]
# Ask what else one could fill in, and of each suggestion: could a real frame look like that? Zero is the log energy of a quite ordinary sound; silence occurs inside clips. The
# filling has to be a number that NO frame can hold.

# %% [markdown]
# ## Why not fill up the waveform?
#
# Many programs put zeros after the waveform, and then compute the frames. **Predict, then run:** 100 ms of zeros are put after one clip.
# How many frames appear that were not there before, and what do they look like: like the clip, or like silence?

# %%
waveform = audio.read(validation.path.iloc[0])
own = audio.log_mel(waveform)
longer = audio.log_mel(np.pad(waveform, (0, audio.SAMPLE_RATE // 10)))
SILENCE = np.log(audio.LOG_OFFSET)  # log energy of a frame of zeros
print(
    f"the clip's own {len(own)} frames change by "
    f"{np.abs(longer[: len(own)] - own).max():.1f}"
)
print(
    f"{len(longer) - len(own)} new frames; "
    f"the mean log energy of the clip's own is {own.mean():.1f}"
)
for number, frame in enumerate(longer[len(own) :][:5], start=1):
    print(
        f"new frame {number}: mean log energy {frame.mean():6.1f}; "
        f"a frame of zeros: {SILENCE:.1f}"
    )

# %% [markdown]
# The first of the new frames straddle the end: a piece of the clip, and zeros. They belong to no clip that was ever recorded. The
# others are [digital silence](../docs/glossary.md#digital-silence), and a clip may hold digital silence of its own. So neither kind can be told from sound by
# its numbers.
#
# That was this course's way of cutting frames. Layers that compute frames inside the model bring a second trouble. Keras has one,
# `MelSpectrogram`. It looks beyond the end of the clip for its last frames, and it lifts what lies more than 80 dB below the
# loudest moment *of the whole batch*. Take the quietest clip of the data, alone, then with zeros after it, then beside the loudest one.

# %%
waveforms = [audio.read(path) for path in clips.path]
waveforms.sort(key=lambda samples: np.abs(samples).max())
quiet, loud = waveforms[0], waveforms[-1]
layer = keras.layers.MelSpectrogram(
    fft_length=256,
    sequence_length=audio.FRAME_LENGTH,
    sequence_stride=audio.FRAME_STEP,
    sampling_rate=audio.SAMPLE_RATE,
    num_mel_bins=40,
    min_freq=20,
    max_freq=4_000,
)
longest = max(len(quiet), len(loud)) + 800
box = [np.pad(samples, (0, longest - len(samples))) for samples in (quiet, loud)]
alone = np.asarray(layer(quiet[None]))[0]  # [bands, frames], in dB
longer = np.asarray(layer(box[0][None]))[0, :, : alone.shape[1]]
beside = np.asarray(layer(np.stack(box)))[0, :, : alone.shape[1]]
by_zeros = np.abs(longer - alone)[:, -1].max()
by_neighbour = np.abs(beside - longer).max()
print(f"zeros after the clip change its last frame by up to {by_zeros:.1f} dB")
print(f"a loud clip in the same batch changes it by up to {by_neighbour:.1f} dB")

# %% [markdown]
# How much, depends on how far apart the levels of the two clips are. It is not zero, so what a clip looks like
# depends on its neighbours. So in this course: first the frames, for each clip by itself; then the padding.
#
# ## The mask
#
# A *mask* says for every frame of every clip whether it is real. `keras.layers.Masking(value)` makes one: a frame is padding if all its
# numbers equal `value`.

# %% [markdown] tags=["slide", "only-slides"]
# ## The mask: one value a frame

# %% tags=["more", "no-code"]
masking = keras.layers.Masking(batches.PADDING)
mask = np.asarray(masking.compute_mask(batch))
print("[batch, time] =", list(mask.shape), mask.dtype)
print("real frames by the mask: ", mask.sum(axis=1))
print("lengths of the clips:    ", batches.lengths(eight))

# %% [markdown]
# One value a frame: not one a band, and not one a clip. The mask is no part of the numbers. Keras ties it to them as a label, under the name
# `_keras_mask`, and each layer passes it on, uses it, or drops it. (`Masking` also sets the padded frames to 0.)

# %%
masked = masking(batch)
scale = keras.layers.Rescaling(
    1 / models.SPREAD_LOG_MEL, -models.TYPICAL_LOG_MEL / models.SPREAD_LOG_MEL
)
scaled = scale(masked)
print("same mask after Masking:  ", np.array_equal(masked._keras_mask, mask))
print("same mask after Rescaling:", np.array_equal(scaled._keras_mask, mask))
print("padded frames now hold", np.unique(np.asarray(scaled)[~mask]))

# %% [markdown]
# 0 / 4 + 5 / 4 is 1.25: after the scale, padding looks like any loud frame. Only the mask marks it.
#
# What does a recurrent layer do with it? It cannot skip a frame in a box (what earlier lessons called skipping is this): it computes a new state for each, and where the mask says "padding",
# it throws the new state away and *copies the old one on*. Below, the same layer with the same weights reads one clip twice: once
# with the mask, once with the label torn off.

# %% tags=["more", "no-code"]
keras.utils.set_random_seed(1)
layer = keras.layers.SimpleRNN(8, return_sequences=True)
shortest = int(mask.sum(axis=1).argmin())
end = int(mask[shortest].sum())
with_mask, without = (
    np.asarray(layer(numbers))[shortest] for numbers in (scaled, np.asarray(scaled))
)
axes = plt.subplots(figsize=(9, 2.8), layout="constrained")[1]
axes.plot(with_mask[:, 0], label="with the mask")
axes.plot(without[:, 0], "--", label="without")
axes.axvline(end - 0.5, color="grey", linewidth=1)
axes.legend(loc="upper left")
axes.set(
    xlabel="frame (grey line: the clip ends)",
    ylabel="state, first unit",
    title="with and without the mask",
)
drift = [
    np.abs(states[end:] - states[end - 1]).max() for states in (with_mask, without)
]
after = f"after the clip a state moves by {drift[0]:.1f} with the mask"
plots.show(axes, f"{after}, by up to {drift[1]:.2f} without")

# %% [markdown] tags=["notes"]
# Ask for the mask's shape before you uncover it: one value a frame, not one a band, not one a clip.
# Then the picture: same layer, same weights, same clip. With the mask the old state is copied on; without it the layer goes on reading, and what it heard of the clip is mixed
# with what it heard of the filling.

# %% [markdown]
# With the mask, the last state of the box is the state at the clip's end. Without it, the layer reads on, and what it heard of the clip is
# mixed with what it heard of the padding.
#
# ## Inputs of any length?
#
# It is said that recurrent networks handle inputs of any length. That can be tested: the logits of a clip must be the same alone, in a batch, and
# with any padding. **Predict, then run:** the same to the last digit, up to rounding, or about the same?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: inputs of any length?
#
# One clip: alone, in the box, with 60 frames more.
#
# **The same logits up to rounding, or about the same?**

# %% [markdown] tags=["notes"]
# Hands. It is a common claim about recurrent networks; here it is a test. Ask what would have to be equal, and how exactly, before the claim may be called true.

# %% [markdown] tags=["slide", "only-slides"]
# ## It holds, with a mask

# %% tags=["more", "no-code"]
keras.utils.set_random_seed(0)
model = models.lstm(rest.label.nunique())
alone = np.concatenate([model(frames[None]) for frames in eight])
for name, length in [("the box", None), ("60 frames more", batch.shape[1] + 60)]:
    change = np.abs(model(batches.pad(eight, length=length)) - alone).max()
    size = f"the logits reach {np.abs(alone).max():.2f}"
    print(f"{name}: a logit changes by {change:.1e} at most; {size}")

# %% [markdown] tags=["notes"]
# Up to rounding, the same. Then the caution: that a network ACCEPTS any length says nothing about how well it remembers a long clip. That is lesson 05.

# %% [markdown]
# The claim holds, as far as padding goes and up to rounding: with a mask. (That a network *accepts* a clip of any length says nothing yet about how well it
# remembers a long one; lesson 05 asks that.)
#
# ## The masking lab
#
# Now without. The same LSTM is trained three times, from the same first weights, on the same clips in the same batches:
# 1. **masked:** padded to the batch's longest clip, with a mask;
# 2. **batch padding:** padded to the batch's longest clip, without a mask;
# 3. **set padding:** padded to the longest clip of the whole set, without a mask. Many programs do this, to have one shape.
#
# A model without a mask should not see -1000: a careful person would fill up with silence. So do we: the second and the third get frames of
# digital silence, `SILENCE`. To save time, the lab takes 960 of the training clips, and every second frame. In each epoch the clips are
# drawn by lot into batches of 48: 20 batches of mixed lengths, as in most programs.

# %%
lab = clips.assign(frames=[frames[::2] for frames in clips.frames])
train = lab.loc[rest.index].sample(960, random_state=0)
fresh = lab.loc[validation.index]
LONGEST = int(batches.lengths(lab.frames).max())


def by_lot(clips, epoch=0):
    """Groups of about 48 clips, drawn by lot: a list of arrays of positions."""
    order = np.random.default_rng(epoch).permutation(len(clips))
    return np.array_split(order, len(clips) // 48)


groups = by_lot(train)
waste = batches.padding_waste(batches.lengths(train.frames), groups)
size = f"{len(groups)} groups, the first of {len(groups[0])} clips"
print(f"{size}; {waste:.0%} of their boxes is padding")

# %% [markdown]
# Two more tools: one makes a padded batch from each group, the other a `tf.data.Dataset` that draws new groups each epoch.


# %%
def boxes(clips, groups, filling, *, length=None):
    """A batch (frames, labels) for each group, as long as `length` or its longest."""
    for members in (clips.iloc[rows] for rows in groups):
        padded = batches.pad(members.frames.tolist(), length=length)
        padded[padded == batches.PADDING] = filling
        yield padded, members.label.cat.codes.to_numpy(np.int32)


print([list(padded.shape) for padded, _ in boxes(train, groups[:3], SILENCE)])


# %%
def as_dataset(clips, filling, *, length=None, grouping=by_lot):
    """The batches of an epoch as a `tf.data.Dataset`."""
    epoch, count = itertools.count(), len(grouping(clips))
    signature = (
        tf.TensorSpec([None, None, audio.N_MELS]),
        tf.TensorSpec([None], tf.int32),
    )

    def one_epoch():
        return boxes(clips, grouping(clips, next(epoch)), filling, length=length)

    dataset = tf.data.Dataset.from_generator(one_epoch, output_signature=signature)
    return dataset.apply(tf.data.experimental.assert_cardinality(count)).prefetch(2)


print(as_dataset(train, SILENCE).element_spec)

# %% [markdown]
# The shapes differ from batch to batch in their second number. Last, the model without its mask, and a `fit` with one setting for all.


# %%
def unmasked(recurrent, name):
    """The layers of `models.lstm` without the mask, around any recurrent layer."""
    clip = keras.Input([None, audio.N_MELS], name="frames")
    frames = keras.layers.Rescaling(scale.scale, scale.offset, name="scale")(clip)
    logits = keras.layers.Dense(10, name="logits")(recurrent(frames))
    return keras.Model(clip, logits, name=name)


example = unmasked(keras.layers.LSTM(64, name="lstm"), "unmasked")
print([layer.name for layer in example.layers])


# %%
def fit(model, dataset):
    """Train for eight epochs; give the loss of each epoch."""
    adam = keras.optimizers.Adam(5e-3, global_clipnorm=training.CLIP_NORM)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(adam, loss)
    return model.fit(dataset, epochs=8, shuffle=False, verbose=0).history["loss"]


# %% [markdown]
# **Predict, then run.** With ten digits, a guess is right once in ten times. Write down six numbers: the accuracy of each of the three models,
# when the validation clips come in boxes like those of its training, and when they come one at a time, without any padding, as they
# would from a microphone.
#
# The next cell takes about ten seconds.

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: one LSTM, three ways to pad
#
# 1. masked, padded to the batch's longest clip;
# 2. silence to the batch's longest, no mask;
# 3. silence to the set's longest, no mask.
#
# **Six accuracies: each in its boxes, and alone.**

# %% [markdown] tags=["notes"]
# Two minutes, on paper, six numbers. Do not help. Then start the cell: it takes about ten seconds. Ask meanwhile: which of the three is how YOUR programs do it?

# %%
ways = {
    "masked": (batches.PADDING, None),
    "batch padding": (SILENCE, None),
    "set padding": (SILENCE, LONGEST),
}
listeners = {}
for name, (filling, length) in ways.items():
    keras.utils.set_random_seed(0)
    if name == "masked":
        model = models.lstm(10)
    else:
        model = unmasked(keras.layers.LSTM(64, name="lstm"), name.replace(" ", "_"))
    filled = as_dataset(train, filling, length=length)
    losses = fit(model, filled)
    listeners[name] = model
    first, last = losses[0], losses[-1]
    print(f"{name:>13}: loss {first:.2f} in the first epoch, {last:.2f} in the last")


# %%
def answers_in_boxes_and_alone(model, filling, length):
    """The answers to the validation clips in boxes, and to each alone: two arrays."""
    signature = [tf.TensorSpec([None, None, audio.N_MELS])]
    forward = tf.function(model, input_signature=signature, autograph=False)
    groups = by_lot(fresh)
    padded = boxes(fresh, groups, filling, length=length)
    in_boxes = np.concatenate(
        [np.argmax(forward(frames), axis=1) for frames, _ in padded]
    )
    alone = np.array([np.argmax(forward(frames[None])) for frames in fresh.frames])
    return in_boxes[np.argsort(np.concatenate(groups))], alone


# %%
scores, truth = {}, fresh.label.cat.codes.to_numpy()
for name, model in listeners.items():
    in_boxes, alone = answers_in_boxes_and_alone(model, *ways[name])
    scores[f"{name}, in boxes"] = evaluation.score(in_boxes == truth)
    scores[f"{name}, alone"] = evaluation.score(alone == truth)
    of_all = f"{(in_boxes != alone).sum()} of {len(fresh)} validation clips"
    print(f"{name}: {of_all} get another answer alone")
pd.DataFrame(scores, index=evaluation.Score._fields).T.astype({"clips": int}).round(3)

# %% [markdown] tags=["slide", "only-slides"]
# ## What a missing mask costs

# %% tags=["more", "no-code"]
axes = plots.intervals(
    scores, chance=0.1, title="validation clips: one architecture, three ways to pad"
)
alone = {name: scores[f"{name}, alone"].accuracy for name in listeners}
lost = [alone["masked"] - alone[name] for name in ("batch padding", "set padding")]
fact = f"clips alone lose {lost[0]:.2f} of accuracy by batch padding"
plots.show(axes, f"{fact}, {lost[1]:.2f} by set padding")

# %% [markdown] tags=["notes"]
# Read from below. The set's padding guesses: why? (A long silence between the word and the answer.) Then the two lines of the batch's padding: it learned, and it learned WITH
# the padding. Nothing warned.
# Ask what somebody sees who only ever looks at boxes.

# %% [markdown]
# Look first at the last two lines. On the real recordings the model with the set's padding guesses. Its last state is read after a long
# silence; the training error would have to find its way back through that silence to the word. Lesson 05 measures how errors fade on such a way; exercise 4 tries another
# layer. (For a model that guesses, the count of changed answers means nothing. Its loss stays near 2.30, the logarithm of 10.)
#
# Then compare the two lines of the second model, and the count of answers that change. It learned, slower than the masked one, and it learned *with the padding*: the
# silence after the word is a part of what it hears. Take the silence away, and many clips get another answer, even where the accuracy changes little. Nothing warned: the loss
# fell. If you look only at the boxes, you may think that the model needs a few more epochs, and not a mask. For the masked model no answer changes, because padding is nothing to it.
#
# One run each is not the last word: with other first weights, or in a longer training, the second model comes out better or worse. How
# it depends on its padding can be seen directly.
#
# How much silence does it want, a few frames or many? We put 0, 1, 2, … frames of silence after each validation clip and read the answer there. The model's layers do
# it in one pass, if the recurrent one gives the state after every frame.


# %%
def probabilities_over_time(model, padded):
    """The probabilities that the model would give if it were asked after each frame."""
    reader = keras.layers.RNN(model.get_layer("lstm").cell, return_sequences=True)
    logits = model.get_layer("logits")(reader(model.get_layer("scale")(padded)))
    return np.asarray(keras.ops.softmax(logits))


ends = batches.lengths(fresh.frames)
silences = np.arange(LONGEST)
padded = batches.pad(fresh.frames.tolist(), length=ends.max() + len(silences))
padded[padded == batches.PADDING] = SILENCE
over_time = {
    name: probabilities_over_time(listeners[name], padded)
    for name in ["batch padding", "set padding"]
}
rows = np.arange(len(fresh))[:, None]
after = {
    name: values[rows, ends[:, None] - 1 + silences]
    for name, values in over_time.items()
}
print("[clips, frames of silence, classes] =", list(after["batch padding"].shape))

# %% [markdown] tags=["slide", "only-slides"]
# ## When is it asked?
#
# How much silence does the second model want?

# %% tags=["more", "no-code"]
axes = plt.subplots(figsize=(9, 3), layout="constrained")[1]
axes.axhline(
    scores["masked, alone"].accuracy,
    color="black",
    linewidth=1,
    label="masked, any padding",
)
for (name, values), style in zip(after.items(), ["-", "--"]):
    right = (values.argmax(axis=2) == truth[:, None]).mean(axis=0)
    axes.plot(silences, right, style, label=name)
axes.set(
    xlabel="frames of silence after the clip (20 ms each)",
    ylabel="accuracy on validation clips",
    ylim=(0, 1),
)
axes.set_title("when is it asked?")
axes.legend()
curve = (after["batch padding"].argmax(axis=2) == truth[:, None]).mean(axis=0)
later = f"{curve[3]:.2f} after 3 frames, {curve[40]:.2f} after 40"
plots.show(axes, f"batch padding: {curve[0]:.2f} at the clip's end, {later}")

# %% [markdown] tags=["notes"]
# At the far left the clip ends and nothing follows: a microphone asks there. Does the line rise from there, and how far? With much more silence than the
# model knows, it falls. The masked model's line is level: padding is nothing to it.

# %% [markdown]
# The same for one clip: the one whose word gains most between its own end and 40 frames later. You see the
# running answer: the probability of the word that was said.

# %%
of_word = after["batch padding"][np.arange(len(fresh)), :, truth]
row = int((of_word[:, 40] - of_word[:, 0]).argmax())
shown = padded[row, : ends[row] + 40]
curves = {
    name: np.repeat(values[row, : len(shown), truth[row]], 2)
    for name, values in over_time.items()
}
word = fresh.label.iloc[row]
figure = plots.under_frames(
    np.repeat(shown, 2, axis=0),
    curves,
    unit=f"probability of {word}",
    title="its answer",
)
at_end, later = of_word[row, 0], of_word[row, 40]
fact = f"batch padding: {word} has {at_end:.2f} at the clip's end"
plots.show(figure, f"{fact}, {later:.2f} forty frames later")

# %% [markdown]
# (Each frame of the lab is drawn twice, since it took every second one.) A last state that is read in the wrong place is a common
# error, and the numbers above are what it cost here, in one run. They go into your table: the scores of clips that come alone.

# %%
results = evaluation.Results()
for name, model in listeners.items():
    entry = {
        "lesson": "04",
        "model": f"lstm, {name}",
        "data": rest.source.iloc[0],
        "split": "validation",
    }
    table = results.add(
        score=scores[f"{name}, alone"], parameters=model.count_params(), **entry
    )
table[table.lesson == "04"][["model", "accuracy", "clips", "parameters"]].round(3)

# %% [markdown]
# ## A check that takes a second
#
# You need not train to find out. `evaluation.check_mask(model, batch)` gives the model each clip of a padded batch alone, in the batch, and with
# more padding, and compares the logits. It returns the largest change. If that is more than rounding, it raises an error and names the layer to mend.

# %% [markdown] tags=["slide", "only-slides"]
# ## A check that takes a second

# %% tags=["more"]
four = sorted(eight, key=len)[:4]
small = batches.pad(four)
for name, model in listeners.items():
    try:
        print(f"{name}: a logit changes by {evaluation.check_mask(model, small):.1e}")
    except AssertionError as error:
        print(f"{name}: {error}")

# %% [markdown] tags=["notes"]
# No training is needed to find the fault: alone, in the batch, with more padding, and compare. Read the error aloud: it names the layer. From here on the course calls it after
# every model that it builds.

# %% [markdown]
# (It fills up with `PADDING`, which two of these models have never seen: the size of their change says little; that there is one says enough.)
#
# From here on this course calls `check_mask` after every model that it builds.
#
# ## The gallery of mask-breakers
#
# A mask is made by the first layer and used by a later one. In between, it can be lost. The function below builds a model around a few layers, collects what Keras warns of, and
# lets `check_mask` speak. First a model that is in order.


# %%
def front(clip):
    """The first two layers of this course's models: the mask, and a fixed scale."""
    masked = keras.layers.Masking(batches.PADDING, name="mask")(clip)
    return keras.layers.Rescaling(0.25, 1.25, name="scale")(masked)


# %%
def examine(summary):
    """Build a model around `summary`; print what check_mask and Keras say."""
    keras.utils.set_random_seed(0)
    clip = keras.Input([None, audio.N_MELS], name="frames")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = keras.Model(clip, keras.layers.Dense(10, name="logits")(summary(clip)))
        try:
            change = evaluation.check_mask(model, small)
            print(f"check_mask: a logit changes by {change:.1e}: passed")
        except AssertionError as error:
            print(f"check_mask: {error}")
    texts = dict.fromkeys(str(warning.message) for warning in caught)
    print("Keras warns:", *texts or ["of nothing"])


# %%
examine(lambda clip: keras.layers.GRU(16, name="gru")(front(clip)))

# %% [markdown]
# **Predict, then run**, before each of the next cells: will `check_mask` pass? Will Keras warn?
#
# **1. Conv1D**, a [*convolution*](../docs/glossary.md#convolution), is a `Dense` layer on three neighbouring frames, moved along the clip. (The [GRU](../docs/glossary.md#gru) after it is another recurrent layer; lesson 07 takes it apart.) So the last frame of a clip sees the first frame of the padding.


# %%
def convolved(clip):
    features = keras.layers.Conv1D(
        16, 3, padding="same", activation="relu", name="conv"
    )(front(clip))
    return keras.layers.GRU(16, name="gru")(features)


examine(convolved)

# %% [markdown]
# Symptom: the GRU reads on to the end of the box. Two things are wrong, the lost mask and the last frame, which sees padding; an exercise below
# mends both.
#
# **2. Reshape** is there to add an axis, to drop one, or, as here, for nothing at all.


# %%
def reshaped(clip):
    reshape = keras.layers.Reshape([-1, audio.N_MELS], name="reshape")
    return keras.layers.GRU(16, name="gru")(reshape(front(clip)))


def reshaped_first(clip):
    reshape = keras.layers.Reshape([-1, audio.N_MELS], name="reshape")
    return keras.layers.GRU(16, name="gru")(front(reshape(clip)))


for summary in (reshaped, reshaped_first):
    examine(summary)

# %% [markdown]
# Symptom: as before. Mend: reshape first, mask after.
#
# **3. Lambda**, a layer around a function of your own; and the same function written as plain arithmetic.


# %%
def divided(clip):
    own = keras.layers.Lambda(lambda numbers: numbers / 4, name="own")
    return keras.layers.GRU(16, name="gru")(own(front(clip)))


def arithmetic(clip):
    return keras.layers.GRU(16, name="gru")(front(clip) / 4)


def kept(clip):
    own = keras.layers.Lambda(
        lambda numbers: numbers / 4, mask=lambda numbers, mask: mask, name="own"
    )
    return keras.layers.GRU(16, name="gru")(own(front(clip)))


for summary in (divided, arithmetic, kept):
    examine(summary)

# %% [markdown]
# Symptom: both lose the mask; look which of them does so without a word. Mend: `Lambda(function, mask=…)`, where the second function says what becomes of the
# mask; or, where there is one, a layer that keeps it, such as `Rescaling`.
#
# **4. A layer that normalises before the mask.** `Normalization` subtracts a mean and divides by a standard deviation. It seems to belong at the very front.


# %%
def normalised(clip):
    normalise = keras.layers.Normalization(mean=-5.0, variance=16.0, name="normalise")
    mask = keras.layers.Masking(batches.PADDING, name="mask")
    return keras.layers.GRU(16, name="gru")(mask(normalise(clip)))


def normalised_after(clip):
    normalise = keras.layers.Normalization(mean=-5.0, variance=16.0, name="normalise")
    mask = keras.layers.Masking(batches.PADDING, name="mask")
    return keras.layers.GRU(16, name="gru")(normalise(mask(clip)))


for summary in (normalised, normalised_after):
    examine(summary)

# %% [markdown]
# Symptom: the padding is no longer the value that `Masking` looks for, so that the mask says "all real", and Keras has nothing to warn of. Mend: mask first.
#
# **5. A silent frame in the middle.** Many programs fill up with 0, and use `Masking(0.)`. Say, somebody shifts the frames so that digital
# silence is 0 and every sound is above it, and fills up with 0, too. Inside one clip we put a pause of five silent frames, as a cut or a noise gate does.

# %%
keras.utils.set_random_seed(0)
above = np.float32(eight[shortest] - SILENCE)
pause = np.insert(above, [len(above) // 2] * 5, 0, axis=0)
zero = keras.layers.Masking(0.0, name="mask")
zero_masked = keras.Sequential([zero, keras.layers.GRU(16, name="gru")])
states = [np.asarray(zero_masked(frames[None])) for frames in (above, pause)]
kept = np.sum(zero.compute_mask(pause[None]))
print(f"with the pause, the clip has {len(pause)} frames; the mask keeps {kept}")
print(f"the pause changes the state by {np.abs(states[1] - states[0]).max():.1f}")


def masked_zeros(clip):
    mask = keras.layers.Masking(0.0, name="mask")
    return keras.layers.GRU(16, name="gru")(mask(clip))


examine(masked_zeros)

# %% [markdown]
# Symptom: the pause is deleted without a word. In a rhythm, that is a rest left out. `check_mask` does not look inside your clips; it
# complains because the mask looks for another value than `batches.PADDING`. Mend: fill up with a value that no frame can have.
#
# **6. Left padding.** `keras.utils.pad_sequences` fills up *in front*, if you do not ask otherwise. Does a masked GRU mind?

# %%
keras.utils.set_random_seed(0)
left = keras.utils.pad_sequences(four, dtype="float32", value=batches.PADDING)
model = models.gru(10)
padded_first = bool((left[0, 0] == batches.PADDING).all())
print("the first frame of the shortest clip is padding:", padded_first)
print(f"a logit changes by {np.abs(model(left) - model(small)).max():.1e}")
try:
    evaluation.check_mask(model, left)
except ValueError as error:
    print("check_mask:", error)
change = evaluation.check_mask(model, small)
print(f"check_mask of the same model, padded at the end: {change:.1e}")

# %% [markdown]
# On a processor it does not: the first state is copied on until the clip begins. On a graphics card, Keras hands LSTM and GRU layers to NVIDIA's [cuDNN](../docs/glossary.md#cudnn) library, whose programs
# need the padding at the end; Keras's own code refuses such a mask there with an error (read in Keras 3, not run here). So: always at the end.
#
# ## Which layers keep a mask?
#
# **Predict, then run:** each layer below gets masked frames, as in prediction. You need not know them all: guess from the name. Mark those that you expect to drop the mask. The second column asks the question that matters: do the
# layer's numbers *for real frames* change when there is more padding?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: which layers lose the mask?
#
# Dense, LayerNormalization, Dropout, Concatenate, Rescaling,
# Bidirectional, GlobalAveragePooling1D, GlobalMaxPooling1D, Conv1D, Reshape.
#
# **Which drop it? Which change what real frames say?**

# %% [markdown] tags=["notes"]
# In pairs, two columns on paper. The second question is the one that matters: a layer that removes the time axis needs no mask after it.


# %%
def keeps(layer):
    """Whether a layer keeps the mask, and how much padding changes its real frames."""
    outputs = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for padded in (small, batches.pad(four, length=20 + small.shape[1])):
            frames = masking(padded)
            if isinstance(layer, keras.layers.Concatenate):
                frames = [frames, frames]
            outputs.append(layer(frames))
    passed = getattr(outputs[0], "_keras_mask", None) is not None
    short, long = map(np.asarray, outputs)
    if short.ndim == 3:  # compare real frames
        real = (small != batches.PADDING).all(axis=2)
        short, long = short[real], long[:, : small.shape[1]][real]
    change = np.abs(long - short).max()
    return {
        "mask after it": "kept" if passed else "-",
        "change": f"{change:.1f}" if change > 1e-5 else "none",
    }


# %% [markdown] tags=["slide", "only-slides"]
# ## Two questions of every layer

# %% tags=["more", "no-code"]
L, states = keras.layers, keras.layers.GRU(4, return_sequences=True)
several = {
    "Dense": L.Dense(4),
    "LayerNormalization": L.LayerNormalization(),
    "BatchNormalization": L.BatchNormalization(),
    "Dropout": L.Dropout(0.2),
    "Concatenate": L.Concatenate(),
    "Rescaling": L.Rescaling(0.25),
    "GRU, all states": states,
    "Bidirectional, all states": L.Bidirectional(states),
    "Bidirectional, last states": L.Bidirectional(L.GRU(4)),
    "GlobalAveragePooling1D": L.GlobalAveragePooling1D(),
    "GlobalMaxPooling1D": L.GlobalMaxPooling1D(),
    "Conv1D": L.Conv1D(4, 3, padding="same"),
    "Reshape": L.Reshape([-1, 40]),
}
pd.DataFrame({name: keeps(layer) for name, layer in several.items()}).T

# %% [markdown] tags=["notes"]
# Three lines to discuss: the average over time (no mask after it, and right), the maximum over time (wrong numbers: it does not look at the mask), and Conv1D (it looks innocent
# only because Masking stands directly before it).
# check_mask on the whole model is the stricter judge.

# %% [markdown]
# A layer that removes the time axis needs no mask after it; what matters there is the second column. `GlobalAveragePooling1D` leaves the padding out of its mean.
# `GlobalMaxPooling1D` does not look at the mask at all: `Masking` has set the padding to 0, and 0 is more than the logarithm of a quiet band. `Conv1D` shows no
# change here for one reason only: `Masking` stands right before it, and Keras itself puts zeros beyond the end of a box. With a `Rescaling` in between, the
# padding is no longer 0. `check_mask`, which follows the numbers to the logits of the whole model, is the stricter judge.
#
# ## What padding costs
#
# A mask makes padding harmless. It does not make it free: the new state is computed for every frame of the box, and thrown away. Three ways to choose the clips of a batch:
# - **random:** by lot, in a new order each epoch;
# - **sorted:** by length, 48 neighbours at a time;
# - **bucketed:** the sorted row is cut into [*buckets*](../docs/glossary.md#bucket), here sixteen; within a bucket clips are drawn by lot and padded to the bucket's longest.
#   `batches.bucketed` does this, and looks for the cuts that need the fewest frames of padding.

# %% [markdown] tags=["slide", "only-slides"]
# ## A mask makes padding harmless, not free
#
# Grey is computed and thrown away.

# %% tags=["more", "no-code"]
counts = batches.lengths(train.frames)
in_order = np.array_split(np.argsort(counts, kind="stable"), len(train) // 48)
buckets = batches.bucket(counts, batch_size=48)
groupings = {"random": by_lot(train), "sorted": in_order, "bucketed": buckets}
figure, panels = plt.subplots(1, 3, figsize=(9, 2.8), layout="constrained", sharey=True)
wasted = []
for axes, (name, groups) in zip(panels, groupings.items()):
    sizes = np.concatenate([np.full(len(rows), counts[rows].max()) for rows in groups])
    real, places = counts[np.concatenate(groups)], np.arange(len(sizes))
    axes.fill_between(places, sizes, step="post", color="lightgrey", label="padding")
    axes.fill_between(places, real, step="post", label="clips")
    waste = f"{batches.padding_waste(counts, groups):.0%}"
    axes.set(title=f"{name}: {waste} padding", xlabel="clip, by batch or bucket")
    wasted.append(f"{waste} {name}")
panels[0].set_ylabel("length (frames of 20 ms)")
panels[0].legend()
plots.show(figure, f"the grey part, padding, is {', '.join(wasted)}")

# %% [markdown] tags=["notes"]
# Guess before the next cell: if grey costs as much as blue, how many times as long does the random epoch take as the sorted one? It comes out lower, since a batch has costs of
# its own.
# Then ask what order takes in return: chance. Sorted batches are the same company in every epoch.

# %% [markdown]
# **Predict, then run:** if the grey part costs as much as the coloured one, how many times as long does an epoch with random batches take as one with sorted ones? The cell
# trains one LSTM; after an epoch to warm up, it takes the faster of two epochs each. It counts seconds of processor time, which other programs disturb less
# than the clock.

# %%
keras.utils.set_random_seed(0)
model = models.lstm(10)
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))


def by_length(clips, epoch=0):
    """The sorted groups, the same in every epoch."""
    return in_order


epochs = {
    "random": as_dataset(train, batches.PADDING),
    "sorted": as_dataset(train, batches.PADDING, grouping=by_length),
    "bucketed": batches.bucketed(train.frames, train.label, batch_size=48),
}
print(f"check_mask: {evaluation.check_mask(model, small):.1e}")

# %% tags=["timing"]
model.fit(epochs["random"], shuffle=False, verbose=0)
seconds = {name: [] for name in epochs}
for name in [*epochs, *epochs]:
    start = time.process_time()
    model.fit(epochs[name], shuffle=False, verbose=0)
    seconds[name].append(time.process_time() - start)
for name, times in seconds.items():
    print(f"{name}: {times[0]:.2f} and {times[1]:.2f} CPU seconds")

# %% tags=["timing"]
least = {name: min(times) for name, times in seconds.items()}
frames_in_boxes = {
    name: sum(len(rows) * counts[rows].max() for rows in groups)
    for name, groups in groupings.items()
}
columns = {"frames in boxes": frames_in_boxes, "CPU seconds an epoch": least}
comparison = pd.DataFrame(columns)
comparison["times the sorted"] = comparison["CPU seconds an epoch"] / least["sorted"]
comparison.round(2)

# %% [markdown]
# Fewer frames in boxes, fewer seconds; not in exact proportion, since a batch has costs of its own, and buckets make more and smaller batches.
# Two runs of the same epoch differ as well: do not read sorted against bucketed. Buckets have a second merit: few lengths, for a compiler such as [XLA](../docs/glossary.md#xla), which makes a program for each length anew.
#
# What do order and buckets take in return? Chance. Long clips come with long clips; and a speaker who speaks slowly meets himself. The cell
# asks how large a share of a batch its most frequent speaker has, and how many others a clip can ever meet in a batch.


# %%
def largest_share(groups):
    """The share of the most frequent speaker in a batch, mean over the batches."""
    speakers = [train.group.iloc[rows] for rows in groups]
    return np.mean([own.value_counts(normalize=True).max() for own in speakers])


draw = np.random.default_rng(0).permutation
in_batches = []
for rows in groupings["bucketed"]:
    in_batches += np.array_split(draw(rows), int(np.ceil(len(rows) / 48)))
met = {  # how many clips are drawn from together
    "random": [len(train)],
    "sorted": [len(rows) for rows in in_order],
    "bucketed": [len(rows) for rows in groupings["bucketed"]],
}
for name, groups in {**groupings, "bucketed": in_batches}.items():
    others = np.average(np.array(met[name]) - 1, weights=met[name])
    one = f"{largest_share(groups):.0%} of a batch is one speaker"
    print(f"{name}: {one}; a clip can meet {others:.0f} others")

# %% [markdown] tags=["slide", "only-slides"]
# ## Your turn: mend the convolution
#
# It sees three frames; a GRU reads what it gives.
#
# - Which frames may it see at the clip's end?
# - How does the GRU get its mask?

# %% [markdown] tags=["notes"]
# This is exercise 3. Begin with exercise 1, the masked mean, for everybody: it takes five minutes and shows who has understood the mask's shape. Exercise 2 needs no computer.

# %% [markdown]
# In sorted batches the same clips sit together in every epoch. Buckets are about as one-sided as regards the speaker, yet most clips meet others from epoch to epoch, because a bucket of
# more than one batch is dealt anew, and the batches come in a new order. That is the bargain this course takes.
#
# ## Exercises
#
# Replace the three dots by your own code. The cell below each exercise checks it.
#
# **Exercise 1.** Write `masked_mean(frames, mask)` in NumPy: the mean over time of each clip's real frames, `[batch, mel]`. `frames` is `[batch, time, mel]`,
# `mask` is `[batch, time]`. It should equal `GlobalAveragePooling1D`.


# %% tags=["solution"]
def masked_mean(frames, mask):
    """The mean over real frames of each clip."""
    return (frames * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1)[:, None]


# %% tags=["check"]
given = batch.copy()
found = masked_mean(given, mask)
assert found is not None, (
    "masked_mean should return an array [batch, mel]; yours returns nothing yet"
)
assert np.shape(found) == (len(batch), 40), (
    f"expected {(len(batch), 40)}, found {np.shape(found)}: which axis is time?"
)
assert not np.allclose(found, batch.mean(axis=1), rtol=1e-3), (
    "a mean over all frames, padding too: use the mask"
)
over_all = (batch * mask[:, :, None]).mean(axis=1)
assert not np.allclose(found, over_all, rtol=1e-3), (
    "you divide by all frames of the box: how many of a clip's frames are real?"
)
by_keras = np.asarray(keras.layers.GlobalAveragePooling1D()(masked))
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
# **Exercise 2.** Ten clips have these lengths, and come in two groups. Set `waste_now` to the share of all frames in the two boxes that is padding, by hand,
# not by `padding_waste`. Then find `groups`: three lists of positions, of any sizes, that waste as little as you can.

# %%
ten = np.array([14, 80, 12, 44, 17, 13, 15, 40, 16, 12])
now = [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
print([ten[rows].tolist() for rows in now])

# %% tags=["solution"]
in_boxes = sum(len(rows) * ten[rows].max() for rows in now)
waste_now = 1 - ten.sum() / in_boxes
groups = [[0, 2, 4, 5, 6, 8, 9], [3, 7], [1]]

# %% tags=["check"]
assert isinstance(waste_now, float), (
    "`waste_now` should be one number, a share from 0 to 1"
)
each = [1 - ten[rows].sum() / (len(rows) * ten[rows].max()) for rows in now]
right = batches.padding_waste(ten, now)
ratio = sum(5 * ten[rows].max() for rows in now) / ten.sum() - 1
assert not np.isclose(waste_now, 1 - right), (
    "that is the share of real frames; asked is the share of padding"
)
assert not np.isclose(waste_now, ratio), (
    "you divided by the real frames: the share is of all frames in the boxes"
)
assert not np.isclose(waste_now, np.mean(each)), (
    "the boxes are not equally large: add up frames first, divide once"
)
assert np.isclose(waste_now, right), (
    f"found {waste_now:.3f}: how many frames have both boxes, and how many are real?"
)
assert isinstance(groups, list) and len(groups) <= 3, (
    "`groups` should be a list of three lists of positions"
)
assert sorted(sum(map(list, groups), [])) == list(range(10)), (
    "each position from 0 to 9 once; positions, not lengths"
)
new = batches.padding_waste(ten, [np.array(rows) for rows in groups if len(rows)])
assert new < 0.1, (
    f"{new:.0%} is still padding, and less than a tenth can be reached: "
    "which clips make a box long?"
)
print(f"padding: {waste_now:.0%} before, {new:.0%} now")

# %% [markdown]
# **Exercise 3.** Mend the model with the convolution: write `mended(clip)`, which gives `front(clip)` to a `Conv1D` over three frames, and that to a GRU, such that
# `check_mask` passes. Two things have to be mended. Which frames may an output of the convolution see, if the padding stands at the end? (Look up what
# `padding="causal"` does.) And how does the GRU get its mask? (A recurrent layer takes `mask=`, and `Masking` has `compute_mask`.)


# %% tags=["solution"]
def mended(clip):
    """Frames → a summary [batch, values] on which padding has no influence."""
    features = keras.layers.Conv1D(16, 3, padding="causal", activation="relu")(
        front(clip)
    )
    return keras.layers.GRU(16)(
        features, mask=keras.layers.Masking(batches.PADDING).compute_mask(clip)
    )


# %% tags=["check"]
clip = keras.Input([None, audio.N_MELS])
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    summary = mended(clip)
    assert summary is not None, (
        "mended should return what the GRU gives; yours returns nothing yet"
    )
    net = keras.Model(clip, keras.layers.Dense(10)(summary))
    kinds = {type(layer).__name__ for layer in net.layers}
    assert kinds >= {"Rescaling", "Conv1D", "GRU"}, (
        f"mend, do not remove: front, Conv1D, GRU; found {sorted(kinds)}"
    )
    convolutions = [
        layer for layer in net.layers if isinstance(layer, keras.layers.Conv1D)
    ]
    width = convolutions[0].kernel_size
    assert width == (3,), f"expected a convolution over three frames, found {width}"
    far, further = (
        np.asarray(net(batches.pad(four, length=small.shape[1] + more)))
        for more in (2, 40)
    )
    alone = np.concatenate([net(frames[None]) for frames in four])
    assert np.allclose(far, further, atol=1e-5), (
        "more padding changes the logits: does the GRU get a mask, "
        "and was it made where padding is still PADDING?"
    )
    assert np.allclose(far, alone, atol=1e-5), (
        "a clip's last states see padding: "
        "which frames does the convolution look at for the clip's last frame?"
    )
    others = [*validation.frames.iloc[40:46], validation.frames.iloc[50][:2]]
    try:
        evaluation.check_mask(net, batches.pad(others))
    except AssertionError as error:
        raise AssertionError(
            f"right for these clips, not for others: {error}"
        ) from None
    change = evaluation.check_mask(net, small)
print(f"check_mask: a logit changes by {change:.1e}")

# %% [markdown]
# **Exercise 4.** The LSTM with the set's padding guessed on the real recordings. Is that the padding, or the LSTM? Train a GRU with the same padding: `gru = unmasked(…)` around
# `keras.layers.GRU(64)`, then `fit` on the clips padded to `LONGEST` with `SILENCE`. Write your guess down first. (About five seconds.)

# %% tags=["solution"]
keras.utils.set_random_seed(0)
gru = unmasked(keras.layers.GRU(64), "gru")
losses = fit(gru, as_dataset(train, SILENCE, length=LONGEST))

# %% tags=["check"]
assert isinstance(gru, keras.Model), (
    f"`gru` should be a Keras model, found {type(gru).__name__}"
)
kinds = {type(layer).__name__ for layer in gru.layers}
assert "GRU" in kinds, f"expected a GRU among the layers, found {sorted(kinds)}"
assert "Masking" not in kinds, (
    "this experiment is about a model without a mask, and yours has one"
)
assert "Rescaling" in kinds, (
    f"the LSTM had a fixed scale before it, the GRU has not: found {sorted(kinds)}"
)
width = [layer.units for layer in gru.layers if isinstance(layer, keras.layers.GRU)]
assert width == [64], f"expected one GRU of as many units as the LSTM, found {width}"
steps = int(gru.optimizer.iterations) if getattr(gru, "optimizer", None) else 0
assert steps >= 8 * 20, (
    f"expected a trained model, found {steps} steps: "
    "eight epochs of 20 batches are more"
)
gru_scores = [
    evaluation.score(answers == truth)
    for answers in answers_in_boxes_and_alone(gru, SILENCE, LONGEST)
]
print(f"GRU, set padding, in boxes: {gru_scores[0]}")
print(f"GRU, set padding, alone:    {gru_scores[1]}")
try:
    evaluation.check_mask(gru, small)
except AssertionError as error:
    print(f"check_mask: {error}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz
#
# 1. A batch is [32, 120, 40]: what shape has its mask?
# 2. Reshape before the LSTM, good validation accuracy: is the mask at work?
# 3. What does bucketing buy, and what does it cost?

# %% [markdown] tags=["notes"]
# Right are 1 C, 2 B, 3 A. If question 2 gets many "yes" votes, go back to the picture of the three ways to pad and ask where the second model's boxes stood. The choices are in
# the notebook and on the quiz sheet.

# %% [markdown]
# On the real recordings the GRU gets through the silence, at least in part: so the padding alone does not explain the guessing. What such a model does with a clip alone
# cannot be known beforehand; it may even come out ahead. One run each shows that the layer can matter, not how. Compare its two lines with the masked LSTM, though.
#
# **You have seen**
# - a mask on its way from the padding to the last state, and a recurrent network that handles inputs of any length, with a mask;
# - one model trained three times, with a mask and without, and what the missing mask costs;
# - the layers that lose a mask, caught by `check_mask`, and what padding costs in seconds.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. A batch has the shape [32, 120, 40]. What is the shape of its mask?**
#
# <details><summary>A. [32, 120, 40]</summary>No: a frame is padding as a whole, so one value a frame is enough; the bands share it.</details>
# <details><summary>B. [32]</summary>No: that could say which clips are real. The lengths have this shape, and a mask can be made from them.</details>
# <details><summary>C. [32, 120]</summary>Yes: for each clip and each frame, real or padding.</details>
#
# **2. A masked model has a Reshape layer between its mask and its LSTM, and its validation accuracy is good. Is the mask at work?**
#
# <details><summary>A. Yes: a lost mask would show as a bad accuracy.</summary>No: the validation clips come in boxes as well, so that a model can learn to count on the padding. Alone the clips may get other answers.</details>
# <details><summary>B. No: Reshape drops it, and only a comparison with clips alone, such as <code>check_mask</code>, shows what that costs.</summary>Yes: the LSTM reads on through the padding, and the accuracy in boxes does not tell you.</details>
# <details><summary>C. Yes: <code>Masking</code> has set the padding to 0, and an LSTM ignores zeros.</summary>No: a frame of zeros changes the state like any other frame; its bias and its old state go on acting.</details>
#
# **3. What does bucketing by length buy, and what does it cost?**
#
# <details><summary>A. Less padding, so fewer frames to compute; the clips of a batch are more alike than if drawn by lot.</summary>Yes: and few lengths, so that a compiler such as XLA has few shapes to compile for.</details>
# <details><summary>B. Right answers without a mask; the order of the clips.</summary>No: even within a bucket the lengths differ, so a mask is needed as before.</details>
# <details><summary>C. Fewer clips an epoch; nothing.</summary>No: every clip comes once an epoch, as before. Only who sits beside whom changes.</details>
#
# Next: [05 Training a vanilla RNN](05_training_a_vanilla_rnn.ipynb). Back to the map: [00 Start here](00_start_here.ipynb).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
