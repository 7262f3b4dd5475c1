"""One full training step of networks with more than linear layers.

PyTorch and ours share names, so one function builds the network in either: `build(nn)`. The
networks start from the same weights, drawn in PyTorch's default ranges. Where dropout draws, the
libraries draw different masks, so what they compute is compared without dropout: `digits-still`.

A step sets the gradients to zero, runs forward, takes the mean cross-entropy, runs backward,
updates by Adam (PyTorch: eager, with the fused Adam) and reads the loss as a Python float.
``network_jax.py`` has the networks in JAX, ``digits_numpy.py`` and ``lenet_numpy.py`` by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import digits_numpy
import lenet_numpy
import network_jax
import numpy as np
from by_hand import Step


@dataclass(frozen=True)
class Network:
    """How a network is built, and what it is fed with."""

    build: Callable[[Any], Any]
    shape: tuple[int, ...]
    dropout: float | None = None


def digits(nn: Any, p: float = 0.2) -> Any:
    """The network for scikit-learn's digits, with batch normalisation and dropout."""
    return nn.Sequential(
        nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Dropout(p),
        nn.Linear(128, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(p),
        nn.Linear(64, 10),
    )  # fmt: skip


def lenet(nn: Any) -> Any:
    """LeCun et al. 1998, with maxima and ReLU."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, 10),
    )  # fmt: skip


def lstm(nn: Any) -> Any:
    """An image read row by row; its class is told from the last state."""

    class Rows(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(28, 64, batch_first=True)
            self.head = nn.Linear(64, 10)

        def forward(self, x: Any) -> Any:
            out, _ = self.lstm(x)
            return self.head(out[:, -1])

    return Rows()


CASES = {
    "digits": Network(digits, (64, 64), dropout=0.2),
    "digits-still": Network(partial(digits, p=0.0), (64, 64), dropout=0.0),
    "lenet": Network(lenet, (64, 1, 28, 28)),
    "lstm": Network(lstm, (32, 28, 28)),
}
RATE = 1e-3


def make(case: str, peer: str) -> Step:
    """The step of one library on one network."""
    return PEERS[peer](CASES[case])


def _batch(network: Network) -> tuple[np.ndarray, np.ndarray]:
    """Every input four times, once with another label: what cannot be learnt by heart."""
    rng = np.random.default_rng(0)
    count = network.shape[0]
    x = np.tile(rng.standard_normal((count // 4, *network.shape[1:])).astype(np.float32), (4, 1))
    x = x.reshape(network.shape)
    y = np.tile(rng.integers(0, 10, count // 4), 4)
    y[: count // 4] = (y[: count // 4] + 1) % 10
    return x, y


def _weights(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Uniform within 1 / sqrt(fan in); vectors near their usual start."""
    rng = np.random.default_rng(1)
    state = {}
    for name, shape in shapes.items():
        bound = float(np.prod(shape[1:])) ** -0.5 if len(shape) > 1 else 0.05
        state[name] = rng.uniform(-bound, bound, shape).astype(np.float32)
        if len(shape) == 1 and name.endswith("weight"):
            state[name] += 1
    return state


def ours(network: Network, backend: str | None = None) -> Step:
    import tinygrad_cs as tg
    from tinygrad_cs import nn, optim

    model = network.build(nn)
    first = _weights({name: p.shape for name, p in model.named_parameters()})
    model.load_state_dict(model.state_dict() | first)
    loss_fn = nn.CrossEntropyLoss()
    opt = optim.Adam(model.parameters(), lr=RATE)
    x, y = _batch(network)
    x = tg.asarray(x)

    def train(x: Any, y: Any) -> Any:
        opt.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        opt.step()
        return loss

    whole_step = tg.compile(train, backend=backend) if backend else train

    return Step(
        lambda: whole_step(x, y).item(), lambda: [np.array(p.data) for p in model.parameters()]
    )


def torch_with(threads: int) -> Callable[[Network], Step]:
    def prepare(network: Network) -> Step:
        import torch
        from torch import nn

        torch.set_num_threads(threads)
        model = network.build(nn)
        first = _weights({name: tuple(p.shape) for name, p in model.named_parameters()})
        model.load_state_dict(
            model.state_dict() | {name: torch.from_numpy(w) for name, w in first.items()}
        )
        loss_fn = nn.CrossEntropyLoss()
        opt = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)
        x, y = map(torch.from_numpy, _batch(network))

        def step() -> float:
            opt.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            opt.step()
            return loss.item()

        return Step(step, lambda: [p.detach().numpy().copy() for p in model.parameters()])

    return prepare


def start(network: Network) -> list[np.ndarray]:
    """The first weights of a network, in the order of its parameters."""
    from tinygrad_cs import nn

    named = network.build(nn).named_parameters()
    return list(_weights({name: p.shape for name, p in named}).values())


def jax_jit(network: Network) -> Step:
    x, y = _batch(network)
    if network.dropout is not None:
        return network_jax.digits_step(start(network), x, y, RATE, network.dropout)
    if network.build is lenet:
        return network_jax.lenet_step(start(network), x, y, RATE)
    raise NotImplementedError("not written")


def by_hand(network: Network) -> Step:
    x, y = _batch(network)
    if network.dropout is not None:
        rng = np.random.default_rng(0)
        return digits_numpy.numpy_step(start(network), x, y, RATE, network.dropout, rng)
    if network.build is lenet:
        return lenet_numpy.numpy_step(start(network), x, y, RATE)
    raise NotImplementedError("not written")


PEERS: dict[str, Callable[[Network], Step]] = {
    "ours": ours,
    "ours-compiled": partial(ours, backend="numpy"),
    "ours-numba": partial(ours, backend="numba"),
    "torch": torch_with(threads=2),
    "torch-1-thread": torch_with(threads=1),
    "jax": jax_jit,
    "numpy-by-hand": by_hand,
}
