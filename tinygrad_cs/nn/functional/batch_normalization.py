"""Normalisation of channels with running statistics, under PyTorch's names.

Both divide by the biased variance (of n entries, divided by n) and keep the unbiased one.
"""

from __future__ import annotations

from typing import Any

from ...engine.errors import ArgumentError, DTypeError, ShapeError
from ...engine.tensor import Tensor, overwrite
from ...engine.types import Array, Shape, np
from ...ops.reductions.normalization import standardize, standardize_by
from ...ops.reductions.normalization_layout import Layout, per_channel, per_group
from ..foreign import with_shape
from .normalization import as_scale, as_shift

__all__ = ["batch_norm", "instance_norm"]


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """weight (x - mean) / sqrt(variance + eps) + bias for each channel, over the batch.

    S. Ioffe and C. Szegedy, Batch Normalization, 2015.

    Args:
        input: (N, C) or (N, C, ...); C counts the channels.
        running_mean, running_var: (C,), tensors. In training they are moved, running =
            (1 - momentum) running + momentum batch, with the unbiased variance of the batch; None
            for neither. Otherwise they are what the input is normalised by.
        weight, bias: (C,) or None.
        training: normalise by mean and variance of this batch (default False).
        momentum: weight of the newest batch (default 0.1).
        eps: added to the variance (default 1e-5).

    Running statistics are no operands: they get no gradient, and moving them makes no graph stale.
    Raises `ShapeError` where lengths differ and, in training, for one value per channel, whose
    variance is 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([[1.0], [3.0]])
        >>> mean, var = tg.tensor([0.0]), tg.tensor([1.0])
        >>> tg.nn.functional.batch_norm(x, mean, var, training=True, eps=0.0)
        tensor([[-1.],
                [ 1.]])
        >>> mean, var
        (tensor([0.2]), tensor([1.1]))
    """
    input = with_shape(input)
    shape = input.shape
    if len(shape) < 2:
        raise ShapeError(
            f"batch_norm: expected an input of shape (N, C) or (N, C, ...), got {shape}; for one "
            f"sample write x[None]"
        )
    channels = shape[1:2]
    weight = as_scale(weight, channels, "batch_norm")
    bias = as_shift(bias, channels, "batch_norm")
    layout = per_channel(shape)
    if not training:
        return _by_running(
            input, running_mean, running_var, weight, bias, eps, layout, "batch_norm"
        )
    if layout.size < 2:
        raise ShapeError(
            f"batch_norm: in training mean and variance are taken over the batch, so more than one "
            f"value per channel is needed; got an input of shape {shape}. Use larger batches "
            f"(DataLoader(..., drop_last=True) leaves out a smaller last one), or eval() for "
            f"single samples"
        )
    if running_mean is None and running_var is None:
        return standardize(input, weight, bias, layout, float(eps))
    _check_running(running_mean, running_var, channels, "batch_norm")
    moments: list[Any] = []
    out = standardize(input, weight, bias, layout, float(eps), True, moments)
    mean, variance = moments
    _move(running_mean, mean.reshape(-1), momentum)
    _move(running_var, variance.reshape(-1), momentum, layout.size / (layout.size - 1))
    return out


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """weight (x - mean) / sqrt(variance + eps) + bias for each channel of each sample.

    D. Ulyanov, A. Vedaldi and V. Lempitsky, Instance Normalization, 2016: contrast is taken out of
    images one by one.

    Args:
        input: (N, C, ...), with positions behind the channels.
        running_mean, running_var: (C,) tensors that are moved towards the averages over the
            samples, with the unbiased variance; or None for neither.
        weight, bias: (C,) or None.
        use_input_stats: False normalises by the running statistics instead.
        momentum: weight of the newest batch (default 0.1).
        eps: added to the variance (default 1e-5).

    Raises `ShapeError` where lengths differ or there is one position only.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.instance_norm(tg.tensor([[[1.0, 3.0], [10.0, 30.0]]]), eps=0.0)
        tensor([[[-1.,  1.],
                 [-1.,  1.]]])
    """
    input = with_shape(input)
    shape = input.shape
    if len(shape) < 3:
        raise ShapeError(f"instance_norm: expected an input of shape (N, C, ...), got {shape}")
    channels = shape[1:2]
    weight = as_scale(weight, channels, "instance_norm")
    bias = as_shift(bias, channels, "instance_norm")
    if not use_input_stats:
        layout = per_channel(shape)
        return _by_running(
            input, running_mean, running_var, weight, bias, eps, layout, "instance_norm"
        )
    layout = per_group(shape, shape[1])
    if layout.size < 2:
        raise ShapeError(
            f"instance_norm: more than one position per channel is needed, one value normalises to "
            f"0 whatever it is; got an input of shape {shape}"
        )
    if running_mean is None and running_var is None:
        return standardize(input, weight, bias, layout, float(eps))
    _check_running(running_mean, running_var, channels, "instance_norm")
    moments: list[Any] = []
    out = standardize(input, weight, bias, layout, float(eps), True, moments)
    if len(input):
        mean, variance = (np.mean(m, axis=0).reshape(-1) for m in moments)
        _move(running_mean, mean, momentum)
        _move(running_var, variance, momentum, layout.size / (layout.size - 1))
    return out


def _by_running(
    input: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any, eps: float,
    layout: Layout, where: str,
) -> Any:  # fmt: skip
    if running_mean is None or running_var is None:
        raise ArgumentError(
            f"{where}: without running statistics there is nothing to normalise by in evaluation; "
            f"give running_mean and running_var, or use the statistics of the input"
        )
    mean, variance = (getattr(s, "_data", s) for s in (running_mean, running_var))
    mean, variance = np.asarray(mean), np.asarray(variance)
    _check_lengths(mean, variance, input.shape[1:2], where)
    inverse = 1 / np.sqrt(variance + float(eps))
    affine = layout.affine
    return standardize_by(
        input, weight, bias, mean.reshape(affine), inverse.reshape(affine), layout
    )


def _check_running(running_mean: Any, running_var: Any, channels: Shape, where: str) -> None:
    if not isinstance(running_mean, Tensor) or not isinstance(running_var, Tensor):
        raise DTypeError(
            f"{where}: running statistics are moved in training, so both must be tensors; got "
            f"{type(running_mean).__name__} and {type(running_var).__name__}; write tg.tensor(...)"
        )
    _check_lengths(running_mean, running_var, channels, where)


def _check_lengths(mean: Any, variance: Any, channels: Shape, where: str) -> None:
    if mean.shape != channels or variance.shape != channels:
        raise ShapeError(
            f"{where}: expected running statistics of shape {channels} for this input, got "
            f"{mean.shape} and {variance.shape}"
        )


def _move(running: Tensor, batch: Array, momentum: float, factor: float = 1.0) -> None:
    """The running average of `factor` times what the batches gave."""
    moved = running._data * (1 - momentum)
    moved += batch * (momentum * factor)
    overwrite(running, moved)
