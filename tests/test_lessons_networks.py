"""Lessons on whole nets: each finding is what its lesson says, in quick form."""

import importlib
import math

import lesson
import pytest
from matplotlib.image import imread
from PIL import Image


def _backprop_by_hand(f):
    differences = {key: value for key, value in f.items() if key.endswith("difference")}
    assert len(differences) == 24 and max(differences.values()) < 1e-15
    assert f["J after the step"] < 0.9 * f["J before the step"]
    for layers in (3, 20):
        with_reuse, without = (
            f[f"matrix products, {layers} layers, {how} reuse"] for how in ("with", "without")
        )
        assert with_reuse == 2 * layers - 1
        assert without == layers * (layers + 1) / 2


def _scalar_net(f):
    assert f["largest difference to the gradient with arrays"] < 1e-14
    assert f["cost after"] < 0.3 * f["cost before"]
    assert f["accuracy on training points"] > 0.9 and f["accuracy on new points"] > 0.9
    assert f["milliseconds a step with numbers"] > 20 * f["milliseconds a step with arrays"]


def _digits_convnet(f):
    dense, plain, shifted = (
        f[f"{setting}: accuracy, seed 0"]
        for setting in ("fully connected", "convolutions", "convolutions, shifts")
    )
    assert 0.9 < dense < min(plain, shifted) and shifted >= 0.985
    weights = f["fully connected: weights"], f["convolutions: weights"]
    assert abs(weights[0] / weights[1] - 1) < 0.02, "a comparison of nets of one size"


def _character_rnn(f):
    before, after = (f[f"bits, the net {when} training"] for when in ("before", "after"))
    counting = [f[f"bits, counting after {k} characters"] for k in (0, 1, 2)]
    assert math.log2(49) - 0.1 < before
    assert after < counting[2] < counting[1] < counting[0] < before
    assert f["bits, the net after training, of what it trained on"] < after
    assert f["share of pieces with clipped gradients"] < 0.05


def _fooling(f):
    def fooled(how, size):
        return f[f"{how}: share fooled by {size}"]

    assert fooled("noise", 0.1) < 0.05 < 0.3 < fooled("one step", 0.1) < 0.6
    assert fooled("one step", 0.2) > 0.9 > 0.1 > fooled("noise", 0.2)
    assert 0 <= fooled("ten steps", 0.1) - fooled("one step", 0.1) < 0.1, "nearly linear"
    assert fooled("ten steps, next digit", 0.1) < fooled("ten steps", 0.1)
    assert f["one step: size that fools half"] < 0.15 < f["noise: size that fools half"]
    change = "loss after a change by 0.1, "
    assert f[change + "one step"] > 10 * f[change + "noise"] > 10 * f["loss without a change"]


def _relu_speed(f):
    assert f["sigmoid: epochs to an error of 2%"] == math.inf
    assert 1 / 3 < f["ReLU is faster than tanh by a factor of"] < 3, "not six"
    costs = {name: f[f"{name}: ns for each output"] for name in ("sigmoid", "tanh", "ReLU")}
    assert max(costs.values()) < f["product: ns for each output"]


def _choosing_activation(f):
    accuracy = {key[: -len(": test accuracy")]: f[key] for key in f if "test accuracy" in key}
    assert accuracy.pop("sigmoid") < 0.2
    assert len(accuracy) == 8 and min(accuracy.values()) > 0.85
    assert accuracy["tanh"] > accuracy["ReLU"] and accuracy["SELU"] > accuracy["ReLU"]
    assert all(f[f"PReLU: slope of layer {i}"] > 0.25 for i in range(1, 6))


def _maxout(f):
    assert f["as ReLU: largest difference"] < 1e-14
    assert f["as leaky ReLU: largest difference"] < 1e-14
    assert f["Maxout, 64 to 64: parameters"] == 2 * f["Linear, 64 to 64: parameters"]
    assert f["inputs without a gradient"] == 0
    assert f["|x|, 2 maps: used"] == 2 and f["|x|, 2 maps: error"] < 1e-3
    for maps in (2, 4, 8):
        used = f[f"x^2, {maps} maps: used"]
        assert f[f"x^2, {maps} maps: error"] == pytest.approx(0.298 / used**2, rel=0.05)
    assert f["x^2, 8 maps: used"] < 6, "maps die"


def _readable_backprop(f):
    differences = [value for key, value in f.items() if key.startswith("d ")]
    assert len(differences) == 4 and max(differences) < 1e-7
    assert f["loss after"] < 0.3 * f["loss before"] and f["accuracy on 1000 new points"] > 0.9


def _optimizer_race(f):
    assert f["bowl, SGD: crossings of the bottom"] == f["bowl, SGD: steps"] == 140
    for name in ("momentum", "Nesterov", "Adam"):
        assert 5 < f[f"bowl, {name}: crossings of the bottom"] < 30
    assert f["bowl, RMSProp: way / straight line"] > 50 and f["bowl, RMSProp: steps"] < 6
    left = {name: f[f"saddle, {name}: steps until it has left"] for name in RUNNERS}
    assert left["AdaGrad"] == left["RMSProp"] == 1 < left["Adam"] < 5
    assert left["SGD"] == max(left.values()) < 15


RUNNERS = ("SGD", "momentum", "Nesterov", "AdaGrad", "RMSProp", "Adam")
LESSONS = {
    "backprop_by_hand": _backprop_by_hand,
    "scalar_net": _scalar_net,
    "digits_convnet": _digits_convnet,
    "character_rnn": _character_rnn,
    "fooling": _fooling,
    "relu_speed": _relu_speed,
    "choosing_activation": _choosing_activation,
    "maxout": _maxout,
    "readable_backprop": _readable_backprop,
    "optimizer_race": _optimizer_race,
}


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson(name, tmp_path, capsys):
    module = importlib.import_module(name)
    found = module.finding(True, 0)
    LESSONS[name](found)
    # Measured once: what is printed and drawn comes from the same run.
    arguments = ["--quick", "--out", str(tmp_path)]
    film = getattr(module, "film", None)
    given = name, module.__doc__, module.finding, module.draw, arguments, film
    assert lesson.run(*given) == 0
    told = capsys.readouterr().out
    assert all(f"{key} " in told and f" {found[key]:.4g}\n" in told for key in found)
    picture = imread(tmp_path / f"{name}.png")
    assert min(picture.shape[:2]) > 400 and picture.std() > 0.05
    if film is not None:
        with Image.open(tmp_path / f"{name}.gif") as images:
            assert images.n_frames > 5
        assert 10_000 < (tmp_path / f"{name}.gif").stat().st_size < 300_000


def test_a_neuron_of_numbers_is_drawn():
    scalar_net = importlib.import_module("scalar_net")
    graph = str(scalar_net.neuron_graph())
    assert all(name in graph for name in ("w1", "w2", "x1", "x2", "tanh", "multiply"))
