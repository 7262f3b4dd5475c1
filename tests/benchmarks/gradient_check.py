"""Checking the gradients of a small function and of a small net in float64.

Both libraries get the same functions on the same numbers, all operands are checked, and both
checkers run with their default settings. Torch's faster mode, which compares one random
projection instead of the whole Jacobian, is shown for information.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

CASES = {"mlp": ((3, 5, 2), 4), "net": ((4, 8, 3), 5)}


def make(case: str, peer: str) -> Callable[[], float]:
    """A call that checks the gradients once and returns 1.0, for true."""
    (inputs, hidden, outputs), batch = CASES[case]
    rng = np.random.default_rng(0)
    shapes = ((batch, inputs), (inputs, hidden), (hidden,), (hidden, outputs), (outputs,))
    operands = [rng.standard_normal(shape) for shape in shapes]
    return PEERS[peer](case, operands, rng.integers(0, outputs, batch))


def ours(case: str, operands: list[np.ndarray], labels: np.ndarray) -> Callable[[], float]:
    import tinygrad_cs as tg

    def mlp(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        return tg.tanh(tg.tanh(x @ w1 + b1) @ w2 + b2)

    def net(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        return tg.nn.functional.cross_entropy(tg.relu(x @ w1 + b1) @ w2 + b2, labels)

    f = {"mlp": mlp, "net": net}[case]
    leaves = [tg.tensor(a, requires_grad=True) for a in operands]
    return lambda: float(bool(tg.autograd.gradcheck(f, leaves)))


def torch_mode(fast: bool) -> Callable[..., Callable[[], float]]:
    def prepare(case: str, operands: list[np.ndarray], labels: np.ndarray) -> Callable[[], float]:
        import torch

        torch.set_num_threads(2)
        targets = torch.from_numpy(labels)

        def mlp(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
            return torch.tanh(torch.tanh(x @ w1 + b1) @ w2 + b2)

        def net(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
            logits = torch.relu(x @ w1 + b1) @ w2 + b2
            return torch.nn.functional.cross_entropy(logits, targets)

        f = {"mlp": mlp, "net": net}[case]
        leaves = [torch.tensor(a, requires_grad=True) for a in operands]
        return lambda: float(torch.autograd.gradcheck(f, leaves, fast_mode=fast))

    return prepare


PEERS: dict[str, Callable[..., Callable[[], float]]] = {
    "ours": ours,
    "torch": torch_mode(fast=False),
    "torch-fast-mode": torch_mode(fast=True),
}
