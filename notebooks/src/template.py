# %% [markdown]
# # 17 · How much of a word is enough?
#
# <!-- A whole small lesson, to be copied and replaced piece by piece; comments like this one are for you: delete them.
#      Then list the lesson in two places: the table in README.md, and "Next" in the lesson before.
#      Here: what the learner knows already, and one question that they cannot answer yet. -->
# A recogniser that answers before the word is over is quicker. But what does it lose? You let a model hear only the first part of each clip, and
# measure how far its accuracy falls.
#
# **You will**
# - train a small model on whole clips;
# - cut the end off clips that it has not seen, and measure what is lost;
# - find the share of a clip that is enough.
#
# **Minutes:** 20, of which the computer takes less than one. **You need:** lessons 02 and 04.

# %% [markdown] tags=["slide", "only-slides"]
# ## When may a recogniser answer?
# - The end of a word is certain, and late
# - What does the first half tell, without the rest?

# %% [markdown] tags=["notes"]
# Say the first half of a digit, and stop. Ask the class which one it was, and how they knew. Write on the board who was right; come back to it at the end.

# %% tags=["setup"]
import setup_course

# %%
import keras
import numpy as np

from course_lib import audio, batches, data, evaluation, plots

# %% [markdown]
# ## The clips
#
# <!-- A sentence, a short cell, a look. A cell ends with a shape, a number or a picture. No sentence claims a number that no cell prints. -->
# Synthetic voices say the ten digits; the voices of the test are in no training.

# %%
train, validation, test = data.load_parts("spoken-digits")
shared = set(train.group) & set(test.group)
print(f"{len(shared)} voices are in the training and in the test")

# %% [markdown] tags=["slide"]
# Here is one clip. Where is the end of its first half?

# %% tags=["more", "no-code"]
# A picture ends with plots.show: the fact is what somebody reads who cannot see it.
clip = test.iloc[0]
axes = plots.log_mel(clip.frames, title=f'"{clip.label}" by {clip.group}')
loudest = clip.frames.mean(axis=1).argmax()
plots.show(axes, f"of {len(clip.frames)} frames, number {loudest} is the loudest")

# %% [markdown]
# ## A model
#
# A GRU reads the frames in order and answers from its last state. <!-- Keras stands on the page: build, compile, fit. -->

# %%
keras.utils.set_random_seed(0)
clip_in = keras.Input([None, audio.N_MELS])
frames = keras.layers.Masking(batches.PADDING)(clip_in)
frames = keras.layers.Rescaling(1 / 4, 5 / 4)(frames)
state = keras.layers.GRU(48)(frames)
model = keras.Model(clip_in, keras.layers.Dense(10)(state), name="gru")
padded = batches.pad(list(test.frames[:8]))
print(f"padding changes a logit by {evaluation.check_mask(model, padded):.0e} at most")

# %%
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(0.008), loss, metrics=["accuracy"])
batched = batches.bucketed(train.frames, train.label, batch_size=64)
model.fit(batched, epochs=12, shuffle=False, verbose=0)
print(f"validation, whole clips: {evaluation.evaluate(model, validation)}")

# %% [markdown] tags=["slide"]
# ## The end is cut off
#
# **Predict, then run.** The model hears the first half of each test clip. Is it right about half as often, or nearly as often? Write a number down.

# %% [markdown] tags=["notes"]
# Take three numbers from the class and write them down before the next slide. Ask for the reason behind the highest and the lowest.


# %%
def first_part(clips, share):
    """The same clips with the first share of their frames."""
    kept = [frames[: max(1, round(share * len(frames)))] for frames in clips.frames]
    return clips.assign(frames=kept)


scores = {}
for share in [0.25, 0.5, 0.75, 1.0]:
    scores[f"{share:.0%}"] = evaluation.evaluate(model, first_part(test, share))
whole = evaluation.evaluate(model, test, lesson="17")  # a row of the learner's table
print(f"the first half: {scores['50%']}")

# %% tags=["more", "no-code"]
axes = plots.intervals(scores, chance=0.1, title="the first part of each test clip")
quarter, half = scores["25%"].accuracy, scores["50%"].accuracy
fact = f"a quarter has {quarter:.2f}, the half {half:.2f}"
plots.show(axes, f"{fact}, the whole clip {whole.accuracy:.2f}")

# %% [markdown]
# How near was your guess? The model learned from whole clips: one that learns from first halves may do better.

# %% [markdown]
# ## Exercises
#
# <!-- A cell tagged "solution" stands right before one tagged "check". The learner finds the solution blanked, and check("17.1") in place of the check.
#      A check says what is wrong and what to look at, gives no answer away, and tests a case that no text and no message shows. -->
# **Exercise 1.** A clip has `count` frames, 10 ms apart. Write `milliseconds_saved(count, share)`: how much earlier does the answer come, if the first
# `share` of the frames is enough? Of 60 frames, half are 300 ms.


# %% tags=["solution"]
def milliseconds_saved(count, share):
    """How much earlier the answer comes."""
    return 10 * (count - round(share * count))


# %% tags=["check"]
found = milliseconds_saved(60, 0.5)
assert found is not None, "milliseconds_saved should return a number"
assert found != 30, "those are frames: a frame is 10 ms"
assert found == 300, f"half of 60 frames of 10 ms are 300 ms, you found {found}"
for count, kept in [(50, 10), (80, 72), (33, 33)]:
    assert milliseconds_saved(count, kept / count) == 10 * (count - kept), (
        "wrong for another clip and another share: is the time saved after the part "
        "that is heard?"
    )
print(f"{found} ms earlier")

# %% [markdown]
# **Exercise 2.** Which part tells more, the first half or the last? Guess first. Set `last_half` to the Score of the model on the last halves of the test
# clips, which begin at frame `len(frames) // 2`. (`clips.assign(frames=…)` makes a table with other frames.)

# %% tags=["solution"]
halves = [frames[len(frames) // 2 :] for frames in test.frames]
last_half = evaluation.evaluate(model, test.assign(frames=halves))

# %% tags=["check"]
assert isinstance(last_half, evaluation.Score), (
    "last_half should be what evaluation.evaluate returns"
)
cut = [frames[-(len(frames) - len(frames) // 2) :] for frames in test.frames]
right = evaluation.evaluate(model, test.assign(frames=cut)).accuracy
assert np.isclose(last_half.accuracy, right) or last_half != scores["50%"], (
    "that is the Score of the FIRST halves"
)
assert np.isclose(last_half.accuracy, right), (
    f"found {last_half.accuracy:.3f}: does each clip begin at half of ITS OWN length?"
)
print(f"first half {scores['50%'].accuracy:.3f}, last half {last_half.accuracy:.3f}")

# %% [markdown]
# **You have seen**
# - a small model trained on whole clips;
# - the end cut off clips that it had not seen, and what is lost;
# - the share of a clip that is enough.
#
# ## Quiz
#
# Answer first, then open. <!-- Two or three questions; for every answer a sentence that says why. -->
#
# **1. The model is right less often about first halves. What does that show?**
#
# <details><summary>A. The second half of a word tells more than the first.</summary>No: nobody has heard the second half alone, except in exercise 2.</details>
# <details><summary>B. This model, which learned from whole clips, loses that much.</summary>Yes: another training might lose less.</details>
# <details><summary>C. First halves do not hold the word.</summary>No: a model that learns from first halves may find it there.</details>
#
# **2. Two shares have intervals that overlap. What follows?**
#
# <details><summary>A. They are equally good.</summary>No: they may differ by less than these clips can show.</details>
# <details><summary>B. Nothing yet: compare them clip by clip.</summary>Yes: both heard the same clips, so only the clips that one of them has right count.</details>
# <details><summary>C. The larger number is the better one.</summary>No: with other clips of the same kind the order may turn.</details>
#
# All lessons: [README](../README.md).
#
# *Recordings: synthetic voices of this course, CC BY 4.0. Text: CC BY 4.0.*
