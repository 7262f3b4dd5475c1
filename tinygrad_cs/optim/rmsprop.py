"""RMSprop: Adagrad that forgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.types import np
from .block import Piece, blend
from .groups import check_fraction, check_not_negative, check_switch
from .optimizer import Optimizer

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """RMSprop: steps divided by the recent size of the gradients.

        g <- g + weight_decay w
        s <- alpha s + (1 - alpha) g^2
        a <- alpha a + (1 - alpha) g                (centered; else a = 0)
        v <- momentum v + g / (sqrt(s - a^2) + eps)
        w <- w - lr v

    Tieleman and Hinton 2012 (lecture 6.5); centered: Graves 2013. Nothing corrects the zero that s
    starts from, so the first steps are up to 1 / sqrt(1 - alpha) times too long; Adam corrects it.

    Args:
        params: parameters, or a list of groups.
        lr: learning rate (default 1e-2).
        alpha: how much of s is kept each step (default 0.99).
        eps: keeps the division finite (default 1e-8).
        weight_decay: adds weight_decay * w to the gradient (default 0).
        momentum: how much of the last step's direction is kept (default 0).
        centered: divides by the standard deviation instead of the size (default False).
        maximize: climbs instead of descending (default False).

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([1.0], requires_grad=True)
        >>> optimizer = tg.optim.RMSprop([w], lr=0.01)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data.round(4)
        array([0.9], dtype=float32)
    """

    threads = True
    switch = "centered"

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        """Nothing below zero; alpha in [0, 1]."""
        check_not_negative("RMSprop", group, "lr", "eps", "weight_decay", "momentum")
        check_fraction("RMSprop", group, "alpha")
        check_switch("RMSprop", group, "centered", "maximize")

    def state_of(self, group: dict[str, Any]) -> Mapping[str, float]:
        """Mean square and direction, and where it is centered the mean."""
        state = {"square": 0.0, "velocity": 0.0}
        return state | {"mean": 0.0} if group["centered"] else state

    def update(self, group: dict[str, Any], count: int, piece: Piece) -> None:
        """See the class."""
        w, square, (scratch, _, _) = piece.w, piece.state["square"], piece.scratch
        alpha, momentum = group["alpha"], group["momentum"]
        g = piece.gradient(group, group["weight_decay"])
        np.multiply(g, g, scratch)
        blend(square, scratch, alpha, scratch)
        size = square
        if group["centered"]:
            mean = piece.state["mean"]
            blend(mean, g, alpha, scratch)
            np.multiply(mean, mean, scratch)
            np.subtract(square, scratch, scratch)
            # a variance, which only rounding makes negative
            size = np.maximum(scratch, 0, out=scratch)
        np.sqrt(size, scratch)
        np.add(scratch, group["eps"], scratch)
        np.divide(g, scratch, scratch)
        if momentum:
            velocity = piece.state["velocity"]
            np.multiply(velocity, momentum, velocity)
            np.add(velocity, scratch, velocity)
            np.multiply(velocity, group["lr"], scratch)
        else:
            np.multiply(scratch, group["lr"], scratch)
        np.subtract(w, scratch, w)
