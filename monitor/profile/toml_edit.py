"""New numbers in a TOML file that a person wrote: comments, order and spacing stay; the door to tomlkit.

A key that is only there as a commented default (`#friction = 0.06`) takes that line; one that is not there at all comes
right below its table's header. The file is replaced as a whole or not at all.
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
    """The text with these values. Raises ConfigError where it cannot be done without touching anything else."""
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
        raise ConfigError(f"{name}: cannot be changed without changing more; write the values in by hand")
    return result


def _with_line(text: str, table: str, key: str) -> str:
    """With a line for the key in its table, where that can be found; its value follows."""
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
    """As `diff -u` shows it, one line of context."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, f"{name} (calibrated)", "", "", 1, "")
    return list(lines)


def replace_file(path: Path, text: str) -> None:
    """A link stays one, and the file keeps who may read it."""
    real = path.resolve()
    write_whole(real, text.encode(), real.stat().st_mode & 0o777)
