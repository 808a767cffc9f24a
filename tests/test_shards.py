"""Shards: every clip once, the same order again, resumed where it ended, damage named."""

import json

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import batches, data, models, training
from course_lib.batches import PADDING
from course_lib.extra import augmentation, rooms, shards

FORMS = pytest.mark.parametrize("form", shards.FORMS)
SPEAKERS = ("ann", "bob", "cem", "dee")


def numbered(count, seed=0):
    """Clips whose every value is the clip's number, which is its label, by four speakers."""
    lengths = np.random.default_rng(seed).integers(1, 30, count)
    for number, length in enumerate(lengths):
        yield np.full([length, 3], number, np.float32), number, SPEAKERS[number % 4]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A hundred numbered clips in shards of 16, in each form."""
    made = {}
    for form in shards.FORMS:
        made[form] = tmp_path_factory.mktemp("sets") / form
        shards.write(numbered(100), made[form], per_shard=16, form=form)
    return made


def numbers(dataset):
    """The clips of each batch, by their labels."""
    return [labels.tolist() for _, labels in dataset.as_numpy_iterator()]


@FORMS
def test_each_clip_once_with_its_frames_and_label(folders, form):
    lengths = [len(frames) for frames, *_ in numbered(100)]
    dataset, read = shards.read(folders[form], batch_size=8, buffer=20), []
    for padded, labels in dataset.as_numpy_iterator():
        assert padded.dtype == np.float32 and labels.dtype == np.int32
        for row, label in zip(padded, labels):
            assert (row[: lengths[label]] == label).all()
            assert (row[lengths[label] :] == PADDING).all()
        read.append(labels)
    assert len(read) == len(dataset) and sorted(np.concatenate(read)) == list(range(100))


@given(
    batch_size=st.integers(4, 20),
    n_lengths=st.integers(1, 5),
    buffer=st.integers(1, 120) | st.none(),
    seed=st.integers(0, 3),
    epoch=st.integers(0, 3),
    workers=st.integers(1, 4),
    part=st.floats(0, 1),
)
@settings(max_examples=8, deadline=None)
def test_shares_of_workers_and_what_is_left_make_the_same_batches(
    folders, workers, part, **options
):
    whole = [set(batch) for batch in numbers(shards.read(folders["flat"], **options))]
    skip = int(part * len(whole))
    mine = {"workers": workers, "skip": skip, **options}
    shares = [numbers(shards.read(folders["flat"], worker=each, **mine)) for each in range(workers)]
    for batch, *parts in zip(whole[skip:], *shares, strict=True):
        assert all(parts) and sum(map(len, parts)) == len(batch)
        assert set().union(*parts) == batch


def test_both_forms_give_the_same_batches(folders):
    one, other = (shards.read(folders[form], buffer=30).as_numpy_iterator() for form in folders)
    for (frames, labels), (frames_too, labels_too) in zip(one, other, strict=True):
        np.testing.assert_array_equal(frames, frames_too)
        np.testing.assert_array_equal(labels, labels_too)


def test_passes_are_the_epochs_whatever_the_global_seed(folders):
    dataset, found = shards.read(folders["tfrecord"], seed=5), []
    for epoch in range(3):
        keras.utils.set_random_seed(epoch)
        found.append(numbers(dataset))
        assert found[epoch] == numbers(shards.read(folders["tfrecord"], seed=5, epoch=epoch))
    assert found[0] != found[1] != found[2] != found[0]
    assert found[0] != numbers(shards.read(folders["tfrecord"], seed=6))


@given(buffer=st.integers(1, 60), batch_size=st.integers(1, 9), seed=st.integers(0, 9))
@settings(max_examples=10, deadline=None)
def test_what_waits_in_memory_is_bounded(buffer, batch_size, seed):
    """At most the buffer, an unfinished batch of each length, and what a shard brings at once."""
    random = np.random.default_rng(seed)
    shard_of = np.arange(300) // 10
    buckets = np.array_split(random.permutation(300), 4)
    stream, planned = shards.plan(buckets, shard_of, random, batch_size, buffer)
    assert sorted(stream) == sorted(np.concatenate(planned)) == list(range(300))
    read_at = np.argsort(stream)
    waiting = 0
    given_before = np.cumsum([0, *map(len, planned)])
    for batch, given_out in zip(planned, given_before):
        waiting = max(waiting, read_at[batch].max() + 1 - given_out)
    assert waiting <= buffer + 4 * batch_size


def test_larger_buffers_mix_more_shards(folders):
    """With shards of one class each, how many classes a batch has."""
    shard_of = np.repeat(np.arange(40), 25)
    buckets, mixed = [np.arange(1_000)], []
    for buffer in (1, 50, 200, None):
        _, planned = shards.plan(buckets, shard_of, np.random.default_rng(0), 32, buffer)
        mixed.append(np.mean([len(set(shard_of[batch])) for batch in planned]))
    assert mixed == sorted(mixed) and mixed[0] < 3 and mixed[-1] > 20


@FORMS
def test_interrupted_and_called_again_it_goes_on(tmp_path, form, capsys):
    whole, broken, made = tmp_path / "whole", tmp_path / "broken", []
    files = pd.DataFrame({"path": [str(number) for number in range(50)], "label": 0, "group": "a"})

    def frames(path, last=50):
        if int(path) > last:
            raise KeyboardInterrupt
        made.append(int(path))
        return np.full([3, 2], int(path), np.float32)

    shards.write(files, whole, frames=frames, per_shard=8, form=form)
    with pytest.raises(KeyboardInterrupt):
        options = {"per_shard": 8, "form": form}
        shards.write(files, broken, frames=lambda path: frames(path, last=28), **options)
    with open(broken / shards.INDEX, "a") as index:
        index.write('{"file": "shard-0')  # a line that was cut off
    with pytest.raises(ValueError, match="expected a finished set of shards, found 3 shards"):
        shards.read(broken)
    assert "finished" in " ".join(shards.check(broken))
    made.clear()
    shards.write(files, broken, frames=frames, **options)
    assert made == list(range(24, 50)) and "100%" in capsys.readouterr().out
    assert not shards.check(broken)
    for file in whole.iterdir():
        assert (broken / file.name).read_bytes() == file.read_bytes()


@FORMS
@pytest.mark.parametrize("damage", ["changed", "cut", "missing"])
def test_damaged_shard_is_named_and_made_anew(tmp_path, form, damage):
    shards.write(numbered(40), tmp_path, per_shard=10, form=form)
    victim = sorted(tmp_path.glob("shard-*"))[2]
    good = victim.read_bytes()
    bad = {"changed": good[:50] + b"?" + good[51:], "cut": good[:-3], "missing": b""}[damage]
    victim.write_bytes(bad)
    if damage == "missing":
        victim.unlink()
    [fault] = shards.check(tmp_path)
    assert fault.startswith(f"{victim.name}: expected") and "found" in fault
    model = models.gru(40, units=2, n_mels=3)
    with pytest.raises(ValueError, match=f"^{victim.name}: expected .*, found"):
        training.fit(model, shards.read(tmp_path), epochs=1)
    others = {path: path.stat().st_mtime_ns for path in tmp_path.glob("shard-*")}
    shards.write(numbered(40), tmp_path, per_shard=10, form=form)
    assert victim.read_bytes() == good and not shards.check(tmp_path)
    for path in others.keys() - {victim}:
        assert path.stat().st_mtime_ns == others[path]


def test_clip_that_cannot_be_read_is_named_and_left_out(tmp_path, sound, capsys):
    files = [sound(f"{number}.wav") for number in range(5)]
    files[1].write_text("no sound")
    sound("3.wav", samples=np.zeros(20))
    labels = pd.Categorical(["yes", "no", "no", "yes", "yes"])
    clips = pd.DataFrame({"path": files, "label": labels, "group": list("abcde")})
    shards.write(clips, tmp_path / "set", per_shard=2, frame_step=160)
    table = shards.table(tmp_path / "set")
    assert list(table["group"]) == ["a", "c", "e"] and list(table["label"]) == ["yes", "no", "yes"]
    assert table.attrs["settings"] == {"frame_step": 160} and table.attrs["mels"] == 40
    said = capsys.readouterr().out
    assert all(f"{files[number]}:" in said for number in (1, 3)) and "found 20" in said
    assert len(table.attrs["skipped"]) == 2
    dataset = shards.read(tmp_path / "set")
    assert dataset.classes == ["no", "yes"]
    [(padded, labels)] = dataset.as_numpy_iterator()
    expected = shards.log_mel_of_path(files[0], frame_step=160)
    np.testing.assert_array_equal(padded[0], expected)


def test_split_by_speaker_needs_no_other_shards(folders):
    table = shards.table(folders["tfrecord"])
    learn, rest = data.split(table, fraction=0.5)
    sides = [
        numbers(shards.read(folders["tfrecord"], groups=side["group"])) for side in (learn, rest)
    ]
    for side, read in zip((learn, rest), sides):
        assert sorted(np.concatenate(read)) == sorted(side["label"])
    with pytest.raises(ValueError, match="4 groups of the set, found .*'eve'"):
        shards.read(folders["tfrecord"], groups=["ann", "eve"])


def test_clips_by_number(folders):
    for folder in folders.values():
        clips = shards.Shards(folder)
        assert len(clips) == 100
        frames, label, group = clips[37]
        assert (frames == 37).all() and (label, group) == (37, "bob")


def test_records_are_whole_without_the_index(folders):
    kinds = {"frames": tf.string, "label": tf.int64, "group": tf.string}
    features = {name: tf.io.FixedLenFeature([], kind) for name, kind in kinds.items()}
    records = tf.data.TFRecordDataset(str(folders["tfrecord"] / "shard-00001.tfrecord"))
    clip = tf.io.parse_single_example(next(iter(records)), features)
    assert clip["label"] == 16 and clip["group"] == b"ann"
    assert (tf.io.decode_raw(clip["frames"], tf.float32) == 16).numpy().all()


def test_flat_shard_is_one_array_with_lengths_beside_it(folders):
    flat = np.memmap(folders["flat"] / "shard-00001.f32", "<f4", mode="r").reshape(-1, 3)
    table = shards.table(folders["flat"]).query("shard == 1")
    assert len(flat) == table["length"].sum()
    for clip in table.itertuples():
        assert (flat[clip.begin : clip.begin + clip.length] == clip.label).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"worker": 2, "workers": 2}, "expected a clip for each worker .* found worker 2 of 2"),
        ({"workers": 9, "batch_size": 8}, "expected a clip for each worker"),
        ({"skip": 2}, "expected an epoch, .* found epoch None and 2"),
        ({"skip": 99, "epoch": 0}, "0 to 4 of its batches to leave out, found epoch 0 and 99"),
        ({"buffer": None}, 'expected the form "flat" .* found .tfrecord'),
        ({"groups": []}, "expected some of the 4 groups"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(folders, options, said):
    with pytest.raises(ValueError, match=said):
        shards.read(folders["tfrecord"], **options)


def test_other_clips_or_settings_take_another_folder(tmp_path):
    shards.write(numbered(5), tmp_path)
    with pytest.raises(ValueError, match="delete the folder"):
        shards.write(numbered(5), tmp_path, form="flat")
    with pytest.raises(ValueError, match="expected one of tfrecord, flat, found 'csv'"):
        shards.write(numbered(5), tmp_path, form="csv")
    with pytest.raises(ValueError, match="expected clips of one number of bands, found \\[\\]"):
        shards.write([(np.zeros([0, 3]), 0, "a")], tmp_path / "none")
    with pytest.raises(ValueError, match="found no index.jsonl"):
        shards.table(tmp_path / "nothing")
    (tmp_path / shards.INDEX).write_text("not JSON\n")
    with pytest.raises(ValueError, match="expected lines of JSON"):
        shards.table(tmp_path)


def by_level(count, bands):
    """Clips of three classes that differ in level, by six speakers."""
    random, names = np.random.default_rng(1), ("low", "mid", "high")
    rows = []
    for number in range(count):
        frames = random.normal(2 * (number % 3) - 7, 1, [random.integers(10, 40), bands])
        rows.append((frames.astype(np.float32), names[number % 3], f"s{number % 6}"))
    table = pd.DataFrame(rows, columns=["frames", "label", "group"])
    return table.assign(label=pd.Categorical(table["label"], names))


def shorter(frames, random):
    frames = augmentation.crop(frames, random, shortest=8, longest=30)
    return augmentation.colour(frames, random, decibels=3)


def test_lesson_12s_model_learns_from_shards_by_one_line(tmp_path):
    """The training side of a split by speaker, changed at each use, as `bucketed` gives it."""
    clips = by_level(120, 8)
    learn, watched = data.split(clips, fraction=0.3)
    rows = zip(clips["frames"], clips["label"].cat.codes, clips["group"])
    shards.write(rows, tmp_path, classes=clips["label"].cat.categories, per_shard=25)
    once = batches.bucketed(learn["frames"], learn["label"], augment=shorter)
    from_disk = shards.read(tmp_path, groups=learn["group"], augment=shorter)
    assert once.element_spec == from_disk.element_spec and len(once) == len(from_disk)
    assert list(once.classes) == from_disk.classes
    again = shards.read(tmp_path, groups=learn["group"], augment=shorter)
    for (one, _), (other, _) in zip(from_disk, again):
        np.testing.assert_array_equal(one, other)
    keras.utils.set_random_seed(0)
    model = models.attention(3, n_mels=8)
    to_watch = batches.bucketed(watched["frames"], watched["label"])
    history = training.fit(model, from_disk, to_watch, epochs=6, learning_rate=0.01)
    assert history.history["val_accuracy"][-1] > 0.9
    assert model.classes == ("low", "mid", "high")


def test_lesson_16s_scenes_take_clips_that_stay_on_disk_by_one_line(tmp_path):
    options = rooms.settings(16_000)
    clips = by_level(60, options["n_mels"])
    rows = zip(clips["frames"], clips["label"].cat.codes, clips["group"])
    names = clips["label"].cat.categories
    shards.write(rows, tmp_path, classes=names, per_shard=25, form="flat")
    on_disk = shards.table(tmp_path)
    for frames, expected in zip(on_disk["frames"], clips["frames"]):
        np.testing.assert_array_equal(frames, expected)
    expected, found = (rooms.Scenes(each, options, seed=3)[0] for each in (clips, on_disk))
    for one, other in zip(expected, found):
        np.testing.assert_array_equal(one, other)
    with open(tmp_path / "shard-00000.f32", "r+b") as file:
        file.write(bytes(4))
    assert on_disk["frames"][0][0, 0] == 0, "the array should be the file itself"


def test_index_is_plain_json(folders):
    lines = [json.loads(line) for line in open(folders["flat"] / shards.INDEX)]
    assert lines[0]["form"] == "flat" and lines[-1] == {"shards": 7}
