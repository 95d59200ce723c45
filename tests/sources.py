"""Reads the product's source files, each once, for the tests that look at them."""

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
FILES = sorted(p for top in ("firmware_bridge", "monitor") for p in (ROOT / top).rglob("*.py"))


class Import(NamedTuple):
    name: str  # of a module, or of something that is imported from one: `package.thing`
    line: int
    at_start: bool  # not inside a function


class Source(NamedTuple):
    """What a file says."""

    lines: int
    docstring: str | None
    imports: list[Import]
    classes: list[str]
    calls: list[tuple[str, int]]  # of plain names, with the line
    words: set[str]  # identifiers and string constants


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module(path) for path in FILES}


@cache
def source(path: Path) -> Source:
    text = path.read_text()
    tree = ast.parse(text)
    found = Source(text.count("\n"), ast.get_docstring(tree), [], [], [], set())
    late: set[ast.AST] = set()
    for node in ast.walk(tree):  # a parent comes before its children
        if node in late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            late.update(ast.iter_child_nodes(node))
        _note(node, node not in late, found)
    return found


def _note(node: ast.AST, at_start: bool, found: Source) -> None:
    match node:
        case ast.Import(names=names):
            found.imports.extend(Import(alias.name, node.lineno, at_start) for alias in names)
            found.words.update(part for alias in names for part in alias.name.split("."))
        case ast.ImportFrom(module=package, names=names):
            assert package, f"line {node.lineno}: imports are absolute here"
            assert node.level == 0, f"line {node.lineno}: imports are absolute here"
            for alias in names:  # a module, or something in one
                inner = f"{package}.{alias.name}"
                found.imports.append(Import(inner if inner in MODULES else package, node.lineno, at_start))
            found.words.update(package.split("."), (alias.name for alias in names))
        case ast.ClassDef(name=name):
            found.classes.append(name)
            found.words.add(name)
        case ast.Call(func=ast.Name(id=name)):
            found.calls.append((name, node.lineno))
        case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.keyword(arg=str(word)):
            found.words.add(word)
        case ast.FunctionDef(name=word) | ast.AsyncFunctionDef(name=word) | ast.Constant(value=str(word)):
            found.words.add(word)
