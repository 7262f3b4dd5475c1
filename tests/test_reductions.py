"""Reductions: NaN, weights and infinities; questions about values, with plain answers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.engine import errors

INF, NAN = np.inf, np.nan


def leaf(values, dtype="float64"):
    return tg.tensor(np.array(values, dtype), requires_grad=True)


# Extremes and NaN


def test_nan_is_the_extreme_and_gets_the_gradient():
    for f in (tg.max, tg.min):
        x = leaf([[1.0, NAN, NAN], [1.0, 2.0, 3.0]])
        f(x, axis=1).sum().backward()
        assert_array_equal(x.grad[0], [0, 0.5, 0.5])
        assert x.grad[1].sum() == 1


@pytest.mark.parametrize(
    "name", ["nansum", "nanprod", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd"]
)
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_reductions_that_pass_over_nan(name, axis):
    function, full = getattr(np, name), getattr(np, name[3:])
    x = np.array([[1.0, NAN, 3.0], [4.0, 5.0, NAN], [0.5, 2.0, 7.0]])
    t = leaf(x)
    y = function(t, axis=axis, keepdims=True)
    assert_allclose(y.data, function(x, axis=axis, keepdims=True), rtol=1e-14)
    y.sum().backward()
    assert_array_equal(t.grad[np.isnan(x)], 0)
    for line in [...] if axis is None else [np.s_[:, i] if axis == 0 else np.s_[i] for i in (0, 2)]:
        there = ~np.isnan(x[line])
        alone = leaf(x[line][there])
        full(alone).backward()
        assert_allclose(t.grad[line][there], alone.grad, rtol=1e-13, atol=1e-15)


def test_reductions_of_nan_alone():
    x = leaf([[NAN, NAN], [1.0, 1.0]])
    assert_array_equal(np.nansum(x, axis=1).data, [0, 2])
    assert_array_equal(np.nanmax(x, axis=1).data, [NAN, 1])
    with np.errstate(invalid="ignore"):
        assert_array_equal(np.nanmean(x, axis=1).data, [NAN, 1])
        y = np.nanstd(x, axis=1)
    assert_array_equal(y.data, [NAN, 0])
    y[1].backward()
    assert_array_equal(x.grad, [[0, 0], [0, 0]])
    assert_array_equal(np.nanvar(leaf([1.0, 3.0]), ddof=1).data, 2)


def test_weighted_averages():
    x, w = np.arange(6.0).reshape(2, 3), np.array([1.0, 2.0, 3.0])
    t, v = leaf(x), leaf(w)
    assert_allclose(np.average(t, axis=1, weights=v).data, np.average(x, 1, w))
    assert_allclose(np.average(t, weights=x + 1).data, np.average(x, weights=x + 1))
    assert_allclose(np.average(t, axis=0).data, np.average(x, 0))
    np.average(t, axis=1, weights=v).sum().backward()
    assert_allclose(t.grad, [w / 6, w / 6])
    assert_allclose(v.grad, ((x - np.average(x, 1, w)[:, None]) / 6).sum(0), atol=1e-15)
    with pytest.raises(errors.ShapeError, match="weights of shape"):
        np.average(t, axis=0, weights=w)
    with pytest.raises(errors.ArgumentError, match="returned"):
        np.average(t, weights=x, returned=True)


def test_trapezoids_and_ranges():
    y, x = np.random.default_rng(0).normal(size=(2, 3, 4))
    for axis in (0, 1, -1):
        assert_allclose(
            np.trapezoid(leaf(y), axis=axis, dx=0.5).data, np.trapezoid(y, axis=axis, dx=0.5)
        )
        assert_allclose(
            np.trapezoid(leaf(y), leaf(x), axis=axis).data, np.trapezoid(y, x, axis=axis)
        )
        places = x[0] if axis else x[:, 0]
        ours = np.trapezoid(leaf(y), leaf(places), axis=axis)
        assert_allclose(ours.data, np.trapezoid(y, places, axis=axis))
    t = leaf([3.0, 1.0, 2.0])
    np.ptp(t).backward()
    assert_array_equal(t.grad, [1, -1, 0])


# Questions with plain answers


def test_questions_have_plain_answers():
    x = np.array([[1.0, 0.0, NAN], [-INF, 2.0, 2.0]])
    t = leaf(x)
    for name in ("isnan", "isinf", "isfinite", "signbit", "logical_not"):
        ours = getattr(tg, name)(t)
        assert type(ours) is np.ndarray
        assert_array_equal(ours, getattr(np, name)(x))
    for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
                 "logical_and", "logical_or", "logical_xor"):  # fmt: skip
        for other in (2.0, x[::-1], leaf(x[0]), tg.Scalar(2.0)):
            ours = getattr(tg, name)(t, other)
            assert type(ours) is np.ndarray
            assert_array_equal(ours, getattr(np, name)(x, getattr(other, "data", other)))
    assert tg.isnan(tg.Scalar(NAN)) and tg.less(tg.Scalar(1.0), 2.0)
    with pytest.raises(errors.ShapeError, match=r"less: cannot compare shapes \(2, 3\) and \(2,\)"):
        tg.less(t, np.ones(2))


def test_questions_about_whole_arrays():
    x = np.array([[1.0, 0.0, 5.0], [3.0, 2.0, 2.0]])
    t = leaf(x)
    for name in ("all", "any", "argmax", "argmin", "count_nonzero"):
        for axis in (None, 0, -1):
            for keepdims in (False, True):
                expected = getattr(np, name)(x, axis=axis, keepdims=keepdims)
                assert_array_equal(getattr(tg, name)(t, axis=axis, keepdims=keepdims), expected)
                if name != "count_nonzero":
                    assert_array_equal(getattr(t, name)(axis=axis, keepdims=keepdims), expected)
        with pytest.raises(errors.AxisError, match=name):
            getattr(tg, name)(t, axis=2)
    assert tg.all(t, axis=(0, 1)) == False and tg.any(tg.Scalar(1.0))  # noqa: E712
    with pytest.raises(errors.ShapeError, match=r"argmax: .*empty"):
        tg.argmax(np.zeros((0, 2)))
    with pytest.raises(errors.ShapeError, match="nonzero"):
        tg.nonzero(tg.tensor(1.0))


# The softmax family


def test_softmax_family_with_infinities_in_some_rows():
    x = np.array([[1.0, -INF, 2.0], [-INF, -INF, -INF], [1e4, 1e4, -1e4]])
    for f in (tg.softmax, tg.log_softmax, lambda t: tg.logsumexp(t, axis=1)):
        t = leaf(x)
        y = f(t)
        (y[0].sum() if y.ndim == 1 else y[0, 0] + y[2, 0] + y[1, 1]).backward()
        assert np.isfinite(t.grad).all()
        assert_array_equal(t.grad[1], 0)
        alone = leaf(x[:1, [0, 2]])
        z = f(alone)
        (z[0].sum() if z.ndim == 1 else z[0, 0]).backward()
        assert_allclose(t.grad[0, [0, 2]], alone.grad[0], rtol=1e-15)


def test_float32_stays_float32_where_counts_and_masks_come_in():
    x = np.random.default_rng(0).normal(size=(50, 60)).astype(np.float32)
    for f in (tg.max, tg.std, tg.var, tg.prod, np.nanmean, np.nanvar, np.nanstd, np.ptp,
              lambda t, axis: np.average(t, axis, np.float32(x > 0)),
              lambda t, axis: tg.cumulative_prod(t, axis)):  # fmt: skip
        t = tg.tensor(x, requires_grad=True)
        y = f(t, axis=1)
        assert y.dtype == np.float32
        y.sum().backward()
        assert t.grad.dtype == np.float32
