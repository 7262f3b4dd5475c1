"""What `training.fit` shows: lines, bars in terminals and notebooks, and the time left."""

import io
import types

import pytest
from small_training import fit, points

import tinygrad_cs as tg


@pytest.fixture(autouse=True)
def seeded():
    tg.manual_seed(0)


def test_without_a_terminal_there_is_a_line_per_epoch(capsys):
    fit(x_y=points(16), validation=points(9), metrics="accuracy", progress=True)
    out, err = capsys.readouterr()
    first, second = out.splitlines()
    assert first.startswith("epoch 1/2: loss ") and second.startswith("epoch 2/2: loss ")
    for part in ("accuracy 0.", "validation loss", "validation accuracy", "lr 0.05"):
        assert part in first
    assert err == "" and "\r" not in out
    fit(progress=True, callbacks=lambda run: run.stop("enough"))
    assert capsys.readouterr().out.splitlines()[-1] == "enough"
    fit(progress=False)
    assert capsys.readouterr() == ("", "")


def pretend_terminal(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)


def test_in_a_terminal_there_is_a_bar(capsys, monkeypatch):
    pretend_terminal(monkeypatch)
    monkeypatch.setattr("tinygrad_cs.training.progress.REFRESH", 0.0)
    fit(validation=points(9), progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "epoch 2/2" in err and "14/14" in err and "validation loss" in err and "lr 0.05" in err
    with pytest.raises(ZeroDivisionError):
        fit(progress=True, callbacks=lambda run: 1 / 0)
    assert capsys.readouterr().err.endswith("\n"), "the bar is closed"


def pretend_notebook(monkeypatch, widgets):
    modules = __import__("sys").modules
    monkeypatch.setitem(modules, "ipykernel", types.ModuleType("ipykernel"))
    fake = types.ModuleType("ipywidgets") if widgets else None
    if widgets:
        fake.IntProgress = object
    monkeypatch.setitem(modules, "ipywidgets", fake)


def test_a_notebook_with_widgets_gets_the_bar_of_notebooks(monkeypatch):
    import tqdm.notebook

    made_bars = []

    class Recorded(tqdm.std.tqdm):
        """In the place of the widget, which only a real notebook can draw."""

        def __init__(self, **options):
            super().__init__(**options, file=io.StringIO())
            made_bars.append(self)

    monkeypatch.setattr(tqdm.notebook, "tqdm", Recorded)
    pretend_notebook(monkeypatch, widgets=True)
    fit(validation=points(9), progress=True)
    (bar,) = made_bars
    assert bar.n == bar.total == 14 and "validation loss" in bar.postfix and bar.disable


def test_a_notebook_without_widgets_gets_a_bar_of_text(capsys, monkeypatch):
    pretend_notebook(monkeypatch, widgets=False)
    fit(progress=True)
    out, err = capsys.readouterr()
    assert out == "" and "14/14" in err
    monkeypatch.setitem(__import__("sys").modules, "tqdm", None)
    fit(progress=True)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_without_tqdm_a_terminal_gets_lines(capsys, monkeypatch):
    pretend_terminal(monkeypatch)
    monkeypatch.setitem(__import__("sys").modules, "tqdm", None)
    fit(progress=True)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_time_left_is_told_when_it_is_worth_telling(capsys, monkeypatch):
    monkeypatch.setattr("tinygrad_cs.training.progress.WORTH_TELLING", 0.0)
    fit(progress=True)
    assert " s left" in capsys.readouterr().out
    from tinygrad_cs.training.progress import duration

    assert [duration(s) for s in (5, 300, 10_000)] == ["5 s", "5 min", "2.8 h"]
