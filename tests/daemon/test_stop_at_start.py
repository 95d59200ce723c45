"""A daemon that is stopped while it opens its store keeps the lock until the store is closed again."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from firmware_bridge.chunk import Chunk
from monitor.daemon import serve as serve_module
from monitor.daemon.daemon import Daemon
from monitor.daemon.serve import serve
from monitor.state.folders import AlreadyRuns, Lock, store_path
from monitor.store.store import Store
from tests.daemon.stage import PROFILE
from tests.mqtt.stage import play, until


def test_the_lock_is_held_until_the_store_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged store is renamed while it is opened: not while another daemon opens it, too."""
    begun, may_end = threading.Event(), threading.Event()
    closed: list[Path] = []

    class SlowStore(Store):
        def __init__(self, path: Path) -> None:
            begun.set()
            may_end.wait()
            super().__init__(path)

        def close(self) -> None:
            super().close()
            closed.append(self.path)

    async def source(daemon: Daemon) -> AsyncGenerator[Chunk, None]:
        return
        yield

    async def story() -> None:
        monkeypatch.setattr(serve_module, "Store", SlowStore)
        running = asyncio.create_task(serve(PROFILE, source, scratch=tmp_path))
        await until(begun.is_set)
        running.cancel()
        for _ in range(20):
            await asyncio.sleep(0)
        try:
            with pytest.raises(AlreadyRuns), Lock(tmp_path):
                pass
        finally:
            may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert closed == [store_path(tmp_path)]
        with Lock(tmp_path):
            pass

    play(story())
