"""The sanity checks that train for a moment: some samples by heart, and half of them held out."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import islice, repeat
from typing import Any

from ...engine.modes import no_grad
from ...engine.types import Array, np
from ...nn.module import Module
from ...optim import Adam
from ...training.batches import Epochs
from ...training.evaluation import evaluation_mode
from ...training.step import NotFinite, Step
from .first_steps import trained
from .task import Loss, Task, value_of
from .verdicts import FAILED, PASSED, UNCLEAR, Check

BY_HEART = 20
ENOUGH = 80
RATES = (1e-2, 1e-3)


def _fitted(
    model: Module,
    loss: Loss,
    batch: tuple[Array, ...],
    rate: float,
    steps: int,
    enough: Callable[[float, Any], bool] = lambda value, prediction: False,
) -> tuple[float, Any]:
    """The last loss and prediction of a short training; infinite if it blows up."""
    value, prediction = math.inf, None

    def see(predicted: Any, target: Any) -> None:
        nonlocal prediction
        prediction = predicted

    step = Step(model, loss, Adam(trained(model), lr=rate), see)
    try:
        with np.errstate(all="ignore"):
            updates = islice(step(Epochs(repeat(batch))), steps)
            for number, (value, _) in enumerate(updates):
                if number % 20 == 0 and enough(value, prediction):
                    break
    except NotFinite as error:
        value = error.loss
    return value, prediction


def by_heart(model: Module, loss: Loss, batch: tuple[Array, ...], task: Task) -> Check:
    """Can a few samples be learned completely?"""
    few = tuple(array[:BY_HEART] for array in batch)
    name = "by heart"
    if not trained(model):
        if next(model.parameters(), None) is None:
            return Check(name, "-", "-", UNCLEAR, "there are no parameters", "see above")
        return Check(name, "-", "-", UNCLEAR, "every parameter is frozen", "thaw some")
    start = model.state_dict()
    check = Check(name, "", "", FAILED)
    for rate, steps in zip(RATES, (300, 500), strict=True):
        model.load_state_dict(start)
        check = _by_heart(model, loss, few, task, rate, steps)
        if check.verdict == PASSED:
            break
    return check


def _by_heart(
    model: Module, loss: Loss, few: tuple[Array, ...], task: Task, rate: float, steps: int
) -> Check:
    name, y = "by heart", few[-1]
    with no_grad():
        first = value_of(loss, model(*few[:-1]), y)
    count = y.size if getattr(loss, "reduction", "mean") == "sum" else 1
    level = task.chance if math.isfinite(task.chance) else first
    counted = task.kind in ("classes", "binary")

    def known(value: float, prediction: Any) -> bool:
        right = not counted or task.accuracy(prediction.data, y) == 1
        return right and value / count < 0.05 * level

    value, prediction = _fitted(model, loss, few, rate, steps, known)
    value /= count
    cause = "labels that contradict each other, a broken model or loss, or far too few parameters"
    remedy = "look at the checks above first, then at the labels, then at a larger model"
    if counted and prediction is not None:
        accuracy = task.accuracy(prediction.data, y)
        expected, found = f"{_counted(len(y))} to 100 %", f"{accuracy:.0%}"
        verdict = PASSED if accuracy == 1 else FAILED if accuracy < 0.95 else UNCLEAR
    else:
        expected, found = f"{_counted(len(y))}, loss below {0.05 * level:.2g}", f"{value:.2g}"
        verdict = PASSED if value < 0.05 * level else FAILED if value > 0.3 * level else UNCLEAR
    if verdict == PASSED:
        return Check(name, expected, found, PASSED)
    return Check(name, expected, found, verdict, cause, remedy)


def _counted(samples: int) -> str:
    return f"{samples} sample" + "s" * (samples != 1)


def held_out(model: Module, loss: Loss, batch: tuple[Array, ...], task: Task) -> Check | None:
    """Does half of the samples teach something about the other half?"""
    y = batch[-1]
    half = len(y) // 2
    if len(y) < ENOUGH or task.kind == "other" or not trained(model):
        return None
    _fitted(model, loss, tuple(array[:half] for array in batch), RATES[0], 100)
    with evaluation_mode(model), np.errstate(all="ignore"):
        predicted = model(*(array[half:] for array in batch[:-1])).data
    truth = y[half:]
    if task.kind == "numbers":
        found, level, noise = _correlation(predicted, truth), 0.0, 1 / math.sqrt(len(truth))
        expected, shown = "predicts new ones", f"correlation {found:.2f}"
    else:
        found = task.accuracy(predicted, truth)
        shares = np.unique(truth, return_counts=True)[1] / truth.size
        level = float(shares.max())
        noise = math.sqrt(level * (1 - level) / len(truth))
        expected, shown = f"above {level:.0%}, the largest class", f"{found:.0%} of new ones"
    above = (found - level) / max(noise, 1e-9)
    name = "labels and inputs"
    if above > 3:
        return Check(name, expected, shown, PASSED)
    return Check(
        name, expected, shown, UNCLEAR if above > 1.5 or level > 0.9 else FAILED,
        "the labels do not belong to these inputs (shuffled, another order), or so few samples "
        "show nothing",
        "look at some samples with their labels; ask again with samples=2000",
    )  # fmt: skip


def _correlation(predicted: Array, truth: Array) -> float:
    """Pearson's, over all outputs; 0 where one of them is constant."""
    a, b = (np.asarray(v, float) - np.mean(v, axis=0) for v in (predicted, truth))
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum() / size) if size > 0 and math.isfinite(size) else 0.0
