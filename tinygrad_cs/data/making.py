"""How a batch of an epoch is made, by whichever thread: from its number alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine.modes import manual_seed
from ..engine.types import Array
from .collate import read_batch, read_samples
from .dataset import ConcatDataset, Dataset, Subset, TensorDataset
from .samplers import Batches


@dataclass(slots=True)
class Epoch:
    """One pass of a loader over its data."""

    number: int
    start: list[Any]
    """States of the generators before anything was drawn."""
    batches: Sequence[Array] | Batches
    seed: int
    position: int
    """Batches that the caller has got."""
    over: bool = False

    def left(self) -> Iterator[Array]:
        """The positions of the samples of each batch that is left."""
        return map(self.batches.__getitem__, range(self.position, len(self.batches)))


class Maker:
    """Reads samples and makes batches of them.

    Attributes:
        plain: whether making a batch runs no code but this library's, so that nothing is drawn.
    """

    def __init__(
        self,
        dataset: Dataset,
        collate_fn: Callable[[list[Any]], Any] | None,
        transform: Callable[[Any], Any] | None,
    ) -> None:
        self.dataset, self.collate_fn, self.transform = dataset, collate_fn, transform
        self.plain = collate_fn is None and transform is None and _plain(dataset)

    def make(self, epoch: Epoch, number: int) -> Any:
        """The batch of this number; what is drawn for it depends on nothing else."""
        positions = epoch.batches[number]
        try:
            if self.plain:
                return read_batch(self.dataset, positions)
            manual_seed(epoch.seed + number)
            if self.collate_fn is None:
                batch = read_batch(self.dataset, positions)
            else:
                batch = self.collate_fn(read_samples(self.dataset, positions))
            return batch if self.transform is None else self.transform(batch)
        except Exception as error:
            some = ", ".join(map(str, positions[:8].tolist()))
            error.add_note(
                f"raised while DataLoader made batch {number} of an epoch, of the samples {some}"
                + (", ..." if len(positions) > 8 else "")
            )
            raise


def _plain(dataset: Any) -> bool:
    if isinstance(dataset, Subset):
        return type(dataset) is Subset and _plain(dataset.dataset)
    if isinstance(dataset, ConcatDataset):
        return type(dataset) is ConcatDataset and all(map(_plain, dataset.datasets))
    return type(dataset) is TensorDataset
