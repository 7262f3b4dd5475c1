"""Adagrad: each weight its own step, smaller the more it has moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.types import np
from .block import Piece
from .groups import check_not_negative, check_switch
from .optimizer import Optimizer

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Adagrad: steps divided by the size of all gradients so far.

        g <- g + weight_decay w
        s <- s + g^2
        w <- w - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)

    Duchi, Hazan and Singer 2011. Weights with rare gradients (words, say) get large steps. The sum
    s only grows, so in long training steps die out: RMSprop forgets instead.

    Args:
        params: parameters, or a list of groups.
        lr: learning rate (default 1e-2).
        lr_decay: lets the learning rate fall with the steps (default 0).
        weight_decay: adds weight_decay * w to the gradient (default 0).
        initial_accumulator_value: s before the first step (default 0).
        eps: keeps the division finite (default 1e-10).
        maximize: climbs instead of descending (default False).

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([1.0], requires_grad=True)
        >>> optimizer = tg.optim.Adagrad([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data
        array([0.9], dtype=float32)
    """

    threads = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        """Nothing below zero."""
        numbers = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")
        check_not_negative("Adagrad", group, *numbers)
        check_switch("Adagrad", group, "maximize")

    def state_of(self, group: dict[str, Any]) -> Mapping[str, float]:
        """The sum of squares."""
        return {"sum": group["initial_accumulator_value"]}

    def update(self, group: dict[str, Any], count: int, piece: Piece) -> None:
        """See the class."""
        w, scratch, total = piece.w, piece.scratch[0], piece.state["sum"]
        g = piece.gradient(group, group["weight_decay"])
        np.multiply(g, g, scratch)
        np.add(total, scratch, total)
        np.sqrt(total, scratch)
        np.add(scratch, group["eps"], scratch)
        np.divide(g, scratch, scratch)
        np.multiply(scratch, group["lr"] / (1 + (count - 1) * group["lr_decay"]), scratch)
        np.subtract(w, scratch, w)
