"""Every operation in the table, tested from its record: there is no list of operations here."""

import itertools
import warnings

import numpy as np
import pytest
from draws import central_differences, draw_case, draw_like, inner, plain
from hypothesis import given, reject
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.engine.define import operation, undefine
from tinygrad_cs.engine.record import FUNCTIONS, TABLE, rows

every_operation = pytest.mark.parametrize("op", list(rows().values()), ids=list(rows()))
SCALAR = [op for op in TABLE.values() if op.scalar is not None]
on_scalars = pytest.mark.parametrize("op", SCALAR, ids=[op.name for op in SCALAR])
drawn = given(data=st.data())

# A central difference of an expression of size 1 is good to about eps^(2/3) = 4e-11; the sums
# here have up to a few hundred terms, and third derivatives up to a few hundred.
NUMERIC = {"rtol": 1e-6, "atol": 1e-8}
EXACT = {"rtol": 1e-12, "atol": 1e-13}


def gradients(case, tensors, cotangent, **options):
    return tg.autograd.grad(case(*tensors), tensors, cotangent, allow_unused=True, **options)


@every_operation
@drawn
def test_value_is_numpys(op, data):
    case = draw_case(op, data)
    ours, theirs = case(*case.tensors()), case.reference(*case.arrays)
    assert ours.shape == np.shape(theirs)
    assert_allclose(plain(ours), theirs, **EXACT)
    on_arrays = case(*case.arrays)
    assert not isinstance(on_arrays, tg.Tensor)
    assert_allclose(plain(on_arrays), theirs, **EXACT)


@every_operation
@drawn
def test_first_derivatives(op, data):
    case = draw_case(op, data)
    tensors = case.tensors()
    (cotangent,) = draw_like(data, [case(*tensors)])
    numeric = central_differences(lambda *a: inner([case(*a)], [cotangent]), case.arrays)
    for ours, theirs in zip(gradients(case, tensors, cotangent), numeric, strict=True):
        assert_allclose(plain(ours), theirs, **NUMERIC)


@every_operation
@drawn
def test_second_derivatives(op, data):
    """Differentiating <first derivatives, v> again, through the recorded backward pass."""
    case = draw_case(op, data)
    tensors = case.tensors()
    (cotangent,) = draw_like(data, [case(*tensors)])
    directions = draw_like(data, tensors)

    def slope(*arrays, create_graph=False):
        leaves = [a if isinstance(a, tg.Tensor) else tg.tensor(a, requires_grad=True)
                  for a in arrays]  # fmt: skip
        first = gradients(case, leaves, cotangent, create_graph=create_graph)
        return sum((g * v).sum() for g, v in zip(first, directions, strict=True))

    total = slope(*tensors, create_graph=True)
    numeric = central_differences(lambda *a: slope(*a).item(), case.arrays)
    if not total.requires_grad:  # linear: the first derivatives do not depend on the operands
        analytic = [np.zeros(a.shape) for a in case.arrays]
    else:
        found = tg.autograd.grad(total, tensors, allow_unused=True)
        analytic = [np.zeros(a.shape) if g is None else g.data
                    for g, a in zip(found, case.arrays, strict=True)]  # fmt: skip
    for ours, theirs in zip(analytic, numeric, strict=True):
        assert_allclose(ours, theirs, **NUMERIC)


@every_operation
@drawn
def test_forward_mode_is_the_adjoint(op, data):
    """<pullback of g, t> = <g, pushforward of t>."""
    case = draw_case(op, data)
    value, pull = tg.func.vjp(case, *case.arrays)
    (cotangent,) = draw_like(data, [value])
    tangents = draw_like(data, case.arrays)
    pulled = pull(cotangent if np.ndim(value) else float(cotangent))
    _, pushed = tg.func.jvp(case, tuple(case.arrays), tuple(tangents))
    assert np.shape(pushed) == np.shape(value)
    assert_allclose(inner(pulled, tangents), inner([cotangent], [pushed]), **EXACT)


@every_operation
@drawn
def test_second_order_is_the_same_in_both_modes(op, data):
    """Forward over reverse, and reverse over forward, against reverse over reverse."""
    case = draw_case(op, data)
    (cotangent,) = draw_like(data, [case(*case.arrays)])
    tangents = draw_like(data, case.arrays)
    everywhere = tuple(range(len(case.arrays)))

    def loss(*values):
        return (case(*values) * cotangent).sum() if cotangent.ndim else case(*values) * cotangent

    gradient = tg.func.grad(loss, everywhere)

    def along(*values):
        pairs = zip(gradient(*values), tangents, strict=True)
        return sum((g * t).sum() for g, t in pairs)

    reverse = tg.func.grad(along, everywhere)(*case.arrays)
    _, forward = tg.func.jvp(gradient, tuple(case.arrays), tuple(tangents))
    mixed = tg.func.grad(
        lambda *v: tg.func.jvp(loss, v, tuple(tangents))[1], everywhere
    )(*case.arrays)  # fmt: skip
    for a, b, c in zip(reverse, forward, mixed, strict=True):
        assert_allclose(plain(b), plain(a), rtol=1e-10, atol=1e-11)
        assert_allclose(plain(c), plain(a), rtol=1e-10, atol=1e-11)


@every_operation
@drawn
def test_gradients_have_shape_and_dtype_of_the_operands(op, data):
    case = draw_case(op, data)
    for dtype in (np.float32, np.float64):
        tensors = case.tensors(dtype)
        out = case(*tensors)
        if isinstance(out, tg.Tensor) and "dtype" not in op.params:
            assert out.dtype == dtype
        (cotangent,) = draw_like(data, [out])
        for order in (False, True):
            for x, g in zip(tensors, gradients(case, tensors, cotangent, create_graph=order),
                            strict=True):  # fmt: skip
                assert (g.shape, g.dtype) == (x.shape, x.dtype)
        out.backward(cotangent)
        for x in tensors:
            assert isinstance(x.grad, np.ndarray)
            assert (x.grad.shape, x.grad.dtype) == (x.shape, x.dtype)


def apart(array):
    """The same values two entries apart in memory."""
    wide = np.full((*array.shape[:-1], 2 * array.shape[-1]) if array.ndim else (), np.nan)
    view = wide[..., ::2] if array.ndim else wide
    view[...] = array
    return view


LAYOUTS = {
    "Fortran": lambda a: np.array(a, order="F"),
    "strided": apart,
    "reversed": lambda a: a[tuple([slice(None, None, -1)] * a.ndim)].copy()[
        tuple([slice(None, None, -1)] * a.ndim)
    ],
}


@every_operation
@drawn
def test_memory_layout_makes_no_difference(op, data):
    case = draw_case(op, data)
    layout = LAYOUTS[data.draw(st.sampled_from(sorted(LAYOUTS)))]
    expected = case.tensors()
    shared = [tg.asarray(layout(a)) for a in case.arrays]
    for x in shared:
        x.requires_grad = True
    out = case(*expected)
    assert_allclose(plain(case(*shared)), plain(out), **EXACT)
    (cotangent,) = draw_like(data, [out])
    other = layout(cotangent)
    for ours, theirs in zip(gradients(case, shared, other), gradients(case, expected, cotangent),
                            strict=True):  # fmt: skip
        assert_allclose(ours.data, theirs.data, **EXACT)


@every_operation
@drawn
def test_axes_of_length_zero(op, data):
    """Where NumPy has a value so have we, with gradients of the right shape; else we refuse."""
    try:
        case = draw_case(op, data, sides=(0, 2))
    except (IndexError, DeprecationWarning):  # before NumPy 2.3 a warning
        reject()  # its case maker indexes an array that turned out to be empty
    tensors = case.tensors()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # the mean of nothing is NaN, with a warning
        try:
            expected = case.reference(*case.arrays)
        except (ValueError, IndexError) as refusal:
            with pytest.raises(type(refusal)) as caught:
                case(*tensors)
            assert isinstance(caught.value, tg.TinygradError)
            return
        out = case(*tensors)
        out.backward(np.ones(out.shape))
    assert out.shape == np.shape(expected)
    assert_allclose(plain(out), expected, **EXACT)
    for x in tensors:
        assert x.grad.shape == x.shape


@every_operation
@drawn
def test_no_axes_at_all(op, data):
    case = draw_case(op, data, dims=0)
    tensors = case.tensors()
    out = case(*tensors)
    assert out.shape == np.shape(case.reference(*case.arrays))
    (cotangent,) = draw_like(data, [out])
    numeric = central_differences(lambda *a: inner([case(*a)], [cotangent]), case.arrays)
    for ours, theirs in zip(gradients(case, tensors, cotangent), numeric, strict=True):
        assert isinstance(ours.data, np.ndarray)
        assert_allclose(ours.data, theirs, **NUMERIC)


def arrays_in(value):
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from arrays_in(part)


@every_operation
@drawn
def test_nothing_given_is_changed_or_shared(op, data):
    case = draw_case(op, data)
    tensors = [tg.asarray(a) for a in case.arrays]
    for x in tensors:
        x.requires_grad = True
    out = case(*tensors)
    (cotangent,) = draw_like(data, [out])
    given = [*case.arrays, *arrays_in(list(case.params.values())), cotangent]
    before = [a.copy() for a in given]
    gradients(case, tensors, cotangent, create_graph=True)
    out.backward(cotangent)
    for a, b in zip(given, before, strict=True):
        assert_array_equal(a, b)
    made = [x.grad for x in tensors]
    for a, b in itertools.product(made, [*given, *arrays_in([out.data])]):
        assert not np.shares_memory(a, b)
    for a, b in itertools.combinations(made, 2):
        assert not np.shares_memory(a, b)


@every_operation
@drawn
def test_backward_is_exact_where_it_must_be(op, data):
    """A zero cotangent gives exact zeros; the same pass twice gives the same bits."""
    case = draw_case(op, data)
    tensors = case.tensors()
    out = case(*tensors)
    (cotangent,) = draw_like(data, [out])
    runs = [tg.autograd.grad(out, tensors, cotangent, retain_graph=True) for _ in range(2)]
    for a, b in zip(*runs, strict=True):
        assert a.data.tobytes() == b.data.tobytes()
    for g in gradients(case, tensors, np.zeros_like(cotangent)):
        assert_array_equal(g.data, 0)


@on_scalars
@drawn
def test_scalars_agree_with_arrays(op, data):
    """Value, first and second derivatives of Python floats against arrays without axes."""
    case = draw_case(op, data, dims=0)

    def derivatives(nodes):
        out = case(*nodes)
        first = tg.autograd.grad(out, nodes, create_graph=True, allow_unused=True)
        total = sum(g * (i + 1) for i, g in enumerate(first))
        second = [None] * len(nodes)
        if total.requires_grad:
            second = tg.autograd.grad(total, nodes, allow_unused=True)
        return out, [*first, *second]

    scalars = [tg.Scalar(a.item()) for a in case.arrays]
    out, ours = derivatives(scalars)
    expected, theirs = derivatives(case.tensors())
    assert type(out) is (tg.Tensor if op.name == "to_tensor" else tg.Scalar)
    assert_allclose(plain(out), plain(expected), rtol=1e-14)
    for a, b in zip(ours, theirs, strict=True):
        assert a is None or type(a) is tg.Scalar
        assert_allclose(0.0 if a is None else a.item(), 0.0 if b is None else b.item(),
                        rtol=1e-13, atol=1e-15)  # fmt: skip


# (Not 0.5: NumPy takes x**0.5 for sqrt(x), which differs from IEEE's pow at -inf.)
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.75, 1000.0, -1000.0, np.inf, -np.inf, np.nan]


@on_scalars
def test_scalars_follow_ieee(op):
    """Outside the domain of `math`, scalars give what arrays give, and never raise."""
    call = FUNCTIONS[op.name]
    params = {"condition": {"condition": True}, "min": {"min": -1.0, "max": 1.0}}
    given = next((params[p] for p in op.params if p in params), {})
    for values in itertools.product(SPECIAL, repeat=len(op.operands)):
        scalars = [tg.Scalar(v) for v in values]
        tensors = [tg.tensor(np.float64(v), requires_grad=True) for v in values]
        with np.errstate(all="ignore"):
            ours = call(**dict(zip(op.operands, scalars, strict=True)), **given)
            theirs = call(**dict(zip(op.operands, tensors, strict=True)), **given)
        assert_allclose(plain(ours), plain(theirs), rtol=1e-14, err_msg=str(values))
        ours.backward()
        theirs.backward()
        for x, t in zip(scalars, tensors, strict=True):
            assert_allclose(x.grad, t.grad, rtol=1e-13, err_msg=str(values))


def test_an_operation_without_cases_fails_the_suite():
    @operation(name="undrawable", dx=lambda g: g)
    def undrawable(x):
        return x

    @drawn
    def attempt(data):
        draw_case(TABLE["undrawable"], data)

    try:
        with pytest.raises(pytest.fail.Exception, match="brings no cases"):
            attempt()
    finally:
        undefine("undrawable")


def test_every_operation_can_be_compared_with_numpy():
    assert not [op.name for op in rows().values() if op.reference is None and not op.numpy]
