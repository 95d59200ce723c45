"""Clocks that jump, wrap and restart: events keep their times and durations."""

import asyncio
import os
import time
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import firmware_bridge.simulator as simulator
from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.simulator import faults as sensor
from monitor.__main__ import main
from monitor.demo.simulated import kit_of, machine_of
from monitor.detect.spine import Spine
from monitor.events import AnyEvent, encode
from monitor.mqtt.client.address import Address
from tests import needs
from tests.daemon.stage import PROFILE
from tests.daemon.whole import a_profile
from tests.faults.shim import Shim
from tests.faults.stage import Collector, a_daemon, a_lifter, on_disk, until
from tests.mqtt.brokers import mosquitto
from tests.soak import Figure, long, soak

pytestmark = soak
WRAP_AFTER_S = long(tuple(range(3, 33, 3)), (12,))
RESETS = long(100, 5)
RESETS_A_SET = 5
LONG_READ_S = 0.4  # costs less; after half a second the stream counts as paused
SLACK_S = 0.3  # a reset is bridged by arrival times; each reset shifts the clock a little
STEPS = long(12, 2)
DAY_S = 86_400


@cache
def a_faulty_set() -> simulator.Trace:
    machine = machine_of(PROFILE)
    return simulator.simulate(machine, simulator.faulty_set(np.random.default_rng(4), machine, 2.0, 4.0, 4), seed=3)


def sent(clock_start_us: int, faults: tuple[sensor.Fault, ...] = (), read_s: float = 0.1) -> list[Chunk]:
    kit = simulator.Kit(wiring=kit_of(PROFILE).wiring, clock_start_us=clock_start_us, faults=faults)
    return simulator.board_chunks(a_faulty_set(), kit, seed=3, read_s=read_s)


def detected(chunks: list[Chunk]) -> tuple[list[AnyEvent], Decoder]:
    wiring = kit_of(PROFILE).wiring
    assert wiring is not None
    decoder, spine = Decoder(wiring), Spine(PROFILE, "s", feedback=False)
    events = [event for chunk in chunks for event in spine.update(decoder.feed(chunk)).events]
    return events + spine.finish().events, decoder


def test_a_device_clock_that_wraps_changes_nothing(figure: Figure) -> None:
    plain, _ = detected(sent(1_000_000, read_s=LONG_READ_S))
    expected = [encode(event) for event in plain]
    assert len(expected) > 10
    for after_s in WRAP_AFTER_S:
        events, decoder = detected(sent(2**32 - after_s * 1_000_000, read_s=LONG_READ_S))
        assert [encode(event) for event in events] == expected
        assert decoder.counts.resets == 0
    figure(
        f"device clock wraps, at {len(WRAP_AFTER_S)} places of a set",
        f"the same {len(expected)} records, byte for byte",
    )


def test_no_event_reaches_over_a_reset(figure: Figure) -> None:
    dice = np.random.default_rng(8)
    longest_s = 0.0
    for _ in range(RESETS // RESETS_A_SET):
        resets = [
            sensor.DeviceReset(4.0 + 6.0 * k + float(dice.uniform(0, 4)), float(dice.uniform(0.2, 1.2)), bool(k % 2))
            for k in range(RESETS_A_SET)
        ]
        events, decoder = detected(sent(1_000_000, tuple(resets)))
        assert decoder.counts.resets == RESETS_A_SET
        last = {event.id: event for event in events}
        for event in last.values():
            duration_s = event.duration_s or 0.0
            assert duration_s >= 0
            if event.kind not in ("sensor_fault", "rep"):
                longest_s = max(longest_s, duration_s)
                for reset in resets:
                    begins_before = event.t_s < reset.at_s - SLACK_S
                    ends_behind = event.t_s + duration_s > reset.at_s + reset.down_s + SLACK_S
                    assert not (begins_before and ends_behind), event
    figure(f"{RESETS} resets of the device in sets", f"0 events reach over one; the longest lasts {longest_s:.1f} s")
    assert longest_s < 60


@needs.mosquitto
@needs.compiler
def test_a_wall_clock_that_steps_a_day_changes_no_event(tmp_path: Path, figure: Figure) -> None:
    """Forwards and back, while the whole daemon runs; a later replay of its recording gives the same events."""
    store = tmp_path / "state" / "e2e" / "events.db"

    def last_ahead_s() -> float:
        """By how much the daemon's clock was ahead when it stored its last event."""
        return on_disk(store)[-1].stored_unix_s - time.time()

    async def story(profile: Path, port: int, shim: Shim) -> Collector:
        collector = Collector(Address(host="127.0.0.1", port=port))
        collector.come()
        daemon = a_daemon(tmp_path, profile, tmp_path / "tty", shim.environment)
        with a_lifter(tmp_path, profile, 4.0) as lifter, daemon:
            await until(lambda: len(collector.records) >= 2)
            for step in range(STEPS):
                shim.step_wall_clock(ahead_s := (DAY_S, 0, -DAY_S, 0)[step % 4])
                await until(lambda: abs(last_ahead_s() - ahead_s) < DAY_S / 2)
                count = len(collector.records)
                await until(lambda: len(collector.records) >= count + 3)  # noqa: B023
            assert daemon.stop() == 0
            shim.step_wall_clock(0)
            lifter.kill()
            last_seq = on_disk(store)[-1].seq
            daemon.start()
            await until(lambda: collector.ledger.seq >= last_seq)
        await collector.go()
        return collector

    with mosquitto(tmp_path) as broker, Shim(tmp_path) as shim:
        collector = asyncio.run(story(a_profile(tmp_path, broker.port), broker.port, shim))
    kept = on_disk(store)
    assert collector.seqs == [event.seq for event in kept] == list(range(1, len(kept) + 1))
    stepped_s = [b.stored_unix_s - a.stored_unix_s for a, b in pairwise(kept)]
    assert max(stepped_s) > DAY_S / 2  # the wall clock did step
    assert min(stepped_s) < -DAY_S / 2
    recording = min((tmp_path / "state" / "e2e" / "recordings").rglob("*.mcap"))
    assert main(["replay", str(recording), "--events", str(tmp_path / "again.jsonl")]) == 0
    session = kept[0].session
    assert (tmp_path / "again.jsonl").read_bytes().splitlines() == [e.record for e in kept if e.session == session]
    live = [record for record in collector.records if not record.historical]
    figure(
        f"wall clock steps of a day, {STEPS} times",
        f"{len(kept)} records, byte for byte those of a replay; {len(live)} of them published live",
    )


@pytest.mark.parametrize("zone", ["UTC", "America/St_Johns", "Asia/Kathmandu"])
def test_the_zone_of_the_clock_changes_no_event(zone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "TZ", zone)
    recording = Path(__file__).parents[1] / "recordings" / "clean.mcap"
    assert main(["replay", str(recording), "--events", str(tmp_path / "out.jsonl")]) == 0
    assert (tmp_path / "out.jsonl").read_bytes() == recording.with_suffix(".events.jsonl").read_bytes()
