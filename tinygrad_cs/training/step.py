"""One step of training: forward, loss, backward, clipping, update."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from ..engine.errors import NonFiniteError, ShapeError
from ..nn.module import Module
from ..nn.utils import clip_grad_norm_, clip_grad_value_
from ..optim import LBFGS, Optimizer
from .batches import Batch, Epochs, check_batch

isfinite = math.isfinite


class NotFinite(Exception):
    """Inside this package: a step met an infinite or NaN loss or gradient and updated nothing."""

    def __init__(self, batch: Batch, loss: float, what: str) -> None:
        super().__init__(what)
        self.batch = batch
        self.loss = loss
        self.what = what


class Step:
    """Learns: `step(batches)` from one batch after the other, `accumulated` from several at once.

    The gradients stay in `.grad` after the step, until the next one has a finite loss: there is
    something to look at when it has not.

    Args:
        model, loss, optimizer, clip_norm, clip_value: as for `fit`.
        seen: called with each prediction and its target, before the update; nobody else keeps
            predictions, so that their memory is free for the next ones.

    Attributes:
        norm: the norm of the gradient before clipping, if it is clipped by the norm.
    """

    def __init__(
        self,
        model: Module,
        loss: Callable[..., Any],
        optimizer: Optimizer,
        seen: Callable[[Any, Any], None] | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.seen = seen
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.clips = clip_norm is not None or clip_value is not None
        self.norm = 0.0
        self.averages = getattr(loss, "reduction", "mean") != "sum"
        """Is the loss of a batch the mean over its samples (and not their sum)?"""
        self.searches = isinstance(optimizer, LBFGS)
        self._named = list(model.named_parameters()) if self.clips else []

    def __call__(self, batches: Epochs) -> Iterator[tuple[float, int]]:
        """Learn from each batch that is left; gives its loss before the update, and its samples."""
        if self.searches:
            yield from self.grouped(batches, 1)
            return
        # one frame for the whole step: on small nets every further one is seen in the time
        model, loss_function, optimizer, seen = self.model, self.loss, self.optimizer, self.seen
        for batch in batches.left():
            batches.seen += 1
            if batches.seen == 1:
                check_batch(batch)
            prediction = model(*batch[:-1])
            loss = loss_function(prediction, batch[-1])
            value = loss.item()
            if not isfinite(value):
                raise NotFinite(batch, value, "loss")
            if seen:
                seen(prediction, batch[-1])
            optimizer.zero_grad()
            loss.backward()
            if self.clips:
                self._clip(batch, value)
            optimizer.step()
            prediction = loss = None
            yield value, len(batch[-1])

    def grouped(self, batches: Epochs, size: int) -> Iterator[tuple[float, int]]:
        """Learn from so many batches at a time; gives their loss, and how many samples they are."""
        left = batches.left()
        while group := list(islice(left, size)):
            if not batches.seen:
                check_batch(group[0])
            batches.seen += len(group)
            yield self.accumulated(group), sum(len(batch[-1]) for batch in group)

    def accumulated(self, batches: Sequence[Batch]) -> float:
        """One update from several batches: each mean counts as much as its batch has samples."""
        if self.searches:
            return self._search(batches)
        loss = self._backward(batches)
        if self.clips:
            self._clip(batches[-1], loss)
        self.optimizer.step()
        return loss

    def shares(self, batches: Sequence[Batch]) -> list[float]:
        """What the loss of each batch counts in that of all together."""
        if not self.averages or len(batches) == 1:
            return [1.0] * len(batches)
        sizes = [len(batch[-1]) for batch in batches]
        return [size / sum(sizes) for size in sizes]

    def _backward(self, batches: Sequence[Batch], first: bool = True) -> float:
        """Set all gradients; returns the loss of the batches taken together.

        Only the first evaluation of a step has to be finite, and is shown.
        """
        sum_of_losses = 0.0
        for i, (batch, share) in enumerate(zip(batches, self.shares(batches), strict=True)):
            *inputs, target = batch
            prediction = self.model(*inputs)
            loss = self.loss(prediction, target)
            value = number(loss)
            if first and not isfinite(value):
                raise NotFinite(batch, value, "loss")
            if first and self.seen:
                self.seen(prediction, target)
            sum_of_losses += share * value
            if not i:
                self.optimizer.zero_grad()
            (loss if share == 1 else loss * share).backward()
        return sum_of_losses

    def _search(self, batches: Sequence[Batch]) -> float:
        """For an optimizer that evaluates the loss several times in a step."""
        losses: list[float] = []

        def closure() -> float:
            # a line search may try points where the loss is infinite
            losses.append(self._backward(batches, first=not losses))
            if self.clips:
                self._clip(batches[-1], losses[-1])
            return losses[-1]

        self.optimizer.step(closure)
        return losses[0]

    def _clip(self, batch: Batch, loss: float) -> None:
        if self.clip_value is not None:
            clip_grad_value_(self._named, self.clip_value)
        if self.clip_norm is not None:
            try:
                self.norm = clip_grad_norm_(self._named, self.clip_norm)
            except NonFiniteError as error:
                raise NotFinite(batch, loss, "gradient") from error


def number(loss: Any) -> float:
    """The value of a loss; raises `ShapeError` unless it is a single number."""
    value: float = single(loss).item()
    return value


def single(loss: Any) -> Any:
    """The loss, if it is a single number; else raises `ShapeError`."""
    if loss.ndim:
        raise ShapeError(
            f"fit: the loss must be one number to have a gradient, got shape {loss.shape}; write "
            f"reduction='mean', or loss.mean()"
        )
    return loss
