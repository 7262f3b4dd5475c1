"""Layers over sequences on top of each other, in one direction or both, whatever their steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from ... import ops
from ...engine.errors import ArgumentError, ShapeError
from ...engine.types import np
from ..foreign import with_shape
from .dropout import dropout as drop

States: TypeAlias = tuple[Any, ...]
Weights: TypeAlias = tuple[Any, Any, Any, Any]
"""weight_ih, weight_hh, bias_ih, bias_hh; the biases may be None."""

Direction: TypeAlias = Callable[[Any, States, Weights], tuple[Any, States]]
"""One layer in one direction: (L, N, in) and states (N, H) to (L, N, H) and states (1, N, H)."""


def layers_over_sequence(
    where: str,
    direction: Direction,
    blocks: int,
    input: Any,
    states: Sequence[Any],
    params: Sequence[Any],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Any, States]:
    """Layers on top of each other; `blocks` is how many gates the rows of a weight hold."""
    input = with_shape(input)
    directions = 2 if bidirectional else 1
    weights = list(_grouped(params, has_biases, num_layers * directions, where))
    size = weights[0][1].shape[-1]
    x = _as_sequence(input, weights[0][0].shape[-1], batch_first, where)
    single = input.ndim == 2
    starts = [
        _as_states(s, (len(weights), x.shape[1], size), single, x.dtype, where) for s in states
    ]
    ends: list[States] = []
    for layer in range(num_layers):
        if layer:
            x = drop(x, dropout, train)
        outputs = []
        for way in range(directions):
            k = layer * directions + way
            # backwards is the same on the sequence turned round
            read = ops.flip(x, 0) if way else x
            out, last = direction(read, tuple(s[k] for s in starts), weights[k])
            outputs.append(ops.flip(out, 0) if way else out)
            ends.append(last)
        x = ops.concat(outputs, -1) if bidirectional else outputs[0]
    final = tuple(e[0] if len(ends) == 1 else ops.concat(e, 0) for e in zip(*ends, strict=True))
    if single:
        return x[:, 0], tuple(e[:, 0] for e in final)
    return ops.swapaxes(x, 0, 1) if batch_first else x, final


def _grouped(params: Sequence[Any], has_biases: bool, count: int, where: str) -> Iterator[Weights]:
    """Four for each layer and direction, from all of them in a row."""
    each = 4 if has_biases else 2
    if len(params) != count * each:
        raise ArgumentError(
            f"{where}: {count} layers and directions need {count * each} params, {each} each, "
            f"got {len(params)}"
        )
    for k in range(0, len(params), each):
        w_ih, w_hh, *biases = params[k : k + each]
        b_ih, b_hh = biases or (None, None)
        yield w_ih, w_hh, b_ih, b_hh


def _as_sequence(input: Any, features: int, batch_first: bool, where: str) -> Any:
    """The input as (L, N, features); raises `ShapeError` where it is none."""
    layout = "N, L" if batch_first else "L, N"
    if input.ndim not in (2, 3) or input.shape[-1] != features:
        raise ShapeError(
            f"{where}: expected an input of shape ({layout}, {features}), or (L, {features}) for "
            f"one sequence; got {input.shape}"
        )
    if input.ndim == 2:
        x = ops.expand_dims(input, 1)
    else:
        x = ops.swapaxes(input, 0, 1) if batch_first else input
    if not x.shape[0]:
        raise ShapeError(
            f"{where}: the sequence is empty, there is no last state; got an input of shape "
            f"{input.shape}, read as ({layout if input.ndim == 3 else 'L'}, features)"
        )
    return x


def _as_states(given: Any, shape: tuple[int, ...], single: bool, dtype: Any, where: str) -> Any:
    """The first states of all layers (layers * directions, N, H), zeros for None."""
    if given is None:
        return np.zeros(shape, dtype if dtype.kind == "f" else None)
    given = with_shape(given)
    wanted = (shape[0], shape[2]) if single else shape
    if given.shape != wanted:
        names = "layers * directions, H" if single else "layers * directions, N, H"
        raise ShapeError(
            f"{where}: expected first states of shape {wanted}, that is ({names}), "
            f"got {given.shape}"
        )
    return ops.expand_dims(given, 1) if single else given
