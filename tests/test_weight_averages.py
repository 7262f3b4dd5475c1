"""The exponential moving average of weights."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn, optim
from tinygrad_cs.engine import errors
from tinygrad_cs.engine.tensor import overwrite
from tinygrad_cs.optim import ExponentialMovingAverage

SHAPES = [(3, 4), (4,), (), (200, 201)]


class Counting(nn.Module):
    """A module with a buffer that is put in place anew at every call."""

    def __init__(self):
        self.weight = nn.Parameter(np.ones(2))
        self.register_buffer("mean", np.zeros(3))

    def forward(self, x):
        self.mean = tg.tensor(self.mean.data + 1)
        return x * self.weight


@pytest.mark.parametrize("layout", ["alone", "buffer", "other order", "later", "mixed dtypes"])
def test_the_formula(layout):
    rng = np.random.default_rng(0)
    dtypes = ["float64"] * 4 if layout != "mixed dtypes" else ["float64", "float32"] * 2
    params = [
        tg.tensor(rng.normal(size=s).astype(d), requires_grad=True)
        for s, d in zip(SHAPES, dtypes, strict=True)
    ]
    if layout in ("buffer", "mixed dtypes"):
        optim.SGD(params)
    elif layout == "other order":
        optim.SGD(params[::-1])
    average = ExponentialMovingAverage(params, decay=0.8)
    means = None
    for step in range(6):
        if layout == "later" and step == 3:
            optim.SGD(params)
        for p in params:
            overwrite(p, rng.normal(size=p.shape).astype(p.dtype))
        average.update()
        now = [p.data.copy() for p in params]
        means = now if means is None else [
            0.8 * m + 0.2 * v for m, v in zip(means, now, strict=True)
        ]  # fmt: skip
    assert average.updates == 6
    with average.applied():
        for p, m, d in zip(params, means, dtypes, strict=True):
            assert p.dtype == d
            assert_allclose(p.data, m, rtol=1e-12 if d == "float64" else 1e-5, atol=1e-6)
    for p, v in zip(params, now, strict=True):
        assert_array_equal(p.data, v)


@pytest.mark.parametrize("in_buffer", [False, True])
def test_the_first_update_takes_the_weights_exactly(in_buffer):
    w = tg.tensor(np.array([1e16, 1.0]), requires_grad=True)
    if in_buffer:
        optim.SGD([w])
    average = ExponentialMovingAverage([w])
    w.data = np.array([0.1, 0.3])
    average.update()
    average.copy_to()
    assert_array_equal(w.data, [0.1, 0.3])


def test_a_flat_buffer_is_read_as_one():
    params = [tg.tensor(np.ones(s), requires_grad=True) for s in SHAPES]
    optim.SGD(params)
    (flat,) = ExponentialMovingAverage(params)._flat
    assert flat.source() is params[0]._node.home.values
    optim.SGD(params[:2])
    assert flat.source() is None
    optim.SGD(params)
    assert flat.source() is params[0]._node.home.values
    params[1].requires_grad = False
    assert flat.source() is None


def test_buffers_are_copied_and_put_back():
    model = Counting()
    average = ExponentialMovingAverage(model, 0.5)
    for value in (1.0, 3.0):
        model.weight.data = [value, value]
        model(np.ones(2))
        average.update()
    model(np.ones(2))
    assert_array_equal(model.mean.data, [3, 3, 3])
    with average.applied():
        assert_array_equal(model.mean.data, [2, 2, 2])
        assert_array_equal(model.weight.data, [2, 2])
    assert_array_equal(model.mean.data, [3, 3, 3])
    assert_array_equal(model.weight.data, [3, 3])
    other = Counting()
    other.load_state_dict(average.state_dict()["average"])
    assert_array_equal(other.weight.data, [2, 2])
    third = Counting()
    average.copy_to(third)
    assert_array_equal(third.mean.data, [2, 2, 2])
    assert_array_equal(third.weight.data, [2, 2])
    plain = Counting()
    average.copy_to(plain.parameters())
    assert_array_equal(plain.weight.data, [2, 2])
    assert_array_equal(plain.mean.data, [0, 0, 0])


def test_an_error_inside_the_block_puts_the_weights_back():
    w = tg.tensor([1.0], requires_grad=True)
    average = ExponentialMovingAverage(w, 0.5)
    average.update()
    w.data = [5.0]
    with pytest.raises(ZeroDivisionError), average.applied():
        assert w.data == 1
        raise ZeroDivisionError
    assert w.data == 5
    average.update()
    with average.applied():
        assert w.data == 3
        with pytest.raises(errors.GraphError, match="applied already"), average.applied():
            pass
        with pytest.raises(errors.GraphError, match=r"inside applied\(\)"):
            average.update()
    assert w.data == 5


def test_graphs_across_the_border_of_the_block_are_refused():
    w = tg.tensor([1.0], requires_grad=True)
    optim.SGD([w])
    average = ExponentialMovingAverage([w])
    loss = (w * w).sum()
    with average.applied():
        inside = (w * w).sum()
    for graph in (loss, inside):
        with pytest.raises(errors.StaleValueError):
            graph.backward()


def test_a_saved_average_goes_on_alike():
    def trained(average, model, steps, rng):
        for _ in range(steps):
            for p in model.parameters():
                overwrite(p, rng.normal(size=p.shape).astype(p.dtype))
            average.update()

    one, other = nn.Linear(2, 3), nn.Linear(2, 3)
    first, second = ExponentialMovingAverage(one, 0.7), ExponentialMovingAverage(other)
    trained(first, one, 3, np.random.default_rng(0))
    saved = first.state_dict()
    second.load_state_dict(saved)
    third_model, third = copy.deepcopy((one, first))
    for average, model in ((first, one), (second, other), (third, third_model)):
        trained(average, model, 3, np.random.default_rng(1))
    for a in (second, third):
        for name, value in first.state_dict()["average"].items():
            assert_array_equal(a.state_dict()["average"][name], value)
        assert a.updates == 6 and a.decay == 0.7
    assert not np.array_equal(saved["average"]["weight"], first.state_dict()["average"]["weight"])


def test_refusals():
    model = nn.Linear(2, 1)
    average = ExponentialMovingAverage(model)
    saved = average.state_dict()
    del saved["average"]["bias"], saved["decay"]
    saved["average"]["wieght"] = np.zeros(1)
    saved["average"]["weight"] = np.zeros(3)
    with pytest.raises(errors.StateDictError) as caught:
        average.load_state_dict(saved)
    assert str(caught.value).splitlines()[1:] == [
        "  missing: 'decay'",
        "  missing: bias (1,)",
        "  unexpected: wieght",
        "  shape of weight: expected (1, 2), got (3,)",
    ]
    for decay in (-0.1, 1.1, "a", float("nan")):
        with pytest.raises(errors.ArgumentError, match=r"decay must be a number in \[0, 1\]"):
            ExponentialMovingAverage(model, decay)
    with pytest.raises(errors.ArgumentError, match="parameter list is empty"):
        ExponentialMovingAverage([])
    with pytest.raises(errors.ArgumentError, match="nothing was changed: expected parameters of"):
        average.copy_to(nn.Linear(3, 1))
