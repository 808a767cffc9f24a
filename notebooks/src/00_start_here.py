# %% [markdown]
# # 00 · Start here
#
# A [recurrent neural network](../docs/glossary.md#recurrent-neural-network) reads a sound as you hear it: from its first moment to its last. In this lesson one of them
# learns to tell ten spoken words apart, and you listen to the recordings that it gets wrong.
#
# **You will**
# - see and hear what the course works with: short recordings of many lengths;
# - train a small LSTM on them, and score it on recordings that it has not seen;
# - listen to its mistakes, and let a model listen to you.
#
# **Minutes:** 10, of which the computer takes about a quarter of one (the exercises and the quiz take 15 more). **You need:** Python and a little NumPy. Nothing about sound.
#
# The first cell finds the course's helper package, `course_lib`; on Colab it fetches it.

# %% [markdown] tags=["slide", "only-slides"]
# ## What does a small network hear, and what does it get wrong?
#
# - Hear a recording, and see it.
# - Train a small LSTM; test it once.
# - Listen to its mistakes, then let a model listen to you.

# %% [markdown] tags=["notes"]
# Ask: who has trained a network before? Who has worked with sound? Then say what today is: ten minutes, one model, no theory.
# Every word that falls today (frame, mask, logits, validation) comes back in a lesson of its own.
# Start the cells up to the training now if the computer is slow.

# %% tags=["setup"]
import setup_course

# %%
import keras
import numpy as np
import pandas as pd
from IPython.display import Audio, display

from course_lib import audio, batches, data, evaluation, models, plots, training
from course_lib.extra import streaming
from course_lib.extra.recorder import Recorder

# %% [markdown]
# ## Ten words, many recordings
#
# A [*clip*](../docs/glossary.md#clip) is one recording of one word. `data.load` gives a table with one clip a row and says in a line where the
# recordings come from: real people if they can be had, and otherwise synthetic voices that the course brings along.

# %%
clips = data.load("digits")
clips[["label", "group", "split", "seconds"]].sample(5, random_state=1)

# %% [markdown]
# The [*label*](../docs/glossary.md#label) is the digit that was said. The [*group*](../docs/glossary.md#group) is the voice that said it. The [*split*](../docs/glossary.md#split) says whether the clip is for
# learning or for the final [test](../docs/glossary.md#test). No two clips need be equally long: look at the last column.
#
# ## Hear one, see one
#
# A recording is a list of numbers, thousands for each second: how far the microphone's diaphragm was pushed or pulled. Drawn
# against time, they are the [*waveform*](../docs/glossary.md#waveform).

# %% [markdown] tags=["slide", "only-slides"]
# ## Hear one, see one
#
# Press play. Where in the picture is the "v" of "seven"?

# %% tags=["more", "no-code"]
clip = clips[clips.label == "7"].iloc[0]
waveform = audio.read(clip.path)
axes = plots.waveform(waveform, title=f'"seven", spoken by {clip.group}')
loudest = np.abs(waveform).argmax() / audio.SAMPLE_RATE
plots.show(
    axes, f"the waveform is largest, {np.abs(waveform).max():.2f}, at {loudest:.2f} s"
)
Audio(waveform, rate=audio.SAMPLE_RATE)

# %% [markdown] tags=["notes"]
# Play it twice before anybody speaks. Ask the room to point at the "v" and at the two vowels. The vowels are the two loud parts; the "s" at the start is hardly to be seen.
# Say: everything is in this curve, and the eye reads little from it but loudness.

# %% [markdown]
# Press play. (The player makes every clip equally loud.) You hear the word; can you see it in the picture? Hardly: everything
# is in the waveform, but the eye reads little from it except how loud each moment is. A picture that shows *which pitches* sound *when* says more. The next cell computes one for
# every clip, and draws the one of "seven". Lesson 01 explains each step.

# %% [markdown] tags=["slide", "only-slides"]
# ## Which pitches, when
#
# Time from left to right, pitch upwards, bright is loud.
# Each column is one frame: what the network reads next.

# %% tags=["more", "no-code"]
clips["frames"] = audio.log_mels(audio.read(path) for path in clips.path)
frames = clips.frames[clip.name]
axes = plots.log_mel(
    frames, title=f'"seven", spoken by {clip.group}: a column every 10 ms'
)
column, band = np.unravel_index(frames.argmax(), frames.shape)
fact = f"brightest in column {column} of {len(frames)}, in band {band} of "
plots.show(axes, f"{fact}{frames.shape[1]}")
print("[frames, bands] =", list(frames.shape))

# %% [markdown] tags=["notes"]
# Now find the same parts again: two bright blocks are the two vowels, and they differ in WHICH rows are bright.
# Cover the picture with a sheet and draw the sheet to the right, column by column: so the network sees it, one column at a time, and never the whole.

# %% [markdown]
# Time runs from left to right, and pitch from low at the bottom to high at the top; bright is loud. The numbers beside the
# colours are logarithms, so that quiet is negative. Each column is one [*frame*](../docs/glossary.md#frame): a list of loudnesses, one for each [band](../docs/glossary.md#band) of
# pitch. The network will read these columns one after another.
#
# ## Three parts
#
# The clips marked "test" are put aside until the end. From the others, about a tenth of each voice's clips of each digit serves as
# [*validation*](../docs/glossary.md#validation): the network does not learn from it, and we watch it while it learns.

# %%
test = clips[clips.split == "test"]
rest = clips[clips.split == "train"]
validation = rest.groupby(["label", "group"], observed=True).sample(
    frac=0.1, random_state=0
)
train = rest.drop(validation.index)
print(
    f"{len(train):,} to learn from, {len(validation):,} to watch, "
    f"{len(test):,} for the test"
)

# %% [markdown]
# From here on, one line does what these cells do: `train, validation, test = data.load_parts("digits")`. It loads the clips, computes their frames and makes the three parts.
#
# ## A network that reads
#
# An [LSTM](../docs/glossary.md#lstm) (*long short-term memory*), which a later lesson takes apart, keeps a memory of 64 numbers, changes it with every
# frame, and gives its answer from the memory after the last frame. A [batch](../docs/glossary.md#batch) of clips must have one length, so the shorter ones are filled up with
# [*padding*](../docs/glossary.md#padding); the model's first [layer](../docs/glossary.md#layer) marks the padding, and the LSTM skips it. That mark is called the [*mask*](../docs/glossary.md#mask).

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess before it trains
#
# - A memory of 64 numbers, changed by every frame.
# - Someone who guesses is right once in ten times.
# - Twelve passes over the training clips.
#
# **How many of ten validation clips: 3? 6? 9?**

# %% tags=["more"]
keras.utils.set_random_seed(0)
model = models.lstm(clips.label.nunique())
print(f"{model.count_params():,} numbers to learn")

# %% [markdown] tags=["notes"]
# Everyone writes a number down, nobody speaks. Then hands: who has 3, who 6, who 9? Start the training cell while the hands are up: it takes about seven seconds.
# Then explain the mask: clips of a batch are filled up to one length, and the filling is marked so that nobody takes it for sound.

# %% [markdown]
# **Predict, then run.** Someone who guesses is right once in ten times. The network will see every training clip twelve times.
# How often will it be right about the validation clips: 3 times in 10? 6? 9? Write your guess down.
#
# The next cell takes about seven seconds.

# %% [markdown] tags=["slide", "only-slides"]
# ## What it learned
#
# Which of the two lines do you trust, and why?

# %% tags=["more", "no-code"]
# bucketed: batches of clips of similar length, so that little padding is needed
history = training.fit(
    model,
    train=batches.bucketed(train.frames, train.label),
    validation=batches.bucketed(validation.frames, validation.label),
)
share = history.history["val_accuracy"][-1]
print(f"after the last epoch, right about {share:.0%} of the validation clips")

# %% [markdown] tags=["notes"]
# Let them read the axes first. The dashed line belongs to clips that the network does not learn from.
# Someone asks why the dashed line is ahead in the first epochs: the training line is averaged over an epoch in which the model still improves.

# %% [markdown]
# An [*epoch*](../docs/glossary.md#epoch) is one pass over all training clips. On the left, the [*loss*](../docs/glossary.md#loss) is what the training makes smaller; on the right,
# the share of right answers. The dashed line is the one to trust: it belongs to clips that the network does not learn from.
# Early on it may be the better of the two, because the training line is averaged over an epoch in which the model still improves.
#
# ## The test
#
# The test clips come out of their drawer once.

# %% [markdown] tags=["slide", "only-slides"]
# ## The test, once
#
# - The interval: where the truth may well lie.
# - Was every voice of the test heard in training?

# %% tags=["more", "no-code"]
score = evaluation.evaluate(model, test)
evaluation.Results().add(
    lesson="00",
    model=model.name,
    data=clips.source.iloc[0],
    split="official",
    score=score,
    parameters=model.count_params(),
)
print(f"the share of test clips that it gets right: {score}")

# %% [markdown] tags=["notes"]
# Do not answer the second line: it is the matter of lesson 02. Write the score in a corner of the board and leave it there until then.

# %% [markdown]
# With so few clips, the share is not certain to the last digit: the [interval](../docs/glossary.md#interval) says where the truth may well lie. Do not compare
# your number with ours digit by digit either: another processor rounds differently, and a training run amplifies that.
#
# Was every voice of the test heard in training? Lesson 02 asks that question, and the answer changes how this number reads.
#
# ## What does it get wrong?
#
# For each clip the last layer gives ten numbers, the [*logits*](../docs/glossary.md#logits); [*softmax*](../docs/glossary.md#softmax) turns them into probabilities. Here are the three test clips in which it gave the least to the word that
# was said. Listen to each before you read what the network heard.

# %% [markdown] tags=["slide", "only-slides"]
# ## What does it get wrong?
#
# Close your eyes, listen, write down what you hear. Then look.

# %% tags=["more", "no-code"]
logits = evaluation.predict(model, test.frames)
probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
answers = probabilities.argmax(axis=1)
probability_of_truth = probabilities[np.arange(len(test)), test.label.cat.codes]
words = test.label.cat.categories
for row in np.argsort(probability_of_truth)[:3]:
    said = test.iloc[row]
    display(Audio(audio.read(said.path), rate=audio.SAMPLE_RATE))
    heard, share = words[answers[row]], probability_of_truth[row]
    print(
        f"{said.group} said {said.label}; heard as {heard}; "
        f"{said.label} had {share:.0%}"
    )

# %% [markdown] tags=["notes"]
# Play all three before anybody looks at the answers. Count how many in the room were right: people disagree, too.
# Ask what they would change. Then: whoever changes the model now has spent the test.

# %% [markdown]
# Would you have known? Some clips are cut short, or hissed, or said by someone with another first language. To listen to
# mistakes is the cheapest way to learn what a model needs, and this course does so often. One warning: whoever changes a model
# after listening to TEST clips has spent the test. From lesson 02 on we mind that.
#
# ## Say one yourself
#
# The course brings a small model that was trained for longer, on more voices, with noise around the words. It has an eleventh answer, "nothing", for all that is no
# digit, and it answers at every frame, while the sound still comes in; lesson 15 shows how. Press **Record** and say a digit from zero to nine, in English (your browser asks
# whether it may use the microphone). Then run the cell after the next once more. Without a microphone, it takes a test clip.

# %%
spoken = test[test.label == "7"].iloc[0]
recorder = Recorder(seconds=2, instead=spoken.path)
recorder

# %% [markdown] tags=["slide", "only-slides"]
# ## Say one yourself
#
# - A ready model, trained for longer, on more voices.
# - An eleventh answer: "nothing".
# - It has never heard you, nor this room.

# %% [markdown] tags=["notes"]
# Live in the notebook: press Record, say a digit, run the cell after it. Take two volunteers with different voices. When it fails, do not excuse it: lesson 11 measures what a
# new voice costs.
# Without a microphone the cell takes a test clip and says so.

# %%
listener, classes = models.ready()
sound = recorder.samples()
by_frame = streaming.Stream(listener).push(sound)
print("[frames, classes] =", list(by_frame.shape))
display(Audio(sound, rate=audio.SAMPLE_RATE))
highest = pd.Series(by_frame.max(axis=0), classes, name="highest").drop("nothing")
highest.nlargest(3).round(2).to_frame()

# %% [markdown] tags=["slide", "only-slides"]
# ## Your turn: run the clips backwards
#
# Turn every test clip round: last frame first.
#
# - For what share of clips does the answer change?
# - Guess first, then exercise 3.

# %% [markdown] tags=["notes"]
# In ten minutes there is time for this one alone; exercises 1 and 2 go home. Ask for guesses before they type. A model blind to order would change no answer: lesson 02 builds
# one.

# %% [markdown]
# The table has, for three digits, the highest probability at any frame. Was it right about your voice? It has never heard you, nor your room. Lesson 11 measures what a new voice
# costs, and [the model's card](../data/ready-model/README.md) says what this one reaches.
#
# ## Exercises
#
# Replace the three dots by your own code. The cell below each exercise checks it; when it does not agree, it says
# what to look at. The folder `solutions` has this notebook with all exercises solved.
#
# **Exercise 1.** A model is worth something if it beats the one that does not listen. What share of the test clips is right
# for a model that always gives the most frequent label of the training clips? (Where several labels are equally frequent,
# `train.label.mode()[0]` takes the first.)

# %% tags=["solution"]
always = (test.label == train.label.mode()[0]).mean()

# %% tags=["check"]
frequent = train.label.mode()[0]
assert isinstance(always, float), (
    "`always` should be one number: the mean of True and False is the share of True"
)
assert 0 <= always <= 1, f"a share lies between 0 and 1, you found {always:.2f}"
assert always <= 0.5, (
    f"you found {always:.2f}: this model gives ONE "
    "answer to all clips, whatever is said"
)
assert abs(always - (test.label == frequent).mean()) < 1e-9, (
    f"you found {always:.4f}: the label comes from train, and the clips from test"
)
print(f"always {frequent}: {always:.3f}; the LSTM: {score.accuracy:.3f}")

# %% [markdown]
# **Exercise 2.** Which voice of the test does the model understand least? `evaluation.by_group(groups, correct)` gives a table
# with one voice a row. `answers` holds the model's answer for each test clip as a number, and `test.label.cat.codes` the truth.

# %% tags=["solution"]
voices = evaluation.by_group(test.group, answers == test.label.cat.codes)
least_understood = voices.accuracy.idxmin()

# %% tags=["check"]
right = answers == test.label.cat.codes
shares = {voice: right[test.group == voice].mean() for voice in test.group.unique()}
assert not isinstance(least_understood, (int, float)), (
    f"{least_understood:.3f} is an accuracy; "
    "asked is whose it is, the name in the table"
)
assert isinstance(least_understood, str) and least_understood in shares, (
    f"expected the name of one voice, one of {', '.join(shares)}"
)
own, least, best = shares[least_understood], min(shares.values()), max(shares.values())
assert own == least or own != best, f"{least_understood} is the voice understood BEST"
assert own == least, (
    f"{least_understood} is right {own:.1%} of the time, and another voice less often"
)
print(f"{least_understood}: {own:.3f} right; the best: {best:.3f}")

# %% [markdown]
# **Exercise 3.** Does the order of the frames matter to the model? Turn every test clip round, so that its last frame comes
# first, and find the share of clips for which the model's answer changes. `evaluation.predict(model, frames).argmax(axis=1)` gives
# its answers to a list of frames; `answers` holds the old ones. Guess the share first.

# %% tags=["solution"]
backwards = [frames[::-1] for frames in test.frames]
changed = (evaluation.predict(model, backwards).argmax(axis=1) != answers).mean()

# %% tags=["check"]
turned, mirrored = (
    evaluation.predict(model, [frames[way] for frames in test.frames]).argmax(axis=1)
    for way in (np.s_[::-1], np.s_[:, ::-1])
)
assert isinstance(changed, float), (
    "`changed` should be one number: the share of clips whose answer is another one"
)
moves = (turned != answers).mean()
slips = {
    "that is the share that stays; how many change?": (turned == answers).mean(),
    "that is high pitch for low; turn the time round": (mirrored != answers).mean(),
    "that compares with the truth; compare with the old answers": (
        turned != test.label.cat.codes
    ).mean(),
}
for slip, share_of_slip in slips.items():
    assert np.isclose(changed, moves) or not np.isclose(changed, share_of_slip), slip
assert np.isclose(changed, moves), (
    f"found {changed:.3f}: turn each clip's frames, "
    "first axis, and look at all test clips"
)
print(
    f"{changed:.0%} of the answers change when the clips run backwards; "
    "a model blind to order would change none"
)

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz
#
# 1. What does the network read?
# 2. What does the model do with the padding?
# 3. Which curve belongs to clips that it does not learn from?

# %% [markdown] tags=["notes"]
# Right are 1 B, 2 A, 3 C. Hands or paper; the choices stand in the notebook and on the quiz sheet. Question 2 has the wrong answer that most take along: "silence at the end of
# the word".

# %% [markdown]
# **You have seen**
# - what the course works with: short recordings of many lengths, as waveforms and as frames;
# - a small LSTM learn from them, and its score on recordings that it had not seen;
# - its mistakes, by ear, and a model that listens to you.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. What does the network read?**
#
# <details><summary>A. The waveform, sample by sample.</summary>No: that would be 8,000 steps for each second. It reads frames, a hundred for each second.</details>
# <details><summary>B. The frames, one after another.</summary>Yes: each is a list of loudnesses, one for each band of pitch, and they come in the order of time.</details>
# <details><summary>C. The whole picture at once.</summary>No: it sees one column at a time, and keeps what it needs in its memory.</details>
#
# **2. Clips in a batch are filled up to one length. What does the model do with the padding?**
#
# <details><summary>A. It skips it, since a mask marks it.</summary>Yes: the memory stays as it was after the clip's last frame.</details>
# <details><summary>B. It takes it for silence at the end of the word.</summary>No: that is what happens WITHOUT a mask, and lesson 04 measures the harm.</details>
# <details><summary>C. It repeats the clip until the length is filled.</summary>No: nothing is repeated; the padding is a number that no frame can hold.</details>
#
# **3. Which curve tells how well the model does on clips that it does not learn from?**
#
# <details><summary>A. The training loss.</summary>No: it is measured on the very clips that the weights are fitted to.</details>
# <details><summary>B. The test accuracy after each epoch.</summary>No: the test is scored once, at the end; a test that you watch while training helps to choose, and is spent.</details>
# <details><summary>C. The validation curve.</summary>Yes: those clips are watched and not learned from.</details>
#
# ## The road from here
#
# | lesson | the question |
# |---|---|
# | [01 From sound to spectrogram](01_from_sound_to_spectrogram.ipynb) | How does a list of pressures become the picture that the network reads? |
# | [02 A baseline, and an honest split](02_a_baseline_and_an_honest_split.ipynb) | What can a model without any sense of order do, and when is a test a test? |
# | [03 The vanilla RNN, by hand](03_the_vanilla_rnn_by_hand.ipynb) | What does a recurrent layer compute, step by step? |
# | [04 Clips of many lengths](04_clips_of_many_lengths.ipynb) | What happens to a model that reads padding, and how do you find out? |
# | [05 Training a vanilla RNN](05_training_a_vanilla_rnn.ipynb) | Where does the error die on its way back through a clip? |
# | [06 LSTM](06_lstm.ipynb) | Does a second memory mend it, and when does it not? |
# | [07 GRU](07_gru.ipynb) | What does a gate do in a silence? |
# | [08 Which one, and at what price?](08_which_one_and_at_what_price.ipynb) | Which cell is better, how sure can one be, and what does it cost? |
# | [09 Order and the whole clip](09_order_and_the_whole_clip.ipynb) | Does order matter, and does a model hear the beginning? |
# | [10 What should an RNN hear?](10_what_should_an_rnn_hear.ipynb) | Does it learn its features from the raw waveform, as is said? |
# | [11 Voices never heard before](11_voices_never_heard_before.ipynb) | How much is lost with a new speaker, and what earns it back? |
# | [12 Speech: keyword spotting](12_keyword_spotting.ipynb) | How does a device pick its words from speech, noise and silence? |
# | [13 Music: rhythm and genre](13_rhythm_and_genre.ipynb) | How do you hear a long piece, and how do segments of one song leak? |
# | [14 Environmental sound](14_environmental_sound.ipynb) | What do convolutions in front of a GRU buy? |
# | [15 Live: stream, export, speak](15_live.ipynb) | How does a model answer while the sound still comes in, and how does it get into a telephone? |
# | [16 Your own sounds](16_your_own_sounds.ipynb) | What does it take to make a classifier of your own recordings that you can trust? |
# | [What became of the nine claims](../docs/claims.md) | What is commonly said of recurrent networks, and what this course found |
#
# *Recordings in this notebook: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
