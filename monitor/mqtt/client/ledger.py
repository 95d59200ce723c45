"""Puts the records that a consumer receives in order, once each, and knows when records are missing. Pure.

A record at or below the last seq is a duplicate and dropped. The next one is accepted. A later one waits until the
missing ones have been requested and have come. Records that the store no longer has are counted as lost. A new store
starts over.
"""

import msgspec

from monitor.events import UNREADABLE, AnyEvent, decode
from monitor.mqtt.contract.messages import Envelope, ResumeMark, StatusMessage

MOST_WAITING = 1000  # records that wait for a missing one; later ones come again with the answer


class ReceivedRecord(msgspec.Struct, frozen=True):
    """One event as received, with its place in the store."""

    seq: int
    store_id: str
    historical: bool
    data: bytes  # the message: the event's JSON with its envelope

    @property
    def event(self) -> AnyEvent:
        return decode(self.data)


_ENVELOPE = msgspec.json.Decoder(Envelope)
_MARK = msgspec.json.Decoder(ResumeMark)


class Ledger:
    """`store_id` and `seq` are the place to save over restarts. Without a saved place all stored events are wanted."""

    def __init__(self, store_id: str | None = None, seq: int = 0, most_waiting: int = MOST_WAITING) -> None:
        self.store_id = store_id
        self.seq = seq
        self.must_ask = True  # records may be missing that no message has mentioned
        self.answering = False  # between the marks of an answer
        self.duplicates = 0
        self.gaps = 0
        self.lost = 0  # removed from the store before they were requested
        self.resets = 0  # new stores
        self.malformed = 0
        self._most_waiting = most_waiting
        self._highest_seq = 0  # that any message has mentioned
        self._waiting: dict[int, ReceivedRecord] = {}

    @property
    def behind(self) -> bool:
        return self.must_ask or self.seq < self._highest_seq

    @property
    def missing(self) -> int:
        """How many records are known to be missing."""
        return max(0, self._highest_seq - self.seq)

    def begin_connection(self) -> None:
        self.must_ask, self.answering = True, False

    def take(self, data: bytes) -> list[ReceivedRecord]:
        """Takes a message of an event topic or the resume topic. Returns the records that are next in order."""
        try:
            envelope = _ENVELOPE.decode(data)
        except UNREADABLE:
            return self._take_mark(data)
        record = ReceivedRecord(envelope.seq, envelope.store_id, envelope.historical, data)
        self._begin(record.store_id)
        self._highest_seq = max(self._highest_seq, record.seq)
        if record.seq <= self.seq or record.seq in self._waiting:
            self.duplicates += 1
            return []
        if record.seq > self.seq + 1:
            self.gaps += not self._waiting
            if len(self._waiting) >= self._most_waiting:
                return []
        self._waiting[record.seq] = record
        return self._in_order()

    def take_status(self, status: StatusMessage) -> None:
        """Takes a status, which contains the last seq of the store."""
        if status.store_id is not None and status.last_seq is not None:
            self._begin(status.store_id)
            self._highest_seq = max(self._highest_seq, status.last_seq)

    def _take_mark(self, data: bytes) -> list[ReceivedRecord]:
        try:
            mark = _MARK.decode(data)
        except UNREADABLE:
            self.malformed += 1
            return []
        self._begin(mark.store_id)
        self._highest_seq = max(self._highest_seq, mark.last_seq)
        self.answering = mark.mark == "begin"
        if mark.mark == "end":
            self.must_ask = False
        elif mark.after <= self.seq and mark.first_seq > self.seq + 1:
            self.lost += mark.first_seq - 1 - self.seq
            self.seq = mark.first_seq - 1
        return self._in_order()

    def _begin(self, store_id: str) -> None:
        if store_id != self.store_id:
            self.resets += self.store_id is not None
            self.store_id, self.seq, self._highest_seq = store_id, 0, 0
            self.begin_connection()
            self._waiting.clear()

    def _in_order(self) -> list[ReceivedRecord]:
        records = []
        while (record := self._waiting.pop(self.seq + 1, None)) is not None:
            records.append(record)
            self.seq = record.seq
        if self._waiting and min(self._waiting) <= self.seq:
            self._waiting = {seq: record for seq, record in self._waiting.items() if seq > self.seq}
        return records
