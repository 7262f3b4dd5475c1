"""Derivatives of running sums and products: what an entry is part of comes after it.

The cotangent of a running product obeys a recurrence of its own, solved here from the other end.
Nothing is divided by x, so zeros among the factors need no special care, at any order.
"""

from __future__ import annotations

from typing import Any

from ...engine.define import operation
from ...engine.record import MOVE
from ...engine.types import T, np
from ..axes import at_axis
from ..families import Case, Draw
from ..indices.indexing import getitem
from ..shapes.joining import concat


def _scan_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(min_dims=1))
    return [x], {"axis": draw.integer(-x.ndim, x.ndim - 1), "reverse": draw.flag()}


def _scanned(ufunc: Any, x: Any, axis: int, reverse: bool) -> Any:
    if not reverse:
        return ufunc.accumulate(x, axis)
    return np.flip(ufunc.accumulate(np.flip(x, axis), axis), axis)


@operation(
    MOVE,
    cases=_scan_cases,
    reference=lambda x, axis, reverse: _scanned(np.add, x, axis, reverse),
    dx=lambda g, axis, reverse: running_sum(g, axis, not reverse),
)
def running_sum(x: T, axis: int = -1, reverse: bool = False) -> T:
    """The sum of each entry and all before it along `axis`; with `reverse`, of all after it.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.reductions.scans.running_sum(tg.tensor([1.0, 2.0, 4.0]), reverse=True)
        tensor([7., 6., 4.])
    """
    return _scanned(np.add, x, axis, reverse)


@operation(
    cases=_scan_cases,
    reference=lambda x, axis, reverse: _scanned(np.multiply, x, axis, reverse),
    # the factors before x_k, times its part in what follows: g_k + x_(k+1) (g_(k+1) + ...)
    dx=lambda g, x, out, axis, reverse: (
        one_late(out, 1, axis, reverse) * _carried_back(g, x, axis, reverse)
    ),
)
def running_product(x: T, axis: int = -1, reverse: bool = False) -> T:
    """The product of each entry and all before it along `axis`; with `reverse`, of all after it.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.reductions.scans.running_product(tg.tensor([1.0, 2.0, 4.0]), reverse=True)
        tensor([8., 8., 4.])
    """
    return _scanned(np.multiply, x, axis, reverse)


def one_late(x: Any, start: float, axis: int, reverse: bool) -> Any:
    """x moved on by one place along `axis`, `start` in the place that becomes free."""
    axis %= x.ndim
    first = np.full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), start, x.dtype)
    pair = [x, first] if reverse else [first, x]
    return getitem(concat(pair, axis), at_axis(axis, slice(1, None) if reverse else slice(-1)))


def _carried_back(g: Any, a: Any, axis: int, reverse: bool) -> Any:
    """The cotangent c of a recurrence with factors a: c_k = g_k + a_(k+1) c_(k+1)."""
    return recurrence(one_late(a, 0, axis, not reverse), g, axis, not reverse)


def _recurrence_cases(draw: Draw) -> Case:
    (a,), params = _scan_cases(draw)
    return [a, draw.array(a.shape)], params


def _recurrence_reference(a: Any, b: Any, axis: int, reverse: bool) -> Any:
    order = slice(None, None, -1) if reverse else slice(None)
    a, b = (np.moveaxis(v, axis, 0)[order] for v in (a, b))
    out = [np.zeros(b.shape[1:])]
    for factor, term in zip(a, b, strict=True):
        out.append(factor * out[-1] + term)
    return np.moveaxis(np.reshape(out[1:], b.shape)[order], 0, axis)


@operation(
    cases=_recurrence_cases,
    reference=_recurrence_reference,
    da=lambda g, a, out, axis, reverse: (
        one_late(out, 0, axis, reverse) * _carried_back(g, a, axis, reverse)
    ),
    db=lambda g, a, axis, reverse: _carried_back(g, a, axis, reverse),
)
def recurrence(a: Any, b: Any, axis: int = -1, reverse: bool = False) -> Any:
    """h_k = a_k h_(k-1) + b_k along `axis`, from h_0 = b_0; with `reverse` from the other end.

    Args:
        a, b: factors and terms, of equal shapes.

    Example:
        >>> import tinygrad_cs as tg
        >>> a, b = tg.tensor([0.5, 0.5, 0.5]), tg.tensor([4.0, 0.0, 1.0])
        >>> tg.ops.reductions.scans.recurrence(a, b)
        tensor([4., 2., 2.])
    """
    order = slice(None, None, -1) if reverse else slice(None)
    factors, terms = (np.moveaxis(v, axis, 0)[order] for v in (a, b))
    out = np.empty(np.shape(b), np.result_type(a, b))
    steps = np.moveaxis(out, axis, 0)[order]
    if steps.ndim == 1:
        steps[...] = _on_floats(factors.tolist(), terms.tolist())
    elif len(steps):
        steps[0] = terms[0]
        for k in range(1, len(steps)):
            np.multiply(factors[k], steps[k - 1], out=steps[k])
            steps[k] += terms[k]
    return out


def _on_floats(factors: list[float], terms: list[float]) -> list[float]:
    out = terms[:1]
    for factor, term in zip(factors[1:], terms[1:], strict=True):
        out.append(factor * out[-1] + term)
    return out
