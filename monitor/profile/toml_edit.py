"""Changes numbers in a TOML file that a person wrote; comments, order and spacing stay.

A key that is there as a commented default (`#friction = 0.06`) takes that line; a missing key is added right below the
header of its table. The file is replaced as a whole or not at all. Only this file imports tomlkit.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

from monitor.profile.toml_document import ConfigError
from monitor.state.whole_file import write_whole

Values = Mapping[str, Mapping[str, float | int]]


def edited(text: str, changes: Values, name: str) -> str:
    """The text with these values. Raises ConfigError if that would change anything else."""
    before = tomllib.loads(text)
    for table, values in changes.items():
        for key in reversed(list(values)):
            if key not in before.get(table, {}):
                text = _with_line(text, table, key)
    document: Any = tomlkit.parse(text)
    for table, values in changes.items():
        if table not in document:
            document[table] = tomlkit.table()
        for key, value in values.items():
            document[table][key] = value
    result = tomlkit.dumps(document)
    wanted = {name: dict(table) if isinstance(table, dict) else table for name, table in before.items()}
    for table, values in changes.items():
        wanted.setdefault(table, {}).update(values)
    if tomllib.loads(result) != wanted:
        raise ConfigError(f"{name}: these values cannot be changed automatically; write them in by hand")
    return result


def _with_line(text: str, table: str, key: str) -> str:
    """The text with a line for the key, if its table has a header; the caller sets the value."""
    lines = text.splitlines(keepends=True)
    header: int | None = None
    for number, line in enumerate(lines):
        if found := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
            if header is not None:
                break
            header = number if found[1].replace('"', "") == table else None
        elif header is not None and re.match(rf"#\s?{re.escape(key)}\s*=", line):
            lines[number] = re.sub(r"^#\s?", "", line)
            return "".join(lines)
    if header is None:
        return text
    if not lines[header].endswith("\n"):
        lines[header] += "\n"
    lines.insert(header + 1, f"{key} = 0\n")
    return "".join(lines)


def difference(before: str, after: str, name: str) -> list[str]:
    """The lines of `diff -u`, with one line of context."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, f"{name} (calibrated)", "", "", 1, "")
    return list(lines)


def replace_file(path: Path, text: str) -> None:
    """Replaces the file. A symbolic link stays, and so do the permissions."""
    real = path.resolve()
    write_whole(real, text.encode(), real.stat().st_mode & 0o777)
