"""The text of a rule that is plain arithmetic, so that assembled code can say `g * b`.

Read from the rule's own bytecode, so it is what the rule computes, wherever it was written. A rule
that does anything but arithmetic on its parameters has no such text and is called.
"""

from __future__ import annotations

import dis

from .types import Rule


def expression(rule: Rule) -> str | None:
    """`"g * (1 - out * out)"` for `lambda g, out: g * (1 - out * out)`; None if it is not simple.

    Example:
        >>> expression(lambda g, b: -g * b)
        '(-g) * b'
        >>> expression(lambda g: len(g)) is None
        True
    """
    stack: list[str] = []
    if not hasattr(rule, "__code__"):
        return None
    for instruction in dis.get_instructions(rule):
        name, value = instruction.opname, instruction.argval
        if name in ("LOAD_FAST", "LOAD_FAST_BORROW"):
            stack.append(value)
        elif name in ("LOAD_CONST", "LOAD_SMALL_INT") and type(value) in (int, float):
            stack.append(repr(value))
        elif name == "BINARY_OP" and instruction.argrepr in ("+", "-", "*", "/", "@"):
            right, left = stack.pop(), stack.pop()
            stack.append(f"({left} {instruction.argrepr} {right})")
        elif name == "UNARY_NEGATIVE":
            stack.append(f"(-{stack.pop()})")
        elif name == "RETURN_VALUE":
            return stack[0][1:-1] if stack[0].startswith("(") else stack[0]
        elif name not in ("RESUME", "NOP"):
            return None
    return None
