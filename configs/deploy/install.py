#!/usr/bin/env python3
"""Installs rep-monitor as a service, upgrades it, and uninstalls it: sudo make install, upgrade, uninstall.

    /opt/rep-monitor/releases/<release>/    a virtual environment, from lock files with hashes
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
import base64
import contextlib
import csv
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
LOCKS = SOURCE / "configs/locks"
SOURCES = ("firmware_bridge", "monitor", "pyproject.toml", "README.md", "LICENSE")
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
COMPILE = """\
import compileall, sys
lib, strip = sys.argv[1:]
compileall.compile_dir(lib, quiet=2, stripdir=strip, prependdir="/")  # other files stay as they are, as with pip
"""


class InstallError(Exception):
    """A failure, as one sentence for the person at the terminal."""


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
        return _run(words)


def release_name(python: str) -> str:
    """A name from a hash of the sources, so the same sources are the same release."""
    digest = hashlib.sha256(_run((python, "-c", "import sys; print(sys.version, sys.base_prefix)")).encode())
    paths = [path for name in SOURCES for path in [SOURCE / name, *sorted((SOURCE / name).rglob("*"))]]
    for path in [*paths, *sorted(HERE.iterdir()), *sorted(LOCKS.iterdir())]:
        if path.is_file() and "__pycache__" not in path.parts and "build" not in path.parts:
            digest.update(str(path.relative_to(SOURCE)).encode() + b"\0" + path.read_bytes() + b"\0")
    version = next(line for line in (SOURCE / "pyproject.toml").read_text().splitlines() if line.startswith("version"))
    return f"{version.split('=')[1].strip().strip(chr(34))}-{digest.hexdigest()[:12]}"


def build(release: Path, root: Path, python: str) -> None:
    """Builds the environment of a release, without pip, only from files whose hashes are in the lock files."""
    workshop, sources, wheels = release / "build", release / "build/source", release / "build/wheels"
    _run((python, "-m", "venv", str(workshop)))
    pip = (str(workshop / "bin/python"), "-m", "pip", "--disable-pip-version-check", "--quiet")
    locked = ("--no-deps", "--require-hashes", "-r")
    _run((*pip, "install", "--no-compile", *locked, str(LOCKS / "build.lock")))
    sources.mkdir()
    for name in SOURCES:
        if (SOURCE / name).is_dir():
            shutil.copytree(SOURCE / name, sources / name, ignore=shutil.ignore_patterns("__pycache__", "build"))
        else:
            shutil.copy(SOURCE / name, sources / name)
    wheel = (*pip, "wheel", "--no-build-isolation", "-w", str(wheels))  # isolation would download other build tools
    _run((*wheel, *locked, str(LOCKS / "runtime.lock")))
    _run((*wheel, "--no-deps", "--no-index", str(sources)))
    _run((python, "-m", "venv", "--without-pip", str(release)))
    into = (*pip, "--python", str(release / "bin/python"), "install", "--no-compile", "--no-deps", "--no-index")
    exact = ["==".join(wheel.name.split("-")[:2]) for wheel in sorted(wheels.glob("*.whl"))]
    _run((*into, "--find-links", str(wheels), *exact))  # an install by path would record that path, in direct_url.json
    shutil.rmtree(workshop)
    unstage(release, root, python)
    _run((str(release / "bin/python"), "-B", str(release / "bin/rep-monitor"), "--version"))
    share = release / "share/rep-monitor"
    share.mkdir(parents=True)
    for path in [SOURCE / "README.md", SOURCE / "LICENSE", HERE / "network.conf", *(SOURCE / "configs").glob("*.toml")]:
        shutil.copy(path, share)


def unstage(release: Path, root: Path, python: str) -> None:
    """Replaces the staging folder by the final one in all files that `venv` and `pip` wrote, then compiles.

    Raises InstallError if a binary file names the staging folder.
    """
    staged, final = os.fsencode(release), os.fsencode("/" / release.relative_to(root))
    changed = []
    for path in sorted(path for path in release.rglob("*") if path.is_file() and not path.is_symlink()):
        data = path.read_bytes()
        if staged != final and staged in data:
            if b"\0" in data:
                raise InstallError(f"{path} is a binary file that names the staging folder: please report this")
            path.write_bytes(data.replace(staged, final))
            changed.append(path)
    for record in release.glob("lib/*/site-packages/*.dist-info/RECORD"):
        _update_record(record, changed)
    _run((python, "-c", COMPILE, str(release / "lib"), str(root)))


def _update_record(record: Path, changed: list[Path]) -> None:
    """Writes the new hashes and sizes of the changed files."""
    rows = list(csv.reader(record.read_text().splitlines()))
    for row in rows:
        path = Path(os.path.normpath(record.parents[1] / row[0]))
        if path in changed:
            digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
            row[1:] = f"sha256={digest}", str(path.stat().st_size)
    with record.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


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


def _run(words: Sequence[str]) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, umask=0o022, check=False)
    except FileNotFoundError:
        raise InstallError(f"{words[0]} is not installed on this machine: install it") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise InstallError(f"`{' '.join(words)}` failed: {' '.join(lines[-3:]) or f'status {done.returncode}'}")
    return done.stdout


def _say(sentence: str) -> None:
    print(sentence, flush=True)


def _check(python: str, root: Path) -> None:
    prefix, new_enough = _run(
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
    parser = argparse.ArgumentParser(prog="install.py", description="Installs rep-monitor as a service.")
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
