"""Power cuts of the whole daemon: published events are on disk, and the recording lacks what was not synced yet.

That is at most a second of samples, which the long form asks: a busy machine may write later.

The image of a mounted file system at one moment contains the data that have reached the disk. The daemon is frozen for
that moment, so its published events are known, and continues afterwards.
"""

import asyncio
import random
import time
from pathlib import Path

import pytest

from monitor.mqtt.client.address import Address
from monitor.record.session_reader import read_session
from monitor.store.store import Store
from tests import needs
from tests.daemon.whole import a_profile
from tests.faults.disks import an_image, mounted, run
from tests.faults.shim import Shim
from tests.faults.stage import Collector, a_daemon, a_lifter, until
from tests.mqtt.brokers import mosquitto
from tests.soak import SOAKING, Figure, long, soak

pytestmark = [soak, needs.mosquitto, needs.compiler]
CUTS = long(20, 1)
SPEED = 4.0  # times real time; host time, by which a second is a second, does not know of it


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return an_image(tmp_path, 64, "a power cut is played")


def test_a_power_cut_costs_no_published_event_and_at_most_a_second_of_samples(
    image: Path, tmp_path: Path, figure: Figure
) -> None:
    dice = random.Random(9)
    published: list[int] = []  # the last seq that the consumer had at each cut
    frozen_ns: list[int] = []
    recorded: list[bytes] = []  # what the kernel had reported to be on the disk

    async def story(profile: Path, port: int, disk: Path, shim: Shim) -> None:
        collector = Collector(Address(host="127.0.0.1", port=port))
        collector.come()
        daemon = a_daemon(tmp_path, profile, tmp_path / "tty", {"STATE_DIRECTORY": str(disk)} | shim.environment)
        with a_lifter(tmp_path, profile, SPEED), daemon:
            await until(lambda: len(collector.records) >= 3 and shim.recorded_bytes)
            for cut in range(CUTS):
                await asyncio.sleep(dice.uniform(0.5, 3.0))
                daemon.freeze()
                frozen_ns.append(time.monotonic_ns())
                await asyncio.sleep(0.2)  # for what is under way from the broker
                published.append(collector.ledger.seq)
                recorded.append(recording_on(disk).read_bytes()[: shim.recorded_bytes])
                await asyncio.to_thread(run, "cp", "--sparse=always", image, tmp_path / f"after-{cut}.img")
                daemon.thaw()
            assert daemon.stop() == 0
        await collector.go()

    with mosquitto(tmp_path) as broker, mounted(image, tmp_path / "disk") as disk, Shim(tmp_path) as shim:
        asyncio.run(story(a_profile(tmp_path, broker.port), broker.port, disk, shim))

    lost_s: list[float] = []
    for cut in range(CUTS):
        with mounted(tmp_path / f"after-{cut}.img", tmp_path / "after") as disk:
            with Store(disk / "e2e" / "events.db") as store:
                assert store.set_aside is None
                assert store.last_seq >= published[cut] > 0
                assert [event.seq for event in store.after(0, 1_000_000)] == list(range(1, store.last_seq + 1))
            assert recording_on(disk).read_bytes().startswith(recorded[cut])
            session = read_session(recording_on(disk))
            last_ns = max(record.at_ns for record in session if record.topic == "/wire")
            assert session.header is not None
            lost_s.append((frozen_ns[cut] - last_ns) / 1e9)
        (tmp_path / f"after-{cut}.img").unlink()
    figure(
        f"{CUTS} power cuts (copied loop image)",
        f"0 of {published[-1]} published events lost, {CUTS}/{CUTS} open, at most {max(lost_s):.2f} s of samples lost",
    )
    if SOAKING:  # a busy machine may write later
        assert max(lost_s) <= 1.0


def recording_on(disk: Path) -> Path:
    (recording,) = (disk / "e2e" / "recordings").rglob("*.mcap")
    return recording
