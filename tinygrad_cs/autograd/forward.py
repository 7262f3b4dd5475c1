"""Forward mode: tangents pushed through the recorded graph, from oldest to newest.

There is no second table. What an operation does to a tangent follows from its record:

- elementwise: the Jacobian is diagonal, so the rule for cotangents serves tangents as it is;
- linear in each operand: the operation itself, with the tangent in the operand's place;
- moves data: the operation itself, applied to all tangents together;
- general: the rule v(g) is linear in g, and its transpose pushes forward: record v at g = 0 and
  pull the tangent back through it.
"""

from __future__ import annotations

from typing import Any

from ..engine import backward
from ..engine.lift import lift, node_of
from ..engine.modes import enable_grad
from ..engine.node import Node
from ..engine.record import ELEMENTWISE, FUNCTIONS, LINEAR, MOVE
from ..engine.scalar import Scalar
from ..engine.tensor import Tensor
from ..engine.types import np


def push(tangents: dict[Node, Any], outputs: list[Any], recorded: bool) -> list[Any]:
    """The tangent of each output node, None where no tangent reaches it.

    `tangents` gives those of the nodes to start from; with `recorded` the pass itself is a graph.
    """
    known = dict(tangents)
    nodes = backward.gather([node for node in outputs if node is not None])
    with np.errstate(all="ignore"):
        for node in reversed(nodes):
            if node not in known and any(p in known for p in node.inputs or ()):
                known[node] = _push_one(node, known, recorded)
    return [known.get(node) for node in outputs]


def _push_one(node: Node, known: dict[Node, Any], recorded: bool) -> Any:
    plan: Any = node.plan
    inputs: Any = node.inputs
    kind = plan.op.kind
    values = lift(node) if recorded else plan.values(node)
    if kind is ELEMENTWISE:
        total = None
        for index, _, rule, asks in plan.edges:
            t = known.get(inputs[index])
            if t is not None:
                part = _apply_rule(rule, asks, {**values, "g": t})
                total = part if total is None else total + part
        return _shaped(total, node)
    if kind is MOVE:
        return _shaped(_moved(node, known, values), node)
    if kind is LINEAR and not plan.op.variadic:
        return _shaped(_replaced(node, known, values), node)
    return _transposed(node, known, values, recorded)


def _apply_rule(rule: Any, asks: tuple[str, ...], values: dict[str, Any]) -> Any:
    try:
        return rule(*[values[name] for name in asks])
    except (ArithmeticError, ValueError):
        ieee = {n: np.float64(v) if isinstance(v, float) else v for n, v in values.items()}
        return rule(*[ieee[name] for name in asks])


def _shaped(tangent: Any, node: Any) -> Any:
    """The tangent in its node's shape and dtype: an operand's tangent may still be broadcast."""
    if isinstance(node, Scalar):
        return tangent if isinstance(tangent, (float, Scalar)) else float(tangent)
    if isinstance(tangent, (int, float)):  # a rule that selects may return its 0
        tangent = np.asarray(tangent, node.dtype)
    if np.shape(getattr(tangent, "_data", tangent)) != node.shape:
        tangent = FUNCTIONS["broadcast_to"](tangent, node.shape)
    return tangent if tangent.dtype == node.dtype else tangent.astype(node.dtype)


def _zeros(node: Any, shape: Any) -> Any:
    return np.zeros(shape, node.dtype)


def _call(op: Any, operands: Any, values: dict[str, Any]) -> Any:
    params = {name: values[name] for name in op.params}
    call = FUNCTIONS[op.name]
    if op.variadic:
        return call(**{op.operands[0]: operands}, **params)
    return call(**dict(zip(op.operands, operands, strict=True)), **params)


def _moved(node: Any, known: dict[Node, Any], values: dict[str, Any]) -> Any:
    """A jointly linear operation applied to the tangents of all operands."""
    op = node.plan.op
    if op.variadic:
        shapes = values[f"{op.operands[0]}_shape"]
        tangents = [
            known[p] if p in known else _zeros(node, s)
            for p, s in zip(node.inputs, shapes, strict=True)
        ]
        return _call(op, tangents, values)
    (parent,) = node.inputs
    return _call(op, [known[parent]], values)


def _replaced(node: Any, known: dict[Node, Any], values: dict[str, Any]) -> Any:
    """The sum over operands of the operation with that operand's tangent in its place."""
    op = node.plan.op
    total = None
    for k, parent in enumerate(node.inputs):
        if parent in known:
            operands = [
                known[parent] if i == k else values[name] for i, name in enumerate(op.operands)
            ]
            part = _call(op, operands, values)
            total = part if total is None else total + part
    return total


def _transposed(node: Any, known: dict[Node, Any], values: Any, recorded: bool) -> Any:
    """d/dg of <v(g), t>, which is the tangent: the transpose of the rule v."""
    scalar = isinstance(node, Scalar)
    zero = 0.0 if scalar else np.zeros(node.shape, node.dtype)
    dummy = Scalar(0.0) if scalar else Tensor(zero, requires_grad=True)
    with enable_grad():
        parts = node.plan.contributions(dummy, values)
    seeds: dict[Node, Any] = {}
    for index, _, part in parts:
        parent = node.inputs[index]
        place = node_of(part)
        if parent in known and place is not None:
            t = fit_tangent(known[parent], part)
            seeds[place] = seeds[place] + t if place in seeds else t
    place = node_of(dummy)
    found = backward.run(seeds, targets={place}, retain=True, lift=lift if recorded else None)
    return found.get(place, zero)


def fit_tangent(tangent: Any, part: Any) -> Any:
    """The tangent of an operand in the shape its rule returned, which may be broadcast."""
    if isinstance(part, Scalar):
        return tangent
    if isinstance(tangent, Scalar):
        tangent = FUNCTIONS["to_tensor"](tangent)
    elif isinstance(tangent, float):
        tangent = np.asarray(tangent, part.dtype)
    if tangent.shape == part.shape:
        return tangent
    return FUNCTIONS["broadcast_to"](tangent, part.shape)
