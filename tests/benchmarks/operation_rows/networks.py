"""What networks are made of: probabilities, losses, convolution, pooling."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .row import Arrays, matrix, normal, row, vectors


def _with_classes(rng: np.random.Generator, size: int) -> Arrays:
    (logits,) = matrix(rng, size)
    return [logits, rng.integers(0, logits.shape[1], len(logits))]


def _images(rng: np.random.Generator, size: int) -> Arrays:
    """About `size` entries as (batch, channels, height, width), with even sides."""
    channels = max(1, round((size / 100) ** 0.25))
    side = max(2, round((size / channels**2) ** 0.5) // 2 * 2)
    return [normal(rng, (channels, channels, side, side))]


def _images_and_kernel(rng: np.random.Generator, size: int) -> Arrays:
    (x,) = _images(rng, size)
    channels = x.shape[1]
    return [x, normal(rng, (channels, channels, 3, 3))]


def _four(x: Any) -> Any:
    """The windows of a pooling two by two, as a view with two more axes."""
    n, c, height, width = x.shape
    return x.reshape(n, c, height // 2, 2, width // 2, 2)


@row(lambda lib, x: lib.nn.functional.softmax(x, dim=1), draw=matrix)
def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p, lambda g: p * (g - (g * p).sum(axis=1, keepdims=True))


@row(lambda lib, x: lib.nn.functional.log_softmax(x, dim=1), draw=matrix)
def log_softmax(x: Any) -> Any:
    shifted = x - x.max(axis=1, keepdims=True)
    y = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return y, lambda g: g - np.exp(y) * g.sum(axis=1, keepdims=True)


@row(lambda lib, x, t: lib.nn.functional.cross_entropy(x, t), draw=_with_classes)
def cross_entropy(x: Any, t: Any) -> Any:
    rows = np.arange(len(t))
    shifted = x - x.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(axis=1, keepdims=True)

    def pull(g: Any) -> Any:
        p = e / total
        p[rows, t] -= 1
        return p * (g / np.float32(len(t)))

    return (np.log(total[:, 0]) - shifted[rows, t]).mean(), pull


@row(lambda lib, a, b: lib.nn.functional.mse_loss(a, b), draw=vectors(2))
def mse_loss(a: Any, b: Any) -> Any:
    d = a - b

    def pull(g: Any) -> Any:
        left = d * (g * 2 / d.size)
        return left, -left

    return (d * d).mean(), pull


@row(lambda lib, x, w: lib.nn.functional.conv2d(x, w, padding=1), draw=_images_and_kernel)
def conv2d(x: Any, w: Any) -> Any:
    """Every window as a row of a matrix (im2col)."""
    n, c, height, width = x.shape
    windows = sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), (2, 3))
    columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * height * width, c * 9)
    y = (columns @ w.reshape(len(w), -1).T).reshape(n, height, width, len(w))

    def pull(g: Any) -> Any:
        flat = g.transpose(0, 2, 3, 1).reshape(-1, len(w))
        parts = (flat @ w.reshape(len(w), -1)).reshape(n, height, width, c, 3, 3)
        padded = np.zeros((n, c, height + 2, width + 2), x.dtype)
        for i in range(3):
            for j in range(3):
                padded[:, :, i : i + height, j : j + width] += parts[..., i, j].transpose(
                    0, 3, 1, 2
                )
        return padded[:, :, 1:-1, 1:-1].copy(), (flat.T @ columns).reshape(w.shape)

    return y.transpose(0, 3, 1, 2), pull


@row(lambda lib, x: lib.nn.functional.max_pool2d(x, 2), draw=_images)
def max_pool2d(x: Any) -> Any:
    """The first of equal entries takes the gradient, as everywhere for pooling."""
    n, c, height, width = x.shape
    windows = _four(x).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, height // 2, width // 2, 4)
    places = windows.argmax(axis=-1)[..., None]

    def pull(g: Any) -> Any:
        out = np.zeros_like(windows)
        np.put_along_axis(out, places, g[..., None], -1)
        shape = (n, c, height // 2, width // 2, 2, 2)
        return out.reshape(shape).transpose(0, 1, 2, 4, 3, 5).reshape(x.shape)

    return np.take_along_axis(windows, places, -1)[..., 0], pull


@row(lambda lib, x: lib.nn.functional.avg_pool2d(x, 2), draw=_images)
def avg_pool2d(x: Any) -> Any:
    def pull(g: Any) -> Any:
        out = np.empty_like(x)
        _four(out)[...] = (g / 4)[:, :, :, None, :, None]
        return out

    return _four(x).mean(axis=(3, 5)), pull
