"""`train`: a net on a table, from the file to a folder that `predict` reads."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import settings as asked
from .settings import DEFAULTS, fraction, names, number, whole, whole_or_zero, widths

if TYPE_CHECKING:
    from ..engine.types import Array
    from ..training import History, Run
    from .model import Model
    from .tables import Loaded

_EPILOG = """examples:
  python -m tinygrad_cs train iris --out runs/iris
  python -m tinygrad_cs train flats.csv --target rent --hidden 64,32 --out runs/flats
  python -m tinygrad_cs train --resume --out runs/flats --epochs 200
  python -m tinygrad_cs predict runs/flats new.csv > rents.csv

in the folder --out: settings.json, checkpoints/ (the newest two, and the best), and at the end
model.safetensors (the net, for predict) and history.csv (a row for each epoch)
"""


class Part(NamedTuple):
    """Some of the samples, as they came and as the net takes them."""

    name: str
    x: Array
    y: Array
    z: Array
    goal: Array


def add(commands: Any) -> None:
    """Add the command's parser."""
    from ..training.perceptron import ACTIVATIONS, OPTIMIZERS

    parser = commands.add_parser(
        "train",
        help="train a net on a CSV file or a data set",
        description="Train a multilayer perceptron on a table, with a part held out to validate "
        "and one to test. A target of words is classified, one of numbers predicted as a number. "
        "Inputs are standardised; categories become a column each; missing inputs are filled with "
        "the mean of the training part. Ctrl-C stops after the present batch.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )

    def option(name: str, help: str, **how: Any) -> None:
        # absent options stay absent: a resumed training asks which were given
        default = DEFAULTS[name.replace("-", "_")]
        if isinstance(default, list):
            default = ",".join(map(str, default))
        shown = "" if default is None or default is False else f" ({default})"
        parser.add_argument(f"--{name}", help=help + shown, default=argparse.SUPPRESS, **how)

    parser.add_argument(
        "data",
        nargs="?",
        metavar="DATA",
        help="a CSV file with names in its first row, or a data set: digits, iris, wine, "
        "breast_cancer, two_moons, ...",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("run"), metavar="FOLDER", help="where to write (run)"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the training in --out where it was interrupted, as if it never was",
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    option("target", "the column to predict", metavar="COLUMN")
    option("features", "the columns to predict it from (all others)", type=names, metavar="A,B,..")
    option("classify", "take numbers in the target as classes", action="store_true")
    option("drop-incomplete", "leave out rows with missing values", action="store_true")
    option("hidden", "widths of the hidden layers, or none", type=widths, metavar="N,N,..")
    option("activation", "between the layers", choices=ACTIVATIONS)
    option("dropout", "probability to drop a hidden value", type=fraction, metavar="P")
    option("optimizer", "what updates the weights", choices=OPTIMIZERS)
    option("lr", "learning rate", type=number)
    option("weight-decay", "pull of the weights towards 0", type=number, metavar="W")
    option("epochs", "passes over the training part", type=whole, metavar="N")
    option("batch-size", "samples an update", type=whole, metavar="N")
    option(
        "patience",
        "stop after so many epochs without improvement, and keep the best weights",
        type=whole_or_zero,
        metavar="N",
    )
    option("validation", "share to validate on after each epoch", type=fraction, metavar="P")
    option("test", "share to test on at the end", type=fraction, metavar="P")
    option("seed", "of split, weights and batches", type=whole_or_zero, metavar="N")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train, write, show how good it is, and return the exit status."""
    from ..engine.errors import ArgumentError
    from ..training import NonFiniteLossError
    from . import tables

    settings = asked.chosen(options)
    if settings["finished"]:
        print(f"finished already; --resume --epochs N goes on beyond {settings['epochs']} epochs")
        return 0
    data = settings["data"]
    loaded = tables.load(
        data,
        settings["target"],
        settings["features"],
        settings["classify"],
        settings["drop_incomplete"],
    )
    fingerprint = tables.fingerprint(data)
    if settings.setdefault("fingerprint", fingerprint) != fingerprint:
        raise ArgumentError(f"{data} has changed since the training began; begin a new one")
    model, parts = _prepared(loaded, settings)
    training = _training(model, parts, settings, options)
    asked.write(options.out, settings)
    try:
        history = training.train()
    except NonFiniteLossError as error:
        # no wrong use: all that is known of the reason is worth its lines
        print(error, file=sys.stderr)
        return 1
    if training.interrupted:
        print(
            f"interrupted; to go on: python -m tinygrad_cs train --resume --out {options.out}",
            file=sys.stderr,
        )
        return 130
    _finish(model, history, settings, options.out)
    print(_evaluation(model, parts))
    print(f"to predict: python -m tinygrad_cs predict {options.out} DATA")
    return 0


def _prepared(loaded: Loaded, settings: dict[str, Any]) -> tuple[Model, list[Part]]:
    """A fresh model with its scales, and the parts of the data."""
    import numpy as np

    from ..engine.modes import manual_seed
    from .model import Model

    x, y = loaded.samples
    classes = loaded.samples.class_names
    if not classes and y.dtype.kind in "iu":
        classes = tuple(map(str, range(y.max() + 1)))
    positions = _split(y if classes else None, len(x), settings)
    learned = x[positions["training"]]
    gaps = np.isnan(learned)
    known = np.maximum((~gaps).sum(axis=0), 1)
    fill = np.where(gaps, 0, learned).sum(axis=0, dtype=np.float64) / known
    manual_seed(settings["seed"])
    outputs = len(classes) if classes else y.shape[1]
    model = Model(loaded.columns, loaded.target, classes, fill, outputs, settings)
    model.inputs.fit(model.filled(learned))
    if model.targets is not None:
        model.targets.fit(y[positions["training"]])
    incomplete = np.isnan(x).any(axis=1).sum()
    if incomplete:
        print(f"{incomplete} of {len(x)} rows lack inputs: filled with means of the training part")
    parts = []
    for name, chosen in positions.items():
        goal = y[chosen] if model.targets is None else model.targets.transform(y[chosen])
        parts.append(Part(name, x[chosen], y[chosen], model.standardised(x[chosen]), goal))
    return model, parts


def _split(labels: Array | None, count: int, settings: dict[str, Any]) -> dict[str, Array]:
    """The positions of each part; every class has its share where it is large enough."""
    import numpy as np

    from ..data import TensorDataset, random_split
    from ..engine.errors import ArgumentError

    shares = {name: settings[name] for name in ("validation", "test") if settings[name]}
    rest = 1.0 - sum(shares.values())
    if rest <= 0:
        raise ArgumentError("--validation and --test leave nothing to train on")
    shares = {"training": rest} | shares
    if labels is not None and np.unique(labels, return_counts=True)[1].min() < len(shares):
        labels = None
    split = random_split(
        TensorDataset(np.arange(count)),
        list(shares.values()),
        generator=settings["seed"],
        stratify=labels,
    )
    return {name: np.asarray(part.indices) for name, part in zip(shares, split, strict=True)}


def _training(
    model: Model, parts: list[Part], settings: dict[str, Any], options: argparse.Namespace
) -> Run:
    from ..nn import CrossEntropyLoss, MSELoss
    from ..training import Checkpointing, Run
    from ..training.checkpointing import resume
    from ..training.perceptron import optimizer_for

    held_out = [(part.z, part.goal) for part in parts if part.name == "validation"]
    training = Run(
        model.net,
        (parts[0].z, parts[0].goal),
        held_out[0] if held_out else None,
        loss=CrossEntropyLoss() if model.classes else MSELoss(),
        optimizer=optimizer_for(
            model.net, settings["optimizer"], settings["lr"], settings["weight_decay"]
        ),
        epochs=settings["epochs"],
        batch_size=settings["batch_size"],
        metrics="accuracy" if model.classes else "r2",
        patience=settings["patience"],
        callbacks=Checkpointing(options.out / "checkpoints"),
        progress=not options.quiet,
    )
    if options.resume:
        resume(training, options.out / "checkpoints")
    return training


def _finish(model: Model, history: History, settings: dict[str, Any], folder: Path) -> None:
    model.save(folder)
    history.to_csv(folder / "history.csv")
    asked.write(folder, settings | {"finished": True})


def _evaluation(model: Model, parts: list[Part]) -> str:
    """A table: how good the net is on each part."""
    from ..nn import CrossEntropyLoss
    from ..training import MeanAbsoluteError, R2Score, evaluate
    from ..training.history import shown

    rows = []
    for part in parts:
        if model.classes:
            found = evaluate(
                model.net, (part.z, part.goal), loss=CrossEntropyLoss(), metrics="accuracy"
            )
        else:
            predicted = model.predict(part.x)
            metrics = R2Score(), MeanAbsoluteError()
            found = {m.name: m.update(predicted, part.y).compute() for m in metrics}
        rows.append({"part": part.name, "samples": len(part.y)} | found)
    cells = [[name.replace("_", " ") for name in rows[0]]]
    cells += [[shown(name, value) for name, value in row.items()] for row in rows]
    sizes = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(sizes[0]), *map(str.rjust, line[1:], sizes[1:])]) for line in cells
    )
