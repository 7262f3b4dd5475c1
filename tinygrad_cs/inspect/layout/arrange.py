"""The steps in turn: from sizes and edges to places and routes, in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .coordinates import coordinates
from .crossings import reduce_crossings
from .layers import Edge, layers
from .segments import segments

BETWEEN_LAYERS, BETWEEN_BOXES, MARGIN = 54.0, 18.0, 24.0
MOST_APART = 44.0
"""The largest distance between the ends of two arrows into one box."""

POINT = 4.0
"""Extent of a point along its layer."""

Point = tuple[float, float]


@dataclass(slots=True)
class Layout:
    """Where everything is.

    Attributes:
        width, height: of the whole picture.
        centres: of the boxes.
        trunks: for each box with long edges out of it the points that they pass together.
        routes: for each edge the points it passes alone: from the box or the trunk to the border
            of the other box.
    """

    width: float
    height: float
    centres: list[Point]
    trunks: dict[int, list[Point]]
    routes: list[list[Point]]


def arrange(sizes: Sequence[Point], edges: Sequence[Edge], downward: bool = False) -> Layout:
    """Places for boxes of the given sizes.

    Args:
        sizes: width and height of each box, operands before what is computed from them.
        edges: pairs of positions in `sizes`, as often as there are arrows.
        downward: layers from top to bottom instead of from left to right.

    Example:
        >>> layout = arrange([(10, 10), (10, 10)], [(0, 1)])
        >>> layout.centres
        [(29.0, 29.0), (93.0, 29.0)]
    """
    along, across = (1, 0) if downward else (0, 1)
    count = len(sizes)
    forward = [(min(edge), max(edge)) for edge in edges]
    layer = layers(count, forward)
    parts = segments(count, forward, layer)
    reduce_crossings(parts)
    extents = [size[across] for size in sizes] + [POINT] * (len(parts.before) - count)
    centre = coordinates(parts, extents, count, BETWEEN_BOXES)
    low = min((c - e / 2 for c, e in zip(centre, extents, strict=True)), default=0.0) - MARGIN
    high = max((c + e / 2 for c, e in zip(centre, extents, strict=True)), default=0.0) + MARGIN
    starts, ends = _columns(parts.rows, [size[along] for size in sizes], count)

    def side(box: int, sign: int) -> float:
        middle = (starts[layer[box]] + ends[layer[box]]) / 2
        return middle + sign * sizes[box][along] / 2

    trunks: dict[int, list[Point]] = {}
    for (source, k), point in parts.points.items():
        trunk = trunks.setdefault(source, [(side(source, 1), centre[source] - low)])
        trunk += [(starts[k], centre[point] - low), (ends[k], centre[point] - low)]
    ports = _ports(forward, centre, [size[across] for size in sizes])
    routes = []
    for (source, target), port in zip(forward, ports, strict=True):
        # a point in the layer before the target, if one is there, is where the edge leaves
        k = layer[target] - 1
        point = parts.points.get((source, k), source)
        start = side(source, 1) if point == source else ends[k]
        end = (side(target, -1), centre[target] + port - low)
        routes.append([(start, centre[point] - low), end])
    size = ((ends[-1] if ends else 0.0) + MARGIN, high - low)
    centres = [
        ((starts[layer[box]] + ends[layer[box]]) / 2, centre[box] - low) for box in range(count)
    ]
    if downward:
        routes = [_turned(route) for route in routes]
        trunks = {source: _turned(trunk) for source, trunk in trunks.items()}
        return Layout(size[1], size[0], _turned(centres), trunks, routes)
    return Layout(*size, centres, trunks, routes)


def _columns(
    rows: list[list[int]], lengths: list[float], count: int
) -> tuple[list[float], list[float]]:
    """Where each layer starts and ends."""
    starts, ends = [], []
    at = MARGIN
    for row in rows:
        starts.append(at)
        at += max((lengths[member] for member in row if member < count), default=0.0)
        ends.append(at)
        at += BETWEEN_LAYERS
    return starts, ends


def _ports(forward: list[Edge], centre: list[float], extents: list[float]) -> list[float]:
    """Where on the side of its target each arrow ends: spread in the order they come from."""
    into: dict[int, list[int]] = {}
    for number, (_, target) in enumerate(forward):
        into.setdefault(target, []).append(number)
    ports = [0.0] * len(forward)
    for target, numbers in into.items():
        numbers.sort(key=lambda number: centre[forward[number][0]])
        step = min(MOST_APART, extents[target] * 0.7 / len(numbers))
        for place, number in enumerate(numbers):
            ports[number] = (place - (len(numbers) - 1) / 2) * step
    return ports


def _turned(points: list[Point]) -> list[Point]:
    return [(y, x) for x, y in points]
