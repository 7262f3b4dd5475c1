"""The way back from a loss that is not finite: the last state known to be good."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from ..engine.types import np
from ..optim import Optimizer
from .diagnosis import Diagnosis, diagnose
from .errors import NonFiniteLossError
from .step import NotFinite

if TYPE_CHECKING:
    from .loop import Loop

SNAPSHOT = 500
"""Steps between two states that are kept to come back to."""
REMEMBERED = 6
"""Losses that a diagnosis shows."""


class LastGood:
    """The state to come back to, and the losses of the steps before the present one.

    Attributes:
        losses: the last ones, oldest first.
        next: the step at which to look whether a newer state is good.
    """

    def __init__(self) -> None:
        self.losses: deque[float] = deque(maxlen=REMEMBERED)
        self.next = 0
        self._state: dict[str, Any] = {}

    def keep(self, run: Loop) -> None:
        """Come back to here."""
        self._state = run.core()
        self.next = run.steps + SNAPSHOT

    def keep_if_good(self, run: Loop) -> None:
        """Come back to here, unless the loss has just begun to explode."""
        before = self._state["run"]["loss"]
        if not run.loss > 10 * abs(before) + 1:
            check_weights(run.optimizer, run.loss)
            self.keep(run)

    def restored(self, run: Loop, found: NotFinite) -> NonFiniteLossError:
        """The error that explains what was found, with the run back in its last good state."""
        diagnosis = Diagnosis(found.what, run.place, found.loss, list(self.losses), run.lr)
        batch = found.batch or None
        diagnose(diagnosis, run.model, run.loss_function, run.optimizer, batch)
        place = run.place
        run.load_core(self._state)
        diagnosis.restored = (
            f"model, optimizer and position are back at epoch {run.epoch + 1} after {run.batch} "
            f"batches: error.run.train() goes on from there"
        )
        run.optimizer.zero_grad()
        run.history.stopped = f"the {found.what} became infinite or NaN in {place}"
        return NonFiniteLossError(diagnosis, run.history, run)


def check_weights(optimizer: Optimizer, loss: float) -> None:
    """Raise `NotFinite` for weights that became infinite or NaN."""
    trained = (parameter for group in optimizer.param_groups for parameter in group["params"])
    if not all(np.isfinite(parameter._data).all() for parameter in trained):
        raise NotFinite((), loss, "weights")
