"""The plain line formats give the same rows and counts as far as a line can."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.chunk import Chunk, run_of
from firmware_bridge.formats import Format
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.samples import Flag, Samples
from tests.firmware_bridge.wire import RAW
from tests.soak import long, soak

BEGIN = b"a board's greeting\r\n"


def decode(data: bytes, format: Format = "lines-millis") -> tuple[Samples, Decoder]:
    decoder = Decoder(RAW, format=format)
    return decoder.feed(Chunk(0, data)), decoder


def test_a_millis_line_carries_both_sensors() -> None:
    decoder = Decoder(Calibration(metres_per_count=0.001, newtons_per_count=0.5, force_zero_counts=10), "lines-millis")
    samples = decoder.feed(Chunk(0, BEGIN + b"1000,25,30\r\n1002, 26.5 ,-30\n1004,+27,1e3\n1006,28,10.\n"))
    assert samples.t_s.tolist() == [0, 0.002, 0.006]
    assert samples.position_m.tolist() == [0.025, 0.0265, 0.028]
    assert samples.force_n.tolist() == [10, -20, 0]
    counts = decoder.counts
    assert (counts.frames, counts.bad_shape, counts.position_samples, counts.force_samples) == (3, 1, 3, 3)
    assert counts.garbage_bytes == len(b"a board's greeting\r") + len(b"1004,+27,1e3")
    assert decoder.take_control() == []


def test_a_micros_line_carries_only_force() -> None:
    samples, decoder = decode(BEGIN + b"4294967295;1.5\n11499;2.5\n", "lines-micros")
    assert samples.t_s.tolist() == [0, 0.0115]
    assert np.isnan(samples.position_m).all()
    assert samples.force_n.tolist() == [1.5, 2.5]
    assert (decoder.counts.position_samples, decoder.counts.force_samples) == (0, 2)


def test_milliseconds_wrap_after_seven_weeks() -> None:
    samples, decoder = decode(BEGIN + b"4294967294,0,1\n2,0,2\n")
    assert samples.t_s.tolist() == [0, 0.004]
    assert decoder.counts.resets == 0


@pytest.mark.parametrize(
    "line",
    [
        *[b"5,1", b"5,1,2,3", b"-5,1,2", b"5,nan,2", b"5,1,inf", b"5,1,0x10", b"5,,2", b"5;1;2", b"4294967296,1,2"],
        *[b"5,1,2 kg", b"\xff5,1,2", b"5.5,1,2", b"5,1_0,2", b"5,\xd9\xa1,2", b"5,1," + b"0" * 90],
    ],
)
def test_anything_but_an_exact_line_is_refused_and_counted(line: bytes) -> None:
    samples, decoder = decode(BEGIN + b"1,1,1\n" + line + b"\n9,9,9\n")
    assert samples.force_n.tolist() == [1, 9]
    assert decoder.counts.bad_shape == 1
    assert decoder.counts.garbage_bytes == len(BEGIN) - 1 + len(line)


def test_the_tail_of_a_longer_number_is_not_believed() -> None:
    samples, _ = decode(b"23,4,5\n124,4,6\n")
    assert samples.force_n.tolist() == [6]


def test_a_line_whose_time_does_not_increase_is_not_a_row() -> None:
    samples, decoder = decode(BEGIN + b"10,0,1\n12,0,2\n12,0,3\n11,0,4\n14,0,5\n")
    assert samples.force_n.tolist() == [1, 2, 5]
    assert (decoder.counts.late_samples, decoder.counts.bad_stamp, decoder.counts.resets) == (2, 0, 0)


def test_a_restarted_board_is_bridged_by_arrival() -> None:
    decoder = Decoder(RAW, "lines-millis")
    decoder.feed(Chunk(0, b"\n500000,0,1\n500002,0,2\n"))
    samples = decoder.feed(Chunk(3_000_000_000, b"20,0,3\n22,0,4\n24,0,5\n"))
    assert samples.force_n.tolist() == [4, 5]
    np.testing.assert_allclose(samples.t_s, [3.002, 3.004])
    assert samples.flags.tolist() == [Flag.RESTART, 0]
    assert decoder.counts.resets == 1


def test_endless_noise_is_counted_and_needs_no_memory() -> None:
    decoder = Decoder(RAW, "lines-micros")
    noise = bytes(n for n in range(256) if n != 10) * 8
    for _ in range(500):
        assert len(decoder.feed(Chunk(0, noise))) == 0
    assert decoder.counts.garbage_bytes == 500 * len(noise)
    assert len(decoder.feed(Chunk(0, b"\n1;2\n"))) == 1


def sent(count: int, period_ms: int, clump: int, change: tuple[int, int] | None = None) -> list[Chunk]:
    """Lines of a steady board, `clump` in each read. `change`: adds to a digit of a stamp in the middle."""
    lines = []
    for k in range(count):
        stamp = str(100_000 + k * period_ms)
        if change is not None and k == count // 2:
            at = len(stamp) - 1 - change[0]
            stamp = stamp[:at] + str((int(stamp[at]) + change[1]) % 10) + stamp[at + 1 :]
        lines.append(f"{stamp},{k},1\n".encode())
    reads = [lines[k : k + clump] for k in range(0, count, clump)]
    ends = [min(k + clump, count) for k in range(0, count, clump)]
    return [
        Chunk(0, b"\n"),
        *(Chunk(k * period_ms * 1_000_000, b"".join(read)) for k, read in zip(ends, reads, strict=True)),
    ]


@pytest.mark.parametrize(("period_ms", "clump"), [(2, 1), (2, 8), (2, 400), (12, 1), (12, 40), (100, 1), (100, 8)])
def test_a_wrong_digit_in_a_stamp_makes_neither_a_hole_nor_a_restart(period_ms: int, clump: int) -> None:
    clean = Decoder(RAW, "lines-millis")
    assert len(clean.feed(*sent(400, period_ms, clump))) == 400
    assert clean.counts.bad_stamp == 0
    for digit in range(6):
        for plus in range(1, 10):
            decoder = Decoder(RAW, "lines-millis")
            samples = decoder.feed(*sent(400, period_ms, clump, (digit, plus)))
            assert decoder.counts.resets == 0, (digit, plus)
            assert samples.t_s[-1] == 399 * period_ms / 1000
            late_s = (400 - len(samples)) * period_ms / 1000
            assert late_s <= 1.0 + period_ms / 1000, "what came before the stamp that was too far ahead"
            right = np.abs(samples.t_s - samples.position_m * period_ms / 1000) < 1e-9
            assert np.count_nonzero(~right) <= 1, "at most the line with the wrong digit"


def test_lines_that_were_lost_in_a_stall_cost_one_more() -> None:
    """The host stood still for 20 s: the port's buffer held the first lines, the others are gone."""
    decoder = Decoder(RAW, "lines-millis")
    decoder.feed(*sent(100, 10, 1))
    after_ns = 21_000_000_000
    decoder.feed(Chunk(after_ns, b"".join(b"%d,0,1\n" % (101_000 + k * 10) for k in range(100))))
    samples = decoder.feed(*(Chunk(after_ns + k * 10_000_000, b"%d,0,1\n" % (120_000 + k * 10)) for k in range(5)))
    np.testing.assert_allclose(samples.t_s, [20.01, 20.02, 20.03, 20.04])
    assert (decoder.counts.bad_stamp, decoder.counts.resets) == (1, 0)


@pytest.mark.parametrize("factor", [100, 1000, 1_000_000])
def test_stamps_that_run_much_too_fast_are_refused(factor: int) -> None:
    decoder = Decoder(RAW, "lines-millis")
    chunks = [Chunk(k * 2_000_000, b"%d,0,1\n" % (k * 2 * factor % 2**32)) for k in range(5000)]
    samples = decoder.feed(Chunk(0, b"\n"), *chunks)
    assert samples.t_s[-1] < 100, "10 s, and what a clock may be ahead"
    assert decoder.counts.bad_stamp > 4000


pieces = st.lists(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(-999, 999)).map(lambda v: b"%d,%d,7\n" % v)
    | st.integers(0, 300).map(lambda v: b"%d,1,2\r\n" % v)
    | st.binary(max_size=12)
    | st.just(b"9" * 85),
    max_size=20,
)


@soak
@settings(max_examples=long(400, 66), deadline=None)
@given(pieces, st.lists(st.integers(0, 400), max_size=10))
def test_every_split_gives_the_same_rows_and_counts(lines: list[bytes], cuts: list[int]) -> None:
    data = b"".join(lines)

    def run(edges: list[int]) -> tuple[list[list[float]], object]:
        decoder = Decoder(RAW, "lines-millis")
        parts = [decoder.feed(Chunk(0, data[a:b])) for a, b in pairwise(edges)]
        return [np.concatenate(column).tolist() for column in zip(*parts, strict=True)], decoder.counts

    whole = run([0, len(data)])
    assert whole == run([0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)])
    assert whole == run([*range(len(data) + 1), len(data)])


def test_a_run_of_chunks_gives_what_the_chunks_give() -> None:
    data = b"\n" + b"".join(b"%d,0,%d\n" % (1000 + k * 10, k) for k in range(20))
    chunks = [Chunk(k * 10_000_000, data[k * 7 : k * 7 + 7]) for k in range(len(data))]
    one_by_one, in_a_run = Decoder(RAW, "lines-millis"), Decoder(RAW, "lines-millis")
    samples = in_a_run.feed_run(run_of(chunks))
    assert len(samples) == 20
    for column, other in zip(samples, one_by_one.feed(*chunks), strict=True):
        np.testing.assert_array_equal(column, other)
    assert in_a_run.counts == one_by_one.counts
