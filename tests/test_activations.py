"""Activations: their formulas, their limits, what they do where they bend, and what they refuse."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn, ops
from tinygrad_cs.engine import errors
from tinygrad_cs.nn import functional as F
from tinygrad_cs.nn.layers import maxout as maxout_layers

SQUARE_ROOT_OF_HALF = math.sqrt(0.5)
ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805


@np.vectorize
def normal_cdf(x):
    return math.erfc(-x * SQUARE_ROOT_OF_HALF) / 2


def gelu_by_tanh(x):
    return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


FORMULAS = {
    "relu": (F.relu, lambda x: np.maximum(x, 0)),
    "relu6": (F.relu6, lambda x: np.clip(x, 0, 6)),
    "leaky_relu": (F.leaky_relu, lambda x: np.where(x > 0, x, 0.01 * x)),
    "leaky_relu, steep": (lambda x: F.leaky_relu(x, 3.0), lambda x: np.where(x > 0, x, 3 * x)),
    "leaky_relu, -2": (lambda x: F.leaky_relu(x, -2.0), lambda x: np.where(x > 0, x, -2 * x)),
    "prelu": (lambda x: F.prelu(x, np.array([-0.3])), lambda x: np.where(x > 0, x, -0.3 * x)),
    "hardtanh": (lambda x: F.hardtanh(x, -0.5, 2), lambda x: np.clip(x, -0.5, 2)),
    "hardsigmoid": (F.hardsigmoid, lambda x: np.clip((x + 3) / 6, 0, 1)),
    "sigmoid": (F.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
    "tanh": (F.tanh, np.tanh),
    "logsigmoid": (F.logsigmoid, lambda x: -np.logaddexp(0, -x)),
    "softplus": (lambda x: F.softplus(x, 2.0), lambda x: np.logaddexp(0, 2 * x) / 2),
    "elu": (F.elu, lambda x: np.where(x > 0, x, np.expm1(x))),
    "elu, 0.3": (lambda x: F.elu(x, 0.3), lambda x: np.where(x > 0, x, 0.3 * np.expm1(x))),
    "selu": (F.selu, lambda x: SCALE * np.where(x > 0, x, ALPHA * np.expm1(x))),
    "celu": (lambda x: F.celu(x, 0.3), lambda x: np.where(x > 0, x, 0.3 * np.expm1(x / 0.3))),
    "gelu": (F.gelu, lambda x: x * normal_cdf(x)),
    "gelu by tanh": (lambda x: F.gelu(x, approximate="tanh"), gelu_by_tanh),
    "silu": (F.silu, lambda x: x / (1 + np.exp(-x))),
}
every_formula = pytest.mark.parametrize("name", FORMULAS)


@every_formula
@pytest.mark.parametrize("size", [7, 1000, 20_000])
def test_values_and_slopes_are_the_formulas(name, size):
    """Small arrays, and large ones, which some compute in other ways."""
    ours, formula = FORMULAS[name]
    x = np.random.default_rng(0).uniform(-9, 9, size)
    assert_allclose(ours(x), formula(x), rtol=1e-12, atol=1e-13)
    leaf = tg.tensor(x, requires_grad=True)
    ours(leaf).sum().backward()
    step = 1e-5
    slope = (formula(x + step) - formula(x - step)) / (2 * step)
    bends = np.min(np.abs(x[:, None] - [-3, -0.5, 0, 2, 3, 6]), axis=1) < 1e-4
    assert_allclose(leaf.grad[~bends], slope[~bends], rtol=1e-8, atol=1e-9)


@every_formula
def test_without_axes_and_without_entries(name):
    ours, formula = FORMULAS[name]
    assert ours(tg.tensor(np.float64(-0.7))).shape == ()
    assert_allclose(ours(tg.tensor(np.float64(-0.7))).item(), formula(np.float64(-0.7)), rtol=1e-14)
    empty = tg.tensor(np.zeros((0, 3)), requires_grad=True)
    ours(empty).sum().backward()
    assert empty.grad.shape == (0, 3)


LIMITS = {
    "relu": (F.relu, 0.0, 1000.0, 0.0, 1.0),
    "relu6": (F.relu6, 0.0, 6.0, 0.0, 0.0),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.25), -250.0, 1000.0, 0.25, 1.0),
    "prelu": (lambda x: F.prelu(x, np.full(1, 0.25, x.dtype)), -250.0, 1000.0, 0.25, 1.0),
    "hardtanh": (F.hardtanh, -1.0, 1.0, 0.0, 0.0),
    "hardsigmoid": (F.hardsigmoid, 0.0, 1.0, 0.0, 0.0),
    "sigmoid": (F.sigmoid, 0.0, 1.0, 0.0, 0.0),
    "tanh": (F.tanh, -1.0, 1.0, 0.0, 0.0),
    "logsigmoid": (F.logsigmoid, -1000.0, 0.0, 1.0, 0.0),
    "softplus": (F.softplus, 0.0, 1000.0, 0.0, 1.0),
    "elu": (F.elu, -1.0, 1000.0, 0.0, 1.0),
    "selu": (F.selu, -SCALE * ALPHA, SCALE * 1000, 0.0, SCALE),
    "celu": (lambda x: F.celu(x, 0.5), -0.5, 1000.0, 0.0, 1.0),
    "gelu": (F.gelu, 0.0, 1000.0, 0.0, 1.0),
    "gelu by tanh": (lambda x: F.gelu(x, "tanh"), 0.0, 1000.0, 0.0, 1.0),
    "silu": (F.silu, 0.0, 1000.0, 0.0, 1.0),
}


@pytest.mark.parametrize("copies", [1, 1000], ids=["few", "many"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", LIMITS)
def test_large_inputs_reach_the_limits_without_a_warning(name, dtype, copies):
    """(Warnings are errors here.)"""
    ours, low, high, low_slope, high_slope = LIMITS[name]
    precision = 4 * np.finfo(dtype).eps
    x = tg.tensor(np.repeat(np.array([-1000, 1000], dtype), copies), requires_grad=True)
    y = ours(x)
    assert y.dtype == dtype
    assert_allclose(y.data[[0, -1]], [low, high], rtol=precision)
    y.backward(np.ones(2 * copies, dtype))
    assert x.grad.dtype == dtype
    assert_allclose(x.grad[[0, -1]], [low_slope, high_slope], rtol=precision, atol=1e-30)
    largest = np.finfo(dtype).max
    if name != "selu":  # 1.05 times the largest number is infinite
        far = tg.tensor(np.repeat(np.array([-largest, largest]) / 1, copies).astype(dtype),
                        requires_grad=True)  # fmt: skip
        y = ours(far)
        y.backward(np.ones(2 * copies, dtype))
        assert np.isfinite(y.data).all() and np.isfinite(far.grad).all()
        assert_allclose(far.grad[[0, -1]], [low_slope, high_slope], rtol=precision, atol=1e-30)


@pytest.mark.parametrize("ours", [F.silu, F.gelu, lambda x: F.gelu(x, "tanh"), F.elu])
@pytest.mark.parametrize("copies", [1, 1000])
def test_infinity_is_no_nan(ours, copies):
    x = tg.tensor(np.repeat([-np.inf, np.inf], copies), requires_grad=True)
    y = ours(x)
    assert_array_equal(y.data[[0, -1]], [-1 if ours is F.elu else 0, np.inf])
    y.backward(np.ones(2 * copies))
    assert_array_equal(x.grad[[0, -1]], [0, 1])


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@every_formula
def test_low_precision_is_that_of_its_dtype(name, dtype):
    """Against float64, to a few units of the dtype, in value and gradient, few entries and many."""
    ours, _ = FORMULAS[name]
    unit = np.finfo(dtype).eps
    for size in (100, 3000):
        x = np.random.default_rng(1).uniform(-7, 7, size).astype(dtype)
        low = tg.tensor(x, requires_grad=True)
        high = tg.tensor(x.astype("float64"), requires_grad=True)
        y, z = ours(low), ours(high)
        if name != "prelu":  # whose weight is float64
            assert y.dtype == dtype
        y.sum().backward() if dtype == "float32" else y.backward(np.ones(size, y.dtype))
        z.sum().backward()
        assert_allclose(y.data, z.data, rtol=8 * unit, atol=4 * unit)
        assert_allclose(low.grad, high.grad, rtol=8 * unit, atol=8 * unit)


def test_gelu_keeps_its_digits_on_the_negative_side():
    x = np.linspace(-9, -1, 5000)
    assert_allclose(ops.gelu(x), x * normal_cdf(x), rtol=1e-13)
    x = np.linspace(-3, -0.1, 5000).astype("float32")
    exact = x * normal_cdf(x.astype("float64"))
    assert_allclose(ops.gelu(x), exact, rtol=8 * np.finfo("float32").eps)


def test_records_equal_the_composed_forms():
    """One operation each, and the same to second order as what they are composed of."""
    x = np.random.default_rng(0).normal(size=500)
    pairs = [
        (F.silu, lambda x: x * tg.sigmoid(x)),
        (F.gelu, lambda x: x * (1 + tg.erf(x * SQUARE_ROOT_OF_HALF)) / 2),
        (F.leaky_relu, lambda x: tg.where(x > 0, x, 0.01 * x)),
        (F.elu, lambda x: tg.where(x > 0, x, tg.expm1(x))),
        (F.hardtanh, lambda x: tg.clip(x, -1, 1)),
    ]
    for ours, composed in pairs:
        first, second = (
            [f(x), *tg.func.vjp(tg.func.grad(lambda x, f=f: f(x).sum()), x)[:1],
             tg.func.hvp(lambda x, f=f: f(x).sum(), x, np.ones(500))]
            for f in (ours, composed)
        )  # fmt: skip
        for a, b in zip(first, second, strict=True):
            assert_allclose(a, b, rtol=1e-11, atol=1e-13)


def test_one_operation_each():
    x = tg.tensor(np.ones((2, 3)), requires_grad=True)
    for call in (F.leaky_relu, F.elu, F.selu, F.celu, F.gelu, F.silu, F.relu6, F.hardsigmoid):
        assert call(x)._node.inputs[0] is x._node
    assert F.prelu(x, tg.tensor(np.ones(3)))._node.inputs[0] is x._node


def test_leaky_relu_with_slope_zero_is_relu():
    """Also where a slope of 0 would meet infinity."""
    x = np.array([-np.inf, -1.0, 0.0, np.inf])
    assert_array_equal(F.leaky_relu(x, 0.0), [0, 0, 0, np.inf])


def test_functions_take_python_floats():
    for name in ("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "hardtanh"):
        assert getattr(F, name)(2.0) == pytest.approx(getattr(F, name)(np.full(1, 2.0))[0])
        s = tg.Scalar(-0.5)
        getattr(F, name)(s).backward()
        t = tg.tensor(np.full(1, -0.5), requires_grad=True)
        getattr(F, name)(t).sum().backward()
        assert s.grad == pytest.approx(t.grad[0], rel=1e-14)


# SELU


def test_selu_keeps_mean_0_and_variance_1_through_20_layers():
    """With weights of variance 1 / fan in; with He's, twice that, it leaves the fixed point."""
    tg.manual_seed(0)
    width = 500
    x = he = np.random.default_rng(1).normal(size=(400, width)).astype("float32")
    for _ in range(20):
        layer = nn.Linear(width, width)
        nn.init.normal_(layer.weight, std=1 / math.sqrt(width))
        x = F.selu(layer(x)).data
        nn.init.normal_(layer.weight, std=math.sqrt(2 / width))
        he = F.selu(layer(he)).data
    assert abs(x.mean()) < 0.05
    assert abs(x.var() - 1) < 0.1
    assert he.var() > 10


def test_selu_constants_are_the_fixed_point():
    """The equations of Klambauer et al. 2017: mean 0 and second moment 1 of selu(normal)."""
    z = np.linspace(-12, 12, 240_001)
    weight = np.exp(-z * z / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])
    y = F.selu(z)
    assert abs((y * weight).sum()) < 1e-9
    assert abs((y * y * weight).sum() - 1) < 1e-9


# PReLU


def test_prelu_learns_a_slope_for_each_channel():
    x = np.array([[[-1.0, 2.0], [-3.0, -4.0]]])  # (N, C, L)
    layer = nn.PReLU(2)
    leaf = tg.tensor(x, requires_grad=True)
    layer(leaf).sum().backward()
    assert_array_equal(leaf.grad, [[[0.25, 1], [0.25, 0.25]]])
    assert_array_equal(layer.weight.grad, [-1, -7])


def test_prelu_by_shape():
    assert nn.PReLU()(tg.tensor(-2.0)).shape == ()
    assert F.prelu(np.ones((0, 3)), np.ones(3)).shape == (0, 3)
    assert F.prelu(np.float32([-1, 1]), np.float32(0.5)).tolist() == [-0.5, 1]
    for shape, slopes in [((2, 3), 2), ((3,), 3), ((2, 3, 4), 4), ((), 2)]:
        with pytest.raises(errors.ShapeError, match="one slope for each channel"):
            F.prelu(np.ones(shape), np.ones(slopes))


def test_prelu_positive_side_does_not_see_its_weight():
    x = tg.tensor([2.0, np.inf], requires_grad=True)
    weight = tg.tensor([np.nan], requires_grad=True)
    y = F.prelu(x, weight)
    y.sum().backward()
    assert_array_equal(y.data, [2, np.inf])
    assert_array_equal(x.grad, [1, 1])


# softmax


@pytest.mark.parametrize("call", [F.softmax, F.log_softmax, F.softmin])
def test_softmax_wants_its_axis(call):
    for wrong in ({}, {"dim": None}, {"dim": 1.0}, {"dim": True}):
        with pytest.raises(errors.ArgumentError, match=r"along which axis.*write dim=-1"):
            call(np.ones((2, 3)), **wrong)
    with pytest.raises(errors.AxisError):
        call(np.ones((2, 3)), dim=2)
    assert call(np.ones((2, 3)), np.int64(1)).shape == (2, 3)


@pytest.mark.parametrize("layer", [nn.Softmax, nn.LogSoftmax, nn.Softmin])
def test_softmax_layers_want_their_axis(layer):
    with pytest.raises(errors.ArgumentError, match=f"{layer.__name__}: dim must say"):
        layer()


def test_softmin_turns_the_order_round():
    x = np.array([[1.0, 3.0, 2.0]])
    assert_allclose(F.softmin(x, 1), F.softmax(-x, 1))
    assert_allclose(F.softmin([1.0, 3.0], 0), F.softmax(np.array([-1.0, -3.0]), 0), rtol=1e-6)


# Maxout


@pytest.mark.parametrize("slope", [0.0, 0.01, 1.0])
def test_maxout_can_be_relu_and_leaky_relu(slope):
    """Pieces w and slope times w: the same values and gradients, to the last bit."""
    rng = np.random.default_rng(0)
    w, x = rng.normal(size=(4, 3)), rng.normal(size=(50, 3))
    layer = nn.Maxout(3, 4, pieces=2)
    layer.weight = nn.Parameter(np.stack([w, slope * w], axis=1).reshape(8, 3))
    layer.bias = nn.Parameter(np.zeros(8))
    leaf, other = (tg.tensor(x, requires_grad=True) for _ in range(2))
    y, z = layer(leaf), F.leaky_relu(F.linear(other, w), slope)
    if slope in (0.0, 1.0):
        assert_array_equal(y.data, z.data)
    assert_allclose(y.data, z.data, rtol=1e-14)
    y.sum().backward()
    z.sum().backward()
    assert_allclose(leaf.grad, other.grad, rtol=1e-13, atol=1e-15)


def test_maxout_of_images_can_be_relu():
    rng = np.random.default_rng(0)
    w, x = rng.normal(size=(4, 2, 3, 3)), rng.normal(size=(5, 2, 6, 6))
    layer = nn.MaxoutConv2d(2, 4, 3, pieces=2, padding=1)
    layer.weight = nn.Parameter(np.stack([w, 0 * w], axis=1).reshape(8, 2, 3, 3))
    layer.bias = nn.Parameter(np.zeros(8))
    assert_allclose(layer(x).data, F.relu(F.conv2d(x, w, padding=1)), rtol=1e-13, atol=1e-14)
    assert layer(x[0]).shape == (4, 6, 6)


def test_maxout_groups_channels_that_follow_each_other():
    x = np.arange(24.0).reshape(2, 6, 2)
    assert_array_equal(F.maxout(x, 3, dim=1), x.reshape(2, 2, 3, 2).max(axis=2))
    assert_array_equal(F.maxout(x, 2), x[..., 1:])
    assert_array_equal(F.maxout(x, 1), x)
    assert F.maxout(np.ones((0, 4)), 2).shape == (0, 2)
    leaf = tg.tensor([[1.0, 3.0, 2.0, 2.0]], requires_grad=True)
    F.maxout(leaf, 2).sum().backward()
    assert_array_equal(leaf.grad, [[0, 1, 0.5, 0.5]])  # equal pieces share


def test_maxout_refuses():
    for shape, dim in [((2, 5), -1), ((2, 4), 2), ((), -1)]:
        with pytest.raises(errors.ShapeError, match="multiple of pieces=2"):
            F.maxout(np.ones(shape), 2, dim)
    with pytest.raises(errors.ArgumentError, match="pieces must be a whole number of 1 or more"):
        F.maxout(np.ones(4), 0)
    for sizes in [(0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 1, 1.5)]:
        with pytest.raises(errors.ArgumentError, match=r"Maxout: .* must be a whole number"):
            nn.Maxout(*sizes)
    with pytest.raises(errors.ArgumentError, match="MaxoutConv2d: pieces must be"):
        nn.MaxoutConv2d(1, 1, 3, pieces=0)


@pytest.mark.parametrize("pieces", [1, 2, 3, 5])
def test_maxout_keeps_the_second_moment(pieces):
    tg.manual_seed(0)
    x = np.random.default_rng(1).normal(size=(200, 400)).astype("float32")
    for _ in range(3):
        x = nn.Maxout(400, 400, pieces)(x).data
    assert 0.8 < (x * x).mean() < 1.2


def test_second_moments_of_the_largest_of_normal_numbers():
    """In closed form for up to three."""
    found = [maxout_layers.second_moment(k) for k in (1, 2, 3)]
    assert_allclose(found, [1, 1, 1 + math.sqrt(3) / (2 * math.pi)], rtol=1e-12)


# what is refused


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: nn.CELU(0.0), "alpha must be above 0"),
        (lambda: F.celu(np.ones(2), -1.0), "alpha must be above 0, got -1.0"),
        (lambda: nn.GELU("sigmoid"), "'none' or 'tanh', got 'sigmoid'"),
        (lambda: F.gelu(np.ones(2), approximate=True), "'none' or 'tanh', got True"),
        (lambda: nn.Hardtanh(1, 1), "min_val must be below max_val, got min_val=1"),
        (lambda: F.hardtanh(np.ones(2), 1, -1), "min_val must be below max_val, got min_val=1"),
        (lambda: nn.PReLU(0), "num_parameters must be a whole number of 1 or more, got 0"),
        (lambda: nn.PReLU(1.5), "num_parameters must be a whole number"),
        (lambda: nn.Softplus(beta=0), "divides by beta"),
        (lambda: F.softplus(np.ones(2), 0), "divides by beta"),
    ],
)
def test_arguments_are_checked(wrong, message):
    with pytest.raises(errors.ArgumentError, match=message):
        wrong()


def test_layers_print_their_arguments():
    printed = {
        nn.LeakyReLU(): "LeakyReLU(negative_slope=0.01)",
        nn.PReLU(3): "PReLU(num_parameters=3)",
        nn.GELU("tanh"): "GELU(approximate='tanh')",
        nn.Softmax(dim=1): "Softmax(dim=1)",
        nn.Hardtanh(0, 2): "Hardtanh(min_val=0, max_val=2)",
        nn.MaxoutConv2d(1, 2, 3, stride=2): "MaxoutConv2d(1, 2, kernel_size=(3, 3), pieces=2, "
        "stride=(2, 2))",
    }
    for layer, text in printed.items():
        assert repr(layer).startswith(text + "\n")


def test_names_stay_below_the_top_level():
    for name in ("gelu", "silu", "elu", "leaky_relu", "prelu", "hardtanh", "hardsigmoid"):
        assert not hasattr(tg, name) and hasattr(ops, name)


def test_the_failure_modes_that_the_lectures_name():
    """Saturation, and units that are dead, in gradients."""

    def slopes(f, at):
        x = tg.tensor(np.array(at), requires_grad=True)
        f(x).sum().backward()
        return x.grad

    assert_allclose(slopes(F.sigmoid, [-10.0, 0.0, 10.0]), [0, 0.25, 0], atol=5e-5)
    assert_allclose(slopes(F.tanh, [-10.0, 0.0, 10.0]), [0, 1, 0], atol=1e-8)
    assert_array_equal(slopes(F.relu, [-3.0, -1.0]), 0)
    assert_allclose(slopes(F.elu, [-10.0]), math.exp(-10))
    assert (slopes(F.leaky_relu, [-1e9]) == 0.01).all()
    softmax_twice = F.cross_entropy(F.softmax(np.array([[1e3, 0.0]]), 1), np.array([0]))
    assert_allclose(softmax_twice.item(), math.log(1 + math.exp(-1)))


@pytest.mark.parametrize("cut", [F.relu6, F.hardtanh, F.hardsigmoid, lambda x: F.leaky_relu(x, 0)])
def test_what_a_flat_piece_cuts_off_stays_dead(cut):
    """As behind relu: log'(0) = inf does not turn a gradient of 0 into NaN."""
    x = tg.tensor([0.0, 2.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        cut(tg.log(x)).sum().backward()
    assert x.grad[0] == 0 and x.grad[1] > 0


@pytest.mark.parametrize("name", LIMITS)
def test_nan_stays_nan(name):
    """In the value, and never with a gradient of 0 that looks like any other."""
    for size in (2, 2000):
        x = tg.tensor(np.full(size, np.nan), requires_grad=True)
        y = LIMITS[name][0](x)
        assert np.isnan(y.data).all()
        y.sum().backward()
        assert (x.grad != 0).all()
