# %% [markdown]
# # 09 · Order and the whole clip
#
# Two sentences about recurrent networks are repeated everywhere: they *capture order in time*, and they *miss the global context*. We test both. Much depends on something that neither
# sentence mentions: what the model reads its answer from.
#
# **You will**
# - take the order of the frames away, and measure what order is worth to six ways of reading a clip;
# - write attention pooling with a mask, first as an equation, then as a Keras layer;
# - put a word before a second of babble, and find out which readers forget it.
#
# **Minutes:** 95 with the exercises; the computer needs one to two of them. **You need:** lessons 04, 05 and 07, and Keras's functional API (`keras.Model(inputs, outputs)`).

# %% [markdown] tags=["slide", "only-slides"]
# ## Two sentences that one reads everywhere
# - "RNNs capture order in time."
# - "RNNs miss the global context."
# - Which experiment would test each?

# %% [markdown] tags=["notes"]
# Give the class two minutes to design the experiments. Shuffling the test clips comes first. Training on shuffled clips comes late or not at all: leave a gap for it on the board.

# %% tags=["setup"]
import setup_course

# %% [markdown]
# ## The clips
#
# We train about fifty models. To save time, they read one frame per 20 ms and learn from two thirds of the training clips. Small differences need many validation clips, so there are more
# than usual.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from course_lib import batches, data, evaluation, models, plots, training

parts = []
for part in data.load_parts("digits", validation=0.3):
    parts.append(part.assign(frames=[frames[::2] for frames in part.frames]))
train, validation, test = parts
learn = train.groupby("label", observed=True).sample(frac=0.65, random_state=0)
print(f"{len(learn):,} clips to learn from, {len(validation)} to compare on")

# %% [markdown]
# ## Does a GRU use the order?
#
# A *reader* is a function here: masked frames go in, one vector per clip comes out. `build` writes down everything around it, which stays the same for the whole lesson.
# Our first reader is the last state of a GRU, as in lesson 07.
#
# After the training, the GRU hears three versions of every validation clip: as recorded, with its frames *shuffled* (in random order), and *reversed*.
#
# **Predict, then run.** How much accuracy is left when the frames are shuffled? Is a reversed clip, in which each frame keeps its neighbours, easier than a shuffled one?


# %%
def build(reader, n_classes=10):
    """A model whose logits come from what the reader makes of the frames."""
    clip = keras.Input([None, 40])
    frames = keras.layers.Masking(batches.PADDING)(clip)
    frames = keras.layers.Rescaling(1 / 4, 5 / 4)(frames)
    logits = keras.layers.Dense(n_classes)(reader(frames))
    return keras.Model(clip, logits, name=reader.__name__)


def last_state(frames):
    return keras.layers.GRU(48)(frames)


# %%
keras.utils.set_random_seed(0)
gru = build(last_state)
gru.compile(
    optimizer=keras.optimizers.Adam(8e-3, global_clipnorm=1.0),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
in_order = batches.bucketed(learn.frames, learn.label, batch_size=50)
history = gru.fit(in_order, epochs=6, shuffle=False, verbose=0)
print(f"accuracy in training: {history.history['accuracy'][-1]:.3f}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: the validation clips in another order
# - As recorded, shuffled, reversed: no frame added or lost
# - How much accuracy is left, shuffled?
# - Is reversed easier or harder than shuffled?

# %% [markdown] tags=["notes"]
# Two numbers and a comparison, in writing. Most people expect that reversed is milder, since each frame keeps its neighbours.

# %% [markdown] tags=["slide", "only-slides"]
# ## It uses the order
# - So is the fall what order is *worth*?

# %% tags=["more", "no-code"]
random = np.random.default_rng(0)
versions = {
    "as recorded": list(validation.frames),
    "shuffled": [random.permutation(frames) for frames in validation.frames],
    "reversed": [frames[::-1] for frames in validation.frames],
}


def correct(model, frames, part=validation):
    """Whether the model is right about each clip of a part, given its frames."""
    answers = evaluation.predict(model, frames).argmax(axis=1)
    return answers == part.label.cat.codes.to_numpy()


for name, frames in versions.items():
    print(f"{name:>12}: {evaluation.score(correct(gru, frames))}")

# %% [markdown] tags=["notes"]
# Reversed is worst: the answer leans on the last frames, and these are now the start of the word. Then point to the gap on the board: this GRU never met such a clip.

# %% [markdown]
# The same frames in another order get other answers, so this GRU uses the order. Reversed is the hardest: probably the answer leans on the last frames, and these are now the start of the word.
#
# Is the fall what order is *worth*? No. This GRU never met a shuffled clip, and any input unlike its training data confuses a model.
#
# ## What is order worth?
#
# To be fair, we give a second model the same chance: it **learns** from shuffled clips, and is tested on shuffled clips. Each clip is shuffled anew in every epoch.
#
# The control is the average of lesson 02. It is [*order-blind*](../docs/glossary.md#order-blind), in papers *permutation-invariant*. For every permutation $\pi$ of the frames,
#
# $$f(\mathbf{x}_{\pi(1)}, \ldots, \mathbf{x}_{\pi(T)}) = f(\mathbf{x}_1, \ldots, \mathbf{x}_T).$$
#
# ## Six readers
#
# The average is the first of our six readers. The other five read a GRU. In the drawing, the orange arrows show which states the answer reads. Mean pooling and attention share the top row.

# %% [markdown] tags=["slide", "only-slides"]
# ## Six readers

# %% tags=["more", "no-code"]
plots.drawing("readouts")

# %% [markdown] tags=["notes"]
# For each row ask: through how many steps must the first frame's message travel to reach the answer? Then append two boxes of padding, and ask what happens there.

# %% [markdown]
# With $\mathbf{h}_t$ for the state after frame $t$ and $m_t$ for the mask (1 at a real frame, 0 at padding), the answer is read from a vector $\mathbf{c}$:
#
# - **last state**: $\mathbf{c} = \mathbf{h}_T$.
# - **[stacked](../docs/glossary.md#stacked)**: a second GRU reads the states of the first, $\mathbf{h}_t^{(2)} = \mathrm{GRU}^{(2)}(\mathbf{h}_t^{(1)}, \mathbf{h}_{t-1}^{(2)})$, and $\mathbf{c} = \mathbf{h}_T^{(2)}$.
# - **both ends** ([bidirectional](../docs/glossary.md#bidirectional), Schuster & Paliwal 1997): one GRU reads forwards, another backwards. The backward one finishes at the first frame, so its last state is $\overleftarrow{\mathbf{h}}_1$, and $\mathbf{c} = [\overrightarrow{\mathbf{h}}_T; \overleftarrow{\mathbf{h}}_1]$.
# - **mean pooling**: $\mathbf{c} = \sum_t \alpha_t \mathbf{h}_t$ with equal weights $\alpha_t = m_t / \sum_s m_s$.
# - **[attention](../docs/glossary.md#attention)**: the same sum, with weights that are learned.
#
# Each GRU reader has about 13,000 parameters, so none is better because it is larger.


# %%
def stacked(frames):
    lower = keras.layers.GRU(31, return_sequences=True)(frames)
    return keras.layers.GRU(31)(lower)


def both_ends(frames):
    return keras.layers.Bidirectional(keras.layers.GRU(30))(frames)


def mean_pooling(frames):
    states = keras.layers.GRU(48, return_sequences=True)(frames)
    return keras.layers.GlobalAveragePooling1D()(states)  # it respects the mask


def average(frames):
    squares = keras.layers.Multiply()([frames, frames])
    both = keras.layers.Concatenate()([frames, squares])
    return keras.layers.GlobalAveragePooling1D()(both)


# %% [markdown]
# ## Attention pooling, with its mask
#
# Each state gets a score $e_t$; a softmax over time turns the scores into weights (after Bahdanau et al. 2015 and Raffel & Ellis 2015):
#
# $$e_t = \mathbf{v}^{\top} \tanh(\mathbf{h}_t), \qquad \alpha_t = \frac{m_t \exp(e_t)}{\sum_s m_s \exp(e_s)}, \qquad \mathbf{c} = \sum_t \alpha_t \mathbf{h}_t$$
#
# Only $\mathbf{v}$ is learned: one number per unit (in Keras the `kernel` of a `Dense(1)` without bias).
#
# In a batch, the mask $m_t$ matters. A masked GRU repeats its last state at padding, and a softmax gives those copies weight, too. **Predict, then run.** Attention is often written
# as in the next cell (without the tanh and with a bias; that does no harm). What will `check_mask` of lesson 04 say?

# %%
clip = keras.Input([None, 40])
frames = keras.layers.Masking(batches.PADDING)(clip)
states = keras.layers.GRU(8, return_sequences=True)(frames)
weights = keras.ops.softmax(keras.layers.Dense(1)(states), axis=1)
pooled = keras.ops.sum(weights * states, axis=1)
naive = keras.Model(clip, keras.layers.Dense(10)(pooled))
padded = batches.pad(list(validation.frames[:8]))
try:
    evaluation.check_mask(naive, padded)
except AssertionError as error:
    print(error)

# %% [markdown]
# Nothing crashes, and that is the danger: the answer depends on the clips that happen to share a batch. The remedy is a layer of our own. It is a class with three methods. Keras calls `build` once, to make the weights (it is not
# our function `build`); `call` for each batch, with the states and their mask; and `compute_mask` to ask which mask the next layer gets. In `call`, a score of −10,000 at padding becomes
# a weight of 0.


# %%
class AttentionPooling(keras.layers.Layer):
    def build(self, shape):
        self.score = keras.layers.Dense(1, use_bias=False)
        self.score.build(shape)

    def call(self, states, mask=None):
        scores = self.score(keras.ops.tanh(states))
        if mask is not None:
            scores = keras.ops.where(mask[..., None], scores, -1e4)
        return keras.ops.sum(keras.ops.softmax(scores, axis=1) * states, axis=1)

    def compute_mask(self, states, mask=None):
        return None  # there is no time axis left to mask


# %%
states = random.normal(size=[2, 9, 48]).astype("float32")
mask = np.arange(9) < np.array([[9], [5]])  # the second clip has four frames of padding
ours, library = AttentionPooling(), models.AttentionPooling()
ours(states), library(states)  # makes the weights
library.set_weights(ours.get_weights())
pooled, same = ours(states, mask=mask), library(states, mask=mask)
np.testing.assert_allclose(pooled, same, atol=1e-5)
real, v = states[1, :5], ours.get_weights()[0][:, 0]  # the second clip by hand
powers = np.exp(np.tanh(real) @ v)
weights = powers / powers.sum()
np.testing.assert_allclose(pooled[1], weights @ real, atol=1e-5)
print("by hand = our layer = models.AttentionPooling, padding or not")

# %% [markdown]
# From here on, `models.AttentionPooling` is this layer, and `models.attention(10)` is a *bidirectional* GRU in front of it. In papers you will also meet
# [self-attention](../docs/glossary.md#self-attention), where every frame weighs all others: $\mathrm{softmax}(\mathbf{Q}\mathbf{K}^{\top} / \sqrt{d_k})\, \mathbf{V}$.
#
# ## Six readers, with and without order
#
# Each reader trains from three seeds with order and from three without; both start from the same weights and get the same batches. Before this, we tried the rates 0.008, 0.016 and
# 0.03 on these validation clips. For every GRU reader 0.03 was the best or shared the first place, with and without order; 0.06, tried on three of them, was no better. The rate falls to zero along a cosine.
#
# The rule for "better" is that of lesson 05: the [paired difference](../docs/glossary.md#paired-difference) on the same clips, with its 95 % interval. A reader gains from order if
# **all three** intervals lie above zero. (Lesson 08's interval over seeds would be very wide with three seeds.)
#
# **Predict, then run** (about a minute). Who gains most from order? Who gains nothing?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: what is order worth, and to whom?
# - Average, last state, stacked, both ends, mean pooling, attention
# - Each learns from clips in order, or from shuffled clips
# - Three seeds, about 13,000 parameters each
# - Who gains most? Who gains nothing?

# %% [markdown] tags=["notes"]
# Written guesses. Ask for a reason for "nothing": the average must stand at zero by arithmetic. Mean pooling is a trap: the mean over states is blind to order, the states are not.


# %%
def attention(frames):
    states = keras.layers.GRU(48, return_sequences=True)(frames)
    return AttentionPooling()(states)


def in_random_order(frames, random):
    return random.permutation(frames)


test_shuffled = [random.permutation(frames) for frames in test.frames]
ARMS = {  # how clips change in training, and what the model hears afterwards
    "no order": (in_random_order, versions["shuffled"], test_shuffled),
    "order": (None, versions["as recorded"], list(test.frames)),
}
READERS = [average, last_state, stacked, both_ends, mean_pooling, attention]
SEEDS, EPOCHS = [0, 1, 2], 5

# %% tags=["timing"]
right, right_in_test, trained = {}, {}, {}
for reader in READERS:
    model, name = build(reader), reader.__name__
    for arm, (augment, heard, asked) in ARMS.items():
        options = {"batch_size": 50, "augment": augment}  # a change in every epoch
        clips = batches.bucketed(learn.frames, learn.label, **options)
        rate = keras.optimizers.schedules.CosineDecay(0.03, EPOCHS * len(clips))
        setting = {"seeds": SEEDS, "epochs": EPOCHS, "learning_rate": rate}
        for seed, _, _ in training.fit_seeds(model, clips, **setting):
            right[name, arm, seed] = correct(model, heard)
            right_in_test[name, arm, seed] = correct(model, asked, test)
    trained[name] = model  # as the third seed with order left it


# %%
def worth_of_order(right):
    rows = []
    for reader in READERS:
        for seed in SEEDS:
            name = reader.__name__
            pair = right[name, "order", seed], right[name, "no order", seed]
            rows.append([name, seed, *evaluation.paired_difference(*pair)])
    return pd.DataFrame(rows, columns=["reader", "seed", "worth", "low", "high"])


worth = worth_of_order(right)
above_zero = worth.assign(gains=worth.low > 0).groupby("reader", sort=False).gains.sum()
means = worth.groupby("reader", sort=False).worth.mean()
pd.DataFrame({"mean difference": means.round(3), "intervals above 0": above_zero})

# %% [markdown] tags=["slide", "only-slides"]
# ## What order is worth
# - Left: accuracy, one point per seed. Right: with order minus without


# %% tags=["fold", "more", "no-code"]
# @title Draw: accuracy of each seed, and what order is worth {display-mode: "form"}
def draw_worth(right, worth, title):
    figure, panels = plt.subplots(
        1, 2, figsize=(10, 3.8), layout="constrained", sharey=True
    )
    for row, each in worth.iterrows():
        place = row // len(SEEDS) + 0.22 * (each.seed - 1)
        for arm, mark, colour in [("order", "o", "C0"), ("no order", "x", "C1")]:
            share = right[each.reader, arm, each.seed].mean()
            label = arm if row == 0 else None
            panels[0].plot(share, place, mark, color=colour, label=label)
        bar = [[each.worth - each.low], [each.high - each.worth]]
        panels[1].errorbar(each.worth, place, xerr=bar, fmt="o", color="C2", capsize=2)
    names = [reader.__name__ for reader in READERS]
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set(xlabel="accuracy", title=f"{title}: accuracy")
    panels[0].invert_yaxis()
    panels[0].legend()
    panels[1].axvline(0, color="grey", linestyle="--")
    panels[1].set(xlabel="with order minus without (95 %)", title="worth of order")
    return figure


fact = "the average stands at zero, and nearly all other points lie to its right"
plots.show(draw_worth(right, worth, "validation"), fact)

# %% [markdown] tags=["notes"]
# Put both brackets on the board: the fall of the first experiment, and this difference. Ask for a task where order must be worth much: "tip" and "pit"; lesson 13's rhythms.

# %% [markdown]
# Order is worth something to the GRU readers, and not much: one to three clips in a hundred. By our rule, the last state and both ends gain. For the other three
# readers, two of three intervals lie above zero, so these clips leave the question open. The average stands at exactly zero, as it must.
#
# The first GRU lost forty points on shuffled clips; learning without order costs the last state about three. So most of that fall was surprise.
# Without order, the GRU readers are far ahead of the average, which needs a longer training (in lesson 02 it has nearly 0.9 after twenty epochs). Still, a model that beats an order-blind one
# has not shown that it uses order: it can combine frames in ways that an average cannot. And ten digits differ in *which* sounds they contain. For "tip" and "pit" that is not enough.
#
# Beware of short trainings. A model without order learns more slowly, so they make order look more valuable. But in side runs of twenty epochs and more, the last state still gained one to four clips in
# a hundred.
#
# ## The test, once
#
# We used the validation clips to choose the rate and to reach our conclusion. Now we check it on the test clips. There are fewer, so the intervals are wider.
# (An earlier draft, at a constant rate of 0.008, was tested, too. There, both ends and attention gained on the test clips.)

# %%
test_worth = worth_of_order(right_in_test)
for reader, rows in test_worth.groupby("reader", sort=False):
    each = [
        f"{r.worth:+.3f} ({r.low:+.3f} to {r.high:+.3f})" for r in rows.itertuples()
    ]
    print(f"{reader:>12}: {', '.join(each)}")
for model in trained.values():  # evaluate checks each mask, too
    evaluation.evaluate(model, test, lesson="09")  # a row for your table of results

# %% [markdown]
# Nearly all differences of the GRU readers point the same way, but no reader has all three intervals above zero: the effect is too small for these clips. So the verdict on "RNNs
# *capture order in time*" is: they *can* use order, as our first GRU did. What it is worth depends on the task, the reader and the training, and for ten digits it is little. Lesson 13 has a
# task that needs it.
#
# ## First clue, last answer
#
# Does an RNN miss the global context? We build a task that tests exactly this. A clip begins with one of three words. Then comes one second of *babble*: frames drawn at random from all
# training clips. Each is a piece of speech; together they say nothing. Which word was it?
#
# The babble is new in every epoch, so no model can learn it by heart.
#
# Four readers try, all with a one-way GRU of 48 units. The new one answers from its last state, too, but starts with *open gates*: a bias of 4 lets each
# update gate keep $\sigma(4) = 98\,\%$ of the state per frame. In lesson 06 the forget bias of an LSTM did the same.
#
# **Predict, then run.** Which of the four know the word after a second of babble?

# %% [markdown] tags=["slide", "only-slides"]
# ## First clue, last answer
# - One of three words, then a second of babble: which word was it?
# - Guess, chance is one in three: last state? The same with open gates? Mean pooling? Attention?


# %%
WORDS, BABBLE = ["0", "1", "7"], 50  # frames of babble
babble = np.concatenate(list(train.frames))


def fresh(frames, random):
    """The same clip with other babble in its last 50 frames."""
    drawn = babble[random.integers(len(babble), size=BABBLE)]
    return np.concatenate([frames[:-BABBLE], drawn])


def with_babble(part):
    """The clips of three words, each made longer by babble."""
    part = part[part.label.isin(WORDS)]
    longer = [np.pad(frames, [[0, BABBLE], [0, 0]]) for frames in part.frames]
    part = part.assign(frames=[fresh(frames, random) for frames in longer])
    return part.assign(label=part.label.cat.remove_unused_categories())


# %%
@keras.saving.register_keras_serializable()  # a saved model finds it by this name
def open_gates(shape, dtype=None):
    bias = np.zeros(shape, "float32")  # [2, 3 units], the update gates first
    bias[0, : shape[1] // 3] = 4
    return bias


def last_state_open(frames):
    return keras.layers.GRU(48, bias_initializer=open_gates)(frames)


study, ask = with_babble(learn), with_babble(validation)
options = {"batch_size": 32, "n_lengths": 2, "augment": fresh}  # two padded lengths
words = batches.bucketed(study.frames, study.label, **options)

# %% [markdown] tags=["slide", "only-slides"]
# ## The last state forgets, the GRU does not
# - All four: the same one-way GRU
# - Accuracy in training tells whether it is overfitting

# %% tags=["more", "no-code"]
rows = []
for reader in [last_state, last_state_open, mean_pooling, attention]:
    model = build(reader, len(WORDS))
    # it trains this same model, with new weights for each seed
    fits = training.fit_seeds(model, words, seeds=SEEDS, epochs=6, learning_rate=8e-3)
    for seed, model, history in fits:
        known = correct(model, ask.frames, ask)
        in_training = history.history["accuracy"][-1]
        rows.append([reader.__name__, seed, in_training, *evaluation.score(known)])
columns = ["reader", "seed", "in training", "accuracy", "low", "high", "clips"]
memory = pd.DataFrame(rows, columns=columns)
memory.round(3)

# %% [markdown] tags=["notes"]
# Ask what fails in the first three rows. Not the RNN: the same RNN stands in the other nine rows. Not overfitting: the accuracy in training is no better.

# %% tags=["fold"]
# @title Draw: attention weights under a word and its babble {display-mode: "form"}
example = ask.iloc[0]
states = keras.Model(model.inputs[0], model.layers[-3].output)(example.frames[None])
powers = np.exp(np.tanh(states[0]) @ model.layers[-2].get_weights()[0][:, 0])
weights = powers / powers.sum()
figure, (top, under) = plt.subplots(
    2, 1, figsize=(9, 4.4), layout="constrained", sharex=True
)
plots.log_mel(example.frames, axes=top, step=0.02, title="a word, then babble")
under.plot(0.0125 + 0.02 * np.arange(len(weights)), weights, label="attention")
under.axhline(1 / len(weights), color="grey", linestyle="--", label="equal weights")
under.set(xlabel="time (s)", ylabel="weight", title="weight of each state")
under.legend()
start = 0.0025 + 0.02 * (len(example.frames) - BABBLE)
for panel in (top, under):
    panel.axvline(start, color="red")
fact = "the babble starts at the red line; most of the weight lies on states"
plots.show(figure, f"{fact} around the word")

# %% [markdown] tags=["slide", "only-slides"]
# ## What does live listening cost?
# - The forward state at frame 1 knows frame 1. And the backward state?

# %% [markdown]
# The last state guesses (one in three is right by chance), in training as well. So it does not overfit: it never learned. (In a smaller trial, 30 epochs did not help.) The same GRU knows the word when its states are averaged,
# when attention weighs them, or when its gates start open. Averaging needs no learned weights, so it is *pooling* that helps, not attention as such.
#
# What failed is probably the way back for the gradient (lesson 05). Lesson 07's GRU had learned its words without a pause; this one must learn through the babble. With gates that start half open, the direct path keeps about half of it per frame, for fifty frames. Pooling hands the
# gradient directly to the states of the word; open gates let it through.
#
# The verdict on "RNNs *miss the global context*": too strong. It fits the **last state** of a GRU with the usual start.
#
# A weight of attention belongs to a *state*, and a state has read everything before it. So a large weight says where the answer is read. It does not prove that the sound at this moment decided
# (Jain & Wallace 2019).
#
# ## Which readers can listen live?
#
# A forward GRU has a state after every frame. Read each of them with the same `Dense`, and you get an answer after every frame, in one pass.
#
# **Predict, then run.** After what share of the word does the most probable digit stop changing?

# %%
clip = keras.Input([None, 40])
frames = keras.layers.Masking(batches.PADDING)(clip)
frames = keras.layers.Rescaling(1 / 4, 5 / 4)(frames)
states = keras.layers.GRU(48, return_sequences=True)(frames)
answers = keras.layers.Dense(10, activation="softmax")(states)
live = keras.Model(clip, answers)  # many-to-many
live.set_weights(gru.get_weights())  # the same shapes: trained as many-to-one

# %% tags=["fold"]
# @title Draw: the answer after every frame of one clip {display-mode: "form"}
sure = correct(gru, list(validation.frames))
example = validation[sure].iloc[3]
running = live(example.frames[None])[0].numpy()
figure, (top, under) = plt.subplots(
    2, 1, figsize=(9, 4.4), layout="constrained", sharex=True
)
title = f'"{example.label}" as the model reads it'
plots.log_mel(example.frames, axes=top, step=0.02, title=title)
times = 0.0125 + 0.02 * np.arange(len(running))
for number in np.argsort(-running.max(axis=0))[:4]:
    name = validation.label.cat.categories[number]
    under.plot(times, running[:, number], label=f'"{name}"')
under.set(xlabel="time (s)", ylabel="probability", title="the answer so far")
under.legend(loc="center left", bbox_to_anchor=(1, 0.5))
plots.show(figure, "the most probable digit changes as more of the word is heard")

# %% [markdown]
# Here the answer settles after about six tenths of the clip. Each answer costs one step. The model never met pieces of words in training, so the first answers are rough.
#
# The backward half of a bidirectional reader begins at the end, so its state at frame 1 depends on the last frame. To answer after each of $n$ frames, it must read
# $1 + 2 + \ldots + n = n(n+1)/2$ frames, 325 for a clip of 25. So `both_ends` has to wait for the end of the clip, or for a chunk of it.
# The stacked GRU, and mean pooling or attention on a forward GRU, can listen live, too. Lesson 15 listens live with a forward GRU.
#
# ## Exercises
#
# **Exercise 1.** *Max pooling* keeps the largest value of each unit over time. Write `max_pool(states, mask)` in NumPy: `states` is `[batch, time, units]`, `mask` is `[batch, time]` and
# True at real frames, the result is `[batch, units]`. Padding must not count.


# %% tags=["solution"]
def max_pool(states, mask):
    """The largest value of each unit over the real frames, [batch, units]."""
    return np.where(mask[:, :, None], states, -np.inf).max(axis=1)


# %% tags=["check"]
draw = np.random.default_rng(1)
given = draw.normal(size=[3, 9, 5]) - 4  # all states below zero
real = np.array([[1] * 9, [1] * 4 + [0] * 5, [0, 1, 0, 1, 1, 0, 0, 0, 1]], bool)
given[~real] = draw.choice([-1.0, 7.0], size=[(~real).sum(), 5])
kept = given.copy()
found = max_pool(given, real)
assert found is not None, "max_pool returns nothing yet: give back [batch, units]"
assert np.shape(found) == (3, 5), (
    f"states [3, 9, 5] should give [3, 5], found {list(np.shape(found))}: which axis is "
    "time?"
)
assert np.array_equal(given, kept), "your function changes the states: use a copy"
assert not np.allclose(found, given.max(axis=1)), (
    "padding counts: its values are the largest here, and they come through"
)
zeroed = (given * real[:, :, None]).max(axis=1)
assert not np.allclose(found, zeroed), (
    "padding became 0, and all real states are below 0 here: 0 is the largest then"
)
wanted = [each[rows].max(axis=0) for each, rows in zip(given, real)]
assert np.allclose(found, wanted), "not the largest value over the real frames"
print("padding never wins")

# %% [markdown]
# **Exercise 2.** We cut off the last 30 % of every validation clip. Who loses most: `last_state`, `both_ends` or `attention`? Write it down. Then measure. `lost` is a dict from these three names
# to the accuracy on whole clips minus the accuracy on the first `round(0.7 * len(frames))` frames. The models (with order, third seed) are in `trained`.

# %% tags=["solution"]
cut = [frames[: round(0.7 * len(frames))] for frames in validation.frames]
lost = {}
for name in ["last_state", "both_ends", "attention"]:
    whole = correct(trained[name], validation.frames).mean()
    lost[name] = whole - correct(trained[name], cut).mean()

# %% tags=["check"]
assert isinstance(lost, dict), (
    "`lost` should be a dict, such as {'both_ends': 0.1}: a name, a difference"
)
assert set(lost) == {"last_state", "both_ends", "attention"}, (
    f"expected the three names, found {sorted(lost)}"
)
heads = [each[: round(0.7 * len(each))] for each in validation.frames]
tails = [each[-round(0.7 * len(each)) :] for each in validation.frames]
for reader_name, value in lost.items():
    assert np.ndim(value) == 0 and np.isreal(value), (
        f"{reader_name}: expected one number, found {value!r}"
    )
    full, head, tail = (
        correct(trained[reader_name], each).mean()
        for each in (list(validation.frames), heads, tails)
    )
    close = np.isclose(value, full - head)
    slips = {
        head - full: "whole minus cut: a loss is positive",
        full - tail: "you kept the END of each clip: keep the start",
        head: "that is the accuracy on cut clips: subtract it from the other",
    }
    for slip, hint in slips.items():
        assert close or not np.isclose(value, slip), f"{reader_name}: {hint}"
    assert close, (
        f"{reader_name}: not {value:.3f}: is each clip cut at 0.7 of ITS OWN length?"
    )
print({reader_name: round(float(value), 3) for reader_name, value in lost.items()})

# %% [markdown]
# <details><summary>Why did the one that lost most lose so much?</summary>Probably because the last state leans on the end. Both ends also read the backward state, which finished at the start of the word; attention answers from states in the whole clip.</details>
#
# **Exercise 3: build, train, beat this number.** Build a model `yours` in Keras for the three words with babble, with **5,000 parameters or fewer**. Train it on `words`. The number to reach on
# the clips of `ask` is the mean of `mean_pooling` in the table, minus 0.05. That model has more than twice the parameters.

# %% tags=["solution"]
keras.utils.set_random_seed(0)
clip = keras.Input([None, 40])
frames = keras.layers.Masking(batches.PADDING)(clip)
frames = keras.layers.Rescaling(1 / 4, 5 / 4)(frames)
states = keras.layers.GRU(24, return_sequences=True)(frames)
yours = keras.Model(
    clip, keras.layers.Dense(3)(keras.layers.GlobalAveragePooling1D()(states))
)
yours.compile(
    optimizer=keras.optimizers.Adam(0.01, global_clipnorm=1.0),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
history = yours.fit(words, epochs=12, shuffle=False, verbose=0)

# %% tags=["check"]
assert isinstance(yours, keras.Model), (
    "`yours` should be a Keras model: Input, Masking, a recurrent layer, a reader, Dense"
)
assert yours.output_shape == (None, 3), (
    f"expected logits [batch, 3], found {yours.output_shape}: three words"
)
assert yours.input_shape == (None, None, 40), (
    f"expected clips [batch, any length, 40], found {yours.input_shape}"
)
assert yours.count_params() <= 5000, (
    f"{yours.count_params():,} parameters are too many: take fewer units"
)
try:
    evaluation.check_mask(yours, batches.pad(list(ask.frames[:8])))
except AssertionError as wrong:
    raise AssertionError(f"the mask: {wrong}") from None
to_beat = memory[memory.reader == "mean_pooling"].accuracy.mean() - 0.05
share = correct(yours, ask.frames, ask).mean()
assert share >= to_beat, (
    f"accuracy {share:.3f}, and the number is {to_beat:.3f}: what does the answer read, "
    "and how many epochs did it train?"
)
print(f"{share:.3f} with {yours.count_params():,} parameters")

# %% [markdown]
# ## Take it home
#
# A bidirectional GRU with attention pooling combines two ideas of this lesson, for clips of any lengths; we have not compared it here. Keep validation clips apart to judge it. This cell needs no `course_lib`: give it your own `sounds` and `labels`.

# %%
evaluation.check_mask(models.attention(10), padded)  # the recipe's layers
some = train.sample(600, random_state=0)
sounds, labels = list(some.frames), some.label.cat.codes.to_numpy()

# %% tags=["recipe"]
# Before: sounds, a list of float32 arrays [frames, 40] (log-mel); labels, an int array
import keras
import numpy as np

PADDING = -1000.0


class AttentionPooling(keras.layers.Layer):
    def build(self, shape):
        self.score = keras.layers.Dense(1, use_bias=False)
        self.score.build(shape)

    def call(self, states, mask=None):
        scores = self.score(keras.ops.tanh(states))
        if mask is not None:
            scores = keras.ops.where(mask[..., None], scores, -1e4)
        return keras.ops.sum(keras.ops.softmax(scores, axis=1) * states, axis=1)

    def compute_mask(self, states, mask=None):
        return None


keras.utils.set_random_seed(0)
batch = np.full([len(sounds), max(map(len, sounds)), 40], PADDING, "float32")
for row, frames in zip(batch, sounds):
    row[: len(frames)] = frames
clip = keras.Input([None, 40])
frames = keras.layers.Rescaling(1 / 4, 5 / 4)(keras.layers.Masking(PADDING)(clip))
both_ways = keras.layers.GRU(32, return_sequences=True)
states = keras.layers.Bidirectional(both_ways)(frames)
logits = keras.layers.Dense(int(max(labels)) + 1)(AttentionPooling()(states))
model = keras.Model(clip, logits)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam(0.01, global_clipnorm=1.0)
model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
history = model.fit(batch, labels, epochs=12, verbose=0)
print(f"training accuracy {history.history['accuracy'][-1]:.2f}")
alone = np.concatenate([model(frames[None]) for frames in sounds[:8]])
assert np.allclose(model(batch[:8]), alone, atol=1e-4), "the mask is lost"

# %% [markdown]
# **You have seen**
# - what order is worth to six readers: clips shuffled in training **and** in testing, three seeds, paired differences;
# - attention pooling as an equation, in NumPy, and as a Keras layer that ignores padding;
# - a last state that never learned to keep a word, where pooling and open gates did.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. A GRU falls from 0.95 to 0.55 when the validation clips are shuffled. What does that show?**
#
# <details><summary>A. That the order of the frames is worth 0.40 for this task.</summary>No: a GRU that learns from shuffled clips does far better. The fall also contains the surprise of clips unlike any in training.</details>
# <details><summary>B. That this GRU's answers depend on the order.</summary>Yes: that, and no more. What order is worth is the difference between two models, each tested on clips like those it learned from.</details>
# <details><summary>C. That an order-blind model would have about 0.55.</summary>No: that is another model, whose accuracy has to be measured.</details>
#
# **2. `scores` is `[batch, time, 1]`, `mask` is `[batch, time]`. Which line gives padding no weight and keeps the sum of the weights at 1?**
#
# <details><summary>A. <code>softmax(scores, axis=1) * mask[..., None]</code></summary>No: padding gets no weight, but it has taken its share of the softmax. The rest adds up to less than 1.</details>
# <details><summary>B. <code>softmax(scores * mask[..., None], axis=1)</code></summary>No: padding has a score of 0, and e⁰ = 1 is a weight like any other.</details>
# <details><summary>C. <code>softmax(where(mask[..., None], scores, -1e4), axis=1)</code></summary>Yes: the mask acts before the softmax.</details>
#
# **3. A word, then babble. The last state guesses, in training as well; mean pooling of the same GRU knows the word. What is the best explanation?**
#
# <details><summary>A. The GRU overfits its training clips.</summary>No: then its accuracy in training would be high.</details>
# <details><summary>B. The gradient has to come back through 50 steps of babble.</summary>Yes: pooling hands the gradient to the states of the word directly, and open gates let it through.</details>
# <details><summary>C. Mean pooling has more parameters, and so it remembers more.</summary>No: a mean has no parameters.</details>
#
# <details><summary>Without the real recordings</summary>On the synthetic voices order is worth far more, about a tenth of the clips, and every GRU reader passes the rule. Open gates help less there, attention most.</details>
#
# **Touch it.** On [the page that listens](../docs/live/index.html), shuffle or reverse the frames of a word, and see what is left of the answer.
#
# Next: [10 What should an RNN hear?](10_what_should_an_rnn_hear.ipynb). All lessons: [README](../README.md).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
