"""A walk through NumPy's public names: no function drops a gradient in silence.

Every function that NumPy lets a tensor answer for is called in the ways of `ATTEMPTS`. Where NumPy
itself has a value for such a call, ours must be the same with the right gradient, or a plain value
whose numeric derivative is zero, or one of our errors.
"""

import io
import warnings

import numpy as np
import pytest
from draws import inner
from numpy.testing import assert_allclose

import tinygrad_cs as tg

VECTOR = np.array([0.31, 0.83, 0.57, 0.12])
MATRIX = np.array([[1.31, 0.42, 0.13], [0.38, 2.27, 0.36], [0.17, 0.29, 1.63]])
INDEX = np.array([1, 0, 1])


# They print, set or look up; their result is whatever memory holds; bmat of a tensor is None.
NO_FUNCTIONS_OF_ARRAYS = """
    test info show_config show_runtime get_include printoptions get_printoptions set_printoptions
    bmat errstate geterr seterr geterrcall seterrcall getbufsize setbufsize empty empty_like
""".split()  # noqa: SIM905


def public(module):
    names = {name for name in dir(module) if not name.startswith("_")}
    for name in sorted(names - set(NO_FUNCTIONS_OF_ARRAYS)):
        function = getattr(module, name)
        if callable(function) and not isinstance(function, type):
            yield function, f"{module.__name__}.{name}"


EVERYTHING = dict(pair for module in (np, np.linalg, np.fft) for pair in public(module))

ATTEMPTS = [
    lambda f, x: f(x),
    lambda f, x: f(x, 0),
    lambda f, x: f(x, 1),
    lambda f, x: f(x, 2),
    lambda f, x: f(x, axis=0),
    lambda f, x: f(x, (1, 0)),
    lambda f, x: f(x, x),
    lambda f, x: f(x, np.ones(np.shape(x))),
    lambda f, x: f(np.ones(np.shape(x)), x),
    lambda f, x: f(x, INDEX),
    lambda f, x: f(INDEX, x),
    lambda f, x: f(x, INDEX > 0),
    lambda f, x: f(INDEX > 0, x),
    lambda f, x: f([x, x]),
    lambda f, x: f((x, np.ones(np.shape(x)))),
    lambda f, x: f(x, x, x),
    lambda f, x: f(x, 0.2, 0.5),
    lambda f, x: f(x, 0, 1),
    lambda f, x: f(x, 0, x),
    lambda f, x: f(x, x, 1),
    lambda f, x: f(INDEX[:1], x, x),
]

# Functions with arguments of a kind of their own.
SPECIAL = {
    np.apply_along_axis: lambda f, x: f(np.sum, 0, x),
    np.apply_over_axes: lambda f, x: f(np.sum, x, [0]),
    np.astype: lambda f, x: f(x, np.float64),
    np.can_cast: lambda f, x: f(x.dtype, np.float32),
    np.reshape: lambda f, x: f(x, (-1, 1)),
    np.broadcast_to: lambda f, x: f(x, (2, *np.shape(x))),
    np.array_split: lambda f, x: f(x, 2),
    np.choose: lambda f, x: f(INDEX, [x[:3], x[:3] * 2]),
    np.compress: lambda f, x: f(np.array([True, False, True]), x),
    np.copyto: lambda f, x: f(np.zeros(np.shape(x)), x),
    np.eye: lambda f, x: f(3),
    np.full: lambda f, x: f(4, x),
    np.indices: lambda f, x: f((2, 2)),
    np.ones: lambda f, x: f(3),
    np.tri: lambda f, x: f(3),
    np.identity: lambda f, x: f(3),
    np.zeros: lambda f, x: f(3),
    np.take_along_axis: lambda f, x: f(x, INDEX, 0),
    np.typename: lambda f, x: f("d"),
    np.cross: lambda f, x: f(x[:3], np.ones(3)),
    np.linalg.cross: lambda f, x: f(x[:3], np.ones(3)),
    np.dsplit: lambda f, x: f(np.expand_dims(x, (0, 1)), 2),
    np.einsum: lambda f, x: f("i,i->", x, x),
    np.einsum_path: lambda f, x: f("i,i->", x, x),
    np.fill_diagonal: lambda f, x: f(np.zeros((4, 4)), x),
    np.insert: lambda f, x: f(x, 1, x[:1]),
    np.interp: lambda f, x: f(x, np.arange(4.0), np.arange(4.0) ** 2),
    np.ix_: lambda f, x: f(x[:2] > 0.5),
    np.linalg.multi_dot: lambda f, x: f([x, np.outer(x, x), x]),
    np.linalg.tensorinv: lambda f, x: f(np.outer(x, x) + np.eye(4), ind=1),
    np.linalg.tensorsolve: lambda f, x: f(np.outer(x, x) + np.eye(4), x),
    np.linspace: lambda f, x: f(x, 2 * x, 3),
    np.lexsort: lambda f, x: f((x, x)),
    np.piecewise: lambda f, x: f(x, [x < 0.5, x >= 0.5], [np.sin, np.cos]),
    np.place: lambda f, x: f(x, np.ones(4, bool), [1.0]),
    np.put_along_axis: lambda f, x: f(np.zeros(4), INDEX, x[:3], 0),
    np.putmask: lambda f, x: f(np.zeros(4), np.ones(4, bool), x),
    np.ravel_multi_index: lambda f, x: f((INDEX, INDEX), (2, 2)),
    np.save: lambda f, x: f(io.BytesIO(), x),
    np.savez: lambda f, x: f(io.BytesIO(), x),
    np.savez_compressed: lambda f, x: f(io.BytesIO(), x),
    np.savetxt: lambda f, x: f(io.StringIO(), x),
    np.select: lambda f, x: f([x < 0.5, x >= 0.5], [x, 2 * x]),
    np.vsplit: lambda f, x: f(np.outer(x, x), 2),
    np.hsplit: lambda f, x: f(np.outer(x, x), 2),
}  # fmt: skip

if hasattr(np, "matvec"):  # since NumPy 2.2
    SPECIAL[np.matvec] = lambda f, x: f(np.outer(x, x), x)
    SPECIAL[np.vecmat] = lambda f, x: f(x, np.outer(x, x))

# Their arguments are never tensors of floats: integers, dates, texts.
OF_OTHER_TYPES = """
    arange busday_count busday_offset is_busday datetime_as_string datetime_data isnat bincount
    broadcast_shapes bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_invert invert
    bitwise_count bitwise_left_shift bitwise_right_shift left_shift right_shift gcd lcm packbits
    unpackbits unravel_index ravel_multi_index mask_indices fromfunction frombuffer fromfile
    fromiter fromstring fromregex from_dlpack genfromtxt loadtxt load frompyfunc nested_iters
    load base_repr binary_repr isdtype issubdtype mintypecode promote_types
    fftfreq rfftfreq bartlett blackman hamming hanning kaiser diag_indices tril_indices
    triu_indices format_float_positional format_float_scientific require
""".split()  # noqa: SIM905


def floats(result):
    """The numbers in a result of any structure that could have a derivative."""
    if isinstance(result, (tuple, list)):
        return [number for part in result for number in floats(part)]
    values = getattr(result, "data", result) if isinstance(result, tg.Tensor) else result
    if isinstance(values, (np.ndarray, np.generic, float)) and np.asarray(values).dtype.kind == "f":
        return [result if isinstance(result, (tg.Tensor, tg.Scalar)) else np.asarray(values)]
    return []


def slopes(call, x, cotangents, step=1e-6):
    """Central differences of the sum of all numbers times their cotangents."""
    out = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[index] += sign * step
            ends.append(inner(floats(call(moved)), cotangents))
        out[index] = (ends[0] - ends[1]) / (2 * step)
    return out


def asks_first(function):
    """Does NumPy ask the argument, through one of its two protocols?"""
    return isinstance(function, np.ufunc) or hasattr(function, "_implementation")


# Ours are functions of the symmetric part, NumPy's read one triangle.
SYMMETRIC = {
    function: lambda f, x: f((x + np.swapaxes(x, -1, -2)) / 2)
    for function in (np.linalg.cholesky, np.linalg.eigh, np.linalg.eigvalsh)
}


def attempts(function):
    if function in SYMMETRIC:
        return [SYMMETRIC[function]]
    special = SPECIAL.get(function)
    return [*([special] if special else []), *ATTEMPTS]


def numpy_has_a_value(call, x):
    try:
        result = call(x.copy())
    except Exception:
        return None
    found = floats(result)
    good = all(np.isfinite(part).all() for part in found)
    return (result, found) if good else None


def judge(function, call, x):
    """One call. Returns what came of it, or None where NumPy itself has no value."""
    expected = numpy_has_a_value(call, x)
    if expected is None:
        return None
    numbers = expected[1]
    rng = np.random.default_rng(0)
    cotangents = [rng.normal(size=np.shape(part)) for part in numbers]
    leaf = tg.tensor(x, requires_grad=True)
    try:
        result = call(leaf)
    except tg.TinygradError as error:
        assert len(str(error)) > 20
        return "refused"
    except (AttributeError, TypeError, ValueError):
        assert not asks_first(function), "not one of our errors"
        return "refused"
    parts = result if isinstance(result, (tuple, list)) else [result]
    assert all(getattr(getattr(p, "dtype", None), "kind", "") != "O" for p in parts), (
        "an object array"
    )
    ours = floats(result)
    assert len(ours) == len(numbers), "values are missing"
    for mine, theirs in zip(ours, numbers, strict=True):
        assert_allclose(np.asarray(getattr(mine, "data", mine)), theirs, rtol=1e-9, atol=1e-12)
    nodes = [(p, g) for p, g in zip(ours, cotangents, strict=True)
             if getattr(p, "requires_grad", False)]  # fmt: skip
    if nodes:
        total = sum((node * g).sum() for node, g in nodes)
        gradient = tg.autograd.grad(total, [leaf], allow_unused=True)[0]
        gradient = np.zeros(x.shape) if gradient is None else gradient.data
    else:
        gradient = np.zeros(x.shape)
    assert_allclose(gradient, slopes(call, x, cotangents), rtol=1e-5, atol=1e-7)
    return "derivative" if nodes else "plain"


@pytest.mark.parametrize("function", list(EVERYTHING), ids=list(EVERYTHING.values()))
def test_values_with_gradients_or_plain_values_or_our_error(function):
    outcomes = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for attempt in attempts(function):
            for x in (VECTOR, MATRIX):
                outcomes.append(judge(function, lambda v, a=attempt: a(function, v), x))
    if function.__name__ not in OF_OTHER_TYPES:
        assert any(outcomes), "no attempt is a call that NumPy accepts: add one to SPECIAL"
