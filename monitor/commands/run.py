"""`rep-monitor run --config FILE`: runs the daemon of a machine."""

import argparse
import asyncio
import faulthandler
import logging
import os
import sys
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.exit_codes import ExitCode

if TYPE_CHECKING:
    from firmware_bridge.chunk import Chunk
    from monitor.daemon.daemon import Daemon
    from monitor.daemon.serve import Up

HELP = "Run the daemon: it reads the serial port, detects, stores, publishes and records until it is stopped."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the machine's profile")
    parser.add_argument("--port", metavar="PORT", help="use this port instead of the profile's [serial] port")
    parser.add_argument("--verbose", action="store_true", help="also log normal events, such as connections")


def run(args: argparse.Namespace) -> int:
    from monitor.allocator import keep_compact

    keep_compact()
    from firmware_bridge.serial_port import read_chunks
    from monitor.daemon.log_limit import LogLimit
    from monitor.daemon.serve import serve
    from monitor.profile.readiness import lacks
    from monitor.profile.reading import load_profile
    from monitor.profile.toml_document import ConfigError

    profile = load_profile(args.config)
    port = args.port or profile.serial.port
    if lacking := lacks(profile, args.config, port):
        raise ConfigError(lacking[0])
    assert port is not None
    level = logging.INFO if args.verbose else logging.WARNING
    lines = logging.StreamHandler(sys.stderr)
    lines.addFilter(LogLimit())
    logging.basicConfig(level=level, format="%(levelname)s %(message)s", handlers=[lines])
    faulthandler.enable()  # a service manager ends a hanging daemon by SIGABRT: the log then shows where it hung
    serial = profile.serial

    def source(daemon: "Daemon") -> "AsyncGenerator[Chunk, None]":
        return read_chunks(
            port,
            serial.baud,
            format=serial.format,
            rate_hz=serial.rate_hz,
            block=serial.block,
            on_state=daemon.on_link,
            on_turn=daemon.on_turn,
            needed=daemon.needed,
        )

    # A terminal that is closed sends SIGHUP, too; then it must stop the daemon.
    reread = None if os.isatty(0) else partial(load_profile, args.config)
    asyncio.run(serve(profile, source, on_up=_print, reread=reread))
    return ExitCode.DONE


def _print(up: "Up") -> None:
    """Prints the addresses without secrets, because a service's output is logged."""
    print(
        f"{up.daemon.machine}: broker {up.broker}",
        f"page {up.secure_url or up.page_url}" if up.page_url else "no page",
        sep=", ",
        flush=True,
    )
