"""One step of Adam on a million parameters with gradients: PyTorch's fused form and ours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from by_hand import adam, flat_buffer

CASES = {"million": [(512, 1024), (1024, 384), (81920,), (512,)]}
RATE = 1e-3


def make(case: str, peer: str) -> Callable[[], float]:
    """The step of one library on parameters of these shapes."""
    rng = np.random.default_rng(0)
    return PEERS[peer]([rng.standard_normal((2, *s)).astype(np.float32) for s in CASES[case]])


def ours(pairs: list[np.ndarray]) -> Callable[[], float]:
    import tinygrad_cs as tg

    parameters = [tg.tensor(w, requires_grad=True) for w, _ in pairs]
    optimizer = tg.optim.Adam(parameters, lr=RATE)
    for parameter, (_, g) in zip(parameters, pairs, strict=True):
        parameter.grad = g

    def step() -> float:
        optimizer.step()
        return float(parameters[0].data[0, 0])

    return step


def torch_fused(pairs: list[np.ndarray]) -> Callable[[], float]:
    import torch

    torch.set_num_threads(2)
    parameters = [torch.from_numpy(w).requires_grad_() for w, _ in pairs]
    optimizer = torch.optim.Adam(parameters, lr=RATE, fused=True)
    for parameter, (_, g) in zip(parameters, pairs, strict=True):
        parameter.grad = torch.from_numpy(g)

    def step() -> float:
        optimizer.step()
        return float(parameters[0].detach()[0, 0])

    return step


def by_hand(pairs: list[np.ndarray]) -> Callable[[], float]:
    flat, _ = flat_buffer([w for w, _ in pairs])
    gradient, _ = flat_buffer([g for _, g in pairs])
    update = adam(flat, gradient, RATE)

    def step() -> float:
        update()
        return float(flat[0])

    return step


PEERS: dict[str, Callable[[list[np.ndarray]], Callable[[], float]]] = {
    "ours": ours,
    "torch": torch_fused,
    "numpy-by-hand": by_hand,
}
