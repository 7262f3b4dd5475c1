"""One run of a function on stand-ins, from its arguments to what it returned and changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Collection, Iterator
from functools import partial
from typing import Any

from ...engine.errors import CompileError, TinygradError
from ...engine.scalar import Scalar
from ...engine.tensor import Tensor
from ...engine.types import np
from ..entry import Entry, Otherwise, Result, Spot
from ..program import Program, Var, leaves_of, through
from .functions import is_known, modules_of, names_of
from .stand_in import ValueNeeded, users_line
from .trace import Trace
from .traced import Traced
from .traced_number import TracedNumber


class TracedRun:
    """What `f(*args, **kwargs)` came to.

    Attributes:
        program: its statements, as they were written down.
        entry: what a call has to do beside them.
        groups: the hyperparameters that are part of the program: group, name, value.
        out: what it returned, with `Result`s in the place of values of the program.

    Raises `CompileError` for what no program can do, `Otherwise` where the function itself has to
    say what is wrong with the values.
    """

    def __init__(
        self, f: Callable[..., Any], args: Any, kwargs: Any, restless: Collection[tuple[int, str]]
    ) -> None:
        name = getattr(f, "__name__", "")
        self._trace = trace = Trace(name if name.isidentifier() else "program", restless)
        self.entry, self.groups = trace.entry, trace.groups
        self._arguments: list[Tensor | Scalar] = []
        self._results: list[Any] = []
        self._numbers: list[Any] = []
        self._given: list[tuple[Tensor, Tensor]] = []
        with trace.running():
            for spot, module in modules_of(f):
                trace.fixed(spot.owner, spot.path)
                trace.meet(module)
            trace.scalars.named_after(f)
            out = self._called(f, *self._stand_ins(f, args, kwargs))
            self._refuse_captured_arguments()
            _refuse_keys(out)
            self.entry.differentiated = self._is_to_be_differentiated(out)
            self.out = through(out, self._result)
            self._note_changes()
        self.program = trace.recorder.program
        self.program.output = tuple(self._results)
        _look_up_what_moves(self.program, self.entry)

    def _called(self, f: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        decided = self._trace.recorder.decided
        try:
            return f(*args, **kwargs)
        except ValueNeeded as error:
            if error.site in decided:  # a check is about to say what is wrong
                raise Otherwise(self.entry) from error
            raise CompileError(_explained(error)) from error
        except (TypeError, ValueError) as error:
            if isinstance(error.__cause__ or error.__context__, ValueNeeded):
                raise CompileError(_explained(_cause_of(error))) from error
            raise
        except TinygradError as error:
            if decided and not isinstance(error, CompileError):
                # the function itself says it with the values
                raise Otherwise(self.entry) from error
            raise

    def release(self) -> None:
        """Let go of the examples of all values, which hold one another."""
        self._trace.release()

    def _stand_ins(self, f: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Any, Any]:
        """The arguments as the function gets them, named as it names them."""
        positional = [
            through(arg, partial(self._stand_in, name=name))
            for arg, name in zip(args, names_of(f, len(args)), strict=True)
        ]
        named = {name: through(x, partial(self._stand_in, name=name)) for name, x in kwargs.items()}
        return positional, named

    def _stand_in(self, x: Any, name: str) -> Any:
        recorder = self._trace.recorder
        if isinstance(x, Tensor):
            if isinstance(x._data, Traced):
                raise CompileError(_USED_TWICE)
            twin = Tensor._of(recorder.input(x._data, name))
            self._given.append((x, twin))
            if x.requires_grad:
                twin.requires_grad = True
            self._arguments.append(twin)
            return twin
        if isinstance(x, Scalar):
            scalar = Scalar(0.0, x.requires_grad)
            scalar._data = recorder.input(x._data, name)
            self._arguments.append(scalar)
            return scalar
        if isinstance(x, np.floating):
            return recorder.input(np.asarray(x), name)
        if isinstance(x, np.ndarray) or type(x) is float:
            return recorder.input(x, name)
        if name != "self" and not is_known(x):  # (of a method; what it holds is found outside)
            raise CompileError(
                f"compile: arguments are arrays, tensors, numbers, strings, layers, functions and "
                f"nested tuples, lists and dicts of them; got {type(x).__name__} for {name} (at "
                f"{users_line()}), which may change without the program knowing; pass what is "
                f"needed of it instead: arrays, numbers, strings"
            )
        return x

    def _result(self, y: Any) -> Any:
        value = y._data if isinstance(y, (Tensor, Scalar)) else y
        if not isinstance(value, (Traced, TracedNumber)):
            if isinstance(y, (set, frozenset, Iterator, Awaitable)) or dataclasses.is_dataclass(y):
                raise CompileError(
                    f"compile: the function returned a {type(y).__name__}; return arrays, "
                    f"tensors, numbers, and nested tuples, lists and dicts of them"
                )
            return y
        kind = "tensor" if isinstance(y, Tensor) else "scalar" if type(y) is Scalar else "array"
        self._results.append(value.stands_for)
        self._numbers.append(value)
        return Result(len(self._results) - 1, kind)

    def _refuse_captured_arguments(self) -> None:
        captured = {id(tensor) for tensor, _ in self._trace.tensors}
        for x, _ in self._given:
            if id(x) in captured:
                raise CompileError(_USED_TWICE)

    def _is_to_be_differentiated(self, out: Any) -> bool:
        """Does a result still depend, by a graph, on an argument that requires a gradient?"""
        leaves = {twin._node for twin in self._arguments if isinstance(twin, Tensor)} - {None}
        leaves |= {x for x in self._arguments if isinstance(x, Scalar) and x.requires_grad}
        ends = [y if isinstance(y, Scalar) else y._node for y in leaves_of(out)
                if isinstance(y, (Tensor, Scalar))]  # fmt: skip
        waiting = [node for node in ends if node is not None]
        seen = set(waiting)
        while leaves and waiting:
            node = waiting.pop()
            if node in leaves and node.plan is None:
                return True
            for parent in node.inputs or ():
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)
        return False

    def _note_changes(self) -> None:
        """What the function changed outside arrays: which gradients are there, other arrays."""
        for tensor, before in self._trace.tensors:
            node = tensor._node
            if node is not None and node.plan is None:
                grad = node._grad
                if grad is None:
                    self._note(Spot(tensor, "._node._grad"), " = None")
                elif grad is node.slot:
                    slot = f"{self._trace.entry.name(tensor)}._node.slot"
                    self._note(Spot(tensor, "._node._grad"), f" = {slot}")
                else:
                    self._note(Spot(tensor, "._node._grad"), " = {r}", grad)
            if tensor._data is not before:
                self._note(Spot(tensor, "._data"), " = {r}", tensor._data)
        received = [x._grad for x in self._arguments if isinstance(x, Scalar)]
        self._trace.scalars.guard([*self._numbers, *received])
        self._trace.scalars.note_changes(self._note)
        for i, twin in enumerate(self._arguments):
            if isinstance(twin, Scalar):
                if twin._grad is not None:
                    self._trace.entry.received.append((i, self._kept(twin._grad)))
            elif twin._node is not None and twin._node._grad is not None:
                self._trace.entry.received.append((i, self._kept(twin._node._grad)))

    def _note(self, spot: Spot, form: str, array: Any = None) -> None:
        self._trace.entry.changes.append((spot, form, -1 if array is None else self._kept(array)))

    def _kept(self, array: Any) -> int:
        recorder = self._trace.recorder
        known = isinstance(array, (Traced, TracedNumber))
        traced = array if known else recorder.constant(np.asarray(array))
        recorder.program.kept.append(traced.stands_for)
        return len(self._results) + len(recorder.program.kept) - 1


_USED_TWICE = (
    "compile: a tensor that is given as an argument is also used by the function itself, by "
    "another name; give the values alone (x.data), or use it by one name"
)


def _refuse_keys(out: Any) -> None:
    """Raise `CompileError` for dicts in which values of the program are keys."""
    if isinstance(out, dict):
        for key, part in out.items():
            if isinstance(getattr(key, "_data", key), (Traced, TracedNumber)):
                raise CompileError(
                    "compile: the function returned a dict with a computed number or array as "
                    "key, which is another one in every call; return pairs"
                )
            _refuse_keys(part)
    elif isinstance(out, (tuple, list)):
        for part in out:
            _refuse_keys(part)


def _cause_of(error: Exception) -> Any:
    return error.__cause__ or error.__context__


def _explained(error: ValueNeeded) -> str:
    where = f" (at {error.site})" if error.site else ""
    return (
        f"compile: {error}{where}, so the program would be another for other values; "
        f"{error.way_out}"
    )


def _look_up_what_moves(program: Program, entry: Entry) -> None:
    """Arrays that every call replaces (running statistics) are looked up in every call.

    What is bound to an array, with all its buffers, would be made anew each time.
    """
    replaced = {(id(spot.owner), spot.path) for spot, _, _ in entry.changes}
    held: list[tuple[Spot, Var]] = []
    looked_up = list(zip(entry.changing, program.changing, strict=True))
    for spot, v in zip(entry.captured, program.captured, strict=True):
        moves = (id(spot.owner), spot.path) in replaced
        (looked_up if moves else held).append((spot, v))
    outside = {*program.captured, *program.changing}
    entry.captured, program.captured = [s for s, _ in held], [v for _, v in held]
    entry.changing, program.changing = [s for s, _ in looked_up], [v for _, v in looked_up]
    given = [v for v in program.inputs if v not in outside]
    program.inputs = [*program.captured, *given, *program.changing]
