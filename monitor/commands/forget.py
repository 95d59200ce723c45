"""`rep-monitor forget LIFTER`: takes a person out of what is kept, also while the daemon runs."""

import argparse
import asyncio
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.exit_codes import ExitCode

if TYPE_CHECKING:
    from monitor.custody.forgetting import Forgotten
    from monitor.profile.profile import Profile

HELP = "Take a person's id out of the store, what was set aside, and what the broker keeps. Recordings name nobody."

ANSWERED_WITHIN_S = 60.0
LOOK_EVERY_S = 0.05


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lifter", metavar="LIFTER", help="the id, as the coach gave it")
    parser.add_argument("--config", type=Path, metavar="FILE", help="of this machine alone, and its broker")


def run(args: argparse.Namespace) -> int:
    import msgspec

    from monitor.mqtt.contract.messages import Name
    from monitor.profile.reading import load_profile
    from monitor.profile.toml_document import ConfigError
    from monitor.state.folders import StateError, machines_kept, state_root

    try:
        lifter = msgspec.convert(args.lifter, Name)
    except msgspec.ValidationError:
        raise ConfigError("LIFTER is an id of 1 to 64 letters, digits, - and _, as the coach gave it") from None
    profile = None if args.config is None else load_profile(args.config)
    machines = machines_kept() if profile is None else [profile.machine.id]
    if not machines:
        raise StateError(f"nothing is kept in {state_root()}: set STATE_DIRECTORY, or give --config")
    for machine in machines:
        _forget(state_root() / machine, lifter, profile)
    return ExitCode.DONE


def _forget(directory: Path, lifter: str, profile: "Profile | None") -> None:
    from monitor.custody.forgetting import Forgotten, forget
    from monitor.state.folders import AlreadyRuns, Lock, StateError, store_path
    from monitor.store.store import Store

    if not store_path(directory).exists():
        raise StateError(f"nothing is kept in {directory}: set STATE_DIRECTORY to where the daemon keeps it")
    done = Forgotten()
    try:
        with Lock(directory), Store(store_path(directory)) as store:
            try:
                forget(store, lifter, done)
            finally:  # also where the disk refuses half-way: the next try would not know whose set it was
                if done.last_set and profile is not None and profile.mqtt.host is not None:
                    asyncio.run(_clear_at_broker(profile))
    except AlreadyRuns:
        done = _ask(directory, lifter)
    print(f"{directory.name}: {_told(done)}")


def _ask(directory: Path, lifter: str) -> "Forgotten":
    """The daemon that runs in this folder."""
    import msgspec

    from monitor.custody.forgetting import Ask, Forgotten, NotAnswered
    from monitor.state.whole_file import write_whole

    path = directory / f"forget-{secrets.token_hex(8)}.ask"
    answer = path.with_suffix(".done")
    write_whole(path, msgspec.json.encode(Ask(lifter)))
    until_s = time.monotonic() + ANSWERED_WITHIN_S
    while time.monotonic() < until_s:
        if answer.exists():
            done = msgspec.json.decode(answer.read_bytes(), type=Forgotten)
            answer.unlink()
            return done
        time.sleep(LOOK_EVERY_S)
    raise NotAnswered(
        f"the daemon has not answered within {ANSWERED_WITHIN_S:.0f} s; it has been asked, and does it when its disk"
        f" lets it: look whether {path} goes away"
    )


async def _clear_at_broker(profile: "Profile") -> None:
    """What the daemon would, if it ran: the last set's summary is not to be shown any more."""
    from monitor.access.credentials import address_of
    from monitor.mqtt.client.connection import connect
    from monitor.mqtt.contract import payload

    async with connect(address_of(profile), f"rep-monitor-{profile.machine.id}-forget") as connection:
        await connection.publish(payload.cleared(payload.topic(profile.machine.id, "set")))


def _told(done: "Forgotten") -> str:
    if not done.rows and not done.removed:
        return "nothing was kept under that id"
    gone = f"; removed {', '.join(done.removed)}, which was damaged and held the id" if done.removed else ""
    return f"forgotten in {done.rows} sets and sessions{gone}"
