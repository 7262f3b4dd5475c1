"""The function under test of a gradient check, as a function of float64 arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine import backward
from ..engine.errors import ArgumentError
from ..engine.lift import node_of
from ..engine.modes import no_grad
from ..engine.scalar import Scalar
from ..engine.tensor import Tensor
from ..engine.types import Array
from . import func, trees
from .swapping import swapped


class Subject:
    """The function under test, as a function of float64 arrays with its outputs laid end to end."""

    def __init__(self, f: Callable[..., Any], inputs: Sequence[Any], module: Any) -> None:
        self.f = f
        self.inputs = list(inputs)
        self.module = module
        self.names: list[str] = []
        self.kinds: list[str] = []
        self.arrays: list[Array] = []
        self.places: list[int] = []
        for i, x in enumerate(self.inputs):
            if isinstance(x, (float, Scalar)) and not isinstance(x, np.floating):
                self._add(f"input {i}", "scalar", np.array(getattr(x, "_data", x), np.float64), i)
            else:
                array = np.asarray(x._data if isinstance(x, Tensor) else x)
                if array.dtype.kind == "f":
                    self._add(f"input {i}", "tensor", array.astype(np.float64), i)
        if module is not None:
            for name, p in module.named_parameters():
                self._add(name, "parameter", p.data.astype(np.float64), -1)
        if not self.arrays:
            raise ArgumentError(
                "gradcheck: there is nothing to check: no input is floating; pass float arrays, "
                "tensors, scalars, or a module with parameters"
            )

    def _add(self, name: str, kind: str, array: Array, place: int) -> None:
        self.names.append(name)
        self.kinds.append(kind)
        self.arrays.append(array)
        self.places.append(place)

    def run(self, nodes: Sequence[Any]) -> list[Any]:
        """The outputs of the function with `nodes` in the place of the operands."""
        called = list(self.inputs)
        parameters = {}
        for name, place, node in zip(self.names, self.places, nodes, strict=True):
            if place < 0:
                parameters[name] = node
            else:
                called[place] = node
        if self.module is None:
            return list(trees.leaves(self.f(*called)))
        with swapped(self.module, parameters):
            return list(trees.leaves(self.f(*called)))

    def call(self, arrays: Sequence[Array], track: bool) -> tuple[list[Any], list[Any]]:
        """Operand nodes and output nodes of one evaluation."""
        nodes = [self._node(k, a, track) for k, a in zip(self.kinds, arrays, strict=True)]
        outputs = self.run(nodes)
        for y in outputs:
            if not isinstance(y, (Tensor, Scalar, float, np.ndarray, np.generic)):
                raise ArgumentError(
                    f"gradcheck: the function must return tensors or scalars, "
                    f"got {type(y).__name__}"
                )
        return nodes, outputs

    def _node(self, kind: str, array: Array, track: bool) -> Any:
        if kind == "scalar":
            return Scalar(float(array), requires_grad=track)
        node = Tensor._of(array)
        node.requires_grad = track
        return node

    def values(self, arrays: Sequence[Array]) -> Array:
        """All outputs in one float64 vector."""
        return flat(self.call(arrays, track=False)[1])

    def derivative(self, seed: int) -> Subject:
        """The function x -> J(x)^T v for a random cotangent v, as a subject."""
        with no_grad():
            _, outputs = self.call(self.arrays, track=False)
        rng = np.random.default_rng(seed)
        cotangents = tuple(
            float(rng.normal()) if isinstance(y, (Scalar, float)) else rng.normal(size=shape_of(y))
            for y in outputs
        )

        def first(*nodes: Any) -> Any:
            return func.vjp(lambda *fresh: tuple(self.run(fresh)), *nodes)[1](cotangents)

        starts: list[Any] = [
            float(a) if kind == "scalar" else a
            for kind, a in zip(self.kinds, self.arrays, strict=True)
        ]
        derived = Subject(first, starts, None)
        derived.names = [f"{name}, second order" for name in self.names]
        return derived


def flat(outputs: Sequence[Any]) -> Array:
    """All outputs laid end to end, in float64."""
    if len(outputs) == 1:
        only = getattr(outputs[0], "_data", outputs[0])
        return np.array(only, np.float64).reshape(-1)
    raw = [np.asarray(getattr(y, "_data", y), np.float64).reshape(-1) for y in outputs]
    return np.concatenate(raw) if raw else np.zeros(0)


def shape_of(y: Any) -> tuple[int, ...]:
    """The shape of an output, () for a number."""
    return np.shape(getattr(y, "_data", y))


def pulled(nodes: list[Any], outputs: list[Any], cotangents: Array) -> list[Array]:
    """The gradient of each operand for each cotangent: arrays (entries, cotangents)."""
    places = [node_of(x) for x in nodes]
    results = [np.zeros((math.prod(x.shape), len(cotangents))) for x in nodes]
    for k, cotangent in enumerate(cotangents):
        seeds: dict[Any, Any] = {}
        start = 0
        for y in outputs:
            size = math.prod(shape_of(y))
            end = node_of(y)
            if end is not None:
                piece = cotangent[start : start + size]
                seed = float(piece[0]) if isinstance(y, Scalar) else piece.reshape(y.shape)
                seeds[end] = seeds[end] + seed if end in seeds else seed
            start += size
        found = backward.run(seeds, targets=set(places), retain=True)
        for result, place in zip(results, places, strict=True):
            if place in found:
                result[:, k] = np.asarray(found[place]).reshape(-1)
    return results
