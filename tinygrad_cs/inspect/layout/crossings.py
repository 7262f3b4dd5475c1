"""An order within the layers with few crossings: members go to the mean of their neighbours."""

from __future__ import annotations

from bisect import bisect_right, insort

from .segments import Segments

ROUNDS = 12
FEW = 4_000
"""Of more members than this, fewer rounds and no counting: the first rounds do the most."""


def reduce_crossings(parts: Segments) -> None:
    """Reorder `parts.rows` in place, by barycentres, forward and backward in turn."""
    size = sum(map(len, parts.rows))
    few = size <= FEW
    position = _positions(parts)
    best, fewest = [list(row) for row in parts.rows], crossings(parts, position) if few else 0
    for round_ in range(ROUNDS if few else 4):
        forward = round_ % 2 == 0
        near = parts.before if forward else parts.after
        for row in parts.rows if forward else reversed(parts.rows):
            means = {
                member: sum(position[n] for n in near[member]) / len(near[member])
                if near[member]
                else position[member]
                for member in row
            }
            row.sort(key=means.__getitem__)
            for place, member in enumerate(row):
                position[member] = place
        if few:
            count = crossings(parts, position)
            if count < fewest:
                best, fewest = [list(row) for row in parts.rows], count
    if few:
        parts.rows[:] = best


def crossings(parts: Segments, position: list[float]) -> int:
    """How many pairs of edges between neighbouring layers cross."""
    total = 0
    for row in parts.rows:
        seen: list[float] = []
        for member in row:
            ends = sorted(position[n] for n in parts.after[member])
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _positions(parts: Segments) -> list[float]:
    position = [0.0] * len(parts.before)
    for row in parts.rows:
        for place, member in enumerate(row):
            position[member] = place
    return position
