"""Data sets, loaders, splits and standardising: what comes out, what repeats, what is refused."""

import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cs as tg
from tinygrad_cs import data
from tinygrad_cs.engine import errors


def test_tensor_dataset_indexes_its_arrays_together():
    x, y = np.arange(12.0).reshape(4, 3), np.arange(4)
    dataset = data.TensorDataset(x, tg.tensor([0.0, 1.0, 2.0, 3.0]), y)
    assert len(dataset) == 4
    rows, _, labels = dataset[np.array([3, 0])]
    assert rows.tolist() == [[9, 10, 11], [0, 1, 2]] and labels.tolist() == [3, 0]
    assert dataset.arrays[0] is x, "held by reference"
    assert isinstance(dataset.arrays[1], np.ndarray)
    assert repr(dataset) == "TensorDataset(float64[4, 3], float32[4], int64[4])"
    assert isinstance(dataset, data.Dataset)


@pytest.mark.parametrize(
    ("arrays", "error", "message"),
    [
        ((), errors.ArgumentError, "at least one array"),
        ((np.zeros((0, 3)),), errors.ArgumentError, r"shape \(0, 3\)"),
        ((np.zeros(3), np.zeros(4)), errors.ShapeError, "lengths 3, 4"),
        ((5.0,), errors.ShapeError, "single number"),
        ((np.array(["a", "b"]),), errors.DTypeError, "numbers"),
        (([[1], [1, 2]],), errors.DTypeError, "rectangular"),
        ((tg.tensor([1.0], requires_grad=True),), errors.ArgumentError, "detach"),
    ],
)
def test_tensor_dataset_refuses(arrays, error, message):
    with pytest.raises(error, match=message):
        data.TensorDataset(*arrays)


@given(
    samples=st.integers(1, 40),
    batch_size=st.integers(1, 45),
    shuffle=st.booleans(),
    seed=st.integers(0, 3),
)
def test_an_epoch_shows_every_sample_once(samples, batch_size, shuffle, seed):
    dataset = data.TensorDataset(np.arange(samples), 10 * np.arange(samples))
    loader = data.DataLoader(dataset, batch_size, shuffle, generator=seed)
    batches = list(loader)
    assert len(batches) == len(loader)
    assert [len(x) for x, _ in batches[:-1]] == [batch_size] * (len(batches) - 1)
    seen = np.concatenate([x for x, _ in batches])
    assert sorted(seen) == list(range(samples))
    assert all((y == 10 * x).all() for x, y in batches)
    if not shuffle:
        assert seen.tolist() == list(range(samples))


def test_drop_last_leaves_out_the_short_batch():
    loader = data.DataLoader(data.TensorDataset(np.arange(7)), batch_size=3, drop_last=True)
    assert [x.tolist() for (x,) in loader] == [[0, 1, 2], [3, 4, 5]] and len(loader) == 2


def epochs(loader, count=2):
    return [[x.tolist() for (x,) in loader] for _ in range(count)]


def test_seeds_repeat_and_epochs_differ():
    dataset = data.TensorDataset(np.arange(50))

    def make(generator):
        return data.DataLoader(dataset, batch_size=50, shuffle=True, generator=generator)

    first, second = epochs(make(7))
    assert first != second
    assert epochs(make(7)) == [first, second]
    assert epochs(make(np.random.default_rng(7))) == [first, second]
    assert epochs(make(8)) != [first, second]


def test_manual_seed_governs_loaders_that_exist_already():
    loader = data.DataLoader(data.TensorDataset(np.arange(50)), batch_size=20, shuffle=True)
    tg.manual_seed(3)
    first = epochs(loader)
    tg.manual_seed(3)
    assert epochs(loader) == first


@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_are_copies(shuffle):
    x = np.arange(6.0)
    for (batch,) in data.DataLoader(data.TensorDataset(x), batch_size=3, shuffle=shuffle):
        batch += 100
    assert x.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": -1}, "batch_size"),
        ({"batch_size": 2.0}, "batch_size"),
        ({"batch_size": True}, "batch_size"),
        ({"batch_size": 4, "drop_last": True}, "drop_last"),
        ({"generator": "0"}, "seed"),
        ({"generator": -1}, "seed"),
        ({"dataset": np.zeros((3, 2))}, "TensorDataset"),
        ({"dataset": [1, 2, 3]}, "TensorDataset"),
        ({"dataset": tg.tensor([1.0])}, "TensorDataset"),
        ({"dataset": 3}, "TensorDataset"),
    ],
)
def test_loader_refuses(arguments, message):
    with pytest.raises(errors.ArgumentError, match=message):
        data.DataLoader(**({"dataset": data.TensorDataset(np.arange(3))} | arguments))


def test_loader_refuses_an_empty_data_set_of_ones_own():
    class Empty(data.TensorDataset):
        def __len__(self):
            return 0

    with pytest.raises(errors.ArgumentError, match="empty"):
        data.DataLoader(Empty([1]))


def test_split_keeps_pairs_together_and_loses_nothing():
    x, y = np.arange(200.0), np.arange(200) % 5
    for stratify in (None, y):
        parts = data.train_validation_test_split(x, y, seed=1, stratify=stratify)
        assert [len(part[0]) for part in parts] == [130, 30, 40]
        assert sorted(np.concatenate([part[0] for part in parts])) == x.tolist()
        assert all((a % 5 == b).all() for a, b in parts)
        again = data.train_validation_test_split(x, y, seed=1, stratify=stratify)
        assert all((a[0] == b[0]).all() for a, b in zip(parts, again, strict=True))
        other = data.train_validation_test_split(x, y, seed=2, stratify=stratify)
        assert (parts[0][0] != other[0][0]).any()
    for _, labels in data.train_validation_test_split(x, y, stratify=y):
        assert len(set(Counter(labels.tolist()).values())) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"validation": 0.0}, "validation=0.0"),
        ({"test": -0.1}, "test=-0.1"),
        ({"validation": 0.5, "test": 0.5}, "at least one sample"),
        ({"validation": 0.01}, "at least one sample"),
        ({"test": float("nan")}, "test=nan"),
        ({"seed": -1}, "seed"),
        ({"stratify": np.arange(20)}, "Merge rare classes"),
    ],
)
def test_split_refuses(arguments, message):
    with pytest.raises(errors.ArgumentError, match=message):
        data.train_validation_test_split(np.arange(20), **arguments)


def test_split_refuses_different_lengths():
    for arrays, stratify in [((np.zeros(5), np.zeros(6)), None), ((np.zeros(5),), np.zeros(4))]:
        with pytest.raises(errors.ShapeError, match="lengths"):
            data.train_validation_test_split(*arrays, stratify=stratify)


@pytest.mark.parametrize("axis", [0, None, (0, 2, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_standardizer_gives_mean_zero_and_deviation_one(axis, dtype):
    x = np.random.default_rng(0).integers(0, 200, (50, 3, 4, 4)).astype(dtype)
    before = x.copy()
    scaler = data.Standardizer(axis).fit(x)
    z = scaler.transform(x)
    assert z.dtype == (np.float32 if dtype == np.uint8 else dtype)
    np.testing.assert_allclose(z.mean(axis), 0, atol=1e-5)
    np.testing.assert_allclose(z.std(axis), 1, rtol=1e-5)
    assert (x == before).all()
    assert scaler.transform(x[:1]).tolist() == z[:1].tolist(), "one sample, the same statistics"


def test_standardizer_leaves_constant_features_finite():
    # The mean of a column of float32 0.1 is not 0.1: its deviation is a rounding error, not 0.
    x = np.stack([np.full(1000, 0.1), np.arange(1000.0)], axis=1).astype(np.float32)
    scaler = data.Standardizer().fit(x)
    assert scaler.deviation[0, 0] == 1
    assert abs(scaler.transform(x)[:, 0]).max() < 1e-6


def test_standardizer_refuses():
    scaler = data.Standardizer()
    with pytest.raises(errors.GraphError, match="training part"):
        scaler.transform(np.zeros((2, 3)))
    with pytest.raises(errors.ArgumentError, match="at least one sample"):
        scaler.fit(np.zeros((0, 3)))
    with pytest.raises(errors.ArgumentError, match="finite"):
        scaler.fit([[1.0, np.nan]])
    with pytest.raises(errors.ArgumentError, match="axis=2"):
        data.Standardizer(axis=2).fit(np.zeros((2, 3)))
    assert scaler.mean is None, "a refused fit changes nothing"
    scaler.fit(np.ones((2, 3)))
    for wrong in [(2, 4), (3,), (2, 3, 1)]:
        with pytest.raises(errors.ShapeError, match=r"expected shape \(n, 3\)"):
            scaler.transform(np.zeros(wrong))


def test_digits_are_raw_and_typed():
    images, labels = data.load_digits()
    assert images.shape == (1797, 64) and images.dtype == np.float32
    assert labels.shape == (1797,) and labels.dtype == np.int64
    assert (images.min(), images.max()) == (0, 16)
    assert set(labels.tolist()) == set(range(10))


@pytest.mark.parametrize(
    "call",
    [data.load_digits, lambda: data.train_validation_test_split([0] * 9, stratify=[0] * 9)],
)
def test_missing_scikit_learn_is_named(monkeypatch, call):
    for name in [name for name in sys.modules if name.split(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(errors.MissingDependency, match=r'"tinygrad_cs\[demos\]"'):
        call()


def test_two_spirals_lie_half_a_turn_apart():
    points, labels = data.two_spirals(1001, noise=0, turns=2)
    assert points.dtype == np.float32 and labels.dtype == np.int64
    assert Counter(labels.tolist()) == {0: 501, 1: 500}
    radius, angle = np.hypot(*points.T), np.arctan2(points[:, 1], points[:, 0])
    assert radius.min() >= 0.5 and radius.max() <= 4.5
    off = (angle - np.pi * radius - np.pi * labels) / (2 * np.pi)
    assert abs(off - np.round(off)).max() < 1e-5
    noisy, _ = data.two_spirals(1001, noise=0.2, turns=2)
    assert 0.18 < (noisy - points).std() < 0.22
    again, _ = data.two_spirals(1001, noise=0.2, turns=2)
    assert (noisy == again).all()


@pytest.mark.parametrize(
    "arguments",
    [{"n": 0}, {"noise": -1}, {"noise": np.nan}, {"turns": 0}, {"turns": np.inf}, {"seed": -1}],
)
def test_two_spirals_refuses(arguments):
    with pytest.raises(errors.ArgumentError, match=next(iter(arguments))):
        data.two_spirals(**({"n": 10} | arguments))
