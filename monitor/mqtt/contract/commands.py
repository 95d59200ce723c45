"""The commands that clients send over MQTT: one struct each, and the check of a received command."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from monitor.events import UNREADABLE
from monitor.mqtt.contract.messages import VERSION, Name, Reason, Seq

MAX_AGE_S = 10.0
MAX_BYTES = 4096
LEAST_LOAD_N, MOST_LOAD_N = 20.0, 20_000.0  # 2 kg to 2 t: anything outside is a typing error


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of every command. `stamp_s` is the sender's wall clock, in seconds since 1970."""

    id: Name
    stamp_s: float
    v: Literal[1] = VERSION


class ResumeCommand(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Asks for the events after `after`, on a topic of the client. With an unknown `store_id` all events are sent."""

    client: Name
    after: Seq
    store_id: str | None = None


class SetsCommand(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Asks for the sets that ended after the event `after`, with their lifters. For the role `collector` only."""

    client: Name
    after: Seq
    store_id: str | None = None


class ForgetCommand(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Removes a lifter's id from the machine's store; acknowledged when it is done. For the role `collector` only."""

    lifter: Name


class LifterCommand(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names the lifter: an opaque id, which is kept in the store only."""

    lifter: Name | None


class ProtocolCommand(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sets the tempo from the next session on: the name of a preset, or durations; with neither, the profile's own."""

    name: str | None = None
    positive_s: float | None = None
    negative_s: float | None = None
    starts_with: Literal["positive", "negative"] | None = None
    band: float | None = None


class LoadCommand(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sets the load from the next session on, in newtons at the load cell; null: it is learned."""

    load_n: Annotated[float, Meta(ge=LEAST_LOAD_N, le=MOST_LOAD_N)] | None


class StopCommand(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ends the session now."""


COMMANDS: dict[str, type[Command]] = {
    "resume": ResumeCommand,
    "sets": SetsCommand,
    "forget": ForgetCommand,
    "lifter": LifterCommand,
    "protocol": ProtocolCommand,
    "load": LoadCommand,
    "stop": StopCommand,
}


class CommandRefused(Exception):
    """A command that is not carried out. `id` is None if it has no readable id, so that no answer can be sent."""

    def __init__(self, reason: Reason, detail: str, id: str | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.id = id


class _Identified(msgspec.Struct):
    id: Name


def read_command(name: str, payload: bytes, *, retained: bool, now_s: float) -> Command:
    """Checks and decodes a command. Raises CommandRefused.

    A retained command is refused because it would come again at every connection, a stale one because nobody expects
    its effect any more.
    """
    try:
        identity = msgspec.json.decode(payload[:MAX_BYTES], type=_Identified).id
    except UNREADABLE:
        identity = None
    if retained:
        raise CommandRefused("retained", "a command must not be retained", identity)
    if name not in COMMANDS:
        raise CommandRefused("unknown", f"unknown command; known are {', '.join(COMMANDS)}", identity)
    if len(payload) > MAX_BYTES:
        raise CommandRefused("malformed", f"a command may have at most {MAX_BYTES} bytes", identity)
    try:
        message = msgspec.json.decode(payload, type=COMMANDS[name])
    except UNREADABLE as error:
        raise CommandRefused("malformed", str(error), identity) from error
    if abs(now_s - message.stamp_s) > MAX_AGE_S:
        age_s = now_s - message.stamp_s
        raise CommandRefused("stale", f"its stamp is {age_s:+.0f} s old by the daemon's clock", identity)
    return message
