"""Recordings that other tools have rewritten: the same messages with other channel numbers and another compression."""

import random
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from mcap.reader import make_reader
from mcap.writer import CompressionType, IndexType, Writer

from firmware_bridge.chunk import Chunk
from monitor.__main__ import main
from monitor.exit_codes import ExitCode
from monitor.record.records import event_record, wire_record
from monitor.record.session_reader import SessionFileError, read_session
from tests.record.sessions import HEADER, jerk, parts_of, some_records, without_header

RECORDINGS = sorted((Path(__file__).parents[1] / "recordings").glob("*.mcap"))
COMPRESSIONS = list(CompressionType)
WAYS: dict[str, dict[str, Any]] = {
    "zstd": {"compression": CompressionType.ZSTD},
    "lz4": {"compression": CompressionType.LZ4},
    "none": {"compression": CompressionType.NONE},
    "without chunks": {"use_chunking": False},
    "without CRCs": {"enable_crcs": False},
    "without an index": {"index_types": IndexType.NONE, "repeat_channels": False, "repeat_schemas": False},
    "small chunks": {"chunk_size": 200},
}


def rewritten(source: Path, target: Path, *, metadata: bool = True, **way: Any) -> Path:
    """Copies a recording as a general tool does: messages by time, channels numbered as they come."""
    with source.open("rb") as read, target.open("wb") as written:
        reader, writer = make_reader(read), Writer(written, **way)
        writer.start(profile=reader.get_header().profile, library="another tool 2.0")
        writer.register_channel("/diagnostics", "json", 0)
        for entry in reader.iter_metadata() if metadata else ():
            writer.add_metadata(entry.name, entry.metadata)
        channels: dict[int, int] = {}
        for schema, channel, message in reader.iter_messages():
            if channel.id not in channels:
                kind = writer.register_schema(schema.name, schema.encoding, schema.data) if schema else 0
                channels[channel.id] = writer.register_channel(channel.topic, channel.message_encoding, kind)
            writer.add_message(
                channels[channel.id], message.log_time, message.data, message.publish_time, message.sequence
            )
        writer.finish()  # type: ignore[no-untyped-call]
    return target


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "original.mcap"
    path.write_bytes(b"".join(parts_of(some_records())))
    return path


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("metadata", [True, False], ids=["with metadata", "without metadata"])
def test_a_rewritten_recording_has_the_same_records_and_no_damage(
    original: Path, tmp_path: Path, way: str, metadata: bool
) -> None:
    session = read_session(rewritten(original, tmp_path / "rewritten.mcap", metadata=metadata, **WAYS[way]))
    assert session.header == HEADER
    assert without_header(list(session)) == some_records()
    assert session.damage == []


def test_records_that_a_tool_has_sorted_by_time_are_in_their_order_again(tmp_path: Path) -> None:
    records = [event_record(jerk(1), 12), wire_record(Chunk(11, b"a")), wire_record(Chunk(13, b"b"))]
    (tmp_path / "original.mcap").write_bytes(b"".join(parts_of(records)))
    session = read_session(rewritten(tmp_path / "original.mcap", tmp_path / "copy.mcap"))
    assert without_header(list(session)) == records
    assert session.damage == []


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_the_chunks_of_every_recording_survive_rewriting(path: Path, tmp_path: Path) -> None:
    copy = read_session(rewritten(path, tmp_path / "copy.mcap", compression=CompressionType.LZ4))
    original = read_session(path)
    assert list(copy) == list(original)
    assert (copy.header, copy.damage) == (original.header, [])


@pytest.mark.parametrize("compression", COMPRESSIONS, ids=lambda kind: kind.name.lower())
def test_the_replay_of_a_rewritten_recording_gives_the_same_events(
    tmp_path: Path, compression: CompressionType
) -> None:
    (clean,) = (path for path in RECORDINGS if path.stem == "clean")
    copy, events = rewritten(clean, tmp_path / "clean.mcap", compression=compression), tmp_path / "events.jsonl"
    assert main(["replay", str(copy), "--events", str(events)]) == ExitCode.DONE
    assert events.read_bytes() == clean.with_suffix(".events.jsonl").read_bytes()


@pytest.mark.parametrize("compression", COMPRESSIONS, ids=lambda kind: kind.name.lower())
def test_damage_of_a_rewritten_recording_costs_chunks_and_invents_nothing(
    original: Path, tmp_path: Path, compression: CompressionType
) -> None:
    data = rewritten(original, tmp_path / "copy.mcap", compression=compression, chunk_size=400).read_bytes()
    expected, dice, found = some_records(), random.Random(3), 0
    for _ in range(200):
        damaged = bytearray(data)
        damaged[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        (tmp_path / "damaged.mcap").write_bytes(damaged)
        with suppress(SessionFileError):  # the name of the profile is damaged, and with it the header
            session = read_session(tmp_path / "damaged.mcap")
            records = without_header(list(session))
            rest = iter(expected)
            assert all(any(record == other for other in rest) for record in records)
            assert len(records) == len(expected) or any(damage.lossy for damage in session.damage)
            found += len(records)
    assert found > 0.7 * 200 * len(expected)


def test_a_file_that_was_written_with_a_command_channel_has_the_same_records(tmp_path: Path) -> None:
    """Channel 3 was /command in files of earlier versions; messages there are counted and otherwise ignored."""
    path = tmp_path / "old.mcap"
    with path.open("wb") as file:
        writer = Writer(file, enable_data_crcs=True)
        writer.start("rep-monitor", "rep-monitor 0.0.9")
        text = b'{"session":"s","machine":"m","created_utc":"","created_ns":0,"daemon_version":"0.0.9",'
        text += b'"profile":{},"calibration":{}}'
        writer.add_metadata("rep-monitor", {"header": text.decode(), "crc32": str(zlib.crc32(text))})
        topics = ("/header", "/wire", "/command", "/event", "/feedback", "/gap")
        channels = {topic: writer.register_channel(topic, "json", 0) for topic in topics}
        for number, (topic, body) in enumerate(
            [("/header", text), ("/wire", b"a"), ("/command", b'{"name":"stop"}'), ("/wire", b"b")]
        ):
            writer.add_message(channels[topic], number, body, number, number)
        writer.add_metadata("rep-monitor-end", {"records": "4"})
        writer.finish()  # type: ignore[no-untyped-call]
    session = read_session(path)
    assert [chunk.data for chunk in session.chunks()] == [b"a", b"b"]
    assert len(list(session.replayable())) == 2


def test_the_recording_of_another_program_is_named_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "robot.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start("ros2", "libmcap 1.3")
        writer.add_message(writer.register_channel("/header", "json", 0), 0, b"{}", 0)
        writer.finish()  # type: ignore[no-untyped-call]
    assert main(["replay", str(path)]) == ExitCode.BAD_INPUT
    assert 'is an MCAP file of another program ("libmcap 1.3")' in capsys.readouterr().err
