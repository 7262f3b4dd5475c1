"""Programs drawn at random: what `tg.compile` makes of them computes the same."""

import numpy as np
import pytest
from both_ways import compare_call
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.engine.record import ELEMENTWISE, FUNCTIONS, rows

N = 3
ENTRYWISE = sorted(
    name
    for name, op in rows().items()
    if op.kind is ELEMENTWISE and not op.params and op.rules and not op.variadic
    if name not in ("acosh", "to_scalar")
)


def squashed(x):
    """Into (0.2, 0.9), where every function is smooth and none is large."""
    return 0.55 + 0.35 * tg.tanh(x)


OTHER = {
    "product": lambda x, y: x @ y / N,
    "transpose": lambda x, y: x.T,
    "row sums": lambda x, y: x.sum(axis=1, keepdims=True) + y * 0,
    "column means": lambda x, y: x.mean(axis=0) * y,
    "reshape": lambda x, y: x.reshape(-1).reshape(N, N),
    "choice": lambda x, y: tg.where(x > y, x, tg.sqrt(y * y + 1)),
    "rectifier": lambda x, y: tg.relu(x - 0.3) + y,
    "maximum": lambda x, y: tg.max(x, axis=0) + y,
    "softmax": lambda x, y: nn.functional.softmax(x, -1),
    "picked": lambda x, y: x[[2, 0, 0]] * y[:, ::-1],
    "stacked": lambda x, y: tg.concat([x, y])[1 : N + 1],
    "a row": lambda x, y: x[1] * y,
    "placed": lambda x, y: x.at[0].add(y[1]),
    "normalised": lambda x, y: nn.functional.layer_norm(x, (N,)),
    "einsum": lambda x, y: tg.einsum("ij,kj->ik", x, y),
    "flipped": lambda x, y: tg.flip(x, axis=0) - y,
    "sums so far": lambda x, y: tg.cumulative_sum(x, axis=1) / N,
    "linear": lambda x, y: nn.functional.linear(x, y, y[0]),
}


def entrywise(name):
    function, count = FUNCTIONS[name], len(rows()[name].operands)
    return lambda x, y: function(*[squashed(v) for v in (x, y, x * y)[:count]])


STEPS = {name: entrywise(name) for name in ENTRYWISE} | OTHER
STEP = st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 30), st.integers(0, 30))


def program(steps, passes):
    def f(a, b):
        losses = []
        for k in range(passes):
            values = [a, b * (k + 1), a + b]
            for name, i, j in steps:
                x, y = values[i % len(values)], values[j % len(values)]
                values.append(STEPS[name](x, y))
            loss = sum((v * v).mean() for v in values[3:])
            loss.backward()
            losses.append(loss)
        return losses, values[-1]

    return f


def assert_close(a, b):
    assert (a is None) == (b is None)
    if a is not None:
        assert_allclose(a, b, rtol=1e-12, atol=1e-13)


@given(st.lists(STEP, min_size=1, max_size=12), st.integers(1, 2), st.integers(0, 10**6))
def test_compiled_is_eager(steps, passes, seed):
    """Values and gradients, on other numbers than the program was traced with."""
    f = program(steps, passes)
    compiled = tg.compile(f)
    rng = np.random.default_rng(seed)
    for _ in range(3):
        compare_call(f, compiled, rng.normal(size=(2, N, N)), assert_close)
    compile(compiled.source, "source", "exec")


def gradients(call, data):
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)

    def step(batches):
        optimizer.zero_grad()
        for x, y in batches:
            (nn.functional.cross_entropy(model(x), y) * 0.5).backward()
        optimizer.step()

    call(step)(data)
    return [p.grad.copy() for p in model.parameters()]


@pytest.mark.parametrize("passes", [1, 2, 3])
def test_several_backward_passes_in_one_program(passes):
    """A value that a second pass has in common with the first lives until its last view is read."""
    rng = np.random.default_rng(0)
    data = tuple(
        (rng.normal(size=(16, 4)).astype("f4"), rng.integers(0, 3, 16)) for _ in range(passes)
    )
    for ours, theirs in zip(gradients(tg.compile, data), gradients(lambda f: f, data), strict=True):
        assert_array_equal(ours, theirs)
