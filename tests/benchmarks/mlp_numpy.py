"""One training step of a ReLU network written by hand in NumPy: the floor for every engine.

Nothing is allocated in the step, nothing is dispatched, and only as many NumPy calls are made
as the arithmetic needs, because at these sizes a call costs more than what it computes:

- Activations are stored transposed, (features, batch), with a last row of ones. The weights
  carry the bias as a last column, so one product adds the bias and, backwards, one product
  gives the gradients of weight and bias. Every block that is written is contiguous.
- All parameters lie in one flat buffer, all gradients in another (written there by ``out``),
  so a step of Adam is ten calls, however many layers there are.
- Constants are zero-dimensional arrays: NumPy converts a Python float anew in every call, and
  that costs as much as multiplying a few hundred numbers.

``flat_buffer`` and ``adam`` also serve the peers that bring no optimizer of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mlp_problem import Problem

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def flat_buffer(arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Copy arrays into one flat array; return it and a view of it for each of them."""
    flat = np.concatenate([a.reshape(-1) for a in arrays])
    pieces = np.split(flat, np.cumsum([a.size for a in arrays])[:-1])
    return flat, [p.reshape(a.shape) for p, a in zip(pieces, arrays, strict=True)]


def adam(flat: np.ndarray, gradient: np.ndarray, rate: float) -> Callable[[], None]:
    """A function that moves ``flat`` in place by one step of Adam, reading ``gradient``."""
    moment, square, work = (np.zeros_like(flat) for _ in range(3))
    beta1, beta2 = np.array(BETA1, flat.dtype), np.array(BETA2, flat.dtype)
    scale, shift = np.empty((), flat.dtype), np.empty((), flat.dtype)
    add, subtract, multiply = np.add, np.subtract, np.multiply
    divide, sqrt = np.divide, np.sqrt
    steps = 0

    def update() -> None:
        nonlocal steps
        steps += 1
        # The moments are kept without their factors (1 - beta), which two calls would have to
        # multiply in; the quotient takes them in with the bias corrections, as plain numbers.
        ratio = ((1 - BETA2) / (1 - BETA2**steps)) ** 0.5
        scale[()] = rate * (1 - BETA1) / (1 - BETA1**steps) / ratio
        shift[()] = EPSILON / ratio
        multiply(moment, beta1, moment)
        add(moment, gradient, moment)
        multiply(square, beta2, square)
        multiply(gradient, gradient, work)
        add(square, work, square)
        sqrt(square, work)
        add(work, shift, work)
        divide(moment, work, work)
        multiply(work, scale, work)
        subtract(flat, work, flat)

    return update


def numpy_step(problem: Problem) -> Callable[[], float]:
    """The step as a function without arguments; it returns the loss before the update."""
    x_transposed, y, sizes, batch = problem.x.T, problem.y, problem.sizes, len(problem.x)
    flat, weights = flat_buffer([np.hstack([w, b[:, None]]) for w, b in problem.layers])
    flat_gradient, gradients = flat_buffer([np.zeros_like(w) for w in weights])
    update = adam(flat, flat_gradient, problem.rate)

    # Inputs of the layers, with their row of ones, and the cotangents of the same blocks.
    inputs = [np.ones((size + 1, batch), np.float32) for size in sizes[:-1]]
    cotangents = [np.empty_like(block) for block in inputs]
    logits = np.empty((sizes[-1], batch), np.float32)
    delta = np.empty_like(logits)
    first = inputs[0][:-1]

    # Every view, transpose and bound method that the step needs is made here, once.
    *hidden, (last_product, last_input, _) = [
        (w.dot, a, out)
        for w, a, out in zip(weights, inputs, [b[:-1] for b in inputs[1:]] + [logits], strict=True)
    ]
    deltas = [block[:-1] for block in cotangents[1:]] + [delta]
    gradient_products = [
        (d.dot, a.T, g) for d, a, g in zip(deltas, inputs, gradients, strict=True)
    ][::-1]
    to_inputs = [
        (w.T.dot, d, into, into[:-1], a[:-1], np.empty(a[:-1].shape, bool))
        for w, d, into, a in zip(weights[1:], deltas[1:], cotangents[1:], inputs[1:], strict=True)
    ][::-1]

    flat_logits, flat_delta = logits.reshape(-1), delta.reshape(-1)
    top, total, picked = (np.empty(batch, np.float32) for _ in range(3))
    ones, columns = np.ones(batch, np.float32), np.arange(batch)
    index = np.empty(batch, np.int64)
    zero, one_each = np.array(0, np.float32), np.array(1 / batch, np.float32)
    row_length, size = np.array(batch), np.array(batch, np.float32)
    add, subtract, multiply, divide = np.add, np.subtract, np.multiply, np.divide
    maximum, greater, exp, log = np.maximum, np.greater, np.exp, np.log
    sum_over, largest, copyto = np.add.reduce, np.maximum.reduce, np.copyto

    def step() -> float:
        copyto(first, x_transposed)
        for product, a, out in hidden:
            product(a, out)
            maximum(out, zero, out=out)
        last_product(last_input, logits)

        # Cross-entropy: the loss, and its derivative (softmax - one-hot) / batch into ``delta``.
        largest(logits, 0, None, top)
        subtract(logits, top, logits)
        exp(logits, delta)
        sum_over(delta, 0, None, total)
        multiply(y, row_length, index)
        add(index, columns, index)
        flat_logits.take(index, 0, picked, "clip")
        multiply(total, size, top)
        divide(delta, top, delta)
        flat_delta[index] -= one_each
        log(total, total)
        subtract(total, picked, total)
        loss = float(total.dot(ones)) / batch

        for product, d, into, block, a, alive in to_inputs:
            product(d, into)
            greater(a, zero, alive)
            multiply(block, alive, block)
        for product, a, gradient in gradient_products:
            product(a, gradient)
        update()
        return loss

    return step
