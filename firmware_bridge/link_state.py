"""How the link to the device stands, for those who show it."""

from dataclasses import dataclass
from typing import Literal

from firmware_bridge.device_clock import DeviceClock
from firmware_bridge.formats.messages import Hello

State = Literal[
    "absent",  # the port is not there, or cannot be opened
    "busy",  # somebody else holds it
    "opening",
    "hello",  # open; asking who is there, and for the stream
    "streaming",
    "silent",  # nothing comes
    "garbage",  # bytes come, but no frames
    "incompatible",  # the firmware speaks another protocol, or refuses what it is asked for
    "wrong_device",  # something else speaks
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """What is known now."""

    state: State
    detail: str  # one sentence: what is, and the remedy where there is one
    since_ns: int  # of the state, on the host's monotonic clock
    reconnects: int = 0  # times that the port was opened anew after it had been open
    attempts: int = 0  # to open it that failed in a row
    drops: int = 0  # times within the last minute that the open port went away
    unstable: str | None = None  # one sentence where that is too often
    hello: Hello | None = None  # who is there; of the last one that was
    clock: DeviceClock | None = None
