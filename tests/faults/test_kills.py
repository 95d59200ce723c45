"""Random kills of all programs: stored events still reach the consumer once and in order."""

import asyncio
import random
import time
from itertools import pairwise
from pathlib import Path

from monitor.mqtt.client.address import Address
from tests import needs
from tests.daemon.whole import a_profile
from tests.faults.stage import Collector, a_daemon, a_lifter, on_disk, until
from tests.mqtt.brokers import mosquitto
from tests.soak import Figure, long, soak

pytestmark = [soak, needs.mosquitto]
DAEMON_KILLS, BROKER_KILLS, ABSENCES = long((60, 40, 20), (1, 1, 1))
CHATTY = "tests.faults.chatty"  # 40 events a second while it lives


def test_kills_of_all_programs_lose_nothing_repeat_nothing_and_keep_the_order(tmp_path: Path, figure: Figure) -> None:
    dice = random.Random(5)
    acts = ["daemon"] * DAEMON_KILLS + ["broker"] * BROKER_KILLS + ["absence"] * ABSENCES
    dice.shuffle(acts)
    store = tmp_path / "state" / "e2e" / "events.db"

    async def story(profile: Path, port: int) -> tuple[Collector, float]:
        collector = Collector(Address(host="127.0.0.1", port=port))
        collector.come()
        daemon = a_daemon(tmp_path, profile, tmp_path / "tty", module=CHATTY)
        with a_lifter(tmp_path, profile, 1.0) as lifter, daemon:
            await until(lambda: len(collector.records) >= 3)
            began_s = time.monotonic()
            for act in acts:
                await asyncio.sleep(dice.uniform(0.3, 1.6))
                if act == "daemon":
                    daemon.kill()
                    daemon.start()
                    await asyncio.sleep(1.0)  # for its start
                elif act == "broker":
                    broker.kill()
                    await asyncio.sleep(dice.uniform(0, 0.5))
                    broker.start()
                else:
                    await collector.go()
                    await asyncio.sleep(dice.uniform(0.2, 1.0))
                    collector.come()
            took_s = time.monotonic() - began_s
            count = len(collector.records)
            await until(lambda: len(collector.records) > count)  # it goes on
            assert daemon.stop() == 0
            lifter.kill()  # so that no new events arise
            kept = on_disk(store)
            daemon.start()  # for the remaining questions
            await until(lambda: collector.ledger.seq >= kept[-1].seq)
        await collector.go()
        assert not [line for line in daemon.lines if "Traceback" in line or "exception" in line.lower()]
        return collector, took_s

    with mosquitto(tmp_path) as broker:
        collector, took_s = asyncio.run(story(a_profile(tmp_path, broker.port), broker.port))

    kept = on_disk(store)
    seqs = collector.seqs
    lost = {event.seq for event in kept} - set(seqs)
    doubled = len(seqs) - len(set(seqs))
    figure(
        f"{DAEMON_KILLS} kills of the daemon, {BROKER_KILLS} of the broker, {ABSENCES} absences",
        f"{len(kept)} events, {len(kept) / took_s:.0f}/s: {len(lost)} lost, {doubled} doubled, "
        f"{sum(b <= a for a, b in pairwise(seqs))} out of order, {collector.ledger.resets} stores replaced",
    )
    assert seqs == [event.seq for event in kept] == list(range(1, len(kept) + 1))
    assert collector.ledger.lost == 0
