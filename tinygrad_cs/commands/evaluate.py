"""`evaluate`: how good a trained net is on data whose answers are known."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "evaluate",
        help="say how good a trained net is on other data",
        description="Compare what a net that `train` made predicts with the answers in DATA, which "
        "has the columns of the training data, the target among them. Of a data set with a part to "
        "test on it is that part.",
    )
    parser.add_argument("folder", type=Path, metavar="RUN", help="the folder `train --out` wrote")
    parser.add_argument(
        "data", metavar="DATA", help="a CSV file, a folder of images, or the name of a data set"
    )
    parser.add_argument("--files", metavar="FOLDER", help="where the files of that data set are")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Predict, compare, print, and return the exit status."""
    from .model import Model
    from .report import table

    model = Model.load(options.folder)
    answers = model.read_targets(options.data, options.files)
    x = model.read(options.data, options.files)
    print(table([{"data": options.data, "samples": len(x)} | model.judged(x, answers)]))
    return 0
