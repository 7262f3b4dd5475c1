"""Penalties on parameters, as terms that are added to a loss: they keep weights small.

`weight_decay` of the optimizers is the other way to say it. For `SGD` it is the same as
`l2_penalty`; for `Adam` the penalty's gradient is divided by the gradients' size like any other,
so that large and small gradients decay differently, which `AdamW` avoids (I. Loshchilov and
F. Hutter, Decoupled Weight Decay Regularization, 2019).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any

from ..engine.errors import ArgumentError, DTypeError
from ..engine.tensor import Tensor
from ..ops.reductions.losses import absolute_total, square_total
from .module import Module

__all__ = ["elastic_net_penalty", "l1_penalty", "l2_penalty"]


def _chosen(parameters: Any, where: str) -> list[Any]:
    """The parameters that are penalised: of a module those with two axes or more."""
    if isinstance(parameters, Tensor):
        _refuse_integers(parameters, where)
        return [parameters]
    if isinstance(parameters, Module):
        chosen: list[Any] = [p for p in parameters.parameters() if p.ndim > 1]
        if not chosen:
            raise ArgumentError(
                f"{where}: the module has no weights with two axes or more; name the parameters "
                f"to penalise, as in model.parameters()"
            )
        return chosen
    if not isinstance(parameters, Iterable):
        raise DTypeError(
            f"{where}: expected a module, or an iterable of parameters, got "
            f"{type(parameters).__name__}"
        )
    chosen = list(parameters)
    if not chosen:
        raise ArgumentError(
            f"{where}: no parameters to penalise; a generator such as model.parameters() is used "
            f"up by one pass: write list(model.parameters()), or call it anew each time"
        )
    for p in chosen:
        if isinstance(p, Tensor):
            _refuse_integers(p, where)
        else:
            raise DTypeError(
                f"{where}: expected parameters, got {type(p).__name__}; with names beside them "
                f"write [p for name, p in model.named_parameters()]"
            )
    return chosen


def _refuse_integers(p: Tensor, where: str) -> None:
    if p.dtype.kind != "f":
        raise DTypeError(
            f"{where}: parameters must be floating, got {p.dtype}; write p.astype('float32')"
        )


def _factor(strength: Any, name: str, where: str) -> float:
    """The strength as a Python number, so that float32 stays float32."""
    if not isinstance(strength, Real) or not 0 <= float(strength) < math.inf:
        raise ArgumentError(
            f"{where}: {name} must be a number of 0 or more, got {strength!r}; the parameters "
            f"come first"
        )
    return float(strength)


def l1_penalty(parameters: Any, strength: float) -> Any:
    """strength times the sum of |w|: weights that do not help are driven towards exactly 0.

    R. Tibshirani, Regression Shrinkage and Selection via the Lasso, 1996.

    Args:
        parameters: an iterable of parameters, all of which count; one parameter; or a module,
            whose weights with two axes or more count, so no biases and no scales.
        strength: factor, 0 or more.

    Every weight is pulled with the same force, strength, whatever its size, so that small ones
    reach 0 and stay within one step of it: the weights get sparse. (The gradient at 0 is 0; plain
    steps leave values as small as the learning rate times strength.) There is no option of the
    optimizers for it.

    Raises `ArgumentError` for a negative strength and for no parameters, `DTypeError` for what
    are no parameters.

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.nn.Parameter([[1.0, -2.0]])
        >>> tg.nn.l1_penalty([w], 0.1).backward()
        >>> w.grad
        array([[ 0.1, -0.1]], dtype=float32)
    """
    factor = _factor(strength, "strength", "l1_penalty")
    return factor * absolute_total(_chosen(parameters, "l1_penalty"))


def l2_penalty(parameters: Any, strength: float) -> Any:
    """strength / 2 times the sum of w^2: weights shrink in proportion to their size.

    Args:
        parameters: an iterable of parameters, all of which count; one parameter; or a module,
            whose weights with two axes or more count, so no biases and no scales.
        strength: factor, 0 or more.

    With the half the gradient is strength * w: the same as `weight_decay=strength` of `SGD` over
    the same parameters (`weight_decay` over model.parameters() decays biases too). Use one of
    both. Large weights shrink most and none gets to 0: the work is spread over many small weights.

    Raises `ArgumentError` for a negative strength and for no parameters, `DTypeError` for what
    are no parameters.

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.nn.Parameter([[1.0, -2.0]])
        >>> tg.nn.l2_penalty([w], 0.1).backward()
        >>> w.grad
        array([[ 0.1, -0.2]], dtype=float32)
    """
    factor = _factor(strength, "strength", "l2_penalty")
    return factor / 2 * square_total(_chosen(parameters, "l2_penalty"))


def elastic_net_penalty(parameters: Any, l1_strength: float, l2_strength: float) -> Any:
    """l1_strength times the sum of |w|, and l2_strength / 2 times the sum of w^2.

    H. Zou and T. Hastie, Regularization and Variable Selection via the Elastic Net, 2005: sparse
    as with `l1_penalty`, but weights of inputs that go together stay together.

    Args:
        parameters: an iterable of parameters, all of which count; one parameter; or a module,
            whose weights with two axes or more count, so no biases and no scales.
        l1_strength, l2_strength: the factors of `l1_penalty` and `l2_penalty`.

    Raises as they do.

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.nn.Parameter([[1.0, -2.0]])
        >>> round(tg.nn.elastic_net_penalty([w], 0.1, 0.2).item(), 4)
        0.8
    """
    where = "elastic_net_penalty"
    l1 = _factor(l1_strength, "l1_strength", where)
    l2 = _factor(l2_strength, "l2_strength", where)
    chosen = _chosen(parameters, where)
    return l1 * absolute_total(chosen) + l2 / 2 * square_total(chosen)
