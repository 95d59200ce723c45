"""`rep-monitor demo`: runs the daemon on a simulated leg press and lifter, with the real wire, broker and page."""

import argparse
import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncGenerator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.arguments import add_weights_argument, tcp_port
from monitor.exit_codes import ExitCode

if TYPE_CHECKING:
    from firmware_bridge.chunk import Chunk
    from monitor.daemon.daemon import Daemon
    from monitor.daemon.serve import Up
    from monitor.profile.profile import Profile

HELP = "Show a simulated leg press and lifter, with the real wire, broker and page. Needs no hardware."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=tcp_port, metavar="N", help="port of the page (default 8080, or the next free port)"
    )
    parser.add_argument("--tempo", choices=("2/4", "4/4", "5/5", "10/10"), help="tempo of the lifter (default 4/4)")
    parser.add_argument(
        "--gym", action="store_true", help="show four machines, and three clients who walk from one to the next"
    )
    parser.add_argument("--firmware", action="store_true", help="use an emulated board that runs the real firmware")
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="the same seed gives the same lifter (default 1)"
    )
    parser.add_argument("--keep", action="store_true", help="keep the recordings, and print their folder")
    add_weights_argument(parser)


def run(args: argparse.Namespace) -> int:
    import msgspec

    from monitor.demo.scratch_folder import scratch_folder
    from monitor.profile.reading import load_profile
    from monitor.profile.toml_document import ConfigError
    from monitor.profile.weights import shown_in

    if args.gym and (args.firmware or args.tempo):
        raise ConfigError("--gym has machines of its own, at 2/4: give neither --firmware nor --tempo")
    logging.basicConfig(level=logging.ERROR, format="%(message)s", stream=sys.stderr)
    with resources.as_file(resources.files("monitor") / "demo.toml") as path:
        profile = load_profile(path)
    chosen = {"port": args.port, "units": args.weights}
    given = {name: value for name, value in chosen.items() if value is not None}
    profile = msgspec.structs.replace(profile, display=msgspec.structs.replace(profile.display, **given))
    if args.tempo is not None:
        up_s, down_s = (float(part) for part in args.tempo.split("/"))
        protocol = msgspec.structs.replace(profile.protocol, name=args.tempo, positive_s=up_s, negative_s=down_s)
        profile = msgspec.structs.replace(profile, protocol=protocol)
    show = _gym if args.gym else _on_firmware if args.firmware else _simulated
    with scratch_folder(keep=args.keep) as folder, shown_in(profile.display.units):
        asyncio.run(show(profile, args.seed, folder))
    return ExitCode.DONE


async def _gym(profile: "Profile", seed: int, folder: Path) -> None:
    from monitor.demo.gym_show import show_gym

    await show_gym(folder, profile.display, seed)


async def _simulated(profile: "Profile", seed: int, folder: Path) -> None:
    from monitor.demo.simulated import device_of

    with device_of(profile, seed) as device:
        lifter = asyncio.create_task(device.run(), name="simulated machine")
        try:
            await _show(profile, device.port, folder, lifter)
        finally:
            lifter.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await lifter


async def _on_firmware(profile: "Profile", seed: int, folder: Path) -> None:
    from monitor.demo.emulated import board_of  # needs a compiler for the board, which few computers have

    with board_of(profile, seed) as board:
        await _show(profile, str(board.port), folder)


async def _show(profile: "Profile", port: str, folder: Path, lifter: asyncio.Task[None] | None = None) -> None:
    """Runs the daemon on that port and shows it on the screen, until Ctrl-C or until the lifter's task ends."""
    from firmware_bridge.serial_port import read_chunks
    from monitor.daemon.serve import serve
    from monitor.demo.demo_screen import DemoScreen

    screen = DemoScreen(profile)

    def source(daemon: "Daemon") -> "AsyncGenerator[Chunk, None]":
        if lifter is not None:
            lifter.add_done_callback(lambda _: daemon.stop())
        return read_chunks(
            port, profile.serial.baud, on_state=daemon.on_link, on_turn=daemon.on_turn, needed=daemon.needed
        )

    def say(up: "Up") -> None:
        screen.begin(up.page_url, port)

    with screen:
        await serve(profile, source, on_up=say, sinks=[screen], scratch=folder)
