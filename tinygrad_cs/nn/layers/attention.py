"""Attention with several heads."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...engine.errors import ArgumentError, ShapeError
from ...engine.modes import default_dtype
from ...engine.types import Shape, np
from .. import functional, init
from ..foreign import with_shape
from ..functional.arguments import per_axis
from ..functional.attention import as_mask, attend, lower_triangle
from ..module import Module
from ..parameter import Parameter
from .linear import Linear

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attention in several subspaces at once: concat(head_1, ..., head_H) W^O.

    head_i = softmax(Q W_i^Q (K W_i^K)^T / sqrt(D)) V W_i^V, with D = embed_dim / num_heads: as many
    multiplications as one head with all of embed_dim, but H different weightings (A. Vaswani and
    others, Attention Is All You Need, 2017, section 3.2.2).

    Args:
        embed_dim: E, length of the queries and of the output.
        num_heads: H; must divide E.
        dropout: probability with which a weight is left out in training (default 0).
        bias: do the projections have a bias (default True)?
        kdim, vdim: lengths of keys and of values (default: E).
        batch_first: are inputs (N, L, E) instead of (L, N, E)? (Default False, as in PyTorch: the
            axes are mixed up easily, and then positions of different samples see each other.)

    Attributes:
        in_proj_weight: (3 E, E), the projections of queries, keys and values one below the other;
            with `kdim` or `vdim` instead q_proj_weight (E, E), k_proj_weight (E, kdim) and
            v_proj_weight (E, vdim). Xavier initialisation, for each of the three.
        in_proj_bias: (3 E,), zeros; None without bias.
        out_proj: a `Linear` layer (E, E), Xavier initialisation.

    Attention does not know the order of positions: add an encoding of it to the input. Raises
    `ArgumentError` when it is made with an E that H does not divide, `ShapeError` for inputs or
    masks that do not fit, `DTypeError` for masks of integers.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> layer = nn.MultiheadAttention(16, num_heads=4, batch_first=True)
        >>> x = np.ones((8, 10, 16), "float32")
        >>> out, weights = layer(x, x, x, is_causal=True)
        >>> out.shape, weights.shape
        ((8, 10, 16), (8, 10, 10))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        *,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
    ) -> None:
        sizes = {"embed_dim": embed_dim, "num_heads": num_heads, "kdim": kdim, "vdim": vdim}
        for name, size in sizes.items():
            if size is not None or name in ("embed_dim", "num_heads"):
                per_axis(size, 1, name, "MultiheadAttention")
        if embed_dim % num_heads:
            raise ArgumentError(
                f"MultiheadAttention: num_heads={num_heads} must divide embed_dim={embed_dim}: "
                f"each head has an equal share of it"
            )
        if not isinstance(dropout, (int, float, np.floating)) or not 0 <= dropout <= 1:
            raise ArgumentError(
                f"MultiheadAttention: dropout is a probability from 0 to 1, got {dropout}"
            )
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.batch_first = batch_first
        dtype = default_dtype()
        if self.kdim == self.vdim == embed_dim:
            parts = [init.xavier_uniform_(_zeros(embed_dim, embed_dim)) for _ in range(3)]
            self.in_proj_weight = Parameter(np.concatenate([part.data for part in parts]))
        else:
            self.q_proj_weight = init.xavier_uniform_(_zeros(embed_dim, embed_dim))
            self.k_proj_weight = init.xavier_uniform_(_zeros(embed_dim, self.kdim))
            self.v_proj_weight = init.xavier_uniform_(_zeros(embed_dim, self.vdim))
        self.in_proj_bias = Parameter(np.zeros(3 * embed_dim, dtype)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias)
        init.xavier_uniform_(self.out_proj.weight)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """The output and the weights of the heads.

        Args:
            query: (L, N, E), with `batch_first` (N, L, E), or (L, E) for one sample.
            key: the same with (S, kdim).
            value: the same with (S, vdim).
            key_padding_mask: (N, S), or (S,) for one sample: True for keys that are padding.
            need_weights: return the weights too (default True), or None in their place.
            attn_mask: (L, S), or (N H, L, S) for each sample and head: True where a query must not
                see a key. It and `key_padding_mask` may also be numbers to be added to the scores.
            average_attn_weights: the mean of the heads' weights (default True), or all.
            is_causal: position i sees only keys up to i (default False); no mask is needed for it.

        Returns the output, in the shape of `query`, and the weights (N, L, S), not averaged
        (N, H, L, S), for one sample without N. The masks mean the opposite of that of
        `nn.functional.scaled_dot_product_attention`, as in PyTorch. A query that may see no key
        gets weights of zeros, where PyTorch gives NaN.
        """
        query, key, value = (
            with_shape(x) for x in (query, key, value)
        )  # fmt: skip
        self._check(query.shape, key.shape, value.shape)
        single = query.ndim == 2
        q, k, v = self._heads(query, key, value, single)
        seen, added = self._masks(
            (q.shape[0], q.shape[1], q.shape[2], k.shape[2]),
            key_padding_mask, attn_mask, is_causal, single,
        )  # fmt: skip
        out, weights = attend(q, k, v, seen, added, self.dropout if self.training else 0.0)
        if self.batch_first and not single:
            joined = ops.permute_dims(out, (0, 2, 1, 3))
        else:
            joined = ops.permute_dims(out, (2, 0, 1, 3))
        out = self.out_proj(ops.reshape(joined, query.shape))
        if not need_weights:
            return out, None
        if average_attn_weights:
            weights = ops.mean(weights, axis=1)
        return out, ops.reshape(weights, weights.shape[1:]) if single else weights

    def _check(self, query: Shape, key: Shape, value: Shape) -> None:
        batch = 0 if self.batch_first else 1
        lengths = (self.embed_dim, self.kdim, self.vdim)
        shapes = (query, key, value)
        fits = all(
            len(shape) == len(query) and shape[-1] == length
            for shape, length in zip(shapes, lengths, strict=True)
        )
        if not fits or len(query) not in (2, 3) or key[:-1] != value[:-1] or (
            len(query) == 3 and query[batch] != key[batch]
        ):  # fmt: skip
            n = "N, {}" if self.batch_first else "{}, N"
            wanted = [
                f"({n.format(axis)}, {length})" for axis, length in zip("LSS", lengths, strict=True)
            ]
            raise ShapeError(
                f"MultiheadAttention: expected query {wanted[0]}, key {wanted[1]} and value "
                f"{wanted[2]}, or all without N; got {query}, {key} and {value}; batch_first is "
                f"{self.batch_first}"
            )

    def _heads(self, query: Any, key: Any, value: Any, single: bool) -> Any:
        """Projected queries, keys and values, each (N, H, length, D)."""
        e, h = self.embed_dim, self.num_heads
        d, first = e // h, self.batch_first and not single
        bias = self.in_proj_bias
        if query is key and key is value and self.kdim == self.vdim == e:
            packed = functional.linear(query, self.in_proj_weight, bias)
            rows = (query.shape[0], 1) if single else query.shape[:2]
            split = ops.reshape(packed, (*rows, 3, h, d))
            return ops.unstack(
                ops.permute_dims(split, (2, 0, 3, 1, 4) if first else (2, 1, 3, 0, 4))
            )
        if self.kdim == self.vdim == e:
            weights = [self.in_proj_weight[i * e : (i + 1) * e] for i in range(3)]
        else:
            weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        results = []
        for i, (x, weight) in enumerate(zip((query, key, value), weights, strict=True)):
            part = None if bias is None else bias[i * e : (i + 1) * e]
            projected = functional.linear(x, weight, part)
            rows = (x.shape[0], 1) if single else x.shape[:2]
            split = ops.reshape(projected, (*rows, h, d))
            results.append(ops.permute_dims(split, (0, 2, 1, 3) if first else (1, 2, 0, 3)))
        return results

    def _masks(
        self, scores: Shape, key_padding_mask: Any, attn_mask: Any, is_causal: bool, single: bool
    ) -> tuple[Any, Any]:
        """Which positions take part, and what is added to the scores; None for neither."""
        n, h, length, keys = scores
        seen: Any = lower_triangle(length, keys) if is_causal else None
        added: Any = None
        padding: tuple[Shape, ...] = ((keys,), (1, keys)) if single else ((n, keys),)
        for name, mask, shapes, full in (
            ("key_padding_mask", key_padding_mask, padding, (n, 1, 1, keys)),
            ("attn_mask", attn_mask, ((length, keys), (n * h, length, keys)), None),
        ):
            if mask is None:
                continue
            array, boolean = as_mask(mask, name, "MultiheadAttention")
            if array.shape not in shapes:
                raise ShapeError(
                    f"MultiheadAttention: expected {name} of shape "
                    f"{' or '.join(map(str, shapes))} for {length} queries, {keys} keys, a batch "
                    f"of {n} and {h} heads; got {array.shape}"
                )
            if full or array.ndim == 3:
                array = ops.reshape(array, full or scores)
            if boolean:
                seen = ~array if seen is None else seen & ~array
            else:
                added = array if added is None else added + array
        return seen, added

    def extra_repr(self) -> str:
        """The sizes."""
        text = f"embed_dim={self.embed_dim}, num_heads={self.num_heads}"
        if self.dropout:
            text += f", dropout={self.dropout}"
        if (self.kdim, self.vdim) != (self.embed_dim, self.embed_dim):
            text += f", kdim={self.kdim}, vdim={self.vdim}"
        if self.in_proj_bias is None:
            text += ", bias=False"
        return text + (", batch_first=True" if self.batch_first else "")


def _zeros(*shape: int) -> Parameter:
    return Parameter(np.zeros(shape, default_dtype()))
