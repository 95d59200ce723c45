"""Forgets a person: their id goes out of the store, what was set aside beside it, and what the broker keeps.

Only the daemon writes to its store. So where it runs it is asked, by files in the machine's folder:

    forget-<token>.ask      who; it stays until it is done, also over a restart
    forget-<token>.done     what was done; whoever asked takes it away

Events and recordings name nobody. What a person copied elsewhere, a backup, say, is theirs to remove.
"""

import asyncio
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from monitor.feedback.messages import Name
from monitor.state import PRIVATE_FILE, owned_as_its_folder
from monitor.store.database import StoreError
from monitor.store.forgetting import forget_set_aside
from monitor.store.store import Store

LOOK_EVERY_S = 1.0


class Ask(msgspec.Struct):
    lifter: Name


class Forgotten(msgspec.Struct):
    """`removed`: damaged stores that could not be mended; `last_set`: the newest set was theirs."""

    rows: int
    removed: list[str]
    last_set: bool


class NotAnswered(Exception):
    """The daemon has not answered; the sentence says what follows."""


def forget(store: Store, lifter: str) -> Forgotten:
    """Waits for the disk; raises StoreError. Again it finds nothing, and is no mistake."""
    last_set = store.newest_lifter() == lifter
    rows = store.forget(lifter)
    try:
        removed = forget_set_aside(store.path, lifter)
    except OSError as error:
        raise StoreError(f"{error.filename} cannot be changed ({error.strerror}): make its folder writable") from error
    return Forgotten(rows, [path.name for path in removed], last_set)


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
                self._do(partial(self._carry_out, path, lifter, asyncio.get_running_loop()))
            await asyncio.sleep(LOOK_EVERY_S)

    def _look(self) -> list[tuple[Path, str]]:
        found = []
        for path in self._directory.glob("forget-*.ask"):
            if path not in self._taken:
                self._taken.add(path)
                try:
                    found.append((path, msgspec.json.decode(path.read_bytes(), type=Ask).lifter))
                except (OSError, msgspec.MsgspecError):
                    path.unlink(missing_ok=True)  # not from our command, which writes it whole
        return found

    def _carry_out(self, path: Path, lifter: str, loop: asyncio.AbstractEventLoop) -> None:
        done = forget(self._store, lifter)
        loop.call_soon_threadsafe(self._forgotten, lifter, done)
        write_whole(path.with_suffix(".done"), msgspec.json.encode(done))
        path.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    fresh = path.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "wb") as file:
        file.write(data)
    owned_as_its_folder(fresh)
    os.replace(fresh, path)
