"""What `where`, an index or a mask cuts off has no derivative of any order, however it is computed.

In the rows f is infinite, NaN or has such a derivative at the first points; there it is cut off.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tinygrad_cs as tg
from tinygrad_cs.engine.errors import GraphError


def _chain(*functions):
    def composed(x):
        for f in functions:
            x = f(x)
        return x

    return composed


DEAD = {
    "sqrt": (tg.sqrt, [0.0, -1.0], [4.0, 0.5]),
    "log": (tg.log, [0.0, -1.0], [2.0, 0.5]),
    "1 / x": (lambda x: 1 / x, [0.0], [2.0, 0.5]),
    "reciprocal": (tg.reciprocal, [0.0], [2.0]),
    "x**0.5": (lambda x: x**0.5, [0.0, -1.0], [2.0]),
    "x**-1.5": (lambda x: x**-1.5, [0.0, -1.0], [2.0]),
    "2**x": (lambda x: 2.0**x, [1e6], [1.0, 2.0]),
    "x**x": (lambda x: x**x, [0.0, -0.5], [2.0]),
    "x**(x * 1)": (lambda x: x ** (x * 1.0), [0.0, -0.5], [2.0]),
    "log1p": (tg.log1p, [-1.0, -2.0], [0.5]),
    "log2": (tg.log2, [0.0, -1.0], [0.5]),
    "log10": (tg.log10, [0.0, -1.0], [0.5]),
    "exp": (tg.exp, [1e4], [1.0]),
    "exp2": (tg.exp2, [1e5], [1.0]),
    "expm1": (tg.expm1, [1e4], [1.0]),
    "sinh": (tg.sinh, [1e4], [1.0]),
    "cosh": (tg.cosh, [1e4, -1e4], [1.0]),
    "xlogy(x, x)": (lambda x: tg.xlogy(x, x), [0.0, -1.0], [2.0]),
    "xlogy(2, x)": (lambda x: tg.xlogy(2.0, x), [0.0, -1.0], [2.0]),
    "acos": (tg.acos, [1.0, -1.0, 2.0], [0.5]),
    "asin": (tg.asin, [1.0, -1.0, 2.0], [0.5]),
    "atanh": (tg.atanh, [1.0, -1.0, 2.0], [0.5]),
    "acosh": (tg.acosh, [1.0, 0.5], [2.0]),
    "hypot": (lambda x: tg.hypot(x, 2 * x), [0.0], [2.0]),
    "atan2": (lambda x: tg.atan2(2 * x, x * x), [0.0], [2.0]),
    "cbrt": (np.cbrt, [0.0], [2.0]),
    "remainder": (lambda x: 1.3 % x, [0.0], [2.0]),
    "fmod": (lambda x: np.fmod(1.3, x), [0.0], [2.0]),
    "floor_divide": (lambda x: 1.3 // x, [0.0], [2.0]),
    "floor sqrt": (_chain(tg.sqrt, tg.floor), [0.0], [2.0]),
    "copysign sqrt": (lambda x: tg.copysign(tg.sqrt(x), -1.0), [0.0], [2.0]),
    "logaddexp log": (lambda x: tg.logaddexp(tg.log(x), tg.log(x)), [0.0], [2.0]),
    "logsigmoid log": (_chain(tg.log, tg.logsigmoid), [0.0], [2.0]),
    "softplus 1/x": (_chain(tg.reciprocal, tg.softplus), [0.0], [2.0]),
    "sigmoid 1/x": (_chain(tg.reciprocal, tg.sigmoid), [0.0], [2.0]),
    "tanh 1/x": (_chain(tg.reciprocal, tg.tanh), [0.0], [2.0]),
    "erf 1/x": (_chain(tg.reciprocal, tg.erf), [0.0], [2.0]),
    "sinc 1/x": (_chain(tg.reciprocal, tg.sinc), [0.0], [2.0]),
    "square 1/x": (_chain(tg.reciprocal, tg.square), [0.0], [2.0]),
    "exp(-1/x)": (lambda x: tg.exp(-1 / x), [0.0], [2.0]),
    "abs log": (_chain(tg.log, tg.abs), [0.0], [2.0]),
    "sqrt sqrt": (_chain(tg.sqrt, tg.sqrt), [0.0], [2.0]),
    "x log x": (lambda x: x * tg.log(x), [0.0], [2.0]),
}

CUTS = {
    "where": lambda f, kept: lambda x: tg.where(kept, f(x), 0).sum(),
    "mean of squares": lambda f, kept: lambda x: (tg.where(kept, f(x), 0) ** 2).mean() * x.size,
    "mask": lambda f, kept: lambda x: f(x)[kept].sum(),
    "sum of sums": lambda f, kept: lambda x: tg.where(kept, f(x), 0).reshape(1, -1).sum(1).mean(),
    "set": lambda f, kept: lambda x: tg.where(kept, f(x).at[:0].set(0.0), 0).sum(),
    "multiply": lambda f, kept: lambda x: tg.where(kept, f(x).at[:0].multiply(2.0), 0).sum(),
    "einsum": lambda f, kept: lambda x: tg.where(kept, tg.einsum("i->i", f(x)), 0).sum(),
    "max": lambda f, kept: lambda x: tg.where(kept, tg.max(f(x)[:, None], 1), 0).sum(),
}


@pytest.mark.parametrize("cut", list(CUTS.values()), ids=list(CUTS))
@pytest.mark.parametrize(("f", "dead", "alive"), list(DEAD.values()), ids=list(DEAD))
def test_what_is_cut_off_has_no_derivative_of_any_order(f, dead, alive, cut):
    """By every way to compute it; where f is alive nothing changes."""
    x, v = np.array(dead + alive), np.arange(1.0, len(dead + alive) + 1)
    g = cut(f, np.arange(len(x)) >= len(dead))
    alone = cut(f, np.ones(len(alive), bool))
    first, second = np.zeros(len(x)), np.zeros((len(x), len(x)))
    close = {"rtol": 1e-12, "atol": 1e-13}
    with np.errstate(all="ignore"):
        first[len(dead) :] = tg.func.grad(alone)(np.array(alive))
        second[len(dead) :, len(dead) :] = tg.func.hessian(alone)(np.array(alive))
        gradient_of_g = tg.func.grad(g)
        assert_allclose(gradient_of_g(x), first, **close)
        assert_allclose(tg.func.jvp(g, (x,), (v,))[1], first @ v, **close)
        assert_allclose(tg.func.hessian(g)(x), second, **close)
        assert_allclose(tg.func.jvp(gradient_of_g, (x,), (v,))[1], second @ v, **close)
        slope = tg.func.grad(lambda y: (gradient_of_g(y) * v).sum())
        assert_allclose(slope(x), second @ v, **close)
        mixed = tg.func.grad(lambda y: tg.func.jvp(g, (y,), (v,))[1])
        assert_allclose(mixed(x), second @ v, **close)
        third = tg.func.grad(lambda y: (slope(y) * v).sum())(x)
    assert np.isfinite(third).all() and not third[: len(dead)].any()


@pytest.mark.parametrize("retain", [False, True])
def test_scalars_with_and_without_anything_infinite(retain):
    """The pass is made without marks first, and again with them where something is not finite."""
    w, x = tg.Scalar(2.0), tg.Scalar(0.0)
    fine = tg.relu(w * 3.0) + tg.relu(-w)
    fine.backward(retain_graph=retain)
    assert w.grad == 3.0
    dead = tg.relu(tg.sqrt(x) - 2.0) + x * w
    dead.backward(retain_graph=retain)
    assert (x.grad, w.grad) == (2.0, 3.0)
    alive = tg.relu(tg.sqrt(tg.Scalar(0.0)) + w)
    alive.backward(retain_graph=retain)
    assert w.grad == 4.0
    if not retain:
        with pytest.raises(GraphError):
            fine.backward()
