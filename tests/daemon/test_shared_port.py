"""Two machines on one computer must not share the port of the page."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec
import pytest

from firmware_bridge.chunk import Chunk
from monitor.daemon.daemon import Daemon
from monitor.daemon.serve import Up, serve
from monitor.profile.profile import DisplaySettings
from monitor.profile.toml_document import ConfigError
from tests.daemon.stage import PROFILE
from tests.mqtt.brokers import free_port


def test_the_second_machine_on_a_port_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    port = free_port()
    first, second = (
        msgspec.structs.replace(
            PROFILE,
            machine=msgspec.structs.replace(PROFILE.machine, id=name),
            display=DisplaySettings(port=port),
        )
        for name in ("leg-press", "pulldown")
    )

    async def story() -> None:
        up: asyncio.Future[Up] = asyncio.get_running_loop().create_future()
        over = asyncio.Event()

        async def source(daemon: Daemon) -> AsyncGenerator[Chunk, None]:
            await over.wait()
            return
            yield

        running = asyncio.create_task(serve(first, source, on_up=up.set_result))
        assert f":{port}/" in ((await up).page_url or "")
        with pytest.raises(ConfigError, match=rf"'leg-press'.* port {port}: .* port = {port + 1} .* 'pulldown'"):
            await serve(second, source)
        over.set()
        await running

    asyncio.run(story())
