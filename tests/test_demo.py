"""The main job: quick runs that look at everything it leaves, and whether it learns to read."""

import re
import runpy
import sys

import numpy as np
import pytest
import style
import train_digits
from matplotlib.colors import to_rgb
from matplotlib.image import imread

QUICK = ["--epochs", "3", "--hidden", "24", "16"]


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory):
    """The folder of a run with three epochs."""
    out = tmp_path_factory.mktemp("digits") / "made" / "by the demo"
    train_digits.main([*QUICK, "--out", str(out)])
    return out


@pytest.mark.parametrize(
    ("name", "colours"),
    [("curves.png", (style.BLUE, style.ORANGE)), ("mistakes.png", ("black", style.ORANGE))],
)
def test_pictures_show_something(quick_run, name, colours):
    picture = imread(quick_run / name)[..., :3]
    assert min(picture.shape[:2]) > 300
    for colour in colours:
        assert np.isclose(picture, to_rgb(colour), atol=0.01).all(axis=-1).sum() > 50


def test_weights_are_plain_arrays(quick_run):
    with np.load(quick_run / "weights.npz", allow_pickle=False) as weights:
        assert [array.shape for array in weights.values()] == [
            (24, 64), (24,), (16, 24), (16,), (10, 16), (10,),
        ]  # fmt: skip


def test_output_without_a_terminal_is_line_by_line(tmp_path, capsys):
    train_digits.main([*QUICK, "--out", str(tmp_path), "--seed", "5"])
    printed, progress = capsys.readouterr()
    assert progress == ""
    assert "\r" not in printed and "\x1b" not in printed
    assert "gradient check" in printed
    lines = printed.splitlines()
    epochs = [
        line for line in lines if re.match(r"epoch \d/3: .*validation accuracy 0\.\d{4}", line)
    ]
    assert len(epochs) == 3
    assert re.fullmatch(r"test accuracy: 0\.\d{4}", lines[-1])
    accuracy = lines[-1].split()[-1]
    assert any(line.endswith(accuracy) and "saved weights" in line for line in lines[:-1])

    train_digits.main([*QUICK, "--out", str(tmp_path), "--seed", "5"])
    assert capsys.readouterr().out == printed, "the same seed, the same numbers"


def test_a_terminal_gets_a_bar(tmp_path, capsys, monkeypatch):
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    train_digits.main([*QUICK, "--out", str(tmp_path)])
    printed, progress = capsys.readouterr()
    assert "3/3" in progress and "validation accuracy" in progress
    assert "epoch 1/3" not in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "--epochs: expected a whole number >= 1, got"),
        (["--epochs", "many"], "--epochs"),
        (["--hidden", "0"], "--hidden: expected a whole number >= 1, got"),
        (["--hidden", "32", "-5"], "--hidden"),
        (["--seed", "-1"], "--seed"),
        (["--colour"], "--colour"),
    ],
)
def test_bad_arguments_are_explained(arguments, message, capsys, tmp_path):
    with pytest.raises(SystemExit, match="2"):
        train_digits.main([*arguments, "--out", str(tmp_path)])
    assert message in capsys.readouterr().err


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit, match="0"):
        train_digits.main(["--help"])
    printed = capsys.readouterr().out
    for option in ("--seed", "--epochs", "--hidden", "--out"):
        assert option in printed


def test_a_folder_that_cannot_be_written_to(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SystemExit, match="2"):
        train_digits.main([*QUICK, "--out", str(tmp_path / "file" / "digits")])
    printed = capsys.readouterr()
    assert printed.out == "", "known before training"
    assert printed.err.startswith("Cannot write to") and printed.err.count("\n") == 1


@pytest.mark.parametrize("name", ["sklearn", "matplotlib", "tqdm"])
def test_missing_extras_are_named(name, monkeypatch):
    monkeypatch.delitem(sys.modules, "style", raising=False)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SystemExit, match=rf'{name}.*pip install "\.\[demos\]"'):
        runpy.run_path(train_digits.__file__)


def test_the_network_learns_to_read(tmp_path, capsys):
    train_digits.main(["--out", str(tmp_path)])
    assert float(capsys.readouterr().out.split()[-1]) >= 0.97


@pytest.mark.parametrize("seed", range(1, 10))
def test_other_seeds_learn_to_read_too(seed, tmp_path, capsys, monkeypatch):
    for name in ("draw_curves", "draw_mistakes"):
        monkeypatch.setattr(train_digits, name, lambda *arguments: None)
    train_digits.main(["--out", str(tmp_path), "--seed", str(seed)])
    assert float(capsys.readouterr().out.split()[-1]) >= 0.96
