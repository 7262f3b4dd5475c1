"""Plain and compiled: what the tests of `tg.compile` share.

Scenarios that are run both ways, nets and training steps, and one call of each of two functions.
"""

import copy

import numpy as np
import pytest

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.autograd import trees
from tinygrad_cs.engine.record import evaluate, rows
from tinygrad_cs.ops.families import Draw, case_for

OPERATIONS = [name for name in rows() if name != "to_scalar"]


def described(x, path=""):
    """What a nested result holds: kinds, dtypes and bytes."""
    if isinstance(x, (tg.Tensor, np.ndarray)):
        array = np.asarray(getattr(x, "data", x) if isinstance(x, tg.Tensor) else x)
        return [(path, type(x).__name__, array.dtype, array.shape, array.tobytes())]
    if isinstance(x, dict):
        found = [(path, type(x).__name__, list(x))]
        return found + [row for k, v in x.items() for row in described(v, f"{path}[{k!r}]")]
    if isinstance(x, (list, tuple)):
        found = [(path, type(x).__name__, len(x))]
        return found + [row for i, v in enumerate(x) for row in described(v, f"{path}[{i}]")]
    return [(path, type(x).__name__, repr(x.data if isinstance(x, tg.Scalar) else x))]


class Scenarios(list):
    """Functions of `wrap` (`tg.compile`, or nothing), each a test."""

    def __call__(self, scenario):
        self.append(scenario)
        return scenario

    def each(self):
        """Parametrize a test over them."""
        return pytest.mark.parametrize("scenario", self, ids=[f.__name__ for f in self])


def check(scenario):
    """Both ways, seeded alike: the same to the last bit."""
    tg.manual_seed(3)
    expected = described(scenario(lambda f: f))
    tg.manual_seed(3)
    found = described(scenario(tg.compile))
    assert found == expected


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("f4")


X, Y = normal(6, 3), np.array([0, 1, 1, 0, 1, 0])
"""A batch for `net()`."""


def net(inputs=3, hidden=8, classes=2, bias=True):
    """With statistics that move and masks that are drawn."""
    return nn.Sequential(
        nn.Linear(inputs, hidden, bias=bias),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(hidden, classes),
    )


def trainer(wrap, optimizer_of=lambda p: tg.optim.Adam(p, lr=0.01), model=None, schedule_of=None):
    """A model, by default `net()`, its optimizer, and a step of training on a batch, wrapped."""
    model = model or net()
    optimizer = optimizer_of(model.parameters())
    schedule = schedule_of(optimizer) if schedule_of else None

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        if schedule:
            schedule.step()
        return loss

    return model, optimizer, wrap(step)


def copies(x):
    """The arrays of a module by name, or of a dict, as they are now."""
    return {name: np.array(value) for name, value in x.state_dict().items()}


def gradients(module):
    return {k: None if p.grad is None else p.grad.copy() for k, p in module.named_parameters()}


def leaves(arrays):
    return [tg.tensor(x, requires_grad=np.asarray(x).dtype.kind == "f") for x in arrays]


def compare_call(plain, compiled, arrays, compare, seed=0):
    """One call of each, seeded alike: `compare(compiled, plain)` of each result and gradient."""
    ours, theirs = leaves(arrays), leaves(arrays)
    tg.manual_seed(seed)
    expected = plain(*ours)
    tg.manual_seed(seed)
    result = compiled(*theirs)
    for y, e in zip(trees.leaves(result), trees.leaves(expected), strict=True):
        compare(y.data, e.data)
    for x, e in zip(theirs, ours, strict=True):
        compare(x.grad, e.grad)


def with_backward(name):
    """An operation as a function that also goes backward, and arrays to call it with."""
    op = rows()[name]
    operands, params = case_for(op, Draw(7))
    arrays = [np.asarray(a, float) for a in (operands[0] if op.variadic else operands)]

    def call(*xs):
        out = evaluate(op, [list(xs)] if op.variadic else list(xs), params)
        if out.size and out.requires_grad:
            (out * np.arange(1.0, out.size + 1).reshape(out.shape)).sum().backward()
        return out

    return call, arrays


def twins(make):
    """A module in float64 and its copy."""
    tg.set_default_dtype("float64")
    try:
        tg.manual_seed(0)
        module = make()
    finally:
        tg.set_default_dtype("float32")
    return module, copy.deepcopy(module)


def squared(module):
    """The module as a function that also goes backward, from the sum of squares."""

    def step(*inputs):
        module.zero_grad()
        out = module(*inputs)
        loss = sum((y * y).sum() for y in trees.leaves(out) if y.dtype.kind == "f")
        if loss.requires_grad:
            loss.backward()
        return out

    return step


def compare_modules(case, training, wrap, compare):
    """Values, gradients of inputs and parameters, buffers: over three calls, seeded alike."""
    eager, twin = twins(lambda: case.make(nn).train(training))
    plain, compiled = squared(eager), wrap(squared(twin))
    inputs = case.inputs(np.random.default_rng(1))
    for seed in range(3):
        compare_call(plain, compiled, inputs, compare, seed)
        compare_state(twin, eager, compare)


def compare_state(twin, eager, compare):
    for p, e in zip(twin.parameters(), eager.parameters(), strict=True):
        compare(p.grad, e.grad)
    for name, value in twin.state_dict().items():
        compare(value, eager.state_dict()[name])
