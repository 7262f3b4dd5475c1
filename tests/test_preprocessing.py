"""Preprocessing: what the formulas give, batches against all data at once, and what is refused."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import data
from tinygrad_cs.data.preprocessing import transformer as transformer_module
from tinygrad_cs.engine import errors

STEPS = [
    data.Center(),
    data.Center(axis=None),
    data.MeanImage(),
    data.ChannelMean(),
    data.ChannelStandardizer(),
    data.Standardizer(),
    data.Standardizer(axis=(0, 2, 3)),
    data.MinMaxScaler(),
    data.MinMaxScaler((-2, 5), axis=None),
    data.PCA(),
    data.PCA(7),
    data.PCA(0.9),
    data.PCA(20, whiten=True, eps=0),
    data.ZCA(),
]
every_step = pytest.mark.parametrize("step", STEPS, ids=repr)


def fresh(step):
    return type(step)(**step.get_params())


def images(n=60, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    x = rng.normal(3, 1, (n, 3, 4, 3)) * rng.uniform(0.5, 4, (3, 4, 3))
    return x.astype(dtype)


def plain(step, x):
    """The formula of each step, as one would write it for all the data at once."""
    if isinstance(step, data.MinMaxScaler):
        low, high = step.feature_range
        unit = (x - x.min(step.axis)) / (x.max(step.axis) - x.min(step.axis))
        return low + (high - low) * unit
    if isinstance(step, data.Center):
        return x - x.mean(step.axis, keepdims=True)
    assert isinstance(step, data.Standardizer)
    return (x - x.mean(step.axis, keepdims=True)) / x.std(step.axis, keepdims=True)


@pytest.mark.parametrize("step", STEPS[:9], ids=repr)
def test_formulas(step):
    x = images()
    assert_allclose(fresh(step).fit_transform(x), plain(step, x), rtol=1e-12, atol=1e-12)


def flat(x):
    return x.reshape(len(x), -1)


def covariance(x):
    return np.cov(flat(x).T, bias=True)


def test_pca_diagonalises_the_covariance():
    x = images()
    pca = data.PCA()
    z = pca.fit_transform(x)
    assert z.shape == (60, 36)
    found = covariance(z)
    assert_allclose(found, np.diag(pca.explained_variance), atol=1e-10)
    assert (np.diff(pca.explained_variance) <= 0).all()
    assert_allclose(pca.components @ pca.components.T, np.eye(36), atol=1e-12)
    assert_allclose(pca.explained_variance.sum(), flat(x).var(0).sum())
    assert_allclose(pca.explained_variance_ratio.sum(), 1)
    largest = np.abs(pca.components).argmax(1)
    assert (pca.components[np.arange(36), largest] > 0).all()


@pytest.mark.parametrize("step", [data.PCA(whiten=True, eps=0), data.ZCA(eps=0)], ids=repr)
def test_whitening_makes_the_covariance_the_identity(step):
    z = fresh(step).fit_transform(images())
    assert_allclose(covariance(z), np.eye(36), atol=1e-10)
    assert_allclose(flat(z).mean(0), 0, atol=1e-12)


def test_eps_smooths_whitening():
    x = images()
    pca = data.PCA(whiten=True, eps=0.5)
    variances = covariance(pca.fit_transform(x)).diagonal()
    assert_allclose(variances, pca.explained_variance / (pca.explained_variance + 0.5))


def test_zca_is_the_symmetric_whitening():
    """Of all whitening matrices the only symmetric one; so images keep their shape and look."""
    x = images()
    zca = data.ZCA(eps=0)
    z = zca.fit_transform(x)
    assert z.shape == x.shape
    matrix = np.linalg.lstsq(flat(x) - flat(x).mean(0), flat(z), rcond=None)[0]
    assert_allclose(matrix, matrix.T, atol=1e-9)


def test_n_components():
    x = flat(images())
    full = data.PCA().fit_transform(x)
    assert_allclose(data.PCA(5).fit_transform(x), full[:, :5], atol=1e-12)
    pca = data.PCA(0.75).fit(x)
    shares = pca.explained_variance_ratio
    assert shares.sum() >= 0.75 > shares[:-1].sum()
    assert data.PCA().fit_transform(x[:4]).shape == (4, 4)
    few = data.PCA(5)
    with pytest.raises(errors.ArgumentError, match="n_components <= 4"):
        few.fit(x[:4])
    with pytest.raises(data.NotFittedError):
        few.transform(x)
    few.partial_fit(x[:4])  # more may come
    few.partial_fit(x[4:])
    assert few.transform(x).shape == (60, 5)


def test_min_max_as_scikit_learn():
    from sklearn.preprocessing import MinMaxScaler

    x = np.array([[0.0, 7.0, 3.0], [4.0, 7.0, -1.0]])
    for options in ({}, {"feature_range": (-1, 1)}, {"feature_range": (-1, 1), "clip": True}):
        theirs, ours = MinMaxScaler(**options).fit(x), data.MinMaxScaler(**options).fit(x)
        new = np.array([[5.0, 8.0, 0.0], [-1.0, 6.5, 1.0]])
        assert_allclose(ours.transform(new), theirs.transform(new), rtol=1e-12)
        assert_allclose(ours.inverse_transform(new), theirs.inverse_transform(new), rtol=1e-12)


def test_pca_as_scikit_learn():
    from sklearn.decomposition import PCA

    x = flat(images())
    theirs = PCA(6).fit(x)
    ours = data.PCA(6).fit(x)
    assert_allclose(ours.components, theirs.components_, atol=1e-10)
    assert_allclose(ours.transform(x), theirs.transform(x), atol=1e-10)
    assert_allclose(ours.explained_variance * 60 / 59, theirs.explained_variance_)
    assert_allclose(ours.explained_variance_ratio, theirs.explained_variance_ratio_)


@every_step
def test_inverse_transform_undoes(step):
    x = images()
    scaler = fresh(step).fit(x)
    if isinstance(step, data.PCA) and step.n_components is not None:
        # What is left out is the smallest error that any plane of this size has.
        back = scaler.inverse_transform(scaler.transform(x))
        lost = flat(x).var(0).sum() - scaler.explained_variance.sum()
        assert_allclose(((back - x) ** 2).sum() / len(x), lost)
    else:
        assert_allclose(scaler.inverse_transform(scaler.transform(x)), x, rtol=1e-8)


@every_step
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.uint8, np.int64])
def test_dtypes(step, dtype):
    x = (10 * images()).clip(0, 255).astype(dtype)
    before = x.copy()
    scaler = fresh(step).fit(x)
    z = scaler.transform(x)
    expected = np.dtype(dtype) if np.dtype(dtype).kind == "f" else np.float32
    assert z.dtype == expected and scaler.inverse_transform(z).dtype == expected
    assert_array_equal(x, before)
    assert all(a.dtype in (np.float64, np.int64) for a in scaler.state_dict().values())


@every_step
@pytest.mark.parametrize("sizes", [[1] * 60, [7, 13, 40], [59, 1]], ids=str)
def test_partial_fit_is_fit(step, sizes):
    x = images(dtype=np.float32)
    whole, parts = fresh(step).fit(x), fresh(step)
    for part in np.split(x, np.cumsum(sizes)[:-1]):
        assert parts.partial_fit(part) is parts
    ours, theirs = parts.state_dict(), whole.state_dict()
    for name in theirs:
        assert_allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-12, err_msg=name)
    assert_allclose(parts.transform(x), whole.transform(x), rtol=1e-4, atol=1e-5)


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    mean=st.sampled_from([0.0, 1e8, -1e5]),
    seed=st.integers(0, 100),
)
def test_variance_survives_a_large_mean(sizes, mean, seed):
    """The textbook's difference of two large numbers would lose every digit here."""
    x = mean + np.random.default_rng(seed).normal(size=(sum(sizes), 3))
    scaler = data.Standardizer()
    for part in np.split(x, np.cumsum(sizes)[:-1]):
        scaler.partial_fit(part)
    exact = np.array([[float(v) - mean for v in row] for row in x])  # exact, as Sterbenz says
    assert_allclose(scaler.mean[0] - mean, exact.mean(0), atol=1e-15 * abs(mean) + 1e-13)
    expected = np.where(len(x) == 1, 1.0, exact.std(0))
    assert_allclose(scaler.deviation[0], expected, rtol=1e-6 if mean else 1e-12)


@every_step
def test_blocks_are_seamless(step, monkeypatch):
    """Data sets beyond a block are measured in several."""
    x = images()
    once = fresh(step).fit(x).state_dict()
    monkeypatch.setattr(transformer_module, "_BLOCK", 100)
    again = fresh(step).fit(x).state_dict()
    for name in once:
        assert_allclose(again[name], once[name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "step",
    [data.Standardizer(), data.MinMaxScaler(), data.PCA(whiten=True, eps=0), data.ZCA(eps=0)],
    ids=repr,
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_features_stay_finite(step, dtype):
    x = np.stack([np.full(500, 0.1), np.linspace(1, 2, 500), np.full(500, 1e6)], 1).astype(dtype)
    scaler = fresh(step)
    for part in np.split(x, [3, 300]):
        scaler.partial_fit(part)
    z = scaler.transform(x)
    assert np.isfinite(z).all()
    if isinstance(step, data.PCA):
        assert_allclose(z[:, 1:], 0)
        assert_allclose(z[:, 0].std(), 1, rtol=1e-5)
    else:
        assert_allclose(z[:, [0, 2]], 0, atol=1e-6)
    assert_allclose(scaler.inverse_transform(z), x, rtol=1e-5)
    one = fresh(step).fit(x[:1])
    assert_allclose(one.transform(x[:1]), 0)


def test_a_deviation_too_small_for_the_dtype_divides_nothing():
    scaler = data.Standardizer().fit(np.array([[0.0], [1e-60]]))
    assert np.isfinite(scaler.transform(np.float32([[1.0]]))).all()


def test_dependent_features_are_no_direction_of_their_own():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(100, 2))
    z = data.PCA(whiten=True, eps=0).fit_transform(np.column_stack([a, a.sum(1), a[:, 0]]))
    assert_allclose(covariance(z), np.diag([1, 1, 0, 0]), atol=1e-9)
    many = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 30))
    z = data.PCA(whiten=True, eps=0).fit_transform(many)
    assert_allclose(covariance(z), np.diag([1] * 4 + [0] * 26), atol=1e-9)


@every_step
def test_before_fit(step):
    for call in (
        lambda s: s.transform(images()),
        lambda s: s.inverse_transform(images()),
        lambda s: s.state_dict(),
    ):
        with pytest.raises(data.NotFittedError, match=r"fit\(training_data\).*training part") as e:
            call(fresh(step))
        assert isinstance(e.value, (tg.TinygradError, RuntimeError))


@every_step
def test_statistics_are_those_of_the_training_part(step):
    x, other = images(), images(seed=1) + 5
    scaler = fresh(step).fit(x)
    before = scaler.state_dict()
    z = scaler.transform(other)
    assert_allclose(scaler.transform(other[:1]), z[:1], rtol=1e-9, atol=1e-12)
    assert scaler.transform(other[:0]).shape == (0, *z.shape[1:])
    for name, value in scaler.state_dict().items():
        assert_array_equal(value, before[name])
    assert fresh(step).fit(other).fit(x).state_dict().keys() == before.keys()
    assert_array_equal(fresh(step).fit(other).fit(x).transform(x), scaler.transform(x))


@every_step
def test_states_travel_through_a_file(step, tmp_path):
    x = images(dtype=np.float32)
    scaler = fresh(step).fit(x)
    np.savez(tmp_path / "state.npz", **scaler.state_dict())
    with np.load(tmp_path / "state.npz", allow_pickle=False) as file:
        loaded = fresh(step).load_state_dict(dict(file))
    assert_array_equal(loaded.transform(x), scaler.transform(x))
    z = scaler.transform(x)
    assert_array_equal(loaded.inverse_transform(z), scaler.inverse_transform(z))
    if isinstance(step, (data.PCA, data.ZCA)):
        with pytest.raises(errors.GraphError, match="call fit on all the data"):
            loaded.partial_fit(x)
        loaded.fit(x)
    else:
        loaded.partial_fit(x[:5])
        scaler.partial_fit(x[:5])
    assert_array_equal(loaded.transform(x), scaler.transform(x))


@every_step
def test_states_that_do_not_fit(step):
    good = fresh(step).fit(images()).state_dict()
    scaler = fresh(step)
    name = next(iter(good))
    bad = [
        ({}, "none"),
        (good | {"more": np.ones(1)}, "more"),
        ({k: v for k, v in good.items() if k != name}, name),
        (good | {list(good)[-1]: np.ones((2, 2, 2))}, "expected"),
        (good | {list(good)[-1]: np.full_like(good[list(good)[-1]], np.nan)}, "finite"),
    ]
    for state, message in bad:
        with pytest.raises(errors.StateDictError, match=message):
            scaler.load_state_dict(state)
        with pytest.raises(data.NotFittedError):
            scaler.transform(images())
    with pytest.raises(errors.ArgumentError, match="got list"):
        scaler.load_state_dict([])


@pytest.mark.parametrize(
    ("step", "state", "message"),
    [
        (data.Standardizer(), {"count": 0}, "count"),
        (data.Standardizer(), {"squares": -np.ones((1, 2))}, "squares >= 0"),
        (data.MinMaxScaler(), {"minimum": np.full((1, 2), 99.0)}, "minimum <= maximum"),
        (data.PCA(), {"explained_variance": -np.ones(2)}, "explained_variance >= 0"),
        (data.PCA(), {"components": np.ones((3, 3))}, "components of shape"),
        (data.ZCA(), {"components": np.ones((1, 2)), "explained_variance": np.ones(1)}, "all"),
    ],
)
def test_impossible_states(step, state, message):
    good = fresh(step).fit([[1.0, 2.0], [2.0, 5.0]]).state_dict()
    with pytest.raises(errors.StateDictError, match=message):
        fresh(step).load_state_dict(good | state)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_names_the_columns(value):
    x = np.ones((5, 4))
    x[1, 2] = x[3, 0] = x[4, 0] = value
    message = "columns 0, 2, in 3 of 5 samples"
    for step in (data.Standardizer(), data.MinMaxScaler(), data.PCA(), data.Center(axis=None)):
        with pytest.raises(errors.ArgumentError, match=message):
            step.fit(x)
        step.fit(np.eye(4))
        before = step.state_dict()
        with pytest.raises(errors.ArgumentError, match=f"partial_fit.*{message}"):
            step.partial_fit(x)
        with pytest.raises(errors.ArgumentError, match=f"transform.*{message}"):
            step.transform(x)
        assert all((value == before[k]).all() for k, value in step.state_dict().items())
    picture = np.zeros((2, 3, 2, 2))
    picture[:, 1, 1, 0] = value
    with pytest.raises(errors.ArgumentError, match=r"positions of shape \(3, 2, 2\) \(1, 1, 0\),"):
        data.ChannelMean().fit(picture)
    many = np.full((1, 9), value)
    with pytest.raises(errors.ArgumentError, match=r"columns 0, 1, 2, 3, 4 and 4 more"):
        data.Standardizer().fit(many)
    with pytest.raises(errors.ArgumentError, match="samples 1,"):
        data.Standardizer().fit(np.array([0, value]))


@every_step
def test_other_features_are_refused(step):
    scaler = fresh(step).fit(images())
    with pytest.raises(errors.ShapeError, match=r"expected shape \(n, .*as fitted"):
        scaler.transform(np.zeros((5, 36)))
    if scaler.get_params().get("axis", 0) == 0 and not isinstance(
        scaler, (data.ChannelMean, data.ChannelStandardizer)
    ):
        for call in (scaler.transform, scaler.partial_fit):
            with pytest.raises(errors.ShapeError, match=r"expected shape \(n, 3, 4, 3\)"):
                call(np.zeros((5, 3, 4, 4)))
    with pytest.raises(errors.ArgumentError, match="at least one sample"):
        scaler.fit(np.zeros((0, 3, 4, 3)))


@pytest.mark.parametrize("make", [data.MeanImage, data.ChannelMean, data.ChannelStandardizer])
def test_images_have_four_axes(make):
    with pytest.raises(errors.ShapeError, match=r"\(N, C, H, W\).*transpose"):
        make().fit(np.zeros((4, 36)))


@pytest.mark.parametrize("step", [data.ChannelMean(), data.ChannelStandardizer()], ids=repr)
def test_channel_statistics_are_of_any_size(step):
    x = images()
    scaler = fresh(step).fit(x)
    assert scaler.mean.shape == (1, 3, 1, 1)
    assert scaler.transform(np.zeros((2, 3, 9, 8))).shape == (2, 3, 9, 8)
    scaler.partial_fit(np.zeros((2, 3, 9, 8)))
    assert scaler.count == 60 * 12 + 2 * 72
    with pytest.raises(errors.ShapeError):
        scaler.transform(np.zeros((2, 1, 4, 3)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: data.Standardizer(axis="columns"), "axis"),
        (lambda: data.Standardizer(axis=True), "axis"),
        (lambda: data.Center(axis=(0, 1.5)), "axis"),
        (lambda: data.MinMaxScaler((1, 1)), "lower first"),
        (lambda: data.MinMaxScaler((0, np.inf)), "finite"),
        (lambda: data.MinMaxScaler(3), "two finite numbers"),
        (lambda: data.PCA(0), "n_components"),
        (lambda: data.PCA(1.0), "n_components"),
        (lambda: data.PCA(True), "n_components"),
        (lambda: data.PCA("mle"), "n_components"),
        (lambda: data.PCA(eps=-1), "eps"),
        (lambda: data.ZCA(eps=np.nan), "eps"),
        (lambda: data.ZCA().set_params(n_components=3), "expected one of eps"),
        (lambda: data.ZCA().set_params(eps=-1), "eps"),
        (lambda: data.Standardizer(axis=1).fit(np.zeros((2, 3))), "with 0"),
        (lambda: data.Standardizer(axis=(0, 0)).fit(np.zeros((2, 3))), "axis"),
    ],
)
def test_arguments_are_checked(make, message):
    with pytest.raises(errors.ArgumentError, match=message):
        make()


def test_changed_parameters_ask_for_a_new_fit():
    scaler = data.PCA(1).fit(np.eye(3))
    assert scaler.set_params() is scaler and scaler.components is not None
    assert scaler.set_params(n_components=2).components is None
    assert scaler.fit_transform(np.eye(3)).shape == (3, 2)


def test_clipping():
    scaler = data.MinMaxScaler((-1, 1), clip=True).fit([0.0, 4.0])
    assert scaler.transform([-9.0, 0.0, 1.0, 4.0, 5.0]).tolist() == [-1, -1, -0.5, 1, 1]


def test_lists_and_tensors_are_taken():
    assert data.Center().fit_transform(tg.tensor([1.0, 3.0])).tolist() == [-1, 1]
    assert data.PCA().fit([[1.0, 2.0], [3.0, 4.0], [0.0, 1.0]]).mean.shape == (2,)
    with pytest.raises(errors.ArgumentError, match="detach"):
        data.PCA().fit(tg.tensor([[1.0], [2.0]], requires_grad=True))


@every_step
def test_scikit_learn_copies_and_chains(step):
    from sklearn.base import clone
    from sklearn.pipeline import make_pipeline
    from sklearn.utils.validation import check_is_fitted

    x = images()
    copy = clone(fresh(step).fit(x))
    assert copy.get_params() == step.get_params() and repr(copy) == repr(step)
    with pytest.raises(data.NotFittedError):
        copy.transform(x)
    pipeline = make_pipeline(data.Center(), fresh(step))
    z = pipeline.fit(x).transform(x)
    check_is_fitted(pipeline)
    expected = fresh(step).fit_transform(data.Center().fit_transform(x))
    assert_array_equal(z, expected)


def test_scikit_learn_searches_parameters():
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline

    x, y = data.load_digits()
    chain = make_pipeline(data.Standardizer(), data.PCA(), LogisticRegression(max_iter=200))
    search = GridSearchCV(chain, {"pca__n_components": [1, 16]}, cv=2).fit(x[:400], y[:400])
    assert search.best_params_ == {"pca__n_components": 16} and search.best_score_ > 0.8


def test_scikit_learn_is_not_imported():
    """Its absence is noticed by nobody."""
    import subprocess

    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from tinygrad_cs import data\n"
        "print(data.PCA(1).fit([[1.0, 2.0], [3.0, 5.0]]).get_params()['n_components'])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "1"
