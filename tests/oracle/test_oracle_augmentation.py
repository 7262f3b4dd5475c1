"""Resizing and rotating against PyTorch's `interpolate` and `grid_sample`."""

import numpy as np
import pytest
from agreement import torch
from numpy.testing import assert_allclose

from tinygrad_cs import data

X = np.random.default_rng(0).random((3, 2, 13, 11))


@pytest.mark.parametrize("size", [(13, 11), (26, 30), (5, 4), (7, 25), (1, 1), (14, 10)])
def test_resize(size):
    """With its antialias=True, which changes nothing where images get larger."""
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(X), size, mode="bilinear", antialias=True, align_corners=False
    )
    assert_allclose(data.resize(X, size), expected.numpy(), atol=1e-12)


@pytest.mark.parametrize("translate", [(0.0, 0.0), (0.3, 0.2)])
@pytest.mark.parametrize("degrees", [0.0, 7.0, -33.0, 150.0])
def test_rotation_and_shift(degrees, translate):
    height, width = X.shape[2:]
    uniform = np.random.default_rng(1).random((3, 4))
    ours = data.RandomAffine((degrees, degrees), translate).apply(X, uniform)
    shift = (2 * uniform[:, 2:] - 1) * (translate[0] * width, translate[1] * height)
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    turn = np.array([[cos, -sin], [sin, cos]])
    # PyTorch counts places in half widths and heights from the middle.
    half = np.array([width, height]) / 2
    theta = np.empty((3, 2, 3))
    theta[:, :, :2] = turn * half / half[:, None]
    theta[:, :, 2] = -(shift @ turn.T) / half
    grid = torch.nn.functional.affine_grid(torch.from_numpy(theta), X.shape, align_corners=False)
    expected = torch.nn.functional.grid_sample(torch.from_numpy(X), grid, align_corners=False)
    assert_allclose(ours, expected.numpy(), atol=1e-12)
