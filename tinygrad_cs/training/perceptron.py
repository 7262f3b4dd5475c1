"""The net for tables, and its optimizer, by plain names: what estimators and command line share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from .. import nn, optim
from ..engine.errors import ArgumentError

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}

OPTIMIZERS: dict[str, Callable[..., optim.Optimizer]] = {
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "nadam": optim.NAdam,
    "rmsprop": optim.RMSprop,
    "sgd": lambda params, **given: optim.SGD(params, momentum=0.9, nesterov=True, **given),
    "lion": optim.Lion,
}


def perceptron(
    inputs: int, hidden: Sequence[int], outputs: int, activation: str, dropout: float
) -> nn.Sequential:
    """Linear layers with an activation (and dropout, unless 0) between them."""
    make = chosen("activation", activation, ACTIVATIONS)
    layers: list[nn.Module] = []
    widths = [inputs, *hidden]
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), make()]
        if dropout:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))


def optimizer_for(
    model: nn.Module, name: str, learning_rate: float, weight_decay: float
) -> optim.Optimizer:
    """The optimizer of this name; "sgd" has Nesterov's momentum of 0.9."""
    make: Callable[..., optim.Optimizer] = chosen("optimizer", name, OPTIMIZERS)
    return make(model.parameters(), lr=learning_rate, weight_decay=weight_decay)


def chosen(what: str, name: Any, table: dict[str, Any]) -> Any:
    """The entry of this name; raises `ArgumentError` for another one."""
    if not isinstance(name, str) or name not in table:
        raise ArgumentError(f"expected {what} to be one of {one_of(table)}, got {name!r}")
    return table[name]


def one_of(names: Iterable[str]) -> str:
    """Names as a sentence lists them."""
    return ", ".join(map(repr, names))


def widths_of(hidden: Any) -> list[int]:
    """`hidden` as a list of layer widths; a single number is one layer."""
    widths = list(hidden) if isinstance(hidden, Iterable) else [hidden]
    for width in widths:
        if isinstance(width, (bool, str)) or not hasattr(width, "__index__") or width < 1:
            raise ArgumentError(
                f"expected hidden to be widths of layers such as (64, 32), got {hidden!r}"
            )
    return [int(width) for width in widths]
