"""A recording returns the records that were written, explains itself, and opens in other tools."""

import json
import struct
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader

from firmware_bridge.chunk import Chunk
from monitor.events import KINDS
from monitor.record.messages import MOST_NS
from monitor.record.records import CHANNELS, MESSAGE_CAP_BYTES, Gap, Record, wire_record
from monitor.record.session_file import SessionEncoder, SessionWriter
from monitor.record.session_reader import SessionFileError, read_session
from tests.record.sessions import HEADER, feedback, jerk, parts_of, some_records, without_header


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "s.mcap"
    path.write_bytes(b"".join(parts_of(some_records())))
    return path


def test_every_record_is_read_in_order_with_the_header(recording: Path) -> None:
    session = read_session(recording)
    assert session.header == HEADER
    for _ in range(2):  # repeatedly
        assert without_header(list(session)) == some_records()
        assert session.damage == []
        assert session.read_bytes == recording.stat().st_size - summary_bytes(recording)


def summary_bytes(path: Path) -> int:
    """The size of everything after the data. Footer and magic are the last 37 bytes and contain the summary's start."""
    data = path.read_bytes()
    (summary_start,) = struct.unpack_from("<Q", data, len(data) - 28)
    return len(data) - int(summary_start)


def test_records_are_decoded_by_kind(recording: Path) -> None:
    session = read_session(recording)
    assert [event.id for event in session.events()] == [0, 3, 6, 9]
    assert next(session.events()) == jerk(0)
    assert list(session.feedback()) == [feedback(second + 0.5) for second in range(12)]
    chunks = list(session.chunks())
    assert len(chunks) == 48
    assert chunks[5] == Chunk(HEADER.created_ns + 1_250_000_000, bytes([1, 1, 0]) * 6)
    others = [item for item in session.replayable() if not isinstance(item, Chunk)]
    gap = Gap(cause="queue_full", records=3, chunks=2, wire_bytes=40)
    assert others == [gap]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, MOST_NS - 1), st.binary(max_size=300)), max_size=30), st.integers(1, 7))
def test_any_bytes_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, reads: list[tuple[int, bytes]], flush_every: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.mcap"
    chunks = [Chunk(*read) for read in reads]
    path.write_bytes(b"".join(parts_of([wire_record(chunk) for chunk in chunks], flush_every)))
    session = read_session(path)
    assert list(session.chunks()) == chunks
    assert session.damage == []


def test_a_long_read_is_split_and_loses_no_byte(tmp_path: Path) -> None:
    data = bytes(range(256)) * 1024
    path = tmp_path / "s.mcap"
    path.write_bytes(b"".join(parts_of([wire_record(Chunk(9, data))])))
    chunks = list(read_session(path).chunks())
    assert b"".join(chunk.data for chunk in chunks) == data
    assert {chunk.received_ns for chunk in chunks} == {9}
    assert max(len(chunk.data) for chunk in chunks) == MESSAGE_CAP_BYTES


def test_a_record_that_is_too_long_is_not_written() -> None:
    with pytest.raises(ValueError, match="at most"):
        SessionEncoder(HEADER).add(Record("/event", 0, bytes(MESSAGE_CAP_BYTES + 1)))


def test_flushed_records_are_readable_in_an_unclosed_file(tmp_path: Path) -> None:
    path = tmp_path / "s.mcap"
    path.write_bytes(b"".join(parts_of(some_records())[:-1]))
    session = read_session(path)
    assert without_header(list(session)) == some_records()
    (damage,) = session.damage
    assert (damage.length_bytes, damage.lost_records, damage.lossy) == (0, None, True)
    assert "was not closed; its last second may be missing" in damage.sentence


def test_the_mcap_library_reads_a_recording(recording: Path) -> None:
    with recording.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        assert summary is not None
        assert {channel.topic: channel.id for channel in summary.channels.values()} == CHANNELS
        assert summary.statistics is not None
        assert summary.statistics.message_count == len(some_records()) + 1
        assert len(summary.chunk_indexes) == summary.statistics.chunk_count == len(parts_of(some_records())) - 1
        assert [record.name for record in reader.iter_metadata()] == ["rep-monitor", "rep-monitor-end"]
        messages = [(channel.topic, message.data) for _, channel, message in reader.iter_messages(log_time_order=False)]
        assert messages[1:] == [(record.topic, record.data) for record in some_records()]
        assert reader.get_header().profile == "rep-monitor"


def test_every_json_channel_carries_the_schema_of_its_messages(recording: Path) -> None:
    with recording.open("rb") as file:
        summary = make_reader(file).get_summary()
    assert summary is not None
    schemas = {channel.topic: summary.schemas.get(channel.schema_id) for channel in summary.channels.values()}
    assert schemas.pop("/wire") is None
    for topic, schema in schemas.items():
        assert schema is not None
        root = json.loads(schema.data)
        assert (schema.encoding, root["type"]) == ("jsonschema", "object"), topic
        if topic == "/event":
            assert set(root["discriminator"]["mapping"]) == set(KINDS)
        else:
            assert root["properties"], topic


def test_the_session_writer_writes_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "s.mcap"
    with SessionWriter(path, HEADER) as writer:
        for _ in range(30):
            for record in some_records():
                writer.add(record)
    session = read_session(path)
    assert len(without_header(list(session))) == 30 * len(some_records())
    assert session.damage == []
    with pytest.raises(FileExistsError):
        SessionWriter(path, HEADER)


@pytest.mark.parametrize("content", [b"t_s,displacement_m,force_n\n0,0,0\n", b"\x89PNG\r\n\x1a\n" + bytes(100), b"x"])
def test_another_kind_of_file_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(SessionFileError, match="other is not a session recording of rep-monitor"):
        read_session(path)


def test_the_recording_of_another_program_is_refused(tmp_path: Path) -> None:
    from mcap.writer import Writer

    path = tmp_path / "other.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start("ros2", "somebody")
        writer.add_message(writer.register_channel("/header", "json", 0), 0, b"{}", 0)
        writer.finish()  # type: ignore[no-untyped-call]
    with pytest.raises(SessionFileError, match="not a session recording"):
        read_session(path)


def test_a_newer_format_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "new.mcap"
    with SessionWriter(path, msgspec.structs.replace(HEADER, format_version=2)):
        pass
    with pytest.raises(SessionFileError, match="format 2; this rep-monitor reads up to 1: use a newer one"):
        read_session(path)


def test_a_missing_file_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_session(tmp_path / "none.mcap")
