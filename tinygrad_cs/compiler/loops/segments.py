"""A program in which runs of statements have become calls of functions of loops.

A run ends where a statement that stays NumPy's (a product of matrices, a random draw) needs what
the run gives or changes what it reads; otherwise that statement goes first. Each run becomes one
function; what only the run itself reads needs no memory, unless two of its nests share it.
"""

from __future__ import annotations

from typing import Any

from ...engine.types import np
from ..planning.buffers import _as_call, store_directly
from ..program import Program, Statement, Var, leaves
from .cache import FLAT, FLAT_COPY, Kernel
from .kernel import Lines, is_shared
from .nests import PARALLEL, Nest, nests_of, read_in_nests
from .places import places_of
from .steps import Step, Steps
from .windows import written_out


def fuse(program: Program) -> list[Kernel]:
    """Change the program; returns the functions that it calls now, which are not compiled yet."""
    program.statements = [_as_call(s) for s in program.statements]
    store_directly(program)
    kernels = written_out(program)
    return kernels + _Fusion(program).run()


class _Fusion:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.places = places_of(program)
        self.steps = Steps(program, self.places)
        self.kernels: list[Kernel] = []
        self.done: list[Statement] = []
        self.segment: list[Step] = []
        self.views: list[Statement] = []  # of what the run gives, whose memory is still to be made
        self.flats: dict[Var, Var] = {}
        self.leaving = {v.base for v in leaves((program.output, program.kept))}
        self.given = set(program.inputs) - set(program.captured)
        self.found = [self.steps.step(s) for s in program.statements]
        self._choose()
        self.outside = self._read_outside()

    def run(self) -> list[Kernel]:
        for s, step in zip(self.program.statements, self.found, strict=True):
            if step is not None:
                self.segment.append(step)
            elif _is_view(s) and any(s.target.base is x.result.root for x in self.segment):  # type: ignore[union-attr]
                self.views.append(s)
            else:
                if not _is_view(s) and self._depends(s):
                    self._close()
                self.done.append(s)
        self._close()
        self.program.statements = self._without_idle_views()
        return self.kernels

    def _without_idle_views(self) -> list[Statement]:
        """What is left without the views that only loops looked at."""
        read = {v for s in self.program.views for v in s.reads()} | set(
            leaves((self.program.output, self.program.kept))
        )
        staying = []
        for s in reversed(self.done):
            if not _is_view(s) or s.target in read:
                staying.append(s)
                read.update(s.reads())
        return staying[::-1]

    def _choose(self) -> None:
        """Values without axes stay NumPy's unless they come out of a loop; so do odd layouts."""
        inside: set[Var] = set()
        for k, step in enumerate(self.found):
            if step is None:
                continue
            target: Any = step.statement.target
            made = target is not None and target.base is target
            if (made and target.order is not None and target in self.leaving) or (
                not step.shape and not any(p.root in inside for p in step.read())
            ):
                self.found[k] = None
            elif made:
                inside.add(target)

    def _read_outside(self) -> set[Var]:
        """What statements that stay read or write, and what leaves."""
        found = set(self.leaving)
        for s, step in zip(self.program.statements, self.found, strict=True):
            if step is None and not _is_view(s):
                found |= {v.base for v in s.reads()}
        return found

    def _depends(self, s: Statement) -> bool:
        """Must the run be over before this statement?"""
        reads = {v.base for v in s.reads()}
        writes = {v.base for v in (s.writes, s.target) if v is not None}
        for step in self.segment:
            written = step.result.root
            if written in reads or written in writes or any(p.root in writes for p in step.read()):
                return True
        return False

    def _close(self) -> None:
        steps, self.segment = self.segment, []
        views, self.views = self.views, []
        if not steps:
            return
        rounds = max(int(np.prod(s.shape, dtype=np.int64)) for s in steps)
        if len(steps) == 1 and rounds < PARALLEL and not self._is_made_inside(steps):
            self.done += [steps[0].statement, *views]
            return
        nests = nests_of(steps)
        used = read_in_nests(nests)
        made = {s.statement.target for s in steps if _makes(s)}
        later = self._read_by_others(steps)
        in_memory = {
            root
            for root, where in used.items()
            if root not in made or root in later or len(where) > 1
        }
        in_memory |= {s.result.root for s in steps if s.reduces}
        note = steps[0].statement
        groups: list[list[Nest]] = []
        for nest in nests:
            if not groups or is_shared(nest) or is_shared(groups[-1][-1]):
                groups.append([])
            groups[-1].append(nest)
        written = []
        for group in groups:
            lines = Lines(in_memory)
            for nest in group:
                lines.nest(nest)
            kernel = Kernel(f"loops_{len(self.kernels) + 1}", lines)
            self.kernels.append(kernel)
            written.append((kernel, lines))
        after = []
        for root in dict.fromkeys(root for _, lines in written for root in lines.memory):
            if root in made:
                after += self._memory_for(root, root in later, note)
        self.done += views
        for kernel, lines in written:
            args = [self._flat(root, note) for root in lines.memory]
            given = (*args, *lines.numbers)
            self.done.append(Statement(None, "kernel", kernel, given, {}, part=note.part))
        self.done += after

    def _is_made_inside(self, steps: list[Step]) -> bool:
        return any(p.root in self.flats for p in steps[0].touched() if p.root.shape == ())

    def _read_by_others(self, steps: list[Step]) -> set[Var]:
        mine = set(map(id, steps))
        found = set(self.outside)
        for step in self.found:
            if step is not None and id(step) not in mine:
                found |= {p.root for p in step.touched()}
        return found

    def _memory_for(self, root: Var, read_later: bool, note: Statement) -> list[Statement]:
        """Make memory for a result: kept from call to call, unless the caller gets it."""
        if root.shape == ():
            buffer = Var(f"buffer_of_{root.name}", (1,), root.dtype)
            self.program.buffers.append(buffer)
            self.flats[root] = buffer
            if root not in self.outside:
                return []
            return [Statement(root, "item", "item", (buffer, 0), {}, part=note.part)]
        if root in self.leaving:
            args = (root.shape, root.dtype)
            self.done.append(Statement(root, "call", np.empty, args, {}, part=note.part))
        else:
            self.program.buffers.append(root)
        return []

    def _flat(self, root: Var, note: Statement) -> Var:
        """The entries of a memory one after the other."""
        if root in self.flats:
            return self.flats[root]
        program = self.program
        size = int(np.prod(root.shape, dtype=np.int64))
        outside = root in program.captured or root in program.constants
        name = f"{root.name}_flat"
        if root.shape == (size,) and root.order is None and not outside and root not in self.given:
            return root
        shown = Var(name, (size,), root.dtype, root, root.span)
        if outside:
            program.views.insert(0, Statement(shown, "kernel", FLAT, (root,), {}))
        elif root in self.given:
            shown.base = shown
            self.done.append(Statement(shown, "kernel", FLAT_COPY, (root,), {}, part=note.part))
        else:
            source = root
            if root.order is not None:
                source = Var(f"{name}_turned", None, root.dtype, root, root.span)
                turned = Statement(source, "method", "transpose", (root, *root.order), {})
                turned.part = note.part
                self.done.append(turned)
            view = Statement(shown, "method", "reshape", (source, -1), {}, part=note.part)
            self.done.append(view)
        if outside or root in program.buffers or root in self.given:
            self.flats[root] = shown
        else:
            self.flats[root] = shown
        return shown


def _makes(step: Step) -> bool:
    target = step.statement.target
    return target is not None and target.base is target


def _is_view(s: Statement) -> bool:
    target: Any = s.target
    return target is not None and target.base is not target and s.writes is None
