"""Saved values as nodes of the graph again, so that a pass over them is itself recorded.

With lifted values the rules call the same operations on nodes instead of arrays, and the backward
pass becomes a graph: derivatives of any order need no further code.
"""

from __future__ import annotations

from typing import Any

from .node import NOTHING, Node
from .record import parameter_names
from .scalar import Scalar
from .tensor import Tensor


def handle(node: Any, value: Any) -> Any:
    """The value of a node as a `Tensor` or `Scalar` that continues its history."""
    if node is NOTHING:
        return value
    return node if isinstance(node, Scalar) else Tensor._of(value, node)


def lift(node: Node) -> dict[str, Any]:
    """What the rules of `node` may ask for, by name, as nodes where they have a history."""
    plan: Any = node.plan
    inputs: Any = node.inputs
    op = plan.op
    values: dict[str, Any] = plan.values(node)
    if op.variadic:
        (name,) = op.operands
        if name in values:
            values[name] = [handle(p, v) for p, v in zip(inputs, values[name], strict=True)]
    else:
        for name, parent in zip(op.operands, inputs, strict=True):
            if name in values:
                values[name] = handle(parent, values[name])
    if "out" in values:
        values["out"] = handle(node, values["out"])
    for name in set(op.keep) & set(values):
        formula = op.keep[name]
        values[name] = formula(*[values[n] for n in parameter_names(formula)])
    return values


def node_of(value: Any) -> Any:
    """The place of a tensor or scalar in the graph; None if it has none."""
    if isinstance(value, Scalar):
        return value if value.requires_grad else None
    return value._node if isinstance(value, Tensor) else None
