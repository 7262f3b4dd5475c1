"""`init.apply`: a whole model, each weight by the rule for what follows it."""

import math

import numpy as np
import pytest
from module_cases import CASES
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.engine import errors
from tinygrad_cs.nn import init


def zeros(*shape, dtype="float32"):
    return nn.Parameter(np.zeros(shape, dtype))


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
