"""Embedding, one-hot, bilinear, similarity, dropout, attention: values, gradients, refusals."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.autograd import gradcheck, gradgradcheck
from tinygrad_cs.engine import errors
from tinygrad_cs.nn import functional as F

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape)


def checks(f, *inputs):
    """First and second derivatives against differences, in both modes."""
    assert gradcheck(f, inputs) and gradgradcheck(f, inputs)


def test_embedding_takes_rows_and_adds_up_their_gradients():
    table, words = normal(5, 3), np.array([[0, 2, 2], [4, 0, 2]])
    assert_array_equal(F.embedding(words, tg.tensor(table)).data, table[words])
    checks(lambda w: F.embedding(words, w) ** 2, table)
    weight = tg.tensor(table, requires_grad=True)
    F.embedding(tg.tensor(words), weight).sum().backward()
    assert_array_equal(weight.grad, np.repeat([[2], [0], [3], [0], [1]], 3, axis=1))
    assert F.embedding(np.zeros((0, 2), int), weight).shape == (0, 2, 3)
    assert F.embedding(3, weight).shape == (3,)


@pytest.mark.parametrize("padding", [2, -3])
def test_the_padding_row_of_an_embedding_gets_no_gradient(padding):
    weight = tg.tensor(np.zeros((5, 2)), requires_grad=True)
    out = F.embedding([2, 1, 2], tg.log(weight + 1), padding_idx=padding)
    assert out.shape == (3, 2)
    out.sum().backward()
    assert_array_equal(weight.grad[:, 0], [0, 1, 0, 0, 0])
    dead = tg.tensor(np.array([[0.0], [4.0]]), requires_grad=True)
    F.embedding([0, 1], tg.sqrt(dead), padding_idx=0).sum().backward()
    assert_allclose(dead.grad, [[0], [0.25]])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: F.embedding([0.5], normal(3, 2)), errors.DTypeError, "integers from 0 on.*float"),
        (lambda: F.embedding([0, 3], normal(3, 2)), errors.IndexOutOfRange, r"0 to 2, got \[3\]"),
        (lambda: F.embedding([-1], normal(3, 2)), errors.IndexOutOfRange, r"got \[-1\]"),
        (lambda: F.embedding([0], normal(3)), errors.ShapeError, r"num_embeddings.*got \(3,\)"),
        (lambda: F.embedding([0], normal(3, 2), padding_idx=3), errors.ArgumentError, "no row"),
        (lambda: F.one_hot([0, 3], 3), errors.IndexOutOfRange, "0 to 2"),
        (lambda: F.one_hot([0.0]), errors.DTypeError, "integer"),
        (lambda: F.dropout(normal(3), 1.5), errors.ArgumentError, "probability.*1.5"),
        (lambda: F.bilinear(normal(2, 3), normal(2, 4), normal(5, 4, 3)), errors.ShapeError,
         r"\(out, in1, in2\).*\(5, 4, 3\)"),
        (lambda: F.normalize(normal(3)), errors.AxisError, "axis 1"),
        (lambda: F.cosine_similarity(normal(2, 3), normal(2, 4)), errors.ShapeError, r"\(2, 4\)"),
        (lambda: F.scaled_dot_product_attention(normal(2, 3), normal(2, 4), normal(2, 3)),
         errors.ShapeError, r"query \(\.\.\., L, E\).*\(2, 4\)"),
        (lambda: F.scaled_dot_product_attention(normal(2, 3), normal(2, 3), normal(2, 3),
                                                attn_mask=np.ones((2, 2), bool), is_causal=True),
         errors.ArgumentError, "already"),
    ],
)  # fmt: skip
def test_mistakes_are_explained(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_one_hot():
    hot = F.one_hot(np.array([[0, 2], [1, 1]]), 4)
    assert_array_equal(hot.data, np.eye(4)[[[0, 2], [1, 1]]])
    assert hot.dtype == np.float32 and F.one_hot([2, 0]).shape == (2, 3)


def test_bilinear():
    x, y, w, b = normal(4, 3), normal(4, 2), normal(5, 3, 2), normal(5)
    expected = np.stack([np.sum(x @ w[k] * y, axis=1) + b[k] for k in range(5)], axis=1)
    assert_allclose(F.bilinear(x, y, w, b), expected)
    checks(F.bilinear, x, y, w, b)


def test_normalize():
    x = normal(3, 4)
    assert_allclose(F.normalize(x), x / np.linalg.norm(x, axis=1, keepdims=True))
    assert_allclose(F.normalize(x, p=1, dim=0), x / np.abs(x).sum(0))
    assert_array_equal(F.normalize(np.zeros((2, 3))), 0)
    checks(F.normalize, x)


def test_normalizing_zeros_has_a_finite_gradient():
    x = tg.tensor(np.array([[0.0, 0.0], [3.0, 4.0]]), requires_grad=True)
    F.normalize(x, eps=0.5)[:, 0].sum().backward()
    assert_allclose(x.grad, [[2, 0], [0.128, -0.096]], atol=1e-12)


def test_cosine_similarity():
    a, b = normal(3, 4), normal(4)
    expected = a @ b / np.linalg.norm(a, axis=1) / np.linalg.norm(b)
    assert_allclose(F.cosine_similarity(a, b), expected)
    assert F.cosine_similarity(np.zeros((1, 2)), np.ones((1, 2))) == 0
    checks(F.cosine_similarity, a, b)
    assert F.cosine_similarity(normal(2, 3, 4), normal(2, 1, 4), dim=-1).shape == (2, 3)


def test_dropout_keeps_the_mean_and_is_repeatable():
    x = np.ones(100_000, np.float32)
    tg.manual_seed(3)
    first = F.dropout(x, 0.25)
    tg.manual_seed(3)
    assert_array_equal(first, F.dropout(x, 0.25))
    assert first.dtype == np.float32 and set(np.unique(first)) == {0, np.float32(1 / 0.75)}
    assert abs(first.mean() - 1) < 0.01
    leaf = tg.tensor(x, requires_grad=True)
    out = F.dropout(leaf, 0.25)
    out.sum().backward()
    assert_array_equal(leaf.grad, out.data)


def naive_attention(q, k, v, mask=None, scale=None):
    scores = q @ np.swapaxes(k, -1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if mask is not None:
        scores = np.where(mask, scores, -1e30)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True) @ v


def test_attention():
    q, k, v = normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 6)
    attend = F.scaled_dot_product_attention
    assert_allclose(attend(q, k, v), naive_attention(q, k, v))
    assert_allclose(attend(q, k, v, scale=0.3), naive_attention(q, k, v, scale=0.3))
    mask = np.array([[True, False, True, True, False]] * 3)
    assert_allclose(attend(q, k, v, mask), naive_attention(q, k, v, mask))
    causal = np.tri(3, 5, dtype=bool)
    assert_allclose(attend(q, k, v, is_causal=True), naive_attention(q, k, v, causal))
    added = normal(3, 5)
    scores = q @ k.swapaxes(-1, -2) / 2 + added
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    assert_allclose(attend(q, k, v, added), weights @ v)
    checks(lambda *a: attend(*a, is_causal=True), q, k, v)
    checks(lambda m: attend(q, k, v, m), added)


def test_a_position_that_may_see_nothing_gets_zeros():
    mask = np.array([[True, True], [False, False]])
    q, k, v = (tg.tensor(normal(2, 2), requires_grad=True) for _ in range(3))
    out = F.scaled_dot_product_attention(q, k, v, mask)
    assert_array_equal(out.data[1], 0)
    (out**2).sum().backward()
    assert all(np.isfinite(x.grad).all() for x in (q, k, v))
    assert_array_equal(q.grad[1], 0)


def test_attention_drops_weights_and_stays_float32():
    tg.manual_seed(0)
    q = tg.tensor(np.ones((4, 8), np.float32), requires_grad=True)
    out = F.scaled_dot_product_attention(q, q, q, dropout_p=0.5)
    assert out.dtype == np.float32 and len(np.unique(out.data)) > 1
    out.sum().backward()
    assert q.grad.dtype == np.float32
