# %% [markdown]
# # 11 · Voices never heard before
#
# A recogniser will be used by people whose voices it was not trained on. Lesson 02 showed, with the order-blind average, that this is a harder
# question than the official test asks. How far does a recurrent network fall, and which remedies earn the loss back?
#
# **You will**
# - measure one GRU by three splits, and see how much of its accuracy belongs to known voices;
# - hear and see what makes one voice into many: speed, vocal tract, noise and masks;
# - test a recipe that was chosen on other voices than those of the test, and listen to what it still gets wrong.
#
# **Minutes:** 45, of which the computer takes less than one. **You need:** lessons 02, 04, 07 and 09.

# %% [markdown] tags=["slide", "only-slides"]
# ## Who will speak to it?
# - A recogniser is used by people it was not trained on
# - How far does it fall?
# - Which remedies earn the loss back?

# %% [markdown] tags=["notes"]
# Ask who has a machine at home that does not understand a grandparent or a child. Ask which test would have found it before the sale.

# %% tags=["setup"]
import setup_course

# %%
import re
from functools import partial

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import Audio, Markdown, display

from course_lib import audio, batches, data, evaluation, models, plots, training
from course_lib.extra import augmentation

# %% [markdown]
# ## One model, three splits
#
# The GRU reads every second frame, one each 20 ms, so that six trainings fit into the lesson; the column `fine` keeps all. Two speakers are
# left out in turn: the first and the last by name, so that nobody chose them.

# %%
clips = data.load("digits")
clips["waveform"] = [audio.read(path) for path in clips.path]
clips["fine"] = audio.log_mels(clips.waveform)
clips["frames"] = [fine[::2] for fine in clips.fine]
speakers = sorted(clips.group.unique())
left_out = [speakers[0], speakers[-1]]
print(f"{len(speakers)} speakers; left out in turn: {', '.join(left_out)}")

# %% [markdown]
# The splits of lesson 02: *random*, a tenth of the clips drawn by lot; *official*, as the makers say; and *by speaker*. The GRU is small and its
# training short (six epochs), always alike. **Predict, then run.** Order the four tests by the accuracy that you expect. How far
# is the worst from the best?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: one GRU, one training, four tests
# - Random: a tenth of the clips, by lot
# - Official: as the makers say
# - `george` left out; `yweweler` left out
# - Order the four. How far is the worst from the best?

# %% [markdown] tags=["notes"]
# The two are the first and the last by name, so that nobody chose them. Written guesses. After lesson 02 a loss is expected; collect how large.

# %%
by_lot = clips.sample(frac=0.1, random_state=0)
is_test = {"random": clips.index.isin(by_lot.index), "official": clips.split == "test"}
is_test |= {f"{speaker} left out": clips.group == speaker for speaker in left_out}
plain, models_of = {}, {}
for name, held_out in is_test.items():
    keras.utils.set_random_seed(0)
    model = models_of[name] = models.gru(clips.label.nunique())
    learn = batches.bucketed(
        clips.frames[~held_out], clips.label[~held_out], batch_size=64, n_lengths=2
    )
    training.fit(model, learn, epochs=6, learning_rate=6e-3)
    plain[name] = evaluation.evaluate(model, clips[held_out])
    print(f"{name:>24}: {plain[name]}")
change = evaluation.check_mask(model, batches.pad(list(clips.frames[:8])))
print(f"check_mask {change:.0e}")

# %% [markdown] tags=["slide", "only-slides"]
# ## It has learned these voices saying digits
# - Random and official do not ask about new ones

# %% tags=["more", "no-code"]
axes = plots.intervals(plain, chance=0.1, title="one GRU, one training, four tests")
known = np.mean([plain["random"].accuracy, plain["official"].accuracy])
new = np.mean([plain[name].accuracy for name in plain if "left out" in name])
means = f"the first two have {known:.3f} on average, the two left out {new:.3f}"
plots.show(axes, f"{means}: a gap of {known - new:.3f}")

# %% [markdown] tags=["notes"]
# Ask: which of the four numbers would stand in an advertisement? Which would a caller meet? Nothing is wrong with this GRU, and it was not stopped too early.

# %% [markdown]
# Nothing is wrong with this GRU, and it was not stopped too early to know its speakers. It has learned *these voices* saying digits. Random and official
# do not ask about new ones.
#
# ## How to work on a test that you may not look at
#
# With six speakers, whoever tries ten remedies and keeps the one that is best for the six has fitted the remedy to them, without a single gradient. So
# the recipe below was chosen by other means: on *synthetic* voices that were held out, and on takes 5 to 9 of the real speakers, which belong to the
# official training part. Only then was it run on the six.
#
# It is not pure, and whoever reports such a thing should say so. That trimming, [augmentation](../docs/glossary.md#augmentation) and synthetic voices help was known from earlier prototypes that had been scored on the six. And one look
# changed the recipe: in a first run, over three of the six and the official test, "six" was often heard as "eight". The trimming, then at 30 dB, had cut off the hiss that ends the word. It was moved to
# 39 dB, the synthetic voices agreed, and everything was run anew.
#
# ## Remedy 1: what the microphone and the level say, taken away
#
# The same word by two speakers. What differs at first sight is not the word: the level, the tilt from low bands to high ones, the silence at the ends.

# %% [markdown] tags=["slide", "only-slides"]
# ## A test that you may not look at
# - Ten remedies, keep the best for the six: what went wrong?
# - Recipe chosen on held-out synthetic voices and on takes 5 to 9
# - Only then run on the six
# - And every look is reported

# %% [markdown] tags=["notes"]
# Let them find it: no gradient saw the six, and yet the choice did. Read the lesson's confession aloud: one look changed the recipe, the trimming had cut off the hiss of 'six'.

# %% [markdown] tags=["slide", "only-slides"]
# ## Remedy 1: microphone and level, taken away
# - Silence trimmed: frames 39 dB or more below the loudest go
# - Mean subtracted: each band loses its mean over the clip

# %% tags=["more", "no-code"]
word = clips.label.cat.categories[-1]
of_word = clips[clips.label == word]
pair = [of_word[of_word.group == speaker].iloc[0] for speaker in left_out]
display(*[Audio(clip.waveform, rate=audio.SAMPLE_RATE) for clip in pair])
figure, panels = plt.subplots(2, 2, figsize=(9, 5), layout="constrained")
for clip, (left, right) in zip(pair, panels):
    title = f'"{word}" by {clip.group}'
    plots.log_mel(clip.fine, axes=left, title=f"{title}, as recorded")
    changed = audio.subtract_mean(audio.trim_silence(clip.fine))
    plots.log_mel(changed, axes=right, title=f"{title}, trimmed, mean subtracted")
before = np.ptp([audio.trim_silence(clip.fine).mean() for clip in pair])
after = np.ptp([audio.subtract_mean(clip.fine).mean() for clip in pair])
fact = f"the clips' mean log energies are {before:.1f} apart before"
plots.show(figure, f"{fact}, {after:.1f} after")

# %% [markdown] tags=["notes"]
# Play both. Ask what differs at first sight: level, tilt, silence; nothing of it is the word. A microphone multiplies energy, so it ADDS to the logarithm in every frame alike, and a
# mean takes it out.

# %% [markdown]
# `audio.trim_silence` leaves out frames at both ends that are 39 dB or more below the loudest. `audio.subtract_mean` takes from each band its mean over the clip. In log energy a
# microphone's response and the distance to it are *added* to every frame alike, so the subtraction removes both; speech engineers call it [cepstral mean normalisation](../docs/glossary.md#cepstral-mean-normalisation)
# (Atal 1974) when it is done to cepstra. Three lines say it all.

# %%
frames = pair[0].fine
by_hand = frames - frames.mean(axis=0) + models.TYPICAL_LOG_MEL
np.testing.assert_allclose(by_hand, audio.subtract_mean(frames), atol=1e-5)
brighter = np.linspace(-1, 1, frames.shape[1])  # another microphone
farther = frames - 3.0 + brighter  # and a softer recording
apart = audio.subtract_mean(farther) - audio.subtract_mean(frames)
print(f"largest difference with the mean subtracted: {np.abs(apart).max():.1e}")

# %% [markdown]
# ## Remedy 2: more voices out of the voices there are
#
# A waveform that is played faster is shorter and higher, and sounds like a smaller person; played slower, like a larger one (Ko et al. 2015). Noise makes
# the model look at what stands out. **Predict, then listen:** up to which speed is it still a person?

# %% [markdown] tags=["slide", "only-slides"]
# ## Remedy 2: more voices out of few
# - Guess, then listen: up to which speed is it a person?

# %% tags=["more", "no-code"]
clip = pair[1]
random = np.random.default_rng(0)
noise, heard = random.normal(size=len(clip.waveform)), {}
for factor in (1.0, 0.85, 1.18, 1.6):
    heard[f"speed {factor}"] = augmentation.speed(clip.waveform, factor)
heard["noise, 10 dB below"] = augmentation.add_noise(clip.waveform, noise, decibels=10)
for name, waveform in heard.items():
    print(f"{name}: {len(waveform) / audio.SAMPLE_RATE:.2f} s")
    display(Audio(waveform, rate=audio.SAMPLE_RATE))

# %% [markdown] tags=["notes"]
# Play in the order given; hands up while it is still a person. Pitch, resonances and pace move together.

# %% [markdown]
# Speed moves pitch, resonances and pace together. The *resonances* alone depend on the length of the [vocal tract](../docs/glossary.md#vocal-tract), from the larynx to the lips: about 17 cm in
# a tall man, 14 cm in many women, less in children. A shorter tract moves them all up by one factor. On log-mel frames this is a stretch
# of the frequency axis (Jaitly & Hinton 2013), and it costs so little that every clip gets another factor in every epoch.
#
# The other two pictures: noise, added as energy; and *SpecAugment* (Park et al. 2019), which hides a few bands and a few frames behind the clip's mean.

# %% [markdown] tags=["slide", "only-slides"]
# ## Change what must not matter
# - Would YOU still know the word? Then it is augmentation.
# - Guess: the recipe's accuracy for the two left out?

# %% tags=["more", "no-code"]
frames = audio.trim_silence(clip.fine)
mask_bands = partial(augmentation.mask_bands, widest=8)
mask_frames = partial(augmentation.mask_frames, widest=10)
masks = augmentation.chain(mask_bands, mask_frames)
hidden = masks(frames, np.random.default_rng(4))
versions = {
    "as recorded": frames,
    "resonances 16 % higher": augmentation.shorten_tract(frames, 1.16),
    "noise, 10 dB below": augmentation.hiss(frames, random, decibels=(10, 10), share=1),
    "bands and frames hidden": hidden,
}
figure, panels = plt.subplots(2, 2, figsize=(9, 5), layout="constrained")
for axes, (name, changed) in zip(panels.flat, versions.items()):
    plots.log_mel(changed, axes=axes, title=f'"{clip.label}": {name}')
share = (hidden != frames).mean()
fact = f"{share:.0%} of the picture is hidden in the last one"
plots.show(figure, f"{fact}; in the second all is higher up")

# %% [markdown] tags=["notes"]
# Ask for changes that break the rule: a reversed clip, a speed of 3. Remedy 3 is the embedded set: 26 synthetic voices more. Then a written guess for george and for yweweler; the
# plain numbers stand as marks on the slide 'It has learned these voices saying digits'.

# %% [markdown]
# All are changes after which YOU would still know the word. That is the whole rule of *augmentation*: change what must not matter.
# A reversed clip breaks it, and so does a speed of 3.
#
# ## Remedy 3: voices made by machines
#
# Speech engines speak with voices that nobody has to record. The embedded set holds 26 of them, by several engines, in several accents. They are
# no substitute for people (trained on them alone, a model does less well), yet each is one voice more. (If you work without the real recordings, six of the 26 are
# your speakers already, and the other 20 are added.)

# %%
embedded = data.load("spoken-digits")
extra = embedded[~embedded.group.isin(clips.group)].copy()
extra["waveform"] = [audio.read(path) for path in extra.path]
voices = f"{len(extra):,} clips of {extra.group.nunique()} voices"
print(f"{voices} to add to {clips.group.nunique()} speakers")

# %% [markdown]
# ## The recipe
#
# One after another: the vocal tract, noise, the mean of each band, masks. `changed` is called for each clip whenever it goes into a batch.
# The speeds are made once, as more clips.


# %%
def subtract_mean(frames, random):
    """`audio.subtract_mean` in the form of a change: it draws nothing."""
    return audio.subtract_mean(frames)


tract = partial(augmentation.warp, furthest=1.16)
hiss = partial(augmentation.hiss, decibels=(0, 30))
changed = augmentation.chain(tract, hiss, subtract_mean, masks)
print([list(frames.shape), list(changed(frames, random).shape)])

# %%
SPEEDS = (0.87, 1.0, 1.15)
pool = pd.concat([clips, extra], ignore_index=True).astype({"label": clips.label.dtype})
for factor in SPEEDS:
    faster = [augmentation.speed(waveform, factor) for waveform in pool.waveform]
    frames_of_all = audio.log_mels(faster)
    pool[f"speed {factor}"] = [audio.trim_silence(each) for each in frames_of_all]


def learning_set(train):
    """Batches of clips at several speeds, changed anew in each epoch."""
    frames = []
    for factor in SPEEDS:
        frames += list(train[f"speed {factor}"])
    labels = np.tile(train.label.cat.codes, len(SPEEDS))
    return batches.bucketed(frames, labels, batch_size=48, n_lengths=4, augment=changed)


count = len(learning_set(pool))
print(f"{count} batches of all {len(pool):,} clips, {len(SPEEDS)} speeds each")

# %% [markdown]
# The model is `models.crnn`: a few *convolutions*, small detectors that slide over time and bands alike, then the bidirectional GRU with attention
# of lesson 09. Lesson 14 takes it apart. The benchmark trains it in full: five speeds, and many times over. Here it is the *short form*, so that it
# fits into a lesson: three speeds, each clip once at each, and fewer detectors. The learning rate falls along a cosine to nothing. **Predict, then run.** The plain GRU's two numbers are above. What will the two be now?

# %% [markdown] tags=["slide", "only-slides"]
# ## One voice gains, another may lose
# - Two speakers, one seed each: two anecdotes
# - Guess: which step of the recipe earns most? Does one lose?

# %% tags=["more", "no-code"]
clips["known"] = [audio.subtract_mean(audio.trim_silence(fine)) for fine in clips.fine]
recipe, answers, seconds = {}, {}, {}
for speaker in left_out:
    own = clips[clips.group == speaker].copy()
    own["frames"] = own.known
    keras.utils.set_random_seed(0)
    model = models.crnn(clips.label.nunique(), filters=(16, 32, 64), dropout=0.15)
    learn = learning_set(pool[pool.group != speaker])
    falling = keras.optimizers.schedules.CosineDecay(4e-3, len(learn))
    history = training.fit(model, learn, epochs=1, learning_rate=falling)
    answers[speaker] = evaluation.predict(model, own.frames).argmax(axis=1)
    recipe[speaker] = evaluation.evaluate(model, own)
    seconds[speaker] = history.history["seconds"][-1]
    before = plain[f"{speaker} left out"].accuracy
    print(f"{speaker}: plain {before:.3f}, recipe {recipe[speaker]}")
change = evaluation.check_mask(model, batches.pad(list(clips.known[:8])))
print(f"check_mask {change:.0e}")

# %% [markdown] tags=["notes"]
# Read both lines before you cheer. The short form meets each clip three times, always changed. What the recipe does for all six, in full length, the benchmark says: print the next
# cell in the notebook.

# %% [markdown]
# Two speakers are two anecdotes, with one seed each. Look at both lines before you cheer: on the real recordings, at the time of writing, the voice that the plain GRU knew least gained
# most, and the other one lost. A model that meets each clip three times, always changed, has not learned even its own training voices well. What the recipe does for
# all six, in full length, the benchmark says.
#
# ## All six, from the benchmark
#
# `make bench` trains the recipe in full for each of the six real speakers, and for the official split; that takes longer than a lesson may. The next cell
# prints what it found, with the date, as it stands in `benchmarks/results/voices.md`.

# %%
file = evaluation.RESULTS.parents[1] / "benchmarks" / "results" / "voices.md"
lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
sections = "\n".join(lines).split("## ")  # the circumstances, the recipe, the ladder
shown = "\n\n".join(section.partition("\n")[2].strip() for section in sections[:2])
display(Markdown(shown if lines else "no results yet: `make bench` writes them"))

# %% [markdown]
# Read three things in it: the mean of the six, the worst of the six, and the sentence that says which bar was met (a *bar* is what was asked for before the measurement: at least so much accuracy, at most so many seconds). The official split stands beside them, to show whether
# the recipe pays for new voices with the known ones.
#
# ### Which step earned what?
#
# The ladder: each step does what the one before does, and one thing more. **Predict, then run:** which step gains most, and is there one that loses?

# %% [markdown] tags=["slide", "only-slides"]
# ## Which step earned what?
# - Grey dots: the six speakers, left out in turn

# %% tags=["more", "no-code"]
rows = {}
for line in lines:
    if re.match(r"\| (plain|\+)", line):
        step, *numbers = [cell.strip() for cell in line.strip("|").split("|")]
        rows[step] = numbers[:7]  # of the six speakers, and their mean
ladder = pd.DataFrame(rows, dtype=float).T
if len(ladder):
    axes = plt.subplots(figsize=(9, 3.6), layout="constrained")[1]
    places, mean = np.arange(len(ladder)), ladder[6]
    axes.plot(ladder.loc[:, :5], places, "o", color="grey", markersize=4)
    axes.plot(mean, places, "D-", label="mean of the six (grey: each speaker)")
    axes.set(xlabel="accuracy on the speaker left out", title="step by step")
    axes.set_ylim(len(ladder) - 0.5, -0.5)
    axes.set_yticks(places, ladder.index)
    axes.legend()
    gain = mean.diff()
    fact = f"from {mean.iloc[0]:.3f} to {mean.iloc[-1]:.3f}"
    plots.show(axes, f"{fact}; most by {gain.idxmax()}, {gain.max():+.3f}")

# %% [markdown] tags=["notes"]
# One does. Does that mean that it is useless? A ladder depends on its order, and one seed cannot tell a gain of 0.01 from luck. The whole way from the first rung to the last is the
# finding.

# %% [markdown]
# The ladder's trainings are far shorter than the recipe's, so its last rung is not the table's mean. And a ladder depends on its order: a step that comes early takes gains that a later one could have had. And one seed a step cannot tell a gain of 0.01 from luck.
# The whole way from the first rung to the last is the finding.
#
# ## The listening desk
#
# Numbers say how often a model fails; listening says why. The table adds both speakers who were left out.

# %% [markdown] tags=["slide", "only-slides"]
# ## The listening desk
# - A row is what was said, a column what was answered
# - Which cell would you listen to first?

# %% tags=["more", "no-code"]
unheard = clips[clips.group.isin(left_out)].copy()
unheard["code"] = 0
for speaker, found in answers.items():
    unheard.loc[unheard.group == speaker, "code"] = found
unheard["answer"] = clips.label.cat.categories[unheard.code]
table = evaluation.confusion(unheard.label, unheard.code)
axes = plots.confusion(table, title=f"{' and '.join(left_out)}, left out")
wrong = table.to_numpy() * (1 - np.eye(len(table), dtype=int))
row, column = np.unravel_index(wrong.argmax(), wrong.shape)
said, heard_as = table.index[row], table.index[column]
fact = f"{said} taken for {heard_as} is the commonest mistake"
plots.show(axes, f"{fact}, {wrong.max()} of {wrong.sum()}")

# %% [markdown] tags=["notes"]
# Then listen, in the notebook: listen('6', '8'). Every pair writes an explanation. An explanation that fits three clips is a guess; test it on clips that were understood.


# %%
def listen(said, heard):
    """Hear, see and read up to three clips of one cell of the table."""
    spoken, what = unheard[unheard.label == said], f'"{said}" heard as "{heard}"'
    cell = spoken[spoken.answer == heard]
    print(f"{what}: {len(cell)} of {len(spoken)} clips")
    for clip in cell.groupby("group").head(2).iloc[:3].itertuples():
        display(Audio(clip.waveform, rate=audio.SAMPLE_RATE))
        axes = plots.log_mel(clip.known, title=f"{clip.path.name}: {what}")
        loudest = clip.known.mean(axis=1).argmax()
        kept = f"trimming has kept {len(clip.known)} of {len(clip.fine)} frames"
        fact = f"{clip.group}, {clip.seconds:.2f} s; {kept}"
        plots.show(axes, f"{fact}, the loudest is frame {loudest}")


listen(said, heard_as)

# %% [markdown]
# Do YOU hear the word that was said? Is it cut off, hurried, spoken in an accent, or would you have made the same mistake? The player plays the whole clip; the picture shows what the model was given. If a soft
# hiss at an end is in the one and not in the other, a remedy has done harm. Now clips of that word that were understood, to compare.

# %%
listen(said, said)

# %% [markdown]
# Try other cells of the table: `listen("9", "5")`. An explanation that fits three clips is a guess, to be tested on the others.
#
# The results go into your table. The gap and what is left of it stand side by side there.

# %%
results = evaluation.Results()
entry = {"lesson": "11", "data": clips.source.iloc[0]}
for name, score in plain.items():
    size = models_of[name].count_params()
    results.add(model="gru", split=name, score=score, parameters=size, **entry)
entry |= {"model": "recipe, short", "parameters": model.count_params()}
for speaker, score in recipe.items():
    split = {"split": f"{speaker} left out", "seconds": seconds[speaker]}
    rows = results.add(score=score, **split, **entry)
rows[rows.lesson == "11"][["model", "split", "accuracy", "low", "high"]].round(3)

# %% [markdown] tags=["slide", "only-slides"]
# ## Exercise 1: on which clips may you compare?
# - A: synthetic voices, held out. B: each speaker left out.
# - C: takes 5 to 9, held out of the training part
# - D: the official test
# - E: a seventh speaker, who is not reported

# %% [markdown] tags=["notes"]
# Five minutes, first alone, then in pairs; the pairs that disagree explain. Reported are the six left out and the official test. The answer is in the check, not on this slide.

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** You have three more ideas for the recipe, and want to keep the best. On which clips may you compare them? Set `allowed` to the set of letters of the
# honest answers, if the result to be reported is the accuracy on the six speakers left out and on the official test:
# `"A"` synthetic voices that were held out of the training; `"B"` each speaker left out in turn; `"C"` takes 5 to 9 of the real speakers,
# held out of the official training part; `"D"` the official test; `"E"` a seventh speaker, recorded for this, who is not reported.

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
# **Exercise 2.** Augmentation can be used in the *test*, too: ask the model about a clip at speeds 0.92, 1.0 and 1.09, and take the mean of the three answers. Write
# `vote(model, waveforms)`: for each waveform the mean of the softmax probabilities at the three speeds, `[clips, classes]`. The frames are made
# as for the test clips: `audio.trim_silence`, then `audio.subtract_mean`. (`evaluation.predict` gives logits; `keras.ops.softmax` makes probabilities.) Before you run: does it help?


# %% tags=["solution"]
def vote(model, waveforms):
    """The mean probabilities at three speeds."""
    total = 0
    for factor in (0.92, 1.0, 1.09):
        faster = [augmentation.speed(waveform, factor) for waveform in waveforms]
        frames = [audio.trim_silence(clip) for clip in audio.log_mels(faster)]
        frames = [audio.subtract_mean(clip) for clip in frames]
        logits = evaluation.predict(model, frames)
        total = total + keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    return total / 3


# %% tags=["check"]
own = clips[clips.group == left_out[-1]]
some = own.groupby("label", observed=True).head(10)
found = vote(model, list(some.waveform))
assert found is not None, (
    "vote returns nothing yet: give back the mean probabilities, [clips, classes]"
)
wanted = (len(some), len(own.label.cat.categories))
assert np.shape(found) == wanted, (
    f"expected [clips, classes], {wanted}, found {np.shape(found)}"
)
assert not np.allclose(np.sum(found, axis=1), 3, atol=1e-3), (
    "these are sums of three: divide by three"
)
assert np.allclose(np.sum(found, axis=1), 1, atol=1e-3), (
    "each row should add up to 1: softmax first, then the mean"
)
once = evaluation.predict(model, list(some.known))
alone, truth = keras.ops.convert_to_numpy(keras.ops.softmax(once)), some.label.cat.codes
assert not np.allclose(found, alone, atol=1e-4), (
    "that is one speed alone: ask at all three"
)


def logits_at(factor, waveforms, *, trim=True, subtract=True):
    faster = [augmentation.speed(waveform, factor) for waveform in waveforms]
    frames = audio.log_mels(faster)
    frames = [audio.trim_silence(each) if trim else each for each in frames]
    frames = [audio.subtract_mean(each) if subtract else each for each in frames]
    return evaluation.predict(model, frames).astype(np.float64)


def mean_of(logits):
    powers = np.exp(logits)
    return (powers / powers.sum(axis=-1, keepdims=True)).mean(axis=0)


def at_all(waveforms, **options):
    speeds = (0.92, 1.0, 1.09)
    return np.array([logits_at(factor, waveforms, **options) for factor in speeds])


own_clips = list(some.waveform)
slips = {
    "that is the softmax of the mean logits: take the softmax of each, then the mean": (
        at_all(own_clips).mean(axis=0)[None]
    ),
    "the silence at the ends is still there: the test clips are trimmed": (
        at_all(own_clips, trim=False)
    ),
    "the mean of each band is still there: the test clips have it subtracted": (
        at_all(own_clips, subtract=False)
    ),
}
is_right = np.allclose(found, mean_of(at_all(own_clips)), atol=1e-4)
for slip, logits in slips.items():
    assert is_right or not np.allclose(found, mean_of(logits), atol=1e-4), slip
assert is_right, (
    "other probabilities than the mean of the three: which speeds do you ask at, and "
    "how do you make the frames?"
)
others = list(clips.waveform[clips.group != left_out[-1]][::97])
assert np.allclose(vote(model, others), mean_of(at_all(others)), atol=1e-4), (
    "for other waveforms it is wrong: does your function use only its arguments?"
)
right = np.mean(once.argmax(axis=1) == truth)
by_vote = np.mean(np.argmax(found, axis=1) == truth)
print(f"once {right:.3f}, vote of three speeds {by_vote:.3f}, {len(some)} clips")

# %% [markdown]
# **Exercise 3.** This change is meant to hide four frames, and it spoils the training: the hidden frames get the value that marks padding.


# %%
def hide_broken(frames, random):
    """Hide four frames in a row, wrongly."""
    hidden = frames.copy()
    start = random.integers(max(1, len(frames) - 3))
    hidden[start : start + 4] = batches.PADDING
    return hidden


train_clip = clips.known[batches.lengths(clips.known) > 10].iloc[0]
broken = hide_broken(train_clip, np.random.default_rng(0))
marked = (broken == batches.PADDING).all(axis=1)
first = f"the first of them frame {marked.argmax()}"
print(f"{marked.sum()} of {len(marked)} frames look like padding, {first}")

# %% [markdown]
# Masking would skip these frames: a model never sees that something is missing, and `bucketed` refuses such a clip. Repair it: write `hide(frames, random)`, which hides the same four
# frames behind the mean of the clip as it came, and leaves its argument as it was.


# %% tags=["solution"]
def hide(frames, random):
    """Hide four frames in a row behind the clip's mean."""
    hidden = frames.copy()
    start = random.integers(max(1, len(frames) - 3))
    hidden[start : start + 4] = frames.mean()
    return hidden


# %% tags=["check"]
before, given = train_clip.copy(), train_clip.copy()
found = hide(given, np.random.default_rng(0))
assert found is not None, (
    "hide returns nothing yet: give back a copy in which four frames are hidden"
)
assert np.array_equal(given, before), "the clip itself was changed: work on a copy"
assert np.shape(found) == before.shape, (
    f"expected shape {before.shape}, found {np.shape(found)}: lose no frame"
)
assert not (found == batches.PADDING).any(), "PADDING still marks frames"
assert not (found[marked] == 0).all(), (
    "0 is a loud frame in log energy: the mean of the clip is another number"
)
assert np.allclose(found[~marked], before[~marked]), (
    "only the four hidden frames may differ: draw as before"
)
assert np.allclose(found[marked], before.mean(), atol=1e-3), (
    f"the hidden frames have a mean of {found[marked].mean():.2f}, the clip as it came "
    f"{before.mean():.2f}"
)
for seed, count in enumerate([40, 21, 5, 4, 2]):
    frames = np.random.default_rng(seed).normal(-7, 2, [count, 13]).astype(np.float32)
    random = np.random.default_rng(seed + 50)
    gone = hide_broken(frames, np.random.default_rng(seed + 50)) == batches.PADDING
    expected = np.where(gone, frames.mean(), frames)
    assert np.allclose(hide(frames, random), expected, atol=1e-3), (
        f"wrong for another clip, of {count} frames, and another generator: draw the "
        "place as hide_broken does, from `random`"
    )
learn = batches.bucketed([train_clip] * 8, np.zeros(8, int), augment=hide)
print(f"bucketed takes it: a batch of {next(iter(learn))[0].shape}")

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
# Why does the mean of each band over the clip go?
#
# - A. it holds microphone, distance, part of the voice
# - B. so that all clips are equally long
# - C. to mark the padding with zeros

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
# - one GRU measured by three splits, and how much of its accuracy belongs to known voices;
# - what makes one voice into many, heard and seen: speed, vocal tract, noise and masks;
# - a recipe that was chosen on other voices than those of the test, and what it still gets wrong.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. A recogniser has 0.99 on the official split. What does that promise for a caller who is new?**
#
# <details><summary>A. About 0.99, since the test clips were not in the training.</summary>No: the clips were not, but the voices were. A new caller asks another question.</details>
# <details><summary>B. More than 0.99, once augmentation is added.</summary>No: augmentation can narrow the gap to new voices; it promises no number.</details>
# <details><summary>C. Nothing that can be read off it: leave speakers out to know.</summary>Yes: the same model may do far worse on a new voice, and how far only held-out speakers show.</details>
#
# **2. Why does the mean of each band over the clip go?**
#
# <details><summary>A. It holds microphone, distance and part of the voice, which add a constant to each band.</summary>Yes: a fixed response multiplies the energy, so it adds to its logarithm in every frame alike, and the mean takes it out.</details>
# <details><summary>B. So that all clips are equally long.</summary>No: their lengths stay; only trimming changes them.</details>
# <details><summary>C. To mark the padding with zeros.</summary>No: padding has a value of its own, and is laid on after the mean was taken out.</details>
#
# **3. Ten recipes were run on the six speakers left out, and the best is reported as 0.88. What is wrong?**
#
# <details><summary>A. Nothing: no gradient ever saw the speakers.</summary>No: the choice saw them. The best of ten is partly the luckiest of ten.</details>
# <details><summary>B. The six helped to choose, so 0.88 is too good for a seventh.</summary>Yes: choose on other voices, then run the one recipe once, and report every look.</details>
# <details><summary>C. Six speakers should have been averaged by their numbers of clips.</summary>No: here each has as many, and the mean over speakers is what a new speaker may expect on average.</details>
#
# Next: [12 Speech: keyword spotting](12_keyword_spotting.ipynb). All lessons: [README](../README.md).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
