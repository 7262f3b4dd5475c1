"""Initialisers against PyTorch's: fans, gains, spreads and the fixed patterns."""

import numpy as np
import pytest
from agreement import torch
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn

OURS, THEIRS = nn.init, torch.nn.init
SHAPES = [(300, 200), (200, 300), (60, 10, 100), (50, 20, 7, 9), (20, 10, 6, 6, 6)]

SPREADS = {
    "uniform": lambda i, w: i.uniform_(w),
    "uniform-ab": lambda i, w: i.uniform_(w, -2.0, 3.0),
    "normal": lambda i, w: i.normal_(w, 3.0, 0.5),
    "truncated": lambda i, w: i.trunc_normal_(w),
    "truncated-narrow": lambda i, w: i.trunc_normal_(w, mean=1.0, std=0.5, a=1.9, b=2.5),
    "truncated-02": lambda i, w: i.trunc_normal_(w, std=0.02),
    "xavier-uniform": lambda i, w: i.xavier_uniform_(w),
    "xavier-normal": lambda i, w: i.xavier_normal_(w, gain=2.0),
    "kaiming-uniform": lambda i, w: i.kaiming_uniform_(w),
    "kaiming-uniform-slope": lambda i, w: i.kaiming_uniform_(w, 5**0.5),
    "kaiming-normal": lambda i, w: i.kaiming_normal_(w, mode="fan_out"),
    "kaiming-normal-slope": lambda i, w: i.kaiming_normal_(w, 0.2, "fan_in", "leaky_relu"),
    "kaiming-normal-tanh": lambda i, w: i.kaiming_normal_(w, nonlinearity="tanh"),
    "kaiming-normal-linear": lambda i, w: i.kaiming_normal_(w, 0.0, "fan_out", "linear"),
    "orthogonal": lambda i, w: i.orthogonal_(w, gain=1.5),
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", SPREADS)
def test_spread(name, shape):
    tg.manual_seed(0)
    torch.manual_seed(0)
    mine = SPREADS[name](OURS, nn.Parameter(np.zeros(shape))).data
    other = SPREADS[name](THEIRS, torch.zeros(shape, dtype=torch.float64)).numpy()
    n = mine.size
    # two samples of the same law: their means and spreads differ by chance alone
    assert abs(mine.mean() - other.mean()) < 4 * other.std() * np.sqrt(2 / n)
    assert_allclose(mine.std(), other.std(), rtol=4 / np.sqrt(n))
    places = np.linspace(0.02, 0.98, 9)
    apart = np.quantile(mine, places) - np.quantile(other, places)
    assert_allclose(apart / other.std(), 0, atol=0.05)
    if "uniform" in name:
        for end in (np.min, np.max):
            assert_allclose(end(mine), end(other), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("shape", [*SHAPES, (3, 1), (5, 4, 1)], ids=str)
def test_fans(shape):
    theirs = THEIRS._calculate_fan_in_and_fan_out(torch.zeros(shape))
    assert OURS.fans(nn.Parameter(np.zeros(shape))) == theirs


@pytest.mark.parametrize(
    "layer", ["Linear", "Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d"]
)
def test_fans_of_layers(layer):
    arguments = (8, 6) if layer == "Linear" else (8, 6, 3)
    mine, other = getattr(nn, layer)(*arguments), getattr(torch.nn, layer)(*arguments)
    assert OURS.fans(mine.weight) == THEIRS._calculate_fan_in_and_fan_out(other.weight)


def test_gains():
    names = ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]
    names += [f"conv{kind}{n}d" for kind in ("", "_transpose") for n in (1, 2, 3)]
    for name in names:
        assert OURS.calculate_gain(name) == THEIRS.calculate_gain(name)
    for slope in (0, 0.3, 5**0.5):
        given = OURS.calculate_gain("leaky_relu", slope)
        assert_allclose(given, THEIRS.calculate_gain("leaky_relu", slope), rtol=1e-15)


PATTERNS = [
    *(("eye_", shape, ()) for shape in [(3, 3), (2, 5), (5, 2)]),
    *(("dirac_", shape, ()) for shape in [(4, 4, 3), (4, 2, 3, 3), (2, 4, 2, 3), (3, 3, 1, 2, 3)]),
    *(("dirac_", shape, (2,)) for shape in [(4, 2, 3), (6, 2, 3, 3), (2, 3, 4)]),
    *((name, (2, 3), ()) for name in ("zeros_", "ones_")),
    ("constant_", (4,), (0.3,)),
]


@pytest.mark.parametrize(("name", "shape", "arguments"), PATTERNS)
def test_patterns(name, shape, arguments):
    mine = getattr(OURS, name)(nn.Parameter(np.full(shape, 7.0)), *arguments).data
    other = getattr(THEIRS, name)(torch.full(shape, 7.0, dtype=torch.float64), *arguments)
    assert_array_equal(mine, other.numpy())
