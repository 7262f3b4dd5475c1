"""What all metrics share: sums over batches, and one value at the end."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ...engine.errors import ArgumentError, GraphError, StateDictError

__all__ = ["Metric"]


class Metric:
    """Base of the metrics: `update` with every batch, `compute` at the end, `reset` to start again.

    A metric keeps sums and counts, never averages of averages, so its value over batches of any
    sizes is that over all samples at once. A subclass names what it sums up (`reset`), how a batch
    adds to it (`add`) and what follows from it (`value`).

    Attributes:
        name: the column in a history.
        higher_is_better: whether early stopping waits for a rise or a fall.
        samples: how many samples were counted.

    Example:
        >>> import numpy as np
        >>> import tinygrad_cs as tg
        >>> class Bias(tg.training.Metric):
        ...     name = "bias"
        ...     def reset(self):
        ...         self.total, self.samples = 0.0, 0
        ...         return self
        ...     def add(self, prediction, target):
        ...         self.total += float((prediction - target).sum())
        ...         self.samples += len(target)
        ...     def value(self):
        ...         return self.total / self.samples
        >>> Bias().update(np.array([1.0, 2.0]), np.array([0.0, 0.0])).compute()
        1.5
    """

    name: str = "metric"
    higher_is_better: bool = True
    samples: int
    _arguments: ClassVar[tuple[str, ...]] = ("name", "higher_is_better")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> Self:
        """Forget all batches; returns the metric."""
        raise ArgumentError(f"{type(self).__name__} does not define reset(self)")

    def add(self, prediction: Any, target: Any) -> None:
        """Count one batch, given as NumPy arrays; subclasses define it."""
        raise ArgumentError(f"{type(self).__name__} does not define add(self, prediction, target)")

    def value(self) -> Any:
        """The metric over everything added; subclasses define it."""
        raise ArgumentError(f"{type(self).__name__} does not define value(self)")

    def update(self, prediction: Any, target: Any) -> Self:
        """Count one batch: tensors (their data) or arrays; returns the metric."""
        self.add(getattr(prediction, "_data", prediction), getattr(target, "_data", target))
        return self

    def compute(self) -> Any:
        """The metric over all samples so far: a number, or an array for values per class.

        Raises `GraphError` before the first sample.
        """
        if not self.samples:
            raise GraphError(
                f"{type(self).__name__}.compute: no sample was counted yet; call "
                f"update(prediction, target) first"
            )
        return self.value()

    def state_dict(self) -> dict[str, Any]:
        """A copy of all sums, for `load_state_dict`."""
        return {name: copy.deepcopy(vars(self)[name]) for name in self._sums()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the sums of a metric of the same kind.

        Raises `StateDictError` where names differ; then nothing was loaded.
        """
        if set(state) != set(self._sums()):
            raise StateDictError(
                f"{type(self).__name__}.load_state_dict: nothing was loaded: expected the entries "
                f"{sorted(self._sums())}, got {sorted(state)}"
            )
        vars(self).update(copy.deepcopy(dict(state)))

    def _sums(self) -> list[str]:
        return [name for name in vars(self) if name not in self._arguments]

    def __repr__(self) -> str:
        value = self.compute() if self.samples else "no samples yet"
        return f"{type(self).__name__}()  # {self.name}: {value}"
