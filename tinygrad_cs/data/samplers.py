"""In which order the samples of an epoch are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import Any

import numpy as np

from ..engine.errors import ArgumentError
from ..engine.types import Array
from .checks import (
    as_array,
    length_of,
    optional_generator,
    or_library,
    positive_integer,
    whole_numbers,
)

Seed = np.random.Generator | int | None


class Sampler:
    """Base of the samplers: positions of samples, drawn anew for every epoch.

    A sampler of one's own defines `__len__`, and `order`, which gives the positions of an epoch as
    an int64 array, or `__iter__`, which yields them one by one. One that draws at random keeps its
    generator as `.generator`, so that a loader can save and restore it.

    Example:
        >>> import numpy as np
        >>> import tinygrad_cs as tg
        >>> class Backwards(tg.data.Sampler):
        ...     def __init__(self, samples):
        ...         self.samples = samples
        ...     def __len__(self):
        ...         return self.samples
        ...     def order(self):
        ...         return np.arange(self.samples)[::-1]
        >>> dataset = tg.data.TensorDataset([1, 2, 3])
        >>> [x.tolist() for x, in tg.data.DataLoader(dataset, 2, sampler=Backwards(3))]
        [[3, 2], [1]]
    """

    generator: np.random.Generator | None = None

    def order(self) -> Array:
        """The positions of one epoch, int64 of shape (len(self),)."""
        if type(self).__iter__ is Sampler.__iter__:
            raise ArgumentError(f"{type(self).__name__}: expected order() or __iter__() defined")
        return whole_numbers(type(self).__name__, "the positions", list(self))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.order().tolist())


class SequentialSampler(Sampler):
    """All samples in their order.

    Args:
        data_source: a data set, or the number of samples.

    Example:
        >>> import tinygrad_cs as tg
        >>> list(tg.data.SequentialSampler(3))
        [0, 1, 2]
    """

    def __init__(self, data_source: Sized | int) -> None:
        length_of("SequentialSampler", data_source)
        self.data_source = data_source

    def __len__(self) -> int:
        return length_of("SequentialSampler", self.data_source)

    def order(self) -> Array:
        """0, 1, 2, ..."""
        return np.arange(len(self))


class RandomSampler(Sampler):
    """The samples in a random order.

    Args:
        data_source: a data set, or the number of samples.
        replacement: draw each position anew, so that some come twice and others not at all;
            without (default), every sample comes once before any comes again.
        num_samples: positions an epoch; by default as many as there are samples.
        generator: a NumPy generator, an integer seed, or by default what `tg.manual_seed` seeds.

    Example:
        >>> import tinygrad_cs as tg
        >>> sampler = tg.data.RandomSampler(5, generator=0)
        >>> first, second = list(sampler), list(sampler)
        >>> sorted(first), first == second
        ([0, 1, 2, 3, 4], False)
    """

    def __init__(
        self,
        data_source: Sized | int,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Seed = None,
    ) -> None:
        where = "RandomSampler"
        length_of(where, data_source)
        if num_samples is not None:
            num_samples = positive_integer(where, "num_samples", num_samples)
        self.data_source = data_source
        self.replacement = replacement
        self.num_samples = num_samples
        self.generator = optional_generator(where, generator)

    def __len__(self) -> int:
        return self.num_samples or length_of("RandomSampler", self.data_source)

    def order(self) -> Array:
        """A permutation, several of them where more positions are asked for, or draws."""
        samples, count = length_of("RandomSampler", self.data_source), len(self)
        generator = or_library(self.generator)
        if self.replacement:
            return generator.integers(samples, size=count)
        rounds = [generator.permutation(samples) for _ in range(-(-count // samples))]
        return rounds[0][:count] if len(rounds) == 1 else np.concatenate(rounds)[:count]


class SubsetRandomSampler(Sampler):
    """Some positions, in a random order.

    Args:
        indices: the positions, integers of shape (k,).
        generator: a NumPy generator, an integer seed, or by default what `tg.manual_seed` seeds.

    Example:
        >>> import tinygrad_cs as tg
        >>> sorted(tg.data.SubsetRandomSampler([7, 3, 5], generator=0))
        [3, 5, 7]
    """

    def __init__(self, indices: Any, generator: Seed = None) -> None:
        self.indices = whole_numbers("SubsetRandomSampler", "indices", indices)
        length_of("SubsetRandomSampler", self.indices)
        self.generator = optional_generator("SubsetRandomSampler", generator)

    def __len__(self) -> int:
        return len(self.indices)

    def order(self) -> Array:
        """The positions, permuted."""
        return or_library(self.generator).permutation(self.indices)


class WeightedRandomSampler(Sampler):
    """Positions drawn with probabilities in proportion to weights, one weight a sample.

    Against classes of unequal size: `weights = 1 / np.bincount(labels)[labels]` shows every class
    equally often. The net then believes them equally likely; where they are not, its
    probabilities are off, though its ranking may be better.

    Args:
        weights: numbers >= 0 of shape (n,), in any unit; 0 is never drawn.
        num_samples: positions an epoch.
        replacement: draw each position anew (default); without, none comes twice.
        generator: a NumPy generator, an integer seed, or by default what `tg.manual_seed` seeds.

    Raises `ArgumentError` for weights that are negative, infinite, NaN or all 0, and, without
    replacement, for more positions than there are positive weights.

    Example:
        >>> import tinygrad_cs as tg
        >>> sampler = tg.data.WeightedRandomSampler([0, 1, 3], 1000, generator=0)
        >>> draws = list(sampler)
        >>> [draws.count(k) for k in range(3)]
        [0, 231, 769]
    """

    def __init__(
        self, weights: Any, num_samples: int, replacement: bool = True, generator: Seed = None
    ) -> None:
        where = "WeightedRandomSampler"
        self.weights = as_array(where, weights).astype(np.float64)
        self.num_samples = positive_integer(where, "num_samples", num_samples)
        self.replacement = replacement
        self.generator = optional_generator(where, generator)
        if self.weights.ndim != 1 or not len(self.weights):
            raise ArgumentError(
                f"{where}: expected one weight a sample, shape (n,), got {self.weights.shape}"
            )
        wrong = np.flatnonzero(~((self.weights >= 0) & (self.weights < np.inf)))
        if len(wrong):
            raise ArgumentError(
                f"{where}: expected finite weights >= 0, got {self.weights[wrong[0]]} for sample "
                f"{wrong[0]}"
            )
        positive = np.count_nonzero(self.weights)
        if positive == 0:
            raise ArgumentError(f"{where}: expected a weight above 0, got zeros alone")
        if not replacement and self.num_samples > positive:
            raise ArgumentError(
                f"{where}: cannot draw {self.num_samples} different samples out of {positive} "
                f"with weights above 0; write replacement=True or fewer num_samples"
            )

    def __len__(self) -> int:
        return self.num_samples

    def order(self) -> Array:
        """The draws; without replacement in the order of exponential waiting times.

        With rates as weights, who comes first is drawn in proportion to the weights, and so on
        among the rest (Efraimidis and Spirakis, 2006).
        """
        generator = or_library(self.generator)
        if self.replacement:
            ends = np.cumsum(self.weights / self.weights.max())
            # side="right" passes over weights of 0, and a last one behind the end cannot be hit.
            points = generator.random(self.num_samples) * ends[-1]
            last = np.flatnonzero(self.weights)[-1]
            drawn: Array = np.minimum(np.searchsorted(ends, points, side="right"), last)
            return drawn
        waits = generator.standard_exponential(len(self.weights))
        with np.errstate(divide="ignore"):
            waits /= self.weights / self.weights.max()
        return np.argsort(waits, kind="stable")[: self.num_samples]


class BatchSampler:
    """The positions of another sampler, gathered in lists of `batch_size`.

    Args:
        sampler: a `Sampler` or anything that yields positions.
        batch_size: positions a list.
        drop_last: leave out a last list that is shorter.

    Example:
        >>> import tinygrad_cs as tg
        >>> list(tg.data.BatchSampler(range(5), batch_size=2, drop_last=False))
        [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        self.sampler = sampler
        self.batch_size = positive_integer("BatchSampler", "batch_size", batch_size)
        self.drop_last = drop_last

    def __len__(self) -> int:
        return batch_count(len(self.sampler), self.batch_size, self.drop_last)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[list[int]]:
        batches = Batches(order_of(self.sampler), self.batch_size, self.drop_last)
        return (batches[number].tolist() for number in range(len(batches)))


class Batches:
    """An order cut in pieces, none of them made before it is asked for."""

    def __init__(self, order: Array, batch_size: int, drop_last: bool) -> None:
        self._order, self._size = order, batch_size
        self._count = batch_count(len(order), batch_size, drop_last)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Array:
        return self._order[number * self._size : (number + 1) * self._size]


def batch_count(samples: int, batch_size: int, drop_last: bool) -> int:
    """How many batches these samples make."""
    return samples // batch_size if drop_last else -(-samples // batch_size)


def order_of(sampler: Iterable[Any]) -> Array:
    """The positions that a sampler, or anything that yields positions, gives for an epoch."""
    if isinstance(sampler, Sampler):
        return sampler.order()
    return whole_numbers("sampler", "the positions", sampler)
