"""Where eigenvectors and singular vectors have a derivative, and where they have none.

A vector turns towards another by a rate divided by the gap between their values. Of equal values
the vectors are not determined: any turned ones would do, and LAPACK's choice has no derivative. So
a derivative that reads such a vector is NaN. One that does not read it (a slice of the others, or
the values alone) is not touched: see dead positions in `engine/marks.py`.
"""

from __future__ import annotations

from typing import Any

from ...engine.define import operation
from ...engine.errors import NoDerivativeError
from ...engine.record import ELEMENTWISE
from ...engine.types import Array, np
from ..axes import raw
from ..elementwise.selection import where
from ..families import Case, Draw
from ..shapes.shaping import expand_dims


def _cases(draw: Draw) -> Case:
    x = draw.array(draw.shape())
    return [x], {"defined": np.ones(x.shape, bool)}


def _where_defined_rule(g: Any, defined: Any, refusal: str) -> Any:
    if refusal and np.any(raw(g), where=~defined):
        raise NoDerivativeError(refusal)
    return where(defined, g, g * float("nan"))


@operation(
    ELEMENTWISE,
    cases=_cases,
    reference=lambda x, defined: x,
    dx=_where_defined_rule,
)
def where_defined(x: Any, defined: Any, refusal: str = "") -> Any:
    """`x`, with derivative NaN at the entries that are not well defined.

    With a `refusal`, which says what to write instead, a derivative that reaches them raises.
    """
    return x


def _with_rounding(values: Any) -> tuple[Array, Array]:
    """Plain values (..., n), and what they may be off by."""
    plain = np.asarray(getattr(values, "_data", values))
    largest = np.abs(plain).max(initial=0, axis=-1, keepdims=True)
    return plain, plain.shape[-1] * np.finfo(plain.dtype).eps * largest


def is_zero(values: Any) -> Array:
    """Which values are zero but for rounding."""
    values, tiny = _with_rounding(values)
    zero: Array = np.abs(values) <= tiny
    return zero


def no_gap(values: Any) -> Array:
    """Which pairs of values are equal but for rounding, each with itself too."""
    values, tiny = _with_rounding(values)
    equal: Array = np.abs(values[..., None, :] - values[..., :, None]) <= tiny[..., None]
    return equal


def guarded(vectors: Any, values: Any, complement: bool = False) -> Any:
    """The columns of `vectors`, with a derivative only where their value stands alone.

    With `complement` the vectors do not span the space: then a value of 0 is not alone either,
    its vector could turn into what they leave out.
    """
    if isinstance(vectors, np.ndarray):
        return vectors  # plain values: nothing will be differentiated
    defined = no_gap(values).sum(axis=-1) == 1
    if complement:
        defined &= ~is_zero(values)
    if defined.all():
        return vectors
    return where_defined(vectors, np.broadcast_to(defined[..., None, :], vectors.shape))


def inverse_gaps(values: Any, squared: bool = False) -> Any:
    """1 / (w_j - w_i), or 1 / (w_j^2 - w_i^2); 0 where there is no gap."""
    left, right = expand_dims(values, -1), expand_dims(values, -2)
    gap = (right - left) * (right + left) if squared else right - left
    equal = no_gap(values)
    return where(equal, 0, 1 / where(equal, 1, gap))
