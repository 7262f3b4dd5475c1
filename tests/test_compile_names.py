"""Arguments may be called whatever the program calls something of its own."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg

PAIRS = [
    ("np_add", "np_multiply"),
    ("buffer_1", "buffer_2"),
    ("buffer_2", "buffer_1"),
    ("number_1", "full_1"),
    ("number_2", "number_1"),
    ("t_1", "t_2"),
    ("t_10001", "t_3"),
    ("loops_1", "loops_2_"),
    ("memory_1", "f"),
    ("bind", "random"),
    ("Stopped", "math"),
    ("start", "stop"),
    ("i", "j"),
    ("total_t_1", "plus"),
    ("args", "kwargs"),
    ("call", "program"),
    ("constant", "ones"),
    ("x_flat", "x"),
    ("relu", "tanh"),
    ("relu_words", "relu"),
    ("multiply", "multiply_turned"),
    ("in_blocks", "dataclasses"),
]

BODY = """
def f({0}, {1}):
    y = tg.tanh({0} * 2 + {1}) @ {0}
    z = tg.relu({0} - 0.1) * {1}
    loss = tg.nn.functional.cross_entropy(z + y, labels)
    loss.backward()
    return (y - tg.sum(y, axis=0)) * {1}, loss, {0}.grad * 1, {1}.grad * 1
"""


def function_of(names):
    namespace = {"tg": tg, "labels": np.array([0, 2, 1])}
    exec(BODY.format(*names), namespace)
    return namespace["f"]


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("names", PAIRS, ids=" ".join)
def test_arguments_of_any_name(names, backend):
    if backend == "numba":
        pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    arrays = rng.normal(size=(2, 3, 3))
    f = function_of(names)
    compiled, found = tg.compile(f, backend=backend), []
    for call in (f, compiled, compiled):
        given = [tg.tensor(a, requires_grad=True) for a in arrays]
        found.append([np.asarray(y.data) for y in call(*given)])
    for again in found[1:]:
        for ours, theirs in zip(again, found[0], strict=True):
            if backend == "numpy":
                assert_array_equal(ours, theirs)
            else:
                assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)
    namespace = {}
    exec(compiled.source, namespace)
    results, *_ = namespace["f"](*arrays)
    for ours, theirs in zip(results, found[0], strict=True):
        assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


FUNCTIONS = [
    *("np", "np_add", "np_tanh", "math", "bind", "buffer_1", "number_1", "t_1", "Stopped"),
    *("conv_1", "conv_", "loops_1", "flat_copy", "product", "Windows", "biased_conv_", "x", "tanh"),
]


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_any_name(name, backend):
    if backend == "numba":
        pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    namespace = {"tg": tg, "F": tg.nn.functional, "w": rng.normal(size=(1, 1, 3, 3))}
    text = "h = tg.tanh(x + 1) * 2 + tg.relu(x) @ x + x"
    text += "; return h, F.max_pool2d(tg.relu(F.conv2d(y, w)), 2)"
    exec(f"def {name}(x, y): {text}", namespace)
    f, x, y = namespace[name], rng.normal(size=(3, 3)), rng.normal(size=(2, 1, 8, 8))
    compiled, expected = tg.compile(f, backend=backend), f(x, y)
    found = {}
    exec(compiled.source if compiled(x, y) else "", found)
    written = [v for v in found.values() if callable(v)][-1]
    for results in (compiled(x, y), compiled(x, y), written(x, y)):
        for ours, theirs in zip(results, expected, strict=True):
            assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)
