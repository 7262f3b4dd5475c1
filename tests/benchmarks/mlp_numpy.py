"""One training step of a ReLU network written by hand in NumPy: the floor for every engine.

Nothing is allocated in the step, nothing is dispatched, and only as many NumPy calls are made
as the arithmetic needs; ``by_hand.py`` says what makes it fast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from by_hand import Step, adam, cross_entropy, flat_buffer, with_bias, words

if TYPE_CHECKING:
    from mlp_problem import Problem


def numpy_step(problem: Problem) -> Step:
    """The step on its batch, (batch, features) as every library gets it."""
    x, x_transposed = np.ones((problem.sizes[0] + 1, len(problem.x)), np.float32), problem.x.T
    flat, weights = flat_buffer([with_bias(w, b) for w, b in problem.layers])
    flat_gradient, gradients = flat_buffer([np.zeros_like(w) for w in weights])
    update = adam(flat, flat_gradient, problem.rate)
    passes = dense_passes(weights, gradients, x, problem.y)
    inner, copyto = x[:-1], np.copyto

    def step() -> float:
        copyto(inner, x_transposed)
        loss = passes()
        update()
        return loss

    return Step(step, lambda: [np.array(part) for w in weights for part in (w[:, :-1], w[:, -1])])


def dense_passes(
    weights: Sequence[np.ndarray],
    gradients: Sequence[np.ndarray],
    source: np.ndarray,
    labels: np.ndarray,
    to_source: np.ndarray | None = None,
) -> Callable[[], float]:
    """Forward through ReLU layers to the cross-entropy, and backward to the gradients.

    Args:
        weights: of each layer, (out, in + 1), the bias last.
        gradients: where theirs are written.
        source: the input, (in + 1, batch), a row of ones last.
        labels: the classes.
        to_source: where the cotangent of the source is written, (in, batch), if it is needed.
    """
    batch = source.shape[1]
    # Inputs of the layers, with their row of ones, and their cotangents, without.
    inputs = [source, *(np.ones((len(w) + 1, batch), np.float32) for w in weights[:-1])]
    cotangents = [np.empty((len(w), batch), np.float32) for w in weights]
    logits, delta = np.empty_like(cotangents[-1]), cotangents[-1]
    loss_of_logits = cross_entropy(logits, delta, labels)

    # Every view, transpose and bound method that the passes need is made here, once.
    outputs = [*(a[:-1] for a in inputs[1:]), logits]
    *hidden, (last_product, last_input, _) = [
        (w.dot, a, out) for w, a, out in zip(weights, inputs, outputs, strict=True)
    ]
    gradient_products = [
        (d.dot, a.T, g) for d, a, g in zip(cotangents, inputs, gradients, strict=True)
    ][::-1]
    to_inputs = [
        (w[:, :-1].T.dot, above, d, words(d), words(a), np.empty(a.shape, np.uint32))
        for w, above, d, a in zip(
            weights[1:], cotangents[1:], cotangents[:-1], outputs[:-1], strict=True
        )
    ][::-1]
    first_product, first_cotangent = weights[0][:, :-1].T.dot, cotangents[0]
    zero = np.array(0, np.float32)
    multiply, maximum, sign = np.multiply, np.maximum, np.sign

    def passes() -> float:
        for product, a, out in hidden:
            product(a, out)
            maximum(out, zero, out=out)
        last_product(last_input, logits)
        loss = loss_of_logits()
        for product, above, d, d_words, a_words, alive in to_inputs:
            product(above, d)
            sign(a_words, alive)
            multiply(d_words, alive, d_words)
        for product, a, gradient in gradient_products:
            product(a, gradient)
        if to_source is not None:
            first_product(first_cotangent, to_source)
        return loss

    return passes
