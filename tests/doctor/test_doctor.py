"""The command on real ports, brokers and a daemon: each fault is found, and the daemon is not disturbed."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.messages import Ping
from firmware_bridge.link_state import LinkState
from firmware_bridge.simulator import Kit
from monitor.__main__ import main
from monitor.calibrate.listening_port import ListeningPort
from monitor.exit_codes import ExitCode
from tests import needs
from tests.calibrate.bench import Rig, rig
from tests.calibrate.device import device
from tests.daemon.stage import PROFILE
from tests.fake_device import FakeDevice
from tests.mqtt.brokers import free_port, mosquitto
from tests.record.waiting import until

KEYS = [
    "profile", "calibration", "port", "by_id", "permission", "holder", "modem_manager", "firmware", "cable",
    "rates", "lost_frames", "cell_noise", "cell_drift", "encoder", "clock", "disk_space", "disk_mount", "storage",
    "broker", "broker_access", "page",
]  # fmt: skip


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))


def profile(folder: Path, one: Rig | None = None, **tables: str) -> Path:
    wiring = (one or rig(1)).kit.calibration((one or rig(1)).machine)
    path = folder / "machine.toml"
    path.write_text(
        f"""[machine]
id = "rig"
kind = "stack"
[protocol]
name = "4/4"
[calibration]
metres_per_count = {wiring.metres_per_count}
newtons_per_count = {wiring.newtons_per_count}
force_zero_counts = {int(wiring.force_zero_counts)}
[display]
port = {free_port()}
"""
        + "".join(f"[{table}]\n{text}\n" for table, text in tables.items())
    )
    return path


def examined(path: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    status = main(["doctor", str(path), "--json", *words])
    result = json.loads(capsys.readouterr().out)
    assert result["v"] == 1
    findings = {finding["key"]: finding for finding in result["findings"]}
    wrong = [finding for finding in findings.values() if finding["verdict"] in ("bad", "crashed")]
    assert result["wrong"] == len(wrong)
    assert status == (ExitCode.FAILED if wrong else ExitCode.DONE)
    return status, findings


def test_a_healthy_machine_has_no_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = rig(1, lost_fraction=0.0)
    with device(one, one.helper.still(20.0)) as port:
        _, found = examined(profile(tmp_path, one), capsys, "--port", port)
    assert list(found) == KEYS
    environment = ("clock", "disk_space", "disk_mount", "by_id", "modem_manager", "calibration")
    verdicts = {key: found[key]["verdict"] for key in KEYS if key not in environment}
    assert verdicts == {key: "unknown" if key in ("broker", "page", "storage") else "ok" for key in verdicts}, found
    assert found["firmware"]["found"] == "1.0.0, protocol 1"


@pytest.mark.parametrize(
    ("key", "kit", "said"),
    [
        ("lost_frames", {"lost_fraction": 0.05}, "did not read them in time"),
        ("cell_noise", {"noise_n": 9.0}, "N rms at rest"),
        ("rates", {"force_rate_hz": 40.0}, "40.0 forces a second"),
    ],
)
def test_a_fault_of_the_sensors_is_found(
    key: str, kit: dict[str, float], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = rig(1, **({"lost_fraction": 0.0} | kit))
    with device(one, one.helper.still(20.0)) as port:
        _, found = examined(profile(tmp_path, one), capsys, "--port", port)
    assert found[key]["verdict"] == ("note" if key == "rates" else "bad")
    assert said in found[key]["found"]


def test_a_zero_that_has_drifted_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = rig(1, lost_fraction=0.0)
    wiring = one.kit.calibration(one.machine)
    off = Calibration(
        metres_per_count=wiring.metres_per_count,
        position_zero_counts=wiring.position_zero_counts,
        newtons_per_count=wiring.newtons_per_count,
        force_zero_counts=wiring.force_zero_counts + 12.0 / wiring.newtons_per_count,
    )
    walked = Rig(one.machine, Kit(wiring=off, noise_n=0.5), one.helper, 1)
    with device(walked, one.helper.still(20.0)) as port:
        _, found = examined(profile(tmp_path, one), capsys, "--port", port)
    assert found["cell_drift"]["verdict"] == "bad"
    assert "+12" in found["cell_drift"]["found"]


def test_a_machine_in_use_leaves_the_noise_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = rig(1, lost_fraction=0.0)
    with device(one, one.helper.repetitions()) as port:
        _, found = examined(profile(tmp_path, one), capsys, "--port", port)
    assert found["cell_noise"]["verdict"] == "unknown"
    assert "in use" in found["cell_noise"]["found"]


def test_firmware_of_another_protocol_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeDevice(tmp_path / "tty", protocol=9):
        _, found = examined(profile(tmp_path), capsys, "--port", str(tmp_path / "tty"))
    assert found["firmware"]["verdict"] == "bad"
    assert "protocol 9" in found["firmware"]["found"]


def test_another_device_at_the_port_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.calibrate.listening_port.PATIENCE_S", 3.0)
    with FakeDevice(tmp_path / "tty", "nmea"):
        _, found = examined(profile(tmp_path), capsys, "--port", str(tmp_path / "tty"))
    assert found["firmware"]["verdict"] == "bad"
    assert "sends text" in found["firmware"]["found"]


def test_time_in_which_the_program_stood_still_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.calibrate.listening_port.PATIENCE_S", 0.3)
    line = ListeningPort(PROFILE, "a-port")
    line.state = LinkState(state="hello", detail="asking who is there", since_ns=0)

    async def story() -> None:
        watching = asyncio.create_task(line._until_silent())
        await asyncio.sleep(0)
        time.sleep(0.4)  # noqa: ASYNC251 - it stands still
        for _ in range(5):
            await asyncio.sleep(0)
        assert not watching.done()
        await watching

    asyncio.run(story())


def test_a_port_that_another_program_has_open_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hold = "import serial, sys; p = serial.Serial(sys.argv[1], exclusive=True); print('held', flush=True); input()"
    with FakeDevice(tmp_path / "tty"):
        holding = subprocess.Popen(
            [sys.executable, "-c", hold, str(tmp_path / "tty")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert holding.stdout is not None
            assert holding.stdout.readline() == "held\n"
            _, found = examined(profile(tmp_path), capsys, "--port", str(tmp_path / "tty"))
        finally:
            holding.kill()
            holding.communicate()
    assert found["holder"]["verdict"] == "bad"
    assert str(holding.pid) in found["holder"]["found"]
    assert found["firmware"]["verdict"] == "bad"


def test_a_missing_port_and_an_invalid_profile_are_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = profile(tmp_path)
    _, found = examined(path, capsys, "--port", "/dev/shm/no-such-port")
    assert found["port"]["verdict"] == "bad"
    path.write_text("[machine]\nid = 3\n")
    _, found = examined(path, capsys)
    assert list(found) == ["profile"]
    assert "machine.toml:2: [machine] id" in found["profile"]["found"]


def test_a_check_that_crashes_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(directory: Path) -> int:
        raise ZeroDivisionError("of bytes")

    monkeypatch.setattr("monitor.doctor.probes.free_bytes", broken)
    status, found = examined(profile(tmp_path), capsys, "--port", "/dev/shm/no-such-port")
    assert status == ExitCode.FAILED
    assert found["disk_space"]["verdict"] == "crashed"
    assert "ZeroDivisionError: of bytes" in found["disk_space"]["found"]
    assert "disk_mount" in found


def test_a_daemon_whose_account_this_user_cannot_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doctor reports it and does not crash."""
    path = profile(tmp_path, mqtt='host = "127.0.0.1"\nusername = "daemon-rig"\npassword_file = "gone"')
    monkeypatch.setattr("monitor.doctor.examination.daemon_of", lambda _: (4711, None))
    _, found = examined(path, capsys, "--port", "/dev/shm/no-such-port")
    assert found["firmware"]["verdict"] == "bad"
    assert "4711" in found["firmware"]["found"]
    assert not [finding for finding in found.values() if finding["verdict"] == "crashed"]


def test_findings_are_printed_line_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--config", str(profile(tmp_path)), "--port", "/dev/shm/no-such-port"]) == ExitCode.FAILED
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok      profile ")
    assert any(line.startswith("bad     port ") and "plug the board in" in line for line in lines)
    assert lines[-1].startswith("Faults: port")


@needs.mosquitto
@pytest.mark.parametrize(
    ("acl", "more", "key", "verdict", "said"),
    [
        (None, "", "broker_access", "note", "anybody on this computer can connect"),
        ("topic read #\n", "", "broker_access", "bad", "rep/rig/ack/doctor may not be published"),
    ],
)
def test_an_open_or_restrictive_broker_is_found(
    acl: str | None, more: str, key: str, verdict: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with mosquitto(tmp_path, acl, more) as broker:
        path = profile(tmp_path, mqtt=f'host = "127.0.0.1"\nport = {broker.port}')
        _, found = examined(path, capsys, "--port", "/dev/shm/no-such-port")
        assert found["broker"]["verdict"] == "ok"
        assert (found[key]["verdict"], said in found[key]["found"]) == (verdict, True), found[key]
    _, found = examined(path, capsys, "--port", "/dev/shm/no-such-port")
    assert found["broker"]["verdict"] == "bad"
    assert "no broker answers" in found["broker"]["found"]


@needs.mosquitto
def test_a_broker_that_refuses_the_account_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with mosquitto(tmp_path) as broker:
        broker.kill()
        settings = tmp_path / "mosquitto.conf"
        settings.write_text(settings.read_text().replace("allow_anonymous true", "allow_anonymous false"))
        broker.start()
        path = profile(tmp_path, mqtt=f'host = "127.0.0.1"\nport = {broker.port}')
        _, found = examined(path, capsys, "--port", "/dev/shm/no-such-port")
    assert found["broker"]["verdict"] == "bad"
    assert "refuses the connection" in found["broker"]["found"]


@contextlib.contextmanager
def running(path: Path, port: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-u", "-m", "monitor", "run", "--config", str(path), "--port", port]
    daemon = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert daemon.stdout is not None
        assert "broker" in daemon.stdout.readline()
        yield daemon
    finally:
        daemon.terminate()
        daemon.communicate(timeout=120)


def test_a_running_daemon_is_asked_and_not_disturbed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.doctor.broker.INFO_WITHIN_S", 120.0)
    path = profile(tmp_path)
    link = tmp_path / "tty"
    with FakeDevice(link) as board, running(path, str(link)) as daemon:
        until(lambda: any(isinstance(heard, Ping) for heard in board.heard))
        openings = board.openings
        _, found = examined(path, capsys, "--port", str(link))
        assert board.openings == openings
        assert daemon.poll() is None
    verdicts = {
        key: found[key]["verdict"]
        for key in ("holder", "firmware", "rates", "storage", "broker", "page", "broker_access")
    }
    assert verdicts == dict.fromkeys(verdicts, "ok"), found
    assert f"the daemon (pid {daemon.pid}) has it open" in found["holder"]["found"]
    assert "daemon uses the port" in found["cell_noise"]["found"]
    assert not (Path(os.environ["STATE_DIRECTORY"]) / "rig" / "up.json").exists()
