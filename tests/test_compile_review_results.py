"""Results of a compiled function: of every kind, and nobody else's memory."""

import collections

import numpy as np
from both_ways import Scenarios, X, Y, check, gradients, normal

import tinygrad_cs as tg
from tinygrad_cs import nn

F = nn.functional
scenario = Scenarios()


@scenario
def none_results(wrap):
    f = wrap(lambda x: None)
    g = wrap(lambda x: (None, x + 1, {"a": None, "b": [x * 2, None]}))
    return [
        f(normal(2)),
        f(normal(2)),
        g(normal(2)),
        g(normal(2, seed=2)),
        *(
            wrap(h)(normal(2))
            for h in (lambda x: (), lambda x: [], lambda x: {}, lambda x: 5, lambda x: ("a", x))
        ),
    ]


@scenario
def result_lists_fresh(wrap):
    f = wrap(lambda x: [1, 2])
    a = f(normal(2))
    a.append(3)
    return [f(normal(2)), f(normal(2))]


@scenario
def result_dict_fresh(wrap):
    f = wrap(lambda x: {"k": [1]})
    a = f(normal(2))
    a["k"].append(3)
    a["z"] = 1
    return [f(normal(2))]


@scenario
def result_is_argument_other(wrap):
    f = wrap(lambda x: (x, x))
    a = normal(3)
    f(a)
    b = normal(3, seed=2)
    r = f(b)
    return [r]


@scenario
def arrays_only_numpy(wrap):
    f = wrap(
        lambda x: (
            np.linalg.norm(x),
            np.sort(x),
            np.argmax(x),
            np.cumsum(x),
            x.mean(),
            x.std(),
            np.median(x),
            x.max(axis=0),
            np.clip(x, 0, 1),
            np.isnan(x).any(),
        )
    )
    return [f(normal(5)), f(normal(5, seed=1))]


@scenario
def array_methods(wrap):
    f = wrap(
        lambda x: [
            x.sum(axis=0),
            x.prod(),
            x.any(),
            x.all(axis=1),
            x.cumsum(),
            x.argsort(),
            x.T,
            x.reshape(-1),
            x.ravel(),
            x.astype("f8"),
            x.copy(),
            x.swapaxes(0, 1),
            x.round(1),
            x.var(),
            x.clip(0, 1),
            x.min(),
            x.flatten(),
        ]
    )
    return [f(normal(2, 3)), f(normal(2, 3, seed=1))]


@scenario
def ordered_dict_type(wrap):
    ordered = collections.OrderedDict
    f = wrap(lambda d: ordered(((k, v * 2) for k, v in d.items())))
    f(ordered(a=normal(2)))
    return [type(f(ordered(a=normal(2)))).__name__, type(f(ordered(a=normal(2)))).__name__]


@scenario
def structured_bool(wrap):
    f = wrap(lambda m, x: tg.where(m, x, 0))
    return [f(np.array([True, False]), normal(2)), f(np.array([False, True]), normal(2))]


@scenario
def results_written_by_user(wrap):
    f = wrap(lambda x: (x * 2, x * 2, tg.tanh(x)))
    a = f(normal(3))
    for q in a:
        np.asarray(getattr(q, "data", q))[...] = -1
    return [f(normal(3)), a]


@scenario
def results_kept(wrap):
    f = wrap(lambda x: tg.tanh(tg.tanh(x) * 2))
    a = f(normal(3))
    b = f(normal(3, seed=1))
    c = f(normal(3, seed=2))
    return [a, b, c]


@scenario
def constant_array_returned(wrap):
    f = wrap(lambda x: np.zeros(2))
    a = f(normal(2))
    a[...] = 9
    return [f(normal(2))]


@scenario
def param_bool_index(wrap):
    f = wrap(lambda x, i: x[i])
    return [f(normal(5), np.array([0, 2])), f(normal(5), np.array([1, 3]))]


@scenario
def default_dtype_changes(wrap):
    f = wrap(lambda x: x + tg.tensor([1.0, 2.0]))
    r = [f(normal(2))]
    tg.set_default_dtype("float64")
    try:
        r += [f(normal(2))]
    finally:
        tg.set_default_dtype("float32")
    return [*r, f(normal(2))]


@scenario
def numpy_function_on_tensor(wrap):
    f = wrap(lambda x: np.concatenate([np.exp(x), np.tanh(x)]).sum())
    return [
        f(tg.tensor(normal(3))),
        f(tg.tensor(normal(3, seed=1))),
        f(normal(3)),
        f(normal(3, seed=1)),
    ]


@scenario
def nan_inf_inputs(wrap):
    m = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))

    def step(x, y):
        m.zero_grad()
        loss = F.cross_entropy(m(x), y)
        loss.backward()
        return loss

    s = wrap(step)
    r = [s(X, Y)]
    for v in (np.nan, np.inf, -np.inf, 1e30):
        x = X.copy()
        x[1, 2] = v
        with np.errstate(all="ignore"):
            r += [s(x, Y), gradients(m)]
    return r


@scenario
def empty_batches(wrap):
    m = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    f = wrap(lambda x: m(x))

    def g0(x):
        m.zero_grad()
        y = m(x).sum()
        y.backward()
        return y

    g = wrap(g0)
    out = [
        f(normal(0, 3)),
        f(normal(2, 3)),
        g(normal(0, 3)),
        [p.grad for p in m.parameters()],
        g(normal(4, 3)),
        [p.grad for p in m.parameters()],
    ]
    return out


@scenario.each()
def test_compiled_as_plain(scenario):
    check(scenario)
