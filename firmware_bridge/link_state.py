"""How the link to the device stands, for those who show it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
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


class Reporter:
    """Keeps the state, and reports it whenever it changes."""

    def __init__(self, state: LinkState, on_state: Callable[[LinkState], None]) -> None:
        self.state = state
        self._on_state = on_state
        on_state(state)

    def go(self, state: State, detail: str, now_ns: int) -> None:
        """To another state, or to another sentence for the same."""
        if (state, detail) != (self.state.state, self.state.detail):
            since_ns = self.state.since_ns if state == self.state.state else now_ns
            self.report(replace(self.state, state=state, detail=detail, since_ns=since_ns))

    def report(self, state: LinkState) -> None:
        if state != self.state:
            self.state = state
            self._on_state(state)
