"""The frames hold under every split, flip, drop, insert and noise."""

import random
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.chunk import Chunk, run_of
from firmware_bridge.formats.framing import MAX_PAYLOAD_BYTES, Deframer, frame
from firmware_bridge.formats.unframing import RunDeframer
from tests.soak import long, soak

payloads = st.binary(min_size=2, max_size=MAX_PAYLOAD_BYTES)


def unframed(wire: bytes, cuts: list[int] | None = None) -> tuple[list[bytes], Deframer]:
    deframer = Deframer()
    edges = [0, *sorted(cut % (len(wire) + 1) for cut in cuts or []), len(wire)]
    found = [p for a, b in pairwise(edges) for p in deframer.feed(wire[a:b])]
    return found, deframer


def test_the_crc_is_the_one_that_protocol_md_names() -> None:
    assert frame(b"123456789")[-4:-1] == b"9\xb1\x29"


def test_a_frame_costs_four_bytes_and_has_one_zero_at_its_end() -> None:
    for size in range(2, MAX_PAYLOAD_BYTES + 1):
        wire = frame(bytes(size))
        assert len(wire) == size + 4
        assert wire.index(0) == len(wire) - 1


@pytest.mark.parametrize("size", [0, 1, MAX_PAYLOAD_BYTES + 1])
def test_a_payload_of_the_wrong_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="2 to 60 bytes"):
        frame(bytes(size))


@settings(deadline=None)
@given(st.lists(payloads, max_size=12), st.lists(st.integers(0, 1000), max_size=30))
def test_every_split_gives_the_same_payloads(sent: list[bytes], cuts: list[int]) -> None:
    found, deframer = unframed(b"".join(map(frame, sent)), cuts)
    assert found == sent
    assert (deframer.counts.good, deframer.counts.bad_crc, deframer.counts.bad_shape) == (len(sent), 0, 0)


@settings(deadline=None)
@given(
    st.lists(st.binary(max_size=200) | payloads.map(frame), max_size=12), st.lists(st.integers(0, 2000), max_size=30)
)
def test_every_split_of_noise_gives_the_same_counts(pieces: list[bytes], cuts: list[int]) -> None:
    wire = b"".join(pieces)
    whole, a = unframed(wire)
    split, b = unframed(wire, cuts)
    single, c = unframed(wire, list(range(len(wire))))
    assert whole == split == single
    assert a.counts == b.counts == c.counts


def damaged(wire: bytes, at: int, kind: str, value: int) -> bytes:
    if kind == "flip":
        return wire[:at] + bytes([wire[at] ^ (1 << value % 8)]) + wire[at + 1 :]
    if kind == "drop":
        return wire[:at] + wire[at + 1 :]
    return wire[:at] + bytes([value]) + wire[at:]


def damaged_frame(payload: bytes, at: int, kind: str, value: int) -> bytes:
    wire = frame(payload)
    return damaged(wire, at % len(wire), kind, value)


@settings(deadline=None)
@given(
    st.lists(
        st.binary(max_size=200)
        | payloads.map(frame)
        | st.builds(
            damaged_frame,
            st.sampled_from((0, 1, 255)).map(lambda byte: bytes([byte]) * 40) | payloads,
            st.integers(0, 63),
            st.sampled_from(["flip", "drop", "insert"]),
            st.integers(0, 255),
        ),
        max_size=12,
    ),
    st.lists(st.integers(0, 2000), max_size=30),
)
def test_runs_of_chunks_give_what_single_chunks_give(pieces: list[bytes], cuts: list[int]) -> None:
    wire = b"".join(pieces)
    edges = [0, *sorted(cut % (len(wire) + 1) for cut in cuts), len(wire)]
    chunks = [Chunk(at_ns, wire[a:b]) for at_ns, (a, b) in enumerate(pairwise(edges))]
    single, in_runs = Deframer(), RunDeframer()
    expected = [(payload, chunk.received_ns) for chunk in chunks for payload in single.feed(chunk.data)]
    found = []
    for some in (chunks[: len(chunks) // 2], chunks[len(chunks) // 2 :]):
        plain, starts, lengths, received_ns = in_runs.take_run(run_of(some))
        found += [
            (plain[start : start + length].tobytes(), at_ns)
            for start, length, at_ns in zip(starts, lengths, received_ns.tolist(), strict=True)
        ]
    assert found == expected
    assert (in_runs.counts, in_runs.held) == (single.counts, single.held)


@pytest.mark.parametrize("payload", [b"\x10" + bytes(30), b"no zeros in this one", bytes(range(60))])
def test_a_run_refuses_the_same_damaged_frames(payload: bytes) -> None:
    wire = frame(payload)
    flips = [damaged(wire, at, "flip", bit) for at in range(len(wire)) for bit in range(8)]
    drops = [damaged(wire, at, "drop", 0) for at in range(len(wire))]
    run = run_of([Chunk(0, flip + wire) for flip in flips + drops])
    single, in_runs = Deframer(), RunDeframer()
    assert len(in_runs.take_run(run).starts) == len(single.feed(run.data))
    assert in_runs.counts == single.counts


@soak
@settings(max_examples=long(400, 66), deadline=None)
@given(
    sent=st.lists(payloads, min_size=6, max_size=6, unique=True),
    at=st.integers(0, 400),
    kind=st.sampled_from(["flip", "drop", "insert"]),
    value=st.integers(0, 255),
)
def test_one_damaged_byte_costs_at_most_two_frames(sent: list[bytes], at: int, kind: str, value: int) -> None:
    wire = b"".join(map(frame, sent))
    found, _ = unframed(damaged(wire, at % len(wire), kind, value))
    lost = [p for p in sent if p not in found]
    assert len(lost) <= 2


def test_ten_thousand_damaged_bytes_let_nothing_wrong_through() -> None:
    rng = random.Random(1)
    sent = [bytes([0x02, k % 256]) + rng.randbytes(23) for k in range(20)]
    wire = b"".join(map(frame, sent))
    wrong = 0
    for k in range(10_000):
        kind = ("flip", "drop", "insert")[k % 3]
        found, _ = unframed(damaged(wire, rng.randrange(len(wire)), kind, rng.randrange(256)))
        assert len(found) >= len(sent) - 2
        wrong += sum(p not in sent and len(p) == 25 for p in found)  # of the right length, so a decoder would accept it
    assert wrong == 0


def test_random_bytes_are_counted_and_almost_never_accepted() -> None:
    noise = random.Random(2).randbytes(4 << 20)
    found, deframer = unframed(noise)
    counts = deframer.counts
    assert len(found) <= 3  # 16 thousand blocks, one in 65536 passes by chance
    zeros = noise.count(0)
    good_bytes = sum(len(p) + 3 for p in found)
    assert counts.garbage_bytes + good_bytes + len(deframer.held or b"") + zeros == len(noise)


def test_endless_noise_without_an_end_of_frame_needs_no_memory() -> None:
    deframer = Deframer()
    noise = bytes(range(1, 256)) * 16
    deframer.feed(noise)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(2000):
        deframer.feed(noise)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 4096
    assert deframer.counts.bad_shape == 1
    assert deframer.counts.garbage_bytes == 2001 * len(noise)
    assert deframer.feed(b"\x00" + frame(b"ok")) == [b"ok"]
