"""Shape, order and padding, where more can go wrong than one random case shows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.engine import errors

SEEDS = st.integers(0, 2**32 - 1)
WIDTH = st.integers(0, 9)


def leaf(values, dtype="float64"):
    return tg.tensor(np.array(values, dtype), requires_grad=True)


def counted(places, weights, size):
    """What each source entry gets when the result shows it at `places`."""
    return np.bincount(np.ravel(places), np.ravel(weights), size)


@given(mode=st.sampled_from(["edge", "reflect", "symmetric", "wrap"]), seed=SEEDS,
       widths=st.tuples(st.tuples(WIDTH, WIDTH), st.tuples(WIDTH, WIDTH)),
       shape=st.tuples(st.integers(1, 4), st.integers(1, 4)))  # fmt: skip
def test_padding_wider_than_the_array(mode, widths, shape, seed):
    rng = np.random.default_rng(seed)
    x = leaf(rng.normal(size=shape))
    y = np.pad(x, widths, mode)
    assert_array_equal(y.data, np.pad(x.data, widths, mode))
    weights = rng.normal(size=y.shape)
    (y * weights).sum().backward()
    places = np.pad(np.arange(x.size).reshape(shape), widths, mode)
    assert_allclose(x.grad.ravel(), counted(places, weights, x.size), rtol=1e-12, atol=1e-13)


PAD_WIDTHS = [
    0,
    2,
    np.int64(2),
    (1, 2),
    [1, 2],
    ((1, 2),),
    [[1], [3]],
    ((0, 1), (2, 3)),
    np.array([[1, 0], [0, 2]]),
    (3,),
    tg.tensor([1, 2]),
]


@pytest.mark.parametrize("width", PAD_WIDTHS, ids=repr)
@pytest.mark.parametrize("value", [0, 1.5, -np.inf, (1, 2), ((1, 2), (3, 4))], ids=repr)
def test_every_form_of_pad_width_and_constant(width, value):
    x = leaf(np.arange(6.0).reshape(2, 3), "float32")
    plain = getattr(width, "data", width) if isinstance(width, tg.Tensor) else width
    expected = np.pad(x.data, plain, constant_values=value)
    for pad in (tg.pad, np.pad):
        y = pad(x, width, constant_values=value)
        assert y.dtype == np.float32
        assert_array_equal(y.data, expected)
    (tg.where(np.isfinite(expected), y, 0) * 2).sum().backward()
    assert_array_equal(x.grad, np.full((2, 3), 2))


def test_pad_width_by_axis():
    x = leaf(np.arange(6.0).reshape(2, 3))
    assert_array_equal(tg.pad(x, {-1: (1, 2)}).data, np.pad(x.data, ((0, 0), (1, 2))))
    assert_array_equal(tg.pad(x, {0: 1}, "edge").data, np.pad(x.data, ((1, 1), (0, 0)), "edge"))


@given(seed=SEEDS, descending=st.booleans(), axis=st.sampled_from([0, 1, -1, None]))
def test_sort_is_stable_and_gradients_follow(seed, descending, axis):
    rng = np.random.default_rng(seed)
    x = leaf(rng.integers(0, 3, (4, 5)))  # with many ties
    order = tg.argsort(x, axis, descending)
    assert type(order) is np.ndarray
    lines = np.ravel(x.data) if axis is None else x.data
    key = -lines if descending else lines
    assert_array_equal(order, np.argsort(key, axis=-1 if axis is None else axis, kind="stable"))
    y = tg.sort(x, axis, descending)
    expected = np.sort(key, axis=-1 if axis is None else axis)
    assert_array_equal(y.data, -expected if descending else expected)
    weights = rng.normal(size=y.shape)
    (y * weights).sum().backward()
    expected = np.zeros(lines.shape)
    np.put_along_axis(expected, order, weights, 0 if axis is None else axis)
    assert_array_equal(x.grad, expected.reshape(x.shape))
    unstable = tg.sort(x, axis, descending, stable=False)
    assert_array_equal(unstable.data, y.data)


def test_sort_puts_nan_at_the_large_end():
    x = leaf([2.0, np.nan, 1.0])
    assert_array_equal(tg.sort(x).data, [1, 2, np.nan])
    assert_array_equal(tg.sort(x, descending=True).data, [np.nan, 2, 1])
    assert_array_equal(np.sort(x, kind="stable").data, [1, 2, np.nan])
    assert_array_equal(np.argsort(x), [2, 0, 1])
    assert_array_equal(x.argsort(descending=True), [1, 0, 2])


@given(seed=SEEDS, keepdims=st.booleans(),
       axis=st.sampled_from([None, 0, -1, (0, 1), (2, 0), (-1,), ()]))  # fmt: skip
def test_median_of_ties_and_nan(seed, keepdims, axis):
    rng = np.random.default_rng(seed)
    x = leaf(rng.integers(0, 4, (3, 4, 2)))
    if rng.random() < 0.5:
        x.data[0, 0, 0] = np.nan
    y = np.median(x, axis=axis, keepdims=keepdims)
    assert_array_equal(y.data, np.median(x.data, axis=axis, keepdims=keepdims))
    for q in (0.0, 0.3, 1.0):
        ours = np.quantile(x, q, axis=axis, keepdims=keepdims)
        theirs = np.quantile(x.data, q, axis=axis, keepdims=keepdims)
        assert_allclose(ours.data, theirs, rtol=1e-14)
        ours = np.percentile(x, 100 * q, axis=axis, keepdims=keepdims)
        assert_allclose(ours.data, theirs, rtol=1e-13)
    y.sum().backward()
    assert_allclose(x.grad.sum(), y.size, rtol=1e-14)
    assert set(np.unique(x.grad)) <= {0.0, 0.5, 1.0}


def test_median_shares_between_the_two_in_the_middle():
    x = leaf([4.0, 1.0, 3.0, 2.0])
    tg.median(x).backward()
    assert_array_equal(x.grad, [0, 0, 0.5, 0.5])
    x = leaf([2.0, 2.0, 2.0])
    tg.median(x).backward()
    assert sorted(x.grad) == [0, 0, 1]


@given(seed=SEEDS, sections=st.integers(1, 5), axis=st.sampled_from([0, 1, -1]))
def test_what_is_taken_apart_can_be_joined(seed, sections, axis):
    rng = np.random.default_rng(seed)
    x = leaf(rng.normal(size=(5 * sections, 3 * sections)))
    parts = tg.split(x, sections, axis)
    assert type(parts) is list and len(parts) == sections
    back = tg.concat(parts, axis)
    assert_array_equal(back.data, x.data)
    rows = tg.unstack(x, axis)
    assert type(rows) is tuple and len(rows) == x.shape[axis]
    assert_array_equal(tg.stack(rows, axis).data, x.data)
    uneven = np.array_split(x, 4, axis)
    assert [p.shape for p in uneven] == [p.shape for p in np.array_split(x.data, 4, axis)]
    weights = rng.normal(size=x.shape)
    (
        back * weights + tg.stack(rows, axis) * weights + np.concatenate(uneven, axis)
    ).sum().backward()
    assert_allclose(x.grad, 2 * weights + 1, rtol=1e-13)


def test_broadcasting_several_arrays():
    x, s = leaf([[1.0], [2.0]]), leaf(3.0)
    a, b, c = tg.broadcast_arrays(x, np.ones(3), s)
    assert a.shape == b.shape == c.shape == (2, 3)
    (a * c).sum().backward()
    assert_array_equal(x.grad, [[9], [9]])
    assert_array_equal(s.grad, 9)
    assert tg.broadcast_arrays() == ()
    a, b = np.broadcast_arrays(x, np.ones(3))
    assert type(a) is type(b) is tg.Tensor or type(b) is np.ndarray


def test_meshgrid_in_both_indexings():
    x, y = leaf([1.0, 2.0, 3.0]), leaf([4.0, 5.0])
    for indexing in ("xy", "ij"):
        grids = np.meshgrid(x.data, y.data, indexing=indexing)
        for ours, theirs in zip(np.meshgrid(x, y, indexing=indexing), grids, strict=True):
            assert_array_equal(ours.data, theirs)
    a, b = tg.meshgrid(x, y)
    (a * b).sum().backward()
    assert_array_equal(x.grad, [9, 9, 9])
    assert_array_equal(y.grad, [6, 6])


def test_numbers_and_scalars_are_weak():
    x, s = leaf([1.0, 2.0], "float32"), tg.Scalar(5.0)
    assert tg.diff(x, prepend=0.5, append=1).dtype == np.float32
    assert np.append(x, 3.0).dtype == np.float32
    y = tg.diff(x, append=s)
    assert_array_equal(y.data, [1, 3])
    y.sum().backward()
    assert s.grad == 1
    assert_array_equal(np.hstack([x, s]).data, [1, 2, 5])
    assert_array_equal(tg.stack([s, 1.0]).data, [5, 1])


def test_methods_are_the_functions():
    x = leaf(np.arange(6.0).reshape(2, 3))
    assert_array_equal(x.flatten().data, x.data.flatten())
    assert_array_equal(x.ravel().data, x.data.ravel())
    assert_array_equal(x.swapaxes(0, 1).data, x.data.T)
    assert_array_equal(x.diagonal(1).data, x.data.diagonal(1))
    assert_array_equal(x.repeat(2, axis=0).data, x.data.repeat(2, 0))
    assert_array_equal(x.take([0, 5]).data, [0, 5])
    assert_array_equal(x.argsort(0), [[0, 0, 0], [1, 1, 1]])


def test_functions_of_plain_data_give_arrays():
    assert_array_equal(tg.sort([3.0, 1.0]), [1, 3])
    assert_array_equal(tg.median([3.0, 1.0, 2.0]), 2)
    assert_array_equal(tg.pad([1.0], 1), [0, 1, 0])
    assert_array_equal(tg.flip([1, 2]), [2, 1])
    assert_array_equal(tg.take([1, 2, 3], [0, -1]), [1, 3])
    assert tg.sort(np.array([2, 1])).dtype == int


X = leaf(np.ones((2, 3)))
AXIS = np.exceptions.AxisError


@pytest.mark.parametrize(
    ("call", "kind", "parts"),
    [
        (lambda: tg.flip(X, 2), AXIS, ["flip", "axis 2 is out of bounds", "(2, 3)"]),
        (lambda: tg.roll(X, 1, 2), AXIS, ["roll", "axis 2 is out of bounds", "(2, 3)"]),
        (lambda: tg.repeat(X, 2, 2), AXIS, ["repeat", "axis 2 is out of bounds", "(2, 3)"]),
        (lambda: tg.sort(X, 2), AXIS, ["sort", "axis 2 is out of bounds", "(2, 3)"]),
        (lambda: tg.median(X, 2), AXIS, ["median: axis 2 is out of bounds", "(2, 3)"]),
        (lambda: tg.median(X, (0, -2)), ValueError, ["median", "repeated"]),
        (lambda: tg.split(X, 1, 2), AXIS, ["split: axis 2 is out of bounds", "(2, 3)"]),
        (lambda: tg.unstack(X, -3), AXIS, ["unstack: axis -3 is out of bounds", "(2, 3)"]),
        (lambda: tg.diff(X, axis=2), AXIS, ["diff: axis 2 is out of bounds", "(2, 3)"]),
        (lambda: tg.moveaxis(X, 2, 0), AXIS, ["moveaxis: axis 2 is out of bounds", "(2, 3)"]),
        (lambda: tg.moveaxis(X, (0, 0), (0, 1)), ValueError, ["moveaxis", "repeated", "(0, 0)"]),
        (lambda: tg.moveaxis(X, (0, 1), 0), ValueError, ["moveaxis", "2 axes", "1"]),
        (lambda: tg.swapaxes(X, 0, 2), AXIS, ["swapaxes", "out of bounds", "(2, 3)"]),
        (lambda: tg.expand_dims(X, 4), AXIS, ["expand_dims", "out of bounds", "(2, 3)"]),
        (lambda: tg.squeeze(X, 2), AXIS, ["squeeze", "out of bounds", "(2, 3)"]),
        (lambda: tg.concat([X, X], 2), AXIS, ["concat", "out of bounds", "(2, 3)"]),
        (lambda: tg.stack([X, X], 3), AXIS, ["stack", "out of bounds", "(2, 3)"]),
        (lambda: tg.stack([X, X[0]]), ValueError, ["stack", "same shape", "(2, 3)", "(3,)"]),
        (lambda: tg.sum(X, 2), AXIS, ["sum", "out of bounds", "(2, 3)"]),
        (lambda: tg.permute_dims(X, (0, 0)), ValueError, ["permute_dims", "repeated axis"]),
        (lambda: tg.rot90(X, axes=(0, 0)), ValueError, ["rot90", "different"]),
        (lambda: tg.diagonal(X[0]), ValueError, ["diagonal", "(3,)"]),
        (lambda: tg.diag(X[None]), ValueError, ["diag", "(1, 2, 3)", "use diagonal"]),
        (lambda: tg.tril(X[0]), ValueError, ["matrix", "(3,)"]),
        (lambda: tg.broadcast_arrays(X, np.ones(2)), ValueError, ["(2, 3), (2,)"]),
        (lambda: tg.meshgrid(X[0], indexing="yx"), ValueError, ["meshgrid", "'yx'"]),
        (lambda: tg.split(X, 2, 1), ValueError, ["split", "length 3", "2 equal", "array_split"]),
        (lambda: tg.split(X, 0), ValueError, ["split", "0 equal"]),
        (lambda: tg.pad(X, 1, "mean"), ValueError, ["pad", "edge", "'mean'"]),
        (lambda: tg.pad(X, -1), ValueError, ["pad", "negative"]),
        (lambda: tg.pad(X, 0.5), TypeError, ["pad", "integers"]),
        (lambda: tg.pad(X, (1, 2, 3)), ValueError, ["pad", "(2, 3)", "(1, 2, 3)"]),
        (lambda: tg.pad(X[:0], 1, "edge"), ValueError, ["pad: axis 0", "(0, 3)", "constant"]),
        (lambda: np.pad(X, 1, "reflect", reflect_type="odd"), ValueError, ["reflect_type="]),
        (lambda: tg.repeat(X, [1, 2], 1), ValueError, ["repeat", "(2, 3)"]),
        (lambda: tg.diff(X, -1), ValueError, ["diff", "-1"]),
        (lambda: tg.diff(X[0, 0]), ValueError, ["diff", "at least one axis"]),
        (lambda: np.quantile(X, 1.5), ValueError, ["quantile", "0 to 1", "1.5"]),
        (lambda: np.quantile(X, 0.5, method="lower"), ValueError, ["method="]),
        (lambda: np.sort(X, order="f"), ValueError, ["order="]),
        (lambda: np.meshgrid(X[0], sparse=True), ValueError, ["sparse="]),
        (lambda: np.vsplit(X[0], 1), ValueError, ["vsplit", "2 axes", "(3,)"]),
    ],
)  # fmt: skip
def test_errors_say_what_was_wrong(call, kind, parts):
    with pytest.raises(kind) as caught:
        call()
    assert isinstance(caught.value, tg.TinygradError)
    assert all(part in str(caught.value) for part in parts), str(caught.value)
    if kind is AXIS:
        assert isinstance(caught.value, errors.AxisError)
