"""The installer, in a folder instead of a machine.

The tests run without systemd. `systemctl`, `udevadm` and `useradd` are therefore replaced by scripts that log their
arguments; `restart` really starts the release in `current`, so that one that does not start is noticed.
"""

import base64
import csv
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from monitor.profile.profile import DisplaySettings
from tests import needs
from tests.deploy.locks import pins
from tests.soak import soak, soak_only

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "configs" / "deploy"
PYTHON = str(sys._base_executable)  # type: ignore[attr-defined]
EXPOSURE_AT_MOST = 1.5
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


def sources(folder: Path) -> Path:
    """Copies the files of a clone. Returns its configs/deploy."""
    ignored = shutil.ignore_patterns("__pycache__", "build")
    for name in ("firmware_bridge", "monitor", "configs"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    return folder / "configs" / "deploy"


def versions(release: Path) -> dict[str, str]:
    """The distributions in the environment."""
    listed = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    done = subprocess.run([release / "bin/python", "-I", "-c", listed], capture_output=True, check=True)
    return {canonicalize_name(name): version for name, version in json.loads(done.stdout).items()}


def staged_install(deploy: Path, root: Path) -> str:
    """The output of `make install DESTDIR=`."""
    words = [PYTHON, str(deploy / "install.py"), "install", "--root", str(root), "--python", PYTHON]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def release_of(root: Path) -> Path:
    (release,) = (root / "opt/rep-monitor/releases").iterdir()
    return release


def called(root: Path, *words: str | Path) -> str:
    """The output of the command below `root`, started without its shebang and path."""
    current = root / "opt/rep-monitor/current"
    assert f"exec /{current.relative_to(root)}/bin/rep-monitor" in (root / "usr/local/bin/rep-monitor").read_text()
    return subprocess.run(
        [current / "bin/python", current / "bin/rep-monitor", *words], capture_output=True, text=True, check=True
    ).stdout


def naming(root: Path, wanted: Path) -> list[str]:
    """The files and links below `root` that contain the path `wanted`."""
    path = os.fsencode(wanted)
    texts = ((each, os.fsencode(os.readlink(each)) if each.is_symlink() else each.read_bytes())
             for each in sorted(root.rglob("*")) if each.is_symlink() or each.is_file())  # fmt: skip
    return [str(each.relative_to(root)) for each, text in texts if path in text]


def damaged(release: Path) -> list[str]:
    """The files that are missing or differ from the RECORD of their distribution."""
    wrong = []
    for record in release.rglob("*.dist-info/RECORD"):
        for name, digest, size in csv.reader(record.read_text().splitlines()):
            path = record.parents[1] / name
            data = path.read_bytes() if path.exists() else b""
            made = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            if not path.exists() or (digest and (digest, size) != (f"sha256={made}", str(len(data)))):
                wrong.append(name)
    return wrong


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with one distribution in its lock, for speed; `make soak` installs all. Returns its configs/deploy."""
    deploy = sources(tmp_path_factory.mktemp("clone"))
    runtime = deploy.parent / "locks/runtime.lock"
    (cobs,) = re.findall(r"(?ms)^cobs==.*?(?=^\S)", runtime.read_text())
    runtime.write_text(cobs)
    return deploy


@pytest.fixture(scope="module")
def staged(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real installation with environment, wheels and hashes, below a folder."""
    root = tmp_path_factory.mktemp("staging")
    staged_install(clone, root)
    return root


@pytest.mark.timeout(400)  # pip is slow on a busy machine
def test_for_real_with_one_of_the_many_it_depends_on(staged: Path, clone: Path) -> None:
    release = release_of(staged)
    assert versions(release).keys() == {"rep-monitor", "cobs"}, "no pip, nothing but what is locked"
    assert not (release / "build").exists()
    assert damaged(release) == []
    assert (release / "share/rep-monitor/leg_press.toml").exists()
    assert "Building" not in staged_install(clone, staged)


@pytest.mark.timeout(400)
def test_a_staged_tree_names_its_final_place_only_and_runs_elsewhere(staged: Path, tmp_path: Path) -> None:
    assert naming(staged, staged) == []
    release = release_of(staged)
    final = f"/{release.relative_to(staged)}"
    assert (release / "bin/rep-monitor").read_text().startswith(f"#!{final}/bin/python")
    assert f"VIRTUAL_ENV={final}\n" in (release / "bin/activate").read_text().replace('"', "").replace("'", "")
    moved = tmp_path / "moved"
    shutil.copytree(staged, moved, symlinks=True)
    aside = staged.rename(staged.with_name("aside"))
    try:
        assert called(moved, "--version") == f"rep-monitor {metadata.version('rep-monitor')}\n"
    finally:
        aside.rename(staged)
    assert naming(moved, moved) == [], "running it wrote nothing into it"


@soak
@soak_only
def test_for_real_from_the_locks(tmp_path: Path) -> None:
    root = tmp_path / "staging"
    staged_install(DEPLOY, root)
    there, wanted = versions(release_of(root)), pins("runtime")
    assert all(version == wanted[name] for name, version in there.items() if name != "rep-monitor")
    assert naming(root, root) == damaged(release_of(root)) == []
    moved = root.rename(tmp_path / "moved")
    assert "leg-press" in called(moved, "config", "check", release_of(moved) / "share/rep-monitor/leg_press.toml")
    assert naming(moved, moved) == []


@soak
@soak_only
def test_a_file_whose_hash_is_another_is_not_installed(tmp_path: Path) -> None:
    deploy = sources(tmp_path / "source")
    lock = deploy.parent / "locks/build.lock"
    lock.write_text(re.sub(r"sha256:[0-9a-f]", "sha256:x", lock.read_text()).replace("sha256:x", "sha256:0"))
    root = tmp_path / "root"
    root.mkdir()
    words = [PYTHON, str(deploy / "install.py"), "install", "--root", str(root), "--python", PYTHON]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1
    assert "hash" in done.stderr.lower()
    assert list(root.rglob("*")) == []


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
    assert {"Type=notify", "WatchdogSec=20s", "RestartPreventExitStatus=78", "StateDirectory=rep-monitor",
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
