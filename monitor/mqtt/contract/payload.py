"""THE MQTT CONTRACT: every message that the daemon publishes, as topic and bytes.

    rep/<m>/status             Status       QoS 1  retained   birth, last will, clean end
    rep/<m>/info               Info         QoS 1  retained   machine, protocol, firmware, link, delivery
    rep/<m>/live/feedback      Live         QoS 0             25 a second, 1 at rest; the newest wins, never queued
    rep/<m>/state              State        QoS 0  retained   the same once a second, for hubs and late clients
    rep/<m>/event/<kind>       a record     QoS 1             as in EVENTS.md 3, with v, seq, store_id, historical
    rep/<m>/set                set_end      QoS 1  retained   the last set's summary, as such a record
    rep/<m>/session/<sid>      Session      QoS 1             a session's summary
    rep/<m>/cmd/<name>         commands     QoS 1  never      resume, lifter, protocol, load, stop; sets, forget
    rep/<m>/ack/<id>           Ack          QoS 1             the answer to the command with that id
    rep/<m>/resume/<client>    records      QoS 1             the answer to `resume`, between two ResumeMarks
    rep/<m>/sets/<client>      set records  QoS 1             the answer to `sets`: set_end with the lifter

JSON in UTF-8, with a version `v` in every message, units in the keys, and null instead of NaN. Payloads need no
properties of MQTT 5. The structs are in `messages` and `commands`, their schemas in `schema`. A profile may
name another root than `rep` (`topics`).
"""

from typing import Any, Literal, NamedTuple

import msgspec

from monitor.events import Feedback
from monitor.mqtt.contract.commands import COMMANDS, Command
from monitor.mqtt.contract.messages import (
    LIVE_HZ,
    VERSION,
    AckMessage,
    Envelope,
    InfoMessage,
    ResumeMark,
    SessionMessage,
    StatusMessage,
)
from monitor.mqtt.contract.topics import TopicTree

Answer = Literal["resume", "sets"]  # to the command of that name


class Packet(NamedTuple):
    """A message for the broker."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


def cleared(topic: str) -> Packet:
    """Removes the message that the broker retains on this topic."""
    return Packet(topic, b"", 1, True)


def status(tree: TopicTree, message: StatusMessage) -> Packet:
    return Packet(tree.topic("status"), msgspec.json.encode(message), 1, True)


def info(tree: TopicTree, message: InfoMessage) -> Packet:
    return Packet(tree.topic("info"), msgspec.json.encode(message), 1, True)


def live(tree: TopicTree, session: str, feedback: Feedback, hz: float = LIVE_HZ) -> Packet:
    return Packet(tree.topic("live", "feedback"), _live(session, feedback, hz), 0, False)


def state(tree: TopicTree, session: str, feedback: Feedback, hz: float = LIVE_HZ, *, stale: bool) -> Packet:
    return Packet(tree.topic("state"), _joined({"stale": stale}, _live(session, feedback, hz)), 0, True)


def event(tree: TopicTree, kind: str, record: bytes, envelope: Envelope) -> Packet:
    """`record` is the event's JSON from the store, so the published record equals the stored one."""
    return Packet(tree.topic("event", kind), _joined(envelope, record), 1, False)


def last_set(tree: TopicTree, record: bytes, envelope: Envelope) -> Packet:
    return Packet(tree.topic("set"), _joined(envelope, record), 1, True)


def session(tree: TopicTree, message: SessionMessage) -> Packet:
    return Packet(tree.topic("session", message.session), msgspec.json.encode(message), 1, False)


def answered(tree: TopicTree, answer: Answer, client: str, record: bytes, envelope: Envelope) -> Packet:
    """A record of the answer to `resume` or `sets`."""
    return Packet(tree.topic(answer, client), _joined(envelope, record), 1, False)


def answer_mark(tree: TopicTree, answer: Answer, client: str, message: ResumeMark) -> Packet:
    return Packet(tree.topic(answer, client), msgspec.json.encode(message), 1, False)


def ack(tree: TopicTree, message: AckMessage) -> Packet:
    return Packet(tree.topic("ack", message.id), msgspec.json.encode(message), 1, False)


def command(tree: TopicTree, message: Command) -> Packet:
    """For clients that send commands."""
    name = next(name for name, kind in COMMANDS.items() if type(message) is kind)
    return Packet(tree.topic("cmd", name), msgspec.json.encode(message), 1, False)


def _live(session: str, feedback: Feedback, hz: float) -> bytes:
    return _joined({"v": VERSION, "session": session, "feedback_hz": hz}, msgspec.json.encode(feedback))


def _joined(head: Any, record: bytes) -> bytes:
    """Joins two JSON objects into one.

    >>> _joined({"v": 1}, b'{"t_s":2.5}')
    b'{"v":1,"t_s":2.5}'
    """
    return msgspec.json.encode(head)[:-1] + b"," + record[1:]
