"""NumPy's reductions that pass over NaN: what is passed over is not connected."""

from __future__ import annotations

from typing import Any

from ...engine.define import composition
from ...engine.types import Axis, np
from ..axes import raw
from ..elementwise.powers import sqrt
from ..elementwise.selection import where
from ..families import reduction
from .product import prod
from .reductions import max, min, sum


def _there(x: Any, axis: Axis, keepdims: bool) -> Any:
    """How many entries are not NaN."""
    return np.sum(~np.isnan(raw(x)), axis=axis, keepdims=keepdims)


def _filled(x: Any, value: float) -> Any:
    return where(np.isnan(raw(x)), value, x)


@composition("x", numpy=np.nansum, cases=reduction())
def nansum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Sum of what is not NaN over `axis` (default all)."""
    return sum(_filled(x, 0), axis, keepdims)


@composition("x", numpy=np.nanprod, cases=reduction())
def nanprod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Product of what is not NaN over `axis` (default all)."""
    return prod(_filled(x, 1), axis, keepdims)


@composition("x", numpy=np.nanmean, cases=reduction())
def nanmean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Mean of what is not NaN over `axis` (default all); NaN where that is nothing."""
    total = nansum(x, axis, keepdims)
    return total / _there(x, axis, keepdims).astype(total.dtype)


@composition("x", numpy=np.nanmax, cases=reduction())
def nanmax(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Largest entry that is not NaN over `axis` (default all); NaN where there is none."""
    out = max(_filled(x, -np.inf), axis, keepdims)
    return where(_there(x, axis, keepdims) > 0, out, np.nan)


@composition("x", numpy=np.nanmin, cases=reduction())
def nanmin(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Smallest entry that is not NaN over `axis` (default all); NaN where there is none."""
    out = min(_filled(x, np.inf), axis, keepdims)
    return where(_there(x, axis, keepdims) > 0, out, np.nan)


@composition("x", numpy=np.nanvar, cases=reduction(correction=[0]))
def nanvar(x: Any, axis: Axis = None, correction: float = 0, keepdims: bool = False) -> Any:
    """Variance of what is not NaN over `axis` (default all), divided by count - correction."""
    distance = _filled(x - nanmean(x, axis, True), 0)
    total = sum(distance * distance, axis, keepdims)
    freedom = _there(x, axis, keepdims) - correction
    return total / np.where(freedom > 0, freedom, np.nan).astype(total.dtype)


@composition("x", numpy=np.nanstd, cases=reduction(correction=[0]))
def nanstd(x: Any, axis: Axis = None, correction: float = 0, keepdims: bool = False) -> Any:
    """Standard deviation of what is not NaN over `axis` (default all); 0 has gradient 0."""
    variance = nanvar(x, axis, correction, keepdims)
    return where(variance == 0, 0, sqrt(variance))
