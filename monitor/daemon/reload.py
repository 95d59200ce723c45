"""Takes a changed profile while the daemon runs: read when it is asked (SIGHUP), used between two sets.

What a set is judged by never changes within it, so a changed profile waits until nobody has lifted for `REST_S`; `info`
says that it does. One with a mistake is told in its sentence, and the old one stays. Ports, broker, page and disk are
taken up at a start: what is changed there is told to wait for a restart.
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
    """`run` in a task; `ask` from a signal."""

    def __init__(self, daemon: Daemon, read: Callable[[], Profile]) -> None:
        self._daemon = daemon
        self._read = read
        self._profile = daemon.profile  # as it was read; a coach may have agreed on something else meanwhile
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
                _log.error("%s; the profile from before stays", error)
                self._daemon.config = ConfigInfo(trouble=str(error))
                continue
            await self._between_sets(profile)

    async def _between_sets(self, profile: Profile) -> None:
        """Or until it is asked again: then the newest counts."""
        self._daemon.config = ConfigInfo(pending=True)
        while not self._asked.is_set():
            if self._daemon.rested_s() >= REST_S and self._taken(profile):
                return
            await asyncio.sleep(LOOK_EVERY_S)

    def _taken(self, profile: Profile) -> bool:
        waiting = [f"[{name}]" for name in Profile.__struct_fields__ if _differ(name, profile, self._profile)]
        waiting = [name for name in waiting if name[1:-1] not in LIVE]
        self._daemon.config = ConfigInfo(restart=tuple(waiting))
        lively = {name: getattr(profile, name) for name in LIVE}
        try:
            self._daemon.agree(msgspec.structs.replace(self._daemon.profile, **lively))
        except CommandRefused:
            self._daemon.config = ConfigInfo(pending=True)  # a set has begun at this moment
            return False
        self._profile = msgspec.structs.replace(self._profile, **lively)
        _log.warning("the profile was read anew%s", f"; {', '.join(waiting)} at the next restart" if waiting else "")
        return True


def usable(old: Profile, new: Profile) -> Profile:
    """Raises ConfigError where a daemon that runs cannot become what is asked for."""
    if new.calibration is None:
        raise ConfigError("[calibration] is missing: run `rep-monitor calibrate` with this profile")
    if new.machine.id != old.machine.id:
        raise ConfigError(f'[machine] id is "{new.machine.id}" and was "{old.machine.id}": restart for another machine')
    return new


def _differ(name: str, one: Profile, other: Profile) -> bool:
    return bool(getattr(one, name) != getattr(other, name))
