"""The text of a derivative rule, as it stands in the table of derivatives."""

from __future__ import annotations

import dis
import linecache
from collections.abc import Sequence
from functools import lru_cache

from ...engine.record import Operation, parameter_names, same
from ...engine.types import Rule


def rule_text(op: Operation, operand: str) -> str:
    """What the rule of an operand computes from `g`, the upstream gradient, and saved values.

    Example:
        >>> from tinygrad_cs.engine.record import TABLE
        >>> rule_text(TABLE["multiply"], "a"), rule_text(TABLE["add"], "b")
        ('g * b', 'g')
    """
    return _text(op.rules[operand.partition("[")[0]])


@lru_cache(maxsize=2048)
def _text(rule: Rule) -> str:
    if rule is same:
        return "g"
    code = getattr(rule, "__code__", None)
    if code is not None and code.co_name == "<lambda>":
        found = _source_of_lambda(rule)
        if found:
            return found
    name = getattr(rule, "__name__", type(rule).__name__)
    return f"{name.strip('<>').lstrip('_')}({', '.join(parameter_names(rule))})"


def _source_of_lambda(rule: Rule) -> str:
    """The expression of a lambda: from where its first instruction stands to its last."""
    code = rule.__code__
    places = [
        (p.lineno, p.col_offset, p.end_lineno, p.end_col_offset)
        for instruction in dis.get_instructions(code)
        if (p := instruction.positions) is not None
    ]
    # an instruction without a place of its own, such as the return, stands nowhere
    known = [p for p in places if None not in p and p[:2] != p[2:]]
    if not known:
        return ""
    (line, column), (end_line, end_column) = _extent(known)
    lines = [linecache.getline(code.co_filename, n) for n in range(line, end_line + 1)]
    if not all(lines):
        return ""
    # columns count bytes of UTF-8
    lines[-1] = lines[-1].encode()[:end_column].decode(errors="replace")
    lines[0] = lines[0].encode()[column:].decode(errors="replace")
    return " ".join(" ".join(lines).split())


def _extent(places: Sequence[tuple[int | None, ...]]) -> tuple[tuple[int, int], tuple[int, int]]:
    starts = [(p[0] or 0, p[1] or 0) for p in places]
    ends = [(p[2] or 0, p[3] or 0) for p in places]
    return min(starts), max(ends)
