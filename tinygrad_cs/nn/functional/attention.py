"""Attention: every position asks all others, and gets the mean of what those that match hold.

A. Vaswani and others, Attention Is All You Need, 2017, section 3.2.1.
"""

from __future__ import annotations

import math
from typing import Any

from ... import ops
from ...engine.errors import ArgumentError, ShapeError
from ...engine.types import np
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
            to be added to the scores. None (default) for no mask.
        dropout_p: probability with which a weight is left out (default 0); not for evaluation.
        is_causal: position i sees only positions up to i; not together with `attn_mask`.
        scale: factor of the scores; None (default) for 1 / sqrt(E).

    The result has shape (..., L, V); a position that may see none gets zeros. Masked positions
    are not connected: no gradient reaches them. Raises `ShapeError` for axes that do not fit,
    `ArgumentError` for two masks at once.

    Example:
        >>> import tinygrad_cs as tg
        >>> q = k = v = tg.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> tg.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)[0]
        tensor([1., 0.])
    """
    where = "scaled_dot_product_attention"
    q, k, v = (np.shape(getattr(x, "_data", x)) for x in (query, key, value))
    if min(len(q), len(k), len(v)) < 2 or q[-1] != k[-1] or k[-2] != v[-2]:
        raise ShapeError(
            f"{where}: expected query (..., L, E), key (..., S, E) and value (..., S, V); "
            f"got {q}, {k} and {v}"
        )
    if is_causal and attn_mask is not None:
        raise ArgumentError(f"{where}: is_causal=True is a mask already; give attn_mask or it")
    if scale is None:
        scale = 1 / math.sqrt(q[-1])
    scores = ops.matmul(query * scale, ops.swapaxes(key, -1, -2))
    if is_causal:
        attn_mask = np.tri(q[-2], k[-2], dtype=bool)
    if attn_mask is not None:
        mask = getattr(attn_mask, "_data", attn_mask)
        if np.asarray(mask).dtype == bool:
            scores = ops.where(mask, scores, -math.inf)
        else:
            scores = scores + attn_mask
    weights = ops.softmax(scores, -1)
    return ops.matmul(dropout(weights, dropout_p), value)
