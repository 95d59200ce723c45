"""An event record as the store holds it: numbered, stamped, exactly the JSON that was written."""

import msgspec

from monitor.events import AnyEvent

_DECODER: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


class StoredEvent(msgspec.Struct, frozen=True):
    """`seq` never repeats within a store; a new store is told by its `store_id`."""

    seq: int
    store_id: str
    stored_unix_s: float  # wall clock when it was committed: a label, and how a consumer sees that it is old
    kind: str
    session: str
    record: bytes  # one JSON object, as in EVENTS.md

    @property
    def event(self) -> AnyEvent:
        return _DECODER.decode(self.record)
