"""Lessons on what flows through a net: each finding is what its lesson says, in quick form."""

import importlib

import lesson
import pytest
from matplotlib.image import imread


def saturation(f):
    assert f["sigmoid' at 0"] == f["sigmoid' at most"] == 0.25
    assert f["tanh' at 0"] == f["ReLU' at 10"] == 1
    assert f["ReLU' at -10"] == f["ReLU' at 0"] == 0
    assert 0 < f["tanh' at 10"] < 1e-8 < 4e-5 < f["sigmoid' at 10"] < 5e-5
    assert 16 < f["sigmoid' is exactly 0 in float32 from x ="] < 17


def gradient_check(f):
    for case in ("tanh, float32", "tanh, float64"):
        assert 0.1 < f[f"{case}: best step"] / f[f"{case}: eps^(1/3)"] < 10
        assert 0.01 < f[f"{case}: error at the best step"] / f[f"{case}: eps^(2/3)"] < 10
        assert abs(f[f"{case}: error grows as h to the power"] - 2) < 0.1
    errors = [f[f"ReLU near its kink: error with h = {h}"] for h in ("0.01", "0.0001", "1e-06")]
    assert errors[0] > 0.3 and errors[1] > 0.01 and errors == sorted(errors, reverse=True)


def vanishing_gradients(f):
    lower, upper = (
        {name: f[f"{name}: factor per layer, {half} half"] for name in ("sigmoid", "tanh", "ReLU")}
        for half in ("lower", "upper")
    )
    assert 0.2 < lower["sigmoid"] < 0.25 and abs(lower["sigmoid"] / upper["sigmoid"] - 1) < 0.05
    assert 0.8 < lower["tanh"] < upper["tanh"] < 1
    assert abs(lower["ReLU"] - 1) < 0.1 and abs(upper["ReLU"] - 1) < 0.1
    reach = [f[f"{name}: share that reaches the first layer"] for name in lower]
    assert reach[0] < 1e-5 and reach == sorted(reach)


def initialization(f):
    def kept(setting):
        return f[f"{setting}: spread after layer 10"] / f[f"{setting}: spread after layer 1"]

    assert kept("tanh, std 0.01") < 1e-5
    assert 0.2 < kept("tanh, Xavier") < 0.6, "falls, but slowly"
    assert f["tanh, std 1: share beyond 0.99"] > 0.8
    assert f["tanh, Xavier: share beyond 0.99"] < 0.01
    assert kept("ReLU, Xavier") < 0.1 and 0.5 < kept("ReLU, He") < 2


def powers_of_scale(f):
    for scale in (1.5, 1.0, 0.5):
        assert f[f"identity times {scale}: largest deviation from scale^L"] < 1e-6
        assert abs(f[f"random times {scale}: factor per layer"] / scale - 1) < 0.05
    assert f["layers of 1.5 until float32 is inf"] == 219  # 2^128 = 1.5^218.8
    assert f["layers of 0.5 until float32 is 0"] == 150  # the smallest subnormal is 2^-149


def residual_variance(f):
    assert abs(f["He everywhere: variance per block times"] - 3) < 0.5
    assert abs(f["Xavier last: variance per block times"] - 2) < 0.3
    assert abs(f["zero last: variance per block times"] - 1) < 1e-6
    assert f["zero last: share of weights without gradient after 0 steps"] == 0.5
    assert f["zero last: share of weights without gradient after 1 steps"] < 0.01


def selu(f):
    assert abs(f["SELU, LeCun: mean"]) < 0.1 and abs(f["SELU, LeCun: variance"] - 1) < 0.2
    assert f["SELU, He: variance"] > 10
    assert f["tanh, LeCun: variance"] < 0.1
    assert f["ReLU, He: mean"] > 0.5


def dead_relu(f):
    assert f["ReLU, rate 0.1: dead"] < 0.05 < 0.5 < f["ReLU, rate 2.0: dead"]
    assert f["leaky ReLU, rate 0.1: dead"] == f["leaky ReLU, rate 2.0: dead"] == 0
    assert f["leaky ReLU, rate 2.0: never positive"] > 0.3


def zigzag(f):
    assert f["positive: ten gradients of one sign, batch of 1"] == 1
    assert f["centred: ten gradients of one sign, batch of 1"] < 0.02
    assert f["positive: ten gradients of one sign, batch of 32"] < 0.5
    positive, centred = (
        {what: f[f"{kind}, {what}"] for what in SAME_AND_BEST} for kind in ("positive", "centred")
    )
    assert (
        positive["same rate: way / straight line"] > 1.5 * centred["same rate: way / straight line"]
    )
    assert abs(positive["same rate: steps"] / centred["same rate: steps"] - 1) < 0.2
    assert positive["best rate: steps"] > 1.5 * centred["best rate: steps"]


SAME_AND_BEST = ["same rate: way / straight line", "same rate: steps", "best rate: steps"]


def linear_stack(f):
    assert f["stack against one layer: relative difference"] < 1e-13
    assert f["rank of 20 x 20 weights through 3 units"] == 3
    assert f["one layer: accuracy"] < 0.7 and f["three layers: accuracy"] < 0.7
    assert f["three layers, ReLU: accuracy"] > 0.95


LESSONS = [
    saturation,
    gradient_check,
    vanishing_gradients,
    initialization,
    powers_of_scale,
    residual_variance,
    selu,
    dead_relu,
    zigzag,
    linear_stack,
]


@pytest.mark.parametrize("claim", LESSONS, ids=lambda claim: claim.__name__)
def test_lesson(claim, tmp_path, capsys):
    name = claim.__name__
    module = importlib.import_module(name)
    found = module.finding(True, 0)
    claim(found)
    arguments = ["--quick", "--out", str(tmp_path / "made")]
    assert lesson.run(name, module.__doc__, module.finding, module.draw, arguments) == 0
    told = capsys.readouterr().out
    assert told.startswith(module.__doc__.strip())
    for what, number in found.items():
        assert f"{what} " in told and f" {number:.4g}\n" in told, "the same seed, the same numbers"
    picture = imread(tmp_path / "made" / f"{name}.png")
    assert min(picture.shape[:2]) > 400 and picture.std() > 0.05
