"""What `tg.compile` refuses says where and what to write; threads, copies, schedules inside."""

import copy
import pickle
import sys
import threading
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from both_ways import check, copies, normal
from numpy.testing import assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.engine import errors

F = nn.functional
L = tg.optim.lr_scheduler
OUTSIDE = np.zeros(3, "f4")


@dataclass
class Pair:
    """No nesting that a program takes apart."""

    a: object


def into_outside(x):
    OUTSIDE[0] = x.data.sum()
    return x


def ufunc_into_outside(x):
    np.add(x.data, 1, out=OUTSIDE)
    return x


def generator(x):
    yield x * 2


async def coroutine(x):
    return x * 2


SEARCHED = nn.Linear(3, 1)
SEARCHING = tg.optim.LBFGS(SEARCHED.parameters())


def search(x):
    def closure():
        SEARCHING.zero_grad()
        loss = (SEARCHED(x) ** 2).sum()
        loss.backward()
        return loss

    return SEARCHING.step(closure)


def seeds(x):
    tg.manual_seed(0)
    return x


REFUSED = {
    "branch": (lambda x: x if x.sum() > 0 else -x, r"test_compile_review\.py:\d+.*tg\.where"),
    "item": (lambda x: x if x.sum().item() > 0 else -x, r"py:\d+.*tg\.where"),
    "float": (lambda x: float(x.sum()), r"py:\d+.*outside of the compiled function"),
    "tolist": (lambda x: x.data.tolist(), r"py:\d+"),
    "while": (lambda x: [0 for _ in range(3) if x.sum() > 0], r"py:\d+"),
    "mask": (lambda x: x[x > 1].mean(), r"shape of x\[mask\].*py:\d+"),
    "nonzero": (lambda x: np.nonzero(x.data), r"np\.nonzero.*py:\d+"),
    "unique": (lambda x: np.unique(x.data), r"np\.unique.*py:\d+"),
    "store": (into_outside, r"py:\d+"),
    "out": (ufunc_into_outside, r"py:\d+"),
    "dataclass": (lambda x: Pair(x * 2), r"returned a Pair"),
    "set": (lambda x: {x * 2}, r"returned a set"),
    "map": (lambda x: map(abs, [x]), r"returned a map"),
    "generator": (generator, r"await or yield"),
    "iterator": (lambda x: (y for y in x), r"returned a generator"),
    "coroutine": (coroutine, r"await or yield"),
    "key": (lambda x: [{"sums": {x.sum(): 1}}], r"as key.*return pairs"),
    "sort": (lambda x: x.data.sort(), r"'sort' of arrays.*py:\d+.*np\.sort"),
    "flat": (lambda x: x.data.flat, r"'flat' of arrays.*py:\d+"),
    "format": (lambda x: f"{x.data.sum():.2f}", r"py:\d+"),
    "search": (search, r"LBFGS searches.*step\(tg\.compile\(closure\)\)"),
    "seed": (seeds, r"seed outside"),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_no_program_can_follow_is_refused(name):
    f, message = REFUSED[name]
    with pytest.raises(errors.CompileError, match=message):
        tg.compile(f)(tg.tensor([1.0, 2.0, 3.0]))
    with pytest.raises(errors.CompileError):  # and in every call, not only in the first
        tg.compile(f)(tg.tensor([1.0, 2.0, 3.0]))


@pytest.mark.parametrize("x", [{1, 2}, bytearray(b"a"), Pair(1)], ids=["set", "bytearray", "Pair"])
def test_arguments_that_cannot_be_compared_are_refused(x):
    with pytest.raises(errors.CompileError, match=f"got {type(x).__name__}"):
        tg.compile(lambda x: 1)(x)


class Settings:
    factor = 2.0


@pytest.mark.parametrize("x", [Settings(), object(), iter([1])], ids=["own", "object", "iterator"])
def test_objects_that_may_change_unnoticed_are_refused(x):
    """With the user's line, and what to pass instead."""
    f = tg.compile(lambda x, o: x * getattr(o, "factor", 1.0))
    for _ in range(2):
        with pytest.raises(errors.CompileError, match=r"for o \(at .*test_compile_review.py:\d+\)"):
            f(np.ones(2), x)


@pytest.mark.parametrize(
    "x",
    [None, ..., "sum", b"a", 3, 2 + 1j, np.float32, np.dtype("f4"), tg.relu, np.add, range(2),
     Path("a"), Fraction(1, 2), partial(tg.sum, axis=0), nn.Linear(2, 2), np.int64(3)],
    ids=lambda x: type(x).__name__,
)  # fmt: skip
def test_arguments_that_stay_what_they_are(x):
    f = tg.compile(lambda a, x: (a * 2, x))
    for _ in range(2):
        assert f(np.ones(2), x)[1] is x or f(np.ones(2), x)[1] == x


def test_an_argument_that_is_also_captured_is_refused():
    layer = nn.Linear(3, 2)
    f = tg.compile(lambda w: layer(np.ones((1, 3), "f4")).sum() + (w * w).sum())
    with pytest.raises(errors.CompileError, match="also used by the function itself"):
        f(layer.weight)


@pytest.mark.parametrize(
    ("f", "good", "bad"),
    [
        (lambda x, i: x[i], np.array([0, 1]), np.array([0, 7])),
        (lambda x, i: F.cross_entropy(x.reshape(1, 3), i), np.array([2]), np.array([3])),
        (lambda x, i: np.linalg.inv(x[0] * tg.tensor(i)), np.eye(2), np.zeros((2, 2))),
    ],
    ids=["index", "class", "singular"],
)
def test_errors_at_run_time_are_those_of_the_function(f, good, bad):
    x = tg.tensor([1.0, 2.0, 3.0])
    compiled = tg.compile(f)
    compiled(x, good)
    with pytest.raises(errors.TinygradError) as expected:
        f(x, bad)
    with pytest.raises(type(expected.value)):
        compiled(x, bad)
    compiled(x, good)


def test_after_an_error_everything_is_as_before_the_call():
    tg.manual_seed(0)
    embedding = nn.Embedding(3, 4)
    net = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 3), nn.BatchNorm1d(3))
    optimizer = tg.optim.Adam([*embedding.parameters(), *net.parameters()], lr=0.1)

    @tg.compile
    def step(i, y):
        optimizer.zero_grad()
        F.cross_entropy(net(embedding(i)), y).backward()
        optimizer.step()

    y = np.array([0, 2])
    step(y, y)
    before, state = copies(net), tg.engine.modes.generator().bit_generator.state
    for i, labels in [(y, np.array([0, 3])), (np.array([0, 5]), y)]:
        with pytest.raises(errors.IndexOutOfRange):
            step(i, labels)
        for name, value in copies(net).items():
            assert_array_equal(value, before[name])
        assert tg.engine.modes.generator().bit_generator.state == state


def test_threads_that_call_the_same_function():
    net = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh())
    f = tg.compile(lambda x: net(x))
    batches = [normal(16, 8, seed=k) for k in range(4)]
    expected = [net(x).data for x in batches]
    f(batches[0])
    wrong, interval = [], sys.getswitchinterval()

    def call(k):
        for _ in range(300):
            if not (f(batches[k]).data == expected[k]).all():
                wrong.append(k)

    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=call, args=(k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong


class Fast(nn.Module):
    """Holds its own compiled forward pass."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.fast = tg.compile(self.run)

    def run(self, x):
        return self.layer(x)

    def forward(self, x):
        return self.fast(x)


def test_copies_run_their_own_program():
    net, x = Fast(), np.ones((1, 2), "f4")
    net(x)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        twin.layer.weight.data[:] = 0
        assert_array_equal(twin(x).data, twin.layer(x).data)
        assert (net(x).data != twin(x).data).any()


SCHEDULES = {
    "step": lambda o: L.StepLR(o, 2),
    "exponential": lambda o: L.ExponentialLR(o, 0.9),
    "cosine": lambda o: L.CosineAnnealingLR(o, 5),
    "restarts": lambda o: L.CosineAnnealingWarmRestarts(o, 2),
    "one cycle": lambda o: L.OneCycleLR(o, 0.5, total_steps=10),
    "lambda": lambda o: L.LambdaLR(o, lambda e: 1 / (1 + e)),
    "sequence": lambda o: L.SequentialLR(
        o, [L.LinearLR(o, total_iters=2), L.ExponentialLR(o, 0.9)], [3]
    ),
}


@pytest.mark.parametrize("inside", [True, False], ids=["inside", "outside"])
@pytest.mark.parametrize("name", list(SCHEDULES))
def test_schedules(name, inside):
    def scenario(wrap):
        net = nn.Linear(3, 2)
        optimizer = tg.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        schedule = SCHEDULES[name](optimizer)

        def step(x):
            optimizer.zero_grad()
            (net(x) ** 2).mean().backward()
            optimizer.step()
            if inside:
                schedule.step()

        step, rates = wrap(step), []
        for _ in range(7):
            step(normal(4, 3))
            if not inside:
                schedule.step()
            rates.append(optimizer.param_groups[0]["lr"])
        return rates, copies(net)

    check(scenario)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16])
def test_numbers_of_numpy_change_as_python_floats_do(kind):
    f = tg.compile(lambda x, rate: x * rate)
    x = np.arange(3, dtype=np.float32)
    for value in (0.5, 2.0, 0.0, np.inf):
        with np.errstate(all="ignore"):
            expected, found = x * kind(value), f(x, kind(value))
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    assert len(f._variants) == 1


def test_programs_of_derivatives_have_the_names_of_the_function():
    def energy(position, mass):
        return 0.5 * mass * (position**2).sum()

    force = tg.compile(tg.func.grad(energy))
    force(np.ones(2), 2.0)
    assert "def grad_of_energy(position, mass):" in force.source


def test_a_compiled_closure_searches_as_the_plain_one_does():
    x = np.random.default_rng(0).standard_normal((8, 3)).astype("f4")

    def trained(wrap):
        tg.manual_seed(0)
        layer = nn.Linear(3, 1)
        optimizer = tg.optim.LBFGS(layer.parameters())

        def closure():
            optimizer.zero_grad()
            loss = ((layer(x) - 1) ** 2).mean()
            loss.backward()
            return loss

        return [optimizer.step(wrap(closure)).item() for _ in range(3)]

    assert trained(tg.compile) == trained(lambda f: f)
