"""The examples in the docstrings of the product do what they show."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [path for package in ("firmware_bridge", "monitor") for path in (ROOT / package).rglob("*.py")]
SHOWING = [path.relative_to(ROOT).with_suffix("") for path in FILES if ">>> " in path.read_text()]
EXAMPLES = sorted(".".join(path.parts) for path in SHOWING)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_does_what_it_shows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried
    assert not failed
