"""Every schedule against PyTorch's: rates and momenta of two parameter groups, step by step."""

import numpy as np
import pytest
from agreement import torch
from numpy.testing import assert_allclose

import tinygrad_cs as tg

OURS, THEIRS = tg.optim.lr_scheduler, torch.optim.lr_scheduler
STEPS = 50
KEPT = ("lr", "momentum", "betas")

SCHEDULES = {
    "lambda": lambda s, o: s.LambdaLR(o, lambda t: 0.9**t / (t + 1)),
    "lambdas": lambda s, o: s.LambdaLR(o, [lambda t: 0.9**t, lambda t: 1 / (t + 1)]),
    "multiplicative": lambda s, o: s.MultiplicativeLR(o, lambda t: 1 - 0.5 / t),
    "step": lambda s, o: s.StepLR(o, 3, gamma=0.5),
    "step-1": lambda s, o: s.StepLR(o, 1),
    "step-to-zero": lambda s, o: s.StepLR(o, 7, gamma=0.0),
    "milestones": lambda s, o: s.MultiStepLR(o, [2, 3, 20, 49], gamma=0.3),
    "milestone-0": lambda s, o: s.MultiStepLR(o, [0, 10]),
    "no-milestones": lambda s, o: s.MultiStepLR(o, []),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.9),
    "exponential-up": lambda s, o: s.ExponentialLR(o, gamma=1.1),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 49),
    "cosine-up-again": lambda s, o: s.CosineAnnealingLR(o, T_max=7, eta_min=0.02),
    "cosine-1": lambda s, o: s.CosineAnnealingLR(o, T_max=1),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 7),
    "restarts-longer": lambda s, o: s.CosineAnnealingWarmRestarts(o, 5, T_mult=2, eta_min=0.01),
    "restarts-tripled": lambda s, o: s.CosineAnnealingWarmRestarts(o, T_0=1, T_mult=3),
    "linear": lambda s, o: s.LinearLR(o),
    "linear-down": lambda s, o: s.LinearLR(o, 0.9, 0.1, total_iters=30),
    "linear-to-zero": lambda s, o: s.LinearLR(o, start_factor=1.0, end_factor=0.0, total_iters=20),
    "constant": lambda s, o: s.ConstantLR(o),
    "constant-long": lambda s, o: s.ConstantLR(o, factor=0.1, total_iters=30),
    "polynomial": lambda s, o: s.PolynomialLR(o),
    "polynomial-power": lambda s, o: s.PolynomialLR(o, total_iters=40, power=2.5),
    "polynomial-flat": lambda s, o: s.PolynomialLR(o, total_iters=9, power=0.0),
    "one-cycle": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=STEPS + 1),
    "one-cycle-linear": lambda s, o: s.OneCycleLR(
        o, [0.5, 2.0], epochs=9, steps_per_epoch=7, anneal_strategy="linear", pct_start=0.1
    ),
    "one-cycle-phases": lambda s, o: s.OneCycleLR(
        o, 1.0, total_steps=60, three_phase=True, div_factor=10.0, final_div_factor=100.0,
        base_momentum=[0.8, 0.7], max_momentum=0.9,
    ),
    "one-cycle-still": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=70, cycle_momentum=False),
    "one-cycle-all-rise": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=60, pct_start=1.0),
    "one-cycle-no-rise": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=60, pct_start=0.0),
}  # fmt: skip

TOGETHER = {
    "chained": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 5), s.ExponentialLR(o, 0.9)]),
    "chained-many": lambda s, o: s.ChainedScheduler(
        [s.StepLR(o, 3), s.CosineAnnealingLR(o, 6, eta_min=0.01), s.PolynomialLR(o, 45)],
        optimizer=o,
    ),
    "chained-overwritten": lambda s, o: s.ChainedScheduler(
        [s.ExponentialLR(o, 0.9), s.LambdaLR(o, lambda t: 1 / (t + 1)), s.StepLR(o, 10, 0.5)]
    ),
    "warm-up": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=10), s.CosineAnnealingLR(o, 40)], milestones=[10]
    ),
    "sequence": lambda s, o: s.SequentialLR(
        o,
        [
            s.ConstantLR(o, 0.2, total_iters=3),
            s.ExponentialLR(o, 0.9),
            s.PolynomialLR(o, 10, power=2.0),
            s.CosineAnnealingWarmRestarts(o, 4, T_mult=2),
            s.LambdaLR(o, lambda t: 1 / (t + 2)),
            s.MultiStepLR(o, [2, 4]),
        ],
        [5, 11, 20, 33, 40],
    ),
    "sequence-restarts-first": lambda s, o: s.SequentialLR(
        o, [s.CosineAnnealingWarmRestarts(o, 4), s.LinearLR(o), s.StepLR(o, 2, 0.5)], [11, 20]
    ),
    "sequence-one-cycle": lambda s, o: s.SequentialLR(
        o, [s.OneCycleLR(o, 0.3, total_steps=20), s.ExponentialLR(o, 0.9)], [15]
    ),
    "sequence-alone": lambda s, o: s.SequentialLR(o, [s.StepLR(o, 4)], []),
}  # fmt: skip


def ours(algorithm):
    weights = [tg.tensor(np.ones(2), requires_grad=True) for _ in range(2)]
    groups = [{"params": [weights[0]], "lr": 0.1}, {"params": [weights[1]], "lr": 3.0}]
    return algorithm(tg.optim)(groups)


def theirs(algorithm):
    weights = [torch.ones(2, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    groups = [{"params": [weights[0]], "lr": 0.1}, {"params": [weights[1]], "lr": 3.0}]
    optimizer = algorithm(torch.optim)(groups)
    optimizer.step()  # PyTorch warns where a schedule steps first
    return optimizer


ALGORITHMS = {
    "SGD": lambda o: lambda groups: o.SGD(groups, momentum=0.9),
    "Adam": lambda o: o.Adam,
}


def kept(optimizer):
    return [
        [np.ravel(group[key]) for key in KEPT if key in group] for group in optimizer.param_groups
    ]


def assert_same(mine, other, when):
    """Rates, momenta and betas of all groups."""
    for a, b in zip(kept(mine), kept(other), strict=True):
        assert_allclose(np.concatenate(a), np.concatenate(b), 1e-10, 1e-15, err_msg=f"step {when}")


@pytest.mark.filterwarnings("ignore:Detected call of")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("name", [*SCHEDULES, *TOGETHER])
def test_fifty_steps(name, algorithm):
    make = (SCHEDULES | TOGETHER)[name]
    mine, other = ours(ALGORITHMS[algorithm]), theirs(ALGORITHMS[algorithm])
    a, b = make(OURS, mine), make(THEIRS, other)
    assert_same(mine, other, 0)
    for t in range(1, STEPS + 1):
        a.step()
        b.step()
        assert_same(mine, other, t)
        assert_allclose(a.get_last_lr(), b.get_last_lr(), 1e-10, 1e-15)
        assert a.last_epoch == t


CHAINS = [
    ("step", "exponential"),
    ("cosine-up-again", "step"),
    ("exponential", "cosine-up-again"),
    ("linear", "polynomial-power", "cosine"),
    ("constant", "milestones", "multiplicative"),
    ("cosine", "cosine-up-again"),
    ("exponential", "lambda"),
    ("lambda", "exponential"),
    ("restarts", "linear", "linear-down"),
    ("milestone-0", "constant-long", "linear"),
]


@pytest.mark.filterwarnings("ignore:Detected call of")
@pytest.mark.parametrize("names", CHAINS, ids="-".join)
def test_several_on_one_optimizer(names):
    mine, other = ours(ALGORITHMS["SGD"]), theirs(ALGORITHMS["SGD"])
    pairs = [(SCHEDULES[name](OURS, mine), SCHEDULES[name](THEIRS, other)) for name in names]
    assert_same(mine, other, 0)
    for t in range(1, STEPS + 1):
        for a, b in pairs:
            a.step()
            b.step()
            assert_same(mine, other, t)


@pytest.mark.parametrize("change", [0.0, 7.0])
@pytest.mark.filterwarnings("ignore:Detected call of")
@pytest.mark.parametrize("name", ["step", "exponential", "cosine-up-again", "linear-down"])
def test_a_rate_changed_by_hand_stays_changed(name, change):
    mine, other = ours(ALGORITHMS["SGD"]), theirs(ALGORITHMS["SGD"])
    a, b = SCHEDULES[name](OURS, mine), SCHEDULES[name](THEIRS, other)
    for t in range(20):
        if t == 4:
            mine.param_groups[1]["lr"] = other.param_groups[1]["lr"] = change
        a.step()
        b.step()
        assert_same(mine, other, t)


PLATEAUS = [
    {},
    {"factor": 0.5, "patience": 0},
    {"patience": 2, "cooldown": 3},
    {"mode": "max", "patience": 1, "threshold": 0.05},
    {"threshold_mode": "abs", "threshold": 0.2, "patience": 1},
    {"mode": "max", "threshold_mode": "abs", "threshold": 0.1, "patience": 2},
    {"factor": 0.3, "patience": 0, "min_lr": [0.01, 0.5]},
    {"factor": 0.3, "patience": 0, "min_lr": 0.02, "eps": 0.05},
    {"factor": 0.0, "patience": 3},
]


@pytest.mark.parametrize("arguments", PLATEAUS)
def test_plateau(arguments):
    mine, other = ours(ALGORITHMS["SGD"]), theirs(ALGORITHMS["SGD"])
    a = OURS.ReduceLROnPlateau(mine, **arguments)
    b = THEIRS.ReduceLROnPlateau(other, **arguments)
    rng = np.random.default_rng(0)
    for t, metric in enumerate(3 * 0.97 ** np.arange(80) + rng.normal(scale=0.3, size=80)):
        a.step(metric)
        b.step(metric)
        assert_same(mine, other, t)
        assert_allclose(a.get_last_lr(), b.get_last_lr(), 1e-12)
        state = ("best", "num_bad_epochs", "cooldown_counter", "last_epoch")
        assert [getattr(a, n) for n in state] == [getattr(b, n) for n in state]


def test_restarts_at_fractions_of_an_epoch():
    mine, other = ours(ALGORITHMS["SGD"]), theirs(ALGORITHMS["SGD"])
    a = OURS.CosineAnnealingWarmRestarts(mine, 2, T_mult=2)
    b = THEIRS.CosineAnnealingWarmRestarts(other, 2, T_mult=2)
    for epoch in np.arange(1, 40) / 3:
        a.step(float(epoch))
        b.step(float(epoch))
        assert_same(mine, other, epoch)
        assert a.last_epoch == b.last_epoch


REFUSED = {
    "max_lr": lambda s, o: s.OneCycleLR(o, [0.1], total_steps=5),
    "no length": lambda s, o: s.OneCycleLR(o, 0.1),
    "pct_start": lambda s, o: s.OneCycleLR(o, 0.1, total_steps=5, pct_start=1.5),
    "strategy": lambda s, o: s.OneCycleLR(o, 0.1, total_steps=5, anneal_strategy="cosine"),
    "T_0": lambda s, o: s.CosineAnnealingWarmRestarts(o, 0),
    "T_mult": lambda s, o: s.CosineAnnealingWarmRestarts(o, 1, T_mult=1.5),
    "start_factor": lambda s, o: s.LinearLR(o, start_factor=0.0),
    "end_factor": lambda s, o: s.LinearLR(o, end_factor=1.5),
    "factor": lambda s, o: s.ConstantLR(o, factor=-0.5),
    "mode": lambda s, o: s.ReduceLROnPlateau(o, mode="minimum"),
    "threshold_mode": lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="relative"),
    "plateau factor": lambda s, o: s.ReduceLROnPlateau(o, factor=1.0),
    "min_lr": lambda s, o: s.ReduceLROnPlateau(o, min_lr=[0.1]),
    "lambdas": lambda s, o: s.LambdaLR(o, [lambda t: 1.0]),
    "milestones": lambda s, o: s.SequentialLR(o, [s.StepLR(o, 3)], [4]),
    "empty": lambda s, o: s.SequentialLR(o, [], []),
    "plateau": lambda s, o: s.ChainedScheduler([s.ReduceLROnPlateau(o)]),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_both_refuse(make):
    with pytest.raises(ValueError):
        make(THEIRS, theirs(ALGORITHMS["SGD"]))
    with pytest.raises(ValueError):
        make(OURS, ours(ALGORITHMS["SGD"]))
