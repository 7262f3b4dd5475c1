"""Fractional max pooling: regions whose sizes vary, so that images shrink by a fraction.

B. Graham, Fractional Max-Pooling, arXiv:1412.6071. Regions lie between the members of an
increasing sequence of whole numbers, whose steps are the two whole numbers next to the mean step
alpha: in random order, or "pseudo-random", the steps of ceil(alpha (i + u)) with one random u.
"""

from __future__ import annotations

import math
from typing import Any

from ...engine import modes
from ...engine.errors import ArgumentError, ShapeError
from ...engine.modes import as_one
from ...engine.types import np
from ...ops.sliding.largest import positions_of_max
from ...ops.sliding.pooling import pick
from ...ops.sliding.windows import Bins
from .arguments import as_data, per_axis

__all__ = ["fractional_max_pool2d"]


def fractional_max_pool2d(
    input: Any,
    kernel_size: Any = None,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    *,
    pseudo_random: bool = True,
    overlapping: bool = True,
    generator: Any = None,
) -> Any:
    """The largest entry of each of randomly placed regions of an image (Graham 2014).

    Args:
        input: (N, C, H, W), or (C, H, W) for one image.
        kernel_size: size of the regions, a number or one for each axis, as in PyTorch; None
            (default) for Graham's regions, which reach from one member of the sequence to the next.
        output_size: (H', W'), or one number for both.
        output_ratio: instead of `output_size`, the share of each length that is left, in (0, 1).
        return_indices: also return where each largest entry stands, counted row by row in H * W.
        pseudo_random: are the steps of the sequence evenly mixed (default), or shuffled?
        overlapping: do Graham's regions share their border with the next (default), or not?
        generator: a `numpy.random.Generator`, or a seed for one; by default the library's own,
            which `tg.manual_seed` seeds.

    The regions are drawn once a call, the same for all images and channels. Ties, NaN and
    derivatives as of `max_pool1d`. Raises `ArgumentError` unless exactly one of `output_size` and
    `output_ratio` is given, `ShapeError` where the regions do not fit into the image.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> image = tg.asarray(np.arange(25.0).reshape(1, 5, 5))
        >>> tg.nn.functional.fractional_max_pool2d(image, output_size=3, generator=0).shape
        (1, 3, 3)
        >>> tg.nn.functional.fractional_max_pool2d(image, output_ratio=0.7, generator=0).shape
        (1, 3, 3)
    """
    where = "fractional_max_pool2d"
    input = as_data(input, 2, where)
    counts = _output_size(input.shape[-2:], output_size, output_ratio, where)
    kernel = (None, None) if kernel_size is None else per_axis(kernel_size, 2, "kernel_size", where)
    rng = modes.generator() if generator is None else generator
    for n, m, k in zip(input.shape[-2:], counts, kernel, strict=True):
        span = n - k if k is not None else n - overlapping
        steps = m - 1 if k is not None else m
        if span < steps:
            regions = f"of size {k}" if k is not None else "of size 1 or more"
            raise ShapeError(
                f"{where}: {m} regions {regions} at different places do not fit into a length of "
                f"{n} (input of shape {input.shape}); use a smaller output"
            )
    lengths = input.shape[-2:]
    regions = as_one(_regions, rng, lengths, counts, kernel, overlapping, pseudo_random)
    places = as_one(positions_of_max, getattr(input, "_data", input), regions)
    out = pick(input, places)
    return (out, places % math.prod(lengths)) if return_indices else out


def _regions(
    rng: Any, lengths: Any, counts: Any, kernel: Any, overlapping: bool, pseudo_random: bool
) -> tuple[Bins, ...]:
    """Where the regions begin and end along each axis, drawn by a generator or from a seed."""
    rng = np.random.default_rng(rng)
    along = []
    for n, m, k in zip(lengths, counts, kernel, strict=True):
        if k is not None:
            at = _sequence(n - k, m - 1, pseudo_random, rng)
            along.append(Bins(n, tuple(at), tuple(a + k for a in at)))
        else:
            at = _sequence(n - overlapping, m, pseudo_random, rng)
            along.append(Bins(n, tuple(at[:-1]), tuple(a + overlapping for a in at[1:])))
    return tuple(along)


def _sequence(span: int, steps: int, pseudo_random: bool, rng: Any) -> list[int]:
    """From 0 to `span` in so many steps, each one of the two whole numbers next to their mean."""
    if not steps:
        return [span]
    if pseudo_random:
        at = np.ceil((np.arange(steps + 1) + rng.random()) * (span / steps)).astype(int)
        at[-1] = at[0] + span  # where rounding made it miss
        return [int(a) for a in at - at[0]]
    small, larger = divmod(span, steps)
    lengths = rng.permutation([small + 1] * larger + [small] * (steps - larger))
    return [0, *np.cumsum(lengths).tolist()]


def _output_size(
    lengths: tuple[int, ...], output_size: Any, output_ratio: Any, where: str
) -> tuple[int, ...]:
    if (output_size is None) == (output_ratio is None):
        raise ArgumentError(f"{where}: give either output_size or output_ratio")
    if output_size is not None:
        return per_axis(output_size, 2, "output_size", where)
    ratios = tuple(np.broadcast_to(output_ratio, 2).tolist())
    if not all(0 < ratio < 1 for ratio in ratios):
        raise ArgumentError(
            f"{where}: output_ratio must be between 0 and 1, or one such number for each axis, got "
            f"{output_ratio!r}"
        )
    counts = tuple(int(n * ratio) for n, ratio in zip(lengths, ratios, strict=True))
    if min(counts) < 1:
        raise ShapeError(f"{where}: output_ratio={output_ratio} of {lengths} leaves nothing")
    return counts
