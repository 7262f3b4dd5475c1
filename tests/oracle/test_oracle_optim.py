"""Twenty steps of every optimizer, clipping and averages: the same weights as PyTorch's."""

import numpy as np
import pytest
from agreement import torch
from numpy.testing import assert_allclose

import tinygrad_cs as tg
from tinygrad_cs.engine.tensor import overwrite

SHAPES = [(3, 4), (4,), (), (2, 1, 2), (5,)]
CLOSE = {"rtol": 1e-10, "atol": 1e-12}

OPTIMIZERS = {
    "SGD": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "maximize": True},
    ],
    "Adagrad": [
        {},
        {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3},
        {"lr": 0.1, "weight_decay": 0.1, "maximize": True},
    ],
    "RMSprop": [
        {},
        {"lr": 0.1, "alpha": 0.7, "eps": 1e-3},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "centered": True},
        {"lr": 0.1, "centered": True, "momentum": 0.5, "weight_decay": 0.1, "maximize": True},
    ],
    "Adadelta": [
        {},
        {"lr": 0.5, "rho": 0.6, "eps": 1e-3},
        {"weight_decay": 0.1, "maximize": True},
    ],
    "Adam": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "betas": (0.5, 0.6), "eps": 0.01},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "amsgrad": True, "betas": (0.5, 0.6)},
        {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.1, "decoupled_weight_decay": True, "weight_decay": 0.1},
        {"lr": 0.1, "betas": (0.0, 0.0)},
    ],
    "AdamW": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "weight_decay": 0.5, "amsgrad": True},
        {"lr": 0.1, "weight_decay": 0.5, "maximize": True, "betas": (0.5, 0.6), "eps": 0.01},
    ],
    "Adamax": [
        {},
        {"lr": 0.1, "betas": (0.5, 0.6), "eps": 0.01},
        {"lr": 0.1, "weight_decay": 0.1, "maximize": True},
    ],
    "NAdam": [
        {},
        {"lr": 0.1, "betas": (0.5, 0.6), "eps": 0.01, "momentum_decay": 0.1},
        {"lr": 0.1, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True},
    ],
}
CASES = [(name, options) for name, several in OPTIMIZERS.items() for options in several]
every_case = pytest.mark.parametrize(("name", "options"), CASES)


@pytest.fixture(autouse=True)
def float64():
    # PyTorch keeps some of its state (the product of NAdam's momenta) in the default dtype
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def pairs(shapes=SHAPES):
    """The same random parameters, ours and PyTorch's."""
    rng = np.random.default_rng(0)
    values = [rng.normal(size=shape) for shape in shapes]
    ours = [tg.tensor(value, requires_grad=True) for value in values]
    return ours, [torch.from_numpy(np.array(value)).requires_grad_() for value in values]


def give_gradients(ours, theirs, rng, missing=0.3):
    """The same random gradients, and none in the same places."""
    for p, q in zip(ours, theirs, strict=True):
        g = None if rng.random() < missing else np.asarray(rng.normal(size=p.shape) + p.data)
        p.grad = g
        q.grad = None if g is None else torch.from_numpy(g.copy())


def assert_same(ours, theirs):
    for i, (p, q) in enumerate(zip(ours, theirs, strict=True)):
        assert_allclose(p.data, q.detach().numpy(), err_msg=f"parameter {i}", **CLOSE)


def agree(make, change=lambda optimizer, step: None, missing=0.3):
    """Twenty steps of `make(optim, parameters)`, with `change` before each."""
    ours, theirs = pairs()
    mine, other = make(tg.optim, ours), make(torch.optim, theirs)
    rng = np.random.default_rng(1)
    for step in range(20):
        change(mine, step)
        change(other, step)
        give_gradients(ours, theirs, rng, missing)
        mine.step()
        other.step()
        assert_same(ours, theirs)


@every_case
@pytest.mark.parametrize("missing", [0.0, 0.3], ids=["all", "some"])
def test_twenty_steps(name, options, missing):
    agree(lambda optim, params: getattr(optim, name)(params, **options), missing=missing)


@every_case
def test_groups_and_a_group_that_comes_later(name, options):
    """PyTorch gives Adagrad's option for the start of its state to all groups alike."""
    options = {k: v for k, v in options.items() if k != "initial_accumulator_value"}

    def make(optim, params):
        groups = [{"params": params[:2], "lr": 0.05, **options}, {"params": params[2:4]}]
        return getattr(optim, name)(groups, lr=0.02)

    def change(optimizer, step):
        kind = tg if isinstance(optimizer, tg.optim.Optimizer) else torch
        if step == 7:
            added[kind] = kind.tensor(np.arange(5.0), requires_grad=True)
            optimizer.add_param_group({"params": [added[kind]], **options})
        if step >= 7:
            g = np.linspace(-1, 1, 5) * step
            added[kind].grad = g if kind is tg else torch.from_numpy(g)

    added = {}
    agree(make, change)
    assert_same([added[tg]], [added[torch]])


@pytest.mark.parametrize("name", ["Adam", "AdamW", "NAdam", "Adamax"])
@pytest.mark.parametrize("missing", [0.0, 0.3], ids=["all", "some"])
def test_schedules_that_change_rates_and_betas(name, missing):
    def change(optimizer, step):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 / (1 + step)
            group["betas"] = (0.8 + 0.1 * (step % 3) / 3, 0.95 + 0.01 * (step % 2))

    agree(lambda optim, params: getattr(optim, name)(params), change, missing)
    if name in ("Adam", "AdamW"):
        agree(lambda optim, params: getattr(optim, name)(params, amsgrad=True), change, missing)


@pytest.mark.parametrize("name", ["SGD", "RMSprop"])
def test_schedules_that_change_momentum(name):
    def change(optimizer, step):
        for group in optimizer.param_groups:
            group["momentum"] = 0.8 + 0.1 * (step % 3) / 3

    agree(lambda optim, params: getattr(optim, name)(params, lr=0.1, momentum=0.9), change)


def rosenbrock(x):
    return ((1 - x[:-1]) ** 2).sum() + 10 * ((x[1:] - x[:-1] ** 2) ** 2).sum()


def bowl(x):
    return (abs(x) ** 3 + x * x * np.arange(1.0, 7.0)).sum()


def wells(x):
    return (x**4 - 3 * x * x + x).sum() + (x[1:] * x[:-1]).sum()


LBFGS = [
    ("strong_wolfe", {}),
    ("strong_wolfe", {"lr": 0.1, "history_size": 2}),
    ("strong_wolfe", {"lr": 5.0, "max_iter": 4}),
    ("strong_wolfe", {"max_eval": 3}),
    ("strong_wolfe", {"lr": 30.0, "max_iter": 3}),
    (None, {"lr": 0.05}),
    (None, {"lr": 0.05, "history_size": 3, "max_iter": 5}),
    (None, {"lr": 0.01, "max_eval": 7}),
]


@pytest.mark.parametrize(("search", "options"), LBFGS)
@pytest.mark.parametrize("f", [rosenbrock, bowl, wells])
def test_lbfgs(f, search, options):
    """Evaluation by evaluation, over several steps that go on with the same memory."""
    start = np.array([-1.2, 1.0, 0.7, -0.4, 0.3, 1.9])
    seen = {}
    for kind in (tg, torch):
        x = kind.tensor(start, requires_grad=True)
        idle = kind.tensor(start[:2].copy(), requires_grad=True)
        params = [idle, x]
        optimizer = kind.optim.LBFGS(params, line_search_fn=search, **options)
        losses = seen[kind] = []

        def closure(x=x, losses=losses, kind=kind, optimizer=optimizer):
            optimizer.zero_grad()
            loss = f(x) if f is not bowl or kind is tg else bowl_in_torch(x)
            loss.backward()
            losses.append(float(loss.item()))
            return loss

        for _ in range(3):
            first = optimizer.step(closure)
            losses.append(float(first.item()))
        losses += [float(v) for v in (x.data if kind is tg else x.detach())]
        assert_allclose(idle.data, start[:2])
    assert len(seen[tg]) == len(seen[torch])
    assert_allclose(seen[tg], seen[torch], rtol=1e-9, atol=1e-9)


def bowl_in_torch(x):
    return (abs(x) ** 3 + x * x * torch.arange(1.0, 7.0)).sum()


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.5, float("inf")])
@pytest.mark.parametrize("max_norm", [0.1, 1.0, 1e6, 0.0])
@pytest.mark.parametrize("in_buffer", [False, True])
@pytest.mark.parametrize("missing", [0.0, 0.5])
def test_clip_grad_norm(norm_type, max_norm, in_buffer, missing):
    ours, theirs = pairs()
    if in_buffer:
        tg.optim.SGD(ours[1:])
    give_gradients(ours, theirs, np.random.default_rng(3), missing)
    mine = tg.nn.utils.clip_grad_norm_(ours, max_norm, norm_type)
    other = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    assert_allclose(mine, float(other), rtol=1e-12)
    for p, q in zip(ours, theirs, strict=True):
        assert (p.grad is None) == (q.grad is None)
        if p.grad is not None:
            assert_allclose(p.grad, q.grad.numpy(), **CLOSE)


def test_clip_grad_value():
    ours, theirs = pairs()
    give_gradients(ours, theirs, np.random.default_rng(3))
    tg.nn.utils.clip_grad_value_(ours, 0.5)
    torch.nn.utils.clip_grad_value_(theirs, 0.5)
    for p, q in zip(ours, theirs, strict=True):
        if p.grad is not None:
            assert_allclose(p.grad, q.grad.numpy(), rtol=0, atol=0)


def test_vectors():
    ours, theirs = pairs()
    vector = tg.nn.utils.parameters_to_vector(ours)
    other = torch.nn.utils.parameters_to_vector(theirs)
    assert_allclose(vector.data, other.detach().numpy(), rtol=0)
    (vector**3).sum().backward()
    (other**3).sum().backward()
    for p, q in zip(ours, theirs, strict=True):
        assert_allclose(p.grad, q.grad.numpy(), rtol=1e-14)
    tg.nn.utils.vector_to_parameters(vector.data * 2, ours)
    torch.nn.utils.vector_to_parameters(other.detach() * 2, theirs)
    assert_same(ours, theirs)


@pytest.mark.parametrize("decay", [0.0, 0.9, 1.0])
def test_exponential_moving_average(decay):
    model = torch.nn.Linear(4, 3)
    averaged = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(decay)
    )
    ours = [tg.tensor(p.detach().numpy().copy(), requires_grad=True) for p in model.parameters()]
    average = tg.optim.ExponentialMovingAverage(ours, decay)
    rng = np.random.default_rng(0)
    for _ in range(10):
        for p, q in zip(ours, model.parameters(), strict=True):
            value = rng.normal(size=p.shape)
            overwrite(p, value)
            q.data.copy_(torch.from_numpy(value))
        average.update()
        averaged.update_parameters(model)
    with average.applied():
        assert_same(ours, list(averaged.module.parameters()))
