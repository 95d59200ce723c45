"""The limits of a recording: megabytes in an hour, and a reserve of the disk for events."""

import os
from pathlib import Path
from typing import Any

import pytest

from monitor.daemon.session import LiveSession
from monitor.profile.reading import profile_from_builtins
from monitor.record.recorder import RESERVE_BYTES, Recorder
from monitor.record.session_reader import read_session
from tests.daemon.stage import TABLES
from tests.record.sessions import HEADER, some_records, wire_chunks
from tests.record.waiting import until


def recorded(path: Path, **record: Any) -> dict[str, int]:
    """Records twelve seconds of a session. Returns the number of records by topic."""
    chunks = wire_chunks(12.0)
    session = LiveSession(
        profile_from_builtins(TABLES | {"record": record}, "a test"), None, "s", "", path, chunks[0].received_ns
    )
    assert session.recorder is not None
    for start in range(0, len(chunks), 20):
        for chunk in chunks[start : start + 20]:
            session.feed(chunk)
        session.recorder.sync()
    session.finish(chunks[-1].received_ns)
    session.recorder.close()
    topics = [record.topic for record in read_session(path)]
    return {topic: topics.count(topic) for topic in set(topics)}


def test_a_recording_beyond_its_budget_leaves_out_feedback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = recorded(tmp_path / "whole.mcap")
    assert whole["/feedback"] > 200
    monkeypatch.setattr(Recorder, "durable_bytes", property(lambda self: 55_000))
    small = recorded(tmp_path / "small.mcap", mb_an_hour=3.0)  # with a minute in advance, 55 kB after 6 s
    assert 0 < small["/feedback"] < whole["/feedback"] / 2 + 20
    assert small["/wire"] == whole["/wire"]
    assert small.get("/event") == whole.get("/event")


def test_the_reserve_of_the_disk_is_left_for_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left_bytes = RESERVE_BYTES + 100
    real = os.fstatvfs

    def fstatvfs(fd: int) -> os.statvfs_result:
        room = list(real(fd))
        room[0] = room[1] = 1  # the size of a block
        room[4] = left_bytes  # f_bavail
        return os.statvfs_result(room)

    monkeypatch.setattr("monitor.record.durable_file.os.fstatvfs", fstatvfs)
    recorder = Recorder(tmp_path / "a" / "b" / "s.mcap", HEADER, period_s=0.01, retry_s=0.01)
    for record in some_records():
        recorder.put(record)
    until(lambda: recorder.status.state == "no_storage")
    assert recorder.status.last_error == "No space left except the reserve for events"
    left_bytes = 1 << 30
    assert recorder.close().state == "closed"
    assert len(list(read_session(tmp_path / "a" / "b" / "s.mcap"))) == 1 + len(some_records())
