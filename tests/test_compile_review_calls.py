"""Compiled functions in one another and in other modes, as methods; gradients of arguments."""

import numpy as np
from both_ways import Scenarios, X, check, gradients, normal

import tinygrad_cs as tg
from tinygrad_cs import nn

scenario = Scenarios()


@scenario
def recursion(wrap):

    def f(x, n):
        return x if n == 0 else f(tg.tanh(x) * 2, n - 1)

    g = wrap(f)
    return [g(normal(3), 3), g(normal(3), 5), g(normal(3, seed=1), 3)]


@scenario
def nested_compiled(wrap):
    inner = wrap(lambda x: tg.tanh(x) * 2)
    outer = wrap(lambda x: inner(x).sum() if isinstance(x, tg.Tensor) else inner(x))
    x = tg.tensor(normal(3))
    return [outer(x), outer(x), inner(x), outer(normal(3))]


@scenario
def under_no_grad(wrap):
    m = nn.Linear(2, 2)
    f = wrap(lambda x: m(x))
    x = normal(1, 2)
    r = [f(x)]
    with tg.no_grad():
        r.append(f(x))
        r.append(f(x).requires_grad)
    r.append(f(x))
    return r


@scenario
def under_debug(wrap):
    m = nn.Linear(2, 2)
    f = wrap(lambda x: m(x))
    x = normal(1, 2)
    r = [f(x)]
    with tg.debug():
        r.append(f(x))
    r.append(f(x))
    return r


@scenario
def under_func_grad(wrap):
    f = wrap(lambda x: (tg.tanh(x) ** 2).sum())
    return [tg.func.grad(f)(normal(3).astype("f8")), tg.func.hessian(f)(normal(3).astype("f8"))]


@scenario
def gradient_through_result(wrap):
    f = wrap(lambda x: (tg.tanh(x) ** 2).sum())
    x = tg.tensor(normal(3), requires_grad=True)
    f(x)
    y = f(x)
    y.backward()
    return [x.grad]


@scenario
def exceptions_inside(wrap):

    def f(x, n):
        if n == 2:
            raise KeyError("mine")
        return x * n

    g = wrap(f)
    r = [g(normal(2), 1)]
    try:
        g(normal(2), 2)
        r.append("no error")
    except KeyError as e:
        r.append(str(e))
    r.append(g(normal(2), 3))
    return r


@scenario
def shape_errors_inside(wrap):
    m = nn.Linear(3, 2)
    g = wrap(lambda x: m(x))
    r = [g(normal(2, 3))]
    try:
        g(normal(2, 4))
        r.append("no error")
    except Exception as e:
        r.append([type(e).__name__, str(e)])
    return r


@scenario
def inplace_arg(wrap):

    def f(x):
        x += 1
        return x * 2

    g = wrap(f)
    a = normal(3)
    r = g(a)
    r2 = g(a)
    return [r, r2, a]


@scenario
def scalars_arg(wrap):

    def g(a, b):
        c = a * b + a.tanh() if hasattr(a, "tanh") else tg.tanh(a) + a * b
        c.backward()
        return c

    f = wrap(g)
    r = []
    for v in (0.5, 0.75):
        a, b = (tg.Scalar(v), tg.Scalar(2.0))
        r += [f(a, b), a.grad, b.grad]
    return r


@scenario
def tensor_arg_grad_accumulates(wrap):

    def g(x):
        y = (x * x).sum()
        y.backward()
        return y

    f = wrap(g)
    x = tg.tensor(normal(3), requires_grad=True)
    r = []
    for _ in range(3):
        r += [f(x), np.array(x.grad)]
    x.grad = None
    r += [f(x), np.array(x.grad)]
    return r


@scenario
def same_tensor_twice(wrap):

    def g(x, y):
        loss = (x * y).sum()
        loss.backward()
        return loss

    f = wrap(g)
    x = tg.tensor(normal(3), requires_grad=True)
    z = tg.tensor(normal(3, seed=3), requires_grad=True)
    r = [f(x, x), np.array(x.grad)]
    x.grad = None
    r += [f(x, z), np.array(x.grad), np.array(z.grad)]
    x.grad = z.grad = None
    r += [f(x, x), np.array(x.grad)]
    return r


@scenario
def interior_tensor_arg(wrap):
    m = nn.Linear(3, 2)
    m2 = nn.Linear(2, 2)

    def g(h):
        return (m2(h) ** 2).sum()

    f = wrap(g)
    h = m(X)
    loss = f(h)
    loss.backward()
    return [gradients(m)]


@scenario
def interior_tensor_backward_inside(wrap):
    m = nn.Linear(3, 2)
    m2 = nn.Linear(2, 2)

    def g(h):
        loss = (m2(h) ** 2).sum()
        loss.backward()
        return loss

    f = wrap(g)
    r = []
    for _ in range(2):
        m.zero_grad()
        h = m(X)
        r += [f(h), gradients(m), gradients(m2)]
    return r


@scenario
def autograd_grad_inside(wrap):

    def f(x):
        x = tg.tensor(x, requires_grad=True) if not isinstance(x, tg.Tensor) else x
        y = (tg.tanh(x) ** 2).sum()
        (g,) = tg.autograd.grad(y, [x], create_graph=True)
        return (g**2).sum()

    g = wrap(f)
    return [g(normal(3)), g(normal(3, seed=1))]


@scenario
def nested_no_grad_flag(wrap):
    m = nn.Linear(3, 2)

    def f(x):
        with tg.no_grad():
            a = m(x)
        b = m(x)
        m.zero_grad()
        (b * a).sum().backward()
        return (a, b)

    g = wrap(f)
    return [g(X), gradients(m), g(X * 2), gradients(m)]


@scenario
def where_and_masks(wrap):
    f = wrap(lambda x: tg.where(x > 0, tg.sqrt(tg.where(x > 0, x, 1.0)), 0.0).sum())
    return [f(normal(5)), f(normal(5, seed=1))]


@scenario
def decorator_on_method_class(wrap):

    class M:
        def __init__(s):
            s.l = nn.Linear(2, 2)

    def step(self, x):
        return self.l(x)

    M.step = wrap(step)
    m = M()
    return [m.step(normal(1, 2)), m.step(normal(1, 2))]


@scenario.each()
def test_compiled_as_plain(scenario):
    check(scenario)
