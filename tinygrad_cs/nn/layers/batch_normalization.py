"""Normalisation of channels, with running statistics: `BatchNorm1d` and its relatives."""

from __future__ import annotations

from typing import Any, ClassVar

from ...engine.errors import ArgumentError, ShapeError
from ...engine.modes import default_dtype
from ...engine.tensor import Tensor, overwrite
from ...engine.types import np
from .. import functional
from ..foreign import with_shape
from ..functional.arguments import channels_hint, on_batch
from ..module import Module
from ..parameter import Parameter
from .normalization import check_eps
from .sizes import check_sizes

__all__ = ["BatchNorm1d", "BatchNorm2d", "InstanceNorm1d", "InstanceNorm2d"]


class _ChannelNorm(Module):
    """Weight, bias and running statistics of `num_features` channels."""

    shapes: ClassVar[dict[int, str]]
    """Numbers of axes of the inputs, and what the axes are."""

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
    ) -> None:
        where = type(self).__name__
        check_sizes(where, num_features=num_features)
        check_eps(where, eps)
        number = isinstance(momentum, (float, int, np.floating))
        if momentum is not None and not (number and 0 <= momentum <= 1):
            raise ArgumentError(
                f"{where}: momentum, the weight of the newest batch, is a number from 0 to 1, got "
                f"{momentum!r}"
            )
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        dtype = default_dtype()
        self.weight = Parameter(np.ones(num_features, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_features, dtype)) if affine else None
        if track_running_stats:
            self.register_buffer("running_mean", np.zeros(num_features, dtype))
            self.register_buffer("running_var", np.ones(num_features, dtype))
            self.register_buffer("num_batches_tracked", np.array(0, np.int64))
        else:
            self.running_mean = self.running_var = self.num_batches_tracked = None

    def _checked(self, x: Any) -> Any:
        x = with_shape(x)
        shape = x.shape
        if len(shape) not in self.shapes:
            raise ShapeError(
                f"{type(self).__name__}: expected an input of shape "
                f"{' or '.join(self.shapes.values())}, got {shape}"
            )
        channels = shape[self._channel_axis(len(shape))]
        if channels != self.num_features:
            raise ShapeError(
                f"{type(self).__name__}: made for num_features={self.num_features} channels, got "
                f"{channels} in an input of shape {shape}"
                + channels_hint(shape, self.num_features, len(shape) - 2)
            )
        return x

    def _channel_axis(self, axes: int) -> int:
        return 1

    def extra_repr(self) -> str:
        """The number of channels, and how they are treated."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_ChannelNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats)

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        mean, var, seen = self.running_mean, self.running_var, self.num_batches_tracked
        training = self.training or mean is None
        momentum = 1 / ((0 if seen is None else seen._data.item()) + 1)
        if self.momentum is not None:
            momentum = self.momentum
        out = functional.batch_norm(
            self._checked(x), mean, var, self.weight, self.bias, training, momentum, self.eps
        )
        if self.training and seen is not None:
            overwrite(seen, seen._data + 1)
        return out


class BatchNorm1d(_BatchNorm):
    """weight (x - mean) / sqrt(variance + eps) + bias for each feature, over the batch.

    S. Ioffe and C. Szegedy, Batch Normalization, 2015. In training mean and variance are those of
    the batch, in evaluation the running statistics of training: predictions then do not depend on
    what else is in the batch.

    Args:
        num_features: C of the inputs (N, C) or (N, C, L).
        eps: added to the variance (default 1e-5).
        momentum: running = (1 - momentum) running + momentum batch (default 0.1); None for the
            average of all batches so far.
        affine: whether to learn weight and bias (default True).
        track_running_stats: False keeps no statistics; evaluation then uses those of the batch.

    Attributes:
        weight: (C,), ones; or None.
        bias: (C,), zeros; or None. A bias of the layer before is superfluous: the mean takes it
            out again.
        running_mean, running_var: buffers (C,), at first zeros and ones; or None.
        num_batches_tracked: buffer, how many batches they have seen; or None.

    The batch is normalised by its biased variance; `running_var` takes the unbiased one. What goes
    wrong: without `eval()` predictions depend on the batch and move the statistics; small batches
    make them noisy (`LayerNorm`, `GroupNorm` do not mind); statistics of few batches are still
    near zeros and ones; `Dropout` before it gives training another variance than evaluation.

    Raises `ArgumentError` for arguments that do not fit; `ShapeError` for inputs of other shapes
    and, in training, for a batch with one value per feature.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> layer = tg.nn.BatchNorm1d(1)
        >>> layer(np.float32([[1.0], [3.0]])).data.round(3)
        array([[-1.],
               [ 1.]], dtype=float32)
        >>> layer.running_mean, layer.running_var
        (tensor([0.2]), tensor([1.1]))
        >>> layer.eval()(np.float32([[0.2]])).data
        array([[0.]], dtype=float32)
    """

    shapes: ClassVar = {2: "(N, C)", 3: "(N, C, L)"}


class BatchNorm2d(_BatchNorm):
    """`BatchNorm1d` for images: each channel over the batch and all positions.

    S. Ioffe and C. Szegedy, Batch Normalization, 2015.

    Args:
        num_features: C of the inputs (N, C, H, W).
        eps, momentum, affine, track_running_stats: as of `BatchNorm1d`.

    Attributes, errors and what goes wrong: as of `BatchNorm1d`.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> images = np.random.default_rng(0).normal(5, 2, (8, 3, 4, 4)).astype("float32")
        >>> out = tg.nn.BatchNorm2d(3)(images).data
        >>> bool(abs(out.mean((0, 2, 3))).max() < 1e-5), out.var((0, 2, 3)).round(3)
        (True, array([1., 1., 1.], dtype=float32))
    """

    shapes: ClassVar = {4: "(N, C, H, W)"}


class _InstanceNorm(_ChannelNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
    ) -> None:
        if momentum is None:
            raise ArgumentError(
                f"{type(self).__name__}: momentum is a number from 0 to 1, not None"
            )
        super().__init__(num_features, eps, momentum, affine, track_running_stats)

    def _channel_axis(self, axes: int) -> int:
        return 1 if axes == max(self.shapes) else 0

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return on_batch(self._normalise, self._checked(x), max(self.shapes) - 2)

    def _normalise(self, x: Any) -> Any:
        mean, var = self.running_mean, self.running_var
        own, momentum = self.training or mean is None, self.momentum
        assert momentum is not None
        return functional.instance_norm(
            x, mean, var, self.weight, self.bias, own, momentum, self.eps
        )


class InstanceNorm1d(_InstanceNorm):
    """(x - mean) / sqrt(variance + eps) for each channel of each sample, over its positions.

    D. Ulyanov, A. Vedaldi and V. Lempitsky, Instance Normalization, 2016.

    Args:
        num_features: C of the inputs (N, C, L), or (C, L) for one sample.
        eps: added to the variance (default 1e-5).
        momentum: weight of the newest batch in the running statistics (default 0.1).
        affine: whether to learn a weight and a bias for each channel (default False).
        track_running_stats: whether to keep running statistics, and to normalise by them in
            evaluation (default False: both modes are the same).

    Attributes:
        weight, bias: (C,), ones and zeros; or None.
        running_mean, running_var: buffers (C,), averages over the samples; or None.
        num_batches_tracked: buffer that stays 0, for PyTorch's state dicts; or None.

    How large a sample's values are is lost: not for inputs where that is what matters. Raises
    `ArgumentError` for arguments that do not fit; `ShapeError` for inputs of other shapes and for a
    single position.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.InstanceNorm1d(2, eps=0.0)(tg.tensor([[[1.0, 3.0], [10.0, 30.0]]]))
        tensor([[[-1.,  1.],
                 [-1.,  1.]]])
    """

    shapes: ClassVar = {3: "(N, C, L)", 2: "(C, L)"}


class InstanceNorm2d(_InstanceNorm):
    """`InstanceNorm1d` for images: each channel of each image over its positions.

    D. Ulyanov, A. Vedaldi and V. Lempitsky, Instance Normalization, 2016.

    Args:
        num_features: C of the inputs (N, C, H, W), or (C, H, W) for one image.
        eps, momentum, affine, track_running_stats: as of `InstanceNorm1d`.

    Attributes and errors: as of `InstanceNorm1d`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.InstanceNorm2d(1, eps=0.0)(tg.tensor([[[[1.0, 3.0], [3.0, 1.0]]]]))
        tensor([[[[-1.,  1.],
                  [ 1., -1.]]]])
    """

    shapes: ClassVar = {4: "(N, C, H, W)", 3: "(C, H, W)"}
