"""`tg.compile`: the program computes what the function computes, to the last bit."""

import subprocess
import sys

import numpy as np
import pytest
from both_ways import OPERATIONS, compare_call, compare_modules, net, trainer, with_backward
from module_cases import CASES, ids
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.engine import errors

RNG = np.random.default_rng(0)


def assert_same(a, b):
    assert (a is None) == (b is None)
    if a is not None:
        assert_array_equal(a, b)
        assert np.asarray(a).dtype == np.asarray(b).dtype


def assert_close(a, b):
    assert (a is None) == (b is None)
    if a is not None:
        assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_every_module_forward_and_backward(case, training):
    compare_modules(case, training, tg.compile, assert_same)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_forward_and_backward(name):
    """On other numbers than those it was traced with, too; and its source is Python."""
    call, arrays = with_backward(name)
    compiled = tg.compile(call)
    for factor in (1.0, 1.01):
        compare_call(call, compiled, [a * factor for a in arrays], assert_close)
    compile(compiled.source, "source", "exec")


OPTIMIZERS = {
    "sgd": lambda p: tg.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01),
    "adam": lambda p: tg.optim.Adam(p, lr=0.01),
    "adamw": lambda p: tg.optim.AdamW(p, lr=0.01, amsgrad=True),
    "rmsprop": lambda p: tg.optim.RMSprop(p, lr=0.01, momentum=0.5),
}


@pytest.mark.parametrize("optimizer_of", list(OPTIMIZERS.values()), ids=list(OPTIMIZERS))
def test_two_hundred_steps_of_training_give_the_same_weights(optimizer_of):
    """Batch normalisation, dropout, momentum or Adam, a cosine schedule."""
    points, labels = RNG.normal(size=(32, 8)).astype("f4"), RNG.integers(0, 3, 32)

    def made():
        tg.manual_seed(0)
        schedule_of = lambda o: tg.optim.lr_scheduler.CosineAnnealingLR(o, 200)  # noqa: E731
        return trainer(lambda f: f, optimizer_of, net(8, 16, 3), schedule_of)

    model, optimizer, step = made()
    tg.manual_seed(1)
    losses = [step(points, labels).item() for _ in range(200)]
    twin, other, twin_step = made()
    compiled = tg.compile(twin_step)
    tg.manual_seed(1)
    assert [compiled(points, labels).item() for _ in range(200)] == losses
    for (name, value), e in zip(
        twin.state_dict().items(), model.state_dict().values(), strict=True
    ):
        assert_array_equal(value, e, err_msg=name)
    assert other.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]
    # and the two can be mixed
    tg.manual_seed(2)
    expected = step(points, labels).item()
    tg.manual_seed(2)
    assert twin_step(points, labels).item() == expected


def test_the_source_runs_by_itself():
    """In a fresh interpreter, from the text alone, on the same numbers."""
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))

    @tg.compile
    def gradients(x, y):
        model.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        return loss

    x, y = RNG.normal(size=(5, 3)).astype("f4"), np.array([0, 1, 1, 0, 1])
    loss = gradients(x, y)
    source = gradients.source
    assert "tinygrad_cs" not in source and "layers_0_weight" in source
    assert "d loss / d " in source and "# backward" in source
    values = {name: p.data.tolist() for name, p in model.named_parameters()}
    script = f"""{source}
arrays = [np.array(a, np.float32) for a in {list(values.values())!r}]
(loss,), grads = gradients(*arrays, np.array({x.tolist()!r}, np.float32), np.array({y.tolist()!r}))
print(repr(float(loss)), [g.tolist() for g in grads])
"""
    run = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True
    )
    told, grads = run.stdout.split(" ", 1)
    assert float(told) == loss.item()
    for grad, p in zip(eval(grads), model.parameters(), strict=True):
        assert_array_equal(np.array(grad, "f4"), p.grad)


def test_pure_functions_and_their_derivatives():
    f = lambda x, w: (tg.tanh(x @ w) ** 2).sum()  # noqa: E731
    x, w = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2))
    assert_array_equal(tg.compile(tg.func.grad(f, 1))(x, w), tg.func.grad(f, 1)(x, w))
    second = tg.func.hessian(lambda w: f(x, w))
    assert_allclose(tg.compile(second)(w), second(w), rtol=1e-12)


def test_nested_arguments_and_results():
    f = tg.compile(lambda batch, scale: {"sum": batch["x"] + batch["y"][0], "scaled": scale * 2})
    out = f({"x": tg.tensor([1.0]), "y": (tg.tensor([2.0]),)}, 3.0)
    assert out["sum"].data == [3.0] and out["scaled"] == 6.0
    assert f({"x": tg.tensor([5.0]), "y": (tg.tensor([2.0]),)}, 4.0)["scaled"] == 8.0


def test_parameters_are_not_frozen():
    layer = nn.Linear(2, 1, bias=False)
    f = tg.compile(lambda x: layer(x))
    x = np.ones((1, 2), "f4")
    f(x)
    layer.load_state_dict({"weight": np.array([[3.0, 4.0]])})
    assert f(x).data == [[7.0]]


def test_mode_and_shape_make_programs_of_their_own():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
    f = tg.compile(lambda x: model(x))
    x = np.ones((4, 2), "f4")
    f(x)
    model.eval()
    assert_array_equal(f(x).data, model(x).data)
    assert_array_equal(f(x[:3]).data, model(x[:3]).data)
    assert f(x.astype("f8")).dtype == np.float64


def test_gradients_accumulate_without_zero_grad():
    w = tg.tensor([2.0], requires_grad=True)
    f = tg.compile(lambda: (w * w).sum().backward())
    f()
    f()
    f()
    assert w.grad == [12.0]


def test_results_and_gradients_share_no_memory():
    a, b = (tg.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    x = np.array([3.0, 4.0], "f4")

    @tg.compile
    def f(x):
        (a + b).sum().backward()
        return x * 1, a + 0, a / 1

    arrays = [np.asarray(getattr(y, "data", y)) for y in f(x)]
    arrays += [a.grad, b.grad, a.data, b.data, x]
    for i, one in enumerate(arrays):
        for other in arrays[i + 1 :]:
            assert not np.shares_memory(one, other)
    f(x)
    assert (a.grad == 2).all()


def test_many_programs_deserve_a_word():
    f = tg.compile(lambda x: x + 1)
    with pytest.warns(UserWarning, match="traced 9 times"):
        for n in range(9):
            f(np.ones(n + 1))


def branch(x):
    return x if x.sum() > 0 else -x


@pytest.mark.parametrize(
    "f",
    [
        branch,
        lambda x: float(x.sum()),
        lambda x: [v for v in x.data.tolist()],
        lambda x: x + 1 if x.sum().item() > 0 else x,
    ],
)
def test_what_depends_on_values_says_so_and_where(f):
    with pytest.raises(errors.CompileError, match=r"test_compile\.py:\d+.*tg\.where"):
        tg.compile(f)(tg.tensor([1.0, 2.0]))


def test_nothing_has_changed_after_a_failed_trace():
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout(0.5))
    optimizer = tg.optim.Adam(model.parameters(), lr=0.1)
    before, state = model.state_dict(), tg.engine.modes.generator().bit_generator.state

    def step(x):
        optimizer.zero_grad()
        loss = model(x).sum()
        loss.backward()
        optimizer.step()
        return loss if loss > 0 else -loss

    with pytest.raises(errors.CompileError):
        tg.compile(step)(np.ones((3, 2), "f4"))
    for name, value in model.state_dict().items():
        assert_array_equal(value, before[name])
    assert tg.engine.modes.generator().bit_generator.state == state
    assert optimizer.param_groups[0]["lr"] == 0.1 and all(
        p.grad is None for p in model.parameters()
    )
    step_eagerly = model(np.ones((3, 2), "f4")).sum()
    step_eagerly.backward()


def test_wrong_values_are_told_as_the_function_tells_them():
    f = tg.compile(lambda z, y: nn.functional.cross_entropy(z, y))
    z = np.zeros((2, 3), "f4")
    f(z, np.array([0, 2]))
    with pytest.raises(errors.IndexOutOfRange, match="classes go from 0 to 2"):
        f(z, np.array([0, 3]))


def test_a_block_skipped_at_random_draws_as_the_function_does():
    """Which blocks are computed is another program; the seeded numbers stay the same."""
    tg.manual_seed(0)
    blocks = [nn.StochasticDepth(nn.Linear(3, 3), p=0.5) for _ in range(3)]
    net = nn.Sequential(*blocks, nn.Dropout(0.5))
    compiled = tg.compile(lambda x: net(x))
    x = np.ones((2, 3), "f4")
    for seed in range(12):
        tg.manual_seed(seed)
        expected = [net(x).data for _ in range(2)]
        tg.manual_seed(seed)
        for e in expected:
            assert_array_equal(compiled(x).data, e)


def test_refusals():
    with pytest.raises(errors.ArgumentError, match="expected a function, got int"):
        tg.compile(3)
    with pytest.raises(errors.CompileError, match="before the first call"):
        _ = tg.compile(branch).source
    with pytest.raises(errors.CompileError, match="got set"):
        tg.compile(lambda x: x)({1, 2})


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "NAdam"])
def test_hyperparameters_that_change_are_numbers_of_the_program(name):
    """Momentum, betas, decay by a schedule of one's own: two programs, not one a step."""

    def trained(compiled):
        tg.manual_seed(0)
        layer = nn.Linear(4, 3)
        extra = {"momentum": 0.9} if name == "SGD" else {}
        optimizer = getattr(tg.optim, name)(layer.parameters(), lr=0.1, **extra)
        x, y = np.arange(32, dtype="f4").reshape(8, 4) / 32, np.arange(8) % 3

        def step(x, y):
            optimizer.zero_grad()
            nn.functional.cross_entropy(layer(x), y).backward()
            optimizer.step()

        step = tg.compile(step) if compiled else step
        group = optimizer.param_groups[0]
        for i in range(12):
            first = 0.8 + 0.1 * float(np.cos(i))
            group["weight_decay"] = 0.001 * (i % 3) + 0.001
            group["momentum" if name == "SGD" else "betas"] = (
                first if name == "SGD" else (first, 0.999)
            )
            step(x, y)
        return layer.weight.data.copy()

    assert_array_equal(trained(compiled=True), trained(compiled=False))


def test_a_failed_check_leaves_everything_as_it_was():
    """Also where the function draws and updates before it comes to what is wrong."""
    tg.manual_seed(0)
    first, second = (nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)) for _ in range(2))
    optimizers = [tg.optim.Adam(m.parameters(), lr=0.1) for m in (first, second)]

    @tg.compile
    def step(x, y, z):
        for model, optimizer, labels in zip((first, second), optimizers, (y, z), strict=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), labels).backward()
            optimizer.step()

    x, y = np.ones((2, 3), "f4"), np.array([0, 2])
    step(x, y, y)
    before = [p.data.copy() for m in (first, second) for p in m.parameters()]
    state = tg.engine.modes.generator().bit_generator.state
    program = step.optimized_source
    assert program.index("raise Stopped") < program.index("random(")
    wrong = np.array([0, 3])
    for labels in [(wrong, y), (y, wrong)]:
        with pytest.raises(errors.IndexOutOfRange, match="classes go from 0 to 2"):
            step(x, *labels)
        now = [p.data for m in (first, second) for p in m.parameters()]
        for p, e in zip(now, before, strict=True):
            assert_array_equal(p, e)
        assert tg.engine.modes.generator().bit_generator.state == state


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "NAdam"])
def test_long_updates_go_block_by_block(name):
    """By two threads from 2^18 entries on, with the same bits."""

    def trained(compiled, sizes):
        tg.manual_seed(0)
        layer = nn.Linear(*sizes)
        extra = {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1} if name == "SGD" else {}
        optimizer = getattr(tg.optim, name)(layer.parameters(), lr=0.01, **extra)
        x = RNG.normal(size=(3, sizes[0])).astype("f4")

        def step(x):
            optimizer.zero_grad()
            (layer(x) ** 2).sum().backward()
            optimizer.step()

        call = tg.compile(step) if compiled else step
        for _ in range(3):
            call(x)
        if compiled:
            assert "in_blocks(" in call.optimized_source
        return layer.weight.data.copy()

    for sizes in [(300, 250), (600, 500)]:
        state = RNG.bit_generator.state
        expected = trained(False, sizes)
        RNG.bit_generator.state = state
        assert_array_equal(trained(True, sizes), expected)


def test_a_program_prints_itself_at_every_stage(monkeypatch):
    from tinygrad_cs.compiler import variant

    printed = []
    for stage in ("simplify", "plan", "typed_numbers", "into_blocks"):
        made = getattr(variant, stage)
        monkeypatch.setattr(variant, stage, lambda p, made=made: (printed.append(str(p)), made(p)))
    tg.compile(lambda x: tg.tanh(x) * 2 + 1)(np.ones(3))
    assert "np.tanh(x)" in printed[0] and "buffer_1" not in printed[0]
    assert "buffer_1" in printed[-1] and all(p.startswith("program(x):") for p in printed)
