"""The recorder: turns what happens to traced values into the statements of a program.

The operations run as they always do, on stand-ins. What NumPy is asked to do becomes a statement
each. Where an operation or a rule looks at values (a faster way for short arrays, say), it becomes
one statement as a whole: a call of that function of the library, whose text is printed along.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...engine.errors import TinygradError
from ...engine.types import Array, np
from ..program import Program, Statement, Var, mapped, order_of
from .stand_in import StandIn, ValueNeeded, example_of, users_line
from .traced import Traced, TracedGenerator, TracedObject
from .traced_number import TracedNumber

_OURS = re.compile(
    r"np|np_.*|math|dataclasses|bind|in_blocks|Stopped|(buffer|place)_of_.*"
    r"|(t|two|buffer|number|full|memory|loops|block)_\d.*"
)
"""What programs call things of their own; two_buffer_1 among them."""


class Recorder:
    """Writes a `Program` while a function runs.

    Attributes:
        program: what was written so far.
        part: "forward", "backward" or "update".
        note: what the next statements are.
        decided: the user's lines in which the library has looked at values.
        site: the user's line that the next statements on numbers come from.
    """

    def __init__(self, name: str) -> None:
        self.program = Program(name)
        self.part = "forward"
        self.note = ""
        self.site = ""
        self.decided: set[str] = set()
        self._names: dict[str, int] = {name: 1, "np": 1}
        self._count = 0
        self.attempts = 0
        self._constants: dict[int, Traced] = {}

    def new_name(self, wanted: str) -> str:
        """`wanted`, with a number behind it where that is taken."""
        wanted = "".join(c if c.isalnum() else "_" for c in wanted).strip("_") or "value"
        if wanted[0].isdigit():
            wanted = f"layers_{wanted}"
        if _OURS.fullmatch(wanted):
            wanted = f"x_{wanted}"
        count = self._names[wanted] = self._names.get(wanted, 0) + 1
        return wanted if count == 1 else self.new_name(f"{wanted}_{count}")

    def input(self, value: Any, name: str, view_of: Traced | None = None) -> Any:
        """A value that comes in from outside; arrays as copies, so that tracing changes nothing."""
        base = None if view_of is None else view_of.stands_for
        example = value
        if isinstance(value, np.ndarray) and view_of is None:
            example = np.array(value)
        span = _span(example)
        var = Var(self.new_name(name), np.shape(value), getattr(value, "dtype", None), base, span)
        self.program.inputs.append(var)
        if isinstance(value, (int, float)):
            return TracedNumber(value, var, self, steady=True)
        return Traced(example, var, self)

    def record(
        self,
        kind: str,
        function: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        result: Any,
        writes: Traced | None = None,
    ) -> Any:
        """Write a statement down; returns what stands for its result."""
        statement = Statement(
            None, kind, function, mapped(args, self._named), mapped(kwargs, self._named),
            None if writes is None else writes.stands_for, _draws(args),
            self.part, self.note, users_line(),
        )  # fmt: skip
        self.program.statements.append(statement)
        if result is None:
            return None
        if isinstance(result, tuple):
            statement.target = Var(self.new_name("several"))
            return tuple(
                self._standing_for(part, self._item(statement.target, i), (args, kwargs))
                for i, part in enumerate(result)
            )
        return self._standing_for(result, statement, (args, kwargs))

    def number(self, kind: str, function: Any, args: tuple[Any, ...], result: Any) -> Any:
        """`record` for arithmetic on Python numbers, of which a scalar net does a great deal."""
        named = tuple([x.stands_for if isinstance(x, TracedNumber) else x for x in args])
        self._count += 1
        var = Var(f"t_{self._count}")
        self.program.statements.append(
            Statement(var, kind, function, named, {}, None, False, self.part, self.note, self.site)
        )
        return TracedNumber(result, var, self)

    def _item(self, several: Var, i: int) -> Statement:
        item: tuple[Any, ...] = (several, i)
        return Statement(None, "item", "item", item, {}, None, False, self.part, self.note)

    def _standing_for(self, result: Any, statement: Statement, given: Any) -> Any:
        if statement not in self.program.statements[-1:]:
            self.program.statements.append(statement)
        self._count += 1
        name = f"t_{self._count}"
        if isinstance(result, (np.ndarray, np.generic)):
            base = _seen_through(result, given)
            order = order_of(result)
            statement.target = Var(name, result.shape, result.dtype, base, _span(result), order)
            return Traced(result, statement.target, self)
        statement.target = Var(name)
        kind = TracedNumber if isinstance(result, (bool, int, float)) else TracedObject
        return kind(result, statement.target, self)

    def _named(self, x: Any) -> Any:
        """What stands in a statement for one of its arguments."""
        if isinstance(x, StandIn):
            return x.stands_for
        if isinstance(x, np.ndarray):
            return self.constant(x).stands_for
        return x if isinstance(x, _WRITTEN_OUT) or x is None else self._kept_object(x)

    def _kept_object(self, x: Any) -> Var:
        """Something that is no array and no number: it belongs to the program as it is."""
        for var, known in self.program.constants.items():
            if known is x:
                return var
        var = Var(self.new_name("constant"))
        self.program.constants[var] = x
        return var

    def constant(self, array: Array) -> Traced:
        """An array from outside that is no parameter: it belongs to the program."""
        known = self._constants.get(id(array))
        if known is None:
            var = Var(self.new_name("constant"), array.shape, array.dtype)
            known = self._constants[id(array)] = Traced(array, var, self)
            self.program.constants[var] = array
        return known

    def release(self) -> None:
        """Let go of the examples of constants."""
        self._constants.clear()

    def decide(self, traced: Any) -> bool:
        """A check of the library on values: the program repeats it and stops where it differs.

        Raises `ValueNeeded` inside an operation or a rule, which then becomes one statement, and
        in the user's own code, where both ways would be needed.
        """
        if self.attempts or not _called_by_library():
            raise ValueNeeded("the value of an array decides")
        outcome = bool(traced.example)
        self.decided.add(users_line())
        self.record("guard", outcome, (traced,), {}, None)
        return outcome

    def helper(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A function of the library as one statement."""
        with np.errstate(all="ignore"):
            result = function(*example_of(args), **example_of(kwargs))
        return self.record("helper", function, args, kwargs, result)

    @contextmanager
    def undone_if_it_needs_values(self) -> Iterator[None]:
        """Take back what was written inside, should it end in `ValueNeeded`."""
        length = len(self.program.statements)
        self.attempts += 1
        try:
            yield
        except (ValueNeeded, TinygradError, TypeError):
            del self.program.statements[length:]
            raise
        finally:
            self.attempts -= 1


_WRITTEN_OUT = (bool, int, float, str, np.generic, np.dtype, type, type(...))


def _seen_through(result: Any, given: Any) -> Var | None:
    """Whose memory the result is a view of."""
    found: list[Var] = []

    def look(x: Any) -> None:
        if isinstance(x, Traced) and np.may_share_memory(result, x.example):
            found.append(x.stands_for)

    if isinstance(result, np.ndarray):
        mapped(given, look)
    return found[0].base if found else None


def _draws(args: tuple[Any, ...]) -> bool:
    return any(isinstance(a, TracedGenerator) for a in args)


def _span(x: Any) -> tuple[int, int]:
    found: tuple[int, int] = (0, 0)
    if isinstance(x, np.ndarray):
        found = np.lib.array_utils.byte_bounds(x)
    return found


def _called_by_library() -> bool:
    caller: str = sys._getframe(3).f_globals.get("__name__", "")
    return caller.startswith("tinygrad_cs")
