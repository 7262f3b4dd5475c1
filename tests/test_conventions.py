"""Where the field disagrees, this is what happens here; and dead positions stay dead.

The table under "Conventions" in CONTRIBUTING.md says it in words; every row of it has a test here.
"""

import re
from pathlib import Path

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


STEPS = "relu′(0), abs′(0); sign′, floor′, ceil′, trunc′, round′ anywhere"
CLIP = "clip at a bound"
EQUAL = "`maximum`, `minimum` of equal values"
TIES = "`max`, `min` over an axis with ties"
MEDIAN = "`median` of an even count"
SORT = "`sort`, `argsort`"
X_TO_0 = "`x**0`"
ZERO_TO_Y = "`0**y` for y ≥ 0; a negative base"
ROOT_LOG = "sqrt′(0), log′(0)"
NORM = "a norm of zeros, `hypot(0, 0)`, `std` of a constant"
HIDDEN = "NaN in `relu`, `clip`, `maximum`, `minimum`, `max`, `min`"
XLOGY = "`xlogy(0, y)`"
PROD = "`prod`, `cumulative_prod` with zeros"
SOFTMAX = "`logsumexp`, `softmax`, `log_softmax` with −∞"

GRADIENTS = [
    (STEPS, tg.relu, [-1.0, 0.0, 1.0], [0, 0, 1]),
    (STEPS, tg.abs, [-1.0, 0.0, 1.0], [-1, 0, 1]),
    (STEPS, tg.sign, [-1.0, 0.0, 1.5], [0, 0, 0]),
    (STEPS, tg.floor, [-1.0, 0.0, 1.5], [0, 0, 0]),
    (STEPS, tg.ceil, [-1.0, 0.0, 1.5], [0, 0, 0]),
    (STEPS, tg.trunc, [-1.0, 0.0, 1.5], [0, 0, 0]),
    (STEPS, tg.round, [-1.0, 0.0, 1.5], [0, 0, 0]),
    (CLIP, lambda x: x.clip(-1, 1), [-2.0, -1.0, 0.0, 1.0, 2.0], [0, 1, 1, 1, 0]),
    (CLIP, lambda x: x.clip(None, 1), [1.0, 2.0], [1, 0]),
    (EQUAL, lambda x: tg.maximum(x, x), [1.0, -2.0], [1, 1]),
    (EQUAL, lambda x: tg.minimum(x, x), [1.0, -2.0], [1, 1]),
    (EQUAL, lambda x: tg.maximum(x, np.zeros(3)), [-1.0, 0.0, 1.0], [0, 0.5, 1]),
    (EQUAL, lambda x: tg.minimum(x, np.zeros(3)), [-1.0, 0.0, 1.0], [1, 0.5, 0]),
    (TIES, tg.max, [3.0, 1.0, 3.0, 3.0], [1 / 3, 0, 1 / 3, 1 / 3]),
    (TIES, tg.min, [3.0, 1.0, 1.0], [0, 0.5, 0.5]),
    (TIES, lambda x: tg.max(x, axis=1), [[1.0, 1.0], [2.0, 1.0]], [[0.5, 0.5], [1, 0]]),
    (SORT, lambda x: tg.sort(x)[1], [2.0, 1.0, 2.0, 2.0], [1, 0, 0, 0]),
    (MEDIAN, tg.median, [4.0, 1.0, 3.0, 2.0], [0, 0, 0.5, 0.5]),
    (MEDIAN, tg.median, [4.0, 1.0, 3.0], [0, 0, 1]),
    (X_TO_0, lambda x: x**0, [0.0, 1.0, -2.0], [0, 0, 0]),
    (X_TO_0, lambda x: x**0.0, [0.0, 1.0, -2.0], [0, 0, 0]),
    (X_TO_0, lambda x: x**1, [0.0, -1.0], [1, 1]),
    (X_TO_0, lambda x: x**2, [0.0, -1.0], [0, -2]),
    (ZERO_TO_Y, lambda y: np.zeros(3) ** y, [0.0, 0.5, 2.0], [0, 0, 0]),
    (ZERO_TO_Y, lambda y: np.full(1, -2.0) ** y, [2.0], [NAN]),
    (ROOT_LOG, tg.sqrt, [0.0, 4.0], [INF, 0.25]),
    (ROOT_LOG, tg.log, [0.0, 4.0], [INF, 0.25]),
    (NORM, tg.std, [2.0, 2.0], [0, 0]),
    (NORM, lambda x: tg.std(x, axis=0), [[2.0, 1.0], [2.0, 3.0]], [[0, -0.5], [0, 0.5]]),
    (NORM, tg.linalg.norm, [0.0, 0.0], [0, 0]),
    (NORM, lambda x: tg.linalg.vector_norm(x, ord=3), [0.0, 0.0], [0, 0]),
    (NORM, lambda x: tg.linalg.norm(x, axis=1), [[0.0, 0.0], [3.0, 4.0]], [[0, 0], [0.6, 0.8]]),
    (NORM, lambda x: tg.hypot(x, 0 * x), [0.0, 2.0], [0, 1]),
    (HIDDEN, tg.relu, [NAN, -1.0], [1, 0]),
    (HIDDEN, lambda x: tg.clip(x, -1, 1), [NAN, -2.0], [1, 0]),
    (HIDDEN, lambda x: tg.maximum(x, np.zeros(2)), [NAN, -1.0], [1, 0]),
    (HIDDEN, lambda x: tg.minimum(x, np.zeros(2)), [NAN, 1.0], [1, 0]),
    (HIDDEN, tg.max, [NAN, 1.0], [1, 0]),
    (HIDDEN, tg.min, [NAN, 1.0], [1, 0]),
    (HIDDEN, lambda x: np.fmax(x, np.zeros(2)), [NAN, 1.0], [0, 1]),
    (HIDDEN, tg.nan_to_num, [NAN, 1.0], [0, 1]),
    (HIDDEN, np.nansum, [NAN, 1.0], [0, 1]),
    (XLOGY, lambda x: tg.xlogy(x, np.zeros(1)), [0.0], [0]),
    (XLOGY, lambda y: tg.xlogy(np.zeros(2), y), [0.0, 2.0], [0, 0]),
    (XLOGY, lambda p: -tg.xlogy(p, p), [1.0, 0.0], [-1, 0]),
    (PROD, tg.prod, [2.0, 0.0, 3.0], [0, 6, 0]),
    (PROD, tg.prod, [2.0, 0.0, 0.0], [0, 0, 0]),
    (PROD, lambda x: tg.cumulative_prod(x), [2.0, 0.0, 3.0], [1, 8, 0]),
    (SOFTMAX, lambda x: tg.softmax(x)[1], [1.0, -INF], [0, 0]),
    (SOFTMAX, tg.logsumexp, [1.0, -INF, 1.0], [0.5, 0, 0.5]),
    (SOFTMAX, tg.logsumexp, [-INF, -INF], [0, 0]),
    (SOFTMAX, lambda x: tg.softmax(x), [-INF, -INF], [0, 0]),
    (SOFTMAX, lambda x: tg.log_softmax(x), [-INF, -INF], [0, 0]),
    (SOFTMAX, lambda x: tg.log_softmax(x)[0], [1.0, -INF], [0, 0]),
]  # fmt: skip
TESTED = {row for row, *_ in GRADIENTS}


def convention(row):
    """Says that a test holds a row of the table."""
    TESTED.add(row)
    return lambda test: test


@pytest.mark.parametrize(("row", "f", "at", "expected"), GRADIENTS)
def test_gradients_at_special_points(row, f, at, expected):
    assert_allclose(gradient(f, at), expected, rtol=1e-14, atol=1e-15)


def test_every_row_of_the_table_has_a_test():
    text = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text()
    section = text.split("## Conventions")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \|", section, flags=re.MULTILINE)[1:]
    assert len(rows) > 20
    assert set(rows) == TESTED


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


@convention("`x**x` at 0")
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


@convention("Python floats outside the domain (`log(0)`, `1/0`, `exp(1000)`)")
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


@convention("empty arrays")
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


@convention("losses of different shapes")
def test_losses_want_equal_shapes():
    with pytest.raises(errors.ShapeError, match=r"\(4, 1\) and \(4,\)"):
        functional.mse_loss(tg.tensor(np.ones((4, 1))), np.ones(4))


@convention("max pooling with ties")
def test_max_pooling_takes_the_first_of_equal_entries():
    x = np.array([[[1.0, 3.0, 3.0, 0.0], [3.0, 2.0, 3.0, 3.0]]])
    slope = gradient(lambda x: functional.max_pool2d(x, 2), x)
    assert_array_equal(slope, [[[0, 1, 1, 0], [0, 0, 0, 0]]])
    below = gradient(lambda x: functional.max_pool2d(x, 2, padding=1), -np.ones((1, 2, 2)))
    assert_array_equal(below, np.ones((1, 2, 2)))  # padding counts as -inf, not as 0


@convention(SORT)
def test_sorting_is_stable():
    x = np.array([2.0, 1.0, 2.0, 1.0])
    assert_array_equal(tg.argsort(x), [1, 3, 0, 2])
    assert_array_equal(tg.argsort(x, descending=True), [0, 2, 1, 3])


@convention("`softplus`")
def test_softplus_is_linear_above_its_threshold():
    x = np.array([19.0, 21.0, 1000.0, -1000.0])
    assert_allclose(tg.softplus(x), [np.log1p(np.exp(19.0)), 21, 1000, 0], rtol=1e-14)
    assert_array_equal(gradient(tg.softplus, x)[1:], [1, 1, 0])


@convention("`var`, `std`")
def test_variance_divides_by_n():
    x = np.array([1.0, 3.0])
    assert tg.var(x) == tg.std(x) == 1.0
    assert tg.var(x, correction=1) == 2.0


@convention("dropout with p = 0, p = 1")
def test_dropout_of_nothing_and_of_everything():
    x = np.array([1.0, INF, NAN])
    assert_array_equal(functional.dropout(x, 0.0), x)
    assert_array_equal(functional.dropout(x, 1.0), 0)
    assert_array_equal(gradient(lambda x: functional.dropout(x, 1.0), x), 0)
    assert_array_equal(gradient(lambda x: functional.dropout(tg.sqrt(x), 1.0), [0.0]), 0)


@convention("input that does not influence the output")
def test_input_without_influence():
    x, y = (tg.tensor([1.0], requires_grad=True) for _ in range(2))
    (2 * x).sum().backward()
    assert y.grad is None
    assert tg.func.grad(lambda y: tg.sum(x.data))(np.ones(1)) == 0
    with pytest.raises(tg.TinygradError, match="allow_unused"):
        tg.autograd.grad((2 * x).sum(), [y])
    assert tg.autograd.grad((2 * x).sum(), [y], allow_unused=True) == (None,)


@convention("parameter without gradient")
def test_the_optimizer_skips_parameters_without_gradient():
    used, idle = (tg.nn.Parameter(np.ones(1, np.float32)) for _ in range(2))
    optimizer = tg.optim.SGD([used, idle], lr=0.1, weight_decay=0.5)
    used.sum().backward()
    optimizer.step()
    assert used.data < 1 and idle.data == 1


@convention("unsymmetric input of `eigh`, `cholesky`")
def test_symmetric_operations_read_the_symmetric_part():
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    for f in (tg.linalg.cholesky, lambda a: tg.linalg.eigh(a)[0]):
        slope = gradient(lambda a, f=f: f(a)[..., 0], a)
        assert_allclose(slope, slope.T)
    with pytest.raises(np.linalg.LinAlgError):
        tg.linalg.cholesky(np.array([[2.0, 1.0], [0.0, 3.0]]))


@convention("eigenvectors and singular vectors of equal values")
def test_vectors_of_equal_eigenvalues_have_no_gradient_but_the_values_have():
    assert_allclose(gradient(lambda a: tg.linalg.eigvalsh(a).sum(), np.eye(3)), np.eye(3))
    assert_allclose(gradient(lambda a: tg.linalg.eigh(a)[0].sum(), np.eye(3)), np.eye(3))
    assert np.isnan(gradient(lambda a: tg.linalg.eigh(a)[1], np.eye(3))).any()


# Dead positions: cut off, so that no derivative there counts, however large.


@convention("positions that `where`, indexing or a mask cut off")
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
