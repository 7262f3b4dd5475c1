"""Names for what nobody named, by what it is; and none for two things."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ...engine.types import np
from ..program import Program, Var
from .text import is_nameless


class Names:
    """The names that are taken."""

    def __init__(self, program: Program) -> None:
        made = [s.target for s in [*program.views, *program.statements] if s.target is not None]
        self._taken = {v.name for v in [*program.inputs, *program.constants, *made]}

    def give(self, v: Var, wanted: str) -> None:
        """Call a value so, with a number behind it where that is taken."""
        name, k = wanted, 2
        while name in self._taken:
            name, k = f"{wanted}_{k}", k + 1
        self._taken.add(name)
        v.name = name


def free_name(wanted: str, lines: Iterable[str]) -> str:
    """`wanted`, or that with _ behind it where these lines mean something else by it."""
    code = "\n".join(line.partition("  # ")[0] for line in lines)
    while re.search(rf"(?<![\w.]){re.escape(wanted)}(?!\w)", code):
        wanted += "_"
    return wanted


def name_apart(program: Program, functions: Iterable[Any]) -> None:
    """No value is called what an argument is (x_words), and no function of ours what a value is."""
    values = {*program.inputs, *program.constants, *program.buffers}
    statements = [*program.views, *program.statements]
    inside = [x for s in statements if s.kind == "blocks" for x in s.function]
    for s in [*statements, *inside]:
        values |= {*s.reads(), *([s.target] if s.target is not None else [])}
    given = {v.name for v in program.inputs}
    for v in values - set(program.inputs):
        while v.name in given:
            v.name += "_"
    taken = {v.name for v in values}
    for function in functions:
        while function.__name__ in taken:
            function.rename(f"{function.__name__}_")


def name_constants(program: Program, names: Names) -> None:
    """Ones, zeros, the numbers of rows; how many steps there were."""
    for v in program.changing:
        if v.name.startswith("step_") and v.name[5:].isdigit():  # the function is called step
            names.give(v, "steps")
    for v, value in program.constants.items():
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "fi" or not value.size:
            continue
        if (value == 1).all():
            names.give(v, "ones")
        elif (value == 0).all():
            names.give(v, "zeros")
        elif value.ndim == 1 and np.array_equal(value, np.arange(value.size)):
            names.give(v, "rows")


def name_what_is_kept(program: Program, names: Names) -> None:
    """New running statistics and new values of tensors, after what they replace."""
    made = {s.target: s for s in program.statements}
    outside = {*program.captured, *program.changing}
    for v in program.kept:
        if not is_nameless(v.name):
            continue
        before, waiting = None, [v]
        while waiting and before is None:
            for x in made[waiting.pop()].reads() if waiting[-1] in made else ():
                if x in outside and (x.shape, x.dtype) == (v.shape, v.dtype):
                    before = x
                elif is_nameless(x.name):
                    waiting.append(x)
        if before is not None:
            names.give(v, f"new_{before.name}")
