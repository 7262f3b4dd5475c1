"""`tg.compile(f, backend="numba")`: the same results up to rounding, from loops."""

import os
import subprocess
import sys

import numpy as np
import pytest
from both_ways import (
    OPERATIONS,
    compare_call,
    compare_modules,
    compare_state,
    leaves,
    net,
    squared,
    trainer,
    twins,
    with_backward,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from module_cases import CASES, ids
from numpy.testing import assert_allclose, assert_array_equal
from test_compile_drawn import program

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.engine import errors

pytest.importorskip("numba")

EVERY = int(os.environ.get("NUMBA_CASES_EVERY", "24"))  # 1: all of them, which takes half an hour
CHOSEN = CASES[::EVERY]
CHOSEN_IDS = ids(CASES)[::EVERY]


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory):
    """Machine code of these tests stays theirs."""
    before = os.environ.get("TINYGRAD_CS_CACHE")
    os.environ["TINYGRAD_CS_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["TINYGRAD_CS_CACHE"]
    else:
        os.environ["TINYGRAD_CS_CACHE"] = before


def loops(f):
    return tg.compile(f, backend="numba")


def assert_close(a, b):
    assert (a is None) == (b is None)
    if a is not None:
        a, b = np.asarray(a), np.asarray(b)
        assert a.dtype == b.dtype and a.shape == b.shape
        scale = np.abs(b[np.isfinite(b)]).max(initial=0) if b.dtype.kind == "f" else 0
        assert_allclose(a, b, rtol=1e-12, atol=1e-13 * (1 + scale))


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("case", CHOSEN, ids=CHOSEN_IDS)
def test_modules_forward_and_backward(case, training):
    compare_modules(case, training, loops, assert_close)


@pytest.mark.parametrize("name", OPERATIONS[::EVERY])
def test_operations_forward_and_backward(name):
    call, arrays = with_backward(name)
    compiled = loops(call)
    for factor in (1.0, 1.01):
        compare_call(call, compiled, [a * factor for a in arrays], assert_close)


SHAPES = st.sampled_from(
    [
        *("product", "row sums", "column means", "choice", "rectifier", "softmax", "maximum"),
        *("picked", "placed", "normalised", "flipped", "linear"),
    ]
)
STEPS = st.lists(st.tuples(SHAPES, st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=8)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS, st.integers(0, 10**6))
def test_drawn_programs(steps, seed):
    """Values and gradients, on other numbers than the program was traced with."""
    f = program(steps, passes=1)
    compiled = loops(f)
    rng = np.random.default_rng(seed)
    for _ in range(2):
        compare_call(f, compiled, rng.normal(size=(2, 3, 3)), assert_close)


OPTIMIZERS = {
    "adam": lambda p: tg.optim.Adam(p, lr=0.01),
    "adamw": lambda p: tg.optim.AdamW(p, lr=0.01, amsgrad=True),
    "sgd": lambda p: tg.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01),
}


@pytest.mark.parametrize("optimizer_of", list(OPTIMIZERS.values()), ids=list(OPTIMIZERS))
def test_fifty_steps_of_training(optimizer_of):
    """Dropout draws the same masks, statistics go on, the rate follows its schedule: float32."""
    rng = np.random.default_rng(0)
    points, labels = rng.normal(size=(32, 8)).astype("f4"), rng.integers(0, 3, 32)
    found = []
    for wrap in (lambda f: f, loops):
        tg.manual_seed(0)
        schedule_of = lambda o: tg.optim.lr_scheduler.CosineAnnealingLR(o, 50)  # noqa: E731
        model, _, call = trainer(wrap, optimizer_of, net(8, 16, 3, bias=False), schedule_of)
        tg.manual_seed(1)
        losses = [call(points, labels).item() for _ in range(50)]
        found.append((losses, {k: np.array(v) for k, v in model.state_dict().items()}))
    (expected, weights), (losses, ours) = found
    assert_allclose(losses, expected, rtol=2e-4)  # 50 steps: rounding of 1e-7 has grown
    assert_allclose(losses[:3], expected[:3], rtol=1e-6)
    for name, value in weights.items():
        assert_allclose(ours[name], value, rtol=2e-3, atol=2e-3, err_msg=name)


CONVOLUTIONS = {
    "plain": lambda: nn.Conv2d(2, 3, 3),
    "padded": lambda: nn.Conv2d(2, 3, (3, 2), padding=(2, 1), stride=(2, 1)),
    "dilated": lambda: nn.Conv2d(2, 3, 2, dilation=2, padding=1, bias=False),
    "pooled": lambda: nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
    "pool padded": lambda: nn.Sequential(nn.Conv2d(2, 3, 3), nn.MaxPool2d(3, 2, padding=1)),
    "two": lambda: nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Conv2d(3, 2, 2, stride=2)),
}


@pytest.mark.parametrize("make", list(CONVOLUTIONS.values()), ids=list(CONVOLUTIONS))
def test_convolutions_and_pooling(make):
    eager, twin = twins(make)
    compiled = loops(squared(twin))
    images = np.random.default_rng(0).normal(size=(2, 4, 2, 7, 8))
    for image in images:
        compare_call(squared(eager), compiled, [image], assert_close)
        compare_state(twin, eager, assert_close)
    if "Pool" in repr(eager):
        assert "positions_of_max_" in compiled.optimized_source


def test_pooling_of_nan_and_of_equal_entries():
    x = np.array([[[[1.0, 1, 2, 2], [1, 1, 2, np.nan], [3, -np.inf, 0, np.nan], [3, 0, 0, 0]]]])
    pool = lambda x: (nn.functional.max_pool2d(x, 2) * 1).sum().backward()  # noqa: E731
    ours, theirs = leaves([x]), leaves([x])
    pool(*ours)
    loops(pool)(*theirs)
    assert_array_equal(theirs[0].grad, ours[0].grad)


@pytest.mark.parametrize("shape", [(2, 4, 3), (1, 2, 1)])
@pytest.mark.parametrize("axis", [0, 2, (0, 2), None])
def test_sums_and_maxima_along_axes(shape, axis):
    """Of one entry or several, inside and outside of what stays."""

    def f(x):
        return tg.sum(x * 2, axis=axis) + 1, tg.max(x + 1, axis=axis) * 2

    x = np.random.default_rng(0).normal(size=shape)
    for ours, theirs in zip(loops(f)(x), f(x), strict=True):
        assert_close(ours, theirs)


def test_fused_values_need_no_memory():
    """A run of functions is one loop, and what stays inside of it is no array."""
    f = loops(lambda x: tg.relu(x * 2 + 1) * x - 3)
    x = np.linspace(-1, 1, 12).reshape(3, 4)
    assert_allclose(f(x), np.maximum(x * 2 + 1, 0) * x - 3, rtol=1e-15)
    text = f.optimized_source
    assert text.count("@njit") == 1 and text.count("for i in range(12)") == 1
    assert text.count("np.empty") == 1  # the result


def test_memory_of_results_is_the_callers():
    f = loops(lambda x: tg.exp(x * 2) + 1)
    first = f(np.zeros(5))
    kept = first.copy()
    f(np.ones(5))
    assert_array_equal(first, kept)


@pytest.mark.parametrize("layout", ["C", "F", "strided", "read-only"])
def test_arguments_of_any_layout(layout):
    x = np.arange(12.0).reshape(3, 4)
    given = {"C": x, "F": np.asfortranarray(x), "strided": np.repeat(x, 2, 1)[:, ::2],
             "read-only": x.copy()}[layout]  # fmt: skip
    if layout == "read-only":
        given.flags.writeable = False
    f = loops(lambda x: (x * 2 + 1) * x)
    for _ in range(2):
        assert_array_equal(f(given), (x * 2 + 1) * x)


def test_checks_of_labels_stay():
    logits = tg.tensor(np.zeros((3, 4)))
    f = loops(nn.functional.cross_entropy)
    assert f(logits, np.array([0, 1, 3])).item() == pytest.approx(np.log(4))
    with pytest.raises(errors.IndexOutOfRange):
        f(logits, np.array([0, 1, 4]))


def test_an_unknown_backend_is_refused():
    with pytest.raises(errors.ArgumentError, match=r'"numpy" or backend="numba", got .cuda.'):
        tg.compile(abs, backend="cuda")


def test_what_to_install_is_said_at_once(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(errors.MissingDependency, match=r"tinygrad_cs\[numba\]"):
        tg.compile(abs, backend="numba")


SCRIPT = """
import sys, numpy as np, tinygrad_cs as tg
f = tg.compile(lambda x: tg.relu(x * 2 + 1) * x, backend="numba")
print(f(np.arange(4.0)).tolist(), f.compile_seconds)
"""


def run_script(folder):
    environment = os.environ | {"TINYGRAD_CS_CACHE": str(folder)}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    values, seconds = done.stdout.rsplit(" ", 1)
    assert values == "[0.0, 3.0, 10.0, 21.0]"
    return float(seconds)


def test_machine_code_is_kept_between_processes_and_made_again_where_it_is_damaged(tmp_path):
    run_script(tmp_path)
    files = [p for p in tmp_path.rglob("*") if p.suffix in (".py", ".nbi", ".nbc")]
    assert len({p.suffix for p in files}) == 3
    dates = [p.stat().st_mtime_ns for p in files]
    run_script(tmp_path)
    assert [p.stat().st_mtime_ns for p in files] == dates
    for path in files:
        path.write_bytes(b"damaged")
        run_script(tmp_path)


def test_it_works_where_no_folder_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    assert run_script(tmp_path / "file") > 0
