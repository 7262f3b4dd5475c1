"""Adding values up at positions that may repeat: what NumPy offers, chosen by what is fastest.

All ways add in the order of the values, so that the same call gives the same bits. Sums are formed
in the dtype of the array, and in float64 where many values meet in one entry.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ...engine.types import Array, Shape, np


def raw_index(index: Any) -> Any:
    """An index with tensors replaced by their arrays."""
    if isinstance(index, tuple):
        return tuple([raw_index(part) for part in index])
    return getattr(index, "_data", index)


def may_repeat(index: Any) -> bool:
    """Can two entries of the result come from one of the source? Only with integer arrays."""
    parts = index if isinstance(index, tuple) else (index,)
    for part in parts:
        if not (isinstance(part, (slice, int)) or part is None or part is Ellipsis):
            part = np.asarray(part)
            if part.ndim and part.dtype.kind != "b":
                return True
    return False


def sum_at(shape: Shape, index: Any, values: Array) -> Array:
    """Zeros of `shape` with `values`, which have the shape that the index takes, added there."""
    if values.dtype.itemsize < 4 and values.dtype.kind == "f":
        # float16 cannot count beyond 2048
        return sum_at(shape, index, values.astype(np.float32)).astype(values.dtype)
    out = np.zeros(shape, values.dtype)
    if not may_repeat(index):
        out[index] = values
    else:
        add_repeated(out, index, values, fresh=True)
    return out


_FEW = 768
_MANY_FOR_ONE = 4


def add_repeated(out: Array, index: Any, values: Array, fresh: bool = False) -> None:
    """Add `values` into the contiguous `out`, where positions may repeat; `fresh`: it is all zero.

    `np.add.at` is fast for a vector and a vector of positions (a tenth slower than assignment),
    and five times slower for any other index, which is worth translating beyond some 800 values.
    """
    if type(index) is np.ndarray and out.ndim == 1 and values.size <= _MANY_FOR_ONE * out.size:
        np.add.at(out, index.ravel(), values.ravel())
        return
    if values.size < _FEW or values.dtype.kind != "f":
        np.add.at(out, index, values)
        return
    rows = _row_positions(index, out.shape)
    if rows is None:
        places = np.arange(out.size).reshape(out.shape)[index]
        rows, table = places.ravel(), out.reshape(-1, 1)
    else:
        table = out.reshape(-1, math.prod(out.shape[_depth(index) :]))
    if table.shape[1] == 1:
        _add_entries(table[:, 0], rows, values.ravel())
    else:
        _add_rows(table, rows, values.reshape(len(rows), -1), fresh)


def _leading(index: Any) -> tuple[Any, ...]:
    """The parts of an index, without the full slices at its end, which change nothing."""
    parts = index if isinstance(index, tuple) else (index,)
    while parts and (parts[-1] is Ellipsis or _is_full(parts[-1])):
        parts = parts[:-1]
    return parts


def _is_full(part: Any) -> bool:
    return isinstance(part, slice) and part == slice(None)


def _depth(index: Any) -> int:
    return len(_leading(index))


def _row_positions(index: Any, shape: Shape) -> Array | None:
    """Flat positions along the first axes if the index is integers there; else None."""
    if type(index) is np.ndarray and index.dtype == np.intp:
        places = index.ravel()
        return np.where(places < 0, places + shape[0], places) if places.min() < 0 else places
    flat: Any = 0
    for part, length in zip(_leading(index), shape, strict=False):
        if isinstance(part, slice) or part is None or part is Ellipsis:
            return None
        places = np.asarray(part)
        if places.dtype.kind not in "iu":
            return None
        places = places.astype(np.intp, copy=False)
        if places.size and places.min() < 0:
            places = np.where(places < 0, places + length, places)
        flat = flat * length + places
    return np.ravel(flat)


def _add_entries(out: Array, places: Array, values: Array) -> None:
    if values.size > _MANY_FOR_ONE * out.size:
        # sums of many: as fast, and formed in float64
        out += np.bincount(places, values, out.size).astype(out.dtype, copy=False)
    else:
        np.add.at(out, places, values)


_ROUND = 8000
"""Entries whose addition one by one takes as long as one more round of whole rows."""


def _add_rows(table: Array, rows: Array, values: Array, fresh: bool) -> None:
    """Rows added to rows of a table, as in the gradient of an embedding.

    In rounds, the r-th taking every row that is met for the r-th time: within a round no row
    repeats, and whole rows are added at the speed of memory. Measured on 2048 rows of 128 into
    10000 (float32): 0.3 ms, entry by entry 0.5 ms, `np.add.at` with the rows 2.4 ms. Where a row
    is met very often (20000 rows into 50) there are too many rounds, and entries are added.
    """
    width = table.shape[1]
    # that two rounds pay off is clear before counting
    counts = np.bincount(rows, minlength=len(table)) if values.size > 2 * _ROUND else None
    if counts is None or counts.max() * _ROUND > values.size:
        places = (rows[:, None] * width + np.arange(width)).ravel()
        _add_entries(table.reshape(-1), places, values.ravel())
        return
    for number, taken in enumerate(rounds(rows, counts)):
        if number or not fresh:
            table[rows[taken]] += values[taken]
        else:
            table[rows[taken]] = values[taken]


def rounds(places: Array, counts: Array) -> Iterator[Any]:
    """Indices of `places` (counted by `counts`) such that none repeats in a round, in order."""
    most = int(counts.max())
    if most == 1:
        yield slice(None)
        return
    order = np.argsort(places, kind="stable")
    met = counts[counts > 0]
    turn = np.arange(len(places)) - np.repeat(np.cumsum(met) - met, met)
    for r in range(most):
        yield order[turn == r]


def repeats(shape: Shape, index: Any) -> bool:
    """Does the index take some position of an array of `shape` twice?"""
    if not may_repeat(index):
        return False
    met = np.zeros(shape, bool)
    met[index] = True
    taken = np.broadcast_to(0.0, shape)[index].size
    return bool(np.count_nonzero(met) < taken)
