"""The service under a real systemd: installed, watched, upgraded, rolled back and uninstalled.

Only in `make soak`, and as root: the test makes a temporary machine, an overlay over the files of this one, with its
own systemd as process 1. Nothing of it remains.
"""

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import needs
from tests.soak import Figure, soak, soak_only

pytestmark = [soak, soak_only, needs.nspawn, needs.root, pytest.mark.timeout(1200)]
ROOT = Path(__file__).parents[2]
UNIT = "rep-monitor@leg-press"
MASKED = ("mosquitto", "cron", "ssh", "systemd-timesyncd", "systemd-networkd", "systemd-resolved", "console-getty")
MACHINE = """
set -e
mount --make-rprivate /
mount -t tmpfs none "$1"
mkdir "$1/up" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root"
: > "$1/root/etc/fstab"
for unit in $2; do ln -sf /dev/null "$1/root/etc/systemd/system/$unit.service"; done
exec systemd-nspawn --quiet --register=no --keep-unit --console=pipe --directory="$1/root" --bind-ro="$3:/source" \\
    --boot -- systemd.unit=basic.target
"""


class Box:
    """A shell in the temporary machine."""

    def __init__(self, folder: Path) -> None:
        command = ["unshare", "-m", "sh", "-c", MACHINE, "machine", str(folder), " ".join(MASKED), str(ROOT)]
        quiet = subprocess.DEVNULL
        self._nspawn = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
        self._first = ""
        for _ in range(600):
            self._first = subprocess.run(
                ["ps", "-o", "pid=", "--ppid", str(self._nspawn.pid)], capture_output=True, text=True
            ).stdout.strip()
            if self._first and self.do("systemctl is-system-running") in ("running", "degraded"):
                return
            time.sleep(0.1)
        raise AssertionError("the other systemd does not come up")

    def do(self, script: str) -> str:
        """The output of a command, and its status if that is not 0."""
        enter = ["nsenter", "-t", self._first, "-m", "-p", "-u", "-i", "-C", "sh", "-c", script]
        done = subprocess.run(enter, capture_output=True, text=True, cwd="/")
        status = f"\nstatus {done.returncode}" if done.returncode else ""
        return (done.stdout + done.stderr).strip() + status

    def show(self, name: str) -> str:
        return self.do(f"systemctl show -p {name} --value {UNIT}")

    def until(self, name: str, pattern: str, within_s: int = 60) -> str:
        for _ in range(within_s * 2):
            if re.search(pattern, said := self.show(name)):
                return said
            time.sleep(0.5)
        raise AssertionError(
            f"{name} is {self.show(name)!r}, not {pattern!r}: {self.do(f'journalctl -u {UNIT} -n 20')}"
        )

    def end(self) -> None:
        self.do("systemctl poweroff --force --force")
        try:
            self._nspawn.wait(20)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()
        for hierarchy in Path("/sys/fs/cgroup").glob("*/supervisor"):  # left over if no systemd manages it
            for group in (hierarchy.with_name("payload"), hierarchy):
                subprocess.run(["find", str(group), "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"], check=False)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    box = Box(tmp_path_factory.mktemp("machine"))
    try:
        yield box
    finally:
        box.end()


def test_a_life_of_the_service(box: Box, figure: Figure) -> None:
    make = "make -C /source PYTHON=/usr/bin/python3"
    assert "is installed" in box.do(f"{make} install")
    box.do("cp /source/configs/leg_press.toml /etc/rep-monitor/leg-press.toml; echo x > /etc/rep-monitor/secrets/word")
    box.do("setsid rep-monitor simulate --config /etc/rep-monitor/leg-press.toml --link /run/tty >/dev/null 2>&1 &")
    box.do("until [ -e /run/tty ]; do sleep 0.1; done; chmod 666 $(readlink -f /run/tty)")
    box.do("sed -i 's#^port = .*#port = \"/run/tty\"#' /etc/rep-monitor/leg-press.toml")
    assert "status" not in box.do(f"systemctl enable --now {UNIT}")

    box.until("StatusText", "firmware .* session .*; connected to the broker")  # through the sandbox, device and all
    assert "secrets_word" in box.do(f"ls /run/credentials/{UNIT}.service")
    assert box.do("find /var/lib/rep-monitor ! -user rep-monitor") == ""
    assert "events.db" in box.do("rep-monitor backup /root/b.zip")
    assert "no data has this id" in box.do("rep-monitor forget nobody-7")
    assert box.do("find /var/lib/rep-monitor ! -user rep-monitor") == ""

    began_s = time.monotonic()
    box.do(f"kill -STOP {box.show('MainPID')}")
    box.until("NRestarts", "^1$")
    figure("a daemon that hangs", f"systemd ended and restarted it after {time.monotonic() - began_s:.0f} s")
    box.until("ActiveState", "^active$")

    before = box.do("readlink /opt/rep-monitor/current")
    box.do("mkdir /root/next && cd /source && cp -r Makefile pyproject.toml README.md LICENSE configs firmware_bridge"
           " monitor /root/next && echo 'raise RuntimeError' >> /root/next/monitor/daemon/serve.py")  # fmt: skip
    said = box.do("make -C /root/next upgrade PYTHON=/usr/bin/python3")
    assert "It does not come up" in said
    assert "status 2" in said
    assert box.do("readlink /opt/rep-monitor/current") == before
    box.until("ActiveState", "^active$")
    box.do("sed -i '$d' /root/next/monitor/daemon/serve.py && echo '# better' >> /root/next/monitor/daemon/serve.py")
    assert f"It was {before.removeprefix('releases/')}" in box.do("make -C /root/next upgrade PYTHON=/usr/bin/python3")
    box.until("ActiveState", "^active$")

    box.do(f"echo '[nonsense]' >> /etc/rep-monitor/leg-press.toml; systemctl restart {UNIT}")
    box.until("ExecMainStatus", "^78$")
    assert box.show("ActiveState") == "failed", "trying again would not help"

    assert "Kept: /etc/rep-monitor, /var/lib/rep-monitor" in box.do(f"{make} uninstall")
    assert "status" in box.do("ls /opt/rep-monitor")
    assert "leg-press.toml" in box.do("ls /etc/rep-monitor")
    figure("installed, upgraded, turned back, uninstalled", f"under {box.do('systemctl --version | head -1')}")
