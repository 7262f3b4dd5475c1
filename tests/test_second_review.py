"""Faults of operations that a second sceptical user found: conventions stand in their own file."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.engine import errors
from tinygrad_cs.nn import functional

INF = np.inf
X = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
IMAGE = tg.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])


def leaf(values):
    return tg.tensor(np.array(values, float), requires_grad=True)


def ones(*shape):
    return tg.tensor(np.ones(shape))


@pytest.mark.parametrize("mode", ["linear", "bilinear"])
@pytest.mark.parametrize("dtype", ["uint8", "int64"])
def test_interpolated_integers_are_floats(mode, dtype):
    x = np.array([[[0, 255]]], dtype)
    x = x if mode == "linear" else x[..., None, :]
    size = 3 if mode == "linear" else (1, 3)
    out = functional.interpolate(x, size=size, mode=mode, align_corners=True)
    assert_array_equal(out.ravel(), [0, 127.5, 255])


def test_the_mean_of_small_integers_does_not_wrap():
    x = np.array([[[200, 201, 7]]], "uint8")
    assert_array_equal(functional.avg_pool1d(x, 2, 1), [[[200.5, 104]]])
    padded = functional.avg_pool1d(x, 2, padding=1, count_include_pad=False)
    assert_array_equal(padded, [[[200, 104]]])
    image = functional.avg_pool2d(x[None, :, :, :2], (1, 2), divisor_override=1)
    assert_array_equal(image, [[[[401]]]])


@pytest.mark.parametrize("axes", [([0, 0], [0, 0]), ([0, 1], [1, 1]), ([0, -2], [0, 1])])
def test_tensordot_refuses_an_axis_that_is_named_twice(axes):
    with pytest.raises(errors.AxisError, match="tensordot: axis repeated") as raised:
        tg.tensordot(X, X, axes)
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize("axes", [3, -1, ([2], [0]), ([0], [-3])])
def test_tensordot_of_axes_that_do_not_exist_is_an_index_error_as_numpys(axes):
    with pytest.raises(errors.AxisError, match="tensordot") as raised:
        tg.tensordot(X, X, axes)
    assert isinstance(raised.value, IndexError)


NUMBER = np.float64


@pytest.mark.parametrize(
    "f",
    [
        lambda x: functional.scaled_dot_product_attention(x, x, x, scale=NUMBER(0.5)),
        lambda x: functional.dropout(x, NUMBER(0.5)),
        lambda x: functional.plain_dropout(x, NUMBER(0.5), training=False),
        lambda x: functional.alpha_dropout(x, NUMBER(0.5), training=True),
        lambda x: functional.softplus(x, NUMBER(2), NUMBER(20)),
        lambda x: functional.normalize(x, NUMBER(3), 1, NUMBER(1e-3)),
        lambda x: functional.cosine_similarity(x, x, 1, NUMBER(1e-3)),
        lambda x: np.var(x, ddof=NUMBER(1)),
        lambda x: np.std(x, axis=0, ddof=NUMBER(1)),
        lambda x: np.linalg.norm(x, ord=NUMBER(3), axis=1),
        lambda x: functional.avg_pool2d(x.reshape(1, 1, 2, 2), 2, divisor_override=NUMBER(3)),
        lambda x: np.trapezoid(x, dx=NUMBER(0.5)),
        lambda x: np.quantile(x, NUMBER(0.5)),
        lambda x: np.percentile(x, NUMBER(25)),
        lambda x: np.sum(x, initial=NUMBER(1)),
    ],
)
def test_a_numpy_number_as_parameter_leaves_float32_alone(f):
    x = tg.tensor([[1.0, 2.0], [3.0, 4.5]], requires_grad=True)
    out = f(x)
    assert out.dtype == np.float32
    out.sum().backward()
    assert x.grad.dtype == np.float32


def test_attention_takes_lists_and_explains_what_does_not_fit():
    attention = functional.scaled_dot_product_attention
    assert_array_equal(attention([[1.0, 0.0]], [[1.0, 0.0]], [[5.0, 6.0]]).data, [[5, 6]])
    with pytest.raises(errors.ShapeError, match=r"attention: .*E is 1 or more"):
        attention(ones(2, 0), ones(2, 0), ones(2, 3))
    with pytest.raises(errors.ShapeError, match=r"attention.*in front.*\(2,\), \(3,\), \(3,\)"):
        attention(ones(2, 2, 4), ones(3, 2, 4), ones(3, 2, 4))
    with pytest.raises(errors.ShapeError, match=r"attention: .*\(2, 5\) does not broadcast"):
        attention(X, X, X, attn_mask=np.ones((2, 5), bool))
    with pytest.raises(errors.DTypeError, match=r"write attn_mask.astype\(bool\)"):
        attention(X, X, X, attn_mask=np.ones((2, 2), int))


REFUSED = {
    "mT": (lambda: ones(2).mT, errors.ShapeError, r"matrix_transpose: .*\(2,\)"),
    "scale": (
        lambda: functional.interpolate(ones(1, 1, 2), scale_factor=INF),
        errors.ArgumentError,
        "interpolate: scale_factor.*inf",
    ),
    "tril": (lambda: tg.tril(ones(2)), errors.ShapeError, "tril: expected a matrix"),
    "triu": (lambda: tg.triu(ones(2)), errors.ShapeError, "triu: expected a matrix"),
    "sort": (lambda: tg.sort(X, axis=3), errors.AxisError, "^sort: axis 3"),
    "argsort": (lambda: tg.argsort(X, axis=3), errors.AxisError, "^argsort: axis 3"),
    "normalize": (lambda: functional.normalize(X, dim=2), errors.AxisError, "^normalize: axis 2"),
    "cosine axis": (
        lambda: functional.cosine_similarity(X, X, dim=2),
        errors.AxisError,
        "^cosine_similarity: axis 2",
    ),
    "cosine shapes": (
        lambda: functional.cosine_similarity(X, ones(2, 3)),
        errors.ShapeError,
        r"^cosine_similarity: .*\(2, 2\), \(2, 3\)",
    ),
    "bilinear": (
        lambda: functional.bilinear(X, X, ones(3, 2, 2), ones(4)),
        errors.ShapeError,
        r"^bilinear: expected a bias of shape \(3,\).*got \(4,\)",
    ),
    "linear": (
        lambda: functional.linear(X, ones(3, 2, 2)),
        errors.ShapeError,
        r"^linear: expected a weight of shape \(out, in\), got \(3, 2, 2\)",
    ),
    "linear with bias": (
        lambda: functional.linear(X, ones(3, 2, 2), ones(3)),
        errors.ShapeError,
        r"^linear: expected a weight of shape \(out, in\), got \(3, 2, 2\)",
    ),
    "vecdot": (lambda: tg.vecdot(X, ones(3, 2)), errors.ShapeError, r"^vecdot.*\(2,\), \(3,\)"),
    "cross": (
        lambda: tg.linalg.cross(ones(2, 3), ones(4, 3)),
        errors.ShapeError,
        r"^cross: .*\(2, 3\), \(4, 3\)",
    ),
    "cross of arrays": (
        lambda: tg.linalg.cross(np.ones((2, 3)), np.ones((4, 3))),
        errors.ShapeError,
        r"^cross: .*\(2, 3\), \(4, 3\)",
    ),
    "solve": (
        lambda: tg.linalg.solve(np.stack([np.eye(2)] * 2), ones(3, 2, 1)),
        errors.ShapeError,
        r"^solve, .*got shapes \(2,\), \(3,\)$",
    ),
    "matrix_power": (lambda: tg.linalg.matrix_power(X, 1.5), TypeError, "matrix_power: n is"),
    "weights": (lambda: np.average(X, weights=[1.0, 2.0]), TypeError, r"average: .*\(2,\)"),
    "no weight": (
        lambda: np.average(X, axis=0, weights=[1.0, -1.0]),
        ZeroDivisionError,
        "average: the weights sum to 0",
    ),
    "item": (lambda: X.item(), errors.ShapeError, r"item: .*\(2, 2\)"),
    "bool": (lambda: bool(X), errors.ShapeError, r"bool: .*\(2, 2\).*tg.any"),
    "astype": (lambda: X.astype("foo"), errors.DTypeError, "astype: .*foo"),
    "astype text": (lambda: X.astype("U1"), errors.DTypeError, "astype: .*U1"),
    "sum": (lambda: tg.sum(X, axis=(0, 0)), errors.AxisError, r"sum: .*\(0, 0\)"),
    "mean": (lambda: tg.mean(X, axis=(0, -2)), errors.AxisError, r"mean: .*\(0, -2\)"),
    "prod": (lambda: tg.prod(X, axis=(1, 1)), errors.AxisError, r"prod: .*\(1, 1\)"),
    "flip": (lambda: tg.flip(X, axis=(0, 0)), errors.AxisError, r"flip: .*\(0, 0\)"),
    "any": (lambda: tg.any(X, axis=(0, 0)), errors.ShapeError, r"any: .*axis=\(0, 0\)"),
    "block": (lambda: np.block([leaf([1])]), errors.NoDerivativeError, "use tg.concat to join"),
    "unique": (lambda: np.unique(leaf([1])), errors.NoDerivativeError, r"use np.unique\(t.data\)"),
}


@pytest.mark.parametrize(("call", "kind", "text"), REFUSED.values(), ids=REFUSED)
def test_refusals_name_the_function_that_was_called(call, kind, text):
    with pytest.raises(kind, match=text) as raised:
        call()
    assert isinstance(raised.value, tg.TinygradError)


MASK = np.array([[True, False, True], [False, True, True]])


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("where", [True, MASK, MASK[0]], ids=["all", "some", "broadcast"])
@pytest.mark.parametrize("f", [np.sum, np.prod, np.max, np.min, np.mean, np.any, np.all])
@pytest.mark.filterwarnings("ignore:invalid value", "ignore:Mean of empty")
def test_reductions_of_some_entries(f, where, axis, keepdims):
    x = leaf([[1, 7, -3], [2, -5, 4]])
    options = {"axis": axis, "keepdims": keepdims, "where": where}
    for initial in [{}] if f in (np.mean, np.any, np.all) else [{"initial": 1.5}]:
        assert_allclose(np.asarray(f(x.detach(), **options, **initial)),
                        f(x.data, **options, **initial))  # fmt: skip


def test_entries_outside_where_are_not_connected():
    x = leaf([0, 4])
    np.sum(tg.sqrt(x), where=np.array([False, True]), initial=1.0).backward()
    assert_array_equal(x.grad, [0, 0.25])
    x = leaf([0, 4, 9])
    np.mean(tg.sqrt(x), where=np.array([False, True, True])).backward()
    assert_allclose(x.grad, [0, 0.125, 1 / 12])
    x = leaf([5, 4])
    np.max(x, where=np.array([False, True]), initial=0).backward()
    assert_array_equal(x.grad, [0, 1])
    with pytest.raises(errors.ArgumentError, match=r"max: .*initial="):
        np.max(x, where=np.array([False, True]))
    with pytest.raises(errors.ShapeError, match=r"sum: where= of shape \(2, 2\)"):
        np.sum(x, where=np.ones((2, 2), bool))
    assert np.add.reduce(x, where=np.array([True, False])).item() == 5


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_several_quantiles_follow_each_other(axis, keepdims):
    x = np.array([[1.0, 7.0, -3.0], [2.0, -5.0, 4.0]])
    options = {"axis": axis, "keepdims": keepdims}
    for f, q in ((np.quantile, [0.25, 0.5]), (np.percentile, [10, 90, 100]),
                 (np.quantile, np.array([[0.1, 0.2], [0.5, 1.0]]))):  # fmt: skip
        assert_allclose(f(tg.tensor(x), q, **options).data, f(x, q, **options))
    with pytest.raises(errors.ArgumentError, match="percentile: q"):
        np.percentile(tg.tensor(x), [10, 101])


def test_quantiles_of_small_integers_do_not_wrap():
    x = np.array([-128, 127, 5], "int8")
    # (NumPy's own do)
    assert_allclose(np.quantile(tg.tensor(x), 0.3).item(), np.quantile(x.astype(float), 0.3))


def test_full_like_is_a_plain_array_unless_its_value_has_a_gradient():
    x, value = leaf([[1, 2]]), leaf(3)
    plain = np.full_like(x, 2.0)
    assert type(plain) is np.ndarray and plain.tolist() == [[2, 2]]
    assert np.full_like(x, 2, dtype="int64", shape=(3,)).dtype == np.int64
    np.full_like(x, value).sum().backward()
    assert value.grad == 2
