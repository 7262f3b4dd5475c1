"""Indexing and its updates against brute force: every position of a tensor counted one by one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.engine import errors
from tinygrad_cs.ops.indices.accumulate import add_repeated, repeats, sum_at

SEEDS = st.integers(0, 2**32 - 1)


def leaf(values, dtype="float64"):
    return tg.tensor(np.array(values, dtype), requires_grad=True)


@st.composite
def shapes_and_indices(draw):
    """A shape and something that NumPy takes as an index of an array of this shape."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    rng = np.random.default_rng(draw(SEEDS))
    if draw(st.integers(0, 7)) == 0:
        return shape, rng.random(shape) > 0.5
    advanced = tuple(draw(st.lists(st.integers(1, 3), max_size=2)))
    parts = []
    for n in shape[: draw(st.integers(0, len(shape)))]:
        kind = draw(st.sampled_from(["slice", "slice", "integer", "integers", "mask", "new"]))
        if kind == "slice":
            bound = st.none() | st.integers(-n - 1, n + 1)
            step = draw(st.sampled_from([None, 1, 2, -1, -2]))
            parts.append(slice(draw(bound), draw(bound), step))
        elif kind == "integer":
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind == "mask" and not any(isinstance(p, np.ndarray) for p in parts):
            mask = np.zeros(n, bool)
            mask[draw(st.integers(0, n - 1))] = True  # one entry broadcasts with all others
            parts.append(mask)
        else:
            if kind == "new":
                parts.append(None)
            parts.append(rng.integers(-n, n, advanced))
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), ...)
    return shape, parts[0] if len(parts) == 1 and draw(st.booleans()) else tuple(parts)


def summed_one_by_one(shape, index, values):
    """`values`, in the order of x[index], added to the positions that x[index] takes."""
    places = np.arange(math.prod(shape)).reshape(shape)[index]
    out = np.zeros(math.prod(shape))
    for place, value in zip(places.ravel(), np.ravel(values), strict=True):
        out[place] += value
    return out.reshape(shape)


@given(case=shapes_and_indices(), seed=SEEDS)
def test_gradients_of_any_index(case, seed):
    shape, index = case
    rng = np.random.default_rng(seed)
    x = leaf(rng.normal(size=shape))
    y = x[index]
    assert_array_equal(y.data, x.data[index])
    weights = rng.normal(size=y.shape)
    (y * weights).sum().backward()
    assert_allclose(x.grad, summed_one_by_one(shape, index, weights), rtol=1e-13, atol=1e-14)


@given(case=shapes_and_indices(), seed=SEEDS)
def test_updates_at_any_index(case, seed):
    """Values and gradients of add, multiply, min, max; of set where no position is taken twice."""
    shape, index = case
    rng = np.random.default_rng(seed)
    x = leaf(rng.normal(size=shape))
    taken = x.data[index].shape
    v = leaf(rng.normal(size=taken))
    places = np.arange(x.size).reshape(shape)[index].ravel()
    assert repeats(shape, index) == (len(np.unique(places)) < len(places))
    functions = {"add": np.add, "multiply": np.multiply, "min": np.minimum, "max": np.maximum}
    for name, function in functions.items():
        expected = x.data.copy()
        function.at(expected, index, v.data)
        y = getattr(x.at[index], name)(v)
        assert_allclose(y.data, expected, rtol=1e-13)
        weights = rng.normal(size=shape)
        gx, gv = tg.autograd.grad((y * weights).sum(), [x, v])
        at_values = weights[index]
        if name == "add":
            assert_allclose(gx.data, weights)
            assert_allclose(gv.data, at_values)
        elif name == "multiply":
            assert_allclose(gx.data, weights * expected / x.data, rtol=1e-9)
            assert_allclose(gv.data, at_values * expected[index] / v.data, rtol=1e-9)
        else:
            assert_allclose(gx.data, np.where(x.data == expected, weights, 0))
            kept = v.data == expected[index]
            assert_allclose(gv.data, np.where(kept, at_values, 0))
    if repeats(shape, index):
        with pytest.raises(errors.ArgumentError, match="takes a position twice"):
            x.at[index].set(v)
        return
    expected = x.data.copy()
    expected[index] = v.data
    y = x.at[index].set(v)
    assert_array_equal(y.data, expected)
    gx, gv = tg.autograd.grad(y.sum(), [x, v])
    replaced = np.zeros(shape)
    replaced[index] = 1
    assert_array_equal(gx.data, 1 - replaced)
    assert_array_equal(gv.data, np.ones(taken))


MANY = [
    # V, width, N: a few rows met often, many rows met rarely, wide rows, single entries
    (3, 7, 2000),
    (40, 64, 3000),
    (5000, 64, 300),
    (50, 900, 60),
    (20, 1, 9000),
    (9000, 1, 2000),
]


@pytest.mark.parametrize(("rows", "width", "count"), MANY)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_all_ways_to_accumulate_give_the_sum(rows, width, count, dtype):
    rng = np.random.default_rng(0)
    index = rng.integers(-rows, rows, count)
    values = rng.normal(size=(count, width)).astype(dtype)
    expected = summed_one_by_one((rows, width), index, values)
    found = sum_at((rows, width), index, values)
    assert found.dtype == dtype
    # n sums are rounded n times at most, each by eps of a partial sum
    most = np.bincount(index % rows).max()
    size = np.finfo(dtype).eps * most * np.abs(values).max()
    assert_allclose(found, expected, rtol=2 * np.finfo(dtype).eps, atol=size * np.sqrt(most))
    assert sum_at((rows, width), index, values).tobytes() == found.tobytes()
    for other in (index.tolist(), (index, slice(None)), (index, ...), index.reshape(2, -1)):
        shape = (*np.shape(other), width) if isinstance(other, (np.ndarray, list)) else values.shape
        again = sum_at((rows, width), other, values.reshape(shape))
        assert again.tobytes() == found.tobytes()
    base = rng.normal(size=(rows, width)).astype("float64")
    out = base.copy()
    add_repeated(out, index, values.astype("float64"))
    assert_allclose(out, base + expected, rtol=1e-10, atol=1e-10)


def test_many_entries_of_several_axes():
    rng = np.random.default_rng(0)
    shape = (20, 30, 8)
    i, j, k = rng.integers(-20, 20, 4000), rng.integers(0, 30, 4000), rng.integers(0, 8, 4000)
    for index in ((i, j), (i, j, k), (i, slice(None), k), (slice(None), j), (3, j), (..., k),
                  (i[:, None], j[:2])):  # fmt: skip
        values = rng.normal(size=np.zeros(shape)[index].shape)
        expected = summed_one_by_one(shape, index, values)
        assert_allclose(sum_at(shape, index, values), expected, rtol=1e-11, atol=1e-11)


def test_sums_of_many_are_formed_in_double_precision():
    """One by one in float32, a million times 0.1 is 100958."""
    index = np.zeros(10**6, int)
    assert_allclose(sum_at((2,), index, np.full(10**6, 0.1, "float32")), [1e5, 0], rtol=1e-6)
    halves = sum_at((2,), index[:4096], np.ones(4096, "float16"))
    assert_array_equal(halves, np.array([4096, 0], "float16"))


@given(seed=SEEDS, axis=st.sampled_from([0, 1, 2, -1, None]))
def test_take_and_take_along_axis(seed, axis):
    rng = np.random.default_rng(seed)
    x = leaf(rng.normal(size=(3, 4, 2)))
    n = x.size if axis is None else x.shape[axis]
    index = rng.integers(-n, n, (2, 5))
    weights = rng.normal(size=np.take(x.data, index, axis).shape)
    y = tg.take(x, index, axis)
    assert_array_equal(y.data, np.take(x.data, index, axis))
    (y * weights).sum().backward()
    along = index if axis is None else (slice(None),) * (axis % 3) + (index,)
    source = (24,) if axis is None else x.shape
    expected = summed_one_by_one(source, along, weights).reshape(x.shape)
    assert_allclose(x.grad, expected, rtol=1e-13, atol=1e-14)
    assert_array_equal(x.take(index, axis).data, y.data)
    assert_array_equal(np.take(x, index, axis=axis).data, y.data)
    (once,) = tg.autograd.grad(tg.take(x, (0, 0, 1), axis).sum(), x)
    assert once.data.max() == 2 and once.data.sum() == 3 * y.size / index.size


def test_places_along_an_axis_of_a_large_array():
    rng = np.random.default_rng(0)
    for axis in (0, 1, 2):
        x = leaf(rng.normal(size=(20, 30, 10)))
        index = rng.integers(-x.shape[axis], x.shape[axis], x.shape)
        y = tg.take_along_axis(x, tg.tensor(index), axis)
        assert_array_equal(y.data, np.take_along_axis(x.data, index, axis))
        (y * y.data).sum().backward()
        expected = np.zeros(x.shape)
        grid = list(np.ogrid[:20, :30, :10])
        grid[axis] = index
        np.add.at(expected, tuple(grid), y.data)
        assert_allclose(x.grad, expected, rtol=1e-13)


def test_one_hot():
    assert_array_equal(tg.ops.one_hot([[1], [0]], 3), [[[0, 1, 0]], [[1, 0, 0]]])
    assert tg.ops.one_hot(2).tolist() == [0, 0, 1]
    assert tg.ops.one_hot([], 2).shape == (0, 2)
    assert tg.ops.one_hot([0]).dtype == np.float32
    assert tg.ops.one_hot([0], 2, dtype="float64").dtype == np.float64


def test_repeated_factors_have_exact_gradients_at_zero():
    x, v = leaf([2.0, 3.0]), leaf([0.0, 5.0, 7.0])
    y = x.at[[0, 0, 1]].multiply(v)
    assert_array_equal(y.data, [0, 21])
    gx, gv = tg.autograd.grad(y.sum(), [x, v])
    assert_array_equal(gx.data, [0, 7])
    assert_array_equal(gv.data, [10, 0, 3])


def test_ties_of_extremes_share():
    x, v = leaf([1.0, 5.0]), leaf([1.0, 1.0, 4.0])
    for name in ("min", "max"):
        y = getattr(x.at[[0, 0, 1]], name)(v)
        gx, gv = tg.autograd.grad(y.sum(), [x, v])
        assert_allclose(gx.data, [1 / 3, float(name == "max")])
        assert_allclose(gv.data, [1 / 3, 1 / 3, float(name == "min")])


def test_values_of_updates_broadcast():
    x, v, s = leaf(np.zeros((2, 3))), leaf([1.0, 2.0, 3.0]), leaf(2.0)
    mask = np.array([[True, False, True], [False, False, True]])
    y = x.at[mask].set(v) + x.at[1:].set(v) + x.at[:, 0].add(s) + x.at[[0, 0]].add(v)
    assert_array_equal(y.data, [[5, 4, 8], [3, 2, 6]])
    y.sum().backward()
    assert_array_equal(v.grad, [4, 4, 4])
    assert_array_equal(s.grad, 2)
    assert x.at[0].set(1.5).dtype == x.dtype
    x32 = leaf([1.0, 2.0], "float32")
    for update in (x32.at[0].set, x32.at[0].add, x32.at[0].multiply, x32.at[0].min, x32.at[0].max,
                   x32.at[[0, 0]].multiply):  # fmt: skip
        assert update(1.5).dtype == np.float32
    assert_array_equal(x32.at[1].get().data, 2.0)


DEAD = [
    lambda r: tg.take(r, [1, 1]),
    lambda r: tg.take_along_axis(r, [1, 1]),
    lambda r: r.at[0].set(3.0),
    lambda r: r.at[np.array([True, False])].set([3.0]),
    lambda r: r.at[0].set(3.0).at[1].add(1.0),
    lambda r: tg.pad(r, 1)[2:],
    lambda r: tg.pad(r, 1, "edge")[2:],
    lambda r: tg.flip(r)[:1],
    lambda r: tg.roll(r, 1)[:1],
    lambda r: tg.tile(r, 2)[1::2],
    lambda r: tg.repeat(r, 2)[2:],
    lambda r: tg.sort(r)[1:],
    lambda r: tg.concat([r, r])[1::2],
    lambda r: tg.split(r, 2)[1],
    lambda r: tg.unstack(r)[1],
    lambda r: tg.diag(r)[1],
    lambda r: tg.tril(tg.stack([r, r]).T, -1),
    lambda r: tg.triu(tg.stack([r, r]), 1),
    lambda r: tg.diagonal(tg.stack([r[::-1], r])),
    lambda r: r.at[0].add(1.0)[1:],
    lambda r: np.compress([False, True], r),
    lambda r: np.delete(r, 0),
    lambda r: tg.moveaxis(r[None], 0, 1)[1],
    lambda r: tg.rot90(r[None])[0],
    lambda r: tg.where([False, True], tg.diff(r, prepend=1.0, append=r[:0])[[1, 0]], 0)[:1] + r[1],
]


@pytest.mark.parametrize("f", DEAD)
def test_what_is_cut_off_is_not_connected(f):
    """sqrt has an infinite derivative at 0, which must not reach x as NaN, in any order."""
    x = np.array([0.0, 4.0])
    with np.errstate(all="ignore"):
        leaf = tg.tensor(x, requires_grad=True)
        f(tg.sqrt(leaf)).sum().backward()
        assert leaf.grad[0] == 0
        assert np.isfinite(leaf.grad).all()

        def total(x):
            return f(tg.sqrt(x)).sum()

        second = tg.func.grad(lambda x: tg.func.grad(total)(x).sum())(x)
        assert second[0] == 0 and np.isfinite(second).all()
        _, tangent = tg.func.jvp(total, (x,), (np.array([1.0, 1.0]),))
        assert_allclose(tangent, leaf.grad.sum())


X = leaf(np.ones((2, 3)))


@pytest.mark.parametrize(
    ("call", "kind", "parts"),
    [
        (lambda: X[2], IndexError, ["getitem", "index 2 is out of bounds", "(2, 3)"]),
        (lambda: tg.take(X, 3, axis=1), IndexError, ["take", "index 3 is out of bounds", "(2, 3)"]),
        (lambda: tg.take(X, 0, axis=2), IndexError, ["take", "axis 2 is out of bounds", "(2, 3)"]),
        (lambda: tg.take(X, 0, axis=2), ValueError, ["take", "axis 2 is out of bounds"]),
        (lambda: tg.take(X, [0.5]), TypeError, ["take", "integers", "float"]),
        (lambda: tg.take_along_axis(X, [0]), ValueError, ["same number of axes", "(2, 3)", "(1,)"]),
        (lambda: tg.take_along_axis(X, [[3]]), IndexError, ["index 3", "length 3"]),
        (lambda: tg.take_along_axis(X, [[-4]]), IndexError, ["index -4", "length 3"]),
        (lambda: tg.take_along_axis(X, np.zeros((4, 1), int)), ValueError, ["(2, 3)", "(4, 1)"]),
        (lambda: tg.take_along_axis(X, [[0]], 2), IndexError, ["take_along_axis: axis 2"]),
        (lambda: tg.ops.one_hot([3], 3), IndexError, ["0 to 2", "[3]"]),
        (lambda: tg.ops.one_hot([-1]), IndexError, ["[-1]"]),
        (lambda: tg.ops.one_hot([]), ValueError, ["num_classes"]),
        (lambda: tg.ops.one_hot([0.5], 2), TypeError, ["integers"]),
        (lambda: X.at[0].set([1.0, 2.0]), ValueError, ["put", "(3,)", "(2,)"]),
        (lambda: X.at[0].add([1.0, 2.0]), ValueError, ["add_at", "(3,)", "(2,)"]),
        (lambda: X.at[5].add(1.0), IndexError, ["add_at", "index 5"]),
        (lambda: X.at[5].max(1.0), IndexError, ["maximum_at", "index 5"]),
        (lambda: X.at[[0, 0]].set(1.0), ValueError, ["twice", ".add()"]),
        (lambda: np.choose([2], [X, X]), ValueError, ["choose", "0 to 1"]),
        (lambda: np.select([], []), ValueError, ["select"]),
        (lambda: np.compress([[True]], X), ValueError, ["compress", "vector", "(1, 1)"]),
        (lambda: np.delete(X, 9), IndexError, ["delete", "9", "(2, 3)"]),
        (lambda: np.take(X, [0], mode="clip"), ValueError, ["np.take", "mode="]),
    ],
)  # fmt: skip
def test_errors_say_what_was_wrong(call, kind, parts):
    with pytest.raises(kind) as caught:
        call()
    if "select" not in parts:  # of no tensors, NumPy itself
        assert isinstance(caught.value, tg.TinygradError)
    assert all(part in str(caught.value) for part in parts), str(caught.value)
