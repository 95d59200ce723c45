"""The plain line formats give the same rows and counts as far as a line can."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats import Format
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.samples import Flag, Samples
from tests.firmware_bridge.wire import RAW

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
def test_what_is_not_exactly_a_line_is_refused_and_counted(line: bytes) -> None:
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
    assert (decoder.counts.late_samples, decoder.counts.bad_stamp, decoder.counts.resets) == (1, 1, 0)


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


pieces = st.lists(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(-999, 999)).map(lambda v: b"%d,%d,7\n" % v)
    | st.integers(0, 300).map(lambda v: b"%d,1,2\r\n" % v)
    | st.binary(max_size=12)
    | st.just(b"9" * 85),
    max_size=20,
)


@settings(max_examples=200, deadline=None)
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
