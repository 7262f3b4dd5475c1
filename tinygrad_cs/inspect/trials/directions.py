"""Directions in the space of all parameters: random ones by filter, and those of a trajectory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...engine.errors import ArgumentError, StateDictError
from ...engine.tensor import Tensor
from ...engine.types import Array, np
from ...nn.module import Module

Point = dict[str, Array]
"""A value for every parameter, by dotted name."""


def here(model: Module) -> Point:
    """Copies of the parameters."""
    return {name: np.array(p.data) for name, p in model.named_parameters()}


def filter_normalised(start: Point, random: np.random.Generator) -> Point:
    """A random direction whose every filter is as long as that of the model.

    A filter is what leads to one output: a row of a matrix, a kernel of a convolution. Scaling a
    filter that a normalisation or a ReLU scales back then changes no picture. Biases and the
    scales of normalisations stay where they are.
    """
    direction = {}
    for name, weight in start.items():
        if weight.ndim < 2:
            direction[name] = np.zeros_like(weight)
            continue
        drawn = random.standard_normal(weight.shape)
        axes = tuple(range(1, weight.ndim))
        lengths = np.sqrt((drawn**2).sum(axis=axes, keepdims=True))
        wanted = np.sqrt((weight.astype(float) ** 2).sum(axis=axes, keepdims=True))
        direction[name] = (drawn / lengths * wanted).astype(weight.dtype)
    if not any(value.any() for value in direction.values()):
        raise ArgumentError(
            "landscape: the model has no weights with two axes or more that are not zero, and "
            "directions are as long as these; give a trajectory instead"
        )
    return direction


def as_points(model: Module, trajectory: Sequence[Any]) -> list[Point]:
    """Saved states as parameters by name; raises `StateDictError` for what does not fit."""
    own = here(model)
    points = []
    for number, state in enumerate(trajectory):
        if not isinstance(state, Mapping):
            raise ArgumentError(
                f"landscape: trajectory[{number}] is {type(state).__name__}, expected what "
                f"model.state_dict() gives"
            )
        point = {}
        for name, value in own.items():
            found = state.get(name)
            found = found._data if isinstance(found, Tensor) else found
            if found is None or np.shape(found) != value.shape:
                got = "is missing" if found is None else f"has shape {np.shape(found)}"
                raise StateDictError(
                    f"landscape: trajectory[{number}]: {name!r} {got}, expected {value.shape}"
                )
            point[name] = np.asarray(found, float)
        points.append(point)
    return points


def of_trajectory(points: Sequence[Point], dim: int) -> tuple[list[Point], Array, Array]:
    """The directions in which the points lie spread most, seen from the last one.

    Returns `dim` orthonormal directions, the points in their coordinates (points, dim), and the
    share of the spread that each direction holds.
    """
    end = points[-1]
    flat = np.array(
        [np.concatenate([(p[name] - end[name]).reshape(-1) for name in end]) for p in points]
    )
    _, sizes, axes = np.linalg.svd(flat[:-1], full_matrices=False)
    total = float((sizes**2).sum())
    if len(axes) < dim or not total > 0:
        raise ArgumentError(
            f"landscape: a trajectory for {dim} dimensions takes {dim + 1} saved states or more "
            f"that differ, got {len(points)}"
        )
    # the path comes from the left, whatever sign the decomposition chose
    axes = axes[:dim] * np.where(flat[0] @ axes[:dim].T > 0, -1, 1)[:, None]
    directions = []
    for axis in axes:
        direction, place = {}, 0
        for name, value in end.items():
            direction[name] = axis[place : place + value.size].reshape(value.shape)
            place += value.size
        directions.append(direction)
    return directions, flat @ axes.T, sizes[:dim] ** 2 / total
