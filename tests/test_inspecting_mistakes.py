"""What newcomers hand to `tg.inspect` by mistake: one sentence says what to write instead."""

from __future__ import annotations

import inspect as reflection
import re
from importlib import import_module
from pkgutil import walk_packages

import numpy as np
import pytest

import tinygrad_cs as tg
from tinygrad_cs import nn, optim
from tinygrad_cs.engine.errors import ArgumentError
from tinygrad_cs.inspect import (
    diagnose,
    draw,
    explain,
    find_lr,
    landscape,
    sanity_check,
    summary,
    watch,
)

X = np.random.default_rng(0).standard_normal((40, 4)).astype("float32")
Y = (X[:, 0] > 0).astype(int)
cross_entropy = nn.CrossEntropyLoss()


@pytest.fixture(autouse=True)
def seeded():
    tg.manual_seed(0)


def net(frozen=False):
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    return model.requires_grad_(not frozen)


class Double(nn.Module):
    """No parameters."""

    def forward(self, x):
        return x * 2


MISTAKES = {
    "a class": (lambda: draw(nn.Linear, X), "draw: got the class Linear"),
    "names in a list": (lambda: draw(tg.Scalar(2.0) * 2, names=["x"]), "names must be a dict"),
    "names of explain": (lambda: explain(tg.Scalar(2.0) * 2, names="x"), "names must be a dict"),
    "a plain number": (lambda: draw(lambda x: x * x, 2.0), r"returned float.*tg\.Scalar\(2\.0\)"),
    "a gradient in words": (
        lambda: draw(tg.Scalar(2.0) * 2, gradient="x"),
        "draw: the gradient of a Scalar is a number, got 'x'",
    ),
    "layers: a number": (lambda: watch(net(), layers=3), "layers must be a list of names, got 3"),
    "layers: one layer": (lambda: watch(m := net(), layers=m[0]), "a list of names, got Linear"),
    "layers: layers": (lambda: watch(m := net(), layers=[m[2]]), "got a Linear; write '2'"),
    "layers: strangers": (lambda: watch(net(), layers=[nn.ReLU()]), "none of this model's"),
    "never active: unknown": (lambda: watch(net()).never_active("9"), "nothing is called '9'"),
    "a plot of nothing": (lambda: watch(net()).plot(), "nothing was measured in 0 steps"),
    "chance: no number": (lambda: diagnose([1.0], chance="ln 10"), "chance must be .* got 'ln 10'"),
    "chance below 0": (lambda: diagnose([1.0], chance=-1), "a number above 0"),
    "chance NaN": (lambda: diagnose([1.0], chance=float("nan")), "a number above 0"),
    "loss first": (lambda: sanity_check(cross_entropy, net(), (X, Y)), "where the model should be"),
    "a penalty's strength": (
        lambda: sanity_check(net(), cross_entropy, (X, Y), penalty=0.1),
        r"penalty must be a function of the model.*got 0\.1",
    ),
    "a seed below 0": (
        lambda: sanity_check(net(), cross_entropy, (X, Y), seed=-1),
        "an integer seed >= 0",
    ),
    "nothing to train": (lambda: find_lr(Double(), cross_entropy, (X, Y)), "Double has no param"),
    "all frozen": (
        lambda: find_lr(net(frozen=True), cross_entropy, (X, Y)),
        "all 4 parameters of Sequential are frozen",
    ),
    "batches of 0": (
        lambda: find_lr(net(), cross_entropy, (X, Y), batch_size=0),
        "batch_size to be an integer >= 1",
    ),
    "batches of -1": (
        lambda: landscape(net(), cross_entropy, (X, Y), batch_size=-1),
        "batch_size to be an integer >= 1",
    ),
    "the width alone": (lambda: summary(net(), 4), r"as in summary\(model, \(32, 64\)\)"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_explained(name):
    mistake, message = MISTAKES[name]
    with pytest.raises(ArgumentError, match=message):
        mistake()


def test_steps_as_numpy_counts_them():
    assert watch(net(), every=np.int64(3)).every == 3


def test_never_active_of_the_input_is_not_that_of_the_last_layer():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
    with watch(model, every=1) as seen:
        model(X).sum().backward()
        seen.step()
    assert seen.never_active("1") is not None
    assert seen.never_active("(input)") is None


def test_a_model_without_parameters_is_not_called_frozen():
    checks = sanity_check(Double(), nn.MSELoss(), (X, 2 * X))
    assert "has no parameters" in checks["gradients arrive"].cause
    assert checks["by heart"].cause == "there are no parameters"


def test_after_a_loss_that_is_not_finite_nothing_else_is_judged():
    checks = sanity_check(net(), cross_entropy, (X * np.nan, Y))
    assert list(checks) == checks.failed == ["loss at chance"]


def test_losses_below_zero_that_fall_are_not_called_rising():
    # a negative log-likelihood of numbers has no floor
    assert diagnose([-1.0, -2.0, -3.0, -4.0, -5.0, -6.0]).names == []
    assert diagnose([-1.0, -3.0, -5.0, -4.0, -2.0, -1.0]).names == ["learning rate too high"]
    rows = [
        {"epoch": i, "loss": -1.0 - i, "validation_loss": v}
        for i, v in enumerate([-1.0, -3.0, -5.0, -4.95, -4.9, -4.9], 1)
    ]
    assert diagnose(tg.training.History(rows)).names == []


def test_names_do_not_command_the_terminal():
    name = "w\x1b[2J\nv1 = 7"
    w = tg.Scalar(3.0)
    explanation = explain(w * 2.0, names={name: w})
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", str(explanation))
    assert len(str(explanation).splitlines()) == 3
    assert explanation.gradients[name] == 2.0


@pytest.mark.parametrize("study", [find_lr, landscape])
def test_plots_are_written_where_asked(study, tmp_path):
    study(net(), cross_entropy, (X, Y)).plot(tmp_path / "made.png")
    assert (tmp_path / "made.png").read_bytes().startswith(b"\x89PNG")


PLACES = {"tg": tg, "nn": nn, "optim": optim, "training": tg.training, "data": tg.data}


def test_everything_that_is_advised_exists():
    advised = set()
    for module in walk_packages(tg.inspect.__path__, "tinygrad_cs.inspect."):
        source = reflection.getsource(import_module(module.name))
        for text in re.findall(r'"([^"\n]*)"', source):
            advised |= set(re.findall(r"\b(?:tg|nn|optim|training|data)(?:\.[A-Za-z]\w*)+", text))
    assert {"tg.inspect.sanity_check", "nn.LogSoftmax", "training.fit"} <= advised
    missing = []
    for path in sorted(advised):
        place, *names = path.split(".")
        value = PLACES[place]
        for name in names:
            value = getattr(value, name, None)
        if value is None:
            missing.append(path)
    assert missing == []
