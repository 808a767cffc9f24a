# %% [markdown]
# # 01 · From sound to spectrogram
#
# Neural networks for sound usually read a picture of it. In this lesson you build that picture by hand. You start with the numbers
# that a converter writes, and you end with the numbers that a recurrent network reads.
#
# **You will**
# - cut a word into frames, and find the frequencies in one frame with the Fourier transform;
# - turn all frames into a spectrogram, and that into log-mel frames, line by line in NumPy;
# - see what a frame's length trades: time against frequency;
# - take home a recipe in plain TensorFlow, from a WAV file to log-mel frames.
#
# **Minutes:** 90 with the exercises, of which the computer takes less than one. **You need:** NumPy (slices, broadcasting, `@`), and what a sine and a
# logarithm are. Complex numbers appear only as NumPy returns them; we take their size.

# %% [markdown] tags=["slide", "only-slides"]
# ## How does a list of pressures become a picture?
#
# - A waveform is one long list of numbers.
# - A network reads a table: time to the right, frequency upwards.
# - We build that table, step by step.

# %% [markdown] tags=["notes"]
# Ask the room to say "six" slowly, with a hand on the throat. When does the throat hum, and when not? Collect the five sounds on the board: hiss, vowel, silence, release, hiss.
# Everything today happens to this one word of half a second.

# %% tags=["setup"]
import setup_course

# %%
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import soundfile
import soxr
import tensorflow as tf
from IPython.display import Audio, display

from course_lib import audio, data, plots

# %% [markdown]
# ## A sound is a list of numbers
#
# Sound is a fast change of air pressure. A microphone turns it into a voltage, and a converter measures that voltage thousands of
# times a second. One measurement is a [*sample*](../docs/glossary.md#sample). The [*sample rate*](../docs/glossary.md#sample-rate) $f_s$ counts the samples of one
# second. We divide each sample by the largest number that the converter can write, [*full scale*](../docs/glossary.md#full-scale), so
# that samples lie between −1 and 1.

# %% [markdown] tags=["slide", "only-slides"]
# ## "Six": find the five sounds in it

# %% tags=["more", "no-code"]
clips = data.load("digits")
sixes = clips[(clips.label == "6") & (clips.split == "test")]
clip = sixes.loc[(sixes.seconds - 0.487).abs().idxmin()]  # a clear one, half a second
waveform = audio.read(clip.path)
length = len(waveform) / audio.SAMPLE_RATE
print(f"{len(waveform):,} samples / {audio.SAMPLE_RATE:,} a second = {length:.2f} s")
axes = plots.waveform(waveform, title=f'"six", spoken by {clip.group}')
plots.show(axes, "the vowel is the loud stretch between two hisses")
Audio(waveform, rate=audio.SAMPLE_RATE)

# %% [markdown] tags=["notes"]
# Play it, then have somebody come to the picture and show the five sounds. Most people miss the release before the last hiss, a thin line.
# Ask: which of the five has a pitch?

# %% [markdown]
# Say "six" slowly: a hiss, a vowel, a short silence while the tongue closes the mouth at the back, a release, and a hiss again. Find
# all five in the picture.
#
# **Predict, then run.** We enlarge 50 ms of the vowel. Will it look random, or will something come back?

# %%
# the energy of the 25 ms (200 samples) that begin at each sample
energy = np.convolve(waveform**2, np.ones(200), "valid")
start = int(energy.argmax())  # the loudest 25 ms
vowel = waveform[start : start + 400]
# shift the vowel against itself: at which shift are the two most alike?
shifts = np.arange(20, 130)  # samples: voices from 400 down to 62 Hz
likeness = [vowel[shift:] @ vowel[:-shift] for shift in shifts]
period = int(shifts[np.argmax(likeness)])
print(f"period: {period} samples = {1_000 * period / audio.SAMPLE_RATE:.1f} ms")
print(f"so it comes back {audio.SAMPLE_RATE / period:.0f} times a second")

# %% [markdown] tags=["slide", "only-slides"]
# ## The same shape comes back: a voice

# %% tags=["fold", "more", "no-code"]
# @title Draw: one period of the vowel, marked {display-mode: "form"}
axes = plots.waveform(vowel, title="50 ms of the vowel, cut at each period")
marks = np.arange(vowel[:period].argmin(), len(vowel), period) / audio.SAMPLE_RATE
for mark in marks:
    axes.axvline(mark, color="grey", linestyle="--", linewidth=1)
height = 1.15 * vowel.max()
arrow = {"arrowstyle": "<->", "color": plots.LINES[1], "linewidth": 1.5}
axes.annotate("", (marks[0], height), (marks[1], height), arrowprops=arrow)
axes.text(marks[1], height, "  one period", va="center", color=plots.LINES[1])
axes.set_ylim(1.1 * vowel.min(), 1.4 * vowel.max())
plots.show(axes, "between two dashed lines lies one period, and the shapes are alike")

# %% [markdown] tags=["notes"]
# Count the periods together. Then say it: the vocal folds give the rate, throat and mouth give the shape. Sing one vowel at two pitches, then two vowels at one pitch.

# %% [markdown]
# The vocal folds open and close. At each sudden closing, the air in throat and mouth rings. How often they close in a second is
# the *fundamental frequency* $f_0$, which we hear as pitch. The ringing gives each period its shape: its frequencies, the [*formants*](../docs/glossary.md#formant), make the
# vowel. In a hiss no shape comes back. (The cell above found the period by shifting the vowel against itself.)
#
# ## Which frequencies are in a frame?
#
# The mouth hardly moves within 25 ms. So we cut a *frame*: $L=200$ samples. How much of 500 Hz is in it? We multiply the frame by a
# cosine of 500 Hz and add up. The sum is large if the frame goes up and down together with the cosine. We do the same with a sine, for waves that begin a quarter
# of a period later. Both sums squared and added are the [*power*](../docs/glossary.md#power) at 500 Hz.
#
# The [*Fourier transform*](../docs/glossary.md#fourier-transform) does this for many frequencies at once, $f_k=kf_s/N$. The fast algorithm likes powers of two, so zeros fill the
# frame from $L=200$ to $N=256$ samples. (They give more points on the same smooth curve, and no new detail.) Papers write the two sums as one complex number; $j$ is the imaginary
# unit, and $e^{-j\theta}=\cos\theta-j\sin\theta$:
#
# $$X[k]=\sum_{n=0}^{N-1}x[n]\,e^{-j2\pi kn/N},\qquad P[k]=|X[k]|^2,\qquad k=0,1,\ldots,N/2$$
#
# Each $k$ is a [*bin*](../docs/glossary.md#bin).

# %%
frame = vowel[: audio.FRAME_LENGTH]
time = np.arange(audio.FRAME_LENGTH) / audio.SAMPLE_RATE


def power_at(hertz):
    """The power of one frequency in the frame."""
    angle = 2 * np.pi * hertz * time
    return (frame @ np.cos(angle)) ** 2 + (frame @ np.sin(angle)) ** 2


spectrum = np.fft.rfft(frame, n=audio.FFT_LENGTH)
frequencies = np.arange(len(spectrum)) * audio.SAMPLE_RATE / audio.FFT_LENGTH
one_by_one = [power_at(hertz) for hertz in frequencies]
np.testing.assert_allclose(np.abs(spectrum) ** 2, one_by_one, rtol=1e-3, atol=1e-4)
print(f"equal in all {len(frequencies)} bins, {frequencies[1]} Hz apart")
plots.drawing("source_filter")

# %% [markdown]
# Both agree in all bins. The drawing shows what the spectrum of a vowel looks like: a shape that comes back $f_0$ times a second is made of tones at $f_0$, $2f_0$, $3f_0$ and so on, the
# *harmonics*. Throat and mouth make some of them stronger: the formants F₁ to F₄.
#
# The angle of $X[k]$ is called the [*phase*](../docs/glossary.md#phase). We throw it away here, and the
# [bonus lesson](01b_reading_files.ipynb) lets you hear what that costs.
#
# ## Why a frame needs a window
#
# Cutting changes the sound. The frame now begins and ends with a jump, and a jump, like a click, contains all frequencies. The fix:
# fade each frame in and out with a [*window*](../docs/glossary.md#window). Ours is named after von Hann:
#
# $$w[n]=\tfrac12-\tfrac12\cos\frac{2\pi n}{L}$$
#
# We try it on a pure tone. Powers differ so much that we draw them in [*decibels*](../docs/glossary.md#decibel), which count
# factors of ten: 10 dB less is a tenth of the power, 20 dB less a hundredth.
#
# $$10\log_{10}\frac{P}{P_0}\;\mathrm{dB}=20\log_{10}\frac{A}{A_0}\;\mathrm{dB}\qquad\text{for powers }P\text{, amplitudes }A$$
#
# $P_0$ and $A_0$ are what we compare with, here the peak of the tone.

# %%
tone = np.sin(2 * np.pi * 1_015 * time)  # 1,015 Hz: between two bins
fine = np.linspace(0, audio.SAMPLE_RATE / 2, 2_049)  # hertz: zeros up to 4,096 samples
far = (fine > 2_000) & (fine < 3_000)
decibels = {}
for name, taper in {"cut": 1, "with a Hann window": audio.window()}.items():
    power = np.abs(np.fft.rfft(tone * taper, n=4_096)) ** 2
    decibels[name] = 10 * np.log10(power / power.max() + 1e-12)
    largest = decibels[name][far].max()
    print(f"{name}: {largest:.0f} dB at most between 2,000 and 3,000 Hz")

# %% [markdown] tags=["slide", "only-slides"]
# ## Cutting changes the sound
#
# One pure tone. What is the rest of the blue line?

# %% tags=["fold", "more", "no-code"]
# @title Draw: one tone, cut and windowed {display-mode: "form"}
figure, panels = plt.subplots(
    1, 2, figsize=(10, 3.2), layout="constrained", width_ratios=[2, 1]
)
for name, line in decibels.items():
    for axes in panels:
        axes.plot(fine, line, label=name)
panels[0].set(ylabel="power (dB, 0 = the tone)", ylim=(-120, 5))
panels[0].set_title("one tone of 1,015 Hz, one frame")
panels[1].set(xlim=(900, 1_130), ylim=(-12, 1), title="its peak, enlarged")
for axes in panels:
    axes.set_xlabel("frequency (Hz)")
panels[0].legend()
fact = "the window takes away the power far from the tone, and widens the peak"
plots.show(figure, fact)

# %% [markdown] tags=["notes"]
# Ask: how many tones were played? One. So the scissors made everything between 2,000 and 3,000 Hz. Then the cost: where is the orange line WORSE? (At the peak, which is wider.)

# %% [markdown]
# There is no tone between 2,000 and 3,000 Hz, and yet the cut frame shows power there. This is [*leakage*](../docs/glossary.md#leakage). The window nearly
# removes it, at a cost: the peak gets wider.
#
# ## The short-time Fourier transform, by hand
#
# Take a frame, multiply it by the window, transform it, move on by 10 ms, and repeat. The step is called the *hop*, here $H=80$
# samples. Frame number $m$ begins at sample $mH$:
#
# $$X[m,k]=\sum_{n=0}^{L-1}w[n]\,x[n+mH]\,e^{-j2\pi kn/N},\qquad M=1+\left\lfloor\frac{S-L}{H}\right\rfloor$$
#
# $M$ is the number of whole frames in $S$ samples. Frames overlap by more than half, so whatever one frame fades out is in the middle of
# another. Six lines of NumPy make the table, the [*spectrogram*](../docs/glossary.md#spectrogram) $P[m,k]=|X[m,k]|^2$.

# %% [markdown] tags=["slide", "only-slides"]
# ## Six lines: a list becomes a table

# %% tags=["more"]
count = 1 + (len(waveform) - audio.FRAME_LENGTH) // audio.FRAME_STEP
starts = audio.FRAME_STEP * np.arange(count)
framed = np.stack([waveform[s : s + audio.FRAME_LENGTH] for s in starts])
windowed = framed * audio.window()
spectra = np.fft.rfft(windowed, n=audio.FFT_LENGTH)
power = np.abs(spectra) ** 2
print("[frames, samples]", list(framed.shape), "→ [frames, bins]", list(power.shape))
plots.drawing("frames")

# %% [markdown] tags=["notes"]
# Read it line by line with the class. Before the print: how many rows, how many columns? 47 rows follow from the word's 3,897 samples; do the division on the board.
# 129 is half of 256, and one more.

# %% [markdown] tags=["slide", "only-slides"]
# ## The spectrogram of "six"

# %% tags=["more", "no-code"]
in_decibels = 10 * np.log10(power + audio.LOG_OFFSET)
axes = plots.spectrogram(in_decibels, title='"six": the spectrogram')
plots.show(
    axes, "the hisses reach the top; the vowel has one bright block below 500 Hz"
)

# %% [markdown]
# Find the five sounds again. The hisses spread over nearly all frequencies, up to the top. The vowel has one bright block low down and two weaker bands near 2,000 and 2,500 Hz: its
# formants. Before the last hiss there is the silence, and the release is one thin vertical line at its end.
#
# ## Time against frequency
#
# Why 25 ms? We make a sound that asks two questions at once: two clicks 15 ms apart, and two tones 60 Hz apart.
#
# **Predict, then run.** We look at it with frames of 4 ms and of 64 ms. Which picture shows two clicks, and which two tones?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: one sound, two questions
#
# Two clicks 15 ms apart; two tones 60 Hz apart.
#
# - We look with frames of 4 ms.
# - We look with frames of 64 ms.
#
# **Which picture shows two clicks, which two tones?**


# %% tags=["more", "no-code"]
def spectrogram_of(sound, frame_length):
    """Decibels [frames, bins], as in the six lines; one frame every 1 ms."""
    every = np.lib.stride_tricks.sliding_window_view(sound, frame_length)[::8]
    spectra = np.fft.rfft(every * audio.window(frame_length), n=1_024)
    return 10 * np.log10(np.abs(spectra) ** 2 + 1e-6)


turn = 2 * np.pi * np.arange(4_000) / audio.SAMPLE_RATE  # radians of 1 Hz, 0.5 s
questions = 0.1 * (np.sin(1_000 * turn) + np.sin(1_060 * turn))
questions[[2_000, 2_120]] += 2  # two clicks
Audio(questions, rate=audio.SAMPLE_RATE)

# %% [markdown] tags=["notes"]
# Have them draw both pictures on paper before you go on: time to the right, frequency upwards. Ask for a third opinion: is there a frame length that shows both?

# %% [markdown] tags=["slide", "only-slides"]
# ## No frame length shows both

# %% tags=["fold", "more", "no-code"]
# @title Draw: the same sound, short and long frames {display-mode: "form"}
figure, panels = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
for axes, samples in zip(panels, [32, 512]):
    table = spectrogram_of(questions, samples)
    title, middle = f"frames of {samples / 8:.0f} ms", samples / 16_000
    plots.spectrogram(table, axes=axes, start=middle, step=0.001, title=title)
    axes.images[0].set_clim(table.max() - 25, table.max())
    axes.set(ylim=(600, 1_500), xlim=(0.2, 0.32))
fact = "left: two vertical lines, the clicks; right: two bright horizontal lines"
plots.show(figure, fact)
plots.drawing("resolution")

# %% [markdown] tags=["notes"]
# Left: two thin vertical lines, and one thick tone that swells and fades. Right: two horizontal lines; the clicks are one smear. 25 ms is a compromise, not a law.

# %% [markdown]
# Short frames show when the clicks come, and blur the two tones into one that swells and fades. Long frames show two tones, and smear
# the clicks. (The faint stripes around the tones are the clicks, too: a click contains all frequencies.) No frame length does both. For any window, the spreads in time and in
# frequency obey $\sigma_t\,\sigma_f\ge\frac1{4\pi}$ (Gabor 1946): a tile in the drawing can change its shape, not its area.
#
# With 25 ms we see how the formants move. We lose most of the single harmonics of a voice. For words that is a good compromise. The
# [bonus lesson](01b_reading_files.ipynb) measures it, and lets you hear it.
#
# ## Mel: frequency as the ear spaces it
#
# From 200 to 400 Hz, a doubling, we hear a large step: an octave, twelve keys of a piano. From 3,200 to 3,400 Hz, as many hertz, it is one key. The [*mel* scale](../docs/glossary.md#mel-scale)
# spaces frequencies roughly as the ear does:
#
# $$\mathrm{mel}(f)=2595\log_{10}\left(1+\frac f{700}\right)$$
#
# We place 42 edges from 20 to 4,000 Hz, evenly in mel. The edges are $e_0$ to $e_{41}$; band $b$, from 1 to 40, is a triangle that rises from edge $e_{b-1}$ to $e_b$ and falls to $e_{b+1}$; so 42 edges make 40 bands:
#
# $$W_b(f)=\max\left(0,\min\left(\frac{f-e_{b-1}}{e_b-e_{b-1}},\frac{e_{b+1}-f}{e_{b+1}-e_b}\right)\right)$$

# %%
lowest, highest = 2595 * np.log10(1 + np.array([audio.MEL_LOW, audio.MEL_HIGH]) / 700)
mels = np.linspace(lowest, highest, audio.N_MELS + 2)  # even steps in mel
edges = 700 * (10 ** (mels / 2595) - 1)  # the same places in hertz
rising = (frequencies[:, None] - edges[:-2]) / np.diff(edges[:-1])  # [129, 40]
falling = (edges[2:] - frequencies[:, None]) / np.diff(edges[1:])
filters = np.maximum(0, np.minimum(rising, falling))
np.testing.assert_allclose(filters, audio.mel_filters(), atol=1e-6)
steps = np.diff(edges[1:-1])
print("[bins, bands]", list(filters.shape))
print(f"from band to band: {mels[1] - mels[0]:.1f} mel everywhere;")
print(f"{steps[0]:.0f} Hz at the bottom, {steps[-1]:.0f} Hz at the top")

# %% [markdown] tags=["slide", "only-slides"]
# ## Mel: frequency as the ear spaces it
#
# 200 to 400 Hz, or 3,200 to 3,400: which is the larger step?

# %% tags=["fold", "more", "no-code"]
# @title Draw: the forty mel bands {display-mode: "form"}
axes = plt.subplots(figsize=(9, 2.6), layout="constrained")[1]
axes.plot(frequencies, filters, linewidth=1)
title = "mel bands: narrow below, wide above"
axes.set(xlabel="frequency (Hz)", ylabel="weight", title=title)
fact = "the triangles get wider to the right, so a band holds more and more bins"
plots.show(axes, fact)

# %% [markdown] tags=["notes"]
# Sing an octave, then a semitone, if you dare: both are 200 Hz here. Count the triangles below 1,000 Hz and above it. 129 bins become 40 bands.

# %% [markdown]
# The lower triangles look ragged because each spans only two or three bins.
#
# ## The logarithm
#
# One matrix product adds up the weighted powers of each band, its *energy*. Then comes the logarithm. The logarithm of 0 is minus infinity, so we add a small offset
# $\varepsilon=10^{-6}$ first:
#
# $$E[m,b]=\sum_kW_b(f_k)\,P[m,k],\qquad\mathbf x_m[b]=\ln\left(E[m,b]+\varepsilon\right)$$
#
# The vectors $\mathbf x_m$ are the [*log-mel*](../docs/glossary.md#log-mel) frames that our networks read. **Predict, then run.** How much of the word
# will you see without the logarithm?

# %%
mel_energy = power @ filters
by_hand = np.log(mel_energy + audio.LOG_OFFSET)
np.testing.assert_allclose(by_hand, audio.log_mel(waveform), atol=1e-3)
print("[frames, bins]", list(power.shape), "→ [frames, bands]", list(by_hand.shape))
large = mel_energy > mel_energy.max() / 100
print(f"{large.mean():.0%} of the energies exceed a hundredth of the largest")
print(f"one unit of natural logarithm = {10 / np.log(10):.2f} dB")
plots.drawing("stft")

# %% [markdown] tags=["slide", "only-slides"]
# ## The whole path

# %% tags=["fold", "more", "no-code"]
# @title Draw: the word at each step {display-mode: "form"}
figure, panels = plt.subplots(2, 2, figsize=(11, 6), layout="constrained", sharex=True)
first, second, third, fourth = panels.flat
plots.waveform(waveform, axes=first, title="1. waveform")
plots.spectrogram(in_decibels, axes=second, title="2. power in decibels")
plots.log_mel(mel_energy, axes=third, title="3. mel energy as it is")
plots.log_mel(by_hand, axes=fourth, title="4. log-mel frames, for the network")
figure.axes[-2].set_ylabel("energy")  # the colour bar of the third panel
first.set_xlabel("")
second.set_xlabel("")
plots.show(
    figure, "the third panel is nearly black; its logarithm shows the whole word"
)

# %% [markdown] tags=["notes"]
# Panels 3 and 4 hold the same numbers. Ask why a network, which multiplies and adds, is as blind as we are on panel 3. Then ask what each step loses: the phase, then detail in
# frequency. The logarithm loses nothing.

# %% [markdown]
# Without the logarithm one vowel outshines everything. The ear, too, works roughly with ratios. Your frames equal those of `audio.log_mel`, so from here
# on the course calls that function.
#
# ## What the sample rate cannot carry
#
# **Predict, then run.** A tone swings 3,000 times a second. We keep every second sample, so that 4,000 a second remain. What will you hear:
# the same tone, nothing, or another tone?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: every second sample
#
# A tone of 3,000 Hz, 8,000 samples a second.
# We keep every second sample.
#
# **Do you hear the same tone, nothing, or another tone?**

# %% [markdown] tags=["notes"]
# Hands for each of the three. Ask one of each group for the reason. Nearly everyone says "the same, only worse".

# %% [markdown] tags=["slide", "only-slides"]
# ## Another tone, which nobody played

# %% tags=["more", "no-code"]
seconds = np.arange(audio.SAMPLE_RATE) / audio.SAMPLE_RATE
high = 0.3 * np.sin(2 * np.pi * 3_000 * seconds)
half = high[::2]
filtered = soxr.resample(high, 8_000, 4_000)
for name, sound, rate in [("all samples", high, 8_000), ("every second", half, 4_000)]:
    strongest = np.abs(np.fft.rfft(sound)).argmax() * rate / len(sound)
    print(f"{name}: the strongest frequency is {strongest:.0f} Hz")
    display(Audio(sound, rate=rate))
print(f"power of every second sample: {np.mean(half**2):.4f}")
print(f"power after a real resampler: {np.mean(filtered**2):.4f}")
plots.drawing("folding")

# %% [markdown] tags=["notes"]
# Play both. Then draw the sine on the board with eight dots on every three periods, rub out every second dot, and let somebody draw the slowest wave through those that are left.
# Name it: aliasing. A resampler takes the high part out first.

# %% [markdown]
# You hear another tone, which nobody played. A sample rate carries frequencies up to its half, the *Nyquist frequency* $f_{\mathrm N}$.
# What lies above is folded back below it ([*aliasing*](../docs/glossary.md#aliasing)):
#
# $$f_{\mathrm N}=\frac{f_s}{2},\qquad f_{\mathrm{alias}}=\left|\,f-f_s\,\mathrm{round}(f/f_s)\,\right|,\qquad|3000-4000|=1000$$
#
# A resampler removes what the new rate cannot carry before it drops samples. So `audio.read` resamples each file to one rate, 8,000 Hz, as in a telephone. That
# is barely enough to tell "six" from "fix", whose first sounds differ most above 4,000 Hz. It is plenty for ten digits.
#
# ## The same steps in tensorflow-io
#
# `audio.read` decodes files with *soundfile*. The package *tensorflow-io* decodes them inside TensorFlow. It has no version for Windows, nor for Colab's Python, and
# the course runs without it. Three cells show what it can do; the [bonus lesson](01b_reading_files.ipynb) shows the rest. The first decodes a FLAC file. The second
# opens a long recording, and reads one second of it. The third makes log-mel frames of its own, and compares them with ours.

# %%
try:
    import tensorflow_io as tfio
except ImportError:
    tfio = None
needs = "needs tensorflow-io: Linux or an Apple-silicon Mac, Python 3.10 to 3.12"
folder = tempfile.mkdtemp()
flac = f"{folder}/six.flac"
soundfile.write(flac, waveform, audio.SAMPLE_RATE)
if tfio:
    decoded = tfio.audio.decode_flac(tf.io.read_file(flac), dtype=tf.int16)[:, 0]
    same = np.array_equal(decoded, soundfile.read(flac, dtype="int16")[0])
print(f"the same samples as soundfile: {same}" if tfio else needs)

# %%
long_recording = np.concatenate([audio.read(path) for path in clips.path[:600]])
wav = f"{folder}/long.wav"
soundfile.write(wav, long_recording, audio.SAMPLE_RATE)
if tfio:
    recording = tfio.audio.AudioIOTensor(wav)  # opened, not read
    piece = recording[160_000:168_000].numpy()[:, 0] / 32_768  # 16 bits → full scale
    np.testing.assert_allclose(piece, long_recording[160_000:168_000], atol=1e-4)
    minutes = len(long_recording) / audio.SAMPLE_RATE / 60
print(f"read {len(piece):,} samples of {minutes:.1f} minutes" if tfio else needs)

# %%
if tfio:
    magnitude = tfio.audio.spectrogram(waveform, nfft=256, window=200, stride=80)
    options = {"rate": 8_000, "mels": 40, "fmin": 20, "fmax": 4_000}
    energies = tfio.audio.melscale(magnitude**2, **options)
    theirs = np.log(energies + audio.LOG_OFFSET)
    apart = np.abs(theirs[: len(by_hand)] - by_hand).max()
    print(f"{len(theirs)} frames, ours {len(by_hand)}; at most {apart:.3f} apart")
else:
    print(needs)

# %% [markdown]
# They agree to about a hundredth, because the triangles of tensorflow-io have slightly curved sides. It also pads the end with zeros, so it has more frames. Neither is wrong,
# but use the same function for training and later. That is why this course has one function for it.
#
# ## Take it home
#
# TensorFlow alone can do the whole path, in a dozen lines. The recipe needs a `path` to a WAV file of 8 kHz.

# %%
path = f"{folder}/six.wav"
soundfile.write(path, waveform, audio.SAMPLE_RATE)

# %% tags=["recipe"]
# Before: `path`, a WAV file of 8 kHz. After: `frames`, its log-mel frames [time, 40].
import numpy as np
import tensorflow as tf

samples = tf.audio.decode_wav(tf.io.read_file(path), desired_channels=1).audio[:, 0]
# frames times a Hann window, which is the default of stft
spectra = tf.signal.stft(samples, frame_length=200, frame_step=80, fft_length=256)
lowest, highest = 2595 * np.log10(1 + np.array([20, 4_000]) / 700)
edges = 700 * (10 ** (np.linspace(lowest, highest, 42) / 2595) - 1)
bins = np.arange(129)[:, None] * 8_000 / 256
rising = (bins - edges[:-2]) / np.diff(edges[:-1])
falling = (edges[2:] - bins) / np.diff(edges[1:])
filters = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
frames = np.log(tf.abs(spectra) ** 2 @ filters + 1e-6)

# %%
np.testing.assert_allclose(frames, audio.log_mel(audio.read(path)), atol=1e-3)
print("[time, bands]", list(frames.shape), "equal to audio.log_mel")

# %% [markdown] tags=["slide", "only-slides"]
# ## Your turn: how many frames?
#
# - 200 samples a frame, a hop of 80.
# - How many whole frames in 200, 279, 280, 50 samples?
#
# Write `frames_in(samples)`: exercise 1.

# %% [markdown] tags=["notes"]
# On paper first: the four numbers as four drawings. The fence-post mistake is the point of the exercise. Then exercise 2; exercise 3 puts the whole lesson into one function and
# fits best into the time that is left.

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** Write `frames_in(samples)`: how many whole frames fit into a waveform of `samples` samples? Use
# `audio.FRAME_LENGTH` and `audio.FRAME_STEP`. A waveform shorter than a frame has none.


# %% tags=["solution"]
def frames_in(samples):
    """How many whole frames fit."""
    return max(0, 1 + (samples - audio.FRAME_LENGTH) // audio.FRAME_STEP)


# %% tags=["check"]
assert isinstance(frames_in(200), (int, np.integer)), (
    f"frames_in should return a whole number, you return {frames_in(200)!r}"
)
assert frames_in(200) == 1, (
    f"200 samples hold one frame, you found {frames_in(200)}: "
    "is the FIRST frame counted?"
)
assert frames_in(279) == 1 and frames_in(280) == 2, (
    "the second frame needs FRAME_STEP samples more, not one less"
)
assert frames_in(50) == 0, (
    f"50 samples hold no frame, you found {frames_in(50)}: what does a short one give?"
)
assert frames_in(len(waveform)) == len(by_hand), (
    "your count for the word differs from the table's number of rows"
)
for samples in [0, 1, 121, 199, *np.random.default_rng(7).integers(200, 50_000, 200)]:
    possible_starts = range(0, samples - audio.FRAME_LENGTH + 1, audio.FRAME_STEP)
    assert frames_in(samples) == len(possible_starts), (
        "for a length that was not named your count is wrong: "
        "draw the frames, one by one"
    )
print(f"{len(waveform):,} samples hold {frames_in(len(waveform))} frames")

# %% [markdown]
# **Exercise 2.** Write `to_decibels(energy)`, 10 times the logarithm to base 10, for an array of energies. An energy below
# `1e-10` counts as `1e-10`, so that silence gives −100 dB. The check then computes the *RMS level* of the word, $10\log_{10}\frac1S\sum_nx[n]^2$ in dB
# of full scale (dBFS). A sine from −1 to 1 has a mean square of ½, so its level is −3.01 dBFS.


# %% tags=["solution"]
def to_decibels(energy):
    """Energies in decibels, not below -100."""
    return 10 * np.log10(np.maximum(energy, 1e-10))


# %% tags=["check"]
energies = np.array([1.0, 10.0, 100.0, 0.0, 5e-11])
given = energies.copy()
with np.errstate(all="ignore"):
    answer = to_decibels(given)
    assert answer is not None, "to_decibels should return an array"
    assert np.shape(answer) == (5,), (
        f"five energies should give five numbers, found the shape {np.shape(answer)}"
    )
    assert np.isfinite(answer).all(), (
        "the logarithm of 0 is not a finite number: what counts in place of a 0?"
    )
    first = answer[:3].round(1)
    ratio = "ten times the energy should be 10 dB more, and an energy of 1 is 0 dB"
    assert np.allclose(first, [0, 10, 20]), f"1, 10, 100 give {first}: {ratio}"
    assert np.isclose(answer[3], -100), (
        f"silence should give -100 dB, you found {answer[3]:.1f}"
    )
    assert np.isclose(answer[4], -100), (
        f"5e-11 is below 1e-10, yet it gives {answer[4]:.1f} dB: raise it, add nothing"
    )
    assert np.array_equal(given, energies), (
        "your function changes the array that it was given: work on a new one"
    )
    others = 10.0 ** np.random.default_rng(5).uniform(-14, 3, 42)
    expected = np.clip(np.log(others) / np.log(10) * 10, -100, None)
    assert np.allclose(to_decibels(others), expected), (
        "for other energies it is wrong: is each treated by itself, as the text says?"
    )
full_sine = np.mean(np.sin(2 * np.pi * np.arange(8_000) / 8) ** 2)
levels = to_decibels(np.array([2.0, np.mean(waveform**2), full_sine]))
print(f"twice the energy is {levels[0]:.2f} dB more")
print(f"level of the word {levels[1]:.1f} dBFS, of a full-scale sine {levels[2]:.2f}")

# %% [markdown]
# **Exercise 3.** Put it all together: write `my_log_mel(sound)`, which turns any waveform `[samples]` into its log-mel frames. Use the steps of this
# lesson, without `audio.log_mel`. `filters`, `audio.window()` and the constants in `audio` are there.


# %% tags=["solution"]
def my_log_mel(sound):
    """The log-mel frames [frames, 40] of a waveform."""
    count = 1 + (len(sound) - audio.FRAME_LENGTH) // audio.FRAME_STEP
    starts = audio.FRAME_STEP * np.arange(count)
    framed = np.stack([sound[s : s + audio.FRAME_LENGTH] for s in starts])
    spectra = np.fft.rfft(framed * audio.window(), n=audio.FFT_LENGTH)
    return np.log(np.abs(spectra) ** 2 @ filters + audio.LOG_OFFSET)


# %% tags=["check"]
other = audio.read(clips.path.iloc[5])
answer, wanted = my_log_mel(other), audio.log_mel(other)
assert answer is not None, "my_log_mel should return an array"
found, shape = np.asarray(answer), wanted.shape
assert found.shape != by_hand.shape or shape == by_hand.shape, (
    "those are the frames of the word above: use the sound that the function is given"
)
assert found.ndim == 2 and found.shape[1] == shape[1], (
    f"expected [frames, {shape[1]}], found {list(found.shape)}: are the bins summed?"
)
assert len(found) == shape[0], (
    f"another word has {shape[0]} frames, you found {len(found)}: count the whole ones"
)
assert np.isfinite(found).all(), "some values are not finite: what is added first?"
for name, scale in [("base 10", 1 / np.log(10)), ("decibels", 10 / np.log(10))]:
    assert not np.allclose(found, wanted * scale, rtol=1e-3, atol=1e-3), (
        f"that is the logarithm in {name}: use the natural one"
    )
assert not np.allclose(found, np.exp(wanted), rtol=1e-3), "the logarithm is missing"
views = np.lib.stride_tricks.sliding_window_view(other, 200)[::80]
for name, taper, exponent in [("window", 1, 2), ("square", audio.window(), 1)]:
    sizes = np.abs(np.fft.rfft(views * taper, n=256)) ** exponent
    table = np.log(sizes @ audio.mel_filters() + audio.LOG_OFFSET)
    assert not np.allclose(found, table, atol=1e-3), f"the {name} is missing"
assert np.allclose(found, wanted, atol=2e-3), (
    "the shape is right and the values are not: compare step by step with the lesson"
)
print(f"{len(found)} frames of another word, equal to audio.log_mel")

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz
#
# 1. Longer frames separate two close tones. What do they lose? A. how strong the tones are; B. when something happened; C. the high frequencies
# 2. Why is each frame multiplied by a window? A. a cut frame has jumps at its ends; B. the ear has a window as well; C. it makes the transform faster
# 3. Why does the network get the logarithm? A. it turns energies into hertz; B. it removes noise; C. one vowel would outshine everything else

# %% [markdown] tags=["notes"]
# Right are 1 B, 2 A, 3 C. The reasons stand in the notebook.

# %% [markdown]
# **You have seen**
# - one frame and its frequencies, by cosines and sines and by the Fourier transform;
# - a spectrogram, mel bands and a logarithm built by hand, equal to the course's function;
# - that short frames show time and long ones show frequency, and that half the sample rate is the limit;
# - the whole path in plain TensorFlow.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. Longer frames separate two close tones. What do they lose?**
#
# <details><summary>A. How strong the tones are.</summary>No: the power is there in both; only the place where it is drawn changes.</details>
# <details><summary>B. When something happened.</summary>Yes: everything within a frame becomes one column, so two clicks run together.</details>
# <details><summary>C. The high frequencies.</summary>No: the sample rate decides how high the spectrum goes.</details>
#
# **2. Why is each frame multiplied by a window before the Fourier transform?**
#
# <details><summary>A. A cut frame begins and ends with a jump, and a jump contains all frequencies.</summary>Yes: the window lowers this leakage, and the peak becomes somewhat wider.</details>
# <details><summary>B. The ear has such a window as well.</summary>No: the mathematics of cutting asks for it, not the ear.</details>
# <details><summary>C. It makes the transform faster.</summary>No: the zeros up to a power of two do that; the window costs a multiplication.</details>
#
# **3. Why does the network get the logarithm of the mel energies?**
#
# <details><summary>A. It turns the energies into hertz.</summary>No: the mel filters have already set which frequencies each band holds.</details>
# <details><summary>B. It removes the noise.</summary>No: noise is still there, and even easier to see.</details>
# <details><summary>C. One vowel would outshine everything else.</summary>Yes: the logarithm turns ratios into differences, so that quiet hisses can be seen beside loud vowels.</details>
#
# Next: [02 A baseline, and an honest split](02_a_baseline_and_an_honest_split.ipynb). Bonus: [01b Reading files, and the long way round](01b_reading_files.ipynb).
#
# *Recordings in this notebook: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
