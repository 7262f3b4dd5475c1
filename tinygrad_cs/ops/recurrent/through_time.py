"""Back-propagation through time, shared by the rules of all operands of a recurrence.

A recurrence over a sequence is one operation, and its derivative one loop from the last step to the
first (Werbos 1990), which yields the cotangents of all operands together. The engine asks for them
one by one, a rule for each operand; so the operation keeps a `ThroughTime`, which runs the loop
when the first rule asks and hands out what it has when the others do.

The loop is written by hand, on arrays and in place. A pass that is itself recorded takes its
numbers too, so that both kinds of pass give the same bits; their history comes from the steps,
repeated in the library's own operations and differentiated by reverse mode. So there are
derivatives of any order, and no formula for them.

Both loops are plain functions of arrays that hold on to nothing, so that a compiled program can
call them, and print them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ...engine import backward
from ...engine.lift import lift, node_of
from ...engine.modes import as_one, enable_grad
from ...engine.tensor import Tensor
from ...engine.types import Array
from ..axes import raw
from ..shapes.conversion import alias


class Recurrence(NamedTuple):
    """A recurrence over a sequence: the loop forward, the loop back, and one step after the other.

    Attributes:
        operands: their names, in the order in which the three functions take them.
        forward: on arrays, of the operands and parameters; gives the output, and after it what the
            loop back needs beside it.
        back: on arrays, of the output's cotangent and all that `forward` was given and gave; gives
            the cotangents of the operands.
        steps: the output, in the library's operations.
    """

    operands: tuple[str, ...]
    forward: Callable[..., tuple[Array, ...]]
    back: Callable[..., tuple[Array, ...]]
    steps: Callable[..., Any]

    def run(self, *given: Any) -> tuple[Array, ThroughTime]:
        """The output, and what hands out cotangents."""
        results = as_one(self.forward, *given)
        return results[0], ThroughTime(self, given, results)


class ThroughTime:
    """The cotangents of a recurrence's operands, from that of its output.

    Args:
        recurrence: what it is the pass of.
        given: operands and parameters: arrays, or tensors in a pass that is recorded.
        results: what the loop forward has given for them, if it ran already.
    """

    __slots__ = ("_given", "_last", "_recurrence", "_results")

    def __init__(
        self, recurrence: Recurrence, given: tuple[Any, ...], results: tuple[Array, ...] = ()
    ) -> None:
        self._recurrence = recurrence
        self._given = given
        self._results = results
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
        names, forward, back, steps = self._recurrence
        operands, parameters = self._given[: len(names)], self._given[len(names) :]
        given = [*map(raw, operands), *parameters]
        self._results = self._results or as_one(forward, *given)
        found = dict(zip(names, as_one(back, raw(g), *given, *self._results), strict=True))
        if any(isinstance(value, Tensor) for value in (g, *operands)):
            named = dict(zip(names, operands, strict=True))
            for name, node in _histories(steps, named, parameters, g).items():
                found[name] = Tensor._of(found[name].astype(node.dtype, copy=False), node)
        return found


def _histories(
    steps: Callable[..., Any], operands: dict[str, Any], parameters: tuple[Any, ...], g: Any
) -> dict[str, Any]:
    """The nodes of the operands' cotangents, from a recorded pass over the recorded steps."""
    with enable_grad():
        # nodes of their own, so that nothing is counted that reached one operand from another
        inner = {name: _inner(value) for name, value in operands.items()}
        out = steps(*inner.values(), *parameters)
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
