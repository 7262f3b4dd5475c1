"""Blocks of a transformer: attention, then two linear layers, each beside a shortcut."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from ...engine.errors import ArgumentError
from .. import functional
from ..functional.arguments import per_axis
from ..module import Module
from .attention import MultiheadAttention
from .containers import ModuleList
from .dropout import Dropout
from .linear import Linear
from .normalization import LayerNorm

__all__ = ["TransformerEncoder", "TransformerEncoderLayer"]

_ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": functional.relu,
    "gelu": functional.gelu,
}


class TransformerEncoderLayer(Module):
    """Positions look at each other, then each is worked on by itself.

    x = norm1(x + attention(x)), then x = norm2(x + W2 act(W1 x)) (A. Vaswani and others, Attention
    Is All You Need, 2017, section 3.1); with `norm_first` x = x + attention(norm1(x)), then
    x = x + W2 act(W1 norm2(x)).

    Args:
        d_model: E, length of the vectors.
        nhead: number of heads; must divide E.
        dim_feedforward: length between the two linear layers (default 2048).
        dropout: probability of each entry to be left out, in attention weights, behind the
            activation and in both branches (default 0.1).
        activation: "relu" (default), "gelu" or any function of a tensor.
        layer_norm_eps: added to the variances (default 1e-5).
        batch_first: are inputs (N, L, E) instead of (L, N, E)? (Default False.)
        norm_first: are the branches normalised instead of the sums (default False)?
        bias: do the linear layers and the normalisations have one (default True)?

    Attributes:
        self_attn: `MultiheadAttention`. linear1, linear2: `Linear`. norm1, norm2: `LayerNorm`.
        dropout, dropout1, dropout2: `Dropout`.

    With normalised sums, deep stacks need a learning rate that starts small ("warm-up"), for
    gradients at the last layers are large at first; with `norm_first` they do not (R. Xiong and
    others, On Layer Normalization in the Transformer Architecture, 2020). Raises `ArgumentError`
    for other activations and as `MultiheadAttention`.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> block = nn.TransformerEncoderLayer(16, nhead=4, dim_feedforward=32, batch_first=True)
        >>> block(np.ones((8, 10, 16), "float32"), is_causal=True).shape
        (8, 10, 16)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        known = _ACTIVATIONS.get(activation) if isinstance(activation, str) else activation
        if not callable(known) or isinstance(known, type):
            raise ArgumentError(
                f"TransformerEncoderLayer: activation must be 'relu', 'gelu' or a function of a "
                f"tensor such as nn.SiLU(), got {activation!r}"
            )
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first)
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = known
        self.norm_first = norm_first

    def forward(
        self,
        src: Any,
        src_mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Any:
        """The shape of `src`; the masks are those of `MultiheadAttention`."""
        masks = (src_key_padding_mask, src_mask, is_causal)
        if self.norm_first:
            src = src + self._attended(self.norm1(src), *masks)
            return src + self._fed_forward(self.norm2(src))
        src = self.norm1(src + self._attended(src, *masks))
        return self.norm2(src + self._fed_forward(src))

    def _attended(self, x: Any, padding: Any, mask: Any, is_causal: bool) -> Any:
        out, _ = self.self_attn(x, x, x, padding, False, mask, is_causal=is_causal)
        return self.dropout1(out)

    def _fed_forward(self, x: Any) -> Any:
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))

    def extra_repr(self) -> str:
        """Where it normalises."""
        return "norm_first=True" if self.norm_first else ""


class TransformerEncoder(Module):
    """Several blocks, one after the other.

    Args:
        encoder_layer: a `TransformerEncoderLayer`, which is copied, its values too: all blocks
            start with the same weights (as in PyTorch; `nn.init.apply` draws them anew).
        num_layers: how many blocks.
        norm: what is applied to the result of the last one (default none); with `norm_first`
            blocks it should be a `LayerNorm`, for their sums are not normalised.

    Attributes:
        layers: `ModuleList` of the blocks. norm: as given.

    Raises `ArgumentError` for a number of blocks below 1.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> block = nn.TransformerEncoderLayer(8, nhead=2, dim_feedforward=16)
        >>> nn.TransformerEncoder(block, num_layers=3)(np.ones((5, 2, 8), "float32")).shape
        (5, 2, 8)
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        (count,) = per_axis(num_layers, 1, "num_layers", "TransformerEncoder")
        if not isinstance(encoder_layer, Module):
            raise ArgumentError(
                f"TransformerEncoder: expected a block such as "
                f"nn.TransformerEncoderLayer(d_model, nhead), got {type(encoder_layer).__name__}"
            )
        self.layers = ModuleList(copy.deepcopy(encoder_layer) for _ in range(count))
        self.num_layers = count
        self.norm = norm

    def forward(
        self,
        src: Any,
        mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Any:
        """The shape of `src`; the masks are those of `MultiheadAttention`, for every block."""
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, is_causal)
        return src if self.norm is None else self.norm(src)
