"""The columns of a study's tables, derived from the structs of the events.

Rep.start (a struct)      start_grade, start_upload_s, ...
SetEnd.counts (a dict)    counts, as JSON
"""

from collections.abc import Iterable, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pyarrow

from monitor.events import Event, Rep, SetEnd

PLAIN = {bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}
DIGEST = ("digest", pyarrow.string())  # of the recording's bytes: what joins the tables

RECORDINGS = pyarrow.schema([
    DIGEST,
    ("path", pyarrow.string()),  # where it was found
    ("session", pyarrow.string()),
    ("machine", pyarrow.string()),
    ("began_utc", pyarrow.string()),
    ("length_s", pyarrow.float64()),
    ("version", pyarrow.string()),  # of rep-monitor
    ("detector", pyarrow.string()),  # fingerprint
    ("losses", pyarrow.int64()),  # records that are missing in the file
    ("trouble", pyarrow.string()),  # one sentence, if it could not be replayed
])  # fmt: skip


def columns_of(kind: type, prefix: str = "") -> list[tuple[str, pyarrow.DataType]]:
    """Name and type of each column of a struct."""
    columns = []
    for name, hint in get_type_hints(kind).items():
        if name.startswith("_"):
            continue
        only = [part for part in _parts(hint) if part not in (NoneType, msgspec.UnsetType)]
        if len(only) == 1 and isinstance(only[0], type) and issubclass(only[0], msgspec.Struct):
            columns += columns_of(only[0], f"{prefix}{name}_")
        elif get_origin(only[0]) is Literal:
            columns.append((prefix + name, pyarrow.string()))
        else:
            columns.append((prefix + name, PLAIN.get(only[0], pyarrow.string())))
    return columns


def _parts(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


STAMP = columns_of(Event)
SETS = pyarrow.schema([DIGEST, *columns_of(SetEnd)])
REPETITIONS = pyarrow.schema([DIGEST, *columns_of(Rep)])
EVENTS = pyarrow.schema([DIGEST, ("kind", pyarrow.string()), *STAMP, ("record", pyarrow.string())])
SCHEMAS: Mapping[str, pyarrow.Schema] = {
    "recordings": RECORDINGS, "sets": SETS, "repetitions": REPETITIONS, "events": EVENTS,
}  # fmt: skip


def row_of(event: Event, digest: str, schema: pyarrow.Schema) -> dict[str, Any]:
    """The event as a row of `schema`: a column that it does not have is null."""
    flat = {"digest": digest, "kind": event.kind, "record": msgspec.json.encode(event).decode()} | _flat(event, "")
    return {name: flat.get(name) for name in schema.names}


def _flat(struct: msgspec.Struct, prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        if isinstance(value, msgspec.Struct):
            flat |= _flat(value, f"{prefix}{name}_")
        elif isinstance(value, dict | tuple):
            flat[prefix + name] = msgspec.json.encode(value).decode()
        elif value is not msgspec.UNSET:
            flat[prefix + name] = value
    return flat


def table(rows: Iterable[Mapping[str, Any]], name: str) -> pyarrow.Table:
    return pyarrow.Table.from_pylist(list(rows), schema=SCHEMAS[name])
