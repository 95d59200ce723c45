"""Plays a device to the link, in simulated time."""

from dataclasses import dataclass, field

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats import Format
from firmware_bridge.formats.framing import Deframer
from firmware_bridge.formats.messages import Ack, Hello, Message, StartStream, parse
from firmware_bridge.link import Link
from firmware_bridge.link_state import LinkState
from tests.firmware_bridge.wire import Wire

MS = 1_000_000


ASKED = StartStream(3, 2000, 5, 255)


@dataclass
class Play:
    """A link and its simulated clock."""

    format: Format = "frames"
    now_ms: int = 1000
    states: list[LinkState] = field(default_factory=list)
    said: list[tuple[int, Message]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.link = Link("PORT", 500_000, self.format, ASKED, self.states.append, self.now_ms * MS)
        self.device = Wire(boot_id=7)
        self._ears = Deframer()

    def open(self) -> None:
        self.link.opened(self.now_ms * MS)
        self.wait(0)

    def wait(self, duration_ms: int, data: bytes = b"", every_ms: int = 50) -> None:
        """Advances the clock as the port does; `data` arrives with every step."""
        for step_ms in range(0, duration_ms + 1, every_ms):
            if step_ms:
                self.now_ms += every_ms
            if data:
                self.hear(data)
            for payload in self._ears.feed(self.link.due(self.now_ms * MS)):
                message = parse(payload)
                assert message
                self.said.append((self.now_ms, message))

    def hear(self, data: bytes) -> Chunk | None:
        return self.link.receive(Chunk(self.now_ms * MS, data))

    def stream(self, hello: Hello | None = None) -> None:
        """Proceeds to the phase `streaming`; the device is a simulated one, if `hello` names no other."""
        self.open()
        self.hear(self.device.send(hello) if hello else self.device.hello(0))
        self.wait(0)
        self.hear(self.device.send(Ack(StartStream.TYPE, 1, 0)))
        self.wait(0)
        assert self.state == "streaming"

    @property
    def state(self) -> str:
        return self.states[-1].state

    @property
    def path(self) -> list[str]:
        names = [state.state for state in self.states]
        return [name for k, name in enumerate(names) if k == 0 or names[k - 1] != name]

    def times(self, kind: type[Message]) -> list[int]:
        return [at_ms - 1000 for at_ms, message in self.said if isinstance(message, kind)]
