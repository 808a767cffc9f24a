"""Train one model on one worker or on several: `python -m course_lib.extra.workers --help`."""

import argparse
import contextlib
import faulthandler
import functools
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from course_lib import batches, models
from course_lib.extra import shards

CHECKPOINT = "checkpoint.npz"
GONE, APART = 3, 4  # return codes: another worker was lost, stands elsewhere in the data
SECONDS_TO_START = 120
HERE = "127.0.0.1"


class Trainer:
    """One worker: a copy of the model, and steps that all workers of TF_CONFIG do together.

    TF_CONFIG is a variable of the environment; without it the worker is the only one. Make the
    trainer before TensorFlow computes anything in the process.

    Args:
        build: a function that makes the model, with logits as its output.
        learning_rate, clip_norm: of Adam; the norm that the batch's gradient may not exceed.
    """

    def __init__(self, build: Callable, *, learning_rate: float = 3e-3, clip_norm: float = 1.0):
        config = json.loads(os.environ.get("TF_CONFIG", "{}"))
        addresses = config["cluster"]["worker"] if config else [HERE]
        self.index = config["task"]["index"] if config else 0
        self.count = len(addresses)
        self.strategy = tf.distribute.get_strategy()
        if self.count > 1:
            _past_proxies(addresses)
            with _patience(self.index, self.count - 1):
                self.strategy = tf.distribute.MultiWorkerMirroredStrategy()
        with self.strategy.scope():
            self.model = build()
            self.optimizer = keras.optimizers.Adam(learning_rate)
            self.optimizer.build(self.model.trainable_variables)
        # `step` has summed the gradients before it clips them; Keras would clip, then sum.
        self.optimizer._all_reduce_sum_gradients = lambda pairs: pairs
        self.clip_norm = clip_norm
        specs = tf.TensorSpec(self.model.input_shape), tf.TensorSpec([None], tf.int32)
        self.compiled = tf.function(self.step, input_signature=specs)

    def step(self, frames, labels):
        """Learn from this worker's share of a batch; return the loss of the whole batch."""
        variables = self.model.trainable_variables

        def on_worker(frames, labels):
            worker = tf.distribute.get_replica_context()
            n_clips = worker.all_reduce("SUM", tf.cast(tf.size(labels), tf.float32))
            with tf.GradientTape() as tape:
                logits = self.model(frames, training=True)
                losses = keras.losses.sparse_categorical_crossentropy(
                    labels, logits, from_logits=True
                )
                loss = tf.reduce_sum(losses) / n_clips  # of all workers, not its own
            gradients = tape.gradient(loss, variables)
            *gradients, loss = worker.all_reduce("SUM", [*gradients, loss])
            gradients, _ = tf.clip_by_global_norm(gradients, self.clip_norm)
            self.optimizer.apply(gradients, variables)
            return loss

        loss = self.strategy.run(on_worker, args=(frames, labels))
        return self.strategy.experimental_local_results(loss)[0]

    def learn(self, frames: np.ndarray, labels: np.ndarray) -> float:
        """Do a step on one's share of a batch, padded to its own longest clip; return the loss."""
        longest = max(map(len, unpadded(frames)))
        return float(self.compiled(frames[:, :longest], labels))

    def share(self, folder: Path, batch_size: int, **place: int) -> Iterator[tuple]:
        """Read one's share of the batches of an epoch, with the options of `shards.read`."""
        mine = {"worker": self.index, "workers": self.count}
        return shards.read(folder, batch_size=batch_size, **mine, **place).as_numpy_iterator()

    def agree(self, **numbers: int):
        """Stop unless all workers name the same numbers, such as their place in the data."""
        named = tf.constant(list(numbers.values()), tf.float32)

        def total():
            return tf.distribute.get_replica_context().all_reduce("SUM", named)

        totals = self.strategy.experimental_local_results(self.strategy.run(tf.function(total)))[0]
        if not np.array_equal(totals, named * self.count):
            stop(f"expected the same {', '.join(numbers)} on all workers, found others", APART)

    def save(self, path: Path, epoch: int, step: int):
        """Write weights, optimizer and place in the data: by worker 0, whole or not at all."""
        if self.index == 0:
            values = [variable.numpy() for variable in self._variables()]
            unfinished = path.with_suffix(".unfinished")
            with open(unfinished, "wb") as file:
                np.savez(file, *values, place=[epoch, step])
            os.replace(unfinished, path)

    def restore(self, path: Path) -> tuple[int, int]:
        """Read a checkpoint if there is one; return the epoch and the step to go on with."""
        if not path.exists():
            return 0, 0
        with np.load(path) as kept:
            for number, variable in enumerate(self._variables()):
                variable.assign(kept[f"arr_{number}"])
            epoch, step = kept["place"]
        return int(epoch), int(step)

    def _variables(self):
        return [*self.model.variables, *self.optimizer.variables]


class Team:
    """Workers on this machine, each a process; all of them are gone when the block ends.

    Args:
        count: how many; one runs without TF_CONFIG.
        command: what Python runs, such as `["-m", "course_lib.extra.workers", "--data", …]`.
        logs: a folder for what each worker says.
    """

    def __init__(self, count: int, command: Sequence, *, logs: Path):
        if sys.platform == "win32" and count > 1:
            needed = "Windows Subsystem for Linux (wsl --install), or Colab"
            raise OSError(f"expected Linux or macOS for {count} workers, found Windows: {needed}")
        Path(logs).mkdir(parents=True, exist_ok=True)
        addresses = [f"{HERE}:{port}" for port in free_ports(count)]
        self.processes, self.logs = [], [Path(logs) / f"worker-{n}.log" for n in range(count)]
        for index, log in enumerate(self.logs):
            settings = {**os.environ, "PARENT": str(os.getpid()), "CUDA_VISIBLE_DEVICES": "-1"}
            settings |= {"PYTHONPATH": str(Path(__file__).parents[2]), "TF_CPP_MIN_LOG_LEVEL": "3"}
            settings.pop("TF_CONFIG", None)
            if count > 1:
                task = {"type": "worker", "index": index}
                config = {"cluster": {"worker": addresses}, "task": task}
                settings["TF_CONFIG"] = json.dumps(config)
            line = [sys.executable, *map(str, command)]
            with open(log, "wb") as said, open(log.with_suffix(".err"), "wb") as errors:
                started = subprocess.Popen(line, env=settings, stdout=said, stderr=errors)
            self.processes.append(started)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for process in self.processes:
            process.kill()
            process.wait()

    def lines(self, index: int) -> list[dict]:
        """Read what a worker has reported so far: one dict a step, without a loss if unfinished."""
        said, steps = self.logs[index].read_text(encoding="utf-8", errors="replace"), {}
        for line in said.splitlines():
            if line.startswith("{") and line.endswith("}"):
                report = json.loads(line)
                place = report.get("epoch"), report.get("batch"), report["step"]
                steps.setdefault(place, {}).update(report)
        return list(steps.values())

    def finished(self, index: int) -> int:
        """Count the training steps that a worker has reported as finished."""
        return sum("loss" in line for line in self.lines(index))

    def words(self, index: int) -> str:
        """Read the last line in words that a worker has said."""
        said = self.logs[index].read_text(encoding="utf-8", errors="replace").splitlines()
        return next((line for line in reversed(said) if line and line[0] != "{"), "")

    def wait(self, *, seconds: float = 120) -> list[int]:
        """Wait until all workers have ended; return their return codes."""
        self._until(lambda: self._ended(all), seconds)
        return [process.returncode for process in self.processes]

    def wait_for_step(self, count: int, *, seconds: float = 120):
        """Wait until worker 0 has finished so many steps, or any worker has ended."""
        self._until(lambda: self.finished(0) >= count or self._ended(any), seconds)

    def _ended(self, which):
        return which(process.poll() is not None for process in self.processes)

    def _until(self, true, seconds):
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                self.__exit__()
                raise TimeoutError(f"expected an end within {seconds} s, found: {self.words(0)}")
            time.sleep(0.05)


def unpadded(frames: np.ndarray) -> list[np.ndarray]:
    """Return each clip of a batch `[batch, time, mels]` without its padding."""
    lengths = (frames != batches.PADDING).any(axis=2).sum(axis=1)
    return [clip[:length] for clip, length in zip(frames, lengths)]


def free_ports(count: int) -> list[int]:
    """Find ports of this machine that nobody uses."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HERE, 0))
        return [each.getsockname()[1] for each in sockets]


def stop(words: str, code: int):
    """End this process at once, with a sentence: TensorFlow would wait for the other workers."""
    print(words, flush=True)
    os._exit(code)


def _past_proxies(addresses: Sequence[str]):
    """Let workers reach one another without a proxy, which gRPC would ask even for 127.0.0.1."""
    spared = os.environ.get("no_grpc_proxy", os.environ.get("no_proxy", ""))
    hosts = [address.rpartition(":")[0] for address in addresses]
    os.environ["no_grpc_proxy"] = ",".join(filter(None, [spared, *dict.fromkeys(hosts)]))


@contextlib.contextmanager
def _patience(index: int, others: int) -> Iterator[None]:
    """Bound the wait for workers that never start; TensorFlow waits, and no Python thread runs."""
    print(f"worker {index} waits for {others} more, at most {SECONDS_TO_START} s", flush=True)
    faulthandler.dump_traceback_later(SECONDS_TO_START, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def _end_with_parent(parent: int):
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def main(arguments: Sequence[str] | None = None):
    """Train by the command line; report each step as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder of shards")
    parser.add_argument("--out", type=Path, required=True, help="checkpoints; all workers see it")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=32, help="clips, of all workers together")
    parser.add_argument("--every", type=int, default=10, help="steps between two checkpoints")
    parser.add_argument("--units", type=int, default=48)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--time", type=int, nargs="*", default=[], help="batch sizes to time, after"
    )
    chosen = parser.parse_args(arguments)
    if "PARENT" in os.environ:
        watch = threading.Thread(target=_end_with_parent, args=[int(os.environ["PARENT"])])
        watch.daemon = True
        watch.start()
    clips = shards.table(chosen.data)
    keras.utils.set_random_seed(chosen.seed)
    build = functools.partial(models.gru, len(clips.attrs["classes"]), units=chosen.units)
    trainer = Trainer(build)
    try:
        train(trainer, len(clips), chosen)
        measure(trainer, chosen)
    except tf.errors.InvalidArgumentError:  # such as a damaged shard
        raise
    except tf.errors.OpError as error:
        reason = re.search(r"Collective ops is aborted by: ([^.\n]*)", error.message)
        words = reason[1] if reason else type(error).__name__
        stop(f"worker {trainer.index}: another one is gone: {words}", GONE)


def train(trainer: Trainer, n_clips: int, chosen: argparse.Namespace):
    """Train to the last epoch, from the checkpoint in `chosen.out` if there is one."""
    chosen.out.mkdir(parents=True, exist_ok=True)
    path = chosen.out / CHECKPOINT
    first, done = trainer.restore(path)
    trainer.agree(epoch=first, step=done, clips=n_clips)
    for epoch in range(first, chosen.epochs):
        place = {"epoch": epoch, "skip": done, "seed": chosen.seed}
        for frames, labels in trainer.share(chosen.data, chosen.batch_size, **place):
            now = {"epoch": epoch, "step": done}
            seen = [zlib.crc32(clip.tobytes()) for clip in unpadded(frames)]
            # Said before the step: a worker may be killed after it, before it can say anything.
            print(json.dumps({**now, "clips": seen}), flush=True)
            print(json.dumps({**now, "loss": trainer.learn(frames, labels)}), flush=True)
            done += 1
            if done % chosen.every == 0:
                trainer.save(path, epoch, done)
        done = 0
        trainer.save(path, epoch + 1, 0)


def measure(trainer: Trainer, chosen: argparse.Namespace):
    """Report the milliseconds of each of ten more steps, for each batch size."""
    for size in chosen.time:
        frames, labels = next(trainer.share(chosen.data, size, epoch=0, n_lengths=1))
        for step in range(-2, 10):
            start = time.perf_counter()
            trainer.learn(frames, labels)
            milliseconds = 1_000 * (time.perf_counter() - start)
            if step >= 0:
                print(json.dumps({"batch": size, "step": step, "ms": milliseconds}), flush=True)


if __name__ == "__main__":
    main()
