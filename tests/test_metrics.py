"""Metrics: the value over batches of any sizes is that over all samples at once."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import metrics as reference

import tinygrad_cs as tg
from tinygrad_cs import training
from tinygrad_cs.engine import errors
from tinygrad_cs.training.metrics import Gathering, chosen_metrics

CLASSES = 4


@st.composite
def cut_up(draw):
    """Scores, classes, and where they are cut into batches, empty ones among them."""
    samples = draw(st.integers(1, 30))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    # rounded, so that scores are equal now and then
    scores = rng.standard_normal((samples, CLASSES)).round(1)
    classes = rng.integers(0, draw(st.integers(1, CLASSES)), samples)
    cuts = draw(st.lists(st.integers(0, samples), max_size=6))
    edges = [0, *sorted(cuts), samples]
    return scores, classes, [slice(a, b) for a, b in itertools.pairwise(edges)]


def over_batches(metric, prediction, target, parts):
    for part in parts:
        metric.update(prediction[part], tg.tensor(target[part]) if part.start else target[part])
    return metric.compute()


OF_CLASSES = [
    (training.Accuracy, lambda s, y: reference.accuracy_score(y, s.argmax(1))),
    (training.ConfusionMatrix, lambda s, y: confusion(s.argmax(1), y)),
]
for kind, function in [
    (training.Precision, reference.precision_score),
    (training.Recall, reference.recall_score),
    (training.F1Score, reference.f1_score),
]:
    for average in ("macro", "micro"):
        OF_CLASSES.append(
            (
                lambda kind=kind, average=average: kind(average),
                lambda s, y, function=function, average=average: function(
                    y, s.argmax(1), average=average, zero_division=0
                ),
            )
        )
    OF_CLASSES.append(
        (
            lambda kind=kind: kind(average=None),
            lambda s, y, function=function: per_class(function, s.argmax(1), y),
        )
    )


def confusion(predicted, y):
    return reference.confusion_matrix(y, predicted, labels=range(CLASSES))


def per_class(function, predicted, y):
    values = function(y, predicted, average=None, labels=range(CLASSES), zero_division=0)
    occurs = np.isin(np.arange(CLASSES), np.concatenate([predicted, y]))
    return np.where(occurs, values, np.nan)


@pytest.mark.parametrize(("make", "expected"), OF_CLASSES)
@given(data=cut_up())
def test_metrics_of_classes_are_those_of_all_samples_at_once(make, expected, data):
    scores, classes, parts = data
    assert_allclose(over_batches(make(), scores, classes, parts), expected(scores, classes))
    at_once = make().update(scores, classes).compute()
    assert_array_equal(over_batches(make(), scores, classes, parts), at_once)


@given(data=cut_up(), k=st.integers(1, CLASSES))
def test_top_k_counts_who_is_among_the_first_k(data, k):
    scores, classes, parts = data
    # a stable sort of the negated scores puts the smaller class first among equals
    first = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    expected = np.mean([y in row for y, row in zip(classes, first, strict=True)])
    assert over_batches(training.TopKAccuracy(k), scores, classes, parts) == expected


NUMBERS = [
    (training.MeanSquaredError, reference.mean_squared_error),
    (training.MeanAbsoluteError, reference.mean_absolute_error),
    (training.R2Score, reference.r2_score),
]


@pytest.mark.parametrize(("kind", "expected"), NUMBERS)
@given(data=cut_up(), shift=st.sampled_from([0.0, 1e6]))
def test_metrics_of_numbers_are_those_of_all_samples_at_once(kind, expected, data, shift):
    prediction, _, parts = data
    target = prediction[::-1] + shift
    prediction = prediction + shift
    if kind is training.R2Score and np.ptp(target, axis=0).min() == 0:
        return
    found = over_batches(kind(), prediction, target, parts)
    assert_allclose(found, expected(target, prediction), rtol=1e-8)


def test_r2_of_constant_targets_is_nan_and_of_perfect_ones_one():
    y = np.array([1.0, 2.0])
    assert training.R2Score().update(y, y).compute() == 1
    assert math.isnan(training.R2Score().update(y, np.ones(2)).compute())


def test_float32_sums_do_not_lose_digits():
    prediction = np.full(100_000, 1e4 + 0.5, np.float32)
    target = np.full(100_000, 1e4, np.float32)
    metric = training.MeanSquaredError()
    for part in np.split(np.arange(100_000), 10):
        metric.update(prediction[part], target[part])
    assert metric.compute() == 0.25


def test_ignored_targets_do_not_count():
    scores, y = np.eye(3), np.array([0, -100, 1])
    assert training.Accuracy().update(scores, y).compute() == 0.5
    assert training.TopKAccuracy(1).update(scores, y).compute() == 0.5
    assert training.ConfusionMatrix().update(scores, y).compute().sum() == 2
    assert training.F1Score().update(scores, y).samples == 2


def test_scores_of_images_and_decided_classes():
    scores = np.zeros((2, 3, 4, 5))
    scores[:, 1] = 1
    y = np.ones((2, 4, 5), int)
    y[0, 0, 0] = 0
    assert training.Accuracy().update(scores, y).compute() == 39 / 40
    assert training.Accuracy().update(scores.argmax(1), y).compute() == 39 / 40
    assert training.TopKAccuracy(2).update(scores, y).compute() == 1


def test_thresholds_and_several_labels():
    logits, y = np.array([[2.0, -1.0], [0.5, 0.5]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    assert training.Accuracy(threshold=0.0).update(logits, y).compute() == 0.75
    f1 = training.F1Score(average=None, threshold=0.0).update(logits, y)
    assert_allclose(f1.compute(), [2 / 3, 0.8])


def test_soft_targets_are_the_class_with_the_largest_share():
    scores, y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.9, 0.1], [0.6, 0.4]])
    assert training.Accuracy().update(scores, y).compute() == 0.5


def test_scores_that_are_nan_are_not_right():
    scores = np.array([[np.nan, np.nan, np.nan]])
    assert training.TopKAccuracy(1).update(scores, np.array([0])).compute() == 0


def test_a_class_that_does_not_occur_is_no_part_of_the_mean():
    predicted, y = np.array([0, 0, 2]), np.array([0, 2, 2])
    recall = training.Recall(average=None, num_classes=4).update(predicted, y)
    assert_array_equal(recall.compute(), [1, np.nan, 0.5, np.nan])
    assert training.Recall(num_classes=4).update(predicted, y).compute() == 0.75


@pytest.mark.parametrize(
    ("metric", "prediction", "target", "error", "message"),
    [
        (training.Accuracy(), np.zeros(3), np.zeros(3, int), errors.ShapeError, "threshold=0.0"),
        (training.Accuracy(), np.zeros((3, 2)), np.zeros(3), errors.DTypeError, "integer classes"),
        (training.Accuracy(), np.zeros((3, 2)), np.zeros(4, int), errors.ShapeError, r"\(3,\)"),
        (training.Accuracy(0.5), np.zeros((3, 1)), np.zeros(3), errors.ShapeError, "squeeze"),
        (training.Accuracy(0.5), np.zeros(3), np.full(3, 0.5), errors.DTypeError, "fractions"),
        (training.Accuracy(), "ab", np.zeros(3, int), errors.DTypeError, "numbers"),
        (training.TopKAccuracy(3), np.zeros((3, 2)), [0, 0, 0], errors.ArgumentError, "smaller k"),
        (training.TopKAccuracy(1), np.zeros((1, 2)), [2], errors.IndexOutOfRange, "0 to 1"),
        (training.ConfusionMatrix(2), [0, 1], [0, 2], errors.IndexOutOfRange, "0 to 1"),
        (training.ConfusionMatrix(), [0], [10**12], errors.IndexOutOfRange, "num_classes"),
        (training.F1Score(), [-1], [0], errors.IndexOutOfRange, "-1"),
        (training.MeanSquaredError(), np.zeros((3, 1)), np.zeros(3), errors.ShapeError, "reshape"),
        (training.R2Score(), np.zeros((2, 2, 2)), np.zeros((2, 2, 2)), errors.ShapeError, "N, D"),
    ],
)
def test_metrics_refuse(metric, prediction, target, error, message):
    with pytest.raises(error, match=message):
        metric.update(prediction, target)


def test_arguments_are_refused():
    with pytest.raises(errors.ArgumentError, match="k must be"):
        training.TopKAccuracy(0)
    with pytest.raises(errors.ArgumentError, match="average"):
        training.F1Score("weighted")
    with pytest.raises(errors.GraphError, match="no sample"):
        training.Accuracy().compute()


@pytest.mark.parametrize("name", ["accuracy", "f1", "confusion_matrix", "mean_squared_error", "r2"])
def test_a_metric_goes_on_from_its_state(name):
    rng = np.random.default_rng(0)
    if name in ("r2", "mean_squared_error"):
        prediction, target = rng.standard_normal((2, 9))
    else:
        prediction, target = rng.standard_normal((9, 3)), rng.integers(0, 3, 9)
    (first,) = chosen_metrics("fit", name).values()
    (second,) = chosen_metrics("fit", name).values()
    state = first.update(prediction[:4], target[:4]).state_dict()
    first.update(prediction[4:], target[4:])
    second.load_state_dict(state)
    second.update(prediction[4:], target[4:])
    assert_array_equal(first.compute(), second.compute())
    with pytest.raises(errors.StateDictError, match="nothing was loaded"):
        second.load_state_dict({"other": 1})


def test_functions_see_all_samples():
    def auc(prediction, target):
        return reference.roc_auc_score(target, prediction)

    (metric,) = chosen_metrics("fit", [auc]).values()
    scores, y = np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])
    batch = scores[:2].copy()
    metric.update(batch, y[:2])
    batch[:] = 9  # a loader may use its memory again
    metric.update(scores[2:], y[2:])
    assert metric.name == "auc" and metric.compute() == 0.75


def test_metrics_are_chosen_by_name_object_and_function():
    chosen = chosen_metrics("fit", {"top": training.TopKAccuracy(2), "right": "accuracy"})
    assert [type(m).__name__ for m in chosen.values()] == ["TopKAccuracy", "Accuracy"]
    assert list(chosen_metrics("fit", "accuracy")) == ["accuracy"]
    for wrong, message in [
        (["accuracy", "accuracy"], "taken"),
        ([training.Accuracy], r"write Accuracy\(\)"),
        (["acuracy"], "names out of"),
        ({"loss": "accuracy"}, "taken"),
    ]:
        with pytest.raises(errors.ArgumentError, match=message):
            chosen_metrics("fit", wrong)


@given(data=cut_up())
def test_gathering_batches_changes_no_value(data):
    scores, classes, parts = data
    gathering = Gathering(chosen_metrics("fit", ["accuracy", "confusion_matrix"]))
    for part in parts:
        gathering.add(tg.tensor(scores[part]), classes[part])
        gathering.load_state_dict(gathering.state_dict())
    expected = confusion(scores.argmax(1), classes)
    assert_array_equal(gathering.compute()["confusion_matrix"], expected)
    assert gathering.compute()["accuracy"] == np.trace(expected) / expected.sum()
