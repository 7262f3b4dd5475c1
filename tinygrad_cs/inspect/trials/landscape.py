"""`landscape`: the loss around a model, along one direction or two.

H. Li, Z. Xu, G. Taylor, C. Studer and T. Goldstein, Visualizing the Loss Landscape of Neural Nets,
2018.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.checks import positive_integer
from ...engine.errors import ArgumentError
from ...engine.tensor import Tensor
from ...engine.types import Array, np
from ...nn.module import Module
from ...training.evaluation import evaluated
from . import pictures
from .arguments import check_model_and_loss
from .copies import on_copies
from .directions import Point, as_points, filter_normalised, here, of_trajectory
from .samples import batches_once
from .task import Loss

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Landscape", "landscape"]


@dataclass
class Landscape:
    """The loss on a line or a grid in the space of the parameters.

    Attributes:
        axes: the coordinates along each direction, one array (1-D) or two (2-D).
        loss: shape (n,), or (n, n) with the first direction along axis 0; infinite or NaN where
            it is.
        directions: one or two, each an array for every parameter by name.
        path: the trajectory in these coordinates, shape (states, dim), or None.
        explained: the share of the trajectory's spread that each direction holds, or None.
    """

    axes: tuple[Array, ...]
    loss: Array
    directions: tuple[Point, ...]
    path: Array | None = None
    explained: Array | None = None

    def plot(self, path: str | Path | None = None) -> Figure:
        """A curve, or contours with the path, as a matplotlib figure.

        Args:
            path: where to write the picture too (default None: nowhere).

        Raises `MissingDependency` without matplotlib.
        """
        return pictures.written(pictures.landscape(self), path)

    def __repr__(self) -> str:
        finite = self.loss[np.isfinite(self.loss)]
        size = " x ".join(str(len(axis)) for axis in self.axes)
        spread = f"{finite.min():.4g} to {finite.max():.4g}" if finite.size else "not finite"
        return f"Landscape({size} points, loss {spread})"


def landscape(
    model: Module,
    loss: Loss,
    data: Any,
    *,
    dim: int = 2,
    points: int = 21,
    radius: float = 1.0,
    trajectory: Sequence[Any] | None = None,
    batch_size: int | None = None,
    seed: int = 0,
) -> Landscape:
    """The loss at θ + a d₁ + b d₂: a picture of the ground on which a training goes downhill.

    Directions are drawn at random, and each filter of them made as long as that filter of the
    model: d ← d / ‖d‖ · ‖θ‖. Without this a net whose weights are small looks sharp, although the
    same function with larger weights (and a ReLU or a normalisation that scales them back) looks
    flat. With a trajectory the directions are those in which it moved most (its principal
    components, seen from its end), and its states are marked.

    A plane is a thin slice of thousands of dimensions: where it looks like a bowl, there may be
    ways down that it does not contain, and points of a trajectory lie beside it.

    Args:
        model: at the centre. It stays as it is: all happens on copies, in evaluation mode.
        loss: called with prediction and target, as for `fit`; the mean over all samples is shown.
        data: arrays `(x, y)`, a data set, or a `DataLoader`, whose batches are read once.
        dim: 1 for a line, 2 for a grid (default).
        points: along each direction (default 21, so 441 passes over the data for a grid).
        radius: how far to go each way, in lengths of the filters (default 1); for a trajectory
            the room around it, in quarters of its extent.
        trajectory: states as `model.state_dict()` gives them, in order; the last is the origin.
            Buffers, as of a batch normalisation, are those of the model.
        batch_size: for data sets and arrays (default 256).
        seed: of the directions (default 0); the library's generator stays as it is.

    Returns a `Landscape` with the numbers and `.plot()`. Raises `ArgumentError` for data without
    batches, numbers out of range, or a trajectory that is too short or does not move.

    Example:
        >>> import tinygrad_cs as tg
        >>> _ = tg.manual_seed(0)
        >>> x, y = tg.data.two_spirals(50)
        >>> net = tg.nn.Sequential(tg.nn.Linear(2, 8), tg.nn.Tanh(), tg.nn.Linear(8, 2))
        >>> line = tg.inspect.landscape(net, tg.nn.CrossEntropyLoss(), (x, y), dim=1, points=5)
        >>> line.axes[0], line.loss.shape
        (array([-1. , -0.5,  0. ,  0.5,  1. ]), (5,))
    """
    check_model_and_loss("landscape", model, loss)
    if dim not in (1, 2):
        raise ArgumentError(f"landscape: dim must be 1 (a line) or 2 (a grid), got {dim!r}")
    positive_integer("landscape", "points", points, least=2)
    if not isinstance(radius, (int, float)) or not 0 < radius < math.inf:
        raise ArgumentError(f"landscape: radius must be a number above 0, got {radius!r}")
    if batch_size is not None:
        positive_integer("landscape", "batch_size", batch_size)
    batches = batches_once("landscape", data, batch_size)
    path = explained = None
    if trajectory is None:
        centre = here(model)
        # not the numbers that a model of the same seed was initialised with
        random = np.random.default_rng((seed, len(centre), 2018))
        directions = [filter_normalised(centre, random) for _ in range(dim)]
        axes = [np.linspace(-radius, radius, points)] * dim
    else:
        states = as_points(model, trajectory)
        if len(states) < dim + 1:
            raise ArgumentError(
                f"landscape: a trajectory for {dim} dimensions takes {dim + 1} saved states or "
                f"more, got {len(states)}"
            )
        centre = states[-1]
        directions, path, explained = of_trajectory(states, dim)
        axes = [_around(path[:, k], path, radius, points) for k in range(dim)]
    found = np.array(
        _losses(model, loss, batches, centre, directions, np.meshgrid(*axes, indexing="ij"))
    )
    return Landscape(tuple(axes), found, tuple(directions), path, explained)


def _around(values: Array, path: Array, radius: float, points: int) -> Array:
    """Coordinates that reach beyond a path, also where it hardly moves along this direction."""
    extent = float(np.ptp(values))
    room = radius * 0.25 * max(extent, 0.2 * float(np.ptp(path, axis=0).max()))
    coordinates: Array = np.linspace(values.min() - room, values.max() + room, points)
    return coordinates


def _losses(
    model: Module,
    loss: Loss,
    batches: Any,
    centre: Point,
    directions: Sequence[Point],
    grid: Sequence[Array],
) -> Array:
    found: Array = np.empty(grid[0].shape)
    with on_copies(model, loss) as (copied,), np.errstate(all="ignore"):
        parameters: dict[str, Tensor] = dict(model.named_parameters())
        for place in np.ndindex(found.shape):
            for name, parameter in parameters.items():
                value = centre[name]
                for coordinate, direction in zip(grid, directions, strict=True):
                    value = value + float(coordinate[place]) * direction[name]
                # fresh arrays: nobody else looks at these copies
                parameter._data = np.asarray(value, parameter.dtype)
            found[place] = evaluated(model, batches, copied, {})["loss"]
    return found
