"""What a gradient check found: true if all is well, and readable either way."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class OperandReport:
    """What was found for one operand.

    Attributes:
        name: `x[0]` for an input, the dotted name for a parameter.
        shape: its shape.
        checked: how many derivatives were compared.
        kinks: how many stood at a kink or jump and were left out.
        error: the worst difference relative to the size of the derivative.
        index: where in the operand the worst difference is.
        output: where in the outputs, laid end to end.
        analytic, numeric: the two values there.
        step: the difference step used there.
        likely: what kind of error it looks like; empty if the operand passed.
    """

    name: str
    shape: tuple[int, ...]
    checked: int = 0
    kinks: int = 0
    error: float = 0.0
    index: tuple[int, ...] = ()
    output: int = 0
    analytic: float = 0.0
    numeric: float = 0.0
    step: float = 0.0
    likely: str = ""

    def __str__(self) -> str:
        kinks = f", {self.kinks} at kinks left out" if self.kinks else ""
        line = f"{self.name} {self.shape}: {self.checked} derivatives{kinks}"
        if not self.likely:
            return f"{line}, worst relative error {self.error:.1e}"
        return (
            f"{line}: FAILED\n"
            f"    at index {self.index}, output {self.output}: analytic {self.analytic:.10g}, "
            f"numeric {self.numeric:.10g} (step {self.step:.1e}, relative error {self.error:.1e})\n"
            f"    looks like {self.likely}"
        )


@dataclass
class GradientReport:
    """The result of `gradcheck`: true if every derivative agreed.

    Attributes:
        operands: one report per operand.
        order: 1 for first derivatives, 2 for second.
        method: `"full Jacobian"` or `"random directions"`.
    """

    operands: list[OperandReport] = field(default_factory=list)
    order: int = 1
    method: str = "full Jacobian"

    @property
    def error(self) -> float:
        """The worst relative error of all operands."""
        return max((operand.error for operand in self.operands), default=0.0)

    @property
    def checked(self) -> int:
        """How many derivatives were compared."""
        return sum(operand.checked for operand in self.operands)

    @property
    def kinks(self) -> int:
        """How many stood at a kink and were left out."""
        return sum(operand.kinks for operand in self.operands)

    def __bool__(self) -> bool:
        return not any(operand.likely for operand in self.operands)

    def __str__(self) -> str:
        kind = "gradient check" if self.order == 1 else "gradient check of second order"
        verdict = "passed" if self else "FAILED"
        lines = [f"{kind} {verdict} ({self.method}, worst relative error {self.error:.1e})"]
        return "\n  ".join([*lines, *map(str, self.operands)])
