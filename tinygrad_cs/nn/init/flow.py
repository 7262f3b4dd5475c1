"""In which order a model calls its layers, as far as its containers tell, and what follows each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..module import Module
from ..parameter import Parameter

FOLLOWERS = {
    "relu": "relu",
    "relu6": "relu",
    "softplus": "relu",
    "leakyrelu": "leaky_relu",
    "rrelu": "leaky_relu",
    "prelu": "leaky_relu",
    "elu": "elu",
    "celu": "elu",
    "selu": "selu",
    "gelu": "gelu",
    "silu": "silu",
    "swish": "silu",
    "hardswish": "silu",
    "mish": "silu",
    "tanh": "tanh",
    "hardtanh": "tanh",
    "softsign": "tanh",
    "sigmoid": "sigmoid",
    "hardsigmoid": "sigmoid",
    "logsigmoid": "sigmoid",
    "softmax": "linear",
    "logsoftmax": "linear",
}
"""Activations by the name of layer or function, and the nonlinearity whose gain they take."""

UNKNOWN = object()
"""Stands where a module's own `forward` may do anything."""


ADDED = object()
"""Stands behind a shortcut: what passes it is added to something else, not activated."""


def kinds(module: Any) -> list[str]:
    """The names of a module's classes, its own first: layers are known by name."""
    return [kind.__name__ for kind in type(module).__mro__]


def in_order(path: str, module: Any, above: tuple[Module, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Path and layer (or function, `UNKNOWN`, `ADDED`) in the order of the calls."""
    if any(module is other for other in above):  # a child that refers to its parent
        return
    above = (*above, module)
    prefix = f"{path}." if path else ""
    names = kinds(module)
    if "Sequential" in names:
        for name, child in module._entries().items():
            yield from in_order(prefix + name, child, above)
    elif not _is_container(module):
        yield path, module
    elif "Residual" in names:
        if isinstance(module.shortcut, Module):
            yield from in_order(prefix + "shortcut", module.shortcut, above)
            yield "", ADDED
        yield from in_order(prefix + "block", module.block, above)
    else:
        for name, child in module._every_child():
            yield "", UNKNOWN
            yield from in_order(prefix + name, child, above)
        yield "", UNKNOWN


def _is_container(module: Any) -> bool:
    """Does it only call others? Weights of its own (attention) are used in a way only it knows."""
    if not isinstance(module, Module) or next(module.children(), None) is None:
        return False
    return not any(isinstance(value, Parameter) for value in vars(module).values())


def nonlinearity_of(layer: Any) -> str | None:
    """The nonlinearity that an activation is, by the name of its class or function."""
    names = kinds(layer) if isinstance(layer, Module) else [getattr(layer, "__name__", "")]
    found = (FOLLOWERS.get(name.lower().replace("_", "")) for name in names)
    return next((name for name in found if name), None)


def has_weights(layer: Any) -> bool:
    """Does this layer mix its inputs by weights (a normalisation does not)?"""
    if not isinstance(layer, Module) or is_normalization(layer):
        return False
    return any(True for _ in layer.parameters())


def is_normalization(layer: Any) -> bool:
    """Is this a layer such as BatchNorm1d or LayerNorm?"""
    return any("Norm" in name for name in kinds(layer))


def follower(flow: list[tuple[str, Any]], i: int, assumed: str) -> tuple[str, float | None]:
    """The nonlinearity after the layer at `i`, and its slope: 'linear' for the last of a model.

    What neither has weights nor is an activation (dropout, pooling, normalisation) is passed over;
    a function of another name may be anything.
    """
    for _, layer in flow[i + 1 :]:
        if name := nonlinearity_of(layer):
            return name, vars(layer).get("negative_slope") if isinstance(layer, Module) else None
        if layer is ADDED:
            break
        if not isinstance(layer, Module):
            last = not any(has_weights(later) for _, later in flow[i + 1 :])
            return ("linear" if last else assumed), None
        if has_weights(layer):
            break
    return "linear", None
