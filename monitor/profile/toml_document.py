"""Checks a TOML document against structs. Every error names the place and the remedy.

The message is made from the field itself: its type, its limits, its default, and its unit, which is part of its name.
So a setting is described once, where it is defined.
"""

import errno
import math
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from monitor.state.small_file import read_small

UNITS = {  # longer endings first, because _m_s also ends in _s
    "_m_s": "m/s",
    "_minutes": "minutes",
    "_days": "days",
    "_hz": "Hz",
    "_gb": "gigabytes",
    "_kg": "kilograms",
    "_per_count": "",
    "_counts": "counts",
    "_g": "multiples of g",
    "_m": "metres",
    "_n": "newtons",
    "_s": "seconds",
}


class ConfigError(Exception):
    """The profile is wrong: the message names the place, the error and the remedy for a person."""


class Document:
    """Parsed TOML with its text; `name` is what error messages call it."""

    def __init__(self, name: str, table: dict[str, Any], text: str = "") -> None:
        self.name = name
        self.table = table
        self._text = text

    @classmethod
    def read(cls, path: Path) -> "Document":
        try:
            data = read_small(path)
            text = data.decode("utf-8-sig")
        except FileNotFoundError:
            raise ConfigError(f"{path}: no such file; check the path") from None
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise ConfigError(f"{path}:{line}: not UTF-8 text; save the file as UTF-8") from None
        except OSError as error:
            remedy = "shorten it" if error.errno == errno.EFBIG else "check path and permissions"
            raise ConfigError(f"{path}: cannot be read ({error.strerror}); {remedy}") from None
        try:
            return cls(str(path), tomllib.loads(text), text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(_syntax(path, text, str(error))) from None
        except RecursionError:
            raise ConfigError(f"{path}: nested too deeply; use only tables and simple lists") from None

    def error(self, where: tuple[str, ...], complaint: str) -> ConfigError:
        """An error at `where`, ("table", "key") or ("table",): `press.toml:4: [machine] top_m is ...`."""
        table, key = (where, "") if self._is_table(where) else (where[:-1], where[-1])
        parts = (self._place(table, key, table), key and _plain(key), complaint)
        return ConfigError(" ".join(part for part in parts if part))

    def check(self, struct: type[msgspec.Struct]) -> None:
        """Raises ConfigError for the first key that is unknown, missing, or has a wrong value."""
        for mistake in self.mistakes(struct):
            raise mistake

    def mistakes(self, struct: type[msgspec.Struct]) -> Iterator[ConfigError]:
        """An error for each key that is unknown, missing, or has a wrong value."""
        yield from self._mistakes(self.table, struct, ())

    def _mistakes(
        self, table: dict[str, Any], struct: type[msgspec.Struct], where: tuple[str, ...]
    ) -> Iterator[ConfigError]:
        fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
        for key, value in table.items():
            path = (*where, key)
            if key not in fields:
                yield self._unknown(path, list(fields))
                continue
            field = fields[key]
            if value is None and not field.required:
                continue  # null in the header of a recording; TOML has no null
            if inner := _struct_of(field.type):
                if isinstance(value, dict):
                    yield from self._mistakes(value, inner, path)
                else:
                    yield self.error(
                        path, f"must be a table, not {_show(value)}; write [{'.'.join(path)}] and its keys below it"
                    )
            elif not _fits(value, field.type):
                yield self.error(path, f"must be {_wanted(field.type, key)}, not {_show(value)}; {_remedy(field)}")
        for key, field in fields.items():
            if field.required and key not in table:
                add = "this table" if _struct_of(field.type) else f"{key} = {_wanted(field.type, key)}"
                yield self.error((*where, key), f"is missing; add {add}")

    def _unknown(self, where: tuple[str, ...], known: list[str]) -> ConfigError:
        """An error for a name that no field has: `press.toml:4: [machine] Unknown key "tpo_m". ...`."""
        from difflib import get_close_matches  # imported only for an error

        parent, name = where[:-1], where[-1]
        kind = "table" if self._is_table(where) else "key"
        place = self._place(where, "", parent) if kind == "table" else self._place(parent, name, parent)
        near = get_close_matches(name, known, 1, 0.5)
        remedy = f'Did you mean "{near[0]}"?' if near else "Remove it."
        return ConfigError(f"{place} Unknown {kind} {_quoted(name)}. {remedy} Known {kind}s: {', '.join(known)}")

    def _place(self, table: tuple[str, ...], key: str, shown: tuple[str, ...]) -> str:
        """`press.toml:4: [machine]`, with the line of the key, else of its table, if the text has it."""
        line = self._line(table, key)
        header = f" [{'.'.join(map(_plain, shown))}]" if shown else ""
        return f"{self.name}:{line}:{header}" if line else f"{self.name}:{header}"

    def _is_table(self, where: tuple[str, ...]) -> bool:
        found: Any = self.table
        for part in where:
            if part not in found:
                return len(where) == 1  # at the top level only tables can be missing
            found = found[part]
        return isinstance(found, dict)

    def _line(self, table: tuple[str, ...], key: str) -> int | None:
        """The line of the key, else of its table's header; None if neither is found, as in inline tables."""
        header: int | None = None
        current = ""
        for number, line in enumerate(self._text.splitlines(), 1):
            if found := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
                current = found[1].replace('"', "")
                if current == ".".join(table):
                    header = number
            elif key and current == ".".join(table) and re.match(rf'\s*"?{re.escape(key)}"?\s*=', line):
                return number
        return header


def _fits(value: object, kind: Any) -> bool:
    numbers = value if isinstance(value, list) else [value]
    if any(isinstance(number, float) and not math.isfinite(number) for number in numbers):
        return False
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _struct_of(kind: Any) -> type[msgspec.Struct] | None:
    for option in (kind, *get_args(kind)):
        if isinstance(option, type) and issubclass(option, msgspec.Struct):
            return option
    return None


def _wanted(kind: Any, key: str) -> str:
    """The values that a field accepts, in words: `a number above 0 (metres)`."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _wanted(next(a for a in arguments if a is not NoneType), key)
    if origin is Annotated:
        meta = next(m for m in arguments[1:] if isinstance(m, msgspec.Meta))
        if meta.description:
            return meta.description
        limits = _limits(meta)
        base = _words(arguments[0], "")
        return " ".join(part for part in (base, limits, _unit(key)) if part)
    return _words(kind, _unit(key))


def _words(kind: Any, unit: str) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(f'"{option}"' for option in get_args(kind))
    if get_origin(kind) is tuple:
        return " ".join(part for part in ("a list of numbers, [a, b, ...]", unit) if part)
    words = {float: "a number", int: "a whole number", bool: "true or false", str: 'text in "quotes"'}[kind]
    return f"{words} {unit}" if unit and kind in (float, int) else words


def _limits(meta: msgspec.Meta) -> str:
    low = f"above {meta.gt:g}" if meta.gt is not None else f"from {meta.ge:g}" if meta.ge is not None else ""
    high = f"below {meta.lt:g}" if meta.lt is not None else f"at most {meta.le:g}" if meta.le is not None else ""
    if meta.ge is not None and meta.le is not None:
        return f"from {meta.ge:g} to {meta.le:g}"
    return " and ".join(part for part in (low.replace("from", "at least"), high) if part)


def _unit(key: str) -> str:
    unit = next((unit for ending, unit in UNITS.items() if key.endswith(ending)), "")
    return f"({unit})" if unit else ""


def _remedy(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "correct it"
    if field.default is None:
        return "correct it or remove it"
    return f"correct it, or remove it to use {_show(field.default)}"


def _show(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_show(item) for item in value) + "]"
    return "a table" if isinstance(value, dict) else str(value)


def _plain(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quoted(key)


def _quoted(text: str) -> str:
    """In quotes, on one line, shortened to 60 characters."""
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text)
    return f'"{plain}"' if len(plain) <= 60 else f'"{plain[:57]}..."'


def _syntax(path: Path, text: str, message: str) -> str:
    """One sentence with the line, from the message of tomllib."""
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    if not found:
        return f"{path}: not TOML: {message}"
    line = int(found[2]) if found[2] else len(text.splitlines())
    column = f", column {found[3]}" if found[3] else ""
    rules = 'text needs "quotes", a number a decimal point (0.45), and a key appears once'
    return f"{path}:{line}: not TOML{column}: {found[1].lower()}; {rules}"
