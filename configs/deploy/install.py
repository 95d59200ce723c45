#!/usr/bin/env python3
"""Manages the service on this machine: sudo make install, upgrade, uninstall.

    /opt/rep-monitor/releases/<release>/    a virtual environment (release.py builds it)
    /opt/rep-monitor/current                the release in use; an upgrade that fails to start restores it
    /usr/local/bin/rep-monitor              the command
    /etc/systemd/system/rep-monitor@.service, /etc/udev/rules.d/60-rep-monitor.rules
    /etc/rep-monitor/<machine>.toml         your profiles, never changed; secrets/ beside them
    /var/lib/rep-monitor/                   the state of the service

Each step registers how to undo it, and a failure undoes all steps. A second run changes nothing. Only the standard
library is needed, because this runs before anything is installed. --root (DESTDIR) stages everything below a folder.
No staged file names that folder, so the tree can be packed, and unpacked at /. No system program is called, unless
--system is given, too.
"""

import argparse
import contextlib
import os
import pwd
import shutil
import stat
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from release import InstallError, build, release_name, run

HERE = Path(__file__).resolve().parent
ACCOUNT = "rep-monitor"
UNIT = "rep-monitor@.service"
INSTANCES = "rep-monitor@*.service"
RULES = "60-rep-monitor.rules"
COMPLETE = ".complete"
KEPT_RELEASES = 2  # the one in use, and the one before it
SETTLE_S = 5.0  # after READY=1; a service that fails right after its start does so within this time
COMMAND = """\
#!/bin/sh
# Written by `make install`. For root, the state is that of the service.
[ "$(id -u)" -ne 0 ] || export STATE_DIRECTORY="${{STATE_DIRECTORY:-{state}}}"
exec {current}/bin/rep-monitor "$@"
"""


class Installer:
    """Installs below `root`: "/", or a folder for staging."""

    def __init__(self, root: Path, *, system: bool, python: str, settle_s: float = SETTLE_S) -> None:
        self.root, self.system, self.python, self.settle_s = root, system, python, settle_s
        self.opt = root / "opt/rep-monitor"
        self.current = self.opt / "current"
        self.etc = root / "etc/rep-monitor"
        self.state = root / "var/lib/rep-monitor"
        self.unit = root / "etc/systemd/system" / UNIT
        self.rules = root / "etc/udev/rules.d" / RULES
        self.command = root / "usr/local/bin/rep-monitor"
        self._undo = contextlib.ExitStack()
        self._running: list[str] = []
        self._turned = False

    def install(self) -> None:
        """Installs this release, also over another one or over itself."""
        before = self._in_use()
        self._running = self._instances("--state=active,activating")
        with self._undo:
            self._undo.callback(self._restart_as_it_was)  # runs last
            self._account()
            release = self._release()
            self._folder(self.etc, 0o755)
            self._folder(self.etc / "secrets", 0o700)
            self._folder(self.state, 0o750, owner=True)
            self._file(self.unit, (HERE / UNIT).read_bytes())
            self._file(self.rules, (HERE / RULES).read_bytes())
            command = COMMAND.format(state=self._final(self.state), current=self._final(self.current))
            self._file(self.command, command.encode(), 0o755)
            self._turn_to(release, before)
            self._reload()
            if before != release.name:
                self._restart()
            self._undo.pop_all()  # success: undo nothing
        self._forget_old(release.name, before)
        if not self.system:
            _say(f"rep-monitor {release.name} is staged below {self.root}.")
            return
        was = "" if before in (None, release.name) else f" It was {before}."
        _say(f"rep-monitor {release.name} is installed.{was}")
        if before is None:
            _say(
                "Next: write /etc/rep-monitor/NAME.toml (examples: /opt/rep-monitor/current/share/rep-monitor), then\n"
                "  sudo systemctl enable --now rep-monitor@NAME"
            )

    def upgrade(self) -> None:
        if self._in_use() is None:
            raise InstallError("nothing is installed yet: run sudo make install")
        self.install()

    def uninstall(self, *, purge: bool) -> None:
        """Uninstalls. Profiles, secrets and state stay, unless `purge`."""
        for instance in self._instances("--all"):
            self._run("systemctl", "disable", "--now", instance)
        for path in (self.unit, self.rules, self.command):
            path.unlink(missing_ok=True)
        if self.opt.exists():
            shutil.rmtree(self.opt)
        self._reload()
        if purge:
            for folder in (self.etc, self.state):
                if folder.exists():
                    shutil.rmtree(folder)
            if self.system and self._has_account():
                self._run("userdel", ACCOUNT)
        kept = [str(folder) for folder in (self.etc, self.state) if folder.exists()]
        _say("rep-monitor is uninstalled." + (f" Kept: {', '.join(kept)}." if kept else ""))

    def _final(self, path: Path) -> Path:
        """The path after the tree has been unpacked at /."""
        return "/" / path.relative_to(self.root)

    def _in_use(self) -> str | None:
        return os.readlink(self.current).rpartition("/")[2] if self.current.is_symlink() else None

    def _has_account(self) -> bool:
        with contextlib.suppress(KeyError):
            return bool(pwd.getpwnam(ACCOUNT))
        return False

    def _account(self) -> None:
        if not self.system or self._has_account():
            return
        self._run(
            *("useradd", "--system", "--user-group", "--groups", "dialout", "--no-create-home"),
            *("--home-dir", "/var/lib/rep-monitor", "--shell", "/usr/sbin/nologin", ACCOUNT),
        )
        self._undo.callback(self._run, "userdel", ACCOUNT)

    def _release(self) -> Path:
        """The environment of these sources; builds it if it does not exist."""
        release = self.opt / "releases" / release_name(self.python)
        if (release / COMPLETE).exists():
            return release
        if release.exists():  # an interrupted build
            shutil.rmtree(release)
        made = next(parent for parent in (release, *release.parents) if parent.parent.exists())
        self._undo.callback(shutil.rmtree, made, ignore_errors=True)
        release.parent.mkdir(parents=True, exist_ok=True)
        _say(f"Building {release.name} ...")
        build(release, self.root, self.python)
        (release / COMPLETE).touch()
        return release

    def _folder(self, path: Path, mode: int, *, owner: bool = False) -> None:
        if path.exists():
            return
        made = next(parent for parent in (path, *path.parents) if parent.parent.exists())
        self._undo.callback(shutil.rmtree, made, ignore_errors=True)
        path.mkdir(parents=True)
        path.chmod(mode)
        if owner and self.system and self._has_account():
            shutil.chown(path, ACCOUNT, ACCOUNT)

    def _file(self, path: Path, data: bytes, mode: int = 0o644) -> None:
        old = path.read_bytes() if path.exists() else None
        if old == data and stat.S_IMODE(path.stat().st_mode) == mode:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if old is None:
            self._undo.callback(path.unlink, missing_ok=True)
        else:
            self._undo.callback(_write, path, old, stat.S_IMODE(path.stat().st_mode))
        _write(path, data, mode)

    def _turn_to(self, release: Path, before: str | None) -> None:
        if before == release.name:
            return
        if before is None:
            self._undo.callback(self.current.unlink, missing_ok=True)
        else:
            self._undo.callback(_link, self.current, f"releases/{before}")
        self._turned = True
        _link(self.current, f"releases/{release.name}")

    def _reload(self) -> None:
        """Reloads systemd and udev. A failure is printed and does not stop: the service also works without udev."""
        for words in (
            ("systemctl", "daemon-reload"),
            ("udevadm", "control", "--reload"),
            ("udevadm", "trigger", "--subsystem-match=tty", "--subsystem-match=usb-serial", "--action=change"),
        ):
            try:
                self._run(*words)
            except InstallError as error:
                _say(f"Note: {error}")

    def _instances(self, *which: str) -> list[str]:
        if not self.system:
            return []
        listed = self._run("systemctl", "list-units", "--plain", "--no-legend", *which, INSTANCES)
        return [line.split()[0] for line in listed.splitlines() if line.strip()]

    def _restart(self) -> None:
        """Restarts the running instances. systemctl returns when an instance is ready or has failed."""
        for instance in self._running:
            self._run("systemctl", "restart", instance)
        if self._running:
            time.sleep(self.settle_s)
        for instance in self._running:
            self._run("systemctl", "is-active", "--quiet", instance)

    def _restart_as_it_was(self) -> None:
        """Restarts the running instances after a failure; tries all of them."""
        if not self._turned:
            return
        _say("The new release does not start: the previous state is restored.")
        self._reload()
        for instance in self._running:
            try:
                self._run("systemctl", "restart", instance)
            except InstallError as error:
                _say(f"Note: {error}")

    def _forget_old(self, now: str, before: str | None) -> None:
        keep = {now, before}
        releases = sorted((self.opt / "releases").iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in [path for path in releases if path.name not in keep][max(0, KEPT_RELEASES - len(keep - {None})) :]:
            shutil.rmtree(path)

    def _run(self, *words: str) -> str:
        if not self.system:
            return ""
        return run(words)


def _link(path: Path, target: str) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    os.replace(fresh, path)


def _write(path: Path, data: bytes, mode: int) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(data)
    fresh.chmod(mode)
    os.replace(fresh, path)


def _say(sentence: str) -> None:
    print(sentence, flush=True)


def _check(python: str, root: Path) -> None:
    prefix, new_enough = run(
        (python, "-c", "import ensurepip, sys, venv; print(sys.base_prefix); print(sys.version_info >= (3, 11))")
    ).split()
    if new_enough != "True":
        raise InstallError(f"{python} is too old: give Python 3.11 or newer, make install PYTHON=/usr/bin/python3.12")
    if root == Path("/"):
        if os.geteuid() != 0:
            raise InstallError("this changes the system: run sudo make install")
        if prefix.startswith(("/home", "/root")):
            raise InstallError(f"a service cannot read {python} in {prefix}: run make install PYTHON=/usr/bin/python3")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="install.py", description="Manages the service on this machine.")
    parser.add_argument("action", choices=("install", "upgrade", "uninstall"))
    parser.add_argument("--root", type=Path, default=Path("/"), help="stage below this folder")
    parser.add_argument("--system", action="store_true", help="with --root: call systemctl, useradd and so on")
    parser.add_argument("--python", default="/usr/bin/python3", help="the Python for the environment")
    parser.add_argument("--purge", action="store_true", help="uninstall: also remove profiles, secrets and state")
    parser.add_argument("--settle", type=float, default=SETTLE_S, metavar="S", help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    system = args.system or args.root == Path("/")
    installer = Installer(args.root.resolve(), system=system, python=args.python, settle_s=args.settle)
    act: dict[str, Callable[[], None]] = {
        "install": installer.install,
        "upgrade": installer.upgrade,
        "uninstall": lambda: installer.uninstall(purge=args.purge),
    }
    try:
        if args.action != "uninstall":
            _check(args.python, args.root)
        elif args.root == Path("/") and os.geteuid() != 0:
            raise InstallError("this changes the system: run sudo make uninstall")
        act[args.action]()
    except InstallError as error:
        print(f"{args.action}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
