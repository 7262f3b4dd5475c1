"""What the training steps written by hand share: flat parameters, Adam, cross-entropy.

What makes such code fast is the same everywhere:

- Activations are stored with the batch last. A layer of weights (out, in) is then one product
  without a transpose, what is written is contiguous, and a last row of ones lets the bias ride
  along as one more column of the weights: no call adds it, and no call sums its gradient.
- All parameters lie in one flat buffer and all gradients in another, written there by ``out``,
  so a step of Adam is ten calls however many layers there are.
- ``out`` goes by position (but for ``maximum``, where NumPy 2.4 warns of it), constants are
  zero-dimensional arrays (NumPy converts a Python float anew in every call), sums are
  ``np.add.reduce`` or products with ones, and bound methods, views and buffers are made once: at
  these sizes a call costs more than what it computes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
PIECE = 1 << 15
"""Entries that Adam updates at a time: what it touches of them stays in the cache of a core."""
SHARED = 1 << 18
"""Entries from which on a second thread updates every other piece."""


class Step(NamedTuple):
    """A training step ready to be timed."""

    run: Callable[[], float]
    """Makes one step and returns the loss before the update."""
    weights: Callable[[], list[np.ndarray]]
    """Copies of the parameters, in the order and the shapes of PyTorch."""

    def fingerprint(self) -> list[float]:
        """A number for each matrix of weights, which tells whether two steps do the same.

        Biases are left out: in front of a batch normalisation they have no influence, and Adam
        makes steps of ordinary size from what rounding leaves of their gradients.
        """
        rng = np.random.default_rng(0)
        matrices = [w for w in self.weights() if w.ndim > 1]
        return [float((w * rng.standard_normal(w.shape)).sum() / w.size**0.5) for w in matrices]


def flat_buffer(arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Copy arrays into one flat array; return it and a view of it for each of them."""
    flat = np.concatenate([a.reshape(-1) for a in arrays])
    pieces = np.split(flat, np.cumsum([a.size for a in arrays])[:-1])
    return flat, [p.reshape(a.shape) for p, a in zip(pieces, arrays, strict=True)]


def words(array: np.ndarray) -> np.ndarray:
    """The bits of float32 numbers as whole numbers.

    Their sign is 1 where max(x, 0) is not 0, and a product with it is the number or 0.0: half the
    time of a comparison and a product with booleans, which NumPy converts.
    """
    return array.view(np.uint32)


def with_bias(weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Weights (out, in) and bias as one matrix (out, in + 1)."""
    return np.hstack([weight, bias[:, None]])


def adam(flat: np.ndarray, gradient: np.ndarray, rate: float) -> Callable[[], None]:
    """A function that moves ``flat`` in place by one step of Adam, reading ``gradient``."""
    moment, square = np.zeros_like(flat), np.zeros_like(flat)
    beta1, beta2 = np.array(BETA1, flat.dtype), np.array(BETA2, flat.dtype)
    scale, shift = np.empty((), flat.dtype), np.empty((), flat.dtype)
    add, subtract, multiply = np.add, np.subtract, np.multiply
    divide, sqrt = np.divide, np.sqrt

    shares = 2 if flat.size >= SHARED and (os.cpu_count() or 1) > 1 else 1
    count = shares * -(-flat.size // (shares * PIECE))
    works = [np.empty(-(-flat.size // count), flat.dtype) for _ in range(shares)]
    split = zip(*(np.array_split(a, count) for a in (flat, gradient, moment, square)), strict=True)
    pieces = [(*p, works[k % shares][: p[0].size]) for k, p in enumerate(split)]
    mine, others = pieces[::shares], pieces[1::2] if shares == 2 else []

    def move(pieces: list[tuple[np.ndarray, ...]]) -> None:
        for p, g, m, v, work in pieces:
            multiply(m, beta1, m)
            add(m, g, m)
            multiply(v, beta2, v)
            multiply(g, g, work)
            add(v, work, v)
            sqrt(v, work)
            add(work, shift, work)
            divide(m, work, work)
            multiply(work, scale, work)
            subtract(p, work, p)

    pool = ThreadPoolExecutor(1) if others else None
    steps = 0

    def update() -> None:
        nonlocal steps
        steps += 1
        # The moments are kept without their factors (1 - beta), which two calls would have to
        # multiply in; the quotient takes them in with the bias corrections, as plain numbers.
        ratio = ((1 - BETA2) / (1 - BETA2**steps)) ** 0.5
        scale[()] = rate * (1 - BETA1) / (1 - BETA1**steps) / ratio
        shift[()] = EPSILON / ratio
        helper = pool.submit(move, others) if pool else None
        move(mine)
        if helper:
            helper.result()

    return update


def cross_entropy(logits: np.ndarray, delta: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    """A function that returns the mean loss of ``logits`` (classes, batch).

    It writes the derivative (softmax - one-hot) / batch into ``delta`` and uses up the logits.
    """
    batch = logits.shape[1]
    flat_logits, flat_delta = logits.reshape(-1), delta.reshape(-1)
    top, total, picked = (np.empty(batch, np.float32) for _ in range(3))
    ones, columns = np.ones(batch, np.float32), np.arange(batch)
    index = np.empty(batch, np.int64)
    one_each = np.array(1 / batch, np.float32)
    row_length, size = np.array(batch), np.array(batch, np.float32)
    add, subtract, multiply, divide = np.add, np.subtract, np.multiply, np.divide
    exp, log = np.exp, np.log
    sum_over, largest = np.add.reduce, np.maximum.reduce

    def loss() -> float:
        largest(logits, 0, None, top)
        subtract(logits, top, logits)
        exp(logits, delta)
        sum_over(delta, 0, None, total)
        multiply(labels, row_length, index)
        add(index, columns, index)
        flat_logits.take(index, 0, picked, "clip")
        multiply(total, size, top)
        divide(delta, top, delta)
        flat_delta[index] -= one_each
        log(total, total)
        subtract(total, picked, total)
        return float(total.dot(ones)) / batch

    return loss
