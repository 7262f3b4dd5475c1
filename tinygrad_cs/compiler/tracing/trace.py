"""One run of a function on stand-ins: what it reads from outside, what it does, what it changes.

The run leaves no mark. Parameters, buffers and the arrays of optimizers are replaced by traced
copies as they are met and are put back at the end; what the function did to them (new gradients,
new running statistics) is remembered as an effect, to be repeated by every call of the program.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import numpy

from ...engine.apply import compute as compute_plainly
from ...engine.apply import float_value
from ...engine.errors import TinygradError
from ...engine.modes import traced_by
from ...engine.record import ELEMENTWISE, Operation
from ...engine.scalar import Scalar
from ...engine.tensor import Tensor
from ...engine.types import np
from ..printing.text import is_nameless
from .conversions import asarray_lets_pass
from .formulas import as_statement
from .outside import Outside
from .scalars import Scalars
from .stand_in import ShapeNeeded, StandIn, ValueNeeded, users_line
from .traced import Traced
from .traced_number import TracedNumber

_ASARRAY = numpy.asarray  # which is another one while a trace runs


class Trace(Outside):
    """What the engine talks to while a function is traced."""

    def __init__(self, name: str, restless: Collection[tuple[int, str]] = ()) -> None:
        super().__init__(name, restless)
        self.scalars = Scalars(self)
        self._node: Any = None
        self._updating = False
        self.gradients_are_read = False
        self._sent = 0

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
            if is_nameless(place.name):
                place.name = self.recorder.new_name(op.name)
            if result._node is not None:
                self.names[result._node] = place.name

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
        if isinstance(cotangent, Traced) and is_nameless(cotangent.stands_for.name):
            cotangent.stands_for.name = self.recorder.new_name(f"d_{self._name_of(parent)}")

    def call_it(self, node: Any, name: str) -> None:
        """From now on this node goes by that name in comments."""
        self.names[node] = name

    def _name_of(self, node: Any) -> str:
        if node in self.names:
            return self.names[node]
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
        with self._restore, asarray_lets_pass(), traced_by(self):
            yield
