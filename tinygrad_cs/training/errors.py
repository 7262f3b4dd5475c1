"""What training raises beside the engine's errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.errors import NonFiniteError, TinygradError

if TYPE_CHECKING:
    from .diagnosis import Diagnosis
    from .history import History
    from .loop import Loop

__all__ = ["HistoryFileError", "NonFiniteLossError"]


class NonFiniteLossError(NonFiniteError):
    """The loss, its gradient or the weights became infinite or NaN, and training stopped.

    The model, the optimizer and everything else stand again where the last good snapshot was taken,
    so `error.run.train()` goes on from there, for example with a smaller learning rate.

    Attributes:
        diagnosis: which batch, which layer, which gradient; the message is its text.
        history: the epochs until then.
        run: the training itself.
    """

    def __init__(self, diagnosis: Diagnosis, history: History, run: Loop) -> None:
        super().__init__(str(diagnosis))
        self.diagnosis = diagnosis
        self.history = history
        self.run = run


class HistoryFileError(TinygradError, ValueError):
    """A file that is no history in JSON lines; the message names file, line, offset and reason."""
