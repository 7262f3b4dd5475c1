"""Schedules from their formulas; how they chain, stop and go on; what they refuse."""

import copy
import math
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.engine import errors
from tinygrad_cs.optim import lr_scheduler as s

LR = 0.8


def optimizer(algorithm=tg.optim.SGD, **arguments):
    weights = [tg.tensor(np.ones(2), requires_grad=True) for _ in range(2)]
    groups = [{"params": [weights[0]], "lr": LR}, {"params": [weights[1]], "lr": 2 * LR}]
    return algorithm(groups, **arguments)


def rates(schedule, steps):
    """The first group's rate at t = 0, 1, ..., steps."""
    seen = [schedule.get_last_lr()]
    for _ in range(steps):
        schedule.step()
        seen.append(schedule.get_last_lr())
        groups = schedule.optimizer.param_groups
        assert seen[-1] == [group["lr"] for group in groups]
    return np.array(seen)


def cosine(p):
    return (1 + math.cos(math.pi * p)) / 2


FORMULAS = {
    "StepLR": (lambda o, **k: s.StepLR(o, 4, gamma=0.5, **k), lambda t: 0.5 ** (t // 4)),
    "MultiStepLR": (
        lambda o, **k: s.MultiStepLR(o, [3, 10, 11], gamma=0.5, **k),
        lambda t: 0.5 ** ((t >= 3) + (t >= 10) + (t >= 11)),
    ),
    "ExponentialLR": (lambda o, **k: s.ExponentialLR(o, 0.9, **k), lambda t: 0.9**t),
    "PolynomialLR": (
        lambda o, **k: s.PolynomialLR(o, 20, power=2.0, **k),
        lambda t: (1 - min(t, 20) / 20) ** 2,
    ),
    "InverseSquareRootLR": (
        lambda o, **k: s.InverseSquareRootLR(o, 10, **k),
        lambda t: min((t + 1) / 10, math.sqrt(10 / (t + 1))),
    ),
    "ConstantLR": (lambda o, **k: s.ConstantLR(o, 0.3, 6, **k), lambda t: 0.3 if t < 6 else 1),
    "ConstantLR of 0": (lambda o, **k: s.ConstantLR(o, 0.0, 6, **k), lambda t: float(t >= 6)),
    "LinearLR": (
        lambda o, **k: s.LinearLR(o, 0.2, 0.6, 8, **k),
        lambda t: 0.2 + 0.4 * min(t / 8, 1),
    ),
    "CosineAnnealingLR": (lambda o, **k: s.CosineAnnealingLR(o, 9, **k), lambda t: cosine(t / 9)),
    "CosineAnnealingWarmRestarts": (
        lambda o, **k: s.CosineAnnealingWarmRestarts(o, 5, T_mult=2, **k),
        lambda t: cosine(t / 5) if t < 5 else cosine((t - 5) / 10 if t < 15 else (t - 15) / 20),
    ),
    "LambdaLR": (lambda o, **k: s.LambdaLR(o, lambda t: 1 / (1 + t), **k), lambda t: 1 / (1 + t)),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name):
    make, formula = FORMULAS[name]
    expected = np.array([formula(t) for t in range(31)])
    assert_allclose(rates(make(optimizer()), 30), np.outer(expected, [LR, 2 * LR]), 1e-12, 1e-15)


@pytest.mark.parametrize("last_epoch", [0, 3, 12])
@pytest.mark.parametrize("name", FORMULAS)
def test_going_on_by_last_epoch(name, last_epoch):
    make, formula = FORMULAS[name]
    o = optimizer()
    with pytest.raises(errors.ArgumentError, match="group 0 has no 'initial_lr'; load the opt"):
        make(o, last_epoch=last_epoch)
    for group in o.param_groups:
        group["initial_lr"] = group["lr"]
        group["lr"] = math.nan
    expected = [LR * formula(last_epoch + 1 + t) for t in range(11)]
    assert_allclose(rates(make(o, last_epoch=last_epoch), 10)[:, 0], expected, 1e-12, 1e-15)


def test_the_floor_of_the_cosine_is_no_part_of_what_falls():
    o = optimizer()
    seen = rates(s.CosineAnnealingLR(o, 6, eta_min=0.1), 20)
    for k, base in enumerate([LR, 2 * LR]):
        expected = [0.1 + (base - 0.1) * cosine(t / 6) for t in range(21)]
        assert_allclose(seen[:, k], expected, rtol=1e-12)


def test_inverse_square_root_is_the_formula_of_the_paper():
    width, warmup = 512, 40
    o = tg.optim.Adam([tg.tensor([1.0], requires_grad=True)], lr=(width * warmup) ** -0.5)
    seen = rates(s.InverseSquareRootLR(o, warmup), 200)[:, 0]
    step = np.arange(1, 202)
    assert_allclose(seen, width**-0.5 * np.minimum(step**-0.5, step * warmup**-1.5), rtol=1e-12)


def test_multiplicative():
    o = optimizer()
    by_group = [lambda t: 1 - 0.5 / t, lambda t: 0.5]
    seen = rates(s.MultiplicativeLR(o, by_group), 6)
    assert_allclose(seen[:, 0], LR * np.cumprod([1, 0.5, 0.75, 5 / 6, 7 / 8, 0.9, 11 / 12]))
    assert_allclose(seen[:, 1], 2 * LR * 0.5 ** np.arange(7))


@pytest.mark.parametrize("strategy", ["cos", "linear"])
@pytest.mark.parametrize("algorithm", [tg.optim.SGD, tg.optim.Adam])
def test_one_cycle(strategy, algorithm):
    o = optimizer(algorithm)
    schedule = s.OneCycleLR(
        o, [1.0, 3.0], total_steps=21, pct_start=6 / 21, anneal_strategy=strategy, div_factor=10.0
    )
    seen, momenta = [], []
    for _ in range(21):
        seen.append(schedule.get_last_lr())
        momenta.append([g["betas"][0] if "betas" in g else g["momentum"] for g in o.param_groups])
        schedule.step()
    seen, momenta = np.array(seen), np.array(momenta)
    assert_allclose(seen[[0, 5, 20]], np.outer([0.1, 1.0, 1e-5], [1, 3]))
    assert_allclose(momenta[[0, 5, 20]], np.outer([0.95, 0.85, 0.95], [1, 1]))
    way = (lambda a, b, p: a + (b - a) * p) if strategy == "linear" else None
    way = way or (lambda a, b, p: b + (a - b) * cosine(p))
    assert_allclose(seen[2, 0], way(0.1, 1.0, 2 / 5))
    assert_allclose(seen[9, 1], way(3.0, 3e-5, 4 / 15))
    assert_allclose(momenta[9], way(0.85, 0.95, 4 / 15))


def test_one_cycle_ends():
    o = optimizer()
    schedule = s.OneCycleLR(o, 1.0, total_steps=5, anneal_strategy="linear")
    seen = rates(schedule, 5)
    # one schedule.step() after each of the five optimizer.step(); the last changes nothing
    assert_allclose(seen[5], seen[4], rtol=1e-12)
    with pytest.raises(errors.ArgumentError, match="step 6 of 5: the cycle is over"):
        schedule.step()
    assert schedule.last_epoch == 5


def test_one_cycle_that_starts_at_its_peak():
    assert rates(s.OneCycleLR(optimizer(), 1.0, total_steps=10, pct_start=0.1), 1)[0, 0] == 1.0


def test_one_cycle_without_momentum():
    class Plain(tg.optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": 0.1})

    with pytest.raises(errors.ArgumentError, match="neither momentum nor betas; write cycle_mom"):
        s.OneCycleLR(optimizer(Plain), 1.0, total_steps=5)
    assert_allclose(
        s.OneCycleLR(optimizer(Plain), 1.0, 5, cycle_momentum=False).get_last_lr(), 0.04
    )


def test_warm_up():
    o = optimizer()
    schedule = s.WarmupLR(o, 4, after=s.CosineAnnealingLR(o, 6))
    expected = [*(LR * np.arange(1, 5) / 5), *(LR * cosine(t / 6) for t in range(7))]
    assert_allclose(rates(schedule, 10)[:, 0], expected, 1e-12, 1e-15)


@pytest.mark.parametrize("name", FORMULAS)
def test_warm_up_in_front_of_any(name):
    make, formula = FORMULAS[name]
    o = optimizer()
    seen = rates(s.WarmupLR(o, 3, make(o)), 20)[3:, 0]
    assert_allclose(seen, [LR * formula(t) for t in range(18)], 1e-12, 1e-15)


def test_chains_within_sequences_within_chains():
    o = optimizer()
    inner = s.ChainedScheduler([s.LinearLR(o, 0.5, total_iters=4), s.ExponentialLR(o, 0.9)])
    steps = s.SequentialLR(o, [s.ConstantLR(o, 0.1, 100), inner, s.StepLR(o, 2)], [3, 8])
    expected = [0.1] * 3 + [(0.5 + 0.5 * min(t / 4, 1)) * 0.9**t for t in range(5)]
    expected += [0.1 ** (t // 2) for t in range(5)]
    seen = rates(steps, 12)
    assert_allclose(seen[:, 0], LR * np.array(expected), rtol=1e-12)
    again = s.SequentialLR(o, [s.StepLR(o, 100), steps], [2])
    assert_allclose(rates(again, 14)[:, 0], LR * np.array([1, 1, *expected]), rtol=1e-12)


def test_schedules_on_one_optimizer_multiply():
    o = optimizer()
    both = [s.CosineAnnealingLR(o, 9), s.StepLR(o, 4, gamma=0.5)]
    for t in range(1, 9):
        for schedule in both:
            schedule.step()
        assert_allclose(o.param_groups[0]["lr"], LR * cosine(t / 9) * 0.5 ** (t // 4))


def test_a_rate_that_does_not_change_is_left_exactly_alone():
    for make in (lambda o: s.StepLR(o, 50), lambda o: s.CosineAnnealingLR(o, 3, eta_min=0.1)):
        assert rates(make(optimizer()), 0)[0, 0] == LR
    assert set(rates(s.StepLR(optimizer(), 50, 0.3), 49)[:, 0]) == {LR}


def test_a_group_added_later():
    o = optimizer()
    falling, given = s.ExponentialLR(o, 0.5), s.LambdaLR(o, lambda t: 1.0)
    o.add_param_group({"params": [tg.tensor([1.0], requires_grad=True)], "lr": 7.0})
    falling.step()
    assert falling.get_last_lr() == [LR / 2, LR, 3.5]
    with pytest.raises(errors.ArgumentError, match=r"made for 2 parameter groups, .* now has 3"):
        given.step()


def test_a_subclass_with_rates_of_its_own():
    class Alternating(s.LRScheduler):
        def get_lr(self):
            return [base * (1 + self.last_epoch % 2) for base in self.base_lrs]

    assert_allclose(rates(Alternating(optimizer()), 3)[:, 1], 2 * LR * np.array([1, 2, 1, 2]))
    with pytest.raises(errors.ArgumentError, match=r"does not define multiplier\(self, t\)"):
        s.LRScheduler(optimizer())


def test_the_optimizer_reads_the_rate_at_every_step():
    w = tg.tensor(np.zeros(1), requires_grad=True)
    o = tg.optim.SGD([w], lr=1.0)
    schedule = s.ExponentialLR(o, 0.5)
    for _ in range(4):
        o.zero_grad()
        w.sum().backward()
        o.step()
        schedule.step()
    assert_array_equal(w.data, [-(1 + 0.5 + 0.25 + 0.125)])


EVERY = {
    **{name: make for name, (make, _) in FORMULAS.items()},
    "MultiplicativeLR": lambda o: s.MultiplicativeLR(o, lambda t: 0.9),
    "OneCycleLR": lambda o: s.OneCycleLR(o, 1.0, total_steps=30),
    "SequentialLR": lambda o: s.SequentialLR(
        o, [s.ExponentialLR(o, 0.9), s.CosineAnnealingLR(o, 5)], [9]
    ),
    "ChainedScheduler": lambda o: s.ChainedScheduler(
        [s.ExponentialLR(o, 0.9), s.CosineAnnealingLR(o, 5, 0.1)]
    ),
    "WarmupLR": lambda o: s.WarmupLR(o, 7, s.OneCycleLR(o, 1.0, total_steps=23)),
}
FUNCTIONS = ("LambdaLR", "MultiplicativeLR")


def test_every_schedule_is_tested():
    named = {name.split(" ")[0] for name in EVERY}
    assert named | {"LRScheduler", "ReduceLROnPlateau"} == set(s.__all__)


@pytest.mark.parametrize("after", [0, 4, 7, 11])
@pytest.mark.parametrize("name", EVERY)
def test_state_round_trip(name, after):
    make = EVERY[name]
    through = make(optimizer())
    expected = rates(through, 20)[after:]
    stopped = make(optimizer())
    rates(stopped, after)
    saved = stopped.optimizer.state_dict(), stopped.state_dict()
    if name not in FUNCTIONS:
        saved = pickle.loads(pickle.dumps(saved))
    stopped.step()  # the saved state is a copy
    fresh = make(optimizer())
    fresh.optimizer.load_state_dict(saved[0])
    fresh.load_state_dict(saved[1])
    assert fresh.last_epoch == after
    assert_array_equal(rates(fresh, 20 - after), expected)
    assert fresh.optimizer.param_groups[0].keys() == through.optimizer.param_groups[0].keys()


@pytest.mark.parametrize("name", EVERY)
def test_copies(name):
    schedule = EVERY[name](optimizer())
    rates(schedule, 5)
    other = copy.deepcopy(schedule)
    if name not in FUNCTIONS:
        other = pickle.loads(pickle.dumps(other))
    expected = rates(schedule, 10)
    assert other.optimizer is not schedule.optimizer
    assert_array_equal(rates(other, 10), expected)


def test_states_and_rates_are_copies():
    schedule = s.StepLR(optimizer(), 4)
    schedule.state_dict()["base_lrs"][0] = schedule.get_last_lr()[0] = math.nan
    schedule.optimizer.param_groups[0]["lr"] = 5.0
    assert schedule.base_lrs[0] == LR and schedule.get_last_lr()[0] == LR


def test_state_of_another_schedule():
    schedule = s.StepLR(optimizer(), 4)
    before = schedule.state_dict()
    with pytest.raises(
        errors.StateDictError, match=r"nothing was loaded.*'step_size'.*another kind"
    ):
        schedule.load_state_dict(s.ExponentialLR(optimizer(), 0.5).state_dict())
    assert schedule.state_dict() == before
    o = optimizer()
    chain = s.ChainedScheduler([s.StepLR(o, 4)])
    with pytest.raises(errors.StateDictError, match=r"the states of 1 schedules .* got 0"):
        chain.load_state_dict(before)


def test_plateau():
    o = optimizer()
    schedule = s.ReduceLROnPlateau(o, factor=0.5, patience=2, cooldown=1, min_lr=[0.3, 0.0])
    seen = []
    for loss in [1.0, 0.5, 0.5, 0.49999, math.nan, 0.6, 0.6, 0.6, 0.6, 0.6, 0.4, 9, 9, 9]:
        schedule.step(loss)
        seen.append(schedule.get_last_lr())
    assert_allclose(np.array(seen)[:, 1] / LR, [2] * 4 + [1] * 4 + [0.5] * 5 + [0.25])
    assert_allclose(np.array(seen)[:, 0], [0.8] * 4 + [0.4] * 4 + [0.3] * 6)


def test_plateau_takes_a_loss_and_goes_on_from_its_state():
    def run(schedule, losses):
        for loss in losses:
            schedule.step(tg.tensor(loss))
        return schedule

    losses = [3.0, 2.0, 2.0, 2.1, 1.0, 1.0, 1.0, 1.0, 1.0]
    make = lambda: s.ReduceLROnPlateau(optimizer(), "max", 0.5, patience=1)  # noqa: E731
    through, stopped, fresh = run(make(), losses), run(make(), losses[:4]), make()
    fresh.optimizer.load_state_dict(stopped.optimizer.state_dict())
    fresh.load_state_dict(stopped.state_dict())
    assert run(fresh, losses[4:]).get_last_lr() == through.get_last_lr()
    assert fresh.state_dict() == through.state_dict()
    assert through.get_last_lr()[0] == LR / 16


REFUSED = [
    (lambda o: s.StepLR([1.0], 3), "expected an optimizer such as .* got list"),
    (lambda o: s.ReduceLROnPlateau(tg.nn.Linear(1, 1)), "expected an optimizer .* got Linear"),
    (lambda o: s.LambdaLR(None, lambda t: 1.0), "expected an optimizer .* got NoneType"),
    (lambda o: s.OneCycleLR(None, 1.0, 5), "expected an optimizer .* got NoneType"),
    (lambda o: s.StepLR(o, 0), "step_size must be a whole number of 1 or more, got 0"),
    (lambda o: s.StepLR(o, 2.5), "step_size must be a whole number .* got 2.5"),
    (lambda o: s.StepLR(o, 3, gamma=-0.1), "gamma must be a number of 0 or more, got -0.1"),
    (lambda o: s.StepLR(o, 3, last_epoch=-2), "last_epoch must be a whole number of -1 or more"),
    (lambda o: s.ExponentialLR(o, "fast"), "gamma must be a number .* got 'fast'"),
    (lambda o: s.ExponentialLR(o, math.nan), "gamma must be a number .* got nan"),
    (lambda o: s.MultiStepLR(o, [5, 3]), r"increasing whole numbers of 0 or more, got \[5, 3\]"),
    (lambda o: s.MultiStepLR(o, [3, 3]), "increasing whole numbers"),
    (lambda o: s.MultiStepLR(o, [2.5]), "increasing whole numbers"),
    (lambda o: s.PolynomialLR(o, 0), "total_iters must be a whole number of 1 or more, got 0"),
    (lambda o: s.PolynomialLR(o, power=-1.0), "power must be a number of 0 or more"),
    (lambda o: s.InverseSquareRootLR(o, 0), "warmup_steps must be a whole number of 1 or more"),
    (lambda o: s.ConstantLR(o, 1.5), r"factor must be a number in \[0, 1\], got 1.5"),
    (lambda o: s.ConstantLR(o, -0.5), r"factor must be a number in \[0, 1\], got -0.5"),
    (lambda o: s.LinearLR(o, 0.0), "start_factor must be above 0"),
    (lambda o: s.LinearLR(o, 0.5, -1.0), r"end_factor must be a number in \[0, 1\]"),
    (lambda o: s.CosineAnnealingLR(o, -3), "T_max must be a whole number of 1 or more"),
    (lambda o: s.CosineAnnealingLR(o, 3, -0.1), "eta_min must be a number of 0 or more"),
    (lambda o: s.CosineAnnealingWarmRestarts(o, 3, 0), "T_mult must be a whole number"),
    (lambda o: s.CosineAnnealingWarmRestarts(o, 3).step(-1.0), "epoch must be a number of 0"),
    (lambda o: s.LambdaLR(o, 0.5), "lr_lambda must be a function of the number of steps"),
    (lambda o: s.LambdaLR(o, [abs]), "lr_lambda has 1 entries, but the optimizer has 2 param"),
    (lambda o: s.OneCycleLR(o, 1.0), "give total_steps, or epochs and steps_per_epoch"),
    (lambda o: s.OneCycleLR(o, 1.0, epochs=3), "give total_steps, or epochs and steps_per_epoch"),
    (lambda o: s.OneCycleLR(o, 1.0, total_steps=0), "total_steps must be a whole number of 1"),
    (lambda o: s.OneCycleLR(o, -1.0, total_steps=5), "max_lr must be a number of 0 or more"),
    (lambda o: s.OneCycleLR(o, 1.0, 5, pct_start=2), r"pct_start must be a number in \[0, 1\]"),
    (lambda o: s.OneCycleLR(o, 1.0, 5, pct_start=0.6, three_phase=True), r"in \[0, 0.5\]"),
    (lambda o: s.OneCycleLR(o, 1.0, 5, div_factor=0.0), "divisors must be numbers above 0"),
    (lambda o: s.OneCycleLR(o, 1.0, 5, max_momentum=2.0), r"max_momentum must .* \[0, 1\]"),
    (lambda o: s.OneCycleLR(o, 1.0, 5, anneal_strategy="sin"), "'cos' or 'linear', got 'sin'"),
    (lambda o: s.SequentialLR(o, [], []), "expected at least one schedule, got none"),
    (lambda o: s.SequentialLR(o, [o], []), "expected schedules, entry 0 is SGD"),
    (lambda o: s.SequentialLR(o, [s.StepLR(o, 3)], [4]), "1 schedules need 0 milestones .* got 1"),
    (lambda o: s.SequentialLR(o, [s.StepLR(o, 3)] * 3, [4, 4]), "increasing whole numbers of 1"),
    (lambda o: s.SequentialLR(o, [s.StepLR(optimizer(), 3)], []), "belongs to another optimizer"),
    (lambda o: s.ChainedScheduler([]), "expected at least one schedule, got none"),
    (lambda o: s.ChainedScheduler([s.ReduceLROnPlateau(o)]), "entry 0 is ReduceLROnPlateau"),
    (lambda o: s.WarmupLR(o, 0, s.StepLR(o, 3)), "warmup_steps must be a whole number"),
    (lambda o: s.ReduceLROnPlateau(o, "least"), "mode must be 'min' or 'max', got 'least'"),
    (lambda o: s.ReduceLROnPlateau(o, threshold_mode="x"), "threshold_mode must be 'rel' or"),
    (lambda o: s.ReduceLROnPlateau(o, factor=1.0), "factor must be below 1 .* got 1"),
    (lambda o: s.ReduceLROnPlateau(o, factor=-0.1), "factor must be a number of 0 or more"),
    (lambda o: s.ReduceLROnPlateau(o, patience=-1), "patience must be a whole number of 0"),
    (lambda o: s.ReduceLROnPlateau(o, min_lr=[0.1]), "min_lr has 1 entries"),
    (lambda o: s.ReduceLROnPlateau(o, min_lr=-0.1), "min_lr must be a number of 0 or more"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_refused(make, message):
    with pytest.raises(errors.ArgumentError, match=message):
        make(optimizer())


def test_repr():
    o = optimizer()
    schedule = s.StepLR(o, 3, gamma=0.5)
    rates(schedule, 3)
    assert repr(schedule) == "StepLR(step_size=3, gamma=0.5)  # step 3: lr 0.4, 0.8"
    assert repr(s.ChainedScheduler([schedule])).splitlines() == [
        "ChainedScheduler()  # step 0: lr 0.4, 0.8",
        "  StepLR(step_size=3, gamma=0.5)  # step 3: lr 0.4, 0.8",
    ]
