"""A stopped publisher ends, whatever it is doing in that turn of the event loop."""

import asyncio
from pathlib import Path

import pytest

from monitor.mqtt.client import publisher
from tests.mqtt.stage import Stage, a_broker, play, until


@pytest.mark.parametrize("turns", range(6))
def test_a_stop_right_after_a_change_of_the_link(turns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task that waits for the change is woken and cancelled in the same turn, so a cancellation could be lost."""
    monkeypatch.setattr(publisher, "STATUS_PERIOD_S", 0.0)

    async def story() -> None:
        async with a_broker("embedded", tmp_path) as address, Stage(address, tmp_path) as stage:
            await until(lambda: stage.publisher.connected)
            await asyncio.sleep(0.1)  # its first messages are sent
            stage.publisher.set_link("wrong_device")
            for _ in range(turns):
                await asyncio.sleep(0)
            stage.publisher.stop()

    play(story(), within_s=20)
