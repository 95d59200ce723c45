"""Session recordings: MCAP files that keep what the wire said, and what was made of it, in stream order.

    MCAP header, profile "rep-monitor"
    Metadata "rep-monitor"       the header as JSON, with its own CRC: the second copy
    Chunk, about one a second    zstd, CRC; messages of six channels (records.py), numbered through from 0
    ...                          the first chunk begins with the schemas, the channels and the /header message
    Metadata "rep-monitor-end"   how many records there are
    DataEnd with CRC, summary with the chunk index, footer

The message numbers make a loss countable: a chunk that is gone leaves a gap of known size. Writing is pure, bytes
out: whoever holds the file decides when they reach the disk. The only door to `mcap`.
"""

import io
import os
import zlib
from functools import cache
from pathlib import Path
from typing import Any, Self

import msgspec
from mcap.writer import CompressionType, IndexType, Writer

from monitor.events import AnyEvent, Feedback
from monitor.record.chunk_index import ChunkPlaces
from monitor.record.records import MESSAGE_CAP_BYTES, PROFILE, TOPICS, Command, Gap, Header, Record, Topic
from monitor.record.session_reader import SessionFile, SessionFileError, read_session

__all__ = ["SessionEncoder", "SessionFile", "SessionFileError", "SessionWriter", "read_session"]

CHUNK_BYTES = 512 << 10  # closed at this size even before the second is over
_SCHEMAS: dict[Topic, Any] = {
    "/header": Header, "/command": Command, "/event": AnyEvent, "/feedback": Feedback, "/gap": Gap
}  # fmt: skip


@cache
def _json_schema(topic: Topic) -> bytes:
    (root,), components = msgspec.json.schema_components([_SCHEMAS[topic]], ref_template="#/$defs/{name}")
    if "$ref" in root:  # viewers want the object itself at the root
        root = components.pop(root["$ref"].removeprefix("#/$defs/"))
    return msgspec.json.encode({"type": "object", **root, "$defs": components})


class SessionEncoder:
    """Records in, the bytes of a recording out: `flush` closes a chunk, `finish` the file."""

    def __init__(self, header: Header) -> None:
        self.records = 0  # written so far, the header's message included
        self._out = _Outbox()
        self._mcap = Writer(
            self._out,  # type: ignore[arg-type]  # it needs write, tell and flush only
            chunk_size=CHUNK_BYTES,
            compression=CompressionType.ZSTD,
            index_types=IndexType.CHUNK | IndexType.METADATA,
            enable_data_crcs=True,
        )
        self._mcap._Writer__chunk_indices = ChunkPlaces()  # type: ignore[attr-defined]  # it has no public place
        self._mcap.start(PROFILE, f"rep-monitor {header.daemon_version}")
        text = msgspec.json.encode(header)
        self._mcap.add_metadata(PROFILE, {"header": text.decode(), "crc32": str(zlib.crc32(text))})
        self._channels = {topic: self._register(topic) for topic in TOPICS}
        self.add(Record("/header", header.created_ns, text))

    def _register(self, topic: Topic) -> int:
        schema = 0
        if topic in _SCHEMAS:
            name = topic.removeprefix("/").capitalize()
            schema = self._mcap.register_schema(name, "jsonschema", _json_schema(topic))
        return self._mcap.register_channel(topic, "json" if schema else "bytes", schema)

    def add(self, record: Record) -> None:
        """Long reads of the wire are split, anything else that is too long is a mistake."""
        topic, at_ns, data = record
        if len(data) > MESSAGE_CAP_BYTES and topic != "/wire":
            raise ValueError(f"a record of {len(data)} bytes on {topic}: at most {MESSAGE_CAP_BYTES}")
        for start in range(0, len(data) or 1, MESSAGE_CAP_BYTES):
            part = data[start : start + MESSAGE_CAP_BYTES]
            self._mcap.add_message(self._channels[topic], at_ns, part, at_ns, self.records)
            self.records += 1

    def flush(self) -> bytes:
        """What must be appended to the file for all records so far to be readable."""
        self._mcap.flush()  # type: ignore[no-untyped-call]
        return self._out.take()

    def finish(self) -> bytes:
        """The same, and the file's end."""
        self._mcap.flush()  # type: ignore[no-untyped-call]
        self._mcap.add_metadata(f"{PROFILE}-end", {"records": str(self.records)})
        self._mcap.finish()  # type: ignore[no-untyped-call]
        return self._out.take()


class _Outbox:
    """A file for the MCAP writer that only collects: what it is told to write can be taken, and written again."""

    def __init__(self) -> None:
        self._pending = io.BytesIO()
        self._taken_bytes = 0

    def write(self, data: bytes) -> int:
        return self._pending.write(data)

    def tell(self) -> int:
        return self._taken_bytes + self._pending.tell()

    def flush(self) -> None:
        """Nothing lies anywhere else."""

    def take(self) -> bytes:
        data = self._pending.getvalue()
        self._taken_bytes += len(data)
        self._pending = io.BytesIO()
        return data


class SessionWriter:
    """Writes a recording in one go; the daemon's own, with a disk that may stall, is `recorder.Recorder`."""

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
