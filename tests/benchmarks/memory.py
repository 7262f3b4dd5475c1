"""Peak memory of a training step of LeNet on a batch of 64, beyond what importing takes.

As tracemalloc counts it, which NumPy tells of every array: parameters, gradients, the state of
Adam, what the graph keeps and what comes and goes. Other libraries allocate outside of it.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np

CASES = {"lenet": 64}
SHAPES = [(6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84)]


def make(case: str, peer: str) -> Callable[[], float]:
    """A call that builds the network, trains it for three steps and returns the peak in bytes."""
    return PEERS[peer](CASES[case])


def ours(batch: int) -> Callable[[], float]:
    import tinygrad_cs as tg

    nn = tg.nn.functional
    rng = np.random.default_rng(0)

    def train() -> None:
        parameters = []
        for shape in SHAPES:
            scale = float(np.prod(shape[1:])) ** -0.5
            weight = (scale * rng.standard_normal(shape)).astype(np.float32)
            parameters.append(tg.tensor(weight, requires_grad=True))
            parameters.append(tg.tensor(np.zeros(shape[0], np.float32), requires_grad=True))
        optimizer = tg.optim.Adam(parameters)
        w1, b1, w2, b2, *dense = parameters
        x = rng.standard_normal((batch, 1, 28, 28)).astype(np.float32)
        y = rng.integers(0, 10, batch)
        for _ in range(3):
            optimizer.zero_grad()
            h = nn.max_pool2d(nn.relu(nn.conv2d(x, w1, b1, padding=2)), 2)
            h = nn.max_pool2d(nn.relu(nn.conv2d(h, w2, b2)), 2).reshape(batch, -1)
            h = nn.relu(nn.linear(h, *dense[:2]))
            h = nn.relu(nn.linear(h, *dense[2:4]))
            nn.cross_entropy(nn.linear(h, *dense[4:]), y).backward()
            optimizer.step()

    def call() -> float:
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            train()
            return float(tracemalloc.get_traced_memory()[1] - before)
        finally:
            tracemalloc.stop()

    return call


PEERS: dict[str, Callable[[int], Callable[[], float]]] = {"ours": ours}
