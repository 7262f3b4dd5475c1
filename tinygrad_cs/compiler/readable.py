"""The program as one would write it by hand, and as a file that runs by itself.

Short-lived values stand where they are used; functions of the library that a statement calls come
along as text; what the program was made for, shapes and dtypes, is checked at the top.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import text
from .bundle import Bundle
from .program import ARITHMETIC, Program, Statement, Var, leaves, overlap

DEEPEST = 6
"""So many operations stand in one another, at most."""


def source(program: Program) -> str:
    """The program as text that needs nothing but NumPy."""
    made = [s.target for s in [*program.views, *program.statements] if s.target is not None]
    bundle = Bundle(v.name for v in [*program.inputs, *made])
    names = {s.function: bundle.name_of(s.function) for s in program.statements
             if s.kind == "helper"}  # fmt: skip
    names["stopped"] = (
        "ValueError('another program is needed: a check on values came out differently')"
    )
    # a transpose says more where it is used than a name for it would
    transposed = {s.target: s for s in program.views if s.function == "T" and s.target is not None}
    with text.showing(transposed, names):
        constants = [
            f"{var.name} = {bundle.text_of(value)}" for var, value in program.constants.items()
        ]
        function = _function(program)
    imports = "import numpy as np"
    if "math." in function:
        imports = f"import math\n\n{imports}"
    parts = [imports, *bundle.texts, "\n".join(constants), function]
    return "\n\n\n".join(part for part in parts if part) + "\n"


def _function(program: Program) -> str:
    read = {v for s in [*program.views, *program.statements] for v in s.reads()}
    read |= set(leaves((program.output, program.kept)))
    inputs = ", ".join(v.name for v in program.inputs)
    lines = [f"def {program.name}({inputs}):"]
    for v in program.inputs:
        if v.dtype is not None:
            lines.append(
                f"    assert {v.name}.shape == {v.shape} and {v.name}.dtype == np.{v.dtype.name}"
            )
    views = _lines(program.views, program, "    ")
    if views:
        lines += ["", "    # views of the flat arrays", *views]
    lines += _lines(program.statements, program, "    ", sections=True)
    result = text.literal(program.output)
    if program.kept:
        result += f", {text.literal(tuple(program.kept))}"
    return "\n".join([*lines, f"    return {result}"])


def _lines(
    statements: list[Statement], program: Program, indent: str, sections: bool = False
) -> list[str]:
    """The lines of the program, with sections and comments."""
    inside = _nested(statements, program)
    lines: list[str] = []
    part = ""
    with text.showing(inside):
        for s in statements:
            if s.target in inside or text.is_shown(s.target):
                continue
            if sections and s.part != part:
                part = s.part
                lines += ["", f"{indent}# {part}"]
            line = f"{indent}{text.line(s)}"
            lines.append(f"{line}  # {s.note}" if s.note and sections else line)
    return lines


def _nested(statements: list[Statement], program: Program) -> dict[Var, Statement]:
    """The values without a name of their own that are used once: each goes where it is used."""
    uses: dict[Var, list[int]] = {}
    for i, s in enumerate(statements):
        for v in s.reads():
            uses.setdefault(v, []).append(i)
    elsewhere = set(leaves((program.output, program.kept)))
    if statements is not program.statements:
        elsewhere |= {v for s in program.statements for v in s.reads()}
    inside: dict[Var, Statement] = {}
    depths: dict[Var, int] = {}
    for i, s in enumerate(statements):
        made: Any = s.target
        places = uses.get(made, [])
        if (
            made is None
            or s.writes is not None
            or s.draws
            or s.kind == "helper"
            or made in elsewhere
        ):
            continue
        if not text.is_nameless(made.name) or len(places) != 1:
            continue
        user = statements[places[0]]
        if user.kind == "formula" and _mentions(user, made) > 1:
            continue
        changes_it = user.writes is made or (user.kind == "store" and user.args[0] is made)
        depth = 1 + max((depths.get(v, 0) for v in s.reads()), default=0)
        if depth > DEEPEST or user.part != s.part or changes_it:
            continue
        if s.kind in ARITHMETIC or _stays_true(s, statements[i + 1 : places[0]], inside):
            inside[made], depths[made] = s, depth
    return inside


def _mentions(s: Statement, v: Var) -> int:
    """How often the text of a formula shows a value."""
    template: str = s.function
    return sum(template.count(f"{{{i}}}") for i, x in enumerate(s.args) if x is v)


def _stays_true(s: Statement, between: list[Statement], inside: dict[Var, Statement]) -> bool:
    """Does nothing in between write to what the expression reads?"""
    read = list(_all_reads(s, inside))
    writes = [b.writes for b in between if b.writes is not None]
    return not any(overlap(w, v) for w in writes for v in read)


def _all_reads(s: Statement, inside: dict[Var, Statement]) -> Iterator[Var]:
    for v in s.reads():
        yield v
        if v in inside:
            yield from _all_reads(inside[v], inside)
