"""What may look on and take part: objects with a method per event, or plain functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..engine.errors import ArgumentError

if TYPE_CHECKING:
    from .run import Run

__all__ = ["Callback"]

EVENTS = ("on_train_begin", "on_epoch_begin", "on_batch_end", "on_epoch_end", "on_train_end")


class Callback:
    """Base of callbacks: override what you need; each method receives the `Run`.

    The run shows where it is (`run.epoch`, `run.batch`, `run.loss`, `run.lr`, `run.history`), and
    `run.stop("why")` ends it after this batch. A plain function instead of a callback is called at
    the end of each epoch. An exception in a callback ends the training and comes out of `fit`.

    Example:
        >>> import tinygrad_cs as tg
        >>> class StopWhenGood(tg.training.Callback):
        ...     def on_epoch_end(self, run):
        ...         if run.history["loss"][-1] < 0.1:
        ...             run.stop("the loss is below 0.1")
    """

    def on_train_begin(self, run: Run) -> None:
        """Before the first batch, and before the first one after a resumption."""

    def on_epoch_begin(self, run: Run) -> None:
        """Before the first batch of an epoch."""

    def on_batch_end(self, run: Run) -> None:
        """After every step of the optimizer."""

    def on_epoch_end(self, run: Run) -> None:
        """After validation; the epoch's row is the last one of `run.history`."""

    def on_train_end(self, run: Run) -> None:
        """At the end, whatever the reason (`run.history.stopped`); the final weights are in place.

        Not after an exception.
        """

    def state_dict(self) -> dict[str, Any]:
        """What must survive a resumption; by default nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave."""


class _AtEpochEnd(Callback):
    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def on_epoch_end(self, run: Run) -> None:
        self.function(run)


def as_callbacks(where: str, callbacks: Any) -> list[Callback]:
    """A list of callbacks from a callback, a function, or several."""
    entries: Sequence[Any] = (
        callbacks if isinstance(callbacks, Sequence) else [callbacks] if callbacks else []
    )
    return [_as_callback(where, entry) for entry in entries]


def _as_callback(where: str, entry: Any) -> Callback:
    if isinstance(entry, Callback):
        return entry
    if isinstance(entry, type):
        raise ArgumentError(
            f"{where}: expected a callback, got the class {entry.__name__}; write "
            f"{entry.__name__}()"
        )
    if any(hasattr(entry, event) for event in EVENTS):
        raise ArgumentError(
            f"{where}: {type(entry).__name__} has methods of a callback but is none; derive it "
            f"from training.Callback"
        )
    if callable(entry):
        return _AtEpochEnd(entry)
    raise ArgumentError(
        f"{where}: expected callbacks or functions of the run, got {type(entry).__name__}"
    )


def listeners(callbacks: Sequence[Callback], event: str) -> list[Callable[[Any], None]]:
    """The methods that really do something at this event: calling none costs nothing."""
    return [
        getattr(callback, event)
        for callback in callbacks
        if getattr(type(callback), event) is not getattr(Callback, event)
    ]
