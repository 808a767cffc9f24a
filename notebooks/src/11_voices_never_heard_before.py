# %% [markdown]
# # 11 · Voices never heard before
#
# Your recogniser will meet voices that were not in its training. How much worse does it do for them? Why? And what helps?
#
# **You will**
# - train a GRU on six speakers, and test it on 228 others;
# - find out what it has learned apart from the words, and take some of it away;
# - see what more training speakers are worth when the number of clips stays the same, and which step of a recipe earns what.
#
# **Minutes:** 100 with the exercises; the computer needs about two of them. **You need:** lessons 02, 04, 07, 09 and 10.

# %% [markdown] tags=["slide", "only-slides"]
# ## Who will speak to it?
# - People whose voices were not in the training
# - How much worse does it do for them?
# - What helps?

# %% [markdown] tags=["notes"]
# Ask who has a machine at home that does not understand a grandparent or a child. Ask which test would have found that before the sale.

# %% tags=["setup"]
import setup_course

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import Audio, display
from scipy import stats
from sklearn.model_selection import LeaveOneGroupOut

from course_lib import audio, batches, data, evaluation, models, plots

# %% [markdown]
# ## Six speakers, and 228 others
#
# We train on the digits of lesson 00, by six men. The new voices come from Speech Commands: thousands of volunteers, with their own microphones, in their own rooms. Most of these
# 228 speakers say one digit only. None of them is in any training that you run here.
#
# The clips of the six are trimmed closely; the new ones last a second each. So we trim all clips alike: `audio.trim_silence` removes frames at both ends that are more than 39 dB
# below the loudest frame.

# %%
clips, voices = data.load("digits"), data.load("many-voices")
for part in (clips, voices):
    part["waveform"] = [audio.read(path) for path in part.path]
    part["whole"] = audio.log_mels(part.waveform, frame_step=160)  # every 20 ms
    part["frames"] = [audio.trim_silence(frames) for frames in part.whole]
voices = voices[~voices.group.isin(clips.group)]
learn, official = clips[clips.split == "train"], clips[clips.split == "test"]
print(f"{len(learn):,} clips to learn from, by {learn.group.nunique()} speakers")
print(f"{len(voices)} clips by {voices.group.nunique()} other speakers")

# %% [markdown]
# One function trains every model of this lesson. The learning rate falls to zero along a cosine. `augment` changes a clip each time it enters a batch; we need it later.
#
# **Predict, then run.** The GRU is like that of lesson 07, with 48 units instead of 64. Its official test has other clips of the same six speakers. How many of 100 clips will it get right there, and how many by the new voices?


# %%
def train(model, part, *, epochs=6, rate=8e-3, augment=None):
    options = {"batch_size": 50, "n_lengths": 4, "augment": augment}
    batched = batches.bucketed(part.frames, part.label, **options)
    falling = keras.optimizers.schedules.CosineDecay(rate, epochs * len(batched))
    model.compile(
        optimizer=keras.optimizers.Adam(falling, global_clipnorm=1.0),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(batched, epochs=epochs, shuffle=False, verbose=0)
    return model


# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: one GRU, two tests
# - Official test: other clips of the six speakers of the training
# - New voices: 228 speakers, most with one clip
# - How many of 100 are right, in each?

# %% [markdown] tags=["notes"]
# Two numbers in writing. After lesson 02 a loss is expected; collect how large.

# %%
keras.utils.set_random_seed(0)
gru = train(models.gru(10, units=48), learn)
known = evaluation.evaluate(gru, official, lesson="11")
new = evaluation.evaluate(gru, voices, lesson="11", split="new voices")
print(f"official test: {known}")
print(f"   new voices: {new}")

# %% [markdown]
# Nearly every official clip is right, and more than a third of the new ones are wrong. The official test never asked about new voices.
#
# ## Leave one speaker out
#
# With your own data you may have no second set. Then leave out one speaker at a time, train on the others, and test on the speaker left out. Lesson 02 did it by hand. At work you use scikit-learn: `LeaveOneGroupOut` gives the rows of training and test for each group in turn. (`GroupKFold` leaves out several groups at once, where there are many.)

# %%
left_out = {}
split = LeaveOneGroupOut().split(clips.frames, groups=clips.group)
for learn_rows, test_rows in split:
    keras.utils.set_random_seed(0)
    model = train(models.gru(10, units=48), clips.iloc[learn_rows])
    test = clips.iloc[test_rows]
    left_out[f"{test.group.iloc[0]}, unheard"] = evaluation.evaluate(model, test)

# %% tags=["fold"]
# @title Draw: one GRU, and eight tests {display-mode: "form"}
tests = {"official test": known, "new voices": new} | left_out
axes = plots.intervals(
    tests, chance=0.1, title="one kind of GRU, seven trainings: eight tests"
)
mean = np.mean([score.accuracy for score in left_out.values()])
print(f"left out in turn: {mean:.3f} in the mean of {len(left_out)}")
plots.show(
    axes, "only the official test, which has the voices of the training, is easy"
)

# %% [markdown] tags=["slide", "only-slides"]
# ## Only the official test is easy
# - Six speakers left out in turn: six very different answers
# - 228 new voices: in between

# %% [markdown] tags=["notes"]
# Ask which of these numbers would stand in an advertisement, and which a caller meets. Then: why is the spread between the six so large, and what follows for a test with one speaker?

# %% tags=["fold"]
# @title Draw: one digit, by one of the six and by a new voice {display-mode: "form"}
word = clips.label.cat.categories[1]
own = clips[(clips.label == word) & (clips.group == clips.group.max())].iloc[0]
of_word = voices[voices.label == word]
other = of_word.iloc[len(of_word) // 2]
figure, panels = plt.subplots(1, 2, figsize=(9, 3), layout="constrained", sharey=True)
for clip, axes, who in zip((own, other), panels, ("one of the six", "a new voice")):
    title = f'"{word}" by {who}, trimmed'
    plots.log_mel(clip.frames, axes=axes, step=0.02, title=title)
plots.show(
    figure, "look at the colour bars, and at what lies before and after the word"
)

# %% [markdown] tags=["slide", "only-slides"]
# ## Six voices, or six recordings?
# - Level, microphone, room, trimming: none of them is the voice
# - 22 dB lie between the loudest and the softest of the six

# %% [markdown] tags=["notes"]
# Ask what a network could learn from a level. Point at the ends of the second picture: frames that pass the threshold of 39 dB, with no word in them.

# %% [markdown]
# Each speaker left out gives another answer, and the answers differ widely. One speaker is an anecdote. The speaker is the unit here, so from the next comparison on we give intervals over speakers, not over clips.
#
# ## Six speakers, and their recordings
#
# Is it the *voices* that the GRU knows? Each of the six also has a microphone, a room, a level, and a way of trimming. Lesson 02 measured their levels: 22 dB lie between the loudest and the softest speaker. And the picture above shows how different a new recording can be. So a network that learns from these clips can learn **six speakers and their recordings**. Two experiments follow, one on level and microphone, one on background.
#
# We can take the level away: subtract *one mean per clip*. We can take more away: *one mean per band*. A microphone multiplies each band's energy. In the logarithm this becomes an added constant, so subtracting each band's mean removes it. For the coefficients of lesson 10 this is called [cepstral mean normalisation](../docs/glossary.md#cepstral-mean-normalisation) (Atal 1974). It removes a fixed response only, not
# noise, and in a clip of half a second it removes some of the word as well.
#
# **Predict, then run.** The same GRU learns from each version, with two seeds. Which one understands most of the new voices?


# %%
def one_mean(frames):
    return frames - frames.mean() - 5.0  # the models' Rescaling expects about -5


ways = {
    "as recorded": lambda frames: frames,
    "one mean per clip": one_mean,
    "one mean per band": audio.subtract_mean,
}

# %%
rows = []
for way, change in ways.items():
    own, others = learn.copy(), voices.copy()
    for part in (own, others):
        part["frames"] = [change(frames) for frames in part.frames]
    for seed in range(2):
        keras.utils.set_random_seed(seed)
        model = train(models.gru(10, units=48), own)
        rows.append((way, seed, evaluation.evaluate(model, others).accuracy))
levels = pd.DataFrame(rows, columns=["way", "seed", "new voices"])
levels.pivot(index="way", columns="seed", values="new voices").loc[[*ways]].round(3)

# %% [markdown]
# Neither mean helps with the new voices. For the six left out, both do: in the benchmark below (the first three rungs of a ladder, with clips not trimmed) the GRU has 0.67 as recorded, 0.72 with one mean per clip, and 0.71 with one per band. There the level
# alone explains the gain; the bands add nothing. A remedy that helps six speakers of one collection need not help in another. A likely reason, not tested here: in a clip that is half background, the mean is the mean of the background.
#
# ## A remedy: background in the training
#
# The new clips have background at their ends: a fan, a room, a hum. The six speakers' clips have little of it, so the GRU hardly had to learn that a word can be surrounded by something else.
# We can imitate it. `with_ends` takes a clip's quietest frames, makes them softer by a random amount, and puts 0.3 s of them before and after the clip. In every epoch, `cut_and_centre` cuts each end to a random length. The word stays
# what it was, so the label does, too. This is [augmentation](../docs/glossary.md#augmentation): change what must not matter.


# %%
def with_ends(frames, random, length=15):
    """Put 15 soft frames, like background, before and after the clip."""
    quietest = np.argsort(np.exp(frames).sum(axis=1))[: max(2, len(frames) // 8)]
    ends = []
    for _ in range(2):
        softer = random.uniform(0, 4)  # natural log of energy: up to 17 dB
        drawn = frames[random.choice(quietest, length)] - softer
        ends.append(drawn + random.normal(0, 0.5, drawn.shape))  # no two alike
    return np.concatenate([ends[0], frames, ends[1]]).astype(np.float32)


def cut_and_centre(frames, random):
    """Leave a random length of each end, and subtract the mean of each band."""
    before, after = random.integers(16, size=2)
    return audio.subtract_mean(frames[before : len(frames) - after])


# %% [markdown]
# The reader is the bidirectional GRU with attention of lesson 09, since a last state has to carry the word through the background that follows. We train two *arms*: the same model without and with background. Both subtract the mean of each band. The only difference is the background (over which the mean is then taken, too). **Predict, then run.** What will it change for the new voices? And for the official test?
#
# Both arms hear the same speakers, so the difference is *paired*: one difference per speaker, and its mean with a 95 % interval over the speakers.

# %% [markdown] tags=["slide", "only-slides"]
# ## A remedy: background in the training
# - Guess the accuracy for the new voices, without and with it
# - Guess what happens to the official test

# %% [markdown] tags=["notes"]
# The official test falls a little: its clips have clean ends, and the model has spent its short training on something else. Ask whether that is a loss.

# %%
random = np.random.default_rng(0)
with_mean = [audio.subtract_mean(frames) for frames in learn.frames]
longer = [with_ends(frames, random) for frames in learn.frames]
centred, padded = learn.assign(frames=with_mean), learn.assign(frames=longer)
trained = {"without": [], "with background": []}
for seed in range(2):
    keras.utils.set_random_seed(seed)
    trained["without"].append(train(models.attention(10), centred))
    keras.utils.set_random_seed(seed)
    model = train(models.attention(10), padded, augment=cut_and_centre)
    trained["with background"].append(model)


# %%
def correct(model, part, frames):
    """Whether the model is right about each clip, its means subtracted."""
    centred = [audio.subtract_mean(clip) for clip in frames]
    answers = evaluation.predict(model, centred).argmax(axis=1)
    return answers == part.label.cat.codes.to_numpy()


def of_speakers(right, part):
    """The accuracy on each speaker's clips."""
    right = pd.Series(np.asarray(right, float))
    return right.groupby(part.group.to_numpy()).mean()


# %%
by_speaker = {}
for arm, seeds in trained.items():
    right = [correct(model, voices, voices.frames) for model in seeds]
    by_speaker[arm] = of_speakers(np.mean(right, axis=0), voices)
    known = [correct(model, official, official.frames).mean() for model in seeds]
    new, known = np.mean(right, axis=1).round(3), np.round(known, 3)
    print(f"{arm:>16}: new voices {new}, official {known}")
gain = by_speaker["with background"] - by_speaker["without"]
half = stats.t.ppf(0.975, len(gain) - 1) * stats.sem(gain)
interval = f"{gain.mean() - half:+.3f} to {gain.mean() + half:+.3f}"
print(f"with minus without: {gain.mean():+.3f} ({interval}, {len(gain)} speakers)")

# %% [markdown]
# In the mean over speakers the new voices gain about 14 points (over clips 12: there a speaker with many clips counts more), and the interval is far from zero. The official test loses nearly six: its clips have clean ends. Perhaps a short training has spent part of its time on something that this test never asks.
# A loss on the easy test can be a gain for everybody else.
#
# ## When a remedy does harm
#
# Why not simply trim harder? The threshold of 39 dB leaves background in the new clips. With 26 dB, less of it would be left. **Predict, then run:** we trim the new voices with
# six thresholds, from none at all to 17 dB, and ask both arms.

# %%
thresholds = ["not trimmed", "39 dB", "30 dB", "26 dB", "22 dB", "17 dB"]
heard = {arm: [] for arm in trained}
for below in (99, 9, 7, 6, 5, 4):  # natural log: 1 is 4.34 dB; 99 trims nothing
    cut = [audio.trim_silence(frames, below=below) for frames in voices.whole]
    for arm, seeds in trained.items():
        right = [correct(model, voices, cut) for model in seeds]
        heard[arm].append(np.mean(right, axis=0))

# %% tags=["fold"]
# @title Draw: accuracy against the threshold of trimming {display-mode: "form"}
axes = plt.subplots(figsize=(8, 3.4), layout="constrained")[1]
for arm, right in heard.items():
    axes.plot(thresholds, np.mean(right, axis=1), "o-", label=arm)
axes.set(
    xlabel="frames removed at the ends: so far below the loudest", ylabel="accuracy"
)
axes.set_title("228 new voices, trimmed more and more")
axes.legend()
plots.show(axes, "the arm that has heard background hardly needs the trimming")

# %% [markdown] tags=["slide", "only-slides"]
# ## When a remedy does harm
# - Trimming removes background, and then the soft ends of words
# - The arm that has heard background does not need it

# %% [markdown] tags=["notes"]
# Let them explain the hump before you show which digits pay for the trimming at 17 dB.

# %% [markdown]
# Without background in the training, an untrimmed clip is hardest. Harder trimming helps until 26 dB, where this arm is nearly as good as the other one at its best: most of the 14 points can be had by trimming. Then it harms. But you would have to know that threshold,
# and the next microphone has another. The arm that has heard background does well even without trimming, gains little from the lightest, and loses by each harder one.
#
# Which digits pay for the trimming at 17 dB? For each digit: the share of its clips that the arm without background loses, from 39 dB to 17 dB. (Below zero: it gains.)

# %% tags=["fold"]
# @title Draw and play: a digit that trimming has cut {display-mode: "form"}
lost = pd.Series(heard["without"][1] - heard["without"][-1], voices.index)
by_word = lost.groupby(voices.label, observed=True).mean().sort_values(ascending=False)
print(by_word.round(2).to_dict())
kept = [len(audio.trim_silence(frames, below=4)) for frames in voices.whole]
share = pd.Series(kept, voices.index) / batches.lengths(voices.frames)
worst = by_word.idxmax()
shown = share[voices.label == worst].idxmin()
clip = voices.loc[shown]
energy = np.log(np.exp(clip.whole).sum(axis=1))
axes = plots.log_mel(clip.whole, step=0.02, title=f'"{worst}", cut at 17 dB (lines)')
above = np.flatnonzero(energy >= energy.max() - 4)
for frame in (above[0], above[-1]):
    axes.axvline(0.0125 + 0.02 * frame, color="white", linestyle="--")
display(Audio(clip.waveform, rate=audio.SAMPLE_RATE))
print(f"{clip.source}, {clip.licence}")
plots.show(axes, "only what lies between the lines is left: the soft sounds are gone")

# %% [markdown]
# The "8" loses most: its last sound is a soft t after a pause, and trimming takes it for background. (The clip is the most extreme one. A digit has about 44 clips here, so small shares are chance.) No threshold fits all rooms, so it is better to train the model for what it will hear.
#
# ## Speakers or clips?
#
# You can record 120 clips. Do you ask 5 people for 24 clips each, or 120 people for one? Speech Commands can answer: six of its words, said by hundreds of people. Of 333 speakers, those with enough clips are drawn. We train on 120 clips each time, and test on the 125 validation and test speakers. (Nothing here is tuned, so both may count.) The figure also shows a
# [benchmark](../benchmarks/results/voices.md): six draws of the speakers for each of six numbers, the words drawn evenly. **Predict, then run.** How much is it worth to ask 120 people?

# %%
words = data.load("commands")
words["word"] = [path.parent.name for path in words.path]
six = ["yes", "up", "down", "left", "right", "go"]
words = words[words.word.isin(six)].reset_index(drop=True)
words["label"] = pd.Categorical(words.word, six)
frames = audio.log_mels([audio.read(path) for path in words.path], frame_step=160)
words["frames"] = [audio.subtract_mean(audio.trim_silence(clip)) for clip in frames]
many, others = words[words.split == "train"], words[words.split != "train"]
print(f"{many.group.nunique()} speakers to draw from, {others.group.nunique()} to test")


# %%
def draw(speakers, seed):
    """120 clips: speakers drawn at random, and as many clips of each."""
    counts, each = many.group.value_counts(), 120 // speakers
    enough = sorted(counts.index[counts >= each])
    chosen = np.random.default_rng(seed).choice(enough, speakers, replace=False)
    shuffled = many[many.group.isin(chosen)].sample(frac=1, random_state=seed)
    return shuffled.groupby("group").head(each)


# %%
counts, live = many.group.value_counts(), []
for speakers in (5, 120):
    for seed in range(2):
        if (
            counts >= 120 // speakers
        ).sum() >= speakers:  # otherwise too few have so many
            keras.utils.set_random_seed(seed)
            few = draw(speakers, seed)
            model = train(models.attention(6), few, epochs=40, rate=6e-3)
            found = evaluation.predict(model, others.frames).argmax(axis=1)
            right = of_speakers(found == others.label.cat.codes, others)
            live.append((speakers, right.mean()))

# %% tags=["fold"]
# @title Draw: accuracy against the number of speakers {display-mode: "form"}
results = evaluation.RESULTS.parents[1] / "benchmarks" / "results"
few = pd.read_csv(results / "voices_speakers.csv")
figures = few.groupby("speakers").accuracy.agg(["mean", "sem", "count"])
half = figures["sem"] * stats.t.ppf(0.975, figures["count"] - 1)
axes = plt.subplots(figsize=(8, 3.6), layout="constrained")[1]
label = "benchmark: mean, 95 % interval over the draws"
axes.errorbar(
    figures.index, figures["mean"], yerr=half, fmt="D-", capsize=3, label=label
)
for speakers, accuracy in live:
    axes.plot(speakers, accuracy, "o", color="C1")
axes.set(xscale="log", xlabel="training speakers", ylabel="accuracy, new speakers")
axes.set_xticks(figures.index, figures.index)
axes.minorticks_off()
axes.set_title("120 clips (orange: the draws of this notebook)")
axes.legend()
first, last = figures["mean"].iloc[[0, -1]]
plots.show(axes, f"from {first:.3f} with 5 speakers to {last:.3f} with 120")

# %% [markdown] tags=["slide", "only-slides"]
# ## Speakers or clips?
# - 120 clips: of 5 people, or of 120?

# %% [markdown] tags=["notes"]
# Ask what else differs between a clip of a new person and one more clip of the same. (Microphone, room, mood, accent, age.)

# %% [markdown]
# Two draws are too few to tell (and they lie a little higher than the benchmark's, which draws its words evenly). With six draws, accuracy rises from 0.72 (5 or 10 speakers) to 0.81 (40). The gain from 5 to 40 is 0.10 (0.07 to 0.12, over 125 test speakers).
# From there the curve is flat: 40 speakers with three clips each do as well as 120 with one. If you can choose, ask more people, and ask each for less.
#
# ## Which step earned what?
#
# The benchmark also climbs a *ladder*: every rung (step) changes one thing. From the plain GRU up: one mean per clip, one per band, trimmed, both directions, attention, background at the ends, noise, vocal tract (the bands shifted a little, as by a shorter or longer throat), five speeds (slower and faster copies), the course's synthetic voices, real voices (185 of the 228 join the training, so only the other 43 are new), convolutions (lesson 12). Each of the six speakers is left out in turn, and the same models hear the new voices, too. All trainings are short:
# about 300 batches of 64 clips. **Predict, then run.** Which rung gains most? Does one lose?

# %% tags=["fold"]
# @title Draw: the ladder {display-mode: "form"}
ladder = pd.read_csv(results / "voices_ladder.csv")
rungs = ladder.pivot(index=["rung", "name"], columns="test", values="accuracy")
names = rungs.index.get_level_values("name")
heard_by = [test for test in rungs if "voices" not in test]
six_left_out, places = rungs[heard_by].mean(axis=1), np.arange(len(rungs))
axes = plt.subplots(figsize=(9, 4.6), layout="constrained")[1]
axes.plot(rungs[heard_by], places, "o", color="lightgrey", markersize=4)
axes.plot(six_left_out, places, "D-", label="mean of six left out (grey: each)")
axes.plot(rungs["43 voices"], places, "s--", label="43 test voices")
axes.set_yticks(places, names)
axes.set(xlabel="accuracy", ylim=(len(rungs) - 0.5, -0.5), title="one change a rung")
axes.legend()
fact = f"from {six_left_out.iloc[0]:.3f} to {six_left_out.iloc[-1]:.3f} for the six"
plots.show(axes, fact)
copies = pd.read_csv(results / "voices_copies.csv")
copies.pivot(index="batches", columns="copies", values="accuracy").round(3)

# %% [markdown] tags=["slide", "only-slides"]
# ## Which step earned what?
# - One change a rung. Which gains most? Does one lose?

# %% [markdown] tags=["notes"]
# Collect guesses first. Then name the losing rung, and ask what would have to change for it to win.

# %% [markdown]
# For the new voices (orange) the two means lose 0.24, and trimming wins 0.20 back: an untrimmed clip is full of background. Then both directions gain 0.14, the background at the ends and the real voices 0.05 each. For the six (blue) convolutions gain most, 0.06. **The rung that loses for the six is "five speeds"**, by 0.03. Background costs them 0.02: they have little of it. The [benchmark's page](../benchmarks/results/voices.md) gives each step its interval over the six: that of "five speeds" is the only loss that excludes zero, and of twelve rungs one may do so by luck. For the new voices "five speeds" loses nothing.
#
# Do strong changes need more time? The table under the ladder has attention trained on the six and tested on the 228, one seed. *Heavy* copies (five speeds, vocal tract, noise, bands and frames hidden at random) are 0.03 below "none" in 300 batches and **0.08 above it in 1,500**. *Light* copies (background, noise) are best at both lengths. So begin with light changes, and give heavy ones more time.
#
# ## The recipe, measured
#
# The recipe is the last rung with fewer changes (background, a little vocal tract, three speeds), trained for 2,000 batches. Before measuring we asked for 0.90 in the mean of the six and 0.85 for the worst; 0.985 in the official test; and for the new voices 0.85 with none
# of them in the training, and 0.90 when half of them are in it and the other half is the test.

# %%
recipe = pd.read_csv(results / "voices_recipe.csv")
recipe.set_index("test").round(3)


# %% [markdown] tags=["slide", "only-slides"]
# ## Exercise 1: on which clips may you compare?
# - A: synthetic voices, held out. B: each of the six left out.
# - C: takes that neither the training nor a report uses
# - D: the official test
# - E: a seventh speaker, who is not reported

# %% [markdown] tags=["notes"]
# Five minutes, first alone, then in pairs; the pairs that disagree explain. Reported are the six left out and the official test. The answer is in the check, not on this slide.

# %% [markdown]
# The three demands on the new voices are met; the other three are missed. `nicolas` is understood far less than the other five, who have 0.91 in the mean; we do not know why. (For the plain GRU above it was george.) An earlier edition of the recipe had 0.98 in the official test. Perhaps learning other voices and rooms costs accuracy on this test; we did not measure it.
#
# How were the settings chosen? Not by leaving speakers out: if you try ten remedies on six speakers and keep the best, the choice has seen them, although no gradient has. They were chosen on takes 5 to 9 of the six (each speaker said each digit many times; a *take* is one of these recordings; these voices were in that training), on held-out synthetic voices, and on 148 of the new speakers, with none of the 228 in the training. That is not perfectly clean: those takes are part of the report on the six, and the 148 are among the 228.
# For the 80 others, on whom nothing was tried first, the accuracy is 0.903. But earlier versions had been run on two of the six, on the official test and on the new voices. You must report such looks; the benchmark's page lists them with their numbers.
#
# ## Exercises
#
# **Exercise 1.** You have three more ideas for the recipe, and want to keep the best. You will report the accuracy on the six speakers left out, and on the official test. On which clips may you
# compare your ideas? Set `allowed` to a set of letters: `"A"` synthetic voices, held out of the training; `"B"` each of the six, left out in turn; `"C"` takes of the training speakers that neither the training nor any report uses; `"D"` the official test; `"E"` a seventh speaker, recorded for this, who is not reported.

# %% tags=["solution"]
allowed = {"A", "C", "E"}

# %% tags=["check"]
assert isinstance(allowed, set), 'write a set of letters, such as {"A", "B"}'
assert allowed <= set("ABCDE"), f"expected letters from A to E, found {sorted(allowed)}"
assert allowed, "the set is empty: there are clips on which you may compare"
reported = allowed & {"B", "D"}
assert not reported, (
    f"{len(reported)} of your letters stands for clips of the report itself: the best "
    "of three on them is too good by luck"
)
assert len(allowed) == 3, (
    "none of your letters is wrong, but there are more clips that are neither learned "
    "from nor reported"
)
print(f"{len(allowed)} of 5 leave the report clean")

# %% [markdown]
# **Exercise 2: build, train, beat this number.** Build a new model `yours` in Keras, and train it on the six speakers, as you like (`train`, `with_ends`, `cut_and_centre`). Each band's mean is subtracted before it hears a clip. Its validation clips are `ask`, by new voices that are not on the test side. The number is `to_beat`: what the GRU from the top of this lesson reaches there, plus 0.02. (The models of `trained` do not count. On the real recordings, how far above 0.70 do you get?)

# %%
ask = voices[voices.split != "test"]
to_beat = evaluation.evaluate(gru, ask).accuracy + 0.02
print(f"to beat: {to_beat:.3f}")

# %% tags=["solution"]
keras.utils.set_random_seed(1)
clip = keras.Input([None, 40])
frames = keras.layers.Masking(batches.PADDING)(clip)
frames = keras.layers.Rescaling(1 / 4, 5 / 4)(frames)
states = keras.layers.GRU(48, return_sequences=True)
states = keras.layers.Bidirectional(states)(frames)
logits = keras.layers.Dense(10)(models.AttentionPooling()(states))
yours = train(keras.Model(clip, logits), padded, epochs=9, augment=cut_and_centre)

# %% tags=["check"]
assert isinstance(yours, keras.Model), (
    "`yours` should be a Keras model: Input, Masking, a recurrent layer, a reader, Dense"
)
assert yours.output_shape == (None, 10), (
    f"expected logits [batch, 10], found {yours.output_shape}: ten digits"
)
assert yours.input_shape == (None, None, 40), (
    f"expected clips [batch, any length, 40], found {yours.input_shape}"
)
try:
    evaluation.check_mask(yours, batches.pad(list(ask.frames[:8])))
except AssertionError as wrong:
    raise AssertionError(f"the mask: {wrong}") from None
assert yours not in trained["with background"] + trained["without"], (
    "that is a model of the lesson: build and train one of your own"
)
share = correct(yours, ask, ask.frames).mean()
assert share >= to_beat, (
    f"accuracy {share:.3f}, and the number is {to_beat:.3f}: does your training subtract "
    "the mean, does it have background at the ends, and is it long enough?"
)
print(f"{share:.3f}, and {to_beat:.3f} was to be beaten")

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 1
# 0.99 on the official split. What does that promise a new caller?
#
# - A. about 0.99: the test clips were not in training
# - B. more than 0.99, with augmentation
# - C. nothing that can be read off it

# %% [markdown] tags=["notes"]
# Right: C. To A: the clips were not, the voices were.

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 2
# What does the mean of each band over a clip contain?
#
# - A. microphone, distance, and some of voice and word
# - B. only noise
# - C. nothing: the mean of a logarithm is zero

# %% [markdown] tags=["notes"]
# Right: A: a constant in each band. Ask what else goes with it: a part of the vowel, in a short word.

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 3
# Ten recipes on the six, the best reported: 0.88. What is wrong?
#
# - A. nothing: no gradient ever saw the speakers
# - B. the six helped to choose: too good for a seventh
# - C. average by numbers of clips

# %% [markdown] tags=["notes"]
# Right: B. The best of ten is partly the luckiest of ten.

# %% [markdown]
# **You have seen**
# - one GRU that knows its six speakers and their recordings, and 228 voices that it does not know;
# - `LeaveOneGroupOut`, and intervals over speakers;
# - background in the training, which helps, and a trimming that cuts off soft sounds;
# - what more speakers are worth at an equal number of clips, and a ladder with one change a rung.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. A recogniser has 0.99 on the official split. What does that promise a caller who is new?**
#
# <details><summary>A. About 0.99, since the test clips were not in the training.</summary>No: the clips were not, but the voices were. A new caller asks another question.</details>
# <details><summary>B. More than 0.99, once augmentation is added.</summary>No: augmentation can narrow the gap to new voices; it promises no number.</details>
# <details><summary>C. Nothing that can be read off it: leave speakers out to know.</summary>Yes: the same model may do far worse on a new voice, and only held-out speakers show how far.</details>
#
# **2. What does the mean of each band over a clip contain?**
#
# <details><summary>A. The microphone and the distance, and some of the voice and of the word.</summary>Yes: a fixed response multiplies the energy, so it adds to its logarithm in every frame alike. In a short clip the mean holds some of the word, too.</details>
# <details><summary>B. Only noise.</summary>No: if you subtract the mean of the log energy, noise that was added to the energy stays.</details>
# <details><summary>C. Nothing: the mean of a logarithm is zero.</summary>No: it is about -5 here, and it differs from speaker to speaker.</details>
#
# **3. Ten recipes were run on the six speakers left out, and the best is reported as 0.88. What is wrong?**
#
# <details><summary>A. Nothing: no gradient ever saw the speakers.</summary>No: the choice saw them. The best of ten is partly the luckiest of ten.</details>
# <details><summary>B. The six helped to choose, so 0.88 is too good for a seventh.</summary>Yes: choose on other voices, then run the one recipe once, and report every look.</details>
# <details><summary>C. Six speakers should have been averaged by their numbers of clips.</summary>No: here each has as many, and the mean over speakers is what a new speaker may expect on average.</details>
#
# <details><summary>Without the real recordings</summary>The six speakers are then six synthetic voices, and the new voices are 20 others by other engines. Both have clean ends, so the background in the training costs accuracy: it is a remedy for something
# that this test does not have. The plain GRU understands about one new clip in five. The ladder and the recipe are those of the real recordings.</details>
#
# Next: [12 Speech: keyword spotting](12_keyword_spotting.ipynb). All lessons: [README](../README.md).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0; Speech Commands, Pete Warden and contributors, CC BY 4.0. Text: CC BY 4.0.*
