"""`summary`: a model as a table of layers, with shapes, parameters, multiply-adds and memory."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from ..engine.errors import ArgumentError, TinygradError
from ..engine.modes import default_dtype, generator
from ..engine.tensor import Tensor
from ..engine.types import Shape, np
from ..nn import ModuleDict, ModuleList, ParameterList
from ..nn.module import Module
from ..nn.parameter import Parameter
from ..training.evaluation import evaluation_mode
from .ears import Ear
from .multiply_adds import multiply_adds
from .summary_table import LayerSummary, Summary

__all__ = ["LayerSummary", "Summary", "summary"]


def summary(model: Module, *inputs: Any, dtype: Any = None) -> Summary:
    """Run a model once, and tabulate its layers: shapes, parameters, multiply-adds, memory.

    Multiply-adds are those of the products of matrices and kernels (`Linear`, convolutions,
    recurrent layers, attention); passes over the entries count as none. A training step takes
    about three times as many as the forward pass that is shown.

    Args:
        model: any module; a copy of it is run, in evaluation mode, so that nothing of it changes,
            nor the library's random generator. A layer that stands in several places comes once,
            with all its calls.
        inputs: what the model is called with: arrays, tensors, or shapes (with the batch as first
            axis), for which zeros are made.
        dtype: of these zeros (default: the default dtype); "int64" for a model that begins with an
            embedding.

    Raises `ArgumentError` where no input is an array or a shape; what the model raises comes out.

    Example:
        >>> import tinygrad_cs as tg
        >>> net = tg.nn.Sequential(tg.nn.Linear(64, 128), tg.nn.ReLU(), tg.nn.Linear(128, 10))
        >>> tg.inspect.summary(net, (32, 64))
        layer  class       output     parameters  multiply-adds
               Sequential  (32, 10)
        0      Linear      (32, 128)       8,320        262,144
        1      ReLU        (32, 128)
        2      Linear      (32, 10)        1,290         40,960
        <BLANKLINE>
        parameters: 9,610
        multiply-adds: 303,104
        memory: parameters 37.5 KiB, activations 33.2 KiB
    """
    if not isinstance(model, Module):
        raise ArgumentError(f"summary: expected a module, got {type(model).__name__}")
    if all(isinstance(value, (int, float)) for value in inputs):
        raise ArgumentError(
            "summary: expected what the model is called with, or its shape with the batch as "
            "first axis, as in summary(model, (32, 64))"
        )
    random = generator().bit_generator
    before = random.state
    try:
        model_run = copy.deepcopy(model)
        notes = _run(model_run, [_made(value, dtype) for value in inputs])
    except TinygradError as error:
        if dtype is None and any(map(_is_shape, inputs)):
            error.add_note(
                f"summary ran the model on zeros of {np.dtype(default_dtype())}; for an embedding "
                f'write dtype="int64", or give arrays instead of shapes'
            )
        raise
    finally:
        random.state = before
    return Summary(model, notes)


def _is_shape(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and all(
        isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in value
    )


def _made(value: Any, dtype: Any) -> Any:
    if not _is_shape(value):
        return value
    if any(n < 0 for n in value):
        raise ArgumentError(
            f"summary: a shape has lengths of 0 or more, got {tuple(value)}; give the batch a "
            f"length, such as 1"
        )
    return np.zeros(tuple(value), default_dtype() if dtype is None else dtype)


class _Notes:
    """What one layer did."""

    def __init__(self, layer: Module) -> None:
        self.layer = layer
        self.is_inner = next(layer.children(), None) is not None
        self.calls = self.activations = 0
        # what somebody else does with the entries of a list is not known
        self.multiply_adds: int | None = None if isinstance(layer, ParameterList) else 0
        self.shape: Shape | None = None

    def hear(self, given: tuple[Any, ...], out: Any) -> None:
        self.calls += 1
        arrays = list(_arrays(out))
        if not arrays:
            return
        self.shape = arrays[0].shape
        arguments = [array for value in given for array in _arrays(value)]
        if not self.is_inner:
            self.activations += sum(
                array.nbytes
                for array in arrays
                if not any(np.may_share_memory(array, other) for other in arguments)
            )
        count = multiply_adds(self.layer, [a.shape for a in arguments], arrays[0].shape)
        known = self.multiply_adds is not None and count is not None
        self.multiply_adds = self.multiply_adds + count if known else None  # type: ignore[operator]


def _run(model: Module, inputs: Sequence[Any]) -> list[LayerSummary]:
    notes = [(name, _Notes(layer)) for name, layer in model.named_modules()]
    ears = [Ear(note.layer, note.hear) for _, note in notes]
    kinds = [type(note.layer).__name__ for _, note in notes]
    for ear in ears:
        ear.open()
    try:
        with evaluation_mode(model):
            model(*inputs)
    finally:
        for ear in ears:
            ear.close()
    seen: set[int] = set()
    return [
        LayerSummary(
            name, kind, note.calls, note.shape, _own_parameters(note.layer, seen),
            note.multiply_adds, note.activations,
        )
        for (name, note), kind in zip(notes, kinds, strict=True)
        if note.calls or not isinstance(note.layer, (ModuleList, ModuleDict))
    ]  # fmt: skip


def _arrays(value: Any) -> list[Any]:
    """The arrays in a value, of any dtype."""
    if isinstance(value, (tuple, list)):
        return [array for part in value for array in _arrays(part)]
    if isinstance(value, dict):
        return _arrays(list(value.values()))
    array = value._data if isinstance(value, Tensor) else value
    return [array] if isinstance(array, np.ndarray) else []


def _own_parameters(layer: Module, seen: set[int]) -> int:
    own = [p for p in vars(layer).values() if isinstance(p, Parameter) and id(p) not in seen]
    own = list({id(p): p for p in own}.values())
    seen.update(map(id, own))
    return sum(p.size for p in own)
