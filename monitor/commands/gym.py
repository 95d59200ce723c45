"""`rep-monitor gym`: collects many machines, and serves the gym's page; its actions do one thing beside it.

Those for people are in `gym_people.py`.
"""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands.gym_people import add_people_arguments, run_people
from monitor.exit_codes import ExitCode

if TYPE_CHECKING:
    from monitor.daemon.stop_limit import StopLimit
    from monitor.gym.configuration import GymConfig
    from monitor.gym.gym import GymPlaces
    from monitor.gym.web.logins import PageRole

HELP = "Collect the events and sets of many machines in one database, until it is stopped."
ANSWERED_WITHIN_S = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the gym's configuration (default: none, so every setting has its default)",
    )
    parser.add_argument("--verbose", action="store_true", help="also log normal events, such as connections")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    backup = actions.add_parser("backup", help="write the whole database to a new file, also while the gym runs")
    backup.add_argument("file", type=Path, metavar="FILE", help="a SQLite file; it contains names")
    restore = actions.add_parser("restore", help="copy a backup into an empty database (SQLite or PostgreSQL)")
    restore.add_argument("file", type=Path, metavar="FILE", help="what `backup` wrote")
    code = actions.add_parser("code", help="let a new screen in: a QR code, and the same code to type")
    code.add_argument(
        "--role", choices=("trainer", "display"), default="trainer", help="what the screen may do (default: trainer)"
    )
    forget = actions.add_parser("forget", help="remove a client here and on every machine")
    forget.add_argument("client", metavar="CLIENT", help="the client's id")
    handout = actions.add_parser("handout", help="write a client's visit as one page to print")
    handout.add_argument("client", metavar="CLIENT", help="the client's id or name")
    when = "its day, as 2026-11-29, with the time where there were several (default: the newest visit)"
    handout.add_argument("--visit", metavar="DATE", help=when)
    handout.add_argument("--weights", choices=("kg", "lb"), default="kg", help="the unit of weights (default: kg)")
    handout.add_argument("--out", type=Path, metavar="OUT.html", required=True, help="write the page to this file")
    add_people_arguments(actions)


def run(args: argparse.Namespace) -> int:
    if find_spec("sqlalchemy") is None:
        print("rep-monitor gym: this needs more packages: pip install 'rep-monitor[gym]'", file=sys.stderr)
        return ExitCode.BAD_INPUT
    from monitor.gym.configuration import load_gym

    config = load_gym(args.config)
    if args.action == "forget":
        return _forget(config, args.client)
    if args.action == "code":
        return _code(config, args.role)
    if args.action == "handout":
        return _handout(config, args)
    if args.action in ("people", "card"):
        return run_people(config, args)
    if args.action is not None:
        return _copy(config, args.action, args.file)
    level = logging.INFO if args.verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(message)s")
    from monitor.daemon.stop_limit import StopLimit

    limit = StopLimit()
    limit.missing = lambda: ["events that the database has not stored stay in the machines' stores until it asks again"]
    try:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(_until_stopped(config, limit))
    finally:
        limit.done()
    return ExitCode.DONE


async def _until_stopped(config: "GymConfig", limit: "StopLimit") -> None:
    from monitor.gym.gym import run_gym

    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def stop(begin: Callable[[], None]) -> None:
        begin()
        task.cancel()

    loop.add_signal_handler(signal.SIGTERM, stop, limit.begin)
    loop.add_signal_handler(signal.SIGINT, stop, limit.interrupt)
    await run_gym(config, _print)


def _print(gym: "GymPlaces") -> None:
    print(f"gym: broker {gym.broker}, database {gym.database.place}", flush=True)
    if gym.page_url is not None:
        print(f"gym: page {gym.page_url}, and `rep-monitor gym code` lets a screen in", flush=True)


def _code(config: "GymConfig", role: "PageRole") -> int:
    from monitor.commands.access import print_code
    from monitor.display.address import is_open
    from monitor.gym.web.own_programs import ask_code

    given = ask_code(config, role)
    if not is_open(config.display.bind):
        page = given.url.partition("#")[0]
        print(f"On this computer, open {page} and type:  {given.code[:3]} {given.code[3:]}  (role: {given.role})")
        print("For one browser, within five minutes. --role display: for one that only shows.")
        print('No other screen can reach the page: give [display] bind = "0.0.0.0", and start the gym again.')
        return ExitCode.DONE
    print_code(given.url, given.code, given.role, "--role display: for a screen that only shows.")
    return ExitCode.DONE


def _copy(config: "GymConfig", action: str, file: Path) -> int:
    from monitor.gym.database.copying import back_up, restore
    from monitor.gym.database.database import open_database, open_existing
    from monitor.gym.database.owner import owning

    opened = open_existing if action == "backup" else open_database
    with contextlib.closing(opened(config.database_url)) as database:
        if action == "backup":
            print(f"{back_up(database, file)} rows are saved in {file}")
        else:
            with owning(database, config.mqtt.roots):
                print(f"{restore(database, file)} rows are restored into {database.place}")
    return ExitCode.DONE


def _handout(config: "GymConfig", args: argparse.Namespace) -> int:
    from monitor.gym.database.database import open_existing
    from monitor.gym.handout.choosing import chosen_visit
    from monitor.gym.handout.handout import handout
    from monitor.gym.people.consent import consented
    from monitor.gym.people.finding import client_named
    from monitor.record.output import replacing
    from monitor.state.whole_file import PRIVATE_FILE

    with contextlib.closing(open_existing(config.database_url)) as database, database.reading() as connection:
        person = consented(client_named(connection, args.client))
        visit = chosen_visit(connection, person, args.visit)
        page = handout(connection, person.client_id, visit.began_unix_s, args.weights)
    with replacing(args.out, PRIVATE_FILE) as file:
        file.write(page.encode())
    print(args.out)
    return ExitCode.DONE


def _forget(config: "GymConfig", client: str) -> int:
    from monitor.gym.database.database import open_existing
    from monitor.gym.forgetting import answers, check_known, forget_client

    database = open_existing(config.database_url)
    with contextlib.closing(database):
        with database.reading() as connection:
            check_known(connection, client)
        request_id = forget_client(database, client)
        print(f"{client} is removed from {database.place}; backups and exports must be removed by hand", flush=True)
        until_s = time.monotonic() + ANSWERED_WITHIN_S
        while True:
            with database.reading() as connection:
                said = answers(connection, request_id)
            if all(answer.ok is not None for answer in said) or time.monotonic() > until_s:
                break
            time.sleep(0.5)
    for answer in said:
        waits = "not asked yet; `rep-monitor gym` asks it when it is online"
        print(f"  {answer.site}/{answer.machine}: {waits if answer.ok is None else answer.detail}")
    return ExitCode.DONE if all(answer.ok for answer in said) else ExitCode.FAILED
