"""The list of ports: their names, the programs that use them, and the devices that answer."""

import io
import os
import subprocess
import sys
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from firmware_bridge import ports
from firmware_bridge.errors import LinkError, PortBusyError, ProtocolVersionError, WrongDeviceError
from firmware_bridge.holders import Holder, holders
from firmware_bridge.ports import ASK_EVERY_S, list_ports, port_info, probe
from firmware_bridge.serial_port import open_port
from monitor.__main__ import main
from tests.fake_device import FakeDevice


def held_open(port: Path) -> io.FileIO:
    """A port that another program has open. It must not become the terminal of the tests, whose end would end them."""
    return io.FileIO(os.open(port, os.O_RDWR | os.O_NOCTTY), "r+b")


def test_a_board_answers_with_its_hello(tmp_path: Path) -> None:
    with FakeDevice(tmp_path / "tty") as device:
        hello = probe(str(device.link), 500_000, patience_s=30)
        assert hello is not None
        assert hello.boot_id == device.wire.boot_id


def test_another_device_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = count(step=ASK_EVERY_S)
    monkeypatch.setattr(ports, "time", SimpleNamespace(monotonic=lambda: next(looks)))  # it looks that often
    with FakeDevice(tmp_path / "tty", speech="nothing") as device:
        assert probe(str(device.link), 500_000, patience_s=0.5) is None
        device.speech = "nmea"
        with pytest.raises(WrongDeviceError, match=r"sends text, .*GPGGA"):
            probe(str(device.link), 500_000, patience_s=1)
        device.speech = "noise"
        with pytest.raises(WrongDeviceError, match="at 500000 baud, but no HELLO"):
            probe(str(device.link), 500_000, patience_s=1)


def test_errors_are_printed(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="does not exist"):
        probe(str(tmp_path / "none"), 500_000)
    with FakeDevice(tmp_path / "tty", protocol=3) as device:
        with pytest.raises(ProtocolVersionError, match="protocol 3"):
            probe(str(device.link), 500_000, patience_s=30)
        port = open_port(str(device.link), 500_000)
        try:
            with pytest.raises(PortBusyError):
                probe(str(device.link), 500_000)
        finally:
            port.close()


def test_a_port_has_its_stable_name_and_its_holders(tmp_path: Path) -> None:
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    with FakeDevice(tmp_path / "tty") as device:
        (by_id / "usb-some_board-if00").symlink_to(os.path.realpath(device.link))
        sleep = [sys.executable, "-c", "import sys; sys.stdin.read()"]
        with held_open(device.link) as port:
            with subprocess.Popen(sleep, stdin=subprocess.PIPE, stdout=port) as other:
                info = port_info(str(device.link), "n/a", by_id)
                assert info.by_id == str(by_id / "usb-some_board-if00")
                assert info.description == ""
                assert [holder.pid for holder in info.holders] == [other.pid]
                other.communicate()
            assert holders(str(device.link)) == []


def test_a_holder_is_named_by_its_script(tmp_path: Path) -> None:
    port = tmp_path / "ttyUSB0"
    port.touch()
    for pid, command in ((7, b"/usr/sbin/ModemManager\0"), (8, b"/usr/bin/python3\0/opt/miniterm.py\0x\0"), (9, b"")):
        process = tmp_path / "proc" / str(pid)
        (process / "fd").mkdir(parents=True)
        (process / "fd" / "5").symlink_to(port)
        (process / "cmdline").write_bytes(command)
        (process / "comm").write_text("kernel thing\n")
    (tmp_path / "proc" / "10").mkdir()  # ended during the search
    (tmp_path / "proc" / "version").touch()
    found = holders(str(port), tmp_path / "proc")
    assert found == [Holder(7, "ModemManager"), Holder(8, "miniterm.py"), Holder(9, "kernel thing")]
    assert str(found[0]) == "ModemManager (pid 7)"


def test_every_listed_port_is_described(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Port:
        device, description = "/dev/null", "USB-Serial Controller"

    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [Port()])
    (info,) = list_ports(tmp_path)
    assert (info.device, info.by_id, info.description) == ("/dev/null", None, "USB-Serial Controller")


def test_the_command_lists_a_board_a_stranger_and_a_held_port(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    with FakeDevice(tmp_path / "board") as board, FakeDevice(tmp_path / "gps", speech="nmea") as gps:
        assert main(["ports", str(board.link), str(gps.link), str(tmp_path / "none")]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].split() == ["PORT", "FOR", "THE", "PROFILE", "USED", "BY", "ANSWER"]
        assert "firmware 0.1.0 on SIMULATED, HX711 at 80 readings a second" in lines[1]
        assert "sends text" in lines[2]
        assert "does not exist" in lines[3]
        opened = board.openings
        with (
            held_open(board.link) as port,
            subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=port) as other,
        ):
            assert main(["ports", str(board.link)]) == 0
            assert f"cat (pid {other.pid})" in capsys.readouterr().out
            other.communicate()
        assert main(["ports", "--no-ask", str(gps.link)]) == 0
        assert "not asked" in capsys.readouterr().out
        assert board.openings <= opened + 1


def test_the_command_reports_that_there_is_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    assert main(["ports"]) == 0
    assert "No serial device" in capsys.readouterr().out
