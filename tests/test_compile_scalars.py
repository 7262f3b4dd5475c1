"""`tg.compile` of nets of single numbers: plain Python floats, the same to the last bit."""

import math
import subprocess
import sys

import pytest

import tinygrad_cs as tg
from tinygrad_cs.engine import errors
from tinygrad_cs.engine.record import rows

ROWS = [
    name
    for name, op in rows().items()
    if op.scalar is not None and not op.params and op.rules and name != "to_scalar"
]


def neurons(seed=0):
    rng = tg.manual_seed(seed)
    layers = [
        [[tg.Scalar(rng.normal()) for _ in range(inputs + 1)] for _ in range(outputs)]
        for inputs, outputs in [(2, 4), (4, 4), (4, 1)]
    ]
    return layers, [p for layer in layers for row in layer for p in row]


def trainer(points, activation, decay=1e-3):
    layers, parameters = neurons()

    def score(x):
        for layer in layers:
            sums = [sum((w * a for w, a in zip(row, x, strict=False)), row[-1]) for row in layer]
            x = [activation(z) for z in sums] if layer is not layers[-1] else sums
        return x[0]

    def step(rate):
        for p in parameters:
            p.grad = None
        loss = sum(tg.relu(1 - y * score(x)) for x, y in points) / len(points)
        loss = loss + decay * sum(p * p for p in parameters)
        loss.backward()
        for p in parameters:
            p.data -= rate * p.grad
        return loss

    return step, parameters


POINTS = [((0.5, -1.0), 1.0), ((-1.5, 0.3), -1.0), ((0.1, 0.9), -1.0), ((2.0, 1.0), 1.0)]


@pytest.mark.parametrize("activation", [tg.relu, tg.tanh, tg.sigmoid], ids=lambda f: f.__name__)
def test_training_a_net_of_numbers(activation):
    plain, ours = trainer(POINTS, activation)
    compiled, theirs = trainer(POINTS, activation)
    compiled = tg.compile(compiled)
    for k in range(20):
        assert compiled(0.1 / (k + 1)).data == plain(0.1 / (k + 1)).data
        assert [(p.data, p.grad) for p in theirs] == [(p.data, p.grad) for p in ours]
    assert isinstance(theirs[0].data, float) and isinstance(theirs[0].grad, float)


@pytest.mark.parametrize("name", ROWS)
def test_every_operation_on_numbers(name):
    """On other numbers than those it was traced with, too."""
    op = rows()[name]
    low, high = op.domain or (-2.0, 2.0)
    low, high = (0.3, 0.9) if isinstance(low, str) else (low, high)
    function = tg.engine.record.FUNCTIONS[name]

    def f(*xs):
        out = function(*xs)
        out.backward(0.7)
        return out

    compiled = tg.compile(f)
    for k in (3, 5, 7):
        values = [
            low + (high - low) * ((k * (i + 2)) % 11 + 0.5) / 11 for i in range(len(op.operands))
        ]
        ours, theirs = [tg.Scalar(v) for v in values], [tg.Scalar(v) for v in values]
        expected, result = f(*ours), compiled(*theirs)
        assert result.data == expected.data or math.isnan(expected.data)
        for x, e in zip(theirs, ours, strict=True):
            assert x.grad == e.grad or math.isnan(e.grad)
    compile(compiled.source, "source", "exec")


def test_the_source_is_arithmetic_that_runs_by_itself():
    w, b = tg.Scalar(2.0), tg.Scalar(-1.0)

    @tg.compile
    def loss(x):
        w.grad = b.grad = None
        out = tg.tanh(w * x + b) ** 2
        out.backward()
        return out

    assert loss(0.3).data == pytest.approx(math.tanh(-0.4) ** 2)
    for line in ["tanh(w * x + b)", "# d loss / d w, through multiply", "import math"]:
        assert line in loss.source
    script = f"{loss.source}\nprint(loss(0.3, 2.0, -1.0))"
    run = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True
    )
    (out,), grads = eval(run.stdout)
    assert out == pytest.approx(math.tanh(-0.4) ** 2)
    assert sorted(grads) == sorted([w.grad, b.grad])


def test_a_branch_not_taken_sends_nothing():
    """sqrt has no slope at 0; where the program would send NaN, the function itself runs."""
    x = tg.Scalar(1.0)

    @tg.compile
    def f():
        x.grad = None
        out = tg.relu(tg.sqrt(x) - 2.0)
        out.backward()
        return out

    f()
    x.data = 0.0
    f()
    assert x.grad == 0.0


def test_values_that_floats_refuse():
    x = tg.Scalar(1.0)
    f = tg.compile(lambda: 1 / x)
    assert f().data == 1.0
    x.data = 0.0
    assert f().data == math.inf


def test_gradients_add_up_and_arguments_get_theirs():
    w = tg.Scalar(3.0)
    f = tg.compile(lambda x: (w * x).backward())
    x = tg.Scalar(2.0)
    for _ in range(3):
        f(x)
    assert (w.grad, x.grad) == (6.0, 9.0)


def test_what_is_read_before_it_is_used_is_not_frozen():
    w = tg.Scalar(3.0)
    f = tg.compile(lambda: w.data * 2)
    assert f() == 6.0
    w.data = 5.0
    assert f() == 10.0


@pytest.mark.parametrize("f", [lambda x: x if x > 0 else -x, lambda x: math.sin(x.item()), float])
def test_decisions_on_values_are_refused(f):
    with tg.no_grad(), pytest.raises(errors.CompileError, match=r"tg\.where"):
        tg.compile(lambda x: f(x))(tg.Scalar(1.0))


def test_a_graph_recorded_before_a_compiled_step_is_stale():
    w = tg.Scalar(3.0)
    old = w * w

    @tg.compile
    def step():
        w.grad = None
        (w * w).backward()
        w.data -= 0.1 * w.grad

    step()
    with pytest.raises(errors.GraphError, match="changed"):
        old.backward()
