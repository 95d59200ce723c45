"""The state of the link to the device, for people."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from firmware_bridge.device_clock import DeviceClock
from firmware_bridge.formats.messages import Hello

State = Literal[
    "absent",  # the port does not exist, or cannot be opened
    "busy",  # another process holds it
    "opening",
    "hello",  # open; the device is asked who it is, and for its stream
    "streaming",
    "silent",  # nothing comes
    "garbage",  # bytes come, but no frames
    "incompatible",  # the firmware speaks another protocol, or refuses START
    "wrong_device",  # another device sends
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """What is known now."""

    state: State
    detail: str  # one sentence: what is wrong, and the remedy
    since_ns: int  # when the state began, on the host's monotonic clock
    reconnects: int = 0  # how often the port was opened again
    attempts: int = 0  # failed attempts in a row to open it
    drops: int = 0  # how often the open port went away within the last minute
    unstable: str | None = None  # one sentence if that is too often
    hello: Hello | None = None  # of the last device that answered
    clock: DeviceClock | None = None


class Reporter:
    """Keeps the state, and reports it whenever it changes."""

    def __init__(self, state: LinkState, on_state: Callable[[LinkState], None]) -> None:
        self.state = state
        self._on_state = on_state
        on_state(state)

    def go(self, state: State, detail: str, now_ns: int) -> None:
        """Change the state, or its sentence."""
        if (state, detail) != (self.state.state, self.state.detail):
            since_ns = self.state.since_ns if state == self.state.state else now_ns
            self.report(replace(self.state, state=state, detail=detail, since_ns=since_ns))

    def report(self, state: LinkState) -> None:
        if state != self.state:
            self.state = state
            self._on_state(state)
