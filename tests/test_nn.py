"""Modules: what they find in themselves, what they load, how they print, what they compute."""

import numpy as np
import pytest
from draws import central_differences
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.engine import errors
from tinygrad_cs.engine.tensor import overwrite
from tinygrad_cs.nn import functional


class Net(nn.Module):
    """Parameters, buffers and modules in a deliberate order, one module twice."""

    def __init__(self):
        self.scale = nn.Parameter([2.0])
        self.body = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
        self.register_buffer("mean", np.zeros(3, "float32"))
        self.offset = nn.Parameter([0.0, 0.0])
        self.again = self.body[0]

    def forward(self, x):
        return self.body(x - self.mean) * self.scale + self.offset


NAMES = ["scale", "offset", "body.0.weight", "body.0.bias", "body.2.weight", "body.2.bias"]


def test_parameters_come_in_order_and_once():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [name for name, _ in net.named_buffers()] == ["mean"]
    assert len(list(net.parameters())) == len(NAMES)
    assert [name for name, _ in net.named_children()] == ["body", "again"]
    assert list(net.children()) == [net.body, net.again]
    modules = [name for name, _ in net.named_modules()]
    assert modules[:4] == ["", "body", "body.0", "body.1"]


def test_state_dict_copies_and_loads():
    net, other = Net(), Net()
    state = net.state_dict()
    assert list(state) == [*NAMES, "again.weight", "again.bias", "mean"]
    assert all(type(a) is np.ndarray and a.dtype == np.float32 for a in state.values())
    state["mean"] = np.ones(3)  # float64: takes the parameter's dtype
    other.load_state_dict(state)
    for name, value in other.state_dict().items():
        assert_array_equal(value, state[name])
        assert value.dtype == np.float32
    state["scale"][0] = 100.0
    assert net.scale.data[0] == other.scale.data[0] == 2.0


def test_every_problem_of_a_state_dict_is_listed_and_nothing_loaded():
    net = Net()
    before = net.state_dict()
    state = {**before, "body.0.wieght": before["body.0.weight"], "scale": np.ones((5, 5))}
    del state["body.0.weight"], state["again.weight"], state["mean"]
    state["offset"] = np.full(2, 7.0)
    with pytest.raises(errors.StateDictError) as caught:
        net.load_state_dict(state)
    message = str(caught.value)
    for part in [
        "nothing was loaded",
        "missing: body.0.weight (4, 3)",
        "missing: mean (3,)",
        "unexpected: body.0.wieght (4, 3); did you mean 'body.0.weight'?",
        "shape of scale: expected (1,), got (5, 5)",
    ]:
        assert part in message
    assert "\\n" not in message and "\n" in message
    for name, value in net.state_dict().items():
        assert_array_equal(value, before[name])


def test_entries_that_are_not_numbers_load_nothing():
    net = Net()
    before = net.state_dict()
    with pytest.raises(errors.DTypeError):
        net.load_state_dict({**before, "offset": np.ones(2), "mean": "abc"})
    assert_array_equal(net.offset.data, before["offset"])


def test_train_and_eval_reach_everything():
    net = Net()
    assert net.training
    assert net.eval() is net
    assert not any(module.training for _, module in net.named_modules())
    net.body.train()
    assert net.body[0].training and not net.training


def test_zero_grad():
    net = Net()
    net(np.ones((2, 3), "float32")).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_repr_shows_the_tree():
    net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Tanh(), nn.Linear(3, 1, bias=False)))
    assert repr(net).splitlines() == [
        "Sequential(",
        "  0: Linear(in_features=2, out_features=3)  # 9",
        "  1: Sequential(",
        "    0: Tanh()",
        "    1: Linear(in_features=3, out_features=1, bias=False)  # 3",
        "  )",
        ")",
        "12 parameters",
    ]


def test_sequential():
    net = nn.Sequential(nn.Linear(2, 3), np.abs, lambda x: x * 2)
    assert len(net) == 3 and list(net)[1] is np.abs and net[0].out_features == 3
    x = np.ones((1, 2), "float32")
    assert_array_equal(net(x).data, np.abs(net[0](x).data) * 2)
    with pytest.raises(errors.ArgumentError, match="argument 1 is int"):
        nn.Sequential(nn.ReLU(), 3)
    assert nn.Sequential()(5) == 5


def test_errors_name_the_layer():
    net = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.ReLU(), nn.Linear(5, 2)))
    with pytest.raises(errors.ShapeError) as caught:
        net(np.ones((2, 3), "float32"))
    text = str(caught.value)
    assert text.startswith("in layer '1.1 (Linear)': linear: expected an input of shape (..., 5)")
    assert "got (2, 4)" in text
    with pytest.raises(errors.ShapeError, match=r"in layer 'Linear': linear.*got \(7,\)"):
        nn.Linear(3, 1)(np.ones(7))
    with pytest.raises(errors.ArgumentError, match="Module does not define forward"):
        nn.Module()(1)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (0, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_on_any_number_of_axes(shape, bias):
    tg.manual_seed(0)
    layer = nn.Linear(3, 2, bias=bias)
    if bias:
        overwrite(layer.bias, np.array([1.0, -1.0]))
    x = tg.tensor(np.random.default_rng(0).normal(size=shape).astype("float32"), requires_grad=True)
    out = layer(x)
    b = layer.bias.data if bias else 0
    assert_allclose(out.data, x.data @ layer.weight.data.T + b, rtol=1e-6, atol=1e-6)
    out.sum().backward()
    rows = x.data.reshape(-1, 3)
    assert_allclose(layer.weight.grad, np.ones((2, 1)) * rows.sum(0), rtol=1e-5, atol=1e-6)
    assert_allclose(x.grad, np.broadcast_to(layer.weight.data.sum(0), shape), rtol=1e-6)
    if bias:
        assert_array_equal(layer.bias.grad, [len(rows)] * 2)
    assert len(list(layer.parameters())) == 1 + bias


def test_linear_refuses():
    with pytest.raises(errors.ArgumentError, match=r"in_features must be a whole number.*got 0"):
        nn.Linear(0, 2)
    with pytest.raises(errors.ShapeError, match=r"got \(\)"):
        nn.Linear(1, 2)(np.array(1.0))


ACTIVATIONS = [nn.ReLU, nn.Tanh, nn.Sigmoid]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(), nn.MSELoss()])
def test_gradients_of_a_net_against_finite_differences(activation, loss):
    rng = tg.manual_seed(0)
    x = rng.normal(size=(6, 3))
    target = rng.integers(0, 2, 6) if isinstance(loss, nn.CrossEntropyLoss) else x[:, :2]
    tg.set_default_dtype("float64")
    try:
        net = nn.Sequential(nn.Linear(3, 5), activation(), nn.Linear(5, 2))
    finally:
        tg.set_default_dtype("float32")
    params = list(net.parameters())
    value = loss(net(x), target)
    value.backward()

    def at(*arrays):
        for p, a in zip(params, arrays, strict=True):
            overwrite(p, a)
        return loss(net(x), target).item()

    start = [p.data.copy() for p in params]
    for p, numeric in zip(params, central_differences(at, start), strict=True):
        assert_allclose(p.grad, numeric, rtol=1e-6, atol=1e-9)


def test_losses_reduce():
    logits = tg.tensor(np.random.default_rng(0).normal(size=(4, 3)))
    target = np.array([0, 2, 1, 1])
    each = functional.cross_entropy(logits, target, reduction="none")
    p = np.exp(logits.data) / np.exp(logits.data).sum(1, keepdims=True)
    assert_allclose(each.data, -np.log(p[np.arange(4), target]))
    assert_allclose(functional.cross_entropy(logits, target).item(), each.data.mean())
    assert_allclose(nn.CrossEntropyLoss(reduction="sum")(logits, target).item(), each.data.sum())
    assert_allclose(functional.cross_entropy(logits[0], target[0]).item(), each.data[0])
    a, b = logits, np.ones((4, 3))
    assert_allclose(functional.mse_loss(a, b, "none").data, (a.data - 1) ** 2)
    assert_allclose(nn.MSELoss()(a, b).item(), ((a.data - 1) ** 2).mean())
    assert_allclose(nn.MSELoss("sum")(a, b).item(), ((a.data - 1) ** 2).sum())


def test_cross_entropy_does_not_overflow():
    logits = tg.tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    loss = functional.cross_entropy(logits, np.array([0, 0]))
    loss.backward()
    assert loss.item() == 1e4
    assert_array_equal(logits.grad, [[0, 0], [-0.5, 0.5]])


# How wide each law makes the weights: the variance, and the largest value over its root.
LAWS = {
    "kaiming_normal_": (lambda i, o: 2 / i, None),
    "kaiming_uniform_": (lambda i, o: 2 / i, 3**0.5),
    "xavier_normal_": (lambda i, o: 2 / (i + o), None),
    "xavier_uniform_": (lambda i, o: 2 / (i + o), 3**0.5),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("shape", [(400, 100), (50, 20, 6, 6)])
def test_variance_laws_of_initialisers(law, shape):
    tg.manual_seed(0)
    w = nn.Parameter(np.zeros(shape, "float32"))
    assert getattr(nn.init, law)(w) is w
    receptive = int(np.prod(shape[2:]))
    variance, bound = LAWS[law]
    expected = variance(shape[1] * receptive, shape[0] * receptive)
    n = w.size
    assert w.dtype == np.float32
    assert abs(w.data.mean()) < 5 * np.sqrt(expected / n)
    # the variance of n numbers is good to sqrt(2 / n), five times over
    assert_allclose(w.data.var(), expected, rtol=5 * np.sqrt(2 / n))
    largest = np.abs(w.data).max() / np.sqrt(expected)
    assert largest > 3.5 if bound is None else 0.99 * bound < largest <= bound * (1 + 1e-6)


def test_initialisers():
    w = nn.Parameter(np.zeros((200, 100), "float32"))
    nn.init.normal_(w, 3.0, 0.5)
    assert_allclose([w.data.mean(), w.data.std()], [3.0, 0.5], rtol=0.02)
    nn.init.uniform_(w, 2.0, 4.0)
    assert w.data.min() >= 2 and w.data.max() <= 4
    assert_allclose(w.data.mean(), 3.0, rtol=0.01)
    nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="linear")
    assert_allclose(w.data.var(), 1 / 200, rtol=0.06)
    assert (nn.init.constant_(w, 3).data == 3).all() and not nn.init.zeros_(w).data.any()
    assert nn.init.calculate_gain("relu") == 2**0.5
    with pytest.raises(errors.ArgumentError, match=r"'relu'.*got 'rleu'"):
        nn.init.calculate_gain("rleu")
    with pytest.raises(errors.ArgumentError, match="'fan_in' or 'fan_out', got 'fan'"):
        nn.init.kaiming_normal_(w, mode="fan")
    with pytest.raises(errors.ShapeError, match=r"two axes or more, got \(3,\)"):
        nn.init.xavier_normal_(nn.Parameter(np.zeros(3)))


def test_a_seed_repeats_a_model():
    first, second = [], []
    for states in (first, second):
        tg.manual_seed(3)
        states.append(nn.Linear(4, 4).state_dict())
    assert_array_equal(first[0]["weight"], second[0]["weight"])
    assert nn.Linear(4, 4).weight.data.std() > 0 and not nn.Linear(4, 4).bias.data.any()


def test_buffers():
    net = Net()
    assert isinstance(net.mean, tg.Tensor) and not net.mean.requires_grad
    with pytest.raises(errors.ArgumentError, match="'forward' is already a name"):
        net.register_buffer("forward", np.ones(1))


def test_constants_keep_infinite_weights_out():
    w = nn.Parameter([np.inf, np.nan])
    assert_array_equal(nn.init.zeros_(w).data, [0.0, 0.0])
