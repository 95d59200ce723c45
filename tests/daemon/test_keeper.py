"""The keeper reports a store that cannot be opened before there is an event to store, and opens it when it can."""

import asyncio
from pathlib import Path

import pytest

from monitor.daemon.keeper import Keeper
from monitor.store.store import Store
from tests.mqtt.stage import play, until
from tests.record.sessions import jerk


def test_a_store_that_cannot_be_opened_is_reported_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("monitor.daemon.keeper.RETRY_S", 0.01)
    path = tmp_path / "events.db"
    path.mkdir()

    async def story() -> None:
        with Store(path) as store:
            keeper = Keeper(store, [])
            running = asyncio.create_task(keeper.run())
            await until(lambda: keeper.failures >= 2)
            assert "events.db cannot be used" in str(keeper.trouble)
            assert "events.db cannot be used" in caplog.text
            assert (keeper.waiting, keeper.missing()) == (0, [])
            keeper.keep([jerk(1)])
            assert keeper.waiting == 1
            path.rmdir()
            await until(lambda: store.last_seq == 1 and not keeper.waiting)
            assert keeper.trouble is None
            keeper.close()
            await running

    play(story())


def test_a_stop_counts_only_records_that_are_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "events.db").mkdir()

    async def story(lost: int) -> None:
        with Store(tmp_path / "events.db") as store:
            keeper = Keeper(store, [])
            keeper.keep([jerk(k) for k in range(lost)])
            keeper.close()
            await keeper.run()

    play(story(0))
    assert "could not be stored" not in caplog.text
    play(story(3))
    assert "records that could not be stored: 3" in caplog.text
