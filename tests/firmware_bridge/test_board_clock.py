"""How a board's clock is compared with the arrival of its bytes."""

import re

import pytest

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats import Format
from firmware_bridge.formats.codes import Mcu
from firmware_bridge.formats.messages import Hello, Ping, Pong
from tests.firmware_bridge.link_play import MS, Play


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
