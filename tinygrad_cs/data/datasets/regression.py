"""Targets that depend on their inputs in a known way, to see whether a fit finds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, overload

import numpy as np

from ...engine.errors import ArgumentError
from ...engine.types import Array
from ..checks import as_generator, positive_integer
from ..samples import Samples
from .points import checked_noise

Nonlinearity = Callable[[Array], Array]


@overload
def regression(
    n: int,
    features: int = 1,
    outputs: int = 1,
    noise: float = 0.1,
    nonlinearity: Nonlinearity | None = None,
    seed: int | np.random.Generator = 0,
    return_weights: Literal[False] = False,
) -> Samples: ...
@overload
def regression(
    n: int,
    features: int = 1,
    outputs: int = 1,
    noise: float = 0.1,
    nonlinearity: Nonlinearity | None = None,
    seed: int | np.random.Generator = 0,
    *,
    return_weights: Literal[True],
) -> tuple[Array, Array, Array, Array]: ...
def regression(
    n: int,
    features: int = 1,
    outputs: int = 1,
    noise: float = 0.1,
    nonlinearity: Nonlinearity | None = None,
    seed: int | np.random.Generator = 0,
    return_weights: bool = False,
) -> Samples | tuple[Array, Array, Array, Array]:
    """Inputs x (n, features) and targets y (n, outputs), float32: y = f(x Wᵀ + b) + noise.

    x, W and b are drawn from the standard normal distribution; `noise` is the standard deviation
    of the targets around the function. `nonlinearity`, f, maps an array to an array of the same
    shape, such as `np.sin`; None is the identity. With `return_weights=True` the result is (x, y,
    W, b), W of shape (outputs, features) and b of shape (outputs,) as in `nn.Linear`: what a net
    of one layer should find. The same `seed` gives the same data.

    Raises `ArgumentError` for n, features or outputs < 1, negative noise, and a nonlinearity that
    changes the shape or gives NaN or infinity.

    Example:
        >>> import numpy as np
        >>> import tinygrad_cs as tg
        >>> x, y, weight, bias = tg.data.regression(50, features=3, noise=0, return_weights=True)
        >>> np.allclose(y, x @ weight.T + bias, atol=1e-5)
        True
        >>> tg.data.regression(50, nonlinearity=np.sin)
        Samples(x=float32[50, 1], y=float32[50, 1])
    """
    n = positive_integer("regression", "n", n)
    features = positive_integer("regression", "features", features)
    outputs = positive_integer("regression", "outputs", outputs)
    noise = checked_noise("regression", noise)
    rng = as_generator("regression", seed)
    x = rng.standard_normal((n, features))
    weight, bias = rng.standard_normal((outputs, features)), rng.standard_normal(outputs)
    y = x @ weight.T + bias
    if nonlinearity is not None:
        shape, y = y.shape, np.asarray(nonlinearity(y), np.float64)
        if y.shape != shape or not np.isfinite(y).all():
            raise ArgumentError(
                f"regression: expected a nonlinearity that gives finite numbers of the shape of "
                f"its argument, {shape}, such as np.tanh; got shape {y.shape}"
                f"{', with NaN or infinity in it' if y.shape == shape else ''}"
            )
    y += rng.normal(0, noise, size=y.shape)
    drawn = [array.astype(np.float32) for array in (x, y, weight, bias)]
    return (drawn[0], drawn[1], drawn[2], drawn[3]) if return_weights else Samples(*drawn[:2])
