"""The backward pass: what reaches `.grad`, what is retained, hooks, modes, depth, threads."""

import ast
import contextvars
import copy
import importlib
import inspect
import pickle
import pkgutil
import sys
import threading
import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.engine import declared
from tinygrad_cs.engine.define import undefine
from tinygrad_cs.engine.errors import DTypeError, GraphError, ShapeError


def leaf(*values, dtype="float64"):
    return tg.tensor(np.array(values, dtype=dtype), requires_grad=True)


def test_gradients_accumulate_until_they_are_reset():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    first = x.grad.copy()
    (x * x).sum().backward()
    assert_array_equal(x.grad, 2 * first)
    x.grad = None
    assert x.grad is None
    x.grad = np.ones(2)
    x.sum().backward()
    assert_array_equal(x.grad, [2.0, 2.0])


def test_a_leaf_is_its_own_derivative():
    x, s = leaf(3.0, 4.0), tg.Scalar(3.0)
    x.backward(np.array([1.0, 5.0]))
    s.backward(2.0)
    assert_array_equal(x.grad, [1.0, 5.0])
    assert s.grad == 2.0


def test_mixed_graph_reaches_scalars_and_tensors():
    s, x = tg.Scalar(3.0), leaf(1.0, 2.0)
    y = (s * x + s).sum() * s  # s^2 (x1 + x2) + 2 s^2
    assert isinstance(y, tg.Tensor)
    y.backward()
    assert s.grad == 2 * 3 * (1 + 2) + 4 * 3
    assert isinstance(s.grad, float)
    assert_array_equal(x.grad, [9.0, 9.0])


def test_scalars_stack_into_a_tensor_and_come_back():
    a, b = tg.Scalar(2.0), tg.Scalar(5.0)
    t = tg.stack([a, b, a])
    assert t.dtype == np.float32 and t.shape == (3,)
    back = tg.ops.to_scalar((t * tg.tensor([1.0, 10.0, 100.0])).sum()) * a
    assert isinstance(back, tg.Scalar) and back.data == 252 * 2
    back.backward()
    assert (a.grad, b.grad) == (252 + 2 * 101, 20.0)


def test_retain_graph():
    x = leaf(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert_array_equal(x.grad, [8.0])
    with pytest.raises(GraphError, match=r"retain_graph=True"):
        y.backward()
    assert_array_equal(x.grad, [8.0])


def test_a_freed_part_stops_a_later_graph_that_contains_it():
    x = leaf(2.0)
    shared = x * x
    total = (shared + 1) * 3
    shared.backward()
    with pytest.raises(GraphError, match="multiply was already used by an earlier backward"):
        total.backward()


def test_retain_grad_keeps_interior_gradients_only_where_asked():
    x = leaf(2.0)
    y = x * 3
    z = y * y
    y.retain_grad()
    z.backward(retain_graph=True)
    assert_array_equal(y.grad, [12.0])
    assert z.grad is None
    z.backward()
    assert_array_equal(y.grad, [24.0])
    s = tg.Scalar(2.0)
    t = s * 3
    t.retain_grad()
    (t * t).backward()
    assert t.grad == 12.0


def test_gradient_memory_is_never_shared():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seed = np.array([1.0, 1.0])
    z = x + y
    z.retain_grad()
    z.backward(seed)
    arrays = [x.grad, y.grad, z.grad, seed, x.data, y.data, z.data]
    for i, a in enumerate(arrays):
        for b in arrays[:i]:
            assert not np.shares_memory(a, b)
    given = np.ones(2)
    x.grad = given
    assert not np.shares_memory(x.grad, given)


def test_autograd_grad_leaves_grad_alone():
    x = leaf(2.0)
    y = x * x
    (dy_dx,) = tg.autograd.grad(y, x, retain_graph=True)
    dz_dy, dz_dx = tg.autograd.grad(y * y, [y, x])
    assert (dy_dx.item(), dz_dy.item(), dz_dx.item()) == (4.0, 8.0, 32.0)
    assert x.grad is None and y.grad is None


def test_autograd_grad_of_several_outputs_adds_up():
    x = leaf(2.0)
    y = x * x
    (g,) = tg.autograd.grad([y, x * 3, y], x, [None, np.array([10.0]), np.array([2.0])])
    assert g.item() == 4 + 30 + 8
    with pytest.raises(tg.TinygradError, match="2 outputs need as many"):
        tg.autograd.grad([x * 1, x * 2], x, [None])


def test_an_input_without_influence():
    x, other = leaf(1.0), leaf(1.0)
    y = x * 2
    with pytest.raises(GraphError, match="input 1; pass allow_unused=True"):
        tg.autograd.grad(y, [x, other], retain_graph=True)
    g, none = tg.autograd.grad(y, [x, other], allow_unused=True)
    assert g.item() == 2.0 and none is None
    (x * 2).backward()
    assert other.grad is None


def test_hooks_see_and_replace_gradients_in_order():
    x = leaf(1.0, 1.0, dtype="float32")
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append(g.copy()))
    tripled = y.register_hook(lambda g: 3 * g)
    x.register_hook(lambda g: g.astype(np.float64) + 1)
    y.sum().backward(retain_graph=True)
    assert_array_equal(seen[0], [1.0, 1.0])
    assert_array_equal(x.grad, [7.0, 7.0])
    assert x.grad.dtype == np.float32, "a hook cannot change the dtype"
    tripled.remove()
    tripled.remove()
    x.grad = None
    (y * 1).sum().backward()
    assert_array_equal(x.grad, [3.0, 3.0])


def test_hooks_run_once_with_the_whole_gradient():
    x = leaf(1.0)
    calls = []
    y = x * 2
    y.register_hook(lambda g: calls.append(g.item()))
    (y * 3 + y * 4).backward()
    assert calls == [7.0]
    s = tg.Scalar(1.0)
    t = s * 2
    t.register_hook(lambda g: g * 10)
    (t + t).backward()
    assert s.grad == 40.0 and type(s.grad) is float


@pytest.mark.parametrize("replacement", [2.0, np.float64(2), tg.tensor(2.0), [2.0]])
def test_what_a_hook_may_return(replacement):
    x, s = leaf(1.0, dtype="float32"), tg.Scalar(1.0)
    shaped = np.reshape(getattr(replacement, "data", replacement), (1,)).tolist()
    x.register_hook(lambda g: shaped)
    x.backward()
    assert_array_equal(x.grad, [2.0])
    assert x.grad.dtype == np.float32
    if np.ndim(replacement) == 0:
        s.register_hook(lambda g: replacement)
        (s * 1).backward()
        assert s.grad == 2.0 and type(s.grad) is float


def test_a_hook_with_its_own_history_leaves_numbers_in_a_plain_pass():
    x, w = leaf(1.0), leaf(5.0)
    y = x * 1
    y.register_hook(lambda g: g * w)
    x.register_hook(lambda g: g * w)
    y.backward()
    assert type(x.grad) is np.ndarray and x.grad.item() == 25.0 and w.grad is None


def test_a_hook_takes_part_in_recorded_passes():
    x = leaf(3.0)
    y = x * x
    y.register_hook(lambda g: g * x)
    (first,) = tg.autograd.grad(y, x, create_graph=True)  # 2 x * x
    assert tg.autograd.grad(first, x)[0].item() == 12.0


def test_wrong_hooks():
    x = leaf(1.0, 2.0)
    with pytest.raises(tg.TinygradError, match="expected a function of the gradient, got float"):
        x.register_hook(3.0)
    x.register_hook(lambda g: g[:1])
    with pytest.raises(ShapeError, match=r"shape \(1,\) for a gradient of shape \(2,\)"):
        x.sum().backward()
    with pytest.raises(GraphError, match="does not require a gradient"):
        x.detach().register_hook(print)


def test_a_cotangent_that_is_a_tensor():
    x, g = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x * 2).backward(g)
    assert_array_equal(x.grad, [6.0, 8.0])
    assert g.grad is None


def test_detach_shares_values_and_cuts_gradients():
    x = leaf(2.0)
    cut = x.detach()
    assert cut.data is x.data and not cut.requires_grad
    (x * cut).backward()
    assert_array_equal(x.grad, [2.0])


def test_modes_nest_and_are_restored_by_errors():
    x = leaf(1.0)
    with tg.no_grad():
        assert not (x * 2).requires_grad
        with tg.enable_grad():
            assert (x * 2).requires_grad
            with pytest.raises(ZeroDivisionError), tg.no_grad():
                raise ZeroDivisionError
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_modes_as_decorators():
    x = leaf(1.0)

    @tg.no_grad()
    def plain(y, depth):
        return plain(y, depth - 1) if depth else (y * 2).requires_grad

    assert plain(x, 3) is False
    assert (x * 2).requires_grad
    assert not (tg.no_grad()(lambda s: s * 2)(tg.Scalar(1.0))).requires_grad


def test_a_context_copied_inside_a_block_keeps_its_mode():
    """What asyncio does for a task started inside the block."""
    x = leaf(1.0)
    with tg.no_grad():
        inside = contextvars.copy_context()
    assert inside.run(lambda: (x * 2).requires_grad) is False


def functions_in(source, name):
    """The functions defined anywhere in a class, by name."""
    (found,) = [c for c in ast.parse(source).body if getattr(c, "name", "") == name]
    return {f.name: f.args for f in ast.walk(found) if isinstance(f, ast.FunctionDef)}


@pytest.mark.parametrize("kind", [tg.Tensor, tg.Scalar])
def test_operators_and_methods_are_declared(kind):
    """What type checkers read in engine/declared.py is what the table filled in."""
    promised = functions_in(inspect.getsource(declared), f"{kind.__name__}Methods")
    for name, arguments in promised.items():
        found = vars(kind)[name]
        names = [a.arg for a in [*arguments.args, arguments.vararg] if a is not None]
        if not isinstance(found, property) and "other" not in names:
            assert list(inspect.signature(found).parameters)[1:] == names[1:]
    written = functions_in(inspect.getsource(sys.modules[kind.__module__]), kind.__name__)
    filled = {n for n, v in vars(kind).items() if inspect.isfunction(v) or type(v) is property}
    undeclared = {"__array_ufunc__", "__array_function__"}  # for NumPy
    if kind is tg.Scalar:
        undeclared |= {"__matmul__", "__rmatmul__"}  # always refused
    assert filled - set(written) - undeclared <= set(promised)


def test_deep_tensor_chain():
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    assert "made_by=add" in repr(y)
    with pytest.raises(GraphError, match=r"detach\(\)"):
        pickle.dumps(y)
    with pytest.raises(GraphError, match="copied"):
        copy.deepcopy(y)
    y.backward(retain_graph=True)
    assert_array_equal(x.grad, [1.0])
    del y


def test_deep_scalar_chain():
    x = tg.Scalar(1.0)
    y = x
    for _ in range(1_000_000):
        y = y + 1.0
    assert y.data == 1_000_001
    assert repr(y) == "Scalar(1e+06, made_by=add)"
    with pytest.raises(GraphError, match=r"detach\(\)"):
        pickle.dumps(y)
    y.backward(retain_graph=True)
    assert x.grad == 1.0
    del y  # the graph is still there: this must not recurse


@pytest.mark.parametrize("x", [tg.Scalar(1.0), tg.tensor(1.0, requires_grad=True)])
def test_sixty_doublings_take_linear_time(x):
    y = x
    for _ in range(60):
        y = y + y
    start = time.perf_counter()
    y.backward()
    assert x.grad == 2.0**60
    assert time.perf_counter() - start < 1


def test_leaves_can_be_copied_and_pickled():
    x, s = leaf(1.0, 2.0), tg.Scalar(3.0)
    for again in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert_array_equal(again.data, x.data)
        assert again.requires_grad and again.dtype == x.dtype
        assert not np.shares_memory(again.data, x.data)
    assert pickle.loads(pickle.dumps(s)).data == 3.0
    assert not copy.copy(s.detach()).requires_grad


def test_tensor_copies_and_asarray_shares():
    a = np.ones(2)
    copied, shared = tg.tensor(a), tg.asarray(a)
    a[0] = 5.0
    assert_array_equal(copied.data, [1.0, 1.0])
    assert shared.data is a
    assert tg.asarray(shared) is shared


def test_dtypes():
    assert tg.tensor([1.0]).dtype == np.float32
    assert tg.tensor(np.ones(1)).dtype == np.float64
    assert tg.tensor([np.float64(1)]).dtype == np.float64
    assert tg.tensor([1, 2]).dtype == np.int64
    x = leaf(1.0, dtype="float32")
    assert (x * 2.0 + 1 - tg.Scalar(3.0)).dtype == np.float32
    assert (x * np.ones(1)).dtype == np.float64
    (x * np.ones(1)).sum().backward()
    assert x.grad.dtype == np.float32
    with pytest.raises(DTypeError, match="expected a floating dtype, got int32"):
        tg.set_default_dtype("int32")


def train(seed, steps, mode):
    """The weights and losses of a small net after some steps."""
    with mode():
        rng = tg.manual_seed(seed)
        model = tg.nn.Sequential(tg.nn.Linear(3, 8), tg.nn.Tanh(), tg.nn.Linear(8, 2))
        optimizer = tg.optim.Adam(model.parameters(), lr=0.01)
        losses = []
        for _ in range(steps):
            x = rng.normal(size=(5, 3)).astype("float32")
            with tg.no_grad():
                assert not model(x).requires_grad
            with tg.enable_grad():
                loss = tg.nn.functional.mse_loss(model(x), np.sin(x[:, :2]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses, [p.data.copy() for p in model.parameters()]


def test_threads_train_as_if_alone():
    """Each thread with its own seed and mode, all in each other's way."""
    jobs = [(i, 60, [tg.debug, tg.no_grad, tg.enable_grad][i % 3]) for i in range(6)]
    alone = [train(*job) for job in jobs]
    together = [None] * len(jobs)
    barrier = threading.Barrier(len(jobs))

    def work(i):
        barrier.wait()
        together[i] = train(*jobs[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for (losses, weights), (expected, wanted) in zip(together, alone, strict=True):
        assert losses == expected
        for w, v in zip(weights, wanted, strict=True):
            assert_array_equal(w, v)


def test_scalar_passes_at_once_share_leaves_without_mixing():
    """One of them has the column of the nodes, the others must take a table."""
    x = tg.Scalar(1.0)
    inner = []

    def nested(gradient):
        y = tg.Scalar(3.0)
        (y * y * x).backward()
        inner.append(y.grad)

    z = x * 2.0
    z.register_hook(nested)
    (z * x).backward()  # d/dx 2 x^2 = 4, and 9 from the pass inside
    assert inner == [6.0]
    assert x.grad == 13.0


def test_a_failed_scalar_pass_leaves_nothing_behind():
    x = tg.Scalar(2.0)
    shared = x * 3.0
    shared.backward()
    loss = (x * x) * shared
    with pytest.raises(GraphError, match="already used"):
        loss.backward()
    assert x.grad == 3.0
    (x * x).backward()
    assert x.grad == 7.0


def test_scalar_constants_get_no_gradient():
    x, c = tg.Scalar(2.0), tg.Scalar(3.0, requires_grad=False)
    (x * c + c).backward()
    assert x.grad == 3.0 and c.grad is None


def test_scalars_hold_python_floats_whatever_computed_them():
    @tg.autograd.operation("elementwise", dx=lambda g, x: g * 2 * x)
    def numpy_square(x):
        return np.multiply(x, x)

    try:
        x = tg.Scalar(3.0)
        y = numpy_square(x) * 2 + 1
        assert type(y.data) is float and y.data == 19.0
        y.backward()
        assert type(x.grad) is float and x.grad == 12.0
    finally:
        undefine("numpy_square")


def test_scalars_and_numbers_on_either_side():
    x = tg.Scalar(2.0)
    y = (3 - x) * 2.0 / (1 + x) + 2**x + x**2 + 7 % x + (-x) // 2
    y.backward()
    a = 2.0
    slope = -2.0 / (1 + a) - (3 - a) * 2.0 / (1 + a) ** 2 + 2**a * np.log(2) + 2 * a - 7 // a
    assert y.data == (3 - a) * 2.0 / (1 + a) + 2**a + a**2 + 7 % a + (-a) // 2
    assert x.grad == pytest.approx(slope, rel=1e-14)
    with tg.no_grad():
        assert not (x * 2).requires_grad and not tg.tanh(x).requires_grad


def test_every_family_offers_its_functions_at_the_top_level():
    """`__all__` of the files in ops/ and of the package are two lists; here they are one."""
    offered = set()
    for module in pkgutil.walk_packages(tg.ops.__path__, "tinygrad_cs.ops."):
        if not module.ispkg and not module.name.startswith("tinygrad_cs.ops.linalg"):
            offered |= set(getattr(importlib.import_module(module.name), "__all__", ()))
    functions = {
        n
        for n in tg.__all__
        if getattr(getattr(tg, n), "__module__", "").startswith("tinygrad_cs.ops.")
    }
    assert functions == offered
    assert len(tg.__all__) == len(set(tg.__all__))
    assert all(getattr(tg.ops, name) is getattr(tg, name) for name in functions)


@pytest.mark.parametrize("kind", [tg.Tensor, tg.Scalar, tg.nn.Parameter])
def test_methods_say_what_they_do(kind):
    public = {name: getattr(kind, name) for name in dir(kind) if name[0] != "_"}
    methods = {name: x for name, x in public.items() if callable(x) or isinstance(x, property)}
    assert len(methods) > 5
    assert not [name for name, method in methods.items() if not inspect.getdoc(method)]
