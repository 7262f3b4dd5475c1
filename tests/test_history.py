"""Histories: what is printed, drawn, written, and read again."""

import csv
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_cs import training
from tinygrad_cs.engine import errors
from tinygrad_cs.training import History, HistoryFileError

ROWS = [
    {"epoch": 1, "loss": 2.5, "validation_loss": 2.0, "validation_f1": [0.5, 1.0], "lr": 0.1},
    {"epoch": 2, "loss": 0.0004, "accuracy": np.float32(0.5), "validation_loss": math.nan},
]


def test_columns_and_rows():
    history = History(ROWS)
    assert history.columns == [
        "epoch",
        "loss",
        "validation_loss",
        "validation_f1",
        "lr",
        "accuracy",
    ]
    assert history["accuracy"] == [None, 0.5] and type(history["accuracy"][1]) is float
    assert len(history) == 2 and next(iter(history))["lr"] == 0.1
    with pytest.raises(errors.UnknownNameError, match="epoch, loss"):
        history["los"]
    assert History()["loss"] == [] and bool(History())


def test_it_prints_as_a_table():
    history = History(ROWS)
    history.stopped = "finished 2 epochs"
    assert repr(history).splitlines() == [
        "epoch       loss  validation loss   lr  accuracy",
        "    1     2.5000           2.0000  0.1          ",
        "    2  4.000e-04              nan         0.5000",
        "finished 2 epochs",
    ]
    assert "no epoch" in repr(History())


def test_csv_has_a_column_for_every_number(tmp_path):
    History(ROWS).to_csv(tmp_path / "history.csv")
    with open(tmp_path / "history.csv", newline="") as file:
        first, second = csv.DictReader(file)
    assert float(first["validation_f1.1"]) == 1 and first["accuracy"] == ""
    assert float(second["loss"]) == 0.0004 and float(second["epoch"]) == 2


numbers = st.one_of(st.floats(), st.integers(-(2**60), 2**60), st.none())
values = st.one_of(numbers, st.lists(st.floats(), max_size=3))
names = st.text(max_size=6).filter(lambda name: name not in ("stopped", "epoch"))


@given(rows=st.lists(st.dictionaries(names, values, max_size=4), max_size=4))
def test_json_lines_come_back_exactly(rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("history") / "history.jsonl"
    history = History([{"epoch": i, **row} for i, row in enumerate(rows)])
    history.stopped, history.best_epoch = "interrupted", 3
    history.to_json_lines(path)
    again = History.from_json_lines(path)
    # repr tells NaN, -0.0 and every digit apart
    assert repr(again.rows) == repr(history.rows)
    assert (again.stopped, again.best_epoch) == ("interrupted", 3)
    for line in path.read_text(encoding="utf-8").splitlines():
        assert "NaN" not in line.replace('"NaN"', "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", r"line 1 \(byte 0\): no JSON"),
        (b'{"epoch": 1}\n\xff\xfe\n', r"line 2 \(byte 13\): no JSON"),
        (b"[" * 100_000, "line 1"),
        (b"[1]", "expected an object, got list"),
        (b'{"loss": 1}', "number 'epoch'"),
        (b'{"epoch": 1, "loss": "high"}', "'loss'.*expected numbers, got 'high'"),
        (b'{"epoch": 1, "loss": {"a": 1}}', "'loss'"),
        (b'{"epoch": 1, "loss": NaN}', "NaN is no JSON"),
        (b'{"epoch": 1, "loss": ' + b"9" * 5000 + b"}", "no JSON"),
        (b'{"stopped": 3}', "'stopped' is 3"),
        (b'{"stopped": "done", "best_epoch": "x"}', "best_epoch"),
        (b'{"epoch": 1}' + b" " * (1 << 24), "longer than"),
    ],
)
def test_other_files_are_refused(tmp_path, text, message):
    path = tmp_path / "history.jsonl"
    path.write_bytes(text)
    with pytest.raises(HistoryFileError, match=message) as caught:
        History.from_json_lines(path)
    assert str(path) in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_a_file_that_is_cut_off_is_refused_or_shorter(tmp_path):
    path = tmp_path / "history.jsonl"
    History(ROWS).to_json_lines(path)
    whole = path.read_bytes()
    rows = History.from_json_lines(path).rows
    ends = [k for k, byte in enumerate(whole) if byte == ord("\n")]
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        if length and length not in ends and length - 1 not in ends:  # within a line
            with pytest.raises(HistoryFileError):
                History.from_json_lines(path)
        else:
            kept = sum(end <= length for end in ends)
            assert repr(History.from_json_lines(path).rows) == repr(rows[:kept])


def test_writing_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "history.jsonl"
    History(ROWS).to_json_lines(path)
    before = path.read_bytes()
    bad = History(ROWS)
    bad.rows[0]["loss"] = object()
    with pytest.raises(TypeError):
        bad.to_json_lines(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_the_plot_shows_training_beside_validation(tmp_path):
    rows = [
        {
            "epoch": i + 1,
            "loss": 10.0**-i,
            "accuracy": 0.5,
            "validation_loss": 1.0,
            "validation_accuracy": 0.25,
            "validation_confusion_matrix": [[1, 2], [3, 4]],
            "lr": 0.1,
            "seconds": 2.0,
        }
        for i in range(3)
    ]
    history = History(rows)
    history.best_epoch = 2
    picture = history.plot(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 1000
    loss, accuracy, lr = picture.axes
    assert [panel.get_xlabel() for panel in picture.axes] == ["epoch"] * 3
    assert "mean per sample" in loss.get_ylabel() and "share" in accuracy.get_ylabel()
    assert "learning rate" in lr.get_ylabel()
    assert loss.get_yscale() == "log" and accuracy.get_yscale() == "linear"
    assert [line.get_ydata()[0] for line in accuracy.lines[:2]] == [0.5, 0.25]
    assert {text.get_text() for text in loss.get_legend().get_texts()} >= {"training", "validation"}
    History().plot()


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(errors.MissingDependency, match=r"tinygrad_cs\[training\]"):
        training.History(ROWS).plot()
