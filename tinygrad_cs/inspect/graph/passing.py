"""A backward pass that one can look at: the same cotangents as those of `backward()`.

It uses up nothing and writes no `.grad`. Every node is visited once, newest first, by the slow form
of the engine's own step (`backward.send`), and what each rule sends is noted beside where it went.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from ...engine.backward import run_hooks, send
from ...engine.errors import ArgumentError, StaleValueError
from ...engine.marks import Marks, send_marks
from ...engine.node import RETAIN, last_overwrite
from ...engine.stale import refuse_stale
from ...engine.tensor import Tensor, cotangent_for
from ...engine.types import np
from .survey import Survey


@dataclass(slots=True)
class Arrival:
    """What a rule sent to one operand.

    Attributes:
        node: where it arrived.
        product: upstream gradient times local derivative.
        total: the sum of all that has arrived there so far.
    """

    node: Any
    product: Any
    total: Any


@dataclass(slots=True)
class Visit:
    """A node whose turn has come.

    Attributes:
        node: the node, a leaf where `arrivals` is empty.
        arrived: the gradient that arrived.
        gradient: the same after the hooks of the node.
        arrivals: what the node sends on, in the order of its differentiable operands.
        alive: the mark of positions that are connected, None if all are.
    """

    node: Any
    arrived: Any
    gradient: Any
    arrivals: list[Arrival] = field(default_factory=list)
    alive: Any = None


class Noted:
    """Stands in for the table of a pass: to `send` every cotangent is the first one."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, Any]] = []

    def __contains__(self, node: Any) -> bool:
        return False

    def __setitem__(self, node: Any, cotangent: Any) -> None:
        self.sent.append((node, cotangent))


def seed_for(root: Any, gradient: Any, what: str) -> Any:
    """What a pass from `root` starts with."""
    if isinstance(root, Tensor):
        seed = cotangent_for(root, gradient, what)
        return getattr(seed, "_data", seed)
    try:
        return 1.0 if gradient is None else float(gradient)
    except (TypeError, ValueError):
        raise ArgumentError(
            f"{what}: the gradient of a Scalar is a number, got {gradient!r}"
        ) from None


def visits(survey: Survey, seed: Any, what: str) -> list[Visit]:
    """The pass from the only root of the survey: nodes first, then leaves, each newest first.

    Raises `StaleValueError` where `backward()` would.
    """
    (root,) = survey.roots
    nodes = survey.made[::-1]
    if nodes and nodes[-1].order < last_overwrite[0]:
        try:
            refuse_stale(nodes)
        except StaleValueError as error:
            raise StaleValueError(str(error).replace("backward", what, 1)) from error
    table: dict[Any, Any] = {root: seed}
    result: list[Visit] = _silently(_walk)(nodes, table)
    return result


def _silently(function: Callable[..., Any]) -> Callable[..., Any]:
    return cast(Callable[..., Any], np.errstate(all="ignore")(function))


def _walk(nodes: list[Any], table: dict[Any, Any]) -> list[Visit]:
    marks: Marks = {}
    result = []
    for node in nodes:
        arrived = table.pop(node)
        g = _after_hooks(node, arrived)
        alive = marks.pop(node, None)
        if marks or node.plan.cuts or alive is not None:
            send_marks(node, alive, table, marks)
        noted: Any = Noted()
        send(node, g, alive, noted, None)
        visit = Visit(node, arrived, g, alive=alive)
        for parent, product in noted.sent:
            table[parent] = table[parent] + product if parent in table else product
            visit.arrivals.append(Arrival(parent, product, table[parent]))
        result.append(visit)
    leaves = sorted(table, key=lambda leaf: leaf.order, reverse=True)
    return result + [Visit(leaf, table[leaf], _after_hooks(leaf, table[leaf])) for leaf in leaves]


def _after_hooks(node: Any, g: Any) -> Any:
    """The gradient as the hooks of the user leave it; nothing is retained in `.grad`."""
    hooks = {k: h for k, h in (getattr(node, "hooks", None) or {}).items() if k != RETAIN}
    if not hooks:
        return g
    stand_in: Any = SimpleNamespace(hooks=hooks, shape=node.shape, dtype=node.dtype)
    return run_hooks(stand_in, g)
