"""What a training was asked for: the options, their defaults, and the file that remembers them."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..engine.errors import ArgumentError

FILE = "settings.json"

DEFAULTS: dict[str, Any] = {
    "data": None,
    "files": None,
    "target": None,
    "features": None,
    "classify": False,
    "drop_incomplete": False,
    "hidden": [64, 32],
    "activation": "relu",
    "dropout": 0.0,
    "optimizer": "adam",
    "lr": 0.001,
    "weight_decay": 0.0,
    "epochs": 50,
    "batch_size": 32,
    "patience": None,
    "class_weight": None,
    "validation": 0.15,
    "test": 0.2,
    "seed": 0,
}


def write(folder: Path, settings: Mapping[str, Any]) -> None:
    """Remember the settings in a folder, which is made."""
    from ..saving.atomic import replace_file

    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / FILE, [json.dumps(settings, indent=2).encode()])


def chosen(options: argparse.Namespace) -> dict[str, Any]:
    """The settings of a new training, or of the one that is to go on."""
    given = {name: value for name, value in vars(options).items() if name in DEFAULTS}
    for name in ("data", "files"):
        if given.get(name) is not None and Path(given[name]).exists():
            # to be found from other folders too
            given[name] = str(Path(given[name]).absolute())
    path = options.out / FILE
    if not options.resume:
        if given["data"] is None:
            raise ArgumentError("train on what? name a CSV file or a data set, such as iris")
        if path.exists():
            raise ArgumentError(
                f"{options.out} holds a training already: --resume goes on with it, another --out "
                f"begins a new one"
            )
        return DEFAULTS | given | {"finished": False}
    settings = _read(path)
    for name, value in given.items():
        if name != "epochs" and value is not None and value != settings[name]:
            option = name if name == "data" else "--" + name.replace("_", "-")
            raise ArgumentError(
                f"--resume goes on with the settings in {path}, where {option} is "
                f"{settings[name]!r}, not {value!r}; only --epochs may change"
            )
    if "epochs" in given and given["epochs"] != settings["epochs"]:
        settings |= {"epochs": given["epochs"], "finished": False}
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ArgumentError(f"nothing to resume: there is no {path}") from None
    except ValueError as error:
        raise ArgumentError(f"{path} is damaged: {error}") from error
    expected = {*DEFAULTS, "finished", "fingerprint"}
    if not isinstance(settings, dict) or set(settings) != expected:
        raise ArgumentError(f"{path} is damaged: expected the settings {sorted(expected)}")
    return settings


def whole(text: str) -> int:
    """A whole number of at least 1, as an option."""
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number of 1 or more, got {text!r}")


def whole_or_zero(text: str) -> int:
    """A whole number of at least 0, as an option."""
    return 0 if text == "0" else whole(text)


def fraction(text: str) -> float:
    """A number from 0 to 1, 1 excluded, as an option."""
    value = number(text)
    if value < 1:
        return value
    raise argparse.ArgumentTypeError(f"expected a number from 0 to below 1, got {text!r}")


def number(text: str) -> float:
    """A finite number of at least 0, as an option."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if 0 <= value < math.inf:
        return value
    raise argparse.ArgumentTypeError(f"expected a number of 0 or more, got {text!r}")


def widths(text: str) -> list[int]:
    """Widths of layers as an option: 64,32, or "none"."""
    return [] if text == "none" else [whole(width) for width in text.split(",")]


def names(text: str) -> list[str]:
    """Names of columns as an option: age,sex."""
    return text.split(",")
