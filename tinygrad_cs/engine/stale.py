"""Graphs that a backward pass must refuse: used up, or with values that were changed since."""

from __future__ import annotations

from typing import Any

from .errors import StaleValueError
from .node import Node
from .record import MOVE
from .types import np


def used_up(node: Node) -> str:
    """The message for a graph that an earlier pass has freed."""
    name = node.plan.op.name if node.plan is not None else "a leaf"
    return (
        f"backward: the graph behind {name} was already used by an earlier backward pass, which "
        f"freed it. Compute the loss again before each backward(), or keep the graph with "
        f"backward(retain_graph=True){where_recorded(node)}"
    )


def where_recorded(node: Node) -> str:
    """The end of a message: the line that made a node, or how to see it."""
    made_at = getattr(node, "made_at", None)
    if made_at is None:
        return " (run the step inside tg.debug() to see the line that recorded it)"
    return f" (recorded at {made_at})"


def refuse_stale(nodes: list[Node]) -> None:
    """Raise if a leaf whose value a rule will read was overwritten after it was recorded."""
    for node in nodes:
        plan: Any = node.plan
        inputs: Any = node.inputs
        saved = range(len(inputs)) if plan.op.variadic else plan.saved_operands
        origins = [inputs[i] for i in saved if plan.saved_operands]
        direct = set(origins)
        while origins:
            origin = origins.pop()
            if origin.plan is None:
                if origin.last_change() > node.order and (
                    origin in direct or _shares_memory(node, origin)
                ):
                    raise StaleValueError(
                        f"backward: {plan.op.name} needs the value that one of its operands had "
                        f"in the forward pass, but the library has changed it in place since "
                        f"(optimizer step, load_state_dict). Call backward() before step(), or "
                        f"compute the loss again{where_recorded(node)}"
                    )
            elif origin.plan.op.kind is MOVE:
                # reshape, transpose and slices may be views of the leaf's memory.
                origins += origin.inputs


def _shares_memory(node: Node, leaf: Any) -> bool:
    """May a value that `node` saved be a view of the buffer that holds the leaf?"""
    if leaf.home is None:
        return True
    values: Any = node.plan.values(node).values() if node.plan is not None else ()
    flat = [v for value in values for v in (value if isinstance(value, tuple) else (value,))]
    return any(isinstance(v, np.ndarray) and np.may_share_memory(v, leaf.home.values) for v in flat)
