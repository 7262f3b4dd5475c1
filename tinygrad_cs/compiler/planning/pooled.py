"""ReLU after max pooling, where the program has it before: the same numbers, from a few of them.

max(x, 0) keeps the order of what is above 0, so the largest entry of a window is the same one, and
where none is above 0 the result is 0 and no derivative comes back. Of 2 by 2 windows a quarter of
the entries is left to be cut, and to be kept for the backward pass.

    relu = np.maximum(x, 0)                 places = positions_of_max_(x, axes)
    places = positions_of_max_(relu, axes)  pick = x.reshape(-1).take(places)
    pick = relu.reshape(-1).take(places)    relu = np.maximum(pick, 0)
    ...                                     ...
    d_relu = place_(d_pick, places, shape)  d_pick = np.where(relu != 0, d_relu, 0)
    d_x = np.where(relu != 0, d_relu, 0)    d_x = place_(d_pick, places, shape)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...engine.types import np
from ..program import Program, Statement, Var, leaves
from .masks import cuts_at_zero, is_zero


def pool_first(program: Program) -> None:
    """Change the program wherever it cuts what it then pools, and does nothing else with it."""
    readers: dict[Var, list[Statement]] = {}
    for s in program.statements:
        for v in s.reads():
            readers.setdefault(v, []).append(s)
    written = {s.writes.base for s in program.statements if s.writes is not None}
    kept = written | {v.base for v in leaves((program.output, program.kept))}
    for s in list(program.statements):
        found = _found(s, readers, kept)
        if found is not None and found.pick.target in written:
            continue  # what is not 0 would be another question than it was before
        if found is not None and _stays(program, found):
            _turn_round(program, found)


def _stays(program: Program, p: _Pooled) -> bool:
    """Is what is cut the same until it is pooled?"""
    first, last = map(program.statements.index, (p.cut, p.pick))
    written = {s.writes.base for s in program.statements[first:last] if s.writes is not None}
    return p.cut.args[0].base not in written


@dataclass
class _Pooled:
    """The statements of one ReLU and one pooling; the last three where derivatives come back."""

    cut: Statement
    search: Statement
    flat: Statement
    pick: Statement
    mask: Statement | None = None
    masked: Statement | None = None
    place: Statement | None = None


def _found(cut: Statement, readers: dict[Var, list[Statement]], kept: set[Var]) -> _Pooled | None:
    """All statements that belong to this ReLU, if they are those above and no others."""
    relu: Any = cut.target
    if not cuts_at_zero(cut) or relu in kept:
        return None
    x = cut.args[0]
    if (x.shape, x.dtype, x.order) != (relu.shape, relu.dtype, None):
        return None
    uses = readers.get(relu, [])
    search, flat = _one(uses, _is_search), _one(uses, lambda s: s.function == "reshape")
    if search is None or flat is None or flat.target.base is not relu:  # type: ignore[union-attr]
        return None
    places: Any = search.target
    shown = readers.get(flat.target, [])  # type: ignore[arg-type]
    if len(shown) != 1 or places.base in kept:
        return None
    (pick,) = shown
    if pick.function != "take" or pick.args[1:] != (places,) or pick.kwargs:
        return None
    rest = [s for s in uses if s is not search and s is not flat]
    back = [s for s in readers.get(places, []) if s is not pick]
    found = _Pooled(cut, search, flat, pick)
    if not rest and not back:
        return found
    if len(rest) != 1 or len(back) != 1 or not _is_helper(back[0], "place"):
        return None
    (mask,), (place,) = rest, back
    if mask.function is not np.not_equal or mask.kwargs or not is_zero(mask.args[1]):
        return None
    (masked, *more), uses = readers.get(mask.target, [None]), readers.get(place.target, [])  # type: ignore[arg-type,list-item]
    if masked is None or more or uses != [masked] or masked.function is not np.where:
        return None
    chosen = (mask.target, place.target)
    d_x: Any = masked.target
    if masked.args[:2] != chosen or not is_zero(masked.args[2]) or masked.kwargs:
        return None
    if {v.base for v in (*chosen, place.args[0])} & kept or d_x.order is not None:  # type: ignore[union-attr]
        return None
    found.mask, found.masked, found.place = mask, masked, place
    return found


def _one(statements: list[Statement], wanted: Any) -> Statement | None:
    found = [s for s in statements if wanted(s)]
    return found[0] if len(found) == 1 else None


def _is_helper(s: Statement, name: str) -> bool:
    return s.kind == "helper" and s.function.__name__ == name


def _is_search(s: Statement) -> bool:
    return _is_helper(s, "positions_of_max")


def _turn_round(program: Program, p: _Pooled) -> None:
    x, relu, pick = p.cut.args[0], p.cut.target, p.pick.target
    assert relu is not None and pick is not None and p.flat.target is not None
    picked = Var(pick.name, pick.shape, pick.dtype, None, pick.span)
    pick.name = relu.name
    p.search.args = (x, *p.search.args[1:])
    p.flat.args = (x, *p.flat.args[1:])
    p.flat.target.base, p.flat.target.span = x.base, x.span
    p.pick.target = picked
    p.cut.target, p.cut.args = pick, (picked, p.cut.args[1])
    moved = {id(p.cut): [], id(p.pick): [p.pick, p.cut]}
    if p.place is not None and p.masked is not None and p.mask is not None:
        given, d_x, mask = p.place.args[0], p.masked.target, p.mask.target
        d_picked: Any = p.place.target
        d_picked.shape, d_picked.span = pick.shape, given.span
        d_picked.name = f"d_{picked.name}"
        mask.shape, mask.span = pick.shape, (0, 0)  # type: ignore[union-attr]
        p.mask.args = (pick, p.mask.args[1])
        p.masked.target, p.masked.args = d_picked, (mask, given, p.masked.args[2])
        p.place.target, p.place.args = d_x, (d_picked, *p.place.args[1:])
        moved |= {id(p.place): [], id(p.mask): [], id(p.masked): [p.mask, p.masked, p.place]}
        _rename(program, p, relu.name, picked.name)
    program.statements = [t for s in program.statements for t in moved.get(id(s), [s])]


def _rename(program: Program, p: _Pooled, relu: str, pick: str) -> None:
    """Names and notes say which derivative a line is."""
    assert p.place is not None and p.masked is not None
    behind, before = f"d loss / d {pick},", f"d loss / d {relu},"
    for s in program.statements:
        if s.note.startswith(behind):
            s.note = s.note.replace(behind, before)
            if s.target is not None and s.target.name.startswith(f"d_{pick}"):
                s.target.name = s.target.name.replace(pick, relu, 1)
    source = p.masked.note.partition(", through ")[0]
    p.masked.note = f"{behind} through {p.masked.note.partition(', through ')[2]}"
    p.place.note = f"{source}, through {p.place.note.partition(', through ')[2]}"
    if p.mask is not None:
        p.mask.note = p.masked.note
