"""`rep-monitor forget LIFTER`: removes a person's id from stored data, also while the daemon runs."""

import argparse
import asyncio
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.exit_codes import ExitCode

if TYPE_CHECKING:
    from monitor.custody.forgetting import ForgetResult
    from monitor.profile.profile import Profile

HELP = "Remove a person's id from the stores and from the broker. Recordings contain no id."

ANSWERED_WITHIN_S = 60.0
LOOK_EVERY_S = 0.05


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lifter", metavar="LIFTER", help="the id that the coach chose")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="only this machine and its broker (default: the stores of all)"
    )


def run(args: argparse.Namespace) -> int:
    import msgspec

    from monitor.mqtt.contract.messages import Name
    from monitor.profile.reading import load_profile
    from monitor.profile.toml_document import ConfigError
    from monitor.state.folders import StateError, machines_with_a_store, state_root

    try:
        lifter = msgspec.convert(args.lifter, Name)
    except msgspec.ValidationError:
        raise ConfigError("LIFTER must be an id of 1 to 64 letters, digits, - and _") from None
    profile = None if args.config is None else load_profile(args.config)
    machines = machines_with_a_store() if profile is None else [profile.machine.id]
    if not machines:
        raise StateError(f"{state_root()} contains no machine: set STATE_DIRECTORY, or give --config")
    for machine in machines:
        _forget(state_root() / machine, lifter, profile)
    return ExitCode.DONE


def _forget(directory: Path, lifter: str, profile: "Profile | None") -> None:
    from monitor.custody.forgetting import ForgetResult, forget
    from monitor.state.folders import AlreadyRuns, Lock, StateError, store_path
    from monitor.store.store import Store

    if not store_path(directory).exists():
        raise StateError(f"{directory} contains no store: set STATE_DIRECTORY to the daemon's state folder")
    done = ForgetResult()
    try:
        with Lock(directory), Store(store_path(directory)) as store:
            try:
                forget(store, lifter, done)
            finally:  # also after a failure: the next attempt would not know that the last set was theirs
                if done.last_set and profile is not None and profile.mqtt.host is not None:
                    asyncio.run(_clear_at_broker(profile))
    except AlreadyRuns:
        done = _ask(directory, lifter)
    print(f"{directory.name}: {done}")


def _ask(directory: Path, lifter: str) -> "ForgetResult":
    """Asks the daemon that runs in this folder. Raises NotAnswered."""
    import msgspec

    from monitor.custody.forgetting import ForgetRequest, ForgetResult, NotAnswered
    from monitor.state.whole_file import write_whole

    path = directory / f"forget-{secrets.token_hex(8)}.ask"
    answer = path.with_suffix(".done")
    write_whole(path, msgspec.json.encode(ForgetRequest(lifter)))
    until_s = time.monotonic() + ANSWERED_WITHIN_S
    while time.monotonic() < until_s:
        if answer.exists() and not path.exists():  # the request contains the id, too
            done = msgspec.json.decode(answer.read_bytes(), type=ForgetResult)
            answer.unlink()
            return done
        time.sleep(LOOK_EVERY_S)
    raise NotAnswered(
        f"the daemon has not answered within {ANSWERED_WITHIN_S:.0f} s; it will remove the id as soon as its disk"
        f" allows, and then delete {path}"
    )


async def _clear_at_broker(profile: "Profile") -> None:
    """Clears the retained summary of the last set, as the daemon would."""
    from monitor.access.credentials import address_of
    from monitor.mqtt.client.connection import connect
    from monitor.mqtt.contract import payload

    async with connect(address_of(profile), f"rep-monitor-{profile.machine.id}-forget") as connection:
        await connection.publish(payload.cleared(profile.topic_tree.topic("set")))
