"""`train`: a net on a table, from the file to a folder that `predict` reads."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import settings as asked
from .settings import DEFAULTS, fraction, names, number, whole, whole_or_zero, widths

if TYPE_CHECKING:
    from ..engine.types import Array
    from ..training import History, Run
    from .model import Model
    from .parts import Part

_EPILOG = """examples:
  python -m tinygrad_cs train iris --out runs/iris
  python -m tinygrad_cs train flats.csv --target rent --hidden 64,32 --out runs/flats
  python -m tinygrad_cs train --resume --out runs/flats --epochs 200
  python -m tinygrad_cs predict runs/flats new.csv > rents.csv
  python -m tinygrad_cs evaluate runs/flats other.csv
  python -m tinygrad_cs train fashion_mnist --files downloads/ --out runs/fashion

in the folder --out: settings.json, checkpoints/ (the newest two, and the best), and at the end
model.safetensors (the net, for predict) and history.csv (a row for each epoch)
"""


def add(commands: Any) -> None:
    """Add the command's parser."""
    from ..training.perceptron import ACTIVATIONS, OPTIMIZERS

    parser = commands.add_parser(
        "train",
        help="train a net on a CSV file, a data set or images",
        description="Train a multilayer perceptron on a table or on the pixels of images, with a "
        "part held out to validate and one to test. A target of words is classified, one of "
        "numbers predicted as a number. Inputs are standardised; categories become a column each; "
        "missing inputs are filled with the mean of the training part. Ctrl-C stops after the "
        "present batch.",
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
        help="a CSV file with names in its first row; a folder with a folder of images for each "
        "class, or with the files of MNIST or CIFAR; or a data set: digits, iris, wine, "
        "breast_cancer, two_moons, mnist, ...",
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
    option("files", "where the files of the data set are (mnist, cifar10, ...)", metavar="FOLDER")
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
    option(
        "class-weight",
        "balanced: rare classes count as much in the loss as frequent ones",
        choices=("balanced",),
    )
    option("validation", "share to validate on after each epoch", type=fraction, metavar="P")
    option(
        "test",
        "share to test on at the end, unless the data set has a part for it",
        type=fraction,
        metavar="P",
    )
    option("seed", "of split, weights and batches", type=whole_or_zero, metavar="N")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train, write, show how good it is, and return the exit status."""
    from ..engine.errors import ArgumentError
    from ..training import NonFiniteLossError
    from . import parts as parts_of
    from . import tables

    settings = asked.chosen(options)
    if settings["finished"]:
        print(f"finished already; --resume --epochs N goes on beyond {settings['epochs']} epochs")
        return 0
    data = settings["data"]
    loaded = parts_of.load(settings)
    fingerprint = tables.fingerprint(data, settings["files"])
    if settings.setdefault("fingerprint", fingerprint) != fingerprint:
        raise ArgumentError(f"{data} has changed since the training began; begin a new one")
    model, parts = parts_of.prepare(loaded, settings)
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


def _training(
    model: Model, parts: list[Part], settings: dict[str, Any], options: argparse.Namespace
) -> Run:
    from ..training import Checkpointing, Run
    from ..training.checkpointing import resume
    from ..training.perceptron import optimizer_for

    held_out = [(part.z, part.goal) for part in parts if part.name == "validation"]
    training = Run(
        model.net,
        (parts[0].z, parts[0].goal),
        held_out[0] if held_out else None,
        loss=_loss(model, parts[0].y, settings["class_weight"]),
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


def _loss(model: Model, answers: Array, class_weight: str | None) -> Any:
    import numpy as np

    from ..engine.errors import ArgumentError
    from ..nn import CrossEntropyLoss, MSELoss

    if class_weight and not model.classes:
        raise ArgumentError(f"{model.target!r} is a number: --class-weight is for classes")
    if not class_weight:
        return CrossEntropyLoss() if model.classes else MSELoss()
    counts = np.bincount(answers, minlength=len(model.classes))
    weights = np.where(counts, len(answers) / np.maximum(counts, 1) / np.count_nonzero(counts), 1)
    return CrossEntropyLoss(weight=weights.astype("float32"))


def _finish(model: Model, history: History, settings: dict[str, Any], folder: Path) -> None:
    model.save(folder)
    history.to_csv(folder / "history.csv")
    asked.write(folder, settings | {"finished": True})


def _evaluation(model: Model, parts: list[Part]) -> str:
    """A table: how good the net is on each part."""
    from .report import table

    return table(
        [
            {"part": part.name, "samples": len(part.y)} | model.judged(part.x, part.y)
            for part in parts
        ]
    )
