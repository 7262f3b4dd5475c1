"""Losses between distributions: Kullback-Leibler divergences and the normal distribution."""

from __future__ import annotations

import math
from typing import Any

from ....engine.define import operation
from ....engine.record import ELEMENTWISE
from ....engine.types import np
from ...elementwise.exponential import exp, log
from ...elementwise.extremes import maximum
from ...elementwise.selection import where
from ...families import Case, Draw
from .shares import plainly, reduced, share, some_reduction, two_alike


def _kl_cases(draw: Draw) -> Case:
    shape = draw.shape()
    return [draw.array(shape), draw.array(shape, (0.2, 3.0))], some_reduction(draw)


def _slope_of_p(log_q: Any, p: Any) -> Any:
    """log p + 1 - log q, and 0 for a probability of 0."""
    return where(p == 0, 0, log(where(p == 0, 1, p)) + 1 - log_q)


@operation(
    cases=_kl_cases,
    reference=lambda log_q, p, reduction: plainly(p * (np.log(p) - log_q), reduction),
    dlog_q=lambda g, p, reduction: share(-g, p, reduction),
    dp=lambda g, log_q, p, reduction: share(g, _slope_of_p(log_q, p), reduction),
)
def kl_divergence(log_q: Any, p: Any, reduction: str = "mean") -> Any:
    """p (log p - log q) from log q and p; where p is 0 it is 0, with gradient 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.reductions.losses.kl_divergence(tg.tensor([-1.0]), tg.tensor([1.0]))
        tensor(1.)
    """
    none = np.equal(p, 0)
    with np.errstate(invalid="ignore"):  # 0 * inf is replaced, log(-1) refused by who calls
        terms = p * (np.log(np.where(none, 1, p)) - log_q)
    return reduced(np.where(none, 0, terms), reduction)


def _slope_of_log_p(log_q: Any, log_p: Any) -> Any:
    """p (log p + 1 - log q), and 0 for a probability of 0."""
    none = log_p == -math.inf
    finite = where(none, 0, log_p)
    return where(none, 0, exp(finite) * (finite + 1 - log_q))


@operation(
    cases=two_alike,
    reference=lambda log_q, log_p, reduction: plainly(np.exp(log_p) * (log_p - log_q), reduction),
    dlog_q=lambda g, log_p, reduction: share(-g, exp(log_p), reduction),
    dlog_p=lambda g, log_q, log_p, reduction: share(g, _slope_of_log_p(log_q, log_p), reduction),
)
def kl_divergence_of_logs(log_q: Any, log_p: Any, reduction: str = "mean") -> Any:
    """p (log p - log q) from both logarithms; where p is 0 it is 0, with gradient 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.reductions.losses.kl_divergence_of_logs(tg.tensor([-1.0]), tg.tensor([0.0]))
        tensor(1.)
    """
    with np.errstate(invalid="ignore"):  # 0 * -inf is replaced
        terms = np.exp(log_p) * (log_p - np.asarray(log_q))
    return reduced(np.where(np.equal(log_p, -math.inf), 0, terms), reduction)


def _slope_of_variance(error: Any, variance: Any, eps: float) -> Any:
    """(1 - d^2 / v) / (2 v)."""
    v = maximum(variance, eps)
    return (1 - error * error / v) / (2 * v)


@operation(
    ELEMENTWISE,
    domain={"error": (-2.0, 2.0), "variance": (0.2, 3.0)},
    reference=lambda d, v: (np.log(v) + d**2 / v) / 2,
    # v for both: a variance below eps learns as if it were eps
    derror=lambda g, error, variance, eps: g * error / maximum(variance, eps),
    dvariance=lambda g, error, variance, eps: g * _slope_of_variance(error, variance, eps),
)
def normal_log_loss(error: Any, variance: Any, eps: float = 1e-6) -> Any:
    """(log v + error^2 / v) / 2 with v = max(variance, eps).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.reductions.losses.normal_log_loss(tg.tensor([-2.0]), tg.tensor([1.0]))
        tensor([2.])
    """
    v = np.maximum(variance, eps)
    return (np.log(v) + np.multiply(error, error) / v) / 2
