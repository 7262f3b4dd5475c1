"""Attention: every position asks all others, and gets the mean of what those that match hold.

A. Vaswani and others, Attention Is All You Need, 2017, section 3.2.1.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from ... import ops
from ...engine.errors import ArgumentError, DTypeError, ShapeError
from ...engine.types import Array, Shape, np
from ...ops.axes import broadcast_shape
from ..foreign import with_shape
from .dropout import dropout

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Any:
    """softmax(Q K^T / sqrt(E)) V.

    Args:
        query: (..., L, E).
        key: (..., S, E).
        value: (..., S, V).
        attn_mask: broadcasts to (..., L, S): booleans, True where a position takes part, or numbers
            to be added to the scores. None (default) for no mask. (The masks of
            `nn.MultiheadAttention` are True where a position is left out, in PyTorch too.)
        dropout_p: probability with which a weight is left out (default 0); not for evaluation.
        is_causal: position i sees only positions up to i; not together with `attn_mask`.
        scale: factor of the scores; None (default) for 1 / sqrt(E): a product of E numbers of
            variance 1 has variance E, and softmax of large scores has hardly any gradient.

    The result has shape (..., L, V); a position that may see none gets zeros, where PyTorch's
    softmax gives NaN. Masked positions are not connected: no gradient reaches them. Raises
    `ShapeError` for axes that do not fit, `DTypeError` for a mask of integers, `ArgumentError` for
    two masks at once.

    Example:
        >>> import tinygrad_cs as tg
        >>> q = k = v = tg.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> tg.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)[0]
        tensor([1., 0.])
    """
    where = "scaled_dot_product_attention"
    query, key, value = (with_shape(x) for x in (query, key, value))
    q, k, v = query.shape, key.shape, value.shape
    if min(len(q), len(k), len(v)) < 2 or q[-1] != k[-1] or k[-2] != v[-2] or not q[-1]:
        raise ShapeError(
            f"{where}: expected query (..., L, E), key (..., S, E) and value (..., S, V); "
            f"got {q}, {k} and {v}" + ("; E is 1 or more" if q[-1:] == (0,) else "")
        )
    if not q[:-2] == k[:-2] == v[:-2]:
        broadcast_shape(f"{where}, the axes in front of (L, E)", q[:-2], k[:-2], v[:-2])
    if is_causal and attn_mask is not None:
        raise ArgumentError(f"{where}: is_causal=True is a mask already; give attn_mask or it")
    seen, added = None, None
    if is_causal:
        seen = lower_triangle(q[-2], k[-2])
    elif attn_mask is not None:
        attn_mask, boolean = as_mask(attn_mask, "attn_mask", where)
        scores = (*np.broadcast_shapes(q[:-2], k[:-2]), q[-2], k[-2])
        if not _broadcasts(attn_mask.shape, scores):
            raise ShapeError(
                f"{where}: the scores have shape {scores}, to which an attn_mask of shape "
                f"{attn_mask.shape} does not broadcast; it is (L, S) or (..., L, S)"
            )
        seen, added = (attn_mask, None) if boolean else (None, attn_mask)
    return attend(query, key, value, seen, added, dropout_p, scale)[0]


def attend(
    query: Any,
    key: Any,
    value: Any,
    seen: Any = None,
    added: Any = None,
    dropout_p: float = 0.0,
    scale: float | None = None,
) -> tuple[Any, Any]:
    """Results and weights; only positions in `seen` take part, `added` is added to the scores."""
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else float(scale)
    scores = ops.matmul(query * scale, ops.swapaxes(key, -1, -2))
    if added is not None:
        scores = scores + (
            added if added.dtype == scores.dtype else ops.astype(added, scores.dtype)
        )
    if seen is not None:
        scores = ops.where(seen, scores, -math.inf)
    weights = ops.softmax(scores, -1)
    if dropout_p:
        weights = dropout(weights, dropout_p)
    return ops.matmul(weights, value), weights


def as_mask(mask: Any, name: str, where: str) -> tuple[Any, bool]:
    """A mask as an array (as a tensor if it carries a gradient), and whether it is boolean."""
    if getattr(mask, "_node", None) is not None:
        return mask, False
    array: Array = np.asarray(getattr(mask, "_data", mask))
    if array.dtype.kind not in "fb":
        raise DTypeError(
            f"{where}: {name} must be boolean, or floating to be added to the scores; got "
            f"{array.dtype}, which could mean either: write {name}.astype(bool)"
        )
    return array, array.dtype.kind == "b"


@lru_cache(maxsize=16)
def lower_triangle(rows: int, columns: int) -> Array:
    """Which positions are not in the future: True where column <= row."""
    seen: Array = np.tri(rows, columns, dtype=bool)
    seen.flags.writeable = False
    return seen


def _broadcasts(shape: Shape, to: Shape) -> bool:
    pairs = zip(reversed(shape), reversed(to), strict=False)
    return len(shape) <= len(to) and all(n in (1, m) for n, m in pairs)
