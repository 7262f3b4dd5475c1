"""What a traced function finds outside, with a stand-in in the place of each thing.

Tensors with their gradients, the arrays of optimizers, hyperparameters, step counts, the random
generator. The stand-ins are put in place as things are met and taken back when the trace ends.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from contextlib import ExitStack
from typing import Any

from ...engine.tensor import Tensor
from ...engine.types import Array, np
from ..entry import Entry, Otherwise, Spot
from ..program import Var
from .recorder import Recorder
from .traced import Traced, TracedGenerator
from .traced_number import TracedNumber


class Outside:
    """The stand-ins of one trace, and what a call of the program has to do about them.

    Attributes:
        recorder: writes the program.
        entry: what a call has to check, to look up and to do beside the program.
        restless: hyperparameters that have changed between calls, by group and name.
        groups: the hyperparameters that are part of the program: group, name, value.
        tensors: those that were met, with their stand-ins.
        names: what nodes of the graph are called in comments.
    """

    def __init__(self, name: str, restless: Collection[tuple[int, str]] = ()) -> None:
        self.recorder = Recorder(name)
        self.entry = Entry()
        self.restless = restless
        self.groups: list[tuple[dict[str, Any], str, Any]] = []
        self.tensors: list[tuple[Tensor, Traced]] = []
        self.names: dict[Any, str] = {}
        self._known: dict[int, Traced] = {}
        self._alive: list[Any] = []
        self._met: dict[int, Any] = {}
        self._generator: Any = None
        self._restore = ExitStack()

    def meet(self, owner: Any) -> None:
        """Let a module or an optimizer tell what it reads and changes, once."""
        if id(owner) not in self._met:
            self._met[id(owner)] = owner
            owner.captured_by(self)

    def capture(self, tensor: Tensor, name: str) -> None:
        """Put a stand-in in the place of a tensor's values, until the trace ends."""
        if isinstance(tensor._data, Traced):
            return
        node, real = tensor._node, tensor._data
        self.fixed(tensor, "._node")
        home = getattr(node, "home", None)
        if home is None:
            traced = self.array(real, name, tensor, "._data")
        else:
            flat = self.array(home.values, "parameters", tensor, "._node.home.values")
            traced = self._view(real, home.values, flat, name)
        self.replace(tensor, "_data", traced)
        if node is not None and node.plan is None:
            self._capture_gradient(tensor, node, traced.stands_for.name)
        self.tensors.append((tensor, traced))
        if node is not None:
            self.names[node] = traced.stands_for.name

    def _capture_gradient(self, tensor: Tensor, node: Any, name: str) -> None:
        self.fixed(tensor, "._node._grad", "{} is None")
        grad, slot = node._grad, node.slot
        self.replace(node, "version", node.version)
        if slot is not None:
            flat = self.array(slot.base, "gradients", tensor, "._node.slot.base")
            self.replace(node, "slot", self._view(slot, slot.base, flat, f"d_{name}"))
        if grad is None or grad is slot:
            self.replace(node, "_grad", None if grad is None else node.slot)
        else:
            self.replace(node, "_grad", self.array(grad, f"d_{name}", tensor, "._node._grad"))

    def _view(self, view: Array, flat: Array, traced: Traced, name: str) -> Traced:
        """The part of a traced flat array that `view` is of the real one."""
        begin = view.__array_interface__["data"][0] - flat.__array_interface__["data"][0]
        start = begin // flat.itemsize
        found: Traced = traced[start : start + view.size].reshape(view.shape)
        found.stands_for.name = self.recorder.new_name(name)
        return found

    def array(self, array: Array, name: str, owner: Any, path: str) -> Traced:
        """The stand-in of an array from outside; the same one for the same array."""
        if isinstance(array, Traced):
            return array
        known = self._known.get(id(array))
        if known is None:
            known = self._known[id(array)] = self.recorder.input(array, name)
            self.recorder.program.captured.append(known.stands_for)
            self._alive.append(array)
            self.entry.captured.append(Spot(owner, path))
        return known

    def attribute(self, owner: Any, attribute: str, name: str) -> None:
        """Put the stand-in of an array in the place of an attribute."""
        traced = self.array(getattr(owner, attribute), name, owner, f".{attribute}")
        self.replace(owner, attribute, traced)

    def hyperparameters(self, group: dict[str, Any]) -> None:
        """Put stand-ins in the place of a group's rate and of what else changes from call to call.

        What has not changed so far is part of the program: it is then traced once more.
        """
        for key, value in group.items():
            spot = Spot(group, f"[{key!r}]")
            restless = key == "lr" or (id(group), key) in self.restless
            if restless and _is_floats(value):
                self._restore.callback(group.__setitem__, key, value)
                group[key] = self._symbolic(value, key, spot)
            elif key == "params":
                self.fixed(group, "['params']")
            else:
                self.entry.conditions.append((spot, "{}"))
                self.groups.append((group, key, value))

    def _symbolic(self, value: Any, name: str, spot: Spot) -> Any:
        """Floats, nested in tuples or not, as numbers of the program; all else stays as it is."""
        if type(value) is tuple:
            parts = [Spot(spot.owner, f"{spot.path}[{i}]") for i in range(len(value))]
            return tuple(self._symbolic(v, name, s) for v, s in zip(value, parts, strict=True))
        if type(value) is float:
            return self.number(value, name, spot)
        self.entry.conditions.append((spot, "{}"))
        return value

    def number(self, value: float, name: str, spot: Spot) -> TracedNumber:
        """The stand-in of a number that changes from call to call."""
        self.entry.changing.append(spot)
        number: TracedNumber = self.recorder.input(value, name)
        self.recorder.program.changing.append(number.stands_for)
        return number

    def working_memory(self, like: Any) -> tuple[Traced, Traced, Traced]:
        """Arrays whose values do not matter before they are written: the program has its own."""

        def one() -> Traced:
            place = Var(self.recorder.new_name("work"), like.shape, like.dtype)
            return Traced(np.zeros(like.shape, like.dtype), place, self.recorder)

        return one(), one(), one()

    def counts(self, block: Any) -> None:
        """Put stand-ins in the place of the numbers in a block's counts, all alike."""
        self.fixed(block, ".counts", "{0}.count({0}[0]) == len({0})")
        if block.counts.count(block.counts[0]) == len(block.counts):
            counts = [self._count(block, 0)] * len(block.counts)
        else:  # some parameters were frozen for a while
            counts = [self._count(block, i) for i in range(len(block.counts))]
        self.replace(block, "counts", counts)

    def _count(self, block: Any, i: int) -> Any:
        count, place = block.counts[i], f".counts[{i}]"
        if not isinstance(count, tuple):
            return self.number(count, "step", Spot(block, place))
        more = [self._past(x, Spot(block, f"{place}[{k}]")) for k, x in enumerate(count) if k]
        return (self.number(count[0], "step", Spot(block, f"{place}[0]")), *more)

    def _past(self, part: Any, spot: Spot) -> Any:
        """What a count says of the past: a product of momenta so far, the betas of the last step.

        Betas are the same in every step, unless they have been seen to change.
        """
        if self.restless or type(part) is float:
            return self._symbolic(part, "past", spot)
        self.entry.conditions.append((spot, "{}"))
        return part

    def fixed(self, owner: Any, path: str, form: str = "{}") -> None:
        """Something that the program is true for: where it differs, another one is traced."""
        self.entry.conditions.append((Spot(owner, path), form))

    def fixed_in_layer(self, layer: Any, path: str) -> None:
        """The same of an attribute of a layer, which says when one is set."""
        self.entry.layers.append((Spot(layer, path), "{}"))

    def generator(self, getter: Callable[[], Any]) -> Any:
        """The stand-in of the random generator."""
        if self._generator is None:
            real = getter()
            self._generator = TracedGenerator(copy.deepcopy(real), self.recorder)
            self.entry.changing.append(Spot(getter, "()"))
            self.recorder.program.changing.append(self._generator.stands_for)
        return self._generator

    def not_now(self) -> None:
        """Something has to be put in order first: this time the function itself runs."""
        raise Otherwise(None)

    def after_call(self, effect: Callable[[], None]) -> None:
        """Do this after every call of the program."""
        self.entry.effects.append(effect)

    def replace(self, owner: Any, attribute: str, value: Any) -> None:
        """Set an attribute until the trace ends."""
        self._restore.callback(setattr, owner, attribute, getattr(owner, attribute))
        setattr(owner, attribute, value)


def _is_floats(x: Any) -> bool:
    """A float, or several in a tuple (betas)."""
    return type(x) is float or (type(x) is tuple and all(type(part) is float for part in x))
