"""`watch`: note what layers and parameters do in the course of a training."""

from __future__ import annotations

from collections.abc import Iterable

from ..nn import Module
from ..optim import Optimizer
from .watcher import Watch

__all__ = ["Watch", "watch"]


def watch(
    model: Module,
    every: int = 10,
    *,
    layers: Iterable[str] | None = None,
    optimizer: Optimizer | None = None,
    singular_values: bool = False,
) -> Watch:
    """Note statistics of layers and parameters at the first step and at every tenth after it.

    Of each layer's output: mean, deviation, the share of saturated entries (`Tanh`, `Sigmoid`,
    `Hardtanh`, `Hardsigmoid`, `ReLU6`, tanh-`RNN`; saturated is where the derivative is below a
    tenth of its largest value) and the share of dead units (`ReLU`, `ReLU6`; dead is a unit, or a
    channel of a convolution, that was zero for the whole batch). Of each parameter: norms of
    gradient and weights, update-to-weight ratio |change| / |weights|, and "quiet", the share of
    its rows (one for each output unit) whose gradient is exactly 0: so a dead unit shows even where
    the ReLU is a function and not a layer. After CS231n, "Babysitting the learning process".

    The model's results, its random numbers and its training are bit for bit what they would be.

    Args:
        model: any module; its passes in evaluation mode and inside `no_grad` are left out, and so
            is what a program of `tg.compile` does.
        every: steps from one measurement to the next (default 10).
        layers: dotted names of the layers to watch (default: all that hold no others, or hold
            weights of their own). Parameters are all watched.
        optimizer: then each of its steps is counted, and nothing more is to be called.
        singular_values: those of the weights too (default False); for large matrices that takes
            longer than the step.

    Returns a `Watch`. Raises `ArgumentError` for an unknown layer and for `every` below 1.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> _ = tg.manual_seed(0)
        >>> net = tg.nn.Sequential(tg.nn.Linear(4, 8), tg.nn.Tanh(), tg.nn.Linear(8, 1))
        >>> optimizer = tg.optim.SGD(net.parameters(), lr=0.1)
        >>> with tg.inspect.watch(net, every=5) as watch:
        ...     for _ in range(11):
        ...         optimizer.zero_grad()
        ...         (net(np.ones((16, 4), "float32")) ** 2).mean().backward()
        ...         optimizer.step()
        ...         watch.step()
        >>> steps, deviations = watch.series("1", "deviation")
        >>> steps
        [1, 6, 11]
        >>> round(deviations[0], 2)
        0.72
    """
    return Watch(model, every, layers, optimizer, singular_values)
