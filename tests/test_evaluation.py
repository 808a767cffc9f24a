"""Evaluation: predictions in order, intervals as SciPy's, no leak between groups, masks that are lost are found."""

import logging
import os
import warnings

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers
from scipy import stats

from course_lib import evaluation, models
from course_lib.batches import PADDING, pad
from course_lib.evaluation import Results, check_mask, predict, score

SCORE = score([True, True, False])


@pytest.fixture(scope="module")
def gru():
    return models.gru(3, units=6)


@pytest.fixture
def tensorflow_log():
    """The messages that TensorFlow logs."""
    messages = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    tf.get_logger().addHandler(handler)
    yield messages
    tf.get_logger().removeHandler(handler)


def test_predict_gives_each_clip_its_own_answer_in_order(gru, clip_frames):
    frames = clip_frames([9, 2, 30, 2, 17, 1, 5])
    alone = np.concatenate([gru(clip[None]) for clip in frames])
    np.testing.assert_allclose(predict(gru, frames), alone, atol=1e-5)


@pytest.mark.parametrize("lengths", [[3] * 600, [*range(1, 31)] * 20], ids=["one length", "many lengths"])
def test_predict_more_clips_than_one_piece(clip_frames, lengths):
    model, frames = models.average(4), clip_frames(lengths)
    expected = model(pad(frames)).numpy()
    np.testing.assert_allclose(predict(model, frames), expected, atol=1e-5)


def test_predict_refuses_what_cannot_be_padded(gru):
    with pytest.raises(ValueError, match="clip 0: expected finite frames"):
        predict(gru, [np.full([3, 40], np.nan)])


def test_predicting_again_and_again_logs_nothing(clip_frames, tensorflow_log):
    """TensorFlow complains when a function is traced again and again."""
    for seed in range(6):
        predict(models.average(3), clip_frames([4, 9, 2], seed=seed))
    assert tensorflow_log == []


@given(right=st.integers(0, 300), wrong=st.integers(0, 300))
@settings(max_examples=50, deadline=None)
def test_score_equals_scipys_wilson_interval(right, wrong):
    if right + wrong:
        interval = stats.binomtest(right, right + wrong).proportion_ci(0.95, method="wilson")
        found = score([True] * right + [False] * wrong)
        assert found == pytest.approx((right / (right + wrong), interval.low, interval.high, right + wrong), abs=1e-7)


def test_score_reads_as_a_sentence():
    assert str(score([True] * 1_500 + [False] * 500)) == "0.750 (95 % interval 0.731 to 0.768, 2,000 clips)"


def test_score_of_nothing_is_refused():
    with pytest.raises(ValueError, match="expected one answer or more, found none"):
        score([])


def test_evaluate_counts_right_answers(gru, clip_frames):
    frames = clip_frames([4, 9, 2, 6])
    answers = predict(gru, frames).argmax(axis=1)
    truth = answers.copy()
    truth[2] = (truth[2] + 1) % 3
    label = pd.Categorical.from_codes(truth, ["a", "b", "c"])
    assert evaluation.evaluate(gru, pd.DataFrame({"frames": frames, "label": label})) == score([True, True, False, True])


def test_confusion_by_hand():
    labels = pd.Series(pd.Categorical(["b", "a", "b", "b"], categories=["b", "a", "c"]))
    table = evaluation.confusion(labels, [0, 1, 2, 0])
    assert list(table.index) == list(table.columns) == ["b", "a", "c"]
    assert (table.index.name, table.columns.name) == ("true", "answer")
    np.testing.assert_array_equal(table, [[2, 0, 1], [0, 1, 0], [0, 0, 0]])


def test_by_group_scores_each_group():
    groups = pd.Series(["eve", "adam", "eve", "eve"], index=[5, 4, 3, 2])
    table = evaluation.by_group(groups, [True, False, True, False])
    assert list(table.index) == ["adam", "eve"] and list(table.columns) == ["accuracy", "low", "high", "clips"]
    assert tuple(table.loc["eve"]) == pytest.approx(score([True, True, False]))
    assert table["clips"].tolist() == [1, 3] and table["clips"].dtype.kind == "i"


@given(groups=st.lists(st.sampled_from("abcde"), min_size=2, max_size=30).filter(lambda groups: len(set(groups)) > 1))
@settings(max_examples=20, deadline=None)
def test_leave_one_group_out_never_splits_a_group(groups):
    clips = pd.DataFrame({"group": groups})
    rounds = list(evaluation.leave_one_group_out(clips))
    assert [name for name, _, _ in rounds] == sorted(set(groups))
    for name, train, test in rounds:
        assert set(test["group"]) == {name} and name not in set(train["group"])
        assert sorted([*train.index, *test.index]) == list(clips.index)


def test_leave_one_group_out_of_one_group_is_refused():
    with pytest.raises(ValueError, match=r"expected two groups or more, found \['eve'\]"):
        next(evaluation.leave_one_group_out(pd.DataFrame({"group": ["eve", "eve"]})))


@pytest.fixture(scope="module")
def batch(clip_frames):
    return pad(clip_frames([6, 10, 14, 3]))


def model_of(summary):
    keras.utils.set_random_seed(0)
    clip = keras.Input([None, 40])
    return keras.Model(clip, layers.Dense(3, name="logits")(summary(clip)))


def mask(clip):
    return layers.Masking(PADDING, name="mask")(clip)


class Attention(layers.Layer):
    """A weighted mean over time that forgets the padding."""

    def __init__(self, **options):
        super().__init__(**options)
        self.supports_masking = True

    def call(self, frames):
        return keras.ops.sum(frames * keras.ops.softmax(frames, axis=1), axis=1)


def several_outputs(clip):
    _, state = layers.SimpleRNN(16, return_state=True, name="states")(clip)
    return state


def rnn_after(layer):
    return lambda clip: layers.SimpleRNN(16, name="rnn")(layer(mask(clip)))


MASK_LOST = {
    "convolution": (rnn_after(layers.Conv1D(5, 3, padding="same", name="conv")), r"'conv' \(Conv1D\) loses the mask"),
    "reshape": (rnn_after(layers.Reshape([-1, 20], name="fold")), r"'fold' \(Reshape\) loses the mask"),
    "lambda": (rnn_after(layers.Lambda(lambda x: 2 * x, output_shape=(None, 40), name="twice")), r"'twice' \(Lambda\) loses the mask"),
    "arithmetic": (rnn_after(lambda frames: 2 * frames), r"'multiply.*' \(Multiply\) loses the mask"),
    "normalization first": (
        lambda clip: layers.SimpleRNN(16)(mask(layers.Normalization(mean=[-5.0] * 40, variance=[16.0] * 40)(clip))),
        r"'normalization.*' \(Normalization\) changes the padding before layer 'mask' \(Masking\) can mark it",
    ),
    "rescaling first": (lambda clip: layers.SimpleRNN(16)(mask(layers.Rescaling(0.25)(clip))), r"'rescaling.*' \(Rescaling\) changes the padding"),
    "another value": (lambda clip: layers.SimpleRNN(16)(layers.Masking(0.0, name="zeros")(clip)), r"'zeros' \(Masking\) looks for another value than -1000"),
    "no mask": (layers.SimpleRNN(16, name="rnn"), r"'rnn' \(SimpleRNN\) gets no mask from the layers before it: let Masking\(PADDING\) come first"),
    "no mask, several outputs": (several_outputs, r"'states' \(SimpleRNN\) gets no mask from the layers before it"),
    "pooling": (lambda clip: layers.GlobalMaxPooling1D(name="max")(mask(clip)), r"'max' \(GlobalMaxPooling1D\) ignores the mask"),
    "attention": (lambda clip: Attention(name="attention")(mask(clip)), r"'attention' \(Attention\) ignores the mask"),
}


@pytest.mark.parametrize("name", models.BUILDERS)
def test_check_mask_passes_every_builder(batch, name):
    assert 0 <= check_mask(models.BUILDERS[name](3), batch) <= evaluation.TOLERANCE


@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask attached")
@pytest.mark.parametrize("case", MASK_LOST)
def test_check_mask_names_the_layer_at_fault(batch, case):
    summary, message = MASK_LOST[case]
    model = model_of(summary)
    with pytest.raises(AssertionError, match=f"padding changes a logit by .*: layer {message}"), warnings.catch_warnings():
        warnings.filterwarnings("error", message="The structure of `inputs`")
        check_mask(model, batch)


@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask attached")
def test_check_mask_names_the_layer_of_a_sequential_model(batch):
    conv = layers.Conv1D(5, 3, padding="same", name="conv")
    model = keras.Sequential([keras.Input([None, 40]), layers.Masking(PADDING), conv, layers.SimpleRNN(16)])
    with pytest.raises(AssertionError, match=r"layer 'conv' \(Conv1D\) loses the mask"):
        check_mask(model, batch)


def left_padded(batch):
    return batch[:, ::-1]


def padding_in_the_middle(batch):
    return np.concatenate([batch, batch], axis=1)


def nothing_but_padding(batch):
    return np.concatenate([batch, np.full_like(batch[:1], PADDING)])


@pytest.mark.parametrize("change", [left_padded, padding_in_the_middle, nothing_but_padding])
def test_check_mask_refuses_a_batch_that_is_not_padded_at_the_end(gru, batch, change):
    with pytest.raises(ValueError, match="expected every clip to have frames first and padding after"):
        check_mask(gru, change(batch))


@pytest.fixture
def results(tmp_path):
    return Results(tmp_path / "build" / "results.csv")


def add(results, **changes):
    return results.add(**{"lesson": "02", "model": "gru", "data": "digits", "split": "official", "score": SCORE, "parameters": 7} | changes)


def test_results_without_a_file_have_no_rows(results):
    assert list(results.table().columns) == list(Results.COLUMNS) and len(results.table()) == 0


def test_results_are_read_back_as_they_were_added(results):
    added = add(results)
    pd.testing.assert_frame_equal(added, results.table())
    row = {"lesson": "02", "model": "gru", "data": "digits", "split": "official", **SCORE._asdict(), "seeds": 1, "parameters": 7}
    assert results.table().dropna(axis=1).to_dict("records") == [row]
    assert [added[name].dtype.kind for name in ("accuracy", "low", "high", "clips", "parameters")] == list("fffii")


def test_results_of_several_seeds_keep_their_mean_and_their_spread(results):
    scores = [score([True] * right + [False] * (10 - right)) for right in (4, 9, 5)]
    row = add(results, score=scores, seconds=0.5, milliseconds=2.5, kilobytes=81.0).iloc[0]
    assert row[["accuracy", "least", "largest", "seeds", "clips"]].tolist() == pytest.approx([0.6, 0.4, 0.9, 3, 10])
    assert row.low == pytest.approx(np.mean([each.low for each in scores])) and row.high == pytest.approx(np.mean([each.high for each in scores]))
    assert (row.seconds, row.milliseconds, row.kilobytes) == (0.5, 2.5, 81.0)


def test_results_of_an_earlier_form_are_read(results):
    results.path.parent.mkdir()
    results.path.write_text("lesson,model,data,split,accuracy,low,high,clips,parameters\n02,gru,digits,official,0.5,0.4,0.6,10,7\n")
    assert add(results, lesson="03")["parameters"].tolist() == [7, 7]


def test_price_counts_weights_and_waits(clip_frames):
    model = models.average(3)
    price = evaluation.price(model, clip_frames([4, 9]))
    assert price["parameters"] == 80 * 3 + 3 and price["kilobytes"] == 4 * 243 / 1024
    assert 0 < price["milliseconds"] < 10_000


def test_results_keep_every_digit_however_often_they_are_read(results):
    scores = [score([True] * right + [False] * 3) for right in range(20)]
    for number, each in enumerate(scores):
        add(results, lesson=f"{number:02}", score=each)
    assert results.table()[["accuracy", "low", "high"]].values.tolist() == [list(each[:3]) for each in scores]


def test_results_are_replaced_by_a_second_run(results):
    add(results, parameters=1)
    add(results, model="lstm")
    assert sorted(add(results, parameters=9)["parameters"]) == [7, 9]


def test_results_are_sorted_by_lesson(results):
    for lesson, model in [("10", "gru"), ("02", "average"), ("03", "GRU, 64 units"), ("02", "Größe")]:
        table = add(results, lesson=lesson, model=model)
    assert table["lesson"].tolist() == ["02", "02", "03", "10"] and table["model"].tolist() == ["average", "Größe", "GRU, 64 units", "gru"]
    pd.testing.assert_frame_equal(table, results.table())


def test_results_are_written_without_a_warning(results):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        add(results)
        add(results, lesson="03")


def test_results_leave_no_other_file(results):
    add(results)
    add(results, lesson="03")
    assert list(results.path.parent.iterdir()) == [results.path]


def test_results_survive_a_failed_write(results, monkeypatch):
    add(results)

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        add(results, lesson="03")
    assert results.table()["lesson"].tolist() == ["02"] and list(results.path.parent.iterdir()) == [results.path]


def test_answers_follow_the_weights_though_the_model_is_traced_once(gru, clip_frames, tmp_path):
    frames = clip_frames([4, 9])
    before = predict(gru, frames)
    gru.set_weights([weight + 0.1 for weight in gru.get_weights()])
    assert np.abs(predict(gru, frames) - before).max() > 1e-3
    np.testing.assert_allclose(predict(gru, frames), gru(pad(frames)), atol=1e-5)
    gru.save(tmp_path / "model.keras")
    np.testing.assert_allclose(predict(keras.models.clone_model(gru), frames).shape, before.shape)
