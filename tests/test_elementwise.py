"""Elementwise functions: values against SciPy, special values, and positions that are cut off."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special

import tinygrad_cs as tg
from tinygrad_cs.ops.elementwise.bessel import spherical_bessel

INF, NAN = np.inf, np.nan
EPS = np.finfo(float).eps


def gradient(f, *points):
    """The gradient of f at scalars and at arrays, which have to agree."""
    scalars = [tg.Scalar(p) for p in points]
    tensors = [tg.tensor(np.float64(p), requires_grad=True) for p in points]
    with np.errstate(all="ignore"):
        f(*scalars).backward()
        f(*tensors).backward()
    for s, t in zip(scalars, tensors, strict=True):
        assert_array_equal(s.grad, t.grad)
    grads = [s.grad for s in scalars]
    return grads[0] if len(grads) == 1 else grads


# The error function


@pytest.mark.parametrize("size", [200, 20_000])
@pytest.mark.parametrize("reach", [1e-300, 1e-3, 0.75, 0.8, 3.0, 30.0])
def test_erf_is_good_to_the_last_digits(size, reach):
    """In small arrays entry by entry, in large ones by the series and the polynomial."""
    x = np.random.default_rng(0).uniform(-reach, reach, size)
    exact = np.array([math.erf(v) for v in x])
    assert_allclose(tg.erf(x), exact, rtol=3 * EPS)
    single = x.astype(np.float32)
    ours = tg.erf(single)
    assert ours.dtype == np.float32
    assert_allclose(ours, special.erf(single.astype(float)), rtol=1e-7, atol=1e-45)


def test_erf_where_the_two_formulas_meet_and_beyond():
    x = np.concatenate([np.linspace(0.7499, 0.7501, 999), np.linspace(5.5, 6.5, 999)])
    x = np.concatenate([x, -x, [0.0, INF, -INF]])
    assert_allclose(tg.erf(x), [math.erf(v) for v in x], rtol=3 * EPS)
    many = np.full(1000, NAN)
    assert np.isnan(tg.erf(many)).all() and np.isnan(tg.erfc(many)).all()
    assert np.signbit(tg.erf(np.full(1000, -0.0))).all()
    assert tg.erf(np.arange(3)).dtype == np.float64


def test_erf_of_any_layout_is_erf_of_its_entries():
    x = np.random.default_rng(0).normal(size=(40, 30))
    for view in (x.T, x[::-1, ::2], np.asfortranarray(x)):
        assert_array_equal(tg.erf(view), tg.erf(np.ascontiguousarray(view)))


def test_erfc_has_its_digits_in_the_tail():
    x = np.linspace(-7, 26, 500)
    assert_allclose(tg.erfc(x), [math.erfc(v) for v in x], rtol=1e-15)
    assert tg.erfc(np.float32([30.0]))[0] == 0


# sinc


def test_sinc_is_smooth_at_zero():
    """sinc = 1 - (pi x)^2 / 6 + (pi x)^4 / 120 - ..."""
    derivative, expected = tg.sinc, [1, 0, -(np.pi**2) / 3, 0, np.pi**4 / 5, 0]
    for value in expected:
        assert_allclose(derivative(0.0), value, rtol=1e-14, atol=1e-15)
        derivative = tg.func.grad(derivative)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4])
def test_derivatives_of_sinc_are_spherical_bessel_functions(n):
    x = np.concatenate([np.geomspace(1e-12, 4, 400), np.linspace(0.2, 2, 400)])
    exact = special.spherical_jn(n, np.pi * x)
    assert_allclose(spherical_bessel(x, n), exact, rtol=1e-13, atol=1e-15)
    assert_allclose(spherical_bessel(-x, n), (-1) ** n * exact, rtol=1e-13, atol=1e-15)
    assert spherical_bessel(np.float32(x), n).dtype == np.float32
    assert_allclose([spherical_bessel(float(v), n) for v in x], exact, rtol=1e-13, atol=1e-15)


# Overflow


X = np.array([-1e5, -800.0, -40.0, -1.0, 0.0, 1e-20, 1.0, 19.0, 40.0, 800.0, 1e5])


@pytest.mark.parametrize(
    ("ours", "value", "slope"),
    [
        (tg.sigmoid, special.expit, lambda x: special.expit(x) * special.expit(-x)),
        (tg.logsigmoid, special.log_expit, lambda x: special.expit(-x)),
        (tg.softplus, lambda x: -special.log_expit(-x), special.expit),
        (lambda x: tg.logaddexp(x, 0), lambda x: np.logaddexp(x, 0), special.expit),
    ],
)
def test_logistic_functions_neither_overflow_nor_lose_digits(ours, value, slope):
    """Errors of NumPy's floats would be warnings, and warnings are errors here."""
    assert_allclose(ours(X), value(X), rtol=1e-9)
    t = tg.tensor(X, requires_grad=True)
    ours(t).sum().backward()
    assert_allclose(t.grad, slope(X), rtol=1e-8, atol=1e-16)
    assert_allclose([ours(float(x)) for x in X], ours(X), rtol=1e-15)


def test_softplus_is_linear_above_its_threshold():
    x = np.array([19.0, 21.0])
    assert tg.softplus(x)[1] == 21.0 and tg.softplus(x)[0] > 19.0
    assert tg.softplus(x, beta=0.5)[1] > 21.0
    assert tg.softplus(x, threshold=30.0)[1] > 21.0
    assert gradient(tg.softplus, 21.0) == 1.0


def test_logaddexp_of_infinities():
    assert gradient(tg.logaddexp, -INF, -INF) == [0, 0]
    assert gradient(tg.logaddexp, INF, 0.0) == [1, 0]
    assert gradient(tg.logaddexp, -INF, 0.0) == [0, 1]


# Conventions


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (tg.cosh, 0.0, 0.0),
        (tg.log1p, -1.0, INF),
        (tg.log2, 0.0, INF),
        (tg.log10, 0.0, INF),
        (tg.reciprocal, 0.0, -INF),
        (tg.asin, 1.0, INF),
        (tg.acos, -1.0, -INF),
        (tg.acosh, 1.0, INF),
        (tg.atanh, 1.0, INF),
        (tg.acosh, 0.5, NAN),
        (tg.asin, 2.0, NAN),
        (tg.sign, 0.0, 0.0),
        (lambda x: tg.copysign(x, -1.0), 2.0, -1.0),
        (lambda x: tg.copysign(x, -1.0), -2.0, 1.0),
        (lambda x: tg.copysign(x, -1.0), 0.0, 0.0),
        (lambda x: np.cbrt(x), 0.0, INF),
        (lambda x: np.heaviside(x, 0.5), 0.0, 0.0),
        (lambda x: np.heaviside(0.0, x), 0.5, 1.0),
        (lambda x: tg.round(x), 0.5, 0.0),
        (lambda x: np.rint(x), 1.5, 0.0),
        # a NaN never ends in a gradient of 0 that looks like any other
        (tg.relu, NAN, 1.0),
        (lambda x: tg.clip(x, -1, 1), NAN, 1.0),
        (lambda x: tg.maximum(x, 0.0), NAN, 1.0),
        (lambda x: tg.minimum(x, NAN), 0.0, 1.0),
        (tg.abs, NAN, NAN),
        # but these pass over it on purpose
        (lambda x: np.fmax(x, NAN), 0.0, 1.0),
        (lambda x: np.fmax(x, 0.0), NAN, 0.0),
        (lambda x: np.fmin(x, 1.0), 1.0, 0.5),
        (tg.nan_to_num, NAN, 0.0),
        (tg.nan_to_num, -INF, 0.0),
        (tg.nan_to_num, 2.0, 1.0),
    ],
)
def test_gradients_at_special_points(f, at, expected):
    assert_array_equal(gradient(f, at), expected)


def test_gradients_of_pairs_at_special_points():
    assert gradient(tg.hypot, 0.0, 0.0) == [0, 0]
    assert gradient(tg.hypot, 3.0, 4.0) == [0.6, 0.8]
    assert np.isnan(gradient(tg.atan2, 0.0, 0.0)).all()
    assert gradient(tg.atan2, 0.0, -1.0) == [-1, 0]
    assert gradient(tg.xlogy, 0.0, 0.0) == [0, 0]
    assert gradient(tg.xlogy, 0.0, 4.0) == [math.log(4), 0]
    assert gradient(tg.xlogy, 2.0, 0.0) == [-INF, INF]
    assert tg.xlogy(0.0, -1.0) == 0 and np.isnan(tg.xlogy(0.0, NAN))
    assert tg.func.grad(tg.func.grad(tg.xlogy, 0), 1)(0.0, 4.0) == 0.25
    assert tg.func.grad(tg.func.grad(tg.hypot))(0.0, 0.0) == 0


def test_the_remainder_of_a_quotient_just_below_a_whole_number():
    """The quotient rounds to 5, but b goes into a only four times."""
    a, b = 1.99, 0.398
    assert a / b == 5 and math.fmod(a, b) > 0.397
    assert gradient(lambda a, b: np.fmod(a, b), a, b) == [1, -4]
    assert gradient(tg.remainder, a, b) == [1, -4]
    assert gradient(lambda a, b: np.fmod(a, b), -a, b) == [1, 4]


def test_steps_cut_off_what_they_round():
    for step in (tg.floor, tg.ceil, tg.trunc, tg.round, tg.sign, lambda x: x // 1.0):
        x = tg.tensor([0.0, 4.0], requires_grad=True)
        (step(tg.sqrt(x)) + x).sum().backward()
        assert_array_equal(x.grad, [1, 1])


def test_rounding_keeps_the_sign_of_zero_and_takes_decimals():
    for step in (tg.floor, tg.ceil, tg.trunc, tg.round):
        for x in (-0.0, 0.0, -0.3, 0.3, -2.5, INF, NAN):
            ours, array = step(x), step(np.array([x]))[0]
            assert_array_equal(ours, array)
            assert math.copysign(1, ours) == math.copysign(1, array)
    assert_array_equal(tg.round(np.array([0.5, 1.5, 2.25])), [0, 2, 2])
    assert_allclose(tg.tensor([1.26, -1.24]).round(1).data, [1.3, -1.2], rtol=1e-7)


def test_nan_to_num_replaces():
    x = tg.tensor(np.array([NAN, INF, -INF, 1.0]), requires_grad=True)
    y = tg.nan_to_num(x, nan=5.0, posinf=6.0, neginf=7.0)
    assert_array_equal(y.data, [5, 6, 7, 1])
    (y * y).sum().backward()
    assert_array_equal(x.grad, [0, 0, 0, 2])
    largest = np.finfo(np.float32).max
    assert_array_equal(tg.nan_to_num(np.float32([INF, -INF])), [largest, -largest])
    assert_array_equal(np.nan_to_num(x, nan=5.0).data[0], 5)


def test_reciprocal_of_integers_is_no_integer():
    assert_allclose(tg.reciprocal(np.array([2, 4])), [0.5, 0.25])
    assert_allclose(np.reciprocal(tg.tensor([2, 4])).data, [0.5, 0.25])


def test_many_entries_are_selected_as_few_are():
    """Above a thousand entries `where` works on bits."""
    rng = np.random.default_rng(0)
    for dtype in (np.float16, np.float32, np.float64):
        a, b = rng.normal(size=(2, 60, 50)).astype(dtype)
        a[::7], a[::5], b[::3], b[1::3] = NAN, INF, NAN, -INF
        for condition in (rng.random(a.shape) > 0.5, (rng.random(a.shape) > 0.5).T.copy().T):
            for x, y in ((a, b), (a, 0), (0, b), (a, 1.5), (a.T.copy().T, b), (a, b[:, ::-1]),
                         (a[0], 0), (0, b[:, :1]), (a[2], b[2]), (a[0], b)):  # fmt: skip
                for c in (condition, condition[:, ::-1]):
                    ours = tg.where(c, x, y)
                    assert ours.dtype == dtype
                    assert_array_equal(ours, np.where(c, x, y))
    assert tg.where(np.ones(5000, bool), np.float32(1), np.zeros(5000)).dtype == np.float64


def test_where_of_a_condition_alone_says_where():
    x = tg.tensor([[0.0, 1.0], [2.0, 0.0]], requires_grad=True)
    for rows, columns in (tg.where(x > 0), np.where(x), tg.nonzero(x), x.nonzero()):
        assert_array_equal(rows, [0, 1])
        assert_array_equal(columns, [1, 0])
