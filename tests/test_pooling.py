"""Pooling against windows looked at one by one; ties, NaN, dead positions, random regions."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.engine import errors
from tinygrad_cs.nn import functional as F
from tinygrad_cs.ops.sliding.windows import Bins, Windows, inputs

rng = np.random.default_rng(0)
INF, NAN = np.inf, np.nan


def normal(*shape):
    return rng.normal(size=shape)


def leaf(values):
    return tg.tensor(np.array(values, float), requires_grad=True)


def windows_of(size, kernel, stride, padding, dilation=1, ceil_mode=False):
    """The inputs that each window sees, by trying every window that begins early enough."""
    found, start = [], -padding
    reach = (kernel - 1) * dilation + 1
    while start + reach <= size + padding or (
        ceil_mode and start < size and start + reach - stride < size + padding
    ):
        found.append([y for y in range(start, start + reach, dilation) if 0 <= y < size])
        start += stride
    return found


OPTIONS = [
    (kernel, stride, padding, dilation, ceil_mode)
    for kernel, stride, padding, dilation, ceil_mode in itertools.product(
        (1, 2, 3), (1, 2, 4), (0, 1), (1, 2), (False, True)
    )
    if padding <= kernel // 2
]


@pytest.mark.parametrize("options", OPTIONS)
def test_max_pooling_finds_the_largest_of_each_window(options):
    kernel, stride, padding, dilation, ceil_mode = options
    x = normal(2, 3, 9, 8)
    rows, cols = (windows_of(n, kernel, stride, padding, dilation, ceil_mode) for n in (9, 8))
    expected = np.array(
        [[x[:, :, r][:, :, :, c].max(axis=(2, 3)) for c in cols] for r in rows]
    ).transpose(2, 3, 0, 1)
    out, indices = F.max_pool2d(x, *options, return_indices=True)
    assert_array_equal(out, expected)
    assert_array_equal(np.take_along_axis(x.reshape(6, 72), indices.reshape(6, -1), 1),
                       out.reshape(6, -1))  # fmt: skip
    line, places = F.max_pool1d(x[0], *options, return_indices=True)
    assert_array_equal(line, np.stack([x[0][:, :, c].max(axis=2) for c in cols], axis=2))
    assert_array_equal(np.take_along_axis(x[0], places, 2), line)


@pytest.mark.parametrize("options", [o for o in OPTIONS if o[3] == 1])
@pytest.mark.parametrize("count_include_pad", [False, True])
def test_average_pooling_is_the_mean_of_each_window(options, count_include_pad):
    kernel, stride, padding, _, ceil_mode = options
    x = normal(2, 9)
    if count_include_pad:
        # what ceil_mode lets a window reach beyond the padding does not count
        padded = np.pad(x, [(0, 0), (padding, padding)])
        places = windows_of(9, kernel, stride, padding, 1, ceil_mode)
        seen = [range(u * stride, min(u * stride + kernel, 9 + 2 * padding))
                for u in range(len(places))]  # fmt: skip
        expected = np.stack([padded[:, list(s)].mean(axis=1) for s in seen], axis=1)
    else:
        seen = windows_of(9, kernel, stride, padding, 1, ceil_mode)
        expected = np.stack([x[:, s].mean(axis=1) for s in seen], axis=1)
    out = F.avg_pool1d(x, kernel, stride, padding, ceil_mode, count_include_pad)
    assert_allclose(out, expected, rtol=1e-12, atol=1e-14)
    square = x[:, :, None] * np.ones(9)
    both = F.avg_pool2d(
        square, (kernel, 9), (stride, 9), (padding, 0), ceil_mode, count_include_pad
    )
    assert_allclose(both[..., 0], expected, rtol=1e-12, atol=1e-14)


def test_a_divisor_of_ones_own():
    x = normal(1, 4, 4)
    ours = F.avg_pool2d(x, 2, divisor_override=3)
    assert_allclose(ours, F.avg_pool2d(x, 2) * 4 / 3, rtol=1e-12)


@pytest.mark.parametrize(("size", "count"), [(7, 3), (8, 4), (5, 5), (3, 7), (10, 1), (6, 4)])
def test_adaptive_pooling_has_pytorchs_bins(size, count):
    x = normal(2, 3, size, size)
    edges = [(u * size // count, -(-(u + 1) * size // count)) for u in range(count)]
    for pool, reduce in ((F.adaptive_avg_pool2d, np.mean), (F.adaptive_max_pool2d, np.max)):
        expected = np.array([[reduce(x[:, :, a:b, c:d], axis=(2, 3)) for c, d in edges]
                             for a, b in edges]).transpose(2, 3, 0, 1)  # fmt: skip
        assert_allclose(pool(x, count), expected, rtol=1e-12, atol=1e-14)
    lines = np.stack([x[0, :, :, a:b].mean(axis=2) for a, b in edges], axis=2)
    assert_allclose(F.adaptive_avg_pool1d(x[0], count), lines, rtol=1e-12, atol=1e-14)
    lines = np.stack([x[0, :, :, a:b].max(axis=2) for a, b in edges], axis=2)
    assert_array_equal(F.adaptive_max_pool1d(x[0], count), lines)


def test_adaptive_pooling_keeps_a_length_given_as_none():
    assert F.adaptive_avg_pool2d(normal(1, 3, 6, 5), (None, 2)).shape == (1, 3, 6, 2)


def test_maps_of_many_windows():
    """Positions are larger than what the number of an entry fits into."""
    x = normal(1, 2, 64, 60)
    expected = x.reshape(1, 2, 32, 2, 30, 2).max(axis=(3, 5))
    assert_array_equal(F.max_pool2d(x, 2), expected)
    wide = F.max_pool2d(x, 17, stride=1)
    assert wide[0, 1, 3, 5] == x[0, 1, 3:20, 5:22].max()


@pytest.mark.parametrize("pool", [F.max_pool1d, F.avg_pool1d])
def test_gradients_of_pooling_with_overlap_padding_and_a_partial_window(pool):
    x = normal(2, 3, 8)
    call = lambda x: pool(x, 3, 2, 1, ceil_mode=True)  # noqa: E731
    assert tg.autograd.gradcheck(call, [leaf(x)])
    assert tg.autograd.gradgradcheck(call, [leaf(x)])


def test_the_first_of_equal_entries_gets_the_gradient():
    x = leaf(np.zeros((1, 4, 4)))
    F.max_pool2d(x, 2).sum().backward()
    assert_array_equal(x.grad[0], [[1, 0, 1, 0], [0, 0, 0, 0]] * 2)
    x = leaf([[[1.0, 2.0], [2.0, 1.0]]])
    F.max_pool2d(x, 2).sum().backward()
    assert_array_equal(x.grad, [[[0, 1], [0, 0]]])
    x = leaf(np.zeros((1, 1, 5)))
    F.max_pool2d(x, (1, 3), stride=1, padding=(0, 1)).sum().backward()
    assert_array_equal(x.grad[0, 0], [2, 1, 1, 1, 0])


def test_overlapping_windows_add_up():
    x = leaf([[0.0, 5.0, 1.0, 2.0]])
    F.max_pool1d(x, 2, stride=1).sum().backward()
    assert_array_equal(x.grad, [[0, 2, 0, 1]])


def test_padding_is_less_than_any_number():
    x = np.full((1, 3, 3), -INF)
    out, indices = F.max_pool2d(x, 3, stride=1, padding=1, return_indices=True)
    assert_array_equal(out, x)
    assert indices.min() >= 0 and indices.max() < 9
    assert_array_equal(F.max_pool1d(np.full((1, 2), -7.0), 2, padding=1), [[-7, -7]])


def test_nan_is_larger_than_any_number():
    x = leaf([[1.0, NAN, 3.0, INF, NAN, NAN]])
    out = F.max_pool1d(x, 3)
    assert_array_equal(out.data, [[NAN, NAN]])
    out.backward(np.ones((1, 2)))
    assert_array_equal(x.grad, [[0, 1, 0, 0, 1, 0]])


def pooled(pool, x):
    with np.errstate(all="ignore"):
        return pool(tg.log(x)).sum()


POOLS = {
    "max_pool": lambda h: F.max_pool2d(h, 2),
    "overlapping": lambda h: F.max_pool2d(h, 2, stride=1),
    "adaptive": lambda h: F.adaptive_max_pool2d(h, (2, 2)),
    "fractional": lambda h: F.fractional_max_pool2d(h, output_size=2, generator=3),
}


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_entries_that_are_not_the_largest_are_dead(pool):
    """log'(0) is infinite; where 0 is not selected that must not matter, at any order."""
    at = np.array([[[1.0, 0.0, 2.0, 0.0], [0.0, 0.5, 0.0, 0.0], [0.0, 3.0, 4.0, 0.0],
                    [0.0, 0.0, 0.0, 5.0]]])  # fmt: skip
    x = leaf(at)
    pooled(pool, x).backward()
    assert np.isfinite(x.grad).all()
    assert_array_equal(x.grad[at == 0], 0)
    (first,) = tg.autograd.grad(pooled(pool, x), x, create_graph=True)
    assert_array_equal(first.data, x.grad)
    with np.errstate(all="ignore"):
        second = tg.func.hessian(lambda x: pooled(pool, x))(at).reshape(16, 16)
    assert np.isfinite(second).all()
    alive = at.ravel() > 0
    slope = x.grad.ravel()[alive]  # how many windows selected it, times log'
    assert_allclose(np.diag(second)[alive], -slope / at.ravel()[alive], rtol=1e-12)


def test_one_infinite_input_reaches_only_the_windows_that_see_it():
    x = np.zeros((1, 4, 4))
    x[0, 0, 0] = INF
    out = F.avg_pool2d(x, 2)
    assert_array_equal(np.isfinite(out[0]), [[False, True], [True, True]])


def test_average_pooling_keeps_float32():
    x = normal(1, 2, 5, 5).astype("float32")
    for out in (F.avg_pool2d(x, 2), F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
                F.adaptive_avg_pool2d(x, 3), F.adaptive_avg_pool2d(x, 1)):  # fmt: skip
        assert out.dtype == "float32"


def test_an_empty_batch():
    x = leaf(np.zeros((0, 3, 6, 6)))
    outs = [F.max_pool2d(x, 2), F.avg_pool2d(x, 2), F.adaptive_avg_pool2d(x, 3),
            F.adaptive_max_pool2d(x, 3), F.fractional_max_pool2d(x, output_size=3)]  # fmt: skip
    for out in outs:
        assert out.shape == (0, 3, 3, 3)
    sum(out.sum() for out in outs).backward()
    assert x.grad.shape == x.shape


# Fractional max pooling


def regions(size, **options):
    """Where the regions along the columns begin and end, read off an image that counts columns."""
    rising = np.tile(np.arange(float(size)), (size, 1))[None]
    last = F.fractional_max_pool2d(rising, **options)[0, 0]
    first = -F.fractional_max_pool2d(-rising, **options)[0, 0]
    return first.astype(int), last.astype(int)


@pytest.mark.parametrize("pseudo_random", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_regions_are_grahams(pseudo_random, seed):
    size, count = 25, 16
    options = dict(output_size=count, pseudo_random=pseudo_random, generator=seed)
    first, last = regions(size, overlapping=False, **options)
    assert first[0] == 0 and last[-1] == size - 1
    assert_array_equal(first[1:], last[:-1] + 1)
    assert set(last - first + 1) == {1, 2}
    first, last = regions(size, overlapping=True, **options)
    assert first[0] == 0 and last[-1] == size - 1
    assert_array_equal(first[1:], last[:-1])
    assert set(last - first) == {1, 2}


def test_pseudo_random_steps_are_evenly_mixed():
    """Any two stretches of the sequence with as many steps differ in length by one at most."""
    first, _ = regions(64, output_size=45, overlapping=False, generator=5)
    for steps in range(1, 20):
        lengths = first[steps:] - first[:-steps]
        assert lengths.max() - lengths.min() <= 1


@pytest.mark.parametrize("pseudo_random", [False, True])
def test_regions_of_one_size_are_pytorchs(pseudo_random):
    options = dict(kernel_size=3, output_size=7, pseudo_random=pseudo_random, generator=1)
    first, last = regions(12, **options)
    assert_array_equal(last - first, 2)
    assert first[0] == 0 and last[-1] == 11
    assert (np.diff(first) >= 1).all()


def test_the_librarys_seed_or_ones_own():
    x = normal(1, 20, 20)

    def pool(**options):
        return F.fractional_max_pool2d(x, output_ratio=0.7, pseudo_random=False, **options)

    tg.manual_seed(3)
    a, b = pool(), pool()
    tg.manual_seed(3)
    assert_array_equal(pool(), a)
    assert not np.array_equal(a, b)
    assert_array_equal(pool(generator=7), pool(generator=np.random.default_rng(7)))
    assert a.shape == (1, 14, 14)


def test_gradients_of_fractional_pooling():
    call = lambda x: F.fractional_max_pool2d(x, output_size=4, generator=0)  # noqa: E731
    assert tg.autograd.gradcheck(call, [leaf(normal(1, 2, 6, 6))])
    values, indices = F.fractional_max_pool2d(
        normal(2, 3, 8, 8), 2, output_size=5, return_indices=True
    )
    assert values.shape == indices.shape == (2, 3, 5, 5)


def test_inputs_that_padding_hides_are_stood_in_for():
    assert_array_equal(inputs(Windows(4, 3, 1, 1, 1)), [[0, 0, 1, 2], [0, 1, 2, 3], [1, 2, 3, 3]])
    assert_array_equal(inputs(Bins(5, (0, 2), (1, 5))), [[0, 2], [0, 3], [0, 4]])


X = np.zeros((2, 3, 8, 8))


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: F.max_pool2d(X[0, 0], 2), "ShapeError", r"\(N, C, H, W\).*got \(8, 8\)"),
        (lambda: F.max_pool2d(X, 9), "ShapeError", "window of 9 reaches over 9.*length 8"),
        (lambda: F.max_pool2d(X, 0), "ArgumentError", "kernel_size.*1 or more.*0"),
        (lambda: F.max_pool2d(X, 2, stride=0), "ArgumentError", "stride"),
        (lambda: F.max_pool2d(X, 2, padding=2), "ArgumentError", "half of kernel_size.*padding=2"),
        (lambda: F.max_pool2d(X, 2, padding=-1), "ArgumentError", "padding must be"),
        (lambda: F.max_pool2d(X, (2, 2, 2)), "ArgumentError", "sequence of 2"),
        (lambda: F.max_pool1d(X[0, ..., :1], 2, padding=1, dilation=2), "ShapeError",
         "sees nothing but padding"),
        (lambda: F.avg_pool2d(X, 2, divisor_override=0), "ArgumentError", "divisor_override"),
        (lambda: F.avg_pool1d(X, 2), "ShapeError", r"avg_pool1d.*\(N, C, L\)"),
        (lambda: F.adaptive_avg_pool2d(X, 0), "ArgumentError", "output_size.*1 or more"),
        (lambda: F.adaptive_max_pool2d(X[..., :0], 2), "ShapeError", "nothing to pool"),
        (lambda: F.fractional_max_pool2d(X), "ArgumentError", "either output_size or output_ratio"),
        (lambda: F.fractional_max_pool2d(X, output_size=9), "ShapeError", "9 regions.*length of 8"),
        (lambda: F.fractional_max_pool2d(X, 5, output_size=5), "ShapeError", "regions of size 5"),
        (lambda: F.fractional_max_pool2d(X, output_ratio=1.5), "ArgumentError", "between 0 and 1"),
    ],
)  # fmt: skip
def test_errors_say_what_to_write(call, kind, words):
    with pytest.raises(getattr(errors, kind), match=words):
        call()
