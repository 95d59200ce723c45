"""The MQTT contract: every message is strict JSON, fits the published schema, and has the topic of the table."""

import json
import re
import time
from typing import Any, NoReturn

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.events import KINDS, AnyEvent, Event, Feedback, encode
from monitor.mqtt.contract import messages, payload, schema
from monitor.mqtt.contract.commands import COMMANDS, CommandRefused, read_command
from monitor.mqtt.contract.topics import TopicTree
from tests.mqtt.anything import faults, structs
from tests.soak import long, soak

pytestmark = soak
TREE = TopicTree("leg-press")
DEFINITIONS = schema.schema()
few = settings(max_examples=long(100, 6), deadline=None)  # times the number of messages
finite = st.floats(-1e9, 1e9)
wild = st.floats()  # NaN and both infinities among them
envelopes = structs(messages.Envelope, finite)


def strict(data: bytes) -> Any:
    """Decodes JSON without NaN, Infinity and duplicate keys."""

    def no(word: str) -> NoReturn:
        raise AssertionError(f"{word} in JSON")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({key for key, _ in pairs}) == len(pairs), f"a key comes twice: {pairs}"
        return dict(pairs)

    return json.loads(data.decode(), parse_constant=no, object_pairs_hook=once)


def holds(packet: payload.Packet, name: str, channel: str) -> dict[str, Any]:
    """Checks a packet against the documents of its channel; returns its content."""
    body: dict[str, Any] = strict(packet.payload)
    assert faults(body, DEFINITIONS[name], DEFINITIONS) == []
    address, _, names, qos, retained, _ = schema.CHANNELS[channel]
    assert re.fullmatch(re.sub(r"{\w+}", "[^/+#]+", f"rep/leg-press/{address}"), packet.topic)
    assert name in names
    assert (packet.qos, packet.retain) == (qos, retained)
    return body


@few
@given(structs(Feedback, finite))
def test_feedback_fits_the_schema(feedback: Feedback) -> None:
    live = holds(payload.live(TREE, "s-1", feedback, 1.0), "Live", "live")
    state = holds(payload.state(TREE, "s-1", feedback, 1.0, stale=True), "State", "state")
    assert state == live | {"stale": True}
    assert live == msgspec.to_builtins(feedback) | {"v": 1, "session": "s-1", "feedback_hz": 1.0}
    assert msgspec.json.decode(msgspec.json.encode(live), type=messages.LiveMessage).t_s == feedback.t_s


@pytest.mark.parametrize("kind", AnyEvent.__args__)
@few
@given(data=st.data())
def test_event_records_fit_the_schema(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(structs(kind, finite))
    envelope = data.draw(envelopes)
    record, name = encode(event), f"{kind.__name__}Record"
    published = holds(payload.event(TREE, event.kind, record, envelope), name, f"event_{event.kind}")
    assert published == json.loads(record) | msgspec.to_builtins(envelope)
    assert holds(payload.answered(TREE, "resume", "tv", record, envelope), name, "resume") == published
    if event.kind == "set_end":
        assert holds(payload.last_set(TREE, record, envelope), name, "set") == published


@few
@given(st.sampled_from([Feedback, *AnyEvent.__args__]).flatmap(lambda kind: structs(kind, wild)))
def test_no_message_contains_nan(value: Feedback | AnyEvent) -> None:
    if isinstance(value, Feedback):
        strict(payload.state(TREE, "s", value, stale=False).payload)
    else:
        envelope = messages.Envelope(seq=1, store_id="x", historical=False)
        strict(payload.event(TREE, value.kind, encode(value), envelope).payload)


@pytest.mark.parametrize(
    ("kind", "make", "channel"),
    [
        (messages.StatusMessage, payload.status, "status"),
        (messages.InfoMessage, payload.info, "info"),
        (messages.SessionMessage, payload.session, "session"),
        (messages.AckMessage, payload.ack, "ack"),
    ],
)
@few
@given(data=st.data())
def test_other_messages_fit_the_schema(kind: type, make: Any, channel: str, data: st.DataObject) -> None:
    message = data.draw(structs(kind, finite))
    if channel == "session":
        message = msgspec.structs.replace(message, session="a-session")
    body = holds(make(TREE, message), schema.contract_name(kind.__name__), channel)
    assert msgspec.json.decode(msgspec.json.encode(body), type=kind) == message


@few
@given(structs(messages.ResumeMark, finite))
def test_a_resume_mark_is_not_an_event_record(mark: messages.ResumeMark) -> None:
    body = holds(payload.answer_mark(TREE, "resume", "tv", mark), "ResumeMark", "resume")
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(body), type=messages.Envelope)


@pytest.mark.parametrize("name", COMMANDS)
@few
@given(data=st.data(), now_s=st.floats(0, 4e9))
def test_a_valid_command_is_read_and_a_stale_or_retained_one_refused(
    name: str, data: st.DataObject, now_s: float
) -> None:
    command = msgspec.structs.replace(data.draw(structs(COMMANDS[name], finite)), stamp_s=now_s)
    packet = payload.command(TREE, command)
    holds(packet, schema.contract_name(COMMANDS[name].__name__), f"cmd_{name}")
    assert read_command(name, packet.payload, retained=False, now_s=now_s + 9.0) == command
    for late_s in (-10.5, 10.5):
        with pytest.raises(CommandRefused) as refused:
            read_command(name, packet.payload, retained=False, now_s=now_s + late_s)
        assert (refused.value.reason, refused.value.id) == ("stale", command.id)
    with pytest.raises(CommandRefused) as refused:
        read_command(name, packet.payload, retained=True, now_s=now_s)
    assert refused.value.reason == "retained"


@few
@given(st.sampled_from([*COMMANDS, "tare"]), st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_arbitrary_bytes_are_refused_as_a_command(name: str, data: bytes) -> None:
    with pytest.raises(CommandRefused):
        read_command(name, data, retained=False, now_s=time.time())


def test_the_asyncapi_document_is_consistent() -> None:
    document = json.loads(json.dumps(schema.asyncapi(), allow_nan=False))
    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= document["info"].keys()
    for reference in _references(document):
        assert _at(document, reference) is not None, reference
    for name, channel in document["channels"].items():
        assert set(re.findall(r"{(\w+)}", channel["address"])) == channel["parameters"].keys()
        assert channel["messages"], name
    addresses = set()
    for operation in document["operations"].values():
        assert operation["action"] in ("send", "receive")
        channel = _at(document, operation["channel"]["$ref"])
        addresses.add(channel["address"])
        for message in operation["messages"]:  # must be the channel's own
            assert message["$ref"].startswith(operation["channel"]["$ref"] + "/messages/")
        assert operation["bindings"]["mqtt"]["qos"] in (0, 1)
    assert len(addresses) == len(document["channels"])
    for kind in KINDS:
        assert f"rep/{{machine}}/event/{kind}" in addresses
    assert all(re.fullmatch(r"[\w.-]+", name) for part in document["components"].values() for name in part)


def test_the_table_in_the_contract_names_every_channel() -> None:
    table = re.findall(r"rep/<m>/([a-z/<>]+) .* QoS ([01])(  retained)?", payload.__doc__ or "")
    written = {re.sub(r"<\w+>", "*", address): (int(qos), bool(retained)) for address, qos, retained in table}
    expected = {}
    for address, _, _, qos, retained, _ in schema.CHANNELS.values():
        expected[re.sub(r"{\w+}|(?<=event/)\w+|(?<=cmd/)\w+", "*", address)] = (qos, retained)
    assert written == expected


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [reference for value in node.values() for reference in _references(value)]
    return [reference for item in node for reference in _references(item)] if isinstance(node, list) else []


def _at(document: Any, reference: str) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        document = document.get(step)
    return document
