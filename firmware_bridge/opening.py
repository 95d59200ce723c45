"""Holds what a link knows since it opened its port: who is there, what came, how much was garbage. Pure."""

from firmware_bridge.chunk import Chunk, Split
from firmware_bridge.device_clock import ClockEstimate
from firmware_bridge.formats.codes import Mcu
from firmware_bridge.formats.framing import Deframer
from firmware_bridge.formats.messages import Hello
from firmware_bridge.formats.registry import WireFormat
from firmware_bridge.pace import Pace

WINDOW_NS = 1_000_000_000
GARBAGE_WINDOWS = 3  # in a row with more garbage than not
HEARD_BYTES = 64  # kept, to tell text from noise


class Opening:
    """From one opening of the port to the next. All times are the host's monotonic clock."""

    def __init__(self, now_ns: int, wire: WireFormat) -> None:
        self._pace = Pace(wire.tick_us)
        self._stamps = wire.stamps
        self.hello: Hello | None = None
        self.clock = ClockEstimate()
        self.ears = Deframer()  # for what comes before HELLO, which is not handed on
        self.good_ns = self.byte_ns = now_ns  # when the last frame or line came, and the last byte
        self.good = 0  # frames or lines
        self.heard = b""
        self._window_ends_ns = now_ns + WINDOW_NS
        self._window_bytes = self._window_garbage = self._bad_windows = 0

    @property
    def is_garbage(self) -> bool:
        """Whether most of what came in the last seconds was garbage."""
        return self._bad_windows >= GARBAGE_WINDOWS

    @property
    def off_pace(self) -> float | None:
        """How many times too fast the stamps run, if that is impossible. A simulated device may run at any speed."""
        return None if self.hello is not None and self.hello.mcu == Mcu.SIMULATED else self._pace.off

    def add(self, chunk: Chunk, split: Split) -> None:
        """A chunk came, with this in it."""
        self.byte_ns = chunk.received_ns
        if split.found:
            self.good_ns = chunk.received_ns
            self.good += len(split.found)
        self._pace.add(chunk.received_ns, self._stamps(split.found))
        self.heard += chunk.data[: HEARD_BYTES - len(self.heard)]
        self._window_bytes += len(chunk.data)
        self._window_garbage += split.garbage_bytes

    def pause(self, missed_ns: int, now_ns: int) -> None:
        """This program did not run for this long: that is not a silence of the device."""
        self.good_ns = min(self.good_ns + missed_ns, now_ns)
        self.byte_ns = min(self.byte_ns + missed_ns, now_ns)

    def tick(self, now_ns: int) -> None:
        """Close a window that has ended."""
        if now_ns < self._window_ends_ns:
            return
        bad = self._window_garbage * 2 > self._window_bytes
        self._bad_windows = self._bad_windows + 1 if bad else 0
        self._window_bytes = self._window_garbage = 0
        self._window_ends_ns = now_ns + WINDOW_NS


def readable_text(heard: bytes) -> str:
    """What was heard, if it is readable text; otherwise nothing.

    >>> readable_text(b"$GPGGA,1,2\\r\\n")
    '$GPGGA,1,2'
    >>> readable_text(bytes(range(200, 220)))
    ''
    """
    readable = sum(32 <= byte < 127 or byte in b"\r\n\t" for byte in heard)
    if not heard or readable < 0.9 * len(heard):
        return ""
    return "".join(chr(byte) if 32 <= byte < 127 else " " for byte in heard[:32]).strip()
