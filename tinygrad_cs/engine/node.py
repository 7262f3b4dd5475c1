"""A node: one place in the graph, and the clock that orders all of them.

Nodes are numbered as they are made, so an operation always has a higher number than its operands:
creation order is a topological order, and the backward pass needs no other.

A node knows where its value came from, not the value: a `Tensor` is the handle that holds both,
and an array that no derivative rule named dies with its handle. (A `Scalar` is its own node: a
float is smaller than the handle would be.)
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from .errors import ArgumentError, ShapeError
from .ownership import in_own_memory
from .types import Array, Shape, np

tick = itertools.count(1).__next__
"""The clock: each call gives the next number. `next` on a count is atomic in CPython."""

last_overwrite = [0]
"""When the library last changed a leaf in place; graphs that began later cannot be stale."""

Hook = Callable[[Any], Any]


class Node:
    """One place in the graph: which plan made it, from which inputs, and what the rules saved."""

    # Operations leave "_grad" and "hooks" unset: making a node is the hot path of scalar graphs.
    __slots__ = ("_grad", "hooks", "inputs", "made_at", "order", "plan", "saved")

    order: int
    plan: Any
    inputs: Any
    saved: tuple[Any, ...]
    _grad: Any
    hooks: dict[int, Hook] | None
    made_at: Any

    shape: Shape
    dtype: Any

    @property
    def grad(self) -> Any:
        """The gradient, None until there is one."""
        return getattr(self, "_grad", None)

    @grad.setter
    def grad(self, value: Any) -> None:
        self._grad = value

    def accumulate(self, cotangent: Any) -> None:
        """Add a finished cotangent to `.grad`, in memory that nothing else shares."""
        self.grad = np.array(cotangent) if self.grad is None else self.grad + cotangent


class ArrayNode(Node):
    """The node of a `Tensor` made by an operation; knows the shape and dtype a gradient needs."""

    __slots__ = ("dtype", "shape")


class Leaf(ArrayNode):
    """The node of a tensor that the user made: where gradients end up.

    `home` is the flat buffer of the optimizer that holds this leaf, if one does, and `slot` the
    leaf's part of the gradient buffer. `version` is the time of the last in-place change.
    """

    __slots__ = ("home", "slot", "version")

    home: Any
    slot: Array | None

    def __init__(self, shape: Shape, dtype: Any) -> None:
        self.shape = shape
        self.dtype = dtype
        self.order = tick()
        self.plan = None
        self.inputs = ()
        self.saved = ()
        self._grad = None
        self.hooks = None
        self.home = None
        self.slot = None
        self.version = 0

    def accumulate(self, cotangent: Any) -> None:
        """Add to `.grad`; the first time since `zero_grad` overwrites the optimizer's slot.

        A large array that the caller holds in one variable, and nobody else at all, is taken over.
        """
        grad, slot = self._grad, self.slot
        if slot is None:
            self._grad = (
                in_own_memory(cotangent) if grad is None else np.add(grad, cotangent, out=grad)
            )
        elif grad is slot:
            slot += cotangent
        else:
            slot[...] = cotangent if grad is None else grad + cotangent
            self._grad = slot

    def last_change(self) -> int:
        """When the values were last changed in place, alone or with the whole buffer."""
        return self.version if self.home is None else max(self.version, self.home.version)

    def set_grad(self, value: Any) -> None:
        """Replace `.grad` by None or by an array of the leaf's shape (copied)."""
        if value is None:
            self.grad = None
            return
        array = np.array(value, dtype=self.dtype)
        if array.shape != self.shape:
            raise ShapeError(
                f"grad: a tensor of shape {self.shape} has a gradient of that shape, "
                f"got shape {array.shape}"
            )
        self.grad = None
        self.accumulate(array)


NOTHING = Leaf((), float)
"""Stands among a node's inputs for an operand that needs no gradient."""


def hooks_of(node: Node) -> dict[int, Hook]:
    """The hooks of a node, which from now on the backward pass looks for."""
    hooks = getattr(node, "hooks", None)
    if hooks is None:
        hooks = node.hooks = {}
        if node.plan is not None:
            node.plan = node.plan.watched()
    return hooks


class HookHandle:
    """What `register_hook` returns; `remove()` takes the hook out again."""

    def __init__(self, node: Node, hook: Hook) -> None:
        if not callable(hook):
            raise ArgumentError(
                f"register_hook: expected a function of the gradient, got {type(hook).__name__}"
            )
        self._hooks = hooks_of(node)
        self._key = tick()
        self._hooks[self._key] = hook

    def remove(self) -> None:
        """Take the hook out; calling this twice is harmless."""
        self._hooks.pop(self._key, None)


OPERAND_KINDS: dict[type, str] = {np.ndarray: "array", float: "number", int: "number"}
"""What the calling path does with an operand of exactly this type; subclasses add themselves."""

TENSORS: set[type] = set()
"""`Tensor` and its subclasses, which add themselves."""

RETAIN = 0
"""Key in `Node.hooks` that asks an interior node to keep its gradient."""


def keep_grad(gradient: Any) -> None:
    """Stands under `RETAIN`: the pass itself stores the gradient, this changes nothing."""
