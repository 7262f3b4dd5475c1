"""The gradient checker: passes what is right, and catches and names every kind of wrong rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.__main__ import main
from tinygrad_cs.autograd import gradcheck, gradgradcheck, operation
from tinygrad_cs.engine.define import undefine
from tinygrad_cs.engine.errors import (
    ArgumentError,
    DTypeError,
    GradientCheckError,
    RuleError,
    TinygradError,
)
from tinygrad_cs.engine.record import TABLE

RNG = np.random.default_rng(0)
X, W, B = RNG.normal(size=(4, 3)), RNG.normal(size=(2, 3)), RNG.normal(size=(2,))


@pytest.fixture
def define() -> Iterator[Callable[..., Any]]:
    """Define an operation that is taken out of the table again after the test."""
    before = set(TABLE)
    yield operation
    for name in set(TABLE) - before:
        undefine(name)


def failure(f: Callable[..., Any], *inputs: Any, **options: Any) -> str:
    with pytest.raises(GradientCheckError) as caught:
        gradcheck(f, inputs, **options)
    assert isinstance(caught.value, (TinygradError, AssertionError))
    return str(caught.value)


def test_passes_functions_of_tensors_scalars_and_both() -> None:
    assert gradcheck(lambda x, w: tg.tanh(x @ w.T), (X, W), order=2)
    assert gradcheck(lambda a, b: a * tg.sin(b) / (a + 3.0), (0.5, 2.0), order=2)
    assert gradcheck(lambda a, x: tg.tanh(a * x) + tg.stack([a, a, a]), (0.5, X), order=2)
    assert gradcheck(lambda x: (x.sum(), x * x), X, order=2)


def test_checks_the_parameters_of_a_module_and_leaves_it_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    before = {name: array.copy() for name, array in model.state_dict().items()}
    x = X.astype(np.float32)
    copy = x.copy()
    report = gradcheck(model, x, order=2)
    names = [operand.name for operand in report.operands]
    assert "0.weight" in names and "2.bias, second order" in names
    assert report.checked > 200
    after = model.state_dict()
    assert all(np.array_equal(before[n], after[n]) and after[n].dtype == np.float32 for n in after)
    assert np.array_equal(x, copy)
    assert all(p.grad is None for p in model.parameters())
    assert all(type(p) is nn.Parameter for p in model.parameters())


def test_a_module_that_the_function_calls() -> None:
    model = nn.Linear(3, 2)
    y = np.array([0, 1, 1, 0])

    def loss(x: Any) -> Any:
        return nn.functional.cross_entropy(model(x), y)

    report = gradcheck(loss, X, module=model)
    assert [operand.name for operand in report.operands] == ["input 0", "weight", "bias"]


def test_integer_inputs_are_passed_on() -> None:
    report = gradcheck(lambda x, i: x[i], (X, np.array([0, 0, 2])))
    assert len(report.operands) == 1


def test_a_rule_wrong_by_a_tenth_of_a_percent(define: Any) -> None:
    @define("elementwise", dx=lambda g, x: g * 2.002 * x)
    def slightly_wrong_square(x: Any) -> Any:
        return x * x

    message = failure(slightly_wrong_square, X)
    assert "input 0 (4, 3)" in message
    assert "missing factor: analytic = 1.001 x numeric" in message
    assert "relative error 1.0e-03" in message
    large = failure(slightly_wrong_square, RNG.normal(size=(100, 100)))
    assert "random directions" in large and "analytic = 1.001 x numeric" in large


def test_a_dropped_term(define: Any) -> None:
    @define("elementwise", dx=lambda g, x: g * tg.sin(x))
    def product(x: Any) -> Any:
        return x * np.sin(x)

    message = failure(product, X)
    assert "a wrong formula" in message
    assert "at index (" in message and "analytic" in message and "numeric" in message
    assert "step" in message


def test_a_wrong_sign(define: Any) -> None:
    @define("elementwise", dx=lambda g, out: -g * out)
    def my_exp(x: Any) -> Any:
        return np.exp(x)

    assert "the sign is wrong" in failure(my_exp, X)


def test_a_forgotten_sum_over_the_batch(define: Any) -> None:
    @define(dx=lambda g, w: g @ w, dw=lambda g, x: g.T @ x, db=lambda g: g[0])
    def layer(x: Any, w: Any, b: Any) -> Any:
        return x @ w.T + b

    message = failure(layer, X, W, B)
    assert "input 2 (2,)" in message
    assert "a missing sum over a broadcast axis" in message


def test_a_mean_in_place_of_a_sum(define: Any) -> None:
    @define(dx=lambda g, w: g @ w, dw=lambda g, x: g.T @ x, db=lambda g: tg.mean(g, axis=0))
    def layer(x: Any, w: Any, b: Any) -> Any:
        return x @ w.T + b

    assert "4 is the length of an axis" in failure(layer, X, W, B)


def test_a_transposed_square_matrix(define: Any) -> None:
    @define("linear in each operand", dx=lambda g, m: (g @ m.T).T, dm=lambda g, x: x.T @ g)
    def times(x: Any, m: Any) -> Any:
        return x @ m

    m = RNG.normal(size=(3, 3))
    report = gradcheck(times, (m.copy(), m), raise_exception=False)
    assert not report and report.operands[0].likely and not report.operands[1].likely


def test_a_missing_gradient(define: Any) -> None:
    @define("elementwise", dx=lambda g, x: g * 0)
    def constant(x: Any) -> Any:
        return x * 3

    assert "the gradient is missing" in failure(constant, X)
    assert "the gradient is missing" in failure(lambda x: tg.asarray(x.data * 2), X)


def test_a_wrong_dtype_is_made_right_by_the_engine(define: Any) -> None:
    @define("elementwise", dx=lambda g, x: (g * np.cos(x)).astype(np.float64))
    def my_sin(x: Any) -> Any:
        return np.sin(x)

    x = tg.tensor([1.0], requires_grad=True)
    my_sin(x).sum().backward()
    assert x.grad.dtype == np.float32


def test_a_wrong_shape_names_the_rule(define: Any) -> None:
    @define(dx=lambda g: g[:1])
    def doubled(x: Any) -> Any:
        return x * 2

    with pytest.raises(RuleError, match=r"the rule dx of doubled returned shape \(1, 3\)"):
        gradcheck(doubled, X)


def test_a_rule_right_in_first_but_not_in_second_order(define: Any) -> None:
    # .data cuts the graph: the first derivative is right, its derivative is missing
    @define("elementwise", dx=lambda g, x: g * 3 * getattr(x, "_data", x) ** 2)
    def cube(x: Any) -> Any:
        return x * x * x

    assert gradcheck(cube, X)
    with pytest.raises(GradientCheckError, match="second order FAILED"):
        gradgradcheck(cube, X)
    with pytest.raises(GradientCheckError, match="second order FAILED"):
        gradcheck(cube, X, order=2)


def test_a_sum_that_is_constant_cannot_hide_an_error(define: Any) -> None:
    # The sum of a softmax is 1, so a loss of plain sums would accept any rule that gives zero.
    @define(dx=lambda g, out: out * 0 * g)
    def my_softmax(x: Any) -> Any:
        e = np.exp(x)
        return e / e.sum(axis=-1, keepdims=True)

    assert "the gradient is missing" in failure(my_softmax, X)


def test_kinks_are_found_and_left_out() -> None:
    x = np.array([0.0, 1.0, -1.0])
    report = gradcheck(tg.relu, x)
    assert report and report.kinks == 1
    assert report.checked == 8
    assert gradcheck(tg.abs, x), "0 lies between the slopes, and is what the difference gives"
    assert gradcheck(lambda x: tg.clip(x, -1, 1), x).kinks == 2
    near = gradcheck(tg.relu, np.array([1e-7, 1.0]))
    assert near, "a kink within the step of the difference is no error of the rule"


def test_a_kink_does_not_excuse_a_wrong_rule_elsewhere(define: Any) -> None:
    @define("elementwise", dx=lambda g, x: g * (x > 0) * 1.5)
    def wrong_relu(x: Any) -> Any:
        return np.maximum(x, 0)

    assert "analytic = 1.5 x numeric" in failure(wrong_relu, np.array([0.0, 1.0, -1.0]))


def test_a_step_that_is_too_large_is_not_blamed_on_the_rule() -> None:
    assert gradcheck(lambda x: tg.sin(300.0 * x), np.array([0.3, 0.7]))


def test_float32_is_refused_with_the_reason() -> None:
    with pytest.raises(DTypeError, match="float32"):
        gradcheck(lambda x: x.astype("float32"), X)


def test_a_random_function_is_recognised() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(GradientCheckError, match="two evaluations at the same point differ"):
        gradcheck(lambda x: x * rng.normal(), X)


def test_nothing_to_check() -> None:
    with pytest.raises(ArgumentError, match="nothing to check"):
        gradcheck(lambda i: i, np.array([1, 2]))


def test_a_report_instead_of_an_exception(define: Any) -> None:
    @define("elementwise", dx=lambda g: g)
    def twice(x: Any) -> Any:
        return 2 * x

    report = gradcheck(twice, 1.0, raise_exception=False)
    assert not report
    assert "analytic = 0.5 x numeric" in str(report)
    assert (report.operands[0].analytic, round(report.operands[0].numeric, 6)) == (1.0, 2.0)


def test_the_command_passes_and_prints_every_operation(capsys: Any) -> None:
    assert main(["gradcheck", "--cases", "2"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in TABLE)
    assert "\033" not in printed, "no colour where the output is no terminal"


def test_the_command_fails_on_a_wrong_operation(define: Any, capsys: Any) -> None:
    @define("elementwise", dx=lambda g, x: g * x)
    def bad_square(x: Any) -> Any:
        return x * x

    assert main(["gradcheck", "--op", "bad_square"]) == 1
    printed = capsys.readouterr().out
    assert "FAILED" in printed and "0.5 x numeric" in printed


def test_the_command_fails_on_an_operation_without_cases(define: Any, capsys: Any) -> None:
    @define(dx=lambda g: g)
    def uncheckable(x: Any) -> Any:
        return x

    assert main(["gradcheck", "--op", "uncheckable"]) == 1
    assert "no cases" in capsys.readouterr().out


def test_the_command_names_the_operations_there_are(capsys: Any) -> None:
    assert main(["gradcheck", "--op", "tahn"]) == 2
    assert "tanh" in capsys.readouterr().err


def test_gradcheck_command_takes_patterns_and_knows_functional_names(capsys):
    assert main(["gradcheck", "--op", "*conv*", "--cases", "1"]) == 0
    assert {"conv", "biased_conv"} <= {r.split()[0] for r in capsys.readouterr().out.splitlines()}
    assert main(["gradcheck", "--op", "conv2d"]) == 2
    assert "gradcheck(nn.functional.conv2d, inputs" in capsys.readouterr().err


def test_a_check_that_could_compare_nothing_does_not_pass():
    """Float32 inside: differences of its values are noise, which looks like kinks."""
    with pytest.raises(GradientCheckError, match=r"nothing could be compared|FAILED"):
        gradcheck(lambda x: (x * 1e4).astype("float32").astype("float64") * 1e-4, [np.ones(2)])


def test_evaluations_that_differ_by_rounding_are_the_same_function():
    """A recorded and a plain evaluation may differ in the last bit."""
    shift = iter(range(10**6))
    assert gradcheck(lambda x: x * (1 + 2e-16 * (next(shift) % 2)), [np.ones(3)])
