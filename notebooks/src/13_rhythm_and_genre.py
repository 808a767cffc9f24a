# %% [markdown]
# # 13 · Music: rhythm and genre
#
# A song is long: minutes, not the half second of a digit. So it is cut into [segments](../docs/glossary.md#segment), each segment is classified, and the segments [vote](../docs/glossary.md#vote). That brings
# two questions that short clips do not have. What may be learned about a song from ANOTHER segment of it? And what does a network that reads segments know about what came before?
#
# **You will**
# - cut songs into segments, and see a model that knows nothing about the classes look brilliant because of how they were split;
# - train a GRU where order is all there is, take the order away, and let the segments of a song vote;
# - carry the state from piece to piece while the gradient stops, and measure what that costs and buys.
#
# **Minutes:** 50, of which the computer takes about half of one. **You need:** lessons 02, 07 and 09.

# %% [markdown] tags=["slide", "only-slides"]
# ## A song is long
#
# - It is cut into segments; the segments vote
# - What may be learned of a song from ANOTHER segment?
# - What does a network know about what came before?

# %% [markdown] tags=["notes"]
# Ask: how long must you hear a song to know that it is a waltz? One stroke? Two seconds? And how long to know that it is THIS song? The second takes less; the whole leak is in that difference.

# %% tags=["setup"]
import setup_course

# %%
import io
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import soundfile
import tensorflow as tf
from IPython.display import Audio, display

from course_lib import audio, batches, data, evaluation, models, plots, training
from course_lib.extra import augmentation

# %% [markdown]
# ## Songs
#
# `data.load("music")` takes GTZAN (Tzanetakis & Cook 2002), ten genres, where its archive lies already; it never fetches 1.2 GB unasked (`data.load("gtzan")` does, once).
# GTZAN holds some songs twice and many artists more than once, so that a split by lot flatters every model (Sturm 2013); the course takes the 930
# excerpts of a list from which the faults are removed and in which no artist is on two sides (Kereliuk, Sturm & Larsen 2015).
#
# Otherwise songs that a script wrote stand in: six rhythms, in many tempi, keys and instruments. They are made so that in every rhythm each instrument strikes equally often and equally loudly, and that
# tempo, key and instruments have nothing to do with the rhythm. What differs is when the strokes fall, and which fall together. To keep the lesson short, 26 songs of each class are for learning and 10 for the test. A
# confession: while these songs were being designed, results on their test songs were looked at (the data card says what for), so take the accuracies on them for a demonstration, not for a discovery.

# %%
every = data.load("music")
every["side"] = np.where(every.split == "test", "test", "train")
wanted, parts = {"train": 26, "test": 10}, []  # songs of each class
for (side, label), part in every.groupby(["side", "label"], observed=True):
    parts.append(part.sample(min(len(part), wanted[side]), random_state=0))
songs = pd.concat(parts, ignore_index=True)
pd.crosstab(songs.side, songs.label)

# %% [markdown]
# Listen to the first song of each class, four seconds of it. (They are sent to your browser as MP3, to keep this page small.) Can you tell by what they differ?

# %% [markdown] tags=["slide", "only-slides"]
# ## By what do they differ?

# %% [markdown] tags=["notes"]
# Four seconds of each. Nobody names a genre: say what you hear. The songs are made so that in every rhythm each instrument strikes equally often and equally loudly; tempo, key and instruments say nothing. So what is left? When the strokes fall, and which fall together.

# %% tags=["more", "no-code"]
for name, part in songs.groupby("label", observed=True):
    sound, mp3 = io.BytesIO(), {"format": "MP3", "compression_level": 0.6}
    waveform = audio.read(part.path.iloc[0])[: 4 * audio.SAMPLE_RATE]
    waveform = waveform / np.abs(waveform).max()
    soundfile.write(sound, waveform, audio.SAMPLE_RATE, **mp3)
    print(name)
    display(Audio(data=sound.getvalue()))

# %% [markdown]
# ## From songs to segments
#
# Rhythm is slower than speech, and 100 frames a second would make long sequences. Here a frame is 64 ms long and the next begins 40 ms later: 25 frames a second, of 16 bands. Of each song the last 12
# seconds are taken, 300 frames. A *segment* is 4 seconds of it, 100 frames.
#
# Beside the 16 bands the models get their *changes*, each frame minus the one before (the shortest kind of *deltas*; lesson 10 took a slope over five frames): a stroke is a sudden rise. The changes are doubled and moved to where log energies lie, so that the models' fixed scale suits both.

# %%
BANDS, FRAMES, SEGMENT = 16, 300, 100  # frames in a song, in a segment
SAMPLES = {"frame_length": 512, "frame_step": 320}  # at 8 kHz: 64 ms, 40 ms
STEP = SAMPLES["frame_step"] / audio.SAMPLE_RATE  # seconds
TYPICAL, SPREAD = models.TYPICAL_LOG_MEL, models.SPREAD_LOG_MEL  # the models' scale


def with_changes(mels):
    """The frames of a song from its second one on, and beside each band its change."""
    return np.concatenate([mels[1:], 2 * np.diff(mels, axis=0) + TYPICAL], axis=1)


waveforms = [audio.read(path) for path in songs.path]
mels = [
    mel[-FRAMES - 1 :] for mel in audio.log_mels(waveforms, n_mels=BANDS, **SAMPLES)
]
assert min(batches.lengths(mels)) == FRAMES + 1, "a song is too short"
songs["frames"] = [with_changes(mel) for mel in mels]
title = f"a segment of {songs.group[0]}"
axes = plots.log_mel(mels[0][:SEGMENT], step=STEP, title=title)
plots.show(axes, f"the picture holds {SEGMENT} frames of {1000 * STEP:.0f} ms")

# %% [markdown]
# `cut` makes a table with a row for each segment. For the test the segments of a song follow each other; for learning they may overlap, which gives more of them.


# %%
def cut(songs, *, hop=SEGMENT):
    """A row for each segment; one begins every `hop` frames."""
    rows = []
    for song in songs.itertuples():
        for number, begin in enumerate(range(0, FRAMES - SEGMENT + 1, hop)):
            frames = song.frames[begin : begin + SEGMENT]
            rows.append((song.label, song.group, song.side, frames, number))
    table = pd.DataFrame(rows, columns=["label", "group", "side", "frames", "number"])
    return table.astype({"label": songs.label.dtype})


segments = cut(songs)
shape = list(segments.frames[0].shape)
print(f"{len(songs)} songs, {len(segments)} segments of shape {shape}")
segments[["label", "group", "side", "number"]].head(4)

# %% [markdown]
# ## The leak
#
# Here is a model that knows nothing of rhythm or genre. It looks at the average frame of a segment and at nothing else; it finds the training segment whose average is nearest; it repeats
# that segment's label. No training, no order: a *nearest neighbour*.
#
# It is tested in two ways. **By segment:** one of the three segments of each song is for the test, the others are for learning. **By song:** all segments of a third of the SONGS are for the test. Each is done three times, so that every
# segment is tested once. **Predict, then run:** what will the two accuracies be? Chance is printed below them.

# %% [markdown] tags=["slide", "only-slides"]
# ## A model that knows nothing of rhythm
#
# - It keeps the average frame of a segment, nothing else
# - It repeats the label of the nearest training segment
# - Tested **by segment**, then tested **by song**
# - **Guess.** Two accuracies. Chance is one in the number of classes.

# %% [markdown] tags=["notes"]
# Draw the two songs on the board and colour the test, once by segment and once by song. Two numbers from everybody on paper before anything runs.

# %%
averages = np.stack([frames[:, :BANDS].mean(axis=0) for frames in segments.frames])
label = segments.label.to_numpy()


def nearest(train, test):
    """For each test segment: whether the nearest training segment has its label."""
    distances = ((averages[test][:, None] - averages[train][None]) ** 2).sum(axis=2)
    return label[train][distances.argmin(axis=1)] == label[test]


print(f"{len(averages)} averages of {averages.shape[1]} bands")

# %% [markdown] tags=["slide", "only-slides"]
# ## The same model, two splits

# %% [markdown] tags=["notes"]
# Whose guess was near for the first? For the second? The averages and the neighbours are the same. What has the first number measured? Let them finish the sentence: it has recognised the … (recording). Whoever cuts first and then splits by lot measures how well a model remembers recordings.

# %% tags=["more", "no-code"]
count = FRAMES // SEGMENT  # segments of a song
lot = np.random.default_rng(0).permutation(len(songs)) % 3
thirds = {
    "by segment": segments.number.to_numpy() % 3,
    "by song": np.repeat(lot, count),
}
chance, leak = 1 / songs.label.nunique(), {}
for name, third in thirds.items():
    right = [nearest(third != test, third == test) for test in range(3)]
    leak[name] = evaluation.score(np.concatenate(right))
    each = ", ".join(f"{third.mean():.3f}" for third in right)
    print(f"{name:>10}: {leak[name]}; the three: {each}")
print(f"{'chance':>10}: {chance:.3f}")

# %% tags=["more", "no-code"]
title = "nearest neighbour by the average frame, two splits"
axes = plots.intervals(leak, chance=chance, title=title)
gap = leak["by segment"].accuracy - leak["by song"].accuracy
plots.show(axes, f"the way of splitting is worth {gap:.3f}")

# %% [markdown]
# The same averages, the same neighbours, two splits. Split by segment, the nearest neighbour is nearly always another segment of the SAME song: same key, same instruments, same loudness. The model does not
# know what the label means; it has recognised the recording. Split by song, that does not help, and what is left is what the average says of the class: on the embedded rhythms little or nothing. On recorded music it is
# more, for genres do sound different, and so the gap is smaller there.
#
# The intervals take segments for independent, and the three segments of a song are not; be wary of their ends. The gap is far wider than that.
#
# This is a [*leak*](../docs/glossary.md#leak): whoever cuts first and then splits by lot measures how well a model remembers recordings. Ask of each published figure how the songs were split.
# From here on the split is by song: `side` says which.
#
# ## The order-blind model
#
# Now the order-blind model of lesson 02, by song. It sees the bands without their changes, for a change compares two neighbours, and that is a little order already.

# %%
train = cut(songs[songs.side == "train"], hop=50)
test = segments[segments.side == "test"]
assert not set(train.group) & set(test.group), "a song is on both sides"
n_classes = songs.label.nunique()


def only_bands(segments):
    """The same segments without the changes."""
    return segments.assign(frames=[frames[:, :BANDS] for frames in segments.frames])


keras.utils.set_random_seed(0)
average = models.average(n_classes, n_mels=BANDS)
some = zip(test.frames, [100, 60, 33])
padded = batches.pad([frames[:length] for frames, length in some])
print(f"check_mask {evaluation.check_mask(average, padded[:, :, :BANDS]):.0e}")

# %%
blind = only_bands(train)
learn_blind = batches.bucketed(blind.frames, blind.label, batch_size=65)
training.fit(average, learn_blind, epochs=15, learning_rate=0.02)
by_average = evaluation.evaluate(average, only_bands(test))
print(f"order-blind, by segment: {by_average}; chance {chance:.3f}")

# %% [markdown]
# ## A GRU, and votes
#
# The GRU of lesson 07 answers from its last state. A rhythm has no end at which the answer comes: each stroke adds a little. So this one takes the *mean of the states* at all frames. Keras's `GlobalAveragePooling1D` keeps to the mask.


# %%
def gru_mean(n_classes, *, units=48, n_mels=2 * BANDS):
    """A GRU whose states at all frames are averaged."""
    clip = keras.Input([None, n_mels])
    frames = keras.layers.Masking(batches.PADDING)(clip)
    frames = keras.layers.Rescaling(1 / SPREAD, -TYPICAL / SPREAD)(frames)
    states = keras.layers.GRU(units, return_sequences=True)(frames)
    mean = keras.layers.GlobalAveragePooling1D()(states)
    return keras.Model(clip, keras.layers.Dense(n_classes)(mean), name="gru-mean")


keras.utils.set_random_seed(0)
gru = gru_mean(n_classes)
change = evaluation.check_mask(gru, padded)
print(f"{gru.count_params():,} parameters, check_mask {change:.0e}")

# %% [markdown]
# There are few songs, and a network of this size could learn them by heart. `vary` changes a segment anew each time it is learned from: up to 15 % faster or slower, and another colour of the sound. It must not change what
# the label means. (A faster waltz is a waltz.)


# %%
def vary(frames, random):
    """A segment at another speed, in another colour, of as many frames or fewer."""
    speed = np.exp(random.uniform(-0.15, 0.15))
    places = np.arange(0, len(frames) - 1, speed)[: len(frames)]
    before = places.astype(int)
    share = (places - before)[:, None]
    colour = np.interp(np.linspace(0, 4, BANDS), np.arange(5), random.normal(0, 2, 5))
    moved = (1 - share) * frames[before] + share * frames[before + 1]
    return np.float32(moved + np.concatenate([colour, np.zeros(BANDS)]))


some = [vary(train.frames.iloc[0], np.random.default_rng(seed)) for seed in range(4)]
print("frames of one segment, varied four times:", batches.lengths(some))

# %% [markdown]
# One segment, one answer. A song has three. They *vote*: the log probabilities are added, so that a segment that is sure counts for more, and the class with the largest sum wins. **Predict, then run:** a GRU with the order, by song, by segment and by vote; you know what the model without the order can do.

# %% [markdown] tags=["slide", "only-slides"]
# ## Three segments, one vote
#
# - Log probabilities are added; the largest sum wins
# - A segment that is sure counts for more
# - **Guess.** By segment or by song: which is higher?

# %% [markdown] tags=["notes"]
# From here on the split is by song. Ask why logarithms are added and not probabilities: as if the segments were independent witnesses. When does voting NOT help? If all segments of a song make the same mistake.


# %% tags=["more"]
def vote(logits):
    """The class of each song, from the logits of its segments."""
    probabilities = tf.nn.log_softmax(logits).numpy()
    return probabilities.reshape(-1, count, n_classes).sum(axis=1).argmax(axis=1)


truth = test.label.cat.codes.to_numpy()
print(f"{len(truth)} segments of the test, {count} to a song")

# %% [markdown] tags=["slide", "only-slides"]
# ## By segment, and by vote

# %% [markdown] tags=["notes"]
# Two seeds. Which interval is wider, and why is it the honest one? There are fewer songs than segments, and the segments of a song are not independent of each other. Then the picture: is there a pair that the ear confuses, too?

# %% tags=["more", "no-code"]
EPOCHS, BATCHES = 12, {"batch_size": 39}
learn = batches.bucketed(train.frames, train.label, augment=vary, **BATCHES)
# steps that become smaller
falling = keras.optimizers.schedules.CosineDecay(9e-3, EPOCHS * len(learn))
setting = {"seeds": [0, 1], "epochs": EPOCHS, "learning_rate": falling}
by_segment, by_song = [], []
for seed, model, history in training.fit_seeds(gru, learn, **setting):
    logits_of_test = evaluation.predict(model, test.frames)
    by_segment.append(evaluation.score(logits_of_test.argmax(axis=1) == truth))
    by_song.append(evaluation.score(vote(logits_of_test) == truth[::count]))
    print(f"seed {seed}: by segment {by_segment[-1]}, by song {by_song[-1]}")

# %% tags=["more", "no-code"]
table = evaluation.confusion(test.label[::count], vote(logits_of_test))
axes = plots.confusion(table, title="votes of the second seed, songs of the test")
total, right = table.to_numpy().sum(), np.trace(table)
plots.show(axes, f"{total - right} of {total} songs are taken for another class")

# %% [markdown]
# The votes count songs, so there are fewer of them, and their interval is wider; it is the honest one, since songs are independent of each other and the segments of a song are not. Voting helps if the segments of a song do not all make the same mistake.
#
# ## Without the order
#
# As in lesson 09, two tests. The trained GRU hears each test segment with its frames *shuffled*. And another GRU LEARNS from shuffled segments, and hears shuffled ones: what it reaches needs no order. (Each frame keeps its change: a
# frame still knows that it rose, and nothing of when.) In lesson 09 order was worth one to three clips in a hundred for ten digits. **Predict, then run.**

# %% [markdown] tags=["slide", "only-slides"]
# ## What is order worth to a rhythm?
#
# - The order-blind average, by song
# - A GRU that learned shuffled frames
# - The GRU that learned them in order
# - **Guess.** Three accuracies. (For ten digits: one to three in a hundred.)

# %% [markdown] tags=["notes"]
# Line on the board from 0 to 1, chance marked. Three guesses from everybody. Ask which DIFFERENCE will be the worth of order; do not resolve it yet.

# %%
random = np.random.default_rng(0)
mixed = test.assign(frames=[random.permutation(frames) for frames in test.frames])
print(f"learned in order, tested shuffled: {evaluation.evaluate(gru, mixed)}")
keras.utils.set_random_seed(0)
orderless = gru_mean(n_classes)
print(f"check_mask {evaluation.check_mask(orderless, padded):.0e}")


def shuffle(frames, random):
    """The frames of a segment in a random order."""
    return random.permutation(frames)


vary_and_mix = augmentation.chain(vary, shuffle)
shuffled = batches.bucketed(train.frames, train.label, augment=vary_and_mix, **BATCHES)
training.fit(orderless, shuffled, epochs=EPOCHS, learning_rate=falling)
without = evaluation.evaluate(orderless, mixed)
print(f"learned shuffled, tested shuffled: {without}")
print(f"learned in order, tested in order: {by_segment[-1]}; chance {chance:.3f}")

# %% [markdown] tags=["slide", "only-slides"]
# ## One difference is order

# %% [markdown] tags=["notes"]
# Draw the bracket: only between the two GRUs, for only there does nothing differ but the order. What has the shuffled GRU that the average lacks? One frame shows which strokes fall together, and each frame keeps its change. The opposite of lesson 09: temporal information is a property of the task first.

# %% tags=["more", "no-code"]
worth = {
    "order-blind average": by_average,
    "GRU without order": without,
    "GRU with order": by_segment[-1],
}
title = "what order is worth here: segments of unknown songs"
axes = plots.intervals(worth, chance=chance, title=title)
difference = by_segment[-1].accuracy - without.accuracy
plots.show(axes, f"order is worth {difference:.3f} to a GRU")

# %% [markdown]
# The same experiment as in lesson 09, and the opposite answer on the embedded rhythms. Not all of it is order: what the GRU reaches without it may be above chance, since some rhythms strike two instruments at
# once where others do not, and one frame shows that. The rest needs the order. So "recurrent networks capture temporal information" is no property of the network alone. Ask of
# your task, by shuffling, how much of its answer lies in the order.
#
# ## Truncated back-propagation
#
# Twelve seconds are 300 frames, a song of four minutes 6,000. Back-propagation keeps the states of every frame until the gradient has gone back through all of them. [*Truncated* back-propagation](../docs/glossary.md#truncated-back-propagation) through time (Williams & Peng 1990) cuts the song into
# windows: the STATE is carried from window to window, the GRADIENT stops at the window's beginning. Memory is then needed for one window only, and the weights move after each. In Keras `stateful=True` carries the state; here
# it is passed by hand, so that you see it.


# %%
def carrying(n_classes, *, units=32):
    """A GRU that takes frames and a state, and gives logits and its last state."""
    window, before = keras.Input([None, 2 * BANDS]), keras.Input([units])
    frames = keras.layers.Rescaling(1 / SPREAD, -TYPICAL / SPREAD)(window)
    gru = keras.layers.GRU(units, return_sequences=True, return_state=True)
    states, after = gru(frames, initial_state=before)
    logits = keras.layers.Dense(n_classes)(keras.ops.mean(states, axis=1))
    return keras.Model([window, before], [logits, after])


song, none = tf.constant(np.stack(list(songs.frames[:2]))), tf.zeros([2, 32])
carrier = carrying(n_classes)
first, state = carrier([song[:, :SEGMENT], none])
second, state = carrier([song[:, SEGMENT:], state])
whole, state_of_whole = carrier([song, none])
np.testing.assert_allclose(state, state_of_whole, atol=1e-5)
print(
    "two windows with the state carried end in the state of the whole song: yes,",
    end=" ",
)
print("to 1e-5")

# %% [markdown]
# All songs have 300 frames, so there is no padding here and no mask. One training step for one window: the state comes in as a number like any other, and the tape has not seen how it came about. There the gradient stops.

# %% [markdown] tags=["slide", "only-slides"]
# ## The state goes on, the gradient stops

# %% [markdown] tags=["notes"]
# Draw the windows, the solid arrow of the state through them, the arrows of the gradient that stop at each line. Ask where in these lines the gradient is stopped. Nowhere as a command: `before` comes in as a number, and the tape has not seen how it came about.


# %% tags=["more"]
def stepper(model):
    """A function that learns from a window of songs, and returns the state after it."""
    optimizer = keras.optimizers.Adam(7e-3, global_clipnorm=1.0)
    optimizer.build(model.trainable_variables)

    cross_entropy = keras.losses.sparse_categorical_crossentropy

    @tf.function
    def step(window, before, labels):
        with tf.GradientTape() as tape:
            logits, after = model([window, before], training=True)
            loss = tf.reduce_mean(cross_entropy(labels, logits, from_logits=True))
        optimizer.apply(tape.gradient(loss, model.trainable_variables))
        return after

    return step


# %%
of_a_step = (song[:, :25], none, songs.label.cat.codes[:2])
print("one step:", [list(part.shape) for part in of_a_step])

# %%
both, codes = {}, {}
for side, part in songs.groupby("side"):
    both[side] = np.stack(list(part.frames))
    codes[side] = part.label.cat.codes.to_numpy(np.int32)
print({side: list(both[side].shape) for side in ("train", "test")})


# %%
def train_in_windows(length, *, songs_at_once, epochs=10):
    """Train on windows of so many frames: the model, processor seconds an epoch."""
    keras.utils.set_random_seed(0)
    model, random = carrying(n_classes), np.random.default_rng(0)
    step, count = stepper(model), len(codes["train"])
    for epoch in range(epochs):
        begin = time.process_time()
        for chosen in np.array_split(random.permutation(count), count // songs_at_once):
            frames, labels = both["train"][chosen], tf.constant(codes["train"][chosen])
            state = tf.zeros([len(chosen), 32])  # a song begins with an empty state
            for start in range(0, FRAMES, length):
                window = tf.constant(frames[:, start : start + length])
                state = step(window, state, labels)
    return model, time.process_time() - begin


print(f"{FRAMES // 25} windows of 25 frames in a song")

# %% [markdown]
# Three windows: 6 frames, a quarter of a second, which holds about two strokes; 25 frames, a second, which is about half a cycle, after which all the embedded rhythms but bossa nova repeat; and the whole 300. The state is carried in all three. Every model hears every song ten times. But with
# the whole song in one window the weights move once for a song, and not twelve or fifty times; to make up for a part of that, fewer songs go into a step. **Predict, then run:** which window learns best in ten passes?

# %% [markdown] tags=["slide", "only-slides"]
# ## 6, 25 or 300 frames in a window?
#
# - 6: a quarter of a second, about two strokes
# - 25: a second, about half a cycle
# - 300: the whole song, so the weights move seldom
# - **Guess.** Which learns best in ten passes over the songs?

# %% [markdown] tags=["notes"]
# Let the class count how often the weights move in an epoch: windows in a song, times batches of songs. Then guess. All three carry the state; only the gradient differs.

# %% [markdown] tags=["slide", "only-slides"]
# ## Two forces

# %% [markdown] tags=["notes"]
# First second against later: what did the carried state buy? Which line lies highest, and who had a reason for it? One seed, 32 units: mind only the large differences, and call no length the best.

# %% tags=["more", "no-code", "timing"]
heard = {}
for window, songs_at_once in [(6, 39), (25, 39), (300, 13)]:
    model, cost = train_in_windows(window, songs_at_once=songs_at_once)
    state, right = tf.zeros([len(codes["test"]), 32]), []
    for start in range(0, FRAMES, 25):  # second by second, with the state carried
        second = tf.constant(both["test"][:, start : start + 25])
        logits, state = model([second, state])
        right.append(logits.numpy().argmax(axis=1) == codes["test"])
    curve = heard[window] = np.mean(right, axis=1)
    line = f"{window:>3} frames: {curve[0]:.3f} in the first second"
    line = f"{line}, {curve[2:].mean():.3f} after the second"
    kept = f"{window * songs_at_once:>5,} states kept"
    print(f"{line}; {kept}, {cost:.1f} s an epoch")

# %% tags=["more", "no-code"]
axes = plt.subplots(figsize=(9, 3), layout="constrained")[1]
for (window, curve), marker in zip(heard.items(), "os^"):
    axes.plot(np.arange(1, 13), curve, marker + "-", label=f"{window} frames")
axes.axhline(chance, color="grey", linestyle="--", label="chance")
axes.set(xlabel="second of the song", ylabel="accuracy", ylim=(0, 1))
axes.set_title("songs of the test, second by second")
axes.legend(title="window in training", ncols=2)
said = []
for window, curve in heard.items():
    said.append(f"{window} frames: {curve[0]:.2f}, later {curve[2:].mean():.2f}")
plots.show(axes, f"in the first second and after the second one: {'; '.join(said)}")

# %% [markdown]
# Two forces pull. A window that is shorter than what has to be learned together gets no gradient across its beginning: the state comes in, and nothing tells the weights what they should have put into it. A long window sees everything together, and moves
# the weights seldom. The best window lies where both are bearable, and only a trial on songs apart from the test would find it; here three were tried, to see the two forces, and none was chosen. One seed, 32 units and songs without variation: mind only large
# differences, and do not compare with the GRU above. The test favours 25 frames a little, for only that model was trained to answer from means of 25 states.
#
# What the carried state may buy is the first number of each line against the second: look at 25 frames, whose model got a gradient for one second only and was asked again and again. And the price is memory: the states kept for the way back grow with the window
# (with 39 songs at once the whole song would keep 11,700). The shortest window takes the most steps for an epoch.
#
# The results go into your table. "By song" is the split; a vote counts songs, a segment is a segment.

# %%
results = evaluation.Results()
entry = {"lesson": "13", "data": songs.source.iloc[0], "split": "by song"}
size = average.count_params()
results.add(model="average, segments", score=by_average, parameters=size, **entry)
entry["parameters"] = gru.count_params()
results.add(model="gru-mean without order, segments", score=without, **entry)
results.add(model="gru-mean, segments", score=by_segment, **entry)
rows = results.add(model="gru-mean, votes", score=by_song, **entry)
columns = ["model", "accuracy", "low", "high", "least", "largest", "clips"]
rows[rows.lesson == "13"][columns].round(3)

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** Stop a leak. A colleague splits like this: `segments.sample(frac=0.3, random_state=0)` is the test, the rest is for learning. Set `safe` to a boolean array, True for each row of `segments` that is to be in the test, so that the test holds
# between 20 % and 40 % of the segments, of every class, and no song is on both sides. (`data.split(table, fraction=…, seed=…)` returns two tables, the second for the test, which keep the index of `segments`.)

# %% tags=["solution"]
learning, testing = data.split(segments, fraction=0.3, seed=1)
safe = segments.index.isin(testing.index)

# %% tags=["check"]
assert safe is not ..., (
    "`safe` is still blank: an array of True and False, one for each row of `segments`"
)
assert np.shape(safe) == (len(segments),), (
    f"expected {len(segments)} values, one a segment, found {np.shape(safe)}"
)
kept = np.asarray(safe)
assert kept.dtype == bool, (
    f"expected True or False for each segment, found values such as {kept[0]!r}"
)
leaks = set(segments.group[kept]) & set(segments.group[~kept])
assert not leaks, f"{len(leaks)} songs are on both sides: choose songs, not segments"
assert 0.2 <= kept.mean() <= 0.4, (
    f"the test holds {kept.mean():.0%} of the segments, expected 20 to 40 %"
)
missing = n_classes - segments.label[kept].nunique()
assert not missing, f"{missing} classes have no segment in the test: take other songs"
missing = n_classes - segments.label[~kept].nunique()
assert not missing, f"{missing} classes have no segment to learn from: take other songs"
honest = nearest(~kept, kept).mean()
leaky = leak["by segment"].accuracy
print(
    f"nearest neighbour with your split: {honest:.3f}; the leaky one gave {leaky:.3f}"
)

# %% [markdown]
# **Exercise 2.** How much does each further segment help? `voted` is a dict from 1, 2 and 3 to the share of test songs that are right when the FIRST so many segments vote. Use `logits_of_test` (of the second seed, one row a segment), `count`, `n_classes`
# and `truth[::count]`, and add log probabilities as `vote` does.

# %% tags=["solution"]
by_song_logits = tf.nn.log_softmax(logits_of_test).numpy().reshape(-1, count, n_classes)
voted = {
    n: np.mean(by_song_logits[:, :n].sum(axis=1).argmax(axis=1) == truth[::count])
    for n in (1, 2, 3)
}

# %% tags=["check"]
assert isinstance(voted, dict), (
    "`voted` should be a dict such as {1: 0.8, 2: 0.85, 3: 0.9}"
)
assert set(voted) == {1, 2, 3}, (
    f"expected the numbers 1, 2 and 3, found {sorted(voted)}"
)


def share_of_right(summed):
    """The share of songs whose largest sum [songs, classes] is that of their class."""
    return np.mean(summed.argmax(axis=1) == truth[::count])


parts = tf.nn.log_softmax(logits_of_test).numpy().reshape(-1, count, n_classes)
mixed_up = parts.reshape(count, -1, n_classes).transpose(1, 0, 2)
slips = {
    "the probabilities are added: add their logarithms, as `vote` does": np.exp(parts),
    "these are the LAST segments of each song: the first are asked for": parts[:, ::-1],
    "those are segments of DIFFERENT songs: which rows belong to a song?": mixed_up,
}
found = [voted[number] for number in (1, 2, 3)]
expected = [share_of_right(parts[:, :number].sum(axis=1)) for number in (1, 2, 3)]
for slip, other in slips.items():
    shares = [share_of_right(other[:, :number].sum(axis=1)) for number in (1, 2, 3)]
    assert np.allclose(found, expected) or not np.allclose(found, shares), slip
for number, share, right in zip((1, 2, 3), found, expected):
    assert np.isclose(share, right), (
        f"{number} votes: not {share:.3f}: is the sum over one song's segments, and "
        "the largest class compared with that song's?"
    )
print("right with 1, 2 and 3 votes:", ", ".join(f"{share:.3f}" for share in found))

# %% [markdown]
# **Exercise 3.** `gru` learned from segments of 4 seconds. Let it hear each test song in one piece of 12 seconds, without a vote. Write down first: more than the vote, or less? Then set `whole` to the share of test songs that it gets right.
# (`songs` holds whole songs, of both sides; `codes["test"]` the right answers of its test songs.)

# %% tags=["solution"]
logits = evaluation.predict(gru, songs.frames[songs.side == "test"])
whole = np.mean(logits.argmax(axis=1) == codes["test"])

# %% tags=["check"]
assert whole is not ..., "`whole` is still blank: a share between 0 and 1"
assert np.ndim(whole) == 0, (
    f"expected one number, found shape {np.shape(whole)}: take the mean over the songs"
)
answers = evaluation.predict(gru, songs.frames).argmax(axis=1)
own = answers == songs.label.cat.codes.to_numpy()
tested = (songs.side == "test").to_numpy()
slips = {
    own.mean(): "the training songs are in it, too",
    own[~tested].mean(): "those are the songs it learned from",
    by_song[-1].accuracy: "that is the vote of the segments: give it the whole songs",
    by_segment[-1].accuracy: "those are segments: give it the whole songs",
}
for share, slip in slips.items():
    assert np.isclose(whole, own[tested].mean()) or not np.isclose(whole, share), slip
assert np.isclose(whole, own[tested].mean()), (
    f"not {whole:.3f}: is each answer the largest class of ONE whole test song?"
)
vote_of = f"vote of {count} segments"
print(f"12 s in one piece: {whole:.3f}; {vote_of}: {by_song[-1].accuracy:.3f}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Exercise 1: stop a leak
#
# - A colleague: `segments.sample(frac=0.3)` is the test
# - Make `safe`: True for each segment of the test
# - No song on both sides, every class in the test
# - Between 20 and 40 percent of the segments

# %% [markdown] tags=["notes"]
# Ask first what is wrong with the colleague's line: he draws segments. The tool is `data.split`. When the check prints the nearest neighbour's accuracy with the new split, compare it with chance and with the leak.

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz
#
# 1. Segments shuffled, a tenth for the test: 0.97 says what?
# 2. State carried, gradient stopped each second: what is lost?
# 3. Blind, shuffled, in order: what is order worth?

# %% [markdown] tags=["notes"]
# Answers are on the sheet and in the notebook; a show of hands for A, B, C. Right are 1 B, 2 A, 3 C. Question 3 after the bracket has been drawn, not before.

# %% [markdown]
# **You have seen**
# - songs cut into segments, and a model that knows nothing about the classes look brilliant because of how they were split;
# - a GRU where order is all there is, the order taken away, and the votes of a song's segments;
# - a state carried from piece to piece while the gradient stops, and what that costs and buys.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. Songs are cut into segments of 4 seconds; the segments are shuffled and a tenth is kept for the test. The accuracy is 0.97. What does it say?**
#
# <details><summary>A. How well the model does on songs it has never heard.</summary>No: nearly every test segment has a neighbour from its own song in the training.</details>
# <details><summary>B. Little about new songs: a nearest neighbour that only recognises recordings can reach as much.</summary>Yes: the split lets the model recognise the recording; split by song to ask about new songs.</details>
# <details><summary>C. That the segments are too long.</summary>No: the length is not the fault; shorter segments of the same songs leak as well.</details>
#
# **2. A GRU's state is carried through a whole song, and the gradient stops every second. The pattern lasts two seconds. What is lost?**
#
# <details><summary>A. The weights are hardly told what to keep from one second to the next.</summary>Yes: the state is there, but the loss in the second second cannot reach the frames of the first.</details>
# <details><summary>B. The state is emptied every second.</summary>No: it is carried; only the gradient stops.</details>
# <details><summary>C. Nothing, for carrying the state is what counts.</summary>No: a carried state is of use only if something taught the weights what to put into it.</details>
#
# **3. An order-blind model is at chance, a GRU trained on shuffled frames is above chance, a GRU with the order is far above both. What is order worth to the GRU?**
#
# <details><summary>A. The GRU with order minus the order-blind average.</summary>No: that counts the GRU's greater power, too; without any order it sees which strokes fall into one frame.</details>
# <details><summary>B. The GRU with order minus chance.</summary>No: some of that needs no order, as the second model shows.</details>
# <details><summary>C. The GRU with order minus the GRU that learned without it.</summary>Yes: the same network, the same songs; only the order differs.</details>
#
# Next: [14 Environmental sound](14_environmental_sound.ipynb).
# All lessons: [README](../README.md).
#
# *Sounds: rhythms by rule, the authors of this course, CC BY 4.0, played with FluidR3Mono_GM (MIT); or GTZAN, G. Tzanetakis. Text: CC BY 4.0.*
