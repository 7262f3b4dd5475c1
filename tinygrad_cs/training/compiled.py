"""The step of training as one compiled program: `fit(..., compile=True)`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from ..compiler import compile as compiled
from ..engine.errors import ArgumentError, CompileError
from ..engine.types import np
from .batches import Batch, Epochs
from .step import NotFinite, Step, single

MANY = 16
"""So many programs are more than tracing them is worth."""


class CompiledStep(Step):
    """A `Step` that runs as a program of NumPy: the same numbers, less time between them.

    Forward, loss, backward, clipping and update are traced when a batch of a new form arrives:
    twice for the first form (there are no gradients yet), once for a last batch that is shorter.
    Where a loss is not finite the program stops before it changes a weight, and the plain step
    says what is wrong. Where nearly every batch needs a program of its own, the step goes on
    plainly, with a warning.

    Attributes:
        program: what `tg.compile` made; its `source` is the step for reading.
    """

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        if self.searches:
            raise ArgumentError(
                "fit: compile=True cannot compile a step of LBFGS, which searches: what it "
                "computes depends on the losses it finds; leave compile out"
            )

        def step(batches: tuple[Batch, ...]) -> Any:
            return self._whole_step(batches)

        self.program = compiled(step)
        self._told = False

    def __call__(self, batches: Epochs) -> Iterator[tuple[float, int]]:
        """Learn from each batch that is left; gives its loss before the update, and its samples."""
        return self.grouped(batches, 1)

    def accumulated(self, batches: Sequence[Batch]) -> float:
        """One update from several batches: each mean counts as much as its batch has samples."""
        if self.program._count > MANY:
            self._give_up()
            return super().accumulated(batches)
        try:
            losses, predictions, self.norm = self.program(tuple(map(tuple, batches)))
        except NotFinite as found:
            if type(found.loss) is float:
                raise
            # of a first batch, met while it was traced, which leaves no mark
            return super().accumulated(batches)
        except CompileError as error:
            error.add_note("fit: compile=True compiles the model, the loss and the update; change "
                           "what the message names, or leave compile out")  # fmt: skip
            raise
        if self.seen:
            for batch, prediction in zip(batches, predictions, strict=True):
                self.seen(prediction, batch[-1])
        shares = self.shares(batches)
        return sum(share * float(loss.item()) for share, loss in zip(shares, losses, strict=True))

    def _give_up(self) -> None:
        if not self._told:
            self._told = True
            warnings.warn(
                f"fit: compile=True has traced {self.program._count} programs, because batches of "
                f"ever other shapes come, or because the optimizer changes with every step "
                f"(NAdam); it goes on without compiling",
                stacklevel=2,
            )

    def _whole_step(self, batches: tuple[Batch, ...]) -> tuple[Any, Any, Any]:
        losses, predictions = [], []
        for i, (batch, share) in enumerate(zip(batches, self.shares(batches), strict=True)):
            prediction = self.model(*batch[:-1])
            loss = single(self.loss(prediction, batch[-1]))
            if not np.isfinite(loss._data):
                raise NotFinite(batch, loss.item(), "loss")
            if not i:
                self.optimizer.zero_grad()
            (loss if share == 1 else loss * share).backward()
            losses.append(loss)
            predictions.append(prediction)
        if self.clips:
            self._clip(batches[-1], loss.item())
        self.optimizer.step()
        return tuple(losses), tuple(predictions), self.norm
