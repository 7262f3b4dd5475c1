"""A whole program as text: for looking at it, and as the function that runs."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from ..planning.blocks import BLOCK
from ..program import Program, Statement, Var
from .naming import free_name
from .text import block_name, line, literal, short_names


def _body(statements: Any, indent: str) -> list[str]:
    lines = []
    part = ""
    for s in statements:
        if s.part != part:
            part = s.part
            lines.append(f"{indent}# {part}")
        text = f"{indent}{line(s)}"
        lines.append(f"{text}  # {s.note}" if s.note else text)
    return lines


def _arrays_of(whole: Statement) -> list[Var]:
    """The long arrays that the statements of a run read and write, without their working memory."""
    inside = [v for s in whole.function for v in s.reads()]
    return [v for v in dict.fromkeys(inside) if v.shape and v.name not in whole.kwargs]


def _block(whole: Statement) -> list[str]:
    """The statements of a run for the entries from `start` to `stop`, by thread k."""
    parts = {v: Var(f"{v.name}_part", v.shape, v.dtype) for v in _arrays_of(whole)}
    lines = []
    for v in whole.kwargs.values():
        two = ", ".join(2 * [f"np.empty({BLOCK}, {literal(v.dtype)})"])
        lines.append(f"    two_{v.name} = ({two})")
    lines.append(f"    def {block_name(whole)}(k, start, stop):")
    lines += [f"        {part.name} = {v.name}[start:stop]" for v, part in parts.items()]
    lines += [f"        {v.name} = two_{v.name}[k][: stop - start]" for v in whole.kwargs.values()]
    for s in whole.function:
        s = replace(s)
        s.change(lambda x: parts.get(x, x) if isinstance(x, Var) else x)
        lines.append(f"        {line(s)}" + (f"  # {s.note}" if s.note else ""))
    return lines


def _memory(b: Var, lies_in: dict[Var, int]) -> str:
    """A new array, with the axes in the order in which the value has them in memory."""
    assert b.shape is not None
    axes = b.order or tuple(range(len(b.shape)))
    shape = tuple(b.shape[i] for i in axes)
    if b in lies_in:
        end = math.prod(shape) * b.dtype.itemsize
        part = f"memory_{lies_in[b] + 1}[:{end}].view({literal(b.dtype)})"
        array = f"{part}.reshape({literal(shape)})"
    else:
        array = f"np.empty({literal(shape)}, {literal(b.dtype)})"
    if b.order is None:
        return array
    return f"{array}.transpose({literal(tuple(axes.index(i) for i in range(len(axes))))})"


def listing(program: Program) -> str:
    """The statements of a program, whatever stage of the compiler it has come through."""
    inputs = ", ".join(v.name for v in program.inputs)
    lines = [f"{program.name}({inputs}):", *_body([*program.views, *program.statements], "    ")]
    return "\n".join([*lines, f"    -> {literal((*program.output, *program.kept))}"])


def bound_text(program: Program) -> str:
    """The program as a function of the captured arrays that gives the function of the rest."""
    captured = ", ".join(v.name for v in program.captured)
    outside = set(program.captured)
    inputs = ", ".join(v.name for v in program.inputs if v not in outside)
    lines = [f"def bind({captured}):"]
    lines += [f"    memory_{k} = np.empty({n}, np.uint8)" for k, n in enumerate(program.memory, 1)]
    lines += [f"    {b.name} = {_memory(b, program.lies_in)}" for b in program.buffers]
    lines += _body(program.views, "    ")
    with short_names() as aliases:
        body = _body(program.statements, "        ")
        blocks = [x for s in program.statements if s.kind == "blocks" for x in _block(s)]
    lines += [f"    {short} = {name}" for name, short in aliases.items()]
    lines += blocks
    body += [f"        return {literal((*program.output, *program.kept))}"]
    name = free_name(program.name, [*_IMPORTED, *lines, *body])
    return "\n".join([*lines, f"    def {name}({inputs}):", *body, f"    return {name}"])


_IMPORTED = ("np", "math", "Stopped", "in_blocks")
