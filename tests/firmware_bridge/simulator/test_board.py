"""A live board: its answers, its stream, and its counts of losses."""

import numpy as np
import pytest

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.codes import Result
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.framing import Deframer, frame
from firmware_bridge.formats.messages import (
    Ack,
    Force,
    Hello,
    HelloRequest,
    Message,
    Ping,
    Pong,
    Pos,
    SetAdc,
    StartStream,
    Status,
    StatusRequest,
    StopStream,
    parse,
)
from firmware_bridge.samples import Flag
from firmware_bridge.simulator import Kit, Machine, Trace, clean_set, simulate
from firmware_bridge.simulator.board import Board
from firmware_bridge.simulator.faults import LineCut

MACHINE = Machine(rest_m=0.0)
START = StartStream(3, 2000, 5, 7)


@pytest.fixture(scope="module")
def trace() -> Trace:
    return simulate(MACHINE, clean_set(2, 4, 1, tail_s=1.0), 1)


def say(board: Board, *commands: Message) -> None:
    for seq, command in enumerate(commands):
        board.receive(frame(command.to_bytes(seq)))


def heard(board: Board) -> list[Message]:
    data = board.waiting
    board.taken(len(data))
    return [message for payload in Deframer().feed(data) if (message := parse(payload))]


def live(board: Board, trace: Trace, first: int = 0, end: int | None = None, rows: int = 5) -> bytes:
    """Advances the board by these rows; the line takes all bytes."""
    sent = b""
    for at in range(first, len(trace) if end is None else end, rows):
        board.advance(trace.part(at, at + rows))
        sent += board.waiting
        board.taken(len(board.waiting))
    return sent


def test_it_says_hello_and_then_sleeps_until_start(trace: Trace) -> None:
    board = Board(Kit(), 1)
    (hello,) = heard(board)
    assert isinstance(hello, Hello)
    assert hello.protocol == 1
    messages = [parse(p) for p in Deframer().feed(live(board, trace, 0, 3000))]
    assert [type(m) for m in messages] == [Status] * 3


def test_every_command_is_answered(trace: Trace) -> None:
    board = Board(Kit(), 1)
    heard(board)
    say(board, HelloRequest(), Ping(77), StatusRequest(), START, StopStream(), SetAdc(128, 80))
    hello, pong, status, *acks = heard(board)
    assert isinstance(hello, Hello)
    assert isinstance(pong, Pong)
    assert pong.token == 77
    assert isinstance(status, Status)
    assert acks == [Ack(0x82, 3, Result.OK), Ack(0x83, 4, Result.OK), Ack(0x86, 5, Result.OK)]
    board.receive(frame(bytes([0x8A, 9])) + frame(bytes([0x82, 10, 1, 2])))
    assert heard(board) == [Ack(0x8A, 9, Result.UNKNOWN), Ack(0x82, 10, Result.ARGUMENT)]


@pytest.mark.parametrize(
    "start",
    [StartStream(0, 2000, 5, 1), StartStream(4, 2000, 5, 1), StartStream(3, 399, 5, 1), StartStream(3, 2000, 16, 1)],
)
def test_a_start_that_cannot_be_is_refused(start: StartStream, trace: Trace) -> None:
    board = Board(Kit(), 1)
    heard(board)
    say(board, start)
    assert heard(board) == [Ack(0x82, 0, Result.ARGUMENT)]
    assert not any(isinstance(parse(p), Pos | Force) for p in Deframer().feed(live(board, trace, 0, 500)))


def test_it_streams_what_the_machine_does(trace: Trace) -> None:
    board, kit = Board(Kit(), 1), Kit()
    say(board, START)
    decoder = Decoder(kit.calibration(MACHINE))
    samples = decoder.feed(Chunk(0, live(board, trace)))
    rows = ~np.isnan(samples.position_m)
    true_m = np.interp(samples.t_s[rows], trace.t_s, trace.position_m)
    assert np.abs(samples.position_m[rows] - true_m).max() < 0.0008
    assert np.nanmax(samples.force_n) == pytest.approx(trace.tension_n.max(), rel=0.05)
    counts = decoder.counts
    assert counts.lost_frames == counts.lost_position_samples == counts.late_samples == counts.bad_crc == 0
    assert counts.position_samples == pytest.approx(trace.t_s[-1] * 500, abs=10)
    assert counts.force_samples == pytest.approx(trace.t_s[-1] * 80, abs=4)


def test_start_with_the_same_stream_changes_nothing_and_with_another_restarts(trace: Trace) -> None:
    board = Board(Kit(), 1)
    say(board, START)
    live(board, trace, 0, 1000)
    say(board, START)
    assert next(m for m in read(live(board, trace, 1000, 1100)) if isinstance(m, Pos)).idx > 400
    say(board, StartStream(1, 10_000, 2, 8))
    data = read(live(board, trace, 1100, 1500))
    assert {type(m) for m in data} == {Ack, Pos}
    first = next(m for m in data if isinstance(m, Pos))
    assert (first.stream_id, first.idx, first.period_us, len(first.counts)) == (8, 0, 10_000, 2)
    say(board, StopStream())
    assert not any(isinstance(m, Pos) for m in read(live(board, trace, 1500, 1700)))


def read(data: bytes) -> list[Message]:
    return [message for payload in Deframer().feed(data) if (message := parse(payload))]


def test_set_adc_changes_the_rate_without_a_gap_in_the_running_numbers(trace: Trace) -> None:
    board, kit = Board(Kit(), 1), Kit()
    say(board, START)
    data = live(board, trace, 0, 2000)
    say(board, SetAdc(128, 320))
    data += live(board, trace, 2000, 4000)
    decoder = Decoder(kit.calibration(MACHINE))
    samples = decoder.feed(Chunk(0, data))
    assert decoder.counts.lost_force_samples == decoder.counts.lost_position_samples == 0
    force_s = samples.t_s[~np.isnan(samples.force_n)]
    assert np.diff(force_s[-100:]).mean() == pytest.approx(1 / 320, rel=0.01)


def test_a_line_that_takes_nothing_costs_whole_frames_and_all_are_counted(trace: Trace) -> None:
    board, kit = Board(Kit(), 1, tx_bytes=400), Kit()
    decoder = Decoder(kit.calibration(MACHINE))
    say(board, START)
    for at in range(0, 8000, 5):
        board.advance(trace.part(at, at + 5))
        if at % 2000 >= 1000:  # the reader stalls every other second
            data = board.waiting[:50]
            board.taken(len(data))
            decoder.feed(Chunk(at * 1_000_000, data))
    decoder.feed(Chunk(8_000_000_000, board.waiting))
    counts = decoder.counts
    assert board.tx_dropped > 200
    assert counts.lost_frames % 256 == board.tx_dropped % 256
    assert counts.bad_crc == counts.bad_shape == 0
    assert counts.position_samples + counts.lost_position_samples == pytest.approx(4000, abs=100)
    assert counts.device is not None
    assert 0 < counts.device.tx_dropped <= board.tx_dropped


def test_a_full_ring_still_has_room_for_an_answer(trace: Trace) -> None:
    board = Board(Kit(), 1, tx_bytes=400)
    say(board, START)
    board.advance(trace.part(0, 900))  # before the first STATUS
    assert board.tx_dropped > 0
    say(board, Ping(5))
    assert isinstance(heard(board)[-1], Pong)


def test_a_reset_is_another_boot_that_counts_position_from_where_it_is(trace: Trace) -> None:
    board, kit = Board(Kit(), 1), Kit()
    decoder = Decoder(kit.calibration(MACHINE))
    say(board, START)
    decoder.feed(Chunk(0, live(board, trace, 0, 5000)))
    first_boot = board.boot_id
    board.reset(down_s=0.3)
    say(board, START)  # to an absent board
    assert live(board, trace, 5000, 5290, rows=10) == b""
    hello = read(live(board, trace, 5290, 5310))[0]
    assert isinstance(hello, Hello)
    assert hello.boot_id == board.boot_id != first_boot
    assert hello.t_us < 20_000
    say(board, START)
    data = frame(hello.to_bytes(0)) + live(board, trace, 5310, 6000)
    samples = decoder.feed(Chunk(5_310_000_000, data))
    assert decoder.counts.resets == 1
    assert (samples.flags & Flag.RESTART).any()
    moved = trace.position_m[5310] - trace.position_m[5000]
    assert samples.position_m[~np.isnan(samples.position_m)][0] == pytest.approx(moved, abs=0.005)


def test_same_seed_same_bytes(trace: Trace) -> None:
    def bytes_of(seed: int, rows: int) -> bytes:
        board = Board(Kit(lost_fraction=0.02), seed)
        say(board, START)
        return live(board, trace, 0, 3000, rows)

    assert bytes_of(1, 5) == bytes_of(1, 5)
    assert bytes_of(1, 5) != bytes_of(2, 5)


def test_its_clock_wraps(trace: Trace) -> None:
    board, kit = Board(Kit(clock_start_us=2**32 - 1_000_000), 1), Kit()
    say(board, START)
    samples = Decoder(kit.calibration(MACHINE)).feed(Chunk(0, live(board, trace, 0, 3000)))
    assert samples.t_s[-1] == pytest.approx(3.0, abs=0.02)


def test_scripted_faults_are_not_for_a_live_board() -> None:
    with pytest.raises(ValueError, match="cannot play the faults of a kit"):
        Board(Kit(faults=(LineCut(1, 1),)), 1)
