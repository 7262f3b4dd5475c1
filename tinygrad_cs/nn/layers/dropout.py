"""Layers that leave parts out at random while training."""

from __future__ import annotations

from typing import Any

from .. import functional
from ..functional.dropout import check_probability
from ..module import Module
from .linear import Linear

__all__ = ["AlphaDropout", "DropConnect", "Dropout", "Dropout2d", "PlainDropout"]


class _Dropout(Module):
    def __init__(self, p: float = 0.5) -> None:
        self.p = check_probability(p, type(self).__name__)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"


class Dropout(_Dropout):
    """Entries set to zero with probability `p` in training, the others divided by 1 - p.

    N. Srivastava and others, Dropout: A Simple Way to Prevent Neural Networks from Overfitting,
    2014; "inverted": the expected value in training is the input, as in evaluation, where this is
    the identity.

    Args:
        p: probability in [0, 1] that an entry is left out (default 0.5).

    What goes wrong: without `eval()` predictions are random; training loss, with dropout, looks
    worse than validation loss, without; before a batch normalisation it gives training another
    variance than evaluation, so put it behind. Raises `ArgumentError` for what is no probability.

    Example:
        >>> import tinygrad_cs as tg
        >>> _ = tg.manual_seed(0)
        >>> layer = tg.nn.Dropout(0.5)
        >>> x = tg.tensor([1.0, 1.0, 1.0, 1.0])
        >>> layer(x), layer.eval()(x)
        (tensor([2., 2., 2., 0.]), tensor([1., 1., 1., 1.]))
    """

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.dropout(x, self.p, self.training)


class Dropout2d(_Dropout):
    """Whole channels of images set to zero with probability `p` in training, others over 1 - p.

    J. Tompson and others, Efficient Object Localization Using Convolutional Networks, 2015:
    neighbouring pixels say nearly the same, so that single ones left out are not missed.

    Args:
        p: probability in [0, 1] that a channel of a sample is left out (default 0.5).

    What goes wrong: as with `Dropout`. Raises `ArgumentError` for what is no probability,
    `ShapeError` for inputs that are not (N, C, H, W).

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> _ = tg.manual_seed(0)
        >>> tg.nn.Dropout2d()(np.ones((1, 4, 2, 2)))[0, :, 0, 0]
        array([2., 2., 2., 0.])
    """

    def forward(self, x: Any) -> Any:
        """Same shape as `x` (N, C, H, W)."""
        return functional.dropout2d(x, self.p, self.training)


class AlphaDropout(_Dropout):
    """Dropout for `SELU`: what is left out takes its lower limit; mean 0 and variance 1 stay.

    G. Klambauer and others, Self-Normalizing Neural Networks, 2017; see
    `functional.alpha_dropout` for the formula. In evaluation the identity.

    Args:
        p: probability in [0, 1] that an entry is left out (default 0.5); the paper uses 0.05 to
            0.1.

    What goes wrong: behind other activations, or inputs that are not standardised, mean and
    variance do not stay. Raises `ArgumentError` for what is no probability.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> _ = tg.manual_seed(0)
        >>> x = np.random.default_rng(0).normal(size=10**5)
        >>> y = tg.nn.AlphaDropout(0.1)(x)
        >>> print(f"{abs(y.mean()):.2f} {y.var():.2f}")
        0.00 1.00
    """

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.alpha_dropout(x, self.p, self.training)


class PlainDropout(_Dropout):
    """Dropout as first published: a mask in training, a factor 1 - p in evaluation.

    G. Hinton and others, Improving Neural Networks by Preventing Co-adaptation of Feature
    Detectors, 2012. In expectation the same network as with `Dropout`, with activations smaller
    by 1 - p; made for comparing the two.

    Args:
        p: probability in [0, 1] that an entry is left out (default 0.5).

    What goes wrong: without `eval()` predictions are random and too large or too small by chance;
    here evaluation is not the identity. Raises `ArgumentError` for what is no probability.

    Example:
        >>> import tinygrad_cs as tg
        >>> _ = tg.manual_seed(0)
        >>> layer = tg.nn.PlainDropout(0.5)
        >>> x = tg.tensor([1.0, 1.0, 1.0, 1.0])
        >>> layer(x), layer.eval()(x)
        (tensor([1., 1., 1., 0.]), tensor([0.5, 0.5, 0.5, 0.5]))
    """

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.plain_dropout(x, self.p, self.training)


class DropConnect(Linear):
    """`Linear` with weights, not activations, set to zero with probability `p` in training.

    L. Wan and others, Regularization of Neural Networks using DropConnect, 2013; "inverted": the
    weights that stay are divided by 1 - p, so that evaluation, with all of them, uses the expected
    weights. (The paper's own evaluation averages over the activation behind it.) One mask is
    drawn for a batch. State dicts are those of `Linear`.

    Args:
        in_features, out_features, bias: as of `Linear`.
        p: probability in [0, 1] that a weight is left out (default 0.5).

    What goes wrong: as with `Dropout`. Raises `ArgumentError` for sizes below 1 and for what is no
    probability, `ShapeError` for inputs of another length.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> layer = tg.nn.DropConnect(3, 2, p=0.25)
        >>> layer(np.ones((5, 3), "float32")).shape
        (5, 2)
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, p: float = 0.5
    ) -> None:
        self.p = check_probability(p, "DropConnect")
        super().__init__(in_features, out_features, bias)

    def forward(self, x: Any) -> Any:
        """`x` (..., in_features) gives (..., out_features)."""
        return functional.drop_connect(x, self.weight, self.bias, self.p, self.training)

    def extra_repr(self) -> str:
        """The sizes and the probability."""
        return f"{super().extra_repr()}, p={self.p}"
