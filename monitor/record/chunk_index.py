"""A compact index of a recording's chunks, which replaces the list of the MCAP writer: that grows by 2 MB an hour.

`append` packs an index record; iterating returns the records for the end of the file.
"""

import struct
import zlib
from collections.abc import Iterator

from mcap.records import ChunkIndex

PACKED_TOGETHER = 512
_PLACE = struct.Struct("<QQQIII")  # start and end of its messages, offset; lengths: whole, stored, inflated


class ChunkPlaces:
    """The index records of chunks without message indexes, about 15 bytes each."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._fresh = bytearray()
        self._compression = ""

    def append(self, index: ChunkIndex) -> None:
        if index.message_index_offsets or index.message_index_length:
            raise ValueError("message indexes are not supported")
        self._compression = index.compression
        self._fresh += _PLACE.pack(
            index.message_start_time,
            index.message_end_time,
            index.chunk_start_offset,
            index.chunk_length,
            index.compressed_size,
            index.uncompressed_size,
        )
        if len(self._fresh) >= PACKED_TOGETHER * _PLACE.size:
            self._packed.append(zlib.compress(_columns(self._fresh)))
            self._fresh.clear()

    def __iter__(self) -> Iterator[ChunkIndex]:
        for packed in self._packed:
            yield from self._unpack(_rows(zlib.decompress(packed)))
        yield from self._unpack(bytes(self._fresh))

    def _unpack(self, places: bytes) -> Iterator[ChunkIndex]:
        for start_ns, end_ns, offset, whole, stored, inflated in _PLACE.iter_unpack(places):
            yield ChunkIndex(
                chunk_length=whole,
                chunk_start_offset=offset,
                compression=self._compression,
                compressed_size=stored,
                message_end_time=end_ns,
                message_index_length=0,
                message_index_offsets={},
                message_start_time=start_ns,
                uncompressed_size=inflated,
            )


def _columns(rows: bytearray) -> bytes:
    """All first bytes, then all second bytes, and so on: similar bytes are then neighbours and compress well."""
    return b"".join(bytes(rows[k :: _PLACE.size]) for k in range(_PLACE.size))


def _rows(columns: bytes) -> bytes:
    count = len(columns) // _PLACE.size
    return b"".join(columns[k::count] for k in range(count))
