"""However a recording is damaged, intact records are read exactly, nothing is invented, and losses are reported."""

import os
import random
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.record import scan
from monitor.record.messages import MOST_NS
from monitor.record.records import Record
from monitor.record.session_reader import SessionFile, SessionFileError, read_session
from tests.record.sessions import HEADER, parts_of, some_records, without_header
from tests.soak import Figure, long, soak

FLIPS = long(3000, 1000)
INDEX_STEP = long(1, 16)  # bytes without a record
RECORDS = some_records()
PARTS = parts_of(RECORDS)
WHOLE = b"".join(PARTS)
STARTS = [sum(map(len, PARTS[:k])) for k in range(len(PARTS) + 1)]  # where each part begins
DATA_END = STARTS[-2]  # no record follows


@pytest.fixture
def put(tmp_path: Path) -> Callable[[bytes], SessionFile]:
    path = tmp_path / "s.mcap"

    def put_and_open(data: bytes) -> SessionFile:
        path.write_bytes(data)
        return read_session(path)

    return put_and_open


def all_records() -> list[Record]:
    """All records of the file, with the header's."""
    return [Record("/header", HEADER.created_ns, b""), *RECORDS]


def comparable(session: SessionFile) -> list[Record]:
    return [record._replace(data=b"") if record.topic == "/header" else record for record in session]


def is_subsequence(part: list[Record], whole: list[Record]) -> bool:
    rest = iter(whole)
    return all(any(record == other for other in rest) for record in part)


@soak
def test_a_file_that_is_cut_off_anywhere_gives_exactly_its_whole_chunks(
    put: Callable[[bytes], SessionFile], figure: Figure
) -> None:
    ends = STARTS[1:-1]
    path = put(WHOLE).path
    around = {length for end in ends for length in (end - 1, end, end + 1)}
    lengths = {*range(DATA_END + 1, len(WHOLE), INDEX_STEP), *range(0, DATA_END + 1, long(1, 4)), *around}
    for length in sorted(lengths, reverse=True):
        os.truncate(path, length)
        session = read_session(path)
        complete = sum(length >= end for end in ends)
        expected = all_records()[: 0 if complete == 0 else 1 + 6 * (complete - 1)]
        assert comparable(session) == expected, length
        assert session.damage, length
        assert (session.header == HEADER) if complete else (session.header in (None, HEADER))
    figure(f"recording of {len(WHOLE)} bytes truncated at {len(lengths)} places", "exact prefix every time")


def test_a_file_that_is_cut_off_in_the_index_has_lost_nothing(put: Callable[[bytes], SessionFile]) -> None:
    session = put(WHOLE[:-1])
    assert comparable(session) == all_records()
    assert [(damage.lost_records, damage.lossy) for damage in session.damage] == [(0, False)]


@soak
def test_a_flipped_bit_costs_one_chunk_and_is_reported(put: Callable[[bytes], SessionFile], figure: Figure) -> None:
    dice = random.Random(6)
    most = 0
    for _ in range(FLIPS):
        at, bit = dice.randrange(len(WHOLE)), dice.randrange(8)
        data = bytearray(WHOLE)
        data[at] ^= 1 << bit
        session = put(bytes(data))
        found = comparable(session)
        assert session.header == HEADER, at
        assert is_subsequence(found, all_records()), at
        missing = len(all_records()) - len(found)
        assert missing <= 6, at
        most = max(most, missing)
        assert session.damage, at
        lost = [damage.lost_records for damage in session.damage]
        assert None in lost or sum(count or 0 for count in lost) == missing, (at, lost)
        assert any(damage.lossy for damage in session.damage) == (missing > 0 or None in lost), at
    figure(f"{FLIPS} bit flips", f"0 records invented, at most {most} lost: one chunk, which is a second or less")


def test_a_loss_in_the_middle_is_reported_with_place_number_and_time(put: Callable[[bytes], SessionFile]) -> None:
    data = bytearray(WHOLE)
    data[STARTS[3] + 70] ^= 1
    session = put(bytes(data))
    assert comparable(session) == all_records()[:13] + all_records()[19:]
    (damage,) = session.damage
    assert (damage.offset_bytes, damage.length_bytes, damage.lost_records) == (STARTS[3], len(PARTS[3]), 6)
    place = f"byte {STARTS[3]} to {STARTS[4]}"
    assert damage.sentence == f"{session.path}, {place}: a chunk is damaged; 6 records are lost, from 2.0 s to 3.5 s"


def test_the_loss_of_the_last_chunk_is_counted_too(put: Callable[[bytes], SessionFile]) -> None:
    data = bytearray(WHOLE)
    data[STARTS[-3] + 70] ^= 1
    session = put(bytes(data))
    last = len(RECORDS) % 6 or 6
    assert comparable(session) == all_records()[:-last]
    assert [damage.lost_records for damage in session.damage] == [last]


@pytest.mark.parametrize("offset", [1, 5, 9, 37, 41, 45, 48])
def test_a_wrong_length_or_type_costs_only_its_chunk(put: Callable[[bytes], SessionFile], offset: int) -> None:
    data = bytearray(WHOLE)
    data[STARTS[2] + offset] ^= 0x10
    session = put(bytes(data))
    assert comparable(session)[-6:] == all_records()[-6:]
    assert len(comparable(session)) >= len(all_records()) - 6


def test_a_duplicated_chunk_is_read_once(put: Callable[[bytes], SessionFile]) -> None:
    data = b"".join([*PARTS[:4], PARTS[2], PARTS[3], *PARTS[4:]])
    assert comparable(put(data)) == all_records()


def test_removed_chunks_are_reported_by_their_numbers(put: Callable[[bytes], SessionFile]) -> None:
    session = put(b"".join([*PARTS[:4], *PARTS[6:]]))
    assert comparable(session) == all_records()[:19] + all_records()[31:]
    assert [damage.lost_records for damage in session.damage if damage.lossy] == [12]


def test_without_both_headers_the_rest_is_read(put: Callable[[bytes], SessionFile]) -> None:
    data = bytearray(WHOLE)
    data[100 : STARTS[1] - 100] = bytes(STARTS[1] - 200)
    session = put(bytes(data))
    assert session.header is None
    assert comparable(session) == all_records()[1:]


def test_a_tail_of_zeros_is_reported(put: Callable[[bytes], SessionFile]) -> None:
    session = put(b"".join(PARTS[:5]) + bytes(5000))
    assert comparable(session) == all_records()[:25]
    assert [(d.offset_bytes, d.length_bytes, d.lossy) for d in session.damage] == [(STARTS[5], 5000, True)]


def test_an_unreadable_sector_is_a_hole(put: Callable[[bytes], SessionFile], monkeypatch: pytest.MonkeyPatch) -> None:
    real, bad = os.pread, STARTS[3] + 80

    def pread(fd: int, length: int, offset: int) -> bytes:
        if offset <= bad < offset + length:
            raise OSError(5, "Input/output error")
        return real(fd, length, offset)

    monkeypatch.setattr(os, "pread", pread)
    monkeypatch.setattr(scan, "_SECTOR_BYTES", 16)
    session = put(WHOLE)
    assert comparable(session) == all_records()[:13] + all_records()[19:]
    assert session.damage[0].lost_records == 6


@st.composite
def wounds(draw: st.DrawFn) -> bytes:
    """Parts that are overwritten, cut out, inserted or duplicated."""
    data = bytearray(WHOLE)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data) - 1))
        length = draw(st.sampled_from([1, 2, 8, 100, 700, 5000]))
        what = draw(st.sampled_from(["overwrite", "cut", "put", "double", "zero"]))
        if what == "overwrite":
            data[at : at + length] = draw(st.binary(min_size=length, max_size=length))
        elif what == "zero":
            data[at : at + length] = bytes(length)
        elif what == "cut":
            del data[at : at + length]
        elif what == "put":
            data[at:at] = draw(st.binary(min_size=1, max_size=length))
        else:
            data[at:at] = data[at : at + length]
        if not data:
            break
    return bytes(data)


@settings(deadline=None)
@given(data=wounds())
def test_no_damage_invents_a_record(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "wounded.mcap"
    path.write_bytes(data)
    try:
        session = read_session(path)
    except SessionFileError:  # the file is no longer recognisable
        return
    assert session.header in (None, HEADER)
    assert is_subsequence(comparable(session), all_records())
    assert session.damage or data == WHOLE


@settings(deadline=None)
@given(data=st.binary(max_size=600))
def test_any_bytes_after_the_magic_can_be_read(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.mcap"
    path.write_bytes(scan.MAGIC + data)
    with suppress(SessionFileError):
        assert list(read_session(path)) == []


def chunk_of(content: bytes, inflated_bytes: int | None = None) -> bytes:
    data = zstandard.compress(content)
    inflated_bytes = len(content) if inflated_bytes is None else inflated_bytes
    body = struct.pack("<QQQI8sQ", 0, 0, inflated_bytes, zlib.crc32(content), b"\4\0\0\0zstd", len(data)) + data
    return struct.pack("<BQ", scan.CHUNK, len(body)) + body


@pytest.mark.parametrize("claimed", [None, 1000])
def test_a_compression_bomb_is_not_decompressed(tmp_path: Path, claimed: int | None) -> None:
    path = tmp_path / "bomb.mcap"
    path.write_bytes(PARTS[0] + chunk_of(bytes(64 << 20), claimed) + PARTS[1])
    session = read_session(path)
    assert comparable(session) == all_records()[:7]
    assert "a chunk is damaged" in session.damage[0].sentence


@pytest.mark.parametrize(
    "content",
    [
        struct.pack("<BQHIQQ", scan.MESSAGE, 22 + (1 << 40), 2, 1, 0, 0) + b"abc",  # longer than the chunk
        struct.pack("<BQHIQQ", scan.MESSAGE, 22 + 70_000, 2, 1, 0, 0) + bytes(70_000),  # longer than a record may be
        struct.pack("<BQHIQQ", scan.MESSAGE, 5, 2, 1, 0, 0),  # shorter than its own fields
        struct.pack("<BQHIQQ", scan.MESSAGE, 22, 99, 1, 0, 0),  # a channel that there is not
        struct.pack("<BQH", scan.CHANNEL, 3, 9) + bytes(40),  # a channel that is shorter than its own fields
        b"\5",
    ],
)
def test_invalid_records_in_a_chunk_with_a_correct_crc_are_skipped(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.mcap"
    path.write_bytes(PARTS[0] + chunk_of(content) + PARTS[1])
    assert comparable(read_session(path)) == all_records()[:7]


def test_a_file_full_of_false_chunks_is_read_in_bounded_time(tmp_path: Path) -> None:
    path = tmp_path / "hostile.mcap"
    record = struct.pack("<BQQQQI8s", scan.CHUNK, scan.RECORD_CAP_BYTES, 0, 0, 9, 0, b"\4\0\0\0zstd")
    path.write_bytes(PARTS[0] + record * 100_000)
    session = read_session(path)
    assert len(list(islice(session, 2))) == 1
    assert comparable(session) == all_records()[:1]


def test_an_unknown_record_is_skipped_and_reported(put: Callable[[bytes], SessionFile]) -> None:
    session = put(b"".join([*PARTS[:3], struct.pack("<BQ", 0x91, 40) + bytes(40), *PARTS[3:-1]]))
    assert comparable(session) == all_records()
    unknown, unclosed = session.damage
    assert (unknown.offset_bytes, unknown.length_bytes, unknown.lost_records) == (STARTS[3], 49, 0)
    assert (unclosed.length_bytes, unclosed.lost_records) == (0, None)


@pytest.mark.parametrize("at_ns", [2**64 - 1, 2**63, MOST_NS])
def test_a_record_of_an_impossible_time_is_skipped_and_reported(at_ns: int, tmp_path: Path) -> None:
    records = some_records(4)
    forged = [record if k != 8 else record._replace(at_ns=at_ns) for k, record in enumerate(records)]
    path = tmp_path / "forged.mcap"
    path.write_bytes(b"".join(parts_of(forged)))
    file = SessionFile(path)
    kept = without_header(list(file))
    assert kept == [*records[:8], *records[9:]]
    assert "1 record" in file.damage[0].sentence


def test_impossible_times_up_to_the_end_are_reported_too(tmp_path: Path) -> None:
    records = some_records(4)
    path = tmp_path / "forged.mcap"
    path.write_bytes(b"".join(parts_of([*records[:8], *(record._replace(at_ns=MOST_NS) for record in records[8:])])))
    file = SessionFile(path)
    assert without_header(list(file)) == records[:8]
    assert f"{len(records) - 8} records" in file.damage[0].sentence
