"""Initialisers that are maps of a kind: orthogonal, or the identity."""

from __future__ import annotations

import math

from ...engine.errors import ArgumentError, ShapeError
from ...engine.modes import generator
from ...engine.tensor import Tensor, overwrite
from ...engine.types import Array, np
from .filling import check_tensor

__all__ = ["dirac_", "eye_", "orthogonal_"]


def orthogonal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """A random orthogonal matrix times the gain: W W^T = gain^2 I (Saxe et al. 2014).

    Keeps not only the mean length of what flows through it but every length and angle, which
    carries gradients through very deep or recurrent nets. A weight with more than two axes is taken
    as the matrix (out, everything else). Where it is taller than wide, W^T W = gain^2 I. Every
    orthogonal matrix is equally likely.

    Args:
        tensor: a weight with two axes or more, changed in place and returned.
        gain: see `calculate_gain` (default 1).

    Raises `ShapeError` for fewer than two axes.

    Example:
        >>> from tinygrad_cs import nn
        >>> w = nn.init.orthogonal_(nn.Linear(3, 2).weight).data
        >>> abs(w @ w.T).round(5)
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    check_tensor("orthogonal_", tensor)
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_: expected two axes or more, got {tensor.shape}")
    if not tensor.size:
        return tensor
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    tall = generator().normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    # QR leaves the signs of the columns open and LAPACK's choice would not be uniform.
    q *= np.sign(np.diagonal(r))
    overwrite(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))
    return tensor


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix: the layer passes its input on, as far as the sizes allow.

    Raises `ShapeError` unless the tensor has two axes.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.eye_(nn.Linear(2, 2).weight).data
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    check_tensor("eye_", tensor)
    if tensor.ndim != 2:
        raise ShapeError(
            f"eye_: expected a matrix, got {tensor.shape}; for a convolution write dirac_"
        )
    overwrite(tensor, np.eye(*tensor.shape))
    return tensor


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The identity as a convolution: a one in the middle of kernel (c, c), zeros elsewhere.

    With padding='same' and an odd kernel the layer passes its channels on, as far as their numbers
    allow.

    Args:
        tensor: kernels (out, in / groups, K...), changed in place and returned.
        groups: of the convolution (default 1); each starts anew.

    Raises `ShapeError` for other shapes, `ArgumentError` where groups does not divide out.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.dirac_(nn.Parameter([[[5.0, 5.0, 5.0]]])).data
        array([[[0., 1., 0.]]], dtype=float32)
    """
    check_tensor("dirac_", tensor)
    if not 3 <= tensor.ndim <= 5:
        raise ShapeError(
            f"dirac_: expected kernels (out, in, K...) with one to three axes K, got {tensor.shape}"
        )
    if groups < 1 or tensor.shape[0] % groups:
        raise ArgumentError(f"dirac_: groups={groups} does not divide {tensor.shape[0]} channels")
    values: Array = np.zeros(tensor.shape)
    middle = tuple(size // 2 for size in tensor.shape[2:])
    each = tensor.shape[0] // groups
    channels = np.arange(min(each, tensor.shape[1]))
    for first in range(0, tensor.shape[0], each or 1):
        values[(first + channels, channels, *middle)] = 1.0
    overwrite(tensor, values)
    return tensor
