"""The syntax of functions of the library, as it stands in their files."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from typing import Any

from ...engine.errors import CompileError


def values_of(function: Any) -> dict[str, Any]:
    """What the free names of a function stand for."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    closed = {name: cell.cell_contents for name, cell in cells}
    return {**function.__globals__, **closed}


def names_in(node: ast.AST) -> set[str]:
    """The names that it takes from outside."""
    bound = {a.arg for n in ast.walk(node) if isinstance(n, ast.arguments)
             for a in [*n.args, *n.kwonlyargs, *n.posonlyargs, n.vararg, n.kwarg] if a}  # fmt: skip
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    stored = {n.id for n in names if isinstance(n.ctx, ast.Store)}
    return {n.id for n in names} - bound - stored


def node_of(function: Any) -> ast.AST:
    """The syntax of a function or lambda, without annotations, documentation and decorators."""
    tree = ast.parse(_module_text(inspect.getsourcefile(function) or ""))
    wanted = ast.Lambda if function.__name__ == "<lambda>" else ast.FunctionDef
    places = [p for p in function.__code__.co_positions() if p[0] and p[2] is not None and p[2] > 0]
    line, _, column, _ = places[-1]
    best: Any = None
    for node in ast.walk(tree):
        if isinstance(node, wanted) and (node.lineno, node.col_offset) <= (line, column):
            inside = (line, column) <= (node.end_lineno or 0, node.end_col_offset or 0)
            named = getattr(node, "name", "<lambda>") == function.__name__
            if inside and named and (best is None or best.lineno <= node.lineno):
                best = node
    if best is None:
        raise CompileError(f"compile: the text of {function.__qualname__} was not found")
    return _Plain().visit(best)  # type: ignore[no-any-return]


def plain(node: ast.AST) -> Any:
    """The same without annotations, documentation and decorators."""
    return _Plain().visit(node)


def renamed(node: ast.AST, names: dict[str, str]) -> Any:
    """The same with other names for what it takes from outside."""
    return _Renamed(names).visit(node)


@cache
def _module_text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return textwrap.dedent(file.read())


_PROPERTIES = {"property": "property", "cached_property": "property",
               "staticmethod": "staticmethod", "classmethod": "classmethod"}  # fmt: skip


class _Plain(ast.NodeTransformer):
    """Without annotations, documentation and decorators."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        node.decorator_list = [
            ast.Name(_PROPERTIES[d.id], ast.Load())
            for d in node.decorator_list
            if isinstance(d, ast.Name) and d.id in _PROPERTIES
        ]
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            node.body = node.body[1:] or [ast.Pass()]
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        fields = [n for n in node.body if isinstance(n, ast.AnnAssign)]
        for field in fields:
            field.annotation = ast.Name("object", ast.Load())
        node.body = [n if n in fields else self.visit(n) for n in node.body]
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            node.body = node.body[1:]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        self.generic_visit(node)
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign([node.target], node.value), node)


class _Renamed(ast.NodeTransformer):
    """With other names for what it takes from outside."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self.names:
            return ast.copy_location(ast.parse(self.names[node.id], mode="eval").body, node)
        return node
