"""Assembles, from the rules of an operation, the function a student would write by hand.

For `multiply` with both operands differentiable it writes

    def pull(g, node, table):
        a, b = node.saved
        p0, p1 = node.inputs
        c0 = g * b
        c1 = g * a
        ...add c0 to table[p0] and c1 to table[p1]

once per operation and per choice of operands that need a gradient, so that a backward pass spends
its time in the rules and not in looking up which rule wants what. `Plan.pull_source` shows it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

from .expression import expression
from .fit import fit
from .modes import current_trace
from .record import ELEMENTWISE, LINEAR, MOVE, Operation, parameter_names
from .types import Rule

Saver = Callable[[Any, Any, Any, Any], tuple[Any, ...]]
Pull = Callable[[Any, Any, dict[Any, Any]], None]


class Edge(NamedTuple):
    """One differentiable operand of a plan: its position, its name for messages, its rule."""

    position: int
    label: str
    rule: Rule
    asks: tuple[str, ...]


class Plan:
    """How cotangents pass through one operation, for one choice of operands that need them."""

    __slots__ = (
        "carries_marks",
        "cuts",
        "edges",
        "op",
        "pull",
        "pull_source",
        "save",
        "saved_names",
        "saved_operands",
        "selects",
        "special",
    )

    def __init__(self, op: Operation, pattern: int) -> None:
        self.op = op
        self.cuts = op.cuts
        self.carries_marks = op.carries_marks
        self.selects = op.cuts and op.kind is ELEMENTWISE
        self.special = op.cuts
        self.edges = _edges(op, pattern)
        needed = _needed(op, self.edges)
        self.saved_operands = tuple(i for i, name in enumerate(op.operands) if name in needed)
        self.saved_names = self._names_to_save(needed)
        self.save = _saver(op, self.saved_names)
        self.pull_source = ""
        self.pull = self._make_pull()

    def watched(self) -> Plan:
        """The same plan for a node with hooks, which the pass must not hurry past."""
        plan = copy.copy(self)
        plan.special = True
        return plan

    def _names_to_save(self, needed: set[str]) -> tuple[str, ...]:
        return tuple(name for name in _everything(self.op) if name in needed)

    def _make_pull(self) -> Pull:
        return _variadic_pull(self) if self.op.variadic else _array_pull(self)

    def values(self, node: Any) -> dict[str, Any]:
        """What the rules of `node` may ask for, by name."""
        return dict(zip(self.saved_names, node.saved, strict=True))

    def contributions(self, g: Any, values: dict[str, Any]) -> list[tuple[int, str, Any]]:
        """Position, name and cotangent of every operand, from values looked up by name.

        The slow and general form of `pull`: it serves recorded passes, marks and forward mode.
        """
        known = {**values, "g": g}
        trace = current_trace()
        result = []
        for index, label, rule, asks in self.edges:
            known["i"] = index
            given = [known[name] for name in asks]
            if trace is None:
                cotangent = rule(*given)
            else:
                cotangent = trace.call_rule(self.op, index, rule, given)
            result.append((index, label, cotangent))
        return result


class ScalarPlan(Plan):
    """A plan whose operands are all `Scalar`s: floats are read off the nodes themselves."""

    __slots__ = ("out_saved", "pull_column")

    pull_column: Callable[[Any, Any], None]

    def _names_to_save(self, needed: set[str]) -> tuple[str, ...]:
        self.out_saved = "out" in needed
        on_nodes = {"out", *self.op.operands}
        return tuple(n for n in _everything(self.op) if n in needed and n not in on_nodes)

    def _make_pull(self) -> Pull:
        lines = _scalar_lines(self)
        places = range(len(self.edges))
        column = [f"    p{k}.cotangent += c{k}" for k in places]
        self.pull_column = _compile(self, ["def pull(g, node):", *lines, *column])
        table = [_ADD.format(k=k) for k in places]
        pull: Pull = _compile(self, ["def pull(g, node, table):", *lines, *table])
        return pull

    def values(self, node: Any) -> dict[str, Any]:
        """What the rules of `node` may ask for, by name."""
        known = Plan.values(self, node) if self.saved_names else {}
        for i in self.saved_operands:
            known[self.op.operands[i]] = node.inputs[i]._data
        if self.out_saved:
            known["out"] = node._data
        return known


def _edges(op: Operation, pattern: int) -> tuple[Edge, ...]:
    if op.variadic:
        (name,) = op.operands
        rule = op.rules[name]
        asks = parameter_names(rule)
        positions = [i for i in range(pattern.bit_length()) if pattern >> i & 1]
        return tuple(Edge(i, f"{name}[{i}]", rule, asks) for i in positions)
    return tuple(
        Edge(i, name, op.rules[name], parameter_names(op.rules[name]))
        for i, name in enumerate(op.operands)
        if pattern >> i & 1 and name in op.rules
    )


def _needed(op: Operation, edges: tuple[Edge, ...]) -> set[str]:
    """Names the rules ask for, and what stands behind them.

    The formula of a kept intermediate needs operands; forward mode calls a linear operation again
    on tangents, so that one needs its parameters.
    """
    names = {name for edge in edges for name in edge.asks if name not in ("g", "i")}
    for kept in names & set(op.keep):
        names |= set(parameter_names(op.keep[kept]))
    if op.kind in (MOVE, LINEAR):
        names |= set(op.params)
        if op.variadic:
            names.add(f"{op.operands[0]}_shape")
    return names


def _everything(op: Operation) -> tuple[str, ...]:
    shapes = tuple(f"{name}_shape" for name in op.operands)
    return (*op.operands, *op.params, *op.keep, "out", *shapes)


def _tuple(items: list[str]) -> str:
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def _saver(op: Operation, names: tuple[str, ...]) -> Saver:
    """A function of (values, params, out, kept) that returns what is to be saved, in order."""
    places = {"out": "out"}
    if op.variadic:
        (operand,) = op.operands
        places[operand] = "tuple(values)"
        places[f"{operand}_shape"] = 'tuple([getattr(v, "shape", ()) for v in values])'
    else:
        places |= {name: f"values[{i}]" for i, name in enumerate(op.operands)}
        places |= {
            f"{name}_shape": f"getattr(values[{i}], 'shape', ())"
            for i, name in enumerate(op.operands)
        }
    places |= {name: f"params[{i}]" for i, name in enumerate(op.params)}
    places |= {name: f"kept[{i}]" for i, name in enumerate(op.keep)}
    text = f"lambda values, params, out, kept: {_tuple([places[name] for name in names])}"
    saver: Saver = eval(text)
    return saver


# All contributions are complete before the first one is added: where a rule stumbles (float
# arithmetic refuses 1 / 0.0), nothing is half done and the pass can repeat the node slowly.

_FIT = """\
    if c{k}.dtype is not p{k}.dtype or c{k}.shape != p{k}.shape:
        c{k} = fit(c{k}, p{k}, name, {label!r})"""

_ADD = """\
    if p{k} in table: table[p{k}] = table[p{k}] + c{k}
    else: table[p{k}] = c{k}"""


def _first_lines(plan: Plan) -> list[str]:
    lines = ["def pull(g, node, table):"]
    if plan.saved_names:
        lines.append(f"    {_tuple(list(plan.saved_names))} = node.saved")
    return [*lines, "    inputs = node.inputs"]


def _array_pull(plan: Plan) -> Pull:
    lines = _first_lines(plan)
    for k, edge in enumerate(plan.edges):
        lines.append(f"    p{k} = inputs[{edge.position}]")
        lines.append(f"    c{k} = {_call(k, edge)}")
        lines.append(_FIT.format(k=k, label=edge.label))
    lines += [_ADD.format(k=k) for k in range(len(plan.edges))]
    pull: Pull = _compile(plan, lines)
    return pull


def _scalar_lines(plan: ScalarPlan) -> list[str]:
    op = plan.op
    parents = {edge.position: f"p{k}" for k, edge in enumerate(plan.edges)}
    inputs = [parents.get(i, f"x{i}") for i in range(len(op.operands))]
    lines = [f"    {_tuple(inputs)} = node.inputs"]
    lines += [f"    {op.operands[i]} = {inputs[i]}._data" for i in plan.saved_operands]
    if plan.out_saved:
        lines.append("    out = node._data")
    if plan.saved_names:
        lines.append(f"    {_tuple(list(plan.saved_names))} = node.saved")
    return lines + [f"    c{k} = {_call(k, edge)}" for k, edge in enumerate(plan.edges)]


def _call(k: int, edge: Edge) -> str:
    return expression(edge.rule) or f"d{k}({', '.join(edge.asks)})"


def _compile(plan: Plan, lines: list[str]) -> Any:
    plan.pull_source = "\n".join(lines)
    names: dict[str, Any] = {f"d{k}": edge.rule for k, edge in enumerate(plan.edges)}
    names |= {"fit": fit, "name": plan.op.name}
    names["labels"] = {edge.position: edge.label for edge in plan.edges}
    exec(plan.pull_source, names)
    return names["pull"]


_VARIADIC = """\
    sent = [({call}, inputs[i], i) for i in {positions}]
    fitted = [
        (p, c if c.dtype is p.dtype and c.shape == p.shape else fit(c, p, name, labels[i]))
        for c, p, i in sent
    ]
    for p, c in fitted:
        table[p] = table[p] + c if p in table else c"""


def _variadic_pull(plan: Plan) -> Pull:
    positions = tuple(edge.position for edge in plan.edges)
    lines = _first_lines(plan)
    lines.append(_VARIADIC.format(call=_call(0, plan.edges[0]), positions=positions))
    pull: Pull = _compile(plan, lines)
    return pull


def plan_for(op: Operation, pattern: int) -> Plan:
    """The plan for the operands whose bits are set in `pattern`, made on first use."""
    plan = op.plans.get(pattern)
    if plan is None:
        plan = Plan(op, pattern)
        if not op.variadic or len(op.plans) < 64:
            op.plans[pattern] = plan
    return plan


def scalar_plan_for(op: Operation, pattern: int) -> Plan:
    """The same for operands that are all `Scalar`s; kept under negative keys."""
    plan = op.plans.get(~pattern)
    if plan is None:
        plan = op.plans[~pattern] = ScalarPlan(op, pattern)
    return plan
