"""Generated sets: the laws they promise, their noise, their seeds; and the sets of scikit-learn."""

import copy
import pickle
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import tinygrad_cs as tg
from tinygrad_cs import data, nn, optim
from tinygrad_cs.engine import errors

PLANE = {
    "two_spirals": data.two_spirals,
    "two_moons": data.two_moons,
    "two_circles": data.two_circles,
    "checkerboard": data.checkerboard,
    "xor": data.xor,
    "blobs": data.blobs,
}


@pytest.mark.parametrize("name", PLANE)
@given(n=st.integers(1, 50), noise=st.floats(0, 3), seed=st.integers(0, 2**32))
def test_any_size_in_float32_with_balanced_integer_labels(name, n, noise, seed):
    points, labels = PLANE[name](n, noise=noise, seed=seed)
    assert points.shape == (n, 2) and points.dtype == np.float32 and np.isfinite(points).all()
    assert labels.shape == (n,) and labels.dtype == np.int64
    classes = 3 if name == "blobs" else 2
    assert labels.tolist() == [k % classes for k in range(n)]


@pytest.mark.parametrize("name", PLANE)
def test_seeds_repeat_and_noise_moves_the_points_by_its_deviation(name):
    make = PLANE[name]
    still, noisy = make(4000, noise=0, seed=5), make(4000, noise=0.25, seed=5)
    assert_allclose((noisy.x - still.x).std(axis=0), 0.25, rtol=0.05)
    assert (make(4000, noise=0.25, seed=5).x == noisy.x).all()
    assert (make(4000, noise=0.25, seed=np.random.default_rng(5)).x == noisy.x).all()
    assert (make(4000, noise=0.25, seed=6).x != noisy.x).any()


def test_moons_are_half_circles_hooked_into_each_other():
    points, labels = data.two_moons(2000, noise=0)
    first, second = points[labels == 0], points[labels == 1]
    assert_allclose(np.hypot(*first.T), 1, rtol=1e-6)
    assert first[:, 1].min() >= 0 and first[:, 0].min() < -0.99
    assert_allclose(np.hypot(*(second - [1, 0.5]).T), 1, rtol=1e-6)
    assert second[:, 1].max() <= 0.5 and second[:, 0].max() > 1.99


def test_circles_have_their_radii():
    points, labels = data.two_circles(2000, noise=0, factor=0.3)
    assert_allclose(np.hypot(*points.T), np.where(labels == 0, 1, 0.3), rtol=1e-6)
    assert abs(points.mean(axis=0)).max() < 0.05, "all around"


@pytest.mark.parametrize("squares", [2, 3, 4, 7])
def test_the_checkerboard_covers_its_squares_evenly(squares):
    points, labels = data.checkerboard(6000, squares)
    cells = np.floor(points + squares / 2).astype(int)
    assert cells.min() == 0 and cells.max() == squares - 1
    assert (cells.sum(axis=1) % 2 == labels).all()
    for label in (0, 1):
        of_class = [
            cell for cell, own in zip(map(tuple, cells), labels, strict=True) if own == label
        ]
        count = Counter(of_class)
        expected = 3000 / sum((a + b) % 2 == label for a in range(squares) for b in range(squares))
        assert len(count) == round(3000 / expected)
        assert 0.65 * expected < min(count.values()) <= max(count.values()) < 1.35 * expected


def test_xor_is_the_truth_table():
    points, labels = data.xor(9, noise=0)
    assert sorted(map(tuple, points.tolist()))[::9] and set(map(tuple, points.tolist())) == {
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    }
    assert (labels == (points[:, 0] != points[:, 1])).all()


def test_blobs_lie_around_their_centers():
    points, labels = data.blobs(6000, classes=4, features=3, noise=0.5, seed=2)
    assert points.shape == (6000, 3) and Counter(labels.tolist()) == dict.fromkeys(range(4), 1500)
    centers = np.array([[3.0, 0, 1, 0], [-5, 2, 2, 9]])
    points, labels = data.blobs(4001, centers=centers, noise=0.5)
    for label, center in enumerate(centers):
        cloud = points[labels == label]
        assert_allclose(cloud.mean(axis=0), center, atol=0.05)
        assert_allclose(np.cov(cloud.T), 0.25 * np.eye(4), atol=0.03)


@pytest.mark.parametrize("nonlinearity", [None, np.sin, lambda z: z**3])
def test_regression_returns_the_weights_it_used(nonlinearity):
    x, y, weight, bias = data.regression(
        500, features=3, outputs=2, noise=0, nonlinearity=nonlinearity, return_weights=True
    )
    assert weight.shape == (2, 3) and bias.shape == (2,), "as in nn.Linear"
    assert {a.dtype for a in (x, y, weight, bias)} == {np.dtype(np.float32)}
    f = nonlinearity or (lambda z: z)
    assert_allclose(y, f(x @ weight.T + bias), rtol=1e-3, atol=1e-4)
    _, noisy = data.regression(500, 3, 2, noise=0.3, nonlinearity=nonlinearity)
    assert_allclose((noisy - y).std(), 0.3, rtol=0.1)


def test_a_linear_layer_finds_the_weights():
    x, y, weight, bias = data.regression(200, features=2, noise=0.01, return_weights=True)
    tg.manual_seed(0)
    layer = nn.Linear(2, 1)
    optimizer = optim.Adam(layer.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        nn.functional.mse_loss(layer(x), y).backward()
        optimizer.step()
    assert_allclose(layer.weight.data, weight, atol=0.01)
    assert_allclose(layer.bias.data, bias, atol=0.01)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.two_moons(0), "n to be an integer"),
        (lambda: data.two_moons(2.0), "n to be an integer"),
        (lambda: data.two_moons(5, noise=-1), "noise >= 0"),
        (lambda: data.two_moons(5, noise="much"), "noise >= 0"),
        (lambda: data.two_moons(5, seed=-1), "seed"),
        (lambda: data.two_spirals(5, turns="two"), "turns > 0"),
        (lambda: data.two_circles(5, factor=1), "factor < 1"),
        (lambda: data.two_circles(5, factor=np.nan), "factor < 1"),
        (lambda: data.checkerboard(5, squares=1), "squares to be an integer >= 2"),
        (lambda: data.xor(5, noise=np.inf), "noise >= 0"),
        (lambda: data.blobs(5, classes=0), "classes"),
        (lambda: data.blobs(5, features=0), "features"),
        (lambda: data.blobs(5, centers=[1.0, 2.0]), r"shape \(2,\)"),
        (lambda: data.blobs(5, centers=[[np.nan]]), "finite"),
        (lambda: data.regression(5, features=0), "features"),
        (lambda: data.regression(5, outputs=0), "outputs"),
        (lambda: data.regression(5, nonlinearity=np.sum), "shape of its argument"),
        (lambda: data.regression(5, nonlinearity=lambda z: z * np.nan), "NaN or infinity"),
    ],
)
def test_generated_sets_refuse(call, message):
    with pytest.raises(errors.ArgumentError, match=message):
        call()


# ---- Samples ---------------------------------------------------------------------------------


def test_samples_are_a_pair_with_names():
    samples = data.Samples([[1.0, 2.0]], [1], ["a", "b"], ["no", "yes"])
    x, y = samples
    assert isinstance(samples, tuple) and x is samples.x and y is samples.y
    assert samples.feature_names == ("a", "b") and samples.class_names == ("no", "yes")
    assert repr(samples) == "Samples(x=float32[1, 2], y=int64[1], classes=2)"
    for twin in (copy.copy(samples), copy.deepcopy(samples), pickle.loads(pickle.dumps(samples))):
        assert type(twin) is data.Samples and twin.class_names == samples.class_names
        assert (twin.x == x).all() and (twin.y == y).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1.0]], [1, 2]), errors.ShapeError, "lengths 1, 2"),
        ((np.zeros((0, 2)), np.zeros(0)), errors.ArgumentError, "at least one sample"),
        (([[1.0]], [np.nan]), errors.ArgumentError, "NaN in 1 places, first for sample 0"),
        (([[1.0]], [0], ["a", "b"]), errors.ShapeError, "2 feature names"),
        (([[1.0]], [2], [], ["a", "b"]), errors.ArgumentError, "labels 0 to 1"),
        (([[1.0]], [-1], [], ["a", "b"]), errors.ArgumentError, "labels 0 to 1"),
        (([[1.0]], [1.0], [], ["a", "b"]), errors.ArgumentError, "integer labels"),
        (([["x"]], [1.0]), errors.DTypeError, "numbers"),
    ],
)
def test_samples_refuse(arguments, error, message):
    with pytest.raises(error, match=message):
        data.Samples(*arguments)


# ---- scikit-learn's --------------------------------------------------------------------------

BUNDLED = {
    "load_digits": ((1797, 64), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]),
    "load_iris": ((150, 4), [50, 50, 50]),
    "load_wine": ((178, 13), [59, 71, 48]),
    "load_breast_cancer": ((569, 30), [212, 357]),
}


@pytest.mark.parametrize("name", BUNDLED)
def test_sets_of_scikit_learn_are_typed_and_named(name):
    shape, counts = BUNDLED[name]
    samples = getattr(data, name)()
    assert samples.x.shape == shape and samples.x.dtype == np.float32
    assert samples.y.dtype == np.int64 and np.bincount(samples.y).tolist() == counts
    assert len(samples.feature_names) == shape[1] and len(samples.class_names) == len(counts)
    assert all(type(text) is str for text in samples.feature_names + samples.class_names)
    parts = data.train_validation_test_split(*samples, stratify=samples.y)
    assert sum(len(y) for _, y in parts) == shape[0]


@pytest.mark.parametrize("name", BUNDLED)
def test_missing_scikit_learn_is_named(monkeypatch, name):
    for module in [module for module in sys.modules if module.split(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(errors.MissingDependency, match=rf'{name}.*"tinygrad_cs\[demos\]"'):
        getattr(data, name)()
