"""What the fused losses share: how entries are reduced, and what that does to a cotangent."""

from __future__ import annotations

from typing import Any

from ....engine.types import Array, np
from ...families import Case, Draw
from ..sums import mean, sum


def reduced(losses: Any, reduction: str) -> Any:
    """The losses of the entries as they are, summed, or averaged."""
    if reduction == "none":
        return losses
    return (mean if reduction == "mean" else sum)(np.asarray(losses))


def share(g: Any, slope: Any, reduction: str) -> Any:
    """The slopes of the entries times the cotangent, of which a mean gives each an equal part."""
    if reduction == "mean" and slope.size:
        g = g / slope.size
    return g * slope


def tiny(x: Any) -> float:
    """A divisor that is not 0 in the dtype of x."""
    return 1e-12 if x.dtype.itemsize > 2 else 6.2e-5


def flat_places(target: Array, classes: int) -> Array:
    """Where the targets stand in the scores laid end to end."""
    places: Array = np.arange(0, target.size * classes, classes)
    # (uint64 and int64 would make floats)
    rows = target if target.dtype == np.intp else target.astype(np.intp)
    places = places + rows.reshape(-1)
    return places


def some_reduction(draw: Draw) -> dict[str, Any]:
    """One of the reductions, by its name as a parameter."""
    return {"reduction": draw.choice(["none", "sum", "mean"])}


def two_alike(draw: Draw) -> Case:
    """Two arrays of the same shape, and a reduction."""
    shape = draw.shape()
    return [draw.array(shape), draw.array(shape)], some_reduction(draw)


def plainly(losses: Array, reduction: str) -> Any:
    """The reduction in plain NumPy, for the references."""
    return losses if reduction == "none" else getattr(np, reduction)(losses)
