"""Checks of the schedules' arguments: each says what came and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from ...engine.errors import ArgumentError
from ...engine.types import np
from ..optimizer import Optimizer


def is_whole(value: Any) -> bool:
    """Is this a whole number (a bool is none)?"""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Is this a real number (a bool is none, NaN is none)?"""
    real = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    return real and bool(value == value)


def check_optimizer(name: str, optimizer: Any) -> None:
    """Raise `ArgumentError` unless this is one of our optimizers."""
    if not isinstance(optimizer, Optimizer):
        raise ArgumentError(
            f"{name}: expected an optimizer such as tg.optim.SGD(model.parameters(), lr=0.1), "
            f"got {type(optimizer).__name__}"
        )


def check_count(name: str, least: int = 1, **counts: Any) -> None:
    """Raise `ArgumentError` unless these are whole numbers of `least` or more."""
    for key, value in counts.items():
        if not is_whole(value) or value < least:
            raise ArgumentError(
                f"{name}: {key} must be a whole number of {least} or more, got {value!r}"
            )


def check_range(name: str, least: float = 0.0, most: float = float("inf"), **numbers: Any) -> None:
    """Raise `ArgumentError` unless these are numbers between `least` and `most`."""
    for key, value in numbers.items():
        if not is_number(value) or not least <= value <= most:
            bounds = (
                f"of {least:g} or more" if most == float("inf") else f"in [{least:g}, {most:g}]"
            )
            raise ArgumentError(f"{name}: {key} must be a number {bounds}, got {value!r}")


def check_choice(name: str, key: str, value: Any, choices: Sequence[str]) -> None:
    """Raise `ArgumentError` unless the value is one of the choices."""
    if value not in choices:
        raise ArgumentError(
            f"{name}: {key} must be {' or '.join(map(repr, choices))}, got {value!r}"
        )


def check_milestones(name: str, milestones: Iterable[Any], least: int) -> list[int]:
    """The milestones as a list; raises `ArgumentError` unless they are increasing whole numbers."""
    if not isinstance(milestones, Iterable):
        raise ArgumentError(
            f"{name}: milestones must be a list of whole numbers, such as [30, 60], got "
            f"{milestones!r}"
        )
    listed = list(milestones)
    whole = all(is_whole(milestone) and milestone >= least for milestone in listed)
    if not whole or not all(a < b for a, b in pairwise(listed)):
        raise ArgumentError(
            f"{name}: milestones must be increasing whole numbers of {least} or more, got {listed}"
        )
    return listed


def per_group(name: str, key: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """One value for each parameter group: a list of that length, or one value for all."""
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * count
    if len(value) != count:
        raise ArgumentError(
            f"{name}: {key} has {len(value)} entries, but the optimizer has {count} parameter "
            f"groups; give one for each, or one for all"
        )
    return list(value)
