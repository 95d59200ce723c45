"""The conversation with the device at one port: decides what to send, what to accept and when to give up. Pure.

`serial_port` reports what happens (`opened`, `receive`, `failed`) and asks what to do (`due`, `given_up`, `retry_s`).
What happens in a phase leads to the next one; what is not in this table changes nothing:

    phase        what happens                 next phase
    closed       opened                       asking
    closed       opened for lines             streaming
    asking       HELLO                        starting
    asking       HELLO of another boot        starting
    starting     HELLO of another boot        starting
    starting     STATUS of another boot       asking         its HELLO was lost
    starting     START acknowledged           streaming
    starting     START refused                closed
    streaming    HELLO of another boot        starting
    streaming    STATUS of another boot       asking
    streaming    STATUS without stream        starting
    any open     HELLO of another protocol    closed
    any open     nothing for 3 s              closed
    any open     port lost                    closed

The host sends HELLO? while asking, START while starting, PING while streaming. The first HELLO after opening counts as
one of another boot. Until it has come, nothing is accepted and nothing but HELLO? is sent: a board whose reset was
triggered by the opening stays in its boot loader for up to two seconds. The line formats have no HELLO: they are only
read.

Every byte that is handed on is split into frames or lines once, here; the decoder uses what was found (`Chunk.split`).
"""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from firmware_bridge.chunk import Chunk
from firmware_bridge.drops import Drops
from firmware_bridge.errors import LinkError, PortBusyError, ProtocolVersionError
from firmware_bridge.formats import Format
from firmware_bridge.formats.codes import Result, StatusFlag
from firmware_bridge.formats.framing import frame
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
    StartStream,
    Status,
    check_protocol,
    parse,
)
from firmware_bridge.formats.registry import FORMATS
from firmware_bridge.link_state import LinkState, Reporter, State
from firmware_bridge.opening import Opening, readable_text
from firmware_bridge.pace import likely_cause


class Phase(StrEnum):
    """The phase of the conversation."""

    CLOSED = "closed"
    ASKING = "asking"
    STARTING = "starting"
    STREAMING = "streaming"


class Trigger(StrEnum):
    """The occurrences that can lead to another phase."""

    OPENED = "opened"
    OPENED_FOR_LINES = "opened for lines"
    HELLO = "HELLO"
    NEW_BOOT = "HELLO of another boot"
    UNKNOWN_BOOT = "STATUS of another boot"
    STOPPED = "STATUS without stream"
    ACKNOWLEDGED = "START acknowledged"
    REFUSED = "START refused"
    OTHER_PROTOCOL = "HELLO of another protocol"
    TOO_LONG = "nothing for 3 s"
    PORT_LOST = "port lost"


OPEN = (Phase.ASKING, Phase.STARTING, Phase.STREAMING)
NEXT: dict[tuple[Phase, Trigger], Phase] = {
    (Phase.CLOSED, Trigger.OPENED): Phase.ASKING,
    (Phase.CLOSED, Trigger.OPENED_FOR_LINES): Phase.STREAMING,
    (Phase.ASKING, Trigger.HELLO): Phase.STARTING,
    (Phase.ASKING, Trigger.NEW_BOOT): Phase.STARTING,
    (Phase.STARTING, Trigger.NEW_BOOT): Phase.STARTING,
    (Phase.STARTING, Trigger.UNKNOWN_BOOT): Phase.ASKING,
    (Phase.STARTING, Trigger.ACKNOWLEDGED): Phase.STREAMING,
    (Phase.STARTING, Trigger.REFUSED): Phase.CLOSED,
    (Phase.STREAMING, Trigger.NEW_BOOT): Phase.STARTING,
    (Phase.STREAMING, Trigger.UNKNOWN_BOOT): Phase.ASKING,
    (Phase.STREAMING, Trigger.STOPPED): Phase.STARTING,
    **{(phase, Trigger.OTHER_PROTOCOL): Phase.CLOSED for phase in OPEN},
    **{(phase, Trigger.TOO_LONG): Phase.CLOSED for phase in OPEN},
    **{(phase, Trigger.PORT_LOST): Phase.CLOSED for phase in OPEN},
}

SECOND_NS = 1_000_000_000
SEND_EVERY_NS = {
    Phase.ASKING: SECOND_NS // 4,  # HELLO?
    Phase.STARTING: SECOND_NS // 5,  # START
    Phase.STREAMING: SECOND_NS,  # PING
}
VERDICT_NS = 2 * SECOND_NS  # without a stream; after that the state says why
SILENT_NS = SECOND_NS
GIVE_UP_NS = 3 * SECOND_NS
STALL_NS = SECOND_NS // 2  # between two calls of `due`: this program was stopped, or busy
FIRST_RETRY_S, LAST_RETRY_S = 0.25, 2.0  # for a port that does not exist: it may come back at any moment
FIRST_REST_S, LAST_REST_S = 0.5, 30.0  # for a device that does not answer


class Link:
    """One device at one port. All times are the host's monotonic clock, passed in by the caller."""

    def __init__(
        self,
        port: str,
        baud: int,
        format: Format,
        start: StartStream,
        on_state: Callable[[LinkState], None],
        now_ns: int,
    ) -> None:
        """`start` is what the device is asked for; the first stream gets the stream_id after this one."""
        self.port, self.baud, self.format = port, baud, format
        self.phase = Phase.CLOSED
        self.retry_s = FIRST_RETRY_S  # how long a closed port is left alone
        self._wire = FORMATS[format]
        self._splitter = self._wire.splitter()  # of everything that is handed on, across openings of the port
        self._since = Opening(now_ns, self._wire)
        self._start = start
        self._seq = 0
        self._phase_ns = self._send_ns = self._due_ns = now_ns
        self._rest_s = FIRST_REST_S
        self._ever_open = False
        self._drops = Drops()
        opening = LinkState(state="opening", detail=f"opening {port}", since_ns=now_ns)
        self._reporter = Reporter(opening, on_state)

    @property
    def state(self) -> LinkState:
        """The state, for people."""
        return self._reporter.state

    @property
    def given_up(self) -> bool:
        """Whether the port is to be closed, and opened again after `retry_s`."""
        return self.phase is Phase.CLOSED

    # -- what happens --

    def opened(self, now_ns: int) -> None:
        """The port is open."""
        self._since = Opening(now_ns, self._wire)
        self._due_ns = now_ns
        self._happens(Trigger.OPENED if self._wire.answers else Trigger.OPENED_FOR_LINES, now_ns)
        self._reporter.report(replace(self.state, reconnects=self.state.reconnects + self._ever_open))
        self._ever_open = True
        if self.state.state in ("opening", "absent", "busy", "streaming"):  # other verdicts stay until a better one
            self._reporter.go("hello", f"asking who is at {self.port}", now_ns)

    def failed(self, error: LinkError, now_ns: int) -> None:
        """The port could not be opened, or it was closed by the device."""
        if self.phase is not Phase.CLOSED:
            self._drops.add(now_ns)
        self._happens(Trigger.PORT_LOST, now_ns)
        self._reporter.report(replace(self.state, attempts=self.state.attempts + 1))
        self._count_drops(now_ns)
        self._reporter.go("busy" if isinstance(error, PortBusyError) else "absent", str(error), now_ns)
        self.retry_s = min(FIRST_RETRY_S * 2 ** min(self.state.attempts - 1, 10), LAST_RETRY_S)

    def is_whole(self, data: bytes) -> bool:
        """Whether `data` ends where a frame or a line ends."""
        return data.endswith(self._splitter.END)

    def receive(self, chunk: Chunk) -> Chunk | None:
        """Read a chunk. Returns it with what was found in it, or None if it must not be handed on."""
        known, held, unheard = self._is_known, self._splitter.held, self._since.ears.held
        split = (self._splitter if known else self._since.ears).split(chunk.data)
        self._since.add(chunk, split)
        for payload in split.found if self._wire.answers else ():
            if not self.given_up:
                self._hear(payload, chunk.received_ns)
        if self.given_up or not self._is_known or self._since.off_pace is not None:
            self._splitter.held = held  # these bytes do not belong to the stream that is handed on
            return None
        if known:
            return chunk._replace(split=split)
        # HELLO may have begun in an earlier read, and a frame that was cut off when the port closed would swallow it.
        data = (b"" if held == b"" else self._splitter.END) + (unheard or b"") + chunk.data
        return chunk._replace(data=data, split=self._splitter.split(data))

    @property
    def _is_known(self) -> bool:
        """Whether the device has said who it is, if its format can say so."""
        return self._since.hello is not None or not self._wire.answers

    # -- what to do --

    def due(self, now_ns: int) -> bytes:
        """What to send now. Call it at least every 100 ms: it also checks how much time has passed."""
        if (missed_ns := now_ns - self._due_ns) > STALL_NS:
            self._since.pause(missed_ns, now_ns)
            self._phase_ns = min(self._phase_ns + missed_ns, now_ns)
        self._due_ns = now_ns
        self._judge(now_ns)
        if self.phase is Phase.CLOSED or not self._wire.answers or now_ns < self._send_ns:
            return b""
        self._send_ns = now_ns + SEND_EVERY_NS[self.phase]
        self._seq += 1
        return frame(self._request(now_ns).to_bytes(self._seq - 1))

    def _request(self, now_ns: int) -> Message:
        if self.phase is Phase.ASKING:
            return HelloRequest()
        return self._start if self.phase is Phase.STARTING else Ping(self._since.clock.ping(now_ns))

    # -- the phases --

    def _happens(self, what: Trigger, now_ns: int) -> None:
        """Go to the next phase, if the table has one."""
        phase = NEXT.get((self.phase, what))
        if phase is None:
            return
        self.phase = phase
        self._phase_ns = self._send_ns = now_ns
        if phase is Phase.STARTING:
            self._begin_stream(now_ns)

    def _begin_stream(self, now_ns: int) -> None:
        """Ask for a stream with a new id, so that its samples are not taken for those of another stream."""
        hello = self._since.hello
        assert hello
        self._start = replace(self._start, stream_id=(self._start.stream_id + 1) & 0xFF)
        if self.state.state != "streaming":
            self._reporter.go("hello", f"firmware {hello.firmware} at {self.port} is asked for its stream", now_ns)

    def _hear(self, payload: bytes, now_ns: int) -> None:
        try:
            check_protocol(payload)
            message = None if payload[0] in (Pos.TYPE, Force.TYPE) else parse(payload)
        except ProtocolVersionError as error:
            self._give_up(Trigger.OTHER_PROTOCOL, f"{self.port}: {error}", now_ns)
            return
        except MessageError:
            return  # the decoder counts it
        match message:
            case Hello():
                self._hear_hello(message, now_ns)
            case Status() if self._since.hello is not None:
                if message.boot_id != self._since.hello.boot_id:
                    self._happens(Trigger.UNKNOWN_BOOT, now_ns)
                elif not message.flags & StatusFlag.STREAMING:
                    self._happens(Trigger.STOPPED, now_ns)
            case Ack(StartStream.TYPE, _, Result.OK):
                self._happens(Trigger.ACKNOWLEDGED, now_ns)
            case Ack(StartStream.TYPE, _, _) if self.phase is Phase.STARTING:
                asked = f"a sample every {self._start.period_us} us in blocks of {self._start.batch}"
                sentence = f"the firmware at {self.port} refuses {asked}: lower [serial] rate_hz or block"
                self._give_up(Trigger.REFUSED, sentence, now_ns)
            case Pong():
                self._since.clock.pong(message, now_ns)
                self._reporter.report(replace(self.state, clock=self._since.clock.best))

    def _hear_hello(self, message: Hello, now_ns: int) -> None:
        known = self._since.hello
        if known is None or message.boot_id != known.boot_id or self.phase is Phase.ASKING:
            self._since.hello = message
            self._reporter.report(replace(self.state, hello=message))
        same = known is not None and message.boot_id == known.boot_id
        self._happens(Trigger.HELLO if same else Trigger.NEW_BOOT, now_ns)

    def _give_up(self, why: Trigger, detail: str, now_ns: int) -> None:
        self._reporter.go("incompatible", detail, now_ns)
        self._happens(why, now_ns)
        self._rest()

    def _rest(self) -> None:
        """Leave the port alone, longer each time: somebody may want to flash the device."""
        self.retry_s = self._rest_s
        self._rest_s = min(self._rest_s * 2, LAST_REST_S)

    # -- the state that people see --

    def _judge(self, now_ns: int) -> None:
        """Draw the conclusions from the time that has passed."""
        self._count_drops(now_ns)
        self._since.tick(now_ns)
        if self.phase is Phase.CLOSED:
            return
        if self.phase is Phase.STREAMING:
            waited_ns = now_ns - max(self._since.good_ns, self._phase_ns)
            self._judge_stream(waited_ns, now_ns)
        else:
            waited_ns = now_ns - self._phase_ns
            if waited_ns >= VERDICT_NS:
                self._reporter.go(*self._verdict(now_ns), now_ns)
        if waited_ns >= GIVE_UP_NS:
            self._happens(Trigger.TOO_LONG, now_ns)
            self._rest()

    def _judge_stream(self, waited_ns: int, now_ns: int) -> None:
        if (ratio := self._since.off_pace) is not None:
            self._reporter.go("wrong_device", f"{self.port}: {likely_cause(self.format, ratio)}", now_ns)
        elif waited_ns >= GIVE_UP_NS or self._since.is_garbage:
            self._reporter.go(*self._verdict(now_ns), now_ns)
        elif waited_ns >= SILENT_NS and now_ns - self._since.byte_ns >= SILENT_NS:
            self._reporter.go("silent", self._silence(), now_ns)
        elif waited_ns < SILENT_NS and self._since.good:
            self._rest_s = FIRST_REST_S
            if self.state.attempts:
                self._reporter.report(replace(self.state, attempts=0))
            who = self.format if self._since.hello is None else f"firmware {self._since.hello.firmware}"
            self._reporter.go("streaming", f"{who} at {self.port}", now_ns)

    def _verdict(self, now_ns: int) -> tuple[State, str]:
        """The state and the sentence that say why there is no stream."""
        if self.phase is Phase.STARTING:
            return "silent", f"the firmware at {self.port} does not acknowledge START: reset the board"
        if now_ns - self._since.byte_ns >= SILENT_NS:
            return "silent", self._silence()
        if self._since.good and self.phase is Phase.ASKING:
            return "wrong_device", f"the device at {self.port} does not answer HELLO: flash this program's firmware"
        if not self._since.good and (text := readable_text(self._since.heard)):
            return (
                "wrong_device",
                f'{self.port} sends text, "{text}": another device, or [serial] format is wrong',
            )
        return (
            "garbage",
            f"{self.port} sends no frames at {self.baud} baud: check [serial] baud",
        )

    def _silence(self) -> str:
        return f"{self.port} is open and sends nothing: check the device's power, and that this is its port"

    def _count_drops(self, now_ns: int) -> None:
        drops = self._drops.within_a_minute(now_ns)
        if drops == self.state.drops:
            return
        remedy = "change its cable, use a powered hub, give the computer a stronger supply"
        unstable = f"{self.port} drops again and again: {remedy}" if self._drops.unstable else None
        self._reporter.report(replace(self.state, drops=drops, unstable=unstable))
