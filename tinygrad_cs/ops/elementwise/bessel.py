"""The normalised sinc, with derivatives that are as exact at 0 as anywhere.

sinc(x) = j_0(pi x), the first of the spherical Bessel functions, whose derivatives are one another
(DLMF 10.51.2): (2n + 1) j_n' = n j_(n-1) - (n + 1) j_(n+1). Written as (cos(pi x) - sinc(x)) / x
the derivative would lose all its digits near 0.
"""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import operation
from ...engine.record import ELEMENTWISE
from ...engine.types import T, np
from ..families import Case, Draw

__all__ = ["sinc"]


def _sinc_float(x: float) -> float:
    return math.sin(math.pi * x) / (math.pi * x) if x else 1.0


@operation(
    ELEMENTWISE,
    numpy=np.sinc,
    scalar=_sinc_float,
    dx=lambda g, x: -math.pi * g * spherical_bessel(x, 1),
)
def sinc(x: T) -> T:
    """sin(pi x) / (pi x), which is 1 at 0 and 0 at every other whole number.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.sinc(0.0), tg.func.grad(tg.sinc)(1.0)
        (1.0, -1.0)
    """
    return np.sinc(x)


def _by_series(n: int, t: Any) -> Any:
    """t^n / (2n+1)!! (1 - (t^2/2) / (2n+3) + ...), DLMF 10.53.1: for t up to n."""
    square = t * t
    total: Any = 1.0
    for k in range(8 + 2 * n, 0, -1):
        total = 1.0 - square * total * (1 / (2 * k * (2 * n + 2 * k + 1)))
    return total * t**n / math.prod(range(1, 2 * n + 2, 2))


def _by_recurrence(n: int, t: Any, sin: Any, cos: Any) -> Any:
    """From j_(-1) = cos t / t and j_0 = sin t / t upwards, DLMF 10.51.1: for larger t."""
    before, j = cos / t, sin / t
    for k in range(n):
        before, j = j, (2 * k + 1) / t * j - before
    return j


def _bessel_float(x: float, n: int) -> float:
    t = math.pi * x
    if math.fabs(t) <= n:
        return float(_by_series(n, t))
    return float(_by_recurrence(n, t, math.sin(t), math.cos(t)))


def _bessel_cases(draw: Draw) -> Case:
    return [draw.array(draw.shape(), (0.5, 2.0))], {"n": draw.integer(0, 3)}


def _bessel_reference(x: Any, n: int) -> Any:
    t = np.pi * x
    return _by_recurrence(n, t, np.sin(t), np.cos(t))


def _slope(x: Any, n: int) -> Any:
    """(2n + 1) j_n'; of j_0 alone there is none before it."""
    if n == 0:
        return -spherical_bessel(x, 1)
    return n * spherical_bessel(x, n - 1) - (n + 1) * spherical_bessel(x, n + 1)


@operation(
    ELEMENTWISE,
    scalar=_bessel_float,
    cases=_bessel_cases,
    reference=_bessel_reference,
    dx=lambda g, x, n: g * (math.pi / (2 * n + 1)) * _slope(x, n),
)
def spherical_bessel(x: T, n: int = 1) -> T:
    """The spherical Bessel function j_n(pi x) of order n = 0, 1, 2, ... (default 1).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.elementwise.bessel.spherical_bessel(0.0)
        0.0
    """
    t = np.asarray(np.pi * np.asarray(x))
    near = np.abs(t) <= n
    far = np.where(near, 1, t)
    out = np.asarray(_by_recurrence(n, far, np.sin(far), np.cos(far)))
    out[near] = _by_series(n, t[near])
    return out
