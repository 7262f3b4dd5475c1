"""Steps gathered into nests of loops: as few as the order of reads and writes allows.

Two steps over the same shape can share a loop if, wherever they meet in memory, they meet in the
same entry of the same round. A step goes into the first nest that it can share, and otherwise into
a new one at the end; so steps that have nothing to do with each other may change places.
"""

from __future__ import annotations

from ..program import Var
from .places import Place
from .steps import Step

PARALLEL = 1 << 18
"""From so many rounds on, two threads share a loop: to wake the other takes 20 to 50 µs."""

ROUNDS = "np.uint32(start), np.uint32(stop)"
"""Numba counts negative indices from the end, and only loops without any are vectorised."""


class Nest:
    """Steps over one shape."""

    def __init__(self, first: Step) -> None:
        self.shape = first.shape
        self.steps = [first]

    @property
    def rounds(self) -> int:
        """How often the innermost lines run."""
        count = 1
        for n in self.shape:
            count *= n
        return count

    @property
    def may_fail(self) -> bool:
        """Does it look something up, which may not be there?"""
        return any(s.looks_up for s in self.steps)

    def precedes(self, step: Step) -> bool:
        """Is there a step that has to come before this one?"""
        return any(_conflict(a, step) for a in self.steps)

    def takes(self, step: Step) -> bool:
        """Can this step share the loop with all others?"""
        if step.shape != self.shape:
            return False
        for other in self.steps:
            for a, b in _meetings(other, step):
                if not a.same_entries(b) or other.reduces:
                    return False
                if step.reduces and b is step.result:
                    return False
        return True

    def order(self) -> list[int]:
        """The axes from the outermost loop to the innermost: longest strides outside."""
        places = [p for s in self.steps for p in (s.result, *s.read()) if not p.anywhere]
        whole = [p for p in places if _is_whole(p)]
        axes = range(len(self.shape))
        if not whole:
            return list(axes)
        return sorted(axes, key=lambda i: (-abs(whole[0].strides[i]) or -1 << 40, i))


def _is_whole(p: Place) -> bool:
    return all(n == 1 or stride for n, stride in zip(p.shape, p.strides, strict=True))


def _meetings(a: Step, b: Step) -> list[tuple[Place, Place]]:
    """Pairs of places of which one is written and that may have an entry in common."""
    pairs = [(a.result, p) for p in b.touched()] + [(p, b.result) for p in a.read()]
    return [(p, q) for p, q in pairs if p.meets(q)]


def _conflict(a: Step, b: Step) -> bool:
    return bool(_meetings(a, b))


def nests_of(steps: list[Step]) -> list[Nest]:
    """The nests, in an order in which they may run."""
    nests: list[Nest] = []
    for step in steps:
        first = 0
        for k, nest in enumerate(nests):
            if nest.precedes(step):
                first = k if nest.takes(step) else k + 1
            elif step.statement.writes is not None and nest.may_fail:
                first = k + 1  # what is changed stays as it is if an index is wrong
        home = next((nest for nest in nests[first:] if nest.takes(step)), None)
        if home is None:
            nests.append(Nest(step))
        else:
            home.steps.append(step)
    return nests


def read_in_nests(nests: list[Nest]) -> dict[Var, set[int]]:
    """In which nests each memory is read or written."""
    found: dict[Var, set[int]] = {}
    for k, nest in enumerate(nests):
        for step in nest.steps:
            for p in step.touched():
                found.setdefault(p.root, set()).add(k)
    return found
