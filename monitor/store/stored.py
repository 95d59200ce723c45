"""What the store gives back: records as they were written, with what the store knows about them."""

from typing import Any

import msgspec

from monitor.events import AnyEvent, SetEnd, decode

_SET_END = msgspec.json.Decoder(SetEnd)


class StoredEvent(msgspec.Struct, frozen=True):
    """`seq` never repeats within a store; a new store is told by its `store_id`."""

    seq: int
    store_id: str
    stored_unix_s: float  # wall clock when it was committed: a label, and how a consumer sees that it is old
    kind: str
    session: str
    record: bytes  # one JSON object: EVENTS.md 3

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
    """A session; without an end it goes on, or was cut off."""

    session: str
    started_unix_s: float
    ended_unix_s: float | None
    lifter: str | None
    recording: str | None
    summary_json: str | None

    @property
    def summary(self) -> Any:
        return None if self.summary_json is None else msgspec.json.decode(self.summary_json)
