"""One training step of LeNet written by hand in NumPy: convolutions as matrix products.

``by_hand.py`` says what makes it fast. Images, too, are stored with the batch last, (channels,
rows, columns, batch). So the windows of an image are gathered in runs as long as a row times the
batch, the product of the kernels with them is the next image as it should lie, and the four
corners that a pooling compares are views. Pooling comes before ReLU, which gives the same values
on a quarter of the entries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from by_hand import Step, adam, flat_buffer, with_bias
from mlp_numpy import dense_passes
from numpy.lib.stride_tricks import sliding_window_view

Pass = Callable[[], None]


class Stage(NamedTuple):
    """Convolution, pooling, ReLU: the two passes, and the cotangent of what it returns."""

    forward: Pass
    backward: Pass
    cotangent: np.ndarray


def stage(
    weight: np.ndarray,  # (out, in * kernel * kernel + 1), the bias last
    gradient: np.ndarray,
    kernel: int,
    source: np.ndarray,  # (in, rows, columns, batch)
    to_source: np.ndarray | None,  # where its cotangent goes, if it is needed
    result: np.ndarray,  # (out, rows, columns, batch)
) -> Stage:
    """A square kernel without padding, pooling of 2 by 2 and ReLU."""
    channels, *_, batch = source.shape
    windows = np.moveaxis(sliding_window_view(source, (kernel, kernel), (1, 2)), (4, 5), (1, 2))
    rows, columns = windows.shape[3:5]
    places = rows * columns * batch
    gathered = np.ones((weight.shape[1], places), np.float32)
    gathered_windows = gathered[:-1].reshape(windows.shape)
    image = np.empty((len(weight), rows, columns, batch), np.float32)
    flat_image = image.reshape(len(weight), places)
    upper, lower = np.empty((2, *result.shape), np.float32)
    from_left, from_right, from_top, alive = np.empty((4, *result.shape), bool)
    cotangent = np.empty_like(result)
    nw, ne, sw, se = (image[:, i::2, j::2] for i in (0, 1) for j in (0, 1))
    zero = np.array(0, np.float32)
    add, subtract, multiply, maximum = np.add, np.subtract, np.multiply, np.maximum
    greater, greater_equal, copyto = np.greater, np.greater_equal, np.copyto
    # With few rows and many terms, BLAS is twice as fast on the transposed product.
    to_image, to_gradient, flat_image_t = weight.dot, gathered.dot, flat_image.T
    transposed = np.empty(gradient.shape[::-1], np.float32)
    transposed_t = transposed.T

    if to_source is not None:
        to_windows = weight[:, :-1].T.dot
        flat_spread = np.empty((weight.shape[1] - 1, places), np.float32)
        spread = flat_spread.reshape(channels, kernel, kernel, rows, columns, batch)
        landing = [
            (to_source[:, i : i + rows, j : j + columns], spread[:, i, j])
            for i in range(kernel)
            for j in range(kernel)
        ]

    def forward() -> None:
        copyto(gathered_windows, windows)
        to_image(gathered, flat_image)
        maximum(nw, ne, out=upper)
        maximum(sw, se, out=lower)
        # Of equal entries the first counts.
        greater_equal(nw, ne, from_left)
        greater_equal(sw, se, from_right)
        greater_equal(upper, lower, from_top)
        maximum(upper, lower, out=result)
        maximum(result, zero, out=result)

    def backward() -> None:
        greater(result, zero, alive)
        multiply(cotangent, alive, cotangent)
        # The cotangent goes to the larger half of a window, and there to the larger entry.
        multiply(cotangent, from_top, upper)
        subtract(cotangent, upper, lower)
        multiply(upper, from_left, nw)
        subtract(upper, nw, ne)
        multiply(lower, from_right, sw)
        subtract(lower, sw, se)
        to_gradient(flat_image_t, transposed)
        copyto(gradient, transposed_t)
        if to_source is not None:
            to_windows(flat_image, flat_spread)
            to_source.fill(0)
            for there, part in landing:
                add(there, part, there)

    return Stage(forward, backward, cotangent)


def numpy_step(parameters: Sequence[np.ndarray], x: np.ndarray, y: np.ndarray, rate: float) -> Step:
    """The step; the parameters come in PyTorch's order, weight before bias."""
    batch, _, rows, columns = x.shape
    shapes = [w.shape for w in parameters]
    flat, weights = flat_buffer(
        [
            with_bias(w.reshape(len(w), -1), b)
            for w, b in zip(parameters[::2], parameters[1::2], strict=True)
        ]
    )
    flat_gradient, gradients = flat_buffer([np.zeros_like(w) for w in weights])
    update = adam(flat, flat_gradient, rate)

    padded = np.zeros((1, rows + 4, columns + 4, batch), np.float32)
    inner, x_last = padded[0, 2:-2, 2:-2], x[:, 0].transpose(1, 2, 0)
    middle = np.empty((6, 14, 14, batch), np.float32)
    features = np.ones((16 * 5 * 5 + 1, batch), np.float32)
    first = stage(weights[0], gradients[0], 5, padded, None, middle)
    second = stage(
        weights[1], gradients[1], 5, middle, first.cotangent, features[:-1].reshape(16, 5, 5, -1)
    )
    dense = dense_passes(
        weights[2:], gradients[2:], features, y, second.cotangent.reshape(16 * 5 * 5, -1)
    )
    copyto = np.copyto

    def step() -> float:
        copyto(inner, x_last)
        first.forward()
        second.forward()
        loss = dense()
        second.backward()
        first.backward()
        update()
        return loss

    def current() -> list[np.ndarray]:
        halves = [half for w in weights for half in (w[:, :-1], w[:, -1])]
        return [np.array(h).reshape(shape) for h, shape in zip(halves, shapes, strict=True)]

    return Step(step, current)
