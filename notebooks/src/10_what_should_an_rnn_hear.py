# %% [markdown]
# # 10 · What should an RNN hear?
#
# "RNNs learn features from raw audio", one reads. If that is true, the spectrogram of lesson 01 was unnecessary work. But train the same GRU on the same clips: with raw samples it answers a third of new ones, with log-mel frames nineteen of twenty.
# Somewhere in between lies a step that the GRU cannot do by itself. We look for it, one step at a time. Then come the practical choices: sampling rate, bands, hop, logarithm.
#
# **You will**
# - compare inputs that differ by little, and find the step that decides;
# - build a front end of learned filters in Keras, which learns from raw samples after all;
# - see on new voices which choices matter: rate, bands, hop, log, or its rivals PCEN and MFCC.
#
# **Minutes:** 80 with the exercises; the cells themselves run for about one. **You need:** lessons 01, 02, 04 and 07, and Keras's functional API.

# %% [markdown] tags=["slide", "only-slides"]
# ## A claim to test
# "RNNs learn features from raw audio."
#
# - If it is true: why did we make spectrograms in lesson 01?
# - One GRU, the same 450 clips, one more step at a time

# %% [markdown] tags=["notes"]
# Ask who has read that sentence, and where. Ask what it predicts: raw samples as good as log-mels. So it can be tested.

# %% tags=["setup"]
import setup_course

# %% [markdown]
# ## The clips
#
# We learn from 45 clips of each digit. Training, validation and test have the same six voices; new ones come later in the lesson. To keep the padding short, clips of 0.66 s and more are left out of the training, but not
# out of validation and test. Every clip gets the same level (root mean square), since the levels of the voices (lesson 02) are not the question here.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import scipy

from course_lib import audio, batches, data, evaluation, models, plots


# %%
def same_level(waveform):
    return 0.1 * waveform / (np.sqrt(np.mean(waveform**2)) + 1e-9)


clips = data.load("digits")
clips["waveform"] = [same_level(audio.read(path)) for path in clips.path]
test, rest = clips[clips.split == "test"], clips[clips.split == "train"]
piles = rest.groupby(["label", "group"], observed=True)
validation = piles.sample(frac=0.1, random_state=0)
pool = rest.drop(validation.index)
pool = pool[batches.lengths(pool.waveform) < 33 * 160]
train = pool.groupby("label", observed=True).sample(45, random_state=0)
print(f"{len(train)} to learn from, {len(validation)} to validate, {len(test)} to test")

# %% [markdown]
# ## One GRU
#
# The first input is the rawest: the samples, cut into *chunks* of 160. At 8,000 samples a second that is 20 ms, one step of the GRU. (One sample a step would make thousands of steps of a word.) At the other end stands log-mel, with one frame per 20 ms.
#
# The model stays the same. [`Normalization`](../docs/glossary.md#standardised) subtracts the mean of each column and divides by its standard deviation, both measured on the training
# clips. So no input has an advantage because its numbers are larger.
#
# Here all models train for 40 epochs, and the learning rate falls from 0.008 along a cosine. That is not tuned for any of them; the benchmark below tunes both for each input.

# %%
CHUNK = 160  # samples: 20 ms


def chunks(waveform):
    return waveform[: len(waveform) // CHUNK * CHUNK].reshape(-1, CHUNK)


def log_mel(waveform):
    return audio.log_mel(waveform, frame_step=CHUNK)


# %%
def gru_on(make, name):
    frames = np.concatenate([make(waveform) for waveform in train.waveform])
    scale = keras.layers.Normalization()
    scale.adapt(frames[None])
    clip = keras.Input([None, frames.shape[1]])
    masked = keras.layers.Masking(batches.PADDING)(clip)
    state = keras.layers.GRU(48)(scale(masked))
    return keras.Model(clip, keras.layers.Dense(10)(state), name=name)


# %%
def fit(model, make):
    falling = keras.optimizers.schedules.CosineDecay(0.008, 40 * len(train) // 50)
    model.compile(
        optimizer=keras.optimizers.Adam(falling, global_clipnorm=1.0),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    padded = batches.pad([make(waveform) for waveform in train.waveform])
    labels = train.label.cat.codes.to_numpy()
    history = model.fit(padded, labels, batch_size=50, epochs=40, verbose=0)
    return history.history["accuracy"][-1]


# %% [markdown]
# **Predict, then run.** Two numbers for each input: the accuracy on its own training clips, and on validation clips. Which input is ahead, and can each at least fit its training clips? Chance is 0.1.

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: raw chunks and log-mel
# - GRU(48), the same 450 clips, 40 epochs
# - Accuracy on its own clips? On validation clips?

# %% [markdown] tags=["notes"]
# Four numbers in writing. Most people expect that raw does badly on both: ask them to look at "own clips" first.

# %% tags=["slide", "more", "no-code"]
trained, found = {}, {}


def accuracy(model, make):
    logits = evaluation.predict(model, [make(wave) for wave in validation.waveform])
    return np.mean(logits.argmax(axis=1) == validation.label.cat.codes)


def compare(name, make):
    keras.utils.set_random_seed(0)
    trained[name] = gru_on(make, name)
    own = fit(trained[name], make)
    found[name] = accuracy(trained[name], make)
    print(f"{name:>17}: own clips {own:.3f}, validation {found[name]:.3f}")


compare("raw_chunks", chunks)
compare("log_mel", log_mel)

# %% [markdown]
# On raw chunks the GRU memorised its training clips and did poorly on new ones. So it is not too small, and it was not stopped too early: it overfitted. Log-mel let it learn what new clips share.
#
# Why? There are three suspects, and each makes a different prediction:
#
# 1. It lacks **frequencies**. Then a Fourier transform of each chunk is enough.
# 2. It cannot ignore the **phase**: where in its swing a wave is when the chunk begins. Then the Fourier transform does not help, and its *modulus* (magnitude) does.
# 3. It lacks **clips**. Then more of them close the gap; the benchmark below tries 2,000.
#
# ## Frequencies, with and without phase
#
# The discrete Fourier transform (DFT) of chunk $m$, with $N = 160$ samples, and what happens to it if the chunk begins $d$ samples later (exactly so if the chunk is one period of a periodic sound):
#
# $$X[m,k] = \sum_{n=0}^{N-1} x[n + mN]\, e^{-j 2\pi k n / N}, \qquad X[m,k] \;\to\; e^{j 2\pi k d / N}\, X[m,k]$$
#
# The shift turns each complex number: its [phase](../docs/glossary.md#phase) changes, and its modulus $|X[m,k]|$ stays. The complex numbers, given as real and imaginary parts, hold everything
# that the samples hold.
#
# **Predict, then run.** The same chunks, no window, no overlap. Is the complex DFT nearer to raw or to log-mel? And the modulus?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: the DFT of the same chunks
# - Complex: real and imaginary parts, nothing lost
# - Modulus: the phases are gone
# - Which is nearer to raw, which to log-mel?

# %% [markdown] tags=["notes"]
# Most people say that both help: "frequencies are features". Write the shift theorem on the board, draw one complex number that turns.


# %% tags=["slide", "more", "no-code"]
def dft_complex(waveform):
    spectrum = np.fft.rfft(chunks(waveform), axis=1)
    return np.concatenate([spectrum.real, spectrum.imag], axis=1)


def dft_modulus(waveform):
    return np.abs(np.fft.rfft(chunks(waveform), axis=1))


compare("dft_complex", dft_complex)
compare("dft_modulus", dft_modulus)

# %% [markdown]
# The complex DFT was as bad as raw. Suspect 1 is cleared, and with hindsight that is no surprise: the DFT is a matrix product, and the GRU begins with one. Taking the modulus of the *same* numbers brought nearly all of the gain. A matrix cannot do that. This points to the phase; suspect 3 waits for the benchmark.
#
# ## Why the phase hurts
#
# Where a chunk begins is an accident: it depends on when the recording was started. So we start every clip a little later, by 1 to 32 samples, and measure how similar each frame is to the frame before the shift: the correlation of the standardised numbers. 1 means "the same", 0 "unrelated".
#
# **Predict, then run.** What is left of the correlation after one sample (an eighth of a millisecond)? After 8?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: the same sound, a little later
# - Every clip starts 1 to 32 samples later
# - How similar is each frame to what it was? 1: the same, 0: unrelated
# - Raw? Complex DFT? Modulus? Log-mel?

# %% [markdown] tags=["notes"]
# Let them draw a wave and the same wave shifted by half a period. Four curves over the delay, in writing.


# %%
def similarity(make, delay, waveforms):
    """The correlation of frames with those of the same clips, begun later."""
    now = [make(waveform) for waveform in waveforms]
    later = [make(waveform[delay:]) for waveform in waveforms]
    now = [frames[: len(other)] for frames, other in zip(now, later)]
    a, b = np.concatenate(now), np.concatenate(later)
    mean, spread = a.mean(axis=0), a.std(axis=0) + 1e-6
    return np.mean((a - mean) * (b - mean) / spread**2)


DELAYS = [0, 1, 2, 4, 8, 16, 32]  # samples
MAKERS = {"raw chunks": chunks, "DFT, complex": dft_complex}
MAKERS |= {"DFT, modulus": dft_modulus, "log-mel": log_mel}
some = list(train.waveform[:60])

# %% tags=["fold", "slide", "more", "no-code"]
# @title Draw: how similar a frame is to itself a little later {display-mode: "form"}
axes = plt.subplots(figsize=(9, 3.4), layout="constrained")[1]
curves = {}
for (name, make), mark in zip(MAKERS.items(), "osvD"):
    curves[name] = [similarity(make, delay, some) for delay in DELAYS]
    axes.plot(range(len(DELAYS)), curves[name], f"{mark}-", label=name)
axes.axhline(0, color="grey", linestyle=":")
axes.set_xticks(range(len(DELAYS)), [f"{delay / 8:g}" for delay in DELAYS])
axes.set(xlabel="the clip begins later by (ms)", ylabel="correlation")
axes.set_title("the same sound, a little later")
axes.legend(loc="center right")
after = [f"{values[DELAYS.index(8)]:.2f} for {name}" for name, values in curves.items()]
plots.show(axes, f"after 1 ms the correlation is {', '.join(after)}")

# %% [markdown] tags=["notes"]
# Below 0: after 1 ms the loudest waves of a vowel (around 500 Hz) are half a period late. Exercise 1 does it with a pure tone, where the chunk is exactly its own negative.

# %% [markdown]
# After 1 ms the raw chunk leans towards its own negative: the strongest waves, around 500 Hz, are shifted by half a period, and by 2 ms waves of different sounds no longer agree. The complex numbers are strangers after one sample, since every column counts alike here: the low ones turn a little, the highest by half a circle. Raw samples keep more, because low waves hold most of the energy. Neither is stable over a few milliseconds, so to the GRU one
# vowel is a new input each time. The modulus hardly moves, and neither does log-mel.
#
# ## Can it learn the filters?
#
# Modulus, mean and logarithm we now build in; the filters the network has to learn. People who feed raw audio put such a *front end* before the network (Sainath et al. 2015; with other details SincNet, Ravanelli & Bengio 2018, and LEAF, Zeghidour et al. 2021):
#
# $$a_p + j b_p = \sum_{n=0}^{63} w_f[n]\, x[mN + 8p + n], \qquad E[m,f] = \frac{1}{P} \sum_{p=0}^{P-1} \sqrt{a_p^2 + b_p^2}, \qquad y[m,f] = \ln\bigl(E[m,f] + \varepsilon\bigr)$$
#
# - **Filters**: 40 learned complex filters $w_f$ (80 real ones, in pairs) of 64 samples slide through each chunk in steps of 8, to $P = 13$ positions.
# - **Modulus**, then the **mean** over the positions: so it no longer matters where in the chunk the filter responded.
# - The **logarithm**; batch normalisation instead of `Normalization`, because the filters change while they learn; then the same GRU.
#
# The input is the same table of raw chunks. The convolution is two-dimensional with a height of one chunk, so it never mixes chunks and padding. A convolution drops the mask, so we hand it to the GRU ourselves, and first check that padding changes nothing.
#
# **Predict, then run.** It has fewer parameters than the GRU on raw chunks. Same clips, same epochs, same rate: where does it land?


# %%
def front_end():
    clip = keras.Input([None, CHUNK])
    mask = keras.ops.any(keras.ops.not_equal(clip, batches.PADDING), axis=-1)
    samples = keras.layers.Reshape([-1, CHUNK, 1])(clip)
    filters = keras.layers.Conv2D(80, (1, 64), strides=(1, 8), use_bias=False)
    a, b = keras.ops.split(filters(samples), 2, axis=-1)  # [batch, chunks, 13, 40] each
    modulus = keras.ops.sqrt(a**2 + b**2 + 1e-8)
    energy = keras.ops.mean(modulus, axis=2)  # [batch, chunks, 40]
    normalise = keras.layers.BatchNormalization(momentum=0.9)
    frames = normalise(keras.ops.log(energy + 1e-3), mask=mask)
    state = keras.layers.GRU(48)(frames, mask=mask)
    return keras.Model(clip, keras.layers.Dense(10)(state), name="front_end")


# %%
keras.utils.set_random_seed(0)
trained["front_end"] = front_end()
few = batches.pad([chunks(waveform) for waveform in train.waveform[:8]])
change = evaluation.check_mask(trained["front_end"], few)
print(f"padding changes a logit by {change:.0e} at most")

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: a front end that learns its filters
# - Raw chunks → 40 filters → modulus → mean → log → the same GRU
# - Half of the parameters, the same 450 clips
# - Nearer to raw, or to log-mel?

# %% [markdown] tags=["notes"]
# Draw the block chain with shapes: [chunks, 160], [chunks, 13, 40], [chunks, 40]. Ask which block forgets the phase.

# %% tags=["slide", "more", "no-code"]
own = fit(trained["front_end"], chunks)
found["front_end"] = accuracy(trained["front_end"], chunks)
for name in ["raw_chunks", "front_end", "log_mel"]:
    size = trained[name].count_params()
    print(f"{name:>10}: validation {found[name]:.3f}, {size:,} parameters")

# %% [markdown]
# From the same raw chunks and the same clips, the front end got about as far as the modulus of the DFT, and not quite as far as log-mel. What did its filters become?

# %% tags=["fold", "slide", "more", "no-code"]
# @title Draw: the learned filters beside mel bands {display-mode: "form"}
kernel = trained["front_end"].trainable_weights[0].numpy()[0, :, 0]  # [64, 80]
responses = np.abs(np.fft.rfft(kernel, 256, axis=0))
learned = np.hypot(responses[:, :40], responses[:, 40:])
learned = learned / learned.max(axis=0)
learned = learned[:, learned.argmax(axis=0).argsort()]
figure, panels = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
titles = ["learned filters, sorted by their peak", "mel bands"]
for axes, picture, title in zip(panels, [learned, audio.mel_filters()], titles):
    extent = (0, 40, 0, 4)
    axes.imshow(picture, extent=extent, **plots.PICTURE)
    axes.set(title=title, xlabel="filter", ylabel="frequency (kHz)")
low = (learned.argmax(axis=0) * 8_000 / 256 < 1_000).sum()
mel = (audio.band_centres() < 1_000).sum()
fact = f"{low} of 40 learned filters peak below 1 kHz, and {mel} of 40 mel bands"
plots.show(figure, fact)

# %% [markdown]
# Most became bands at low frequencies, where a voice has its energy, crowded lower than mel bands. Several have a second peak: nobody asked them to be tidy.
#
# ## The whole ladder
#
# One seed and one setting are not enough for a verdict. `make bench BENCH=inputs` trained every row from three seeds. Each row had its own learning rate and number of epochs, chosen on validation clips
# with another seed; the test was scored after that. We added controls: a windowed, overlapping Fourier transform (STFT), complex and as modulus, and front ends with parts swapped or removed. (Without the modulus the logarithm has to go, too.) The order-blind average of lesson 02 stands beside them, and four inputs also get 2,000 clips.

# %% [markdown] tags=["slide", "only-slides"]
# ## The ladder, tuned, three seeds

# %% tags=["fold", "more", "no-code"]
# @title Draw: test accuracy of every input {display-mode: "form"}
results = evaluation.RESULTS.parents[1] / "benchmarks" / "results"
ladder = pd.read_csv(results / "inputs_ladder.csv")
names = list(ladder.input.unique())
axes = plt.subplots(figsize=(10, 5), layout="constrained")[1]
for (count, rows), mark in zip(ladder.groupby("clips"), "ox"):
    places = [names.index(name) for name in rows.input]
    axes.plot(rows.test, places, mark, label=f"{count:,} clips", alpha=0.8)
axes.axvline(0.1, linestyle=":", color="grey", label="chance")
axes.set_yticks(range(len(names)), names)
axes.invert_yaxis()
axes.set(xlim=(0, 1), xlabel="test accuracy, a point per seed")
axes.set_title("what the GRU hears, and what it makes of it")
axes.legend(loc="lower left")
fact = "the rows with a modulus lie on the right, raw and complex ones on the left"
plots.show(axes, fact)
tests = ladder.groupby(["clips", "input"], sort=False).test
print(tests.agg(["mean", "min", "max"]).round(3).to_string())

# %% [markdown]
# With 450 clips, raw chunks had 0.37 and their complex DFT 0.32. A window and overlap did not help either while the phase stayed in: 0.34. The **modulus** of the very same chunks had 0.88, that of the STFT
# 0.89, log-mel 0.94, where mel bands and logarithm come together.
#
# The front end had 0.86 from the same 450 clips, so learning the filters gained nothing over a fixed DFT. With the mean before the modulus it had 0.60: most waves cancel in the mean. Without modulus and logarithm it had 0.36.
#
# Suspect 3 is partly guilty. With 2,000 clips raw chunks rose to 0.57, still far below the modulus with 450; the front end rose to 0.98, level with log-mel. There, learned filters paid.
#
# So "RNNs learn features from raw audio" was too strong for this *recurrent layer*: from this many chunks **it did not learn to ignore the phase**. With modulus and mean built in, it learned useful filters from the same clips. (We did not try clips that start at random places in training.)
#
# Two caveats. The order-blind average had 0.88, so on these voices most of the accuracy needs no order; the GRU halves the errors that remain. And the six voices of the test are also in training.
#
# ## MFCC, the old favourite
#
# Speech recognisers of the 1990s heard [MFCC](../docs/glossary.md#mfcc) (Davis & Mermelstein 1980): a log-mel frame $x_b$ of $B$ bands described by 13 slow waves along the bands (a discrete cosine transform). They keep the coarse shape of the spectrum, the vowel, and drop its fine detail, mostly the pitch. Beside them stands
# how each changes, the [delta](../docs/glossary.md#delta) (Furui 1986):
#
# $$c_q = \sqrt{\tfrac{2}{B}} \sum_{b=0}^{B-1} x_b \cos\frac{\pi q (2b+1)}{2B}, \qquad \Delta c_t = \frac{\sum_{\theta=1}^{2} \theta\, (c_{t+\theta} - c_{t-\theta})}{2 \sum_{\theta=1}^{2} \theta^2}$$


# %%
def mfcc(frames):
    bands = frames.shape[1]
    turns = np.outer(2 * np.arange(bands) + 1, np.arange(13)) / (2 * bands)
    return frames @ (np.sqrt(2 / bands) * np.cos(np.pi * turns))


def delta(frames):
    padded = np.pad(frames, [(2, 2), (0, 0)], mode="edge")
    return (2 * (padded[4:] - padded[:-4]) + (padded[3:-1] - padded[1:-3])) / 10


# %%
example = log_mel(train.waveform.iloc[0])
of_scipy = scipy.fft.dct(example, norm="ortho")[:, :13]
np.testing.assert_allclose(mfcc(example)[:, 1:], of_scipy[:, 1:], atol=1e-3)
line = {"window_length": 5, "polyorder": 1, "deriv": 1, "axis": 0, "mode": "nearest"}
slopes = scipy.signal.savgol_filter(mfcc(example), **line)
np.testing.assert_allclose(delta(mfcc(example)), slopes, atol=1e-4)
print("by hand = SciPy (which scales coefficient 0 differently, a convention)")

# %% [markdown]
# In the ladder, 39 such numbers (coefficients, deltas, and the deltas of these) had 0.93, near log-mel's 0.94.
#
# ## What one chooses at work
#
# At work the questions are: which sampling rate, how many mel bands, which hop (frame step), and which compression? The logarithm has a
# rival, *PCEN* (per-channel energy normalisation; Wang et al. 2017). It divides each band by a slow average of its own past:
#
# $$s_t = (1-a)\, s_{t-1} + a E_t, \qquad \mathrm{PCEN}_t = \Bigl(\frac{E_t}{(\varepsilon + s_t)^{\alpha}} + \delta\Bigr)^{r} - \delta^{r}$$
#
# with $\alpha = 0.98$, $\delta = 2$, $r = 0.5$, and $a = 0.025$ per 10 ms (0.05 for our frames of 20 ms). $\alpha$ near 1 divides nearly everything, the root $r$ compresses, and $\delta$ keeps silence from being blown up. So a steady level, such as that of a distant microphone, is divided away. A simpler remedy: a gain adds the same constant to every logarithm, so subtract the clip's mean. We check both with the same clip, 20 dB fainter.


# %%
def mel_energy(waveform):
    every = np.lib.stride_tricks.sliding_window_view(waveform, audio.FRAME_LENGTH)
    power = np.abs(np.fft.rfft(every[::CHUNK] * audio.window(), audio.FFT_LENGTH)) ** 2
    return power @ audio.mel_filters()


def pcen(energy, a=0.05):
    smoothed = energy.copy()
    for t in range(1, len(energy)):
        smoothed[t] = (1 - a) * smoothed[t - 1] + a * energy[t]
    return (energy / (1e-6 + smoothed) ** 0.98 + 2) ** 0.5 - 2**0.5


# %%
def log(energy):
    return np.log(energy + audio.LOG_OFFSET)


def log_minus_mean(energy):
    return log(energy) - log(energy).mean(axis=0)


word = train.waveform.iloc[0]
for compress in [log, log_minus_mean, pcen]:
    usual, faint = compress(mel_energy(word)), compress(mel_energy(word / 10))
    moved = np.abs(usual - faint).mean() / usual.std()
    print(f"{compress.__name__:>14}: moved by {moved:.2f} standard deviations")

# %% [markdown]
# The logarithm moves by nearly two standard deviations, the other two hardly. To choose, we need a harder task, and **new voices**, their levels as recorded: ten words of Speech Commands, 1,000 clips to learn from, 80 test speakers who are not among them. Every row of
# the benchmark changes one thing in the first row (8 kHz, 40 bands, hop 20 ms, log). It is tuned on other speakers in the same way, and trained from five seeds. Each difference is taken speaker by speaker, and has a 95 % interval over the speakers.
#
# **Predict, then look.** Which of the nine changes cost or gain more than 0.03? And which matter when the test clips are 20 dB fainter than the training clips?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: what matters on new voices?
# - 4, 8 or 16 kHz; 20, 40 or 80 bands; hop 10, 20 or 40 ms
# - Log, log minus the clip's mean, PCEN, MFCC
# - And if the microphone is 20 dB fainter?

# %% [markdown] tags=["notes"]
# A sign for each of nine changes: plus, minus, nothing. Few people expect how many intervals include 0.

# %% tags=["fold", "slide", "more", "no-code"]
# @title Draw: what each choice changes, on new voices {display-mode: "form"}
choices = pd.read_csv(results / "inputs_choices.csv")
differences = pd.read_csv(results / "inputs_differences.csv")
names = list(choices.choice.unique())
figure, panels = plt.subplots(1, 3, figsize=(11, 4), layout="constrained", sharey=True)
seeds = choices[choices.condition == "as recorded"]
panels[0].plot(
    seeds.accuracy, [names.index(name) for name in seeds.choice], "o", alpha=0.7
)
panels[0].set(title="accuracy, a point per seed", xlabel="accuracy, new voices")
panels[0].set_yticks(range(len(names)), names)
panels[0].invert_yaxis()
for axes, (condition, rows) in zip(
    panels[1:], differences.groupby("condition", sort=False)
):
    places = [names.index(name) for name in rows.choice]
    reach = [rows.difference - rows.low, rows.high - rows.difference]
    axes.errorbar(rows.difference, places, xerr=reach, fmt="o", capsize=3)
    axes.axvline(0, color="grey", linestyle=":")
    axes.set(title=condition, xlabel="minus the first row")
fact = "intervals that include 0 show no difference that these speakers could prove"
plots.show(figure, fact)
table = differences.pivot(index="choice", columns="condition", values="difference")
print(table.loc[names[1:], list(differences.condition.unique())].round(3).to_string())

# %% [markdown]
# With the level as in training, the first row had 0.77. **MFCC** lost 0.11 and **80 bands** 0.05; why, we did not test. The **sampling rate** mattered a little: 16 kHz gained 0.02, 4 kHz lost 0.02.
# 20 bands gained 0.02, a hop of 10 ms lost 0.03, but its seeds spread from 0.70 to 0.77 (those of 80 bands from 0.69 to 0.75). A hop of 40 ms, the subtracted mean and PCEN showed no difference.
#
# With 20 dB less, the **compression** decided: in the mean over the seeds, log fell to 0.39, while PCEN and log minus mean kept 0.77. MFCC lost little, too (0.64). 20 bands and 4 kHz, harmless before, now cost 0.08 and 0.07. For a constant gain, then, PCEN brought nothing that subtracting the mean did not; changing levels and noise were not tested. But the mean needs the whole clip, and PCEN runs while the sound arrives.
#
# An interval over speakers does not contain the luck of the seeds, and of eighteen intervals about one misses by chance. So trust the large differences. **Our recipe to start from: 8 kHz, 40 bands, a hop of 20 ms, log minus the clip's mean.** Your sounds will give other numbers; the same experiment will find them.
#
# ## Or let another network listen first
#
# There is one more kind of input: an [embedding](../docs/glossary.md#embedding), the output of a late layer of a network that somebody has trained on millions of clips. YAMNet (AudioSet; 16 kHz; 1,024 numbers every 0.48 s) is on
# Kaggle Models under `google/yamnet`. PANNs is another for sounds, BirdNET for birds, wav2vec 2.0 and HuBERT for speech. A GRU, or one `Dense` layer, reads their frames in the place of log-mels. With a few hundred
# clips of your own it is worth a try; [what came after RNNs](../docs/after.md) says where each comes from. We have not measured one here.
#
# ## The test of the live models
#
# Nothing is chosen after this. Expect the order of the ladder; with 300 clips, a difference of 0.03 says nothing.

# %%
for name, make in [
    ("raw_chunks", chunks),
    ("dft_complex", dft_complex),
    ("dft_modulus", dft_modulus),
    ("front_end", chunks),
    ("log_mel", log_mel),
]:
    heard = test.assign(frames=[make(waveform) for waveform in test.waveform])
    print(f"{name:>11}: {evaluation.evaluate(trained[name], heard, lesson='10')}")

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** A tone of 500 Hz at 8,000 samples a second. After how many samples of delay is a chunk of it the exact *negative* of what it was? After how many
# is it the same again? Set `negative` and `same` to the smallest such numbers above 0. Think first; `tone(delay)` gives a chunk to try.


# %%
def tone(delay):
    """A chunk of a tone of 500 Hz that begins so many samples later."""
    return np.sin(2 * np.pi * 500 * (np.arange(CHUNK) + delay) / audio.SAMPLE_RATE)


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
late = np.arange(CHUNK) + np.arange(2_000)[:, None]  # a row for each delay
toned = np.sin(2 * np.pi * 500 * late / audio.SAMPLE_RATE)
alike = np.flatnonzero(np.abs(toned - toned[0]).max(axis=1) < 1e-6)[1:]
turned = np.flatnonzero(np.abs(toned + toned[0]).max(axis=1) < 1e-6)
assert same in alike, f"after {same} samples the chunk differs: how long is one swing?"
assert negative in turned, (
    f"after {negative} samples it is not its negative: at which part of a swing is it?"
)
assert same == alike[0], f"it was the same before, after fewer samples than {same}"
assert negative == turned[0], (
    f"it was its negative before, after fewer samples than {negative}"
)
magnitudes = np.abs(np.fft.rfft(toned[[0, negative]]))
apart = np.abs(magnitudes[0] - magnitudes[1]).max()
print(f"the chunk turns over, its modulus moves by {apart:.0e}")

# %% [markdown]
# **Exercise 2.** How much of a frame survives in 13 coefficients? Write `rebuilt(frames, count)`: the log-mel frames again, from the first `count` coefficients of each
# frame, the others set to 0. `scipy.fft.dct(…, norm="ortho", axis=…)` takes a frame apart, and `scipy.fft.idct` with the same options puts it
# together. Guess first: with 13 of 40, how large is the error (root mean square), in units of natural logarithm?


# %% tags=["solution"]
def rebuilt(frames, count):
    """Log-mel frames from the first coefficients of each."""
    coefficients = scipy.fft.dct(frames, norm="ortho", axis=1)
    coefficients[:, count:] = 0
    return scipy.fft.idct(coefficients, norm="ortho", axis=1)


# %% tags=["check"]
frames = log_mel(train.waveform.iloc[0])
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
# ## Exercise 3: beat this number
# - Raw chunks in, 10,000 parameters or fewer
# - The number: half-way between raw and log-mel, on validation clips

# %% [markdown] tags=["notes"]
# Hint: which part of the front end holds most of the parameters? And must the GRU have 48 units?

# %% [markdown]
# **Exercise 3: build, train, beat this number.** Build a Keras model `yours` that hears raw chunks, with **10,000 parameters or fewer**. Train it on `train`. The number to reach on the validation clips is
# half-way between `found["raw_chunks"]` and `found["log_mel"]`. `fit(yours, chunks)` trains it as above, `accuracy(yours, chunks)` scores it. A smaller front end is one way.

# %% tags=["solution"]
keras.utils.set_random_seed(0)
clip = keras.Input([None, CHUNK])
mask = keras.ops.any(keras.ops.not_equal(clip, batches.PADDING), axis=-1)
samples = keras.layers.Reshape([-1, CHUNK, 1])(clip)
filters = keras.layers.Conv2D(32, (1, 48), strides=(1, 8), use_bias=False)(samples)
energy = keras.ops.mean(keras.ops.abs(filters), axis=2)
normalise = keras.layers.BatchNormalization(momentum=0.9)
frames = normalise(keras.ops.log(energy + 1e-3), mask=mask)
state = keras.layers.GRU(36)(frames, mask=mask)
yours = keras.Model(clip, keras.layers.Dense(10)(state))
own = fit(yours, chunks)

# %% tags=["check"]
assert isinstance(yours, keras.Model), (
    "`yours` should be a Keras model, from keras.Input([None, CHUNK]) to Dense(10)"
)
assert yours.input_shape == (None, None, CHUNK), (
    f"expected raw chunks [batch, any length, {CHUNK}], found {yours.input_shape}"
)
assert yours.output_shape == (None, 10), (
    f"expected logits [batch, 10], found {yours.output_shape}"
)
assert yours.count_params() <= 10_000, (
    f"{yours.count_params():,} parameters are too many: fewer filters, or fewer units"
)
try:
    evaluation.check_mask(yours, few)
except AssertionError as wrong:
    raise AssertionError(f"the mask: {wrong}") from None
half_way = (found["raw_chunks"] + found["log_mel"]) / 2
share = accuracy(yours, chunks)
assert share >= half_way, (
    f"accuracy {share:.3f}, and the number is {half_way:.3f}: where does your model "
    "forget the phase, and how long did it train?"
)
print(f"{share:.3f} with {yours.count_params():,} parameters")

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 1
# Raw chunks hold everything. Why can a network do worse with them?
#
# - A. too few parameters for 160 numbers a frame
# - B. information is lost when chunks are cut
# - C. one sound comes as many different chunks

# %% [markdown] tags=["notes"]
# Right: C. To A: the counts were printed; raw has more than log-mel.

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 2
# Which single change helps a GRU on raw chunks most?
#
# - A. the complex DFT of each chunk
# - B. the modulus of that DFT
# - C. four times the clips

# %% [markdown] tags=["notes"]
# Right: B. All three are rows of the ladder.

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz 3
# 60 bands minus 40 bands: an interval from −0.02 to +0.01. What do you write?
#
# - A. 40 bands are better
# - B. the two are equal
# - C. no difference was shown, and it is small; take the cheaper

# %% [markdown] tags=["notes"]
# Right: C. To B: an interval bounds a difference, it never proves that it is 0.

# %% [markdown]
# **You have seen**
# - inputs that differ by little: frequencies alone did not help, their modulus did;
# - a front end of learned filters, modulus, mean and logarithm, which learned from raw samples, with padding that changes nothing;
# - which choices at work made a difference on new voices, and which did not.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. The raw chunks hold all that the spectrogram is made from. Why can a network do worse with them?**
#
# <details><summary>A. The GRU has too few parameters for 160 numbers a frame.</summary>No: the raw network has more parameters than the log-mel network, and enough to learn its own clips.</details>
# <details><summary>B. Some of the information is lost when the samples are cut into chunks.</summary>No: put end to end, the chunks are the waveform again, except for less than 20 ms at the end.</details>
# <details><summary>C. One sound comes as many different chunks, and each kind has to be learned from examples.</summary>Yes: the phase changes every number of a chunk and means nothing for the word.</details>
#
# **2. Which single change helped a GRU on raw chunks most?**
#
# <details><summary>A. The complex DFT of each chunk: now it hears frequencies.</summary>No: it was as bad as raw. Every number still turns with the phase.</details>
# <details><summary>B. The modulus of that DFT.</summary>Yes: the same numbers without the phase brought most of the gain.</details>
# <details><summary>C. Four times the clips.</summary>No: that helped, but raw chunks with 2,000 clips stayed far below the modulus with 450.</details>
#
# **3. On other data, 60 bands minus 40 bands gives an interval from −0.02 to +0.01. What do you write?**
#
# <details><summary>A. 40 bands are better.</summary>No: the interval includes 0 and a small gain.</details>
# <details><summary>B. The two are equal.</summary>No: an interval bounds the difference; it never proves that it is 0.</details>
# <details><summary>C. No difference was shown, and it is at most about 0.02. I take the cheaper one.</summary>Yes: fewer bands make a smaller model, and these speakers show no loss.</details>
#
# <details><summary>Without the real recordings</summary>The ladder, the choices and the numbers in the text come from files made with real recordings. On six synthetic voices the live cells show the same order with larger gaps.</details>
#
# Next: [11 Voices never heard before](11_voices_never_heard_before.ipynb). All lessons: [README](../README.md).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0; Speech Commands, Google, CC BY 4.0. Text: CC BY 4.0.*
