"""What a diagnosis consists of."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Finding", "Report"]


class Finding(NamedTuple):
    """One thing that went wrong.

    Attributes:
        name: what, such as "vanishing gradients".
        evidence: the numbers that say so.
        cause: what is likely behind it.
        remedy: what to try, the likeliest first.
    """

    name: str
    evidence: str
    cause: str
    remedy: str


class Report(list[Finding]):
    """A list of findings, causes before consequences; empty, and so false, if all is well.

    `"dead units" in report` asks for a name.
    """

    @property
    def names(self) -> list[str]:
        """The names of all findings."""
        return [finding.name for finding in self]

    def __contains__(self, key: Any) -> bool:
        return key in self.names if isinstance(key, str) else super().__contains__(key)

    def __repr__(self) -> str:
        if not self:
            return "nothing suspicious"
        return "\n".join(
            f"{i}. {f.name}: {f.evidence}\n   likely: {f.cause}\n   try: {f.remedy}"
            for i, f in enumerate(self, 1)
        )
