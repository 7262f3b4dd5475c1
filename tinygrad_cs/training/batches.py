"""Where batches come from: loaders, data sets or arrays; and where in an epoch one stands."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sized
from itertools import islice
from typing import Any

from ..data import DataLoader, Dataset, TensorDataset
from ..engine.errors import ArgumentError, StateDictError
from ..engine.modes import generator as library_generator
from ..engine.tensor import Tensor
from ..engine.types import np

Batch = tuple[Any, ...]

EVALUATION_BATCH = 256
"""Samples evaluated at a time where nobody says how many: few enough for the cache."""


def as_loader(where: str, data: Any, batch_size: int | None, shuffle: bool) -> Iterable[Batch]:
    """Something that gives the batches of one epoch each time it is iterated over.

    Args:
        where: who asks, for the messages.
        data: a `DataLoader` or another iterable of batches that can start again, a data set, or a
            tuple of arrays.
        batch_size: for data sets and arrays.
        shuffle: for data sets and arrays.
    """
    if isinstance(data, (tuple, list)):
        if len(data) < 2:
            raise ArgumentError(
                f"{where}: expected inputs and targets, (x, y), got {len(data)} arrays; a model "
                f"that reconstructs its input takes (x, x)"
            )
        data = TensorDataset(*data)
    if isinstance(data, (np.ndarray, Tensor)):
        raise ArgumentError(f"{where}: expected inputs and targets, (x, y), got one array")
    is_loader = isinstance(data, DataLoader) or not isinstance(data, Dataset)
    if not is_loader:
        if batch_size is None:
            raise ArgumentError(
                f"{where}: a data set or arrays need batch_size=..., such as batch_size=64; or "
                f"hand over a DataLoader"
            )
        return DataLoader(data, batch_size, shuffle=shuffle)
    if not isinstance(data, Iterable):
        raise ArgumentError(
            f"{where}: expected a DataLoader, a data set or arrays (x, y), got "
            f"{type(data).__name__}"
        )
    if isinstance(data, Iterator):
        raise ArgumentError(
            f"{where}: got a {type(data).__name__}, which is used up by one epoch; hand over the "
            f"DataLoader itself"
        )
    if isinstance(data, Sized) and not len(data):
        raise ArgumentError(f"{where}: there are no batches")
    return data


def as_validation(data: Any, batch_size: int | None) -> Iterable[Batch]:
    """A loader of validation data, in order; see `as_loader`."""
    return as_loader("fit", data, batch_size or EVALUATION_BATCH, shuffle=False)


def count_of(loader: Iterable[Batch]) -> int | None:
    """Batches in an epoch, if the loader knows."""
    return len(loader) if isinstance(loader, Sized) else None


def check_batch(batch: Any) -> None:
    """Raise `ArgumentError` for a batch that is not inputs and a target."""
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        shape = f" of {len(batch)}" if isinstance(batch, (tuple, list)) else ""
        raise ArgumentError(
            f"fit: expected batches of inputs and a target, (x, y), got {type(batch).__name__}"
            f"{shape}; DataLoader(..., transform=lambda batch: (batch['x'], batch['y'])) makes "
            f"them of anything"
        )


class Epochs:
    """The batches of one epoch after the other, and the position among them as a state.

    A loader with `state_dict` and `load_state_dict` keeps its position itself. For any other the
    generators are noted at the beginning of an epoch; to come back, its order is drawn again from
    them and the batches already seen are passed over.

    Attributes:
        seen: batches handed out in the present epoch.
    """

    def __init__(self, loader: Iterable[Batch]) -> None:
        self.loader = loader
        self._keeps_position = hasattr(loader, "state_dict") and hasattr(loader, "load_state_dict")
        self.seen = 0
        self._iterator: Iterator[Batch] | None = None
        self._start: dict[str, Any] | None = None

    def left(self) -> Iterator[Batch]:
        """The batches that are left of the present epoch; who takes them counts them in `seen`."""
        if self._iterator is None:
            if not self._keeps_position:
                self._start = self._generators()
            self._iterator = iter(self.loader)
        return self._iterator

    def end(self) -> None:
        """The epoch is over: the next batch is the first of another one."""
        self.seen, self._iterator, self._start = 0, None, None

    def state_dict(self) -> dict[str, Any]:
        """The position, for `load_state_dict`."""
        own = self.loader.state_dict() if self._keeps_position else None  # type: ignore[attr-defined]
        # between two epochs the order of the next one is not drawn yet
        start = self._generators() if self._start is None and own is None else self._start
        return {"seen": self.seen, "loader": own, "start": copy.deepcopy(start)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go to a position; the generator of the library must be set afterwards."""
        self.end()
        if self._keeps_position:
            self.loader.load_state_dict(state["loader"])  # type: ignore[attr-defined]
            self.seen = state["seen"]
            return
        self._set_generators(state["start"])
        if state["seen"]:
            for _ in islice(self.left(), state["seen"]):
                self.seen += 1
            if self.seen < state["seen"]:
                raise StateDictError(
                    f"Run.load_state_dict: the saved training had seen {state['seen']} batches of "
                    f"its epoch, but there are only {self.seen}; was it other data or another "
                    f"batch size?"
                )

    def _own_generator(self) -> Any:
        own = getattr(self.loader, "generator", None)
        return own if isinstance(own, np.random.Generator) else None

    def _generators(self) -> dict[str, Any]:
        own = self._own_generator()
        return {
            "library": library_generator().bit_generator.state,
            "own": None if own is None else own.bit_generator.state,
        }

    def _set_generators(self, state: Mapping[str, Any]) -> None:
        library_generator().bit_generator.state = state["library"]
        own = self._own_generator()
        if own is not None and state["own"] is not None:
            own.bit_generator.state = state["own"]
