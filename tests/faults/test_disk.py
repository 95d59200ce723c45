"""A disk that stalls, fails or is full: live feedback continues, accepted data is not lost, and it is reported."""

import asyncio
import errno
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import aiomqtt
import msgspec
import pytest

from firmware_bridge.formats.decoder import Decoder
from monitor.mqtt.client.address import Address
from monitor.mqtt.contract.messages import InfoMessage
from monitor.record.retention import free_bytes
from monitor.record.session_reader import read_session
from tests import needs
from tests.daemon.whole import a_profile
from tests.faults.disks import an_image, mounted
from tests.faults.shim import Shim
from tests.faults.stage import Collector, a_daemon, a_lifter, on_disk, until
from tests.firmware_bridge.wire import RAW
from tests.mqtt.brokers import mosquitto
from tests.soak import SOAKING, Figure, long, soak, soak_only

pytestmark = [soak, needs.mosquitto]
CHATTY = "tests.faults.chatty"
STALL_S = long(5.0, 1.0)
STALLS = long(3, 1)
FULL_S = 70.0


class Screen:
    """The arrival times of live feedback on the host's clock, and the last info."""

    def __init__(self, port: int) -> None:
        self.came_s: list[float] = []
        self.infos: list[InfoMessage] = []
        self._port = port

    async def look(self) -> None:
        async with aiomqtt.Client("127.0.0.1", self._port) as client:
            await client.subscribe("rep/e2e/live/feedback", 0)
            await client.subscribe("rep/e2e/info", 1)
            async for message in client.messages:
                if message.topic.value.endswith("info"):
                    self.infos.append(msgspec.json.decode(bytes(message.payload), type=InfoMessage))
                else:
                    self.came_s.append(time.monotonic())

    def longest_pause_s(self, since_s: float) -> float:
        return max(b - a for a, b in pairwise(self.came_s) if b >= since_s)


class Recorded:
    """What a recording contains about losses."""

    def __init__(self, path: Path) -> None:
        session = read_session(path)
        chunks = list(session.chunks())
        decoder = Decoder(RAW)
        decoder.feed(*chunks)
        counts = decoder.counts
        self.lost = counts.lost_position_samples + counts.lost_force_samples
        self.samples = counts.position_samples + counts.force_samples
        self.gaps = sum(record.topic == "/gap" for record in session)
        self.damage = session.damage


@needs.compiler
@pytest.mark.parametrize("fault", long(["stalls", "fails"], ["stalls"]))
def test_a_disk_that_stalls_or_fails_disturbs_nothing_else(tmp_path: Path, figure: Figure, fault: str) -> None:
    async def story(profile: Path, port: int, shim: Shim) -> tuple[Collector, float]:
        collector, screen = Collector(Address(host="127.0.0.1", port=port)), Screen(port)
        collector.come()
        looking = asyncio.create_task(screen.look())
        daemon = a_daemon(tmp_path, profile, tmp_path / "tty", shim.environment, CHATTY)
        with a_lifter(tmp_path, profile, 1.0) as lifter, daemon:
            await until(lambda: len(collector.records) >= 20 and screen.came_s)
            began_s = time.monotonic()
            for _ in range(STALLS):
                if fault == "stalls":
                    shim.stall_syncs(STALL_S)
                else:
                    shim.fail_syncs(errno.EIO)
                await asyncio.sleep(STALL_S)
                shim.stall_syncs(0)
                shim.fail_syncs(0)
                count = len(collector.records)
                await until(lambda: len(collector.records) > count + 10)  # noqa: B023
            await until(lambda: screen.came_s[-1] > began_s)
            paused_s = screen.longest_pause_s(began_s)
            if fault == "fails":
                await until(lambda: screen.infos[-1].storage.store_failures > 0)
                await until(lambda: screen.infos[-1].storage.trouble is None)
            assert daemon.stop() == 0
            if fault == "fails":
                assert [line for line in daemon.lines if "cannot be used" in line or "cannot be written" in line]
            lifter.kill()  # so that no new events arise
            last_seq = on_disk(store)[-1].seq
            daemon.start()  # for the remaining questions
            await until(lambda: collector.ledger.seq >= last_seq)
        await collector.go()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        return collector, paused_s

    store = tmp_path / "state" / "e2e" / "events.db"
    with mosquitto(tmp_path) as broker, Shim(tmp_path) as shim:
        collector, paused_s = asyncio.run(story(a_profile(tmp_path, broker.port), broker.port, shim))

    recorded = Recorded(min((tmp_path / "state" / "e2e" / "recordings").rglob("*.mcap")))
    said = next(line for line in (tmp_path / "daemon.log").read_text().splitlines() if line.startswith("pauses_ms"))
    usual_ms, worst_ms = (float(word) for word in said.split()[1:])
    figure(
        f"disk {fault} {STALL_S:g} s, {STALLS} times",
        f"{recorded.lost} of {recorded.samples} samples lost, detector gap {usual_ms:.0f} ms (99.9 %), at most "
        f"{worst_ms:.0f} ms; live at most {paused_s * 1e3:.0f} ms apart",
    )
    assert (recorded.lost, recorded.gaps, recorded.damage) == (0, 0, [])
    assert collector.seqs == [event.seq for event in on_disk(store)] == list(range(1, len(collector.seqs) + 1))
    if SOAKING:  # a busy machine also pauses, but not as long as its disk
        assert usual_ms <= 50
        assert worst_ms <= STALL_S * 1000 / 20
        assert paused_s <= STALL_S / 5


@soak_only  # test_budget.py and test_store_faults.py test its parts
def test_a_full_disk_stops_recording_then_events_and_never_live(tmp_path: Path, figure: Figure) -> None:
    async def story(profile: Path, port: int, disk: Path) -> tuple[Collector, float, float, int]:
        collector, screen = Collector(Address(host="127.0.0.1", port=port)), Screen(port)
        collector.come()
        looking = asyncio.create_task(screen.look())
        daemon = a_daemon(tmp_path, profile, tmp_path / "tty", {"STATE_DIRECTORY": str(disk)}, CHATTY)
        with a_lifter(tmp_path, profile, 1.0) as lifter, daemon:
            await until(lambda: len(collector.records) >= 20)
            fill(disk / "reserve", disk, leave_bytes=6 << 20)  # room for events only
            count = len(collector.records)
            await until(
                lambda: [line for line in daemon.lines if "No space left except the reserve for events" in line]
            )
            await until(lambda: len(collector.records) > count + 20)
            fill(disk / "rest", disk, leave_bytes=0)
            began_s = time.monotonic()
            await until(lambda: [line for line in daemon.lines if "events.db cannot be used" in line])
            await asyncio.sleep(FULL_S)
            assert time.monotonic() - screen.came_s[-1] < 2.0
            said = [line for line in daemon.lines if "cannot be" in line]
            paused_s = screen.longest_pause_s(began_s)
            for ballast in ("reserve", "rest"):
                (disk / ballast).unlink()
            count = len(collector.records)
            recovered_s = await until(lambda: len(collector.records) > count + 20)
            await until(lambda: screen.infos[-1].recording == "on")
            assert daemon.stop() == 0
            lifter.kill()
            last_seq = on_disk(store_of(disk))[-1].seq
            daemon.start()
            await until(lambda: collector.ledger.seq >= last_seq)
        await collector.go()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        return collector, paused_s, recovered_s, len(said)

    def store_of(disk: Path) -> Path:
        return disk / "e2e" / "events.db"

    image = an_image(tmp_path, 32, "a full disk is played")
    with mosquitto(tmp_path) as broker, mounted(image, tmp_path / "disk") as disk:
        profile = a_profile(tmp_path, broker.port)
        collector, paused_s, recovered_s, said = asyncio.run(story(profile, broker.port, disk))
        kept = on_disk(store_of(disk))
        recorded = Recorded(min((disk / "e2e" / "recordings").rglob("*.mcap")))
    figure(
        f"disk full for {FULL_S:g} s",
        f"live at most {paused_s * 1e3:.0f} ms apart, {said} lines in the log, events again {recovered_s:.1f} s after "
        f"there is room, {recorded.lost} of {recorded.samples} samples lost, {recorded.gaps} gaps reported",
    )
    assert collector.seqs == [event.seq for event in kept] == list(range(1, len(kept) + 1))
    assert recorded.damage == []
    assert recorded.lost == 0 or recorded.gaps
    assert said <= 2 * (1 + FULL_S // 60 + 1)  # two causes, a line a minute each


def fill(ballast: Path, disk: Path, leave_bytes: int) -> None:
    """Takes the disk's room, but for what is left."""
    with ballast.open("wb", buffering=0) as file:
        block = bytes(64 << 10)
        with suppress(OSError):  # the last of it
            while free_bytes(disk) > leave_bytes:
                file.write(block[: max(1, min(len(block), free_bytes(disk) - leave_bytes))])
