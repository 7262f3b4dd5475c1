"""Save a training as it goes, so that a power cut costs minutes, not days."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..engine.errors import ArgumentError
from .callbacks import Callback

if TYPE_CHECKING:
    from ..saving import Checkpoints
    from .run import Run

__all__ = ["Checkpointing"]

LONGEST = 10_000
"""Characters of a model's description that a file holds."""


class Checkpointing(Callback):
    """Save the whole state of the run in a folder; `fit(..., resume=folder)` goes on from it.

    Saved are `run.state_dict()`s, at the ends of epochs, after so many updates, and after Ctrl-C;
    a continued training gives the same numbers as one that never stopped, bit for bit. What
    `saving.inspect` says of a file: the step, the score, the model and the optimizer.

    Args:
        folder: made if it does not exist; one for each training.
        every_epochs: save after every so many epochs (default 1); None: not at ends of epochs.
        every_batches: save after every so many updates as well (default None: not).
        keep_last: how many of the newest states stay (default 2).
        keep_best: how many of those with the best monitored values stay besides (default 1).

    Example:
        >>> import tempfile, tinygrad_cs as tg
        >>> folder = tempfile.TemporaryDirectory()
        >>> x, y = tg.data.two_spirals(64)
        >>> net = tg.nn.Linear(2, 2)
        >>> def train(epochs):
        ...     return tg.training.fit(
        ...         net, (x, y), batch_size=16, loss=tg.nn.CrossEntropyLoss(), epochs=epochs,
        ...         optimizer=tg.optim.SGD(net.parameters(), lr=0.1), progress=False,
        ...         callbacks=tg.training.Checkpointing(folder.name), resume=folder.name,
        ...     )
        >>> len(train(2)), len(train(3))
        (2, 3)
        >>> folder.cleanup()
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        every_epochs: int | None = 1,
        every_batches: int | None = None,
        keep_last: int = 2,
        keep_best: int = 1,
    ) -> None:
        for name, value in (("every_epochs", every_epochs), ("every_batches", every_batches)):
            if value is not None and (type(value) is not int or value < 1):
                raise ArgumentError(
                    f"Checkpointing: {name} must be a whole number of 1 or more, or None, got "
                    f"{value!r}"
                )
        if every_epochs is None and every_batches is None:
            raise ArgumentError("Checkpointing: give every_epochs or every_batches")
        from ..saving import Checkpoints  # only who saves waits for it

        self.every_epochs = every_epochs
        self.every_batches = every_batches
        self.checkpoints: Checkpoints = Checkpoints(folder, keep_last, keep_best)
        self._said: dict[str, str] = {}

    def on_train_begin(self, run: Run) -> None:
        """Learn which direction is good, and what the files shall say of themselves."""
        self.checkpoints.mode = "max" if run.best.higher else "min"
        self._said = {
            "model": repr(run.model)[:LONGEST],
            "optimizer": type(run.optimizer).__name__,
            "monitor": run.best.monitor,
        }

    def on_batch_end(self, run: Run) -> None:
        """Save if it is time."""
        if self.every_batches is not None and run.steps % self.every_batches == 0:
            self._save(run)

    def on_epoch_end(self, run: Run) -> None:
        """Save if it is time, with the monitored value as score."""
        if self.every_epochs is not None and run.epoch % self.every_epochs == 0:
            score = run.history.rows[-1][run.best.monitor]
            self._save(run, score)

    def on_train_end(self, run: Run) -> None:
        """After Ctrl-C, save where it stopped."""
        if run.interrupted and run.steps not in self.checkpoints.steps():
            self._save(run)

    def _save(self, run: Run, score: float | None = None) -> None:
        self.checkpoints.save(run.state_dict(), run.steps, score, self._said)


def resume(run: Run, folder: str | os.PathLike[str]) -> bool:
    """Put a run where the newest state in `folder` was; returns False if there is none."""
    from ..saving import Checkpoints

    if not os.path.isdir(folder):
        return False
    newest = Checkpoints(folder).latest()
    if newest is not None:
        run.load_state_dict(newest.state)
    return newest is not None
