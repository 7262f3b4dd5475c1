"""The backward pass over scalars alone, with cotangents in a column of the nodes.

The same walk as `backward.run`, by the same plans, for the graphs one follows by hand: nothing but
`Scalar`s, no hooks, no marks. A slot of the node takes the place of the table, which saves a third
of the time. One pass at a time may use the column; a second one (in another thread, or started by
a hook) and every graph with more in it takes the table.
"""

from __future__ import annotations

import math
import threading
from operator import attrgetter
from typing import Any

from .assemble import ScalarPlan
from .backward import Table, finish, send
from .errors import GraphError
from .modes import current_mode
from .node import last_overwrite
from .stale import refuse_stale, used_up
from .types import np

_age = attrgetter("order")
_in_use = threading.Lock()


def finish_scalars(root: Any, seed: float, retain: bool) -> None:
    """A whole backward pass from one scalar; what arrives at leaves is added to their `.grad`."""
    mode = current_mode()
    if mode.debugging or mode.trace is not None or not _in_use.acquire(blocking=False):
        return finish({root: seed}, retain)
    nodes: list[Any] = []
    leaves: list[Any] = []
    try:
        suitable = _gather(root, nodes, leaves)
        if suitable and any(node.plan.cuts for node in nodes):
            # Marks would make it several times slower, and they only matter where something is
            # infinite or NaN: that shows in the end, and the pass is made again with them.
            _walk(nodes, seed, True)
            suitable = math.isfinite(sum(leaf.cotangent for leaf in leaves))
            if suitable and not retain:
                for node in nodes:
                    node.inputs, node.saved = None, ()
        elif suitable:
            _walk(nodes, seed, retain)
        if suitable:
            for leaf in leaves:
                grad = leaf._grad
                leaf._grad = leaf.cotangent if grad is None else grad + leaf.cotangent
    finally:
        for node in nodes:
            node.cotangent = None
        for leaf in leaves:
            leaf.cotangent = None
        _in_use.release()
    return None if suitable else finish({root: seed}, retain)


def _gather(root: Any, nodes: list[Any], leaves: list[Any]) -> bool:
    """Find everything the root was computed from; False if there is more than plain scalars.

    A node that was seen has the cotangent 0.0, one that was not has None.
    """
    if root.plan is None:
        return False
    root.cotangent = 0.0
    nodes.append(root)
    visit = nodes.append
    for node in nodes:
        plan = node.plan
        if type(plan) is not ScalarPlan or (plan.special and getattr(node, "hooks", None)):
            return False
        if node.inputs is None:
            raise GraphError(used_up(node))
        for parent in node.inputs:
            if parent.cotangent is None:
                if parent.plan is not None:
                    parent.cotangent = 0.0
                    visit(parent)
                elif parent.requires_grad:
                    parent.cotangent = 0.0
                    leaves.append(parent)
                    if parent.hooks:
                        return False
    nodes.sort(key=_age, reverse=True)
    if nodes[-1].order < last_overwrite[0]:
        refuse_stale(nodes)
    return True


def _walk(nodes: list[Any], seed: float, retain: bool) -> None:
    nodes[0].cotangent = seed
    for node in nodes:
        try:
            node.plan.pull_column(node.cotangent, node)
        except (ArithmeticError, TypeError, ValueError):
            table: Table = {}
            with np.errstate(all="ignore"):
                send(node, node.cotangent, None, table, None)
            for parent, cotangent in table.items():
                parent.cotangent += cotangent
        node.cotangent = None
        if not retain:
            node.inputs = None
            node.saved = ()
