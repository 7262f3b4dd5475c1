"""The factor by which weights must grow to make up for what a nonlinearity takes."""

from __future__ import annotations

import difflib
import math

from ...engine.errors import ArgumentError

_CONVOLUTIONS = [f"conv{kind}{n}d" for kind in ("", "_transpose") for n in (1, 2, 3)]

# Of gelu, silu and elu: 1 / sqrt(E[f(z)^2]) for a standard normal z, which keeps the second moment
# as sqrt(2) does for relu.
_GAINS = {
    "linear": 1.0,
    **dict.fromkeys(_CONVOLUTIONS, 1.0),
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "leaky_relu": math.sqrt(2 / (1 + 0.01**2)),
    "selu": 3 / 4,
    "gelu": 1.53353,
    "silu": 1.67653,
    "elu": 1.24520,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The gain that makes up for the variance a nonlinearity takes.

    =====================================  ======================
    linear, the convolutions, sigmoid      1
    tanh                                   5/3
    relu                                   sqrt(2)
    leaky_relu of slope a                  sqrt(2 / (1 + a^2))
    selu                                   3/4
    gelu, silu, elu                        1.534, 1.677, 1.245
    =====================================  ======================

    relu sets half of a symmetric input to zero and so halves its second moment: sqrt(2) doubles the
    variance of the weights (He et al. 2015). 5/3 keeps deep tanh nets from fading slowly. selu
    normalises itself with gain 1, by `lecun_normal_`; its 3/4 is PyTorch's.

    Args:
        nonlinearity: one of the names above.
        param: the slope of leaky_relu (default 0.01).

    Raises `ArgumentError` for other names.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.calculate_gain("leaky_relu", 1.0)
        1.0
    """
    if nonlinearity not in _GAINS:
        near = difflib.get_close_matches(str(nonlinearity), _GAINS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ArgumentError(
            f"calculate_gain: expected one of {', '.join(map(repr, _GAINS))}, got "
            f"{nonlinearity!r}{hint}"
        )
    if nonlinearity == "leaky_relu" and param is not None:
        return math.sqrt(2 / (1 + param**2))
    return _GAINS[nonlinearity]
