"""`.source` of a compiled function: a file that needs NumPy alone and computes the same bits."""

import re
import subprocess
import sys

import numpy as np
import pytest
from both_ways import OPERATIONS, leaves, net, trainer, with_backward
from numpy.testing import assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn, optim

RNG = np.random.default_rng(0)


def digits():
    return net(6, 8, 3), RNG.normal(size=(5, 6))


def convolutional():
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 3)
    ), RNG.normal(size=(5, 1, 4, 4))


class Rows(nn.Module):
    """The class of a sequence from the last state."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 5, batch_first=True)
        self.head = nn.Linear(5, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


def recurrent():
    return Rows(), RNG.normal(size=(5, 3, 4))


class Encoder(nn.Module):
    """One layer of attention over short sequences."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.layer(x).mean(axis=1))


def attention():
    return Encoder(), RNG.normal(size=(5, 3, 8))


NETS = {"digits": digits, "convolutional": convolutional, "lstm": recurrent, "encoder": attention}
OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "adam": lambda p: optim.Adam(p, lr=0.01),
}

FRESH = """
import sys
assert not any(name.startswith("tinygrad") for name in sys.modules)
arguments = dict(np.load({given!r}))
arguments = {{k: v.item() if v.ndim == 0 and k in {numbers!r} else v for k, v in arguments.items()}}
if {seed} is not None:
    arguments["random"] = np.random.default_rng({seed})
result = {name}(**arguments)
outputs, kept = result if {kept} else (result, ())
arguments.pop("random", None)
np.savez({found!r}, *outputs, *kept, **{{f"in_{{k}}": v for k, v in arguments.items()}})
"""


def run_alone(source, name, given, tmp_path, numbers=(), seed=None, kept=False):
    """The program in a fresh interpreter: what it returned, and its arguments afterwards."""
    np.savez(tmp_path / "given.npz", **given)
    script = source + FRESH.format(
        given=str(tmp_path / "given.npz"), found=str(tmp_path / "found.npz"),
        name=name, numbers=tuple(numbers), seed=seed, kept=kept,
    )  # fmt: skip
    (tmp_path / "program.py").write_text(script)
    subprocess.run([sys.executable, "-I", str(tmp_path / "program.py")], check=True)
    return dict(np.load(tmp_path / "found.npz"))


def inputs_of(source, name):
    """The names of a program's arguments."""
    return re.search(rf"^def {name}\((.*)\):$", source, re.MULTILINE)[1].split(", ")


@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
@pytest.mark.parametrize("kind", list(NETS))
def test_a_training_step_runs_by_itself(kind, optimizer, tmp_path):
    """The loss, the weights and the running statistics after a step, to the last bit."""
    tg.manual_seed(0)
    model, x = NETS[kind]()
    _, opt, step = trainer(tg.compile, OPTIMIZERS[optimizer], model)
    x, y = x.astype("f4"), np.array([0, 2, 1, 1, 0])
    step(x, y)
    source = step.source
    assert "tinygrad" not in source and "t_2000" not in source and "scratch" not in source
    (block,) = opt._blocks[0]
    buffers = {
        name.replace(".", "_") if not name[0].isdigit() else f"layers_{name.replace('.', '_')}":
        array for name, array in model.state_dict().items()
    }  # fmt: skip
    known = {
        "x": x, "y": y, "lr": opt.param_groups[0]["lr"], "steps": _count(block.counts[0]),
        "parameters": block.buffer.values, "gradients": block.buffer.grads,
    } | block.state | buffers  # fmt: skip
    names = inputs_of(source, "step")
    given = {name: np.array(known[name]) for name in names if name != "random"}
    draws = "random" in names
    assert draws == (kind in ("digits", "encoder"))
    if draws:
        tg.manual_seed(5)
    loss = step(x, y)
    found = run_alone(
        source, "step", given, tmp_path, ("lr", "steps"), 5 if draws else None, kind == "digits"
    )
    assert_array_equal(found["arr_0"], loss.data)
    assert_array_equal(found["in_parameters"], block.buffer.values)
    assert_array_equal(found["in_gradients"], block.buffer.grads)
    for name, array in block.state.items():
        assert_array_equal(found[f"in_{name}"], array)
    if kind == "digits":
        assert_array_equal(found["arr_1"], model[1].running_mean.data)
        assert_array_equal(found["arr_2"], model[1].running_var.data)


def _count(count):
    return count[0] if isinstance(count, tuple) else count


def test_a_derivative_runs_by_itself(tmp_path):
    slope = tg.compile(tg.func.grad(lambda x, w: (tg.tanh(x @ w) ** 2).sum(), 1))
    x, w = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2))
    expected = slope(x, w)
    name = re.search(r"^def (\w+)\(", slope.source, re.MULTILINE)[1]
    given = dict(zip(inputs_of(slope.source, name), (x, w), strict=True))
    found = run_alone(slope.source, name, given, tmp_path)
    assert_array_equal(found["arr_0"], expected)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_forward_and_backward_from_its_text(name):
    call, arrays = with_backward(name)
    compiled = tg.compile(call)
    compiled(*leaves(arrays))
    given = leaves([1.01 * a for a in arrays])
    expected = compiled(*given)
    assert "tinygrad" not in compiled.source
    names: dict = {}
    exec(compiled.source, names)
    found = names["call"](*[x.data.copy() for x in given])
    grads = [x.grad for x in given if x.grad is not None]
    outputs, kept = found if grads else (found, ())
    assert_array_equal(outputs[0], expected.data)
    for grad in grads:
        same = [g for g in kept if np.shape(g) == grad.shape]
        assert any(np.array_equal(grad, g, equal_nan=True) for g in same)


def test_the_lines_say_what_they_are():
    tg.manual_seed(0)
    model, x = digits()
    _, _, step = trainer(tg.compile, OPTIMIZERS["adam"], model)
    step(x.astype("f4"), np.array([0, 2, 1, 1, 0]))
    lines = step.source[step.source.index("# forward") :].splitlines()[1:-1]
    bare = [line for line in lines if line.strip() and "#" not in line]
    assert not bare
    for line in [
        "assert y.view(np.uint64).max() < 3  # as in the run that was traced",
        "relu = np.maximum(standardize, 0)  # relu",
        "d_drop = d_linear_2 @ layers_4_weight  # d loss / d drop, through linear",
        "m *= 0.9  # m: the gradients' moving sum",
        "v += gradients * gradients  # v: that of their squares",
    ]:
        assert f"    {line}" in lines
    assert not re.search(r"\(\(\w+ [*/] \w+\)\)", step.source)


@pytest.mark.parametrize(
    "text",
    ["a - (b - c)", "a - b - c", "a / (b * c)", "a * b + c", "(a + b) * c", "-a ** 2", "(-a) ** 2",
     "(a ** b) ** c", "a ** b ** c", "a * (b @ c)", "(a < b) * c", "-(a + b)", "a - -b",
     "1 / (a + b) ** 2", "a % b * c", "a // (b % c)"],
)  # fmt: skip
def test_parentheses_stand_where_they_matter(text):
    """The text of a program is the same expression as the function's."""
    a, b, c = (abs(RNG.normal(size=(3, 3))) + 0.5 for _ in range(3))
    names = {"a": a, "b": b, "c": c}
    f = eval(f"lambda a, b, c: {text}", {})
    compiled = tg.compile(f)
    expected = compiled(a, b, c)
    assert_array_equal(expected, f(a, b, c))
    made: dict = {}
    exec(compiled.source, made)
    (found,) = made["program"](**names)
    assert_array_equal(found, expected)
