"""`python -m tinygrad_cs train` and `predict`: files in, files out, errors in one line."""

from __future__ import annotations

import csv
import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import tinygrad_cs as tg
from tinygrad_cs.__main__ import main
from tinygrad_cs.training.totals import Totals

FLATS = ["area", "town", "rent"]


def flats(path: Path, rows: int = 120) -> Path:
    """Rents by area and town, with gaps among the inputs."""
    draw = random.Random(0)
    lines = []
    for row in range(rows):
        area, where = draw.uniform(20, 120), draw.choice(["Ulm", "Bonn"])
        rent = area * (10 if where == "Ulm" else 14)
        lines.append(f"{area:.1f},{where if row % 17 else ''},{rent:.1f}")
    path.write_text("\n".join([",".join(FLATS), *lines]) + "\n")
    return path


def pictures(folder: Path, count: int) -> Path:
    """Grey pictures of two classes: lighter above, or lighter below."""
    draw = np.random.default_rng(0)
    for name in ("above", "below"):
        (folder / name).mkdir(parents=True)
        for k in range(count):
            pixels = draw.integers(0, 120, (6, 5), dtype=np.uint8)
            pixels[slice(0, 3) if name == "above" else slice(3, 6)] += 100
            (folder / name / f"{k}.pgm").write_bytes(b"P5 5 6 255 " + pixels.tobytes())
    return folder


def mnist(folder: Path, train: int, test: int) -> Path:
    """Files as those of MNIST: a bright stripe for each class."""
    folder.mkdir()
    draw = np.random.default_rng(0)
    for part, count in (("train", train), ("t10k", test)):
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = draw.integers(0, 60, (count, 28, 28), dtype=np.uint8)
        for row in range(3):
            images[np.arange(count), 2 * labels + row] += 120
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            sizes = np.array(array.shape, ">u4").tobytes()
            content = bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()
            (folder / f"{part}-{name}-ubyte").write_bytes(content)
    return folder


def table(text: str) -> list[list[str]]:
    return list(csv.reader(text.splitlines()))


def same(first: object, second: object) -> bool:
    """Equal bit for bit, through dicts and lists."""
    if isinstance(first, dict):
        assert isinstance(second, dict)
        return set(first) == set(second) and all(same(first[k], second[k]) for k in first)
    if isinstance(first, (list, tuple)):
        assert isinstance(second, (list, tuple))
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, np.ndarray):
        return np.array_equal(first, second)
    return first == second


def test_train_and_predict_classes(tmp_path: Path, capsys) -> None:
    out = tmp_path / "run"
    assert main(["train", "iris", "--out", str(out), "--epochs", "30", "--lr", "0.01"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("epoch  1/30: loss ")
    assert printed[-5].split() == ["part", "samples", "loss", "accuracy"]
    test = printed[-2].split()
    assert (test[0], test[1]) == ("test", "30") and float(test[3]) > 0.9
    assert {p.name for p in out.iterdir()} == {
        "settings.json", "checkpoints", "model.safetensors", "history.csv",
    }  # fmt: skip
    assert len(table((out / "history.csv").read_text())) == 31

    assert main(["predict", str(out), "iris"]) == 0
    names = [row[0] for row in table(capsys.readouterr().out)]
    labels = np.array(tg.data.load_iris().class_names)[tg.data.load_iris().y]
    assert names[0] == "prediction"
    assert np.mean(np.array(names[1:]) == labels) > 0.9

    assert main(["predict", str(out), "iris", "--probabilities"]) == 0
    rows = table(capsys.readouterr().out)
    assert rows[0][1:] == ["P(setosa)", "P(versicolor)", "P(virginica)"]
    for row in rows[1:]:
        chances = dict(zip(["setosa", "versicolor", "virginica"], map(float, row[1:]), strict=True))
        assert row[0] == max(chances, key=lambda name: chances[name])
        assert abs(sum(chances.values()) - 1) < 1e-5


def test_train_and_predict_numbers_with_gaps_and_categories(tmp_path: Path, capsys) -> None:
    path, out = flats(tmp_path / "flats.csv"), tmp_path / "run"
    options = ["--target", "rent", "--out", str(out), "--epochs", "60", "--lr", "0.01", "--quiet"]
    assert main(["train", str(path), *options]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("8 of 120 rows lack inputs: filled with means")
    assert "epoch" not in printed
    assert float(printed.splitlines()[-2].split()[2]) > 0.95  # R² on the test part

    # other order, a column more, gaps, no target
    new = tmp_path / "new.csv"
    new.write_text("id,town,area\n1,Bonn,50\n2,Ulm,50\n3,,50\n4,Ulm,\n")
    predicted = tmp_path / "predicted.csv"
    assert main(["predict", str(out), str(new), "--out", str(predicted)]) == 0
    assert capsys.readouterr().out == ""
    rows = table(predicted.read_text())
    bonn, ulm, unknown, _ = (float(row[0]) for row in rows[1:])
    assert rows[0] == ["rent"]
    assert abs(bonn - 700) < 70 and abs(ulm - 500) < 70 and ulm < unknown < bonn


def test_a_table_predicts_like_the_net_it_was_trained_on(tmp_path: Path, capsys) -> None:
    """The encoding of `predict` is that of `train`: the file itself gives the same error."""
    path, out = flats(tmp_path / "flats.csv"), tmp_path / "run"
    assert main(["train", str(path), "--target", "rent", "--out", str(out), "--epochs", "3"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[-4:-1]]
    assert main(["predict", str(out), str(path)]) == 0
    predicted = np.array([float(row[0]) for row in table(capsys.readouterr().out)[1:]])
    truth = np.array([float(row[2]) for row in table(path.read_text())[1:]])
    weights = np.array([int(row[1]) for row in rows])
    errors = np.array([float(row[-1]) for row in rows])
    mean = float((weights * errors).sum() / weights.sum())
    np.testing.assert_allclose(np.abs(predicted - truth).mean(), mean, rtol=1e-4)


def test_categories_keep_the_codes_of_the_training(folder: Path, tmp_path: Path, capsys) -> None:
    alone, among = tmp_path / "alone.csv", tmp_path / "among.csv"
    alone.write_text("area,town\n50,Ulm\n70,Ulm\n")
    among.write_text("town,area\nUlm,50\nUlm,70\nBonn,70\n")
    rows = []
    for path in (alone, among):
        assert main(["predict", str(folder / "rents"), str(path)]) == 0
        rows.append(np.array(table(capsys.readouterr().out)[1:], float))
    np.testing.assert_allclose(rows[0], rows[1][:2], rtol=1e-6)
    assert abs(rows[1][2] - rows[1][1]) > 1e-3


def test_numbers_as_classes(tmp_path: Path, capsys) -> None:
    path, out = tmp_path / "t.csv", tmp_path / "run"
    path.write_text("x,kind\n" + "".join(f"{k % 7 - 3},{k % 7 % 3 + 10}\n" for k in range(84)))
    options = ["--target", "kind", "--out", str(out), "--epochs", "2", "--quiet"]
    assert main(["train", str(path), *options, "--classify", "--hidden", "none"]) == 0
    assert main(["predict", str(out), str(path)]) == 0
    assert {row[0] for row in table(capsys.readouterr().out)[-84:]} <= {"10", "11", "12"}


@pytest.mark.parametrize("name", ["two_moons", "regression"])
def test_generated_data_and_parts_left_out(name: str, tmp_path: Path, capsys) -> None:
    options = ["--out", str(tmp_path), "--epochs", "2", "--quiet", "--validation", "0"]
    assert main(["train", name, *options, "--test", "0"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 3 and rows[1].split()[:2] == ["training", "1000"]
    assert main(["predict", str(tmp_path), name]) == 0
    assert len(table(capsys.readouterr().out)) == 1001


def test_a_folder_of_pictures(tmp_path: Path, capsys) -> None:
    place, out = pictures(tmp_path / "pictures", 30), str(tmp_path / "run")
    options = ["--out", out, "--epochs", "20", "--lr", "0.01", "--hidden", "8", "--quiet"]
    assert main(["train", str(place), *options]) == 0
    assert float(capsys.readouterr().out.splitlines()[-2].split()[-1]) > 0.9
    assert main(["predict", out, str(place)]) == 0
    predicted = [row[0] for row in table(capsys.readouterr().out)]
    assert predicted[0] == "prediction" and set(predicted[1:]) == {"above", "below"}
    assert np.mean(np.array(predicted[1:31]) == "above") > 0.9
    assert main(["evaluate", out, str(place)]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["data", "samples", "loss", "accuracy"]
    assert row.split()[1] == "60" and float(row.split()[-1]) > 0.9
    (place / "above" / "0.pgm").unlink()
    assert main(["train", "--resume", "--out", out, "--epochs", "30"]) == 2
    assert "has changed since" in capsys.readouterr().err


@pytest.mark.parametrize("named", [False, True])
def test_idx_files_with_their_own_test_part(named: bool, tmp_path: Path, capsys) -> None:
    place, out = str(mnist(tmp_path / "files", 200, 50)), str(tmp_path / "run")
    data = ["fashion_mnist", "--files", place] if named else [place]
    options = ["--out", out, "--epochs", "6", "--lr", "0.01", "--hidden", "16", "--quiet"]
    assert main(["train", *data, *options]) == 0
    _, *rows, _ = capsys.readouterr().out.splitlines()
    assert [row.split()[:2] for row in rows] == [
        ["training", "170"],
        ["validation", "30"],
        ["test", "50"],
    ]
    assert float(rows[-1].split()[-1]) > 0.9
    assert main(["predict", out, *data]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 51 and ("bag" in lines) == named
    assert main(["evaluate", out, *data]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[1:] == rows[-1].split()[1:]


@pytest.mark.parametrize("target", ["rent", "town"])
def test_evaluating_a_table_is_what_training_said_of_it(target, tmp_path: Path, capsys) -> None:
    path, out = flats(tmp_path / "flats.csv"), str(tmp_path / "run")
    whole = tmp_path / "whole.csv"
    whole.write_text("\n".join(x for x in path.read_text().splitlines() if ",," not in x) + "\n")
    options = ["--target", target, "--out", out, "--epochs", "3", "--quiet"]
    assert main(["train", str(whole), *options, "--validation", "0", "--test", "0"]) == 0
    said = capsys.readouterr().out.splitlines()
    shuffled = tmp_path / "shuffled.csv"
    header, *rows = whole.read_text().splitlines()
    shuffled.write_text("\n".join([header, *sorted(rows)]) + "\n")
    assert main(["evaluate", out, str(shuffled)]) == 0
    names, values = (line.split() for line in capsys.readouterr().out.splitlines())
    assert names[1:] == said[0].split()[1:]
    assert [float(v) for v in values[1:]] == pytest.approx([float(v) for v in said[1].split()[1:]])


def test_class_weights_find_the_rare_class(tmp_path: Path, capsys) -> None:
    rng = np.random.default_rng(0)
    rare = np.arange(400) % 20 == 0
    x = rng.normal(size=400) + 1.5 * rare
    rows = [f"{value:.4f},{'ill' if i else 'well'}" for value, i in zip(x, rare, strict=True)]
    path = tmp_path / "patients.csv"
    path.write_text("\n".join(["x,state", *rows]) + "\n")
    found = []
    for k, weight in enumerate([[], ["--class-weight", "balanced"]]):
        out = str(tmp_path / str(k))
        options = ["--hidden", "none", "--epochs", "20", "--lr", "0.02", "--quiet", "--out", out]
        assert main(["train", str(path), "--target", "state", *options, *weight]) == 0
        capsys.readouterr()
        assert main(["predict", out, str(path)]) == 0
        found.append(np.mean(np.array(capsys.readouterr().out.split()[1:])[rare] == "ill"))
    assert found[0] < 0.4 < 0.6 < found[1]


def test_rows_and_columns_left_out(tmp_path: Path, capsys) -> None:
    path, out = flats(tmp_path / "flats.csv"), tmp_path / "run"
    options = ["--target", "rent", "--out", str(out), "--epochs", "1", "--quiet"]
    assert main(["train", str(path), *options, "--drop-incomplete"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert sum(int(row.split()[1]) for row in rows[1:4]) == 112
    assert main(["train", str(path), *options[:3], str(out) + "2", "--features", "area"]) == 0
    assert tg.load(Path(str(out) + "2", "model.safetensors"))["columns"] == [("area", ())]


@contextmanager
def interrupt(step: int) -> Iterator[None]:
    """Ctrl-C in the middle of an epoch, while this step is counted."""
    add, counted = Totals.add, itertools.count(1)

    def interrupt_and_add(*given):
        if next(counted) == step:
            signal.raise_signal(signal.SIGINT)
        add(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Totals, "add", interrupt_and_add)
        yield


def test_an_interrupted_run_goes_on_bit_for_bit(tmp_path, capsys, monkeypatch) -> None:
    path = flats(tmp_path / "flats.csv")
    monkeypatch.chdir(tmp_path)
    options = ["--target", "rent", "--epochs", "6", "--dropout", "0.2", "--patience", "5"]
    assert main(["train", path.name, *options, "--out", "straight"]) == 0
    with interrupt(8):  # three batches an epoch
        assert main(["train", path.name, *options, "--out", "halved"]) == 130
    captured = capsys.readouterr()
    assert "train --resume --out halved" in captured.err
    assert "interrupted in epoch 3, batch 2 of 3" in captured.out
    assert main(["predict", "halved", path.name]) == 2  # it is not finished
    assert "--resume --out halved" in capsys.readouterr().err
    assert main(["train", "--resume", "--out", "halved"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("epoch 3/6")
    ours, theirs = (tg.load(Path(name, "model.safetensors")) for name in ("halved", "straight"))
    assert same(ours, theirs)
    seconds = table(Path("halved/history.csv").read_text())[0].index("seconds")
    histories = [table(Path(name, "history.csv").read_text()) for name in ("halved", "straight")]
    for rows in histories:
        for row in rows:
            del row[seconds]
    assert histories[0] == histories[1]


def test_a_finished_run_goes_on_with_more_epochs(tmp_path: Path, capsys) -> None:
    whole, parts = str(tmp_path / "whole"), str(tmp_path / "parts")
    assert main(["train", "iris", "--out", whole, "--epochs", "4", "--quiet"]) == 0
    assert main(["train", "iris", "--out", parts, "--epochs", "2", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["train", "--resume", "--out", parts]) == 0
    assert "finished already" in capsys.readouterr().out
    assert main(["train", "iris", "--resume", "--out", parts, "--epochs", "4", "--quiet"]) == 0
    first, second = (tg.load(Path(name, "model.safetensors")) for name in (whole, parts))
    assert same(first, second)
    assert json.loads(Path(parts, "settings.json").read_text())["epochs"] == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train"], "train on what?"),
        (["train", "irs"], "'irs' is neither a file nor a data set.*iris"),
        (["train", "mnist"], "name their folder with --files; they are to be had from https"),
        (["train", "mnist", "--files", "."], "expected a file train-images"),
        (["train", "iris", "--files", "."], "leave out --files"),
        (["train", "."], "expected an image"),
        (["train", "flats.csv", "--target", "rent", "--class-weight", "balanced"], "for classes"),
        (["train", "absent.csv", "--target", "a"], "absent.csv"),
        (["train", "iris", "--target", "a"], "leave out --target"),
        (["train", "flats.csv"], "--target NAME"),
        (["train", "flats.csv", "--target", "rant"], "did you mean 'rent'"),
        (["train", "flats.csv", "--target", "rent", "--features", "aera"], "did you mean 'area'"),
        (["train", "flats.csv", "--target", "rent", "--out", "flats.csv/run"], "flats.csv"),
        (["train", "bad.csv", "--target", "a"], "bad.csv.*row 2 has 1 fields"),
        (["train", ".", "--target", "a"], "is taken for images"),
        (["train", "iris", "--validation", "0.6", "--test", "0.6"], "nothing to train on"),
        (["train", "iris", "--resume", "--out", "nothing"], "nothing to resume"),
        (["train", "iris", "--out", "done"], "holds a training already"),
        (["train", "wine", "--resume", "--out", "done"], "data is 'iris', not 'wine'"),
        (["train", "--resume", "--out", "done", "--lr", "1"], "--lr is 0.001, not 1.0"),
        (["train", "--resume", "--out", "torn"], "settings.json is damaged"),
        (["predict", "nothing", "iris"], "no trained net in nothing"),
        (["predict", "done", "flats.csv"], "lacks 4 of the 4 columns"),
        (["predict", "done", "wine"], "trained on other inputs"),
        (["predict", "done", "absent.csv"], "absent.csv"),
        (["predict", "done", "iris", "--out", "none/x.csv"], "none/x.csv"),
        (["predict", "torn", "iris"], "model.safetensors"),
        (["predict", "rents", "iris", "--probabilities"], "'rent' is a number"),
        (["predict", "rents", "towns.csv"], "row 2: 'Rome' in 'town' is none of.*Bonn, Ulm"),
        (["predict", "rents", "words.csv"], "'area' held numbers in training.*'big'"),
        (["predict", "foreign", "iris"], "is no net of"),
        (["predict", "done", "pictures"], "trained on a table; pictures holds images"),
        (["evaluate", "nothing", "iris"], "no trained net in nothing"),
        (["evaluate", "rents", "towns.csv"], "lacks 1 of the 1 columns.*rent"),
        (["evaluate", "rents", "gaps.csv"], "1 of 2 rows lack 'rent'"),
        (["train", "gaps.csv", "--target", "rent"], "1 of 2 rows lack 'rent'.*--drop-incomplete"),
        (["train", "ids.csv", "--target", "n"], "'id' holds 150 different words.*--features"),
        (["train", "ids.csv", "--target", "id"], "'id' is another word in each of the 150"),
        (
            ["train", "ids.csv", "--target", "one", "--features", "n"],
            "'one' is 'a' in all 150 samples",
        ),
        (["train", "gaps.csv", "--target", "area"], "2 samples are too few for.*--test 0.2"),
        (["train", "far.csv", "--target", "n"], "'far' holds a number.*too far"),
        (["train", "latin.csv", "--target", "n", "--out", "l"], "save the file as UTF-8"),
    ],
)
def test_wrong_use_is_told_in_one_line(arguments, message, folder, monkeypatch, capsys) -> None:
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("python -m tinygrad_cs: ") and error.count("\n") == 1
    assert re.search(message, error), error
    assert sorted(folder.rglob("*")) == before, "nothing is left behind"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Files and runs, good and bad ones."""
    folder = tmp_path_factory.mktemp("commands")
    flats(folder / "flats.csv")
    (folder / "bad.csv").write_text("a,b\n1,2\n3\n")
    (folder / "towns.csv").write_text("area,town\n50,Ulm\n50,Rome\n")
    (folder / "gaps.csv").write_text("area,town,rent\n50,Ulm,500\n60,Bonn,\n")
    rows = [f"name{k},{k},a\n" for k in range(150)]
    (folder / "ids.csv").write_text("id,n,one\n" + "".join(rows))
    # the seed has this one in the part that is tested
    far = ["1e-300" if k % 2 else "2e-300" for k in range(20)]
    far[14] = "1e100"
    (folder / "far.csv").write_text("far,n\n" + "".join(f"{x},{x[0]}\n" for x in far))
    (folder / "latin.csv").write_text("n,größe\n1,2\n", encoding="latin-1")
    pictures(folder / "pictures", 2)
    (folder / "words.csv").write_text("area,town\nbig,Ulm\n")
    quick = ["--epochs", "1", "--quiet", "--out"]
    assert main(["train", "iris", *quick, str(folder / "done")]) == 0
    rent = ["train", str(folder / "flats.csv"), "--target", "rent"]
    assert main([*rent, *quick, str(folder / "rents")]) == 0
    (folder / "torn").mkdir()
    (folder / "torn" / "settings.json").write_text("{")
    whole = (folder / "done" / "model.safetensors").read_bytes()
    (folder / "torn" / "model.safetensors").write_bytes(whole[:-9])
    (folder / "foreign").mkdir()
    # layers that nobody could hold in memory, on the word of the file alone
    state = tg.load(folder / "done" / "model.safetensors")
    state["settings"]["hidden"] = [2**40]
    tg.save(folder / "foreign" / "model.safetensors", state)
    return folder


@pytest.mark.parametrize(
    "options",
    [
        ["--epochs", "0"],
        ["--hidden", "3,x"],
        ["--lr", "nan"],
        ["--dropout", "1"],
        ["--validation", "-0.1"],
        ["--optimizer", "adamm"],
        ["--batch-size", "1.5"],
    ],
)
def test_wrong_options_exit_with_2_and_name_the_option(options, capsys) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["train", "iris", *options])
    assert exit.value.code == 2
    assert options[0] in capsys.readouterr().err.splitlines()[-1]


def test_data_that_changed_is_not_trained_on_further(tmp_path: Path, capsys) -> None:
    path, out = flats(tmp_path / "flats.csv"), str(tmp_path / "run")
    options = ["--target", "rent", "--epochs", "1", "--out", out, "--quiet"]
    assert main(["train", str(path), *options]) == 0
    path.write_text(path.read_text().replace("Ulm", "Bonn"))
    assert main(["train", "--resume", "--out", out, "--epochs", "2"]) == 2
    assert "has changed since the training began" in capsys.readouterr().err


def test_a_training_that_diverges_fails_with_1_and_says_why(tmp_path: Path, capsys) -> None:
    path = flats(tmp_path / "flats.csv")
    options = ["--target", "rent", "--optimizer", "sgd", "--lr", "1e9", "--quiet"]
    with np.errstate(all="ignore"):
        assert main(["train", str(path), *options, "--out", str(tmp_path / "run")]) == 1
    assert "learning rate" in capsys.readouterr().err


def test_help_names_every_option(capsys) -> None:
    from tinygrad_cs.commands.settings import DEFAULTS

    with pytest.raises(SystemExit) as exit:
        main(["train", "--help"])
    assert exit.value.code == 0
    printed = capsys.readouterr().out
    options = [f"--{name.replace('_', '-')}" for name in DEFAULTS if name != "data"]
    assert all(option in printed for option in [*options, "--resume", "--out", "--quiet"])
    assert "examples:" in printed


def test_a_reader_who_has_seen_enough_causes_no_traceback(folder: Path) -> None:
    big = folder.parent / "big.csv"
    big.write_text("area,town\n" + "50,Ulm\n" * 20_000)
    command = [sys.executable, "-m", "tinygrad_cs", "predict", str(folder / "rents"), str(big)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"rent\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_names_that_the_terminal_cannot_write(tmp_path: Path, encoding: str) -> None:
    path, out = tmp_path / "größe.csv", tmp_path / "run"
    path.write_text("цена,да\n" + "1,日本\n2,нет\n" * 20, encoding="utf-8")

    def said(*arguments: str) -> bytes:
        command = [sys.executable, "-m", "tinygrad_cs", *arguments]
        environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
        return subprocess.run(command, env=environment, capture_output=True, check=True).stdout

    said("train", str(path), "--target", "да", "--epochs", "1", "--out", str(out))
    assert b"accuracy" in said("evaluate", str(out), str(path))
    predicted = said("predict", str(out), str(path)).decode("utf-8").splitlines()
    assert predicted[0] == "да" and set(predicted[1:]) <= {"日本", "нет"}


def test_large_numbers_keep_their_differences(tmp_path: Path, capsys) -> None:
    """Time stamps in seconds: float32 alone tells only every 128th."""
    path, out = tmp_path / "times.csv", str(tmp_path / "run")
    rows = [f"{1.7e9 + k % 20:.0f},{1e12 + 3 * (k % 20):.0f}\n" for k in range(200)]
    path.write_text("time,until\n" + "".join(rows))
    options = ["--target", "until", "--epochs", "30", "--lr", "0.01", "--quiet", "--out", out]
    assert main(["train", str(path), *options]) == 0
    assert main(["predict", out, str(path)]) == 0
    predicted = capsys.readouterr().out.splitlines()[-200:]
    errors = [abs(float(row) - 1e12 - 3 * (k % 20)) for k, row in enumerate(predicted)]
    assert max(errors) < 5, max(errors)
