# %% [markdown]
# # 04b · Layers that lose the mask, and what padding costs (bonus)
#
# Lesson 04 ended with a masked LSTM that is exact. Real models have more layers. One careless layer between the mask and the LSTM is enough,
# and the model counts on its padding again, often without a warning. Which layers do that, and what helps?
#
# **You will**
# - catch the layers that lose a mask, and write one of your own that keeps it;
# - see three ways in which padding gets into real frames, even with a perfect mask;
# - measure what padding costs in seconds, and group clips so that it costs less.
#
# **Minutes:** 80, of which the computer takes about half of one. **You need:** lesson 04, and Keras's functional API (`keras.Model(inputs, outputs)`).

# %% [markdown] tags=["slide", "only-slides"]
# ## One careless layer is enough
#
# *Masking → Rescaling → ? → GRU → logits*
#
# - Does the mask arrive?

# %% [markdown] tags=["notes"]
# Draw the boxes in a row, and a ticket that is handed on from box to box. Put layers in the place of the question mark, and ask each time whether the ticket arrives.

# %% tags=["setup"]
import setup_course

# %%
import tempfile
import time
import warnings

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from course_lib import audio, batches, data, evaluation, models, plots

train, validation, test = data.load_parts("digits")
PADDING, layers = batches.PADDING, keras.layers
four = sorted(validation.sample(8, random_state=3).frames, key=len)[:4]
batch = batches.pad(four)

# %% [markdown]
# ## The gallery of mask-breakers
#
# `examine` builds a model around a few layers. It prints what Keras warns of and what `check_mask` says. A [GRU](../docs/glossary.md#gru) is another recurrent
# layer; lesson 07 opens it. First a correct model.


# %%
def mask():
    return layers.Masking(PADDING, name="mask")


def scale():
    return layers.Rescaling(1 / 4, 5 / 4, name="scale")


def verdict(model):
    """Print what check_mask says."""
    try:
        change = evaluation.check_mask(model, batch)
        print(f"check_mask: passed, a logit changes by {change:.0e}")
    except AssertionError as error:
        print(f"check_mask: {error}")


# %%
def examine(*chosen):
    """Put a GRU and logits behind the layers; print what Keras and check_mask say."""
    keras.utils.set_random_seed(0)
    ends = [layers.GRU(16, name="gru"), layers.Dense(10, name="logits")]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = keras.Sequential([keras.Input([None, 40]), *chosen, *ends])
        verdict(model)
    texts = {str(warning.message) for warning in caught}
    print("Keras warns:", *texts or ["of nothing"])


examine(mask(), scale())

# %% [markdown]
# **Predict, then run**, before each of the next cells: will `check_mask` pass? Will Keras warn?
#
# **1. Conv1D.** A [*convolution*](../docs/glossary.md#convolution) is a `Dense` layer on three neighbouring frames, moved along the clip.
#
# **2. Reshape** adds an axis, drops one, or, as here, does nothing at all. Does it matter whether it stands before or after the mask?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: what becomes of the mask?
#
# Conv1D · Reshape · `frames / 4` · Normalization in front of Masking

# %% tags=["more"]
examine(mask(), scale(), layers.Conv1D(16, 3, padding="same", name="conv"))
examine(mask(), scale(), layers.Reshape([-1, 40], name="reshape"))
examine(layers.Reshape([-1, 40], name="reshape"), mask(), scale())

# %% [markdown]
# Keras warns, and the mask is lost. The convolution has a second fault: the last real frame has a neighbour on its right, and that is padding. Exercise 3
# fixes both. For Reshape the fix is the order: reshape first, mask after.
#
# **3. Arithmetic.** In the functional API you can write `frames / 4` between two layers.

# %% [markdown] tags=["slide", "only-slides"]
# ## Arithmetic between two layers
#
# Will Keras warn?

# %% tags=["more"]
clip = keras.Input([None, 40])
frames = scale()(mask()(clip))
state = layers.GRU(16, name="gru")(frames / 4)
verdict(keras.Model(clip, layers.Dense(10)(state)))

# %% [markdown]
# **The mask is lost, and nothing warned.** This is the most dangerous of all.
#
# Fix: use a layer that keeps the mask (here another `Rescaling`), or write one. A layer of your own is a class with two methods: `__init__`, which makes it (and
# hands on Keras's own options, such as its name), and `call`, which computes. For the mask it needs one line more: `supports_masking = True`
# says "my output has the mask of my input". The decorator gives the class a name in saved files, so that Keras finds it when it loads the model.
#
# Many programs use a `Lambda` layer instead. It drops the mask (with a warning), and a model with it cannot be loaded, as the second cell shows.


# %%
@keras.saving.register_keras_serializable("lesson_04b")
class Quarter(layers.Layer):
    """Divide by four; keep the mask."""

    def __init__(self, **options):
        super().__init__(**options)
        self.supports_masking = True

    def call(self, frames):
        return frames / 4


examine(mask(), scale(), Quarter(name="quarter"))
examine(mask(), scale(), layers.Lambda(lambda frames: frames / 4, name="own"))


# %% tags=["fold"]
# @title Try: save and load a model of one layer {display-mode: "form"}
def save_and_load(layer):
    """Save a model of one layer, load it, and print whether that worked."""
    model = keras.Sequential([keras.Input([None, 40]), layer])
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        try:
            again = keras.models.load_model(f"{folder}/model.keras")
            print("loaded; same output:", np.allclose(again(batch), model(batch)))
        except ValueError as error:
            print("not loaded:", str(error).partition(".")[0])


save_and_load(Quarter())
save_and_load(layers.Lambda(lambda frames: frames / 4))

# %% [markdown]
# A `Lambda` layer is saved as code, and Keras refuses to run unknown code from a file. So write a layer of your own.
#
# **4. Normalization before the mask.** `Normalization` subtracts a mean and divides by a standard deviation. It seems to belong at the very front.

# %%
first = {"mean": -5.0, "variance": 16.0, "name": "normalise"}
examine(layers.Normalization(**first), mask())
examine(mask(), layers.Normalization(**first))

# %% [markdown]
# The padding is no longer the value that `Masking` looks for. So the mask says "all real", and Keras has nothing to warn of. Fix: mask first.
#
# **5. `Masking(0.)`.** Many programs pad with 0. Suppose you shift the frames so that digital silence is 0, and also pad with 0. Inside
# one clip we put a pause of five silent frames, as a cut or a noise gate makes.

# %%
SILENCE = np.float32(np.log(audio.LOG_OFFSET))  # the log energy of digital silence
shifted = four[0] - SILENCE
pause = np.insert(shifted, [len(shifted) // 2] * 5, 0, axis=0)
zero = layers.Masking(0.0)
reader = keras.Sequential([zero, layers.GRU(16)])
kept = int(np.sum(zero.compute_mask(pause[None])))
change = np.abs(reader(pause[None]) - reader(shifted[None])).max()
print(f"the clip has {len(pause)} frames with its pause; the mask keeps {kept}")
print(f"the pause changes the state by {change:.1f}")

# %% [markdown]
# The pause is deleted without a word. In a rhythm, a pause would disappear. Fix: pad with a value that no frame can have.
#
# **6. Padding in front, and a clip of nothing but padding.** Does a masked GRU mind?

# %%
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input([None, 40]), mask(), scale(), layers.GRU(16)])
front = keras.utils.pad_sequences(four, dtype="float32", value=PADDING)
change = np.abs(model(front) - model(batch)).max()
print(f"padding in front instead of behind: a state changes by {change:.0e}")
empty = np.full([1, 9, 40], PADDING, np.float32)
print("a clip of padding alone, last state:", np.unique(model(empty)))
mean = keras.Sequential([mask(), layers.GlobalAveragePooling1D()])
print("a clip of padding alone, masked mean:", np.unique(mean(empty)))

# %% [markdown]
# On a CPU, padding in front is harmless *with a mask*: the state of zeros is copied on until the clip begins. On a GPU Keras hands LSTM and GRU layers to
# NVIDIA's [cuDNN](../docs/glossary.md#cudnn), which stops with an error at such a mask, and at a clip without a real frame as well (we read this in Keras's code; we did
# not run it). And the mean of no frames is 0/0, "not a number". So: pad at the end, and drop empty clips.
#
# ## Which layers keep a mask?
#
# **Predict, then run:** each layer below gets masked and scaled frames. Guess from the name: which drop the mask? (`Bidirectional` reads a clip forwards and backwards; lesson 09 uses it.) The last column asks what
# matters in the end: do the layer's numbers *for real frames* change when there is more padding?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: which layers lose the mask?
#
# Dense, LayerNormalization, Dropout, Rescaling, Bidirectional, GlobalAveragePooling1D, GlobalMaxPooling1D, Conv1D, Reshape.
#
# **Which drop it? Which change what real frames say?**

# %% [markdown] tags=["notes"]
# In pairs, two columns on paper. The second question is the one that matters: a layer that removes the time axis needs no mask after it.


# %% tags=["fold"]
# @title Functions: the mask after a layer, and what more padding changes {display-mode: "form"}
def outputs(layer, more):
    """A layer's output for the batch with `more` frames of padding, and its mask."""
    padded = batches.pad(four, length=batch.shape[1] + more)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        output = layer(scale()(mask()(padded)))
    return np.asarray(output), getattr(output, "_keras_mask", None)


def row(layer):
    """A row of the table: is the mask kept, and what does more padding change?"""
    short, kept = outputs(layer, 0)
    long = outputs(layer, 20)[0]
    after = "kept" if kept is not None else "LOST"
    if short.ndim == 3:  # compare the real frames
        real = (batch != PADDING).all(axis=2)
        short, long = short[real], long[:, : batch.shape[1]][real]
    else:
        after = "not needed"
    change = np.abs(long - short).max()
    return {"mask after it": after, "largest change": change.round(1)}


# %% [markdown] tags=["slide", "only-slides"]
# ## Two questions to every layer

# %% tags=["more", "no-code"]
keras.utils.set_random_seed(0)
several = [layers.Dense(4), layers.LayerNormalization(), layers.BatchNormalization()]
several += [layers.Dropout(0.2), layers.Rescaling(0.25)]
several += [layers.GRU(4, return_sequences=True), layers.Bidirectional(layers.GRU(4))]
several += [layers.GlobalAveragePooling1D(), layers.GlobalMaxPooling1D()]
several += [layers.Conv1D(4, 3, padding="same"), layers.Reshape([-1, 40])]
names = [type(layer).__name__ for layer in several]
pd.DataFrame([row(layer) for layer in several], index=names)

# %% [markdown] tags=["notes"]
# Three lines to discuss: the average over time (no mask after it, and right), the maximum over time (it does not look at the mask), and Conv1D (both faults).
# check_mask on the whole model is the judge.

# %% [markdown]
# A layer that removes the time axis needs no mask after it. `GlobalAveragePooling1D` leaves the padding out of its mean. `GlobalMaxPooling1D` **does not look at
# the mask**: the scale made the padding 1.25, and that is more than most real values. `Reshape` and `Conv1D` lose the mask, and `Conv1D` lets padding into real frames, too.
#
# ## Three ways into the real frames
#
# A lost mask is one trouble. The other is padding that has changed the real frames before any mask can help.
#
# **Padding the waveform.** Many programs put zeros behind the waveform and then compute the frames. **Predict, then run:** 100 ms
# of zeros behind a clip. What do the new frames look like: like the clip, or like silence?
#
# **Computing frames inside the model.** Keras has a layer for it, `MelSpectrogram`. It looks beyond the end of the clip for its last frames, and it raises each value that
# lies more than 80 dB below the loudest moment *of the whole batch* to that level. The second cell gives it a clip at a hundredth of its amplitude (40 dB quieter): alone, with zeros
# behind it, and beside the clip as it was recorded.

# %%
waveform = audio.read(validation.path.iloc[0])
own_frames = audio.log_mel(waveform)
longer = audio.log_mel(np.pad(waveform, (0, audio.SAMPLE_RATE // 10)))
means = longer[len(own_frames) :].mean(axis=1)
print(f"mean log energy of the clip {own_frames.mean():.1f}, of silence {SILENCE:.1f}")
print("of the new frames:", [f"{value:.1f}" for value in means[:5]])

# %%
frame = {"fft_length": 256, "sequence_length": 200, "sequence_stride": 80}
bands = {"num_mel_bins": 40, "min_freq": 20, "max_freq": 4_000}
mel = layers.MelSpectrogram(sampling_rate=8_000, **frame, **bands)
quiet = waveform / 100
alone = np.asarray(mel(quiet[None]))[0]  # [bands, frames], in dB
padded = np.asarray(mel(np.pad(quiet, (0, 800))[None]))[0, :, : alone.shape[1]]
beside = np.asarray(mel(np.stack([quiet, waveform])))[0]
print(f"zeros behind change a frame by {np.abs(padded - alone).max():.0f} dB")
print(f"a loud neighbour changes a frame by {np.abs(beside - alone).max():.0f} dB")

# %% [markdown]
# The first new frames are half sound and half zeros: such a sound was never recorded. The others are
# [digital silence](../docs/glossary.md#digital-silence), which a clip may hold itself. Neither can be told from sound by its numbers. And in `MelSpectrogram`,
# what a clip looks like depends on its neighbours. So: first the frames of each clip by itself, then the padding.
#
# **Convolutions in steps of 2.** They halve the time axis, and lesson 14 needs them. Suppose that the padding is set to zero, as a careful
# person would, and the mask is halved, too. Zero is also what Keras puts beyond the edges (`padding="same"`). **Predict, then
# run:** is everything exact now?


# %% [markdown] tags=["slide", "only-slides"]
# ## Zeros behind the clip, a convolution in steps of 2
#
# **Exact now?**

# %% tags=["more"]
kernel = np.random.default_rng(0).normal(size=[3, 40, 4]).astype(np.float32)


def same(frames):
    return np.asarray(keras.ops.conv(frames[None], kernel, strides=2, padding="same"))


def by_hand(frames):
    edged = np.pad(frames, [(1, 1), (0, 0)])[None]
    return np.asarray(keras.ops.conv(edged, kernel, strides=2, padding="valid"))


for convolve in (same, by_hand):
    values = [convolve(np.pad(four[0], [(0, n), (0, 0)]))[0, :5] for n in range(5)]
    changes = [f"{np.abs(other - values[0]).max():.0f}" for other in values[1:]]
    print(f"{convolve.__name__}: 1, 2, 3, 4 zeros change a value by", *changes)
print(f"the largest value is {np.abs(values[0]).max():.0f}")

# %% [markdown]
# An odd number of zeros changes the values, an even number does not. With `"same"` and steps of 2, Keras places the filters so that they fit the length of the *padded* clip. An even length begins at the first frame, an
# odd length one frame earlier. One frame of padding, and every filter looks at other frames. Fix: add the edges by hand. That is what
# `models.MaskedConvolutions` of lesson 14 does.
#
# ## What padding costs
#
# A mask makes padding harmless, not free: a state is computed for every padded frame and thrown away. Three ways to choose
# the clips of a batch: at **random**; **sorted** by length; in [*buckets*](../docs/glossary.md#bucket), which `batches.bucket` cuts so that padding is least.
# **Predict, then run:** how much of each is padding? And if a padded frame costs as much as a real one, how many times as long does an epoch of random batches
# take as one of sorted batches?

# %% [markdown] tags=["slide", "only-slides"]
# ## Harmless, not free
#
# Grey is computed and thrown away.

# %%
some = train.sample(960, random_state=0)
sounds = [frames[::2] for frames in some.frames]
labels = some.label.cat.codes.to_numpy()
lengths = batches.lengths(sounds)
count = len(sounds) // 48  # batches of 48 clips
groupings = {
    "random": np.array_split(np.random.default_rng(0).permutation(len(sounds)), count),
    "sorted": np.array_split(np.argsort(lengths, kind="stable"), count),
    "bucketed": batches.bucket(lengths, batch_size=48),
}

# %% tags=["fold", "more", "no-code"]
# @title Draw: the padding of three groupings {display-mode: "form"}
wastes = {
    way: batches.padding_waste(lengths, groups) for way, groups in groupings.items()
}
figure, panels = plt.subplots(1, 3, figsize=(9, 2.8), layout="constrained", sharey=True)
for axes, (way, groups) in zip(panels, groupings.items()):
    sizes = [np.full(len(members), lengths[members].max()) for members in groups]
    places = np.arange(len(sounds))
    padded_lengths, real = np.concatenate(sizes), lengths[np.concatenate(groups)]
    axes.fill_between(
        places, padded_lengths, step="post", color="lightgrey", label="padding"
    )
    axes.fill_between(places, real, step="post", label="clips")
    axes.set(
        title=f"{way}: {wastes[way]:.0%} padding", xlabel="clip, by batch or bucket"
    )
panels[0].set_ylabel("length (frames of 20 ms)")
panels[0].legend()
shares = ", ".join(f"{waste:.0%} {way}" for way, waste in wastes.items())
plots.show(figure, f"the grey part, padding, is {shares}")

# %% tags=["timing"]
seconds = {"random": [], "sorted": []}
model = models.lstm(10)
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
for way in ["random", "sorted"] * 4:
    start = time.process_time()
    for members in groupings[way]:
        padded = batches.pad([sounds[clip] for clip in members])
        model.train_on_batch(padded, labels[members])  # one step of fit
    seconds[way].append(time.process_time() - start)
slow, fast = min(seconds["random"]), min(seconds["sorted"])  # the best of four
frames_ratio = (1 - wastes["sorted"]) / (1 - wastes["random"])
print(f"frames {frames_ratio:.1f} times, CPU seconds {slow / fast:.1f} times")

# %% [markdown]
# Fewer padded frames, fewer seconds, though not in exact proportion: each batch has costs of its own. (These are tenths of a second on one computer;
# [the benchmark](../benchmarks/results/speed.md) measures whole trainings.)
#
# Sorting and buckets cost something else: chance. Long clips meet long clips, and a batch may hold only one slow speaker. In sorted
# batches the same clips sit together in every epoch. Buckets mix the clips anew in each epoch, and that is the compromise of this course. They have a second advantage.
# A compiler such as [XLA](../docs/glossary.md#xla) makes one program for each length of batch. Random batches come in ever new lengths; buckets
# have a fixed list of at most sixteen, a default of `batches.bucketed`.
#
# ## Exercises
#
# **Exercise 1.** Ten clips have these lengths, and come in two groups. Set `waste_now` to the share of all frames in the two padded batches that is padding. Compute it
# from the lengths, with NumPy. Then find `groups`: three lists of positions, of any sizes, that waste less than a tenth.

# %%
ten = np.array([14, 80, 12, 44, 17, 13, 15, 40, 16, 12])
now = [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
print([ten[members].tolist() for members in now])

# %% tags=["solution"]
in_batches = sum(len(members) * ten[members].max() for members in now)
waste_now = 1 - ten.sum() / in_batches
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
    "you divided by the real frames: the share is of all frames in the batches"
)
assert not np.isclose(waste_now, np.mean(each)), (
    "the batches are not equally large: add up frames first, divide once"
)
assert np.isclose(waste_now, right), (
    f"found {waste_now:.3f}: how many frames have both batches, and how many are real?"
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
    "which clips make a batch long?"
)
print(f"padding: {waste_now:.0%} before, {new:.0%} now")

# %% [markdown]
# **Exercise 2.** A useful layer: how much does each frame differ from the one before? Write a Keras layer in `change_layer()` that gives `frames[t] - frames[t - 1]`, keeps the mask, and lets
# padding into no real frame. The first frame has nothing before it: give zeros there. (`keras.ops.pad` adds zeros, as `np.pad` does; the class may stand inside the
# function.)


# %% tags=["solution"]
def change_layer():
    """Make a layer: each frame minus the frame before; the mask is kept."""

    class Change(layers.Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.supports_masking = True

        def call(self, frames):
            change = frames[:, 1:] - frames[:, :-1]
            return keras.ops.pad(change, [(0, 0), (1, 0), (0, 0)])

    return Change(name="change")


# %% tags=["check"]
made = change_layer()
assert isinstance(made, layers.Layer), (
    f"change_layer should return a Keras layer, found {type(made).__name__}"
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    walk = np.random.default_rng(5).normal(size=[2, 7, 40]).astype(np.float32)
    found = np.asarray(made(walk))
    assert found.shape == walk.shape, (
        f"expected as many frames as came in, {walk.shape}, found {found.shape}"
    )
    forward = np.diff(walk, axis=1)
    assert not np.allclose(found[:, :-1], forward, atol=1e-5), (
        "the changes stand one frame early: a frame may look back, not ahead, "
        "or the last one meets the padding"
    )
    assert not np.allclose(found[:, 1:], -forward, atol=1e-5), (
        "the sign is turned: this frame minus the one before"
    )
    assert np.allclose(found[:, 1:], forward, atol=1e-5), (
        "from the second frame on, it should be the frame minus the one before"
    )
    assert np.allclose(found[:, 0], 0), "the first frame should be zeros"
    marked = made(scale()(mask()(batch)))
    assert getattr(marked, "_keras_mask", None) is not None, (
        "the mask does not come out: which line says that a layer keeps it?"
    )
    ends = [layers.GRU(8), layers.Dense(10)]
    net = keras.Sequential([keras.Input([None, 40]), mask(), scale(), made, *ends])
    others = batches.pad(validation.frames.iloc[40:46].tolist())
    try:
        evaluation.check_mask(net, others)
    except AssertionError as error:
        raise AssertionError(f"in a model it is not exact: {error}") from None
print("the mask is kept, and padding changes nothing")

# %% [markdown]
# **Exercise 3: build, train, beat this number.** The next two cells train the broken model of number 1 on buckets. It hears the validation clips alone, and then
# padded to one length. Its accuracy on the padded clips is the number to beat. (If you pass a mask by hand, as the second hint below says, Keras may still warn about the convolution; that is harmless.)
#
# Then build `mine`: scale, a `Conv1D` over three frames, a GRU, ten logits. Padding must change no answer. Train it with `train_quickly`. Two
# hints. A convolution with `padding="causal"` looks at this frame and earlier ones only. And a recurrent layer takes its mask as an argument, `mask=…`;
# `mask().compute_mask(clip)` makes one from the raw `clip`, where the padding is still -1000.


# %%
def train_quickly(model):
    """Compile and train for eight epochs."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.005), loss, metrics=["accuracy"])
    bucketed = batches.bucketed(sounds, labels, batch_size=48)
    model.fit(bucketed, epochs=8, shuffle=False, verbose=0)


new_sounds = [frames[::2] for frames in validation.frames]
new_labels = validation.label.cat.codes.to_numpy()
new_batch = batches.pad(new_sounds)

# %%
warnings.filterwarnings("ignore", message=".*destroy the mask")  # we know by now
keras.utils.set_random_seed(0)
ends = [layers.Conv1D(32, 3, padding="same"), layers.GRU(32), layers.Dense(10)]
broken = keras.Sequential([keras.Input([None, 40]), mask(), scale(), *ends])
train_quickly(broken)
one_by_one = [broken.predict_on_batch(frames[None]) for frames in new_sounds]
alone = (np.concatenate(one_by_one).argmax(axis=1) == new_labels).mean()
padded = (broken.predict_on_batch(new_batch).argmax(axis=1) == new_labels).mean()
print(f"broken model: {alone:.3f} alone, {padded:.3f} padded to one length")
number_to_beat = padded

# %% tags=["solution"]
keras.utils.set_random_seed(1)
clip = keras.Input([None, 40])
convolve = layers.Conv1D(32, 3, padding="causal", activation="relu")
features = convolve(scale()(clip))
state = layers.GRU(32)(features, mask=mask().compute_mask(clip))
mine = keras.Model(clip, layers.Dense(10)(state))
train_quickly(mine)

# %% tags=["check"]
assert isinstance(mine, keras.Model), (
    f"`mine` should be a Keras model, found {type(mine).__name__}"
)
shapes = [getattr(mine, f"{side}put_shape", "none") for side in ("in", "out")]
assert shapes == [(None, None, 40), (None, 10)], (
    f"expected keras.Input([None, 40]) first and ten logits last, found {shapes}"
)
kinds = {type(layer).__name__ for layer in mine.layers}
convolutions = [layer for layer in mine.layers if isinstance(layer, layers.Conv1D)]
assert convolutions and convolutions[0].kernel_size == (3,) and "GRU" in kinds, (
    "fix it, do not remove it: a Conv1D over three frames and a GRU; "
    f"found {sorted(kinds)}"
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    alone = np.concatenate([mine(frames[None]) for frames in four])
    far, further = (
        np.asarray(mine(batches.pad(four, length=batch.shape[1] + more)))
        for more in (2, 40)
    )
    assert np.allclose(far, further, atol=1e-4), (
        "more padding changes the logits: does the GRU get a mask, "
        "and was it made where padding is still PADDING?"
    )
    assert np.allclose(far, alone, atol=1e-4), (
        "a clip's last states see padding: "
        "which frames does the convolution look at for the clip's last frame?"
    )
    others = batches.pad(
        [*validation.frames.iloc[40:46], validation.frames.iloc[50][:2]]
    )
    try:
        evaluation.check_mask(mine, others)
    except AssertionError as error:
        raise AssertionError(
            f"right for these clips, not for others: {error}"
        ) from None
    right = evaluation.predict(mine, new_sounds).argmax(axis=1) == new_labels
assert right.mean() > number_to_beat, (
    f"{right.mean():.3f}, to beat is {number_to_beat:.3f}: was `mine` trained?"
)
print(f"{right.mean():.3f}, padded or alone, which beats {number_to_beat:.3f}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz
#
# 1. `x = frames / 4` between mask and GRU: what happens?
# 2. `Normalization` in front of `Masking`: what does the mask say?
# 3. What does bucketing buy, and what does it cost?

# %% [markdown] tags=["notes"]
# Right are 1 C, 2 A, 3 A. If question 1 splits the class, run the cell of number 3 again, and ask what Keras could have warned of.

# %% [markdown]
# The broken model is the lesson in one line: it learned, it looks good in one kind of batch, and not in another.
#
# <details><summary>What holds only for these data and this machine</summary>
#
# The decibels in the section on `MelSpectrogram` depend on how far apart the levels of two clips are. Seconds differ from machine to machine, and so does their ratio. The text on
# graphics cards reads Keras's code; nothing of it was run on a card.</details>
#
# **You have seen**
# - the layers that lose a mask, and one of your own that keeps it;
# - three ways in which padding gets into real frames, even with a perfect mask;
# - what padding costs in seconds, and groups of clips in which it costs less.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. Between the mask and the GRU stands `frames / 4`. What happens?**
#
# <details><summary>A. Keras warns that the mask is destroyed, and the GRU reads the padding.</summary>No: it warns for layers such as Conv1D or Lambda. For arithmetic it does not.</details>
# <details><summary>B. Nothing: division changes no frame into another, so the mask still fits.</summary>No: it would fit, but nobody hands it on.</details>
# <details><summary>C. The GRU reads the padding, and nothing warns.</summary>Yes: only a comparison with clips alone, such as <code>check_mask</code>, shows it.</details>
#
# **2. A `Normalization` layer stands in front of `Masking(PADDING)`. What does the mask say?**
#
# <details><summary>A. Every frame is real.</summary>Yes: after the normalisation no frame holds the value that <code>Masking</code> looks for.</details>
# <details><summary>B. Every frame is padding.</summary>No: that would need every frame to hold the value that <code>Masking</code> looks for.</details>
# <details><summary>C. The same as in the other order: normalising moves all frames alike.</summary>No: it moves the padding, too, but <code>Masking</code> still looks for the old value.</details>
#
# **3. What does bucketing by length buy, and what does it cost?**
#
# <details><summary>A. Less padding, so fewer frames to compute; the clips of a batch are more alike than random ones.</summary>Yes: and few lengths, so that a compiler such as XLA has few shapes to compile for.</details>
# <details><summary>B. Right answers without a mask; the order of the clips.</summary>No: even within a bucket the lengths differ, so a mask is needed as before.</details>
# <details><summary>C. Fewer clips an epoch; nothing.</summary>No: every clip comes once an epoch, as before. Only who sits beside whom changes.</details>
#
# Back to [04 Clips of many lengths](04_clips_of_many_lengths.ipynb). Next: [05 Training a vanilla RNN](05_training_a_vanilla_rnn.ipynb). The map: [00 Start here](00_start_here.ipynb).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
