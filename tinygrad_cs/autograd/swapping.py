"""Calling a module with other tensors in the place of its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..engine.changes import note_change
from ..engine.errors import ArgumentError


def _owner(module: Any, name: str) -> tuple[Any, str]:
    """The submodule that holds the attribute a dotted name ends in."""
    *path, last = name.split(".")
    for part in path:
        module = getattr(module, part)
    return module, last


@contextmanager
def swapped(module: Any, values: Mapping[str, Any]) -> Iterator[None]:
    """Inside the block the named parameters and buffers of `module` are `values`."""
    known = {name for name, _ in module._state()}
    unknown = [name for name in values if name not in known]
    if unknown:
        raise ArgumentError(
            f"functional_call: {type(module).__name__} has no parameters or buffers "
            f"{', '.join(unknown)}; it has {', '.join(sorted(known))}"
        )
    places = [(*_owner(module, name), value) for name, value in values.items()]
    originals = [(owner, last, vars(owner)[last]) for owner, last, _ in places]
    # A parameter that two layers share is swapped wherever it stands.
    for _, module_below in module.named_modules():
        for attribute, held in list(vars(module_below).items()):
            for (owner, last, value), (_, _, original) in zip(places, originals, strict=True):
                if held is original and (module_below, attribute) != (owner, last):
                    places.append((module_below, attribute, value))
                    originals.append((module_below, attribute, original))
                    break
    try:
        for owner, last, value in places:
            vars(owner)[last] = value
        note_change()
        yield
    finally:
        for owner, last, original in originals:
            vars(owner)[last] = original
        note_change()


def functional_call(module: Any, parameters: Mapping[str, Any], args: Any) -> Any:
    """What `module(*args)` gives with other tensors in the place of its parameters.

    Args:
        module: a `Module`; unchanged afterwards.
        parameters: tensors or arrays by dotted name; parameters not named stay as they are.
        args: a tuple of arguments, or the only one.

    Raises `ArgumentError` for names the module does not have.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> layer = tg.nn.Linear(2, 1)
        >>> p = {"weight": np.array([[1.0, 2.0]]), "bias": np.array([3.0])}
        >>> x = np.array([1.0, 1.0])
        >>> loss = lambda p: tg.func.functional_call(layer, p, x).sum()
        >>> tg.func.grad(loss)(p)
        {'weight': array([[1., 1.]]), 'bias': array([1.])}
    """
    arguments: Sequence[Any] = args if isinstance(args, tuple) else (args,)
    with swapped(module, parameters):
        return module(*arguments)
