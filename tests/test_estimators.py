"""The estimators: scikit-learn's own checks, its searches and pipelines, and what is promised."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import tinygrad_cs as tg
from tinygrad_cs import data
from tinygrad_cs.engine import errors, modes
from tinygrad_cs.training import TinyClassifier, TinyRegressor

QUICK = {"hidden": (16,), "learning_rate": 0.02, "epochs": 20}
MOONS = data.two_moons(120)


@parametrize_with_checks([TinyClassifier(**QUICK), TinyRegressor(**QUICK)])
def test_scikit_learns_own_checks(estimator, check) -> None:
    check(estimator)


def test_a_search_over_a_pipeline_finds_what_learns_iris() -> None:
    x, y = data.load_iris()
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    pipeline = make_pipeline(MinMaxScaler(), TinyClassifier(**QUICK, random_state=0))
    # NumPy's numbers, as np.arange and np.logspace give them
    grid = {
        "tinyclassifier__epochs": np.array([1, 20]),
        "tinyclassifier__learning_rate": np.array([1e-5, 0.02]),
    }
    search = GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(x, names)
    assert search.best_params_ == {
        "tinyclassifier__epochs": 20,
        "tinyclassifier__learning_rate": 0.02,
    }
    assert search.best_score_ > 0.92
    assert set(search.predict(x)) == set(names)


def test_it_reads_digits() -> None:
    x, y = data.load_digits()
    net = TinyClassifier(hidden=(32,), learning_rate=0.01, epochs=6, random_state=0)
    assert cross_val_score(net, x, y, cv=2).mean() > 0.9


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_computes_in_the_precision_of_the_data(dtype) -> None:
    x, y = MOONS[0].astype(dtype), MOONS[1]
    net = TinyClassifier(**QUICK, random_state=0).fit(x, y)
    assert net.model_[0].weight.dtype == dtype == net.predict_proba(x).dtype
    # float64 asked about a float32 net, and the other way round
    other = "float64" if dtype == "float32" else "float32"
    np.testing.assert_allclose(
        net.predict_proba(x.astype(other)), net.predict_proba(x), rtol=1e-4, atol=1e-5
    )


def test_regression_in_any_unit() -> None:
    """Standardising inside: shifting and scaling the data scales what is predicted."""
    x = np.linspace(-2, 2, 100)[:, None]
    y = np.sin(2 * x[:, 0])
    settings = {"activation": "tanh", "learning_rate": 0.02, "epochs": 60, "random_state": 0}
    plain = TinyRegressor(**settings).fit(x, y)
    other = TinyRegressor(**settings).fit(1000 * x + 5e4, 1e6 * y - 3e7)
    assert plain.score(x, y) > 0.95
    np.testing.assert_allclose(
        other.predict(1000 * x + 5e4), 1e6 * plain.predict(x) - 3e7, rtol=1e-7
    )


def test_regression_of_several_columns() -> None:
    x = np.random.default_rng(0).normal(size=(150, 3))
    y = np.stack([x[:, 0] + x[:, 1], 100 * x[:, 2]], axis=1)
    net = TinyRegressor(hidden=(), learning_rate=0.05, epochs=40, random_state=0).fit(x, y)
    assert net.predict(x).shape == y.shape
    assert net.score(x, y) > 0.99


def test_equal_seeds_give_equal_nets_and_nothing_outside_is_seeded_or_set() -> None:
    x, y = MOONS
    tg.manual_seed(7)
    first = TinyClassifier(**QUICK, dropout=0.2, random_state=3).fit(x.astype("float64"), y)
    drawn = modes.generator().random()
    again = TinyClassifier(**QUICK, dropout=0.2, random_state=3).fit(x.astype("float64"), y)
    other = TinyClassifier(**QUICK, dropout=0.2, random_state=4).fit(x.astype("float64"), y)
    np.testing.assert_array_equal(first.predict_proba(x), again.predict_proba(x))
    assert (first.predict_proba(x) != other.predict_proba(x)).any()
    assert drawn == np.random.default_rng(7).random()
    assert modes.default_dtype() == "float32"


def test_without_a_random_state_manual_seed_decides() -> None:
    x, y = MOONS

    def probabilities(seed: int):
        tg.manual_seed(seed)
        return TinyClassifier(**QUICK).fit(x, y).predict_proba(x)

    np.testing.assert_array_equal(probabilities(1), probabilities(1))
    assert (probabilities(1) != probabilities(2)).any()


def test_partial_fit_learns_part_by_part_and_draws_from_nobody() -> None:
    x, y = MOONS
    net = TinyClassifier(**QUICK, random_state=0)
    tg.manual_seed(7)
    for _ in range(15):
        for part in np.array_split(np.arange(len(x)), 3):
            net.partial_fit(x[part], y[part], classes=[0, 1])
    assert modes.generator().random() == np.random.default_rng(7).random()
    assert net.score(x, y) > 0.9
    assert net.n_iter_ == 45


def test_partial_fit_goes_on_after_fit_and_after_pickling() -> None:
    x, y = MOONS
    net = TinyClassifier(**QUICK, random_state=0).fit(x, y)
    copy = pickle.loads(pickle.dumps(net))
    before = net.predict_proba(x)
    for one in (net, copy):
        states = [one.partial_fit(x, y)._random_state for _ in range(2)]
        assert states[0] != states[1], "another order each time"
    assert net.n_iter_ == 22
    assert (net.predict_proba(x) != before).any()
    np.testing.assert_array_equal(net.predict_proba(x), copy.predict_proba(x))
    assert not hasattr(clone(net), "model_")


def test_partial_fit_refuses_classes_it_has_not_been_told() -> None:
    x, y = MOONS
    net = TinyClassifier(**QUICK).partial_fit(x[y == 0], y[y == 0], classes=[0, 1])
    count = net.scaler_.state_dict()["count"]
    with pytest.raises(errors.ArgumentError, match=r"labels \[2\].*classes=\.\.\."):
        net.partial_fit(x, y + 1)
    assert net.scaler_.state_dict()["count"] == count, "nothing was learned"
    with pytest.raises(errors.ArgumentError, match="the classes of the first call"):
        net.partial_fit(x, y, classes=[0, 1, 2])


def test_partial_fit_of_a_regressor_keeps_the_form_of_its_targets() -> None:
    x, y = data.regression(60)
    net = TinyRegressor(**QUICK, random_state=0).partial_fit(x, y[:, 0]).partial_fit(x, y[:, 0])
    assert net.predict(x).shape == (60,)
    with pytest.raises(errors.ShapeError, match=r"\('n',\) as in the first call, got \(60, 2\)"):
        net.partial_fit(x, np.hstack([y, y]))


def test_targets_far_from_zero_keep_their_digits_in_float32() -> None:
    x = np.linspace(-1, 1, 200, dtype="float32")[:, None]
    net = TinyRegressor(hidden=(), learning_rate=0.05, epochs=30, random_state=0)
    net.fit(x, 1e9 + x[:, 0].astype("float64"))
    assert abs(net.model_[0].weight.data[0, 0] - 1) < 0.01


def test_early_stopping_holds_a_share_of_each_class_out_and_stops() -> None:
    x, y = data.two_moons(100, noise=0.5)
    net = TinyClassifier(
        hidden=(64,), learning_rate=0.05, epochs=200, early_stopping=True,
        validation_fraction=0.3, patience=3, random_state=0,
    )  # fmt: skip
    net.fit(x, y)
    assert net.n_iter_ < 100
    assert "stopped early" in net.history_.stopped
    assert float(net.scaler_.state_dict()["count"]) == 70, "statistics of the training part alone"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"activation": "rleu"}, "activation to be one of 'relu'.*'rleu'"),
        ({"optimizer": "adamm"}, "optimizer to be one of 'adam'.*'adamm'"),
        ({"hidden": (8, 0)}, r"widths of layers such as \(64, 32\), got \(8, 0\)"),
        ({"hidden": "64"}, "widths of layers"),
        ({"epochs": 1.5}, "epochs must be a whole number"),
        ({"batch_size": 0}, "batch_size"),
        ({"learning_rate": -1}, "lr"),
        ({"dropout": 2}, "(?i)dropout.*2"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_fit(settings, message) -> None:
    net = TinyClassifier(**{"epochs": 1} | settings)
    with pytest.raises(ValueError, match=message):
        net.fit(*MOONS)


def rare_class(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Two clouds that overlap, the second with a twentieth of the samples."""
    rng = np.random.default_rng(0)
    y = np.where(np.arange(n) % 20, "usual", "rare")
    return rng.normal(size=(n, 2)) + 1.5 * (y == "rare")[:, None], y


def test_class_weights_make_up_for_rare_classes() -> None:
    x, y = rare_class()
    settings = {"hidden": (), "epochs": 30, "learning_rate": 0.02, "random_state": 0}

    def found(weight) -> float:
        """The share of the rare class that is found."""
        net = TinyClassifier(**settings, class_weight=weight).fit(x, y)
        return float(np.mean(net.predict(x[y == "rare"]) == "rare"))

    assert found(None) < 0.5 < 0.8 < found("balanced")
    # "balanced" is but a name for these numbers
    counts = {label: 400 / (2 * np.sum(y == label)) for label in ("rare", "usual")}
    nets = [TinyClassifier(**settings, class_weight=w).fit(x, y) for w in ("balanced", counts)]
    assert np.array_equal(nets[0].predict_proba(x), nets[1].predict_proba(x))
    # a class without a weight counts 1
    nets = [TinyClassifier(**settings, class_weight=w).fit(x, y) for w in ({"rare": 1.0}, None)]
    assert np.allclose(nets[0].predict_proba(x), nets[1].predict_proba(x))


def test_balanced_weights_need_all_samples_at_once() -> None:
    x, y = rare_class(40)
    net = TinyClassifier(hidden=(), class_weight="balanced")
    with pytest.raises(errors.ArgumentError, match="which a part does not know"):
        net.partial_fit(x, y)
    net = TinyClassifier(hidden=(), class_weight={"rare": 5.0}).partial_fit(x, y)
    assert net.predict(x).shape == (40,)
    with pytest.raises(ValueError, match="class_weight"):
        TinyClassifier(epochs=1, class_weight="balance").fit(x, y)
    net = TinyClassifier(epochs=1, class_weight="balanced").fit(x, y)
    assert net.get_params()["class_weight"] == "balanced"


def test_unfitted() -> None:
    for net in (TinyClassifier(), TinyRegressor()):
        with pytest.raises(NotFittedError):
            net.predict(MOONS[0])


def test_a_rate_that_is_too_high_says_so() -> None:
    x, y = data.regression(60)
    net = TinyRegressor(optimizer="sgd", learning_rate=1e9, activation="relu", epochs=20)
    with np.errstate(all="ignore"), pytest.raises(tg.training.NonFiniteLossError):
        net.fit(x, y[:, 0])


def test_scikit_learn_is_only_asked_for_where_it_is_needed() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import tinygrad_cs as tg\n"
        "from tinygrad_cs.training import *\n"
        "try:\n    tg.training.TinyClassifier\n"
        "except tg.engine.errors.MissingDependency as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 'pip install "tinygrad_cs[sklearn]"' in done.stdout
