"""A daemon that is stopped while it opens its store keeps the lock until the thread has left the store alone."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.chunk import Chunk
from monitor.daemon import serve as serve_module
from monitor.daemon.daemon import Daemon
from monitor.daemon.serve import serve
from monitor.state.folders import AlreadyRuns, Lock
from monitor.store.store import Store
from tests.daemon.stage import PROFILE
from tests.mqtt.stage import play, until


def test_the_lock_is_held_until_the_store_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged store is renamed while it is opened: not while another daemon opens it, too."""
    begun, may_end = threading.Event(), threading.Event()

    def slow(*args: Any) -> Store:
        begun.set()
        may_end.wait()
        return Store(*args)

    async def source(daemon: Daemon) -> AsyncGenerator[Chunk, None]:
        return
        yield

    async def story() -> None:
        monkeypatch.setattr(serve_module, "Store", slow)
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
        with Lock(tmp_path):
            pass

    play(story())
