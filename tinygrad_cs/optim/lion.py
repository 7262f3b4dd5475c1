"""Lion: the sign of the momentum is the step."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from ..engine.types import np
from .block import Piece, blend
from .groups import check_betas, check_not_negative, check_switch
from .optimizer import Optimizer

__all__ = ["Lion"]


@functools.cache
def _above_zero(dtype: Any) -> float:
    """The smallest number above zero."""
    return float(np.nextafter(np.zeros((), dtype), np.ones((), dtype)))


class Lion(Optimizer):
    """Lion: every weight moves by lr, in the direction of a momentum that weighs the present more.

        c <- beta1 m + (1 - beta1) g
        w <- w - lr (sign(c) + weight_decay w)
        m <- beta2 m + (1 - beta2) g

    Chen et al. 2023. One state array instead of Adam's two. Steps do not shrink near a minimum:
    the learning rate has to, and should be 3 to 10 times smaller than Adam's.

    Args:
        params: parameters, or a list of groups.
        lr: learning rate (default 1e-4).
        betas: how much of m counts in the step, and is kept (default 0.9 and 0.99).
        weight_decay: how fast weights shrink, times lr (default 0).
        maximize: climbs instead of descending; weights shrink all the same (default False).

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([1.0], requires_grad=True)
        >>> optimizer = tg.optim.Lion([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data
        array([0.9], dtype=float32)
    """

    threads = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        """Nothing below zero; betas in [0, 1)."""
        check_not_negative("Lion", group, "lr", "weight_decay")
        check_betas("Lion", group)
        check_switch("Lion", group, "maximize")

    def state_of(self, group: dict[str, Any]) -> Mapping[str, float]:
        """The momentum."""
        return {"m": 0.0}

    def update(self, group: dict[str, Any], count: int, piece: Piece) -> None:
        """See the class."""
        w, m, (step, scratch, _) = piece.w, piece.state["m"], piece.scratch
        (beta1, beta2), lr, decay = group["betas"], group["lr"], group["weight_decay"]
        g = piece.gradient(group, 0.0)
        np.multiply(m, beta1, step)
        np.multiply(g, 1 - beta1, scratch)
        np.add(step, scratch, step)
        # c / |c|: np.sign branches at every entry, which random signs make five times slower
        np.abs(step, scratch)
        np.maximum(scratch, _above_zero(step.dtype), out=scratch)
        np.divide(step, scratch, step)
        np.multiply(step, lr, step)
        if decay:
            np.multiply(w, 1 - lr * decay, w)
        np.subtract(w, step, w)
        blend(m, g, beta2, scratch)
