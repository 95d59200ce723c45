"""Reloads a changed profile while the daemon runs, at SIGHUP, and applies it between two sets.

Settings never change within a set, so a changed profile waits until nobody has lifted for `REST_S`. If the file has an
error, the old profile stays. Changes of port, broker, page and disk wait for a restart. `info` reports all of this.
"""

import asyncio
import logging
from collections.abc import Callable

import msgspec

from monitor.daemon.daemon import Daemon
from monitor.mqtt.contract.commands import CommandRefused
from monitor.mqtt.contract.messages import ConfigInfo
from monitor.profile.profile import Profile
from monitor.profile.toml_document import ConfigError

REST_S = 5.0
LOOK_EVERY_S = 1.0
LIVE = ("machine", "protocol", "calibration", "detect")
_log = logging.getLogger(__name__)


class Reload:
    """`run` is a task; a signal handler calls `ask`."""

    def __init__(self, daemon: Daemon, read: Callable[[], Profile]) -> None:
        self._daemon = daemon
        self._read = read
        self._profile = daemon.profile  # as in the file; commands may have changed the daemon's
        self._asked = asyncio.Event()

    def ask(self) -> None:
        self._asked.set()

    async def run(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                profile = usable(self._profile, await asyncio.to_thread(self._read))
            except ConfigError as error:
                _log.error("%s; the old profile stays", error)
                self._daemon.config = ConfigInfo(trouble=str(error))
                continue
            await self._between_sets(profile)

    async def _between_sets(self, profile: Profile) -> None:
        """Applies the profile when no set is in progress; ends early if another reload is requested."""
        self._daemon.config = ConfigInfo(pending=True)
        while not self._asked.is_set():
            if self._daemon.since_set_s() >= REST_S and self._applied(profile):
                return
            await asyncio.sleep(LOOK_EVERY_S)

    def _applied(self, profile: Profile) -> bool:
        """Applies the profile; returns False if a set has just begun."""
        waiting = [f"[{name}]" for name in Profile.__struct_fields__ if _differ(name, profile, self._profile)]
        waiting = [name for name in waiting if name[1:-1] not in LIVE]
        self._daemon.config = ConfigInfo(restart=tuple(waiting))
        live = {name: getattr(profile, name) for name in LIVE}
        try:
            self._daemon.change_profile(msgspec.structs.replace(self._daemon.profile, **live))
        except CommandRefused:
            self._daemon.config = ConfigInfo(pending=True)
            return False
        self._daemon.own_protocol = profile.protocol
        self._profile = msgspec.structs.replace(self._profile, **live)
        _log.warning("the profile was reloaded%s", f"; {', '.join(waiting)} at the next restart" if waiting else "")
        return True


def usable(old: Profile, new: Profile) -> Profile:
    """The new profile. Raises ConfigError if a running daemon cannot change to it."""
    if new.calibration is None:
        raise ConfigError("Not calibrated yet: run `rep-monitor calibrate FILE`.")
    if new.machine.id != old.machine.id:
        raise ConfigError(f'[machine] id is "{new.machine.id}" and was "{old.machine.id}": restart for another machine')
    return new


def _differ(name: str, one: Profile, other: Profile) -> bool:
    return bool(getattr(one, name) != getattr(other, name))
