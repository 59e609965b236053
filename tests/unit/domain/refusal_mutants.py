"""Every refusal of the core outside the declaration, found in its syntax tree, and the core without any one of them.

A refusal is a statement that notes a fault or hands the faults on, refuses at once, or yields a violation. The
declaration's own demands are taken out by `test_refusals`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import ledger.domain

_FOLDER = Path(ledger.domain.__file__).parent
_NOTING = frozenset({"add", "note", "note_all", "require", "text", "refuse_if_any"})
_HIT = "__refusal_hit__"
Hit = Callable[[str], None]


@dataclass(frozen=True)
class Refusal:
    """One statement; `name` stays the same while others come and go in other functions."""

    module: str
    function: str
    """Qualified name of the outermost function."""
    number: int
    """Among the refusals of that function, from 1."""
    said: str
    line: int

    @property
    def name(self) -> str:
        """What the list of killers calls it."""
        return f"{self.module}.{self.function} {self.number} {self.said}"


@cache
def refusals() -> tuple[Refusal, ...]:
    """All of them, by module and place."""
    return tuple(found for path in sorted(_FOLDER.glob("*.py")) for found, _ in _of_module(_tree(path.stem), path.stem))


@contextmanager
def without(refusal: Refusal) -> Generator[None]:
    """The core without this refusal."""
    tree = _tree(refusal.module)
    (node,) = (node for found, node in _of_module(tree, refusal.module) if found == refusal)
    changed = _Replaced({node: [ast.copy_location(ast.Pass(), node)]}).visit(tree)
    with _swapped(refusal.module, changed, {refusal.function}):
        yield


@contextmanager
def watched(hit: Hit) -> Generator[None]:
    """The core as it is, which says of each refusal that it was made."""
    modules = sorted({each.module for each in refusals()})
    with _all_watched(modules, hit):
        yield


@contextmanager
def _all_watched(modules: list[str], hit: Hit) -> Generator[None]:
    if not modules:
        yield
        return
    module, *others = modules
    tree = _tree(module)
    found = _of_module(tree, module)
    vars(importlib.import_module(f"ledger.domain.{module}"))[_HIT] = hit
    changed = _Replaced({node: _watching(refusal.name, node) for refusal, node in found}).visit(tree)
    with _swapped(module, changed, {refusal.function for refusal, _ in found}), _all_watched(others, hit):
        yield


def _tree(module: str) -> ast.Module:
    return ast.parse((_FOLDER / f"{module}.py").read_text(encoding="utf-8"))


def _of_module(tree: ast.Module, module: str) -> list[tuple[Refusal, ast.stmt]]:
    # The lists' own demands are a declaration too, which `test_disposal_list` takes apart.
    declared = module == "disposal_list_rules" or (module.endswith("guards") and module != "guards")
    found: list[tuple[Refusal, ast.stmt]] = []
    for function, body in _functions(tree, ""):
        statements = [node for node in ast.walk(body) if isinstance(node, ast.stmt)]
        collects = any("Faults" in ast.unparse(node) for node in ast.walk(body) if isinstance(node, ast.arg | ast.Call))
        refusing = [node for node in statements if _said(node, collects=collects)] if not declared else []
        for number, node in enumerate(sorted(refusing, key=lambda node: (node.lineno, node.col_offset)), 1):
            found.append((Refusal(module, function, number, _said(node, collects=collects), node.lineno), node))
    return found


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")


def _said(node: ast.stmt, *, collects: bool) -> str:
    """What the statement refuses with, shortened; empty where it refuses nothing."""
    match node:
        case ast.Raise(exc=ast.Call(func=ast.Name(id="refuse" | "Refused"))):
            return _short(node)
        case ast.Expr(value=ast.Yield(value=ast.Call(func=ast.Name(id="Violation")))):
            return _short(node)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="faults"), attr=attr))):
            return _short(node) if attr in _NOTING else ""
        case ast.Expr(value=ast.Call(args=args)) if collects and any(_is_faults(each) for each in args):
            return _short(node)
        case _:
            return ""


def _is_faults(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "faults"


def _short(node: ast.stmt) -> str:
    texts = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    rules = [each for each in texts if each.isupper() and each.replace("_", "").isalpha()]
    return rules[0] if rules else ast.unparse(node).split("(", 1)[0].removeprefix("yield ")


def _watching(name: str, node: ast.stmt) -> list[ast.stmt]:
    """The statement, and that it refused: by what it noted where it notes, or by being reached."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and "refuse_if_any" not in ast.unparse(node):
        before = ast.parse("__noted__ = len(faults._faults)").body
        after = ast.parse(f"if len(faults._faults) > __noted__: {_HIT}({name!r})").body
        return [*before, node, *after]
    reached = f"if faults: {_HIT}({name!r})" if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else ""
    return [*ast.parse(reached or f"{_HIT}({name!r})").body, node]


class _Replaced(ast.NodeTransformer):
    def __init__(self, by: dict[ast.stmt, list[ast.stmt]]) -> None:
        self._by = by

    def visit(self, node: ast.AST) -> Any:
        """The statements that stand for this one."""
        return self._by[node] if isinstance(node, ast.stmt) and node in self._by else super().visit(node)


@contextmanager
def _swapped(module: str, tree: ast.Module, functions: set[str]) -> Generator[None]:
    """Runs these functions of the module by other code: whoever has imported one runs the other code too."""
    whole = compile(ast.fix_missing_locations(tree), f"{module}.py", "exec")
    codes = {code.co_qualname: code for code in _codes(whole)}
    found = [_function(module, name) for name in functions]
    before = [each.__code__ for each in found]
    for each in found:
        each.__code__ = codes[each.__qualname__]
    try:
        yield
    finally:
        for each, code in zip(found, before, strict=True):
            each.__code__ = code


def _codes(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _codes(each)


def _function(module: str, name: str) -> FunctionType:
    *classes, last = name.split(".")
    place: Any = importlib.import_module(f"ledger.domain.{module}")
    for each in classes:
        place = getattr(place, each)
    found: object = inspect.unwrap(getattr(place, last))
    assert isinstance(found, FunctionType), name
    return found
