"""Loaders: batches of any structure, samplers, parts, threads, interruptions, and going on."""

import gc
import json
import subprocess
import sys
import threading
import time
from collections import Counter, OrderedDict, namedtuple
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cs as tg
from tinygrad_cs import data
from tinygrad_cs.engine import errors
from tinygrad_cs.engine.modes import default_dtype, generator


class Squares(data.Dataset):
    """Samples one by one, with a little noise from the library's generator."""

    def __init__(self, samples=20, noise=0.0):
        self.samples, self.noise, self.seen = samples, noise, []

    def __len__(self):
        return self.samples

    def __getitem__(self, position):
        self.seen.append(position)
        return position, np.full(3, position**2 + self.noise * generator().normal())


class Broken(Squares):
    def __getitem__(self, position):
        if position == 7:
            raise OSError("no such file: 7.png")
        return super().__getitem__(position)


def listed(batches):
    return [[part.tolist() for part in batch] for batch in batches]


def workers_alive():
    return [t for t in threading.enumerate() if t.name.startswith("DataLoader")]


def assert_workers_end():
    gc.collect()
    end = time.monotonic() + 5
    while workers_alive() and time.monotonic() < end:
        time.sleep(0.01)
    assert not workers_alive()


# Collating


def test_batches_have_the_structure_of_samples():
    Point = namedtuple("Point", "x y")
    samples = [
        {
            "image": np.full((2, 2), k, np.uint8),
            "point": Point(k, float(k)),
            "names": [str(k), b"b"],
        }
        for k in range(3)
    ]
    batch = data.default_collate(samples)
    assert batch["image"].shape == (3, 2, 2) and batch["image"].dtype == np.uint8
    assert isinstance(batch["point"], Point)
    assert batch["point"].x.dtype == np.int64 and batch["point"].y.dtype == np.float32
    assert batch["names"] == [["0", "1", "2"], [b"b"] * 3]
    shuffled = [OrderedDict(a=1, b=2), OrderedDict(b=3, a=4)]
    assert data.default_collate(shuffled)["a"].tolist() == [1, 4], "keys have no order"


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([1, 2], np.array([1, 2])),
        ([True, False], np.array([True, False])),
        ([1, 2.5], np.array([1, 2.5], np.float32)),
        ([np.float64(1), np.float64(2)], np.array([1.0, 2.0])),
        ([tg.tensor([1.0]), tg.tensor([2.0])], np.array([[1], [2]], np.float32)),
        ([np.float16(1), np.float32(2)], np.array([1, 2], np.float32)),
        ([(), ()], ()),
    ],
)
def test_numbers_keep_their_kind(samples, expected):
    batch = data.default_collate(samples)
    np.testing.assert_array_equal(batch, expected)
    assert getattr(batch, "dtype", None) == getattr(expected, "dtype", None)


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        ([], errors.ArgumentError, "at least one sample"),
        (
            [np.zeros(3), np.zeros(4)],
            errors.ShapeError,
            r"\(3,\) in the first and \(4,\) in sample 1",
        ),
        ([(1, 2), (1, 2), (1,)], errors.ArgumentError, "entries, got 2 .* 1 in sample 2"),
        ([{"a": 1}, {"b": 1}], errors.ArgumentError, "same keys"),
        ([{"a": 1}, 3], errors.ArgumentError, "same keys"),
        ([(1, 2), 3], errors.ArgumentError, "'int' in sample 1"),
        ([1, None], errors.ArgumentError, "sample 1 of the batch is None"),
        ([object()], errors.DTypeError, "object"),
        ([1, "a"], errors.DTypeError, "str"),
        ([tg.tensor([1.0], requires_grad=True)], errors.ArgumentError, "detach"),
    ],
)
def test_collating_refuses(samples, error, message):
    with pytest.raises(error, match=message):
        data.default_collate(samples)


# Data sets


def test_parts_and_rows_of_data_sets_compose():
    x = np.arange(30).reshape(10, 3)
    whole = data.ConcatDataset(
        [data.TensorDataset(x[:4]), data.TensorDataset(x[4:5]), data.TensorDataset(x[5:])]
    )
    assert len(whole) == 10
    for k in range(-10, 10):
        assert whole[k][0].tolist() == x[k].tolist()
    positions = np.array([9, 0, 4, 4, 7, 1])
    assert whole.take(positions)[0].tolist() == x[positions].tolist()
    assert whole.take(np.array([6, 5]))[0].tolist() == x[[6, 5]].tolist()
    part = data.Subset(data.Subset(whole, [9, 8, 4, 0]), np.array([-1, 2, 0]))
    assert len(part) == 3 and part[1][0].tolist() == x[4].tolist()
    assert [b.tolist() for (b,) in data.DataLoader(part, 2)] == [
        x[[0, 4]].tolist(),
        [x[9].tolist()],
    ]
    mixed = data.ConcatDataset([Squares(3), data.Subset(Squares(9), [5, 4])])
    ((positions, values),) = data.DataLoader(mixed, 5)
    assert positions.tolist() == [0, 1, 2, 5, 4] and values[3].tolist() == [25] * 3


def test_a_subclass_that_changes_samples_is_not_passed_over():
    class Doubled(data.TensorDataset):
        def __getitem__(self, position):
            return 2 * super().__getitem__(position)[0]

    for dataset in (Doubled([1, 2, 3]), data.Subset(Doubled([0, 1, 2, 3]), [1, 2, 3])):
        assert [b.tolist() for b in data.DataLoader(dataset, 3)] == [[2, 4, 6]]


def test_a_data_set_may_read_batches_itself():
    class Quick:
        def __len__(self):
            return 5

        def __getitem__(self, position):
            raise AssertionError("one by one")

        def take(self, positions):
            return {"x": positions * 10}

    assert [b["x"].tolist() for b in data.DataLoader(Quick(), 3)] == [[0, 10, 20], [30, 40]]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda d: data.Subset(d, [0, 20]), errors.IndexOutOfRange, "0 and 19.*got 20"),
        (lambda d: data.Subset(d, [-21]), errors.IndexOutOfRange, "got -21"),
        (lambda d: data.Subset(d, [0.5]), errors.DTypeError, "integers"),
        (lambda d: data.Subset(d, np.ones(20, bool)), errors.DTypeError, "flatnonzero"),
        (lambda d: data.Subset(d, [[1]]), errors.ShapeError, "flat"),
        (lambda d: data.ConcatDataset([]), errors.ArgumentError, "empty"),
        (lambda d: data.ConcatDataset([d, 3]), errors.ArgumentError, "int"),
        (lambda d: data.ConcatDataset([d])[20], errors.IndexOutOfRange, "below 20"),
        (lambda d: data.ConcatDataset([d])[-21], errors.IndexOutOfRange, "-21"),
        (lambda d: data.ConcatDataset([d]).take([0, 20]), errors.IndexOutOfRange, "got 20"),
        (lambda d: data.DataLoader(data.Subset(d, [])), errors.ArgumentError, "empty"),
    ],
)
def test_parts_refuse(make, error, message):
    with pytest.raises(error, match=message):
        make(Squares())


def test_arrays_on_disk_stay_there(tmp_path):
    """A file of 64 GiB, almost all of it a hole: only what a batch needs is read."""
    path = tmp_path / "large"
    shape = (2**20, 2**14)
    stored = np.memmap(path, np.float32, "w+", shape=shape)
    stored[-1] = 7
    stored.flush()
    dataset = data.TensorDataset(np.memmap(path, np.float32, "r", shape=shape))
    assert path.stat().st_size == 2**36
    for (batch,) in islice(data.DataLoader(dataset, 4, shuffle=True, generator=0), 3):
        assert batch.shape == (4, 2**14) and type(batch) is np.ndarray and not batch.any()
    last = data.Subset(dataset, [2**20 - 1])
    assert [batch.mean() for (batch,) in data.DataLoader(last, num_workers=1)] == [7]


# Samplers


def test_random_sampler_shows_every_sample_before_any_again():
    sampler = data.RandomSampler(5, num_samples=13, generator=0)
    order = list(sampler)
    assert len(sampler) == len(order) == 13
    assert all(sorted(order[k : k + 5]) == list(range(5)) for k in (0, 5))
    assert len(set(order[10:])) == 3
    draws = list(data.RandomSampler(3, replacement=True, num_samples=3000, generator=0))
    assert all(900 < n < 1100 for n in Counter(draws).values()) and set(draws) == {0, 1, 2}


def test_samplers_take_the_generator_of_manual_seed_when_they_draw():
    samplers = [
        data.RandomSampler(20),
        data.SubsetRandomSampler(range(5, 25)),
        data.WeightedRandomSampler(np.ones(20), 20),
    ]
    for sampler in samplers:
        tg.manual_seed(1)
        first, second = list(sampler), list(sampler)
        tg.manual_seed(1)
        assert list(sampler) == first != second


@pytest.mark.parametrize("replacement", [True, False])
def test_weights_decide_who_comes_first(replacement):
    weights = np.array([1, 0, 2, 5, 0]) * 1e-300
    sampler = data.WeightedRandomSampler(weights, 3, replacement, generator=0)
    counts = Counter(next(iter(sampler)) for _ in range(4000))
    assert set(counts) == {0, 2, 3}
    for position, expected in ((0, 500), (2, 1000), (3, 2500)):
        assert abs(counts[position] - expected) < 5 * np.sqrt(expected)
    if not replacement:
        assert all(sorted(sampler) == [0, 2, 3] for _ in range(10))


def test_weights_balance_classes():
    labels = np.array([0] * 90 + [1] * 10)
    weights = 1 / np.bincount(labels)[labels]
    loader = data.DataLoader(
        data.TensorDataset(labels),
        100,
        sampler=data.WeightedRandomSampler(weights, 2000, generator=0),
    )
    assert len(loader) == 20
    assert abs(np.mean([batch.mean() for (batch,) in loader]) - 0.5) < 0.05


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: data.RandomSampler(0), "empty"),
        (lambda: data.SequentialSampler([]), "empty"),
        (lambda: data.RandomSampler(3, num_samples=0), "num_samples"),
        (lambda: data.SubsetRandomSampler([]), "empty"),
        (lambda: data.WeightedRandomSampler([1, np.nan], 2), "nan for sample 1"),
        (lambda: data.WeightedRandomSampler([1, -1], 2), "-1.0 for sample 1"),
        (lambda: data.WeightedRandomSampler([np.inf], 2), "inf for sample 0"),
        (lambda: data.WeightedRandomSampler([0, 0], 2), "zeros alone"),
        (lambda: data.WeightedRandomSampler([], 2), "shape"),
        (lambda: data.WeightedRandomSampler([[1]], 2), r"\(1, 1\)"),
        (lambda: data.WeightedRandomSampler([1, 0, 1], 3, False), "3 different samples out of 2"),
        (lambda: data.BatchSampler(range(3), 0, False), "batch_size"),
        (lambda: data.Sampler().order(), "order"),
        (lambda: data.RandomSampler(3, generator=-1), "seed"),
    ],
)
def test_samplers_refuse(make, message):
    with pytest.raises(errors.ArgumentError, match=message):
        make()


def test_loaders_take_samplers_of_any_kind():
    class Evens(data.Sampler):
        def __iter__(self):
            yield from (0, 2, 4)

        def __len__(self):
            return 3

    dataset = data.TensorDataset(range(5))
    for sampler in (Evens(), [0, 2, 4], np.array([0, 2, 4]), range(0, 5, 2)):
        loader = data.DataLoader(dataset, 2, sampler=sampler)
        assert len(loader) == 2 and [b.tolist() for (b,) in loader] == [[0, 2], [4]]
    batches = [[0], [4, 3, 2], [], [1]]
    loader = data.DataLoader(dataset, batch_sampler=batches)
    assert len(loader) == 4 and [b.tolist() for (b,) in loader] == batches
    batched = data.BatchSampler(data.RandomSampler(5, generator=0), 2, drop_last=True)
    loader = data.DataLoader(dataset, batch_sampler=batched)
    assert len(loader) == 2 and sorted(map(len, list(batched))) == [2, 2]
    with pytest.raises(errors.DTypeError, match="integers"):
        list(data.DataLoader(dataset, sampler=[0.0, 1.5]))
    with pytest.raises(IndexError):
        list(data.DataLoader(dataset, sampler=[5]))


# Parts


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [([7, 3], [7, 3]), ([0.7, 0.3], [7, 3]), ([0.5, 0.25, 0.25], [6, 2, 2]), ([10], [10])],
)
def test_random_split_loses_nothing(lengths, sizes):
    dataset = data.TensorDataset(range(10))
    parts = data.random_split(dataset, lengths, generator=0)
    assert [len(part) for part in parts] == sizes
    assert sorted(np.concatenate([part.indices for part in parts])) == list(range(10))
    again = data.random_split(dataset, lengths, generator=0)
    assert all((a.indices == b.indices).all() for a, b in zip(parts, again, strict=True))


def test_fractions_are_whole_where_they_can_be():
    sizes = data.random_split(data.TensorDataset(range(100)), [0.29, 0.57, 0.14], generator=0)
    assert [len(part) for part in sizes] == [29, 57, 14]


@given(st.lists(st.integers(3, 60), min_size=1, max_size=5), st.integers(0, 5))
def test_stratified_parts_hold_every_class_in_its_share(classes, seed):
    labels = np.repeat(np.arange(len(classes)) * 10, classes)
    samples = len(labels)
    held_out = max(1, samples // 4)
    dataset = data.TensorDataset(labels)
    lengths = [samples - 2 * held_out, held_out, held_out]
    parts = data.random_split(dataset, lengths, generator=seed, stratify=labels)
    assert [len(part) for part in parts] == lengths
    assert sorted(np.concatenate([part.indices for part in parts])) == list(range(samples))
    for part in parts:
        for label, count in zip(np.unique(labels), classes, strict=True):
            found = np.count_nonzero(labels[part.indices] == label)
            assert abs(found - count * len(part) / samples) <= 1 + count * len(classes) / samples


def test_stratified_parts_are_exact_where_they_can_be():
    labels = np.repeat([0, 1], [50, 150])
    first, second = data.random_split(
        data.TensorDataset(labels), [40, 160], generator=3, stratify=labels
    )
    assert np.bincount(labels[first.indices]).tolist() == [10, 30]
    assert np.bincount(labels[second.indices]).tolist() == [40, 120]


@pytest.mark.parametrize("stratify", [None, np.arange(23) % 3])
@pytest.mark.parametrize("shuffle", [False, True])
def test_folds_validate_every_sample_once(stratify, shuffle):
    folds = list(data.k_fold(23, 4, shuffle=shuffle, generator=0, stratify=stratify))
    assert [len(validation) for _, validation in folds] == [6, 6, 6, 5]
    assert sorted(np.concatenate([validation for _, validation in folds])) == list(range(23))
    for training, validation in folds:
        assert sorted([*training, *validation]) == list(range(23))
        assert (np.diff(training) > 0).all() and (np.diff(validation) > 0).all()
        if stratify is not None:
            assert np.ptp(np.bincount(stratify[validation])) <= 1
    if stratify is None:
        stretches = all(np.diff(validation).max() == 1 for _, validation in folds)
        assert stretches != shuffle


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda d: data.random_split(d, [10, 9]), errors.ArgumentError, "sum to 20"),
        (lambda d: data.random_split(d, [0.5, 0.4]), errors.ArgumentError, "with sum 0.9"),
        (lambda d: data.random_split(d, [20, 0]), errors.ArgumentError, "at least one sample"),
        (lambda d: data.random_split(d, [25, -5]), errors.ArgumentError, "at least one sample"),
        (lambda d: data.random_split(d, [0.99, 0.01]), errors.ArgumentError, "at least one sample"),
        (lambda d: data.random_split(d, [np.nan, 1.0]), errors.ArgumentError, "sum"),
        (lambda d: data.random_split(d, []), errors.ArgumentError, "lengths"),
        (lambda d: data.random_split(d, 5), errors.ArgumentError, "lengths"),
        (
            lambda d: data.random_split(d, [10, 10], stratify=np.arange(20)),
            errors.ArgumentError,
            "Merge rare classes",
        ),
        (
            lambda d: data.random_split(d, [10, 10], stratify=np.zeros(19, int)),
            errors.ShapeError,
            r"\(20,\), got \(19,\)",
        ),
        (
            lambda d: data.random_split(d, [10, 10], stratify=np.zeros(20)),
            errors.DTypeError,
            "integer labels",
        ),
        (lambda d: data.k_fold(d, 1), errors.ArgumentError, "n_splits"),
        (lambda d: data.k_fold(d, 21), errors.ArgumentError, "20 samples"),
        (lambda d: data.k_fold(d, 3, stratify=np.arange(20)), errors.ArgumentError, "rare"),
        (lambda d: data.k_fold(0), errors.ArgumentError, "empty"),
    ],
)
def test_splitting_refuses(call, error, message):
    with pytest.raises(error, match=message):
        call(Squares())


# Threads


@pytest.mark.parametrize("noise", [0.0, 1.0])
@pytest.mark.parametrize("ahead", [1, 3])
def test_batches_do_not_depend_on_the_number_of_workers(noise, ahead):
    def epochs(workers):
        loader = data.DataLoader(
            Squares(noise=noise),
            batch_size=3,
            shuffle=True,
            transform=lambda batch: (*batch, noise * generator().normal(size=2)),
            num_workers=workers,
            prefetch_factor=ahead,
            generator=5,
        )
        return [listed(loader) for _ in range(2)]

    expected = epochs(0)
    assert expected[0] != expected[1]
    if noise:
        drawn = {tuple(batch[2]) for batch in [*expected[0], *expected[1]]}
        assert len(drawn) == 14, "every batch of every epoch draws something else"
    for workers in (1, 2, 5):
        assert epochs(workers) == expected
    assert_workers_end()


def test_what_is_drawn_for_batches_leaves_the_callers_generator_alone():
    tg.manual_seed(0)
    loader = data.DataLoader(Squares(noise=1.0), 4, generator=3)
    for workers in (0, 2):
        loader.num_workers = workers
        tg.manual_seed(0)
        list(loader)
        assert generator().normal() == np.random.default_rng(0).normal()


def test_modes_of_the_caller_hold_in_the_workers():
    seen = []
    loader = data.DataLoader(
        Squares(4), transform=lambda batch: seen.append(default_dtype()) or batch, num_workers=1
    )
    tg.set_default_dtype("float64")
    try:
        list(loader)
    finally:
        tg.set_default_dtype("float32")
    assert set(seen) == {np.dtype("float64")}


def test_collate_fn_gets_the_samples():
    loader = data.DataLoader(data.TensorDataset(range(5)), 2, collate_fn=lambda s: s, num_workers=2)
    assert list(loader) == [[(0,), (1,)], [(2,), (3,)], [(4,)]]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_errors_say_which_sample_they_came_from(workers):
    loader = data.DataLoader(Broken(), batch_size=3, num_workers=workers)
    got = []
    with pytest.raises(OSError, match=r"7\.png") as caught:
        got.extend(loader)
    assert len(got) == 2, "the batches before it arrive"
    notes = "\n".join(caught.value.__notes__)
    assert "sample 7 of Broken" in notes and "batch 2" in notes and "samples 6, 7, 8" in notes
    assert_workers_end()
    ragged = data.DataLoader(
        data.ConcatDataset([Squares(3), data.TensorDataset([1])]), 4, num_workers=workers
    )
    with pytest.raises(errors.ArgumentError, match="number of entries") as caught:
        list(ragged)
    assert "samples 0, 1, 2, 3" in caught.value.__notes__[-1]


def test_no_more_batches_are_read_ahead_than_allowed():
    dataset = Squares(200)
    batches = iter(data.DataLoader(dataset, num_workers=2, prefetch_factor=3))
    for taken in range(1, 20):
        next(batches)
        time.sleep(0.002)
        assert len(dataset.seen) <= taken + 6
    batches.close()
    assert_workers_end()
    assert len(dataset.seen) < 30


def test_a_loop_that_stops_early_leaves_no_threads():
    loader = data.DataLoader(Squares(200), num_workers=3)
    for _ in loader:
        assert len(workers_alive()) == 3
        break
    assert_workers_end()

    def fail():
        for batch in loader:
            raise KeyError(batch)

    with pytest.raises(KeyError):
        fail()
    assert_workers_end()
    abandoned = iter(loader)
    next(abandoned)
    del abandoned
    assert_workers_end()


class Hanging(Squares):
    def __init__(self, at):
        super().__init__(8)
        self.at, self.release = at, threading.Event()

    def __getitem__(self, position):
        if position == self.at:
            self.release.wait(20)
        return super().__getitem__(position)


def test_a_sample_that_hangs_ends_in_an_error_that_says_so():
    dataset = Hanging(at=2)
    loader = data.DataLoader(dataset, 2, num_workers=2, timeout=0.2)
    got = []
    start = time.monotonic()
    with pytest.raises(data.LoaderTimeoutError, match=r"timeout=0\.2 seconds") as caught:
        got.extend(loader)
    assert isinstance(caught.value, TimeoutError) and isinstance(caught.value, tg.TinygradError)
    assert len(got) == 1 and time.monotonic() - start < 3
    dataset.release.set()
    del caught
    assert_workers_end()


def test_a_timeout_of_ones_own_is_not_mistaken():
    class Late(Squares):
        def __getitem__(self, position):
            raise TimeoutError("the server")

    with pytest.raises(TimeoutError, match="the server") as caught:
        list(data.DataLoader(Late(), num_workers=1, timeout=5))
    assert not isinstance(caught.value, data.LoaderTimeoutError)


SCRIPT = """
import sys, threading, time
import tinygrad_cs as tg
from tinygrad_cs import data

class Slow:
    def __len__(self): return 1000
    def __getitem__(self, k):
        time.sleep({sleep})
        return k

batches = iter(data.DataLoader(Slow(), num_workers=3))
{take}
print("last line")
"""


@pytest.mark.parametrize(
    ("sleep", "take"),
    [
        (0.001, "next(batches)"),
        (
            100,
            "threading.Thread(target=next, args=[batches], daemon=True).start(); time.sleep(0.2)",
        ),
    ],
)
def test_the_interpreter_ends_while_a_loader_is_under_way(sleep, take):
    code = SCRIPT.format(sleep=sleep, take=take)
    root = Path(__file__).parents[1]
    start = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=root
    )
    assert (result.returncode, result.stderr) == (0, "") and "last line" in result.stdout
    assert time.monotonic() - start < 20


# Going on in the middle of an epoch


def make_loader(kind, workers=0):
    dataset = data.TensorDataset(np.arange(20), np.arange(20.0) ** 2)
    if kind == "plain":
        return data.DataLoader(dataset, 3, shuffle=True, generator=1, num_workers=workers)
    if kind == "library":
        return data.DataLoader(dataset, 3, shuffle=True, num_workers=workers)
    if kind == "in order":
        return data.DataLoader(dataset, 3, drop_last=True, num_workers=workers)
    if kind == "noise":
        return data.DataLoader(Squares(noise=1), 3, shuffle=True, generator=1, num_workers=workers)
    if kind == "mersenne":
        twister = np.random.Generator(np.random.MT19937(1))
        return data.DataLoader(dataset, 3, shuffle=True, generator=twister, num_workers=workers)
    if kind == "weighted":
        sampler = data.WeightedRandomSampler(np.arange(20) + 1, 30, generator=4)
        return data.DataLoader(dataset, 4, sampler=sampler, num_workers=workers, transform=list)
    batches = data.BatchSampler(data.RandomSampler(20, generator=2), 6, drop_last=False)
    return data.DataLoader(dataset, batch_sampler=batches, num_workers=workers)


KINDS = ["plain", "library", "in order", "noise", "mersenne", "weighted", "batches"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("taken", [0, 1, 4, "all", "over"])
def test_a_loader_goes_on_where_it_was(kind, workers, taken):
    """The whole run: an epoch before, the rest of this one, and what the caller draws besides."""
    tg.manual_seed(9)
    loader = make_loader(kind, workers)
    listed(loader)
    batches = iter(loader)
    count = len(loader) if taken in ("all", "over") else taken
    for _ in range(count):
        next(batches)
        generator().normal()
    if taken == "over":
        assert list(batches) == []
        batches = iter(loader)
    saved = json.loads(json.dumps(loader.state_dict(), default=np.ndarray.tolist))
    library = generator().bit_generator.state
    expected = [listed(batches), listed(loader), generator().normal(), listed(loader)]

    tg.manual_seed(1234)
    other = make_loader(kind, 2 - workers)
    listed(other)
    other.load_state_dict(saved)
    assert json.loads(json.dumps(other.state_dict(), default=np.ndarray.tolist)) == saved
    generator().bit_generator.state = library
    assert [listed(other), listed(other), generator().normal(), listed(other)] == expected


def test_the_state_in_a_loop_is_that_of_the_batch_in_hand():
    loader = make_loader("plain", workers=2)
    for k, _ in enumerate(loader):
        state = loader.state_dict()
        assert (state["epoch"], state["position"]) == (0, k + 1)
    state = loader.state_dict()
    assert (state["epoch"], state["position"], state["start"]) == (1, 0, None)


def test_states_that_do_not_fit_are_refused():
    loader = make_loader("plain")
    good = loader.state_dict()
    for change, message in [
        ({"samples": 21}, "21 samples"),
        ({"batch_size": 4}, "batch_size was 4"),
        ({"position": -1}, "position"),
        ({"epoch": 1.5}, "epoch"),
        ({"now": []}, "generators"),
        ({"now": [{"bit_generator": "MT19937"}]}, "MT19937"),
    ]:
        with pytest.raises(errors.StateDictError, match=message):
            loader.load_state_dict(good | change)
    for wrong in ({}, None, {k: v for k, v in good.items() if k != "now"}):
        with pytest.raises(errors.StateDictError, match="expected what"):
            loader.load_state_dict(wrong)
    with pytest.raises(errors.StateDictError, match="generators"):
        make_loader("library").load_state_dict(good)
    assert loader.state_dict() == good, "nothing was loaded"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_workers": -1}, "num_workers"),
        ({"num_workers": 1.5}, "num_workers"),
        ({"prefetch_factor": 0}, "prefetch_factor"),
        ({"num_workers": 1, "timeout": -1}, "timeout"),
        ({"num_workers": 1, "timeout": np.nan}, "timeout"),
        ({"timeout": 1}, "num_workers=1"),
        ({"sampler": [0], "shuffle": True}, "decides the order"),
        ({"batch_sampler": [[0]], "shuffle": True}, "batch_sampler"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "batch_sampler"),
        ({"batch_sampler": [[0]], "sampler": np.arange(2)}, "batch_sampler"),
        ({"batch_sampler": [[0]], "drop_last": True}, "batch_sampler"),
    ],
)
def test_loaders_refuse(arguments, message):
    with pytest.raises(errors.ArgumentError, match=message):
        data.DataLoader(Squares(), **arguments)
