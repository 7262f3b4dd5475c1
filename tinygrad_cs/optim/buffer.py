"""All parameters of an optimizer in one flat array per dtype, their gradients in another.

`Parameter.data` becomes a view into the first, and what a backward pass sends to a parameter is
written into the second, so that an update is a handful of NumPy calls however many parameters
there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..engine.modes import current_trace
from ..engine.node import last_overwrite, tick
from ..engine.tensor import Tensor
from ..engine.types import Array, np

PIECE = 1 << 18
"""Entries updated at a time, at most: longer stretches leave the caches between two passes."""


class Home:
    """What a leaf knows of its buffer: the values and when they last changed, the gradients.

    It does not know the other parameters, so that a model and its optimizer are no cycle.
    """

    __slots__ = ("grads", "values", "version")

    def __init__(self, values: Array, grads: Array) -> None:
        self.values = values
        self.grads = grads
        self.version = 0


class FlatBuffer:
    """The parameters of one dtype, laid end to end.

    Attributes:
        values, grads: flat arrays; `parameters` are views of the first.
        home: what the parameters' leaves point to.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self.parameters = list(parameters)
        self.slices: list[slice] = []
        end = 0
        for parameter in self.parameters:
            self.slices.append(slice(end, end + parameter.size))
            end += parameter.size
        dtype = self.parameters[0].dtype
        self.values: Array = np.empty(end, dtype)
        self.grads: Array = np.zeros(end, dtype)
        self.home = Home(self.values, self.grads)
        self.nodes: list[Any] = []
        self.claim()

    def claim(self) -> None:
        """Make every parameter a view into this buffer, keeping its present values."""
        self.nodes = [parameter._node for parameter in self.parameters]
        for parameter, place in zip(self.parameters, self.slices, strict=True):
            node, shape = parameter._node, parameter.shape
            view = self.values[place].reshape(shape)
            view[...] = parameter._data
            parameter._data = view
            if node is None:  # frozen since (requires_grad = False)
                continue
            grad = node.grad
            node.version = node.last_change()  # the date of a former home would be lost
            node.home, node.slot = self.home, self.grads[place].reshape(shape)
            if grad is not None:
                node.slot[...] = grad
                node.grad = node.slot

    def claimed(self) -> bool:
        """Is every parameter still a view into this buffer (and not another optimizer's)?"""
        for parameter, node in zip(self.parameters, self.nodes, strict=True):
            if parameter._node is not node or (node is not None and node.home is not self.home):
                return False
        return True

    def with_gradient(self) -> list[bool]:
        """For each parameter: has a backward pass reached it since `zero_grad`?"""
        return [node is not None and node._grad is not None for node in self.nodes]

    def changed(self, which: Sequence[bool] | None = None) -> None:
        """Date the change of all parameters, or of those marked in `which`.

        Graphs recorded before it then refuse to use the old values.
        """
        now = last_overwrite[0] = tick()
        if which is None:
            self.home.version = now
        else:
            for node, changed in zip(self.nodes, which, strict=True):
                if changed:
                    node.version = now


def gradients(parameters: Iterable[Tensor]) -> list[Array]:
    """The gradients that these parameters have; those of a whole buffer as one flat array."""
    found: list[Array] = []
    slots: dict[int, tuple[Home, list[Array]]] = {}
    for parameter in parameters:
        node = parameter._node
        grad = None if node is None else node.grad
        if grad is None:
            continue
        if node.slot is not None and grad is node.slot:
            slots.setdefault(id(node.home), (node.home, []))[1].append(grad)
        else:
            found.append(grad)
    trace = current_trace()
    if trace is not None:
        trace.gradients_are_read = True
    for home, parts in slots.values():
        flat = home.grads
        whole = sum(part.size for part in parts) == flat.size
        if whole and trace is not None:
            flat = trace.array(flat, "gradients", home, ".grads")
        found += [flat] if whole else parts
    return found


def lie_in_order(parameters: Sequence[Tensor], home: Home) -> bool:
    """Are these all the parameters of a buffer, in its order?"""
    values = home.values
    address = values.__array_interface__["data"][0]
    for parameter in parameters:
        node = parameter._node
        if node is None or node.home is not home:
            return False
        if parameter._data.__array_interface__["data"][0] != address:
            return False
        address += parameter._data.nbytes
    return sum(parameter.size for parameter in parameters) == values.size
