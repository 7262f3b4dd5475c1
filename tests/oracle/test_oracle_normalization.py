"""Stateless normalisation with all its arguments, and what the running statistics become."""

import numpy as np
import pytest
from agreement import CLOSE, agree, ours, torch
from numpy.testing import assert_allclose

import tinygrad_cs as tg

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(1.0, 2.0, size=shape)


IMAGES, ROWS = normal(4, 6, 2, 3), normal(5, 6)


@pytest.mark.parametrize(
    "x", [ROWS, normal(3, 6, 4), IMAGES], ids=["(N, C)", "(N, C, L)", "images"]
)
def test_batch_norm(x):
    w, b = normal(6), normal(6)
    agree(lambda F, x: F.batch_norm(x, None, None, training=True), x)
    agree(lambda F, x, w: F.batch_norm(x, None, None, w, None, True), x, w)
    agree(lambda F, x, b: F.batch_norm(x, None, None, bias=b, training=True), x, b)
    agree(lambda F, x, w, b: F.batch_norm(x, None, None, w, b, training=True, eps=0.1), x, w, b)


@pytest.mark.parametrize("form", ["batch_norm", "instance_norm"])
@pytest.mark.parametrize("momentum", [0.1, 0.7, 1.0, 0.0])
@pytest.mark.parametrize("moving", [True, False])
def test_running_statistics(form, momentum, moving):
    mean, var = normal(6), normal(6) ** 2
    mine = [tg.tensor(mean), tg.tensor(var)]
    other = [torch.from_numpy(mean.copy()), torch.from_numpy(var.copy())]

    def call(F, x, w, b):
        stats = mine if F is tg.nn.functional else other
        return getattr(F, form)(x, *stats, w, b, moving, momentum, 1e-3)

    for _ in range(2):
        agree(call, normal(4, 6, 2, 3), normal(6), normal(6))
    for s, t in zip(mine, other, strict=True):
        assert_allclose(s.data, t.numpy(), **CLOSE)


def test_layer_norm():
    w, b = normal(2, 3), normal(2, 3)
    agree(lambda F, x: F.layer_norm(x, [3]), IMAGES)
    agree(lambda F, x, w, b: F.layer_norm(x, (2, 3), w, b, 0.1), IMAGES, w, b)
    agree(lambda F, x, w: F.layer_norm(x, (2, 3), w), IMAGES, w)
    agree(lambda F, x, b: F.layer_norm(x, (2, 3), bias=b), IMAGES, b)
    agree(lambda F, x, w, b: F.layer_norm(x, (6, 2, 3), w, b), IMAGES, normal(6, 2, 3), IMAGES[0])
    agree(lambda F, x: F.layer_norm(x, IMAGES.shape), IMAGES)


def test_rms_norm():
    agree(lambda F, x: F.rms_norm(x, [6]), ROWS)
    agree(lambda F, x, w: F.rms_norm(x, [6], w, 0.1), ROWS, normal(6))
    agree(lambda F, x, w: F.rms_norm(x, (2, 3), w), IMAGES, normal(2, 3))
    agree(lambda F, x: F.rms_norm(x, [6]), ROWS * 1e-8)  # where the default eps matters


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_group_norm(groups):
    agree(lambda F, x: F.group_norm(x, groups), IMAGES)
    agree(lambda F, x, w, b: F.group_norm(x, groups, w, b, 0.1), IMAGES, normal(6), normal(6))
    agree(lambda F, x, w: F.group_norm(x, groups, w), normal(2, 6, 4), normal(6))


def test_instance_norm():
    agree(lambda F, x: F.instance_norm(x), IMAGES)
    agree(lambda F, x, w: F.instance_norm(x, weight=w, eps=0.1), normal(2, 6, 4), normal(6))


@pytest.mark.parametrize("form", ["layer", "batch", "group", "rms", "eval"])
def test_second_derivatives(form):
    x, w, v = normal(4, 6), normal(6), normal(4, 6)
    calls = {
        "layer": lambda F, x, w, s: F.layer_norm(x, [6], w),
        "batch": lambda F, x, w, s: F.batch_norm(x, None, None, w, training=True),
        "group": lambda F, x, w, s: F.group_norm(x, 2, w),
        "rms": lambda F, x, w, s: F.rms_norm(x, [6], w),
        "eval": lambda F, x, w, s: F.batch_norm(x, s[0], s[1], w),
    }

    def second(F, x, w, grad, constant):
        stats = constant(np.full(6, 0.5)), constant(np.full(6, 2.0))
        y = calls[form](F, x, w, stats)
        (gx, gw) = grad((y * y * y).sum(), (x, w), create_graph=True)
        return grad((gx * constant(v)).sum() + (gw * gw).sum(), (x, w))

    mine = second(tg.nn.functional, ours(x), ours(w), tg.autograd.grad, lambda a: a)
    leaves = [torch.from_numpy(a).requires_grad_() for a in (x, w)]
    other = second(torch.nn.functional, *leaves, torch.autograd.grad, torch.from_numpy)
    for a, b in zip(mine, other, strict=True):
        assert_allclose(a.data, b.numpy(), rtol=1e-8, atol=1e-10)
