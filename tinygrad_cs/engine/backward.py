"""The backward pass: reverse mode over any mixture of scalars and tensors.

Gather what is reachable with a stack, walk it from newest to oldest. Creation order is a
topological order, so when a node's turn comes all of its consumers have sent their cotangents.
No recursion: a graph a million nodes deep is walked like any other, and every node once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

from .debugging import watch_backward
from .errors import GraphError, RuleError, ShapeError
from .fit import fit
from .marks import Marks, mask, send_marks
from .modes import CHANGED, current_mode, current_trace
from .node import RETAIN, Node, last_overwrite
from .record import ELEMENTWISE
from .stale import refuse_stale, used_up, where_recorded
from .types import np

Table = dict[Any, Any]
Lift = Callable[[Node], dict[str, Any]]

_age = attrgetter("order")

_STUMBLES = (ArithmeticError, AttributeError, TypeError, ValueError)
"""What a rule may raise on Python floats (1 / 0.0), or its text on a rule that returns numbers."""


def gather(roots: Iterable[Node], since: int = 0) -> list[Node]:
    """Every node made by an operation that the roots were computed from, newest first.

    Nodes made before the time `since` are left out: they lead to nothing that was made later.
    """
    nodes: list[Node] = []
    for node in roots:
        if node.plan is not None and node.order >= since:
            nodes.append(node)
    seen = set(nodes)
    mark, visit = seen.add, nodes.append
    for node in nodes:
        if node.inputs is None:
            raise GraphError(used_up(node))
        for parent in node.inputs:
            if parent.plan is not None and parent.order >= since and parent not in seen:
                mark(parent)
                visit(parent)
    if len(nodes) > 1:
        nodes.sort(key=_age, reverse=True)
    return nodes


def leading_to(nodes: list[Node], targets: set[Node]) -> list[Node]:
    """Those of `nodes` (newest first) that some target was used for, in the same order."""
    leads = set(targets)
    for node in reversed(nodes):
        if any(parent in leads for parent in node.inputs):
            leads.add(node)
    return [node for node in nodes if node in leads]


def run(
    seeds: Table,
    *,
    retain: bool = False,
    targets: set[Node] | None = None,
    lift: Lift | None = None,
) -> Table:
    """Pull the cotangents in `seeds` back; returns the cotangent of each leaf, or each target.

    `lift` gives a node's saved values as nodes of the graph: with it the pass is itself recorded.
    Nothing is written to any `.grad`, except where an interior node asked to retain it.
    """
    since = min((target.order for target in targets), default=0) if targets else 0
    nodes = gather(seeds, since)
    if nodes and nodes[-1].order < last_overwrite[0]:
        refuse_stale(nodes)
    if targets is not None:
        nodes = leading_to(nodes, targets)
    table: Table = dict(seeds)
    found: Table = {}
    _walk_silently(nodes, table, found, retain, targets, lift)
    if targets is None:
        return table
    for node, g in table.items():
        if node in targets:
            found[node] = run_hooks(node, g, lift is not None) if node.hooks else g
    return found


def _walk(
    nodes: list[Node],
    table: Table,
    found: Table,
    retain: bool,
    targets: set[Node] | None,
    lift: Lift | None,
) -> None:
    """Empty `table` node by node, newest first, until only leaves are in it."""
    marks: Marks = {}
    debugged = bool(CHANGED)
    careful = lift is not None or (debugged and _watched(current_mode()))
    watching = careful or targets is not None
    take = table.pop
    for node in nodes:
        g = take(node)
        plan: Any = node.plan
        alive = None
        if careful and debugged and (trace := current_trace()) is not None:
            trace.enter_backward(node)
        if watching or plan.special:
            if getattr(node, "hooks", None):
                g = run_hooks(node, g, lift is not None)
            if targets is not None and node in targets:
                found[node] = g
            alive = marks.pop(node, None)
            if (marks or plan.cuts or alive is not None) and not _unmarked(node):
                send_marks(node, alive, table, marks)
            watching = careful or targets is not None or bool(marks)
        if careful or alive is not None:
            send(node, g, alive, table, lift)
        else:
            try:
                plan.pull(g, node, table)
            except _STUMBLES:
                send(node, g, alive, table, lift)
        if not retain:
            node.inputs = None
            node.saved = ()
            if debugged and hasattr(node, "made_at"):
                del node.made_at


def _unmarked(node: Node) -> bool:
    """A trace of scalars has no marks: its program is only for results that are all finite."""
    trace = current_mode().trace if CHANGED else None
    return trace is not None and trace.leaves_marks_out(node)


def _watched(mode: Any) -> bool:
    return mode.debugging or mode.trace is not None


# As a decorator `np.errstate` costs half of what it does as a block.
_walk_silently: Any = np.errstate(all="ignore")(_walk)


def send(node: Node, g: Any, alive: Any, table: Table, lift: Lift | None) -> None:
    """What `Plan.pull` does, with every case considered: slower, and explains what fails."""
    plan: Any = node.plan
    values = plan.values(node) if lift is None else lift(node)
    trace = current_trace()
    try:
        contributions = plan.contributions(g, values)
    except (ArithmeticError, ValueError):
        if node.dtype is not float:
            raise
        # Python floats raise where arrays give inf or NaN: compute with IEEE numbers instead.
        ieee = {n: np.float64(v) if isinstance(v, float) else v for n, v in values.items()}
        contributions = plan.contributions(np.float64(g) if isinstance(g, float) else g, ieee)
    for index, label, contribution in contributions:
        parent = node.inputs[index]
        if contribution is None:
            raise RuleError(f"the rule d{label} of {plan.op.name} returned None, not a cotangent")
        if alive is not None and plan.op.kind is ELEMENTWISE:
            contribution = mask(contribution, alive)
        # (NumPy's float64 equals None, so a missing dtype is asked for first)
        if not hasattr(contribution, "dtype") or (
            contribution.dtype != parent.dtype or contribution.shape != parent.shape
        ):
            contribution = fit(contribution, parent, plan.op.name, label)
        if current_mode().debugging:
            watch_backward(plan.op, label, contribution, plan.values(node), where_recorded(node))
        table[parent] = table[parent] + contribution if parent in table else contribution
        if trace is not None:
            trace.arrived(parent, table[parent])


def run_hooks(node: Node, g: Any, recorded: bool = False) -> Any:
    """Show the cotangent to the hooks of a node in the order they came; each may replace it.

    A replacement takes the node's dtype; its own history counts only where the pass is recorded.
    """
    assert node.hooks is not None
    if isinstance(g, np.ndarray):
        # another node may have been sent the very same array
        g = g.view()
        g.flags.writeable = False
    for hook in list(node.hooks.values()):
        replacement = hook(g)
        if replacement is None:
            continue
        if np.shape(replacement) != node.shape:
            raise ShapeError(
                f"register_hook: the hook returned shape {np.shape(replacement)} for a gradient "
                f"of shape {node.shape}; return the same shape, or None to leave it as it is"
            )
        if not recorded:
            replacement = getattr(replacement, "_data", replacement)
        if not hasattr(replacement, "dtype"):
            replacement = np.asarray(replacement)
        g = fit(replacement, node, "register_hook", "gradient")
    if RETAIN in node.hooks:
        node.accumulate(getattr(g, "_data", g))
    return g


def finish(seeds: Table, retain: bool) -> None:
    """A whole backward pass: run it, then add what arrived at the leaves to their `.grad`."""
    cotangents = run(seeds, retain=retain)
    for leaf in list(cotangents):
        # out of the table, so that the leaf can take an array over that nobody else holds
        cotangent = cotangents.pop(leaf)
        if leaf.hooks:
            cotangent = run_hooks(leaf, cotangent)
        if type(cotangent) is float:  # `Scalar.accumulate` without the call: half of its time
            grad = leaf._grad
            leaf._grad = cotangent if grad is None else grad + cotangent
        else:
            leaf.accumulate(cotangent)
    if CHANGED and (trace := current_trace()) is not None:
        trace.leave_backward()
