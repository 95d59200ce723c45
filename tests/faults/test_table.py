"""The table of faults is complete, and every test that it names exists."""

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
TABLE = Path(__file__).with_name("README.md").read_text()
ROWS = {"S": 13, "N": 12, "C": 6, "B": 12, "D": 11, "P": 8, "F": 5, "R": 5, "V": 4, "X": 9, "A": 16, "G": 22}


@cache
def names_in(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_fault_has_its_row() -> None:
    names = re.findall(r"^\| ([A-Z]\d+) \|", TABLE, re.MULTILINE)
    assert names == [f"{letter}{k}" for letter, count in ROWS.items() for k in range(1, count + 1)]
    assert sum(ROWS.values()) - ROWS["G"] - ROWS["A"] == 85


def test_every_row_names_tests_that_exist() -> None:
    wrong = []
    for row in re.findall(r"^\| [A-Z]\d+ \|.*$", TABLE, re.MULTILINE):
        named = re.findall(r"`([a-z_0-9/]+\.py)::(test_[a-z_0-9]+)`", row)
        wrong += [row] if not named else []
        wrong += [f"{file}::{name}" for file, name in named if name not in names_in(file)]
    assert not wrong
