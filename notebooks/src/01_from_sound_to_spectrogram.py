# %% [markdown]
# # 01 · From sound to spectrogram
#
# A network for sound is fed pictures. In this lesson you build such a picture by hand, from the numbers that a microphone
# wrote to the numbers that a recurrent network reads, and you listen on the way to what is kept and what is lost.
#
# **You will**
# - build a spectrogram by hand: frames, a window, the Fourier transform, mel bands and a logarithm;
# - hear and see what the length of the window trades: time against frequency;
# - read sound files with soundfile and with tensorflow-io, and compare their answers.
#
# **Minutes:** 40, of which the computer takes less than one. **You need:** NumPy, and what a sine is.

# %% [markdown] tags=["slide", "only-slides"]
# ## How does a list of pressures become a picture?
#
# - What is kept on the way, and what is lost?
# - Can you hear the loss?

# %% [markdown] tags=["notes"]
# Ask the room to say "six" slowly, with a hand on the throat. When does the throat hum, and when not? Collect the parts on the board: hiss, vowel, silence, release, hiss.
# Everything today happens to this one word of half a second.

# %% tags=["setup"]
import setup_course

# %%
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import scipy.signal
import soundfile
import soxr
import tensorflow as tf
from IPython.display import Audio, display

from course_lib import audio, data, plots

# %% [markdown]
# ## A sound is a list of numbers
#
# The microphone's diaphragm moves; the converter measures where it is, thousands of times a second. One measurement is a
# [*sample*](../docs/glossary.md#sample). How many there are in a second is the [*sample rate*](../docs/glossary.md#sample-rate).

# %%
clips = data.load("digits")
sixes = clips[(clips.label == "6") & (clips.split == "test")]
clip = sixes.iloc[(sixes.seconds - 0.487).abs().argmin()]  # of about half a second
waveform = audio.read(clip.path)
length = len(waveform) / audio.SAMPLE_RATE
print(f"{len(waveform):,} samples / {audio.SAMPLE_RATE:,} a second = {length:.2f} s")
print(f"from {waveform.min():.3f} to {waveform.max():.3f} of full scale")

# %% [markdown] tags=["slide", "only-slides"]
# ## "Six": find the five parts

# %% tags=["more", "no-code"]
axes = plots.waveform(waveform, title=f'"six", spoken by {clip.group}')
loudest = np.abs(waveform).argmax() / audio.SAMPLE_RATE
plots.show(
    axes, f"the vowel is the loud part; the largest amplitude comes at {loudest:.2f} s"
)
Audio(waveform, rate=audio.SAMPLE_RATE)

# %% [markdown] tags=["notes"]
# Play it, then have somebody come to the picture and show the five parts. The release before the last hiss is the thin line that most miss.
# Ask: which of the five has a pitch? Then draw four periods of the vowel on the board, from the next picture of the lesson.

# %% [markdown]
# Say "six" slowly: a hiss, a vowel, a short silence while the back of the tongue shuts the way, a release and a hiss again.
# Find the five parts in the picture. The vowel is the loud part. Here are its loudest 25 milliseconds, drawn wide.

# %%
energy = np.convolve(waveform**2, np.ones(audio.FRAME_LENGTH), "valid")
loudest = int(energy.argmax())
frame = waveform[loudest : loudest + audio.FRAME_LENGTH]
rising = int(((frame[:-1] < 0) & (frame[1:] >= 0)).sum())
plots.show(
    plots.waveform(frame, title="25 ms of the vowel"),
    f"it crosses zero upwards {rising} times",
)

# %% [markdown]
# A shape comes back again and again: each time the vocal folds open, a puff of air rings through the throat and the mouth. How
# often it comes back in a second is the pitch of the voice; the shape between two puffs makes it the vowel of "six". In a
# hiss nothing comes back.
#
# ## What the sample rate throws away
#
# A tone of 3,000 Hz swings 3,000 times a second. **Predict, then run:** you keep every second sample, so that 4,000 a second
# remain. What do you hear: the same tone, nothing, or another tone?
#
# The cell asks with `np.fft.rfft`: it tells how much of each frequency is in a sound. Each frequency that it asks for is a [*bin*](../docs/glossary.md#bin); each answer
# is a complex number, whose squared size is the [*power*](../docs/glossary.md#power) and whose angle is the [*phase*](../docs/glossary.md#phase).

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: every second sample
#
# A tone of 3,000 Hz, 8,000 samples a second.
# You keep every second sample.
#
# **Do you hear the same tone, nothing, or another tone?**

# %% [markdown] tags=["notes"]
# Hands for each of the three. Ask one of each group for the reason. Nearly everyone says "the same, only worse".

# %% [markdown] tags=["slide", "only-slides"]
# ## Another tone, which nobody played


# %% tags=["more", "no-code"]
def strongest(sound, rate):
    """The frequency in hertz that holds most power."""
    power = np.abs(np.fft.rfft(sound)) ** 2
    return np.fft.rfftfreq(len(sound), 1 / rate)[power.argmax()]


seconds = np.arange(audio.SAMPLE_RATE) / audio.SAMPLE_RATE
tone = 0.3 * np.sin(2 * np.pi * 3_000 * seconds)
half = tone[::2]
print(f"at 8,000 samples a second: {strongest(tone, 8_000):.0f} Hz")
print(f"at 4,000 samples a second: {strongest(half, 4_000):.0f} Hz")
display(Audio(tone, rate=8_000), Audio(half, rate=4_000))

# %% [markdown] tags=["notes"]
# Play both. Then draw the sine on the board with eight dots on every three periods, rub out every second dot, and let somebody draw the slowest wave through those that are left.
# Name it: aliasing. A resampler takes the high part out first.

# %% [markdown]
# Another tone, which nobody played. A rate of 4,000 can carry frequencies up to half of it, 2,000 Hz; what lies above is
# folded back below. This is [*aliasing*](../docs/glossary.md#aliasing). A resampler takes the high frequencies out first, so that nothing folds.

# %%
resampled = soxr.resample(tone, 8_000, 4_000)
print(f"power after keeping every second sample: {np.mean(half**2):.4f}")
print(f"power after resampling: {np.mean(resampled**2):.7f}")

# %% [markdown]
# So `audio.read` resamples every file to one rate before anything else. The course uses 8,000 Hz, as a telephone does: it
# carries up to 4,000 Hz. For telling "six" from "fix" that is barely enough; for ten digits it is.
#
# ## One frame, and why it needs a window
#
# Which frequencies are in a sound? The [Fourier transform](../docs/glossary.md#fourier-transform) answers for a whole stretch at once. So cut a stretch that is short
# enough that the mouth hardly moves: a *frame* of 25 ms. But to cut is to change: at both ends the sound now starts and stops with a
# jump, and a jump, like a click, holds all frequencies.
#
# The mend is to fade the frame in and out, by a [*window*](../docs/glossary.md#window). Look at a pure tone of 1,015 Hz with and without. Its power is drawn in
# [*decibels*](../docs/glossary.md#decibel) (dB): 10 dB less is a tenth of the power, 20 dB less a hundredth.

# %% [markdown] tags=["slide", "only-slides"]
# ## To cut is to change
#
# One pure tone. What is the rest of the blue line?

# %% tags=["more", "no-code"]
one_tone = np.sin(2 * np.pi * 1_015 * seconds[: audio.FRAME_LENGTH])
frequencies = np.fft.rfftfreq(4_096, 1 / audio.SAMPLE_RATE)
axes = plt.subplots(figsize=(9, 3), layout="constrained")[1]
far = (frequencies > 2_000) & (frequencies < 3_000)
for name, fade in [
    ("cut", np.ones(audio.FRAME_LENGTH)),
    ("faded by a Hann window", audio.window()),
]:
    power = np.abs(np.fft.rfft(one_tone * fade, 4_096)) ** 2
    decibels = 10 * np.log10(power / power.max() + 1e-12)
    axes.plot(frequencies, decibels, label=name)
    print(f"{name}: {decibels[far].max():.0f} dB at most between 2,000 and 3,000 Hz")
axes.set(
    xlabel="frequency (Hz)",
    ylabel="power (dB, 0 = the tone)",
    ylim=(-120, 5),
    title="one tone, one frame",
)
axes.legend()
plots.show(
    axes,
    "both lines peak at the tone; "
    "away from it the faded one lies far below the cut one",
)

# %% [markdown] tags=["notes"]
# Ask: how many tones were played? One. So what lies between 2,000 and 3,000 Hz is made by the scissors. Then the price: ask where the orange line is WORSE. (At the top: its peak
# is wider.)

# %% [markdown]
# There is no tone between 2,000 and 3,000 Hz, and yet the cut frame shows power there: this is [*leakage*](../docs/glossary.md#leakage). The window lowers
# it by far, at a price that you see at the top: its peak is wider.
#
# ## The short-time Fourier transform, by hand
#
# Take a frame, fade it, transform it, step 10 ms on, and again. Six lines of NumPy turn a list of numbers into a table, the [*spectrogram*](../docs/glossary.md#spectrogram).

# %% [markdown] tags=["slide", "only-slides"]
# ## Six lines: a list becomes a table

# %% tags=["more"]
count = 1 + (len(waveform) - audio.FRAME_LENGTH) // audio.FRAME_STEP
starts = audio.FRAME_STEP * np.arange(count)
framed = np.stack([waveform[start : start + audio.FRAME_LENGTH] for start in starts])
windowed = framed * audio.window()
spectrum = np.fft.rfft(windowed, n=audio.FFT_LENGTH)
power = np.abs(spectrum) ** 2
print("[frames, samples]", list(framed.shape), "→ [frames, bins]", list(power.shape))

# %% [markdown] tags=["notes"]
# Read it line by line with the class: take a frame, fade it, transform it, step on. Before the last line: how many rows, how many columns? 47 rows follow from the word's 3,897
# samples; do the division on the board.
# 129 is half of 256, and one more.

# %% [markdown]
# A frame overlaps the next by more than half, so that what the window fades in one is in the middle of another. The last
# samples that do not fill a frame are left out. Zeros fill each frame up to 256 samples, because the fast Fourier transform likes powers
# of two; the bins are then 31.25 Hz apart.

# %%
axes = plots.spectrogram(
    10 * np.log10(power + audio.LOG_OFFSET), title='"six": the spectrogram'
)
high = power[:, 64:].sum(axis=1) > power[:, :64].sum(axis=1)
plots.show(
    axes,
    f"in {high.sum()} of {len(power)} frames, "
    "the hisses, most power lies above 2,000 Hz",
)

# %% [markdown]
# Find the five parts of the word again. The hisses are high up; the vowel has bright bands (the [*formants*](../docs/glossary.md#formant), the
# resonances of throat and mouth); between the vowel and the last hiss there is the silence.
#
# ## Time against frequency
#
# Why 25 ms? Make a sound that asks two questions at once: two clicks 15 ms apart, and two tones 60 Hz apart.

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: one sound, two questions
#
# Two clicks 15 ms apart; two tones 60 Hz apart.
#
# - A window of 4 ms looks at it.
# - A window of 64 ms looks at it.
#
# **Which sees two clicks, which two tones?**

# %% tags=["more", "no-code"]
angle = 2 * np.pi * seconds[:4_000]
questions = 0.2 * (np.sin(1_000 * angle) + np.sin(1_060 * angle))
questions[[2_000, 2_000 + 120]] += 2
Audio(questions, rate=audio.SAMPLE_RATE)

# %% [markdown] tags=["notes"]
# Have them draw both pictures on paper before you go on: time to the right, frequency upwards. Ask for a third opinion: is there a window that sees both?

# %% [markdown]
# **Predict, then run.** One window of 4 ms and one of 64 ms look at this sound. Which sees two clicks, which two tones?

# %% [markdown] tags=["slide", "only-slides"]
# ## No window shows both

# %% tags=["more", "no-code"]
figure, panels = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
for axes, samples in zip(panels, [32, 512]):
    _, _, table = scipy.signal.stft(
        questions, nperseg=samples, noverlap=samples - 8, nfft=1_024
    )
    decibels = 10 * np.log10(np.abs(table.T) ** 2 + 1e-8)
    plots.spectrogram(
        decibels,
        axes=axes,
        start=0,
        step=0.001,
        title=f"a window of {samples / 8:.0f} ms",
    )
    axes.images[0].set_clim(-80, -10)
    axes.set(ylim=(600, 1_500), xlim=(0.2, 0.32))
plots.show(
    figure, "left two upright lines, 15 ms apart; right two level lines, 60 Hz apart"
)

# %% [markdown]
# The short window shows two thin lines, the clicks, and one thick tone that swells and fades: the two tones beat against each
# other, and the window is too short to part them. The long one shows two tones, and the clicks run together into one long smear. No window shows both: its length in time and its width in frequency cannot both be small. A table
# with numbers: how deep is the valley between the two clicks, and between the two tones?


# %% tags=["more", "no-code"]
def valley(curve, first, second):
    """How many decibels the least value between two places lies below them."""
    return 10 * np.log10(
        min(curve[first], curve[second]) / curve[first : second + 1].min()
    )


rows = {}
for samples in [32, 128, 200, 512]:
    _, _, table = scipy.signal.stft(
        questions, nperseg=samples, noverlap=samples - 1, nfft=8_000
    )
    in_time = (np.abs(table[2_500:3_500]) ** 2).mean(axis=0)
    in_frequency = (np.abs(table[:, 500:1_500]) ** 2).mean(axis=1)
    clicks, tones = valley(in_time, 2_000, 2_120), valley(in_frequency, 1_000, 1_060)
    rows[f"{samples / 8:.0f} ms"] = {
        "between the clicks": clicks,
        "between the tones": tones,
    }
pd.DataFrame(rows).T.rename_axis("dB").round(1)

# %% [markdown] tags=["notes"]
# Left: two thin upright lines, and one thick tone that beats. Right: two level lines, and a smear. In the table no row has both columns large; our 25 ms is a bargain, not a law.

# %% [markdown]
# At 25 ms the clicks are still two, and the tones are one. No row has both columns large.
#
# ### Hear it
#
# Take the word, keep only the *power* of its spectrogram, put random phases in the place of its own, and turn the table back into
# sound. The phases say when, inside a window, each wave is at its peak. What you still hear is what the window tells by power alone.


# %%
def without_phase(sound, samples):
    """The sound rebuilt from its spectrogram's powers alone, with random phases."""
    settings = {"nperseg": samples, "noverlap": samples * 3 // 4}
    table = scipy.signal.stft(sound, **settings)[2]
    turns = np.exp(2j * np.pi * np.random.default_rng(0).random(table.shape))
    return scipy.signal.istft(np.abs(table) * turns, **settings)[1][: len(sound)]


Audio(without_phase(waveform, audio.FRAME_LENGTH), rate=audio.SAMPLE_RATE)

# %% [markdown]
# That was a window of 25 ms. To say in numbers what survives, measure two things: how the loudness moves in time, and whether
# the vowel still has a pitch.


# %%
def loudness(sound):
    """The level of each 10 ms."""
    return np.sqrt((sound[: len(sound) // 80 * 80].reshape(-1, 80) ** 2).mean(axis=1))


def periodicity(sound):
    """How alike the vowel is to itself one period later: 1 is a clear pitch, 0 none."""
    vowel = sound[loudest - 200 : loudest + 400]
    periods = range(30, 120)  # samples: pitches from 267 down to 67 Hz
    return max(np.corrcoef(vowel[:-period], vowel[period:])[0, 1] for period in periods)


# %% [markdown] tags=["slide", "only-slides"]
# ## Hear what each window keeps
#
# The power is kept, the phase is thrown away.

# %% tags=["more", "no-code"]
print(f"the original: a pitch of {periodicity(waveform):.2f}")
for samples in [32, 200, 2_048]:
    rebuilt = without_phase(waveform, samples)
    kept = np.corrcoef(loudness(waveform), loudness(rebuilt))[0, 1]
    pitch = periodicity(rebuilt)
    print(
        f"a window of {samples / 8:.0f} ms: loudness kept {kept:.2f}, pitch "
        f"{pitch:.2f} (1 = wholly)"
    )
    display(Audio(rebuilt, rate=audio.SAMPLE_RATE))

# %% [markdown] tags=["notes"]
# Play the three without saying which is which: which one whispers, which one stands in a church? Then the numbers. The middle one is the bargain that most speech recognisers
# make.

# %% [markdown]
# With the shortest window the timing is right and the voice has lost its pitch: it whispers. With the longest the pitch is back, and the
# word is smeared, as in a church. At 25 ms the timing is kept and the pitch is rough. For words that is the better bargain: what
# tells them apart is how the resonances move, more than the exact pitch. Most speech recognisers use frames of about this length.
#
# ## Mel: pitch as the ear spaces it
#
# From 200 to 400 Hz is an octave, twelve semitones; from 3,200 to 3,400 Hz, as many hertz, is one semitone. The [*mel* scale](../docs/glossary.md#mel-scale) spaces
# frequencies roughly as the ear does: the higher, the wider its steps in hertz. Forty triangles, evenly spaced in mel, add up the bins.

# %% [markdown] tags=["slide", "only-slides"]
# ## Mel: pitch as the ear spaces it
#
# 200 to 400 Hz, or 3,200 to 3,400: which is more?

# %% tags=["more", "no-code"]
filters = audio.mel_filters()
axes = plt.subplots(figsize=(9, 2.6), layout="constrained")[1]
axes.plot(
    np.arange(len(filters)) * audio.SAMPLE_RATE / audio.FFT_LENGTH, filters, linewidth=1
)
axes.set(
    xlabel="frequency (Hz)",
    ylabel="weight",
    title="mel bands: narrow below, wide above",
)
wide = (filters > 0).sum(axis=0)
plots.show(
    axes,
    f"{filters.shape[1]} triangles; the lowest spans {wide[0]} bins, "
    f"the highest {wide[-1]}",
)
mel = power @ filters
print("[frames, bins]", list(power.shape), "→ [frames, bands]", list(mel.shape))

# %% [markdown] tags=["notes"]
# Sing an octave, then a semitone, if you dare: both are 200 Hz here. Count the triangles below 1,000 Hz and above it. 129 bins become 40 bands.

# %% [markdown]
# The lower triangles look ragged because each spans two or three bins. How wide the steps are in hertz, exercise 4 tells.
#
# ## The logarithm
#
# Draw the mel energies as they are, and after a logarithm.

# %% [markdown] tags=["slide", "only-slides"]
# ## What the logarithm does
#
# Left and right are the same numbers. What is new?

# %% tags=["more", "no-code"]
figure, panels = plt.subplots(1, 2, figsize=(10, 3), layout="constrained")
plots.log_mel(mel, axes=panels[0], title="mel energy as it is")
plots.log_mel(np.log(mel + audio.LOG_OFFSET), axes=panels[1], title="its logarithm")
panels[0].figure.axes[2].set_ylabel("energy")
plots.show(
    figure,
    "on the left one bright spot in the dark; on the right the whole word can be seen",
)
print(
    f"{(mel > mel.max() / 100).mean():.1%} of the cells "
    "are above a hundredth of the largest;"
)
print(f"the largest is {mel.max() / np.median(mel):,.0f} times the median")

# %% [markdown] tags=["notes"]
# Nothing is new: the right picture has the same cells. Ask why a network, which multiplies and adds, is as blind as we are on the left.

# %% [markdown]
# Without the logarithm one vowel outshines everything. For the ear, loudness is a matter of ratios.
# Two units are common: the *decibel*, 10 log₁₀ of energy, and the natural logarithm, which this course feeds to its networks as [*log-mel*](../docs/glossary.md#log-mel) frames.
# They differ by a factor only. To an energy of 0 neither gives a number, so a small offset is added first.

# %%
print(f"one unit of natural logarithm = {10 / np.log(10):.2f} dB")
print(f"digital silence counts as {np.log(audio.LOG_OFFSET):.1f}")

# %% [markdown]
# ## By hand = by the helper
#
# From here on the course calls `audio.log_mel`. This cell checks, on this clip, that it does what you did.

# %%
by_hand = np.log(mel + audio.LOG_OFFSET)
np.testing.assert_allclose(by_hand, audio.log_mel(waveform), atol=1e-3)
apart = np.abs(by_hand - audio.log_mel(waveform)).max()
print(f"{by_hand.size:,} values, the largest difference {apart:.0e}")

# %% [markdown]
# The same clip at each step:

# %% [markdown] tags=["slide", "only-slides"]
# ## The whole way

# %% tags=["more", "no-code"]
figure, panels = plt.subplots(4, 1, figsize=(9, 7.6), layout="constrained")
plots.waveform(waveform, axes=panels[0], title="1. waveform")
plots.spectrogram(
    power, axes=panels[1], unit="power", title="2. power of each frame and bin"
)
decibels = 10 * np.log10(power + audio.LOG_OFFSET)
plots.spectrogram(decibels, axes=panels[2], title="3. the same in decibels")
plots.log_mel(
    by_hand, axes=panels[3], title="4. log-mel frames: what the network reads"
)
for axes in panels:
    axes.set_xlim(0, len(waveform) / audio.SAMPLE_RATE)
plots.show(
    figure,
    "all four share the time axis; "
    f"each row of the last is one of {by_hand.shape[1]} bands",
)
print(
    f"{len(waveform):,} samples → {power.size:,} "
    f"powers → {by_hand.size:,} log-mel values"
)

# %% [markdown] tags=["notes"]
# Ask for the number of values at each step, and for the one thing that is lost between two neighbours: phase; then nothing, since the logarithm can be undone; then fine pitch.

# %% [markdown]
# ## Reading files, twice
#
# `audio.read` decodes with *soundfile*, one file at a time, in Python. *tensorflow-io* decodes inside TensorFlow's *graph*, the
# steps that TensorFlow records and then runs without Python, so that a `tf.data` pipeline can read files in parallel with training. It has no package for every system, and the cells
# below run without it.

# %%
try:
    import tensorflow_io as tfio

    print(f"tensorflow-io {tfio.__version__}")
except ImportError:
    tfio = None
    print(
        "tensorflow-io has no package for this Python or system: "
        "the cells below go on without it"
    )

# %% [markdown]
# Do both read the same numbers? Write the word as FLAC, which loses nothing, and as Vorbis, which loses some.

# %%
folder = tempfile.mkdtemp()
for kind in ["flac", "ogg"]:
    soundfile.write(f"{folder}/six.{kind}", waveform, audio.SAMPLE_RATE)


# %%
@tf.function
def decode(path):
    """A FLAC file's samples, decoded inside the graph."""
    return tfio.audio.decode_flac(tf.io.read_file(path), dtype=tf.int16)


if tfio:
    in_graph = decode(f"{folder}/six.flac")[:, 0].numpy()
    in_python = soundfile.read(f"{folder}/six.flac", dtype="int16")[0]
    print(f"FLAC: {len(in_python):,} samples, {(in_graph != in_python).sum()} differ")
    decoded = tfio.audio.decode_vorbis(tf.io.read_file(f"{folder}/six.ogg"))
    in_graph = decoded[:, 0].numpy()
    in_python = soundfile.read(f"{folder}/six.ogg", dtype="float32")[0]
    apart = np.abs(in_graph - in_python).max()
    print(f"Vorbis: {len(in_python):,} samples, apart by {apart:.0e} at most")

# %% [markdown]
# A long recording need not be read to cut a piece from it. `AudioIOTensor` opens a file, and reads what you slice.

# %%
long_recording = np.concatenate([audio.read(path) for path in clips.path[:600]])
soundfile.write(f"{folder}/long.wav", long_recording, audio.SAMPLE_RATE)
piece = slice(20 * audio.SAMPLE_RATE, 21 * audio.SAMPLE_RATE)
if tfio:
    lazy = tfio.audio.AudioIOTensor(f"{folder}/long.wav")
    integers = lazy[piece.start : piece.stop].numpy()[:, 0]
    one_second = integers / 32_768  # 16 bits to full scale 1
    print(f"the file: {len(long_recording) / audio.SAMPLE_RATE / 60:.1f} minutes")
    print(f"read: {len(one_second):,} samples, from second 20 on")
    np.testing.assert_allclose(one_second, long_recording[piece], atol=1 / 32_768)

# %% [markdown]
# It has its own steps from waveform to decibels, too; the last of them squares what it is given, hence the square root.
# Beside the course's:

# %%
if tfio:
    magnitude = tfio.audio.spectrogram(
        waveform,
        nfft=audio.FFT_LENGTH,
        window=audio.FRAME_LENGTH,
        stride=audio.FRAME_STEP,
    )
    energies = tfio.audio.melscale(
        magnitude**2, rate=8_000, mels=audio.N_MELS, fmin=20, fmax=4_000
    )
    theirs = tfio.audio.dbscale(tf.sqrt(energies), top_db=100).numpy() * np.log(10) / 10
    figure, panels = plt.subplots(1, 2, figsize=(10, 3), layout="constrained")
    plots.log_mel(by_hand, axes=panels[0], title="the course's")
    plots.log_mel(theirs, axes=panels[1], title="tensorflow-io's")
    panels[1].images[0].set_clim(by_hand.min(), by_hand.max())
    apart = np.abs(by_hand - theirs[: len(by_hand)])
    plots.show(
        figure,
        f"the same word in both; {(apart < 0.3).mean():.0%} "
        "of the values differ by less than 0.3",
    )
    print(f"{len(by_hand)} frames here, {len(theirs)} there")
    print(f"median difference {np.median(apart):.2f}, largest {apart.max():.2f}")

# %% [markdown]
# The pictures are alike; most numbers agree, and some do not. tensorflow-io pads the end of the waveform, so that it has more
# frames; its triangles are straight in mel instead of in hertz; its decibels stop 100 below the loudest of the clip. Neither is wrong, and a model that is trained with one must be
# used with the same one. That is why this course has ONE function for it.
#
# Last, two steps that spoil a picture on purpose: hide a few bands, or a few frames, at random. A network that must do without them
# learns not to lean on any one of them ([*SpecAugment*](../docs/glossary.md#specaugment), Park and others 2019).

# %%
if tfio:
    tf.random.set_seed(3)
    hidden = tfio.audio.freq_mask(
        tfio.audio.time_mask(by_hand - by_hand.min(), param=12), param=10
    )
    axes = plots.log_mel(
        hidden.numpy() + by_hand.min(), title="some frames and some bands hidden"
    )
    plots.show(
        axes, "dark stripes, upright and level, where nothing is left of the word"
    )
    print(f"{(hidden.numpy() == 0).mean():.0%} of the values are hidden")

# %% [markdown] tags=["slide", "only-slides"]
# ## Your turn: how many frames?
#
# - 200 samples a frame, a step of 80.
# - How many whole frames in 200, 279, 280, 50 samples?
#
# Write `frames_in(samples)`: exercise 1.

# %% [markdown] tags=["notes"]
# On paper first: the four numbers as four drawings. The fence-post mistake is the point of the exercise. Then exercises 2 to 4; exercise 4, the mel formula, fits best into the
# time that is left.

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** Write `frames_in(samples)`: how many whole frames fit into a waveform of so many samples, with the course's
# `audio.FRAME_LENGTH` and `audio.FRAME_STEP`? A waveform shorter than a frame has none.


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
# `1e-10` counts as `1e-10`, so that silence gives −100 dB.


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
print(
    "ten times the energy is 10 dB more; "
    f"twice the energy is {to_decibels(np.array([2.0]))[0]:.1f} dB more"
)

# %% [markdown]
# **Exercise 3.** When, and at what frequency, is the word loudest? Set `loudest_frame` to the row of `by_hand` with the largest mean,
# and `loudest_hertz` to the centre of the largest band in that row; `audio.band_centres()` gives all forty centres in hertz.

# %% tags=["solution"]
loudest_frame = by_hand.mean(axis=1).argmax()
loudest_hertz = audio.band_centres()[by_hand[loudest_frame].argmax()]

# %% tags=["check"]
means = by_hand.mean(axis=1)
assert isinstance(loudest_frame, (int, np.integer)), (
    "`loudest_frame` should be the number of a row, a whole number"
)
found, rows, largest = int(loudest_frame), len(by_hand), int(means.argmax())
assert -rows <= found < rows, f"there is no row {found}: the word has {rows} frames"
of_cell = int(by_hand.max(axis=1).argmax())
of_bands = int(by_hand.mean(axis=0).argmax())
assert found == largest or found != of_bands, (
    f"{found} is the number of a BAND: average over the bands, not over the frames"
)
assert found == largest or found != of_cell, (
    f"frame {found} holds the largest single value; asked is the largest mean"
)
assert found == largest, (
    f"frame {found} has a mean of {means[found]:.2f}, and another one has more"
)
assert isinstance(loudest_hertz, float), (
    "`loudest_hertz` should be an entry of audio.band_centres()"
)
centres, band = audio.band_centres(), by_hand[largest].argmax()
right = np.isclose(loudest_hertz, centres[band])
assert right or not np.isclose(loudest_hertz, band), (
    "that is a band's number, not hertz"
)
assert right or not np.isclose(loudest_hertz, centres[of_bands]), (
    "that band is the largest over the whole word: look at that ONE frame"
)
assert right, f"{loudest_hertz:.0f} Hz is not the centre of that frame's largest band"
print(
    f"frame {loudest_frame}, at {loudest_frame * 10} ms, "
    f"is loudest around {loudest_hertz:.0f} Hz"
)

# %% [markdown]
# **Exercise 4.** The formula behind the bands: mel = 2595 log₁₀(1 + hertz / 700). Write it as `mel_of(hertz)`, for a number or a
# NumPy array.


# %% tags=["solution"]
def mel_of(hertz):
    """Frequencies on the mel scale."""
    return 2595 * np.log10(1 + hertz / 700)


# %% tags=["check"]
assert mel_of(0) is not None, "mel_of should return a number"
assert np.isclose(mel_of(0), 0), (
    f"0 Hz is 0 mel, you found {mel_of(0):.2f}: what is added before the logarithm?"
)
found = mel_of(1_000)
assert np.isclose(found, 1_000, atol=0.5), (
    f"1,000 Hz should be 1,000 mel, you found {found:.1f}: which logarithm is it?"
)
steps = np.diff(mel_of(audio.band_centres()))
assert np.allclose(steps, steps[0]), (
    "the bands' centres should be evenly spaced on your scale"
)
others = np.array([[63.0, 440.0], [2_718.0, 11_025.0]])
assert np.allclose(mel_of(others), 2595 / np.log(10) * np.log1p(others / 700)), (
    "for other frequencies, [2, 2] of them, it is wrong: compare with the formula"
)
hertz = np.diff(audio.band_centres())
print(
    f"from band to band: {steps[0]:.1f} mel; {hertz[0]:.0f} Hz at the bottom, "
    f"{hertz[-1]:.0f} Hz at the top"
)

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz
#
# 1. A longer window parts two close tones. What does it lose?
# 2. Why is each frame faded in and out?
# 3. Why does the network get the logarithm?

# %% [markdown] tags=["notes"]
# Right are 1 B, 2 A, 3 C. The choices stand in the notebook and on the quiz sheet. Question 1 again by ear: play the longest of the three windows.

# %% [markdown]
# **You have seen**
# - a spectrogram built by hand: frames, a window, the Fourier transform, mel bands and a logarithm;
# - what the length of the window trades: time against frequency, by eye and by ear;
# - soundfile and tensorflow-io read the same files, and where their pictures differ.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. A longer window shows two close tones apart. What does it lose?**
#
# <details><summary>A. The loudness of the tones.</summary>No: the power is there in both; what changes is where it is drawn.</details>
# <details><summary>B. When something happened.</summary>Yes: everything within the window is one column, so that two clicks run together.</details>
# <details><summary>C. The high frequencies.</summary>No: how high the spectrum goes is decided by the sample rate, not by the window.</details>
#
# **2. Why is each frame faded in and out before the Fourier transform?**
#
# <details><summary>A. A cut frame begins and ends with a jump, and a jump holds all frequencies.</summary>Yes: the window lowers this leakage, and the peak becomes somewhat wider.</details>
# <details><summary>B. The ear fades sounds as well.</summary>No: it is the mathematics of cutting that asks for it, not the ear.</details>
# <details><summary>C. It makes the transform faster.</summary>No: for speed, the frame is filled up with zeros to a power of two; the window costs a multiplication.</details>
#
# **3. Why does the network get the logarithm of the mel energies?**
#
# <details><summary>A. It turns the energies into hertz.</summary>No: which band is which pitch is settled by the mel filters before.</details>
# <details><summary>B. It removes the noise.</summary>No: noise is still there, and is even easier to see.</details>
# <details><summary>C. One vowel would outshine everything else.</summary>Yes: the logarithm makes ratios into differences, as the ear does, and quiet hisses can be seen beside loud vowels.</details>
#
# Next: [02 A baseline, and an honest split](02_a_baseline_and_an_honest_split.ipynb).
#
# *Recordings in this notebook: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
