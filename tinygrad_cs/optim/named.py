"""What a user may hand over where parameters are asked for: a module, a list, one tensor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..engine.errors import ArgumentError, DTypeError
from ..engine.tensor import Tensor


def named_parameters(parameters: Any, what: str) -> list[tuple[str, Tensor]]:
    """Name and parameter, each once; the name is the position where there is none.

    Args:
        parameters: a module, an iterable of tensors or of (name, tensor), or one tensor.
        what: the function that asks, for its messages.
    """
    if isinstance(parameters, Tensor):
        return [("0", parameters)]
    if hasattr(type(parameters), "named_parameters"):
        return list(parameters.named_parameters())
    if not isinstance(parameters, Iterable) or isinstance(parameters, (str, dict)):
        raise DTypeError(
            f"{what}: expected a module, its parameters or a tensor, "
            f"got {type(parameters).__name__}"
        )
    found: dict[int, tuple[str, Tensor]] = {}
    for i, entry in enumerate(parameters):
        name, tensor = entry if isinstance(entry, tuple) and len(entry) == 2 else (str(i), entry)
        if not isinstance(tensor, Tensor):
            raise DTypeError(f"{what}: parameter {name} is {type(tensor).__name__}, not a tensor")
        found.setdefault(id(tensor), (name, tensor))
    if not found:
        raise ArgumentError(
            f"{what}: the parameter list is empty; a generator such as model.parameters() can be "
            f"used up only once"
        )
    return list(found.values())
