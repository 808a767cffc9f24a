# %% [markdown]
# # 02 · A baseline, and an honest split
#
# In lesson 00 an LSTM got nearly all test clips right. Is that good? To say so, you need two more numbers: how well a model does that cannot hear order, and how this
# simpler model does with a voice that it has never heard.
#
# **You will**
# - read a data report before you train anything;
# - build a baseline that is blind to the order of the frames, and give its accuracy with an interval;
# - split the same clips in three ways, and see that the split decides which question you ask.
#
# **Minutes:** 70 with the exercises; the computer needs less than one of them. **You need:** lessons 00 and 01. This lesson uses Keras's functional API
# (`layer(input)`) and pandas' `groupby`; both are explained where they appear. Statistics are explained in words.

# %% [markdown] tags=["slide", "only-slides"]
# ## In lesson 00 an LSTM did well. Is that good?
#
# - What can a model do that hears no order at all?
# - Did the test ask the question that you have in mind?

# %% [markdown] tags=["notes"]
# Go to the number in the corner of the board from lesson 00 and its question mark. Ask: what would you want to know before you sell this to somebody? Collect. Two answers are
# wanted: "what does a simpler thing reach?" and "who spoke in the test?"

# %% tags=["setup"]
import setup_course

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import Audio, display
from scipy import stats

from course_lib import audio, batches, data, evaluation, plots

# %% [markdown]
# ## Look at the data first
#
# Before you train anything, find out what you have. The [report](../docs/glossary.md#report) has one row for each class and a last row for the whole set.

# %%
clips = data.load("digits")
by_class = data.report(clips)
columns = ["clips", "seconds_median", "level_median", "silence", "duplicates"]
by_class[columns]

# %% [markdown]
# [*Level*](../docs/glossary.md#level) is the RMS level in decibels; 0 is [full scale](../docs/glossary.md#full-scale), and 20 dB less is a tenth of the amplitude. *Silence* is the
# share of pieces of 10 ms that are at least 40 dB below the loudest piece of their clip.
#
# The classes are balanced: guessing any of them is right equally often. They differ a little in length and in level, and no two clips are the same. Now the same report
# by speaker. `clips.groupby("group")` gives the clips of one speaker after the other; of each report we keep the row "all".

# %% [markdown] tags=["slide", "only-slides"]
# ## The digit, or the speaker?
#
# Each row is one voice. What could a model learn from this?

# %% tags=["more", "no-code"]
by_speaker = {}
for speaker, own in clips.groupby("group"):
    by_speaker[speaker] = data.report(own).loc["all", columns]
pd.DataFrame(by_speaker).T  # T: a row for each speaker

# %% [markdown] tags=["notes"]
# Give them a minute with the table. Who is quiet, who cuts his clips with silence around them, who speaks fast? A model learns these as readily as it learns words. Ask them to
# keep the table in mind.

# %% [markdown]
# In level and in silence, speakers differ far more than digits do. In the real recordings the level differs by 22 dB from speaker to speaker, and by 5 dB from digit to digit. Each speaker has a level, a pace
# and a way of trimming clips, and a model can learn these as easily as it learns words. Keep this table in mind until the end of the lesson.
#
# ## The trivial baseline
#
# A number that a model must beat is called a [*baseline*](../docs/glossary.md#baseline). The simplest one does not listen: it always gives the same answer.

# %%
train, validation, test = data.load_parts("digits")
frequent = train.label.mode()[0]  # the first of the most frequent labels
print(f"always {frequent}: {evaluation.score(test.label == frequent)}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: a model that hears no order
#
# - The average of all frames, and of their squares.
# - One Dense layer on these 80 numbers.
#
# **How many of ten test clips will it get right?**

# %% [markdown] tags=["notes"]
# First the trivial baseline: always the same answer is right once in ten. Then everyone writes a number for the average. Ask: which two digits should it mix up, if it cannot
# know what came first?

# %% [markdown]
# The *interval* belongs to the number. With other test clips the accuracy would be a little different. Intervals made this way contain the true value about 95 times in 100
# ([Wilson 1927](../docs/glossary.md#interval)), *if* the clips are independent of each other. Remember that *if*.
#
# ## A baseline that cannot hear order
#
# The next baseline listens but forgets the order. It takes the *average* of all frames of a clip, and the average of their squares. Together these 80 numbers say how loud
# each band is, and how much it varies. One `Dense` layer turns them into logits. Such a model is [*order-blind*](../docs/glossary.md#order-blind): it gives a word and the same word
# backwards the same answer.


# %%
def order_blind():
    """Mean and mean square of each band over time, and one layer."""
    clip = keras.Input([None, 40])
    frames = keras.layers.Masking(batches.PADDING)(clip)
    frames = keras.layers.Rescaling(1 / 4, offset=5 / 4)(frames)
    squares = keras.layers.Multiply()([frames, frames])
    both = keras.layers.Concatenate()([frames, squares])
    mean = keras.layers.GlobalAveragePooling1D()(both)
    return keras.Model(clip, keras.layers.Dense(10)(mean), name="average")


print(f"{order_blind().count_params()} numbers to learn: 80 times 10, and 10 more")

# %% [markdown]
# This is Keras's functional API: each layer is called on what came before, so that `frames` can go two ways. The average leaves padded frames out, because the mask is passed
# on from layer to layer. Later lessons write `models.average(10)` for this function.
#
# A baseline deserves as good a training as its rival, so we try three learning rates and compare them on the *validation* clips:


# %%
def fit(clips, *, rate):
    """Train the order-blind model on clips."""
    keras.utils.set_random_seed(0)
    model = order_blind()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate, global_clipnorm=1.0), loss)
    batched = batches.bucketed(clips.frames, clips.label, batch_size=64)
    model.fit(batched, epochs=20, shuffle=False, verbose=0)
    return model


for rate in [0.003, 0.01, 0.03]:
    found = evaluation.evaluate(fit(train, rate=rate), validation)
    print(f"rate {rate}: {found.accuracy:.3f} of the validation clips")

# %% [markdown]
# We keep the best of the three. **Predict, then run:** how many of ten test clips will this model get right?

# %% [markdown] tags=["slide", "only-slides"]
# ## One layer on 80 averages

# %% tags=["more"]
rest = pd.concat([train, validation])  # the rate is chosen: train on all of them
RATE = 0.01
model = fit(rest, rate=RATE)
official = evaluation.evaluate(model, test, lesson="02")
print(f"order-blind, official test: {official}")

# %% [markdown] tags=["notes"]
# Compare with the guesses on paper. Any recurrent network has to beat THIS number, on this split. Write it under the LSTM's score on the board.

# %% [markdown]
# One `Dense` layer on 80 averages: no memory, no order, and nearly nine of ten words are right. That is the number to beat for every recurrent network on this split. The LSTM of
# lesson 00 got 99 of 100 of the same test clips right. It is better; whether that is due to *order* is a question for lesson 09.
#
# ## Which clips may stand on both sides?
#
# There are three ways to choose the test clips:
# - **by speaker:** all clips of one speaker, and none of that speaker's in training;
# - **random:** a tenth of all clips, at random;
# - **official:** as the makers of the data set say.
#
# **Predict, then run.** Order the three by the [accuracy](../docs/glossary.md#accuracy) that you expect. How far is the last from the first?
# The cell trains seven models in about fifteen seconds.

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: three ways to choose the test
#
# 1. random: a tenth of all clips;
# 2. official: as the data set's makers say;
# 3. by speaker: one voice, and none of it in training.
#
# **Order the three. How far is the last from the first?**

# %% [markdown] tags=["notes"]
# Same model, same setting, nearly as many clips. Everyone writes the order and a distance. Then ask for the largest distance in the room, and write it on the board. Start the
# cell; it trains seven models.

# %%
clips = pd.concat([rest, test])  # all of them, now with frames
tenth = clips.sample(frac=0.1, random_state=0)
others = fit(clips.drop(tenth.index), rate=RATE)
scores = {"random": evaluation.evaluate(others, tenth), "official": official}
without = {}  # for each speaker, the model that did not hear them
for speaker in clips.group.unique():
    own = clips[clips.group == speaker]
    without[speaker] = fit(clips[clips.group != speaker], rate=RATE)
    scores[f"{speaker}, unseen"] = evaluation.evaluate(without[speaker], own)

# %% [markdown] tags=["slide", "only-slides"]
# ## One model, three questions

# %% tags=["more", "no-code"]
axes = plots.intervals(scores, chance=0.1, title="one model, three questions")
plots.show(
    axes, "the two upper models heard the voices of their test, the others did not"
)
both = set(rest.group) & set(test.group)
print(f"voices of the official test that are in its training, too: {len(both)}")

# %% [markdown] tags=["notes"]
# Nothing broke. The question changed. Say the three questions aloud: people whom it heard say these words; the same; somebody new. Ask which of the three a buyer means.
# The picture holds six people: point at the distance between the best and the worst of them.

# %% [markdown]
# The model is the same, the training is the same, and there are nearly as many clips to learn from. Only the question changed. *Random* asks: can it recognise the words of people it
# has heard? The *official* split asks the same, because all voices of its test are also in its training. *By speaker* asks: can it recognise the words of somebody new? That is
# what most people mean by "it recognises digits".
#
# ## How sure is the honest number?
#
# The intervals in the picture are narrow, because there are hundreds of clips of each speaker. But they only answer for more clips *of that speaker*. For
# a statement about people, the speakers are the sample, and there are six of them. So few values do not show well how much speakers differ. Student's t allows for that: where
# hundreds of values would use a factor of 1.96, six use 2.57. With $G$ speakers, their mean $\bar p$ and their standard deviation $s$ (divided by $G-1$: `ddof=1` in NumPy); 0.975, because 2.5 % are left out at each end:
#
# $$\bar p\pm t_{0.975,\,G-1}\,\frac{s}{\sqrt G}\quad\text{for the mean over speakers,}\qquad \bar p\pm t_{0.975,\,G-1}\,s\sqrt{1+\frac1G}\quad\text{for one new speaker.}$$
#
# The second formula is wider, because one speaker differs from the mean by more than the mean is uncertain.

# %% [markdown] tags=["slide", "only-slides"]
# ## How sure is the honest number?
#
# Three widths: for clips of one voice, for the mean over voices, for one new voice.

# %% tags=["more", "no-code"]
unseen = np.array([scores[f"{speaker}, unseen"].accuracy for speaker in without])
mean, spread, count = unseen.mean(), unseen.std(ddof=1), len(unseen)
t = stats.t.ppf(0.975, count - 1)  # 2.57 for six speakers
half = t * spread / np.sqrt(count)
print(
    f"mean over {count} speakers: {mean:.3f} ({mean - half:.3f} to {mean + half:.3f})"
)
half = t * spread * np.sqrt(1 + 1 / count)
low, high = max(0, mean - half), min(1, mean + half)
print(f"one new speaker: somewhere from {low:.2f} to {high:.2f}")

# %% [markdown] tags=["notes"]
# Wilson's intervals answer for more clips OF THAT speaker. Student's t over speakers answers for the mean over people; with one more term it answers for ONE new person, and that
# interval is nearly useless: say so. Six people tell little about the seventh.

# %% [markdown]
# An interval based only on the number of clips hides the larger uncertainty: which speakers you happened to test. For one new speaker the interval is so wide that it says
# little more than "it depends on the voice". That is an honest answer, and the remedy is more speakers. Lesson 11 tests on more voices.
#
# (Even this is a little optimistic: any two of the six models share most of their training clips, so the six numbers are not independent.)
#
# ## Where does it fail?

# %% [markdown] tags=["slide", "only-slides"]
# ## Where it fails
#
# Rows: what was said. One column is bright: why?

# %% tags=["more", "no-code"]
speaker = min(without, key=lambda name: scores[f"{name}, unseen"].accuracy)
own = clips[clips.group == speaker]
answers = evaluation.predict(without[speaker], own.frames).argmax(axis=1)
confusion = evaluation.confusion(own.label, answers)
title = f"{speaker}: a voice that this model has never heard"
favourite = confusion.sum().idxmax()
share = (confusion.sum() / len(own)).max()
plots.show(
    plots.confusion(confusion, title=title),
    f"{favourite} is the answer to {share:.0%} of the clips: the bright column",
)

# %% [markdown] tags=["notes"]
# Let them find the favourite answer. Then go back to the speakers' table: what is special about this voice? Play the two clips. It is a guess until somebody measures.

# %% [markdown]
# This is a [*confusion matrix*](../docs/glossary.md#confusion-matrix): a row is what was said, a column is what the model heard. A bright column is an answer that the model gives too
# often. Go back to the table of speakers: is anything special about this voice? In the real recordings, no: ordinary level, ordinary length, hardly any silence. So listen. First
# a word of this speaker that the model took for its favourite, then the favourite itself, said by another speaker:

# %%
wrong = own[
    (own.label != favourite) & (answers == confusion.columns.get_loc(favourite))
]
others = clips[(clips.group != speaker) & (clips.label == favourite)]
for clip in [wrong.iloc[0], others.iloc[0]]:
    print(f"{clip.group} says {clip.label}")
    display(Audio(audio.read(clip.path), rate=audio.SAMPLE_RATE))

# %% [markdown]
# Two different words, by two voices into two microphones. The model sees two averages, and an average holds the voice and the microphone as well as the word. Why these two look alike to it,
# this page cannot say. Lesson 11 removes each clip's average and measures how much comes back.
#
# ## A leak that needs no speaker
#
# What is true of speakers is true of anything that makes clips alike: a song, a machine, an afternoon. The course brings 216 short songs in six rhythms, such as waltz and samba. We cut each
# song into three segments. A *nearest neighbour* then finds the training segment with the most similar average frame, and repeats its rhythm. It knows nothing about rhythm.
#
# We test it twice: on the third segment of every song, with the first two for training; and on the first segment of each of 72 songs, with all segments of the other songs for training. **Predict, then run:** which number is higher?

# %%
songs = data.load("rhythms")
thirds = [np.array_split(audio.log_mel(audio.read(path)), 3) for path in songs.path]
average = np.array([[third.mean(axis=0) for third in song] for song in thirds])
codes = songs.label.cat.codes.to_numpy()
print("[songs, segments, bands] =", average.shape)


def nearest(train, train_codes, test, test_codes):
    """How often the nearest training segment has the right label."""
    differences = test[:, None] - train[None]  # [test, train, bands]
    closest = (differences**2).sum(axis=2).argmin(axis=1)
    return (train_codes[closest] == test_codes).mean()


# %%
first_two = np.concatenate([average[:, 0], average[:, 1]])  # [2 × songs, bands]
by_segment = nearest(first_two, np.tile(codes, 2), average[:, 2], codes)
shuffled = np.random.default_rng(0).permutation(len(songs))
new, known = shuffled[:72], shuffled[72:]  # a third of the songs is new
segments = np.concatenate([average[known, part] for part in range(3)])
by_song = nearest(segments, np.tile(codes[known], 3), average[new, 0], codes[new])
print(f"split by segment {by_segment:.3f}, by song {by_song:.3f}")
print(f"a guess is right {1 / songs.label.nunique():.3f}")

# %% [markdown]
# Split by segment, the neighbour is another piece of the *same song*, and the answer is nearly always right. Split by song, the same method cannot be told from a guess with 72 songs. This is a
# [*leak*](../docs/glossary.md#leak): something other than the class connects the two sides of the split. If you cut recordings into pieces, split the recordings first.

# %% [markdown] tags=["slide", "only-slides"]
# ## Your turn: the line near every script's top
#
# Write `shared_groups(first, second)`: who is on both sides?
#
# - Official split: how many voices?
# - `data.split`: how many?

# %% [markdown] tags=["notes"]
# Exercise 1, two minutes. It is one line. With it at the top of each script you find a shared voice before a reader does. Exercise 2 asks for the pair that is confused most;
# 3 is the interval over speakers, to be used from then on.

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** Write `shared_groups(first, second)`: the set of groups that have clips in both DataFrames. A good script asserts near its top that this set is
# empty.


# %% tags=["solution"]
def shared_groups(first, second):
    """The groups that are on both sides."""
    return set(first.group) & set(second.group)


# %% tags=["check"]
voice = clips.group.iloc[0]
found = shared_groups(clips[clips.group == voice], clips)
assert isinstance(found, set), (
    f"shared_groups should return a set, you return {type(found).__name__}"
)
assert found == {voice}, (
    f"clips of one voice, and all clips: {len(found)} shared, expected that one alone"
)
apart = data.split(clips, fraction=0.2, seed=1)
assert shared_groups(*apart) == set(), (
    "data.split shares no group, yet you found one: look at the column group"
)
first, second = (pd.DataFrame({"group": list(voices)}) for voices in ("abca", "cbdd"))
assert shared_groups(first, second) == shared_groups(second, first) == {"b", "c"}, (
    "two small tables share some groups and not others: who is in BOTH of them?"
)
print(f"official: {len(shared_groups(train, test))} shared; data.split: none")

# %% [markdown]
# **Exercise 2.** Which two digits are confused most in the table `confusion`? Set `said` and `heard` to the labels of the row and the column
# of its largest count off the diagonal. (You can read the pair off the picture. In code: `counts = confusion.to_numpy().copy()`, `np.fill_diagonal(counts, 0)`,
# and `np.unravel_index(counts.argmax(), counts.shape)` gives the positions of the row and the column of the largest count; `confusion.index[row]` and
# `confusion.columns[column]` are their labels.) If two
# pairs tie, either will do.

# %% tags=["solution"]
counts = confusion.to_numpy().copy()
np.fill_diagonal(counts, 0)
row, column = np.unravel_index(counts.argmax(), counts.shape)
said, heard = confusion.index[row], confusion.columns[column]

# %% tags=["check"]
digits = ", ".join(confusion.index)
assert said in confusion.index, (
    f"`said` should be one of {digits}: a label, not its position"
)
assert heard in confusion.columns, (
    f"`heard` should be one of {digits}: a label, not its position"
)
assert said != heard, (
    f"{said} heard as {heard} is right; put zeros on the diagonal first"
)
times, clips_of_word = confusion.loc[said, heard], confusion.loc[said].sum()
largest = max(
    confusion.loc[a, b] for a in confusion.index for b in confusion.columns if a != b
)
assert times == largest or confusion.loc[heard, said] != largest, (
    "the other way round: a row is what was said, a column what was heard"
)
assert times == largest, (
    f"{said} is heard as {heard} {times} times; another pair is confused more often"
)
print(f"{said} is heard as {heard} {times} times of {clips_of_word}")

# %% [markdown]
# **Exercise 3.** Write `mean_of_groups(accuracies)`: the mean over speakers and the two ends of its 95 % interval by Student's t, as a tuple `(mean, low, high)`. `accuracies` is a
# list with one number for each speaker, and there may be any number of speakers from two on. Which is narrower: the interval of six speakers or that of twelve with the same spread?


# %% tags=["solution"]
def mean_of_groups(accuracies):
    """Mean over speakers, and the ends of its 95 % interval."""
    count = len(accuracies)
    error = np.std(accuracies, ddof=1) / np.sqrt(count)
    half = stats.t.ppf(0.975, count - 1) * error
    mean = np.mean(accuracies)
    return mean, mean - half, mean + half


# %% tags=["check"]
found = mean_of_groups([0.5, 0.6, 0.9])
assert found is not None and len(found) == 3, (
    "mean_of_groups should return three numbers: mean, low, high"
)
middle, low, high = found
assert np.isclose(middle, 2 / 3), f"the mean of 0.5, 0.6 and 0.9 is not {middle:.3f}"
width = high - low
assert not np.isclose(width, 2 * 1.96 * np.std([0.5, 0.6, 0.9], ddof=1) / 3**0.5), (
    "1.96 is for very many speakers: take the factor of Student's t for three"
)
assert not np.isclose(
    width, 2 * 4.3027 * np.std([0.5, 0.6, 0.9]) / 3**0.5, rtol=1e-3
), "the standard deviation of a sample divides by n - 1: ddof=1"
assert not np.isclose(width, 2 * 4.3027 * np.std([0.5, 0.6, 0.9], ddof=1), rtol=1e-3), (
    "the mean is less uncertain than one speaker: divide by the root of their number"
)
six, twelve = [0.4, 0.6] * 3, [0.4, 0.6] * 6
for values in ([0.5, 0.6, 0.9], six, twelve, [0.2, 0.3]):
    expected = stats.t.interval(
        0.95, len(values) - 1, np.mean(values), stats.sem(values)
    )
    assert np.allclose(mean_of_groups(values)[1:], expected), (
        f"wrong for {len(values)} speakers: the factor depends on their number"
    )
narrow, wide = (np.ptp(mean_of_groups(values)[1:]) for values in (twelve, six))
print(f"six speakers: {wide:.2f} wide; twelve with the same spread: {narrow:.2f}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz
#
# 1. 97 of 100 right, same six speakers: what do you know?
# 2. Six speakers or 3,000 clips: which interval do you report?
# 3. Why does the baseline without order come first?

# %% [markdown] tags=["notes"]
# Right are 1 B, 2 A, 3 C. Ask for question 2 as a discussion: who would print the narrow one, and why is it so tempting? The choices stand in the notebook and on the quiz sheet.

# %% [markdown]
# **You have seen**
# - a data report, and what it says before any training;
# - a baseline that is blind to the order of the frames, and its accuracy with an interval;
# - the same clips split in three ways, and which of them asks about a new speaker.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. A model is right about 97 of 100 test clips. The test has the same six speakers as the training. What do you know?**
#
# <details><summary>A. It recognises digits.</summary>No: you know it for these six voices. A new speaker is another question, and another number.</details>
# <details><summary>B. It recognises these speakers' digits.</summary>Yes: that is the question which this split asks.</details>
# <details><summary>C. Nothing, since 100 clips are too few for any conclusion.</summary>No: 97 of 100 is far from guessing, and the interval says how far.</details>
#
# **2. The interval for the mean over six unseen speakers is wider than one from the number of clips. Which one do you report?**
#
# <details><summary>A. The wider: the claim is about people, and you have six of them.</summary>Yes: clips of one speaker are alike, so more of them tell little about the next speaker.</details>
# <details><summary>B. The narrower, since thousands of clips were tested.</summary>No: it answers for more clips of THESE speakers, which is hardly what the reader wants to know.</details>
# <details><summary>C. Neither; an accuracy is a fact.</summary>No: other clips or other speakers would have given another number; the interval says by how much.</details>
#
# **3. Why does a baseline that hears no order come first?**
#
# <details><summary>A. It trains faster, so that mistakes in the code show early.</summary>No: a pleasant side effect, and not the reason; a network's accuracy still has to be compared with something.</details>
# <details><summary>B. Its average frame is what the RNN begins with.</summary>No: the RNN begins with random weights and takes nothing from it.</details>
# <details><summary>C. A recurrent network that does not beat it has shown no use of order.</summary>Yes: and one that does beat it may have used order, or only its greater size; lesson 09 separates the two.</details>
#
# Next: [03 The vanilla RNN, by hand](03_the_vanilla_rnn_by_hand.ipynb).
# All lessons: [README](../README.md).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
