"""`explain`: what `backward()` does, step by step, with its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.backward import send
from ...engine.types import np
from ..graph import texts
from ..graph.passing import Noted, Visit, seed_for, visits
from ..graph.rules import rule_text
from ..graph.survey import Survey, label
from .explanation import Explanation
from .step import Sent, Step, formula, name_of


def explain(
    loss: Any,
    *,
    model: Any = None,
    names: Mapping[str, Any] | None = None,
    gradient: Any = None,
) -> Explanation:
    """The backward pass from a value as a list of steps, in the order in which it runs.

    A step takes one node whose gradient is complete, and multiplies it by the derivative of the
    node with respect to each operand (the chain rule); a value that is used several times sums what
    its users send. `Scalar`s are explained with numbers, tensors with shapes, ranges and formulas:
    in a formula `g` is the upstream gradient, `out` the value of the operation, other names are
    its operands. The numbers are those of `backward()`: the same rules on the same values. The
    graph stays, no `.grad` is written; hooks are called.

    Args:
        loss: a `Scalar` or tensor whose graph has not been freed.
        model: whose parameters are named by their dotted path.
        names: further names, {"x": x}, or `locals()`; other values are called v1, v2, ... by age.
        gradient: what the pass starts with; needed unless `loss` is one number (then 1).

    Raises `GraphError` for a value without a graph, or with one that was freed; `StaleValueError`
    where `backward()` would.

    Example:
        >>> import tinygrad_cs as tg
        >>> w, x = tg.Scalar(3.0), tg.Scalar(2.0)
        >>> explanation = tg.inspect.explain((w * x + x) ** 2, names={"w": w, "x": x})
        >>> print(explanation)
        1. v3 = v2 ** 2 = 64;  g = 1
             to v2: g * (y * power(*_one_less(x, y))) = 1 × 16 = 16;  sum 16
        2. v2 = v1 + x = 8;  g = 16
             to v1: g = 16 × 1 = 16;  sum 16
             to x: g = 16 × 1 = 16;  sum 16 …
        3. v1 = w * x = 6;  g = 16
             to w: g * b = 16 × 2 = 32;  sum 32
             to x: g * a = 16 × 3 = 48;  sum 64
        Gradients: x 64, w 32
        >>> explanation.gradients["w"]
        32.0
    """
    survey = Survey([loss], model, names, "explain")
    passed = visits(survey, seed_for(loss, gradient, "explain"), "explain")
    waiting: dict[Any, int] = {}
    for visit in passed:
        for arrival in visit.arrivals:
            waiting[arrival.node] = waiting.get(arrival.node, 0) + 1
    steps = [
        _step(survey, visit, number, waiting)
        for number, visit in enumerate(passed, 1)
        if visit.node.plan is not None
    ]
    leaves = [(survey.names[v.node], v.gradient) for v in passed if v.node.plan is None]
    return Explanation(steps, leaves)


def _step(survey: Survey, visit: Visit, number: int, waiting: dict[Any, int]) -> Step:
    node = visit.node
    plan = node.plan
    operands = survey.operands(node)
    edges = [edge.position for edge in plan.edges]
    local = _local_derivatives(visit) if node.dtype is float else []
    sent = []
    for k, (position, arrival) in enumerate(zip(edges, visit.arrivals, strict=True)):
        operand = label(node, position)
        waiting[arrival.node] -= 1
        sent.append(
            Sent(
                operand,
                survey.names[arrival.node],
                rule_text(plan.op, operand),
                local[k] if local else None,
                arrival.product,
                arrival.total,
                not waiting[arrival.node],
            )
        )
    names = [texts.line(name_of(survey.names, operand)) for _, operand in operands]
    return Step(
        number,
        survey.names[node],
        plan.op.name,
        formula(texts.line(survey.names[node]), plan.op.name, names),
        survey.values.get(node),
        tuple(node.shape),
        visit.gradient,
        None if visit.gradient is visit.arrived else visit.arrived,
        tuple(sent),
    )


def _local_derivatives(visit: Visit) -> list[float]:
    """What the rules of a `Scalar` give for an upstream gradient of 1, where that is a number."""
    noted: Any = Noted()
    with np.errstate(all="ignore"):
        send(visit.node, 1.0, visit.alive, noted, None)
    products = [product for _, product in noted.sent]
    return products if all(isinstance(p, float) for p in products) else []
