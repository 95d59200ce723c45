"""The rows that a store returns: each record as it was written, with its place and time.

A row may be older than this program, or changed by another one. So each is checked like foreign input (`sound`), and
the store skips, counts and reports what does not fit.
"""

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from monitor.events import UNREADABLE, AnyEvent, SetEnd, decode

MOST_RECORD_BYTES = 65_536
MOST_SEQ = 2**53  # beyond it JavaScript does not count exactly, and SQLite would soon have no number left

Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{1,64}\Z")]
Kind = Annotated[str, Meta(pattern=r"\A[a-z_]{1,64}\Z")]  # one topic level
Time = Annotated[float, Meta(ge=-6e10, le=2.5e11)]  # the years that a date can have
_SET_END = msgspec.json.Decoder(SetEnd)


class StoredEvent(msgspec.Struct, frozen=True):
    """`seq` never repeats within a store; a new store has another `store_id`."""

    seq: Annotated[int, Meta(ge=1, le=MOST_SEQ)]
    store_id: Name
    stored_unix_s: Time  # wall clock of the commit: a label, and a consumer sees from it that the record is old
    kind: Kind
    session: Name
    record: bytes  # one JSON object, as in EVENTS.md 3

    @property
    def event(self) -> AnyEvent:
        return decode(self.record)


class StoredSet(StoredEvent, frozen=True):
    """The `set_end` of a set, with its lifter."""

    lifter: Name | None = None


class SetRow(msgspec.Struct, frozen=True):
    """A set with its summary."""

    session: Name
    number: Annotated[int, Meta(ge=0, le=MOST_SEQ)]
    stored_unix_s: Time
    lifter: Name | None
    record: bytes  # its `set_end`

    @property
    def summary(self) -> SetEnd:
        return _SET_END.decode(self.record)


class SessionRow(msgspec.Struct, frozen=True):
    """A session. Without an end it is still running or was interrupted."""

    session: Name
    started_unix_s: Time
    ended_unix_s: Time | None
    lifter: Name | None
    recording: Annotated[str, Meta(max_length=4096)] | None
    summary_json: Annotated[str, Meta(max_length=MOST_RECORD_BYTES)] | None

    @property
    def summary(self) -> dict[str, Any] | None:
        return None if self.summary_json is None else msgspec.json.decode(self.summary_json, type=dict[str, Any])


class _Head(msgspec.Struct):
    kind: str
    session: str


_HEAD = msgspec.json.Decoder(_Head)
Row = TypeVar("Row", bound=StoredEvent | SetRow | SessionRow)


def read_name(value: object) -> str | None:
    """The value of a column that names somebody, or None if it is not a name."""
    try:
        return msgspec.convert(value, Name)
    except msgspec.ValidationError:
        return None


def sound(kind: type[Row], values: tuple[Any, ...]) -> Row | None:
    """The row, or None if it is not one that this program may have written."""
    try:
        row = msgspec.convert(dict(zip(kind.__struct_fields__, values, strict=True)), kind, builtin_types=(bytes,))
        if isinstance(row, StoredEvent):
            head = _HEAD.decode(row.record)
            if not row.record.startswith(b"{") or (head.kind, head.session) != (row.kind, row.session):
                return None
        else:
            row.summary  # noqa: B018 - it must be readable
    except UNREADABLE:
        return None
    return row
