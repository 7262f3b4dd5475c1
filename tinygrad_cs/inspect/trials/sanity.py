"""What to check before the first long training: questions that take seconds.

After the lectures of CS231n, "Neural Networks Part 3: Learning and Evaluation".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...autograd.gradcheck import gradcheck
from ...data.checks import as_generator, positive_integer
from ...engine.errors import ArgumentError, DTypeError, GradientCheckError
from ...engine.modes import generator, no_grad
from ...engine.tensor import Tensor
from ...engine.types import Array, np
from ...nn.module import Module
from ...nn.penalties import l2_penalty
from ...optim import Optimizer
from .arguments import check_model_and_loss, check_optimizer
from .copies import on_copies
from .first_steps import first_steps
from .rehearsal import by_heart, held_out
from .samples import some_samples
from .task import Loss, Task, task_of, value_of
from .verdicts import FAILED, PASSED, UNCLEAR, Check, Checks

__all__ = ["sanity_check"]

FOR_DIFFERENCES = 8


def sanity_check(
    model: Module,
    loss: Loss,
    data: Any,
    *,
    optimizer: Optimizer | None = None,
    penalty: Callable[[Module], Any] | None = None,
    samples: int = 256,
    seed: int = 0,
) -> Checks:
    """Ask an untrained model what one should know before training it: passed, failed or unclear.

    - `loss at chance`: is it ln C for C classes, for numbers that of guessing the mean? Far above,
      the initial weights are too large; below, the labels may be among the inputs.
    - `output and loss`: does a right answer cost less than ignorance (a wrong sign), and is the
      softmax taken once?
    - `penalty`: does it raise the loss?
    - `gradients agree`: do they agree with differences, in float64, along random directions?
    - `gradients arrive`: does each parameter get one within three steps, and do units differ?
    - `by heart`: can twenty samples be learned to 100 %? If not, model or loss is broken, or the
      net far too small; no longer training will help.
    - `labels and inputs`: does what half of the samples teach hold for the other half? Labels that
      were shuffled are learned by heart as well as right ones, but teach nothing. (Asked of 80
      samples or more.)
    - `update / weight`: with the optimizer, about a thousandth a step? More and the weights jump.
    - `learning rate`: with the optimizer, does the loss fall within fifty steps, or does it
      explode, jump, or stay flat?

    The last two need an `optimizer`, and a question that makes no sense for the targets is left
    out; where the loss is not finite, all but the first. Dropout is off in all of them: it would
    hide the answers behind noise.

    Args:
        model: untrained. It, its gradients and modes stay as they are: all happens on copies.
        loss: called with prediction and target, as for `fit`.
        data: arrays `(x, y)`, a data set or a `DataLoader`, which stays where it is.
        optimizer: that of the training, over the model's parameters; it stays as it is too.
        penalty: a penalty of the model (default: `nn.l2_penalty` with strength 1e-3, where the
            model has weights).
        samples: how many are looked at (default 256), drawn at random.
        seed: of this choice and of the directions (default 0). The library's generator is as before
            afterwards: a training is what it would have been.

    Returns `Checks`: a dict of `Check` by name that prints as a table with likely causes and
    remedies; `.passed` is true if all passed. Raises `ArgumentError` for data without samples.

    Example:
        >>> import tinygrad_cs as tg
        >>> _ = tg.manual_seed(0)
        >>> x, y = tg.data.two_spirals(200, noise=0.05)
        >>> net = tg.nn.Sequential(tg.nn.Linear(2, 64), tg.nn.Tanh(), tg.nn.Linear(64, 2))
        >>> checks = tg.inspect.sanity_check(net, tg.nn.CrossEntropyLoss(), (x, y))
        >>> checks["loss at chance"].expected, checks["by heart"].verdict
        ('ln 2 = 0.693', 'passed')
        >>> twice = tg.nn.Sequential(*net, tg.nn.Softmax(dim=1))
        >>> checks = tg.inspect.sanity_check(twice, tg.nn.CrossEntropyLoss(), (x, y))
        >>> checks["output and loss"].cause
        'softmax is taken twice: by the model and by the loss...'
    """
    where = "sanity_check"
    check_model_and_loss(where, model, loss)
    if optimizer is not None:
        check_optimizer(where, model, optimizer)
    if penalty is not None and not callable(penalty):
        raise ArgumentError(
            f"{where}: penalty must be a function of the model, such as lambda model: "
            f"nn.l2_penalty(model, 1e-3), got {penalty!r}"
        )
    as_generator(where, seed)
    batch = some_samples(where, data, positive_integer(where, "samples", samples), seed)
    found: list[Check | None] = []
    with on_copies(model, loss):
        without_dropout(model)
        with no_grad():
            prediction = model(*batch[:-1])
            task = task_of(prediction, batch[-1], loss)
            start = value_of(loss, prediction, batch[-1])
        found.append(_chance(task, start))
        if not math.isfinite(start):
            # of what comes after a NaN nothing can be said
            return Checks((check.name, check) for check in found if check is not None)
        found.append(_output(task, prediction, batch[-1], loss, start))
        found.append(_penalty(model, penalty))
        found.append(_differences(model, loss, batch, seed))
    arrive, *rate = _on_fresh_copies(first_steps, model, loss, batch, optimizer)
    found.append(arrive)
    found.append(_on_fresh_copies(by_heart, model, loss, batch, task))
    found.append(_on_fresh_copies(held_out, model, loss, batch, task))
    return Checks((check.name, check) for check in [*found, *rate] if check is not None)


def without_dropout(model: Module) -> None:
    """Switch layers off that drop something at random; normalisations stay in training."""
    for module in model.modules():
        if "Drop" in type(module).__name__ or "Stochastic" in type(module).__name__:
            module.training = False
        elif hasattr(module, "dropout") and isinstance(module.dropout, float):
            module.dropout = 0.0


def _on_fresh_copies(
    question: Callable[..., Any], model: Module, loss: Loss, batch: Any, other: Any
) -> Any:
    with on_copies(model, loss, other) as (_, copied):
        without_dropout(model)
        return question(model, loss, batch, copied)


def _chance(task: Task, start: float) -> Check | None:
    name = "loss at chance"
    if not math.isfinite(start):
        return Check(
            name,
            "a finite number",
            str(start),
            FAILED,
            "inputs, targets or weights that are not finite, or a logarithm of 0",
            "look at np.isfinite(x).all(); tg.debug() names the operation; then ask again",
        )
    if not task.chance > 0:
        return None
    ratio = start / task.chance
    low, high = (0.2, 5.0) if task.kind == "numbers" else (0.5, 2.0)
    if low < ratio < high:
        return Check(name, task.chance_formula, f"{start:.3f}", PASSED)
    verdict = UNCLEAR if low / 2 < ratio < 2 * high else FAILED
    if ratio < 0:
        cause = "the loss is negative: its sign is wrong, or the prediction is not what it takes"
        remedy = "minimise -log p; give nn.NLLLoss what nn.LogSoftmax gives"
    elif task.link == "logarithms":
        cause = "the loss takes logarithms of probabilities, and the model gives something else"
        remedy = "end the model with nn.LogSoftmax(dim=1), or take nn.CrossEntropyLoss"
    elif ratio < 1:
        cause = "the target is among the inputs, or the model is trained already"
        remedy = "look at the columns of x; check a fresh model"
    else:
        cause = "initial weights too large, or inputs that are not standardised"
        remedy = "smaller last weights (He's elsewhere), tg.data.Standardizer for the inputs"
    return Check(name, task.chance_formula, f"{start:.3f}", verdict, cause, remedy)


def _output(task: Task, prediction: Any, y: Array, loss: Loss, start: float) -> Check | None:
    if task.kind == "other":
        return None
    name, expected = "output and loss", "right answers cost less"
    found = f"{task.ignorance:.3g}, if right {task.right:.3g}"
    if not task.right < task.ignorance:
        return Check(
            name, expected, found, FAILED,
            "the loss rewards wrong answers: its sign is wrong", "minimise -log p, not log p",
        )  # fmt: skip
    values = prediction.data
    bounded = bool(((values >= 0) & (values <= 1)).all())
    if task.kind == "classes":
        shifted = value_of(loss, Tensor._of(values + np.asarray(3, values.dtype)), y)
        takes_scores = abs(shifted - start) < 1e-3 * max(1.0, abs(start))
        sums = np.exp(values).sum(axis=1) if task.link == "logarithms" else values.sum(axis=1)
        normalised = bool(np.allclose(sums, 1, atol=1e-3))
        if bounded and normalised and takes_scores:
            return _twice(name, "softmax", "nn.Softmax")
        if task.link == "logarithms" and not normalised:
            return Check(
                name, "logarithms of probabilities", "others", FAILED,
                "nn.NLLLoss takes logarithms of probabilities and got plain scores",
                "end the model with nn.LogSoftmax(dim=1), or take nn.CrossEntropyLoss",
            )  # fmt: skip
    elif task.kind == "binary" and task.link == "scores" and bounded and values.size > 20:
        return _twice(name, "sigmoid", "nn.Sigmoid")
    return Check(name, expected, found, PASSED)


def _twice(name: str, function: str, layer: str) -> Check:
    return Check(
        name,
        "scores",
        "probabilities",
        FAILED,
        f"{function} is taken twice: by the model and by the loss, so gradients are far too small "
        f"and the loss cannot reach 0",
        f"leave {layer} out of the model",
    )


def _penalty(model: Module, penalty: Callable[[Module], Any] | None) -> Check | None:
    if penalty is None:
        if all(p.ndim < 2 for p in model.parameters()):
            return None
        more = float(l2_penalty(model, 1e-3).item())
    else:
        more = float(getattr(value := penalty(model), "_data", value))
    if more > 0:
        return Check("penalty", "raises the loss", f"{more:+.3g}", PASSED)
    return Check(
        "penalty", "raises the loss", f"{more:+.3g}", FAILED,
        "the penalty does not see the weights, its strength is 0, or all weights are 0",
        "compute it anew in every step from model.parameters()",
    )  # fmt: skip


def _differences(model: Module, loss: Loss, batch: tuple[Array, ...], seed: int) -> Check:
    name, expected = "gradients agree", "with differences to 1e-5"
    *inputs, y = (array[:FOR_DIFFERENCES] for array in batch)
    random = generator().bit_generator
    state = random.state

    def whole(*arrays: Any) -> Any:
        random.state = state
        return loss(model(*arrays), y)

    try:
        report = gradcheck(whole, tuple(inputs), module=model, seed=seed, raise_exception=False)
    except (ArgumentError, DTypeError, GradientCheckError) as error:
        return Check(
            name, expected, "not comparable", UNCLEAR, str(error).removeprefix("gradcheck: "),
            "check the parts of the model one by one with tg.autograd.gradcheck",
        )  # fmt: skip
    found = f"{report.checked} derivatives, {report.error:.0e}"
    if report:
        return Check(name, expected, found, PASSED)
    wrong = next(operand for operand in report.operands if operand.likely)
    return Check(
        name, expected, found, FAILED, f"{wrong.name}: {wrong.likely}",
        "correct the rule of the operation; tg.autograd.gradcheck of a layer alone finds which",
    )  # fmt: skip
