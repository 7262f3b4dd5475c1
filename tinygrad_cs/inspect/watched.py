"""What may be watched, and which layers of a model are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..engine.errors import ArgumentError
from ..engine.types import np
from ..nn.module import Module
from ..nn.parameter import Parameter
from ..optim import Optimizer

MODEL = "(model)"
"""How the outermost module is called, whose dotted name is empty."""


def check_arguments(model: Any, every: Any, optimizer: Any) -> None:
    """Raise `ArgumentError` for what `watch` cannot work with."""
    if not isinstance(model, Module):
        raise ArgumentError(f"watch: expected a module, got {type(model).__name__}")
    if isinstance(every, bool) or not isinstance(every, (int, np.integer)) or every < 1:
        raise ArgumentError(f"watch: every must be a whole number of at least 1, got {every!r}")
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise ArgumentError(
            f"watch: optimizer must be an optimizer, got {type(optimizer).__name__}"
        )


def chosen_layers(model: Module, names: Iterable[str] | None) -> Sequence[tuple[str, Module]]:
    """Name and module of the layers to watch."""
    every = list(model.named_modules())
    if names is None:
        return [(name, module) for name, module in every if _does_something(module)]
    if isinstance(names, str):
        raise ArgumentError(f"watch: layers must be a list of names, got {names!r}; [{names!r}]?")
    # a shared layer may be asked for by any of its names
    known = {name or MODEL: module for name, module in model._every_module()}
    if not isinstance(names, Iterable) or isinstance(names, Module):
        shown = type(names).__name__ if isinstance(names, Module) else repr(names)
        raise ArgumentError(f"watch: layers must be a list of names, got {shown}")
    names = list(names)
    for name in names:
        if isinstance(name, Module):
            own = [repr(path) for path, module in known.items() if module is name]
            raise ArgumentError(
                f"watch: layers are asked for by name, got a {type(name).__name__}; "
                + (f"write {own[0]}" if own else "which is none of this model's")
            )
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ArgumentError(
            f"watch: the model has no layer {', '.join(map(repr, unknown))}; its layers are "
            f"{', '.join(known)}"
        )
    return [("" if name == MODEL else name, known[name]) for name in dict.fromkeys(names)]


def _does_something(module: Module) -> bool:
    """Does it hold no others, or weights of its own?"""
    if any(isinstance(value, Parameter) for value in vars(module).values()):
        return True
    return next(module.children(), None) is None
