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
from monitor.mqtt.contract.messages import Name
from monitor.state.whole_file import write_whole
from monitor.store.database import StoreError
from monitor.store.forgetting import forget_set_aside
from monitor.store.store import Store

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
        self.failures = 0  # tries that the disk, or somebody who reads there, refused
        self._asked: dict[Path, Forgotten] = {}  # how far each has come
        self._in_line: set[Path] = set()

    async def run(self) -> None:
        while True:
            for path, lifter in await asyncio.to_thread(self._look):
                if path not in self._asked:
                    self._asked[path] = Forgotten()
                    self._forgotten(lifter, None)
                self._in_line.add(path)
                self._do(partial(self._carry_out, path, lifter, asyncio.get_running_loop()))
            await asyncio.sleep(LOOK_EVERY_S)

    def _look(self) -> list[tuple[Path, str]]:
        found = []
        for path in self._directory.glob("forget-*.ask"):
            if path in self._in_line:
                continue
            try:
                found.append((path, msgspec.json.decode(path.read_bytes(), type=Ask).lifter))
            except UNREADABLE:
                with suppress(OSError):
                    path.unlink()  # not from our command, which writes it whole
            except OSError as error:
                self._wait(path, error)
        return found

    def _carry_out(self, path: Path, lifter: str, loop: asyncio.AbstractEventLoop) -> None:
        """What is refused is tried again at the next look, and holds up no event meanwhile."""
        done = self._asked[path]
        try:
            forget(self._store, lifter, done)
            loop.call_soon_threadsafe(self._forgotten, lifter, done)
            write_whole(path.with_suffix(".done"), msgspec.json.encode(done))
            path.unlink(missing_ok=True)
            del self._asked[path]
        except (StoreError, OSError) as error:
            self._wait(path, error)
        finally:
            self._in_line.discard(path)

    def _wait(self, path: Path, error: Exception) -> None:
        self.failures += 1
        _log.warning("%s waits (%d tries): %s", path.name, self.failures, error)
