"""Lessons on data, randomness and the size of steps: each finding is what its lesson says."""

import importlib

import lesson
import pytest
from matplotlib.image import imread


def whitening(f):
    assert f["raw: largest mean"] > 0.5 and f["centred: largest mean"] < 1e-12
    assert f["raw: correlations"] == pytest.approx(f["scaled: correlations"])
    for name in ("PCA", "PCA, whitened", "ZCA"):
        assert f[f"{name}: correlations"] < 1e-9, "diagonal"
    for name in ("PCA, whitened", "ZCA"):
        for which in ("least", "largest"):
            assert f[f"{name}: {which} variance"] == pytest.approx(1, abs=1e-6), "the identity"
        assert f[f"{name}: largest variance, other half"] > 2
    read = {name: f[f"{name}: read by nearest neighbours"] for name in ("raw", "centred", "PCA")}
    assert len(set(read.values())) == 1, "distances do not change"
    assert f["ZCA: read by nearest neighbours"] < read["raw"] - 0.02
    assert f["ZCA, eps 0.01: read by nearest neighbours"] > f["ZCA: read by nearest neighbours"]


def image_statistics(f):
    assert f["AlexNet: numbers in the mean"] == 3072
    assert f["VGGNet: numbers in the mean"] == f["ResNet: numbers in the mean"] == 3
    assert f["AlexNet: largest mean of a pixel left"] < 1e-5
    assert f["VGGNet: largest mean of a pixel left"] > 0.01
    assert f["VGGNet: deviation of all"] < 0.5
    assert f["ResNet: deviation of all"] == pytest.approx(1, abs=1e-3)
    for name in ("AlexNet", "VGGNet", "ResNet"):
        assert f[f"{name}: largest mean of a channel left"] < 1e-5
        assert f[f"{name}: batch by batch, off by"] < 1e-12
    for n in (10, 30, 100, 300):
        assert 0.7 < f[f"{n} patches: error / standard error"] < 1.3


def leak(f):
    chosen = "choice of columns by labels"
    assert f[f"{chosen}: with the test part"] > 0.7
    assert abs(f[f"{chosen}: honest accuracy"] - 0.5) < 0.05
    assert f["whitening: with the test part"] < f["whitening: honest accuracy"] - 0.02
    gain = "mean and deviation: with the test part", "mean and deviation: honest accuracy"
    assert abs(f[gain[0]] - f[gain[1]]) < 0.03


def symmetry(f):
    units = {k.partition(":")[0]: n for k, n in f.items() if "independent units" in k}
    assert units["zeros"] == 0 and units["constant 0.1"] == 1
    assert f["zeros: largest difference of two units"] == 0
    assert f["constant 0.1: largest difference of two units"] < 1e-3
    assert units["constant 0.1, std 1e-6"] > 10 and units["zero mean, std 0.01"] > 25
    assert f["zeros: accuracy"] < 0.15 and f["constant 0.1: accuracy"] < 0.5
    assert f["constant 0.1, std 1e-6: accuracy"] > 0.8
    assert f["1 hidden, std 0.01: accuracy"] > 0.8 > 0.2 > f["8 hidden, std 0.01: accuracy"]
    assert f["8 hidden, std Xavier: accuracy"] > 0.9
    assert f["8 hidden, std 1: accuracy"] < 0.7 and f["8 hidden, std 1: saturated at first"] > 0.4


def batch_norm_modes(f):
    assert f["without: deviation before ReLU 10"] < 0.01
    assert f["with: deviation before ReLU 10"] == pytest.approx(1, abs=1e-3)
    assert f["with: largest mean of a unit / deviation"] < 1e-5
    fresh, later = (v for k, v in f.items() if k.startswith("evaluation against training"))
    assert fresh > 0.5 and later < 0.3
    assert f["training: the other samples change the output by"] > 0.2
    assert f["evaluation: the other samples change the output by"] < 1e-6
    assert f["evaluation: a batch of one is off by"] < 1e-5
    for momentum in ("0.1", "0.01", "None"):
        off, theory = (v for k, v in f.items() if k.startswith(f"momentum {momentum}:"))
        assert off == pytest.approx(theory, rel=0.15)


def dropout_rates(f):
    for name in ("dropout, inverted", "dropout, plain", "DropConnect", "stochastic depth"):
        assert f[f"{name}: average of masks, off by"] < 0.1
    assert f["p = 0: gap to training accuracy"] > 0.05
    gained = {name: f[f"{name}, p = 0.5: accuracy gained"] for name in ("dropout", "DropConnect")}
    assert gained["DropConnect"] < gained["dropout"] - 0.05, "one mask for all samples"
    assert abs(f["stochastic depth, p = 0.5: accuracy gained"]) < 0.05


def train_test_randomness(f):
    two = f["layers with two modes"]
    assert f["layers"] > 50 and two >= 15
    by_chance, by_company = (f[f"layers that change by {why} in training"] for why in WHY)
    assert by_chance + by_company == two and by_company >= 2
    assert all(f[f"layers that change by {why} in evaluation"] == 0 for why in WHY)
    off = {k.partition(":")[0]: n for k, n in f.items() if "standard errors" in k}
    for name in ("Dropout", "Dropout2d", "PlainDropout", "DropConnect", "MultiheadAttention"):
        assert off[name] < 2
    assert off["StochasticDepth"] < 3, "a single coin, thrown often"
    assert min(off["BatchNorm1d"], off["AlphaDropout"], off["FractionalMaxPool2d"]) > 2


WHY = ("chance", "company")


def augmentation_sheet(f):
    changes = [n for k, n in f.items() if k.endswith("mean change of a pixel")]
    assert len(changes) == 10 and min(changes) > 0.03
    assert f["flipped twice, off by"] == 0
    assert 0.15 < f["cutout: share of pixels hidden"] < 0.25
    assert f["noise: deviation / sigma"] < 0.95, "clipped"
    assert f["noise: deviation / sigma, in the middle of the scale"] == pytest.approx(1, abs=0.02)
    assert f["PCA colours: share of the first component in the shift"] > 0.9
    for name in ("mixup", "cutmix"):
        assert f[f"{name}: label and image differ by at most"] < 1e-3


def small_data(f):
    assert f["half shifts, rotations: adds"] > 0
    for name in ("shifts of a pixel", "flips", "early stopping"):
        assert f[f"{name}: adds"] < -f[f"{name}: adds, standard error"]
    assert f["shifts of a pixel: averaging shifts adds"] > 0.01
    assert f["none: averaging shifts adds"] < -0.01
    for name in ("none", "shifts of half a pixel", "shifts of a pixel"):
        assert f[f"{name}: averaging flips adds"] < -0.01


def update_ratio(f):
    for name, rates in (("SGD", SGD), ("Adam", ADAM)):
        ratios = [f[f"{name}, rate {rate}: update / weight"] for rate in rates]
        assert ratios == sorted(ratios) and ratios[0] < 1e-5 and ratios[-1] > 0.1
        losses = [f[f"{name}, rate {rate}: loss at the end"] for rate in rates]
        assert min(losses) < 0.1 < 2 < losses[0]
        assert losses[-1] > 2, "exploded, then dead"
        assert f[f"{name}, rate {rates[-1]}: highest loss / first"] > 30
        assert ratios[losses.index(min(losses))] > 3e-3, "more than the lecture's thousandth"
    assert f["64 hidden: training accuracy"] > 0.9
    assert f["64 hidden: gap to new digits"] > f["1 hidden: gap to new digits"]


SGD = ["1e-05", "0.0001", "0.001", "0.01", "0.1", "1", "10"]
ADAM = ["1e-06", "1e-05", "0.0001", "0.001", "0.01", "0.1", "1"]


def elu_noise(f):
    mean = "mean for standard normal numbers"
    assert f[f"ELU: {mean}"] < f[f"GELU: {mean}"] < f[f"leaky ReLU: {mean}"] < f[f"ReLU: {mean}"]
    trained = "trained: mean / deviation"
    assert f[f"ELU, {trained}"] < f[f"ReLU, {trained}"]
    assert f["ReLU: slope at -5"] == 0 and f["leaky ReLU: slope at -5"] == pytest.approx(0.01)
    assert 0 < f["ELU: slope at -5"] < 0.01
    passes = "noise that passes at -1"
    assert f[f"ELU: {passes}"] > 3 * f[f"ReLU: {passes}"]
    assert f["ELU: noise that passes at -5"] < f["leaky ReLU: noise that passes at -5"]
    noisy = [f[f"{name}, trained: accuracy, noise 1.0"] for name in ("ReLU", "ELU", "GELU")]
    assert max(noisy) - min(noisy) < 0.1
    assert f["GELU, exact - tanh form: at most"] == pytest.approx(4.73e-4, rel=0.01)
    assert f["GELU, exact - tanh form: largest at +-"] == pytest.approx(2.7, abs=0.01)


def bias_correction(f):
    first = {(0.9, 0.999): 10**0.5, (0.9, 0.99): 1, (0.9, 0.9): 0.1**0.5}
    for betas, factor in first.items():
        assert f[f"betas {betas}: corrected, off 1 by"] < 1e-6
        assert f[f"betas {betas}: first step not corrected"] == pytest.approx(factor)
        assert f[f"betas {betas}: formula off by"] < 1e-9
    assert f["betas (0.9, 0.999): largest"] == pytest.approx(6.57, abs=0.01)
    assert f["AdaGrad: step 100"] == pytest.approx(0.1, rel=1e-3)
    assert f["AdaGrad: step 10000"] == pytest.approx(0.01, rel=1e-3)
    assert f["AdaGrad: way of 10000 steps"] == pytest.approx(200, rel=0.01)
    high = "rate 0.02: loss at the end"
    assert f[f"corrected, {high}"] < 1.5 < f[f"not corrected, {high}"]
    low = "rate 0.001: loss at the end"
    assert f[f"not corrected, {low}"] < f[f"corrected, {low}"]


LESSONS = [
    whitening,
    image_statistics,
    leak,
    symmetry,
    batch_norm_modes,
    dropout_rates,
    train_test_randomness,
    augmentation_sheet,
    small_data,
    update_ratio,
    elu_noise,
    bias_correction,
]


@pytest.mark.parametrize("claim", LESSONS, ids=lambda claim: claim.__name__)
def test_lesson(claim, tmp_path, capsys):
    name = claim.__name__
    module = importlib.import_module(name)
    found = module.finding(True, 0)
    claim(found)
    arguments = ["--quick", "--out", str(tmp_path)]
    assert lesson.run(name, module.__doc__, module.finding, module.draw, arguments) == 0
    told = capsys.readouterr().out
    for what, number in found.items():
        assert f"{what} " in told and f" {number:.4g}\n" in told, "the same seed, the same numbers"
    picture = imread(tmp_path / f"{name}.png")
    assert min(picture.shape[:2]) > 400 and picture.std() > 0.05
