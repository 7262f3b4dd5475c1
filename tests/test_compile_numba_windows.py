"""Convolutions as loops of the Numba backend, against NumPy's way."""

import os

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.nn import functional as F
from tinygrad_cs.ops.sliding.convolution import conv, conv_input, conv_weight

pytest.importorskip("numba")


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory):
    """Machine code of these tests stays theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINYGRAD_CS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


# name: images, channels, size, outputs, kernel, options
SHAPES = {
    "one entry": (1, 1, (2, 2), 1, (2, 2), {}),
    "one row": (2, 3, (9,), 5, (3,), {"padding": 2}),
    "one column": (2, 3, (9, 1), 2, (3, 1), {"padding": (1, 1)}),
    "padded": (3, 2, (6, 7), 7, (3, 3), {"padding": 1}),
    "padded in one direction": (3, 2, (6, 7), 3, (2, 4), {"padding": (0, 3)}),
    "more padding than needed": (2, 2, (3, 3), 4, (2, 2), {"padding": 2}),
    "kernel larger than the image": (2, 1, (2, 3), 6, (3, 5), {"padding": 2}),
    "dilated": (2, 3, (9, 8), 5, (3, 2), {"dilation": (2, 3), "padding": (2, 1)}),
    "groups": (2, 6, (7, 6), 9, (3, 3), {"groups": 3, "padding": 1}),
    "depthwise": (2, 4, (6, 6), 4, (5, 5), {"groups": 4, "padding": 2}),
    "one source and many results": (2, 1, (8, 8), 13, (2, 3), {}),
    "shared by threads": (16, 5, (16, 16), 7, (5, 5), {"padding": 2}),
}
STAYING = {
    "steps": (2, 3, (9, 8), 4, (3, 3), {"stride": 2}),
    "one entry wide": (2, 3, (5, 5), 4, (1, 1), {}),
    "very wide": (2, 1, (9, 30), 2, (2, 9), {}),
    "many channels, small images": (2, 32, (3, 3), 32, (3, 3), {"padding": 1}),
}


def convolved(x, w, bias, options):
    function = F.conv2d if w.ndim == 4 else F.conv1d
    y = function(x, w, bias, **options)
    return y, tg.sum(y * y)


def arrays_for(shape, dtype):
    images, channels, size, outputs, kernel, options = shape
    rng = np.random.default_rng(0)
    draw = lambda *n: rng.normal(size=n).astype(dtype)  # noqa: E731
    w = draw(outputs, channels // options.get("groups", 1), *kernel)
    return draw(images, channels, *size), w, draw(outputs), options


def both_ways(shape, dtype="f8", with_bias=True):
    """Values and gradients (plain, compiled), and the compiled function."""
    x, w, bias, options = arrays_for(shape, dtype)

    def passes(x, w, bias):
        y, loss = convolved(x, w, bias if with_bias else None, options)
        loss.backward()
        return y

    compiled = tg.compile(passes, backend="numba")
    found = []
    for f in (passes, compiled):
        given = [tg.tensor(a.copy(), requires_grad=True) for a in (x, w, bias)]
        y = f(*given)
        found.append([y.data, *(t.grad for t in given if t.grad is not None)])
    return *found, compiled


def assert_near(ours, theirs, accuracy):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.dtype == b.dtype and a.shape == b.shape
        assert_allclose(a, b, rtol=accuracy, atol=accuracy * np.abs(b).max())


@pytest.mark.parametrize("name", SHAPES)
def test_values_and_gradients(name):
    plain, compiled, f = both_ways(SHAPES[name], with_bias=len(name) % 2 == 0)
    assert_near(compiled, plain, 1e-12)
    if name != "one column":
        assert all(f"def {part}_" in f.optimized_source for part in ("conv_input", "conv_weight"))


@pytest.mark.parametrize("name", ["padded", "shared by threads"])
def test_single_precision(name):
    plain, compiled, _ = both_ways(SHAPES[name], "f4")
    assert_near(compiled, plain, 1e-6)


@pytest.mark.parametrize("name", STAYING)
def test_convolutions_that_numpy_does_faster_stay(name):
    plain, compiled, f = both_ways(STAYING[name])
    assert_near(compiled, plain, 1e-12)
    assert "def conv" not in f.optimized_source and "def biased" not in f.optimized_source


@pytest.mark.skipif(
    not os.environ.get("NUMBA_LONG"), reason="each shape is compiled for seconds: NUMBA_LONG=1"
)
@pytest.mark.parametrize("seed", range(60))
def test_drawn_shapes(seed):
    rng = np.random.default_rng(seed)
    groups = int(rng.integers(1, 3))
    kernel, dilation = rng.integers(1, 6, 2), rng.integers(1, 3, 2)
    size = (kernel - 1) * dilation + 1 + rng.integers(0, 9, 2)
    options = {"groups": groups, "dilation": tuple(map(int, dilation))}
    options["padding"] = tuple(map(int, rng.integers(0, 4, 2)))
    channels, outputs = (int(n) * groups for n in rng.integers(1, 10, 2))
    shape = (int(rng.integers(1, 4)), channels, tuple(size), outputs, tuple(kernel), options)
    plain, compiled, _ = both_ways(shape, with_bias=bool(seed % 2))
    assert_near(compiled, plain, 1e-12)


def test_images_of_any_layout():
    """Transposed, reversed and with gaps: arguments and what the program makes."""
    x, w, bias, _ = arrays_for(SHAPES["padded"], "f8")
    f = lambda x: F.conv2d((x * 2).transpose((0, 1, 3, 2)), w, bias)  # noqa: E731
    g = lambda x: F.conv2d(x, w, bias)  # noqa: E731
    wide = np.repeat(x, 2, axis=3)[..., ::2]
    for function in (f, g):
        compiled = tg.compile(function, backend="numba")
        for given in (x, wide, x[:, :, ::-1], np.asfortranarray(x)):
            assert_near([compiled(given)], [function(given)], 1e-12)


def test_results_are_the_callers():
    x, w, bias, _ = arrays_for(SHAPES["padded"], "f8")
    f = tg.compile(lambda x: F.conv2d(x, w, bias), backend="numba")
    first = f(x)
    kept = first.copy()
    f(x + 1)
    assert_array_equal(first, kept)


def test_one_nan_reaches_the_windows_that_see_it_and_no_other():
    x, w, bias, options = arrays_for(SHAPES["padded"], "f8")
    x[1, 0, 5, 6] = np.nan
    f = lambda x: F.conv2d(x, w, bias, **options)  # noqa: E731
    assert_array_equal(np.isnan(tg.compile(f, backend="numba")(x)), np.isnan(f(x)))


def test_second_derivatives():
    """Each of the three products is a derivative of the others."""
    x, w, _, options = arrays_for(SHAPES["dilated"], "f8")
    loss = lambda x, w: tg.sum(tg.tanh(F.conv2d(x, w, **options)))  # noqa: E731
    steep = tg.func.grad(lambda x, w: tg.sum(tg.func.grad(loss)(x, w) ** 2), argnums=(0, 1))
    assert_near(tg.compile(steep, backend="numba")(x, w), steep(x, w), 1e-11)


def test_products_beside_shared_convolutions_are_cut():
    """So that BLAS does not wake threads of its own, which would take one of the cores."""
    rng = np.random.default_rng(0)
    x, w, v = (rng.normal(size=n) for n in [(64, 3, 16, 16), (8, 3, 3, 3), (8 * 14 * 14, 12)])
    v2 = rng.normal(size=(8 * 14 * 14, 200))
    f = lambda x, v: F.conv2d(x, w).reshape(64, -1) @ v  # noqa: E731
    few, many = (tg.compile(f, backend="numba") for _ in range(2))
    assert_near([few(x, v)], [f(x, v)], 1e-12)
    assert_near([many(x, v2)], [f(x, v2)], 1e-12)
    assert "product(" in few.optimized_source and "product(" not in many.optimized_source


def test_the_three_operations_alone():
    x, w, _, _ = arrays_for(SHAPES["dilated"], "f8")
    from tinygrad_cs.ops.sliding.windows import windows

    axes = (windows(9, 3), windows(8, 2))
    y = conv(x, w, axes)
    for f, given in ((conv, (x, w)), (conv_input, (y, w)), (conv_weight, (x, y))):
        call = lambda a, b, f=f: f(a, b, axes)  # noqa: E731
        assert_near([tg.compile(call, backend="numba")(*given)], [call(*given)], 1e-12)


def test_functions_and_values_have_different_names():
    """The third convolution gives `conv_3`; and an argument may be called `loops_1`."""
    w = np.random.default_rng(0).normal(size=(2, 2, 2, 2))

    def f(loops_1, loops_2_):
        for _ in range(3):
            loops_1 = tg.tanh(F.conv2d(loops_1, w)) * loops_2_
        return loops_1

    x = np.random.default_rng(1).normal(size=(1, 2, 6, 6))
    assert_near([tg.compile(f, backend="numba")(x, x[..., :1, :1])], [f(x, x[..., :1, :1])], 1e-12)
