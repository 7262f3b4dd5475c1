"""What modules do with all their parameters at once: load, freeze, convert, initialise anew."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn, optim
from tinygrad_cs.engine import errors


class Counting(nn.Module):
    """A floating and an integer buffer beside a parameter."""

    def __init__(self):
        self.scale = nn.Parameter([1.0, 2.0])
        self.register_buffer("mean", np.zeros(2, "float32"))
        self.register_buffer("calls", np.array(0))

    def forward(self, x):
        return (x - self.mean) * self.scale


def test_integer_buffers_are_state():
    module = Counting()
    state = module.state_dict()
    assert state["calls"].dtype == np.int64 and state["calls"].shape == ()
    module.load_state_dict({**state, "calls": np.array(7, "int32")})
    assert module.calls.data == 7 and module.calls.dtype == np.int64
    module.calls = module.calls + 1
    module.mean = np.ones(2, "float32")  # an array in a buffer's place becomes a tensor
    assert isinstance(module.mean, tg.Tensor)
    assert module.state_dict()["calls"] == 8
    module.mean = None
    assert [name for name, _ in module.named_buffers()] == ["calls"]
    module.register_buffer("calls", np.array(1))
    assert len(list(module.named_buffers())) == 1


def test_parameters_under_names_made_at_run_time():
    module = nn.Module()
    module.register_parameter("w0", nn.Parameter([1.0]))
    module.register_parameter("w1", None)
    assert list(module.state_dict()) == ["w0"] and module.w1 is None
    with pytest.raises(errors.ArgumentError, match="'w' and ndarray"):
        module.register_parameter("w", np.ones(1))
    with pytest.raises(errors.ArgumentError, match="free name"):
        module.register_parameter("train", nn.Parameter([1.0]))


def tied():
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    return net


def test_a_shared_parameter_may_come_under_each_of_its_names():
    net = tied()
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    full = {**net.state_dict(), "0.weight": np.eye(3), "1.weight": np.eye(3)}
    net.load_state_dict(full)
    assert_array_equal(net[0].weight.data, np.eye(3))
    del full["0.weight"]
    net.load_state_dict(full)  # one name is enough
    del full["1.weight"]
    with pytest.raises(errors.StateDictError, match=r"missing: 0.weight \(3, 3\)$"):
        net.load_state_dict(full)


def test_states_that_are_none():
    net = nn.Linear(2, 1)
    with pytest.raises(errors.ArgumentError, match=r"expected the dict.*got Linear"):
        net.load_state_dict(nn.Linear(2, 1))
    checkpoint = {"model": net.state_dict(), "epoch": 3}
    with pytest.raises(errors.StateDictError, match=r"load_state_dict\(state\['model'\]\)"):
        net.load_state_dict(checkpoint)


def test_loading_reaches_a_module_that_an_optimizer_holds():
    net = nn.Linear(2, 1)
    optimizer = optim.SGD(net.parameters(), lr=0.5)
    net.load_state_dict({"weight": np.ones((1, 2)), "bias": np.zeros(1)})
    net(np.ones((1, 2), "float32")).sum().backward()
    optimizer.step()
    assert_array_equal(net.weight.data, [[0.5, 0.5]])


def test_apply_goes_from_the_leaves_to_the_root():
    net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Tanh(), nn.Linear(3, 1)))
    seen = []
    assert net.apply(seen.append) is net
    assert seen == [net[0], net[1][0], net[1][1], net[1], net]

    def ones(module):
        if isinstance(module, nn.Linear):
            nn.init.constant_(module.weight, 1.0)

    net.apply(ones)
    assert (net[0].weight.data == 1).all() and (net[1][1].weight.data == 1).all()


def test_modules_come_once():
    shared = nn.Tanh()
    net = nn.Sequential(shared, nn.Linear(2, 2), shared)
    assert list(net.modules()) == [net, shared, net[1]]


def test_frozen_layers_pass_gradients_on():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    assert net[1].requires_grad_(False) is net[1]
    net(np.ones((4, 2), "float32")).sum().backward()
    assert net[1].weight.grad is None and net[0].weight.grad is not None
    net.requires_grad_()
    net(np.ones((4, 2), "float32")).sum().backward()
    assert net[1].weight.grad is not None


def test_another_dtype():
    module = Counting()
    module.scale.requires_grad = False
    for convert, dtype in [
        (module.double, "float64"),
        (module.float, "float32"),
        (lambda: module.to("float64"), "float64"),
        (lambda: module.to(np.float64), "float64"),
    ]:
        assert convert() is module
        assert module.scale.dtype == module.mean.dtype == np.dtype(dtype)
        assert module.calls.dtype == np.int64 and not module.scale.requires_grad
    module.requires_grad_()
    out = module(np.ones(2))
    assert out.dtype == np.float64
    out.sum().backward()
    assert module.scale.grad.dtype == np.float64
    for wrong in (int, "bool"):
        with pytest.raises(errors.DTypeError, match="floating dtype"):
            module.to(wrong)


def test_converting_values_that_a_graph_or_an_optimizer_holds():
    net = nn.Linear(2, 1)
    loss = (net(np.ones((1, 2), "float32")) * net.weight).sum()
    net.double()
    with pytest.raises(errors.StaleValueError):
        loss.backward()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    net.to("float64")  # nothing to do
    with pytest.raises(errors.ArgumentError, match="before the optimizer is made"):
        net.to("float32")
    assert net.weight.dtype == np.float64 and optimizer
