"""Bad input: each a typed error that is also the built-in one, before anything is changed, with a
message that says what was expected, what came and what to write instead.
"""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.engine import errors
from tinygrad_cs.nn import functional


def leaf(values, dtype="float64"):
    return tg.tensor(np.array(values, dtype=dtype), requires_grad=True)


def refuses(error, builtin, *parts):
    """The error is of this library's type and of the built-in one; its message has these parts."""
    assert issubclass(error, tg.TinygradError) and issubclass(error, builtin)
    text = ".*".join(re.escape(part) for part in parts)
    return pytest.raises(error, match=f"(?s){text}")


shape = (errors.ShapeError, ValueError)
dtype = (errors.DTypeError, TypeError)
argument = (errors.ArgumentError, ValueError)
index = (errors.IndexOutOfRange, IndexError)
graph = (errors.GraphError, RuntimeError)
stale = (errors.StaleValueError, RuntimeError)
finite = (errors.NonFiniteError, FloatingPointError)
name = (errors.UnknownNameError, AttributeError)

X = tg.tensor(np.ones((2, 3)), requires_grad=True)
A = np.ones((4, 3))


@pytest.mark.parametrize(
    ("call", "kind", "parts"),
    [
        (lambda: X + A, shape, ["add", "a (2, 3)", "b (4, 3)", "axis -2: 2 against 4"]),
        (lambda: A * X, shape, ["multiply", "a (4, 3)", "b (2, 3)", "axis -2: 4 against 2"]),
        (lambda: tg.maximum(X, np.ones(2)), shape, ["maximum", "(2, 3)", "(2,)", "axis -1: 3 ag"]),
        (lambda: tg.where(A > 0, X, 0), shape, ["where", "(4,3)", "(2,3)"]),
        (
            lambda: X @ X,
            shape,
            ["matmul", "axis -1 of a (3)", "axis -2 of b (2)", "(2, 3) and (2, 3)"],
        ),
        (lambda: X @ tg.Scalar(1.0), shape, ["matmul", "(2, 3) and ()", "use *"]),
        (lambda: X.reshape(4), shape, ["reshape", "size 6 into shape (4,)", "(2, 3)"]),
        (lambda: X.sum(axis=2), index, ["sum", "axis 2 is out of bounds", "(2, 3)"]),
        (lambda: X.squeeze(0), shape, ["squeeze", "size not equal to one", "(2, 3)"]),
        (lambda: tg.broadcast_to(X, (2, 4)), shape, ["broadcast_to", "(2,3)", "(2,4)"]),
        (lambda: tg.concat([X, np.ones((2, 2))], 0), shape,
         ["concat", "along dimension 1", "3", "2", "arrays[0] (2, 3), arrays[1] (2, 2)"]),
        (lambda: tg.stack([X, A]), shape, ["stack", "same shape", "(2, 3)", "(4, 3)"]),
        (lambda: tg.max(X[:0]), shape, ["max", "zero-size", "(0, 3)"]),
        (lambda: tg.einsum("ij,jk", X, A), shape, ["einsum", "(2, 3)", "(4, 3)"]),
        (lambda: tg.einsum("ijk", X), shape, ["einsum", "2 axes", "'ijk' name 3"]),
        (lambda: tg.einsum("ij,jk", X), argument, ["einsum", "names 2 operands, got 1"]),
        (lambda: X[2], index, ["getitem", "index 2 is out of bounds for axis 0", "(2, 3)"]),
        (lambda: X["a"], index, ["getitem", "only integers", "(2, 3)"]),
        (lambda: X + "a", dtype, ["add", "expected a tensor, Scalar, array or number, got str"]),
        (lambda: [None] * X, dtype, ["object"]),
        (lambda: X + 1j, dtype, ["add", "complex"]),
        (lambda: tg.Scalar(1.0) + "a", dtype, ["add", "got str"]),
        (lambda: tg.tensor("abc"), dtype, ["strings"]),
        (lambda: tg.tensor(["a", "b"]), dtype, ["strings"]),
        (lambda: tg.tensor([1.0, None]), dtype, ["objects"]),
        (lambda: tg.tensor([1j]), dtype, ["complex"]),
        (lambda: tg.tensor([[1.0], [1.0, 2.0]]), dtype, ["rectangular"]),
        (lambda: tg.asarray({"a": 1}), dtype, ["objects"]),
        (lambda: tg.Scalar("1"), dtype, ["expected a number, got '1'"]),
        (lambda: tg.Scalar([1.0, 2.0]), dtype, ["got list", "tg.tensor"]),
        (lambda: tg.tensor([1, 2], requires_grad=True), dtype, ["int64", "dtype='float32'"]),
        (lambda: tg.tensor([True], requires_grad=True), dtype, ["bool"]),
        (lambda: len(X.sum()), dtype, ["no axes"]),
        (lambda: list(X.sum()), dtype, ["no axes", "t.item()"]),
    ],
)  # fmt: skip
def test_operations_refuse(call, kind, parts):
    with refuses(*kind, *parts):
        call()


def overwrite_entry(t):
    t[0] = 1.0


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda x: overwrite_entry(x), ["t[...] = v", "t.at[...].set(v)", ".add(v)"]),
        (lambda x: x.backward(), ["shape (2,)", "reduce it", "loss.mean().backward()"]),
        (lambda x: x.detach().sum().backward(), ["does not require a gradient", "no_grad"]),
        (lambda x: tg.Scalar(1.0).detach().backward(), ["does not require a gradient"]),
        (lambda x: float(x[0]), ["cut it off silently", "t.item()"]),
        (lambda x: int(x[0]), ["cut it off silently", "t.item()"]),
        (lambda x: float(tg.Scalar(1.0)), ["x.item()", "tg.sin"]),
        (lambda x: x.numpy(), ["t.detach().numpy()"]),
        (lambda x: np.asarray(x), ["t.detach().numpy()", "t.data"]),
        (lambda x: np.array([tg.Scalar(1.0)]), ["tg.stack"]),
        (lambda x: setattr(x * 2, "data", 0), ["computed by multiply"]),
        (lambda x: setattr(tg.Scalar(1.0) * 2, "data", 0), ["computed by multiply"]),
        (lambda x: setattr(x * 2, "requires_grad", False), ["use detach()"]),
        (lambda x: setattr(x * 2, "grad", np.ones(2)), ["only tensors you made"]),
        (lambda x: x.detach().retain_grad(), ["retain_grad", "does not require"]),
        (lambda x: tg.autograd.grad(x.sum(), x.detach()), ["input 0", "requires_grad=True"]),
        (lambda x: tg.autograd.grad(x.detach(), x), ["an output does not require a gradient"]),
    ],
)
def test_graphs_refuse(call, parts):
    with refuses(*graph, *parts):
        call(leaf([1.0, 2.0]))


@pytest.mark.parametrize(
    ("call", "kind", "parts"),
    [
        (lambda x: (x * 2).backward(np.ones(3)), shape, ["shape (2,), got (3,)"]),
        (lambda x: setattr(x, "grad", np.ones(3)), shape, ["shape (2,)", "got shape (3,)"]),
        (lambda x: setattr(x, "data", np.ones(3)), shape, ["shape (2,), got (3,)"]),
        (lambda x: setattr(x, "data", "abc"), dtype, ["strings"]),
    ],
)
def test_wrong_shapes_for_data_and_gradients(call, kind, parts):
    x = leaf([1.0, 2.0])
    with refuses(*kind, *parts):
        call(x)
    assert x.grad is None
    assert_array_equal(x.data, [1.0, 2.0])


def test_the_advice_for_assignments_works():
    x = leaf([1.0, 2.0])
    y = x.at[0].set(5.0)
    z = x.at[[0, 0]].add(1.0)
    assert_array_equal(x.data, [1.0, 2.0])
    assert_array_equal(y.data, [5.0, 2.0])
    assert_array_equal(z.data, [3.0, 2.0])


def test_misspelt_attributes():
    for thing in (X, tg.Scalar(1.0), tg):
        with pytest.raises(AttributeError, match="requires_grd"):
            _ = thing.requires_grd
    for thing in (X, tg.Scalar(1.0)):
        with pytest.raises(AttributeError):
            thing.requires_grd = True
    with refuses(*name, "Linear has no attribute 'wieght'", "did you mean 'weight'?"):
        _ = nn.Linear(1, 1).wieght


def views(w):
    """What may share memory with a parameter and is then used."""
    return {
        "itself": w,
        "transposed": w.T,
        "an entry": w[0],
        "a slice of a slice": w[:, 1:][:1],
        "reshaped": w.reshape(-1),
        "permuted": tg.permute_dims(w, (1, 0)),
        "squeezed": tg.squeeze(tg.expand_dims(w, 0), 0),
        "broadcast": tg.broadcast_to(w, (100, 100, 2, 2)),
    }


@pytest.mark.parametrize("which", views(leaf(np.ones((2, 2)))))
@pytest.mark.parametrize("operation", [lambda v: v * v, lambda v: v * 1.5 * v, tg.sin, tg.sqrt])
def test_a_step_between_forward_and_backward_is_found(which, operation):
    w = leaf([[1.0, 2.0], [3.0, 4.0]])
    optimizer = tg.optim.SGD([w], lr=0.1)
    loss = operation(views(w)[which]).sum()
    w.grad = np.ones((2, 2))
    optimizer.step()
    if operation is tg.sqrt:  # its rule reads the output, which is still right
        w.grad = None
        loss.backward()
        assert w.grad is not None
    else:
        with refuses(*stale, "needs the value", "changed it in place", "Call backward() before"):
            loss.backward()
        assert_array_equal(w.grad, np.ones((2, 2)))


def test_what_else_changes_values_in_place_is_found_too():
    layer = nn.Linear(2, 2)
    x = leaf([1.0, 2.0], "float32")
    for change in (
        lambda: layer.load_state_dict(layer.state_dict()),
        lambda: nn.init.zeros_(layer.weight),
    ):
        loss = layer(x).sum()
        change()
        with refuses(*stale, "linear needs the value"):
            loss.backward()
    s = tg.Scalar(2.0)
    square, linear = s * s, s * 3
    s.data = 5.0
    with refuses(*stale, "multiply needs the value"):
        square.backward()
    linear.backward()
    assert s.grad == 3.0


def test_a_step_that_concerns_others_is_no_reason_to_refuse():
    w, v = leaf([1.0]), leaf([2.0])
    loss = (w * w).sum()
    v.grad = np.ones(1)
    tg.optim.SGD([v], lr=0.1).step()
    loss.backward()
    assert_array_equal(w.grad, [2.0])
    v.grad = None
    (v + 1).sum().backward()  # add needs no values
    assert_array_equal(v.grad, [1.0])


def test_a_step_does_not_reach_a_detached_parameter():
    w, x = leaf([2.0]), leaf([3.0])
    optimizer = tg.optim.SGD([w], lr=1.0)
    loss = (x * w.detach()).sum()
    w.grad = np.ones(1)
    optimizer.step()
    loss.backward()
    assert_array_equal(w.data, [1.0])
    assert_array_equal(x.grad, [2.0])


def test_a_step_is_found_after_another_optimizer_took_the_parameter_over():
    w = leaf([2.0])
    first = tg.optim.SGD([w], lr=1.0)
    loss = (w * w).sum()
    w.grad = np.ones(1)
    first.step()
    tg.optim.SGD([w], lr=1.0)
    with refuses(*stale, "needs the value"):
        loss.backward()


def test_replacing_data_leaves_recorded_graphs_right():
    w = leaf([3.0])
    loss = (w * w).sum()
    w.data = np.array([100.0])
    loss.backward()
    assert_array_equal(w.grad, [6.0])


def test_a_stale_error_names_the_line_in_debug_mode():
    s = tg.Scalar(2.0)
    with tg.debug():
        y = s * s
    s.data = 1.0
    with refuses(*stale, "test_errors.py:"):
        y.backward()
    with refuses(*graph, "inside tg.debug()"):
        z = s * s
        z.backward()
        z.backward()


def test_debug_stops_at_the_first_value_that_is_not_finite():
    x = leaf([0.0, 4.0])
    with tg.debug():
        with refuses(*finite, "log produced an infinite value", "x in [0, 4]", "test_errors.py:"):
            tg.log(x)
        with refuses(*finite, "sqrt produced NaN", "x in [-4, -0]"):
            tg.sqrt(-x)
        y = tg.sqrt(x)
        with refuses(*finite, "derivative of sqrt with respect to x", "test_errors.py:"):
            y.sum().backward()
        with refuses(*finite, "divide produced an infinite value"):
            tg.Scalar(1.0) / tg.Scalar(0.0)
    assert tg.Scalar(1.0) / tg.Scalar(0.0) == np.inf


def test_debug_makes_recorded_arrays_read_only():
    a, x = np.ones(2), leaf([1.0, 2.0])
    with tg.debug():
        y = (tg.sin(x) * a).sum()
    for recorded in (a, x.data):
        with pytest.raises(ValueError, match="read-only"):
            recorded[0] = 5.0
    y.backward()


def test_debug_makes_arrays_read_only_only_while_they_are_needed():
    a, x = np.ones(2), leaf([1.0, 2.0])
    with tg.debug():
        (tg.sin(x) * a).sum().backward()
    a[0] = x.data[0] = 5.0  # raises where they are still read-only
    assert_array_equal([a, x.data], [[5, 1], [5, 2]])


def test_parameters_can_be_loaded_after_debugging():
    layer = nn.Linear(2, 2)
    with tg.debug():
        layer(leaf(np.ones((1, 2)), "float32")).sum().backward()
    layer.load_state_dict({"weight": np.ones((2, 2)), "bias": np.ones(2)})
    assert_array_equal(layer.weight.data, np.ones((2, 2)))


LOGITS = tg.tensor(np.zeros((2, 3)), requires_grad=True)


@pytest.mark.parametrize(
    ("target", "kind", "parts"),
    [
        (np.array([0, 3]), index, ["0 to 2", "(2, 3)", "[3]"]),
        (np.array([-1, 0]), index, ["0 to 2", "[-1]"]),
        (np.array([-1, 7], dtype="int8"), index, ["0 to 2", "[-1, 7]"]),
        (np.array([0, 255], dtype="uint8"), index, ["[255]"]),
        (np.array([0.0, np.nan]), dtype, ["float64 with NaN", ".astype('int64')"]),
        (np.array([0.0, 1.0]), dtype, ["must be integer, got float64;"]),
        (np.array(["a", "b"]), dtype, ["must be integer"]),
        (np.array([True, False]), dtype, ["bool"]),
        (np.array([0]), shape, ["(2, 3)", "(1,)"]),
        (np.array([[0], [1]]), shape, ["(2, 3)", "(2, 1)"]),
        (np.array(0), shape, ["(2, 3)", "()"]),
    ],
)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy_refuses_targets(target, kind, parts, reduction):
    with refuses(*kind, "cross_entropy", *parts):
        functional.cross_entropy(LOGITS, target, reduction=reduction)


@pytest.mark.parametrize("loss", [functional.cross_entropy, functional.mse_loss])
def test_losses_refuse(loss):
    with refuses(*argument, "reduction must be one of 'mean', 'sum', 'none', got 'avg'"):
        loss(LOGITS, np.array([0, 1]), reduction="avg")
    wrong = (
        np.zeros((0, 3)),
        np.zeros(0, int) if loss is functional.cross_entropy else np.zeros((0, 3)),
    )
    with refuses(*shape, "empty batch", "(0, 3)"):
        loss(*map(tg.tensor, wrong))


def test_mse_refuses_shapes_that_would_broadcast():
    with refuses(*shape, "mse_loss", "(2, 3) and (3,)", "reshape one of them"):
        functional.mse_loss(LOGITS, np.zeros(3))
    with refuses(*shape, "(4, 1) and (4,)"):
        functional.mse_loss(tg.tensor(np.zeros((4, 1))), np.zeros(4))


def test_mse_refuses_targets_that_are_not_numbers():
    with refuses(*argument, "mse_loss: the target holds NaN in 6 of 6 entries"):
        functional.mse_loss(LOGITS, np.full((2, 3), np.nan))


def test_reductions_are_checked_when_a_loss_is_made():
    for loss in (nn.CrossEntropyLoss, nn.MSELoss):
        with refuses(*argument, loss.__name__, "got 'Mean'"):
            loss(reduction="Mean")


def test_rules_that_cannot_be_right():
    wrong = {
        "returned shape (5,) for an operand of shape (2,)": lambda g: np.ones(5),
        "returned None": lambda g: None,
        "returned str": lambda g: "g",
    }
    for i, (message, rule) in enumerate(wrong.items()):
        operation = tg.autograd.operation(name=f"wrong{i}", dx=rule)(lambda x: x * 1)
        try:
            with refuses(errors.RuleError, RuntimeError, "dx", f"wrong{i}", message):
                operation(leaf([1.0, 2.0])).sum().backward()
        finally:
            from tinygrad_cs.engine.define import undefine

            undefine(f"wrong{i}")


@pytest.mark.parametrize(
    ("define", "parts"),
    [
        (lambda: tg.autograd.operation(dx=lambda g, z: g)(lambda x: x), ["asks for z"]),
        (lambda: tg.autograd.operation(dz=lambda g: g)(lambda x: x), ["dz is neither"]),
        (lambda: tg.autograd.operation("sideways"), ["'elementwise'", "got 'sideways'"]),
        (lambda: tg.autograd.operation(name="exp", dx=lambda g: g)(lambda x: x), ["already"]),
        (lambda: tg.autograd.operation(dx=lambda g: g)(lambda *x: x), ["variadic=True"]),
        (lambda: tg.autograd.operation()(lambda x: x), ["at least one rule"]),
    ],
)
def test_definitions_that_are_refused(define, parts):
    before = set(tg.engine.record.TABLE)
    with refuses(*argument, *parts):
        define()
    assert set(tg.engine.record.TABLE) == before


def test_a_step_that_skipped_a_parameter_did_not_change_it():
    a, b = leaf([1.0]), leaf([2.0])
    optimizer = tg.optim.SGD([a, b], lr=1.0)
    loss = (b * b).sum()
    a.grad = np.ones(1)
    optimizer.step()
    loss.backward()
    assert_array_equal(b.grad, [4.0])


def test_a_step_does_not_spoil_a_value_computed_from_the_parameter():
    w = leaf([1.0, 2.0])
    optimizer = tg.optim.SGD([w], lr=1.0)
    total = w.sum()
    square = total * total
    w.grad = np.ones(2)
    optimizer.step()
    optimizer.zero_grad()
    square.backward()
    assert_array_equal(w.grad, [6.0, 6.0])


def test_matmul_names_the_axes():
    with pytest.raises(tg.engine.errors.ShapeError, match=r"axis -1 of a \(3\) and axis -2 of b"):
        leaf(np.ones((2, 3))) @ leaf(np.ones((4, 2)))


def test_comparing_shapes_that_do_not_broadcast():
    with pytest.raises(tg.engine.errors.ShapeError, match=r"\(2,\) and \(3,\)"):
        assert leaf(np.ones(2)) == np.ones(3)


def test_an_integer_power_is_no_question_of_shape():
    with pytest.raises(tg.engine.errors.ArgumentError, match="negative integer powers"):
        tg.tensor([2]) ** -1


@pytest.mark.parametrize("groups", [[{"lr": 1.0}], [{"params": []}, "x"]])
def test_malformed_parameter_groups(groups):
    with pytest.raises(tg.engine.errors.ArgumentError, match="group"):
        tg.optim.SGD(groups)


def test_an_empty_batch_has_a_sum_but_no_mean():
    logits = tg.tensor(np.zeros((0, 3)), requires_grad=True)
    none = np.zeros(0, "int64")
    assert nn.functional.cross_entropy(logits, none, reduction="sum").item() == 0
    with pytest.raises(tg.engine.errors.ShapeError, match="empty batch"):
        nn.functional.cross_entropy(logits, none)
