"""Turns received records into rows of the database. Pure."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from monitor.events import UNREADABLE, SetEnd
from monitor.mqtt.client.ledger import ReceivedRecord
from monitor.mqtt.contract.messages import SetEnvelope
from monitor.mqtt.contract.topics import TopicTree

MOST_BYTES = 65_536  # of a record; the machines' stores take no longer ones
ENVELOPE = ("v", "seq", "store_id", "historical", "lifter", "ended_unix_s")
Word = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{1,64}\Z")]

Count = Annotated[int, Meta(ge=0, lt=2**31)]  # what an INTEGER of PostgreSQL has room for


class UnreadableRecord(Exception):
    """A record that is no event of this contract; it is left out."""


class RecordHead(msgspec.Struct):
    """What is kept of an event beside its record."""

    kind: Word
    session: Word
    t_s: float
    found_s: float


class SetColumns(msgspec.Struct):
    """What a set must have to fit into its columns; the contract has no such limits."""

    session: Word
    reps: Count
    partial_reps: Count
    set: Count | None = None
    clean_reps: Count | None = None


_HEAD = msgspec.json.Decoder(RecordHead)
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SET_COLUMNS = msgspec.json.Decoder(SetColumns)
_SET = msgspec.json.Decoder(SetEnd)
_SET_ENVELOPE = msgspec.json.Decoder(SetEnvelope)


def event_row(tree: TopicTree, record: ReceivedRecord, now_unix_s: float) -> dict[str, Any]:
    """Raises UnreadableRecord."""
    try:
        head, body = _HEAD.decode(record.data), _body(record.data)
    except UNREADABLE as error:
        raise UnreadableRecord(f"event {record.seq}: {error}") from error
    return {
        "site": tree.root,
        "machine": tree.machine,
        "store_id": record.store_id,
        "seq": record.seq,
        "kind": head.kind,
        "session": head.session,
        "t_s": head.t_s,
        "found_s": head.found_s,
        "record": body,
        "collected_unix_s": now_unix_s,
    }


def set_row(tree: TopicTree, data: bytes, now_unix_s: float) -> dict[str, Any]:
    """`now_unix_s` stands for the end of a set whose machine is too old to report it. Raises UnreadableRecord."""
    try:
        envelope, end, body = _SET_ENVELOPE.decode(data), _SET.decode(data), _body(data)
        _SET_COLUMNS.decode(data)
    except UNREADABLE as error:
        raise UnreadableRecord(f"a set: {error}") from error
    ended_unix_s = now_unix_s if envelope.ended_unix_s is None else envelope.ended_unix_s
    return {
        "site": tree.root,
        "machine": tree.machine,
        "store_id": envelope.store_id,
        "seq": envelope.seq,
        "session": end.session,
        "set_no": end.set,
        "client_id": envelope.lifter,
        "ended_unix_s": ended_unix_s,
        "started_unix_s": None if end.set_s is None else ended_unix_s - end.set_s,
        "load_n": end.working_load_n,
        "under_load_s": end.under_load_s,
        "under_tension_s": end.under_tension_s,
        "skill": end.skill,
        "strength_n": end.strength_n,
        "outcome": end.outcome,
        "reps": end.reps,
        "partial_reps": end.partial_reps,
        "clean_reps": end.clean_reps,
        "record": body,
    }


def _body(data: bytes) -> msgspec.Raw:
    """The event's own JSON, as the machine's store has it, without what MQTT adds."""
    if len(data) > MOST_BYTES:
        raise msgspec.ValidationError(f"{len(data)} bytes are more than {MOST_BYTES}")
    data.decode()  # msgspec does not look into what it skips
    fields = _FIELDS.decode(data)
    for name in ENVELOPE:
        fields.pop(name, None)
    return msgspec.Raw(msgspec.json.encode(fields))
