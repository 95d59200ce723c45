"""Which events a consumer has: puts what arrives in order, once each, and says when to ask for the rest. Pure.

A record at or below the last seq is a repetition and dropped; the next one is accepted; one further on waits until
what is missing has been asked for and has come. What the store itself no longer has is counted as lost. Another store
begins anew.
"""

import msgspec

from monitor.events import UNREADABLE, AnyEvent, decode
from monitor.mqtt.contract.messages import Envelope, ResumeMark, Status

HELD = 1000  # records that wait for one that is missing; what is beyond comes again with the answer


class Record(msgspec.Struct, frozen=True):
    """One event as it came, with its place."""

    seq: int
    store_id: str
    historical: bool
    data: bytes  # the message: the event's JSON and its envelope

    @property
    def event(self) -> AnyEvent:
        return decode(self.data)


_ENVELOPE = msgspec.json.Decoder(Envelope)
_MARK = msgspec.json.Decoder(ResumeMark)


class Ledger:
    """`store_id` and `seq` are the place to keep between two lives; none at all wants everything that is kept."""

    def __init__(self, store_id: str | None = None, seq: int = 0) -> None:
        self.store_id = store_id
        self.seq = seq
        self.unsure = True  # whether there is more than we have: ask
        self.answering = False  # between the marks of an answer
        self.doubled = 0
        self.gaps = 0
        self.lost = 0  # pruned from the store before we asked
        self.resets = 0  # another store
        self.malformed = 0
        self._heard_of = 0  # the highest seq that anybody spoke of
        self._held: dict[int, Record] = {}

    @property
    def behind(self) -> bool:
        return self.unsure or self.seq < self._heard_of

    def begin_connection(self) -> None:
        self.unsure, self.answering = True, False

    def take(self, data: bytes) -> list[Record]:
        """A message from the event topics, or from our resume topic; the records that are next in order."""
        try:
            envelope = _ENVELOPE.decode(data)
        except UNREADABLE:
            return self._take_mark(data)
        record = Record(envelope.seq, envelope.store_id, envelope.historical, data)
        self._begin(record.store_id)
        self._heard_of = max(self._heard_of, record.seq)
        if record.seq <= self.seq or record.seq in self._held:
            self.doubled += 1
            return []
        if record.seq > self.seq + 1:
            self.gaps += not self._held
            if len(self._held) >= HELD:
                return []
        self._held[record.seq] = record
        return self._in_order()

    def take_status(self, status: Status) -> None:
        """The retained word of where the store's end is."""
        if status.store_id is not None and status.last_seq is not None:
            self._begin(status.store_id)
            self._heard_of = max(self._heard_of, status.last_seq)

    def _take_mark(self, data: bytes) -> list[Record]:
        try:
            mark = _MARK.decode(data)
        except UNREADABLE:
            self.malformed += 1
            return []
        self._begin(mark.store_id)
        self._heard_of = max(self._heard_of, mark.last_seq)
        self.answering = mark.mark == "begin"
        if mark.mark == "end":
            self.unsure = False
        elif mark.first_seq > self.seq + 1:
            self.lost += mark.first_seq - 1 - self.seq
            self.seq = mark.first_seq - 1
        return self._in_order()

    def _begin(self, store_id: str) -> None:
        if store_id != self.store_id:
            self.resets += self.store_id is not None
            self.store_id, self.seq, self._heard_of = store_id, 0, 0
            self.begin_connection()
            self._held.clear()

    def _in_order(self) -> list[Record]:
        records = []
        while (record := self._held.pop(self.seq + 1, None)) is not None:
            records.append(record)
            self.seq = record.seq
        if self._held and min(self._held) <= self.seq:
            self._held = {seq: record for seq, record in self._held.items() if seq > self.seq}
        return records
