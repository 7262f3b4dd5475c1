"""One training step of an MLP with batch normalisation and dropout, written by hand in NumPy.

``by_hand.py`` says what makes it fast. What is special here:

- The scale 1 / (1 - p) of dropout rides along in the slope and shift of the normalisation:
  relu(c x) = c relu(x) for c > 0. ReLU and dropout are then one mask.
- Means over the batch are products with a vector of equal weights.
- Masks are drawn as ours are: float32 uniforms (batch, features) of a NumPy ``Generator``, so
  that equal seeds give equal nets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from by_hand import Step, adam, flat_buffer, with_bias, words
from mlp_numpy import dense_passes

MOMENTUM, VARIANCE_FLOOR = 0.1, 1e-5

Pass = Callable[[], None]


class Weights(NamedTuple):
    """What a hidden layer learns, or the gradients of it."""

    matrix: np.ndarray  # (out, in + 1), the bias last
    scale: np.ndarray  # (2 * out,): slopes of the normalisation, then shifts


class Hidden(NamedTuple):
    """The two passes of a hidden layer, and what evaluation will need."""

    forward: Pass
    backward: Pass  # from the cotangent of the output to the gradients and the next cotangent
    statistics: np.ndarray  # (2, out): mean and biased variance of the batch
    cotangent: np.ndarray  # of the output, to be written by the layer above


def hidden_layer(
    weights: Weights,
    gradients: Weights,
    source: np.ndarray,  # (in + 1, batch), a row of ones last
    to_source: np.ndarray | None,  # where the cotangent of the source goes, (in, batch)
    result: np.ndarray,  # (out, batch)
    draw: Callable[..., np.ndarray],
    p: float,
) -> Hidden:
    """Linear, BatchNorm1d, ReLU, Dropout(p)."""
    out, batch = result.shape
    inside = np.empty((out, batch), np.float32)  # normalised
    work, cotangent = np.empty_like(inside), np.empty_like(inside)
    kept, alive = np.empty((out, batch), bool), np.empty((out, batch), np.uint32)
    result_words, cotangent_words = words(result), words(cotangent)
    uniform = np.empty((batch, out), np.float32)
    uniform_t = uniform.T
    mean_weights, ones = np.full(batch, 1 / batch, np.float32), np.ones(batch, np.float32)
    statistics = np.empty((2, out), np.float32)
    mean, variance = statistics
    inverse, factor = np.empty((2, out), np.float32)
    scaled, sums, means = (np.empty(2 * out, np.float32) for _ in range(3))
    zero, one, p_drop = (np.array(c, np.float32) for c in (0, 1, p))
    enlarge, one_each = np.array(1 / (1 - p), np.float32), mean_weights[:1].reshape(())
    floor = np.array(VARIANCE_FLOOR, np.float32)

    def column(vector: np.ndarray) -> np.ndarray:
        return vector[:, None]

    slope, shift = column(scaled[:out]), column(scaled[out:])
    slope_sums, shift_sums = sums[:out], sums[out:]
    slope_means, shift_means = column(means[:out]), column(means[out:])
    mean_column, inverse_column, factor_column = column(mean), column(inverse), column(factor)
    scaled_slopes = scaled[:out]
    to_linear, matrix_gradient, source_t = weights.matrix.dot, gradients.matrix, source.T
    back = None if to_source is None else weights.matrix[:, :-1].T.dot
    scale, scale_gradient = weights.scale, gradients.scale
    add, subtract, multiply, divide = np.add, np.subtract, np.multiply, np.divide
    sqrt, sign, maximum, greater_equal = np.sqrt, np.sign, np.maximum, np.greater_equal
    average, average_work, total, total_work = (
        inside.dot, work.dot, cotangent.dot, work.dot,
    )  # fmt: skip

    def forward() -> None:
        to_linear(source, inside)
        average(mean_weights, mean)
        subtract(inside, mean_column, inside)
        multiply(inside, inside, work)
        average_work(mean_weights, variance)
        add(variance, floor, inverse)
        sqrt(inverse, inverse)
        divide(one, inverse, inverse)
        multiply(inside, inverse_column, inside)
        multiply(scale, enlarge, scaled)
        multiply(inside, slope, result)
        add(result, shift, result)
        draw(None, np.float32, uniform)
        greater_equal(uniform_t, p_drop, kept)
        maximum(result, zero, out=result)
        multiply(result, kept, result)

    def backward() -> None:
        # dx = slope / std * (g - mean(g) - x mean(g x)), where x is what has been normalised
        sign(result_words, alive)
        multiply(cotangent_words, alive, cotangent_words)
        multiply(cotangent, inside, work)
        total_work(ones, slope_sums)
        total(ones, shift_sums)
        multiply(sums, enlarge, scale_gradient)
        multiply(sums, one_each, means)
        multiply(inside, slope_means, work)
        subtract(cotangent, work, cotangent)
        subtract(cotangent, shift_means, cotangent)
        multiply(scaled_slopes, inverse, factor)
        multiply(cotangent, factor_column, cotangent)
        total(source_t, matrix_gradient)
        if back is not None:
            back(cotangent, to_source)

    return Hidden(forward, backward, statistics, cotangent)


def numpy_step(
    parameters: Sequence[np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    rate: float,
    p: float,
    rng: np.random.Generator,
) -> Step:
    """The step; the parameters come in PyTorch's order: w, b, slope, shift, ..., w, b."""
    batch, x_transposed = len(x), x.T
    groups = [parameters[k : k + 4] for k in range(0, len(parameters), 4)]
    parts = []
    for w, b, *scale in groups:
        parts += [with_bias(w, b), np.concatenate(scale)] if scale else [with_bias(w, b)]
    flat, views = flat_buffer(parts)
    flat_gradient, gradient_views = flat_buffer([np.zeros_like(part) for part in parts])
    update = adam(flat, flat_gradient, rate)
    last, last_gradient = views[-1], gradient_views[-1]

    # The output of each layer, with a row of ones for the bias of the next.
    blocks = [np.ones((w.shape[0], batch), np.float32) for w in (part.T for part in parts[::2])]
    first = blocks[0][:-1]
    layers: list[Hidden] = []
    for k, (source, after) in enumerate(pairwise(blocks)):
        layers.append(
            hidden_layer(
                Weights(*views[2 * k : 2 * k + 2]),
                Weights(*gradient_views[2 * k : 2 * k + 2]),
                source,
                layers[-1].cotangent if layers else None,
                after[:-1],
                rng.random,
                p,
            )
        )
    head = dense_passes([last], [last_gradient], blocks[-1], y, layers[-1].cotangent)

    # Running averages: the variance is kept without bias.
    share = np.array([[MOMENTUM], [MOMENTUM * batch / (batch - 1)]], np.float32)
    running = [(h.statistics, np.zeros_like(h.statistics)) for h in layers]
    for _, average in running:
        average[1] = 1
    keep = np.array(1 - MOMENTUM, np.float32)
    forwards, backwards = [h.forward for h in layers], [h.backward for h in layers[::-1]]
    add, multiply, copyto = np.add, np.multiply, np.copyto

    def step() -> float:
        copyto(first, x_transposed)
        for forward in forwards:
            forward()
        loss = head()
        for backward in backwards:
            backward()
        for statistics, average in running:
            multiply(statistics, share, statistics)
            multiply(average, keep, average)
            add(average, statistics, average)
        update()
        return loss

    def current() -> list[np.ndarray]:
        found = []
        for part in views:
            halves = np.split(part, 2) if part.ndim == 1 else [part[:, :-1], part[:, -1]]
            found += [np.array(half) for half in halves]
        return found

    return Step(step, current)
