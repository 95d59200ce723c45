"""Removes a person's id from the store, from damaged stores that were set aside, and from the broker.

Only the daemon writes to its store. While it runs, `rep-monitor forget` and a collector's command ask it through files
in the machine's folder:

    forget-<token>.ask      the lifter; the file stays until the work is done, also over a restart
    forget-<token>.done     the result, whole when the request is gone; the command that asked deletes it

Events and recordings contain no lifter. Copies elsewhere, such as backups, must be removed by hand.
"""

import asyncio
import logging
import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec

from monitor.events import UNREADABLE
from monitor.mqtt.contract.messages import Name
from monitor.state.small_file import read_small
from monitor.state.whole_file import write_whole
from monitor.store.database import StoreError
from monitor.store.forgetting import forget_in_set_aside
from monitor.store.store import Store
from monitor.worker_thread import finished

LOOK_EVERY_S = 1.0
ANSWER_EVERY_S = 0.1
ANSWERED_WITHIN_S = 10.0
REQUEST = re.compile(r"forget-.+\.ask")
_log = logging.getLogger(__name__)


class ForgetRequest(msgspec.Struct):
    lifter: Name


class ForgetResult(msgspec.Struct):
    """The work done so far."""

    rows: dict[str, int] = {}  # changed rows by table
    removed: list[str] = []  # damaged stores that were deleted, because they could not be changed
    last_set: bool = False  # the newest set was theirs

    def __str__(self) -> str:
        """One line, for example `removed from 2 sets and 1 session`."""
        parts = [f"{count} {table.removesuffix('s')}{'s' * (count != 1)}" for table, count in sorted(self.rows.items())]
        lines = [f"removed from {' and '.join(parts)}"] if parts else []
        lines += [f"deleted {name}, which was damaged and contained the id" for name in self.removed]
        return "; ".join(lines) or "no data has this id"


class NotAnswered(Exception):
    """The daemon has not answered in time; the message says what happens next."""


def forget(store: Store, lifter: str, done: ForgetResult) -> None:
    """Waits for the disk. Raises StoreError; a further call with the same `done` continues the work."""
    done.last_set |= store.newest_lifter() == lifter
    for table, count in store.remove_lifter(lifter).items():
        done.rows[table] = done.rows.get(table, 0) + count
    store.checkpoint()
    try:
        done.removed += [path.name for path in forget_in_set_aside(store.path, lifter)]
    except OSError as error:
        raise StoreError(f"{error.filename} cannot be changed ({error.strerror}): make its folder writable") from error


class ForgetRequests:
    """Carries out requests in the daemon.

    `do` queues work for the disk. `notify(lifter, result)` is called on the event loop, with None before the work and
    with the result after it.
    """

    def __init__(
        self,
        directory: Path,
        store: Store,
        do: Callable[[Callable[[], object]], None],
        notify: Callable[[str, ForgetResult | None], None],
    ) -> None:
        self._directory = directory
        self._store = store
        self._do = do
        self._notify = notify
        self.failures = 0  # attempts that the disk or a reader of the store blocked
        self._progress: dict[Path, ForgetResult] = {}
        self._queued: set[Path] = set()

    async def ask(self, lifter: str) -> str:
        """Asks `run`, waits, and says what was done. Raises NotAnswered; the work then continues."""
        path = self._directory / f"forget-{secrets.token_hex(8)}.ask"
        answer = path.with_suffix(".done")
        try:
            await finished(partial(write_whole, path, msgspec.json.encode(ForgetRequest(lifter))))
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                while path.exists() or not answer.exists():  # noqa: ASYNC110 - the answer is a file
                    await asyncio.sleep(ANSWER_EVERY_S)
            result = msgspec.json.decode(read_small(answer), type=ForgetResult)
            answer.unlink()
        except (TimeoutError, OSError) as error:
            raise NotAnswered("the id is not removed from every row yet: send the command again") from error
        return str(result)

    async def run(self) -> None:
        while True:
            for path, lifter in await finished(self._look):
                if path not in self._progress:
                    self._progress[path] = ForgetResult()
                    self._notify(lifter, None)
                self._queued.add(path)
                self._do(partial(self._carry_out, path, lifter, asyncio.get_running_loop()))
            await asyncio.sleep(LOOK_EVERY_S)

    def _look(self) -> list[tuple[Path, str]]:
        found = []
        try:
            asked = [self._directory / name for name in os.listdir(self._directory) if REQUEST.fullmatch(name)]
        except OSError as error:
            self._log_failure(self._directory, error)
            return []
        for path in asked:
            if path in self._queued:
                continue
            try:
                found.append((path, msgspec.json.decode(read_small(path), type=ForgetRequest).lifter))
            except UNREADABLE:
                with suppress(OSError):
                    path.unlink()  # not from our command, which writes whole files
            except FileNotFoundError:
                continue  # just carried out
            except OSError as error:
                self._log_failure(path, error)
        return found

    def _carry_out(self, path: Path, lifter: str, loop: asyncio.AbstractEventLoop) -> None:
        """A failed attempt is repeated at the next look; events are stored in the meantime."""
        done = self._progress[path]
        try:
            forget(self._store, lifter, done)
            loop.call_soon_threadsafe(self._notify, lifter, done)
            write_whole(path.with_suffix(".done"), msgspec.json.encode(done))
            path.unlink(missing_ok=True)
            del self._progress[path]
        except (StoreError, OSError) as error:
            self._log_failure(path, error)
        finally:
            self._queued.discard(path)

    def _log_failure(self, path: Path, error: Exception) -> None:
        self.failures += 1
        _log.warning("%s will be tried again (%d failed attempts): %s", path.name, self.failures, error)
