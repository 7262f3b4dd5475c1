"""Losses and penalties: formulas in plain NumPy, values at chance level, extremes, bad input."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.engine import errors
from tinygrad_cs.nn import functional as F
from tinygrad_cs.ops.reductions import losses as fused

INF, NAN = np.inf, np.nan
RNG = np.random.default_rng(0)
Z, Y = RNG.normal(size=(5, 4)), np.array([0, 3, 1, 2, 3])
A, B = RNG.normal(size=(2, 5, 4))


def leaf(x, dtype="float64"):
    return tg.tensor(np.array(x, dtype), requires_grad=True)


def slopes(f, *arrays, dtype="float64"):
    leaves = [leaf(a, dtype) for a in arrays]
    out = f(*leaves)
    (out.sum() if out.ndim else out).backward()
    grads = [x.grad for x in leaves]
    return grads[0] if len(grads) == 1 else grads


def second(f, *arrays):
    """The gradient of the squared norm of the gradient: derivatives of second order."""
    leaves = [leaf(a) for a in arrays]
    first = tg.autograd.grad(f(*leaves).sum(), leaves, create_graph=True, allow_unused=True)
    total = sum((g * g).sum() for g in first if g is not None)
    return [x.data for x in tg.autograd.grad(total, leaves)]


def softmax(z, axis):
    e = np.exp(z - z.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def log_softmax(z, axis=-1):
    return np.log(softmax(np.asarray(z), axis))


def test_cross_entropy_with_everything():
    """Weights, smoothing, ignored targets, classes on axis 1."""
    z, y = RNG.normal(size=(3, 4, 2)), RNG.integers(0, 4, size=(3, 2))
    y[1, 1] = -7
    w, e = np.array([1.0, 2.0, 0.5, 3.0]), 0.3
    total, weights = 0.0, 0.0
    for i, j in np.ndindex(3, 2):
        if y[i, j] >= 0:
            shares = np.full(4, e / 4) + (1 - e) * np.eye(4)[y[i, j]]
            total -= (w * shares * log_softmax(z[i, :, j])).sum()
            weights += w[y[i, j]]
    got = F.cross_entropy(z, y, w, ignore_index=-7, label_smoothing=e)
    assert_allclose(got, total / weights)
    each = F.cross_entropy(z, y, w, ignore_index=-7, label_smoothing=e, reduction="none")
    assert each.shape == (3, 2) and each[1, 1] == 0
    assert_allclose(each.sum(), total)


def test_probabilities_and_classes_agree():
    hot = np.eye(4)[Y]
    for options in ({}, {"label_smoothing": 0.2}, {"reduction": "none"}):
        assert_allclose(F.cross_entropy(Z, hot, **options), F.cross_entropy(Z, Y, **options))
    assert_allclose(F.nll_loss(log_softmax(Z), Y), F.cross_entropy(Z, Y))


def test_the_plain_cross_entropy_is_one_record():
    loss = F.cross_entropy(leaf(Z), Y)
    assert loss._node.plan.op.name == "softmax_cross_entropy"
    assert F.cross_entropy(leaf(Z.reshape(5, 2, 2)), Y[:, None].repeat(2, 1) % 2).shape == ()


@pytest.mark.parametrize("classes", [2, 10])
def test_values_at_chance_level(classes):
    zeros, y = np.zeros((6, classes)), np.arange(6) % classes
    uniform = np.full((6, classes), -np.log(classes))
    assert_allclose(F.cross_entropy(zeros, y), np.log(classes))
    assert_allclose(F.cross_entropy(zeros, y, label_smoothing=0.4), np.log(classes))
    assert_allclose(F.nll_loss(uniform, y), np.log(classes))
    assert_allclose(F.multi_class_hinge_loss(zeros, y), classes - 1)
    assert_allclose(F.multi_margin_loss(zeros, y), (classes - 1) / classes)
    assert_allclose(F.kl_div(uniform, np.eye(classes)[y], "batchmean"), np.log(classes))
    labels = np.arange(6.0) % 2
    assert_allclose(F.binary_cross_entropy_with_logits(np.zeros(6), labels), np.log(2))
    assert_allclose(F.binary_cross_entropy(np.full(6, 0.5), labels), np.log(2))


def test_a_softmax_twice_is_bounded_below():
    """What the docstring warns of."""
    sure = np.eye(10)[[3]] * 100
    assert_allclose(F.cross_entropy(softmax(sure, -1), [3]), np.log(1 + 9 / np.e))
    assert F.binary_cross_entropy_with_logits(np.ones(1), np.ones(1)) > 0.31


COMPOSED = [
    (
        lambda z, y: F.binary_cross_entropy_with_logits(z, y, reduction="none"),
        lambda z, y: -y * tg.logsigmoid(z) - (1 - y) * tg.logsigmoid(-z),
        (A * 3, RNG.uniform(0.1, 0.9, size=A.shape)),
    ),
    (
        lambda p, y: F.binary_cross_entropy(p, y, reduction="none"),
        lambda p, y: -y * tg.log(p) - (1 - y) * tg.log(1 - p),
        RNG.uniform(0.1, 0.9, size=(2, 5)),
    ),
    (
        lambda a, b: F.huber_loss(a, b, "none", delta=0.7),
        lambda a, b: tg.where(
            abs((a - b).data) < 0.7, (a - b) ** 2 / 2, 0.7 * (tg.abs(a - b) - 0.35)
        ),
        (A, B),
    ),
    (
        lambda a, b: F.smooth_l1_loss(a, b, "none", beta=0.7),
        lambda a, b: tg.where(abs((a - b).data) < 0.7, (a - b) ** 2 / 1.4, tg.abs(a - b) - 0.35),
        (A, B),
    ),
    (
        lambda a, b: F.l1_loss(a, b, "sum"),
        lambda a, b: tg.abs(a - b).sum() + 0 * (a * b).sum(),
        (A, B),
    ),
    (
        lambda x, p: F.kl_div(x, p, "none"),
        lambda x, p: tg.xlogy(p, p) - p * x,
        (A, np.abs(B) + 0.1),
    ),
    (
        lambda x, t: F.kl_div(x, t, "none", log_target=True),
        lambda x, t: tg.exp(t) * (t - x),
        (A, B),
    ),
    (
        lambda z, q: F.cross_entropy(z, q, reduction="none"),
        lambda z, q: -(q * tg.log_softmax(z)).sum(axis=1),
        (A, np.abs(B)),
    ),
    (
        lambda m, t, v: F.gaussian_nll_loss(m, t, v, reduction="none"),
        lambda m, t, v: (tg.log(v) + (m - t) ** 2 / v) / 2,
        (A, B, RNG.uniform(0.3, 2, size=A.shape)),
    ),
    (
        lambda s: fused.class_margins(s, Y, 0.8, 2),
        lambda s: (tg.relu(s - s[np.arange(5), Y][:, None] + 0.8) ** 2).sum(axis=1) - 0.8**2,
        (Z,),
    ),
    (
        lambda a, b: nn.elastic_net_penalty([a, b], 0.3, 0.5),
        lambda a, b: (
            0.3 * (tg.abs(a).sum() + tg.abs(b).sum()) + 0.25 * ((a**2).sum() + (b**2).sum())
        ),
        (A, B),
    ),
]


@pytest.mark.parametrize(("ours", "composed", "arrays"), COMPOSED)
def test_fused_records_are_their_composed_forms(ours, composed, arrays):
    leaves = [leaf(x) for x in arrays]
    assert_allclose(ours(*leaves).data, composed(*leaves).data, rtol=1e-12, atol=1e-14)
    for got, expected in zip(slopes(ours, *arrays), slopes(composed, *arrays), strict=True):
        assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("ours", "composed", "arrays"), [case for k, case in enumerate(COMPOSED) if k != 4]
)
def test_fused_records_to_second_order(ours, composed, arrays):
    for got, expected in zip(second(ours, *arrays), second(composed, *arrays), strict=True):
        assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_logits_of_a_thousand(dtype):
    z, y = np.array([1000.0, -1000.0, 1000.0, -1000.0]), np.array([1.0, 0.0, 0.0, 1.0])
    x, target = leaf(z, dtype), y.astype(dtype)
    loss = F.binary_cross_entropy_with_logits(x, target, reduction="none")
    assert loss.dtype == dtype
    assert_array_equal(loss.data, [0, 0, 1000, 1000])
    loss.sum().backward()
    assert x.grad.dtype == dtype
    assert_array_equal(x.grad, [0, 0, 1, -1])
    weighted = F.binary_cross_entropy_with_logits(x, target, pos_weight=[3.0], reduction="none")
    assert weighted.dtype == dtype
    assert_array_equal(weighted.data, [0, 0, 1000, 3000])
    for options in ({}, {"weight": [1.0, 2.0]}, {"label_smoothing": 0.5}):
        x = leaf([[1000.0, -1000.0], [-1000.0, 1000.0]], dtype)
        loss = F.cross_entropy(x, [0, 0], **options)
        loss.backward()
        assert loss.dtype == x.grad.dtype == dtype
        assert np.isfinite(loss.data) and np.isfinite(x.grad).all()


LOSSES = {
    "cross_entropy": (lambda x: F.cross_entropy(x, Y, [1.0, 2, 3, 4], label_smoothing=0.1)),
    "nll_loss": lambda x: F.nll_loss(x, Y, weight=[1.0, 2, 3, 4]),
    "probabilities": lambda x: F.cross_entropy(x, np.eye(4)[Y], [1.0, 2, 3, 4]),
    "l1_loss": lambda x: F.l1_loss(x, x * 0),
    "smooth_l1_loss": lambda x: F.smooth_l1_loss(x, x * 0, beta=0.3),
    "huber_loss": lambda x: F.huber_loss(x, x * 0, delta=0.3, weight=np.ones((5, 4))),
    "mse_loss": lambda x: F.mse_loss(x, Y[:, None].repeat(4, 1), weight=np.ones((5, 4))),
    "bce": lambda x: F.binary_cross_entropy(tg.sigmoid(x), np.eye(4, dtype=int)[Y], [1.0, 2, 3, 4]),
    "logits": lambda x: F.binary_cross_entropy_with_logits(
        x, np.eye(4, dtype=bool)[Y], np.ones(4), pos_weight=np.ones(4)
    ),
    "kl_div": lambda x: F.kl_div(x, tg.exp(x), "batchmean"),
    "kl_log": lambda x: F.kl_div(x, x, "batchmean", log_target=True),
    "gaussian_nll_loss": lambda x: F.gaussian_nll_loss(x, x * 0, tg.exp(x), full=True),
    "multi_margin_loss": lambda x: F.multi_margin_loss(x, Y, 2, weight=[1.0, 2, 3, 4]),
    "multi_class_hinge_loss": lambda x: F.multi_class_hinge_loss(x, Y),
    "hinge": lambda x: F.hinge_embedding_loss(x, np.where(np.eye(4)[Y] > 0, 1, -1)),
    "cosine": lambda x: F.cosine_embedding_loss(x, x + 1, np.resize([1, -1], 5)),
    "triplet": lambda x: F.triplet_margin_loss(x, x + 1, x * 2, swap=True),
    "penalty": lambda x: nn.elastic_net_penalty([x], 0.1, np.float64(0.2)),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_dtypes_stay(loss, dtype):
    """Beside labels that are integers or booleans, and constants in float64."""
    x = leaf(Z, dtype)
    out = loss(x)
    assert out.dtype == dtype
    out.backward()
    assert x.grad.dtype == dtype and np.isfinite(x.grad).all()


def test_binary_cross_entropy_at_the_ends():
    p, y = [0.0, 1.0, 0.0, 1.0], np.array([1.0, 0.0, 0.0, 1.0])

    def total(p):
        return F.binary_cross_entropy(p, y.astype(p.dtype), reduction="sum")

    for dtype in ("float32", "float64"):
        each = F.binary_cross_entropy(leaf(p, dtype), y.astype(dtype), reduction="none")
        assert_array_equal(each.data, [100, 100, 0, 0])
        assert_allclose(slopes(total, p, dtype=dtype), [-1e12, 1e12, 1, -1], rtol=1e-6)
    half = slopes(total, p, dtype="float16")
    assert np.isfinite(half).all() and half[0] < -1000
    of_labels = slopes(lambda y: F.binary_cross_entropy(np.array(p), y, reduction="sum"), y)
    assert_array_equal(of_labels, [100, -100, 100, -100])


def test_kl_divergence_of_probability_zero():
    log_q = np.array([-INF, -1.0, -0.5])
    p = np.array([0.0, 0.0, 1.0])
    assert_allclose(F.kl_div(log_q, p, "none"), [0, 0, 0.5])
    dq, dp = slopes(lambda x, p: F.kl_div(x, p, "sum"), log_q, p)
    assert_allclose(dq, [0, 0, -1])
    assert_allclose(dp, [0, 0, 1.5])
    log_p = np.array([-INF, -INF, 0.0])
    assert_allclose(F.kl_div(log_q, log_p, "none", log_target=True), [0, 0, 0.5])
    dq, dp = slopes(lambda x, p: F.kl_div(x, p, "sum", log_target=True), log_q, log_p)
    assert_allclose(dq, [0, 0, -1])
    assert_allclose(dp, [0, 0, 1.5])
    assert F.kl_div(np.array([-INF]), np.array([0.5])) == INF


def test_logits_of_minus_infinity_do_not_count_where_the_share_is_zero():
    z = np.array([[0.0, -INF, 0.0]])
    for target in ([0], np.array([[1.0, 0.0, 0.0]])):
        assert_allclose(F.cross_entropy(z, target, [1.0, 1, 1]), np.log(2))
        slope = slopes(lambda z, t=target: F.cross_entropy(z, t, [1.0, 1, 1]), z)
        assert_allclose(slope, [[-0.5, 0, 0.5]])


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss])
def test_if_every_target_is_ignored(loss):
    z = leaf(Z)
    for reduction in ("mean", "sum", "none"):
        with pytest.warns(UserWarning, match="every target is ignored"):
            out = loss(z, np.full(5, -100), reduction=reduction)
        assert_array_equal(out.data, np.zeros(5) if reduction == "none" else 0)
    with pytest.warns(UserWarning, match="weight 0"):
        out = loss(z, np.zeros(5, int), weight=[0.0, 1, 1, 1])
    out.backward()
    assert_array_equal(z.grad, np.zeros((5, 4)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss(z, np.array([-100, -100, 1, -100, -100]))


def test_huber_between_its_relatives():
    assert_allclose(F.huber_loss(A, B, delta=1e6), F.mse_loss(A, B) / 2)
    assert_allclose(F.smooth_l1_loss(A, B, beta=1e-9), F.l1_loss(A, B), rtol=1e-8)
    assert_allclose(F.smooth_l1_loss(A, B, beta=0), F.l1_loss(A, B))
    assert_allclose(F.huber_loss(A, B, delta=0.3) / 0.3, F.smooth_l1_loss(A, B, beta=0.3))
    assert_array_equal(
        slopes(lambda x: F.huber_loss(x, np.zeros(5), "sum"), [-9.0, -0.5, 0, 1, INF]),
        [-1, -0.5, 0, 1, 1],
    )


def test_weighted_means():
    w = np.abs(A)
    assert_allclose(F.mse_loss(A, B, weight=w), (w * (A - B) ** 2).sum() / w.sum())
    assert_allclose(F.l1_loss(A, B, weight=w), (w * np.abs(A - B)).sum() / w.sum())
    got = slopes(lambda w: F.mse_loss(A, B, weight=w), w)
    assert_allclose(got, ((A - B) ** 2 - F.mse_loss(A, B, weight=w)) / w.sum())


def test_gaussian_finds_mean_and_variance():
    t = RNG.normal(3.0, 2.0, size=1000)

    def at(mean, var):
        return F.gaussian_nll_loss(np.full(1000, mean), t, np.full(1000, var), full=True)

    best = at(t.mean(), t.var())
    assert_allclose(best, (np.log(2 * np.pi * t.var()) + 1) / 2)
    assert all(best < at(t.mean() + d, t.var() * f) for d, f in [(0.1, 1), (0, 0.9), (0, 1.1)])


def test_hinges_by_hand():
    """The example of the lectures: cat, car, frog."""
    scores = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])
    each = F.multi_class_hinge_loss(scores, [0, 1, 2], reduction="none")
    assert_allclose(each, [2.9, 0, 12.9])
    assert_allclose(F.multi_class_hinge_loss(scores, [0, 1, 2]), 15.8 / 3)
    assert_allclose(F.multi_margin_loss(scores, [0, 1, 2]), 15.8 / 9)
    slope = slopes(lambda s: F.multi_class_hinge_loss(s, [0, 1, 2], reduction="sum"), scores)
    assert_array_equal(slope, [[-1, 1, 0], [0, 0, 0], [1, 1, -2]])


def test_embeddings_by_hand():
    a = np.array([[3.0, 4.0], [0.0, 0.0]])
    cosine = F.cosine_embedding_loss(a, np.array([[4.0, 3.0], [1.0, 0.0]]), [1, 1], 0, "none")
    assert_allclose(cosine, [1 - 24 / 25, 1])
    assert_allclose(F.hinge_embedding_loss([0.25, 0.25, 2.0], [1, -1, -1], 0.5, "none"),
                    [0.25, 0.25, 0])  # fmt: skip
    near = np.zeros((1, 2))
    assert_allclose(F.triplet_margin_loss(near, near, near, margin=0.7), 0.7)


def test_scalars_and_lists_are_welcome():
    assert F.mse_loss(tg.tensor(1.0), tg.tensor(3.0)).item() == 4
    assert F.l1_loss(tg.tensor([1.0]), [3.0]).item() == 2
    assert_allclose(F.binary_cross_entropy_with_logits(tg.tensor(0.0), tg.tensor(1.0)).item(),
                    np.log(2), rtol=1e-6)  # fmt: skip
    assert_allclose(F.cross_entropy([[0.0, 0.0]], [[0.5, 0.5]]).item(), np.log(2), rtol=1e-6)
    assert F.gaussian_nll_loss([0.0], [2.0], 1.0).item() == 2
    assert F.mse_loss(leaf([1.0], "float32"), np.array([3])).dtype == np.float32


ELEMENTWISE = {
    "mse_loss": F.mse_loss,
    "l1_loss": F.l1_loss,
    "smooth_l1_loss": F.smooth_l1_loss,
    "huber_loss": F.huber_loss,
    "binary_cross_entropy": F.binary_cross_entropy,
    "binary_cross_entropy_with_logits": F.binary_cross_entropy_with_logits,
    "kl_div": F.kl_div,
    "hinge_embedding_loss": F.hinge_embedding_loss,
    "gaussian_nll_loss": lambda a, b, **o: F.gaussian_nll_loss(a, b, np.ones(np.shape(a)), **o),
}
every_elementwise = pytest.mark.parametrize("name", list(ELEMENTWISE))


@every_elementwise
def test_shapes_must_be_the_same(name):
    with pytest.raises(errors.ShapeError, match=rf"{name}.*same shape, got \(3, 1\) and \(3,\)"):
        ELEMENTWISE[name](np.ones((3, 1)), np.ones(3))


@every_elementwise
def test_empty_batches(name):
    none = np.zeros((0, 2))
    with pytest.raises(errors.ShapeError, match=f"{name}.*mean over an empty batch"):
        ELEMENTWISE[name](none, none)
    assert ELEMENTWISE[name](none, none, reduction="sum") == 0
    assert ELEMENTWISE[name](none, none, reduction="none").shape == (0, 2)


@every_elementwise
def test_targets_with_nan_are_refused(name):
    message = "NaN|nan"
    with pytest.raises(errors.ArgumentError, match=f"{name}.*({message})"):
        ELEMENTWISE[name](leaf([0.5, 0.5]), np.array([1.0, NAN]))
    if name != "binary_cross_entropy":
        assert np.isnan(ELEMENTWISE[name](leaf([0.5, NAN]), np.ones(2)).data)  # it diverged


@every_elementwise
def test_reductions_are_checked(name):
    with pytest.raises(errors.ArgumentError, match=f"{name}: reduction must be one of .*'avg'"):
        ELEMENTWISE[name](np.ones(2), np.ones(2), reduction="avg")


@pytest.mark.parametrize(
    "loss", [F.cross_entropy, F.nll_loss, F.multi_margin_loss, F.multi_class_hinge_loss]
)
def test_losses_of_classes_on_empty_batches(loss):
    scores, none = leaf(np.zeros((0, 3))), np.zeros(0, int)
    with pytest.raises(errors.ShapeError, match=f"{loss.__name__}.*empty batch"):
        loss(scores, none)
    assert loss(scores, none, reduction="sum").item() == 0
    assert loss(scores, none, reduction="none").shape == (0,)


BAD = [
    (lambda: F.cross_entropy(Z, np.eye(4, dtype=int)[Y]), "DTypeError", r"argmax\(1\)"),
    (lambda: F.cross_entropy(Z, Y * 1.0), "DTypeError", "must be integer, got float64"),
    (lambda: F.cross_entropy(Z, Y + 1), "IndexOutOfRange", r"0 to 3 .*\[4\]"),
    (lambda: F.cross_entropy(Z, Y - 100), "IndexOutOfRange", r"0 to 3 .*-9"),
    (lambda: F.cross_entropy(Z, Y, [1.0, 2.0]), "ShapeError", r"each of the 4 classes.*\(2,\)"),
    (lambda: F.cross_entropy(Z, Y, [1.0, 2, 3, -4]), "ArgumentError", "not be negative"),
    (lambda: F.cross_entropy(Z, Y, leaf(np.ones(4))), "ArgumentError", "weight.detach()"),
    (lambda: F.cross_entropy(Z, Y, label_smoothing=1.5), "ArgumentError", "from 0 to 1, got 1.5"),
    (lambda: F.cross_entropy(Z, Z), "ArgumentError", "not negative or NaN"),
    (lambda: F.cross_entropy(Z, np.eye(4)[Y], ignore_index=0), "ArgumentError", "names a class"),
    (lambda: F.cross_entropy(Z.T, Y), "ShapeError", r"\(4, 5\) and target \(5,\)"),
    (lambda: F.cross_entropy(np.zeros((2, 4, 3)), np.zeros((2, 4), int)), "ShapeError", "d1"),
    (lambda: F.nll_loss(Z, Y + 1), "IndexOutOfRange", "nll_loss: classes go from 0 to 3"),
    (lambda: F.nll_loss(Z, Z), "DTypeError", "nll_loss"),
    (lambda: F.mse_loss(np.array([1, 2]), leaf([1.0, 2.0])), "DTypeError", "targets second"),
    (lambda: F.mse_loss(A, B, weight=np.ones(4)), "ShapeError", "weight must have the shape"),
    (lambda: F.huber_loss(A, B, delta=0), "ArgumentError", "delta must be larger than 0"),
    (lambda: F.smooth_l1_loss(A, B, beta=-1), "ArgumentError", "beta must be larger than 0"),
    (lambda: F.smooth_l1_loss(A, B, beta="x"), "ArgumentError", "beta must be a number, got 'x'"),
    (
        lambda: F.binary_cross_entropy(np.array([[0.5, 1.5]]), np.ones((1, 2))),
        "ArgumentError",
        r"got 1.5 at position \[0, 1\].*BCEWithLogitsLoss",
    ),
    (
        lambda: nn.BCELoss()(np.array([-3.0]), np.ones(1)),
        "ArgumentError",
        r"layer 'BCELoss'.*got -3.0 at position \[0\].*BCEWithLogitsLoss",
    ),
    (lambda: F.binary_cross_entropy([0.5], [2.0]), "ArgumentError", "the target must be prob"),
    (
        lambda: F.binary_cross_entropy_with_logits([0.5, 1], [1.0, -1.0]),
        "ArgumentError",
        r"got -1.0 at position \[1\].*\(y \+ 1\) / 2",
    ),
    (
        lambda: F.binary_cross_entropy_with_logits(A, A * 0, np.ones(3)),
        "ShapeError",
        r"broadcast to it, got \(3,\)",
    ),
    (
        lambda: F.binary_cross_entropy_with_logits(A, A * 0, pos_weight=np.ones(5)),
        "ShapeError",
        "pos_weight must broadcast",
    ),
    (lambda: F.kl_div(A, A), "ArgumentError", "not negative.*log_target=True"),
    (lambda: F.mse_loss(A, B, "batchmean"), "ArgumentError", "got 'batchmean'"),
    (lambda: F.gaussian_nll_loss(A, B, -np.ones((5, 4))), "ArgumentError", r"got -1.0 at pos"),
    (lambda: F.gaussian_nll_loss(A, B, np.ones(4)), "ShapeError", "var must have the shape"),
    (lambda: F.gaussian_nll_loss(A, B, 1.0, eps=0), "ArgumentError", "eps must be larger"),
    (lambda: F.hinge_embedding_loss([1.0, 2], [0, 1]), "ArgumentError", r"got 0 .*2 \* y - 1"),
    (lambda: F.cosine_embedding_loss(A, B, Y), "ArgumentError", "1 .alike. or -1"),
    (lambda: F.cosine_embedding_loss(A, B, [1]), "ShapeError", r"got \(5, 4\), \(5, 4\) and"),
    (lambda: F.cosine_embedding_loss(A, B, np.ones(5), 2.0), "ArgumentError", "from -1 to 1"),
    (lambda: F.triplet_margin_loss(A, B, B[0]), "ShapeError", "same shape"),
    (lambda: F.triplet_margin_loss(A, B, B, margin=0), "ArgumentError", "margin must be larger"),
    (lambda: F.multi_margin_loss(Z, Y, p=3), "ArgumentError", "p must be 1 or 2, got 3"),
    (lambda: F.multi_margin_loss(Z[None], Y), "ShapeError", r"shape \(N, C\)"),
    (lambda: F.multi_margin_loss(Z, Y, weight=[1.0]), "ShapeError", "each of the 4 classes"),
    (lambda: F.multi_class_hinge_loss(Z, Y + 1), "IndexOutOfRange", "multi_class_hinge_loss"),
    (lambda: nn.KLDivLoss("avg"), "ArgumentError", "'batchmean', got 'avg'"),
    (lambda: nn.HuberLoss(delta=-1), "ArgumentError", "HuberLoss: delta"),
    (lambda: nn.SmoothL1Loss(beta=-1), "ArgumentError", "SmoothL1Loss: beta"),
    (lambda: nn.CrossEntropyLoss(label_smoothing=-0.1), "ArgumentError", "CrossEntropyLoss"),
    (lambda: nn.MultiMarginLoss(p=3), "ArgumentError", "MultiMarginLoss: p"),
    (lambda: nn.CosineEmbeddingLoss(1.5), "ArgumentError", "CosineEmbeddingLoss: margin"),
    (lambda: nn.TripletMarginLoss(0), "ArgumentError", "TripletMarginLoss: margin"),
    (lambda: nn.GaussianNLLLoss(eps=-1), "ArgumentError", "GaussianNLLLoss: eps"),
    (lambda: nn.l1_penalty([leaf(1.0)], -0.1), "ArgumentError", "0 or more, got -0.1"),
    (lambda: nn.l2_penalty(0.1, [leaf(1.0)]), "ArgumentError", "the parameters come first"),
    (lambda: nn.l2_penalty([], 0.1), "ArgumentError", "used up by one pass"),
    (lambda: nn.l2_penalty(nn.ReLU(), 0.1), "ArgumentError", "no weights with two axes"),
    (lambda: nn.l2_penalty(3, 0.1), "DTypeError", "an iterable of parameters, got int"),
    (lambda: nn.l2_penalty(nn.Linear(2, 2).named_parameters(), 0.1), "DTypeError", "got tuple"),
]


@pytest.mark.parametrize(("mistake", "kind", "says"), BAD)
def test_mistakes_are_explained(mistake, kind, says):
    with pytest.raises(getattr(errors, kind), match=f"(?s){says}"):
        mistake()


def test_printing_names_what_is_not_default():
    assert repr(nn.CrossEntropyLoss(label_smoothing=0.1)).startswith(
        "CrossEntropyLoss(label_smoothing=0.1)"
    )
    assert repr(nn.HuberLoss("sum", 2.0)).startswith("HuberLoss(delta=2.0, reduction='sum')")
    assert repr(nn.TripletMarginLoss()).startswith("TripletMarginLoss()")


def test_weights_are_buffers():
    loss = nn.BCEWithLogitsLoss(weight=[1.0, 2.0])
    assert list(loss.state_dict()) == ["weight"] and not list(loss.parameters())
    assert not nn.CrossEntropyLoss().state_dict()


def test_penalties_by_hand():
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))
    weights = [p.data for p in model.parameters() if p.ndim == 2]
    everything = [p.data for p in model.parameters()]

    def total(power, arrays):
        return sum((np.abs(w) ** power).sum() for w in arrays)

    assert_allclose(nn.l1_penalty(model, 0.5).item(), 0.5 * total(1, weights), rtol=1e-6)
    assert_allclose(nn.l2_penalty(model, 0.5).item(), 0.25 * total(2, weights), rtol=1e-6)
    assert_allclose(
        nn.l1_penalty(model.parameters(), 0.5).item(), 0.5 * total(1, everything), rtol=1e-6
    )
    assert_allclose(
        nn.elastic_net_penalty(model, 0.5, 3.0).item(),
        0.5 * total(1, weights) + 1.5 * total(2, weights),
        rtol=1e-6,
    )
    assert nn.l1_penalty(leaf([1.0, -2.0]), 2).item() == 6
    assert nn.l2_penalty(model, 0).item() == 0


def test_l2_penalty_is_weight_decay_of_sgd():
    decayed, penalised = leaf(A), leaf(A)
    sgd = tg.optim.SGD([decayed], lr=0.1, weight_decay=0.3)
    (decayed * B).sum().backward()
    sgd.step()
    ((penalised * B).sum() + nn.l2_penalty([penalised], 0.3)).backward()
    tg.optim.SGD([penalised], lr=0.1).step()
    assert_allclose(penalised.data, decayed.data, rtol=1e-13)


def test_l1_penalty_makes_weights_sparse_and_l2_does_not():
    """A regression in which only two of ten inputs matter."""
    x = RNG.normal(size=(200, 10))
    y = x[:, :2] @ [2.0, -1.0]
    fitted = {}
    for penalty in (nn.l1_penalty, nn.l2_penalty):
        w = leaf(np.full(10, 0.5))
        sgd = tg.optim.SGD([w], lr=0.01)
        for _ in range(500):
            sgd.zero_grad()
            (F.mse_loss(tg.asarray(x) @ w, y) + penalty([w], 0.5)).backward()
            sgd.step()
        fitted[penalty] = np.abs(w.data)
    # at rest the data pull with 0.5 at most, as the penalty does: two such steps
    assert (fitted[nn.l1_penalty][2:] <= 2 * 0.01 * 0.5).all()
    assert (fitted[nn.l1_penalty][:2] > 0.5).all()
    assert fitted[nn.l2_penalty][2:].max() > 0.02
