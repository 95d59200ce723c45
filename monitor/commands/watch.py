"""`rep-monitor watch`: the live feedback of a machine in a terminal, over SSH say."""

import argparse
import asyncio
import contextlib
import json
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from monitor.broker_account import address_of, password_in
from monitor.config import ConfigError, load_profile
from monitor.display.address import addresses, is_open, page_url
from monitor.display.visit import DEFAULT_PAGE, visit
from monitor.events import AnyEvent
from monitor.exit_codes import ExitCode
from monitor.feedback.connection import Address
from monitor.feedback.roles import Role
from monitor.feedback.viewer import Find, Viewer, sole_machine
from monitor.keyboard import quit_key
from monitor.profile import Profile
from monitor.report.live_lines import is_news
from monitor.report.live_screen import event_line, line_of, screen
from monitor.state import state_directory
from monitor.watching import STALE_S, seen_of

HELP = "The live feedback in a terminal: of the machine whose page is on this computer, or over any broker."
DRAWN_EVERY_S = 0.08
LINE_EVERY_S = 1.0  # without a terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("machine", nargs="?", metavar="MACHINE", help="its id (default: the only one there is)")
    parser.add_argument("--config", type=Path, metavar="C", help="the machine's profile: its broker, or else its page")
    parser.add_argument("--page", metavar="URL", help=f"the machine's page, with its token (default {DEFAULT_PAGE})")
    parser.add_argument("--host", metavar="H", help="a broker")
    parser.add_argument("--port", type=int, metavar="P", help="of the broker (default 1883, with --tls 8883)")
    parser.add_argument("--user", metavar="NAME", help="an account there that may read, a display's say")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="its password, alone in a file")
    parser.add_argument("--tls", action="store_true", help="encrypted")
    parser.add_argument("--ca-file", type=Path, metavar="FILE", help="who signed the broker's certificate")


def run(args: argparse.Namespace) -> int:
    profile = load_profile(args.config) if args.config else None
    find = _way(args, profile)
    with contextlib.suppress(KeyboardInterrupt):  # the usual end
        asyncio.run(_watch(find))
    return ExitCode.DONE


def _way(args: argparse.Namespace, profile: Profile | None) -> Find:
    """Where the feedback comes from."""
    machine = args.machine or (profile.machine.id if profile else None)
    if args.page and (args.host or args.tls or args.user):
        raise ConfigError("--page and --host are two ways to one machine: give one of them")
    if args.host or (profile and profile.mqtt.host and not args.page):
        address = _broker(args, profile)
        return _always(machine, address) if machine else sole_machine(address)
    if args.tls or args.user or args.port:
        raise ConfigError("--port, --user and --tls are the broker's: say where it is with --host")
    url = args.page or (_own_page(profile) if profile else DEFAULT_PAGE)
    ask = partial(visit, url, machine, nearby=args.page is None)

    async def find() -> tuple[str, Address]:
        return await asyncio.to_thread(ask)

    return find


def _always(machine: str, address: Address) -> Find:
    async def find() -> tuple[str, Address]:
        return machine, address

    return find


def _broker(args: argparse.Namespace, profile: Profile | None) -> Address:
    if args.host is None:
        assert profile is not None
        told = address_of(profile) if args.user is None else None
        mqtt = profile.mqtt
        host, port, tls, ca_file = mqtt.host or "", args.port or mqtt.port, mqtt.tls, args.ca_file or mqtt.ca_file
        if told is not None:
            return Address(
                host=host, port=port, tls=tls, ca_file=told.ca_file, username=told.username, password=told.password
            )
    else:
        host, tls, ca_file = args.host, args.tls or args.ca_file is not None, args.ca_file
        port = args.port or (8883 if tls else 1883)
    password = password_in(args.password_file) if args.password_file else None
    ca = None if ca_file is None else str(ca_file)
    return Address(host=host, port=port, tls=tls, ca_file=ca, username=args.user, password=password)


def _own_page(profile: Profile) -> str:
    """With the token of a display, where the page asks for one and we may read it."""
    display = profile.display
    if not is_open(display.bind):
        return page_url(display.bind, display.port)
    return addresses(profile, state_directory(profile.machine.id))[Role.DISPLAY]


async def _watch(find: Find) -> None:
    """Until q, Ctrl-C, or an error that waiting does not mend."""
    from rich.console import Console

    console = Console(highlight=False)
    cues = _cues()
    if not console.is_terminal:
        await _beside(_print_lines(viewer := Viewer(find, _print_event), cues), viewer)
        return
    viewer = Viewer(find)
    quit_ = asyncio.Event()
    with quit_key(quit_):
        drawing = asyncio.ensure_future(_draw(viewer, cues, console))
        asked = asyncio.ensure_future(quit_.wait())
        try:
            await _beside(_first((drawing, asked)), viewer)
        finally:
            for task in (drawing, asked):
                task.cancel()
            await asyncio.gather(drawing, asked, return_exceptions=True)


async def _first(tasks: Any) -> None:
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()  # a bug is raised


async def _beside(work: Any, viewer: Viewer) -> None:
    """`work` while the viewer follows; whichever ends first ends the other."""
    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(viewer.run())]
    try:
        await _first(tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _draw(viewer: Viewer, cues: dict[str, str], console: Any) -> None:
    from rich.live import Live

    loop = asyncio.get_running_loop()
    with Live(console=console, auto_refresh=False, screen=True) as live:
        while True:
            viewer.news.clear()
            width, height = console.size
            plain = console.options.ascii_only
            now_s = loop.time()
            seen = seen_of(viewer, now_s)
            live.update(screen(seen, cues, width, height, ascii_only=plain), refresh=True)
            await asyncio.sleep(DRAWN_EVERY_S)
            due_s = (viewer.live_at_s or now_s) + STALE_S if seen.state == "live" else now_s + LINE_EVERY_S
            with contextlib.suppress(TimeoutError):  # nothing came: that is news too
                async with asyncio.timeout_at(due_s):
                    await viewer.news.wait()


async def _print_lines(viewer: Viewer, cues: dict[str, str]) -> None:
    """One a second while it is live, and each change of state."""
    loop = asyncio.get_running_loop()
    before = ""
    while True:
        await asyncio.sleep(LINE_EVERY_S)
        line = line_of(seen_of(viewer, loop.time()), cues)
        if line != before:
            print(line, flush=True)
        before = line


def _print_event(record: AnyEvent) -> None:
    if is_news(record) and (line := event_line(record)) is not None:
        print(line, flush=True)


def _cues() -> dict[str, str]:
    """The words of the page."""
    text = (files("monitor.display") / "page" / "cues" / "en.json").read_text(encoding="utf-8")
    return dict(json.loads(text)["cues"])
