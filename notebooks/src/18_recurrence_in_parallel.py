# %% [markdown]
# # 18 · Recurrence in parallel (bonus)
#
# "The steps of a recurrent network cannot run side by side: each waits for the one before." The course has said so since lesson 03, and it is true for the vanilla RNN, the LSTM and the GRU. It is not true for every recurrence. In 2024 a paper reported a relative of the GRU that trains 1,324 times as fast as a GRU. On the two cores behind this page we find less than 3 times. Both numbers are right, and this lesson shows why.
#
# It takes the old state out of the GRU's gates and candidate. Then 800 steps need only ten rounds. What does that cost, and what does it gain?
#
# **You will**
# - see which part of a GRU forces it to wait, and write *minGRU*, a GRU without that part;
# - compute its states in three ways (a loop, a scan, cumulative sums in chunks) that agree to 1e-5;
# - write it as a Keras layer whose mask is exact, and train it;
# - compare seconds and accuracy with a GRU, on short clips and on long ones.
#
# **Minutes:** 75 with the exercises; the computer needs one to two of them. **You need:** lessons 04, 07 and 08, and the custom layer of lesson 09.

# %% [markdown] tags=["slide", "only-slides"]
# ## "Each step waits for the one before"
# - True for the RNN, the LSTM, the GRU
# - Is it true for every recurrence?

# %% [markdown] tags=["notes"]
# Ask the class to add eight numbers, one number per person in a row. In a chain it takes seven steps. In pairs it takes three. Which sums can be split like that?

# %% tags=["setup"]
import setup_course

# %%
import os
import time

os.environ["TF_NUM_INTRAOP_THREADS"] = str(os.cpu_count())  # before TensorFlow starts
import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import ops

from course_lib import batches, cells, data, evaluation, models, plots, training

# %%
parts = []
for part in data.load_parts("digits", validation=0.2):
    parts.append(part.assign(frames=[frames[::2] for frames in part.frames]))
train, validation, test = parts  # the same six speakers; a frame every 20 ms

# %% [markdown]
# ## What makes a GRU wait
#
# The GRU of lesson 07 computes its gates from the frame **and from the old state**:
#
# $$\mathbf z_t=\sigma(\mathbf W_z\mathbf x_t+\mathbf U_z\mathbf h_{t-1}+\mathbf b_z)$$
#
# Without $\mathbf h_{t-1}$ there is no $\mathbf z_t$. The [*minGRU*](../docs/glossary.md#mingru) of Feng et al. (2024) removes every $\mathbf U$. The reset gate then has nothing left to act on, so it goes, too. The tanh could stay; the paper drops it, since the state is now a weighted mean of candidates and cannot grow beyond them:
#
# $$\begin{aligned}
# \mathbf z_t &= \sigma(\mathbf W_z\mathbf x_t+\mathbf b_z) \\
# \tilde{\mathbf h}_t &= \mathbf W_h\mathbf x_t+\mathbf b_h \\
# \mathbf h_t &= (1-\mathbf z_t)\odot\mathbf h_{t-1}+\mathbf z_t\odot\tilde{\mathbf h}_t
# \end{aligned}$$
#
# **The trap of lesson 07 again.** In the paper of minGRU, $\mathbf z_t$ near 1 *replaces* the state. In Keras's GRU it keeps it. We follow the paper.
#
# Now all gates and candidates of a clip come from one matrix product. Only the last line is still a chain. With $\mathbf a_t=1-\mathbf z_t$ (what is kept) and
# $\mathbf b_t=\mathbf z_t\odot\tilde{\mathbf h}_t$ (what comes in) it reads
#
# $$\mathbf h_t=\mathbf a_t\odot\mathbf h_{t-1}+\mathbf b_t .$$
#
# The old state is only multiplied, and something is added: the step is *linear* in it. That is all we need. First, the plain loop.

# %%
random = np.random.default_rng(0)
kernel = random.normal(size=[40, 2 * 64]) / np.sqrt(
    40
)  # W_z, W_h: untrained, no biases


def keep_and_new(frames):  # what a frame keeps of the state, and what it brings in
    z, candidate = np.split(frames @ kernel, 2, axis=-1)
    z = 1 / (1 + np.exp(-z))  # the sigmoid
    return 1 - z, z * candidate


# %%
def one_by_one(keep, new):
    h, states = np.zeros(keep.shape[1]), []
    for a, b in zip(keep, new):
        h = a * h + b
        states.append(h)
    return np.array(states)


# %%
long_clip = np.concatenate(list(validation.frames[:60]))[:800]  # 16 s of digits
keep, new = keep_and_new(long_clip / 4 + 5 / 4)  # scaled as in lesson 03
states = one_by_one(keep, new)
print(
    f"states {list(states.shape)}; kept per frame {keep.min():.4f} to {keep.max():.4f}"
)

# %% [markdown]
# ## Two steps are one step
#
# Put one step into the next:
#
# $$\mathbf h_2=\mathbf a_2\odot(\mathbf a_1\odot\mathbf h_0+\mathbf b_1)+\mathbf b_2=(\mathbf a_2\odot\mathbf a_1)\odot\mathbf h_0+(\mathbf a_2\odot\mathbf b_1+\mathbf b_2)$$
#
# Two steps are again a step of the same form. Write a step as a pair $(\mathbf a, \mathbf b)$. First $(\mathbf a_1,\mathbf b_1)$, then $(\mathbf a_2,\mathbf b_2)$, is the pair $(\mathbf a_2\mathbf a_1,\;\mathbf a_2\mathbf b_1+\mathbf b_2)$. Of three steps we may combine 1 with 2 first, or 2 with 3: both give $(\mathbf a_3\mathbf a_2\mathbf a_1,\;\mathbf a_3\mathbf a_2\mathbf b_1+\mathbf a_3\mathbf b_2+\mathbf b_3)$. So we may set the brackets where we like (the rule is *associative*), as long as no steps are swapped.
#
# Therefore all frames can be combined with a neighbour at the same time. In round 1, each frame is combined with the one before it; in round 2, with what lies two frames back; then four. This distance, the *reach*, doubles. Such a computation is called a [*scan*](../docs/glossary.md#scan); this form is by Hillis and Steele (1986).
#
# Could a GRU do the same? Two of its steps are a tanh inside a tanh, with a gate that was computed from another gate's result. They do not shrink to one step of the same form, so this rule has nothing to combine.
#
# **Predict, then run.** How many rounds do eight frames need? And 800?


# %%
def by_doubling(keep, new):
    reach, rounds = 1, 0
    while reach < len(new):
        new_before, keep_before = np.zeros_like(new), np.zeros_like(keep)
        new_before[reach:] = new[:-reach]
        keep_before[reach:] = keep[:-reach]  # 0 where a frame is finished: h_0 is 0
        new, keep = new + keep * new_before, keep * keep_before
        reach, rounds = 2 * reach, rounds + 1
    return new, rounds


# %%
for frames in [8, 50, 200, 800]:
    found, rounds = by_doubling(keep[:frames], new[:frames])
    np.testing.assert_allclose(found, states[:frames], atol=1e-5)
    print(f"{frames:>3} frames: {rounds} rounds, and the states of the loop")

# %% tags=["fold"]
# @title Draw: the scan over eight frames {display-mode: "form"}
figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
names = ["frames 1 to 8", "round 1: reach 1", "round 2: reach 2", "round 3: reach 4"]
for row in range(4):
    for frame in range(8):
        first = max(0, frame - 2**row + 1)
        done = first == 0
        text = f"{first + 1}…{frame + 1}" if first < frame else f"{frame + 1}"
        box = {"boxstyle": "round", "fc": "#cfe3f5" if done else "white", "ec": "C0"}
        axes.text(frame, -row, text, ha="center", va="center", bbox=box)
        for source in [frame, frame - 2**row] if row < 3 else []:
            if source >= 0:
                way = {"xy": (frame, -row - 0.78), "xytext": (source, -row - 0.22)}
                line = {"color": "C1" if source < frame else "0.7", "arrowstyle": "->"}
                axes.annotate("", **way, arrowprops=line)
    axes.text(-0.7, -row, names[row], ha="right", va="center")
axes.set(xlim=(-2.8, 7.6), ylim=(-3.5, 0.5), title="which frames a box has combined")
axes.axis("off")
plots.show(figure, "after three rounds every box holds all frames up to its own")

# %% [markdown]
# A blue box is finished: it starts at frame 1. Each orange arrow brings what was combined further left; a grey arrow keeps the box's own value. Eight frames need 3 rounds instead of 8 steps: $\lceil\log_2 T\rceil$. But look at the work. The picture has 17 orange arrows, where a loop needs 7. In general it is nearly $T\log_2 T$ against $T$. With a thousand processors, the number of rounds decides; with two, the amount of work.
#
# ## By cumulative sums
#
# There is a second way. Let $\mathbf A_t=\mathbf a_1\odot\cdots\odot\mathbf a_t$. Dividing the recurrence by $\mathbf A_t$ gives $\mathbf h_t/\mathbf A_t=\mathbf h_{t-1}/\mathbf A_{t-1}+\mathbf b_t/\mathbf A_t$, which is a running sum. With $\mathbf h_0=0$:
#
# $$\mathbf h_t=\mathbf A_t\odot\sum_{s=1}^{t}\frac{\mathbf b_s}{\mathbf A_s}$$
#
# Two lines of NumPy. **Predict, then run:** on paper the formula is exact. What happens to $\mathbf A_t$ after 800 frames?


# %%
def by_sums(keep, new):
    kept = np.cumprod(keep, axis=0)
    return kept * np.cumsum(new / kept, axis=0)


for kind in [np.float32, np.float64]:
    with np.errstate(all="ignore"):
        sums = by_sums(keep.astype(kind), new.astype(kind))
    good = np.abs(sums - states).max(axis=1) < 1e-5  # NaN is not
    first = int(good.argmin())
    smallest = np.cumprod(keep.astype(kind), axis=0)[first].min()
    print(f"{kind.__name__}: wrong from frame {first}, where A is {smallest:.0e}")

# %% [markdown]
# A product of numbers below 1 sinks towards 0, until dividing by it overflows: an *underflow*. Float32 ends near 1e-38, float64 near 1e-308. So float64 reaches about eight times as far: safer, and still not safe. It is **safe in chunks**: begin anew every 50 frames, and carry the last state over. (We raise each $\mathbf a$ below 1e-6 to 1e-6. Then 50 factors cannot underflow, and nothing visible changes.)


# %%
def in_chunks(keep, new, size=50):
    h, pieces = 0, []
    for start in range(0, len(new), size):
        chunk = slice(start, start + size)
        kept = np.cumprod(np.maximum(keep[chunk], 1e-6), axis=0)
        pieces.append(kept * (h + np.cumsum(new[chunk] / kept, axis=0)))
        h = pieces[-1][-1]
    return np.concatenate(pieces)


np.testing.assert_allclose(in_chunks(keep, new), states, atol=1e-5)
print(f"float64 in chunks: off by {np.abs(in_chunks(keep, new) - states).max():.0e}")

# %% [markdown]
# ## As a Keras layer
#
# First the scan in Keras's operations. The number of frames is unknown while TensorFlow builds its graph, so a Python `while` could not test it. `ops.while_loop` can, and gradients pass through it. `ops.roll` moves all frames by `reach`. Of `new`, what wraps around is set to 0. Of `keep` it may stay: it reaches only finished frames, and their `keep` is multiplied by 0 from then on.
#
# Then the layer. The mask needs one line. Let $m_t$ be 1 at a real frame and 0 at padding, and replace $\mathbf z_t$ by $m_t\mathbf z_t$. At padding $\mathbf a_t$ is then 1 and $\mathbf b_t$ is 0: the state is copied on, as Keras's GRU does it. **Predict, then run:** what will `check_mask` of lesson 04 say?


# %%
def scan(keep, new):
    """All states of h = keep * h + new over `[batch, time, units]`, by doubling."""
    frames = ops.shape(new)[1]

    def unfinished(reach, keep, new):
        return reach < frames

    def combine(reach, keep, new):
        outside = ops.arange(frames)[:, None] < reach
        before = ops.where(outside, 0.0, ops.roll(new, reach, axis=1))
        return 2 * reach, keep * ops.roll(keep, reach, axis=1), new + keep * before

    return ops.while_loop(unfinished, combine, [1, keep, new])[2]


# %%
class MinGRU(keras.layers.Layer):
    scan = staticmethod(scan)  # below, others take its place

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units, self.supports_masking = units, True  # it hands the mask on

    def build(self, shape):
        self.dense = keras.layers.Dense(2 * self.units)
        self.dense.build(shape)

    def call(self, frames, mask=None):
        z, candidate = ops.split(self.dense(frames), 2, axis=-1)
        z = ops.sigmoid(z)
        if mask is not None:
            z = z * ops.cast(mask, z.dtype)[..., None]  # padding: state copied on
        return self.scan(1 - z, z * candidate)


# %%
layer = MinGRU(64)
layer.build([None, None, 40])
layer.set_weights([kernel, np.zeros(128)])
by_keras = layer(long_clip[None] / 4 + 5 / 4)[0]
np.testing.assert_allclose(by_keras, states, atol=1e-5)
print(f"800 frames, loop and layer: {np.abs(by_keras - states).max():.0e} apart")

# %%
keras.utils.set_random_seed(0)
clip = keras.Input([None, 40])
frames = keras.layers.Masking(batches.PADDING)(clip)
frames = keras.layers.Rescaling(1 / 4, 5 / 4)(frames)
last = MinGRU(64)(frames)[:, -1]  # at padding the state is copied on, so -1 is right
model = keras.Model(clip, keras.layers.Dense(10)(last), name="mingru")
padded = batches.pad(list(validation.frames[:8]))
print(f"padding changes a logit by {evaluation.check_mask(model, padded):.0e}")
print(
    f"{model.count_params():,} parameters; a GRU(64) {models.gru(10).count_params():,}"
)

# %%
model.compile(
    optimizer=keras.optimizers.Adam(0.01, global_clipnorm=1.0),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
learn = train.sample(frac=1, random_state=0).groupby("label", observed=True).head(120)
short = batches.bucketed(learn.frames, learn.label, batch_size=50)
model.fit(short, epochs=5, shuffle=False, verbose=0)
print(f"validation, one seed: {evaluation.evaluate(model, validation)}")

# %% [markdown]
# Padding changes nothing beyond rounding, and the layer learns: by chance it would answer 0.10. It has about a quarter of the parameters of a GRU with as many units. The comparison follows below.
#
# ## Why not `keras.ops.associative_scan`?
#
# Keras has this operation ready. On TensorFlow it fails today for lengths that are not known in advance, and ours are not.


# %%
def ready_made(keep, new):
    def join(left, right):
        return left[0] * right[0], left[1] * right[0] + right[1]

    return ops.associative_scan(join, (keep, new), axis=1)[1]


print("Keras", keras.__version__)
for length in [50, None]:
    signature = [tf.TensorSpec([2, length, 3])] * 2
    try:
        tf.function(ready_made, signature, autograph=False)(*[tf.ones([2, 50, 3])] * 2)
        print(f"length {length}: works")
    except Exception as error:  # which one depends on the version of Keras
        print(f"length {length}: {type(error).__name__}: {str(error)[:60]} …")

# %% [markdown]
# Issue [22058](https://github.com/keras-team/keras/issues/22058) reported failures inside graphs, and pull request [22072](https://github.com/keras-team/keras/pull/22072) repaired a part. For what is left, two arrays of unknown length, we found no issue. In older versions of Keras even 50 frames may fail.
#
# ## Seconds
#
# Now to the time. A GRU against a scan changes two things at once, the equations and the order of the work. So we need one more contestant: **minGRU by a plain loop**, one frame after the other.
#
# The course gives TensorFlow one thread, because the small operations of a GRU gain nothing from a second. A scan has large operations, so with one thread the race would be unfair. The first cell of this lesson therefore allows all cores. The *time on the clock* is what you wait. The *CPU time* adds up what all cores did. **Where the CPU time is larger, cores worked side by side.**
#
# All layers have 64 units and train on 32 clips of one length; each number is the median of seven steps. "GRU of Keras" is Keras's own. "GRU" runs the faster loop for CPUs that the course installs. `Loop`, `MinGRU` (doubling) and `Chunks` (sums) compute the same states.
#
# **Predict, then run.** At 50, 200 and 800 frames: is the scan faster than the GRU? Than its own loop?


# %%
class Step(keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.state_size = units

    def call(self, both, states):
        keep, new = ops.split(both, 2, axis=-1)
        h = keep * states[0] + new
        return h, [h]


class Loop(MinGRU):
    def scan(self, keep, new):
        steps = keras.layers.RNN(Step(self.units), return_sequences=True)
        return steps(ops.concatenate([keep, new], axis=-1))


# %% tags=["fold"]
# @title The sums in chunks, as a layer for clips of a known length {display-mode: "form"}
class Chunks(MinGRU):
    @staticmethod
    def scan(keep, new, size=50):
        keep = ops.maximum(ops.cast(keep, "float64"), 1e-6)
        h, pieces = 0.0, []
        for start in range(0, keep.shape[1], size):
            chunk = slice(start, start + size)
            kept = ops.cumprod(keep[:, chunk], axis=1)
            sums = ops.cumsum(ops.cast(new[:, chunk], "float64") / kept, axis=1)
            pieces.append(kept * (h + sums))
            h = pieces[-1][:, -1:]
        return ops.cast(ops.concatenate(pieces, axis=1), "float32")


# %%
def milliseconds(layer, frames, steps=7):
    end = [keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input([frames, 40]), layer, *end])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    clips, labels = random.normal(size=[32, frames, 40]), random.integers(10, size=32)
    times = []
    for _ in range(1 + steps):  # the first also builds the graph: it does not count
        begin = time.process_time(), time.perf_counter()
        model.train_on_batch(clips, labels)
        times.append([time.process_time() - begin[0], time.perf_counter() - begin[1]])
    return 1_000 * np.median(times[1:], axis=0)


# %% tags=["timing"]
rows = []
for frames in [50, 200, 800]:
    cells.uninstall()  # now a GRU has Keras's own loop
    own = keras.layers.GRU(64, return_sequences=True)
    rows.append(["GRU of Keras", frames, *milliseconds(own, frames)])
    cells.install()  # and now the course's
    ours = keras.layers.GRU(64, return_sequences=True)
    for way in [ours, Loop(64), MinGRU(64), Chunks(64)]:
        rows.append([type(way).__name__, frames, *milliseconds(way, frames)])
spent = pd.DataFrame(rows, columns=["way", "frames", "CPU ms", "clock ms"])
spent.pivot(index="way", columns="frames").loc[spent.way.unique()].round(0)

# %% tags=["fold"]
# @title Draw: a training step against the length of the clips {display-mode: "form"}
figure, panels = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for axes, column in zip(panels, ["clock ms", "CPU ms"]):
    for name, group in spent.groupby("way", sort=False):
        axes.plot(group.frames, group[column], "o-", label=name)
    axes.set(xscale="log", yscale="log", xlabel="frames", title=column)
    axes.set_xticks([50, 200, 800], ["50", "200", "800"])
    axes.minorticks_off()
panels[0].legend(fontsize=8)
at_800 = spent[spent.frames == 800].set_index("way")
ratio = at_800["clock ms"] / at_800["clock ms"]["MinGRU"]
cores = at_800["CPU ms"] / at_800["clock ms"]
fact = f"at 800 frames the loop takes {ratio['Loop']:.1f} times as long as the scan, on which {cores['MinGRU']:.1f} cores worked"
plots.show(figure, fact)

# %% [markdown]
# Read the table as ratios; on your machine they will be others. On the two cores behind this page:
#
# - **At 800 frames the scan was the fastest by the clock**: in three runs 1.3 to 1.5 times as fast as its own loop, 1.1 to 1.2 times as fast as the course's GRU, and about twice as fast as Keras's. Nearly two cores worked on it, and one on the loop. Here steps do run side by side.
# - **In CPU time the scan gained nothing** over its loop. Two cores share more work; with one core there would be no lead.
# - At 50 and 200 frames the loop was a little ahead: the arrays are too small to be worth sharing.
# - The loop, too, was ahead of Keras's GRU. That part of the gain is not parallelism: minGRU does less, since no frame is multiplied by a matrix $\mathbf U$.
# - The sums in float64 have fewer operations, but each number is twice as wide; they were slower than the scan.
#
# A puzzle is left. At 200 frames, a scan does eight times the work of a loop. Why is it not eight times as slow? A guess: every operation costs something to *start*, however small it is. The loop starts a handful of operations at each of the 200 steps, the scan a handful in each of 8 rounds. If that is the reason, the scan should lose its lead when each operation gets larger.
#
# **Predict, then run.** The same race with 16 and with 256 units: who wins?

# %% tags=["timing"]
rows = []
for units in [16, 64, 256]:
    for way in [Loop(units), MinGRU(units)]:
        rows.append([type(way).__name__, units, *milliseconds(way, 200)])
columns = ["way", "units", "CPU ms", "clock ms"]
pd.DataFrame(rows, columns=columns).pivot(index="way", columns="units").round(0)

# %% [markdown]
# With 16 units the scan is level or ahead. With 256 the loop wins, although two cores work for the scan. That fits the guess: with few units the starts decide, with many the arithmetic.
#
# ## Accuracy, on short and on long clips
#
# Does it cost accuracy that a gate sees only its frame? Two tasks. The digits are about 20 frames long, and read from the last state. **Long clips** are eight digits in a row, about 170 frames. One digit, "0", "3" or "6", occurs three times among the eight, and the model has to say which. It answers from the mean of all states, so this asks for spotting more than for memory.
#
# A fair comparison needs equal size, too. `wide_mingru` is one layer with 230 units, `two_mingrus` are two layers with 82 each. Both have about as many parameters as the GRU. In the upper one of two layers, the gate sees the lower one's state, so it does know what came before.
#
# The learning rates were chosen beforehand on the validation clips, for each model and task from 0.003, 0.01, 0.03, 0.06, 0.1 and 0.2, by the mean of three seeds. During training each falls to zero along a cosine. Now the test clips are asked, once, with three seeds.
#
# **Predict, then run:** on which clips does the small `mingru` lose more? What does a second layer bring that a wider one does not?


# %%
def joined(part, count, random):
    """Eight digits in a row, and which of "0", "3" and "6" is among them."""
    wanted = [list(part.frames[part.label == name]) for name in "036"]
    others = list(part.frames[~part.label.isin(list("036"))])
    clips, labels = [], np.arange(count) % 3
    for label in labels:
        clip = [others[i] for i in random.integers(len(others), size=8)]
        for place in random.permutation(8)[:3]:
            clip[place] = wanted[label][random.integers(len(wanted[label]))]
        clips.append(np.concatenate(clip))
    return clips, labels


# %%
def gru(frames):
    return keras.layers.GRU(64, return_sequences=True)(frames)


def mingru(frames):
    return MinGRU(64)(frames)


def wide_mingru(frames):
    return MinGRU(230)(frames)


def two_mingrus(frames):
    return MinGRU(82)(MinGRU(82)(frames))


# %%
def codes(part):
    return list(part.frames), part.label.cat.codes.to_numpy()


def long(part, count, seed):
    return joined(part, count, np.random.default_rng(seed))


TASKS = {  # clips to learn from, clips of the test, the rate of each model
    "digits": [codes(learn), codes(test), [0.03, 0.06, 0.03, 0.03]],
    "long": [long(train, 400, 1), long(test, 600, 3), [0.03, 0.06, 0.1, 0.1]],
}
mean = np.mean([len(frames) for frames in TASKS["long"][1][0]])
print(f"long clips have {mean:.0f} frames in the mean")


# %%
def classifier(recurrent, task):
    clip = keras.Input([None, 40])
    frames = keras.layers.Masking(batches.PADDING)(clip)
    states = recurrent(keras.layers.Rescaling(1 / 4, 5 / 4)(frames))
    mean = keras.layers.GlobalAveragePooling1D()
    vector = states[:, -1] if task == "digits" else mean(states)
    logits = keras.layers.Dense(10 if task == "digits" else 3)(vector)
    model = keras.Model(clip, logits, name=recurrent.__name__)
    print(f"{task}, {model.name}: {model.count_params():,} parameters")
    evaluation.check_mask(model, padded)  # an error, if padding mattered
    return model


# %% tags=["timing"]
rows, EPOCHS = [], 6
for task, [known, asked, rates] in TASKS.items():
    clips = batches.bucketed(*known, batch_size=50)
    for recurrent, rate in zip([gru, mingru, wide_mingru, two_mingrus], rates):
        falling = keras.optimizers.schedules.CosineDecay(rate, EPOCHS * len(clips))
        setting = {"seeds": [0, 1, 2], "epochs": EPOCHS, "learning_rate": falling}
        model = classifier(recurrent, task)
        for seed, _, history in training.fit_seeds(model, clips, **setting):
            right = evaluation.predict(model, asked[0]).argmax(axis=1) == asked[1]
            seconds = min(history.history["seconds"])
            rows.append([task, model.name, seed, right.mean().round(3), seconds])

# %%
columns = ["task", "model", "seed", "accuracy", "seconds"]
scores = pd.DataFrame(rows, columns=columns)
table = scores.pivot(index=["task", "model"], columns="seed", values="accuracy")
table["mean"] = table.mean(axis=1).round(3)
table["seconds"] = scores.groupby(["task", "model"]).seconds.min().round(2)
table  # the seconds are those of the fastest epoch

# %% tags=["fold"]
# @title Draw: accuracy of each seed {display-mode: "form"}
figure, panels = plt.subplots(
    1, 2, figsize=(9, 2.8), layout="constrained", sharex=True, sharey=True
)
names = scores.model.unique()
for axes, (task, group) in zip(panels, scores.groupby("task")):
    for row, name in enumerate(names):
        axes.plot(group.accuracy[group.model == name], [row] * 3, "o", alpha=0.7)
    axes.set(title=task, xlabel="accuracy on test clips")
panels[0].set_yticks(range(len(names)), names)
panels[0].invert_yaxis()
lost = {
    task: means["gru"] - means["mingru"]
    for task, means in table["mean"].unstack().iterrows()
}
fact = f"mingru lies {lost['digits']:.3f} below the GRU on the digits, {lost['long']:.3f} on long clips"
plots.show(figure, fact)

# %% [markdown]
# On the digits, the small `mingru` loses 0.06. Size explains only a little of it: the wide one, as large as the GRU, still lies 0.05 below. **Two layers of the same size come within 0.01 of the GRU.** So it is the gate that sees only its frame which costs accuracy here, and a second layer, whose gate sees the first one's state, makes up for it.
#
# On the long clips the differences are smaller, and the order is another. There the wide one comes nearest to the GRU, and the two layers fell behind, one seed far. On the validation clips they had been second best, with 0.89 at a learning rate of 0.1. At that rate their training is unstable, and three seeds were too few to see it. A choice on validation clips can be unlucky; the test shows it.
#
# And the seconds? An epoch of the two layers took about twice as long as one of the course's GRU. So on this CPU, minGRU was never both as accurate and as fast as a GRU. These are short trainings on few clips; longer ones may change that.
#
# ## What GPUs show, and what this CPU shows
#
# The numbers in this table are from others; we have not repeated them.
#
# | source | on a GPU | compared with |
# |---|---|---|
# | [Martin & Cundy 2018](https://arxiv.org/abs/1709.04057) | linear recurrences by their own scan in CUDA: up to 9 times as fast in training | the same architectures, step by step |
# | [Feng et al. 2024](https://arxiv.org/abs/2410.01201) | minGRU: 175 times as fast at 512 steps, 1,324 times at 4,096; 88 % more memory for training | a traditional GRU, step by step |
#
# From 9 to 1,324: ask of each number **what it was compared with**, and for how many steps. A GPU has thousands of processors, and nearly all of them idle through a GRU's steps. There the number of rounds decides; on a CPU with a few cores, the amount of work. Linear recurrences that are computed by a scan are also the core of newer models such as Mamba: [what came after RNNs](../docs/after.md).
#
# **When should you take it?** Clips of a thousand steps and more, and a GPU: try it. Short clips on a CPU: start with a GRU.
#
# ## Exercises
#
# **Exercise 1: write the scan.** Write `scan_from(keep, new, begin)` in NumPy: all states `[time, units]`, if the state **before** the first frame is `begin`, `[units]`, and not 0. No Python loop over the frames. You may
# use `by_doubling(keep, new)`, which returns the states from 0 and the rounds.


# %% tags=["solution"]
def scan_from(keep, new, begin):
    """All states of h = keep * h + new that start from `begin`, [time, units]."""
    states, _ = by_doubling(keep, new)
    return states + np.cumprod(keep, axis=0) * begin


# %% tags=["check"]
some = np.random.default_rng(3)
kept, brought = some.uniform(0.3, 1, size=[37, 5]), some.normal(size=[37, 5])
start = some.normal(size=5)
wanted, h = [], start
for a, b in zip(kept, brought):
    h = a * h + b
    wanted.append(h)
copies = kept.copy(), brought.copy(), start.copy()
given = scan_from(kept, brought, start)
assert given is not None, "scan_from returns nothing yet: give back [time, units]"
assert np.shape(given) == (37, 5), (
    f"expected states of shape (37, 5), found {np.shape(given)}: by_doubling returns two things"
)
assert all(np.array_equal(x, y) for x, y in zip(copies, (kept, brought, start))), (
    "your function changes its inputs: work on copies"
)
assert not np.allclose(given, by_doubling(kept, brought)[0]), (
    "these are the states from 0: what is left of `begin` after frame t?"
)
assert not np.allclose(given, by_doubling(kept, brought)[0] + start), (
    "`begin` is added in full at every frame: each frame keeps only a part of it"
)
assert np.allclose(given, wanted, atol=1e-5), (
    "not the states of the loop: after frame t, begin has been multiplied by keep t times"
)
print("37 states from a beginning of your own, without a loop over frames")

# %% [markdown]
# <details><summary>What is this good for?</summary>A long recording can be read in pieces: each piece begins with the last state of the piece before, as in <code>in_chunks</code>.</details>
#
# **Exercise 2.** From how many processors on does the scan pay? Suppose that starting an operation costs nothing. A processor does one combination at a time. The loop needs `frames` combinations, one after the other. Doubling needs $\lceil\log_2 T\rceil$ rounds. Count each as $T$ combinations, which the $P$ processors share: a round takes $\lceil T/P\rceil$ turns. Write `speedup(frames, processors)`: turns of the loop divided by turns of the scan.


# %% tags=["solution"]
def speedup(frames, processors):
    """How many times fewer turns the scan takes than the loop."""
    rounds = np.ceil(np.log2(frames))
    return frames / (rounds * np.ceil(frames / processors))


# %% tags=["check"]
asked_of = [(800, 2), (800, 1), (800, 1000), (512, 64), (50, 8)]
given = [speedup(*each) for each in asked_of]
assert all(each is not None for each in given), "speedup returns nothing yet"
assert all(np.ndim(each) == 0 for each in given), "expected one number for each call"
assert not np.isclose(given[0], 5), (
    "800 frames and 2 processors: 5 is the scan's time over the loop's; turn it around"
)
assert not np.isclose(given[1], 1), "one processor: the scan has ten times the work"
assert np.isclose(given[0], 800 / (10 * 400)), (
    f"800 frames, 2 processors: ten rounds of 400 turns, found {given[0]:.3f}"
)
right = [t / (np.ceil(np.log2(t)) * np.ceil(t / p)) for t, p in asked_of]
assert np.allclose(given, right), (
    "right for 800 frames and 2 processors, not for all: round up the rounds and the turns"
)
least = next(p for p in range(1, 801) if speedup(800, p) > 1)
print(f"800 frames: {given[0]:.1f} with 2 processors, {given[2]:.0f} with 1,000;")
print(f"the scan pays from {least} processors on")

# %% [markdown]
# **Exercise 3: build, train, beat this number.** Build a model `yours` for the digits in which **every recurrent layer is a `MinGRU`**, with 22,000 parameters or fewer, and train it on `short`. The number to beat, on the validation clips, is 0.01 less than the mean of the **GRU** on the test (in `scores`). Read any state you like.

# %% tags=["solution"]
keras.utils.set_random_seed(0)
clip = keras.Input([None, 40])
frames = keras.layers.Masking(batches.PADDING)(clip)
frames = keras.layers.Rescaling(1 / 4, 5 / 4)(frames)
states = MinGRU(80)(MinGRU(80)(frames))
pooled = keras.layers.GlobalAveragePooling1D()(states)
yours = keras.Model(clip, keras.layers.Dense(10)(pooled))
rate = keras.optimizers.schedules.CosineDecay(0.01, 10 * len(short))
yours.compile(
    optimizer=keras.optimizers.Adam(rate, global_clipnorm=1.0),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
history = yours.fit(short, epochs=10, shuffle=False, verbose=0)

# %% tags=["check"]
assert isinstance(yours, keras.Model), (
    "`yours` should be a Keras model: Input, Masking, MinGRU, a reader, Dense"
)
assert yours.input_shape == (None, None, 40), (
    f"expected clips [batch, any length, 40], found {yours.input_shape}"
)
assert yours.output_shape == (None, 10), (
    f"expected logits [batch, 10], found {yours.output_shape}: ten digits"
)
assert yours.count_params() <= 22_000, (
    f"{yours.count_params():,} parameters are too many: take fewer units"
)
kinds = [type(each).__name__ for each in yours.layers]
waiting = [each for each in kinds if each in ("GRU", "LSTM", "SimpleRNN", "RNN")]
assert "MinGRU" in kinds and not waiting, (
    f"expected MinGRU as the only recurrence, found {kinds}"
)
try:
    evaluation.check_mask(yours, padded)
except AssertionError as wrong:
    raise AssertionError(f"the mask: {wrong}") from None
one = (scores.task == "digits") & (scores.model == "gru")
to_beat = scores.accuracy[one].mean() - 0.01
answers = evaluation.predict(yours, list(validation.frames)).argmax(axis=1)
share = (answers == validation.label.cat.codes.to_numpy()).mean()
assert share > to_beat, (
    f"accuracy {share:.3f}, to beat is {to_beat:.3f}: more epochs, another rate, "
    "a second layer, the mean of the states?"
)
print(
    f"{share:.3f} with {yours.count_params():,} parameters, to beat was {to_beat:.3f}"
)

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz
#
# 1. What must a recurrence have so that its steps can be combined in any grouping?
# 2. Why are plain cumulative sums wrong after a while?
# 3. minGRU trains twice as fast as a GRU on one core. Because its steps run side by side?

# %% [markdown] tags=["notes"]
# Right are 1 B, 2 A, 3 C. For question 3 point at the loop in the table of seconds.

# %% [markdown]
# **You have seen**
# - that a recurrence which is linear in its state can be combined in any grouping, and one with $\mathbf U\mathbf h_{t-1}$ inside a gate or a tanh cannot by this rule;
# - the same states by a loop, by a scan in $\lceil\log_2 T\rceil$ rounds and by sums in chunks, to 1e-5, with an exact mask;
# - that on two cores a scan over 800 frames beats its own loop by the clock, but not in CPU time, and that a factor means little until you know what was compared.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. Why can the steps of minGRU be computed side by side, and those of a GRU not?**
#
# <details><summary>A. minGRU has fewer parameters.</summary>No: a small GRU waits just as a large one does.</details>
# <details><summary>B. Its step is linear in the old state, with gates that do not see it: two steps are again one such step.</summary>Yes: so neighbours can be combined in any grouping.</details>
# <details><summary>C. The state of minGRU does not depend on earlier frames.</summary>No: it does, through everything that was kept. Only gates and candidates do not.</details>
#
# **2. In float32, `by_sums(keep, new)` was right for the first 49 frames, and wrong after. Why?**
#
# <details><summary>A. The product of numbers below 1 underflows, and we divide by it.</summary>Yes: float64 only postpones the failure; chunks prevent it.</details>
# <details><summary>B. The formula holds only approximately.</summary>No: on paper it is exact for any length.</details>
# <details><summary>C. Padding enters the sum.</summary>No: there was no padding; and with z = 0 padding adds nothing.</details>
#
# **3. On a CPU with one core, minGRU by a scan trains in less time than a GRU. Does that show that its steps run side by side?**
#
# <details><summary>A. Yes, for that is what a scan is for.</summary>No: two things differ, the equations and the order of the work.</details>
# <details><summary>B. Yes, if the accuracy is the same.</summary>No: accuracy says nothing about where the time goes.</details>
# <details><summary>C. No: minGRU by a plain loop has to be timed as well.</summary>Yes: if it takes about as long as the scan, the gain is that there is less to compute. And the CPU time has to be larger than the time on the clock.</details>
#
# <details><summary>What holds only for these data and this machine</summary>Milliseconds, and where the curves cross. If the recordings cannot be downloaded, the course uses synthetic speech; then the accuracies lie closer together or in another order.</details>
#
# Back to [07 GRU](07_gru.ipynb) and [08 Which one, and at what price?](08_which_one_and_at_what_price.ipynb). All lessons: [README](../README.md).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
