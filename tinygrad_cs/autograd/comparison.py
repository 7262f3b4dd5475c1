"""The comparison of analytic and numeric derivatives of one operand."""

from __future__ import annotations

import numpy as np

from ..engine.types import Array
from .diagnosis import diagnose
from .numeric import along, difference, has_kink, jacobian_rows, step_at
from .report import OperandReport
from .subject import Subject

DIRECTIONS = 4
"""How many random cotangents and directions large functions are compared along."""


class Comparison:
    """The comparison for one operand."""

    def __init__(
        self, subject: Subject, which: int, cotangents: Array, analytic: Array,
        rtol: float, atol: float, step: float,
    ) -> None:  # fmt: skip
        self.f = subject.values
        self.arrays = subject.arrays
        self.which = which
        self.cotangents = cotangents
        self.analytic = analytic
        self.rtol, self.atol, self.step = rtol, atol, step
        self.shape = subject.arrays[which].shape
        self.lengths = {n for a in subject.arrays for n in a.shape} | {cotangents.shape[1]}
        self.report = OperandReport("", self.shape)

    def in_full(self) -> OperandReport:
        """Every derivative of every output."""
        rows = list(jacobian_rows(self.f, self.arrays, self.which, self.step))
        if rows and self.cotangents.size:
            self._compare(np.array(rows), np.arange(len(rows)))
        return self.report

    def along_directions(self, rng: np.random.Generator) -> OperandReport:
        """A few random directions; if one disagrees, the entries it is made of."""
        array = self.arrays[self.which]
        if not array.size:
            return self.report
        worst = 0.0
        for _ in range(DIRECTIONS):
            t = np.asarray(rng.normal(size=array.shape))
            t = np.divide(t, np.linalg.norm(t))
            h = step_at(float(np.abs(array).max()), self.step)
            numeric = self.cotangents @ along(self.f, self.arrays, self.which, t, h)
            analytic = t.reshape(-1) @ self.analytic
            size = np.maximum(np.abs(numeric), np.abs(analytic)).max()
            error = np.abs(numeric - analytic)
            self.report.checked += len(numeric)
            if size:
                worst = max(worst, float(error.max() / size))
            if (error > self._noise(size) + self.rtol * size).any():
                count = min(array.size, 256)
                chosen = np.sort(rng.choice(array.size, count, replace=False))
                self.report.checked = 0
                self._compare_entries(chosen)
                return self.report
        self.report.error = worst
        return self.report

    def _compare_entries(self, chosen: Array) -> None:
        flat = self.arrays[self.which].reshape(-1)
        rows = [
            self.cotangents
            @ difference(self.f, self.arrays, self.which, int(i), step_at(flat[i], self.step))
            for i in chosen
        ]
        self._compare(np.array(rows), chosen)

    def _noise(self, size: float) -> float:
        return self.atol * max(1.0, float(size))

    def _wrong(self, numeric: Array, analytic: Array) -> Array:
        size = np.maximum(np.abs(numeric), np.abs(analytic))
        tolerance = self._noise(np.abs(numeric).max(initial=0.0)) + self.rtol * size
        wrong: Array = ~(np.abs(numeric - analytic) <= tolerance)
        return wrong

    def _compare(self, numeric: Array, chosen: Array) -> None:
        analytic = self.analytic[chosen]
        wrong = self._wrong(numeric, analytic)
        kinks = np.zeros_like(wrong)
        for row in np.flatnonzero(wrong.any(axis=1)).tolist():
            kinks[row] = self._reconsider(row, int(chosen[row]), numeric, analytic)
        wrong = self._wrong(numeric, analytic) & ~kinks
        report = self.report
        report.checked += int((~kinks).sum())
        report.kinks += int(kinks.sum())
        scale = max(1e-3 * np.abs(numeric[~kinks]).max(initial=0.0), 1e3 * self.atol)
        size = np.maximum(np.maximum(np.abs(numeric), np.abs(analytic)), scale)
        error = np.where(kinks, 0.0, np.abs(numeric - analytic) / size)
        error = np.where(np.isnan(error), np.inf, error)
        if not error.size:
            return
        where = np.where(wrong, error, -1) if wrong.any() else error
        row, column = divmod(int(np.argmax(where)), error.shape[1])
        x = float(self.arrays[self.which].reshape(-1)[chosen[row]])
        report.error = float(error[row, column])
        report.index = tuple(int(i) for i in np.unravel_index(int(chosen[row]), self.shape))
        report.output = int(column)
        report.analytic, report.numeric = float(analytic[row, column]), float(numeric[row, column])
        report.step = step_at(x, self.step)
        if wrong.any():
            smooth = ~kinks.any(axis=1)
            if not smooth.any():
                report.likely = "every entry has a kink nearby: check at other inputs"
                return
            shape = self.shape if smooth.all() and len(chosen) == len(self.analytic) else ()
            report.likely = diagnose(analytic[smooth], numeric[smooth], shape, self.lengths)

    def _reconsider(self, row: int, entry: int, numeric: Array, analytic: Array) -> Array:
        """Look again at an entry that disagrees: smaller steps, then both sides.

        Puts the better difference into `numeric`; returns which outputs have a kink here.
        """
        x = float(self.arrays[self.which].reshape(-1)[entry])
        h = step_at(x, self.step)
        values = np.abs(self.f(self.arrays))
        for smaller in (h / 16, h / 256):
            slopes = difference(self.f, self.arrays, self.which, entry, smaller)
            row_values = self.cotangents @ slopes
            # A smaller step has more rounding error, in proportion to the outputs that changed:
            # agree within what that explains.
            magnitude = np.abs(self.cotangents) @ (values * (slopes != 0))
            rounding = 64 * np.finfo(float).eps / smaller * magnitude
            close = np.abs(row_values - analytic[row]) <= (
                rounding + self.rtol * np.abs(analytic[row])
            )
            better = close & self._wrong(numeric[row], analytic[row])
            numeric[row] = np.where(better, analytic[row], numeric[row])
        kinked = has_kink(self.f, self.arrays, self.which, entry, h)
        result: Array = (np.abs(self.cotangents) @ kinked > 0) & self._wrong(
            numeric[row], analytic[row]
        )
        return result
