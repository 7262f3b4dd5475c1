"""What losses ask of their arguments, and how they reduce."""

from __future__ import annotations

from typing import Any

from .... import ops
from ....engine.errors import ArgumentError, DTypeError, ShapeError
from ....engine.types import Array, Shape, np
from ....ops.axes import raw
from ...foreign import described, is_foreign, with_shape

_REDUCTIONS = ("mean", "sum", "none")


def check_reduction(reduction: str, where: str, also: tuple[str, ...] = ()) -> str:
    """`reduction` if it is one; raises `ArgumentError` otherwise."""
    if not isinstance(reduction, str) or reduction not in _REDUCTIONS + also:
        raise ArgumentError(
            f"{where}: reduction must be one of "
            f"{', '.join(map(repr, _REDUCTIONS + also))}, got {described(reduction, where)}"
        )
    return reduction


def check_switch(value: Any, name: str, where: str) -> bool:
    """`value` if it is True or False; raises `ArgumentError` otherwise."""
    if not isinstance(value, (bool, np.bool_)):
        raise ArgumentError(f"{where}: {name} must be True or False, got {described(value, where)}")
    return bool(value)


def check_ignore_index(value: Any, where: str) -> int:
    """`value` as a whole number; raises `ArgumentError` otherwise."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        raise ArgumentError(
            f"{where}: ignore_index must be a whole number, got {described(value, where)}"
        )
    return int(value)


def shape_of(x: Any) -> Shape:
    """The shape of a tensor, an array, a number or a list."""
    shape: Shape = np.shape(getattr(x, "_data", x))
    return shape


def refuse_empty_mean(shape: Shape, reduction: str, where: str) -> None:
    """Raise `ShapeError` where nothing is to be averaged."""
    if 0 in shape and reduction != "sum" and reduction != "none":
        raise ShapeError(f"{where}: the mean over an empty batch does not exist; got {shape}")


def pair(input: Any, target: Any, where: str, reduction: str) -> tuple[Any, Any]:
    """Prediction and target of one shape, with labels that are integers as floating numbers.

    Raises `ShapeError` for different shapes, or where an empty batch is averaged.
    """
    shape, wanted = shape_of(input), shape_of(target)
    if shape != wanted:
        raise ShapeError(
            f"{where}: prediction and target must have the same shape, got {shape} and {wanted}; "
            f"reshape one of them"
        )
    if 0 in shape:
        refuse_empty_mean(shape, reduction, where)
    mine, other = getattr(input, "dtype", None), getattr(target, "dtype", None)
    if mine is other and type(mine) in FLOATING:
        return input, target
    return _alike(with_shape(input), target, where)


FLOATING = {type(np.dtype(kind)) for kind in ("float16", "float32", "float64", "longdouble")}
"""The classes of the floating dtypes: one look-up for what nearly every call passes."""


def _alike(input: Any, target: Any, where: str) -> tuple[Any, Any]:
    """The same, where whole numbers and plain lists take the dtype of the other one."""
    refuse_integers(input, where, target)
    values = raw(target)
    if values.dtype.kind in "iub":
        return input, values.astype(input.dtype)
    return input, values if is_foreign(target) else target


def refuse_integers(
    input: Any, where: str, target: Any = None, what: str = "the prediction"
) -> None:
    """Raise `DTypeError` unless the prediction is floating: integers would wrap around."""
    kind = input.dtype.kind
    if kind == "f":
        return
    swapped = target is not None and raw(target).dtype.kind == "f"
    advice = (
        f"predictions come first, targets second: {where}(prediction, target)"
        if swapped
        else "write x.astype('float32')"
    )
    raise DTypeError(f"{where}: {what} must be floating, got {input.dtype}; {advice}")


def refuse_missing(loss: Any, target: Any, where: str) -> Any:
    """The loss, unless it is NaN because the target is; then raises `ArgumentError`."""
    value = getattr(loss, "_data", loss)
    if (value != value).any():  # NaN, which is not equal to itself
        _refuse_nan(raw(target), where)
    return loss


def _refuse_nan(target: Array, where: str) -> None:
    if missing := np.count_nonzero(np.isnan(target)):
        raise ArgumentError(
            f"{where}: the target holds NaN in {missing} of {target.size} entries; leave those "
            f"samples out or fill them in"
        )


def reduce(losses: Any, reduction: str) -> Any:
    """The losses as they are, summed, or averaged."""
    if reduction == "none":
        return losses
    return (ops.mean if reduction == "mean" else ops.sum)(losses)


def beside(weight: Any, losses: Any) -> Any:
    """Weights beside losses: constants take their dtype, so that float32 stays float32."""
    if getattr(weight, "requires_grad", False):
        return weight
    return raw(weight).astype(losses.dtype, copy=False)


def rescaled(losses: Any, weight: Any, where: str) -> Any:
    """The losses times weights that broadcast to their shape; raises `ShapeError` otherwise."""
    weight = beside(weight, losses)
    shape = losses.shape
    if not broadcasts(weight.shape, shape):
        raise ShapeError(
            f"{where}: the weight must have the shape {shape} of the losses or broadcast to it, "
            f"got {weight.shape}"
        )
    return losses * weight


def broadcasts(shape: Shape, to: Shape) -> bool:
    """Does the one shape broadcast to the other without changing it?"""
    try:
        return bool(np.broadcast_shapes(shape, to) == to)
    except ValueError:
        return False


def class_weights(weight: Any, classes: int, where: str) -> Array:
    """The weights of the classes as an array; raises unless there is a number for each."""
    if getattr(weight, "requires_grad", False):
        raise ArgumentError(
            f"{where}: the weights of the classes are constants here, and these require a "
            f"gradient; write weight.detach()"
        )
    values = raw(weight)
    if values.shape != (classes,):
        raise ShapeError(
            f"{where}: weight must hold one number for each of the {classes} classes, shape "
            f"({classes},), got {values.shape}"
        )
    if not (values >= 0).all():
        raise ArgumentError(f"{where}: the weights of the classes must not be negative or NaN")
    return values


def refuse_where(wrong: Array, values: Array, where: str, expected: str, advice: str) -> None:
    """Raise `ArgumentError` that names the first wrong value and its position."""
    if wrong.any():
        first = np.argwhere(wrong)[0].tolist()
        place = f" at position {first}" if first else ""
        raise ArgumentError(
            f"{where}: {expected}, got {values[tuple(first)]}{place} "
            f"({np.count_nonzero(wrong)} of {values.size} entries); {advice}"
        )


def signs(target: Any, where: str) -> Array:
    """True where the target is 1; raises `ArgumentError` unless every entry is 1 or -1."""
    values = raw(target)
    positive: Array = values == 1
    wrong = ~(positive | (values == -1))
    if wrong.any():
        refuse_where(
            wrong,
            values,
            where,
            "every target is 1 (alike) or -1 (different)",
            "turn labels 0 and 1 into 2 * y - 1",
        )
    return positive
