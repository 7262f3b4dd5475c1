"""Losses in their stateless forms: values and gradients as PyTorch's, with every argument."""

import numpy as np
import pytest
from agreement import CLOSE, agree, torch
from numpy.testing import assert_allclose

import tinygrad_cs as tg

REDUCTIONS = ["mean", "sum", "none"]
every_reduction = pytest.mark.parametrize("reduction", REDUCTIONS)
WEIGHT = np.array([0.5, 2.0, 1.0, 0.0])


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def beside(F, array):
    """A constant as each library takes it."""
    return torch.from_numpy(np.array(array)) if F is torch.nn.functional else array


@every_reduction
@pytest.mark.parametrize("smoothing", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("more", [(), (2,), (2, 3)])
def test_cross_entropy(reduction, smoothing, weighted, more):
    target = np.random.default_rng(1).integers(0, 4, size=(5, *more))
    target[2] = -100
    agree(
        lambda F, x, t: F.cross_entropy(
            x,
            t,
            weight=beside(F, WEIGHT) if weighted else None,
            reduction=reduction,
            label_smoothing=smoothing,
        ),
        normal(5, 4, *more),
        target,
    )


@every_reduction
@pytest.mark.parametrize("ignored", [1, 7, -1])
def test_cross_entropy_and_nll_ignore(reduction, ignored):
    target = np.array([0, ignored, 2, ignored])
    for name in ("cross_entropy", "nll_loss"):
        agree(
            lambda F, x, t, name=name: getattr(F, name)(
                x, t, ignore_index=ignored, reduction=reduction
            ),
            normal(4, 3),
            target,
        )


@every_reduction
@pytest.mark.parametrize("shape", [(4,), (3, 4), (3, 4, 2)])
def test_cross_entropy_of_probabilities(reduction, shape):
    q = np.random.default_rng(2).uniform(0.1, 1, size=shape)
    for options in ({}, {"label_smoothing": 0.25}):
        agree(
            lambda F, x, q, o=options: F.cross_entropy(
                x, q, weight=beside(F, WEIGHT), reduction=reduction, **o
            ),
            normal(*shape),
            q,
        )


@every_reduction
@pytest.mark.parametrize("more", [(), (2,), (2, 3)])
def test_nll_loss(reduction, more):
    target = np.random.default_rng(1).integers(0, 4, size=(5, *more))
    target[1] = -100
    for weight in (None, WEIGHT):
        agree(
            lambda F, x, t, w=weight: F.nll_loss(
                x, t, weight=None if w is None else beside(F, w), reduction=reduction
            ),
            normal(5, 4, *more),
            target,
        )


@every_reduction
def test_regression(reduction):
    a, b = normal(4, 3), normal(4, 3, seed=1)
    b[0] = a[0]  # where |x| has its kink
    w = np.random.default_rng(3).uniform(0.5, 2, size=(4, 3))
    for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"):
        agree(lambda F, a, b, n=name: getattr(F, n)(a, b, reduction=reduction), a, b)
    for name in ("mse_loss", "l1_loss", "huber_loss"):
        agree(
            lambda F, a, b, n=name: getattr(F, n)(a, b, reduction=reduction, weight=beside(F, w)),
            a,
            b,
        )
    for width in (0.0, 0.3, 2.0):
        agree(lambda F, a, b, w=width: F.smooth_l1_loss(a, b, reduction=reduction, beta=w), a, b)
    for width in (0.3, 2.0):
        agree(lambda F, a, b, w=width: F.huber_loss(a, b, reduction=reduction, delta=w), a, b)


@every_reduction
def test_binary(reduction):
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 2, size=(2, 4, 3)).astype(float)[0], rng.uniform(0.01, 0.99, size=(4, 3))
    z = rng.normal(size=(4, 3)) * 20
    w, pos = rng.uniform(0.5, 2, size=(2, 3))
    agree(lambda F, p: F.binary_cross_entropy(p, beside(F, y), reduction=reduction), p)
    agree(
        lambda F, p: F.binary_cross_entropy(
            p, beside(F, y), weight=beside(F, w), reduction=reduction
        ),
        p,
    )
    for weights in ({}, {"weight": w}, {"pos_weight": pos}, {"weight": w, "pos_weight": pos}):
        agree(
            lambda F, z, y, weights=weights: F.binary_cross_entropy_with_logits(
                z, y, reduction=reduction, **{k: beside(F, v) for k, v in weights.items()}
            ),
            z,
            y,
        )


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("reduction", [*REDUCTIONS, "batchmean"])
@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 3, 2)])
def test_kl_div(reduction, shape):
    p = np.random.default_rng(0).uniform(0.1, 1, size=shape)
    agree(lambda F, x, p: F.kl_div(x, p, reduction=reduction), normal(*shape), p)
    agree(
        lambda F, x, p: F.kl_div(x, p, reduction=reduction, log_target=True),
        normal(*shape),
        np.log(p),
    )


@every_reduction
@pytest.mark.parametrize("full", [False, True])
def test_gaussian_nll(reduction, full):
    a, b = normal(4, 3), normal(4, 3, seed=1)
    for shape in ((4, 3), (4, 1), (4,), (1, 3)):
        var = np.random.default_rng(0).uniform(0, 2, size=shape)
        var.flat[0] = 0.0  # below eps the gradient passes
        agree(
            lambda F, a, b, v: F.gaussian_nll_loss(
                a, b, v, full=full, eps=0.1, reduction=reduction
            ),
            a,
            b,
            var,
        )
    agree(lambda F, a, b: F.gaussian_nll_loss(a, b, 0.5, full, reduction=reduction), a, b)


@every_reduction
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("shape", [(4,), (3, 4)])
def test_multi_margin(reduction, p, shape):
    x, t = normal(*shape), np.random.default_rng(0).integers(0, 4, size=shape[:-1])
    x.flat[0] = x.flat[1] = 5.0
    for weight in (None, WEIGHT):
        agree(
            lambda F, x, t, w=weight: F.multi_margin_loss(
                x,
                t,
                p=p,
                margin=0.8,
                weight=None if w is None else beside(F, w),
                reduction=reduction,
            ),
            x,
            t,
        )


@every_reduction
def test_hinge_and_cosine_embeddings(reduction):
    x, t = np.abs(normal(5, 2)) * 2, np.resize([1, -1, -1], (5, 2))
    for margin in (1.0, 0.3):
        agree(lambda F, x, t, m=margin: F.hinge_embedding_loss(x, t, m, reduction=reduction), x, t)
    a, b = normal(5, 3), normal(5, 3, seed=1)
    target = np.array([1, -1, -1, 1, -1])
    for margin in (0.0, -0.8, 0.5):
        agree(
            lambda F, a, b, t, m=margin: F.cosine_embedding_loss(a, b, t, m, reduction=reduction),
            a,
            b,
            target,
        )
    agree(lambda F, a, b, t: F.cosine_embedding_loss(a, b, t), a[1], b[1], np.array(1))


@every_reduction
@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_triplet_margin(reduction, swap, p):
    for shape in ((5, 3), (3,), (2, 4, 3)):
        agree(
            lambda F, a, b, c: F.triplet_margin_loss(
                a, b, c, margin=0.7, p=p, eps=1e-3, swap=swap, reduction=reduction
            ),
            *(normal(*shape, seed=s) for s in range(3)),
        )


def test_l2_penalty_is_weight_decay():
    """A step of SGD with the penalty in the loss is their step with `weight_decay`."""
    start = normal(3, 2)
    w, v = tg.nn.Parameter(start), torch.nn.Parameter(torch.from_numpy(start.copy()))
    tg.nn.l2_penalty([w], 0.3).backward()
    tg.optim.SGD([w], lr=0.1).step()
    v.grad = torch.zeros_like(v)
    torch.optim.SGD([v], lr=0.1, weight_decay=0.3).step()
    assert_allclose(w.data, v.detach().numpy(), **CLOSE)
