"""Records a session in a thread, so that a stalling disk does not delay live feedback.

    put() --> bounded queue --> encoder --> DurableFile, every PERIOD_S

The queue has room for more than a minute of a session. If it is full, records are dropped and counted, and the
recording contains a Gap at that place. If the disk is full or fails, the status is `no_storage`, writing is tried again
every RETRY_S, and the session continues.
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

PERIOD_S = 0.7  # with the time of a sync on a busy computer, a power cut costs less than a second
RETRY_S = 5.0
SLOW_S = 10.0  # then the log says why the program does not end
LOG_PERIOD_S = 60.0
QUEUE_RECORDS = 32_768  # two minutes of 250 chunks, 25 feedback records and a few events a second
QUEUE_BYTES = 16 << 20
RESERVE_BYTES = 8 << 20  # of the disk, for events, which are more important and small
_log = logging.getLogger(__name__)


class RecorderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a recording; counts are since its beginning."""

    state: Literal["recording", "no_storage", "closed"]
    path: str
    durable_bytes: int
    queued_records: int
    dropped_records: int  # not in the recording, which contains a Gap instead
    failures: int  # attempts to write that the disk refused
    last_error: str | None


class Recorder:
    """The recording of one session. `put` and `sync` return at once, whatever the disk does."""

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
        self._put_bytes = self._taken_bytes = 0  # each is written by one thread only
        self._gap = _Dropped()
        self._dropped_records = 0
        self._failures = 0
        self._last_error: str | None = None
        self._closing = self._closed = False
        self._bug: BaseException | None = None
        self._since_log_s, self._suppressed = LOG_PERIOD_S, 0  # since the last line in the log
        self._wake = threading.Event()
        self._file = DurableFile(path, RESERVE_BYTES)
        self._header = header
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def put(self, record: Record) -> None:
        """Call from one thread only. Raises ValueError, RuntimeError only after a programming error."""
        if len(record.data) > MESSAGE_CAP_BYTES and record.topic != "/wire":
            raise ValueError(f"a record of {len(record.data)} bytes on {record.topic}: at most {MESSAGE_CAP_BYTES}")
        if self._bug is not None:
            raise RuntimeError("the recorder's thread has died") from self._bug
        if self._is_full():
            self._gap.add(record)
            self._dropped_records += 1
            return
        if self._gap.records:
            self._append(self._gap.record(record.at_ns))
            self._gap = _Dropped()
        self._append(record)

    def sync(self) -> None:
        """Asks the thread to write at once, because a set has ended."""
        self._wake.set()

    def end(self) -> None:
        """Asks the thread to write the rest and to end."""
        if self._gap.records:
            self._append(self._gap.record(self._gap.last_ns))
            self._gap = _Dropped()
        self._closing = True
        self._wake.set()

    @property
    def ended(self) -> bool:
        """The thread has ended. Raises RuntimeError if a programming error has ended it."""
        if self._bug is not None:
            raise RuntimeError("the recorder's thread has died") from self._bug
        return not self._thread.is_alive()

    def close(self) -> RecorderStatus:
        """Ends the recording, and waits until the disk has it or refuses it. In the first case the state is `closed`.

        A slow disk has all the time it needs: what was received is worth more than a quick end.
        """
        self.end()
        self._thread.join(SLOW_S)
        if not self.ended:
            _log.warning("%s is still being written: the disk is slow", self._file.path)
            self._thread.join()
        assert self.ended
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
            self._encoder = SessionEncoder(self._header)  # in this thread, because it would delay live feedback
            took_s = 0.0
            while not self._closing:
                pause_s = self._retry_s if self._last_error else max(self._period_s - took_s, self._period_s / 10)
                self._wake.wait(pause_s)
                self._wake.clear()
                began_s = time.monotonic()
                if not self._closing:
                    self._write()
                took_s = time.monotonic() - began_s  # a slow disk must not make the period longer
                self._since_log_s += pause_s + took_s
            self._finish()
        except BaseException as error:  # `put` and `close` raise it
            self._bug = error
        finally:
            self._file.close()

    def _write(self) -> None:
        if self._last_error is None:  # after an error, pending bytes must reach the disk first
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
            self._log(f"cannot be written ({self._last_error}): trying again, live feedback continues")
            return False
        if self._last_error is not None:
            self._last_error = None
            self._log(f"can be written again; {self._failures} attempts failed so far")
        return True

    def _log(self, text: str) -> None:
        """Logs at most one line in a minute."""
        if self._since_log_s < LOG_PERIOD_S:
            self._suppressed += 1
            return
        more = f" ({self._suppressed} lines suppressed)" if self._suppressed else ""
        _log.warning("%s %s%s", self._file.path, text, more)
        self._since_log_s, self._suppressed = 0.0, 0


class _Dropped:
    """Counts records that did not fit in the queue since the last Gap."""

    def __init__(self) -> None:
        self.records = self.chunks = self.wire_bytes = self.last_ns = 0

    def add(self, record: Record) -> None:
        self.records += 1
        self.last_ns = record.at_ns
        if record.topic == "/wire":
            self.chunks += 1
            self.wire_bytes += len(record.data)

    def record(self, at_ns: int) -> Record:
        gap = Gap(cause="queue_full", records=self.records, chunks=self.chunks, wire_bytes=self.wire_bytes)
        return gap_record(gap, at_ns)
