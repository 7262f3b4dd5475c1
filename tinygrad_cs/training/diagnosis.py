"""Where a loss that became infinite or NaN comes from: the batch, the layer, the gradient."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..engine.errors import NonFiniteError
from ..engine.modes import debug, no_grad
from ..engine.types import np
from ..nn.module import Module
from .batches import Batch

__all__ = ["Diagnosis"]


class Diagnosis:
    """What was found about a training that became infinite or NaN; printed, it is a report.

    Attributes:
        what: what was not finite: "loss", "gradient" or "weights".
        place: the epoch and the batch, in words.
        loss: the loss of that batch.
        losses: the last losses before it, oldest first.
        lr: the learning rate.
        inputs: what is wrong with the batch itself, if anything.
        parameters: names of the parameters that were not finite before the batch.
        layer: the dotted path of the first layer whose output is not finite, with its class; None
            where all are.
        operation: what `tg.debug()` says about the operation, if it finds one in that layer.
        gradient: name, largest entry by amount, and largest weight of the parameter with the
            largest gradient; of the step before, unless the gradient itself is what is not finite.
        advice: what to try, the likeliest first.
    """

    def __init__(self, what: str, place: str, loss: float, losses: Sequence[float], lr: float):
        self.what = what
        self.place = place
        self.loss = loss
        self.losses = list(losses)
        self.lr = lr
        self.inputs: str | None = None
        self.parameters: list[str] = []
        self.layer: str | None = None
        self.operation: str | None = None
        self.gradient: tuple[str, float, float] | None = None
        self.advice: list[str] = []
        self.restored = ""

    def __str__(self) -> str:
        lines = [f"the {self.what} became {self._kind()} in {self.place}"]
        if self.losses:
            lines.append("losses before: " + ", ".join(f"{loss:.4g}" for loss in self.losses))
        if self.inputs:
            lines.append(f"the batch itself: {self.inputs}")
        if self.parameters:
            lines.append(f"not finite before this batch: parameter {', '.join(self.parameters)}")
        if self.what == "loss":
            lines.append(self._layer_line())
        if self.operation:
            lines.append(f"operation: {self.operation}")
        if self.gradient:
            name, largest, weight = self.gradient
            when = "" if self.what == "gradient" else " in the step before"
            lines.append(
                f"largest gradient{when}: {largest:.3g} in parameter {name}, whose largest weight "
                f"is {weight:.3g}"
            )
        lines.append(f"learning rate: {self.lr:.4g}")
        lines += [f"try: {advice}" for advice in self.advice]
        if self.restored:
            lines.append(self.restored)
        return "\n  ".join(lines)

    def _kind(self) -> str:
        if self.what == "loss":
            return "NaN" if math.isnan(self.loss) else "infinite"
        return "infinite or NaN"

    def _layer_line(self) -> str:
        if self.layer:
            return f"first layer with such an output: {self.layer}"
        if self.inputs or self.parameters:
            return "every layer's output is finite when the batch is repeated"
        return (
            "every layer's output is finite when the batch is repeated, so it begins in the loss "
            "(or in a random layer, which drew anew)"
        )


def diagnose(
    found: Diagnosis, model: Module, loss: Any, optimizer: Any, batch: Batch | None
) -> None:
    """Fill in everything that the model, its gradients and the batch tell."""
    named = list(model.named_parameters())
    found.parameters = [name for name, p in named if not np.isfinite(p._data).all()]
    found.gradient = _largest(named)
    if batch is not None:
        found.inputs = _wrong_with(batch)
        if found.what == "loss":
            found.layer = first_bad_layer(model, batch)
            found.operation = _operation(model, loss, batch, found.layer)
    found.advice = list(_advice(found, type(optimizer).__name__))


def first_bad_layer(model: Module, batch: Batch) -> str | None:
    """Path and class of the first module to return something not finite, run on a batch again."""
    bad: list[str] = []
    with _watched(model, bad), no_grad(), np.errstate(all="ignore"):
        model(*batch[:-1])
    return bad[0] if bad else None


@contextmanager
def _watched(model: Module, bad: list[str]) -> Iterator[None]:
    """A block in which each module notes its path when it returns infinity or NaN.

    Inner modules return before outer ones, so the first path is the innermost.
    """
    classes = [(module, type(module), path) for path, module in model.named_modules()]
    # a class and not an attribute: some modules look at what their attributes are
    for module, kind, path in classes:
        object.__setattr__(module, "__class__", _noting(kind, path or "the model", bad))
    try:
        yield
    finally:
        for module, kind, _ in classes:
            object.__setattr__(module, "__class__", kind)


def _noting(kind: Any, path: str, bad: list[str]) -> Any:
    """A class like `kind` whose `forward` notes the path."""

    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        out = kind.forward(self, *args, **kwargs)
        if not bad and not all(_finite(part) for part in _parts(out)):
            bad.append(f"{path} ({kind.__name__})")
        return out

    return type(kind.__name__, (kind,), {"forward": forward})


def _parts(out: Any) -> Iterator[Any]:
    if isinstance(out, (tuple, list)):
        for part in out:
            yield from _parts(part)
    elif isinstance(out, dict):
        yield from _parts(list(out.values()))
    else:
        yield out


def _finite(value: Any) -> bool:
    array = getattr(value, "_data", value)
    kind = getattr(getattr(array, "dtype", None), "kind", "")
    return kind not in ("f", "c") or bool(np.isfinite(array).all())


def _operation(model: Module, loss: Any, batch: Batch, layer: str | None) -> str | None:
    """The first operation that `tg.debug()` objects to, if it stands in that layer.

    Elsewhere infinity may be meant, as in a mask of attention.
    """
    try:
        with debug(), no_grad(), np.errstate(all="ignore"):
            loss(model(*batch[:-1]), batch[-1])
    except NonFiniteError as error:
        where = error.layer
        inside = layer is not None and where is not None and layer.startswith(where.split(" (")[0])
        at_the_loss = layer is None and where in (None, type(loss).__name__)
        if inside or at_the_loss:
            return Exception.__str__(error).partition(" (at ")[0]
    return None


def _largest(named: list[tuple[str, Any]]) -> tuple[str, float, float] | None:
    """Name, largest gradient and largest weight of the parameter with the largest gradient."""
    sizes = []
    for name, parameter in named:
        if parameter.grad is not None and parameter.size:
            largest = float(np.abs(parameter.grad).max())
            # NaN above all
            key = math.inf if math.isnan(largest) else largest
            sizes.append((key, name, largest, float(np.abs(parameter._data).max())))
    if not sizes:
        return None
    _, name, largest, weight = max(sizes, key=lambda entry: entry[0])
    return name, largest, weight


def _wrong_with(batch: Batch) -> str | None:
    for i, array in enumerate(batch):
        if not _finite(array):
            values = np.asarray(getattr(array, "_data", array))
            rows = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
            what = "targets hold" if i == len(batch) - 1 else "inputs hold"
            return (
                f"its {what} infinity or NaN in {len(rows)} of {len(values)} samples, "
                f"the first at position {rows[0]} of the batch"
            )
    return None


def _advice(found: Diagnosis, optimizer: str) -> Iterator[str]:
    if found.inputs:
        yield "drop these samples, or fill them: np.nan_to_num(x)"
        return
    jumps = bool(found.losses) and found.losses[-1] > 10 * max(1e-12, min(found.losses))
    gradient = found.gradient[1] if found.gradient else 0.0
    weight = found.gradient[2] if found.gradient else 0.0
    overflow = gradient > 1e3 or weight > 1e4 or jumps
    smaller = f"a smaller learning rate, such as {min(found.lr / 10, 0.1):.2g}"
    if overflow or found.what != "loss":
        yield smaller
        yield "clip_norm=1.0, which shortens gradients that explode"
    if not math.isfinite(gradient) or found.parameters:
        yield (
            "with tg.debug(): one step on this batch names the operation whose derivative is not "
            "finite (a square root, a norm or a division at 0?)"
        )
    if found.layer is None and found.what == "loss":
        yield "a loss of logits instead of one of probabilities: log(0) is infinite"
    elif not overflow:
        yield f"{smaller}; inputs of unit deviation"
    if found.lr >= 0.05 and optimizer.startswith(("Adam", "NAdam", "RMS")):
        yield f"{optimizer} moves every weight by about lr in a step: 1e-3 is a usual one"
