"""One run of a function on stand-ins: what it reads from outside, what it does, what it changes.

The run leaves no mark. Parameters, buffers and the arrays of optimizers are replaced by traced
copies as they are met and are put back at the end; what the function did to them (new gradients,
new running statistics) is remembered as an effect, to be repeated by every call of the program.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy

from ..engine.apply import compute as compute_plainly
from ..engine.apply import float_value
from ..engine.errors import TinygradError
from ..engine.modes import traced_by
from ..engine.record import ELEMENTWISE, Operation
from ..engine.scalar import Scalar
from ..engine.tensor import Tensor
from ..engine.types import Array, np
from .entry import Entry, Spot
from .formulas import as_statement
from .program import Var
from .recorder import Recorder
from .scalars import Scalars
from .stand_in import ShapeNeeded, StandIn, ValueNeeded, example_of, users_line
from .traced import Traced, TracedGenerator
from .traced_number import TracedNumber

_ASARRAY = numpy.asarray  # which is another one while a trace runs


class Trace:
    """What the engine talks to while a function is traced.

    Attributes:
        recorder: writes the program.
        restless: hyperparameters that have changed between calls, by group and name.
        groups: the hyperparameters that are part of the program: group, name, value.
        entry: what a call has to check, to look up and to do beside the program.
    """

    def __init__(self, name: str, restless: Collection[tuple[int, str]] = ()) -> None:
        self.restless = restless
        self.recorder = Recorder(name)
        self.entry = Entry()
        self.scalars = Scalars(self)
        self.groups: list[tuple[dict[str, Any], str, Any]] = []
        self._known: dict[int, Traced] = {}
        self._alive: list[Any] = []
        self.tensors: list[tuple[Tensor, Traced]] = []
        self._met: dict[int, Any] = {}
        self._generator: Any = None
        self._names: dict[Any, str] = {}
        self._node: Any = None
        self._updating = False
        self.gradients_are_read = False
        self._sent = 0
        self._restore = ExitStack()

    # What the engine calls

    def see(self, operands: Any) -> None:
        """Capture the tensors among the operands of an operation."""
        for x in operands:
            if isinstance(x, Tensor) and not isinstance(x._data, Traced):
                self.capture(x, self.scalars.name_of(x))
            elif type(x) is Scalar:
                self.scalars.capture(x)

    def reads_gradient(self, tensor: Tensor) -> None:
        """The function asks for a gradient: from now on it matters what the gradients were."""
        self.see((tensor,))
        self.gradients_are_read = True

    def drops_gradient(self, tensor: Tensor) -> None:
        """The function forgets a gradient: if it was not read, it does not matter what it was."""
        if not self.gradients_are_read and getattr(tensor._node, "slot", None) is not None:
            self.entry.forget(tensor, "._node._grad")

    def compute(self, op: Operation, values: list[Any], params: tuple[Any, ...]) -> Any:
        """The value of an operation, as statements."""
        self._forward_again()
        with self.noted(op.name):
            return self._or_as_one(
                lambda: compute_plainly(op, values, params),
                op.forward,
                (values, *params) if op.variadic else (*values, *params),
                op.kind is not ELEMENTWISE,
            )

    def compute_number(self, op: Operation, values: list[Any], params: tuple[Any, ...]) -> Any:
        """The value of an operation on Python numbers, as a statement."""
        if not any(isinstance(x, StandIn) for x in (*values, *params)):
            return float_value(op, values, params)
        self._forward_again()
        self.recorder.site = users_line()
        with self.noted(op.name):
            return as_statement(op, values, params, self.recorder)

    def _forward_again(self) -> None:
        if self.recorder.part == "update" and not self._updating:
            self.recorder.part = "forward"

    def number_of(self, value: Any) -> Any:
        """What `float` is to plain numbers."""
        return value if isinstance(value, TracedNumber) else float(value)

    def call_rule(self, op: Operation, index: int, rule: Any, given: list[Any]) -> Any:
        """A cotangent, as statements."""
        parent = self._name_of(self._node.inputs[index])
        with self.noted(f"d loss / d {parent}, through {op.name}"):
            cotangent = self._or_as_one(lambda: rule(*given), rule, tuple(given))
            if isinstance(cotangent, TracedNumber) and self._node.dtype is not float:
                # the 0 of a rule that sends nothing
                array = np.asarray(cotangent.example)
                cotangent = self.recorder.record("call", _ASARRAY, (cotangent,), {}, array)
        self._sent = len(self.recorder.program.statements)
        return cotangent

    def made(self, op: Operation, result: Tensor) -> None:
        """Name what an operation gave after it."""
        if isinstance(result._data, Traced):
            place = result._data.stands_for
            if _is_nameless(place.name):
                place.name = self.recorder.new_name(op.name)
            if result._node is not None:
                self._names[result._node] = place.name

    def enter_backward(self, node: Any) -> None:
        """The backward pass is about to visit a node."""
        self.gradients_are_read = True
        self.recorder.part = "backward"
        self._node = node

    def leaves_marks_out(self, node: Any) -> bool:
        """Marks of scalars would double the program; where they matter something is not finite."""
        if node.dtype is not float:
            return False
        self.scalars.must_be_finite = True
        return True

    def leave_backward(self) -> None:
        """The backward pass is over: what follows uses its gradients."""
        self.recorder.part = "update"

    def arrived(self, parent: Any, cotangent: Any) -> None:
        """Name a cotangent after what it belongs to, and say what was done to it on the way."""
        for s in self.recorder.program.statements[self._sent :]:
            total = s.function == np.add.reduce
            way = "summed over what it was broadcast to" if total else "from all its uses"
            s.note = s.note or f"d loss / d {self._name_of(parent)}, {way}"
        if isinstance(cotangent, Traced) and _is_nameless(cotangent.stands_for.name):
            cotangent.stands_for.name = self.recorder.new_name(f"d_{self._name_of(parent)}")

    def call_it(self, node: Any, name: str) -> None:
        """From now on this node goes by that name in comments."""
        self._names[node] = name

    def _name_of(self, node: Any) -> str:
        if node in self._names:
            return self._names[node]
        return node.plan.op.name if node.plan is not None else "x"

    def _or_as_one(
        self, attempt: Any, function: Any, args: tuple[Any, ...], moves: bool = False
    ) -> Any:
        try:
            with self.recorder.undone_if_it_needs_values():
                return attempt()
        except ShapeNeeded:
            if moves:  # what comes out has another shape for other values, too
                raise
            return self.recorder.helper(function, args, {})
        except (ValueNeeded, TinygradError, TypeError):
            return self.recorder.helper(function, args, {})

    @contextmanager
    def noted(self, note: str) -> Iterator[None]:
        """Statements written inside say what they are; the outermost word counts."""
        before = self.recorder.note
        self.recorder.note = before or note
        try:
            yield
        finally:
            self.recorder.note = before

    @contextmanager
    def in_part(self, part: str) -> Iterator[None]:
        """Statements written inside belong to this part of the program."""
        before = self.recorder.part
        self.recorder.part = part
        self._updating = True
        try:
            yield
        finally:
            self.recorder.part = before
            self._updating = False

    # What comes from outside

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
        if node is not None:
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
            self._names[node] = traced.stands_for.name

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

    def working_memory(self, count: int, like: Any) -> list[Traced]:
        """Arrays whose values do not matter before they are written: the program has its own."""
        return [
            Traced(
                np.zeros(like.shape, like.dtype),
                Var(self.recorder.new_name("work"), like.shape, like.dtype),
                self.recorder,
            )
            for _ in range(count)
        ]

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

    def generator(self, getter: Callable[[], Any]) -> Any:
        """The stand-in of the random generator."""
        if self._generator is None:
            real = getter()
            self._generator = TracedGenerator(copy.deepcopy(real), self.recorder)
            self.entry.changing.append(Spot(getter, "()"))
            self.recorder.program.changing.append(self._generator.stands_for)
        return self._generator

    def after_call(self, effect: Callable[[], None]) -> None:
        """Do this after every call of the program."""
        self.entry.effects.append(effect)

    def replace(self, owner: Any, attribute: str, value: Any) -> None:
        """Set an attribute until the trace ends."""
        self._restore.callback(setattr, owner, attribute, getattr(owner, attribute))
        setattr(owner, attribute, value)

    def release(self) -> None:
        """Let go of the examples of all values, which nobody needs once the program is made.

        They would hold one another until the garbage collector comes by.
        """
        self.recorder.release()
        self._known.clear()
        self.tensors.clear()
        del self.scalars, self._generator

    # The run

    @contextmanager
    def running(self) -> Iterator[None]:
        """Inside, what the library does is traced; afterwards all is as it was."""
        with self._restore, _asarray_lets_pass(), traced_by(self):
            yield


def _is_floats(x: Any) -> bool:
    """A float, or several in a tuple (betas)."""
    return type(x) is float or (type(x) is tuple and all(type(part) is float for part in x))


def _is_nameless(name: str) -> bool:
    return name.startswith("t_") and name[2:].isdigit()


def _recorder_in(x: Any) -> Any:
    """The recorder of the numbers in a list or tuple, nested or not; None where there are none."""
    if isinstance(x, (list, tuple)):
        return next((r for part in x if (r := _recorder_in(part)) is not None), None)
    return x.recorder if isinstance(x, TracedNumber) else None


@contextmanager
def _asarray_lets_pass() -> Iterator[None]:
    """`np.asarray` and `np.array` do not ask what they are given how it wants to be converted."""
    asarray, array = numpy.asarray, numpy.array

    def passing(x: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        recorder = _recorder_in(x)
        if recorder is not None:
            kwargs = {} if dtype is None else {"dtype": dtype}
            return recorder.record("call", array, (x,), kwargs, array(example_of(x), **kwargs))
        if not isinstance(x, Traced):
            return asarray(x, dtype, *args, **kwargs)
        return x if dtype is None or x.dtype == dtype else x.astype(dtype)

    def copying(x: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(x, Traced):
            return passing(x, dtype) if _recorder_in(x) else array(x, dtype, *args, **kwargs)
        known = array(x.example, dtype)
        kwargs = {} if dtype is None else {"dtype": dtype}
        return x.recorder.record("call", array, (x,), kwargs, known)

    np.asarray, np.array = passing, copying
    try:
        yield
    finally:
        np.asarray, np.array = asarray, array
