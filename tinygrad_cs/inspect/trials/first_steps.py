"""The sanity checks of the first steps: do gradients arrive, do updates and the rate fit?"""

from __future__ import annotations

import math
from itertools import repeat
from typing import Any

from ...engine.types import Array, np
from ...nn.module import Module
from ...optim import Adam, Optimizer
from ...training.batches import Epochs
from ...training.step import NotFinite, Step
from .task import Loss
from .verdicts import FAILED, PASSED, UNCLEAR, Check

FIRST_STEPS = 50
WARM_UP = 10


def trained(model: Module) -> list[Any]:
    """The parameters that are not frozen."""
    return [p for p in model.parameters() if p.requires_grad]


def first_steps(
    model: Module, loss: Loss, batch: tuple[Array, ...], optimizer: Optimizer | None
) -> list[Check]:
    """Do gradients arrive; and with the training's optimizer: do updates and its rate fit?"""
    if next(model.parameters(), None) is None:
        cause = f"{type(model).__name__} has no parameters, so there is nothing to train"
        remedy = "make its layers and parameters attributes of it, in __init__"
        return [Check("gradients arrive", "at every parameter", "none", FAILED, cause, remedy)]
    if not trained(model):
        return [_frozen(list(dict(model.named_parameters())), FAILED)]
    step = Step(model, loss, optimizer or Adam(trained(model), lr=1e-3))
    updates = step(Epochs(repeat(batch)))
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    sizes: dict[str, list[float]] = {name: [] for name, _ in named}
    losses, ratios = [], []
    # a layer that begins with zeros has no size to compare with
    sized = [p for _, p in named if p.ndim > 1 and p.data.any()]
    for number in range(FIRST_STEPS if optimizer else 3):
        before = [np.array(p.data) for p in sized] if number == WARM_UP else []
        try:
            with np.errstate(all="ignore"):
                losses.append(next(updates)[0])
        except NotFinite:
            losses.append(math.inf)
            break
        if number < 3:
            for name, p in named:
                sizes[name].append(math.nan if p.grad is None else float(np.abs(p.grad).max()))
        if before:
            ratios = [_ratio(p.data, old) for p, old in zip(sized, before, strict=True)]
    if optimizer is None:
        return [_arrive(model, sizes, None)]
    lr = float(optimizer.param_groups[0]["lr"])
    checks = [_arrive(model, sizes, optimizer)]
    if ratios:
        checks.append(_update(float(np.median(ratios)), lr))
    return [*checks, _rate(losses, lr)]


def _ratio(new: Array, old: Array) -> float:
    return float(np.linalg.norm(new - old) / max(float(np.linalg.norm(old)), 1e-12))


def _frozen(names: list[str], verdict: str) -> Check:
    return Check(
        "gradients arrive", "at every parameter", f"{len(names)} frozen", verdict,
        f"{_some(names)}: requires_grad is False, so nothing trains it",
        "if that is not meant: model.requires_grad_(True), before the optimizer is made",
    )  # fmt: skip


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _arrive(model: Module, sizes: dict[str, list[float]], optimizer: Optimizer | None) -> Check:
    name, expected = "gradients arrive", "at every parameter"
    held = None
    if optimizer is not None:
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    everything = dict(model.named_parameters())
    none = [key for key, found in sizes.items() if all(map(math.isnan, found))]
    zero = [key for key, found in sizes.items() if found and not any(found)]
    alike = [
        key
        for key in sizes
        if key not in none and everything[key].ndim > 1 and _units_are_alike(everything[key].data)
    ]
    strangers = [key for key in sizes if held is not None and id(everything[key]) not in held]
    frozen = [key for key, p in everything.items() if not p.requires_grad]
    if none:
        return Check(
            name, expected, f"{len(none)} without", FAILED,
            f"{_some(none)}: not used by forward, or cut off (.data, .detach(), no_grad, NumPy)",
            "use it in forward, or take it out of the model",
        )  # fmt: skip
    if alike:
        return Check(
            name, "units that differ", "units all alike", FAILED,
            f"{_some(alike)}: every unit has the same weights and gets the same gradient, so they "
            f"stay copies of one",
            "initialise at random: nn.init.kaiming_normal_; zeros are for biases",
        )  # fmt: skip
    if zero:
        return Check(
            name, expected, f"{len(zero)} with zeros only", FAILED,
            f"{_some(zero)}: dead ReLUs or saturated units above, weights or inputs of zeros",
            "look at the activations; standardise the inputs, take smaller initial weights",
        )  # fmt: skip
    if strangers:
        return Check(
            name, expected, f"{len(strangers)} not in the optimizer", FAILED,
            f"{_some(strangers)}: the optimizer does not hold them, so they do not change",
            "make the optimizer after the model, with all of model.parameters()",
        )  # fmt: skip
    if frozen:
        return _frozen(frozen, UNCLEAR)
    return Check(name, expected, f"at all {len(sizes)}", PASSED)


def _units_are_alike(weight: Array) -> bool:
    return len(weight) > 1 and bool((weight == weight[:1]).all())


def _update(found: float, lr: float) -> Check:
    name, expected = "update / weight", "about 1e-3"
    if 1e-4 <= found <= 2e-2:
        return Check(name, expected, f"{found:.1e}", PASSED)
    verdict = UNCLEAR if 2e-5 <= found <= 1e-1 else FAILED
    cause = f"the learning rate is too {'large' if found > 1e-3 else 'small'}"
    if not found:
        cause = "nothing changes the weights: no gradient arrives, or the rate is 0"
    better = lr * 1e-3 / found if 0 < found < math.inf else math.nan
    remedy = "tg.inspect.find_lr" if math.isnan(better) else f"about lr={better:.1g}"
    return Check(name, expected, f"{found:.1e}", verdict, cause, f"try {remedy}")


def _rate(losses: list[float], lr: float) -> Check:
    name, expected = "learning rate", f"loss falls in {FIRST_STEPS} steps"
    start, end = losses[0], float(np.median(losses[-5:]))
    found = f"{start:.3g} to {losses[-1]:.3g}"
    fall = (start - end) / max(abs(start), 1e-12)
    spread = (max(losses) - min(losses)) / max(abs(start), 1e-12)
    remedy = f"less than lr={lr:g}: tg.inspect.find_lr(model, loss, data, optimizer=optimizer)"
    if not math.isfinite(losses[-1]) or fall < -0.5:
        return Check(name, expected, found, FAILED, "the loss explodes: rate too large", remedy)
    if max(losses) > 2 * abs(start):
        cause = "the loss shoots up before it falls: rate too large"
        return Check(name, expected, found, FAILED, cause, remedy)
    if fall >= 0.05:
        return Check(name, expected, found, PASSED)
    if spread > 0.1:
        cause = "the loss jumps without falling: rate too large"
        return Check(name, expected, found, FAILED, cause, remedy)
    cause = "the loss stays flat: rate too small, or gradients that do not arrive"
    verdict = UNCLEAR if fall > 0.01 else FAILED
    remedy = remedy.replace("less", "more")
    return Check(name, expected, found, verdict, cause, remedy)
