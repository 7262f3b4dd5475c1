"""Normalisation within each sample under PyTorch's names: to mean 0 and variance 1.

All of these divide by the biased variance (of n entries, divided by n); `eps` under the root keeps
constants finite. They differ in the entries that are taken together: see each. Those with running
statistics stand in `batch_normalization.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import ops
from ...engine.errors import ArgumentError, ShapeError
from ...engine.types import Shape, np
from ...ops.reductions.normalization import standardize
from ...ops.reductions.normalization_layout import per_group, per_sample
from ..foreign import with_shape

__all__ = ["group_norm", "layer_norm", "rms_norm"]


def layer_norm(
    input: Any,
    normalized_shape: int | Sequence[int],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Any:
    """weight (x - mean) / sqrt(variance + eps) + bias for each sample, over its features.

    J. L. Ba, J. R. Kiros and G. E. Hinton, Layer Normalization, 2016. Other samples do not matter.

    Args:
        input: (..., *normalized_shape).
        normalized_shape: lengths of the last axes, which are normalised together; or one length.
        weight, bias: of shape `normalized_shape`, or None.
        eps: added to the variance (default 1e-5).

    Raises `ShapeError` where lengths differ.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.layer_norm(tg.tensor([[1.0, 3.0], [10.0, 30.0]]), 2, eps=0.0)
        tensor([[-1.,  1.],
                [-1.,  1.]])
    """
    input, lengths = _with_features(input, normalized_shape, "layer_norm")
    layout = per_sample(input.shape, len(lengths))
    weight = as_scale(weight, lengths, "layer_norm")
    bias = as_shift(bias, lengths, "layer_norm")
    return standardize(input, weight, bias, layout, float(eps))


def rms_norm(
    input: Any,
    normalized_shape: int | Sequence[int],
    weight: Any = None,
    eps: float | None = None,
) -> Any:
    """weight x / sqrt(mean(x^2) + eps) for each sample: `layer_norm` without means.

    B. Zhang and R. Sennrich, Root Mean Square Layer Normalization, 2019.

    Args:
        input: (..., *normalized_shape).
        normalized_shape: lengths of the last axes, which are normalised together; or one length.
        weight: of shape `normalized_shape`, or None.
        eps: added to the mean square; by default the distance of 1 to the next number of the
            input's dtype.

    Raises `ShapeError` where lengths differ.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.rms_norm(tg.tensor([[3.0, 3.0, 3.0, -3.0]]), 4)
        tensor([[ 1.,  1.,  1., -1.]])
    """
    input, lengths = _with_features(input, normalized_shape, "rms_norm")
    layout = per_sample(input.shape, len(lengths))
    eps = _epsilon(input.dtype) if eps is None else float(eps)
    return standardize(input, as_scale(weight, lengths, "rms_norm"), 0.0, layout, eps, False)


def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """weight (x - mean) / sqrt(variance + eps) + bias for each group of channels of each sample.

    Y. Wu and K. He, Group Normalization, 2018. Between `layer_norm` (one group) and
    `instance_norm` (as many groups as channels); other samples do not matter.

    Args:
        input: (N, C) or (N, C, ...).
        num_groups: a divisor of C; neighbouring channels are a group.
        weight, bias: (C,) or None: a number for each channel.
        eps: added to the variance (default 1e-5).

    Raises `ShapeError` where lengths differ or a group has one value, `ArgumentError` for a number
    of groups that does not divide C.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.group_norm(tg.tensor([[1.0, 3.0, 10.0, 30.0]]), 2, eps=0.0)
        tensor([[-1.,  1., -1.,  1.]])
    """
    input = with_shape(input)
    shape = input.shape
    if len(shape) < 2:
        raise ShapeError(
            f"group_norm: expected an input of shape (N, C) or (N, C, ...), got {shape}"
        )
    if not isinstance(num_groups, (int, np.integer)) or num_groups < 1 or shape[1] % num_groups:
        raise ArgumentError(
            f"group_norm: num_groups must be a whole number that divides the {shape[1]} channels "
            f"of an input of shape {shape}, got {num_groups!r}"
        )
    layout = per_group(shape, num_groups)
    if layout.size < 2:
        raise ShapeError(
            f"group_norm: a group of one value normalises to 0 whatever it is; {num_groups} groups "
            f"leave {layout.size} in an input of shape {shape}; use fewer groups"
        )
    weight = as_scale(weight, shape[1:2], "group_norm")
    bias = as_shift(bias, shape[1:2], "group_norm")
    return standardize(input, weight, bias, layout, float(eps))


def as_scale(weight: Any, shape: Shape, where: str) -> Any:
    """A flat weight, one number for every entry of `shape`; 1.0 for None."""
    return 1.0 if weight is None else _flat(weight, shape, "weight", where)


def as_shift(bias: Any, shape: Shape, where: str) -> Any:
    """A flat bias likewise; 0.0 for None."""
    return 0.0 if bias is None else _flat(bias, shape, "bias", where)


def _flat(values: Any, shape: Shape, name: str, where: str) -> Any:
    values = with_shape(values)
    if values.shape != shape:
        raise ShapeError(
            f"{where}: expected a {name} of shape {shape} for this input, got {values.shape}"
        )
    return values if len(shape) == 1 else ops.reshape(values, (-1,))


def _with_features(
    input: Any, normalized_shape: int | Sequence[int], where: str
) -> tuple[Any, Shape]:
    """The input, and the lengths of its last axes that are normalised together."""
    input = with_shape(input)
    single = isinstance(normalized_shape, (int, np.integer))
    lengths: Any = (normalized_shape,) if single else tuple(normalized_shape)  # type: ignore[arg-type]
    if not lengths or input.shape[-len(lengths) :] != lengths:
        wanted = ", ".join(map(str, ("...", *lengths)))
        raise ShapeError(
            f"{where}: expected an input of shape ({wanted}) for normalized_shape={lengths}, "
            f"got {input.shape}"
        )
    return input, lengths


def _epsilon(dtype: Any) -> float:
    return float(np.finfo(dtype if dtype.kind == "f" else np.float64).eps)
