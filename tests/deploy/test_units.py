"""The units of systemd and the rules of udev that an installation brings."""

import re
import subprocess
from pathlib import Path

import pytest

from monitor.profile.profile import DisplaySettings
from tests import needs
from tests.deploy.places import DEPLOY

EXPOSURE_AT_MOST = 1.5


@needs.systemd
@pytest.mark.parametrize("drop_in", [None, "network.conf"])
def test_the_service_is_exposed_to_little(drop_in: str | None, tmp_path: Path) -> None:
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    name = "rep-monitor@leg-press.service"
    (units / name).write_bytes((DEPLOY / "rep-monitor@.service").read_bytes())
    if drop_in:
        (units / f"{name}.d").mkdir()
        (units / f"{name}.d" / drop_in).write_bytes((DEPLOY / drop_in).read_bytes())
    command = ["systemd-analyze", "security", "--offline=yes", f"--root={tmp_path}", "--no-pager", name]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (level,) = re.findall(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert float(level) <= EXPOSURE_AT_MOST
    assert ("non-localhost" in said) is (drop_in is not None), "the drop-in is looked at"


@needs.systemd
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "rep-monitor@leg-press.service"
    text = (DEPLOY / "rep-monitor@.service").read_text()
    unit.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", text))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True)
    assert [line for line in done.stderr.splitlines() if unit.name in line] == []
    assert {"Type=notify", "WatchdogSec=20s", "TimeoutStopSec=90s", "RestartPreventExitStatus=78",
            "StateDirectory=rep-monitor",
            "LoadCredential=secrets:/etc/rep-monitor/secrets"} <= set(text.splitlines())  # fmt: skip


@needs.systemd
def test_the_kiosk_shows_the_page_once_it_is_there(tmp_path: Path) -> None:
    unit = (DEPLOY / "kiosk@.service").read_text()
    assert {"Wants=rep-monitor@%i.service", "User=kiosk"} <= set(unit.splitlines())
    (tmp_path / "kiosk@.service").write_text(unit.replace("/usr/bin/cage", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "kiosk@.service")], capture_output=True, text=True
    )
    assert [line for line in done.stderr.splitlines() if "kiosk" in line] == []
    page = f"http://127.0.0.1:{DisplaySettings().port}/"
    assert f"PAGE={page}" in unit
    assert page in (DEPLOY / "kiosk-autostart").read_text()


def test_the_udev_rules_are_whole() -> None:
    """Every line is a list of matches and settings, and every jump has its label. (The tests run without udev.)"""
    lines = [line for line in (DEPLOY / "60-rep-monitor.rules").read_text().splitlines() if line and line[0] != "#"]
    part = re.compile(r'(ACTION|SUBSYSTEM|DRIVER|ATTRS?\{\w+\}|ENV\{\w+\}|SYMLINK|GROUP|MODE|TAG|GOTO|LABEL)'
                      r'(==|!=|\+=|=)"[^"]+"')  # fmt: skip
    for line in lines:
        assert all(part.fullmatch(word) for word in line.split(", ")), line
    text = "\n".join(lines)
    assert set(re.findall(r'GOTO="(\w+)"', text)) == set(re.findall(r'LABEL="(\w+)"', text))
    assert 'ATTR{latency_timer}="1"' in text
    assert 'ENV{ID_MM_DEVICE_IGNORE}="1"' in text
    assert 'SYMLINK+="rep-monitor"' in text
