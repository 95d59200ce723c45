"""Writes session recordings: MCAP files with the bytes of the wire, and what was made of them, in stream order.

    MCAP header, profile "rep-monitor"
    Metadata "rep-monitor"       the header as JSON, with its own CRC: a second copy
    Chunk, about one a second    zstd, CRC; messages of the channels in records.py, numbered from 0
    ...                          the first chunk begins with the schemas, the channels and the /header message
    Metadata "rep-monitor-end"   the number of records
    DataEnd with CRC, summary with the chunk index, footer

The numbers of the messages make losses countable. Encoding is pure and returns bytes; the caller decides when they
reach the disk.
"""

import io
import os
import zlib
from functools import cache
from pathlib import Path
from typing import Any, Self, cast

import msgspec
from mcap.writer import CompressionType, IndexType, Writer

from monitor.events import AnyEvent, Feedback
from monitor.record.chunk_index import ChunkPlaces
from monitor.record.records import CHANNELS, MESSAGE_CAP_BYTES, PROFILE, Gap, Header, Record, Topic

CHUNK_BYTES = 512 << 10  # a chunk is closed at this size, even within its second
_SCHEMAS: dict[Topic, Any] = {"/header": Header, "/event": AnyEvent, "/feedback": Feedback, "/gap": Gap}
_UNUSED = 0  # a key that no channel has


@cache
def _json_schema(topic: Topic) -> bytes:
    (root,), components = msgspec.json.schema_components([_SCHEMAS[topic]], ref_template="#/$defs/{name}")
    if "$ref" in root:  # viewers need the object itself at the root
        root = components.pop(root["$ref"].removeprefix("#/$defs/"))
    return msgspec.json.encode({"type": "object", **root, "$defs": components})


class SessionEncoder:
    """Takes records and returns the bytes of a recording: `flush` closes a chunk, `finish` the file."""

    def __init__(self, header: Header) -> None:
        self.records = 0  # written so far, with the header's message
        self._out = _Buffer()
        self._mcap = Writer(
            self._out,  # type: ignore[arg-type]  # it uses only write, tell and flush
            chunk_size=CHUNK_BYTES,
            compression=CompressionType.ZSTD,
            index_types=IndexType.CHUNK | IndexType.METADATA,
            enable_data_crcs=True,
        )
        self._mcap._Writer__chunk_indices = ChunkPlaces()  # type: ignore[attr-defined]  # it is not public
        self._mcap.start(PROFILE, f"rep-monitor {header.daemon_version}")
        text = msgspec.json.encode(header)
        self._mcap.add_metadata(PROFILE, {"header": text.decode(), "crc32": str(zlib.crc32(text))})
        self._register_channels()
        self.add(Record("/header", header.created_ns, text))

    def _register_channels(self) -> None:
        """Registers the channels with their fixed numbers. The library counts; a placeholder skips an unused number."""
        registered: dict[int, Any] = self._mcap._Writer__channels  # type: ignore[attr-defined]  # it is not public
        for topic, number in CHANNELS.items():
            if len(registered) + 1 < number:
                registered[_UNUSED] = None
            schema = 0
            if topic in _SCHEMAS:
                name = topic.removeprefix("/").capitalize()
                schema = self._mcap.register_schema(name, "jsonschema", _json_schema(topic))
            assert self._mcap.register_channel(topic, "json" if schema else "bytes", schema) == number
        del registered[_UNUSED]

    def add(self, record: Record) -> None:
        """Adds a record. Long reads of the wire are split. Raises ValueError if another record is too long."""
        topic, at_ns, data = record
        channel = CHANNELS[cast(Topic, topic)]
        if len(data) > MESSAGE_CAP_BYTES and topic != "/wire":
            raise ValueError(f"a record of {len(data)} bytes on {topic}: at most {MESSAGE_CAP_BYTES}")
        for start in range(0, len(data) or 1, MESSAGE_CAP_BYTES):
            part = data[start : start + MESSAGE_CAP_BYTES]
            self._mcap.add_message(channel, at_ns, part, at_ns, self.records)
            self.records += 1

    def flush(self) -> bytes:
        """The bytes to append, after which all records so far can be read."""
        self._mcap.flush()  # type: ignore[no-untyped-call]
        return self._out.take()

    def finish(self) -> bytes:
        """The same bytes and the end of the file."""
        self._mcap.flush()  # type: ignore[no-untyped-call]
        self._mcap.add_metadata(f"{PROFILE}-end", {"records": str(self.records)})
        self._mcap.finish()  # type: ignore[no-untyped-call]
        return self._out.take()


class _Buffer:
    """A file for the MCAP writer that collects bytes until they are taken."""

    def __init__(self) -> None:
        self._pending = io.BytesIO()
        self._taken_bytes = 0

    def write(self, data: bytes) -> int:
        return self._pending.write(data)

    def tell(self) -> int:
        return self._taken_bytes + self._pending.tell()

    def flush(self) -> None:
        """Nothing is buffered elsewhere."""

    def take(self) -> bytes:
        data = self._pending.getvalue()
        self._taken_bytes += len(data)
        self._pending = io.BytesIO()
        return data


class SessionWriter:
    """Writes a whole recording to a file. For live recordings, when the disk may stall, use `recorder.Recorder`."""

    def __init__(self, path: Path, header: Header) -> None:
        self._file = path.open("xb")
        self._encoder = SessionEncoder(header)

    def add(self, record: Record) -> None:
        self._encoder.add(record)
        if self._encoder.records % 1024 == 0:
            self.flush()

    def flush(self) -> None:
        self._file.write(self._encoder.flush())

    def close(self) -> None:
        with self._file:
            self._file.write(self._encoder.finish())
            self._file.flush()
            os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
