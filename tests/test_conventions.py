"""Where the field disagrees, this is what happens here; and dead positions stay dead."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.engine import errors
from tinygrad_cs.nn import functional

INF, NAN = np.inf, np.nan


def gradient(f, *arrays, dtype="float64"):
    """The gradients of the sum of f, twice: plain, and by a recorded pass."""
    leaves = [tg.tensor(np.array(a, dtype=dtype), requires_grad=True) for a in arrays]
    with np.errstate(all="ignore"):
        out = f(*leaves)
        total = out.sum() if out.ndim else out
        total.backward(retain_graph=True)
        again = tg.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
    for leaf, g in zip(leaves, again, strict=True):
        assert_array_equal(leaf.grad, g.data)
    results = [leaf.grad for leaf in leaves]
    return results[0] if len(results) == 1 else results


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (tg.relu, [-1.0, 0.0, 1.0], [0, 0, 1]),
        (tg.abs, [-1.0, 0.0, 1.0], [-1, 0, 1]),
        (lambda x: x.clip(-1, 1), [-2.0, -1.0, 0.0, 1.0, 2.0], [0, 1, 1, 1, 0]),
        (lambda x: x.clip(None, 1), [1.0, 2.0], [1, 0]),
        (lambda x: tg.maximum(x, x), [1.0, -2.0], [1, 1]),
        (lambda x: tg.minimum(x, x), [1.0, -2.0], [1, 1]),
        (lambda x: tg.maximum(x, np.zeros(3)), [-1.0, 0.0, 1.0], [0, 0.5, 1]),
        (lambda x: tg.minimum(x, np.zeros(3)), [-1.0, 0.0, 1.0], [1, 0.5, 0]),
        (tg.max, [3.0, 1.0, 3.0, 3.0], [1 / 3, 0, 1 / 3, 1 / 3]),
        (tg.min, [3.0, 1.0, 1.0], [0, 0.5, 0.5]),
        (lambda x: tg.max(x, axis=1), [[1.0, 1.0], [2.0, 1.0]], [[0.5, 0.5], [1, 0]]),
        (lambda x: x**0, [0.0, 1.0, -2.0], [0, 0, 0]),
        (lambda x: x**0.0, [0.0, 1.0, -2.0], [0, 0, 0]),
        (lambda x: x**1, [0.0, -1.0], [1, 1]),
        (lambda x: x**2, [0.0, -1.0], [0, -2]),
        (lambda y: np.zeros(3) ** y, [0.0, 0.5, 2.0], [0, 0, 0]),
        (lambda y: np.full(1, -2.0) ** y, [2.0], [NAN]),
        (tg.sqrt, [0.0, 4.0], [INF, 0.25]),
        (tg.log, [0.0, 4.0], [INF, 0.25]),
        (tg.std, [2.0, 2.0], [0, 0]),
        (lambda x: tg.std(x, axis=0), [[2.0, 1.0], [2.0, 3.0]], [[0, -0.5], [0, 0.5]]),
        (lambda x: tg.softmax(x)[1], [1.0, -INF], [0, 0]),
        (tg.logsumexp, [1.0, -INF, 1.0], [0.5, 0, 0.5]),
        (tg.logsumexp, [-INF, -INF], [0, 0]),
        (lambda x: tg.softmax(x), [-INF, -INF], [0, 0]),
        (lambda x: tg.log_softmax(x), [-INF, -INF], [0, 0]),
        (lambda x: tg.log_softmax(x)[0], [1.0, -INF], [0, 0]),
    ],
)  # fmt: skip
def test_gradients_at_special_points(f, at, expected):
    assert_allclose(gradient(f, at), expected, rtol=1e-14, atol=1e-15)


def test_values_at_special_points():
    with np.errstate(all="ignore"):
        assert_array_equal(tg.tensor([0.0, 2.0]).data ** 0, [1, 1])
        assert tg.power(0.0, 0.0) == 1.0
        assert tg.logsumexp(tg.tensor([-INF, -INF])).item() == -INF
        assert_array_equal(tg.softmax(tg.tensor([-INF, -INF])).data, [0, 0])
        assert_array_equal(tg.log_softmax(tg.tensor([-INF, -INF])).data, [-INF, -INF])
        assert_allclose(tg.softmax(tg.tensor([0.0, -INF, 0.0])).data, [0.5, 0, 0.5])
        assert_allclose(tg.logsumexp(tg.tensor([INF, 1.0])).item(), INF)
    assert_allclose(tg.logsumexp(tg.tensor([1e4, 1e4])).item(), 1e4 + np.log(2))
    assert tg.sigmoid(tg.tensor([-1e4, 1e4])).data.tolist() == [0, 1]
    x = np.array([1.0, 3.0])
    assert tg.var(tg.tensor(x)).item() == 1.0 and tg.std(tg.tensor(x)).item() == 1.0


def test_power_of_two_tensors_at_zero_base():
    dx, dy = gradient(lambda x, y: x**y, [0.0, 0.0, 0.0], [2.0, 1.0, 0.0])
    assert_array_equal(dx, [0, 1, 0])
    assert_array_equal(dy, [0, 0, 0])


def test_x_to_the_x_at_zero_has_no_finite_gradient():
    slope = gradient(lambda x: x**x, [0.0])
    assert np.isnan(slope[0]) or slope[0] == -INF


def test_many_ties_are_counted_beyond_float16():
    """Adding one by one, as down a column, float16 stops at 2048."""
    slope = gradient(lambda x: tg.max(x, axis=0), np.ones((4096, 2)), dtype="float16")
    assert_array_equal(slope, np.full((4096, 2), 1 / 4096, "float16"))


def test_second_order_at_special_points():
    for f, at in ((tg.relu, 0.0), (tg.abs, 0.0), (lambda x: x**1, 0.0), (lambda x: x**0, 0.0)):
        assert tg.func.grad(tg.func.grad(f))(at) == 0.0
    assert tg.func.grad(tg.func.grad(lambda x: x**2))(0.0) == 2.0


def test_python_floats_outside_the_domain_follow_ieee():
    s = tg.Scalar
    assert tg.log(s(0.0)).data == -INF
    assert (s(1.0) / s(0.0)).data == INF and (1 / s(-0.0)).data == -INF
    assert tg.exp(s(1000.0)).data == INF and (s(10.0) ** 400).data == INF
    assert np.isnan(tg.sqrt(s(-1.0)).data) and np.isnan((s(0.0) / s(0.0)).data)
    x = s(0.0)
    (tg.sqrt(x) * 2).backward()
    assert x.grad == INF
    x = s(0.0)
    (1 / x).backward()
    assert x.grad == -INF


def test_empty_arrays():
    x = tg.tensor(np.zeros((0, 3)), requires_grad=True)
    assert x.sum().item() == 0.0
    (x @ np.ones((3, 2))).sum().backward()
    assert x.grad.shape == (0, 3)
    with pytest.raises(ValueError, match="zero-size"):
        tg.max(x)
    assert tg.concat([x, np.ones((1, 3))]).shape == (1, 3)


def test_python_numbers_are_weak_and_gradients_keep_dtype():
    for dtype in ("float16", "float32", "float64"):
        x = tg.tensor(np.ones(2, dtype), requires_grad=True)
        y = ((2 * x + 1) ** 2 / 3 - 1.5).mean()
        y.backward()
        assert y.dtype == x.grad.dtype == dtype


def test_losses_want_equal_shapes():
    with pytest.raises(errors.ShapeError, match=r"\(4, 1\) and \(4,\)"):
        functional.mse_loss(tg.tensor(np.ones((4, 1))), np.ones(4))


# Dead positions: cut off, so that no derivative there counts, however large.


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (lambda x: tg.where(x > 0, tg.sqrt(x), 0), [0.0, 4.0], [0, 0.25]),
        (lambda x: tg.where(x > 0, tg.log(x), x), [0.0, 4.0], [1, 0.25]),
        (lambda x: tg.where(x > 0, 1 / x, 0), [0.0, 2.0], [0, -0.25]),
        (lambda x: tg.where(x <= 0, 0, tg.sqrt(x)), [0.0, 4.0], [0, 0.25]),
        # marks pass through elementwise operations, of one operand or several
        (lambda x: tg.where(x > 0, 3 * tg.sqrt(x) + x, 0), [0.0, 4.0], [0, 1.75]),
        (lambda x: tg.where(x > 0, tg.sqrt(x) * tg.sqrt(x), 0), [0.0, 4.0], [0, 1]),
        (lambda x: tg.where(x > 0, tg.exp(tg.log(x)), 0), [0.0, 4.0], [0, 1]),
        # and through what moves data
        (lambda x: tg.where(x.T > 0, tg.sqrt(x).T, 0), [[0.0, 4.0]], [[0, 0.25]]),
        (lambda x: tg.where(x > 0, tg.sqrt(x.reshape(-1)).reshape(1, 2), 0), [[0.0, 4.0]],
         [[0, 0.25]]),
        (lambda x: tg.where(np.array([False, True]), tg.sqrt(x[::-1]), 0), [4.0, 0.0], [0.25, 0]),
        (lambda x: tg.where([True, False, True],
                            tg.concat([tg.sqrt(x[1:]), tg.sqrt(x)]), 0), [0.0, 4.0], [0, 0.5]),
        (lambda x: tg.stack([tg.sqrt(x), x])[1], [0.0, 4.0], [1, 1]),
        (lambda x: tg.broadcast_to(tg.sqrt(x), (3, 2))[:, 1], [0.0, 4.0], [0, 0.75]),
        # indexing and masks cut
        (lambda x: tg.sqrt(x)[1:], [0.0, 4.0], [0, 0.25]),
        (lambda x: tg.sqrt(x)[x > 0], [0.0, 4.0], [0, 0.25]),
        (lambda x: tg.sqrt(x)[[1, 1]], [0.0, 4.0], [0, 0.5]),
        # so do clip, relu, maximum, minimum, max, min
        (lambda x: tg.log(x).clip(-10, 10), [0.0, 4.0], [0, 0.25]),
        (lambda x: tg.relu(tg.log(x)), [0.0, 4.0], [0, 0.25]),
        (lambda x: tg.maximum(tg.log(x), 0), [0.0, 4.0], [0, 0.25]),
        (lambda x: tg.minimum(-tg.log(x), 0), [0.0, 4.0], [0, -0.25]),
        (lambda x: tg.max(tg.sqrt(x)), [0.0, 4.0], [0, 0.25]),
        (lambda x: tg.min(-tg.sqrt(x)), [0.0, 4.0], [0, -0.25]),
        (lambda x: tg.max(tg.sqrt(x), axis=0), [[0.0, 4.0], [4.0, 0.0]], [[0, 0.25], [0.25, 0]]),
        # cut twice
        (lambda x: tg.where(x > 0, tg.sqrt(x), 0)[1:], [0.0, 4.0], [0, 0.25]),
        (lambda x: tg.where(x < 5, tg.where(x > 0, tg.sqrt(x), 0), x), [0.0, 4.0, 9.0],
         [0, 0.25, 1]),
        # dead only if all consumers agree
        (lambda x: (lambda r: tg.where(x > 0, r, 0) + tg.where(x > 5, r, 0))(tg.sqrt(x)),
         [0.0, 4.0, 9.0], [0, 0.25, 1 / 3]),
        (lambda x: (lambda r: tg.where(x > 0, r, r))(tg.sqrt(x)), [0.0, 4.0], [INF, 0.25]),
        (lambda x: (lambda r: tg.where(x > 0, r, 0) + r[::-1])(tg.sqrt(x)), [0.0, 4.0],
         [INF, 0.5]),
    ],
)  # fmt: skip
def test_dead_positions(f, at, expected):
    assert_allclose(gradient(f, at), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (lambda x: tg.sqrt(x) ** 2, [0.0], [NAN]),
        (lambda x: tg.sqrt(x) * 0, [0.0], [NAN]),
        (lambda x: tg.sqrt(x) * (x > 0), [0.0, 4.0], [NAN, 0.25]),
        (lambda x: tg.where(x >= 0, tg.sqrt(x), 0), [0.0, 4.0], [INF, 0.25]),
        # a sum mixes positions: the mark before it says nothing of those after
        (lambda x: tg.where(np.array(True), tg.sqrt(x).sum(), 0), [0.0, 4.0], [INF, 0.25]),
        (lambda x: tg.log(tg.where(x > 0, x, 0)), [0.0, 4.0], [0, 0.25]),
    ],
)
def test_zero_by_value_is_not_dead(f, at, expected):
    """A cotangent that happens to be zero, times an infinite derivative, is not known to be 0."""
    assert_allclose(gradient(f, at), expected, rtol=1e-14)


def test_dead_scalars():
    x = tg.Scalar(0.0)
    tg.where(x > 0, tg.sqrt(x), 0.0).backward()
    assert x.grad == 0.0
    x = tg.Scalar(0.0)
    (tg.relu(tg.log(x)) + x).backward()
    assert x.grad == 1.0


def test_broadcast_operands_of_dead_positions():
    """A scalar spread over dead and living positions gets what the living ones send."""
    s = tg.Scalar(4.0)
    x = tg.tensor([0.0, 1.0], requires_grad=True)
    tg.where(x > 0, tg.sqrt(s * x), 0).sum().backward()
    assert_allclose(s.grad, 0.25)
    assert_allclose(x.grad, [0, 1])
    w = tg.tensor([[0.0, 4.0]], requires_grad=True)
    tg.where(np.array([[False, True], [False, False]]), tg.sqrt(w), 0).sum().backward()
    assert_allclose(w.grad, [[0, 0.25]])


def test_dead_positions_in_higher_order_and_forward_mode():
    def f(x):
        return tg.where(x > 0, tg.sqrt(x), 0).sum()

    x = np.array([0.0, 4.0])
    with np.errstate(all="ignore"):
        assert_allclose(tg.func.hessian(f)(x), [[0, 0], [0, -1 / 32]])
        assert_allclose(tg.func.jvp(f, (x,), (np.ones(2),))[1], 0.25)
        assert_allclose(tg.func.hvp(f, x, np.ones(2)), [0, -1 / 32])


def test_dead_positions_do_not_trip_debug():
    x = tg.tensor([0.0, 4.0], requires_grad=True)
    with tg.debug():
        tg.where(x > 0, tg.sqrt(x), 0).sum().backward()
    assert_allclose(x.grad, [0, 0.25])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("order", ["C", "F", "reversed"])
def test_masking_many_entries_is_where(dtype, order):
    """Large arrays are masked by bits: the same values, NaN and infinity cut off alike."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(64, 33)).astype(dtype)
    values[::7] = np.nan
    values[::5] = np.inf
    condition = rng.random(values.shape) > 0.5
    if order == "F":
        values = np.asfortranarray(values)
    elif order == "reversed":
        values, condition = values[::-1, ::2], condition[::-1, ::2]
    result = tg.where(condition, values, 0)
    assert result.dtype == values.dtype
    assert_array_equal(result, np.where(condition, values, np.zeros((), dtype)))
