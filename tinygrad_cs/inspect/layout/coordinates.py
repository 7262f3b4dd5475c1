"""Coordinates along a layer: as near to the neighbours as the order and the sizes allow.

Each layer in turn is the solution of a small least-squares problem: members want to stand at the
mean of their neighbours, and must keep their order and distances. With the distances subtracted it
is an isotonic regression, which pooling adjacent violators solves in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from .segments import Segments

SWEEPS = 10
STIFF = 6.0
"""Weight of a point: long arrows should be straight before boxes stand well."""

YIELDING = 0.2
"""Weight of a leaf and of its edges: what is computed flows straight, parameters stand beside."""


def coordinates(parts: Segments, sizes: Sequence[float], count: int, gap: float) -> list[float]:
    """The centre of each box and point along its layer.

    Args:
        parts: the layers in their order, and what is joined to what.
        sizes: the extent of each member along the layer.
        count: how many of the members are boxes.
        gap: the least distance between two members.
    """
    centre = [0.0] * len(parts.before)
    offsets = []
    for row in parts.rows:
        offset = [0.0]
        for a, b in pairwise(row):
            offset.append(offset[-1] + (sizes[a] + sizes[b]) / 2 + gap)
        offsets.append(offset)
        for member, start in zip(row, offset, strict=True):
            centre[member] = start - offset[-1] / 2
    sweeps = SWEEPS if len(centre) < 20_000 else 4
    for sweep in range(sweeps):
        last = sweep == sweeps - 1
        order = range(len(parts.rows)) if sweep % 2 == 0 else reversed(range(len(parts.rows)))
        for k in order:
            row = parts.rows[k]
            wanted, weights = [], []
            for member in row:
                near = parts.before[member] if sweep % 2 == 0 else parts.after[member]
                if last or not near:
                    near = parts.before[member] + parts.after[member]
                pull = [_pull(parts, member, n, count) for n in near]
                total = sum(pull)
                mean = sum(p * centre[n] for p, n in zip(pull, near, strict=True))
                wanted.append(mean / total if near else centre[member])
                weights.append(_weight(parts, member, count))
            for member, place in zip(row, keep_apart(wanted, weights, offsets[k]), strict=True):
                centre[member] = place
    return centre


def _weight(parts: Segments, member: int, count: int) -> float:
    """How much a member counts against its neighbours in the layer."""
    return STIFF if member >= count else 1.0 if parts.before[member] else YIELDING


def _pull(parts: Segments, a: int, b: int, count: int) -> float:
    """How much an edge counts against others."""
    if a >= count and b >= count:
        return STIFF
    return 1.0 if parts.before[min(a, b)] or min(a, b) >= count else YIELDING


def keep_apart(
    wanted: Sequence[float], weights: Sequence[float], offsets: Sequence[float]
) -> list[float]:
    """Places nearest to the wanted ones, in the same order and no closer than the offsets say.

    Example:
        >>> keep_apart([0.0, 0.0, 9.0], [1.0, 1.0, 1.0], [0.0, 2.0, 4.0])
        [-1.0, 1.0, 9.0]
    """
    means: list[float] = []
    masses: list[float] = []
    sizes: list[int] = []
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        mean, mass, size = want - offset, weight, 1
        while means and means[-1] > mean:
            mean = (mean * mass + means.pop() * masses[-1]) / (mass + masses[-1])
            mass += masses.pop()
            size += sizes.pop()
        means.append(mean)
        masses.append(mass)
        sizes.append(size)
    pooled = [mean for mean, size in zip(means, sizes, strict=True) for _ in range(size)]
    return [mean + offset for mean, offset in zip(pooled, offsets, strict=True)]
