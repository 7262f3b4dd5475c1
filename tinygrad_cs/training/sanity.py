"""What to check before the first long training: four questions that take seconds.

After the lectures of CS231n, "Neural Networks Part 3: Learning and Evaluation".
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, NamedTuple

from ..engine.errors import ArgumentError
from ..engine.modes import generator
from ..engine.types import Array, np
from ..nn.module import Module
from ..nn.penalties import l2_penalty
from ..optim import Adam, Optimizer

__all__ = ["Check", "Checks", "sanity_checks"]

SUBSET = 20
STEPS = 300
WARM_UP = 10


class Check(NamedTuple):
    """One question: its name, what was expected, what was found, whether that is well."""

    name: str
    expected: str
    found: str
    passed: bool
    advice: str


class Checks(list[Check]):
    """A list of `Check`, printed as a table with a verdict for each."""

    @property
    def passed(self) -> bool:
        """Is everything as it should be?"""
        return all(check.passed for check in self)

    def __repr__(self) -> str:
        rows = [("check", "expected", "found", "verdict")]
        rows += [(c.name, c.expected, c.found, "ok" if c.passed else c.advice) for c in self]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        return "\n".join(
            "  ".join([*(f"{cell:{w}}" for cell, w in zip(row, widths, strict=False)), row[3]])
            for row in rows
        )


def sanity_checks(
    model: Module,
    x: Any,
    y: Any,
    loss: Callable[..., Any],
    *,
    optimizer: Optimizer | None = None,
    penalty: Callable[[Module], Any] | None = None,
) -> Checks:
    """Ask an untrained model four things; returns a table of answers and verdicts.

    - Is the loss at chance level: log C for C classes, for numbers the variance of the targets?
      Far above it the initial weights are too large; below it the labels may be among the inputs.
    - Does a penalty on the weights raise it?
    - Can a few samples be learned by heart, to an accuracy of 100 %? If not, the model, the loss
      or the labels are broken, or the net is far too small; no longer training will help.
    - Does an update change the weights by about a thousandth of their size? More and they jump,
      less and they crawl.

    Args:
        model: untrained; it is not changed, the checks work on copies.
        x: inputs of a batch, some hundred samples or fewer.
        y: integer classes, or numbers of the shape of the model's output.
        loss: as for `fit`.
        optimizer: that of the training, over the model's parameters; it is not changed either.
            Without it the update is not asked about.
        penalty: a penalty of the model (default: `nn.l2_penalty` with strength 1e-3).

    Nothing is drawn from the library's generator: a training afterwards is what it would have been.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> _ = tg.manual_seed(0)
        >>> x, y = np.eye(20, dtype="float32"), np.arange(20) % 4
        >>> net = tg.nn.Sequential(tg.nn.Linear(20, 32), tg.nn.ReLU(), tg.nn.Linear(32, 4))
        >>> checks = tg.training.sanity_checks(net, x, y, tg.nn.CrossEntropyLoss())
        >>> checks.passed
        True
    """
    random = generator().bit_generator
    before = random.state
    x, y = (np.asarray(getattr(value, "_data", value)) for value in (x, y))
    if not len(x) or len(x) != len(y):
        raise ArgumentError(
            f"sanity_checks: expected inputs and targets of the same, positive number of samples, "
            f"got {len(x)} and {len(y)}"
        )
    try:
        copied, own = copy.deepcopy((model, optimizer))
        checks = Checks([_chance(copied, x, y, loss)])
        checks.append(_penalty(copied, checks[0], x, y, loss, penalty))
        checks.append(_by_heart(copy.deepcopy(model), x[:SUBSET], y[:SUBSET], loss))
        if own is not None:
            checks.append(_updates(copied, own, x, y, loss))
    finally:
        random.state = before
    return checks


def _is_classes(y: Array) -> bool:
    return y.dtype.kind in "iub"


def _loss_at_rest(model: Module, x: Array, y: Array, loss: Callable[..., Any]) -> tuple[float, Any]:
    """The loss without what is random, and the prediction."""
    prediction = _without_dropout(model)(x)
    value = float(loss(prediction, y).item())
    return value / len(y) if getattr(loss, "reduction", "mean") == "sum" else value, prediction


def _without_dropout(model: Module) -> Module:
    """The model with layers that drop something switched off; normalisations stay in training."""
    for module in model.modules():
        module.training = "Drop" not in type(module).__name__
    return model


def _chance(model: Module, x: Array, y: Array, loss: Callable[..., Any]) -> Check:
    found, prediction = _loss_at_rest(model, x, y, loss)
    if _is_classes(y):
        count = prediction.shape[1] if prediction.ndim > 1 else 2
        chance = math.log(count)
        expected, passed = f"log {count} = {chance:.3f}", abs(found - chance) < 0.5 * chance
    else:
        chance = float(np.var(y))
        expected, passed = f"about the variance {chance:.3g}", 0.2 * chance < found < 5 * chance
    advice = (
        "too high: smaller initial weights, inputs of mean 0 and deviation 1"
        if found > chance
        else "too low: is the target among the inputs, or the model trained already?"
    )
    return Check("loss before training", expected, f"{found:.3f}", passed, advice)


def _penalty(
    model: Module,
    chance: Check,
    x: Array,
    y: Array,
    loss: Callable[..., Any],
    penalty: Callable[[Module], Any] | None,
) -> Check:
    more = (l2_penalty(model, 1e-3) if penalty is None else penalty(model)).item()
    advice = "the penalty adds nothing: does it see the weights?"
    return Check(
        "loss with a penalty", f"above {chance.found}", f"{more:+.3g}", bool(more > 0), advice
    )


def _by_heart(model: Module, x: Array, y: Array, loss: Callable[..., Any]) -> Check:
    optimizer = Adam(_without_dropout(model).parameters(), lr=1e-2)
    for _ in range(STEPS):
        optimizer.zero_grad()
        prediction = model(x)
        value = loss(prediction, y)
        value.backward()
        optimizer.step()
    name = f"{len(x)} samples by heart"
    advice = "cannot be learned: look at labels, loss and model; gradients with tg.autograd"
    if _is_classes(y):
        scores = prediction.data
        right = scores.argmax(axis=1) if scores.ndim > 1 and scores.shape[1] > 1 else scores > 0
        accuracy = float(np.mean(right.reshape(y.shape) == y))
        return Check(name, "100 % right", f"{accuracy:.0%} right", accuracy == 1, advice)
    found, spread = float(value.item()), float(np.var(y))
    return Check(
        name, f"loss below {0.05 * spread:.2g}", f"{found:.2g}", found < 0.05 * spread, advice
    )


def _updates(
    model: Module, optimizer: Optimizer, x: Array, y: Array, loss: Callable[..., Any]
) -> Check:
    """The median over the weights of |change| / |weight| in a step, after some steps."""
    _without_dropout(model)
    weights = [p for p in model.parameters() if p.ndim > 1 and p.requires_grad]
    for step in range(WARM_UP):
        before = [p.data.copy() for p in weights] if step == WARM_UP - 1 else []
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()
    ratios = [
        float(np.linalg.norm(p.data - old) / max(float(np.linalg.norm(old)), 1e-12))
        for p, old in zip(weights, before, strict=True)
    ]
    found = float(np.median(ratios)) if ratios else math.nan
    lr = optimizer.param_groups[0]["lr"]
    advice = (
        f"too large: try lr={lr * 1e-3 / found:.1g}"
        if found > 1e-3
        else f"too small: try lr={lr * 1e-3 / max(found, 1e-12):.1g}"
    )
    return Check("update / weight", "about 1e-3", f"{found:.1e}", 1e-4 <= found <= 2e-2, advice)
