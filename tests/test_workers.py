"""Two workers equal one, a killed one costs a checkpoint interval, and no process stays behind."""

import subprocess
import sys
import time
import zlib
from collections import Counter

import keras
import numpy as np
import psutil
import pytest

from course_lib import batches, models
from course_lib.extra import shards, workers

BATCH, EVERY, EPOCHS, SECONDS = 13, 4, 3, 500
two_processes = pytest.mark.skipif(sys.platform == "win32", reason="needs Linux or macOS")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Shards of 260 random clips of many lengths."""
    random = np.random.default_rng(0)
    clips = [(random.normal(size=[n, 40]), n % 3, "one") for n in random.integers(3, 60, size=260)]
    folder = tmp_path_factory.mktemp("workers")
    rows = [(frames.astype("float32"), label, group) for frames, label, group in clips]
    shards.write(rows, folder / "clips", classes=["a", "b", "c"], per_shard=100)
    return folder


def command(folder, out, *options):
    program = ["-m", "course_lib.extra.workers", "--data", folder / "clips", "--out", out]
    return [
        *program,
        "--batch-size",
        BATCH,
        "--every",
        EVERY,
        "--units",
        8,
        "--epochs",
        EPOCHS,
        *options,
    ]


def trained(out):
    with np.load(out / workers.CHECKPOINT) as saved:
        return {name: saved[name] for name in saved}


@pytest.fixture(scope="module")
def wrong_proxy():
    """A proxy that answers nobody, as some schools and companies set one for all programs."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("grpc_proxy", "https_proxy", "http_proxy"):
            patch.setenv(name, "http://127.0.0.1:9")
        for name in ("no_grpc_proxy", "no_proxy"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module")
def runs(folder, wrong_proxy):
    """What one worker and two have learned, and what they said: [workers] → weights, lines."""
    found = {}
    for count in [1, 2]:
        out = folder / f"out{count}"
        with workers.Team(count, command(folder, out), logs=out) as team:
            assert team.wait(seconds=SECONDS) == [0] * count, team.words(0)
        found[count] = trained(out), [team.lines(index) for index in range(count)]
    return found


def fingerprints(lines):
    """How often each clip was used, in each epoch."""
    epochs = [Counter() for _ in range(EPOCHS)]
    for line in lines:
        epochs[line["epoch"]].update(line["clips"])
    return epochs


def each_clip_once(folder):
    read = shards.read(folder / "clips").as_numpy_iterator()
    clips = [clip for frames, _ in read for clip in workers.unpadded(frames)]
    return [Counter(zlib.crc32(clip.tobytes()) for clip in clips)] * EPOCHS


def runs_still(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@two_processes
def test_two_workers_learn_what_one_learns(runs, folder):
    (one, alone), (two, together) = runs[1], runs[2]
    for name, weights in one.items():
        np.testing.assert_allclose(two[name], weights, atol=1e-6, err_msg=name)
    losses = [[line["loss"] for line in lines] for lines in [alone[0], *together]]
    np.testing.assert_allclose(losses[1], losses[0], atol=1e-5)
    assert losses[1] == losses[2], "a worker should report the loss of the whole batch"
    assert fingerprints(alone[0]) == each_clip_once(folder)
    assert fingerprints(together[0] + together[1]) == each_clip_once(folder)
    unequal = [len(a["clips"]) - len(b["clips"]) for a, b in zip(*together)]
    assert max(unequal) == 1, "the shares should differ, or a mean of means would pass"


@two_processes
@pytest.mark.parametrize("victim", [0, 1])
def test_after_a_kill_the_epoch_counts_each_clip_once(victim, runs, folder):
    out = folder / f"killed{victim}"
    with workers.Team(2, command(folder, out), logs=out / "before") as team:
        team.wait_for_step(EVERY + 2, seconds=SECONDS)
        team.processes[victim].kill()
        team.wait(seconds=SECONDS)
    assert team.processes[1 - victim].returncode == workers.GONE, team.words(1 - victim)
    assert "another one is gone" in team.words(1 - victim)
    before, place = [team.lines(index) for index in range(2)], tuple(trained(out)["place"])
    kept = place[0] * len(runs[1][1][0]) // EPOCHS + place[1]
    steps = max(team.finished(index) for index in range(2))
    assert place[0] < EPOCHS, "killed too late: the training was over"
    assert EVERY <= kept <= steps <= kept + EVERY, "more than a checkpoint interval is lost"
    with workers.Team(2, command(folder, out), logs=out / "after") as team:
        assert team.wait(seconds=SECONDS) == [0, 0], team.words(0)
    after = [line for index in range(2) for line in team.lines(index)]
    counted = [line for line in sum(before, []) if (line["epoch"], line["step"]) < place]
    assert min((line["epoch"], line["step"]) for line in after) == place
    assert fingerprints(counted + after) == each_clip_once(folder)
    for name, weights in runs[2][0].items():
        np.testing.assert_allclose(trained(out)[name], weights, atol=1e-6, err_msg=name)


def test_no_process_stays_behind_when_the_block_fails_or_takes_too_long(tmp_path):
    with pytest.raises(TimeoutError, match="expected an end within 0.2 s"):
        with workers.Team(1, ["-c", "import time; time.sleep(600)"], logs=tmp_path) as slow:
            slow.wait(seconds=0.2)
    with pytest.raises(ZeroDivisionError):
        with workers.Team(1, ["-c", "import time; time.sleep(600)"], logs=tmp_path) as failed:
            1 / 0  # noqa: B018
    for process in [*slow.processes, *failed.processes]:
        assert not psutil.pid_exists(process.pid)


@two_processes
def test_a_worker_whose_others_never_come_gives_up(tmp_path):
    program = """
import json, os
from course_lib.extra import workers
addresses = [f"127.0.0.1:{port}" for port in workers.free_ports(2)]
task = {"type": "worker", "index": 0}
os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": addresses}, "task": task})
workers.SECONDS_TO_START = 2
workers.Trainer(lambda: None)
"""
    with workers.Team(1, ["-c", program], logs=tmp_path) as team:
        assert team.wait(seconds=SECONDS) == [1]
        assert team.words(0) == "worker 0 waits for 1 more, at most 2 s"
    assert "Timeout (0:00:02)!" in team.logs[0].with_suffix(".err").read_text()


@two_processes
def test_workers_end_when_the_process_that_started_them_is_killed(folder):
    out = folder / "orphan"
    words = [str(word) for word in command(folder, out, "--epochs", 100_000)]
    program = f"""
import os
from course_lib.extra import workers
team = workers.Team(1, {words!r}, logs={str(out)!r})
team.wait_for_step(1, seconds={SECONDS})
print(team.processes[0].pid, flush=True)
os._exit(1)  # as if it were killed: nothing is tidied up
"""
    started = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=SECONDS
    )
    worker, end = int(started.stdout), time.monotonic() + 60
    while runs_still(worker) and time.monotonic() < end:
        time.sleep(0.1)
    assert not runs_still(worker)


def test_a_step_is_that_of_keras_and_padding_changes_nothing():
    random = np.random.default_rng(1)
    frames = batches.pad([random.normal(size=[n, 40]) for n in (9, 4, 7)], length=30)
    labels = np.array([0, 1, 2], np.int32)
    keras.utils.set_random_seed(0)
    trainer = workers.Trainer(lambda: models.gru(3, units=8), learning_rate=1e-2, clip_norm=0.1)
    twin = models.gru(3, units=8)
    twin.set_weights(trainer.model.get_weights())
    optimizer = keras.optimizers.Adam(1e-2, global_clipnorm=0.1)
    twin.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for _ in range(3):
        expected = twin.train_on_batch(frames[:, :9], labels)
        assert np.isclose(trainer.learn(frames, labels), expected, atol=1e-5)
    for ours, theirs in zip(trainer.model.get_weights(), twin.get_weights()):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_checkpoint_restores_weights_optimizer_and_place(tmp_path):
    trainer = workers.Trainer(lambda: models.gru(3, units=4))
    frames, labels = np.ones([2, 5, 40], np.float32), np.array([0, 1], np.int32)
    path = tmp_path / workers.CHECKPOINT
    assert trainer.restore(path) == (0, 0)
    trainer.learn(frames, labels)
    trainer.save(path, 2, 7)
    expected = trainer.learn(frames, labels)
    assert trainer.restore(path) == (2, 7) and trainer.learn(frames, labels) == expected
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_ports_are_free_and_differ():
    assert len(set(workers.free_ports(5))) == 5


def test_windows_is_told_what_it_needs(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(OSError, match="expected Linux or macOS for 2 workers, found Windows"):
        workers.Team(2, ["-c", ""], logs=tmp_path)
