"""Dead positions stay dead.

`where(x > 0, sqrt(x), 0)` has gradient 0 at x = 0: the branch not taken is not connected. The
chain rule alone would multiply its cotangent 0 by sqrt'(0) = inf and get NaN. So beside the
cotangent of a node may stand a mark, a boolean array that is True where the position is alive:

- an operation that cuts (`where`, indexing, `clip`, `relu`, `max`) makes one: alive is where its
  own rule sends anything at all;
- an elementwise operation passes it on, one that only moves data moves it with its own rule, any
  other drops it;
- of several consumers, a position is dead only if all agree.

A cotangent that is zero by value has no mark: sqrt(x)**2 at 0 does not become 0.
"""

from __future__ import annotations

from typing import Any

from .fit import broadcast_axes
from .record import ELEMENTWISE, FUNCTIONS
from .types import np

Marks = dict[Any, Any]


def send_marks(node: Any, alive: Any, table: dict[Any, Any], marks: Marks) -> None:
    """Give the inputs of `node` their marks, before its cotangents are sent to them.

    `alive` is the node's own mark, None where it has none.
    """
    plan = node.plan
    if not marks:
        for edge in plan.edges:
            if _wants_mark(node.inputs[edge.position]):
                break
        else:
            return
    sent: dict[Any, Any] = {}
    for index, mark in _outgoing(node, alive):
        parent = node.inputs[index]
        if mark is not None and _wants_mark(parent):
            fitted = _fit_mark(mark, parent.shape)
            sent[parent] = fitted | sent[parent] if parent in sent else fitted
    for index, _, _, _ in plan.edges:
        parent = node.inputs[index]
        if parent not in sent:
            marks.pop(parent, None)
        elif parent not in table:
            marks[parent] = sent[parent]
        elif parent in marks:
            marks[parent] = marks[parent] | sent[parent]


def _wants_mark(parent: Any) -> bool:
    """Could the mark make a difference, here or further down?

    An operation that selects multiplies by nothing, so a cotangent of 0 stays 0 there without a
    mark; it takes one only to pass it on.
    """
    plan = parent.plan
    if plan is None or not plan.carries_marks:
        return False
    return not plan.selects or any(_carries_marks(below) for below in parent.inputs)


def _carries_marks(node: Any) -> bool:
    return node.plan is not None and node.plan.carries_marks


def _outgoing(node: Any, alive: Any) -> list[tuple[int, Any]]:
    plan = node.plan
    if plan.cuts or (alive is not None and plan.op.carries_marks):
        if plan.op.kind is ELEMENTWISE and not plan.cuts:
            return [(edge.position, alive) for edge in plan.edges]
        # float32 is cheap; in float16 the share 1 / n of a mean could vanish
        g = np.ones(node.shape, np.float32) if alive is None else alive.astype(np.float32)
        g = float(g) if node.dtype is float else g
        return [(i, np.not_equal(c, 0)) for i, _, c in plan.contributions(g, plan.values(node))]
    return [(edge.position, None) for edge in plan.edges]


def mask(contribution: Any, alive: Any) -> Any:
    """The contribution of an elementwise operation with dead positions set to zero."""
    return FUNCTIONS["where"](alive, contribution, 0.0)


def _fit_mark(mark: Any, shape: tuple[int, ...]) -> Any:
    if mark.shape == shape:
        return mark
    axes = broadcast_axes(shape, mark.shape)
    assert axes is not None, "a cotangent of this shape would have been refused"
    return mark.any(axis=axes).reshape(shape)
