"""Initialisers: moments, structure, what they do to a deep net, what they refuse."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.engine import errors
from tinygrad_cs.nn import init


def zeros(*shape, dtype="float32"):
    return nn.Parameter(np.zeros(shape, dtype))


# What is drawn


LAWS = {
    "lecun_normal_": (init.lecun_normal_, lambda i, o: 1 / i),
    "lecun_uniform_": (init.lecun_uniform_, lambda i, o: 1 / i),
    "xavier_normal_": (init.xavier_normal_, lambda i, o: 2 / (i + o)),
    "xavier_uniform_": (lambda w: init.xavier_uniform_(w, 5 / 3), lambda i, o: 50 / 9 / (i + o)),
    "kaiming_normal_": (init.kaiming_normal_, lambda i, o: 2 / i),
    "kaiming_uniform_": (lambda w: init.kaiming_uniform_(w, mode="fan_out"), lambda i, o: 2 / o),
    "kaiming_uniform_, slope": (lambda w: init.kaiming_uniform_(w, 5**0.5), lambda i, o: 1 / 3 / i),
    "kaiming_normal_, slope": (
        lambda w: init.kaiming_normal_(w, 0.2, nonlinearity="leaky_relu"),
        lambda i, o: 2 / 1.04 / i,
    ),
    "kaiming_normal_, tanh": (
        lambda w: init.kaiming_normal_(w, nonlinearity="tanh"),
        lambda i, o: 25 / 9 / i,
    ),
    "normal_": (lambda w: init.normal_(w, std=0.3), lambda i, o: 0.09),
    "uniform_": (lambda w: init.uniform_(w, -0.3, 0.3), lambda i, o: 0.03),
}


@pytest.mark.parametrize("shape", [(300, 100), (100, 300), (50, 20, 30), (50, 20, 6, 6)])
@pytest.mark.parametrize("law", LAWS)
def test_moments(law, shape):
    tg.manual_seed(0)
    draw, variance = LAWS[law]
    w = draw(zeros(*shape))
    receptive = math.prod(shape[2:])
    expected = variance(shape[1] * receptive, shape[0] * receptive)
    assert w.shape == shape and w.dtype == np.float32
    standard = w.data.astype(float).ravel() / math.sqrt(expected)
    n = standard.size
    assert abs(standard.mean()) < 4 / math.sqrt(n)
    kurtosis = 9 / 5 if "uniform" in law else 3.0
    assert abs(standard.var() - 1) < 4 * math.sqrt((kurtosis - 1) / n)
    assert_allclose((standard**4).mean(), kurtosis, rtol=0.15)
    if "uniform" in law:
        assert 0.999 * 3**0.5 < abs(standard).max() < 3**0.5 * (1 + 1e-6)


def test_in_place_and_returned():
    w = zeros(3, 3)
    optimizer = tg.optim.SGD([w])  # the parameter is a view of the optimizer's memory from now on
    for name in init.__all__:
        if name.endswith("_") and name != "dirac_":
            arguments = (1.0,) if name == "constant_" else ()
            assert getattr(init, name)(w, *arguments) is w
    init.constant_(w, 2.0)
    w.grad = np.ones((3, 3), "float32")
    optimizer.step()
    assert_allclose(w.data, 2 - 1e-3)


def test_a_seed_repeats():
    for name in ("normal_", "uniform_", "trunc_normal_", "orthogonal_", "kaiming_normal_"):
        drawn = []
        for seed in (1, 1, 2):
            tg.manual_seed(seed)
            drawn.append(getattr(init, name)(zeros(3, 4)).data)
        assert_array_equal(drawn[0], drawn[1])
        assert (drawn[0] != drawn[2]).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("mean", "std", "a", "b"),
    [
        (0, 1, -2, 2),
        (0, 0.02, -0.04, 0.04),
        (1, 2, 0.1, 0.3),
        (0, 1, 0, math.inf),
        (0, 1, -math.inf, 0.5),
        (0, 1, 3, 5),
        (10, 1, 0.1, 4.3),
        (0, 1, -100, 100),
    ],
)
def test_truncated_normal(mean, std, a, b, dtype):
    tg.manual_seed(0)
    w = init.trunc_normal_(zeros(100, 200, dtype=dtype), mean, std, a, b).data
    law = stats.truncnorm((a - mean) / std, (b - mean) / std, mean, std)
    assert w.dtype == dtype and w.min() >= a and w.max() <= b
    assert stats.kstest(w.ravel(), law.cdf).pvalue > 1e-3
    assert_allclose(w.mean(dtype=float), law.mean(), atol=5 * law.std() / math.sqrt(w.size))
    assert_allclose(w.std(dtype=float), law.std(), rtol=0.03)


def test_truncated_at_two_deviations():
    tg.manual_seed(0)
    density = math.exp(-2) / math.sqrt(2 * math.pi)
    expected = math.sqrt(1 - 4 * density / math.erf(math.sqrt(2)))
    assert round(expected, 2) == 0.88
    assert_allclose(init.trunc_normal_(zeros(300, 300)).data.std(), expected, rtol=0.01)


def test_truncated_without_spread():
    assert_array_equal(init.trunc_normal_(zeros(2), 7.0, 0.0).data, [2, 2])


@pytest.mark.parametrize("gain", [1.0, 5 / 3])
@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4), (8, 3, 3, 3), (64, 3, 3), (1, 5)])
def test_orthogonal(shape, gain):
    tg.manual_seed(0)
    w = init.orthogonal_(zeros(*shape, dtype="float64"), gain).data.reshape(shape[0], -1)
    rows, columns = w.shape
    square = w @ w.T if rows <= columns else w.T @ w
    assert_allclose(square, gain**2 * np.eye(min(rows, columns)), atol=1e-12)


def test_every_orthogonal_matrix_is_equally_likely():
    tg.manual_seed(0)
    drawn = np.array([init.orthogonal_(zeros(3, 3, dtype="float64")).data for _ in range(2000)])
    # the entries of such a matrix have mean 0 and variance 1/3, its trace variance 1
    assert abs(drawn.mean(0)).max() < 4 / math.sqrt(3 * 2000)
    assert_allclose(drawn.var(0), 1 / 3, rtol=0.1)
    trace = drawn.trace(axis1=1, axis2=2)
    assert abs(trace.mean()) < 0.1 and abs(trace.var() - 1) < 0.15


@pytest.mark.parametrize("groups", [1, 2])
def test_dirac_passes_channels_on(groups):
    x = np.random.default_rng(0).normal(size=(2, 4, 5, 5))
    w = init.dirac_(zeros(4, 4 // groups, 3, 3, dtype="float64"), groups)
    assert_array_equal(nn.functional.conv2d(x, w, padding=1, groups=groups).data, x)


def test_constants():
    assert_array_equal(init.eye_(zeros(2, 3)).data, [[1, 0, 0], [0, 1, 0]])
    assert_array_equal(init.ones_(zeros(2)).data, [1, 1])
    assert_array_equal(init.constant_(zeros(), 3).data, 3)


def test_empty_weights():
    for law in (*(draw for draw, _ in LAWS.values()), init.orthogonal_, init.trunc_normal_):
        for shape in ((0, 3), (3, 0)):
            assert law(zeros(*shape)).shape == shape


def test_gains():
    second_moment = {
        "relu": lambda z: np.maximum(z, 0),
        "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
        "gelu": lambda z: z * stats.norm.cdf(z),
        "silu": lambda z: z / (1 + np.exp(-z)),
        "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    }
    z = np.linspace(-12, 12, 200_001)
    density = stats.norm.pdf(z) * (z[1] - z[0])
    for name, f in second_moment.items():
        expected = 1 / math.sqrt((f(z) ** 2 * density).sum())
        assert_allclose(init.calculate_gain(name), expected, rtol=1e-5, err_msg=name)
    assert init.calculate_gain("leaky_relu", 1.0) == 1.0
    assert init.calculate_gain("leaky_relu", 0.0) == init.calculate_gain("relu")


# What it does to a deep net


DEPTH, WIDTH = 20, 500


def relu(x):
    return np.maximum(x, 0)


def selu(x):
    return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))


def through(draw, activation, width=WIDTH):
    """The activations of every layer."""
    tg.manual_seed(0)
    x = np.random.default_rng(1).normal(size=(100, width))
    layers = [x]
    for _ in range(DEPTH):
        w = draw(zeros(width, width, dtype="float64")).data
        layers.append(activation(layers[-1] @ w.T))
    return layers


def per_layer(layers):
    """The factor by which the second moment changes at a layer, in the geometric mean."""
    return ((layers[-1] ** 2).mean() / (layers[1] ** 2).mean()) ** (1 / (DEPTH - 1))


# In a relu net of width n the second moment of one layer varies by sqrt(5 / n); four times that.
NOISE = 4 * math.sqrt(5 / WIDTH / DEPTH)


@pytest.mark.parametrize("draw", [init.kaiming_normal_, init.kaiming_uniform_])
def test_relu_with_he_keeps_the_scale(draw):
    assert abs(per_layer(through(draw, relu)) - 1) < NOISE


@pytest.mark.parametrize("draw", [init.xavier_normal_, init.xavier_uniform_, init.lecun_normal_])
def test_relu_with_xavier_halves_the_variance_at_every_layer(draw):
    assert_allclose(per_layer(through(draw, relu)), 0.5, rtol=NOISE)


def test_tanh_with_xavier_keeps_the_scale():
    last = through(init.xavier_normal_, np.tanh)[-1]
    # the fixed point is 0, approached as 1 / (2 depth); the gain 5/3 has one far from 0
    assert 0.1 < last.std() < 0.2
    assert 0.6 < through(lambda w: init.xavier_normal_(w, 5 / 3), np.tanh)[-1].std() < 0.7


def test_tanh_with_small_weights_collapses():
    layers = through(lambda w: init.normal_(w, std=0.01), np.tanh)
    # each layer multiplies the variance by n 0.01^2
    assert_allclose(per_layer(layers), WIDTH * 0.01**2, rtol=0.1)
    assert layers[-1].std() < 1e-9


def test_tanh_with_large_weights_saturates():
    last = through(lambda w: init.normal_(w, std=1.0), np.tanh)[-1]
    assert (abs(last) > 0.99).mean() > 0.9


@pytest.mark.parametrize("draw", [init.lecun_normal_, init.lecun_uniform_])
def test_selu_with_lecun_normalises_itself(draw):
    for layer in through(draw, selu)[1:]:
        assert abs(layer.mean()) < 0.1 and abs(layer.var() - 1) < 0.2


def test_orthogonal_keeps_lengths_and_angles_exactly():
    layers = through(init.orthogonal_, lambda x: x, width=50)
    assert_allclose(layers[-1] @ layers[-1].T, layers[0] @ layers[0].T, atol=1e-9)


@pytest.mark.parametrize("draw", [lambda w: init.constant_(w, 0.3), init.zeros_])
def test_equal_weights_never_become_different(draw):
    tg.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    init.apply(net, draw)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.integers(2, size=20)
    net.load_state_dict(net.state_dict())
    optimizer = tg.optim.SGD(net.parameters(), lr=0.5)
    for _ in range(10):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x.astype("float32")), y).backward()
        grad = net[0].weight.grad
        assert_allclose(grad, np.tile(grad[:1], (5, 1)), rtol=1e-5)
        optimizer.step()
    hidden = net[0].weight.data
    assert_allclose(hidden, np.tile(hidden[:1], (5, 1)), rtol=1e-5)
    init.apply(net)
    assert np.ptp(net[0].weight.data, axis=0).min() > 0.1


REFUSED = [
    (lambda: init.normal_(np.zeros(3)), errors.DTypeError, "normal_: expected a parameter .* nd"),
    (lambda: init.zeros_(tg.tensor([1, 2])), errors.DTypeError, "a floating dtype, got int"),
    (lambda: init.normal_(zeros(2), std=-1), errors.ArgumentError, "std must be 0 or more, got -1"),
    (lambda: init.uniform_(zeros(2), 1, 0), errors.ArgumentError, "a=1 and b=0"),
    (lambda: init.trunc_normal_(zeros(2), a=2), errors.ArgumentError, "a must be below b"),
    (
        lambda: init.trunc_normal_(zeros(2), a=9, b=math.inf),
        errors.ArgumentError,
        "give finite bounds",
    ),
    (lambda: init.lecun_normal_(zeros(3)), errors.ShapeError, r"axes or more, got \(3,\); for a b"),
    (lambda: init.orthogonal_(zeros(3)), errors.ShapeError, r"two axes or more, got \(3,\)"),
    (lambda: init.eye_(zeros(2, 2, 2)), errors.ShapeError, "for a convolution write dirac_"),
    (lambda: init.dirac_(zeros(2, 2)), errors.ShapeError, r"expected kernels .* got \(2, 2\)"),
    (lambda: init.dirac_(zeros(3, 2, 1), 2), errors.ArgumentError, "groups=2 does not divide 3"),
    (
        lambda: init.kaiming_normal_(zeros(2, 2), "fan_out"),
        errors.ArgumentError,
        "write mode='fan_out'",
    ),
    (lambda: init.kaiming_normal_(zeros(2, 2), 0, "in"), errors.ArgumentError, "got 'in'"),
    (lambda: init.calculate_gain("swich"), errors.ArgumentError, "got 'swich'"),
    (lambda: init.calculate_gain("leaky_rleu"), errors.ArgumentError, "mean 'leaky_relu'"),
]


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED, ids=[row[2] for row in REFUSED])
def test_refused(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
