"""Adadelta: RMSprop whose steps have the unit of the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.types import np
from .block import Piece, blend
from .groups import check_fraction, check_not_negative, check_switch
from .optimizer import Optimizer

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """Adadelta: the recent size of the steps over the recent size of the gradients.

        g <- g + weight_decay w
        s <- rho s + (1 - rho) g^2
        d <- g sqrt(u + eps) / sqrt(s + eps)
        u <- rho u + (1 - rho) d^2
        w <- w - lr d

    Zeiler 2012. The ratio gives a step the unit of w, so that lr = 1 is meant to fit everywhere.
    The first steps are only about sqrt(eps) long: with a small eps it starts slowly.

    Args:
        params: parameters, or a list of groups.
        lr: factor of the step (default 1).
        rho: how much of s and u is kept each step (default 0.9).
        eps: starts the steps and keeps the division finite (default 1e-6).
        weight_decay: adds weight_decay * w to the gradient (default 0).
        maximize: climbs instead of descending (default False).

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([1.0], requires_grad=True)
        >>> optimizer = tg.optim.Adadelta([w], eps=1e-2)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data.round(2)
        array([0.69], dtype=float32)
    """

    threads = True

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        """Nothing below zero; rho in [0, 1]."""
        check_not_negative("Adadelta", group, "lr", "eps", "weight_decay")
        check_fraction("Adadelta", group, "rho")
        check_switch("Adadelta", group, "maximize")

    def state_of(self, group: dict[str, Any]) -> Mapping[str, float]:
        """Mean squares of gradients and of steps."""
        return {"square": 0.0, "step_square": 0.0}

    def update(self, group: dict[str, Any], count: int, piece: Piece) -> None:
        """See the class."""
        w, (step, scratch, _) = piece.w, piece.scratch
        square, step_square = piece.state["square"], piece.state["step_square"]
        rho, eps = group["rho"], group["eps"]
        g = piece.gradient(group, group["weight_decay"])
        np.multiply(g, g, scratch)
        blend(square, scratch, rho, scratch)
        np.add(step_square, eps, step)
        np.add(square, eps, scratch)
        np.divide(step, scratch, step)
        np.sqrt(step, step)
        np.multiply(step, g, step)
        np.multiply(step, step, scratch)
        blend(step_square, scratch, rho, scratch)
        np.multiply(step, group["lr"], step)
        np.subtract(w, step, w)
