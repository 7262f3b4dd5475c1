"""`python -m tinygrad_cs source`: the program of a compiled function in a user's file."""

import re
import subprocess
import sys

import numpy as np
import pytest

from tinygrad_cs.__main__ import main

TWO = """
import sys
import numpy as np
import tinygrad_cs as tg
from tinygrad_cs import nn

tg.manual_seed(0)
model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2))

@tg.compile
def step(x, y):
    model.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    return loss

print("the file itself says this")
step(np.ones((4, 2), np.float32), np.array([0, 1, 1, 0]))
slope = tg.compile(tg.func.grad(lambda x: (x * x).sum()))
if "both" in sys.argv:
    slope(np.ones(3))
never = tg.compile(np.tanh)
"""


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(TWO)
    return str(path)


def test_the_program_of_the_one_function_that_is_called(mine, capsys):
    assert main(["source", mine]) == 0
    told = capsys.readouterr()
    assert told.err == "the file itself says this\n"
    assert "d_linear = d_tanh * (1 - tanh * tanh)  # d loss / d linear, through tanh" in told.out
    names: dict = {}
    exec(told.out, names)
    shapes = [(3, 2), (3,), (2, 3), (2,)]
    arrays = [np.zeros(shape, np.float32) for shape in shapes]
    (loss,), grads = names["step"](*arrays, np.ones((4, 2), np.float32), np.array([0, 1, 1, 0]))
    assert np.isclose(loss, np.log(2)) and [g.shape for g in grads] == shapes


def test_one_of_several_by_its_name(mine, capsys):
    assert main(["source", f"{mine}:slope", "both"]) == 0
    told = capsys.readouterr().out
    assert "def " in told and "cross_entropy" not in told
    assert main(["source", "--optimized", f"{mine}:step", "both"]) == 0
    assert capsys.readouterr().out.startswith("def bind(")


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        (TWO, ["{}", "both"], r"compiles several functions: step, slope; choose one as .*:step"),
        (TWO, ["{}:other"], r"calls no compiled function 'other', but step"),
        (TWO, ["{}:never"], r"calls no compiled function 'never', but step"),
        ("x = 1", ["{}"], r"calls no compiled function; make one by tg.compile\(f\)"),
        ("1 / 0", ["{}"], r"mine.py fails itself: ZeroDivisionError: division by zero"),
        ("def", ["{}"], r"mine.py fails itself: SyntaxError"),
        ("raise SystemExit(3)", ["{}"], r"mine.py ended with exit status 3"),
        ("", ["{}x"], r"cannot read .*mine.pyx: expected a Python file"),
    ],
)
def test_errors_are_one_line(text, arguments, message, tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(text)
    assert main(["source", *(a.format(path) for a in arguments)]) == 2
    told = capsys.readouterr()
    lines = [line for line in told.err.splitlines() if "the file itself" not in line]
    assert told.out == "" and len(lines) == 1
    assert re.search(message, lines[0]), lines[0]


def test_what_the_file_changes_is_put_back(mine, capsys):
    before = (list(sys.path), list(sys.argv))
    main(["source", mine])
    capsys.readouterr()
    from tinygrad_cs.compiler import compiled

    assert (sys.path, sys.argv) == before and compiled.Compiled.__name__ == "Compiled"


def test_the_help():
    command = [sys.executable, "-m", "tinygrad_cs", "source"]
    told = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout
    assert "FILE[:NAME]" in told and "--optimized" in told and "demos/readable_backprop.py" in told


def test_the_lesson(tmp_path, capsys):
    lesson = ["demos/readable_backprop.py", "--quick", "--out", str(tmp_path)]
    assert main(["source", *lesson]) == 0
    told = capsys.readouterr().out
    assert told.startswith("import numpy as np\n") and "velocity *= 0.9" in told
