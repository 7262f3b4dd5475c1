"""One evaluation of a function from fresh places in the graph, and its derivatives.

What all of `tg.func` stands on: which places are followed, whether the pass must be recorded, and
as what kind of thing a result goes back to the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

from ..engine import backward
from ..engine.arrays import to_array
from ..engine.errors import DTypeError, ShapeError
from ..engine.lift import lift, node_of
from ..engine.modes import current_mode, enable_grad
from ..engine.node import NOTHING
from ..engine.record import FUNCTIONS
from ..engine.scalar import Scalar
from ..engine.tensor import Tensor
from ..engine.types import np
from . import trees
from .forward import push
from .gradients import seed_for, wrap

Function = Callable[..., Any]

_around: ContextVar[tuple[set[Any], ...]] = ContextVar("_around", default=())
"""For each evaluation in progress, the places that belong to derivatives and to nobody else."""


def _start(x: Any) -> Any:
    """A place of its own for an argument: a leaf, or an alias of a node with a history."""
    if node_of(x) is not None:
        return FUNCTIONS["alias"](x)
    if type(x) in (int, float):
        return Scalar(float(x))
    if isinstance(x, Scalar):
        return Scalar(x._data)
    data = to_array(x)
    if data.dtype.kind != "f":
        raise DTypeError(
            f"func: an argument to differentiate by must be floating, got {data.dtype}; "
            f"write x.astype(float) or 2.0 instead of 2"
        )
    started = Tensor._of(data)
    started.requires_grad = True
    return started


class Trace:
    """One evaluation of a function from fresh places, and what its derivatives need to know."""

    def __init__(self, f: Function, args: Sequence[Any], argnums: Sequence[int], kwargs: Any):
        self.outer = current_mode().recording
        with enable_grad():
            self.chosen = [trees.transform(_start, args[i]) for i in argnums]
            self.inputs = [x for tree in self.chosen for x in trees.leaves(tree)]
            self.nodes = [node_of(x) for x in self.inputs]
            self.mine = set(self.nodes)
            called = list(args)
            for i, started in zip(argnums, self.chosen, strict=True):
                called[i] = started
            self.out = self._evaluate(f, called, kwargs)
        self.given = [list(trees.leaves(args[i])) for i in argnums]
        self.outputs = [_as_node(y) for y in trees.leaves(self.out)]
        self.ends = [node_of(y) for y in self.outputs]
        self.recorded = self.outer and self._reaches_others()

    def _evaluate(self, f: Function, args: Sequence[Any], kwargs: Any) -> Any:
        """f(*args), during which derivatives inside add their places to those of this one."""
        around = _around.get()
        for places in around:
            places |= self.mine
        token = _around.set((*around, self.mine))
        try:
            return f(*args, **kwargs)
        finally:
            _around.reset(token)

    def _reaches_others(self) -> bool:
        """Does an output depend on anything that could be differentiated outside?"""
        since = min(node.order for node in self.nodes)
        ends = {end for end in self.ends if end is not None}
        places = backward.gather(ends, since)
        candidates = ends | {p for node in places for p in node.inputs}
        return any(
            p not in self.mine and (_needs_gradient(p) if p.plan is None else p.order < since)
            for p in candidates
        )

    def pull(self, cotangents: Sequence[Any], retain: bool) -> list[Any]:
        """The cotangents of all inputs, zeros where the outputs do not depend on one."""
        seeds: dict[Any, Any] = {}
        for end, output, c in zip(self.ends, self.outputs, cotangents, strict=True):
            if end is not None:
                seed = seed_for(output, c)
                seeds[end] = seeds[end] + seed if end in seeds else seed
        recorded = self.recorded or (self.outer and _any_tracked(cotangents))
        found = backward.run(
            seeds, targets=set(self.nodes), retain=retain or recorded,
            lift=lift if recorded else None,
        )  # fmt: skip
        return [
            wrap(found[n], x) if n in found else _zero_like(x)
            for n, x in zip(self.nodes, self.inputs, strict=True)
        ]

    def push(self, tangents: Sequence[Any]) -> list[Any]:
        """The tangents of all outputs."""
        recorded = self.recorded or (self.outer and _any_tracked(tangents))
        start = dict(zip(self.nodes, tangents, strict=True))
        pushed = push(start, self.ends, recorded)
        return [
            _zero_like(y) if t is None else wrap(t, y)
            for t, y in zip(pushed, self.outputs, strict=True)
        ]

    def finish(self, results: Sequence[Any], like: Sequence[Any]) -> list[Any]:
        """Results as the kind of thing that was given: see the module docstring."""
        return [as_given(r, x) for r, x in zip(results, like, strict=True)]

    def as_argument(self, results: list[Any]) -> list[Any]:
        """Results, one per input, put together like the chosen arguments."""
        values = iter(self.finish(results, [x for group in self.given for x in group]))
        return [trees.rebuild(tree, values) for tree in self.chosen]

    def value(self) -> Any:
        """What the function returned, without the places that belong to this derivative."""
        nodes_given = any(isinstance(x, (Tensor, Scalar)) for g in self.given for x in g)
        keep = self.recorded

        def clean(y: Any) -> Any:
            if not isinstance(y, (Tensor, Scalar)):
                return y
            y = y if keep else y.detach()
            return y if nodes_given or node_of(y) is not None else y._data

        return trees.transform(clean, self.out)


def _needs_gradient(place: Any) -> bool:
    """Is this leaf one that requires a gradient (a constant `Scalar` is a leaf that does not)?"""
    return place.requires_grad if isinstance(place, Scalar) else place is not NOTHING


def _as_node(y: Any) -> Any:
    return y if isinstance(y, (Tensor, Scalar)) else Tensor._of(np.asarray(y))


def _any_tracked(values: Sequence[Any]) -> bool:
    return any(node_of(v) is not None for v in values)


def _zero_like(x: Any) -> Any:
    return Scalar._of(0.0) if isinstance(x, Scalar) else Tensor._of(np.zeros(x.shape, x.dtype))


def as_given(result: Any, given: Any) -> Any:
    """A result as a node if it has a history or a node was given, else as its plain value."""
    if isinstance(given, (Tensor, Scalar)) or node_of(result) is not None:
        return result
    return result._data


def tangent_for(t: Any, x: Any) -> Any:
    """A tangent in the shape and dtype of its primal; raises `ShapeError` for another shape."""
    if isinstance(x, Scalar):
        return t if isinstance(t, Scalar) else float(getattr(t, "_data", t))
    if not isinstance(t, Tensor):
        t = np.asarray(t, dtype=x.dtype)
    if t.shape != x.shape:
        raise ShapeError(f"func.jvp: a primal of shape {x.shape} got a tangent of shape {t.shape}")
    return t if isinstance(t, Tensor) and t._node is not None else getattr(t, "_data", t)
