"""Histories in files: CSV to look at, JSON lines to read again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import HistoryFileError

LONGEST_LINE = 1 << 24
"""Bytes of a line that are read at most: an epoch of a confusion matrix with 1,000 classes fits."""

NAMES_OF_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def write_csv(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """One line per row, one column per number."""
    import csv
    import io

    flat = [dict(_numbers(row)) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, names, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(flat)
    _write(path, text.getvalue())


def _numbers(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        yield from _entries(name, value)


def _entries(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        for i, entry in enumerate(value):
            yield from _entries(f"{name}.{i}", entry)
    else:
        yield name, value


def write_json_lines(path: str | Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object per line."""
    import json

    lines = (json.dumps(_named(dict(row)), allow_nan=False) for row in rows)
    _write(path, "".join(f"{line}\n" for line in lines))


def read_json_lines(path: str | Path) -> Iterator[dict[str, Any]]:
    """The objects of a file, one by one; raises `HistoryFileError` at the first that is none."""
    import json

    offset = 0
    with open(path, "rb") as file:
        for number in range(1, 1 << 62):
            line = file.readline(LONGEST_LINE + 1)
            if not line:
                return
            where = f"{path}, line {number} (byte {offset})"
            if len(line) > LONGEST_LINE:
                raise HistoryFileError(f"{where}: longer than {LONGEST_LINE} bytes; is it text?")
            try:
                row = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
            # deep nesting, too; ValueError is the base of what json and decode raise
            except (ValueError, RecursionError) as error:
                raise HistoryFileError(f"{where}: no JSON object: {error}") from error
            yield _checked(row, where)
            offset += len(line)


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON; this library writes it as text")


def _checked(row: Any, where: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise HistoryFileError(f"{where}: expected an object, got {type(row).__name__}")
    if "stopped" in row:
        for name, kind in (("stopped", str), ("best_epoch", int)):
            value = row.get(name)
            if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
                raise HistoryFileError(f"{where}: {name!r} is {value!r}")
        return row
    if not isinstance(row.get("epoch"), int):
        raise HistoryFileError(f"{where}: an epoch without its number 'epoch'")
    return {name: _value(value, f"{where}: {name!r}") for name, value in row.items()}


def _value(value: Any, where: str) -> Any:
    if isinstance(value, list):
        return [_value(entry, where) for entry in value]
    if isinstance(value, str) and value in NAMES_OF_NUMBERS:
        return NAMES_OF_NUMBERS[value]
    if value is None or isinstance(value, (int, float)):
        return value
    raise HistoryFileError(f"{where}: expected numbers, got {str(value)[:40]!r}")


def _named(value: Any) -> Any:
    """NaN and the infinities by name, as JSON has no number for them."""
    if isinstance(value, dict):
        return {name: _named(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_named(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _write(path: str | Path, text: str) -> None:
    from ..saving.atomic import replace_file

    # all or nothing: a file that is half written would be half a history
    replace_file(path, [text.encode()])
