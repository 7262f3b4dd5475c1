"""Arguments of a compiled function, as a new user writes them."""

import collections
import enum
import functools

import numpy as np
from both_ways import Scenarios, check, normal

import tinygrad_cs as tg
from tinygrad_cs import nn

scenario = Scenarios()


@scenario
def kwargs_defaults(wrap):
    f = wrap(lambda x, y=2.0, *, z=None, k=1: x * y + (0 if z is None else z) * k)
    x = normal(3)
    return [f(x), f(x, 3.0), f(x, y=4.0), f(x, z=x), f(x, k=2, z=x), f(y=1.5, x=x), f(x)]


@scenario
def int_default_then_float(wrap):
    f = wrap(lambda x, n=2: x**n)
    x = np.abs(normal(3))
    return [f(x), f(x, 3), f(x, 3.0), f(x, True), f(x, 0.5)]


@scenario
def namedtuple_of_tensors(wrap):
    P = collections.namedtuple("P", "a b")
    f = wrap(lambda p: P(p.a + p.b, p.a * 2))
    r = f(P(tg.tensor(normal(3)), tg.tensor(normal(3, seed=1))))
    r2 = f(P(tg.tensor(normal(3, seed=8)), tg.tensor(normal(3, seed=1))))
    return [r.a, r2.b, type(r2).__name__]


@scenario
def statics(wrap):
    f = wrap(lambda x, flag, n, s: x * n if flag else {"a": x + n, "b": x}[s])
    x = normal(3)
    return [
        f(x, True, 2, "a"),
        f(x, False, 3, "a"),
        f(x, False, 3, "b"),
        f(x, 1, 2, "a"),
        f(x, True, 2, "a"),
        f(x, False, 0, "b"),
        f(x, 0, 3, "b"),
    ]


@scenario
def float_args_neg_zero_nan(wrap):
    f = wrap(lambda x, s: x * s)
    x = normal(3)
    return [f(x, 1.0), f(x, float("nan")), f(x, float("inf")), f(x, -1.0), f(x, -0.0), f(x, 0.0)]


@scenario
def zero_d(wrap):
    f = wrap(lambda x: (tg.tanh(x), x * 2))
    return [
        f(np.array(0.5)),
        f(np.array(0.25)),
        f(np.array(0.5, "f4")),
        f(tg.tensor(0.5)),
        f(tg.tensor(0.75)),
    ]


@scenario
def numpy_scalars(wrap):
    f = wrap(lambda x: x * 2 + 1)
    return [
        f(np.float32(0.5)),
        f(np.float32(0.7)),
        f(np.float64(0.5)),
        f(np.int64(3)),
        f(np.int64(4)),
        f(np.bool_(True)),
    ]


@scenario
def float16(wrap):
    f = wrap(lambda x, w: tg.tanh(x @ w).sum())
    g = wrap(tg.func.grad(lambda x, w: (tg.tanh(x @ w) ** 2).mean(), 1))
    x, w = (normal(3, 4).astype("f2"), normal(4, 2, seed=1).astype("f2"))
    return [f(x, w), f(x * 2, w), g(x, w), g(x * 2, w)]


@scenario
def integers(wrap):
    f = wrap(lambda x: (x + 1, x * x, x // 2, x % 3, tg.sum(tg.asarray(x)), x / 2))
    x = np.arange(6)
    return [f(x), f(x + 3), f(x.astype("u1")), f(x.astype("i2"))]


@scenario
def noncontig_first(wrap):
    m = nn.Linear(4, 3)

    def g0(x):
        m.zero_grad()
        y = (m(tg.relu(x)) ** 2).sum()
        y.backward()
        return (y, m.weight.grad * 1)

    g = wrap(g0)
    a = normal(8, 8)
    return [
        g(a.T[:3, :4]),
        g(np.ascontiguousarray(a[:3, :4])),
        g(a[::2, ::2][:3]),
        g(a[::-1, ::-1][:3, :4]),
        g(np.broadcast_to(a[0, :4], (3, 4))),
    ]


@scenario
def conv_noncontig(wrap):
    m = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))

    def g0(x):
        m.zero_grad()
        y = (m(x) ** 2).sum()
        y.backward()
        return (y, m[0].weight.grad * 1)

    g = wrap(g0)
    a = normal(2, 2, 8, 8)
    return [
        g(a),
        g(a.transpose(0, 1, 3, 2)),
        g(np.asfortranarray(a)),
        g(a[:, ::-1]),
        g(a[:, :, ::-1]),
    ]


@scenario
def partial(wrap):
    f = wrap(functools.partial(lambda a, x, s=1.0: x * a * s, 2.0, s=3.0))
    x = normal(2)
    return [f(x), f(x), f(x, s=4.0)]


@scenario
def callable_object(wrap):

    class C:
        def __call__(s, x):
            return tg.tanh(x)

    f = wrap(C())
    return [f(normal(2)), f(normal(2, seed=1))]


@scenario
def module_itself(wrap):
    m = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    f = wrap(m)
    return [f(normal(2, 2)), f(normal(2, 2, seed=1))]


@scenario
def list_args(wrap):
    f = wrap(lambda xs: sum((x * (i + 1) for i, x in enumerate(xs))))
    return [
        f([normal(2), normal(2, seed=1)]),
        f([normal(2)]),
        f((normal(2),)),
        f([normal(2, seed=7), normal(2, seed=1)]),
    ]


@scenario
def list_of_numbers(wrap):
    f = wrap(lambda v: tg.tensor(v) * 2)
    return [f([1.0, 2.0]), f([3.0, 4.0])]


@scenario
def ordered_dict(wrap):
    f = wrap(lambda d: {k: v * 2 for k, v in d.items()})
    ordered = collections.OrderedDict
    return [
        f(ordered(a=normal(2), b=normal(2, seed=1))),
        f(ordered(b=normal(2), a=normal(2, seed=1))),
        f({"a": normal(2), "b": normal(2)}),
    ]


@scenario
def vararg(wrap):
    f = wrap(lambda *a, **k: sum(a) + sum(k.values()))
    return [
        f(normal(2), normal(2)),
        f(normal(2)),
        f(normal(2), b=normal(2), c=normal(2)),
        f(normal(2), c=normal(2), b=normal(2, seed=5)),
    ]


@scenario
def dtype_args(wrap):
    f = wrap(lambda x, dt: x.astype(dt))
    return [
        f(normal(2), np.float64),
        f(normal(2), "f8"),
        f(normal(2), np.dtype("i4")),
        f(normal(2), np.float32),
    ]


@scenario
def enum_arg(wrap):

    class E(enum.Enum):
        A = 1
        B = 2

    f = wrap(lambda x, e: x * e.value)
    return [f(normal(2), E.A), f(normal(2), E.B), f(normal(2), E.A)]


@scenario
def function_arg(wrap):
    f = wrap(lambda x, g: g(x))
    return [f(normal(2), tg.tanh), f(normal(2), tg.exp), f(normal(2), tg.tanh)]


@scenario
def huge_int_and_str_keys(wrap):
    f = wrap(lambda d: d["a b"] * d[3])
    return [f({"a b": normal(2), 3: 2.0}), f({"a b": normal(2), 3: 4.0})]


@scenario
def other_shapes(wrap):
    m = nn.Linear(3, 2)
    f = wrap(lambda x: m(x))
    return [f(normal(n, 3)) for n in (1, 2, 3, 1, 2, 3)]


@scenario.each()
def test_compiled_as_plain(scenario):
    check(scenario)
