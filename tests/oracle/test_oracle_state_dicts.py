"""PyTorch's states load, and the nets then compute what PyTorch computes."""

import numpy as np
import pytest
from agreement import torch
from numpy.testing import assert_allclose

import tinygrad_cs as tg
from tinygrad_cs import nn

PRECISION = [
    ("float64", {"rtol": 1e-9, "atol": 1e-12}),
    ("float32", {"rtol": 1e-5, "atol": 1e-5}),
]


def mlp(nn):
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 6), nn.Tanh(), nn.Linear(6, 3))


def lenet(nn):
    """Y. LeCun and others, 1998, with ReLU and largest entries."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, 10),
    )  # fmt: skip


def batch_normalised(nn):
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
        nn.Linear(36, 6), nn.BatchNorm1d(6),
    )  # fmt: skip


def long_memory(nn):
    return nn.LSTM(3, 4, num_layers=2, batch_first=True)


def attention(nn):
    return nn.TransformerEncoderLayer(6, 2, 8, batch_first=True)


NETS = {
    "MLP": (mlp, (4, 5)),
    "LeNet": (lenet, (2, 1, 28, 28)),
    "BatchNorm": (batch_normalised, (8, 2, 5, 5)),
    "LSTM": (long_memory, (2, 5, 3)),
    "Transformer": (attention, (2, 5, 6)),
}


@pytest.mark.parametrize("as_arrays", [True, False], ids=["arrays", "tensors"])
@pytest.mark.parametrize(("dtype", "close"), PRECISION, ids=["float64", "float32"])
@pytest.mark.parametrize("name", NETS)
def test_states_of_pytorch_load(name, dtype, close, as_arrays):
    make, shape = NETS[name]
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    other = make(torch.nn).to(getattr(torch, dtype))
    mine = make(nn).to(dtype)
    with torch.no_grad():  # so that float64 weights are none that float32 has too
        for p in other.parameters():
            p.add_(torch.randn(p.shape, dtype=p.dtype) / 10)
    for _ in range(3):  # so that running means have moved
        other(torch.from_numpy(rng.normal(size=shape).astype(dtype)))
    state = other.state_dict()
    mine.load_state_dict({k: v.numpy() for k, v in state.items()} if as_arrays else state)
    x = rng.normal(size=shape).astype(dtype)
    mine.eval()
    other.eval()
    with torch.no_grad():
        expected = other(torch.from_numpy(x))
    out = mine(x)
    if isinstance(expected, tuple):
        out, expected = out[0], expected[0]
    assert out.dtype == np.dtype(dtype)
    assert_allclose(out.data, expected.numpy(), **close)
    assert set(mine.state_dict()) == set(state)


def test_a_state_goes_back_to_pytorch():
    mine, other = lenet(nn), lenet(torch.nn)
    other.load_state_dict({k: torch.from_numpy(v) for k, v in mine.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(2, 1, 28, 28)).astype("float32")
    expected = other(torch.from_numpy(x)).detach().numpy()
    assert_allclose(mine(x).data, expected, rtol=1e-5, atol=1e-5)


def test_a_wrong_state_of_pytorch_is_explained():
    with pytest.raises(tg.TinygradError, match=r"unexpected: 4.weight \(3, 6\)"):
        nn.Sequential(*list(mlp(nn))[:4]).load_state_dict(mlp(torch.nn).state_dict())


def test_tensors_that_are_no_arrays_are_named():
    layer = torch.nn.Linear(2, 1)
    with pytest.raises(tg.TinygradError, match=r"'weight' cannot be read.*detach\(\)"):
        nn.Linear(2, 1).load_state_dict(dict(layer.named_parameters()))
    with pytest.raises(tg.TinygradError, match=r"'weight' cannot be read.*BFloat16"):
        nn.Linear(2, 1).load_state_dict(layer.bfloat16().state_dict())
