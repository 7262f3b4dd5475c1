"""Mini-batches: the samples of an epoch in order, at random or by a sampler, read in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import copy_context
from functools import partial
from typing import Any

import numpy as np

from ..engine.modes import generator as library_generator
from ..engine.types import Array
from .checks import optional_generator, or_library, positive_integer, whole_numbers
from .collate import read_batch
from .dataset import Dataset
from .loader_arguments import check_dataset, check_order, check_timeout
from .making import Epoch, Maker
from .position import Position, check_position, drawn_from, states_of
from .prefetch import prefetched
from .samplers import Batches, RandomSampler, SequentialSampler, batch_count, order_of


class DataLoader:
    """Iterate over a data set in batches; each `for` loop over the loader is one epoch.

    A batch has the structure of a sample: tuples, dicts, arrays with the batch as a new first
    axis (see `default_collate`); of a `TensorDataset` it is a tuple of arrays, copied from the
    data with one gathering each. The last batch is shorter where the batch size does not divide
    the number of samples. `len(loader)` is the number of batches an epoch.

    The order is drawn at the start of an epoch, from `generator`. Where samples are read one by
    one, collated or transformed by functions of one's own, the library's generator
    (`tinygrad_cs.engine.modes.generator()`, that of `tg.manual_seed`) is seeded anew for every
    batch meanwhile: what such code draws from it depends on the seed of the epoch and the number
    of the batch, not on threads. So equal seeds give equal batches with any `num_workers`.

    Workers are threads. They help where NumPy or the operating system does the work (files,
    decoding images, large arrays); pure Python code runs in one of them at a time.

    Args:
        dataset: a `TensorDataset`, or anything with `__len__` and `__getitem__` (`Dataset`).
        batch_size: samples a batch (1).
        shuffle: draw a new random order every epoch (False: the order of the data set).
        sampler: positions in an order of one's own, anything iterable; instead of `shuffle`.
        batch_sampler: lists of positions, one a batch; instead of `batch_size`, `shuffle`,
            `sampler` and `drop_last`.
        drop_last: leave out a last batch that is shorter.
        collate_fn: makes a batch of a list of samples, instead of `default_collate`.
        transform: called with every batch; what it returns is the batch.
        num_workers: threads that read batches ahead (0: read when asked for, without threads).
        prefetch_factor: batches that each worker may be ahead (2); this bounds the memory.
        timeout: seconds to wait for a batch of the workers (None or 0: forever).
        generator: a NumPy generator; an integer seed (a new loader with this seed repeats the same
            epochs); by default the generator that `tg.manual_seed` seeds.

    Raises `ArgumentError` for an empty data set, a bare array or list instead of a data set,
    arguments outside their range or against each other, and where `drop_last` would leave no batch
    at all. In an epoch, an error in reading a sample is raised where the batch is due, with notes
    saying which sample and batch, and `LoaderTimeoutError` after `timeout` seconds.

    Example:
        >>> import numpy as np
        >>> import tinygrad_cs as tg
        >>> dataset = tg.data.TensorDataset(np.arange(5), np.arange(5) ** 2)
        >>> for x, y in tg.data.DataLoader(dataset, batch_size=2):
        ...     print(x, y)
        [0 1] [0 1]
        [2 3] [4 9]
        [4] [16]
        >>> loader = tg.data.DataLoader(dataset, batch_size=5, shuffle=True, generator=0)
        >>> first, second = ([x.tolist() for x, y in loader] for epoch in range(2))
        >>> first == second, sorted(first[0]) == sorted(second[0])
        (False, True)
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[Sequence[int]] | None = None,
        drop_last: bool = False,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        transform: Callable[[Any], Any] | None = None,
        num_workers: int = 0,
        prefetch_factor: int = 2,
        timeout: float | None = None,
        generator: np.random.Generator | int | None = None,
    ) -> None:
        where = "DataLoader"
        self.dataset = check_dataset(dataset)
        self.batch_size = positive_integer(where, "batch_size", batch_size)
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.collate_fn = collate_fn
        self.transform = transform
        self.num_workers = positive_integer(where, "num_workers", num_workers, least=0)
        self.prefetch_factor = positive_integer(where, "prefetch_factor", prefetch_factor)
        self.timeout = check_timeout(timeout, self.num_workers)
        self.generator = optional_generator(where, generator)
        check_order(self, sampler is not None, batch_sampler is not None)
        if sampler is None:
            sampler = RandomSampler(dataset) if shuffle else SequentialSampler(dataset)
            # Set afterwards: one generator for the loader and its sampler, also without a seed.
            sampler.generator = self.generator
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self._begun = 0
        self._epoch: Epoch | None = None
        self._loaded: Position | None = None

    def __len__(self) -> int:
        if self.batch_sampler is not None:
            return len(self.batch_sampler)  # type: ignore[arg-type]
        return batch_count(len(self.sampler), self.batch_size, self.drop_last)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        epoch = self._epoch = self._begin()
        for batch in self._batches(epoch):
            epoch.position += 1
            yield batch
        epoch.over = True

    def _begin(self) -> Epoch:
        self._maker = Maker(self.dataset, self.collate_fn, self.transform)
        loaded, self._loaded = self._loaded, None
        generators = self._generators()
        if loaded is not None and loaded["start"] is not None:
            start, position = loaded["start"], loaded["position"]
            with drawn_from(generators, start):
                batches, seed = self._draw()
        else:
            start, position = states_of(generators), 0
            batches, seed = self._draw()
        number, self._begun = self._begun, self._begun + 1
        return Epoch(number, start, batches, seed, position)

    def _draw(self) -> tuple[Sequence[Array] | Batches, int]:
        """The batches of an epoch as positions, and the seed of what is drawn to make them."""
        batches: Sequence[Array] | Batches
        if self.batch_sampler is None:
            batches = Batches(order_of(self.sampler), self.batch_size, self.drop_last)
        else:
            batches = [
                whole_numbers("DataLoader", "a batch of batch_sampler", list(batch))
                for batch in self.batch_sampler
            ]
        seed = 0 if self._maker.plain else int(or_library(self.generator).integers(2**63))
        return batches, seed

    def _batches(self, epoch: Epoch) -> Iterator[Any]:
        if self._maker.plain and not self.num_workers:
            return map(partial(read_batch, self.dataset), epoch.left())
        work = partial(self._maker.make, epoch)
        numbers = range(epoch.position, len(epoch.batches))
        if self.num_workers:
            ahead = self.num_workers * self.prefetch_factor
            return prefetched(numbers, work, self.num_workers, ahead, self.timeout)
        # A context of its own keeps the seed of a batch from the caller.
        return (copy_context().run(work, number) for number in numbers)

    def _generators(self) -> list[np.random.Generator]:
        """The library's generator first, then those of the loader and its samplers."""
        nested = getattr(self.batch_sampler, "sampler", None)
        holders = (self, self.sampler, self.batch_sampler, nested)
        own = [getattr(holder, "generator", None) for holder in holders]
        found = {id(g): g for g in own if isinstance(g, np.random.Generator)}
        return [library_generator(), *found.values()]

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands, for `load_state_dict` of a loader made in the same way.

        In an epoch, also in the body of its loop: the batches that the loop has not got yet are
        those that remain. Batches read ahead by workers count as not got. The library's generator
        is not part of it: whoever saves a run saves that too.

        Example:
            >>> import tinygrad_cs as tg
            >>> def make():
            ...     dataset = tg.data.TensorDataset(range(6))
            ...     return tg.data.DataLoader(dataset, 2, shuffle=True, generator=0)
            >>> loader, again = make(), make()
            >>> batches = iter(loader)
            >>> _ = next(batches)
            >>> again.load_state_dict(loader.state_dict())
            >>> [x.tolist() for x, in again] == [x.tolist() for x, in batches]
            True
        """
        if self._loaded is not None:
            return dict(self._loaded)
        epoch = self._epoch
        under_way = epoch is not None and not epoch.over
        state = Position(
            epoch=epoch.number if under_way and epoch else self._begun,
            position=epoch.position if under_way and epoch else 0,
            samples=len(self.dataset),
            batch_size=None if self.batch_sampler is not None else self.batch_size,
            start=epoch.start if under_way and epoch else None,
            now=states_of(self._generators()[1:]),
        )
        return dict(state)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was called: the next `for` loop gets the remaining batches.

        If no batch of that epoch remains, the next loop ends at once, and the one after it begins
        a new epoch; of a state between two epochs, the next loop is a new epoch.

        Raises `StateDictError`, and changes nothing, if entries are missing, the data set has
        another length, the batches another size, or the generators are of another kind or number.
        """
        generators = self._generators()[1:]
        size = None if self.batch_sampler is not None else self.batch_size
        state = check_position(state_dict, len(self.dataset), size, generators)
        for generator, saved in zip(generators, state["now"], strict=True):
            generator.bit_generator.state = saved
        self._begun, self._epoch = state["epoch"], None
        self._loaded = state

    def __repr__(self) -> str:
        return (
            f"DataLoader({self.dataset!r}, batch_size={self.batch_size}, "
            f"shuffle={self.shuffle}, drop_last={self.drop_last})"
        )
