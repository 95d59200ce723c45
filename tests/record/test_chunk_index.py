"""The index of a recording's chunks is small in memory, and complete at the end for other tools."""

import io
import tracemalloc

from mcap.reader import make_reader
from mcap.records import ChunkIndex

from monitor.record.chunk_index import PACKED_TOGETHER, ChunkPlaces
from monitor.record.records import Record
from monitor.record.session_file import SessionEncoder
from tests.record.sessions import HEADER


def place(k: int) -> ChunkIndex:
    return ChunkIndex(
        chunk_length=4000 + k % 37, chunk_start_offset=5000 + 4019 * k, compression="zstd",
        compressed_size=3900 + k % 37, message_end_time=800_000_000 * (k + 1), message_index_length=0,
        message_index_offsets={}, message_start_time=800_000_000 * k + 123_457 * (k % 11),
        uncompressed_size=9000 + k % 5,
    )  # fmt: skip


def test_index_records_are_returned_unchanged() -> None:
    for count in (0, 1, PACKED_TOGETHER - 1, PACKED_TOGETHER, 3 * PACKED_TOGETHER + 7):
        places = ChunkPlaces()
        for k in range(count):
            places.append(place(k))
        assert list(places) == [place(k) for k in range(count)]


def test_the_index_of_a_day_takes_less_than_2_mb() -> None:
    places = ChunkPlaces()
    tracemalloc.start()
    for k in range(24 * 4500):
        places.append(place(k))
    taken_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken_bytes < 2 << 20


def test_the_mcap_writer_still_has_its_list_under_this_name() -> None:
    """If this fails, the library has renamed its list, and memory grows again."""
    encoder = SessionEncoder(HEADER)
    out = b""
    for k in range(2 * PACKED_TOGETHER):
        encoder.add(Record("/wire", HEADER.created_ns + k, b"x" * 10))
        out += encoder.flush()
    assert len(list(encoder._mcap._Writer__chunk_indices)) == 2 * PACKED_TOGETHER  # type: ignore[attr-defined]
    out += encoder.finish()
    reader = make_reader(io.BytesIO(out), validate_crcs=True)
    summary = reader.get_summary()
    assert summary is not None
    assert len(summary.chunk_indexes) == 2 * PACKED_TOGETHER
    assert sum(1 for _ in reader.iter_messages()) == 2 * PACKED_TOGETHER + 1
