"""Linear algebra beyond the generated tests: identities, special matrices, errors, conventions."""

import math

import numpy as np
import pytest
from draws import central_differences, gradient, inner, plain
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.engine import errors

INF, NAN = np.inf, np.nan
la = tg.linalg


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def symmetric(a):
    return (a + a.mT) / 2


def check(f, *arrays, order=2):
    """First and second derivatives of a function of arrays with one value, numerically."""
    arrays = [np.array(a, float) for a in arrays]
    assert tg.autograd.gradcheck(f, tuple(arrays))
    if order == 2:
        assert tg.autograd.gradgradcheck(f, tuple(arrays))


# Identities


def test_the_inverse_of_the_inverse():
    a = drawn(2, 3, 3) + 4 * np.eye(3)
    weights = drawn(2, 3, 3, seed=1)
    assert_allclose(gradient(lambda x: la.inv(la.inv(x)) * weights, a), weights, rtol=1e-11)
    assert_allclose(gradient(lambda x: (x @ la.inv(x)) * weights, a), 0, atol=1e-13)
    assert_allclose(gradient(lambda x: la.pinv(la.pinv(x)) * weights, a), weights, rtol=1e-10)
    for n in (1, 2, 3):
        f = gradient(lambda x, n=n: la.matrix_power(x, -n) * weights, a)
        g = gradient(lambda x, n=n: la.inv(la.matrix_power(x, n)) * weights, a)
        assert_allclose(f, g, rtol=1e-11, atol=1e-14)


def test_solving_is_multiplying_by_the_inverse():
    a, b = drawn(3, 3) + 4 * np.eye(3), drawn(3, 2, seed=1)
    weights = drawn(3, 2, seed=2)
    ours = gradient(lambda a, b: la.solve(a, b) * weights, a, b)
    theirs = gradient(lambda a, b: (la.inv(a) @ b) * weights, a, b)
    for x, y in zip(ours, theirs, strict=True):
        assert_allclose(x, y, rtol=1e-12)


@pytest.mark.parametrize(
    ("a", "b"),
    [((3, 3), (3,)), ((2, 3, 3), (3,)), ((3, 3), (2, 3, 4)), ((2, 1, 3, 3), (4, 3, 2)),
     ((3, 3, 3), (3, 3)), ((2, 0, 0), (2, 0, 1))],
)  # fmt: skip
def test_shapes_of_solve_are_numpys(a, b):
    a, b = drawn(*a) + 4 * np.eye(a[-1]), drawn(*b)
    assert_allclose(la.solve(a, b), np.linalg.solve(a, b))
    da, db = gradient(la.solve, a, b)
    assert da.shape == a.shape and db.shape == b.shape
    check(la.solve, a, b)


def test_the_log_of_the_determinant_has_the_transposed_inverse_for_derivative():
    a = drawn(4, 3, 3)
    assert_allclose(gradient(lambda x: la.slogdet(x)[1], a), np.linalg.inv(a).mT, rtol=1e-11)
    sign, logabsdet = la.slogdet(tg.tensor(a, requires_grad=True))
    assert_array_equal(sign.data, np.linalg.slogdet(a).sign)
    assert not sign.requires_grad
    assert_allclose((sign * tg.exp(logabsdet)).data, np.linalg.det(a))
    ours = gradient(lambda x: la.slogdet(x).sign * tg.exp(la.slogdet(x).logabsdet), a)
    assert_allclose(ours, gradient(la.det, a), rtol=1e-11)
    factor = gradient(lambda x: 2 * tg.sum(tg.log(tg.einsum("bii->bi", la.cholesky(x)))), a @ a.mT)
    assert_allclose(factor, np.linalg.inv(a @ a.mT), rtol=1e-8)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 3), (3, 1)])
def test_decompositions_put_together_again(shape):
    """What a decomposition multiplies out to is the matrix itself, so its gradient passes."""
    a, weights = drawn(*shape), drawn(*shape, seed=1)

    def by_svd(x, full=False):
        u, s, vh = la.svd(x, full_matrices=full)
        k = s.shape[-1]
        return (u[..., :k] * s[..., None, :]) @ vh[..., :k, :]

    def by_qr(x):
        q, r = la.qr(x)
        return q @ r

    for f in (by_svd, by_qr, lambda x: by_svd(x, full=True)):
        assert_allclose(f(tg.tensor(a)).data, a, atol=1e-14)
        assert_allclose(gradient(lambda x, f=f: f(x) * weights, a), weights, rtol=1e-9, atol=1e-11)
        hessian = gradient_of_gradient(lambda x, f=f: (f(x) * weights).sum(), a)
        assert_allclose(hessian, 0, atol=1e-8)


def gradient_of_gradient(f, a):
    x = tg.tensor(a, requires_grad=True)
    (first,) = tg.autograd.grad(f(x), x, create_graph=True)
    weights = drawn(*a.shape, seed=9)
    total = (first * weights).sum()
    return tg.autograd.grad(total, x)[0].data if total.requires_grad else np.zeros(a.shape)


def test_symmetric_decompositions_put_together_again():
    a = symmetric(drawn(2, 4, 4))
    weights = symmetric(drawn(2, 4, 4, seed=1))

    def by_eigh(x):
        w, v = la.eigh(x)
        return (v * w[..., None, :]) @ v.mT

    assert_allclose(gradient(lambda x: by_eigh(x) * weights, a), weights, rtol=1e-9, atol=1e-11)
    a = a @ a.mT + np.eye(4)
    for upper in (False, True):

        def by_cholesky(x, upper=upper):
            factor = la.cholesky(x, upper=upper)
            return factor.mT @ factor if upper else factor @ factor.mT

        found = gradient(lambda x, f=by_cholesky: f(x) * weights, a)
        assert_allclose(found, weights, rtol=1e-9, atol=1e-11)


def test_functions_of_matrices_through_eigenvalues():
    """d tr f(A) = tr f'(A) dA, and exp(A) exp(-A) = 1."""
    a = symmetric(drawn(3, 3))

    def function(f, x):
        w, v = la.eigh(x)
        return (v * f(w)) @ v.T

    derivative = function(tg.cos, tg.tensor(a)).data
    assert_allclose(gradient(lambda x: tg.trace(function(tg.sin, x)), a), derivative, rtol=1e-10)
    unit = gradient(lambda x: (function(tg.exp, x) @ function(lambda w: tg.exp(-w), x))[0, 1], a)
    assert_allclose(unit, 0, atol=1e-12)
    check(lambda x: function(tg.exp, x), a)


def test_q_has_orthonormal_columns_whatever_happens_to_the_matrix():
    a, weights = drawn(4, 3), drawn(3, 3, seed=1)

    def gram(x):
        q, _ = la.qr(x)
        return (q.mT @ q) * weights

    assert_allclose(gradient(gram, a), 0, atol=1e-13)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (3, 3)])
def test_singular_vectors_one_by_one(shape, full):
    def parts(x):
        u, s, vh = la.svd(x, full_matrices=full)
        return (u * u).sum(-1)[0] + u[0, 0] * s[0] * vh[0, 0] + (u[0] ** 3).sum() + vh[-1, 0] ** 2

    check(parts, drawn(*shape, seed=3))


# Singular matrices


def of_rank(n, r, seed=0):
    u, _, vh = np.linalg.svd(drawn(n, n, seed=seed))
    s = np.r_[np.arange(1.0, r + 1), np.zeros(n - r)]
    return (u * s) @ vh


def minors(a):
    n = len(a)
    return np.array([
        [(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(n)]
        for i in range(n)
    ])  # fmt: skip


@pytest.mark.parametrize("rank", [4, 3, 2, 1, 0])
def test_the_determinant_of_singular_matrices(rank):
    a = of_rank(4, rank)
    assert_allclose(gradient(la.det, a), minors(a), atol=1e-13)
    check(la.det, a)
    product = drawn(4, 4, seed=5)

    def slope(x):
        return tg.func.grad(la.det)(x)

    _, pushed = tg.func.jvp(slope, (a,), (product,))
    step = 1e-5
    numeric = (minors(a + step * product) - minors(a - step * product)) / (2 * step)
    assert_allclose(plain(pushed), numeric, atol=1e-8)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_the_determinant_of_zeros(n):
    zeros = np.zeros((2, n, n))
    expected = {0: 0, 1: 1, 2: 0, 3: 0}[n]
    assert_array_equal(la.det(zeros), 1 if n == 0 else 0)
    assert_array_equal(gradient(la.det, zeros), np.full((2, n, n), expected))
    if n == 2:  # det = ad - bc: a constant Hessian
        hessian = tg.func.hessian(la.det)(np.zeros((2, 2))).reshape(4, 4)
        assert_array_equal(hessian, [[0, 0, 0, 1], [0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0]])


def test_third_derivatives_of_the_determinant_are_for_regular_matrices():
    def twice(x):
        return (tg.func.hessian(la.det)(x) * drawn(3, 3, 3, 3)).sum()

    check(twice, drawn(3, 3), order=1)
    with pytest.raises(errors.LinearAlgebraError, match="singular"):
        tg.func.grad(twice)(np.zeros((3, 3)))


def test_one_singular_matrix_in_a_stack_leaves_the_others_alone():
    a = np.stack([np.eye(2), np.zeros((2, 2))])
    slope = gradient(lambda x: la.slogdet(x)[1], a)
    assert_array_equal(slope[0], np.eye(2))
    assert np.isnan(slope[1]).all()
    assert_array_equal(gradient(lambda x: la.slogdet(x)[1][0], np.eye(2)[None]), np.eye(2)[None])


def test_pseudoinverse_of_a_rank_deficient_matrix():
    """Along changes that keep the rank, the derivative is that of the pseudoinverse."""
    b, c = drawn(4, 2), drawn(2, 3, seed=1)
    weights = drawn(3, 4, seed=2)
    check(lambda b, c: la.pinv(b @ c) * weights, b, c, order=1)


# Equal eigenvalues


def test_equal_eigenvalues_keep_their_gradient():
    weights = symmetric(drawn(3, 3))
    assert_allclose(gradient(lambda x: tg.exp(la.eigvalsh(x)).sum(), np.eye(3)), math.e * np.eye(3))
    assert_allclose(gradient(lambda x: (la.eigh(x)[0] ** 2).sum(), 2 * np.eye(3)), 4 * np.eye(3))
    assert_allclose(gradient(lambda x: tg.exp(la.svdvals(x)), np.eye(3)), math.e * np.eye(3))
    assert_allclose(gradient(lambda x: la.svd(x)[1].sum(), np.ones((3, 3)) * 0), 0)
    total = gradient(lambda x: (la.eigvalsh(x @ weights @ weights @ x) + 1).sum(), np.eye(3))
    assert_allclose(total, 2 * weights @ weights, atol=1e-13)


def test_eigenvectors_of_equal_eigenvalues_have_no_derivative():
    """Silence would be wrong: for V w^2 V^T at the identity the vectors carry half of it."""

    def square(x):
        w, v = la.eigh(x)
        return ((v * w**2) @ v.T)[0, 1]

    def logarithm(x):
        w, v = la.eigh(x)
        return ((v * tg.log(w)) @ v.T)[0, 1]

    def polar(x):
        u, _, vh = la.svd(x)
        return (u @ vh)[0, 1]

    for f in (square, logarithm, polar):
        assert np.isnan(gradient(f, np.eye(2))).all()
        with np.errstate(all="ignore"):
            assert np.isnan(tg.func.jvp(f, (np.eye(2),), (np.ones((2, 2)),))[1])


def test_equal_but_for_rounding_is_equal():
    turn, _ = np.linalg.qr(drawn(4, 4))
    a = symmetric(turn @ np.diag([1.0, 1.0, 1.0, 2.0]) @ turn.T)
    assert np.unique(np.linalg.eigvalsh(a)).size > 2
    assert np.isnan(gradient(lambda x: la.eigh(x)[1][0, 0], a)).any()


def test_a_vector_that_stands_alone_keeps_its_derivative():
    turn, _ = np.linalg.qr(drawn(4, 4))
    a = symmetric(turn @ np.diag([1.0, 1.0, 1.0, 2.0]) @ turn.T)
    top = turn[:, 3]
    weights = drawn(4, seed=1)

    def power(x):
        v = la.eigh(x).eigenvectors[:, -1]
        return ((v * weights).sum()) ** 2

    # dv = (2 - A)^+ dA v = (1 - v v^T) dA v, as the gap is 1
    away = weights - top * (top @ weights)
    expected = symmetric(2 * (top @ weights) * np.outer(away, top))
    assert_allclose(gradient(power, a), expected, atol=1e-12)
    with np.errstate(all="ignore"):
        _, pushed = tg.func.jvp(power, (a,), (np.ones((4, 4)),))
    assert_allclose(plain(pushed), expected.sum(), atol=1e-12)


def test_a_left_out_vector_is_determined_only_if_it_is_one():
    a = drawn(3, 2)
    normal = np.cross(a[:, 0], a[:, 1])

    def ours(x):
        n = la.svd(x)[0][:, 2]
        return n * n[0]

    def direct(x):
        n = np.cross(x[:, 0], x[:, 1])
        return n * n[0] / (n * n).sum()

    assert_allclose(ours(tg.tensor(a)).data, normal * normal[0] / (normal @ normal))
    assert_allclose(gradient(ours, a), gradient(direct, a), atol=1e-13)
    with pytest.raises(errors.NoDerivativeError, match=r"svd: the last 2 columns of U, .*False"):
        gradient(lambda x: la.svd(x)[0][:, 1], drawn(3, 1))
    assert np.isfinite(gradient(lambda x: la.svd(x)[0][:, 0], drawn(3, 1))).all()
    assert np.isfinite(gradient(lambda x: la.svd(x)[1], drawn(3, 1))).all()


def test_singular_vectors_of_the_value_zero():
    a = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    assert np.isnan(gradient(lambda x: la.svd(x, full_matrices=False)[0][:, 1], a)).any()
    assert np.isfinite(gradient(lambda x: la.svd(x, full_matrices=False)[0][:, 0], a)).all()


# Norms


VECTOR = [None, 2, 1, INF, -INF, 0, 3, 2.5, 0.5, -1]
MATRIX = [None, "fro", "nuc", 2, -2, 1, -1, INF, -INF]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [0, 1, -1, (0,), (0, 1), (1, 0), (-1, 0), (0, 2), None])
def test_norms_are_numpys(axis, keepdims):
    x = drawn(2, 3, 4)
    matrix = isinstance(axis, tuple) and len(axis) == 2
    for ord in [None] if axis is None else MATRIX if matrix else VECTOR:
        ours = la.norm(tg.tensor(x), ord, axis, keepdims)
        theirs = np.linalg.norm(x, ord, axis, keepdims)
        assert ours.shape == theirs.shape
        assert_allclose(ours.data, theirs, rtol=1e-13)
        through = np.linalg.norm(tg.tensor(x), ord=ord, axis=axis, keepdims=keepdims)
        assert_array_equal(through.data, ours.data)
        weights = drawn(*np.shape(theirs), seed=1)
        slope = gradient(lambda x, o=ord, w=weights: la.norm(x, o, axis, keepdims) * w, x)
        numeric = central_differences(
            lambda x, o=ord, w=weights: inner([np.linalg.norm(x, o, axis, keepdims)], [w]), [x]
        )
        assert_allclose(slope, numeric[0], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("ord", VECTOR)
def test_the_gradient_of_a_vector_norm_at_zero_is_zero(ord):
    def norm(x):
        return la.norm(x, ord, axis=0)

    zeros = np.zeros(3)
    with np.errstate(all="ignore"):
        assert_array_equal(gradient(norm, zeros), 0)
        assert_array_equal(tg.func.hessian(norm)(zeros), np.zeros((3, 3)))
        assert_array_equal(gradient(lambda x: tg.where(x.sum() > 0, norm(x), 0), zeros), 0)
        batch = np.stack([zeros, np.ones(3)])
        assert np.isfinite(gradient(lambda x: la.norm(x, ord, axis=1), batch)).all()
        second = gradient_of_gradient(lambda x: la.norm(x, ord, axis=1).sum(), batch)
        assert np.isfinite(second).all()
        assert_array_equal(second[0], 0)


@pytest.mark.parametrize("ord", MATRIX)
def test_the_gradient_of_a_matrix_norm_at_zero_is_zero(ord):
    assert_array_equal(gradient(lambda x: la.norm(x, ord, axis=(0, 1)), np.zeros((3, 2))), 0)


def test_norms_of_nothing():
    for ord in (None, 1, 2, 3, INF, 0):
        x = tg.tensor(np.zeros((2, 0)), requires_grad=True)
        out = la.norm(x, ord, axis=1)
        out.sum().backward()
        assert_array_equal(out.data, [0, 0])
        assert x.grad.shape == (2, 0)
    for ord in (None, "nuc", 1, 2, INF):
        assert la.norm(np.zeros((3, 0)), ord) == 0
    for ord in (-INF, -2):
        with pytest.raises(errors.ShapeError):
            la.norm(np.zeros((3, 0)), ord, axis=1 if ord == -INF else None)


def test_kinks_of_norms():
    assert_array_equal(gradient(lambda x: la.norm(x, 1), [2.0, 0.0, -3.0]), [1, 0, -1])
    assert_array_equal(gradient(lambda x: la.norm(x, INF), [2.0, -2.0, 1.0]), [0.5, -0.5, 0])
    assert_array_equal(gradient(lambda x: la.norm(x, 0), [2.0, 0.0]), [0, 0])
    assert_allclose(gradient(lambda x: la.norm(x, 3), [0.0, -2.0]), [0, -1])
    assert_allclose(gradient(lambda x: la.norm(x, 0.5), [0.0, 2.0]), [0, 1])
    assert_allclose(gradient(lambda x: la.norm(x, 2), np.eye(2)), np.eye(2) / 2, atol=1e-15)
    assert_allclose(gradient(lambda x: la.norm(x, "nuc"), np.diag([2.0, 0.0])), np.diag([1, 0]))


@pytest.mark.parametrize("p", [None, 2, -2, 1, -1, INF, "fro", "nuc"])
def test_condition_numbers(p):
    a = drawn(3, 3)
    assert_allclose(la.cond(a, p), np.linalg.cond(a, p))
    check(lambda x: la.cond(x, p), a, order=1)


def test_condition_number_of_a_singular_matrix():
    assert la.cond(np.diag([1.0, 0.0])) == INF
    assert_allclose(la.cond(drawn(3, 2)), np.linalg.cond(drawn(3, 2)))


# The front door


def test_numpy_finds_linear_algebra():
    t = tg.tensor(drawn(3, 3) + 4 * np.eye(3), requires_grad=True)
    spd = t @ t.mT
    assert np.linalg.inv(t).requires_grad
    w, v = np.linalg.eigh(spd)
    assert w.requires_grad and v.requires_grad
    assert np.linalg.svd(t, compute_uv=False).requires_grad
    assert np.linalg.svd(t, full_matrices=False).U.shape == (3, 3)
    assert np.linalg.qr(t, mode="r").requires_grad
    assert np.linalg.cholesky(spd, upper=True).requires_grad
    assert np.linalg.slogdet(t).logabsdet.requires_grad
    assert np.linalg.solve(t, np.ones(3)).requires_grad
    assert np.linalg.matrix_power(t, 3).requires_grad
    assert np.linalg.pinv(t).requires_grad
    assert np.linalg.cond(t).requires_grad
    assert np.linalg.matrix_rank(t) == 3
    assert np.linalg.multi_dot([t, t, np.ones(3)]).requires_grad
    assert np.linalg.norm(t, "nuc").requires_grad
    assert np.linalg.eigvalsh(spd, UPLO="U").requires_grad
    with pytest.raises(errors.NoDerivativeError, match=r"np\.linalg\.eig "):
        np.linalg.eig(t)
    with pytest.raises(errors.ArgumentError, match="hermitian"):
        np.linalg.svd(t, hermitian=True)


def test_arrays_and_lists_give_arrays():
    a = drawn(3, 3)
    for f in (la.inv, la.det, la.svdvals, la.norm, la.pinv, la.trace, la.cond, la.matrix_norm):
        assert not isinstance(f(a), tg.Tensor)
        assert not isinstance(f(a.tolist()), tg.Tensor)
    for f in (la.svd, la.qr, la.slogdet):
        assert not any(isinstance(part, tg.Tensor) for part in (*f(a), *f(a.tolist())))
    assert all(isinstance(part, tg.Tensor) for part in la.slogdet(tg.tensor(a)))
    assert all(isinstance(part, tg.Tensor) for part in la.qr(tg.tensor(a[:, :2]), "complete"))
    w, v = la.eigh([[2.0, 0.0], [0.0, 1.0]])
    assert_array_equal(w, [1, 2])
    assert type(v) is np.ndarray


def test_integers_are_taken_as_numpy_takes_them():
    a = np.array([[2, 1], [1, 3]])
    for f, g in [(la.inv, np.linalg.inv), (la.det, np.linalg.det), (la.norm, np.linalg.norm)]:
        assert_allclose(f(tg.tensor(a)).data, g(a))
    assert_allclose(la.vector_norm(tg.tensor(a), ord=-1).data, np.linalg.vector_norm(a, ord=-1))
    assert_allclose(la.vector_norm(tg.tensor(a), ord=0).data, 4)


def test_products_beyond_the_generated_cases():
    a, b = drawn(2, 3, 4), drawn(5, 4, 3, seed=1)
    axes = ([1, 2], [2, 1])
    assert_allclose(tg.tensordot(a, b, axes), np.tensordot(a, b, axes))
    c = drawn(4, 2)
    assert_allclose(tg.tensordot(a, c, axes=(-1, 0)), np.tensordot(a, c, (-1, 0)))
    assert tg.tensordot(a, a, axes=0).shape == (2, 3, 4, 2, 3, 4)
    assert_allclose(tg.vecdot(a, a[:, :1], axis=0), np.vecdot(a, a[:, :1], axis=0))
    t = tg.tensor(a, requires_grad=True)
    assert np.vecdot(t, a, axis=1).shape == (2, 4)
    assert np.dot(t, 2.0).shape == a.shape
    assert np.kron(t, drawn(2)).shape == (2, 3, 8)
    chain = [drawn(2, 30), drawn(30, 3), drawn(3, 40), drawn(40)]
    assert_allclose(la.multi_dot(chain), np.linalg.multi_dot(chain))


# Errors


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: la.inv(np.ones((2, 3))), errors.LinearAlgebraError, r"square.*\(2, 3\)"),
        (lambda: la.det(np.ones(3)), errors.LinearAlgebraError, r"det: expected a matrix.*\(3,\)"),
        (lambda: la.det(2.0), errors.LinearAlgebraError, "expected a matrix"),
        (lambda: la.svd(np.ones(3)), errors.LinearAlgebraError, "svd: expected a matrix"),
        (lambda: la.qr(np.ones(3)), errors.LinearAlgebraError, "qr: expected a matrix"),
        (lambda: la.slogdet(np.ones((3, 2))), errors.LinearAlgebraError, "slogdet.*square"),
        (lambda: la.matrix_power(np.ones((3, 2)), 2), errors.LinearAlgebraError, "square"),
        (lambda: la.inv(np.zeros((2, 2))), errors.LinearAlgebraError,
         r"inv: the matrix of shape \(2, 2\) is singular; add a small multiple .*pinv"),
        (lambda: la.inv(np.stack([np.eye(2), np.ones((2, 2))])), errors.LinearAlgebraError,
         r"matrix \[1\] of the stack of shape \(2, 2, 2\) is singular"),
        (lambda: la.solve(np.zeros((2, 2)), np.ones(2)), errors.LinearAlgebraError, "singular"),
        (lambda: la.solve(np.eye(2), np.ones(3)), errors.ShapeError, r"expected b of shape \(2,\)"),
        (lambda: la.solve(np.eye(2), 1.0), errors.ShapeError, "expected b"),
        (lambda: la.cholesky(np.diag([1.0, -1.0])), errors.LinearAlgebraError,
         "not positive definite; add a multiple of the identity"),
        (lambda: la.cholesky(np.array([[4.0, 2.0], [0.0, 5.0]])), errors.LinearAlgebraError,
         "not symmetric: an entry and its mirror image differ by 2"),
        (lambda: la.eigh(np.triu(np.ones((3, 3)))), errors.LinearAlgebraError, "not symmetric"),
        (lambda: la.eigh(np.eye(2), "X"), errors.ArgumentError, "UPLO"),
        (lambda: la.svd(np.full((2, 2), NAN)), errors.LinearAlgebraError, "NaN or infinite"),
        (lambda: la.qr(np.eye(2), "raw"), errors.ArgumentError, "mode"),
        (lambda: la.matrix_power(np.eye(2), 0.5), errors.DTypeError, "whole number"),
        (lambda: la.matrix_power(np.zeros((2, 2)), -1), errors.LinearAlgebraError, "singular"),
        (lambda: la.multi_dot([np.eye(2)]), errors.ArgumentError, "two matrices or more"),
        (lambda: la.multi_dot([np.eye(2), np.eye(3)]), errors.ShapeError, "in common"),
        (lambda: la.multi_dot([np.eye(2), np.ones(2), np.eye(2)]), errors.ShapeError, "matrices"),
        (lambda: la.norm(np.eye(2), 3), errors.ArgumentError, "ord of a matrix"),
        (lambda: la.norm(np.ones(2), "fro"), errors.ArgumentError, "ord of a vector"),
        (lambda: la.norm(np.ones((2, 2, 2)), 2), errors.ShapeError, "which axes"),
        (lambda: la.norm(np.eye(2), axis=2), errors.AxisError, "axis 2"),
        (lambda: la.norm(np.eye(2), axis=(0, 0)), errors.AxisError, "repeated"),
        (lambda: la.cond(np.zeros((0, 0))), errors.LinearAlgebraError, "empty"),
        (lambda: la.outer(np.eye(2), np.ones(2)), errors.ShapeError, "two vectors"),
        (lambda: la.cross(np.ones(2), np.ones(2)), errors.ShapeError, "three entries"),
        (lambda: tg.matrix_transpose(np.ones(2)), errors.ShapeError, "two axes"),
        (lambda: tg.vecdot(np.ones(2), np.ones(3)), errors.ShapeError, "same length"),
        (lambda: tg.vecdot(np.ones(2), 1.0), errors.ShapeError, "no vector"),
        (lambda: tg.vecdot(np.ones(2), np.ones(2), axis=1), errors.AxisError, "out of bounds"),
        (lambda: tg.tensordot(np.eye(2), np.eye(3), 1), errors.ShapeError, "do not pair"),
        (lambda: tg.tensordot(np.eye(2), np.eye(2), 3), errors.AxisError, "have 3 axes"),
        (lambda: tg.tensordot(np.eye(2), np.eye(2), "ij"), errors.ArgumentError, "axes is a"),
        (lambda: tg.tensordot(np.eye(2), np.eye(2), None), errors.ArgumentError, "axes is a"),
        (lambda: tg.trace(np.ones(2)), errors.ShapeError, "trace"),
    ],
)  # fmt: skip
def test_errors_say_what_to_do(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_errors_are_numpys_too():
    for value in (np.ones((2, 3)), np.zeros((2, 2))):
        with pytest.raises(np.linalg.LinAlgError):
            np.linalg.inv(tg.tensor(value))
        with pytest.raises(tg.TinygradError):
            np.linalg.inv(tg.tensor(value))


def test_half_precision_is_refused_as_in_numpy():
    half = tg.tensor(np.eye(2, dtype="float16"))
    for f in (la.inv, la.det, la.svd, la.svdvals, la.eigh, la.cholesky, la.qr, la.pinv, la.slogdet):
        with pytest.raises(errors.DTypeError, match="float16"):
            f(half)


def test_a_decomposition_without_a_derivative_says_so():
    dependent = tg.tensor(np.ones((3, 2)) * np.array([1.0, 0.0]), requires_grad=True)
    with pytest.raises(errors.LinearAlgebraError, match="linearly dependent"):
        la.qr(dependent).R.sum().backward()
    with pytest.raises(errors.NoDerivativeError, match="mode='reduced'"):
        la.qr(tg.tensor(drawn(3, 2), requires_grad=True), mode="complete")
