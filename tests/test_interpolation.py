"""Resizing against NumPy's own interpolation and against copies made by hand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.engine import errors
from tinygrad_cs.nn import functional as F

rng = np.random.default_rng(0)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_nearest_by_a_whole_factor_repeats(factor):
    x = rng.normal(size=(2, 3, 4, 5))
    expected = x.repeat(factor, axis=2).repeat(factor, axis=3)
    assert_array_equal(F.interpolate(x, scale_factor=factor), expected)


@pytest.mark.parametrize("count", range(1, 15))
def test_nearest_has_no_rounding_errors(count):
    x = np.arange(7.0)[None, None]
    expected = [u * 7 // count for u in range(count)]
    assert_array_equal(F.interpolate(x, size=count)[0, 0], expected)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13])
@pytest.mark.parametrize("align_corners", [False, True])
def test_linear_is_numpys_interp(count, align_corners):
    x = rng.normal(size=5)
    centres = (np.arange(count) + 0.5) * 5 / count - 0.5
    at = np.linspace(0, 4, count) if align_corners else centres
    ours = F.interpolate(x[None, None], count, mode="linear", align_corners=align_corners)
    assert_allclose(ours[0, 0], np.interp(at, range(5), x), rtol=1e-12, atol=1e-14)


def test_bilinear_is_linear_along_each_axis():
    x = rng.normal(size=(2, 3, 4, 5))
    both = F.interpolate(x, (7, 3), mode="bilinear")
    rows = F.interpolate(x.transpose(0, 1, 3, 2).reshape(6, 5, 4), 7, mode="linear")
    rows = rows.reshape(2, 3, 5, 7).transpose(0, 1, 3, 2).reshape(6, 7, 5)
    expected = F.interpolate(rows, 3, mode="linear").reshape(2, 3, 7, 3)
    assert_allclose(both, expected, rtol=1e-12, atol=1e-14)


def test_a_length_that_stays_is_copied():
    x = rng.normal(size=(1, 1, 5))
    for mode in ("nearest", "linear"):
        assert_array_equal(F.interpolate(x, scale_factor=1.1, mode=mode), x)


def test_one_infinite_input_reaches_only_its_neighbours():
    x = np.zeros((1, 1, 8))
    x[..., 0] = np.inf
    with np.errstate(invalid="ignore"):
        out = F.interpolate(x, 16, mode="linear")[0, 0]
    assert np.isfinite(out[3:]).all()
    assert np.isfinite(F.interpolate(x, 16)[0, 0, 2:]).all()


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_gradients(mode):
    x = tg.tensor(rng.normal(size=(1, 2, 3, 4)), requires_grad=True)
    assert tg.autograd.gradcheck(lambda x: F.interpolate(x, (5, 3), mode=mode), [x])
    small = F.interpolate(tg.tensor(np.ones((1, 1, 3)), requires_grad=True), scale_factor=2)
    assert small.dtype == "float64" and small.requires_grad


def test_float32_stays():
    x = np.ones((1, 1, 3), "float32")
    assert F.interpolate(x, 5, mode="linear").dtype == "float32"


X = np.zeros((1, 2, 4, 4))


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: F.interpolate(X), "ArgumentError", "either size or scale_factor"),
        (lambda: F.interpolate(X, 2, 2), "ArgumentError", "either size or scale_factor"),
        (lambda: F.interpolate(X, 2, mode="cubic"), "ArgumentError", "'nearest'.*'cubic'"),
        (lambda: F.interpolate(X, 2, mode="linear"), "ShapeError", r"\(N, C, L\), got"),
        (lambda: F.interpolate(X[0], 2, mode="bilinear"), "ShapeError", r"\(N, C, H, W\), got"),
        (lambda: F.interpolate(X, 2, align_corners=True), "ArgumentError", "align_corners"),
        (lambda: F.interpolate(X, scale_factor=-1), "ArgumentError", "positive number"),
        (lambda: F.interpolate(X, scale_factor=0.1), "ArgumentError", "at least one entry"),
        (lambda: F.interpolate(X, scale_factor=(1, 2, 3)), "ArgumentError", "2 spatial axes"),
        (lambda: F.interpolate(X, size=0), "ArgumentError", "size must be"),
        (lambda: F.interpolate(X[..., :0], size=2), "ShapeError", r"\(1, 2, 4, 0\)"),
    ],
)
def test_errors_say_what_to_write(call, kind, words):
    with pytest.raises(getattr(errors, kind), match=words):
        call()
