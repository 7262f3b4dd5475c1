"""A folder of saved states of one run: the newest ones, and the best ones."""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.errors import ArgumentError
from .atomic import remove_leftovers
from .errors import ModelFileError
from .files import inspect, load, save

STEP, SCORE = "step", "score"
_NAME = re.compile(r"step-([0-9]{8,})\.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """One saved state."""

    path: Path
    step: int
    score: float | None
    state: Any


class Checkpoints:
    """Keep the newest and the best states of a run in a folder, one file each.

    The files are model files as `tg.save` writes them, named by their step. One folder belongs to
    one run: "newest" is the highest step.

    Args:
        folder: made if it does not exist.
        keep_last: how many of the newest states stay (3); at least 1.
        keep_best: how many of those with the best scores stay besides (1); 0 for none.
        mode: "min" where a low score is good (a loss), "max" where a high one is (an accuracy).

    Raises `ArgumentError` for arguments outside their range.

    Example:
        >>> import tempfile, tinygrad_cs as tg
        >>> folder = tempfile.TemporaryDirectory()
        >>> checkpoints = tg.saving.Checkpoints(folder.name, keep_last=2)
        >>> for step, loss in enumerate([0.9, 0.2, 0.5, 0.4, 0.3]):
        ...     _ = checkpoints.save({"weight": 1.5 * step}, step, score=loss)
        >>> checkpoints.steps(), checkpoints.best().step, checkpoints.latest().state
        ([1, 3, 4], 1, {'weight': 6.0})
        >>> folder.cleanup()
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        keep_last: int = 3,
        keep_best: int = 1,
        mode: str = "min",
    ) -> None:
        for name, value, least in (("keep_last", keep_last, 1), ("keep_best", keep_best, 0)):
            if type(value) is not int or value < least:
                raise ArgumentError(
                    f"Checkpoints: expected {name} to be an integer >= {least}, got {value!r}"
                )
        if mode not in ("min", "max"):
            raise ArgumentError(f'Checkpoints: expected mode "min" or "max", got {mode!r}')
        self.folder = Path(folder)
        self.keep_last, self.keep_best, self.mode = keep_last, keep_best, mode
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.folder)
        self._scores: dict[Path, float | None] = {}

    def save(
        self,
        state: Any,
        step: int,
        score: float | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Path:
        """Write a state, then remove the files that are neither among the newest nor the best.

        Args:
            state: see `tg.save`.
            step: a whole number; a state of the same step is replaced.
            score: a number to compare by; NaN is never best, None neither.
            metadata: texts by name, see `tg.save`; "step" and "score" are taken.

        Returns the path of the file. Raises as `tg.save` does; then nothing was removed.
        """
        if type(step) is not int or step < 0:
            raise ArgumentError(f"Checkpoints.save: expected an integer step >= 0, got {step!r}")
        number = None if score is None else float(score)
        described = dict(metadata or {}) | {STEP: str(step)}
        described |= {} if number is None else {SCORE: repr(number)}
        path = self.folder / f"step-{step:08d}.safetensors"
        save(path, state, described)
        self._scores[path] = number
        self._prune(path)
        return path

    def steps(self) -> list[int]:
        """The steps of which there are files, ascending."""
        return sorted(self._paths())

    def latest(self) -> Checkpoint | None:
        """The newest state that can be read, None if there is none.

        Files that are damaged are passed over with a warning.
        """
        return self._first_valid(sorted(self._paths().items(), reverse=True))

    def best(self) -> Checkpoint | None:
        """The state with the best score among those that can be read, None if none has a score.

        Of equal scores the earlier step; files that are damaged are passed over with a warning.
        """
        return self._first_valid(self._ranked(self._paths()))

    def _paths(self) -> dict[int, Path]:
        found = ((path, _NAME.fullmatch(path.name)) for path in self.folder.iterdir())
        return {int(match[1]): path for path, match in found if match}

    def _ranked(self, paths: Mapping[int, Path]) -> list[tuple[int, Path]]:
        sign = 1 if self.mode == "min" else -1
        scores = {step: self._score(path) for step, path in paths.items()}
        known = {k: v for k, v in scores.items() if v is not None and not math.isnan(v)}
        return [(step, paths[step]) for step in sorted(known, key=lambda k: (sign * known[k], k))]

    def _score(self, path: Path) -> float | None:
        if path not in self._scores:
            self._scores[path] = _read_score(path)
        return self._scores[path]

    def _first_valid(self, candidates: Iterable[tuple[int, Path]]) -> Checkpoint | None:
        for step, path in candidates:
            try:
                return Checkpoint(path, step, self._score(path), load(path))
            except FileNotFoundError:
                continue  # another process removed it meanwhile
            except ModelFileError as error:
                warnings.warn(
                    f"Checkpoints: passed over a damaged file, {error}", UserWarning, stacklevel=3
                )
        return None

    def _prune(self, written: Path) -> None:
        paths = self._paths()
        kept = {written, *(paths[step] for step in sorted(paths)[-self.keep_last :])}
        kept |= {path for _, path in self._ranked(paths)[: self.keep_best]}
        for path in set(paths.values()) - kept:
            with suppress(FileNotFoundError):
                path.unlink()
            self._scores.pop(path, None)


def _read_score(path: Path) -> float | None:
    try:
        return float(inspect(path).metadata[SCORE])
    except (OSError, ValueError, KeyError):
        return None
