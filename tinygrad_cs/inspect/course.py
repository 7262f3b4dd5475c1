"""What the losses of a training tell: its course, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ..engine.types import np
from .findings import Finding

AT_CHANCE = 0.95
"""A loss above this share of chance has learned nothing."""
FEWEST = 5
"""Epochs that a course needs, to be called one."""


class Course:
    """The losses of a history, as far as they are finite, and what the loss of guessing is.

    Attributes:
        loss, validation: by epoch; validation is empty without one.
        chance: the loss of guessing, None if unknown.
        start: the loss to compare with: chance, or else the first loss there is.
    """

    def __init__(self, history: Any, chance: float | None) -> None:
        self.history = history
        self.loss = _finite(history, "loss")
        self.validation = _finite(history, "validation_loss")
        self.chance = chance
        first = max([*self.loss[:1], *self.validation[:1]], default=math.nan)
        self.start = first if chance is None else chance

    def learned(self) -> bool:
        """Did the loss fall far?"""
        return bool(self.loss) and self.loss[-1] < 0.3 * self.start

    def falls(self) -> float:
        """The relative change of the loss over the last third of the epochs, positive if down."""
        tail = self.loss[-max(2, len(self.loss) // 3) :]
        return (tail[0] - tail[-1]) / abs(tail[0]) if tail and tail[0] else 0.0

    def rises(self) -> float:
        """The share of epochs in which the loss rose by more than 2 % of the start."""
        pairs = list(zip(self.loss, self.loss[1:], strict=False))
        return sum(b - a > 0.02 * abs(self.start) for a, b in pairs) / max(1, len(pairs))


def _finite(history: Any, column: str) -> list[float]:
    if column not in history.columns:
        return []
    return [float(v) for v in history[column] if v is not None and math.isfinite(v)]


def at_chance(course: Course) -> Iterator[Finding]:
    """Nothing was learned."""
    # the mean over the first epoch is also that over an untrained net
    if course.chance is None or len(course.loss) < 2:
        return
    best = min(course.loss)
    if min([best, *course.validation]) > AT_CHANCE * course.chance:
        yield Finding(
            "loss at chance",
            f"the lowest training loss is {best:.4g}, that of guessing {course.chance:.4g}",
            "no signal reaches the weights, or the targets do not depend on the inputs",
            "tg.inspect.sanity_check(model, loss, (x, y)): can a few samples be learned by heart? "
            "Then another learning rate, by factors of 10",
        )


def rate_too_high(course: Course, ratio: float | None) -> Iterator[Finding]:
    """The loss rises, or jumps up and down, or the weights are thrown about."""
    loss, signs = course.loss, []
    rise = loss[-1] - min(loss) if len(loss) >= 3 else 0.0
    if rise > 0.5 * abs(min(loss, default=0.0)) and rise > 0.1 * abs(course.start):
        signs.append(f"the training loss rose from {min(loss):.4g} to {loss[-1]:.4g}")
    if len(loss) > FEWEST and course.rises() >= 0.25:
        signs.append(f"the training loss rose in {course.rises():.0%} of the epochs")
    stuck = course.falls() < 0.003 and (ratio is None or ratio > 1e-3)
    if course.chance is not None and loss and loss[-1] > 1.2 * course.chance and stuck:
        signs.append(f"the loss ended at {loss[-1]:.4g}, guessing has {course.chance:.4g}")
    if ratio is not None and ratio > 0.1:
        signs.append(f"a step changes the weights by {ratio:.2g} of their size, 0.001 is usual")
    if signs:
        yield Finding(
            "learning rate too high",
            "; ".join(signs),
            "steps so long that they leave the valley they should descend",
            "a learning rate 10 times smaller; a schedule that lowers it, or a warm-up",
        )


def rate_too_low(course: Course, ratio: float | None) -> Iterator[Finding]:
    """The loss is still high and still falling, and steps are tiny."""
    loss = course.loss
    if not loss or not loss[-1] > 0.3 * course.start:
        return
    signs = []
    falling = len(loss) >= FEWEST and loss[-1] > 0.6 * course.start and course.rises() == 0
    if falling and course.falls() > 0.003 and (ratio is None or ratio < 1e-3):
        signs.append(
            f"the training loss is {loss[-1]:.4g} after {len(loss)} epochs and still falling, by "
            f"{course.falls():.1%} over the last third"
        )
    if ratio is not None and 0 < ratio < 3e-5:
        signs.append(f"a step changes the weights by {ratio:.1e} of their size, 1e-3 is usual")
    if signs:
        yield Finding(
            "learning rate too low",
            "; ".join(signs),
            "steps so short that training would take for ever",
            "a learning rate 10 times larger, or more epochs",
        )


def underfitting(course: Course) -> Iterator[Finding]:
    """Training stands still far from its aim, and validation shows the same."""
    loss = course.loss
    if len(loss) < FEWEST or abs(course.falls()) > 0.03 or course.rises() >= 0.25:
        return
    last = loss[-1]
    known = course.chance is not None and last > AT_CHANCE * course.chance
    if not last > 0.4 * course.start or known or last > course.start:
        return
    both = f", in validation {course.validation[-1]:.4g}" if course.validation else ""
    yield Finding(
        "underfitting",
        f"the training loss stands at {last:.4g}{both}; it fell by {course.falls():.1%} over the "
        f"last third of {len(loss)} epochs, and began near {course.start:.4g}",
        "a net that is too small, too strong a penalty or dropout, or targets of noise",
        "more or wider layers, less weight decay and dropout, better features",
    )


def overfitting(course: Course) -> Iterator[Finding]:
    """Validation becomes worse while training becomes better."""
    loss, validation, history = course.loss, course.validation, course.history
    signs = []
    if len(validation) >= FEWEST and loss:
        best, last = min(validation), float(np.mean(validation[-2:]))
        early = validation.index(best) < len(validation) - 2
        far = last - best > max(0.1 * abs(course.start), 0.15 * abs(best))
        if early and far and 1.15 * best > 2 * loss[-1]:
            signs.append(
                f"the validation loss rose from {best:.4g} to {last:.4g} while the training loss "
                f"fell to {loss[-1]:.4g}"
            )
    training, held_out = (_finite(history, name) for name in ("accuracy", "validation_accuracy"))
    if training and held_out and training[-1] - held_out[-1] > 0.15 and training[-1] > 0.9:
        signs.append(f"accuracy {training[-1]:.1%} in training, {held_out[-1]:.1%} in validation")
    if signs:
        yield Finding(
            "overfitting",
            "; ".join(signs),
            "more freedom than data: single samples are learned by heart",
            "more data or augmentation; patience=..., weight_decay=..., nn.Dropout; fewer units",
        )
