"""Convolutions forward and backward, in both libraries.

`lenet-conv` is the first half of LeNet: two convolutions, each followed by max pooling; its input
needs no gradient. The others are one convolution of the size that residual networks on small
images are made of, with gradients of input, weight and bias. Every call makes new gradients and
returns the size of one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """Shapes of the input, of the output and of the weights of convolutions in a row."""

    input: tuple[int, ...]
    output: tuple[int, ...]
    weights: tuple[tuple[int, ...], ...]
    paddings: tuple[int, ...]
    pool: bool = False  # then the input is data, which needs no gradient


CASES = {
    "lenet-conv": Case(
        input=(64, 1, 28, 28),
        output=(64, 16, 5, 5),
        weights=((6, 1, 5, 5), (16, 6, 5, 5)),
        paddings=(2, 0),
        pool=True,
    ),
    "conv-32": Case((16, 32, 32, 32), (16, 32, 32, 32), ((32, 32, 3, 3),), (1,)),
    "conv-64": Case((16, 64, 16, 16), (16, 64, 16, 16), ((64, 64, 3, 3),), (1,)),
}


def make(case: str, peer: str) -> Callable[[], float]:
    """A call of one library: forward, backward, and a number to be compared."""
    problem = CASES[case]
    rng = np.random.default_rng(0)

    def normal(shape: tuple[int, ...], scale: float = 1.0) -> np.ndarray:
        return (scale * rng.standard_normal(shape)).astype(np.float32)

    params = []
    for shape in problem.weights:
        params += [normal(shape, float(np.prod(shape[1:])) ** -0.5), normal(shape[:1])]
    cotangent = normal(problem.output, float(np.prod(problem.output)) ** -0.5)
    functional, tensor = PEERS[peer]()
    x = tensor(normal(problem.input), requires_grad=not problem.pool)
    leaves = [tensor(p, requires_grad=True) for p in params]
    # torch wants a tensor here, this library an array
    seed = cotangent if peer == "ours" else tensor(cotangent)

    def call() -> float:
        for leaf in (x, *leaves):
            leaf.grad = None
        h = x
        for k, padding in enumerate(problem.paddings):
            h = functional.conv2d(h, leaves[2 * k], leaves[2 * k + 1], padding=padding)
            if problem.pool:
                h = functional.max_pool2d(h, 2)
        h.backward(seed)
        return float(np.linalg.norm(leaves[0].grad))

    return call


def ours() -> tuple[Any, Any]:
    import tinygrad_cs as tg

    return tg.nn.functional, tg.tensor


def torch_on_two_threads() -> tuple[Any, Any]:
    import torch

    torch.set_num_threads(2)
    return torch.nn.functional, torch.tensor


PEERS: dict[str, Callable[[], tuple[Any, Any]]] = {"ours": ours, "torch": torch_on_two_threads}
"""Each library's functions, whose names are the same in both, and how it makes a tensor."""
