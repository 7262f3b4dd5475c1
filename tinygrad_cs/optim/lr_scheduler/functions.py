"""Schedules given as functions of the number of steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...engine.errors import ArgumentError
from ..optimizer import Optimizer
from .arguments import check_optimizer, per_group
from .schedule import LRScheduler

__all__ = ["LambdaLR", "MultiplicativeLR"]

Factor = Callable[[int], float]


class _ByFunction(LRScheduler):
    """One function for all groups, or one for each; no part of the state."""

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1
    ) -> None:
        name = type(self).__name__
        check_optimizer(name, optimizer)
        self.lr_lambdas: list[Factor] = per_group(name, "lr_lambda", lr_lambda, optimizer)
        for function in self.lr_lambdas:
            if not callable(function):
                raise ArgumentError(
                    f"{name}: lr_lambda must be a function of the number of steps, such as "
                    f"lambda t: 0.95**t, got {function!r}"
                )
        super().__init__(optimizer, last_epoch)

    def _state_names(self) -> list[str]:
        return [name for name in super()._state_names() if name != "lr_lambdas"]


class LambdaLR(_ByFunction):
    """The initial rate times any function of the number of steps.

        lr(t) = lr(0) lr_lambda(t)

    It sets the rate, and so overwrites what other schedules did to it (as in PyTorch). The
    function is not in `state_dict`: give it again when going on.

    Args:
        optimizer: whose rates change.
        lr_lambda: a function of t, or a list with one for each parameter group.
        last_epoch: see `LRScheduler`.

    Example:
        >>> import tinygrad_cs as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> schedule = tg.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (1 + t))
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.4]
    """

    def get_lr(self) -> list[float]:
        """See the class."""
        pairs = zip(self.base_lrs, self.lr_lambdas, strict=True)
        return [base * factor(self.last_epoch) for base, factor in pairs]


class MultiplicativeLR(_ByFunction):
    """The last rate times any function of the number of steps.

        lr(t) = lr(t - 1) lr_lambda(t)

    The function is not in `state_dict`: give it again when going on.

    Args:
        optimizer: whose rates change.
        lr_lambda: a function of t, from 1 on, or a list with one for each parameter group.

    Example:
        >>> import tinygrad_cs as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> schedule = tg.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda t: 0.5)
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.4]
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor]) -> None:
        super().__init__(optimizer, lr_lambda)

    def get_lr(self) -> list[float]:
        """See the class."""
        rates: list[float] = [group["lr"] for group in self.optimizer.param_groups]
        if self.last_epoch == 0:
            return rates
        pairs = zip(rates, self.lr_lambdas, strict=True)
        return [rate * factor(self.last_epoch) for rate, factor in pairs]
