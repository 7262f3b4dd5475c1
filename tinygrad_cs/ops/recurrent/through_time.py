"""Back-propagation through time, shared by the rules of all operands of a recurrence.

A recurrence over a sequence is one operation, and its derivative one loop from the last step to the
first (Werbos 1990), which yields the cotangents of all operands together. The engine asks for them
one by one, a rule for each operand; so the operation keeps a `ThroughTime`, which runs the loop
when the first rule asks and hands out what it has when the others do.

The loop is written by hand, on arrays and in place. A pass that is itself recorded takes its
numbers too, so that both kinds of pass give the same bits; their history comes from the steps,
repeated in the library's own operations and differentiated by reverse mode. So there are
derivatives of any order, and no formula for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ...engine import backward
from ...engine.lift import lift, node_of
from ...engine.modes import enable_grad
from ...engine.tensor import Tensor
from ...engine.types import Array
from ..axes import raw
from ..shapes.conversion import alias

Pull: TypeAlias = Callable[[Array], dict[str, Any]]
"""The loop: from the output's cotangent to that of every operand by name, on arrays."""

Run: TypeAlias = Callable[..., tuple[Array, Pull]]
"""The recurrence on arrays: its output, and the loop that goes back with what was left behind."""


class ThroughTime:
    """The cotangents of a recurrence's operands, from that of its output.

    Args:
        run: the recurrence on arrays, a function of the operands by name.
        steps: the same in the library's operations.
        operands: their values by name: arrays, or tensors in a pass that is recorded.
        pull: what `run` has returned for them, if it ran already.
    """

    __slots__ = ("_last", "_operands", "_pull", "_run", "_steps")

    def __init__(
        self,
        run: Run,
        steps: Callable[..., Any],
        operands: dict[str, Any],
        pull: Pull | None = None,
    ) -> None:
        self._run = run
        self._steps = steps
        self._operands = operands
        self._pull = pull
        self._last: tuple[Any, dict[str, Any]] = (None, {})

    def cotangent(self, operand: str, g: Any) -> Any:
        """That of one operand, for the cotangent `g` of the output.

        Each is handed out once: whoever asks again has begun another pass, perhaps with other
        numbers in the same array.
        """
        asked, waiting = self._last
        if asked is not g or operand not in waiting:
            waiting = self._all(g)
            self._last = (g, waiting)
        found = waiting.pop(operand)
        if not waiting:
            self._last = (None, {})
        return found

    def _all(self, g: Any) -> dict[str, Any]:
        if self._pull is None:
            values = {name: raw(value) for name, value in self._operands.items()}
            _, self._pull = self._run(**values)
        found = self._pull(raw(g))
        if any(isinstance(value, Tensor) for value in (g, *self._operands.values())):
            for name, node in _histories(self._steps, self._operands, g).items():
                found[name] = Tensor._of(found[name].astype(node.dtype, copy=False), node)
        return found


def _histories(steps: Callable[..., Any], operands: dict[str, Any], g: Any) -> dict[str, Any]:
    """The nodes of the operands' cotangents, from a recorded pass over the recorded steps."""
    with enable_grad():
        # nodes of their own, so that nothing is counted that reached one operand from another
        inner = {name: _inner(value) for name, value in operands.items()}
        out = steps(**inner)
        places = {name: node_of(value) for name, value in inner.items()}
        seeds = {node_of(out): g}
        found = backward.run(seeds, retain=True, targets=set(places.values()), lift=lift)
    nodes = {name: node_of(found[place]) for name, place in places.items()}
    return {name: node for name, node in nodes.items() if node is not None}


def _inner(value: Any) -> Tensor:
    if node_of(value) is not None:
        inner: Tensor = alias(value)
        return inner
    return Tensor(value, requires_grad=True)


def by_gate(rows: Array, size: int) -> Array:
    """(L, N, gates * size) as (L, gates, N, size): a view."""
    steps, batch, width = rows.shape
    view: Array = rows.reshape(steps, batch, width // size, size).swapaxes(1, 2)
    return view


def d_weight(da: Array, first: Any, hidden: Array) -> Array:
    """dW_hh = sum over t of da_t h_{t-1}^T: one product for all steps but the first."""
    total: Array = da[0].T @ first
    if len(da) > 1:
        before = hidden[: len(da) - 1].reshape(-1, hidden.shape[-1])
        total += da[1:].reshape(-1, da.shape[-1]).T @ before
    return total
