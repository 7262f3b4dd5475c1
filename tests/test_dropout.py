"""Layers that draw random numbers: what they are on average, at the ends, and in evaluation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.engine import errors
from tinygrad_cs.nn import functional as F


def leaf(array, dtype="float64"):
    return tg.tensor(np.array(array, dtype), requires_grad=True)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def with_identity(layer):
    """A linear layer from 3 to 3, some of which then is x itself."""
    layer.weight.data = np.float32([[1, 2, 0], [0, 1, 0], [0, 0, -1]])
    return layer


X = normal(2, 3).astype("float32")
IMAGE = normal(2, 3, 2, 2).astype("float32")

STOCHASTIC = {
    "Dropout": (lambda: nn.Dropout(0.3), X),
    "Dropout2d": (lambda: nn.Dropout2d(0.3), IMAGE),
    "PlainDropout": (lambda: nn.PlainDropout(0.3), X),
    "DropConnect": (lambda: with_identity(nn.DropConnect(3, 3, p=0.3)), X),
    "StochasticDepth": (lambda: nn.StochasticDepth(with_identity(nn.Linear(3, 3)), 0.3), X),
    "rows": (lambda: nn.StochasticDepth(with_identity(nn.Linear(3, 3)), 0.3, mode="row"), X),
    "a linear map of dropout": (
        lambda: nn.Sequential(nn.Dropout(0.5), with_identity(nn.Linear(3, 3))),
        X,
    ),
}
every = pytest.mark.parametrize("name", STOCHASTIC)


@every
def test_the_average_over_masks_is_the_evaluation(name):
    """Within five standard errors, in the value and in the gradient."""
    make, x = STOCHASTIC[name]
    layer, n = make(), 3000
    tg.manual_seed(0)
    outs, slopes = [], []
    for _ in range(n):
        t = leaf(x, "float32")
        out = layer(t)
        out.backward(np.ones(out.shape, "float32"))
        outs.append(out.data)
        slopes.append(t.grad)
    t = leaf(x, "float32")
    expected = layer.eval()(t)
    expected.backward(np.ones(expected.shape, "float32"))
    for drawn, value in ((outs, expected.data), (slopes, t.grad)):
        drawn = np.array(drawn, "float64")
        error = drawn.std(axis=0) / np.sqrt(n)
        assert (error > 0).any()
        assert (abs(drawn.mean(axis=0) - value) < 5 * error + 1e-5).all()


@every
def test_fresh_masks_that_a_seed_repeats(name):
    make, x = STOCHASTIC[name]
    layer = make()
    tg.manual_seed(1)
    first = [layer(tg.tensor(x)).data for _ in range(10)]
    tg.manual_seed(1)
    again = [layer(tg.tensor(x)).data for _ in range(10)]
    for a, b in zip(first, again, strict=True):
        assert_array_equal(a, b)
    assert any(not np.array_equal(first[0], other) for other in first[1:])


def test_averaging_all_masks_of_a_linear_layer_is_evaluation_exactly():
    """Over the 2^n masks of equal probability, not by sampling."""
    layer = with_identity(nn.Linear(3, 3))
    masks = np.array([[k >> i & 1 for i in range(3)] for k in range(8)], "float32")
    outs = [layer(X * (mask / 0.5)).data for mask in masks]
    assert_allclose(np.mean(outs, axis=0), layer(X).data, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("p", [0.05, 0.2, 0.5, 0.9])
def test_alpha_dropout_keeps_mean_and_variance(p):
    tg.manual_seed(0)
    x = normal(400_000)
    y = F.alpha_dropout(x, p, training=True)
    assert abs(y.mean()) < 0.01
    assert abs(y.var() - 1) < 0.02
    values, counts = np.unique(y, return_counts=True)
    assert_allclose(counts.max() / y.size, p, atol=0.005)  # all that is off has the same value
    q, low = 1 - p, -1.7580993408473766
    a = (q + low**2 * q * p) ** -0.5
    assert_allclose(values[counts.argmax()], a * low * (1 - p), rtol=1e-12)


def test_alpha_dropout_is_affine_where_it_keeps():
    tg.manual_seed(3)
    x = leaf(normal(50))
    y = F.alpha_dropout(x, 0.4, training=True)
    y.sum().backward()
    kept = x.grad != 0
    assert 0 < kept.sum() < 50
    slopes = np.unique(x.grad[kept])
    assert slopes.size == 1
    offsets = (y.data - slopes[0] * x.data)[kept]
    assert_allclose(offsets, offsets[0], rtol=1e-12)


def test_dropout2d_leaves_out_whole_channels():
    tg.manual_seed(0)
    y = F.dropout2d(np.ones((50, 20, 3, 2)), 0.25)
    means = y.mean((2, 3))
    assert set(np.unique(y)) == {0, 1 / 0.75}
    assert_allclose(np.unique(means), [0, 1 / 0.75])
    assert_allclose((means == 0).mean(), 0.25, atol=0.05)


def test_plain_dropout_scales_in_evaluation():
    x = np.ones(1000)
    tg.manual_seed(0)
    y = F.plain_dropout(x, 0.2)
    assert set(np.unique(y)) == {0, 1}
    assert_allclose(y.mean(), 0.8, atol=0.05)
    assert_allclose(F.plain_dropout(x, 0.2, training=False), 0.8)
    assert_array_equal(nn.PlainDropout(0.25).eval()(x), 0.75)


def test_drop_connect_leaves_out_weights_and_keeps_the_bias():
    tg.manual_seed(0)
    layer = nn.DropConnect(200, 100, p=0.25)
    layer.weight.data = np.ones((100, 200), "float32")
    layer.bias.data = np.ones(100, "float32")
    layer(np.eye(200, dtype="float32")).sum().backward()
    assert_allclose(np.unique(layer.weight.grad), [0, 1 / 0.75], rtol=1e-6)
    assert_allclose((layer.weight.grad == 0).mean(), 0.25, atol=0.02)
    out = nn.DropConnect(3, 2, p=1.0)(X)
    assert_array_equal(out.data, 0)


ENDS = {
    "dropout": F.dropout,
    "dropout2d": lambda x, p: F.dropout2d(tg.reshape(x, (1, -1, 1, 1)), p),
    "alpha_dropout": lambda x, p: F.alpha_dropout(x, p, training=True),
    "plain_dropout": F.plain_dropout,
    "batch": F.stochastic_depth,
    "row": lambda x, p: F.stochastic_depth(x, p, mode="row"),
    "drop_connect": lambda x, p: F.drop_connect(np.ones((1, 1)), tg.reshape(x, (-1, 1)), p=p),
}


@pytest.mark.parametrize("form", ENDS)
def test_nothing_and_everything_left_out(form):
    """p = 0 is the identity, p = 1 gives zeros with gradient 0, whatever the values are."""
    x = leaf([1.0, -2.0, 3.0])
    out = ENDS[form](x, 0)
    assert_array_equal(out.data.ravel(), x.data)
    wild = leaf([np.inf, np.nan, 3.0]) if form != "drop_connect" else x
    gone = ENDS[form](wild, 1)
    assert_array_equal(gone.data, 0)
    gone.sum().backward()
    assert_array_equal(wild.grad, 0)


def test_what_is_left_out_is_dead():
    """Infinite derivatives behind an entry that was left out do not become NaN."""
    tg.manual_seed(0)
    x = leaf(np.zeros(2000))
    out = F.dropout(tg.sqrt(x), 0.5)
    with np.errstate(all="ignore"):
        out.sum().backward()
    assert set(np.unique(x.grad)) == {0, np.inf}


def test_float16_and_layouts():
    for dtype in ("float16", "float32", "float64"):
        x = np.asfortranarray(np.ones((40, 30), dtype))
        for out in (F.dropout(x), F.alpha_dropout(x, training=True), F.plain_dropout(x)):
            assert out.dtype == dtype
        assert F.dropout(x[::2, ::-1]).shape == (20, 30)
    assert F.dropout(np.ones((0, 3))).shape == (0, 3)
    assert F.dropout(tg.tensor(1.0), 0.5).shape == ()
    assert F.dropout([1.0, 2.0], 0.5).shape == (2,)


@pytest.mark.parametrize("form", ENDS)
def test_numpys_numbers_are_probabilities_too(form):
    """And float32 stays float32 beside them."""
    x = leaf([1.0, 2.0], "float32")
    if form != "drop_connect":
        assert ENDS[form](x, np.float64(0.5)).dtype == np.float32
    for kind in (nn.Dropout, nn.AlphaDropout, nn.PlainDropout):
        for training in (True, False):
            assert kind(np.float64(0.25)).train(training)(x).dtype == np.float32
    assert_allclose(F.plain_dropout([2.0, 4.0], 0.25, training=False).data, [1.5, 3.0])


def test_residual_adds_and_passes_gradients_beside():
    block = with_identity(nn.Linear(3, 3))
    layer, x = nn.Residual(block), leaf(X, "float32")
    out = layer(x)
    assert_allclose(out.data, X + block(X).data, rtol=1e-6)
    out.sum().backward()
    assert_allclose(x.grad, 1 + np.ones((2, 3)) @ block.weight.data, rtol=1e-6)
    projected = nn.Residual(nn.Linear(3, 2), nn.Linear(3, 2, bias=False))
    assert set(projected.state_dict()) == {"block.weight", "block.bias", "shortcut.weight"}
    assert_array_equal(nn.Residual(abs)(np.array([-1.0])), [0.0])


def test_stochastic_depth_by_batch_skips_the_block():
    calls = []

    def block(x):
        calls.append(1)
        return x

    tg.manual_seed(0)
    layer = nn.StochasticDepth(block, 0.25)
    outs = np.array([layer(np.ones(1)).item() for _ in range(400)])
    assert_allclose(np.unique(outs), [1, 1 + 1 / 0.75])
    assert len(calls) == (outs > 1).sum()
    assert_allclose((outs == 1).mean(), 0.25, atol=0.07)
    assert layer.eval()(np.ones(1)).item() == 2


def test_stochastic_depth_by_row():
    tg.manual_seed(0)
    out = nn.StochasticDepth(lambda x: x, 0.25, mode="row")(np.ones((400, 3)))
    assert_allclose(np.unique(out), [1, 1 + 1 / 0.75])
    assert_array_equal(out, out[:, :1] * np.ones((1, 3)))


def test_a_block_left_out_has_no_gradient():
    layer = nn.StochasticDepth(nn.Linear(3, 3), 1.0)
    x = leaf(X, "float32")
    for mode in ("batch", "row"):
        layer.mode = mode
        layer(x).sum().backward()
    assert all(p.grad is None for p in layer.parameters())
    assert_array_equal(x.grad, 2)


def test_state_of_a_stochastic_block_is_that_of_a_residual():
    block = nn.StochasticDepth(nn.Linear(3, 3), 0.5)
    plain = nn.Residual(nn.Linear(3, 3))
    plain.load_state_dict(block.state_dict())
    assert_array_equal(plain(X).data, block.eval()(X).data)


def test_linear_decay():
    assert nn.linear_decay(4) == [0.125, 0.25, 0.375, 0.5]
    assert nn.linear_decay(2, final_survival=1.0) == [0, 0]
    assert nn.linear_decay(1, 0) == [1]


def test_dropout_before_batch_norm_shifts_the_variance():
    """The failure the docstrings warn of: evaluation sees another variance than training."""
    tg.manual_seed(0)
    x = (1 + normal(2000, 3)).astype("float32")
    before = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(3, momentum=1.0))
    behind = nn.Sequential(nn.BatchNorm1d(3, momentum=1.0), nn.Dropout(0.5))
    for net in (before, behind):
        net(x)
        net.eval()
    assert before(x).data.var() < 0.5
    assert_allclose(behind(x).data.var(), 1, atol=0.01)


A, S = errors.ArgumentError, errors.ShapeError
REFUSALS = [
    (lambda: nn.Dropout(1.5), A, "Dropout: p is a probability from 0 to 1, got 1.5"),
    (lambda: nn.AlphaDropout(-0.1), A, "AlphaDropout.*-0.1"),
    (lambda: nn.Dropout2d("half"), A, "Dropout2d.*half"),
    (lambda: nn.DropConnect(2, 2, p=np.nan), A, "DropConnect.*nan"),
    (lambda: nn.DropConnect(0, 2), A, "whole number of 1 or more"),
    (lambda: nn.PlainDropout(None), A, "PlainDropout"),
    (lambda: F.alpha_dropout(X, 2), A, "alpha_dropout.*got 2"),
    (lambda: F.dropout2d(X), S, r"\(N, C, H, W\).*got \(2, 3\)"),
    (lambda: F.dropout2d(X, training=False), S, "dropout2d"),
    (lambda: F.drop_connect(X, np.ones((2, 4))), S, "linear"),
    (lambda: F.stochastic_depth(X, 0.5, "col"), A, "mode is 'batch' or 'row'.*'col'"),
    (lambda: F.stochastic_depth(1.0, 0.5, "row"), S, "needs samples"),
    (lambda: nn.StochasticDepth(abs, 0.5, mode="all"), A, "'all'"),
    (lambda: nn.StochasticDepth(nn.Residual(abs), 0.5), A, "adds the shortcut itself"),
    (lambda: nn.StochasticDepth(abs, 3), A, "probability"),
    (lambda: nn.Residual(nn.Tanh), A, "block must be a module or function, got Tanh"),
    (lambda: nn.Residual(None), A, "block must be"),
    (lambda: nn.Residual(abs, 3), A, "shortcut must be a module or function, got 3"),
    (lambda: nn.Residual(nn.Linear(3, 2))(X), S, r"gave \(2, 2\), the input \(2, 3\).*projection"),
    (
        lambda: nn.Residual(nn.Linear(3, 2), nn.Linear(3, 1))(X),
        S,
        r"gave \(2, 2\), the shortcut \(2, 1\)",
    ),
    (lambda: nn.linear_decay(0), A, "blocks.*got 0"),
    (lambda: nn.linear_decay(2, 1.5), A, "linear_decay.*1.5"),
]


@pytest.mark.parametrize(("call", "kind", "message"), REFUSALS)
def test_refusals(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
