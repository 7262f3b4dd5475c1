"""Long arrows become chains: one point in every layer they pass, shared by arrows of one source."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from .layers import Edge

POINTS_A_BOX, POINTS_AT_LEAST = 6, 5_000
"""No more points than this; beyond it the longest arrows go straight, across what is between."""


@dataclass(slots=True)
class Segments:
    """The graph with points: a proper one, in which every edge leads to the next layer.

    Attributes:
        rows: for each layer its members: boxes (0 ... count - 1), then points.
        before, after: neighbours in the layer before and after, of boxes and points.
        points: (source, layer) to the point there.
    """

    rows: list[list[int]]
    before: list[list[int]]
    after: list[list[int]]
    points: dict[tuple[int, int], int] = field(default_factory=dict)
    joined: dict[int, bool] = field(default_factory=dict)


def segments(count: int, edges: list[Edge], layer: list[int]) -> Segments:
    """Put points into the layers between the ends of long edges."""
    last = list(layer)
    for source, target in edges:
        last[source] = max(last[source], layer[target])
    result = Segments([[] for _ in range(max(layer, default=-1) + 1)], [], [])
    for box in range(count):
        result.rows[layer[box]].append(box)
    total = count
    room = POINTS_A_BOX * count + POINTS_AT_LEAST
    for source in sorted(range(count), key=lambda box: last[box] - layer[box]):
        length = last[source] - layer[source] - 1
        if length > room:
            break
        room -= max(length, 0)
        for k in range(layer[source] + 1, last[source]):
            result.points[source, k] = total
            result.rows[k].append(total)
            total += 1
    before: list[dict[int, None]] = [{} for _ in range(total)]
    after: list[dict[int, None]] = [{} for _ in range(total)]
    for source, target in edges:
        chain = _chain(result, source, target, layer)
        for a, b in pairwise(chain):
            after[a][b] = before[b][a] = None
    result.before = [list(b) for b in before]
    result.after = [list(a) for a in after]
    return result


def _chain(parts: Segments, source: int, target: int, layer: list[int]) -> list[int]:
    """The members an edge leads along, its ends included; none for one that goes straight."""
    chain = [target]
    for k in range(layer[target] - 1, layer[source], -1):
        point = parts.points.get((source, k))
        if point is None:
            return []
        chain.append(point)
        if parts.joined.get(point):
            # the rest of the chain is known from another edge
            return chain[::-1]
        parts.joined[point] = True
    return [source, *chain[::-1]]
