"""No cycles, nothing kept that no rule named, memory flat over a thousand steps without gc."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import tinygrad_cs as tg
from tinygrad_cs import nn


@pytest.fixture
def without_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def training_step(model, optimizer, x, target):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x), target)
    loss.backward()
    optimizer.step()
    return loss.item()


def test_a_thousand_training_steps_leave_nothing_behind(without_collector):
    rng = tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = tg.optim.Adam(model.parameters())
    x, target = rng.normal(size=(8, 4)).astype("float32"), rng.integers(0, 3, 8)
    for _ in range(20):
        training_step(model, optimizer, x, target)
    gc.collect()
    objects = len(gc.get_objects())
    tracemalloc.start()
    try:
        training_step(model, optimizer, x, target)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(1000):
            training_step(model, optimizer, x, target)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 20_000, "less than a byte or twenty per step"
    assert len(gc.get_objects()) - objects < 50
    assert gc.collect() == 0, "cyclic garbage"


def one_of_everything():
    """A graph of scalars and tensors, differentiated in every way there is."""
    s = tg.Scalar(0.5)
    x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    handle = x.register_hook(lambda g: g)
    y = tg.where(x > 1.5, tg.sqrt(x), 0) * s
    z = tg.concat([y, y[[0, 0]], tg.stack([s, s])]).sum() + tg.max(x)
    (first,) = tg.autograd.grad(z, x, create_graph=True)
    (first * first).sum().backward()
    handle.remove()
    tg.func.hessian(lambda v: (v**3).sum())(np.ones(2))
    tg.func.jvp(lambda v: tg.softmax(v, 0), (np.ones(2),), (np.ones(2),))
    with tg.debug():
        (tg.exp(s) + tg.exp(s) * s).backward()
    with pytest.raises(tg.TinygradError):
        (x * np.zeros(5)).sum()


def test_no_operation_makes_cyclic_garbage(without_collector):
    one_of_everything()  # fills caches
    gc.collect()
    for _ in range(3):
        one_of_everything()
    # pytest.raises itself leaves frames in cycles; so does nothing of ours
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        ours = [o for o in gc.garbage if type(o).__module__.startswith("tinygrad_cs")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    assert not [o for o in ours if not isinstance(o, Exception)]


def test_a_graph_dropped_without_backward_is_gone_at_once(without_collector):
    x = tg.tensor(np.ones(1000), requires_grad=True)
    y = tg.exp(x)
    kept, z = weakref.ref(y), (y * y).sum()
    del y
    del z
    assert kept() is None


def test_backward_frees_what_was_saved(without_collector):
    x = tg.tensor(np.ones(100_000), requires_grad=True)
    tracemalloc.start()
    try:
        y = tg.exp(x)
        z = (y * y).sum()
        del y
        with_graph = tracemalloc.get_traced_memory()[0]
        z.backward()
        x.grad = None
        without = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert with_graph - without > 0.9 * x.data.nbytes


def test_only_what_a_rule_named_is_kept(without_collector):
    """tanh needs its output, add needs nothing: of a chain of both only the former survive."""
    x = tg.tensor(np.ones(100_000), requires_grad=True)
    tracemalloc.start()
    try:
        y = x
        for _ in range(5):
            y = y + 1.0
        sums = tracemalloc.get_traced_memory()[0]
        for _ in range(5):
            y = tg.tanh(y) + 0.0
        both = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    size = x.data.nbytes
    assert sums < 1.1 * size
    assert 5.9 * size < both < 6.2 * size


def test_large_graphs_are_deleted_without_recursion(without_collector):
    x = tg.Scalar(1.0)
    for make in (lambda y: y * 1.0, lambda y: y + y):
        y = x
        for _ in range(200_000):
            y = make(y)
        del y
    t = tg.tensor(1.0, requires_grad=True)
    for _ in range(200_000):
        t = tg.sin(t)
    del t
    assert gc.collect() == 0
