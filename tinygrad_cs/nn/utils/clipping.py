"""Gradients that are too long, cut: one step with an exploded gradient can ruin a training."""

from __future__ import annotations

import math
from typing import Any

from ...engine.errors import ArgumentError, NonFiniteError
from ...engine.modes import as_one, current_trace
from ...engine.tensor import Tensor
from ...engine.types import Array, np
from ...optim.buffer import gradients
from ...optim.named import named_parameters

__all__ = ["clip_grad_norm_", "clip_grad_value_"]


def clip_grad_norm_(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = True
) -> float:
    """Shorten all gradients by one common factor, so that together they are no longer than this.

        g <- g min(1, max_norm / (|g| + 1e-6)),  |g| over all entries of all gradients

    Pascanu, Mikolov and Bengio 2013, for recurrent networks. The direction stays. Call it between
    `backward()` and `step()`, and look at the norm it returns: where it is cut at every step, the
    learning rate is what needs to change.

    Args:
        parameters: a module, an iterable of parameters (or of (name, parameter)), or one tensor.
        max_norm: longest norm allowed; `math.inf` only measures.
        norm_type: p of the p-norm, above 0; `math.inf` for the largest entry (default 2).
        error_if_nonfinite: must be True (PyTorch's default is False): multiplying by a factor
            that is not finite would make all gradients NaN.

    Returns the norm before. Without any gradient it is 0.

    Raises `NonFiniteError`, which names the parameters concerned, for a norm that is infinite or
    NaN: multiplying would make all gradients NaN. Then no gradient was changed.

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([3.0, 4.0], requires_grad=True)
        >>> (w * w).sum().backward()
        >>> tg.nn.utils.clip_grad_norm_([w], max_norm=1.0)
        10.0
        >>> w.grad.round(4)
        array([0.6, 0.8], dtype=float32)
    """
    _check_number("clip_grad_norm_", "max_norm", max_norm)
    _check_number("clip_grad_norm_", "norm_type", norm_type)
    if norm_type == 0:
        raise ArgumentError("clip_grad_norm_: norm_type must be above 0, got 0")
    if error_if_nonfinite is not True:
        raise ArgumentError(
            f"clip_grad_norm_: error_if_nonfinite must be True, got {error_if_nonfinite!r}: one "
            f"gradient that is not finite would make all of them NaN; catch NonFiniteError and "
            f"leave the step out"
        )
    named = named_parameters(parameters, "clip_grad_norm_")
    arrays = gradients(tensor for _, tensor in named)
    norm: float = as_one(_norm, arrays, norm_type)
    if not norm < math.inf:
        raise NonFiniteError(_non_finite(named, norm))
    factor = as_one(_factor, norm, max_norm)
    # (a program is the same for norms that are short)
    if current_trace() is not None or factor < 1:
        for array in arrays:
            np.multiply(array, factor, array)
    return norm


def clip_grad_value_(parameters: Any, clip_value: float) -> None:
    """Clip every entry of all gradients to [-clip_value, clip_value].

        g_i <- max(-clip_value, min(clip_value, g_i))

    Unlike `clip_grad_norm_` it changes the direction. NaN stays NaN.

    Args:
        parameters: a module, an iterable of parameters, or one tensor.
        clip_value: largest entry allowed, 0 or more.

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([1.0, -8.0], requires_grad=True)
        >>> (w * w).sum().backward()
        >>> tg.nn.utils.clip_grad_value_([w], 3.0)
        >>> w.grad
        array([ 2., -3.], dtype=float32)
    """
    _check_number("clip_grad_value_", "clip_value", clip_value)
    for array in gradients(t for _, t in named_parameters(parameters, "clip_grad_value_")):
        np.clip(array, -clip_value, clip_value, out=array)


def _check_number(what: str, name: str, value: Any) -> None:
    if not isinstance(value, (int, float, np.number)) or not value >= 0:
        raise ArgumentError(f"{what}: {name} must be a number of 0 or more, got {value!r}")


def _factor(norm: float, max_norm: float) -> float:
    """What the gradients are multiplied by."""
    return min(1.0, max_norm / (norm + 1e-6))


def _norm(arrays: list[Array], p: float) -> float:
    """The p-norm of all entries; NaN if one is NaN."""
    flat = [array.ravel("K") for array in arrays if array.size]
    if p == 2:
        with np.errstate(over="ignore", invalid="ignore"):
            squares = sum(float(np.dot(part, part)) for part in flat)
        # beyond these bounds squares may have over- or underflown where the norm does not
        if 1e-30 < squares < math.inf:
            return math.sqrt(squares)
    largest = float(max((np.abs(part).max() for part in flat), key=_nan_is_largest, default=0.0))
    if p == math.inf or largest == 0 or not math.isfinite(largest):
        return largest
    total = sum(float(((np.abs(part) / largest) ** p).sum()) for part in flat)
    return float(largest * total ** (1 / p))


def _nan_is_largest(value: Any) -> tuple[bool, Any]:
    return bool(np.isnan(value)), value


def _non_finite(named: list[tuple[str, Tensor]], norm: float) -> str:
    """The message that says where."""
    concerned = [
        f"{name} of shape {tensor.shape}"
        for name, tensor in named
        if tensor.grad is not None and not np.isfinite(tensor.grad).all()
    ]
    which = ", ".join(concerned) if concerned else "none alone, all together"
    return (
        f"clip_grad_norm_: the norm of all gradients is {norm}; not finite in parameter {which}. "
        f"No gradient was changed. Leave this step out, or run it inside tg.debug() to see the "
        f"operation where it begins"
    )
