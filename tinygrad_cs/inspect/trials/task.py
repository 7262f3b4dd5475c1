"""What a loss asks for: classes, two classes, or numbers; what ignorance costs, and being right."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from ...engine.errors import TinygradError
from ...engine.tensor import Tensor
from ...engine.types import Array, np

Loss = Callable[..., Any]


class Task(NamedTuple):
    """How predictions, targets and the loss belong together.

    Attributes:
        kind: `"classes"` (scores along axis 1), `"binary"`, `"numbers"`, or `"other"`.
        classes: how many, 0 for numbers.
        link: what the loss takes: `"scores"`, `"logarithms"` of probabilities, `"probabilities"`,
            or `"other"`.
        chance: what a prediction that knows nothing of the inputs should cost; NaN where unknown.
        ignorance, right: what it does cost, and one that is sure and right; NaN where unknown.
    """

    kind: str
    classes: int
    link: str
    chance: float
    ignorance: float = math.nan
    right: float = math.nan

    @property
    def chance_formula(self) -> str:
        """The loss at chance as one would derive it."""
        if self.kind in ("classes", "binary") and self.link != "other":
            return f"ln {self.classes} = {self.chance:.3f}"
        of = "guess of the mean" if self.kind == "numbers" else "prediction of zeros"
        return f"{self.chance:.3g}, a {of}"

    def accuracy(self, prediction: Array, y: Array) -> float:
        """The share of right answers, for classes."""
        if self.kind == "classes":
            return float(np.mean(prediction.argmax(axis=1) == y))
        border = 0.5 if self.link == "probabilities" else 0.0
        return float(np.mean((prediction > border) == (y > 0.5)))


def value_of(loss: Loss, prediction: Any, y: Array) -> float:
    """The loss for each target: a sum is divided by their number."""
    value = float(loss(prediction, y).item())
    return value / max(y.size, 1) if getattr(loss, "reduction", "mean") == "sum" else value


def task_of(prediction: Any, y: Array, loss: Loss) -> Task:
    """Find out by asking the loss, which may be a function of one's own."""
    if not isinstance(prediction, Tensor) or not y.size:
        return Task("other", 0, "other", math.nan)
    shape, dtype = prediction.shape, prediction.dtype

    def cost(values: Any) -> float:
        values = np.broadcast_to(np.asarray(values, dtype), shape)
        try:
            return value_of(loss, Tensor._of(np.array(values)), y)
        except TinygradError:  # not what this loss takes
            return math.nan

    if y.dtype.kind in "iub" and len(shape) == y.ndim + 1 and len(shape) > 1:
        return _of_classes(cost, shape, y)
    if shape == y.shape and np.isin(y, (0, 1)).all():
        for link, unsure in (("scores", 0.0), ("probabilities", 0.5)):
            ignorance = cost(unsure)
            if _near(ignorance, math.log(2)):
                sure = 40.0 * y - 20 if link == "scores" else np.clip(y, 1e-6, 1 - 1e-6)
                return Task("binary", 2, link, math.log(2), ignorance, cost(sure))
    if shape == y.shape and y.dtype.kind == "f":
        ignorance = cost(y.mean(axis=0))
        return Task("numbers", 0, "other", ignorance, ignorance, cost(y))
    return Task("other", 0, "other", math.nan)


def _of_classes(cost: Callable[[Any], float], shape: tuple[int, ...], y: Array) -> Task:
    count = shape[1]
    chance = math.log(count)
    # 0 for the right class and -20 for the others: as scores and as logarithms nearly certain
    places = np.arange(count).reshape(-1, *[1] * (y.ndim - 1))
    sure = np.where(places == y[:, None], 0.0, -20.0)
    for link, unsure in (("scores", 0.0), ("logarithms", -chance)):
        ignorance = cost(unsure)
        if _near(ignorance, chance):
            return Task("classes", count, link, chance, ignorance, cost(sure))
    return Task("classes", count, "other", cost(0.0), cost(0.0), cost(sure))


def _near(found: float, expected: float) -> bool:
    """Equal but for the sign, which is another question."""
    return abs(abs(found) - expected) < 1e-3 * expected
