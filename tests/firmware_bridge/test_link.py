"""The conversation in simulated time: what the link sends, accepts and reports, and when it gives up."""

import re

import pytest

from firmware_bridge import link
from firmware_bridge.errors import LinkError, PortBusyError
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.framing import frame
from firmware_bridge.formats.messages import Ack, Hello, HelloRequest, Ping, StartStream
from firmware_bridge.link import NEXT, OPEN, Phase, Trigger
from tests.firmware_bridge.link_play import MS, Play
from tests.firmware_bridge.wire import RAW, Wire


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


def test_the_drawing_is_the_table() -> None:
    drawn: dict[tuple[str, str], str] = {}
    phases = "|".join([*Phase, "any open"])
    for before, what, after in re.findall(rf"^    ({phases}) +(.+?) {{2,}}(\w+)", link.__doc__ or "", re.MULTILINE):
        for phase in OPEN if before == "any open" else (before,):
            drawn[phase, what] = after
    assert drawn == NEXT
    assert {what for _, what in NEXT} == set(Trigger)
