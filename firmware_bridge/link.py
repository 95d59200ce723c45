"""The conversation with the device at one port: what to send, what to believe, when to give up. Pure.

`serial_port` tells it what happens (`opened`, `receive`, `closed`) and asks what to do (`due`, `given_up`, `retry_s`).

    opened --HELLO?--> hello --START--> (ACK) streaming
                         |                 |  HELLO or STATUS of another boot: START again
                         |                 |  nothing for 1 s: silent, 3 s: given up
                         |  no HELLO for 2 s: silent, garbage or wrong_device, 3 s: given up
                         |  another protocol: incompatible, given up

Until a valid HELLO nothing is believed and nothing but HELLO? is sent. A board that is reset by opening its port stays
up to two seconds in its boot loader. The plain line formats have no HELLO: they are only read.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from firmware_bridge.chunk import Chunk
from firmware_bridge.device_clock import ClockEstimate
from firmware_bridge.drops import Drops
from firmware_bridge.errors import LinkError, PortBusyError, ProtocolVersionError
from firmware_bridge.formats import Format
from firmware_bridge.formats.codes import Result, StatusFlag
from firmware_bridge.formats.framing import END_OF_FRAME, Deframer, frame
from firmware_bridge.formats.lines import LineSplitter
from firmware_bridge.formats.messages import (
    Ack,
    Force,
    Hello,
    HelloRequest,
    Message,
    MessageError,
    Ping,
    Pong,
    Pos,
    Start,
    Status,
    check_protocol,
    parse,
)
from firmware_bridge.link_state import LinkState, State

SECOND_NS = 1_000_000_000
HELLO_EVERY_NS = SECOND_NS // 4
HELLO_LIMIT_NS = 2 * SECOND_NS
START_EVERY_NS = SECOND_NS // 5
PING_EVERY_NS = SECOND_NS
SILENT_NS = SECOND_NS
GIVE_UP_NS = 3 * SECOND_NS
STALL_NS = SECOND_NS // 2  # between two calls of `due`: this program was stopped, or busy
GARBAGE_WINDOWS = 3  # seconds in a row with more garbage than not
FIRST_RETRY_S, LAST_RETRY_S = 0.25, 2.0  # for a port that is not there: it comes back any moment
FIRST_REST_S, LAST_REST_S = 0.5, 30.0  # for a device that does not talk to us
HEARD_BYTES = 64  # kept to tell text from noise

Phase = Literal["hello", "start", "stream"]


class Link:
    """One device's side of the story. All times are the host's monotonic clock, told by the caller."""

    def __init__(
        self,
        port: str,
        baud: int,
        format: Format,
        start: Start,
        on_state: Callable[[LinkState], None],
        now_ns: int,
    ) -> None:
        """`start` is what the device is asked for; its stream_id is the one before this program's first."""
        self.port, self.baud, self.format = port, baud, format
        self.state = LinkState(state="opening", detail=f"opening {port}", since_ns=now_ns)
        self.given_up = False  # close the port, wait for retry_s, open it again
        self.retry_s = FIRST_RETRY_S
        self._start = start
        self._on_state = on_state
        self._seq = 0
        self._phase: Phase = "hello"
        self._phase_ns = self._ask_ns = now_ns
        self._rest_s = FIRST_REST_S
        self._ever_open = self._is_open = False
        self._drops = Drops()
        on_state(self.state)

    # -- what happens --

    def opened(self, now_ns: int) -> None:
        """The port is open."""
        self._splitter = Deframer() if self.format == "frames" else LineSplitter(self.format)
        self._clock = ClockEstimate()
        self._hello: Hello | None = None
        self._heard = b""
        self._good_ns = self._byte_ns = self._ping_ns = self._due_ns = now_ns
        self._window_ns = now_ns + SECOND_NS
        self._window_bytes = self._window_garbage = self._bad_windows = 0
        self._enter("hello" if self.format == "frames" else "stream", now_ns)
        self.given_up = False
        self._tell(replace(self.state, reconnects=self.state.reconnects + self._ever_open))
        self._ever_open = self._is_open = True
        if self.state.state in ("opening", "absent", "busy", "streaming"):  # else the verdict stands until a better one
            self._go("hello", f"asking who is at {self.port}", now_ns)

    def failed(self, error: LinkError, now_ns: int) -> None:
        """The port could not be opened, or it closed under us."""
        if self._is_open:
            self._drops.add(now_ns)
        self._is_open = False
        self._tell(replace(self.state, attempts=self.state.attempts + 1))
        self._count_drops(now_ns)
        self._go("busy" if isinstance(error, PortBusyError) else "absent", str(error), now_ns)
        self.retry_s = min(FIRST_RETRY_S * 2 ** min(self.state.attempts - 1, 10), LAST_RETRY_S)

    def is_whole(self, data: bytes) -> bool:
        """Whether it ends where a frame or a line ends."""
        return data.endswith(END_OF_FRAME if self.format == "frames" else b"\n")

    def receive(self, chunk: Chunk) -> bool:
        """Look at what came; whether it may be handed on."""
        now_ns = self._byte_ns = chunk.received_ns
        self._heard += chunk.data[: HEARD_BYTES - len(self._heard)]
        garbage_bytes = self._splitter.counts.garbage_bytes
        found = self._splitter.feed(chunk.data)
        self._window_bytes += len(chunk.data)
        self._window_garbage += self._splitter.counts.garbage_bytes - garbage_bytes
        if found:
            self._good_ns = now_ns
        if self.format != "frames":
            return True
        for payload in found:
            assert isinstance(payload, bytes)
            try:
                check_protocol(payload)
                if payload[0] not in (Pos.TYPE, Force.TYPE) and (message := parse(payload)):
                    self._hear(message, now_ns)
            except ProtocolVersionError as error:
                self._give_up("incompatible", f"{self.port}: {error}", now_ns)
            except MessageError:
                continue  # the decoder counts it
        return self._hello is not None and not self.given_up

    # -- what to do --

    def due(self, now_ns: int) -> bytes:
        """What to send now. To be called at least every 100 ms: this is also where time passes."""
        if (missed_ns := now_ns - self._due_ns) > STALL_NS:  # while nobody listened there was no silence
            self._good_ns = min(self._good_ns + missed_ns, now_ns)
            self._byte_ns = min(self._byte_ns + missed_ns, now_ns)
            self._phase_ns = min(self._phase_ns + missed_ns, now_ns)
        self._due_ns = now_ns
        self._judge(now_ns)
        message: Message
        if self.given_up or self.format != "frames":
            return b""
        if self._phase == "stream":
            if now_ns < self._ping_ns:
                return b""
            self._ping_ns = now_ns + PING_EVERY_NS
            message = Ping(self._clock.ping(now_ns))
        elif now_ns < self._ask_ns:
            return b""
        elif self._phase == "hello":
            self._ask_ns = now_ns + HELLO_EVERY_NS
            message = HelloRequest()
        else:
            self._ask_ns = now_ns + START_EVERY_NS
            message = self._start
        self._seq += 1
        return frame(message.to_bytes(self._seq - 1))

    # -- inside --

    def _hear(self, message: Message, now_ns: int) -> None:
        match message:
            case Hello():
                if self._hello is None or self._phase == "hello" or message.boot_id != self._hello.boot_id:
                    self._hello = message
                    self._tell(replace(self.state, hello=message))
                    self._ask(now_ns)
            case Status() if self._hello is not None and self._phase != "hello":
                if message.boot_id != self._hello.boot_id:  # its HELLO was lost
                    self._enter("hello", now_ns)
                elif self._phase == "stream" and not message.flags & StatusFlag.STREAMING:
                    self._ask(now_ns)
            case Ack(Start.TYPE, _, Result.OK) if self._phase == "start":
                self._enter("stream", now_ns)
                self._ping_ns = now_ns
            case Ack(Start.TYPE, _, _) if self._phase == "start":
                asked = f"a sample every {self._start.period_us} us in blocks of {self._start.batch}"
                self._give_up("incompatible", f"the firmware at {self.port} refuses {asked}: ask for less", now_ns)
            case Pong():
                self._clock.pong(message, now_ns)
                self._tell(replace(self.state, clock=self._clock.best))

    def _ask(self, now_ns: int) -> None:
        """Ask for a stream with an id of its own, so that its samples cannot be taken for those of another."""
        assert self._hello
        self._start = replace(self._start, stream_id=(self._start.stream_id + 1) & 0xFF)
        self._enter("start", now_ns)
        if self.state.state != "streaming":
            self._go("hello", f"firmware {self._hello.firmware} at {self.port} is asked for its stream", now_ns)

    def _enter(self, phase: Phase, now_ns: int) -> None:
        self._phase = phase
        self._phase_ns = self._ask_ns = now_ns

    def _judge(self, now_ns: int) -> None:
        """See what it means that time has passed."""
        self._count_drops(now_ns)
        if now_ns >= self._window_ns:
            bad = self._window_garbage * 2 > self._window_bytes
            self._bad_windows = self._bad_windows + 1 if bad else 0
            self._window_bytes = self._window_garbage = 0
            self._window_ns = now_ns + SECOND_NS
        if self.given_up:
            return
        if self._phase == "stream":
            waited_ns = now_ns - max(self._good_ns, self._phase_ns)
            if waited_ns >= GIVE_UP_NS or self._bad_windows >= GARBAGE_WINDOWS:
                self._go(*self._verdict(now_ns), now_ns)
            elif waited_ns >= SILENT_NS and now_ns - self._byte_ns >= SILENT_NS:
                self._go("silent", self._silence(), now_ns)
            elif waited_ns < SILENT_NS and self._splitter.counts.good:
                self._streams(now_ns)
        else:
            waited_ns = now_ns - self._phase_ns
            if waited_ns >= HELLO_LIMIT_NS:
                self._go(*self._verdict(now_ns), now_ns)
        if waited_ns >= GIVE_UP_NS:
            self._rest()

    def _count_drops(self, now_ns: int) -> None:
        drops = self._drops.within_a_minute(now_ns)
        if drops == self.state.drops:
            return
        remedy = "change its cable, use a powered hub, give the computer a stronger supply"
        unstable = f"{self.port} drops again and again: {remedy}" if self._drops.unstable else None
        self._tell(replace(self.state, drops=drops, unstable=unstable))

    def _verdict(self, now_ns: int) -> tuple[State, str]:
        """Why there is no stream."""
        if self._phase == "start":
            return "silent", f"the firmware at {self.port} does not acknowledge START: reset the board"
        if now_ns - self._byte_ns >= SILENT_NS:
            return "silent", self._silence()
        if self._splitter.counts.good and self._phase == "hello":
            return "wrong_device", f"what sends at {self.port} does not say who it is: flash this program's firmware"
        if not self._splitter.counts.good and (text := readable_text(self._heard)):
            return "wrong_device", f'{self.port} sends text, "{text}": another device, or [serial] format is wrong'
        return "garbage", f"{self.port} sends no frames at {self.baud} baud: is that the firmware's rate?"

    def _silence(self) -> str:
        return f"{self.port} is open and sends nothing: is the device powered, is it the right port?"

    def _streams(self, now_ns: int) -> None:
        self._rest_s = FIRST_REST_S
        if self.state.attempts:
            self._tell(replace(self.state, attempts=0))
        who = f"firmware {self._hello.firmware}" if self._hello else self.format
        self._go("streaming", f"{who} at {self.port}", now_ns)

    def _give_up(self, state: State, detail: str, now_ns: int) -> None:
        self._go(state, detail, now_ns)
        self._rest()

    def _rest(self) -> None:
        """Leave the port alone for a while, longer each time: perhaps somebody wants to flash the device."""
        self.given_up = True
        self._is_open = False
        self.retry_s = self._rest_s
        self._rest_s = min(self._rest_s * 2, LAST_REST_S)

    def _go(self, state: State, detail: str, now_ns: int) -> None:
        if (state, detail) == (self.state.state, self.state.detail):
            return
        since_ns = self.state.since_ns if state == self.state.state else now_ns
        self._tell(replace(self.state, state=state, detail=detail, since_ns=since_ns))

    def _tell(self, state: LinkState) -> None:
        if state != self.state:
            self.state = state
            self._on_state(state)


def readable_text(heard: bytes) -> str:
    """What was heard, where a person could read it, else nothing."""
    readable = sum(32 <= byte < 127 or byte in b"\r\n\t" for byte in heard)
    if not heard or readable < 0.9 * len(heard):
        return ""
    return "".join(chr(byte) if 32 <= byte < 127 else " " for byte in heard[:32]).strip()
