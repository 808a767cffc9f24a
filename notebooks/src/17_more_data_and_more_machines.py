# %% [markdown]
# # 17 · More data than memory, more machines than one
#
# So far all clips fitted in memory, and one process did the training. A real project outgrows both: a thousand hours of sound are 58 GB of log-mel frames. Where do you keep the clips then? And what must several machines tell each other so that they train **one** model, even if one of them dies on the way?
#
# **You will**
# - write clips to disk as shards, read them back in masked batches, and watch the memory stay nearly flat;
# - join two processes by a pipe, so that they compute what one computes, up to rounding;
# - do the same with TensorFlow's own engine, kill a worker, and go on without losing a clip or counting one twice.
#
# **Minutes:** 80 with the exercises; the cells themselves run for about two. **You need:** lessons 04, 05 and 07; you have started a program from a terminal before.

# %% [markdown] tags=["slide", "only-slides"]
# ## Outgrown
# - More sound than memory: where do the clips wait?
# - More machines than one: what do they tell each other?

# %% [markdown] tags=["notes"]
# Ask how many hours of sound a laptop can hold as log-mel frames. Collect guesses before the first cell.

# %% tags=["setup"]
import setup_course

# %%
import importlib, inspect, pickle, shutil, subprocess, sys, time, tracemalloc, zlib
from collections import Counter
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from course_lib import batches, data, evaluation, models, plots
from course_lib.extra import shards, workers

# %%
BUILD = Path(models.__file__).parents[1] / "build" / "lesson17"  # git ignores build
shutil.rmtree(BUILD, ignore_errors=True)
clips = data.load_parts("digits")[0].sample(1_000, random_state=0)
hour = 3600 * 100 * 40 * 4  # seconds, frames a second, bands, bytes of a float32
print(f"an hour of log-mel frames: {hour / 1e6:.0f} MB")

# %% [markdown]
# ## Shards
#
# An hour is small. A thousand hours are not, and waveforms and a padded copy come on top. In a [benchmark](../benchmarks/results/scale.md), the way of lessons 00 to 16 ends at about 200 hours on 12 GB, and one padded array at 12 hours.
#
# The remedy is old: compute the frames **once**, write them to disk, and read them back a few at a time. One file per clip would be slow, since every file must be found and opened. One file for all would have to
# be written anew when one byte of it is damaged, and two machines could not share the work of making it. So we write [*shards*](../docs/glossary.md#shard): files of a few hundred clips each. Ours are TFRecord files, TensorFlow's format for a sequence of byte strings. Beside them lies an index with each clip's length, label and group (here the speaker), and a *checksum* for each shard: a short number computed from all its bytes, so that it changes when a byte does.
#
# A long job gets interrupted. We interrupt this one at its 500th clip. **Predict, then run.** There are 200 clips in a shard. How many clips are begun twice when `write` is called again?
#
# Disks also fail silently, so afterwards we change one byte.

# %%
computed = []


def frames_of(path):
    computed.append(path)
    if len(computed) == 500:
        raise KeyboardInterrupt("somebody closed the laptop")
    return shards.log_mel_of_path(path)


try:
    shards.write(clips, BUILD / "digits", frames=frames_of, per_shard=200)
except KeyboardInterrupt as stopped:
    print(stopped)
print(shards.check(BUILD / "digits"))

# %%
shards.write(clips, BUILD / "digits", frames=frames_of, per_shard=200)
print(f"{len(computed) - len(set(computed))} clips were begun twice")
damaged = sorted((BUILD / "digits").glob("*.tfrecord"))[3]
content = bytearray(damaged.read_bytes())
content[1000] ^= 1
damaged.write_bytes(content)
print(shards.check(BUILD / "digits"))
shards.write(clips, BUILD / "digits", per_shard=200)  # rebuilds the damaged one
print(shards.check(BUILD / "digits"))

# %% [markdown]
# Two shards were safe; the 100 clips of the unfinished third were done again. `write` checks every shard that is there (the bar counts it, too), and computes only what is missing or damaged.
#
# ## Read them back
#
# One line changes: `shards.read(folder)` stands where `batches.bucketed(frames, labels)` stood. It gives the same [bucketed](../docs/glossary.md#bucket), padded batches. A split by speaker
# needs no second copy: the index knows each clip's group, so `groups=` chooses. The reader shuffles already, so `fit` gets `shuffle=False`. A batch has at most `batch_size` clips: the clips of similar length are divided evenly.

# %%
speakers = sorted(clips.group.unique())
known, new = speakers[:-1], speakers[-1:]
learn = shards.read(BUILD / "digits", groups=known, batch_size=50)
ask = shards.read(BUILD / "digits", groups=new, batch_size=50)
for frames, labels in learn.take(3):
    real = (frames.numpy() != batches.PADDING).any(axis=2)
    print(frames.shape, f"{real.mean():.0%} of the frames are real")

# %%
keras.utils.set_random_seed(0)
clip = keras.Input([None, 40])
frames = keras.layers.Masking(batches.PADDING)(clip)
frames = keras.layers.Rescaling(1 / 4, 5 / 4)(frames)
model = keras.Model(clip, keras.layers.Dense(10)(keras.layers.GRU(48)(frames)))
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])

# %%
history = model.fit(learn, epochs=5, shuffle=False, verbose=0)
evaluation.check_mask(model, next(iter(learn))[0].numpy())
baseline = model.evaluate(ask, verbose=0)[1]
print(
    f"while training {history.history['accuracy'][-1]:.2f}, new speaker {baseline:.2f}"
)

# %% [markdown]
# What changes for **shuffling**? In memory, any clip can come next. From disk, a shard is read whole, and its clips mix only with those that wait in a *buffer* of `buffer=` clips: each new clip goes in, and a random one comes out. If the clips were written sorted, and the buffer is small, a batch
# would hold one speaker, or one class. So mix the table **before** you write it; ours came from `sample`.
#
# A second form, `"flat"`, is one array of all frames with the lengths beside it. From it any clip can be read alone, so it needs no buffer. And `shards.table(folder)` then has a column `frames` whose arrays stay on disk until somebody uses them: with that one line, lesson 16's `rooms.Scenes` trains from disk, too.
#
# ## Flat memory
#
# Now the point of it all: ten times the clips. `peak` reads every batch of an epoch and returns the largest amount of memory that Python and NumPy held meanwhile. The buffer holds 250 clips. **Predict, then run.** From 1,000 to 10,000 clips, how much
# does `peak` grow? (The other curve, all frames in memory, is plain arithmetic.)

# %%
few = [shards.log_mel_of_path(path)[::2] for path in clips.path]
rows = list(zip(few, clips.label.cat.codes, clips.group))
options = {"batch_size": 16, "n_lengths": 4, "buffer": 250}


def peak(folder):
    tracemalloc.start()
    clips_on_disk = shards.read(folder, **options)
    tracemalloc.reset_peak()  # of the planning: 8 MB for a moment, whatever the set
    for frames, labels in clips_on_disk:
        pass
    largest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return largest / 1e6


# %%
memory = {}
for times in [1, 3, 10]:
    folder = BUILD / f"copies{times}"
    shards.write(rows * times, folder, classes=range(10), per_shard=250)
    held = times * sum(frames.nbytes for frames in few) / 1e6
    memory[1_000 * times] = {"all in memory": held, "from shards": peak(folder)}
    shutil.rmtree(folder)

# %%
memory = pd.DataFrame(memory).T
axes = memory.plot(marker="o", figsize=(6, 3), logx=True)
axes.set(xlabel="clips", ylabel="MB", title="memory held while reading")
plots.show(
    axes, "in memory the frames grow with the set; from shards hardly anything grows"
)
memory.round(1)

# %% [markdown]
# In memory the frames grow tenfold. From shards, what is held hardly changes, since only the buffer, one shard and the batches are there. What does grow is the index, with less than a hundred bytes a clip. The [benchmark](../benchmarks/results/scale.md) repeats this from 10,000 to 100,000 clips and measures the whole process: 6 % more memory, where frames in memory take 90 % more. (Most of it is TensorFlow itself; the page says how much.)
#
# ## By hand: two processes and a pipe
#
# A *worker* is a process that trains; a *pipe* is a channel between two processes: what one writes, the other reads. Two workers have equal copies of the weights. Each reads its share $S_k$ of the batch's $n$ clips, and computes the gradient of its own clips' losses $\ell_i$, divided by $n$. Then they add the two:
#
# $$\nabla L = \frac{1}{n} \sum_{i=1}^{n} \nabla \ell_i = \sum_{k} \left( \frac{1}{n} \sum_{i \in S_k} \nabla \ell_i \right)$$
#
# Each worker divides by the clips of **all** workers. Everybody takes the same step, so the copies stay equal. This is [*data parallelism*](../docs/glossary.md#data-parallelism); adding so that every worker ends up with the sum is called *all-reduce*.
#
# To see every part, we take the smallest masked model: the mean of a clip's real frames, and a softmax. It is plain NumPy, a file of some 25 lines, in three cells. First the gradient. Then the pipe: a worker writes its gradient as bytes and
# reads the other's. One writes first, the other reads first. Our 3 kB would fit either way. But a pipe holds 64 kB on Linux, and if both wrote a larger gradient first, both would wait for room forever. Last the training.
#
# The notebook is worker 0 and imports the file as a module. Worker 1 is a process that runs the same file: the notebook writes to its `stdin` and reads from its `stdout`. `cut` gives worker `k` its share of each batch, padded to the longest clip **of the share**.

# %%
LEARN = """import pickle, sys
import numpy as np
def gradient(weights, frames, labels, n):
    real = (frames != -1000).any(axis=2)
    means = [clip[rows].mean(axis=0) for clip, rows in zip(frames, real)]
    x = np.column_stack([np.array(means) / 4 + 5 / 4, np.ones(len(means))])
    powers = np.exp(x @ weights)
    errors = powers / powers.sum(axis=1, keepdims=True) - np.eye(10)[labels]
    return x.T @ errors / n
"""

# %%
PIPE = """
def pipe(out, back, first):
    def exchange(mine):
        if first: out.write(mine.tobytes()), out.flush()
        theirs = np.frombuffer(back.read(mine.nbytes)).reshape(mine.shape)
        if not first: out.write(mine.tobytes()), out.flush()
        return mine + theirs
    return exchange
"""

# %%
TRAIN = """
def train(batches, exchange=lambda mine: mine):
    weights = np.zeros([41, 10])
    for frames, labels, n in batches:
        weights = weights - 0.5 * exchange(gradient(weights, frames, labels, n))
    return weights
if __name__ == "__main__":
    share = pickle.load(open(sys.argv[1], "rb"))
    train(share, pipe(sys.stdout.buffer, sys.stdin.buffer, first=False))
"""
_ = (BUILD / "by_hand.py").write_text(LEARN + PIPE + TRAIN)

# %%
codes = clips.label.cat.codes.to_numpy()
planned = np.array_split(np.random.default_rng(0).permutation(1_000), 40)


def cut(k, count, divide_by=lambda mine, batch: len(batch)):
    shares = []
    for batch in planned:
        mine = batch[k::count]
        padded = batches.pad([few[position] for position in mine])
        shares.append((padded, codes[mine], divide_by(mine, batch)))
    return shares


# %%
sys.path.insert(0, str(BUILD))
by_hand = importlib.import_module("by_hand")


def with_a_pipe(own, others):
    (BUILD / "share.pkl").write_bytes(pickle.dumps(others))
    command = [sys.executable, BUILD / "by_hand.py", BUILD / "share.pkl"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as other:
        exchange = by_hand.pipe(other.stdin, other.stdout, first=True)
        return by_hand.train(own, exchange)


# %%
one = by_hand.train(cut(0, 1))
two = with_a_pipe(cut(0, 2), cut(1, 2))
np.testing.assert_allclose(two, one, atol=1e-6)
print(f"two processes differ from one by {np.abs(two - one).max():.0e}")

# %% [markdown]
# Two processes, one model. Every batch has 25 clips here, so the shares are 13 and 12. Now a common mistake: each worker takes the mean over **its own** clips, and the two means are averaged.
#
# **Predict, then run.** Is the result the same, nearly the same, or something else?

# %%
half = lambda mine, batch: 2 * len(mine)  # half of its own mean: the pipe adds two
broken = with_a_pipe(cut(0, 2, half), cut(1, 2, half))
print(f"the mean of two means differs by {np.abs(broken - one).max():.0e}")
print(f"the weights themselves reach {np.abs(one).max():.1f}")
assert np.abs(broken - one).max() > 1e-4

# %% [markdown]
# Something else, though nothing crashes: a clip in the smaller share counts more, so this is not the training that one process would do. With equal shares the mistake hides. It comes back with the last batch of an epoch, and with a loss
# per *frame*: two shares with equally many clips hardly ever have equally many frames.
#
# ## The engine
#
# TensorFlow has such a pipe built in, for any number of machines: `tf.distribute.MultiWorkerMirroredStrategy`. Two warnings first.
#
# A notebook cannot be a worker: every worker is a process that learns its place from the environment variable `TF_CONFIG` (the addresses of all workers, and which of them it is) **before** TensorFlow starts. So we start programs, as in a terminal. (On Windows the next cells stop and
# say what they need: WSL2, or Colab.)
#
# And `model.fit` does not work under it in Keras 3. Here is the usual tutorial, in two processes:

# %%
FIT = """import keras, numpy as np, tensorflow as tf
with tf.distribute.MultiWorkerMirroredStrategy().scope():
    layers = [keras.layers.Masking(-1000.0), keras.layers.GRU(8), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input([None, 40]), *layers])
    model.compile("adam", "mse")
ones = tf.data.Dataset.from_tensors((np.ones([8, 20, 40]), np.ones(8)))
try: model.fit(ones, verbose=0)
except Exception as error: print(str(error)[:38], "...", str(error)[-26:])"""
(BUILD / "fit.py").write_text(FIT)
with workers.Team(2, [BUILD / "fit.py"], logs=BUILD / "fit") as team:
    team.wait(seconds=500)
print((BUILD / "fit" / "worker-0.log").read_text())

# %% [markdown]
# A *strategy* says where the copies (*replicas*) of a model live, and variables made in its `scope()` are kept equal. `PerReplica` is how it hands out data; Keras 3's `fit` does not take it apart for several workers. The [issues](https://github.com/keras-team/keras/issues/20585) are open, since 2024: keras 20585 and
# [20329](https://github.com/keras-team/keras/issues/20329). What works is a step of one's own, given to `strategy.run`. Here it is, from `course_lib/extra/workers.py`:

# %%
source = inspect.getsource(workers.Trainer.step)
display(Markdown(f"```python\n{source}```"))
PROGRAM = ["-m", "course_lib.extra.workers", "--data", BUILD / "digits"]

# %% [markdown]
# Four new names: `GradientTape` records a computation and gives its gradients; `strategy.run` calls `on_worker` in each process; `get_replica_context()` is this worker among the others; `experimental_local_results` takes this process's copy of the answer. The rest you wrote by hand: the loss is divided by the clips of all workers; `all_reduce` is the pipe. The norm is clipped **after** the sum: Keras's own `global_clipnorm` clips each worker's share, before it. Four more rules, each of which
# costs an evening:
#
# - model and optimizer are made in `strategy.scope()`, before TensorFlow has computed anything;
# - all workers do the same number of steps, or the last one waits forever (`shards.read` plans the batches of all workers together, and `batch_size` is that of all);
# - no `jit_compile=True` in `tf.function`: on a CPU the compiler XLA cannot handle the sum;
# - each worker takes its own share: `shards.read(folder, worker=0, workers=2)`. That is half of every batch, so from TFRecord shards a worker reads everything and keeps half; the flat form reads only the share.
#
# The program runs on one machine or on two. Only `TF_CONFIG` differs. On two machines you start it by hand, with `"index": 0` on the first and 1 on the second; the folders `digits` and `run` lie on a disk that both can reach, and the ports are open:
#
# ```
# export TF_CONFIG='{"cluster": {"worker": ["192.168.1.10:2222", "192.168.1.11:2222"]},
#                    "task": {"type": "worker", "index": 0}}'
# python -m course_lib.extra.workers --data digits --out run
# ```
#
# Here, `workers.Team` starts both on this machine, with free ports. When its block ends, no process is left. We train one epoch with Adam, first with one worker, then with two; worker 0 writes the weights at the end. Afterwards some steps are timed; we look at those later.
#
# **Predict, then run.** Will the weights be equal? To the last bit?

# %%


def weights_of(folder):
    saved = np.load(folder / "checkpoint.npz")
    return np.concatenate([saved[name].ravel() for name in saved])


weights, said = {}, {}
for count in [1, 2]:
    out = BUILD / f"workers{count}"
    command = [*PROGRAM, "--out", out, "--time", 25, 125, 500]
    with workers.Team(count, command, logs=out) as team:
        assert team.wait(seconds=500) == [0] * count, team.words(0)
    weights[count], said[count] = weights_of(out), team.lines(0)
print(f"largest difference: {np.abs(weights[1] - weights[2]).max():.0e}")
assert np.abs(weights[1] - weights[2]).max() < 1e-6

# %% [markdown]
# Equal up to rounding: a sum in another order, in float32 here, in float64 above. Masks are included, and each worker cut the padding to its own longest clip. (With dropout or batch normalisation the two would differ: workers draw and average on their own.)
#
# ## Kill a worker
#
# The more machines, the sooner one fails. We kill worker 1 after twelve steps, as a system short of memory does. Every five steps, worker 0 writes a *checkpoint*: weights, Adam's memory, and the place in the data. Around the step stands this loop:
#
# ```python
# first, done = trainer.restore(path)  # epoch and step of the checkpoint, or 0, 0
# for epoch in range(first, epochs):
#     for frames, labels in trainer.share(folder, batch_size, epoch=epoch, skip=done):
#         trainer.learn(frames, labels)  # the step above
#         done += 1
#         if done % every == 0:
#             trainer.save(path, epoch, done)  # whole or not at all; by worker 0
#     done = 0
# ```
#
#
# **Predict, then run.** What does worker 0 do: go on alone, wait, or stop?

# %%
out = BUILD / "killed"
training = [*PROGRAM, "--out", out, "--every", 5]
with workers.Team(2, training, logs=out / "before") as team:
    team.wait_for_step(12, seconds=500)
    team.processes[1].kill()
    begin = time.monotonic()
    print("return codes:", team.wait(seconds=500))
    print(f"worker 0 ended {time.monotonic() - begin:.0f} s later")
print(team.words(0))

# %%
before = [team.lines(k) for k in range(2)]
epoch, step = np.load(out / "checkpoint.npz")["place"]
finished = team.finished(0)
print(f"worker 0 finished {finished} steps; the checkpoint holds {step}")
assert finished - step <= 5

# %% [markdown]
# It stops, and says why: −9 is the killed one, 3 our program's code for "another worker is gone". Some seconds pass when TensorFlow learns it from a missing heartbeat and not from a closed connection; a machine without power is only noticed that way. Worker 0 could not go on alone: its share is half of the clips. A worker that never starts is waited for in silence, and meanwhile no Python thread runs. So our program sets an alarm outside Python (`faulthandler`) that ends it after two minutes. It also keeps the messages away from a proxy: a school's `http_proxy` would stop even two workers on one machine.
#
# To go on, start the same command again. Weights and Adam's memory come from the checkpoint, and also **the place in the data**: if the epoch began anew, the clips before the checkpoint would be learned twice. Keras's `BackupAndRestore` restores the weights
# and the number of the epoch or step, not the place in a `tf.data` stream. Ours names epoch and step. The order of the batches follows from the seed and the epoch's number, so `shards.read(…, epoch=0, skip=10)` is the same epoch without its first ten batches.
#
# Does the epoch count every clip once? Each step reported a fingerprint (CRC-32) of every clip that it learned from. What counts is what the final weights have learned: the steps up to the checkpoint, and those after the restart.

# %%
with workers.Team(2, training, logs=out / "after") as team:
    assert team.wait(seconds=500) == [0, 0], team.words(0)
after = [team.lines(k) for k in range(2)]
print(
    f"went on with step {after[0][0]['step']}, to the end with {after[0][-1]['step']}"
)

# %%
seen, every = Counter(), Counter()
for k in range(2):
    kept = [line for line in before[k] if line["step"] < step]  # the others are lost
    for line in kept + after[k]:
        seen.update(line["clips"])
for frames, _ in shards.read(BUILD / "digits"):
    every.update(
        zlib.crc32(each.tobytes()) for each in workers.unpadded(frames.numpy())
    )
assert seen == every
print(f"{sum(seen.values()):,} clips, each once; the weights differ from those of the")
print(f"undisturbed run by {np.abs(weights_of(out) - weights[2]).max():.0e}")

# %% [markdown]
# ## When does a second worker pay?
#
# With two workers, each computes half of the clips, but then waits for the other's message. The table has the median milliseconds of ten steps; each worker has one thread, and reading does not count. **Predict, then run.** For batches of 25, 125 and 500 clips: where is the second worker faster?

# %%
steps = []
for count in [1, 2]:
    timed = [line for line in said[count] if "ms" in line]
    steps += [{"workers": count, **line} for line in timed]
steps = pd.DataFrame(steps)
middle = steps.groupby(["batch", "workers"]).ms.median().unstack()
middle.assign(speedup=middle[1] / middle[2]).round(2)

# %% tags=["fold"]
# @title Draw: step time against batch size {display-mode: "form"}
figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
for count, points in steps.groupby("workers"):
    label = f"{count} worker" + "s" * (count > 1)
    axes.plot(points.batch * (0.97 if count == 1 else 1.03), points.ms, ".", alpha=0.5)
    axes.plot(middle.index, middle[count], "o-", color=f"C{count - 1}", label=label)
for dots, colour in zip(axes.lines[::2], ["C0", "C1"]):
    dots.set_color(colour)
axes.set(xscale="log", yscale="log", xlabel="clips in the batch", ylabel="ms a step")
axes.set_xticks(middle.index, middle.index)
axes.minorticks_off()
axes.set_title("a step, one worker and two on one machine")
axes.legend()
plots.show(axes, "each dot is a step, each ring the median; other work disturbs them")

# %% [markdown]
# In the table above, a second worker makes small batches slower and large ones faster. (If other programs use the cores, it gains less.) The message has the same size, whatever the batch, so it weighs less the more there is to compute. The factor stays below 2, since there is always a message to wait for. So a second worker pays when there is much to compute per
# message: large batches, large frames, long clips. But a larger batch means fewer steps in an epoch, and often needs another learning rate.
#
# ## On paper: 10, 100, 1,000 workers
#
# Real clusters send gradients round a ring: with $N$ workers and $P$ parameters of 4 bytes, each sends $2 \frac{N-1}{N} 4P$ bytes a step, never more than $8P$, for any $N$ (Patarasuk & Yuan 2009). But there are $2(N-1)$ messages in
# a row, each with its delay. The computation is about $6P$ operations a frame (two forward, four backward, for each weight), divided among all. Take batches of 1,024 clips of one second, so that an hour is about 3.5 steps; workers of 20 GFLOP/s, 1 Gbit/s, 0.1 ms a message:


# %%
def step_seconds(count, parameters, clips=1_024):
    """Seconds of a step that go into computing, and into moving gradients."""
    computing = 6 * parameters * 100 * clips / count / 20e9
    moving = 2 * (count - 1) / count * 4 * parameters / 125e6
    return computing, moving + 2 * (count - 1) * 1e-4


table = {}
for name, parameters in [("our GRU", 13_450), ("speech", 30_000_000)]:
    for count in [1, 10, 100, 1_000]:
        computing, moving = step_seconds(count, parameters)
        table[name, count] = {"computing": computing, "moving": moving}
table = pd.DataFrame(table).T
table.assign(hour_of_audio=table.sum(axis=1) * 3600 / 1_024).round(3)  # seconds

# %% [markdown]
# Our GRU gains little beyond ten workers, and a thousand are slower than ten: nearly all of each step goes into messages. The speech model gains nearly tenfold up to ten, and more than eightfold again up to a hundred. With a thousand, moving takes twice as long as computing. So large trainings use larger batches, fast networks, and gradients in 16 bits.
#
# **Where does pre-processing run at that size?** It needs no messages between clips, so it scales without a trick: one task per shard. Above, one process computed and wrote a few thousand clips of half a second in each second, so one machine manages thousands
# of hours in a night. Beyond that, [Apache Beam](https://www.tensorflow.org/datasets/beam_datasets) (which TensorFlow Datasets uses for its largest sets) and Spark hand out such tasks, and repeat those whose machine died. Training then reads the shards.
#
# <details><summary>Keras on JAX</summary>With the JAX backend, <code>keras.distribution</code> does all this inside <code>fit</code>: in each process <code>keras.distribution.initialize(job_addresses="host0:1234", num_processes=2, process_id=0)</code> first, then <code>keras.distribution.set_distribution(keras.distribution.DataParallel())</code>, before the model is built. We tried it on two processes with a masked GRU: the same weights as one process within 1e-7. <code>fit</code> wants a <code>tf.data</code> stream, or <code>DataParallel(auto_shard_dataset=False)</code> and each process's own share.</details>
#
# ## Exercises
#
# **Exercise 1.** Sometimes you cannot change what workers compute: each gives the mean gradient of its **own** clips. Write `combine(means, counts)`: the mean of the whole batch. `means` is a list of arrays of one shape, `counts` the clips of each worker. A worker without clips has the count 0, and its mean is NaN: it must not spoil the result.


# %% tags=["solution"]
def combine(means, counts):
    """The gradient's mean over all clips, from each worker's mean and count."""
    total = sum(n * mean for n, mean in zip(counts, means) if n)
    return total / sum(counts)


# %% tags=["check"]
draw = np.random.default_rng(2)
each = draw.normal(size=[9, 4, 3])
given = [each[:6].mean(axis=0), each[6:].mean(axis=0)]
found = combine(given, [6, 3])
assert found is not None, "combine returns nothing yet"
assert np.shape(found) == (4, 3), (
    f"expected shape [4, 3], found {list(np.shape(found))}"
)
assert not np.allclose(found, np.mean(given, axis=0)), (
    "that is the mean of means: a clip in the smaller share counts more"
)
assert not np.allclose(found, each.sum(axis=0)), "that is the sum: divide by all clips"
assert np.allclose(found, each.mean(axis=0)), "not the mean of all nine clips"
empty = combine([*given, np.full([4, 3], np.nan)], [6, 3, 0])
assert np.allclose(empty, each.mean(axis=0)), (
    "a worker without a clip gives nan as its mean of nothing: leave it out"
)
print("the batch's mean")

# %% [markdown]
# **Exercise 2: build, train, beat this number.** Build and train a model `yours` from the shards, on the speakers in `known`. The number to reach on the speaker in `new` is our model's accuracy minus 0.1, since one speaker and one seed leave much to chance. Lesson 11 has ideas: subtract each
# clip's mean, read both ways with `Bidirectional`.


# %% tags=["solution"]
class CentreClips(keras.layers.Layer):
    """Subtracts each clip's mean over its real frames, and keeps the mask."""

    supports_masking = True

    def call(self, frames, mask=None):
        real = keras.ops.cast(mask, "float32")[..., None]
        total = keras.ops.sum(real * frames, axis=1, keepdims=True)
        return frames - total / keras.ops.sum(real, axis=1, keepdims=True)


keras.utils.set_random_seed(0)
clip = keras.Input([None, 40])
frames = CentreClips()(keras.layers.Masking(batches.PADDING)(clip))
states = keras.layers.Rescaling(1 / 4)(frames)
states = keras.layers.Bidirectional(keras.layers.GRU(48))(states)
yours = keras.Model(clip, keras.layers.Dense(10)(states))
yours.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
history = yours.fit(learn, epochs=10, shuffle=False, verbose=0)

# %% tags=["check"]
assert isinstance(yours, keras.Model), "`yours` should be a Keras model"
assert yours.output_shape == (None, 10), (
    f"expected logits [batch, 10], found {yours.output_shape}"
)
try:
    evaluation.check_mask(yours, next(iter(learn))[0].numpy())
except AssertionError as wrong:
    raise AssertionError(f"the mask: {wrong}") from None
right = [
    yours.predict_on_batch(x).argmax(axis=1) == y for x, y in ask.as_numpy_iterator()
]
share_right = np.concatenate(right).mean()
to_beat = baseline - 0.1
assert share_right >= to_beat, (
    f"accuracy {share_right:.3f}, and the number is {to_beat:.3f}: what differs between "
    "speakers, and does your model see it?"
)
print(f"{share_right:.3f} on the new speaker, after {baseline:.3f}")

# %% [markdown]
# **You have seen**
# - shards that survive an interruption and name their damage, and memory that stays flat;
# - some 25 lines in which two processes train one model, and the mean of means, which trains another;
# - TensorFlow's engine with a step of our own, a killed worker, and an epoch in which each clip still counts once.
#
# ## Quiz
#
# Answer first, then open.
#
# **1. Two workers have 20 and 12 clips of a batch. What must each do before the gradients are added?**
#
# <details><summary>A. Divide the sum of its clips' gradients by its own number of clips, and the result by 2.</summary>No: then a clip among the 12 counts more than one among the 20.</details>
# <details><summary>B. Divide its sum by 32.</summary>Yes: then the addition gives the batch's mean.</details>
# <details><summary>C. Pad its clips to the batch's longest.</summary>No: with a mask, padding changes nothing. Each may pad to its own longest clip.</details>
#
# **2. A training stops in the middle of an epoch. Weights and optimizer are restored, and the epoch begins anew. What is wrong?**
#
# <details><summary>A. Nothing: the weights are all that counts.</summary>No: the clips before the stop are seen once more than the others.</details>
# <details><summary>B. Some clips count twice in this epoch.</summary>Yes: the place in the data belongs in the checkpoint.</details>
# <details><summary>C. The gradients of the last step are lost, so the model is broken.</summary>No: the steps since the checkpoint are lost, and done again.</details>
#
# **3. Memory is flat while the set grows tenfold. Why must the clips be mixed before they are written?**
#
# <details><summary>A. Because the index would grow otherwise.</summary>No: the index has a few numbers per clip, in any order.</details>
# <details><summary>B. Because a split by speaker needs it.</summary>No: the index knows each clip's group, wherever it lies.</details>
# <details><summary>C. Because only the clips in the buffer can be mixed while reading.</summary>Yes: sorted shards give batches of one speaker, or one class.</details>
#
# <details><summary>Without the real recordings</summary>On the synthetic voices all checks and equalities hold as they do here; accuracies differ.</details>
#
# Next: [18 Recurrence in parallel](18_recurrence_in_parallel.ipynb). All lessons: [README](../README.md).
#
# *Recordings behind the figures: Free Spoken Digit Dataset, Zohar Jackson and contributors, CC BY-SA 4.0. Text: CC BY 4.0.*
