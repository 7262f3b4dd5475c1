"""Optimizers in order of increasing complexity, each with its update rule as a formula."""

from __future__ import annotations

import math
from typing import Any

from ..engine.errors import ArgumentError
from ..engine.types import Array, np
from .optimizer import Optimizer, Piece, check_not_negative


def _decayed(group: dict[str, Any], piece: Piece) -> Array:
    """The gradient with weight decay added; `.grad` itself stays as it is."""
    if not group["weight_decay"]:
        return piece.g
    total: Array = piece.scratch[1]
    np.multiply(piece.w, group["weight_decay"], total)
    np.add(total, piece.g, total)
    return total


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked for.

        v <- momentum v + g
        w <- w - lr v

    Args:
        params: parameters, or a list of groups.
        lr: learning rate (default 1e-3).
        momentum: how much of the last step's direction is kept (default 0).
        weight_decay: adds weight_decay * w to the gradient (default 0).

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([1.0], requires_grad=True)
        >>> optimizer = tg.optim.SGD([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data
        array([0.8], dtype=float32)
    """

    state_names = ("velocity",)

    def __init__(
        self, params: Any, lr: float = 1e-3, momentum: float = 0.0, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    def check(self, group: dict[str, Any]) -> None:
        """Nothing below zero."""
        check_not_negative("SGD", group, "lr", "momentum", "weight_decay")

    def update(self, group: dict[str, Any], step: int, piece: Piece) -> None:
        """See the class."""
        w, scratch = piece.w, piece.scratch[0]
        g = _decayed(group, piece)
        if group["momentum"]:
            velocity = piece.state["velocity"]
            np.multiply(velocity, group["momentum"], velocity)
            np.add(velocity, g, velocity)
            g = velocity
        np.multiply(g, group["lr"], scratch)
        np.subtract(w, scratch, w)


class Adam(Optimizer):
    """Adam: momentum, scaled by the recent size of each gradient, both corrected for their start.

        m <- beta1 m + (1 - beta1) g
        v <- beta2 v + (1 - beta2) g^2
        w <- w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)

    Kingma and Ba 2015. The state holds m / (1 - beta1) and v / (1 - beta2), which saves two passes
    over the parameters.

    Args:
        params: parameters, or a list of groups.
        lr: learning rate (default 1e-3).
        betas: how much of m and of v is kept each step (default 0.9 and 0.999).
        eps: keeps the division finite (default 1e-8).
        weight_decay: adds weight_decay * w to the gradient (default 0).

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([1.0], requires_grad=True)
        >>> optimizer = tg.optim.Adam([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data.round(4)
        array([0.9], dtype=float32)
    """

    state_names = ("m", "v")

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        """Nothing below zero; betas in [0, 1)."""
        check_not_negative("Adam", group, "lr", "eps", "weight_decay")
        betas = group["betas"]
        if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
            raise ArgumentError(f"Adam: betas must be two numbers in [0, 1), got {betas}")

    def update(self, group: dict[str, Any], step: int, piece: Piece) -> None:
        """See the class."""
        w, scratch = piece.w, piece.scratch[0]
        m, v = piece.state["m"], piece.state["v"]
        beta1, beta2 = group["betas"]
        g = _decayed(group, piece)
        np.multiply(m, beta1, m)
        np.add(m, g, m)
        np.multiply(v, beta2, v)
        np.multiply(g, g, scratch)
        np.add(v, scratch, v)
        # lr m^ / (sqrt(v^) + eps), with m^ = a m and sqrt(v^) = b sqrt(v): one factor a / b
        a = (1 - beta1) / (1 - beta1**step)
        b = math.sqrt((1 - beta2) / (1 - beta2**step))
        np.sqrt(v, scratch)
        np.add(scratch, group["eps"] / b, scratch)
        np.divide(m, scratch, scratch)
        np.multiply(scratch, group["lr"] * a / b, scratch)
        np.subtract(w, scratch, w)
