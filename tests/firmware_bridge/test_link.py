"""The conversation in simulated time: what the link sends, accepts and reports, and when it gives up."""

import random
import re
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware_bridge import link
from firmware_bridge.chunk import Chunk
from firmware_bridge.errors import LinkError, PortBusyError
from firmware_bridge.formats import Format
from firmware_bridge.formats.codes import Mcu
from firmware_bridge.formats.decoder import Decoder, from_end_mark
from firmware_bridge.formats.framing import Deframer, frame
from firmware_bridge.formats.messages import Ack, Hello, HelloRequest, Message, Ping, Pong, StartStream, parse
from firmware_bridge.link import NEXT, OPEN, Link, Phase, Trigger
from firmware_bridge.link_state import LinkState
from firmware_bridge.samples import joined
from tests.firmware_bridge.wire import RAW, Wire
from tests.soak import long, soak

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


def test_only_hello_is_sent_until_a_hello_arrives() -> None:
    play = Play()
    play.open()
    play.wait(1000)
    assert play.times(HelloRequest) == [0, 250, 500, 750, 1000]
    assert len(play.said) == 5
    assert not play.hear(play.device.pos(0))
    assert play.hear(play.device.hello(0))
    play.wait(600)
    assert play.times(StartStream) == [1000, 1200, 1400, 1600]
    assert play.said[-1][1] == StartStream(3, 2000, 5, 0)
    assert play.state == "hello"
    assert play.hear(play.device.send(Ack(StartStream.TYPE, 1, 0)))
    play.wait(2000, play.device.pos(0))
    assert play.times(Ping) == [1600, 2600, 3600]
    assert play.path == ["opening", "hello", "streaming"]


@pytest.mark.parametrize("cut", [1, 20, 80])
@pytest.mark.parametrize("split", [0, 1, 9, 100])
def test_the_hello_of_a_board_that_comes_back_is_handed_on(cut: int, split: int) -> None:
    """Also if the cable was pulled within a frame, or noise, and if HELLO comes in two reads."""
    play = Play()
    play.stream()
    decoder = Decoder(RAW)
    last = play.hear(b"\x01" * cut)
    assert last
    decoder.feed(last)
    play.link.failed(LinkError("gone"), play.now_ms * MS)
    play.device.reboot(0, boot_id=8, stream_id=2)
    play.open()
    assert play.hear(b"\0") is None
    hello = play.device.hello(0)
    handed_on = [chunk for data in (hello[:split], hello[split:]) if (chunk := play.hear(data))]
    for chunk in handed_on:
        decoder.feed(chunk._replace(split=None))
    assert [message.boot_id for message in decoder.take_control() if isinstance(message, Hello)] == [8]
    assert [payload[0] for chunk in handed_on if chunk.split for payload in chunk.split.found] == [Hello.TYPE]


def test_silence_is_reported_after_a_second_and_the_port_closed_after_three() -> None:
    play = Play()
    play.stream()
    play.wait(500, play.device.pos(0))
    play.wait(950)
    assert play.state == "streaming"
    play.wait(50)
    assert play.state == "silent"
    assert not play.link.given_up
    play.hear(play.device.pos(0))
    play.wait(50)
    assert play.state == "streaming"
    play.wait(2950)
    assert play.link.given_up
    assert play.link.retry_s == 0.5
    play.wait(1000)
    assert not [at_ms for at_ms, message in play.said if at_ms > play.now_ms - 1000]


def test_time_without_a_reader_is_not_silence() -> None:
    play = Play()
    play.stream()
    play.wait(15_000, every_ms=15_000)
    assert play.state == "streaming"
    assert not play.link.given_up
    play.now_ms += 15_000
    play.hear(play.device.pos(0))  # data that had waited
    play.wait(0)
    assert play.state == "streaming"
    play.wait(1000)
    assert play.state == "silent"


def test_a_device_that_never_speaks_is_tried_less_and_less_often() -> None:
    play = Play()
    rests: list[float] = []
    for _ in range(9):
        play.open()
        play.wait(1950)
        assert not play.link.given_up
        play.wait(1050)
        assert play.link.given_up
        assert play.state == "silent"
        rests.append(play.link.retry_s)
        play.now_ms += round(play.link.retry_s * 1000)
    assert rests == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert play.path == ["opening", "hello", "silent"]
    assert play.states[-1].since_ns == 3000 * MS
    play.stream()
    play.wait(3000)
    assert play.link.retry_s == 0.5


def test_a_board_in_its_boot_loader_is_waited_for() -> None:
    play = Play()
    play.open()
    play.wait(2500)
    assert play.state == "silent"
    play.hear(b"\x00" + play.device.hello(0))
    play.wait(50)
    assert play.state == "hello"
    assert play.times(StartStream)


@pytest.mark.parametrize(
    ("data", "state", "words"),
    [
        (b"$GPGGA,1,2\r\n", "wrong_device", 'sends text, "$GPGGA,1,2'),
        (bytes(range(128, 256)), "garbage", "no frames at 500000 baud"),
        (frame(b"\x02\x00" + bytes(23)), "wrong_device", "does not answer HELLO"),
    ],
)
def test_a_foreign_device_that_answers_is_reported(data: bytes, state: str, words: str) -> None:
    play = Play()
    play.open()
    play.wait(1950, data)
    assert play.state == "hello"
    play.wait(50, data)
    assert play.state == state
    assert words in play.states[-1].detail
    play.wait(1000, data)
    assert play.link.given_up
    play.open()  # the verdict stays until a better one
    assert play.state == state


def test_half_garbage_for_three_seconds_is_reported_and_loses_nothing() -> None:
    play = Play()
    play.stream()
    noise = bytes(range(128, 168)) + b"\x00"
    play.wait(2500, noise * 2 + play.device.pos(0))
    assert play.state == "streaming"
    play.wait(1000, noise * 2 + play.device.pos(0))
    assert play.state == "garbage"
    assert not play.link.given_up
    assert play.hear(play.device.pos(0))
    play.wait(1100, play.device.pos(0) * 2)
    assert play.state == "streaming"


@pytest.mark.parametrize("hello", [True, False])
def test_another_boot_is_asked_for_another_stream(hello: bool) -> None:
    play = Play()
    play.stream()
    play.device.reboot(0, 8, 0)
    if hello:
        play.hear(play.device.hello(0))
    else:
        assert play.hear(play.device.pos(0) + play.device.status(0, streaming=False))
        play.wait(0)
        assert isinstance(play.said[-1][1], HelloRequest)
        play.hear(play.device.hello(0))
    play.wait(0)
    assert play.said[-1][1] == StartStream(3, 2000, 5, 1)
    play.hear(play.device.send(Ack(StartStream.TYPE, 1, 0)))
    play.wait(50)
    assert set(play.path[2:]) == {"streaming"}
    hello_known = play.states[-1].hello
    assert hello_known is not None
    assert hello_known.boot_id == 8


def test_a_false_word_of_another_boot_is_cleared_up() -> None:
    play = Play()
    play.stream()
    play.hear(Wire(boot_id=99).status(0))
    play.hear(play.device.hello(0))
    play.wait(0)
    play.hear(play.device.send(Ack(StartStream.TYPE, 1, 0)))
    play.wait(950)
    assert set(play.path[2:]) == {"streaming"}
    assert play.times(Ping)


def test_a_device_that_reports_no_stream_is_asked_again() -> None:
    play = Play()
    play.stream()
    play.hear(play.device.hello(0))  # the same boot changes nothing
    play.hear(play.device.status(0, streaming=True))
    play.wait(0)
    assert len(play.times(StartStream)) == 1
    play.hear(play.device.status(0, streaming=False))
    play.wait(0)
    assert play.said[-1][1] == StartStream(3, 2000, 5, 1)


def test_a_start_that_is_never_acknowledged_is_given_up() -> None:
    play = Play()
    play.open()
    play.hear(play.device.hello(0))
    play.wait(2950, play.device.status(0, streaming=False))
    assert not play.link.given_up
    play.wait(50, play.device.status(0, streaming=False))
    assert play.link.given_up
    assert "does not acknowledge START" in play.states[-1].detail


@pytest.mark.parametrize("early", [True, False])
def test_another_protocol_ends_it_and_its_chunk_is_kept_back(early: bool) -> None:
    play = Play()
    play.open() if early else play.stream()
    assert not play.hear(play.device.hello(0, protocol=2))
    assert play.state == "incompatible"
    assert play.link.given_up
    said = len(play.said)
    play.wait(1000)
    assert len(play.said) == said


def test_the_report_of_a_refused_start_contains_the_request() -> None:
    play = Play()
    play.open()
    play.hear(play.device.hello(0) + play.device.send(Ack(StartStream.TYPE, 1, 2)))
    assert play.state == "incompatible"
    assert "every 2000 us in blocks of 5" in play.states[-1].detail


def test_a_port_that_is_not_there_is_tried_every_two_seconds_at_last() -> None:
    play = Play()
    waits = []
    for _ in range(6):
        play.link.failed(LinkError("gone"), play.now_ms * MS)
        waits.append(play.link.retry_s)
    assert waits == [0.25, 0.5, 1, 2, 2, 2]
    assert play.states[-1].attempts == 6
    play.link.failed(PortBusyError("held by somebody"), play.now_ms * MS)
    assert (play.state, play.states[-1].detail) == ("busy", "held by somebody")
    play.stream()
    assert (play.states[-1].attempts, play.states[-1].reconnects) == (0, 0)
    play.link.failed(LinkError("gone"), play.now_ms * MS)
    play.stream()
    assert play.states[-1].reconnects == 1


def test_a_port_that_drops_repeatedly_is_reported_once_until_a_quiet_minute() -> None:
    play = Play()

    def drop() -> None:
        play.stream()
        play.wait(1000, play.device.pos(0))
        play.link.failed(LinkError("gone"), play.now_ms * MS)
        play.link.failed(LinkError("still gone"), play.now_ms * MS)  # does not count as another drop

    for drops in range(1, 6):
        drop()
        assert (play.states[-1].drops, play.states[-1].unstable) == (drops, None)
    for _ in range(20):
        drop()
        assert (play.states[-1].unstable or "").startswith("PORT drops again and again: change its cable")
    assert len({state.unstable for state in play.states}) == 2
    play.stream()
    play.wait(59_000, play.device.pos(0), every_ms=500)
    assert (play.states[-1].drops, bool(play.states[-1].unstable)) == (1, True)
    play.wait(2_000, play.device.pos(0), every_ms=500)
    assert (play.states[-1].drops, play.states[-1].unstable) == (0, None)


def test_lines_are_read_in_silence() -> None:
    play = Play(format="lines-millis")
    play.open()
    play.wait(500)
    assert play.state == "hello"
    play.wait(500, b"1,2,3\n")
    assert play.state == "streaming"
    assert play.hear(b"anything")
    play.wait(1000)
    assert play.state == "silent"
    play.wait(2000)
    assert play.link.given_up
    assert play.said == []


def test_lines_in_another_format_are_reported() -> None:
    play = Play(format="lines-millis")
    play.open()
    play.wait(3000, b"123456;1.5\n")
    assert play.state == "wrong_device"
    assert 'sends text, "123456;1.5' in play.states[-1].detail
    assert "[serial] format" in play.states[-1].detail


@pytest.mark.parametrize(
    ("format", "line", "step", "every_ms", "cause"),
    [
        (
            "lines-millis",
            b"%d,1,2\n",
            20_000,
            20,
            "run 1000 times too fast: it sends microseconds; is it lines-micros?",
        ),
        ("lines-millis", b"%d,1,2\n", 2000, 20, "run 100 times too fast: correct the clock"),
        ("lines-micros", b"%d;2\n", 20, 20, "run 1000 times too slow: it sends milliseconds; is it"),
        ("lines-millis", b"%d,1,2\n", 0, 20, "do not advance: correct the clock"),
    ],
)
def test_stamps_that_disagree_with_their_arrival_are_named(
    format: Format, line: bytes, step: int, every_ms: int, cause: str
) -> None:
    play = Play(format=format)
    play.open()
    for k in range(500):
        play.wait(every_ms, every_ms=every_ms)
        handed = play.hear(line % (k * step))
    assert play.state == "wrong_device"
    assert cause in play.states[-1].detail
    assert handed is None, "nothing is made of them"
    assert not play.link.given_up
    right = every_ms * (1000 if format == "lines-micros" else 1)
    for k in range(500):
        play.wait(every_ms, every_ms=every_ms)
        handed = play.hear(line % (k * right))
    assert play.state == "streaming"
    assert handed is not None


MEGA = Hello(1, 0, 1, 0, Mcu.ATMEGA2560, 1, 7, 7, 1, 80, 3, 16000, 1, 0)


@pytest.mark.parametrize(
    ("ratio", "cause"),
    [
        (100, r"run (99|10\d) times too fast: its firmware does not count microseconds"),
        (0.05, "run 20 times too slow"),
        (0, "do not advance"),
    ],
)
def test_a_board_whose_clock_runs_otherwise_is_named(ratio: float, cause: str) -> None:
    """Its frames are sound. Its stamps wrap within a minute, blocks are lost, and forces come between them."""

    def second(ratio: float) -> list[Chunk | None]:
        handed = []
        for k in range(100):
            play.wait(10, every_ms=10)
            at_us = round(play.now_ms * 1000 * ratio)
            block = play.device.pos(at_us) + (play.device.force(at_us) if k % 8 == 0 else b"")
            handed.append(play.hear(b"" if k % 10 == 3 else block))
        return handed

    play = Play()
    play.stream(MEGA)
    for _ in range(50):
        handed = second(ratio)
    assert play.state == "wrong_device"
    assert re.search(cause, play.states[-1].detail)
    assert not any(handed), "nothing is made of them"
    for _ in range(10):
        handed = second(1.0)
    assert play.state == "streaming"
    assert all(handed)


def test_a_simulated_board_may_run_at_any_speed() -> None:
    play = Play()
    play.stream()
    for k in range(900):
        play.wait(10, every_ms=10)
        assert play.hear(play.device.pos(k * 1_000_000))
    assert play.state == "streaming"


@pytest.mark.parametrize("every", [1, 3])
def test_lost_lines_and_a_board_faster_than_its_stamps_are_understood(every: int) -> None:
    play = Play(format="lines-millis")
    play.open()
    for k in range(0, 900, every):
        play.wait(10 * every, every_ms=10 * every)
        assert play.hear(b"".join(b"%d,1,2\n" % (10 * k + j // 2) for j in range(20)))
    assert play.state == "streaming"


def test_the_shortest_round_trip_gives_the_clock_and_its_drift() -> None:
    play = Play()
    play.stream()
    begin_ms = play.now_ms
    for second in range(200):
        play.wait(1000, play.device.pos(0), every_ms=250)
        sent_ms, ping = play.said[-1]
        assert isinstance(ping, Ping)
        at_us = round((sent_ms - begin_ms + 1.5) * 1000 * 1.001)  # a clock that is 1000 ppm fast; received after 1.5 ms
        play.device.boot_at_us = 0
        away_ms = 4 if second % 7 == 0 else 40
        pong = play.device.send(Pong(ping.token, at_us % 2**32, (at_us + 1000) % 2**32))
        play.link.receive(Chunk((sent_ms + away_ms) * MS, pong))
    clock = play.states[-1].clock
    assert clock is not None
    assert clock.round_trip_us == 3000
    assert clock.device_us == pytest.approx((clock.host_ns / MS - begin_ms) * 1000 * 1.001, abs=2)
    assert clock.drift_ppm == pytest.approx(1000, abs=1)
    play.hear(play.device.send(Pong(12345, 0, 0)))  # without a request
    assert play.states[-1].clock == clock


def test_the_drawing_is_the_table() -> None:
    drawn: dict[tuple[str, str], str] = {}
    phases = "|".join([*Phase, "any open"])
    for before, what, after in re.findall(rf"^    ({phases}) +(.+?) {{2,}}(\w+)", link.__doc__ or "", re.MULTILINE):
        for phase in OPEN if before == "any open" else (before,):
            drawn[phase, what] = after
    assert drawn == NEXT
    assert {what for _, what in NEXT} == set(Trigger)


def split_anyhow(data: bytes, rng: random.Random) -> list[bytes]:
    cuts = sorted({0, len(data), *(rng.randrange(len(data) + 1) for _ in range(len(data) // 40))})
    return [data[a:b] for a, b in pairwise(cuts)]


def frames_of_a_day(rng: random.Random) -> list[bytes | None]:
    """The data of each read; None if the port goes away and comes back."""
    device, at_us, reads = Wire(boot_id=1), 0, list[bytes | None]()
    for _ in range(6):
        data = rng.choice([b"", b"\x00", rng.randbytes(9)]) + (device.hello(at_us) if rng.random() < 0.7 else b"")
        frames = [wire for _, wire in device.stream(at_us, 300_000)] + [device.status(at_us + 300_000)]
        if rng.random() < 0.5:
            frames.insert(rng.randrange(len(frames)), device.hello(at_us, protocol=2))
        data += b"".join(frames)
        reads += [*split_anyhow(data[: rng.randrange(1, len(data))], rng), None]
        at_us += 1_000_000
        if rng.random() < 0.5:
            device.reboot(at_us, device.boot_id + 1, rng.randrange(256))
    return reads


def lines_of_a_day(rng: random.Random) -> list[bytes | None]:
    data = b"".join(b"%d,%d,5\r\n" % (10 * k, k) + rng.choice([b"", b"", b"no line\n", b"x" * 90]) for k in range(99))
    return [read for part in split_anyhow(data, rng)[::7] for read in (*split_anyhow(part, rng), None)]


@soak
@settings(max_examples=long(160, 26), deadline=None)
@example(23102534, "frames")  # the end mark of a refused HELLO comes with the next device
@given(st.integers(0, 2**32 - 1), st.sampled_from(["frames", "lines-millis"]))
def test_a_replay_finds_in_the_bytes_what_the_link_has_found(seed: int, format: Format) -> None:
    """For a session from any chunk on, with ports that go away and delayed chunks."""
    rng = random.Random(seed)
    play, handed, boots = Play(format), list[Chunk](), list[Hello | None]()
    play.open()
    for read in frames_of_a_day(rng) if format == "frames" else lines_of_a_day(rng):
        play.now_ms += 3
        if read is None:
            play.link.failed(LinkError("gone"), play.now_ms * MS)
            play.open()
        elif read and (chunk := play.hear(read)):
            handed.append(chunk)
            boots.append(play.link.state.hello)
    assert all(chunk.split for chunk in handed)
    at = rng.randrange(len(handed) + 1)
    kept, boot = from_end_mark(handed[at:], format), boots[at] if at < len(boots) else None
    live, replayed = Decoder(RAW, format, boot), Decoder(RAW, format, boot)
    rows = joined([live.feed(chunk) for chunk in kept])
    again = joined([replayed.feed(Chunk(chunk.received_ns, chunk.data)) for chunk in kept])
    for column, same in zip(rows, again, strict=True):
        np.testing.assert_array_equal(column, same)
    assert live.counts == replayed.counts
    assert live.take_control() == replayed.take_control()
