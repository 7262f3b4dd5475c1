"""A graph looked over: every node once, from the oldest to the newest, with a name and a value.

The engine keeps what derivatives need and nothing else, so a survey collects values from where they
still are: a `Scalar` has its own, operations saved operands and results for their rules, and the
model, the names and the roots that were handed over are tensors. What nobody kept has a shape and
no value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...engine.backward import gather
from ...engine.errors import ArgumentError, GraphError
from ...engine.lift import node_of
from ...engine.node import NOTHING
from ...engine.scalar import Scalar
from ...engine.tensor import Tensor
from ...engine.types import np
from .texts import number


class Constant:
    """An operand without a gradient: data, a frozen parameter, a number."""

    __slots__ = ("shape", "value")

    def __init__(self, value: Any, shape: tuple[int, ...]) -> None:
        self.value = value
        self.shape = shape


class Survey:
    """The nodes behind some roots.

    Attributes:
        given: the tensors and Scalars it started from.
        roots: their nodes.
        made: the nodes made by operations, oldest first.
        nodes: leaves and nodes made by operations, oldest first.
        values: the value of a node, where it is known.
        names: the name of every node and of the constants that have one.
        parameters: the nodes, and the constants, that belong to the model.
    """

    def __init__(
        self,
        roots: Sequence[Any],
        model: Any = None,
        names: Mapping[str, Any] | None = None,
        what: str = "draw",
    ) -> None:
        self.given = list(roots)
        self.roots = [_place_of(root, what) for root in roots]
        made = _gather(self.roots, what)
        leaves = {p: None for n in reversed(made) for p in n.inputs if _is_leaf(p)}
        leaves |= {root: None for root in self.roots if root.plan is None}
        self.made = made[::-1]
        self.nodes: list[Any] = sorted([*leaves, *made], key=lambda node: node.order)
        self.values: dict[Any, Any] = {}
        self.names: dict[Any, str] = {}
        self.parameters: set[Any] = set()
        self._named_arrays: dict[int, str] = {}
        self._of_model: set[int] = set()
        self._constants: dict[int, Constant] = {}
        for root, node in zip(roots, self.roots, strict=True):
            self.values[node] = root._data
        self._meet(names_by(names, what), model, what)
        for node in self.made:
            self._remember(node)
        self._number_the_others()

    def _meet(self, names: Mapping[str, Any], model: Any, what: str) -> None:
        for name, value in names.items():
            self._know(str(name), value)
        if model is None:
            return
        if not hasattr(model, "named_parameters"):
            raise ArgumentError(
                f"{what}: model must be an nn.Module, got {type(model).__name__}; other tensors "
                f"get names by names={{'x': x}}"
            )
        for name, parameter in [*model.named_parameters(), *model.named_buffers()]:
            node = self._know(name, parameter)
            if node is None:
                self._of_model.add(id(parameter._data))
            else:
                self.parameters.add(node)

    def _know(self, name: str, value: Any) -> Any:
        """Take over the name and the value of what a user handed over; what is no node is data."""
        node = node_of(value)
        if node is not None:
            self.names.setdefault(node, name)
            self.values[node] = value._data
        elif isinstance(value, (Tensor, np.ndarray)):
            self._named_arrays.setdefault(id(getattr(value, "_data", value)), name)
        elif isinstance(value, Scalar):
            self.names.setdefault(value, name)
        return node

    def _remember(self, node: Any) -> None:
        """The values that a node saved: its own, and those of its operands."""
        saved = node.plan.values(node)
        if type(node) is Scalar:
            self.values[node] = node._data
        elif "out" in saved:
            self.values.setdefault(node, saved["out"])
        for position, parent in enumerate(node.inputs):
            if isinstance(parent, Scalar):
                self.values[parent] = parent._data
            elif parent is not NOTHING:
                value = _operand(node, saved, position)
                if value is not None:
                    self.values.setdefault(parent, value)

    def operands(self, node: Any) -> list[tuple[str, Any]]:
        """The operands of a node made by an operation: name, and node or constant."""
        saved = node.plan.values(node)
        found = []
        for position, parent in enumerate(node.inputs):
            if parent is NOTHING or (isinstance(parent, Scalar) and not parent.requires_grad):
                parent = self._constant(node, saved, position, parent)
            found.append((label(node, position), parent))
        return found

    def _constant(self, node: Any, saved: Any, position: int, parent: Any) -> Constant:
        """An array that is used twice is one constant."""
        scalar = isinstance(parent, Scalar)
        value = parent._data if scalar else _operand(node, saved, position)
        held = parent if scalar else value
        known = self._constants.get(id(held))
        if known is not None and (scalar or isinstance(value, np.ndarray)):
            return known
        constant = Constant(value, _shape(node, saved, position, value))
        self._constants[id(held)] = constant
        name = self._named_arrays.get(id(value)) or self.names.get(parent)
        if name:
            self.names[constant] = name
        elif isinstance(value, (float, int)):
            self.names[constant] = number(value)
        if id(value) in self._of_model:
            self.parameters.add(constant)
        return constant

    def _number_the_others(self) -> None:
        """v1, v2, ...: nodes without a name, in the order in which they were made."""
        taken = set(self.names.values())
        count = 0
        for node in self.nodes:
            if node not in self.names:
                count += 1
                while f"v{count}" in taken:
                    count += 1
                self.names[node] = f"v{count}"


def names_by(names: Any, what: str) -> dict[str, Any]:
    """The names a user handed over, as a dict of their own."""
    if names is not None and not isinstance(names, Mapping):
        raise ArgumentError(
            f"{what}: names must be a dict of name and value, {{'x': x}}, or locals(), got "
            f"{type(names).__name__}"
        )
    return dict(names or {})


def label(node: Any, position: int) -> str:
    """The name of an operand in the table of derivatives."""
    op = node.plan.op
    return f"{op.operands[0]}[{position}]" if op.variadic else str(op.operands[position])


def _operand(node: Any, saved: Any, position: int) -> Any:
    op = node.plan.op
    if op.variadic:
        together = saved.get(op.operands[0])
        return None if together is None else together[position]
    return saved.get(op.operands[position])


def _shape(node: Any, saved: Any, position: int, value: Any) -> tuple[int, ...]:
    op = node.plan.op
    if value is not None:
        return tuple(np.shape(value))
    known = saved.get(f"{op.operands[0 if op.variadic else position]}_shape", ())
    return tuple(known[position] if op.variadic and known else known)


def _is_leaf(node: Any) -> bool:
    return node.plan is None and node is not NOTHING and getattr(node, "requires_grad", True)


def _place_of(root: Any, what: str) -> Any:
    if not isinstance(root, (Tensor, Scalar)):
        raise ArgumentError(
            f"{what}: expected a tensor or a Scalar, or a function of such and its inputs, got "
            f"{type(root).__name__}"
        )
    node = node_of(root)
    if node is None:
        raise GraphError(
            f"{what}: this {type(root).__name__} has no graph: nothing it was computed from "
            f"requires a gradient, or it was made under no_grad, detached, or by a compiled "
            f"function"
        )
    return node


def _gather(roots: list[Any], what: str) -> list[Any]:
    try:
        return gather(dict.fromkeys(roots))
    except GraphError as error:
        raise GraphError(
            f"{what}: backward() has freed this graph; do it before backward(), or keep the graph "
            f"with backward(retain_graph=True)"
        ) from error
