"""What the monitor can be asked over MQTT: one struct a command, and the check at the door."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from monitor.events import UNREADABLE
from monitor.mqtt.contract.messages import VERSION, Name, Reason, Seq

MAX_AGE_S = 10.0
MAX_BYTES = 4096
LEAST_LOAD_N, MOST_LOAD_N = 20.0, 20_000.0  # 2 kg to 2 t: whatever is outside is a slip of the finger


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every command has. `stamp_s` is the sender's wall clock, s since 1970."""

    id: Name
    stamp_s: float
    v: Literal[1] = VERSION


class Resume(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Send me the events after `after`, on my own topic. Another `store_id` than ours: all of them."""

    client: Name
    after: Seq
    store_id: str | None = None


class Lifter(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who lifts: an opaque id, kept in the store only."""

    lifter: Name | None


class Protocol(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another tempo from the next session on: a preset's name, or the durations."""

    name: str | None = None
    positive_s: float | None = None
    negative_s: float | None = None
    starts_with: Literal["positive", "negative"] | None = None
    band: float | None = None


class Load(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another load on the pin from the next session on, N at the cell; None: it is learned."""

    load_n: Annotated[float, Meta(ge=LEAST_LOAD_N, le=MOST_LOAD_N)] | None


class Stop(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """End the session now."""


COMMANDS: dict[str, type[Command]] = {
    "resume": Resume,
    "lifter": Lifter,
    "protocol": Protocol,
    "load": Load,
    "stop": Stop,
}


class CommandRefused(Exception):
    """A command that is not carried out; `id` is None where nobody can be answered."""

    def __init__(self, reason: Reason, detail: str, id: str | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.id = id


class _Identified(msgspec.Struct):
    id: Name


def read_command(name: str, payload: bytes, *, retained: bool, now_s: float) -> Command:
    """The command, or CommandRefused. A retained one would come again at every reconnect, a stale one surprises."""
    try:
        identity = msgspec.json.decode(payload[:MAX_BYTES], type=_Identified).id
    except UNREADABLE:
        identity = None
    if retained:
        raise CommandRefused("retained", "a command must not be retained", identity)
    if name not in COMMANDS:
        raise CommandRefused("unknown", f"no command is called so; known are {', '.join(COMMANDS)}", identity)
    if len(payload) > MAX_BYTES:
        raise CommandRefused("malformed", f"a command has at most {MAX_BYTES} bytes", identity)
    try:
        message = msgspec.json.decode(payload, type=COMMANDS[name])
    except UNREADABLE as error:
        raise CommandRefused("malformed", str(error), identity) from error
    if abs(now_s - message.stamp_s) > MAX_AGE_S:
        raise CommandRefused("stale", f"stamped {now_s - message.stamp_s:+.0f} s from our clock", identity)
    return message
