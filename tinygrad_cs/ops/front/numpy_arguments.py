"""NumPy's arguments under our names; an argument we do not have is refused, not ignored."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from ...engine.errors import ArgumentError
from ...engine.types import np

_HARMLESS: dict[str, Any] = {
    "order": ("C", "K", "A"),
    "casting": ("same_kind", "safe"),
    "copy": (None, True),
    "subok": (True, False),
    "optimize": (True, False, "greedy", "optimal"),
    "kind": ("quicksort", "mergesort", "heapsort", "stable"),
    "overwrite_input": (False, True),
    "where": (True,),
    "ddof": (0,),
}
"""Values that change nothing here, beside NumPy's own defaults."""

_RENAMED = {
    "a": "x",
    "array": "x",
    "arr": "x",
    "tup": "arrays",
    "seq": "arrays",
    "newshape": "shape",
    "ddof": "correction",
    "a_min": "min",
    "a_max": "max",
    "x1": "a",
    "x2": "b",
    "x": "a",
    "y": "b",
}
"""NumPy's argument names where the Array API standard has others."""


@cache
def _signature(function: Any) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters
    except ValueError:  # np.concatenate before NumPy 2.4
        return {}


def translate(
    function: Any, ours: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Positional and named arguments for our function, from those of a call of NumPy's.

    Raises `ArgumentError` for arguments that NumPy does not have, or that ours has not.
    """
    if not kwargs and len(args) == 1:
        return args, {}
    accepted = _signature(ours)
    stars = any(p.kind is p.VAR_POSITIONAL for p in accepted.values())
    if len(args) > len(accepted) and not stars:
        raise ArgumentError(
            f"np.{function.__name__}: on tensors it takes at most {len(accepted)} arguments "
            f"({', '.join(accepted)}), got {len(args)}"
        )
    theirs = {} if isinstance(function, np.ufunc) else _signature(function)
    positional, named = (args, kwargs) if not theirs else _bound(function, args, kwargs)
    first = next(iter(theirs), None)
    given: dict[str, Any] = {}
    for name, value in named.items():
        target = next(iter(accepted)) if name == first else name
        target = target if target in accepted else _RENAMED.get(name, name)
        if target in accepted and value is not np._NoValue:
            given[target] = value
        elif not _harmless(name, value, theirs):
            raise ArgumentError(_refused(function.__name__, name))
    return positional, given


def refuse_options(function: Any, kwargs: Mapping[str, Any]) -> None:
    """Raise `ArgumentError` for a keyword that would change the result."""
    for name, value in kwargs.items():
        if not _harmless(name, value, _signature(function)):
            raise ArgumentError(_refused(function.__name__, name))


def _bound(function: Any, args: Any, kwargs: Mapping[str, Any]) -> Any:
    """What `*arrays` takes, and all other arguments by name."""
    signature = inspect.Signature(list(_signature(function).values()))
    try:
        positional, named = (), signature.bind(*args, **kwargs).arguments
    except TypeError as error:
        raise ArgumentError(f"np.{function.__name__}: {error}") from error
    for name, p in signature.parameters.items():
        if p.kind is p.VAR_POSITIONAL:
            positional = named.pop(name, ())
        elif p.kind is p.VAR_KEYWORD:
            named |= named.pop(name, {})
    return positional, named


def _harmless(name: str, value: Any, theirs: Mapping[str, inspect.Parameter]) -> bool:
    if value is None or value is np._NoValue:
        return True
    if not isinstance(value, (bool, int, float, str)):
        return False
    own = [theirs[name].default] if name in theirs else []
    return any(type(v) is type(value) and v == value for v in (*own, *_HARMLESS.get(name, ())))


def _refused(function: str, argument: str) -> str:
    reason = {
        "out": "results are new tensors, values in a graph are not changed",
        "where": "write tg.where(condition, result, other)",
        "dtype": "write result.astype(dtype)",
    }.get(argument, "it has no counterpart here")
    return f"np.{function}: the argument {argument}= is not supported on tensors: {reason}"
