"""How far to go along a direction: a step that meets the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from ..engine.types import Array

DECREASE = 1e-4
"""How much of the decrease that the slope promises must be had (Armijo's condition)."""

FLATNESS = 0.9
"""What the slope must have fallen to, as a fraction of the first one (the curvature condition)."""


class Point(NamedTuple):
    """A place on the line: how far along, the loss there, the gradient, its part on the line."""

    t: float
    loss: float
    gradient: Array
    slope: float


def strong_wolfe(
    at: Callable[[float], Point], start: Point, t: float, width: float, max_evaluations: int
) -> tuple[Point, int]:
    """A point that meets both conditions, or the lowest one found, and the evaluations it took.

        loss(t) <= loss(0) + 1e-4 t slope(0)   and   |slope(t)| <= 0.9 |slope(0)|

    First the step grows until it is too long, then the interval is narrowed by cubic interpolation
    (Nocedal and Wright, Numerical Optimization, 2006, algorithms 3.5 and 3.6).

    Args:
        at: evaluates a point.
        start: the point with t = 0; its slope is negative.
        t: first trial.
        width: an interval shorter than this is not narrowed further.
        max_evaluations: no more points than this, after the first.
    """

    def too_high(point: Point) -> bool:
        # said so that NaN, beyond the domain of the loss, is too high as well
        return not point.loss <= start.loss + DECREASE * point.t * start.slope

    def flat_enough(point: Point) -> bool:
        return abs(point.slope) <= -FLATNESS * start.slope

    before, point, used = start, at(t), 0
    while used < max_evaluations:
        if too_high(point) or (used > 1 and point.loss >= before.loss):
            break
        if flat_enough(point):
            return point, used + 1
        if point.slope >= 0:
            break
        longer = point.t + 0.01 * (point.t - before.t), 10 * point.t
        before, point, used = point, at(lowest_of_cubic(before, point, *longer)), used + 1
    else:
        return min(start, point, key=_loss), used + 1

    ends, cautious = [before, point], False
    while used < max_evaluations:
        left, right = sorted(end.t for end in ends)
        if right - left < width:
            break
        t = lowest_of_cubic(ends[0], ends[1], left, right)
        # too near to an end twice in a row, or at it: the interval would hardly shrink
        margin = 0.1 * (right - left)
        near = min(right - t, t - left) < margin
        if near and (cautious or not left < t < right):
            t = right - margin if right - t < t - left else left + margin
            near = False
        cautious = near
        point, used = at(t), used + 1
        low = min(ends, key=_loss)
        high = 1 - ends.index(low)
        if too_high(point) or point.loss >= low.loss:
            ends[high] = point
            continue
        if flat_enough(point):
            return point, used + 1
        if point.slope * (ends[high].t - low.t) >= 0:
            ends[high] = low
        ends[1 - high] = point
    return min(ends, key=_loss), used + 1


def _loss(point: Point) -> float:
    return math.inf if math.isnan(point.loss) else point.loss


def lowest_of_cubic(p: Point, q: Point, low: float, high: float) -> float:
    """Where the cubic through two points with their slopes is lowest, within [low, high].

    The middle, where that cubic has no minimum or is not finite.
    """
    if p.t > q.t:
        p, q = q, p
    d = p.slope + q.slope - 3 * (p.loss - q.loss) / (p.t - q.t)
    inside = d * d - p.slope * q.slope
    if 0 <= inside < math.inf:
        root = math.sqrt(inside)
        divisor = q.slope - p.slope + 2 * root
        if divisor:
            t = q.t - (q.t - p.t) * ((q.slope + root - d) / divisor)
            return min(max(t, low), high)
    return (low + high) / 2
