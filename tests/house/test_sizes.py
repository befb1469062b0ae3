"""Small modules, small functions, and no exception swallowed whole."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import modules, place, syntax

MODULE_LINES, FUNCTION_LINES = 300, 50
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def test_no_module_is_longer_than_300_lines() -> None:
    lengths = {module: len(module.read_text(encoding="utf-8").splitlines()) for module in modules()}
    assert [f"{place(module, 1)} has {lines} lines" for module, lines in lengths.items() if lines > MODULE_LINES] == []


def test_no_function_is_longer_than_50_lines() -> None:
    lengths = [(module, node, (node.end_lineno or 0) - node.lineno + 1) for module, node in _nodes() if isinstance(node, FUNCTIONS)]
    assert [
        f"{place(module, node.lineno)} {node.name} has {lines} lines" for module, node, lines in lengths if lines > FUNCTION_LINES
    ] == []


def test_nobody_catches_everything() -> None:
    handlers = [(module, node) for module, node in _nodes() if isinstance(node, ast.ExceptHandler)]
    assert [place(module, node.lineno) for module, node in handlers if _catches_everything(node.type)] == []


def test_every_module_says_what_it_answers() -> None:
    assert [place(module, 1) for module in modules() if module.stat().st_size and not ast.get_docstring(syntax(module))] == []


def _nodes() -> Iterator[tuple[Path, ast.AST]]:
    for module in modules():
        for node in ast.walk(syntax(module)):
            yield module, node


def _catches_everything(kind: ast.expr | None) -> bool:
    named = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    names = {each.id for each in named if isinstance(each, ast.Name)}
    return None in named or bool(names & {"Exception", "BaseException"})
