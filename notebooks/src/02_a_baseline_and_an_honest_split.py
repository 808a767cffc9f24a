# %% [markdown]
# # 02 · A baseline, and an honest split
#
# In lesson 00 an LSTM did well on ten spoken digits. Is that good? You cannot say before you know two things: what a model
# can do that hears no order at all, and whether the test asked the question that you have in mind.
#
# **You will**
# - read a data report before you train on anything;
# - build a baseline that is blind to the order of the frames, and give its accuracy with an interval;
# - split the same clips in three ways, and see which split asks another question.
#
# **Minutes:** 35, of which the computer takes about half of one. **You need:** lessons 00 and 01, and what a Keras `Dense` layer is.

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
import itertools
import tempfile
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import soundfile

from course_lib import audio, batches, data, evaluation, models, plots, training

# %% [markdown]
# ## Look at the data first
#
# Before you train on anything, find out what you have. The [report](../docs/glossary.md#report) has one row for each [class](../docs/glossary.md#class), and one for all. [*Level*](../docs/glossary.md#level) is the
# root mean square in decibels, where 0 is [full scale](../docs/glossary.md#full-scale); *silence* is the share of 10 ms pieces at least 40 dB below the clip's loudest;
# *clipped* counts the clips with three samples in a row at full scale.

# %%
clips = data.load("digits")
by_class = data.report(clips)
levels = ["level_least", "level_largest"]
by_class[["clips", "seconds_median", *levels, "silence", "clipped", "duplicates"]]

# %% [markdown] tags=["slide", "only-slides"]
# ## Look at the data first
#
# Balanced? Cut off? Doubled? Equally loud?

# %% tags=["more", "no-code"]
loudest = by_class.level_largest.astype(float).max()
quietest = by_class.level_least.astype(float).min()
plots.show(
    plots.report(by_class),
    f"from the quietest to the loudest clip it is {loudest - quietest:.0f} dB",
)

# %% [markdown] tags=["notes"]
# One question for each panel, from left to right. The third is the one to stay at: the levels of single clips are far apart. Is that the digit, or somebody's microphone?

# %% [markdown]
# The classes are balanced, so that guessing one of them is right as often as guessing any other. No clip runs into full scale, and no two
# hold the same samples. The levels of single clips are far apart, though (third panel): 10 dB is a factor of three in [amplitude](../docs/glossary.md#amplitude).
# Is that the digit, or the speaker?

# %% [markdown] tags=["slide", "only-slides"]
# ## The digit, or the speaker?
#
# Each row is one voice. What could a model learn from this?

# %% tags=["more", "no-code"]
by_speaker = {
    name: data.report(part).loc["all"] for name, part in clips.groupby("group")
}
columns = ["clips", "seconds_median", "level_median", "silence"]
pd.DataFrame(by_speaker).T[columns].head(6)

# %% [markdown] tags=["notes"]
# Give them a minute with the table. Who is quiet, who cuts his clips with silence around them, who speaks fast? A model learns these as readily as it learns words. Ask them to
# keep the table in mind.

# %% [markdown]
# It is the speaker. Each has a level, a pace and a way of cutting the clips; a model can learn these as well as it learns words. Keep
# this table in mind until the end of the lesson.
#
# ## The trivial baseline
#
# What a model must beat is called a [*baseline*](../docs/glossary.md#baseline). The least of them is an answer that does not depend on the sound.

# %%
test = clips[clips.split == "test"]
frequent = clips[clips.split == "train"].label.mode()[0]
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
# The *interval* belongs to the number. Had other clips of the same kind been drawn for the test, the share would have come
# out a little different; in about 95 of 100 such draws an interval made this way holds the true share (Wilson 1927), if the
# clips are independent of each other. Keep that *if* in mind.
#
# ## A baseline that cannot hear order
#
# The next one listens, and forgets the order: it takes the *average* of all frames of a clip, and of their squares, and weighs these 80
# numbers in one `Dense` layer. It cannot know whether the hiss came first or last: it is [*order-blind*](../docs/glossary.md#order-blind). **Predict, then run:** for
# how many of ten clips is that enough?

# %% [markdown] tags=["slide", "only-slides"]
# ## All that it knows of three digits

# %% tags=["more", "no-code"]
clips["frames"] = audio.log_mels(audio.read(path) for path in clips.path)
axes = plt.subplots(figsize=(9, 3), layout="constrained")[1]
average, hertz = {}, audio.band_centres()
for digit, marker in zip(["6", "7", "9"], "os^"):
    of_digit = clips.frames[clips.label == digit]
    average[digit] = np.mean([frames.mean(axis=0) for frames in of_digit], axis=0)
    axes.plot(hertz, average[digit], marker + "-", markersize=3, label=digit)
axes.set(
    xlabel="frequency (Hz)",
    ylabel="log energy",
    title="the average frame of three digits",
)
axes.legend(title="digit")
lowest, highest = (
    max(average, key=lambda digit: average[digit][band]) for band in (0, -1)
)
plots.show(
    axes, f"in the lowest band {lowest} is loudest, in the highest band {highest}"
)

# %% [markdown] tags=["notes"]
# Let them name the hum on the left and the hiss on the right. "Six" hums least and hisses most. All order is gone: "six" and "six" backwards are the same line.

# %% [markdown]
# Three digits, three profiles: "six" hums least, at the left, and hisses most, at the right. How far one speaker's profile differs from
# another's, this picture does not show.

# %%
keras.utils.set_random_seed(0)
model = models.average(clips.label.nunique())
names = ", ".join(layer.name for layer in model.layers)
print(f"{model.count_params():,} numbers to learn: {names}")

# %% [markdown]
# The model's layers in order: the input; the mask, so that padding is no part of the average; a fixed scale; the squares; the
# average over time; ten logits. One function trains and scores such a model, so that every split below is treated alike. Its
# setting (how many epochs, how large a step) was chosen on clips from the training part, before any test.

# %% [markdown] tags=["slide", "only-slides"]
# ## One layer on 80 averages


# %% tags=["more"]
def train_and_score(train, test):
    """Train the order-blind model on some clips, and score it on others."""
    keras.utils.set_random_seed(0)
    model = models.average(clips.label.nunique())
    batched = batches.bucketed(train.frames, train.label, batch_size=256)
    training.fit(model, batched, epochs=20, learning_rate=0.03)
    return model, evaluation.evaluate(model, test)


train, test = clips[clips.split == "train"], clips[clips.split == "test"]
model, official = train_and_score(train, test)
print(f"the official split: {official}")

# %% [markdown] tags=["notes"]
# Compare with the guesses on paper. Any recurrent network has to beat THIS number, on this split, and end above its interval. Write it under the LSTM's score on the
# board.

# %% [markdown]
# One `Dense` layer on 80 averages: no memory, no order, and it is far from guessing. Any recurrent network in this course has to
# beat THIS number, on this split, and end above its interval. Now look back: where did the LSTM of lesson 00 come out, on this
# same test? Above the interval may mean that order helps; lesson 09 puts that to the test. How it does with a voice that it never heard, its number does not say.
#
# ## Which clips may stand on both sides?
#
# Three ways to put clips aside for the test:
# 1. **random:** a tenth of all clips, drawn by lot;
# 2. **official:** as the makers of the data set say;
# 3. **by speaker:** all clips of one speaker, and none of his in training.
#
# **Predict, then run.** Order the three by the [accuracy](../docs/glossary.md#accuracy) that you expect. By how much does the last differ from the first?
# (The cell trains seven models in about ten seconds.)

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: three ways to put clips aside
#
# 1. random: a tenth of all clips, by lot;
# 2. official: as the data set's makers say;
# 3. by speaker: one voice, and none of it in training.
#
# **Order the three. How far is the last from the first?**

# %% [markdown] tags=["notes"]
# Same model, same setting, nearly as many clips. Everyone writes the order and a distance. Then ask for the largest distance in the room, and write it on the board. Start the
# cell; it trains seven models.

# %%
by_lot = clips.sample(frac=0.1, random_state=0)
scores = {
    "random": train_and_score(clips.drop(by_lot.index), by_lot)[1],
    "official": official,
}
unseen, model_without = {}, {}
speakers = evaluation.leave_one_group_out(clips)
for speaker, others, own in itertools.islice(speakers, 6):  # six, to save time
    assert not set(others.group) & set(own.group), "a speaker is on both sides"
    model_without[speaker], unseen[speaker] = train_and_score(others, own)
    scores[f"{speaker}, unseen"] = unseen[speaker]
for name, score in scores.items():
    print(f"{name:>18}: {score}")
both = set(train.group) & set(test.group)
print(f"voices of the official test that are in its training, too: {len(both)}")

# %% [markdown] tags=["slide", "only-slides"]
# ## One model, three questions

# %% tags=["more", "no-code"]
axes = plots.intervals(
    scores, chance=0.1, title="one model, one kind of data, three questions"
)
order = sorted((score.accuracy, name) for name, score in scores.items())
(worst, lowest), (best, highest) = order[0], order[-1]
plots.show(axes, f"highest {highest}, {best:.3f}; lowest {lowest}, {worst:.3f}")

# %% [markdown] tags=["notes"]
# Nothing broke. The question changed. Say the three questions aloud: people whom it heard say these words; the same; somebody new. Ask which of the three a buyer means.
# The picture holds six people: point at the distance between the best and the worst of them.

# %% [markdown]
# The architecture and the setting are the same, and there are nearly as many clips to learn from. What differs is the question. *Random*
# asks: can it recognise the words of people whom it has heard say them? *Official* asks the same where the last line counts voices
# on both sides. *By speaker* asks: can it recognise the words of somebody new? That is what most people mean when they say
# "it recognises digits".
#
# ## How sure is the honest number?

# %% [markdown] tags=["slide", "only-slides"]
# ## How sure is the honest number?
#
# Two widths. Which belongs to people, which to clips?

# %% tags=["more", "no-code"]
each = np.array([score.accuracy for score in unseen.values()])
print(
    f"{len(each)} unseen speakers: mean {each.mean():.3f}, "
    f"from {each.min():.3f} to {each.max():.3f}"
)
draws = np.random.default_rng(0).choice(each, (10_000, len(each))).mean(axis=1)
low, high = np.quantile(draws, [0.025, 0.975])
widest = max(score.high - score.low for score in unseen.values())
print(
    "95 % interval for the mean over speakers: "
    f"{low:.3f} to {high:.3f}, {high - low:.3f} wide"
)
print(f"the widest of the intervals from the number of clips: {widest:.3f} wide")

# %% [markdown] tags=["notes"]
# Wilson's intervals answer for more clips OF THAT speaker. The bootstrap draws six of six speakers, and is still too narrow with six. For ONE new person the range in the first
# line is the better guide.

# %% [markdown]
# Wilson's intervals in the picture are narrow, because there are many clips a speaker. They answer for more clips
# *of that speaker*. The second line asks for the mean over speakers: it draws six of the six again and again (the [*bootstrap*](../docs/glossary.md#bootstrap)). It is
# wider, and with six speakers still too narrow. For ONE new speaker the range in the first line is the better guide. Whoever reports
# an accuracy with an interval from the number of clips alone has left the larger uncertainty out.
#
# ## Where does it fail?

# %% [markdown] tags=["slide", "only-slides"]
# ## Where it fails
#
# Rows: what was said. One column is bright: why?

# %% tags=["more", "no-code"]
speaker = min(unseen, key=lambda name: unseen[name].accuracy)
own = clips[clips.group == speaker]
answers = evaluation.predict(model_without[speaker], own.frames).argmax(axis=1)
confusion = evaluation.confusion(own.label, answers)
axes = plots.confusion(
    confusion, title=f"{speaker}, the worst of six, whom the model never heard"
)
taken = confusion.sum()
plots.show(
    axes, f"{taken.idxmax()} is the answer to {taken.max()} of {taken.sum()} clips"
)

# %% [markdown] tags=["notes"]
# Let them find the favourite answer. Then go back to the speakers' table: what is special about this voice? It is a guess until somebody listens.

# %% [markdown]
# The table is a [*confusion matrix*](../docs/glossary.md#confusion-matrix): a row is what was said, a column what was heard. A column with many bright cells is a favourite: perhaps the new voice sounds, on
# average, like that word of the old voices. A guess, to be tested by listening. Go back to the table by speaker, too: is anything special about this voice?
#
# The results go into the table that you carry through the course. The third row is the worst of the six.

# %%
results = evaluation.Results()
entry = {
    "lesson": "02",
    "model": "average",
    "data": clips.source.iloc[0],
    "parameters": model.count_params(),
}
results.add(split="official", score=official, **entry)
results.add(split="random", score=scores["random"], **entry)
table = results.add(split=f"{speaker}, unseen", score=unseen[speaker], **entry)
columns = ["model", "split", "accuracy", "low", "high", "parameters"]
table[table.lesson == "02"][columns].round(3)

# %% [markdown] tags=["slide", "only-slides"]
# ## Your turn: the line near every script's top
#
# Write `shared_groups(first, second)`: who is on both sides?
#
# - Official split: how many voices?
# - `data.split`: how many?

# %% [markdown] tags=["notes"]
# Exercise 1, two minutes. It is one line, and whoever writes it into every script finds a shared voice before a reader does. Exercise 2 asks for the pair that is confused most;
# 3 prepares the learners' own recordings.

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** Write `shared_groups(first, second)`: the set of groups that have clips in both DataFrames. It is the assertion
# that every honest script has near its top.


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
# of its largest count off the diagonal. (Take `counts = confusion.to_numpy().copy()`, then `np.fill_diagonal(counts, 0)`.) If two
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
# **Exercise 3.** Your own recordings will come as a folder of class folders. This cell makes a small one, with a file in it
# that is not audio.

# %%
folder = Path(tempfile.mkdtemp()) / "mine"
chosen = clips.groupby(["label", "group"], observed=True).head(1)
for number, clip in enumerate(chosen.itertuples()):
    (folder / clip.label).mkdir(parents=True, exist_ok=True)
    name = f"take-{number:03d}_{clip.group}.wav"
    soundfile.write(
        folder / clip.label / name, audio.read(clip.path), audio.SAMPLE_RATE
    )
(folder / "0" / "notes_nobody.wav").write_text("This is not a recording.")
print(f"{len(chosen)} recordings, the last named {name}")

# %% [markdown]
# Set `pattern` to a regular expression whose parentheses find the speaker in such a name: what stands between `_` and `.wav`. (In
# a regular expression `.+` is a run of characters, `\.` is a full stop, `$` the end, and what stands in `( )` is found.)
# `data.from_folder(folder, group=pattern)` then knows who speaks. Watch what it says of the broken file.

# %% tags=["solution"]
pattern = r"_(.+)\.wav$"

# %% tags=["check"]
import re

assert isinstance(pattern, str), 'a pattern is a text, such as r"^([a-z]+)"'
assert "(" in pattern, "put parentheses round the part that names the speaker"
try:
    mine = data.from_folder(folder, group=pattern)
except ValueError as error:
    raise AssertionError(str(error)) from None
found, expected = set(mine.group), set(chosen.group)
assert found == expected, (
    f"expected the speakers {sorted(expected)}, found {sorted(found)[:6]}"
)
assert len(mine) == len(chosen), "every recording but the broken one should be used"
other = re.search(pattern, "take-118_Jo-2.wav")
assert other and other[1] == "Jo-2", (
    f"of a recording by Jo-2 your pattern finds {other[1] if other else 'nothing'}: "
    "a name may hold any characters"
)
other = re.search(pattern, "take-307_van.der.Ä 9.wav")
assert other and other[1] == "van.der.Ä 9", (
    "for another speaker's file, named in the same way, the pattern is wrong"
)
skipped = len(mine.attrs["skipped"])
print(
    f"{mine.group.nunique()} speakers in {len(mine)} clips; "
    f"{skipped} file named and skipped"
)

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
# - the same clips split in three ways, and which split asks another question.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. A model is right about 97 of 100 test clips. The test has the same six speakers as the training. What do you know?**
#
# <details><summary>A. It recognises digits.</summary>No: you know it for these six voices. A new speaker is another question, and another number.</details>
# <details><summary>B. It recognises these speakers' digits.</summary>Yes: that is the question which this split asks.</details>
# <details><summary>C. Nothing, since 100 clips are too few for any conclusion.</summary>No: the interval says how much 100 clips tell: 97 of them is far from guessing.</details>
#
# **2. The interval for six unseen speakers is wider than that for 3,000 clips. Which one do you report?**
#
# <details><summary>A. The wider: the claim is about people, and you have six of them.</summary>Yes: clips of one speaker are alike, so more of them tell little about the next speaker.</details>
# <details><summary>B. The narrower, since 3,000 is the number of test items.</summary>No: it answers for more clips of THESE speakers, which is hardly what the reader wants to know.</details>
# <details><summary>C. Neither; an accuracy is a fact.</summary>No: other clips or other speakers would have given another number; the interval says by how much.</details>
#
# **3. Why does a baseline that hears no order come first?**
#
# <details><summary>A. It trains faster, so that mistakes in the code show early.</summary>No: a pleasant side effect, and not the reason; a network's accuracy still has to be compared with something.</details>
# <details><summary>B. Its average frame is what the RNN begins with.</summary>No: the RNN begins with random weights and takes nothing from it.</details>
# <details><summary>C. A recurrent network that does not beat it has shown no use of order.</summary>Yes: and one that does beat it may have used order, or only its greater size; lesson 09 parts the two.</details>
#
# Next: [03 The vanilla RNN, by hand](03_the_vanilla_rnn_by_hand.ipynb).
# Back to the map: [00 Start here](00_start_here.ipynb).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
