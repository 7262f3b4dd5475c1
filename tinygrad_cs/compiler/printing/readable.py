"""The program as one would write it by hand, and as a file that runs by itself.

Short-lived values stand where they are used; functions of the library that a statement calls come
along as text; what the program was made for, shapes and dtypes, is checked at the top.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...engine.types import np
from ..program import ARITHMETIC, Program, Statement, Var, leaves, overlap
from . import text
from .bundle import Bundle
from .naming import free_name
from .tidy import tidied

DEEPEST = 6
"""So many operations stand in one another, at most."""

_IN_PLACE = {np.add: "+=", np.subtract: "-=", np.multiply: "*=", np.divide: "/="}


def source(program: Program) -> str:
    """The program as text that needs nothing but NumPy."""
    program = tidied(program)
    bundle = Bundle(_names(program))
    names = {s.function: bundle.name_of(s.function) for s in program.statements
             if s.kind == "helper"}  # fmt: skip
    # a transpose says more where it is used than a name for it would
    transposed = {s.target: s for s in program.views if s.function == "T" and s.target is not None}
    with text.showing(transposed, names):
        constants = [
            f"{var.name} = {bundle.text_of(value)}" for var, value in program.constants.items()
        ]
        body = _body(program)
    if any("math." in line for line in body):
        bundle.imports.add("math")
    standard = [f"import {name}" for name in sorted(bundle.imports) if not name.startswith("numpy")]
    numpy = [f"import {name}" for name in sorted(bundle.imports) if name.startswith("numpy")]
    imports = "\n\n".join("\n".join(part) for part in (standard, numpy) if part)
    before = [imports, *bundle.texts, "\n".join(constants)]
    inputs = ", ".join(v.name for v in program.inputs)
    outside = [line for part in before for line in part.splitlines() if line[:1] != " "]
    taken = [line.partition("(")[0].partition(" = ")[0] for line in outside]
    head = f"def {free_name(program.name, taken)}({inputs}):"
    parts = [*before, "\n".join([head, *body])]
    return "\n\n\n".join(part for part in parts if part) + "\n"


def _names(program: Program) -> Iterator[str]:
    for v in [*program.inputs, *program.constants]:
        yield v.name
    for s in [*program.views, *program.statements]:
        if s.target is not None:
            yield from s.target.name.split(", ")


def _body(program: Program) -> list[str]:
    lines: list[str] = []
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
    return [*lines, f"    return {result}"]


def _lines(
    statements: list[Statement], program: Program, indent: str, sections: bool = False
) -> list[str]:
    """The lines of the program, with sections and comments."""
    inside = _nested(statements, program)
    shown = [s for s in statements if s.target not in inside and not text.is_shown(s.target)]
    if sections:
        _count_through(shown)
    lines: list[str] = []
    part = ""
    with text.showing(inside):
        for s in shown:
            if sections and s.part != part:
                part = s.part
                lines += ["", f"{indent}# {part}"]
            comment = _comment(s) if sections else ""
            lines.append(f"{indent}{_line(s)}{comment and f'  # {comment}'}")
    return lines


def _count_through(statements: list[Statement]) -> None:
    """t_1, t_2, ... for what has no name of its own."""
    nameless = [s.target for s in statements if s.target and text.is_nameless(s.target.name)]
    for k, v in enumerate(nameless, 1):
        v.name = f"t_{k}"


def _line(s: Statement) -> str:
    if s.kind == "guard":
        return f"assert {'' if s.function else 'not '}{text.literal(s.args[0])}"
    out = s.kwargs.get("out")
    if s.target is not None or s.kind != "call" or not isinstance(out, Var) or text.is_shown(out):
        return text.line(s)
    changed = _IN_PLACE.get(s.function)
    if changed and set(s.kwargs) == {"out"} and len(s.args) == 2 and out.dtype.kind == "f":
        a, b = s.args
        if b is out and changed in ("+=", "*="):
            a, b = b, a
        if a is out and b is not out:
            return f"{out.name} {changed} {text.literal(b)}"
    return text.line(s)


def _comment(s: Statement) -> str:
    """What a line is: what was noted while it was traced, or what can be told from its result."""
    if s.kind == "guard":
        return "as in the run that was traced"
    name = s.target.name if s.target is not None else s.writes.name if s.writes is not None else ""
    if s.kind == "store" and s.part == "backward" and name.startswith("d_"):
        _, comma, way = s.note.partition(",")
        return f"d loss / d {name[2:]}{comma}{way}"
    if s.note:
        return s.note
    if s.draws:
        return "random numbers"
    if name.startswith("new_"):
        return f"the new {name[4:]}"
    if s.part == "update" and s.writes is not None:
        base = s.writes.base.name
        return _MEANINGS.get(base.rstrip("_0123456789"), f"the new {name}")
    number = s.part == "update" and s.target is not None and s.target.shape is None
    return "a number for this step" if number else ""


_MEANINGS = {
    "m": "m: the gradients' moving sum",
    "v": "v: that of their squares",
    "velocity": "velocity: the gradients' moving sum",
    "square": "square: the moving mean of squared gradients",
    "parameters": "the step",
}
"""What the arrays are that optimizers keep, by the names that their documentation uses."""


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
        if made is None or s.writes is not None or s.draws or made in elsewhere:
            continue
        if not text.is_nameless(made.name) or len(places) != 1:
            continue
        user = statements[places[0]]
        if s.kind == "helper" and user.kind != "store":
            continue
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
