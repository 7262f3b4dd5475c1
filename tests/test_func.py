"""`tg.func`: derivatives as functions of functions, on floats, arrays, nodes and nested tuples."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.autograd.func import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from tinygrad_cs.engine import errors

RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 3))
V, W = RNG.normal(size=3), RNG.normal(size=3)


def quartic(x):
    return (x @ A @ x) ** 2


def test_derivatives_of_any_order_on_floats():
    f = lambda x: tg.sin(x) * x  # noqa: E731
    x, orders = 0.7, [f]
    for _ in range(5):
        orders.append(grad(orders[-1]))
    s, c = math.sin(x), math.cos(x)
    expected = [x * s, s + x * c, 2 * c - x * s, -3 * s - x * c, -4 * c + x * s, 5 * s + x * c]
    assert_allclose([d(x) for d in orders], expected, rtol=1e-13)
    assert all(type(d(x)) is float for d in orders[1:])


@pytest.mark.parametrize("one", [1.0, np.array(1.0), tg.Scalar(1.0), tg.tensor(1.0)])
def test_perturbations_are_not_confused(one):
    """d/dx (x d/dy (x + y)) = 1, in every mixture of modes."""

    def reverse(f):
        return grad(f)

    def forward(f):
        return lambda x: jvp(f, (x,), (np.ones_like(np.asarray(tg_value(x))),))[1]

    for outer in (reverse, forward):
        for inner in (reverse, forward):
            d = outer(lambda x, inner=inner: x * inner(lambda y: x + y)(one))
            assert float(tg_value(d(one))) == 1.0
            # d/dx (x d/dy (x y^2)) = d/dx (2 x^2 y) = 4 x y
            e = outer(lambda x, inner=inner: x * inner(lambda y: x * y * y)(one))
            assert float(tg_value(e(one))) == 4.0


def tg_value(x):
    return x.data if isinstance(x, (tg.Tensor, tg.Scalar)) else x


@pytest.mark.parametrize("x", [2.0, np.array(2.0), tg.Scalar(2.0), tg.tensor(2.0)])
def test_results_are_of_the_kind_that_was_given(x):
    kind = type(x)
    f = lambda v: v * v * v  # noqa: E731
    value, slope = value_and_grad(f)(x)
    assert (type(value), type(slope)) == (kind, kind)
    assert (float(tg_value(value)), float(tg_value(slope))) == (8.0, 12.0)
    assert type(grad(grad(f))(x)) is kind
    value, tangent = jvp(f, (x,), (x,))
    assert (type(value), type(tangent)) == (kind, kind)
    value, pull = vjp(f, x)
    assert (type(value), type(pull(x)[0])) == (kind, kind)


def test_argnums():
    f = lambda x, y, z=1.0: x * y * y * z  # noqa: E731
    assert grad(f)(2.0, 3.0) == 9.0
    assert grad(f, 1)(2.0, 3.0) == 12.0
    assert grad(f, -1)(2.0, 3.0) == 12.0
    assert grad(f, (1, 0))(2.0, 3.0, z=10.0) == (120.0, 90.0)
    assert value_and_grad(f, (0,))(2.0, 3.0) == (18.0, (9.0,))
    with pytest.raises(errors.ArgumentError, match="argnums 2 with 2 positional"):
        grad(f, 2)(2.0, 3.0)


def test_an_argument_without_influence_has_derivative_zero():
    dx, dy = grad(lambda x, y: (x * 2).sum(), (0, 1))(V, W)
    assert_array_equal(dx, [2, 2, 2])
    assert_array_equal(dy, [0, 0, 0])
    assert grad(lambda x: 3.0)(1.0) == 0.0
    assert jvp(lambda x: 3.0, (1.0,), (1.0,))[1] == 0.0
    assert_array_equal(jacobian(lambda x: x[:1] * 0 + 1.0)(V), [[0, 0, 0]])


def test_nested_structures():
    params = {"layer": (V, 2.0), "more": [A]}
    gradient = grad(lambda p: (p["more"][0] @ p["layer"][0]).sum() * p["layer"][1])(params)
    assert list(gradient) == ["layer", "more"] and type(gradient["layer"]) is tuple
    assert_allclose(gradient["layer"][0], 2 * A.sum(0))
    assert_allclose(gradient["layer"][1], (A @ V).sum())
    assert_allclose(gradient["more"][0], 2 * np.outer(np.ones(3), V))


def test_vjp_and_jvp_of_several_outputs():
    def f(x, y):
        return x * y, {"sum": x.sum()}

    value, pull = vjp(f, V, W)
    assert_allclose(value[0], V * W)
    dx, dy = pull(np.ones(3), {"sum": 10.0})
    assert_allclose(dx, W + 10)
    assert_allclose(dy, V)
    assert_allclose(pull(np.zeros(3), {"sum": 1.0})[0], np.ones(3), err_msg="pulled again")
    _, tangent = jvp(f, (V, W), (np.ones(3), np.zeros(3)))
    assert_allclose(tangent[0], W)
    assert_allclose(tangent[1]["sum"], 3.0)
    with pytest.raises(errors.ArgumentError, match="2 outputs need as many cotangents, got 1"):
        pull(np.ones(3))


@pytest.mark.parametrize(("n", "m"), [(2, 4), (4, 2), (3, 3)])
def test_jacobian_in_both_modes(n, m):
    """Few inputs: forward mode; few outputs: reverse mode; the same matrix."""
    B, x = RNG.normal(size=(m, n)), RNG.normal(size=n)
    assert_allclose(jacobian(lambda v: tg.tanh(B @ v))(x), B / np.cosh(B @ x)[:, None] ** 2)


def test_shapes_of_jacobians():
    x = RNG.normal(size=(2, 3))
    J = jacobian(lambda v: v.T @ v)(x)
    assert J.shape == (3, 3, 2, 3)
    numeric = np.zeros(J.shape)
    for i in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[i] = 1
        numeric[(..., *i)] = e.T @ x + x.T @ e
    assert_allclose(J, numeric, atol=1e-14)
    assert jacobian(lambda s: s * V)(2.0).shape == (3,)
    assert jacobian(lambda s: s * s)(2.0) == 4.0
    assert jacobian(lambda v: v.sum())(V).shape == (3,)
    assert jacobian(lambda v: v[:0])(V).shape == (0, 3)
    assert jacobian(lambda v: v * 2)(np.zeros(0)).shape == (0, 0)


def test_hessian_and_its_product():
    S = A + A.T
    expected = 2 * np.outer(S @ V, S @ V) + 2 * (V @ A @ V) * S
    H = hessian(quartic)(V)
    assert_allclose(H, expected, rtol=1e-12)
    assert_allclose(hvp(quartic, V, W), expected @ W, rtol=1e-12)
    by_x, by_y = hvp(lambda x, y: x * x * y, (2.0, 3.0), (1.0, 10.0))
    assert (by_x, by_y) == (2 * 3 * 1 + 2 * 2 * 10, 2 * 2 * 1)
    assert hessian(lambda x: x**3)(2.0) == 12.0


def test_closures_are_differentiated_by_what_is_outside():
    x = tg.tensor(V, requires_grad=True)
    inner = grad(lambda y: (y * y * x).sum())(tg.tensor(W))  # 2 W x
    (inner * inner).sum().backward()
    assert_allclose(x.grad, 8 * W * W * V)
    s = tg.Scalar(3.0)
    slope = grad(lambda y: y * y * s)(tg.Scalar(2.0))
    slope.backward()
    assert s.grad == 4.0


def test_tangents_can_be_differentiated_by():
    t = tg.tensor(W, requires_grad=True)
    _, tangent = jvp(lambda v: tg.sin(v), (tg.tensor(V),), (t,))
    tangent.sum().backward()
    assert_allclose(t.grad, np.cos(V))


def test_gradients_of_arguments_that_are_leaves_stay_out_of_grad():
    x = tg.tensor(V, requires_grad=True)
    g = grad(lambda v: (v**3).sum())(x)
    assert x.grad is None and g.requires_grad
    (second,) = tg.autograd.grad(g.sum(), x)
    assert_allclose(second.data, 6 * V)


def test_inside_no_grad():
    with tg.no_grad():
        assert grad(grad(lambda x: x**3))(2.0) == 12.0
        x = tg.tensor(V, requires_grad=True)
        assert not grad(lambda v: (v * v).sum())(x).requires_grad


def test_the_callers_data_is_not_touched():
    x = V.copy()
    grad(quartic)(x)
    hessian(quartic)(x)
    assert_array_equal(x, V)


def test_dtype_follows_the_argument():
    x = V.astype(np.float32)
    assert grad(lambda v: (v * 2.5).sum())(x).dtype == np.float32
    assert hessian(lambda v: (v**3).sum())(x).dtype == np.float32
    assert jvp(lambda v: v * 2, (x,), (V,))[1].dtype == np.float32


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: grad(lambda x: x * 2)(V), errors.ShapeError, r"one number, got shape \(3,\)"),
        (lambda: grad(lambda x: x)(np.array([1])), errors.DTypeError, "floating, got int64"),
        (lambda: grad(lambda x: x)("a"), errors.DTypeError, "strings"),
        (lambda: jvp(lambda x: x, (V,), (W[:2],)), errors.ShapeError, r"\(3,\) got.*\(2,\)"),
        (lambda: jvp(lambda x: x, (V, V), (V,)), errors.ArgumentError, "same length"),
        (lambda: jvp(lambda x: x, V, V), errors.ArgumentError, "tuples"),
        (lambda: jacobian(lambda x: (x, x))(V), errors.GraphError, "one array out"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_nested_derivative_by_another_variable_is_a_number():
    """The place of the inner variable belongs to the inner derivative: nobody can ask for it."""
    nested = grad(lambda y: grad(lambda x: x**y)(2.0))(0.0)
    assert type(nested) is float and nested == 0.5
    assert jvp(lambda y: grad(lambda x: x**y)(2.0), (0.0,), (1.0,)) == (0.0, 0.5)
    w = tg.Scalar(3.0)
    followed = grad(lambda y: grad(lambda x: w * x**y)(2.0))(0.0)
    followed.backward()
    assert (followed.item(), w.grad) == (1.5, 0.5)


ROOTS = {
    "sqrt": lambda r: r**2,
    "abs": lambda r: abs(r) ** 2,
    "norm": lambda r: tg.linalg.vector_norm(r) ** 2,
    "matrix norm": lambda r: tg.linalg.norm(r.reshape(1, 1)) ** 2,
    "hypot": lambda r: tg.hypot(r, 0.0) ** 2,
    "std": lambda r: tg.std(tg.stack([r, -r])) ** 2,
    "max": lambda r: tg.maximum(r, 0.0) ** 2,
    "xlogy": lambda r: tg.xlogy(r, 0.0),
}


@pytest.mark.parametrize("f", list(ROOTS.values()), ids=list(ROOTS))
def test_a_kink_met_by_an_infinite_slope_is_not_zero_in_either_direction(f):
    """f(sqrt t) at 0 is 0 * inf: no number at all, certainly not the 0 of the kink's convention."""
    t = np.array(0.0)
    assert np.isnan(grad(lambda t: f(tg.sqrt(t)))(t))
    assert np.isnan(jvp(lambda t: f(tg.sqrt(t)), (t,), (np.array(1.0),))[1])
