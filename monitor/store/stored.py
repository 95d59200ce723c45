"""The rows that a store returns: each record as it was written, with its place and time."""

from typing import Any

import msgspec

from monitor.events import AnyEvent, SetEnd, decode

_SET_END = msgspec.json.Decoder(SetEnd)


class StoredEvent(msgspec.Struct, frozen=True):
    """`seq` never repeats within a store; a new store has another `store_id`."""

    seq: int
    store_id: str
    stored_unix_s: float  # wall clock of the commit: a label, and a consumer sees from it that the record is old
    kind: str
    session: str
    record: bytes  # one JSON object, as in EVENTS.md 3

    @property
    def event(self) -> AnyEvent:
        return decode(self.record)


class SetRow(msgspec.Struct, frozen=True):
    """A set with its summary."""

    session: str
    number: int
    stored_unix_s: float
    lifter: str | None
    record: bytes  # its `set_end`

    @property
    def summary(self) -> SetEnd:
        return _SET_END.decode(self.record)


class SessionRow(msgspec.Struct, frozen=True):
    """A session. Without an end it is still running or was interrupted."""

    session: str
    started_unix_s: float
    ended_unix_s: float | None
    lifter: str | None
    recording: str | None
    summary_json: str | None

    @property
    def summary(self) -> Any:
        return None if self.summary_json is None else msgspec.json.decode(self.summary_json)
