"""The decoder returns the samples that the device sent, however the bytes were damaged, and counts missing ones."""

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.chunk import Chunk
from firmware_bridge.errors import ProtocolVersionError
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.frames import CONTROL_KEPT
from firmware_bridge.formats.framing import frame
from firmware_bridge.formats.link_counts import LinkCounts
from firmware_bridge.formats.messages import Ack, EventNote, Force, Hello, Pong, Pos, Status
from firmware_bridge.samples import Flag, Samples, joined
from tests.firmware_bridge.decoding import Timed, assert_same, chunked, decode, keys, true_keys
from tests.firmware_bridge.wire import RAW, Wire
from tests.soak import long, soak

CALIBRATION = Calibration(
    metres_per_count=1e-4, position_zero_counts=-5000, newtons_per_count=-2e-3, force_zero_counts=100
)


def test_rows_are_what_the_device_measured_in_si_units_and_wire_order() -> None:
    wire = Wire()
    chunks = chunked(wire.stream(5_000_000, 300_000))
    samples = Decoder(CALIBRATION).feed(*chunks)
    first = wire.sent[0].at_us
    for row, t_s, position_m, force_n, flags in zip(wire.sent, *samples, strict=True):
        assert t_s == (row.at_us - first) / 1e6
        assert flags == 0
        if row.kind == Pos.TYPE:
            assert position_m == pytest.approx((row.counts + 5000) * 1e-4, abs=1e-12)
            assert np.isnan(force_n)
        else:
            assert force_n == pytest.approx((row.counts - 100) * -2e-3, abs=1e-9)
            assert np.isnan(position_m)
    assert [column.dtype for column in samples] == [np.float64, np.float64, np.float64, np.uint8]


def history(seed: int, length: int) -> list[Chunk]:
    """A device's life: blocks of all sizes, resets, wraps, lost frames, noise, stalls, lone outliers."""
    rng = random.Random(seed)
    any_of, number = rng.choice, rng.randint
    device = Wire(t0_us=any_of([0, 2**32 - 60_000, 2**31]))
    at_us, late_us, chunks = number(0, 10**9), 0, []
    for what in rng.choices(list(HAPPENINGS), weights=list(HAPPENINGS.values()), k=length):
        data = b""
        if what == "pos":
            data = device.pos(at_us, number(1, 15))
        elif what == "force":
            n = number(1, 14)
            data = device.force(
                at_us,
                n,
                number(max(n - 1, 0), 60_000),
                any_of([0, 0, number(0, 255)]),
                any_of([False, False, False, True]),
            )
        elif what == "much":
            data = b"".join(wire for _, wire in device.stream(at_us, 250_000))
            at_us += 250_000
        elif what == "status":
            device.enc_illegal += number(0, 1)
            data = device.status(at_us)
        elif what == "others":
            data = device.others(at_us) + device.send(Ack(0x82, 1, 0))
        elif what == "hello":
            data = device.hello(at_us)
        elif what == "reboot":
            device.reboot(at_us, number(0, 3), number(0, 2))
            data = b"\x00" + any_of([b"", device.hello(at_us)])
        elif what == "lost":
            device.pos(at_us)
        elif what == "noise":
            data = rng.randbytes(number(1, 90))
        elif what == "unknown":
            data = frame(bytes([0x33, number(0, 255)]) + rng.randbytes(number(0, 30)))
        elif what == "wrong":
            data = frame(bytes([any_of([2, 3, 0x10, 0x11]), 0]) + rng.randbytes(number(0, 40)))
        elif what == "outlier":
            data = frame(Pos(1, 9, number(0, 2**32 - 1), 2000, (1, 2)).to_bytes(device.seq))
        elif what == "silence":
            at_us += any_of([2_000_000, 90_000_000, 5_000_000_000])
        elif what == "stall":
            late_us = any_of([0, 0, 3_000_000])
        at_us += number(1, 40_000)
        chunks.append(Chunk((at_us + late_us) * 1000, data))
    return chunks


HAPPENINGS = {
    **{"pos": 8, "force": 8, "much": 1, "status": 2, "others": 1, "hello": 1, "reboot": 2, "lost": 2},
    **{"noise": 1, "unknown": 1, "wrong": 1, "outlier": 1, "silence": 1, "stall": 1},
}


histories = st.builds(history, st.integers(0, 2**32 - 1), st.integers(1, 60))


@soak
@settings(max_examples=long(120, 20), deadline=None)
@given(histories, st.randoms(use_true_random=False))
def test_rows_and_counts_do_not_depend_on_how_bytes_were_split_or_grouped(
    chunks: list[Chunk], rng: random.Random
) -> None:
    def run(feeds: list[list[Chunk]]) -> tuple[Samples, LinkCounts, list[object]]:
        decoder = Decoder(CALIBRATION)
        samples = joined([decoder.feed(*feed) for feed in feeds])
        return samples, decoder.counts, list(decoder.take_control())

    together = run([chunks])
    one_by_one = run([[chunk] for chunk in chunks])
    bytewise = [Chunk(chunk.received_ns, chunk.data[k : k + 1]) for chunk in chunks for k in range(len(chunk.data))]
    byte_by_byte = run([[chunk] for chunk in bytewise] or [[]])
    cuts = sorted({0, len(bytewise), *(rng.randrange(len(bytewise) + 1) for _ in range(8))})
    in_groups = run([bytewise[a:b] for a, b in pairwise(cuts)] or [[]])
    for other in (one_by_one, byte_by_byte, in_groups):
        assert_same(together[0], other[0])
        assert together[1:] == other[1:]


@soak
@settings(max_examples=long(200, 33), deadline=None)
@given(histories)
def test_rows_of_a_kind_go_forward_and_nothing_impossible_passes(chunks: list[Chunk]) -> None:
    samples, counts = decode(chunks, together=True)
    no_value = (samples.flags & (Flag.TIMEOUT | Flag.DESYNC)) != 0
    is_force = np.isnan(samples.position_m)
    assert np.all(np.isnan(samples.force_n) == (~is_force | no_value))
    assert not np.any(no_value & ~is_force)
    assert np.all(samples.t_s >= 0)
    for mine in (is_force, ~is_force):
        assert np.all(np.diff(samples.t_s[mine]) > 0)
    assert counts.position_samples + counts.force_samples == len(samples) + counts.late_samples


def test_the_histories_do_reach_what_they_test() -> None:
    seen = dict.fromkeys(["resets", "bad_stamp", "bad_body", "late_samples", "unknown_types", "lost_frames"], 0)
    flags = 0
    big = 0

    @settings(max_examples=100, deadline=None, database=None, derandomize=True)
    @given(histories)
    def look(chunks: list[Chunk]) -> None:
        nonlocal flags, big
        samples, counts = decode(chunks, together=True)
        for name in seen:
            seen[name] += getattr(counts, name) > 0
        flags |= int(np.bitwise_or.reduce(samples.flags, initial=0))
        big += len(samples) > 100

    look()
    assert all(seen.values()), seen
    assert flags == 127
    assert big


@soak
@settings(max_examples=long(300, 50), deadline=None)
@given(
    at=st.integers(0, 10**6),
    kind=st.sampled_from(["flip", "drop", "insert"]),
    value=st.integers(0, 255),
)
def test_one_damaged_byte_is_counted_and_nothing_wrong_is_accepted(at: int, kind: str, value: int) -> None:
    device = Wire()
    clean = b"".join(wire for _, wire in device.stream(0, 200_000))
    at %= len(clean) - 120  # later frames show the loss
    new = {"flip": bytes([clean[at] ^ (1 << value % 8)]), "drop": b"", "insert": bytes([value])}[kind]
    dirty = clean[:at] + new + clean[at + (kind != "insert") :]
    samples, counts = decode([Chunk(0, dirty)])
    truth = true_keys(device.sent, device.sent[0].at_us)
    if truth[0] not in keys(samples):  # the session then begins with the first sample
        zero_us = next(row.at_us for row in device.sent if row.counts == keys(samples)[0][2])
        truth = true_keys(device.sent, zero_us)
    assert set(keys(samples)) <= set(truth)
    assert len(truth) - len(samples) <= 10
    assert counts.lost_frames <= 2
    assert counts.bad_crc + counts.bad_shape <= 2
    if counts.lost_frames or len(samples) < len(truth):
        assert counts.bad_crc + counts.bad_shape >= 1
    if truth[0][1] == 0 and at > 100:
        received = counts.position_samples + counts.force_samples
        assert received + counts.lost_position_samples + counts.lost_force_samples == len(device.sent)
        assert counts.frames + counts.lost_frames == device.frames


@pytest.mark.parametrize("seed", range(2))
def test_received_and_lost_are_what_was_sent_over_resets_and_wraps(seed: int) -> None:
    rng = random.Random(seed)
    device = Wire(t0_us=2**32 - 10_000_000, pos_idx=65_000, force_idx=65_000)
    frames: Timed = []
    at_us = 0
    for boot in range(5):
        if boot:
            at_us += rng.randrange(300_000, 3_000_000)
            device.reboot(at_us, boot_id=boot + 1, stream_id=rng.randrange(3))
            frames.append((at_us, device.hello(at_us)))
        frames += device.stream(at_us, 25_000_000)
        at_us += 25_000_000
    last = {at_us for at_us, _ in sorted(frames)[-40:]}
    boots = [k for k, (_, wire) in enumerate(frames) if len(wire) == 33]
    tails = {k - d for k in boots for d in range(30)}  # losses just before a reset cannot be counted
    kept = [
        (at, wire) for k, (at, wire) in enumerate(frames) if k < 30 or k in tails or at in last or rng.random() >= 0.01
    ]
    assert 100 < len(frames) - len(kept) < 400
    samples, counts = decode(chunked(kept), together=True)
    assert counts.resets == 4
    assert counts.frames == len(kept)
    assert counts.frames + counts.lost_frames == device.frames
    sent = {kind: sum(row.kind == kind for row in device.sent) for kind in (Pos.TYPE, Force.TYPE)}
    assert counts.position_samples + counts.lost_position_samples == sent[Pos.TYPE]
    assert counts.force_samples + counts.lost_force_samples == sent[Force.TYPE]
    assert len(samples) == counts.position_samples + counts.force_samples
    assert counts.late_samples == counts.bad_stamp == counts.bad_body == 0


def test_noise_and_another_protocol_are_not_believed() -> None:
    samples, counts = decode([Chunk(0, b"$GPGGA,123519,4807.038,N*47\r\n" * 1000)])
    assert len(samples) == 0
    assert counts.frames == 0
    assert counts.garbage_bytes == 29_000
    with pytest.raises(ProtocolVersionError, match=r"protocol 99, .*flash the firmware"):
        decode([Chunk(0, Wire().hello(0, protocol=99))])
    with pytest.raises(ProtocolVersionError, match="protocol 2, "):
        decode([Chunk(0, frame(b"\x01\x00\x02and a body of which we know nothing"))])


@pytest.mark.parametrize("change", [-1, 1])
@pytest.mark.parametrize("kind", [Pos.TYPE, Force.TYPE])
def test_a_block_with_a_wrong_length_is_refused(kind: int, change: int) -> None:
    block = (Pos(1, 0, 0, 2000, (1,) * 5) if kind == Pos.TYPE else Force(1, 0, 0, 9, 0, (1, 2))).to_bytes(0)
    other = frame((block + b"\x01")[: len(block) + change])
    samples, counts = decode([Chunk(0, other)])
    assert (len(samples), counts.bad_body, counts.frames, counts.lost_frames) == (0, 1, 0, 0)
    assert len(decode([Chunk(0, frame(block))])[0]) == block[11]


def test_samples_of_one_block_cannot_be_taken_at_one_moment() -> None:
    samples, counts = decode([Chunk(0, frame(Pos(1, 0, 0, 0, (1, 2)).to_bytes(0)))])
    assert (len(samples), counts.bad_body) == (0, 1)
    samples, counts = decode([Chunk(0, frame(Pos(1, 0, 0, 0, (1,)).to_bytes(0)))])
    assert (len(samples), counts.bad_body) == (1, 0)


@pytest.mark.parametrize("blocks", [1, 40])
def test_the_greatest_counts_survive(blocks: int) -> None:
    far = [2**31 - 1 - 32767 * k for k in range(15)]
    extremes = (-(2**23), 2**23 - 1, -1, 0)
    wire = b""
    for k in range(blocks):
        wire += frame(Pos(1, k * 15, k * 30_000, 2000, tuple(far)).to_bytes(2 * k))
        wire += frame(Force(1, k * 4, k * 30_000, 9000, 0, extremes).to_bytes(2 * k + 1))
    samples, counts = decode([Chunk(0, wire)])
    assert samples.position_m[~np.isnan(samples.position_m)].tolist() == far * blocks
    assert samples.force_n[~np.isnan(samples.force_n)].tolist() == list(extremes) * blocks
    assert counts.late_samples == 0


def test_a_block_that_overlaps_the_last_gives_only_its_new_rows() -> None:
    device = Wire()
    data = device.pos(0) + device.pos(6000)
    samples, counts = decode([Chunk(0, data)])
    assert samples.t_s.tolist() == [0.0, 0.002, 0.004, 0.006, 0.008, 0.01, 0.012, 0.014]
    assert counts.late_samples == 2


def test_flags_of_the_cell_and_of_the_encoder_reach_their_rows() -> None:
    device = Wire()
    data = device.status(0) + device.pos(0)
    for flags in (1, 2, 4, 8, 0xF0):
        data += device.force(10_000 + flags * 1000, flags=flags)
    device.enc_illegal = 3
    data += device.status(300_000) + device.force(310_000) + device.pos(320_000) + device.status(400_000)
    data += device.pos(420_000)
    samples, counts = decode([Chunk(0, data)])
    assert samples.flags.tolist() == [0] * 5 + [1, 2, 4, 8, 0] + [0, Flag.SLIPPED, 0, 0, 0, 0] + [0] * 5
    assert np.isnan(samples.force_n[5:10]).tolist() == [True, False, True, False, False]
    assert counts.device is not None
    assert counts.device.enc_illegal == 3


def test_control_messages_are_handed_on_in_order() -> None:
    device = Wire()
    decoder = Decoder(RAW)
    decoder.feed(Chunk(0, device.hello(0) + device.pos(0) + device.status(5)))
    decoder.feed(Chunk(0, device.others(9)))
    assert [type(message) for message in decoder.take_control()] == [Hello, Status, Pong, Ack, EventNote]
    assert decoder.take_control() == []


def test_unread_control_messages_do_not_accumulate() -> None:
    device, decoder = Wire(), Decoder(RAW)
    for second in range(3 * CONTROL_KEPT):
        decoder.feed(Chunk(second * 1_000_000_000, device.status(second * 1_000_000)))
    taken = decoder.take_control()
    assert len(taken) == CONTROL_KEPT
    assert isinstance(taken[-1], Status)
    assert taken[-1].t_us == (3 * CONTROL_KEPT - 1) * 1_000_000
    assert decoder.take_control() == []
