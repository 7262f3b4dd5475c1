"""The subscripts of einsum, read: one term of index letters per operand, and the output's."""

from __future__ import annotations

import string
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ...engine.errors import ArgumentError, ShapeError
from ...engine.types import Shape, np

LETTERS = string.ascii_letters


@lru_cache(maxsize=4096)
def read(subscripts: str, shapes: tuple[Shape, ...]) -> tuple[tuple[str, ...], str]:
    """One term per operand and the output's, ellipses replaced by letters of their own.

    Raises `ArgumentError` for subscripts that cannot be read or count other operands, `ShapeError`
    for operands they do not fit.
    """
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    _refuse_unreadable(subscripts, terms, right)
    if len(terms) != len(shapes):
        raise ArgumentError(
            f"einsum: {subscripts!r} names {len(terms)} operands, got {len(shapes)}; "
            f"each has a term, with commas between them"
        )
    extra = [len(s) - len(t.replace("...", "")) for t, s in zip(terms, shapes, strict=True)]
    for i, (term, more) in enumerate(zip(terms, extra, strict=True)):
        if more < 0 or (more and "..." not in term):
            raise ShapeError(
                f"einsum: operand {i} has {len(shapes[i])} axes, but its subscripts {term!r} name "
                f"{len(term.replace('...', ''))}" + ("" if more < 0 else "; '...' names the others")
            )
    widest = max((m for t, m in zip(terms, extra, strict=True) if "..." in t), default=0)
    if widest and arrow and "..." not in right:
        raise ArgumentError(
            f"einsum: in {subscripts!r} the '...' stands for {widest} axes that the output leaves "
            f"out; write '...' there too, or give them letters to sum over"
        )
    batch = "".join([c for c in LETTERS if c not in text][:widest])
    full = tuple(
        t.replace("...", batch[widest - more :] if more else "")
        for t, more in zip(terms, extra, strict=True)
    )
    if arrow:
        output = right.replace("...", batch)
    else:
        named = left.replace(",", "").replace("...", "")
        output = batch + "".join(sorted(c for c in set(named) if named.count(c) == 1))
    _refuse_unequal(subscripts, full, shapes)
    return full, output


def _refuse_unreadable(subscripts: str, terms: Sequence[str], output: str) -> None:
    bare = [t.replace("...", "", 1) for t in (*terms, output)]
    for term in bare:
        strange = sorted(set(term) - set(LETTERS))
        if strange:
            raise ArgumentError(
                f"einsum: cannot read the subscripts {subscripts!r}: {strange[0]!r} is no index; "
                f"write letters, ',' between operands, one '->' and at most one '...' per operand"
            )
    *given, wanted = bare
    for c in wanted:
        if wanted.count(c) > 1:
            raise ArgumentError(
                f"einsum: {subscripts!r} has index {c!r} in the output twice; one axis of the "
                f"output has one index"
            )
        if not any(c in term for term in given):
            raise ArgumentError(
                f"einsum: in {subscripts!r} index {c!r} of the output belongs to no operand"
            )


def _refuse_unequal(subscripts: str, terms: Sequence[str], shapes: Sequence[Shape]) -> None:
    """Raise `ShapeError` for an index with two lengths, unless one is 1 in another operand."""
    seen: dict[str, tuple[int, int]] = {}
    for i, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        for c, n in zip(term, shape, strict=True):
            m, first = seen.setdefault(c, (n, i))
            if n == m or (first != i and n == 1):
                continue
            if first == i or m != 1:
                raise ShapeError(
                    f"einsum: in {subscripts!r} index {c!r} has length {m} in operand {first} and "
                    f"{n} in operand {i}; got shapes {', '.join(map(str, shapes))}"
                )
            seen[c] = (n, i)


def from_lists(arguments: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """NumPy's other form, `einsum(a, [0, 1], b, [1, 2], [0, 2])`, as subscripts and operands."""
    operands = tuple(arguments[: len(arguments) // 2 * 2 : 2])
    terms = [_letters(axes) for axes in arguments[1::2]]
    text = ",".join(terms)
    if len(arguments) % 2:
        text += "->" + _letters(arguments[-1])
    return text, operands


def _letters(axes: Any) -> str:
    if not isinstance(axes, (list, tuple)) or not all(
        a is ... or (isinstance(a, (int, np.integer)) and 0 <= a < len(LETTERS)) for a in axes
    ):
        raise ArgumentError(
            f"einsum: the first argument is the subscripts, such as 'ij,jk->ik'; or every operand "
            f"is followed by a list of its indices, numbers below {len(LETTERS)} or ...; "
            f"got {axes!r} for a list"
        )
    return "".join("..." if a is ... else LETTERS[a] for a in axes)
