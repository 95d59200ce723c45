"""Writes the MQTT contract as documents: a JSON Schema of every message, and AsyncAPI 3.

python -m monitor.mqtt.contract.schema               AsyncAPI 3 document
python -m monitor.mqtt.contract.schema berlin/rep    the same for another root than `rep`
python -m monitor.mqtt.contract.schema messages      JSON Schema, one definition for each message
"""

import re
import sys
from typing import Any

import msgspec

from monitor.events import AnyEvent
from monitor.mqtt.contract import messages
from monitor.mqtt.contract.commands import COMMANDS
from monitor.mqtt.contract.topics import ROOT, ROOT_WORDS, TopicTree, is_root
from monitor.version import VERSION

EVENTS = AnyEvent.__args__
MESSAGES = (
    messages.StatusMessage,
    messages.InfoMessage,
    messages.LiveMessage,
    messages.StateMessage,
    messages.SessionMessage,
)
ANSWERS = (messages.AckMessage, messages.ResumeMark)

# name: (address below the machine, description, messages, QoS, retained, action of the daemon)
CHANNELS: dict[str, tuple[str, str, list[str], int, bool, str]] = {
    "status": ("status", "birth, last will and clean end of the daemon", ["Status"], 1, True, "send"),
    "info": ("info", "machine, protocol, firmware, link and delivery", ["Info"], 1, True, "send"),
    "live": ("live/feedback", "25 a second, 1 at rest; the newest wins", ["Live"], 0, False, "send"),
    "state": ("state", "the same once a second, for late clients", ["State"], 0, True, "send"),
    "set": ("set", "the last set's summary", ["SetEndRecord"], 1, True, "send"),
    "session": ("session/{session}", "a session's summary", ["Session"], 1, False, "send"),
    "ack": ("ack/{id}", "the answer to a command", ["Ack"], 1, False, "send"),
    "resume": (
        "resume/{client}",
        "the records that a client requested, between two marks",
        ["ResumeMark", *(f"{kind.__name__}Record" for kind in EVENTS)],
        1,
        False,
        "send",
    ),
    "sets": ("sets/{client}", "the sets that a collector requested", ["ResumeMark", "SetRecord"], 1, False, "send"),
    **{
        f"event_{kind.__struct_config__.tag}": (
            f"event/{kind.__struct_config__.tag}",
            (kind.__doc__ or "").splitlines()[0],
            [f"{kind.__name__}Record"],
            1,
            False,
            "send",
        )
        for kind in EVENTS
    },
    **{
        f"cmd_{name}": (
            f"cmd/{name}",
            (kind.__doc__ or "").splitlines()[0],
            [kind.__name__.removesuffix("Command")],
            1,
            False,
            "receive",
        )
        for name, kind in COMMANDS.items()
    },
}


def contract_name(kind: str) -> str:
    """The name of a struct in the documents.

    >>> contract_name("StatusMessage"), contract_name("StopCommand"), contract_name("Leak")
    ('Status', 'Stop', 'Leak')
    """
    return kind.removesuffix("Message").removesuffix("Command")


def schema(where: str = "#/$defs/") -> dict[str, Any]:
    """The JSON Schema definitions of all messages, by name. `where` is the prefix of references."""
    types = (messages.Envelope, messages.SetEnvelope, *MESSAGES, *ANSWERS, *EVENTS, *COMMANDS.values())
    _, definitions = msgspec.json.schema_components(types, ref_template=where + "{name}")
    for name in (messages.Envelope, messages.SetEnvelope, *MESSAGES, *ANSWERS):
        definitions[name.__name__]["required"] = ["v", *definitions[name.__name__]["required"]]  # always sent
    for kind in EVENTS:
        parts = [{"$ref": f"{where}Envelope"}, {"$ref": where + kind.__name__}]
        definitions[f"{kind.__name__}Record"] = {"title": f"{kind.__name__}Record", "allOf": parts}
    parts = [{"$ref": f"{where}SetEnvelope"}, {"$ref": f"{where}SetEnd"}]
    definitions["SetRecord"] = {"title": "SetRecord", "allOf": parts}
    return {contract_name(name): _portable(definition) for name, definition in sorted(definitions.items())}


def asyncapi(root: str = ROOT) -> dict[str, Any]:
    """The AsyncAPI 3 document of one machine's tree."""
    definitions = schema("#/components/schemas/")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "rep-monitor",
            "version": VERSION,
            "description": "Live tension feedback of a strength machine. Times in s on the session clock, SI units.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(name, root) for name in CHANNELS},
        "operations": {f"{CHANNELS[name][5]}_{name}": _operation(name) for name in CHANNELS},
        "components": {
            "schemas": definitions,
            "messages": {
                name: {"name": name, "payload": {"$ref": f"#/components/schemas/{name}"}}
                for name in dict.fromkeys(message for channel in CHANNELS.values() for message in channel[2])
            },
        },
    }


def _channel(name: str, root: str) -> dict[str, Any]:
    address, description, names, _, _, _ = CHANNELS[name]
    address = TopicTree("{machine}", root).topic(address)
    return {
        "address": address,
        "description": description,
        "messages": {message: {"$ref": f"#/components/messages/{message}"} for message in names},
        "parameters": {parameter: {} for parameter in re.findall(r"{(\w+)}", address)},
    }


def _operation(name: str) -> dict[str, Any]:
    _, _, names, qos, retain, action = CHANNELS[name]
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{message}"} for message in names],
        "bindings": {"mqtt": {"qos": qos, "retain": retain, "bindingVersion": "0.2.0"}},
    }


def _portable(schema: Any) -> Any:
    """With the names of the contract, and with the anchors of JSON Schema in patterns instead of Python's."""
    if isinstance(schema, dict):
        return {key: _portable_value(key, value) for key, value in schema.items()}
    return [_portable(item) for item in schema] if isinstance(schema, list) else schema


def _portable_value(key: str, value: Any) -> Any:
    if isinstance(value, str) and key == "pattern":
        return value.replace(r"\A", "^").replace(r"\Z", "$")
    return contract_name(value) if isinstance(value, str) and key in ("$ref", "title") else _portable(value)


if __name__ == "__main__":
    wanted = sys.argv[1] if sys.argv[1:] else ROOT
    if wanted != "messages" and not is_root(wanted):
        sys.exit(f"{wanted!r} is not a root: {ROOT_WORDS}")
    document = {"$defs": schema()} if wanted == "messages" else asyncapi(wanted)
    print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
