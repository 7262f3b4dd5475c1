"""NumPy's own functions on tensors: the same values, gradients that arrive, or a refusal."""

import inspect

import numpy as np
import pytest
from draws import Case, HypothesisDraw, draw_like, plain
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.engine import errors
from tinygrad_cs.engine.record import FUNCTIONS, joined, rows
from tinygrad_cs.ops.families import case_for

PAIRS = [(op, f) for op in rows().values() for f in op.numpy]


def leaf(values=((1.0, 2.0, 3.0), (4.0, 5.0, 6.0)), dtype="float64"):
    return tg.tensor(np.array(values, dtype), requires_grad=True)


def call_like_numpy(case, function, tensors):
    operands = case.operands(tensors)
    signature = inspect.signature(FUNCTIONS[case.op.name]).parameters
    if any(p.kind is p.VAR_POSITIONAL for p in signature.values()):
        return function(*tensors, **case.params)
    given = dict(zip(case.op.operands, operands, strict=True)) | case.params
    order = [name for name in signature if name in given]
    try:
        theirs = inspect.signature(function).parameters.values()
        known = [p.name for p in theirs if p.kind is not p.POSITIONAL_ONLY]
        if any(p.kind is p.VAR_KEYWORD for p in theirs):
            known += order
    except ValueError:  # older NumPy says nothing about functions written in C
        known = list(case.params) if isinstance(function, np.ufunc) else []
    last = max(order.index(n) for n in order if n in case.op.operands)
    positional = [n for n in order if order.index(n) <= last or n not in known]
    keywords = {n: given[n] for n in order if n not in positional}
    return function(*[given[n] for n in positional], **keywords)


@pytest.mark.parametrize(("op", "function"), PAIRS,
                         ids=[f"{op.name}-{f.__name__}" for op, f in PAIRS])  # fmt: skip
@given(data=st.data())
def test_numpy_functions_find_their_record(op, function, data):
    """Called as NumPy calls it, by keyword where it has the keyword, else by position."""
    case = Case(op, *case_for(op, HypothesisDraw(data)))
    tensors = case.tensors()
    direct = case(*tensors)
    through = joined(call_like_numpy(case, function, tensors))
    assert type(through) is type(direct)
    assert_array_equal(through.data, direct.data)
    (cotangent,) = draw_like(data, [direct])
    ours = tg.autograd.grad(through, tensors, cotangent)
    for a, b in zip(ours, tg.autograd.grad(direct, tensors, cotangent), strict=True):
        assert_array_equal(a.data, b.data)


X, A = leaf(), np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(
    ("call", "expected", "gradient"),
    [
        (lambda x: 2 * x, 2 * X.data, 2),
        (lambda x: A * x, A * X.data, A),
        (lambda x: x * A, A * X.data, A),
        (lambda x: np.float64(2) * x, 2 * X.data, 2),
        (lambda x: np.float32(2) - x, 2 - X.data, -1),
        (lambda x: np.int64(3) / x, 3 / X.data, -3 / X.data**2),
        (lambda x: np.True_ * x, X.data, 1),
        (lambda x: np.ones(3) * x, X.data, 1),
        (lambda x: A + x, A + X.data, 1),
        (lambda x: A - x, A - X.data, -1),
        (lambda x: A**x, A**X.data, None),
        (lambda x: A @ x.T, A @ X.data.T, None),
        (lambda x: [1.0, 2.0, 3.0] * x, X.data * [1, 2, 3], [[1, 2, 3]] * 2),
        (lambda x: np.exp(x), np.exp(X.data), np.exp(X.data)),
        (lambda x: np.concatenate([x, A]), np.concatenate([X.data, A]), 1),
        (lambda x: np.concatenate((A, x), axis=1), np.concatenate([A, X.data], 1), 1),
        (lambda x: np.concatenate([x, A], axis=None), [*X.data.ravel(), *A.ravel()], 1),
        (lambda x: np.stack([A, x], axis=-1), np.stack([A, X.data], -1), 1),
        (lambda x: np.sum(x, axis=0), X.data.sum(0), 1),
        (lambda x: np.sum(x, 1, keepdims=True), X.data.sum(1, keepdims=True), 1),
        (lambda x: np.sum(x, axis=(0, 1)), X.data.sum(), 1),
        (lambda x: np.mean(x), 3.5, 1 / 6),
        (lambda x: np.max(x, axis=1), [3, 6], [[0, 0, 1]] * 2),
        (lambda x: np.amin(x), 1, [[1, 0, 0], [0, 0, 0]]),
        (lambda x: np.var(x, ddof=1), X.data.var(ddof=1), (X.data - 3.5) * 2 / 5),
        (lambda x: np.var(x, axis=0, correction=1), X.data.var(0, ddof=1), None),
        (lambda x: np.std(x, axis=0), X.data.std(0), None),
        (lambda x: np.where(A > 2, x, 0), np.where(A > 2, X.data, 0), A > 2),
        (lambda x: np.where(x > 2, A, x), np.where(X.data > 2, A, X.data), X.data <= 2),
        (lambda x: np.clip(x, 2, 5), X.data.clip(2, 5), [[0, 1, 1], [1, 1, 0]]),
        (lambda x: np.clip(x, a_min=None, a_max=5), X.data.clip(None, 5), X.data <= 5),
        (lambda x: np.clip(x, 2, None), X.data.clip(2), X.data >= 2),
        (lambda x: np.einsum("ij,kj->ik", x, A), X.data @ A.T, A.sum(0) * np.ones((2, 1))),
        (lambda x: np.einsum("ij->j", x), X.data.sum(0), 1),
        (lambda x: np.reshape(x, (3, 2)), X.data.reshape(3, 2), 1),
        (lambda x: np.reshape(x, -1), X.data.ravel(), 1),
        (lambda x: np.transpose(x), X.data.T, 1),
        (lambda x: np.transpose(x, (1, 0)), X.data.T, 1),
        (lambda x: np.expand_dims(x, axis=0), X.data[None], 1),
        (lambda x: np.squeeze(x[None], axis=0), X.data, 1),
        (lambda x: np.broadcast_to(x, (2, 2, 3)), np.stack([X.data] * 2), 2),
        (lambda x: np.maximum(x, A), np.maximum(X.data, A), 1),
        (lambda x: np.matmul(A, x.T), A @ X.data.T, None),
        (lambda x: np.absolute(-x), X.data, 1),
        (lambda x: np.power(x, 2), X.data**2, 2 * X.data),
        (lambda x: np.float_power(x, 2), X.data**2, 2 * X.data),
        (lambda x: np.exp(tg.Scalar(1.0)) * x, np.e * X.data, np.e),
        (lambda x: np.ones((2, 3)) * tg.Scalar(2.0) * x, 2 * X.data, 2),
    ],
)  # fmt: skip
def test_values_and_gradients(call, expected, gradient):
    x = leaf()
    y = call(x)
    assert type(y) is tg.Tensor and y.requires_grad, "never an object array"
    assert_allclose(y.data, expected, rtol=1e-14)
    y.sum().backward()
    if gradient is not None:
        assert_allclose(x.grad, np.broadcast_to(gradient, (2, 3)), rtol=1e-13, atol=1e-15)
    else:
        assert np.isfinite(x.grad).all() or (A == 0).any()


def test_numpy_promotion_with_numpy_numbers_and_weak_python_numbers():
    x = leaf(dtype="float32")
    assert (np.float64(2) * x).dtype == np.float64
    assert (np.float32(2) * x).dtype == (2.0 * x).dtype == np.float32
    assert (tg.Scalar(2.0) * x).dtype == np.float32


def test_arrays_with_scalars():
    s = tg.Scalar(2.0)
    y = np.arange(3.0) * s
    assert type(y) is tg.Tensor and y.dtype == np.float64
    y.sum().backward()
    assert s.grad == 3.0
    assert type(np.float64(3) * s) is tg.Scalar
    assert type(np.sin(s)) is tg.Scalar


@pytest.mark.parametrize(
    ("call", "advice"),
    [
        (lambda x: np.linalg.eigvals(x), "tg.autograd.operation"),
        (lambda x: np.nancumsum(x), r"tg\.cumulative_sum\(tg\.where"),
        (lambda x: np.partition(x, 1), "pass t.data"),
        (lambda x: np.maximum.accumulate(x), "pass t.data"),
        (lambda x: np.add.reduceat(x, [0, 1]), "operations in"),
        (lambda x: np.add.at(x, 0, 1.0), "np.add.at"),
        (lambda x: np.copyto(x, 1.0), "changes its first argument.*t.at"),
        (lambda x: np.put(x, [0], 1.0), "changes its first argument"),
        (lambda x: np.block([x, A]), "tg.concat"),
    ],
)
def test_functions_without_derivative_refuse_and_name_an_alternative(call, advice):
    x = leaf()
    with pytest.raises(errors.NoDerivativeError, match=advice) as caught:
        call(x)
    assert isinstance(caught.value, TypeError) and "np." in str(caught.value)


def test_they_serve_tensors_that_need_no_gradient():
    x = leaf().detach()
    assert_array_equal(np.spacing(x / 2).data, np.spacing(x.data / 2))
    assert_array_equal(np.add.reduce(x), x.data.sum(0))
    assert np.linalg.norm(x) == np.linalg.norm(x.data)
    with tg.no_grad():
        assert_array_equal(np.spacing(leaf()).data, np.spacing(leaf().data))


REDUCED = [np.add, np.multiply, np.maximum, np.minimum]


@pytest.mark.parametrize("ufunc", REDUCED, ids=[f.__name__ for f in REDUCED])
@pytest.mark.parametrize("options", [{}, {"axis": 1}, {"axis": None}, {"keepdims": True}])
def test_reductions_of_ufuncs(ufunc, options):
    x = leaf()
    y = ufunc.reduce(x, **options)
    assert type(y) is tg.Tensor
    assert_allclose(y.data, ufunc.reduce(x.data, **options))
    assert tg.autograd.gradcheck(lambda v: ufunc.reduce(v, **options), (x.data,))


@pytest.mark.parametrize("ufunc", [np.add, np.multiply], ids=["add", "multiply"])
def test_scans_and_outer_products_of_ufuncs(ufunc):
    x = leaf()
    for call in (ufunc.accumulate, lambda v: ufunc.accumulate(v, 1), lambda v: ufunc.outer(v, A)):
        assert_allclose(call(x).data, call(x.data))
        assert tg.autograd.gradcheck(call, (x.data,))
    assert_allclose(ufunc.outer(A, x).data, ufunc.outer(A, x.data))


def test_reductions_of_ufuncs_refuse_what_they_cannot_do():
    for options in ({"out": np.zeros(3)}, {"dtype": "float32"}):
        with pytest.raises(errors.ArgumentError, match=next(iter(options)) + "="):
            np.add.reduce(leaf(), **options)


def test_values_in_a_graph_are_not_written_into_even_without_a_gradient():
    x = leaf().detach()
    with pytest.raises(errors.NoDerivativeError, match="do not change"):
        np.copyto(x, 1.0)
    with pytest.raises(errors.NoDerivativeError, match="do not change"):
        np.fill_diagonal(x, 1.0)
    with pytest.raises(errors.TinygradError):
        np.add.at(x, 0, 1.0)
    assert_array_equal(x.data, leaf().data)


def test_functions_without_derivative_by_nature_give_plain_values():
    x = leaf()
    assert np.shape(x) == (2, 3) and np.argmax(x) == 5
    assert np.isfinite(x).all() and np.allclose(x, x.data)
    assert type(np.zeros_like(x)) is np.ndarray
    for compared in (x > 2, x == x.data, A < x, x != 1):  # noqa: SIM300
        assert type(compared) is np.ndarray and compared.dtype == bool
    assert (x > A).tolist() == (x.data > A).tolist()


@pytest.mark.parametrize(
    ("call", "argument", "reason"),
    [
        (lambda x: np.add(x, 1, out=np.zeros((2, 3))), "out", "new tensors"),
        (lambda x: np.sum(x, out=np.zeros(())), "out", "new tensors"),
        (lambda x: np.clip(x, 0, 1, out=A.copy()), "out", "new tensors"),
        (lambda x: np.exp(x, where=A > 2), "where", "tg.where"),
        (lambda x: np.var(x, where=A > 2), "where", "tg.where"),
        (lambda x: np.mean(x, dtype="float32"), "dtype", "astype"),
        (lambda x: np.add(x, 1, dtype="float32"), "dtype", "astype"),
        (lambda x: np.reshape(x, (3, 2), order="F"), "order", "counterpart"),
    ],
)
def test_arguments_without_counterpart_are_refused_not_ignored(call, argument, reason):
    with pytest.raises(errors.ArgumentError, match=f"argument {argument}= .*{reason}"):
        call(leaf())


def test_an_array_cannot_take_up_a_tensor_in_place():
    a = np.ones((2, 3))
    with pytest.raises(errors.ArgumentError, match="out="):
        a += leaf()
    with pytest.raises(errors.GraphError, match="cut it off"):
        a[0] = leaf()[0]
    assert_array_equal(a, np.ones((2, 3)))


def test_lists_of_nodes_never_become_object_arrays():
    for nodes in ([tg.Scalar(1.0), tg.Scalar(2.0)], [leaf(), leaf()]):
        for make in (np.array, np.asarray, tg.tensor):
            with pytest.raises(errors.GraphError, match="cut it off"):
                make(nodes)
    assert_array_equal(np.array([tg.Scalar(1.0).detach(), 2.0]), [1.0, 2.0])
    assert plain(np.asarray(leaf().detach())).dtype == np.float64


INDICES = [
    0,
    -1,
    np.int64(1),
    slice(None, None, -2),
    (..., 1),
    (slice(None), None, 2),
    [0, 0, 1],
    range(2),
    np.array([[0, 1], [1, 1]]),
    np.array([True, False]),
    [True, True],
    (),
    None,
    True,
    ((0, 1, 1), (2, 0, 0)),
    ((0, 0),),
    (range(2), [1, 1]),
    (0, [2, 2]),
    ([0, 0], slice(1, None)),
    (np.array([1, 1], "uint8"), np.array(0)),
    np.zeros((2, 3), bool),
    (np.array([False, True]), [0]),
    np.zeros(0, int),
]


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_everything_numpy_indexing_accepts(index):
    """Repeated positions add up."""
    x = leaf()
    y = x[index]
    assert_array_equal(y.data, x.data[index])
    weights = np.arange(1.0, y.size + 1).reshape(y.shape)
    (y * weights).sum().backward()
    expected = np.zeros((2, 3))
    np.add.at(expected, index, weights)
    assert_array_equal(x.grad, expected)


def test_tensors_as_indices():
    x = leaf()
    i, mask = tg.tensor([1, 1, 0]), tg.tensor([True, False])
    assert_array_equal(x[i].data, x.data[[1, 1, 0]])
    assert_array_equal(x[mask, tg.tensor(2)].data, [3.0])
    x[i].sum().backward()
    assert_array_equal(x.grad, [[1, 1, 1], [2, 2, 2]])
    assert [row.item() for row in x[0]] == [1.0, 2.0, 3.0]
    assert list("abc")[tg.tensor(2)] == "c"


def test_updates_by_at_make_new_tensors():
    x, v = leaf([1.0, 2.0, 3.0]), leaf([10.0, 20.0])
    y = x.at[1:].set(v)
    z = x.at[[0, 0]].add(v)
    assert_array_equal(y.data, [1, 10, 20])
    assert_array_equal(z.data, [31, 2, 3])
    (y * y.data).sum().backward()
    assert_array_equal(x.grad, [1, 0, 0])
    assert_array_equal(v.grad, [10, 20])
    x.grad = v.grad = None
    z[0].backward()
    assert_array_equal(x.grad, [1, 0, 0])
    assert_array_equal(v.grad, [1, 1])
    assert_array_equal(x.at[0].add(1).data, [2, 2, 3])
    with pytest.raises(errors.ArgumentError, match=r"takes a position twice.*use .add\(\)"):
        x.at[[0, 0]].set(v)
    with pytest.raises(errors.ShapeError, match=r"put.*\(3,\).*\(2,\)"):
        x.at[0].set(v)


def test_parameters_that_are_arrays_make_arrays_of_numbers():
    """The condition of where and the bounds of clip may be arrays though the operands are not."""
    assert_array_equal(tg.where([True, False], 1.0, 2.0), [1, 2])
    assert_array_equal(tg.where(np.array([True, False]), 1, 0), [1, 0])
    assert_array_equal(tg.clip(2.0, np.array([1.0, 3.0]), None), [2, 3])
    s = tg.Scalar(5.0)
    y = tg.where(np.array([True, False, True]), s, 0.0)
    assert type(y) is tg.Tensor and y.dtype == np.float32
    y.sum().backward()
    assert s.grad == 2.0


def test_numpy_integers_as_axes():
    x = leaf()
    axis = np.int64(1)
    for f in (tg.sum, tg.mean, tg.max, tg.var, tg.std, tg.logsumexp, tg.softmax):
        x.grad = None
        f(x, axis=axis).sum().backward()
        (expected,) = tg.autograd.grad(f(x, axis=1).sum(), x)
        assert_array_equal(x.grad, expected.data)
    x.grad = None
    (tg.concat([x, x], axis) * 2 + tg.concat([A, A], axis)).sum().backward()
    assert_array_equal(x.grad, np.full((2, 3), 4))


def test_variance_of_too_few_numbers_is_nan_not_an_exception():
    x = leaf([3.0])
    with pytest.warns(RuntimeWarning):
        y = tg.var(x, correction=1)
    y.backward()
    assert np.isnan(y.item()) and np.isnan(x.grad).all()
