"""The whole path: the ELF on its emulated board, pty, serial port, detector, store, broker and a client."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from firmware_bridge.chunk import Chunk
from firmware_bridge.emulated_board import EmulatedBoard, emulated_board
from firmware_bridge.emulator_build import Firmware
from firmware_bridge.serial_port import read_chunks
from monitor.daemon.daemon import Daemon
from monitor.daemon.serve import Up, serve
from monitor.mqtt.client.consumer import Consumer
from monitor.mqtt.client.ledger import ReceivedRecord
from monitor.profile.profile import MqttSettings, Profile
from tests import needs
from tests.firmware.detecting import HARMLESS, REPS, profile_of
from tests.firmware.rig import Truth, a_set
from tests.mqtt.brokers import Mosquitto, mosquitto
from tests.mqtt.stage import until

pytestmark = [needs.avr, needs.mosquitto]
Build = Callable[..., Firmware]

PACE = 3.0  # times real time
LIMIT_S = 600


def at(broker: Mosquitto, truth: Truth) -> Profile:
    profile = profile_of(truth)
    display = msgspec.structs.replace(profile.display, enabled=False)
    return msgspec.structs.replace(profile, display=display, mqtt=MqttSettings(host="127.0.0.1", port=broker.port))


def test_a_set_and_then_everything_goes_wrong(built: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setattr("firmware_bridge.link.GIVE_UP_NS", round(LIMIT_S * 1e9))  # the emulator may rest
    monkeypatch.setattr("firmware_bridge.emulated_board.STOP_TIMEOUT_S", float(LIMIT_S))
    truth = a_set(tmp_path, REPS)
    records: list[ReceivedRecord] = []

    def received(kind: str) -> list[ReceivedRecord]:
        return [record for record in records if record.event.kind == kind]

    def causes() -> set[str]:
        return {str(getattr(record.event, "cause", None)) for record in received("sensor_fault")}

    async def hear(record: ReceivedRecord) -> None:
        records.append(record)

    async def story(profile: Profile, board: EmulatedBoard) -> None:
        up: asyncio.Future[Up] = asyncio.get_running_loop().create_future()

        def source(daemon: Daemon) -> AsyncGenerator[Chunk, None]:
            return read_chunks(str(board.port), profile.serial.baud, on_state=daemon.on_link)

        async with asyncio.TaskGroup() as group:
            serving = group.create_task(serve(profile, source, on_up=up.set_result))
            here = await up
            listener = Consumer(here.broker, profile.topic_tree, "listener", hear)
            listening = group.create_task(listener.run())
            daemon = here.daemon

            def device(counter: str) -> int:
                return daemon.info().link.device.get(counter, 0)

            await until(lambda: bool(received("set_end")))
            await until(lambda: daemon.info().link.state == "live")
            await until(lambda: listener.status is not None and listener.status.link == "live")
            assert {record.event.kind for record in records} <= HARMLESS
            assert not received("sensor_fault")
            assert [getattr(record.event, "rep", None) for record in received("rep")] == list(range(1, REPS + 1))

            board.inject("ready_stuck 1")
            await until(lambda: "flagged" in causes() and device("adc_timeout") > 0)
            board.inject("ready_stuck -1")
            board.inject("encoder_jump 2")
            await until(lambda: "encoder_slip" in causes() and device("enc_illegal") == 1)
            await until(lambda: daemon.info().fault is None)
            before = device("boot_id")
            board.inject("hang")
            await until(lambda: "restart" in causes() and device("boot_id") == before + 1)
            await until(lambda: daemon.info().link.counts["resets"] == 1)
            board.inject("cut 1")
            await until(lambda: daemon.info().link.state == "silent")
            board.inject("cut 0")
            await until(lambda: daemon.info().link.state == "live")
            board.unplug()
            await until(lambda: listener.status is not None and listener.status.link == "absent")
            daemon.stop()
            await serving
            listening.cancel()

    with (
        mosquitto(tmp_path) as broker,
        emulated_board(
            built(), truth.calibration, truth.path, link=tmp_path / "tty", pace=PACE, options=("--block",)
        ) as board,
    ):
        asyncio.run(asyncio.wait_for(story(at(broker, truth), board), LIMIT_S))
    assert {record.event.kind for record in records} <= HARMLESS
    assert all(b.seq == a.seq + 1 for a, b in pairwise(records))
    assert causes() >= {"gap", "flagged", "encoder_slip", "restart"}
