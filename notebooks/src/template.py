# %% [markdown]
# # 17 · How much of a word is enough?
#
# <!-- This file is a whole small lesson, to be copied and replaced piece by piece; CONTRIBUTING.md has the steps. What stands between such marks is for you, and shows on no page: delete it.
#      Here: two or three sentences that say what the learner knows already, and ask ONE question that they cannot answer yet. -->
# A recogniser that answers before the word is over is quicker. But what does it lose? You let a model hear the first part of each clip only, and see
# whether its accuracy falls, and how far.
#
# **You will**
# - train a small model on whole clips, and find what it must beat;
# - cut the end off clips that it has not seen, and measure what is lost;
# - find the share of a clip that is enough.
#
# <!-- Three promises, no more and no less. The three lines of "You have seen" below keep them, in the same order and nearly the same words; a test compares them.
#      Minutes: run make minutes, which estimates them from the page, and say what the computer takes in words: less than one, about one, about one and a half, about two. -->
# **Minutes:** 20, of which the computer takes less than one. **You need:** lessons 02 and 04.

# %% [markdown] tags=["slide", "only-slides"]
# ## When may a recogniser answer?
# - The end of a word is sure, and late
# - What does the first half tell, without the rest?

# %% [markdown] tags=["notes"]
# Say the first half of a digit, and stop. Ask the class which one it was, and how they knew. Write on the board who was right; come back to it at the end.

# %% tags=["setup"]
import setup_course

# %%
import keras
import numpy as np

from course_lib import audio, batches, data, evaluation, models, plots, training

# %% [markdown] tags=["slide"]
# ## The clips
#
# <!-- All imports stand in the cell above, and only what the lesson uses. Take the data by name: it comes from the learner's disk, from the network or from the course itself, and says so.
#      A cell tagged "slide" begins a new slide; "more" puts a cell on the slide before; a cell without either is on no slide. Begin six or more, and tag one cell or more "notes":
#      cells tagged "only-slides" and "notes" are in no notebook. CONTRIBUTING.md lists the tags. -->
# The synthetic voices of the course say the ten digits; the voices of the test are in no training. From each band its mean over the clip is taken away.

# %%
clips = data.load("spoken-digits").copy()
clips["frames"] = [
    audio.centred(frames)
    for frames in audio.log_mels(audio.read(path) for path in clips.path)
]
train, test = clips[clips.split == "train"], clips[clips.split == "test"]
shared = set(train.group) & set(test.group)
print(
    f"{len(train)} to learn from, {len(test)} for the test, {len(shared)} voices on both sides"
)

# %% [markdown]
# <!-- A sentence, a cell of fifteen lines or fewer, a look. The last line of a cell shows a shape, a number or a picture, and the next sentence says what there is to see.
#      No number stands in a sentence that no cell prints: learners with other recordings see others. -->
# Where is the end of the first half? Here is one clip; the words below the picture say where its loudest moment lies.

# %% tags=["more", "no-code"]
clip = test.iloc[0]
axes = plots.log_mel(clip.frames, title=f'"{clip.label}" by {clip.group}')
loudest = clip.frames.mean(axis=1).argmax()
share = loudest / len(clip.frames)
plots.describe(
    axes,
    f"{len(clip.frames)} frames; the loudest is frame {loudest}, {share:.0%} into the clip",
)

# %% [markdown]
# <!-- Every picture ends with plots.describe: its sentence is printed, and is what a learner hears who cannot see the picture. -->
#
# ## A model, and what it must beat
#
# Always the same answer is the least. The model is the order-blind average of [lesson 02](02_a_baseline_and_an_honest_split.ipynb).

# %% [markdown] tags=["slide", "only-slides"]
# ## A model, and what it must beat
# - Always the same answer is the least
# - The model: the order-blind average

# %% tags=["more"]
keras.utils.set_random_seed(0)
model = models.average(clips.label.nunique())
print(
    f"padding changes a logit by {evaluation.check_mask(model, batches.pad(list(test.frames[:8]))):.0e} at most"
)
batched = batches.bucketed(train.frames, train.label, batch_size=64, n_lengths=3)
training.fit(model, batched, epochs=20, learning_rate=0.03)
whole = evaluation.evaluate(model, test)
always = evaluation.score(test.label == train.label.mode()[0])
print(f"whole clips: {whole}\nalways the same: {always}")

# %% [markdown] tags=["slide"]
# ## The end is cut off
#
# <!-- Before a cell that surprises, ask for a guess. The words "Predict, then run." in bold are looked for by a test. -->
# **Predict, then run.** The model hears the first half of each test clip. Is it right about half as often, nearly as often, or hardly better than chance? Write a number down.

# %% [markdown] tags=["notes"]
# Take three numbers from the class and write them down before the next slide. Ask for the reason behind the highest and the lowest.


# %%
def first_part(clips, share):
    """The clips with the first share of their frames."""
    return clips.assign(
        frames=[frames[: max(1, round(share * len(frames)))] for frames in clips.frames]
    )


shares = [0.25, 0.5, 0.75, 1.0]
scores = {
    f"{share:.0%}": evaluation.evaluate(model, first_part(test, share))
    for share in shares
}
print(f"the first half alone: {scores['50%']}")

# %% [markdown]
# How near was your guess? All four shares, with their intervals:

# %% [markdown] tags=["slide", "only-slides"]
# ## Four shares of each clip
# - Where two intervals overlap, the order is open

# %% tags=["more", "no-code"]
axes = plots.intervals(scores, chance=0.1, title="the first part of each test clip")
quarter, half = scores["25%"].accuracy, scores["50%"].accuracy
plots.describe(
    axes,
    f"a quarter has {quarter:.2f}, the half {half:.2f}, the whole clip {whole.accuracy:.2f}",
)

# %% [markdown]
# Where two intervals overlap, these clips do not tell the two apart. The model learned from whole clips: a model that learns from first halves may do better, and
# exercise 3 tries it. The result goes into your table.
#
# <!-- The lesson's number stands in the title and in `entry` below: change both. -->

# %%
entry = {
    "lesson": "17",
    "model": model.name,
    "data": clips.source.iloc[0],
    "parameters": model.count_params(),
}
evaluation.Results().add(split="official", score=whole, **entry)
table = evaluation.Results().add(
    split="official, first half", score=scores["50%"], **entry
)
table[table.lesson == entry["lesson"]][
    ["model", "split", "accuracy", "low", "high"]
].round(3)

# %% [markdown] tags=["slide", "only-slides"]
# ## Your turn: which half tells more?
# - Guess: the first half of a word, or the last?
# - Exercise 3: measure it

# %% [markdown]
# ## Exercises
#
# <!-- Three or more. A cell tagged "solution" stands right before a cell tagged "check". The learner finds the solution blanked: the names that the check uses, and the heads of functions.
#      The check fails on the blank, and its message is the hint: it says what was expected and what was found. Nothing outside an exercise uses a name from a solution. -->
# **Exercise 1.** A clip has `count` frames, 10 ms apart. Write `milliseconds_saved(count, share)`: how much earlier does the answer come, if the first `share` of the frames is enough?


# %% tags=["solution"]
def milliseconds_saved(count, share):
    """How much earlier the answer comes."""
    return 10 * (count - round(share * count))


# %% tags=["check"]
found = milliseconds_saved(60, 0.5)
assert found is not None, (
    "milliseconds_saved should return a number: 10 ms for each frame that is not waited for"
)
assert found == 300, f"half of 60 frames of 10 ms are 300 ms, you found {found}"
print(f"{found} ms earlier")

# %% [markdown]
# **Exercise 2.** Set `enough` to the smallest key of `scores` whose interval reaches the accuracy on whole clips.

# %% tags=["solution"]
enough = next(share for share, score in scores.items() if score.high >= whole.accuracy)

# %% tags=["check"]
assert enough in scores, f"enough should be one of {list(scores)}, you have {enough!r}"
end = scores[enough].high
assert end >= whole.accuracy, (
    f"{enough}: its interval ends at {end:.3f}, below {whole.accuracy:.3f}"
)
before = list(scores)[: list(scores).index(enough)]
smaller = [share for share in before if scores[share].high >= whole.accuracy]
assert not smaller, f"{smaller[0]} reaches it, too, and is smaller"
print(f"{enough} of a clip is enough, as far as {whole.clips} clips can tell")

# %% [markdown]
# **Exercise 3.** Which part tells more, the first half or the last? Set `last_half` to the Score of the model on the LAST halves of the test clips. Guess first. (`clips.assign(frames=…)` makes
# a table with other frames.)

# %% tags=["solution"]
halves = [frames[len(frames) // 2 :] for frames in test.frames]
last_half = evaluation.evaluate(model, test.assign(frames=halves))

# %% tags=["check"]
assert isinstance(last_half, evaluation.Score), (
    "last_half should be what evaluation.evaluate returns"
)
cut = [frames[-(len(frames) - len(frames) // 2) :] for frames in test.frames]
right = evaluation.evaluate(model, test.assign(frames=cut)).accuracy
hint = f"the last halves begin at frame len(frames) // 2: expected {right:.3f}, found {last_half.accuracy:.3f}"
assert np.isclose(last_half.accuracy, right), hint
print(f"first half {scores['50%'].accuracy:.3f}, last half {last_half.accuracy:.3f}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz
# - Three questions, on the sheet or in the notebook
# - Fingers: one for A, two for B, three for C

# %% [markdown] tags=["notes"]
# Ask those who were wrong first: what would have to be so for their answer to be right? Then go back to the digit that was broken off at the beginning.

# %% [markdown]
# **You have seen**
# - a small model trained on whole clips, and what it must beat;
# - the end cut off clips that it had not seen, and what is lost;
# - the share of a clip that is enough.
#
# ## Quiz
#
# <!-- Three questions, three or four answers each, one of them right, and for every answer a sentence that says why. The right answer does not always have the same letter. -->
# Answer first, then open.
#
# **1. Suppose the model were right less often about first halves. What might be said?**
#
# <details><summary>A. The second half of a word tells more than the first.</summary>No: nobody has heard the second half alone here, except in exercise 3.</details>
# <details><summary>B. This model, which learned from whole clips, loses that much.</summary>Yes: another training might lose less, so the sentence names the model.</details>
# <details><summary>C. First halves do not hold the word.</summary>No: a model that learns from first halves may find it there.</details>
#
# **2. Why is the model's mask checked before it is trained?**
#
# <details><summary>A. Clips of different lengths are padded, and the padding must change no answer.</summary>Yes: and the cut clips have still other lengths.</details>
# <details><summary>B. The check makes the training quicker.</summary>No: it changes nothing in the model.</details>
# <details><summary>C. Without the check the model has no mask.</summary>No: the mask is made by its first layer; the check says whether it arrives.</details>
#
# **3. Two shares have intervals that overlap. What follows?**
#
# <details><summary>A. They are equally good.</summary>No: they may differ by less than these clips can show.</details>
# <details><summary>B. The larger number is the better one.</summary>No: with other clips of the same kind the order may turn.</details>
# <details><summary>C. These clips do not tell the two apart.</summary>Yes: more clips, of more voices, might tell them apart.</details>
#
# <!-- Link the lesson before's "Next" here, and this one's to the next. Whoever made the recordings is named in the last line, with the licence. -->
# Back to the map: [00 Start here](00_start_here.ipynb).
#
# *Recordings: synthetic voices of this course, CC BY 4.0. Text: CC BY 4.0.*
