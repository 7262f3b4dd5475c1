"""Stochastic gradient descent, with or without momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.errors import ArgumentError
from ..engine.types import np
from .block import Piece
from .groups import check_not_negative, check_switch
from .optimizer import Optimizer

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked for.

        g <- g + weight_decay w
        v <- momentum v + (1 - dampening) g         (v <- g in the first step)
        w <- w - lr v                               (nesterov: w - lr (g + momentum v))

    Robbins and Monro 1951; momentum: Polyak 1964; Nesterov's, in the form of Sutskever et al. 2013.
    With momentum 0.9 the same gradient ten times in a row makes a step about ten times as long: a
    learning rate that was right without momentum is then too large.

    Args:
        params: parameters, or a list of groups.
        lr: learning rate (default 1e-3).
        momentum: how much of the last step's direction is kept (default 0).
        dampening: by how much less a new gradient counts in v (default 0).
        weight_decay: adds weight_decay * w to the gradient (default 0).
        nesterov: looks ahead along v (default False); needs momentum, and no dampening.
        maximize: climbs instead of descending (default False).

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([1.0], requires_grad=True)
        >>> optimizer = tg.optim.SGD([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data
        array([0.8], dtype=float32)
    """

    threads = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        """Nothing below zero; Nesterov's form only with plain momentum."""
        check_not_negative("SGD", group, "lr", "momentum", "dampening", "weight_decay")
        check_switch("SGD", group, "nesterov", "maximize")
        if group["nesterov"] and (not group["momentum"] or group["dampening"]):
            raise ArgumentError(
                f"SGD: nesterov=True needs momentum above 0 and dampening 0, "
                f"got momentum={group['momentum']}, dampening={group['dampening']}"
            )

    def state_of(self, group: dict[str, Any]) -> Mapping[str, float]:
        """The direction; also without momentum, which a schedule may bring later."""
        return {"velocity": 0.0}

    def update(self, group: dict[str, Any], count: int, piece: Piece) -> None:
        """See the class."""
        w, scratch = piece.w, piece.scratch[0]
        g = piece.gradient(group, group["weight_decay"])
        momentum = group["momentum"]
        if momentum:
            velocity, dampening = piece.state["velocity"], group["dampening"]
            np.multiply(velocity, momentum, velocity)
            if dampening and count > 1:
                np.multiply(g, 1 - dampening, scratch)
                np.add(velocity, scratch, velocity)
            else:
                np.add(velocity, g, velocity)
            if group["nesterov"]:
                np.multiply(velocity, momentum, scratch)
                g = np.add(scratch, g, scratch)
            else:
                g = velocity
        np.multiply(g, group["lr"], scratch)
        np.subtract(w, scratch, w)
