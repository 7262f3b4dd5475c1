"""What a sanity check found: one question a row, each passed, failed or unclear."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Check", "Checks"]

PASSED, FAILED, UNCLEAR = "passed", "failed", "unclear"


class Check(NamedTuple):
    """One question: its name, what was expected, what was found, and what that means.

    Attributes:
        name: of the question.
        expected, found: in words and numbers.
        verdict: `"passed"`, `"failed"` or `"unclear"`.
        cause: the likeliest one, empty if passed.
        remedy: what to do about it, empty if passed.
    """

    name: str
    expected: str
    found: str
    verdict: str
    cause: str = ""
    remedy: str = ""


class Checks(dict[str, Check]):
    """Every `Check` by name; prints as a table, with cause and remedy of what did not pass."""

    @property
    def passed(self) -> bool:
        """Did all checks pass?"""
        return all(check.verdict == PASSED for check in self.values())

    @property
    def failed(self) -> list[str]:
        """The names of those that failed."""
        return [check.name for check in self.values() if check.verdict == FAILED]

    def __repr__(self) -> str:
        rows = [("check", "expected", "found", "verdict")]
        rows += [
            (c.name, c.expected, c.found, c.verdict.upper() if c.verdict == FAILED else c.verdict)
            for c in self.values()
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [
            "  ".join([*(f"{cell:{w}}" for cell, w in zip(row, widths, strict=False)), row[3]])
            for row in rows
        ]
        for check in self.values():
            if check.verdict != PASSED:
                lines.append(f"\n{check.name}: {check.cause}\n  -> {check.remedy}")
        return "\n".join(lines)
