# %% [markdown]
# # 02 · A baseline, and an honest split
#
# In lesson 00 an LSTM did well on ten spoken digits. Is that good? You cannot say before you know two things: what a model
# can do that hears no order at all, and whether the test asked the question that you have in mind.
#
# **You will**
# - read a data report before you train on anything;
# - build a baseline that is blind to the order of the frames, and give its accuracy with an interval;
# - split the same clips in three ways, and see three different accuracies.
#
# **Minutes:** 35, of which the computer takes about one. **You need:** lessons 00 and 01, and what a logistic layer is.

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

from course_lib import audio, batches, datasets, evaluation, models, plots, training

# %% [markdown]
# ## Look at the data first
#
# Before you train on anything, find out what you have. The report has one row for each class, and one for all.

# %%
clips = datasets.load("digits")
report = datasets.report(clips)
report[["clips", "groups", "seconds_median", "level_median", "silence", "clipped", "duplicates"]]

# %%
figure = plots.report(report)

# %% [markdown]
# The classes are balanced, so that guessing one of them is right as often as guessing any other. No clip is distorted, and none is
# there twice. The levels are far apart, though: 10 dB is a factor of three in amplitude. Is that the digit, or the speaker?

# %%
by_speaker = {name: datasets.report(part).loc["all"] for name, part in clips.groupby("group")}
pd.DataFrame(by_speaker).T[["clips", "seconds_median", "level_median", "silence"]].head(6)

# %% [markdown]
# It is the speaker. Each has a microphone, a room and a pace; a model can learn these as well as it learns words. Keep
# this table in mind until the end of the lesson.
#
# ## The trivial baseline
#
# The least that a model must beat is an answer that does not depend on the sound.

# %%
test = clips[clips.split == "test"]
frequent = clips[clips.split == "train"].label.mode()[0]
print(f"always {frequent}: {evaluation.score(test.label == frequent)}")

# %% [markdown]
# The *interval* belongs to the number. Had other clips of the same kind been drawn for the test, the share would have come
# out a little different; in 95 of 100 such draws an interval made this way holds the true share (Wilson 1927).
#
# ## A baseline that cannot hear order
#
# The next one listens, and forgets the order: it takes the *average* of all frames of a clip, and of their squares, and draws a
# straight line between the classes. It cannot know whether the hiss came first or last. **Predict, then run:** for
# how many of ten clips is that enough?

# %%
clips["frames"] = audio.log_mels(audio.read(path) for path in clips.path)
axes = plt.subplots(figsize=(9, 3), layout="constrained")[1]
for digit in ["6", "7", "9"]:
    average = np.mean([frames.mean(axis=0) for frames in clips.frames[clips.label == digit]], axis=0)
    axes.plot(audio.band_centres(), average, "o-", markersize=3, label=digit)
axes.set(xlabel="frequency (Hz)", ylabel="log energy", title="the average frame of three digits")
axes.legend(title="digit");

# %% [markdown]
# Three digits, three profiles: "six" hisses more than it hums. They lie close together, and each speaker bends them in his own way.

# %%
keras.utils.set_random_seed(0)
model = models.average(clips.label.nunique())
print(f"{model.count_params():,} numbers to learn: {', '.join(layer.name for layer in model.layers)}")

# %% [markdown]
# The model's layers in order: the input; the mask, so that padding is no part of the average; a fixed scale; the squares; the
# average over time; ten logits. One function trains and scores such a model, so that every split below is treated alike. Its
# setting (how many epochs, how large a step) was chosen on clips from the training part, before any test.

# %%
def train_and_score(train, test):
    """Train the order-blind model on some clips, and score it on others."""
    keras.utils.set_random_seed(0)
    model = models.average(clips.label.nunique())
    batched = batches.bucketed(train.frames, train.label, batch_size=256, n_lengths=4)
    training.fit(model, batched, epochs=20, learning_rate=0.03)
    return model, evaluation.evaluate(model, test)


train, test = clips[clips.split == "train"], clips[clips.split == "test"]
model, official = train_and_score(train, test)
print(f"the official split: {official}")

# %% [markdown]
# A straight line through averages: no memory, no order, and it is far from guessing. Any recurrent network in
# this course has to beat THIS number, on this split, by more than the width of the interval.
#
# ## Which clips may stand on both sides?
#
# Three ways to put clips aside for the test:
# 1. **random:** a tenth of all clips, drawn by lot;
# 2. **official:** as the makers of the data set say;
# 3. **by speaker:** all clips of one speaker, and none of his in training.
#
# **Predict, then run.** Order the three by the accuracy that you expect. By how much does the last differ from the first?

# %%
scores = {"official": official}
by_lot = clips.sample(frac=0.1, random_state=0)
scores["random"] = train_and_score(clips.drop(by_lot.index), by_lot)[1]
unseen, model_without = {}, {}
for speaker, others, own in itertools.islice(evaluation.leave_one_group_out(clips), 6):
    assert not set(others.group) & set(own.group), "a speaker is on both sides"
    model_without[speaker], unseen[speaker] = train_and_score(others, own)
    scores[f"without {speaker}"] = unseen[speaker]
for name, score in scores.items():
    print(f"{name:>18}: {score}")

# %%
plots.intervals(scores, chance=0.1, title="one model, one kind of data, three questions");

# %% [markdown]
# The model is the same, the clips are the same, the training is the same. What differs is the question. *Random* asks:
# can it recognise the words of people whom it has heard say them? *By speaker* asks: can it recognise the words of somebody
# new? The second is what most people mean when they say "it recognises digits".
#
# ## How sure is the honest number?

# %%
each = np.array([score.accuracy for score in unseen.values()])
print(f"{len(each)} unseen speakers: mean {each.mean():.3f}, from {each.min():.3f} to {each.max():.3f}")
draws = np.random.default_rng(0).choice(each, (10_000, len(each))).mean(axis=1)
low, high = np.quantile(draws, [0.025, 0.975])
widest = max(score.high - score.low for score in unseen.values())
print(f"95 % interval for the mean over speakers: {low:.3f} to {high:.3f}, {high - low:.3f} wide")
print(f"the widest of the intervals from the number of clips: {widest:.3f} wide")

# %% [markdown]
# Wilson's intervals in the picture are narrow, because there are many clips a speaker. They answer for more clips
# *of that speaker*. For another speaker, what counts is how many speakers there were: six. The second line draws six speakers
# out of the six again and again (the *bootstrap*), and its interval is the wider one, although it is for a mean. Whoever reports one accuracy with an
# interval from the number of clips has left the larger uncertainty out.
#
# ## Where does it fail?

# %%
speaker = min(unseen, key=lambda name: unseen[name].accuracy)
own = clips[clips.group == speaker]
answers = evaluation.predict(model_without[speaker], own.frames).argmax(axis=1)
confusion = evaluation.confusion(own.label, answers)
plots.confusion(confusion, title=f"{speaker}, whom the model never heard");

# %% [markdown]
# A row is what was said, a column what was heard. A column that is bright from top to bottom is a favourite: the new voice
# sounds, on average, like that word of the old voices.
#
# The results go into the table that you carry through the course.

# %%
results = evaluation.Results()
entry = {"lesson": "02", "model": "average", "data": clips.source.iloc[0], "parameters": model.count_params()}
results.add(split="official", score=official, **entry)
results.add(split="random", score=scores["random"], **entry)
table = results.add(split=f"without {speaker}", score=unseen[speaker], **entry)
table[table.lesson == "02"][["model", "split", "accuracy", "low", "high", "parameters"]].round(3)

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
found = shared_groups(train, test)
assert isinstance(found, set), "shared_groups should return a set: set(first.group) is one"
assert found == set(train.group) & set(test.group), "in both: & gives what two sets share, | what either has"
apart = datasets.split_by_group(clips, fraction=0.2, seed=1)
assert shared_groups(*apart) == set(), "split_by_group shares no group, yet you found one: look at the column group"
print(f"official: {len(found)} shared; split_by_group: none, with {sorted(apart[1].group.unique())} aside")

# %% [markdown]
# **Exercise 2.** Which two digits are confused most in the table `confusion`? Set `said` and `heard` to the row and the column of
# its largest count off the diagonal. (A copy with zeros on the diagonal helps: `np.fill_diagonal`.)

# %% tags=["solution"]
off_diagonal = confusion.to_numpy().copy()
np.fill_diagonal(off_diagonal, 0)
row, column = np.unravel_index(off_diagonal.argmax(), off_diagonal.shape)
said, heard = confusion.index[row], confusion.columns[column]

# %% tags=["check"]
digits = ", ".join(confusion.index)
assert said in confusion.index, f"`said` should be one of {digits}: a label, not its position"
assert heard in confusion.columns, f"`heard` should be one of {digits}: a label, not its position"
assert said != heard, f"{said} heard as {heard} is right; put zeros on the diagonal first"
largest = max(confusion.loc[a, b] for a in confusion.index for b in confusion.columns if a != b)
assert confusion.loc[said, heard] == largest, f"another pair is confused {largest} times; rows are what was said"
print(f"{said} is heard as {heard} {confusion.loc[said, heard]} times of {confusion.loc[said].sum()}")

# %% [markdown]
# **Exercise 3.** Your own recordings will come as a folder of class folders. This cell makes a small one, with a file in it
# that is not audio.

# %%
folder = Path(tempfile.mkdtemp()) / "mine"
chosen = clips.groupby(["label", "group"], observed=True).head(1)
for number, clip in enumerate(chosen.itertuples()):
    (folder / clip.label).mkdir(parents=True, exist_ok=True)
    name = f"take-{number:03d}_{clip.group}.wav"
    soundfile.write(folder / clip.label / name, audio.read(clip.path), audio.SAMPLE_RATE)
(folder / "0" / "notes_nobody.wav").write_text("This is not a recording.")
print(f"{len(chosen)} recordings, the last named {name}")

# %% [markdown]
# Set `pattern` to a regular expression whose parentheses find the speaker in such a name: what stands between `_` and `.wav`.
# `datasets.from_folder(folder, group=pattern)` then knows who speaks. Watch what it says of the broken file.

# %% tags=["solution"]
pattern = r"_(.+)\.wav$"

# %% tags=["check"]
assert isinstance(pattern, str), 'a pattern is a text, such as r"^([a-z]+)"'
assert "(" in pattern, "put parentheses round the part that names the speaker"
mine = datasets.from_folder(folder, group=pattern)
found, expected = set(mine.group), set(chosen.group)
assert found == expected, f"expected the speakers {sorted(expected)}, found {sorted(found)[:6]}"
assert len(mine) == len(chosen), "every recording but the broken one should be used"
print(f"{mine.group.nunique()} speakers in {len(mine)} clips; {len(mine.attrs['skipped'])} file named and skipped")

# %% [markdown]
# **You have seen**
# - a data report, and what it says before any training;
# - a baseline that is blind to the order of the frames, and its accuracy with an interval;
# - the same clips split in three ways, and three different accuracies.
#
# Back to the map: [00 Start here](00_start_here.ipynb).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
