"""`np.where(mask, x, 0)` as a product of whole numbers.

NumPy's `where` is slow (it looks at one entry after the other) and cannot write into an array that
is there. The bits of x, read as an integer, times 0 or 1 are the bits of x or those of 0.0: the
same result, whatever x is. (A product with x itself would make NaN of infinity times 0.)
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ...engine.types import np
from ..program import Program, Statement, Var, leaves


def as_masked(s: Statement) -> Statement:
    """The statement as one of the kind "masked", if it is such a choice."""
    if s.kind == "call" and s.function is np.where and len(s.args) == 3 and not s.kwargs:
        mask, x, zero = s.args
        if is_zero(zero) and _is_mask(mask) and _is_like(x, mask) and s.target is not None:
            alike = x.dtype == s.target.dtype and x.order == mask.order == s.target.order
            if alike and x.dtype.kind == "f":
                return Statement(
                    s.target, "masked", "where", (mask, x), {}, None, False, s.part, s.note, s.site
                )
    return s


def is_zero(x: Any) -> bool:
    """Is this the number 0, and not -0.0?"""
    return type(x) in (int, float) and x == 0 and str(x)[0] != "-"


def _is_mask(x: Any) -> bool:
    return isinstance(x, Var) and x.dtype == bool


def _is_like(x: Any, mask: Var) -> bool:
    return isinstance(x, Var) and x.shape == mask.shape and x.dtype is not None


def rectified_as_words(program: Program) -> None:
    """Where max(x, 0) is not 0, as words of 0 and 1: the sign of its bits, read as a whole number.

    A product of booleans and words makes words of the booleans first, which takes longer than all
    the rest.
    """
    made = {s.target: s for s in program.statements if s.target is not None}
    written = {s.writes.base for s in program.statements if s.writes is not None}
    readers: dict[Var, list[Statement]] = {}
    for s in program.statements:
        for v in s.reads():
            readers.setdefault(v, []).append(s)
    kept = set(leaves((program.output, program.kept)))
    statements: list[Statement] = []
    for s in program.statements:
        mask = s.target
        if s.function is np.not_equal and mask is not None and not s.kwargs and is_zero(s.args[1]):
            h = s.args[0]
            alike = all(
                r.kind == "masked" and r.args[1].dtype == h.dtype for r in readers.get(mask, [])
            )
            cut = cuts_at_zero(made.get(h)) and h.base not in written
            if cut and alike and mask not in kept and mask.order == h.order:
                words = _view(h, np.dtype(f"u{h.dtype.itemsize}"), s)
                statements.append(words)
                mask.dtype = words.target.dtype  # type: ignore[union-attr]
                s.function, s.args = np.sign, (words.target,)
        statements.append(s)
    program.statements = statements


def cuts_at_zero(s: Statement | None) -> bool:
    """Is this max(x, 0) of floats?"""
    return s is not None and (
        s.function is np.maximum
        and not s.kwargs
        and s.target is not None
        and s.target.dtype.kind == "f"
        and _gives_plus_zero(s.target.dtype)
        and s.target.base is s.target
        and is_zero(s.args[1])
    )


@cache
def _gives_plus_zero(dtype: Any) -> bool:
    """Is max(-0.0, 0.0) never -0.0? Of equal numbers a processor gives the first or the second."""
    zeros = [np.full(n * step, -0.0, dtype)[::step] for n in range(1, 70) for step in (1, 2)]
    cut = [np.maximum(z, other) for z in zeros for other in (0, np.zeros_like(z))]
    return not any(np.signbit(x).any() for x in cut)


def write_masks_out(program: Program) -> None:
    """The products, for those that know where to write."""
    views: dict[tuple[Var, str], Statement] = {}
    written = []
    for s in program.statements:
        if s.kind != "masked" or "out" not in s.kwargs:
            written.append(s)
            continue
        mask, x = s.args
        out = s.kwargs["out"]
        words = mask.dtype != bool
        whole = np.dtype(f"{'u' if words else 'i'}{x.dtype.itemsize}")
        shown = []
        for v, dtype in ((x, whole), (mask, whole if words else np.dtype("i1")), (out, whole)):
            if v.dtype == dtype:
                shown.append(v)
                continue
            view = views.get((v, dtype.str))
            if view is None:
                view = views[v, dtype.str] = _view(v, dtype, s)
                written.append(view)
            shown.append(view.target)
        x_bits, kept, out_bits = shown
        assert out_bits is not None
        s.kind, s.function, s.args = "call", np.multiply, (x_bits, kept)
        s.kwargs, s.writes = {"out": out_bits}, out_bits
        written.append(s)
    program.statements = written


def _view(v: Var, dtype: Any, s: Statement) -> Statement:
    kinds = {"i": "kept" if dtype.itemsize == 1 else "bits", "u": "words"}
    name = f"{v.name}_{kinds[dtype.kind]}"
    target = Var(name, v.shape, dtype, v.base, v.span, v.order)
    return Statement(target, "method", "view", (v, dtype), {}, part=s.part, note=s.note)
