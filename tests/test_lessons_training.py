"""The lessons on training: what each one measures, in quick form, is what it says."""

import importlib
import math

import lesson
import pytest
from matplotlib.image import imread


def _optimizers(found):
    steps = {key.split(", ", 1)[1]: n for key, n in found.items() if key.startswith("steps")}
    assert steps["bowl, Nesterov"] < steps["bowl, momentum"] < steps["bowl, SGD"]
    assert max(steps["bowl, RMSProp"], steps["bowl, AdaGrad"]) < steps["bowl, Nesterov"]
    turned = "bowl, turned by 30 degrees"
    for name in ("SGD", "momentum", "Nesterov"):
        assert abs(steps[f"{turned}, {name}"] - steps[f"bowl, {name}"]) <= 1, "no preferred axes"
    for name in ("AdaGrad", "RMSProp"):
        assert steps[f"{turned}, {name}"] > 3 * steps[f"bowl, {name}"], "the lead is gone"
        assert steps[f"saddle, {name}"] < steps["saddle, SGD"] < steps["saddle, momentum"]


def _batch_normalization(found):
    key = "combinations that learn"
    assert found[f"{key}, with"] > found[f"{key}, without"]
    assert found["best accuracy, with"] > found["best accuracy, without"]


def _dropout_ensemble(found):
    for form in ("inverted", "plain"):
        assert found[f"training / test of a unit, {form}"] == pytest.approx(1, abs=0.01)
    distance = {key: value for key, value in found.items() if key.startswith("distance")}
    one, many, deep_one, deep_many = distance.values()
    assert many < one / 20, "exact for a linear layer: falls as 1 / sqrt(masks)"
    assert many < deep_many < deep_one / 3, "near, but not at, the output in test"
    assert found["loss on new digits, p = 0.5"] < found["loss on new digits, p = 0.0"]


def _l1_l2(found):
    assert found["share of zeros, L1"] > 0.6
    assert found["share of zeros, L2"] < 0.15
    assert found["largest weight, L2"] < 0.5 * found["largest weight, no penalty"]
    assert found["largest weight, L2"] < found["largest weight, L1"]
    for name in ("L1", "L2"):
        accuracy = "accuracy on new samples, "
        assert found[accuracy + name] > found[accuracy + "no penalty"]
    alike = "of six columns that say the same, used, "
    assert found[alike + "L1"] <= 4 < found[alike + "elastic net"] == found[alike + "L2"] == 6
    zeros = [found[f"share of zeros, {name}"] for name in ("L2", "elastic net", "L1")]
    assert zeros == sorted(zeros) and zeros[1] > 0.4


def _clipping(found):
    assert found["steps with finite gradients, without"] < 400
    assert found["steps with finite gradients, with clipping"] == 400
    assert found["largest finite norm, without"] > 1e6
    # Alive is not yet learning.
    assert 0.1 < found["mean loss, last third, with clipping"] < 0.3


def _schedules(found):
    assert found["final loss, cosine"] < found["final loss, steps"] < found["final loss, constant"]
    assert found["accuracy, cosine"] > found["accuracy, constant"]


def _six_remedies(found):
    accuracy = [value for key, value in found.items() if key.startswith("accuracy")]
    assert max(accuracy[:2]) < 0.2, "Glorot alone does not save a deep net of sigmoids"
    assert 0.7 < accuracy[2] < accuracy[3]
    reach = [value for key, value in found.items() if key.startswith("gradient")]
    assert reach[0] < 1e-12 < reach[1] < 1e-6 < 0.1 < reach[2]


def _standardizing(found):
    raw, centred, scaled, both = (
        found[f"iterations, {name}"]
        for name in ("raw", "centred", "scaled, not centred", "centred and scaled")
    )
    assert both < 10 < scaled < centred < raw == math.inf


def _sanity_checks(found):
    for classes in (2, 10, 100, 1000):
        above = f"loss - ln C, {classes} classes, "
        assert found[above + "small last weights"] == pytest.approx(0, abs=0.01)
        assert found[above + "He's weights"] > 0.1
    passed = {key.split(", ")[1]: n for key, n in found.items() if key.startswith("checks")}
    assert passed.pop("in order") == 9
    assert len(passed) == 6 and max(passed.values()) < 9, "each mistake is found"
    assert passed["labels shuffled"] == passed["softmax twice"] == 8, "by the check made for it"


def _sine_ode(found):
    assert found["loss at the end"] < 0.01 * found["loss at the start"]
    assert found["largest distance to the sine, 0 to 5"] < 0.1
    assert found["largest distance to the sine, 5 to 10"] > 1, "an interval, not a law"


LESSONS = {
    "optimizers": _optimizers,
    "batch_normalization": _batch_normalization,
    "dropout_ensemble": _dropout_ensemble,
    "l1_l2": _l1_l2,
    "clipping": _clipping,
    "schedules": _schedules,
    "six_remedies": _six_remedies,
    "standardizing": _standardizing,
    "sanity_checks": _sanity_checks,
    "sine_ode": _sine_ode,
}


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson(name, tmp_path, capsys):
    module = importlib.import_module(name)
    found = module.finding(True, 0)
    LESSONS[name](found)
    # Measured once: what is printed and drawn comes from the same run.
    arguments = ["--quick", "--out", str(tmp_path)]
    assert lesson.run(name, module.__doc__, module.finding, module.draw, arguments) == 0
    told = capsys.readouterr().out
    assert all(key in told for key in found)
    assert min(imread(tmp_path / f"{name}.png").shape[:2]) > 300
