"""Records a session beside the live path: a thread of its own, so that a stalling disk is nobody else's trouble.

    put() --> queue, bounded --> encoder --> DurableFile, every PERIOD_S

The queue holds more than a minute of a session. When even that is full, records are dropped, counted, and the recording
says so at that place (Gap). When the disk is full or fails, the status is `no_storage`, what is pending is tried again
every RETRY_S, and the session goes on.
"""

import logging
import threading
import time
from collections import deque
from pathlib import Path
from typing import Literal

import msgspec

from monitor.record.durable_file import DurableFile
from monitor.record.records import MESSAGE_CAP_BYTES, Gap, Header, Record, gap_record
from monitor.record.session_file import SessionEncoder

PERIOD_S = 0.7  # with the time that a sync takes on a busy machine, a power cut costs less than a second
RETRY_S = 5.0
LOG_PERIOD_S = 60.0
QUEUE_RECORDS = 32_768  # two minutes of 250 chunks, 25 feedbacks and a few events a second
QUEUE_BYTES = 16 << 20
RESERVE_BYTES = 8 << 20  # of the disk, for events: they matter more, and need little
_log = logging.getLogger(__name__)


class RecorderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the recording stands; counts are since its beginning."""

    state: Literal["recording", "no_storage", "closed"]
    path: str
    durable_bytes: int
    queued_records: int
    dropped_records: int  # not in the recording, which says where
    failures: int  # attempts to write that the disk refused
    last_error: str | None


class Recorder:
    """One session's recording. `put` and `sync` return at once, whatever the disk does."""

    def __init__(
        self,
        path: Path,
        header: Header,
        *,
        period_s: float = PERIOD_S,
        retry_s: float = RETRY_S,
        queue_records: int = QUEUE_RECORDS,
        queue_bytes: int = QUEUE_BYTES,
    ) -> None:
        self._period_s, self._retry_s = period_s, retry_s
        self._queue_records, self._queue_bytes = queue_records, queue_bytes
        self._queue: deque[Record] = deque()
        self._put_bytes = self._taken_bytes = 0  # each written by one thread only
        self._gap = _Dropped()
        self._dropped_records = 0
        self._failures = 0
        self._last_error: str | None = None
        self._closing = self._closed = False
        self._bug: BaseException | None = None
        self._unsaid_s, self._unsaid = LOG_PERIOD_S, 0  # since the last line in the log
        self._wake = threading.Event()
        self._file = DurableFile(path, RESERVE_BYTES)
        self._header = header
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def put(self, record: Record) -> None:
        """Called from one thread. Raises only where there is a bug, here or in the caller."""
        if len(record.data) > MESSAGE_CAP_BYTES and record.topic != "/wire":
            raise ValueError(f"a record of {len(record.data)} bytes on {record.topic}: at most {MESSAGE_CAP_BYTES}")
        if self._bug is not None:
            raise RuntimeError("the recorder's thread has died") from self._bug
        if self._is_full():
            self._gap.add(record)
            self._dropped_records += 1
            return
        if self._gap.records:
            self._append(self._gap.told(record.at_ns))
            self._gap = _Dropped()
        self._append(record)

    def sync(self) -> None:
        """Asks for what was put so far to reach the disk now, not only within the period: a set has ended."""
        self._wake.set()

    def close(self, timeout_s: float = 5.0) -> RecorderStatus:
        """Ends the recording. Waits for the disk no longer than told; the state is `closed` if all of it is there."""
        if self._gap.records:
            self._append(self._gap.told(self._gap.last_ns))
        self._closing = True
        self._wake.set()
        self._thread.join(timeout_s)
        if self._bug is not None:
            raise RuntimeError("the recorder's thread has died") from self._bug
        return self.status

    @property
    def durable_bytes(self) -> int:
        return self._file.durable_bytes

    @property
    def status(self) -> RecorderStatus:
        return RecorderStatus(
            state="closed" if self._closed else "no_storage" if self._last_error else "recording",
            path=str(self._file.path),
            durable_bytes=self._file.durable_bytes,
            queued_records=len(self._queue),
            dropped_records=self._dropped_records,
            failures=self._failures,
            last_error=self._last_error,
        )

    def _is_full(self) -> bool:
        queued_bytes = self._put_bytes - self._taken_bytes
        return len(self._queue) >= self._queue_records or queued_bytes >= self._queue_bytes

    def _append(self, record: Record) -> None:
        self._put_bytes += len(record.data)
        self._queue.append(record)

    def _run(self) -> None:
        try:
            self._encoder = SessionEncoder(self._header)  # here: it takes longer than live feedback may wait
            took_s = 0.0
            while not self._closing:
                pause_s = self._retry_s if self._last_error else max(self._period_s - took_s, self._period_s / 10)
                self._wake.wait(pause_s)
                self._wake.clear()
                began_s = time.monotonic()
                if not self._closing:
                    self._write()
                took_s = time.monotonic() - began_s  # a slow disk does not make the pauses longer
                self._unsaid_s += pause_s + took_s
            self._finish()
        except BaseException as error:  # kept for the thread that must know: `put` and `close` raise it
            self._bug = error
        finally:
            self._file.close()

    def _write(self) -> None:
        if self._last_error is None:  # else what is pending must reach the disk before there is more of it
            self._encode()
            self._file.append(self._encoder.flush())
        self._sync()

    def _finish(self) -> None:
        self._encode()
        self._file.append(self._encoder.finish())
        self._closed = self._sync()
        if not self._closed:
            _log.error("%s ends after %d bytes: %s", self._file.path, self._file.durable_bytes, self._last_error)

    def _encode(self) -> None:
        while self._queue:
            record = self._queue.popleft()
            self._taken_bytes += len(record.data)
            self._encoder.add(record)

    def _sync(self) -> bool:
        try:
            self._file.sync()
        except OSError as error:
            self._failures += 1
            self._last_error = error.strerror or repr(error)
            self._say(f"cannot be written ({self._last_error}): trying on, live goes on")
            return False
        if self._last_error is not None:
            self._last_error = None
            self._say(f"can be written again; {self._failures} attempts failed so far")
        return True

    def _say(self, text: str) -> None:
        """One line a minute, however the disk behaves."""
        if self._unsaid_s < LOG_PERIOD_S:
            self._unsaid += 1
            return
        _log.warning("%s %s%s", self._file.path, text, f" ({self._unsaid} lines not said)" if self._unsaid else "")
        self._unsaid_s, self._unsaid = 0.0, 0


class _Dropped:
    """What did not fit in the queue since it was last told."""

    def __init__(self) -> None:
        self.records = self.chunks = self.wire_bytes = self.last_ns = 0

    def add(self, record: Record) -> None:
        self.records += 1
        self.last_ns = record.at_ns
        if record.topic == "/wire":
            self.chunks += 1
            self.wire_bytes += len(record.data)

    def told(self, at_ns: int) -> Record:
        gap = Gap(cause="queue_full", records=self.records, chunks=self.chunks, wire_bytes=self.wire_bytes)
        return gap_record(gap, at_ns)
