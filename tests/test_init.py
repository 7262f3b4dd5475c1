"""Initialisers: moments, structure, what they do to a deep net; and `init.apply`."""

import math

import numpy as np
import pytest
from module_cases import CASES
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


# A whole model


def rules(model, *arguments, **options):
    """The rule of every weight, by name."""
    report = init.apply(model, *arguments, **options)
    assert [entry.name for entry in report] == [name for name, _ in model.named_parameters()]
    for entry, parameter in zip(report, model.parameters(), strict=True):
        assert_allclose(entry.std, parameter.data.astype(float).std(), atol=1e-7)
    return {entry.name.removesuffix(".weight"): entry.rule for entry in report}


def linear():
    return nn.Linear(300, 200, bias=False)


def test_apply_looks_at_what_follows():
    tg.manual_seed(0)
    net = nn.Sequential(
        *(linear(), nn.ReLU()),
        *(linear(), nn.LayerNorm(200), nn.Sequential(nn.Tanh())),
        *(linear(), tg.sigmoid),
        *(linear(), nn.SELU()),
        nn.Sequential(nn.Sequential(linear()), nn.LayerNorm(200)),
        nn.LeakyReLU(0.5),
        *(linear(), linear(), lambda x: x, linear()),
    )
    given = rules(net)
    names = ["0", "2", "5", "7", "9.0.0", "11", "12", "14"]
    what = ["He, for relu", "Xavier, for tanh", "Xavier, for sigmoid", "LeCun, for selu"]
    what += ["He, for leaky_relu", "LeCun", "He, for relu", "LeCun"]
    assert [given[name] for name in names] == what
    assert [given[name] for name in ("3", "3.bias", "9.1")] == ["ones", "zeros", "ones"]
    variances = [2 / 300, 50 / 9 / 500, 2 / 500, 1 / 300, 2 / 1.25 / 300, 1 / 300, 2 / 300, 1 / 300]
    layers = dict(net.named_modules())
    for name, variance in zip(names, variances, strict=True):
        assert_allclose(layers[name].weight.data.var(), variance, rtol=0.04, err_msg=name)
    assert_array_equal(net[3].weight.data, np.ones(200))
    assert_array_equal(net[3].bias.data, np.zeros(200))
    assert {name for name, rule in given.items() if "left" in rule} == set()


class Net(nn.Module):
    """Which activation is between the layers only its forward knows."""

    def __init__(self):
        self.scale = nn.Parameter([5.0])
        self.first = nn.Linear(30, 20)


class Body(nn.Module):
    def __init__(self):
        self.first = linear()
        self.act = nn.Tanh()
        self.second = linear()
        self.third = linear()


def test_apply_to_modules_with_a_forward_of_their_own():
    assert list(rules(Body()).values()) == ["He, for relu", "He, for relu", "LeCun"]
    given = rules(Body(), activation="tanh")
    assert list(given.values()) == ["Xavier, for tanh", "Xavier, for tanh", "LeCun"]
    net = Net()
    before = net.state_dict()
    # it uses a weight of its own: nobody else knows how
    assert list(rules(net).values()) == ["left as it was"] * 3
    assert_array_equal(net.state_dict()["first.weight"], before["first.weight"])


def test_apply_puts_biases_where_they_help():
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))
    init.constant_(net[4].bias, 9.0)
    report = init.apply(net, bias=0.01)
    assert [float(net[i].bias.data[0]) for i in (0, 2, 4)] == [np.float32(0.01), 0.0, 0.0]
    assert [entry.rule for entry in report][1::2] == ["constant 0.01", "constant 0", "constant 0"]


def test_apply_one_scheme_and_overrides():
    tg.manual_seed(0)
    net = nn.Sequential(linear(), nn.ReLU(), nn.Sequential(linear(), linear()), linear())
    sparse = lambda w: init.constant_(w, 0.0)  # noqa: E731
    chosen = {"2": "lecun_uniform_", "2.1": sparse, "3": "orthogonal"}
    given = rules(net, "xavier_uniform", overrides=chosen)
    assert list(given.values()) == ["xavier_uniform", "lecun_uniform", "<lambda>", "orthogonal"]
    assert_allclose(abs(net[0].weight.data).max(), math.sqrt(6 / 500), rtol=1e-3)
    assert_allclose(net[3].weight.data @ net[3].weight.data.T, np.eye(200), atol=1e-5)
    assert not net[2][1].weight.data.any()


def test_apply_to_one_layer_and_to_shared_weights():
    assert rules(nn.Linear(3, 2)) == {"weight": "LeCun", "bias": "constant 0"}
    net = nn.Sequential(linear(), nn.ReLU(), nn.Linear(200, 300, bias=False))
    net[2].weight = net[0].weight
    assert rules(net) == {"0": "He, for relu"}


def test_apply_to_embeddings():
    tg.manual_seed(0)
    net = nn.Sequential(nn.Embedding(50, 100, padding_idx=3), nn.Embedding(50, 100))
    assert rules(net) == {"0": "normal", "1": "normal"}
    assert not net[0].weight.data[3].any()
    assert_allclose([net[i].weight.data[4:].std() for i in (0, 1)], [1, 1], rtol=0.05)


def test_apply_overrides_any_layer_by_its_own_name():
    tg.manual_seed(0)
    net = nn.Sequential(nn.Embedding(50, 100), nn.LayerNorm(100), nn.Linear(100, 1))
    given = rules(net, overrides={"": init.zeros_, "0": lambda w: init.normal_(w, std=0.02)})
    assert given["0"] == "<lambda>" and given["1"] == "ones" and given["2"] == "zeros"
    assert_allclose(net[0].weight.data.std(), 0.02, rtol=0.05)


def test_apply_knows_the_stride_of_a_transposed_convolution():
    """An output of stride s sums in K / (groups s) products, which the scale has to follow."""
    tg.manual_seed(0)
    layer = nn.ConvTranspose2d(64, 32, 4, stride=2, groups=2)
    init.apply(nn.Sequential(layer))
    assert_allclose(layer.weight.data.var(), 1 / (64 / 2 * 16 / 4), rtol=0.05)
    x = np.random.default_rng(0).normal(size=(1, 64, 30, 30)).astype("float32")
    y = layer(x).data
    assert_allclose(y[:, :, 5:-5, 5:-5].var(), 1, rtol=0.1)


def test_apply_starts_residual_blocks_as_the_identity():
    tg.manual_seed(0)

    def block():
        return nn.Residual(
            nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4), nn.Sequential())
        )

    net = nn.Sequential(block(), block())
    given = rules(net, zero_last=True, bias=0.5)
    zero = {name for name, rule in given.items() if rule == "zeros (last of a block)"}
    assert zero == {f"{i}.block.2{end}" for i in (0, 1) for end in ("", ".bias")}
    assert given["0.block.0"] == "He, for relu" and net[0].block[0].bias.data[0] == 0.5
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    assert_array_equal(net(x).data, x)
    init.apply(net)
    assert (net(x).data != x).any()


def test_apply_beside_a_shortcut():
    block = nn.Sequential(nn.Tanh(), nn.Linear(4, 4))
    net = nn.Sequential(nn.Residual(block, shortcut=nn.Linear(4, 4)), nn.ReLU(), nn.Linear(4, 1))
    given = rules(net, zero_last=True)
    assert given["0.shortcut"] == "LeCun"
    assert given["0.block.1"] == "zeros (last of a block)"
    assert rules(net)["0.block.1"] == "He, for relu"


@pytest.mark.parametrize("case", CASES, ids=lambda case: type(case.make(nn)).__name__)
def test_apply_takes_every_module(case):
    layer = case.make(nn)
    before, given = layer.state_dict(), rules(layer, bias=0.1)
    for name, value in layer.state_dict().items():
        if given.get(name.removesuffix(".weight")) == "left as it was":
            assert_array_equal(value, before[name])


def test_apply_zeroes_a_normalisation_that_ends_a_block():
    net = nn.Residual(nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)))
    given = rules(net, zero_last=True)
    assert given["block.0"] == "LeCun" and given["block.1"] == "zeros (last of a block)"


def test_report():
    tg.manual_seed(0)
    report = init.apply(nn.Sequential(nn.Linear(2, 2), nn.Tanh()), init.eye_)
    assert repr(report).splitlines() == [
        "parameter  rule        std",
        "0.weight   eye         0.5",
        "0.bias     constant 0  0",
    ]
    net = nn.Linear(2, 3)
    net.bias = nn.Parameter(np.zeros(3))
    assert init.apply(nn.Sequential(net, nn.ReLU()), bias=0.1)[1].std == 0


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
    (lambda: init.apply(zeros(2)), errors.ArgumentError, "expected a module, got Parameter"),
    (lambda: init.apply(nn.Linear(1, 1), "xavir_normal"), errors.ArgumentError, "'xavier_normal'?"),
    (
        lambda: init.apply(nn.Linear(1, 1), activation="rel"),
        errors.ArgumentError,
        "did you mean 'relu'",
    ),
    (
        lambda: init.apply(nn.Sequential(nn.Linear(1, 1)), overrides={"O": "orthogonal"}),
        errors.ArgumentError,
        "the model has no layer 'O'",
    ),
    (
        lambda: init.apply(nn.Linear(1, 1), zero_last=True),
        errors.ArgumentError,
        r"no nn\.Residual block",
    ),
]


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED, ids=[row[2] for row in REFUSED])
def test_refused(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
