"""Bad input on the command line gives one clear sentence and the right exit status, never a traceback."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.serial_port import open_port
from monitor.__main__ import main
from monitor.exit_codes import ExitCode
from tests.fake_device import FakeDevice
from tests.mqtt.brokers import free_port
from tests.profiles import CALIBRATION, PROFILE

CLEAN = Path(__file__).parents[1] / "recordings" / "clean.mcap"
HEADER = "t_s,displacement_m,force_n\n"
ROWS = "".join(f"{row / 50:.3f},0.1,20.0\n" for row in range(100))
MS_ROWS = "".join(f"{2 * row},0.1,20.0\n" for row in range(100))
CUT = CLEAN.stat().st_size // 2


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def config(text: str) -> tuple[list[str], dict[str, str]]:
    return ["config", "check", "m.toml"], {"m.toml": text}


def run_with(text: str, *words: str) -> tuple[list[str], dict[str, str]]:
    return ["run", "--config", "m.toml", *words], {"m.toml": text}


def table(text: str, profile: str | None = PROFILE) -> tuple[list[str], dict[str, str]]:
    beside = {} if profile is None else {"machine.toml": profile}
    return ["replay", "table.csv"], {"table.csv": text, **beside}


def a_file(name: str, data: bytes | str) -> tuple[list[str], dict[str, bytes | str]]:
    return ["replay", name], {name: data}


BAD, STAY = ExitCode.BAD_INPUT, ExitCode.DO_NOT_RESTART
REFUSED = {
    "unknown key": (*config(PROFILE + "bandd = 1\n"), BAD, 'm.toml:10: [protocol] Unknown key "bandd"', 'mean "band"?'),
    "key like no other": (*config(PROFILE + "xyzzy = 1\n"), BAD, "xyzzy", "positive_s", "negative_s", "starts_with"),
    "unknown table": (*config(PROFILE + "[mashine]\n"), BAD, "m.toml:10", "mashine", "machine"),
    "out of range": (*config(PROFILE + "band = 7\n"), BAD, "m.toml:10: [protocol] band", "7"),
    "wrong type": (*config(PROFILE.replace("0.43", '"high"')), BAD, "m.toml:6: [machine] top_m"),
    "no toml": (*config("[machine\n"), BAD, "m.toml:1"),
    "empty profile": (*config(""), BAD, "m.toml", "[machine]"),
    "no profile": (["run", "--config", "none.toml"], {}, STAY, "none.toml", "no such file"),
    "no port": (*run_with(PROFILE + CALIBRATION), STAY, "[serial] port is missing", "rep-monitor ports"),
    "no calibration": (*run_with(PROFILE, "--port", "tty"), STAY, "Not calibrated yet: run `rep-monitor calibrate"),
    "unknown key, run": (*run_with(PROFILE + "bandd = 0.1\n"), STAY, 'm.toml:10: [protocol] Unknown key "bandd"'),
    "missing file": (["replay", "none.csv"], {}, BAD, "none.csv: no such file"),
    "a folder": (["replay", "."], {}, BAD, "is a directory"),
    "empty file": (*table(""), BAD, "table.csv is empty", HEADER.strip()),
    "header alone": (*table(HEADER), BAD, "table.csv has a header and no rows"),
    "wrong header": (*table("time,position,force\n" + ROWS), BAD, "table.csv, line 1 has the columns", HEADER.strip()),
    "another table's header": (*table("Zeit,Weg,Kraft\n" + ROWS), BAD, "lacks t_s", "--columns t=Zeit,x=Weg,f=Kraft"),
    "milliseconds": (*table(HEADER + MS_ROWS), BAD, "t_s grows by 2 from row to row", "add --units ms"),
    "text in a number": (*table(HEADER + ROWS.replace("0.060,0.1", "0.060,up")), BAD, "line 5", "'up', not a number"),
    "nan": (*table(HEADER + ROWS.replace("0.060,0.1", "0.060,nan")), BAD, "line 5: displacement_m is 'nan'"),
    "infinite": (*table(HEADER + ROWS.replace("0.060,0.1", "0.060,-inf")), BAD, "line 5: displacement_m is '-inf'"),
    "a cell too many": (*table(HEADER + ROWS.replace("0.060,", "0,060,")), BAD, "line 5 has 4 cells and needs 3"),
    "time backwards": (*table(HEADER + ROWS.replace("0.060,", "0.010,")), BAD, "but time goes backwards"),
    "time standing still": (*table(HEADER + ROWS.replace("0.060,", "0.040,")), BAD, "but time stands still"),
    "no profile beside": (*table(HEADER + ROWS, None), BAD, "machine.toml beside it", "--config"),
    "bad profile beside": (*table(HEADER + ROWS, "[machine]\n"), BAD, "machine.toml:1: [machine]"),
    "binary table": (*a_file("x.csv", bytes(range(256))), BAD, "x.csv"),
    "empty recording": (*a_file("x.mcap", b""), BAD, "x.mcap"),
    "no recording": (*a_file("x.mcap", b"GIF89a and more of it"), BAD, "x.mcap", "not a session recording"),
    "a recording's first bytes": (*a_file("x.mcap", CLEAN.read_bytes()[:60]), BAD, "x.mcap"),
    "export of a missing file": (["export", "--to", "csv", "none.mcap"], {}, BAD, "none.mcap"),
    "recover of a missing file": (["recover", "none.mcap"], {}, BAD, "none.mcap"),
}  # fmt: skip


@pytest.mark.parametrize(("words", "files", "status", "sentence"), [
    pytest.param(words, files, status, sentence, id=name)
    for name, (words, files, status, *sentence) in REFUSED.items()
])  # fmt: skip
def test_refused_in_one_sentence(
    words: list[str],
    files: dict[str, bytes | str],
    status: ExitCode,
    sentence: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    for name, content in files.items():
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(words) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"rep-monitor {words[0]}: ")
    assert [words for words in sentence if words not in err] == []
    assert {path.name for path in tmp_path.iterdir()} == set(files)  # no partial file remains


@pytest.mark.parametrize(
    ("damage", "lost"),
    [
        pytest.param(lambda data: data[:CUT], "lost", id="truncated"),
        pytest.param(lambda data: flipped(data, CUT), r"\d+ records are lost", id="flipped byte"),
        pytest.param(lambda data: data[:CUT] + bytes(5000) + data[CUT + 5000 :], "lost", id="zeroed block"),
    ],
)
def test_a_damaged_recording_reports_its_loss_and_its_intact_part(
    damage: Callable[[bytes], bytes], lost: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clean.mcap"
    path.write_bytes(damage(CLEAN.read_bytes()))
    assert main(["replay", str(path)]) == ExitCode.DONE_WITH_LOSS
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert err.startswith(f"rep-monitor replay: {path}, byte ")
    assert re.search(lost, err)
    assert "REP" in out


class Daemon:
    """`rep-monitor run` in its own process, stopped by SIGTERM."""

    def __init__(self, folder: Path, port: Path, more: str = "") -> None:
        profile = folder / "m.toml"
        profile.write_text(f"{PROFILE}{CALIBRATION}[display]\nenabled = false\n{more}")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "monitor", "run", "--config", str(profile), "--port", str(port)],
            env=os.environ | {"STATE_DIRECTORY": str(folder / "state")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def first_line(self) -> str:
        assert self._process.stderr
        return self._process.stderr.readline()

    def end(self) -> tuple[int, str]:
        """Its exit status, and the rest of its output."""
        self._process.send_signal(signal.SIGTERM)
        try:
            _, rest = self._process.communicate(timeout=120)
        finally:
            self._process.kill()
        return self._process.returncode, rest


@pytest.mark.parametrize(
    ("device", "sentence"),
    [
        pytest.param({}, r"busy: PORT is held by .*\bPID\b.*: stop it, or choose another port", id="held"),
        pytest.param(None, "absent: PORT does not exist: plug the device in, or choose another port", id="absent"),
        pytest.param(
            {"speech": "nmea"}, 'wrong_device: PORT sends text, ".*": another device, or .*', id="wrong device"
        ),
        pytest.param({"protocol": 9}, "incompatible: PORT: .* protocol 9, .*: flash the firmware .*", id="protocol"),
    ],
)
def test_at_an_unusable_port_the_daemon_reports_the_reason_and_waits(
    device: dict[str, Any] | None, sentence: str, tmp_path: Path
) -> None:
    """It continues: `status` has the same reason, and the right device may still be plugged in."""
    link = tmp_path / "tty"
    fake = None if device is None else FakeDevice(link, **device)
    if fake is not None:
        fake.plug()
    holder = open_port(str(link), 500_000) if device == {} else None
    try:
        daemon = Daemon(tmp_path, link)
        try:
            line = daemon.first_line()
        finally:
            status, rest = daemon.end()
    finally:
        if holder is not None:
            holder.close()
        if fake is not None:
            fake.unplug()
    wanted = "WARNING " + sentence.replace("PORT", str(link)).replace("PID", str(os.getpid())) + "\n"
    assert re.fullmatch(wanted, line), line
    assert (status, rest) == (0, "")


def test_without_its_broker_the_daemon_goes_on(tmp_path: Path) -> None:
    with FakeDevice(tmp_path / "tty") as device:
        port = free_port()
        daemon = Daemon(tmp_path, tmp_path / "tty", f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\n')
        try:
            line = daemon.first_line()
            sent = len(device.heard)
            for _ in range(12_000):
                if len(device.heard) > sent + 2:  # it continues to ask the device for its clock
                    break
                time.sleep(0.01)
        finally:
            status, rest = daemon.end()
        assert len(device.heard) > sent + 2
    assert line.startswith("WARNING no broker answers at 127.0.0.1:")
    assert line.endswith("; trying again\n")
    assert "Traceback" not in rest
    assert status == 0
