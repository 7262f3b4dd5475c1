"""What loaders are given: batches of any structure, data sets, samplers, parts."""

from collections import Counter, OrderedDict, namedtuple
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from squares import Squares

import tinygrad_cs as tg
from tinygrad_cs import data
from tinygrad_cs.engine import errors

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
