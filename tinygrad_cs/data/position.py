"""Where a loader stands: what is saved of it, checked when it comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypedDict

import numpy as np

from ..engine.errors import StateDictError


class Position(TypedDict):
    """The state of a loader, as plain values."""

    epoch: int
    """Epochs begun before this one."""
    position: int
    """Batches of this epoch that the caller has got."""
    samples: int
    batch_size: int | None
    start: list[Any] | None
    """States of the library's and the loader's generators when the epoch began; None between."""
    now: list[Any]
    """States of the loader's generators."""


def states_of(generators: Sequence[np.random.Generator]) -> list[Any]:
    """The states, as NumPy gives them: dicts of numbers that can be assigned back."""
    return [generator.bit_generator.state for generator in generators]


@contextmanager
def drawn_from(generators: Sequence[np.random.Generator], states: Sequence[Any]) -> Iterator[None]:
    """Inside the block the generators draw what they drew in these states; afterwards go on."""
    present = states_of(generators)
    try:
        for generator, state in zip(generators, states, strict=True):
            generator.bit_generator.state = state
        yield
    finally:
        for generator, state in zip(generators, present, strict=True):
            generator.bit_generator.state = state


def check_position(
    saved: Mapping[str, Any],
    samples: int,
    batch_size: int | None,
    generators: Sequence[np.random.Generator],
) -> Position:
    """`saved` as the state of a loader over this data, or a `StateDictError` that says why not."""
    names = Position.__annotations__
    if not isinstance(saved, Mapping) or not set(names) <= set(saved):
        got = list(saved) if isinstance(saved, Mapping) else type(saved).__name__
        _refuse(f"expected what state_dict() gives, with {', '.join(names)}; got {got}")
    if saved["samples"] != samples:
        _refuse(f"the data set had {saved['samples']} samples, this one has {samples}")
    if saved["batch_size"] != batch_size:
        _refuse(f"batch_size was {saved['batch_size']}, here it is {batch_size}")
    for name in ("epoch", "position"):
        if type(saved[name]) is not int or saved[name] < 0:
            _refuse(f"expected {name} to be an integer >= 0, got {saved[name]!r}")
    _check_states(saved["now"], generators)
    if saved["start"] is not None:
        _check_states(saved["start"][1:], generators)
    position: Position = {name: saved[name] for name in names}  # type: ignore[assignment]
    return position


def _check_states(states: Sequence[Any], generators: Sequence[np.random.Generator]) -> None:
    saved = [state.get("bit_generator") for state in states]
    own = [generator.bit_generator.state["bit_generator"] for generator in generators]
    if saved != own:
        _refuse(
            f"the generators were {saved or 'none'}, here they are {own or 'none'}; give the "
            f"loader and its sampler a generator or seed exactly where they had one"
        )


def _refuse(reason: str) -> None:
    raise StateDictError(f"DataLoader.load_state_dict: nothing was loaded: {reason}")
