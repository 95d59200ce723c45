"""A profile that is changed while the daemon runs applies between two sets, or is refused with a message."""

import asyncio
import os
import signal
from pathlib import Path

import msgspec
import pytest

from monitor.daemon import reload
from monitor.daemon.daemon import Daemon
from monitor.daemon.reload import Reload
from monitor.mqtt.client.address import Address
from monitor.mqtt.contract.commands import ProtocolCommand
from monitor.profile.profile import Profile, ProtocolSettings, SerialSettings
from monitor.profile.toml_document import ConfigError
from tests.daemon.stage import PROFILE, Machine, a_set, ask, with_daemon
from tests.daemon.whole import a_profile
from tests.faults.stage import a_daemon, until
from tests.mqtt.stage import listening

SLOWER = msgspec.structs.replace(PROFILE, protocol=ProtocolSettings(positive_s=5.0, negative_s=5.0))
MOVED = msgspec.structs.replace(
    SLOWER, serial=SerialSettings(rate_hz=250), protocol=ProtocolSettings(positive_s=6.0, negative_s=6.0)
)


def test_a_profile_that_is_changed_in_a_set_applies_after_the_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload, "REST_S", 0.2)
    monkeypatch.setattr(reload, "LOOK_EVERY_S", 0.01)
    chunks, wanted = a_set(), [SLOWER]
    half = len(chunks) // 2

    def read() -> Profile:
        if not wanted:
            raise ConfigError("machine.toml:5: [machine] top_m must be a number")
        return wanted[0]

    async def story(daemon: Daemon, machine: Machine, address: Address) -> None:
        changing = Reload(daemon, read)
        running = asyncio.create_task(changing.run())
        machine.move(chunks[:half])
        await until(lambda: daemon._newest is not None and daemon._newest.set == 1 and machine.is_done)
        changing.ask()
        await until(lambda: daemon.config.pending)
        machine.move(chunks[half : half + 5])  # the set continues with the old profile
        await until(lambda: machine.is_done)
        assert daemon.config.pending
        assert daemon.profile == PROFILE
        in_set = daemon.session
        machine.move(chunks[half + 5 :])
        await until(lambda: daemon.profile == SLOWER)
        assert in_set is not None
        assert daemon.session is not in_set
        async with listening(address, "info") as listener:
            while (info := await listener.next("info"))["protocol"]["positive_s"] != 5.0:
                pass
        assert info["config"] == {"pending": False, "trouble": None, "restart": []}
        for asked, expected in [({"name": "4/4"}, 4.0), ({}, 5.0)]:  # the profile's own is that of the new file
            await daemon.command(ask(ProtocolCommand, **asked))
            assert daemon.profile.protocol.positive_s == expected

        wanted.clear()
        changing.ask()
        await until(lambda: daemon.config.trouble)
        assert daemon.config.trouble == "machine.toml:5: [machine] top_m must be a number"
        assert daemon.profile == SLOWER

        wanted.append(MOVED)
        changing.ask()
        await until(lambda: daemon.config.restart)
        assert daemon.config.restart == ("[serial]",)
        assert daemon.profile == msgspec.structs.replace(SLOWER, protocol=MOVED.protocol)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    with_daemon(tmp_path, story)


def test_another_machine_or_a_missing_calibration_is_refused() -> None:
    other = msgspec.structs.replace(PROFILE, machine=msgspec.structs.replace(PROFILE.machine, id="row"))
    for profile, sentence in (
        (other, "restart for another machine"),
        (msgspec.structs.replace(PROFILE, calibration=None), "Not calibrated yet"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            reload.usable(PROFILE, profile)


def test_sighup_reloads_the_file_and_an_error_in_it_does_not_end_the_daemon(tmp_path: Path) -> None:
    profile = a_profile(tmp_path, None)

    async def story() -> None:
        with a_daemon(tmp_path, profile, tmp_path / "no-port") as daemon:
            await until(lambda: daemon.is_up)
            good = profile.read_text()
            profile.write_text(good.replace("top_m = 0.43", "top_m = 430"))
            os.kill(daemon.pid, signal.SIGHUP)
            await until(lambda: [line for line in daemon.lines if "top_m must be" in line])
            profile.write_text(good.replace('"2/4"', '"5/5"'))
            os.kill(daemon.pid, signal.SIGHUP)
            await until(lambda: [line for line in daemon.lines if "was reloaded" in line])
            assert daemon.stop() == 0

    asyncio.run(story())
