# %% [markdown]
# # 18 · Recurrence in parallel (bonus)
#
# "The steps of a recurrent network cannot run side by side: each waits for the one before." The course has said so since lesson 03. It is true for the vanilla RNN, the LSTM and the GRU. It is
# not true for every recurrence. This lesson takes one thing out of the GRU, computes all steps at once, and asks what that costs and what it gains: on paper, on this CPU, and on GPUs.
#
# **You will**
# - see which part of a GRU forces it to wait, and write *minGRU*, which does without;
# - compute its states in three ways (a loop, cumulative sums, a scan) that agree to 1e-5;
# - write it as a Keras layer whose mask is exact, and train it;
# - compare seconds and accuracy with a GRU, on short clips and on long ones.
#
# **Minutes:** 75 with the exercises; the computer needs about one. **You need:** lessons 04, 07 and 08, and the layer of one's own in lesson 09.

# %% [markdown] tags=["slide", "only-slides"]
# ## "Each step waits for the one before"
# - True for the RNN, the LSTM, the GRU
# - Is it true for every recurrence?

# %% [markdown] tags=["notes"]
# Ask the class to add eight numbers, one number per person in a row. In a chain it takes seven steps. In pairs it takes three. Which sums can be split like that?

# %% tags=["setup"]
import setup_course

# %%
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import ops

from course_lib import batches, cells, data, evaluation, models, plots, training

parts = []
for part in data.load_parts("digits", validation=0.2):
    parts.append(part.assign(frames=[frames[::2] for frames in part.frames]))
train, validation, test = parts  # a frame every 20 ms

# %% [markdown]
# ## What makes a GRU wait
#
# The GRU of lesson 07 computes its gates from the frame **and from the old state**:
#
# $$\mathbf z_t=\sigma(\mathbf W_z\mathbf x_t+\mathbf U_z\mathbf h_{t-1}+\mathbf b_z)$$
#
# Without $\mathbf h_{t-1}$ there is no $\mathbf z_t$. The [*minGRU*](../docs/glossary.md#mingru) of Feng et al. (2024) removes every $\mathbf U$, and the reset gate and the tanh with it:
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
# It is *linear* in the old state. First the plain loop.

# %%
random = np.random.default_rng(0)
kernel = random.normal(size=[40, 2 * 64]) / np.sqrt(40)  # W_z and W_h side by side


def keep_and_new(frames):  # what a frame keeps of the state, and what it brings in
    z, candidate = np.split(frames @ kernel, 2, axis=-1)
    z = 1 / (1 + np.exp(-z))  # the sigmoid
    return 1 - z, z * candidate


def one_by_one(keep, new):
    h, states = np.zeros(keep.shape[1]), []
    for a, b in zip(keep, new):
        h = a * h + b
        states.append(h)
    return np.array(states)


# %%
long_clip = np.concatenate(list(validation.frames[:60]))[:800] / 4 + 5 / 4
keep, new = keep_and_new(long_clip)  # digits one after the other, 16 seconds
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
# Two steps are again a step of the same form: it keeps $\mathbf a_2\odot\mathbf a_1$ and brings in $\mathbf a_2\odot\mathbf b_1+\mathbf b_2$. The order in which we *combine* neighbours does not matter
# (the rule is associative), as long as they stay in order. So everybody can combine with a neighbour at the same time. This is a [*scan*](../docs/glossary.md#scan), or prefix sum. The form below, in which the
# reach doubles each time, is by Hillis and Steele (1986).
#
# Could a GRU do the same? Two of its steps are $\tanh$ of something with a $\tanh$ inside. No short formula holds both, so there is nothing to combine.
#
# **Predict, then run.** How many rounds do eight frames need? And 800?


# %%
def by_doubling(keep, new):
    reach, rounds = 1, 0
    while reach < len(new):
        before, longer = np.zeros_like(new), np.zeros_like(keep)
        before[reach:] = new[:-reach]
        longer[reach:] = keep[:-reach]
        new, keep = new + keep * before, keep * longer
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
# A blue box is finished: it starts at frame 1. Each orange arrow brings what was combined further left. Eight frames need 3 rounds instead of 8 steps: $\lceil\log_2 T\rceil$. But count the
# work: a loop does $T$ combinations, this scan about $T\log_2 T$. With a thousand processors, rounds count. With two, work counts.
#
# ## By cumulative sums
#
# There is a second way. With $\mathbf A_t=\mathbf a_1\odot\cdots\odot\mathbf a_t$, divide the recurrence by $\mathbf A_t$ and it becomes a plain sum:
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
        found = by_sums(keep.astype(kind), new.astype(kind))
    wrong = ~(np.abs(found - states).max(axis=1) < 1e-5)  # NaN is wrong, too
    first = wrong.argmax() if wrong.any() else "none"
    print(
        f"{kind.__name__}: smallest A {np.finfo(kind).tiny:.0e}, first wrong: {first}"
    )

# %% [markdown]
# A product of numbers below 1 sinks under the smallest number that the format holds (its *underflow*). Then we divide by 0. Float32 ends near 1e-38, float64 near 1e-308, so float64 reaches about eight times as far: safer,
# and still not safe. It is **safe in chunks**: begin anew every 50 frames, and carry the last state over. If no gate keeps less than 1e-6, a product of 50 stays above 1e-300.
#
# Feng et al. sum in logarithms instead (a *log-sum-exp*, after Heinsen 2023). That is safe as well, but the logarithm needs candidates above 0, so their later version bends the candidate to be positive.


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
# First the scan in Keras's operations. `ops.while_loop` runs its rounds for any length. `ops.roll` moves all frames by `reach`; what rolls around the end is set to 0.
#
# Then the layer. The mask needs one line. At a padded frame we set $\mathbf z_t=m_t\,\mathbf z_t=0$, so $\mathbf a_t=1$ and $\mathbf b_t=0$: the state is copied on, exactly as Keras's GRU
# does it. **Predict, then run:** what will `check_mask` of lesson 04 say?


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
    scan = staticmethod(scan)

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
by_keras = layer(long_clip[None].astype("float32"))[0]
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
history = model.fit(short, epochs=5, shuffle=False, verbose=0)
print(f"accuracy in training: {history.history['accuracy'][-1]:.3f}")
print(f"test, one seed: {evaluation.evaluate(model, test, lesson='18')}")

# %% [markdown]
# The mask is exact, and the layer trains like any other. It has about a quarter of the parameters of a GRU with as many units.
#
# ## Why not `keras.ops.associative_scan`?
#
# Keras has this operation ready, and on JAX it is the right choice. On TensorFlow it fails today for lengths that are not known in advance, and under [XLA](../docs/glossary.md#xla).


# %%
def ready_made(keep):
    def join(left, right):
        return left[0] * right[0], left[1] * right[0] + right[1]

    return ops.associative_scan(join, (keep, keep), axis=1)[1]


for length, xla in [(50, False), (50, True), (None, False)]:
    given = {"input_signature": [tf.TensorSpec([2, length, 3])], "jit_compile": xla}
    try:
        with training.quiet_stderr():  # XLA writes its log there
            tf.function(ready_made, autograph=False, **given)(tf.ones([2, 50, 3]))
        print(f"length {length}, XLA {xla}: works")
    except Exception as error:  # which one depends on the version of Keras
        message = str(error).split("Error: ")[-1][:66]
        print(f"length {length}, XLA {xla}: {type(error).__name__}: {message} …")

# %% [markdown]
# The lengths of our batches are unknown while TensorFlow builds its graph, so we wrote our own. Keras issue [22058](https://github.com/keras-team/keras/issues/22058) reports the failure inside graphs, and pull request
# [22072](https://github.com/keras-team/keras/pull/22072) answers it. For what is left in Keras 3.15 (two arrays of unknown length, and XLA) we found no issue. In older versions
# even 50 frames may fail.
#
# ## Seconds
#
# Now the clock. To be fair, we need one more contestant: **minGRU by a plain loop**, one frame after the other, as Keras runs any cell. A GRU against a scan changes two things, equations and order; the loop separates them.
#
# All have 64 units, and each takes a few training steps on 32 clips of one length. `GRU` runs the loop for CPUs that the course installs; "GRU of Keras" is Keras's own. `Loop`,
# `MinGRU` (doubling) and `Chunks` (sums) compute the same states. We measure the *CPU time* of a step (the median of three), and the least *time on the clock*.
#
# **Predict, then run.** At 50, 200 and 800 frames: is the scan faster than the GRU? Than its own loop?


# %%
class Step(keras.layers.Layer):
    state_size = 64

    def call(self, both, states):
        keep, new = ops.split(both, 2, axis=-1)
        h = keep * states[0] + new
        return h, [h]


loop = keras.layers.RNN(Step(), return_sequences=True)


class Loop(MinGRU):
    scan = staticmethod(lambda keep, new: loop(ops.concatenate([keep, new], axis=-1)))


# %%
def chunks(keep, new, size=50):
    keep = ops.maximum(ops.cast(keep, "float64"), 1e-6)
    h, pieces = 0.0, []
    for start in range(0, keep.shape[1], size):
        chunk = slice(start, start + size)
        kept = ops.cumprod(keep[:, chunk], axis=1)
        sums = ops.cumsum(ops.cast(new[:, chunk], "float64") / kept, axis=1)
        pieces.append(kept * (h + sums))
        h = pieces[-1][:, -1:]
    return ops.cast(ops.concatenate(pieces, axis=1), "float32")


class Chunks(MinGRU):
    scan = staticmethod(chunks)


# %%
def milliseconds(layer, frames, steps=3):
    end = [keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input([frames, 40]), layer, *end])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    batch, labels = random.normal(size=[32, frames, 40]), random.integers(10, size=32)
    spent = []
    for _ in range(1 + steps):  # the first also builds the graph: it does not count
        begin = time.process_time(), time.perf_counter()
        model.train_on_batch(batch, labels)
        spent.append([time.process_time() - begin[0], time.perf_counter() - begin[1]])
    cpu, clock = 1_000 * np.array(spent[1:]).T
    return np.median(cpu), clock.min()


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
for axes, column in zip(panels, ["CPU ms", "clock ms"]):
    for name, group in spent.groupby("way", sort=False):
        axes.plot(group.frames, group[column], "o-", label=name)
    axes.set(xscale="log", yscale="log", xlabel="frames", title=column)
    axes.set_xticks([50, 200, 800], ["50", "200", "800"])
    axes.minorticks_off()
panels[0].legend(fontsize=8)
table = spent.pivot(index="way", columns="frames", values="CPU ms")
ratio = table.loc["Loop"] / table.loc["MinGRU"]
fact = (
    f"in CPU time the loop takes {ratio.min():.1f} to {ratio.max():.1f} times the scan"
)
plots.show(figure, fact)

# %% [markdown]
# Read the table as ratios. CPU time adds up what all cores did, and hardly depends on what else runs; the clock means something only on a quiet machine. In our runs, in CPU time,
#
# - minGRU by doubling took a third to two thirds of the time of Keras's GRU. Against the course's GRU it was clearly ahead at 50 frames, and only a little at 800: ten rounds, each over the whole array;
# - but **the plain loop of minGRU took about as long as the scan**. So this gain is not that steps run side by side. minGRU does less: no product with a matrix
#   $\mathbf U$ at each frame, and a quarter of the parameters;
# - on a quiet machine clock and CPU time agreed: TensorFlow used one core. Nothing ran side by side in any row;
# - the sums in float64 took up to twice as long as the scan. They need fewer operations, but each number is twice as wide.
#
# How the scan is written matters, too: with slices and padding in place of `ops.roll` it needed three times the CPU at 200 and 800 frames, and lost to the GRU.
#
# ## Accuracy, on short and on long clips
#
# A gate that does not see the state cannot decide by what came before. Does that cost accuracy? Two tasks: the digits, about 20 frames long, read from the last state; and **long clips** of eight digits in a row, about
# 170 frames. Three of the eight are the same wanted digit, "0", "3" or "6". Which? The answer is read from the mean of all states.
#
# One comparison must be fair in size: `two minGRUs` on top of each other, with 82 units each, have as many parameters as the GRU. In the upper one the gate sees the lower one's state, so it does know what came before.
#
# The rates were chosen on these validation clips beforehand, for each model and task alike: from 0.01, 0.03 and 0.06, one seed each (0.1 was worse for minGRU). They fall to zero along a cosine. Three seeds each.
# **Predict, then run:** on which clips does the small one lose more?


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


def two_mingrus(frames):
    return MinGRU(82)(MinGRU(82)(frames))


def codes(part):
    return list(part.frames), part.label.cat.codes.to_numpy()


TASKS = {  # clips to learn from, clips to compare on
    "digits": [codes(learn), codes(validation)],
    "long": [joined(train, 400, random), joined(validation, 200, random)],
}


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
    evaluation.check_mask(model, padded)
    return model


RATES = {"digits": [0.01, 0.06, 0.03], "long": [0.03, 0.06, 0.03]}  # in this order


# %% tags=["timing"]
rows, EPOCHS = [], 6
for task, [known, asked] in TASKS.items():
    clips = batches.bucketed(*known, batch_size=50)
    for recurrent, rate in zip([gru, mingru, two_mingrus], RATES[task]):
        rate = keras.optimizers.schedules.CosineDecay(rate, EPOCHS * len(clips))
        setting = {"seeds": [0, 1, 2], "epochs": EPOCHS, "learning_rate": rate}
        model = classifier(recurrent, task)
        for seed, _, history in training.fit_seeds(model, clips, **setting):
            right = evaluation.predict(model, asked[0]).argmax(axis=1) == asked[1]
            seconds = min(history.history["seconds"])
            rows.append([task, model.name, seed, right.mean().round(3), seconds])

# %%
found = pd.DataFrame(rows, columns=["task", "model", "seed", "accuracy", "seconds"])
table = found.pivot(index=["task", "model"], columns="seed", values="accuracy")
table["seconds"] = found.groupby(["task", "model"]).seconds.min().round(2)
table

# %% tags=["fold"]
# @title Draw: accuracy of each seed {display-mode: "form"}
figure, panels = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained", sharey=True)
for axes, (task, group) in zip(panels, found.groupby("task")):
    for row, name in enumerate(found.model.unique()):
        axes.plot(group.accuracy[group.model == name], [row] * 3, "o", alpha=0.7)
    axes.set(title=task, xlabel="accuracy on validation clips")
panels[0].set_yticks(range(3), found.model.unique())
panels[0].invert_yaxis()
means = found.groupby(["task", "model"]).accuracy.mean()
gap = means["digits", "gru"] - means["digits", "mingru"]
fact = f"on digits the mean of one minGRU lies {gap:.3f} below that of the GRU"
plots.show(figure, fact)

# %% [markdown]
# On the digits, one minGRU stays clearly below the GRU. It has a quarter of the parameters, but that is not the whole reason: its gates see one frame. **Two minGRUs of the GRU's size
# reach the GRU's accuracy on the digits.** On the long clips they came near it and stayed below, and one minGRU differed most from seed to seed.
#
# And the seconds? Two layers scan twice, with more units. An epoch (the fastest) took two minGRUs about twice as long as the course's GRU. So at equal accuracy nothing is gained on this CPU. These are short trainings on few clips; longer ones may close the gaps.
#
# ## What GPUs show, and what this CPU shows
#
# Here are reported numbers; we ran none of them.
#
# | source | on a GPU | compared with |
# |---|---|---|
# | [Martin & Cundy 2018](https://arxiv.org/abs/1709.04057) | linear recurrences by a scan of their own in CUDA: up to 9 times as fast in training | the same architectures, step by step |
# | [Feng et al. 2024](https://arxiv.org/abs/2410.01201) | minGRU: 175 times as fast at 512 steps, 1,324 times at 4,096; 88 % more memory for training | a traditional GRU, whose time grows with each step |
# | [a student's CUDA scan](https://github.com/dhruvmsheth/cuRNN) | minGRU, 65,536 steps: about 13 s by steps on a CPU, 5.3 s by the scan on the GPU; below about 2,048 steps little or no gain | minGRU itself |
#
# From 9 to 1,324: ask of each number **what it was compared with**, and for how many steps. A GPU has thousands of processors and idles through a GRU's steps: there rounds count. Our CPU has a few, and work counts. The same idea, without the gates of 2014, drives state-space models such as Mamba: [what came after RNNs](../docs/after.md).
#
# **When should you take it?** Clips of a thousand steps and more, and a GPU: try it. Clips of a second on a CPU: take a GRU.
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
# **Exercise 2.** Does the scan pay? A processor does one combination at a time. The loop needs `frames` combinations, one after the other. Doubling needs $\lceil\log_2 T\rceil$ rounds of (nearly) $T$ combinations, which
# `processors` share: a round takes $\lceil T/P\rceil$ turns. Write `speedup(frames, processors)`: turns of the loop divided by turns of the scan.


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
print(f"800 frames: {given[0]:.1f} with 2 processors, {given[2]:.0f} with 1,000")

# %% [markdown]
# **Exercise 3: build, train, beat this number.** Build a model `yours` for the digits in which **every recurrent layer is a `MinGRU`**, with 22,000 parameters or fewer, and train it on `short`. The number to beat is the mean accuracy
# of `mingru` on the validation clips (three seeds, in `found`), minus 0.01. More than one layer is allowed.

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
one = (found.task == "digits") & (found.model == "mingru")
to_beat = found.accuracy[one].mean() - 0.01
answers = evaluation.predict(yours, list(validation.frames)).argmax(axis=1)
share = (answers == validation.label.cat.codes.to_numpy()).mean()
assert share > to_beat, (
    f"accuracy {share:.3f}, to beat is {to_beat:.3f}: more epochs, another rate, "
    "a second layer?"
)
print(
    f"{share:.3f} with {yours.count_params():,} parameters, to beat was {to_beat:.3f}"
)

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz
#
# 1. What must a recurrence have so that its steps can be combined in any grouping?
# 2. Why are plain cumulative sums wrong after a while?
# 3. minGRU trains twice as fast as a GRU on a CPU. Because its steps run side by side?

# %% [markdown] tags=["notes"]
# Right are 1 B, 2 A, 3 C. For question 3 point at the loop in the table of seconds.

# %% [markdown]
# **You have seen**
# - that a recurrence which is linear in its state can be combined in any grouping, and one with $\mathbf U\mathbf h_{t-1}$ inside a gate or a tanh cannot;
# - the same states by a loop, by a scan in $\lceil\log_2 T\rceil$ rounds and by sums in chunks, to 1e-5, with an exact mask;
# - that on this CPU the speed comes from less work; what GPUs report is another matter, and depends on what one compares with.
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
# **2. `np.cumprod(keep) * np.cumsum(new / np.cumprod(keep))` in float32 is right for the first 40 frames or so, and wrong after. Why?**
#
# <details><summary>A. The product of numbers below 1 underflows, and we divide by it.</summary>Yes: float64 only moves the place. Chunks remove it.</details>
# <details><summary>B. The formula holds only approximately.</summary>No: on paper it is exact for any length.</details>
# <details><summary>C. Padding enters the sum.</summary>No: there was no padding; and with z = 0 padding adds nothing.</details>
#
# **3. On a CPU, minGRU by a scan trains in less time than a GRU. Does that show that its steps run side by side?**
#
# <details><summary>A. Yes, for that is what a scan is for.</summary>No: two things differ, the equations and the order of the work.</details>
# <details><summary>B. Yes, if the accuracy is the same.</summary>No: accuracy says nothing about where the time goes.</details>
# <details><summary>C. No: minGRU by a plain loop has to be timed as well.</summary>Yes: that one took about as long, so here the gain is that there is less to compute.</details>
#
# <details><summary>What holds only for these data and this machine</summary>Milliseconds, and where the curves cross. Without the real recordings the synthetic voices speak the digits, and the accuracies of all three lie closer together or in another order.</details>
#
# Back to [07 GRU](07_gru.ipynb) and [08 Which one, and at what price?](08_which_one_and_at_what_price.ipynb). All lessons: [README](../README.md).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
