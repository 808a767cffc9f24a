"""Evaluation: predictions in order, intervals as SciPy's, no leak of groups, lost masks found."""

import os
import warnings

import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers
from scipy import stats

from course_lib import evaluation, models, training
from course_lib.batches import PADDING, bucketed, pad
from course_lib.evaluation import Results, check_mask, paired_difference, predict, score

SCORE = score([True, True, False])
ignores_mask = pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask")


@pytest.fixture(scope="module")
def gru():
    return models.gru(3, units=6)


@pytest.fixture(scope="module")
def batch(clip_frames):
    return pad(clip_frames([6, 10, 14, 3]))


@pytest.mark.parametrize("lengths", [[9, 2, 30, 2, 17, 1, 5], [3] * 600, [*range(1, 31)] * 20])
def test_predict_gives_each_clip_its_own_answer_in_order(gru, clip_frames, lengths):
    frames = clip_frames(lengths)
    np.testing.assert_allclose(predict(gru, frames), gru(pad(frames)), atol=1e-5)
    np.testing.assert_allclose(predict(gru, frames)[-1:], gru(frames[-1][None]), atol=1e-5)
    assert predict(gru, frames).dtype == np.float32


@given(right=st.integers(0, 300), wrong=st.integers(0, 300))
@settings(max_examples=50, deadline=None)
def test_score_is_wilsons_interval(right, wrong):
    """Its ends are the true shares from which the found one lies 1.96 standard deviations away."""
    if right + wrong:
        accuracy, low, high, n = score([True] * right + [False] * wrong)
        assert (accuracy, n) == (pytest.approx(right / n), right + wrong)
        assert 0 <= low <= accuracy <= high <= 1
        for end in {low, high} - {0, 1}:
            away = abs(accuracy - end) / np.sqrt(end * (1 - end) / n)
            assert away == pytest.approx(stats.norm.ppf(0.975), rel=1e-4)


def test_score_reads_as_a_sentence():
    said = str(score([True] * 1_500 + [False] * 500))
    assert said == "0.750 (95 % interval 0.731 to 0.768, 2,000 clips)"
    with pytest.raises(ValueError, match="expected one answer or more, found none"):
        score([])


@pytest.mark.parametrize(
    "correct, message",
    [
        ([True, None], "clip 1: expected True or False, found None"),
        ([1, np.nan], "clip 1: expected True or False, found nan"),
        (pd.Series([True, pd.NA], dtype="boolean"), "clip 1: expected True or False, found <NA>"),
        ([0.7, 0.2], "clip 0: expected True or False, found 0.7"),
        (["yes"], "clip 0: expected True or False, found yes"),
        (np.eye(2), r"expected one answer a clip, found shape \[2, 2\]"),
    ],
)
def test_answer_that_is_neither_right_nor_wrong_is_refused(correct, message):
    for use in (score, lambda answers: paired_difference([True, True], answers)):
        with pytest.raises(ValueError, match=message):
            use(correct)


def test_score_takes_answers_of_any_type():
    for correct in ([1, 0], [1.0, 0.0], pd.Series([True, False], dtype="boolean", index=[7, 7])):
        assert score(correct) == score([True, False])


def answers(both, only_a, only_b, neither):
    a = [True] * (both + only_a) + [False] * (only_b + neither)
    b = [True] * both + [False] * only_a + [True] * only_b + [False] * neither
    return a, b


def test_paired_difference_of_newcombes_example():
    """Method 10 for his table of 36, 12, 2 and 0 pairs."""
    found = paired_difference(*answers(36, 12, 2, 0))
    assert found == pytest.approx((0.2, 0.0569, 0.3404), abs=5e-5)
    with pytest.raises(ValueError, match="expected answers to the same clips, found 3 and 2"):
        paired_difference([1, 0, 1], [1, 0])


def test_paired_difference_covers_the_truth_in_95_of_100_experiments():
    random, truth, hits = np.random.default_rng(0), 0.05, 0
    chances = [0.80, 0.08, 0.03, 0.09]  # of: both right, only a, only b, neither
    for counts in random.multinomial(200, chances, size=600):
        _, low, high = paired_difference(*answers(*counts))
        hits += low <= truth <= high
    assert 0.93 <= hits / 600 <= 0.98


@given(counts=st.tuples(*[st.integers(0, 60)] * 4).filter(any))
@settings(max_examples=50, deadline=None)
def test_paired_difference_turns_round_and_stays_in_its_range(counts):
    a, b = answers(*counts)
    difference, low, high = paired_difference(a, b)
    assert difference == pytest.approx(np.mean(a) - np.mean(b), abs=1e-12)
    assert -1 - 1e-9 <= low <= difference <= high <= 1 + 1e-9
    assert paired_difference(b, a) == pytest.approx((-difference, -high, -low), abs=1e-9)


def test_evaluate_counts_right_answers(gru, clip_frames):
    frames = clip_frames([4, 9, 2, 6])
    truth = (predict(gru, frames).argmax(axis=1) + [0, 0, 1, 0]) % 3
    labels = pd.Categorical.from_codes(truth, list("abc"))
    clips = pd.DataFrame({"frames": frames, "label": labels})
    assert evaluation.evaluate(gru, clips) == score([True, True, False, True])


class AlwaysRight:
    """Stands for a model whose answers are the labels of its training."""

    def __init__(self, classes, frames, labels):
        self.classes, self.input_shape = classes, (None, None, 40)
        self.answers = {clip.tobytes(): name for clip, name in zip(frames, labels)}


@pytest.fixture
def heard(clip_frames, monkeypatch):
    """Six clips of the classes a, b and c, and a model that is always right about them."""
    frames, labels = clip_frames([4, 9, 2, 6, 5, 3]), list("abccba")
    clips = pd.DataFrame({"frames": frames, "label": pd.Categorical(labels)}, index=[0] * 6)
    model = AlwaysRight(["a", "b", "c"], frames, labels)

    def logits(model, frames):
        names = [model.answers[clip.tobytes()] for clip in frames]
        return np.eye(3)[["abc".index(name) for name in names]]

    monkeypatch.setattr(evaluation, "predict", logits)
    monkeypatch.setattr(evaluation, "check_mask", lambda model, batch: 0.0)
    return model, clips


def test_a_model_that_is_always_right_is_scored_so_or_refused(heard):
    """A table that lacks a class has other codes: with them the accuracy would be 0.50."""
    model, clips = heard
    assert evaluation.evaluate(model, clips).accuracy == 1
    some = clips[clips["label"] != "b"]
    assert evaluation.evaluate(model, some).accuracy == 1  # "b" is still among the categories
    lacks_b = some.assign(label=some["label"].cat.remove_unused_categories())
    both = r"classes \['a', 'b', 'c'\], found \['a', 'c'\]"
    with pytest.raises(ValueError, match=both):
        evaluation.evaluate(model, lacks_b)
    with pytest.raises(ValueError, match=both):
        evaluation.confusion(lacks_b["label"], [0, 2, 2, 0], classes=model.classes)
    model.classes = None
    with pytest.raises(ValueError, match=r"expected 3 classes, .*, found 2: \['a', 'c'\]"):
        evaluation.evaluate(model, lacks_b)
    with pytest.raises(ValueError, match=both):
        evaluation.evaluate(model, lacks_b, classes=["a", "b", "c"])


@pytest.mark.parametrize("names", ["bac", "abd", "abcd", "ab"])
def test_labels_of_other_classes_are_refused_with_both_lists(heard, names):
    model, clips = heard
    labels = pd.Categorical.from_codes([0, 1, 0, 1, 0, 1], list(names))
    message = rf"expected labels of the classes \['a', 'b', 'c'\], found \['{names[0]}', .*\]"
    with pytest.raises(ValueError, match=message):
        evaluation.evaluate(model, clips.assign(label=labels))


def test_labels_that_are_missing_or_not_categorical_are_refused(heard):
    model, clips = heard
    missing = clips.assign(label=pd.Categorical(["a", None, "b", "c", "a", "b"]))
    with pytest.raises(ValueError, match="clip 1: expected a label, found none"):
        evaluation.evaluate(model, missing)
    with pytest.raises(ValueError, match="expected a categorical column of labels, .*, found"):
        evaluation.evaluate(model, clips.assign(label=list("abccba")))


def test_names_come_from_training(clip_frames):
    frames, labels = clip_frames([5] * 6), pd.Categorical(list("abcabc"))
    model, clips = models.average(3), pd.DataFrame({"frames": frames, "label": labels})
    training.fit(model, bucketed(frames, labels), epochs=1)
    assert evaluation.evaluate(model, clips).clips == 6
    clips["label"] = clips["label"].cat.rename_categories(list("abd"))
    with pytest.raises(ValueError, match=r"\['a', 'b', 'c'\], found \['a', 'b', 'd'\]"):
        evaluation.evaluate(model, clips)


def test_confusion_by_hand():
    labels = pd.Series(pd.Categorical(["b", "a", "b", "b"], categories=["b", "a", "c"]))
    answers = [0, 1, 2, 0]
    by_name = pd.Categorical.from_codes(answers, labels.cat.categories)
    for predicted in (answers, np.uint8(answers), by_name, pd.Series(by_name, index=[1] * 4)):
        table = evaluation.confusion(labels, predicted, classes=["b", "a", "c"])
        assert list(table.index) == list(table.columns) == ["b", "a", "c"]
        assert (table.index.name, table.columns.name) == ("true", "answer")
        assert table.to_numpy().tolist() == [[2, 0, 1], [0, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    "labels, predicted, message",
    [
        (["a", None, "b"], [0, 1, 1], "clip 1: expected a label, found none"),
        (["a", "b"], [0, 2], r"expected answers of 0 to 1, for the classes \['a', 'b'\], found 2"),
        (["a", "b"], [0, -1], "clip 1: expected a label of 0 or more, found -1"),
        (["a", "b"], [0, 1, 1], "expected 2 answers, one a label, found 3"),
        (["a", "b"], np.eye(2), r"expected labels .*, one a clip, found shape \[2, 2\]"),
        (["a", "b"], ["a", "b"], "expected labels as integers or a categorical column, found"),
        (["a", "b"], pd.Categorical(["a", "c"]), r"\['a', 'b'\], found \['a', 'c'\]"),
    ],
)
def test_confusion_refuses_what_it_would_count_wrongly(labels, predicted, message):
    with pytest.raises(ValueError, match=message):
        evaluation.confusion(pd.Categorical(labels), predicted)


def test_by_group_scores_each_group():
    groups = pd.Series(["eve", "adam", "eve", "eve"], index=[5, 4, 3, 2])
    table = evaluation.by_group(groups, [True, False, True, False])
    assert list(table.index) == ["adam", "eve"] and list(table.columns) == list(SCORE._fields)
    assert tuple(table.loc["eve"]) == pytest.approx(SCORE) and table["clips"].tolist() == [1, 3]


def test_groups_of_mixed_types_stay_apart():
    table = evaluation.by_group(["1", 1, "a", 1], [True, True, True, False])
    assert table["clips"].to_dict() == {1: 2, "1": 1, "a": 1}


@pytest.mark.parametrize("groups", [["a", None, "b"], [1.0, np.nan, 2.0]])
def test_missing_group_is_refused(groups):
    with pytest.raises(ValueError, match="clip 1: expected a group, found none"):
        evaluation.by_group(groups, [1] * 3)
    with pytest.raises(ValueError, match="expected one group an answer, found 3 groups and 2"):
        evaluation.by_group(["a", "b", "a"], [True, False])


def test_unused_group_and_repeated_index_change_nothing():
    names = pd.Categorical(["b", "a", "b"], categories=["c", "b", "a"])
    assert list(evaluation.by_group(pd.Series(names, index=[5, 5, 5]), [1, 0, 1]).index) == [
        "a",
        "b",
    ]


def test_cost_counts_weights_and_waits(clip_frames):
    cost = evaluation.cost(models.average(3), clip_frames([4, 9]))
    assert cost["parameters"] == 80 * 3 + 3 and cost["kilobytes"] == 4 * 243 / 1024
    assert 0 < cost["milliseconds"] < 10_000


class Attention(layers.Layer):
    """A weighted mean over time that forgets the padding."""

    supports_masking = True

    def call(self, frames):
        return keras.ops.sum(frames * keras.ops.softmax(frames, axis=1), axis=1)


def mask(clip):
    return layers.Masking(PADDING, name="mask")(clip)


def rnn(frames):
    return layers.SimpleRNN(16, name="rnn")(frames)


def conv(frames):
    return layers.Conv1D(5, 3, padding="same", name="conv")(frames)


def state(clip):
    return layers.SimpleRNN(16, return_state=True, name="states")(clip)[1]


MASK_LOST = {
    "convolution": (lambda x: rnn(conv(mask(x))), r"'conv' \(Conv1D\) loses the mask"),
    "arithmetic": (lambda x: rnn(2 * mask(x)), r"'multiply.*' \(Multiply\) loses the mask"),
    "divided": (lambda x: rnn(mask(x / 4)), r".*Divide\) changes the padding before .*'mask'"),
    "value": (lambda x: rnn(layers.Masking(0.0)(x)), r".*looks for another value than -1000"),
    "no mask": (rnn, r"'rnn' \(SimpleRNN\) gets no mask .*: let Masking\(PADDING\) come first"),
    "several outputs": (state, r"'states' \(SimpleRNN\) gets no mask from the layers before it"),
    "pooling": (lambda x: layers.GlobalMaxPooling1D()(mask(x)), r".*1D\) ignores the mask"),
    "attention": (lambda x: Attention()(mask(x)), r"'attention.*' \(Attention\) ignores the mask"),
}


@pytest.mark.parametrize("name", models.BUILDERS)
def test_check_mask_passes_every_builder(batch, name):
    assert 0 <= check_mask(models.BUILDERS[name](3), batch) <= evaluation.TOLERANCE


@ignores_mask
@pytest.mark.parametrize("case", MASK_LOST)
def test_check_mask_names_the_layer_at_fault(batch, case):
    keras.utils.set_random_seed(0)
    summary, message = MASK_LOST[case]
    clip = keras.Input([None, 40])
    model = keras.Model(clip, layers.Dense(3, name="logits")(summary(clip)))
    with pytest.raises(AssertionError, match=f"padding changes a logit by .*: layer {message}"):
        check_mask(model, batch)


@ignores_mask
def test_check_mask_names_the_layer_of_a_sequential_model(batch):
    steps = [layers.Masking(PADDING), layers.Conv1D(5, 3, name="conv"), layers.SimpleRNN(16)]
    with pytest.raises(AssertionError, match=r"layer 'conv' \(Conv1D\) loses the mask"):
        check_mask(keras.Sequential([keras.Input([None, 40]), *steps]), batch[2:, :6])


@ignores_mask
@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_check_mask_knows_the_precision_it_runs_in(batch, precision):
    keras.config.set_dtype_policy(precision)
    try:
        keras.utils.set_random_seed(0)
        for build in models.BUILDERS.values():
            check_mask(build(3), batch)
        clip = keras.Input([None, 40])
        lost = keras.Model(clip, layers.Dense(3)(rnn(conv(mask(clip)))))
    finally:
        keras.config.set_dtype_policy("float32")
    with pytest.raises(AssertionError, match=r"'conv' \(Conv1D\) loses the mask"):
        check_mask(lost, batch)


def test_check_mask_knows_that_large_logits_round_more(batch):
    keras.utils.set_random_seed(0)
    model = models.attention(3)
    model.layers[-1].kernel.assign(3_000 * model.layers[-1].kernel)
    assert check_mask(model, batch) > evaluation.TOLERANCE


def test_check_mask_of_a_subclass(batch):
    class Own(keras.Model):
        def __init__(self, *steps):
            super().__init__()
            self.steps = steps

        def call(self, frames):
            for step in self.steps:
                frames = step(frames)
            return frames

    steps = layers.SimpleRNN(16), layers.Dense(3)
    assert check_mask(Own(layers.Masking(PADDING), *steps), batch) <= evaluation.TOLERANCE
    with pytest.raises(AssertionError, match="padding changes a logit by .*: no single layer"):
        check_mask(Own(*steps), batch)


def test_check_mask_refuses_a_batch_that_is_not_padded_at_the_end(gru, batch):
    in_the_middle, nothing = np.concatenate([batch, batch], axis=1), np.full_like(batch, PADDING)
    for wrong in (batch[:, ::-1], in_the_middle, nothing):
        with pytest.raises(ValueError, match="expected every clip to have frames first and"):
            check_mask(gru, wrong)


@pytest.fixture
def results(tmp_path):
    return Results(tmp_path / "build" / "results.csv")


def add(results, **changes):
    entry = {"lesson": "02", "model": "gru", "data": "digits", "split": "official"}
    return results.add(**entry | {"score": SCORE, "parameters": 7} | changes)


def test_results_come_back_as_they_were_added(results):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(20):  # every digit is kept, however often the file is read
            added = add(results, lesson=f"{number:02}", score=score([1] * number + [0] * 3))
    pd.testing.assert_frame_equal(added, results.table())
    expected = [list(score([1] * number + [0] * 3)) for number in range(20)]
    assert added[list(SCORE._fields)].astype(object).to_numpy().tolist() == expected
    assert set(added["seeds"]) == {1} and added["seconds"].isna().all()


def test_results_of_several_seeds_keep_their_mean_and_their_spread(results):
    scores = [score([True] * right + [False] * (10 - right)) for right in (4, 9, 5)]
    row = add(results, score=scores, seconds=0.5, kilobytes=81.0).iloc[0]
    found = row[["accuracy", "least", "largest", "seeds", "clips", "seconds", "kilobytes"]]
    assert found.tolist() == pytest.approx([0.6, 0.4, 0.9, 3, 10, 0.5, 81])
    assert row.low == pytest.approx(np.mean([each.low for each in scores]))


def test_results_are_replaced_by_a_second_run_and_sorted_by_lesson(results):
    for lesson, model in [("10", "gru"), ("02", "average"), ("03", "GRU, 64"), ("02", "Größe")]:
        add(results, lesson=lesson, model=model)
    table = add(results, lesson="10", parameters=9)
    assert table["model"].tolist() == ["average", "Größe", "GRU, 64", "gru"]
    assert table["parameters"].tolist() == [7, 7, 7, 9]
    with pytest.raises(TypeError, match="expected .*'milliseconds'.*, found .*'hours'"):
        add(results, hours=3)


def test_results_survive_a_failed_write_and_leave_no_other_file(results, monkeypatch):
    add(results)

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        add(results, lesson="03")
    assert results.table()["lesson"].tolist() == ["02"]
    assert list(results.path.parent.iterdir()) == [results.path]


def test_evaluate_keeps_a_row_for_a_lesson_and_warns_of_a_model_that_padding_changes(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(evaluation.Results.__init__, "__defaults__", (tmp_path / "results.csv",))
    frames = [np.random.default_rng(n).normal(-5, 4, [n, 40]) for n in (9, 14, 30)]
    label, source = pd.Categorical(["a", "b", "a"]), "three clips"
    clips = pd.DataFrame({"frames": frames, "label": label, "source": source})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = evaluation.evaluate(models.gru(2, units=4), clips, lesson="99", split="by speaker")
    [row] = evaluation.Results().table().to_dict("records")
    assert (row["lesson"], row["model"], row["data"]) == ("99", "gru", "three clips")
    assert row["split"] == "by speaker" and row["accuracy"] == found.accuracy
    assert row["parameters"] == 3 * 4 * (40 + 4 + 2) + 10
    clip = keras.Input([None, 40])
    deaf = keras.Model(clip, keras.layers.Dense(2)(keras.layers.GRU(4)(clip)), name="unmasked")
    with pytest.warns(UserWarning, match="'unmasked': padding changes a logit"):
        evaluation.evaluate(deaf, clips)
