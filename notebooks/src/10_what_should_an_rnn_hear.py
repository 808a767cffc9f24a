# %% [markdown]
# # 10 · What should an RNN hear?
#
# "RNNs learn features from raw audio": so you read, and if it is true, all the work of lesson 01 was for nothing. Hand the samples to the
# network, and let it find out by itself. This lesson gives one GRU five inputs, from raw samples to the coefficients that
# speech recognisers used for decades, and puts numbers to the claim.
#
# **You will**
# - make five inputs from the same waveforms, and train one GRU on each at the same price;
# - see what a chunk of raw samples becomes when the same sound begins 2 ms later;
# - find out whether more clips and more time bring raw samples nearer to the others.
#
# **Minutes:** 35, of which the computer takes about half of one. **You need:** lessons 01, 02, 04 and 07.

# %% [markdown] tags=["slide", "only-slides"]
# ## A claim to test
# 'RNNs learn features from raw audio.'
#
# - If that is true: what was lesson 01 for?
# - One GRU, five inputs, one price

# %% [markdown] tags=["notes"]
# Ask who has read that sentence, and where. Ask what it would predict: raw samples as good as log-mels. Then it can be tested.

# %% tags=["setup"]
import setup_course

# %%
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import scipy
import tensorflow as tf

from course_lib import audio, batches, data, evaluation, models, plots, training

# %% [markdown]
# ## The clips
#
# The official split. A ninth of the training part, taken evenly from every digit of every voice, is for *validation*: all that is looked at before
# the end of the lesson is looked at there. Of the rest, the clips that make 32 steps of 20 ms or fewer are the *pool*. `train` is a
# smaller part of the pool, so that fifteen trainings take a quarter of a minute; the cell prints how small.
#
# The voices were recorded at different levels (lesson 02). That is not the question here, and raw samples would suffer from it most. So every
# clip is first brought to the same level.

# %%
STEP = 2 * audio.FRAME_STEP  # samples: 20 ms
BATCH = 50  # clips


def in_whole_batches(part):
    """As many clips as fill whole batches, so that steps can be compared."""
    return part[: len(part) // BATCH * BATCH]


def same_level(waveform):
    """The waveform with a root mean square of 0.1."""
    return 0.1 * waveform / (np.sqrt(np.mean(waveform**2)) + 1e-9)


loud, faint = np.array([0.9, -0.9]), np.array([0.01, -0.01])
print(f"loud or faint: {same_level(loud)} and {same_level(faint)}")

# %%
clips = data.load("digits")
clips["waveform"] = [same_level(audio.read(path)) for path in clips.path]
test = clips[clips.split == "test"]
rest = clips[clips.split == "train"].sample(frac=1, random_state=0)  # in random order
piles = rest.groupby(["label", "group"], observed=True)  # one digit by one voice
place = piles.cumcount() / piles["label"].transform("size")  # in its pile: from 0 to 1
rest = rest.assign(place=place, short=batches.lengths(rest.waveform) < 33 * STEP)
validation = rest[rest.place < 0.1]
pool = rest[(rest.place >= 0.1) & rest.short]
train = in_whole_batches(pool[pool.place < 0.28])
pool = in_whole_batches(pool)
share = f"{len(train) / len(pool):.0%} of a pool of {len(pool):,}"
print(f"to learn from: {len(train)}, {share}", end="; ")
print(f"{len(validation)} to validate, {len(test)} to test")

# %% [markdown]
# ## Five inputs
#
# Each is a table `[frames, numbers]`, a row each 20 ms, as a GRU wants it. They form a ladder: each rung does a little more of the work that the network
# would have to do by itself.
#
# 1. **raw:** the samples, cut into chunks of 160. Nothing is done, and nothing is lost but the rest of a chunk at the end.
# 2. **spectrogram:** the *magnitude* of each of 129 frequencies in a faded stretch of 25 ms. The phases are thrown away.
# 3. **log spectrogram:** the logarithm of its square.
# 4. **log-mel:** forty mel bands, then the logarithm: what this course has used so far.
# 5. **[MFCC](../docs/glossary.md#mfcc):** see below.

# %% [markdown] tags=["slide", "only-slides"]
# ## A ladder of five inputs, a row each 20 ms
# - Raw: chunks of 160 samples
# - Spectrogram: 129 magnitudes; the phases are gone
# - Log spectrogram: the logarithm of their square
# - Log-mel: 40 bands, then the logarithm
# - MFCC: 13 slow waves along the bands, and their slopes

# %% [markdown] tags=["notes"]
# Draw it as a ladder on the board with the numbers a frame: 160, 129, 129, 40, 39. Each rung does a little of the network's work. Ask at each rung what is lost for good. At the
# first: nothing.


# %%
def raw(waveform):
    """Chunks of STEP samples, end to end."""
    return waveform[: len(waveform) // STEP * STEP].reshape(-1, STEP)


def spectrogram(waveform):
    """The magnitude of each frequency bin."""
    every = np.lib.stride_tricks.sliding_window_view(waveform, audio.FRAME_LENGTH)
    stretches = every[::STEP]  # one each 20 ms
    return np.abs(np.fft.rfft(stretches * audio.window(), audio.FFT_LENGTH))


one = train.iloc[0]
print(f'"{one.label}", {len(one.waveform):,} samples', end=": ")
print(f"raw {list(raw(one.waveform).shape)}", end=", ")
print(f"spectrogram {list(spectrogram(one.waveform).shape)}")


# %%
def log_spectrogram(waveform):
    """The natural logarithm of each bin's power."""
    return np.log(spectrogram(waveform) ** 2 + audio.LOG_OFFSET)


def log_mel(waveform):
    """The course's log-mel frames, every second one."""
    return audio.log_mel(waveform)[::2]


energy = spectrogram(one.waveform) ** 2 @ audio.mel_filters()
by_hand = np.log(energy + audio.LOG_OFFSET)
np.testing.assert_allclose(by_hand, log_mel(one.waveform), atol=1e-3)
apart = np.abs(by_hand - log_mel(one.waveform)).max()
print(f"by hand and by the helper: apart by {apart:.0e} at most")

# %% [markdown]
# ### MFCC, by hand
#
# *Mel-frequency cepstral coefficients* (Davis & Mermelstein 1980) describe the forty log-mel values of a frame by a few slow waves along the
# frequency axis. The first wave is flat: it measures how loud the frame is. The second falls from low to high frequencies: it tells a hum from a hiss. Later ones
# have ever more ripples. The first 13 keep the coarse shape, which the mouth makes, and drop the fine one. Each coefficient is the sum
# of the frame times one wave: a matrix product. (The whole set of waves is the *discrete cosine transform*, DCT.)

# %%
bands, waves = np.arange(audio.N_MELS), np.arange(13)
turns = np.outer(2 * bands + 1, waves) / (2 * audio.N_MELS)  # half turns
cosines = np.sqrt(2 / audio.N_MELS) * np.cos(np.pi * turns)
cepstrum = log_mel(one.waveform) @ cosines
of_tensorflow = tf.signal.mfccs_from_log_mel_spectrograms(log_mel(one.waveform))[:, :13]
np.testing.assert_allclose(cepstrum, of_tensorflow, atol=1e-3)
of_scipy = scipy.fft.dct(log_mel(one.waveform), norm="ortho")[:, :13]
np.testing.assert_allclose(cepstrum[:, 1:], of_scipy[:, 1:], atol=1e-3)
axes = plt.subplots(figsize=(9, 2.4), layout="constrained")[1]
for wave, style in zip([0, 1, 2, 12], ["-", "--", "-.", ":"]):
    axes.plot(bands, cosines[:, wave], style, label=f"wave {wave}")
axes.set(xlabel="mel band", ylabel="weight", title="four of the thirteen waves")
axes.legend()
ups = (np.diff(np.sign(cosines[:, 12])) != 0).sum()
fact = "wave 0 is flat, wave 1 changes its sign once"
plots.show(axes, f"{fact}, wave 12 changes it {ups} times")

# %% [markdown]
# It equals TensorFlow's; SciPy's differs in the scale of the first column alone, a convention.
#
# One frame says nothing about movement. So each coefficient gets its [*delta*](../docs/glossary.md#delta): the slope of the straight line that fits five neighbouring frames best
# (Furui 1986). With `x` from -2 to 2, that slope is the sum of `x · value` over the sum of `x²`, which is 10. The delta of the delta comes on
# top: 3 × 13 = 39 numbers. At the ends the first and the last frame are repeated.


# %%
def delta(frames):
    """The slope of each column over five frames."""
    padded = np.pad(frames, [(2, 2), (0, 0)], mode="edge")
    return (2 * (padded[4:] - padded[:-4]) + (padded[3:-1] - padded[1:-3])) / 10


def mfcc(waveform):
    """Thirteen coefficients, their deltas, and the deltas of these."""
    coefficients = log_mel(waveform) @ cosines
    slopes = delta(coefficients)
    return np.concatenate([coefficients, slopes, delta(slopes)], axis=1)


line = {"window_length": 5, "polyorder": 1, "deriv": 1, "axis": 0, "mode": "nearest"}
fitted = scipy.signal.savgol_filter(cepstrum, **line)
np.testing.assert_allclose(delta(cepstrum), fitted, atol=1e-4)
apart = np.abs(delta(cepstrum) - fitted).max()
print(f"apart from SciPy's fit by {apart:.0e}; MFCC", mfcc(one.waveform).shape)

# %% [markdown]
# ### One scale for all
#
# Raw samples lie near 0, log-mels near -5. A network that gets larger numbers starts with larger steps, and that would decide the contest. So each column is [*standardised*](../docs/glossary.md#standardised):
# minus its mean, divided by its standard deviation, both measured on `train` alone. Our models begin with a fixed `Rescaling`
# made for log-mels; `standardised` ends with its inverse, so that what reaches the GRU has mean 0 and standard deviation 1 whatever the input.

# %%
INPUTS = {"raw": raw, "spectrogram": spectrogram, "log spectrogram": log_spectrogram}
INPUTS |= {"log-mel": log_mel, "MFCC": mfcc}
scales = {}
for name, function in INPUTS.items():
    every = np.concatenate([function(waveform) for waveform in train.waveform])
    scales[name] = every.mean(axis=0), every.std(axis=0)
print({name: len(mean) for name, (mean, _) in scales.items()}, "numbers a frame")


# %%
def standardised(name, waveforms):
    """An input for many waveforms, on the scale that the course's models expect."""
    mean, spread = scales[name]
    scaled = []
    for waveform in waveforms:
        values = (INPUTS[name](waveform) - mean) / spread
        values = values * models.SPREAD_LOG_MEL + models.TYPICAL_LOG_MEL
        scaled.append(values.astype(np.float32))
    return scaled


def as_heard(name, waveforms):
    """The same after the model's Rescaling: what the GRU gets."""
    typical, spread = models.TYPICAL_LOG_MEL, models.SPREAD_LOG_MEL
    return [(values - typical) / spread for values in standardised(name, waveforms)]


print("MFCC:", list(as_heard("MFCC", [one.waveform])[0].shape))

# %%
every = np.concatenate(as_heard("log-mel", train.waveform))
print(f"log-mel, as the GRU gets it: mean {every.mean():.3f}", end=", ")
print(f"standard deviation {every.std():.3f}")
for name, (mean, spread) in scales.items():
    print(f"{name:>15} was: means {mean.min():.3g} to {mean.max():.3g}", end=", ")
    print(f"deviations {spread.min():.3g} to {spread.max():.3g}")

# %% [markdown]
# One clip, five times, as the GRU gets it. In which of these can YOU see where the vowel begins and ends?

# %% [markdown] tags=["slide", "only-slides"]
# ## Where does the vowel begin and end?
# - One clip, five times, as the GRU gets it

# %% tags=["more", "no-code"]
figure, panels = plt.subplots(1, 5, figsize=(11, 3.2), layout="constrained")
steadier = {}
for axes, name in zip(panels, INPUTS):
    frames = as_heard(name, [one.waveform])[0]
    extent = (0, 0.02 * len(frames), 0, frames.shape[1])
    image = axes.imshow(frames.T, extent=extent, vmin=-2.5, vmax=2.5, **plots.PICTURE)
    axes.set(title=name, xlabel="time (s)", ylabel="place in the frame")
    neighbours = zip(frames, frames[1:])
    steadier[name] = np.mean([np.corrcoef(a, b)[0, 1] for a, b in neighbours])
figure.colorbar(image, ax=axes, label="standard deviations")
correlated = ", ".join(f"{name} {value:.2f}" for name, value in steadier.items())
plots.show(figure, f"the mean correlation of a frame with the next one is {correlated}")

# %% [markdown] tags=["notes"]
# Somebody comes to the front and points, in each of the five. In four it can be done. Ask: is there less information in the first? No: it is what the others were made from.

# %% [markdown]
# In the last four, neighbouring frames look alike while a sound lasts, and change with it. The raw chunks of one vowel have little in common, to the
# eye and in the numbers. Why?
#
# ## What a chunk of samples looks like 2 ms later
#
# Where a chunk begins is an accident: it depends on when the recording was started. Take the loudest chunk of the clip, and the chunk of the same vowel that
# begins 2 ms later. To the ear they are one sound. **Predict, then run:** how far do the two columns of numbers differ, raw and as log-mel?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: the same vowel, 2 ms later
# - The loudest chunk of the clip, and one that begins later
# - To the ear they are one sound
# - How much do the columns differ: raw? As log-mel?

# %% [markdown] tags=["notes"]
# Let them draw the dashed line over a wavy line on paper. Two correlations, in writing.

# %% [markdown] tags=["slide", "only-slides"]
# ## A stranger, and the same
# - Left: every number has changed. Right: nearly none.

# %% tags=["more", "no-code"]
late = int(0.002 * audio.SAMPLE_RATE)  # samples: 16
loudest = int((raw(one.waveform[:-STEP]) ** 2).mean(axis=1).argmax())
versions = [("as cut", one.waveform), ("2 ms later", one.waveform[late:])]
figure, panels = plt.subplots(1, 2, figsize=(10, 3), layout="constrained")
alike = {}
for axes, name, unit in zip(panels, ["raw", "log-mel"], ["sample", "mel band"]):
    pair = [as_heard(name, [waveform])[0][loudest] for _, waveform in versions]
    for (label, _), values, style in zip(versions, pair, ["-", "--"]):
        axes.plot(values, style, label=label)
    alike[name] = np.corrcoef(*pair)[0, 1]
    axes.set(
        title=f"{name}: one frame of a vowel", xlabel=unit, ylabel="standard deviations"
    )
    axes.legend()
told = " and ".join(f"{value:.2f} for {name}" for name, value in alike.items())
plots.show(figure, f"the two lines have a correlation of {told}")

# %% [markdown] tags=["notes"]
# The word is phase: where in its swing a wave is when the chunk begins. Exercise 1 does it with a pure tone: at 500 Hz the chunk is its own negative after 8 samples.

# %% [markdown]
# On the left every number has changed; on the right, nearly none. A wave is somewhere in its swing when the chunk begins (its *phase*), and each of
# the 160 numbers depends on that. The magnitude of a frequency hardly does, while the sound lasts.
#
# One frame is an anecdote. Measure it for many clips and several delays. The distance between the two versions of a frame is divided by the
# distance between two frames drawn by lot (for standardised numbers that is the square root of 2): so 0 means "the same", and 1
# means "no more alike than two frames that have nothing to do with each other".


# %%
def drift(name, delay, waveforms):
    """How far frames move when clips begin so many samples later: 0 same, 1 unlike."""
    later = [waveform[delay:] for waveform in waveforms]
    squares = []
    for a, b in zip(as_heard(name, waveforms), as_heard(name, later)):
        squares.append(np.mean((a[: len(b)] - b[: len(a)]) ** 2, axis=1))
    return np.sqrt(np.mean(np.concatenate(squares)) / 2)


DELAYS = [0, 1, 2, 4, 8, 16, 32, 64]  # samples
MILLISECONDS = 1_000 * np.array(DELAYS) / audio.SAMPLE_RATE
some = list(train.waveform[:40])
drifts = {name: [drift(name, delay, some) for delay in DELAYS] for name in INPUTS}
pd.DataFrame(drifts, index=[f"{wait:.3g} ms" for wait in MILLISECONDS]).T.round(2)

# %% [markdown] tags=["slide", "only-slides"]
# ## How far a frame moves
# - 0: the same. 1: as unlike as two frames by lot.

# %% tags=["more", "no-code"]
axes = plt.subplots(figsize=(9, 3.4), layout="constrained")[1]
widths = [1, 5, 3, 2, 1]  # two lines lie on each other
for (name, values), marker, width in zip(drifts.items(), "os^Dv", widths):
    look = {"markersize": 4, "linewidth": width, "label": name}
    axes.plot(MILLISECONDS, values, f"{marker}-", **look)
axes.axhline(1, linestyle=":", color="grey", label="two frames by lot")
axes.set(xlabel="the clip begins later by (ms)", ylabel="drift")
axes.set_title("how far a frame moves")
axes.legend(ncols=2)
at = {name: values[DELAYS.index(late)] for name, values in drifts.items()}
fact = f"after 2 ms the drift is {at['raw']:.2f} for raw, {at['spectrogram']:.2f} for"
plots.show(axes, f"{fact} the spectrogram and {at['log-mel']:.2f} for log-mel")

# %% [markdown] tags=["notes"]
# One frame is an anecdote; this is forty clips and seven delays. Ask what it means to be ABOVE 1: it comes half a swing late and is more nearly its own negative.

# %% [markdown]
# Raw chunks are strangers after a fraction of a millisecond. To a network that reads raw chunks, the same vowel is a new input each time; it has to
# *learn* that all these are one sound, from examples of each. The spectrogram has this
# knowledge built in: the others move slowly, as the mouth does. Above 1 the raw chunk is further away than a stranger: it has come half a swing late, and is more
# nearly its own negative. The mel bands move least, probably because each is a sum over several bins, whose wobbles cancel. MFCC moves more: standardising magnifies
# its small coefficients and its deltas.
#
# ## The contest
#
# The rules, before any result:
# - one architecture, a GRU with 48 units; the same clips, batches, learning rate and number of epochs; three seeds each;
# - the same *price*: the table has the seconds of training beside the epochs. Each input makes as many steps in time, so that the epochs should cost about
#   the same; whether they do, the column says. (The tracing, once for each input, is left out. The clock
#   counts whatever else the machine does, so read its order of size.)
# - the setting was tried on validation clips beforehand, for raw and for log-mel: half and twice the learning rate (one seed each) served neither better by
#   more than seeds differ;
# - as always, an order-blind baseline: the average of lesson 02 on the log-mels.
#
# **Predict, then run.** Order the five by accuracy. Where on the ladder is the largest step?

# %%
SETTING = {"epochs": 8, "learning_rate": 8e-3}
SEEDS = range(3)
held_out = pd.concat([validation, test])
truth = held_out.label.cat.codes.to_numpy()
on_test = (held_out.split == "test").to_numpy()
print(SETTING, "seeds", list(SEEDS))


# %%
def build(name):
    """A new GRU for an input, and its mask checked on real clips."""
    keras.utils.set_random_seed(0)
    frames = standardised(name, train.waveform[:8])
    model = models.gru(clips.label.nunique(), units=48, n_mels=frames[0].shape[1])
    change = evaluation.check_mask(model, batches.pad(frames))
    size = f"{model.count_params():>6,} parameters"
    print(f"{name:>15}: {size}, padding changes a logit by {change:.0e} at most")
    return model


networks = {name: build(name) for name in INPUTS}


# %%
def train_on(name, part, seeds, *, epochs=SETTING["epochs"]):
    """Train an input's network: which held-out clips are right, histories, by seed."""
    frames = standardised(name, part.waveform)
    batched = batches.bucketed(frames, part.label, batch_size=BATCH, n_lengths=1)
    heard, correct, histories = standardised(name, held_out.waveform), [], []
    setting = {"epochs": epochs, "learning_rate": SETTING["learning_rate"]}
    runs = training.fit_seeds(networks[name], batched, seeds=seeds, **setting)
    for _, model, history in runs:
        correct.append(evaluation.predict(model, heard).argmax(axis=1) == truth)
        histories.append(pd.DataFrame(history.history))
    return np.array(correct), histories


# %% [markdown] tags=["slide", "only-slides"]
# ## The contest
# - GRU with 48 units; same clips, epochs, rate; three seeds
# - Baseline: the order-blind average of log-mels
# - Guess: order the five by accuracy
# - Where on the ladder is the largest step?

# %% [markdown] tags=["notes"]
# Whoever has seen the drift puts raw last. The size of the step is the question: collect guesses for raw. Then run, and draw the ladder while fifteen trainings run.

# %%
right, curves = {}, {}
for name in INPUTS:
    right[name], curves[name] = train_on(name, train, SEEDS)
    shares = right[name][:, ~on_test].mean(axis=1)
    print(f"{name:>15}: validation", *[f"{share:.3f}" for share in shares])

# %%
keras.utils.set_random_seed(0)
average = models.average(clips.label.nunique())
frames = standardised("log-mel", train.waveform)
change = evaluation.check_mask(average, batches.pad(frames[:8]))
print(f"average: check_mask {change:.0e}")
in_batches = batches.bucketed(frames, train.label, n_lengths=1)
training.fit(average, in_batches, epochs=20, learning_rate=0.03)
logits = evaluation.predict(average, standardised("log-mel", held_out.waveform))
answers = logits.argmax(axis=1)
right["average"] = (answers == truth)[None]
blind = right["average"][:, ~on_test].mean()
print(f"the order-blind average of the log-mels: validation {blind:.3f}")

# %% [markdown]
# In the table, *own clips* is the accuracy on the clips that it learned from, during the last epoch; *making* is the seconds that it takes to compute
# the input for all training clips, once.

# %% tags=["timing"]
rows = {}
for name in INPUTS:
    begin = time.process_time()
    standardised(name, train.waveform)
    making = time.process_time() - begin
    shares, epochs = right[name][:, ~on_test].mean(axis=1), SETTING["epochs"]
    an_epoch = np.median([curve.seconds[1:] for curve in curves[name]])
    rows[name] = {
        "validation": shares.mean(),
        "least": shares.min(),
        "largest": shares.max(),
        "own clips": np.mean([curve.accuracy.iloc[-1] for curve in curves[name]]),
        "epochs": epochs,
        "seconds": epochs * an_epoch,
        "making": making,
        "parameters": networks[name].count_params(),
    }
table = pd.DataFrame(rows).T.astype({"epochs": int, "parameters": int})
decimals = {"validation": 3, "least": 3, "largest": 3, "own clips": 3}
table.round(decimals | {"seconds": 1, "making": 2})

# %% [markdown] tags=["slide", "only-slides"]
# ## The step that counts is the first
# - Dashed: one Dense layer on average log-mels, without order
# - Guess: what helps raw more, five times the epochs or clips?

# %% tags=["more", "no-code"]
axes = plt.subplots(figsize=(9, 3), layout="constrained")[1]
places = np.arange(len(table))
spread = [table.validation - table.least, table.largest - table.validation]
label = "GRU, mean and range of three seeds"
axes.errorbar(table.validation, places, xerr=spread, fmt="o", capsize=4, label=label)
label = "order-blind average of log-mels"
axes.axvline(blind, linestyle="--", color=plots.LINES[1], label=label)
axes.axvline(0.1, linestyle=":", color="grey", label="chance")
axes.set_yticks(places, table.index)
axes.set(xlabel="validation accuracy", ylabel="input", title="one GRU, five inputs")
axes.set(xlim=(0, 1.02), ylim=(4.5, -0.5))
axes.legend(loc="lower left", fontsize=8)
means, steps = table.validation, table.validation.diff()
fact = f"the largest step is to {steps.idxmax()}, {steps.max():+.3f}"
plots.show(axes, f"{fact}; raw has {means['raw']:.3f}, log-mel {means['log-mel']:.3f}")

# %% [markdown] tags=["notes"]
# Do not let anybody order the last four: seeds and 300 clips move a number by two or three hundredths. Validation and test put MFCC and log-mel in another order.

# %% [markdown]
# Read three things from the table.
#
# **The step that counts.** It is the first, from raw samples to magnitudes: where samples become frequencies and their phases go. The steps after it are small: seeds and
# 300 clips move a number by two or three hundredths, so do not put the last four in an order. The logarithm and the mel bands, and MFCC after them, are refinements; with this
# network and these clips none of them makes or breaks it. (In lesson 01 energies without a
# logarithm showed the eye one bright spot in the dark. Standardised column by column, the magnitudes serve a GRU well.)
#
# **Raw did learn.** Look at the column *own clips*. The raw network knows a great part of its own clips by heart, and that does not carry over to new ones. It
# did not run out of parameters, of which it has more than the log-mel network; what it found in so few clips is mostly not the features of the words. On the
# real recordings the order-blind average, one `Dense` layer on log-mels, is far ahead of it.
#
# **The price.** Compare *making* with *seconds*: computing the input, once, costs little beside the training, so that leaving it out saves little.
#
# ## Would more clips help, or more time?
#
# That is the fair objection: `train` is a small part of the pool. First give raw five times the epochs on the same clips. Then give raw and log-mel the whole pool for as
# many epochs as before, so that there are more clips and more steps, too. One seed each. **Predict, then run:** which helps raw more? Does it reach what log-mel has from `train`?

# %% [markdown] tags=["slide", "only-slides"]
# ## Raw learned its own clips
# - Read 'own clips' beside 'validation'
# - Rows 2 and 3 made as many steps

# %% tags=["more", "no-code", "timing"]
PARTS = {"train": train, "the pool": pool}
rows = []
for name in ["raw", "log-mel"]:
    found = table.loc[name, ["validation", "own clips", "seconds"]]
    rows.append([name, "train", len(train), SETTING["epochs"], *found])
further = [("raw", "train", 40), ("raw", "the pool", 8), ("log-mel", "the pool", 8)]
for name, part, epochs in further:
    correct, histories = train_on(name, PARTS[part], [0], epochs=epochs)
    validated, own = correct[:, ~on_test].mean(), histories[0].accuracy.iloc[-1]
    seconds = epochs * histories[0].seconds[1:].median()
    rows.append([name, part, len(PARTS[part]), epochs, validated, own, seconds])
    right[f"{name}, {part}, {epochs} epochs"] = correct
columns = ["input", "learns from", "clips", "epochs", "validation", "own clips"]
more = pd.DataFrame(rows, columns=[*columns, "seconds"])
more.round({"validation": 3, "own clips": 3, "seconds": 1})

# %% [markdown] tags=["notes"]
# Known by heart: row 2. Does raw with all clips reach what log-mel has from the few? Compare rows 3 and 1. It has more parameters than the log-mel network, so it is not short of
# them.

# %% [markdown] tags=["slide", "only-slides"]
# ## More clips, and more time
# - Triangle: forty epochs on the same few clips

# %% tags=["more", "no-code"]
axes = plt.subplots(figsize=(7, 3.2), layout="constrained")[1]
for (name, part), style in zip(more[more.epochs == 8].groupby("input"), ["s-", "o--"]):
    axes.plot(part.clips, part.validation, style, label=f"{name}, 8 epochs")
longer = more[more.epochs == 40].iloc[0]
axes.plot(longer.clips, longer.validation, "^", label="raw, 40 epochs")
axes.set(xlabel="training clips", ylabel="validation accuracy", ylim=(0, 1.02))
axes.set_title("more clips, and more time")
axes.legend()
few = table.validation["log-mel"]
many = more.validation[(more.input == "raw") & (more.clips == len(pool))].iloc[0]
fact = f"raw has {longer.validation:.3f} after 40 epochs on {len(train)} clips"
fact = f"{fact}, {many:.3f} with {len(pool):,} clips"
plots.show(axes, f"{fact}; log-mel has {few:.3f} with {len(train)}")

# %% [markdown] tags=["notes"]
# The triangle and the right end of the raw line made the same number of steps. Where would the lines meet? Nobody knows from this picture. Published: more than 2,000 hours, with a
# convolution over samples (Sainath et al. 2015); this pool has 16 minutes.

# %% [markdown]
# Compare the triangle with the raw line: the same number of steps, spent once on the same few clips and once on five times as many. Its *own clips* say the rest. And compare the last point of
# the raw line with the FIRST of the log-mel line: the one had five times the clips.
#
# Nobody knows from this picture where the raw line would meet the other. Published experience: with more than 2,000
# *hours* of speech, and with a convolution over the samples in front of the LSTM, raw input matched log-mels (Sainath et al. 2015). The pool has minutes:

# %%
minutes = pool.seconds.sum() / 60
times = f"{2_000 * 60 / minutes:,.0f} times as much"
print(f"the pool holds {minutes:.0f} minutes; 2,000 hours are {times}")

# %% [markdown]
# ## The test, once
#
# Everything above was looked at on validation clips. Now the test clips, for all networks at once. Nothing is chosen after this.

# %%
results, lines = evaluation.Results(), {}
entry = {"lesson": "10", "data": clips.source.iloc[0], "split": "official"}
for name, answers in right.items():
    model = networks.get(name.partition(",")[0], average)
    scores = [evaluation.score(each) for each in answers[:, on_test]]
    each = [score.accuracy for score in scores]
    lines[name] = {
        "test": np.mean(each),
        "least": min(each),
        "largest": max(each),
        "seeds": len(each),
        "low": np.mean([score.low for score in scores]),
        "high": np.mean([score.high for score in scores]),
    }
    called = name if model is average else f"gru, {name}"
    results.add(model=called, score=scores, parameters=model.count_params(), **entry)
ends = "low and high are the ends of the 95 % interval, averaged over the seeds"
print(f"{on_test.sum()} test clips; {ends}")
pd.DataFrame(lines).T.astype({"seeds": int}).round(3)

# %% [markdown]
# The verdict on "learns features from raw audio": **too strong for small data.** A GRU that reads raw chunks does learn something, as its distance from
# chance shows. But with the same clips and as many epochs, the network that was given magnitudes is right far more often, and the whole pool does not make up for
# that. What is in a frame, thirty lines of NumPy know better, for next to no price. Look at the line *average*, too: it hears no order and is about as good as the GRUs on these few clips, so what
# counted here is what stands in a frame. And where validation and test put two inputs into another order, you see what such an order is worth.
#
# Three limits of this experiment. It tries one way to read samples, a GRU on chunks of 20 ms; a convolution over samples, with a pooling that forgets the phase, is
# another network and another experiment. It has ten words. And the test is the official split: on the real recordings its voices are in training, too ([lesson 02](02_a_baseline_and_an_honest_split.ipynb)).
#
# For the rest of the course: log-mel. It is at or near the top of the table, it is small, and it is the one that most others use, so that you can compare.
#
# ## Exercises
#
# **Exercise 1.** A tone of 500 Hz at 8,000 samples a second. After how many samples of delay is a chunk of it the exact *negative* of what it was? After how many
# is it the same again? Set `negative` and `same` to the smallest such numbers above 0. Think first; `tone(delay)` gives a chunk to try.


# %%
def tone(delay):
    """A chunk of a tone of 500 Hz that begins so many samples later."""
    return np.sin(2 * np.pi * 500 * (np.arange(STEP) + delay) / audio.SAMPLE_RATE)


print(tone(0)[:5].round(2), tone(3)[:5].round(2))

# %% tags=["solution"]
period = audio.SAMPLE_RATE // 500  # samples in one swing
negative, same = period // 2, period

# %% tags=["check"]
assert isinstance(negative, (int, np.integer)), (
    "`negative` should be a whole number of samples, such as 3"
)
assert isinstance(same, (int, np.integer)), (
    "`same` should be a whole number of samples, such as 3"
)
assert same > 0 and negative > 0, (
    "a delay of 0 is no delay: look for the smallest above 0"
)
late = np.arange(STEP) + np.arange(2_000)[:, None]  # a row for each delay
chunks = np.sin(2 * np.pi * 500 * late / audio.SAMPLE_RATE)
alike = np.flatnonzero(np.abs(chunks - chunks[0]).max(axis=1) < 1e-6)[1:]
turned = np.flatnonzero(np.abs(chunks + chunks[0]).max(axis=1) < 1e-6)
assert same in alike, f"after {same} samples the chunk differs: how long is one swing?"
assert negative in turned, (
    f"after {negative} samples it is not its negative: at which part of a swing is it?"
)
assert same == alike[0], f"it was the same before, after fewer samples than {same}"
assert negative == turned[0], (
    f"it was its negative before, after fewer samples than {negative}"
)
magnitudes = np.abs(np.fft.rfft(chunks[[0, negative]]))
apart = np.abs(magnitudes[0] - magnitudes[1]).max()
print(f"the chunk turns over, its magnitudes move by {apart:.0e}")

# %% [markdown]
# **Exercise 2.** What do 13 coefficients leave of a frame? Write `rebuilt(frames, count)`: the log-mel frames again, from the first `count` coefficients of each
# frame, the others set to 0. `scipy.fft.dct(…, norm="ortho", axis=…)` takes a frame apart, `scipy.fft.idct` with the same options puts it
# together. Guess first: with 13 of 40, how large is the error, in units of natural logarithm?


# %% tags=["solution"]
def rebuilt(frames, count):
    """Log-mel frames from the first coefficients of each."""
    coefficients = scipy.fft.dct(frames, norm="ortho", axis=1)
    coefficients[:, count:] = 0
    return scipy.fft.idct(coefficients, norm="ortho", axis=1)


# %% tags=["check"]
frames = log_mel(one.waveform)
flat, whole = rebuilt(frames.copy(), 1), rebuilt(frames.copy(), audio.N_MELS)
assert flat is not None and whole is not None, (
    "rebuilt returns nothing yet: give back frames [frames, bands]"
)
assert np.shape(whole) == frames.shape, (
    f"expected shape {list(frames.shape)}, found {list(np.shape(whole))}"
)
assert np.allclose(whole, frames, atol=1e-3), (
    "all 40 coefficients should give the frames back: do dct and idct have the same "
    "options?"
)
over_time = np.broadcast_to(frames.mean(axis=0), frames.shape)
assert not np.allclose(flat, over_time, atol=1e-3), (
    "you went along time: a coefficient belongs to ONE frame, axis 1"
)
per_frame = np.broadcast_to(frames.mean(axis=1, keepdims=True), frames.shape)
assert np.allclose(flat, per_frame, atol=1e-3), (
    "with one coefficient each frame should be its own mean: which one is kept?"
)
other = np.random.default_rng(4).normal(-6, 3, [5, 24])
places = np.pi * np.outer(np.arange(24) + 0.5, np.arange(24)) / 24
basis = np.cos(places) / np.linalg.norm(np.cos(places), axis=0)
for count in (2, 9, 23):
    expected = other @ basis[:, :count] @ basis[:, :count].T
    assert np.allclose(rebuilt(other.copy(), count), expected, atol=1e-6), (
        "wrong for other frames with another number of bands, and another count: is a "
        "number fixed in your code?"
    )
errors = []
for count in (1, 13, 26):
    error = np.sqrt(np.mean((rebuilt(frames.copy(), count) - frames) ** 2))
    errors.append(f"{count}: {error:.2f}")
print("error with", ", ".join(errors), "units of natural log")

# %% [markdown] tags=["slide", "only-slides"]
# ## Exercise 3: upside down
# - Every sample times -1. No ear hears the difference.
# - Do the networks: `raw`? `log-mel`?
# - `lost`: validation accuracy minus accuracy upside down

# %% [markdown] tags=["notes"]
# A guess in writing, two numbers. Hint: what happens to a magnitude when the wave is turned over? For log-mel the answer can be proved before it is measured.

# %% [markdown]
# **Exercise 3.** Turn the waveform upside down: every sample times -1. No ear hears the difference. Do the networks? `networks["raw"]` and
# `networks["log-mel"]`, as they are now, were trained on the whole pool. Write down a guess, then set `lost`: a dict from these two names to the
# accuracy on the validation clips minus the accuracy on the same clips upside down. (`standardised(name, waveforms)` makes the input, and
# `evaluation.predict(model, frames)` gives logits; the right answers are `validation.label.cat.codes`.)

# %% tags=["solution"]
lost, codes = {}, validation.label.cat.codes.to_numpy()
for name in ["raw", "log-mel"]:
    upright = standardised(name, validation.waveform)
    turned = standardised(name, -validation.waveform)
    before = evaluation.predict(networks[name], upright).argmax(axis=1) == codes
    after = evaluation.predict(networks[name], turned).argmax(axis=1) == codes
    lost[name] = before.mean() - after.mean()

# %% tags=["check"]
assert isinstance(lost, dict), (
    "`lost` should be a dict, such as {'raw': 0.1, 'log-mel': 0.2}"
)
assert set(lost) == {"raw", "log-mel"}, (
    f"expected the names raw and log-mel, found {sorted(lost)}"
)
answers = validation.label.cat.codes.to_numpy()
for name, value in lost.items():
    assert np.ndim(value) == 0, f"{name}: expected one number, found {value!r}"
    shares = []
    frames = standardised(name, validation.waveform)
    for heard in (frames, standardised(name, [-w for w in validation.waveform])):
        logits = evaluation.predict(networks[name], heard)
        shares.append(np.mean(logits.argmax(axis=1) == answers))
    before, after = shares
    negative_frames = evaluation.predict(networks[name], [-each for each in frames])
    too_late = before - np.mean(negative_frames.argmax(axis=1) == answers)
    slips = {
        after - before: "upright minus turned: a loss is positive",
        after: "that is the accuracy upside down: subtract it from the other",
        too_late: "turn the WAVEFORM over, before the input is made from it",
    }
    right_here = np.isclose(value, before - after)
    for slip, hint in slips.items():
        assert right_here or not np.isclose(value, slip), f"{name}: {hint}"
    assert right_here, (
        f"{name}: not {value:.3f}: are both accuracies those of this network, on the "
        "validation clips?"
    )
loss = ", ".join(f"{name} {value:.3f}" for name, value in lost.items())
print("lost upside down:", loss)

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 1
# Raw chunks hold everything. Why can a network do worse with them?
#
# - A. too few parameters for 160 numbers a frame
# - B. information is lost when chunks are cut
# - C. one sound comes as many different chunks

# %% [markdown] tags=["notes"]
# Right: C. To A: the table has the counts; raw has the most.

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 2
# 0.95 on its own clips, 0.35 on new ones. What helps most?
#
# - A. more clips, or an input that makes them alike
# - B. more epochs over the same clips
# - C. more units

# %% [markdown] tags=["notes"]
# Right: A. B was measured: the triangle. C: it fits its own clips already.

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 3
# Why is the mean for standardising measured on training clips alone?
#
# - A. test clips have another level
# - B. it would make the test less of a test
# - C. padding would count towards the mean

# %% [markdown] tags=["notes"]
# Right: B. To A: here every clip has the same level, and the reason stands all the same.

# %% [markdown]
# **You have seen**
# - five inputs made from the same waveforms, and one GRU trained on each at the same price;
# - what a chunk of raw samples becomes when the same sound begins 2 ms later;
# - whether more clips and more time bring raw samples nearer to the others, and how near.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. The raw chunks hold all that the spectrogram is made from. Why can a network do worse with them?**
#
# <details><summary>A. The GRU has too few parameters for 160 numbers a frame.</summary>No: the raw network has more parameters than the log-mel network, and enough to learn its own clips.</details>
# <details><summary>B. Some of the information is lost when the samples are cut into chunks.</summary>No: put end to end, the chunks are the waveform again, but for less than 20 ms at its end.</details>
# <details><summary>C. One sound comes as many different chunks, and each kind has to be learned from examples.</summary>Yes: the phase changes every number of a chunk and means nothing for the word. What the spectrogram throws away, the network must learn to ignore.</details>
#
# **2. The raw network has 0.95 on its own clips and 0.35 on new ones. What would help most?**
#
# <details><summary>A. More clips, or an input that makes different clips of one word alike.</summary>Yes: it has learned its examples and not what they share. Either more examples or built-in knowledge closes such a gap.</details>
# <details><summary>B. More epochs over the same clips.</summary>No: it knows nearly all of them, and forty epochs in the place of eight helped less than more clips did. Further rounds make it surer of what it has learned by heart.</details>
# <details><summary>C. More units, so that it can learn harder functions.</summary>No: it already fits its own clips. A larger network fits them more readily still.</details>
#
# **3. Why is the mean for standardising measured on the training clips alone?**
#
# <details><summary>A. Test clips have another level, which would spoil the mean.</summary>No: every clip has the same level here. Even if the numbers came out alike, the reason would stand.</details>
# <details><summary>B. Whatever is computed from test clips and goes into the model makes the test less of a test.</summary>Yes: the mean and the deviation are part of the model. A few numbers leak little, but the rule is kept by keeping it always.</details>
# <details><summary>C. Because the padding would count towards the mean.</summary>No: padding is added later, when batches are made. The mean is taken over real frames.</details>
#
# Next: [11 Voices never heard before](11_voices_never_heard_before.ipynb). All lessons: [README](../README.md).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
