"""A layer for every box: longest path, then closer to where a value is used."""

from __future__ import annotations

Edge = tuple[int, int]


def neighbours(count: int, edges: list[Edge]) -> tuple[list[list[int]], list[list[int]]]:
    """Where the arrows into each box come from, and where those out of it go, each box once."""
    before: list[dict[int, None]] = [{} for _ in range(count)]
    after: list[dict[int, None]] = [{} for _ in range(count)]
    for source, target in edges:
        before[target][source] = None
        after[source][target] = None
    return [list(b) for b in before], [list(a) for a in after]


def layers(count: int, edges: list[Edge]) -> list[int]:
    """The layer of each box; every edge (source < target) leads to a later layer.

    Example:
        >>> layers(4, [(0, 2), (1, 3), (2, 3)])
        [0, 1, 1, 2]
    """
    before, after = neighbours(count, edges)
    layer = [0] * count
    for box in range(count):
        layer[box] = 1 + max((layer[b] for b in before[box]), default=-1)
    for box in reversed(range(count)):
        # moving right makes the arrows in longer and the arrows out shorter; leaves follow along
        followers = sum(1 for b in before[box] if before[b] or len(after[b]) > 1)
        if after[box] and followers <= len(after[box]):
            layer[box] = min(layer[a] for a in after[box]) - 1
    return layer
