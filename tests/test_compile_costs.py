"""What a compiled step takes besides its arithmetic: memory, and work that is done once only."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn, optim


def a_step(model, classes, wrap=lambda f: f):
    """A training step of a net that classifies."""
    loss_of, optimizer = nn.CrossEntropyLoss(), optim.Adam(model.parameters(), lr=1e-3)

    def step(x, y):
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return wrap(step)


def batch(features, classes, samples=32):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((samples, features)).astype(np.float32)
    return x, rng.integers(0, classes, samples)


def perceptron(*sizes):
    layers = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def test_a_program_keeps_its_buffers_though_running_statistics_are_replaced(monkeypatch):
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    step, (x, y) = a_step(model, 3, tg.compile), batch(8, 3)
    for _ in range(3):
        step(x, y)
    made, empty = [], np.empty
    monkeypatch.setattr(np, "empty", lambda *given: made.append(given) or empty(*given))
    before = model[1].running_mean.data
    step(x, y)
    assert model[1].running_mean.data is not before
    assert not made


@pytest.mark.parametrize("sizes", [(100, 300, 200, 10), (64, *[128] * 8, 10)])
def test_a_compiled_step_takes_no_more_memory_than_the_plain_one(sizes):
    x, y = batch(sizes[0], sizes[-1], samples=128)

    def peak(wrap):
        tg.manual_seed(0)
        step = a_step(perceptron(*sizes), sizes[-1], wrap)
        for _ in range(3):
            step(x, y)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        step(x, y)
        return tracemalloc.get_traced_memory()[1], before

    peak(tg.compile)  # what is imported and cached on the first occasion is nobody's
    tracemalloc.start()
    try:
        start = tracemalloc.get_traced_memory()[0]
        plain = peak(lambda f: f)[0] - start
        start = tracemalloc.get_traced_memory()[0]
        compiled = peak(tg.compile)[0] - start
    finally:
        tracemalloc.stop()
    assert compiled <= plain


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_masks_of_relu_as_words_let_pass_what_booleans_do(dtype):
    special = [-0.0, 0.0, np.nan, -np.nan, np.inf, -np.inf, 5e-324, -1.0, 1.0]
    x = np.resize(np.array(special, dtype), (7, 9))
    g = np.resize(np.array([np.nan, np.inf, -np.inf, -0.0, 2.0], dtype), (7, 9))

    def gradient(x, g):
        y = tg.relu(x)
        y.backward(g)
        return y

    plain, compiled = (tg.tensor(x, requires_grad=True) for _ in range(2))
    program = tg.compile(gradient)
    with np.errstate(all="ignore"):
        expected, found = gradient(plain, g), program(compiled, g)
    assert_array_equal(found.data.view(np.uint8), expected.data.view(np.uint8))
    assert_array_equal(compiled.grad.view(np.uint8), plain.grad.view(np.uint8))
    if dtype != "float16":  # of these, NumPy's max(-0.0, 0.0) is -0.0
        assert "np_sign" in program.optimized_source


def test_labels_out_of_range_are_refused_wherever_they_stand():
    tg.manual_seed(0)
    model = perceptron(4, 5, 3)
    step, (x, y) = a_step(model, 3, tg.compile), batch(4, 3)
    for _ in range(2):
        step(x, y)
    before = model.state_dict()
    for place in (0, 17, 31):
        for wrong in (3, -1, 2**40, -(2**62)):
            bad = y.copy()
            bad[place] = wrong
            with pytest.raises(tg.engine.errors.IndexOutOfRange, match=str(wrong)):
                step(x, bad)
    for name, value in model.state_dict().items():
        assert_array_equal(value, before[name])


def test_statistics_of_another_dtype_than_the_batch_keep_theirs():
    rng = np.random.default_rng(0)
    batches = rng.standard_normal((3, 8, 4))  # float64 in a layer of float32
    plain, twin = nn.BatchNorm1d(4), nn.BatchNorm1d(4)
    compiled = tg.compile(lambda x: twin(x))
    for x in batches:
        assert_array_equal(compiled(x).data, plain(x).data)
    for name, value in plain.state_dict().items():
        found = twin.state_dict()[name]
        assert found.dtype == value.dtype
        assert_array_equal(found, value)


TURNED = {
    "matrix and row": lambda x, b: tg.relu(x) + b,
    "row and matrix": lambda x, b: b - tg.relu(x),
    "two matrices": lambda x, b: tg.relu(x) * (x + b),
    "a number": lambda x, b: tg.relu(x) * 3.0,
}


@pytest.mark.parametrize("name", TURNED)
def test_what_is_copied_into_the_other_order_is_computed_in_it(name):
    """The last layer's sum, which the loss wants with its classes first."""
    rng = np.random.default_rng(0)
    x, b, y = rng.normal(size=(6, 4)), rng.normal(size=4), rng.integers(0, 4, 6)

    def f(x, b):
        loss = nn.functional.cross_entropy(TURNED[name](x, b), y)
        loss.backward()
        return loss

    found, compiled = [], tg.compile(f)
    for call in (f, compiled, compiled):
        given = [tg.tensor(a, requires_grad=True) for a in (x, b)]
        found.append([call(*given).data, *(t.grad for t in given if t.grad is not None)])
    for again in found[1:]:
        for ours, theirs in zip(again, found[0], strict=True):
            assert_array_equal(ours, theirs)
    assert "np_positive" not in compiled.optimized_source
    assert "np.positive(" in compiled.source  # for reading, as it was


def test_what_others_read_as_well_is_not_turned():
    y = np.array([0, 1, 1])

    def f(x):
        logits = x * 2
        return nn.functional.cross_entropy(logits, y), logits

    x = np.random.default_rng(0).normal(size=(3, 4))
    compiled = tg.compile(f)
    for ours, theirs in zip(compiled(x), f(x), strict=True):
        assert_array_equal(np.asarray(ours), np.asarray(theirs))
    assert "np_positive" in compiled.optimized_source
