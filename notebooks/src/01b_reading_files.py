# %% [markdown]
# # 01b · Reading files, and the long way round (bonus)
#
# Lesson 01 went straight from a waveform to log-mel frames. This lesson walks around that path. First: how do sound files become
# numbers, inside and outside TensorFlow? Then: what did we lose when we threw the phase away? Last: how well does a frame
# separate things in time and in frequency, in numbers? Nothing later needs this lesson.
#
# **You will**
# - read WAV, FLAC and Vorbis files with soundfile, TensorFlow and tensorflow-io, and compare what they give;
# - turn a spectrogram back into sound, without its phase and with a phase that you work out;
# - measure the resolution of four frame lengths.
#
# **Minutes:** 50, of which the computer takes less than one. **You need:** lesson 01, and complex numbers as NumPy has them (`abs`, `1j`).

# %% [markdown] tags=["slide", "only-slides"]
# ## Can a spectrogram become sound again?
#
# - A file becomes numbers, numbers become a picture.
# - Is there a way back?
# - What did the picture lose?

# %% [markdown] tags=["notes"]
# Ask: which step of lesson 01 could be undone, and which could not? Collect the answers on the board: logarithm yes, mel no, power no (the phase), frames yes.

# %% tags=["setup"]
import setup_course

# %%
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import scipy.signal
import soundfile
import soxr
import tensorflow as tf
from IPython.display import Audio, display

from course_lib import audio, data, plots

# %%
try:
    import tensorflow_io as tfio
except ImportError:
    tfio = None
needs = "needs tensorflow-io: Linux or an Apple-silicon Mac, Python 3.10 to 3.12"
clips = data.load("digits")
sixes = clips[(clips.label == "6") & (clips.split == "test")]
clip = sixes.loc[(sixes.seconds - 0.487).abs().idxmin()]  # the word of lesson 01
waveform = audio.read(clip.path)
print("tensorflow-io is here" if tfio else needs)

# %% [markdown]
# ## Three kinds of files
#
# WAV stores each sample as it is. FLAC packs them without loss. Vorbis (`.ogg`) keeps what the ear notices, and drops the rest.
#
# **Predict, then run.** We write the word in all three, and read it back. By how much does each differ from the original?

# %%
folder = tempfile.mkdtemp()
for kind in ["wav", "flac", "ogg"]:
    file = f"{folder}/six.{kind}"
    soundfile.write(file, waveform, audio.SAMPLE_RATE)
    again = soundfile.read(file, dtype="float32")[0]
    apart = np.abs(again - waveform).max()
    print(f"{kind}: {len(again):,} samples, at most {apart:.4f} of full scale apart")

# %% [markdown]
# WAV and FLAC give back 16-bit samples exactly. Vorbis does not; you would hardly hear it, but your network might. Never let one class come from
# Vorbis files and another from WAV files.
#
# ## Reading inside a pipeline
#
# `soundfile` runs in Python, one file at a time. TensorFlow can decode WAV itself, inside the *graph*: the steps that it records and
# then runs without Python. So a `tf.data` pipeline reads the next files while the model trains.


# %%
def samples_of(path):
    """The samples of a WAV file, decoded in the graph."""
    return tf.audio.decode_wav(tf.io.read_file(path), desired_channels=1).audio[:, 0]


paths = []
for number, source in enumerate(clips.path[:8]):
    paths.append(f"{folder}/{number}.wav")
    soundfile.write(paths[-1], audio.read(source), audio.SAMPLE_RATE)
pipeline = tf.data.Dataset.from_tensor_slices(paths)
pipeline = pipeline.map(samples_of, num_parallel_calls=tf.data.AUTOTUNE)
for batch in pipeline.padded_batch(4):
    print("[clips, samples]", batch.shape.as_list())

# %% [markdown]
# `padded_batch` fills the shorter clips with zeros up to the longest of their batch. Lesson 04 is about exactly this.
#
# TensorFlow alone decodes no other kind of file. *tensorflow-io* decodes FLAC, Vorbis and MP3 in the graph. Does it give the same numbers as soundfile?


# %%
@tf.function
def decode(path):
    """A FLAC file's samples, decoded in the graph."""
    return tfio.audio.decode_flac(tf.io.read_file(path), dtype=tf.int16)[:, 0]


if tfio:
    ours = soundfile.read(f"{folder}/six.flac", dtype="int16")[0]
    print(f"FLAC: {np.sum(decode(f'{folder}/six.flac') != ours)} samples differ")
    theirs = tfio.audio.decode_vorbis(tf.io.read_file(f"{folder}/six.ogg"))[:, 0]
    ours = soundfile.read(f"{folder}/six.ogg", dtype="float32")[0]
    print(f"Vorbis: at most {np.abs(theirs - ours).max():.0e} of full scale apart")
print("decoded in the graph" if tfio else needs)

# %% [markdown]
# FLAC is the same to the last bit. Vorbis is the same up to rounding.
#
# ## A piece of a long recording
#
# You need not read an hour to cut one second from it. `AudioIOTensor` opens a file and reads what you slice. So does soundfile, with
# `start` and `frames` (its word for samples).

# %%
long_recording = np.concatenate([audio.read(path) for path in clips.path[:600]])
file = f"{folder}/long.wav"
soundfile.write(file, long_recording, audio.SAMPLE_RATE)
begin, count = 20 * audio.SAMPLE_RATE, audio.SAMPLE_RATE
piece = soundfile.read(file, start=begin, frames=count, dtype="float32")[0]
print(f"{len(piece):,} of {len(long_recording):,} samples")
if tfio:
    recording = tfio.audio.AudioIOTensor(file)
    lazy = recording[begin : begin + count].numpy()[:, 0] / 32_768  # to full scale
    np.testing.assert_allclose(lazy, piece, atol=1e-6)
print("the same samples from tensorflow-io" if tfio else needs)

# %% [markdown]
# ## Another rate
#
# Lesson 01 dropped every second sample of a tone of 3,000 Hz, and a tone appeared that nobody played. A resampler filters first. Both
# libraries have one. We give each a tone that 4,000 samples a second can carry, and one that they cannot.

# %%
second = np.arange(audio.SAMPLE_RATE, dtype=np.float32) / audio.SAMPLE_RATE
for hertz in [1_000, 3_000]:
    tone = 0.3 * np.sin(2 * np.pi * hertz * second).astype(np.float32)
    print(f"{hertz:,} Hz: power {np.mean(tone**2):.4f}", end="")
    print(f", by soxr {np.mean(soxr.resample(tone, 8_000, 4_000) ** 2):.4f}", end="")
    if tfio:
        resampled = tfio.audio.resample(tone[:, None], 8_000, 4_000)
        print(f", by tensorflow-io {np.mean(resampled**2):.4f}", end="")
    print()

# %% [markdown]
# The lower tone passes, and the higher one is gone, as it should be.
#
# ## Log-mel frames of another make
#
# tensorflow-io has its own spectrogram, mel bands and decibels. We compare them with ours, one step at a time.

# %%
log_mel = audio.log_mel(waveform)
if tfio:
    power = np.abs(tf.signal.stft(waveform, 200, 80, 256)) ** 2  # as in lesson 01
    magnitude = tfio.audio.spectrogram(waveform, nfft=256, window=200, stride=80)
    apart = np.abs(magnitude[: len(power)] ** 2 - power).max()
    print(f"{len(magnitude)} frames, ours {len(power)}; power apart by {apart:.0e}")
    energies = tfio.audio.melscale(magnitude**2, 8_000, 40, 20, 4_000)[: len(power)]
    apart = np.abs(np.log(energies + audio.LOG_OFFSET) - log_mel).max()
    print(f"log-mel apart by {apart:.2f} at most")
    decibels = tfio.audio.dbscale(tf.sqrt(energies), top_db=60).numpy()
else:
    print(needs)

# %% tags=["fold", "more", "no-code"]
# @title Draw: two makes of log-mel frames {display-mode: "form"}
if tfio:
    figure, panels = plt.subplots(1, 2, figsize=(10, 3), layout="constrained")
    plots.log_mel(log_mel, axes=panels[0], title="the course's")
    plots.log_mel(decibels, axes=panels[1], title="tensorflow-io's, top_db=60")
    figure.axes[-1].set_ylabel("energy (dB)")
    floor = (decibels == decibels.min()).mean()
    fact = (
        f"on the right the softest {floor:.0%} of the values are cut off to one colour"
    )
    plots.show(figure, fact)
else:
    print(needs)

# %% [markdown]
# The powers agree, and the log-mel values almost do: the sides of its triangles are slightly bent. Three things to know before you mix them:
#
# - its spectrogram pads the end of the waveform with zeros, so it has more frames;
# - its `dbscale` squares its input, so it wants magnitudes (hence the square root);
# - `dbscale` cuts off at `top_db` below the loudest value of the clip, so one loud moment changes what quiet frames look like.
#
# None of this is wrong. A model must read in use what it read in training.
#
# ## Hiding bands and frames
#
# Two functions spoil a picture on purpose: they hide some bands or some frames at random. A network that must do without
# them learns not to depend on any one ([*SpecAugment*](../docs/glossary.md#specaugment), Park and others 2019). Lessons 11 and 14 train with it.

# %%
if tfio:
    tf.random.set_seed(3)
    shifted = log_mel - log_mel.min()  # the functions hide with zeros
    hidden = tfio.audio.freq_mask(tfio.audio.time_mask(shifted, param=12), param=10)
    axes = plots.log_mel(hidden.numpy(), title="some frames and some bands hidden")
    plots.show(axes, "dark stripes, upright and level, where the word is hidden")
else:
    print(needs)

# %% [markdown]
# ## There and back: the phase
#
# The short-time Fourier transform gives complex numbers $X[m,k]$. We kept their power $|X[m,k]|^2$, and threw the angle
# $\angle X[m,k]$ away, the [*phase*](../docs/glossary.md#phase). It says where in its swing each wave is. With the phase, the way back is exact.
# `scipy.signal.stft` is your six lines of lesson 01 with more overlap, and it has an inverse.


# %%
def forward(sound, samples=200):
    """The complex short-time spectra [bins, frames] of a sound."""
    return scipy.signal.stft(sound, nperseg=samples, noverlap=samples * 3 // 4)[2]


def backward(spectra, samples=200):
    """The sound of complex short-time spectra."""
    sound = scipy.signal.istft(spectra, nperseg=samples, noverlap=samples * 3 // 4)[1]
    return sound[: len(waveform)]


apart = np.abs(backward(forward(waveform)) - waveform).max()
print(f"there and back: at most {apart:.0e} of full scale apart")

# %% [markdown]
# **Predict, then run.** We keep every magnitude and replace every phase by a random one. Will you still understand the word? What will the voice sound like?

# %% [markdown] tags=["slide", "only-slides"]
# ## Guess: all magnitudes, random phases
#
# Will you understand the word? What will the voice sound like?


# %% tags=["more", "no-code"]
def without_phase(sound, samples=200):
    """The sound rebuilt from its magnitudes alone, with random phases."""
    magnitude = np.abs(forward(sound, samples))
    turns = np.random.default_rng(0).random(magnitude.shape)
    return backward(magnitude * np.exp(2j * np.pi * turns), samples)


for name, sound in [("as it was", waveform), ("no phase", without_phase(waveform))]:
    print(name)
    display(Audio(sound, rate=audio.SAMPLE_RATE))

# %% [markdown] tags=["notes"]
# Let them write down one adjective before you play it. "Whispered", "hoarse" and "robot" are the usual ones.

# %% [markdown]
# The word is there, in a rough voice. To say it in numbers, we measure two things. Does the RMS level still move in the same way? And is the vowel still
# periodic?


# %%
energy = np.convolve(waveform**2, np.ones(200), "valid")
start = int(energy.argmax())  # where the loudest 25 ms begin


def rms_levels(sound):
    """The root mean square of each 10 ms."""
    whole = sound[: len(sound) // 80 * 80].reshape(-1, 80)
    return np.sqrt((whole**2).mean(axis=1))


def periodicity(sound):
    """How alike the vowel is to itself one period later: 1 is equal, 0 not at all."""
    vowel = sound[start : start + 400]
    shifts = range(20, 130)  # samples: voices from 400 down to 62 Hz
    return max(np.corrcoef(vowel[:-shift], vowel[shift:])[0, 1] for shift in shifts)


# %% [markdown] tags=["slide", "only-slides"]
# ## Hear what each frame length keeps
#
# The magnitudes are kept, the phases are random.

# %% tags=["more", "no-code"]
print(f"the original: periodicity {periodicity(waveform):.2f}")
for samples in [32, 200, 2_048]:
    rebuilt = without_phase(waveform, samples)
    kept = np.corrcoef(rms_levels(waveform), rms_levels(rebuilt))[0, 1]
    print(f"frames of {samples / 8:.0f} ms: level kept {kept:.2f}", end="")
    print(f", periodicity {periodicity(rebuilt):.2f}")
    display(Audio(rebuilt, rate=audio.SAMPLE_RATE))

# %% [markdown] tags=["notes"]
# Play the three without saying which is which: which one whispers, which one stands in a church? Then the numbers.

# %% [markdown]
# With the shortest frames the timing is right, and the voice whispers: its period lived in the phases. With the longest the pitch is back, and the word is
# smeared, as in a church: now its timing lived in the phases. At 25 ms the timing is kept, and the pitch is rough. We tell words apart by how the resonances
# move, much less by pitch, so that is a good compromise.
#
# ## A phase that you work out
#
# Are the phases really gone? Frames overlap, so their magnitudes are not independent: few phases fit them all. Griffin and Lim (1984) search for such phases
# in a loop. Turn the table into sound, transform that sound, keep its new phases, put the wanted magnitudes back.

# %% [markdown] tags=["slide", "only-slides"]
# ## Phases worked out: Griffin and Lim
#
# Overlapping frames share their samples, so only few phases fit all magnitudes.


# %%
def griffin_lim(magnitude, rounds):
    """A sound whose short-time magnitudes come near those that are given."""
    turns = np.random.default_rng(0).random(magnitude.shape)
    phases = np.exp(2j * np.pi * turns)
    for _ in range(rounds):
        spectra = forward(backward(magnitude * phases))
        phases = np.exp(1j * np.angle(spectra))
    return backward(magnitude * phases)


# %% tags=["more", "no-code"]
magnitude = np.abs(forward(waveform))
for rounds in [0, 5, 50]:
    sound = griffin_lim(magnitude, rounds)
    error = np.linalg.norm(np.abs(forward(sound)) - magnitude)
    share = error / np.linalg.norm(magnitude)
    print(f"{rounds} rounds: magnitudes off by {share:.0%}", end="")
    print(f", periodicity {periodicity(sound):.2f}")
    display(Audio(sound, rate=audio.SAMPLE_RATE))

# %% [markdown] tags=["notes"]
# Play 0 and 50 rounds one after the other, without saying which is which. Programs that synthesise speech from spectrograms did it this way before networks took over.

# %% [markdown]
# After fifty rounds the voice is nearly as periodic as before. So the magnitudes of overlapping frames hold almost all of the sound. The mel bands lose more: they
# cannot be undone.
#
# ## Time against frequency, in numbers
#
# How wide is a window? Treat its power as a distribution, over time and over frequency, and take the standard deviations $\sigma_t$ and $\sigma_f$. Gabor
# (1946) showed that $\sigma_t\,\sigma_f\ge\frac1{4\pi}\approx0.0796$ for every window.


# %%
def spread(values, weights):
    """The standard deviation of values with these weights."""
    mean = np.average(values, weights=weights)
    return np.sqrt(np.average((values - mean) ** 2, weights=weights))


hertz = np.fft.fftfreq(65_536, 1 / audio.SAMPLE_RATE)
for samples in [32, 128, 200, 512]:
    taper = audio.window(samples)
    in_time = spread(np.arange(samples) / audio.SAMPLE_RATE, taper**2)
    in_frequency = spread(hertz, np.abs(np.fft.fft(taper, n=65_536)) ** 2)
    widths = f"{1_000 * in_time:.2f} ms × {in_frequency:.0f} Hz"
    print(f"{samples / 8:.0f} ms: {widths} = {in_time * in_frequency:.4f}")

# %% [markdown]
# Twice as narrow in one is twice as wide in the other; the product stays. The Hann window comes within three percent of the limit.
#
# What does that mean for two clicks 15 ms apart, and for two tones 60 Hz apart? We measure the *valley* between them: how far the curve dips,
# in dB.


# %%
def powers(sound, samples):
    """Power [frames, bins]: a frame every 0.5 ms, a bin every 4 Hz."""
    every = np.lib.stride_tricks.sliding_window_view(sound, samples)[::4]
    return np.abs(np.fft.rfft(every * audio.window(samples), n=2_000)) ** 2


def valley(curve, first, second):
    """How many decibels the lowest value between two places lies below them."""
    lowest = curve[first : second + 1].min()
    return 10 * np.log10(min(curve[first], curve[second]) / lowest)


# %%
def valley_of_tones(samples, apart=60):
    """The valley between two tones `apart` Hz (a multiple of 4) apart, in dB."""
    turn = 2 * np.pi * np.arange(8_000) / audio.SAMPLE_RATE
    tones = np.sin(1_000 * turn) + np.sin((1_000 + apart) * turn)
    return valley(powers(tones, samples).mean(axis=0), 250, 250 + apart // 4)


# %%
clicks = np.zeros(4_000)
clicks[[2_000, 2_120]] = 1  # 15 ms apart
for samples in [32, 128, 200, 512]:
    curve = powers(clicks, samples).mean(axis=1) + 1e-6
    first = (2_000 - samples // 2) // 4  # the frame with a click in its middle
    in_time, in_frequency = valley(curve, first, first + 30), valley_of_tones(samples)
    print(f"{samples / 8:.0f} ms: clicks {in_time:.1f} dB, tones {in_frequency:.1f} dB")

# %% [markdown] tags=["slide", "only-slides"]
# ## No frame length has both
#
# Copy the four rows that the cell prints. Where is the valley between the clicks deep? Where the one between the tones?

# %% [markdown] tags=["notes"]
# Ring the row of 25 ms. Then exercise 2: what happens when the tones move closer?

# %% [markdown]
# No row has two deep valleys. At 25 ms the clicks are two, and the tones are one. (60 dB is as deep as this cell can see: between the
# clicks there is nothing at all.)
#
# ## Exercises
#
# **Exercise 1.** Write `read_piece(file, begin, seconds)`: the samples of a file, from second `begin` on, as float32 `[samples]`. Read that piece only.


# %% tags=["solution"]
def read_piece(file, begin, seconds):
    """The samples of a part of a file."""
    rate = soundfile.info(file).samplerate
    first, count = round(begin * rate), round(seconds * rate)
    return soundfile.read(file, start=first, frames=count, dtype="float32")[0]


# %% tags=["check"]
answer = read_piece(f"{folder}/long.wav", 2, 1.5)
assert isinstance(answer, np.ndarray), "read_piece should return an array of samples"
assert answer.dtype == np.float32, f"expected float32, found {answer.dtype}"
assert answer.shape != (2,), "those are two numbers: are samples and rate still a pair?"
assert answer.ndim == 1 and len(answer) == 12_000, (
    f"1.5 s of 8,000 samples a second, and you return {answer.shape}"
)
assert np.allclose(answer, long_recording[16_000:28_000], atol=1e-4), (
    "the length is right, and the samples are from another place: where does it begin?"
)
fast = f"{tempfile.mkdtemp()}/fast.wav"
soundfile.write(fast, np.linspace(-0.5, 0.5, 32_000), 16_000)
answer, read, counts = None, soundfile.read, []


def counting(*given, **options):
    found = read(*given, **options)
    counts.append(len(found[0]))
    return found


soundfile.read = counting
try:
    answer = read_piece(fast, 0.25, 0.5)
finally:
    soundfile.read = read
assert len(answer) == 8_000 and np.isclose(answer[0], -0.375, atol=1e-3), (
    "it fails for a file of 16,000 samples a second: ask the file for its rate"
)
assert max(counts, default=0) <= 8_000, (
    f"you read {max(counts):,} samples to return 8,000: read the piece only"
)
print(f"{len(answer):,} samples of 32,000, and no more were read")

# %% [markdown]
# **Exercise 2.** Two tones are `apart` hertz apart. Write `shortest_frame(apart)`: the smallest of the lengths 128, 256, 512, 1,024 and 2,048 samples whose
# valley is 6 dB deep or more. Use `valley_of_tones`. Before you run the check: what happens to the length when the tones come twice as close?


# %% tags=["solution"]
def shortest_frame(apart):
    """The shortest frame, in samples, that shows two tones as two."""
    for samples in [128, 256, 512, 1_024, 2_048]:
        if valley_of_tones(samples, apart) >= 6:
            return samples


# %% tags=["check"]
lengths = [128, 256, 512, 1_024, 2_048]
answer = shortest_frame(60)
assert answer is not None, "shortest_frame should return a number of samples"
assert answer in lengths, f"expected one of {lengths}, found {answer}"
assert valley_of_tones(answer, 60) >= 6, (
    f"frames of {answer} leave only {valley_of_tones(answer, 60):.1f} dB at 60 Hz"
)
for apart in [60, 120, 32, 16]:
    good = [samples for samples in lengths if valley_of_tones(samples, apart) >= 6]
    found = shortest_frame(apart)
    assert found in good, (
        f"for {apart} Hz you return {found}: is the valley deep enough?"
    )
    assert found == good[0], f"for {apart} Hz a shorter one than {found} is enough"
found = [shortest_frame(apart) for apart in [120, 60]]
print(f"120 Hz: {found[0]} samples; 60 Hz, half the distance: {found[1]}")

# %% [markdown]
# **Exercise 3.** Write `turned(sound, angle)`: transform the sound with `forward`, add `angle` (in radians) to every phase, and go `backward`. What do you expect
# of an angle of $\pi$? What does the network see of it?


# %% tags=["solution"]
def turned(sound, angle):
    """The sound with every phase turned by an angle."""
    return backward(forward(sound) * np.exp(1j * angle))


# %% tags=["check"]
answer = turned(waveform, np.pi)
assert answer is not None, "turned should return a sound"
assert np.shape(answer) == waveform.shape, (
    f"expected {len(waveform)} samples, found the shape {np.shape(answer)}"
)
assert not np.allclose(answer, waveform, atol=1e-4), "nothing was turned by pi"
assert np.allclose(answer, -waveform, atol=1e-4), (
    "an angle of pi should turn each sample's sign: multiply by which complex number?"
)
assert np.allclose(turned(waveform, 0), waveform, atol=1e-4), (
    "an angle of 0 should change nothing"
)
quarter = backward(1j * forward(waveform))
assert np.allclose(turned(waveform, np.pi / 2), quarter, atol=1e-4), (
    "an angle of pi/2 is wrong: the angle is in radians, the same for each number"
)
apart = np.abs(audio.log_mel(np.float32(answer)) - audio.log_mel(waveform)).max()
print(f"every sample changed its sign; log-mel frames differ by at most {apart:.0e}")

# %% [markdown] tags=["slide", "only-slides"]
# ## Quiz
#
# 1. Which file gives back other samples than it was given? A. WAV; B. FLAC; C. Vorbis
# 2. Why can Griffin and Lim's loop find phases? A. magnitudes of overlapping frames depend on each other; B. the ear tells it; C. phases are stored in the mel bands
# 3. A window is made four times as long. What happens to its width in frequency? A. nothing; B. a quarter; C. four times

# %% [markdown] tags=["notes"]
# Right are 1 C, 2 A, 3 B. The reasons stand in the notebook.

# %% [markdown]
# **You have seen**
# - the same file read in Python and in TensorFlow's graph, whole and in pieces;
# - that a word is understood without its phase, and that overlapping frames let you find one;
# - that a window's spreads in time and in frequency have a fixed product.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. Which file gives back other samples than it was given?**
#
# <details><summary>A. WAV.</summary>No: it stores each sample, here with 16 bits.</details>
# <details><summary>B. FLAC.</summary>No: it packs the samples without loss.</details>
# <details><summary>C. Vorbis.</summary>Yes: it drops what the ear hardly notices.</details>
#
# **2. Why can the loop of Griffin and Lim find phases?**
#
# <details><summary>A. Magnitudes of overlapping frames depend on each other.</summary>Yes: each sample is in several frames, and only some phases fit all of them.</details>
# <details><summary>B. It compares its sound with the original.</summary>No: it never hears the original, only its magnitudes.</details>
# <details><summary>C. The mel bands still hold the phases.</summary>No: bands add up powers, and power has no angle.</details>
#
# **3. A window is made four times as long. What happens to its width in frequency?**
#
# <details><summary>A. Nothing: it depends on the sample rate.</summary>No: the sample rate decides how high the spectrum goes.</details>
# <details><summary>B. It becomes a quarter.</summary>Yes: the product of both widths stays the same.</details>
# <details><summary>C. It becomes four times as large.</summary>No: long windows see frequency more sharply.</details>
#
# Back to the path: [02 A baseline, and an honest split](02_a_baseline_and_an_honest_split.ipynb).
#
# *Recordings in this notebook: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
