"""The installer, in a folder instead of a machine.

The tests run without systemd. `systemctl`, `udevadm` and `useradd` are therefore replaced by scripts that log their
arguments; `restart` really starts the release in `current`, so that one that does not start is noticed.
"""

import importlib.util
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.deploy.places import DEPLOY, PYTHON

SYSTEMCTL = """#!/bin/sh
echo "systemctl $*" >> {log}
case $1 in
list-units) [ -e {folder}/running ] && echo "rep-monitor@leg-press.service loaded active running x" ;;
restart) exec {root}/opt/rep-monitor/current/bin/rep-monitor --version >/dev/null ;;
esac
exit 0
"""


def installer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", DEPLOY / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Machine:
    """A folder, programs that log their arguments, and releases that are scripts."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = folder / "root"
        self.log = folder / "log"
        self.folder = folder
        self.release = "1"
        self.comes_up = True
        monkeypatch.syspath_prepend(DEPLOY)
        self.module = installer()
        programs = folder / "bin"
        programs.mkdir()
        names = {"log": self.log, "folder": folder, "root": self.root}
        for name in ("systemctl", "udevadm", "useradd", "userdel"):
            text = SYSTEMCTL if name == "systemctl" else f'#!/bin/sh\necho "{name} $*" >> {{log}}\n'
            (programs / name).write_text(text.format(**names))
            (programs / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setattr(self.module, "build", self._build)
        monkeypatch.setattr(self.module, "release_name", lambda _: self.release)

    def _build(self, release: Path, _root: Path, _python: str) -> None:
        (release / "bin").mkdir(parents=True)
        command = release / "bin/rep-monitor"
        command.write_text(f"#!/bin/sh\necho {self.release}\nexit {0 if self.comes_up else 1}\n")
        command.chmod(0o755)

    def do(self, *words: str) -> int:
        arguments = [*words, "--root", str(self.root), "--system", "--python", PYTHON, "--settle", "0"]
        return int(self.module.main(arguments))

    def asked(self) -> list[str]:
        said = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return said

    def run(self) -> None:
        (self.folder / "running").touch()

    def says(self) -> str:
        """The output of the command, as if the folder were the root of the machine."""
        script = (self.root / "usr/local/bin/rep-monitor").read_text().replace("exec /opt", f"exec {self.root}/opt")
        return subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout.strip()

    def tree(self) -> dict[str, Any]:
        return {
            str(path.relative_to(self.root)): os.readlink(path) if path.is_symlink()
            else (path.stat().st_mode, path.read_bytes() if path.is_file() else None)
            for path in sorted(self.root.rglob("*"))
        }  # fmt: skip


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_everything_is_where_it_belongs(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert machine.do("install") == 0
    assert "systemctl enable --now" in capsys.readouterr().out
    assert machine.says() == "1"
    modes = {name: value[0] & 0o777 for name, value in machine.tree().items() if not isinstance(value, str)}
    assert modes["etc/rep-monitor/secrets"] == 0o700
    assert modes["var/lib/rep-monitor"] == 0o750
    assert modes["etc/systemd/system/rep-monitor@.service"] == 0o644
    assert modes["etc/udev/rules.d/60-rep-monitor.rules"] == 0o644
    asked = machine.asked()
    assert any(line.startswith("useradd --system") for line in asked)
    assert "systemctl daemon-reload" in asked
    assert "udevadm control --reload" in asked


def test_again_it_changes_nothing(machine: Machine) -> None:
    machine.run()
    assert machine.do("install") == 0
    before = machine.tree()
    machine.asked()
    assert machine.do("install") == machine.do("upgrade") == 0
    assert machine.tree() == before
    assert not [line for line in machine.asked() if "restart" in line], "nothing new: nobody is interrupted"


def test_changed_files_are_repaired_but_a_profile_is_not_touched(machine: Machine) -> None:
    machine.do("install")
    before = machine.tree()
    profile = machine.root / "etc/rep-monitor/leg-press.toml"
    profile.write_text("mine")
    (machine.root / "etc/udev/rules.d/60-rep-monitor.rules").unlink()
    (machine.root / "etc/systemd/system/rep-monitor@.service").write_text("cut of")
    machine.release = "2"
    assert machine.do("upgrade") == 0
    after = machine.tree()
    assert profile.read_text() == "mine"
    assert all(after[name] == before[name] for name in before if "/rep-monitor@" in name or "rules" in name)
    assert machine.says() == "2"


def test_an_upgrade_restarts_what_runs_and_keeps_one_release_to_go_back_to(machine: Machine) -> None:
    machine.do("install")
    machine.run()
    for release in ("2", "3", "4"):
        machine.asked()
        machine.release = release
        assert machine.do("upgrade") == 0
        asked = machine.asked()
        assert asked.count("systemctl restart rep-monitor@leg-press.service") == 1
        assert asked.count("systemctl is-active --quiet rep-monitor@leg-press.service") == 1
        assert machine.says() == release
    assert {path.name for path in (machine.root / "opt/rep-monitor/releases").iterdir()} == {"3", "4"}


def test_an_upgrade_that_does_not_start_is_rolled_back(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.do("install")
    machine.run()
    unit = machine.root / "etc/systemd/system/rep-monitor@.service"
    unit.write_text("# as it was\n")  # another release's, which this one writes anew
    before = machine.tree()
    machine.asked()
    machine.release, machine.comes_up = "2", False
    assert machine.do("upgrade") == 1
    assert "restart rep-monitor@leg-press.service` failed" in capsys.readouterr().err
    assert machine.tree() == before
    assert machine.says() == "1"
    assert machine.asked().count("systemctl restart rep-monitor@leg-press.service") == 2, "and the old one runs again"
    machine.release, machine.comes_up = "3", True
    assert machine.do("upgrade") == 0
    assert machine.says() == "3"


@pytest.mark.parametrize("installed", [False, True])
@pytest.mark.parametrize("step", ["_account", "build", "_folder", "_file", "_turn_to", "_reload", "_restart"])
def test_wherever_it_fails_nothing_is_left(
    step: str, installed: bool, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure is at the end of the step, so its own changes are undone, too."""
    machine.root.mkdir()
    if installed:
        machine.do("install")
    before = machine.tree()
    machine.release = "2"
    place = machine.module if step == "build" else machine.module.Installer
    whole: Callable[..., Any] = getattr(place, step)

    def fails(*arguments: Any, **named: Any) -> None:
        whole(*arguments, **named)
        raise machine.module.InstallError("the disk is full")

    monkeypatch.setattr(place, step, fails)
    assert machine.do("install") == 1
    assert {name for name in machine.tree() if name.count("/") > 2} == {name for name in before if name.count("/") > 2}
    assert {name: machine.tree()[name] for name in before} == before
    monkeypatch.undo()


def test_uninstall_keeps_profiles_and_state_unless_purged(machine: Machine) -> None:
    machine.do("install")
    machine.run()
    (machine.root / "etc/rep-monitor/leg-press.toml").write_text("mine")
    (machine.root / "var/lib/rep-monitor/events.db").write_text("ours")
    machine.asked()
    assert machine.do("uninstall") == machine.do("uninstall") == 0
    assert "systemctl disable --now rep-monitor@leg-press.service" in machine.asked()
    files = {name for name, value in machine.tree().items() if isinstance(value, str) or value[1] is not None}
    assert files == {"etc/rep-monitor/leg-press.toml", "var/lib/rep-monitor/events.db"}
    assert machine.do("upgrade") == 1, "there is nothing to upgrade"
    assert machine.do("uninstall", "--purge") == 0
    assert not (machine.root / "etc/rep-monitor").exists()
    assert not (machine.root / "var/lib/rep-monitor").exists()


def test_a_staged_installation_calls_no_system_program(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert machine.module.main(["install", "--root", str(machine.root), "--python", PYTHON]) == 0
    assert machine.asked() == []
    assert machine.says() == "1"
    assert capsys.readouterr().out.splitlines()[-1] == f"rep-monitor 1 is staged below {machine.root}."
