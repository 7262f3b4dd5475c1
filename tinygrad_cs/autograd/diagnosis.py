"""What kind of error a wrong gradient looks like, for the message of the gradient checker."""

from __future__ import annotations

import numpy as np

from ..engine.types import Array


def diagnose(analytic: Array, numeric: Array, shape: tuple[int, ...], lengths: set[int]) -> str:
    """The likeliest explanation of the difference between two Jacobians (entries, outputs).

    Args:
        analytic, numeric: derivatives, one row per entry of the operand.
        shape: the operand's shape.
        lengths: the axis lengths that occur in operands and outputs.
    """
    scale = np.abs(numeric).max()
    if not np.isfinite(analytic).all():
        return "the analytic gradient is not finite: a division by zero or an overflow in the rule"
    if scale == 0:
        return "the output does not depend on this operand, but the rule says it does"
    if not analytic.any():
        return (
            "the gradient is missing: the rule returns zeros, or the value was detached "
            "(.data, .item(), a NumPy copy) on its way"
        )
    large = np.abs(numeric) > 1e-4 * scale
    ratios = analytic[large] / numeric[large]
    factor = float(np.median(ratios))
    if np.allclose(ratios, factor, rtol=1e-4) and np.allclose(
        analytic, factor * numeric, rtol=1e-3, atol=1e-4 * scale
    ):
        return _factor(factor, lengths)
    if np.allclose(np.abs(ratios), 1, rtol=1e-4):
        return "a wrong sign on some entries: a kink's two sides swapped, or a sign lost"
    if len(shape) == 2 and shape[0] == shape[1]:
        grid = numeric.reshape(*shape, -1).swapaxes(0, 1).reshape(numeric.shape)
        if np.allclose(analytic, grid, rtol=1e-3, atol=1e-4 * scale):
            return "the gradient of a square matrix is transposed"
    absent = (analytic == 0) & large
    present = ~absent
    if absent.any() and np.allclose(
        analytic[present], numeric[present], rtol=1e-3, atol=1e-4 * scale
    ):
        return (
            "part of the cotangent is dropped: a missing sum over a broadcast axis, or a term "
            "of the rule left out"
        )
    if np.abs(analytic - numeric).max() < 2e-3 * scale:
        return (
            "nearly right: a constant is slightly off, or part of the function computes in float32"
        )
    return "a wrong formula: no single factor, sign, transpose or missing sum explains it"


def _factor(factor: float, lengths: set[int]) -> str:
    if np.isclose(factor, -1, rtol=1e-3):
        return "the sign is wrong: analytic = -numeric"
    message = f"a missing factor: analytic = {factor:.6g} x numeric everywhere"
    for n in sorted(lengths):
        if n > 1 and np.isclose(factor, 1 / n, rtol=1e-3):
            message += (
                f"; {n} is the length of an axis: perhaps a missing sum over a broadcast axis, "
                f"or a mean in place of a sum"
            )
        if n > 1 and np.isclose(factor, n, rtol=1e-3):
            message += f"; {n} is the length of an axis: perhaps a sum in place of a mean"
    return message
