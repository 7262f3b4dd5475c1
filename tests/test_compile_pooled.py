"""ReLU before max pooling, which a program does behind it: the same bits from fewer entries."""

import numpy as np
import pytest
from both_ways import leaves
from numpy.testing import assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.nn import functional as F

rng = np.random.default_rng(0)


def normal(*shape, dtype="f8"):
    return rng.normal(size=shape).astype(dtype)


def weighted(y):
    """A loss whose cotangent is another one for each entry, below and above 0."""
    size = int(np.prod(y.shape))
    return tg.sum(y * y * np.linspace(-1, 1, size).reshape(y.shape).astype(y.dtype))


def check_both_ways(f, *arrays):
    """Results and gradients, plain and compiled, to the bit; returns the compiled function."""
    found, compiled = [], tg.compile(f)
    for call in (f, compiled, compiled):
        given = leaves(arrays)
        found.append([np.asarray(getattr(y, "data", y)) for y in call(*given)])
        found[-1] += [t.grad for t in given if t.grad is not None]
    for again in found[1:]:
        for a, b in zip(again, found[0], strict=True):
            assert a.dtype == b.dtype
            assert_array_equal(a, b)
            assert_array_equal(np.signbit(a), np.signbit(b))
    return compiled


def passes(x, *options):
    """Of kernels that are learned: each image is convolved, cut and pooled."""

    def f(w, bias):
        y = F.max_pool2d(tg.relu(F.conv2d(x, w, bias)), *options)
        weighted(y).backward()
        return (y,)

    return f


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("options", [(2,), (3, 2), (3, 1), (2, 3), (3, 2, 1), ((1, 2), 1)])
def test_the_same_bits(options, dtype):
    f = passes(normal(2, 3, 9, 8, dtype=dtype), *options)
    source = check_both_ways(f, normal(4, 3, 2, 1, dtype=dtype), normal(4, dtype=dtype)).source
    assert "relu = np.maximum(pick, 0)" in source
    assert "d_pick = np.where(relu != 0, d_relu_2, 0)" in source
    assert "d loss / d biased_conv, through pick" in source


def test_ties_infinities_and_nan():
    values = [0.0, 1.0, 1.0, -1.0, np.inf, -np.inf, np.nan]
    x = rng.choice(values, size=(4, 5, 8, 8))
    one = np.ones((5, 1, 1, 1))
    for images in (x, np.where(x > 0, 0, x), np.where(np.isfinite(x), x, 1)):

        def f(w, images=images):
            y = F.max_pool2d(tg.relu(F.conv2d(images, w, groups=5)), 2)
            weighted(y).backward()
            return (y,)

        assert "relu = np.maximum(pick, 0)" in check_both_ways(f, one).source


def test_zeros_of_both_signs():
    """A negative zero is no larger than a positive one, and cut to a positive one."""
    layer = nn.BatchNorm2d(3)
    layer.weight.data[...], layer.bias.data[...] = 0.0, -0.0

    def f(x):
        layer.zero_grad()
        h = layer(x)
        y = F.max_pool2d(tg.relu(h), 2)
        weighted(y).backward()
        return y, layer.weight.grad, layer.bias.grad

    x = normal(2, 3, 6, 6, dtype="f4")
    assert np.signbit(layer(x).data).any() and not np.signbit(layer(x).data).all()
    compiled, expected = tg.compile(f), f(x)
    for y, z in zip(compiled(x), expected, strict=True):
        y, z = (np.asarray(getattr(v, "data", v)) for v in (y, z))
        assert y.tobytes() == z.tobytes()
    assert "relu = np.maximum(pick, 0)" in compiled.source


def test_without_derivatives_too():
    f = lambda x: F.max_pool2d(tg.relu(x * 2), 2)  # noqa: E731
    compiled = tg.compile(f)
    x = normal(2, 3, 6, 6)
    assert_array_equal(compiled(x), f(x))
    assert "np.maximum(t_1.reshape(-1).take(t_2), 0)  # relu" in compiled.source


def test_a_net_of_several_such_layers():
    tg.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(3, 2, 2), nn.ReLU(), nn.MaxPool2d(2)),
    )

    def f(x):
        model.zero_grad()
        y = model(x)
        weighted(y).backward()
        return (y, *(p.grad for p in model.parameters()))

    compiled = tg.compile(f)
    x = normal(2, 2, 12, 12, dtype="f4")
    for _ in range(2):
        for y, z in zip(compiled(x), f(x), strict=True):
            assert_array_equal(*(np.asarray(getattr(v, "data", v)) for v in (y, z)))
    assert "relu_2 = np.maximum(pick_2, 0)" in compiled.source
    assert "d loss / d standardize, through pick" in compiled.source


def also(name):
    """Functions that need more of what comes out of the ReLU than its maxima."""

    def f(w):
        h = tg.relu(F.conv2d(X, w))
        y, places = F.max_pool2d(h, 2, return_indices=True)
        more = {"h": h, "sum": tg.sum(h), "places": places, "view": h.reshape(-1)[3:5]}[name]
        (weighted(y) + tg.sum(h)).backward() if name == "sum" else weighted(y).backward()
        return y, more

    return f


X = normal(2, 3, 7, 7)


@pytest.mark.parametrize("name", ["h", "sum", "view"])
def test_a_relu_that_others_need_stays_where_it_is(name):
    assert "np.maximum(pick" not in check_both_ways(also(name), normal(2, 3, 2, 2)).source


def test_positions_that_others_need():
    """Where no entry is above 0, they are those of the first one."""
    check_both_ways(also("places"), normal(2, 3, 2, 2))


def test_a_flat_view_of_the_relu_shows_it_and_not_what_was_cut():
    def f(x):
        h = tg.relu(x * 2)
        return F.max_pool2d(h, 2), h.data.reshape(-1).sum()

    x = tg.tensor(normal(2, 3, 6, 6))
    for ours, theirs in zip(tg.compile(f)(x), f(x), strict=True):
        assert_array_equal(*(np.asarray(getattr(v, "data", v)) for v in (ours, theirs)))


@pytest.mark.parametrize("write", [lambda y: y.data.fill(0), lambda y: y.data.__setitem__(0, 3.0)])
def test_results_written_over_before_the_backward_pass(write):
    """Which entries were above 0 was found out before."""

    def f(w):
        y = F.max_pool2d(tg.relu(F.conv2d(X, w)), 2)
        loss = tg.sum(y)
        write(y)
        loss.backward()
        return (y,)

    check_both_ways(f, normal(2, 3, 2, 2))


@pytest.mark.parametrize("f", [tg.abs, tg.tanh, lambda x: tg.maximum(x, 0.5), F.leaky_relu])
def test_other_functions_stay_where_they_are(f):
    def passes(w):
        y = F.max_pool2d(f(F.conv2d(X, w)), 2)
        weighted(y).backward()
        return (y,)

    assert "pick, 0" not in check_both_ways(passes, normal(2, 3, 2, 2)).source


def test_a_maximum_with_an_array_stays_where_it_is():
    floor = normal(2, 3, 6, 6)
    f = lambda x: F.max_pool2d(tg.maximum(x * 2, floor), 2)  # noqa: E731
    x = normal(2, 3, 6, 6)
    assert_array_equal(tg.compile(f)(x), f(x))


def test_two_poolings_of_one_relu():
    def f(w):
        h = tg.relu(F.conv2d(X, w))
        y = tg.sum(F.max_pool2d(h, 2)) + weighted(F.max_pool2d(h, 3))
        y.backward()
        return (y,)

    check_both_ways(f, normal(2, 3, 2, 2))


def test_second_derivatives():
    bend = lambda w: tg.sum(F.max_pool2d(tg.relu(F.conv2d(X, w)), 2) ** 2)  # noqa: E731
    steep = tg.func.grad(lambda w: tg.sum(tg.func.grad(bend)(w) ** 2))
    w = normal(2, 3, 2, 2)
    assert_array_equal(tg.compile(steep)(w), steep(w))
