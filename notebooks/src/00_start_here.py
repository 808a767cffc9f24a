# %% [markdown]
# # 00 · Start here
#
# A [recurrent neural network](../docs/glossary.md#recurrent-neural-network) reads a sound the way you hear it: from the first moment to the last. In this lesson you
# build one in five lines of Keras, train it to tell ten spoken words apart, and listen to the recordings that it gets wrong.
#
# **You will**
# - see and hear the data of this course: short recordings of many lengths;
# - build, compile and fit a small LSTM, and score it on recordings that it has never seen;
# - listen to its mistakes, and let a model listen to you.
#
# **Minutes:** 35 with the exercises; the computer needs less than half a minute of them. **You need:** Python, a little NumPy, and to have seen a Keras model with `Dense` layers.
# You need to know nothing about sound. Tables are pandas; a comment says what each new line of pandas does.
#
# The first cell finds the course's helper package, `course_lib`. On Colab it downloads it.

# %% [markdown] tags=["slide", "only-slides"]
# ## What does a small network hear, and what does it get wrong?
#
# - Hear a recording, and see it.
# - Build an LSTM in five lines; train it; test it once.
# - Listen to its mistakes, then let a model listen to you.

# %% [markdown] tags=["notes"]
# Ask: who has trained a network before? Who has worked with sound? Then say what today is: one model, no theory.
# Every word that falls today (frame, mask, logits, validation) comes back in a lesson of its own.
# Start the cells up to the training now if the computer is slow.

# %% tags=["setup"]
import setup_course

# %%
import keras
import numpy as np
from IPython.display import Audio, display

from course_lib import audio, batches, data, evaluation, models, plots, training
from course_lib.extra import streaming
from course_lib.extra.recorder import Recorder

# %% [markdown]
# ## Ten words, many recordings
#
# A [*clip*](../docs/glossary.md#clip) is one recording of one word. `data.load` gives a table with one clip a row. Its first line says where the recordings come from: real
# people if the course can get them, six synthetic voices otherwise (the scores then differ from those that the text quotes).

# %%
clips = data.load("digits")
clips[["label", "group", "split", "seconds"]].sample(5, random_state=1)

# %% [markdown]
# The [*label*](../docs/glossary.md#label) is the digit that was said, as text: `"7"`. The *group* is the speaker. The *split* says whether the clip is for training or for the final
# test. Look at the last column: clips can have any length, and that is what this course is about.
#
# ## Hear one, see one
#
# A recording is a list of numbers, 8,000 for each second here. Each number says how far the air pressure at the microphone was above or below its average. Drawn against time, these
# numbers are the [*waveform*](../docs/glossary.md#waveform). Press play, then look for the word in the picture.

# %% [markdown] tags=["slide", "only-slides"]
# ## Hear one, see one
#
# Press play. Where in the picture is the "v" of "seven"?

# %% tags=["more", "no-code"]
clip = clips[clips.label == "7"].iloc[0]  # the first row with this label
waveform = audio.read(clip.path)
axes = plots.waveform(waveform, title=f'"seven", spoken by {clip.group}')
plots.show(axes, "the two loud parts are the two vowels of se-ven")
Audio(waveform, rate=audio.SAMPLE_RATE)

# %% [markdown] tags=["notes"]
# Play it twice before anybody speaks. Ask the room to point at the "v" and at the two vowels. The vowels are the two loud parts; the "s" at the start can hardly be seen.
# Say: everything is in this curve, and the eye reads little from it but how loud each moment is.

# %% [markdown]
# All the information is in there, but all you can see is how loud each moment is. A picture that shows *which frequencies* sound *when* says more. The next cell computes one for
# every clip. Lesson 01 explains each step.

# %% [markdown] tags=["slide", "only-slides"]
# ## Which frequencies, when
#
# Time from left to right, frequency upwards, bright is loud.
# Each column is one frame: what the network reads next.

# %% tags=["more", "no-code"]
clips["frames"] = audio.log_mels(audio.read(path) for path in clips.path)
frames = clips.frames[clip.name]  # clip.name: the number of its row
axes = plots.log_mel(frames, title=f'"seven", spoken by {clip.group}')
plots.show(axes, "the two bright blocks are the vowels, with the v between them")
print("[frames, mel bands] =", frames.shape)

# %% [markdown] tags=["notes"]
# Now find the same parts again: two bright blocks are the two vowels, and they differ in WHICH rows are bright.
# Cover the picture with a sheet and draw the sheet to the right, column by column: so the network sees it, one column at a time, and never the whole.

# %% [markdown]
# Time runs from left to right and frequency from bottom to top. Bright is loud. (The values are logarithms, and the logarithm of a number below 1 is negative.) Each column is one
# [*frame*](../docs/glossary.md#frame): 40 numbers, one for each [band](../docs/glossary.md#band) of frequencies. There is a new frame every hundredth of a second, and the
# network will read them one after another.
#
# The new column `clips.frames` holds one such array for each clip, `[frames, 40]`, and each clip has its own number of frames.
#
# ## Three parts
#
# We put the test clips aside until the end. A tenth of the other clips is for [*validation*](../docs/glossary.md#validation): the network does not learn from them, and we watch
# them while it learns.

# %%
test = clips[clips.split == "test"]
rest = clips[clips.split == "train"]
# a tenth of each speaker's clips of each digit
each = rest.groupby(["label", "group"], observed=True)
validation = each.sample(frac=0.1, random_state=0)
train = rest.drop(validation.index)  # the rest without these rows
print(
    f"{len(train):,} for training, {len(validation)} to watch, {len(test)} for the test"
)

# %% [markdown]
# Later lessons write `train, validation, test = data.load_parts("digits")` for everything we have done so far.
#
# ## Many lengths in one batch
#
# Keras wants a [batch](../docs/glossary.md#batch) as one array, so all clips in it must be equally long. We fill the shorter ones up at the end with a number that no frame contains,
# -1000. That is [*padding*](../docs/glossary.md#padding). A [*mask*](../docs/glossary.md#mask) then tells the network which frames are real.

# %%
padded = batches.pad([train.frames.iloc[0], train.frames.iloc[300]])
print("[clips, frames, bands] =", padded.shape)
print("the last frame of each, first band:", padded[:, -1, 0].round(1))

# %% [markdown]
# ## A network that reads
#
# Here is the whole model, in plain Keras:
#
# - `Masking` marks the padded frames, so that the next layers leave them out;
# - `Rescaling` brings log energies, mostly between -13 and 3, into the range of about -2 to 2, where networks learn well;
# - an [LSTM](../docs/glossary.md#lstm) (*long short-term memory*) keeps a state of 64 numbers and changes it with every frame. Lesson 06 takes it apart;
# - `Dense` turns the state after the last real frame into ten numbers, one for each word: the [*logits*](../docs/glossary.md#logits).

# %% [markdown] tags=["slide", "only-slides"]
# ## Many lengths in one batch

# %% tags=["more", "no-code"]
plots.drawing("mask")

# %% [markdown]
# Above, three clips in one batch and their mask. Below, the second clip: each frame **x** changes the state **h**, the network's memory. Where the mask is 0 the state is copied on,
# so that the answer at the end is the answer after the last real frame. **ŷ** is the answer. (You can skip the formula: it is for a simpler layer than our LSTM, and lesson 04 explains it. The copying is the same.)

# %%
keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input([None, 40]),  # clips of any number of frames
        keras.layers.Masking(batches.PADDING),
        keras.layers.Rescaling(1 / 4, offset=5 / 4),
        keras.layers.LSTM(64),
        keras.layers.Dense(10),
    ],
    name="lstm",
)
model.summary()

# %% [markdown]
# Later lessons write `models.lstm(10)` for this cell. Now the [loss](../docs/glossary.md#loss), the optimiser and the metric. The model has no softmax at its end,
# so we tell the loss that it gets logits:

# %%
model.compile(
    optimizer=keras.optimizers.Adam(3e-3, global_clipnorm=1.0),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)

# %% [markdown]
# (`global_clipnorm` shortens gradients that are too long; lesson 05 shows why.)
#
# **Predict, then run.** Someone who guesses is right one time in ten. The network will see every training clip twelve times. How many validation clips out of ten will it get
# right: 3? 6? 9? Write your guess down. The next cell takes about ten seconds.

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess before it trains
#
# - A state of 64 numbers, changed by every frame.
# - Someone who guesses is right one time in ten.
# - Twelve passes over the training clips.
#
# **How many of ten validation clips: 3? 6? 9?**

# %% [markdown] tags=["notes"]
# Everyone writes a number down, nobody speaks. Then hands: who has 3, who 6, who 9? Start the training cell while the hands are up: it takes about ten seconds.
# Then explain the mask: clips of a batch are filled up to one length, and the filling is marked so that nobody takes it for sound.

# %% [markdown] tags=["slide", "only-slides"]
# ## What it learned
#
# Which of the two lines do you trust, and why?

# %% tags=["more", "no-code"]
# bucketed: padded batches of clips of similar lengths, so that little of them is padding
history = model.fit(
    batches.bucketed(train.frames, train.label),
    validation_data=batches.bucketed(validation.frames, validation.label),
    epochs=12,
    shuffle=False,  # bucketed shuffles
    verbose=0,
    callbacks=[training.LearningCurve()],
)

# %% [markdown] tags=["notes"]
# Let them read the axes first. The dashed line belongs to clips that the network does not learn from.
# Someone asks why the dashed line is ahead in the first epochs: the training line is averaged over an epoch in which the model still improves.

# %% [markdown]
# An [*epoch*](../docs/glossary.md#epoch) is one pass over the training clips. Trust the dashed line: it belongs to clips that the network does not learn from. In the first
# epochs validation can look better than training, because the training numbers are averages over the whole epoch, its poor beginning included.
#
# ## The test
#
# Now, and only now, we use the test clips.

# %% [markdown] tags=["slide", "only-slides"]
# ## The test, once
#
# - The interval: where the true value probably lies.
# - Was every voice of the test heard in training?

# %% tags=["more", "no-code"]
score = evaluation.evaluate(model, test, lesson="00")
print(f"accuracy on the test clips: {score}")

# %% [markdown] tags=["notes"]
# Do not answer the second line: it is the matter of lesson 02. Write the score in a corner of the board and leave it there until then.

# %% [markdown]
# With a few hundred clips the accuracy is uncertain. The accuracy on very many such clips probably lies inside the [interval](../docs/glossary.md#interval). Your number may differ from ours in the last
# digits, because another processor rounds differently and training amplifies that. (`lesson="00"` also keeps the score: `evaluation.Results().table()` shows the scores of all lessons that you have run.)
#
# Were the voices of the test also heard in training? Lesson 02 asks that question, and the answer changes how this number reads.
#
# ## What does it get wrong?
#
# [*Softmax*](../docs/glossary.md#softmax) turns the ten logits of a clip into ten probabilities. We look for the three test clips in which the word that was said got the
# smallest probability.

# %% [markdown] tags=["slide", "only-slides"]
# ## What does it get wrong?
#
# Close your eyes, listen, write down what you hear. Then look.

# %%
logits = evaluation.predict(model, test.frames)
probabilities = np.asarray(keras.ops.softmax(logits))  # [clips, 10]
answers = probabilities.argmax(axis=1)
truth = test.label.cat.codes.to_numpy()  # each label as a number, 0 to 9
# from each row, the probability of the word that was said
of_the_truth = probabilities[np.arange(len(test)), truth]
worst = of_the_truth.argsort()[:3]

# %% [markdown]
# Listen to each before you read what the network heard.

# %% tags=["more", "no-code"]
for row in worst:
    said = test.iloc[row]
    display(Audio(audio.read(said.path), rate=audio.SAMPLE_RATE))
    heard = test.label.cat.categories[answers[row]]
    print(f"{said.group} said {said.label}, the model heard {heard}")
    print(f"   (it gave {said.label} a probability of {of_the_truth[row]:.0%})")

# %% [markdown] tags=["notes"]
# Play all three before anybody looks at the answers. Count how many in the room were right: people disagree, too.
# Ask what they would change. Then: if you change the model now, the test is no longer fair.

# %% [markdown]
# Did you understand the words yourself? Some clips are cut short, some are noisy, some speakers have another first language. Listening to mistakes is the cheapest way to find out what a model
# needs, and we will do it often. One warning: if you change a model after listening to *test* clips, the test is no longer fair.
#
# ## Say one yourself
#
# The course brings a small model that was trained for longer, on more voices, with noise around the words. It knows an eleventh answer, "nothing", and it answers after every
# frame, while the sound is still coming in. Lesson 15 shows how. Run the next cell: it shows a **Record** button. Press it and say a digit from zero to nine in English. Your browser asks for permission to use
# the microphone. Then run the cell below it. For another try, record again and run only that second cell. Without a microphone it takes a test clip.

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
listener, words = models.ready()
sound = recorder.samples()
by_frame = streaming.Stream(listener).push(sound)  # [frames, 11]
display(Audio(sound, rate=audio.SAMPLE_RATE))
highest = by_frame.max(axis=0)  # over time, for each answer
for answer in highest.argsort()[::-1][:4]:
    print(f"{words[answer]:>8}: {highest[answer]:.2f}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Your turn: run the clips backwards
#
# Reverse every test clip: last frame first.
#
# - For what share of clips does the answer change?
# - Guess first, then exercise 3.

# %% [markdown] tags=["notes"]
# In a short hour there is time for this one alone; exercises 1 and 2 go home. Ask for guesses before they type. A model blind to order would change no answer: lesson 02 builds
# one.

# %% [markdown]
# These are the highest probabilities at any frame, so they need not add up to 1. "Nothing" is often high, because it is the right answer before and after the word: look at the highest digit. Was it right about your voice? It has never heard you or your room.
# Lesson 11 measures what a new voice costs, and [the model's card](../data/ready-model/README.md) says how well this model does.
#
# ## Exercises
#
# Replace the three dots by your own code. The cell below each exercise checks it; if something is wrong, it says what to look at. The folder `solutions` has this notebook with
# all exercises solved.
#
# **Exercise 1.** A model is only worth something if it beats one that does not listen at all. Take the model that always gives the most frequent label of the training clips.
# What share of the test clips does it get right? (If several labels are equally frequent, `train.label.mode()[0]` is the first of them.)

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
# **Exercise 2.** Which speaker of the test does the model understand least? `evaluation.by_group(groups, correct)` gives a table with one speaker a row and a column `accuracy`;
# print it first. `groups` is the speaker of each clip, `correct` is True where the answer was right. `.idxmin()` of a column gives the name of the row with its smallest value. `answers` and `truth` from above are the numbers of the answers and of the right digits.

# %% tags=["solution"]
speakers = evaluation.by_group(test.group, answers == truth)
least_understood = speakers.accuracy.idxmin()

# %% tags=["check"]
right = answers == test.label.cat.codes
shares = {voice: right[test.group == voice].mean() for voice in test.group.unique()}
assert not isinstance(least_understood, (int, float)), (
    f"{least_understood:.3f} is an accuracy; "
    "the exercise asks whose it is, the name in the table"
)
assert isinstance(least_understood, str) and least_understood in shares, (
    f"expected the name of one speaker, one of {', '.join(shares)}"
)
own, least, best = shares[least_understood], min(shares.values()), max(shares.values())
assert own == least or own != best, f"{least_understood} is the speaker understood BEST"
assert own == least, (
    f"{least_understood} is right {own:.1%} of the time, and another speaker less often"
)
print(f"{least_understood}: {own:.3f} right; the best: {best:.3f}")

# %% [markdown]
# **Exercise 3.** Does the order of the frames matter to the model? Reverse every test clip, so that its last frame comes first. For what share of the clips does the
# model's answer change? `evaluation.predict(model, frames).argmax(axis=1)` gives its answers to a list of frames; `answers` holds the old ones. Guess the share first.

# %% tags=["solution"]
backwards = [frames[::-1] for frames in test.frames]
changed = (evaluation.predict(model, backwards).argmax(axis=1) != answers).mean()

# %% tags=["check"]
turned, mirrored = (
    evaluation.predict(model, [frames[way] for frames in test.frames]).argmax(axis=1)
    for way in (np.s_[::-1], np.s_[:, ::-1])
)
assert isinstance(changed, float), (
    "`changed` should be one number: the share of clips whose answer changes"
)
moves = (turned != answers).mean()
slips = {
    "that is the share that stays; how many change?": (turned == answers).mean(),
    "that swaps high and low frequencies; reverse the time": (
        mirrored != answers
    ).mean(),
    "that compares with the truth; compare with the old answers": (
        turned != test.label.cat.codes
    ).mean(),
}
for slip, share_of_slip in slips.items():
    assert np.isclose(changed, moves) or not np.isclose(changed, share_of_slip), slip
assert np.isclose(changed, moves), (
    f"found {changed:.3f}: reverse each clip's frames, "
    "the first axis, and look at all test clips"
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
# - the data of this course: short recordings of many lengths, as waveforms and as frames;
# - a small LSTM built, compiled and fitted in plain Keras, and its score on recordings that it had not seen;
# - its mistakes, by ear, and a model that listens to you.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. What does the network read?**
#
# <details><summary>A. The waveform, sample by sample.</summary>No: that would be 8,000 steps for each second. It reads frames, a hundred for each second.</details>
# <details><summary>B. The frames, one after another.</summary>Yes: each is a list of log energies, one for each band of frequencies, in the order of time.</details>
# <details><summary>C. The whole picture at once.</summary>No: it sees one column at a time, and keeps what it needs in its state.</details>
#
# **2. Clips in a batch are padded to one length. What does the model do with the padding?**
#
# <details><summary>A. It leaves it out, because a mask marks it.</summary>Yes: the state stays as it was after the clip's last frame.</details>
# <details><summary>B. It takes it for silence at the end of the word.</summary>No: that is what happens WITHOUT a mask, and lesson 04 measures the harm.</details>
# <details><summary>C. It repeats the clip until the length is filled.</summary>No: nothing is repeated; the padding is a number that no frame can hold.</details>
#
# **3. Which curve tells how well the model does on clips that it does not learn from?**
#
# <details><summary>A. The training loss.</summary>No: it is measured on the very clips that the weights are fitted to.</details>
# <details><summary>B. The test accuracy after each epoch.</summary>No: we score the test once, at the end. A test that you watch while training helps you to choose, and is no longer a test.</details>
# <details><summary>C. The validation curve.</summary>Yes: those clips are watched and not learned from.</details>
#
# **See one listen.** Open [the page that listens](../docs/live/index.html) in a browser. A GRU hears a digit, yours if you like, and shows what happens inside, a hundred steps a second. It needs no Python and no network.
#
# Next: [01 From sound to spectrogram](01_from_sound_to_spectrogram.ipynb). The [README](../README.md) lists all lessons, and [nine claims](../docs/claims.md) lists what the whole
# course found out about recurrent networks.
#
# *Recordings in this notebook: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
