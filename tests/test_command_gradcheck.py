"""`python -m tinygrad_cs gradcheck` of layers, losses and files of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tinygrad_cs as tg
from tinygrad_cs.__main__ import main


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("tanh", "--op tanh"),
        ("Linear", "--layer Linear"),
        ("mine.py", "--file mine.py"),
        ("tnah", "--op tnah or --layer tnah"),
    ],
)
def test_a_name_without_its_option_is_told_the_option(name: str, option: str, capsys) -> None:
    assert main(["gradcheck", name]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and told.rstrip().endswith(f"write {option}")


def rows(printed: str) -> dict[str, list[str]]:
    """The cells of each row by name."""
    lines = (line.split() for line in printed.splitlines())
    return {cells[0]: cells[1:] for cells in lines if cells and cells[-1] in ("ok", "FAILED")}


def test_every_exported_layer_and_loss_has_an_example_of_its_kind() -> None:
    from tinygrad_cs.commands import examples, layers

    assert set(examples.EXAMPLES) == set(layers.exported())
    for name, own in examples.EXAMPLES.items():
        assert own and all(type(example.make()).__name__ == name for example in own)


def test_gradcheck_of_all_layers_and_losses(capsys) -> None:
    from tinygrad_cs.commands import layers

    before = tg.manual_seed(1).bit_generator.state
    assert main(["gradcheck", "--layer", "*", "--order", "1"]) == 0
    printed = capsys.readouterr().out
    assert list(rows(printed)) == layers.exported()
    assert re.search(r"^(\d+) of \1 layers and losses passed in", printed, re.MULTILINE)
    from tinygrad_cs.engine import modes

    assert modes.generator().bit_generator.state == before
    assert modes.default_dtype() == np.float32


def test_gradcheck_of_some_layers_checks_parameters_and_second_derivatives(capsys) -> None:
    assert main(["gradcheck", "--layer", "*BatchNorm*", "--seed", "2"]) == 0
    found = rows(capsys.readouterr().out)
    assert list(found) == ["BatchNorm1d", "BatchNorm2d"]
    assert all(float(cells[0]) < 1e-4 and float(cells[1]) < 1e-4 for cells in found.values())
    assert main(["gradcheck", "--layer", "Liner"]) == 2
    assert "near it are Linear" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["gradcheck", "--layer", "Linear", "--op", "tanh"])


def test_gradcheck_fails_for_a_wrong_layer_and_for_one_without_an_example(
    monkeypatch, capsys
) -> None:
    from tinygrad_cs.commands import examples

    class Cut(tg.nn.Linear):
        def forward(self, x):
            return super().forward(x) + tg.tensor(self.bias.data)

    wrong = [examples.Example(lambda: Cut(3, 2), examples.normal((4, 3)))]
    monkeypatch.setitem(examples.EXAMPLES, "Linear", wrong)
    monkeypatch.delitem(examples.EXAMPLES, "Tanh")
    assert main(["gradcheck", "--layer", "Linear"]) == 1
    printed = capsys.readouterr().out
    assert rows(printed)["Linear"][-1] == "FAILED"
    assert "0 of 1 layers and losses passed" in printed and "bias" in printed
    assert main(["gradcheck", "--layer", "Tanh"]) == 1
    assert "no example" in capsys.readouterr().out


@pytest.fixture
def forgotten() -> Iterator[None]:
    """Takes out of the table what a file has defined."""
    before = set(tg.engine.record.TABLE)
    yield
    for name in set(tg.engine.record.TABLE) - before:
        tg.engine.define.undefine(name)


MINE = """
import numpy as np
import tinygrad_cs as tg
from tinygrad_cs import nn

@tg.autograd.operation("elementwise", name="{name}_right", dx=lambda g, x: g * 3 * x**2)
def cube(x):
    return x * x * x

@tg.autograd.operation(name="{name}_product", da=lambda g, b: g * b, db=lambda g, a: {rule})
def product(a, b):
    return a * b

class Scale(nn.Module):
    def __init__(self):
        self.inner = nn.Linear(5, 2)
    def forward(self, x):
        return cube(self.inner(x))

class Other(nn.Module):
    def __init__(self, size):
        self.factor = nn.Parameter(np.ones(size))
    def forward(self, x):
        return x * self.factor

GRADCHECK = {{
    "{name}_product": lambda rng: (rng.normal(size=3), rng.normal(size=3)),
    {entry}
}}
"""


def mine(path: Path, rule: str = "g * a", entry: str | None = None) -> str:
    if entry is None:
        entry = '"Other": lambda rng: (Other(3), rng.normal(size=(4, 3))),'
    path.write_text(MINE.format(name=path.stem, rule=rule, entry=entry))
    return str(path)


@pytest.mark.usefixtures("forgotten")
def test_gradcheck_of_a_file_of_ones_own(tmp_path: Path, capsys) -> None:
    assert main(["gradcheck", "--file", mine(tmp_path / "mine_right.py")]) == 0
    printed = capsys.readouterr().out
    names = ["mine_right_right", "mine_right_product", "Scale", "Other"]
    assert list(rows(printed)) == names and "4 of 4 definitions passed" in printed


@pytest.mark.usefixtures("forgotten")
def test_gradcheck_of_a_file_finds_what_is_wrong(tmp_path: Path, capsys) -> None:
    path = mine(tmp_path / "mine_wrong.py", rule="2 * g * a")
    assert main(["gradcheck", "--file", path, "--order", "1"]) == 1
    printed = capsys.readouterr().out
    found = rows(printed)
    names = ["mine_wrong_right", "mine_wrong_product", "Scale", "Other"]
    assert [found[name][-1] for name in names] == ["ok", "FAILED", "ok", "ok"]
    assert "analytic = 2 x numeric" in printed and "3 of 4 definitions passed" in printed


@pytest.mark.usefixtures("forgotten")
def test_gradcheck_of_a_file_says_what_it_cannot_guess(tmp_path: Path, capsys) -> None:
    assert main(["gradcheck", "--file", mine(tmp_path / "mine_short.py", entry="")]) == 1
    printed = capsys.readouterr().out
    assert 'GRADCHECK = {"Other": lambda rng: (Other(...)' in printed and "(size)" in printed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "expected a Python file"),
        ("x = 1", "defines no operation"),
        ("1 / 0", "fails itself: ZeroDivisionError"),
        (
            "from tinygrad_cs import nn\nclass A(nn.ReLU): ...\nGRADCHECK = {'B': None}",
            "names B, but the file defines only A",
        ),
    ],
)
def test_gradcheck_of_a_file_without_anything_to_check(text, message, tmp_path, capsys) -> None:
    path = tmp_path / "file.py"
    if text is not None:
        path.write_text(text)
    assert main(["gradcheck", "--file", str(path)]) == 2
    told = capsys.readouterr().err
    assert message in told and told.count("\n") == 1
