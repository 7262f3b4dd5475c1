"""One program of a compiled function, and what a call of it does beside running it."""

from __future__ import annotations

import dataclasses
import linecache
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..autograd import trees
from ..engine.errors import CompileError
from ..engine.tensor import Tensor
from ..engine.types import np
from . import readable
from .buffers import plan
from .constants import typed_numbers
from .program import Program
from .simplify import simplify
from .text import bound_text, helper_name
from .trace import Trace
from .traced import Traced, TracedNumber, ValueNeeded


class Otherwise(Exception):
    """A check on values came out differently than in the run that was traced."""


@dataclass(frozen=True)
class Place:
    """Where a result of the program belongs in what the function returned."""

    index: int
    kind: str


Change = Callable[[Any], None]


class Variant:
    """A program for arguments of certain shapes, and for a certain state of what it captured.

    Attributes:
        optimized_source: the text that runs.
    """

    def __init__(self, f: Callable[..., Any], args: Any, kwargs: Any) -> None:
        name = getattr(f, "__name__", "")
        self._trace = trace = Trace(name if name.isidentifier() else "program")
        self._arguments: list[Tensor] = []
        self._results: list[Any] = []
        self._changes: list[tuple[Change, int]] = []
        self._argument_gradients: list[tuple[int, int]] = []
        self._text = ""
        with trace.running():
            for module in _modules_of(f):
                trace.meet(module)
            names = iter(_names_of(f, args, kwargs))
            given = trees.transform(lambda x: self._stand_in(x, next(names)), (args, kwargs))
            try:
                out = f(*given[0], **given[1])
            except ValueNeeded as error:
                raise CompileError(_explained(error)) from error
            self._out = trees.transform(self._result, out)
            self._note_changes()
        self._state = [condition() for condition in trace.conditions]
        program = trace.recorder.program
        program.output = tuple(self._results)
        simplify(program)
        self._readable = dataclasses.replace(
            program,
            statements=[dataclasses.replace(s) for s in program.statements],
            constants=dict(program.constants),
            views=list(program.views),
        )
        plan(program)
        typed_numbers(program)
        self._may_stop = any(s.kind == "guard" for s in program.statements)
        self._bind = self._made(program)
        self._bound: list[Any] | None = None

    def _made(self, program: Program) -> Any:
        self.optimized_source = bound_text(program)
        names: dict[str, Any] = {"np": np, "Otherwise": Otherwise}
        names |= {var.name: value for var, value in program.constants.items()}
        names |= {helper_name(s.function): s.function for s in program.statements
                  if s.kind == "helper"}  # fmt: skip
        self._file = f"<compiled {program.name} {id(self)}>"
        lines = self.optimized_source.splitlines(keepends=True)
        linecache.cache[self._file] = (len(lines), None, lines, self._file)
        exec(compile(self.optimized_source, self._file, "exec"), names)
        return names["bind"]

    def source(self) -> str:
        """The program for reading, written out when it is first asked for."""
        if not self._text:
            self._text = readable.source(self._readable)
        return self._text

    # What goes in and what comes out

    def _stand_in(self, x: Any, name: str) -> Any:
        recorder = self._trace.recorder
        if isinstance(x, Tensor):
            twin = Tensor._of(recorder.input(x._data, name))
            if x.requires_grad:
                twin.requires_grad = True
            self._arguments.append(twin)
            return twin
        return recorder.input(x, name) if isinstance(x, np.ndarray) or type(x) is float else x

    def _result(self, y: Any) -> Any:
        value = y._data if isinstance(y, Tensor) else y
        if not isinstance(value, (Traced, TracedNumber)):
            return y
        kind = "tensor" if isinstance(y, Tensor) else "array"
        self._results.append(value.stands_for)
        return Place(len(self._results) - 1, "number" if isinstance(y, TracedNumber) else kind)

    def _note_changes(self) -> None:
        """What the function changed outside arrays: which gradients are there, other arrays."""
        for tensor, before in self._trace.tensors:
            node = tensor._node
            if node is not None and node.plan is None:
                grad = node._grad
                if grad is None:
                    self._note(_setter(tensor, lambda node: None))
                elif grad is node.slot:
                    self._note(_setter(tensor, operator.attrgetter("slot")))
                else:
                    self._note(_gradient(tensor), grad)
            if tensor._data is not before:
                self._note(_values(tensor), tensor._data)
        for i, twin in enumerate(self._arguments):
            if twin._node is not None and twin._node._grad is not None:
                self._argument_gradients.append((i, self._kept(twin._node._grad)))

    def _note(self, change: Change, array: Any = None) -> None:
        self._changes.append((change, -1 if array is None else self._kept(array)))

    def _kept(self, array: Any) -> int:
        recorder = self._trace.recorder
        traced = array if isinstance(array, Traced) else recorder.constant(array)
        recorder.program.kept.append(traced.stands_for)
        return len(recorder.program.kept) - 1

    # A call

    def holds(self) -> bool:
        """Is everything that the trace took for granted still so?"""
        return self._state == [condition() for condition in self._trace.conditions]

    def run(self, given: list[Any], tensors: list[Tensor]) -> Any:
        """One call of the program."""
        captured = [getter() for getter in self._trace.captured]
        if self._bound is None or not all(map(operator.is_, captured, self._bound)):
            # (as a decorator it costs half of what it does as a block)
            self._function = np.errstate(all="ignore")(self._bind(*captured))
            self._bound = captured
        changing = [getter() for getter in self._trace.changing]
        before = [(x.bit_generator, x.bit_generator.state) for x in changing
                  if self._may_stop and isinstance(x, np.random.Generator)]  # fmt: skip
        try:
            results, kept = self._function(*given, *changing)
        except Otherwise:
            for bits, state in before:
                bits.state = state  # the function itself will draw the same numbers again
            raise
        except Exception as error:
            error.add_note(self._where(error))
            raise
        for change, i in self._changes:
            change(None if i < 0 else kept[i])
        for i, place in self._argument_gradients:
            tensors[i]._node.accumulate(kept[place])
        for effect in self._trace.effects:
            effect()
        return trees.transform(lambda part: _rebuilt(part, results), self._out)

    def _where(self, error: Exception) -> str:
        """The user's line that made the statement which failed."""
        step = error.__traceback__
        while step is not None:
            if step.tb_frame.f_code.co_filename == self._file:
                line = self.optimized_source.splitlines()[step.tb_lineno - 1].strip()
                program = self._trace.recorder.program
                sites = [s.site for s in program.statements if s.note and s.note in line]
                site = f", made at {sites[0]}" if sites else ""
                return f"in the compiled program: {line}{site}"
            step = step.tb_next
        return "in the compiled program"


def _rebuilt(part: Any, results: Any) -> Any:
    if not isinstance(part, Place):
        return part
    value = results[part.index]
    if part.kind == "tensor":
        return Tensor._of(np.asarray(value))
    return value


def _setter(tensor: Tensor, grad_of: Callable[[Any], Any]) -> Change:
    return lambda _: setattr(tensor._node, "_grad", grad_of(tensor._node))


def _gradient(tensor: Tensor) -> Change:
    return lambda array: setattr(tensor._node, "_grad", array)


def _values(tensor: Tensor) -> Change:
    return lambda array: setattr(tensor, "_data", array)


def _explained(error: ValueNeeded) -> str:
    where = f" (at {error.site})" if error.site else ""
    return (
        f"compile: {error}{where}, so the program would be another for other values; decide with "
        f"tg.where, or outside of the compiled function"
    )


def _modules_of(f: Any) -> list[Any]:
    """The modules that a function refers to by name, so that parameters get the model's names."""
    code = getattr(f, "__code__", None)
    if code is None:
        return []
    held = [cell.cell_contents for cell in f.__closure__ or ()]
    held += [f.__globals__[name] for name in code.co_names if name in f.__globals__]
    return [x for x in held if hasattr(type(x), "captured_by") and hasattr(type(x), "forward")]


def _names_of(f: Any, args: Any, kwargs: Any) -> list[str]:
    """A name for every value among the arguments, after the parameter it is given for."""
    code = getattr(f, "__code__", None)
    positional = code.co_varnames[: code.co_argcount] if code is not None else ()
    names: list[str] = []
    for i, arg in enumerate(args):
        name = positional[i] if i < len(positional) else "x"
        names += [name] * sum(1 for _ in trees.leaves(arg))
    for name, arg in kwargs.items():
        names += [name] * sum(1 for _ in trees.leaves(arg))
    return names
