"""Compiled calls that fail halfway: generators and parameters are as before the call."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn

F = nn.functional
INDICES, LABELS = np.array([0, 1, 2, 0]), np.array([1, 1, 7, 1])

# what is done with what dropout left; the second argument is good or bad
FAILING = {
    "an index": (lambda h, i: h[i], INDICES, LABELS),
    "an index below": (lambda h, i: h[i], INDICES, -LABELS),
    "rows": (lambda h, i: tg.take(h, i, axis=0), INDICES, LABELS),
    "a class": (F.cross_entropy, INDICES, LABELS),
    "a singular matrix": (
        lambda h, m: (tg.linalg.inv(m), h),
        np.eye(3),
        np.ones((3, 3)),
    ),
    "a number that overflows": (lambda h, number: h * number**400, 1.0, 10.0),
}


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("name", FAILING)
def test_what_fails_after_a_draw_puts_the_generator_back(name, backend):
    """The next mask is the one that would have come without the failing call."""
    if backend == "numba":
        pytest.importorskip("numba")
    rest, good, bad = FAILING[name]

    @partial(tg.compile, backend=backend)
    def f(x, other):
        return rest(F.dropout(x, 0.5, True), other)

    x = np.ones((4, 3))
    f(x, good)
    tg.manual_seed(1)
    expected = F.dropout(x, 0.5, True)
    tg.manual_seed(1)
    with pytest.raises((IndexError, ValueError, ArithmeticError)):
        f(x, bad)
    assert_array_equal(F.dropout(x, 0.5, True), expected)


def test_a_number_that_cannot_be_computed_changes_no_parameter():
    """Arithmetic on numbers comes before everything that is drawn or written."""
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    sgd = tg.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    @tg.compile
    def step(x, number):
        sgd.zero_grad()
        loss = (model(x) ** 2).sum()
        loss.backward()
        sgd.step()
        return loss * number**400

    x = np.random.default_rng(0).normal(size=(4, 3)).astype("f4")
    for _ in range(2):
        step(x, 1.0)
    before = {k: np.array(v) for k, v in model.state_dict().items()}
    with pytest.raises(OverflowError):
        step(x, 10.0)
    for name, value in model.state_dict().items():
        assert_array_equal(value, before[name], err_msg=name)


def arrays_in(x, path=""):
    """All arrays and numbers of nested dicts and lists, and where they are."""
    if isinstance(x, (dict, list, tuple)):
        pairs = x.items() if isinstance(x, dict) else enumerate(x)
        return [found for k, v in pairs for found in arrays_in(v, f"{path}/{k}")]
    return [(path, np.array(x))]


def stepping(model, i, also):
    """A step that looks something up when it is over, of which `also` says what."""
    sgd = tg.optim.Adam(model.parameters(), lr=0.1)

    def step(x, i):
        if also != "gradients added":
            sgd.zero_grad()
        h = model(x)
        (h**2).sum().backward()
        if also != "gradients added":
            sgd.step()
        return (model(x) if also == "a second look" else h).detach()[i]

    return sgd, step


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("also", ["a first look", "a second look", "gradients added"])
def test_what_fails_after_the_update_takes_it_back(also, backend):
    """Parameters, statistics, moments and the generator."""
    if backend == "numba":
        pytest.importorskip("numba")
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    adam, plain = stepping(model, INDICES, also)
    step = tg.compile(plain, backend=backend)
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("f4")

    def state():
        found = {k: np.array(v) for k, v in model.state_dict().items()}
        found |= {f"Adam: {k}": v for k, v in arrays_in(adam.state_dict())}
        if also == "gradients added":
            found |= {f"d {k}": np.array(p.grad) for k, p in model.named_parameters()}
        return found

    for _ in range(3):
        step(x, INDICES)
    before, bits = state(), tg.engine.modes.generator().bit_generator.state
    with pytest.raises(IndexError):
        step(x, LABELS)
    assert tg.engine.modes.generator().bit_generator.state == bits
    after = state()
    assert after.keys() == before.keys()
    for name, value in after.items():
        assert_array_equal(value, before[name], err_msg=name)


def test_loops_change_nothing_before_they_look_something_up():
    """The update and what the function returns have one length, and could share a loop."""
    pytest.importorskip("numba")
    w = tg.tensor(np.zeros(8, "f4"), requires_grad=True)
    sgd = tg.optim.SGD([w], lr=0.1, momentum=0.9)

    @partial(tg.compile, backend="numba")
    def step(x, i):
        sgd.zero_grad()
        picked = (x * 2)[i] * 3
        (w * x).sum().backward()
        sgd.step()
        return picked

    x = np.ones(8, "f4")
    for _ in range(3):
        step(x, INDICES)
    before = arrays_in(sgd.state_dict())
    with pytest.raises(IndexError):
        step(x, 10 * LABELS)
    for (name, value), (_, old) in zip(arrays_in(sgd.state_dict()), before, strict=True):
        assert_array_equal(value, old, err_msg=name)
