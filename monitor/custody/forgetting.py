"""Forgets a person: their id goes out of the store, what was set aside beside it, and what the broker keeps.

Only the daemon writes to its store. So where it runs it is asked, by files in the machine's folder:

    forget-<token>.ask      who; it stays until it is done, also over a restart
    forget-<token>.done     what was done; whoever asked takes it away

Events and recordings name nobody. What a person copied elsewhere, a backup, say, is theirs to remove.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec

from monitor.events import UNREADABLE
from monitor.feedback.messages import Name
from monitor.store.database import StoreError
from monitor.store.forgetting import forget_set_aside
from monitor.store.store import Store
from monitor.whole_file import write_whole

LOOK_EVERY_S = 1.0
_log = logging.getLogger(__name__)


class Ask(msgspec.Struct):
    lifter: Name


class Forgotten(msgspec.Struct):
    """What was done so far. `removed`: damaged stores that could not be mended; `last_set`: the newest was theirs."""

    rows: int = 0
    removed: list[str] = []
    last_set: bool = False


class NotAnswered(Exception):
    """The daemon has not answered; the sentence says what follows."""


def forget(store: Store, lifter: str, done: Forgotten) -> None:
    """Waits for the disk; raises StoreError, and called again with the same `done` goes on from there."""
    done.last_set |= store.newest_lifter() == lifter
    done.rows += store.take_off(lifter)
    store.fold_log()
    try:
        done.removed += [path.name for path in forget_set_aside(store.path, lifter)]
    except OSError as error:
        raise StoreError(f"{error.filename} cannot be changed ({error.strerror}): make its folder writable") from error


class Desk:
    """The daemon's side. `do` puts work in line for the disk; `forgotten` is told in the loop, before and after."""

    def __init__(
        self,
        directory: Path,
        store: Store,
        do: Callable[[Callable[[], object]], None],
        forgotten: Callable[[str, Forgotten | None], None],
    ) -> None:
        self._directory = directory
        self._store = store
        self._do = do
        self._forgotten = forgotten
        self._taken: set[Path] = set()

    async def run(self) -> None:
        while True:
            for path, lifter in await asyncio.to_thread(self._look):
                self._forgotten(lifter, None)
                self._do(partial(self._carry_out, path, lifter, Forgotten(), asyncio.get_running_loop()))
            await asyncio.sleep(LOOK_EVERY_S)

    def _look(self) -> list[tuple[Path, str]]:
        found = []
        for path in self._directory.glob("forget-*.ask"):
            if path in self._taken:
                continue
            try:
                found.append((path, msgspec.json.decode(path.read_bytes(), type=Ask).lifter))
            except UNREADABLE:
                with suppress(OSError):
                    path.unlink()  # not from our command, which writes it whole
            except OSError as error:
                _log.warning("%s cannot be read (%s): it is looked at again", path, error.strerror)
                continue
            self._taken.add(path)
        return found

    def _carry_out(self, path: Path, lifter: str, done: Forgotten, loop: asyncio.AbstractEventLoop) -> None:
        """Raises StoreError wherever the disk refuses, and goes on from there when it is asked again."""
        forget(self._store, lifter, done)
        loop.call_soon_threadsafe(self._forgotten, lifter, done)
        try:
            write_whole(path.with_suffix(".done"), msgspec.json.encode(done))
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{error.filename} cannot be written ({error.strerror}): make room") from error
