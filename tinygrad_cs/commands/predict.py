"""`predict`: a trained net on new rows, as CSV."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from pathlib import Path
from typing import IO, Any


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "predict",
        help="predict with a trained net, as CSV",
        description="Predict the rows of a CSV file with a net that `train` made, one row each, in "
        "their order. The file has the columns of the training data by name, in any order; other "
        "columns are passed over, missing values filled as in training. Written in UTF-8.",
    )
    parser.add_argument("folder", type=Path, metavar="RUN", help="the folder `train --out` wrote")
    parser.add_argument(
        "data", metavar="DATA", help="a CSV file, a folder of images, or the name of a data set"
    )
    parser.add_argument("--files", metavar="FOLDER", help="where the files of that data set are")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    parser.add_argument("--probabilities", action="store_true", help="add a column for each class")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Predict, write, and return the exit status."""
    from ..engine.errors import ArgumentError
    from .model import Model

    model = Model.load(options.folder)
    if options.probabilities and not model.classes:
        raise ArgumentError(f"{model.target!r} is a number: --probabilities are those of classes")
    predicted = model.predict(model.read(options.data, options.files))
    header = [model.target]
    if not model.classes:
        header = [model.target, *(f"{model.target} {k}" for k in range(2, model.outputs + 1))]
        rows: Any = predicted.tolist()
    else:
        rows = [[model.classes[k]] for k in predicted.argmax(axis=1)]
    if options.probabilities:
        header += [f"P({name})" for name in model.classes]
        rows = [row + more for row, more in zip(rows, predicted.tolist(), strict=True)]
    if options.out is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # the names of classes may be of any language, whatever the terminal speaks
            sys.stdout.reconfigure(encoding="utf-8", newline="\n")
        _write(sys.stdout, header, rows)
    else:
        with open(options.out, "w", newline="", encoding="utf-8") as file:
            _write(file, header, rows)
    return 0


def _write(file: IO[str], header: list[str], rows: Any) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
