"""Stateless activations against PyTorch's, with all their arguments."""

import numpy as np
import pytest
from agreement import agree, torch
from numpy.testing import assert_allclose

import tinygrad_cs as tg

RNG = np.random.default_rng(0)
SHAPES = [(7,), (3, 4), (2, 3, 4), (40, 50)]
CALLS = {
    "relu": lambda F, x: F.relu(x),
    "relu6": lambda F, x: F.relu6(3 * x),
    "leaky_relu": lambda F, x: F.leaky_relu(x),
    "leaky_relu 0.2": lambda F, x: F.leaky_relu(x, negative_slope=0.2),
    "leaky_relu 2": lambda F, x: F.leaky_relu(x, 2.0),
    "leaky_relu -1": lambda F, x: F.leaky_relu(x, -1.0),
    "hardtanh": lambda F, x: F.hardtanh(x),
    "hardtanh 0, 1.5": lambda F, x: F.hardtanh(x, min_val=0.0, max_val=1.5),
    "sigmoid": lambda F, x: F.sigmoid(x),
    "tanh": lambda F, x: F.tanh(x),
    "logsigmoid": lambda F, x: F.logsigmoid(x),
    "softplus": lambda F, x: F.softplus(x),
    "softplus 5": lambda F, x: F.softplus(x, beta=5, threshold=3),
    "elu": lambda F, x: F.elu(x),
    "elu 1.7": lambda F, x: F.elu(x, alpha=1.7),
    "elu -0.5": lambda F, x: F.elu(x, -0.5),
    "selu": lambda F, x: F.selu(x),
    "celu": lambda F, x: F.celu(x),
    "celu 0.5": lambda F, x: F.celu(x, alpha=0.5),
    "gelu": lambda F, x: F.gelu(x),
    "gelu none": lambda F, x: F.gelu(x, approximate="none"),
    "gelu tanh": lambda F, x: F.gelu(x, approximate="tanh"),
    "silu": lambda F, x: F.silu(x),
    "softmax 0": lambda F, x: F.softmax(x, dim=0),
    "softmax -1": lambda F, x: F.softmax(x, -1),
    "softmin": lambda F, x: F.softmin(x, dim=-1),
    "log_softmax 0": lambda F, x: F.log_softmax(x, dim=0),
    "log_softmax -1": lambda F, x: F.log_softmax(x, -1),
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_agrees(name, shape):
    agree(CALLS[name], 3 * RNG.normal(size=shape))


@pytest.mark.parametrize(
    ("shape", "slopes"),
    [((5,), 1), ((), 1), ((3, 4), 4), ((3, 4), 1), ((2, 3, 4), 3), ((2, 3, 4, 2), 3)],
    ids=str,
)
def test_prelu_agrees(shape, slopes):
    agree(lambda F, x, w: F.prelu(x, w), RNG.normal(size=shape), RNG.normal(size=slopes))


@pytest.mark.parametrize(
    "name",
    [name for name in CALLS if "soft" not in name and "relu" not in name and "hard" not in name],
)
def test_agrees_far_out(name):
    agree(CALLS[name], np.array([-1000.0, -50.0, -20.0, 0.0, 20.0, 50.0, 1000.0]))


@pytest.mark.parametrize(
    "call",
    [lambda F, x: F.hardsigmoid(x), lambda F, x: F.celu(x, 0.3)],
    ids=["hardsigmoid", "celu"],
)
def test_agrees_as_far_as_pytorch_computes(call):
    """PyTorch divides by 6, and takes 1 / alpha, in float32 even here."""
    x = 3 * RNG.normal(size=300)
    leaf, other = tg.tensor(x, requires_grad=True), torch.from_numpy(x.copy()).requires_grad_()
    y, z = call(tg.nn.functional, leaf), call(torch.nn.functional, other)
    assert_allclose(y.data, z.detach().numpy(), rtol=1e-12, atol=1e-12)
    y.sum().backward()
    z.sum().backward()
    assert_allclose(leaf.grad, other.grad.numpy(), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("relu", 0.0),
        ("relu6", 0.0),
        ("relu6", 2.0),
        ("leaky_relu 0.2", 0.0),
        ("hardtanh", -1.0),
        ("hardtanh", 1.0),
        ("elu 1.7", 0.0),
        ("selu", 0.0),
        ("celu 0.5", 0.0),
    ],
)
def test_agrees_where_it_bends(name, at):
    agree(CALLS[name], np.array([at]))


def test_prelu_and_hardsigmoid_agree_where_they_bend():
    agree(lambda F, x, w: F.prelu(x, w), np.array([0.0]), np.array([0.3]))
    agree(lambda F, x: F.hardsigmoid(x), np.array([-3.0, 3.0]))
