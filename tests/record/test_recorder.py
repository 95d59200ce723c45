"""The recorder never waits for the disk, loses nothing that fits in its queue, and marks what does not."""

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from firmware_bridge.chunk import Chunk
from monitor.record import recorder as recorder_module
from monitor.record.durable_file import DurableFile
from monitor.record.recorder import Recorder
from monitor.record.records import MESSAGE_CAP_BYTES, Gap, Record
from monitor.record.session_file import SessionEncoder
from monitor.record.session_reader import read_session
from tests.record.sessions import HEADER, some_records, without_header
from tests.record.waiting import until, wires

PERIOD_S = 0.01


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recordings" / "2026-11-23" / "081502-s1.mcap"


def recorded(path: Path) -> list[Record]:
    """The records that can be read so far."""
    return without_header(list(read_session(path))) if path.exists() else []


class Gate:
    """A disk that stalls: every sync waits until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened, self.reached = threading.Event(), threading.Event()
        self._real = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", self._sync)

    def _sync(self, fd: int) -> None:
        self.reached.set()
        self.opened.wait()
        self._real(fd)


class Disk:
    """A disk that refuses: `full` makes writes fail after a part of them, `broken` makes syncs fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = self.broken = False
        self.room_bytes = 0
        self._write, self._sync = os.write, os.fdatasync
        monkeypatch.setattr(os, "write", self._try_write)
        monkeypatch.setattr(os, "fdatasync", self._try_sync)

    def _try_write(self, fd: int, data: bytes) -> int:
        if not self.full:
            return self._write(fd, data[:1000])  # short writes are legal
        if self.room_bytes == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._write(fd, data[: self.room_bytes])
        self.room_bytes -= written
        return written

    def _try_sync(self, fd: int) -> None:
        if self.broken:
            os.ftruncate(fd, 10)  # what an unsynced page may come to
            raise OSError(errno.EIO, "Input/output error")
        self._sync(fd)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(monkeypatch)
    yield gate
    gate.opened.set()


def stalled(path: Path, gate: Gate, **limit: int) -> Recorder:
    """A recorder that has taken one record and waits for the disk."""
    recorder = Recorder(path, HEADER, period_s=60, **limit)
    recorder.put(wires(1)[0])
    recorder.sync()
    gate.reached.wait()
    assert recorder.status.queued_records == 0
    return recorder


def test_everything_is_recorded_and_the_file_is_closed(path: Path) -> None:
    recorder = Recorder(path, HEADER, period_s=PERIOD_S)
    for record in some_records():
        recorder.put(record)
    status = recorder.close()
    assert (status.state, status.dropped_records, status.failures) == ("closed", 0, 0)
    assert status.durable_bytes == path.stat().st_size
    session = read_session(path)
    assert session.header == HEADER
    assert without_header(list(session)) == some_records()
    assert session.damage == []
    assert path.stat().st_mode & 0o777 & ~0o640 == 0


def test_records_on_disk_can_be_read_during_the_recording(path: Path) -> None:
    recorder = Recorder(path, HEADER, period_s=60)
    for start in range(0, 50, 10):
        for record in wires(10, start):
            recorder.put(record)
        recorder.sync()
        until(lambda: recorded(path) == wires(start + 10))  # noqa: B023
    recorder.close()


def test_a_stalled_disk_delays_nothing_and_loses_nothing(path: Path, gate: Gate) -> None:
    recorder = stalled(path, gate)
    for record in wires(12_000, 1):  # a minute at 200 a second, put while the disk does not move
        recorder.put(record)
    assert not gate.opened.is_set()
    assert recorder.status.queued_records == 12_000
    gate.opened.set()
    status = recorder.close()
    assert (status.state, status.dropped_records) == ("closed", 0)
    assert without_header(list(read_session(path))) == wires(12_001)


@pytest.mark.parametrize("limit", [{"queue_records": 50}, {"queue_bytes": 300}])
def test_records_beyond_the_queue_are_counted_and_marked_at_their_place(
    path: Path, gate: Gate, limit: dict[str, int]
) -> None:
    recorder = stalled(path, gate, **limit)
    for record in wires(80, 1):
        recorder.put(record)
    assert recorder.status.dropped_records == 30
    gate.opened.set()
    recorder.sync()
    until(lambda: recorder.status.queued_records == 0)
    for record in wires(5, 81):
        recorder.put(record)
    assert recorder.close().dropped_records == 30
    items = list(read_session(path).replayable())
    gap = Gap(cause="queue_full", records=30, chunks=30, wire_bytes=180)
    expected = [Chunk(r.at_ns, r.data) for r in [*wires(51), *wires(5, 81)]]
    assert items == [*expected[:51], gap, *expected[51:]]


def test_records_dropped_at_the_end_are_marked_too(path: Path, gate: Gate) -> None:
    recorder = stalled(path, gate, queue_records=3)
    for record in wires(9, 1):
        recorder.put(record)
    closing = threading.Thread(target=recorder.close)
    closing.start()
    gate.opened.set()
    closing.join()
    assert list(read_session(path).replayable())[-1] == Gap(cause="queue_full", records=6, chunks=6, wire_bytes=36)


@pytest.mark.parametrize("room_bytes", [0, 1, 100, 700])
def test_a_full_disk_is_reported_and_everything_is_written_when_there_is_room(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, room_bytes: int
) -> None:
    disk = Disk(monkeypatch)
    recorder = Recorder(path, HEADER, period_s=PERIOD_S, retry_s=PERIOD_S)
    for record in wires(20):
        recorder.put(record)
    until(lambda: recorded(path) == wires(20))
    disk.room_bytes, disk.full = room_bytes, True
    for record in wires(500, 20):
        recorder.put(record)
    until(lambda: recorder.status.failures >= 5)
    assert recorder.status.state == "no_storage"
    assert recorder.status.last_error == "No space left on device"
    assert len(caplog.records) == 1  # the others lie within the minute
    assert "cannot be written (No space left on device): trying again, live feedback continues" in caplog.text
    assert without_header(list(read_session(path))) == wires(20)
    disk.full = False
    until(lambda: recorder.status.state == "recording")
    for record in wires(20, 520):
        recorder.put(record)
    assert recorder.close().state == "closed"
    session = read_session(path)
    assert without_header(list(session)) == wires(540)
    assert session.damage == []


def test_a_full_disk_fills_the_queue_but_memory_is_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    disk.full = True
    recorder = Recorder(path, HEADER, period_s=PERIOD_S, retry_s=PERIOD_S, queue_records=50)
    until(lambda: recorder.status.failures >= 1)
    for start in (0, 40, 80):
        for record in wires(40, start):
            recorder.put(record)
        failures = recorder.status.failures
        until(lambda: recorder.status.failures >= failures + 3)  # noqa: B023
    assert (recorder.status.queued_records, recorder.status.dropped_records) == (50, 70)
    disk.full = False
    assert recorder.close().state == "closed"
    found = list(read_session(path).replayable())
    assert found[-1] == Gap(cause="queue_full", records=70, chunks=70, wire_bytes=420)
    assert found[:-1] == [Chunk(record.at_ns, record.data) for record in wires(50)]


def test_after_a_failed_sync_the_bytes_are_written_again_through_another_descriptor(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    opened: list[DurableFile] = []
    really_open = DurableFile._open

    def open_(file: DurableFile) -> None:
        opened.append(file)
        really_open(file)

    monkeypatch.setattr(DurableFile, "_open", open_)
    recorder = Recorder(path, HEADER, period_s=PERIOD_S, retry_s=PERIOD_S)
    disk.broken = True
    for record in wires(100):
        recorder.put(record)
    until(lambda: recorder.status.failures >= 1)
    disk.broken = False
    assert recorder.close().state == "closed"
    assert without_header(list(read_session(path))) == wires(100)
    assert len(opened) >= 2, "the same descriptor was used on"


def test_a_file_that_was_shortened_is_not_continued(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    recorder = Recorder(path, HEADER, period_s=PERIOD_S, retry_s=PERIOD_S)
    for record in wires(10):
        recorder.put(record)
    until(lambda: recorded(path) == wires(10) and recorder.durable_bytes == path.stat().st_size)
    disk.broken = True  # it cuts the file to 10 bytes, below what was vouched for
    for record in wires(10, 10):
        recorder.put(record)
    until(lambda: recorder.status.failures >= 1)
    disk.broken = False
    status = recorder.close()
    assert (status.state, status.last_error) == ("no_storage", "the file was shortened by another program")
    assert path.stat().st_size == 10


def test_a_disk_that_stays_full_costs_only_the_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    recorder = Recorder(path, HEADER, period_s=PERIOD_S, retry_s=PERIOD_S)
    for record in wires(20):
        recorder.put(record)
    until(lambda: recorded(path) == wires(20))
    disk.room_bytes, disk.full = 57, True
    for record in wires(20, 20):
        recorder.put(record)
    status = recorder.close()
    assert (status.state, status.last_error) == ("no_storage", "No space left on device")
    session = read_session(path)
    assert without_header(list(session)) == wires(20)
    assert session.damage


def test_a_folder_that_appears_later_is_used_from_then_on(path: Path) -> None:
    path.parent.parent.write_text("in the way")
    recorder = Recorder(path, HEADER, period_s=PERIOD_S, retry_s=PERIOD_S)
    for record in wires(20):
        recorder.put(record)
    until(lambda: recorder.status.failures >= 2)
    path.parent.parent.unlink()
    assert recorder.close().state == "closed"
    assert without_header(list(read_session(path))) == wires(20)


def test_closing_waits_for_a_slow_disk_and_says_so(
    path: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = stalled(path, gate)
    monkeypatch.setattr(recorder_module, "SLOW_S", 0.01)
    with ThreadPoolExecutor() as other:
        closing = other.submit(recorder.close)
        until(lambda: "is still being written: the disk is slow" in caplog.text)
        assert not closing.done()
        gate.opened.set()
        assert closing.result().state == "closed"
    assert without_header(list(read_session(path))) == wires(1)


def test_an_exception_in_the_thread_reaches_the_caller(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SessionEncoder, "flush", lambda self: 1 / 0)
    broken = Recorder(path, HEADER, period_s=PERIOD_S)
    until(lambda: not broken._thread.is_alive())
    with pytest.raises(RuntimeError, match="the recorder's thread has died"):
        broken.put(wires(1)[0])
    with pytest.raises(RuntimeError, match="the recorder's thread has died"):
        broken.close()


def test_a_record_that_is_too_long_raises_an_error(path: Path) -> None:
    recorder = Recorder(path, HEADER, period_s=PERIOD_S)
    with pytest.raises(ValueError, match="at most"):
        recorder.put(Record("/event", 0, bytes(MESSAGE_CAP_BYTES + 1)))
    recorder.put(Record("/wire", 0, bytes(MESSAGE_CAP_BYTES + 1)))
    assert recorder.close().state == "closed"


CHILD = """
import resource, sys
from pathlib import Path
from tests.record.sessions import HEADER
from tests.record.waiting import until, wires
from monitor.record.recorder import Recorder

recorder = Recorder(Path(sys.argv[1]), HEADER, period_s=0.01, retry_s=0.01)
"""


def child(code: str, *words: str) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    return subprocess.Popen([sys.executable, "-c", CHILD + code, *words], cwd=root, stdout=subprocess.PIPE, text=True)


def test_a_size_limit_of_the_system_is_handled_as_a_full_disk(path: Path) -> None:
    code = """
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
for record in wires(5000):
    recorder.put(record)
until(lambda: recorder.status.failures >= 3)
assert recorder.status.state == "no_storage", recorder.status
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
print(recorder.close().state)
"""
    with child(code, str(path)) as process:
        assert process.communicate()[0] == "closed\n"
    assert without_header(list(read_session(path))) == wires(5000)


def test_killed_at_any_moment_it_leaves_an_exact_prefix(path: Path) -> None:
    code = """
for k, record in enumerate(wires(20_000)):
    recorder.put(record)
    if k % 200 == 0:
        until(lambda: not recorder.status.queued_records)
        print(recorder.status.durable_bytes, flush=True)
"""
    for round_ in range(4):
        file = path.with_name(f"{round_}.mcap")
        with child(code, str(file)) as process:
            assert process.stdout is not None
            for _ in range(3 + 2 * round_):
                durable_bytes = int(process.stdout.readline())
            process.kill()
            process.stdout.read()
        assert file.stat().st_size >= durable_bytes
        session = read_session(file)
        found = without_header(list(session))
        assert found == wires(len(found))
        assert len(found) > 0
        assert session.damage[-1].lossy
        assert all(damage.offset_bytes >= durable_bytes for damage in session.damage)
