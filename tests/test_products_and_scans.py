"""Products with zeros among the factors, running sums and products, recurrences."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.engine import errors
from tinygrad_cs.ops.reductions.scans import recurrence


def leaf(values, dtype="float64"):
    return tg.tensor(np.array(values, dtype), requires_grad=True)


# Products: derivatives by leaving factors out, which is what they are


def product_without(x, *left_out):
    return np.prod([v for i, v in enumerate(x) if i not in left_out])


def exact_derivatives(x):
    n = len(x)
    first = [product_without(x, i) for i in range(n)]
    second = [[0 if i == j else product_without(x, i, j) for j in range(n)] for i in range(n)]
    return first, second


FACTORS = [
    [2.0, 3.0, 4.0, 5.0],
    [2.0, 0.0, 4.0, 5.0],
    [0.0, 3.0, 0.0, 5.0],
    [0.0, 0.0, 0.0, 5.0],
    [0.0, 0.0, 0.0, 0.0],
    [0.0],
    [1e-200, 1e-200],  # the product vanishes, its derivatives do not
    [1e200, 1e200],
    [-0.0, -2.0],
]


@pytest.mark.parametrize("x", FACTORS)
def test_products_are_exact_whatever_is_zero(x):
    first, second = exact_derivatives(x)
    table = leaf([x, x])
    with np.errstate(over="ignore"):
        assert_allclose(tg.func.grad(tg.prod)(np.array(x)), first, rtol=1e-15)
        assert_allclose(tg.func.hessian(tg.prod)(np.array(x)), second, rtol=1e-14)
        tg.prod(table, axis=1).sum().backward()
    assert_allclose(table.grad, [first, first], rtol=1e-15)


@pytest.mark.parametrize("x", FACTORS)
def test_running_products_are_exact_whatever_is_zero(x):
    n, weights = len(x), np.arange(1.0, len(x) + 1)
    first, second = np.zeros(n), np.zeros((n, n))
    for k in range(1, n + 1):
        d, dd = exact_derivatives(x[:k])
        first[:k] += weights[k - 1] * np.array(d)
        second[:k, :k] += weights[k - 1] * np.array(dd)

    def f(y):
        return (tg.cumulative_prod(y) * weights).sum()

    with np.errstate(over="ignore"):
        assert_allclose(tg.func.grad(f)(np.array(x)), first, rtol=1e-14)
        assert_allclose(tg.func.hessian(f)(np.array(x)), second, rtol=1e-14)


def test_third_derivatives_of_products():
    x = np.array([0.0, 2.0, 0.0, 3.0])

    def along(f, order):
        for _ in range(order):
            f = (lambda g: lambda y: tg.sum(tg.func.grad(g)(y)))(f)
        return f

    expected = sum(product_without(x, *t) for t in itertools.permutations(range(4), 3))
    assert_allclose(along(tg.prod, 3)(x), expected)


def test_products_over_several_axes():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    x[0, 1, 2] = x[1, 1, 0] = x[1, 2, 0] = 0
    for axis in (None, 0, 1, -1, (0, 2), (2, 0), (0, 1, 2), (1,)):
        axes = range(3) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        t = leaf(x)
        y = tg.prod(t, axis=axis, keepdims=True)
        assert_allclose(y.data, np.prod(x, axis=axis, keepdims=True))
        y.sum().backward()
        for index in np.ndindex(x.shape):
            line = tuple(slice(None) if a in [b % 3 for b in axes] else i
                         for a, i in enumerate(index))  # fmt: skip
            others = x.copy()
            others[index] = 1
            assert_allclose(t.grad[index], np.prod(others[line]), rtol=1e-13)
        assert_array_equal(t.prod(axis=axis).data, np.prod(x, axis=axis))
    empty = leaf(np.zeros((0, 3)))
    tg.prod(empty, axis=0).sum().backward()
    assert empty.grad.shape == (0, 3) and tg.prod(empty).item() == 1.0


# Scans


def test_running_sums_and_products():
    x = np.arange(1.0, 7).reshape(2, 3)
    for ours, numpys in ((tg.cumulative_sum, np.cumsum), (tg.cumulative_prod, np.cumprod)):
        for axis in (0, 1, -1):
            assert_array_equal(ours(tg.tensor(x), axis=axis).data, numpys(x, axis))
            longer = ours(tg.tensor(x), axis=axis, include_initial=True).data
            one = [1, 1]
            one[axis] = 0
            assert longer.shape[axis] == x.shape[axis] + 1
            assert_array_equal(np.delete(longer, 0, axis), numpys(x, axis))
            assert (np.take(longer, 0, axis) == (ours is tg.cumulative_prod)).all()
        assert_array_equal(numpys(tg.tensor(x)).data, numpys(x))
        with pytest.raises(errors.AxisError, match=r"say which axis= .*\(2, 3\)"):
            ours(tg.tensor(x))
        with pytest.raises(errors.AxisError):
            ours(tg.tensor(x), axis=2)
        assert ours(tg.tensor(x, dtype="float32"), axis=0).dtype == np.float32
    t = leaf(x)
    assert_array_equal(t.cumsum(1).data, np.cumsum(x, 1))
    assert_array_equal(t.cumprod().data, np.cumprod(x))
    t.cumsum().sum().backward()
    assert_array_equal(t.grad.ravel(), [6, 5, 4, 3, 2, 1])


def test_marks_of_dead_positions_pass_through_running_sums():
    x = leaf([0.0, 4.0, 1.0])
    tg.where(np.array([False, False, True]), tg.cumulative_sum(tg.sqrt(x)[::-1]), 0).sum()
    y = tg.cumulative_sum(tg.sqrt(x)[::-1])  # sqrt(0) is in the last sum only
    tg.where(np.array([True, True, False]), y, 0).sum().backward()
    assert_allclose(x.grad, [0, 0.25, 1.0])


def test_recurrence_does_not_multiply_infinity_by_zero():
    """Terms that are zero stay zero however large the factors are."""
    a, b = np.full(4, 1e200), np.array([0.0, 0.0, 0.0, 1.0])
    for table in ((a, b), (np.stack([a, a]), np.stack([b, b]))):
        assert_array_equal(recurrence(*table), table[1])
    x = leaf([1e200, 1e200])
    with np.errstate(over="ignore"):
        tg.cumulative_prod(x)[0].backward()
    assert_array_equal(x.grad, [1, 0])
