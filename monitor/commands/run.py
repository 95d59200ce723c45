"""`rep-monitor run --config FILE`: the daemon beside a machine."""

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

HELP = "The daemon: reads the serial port, detects, stores, publishes, records, until it is told to stop."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the machine's profile")
    parser.add_argument("--port", metavar="PORT", help="instead of the profile's [serial] port")
    parser.add_argument("--verbose", action="store_true", help="log what goes well, too")


def run(args: argparse.Namespace) -> int:
    from monitor.daemon.allocator import keep_compact

    keep_compact()
    from firmware_bridge.serial_port import read_chunks
    from monitor.daemon.log_limit import LogLimit
    from monitor.daemon.serve import serve
    from monitor.profile.reading import load_profile
    from monitor.profile.toml_document import ConfigError

    profile = load_profile(args.config)
    port = args.port or profile.serial.port
    if port is None:
        raise ConfigError(f"{args.config}: [serial] port is missing: add the by-id path that `rep-monitor ports` shows")
    if profile.calibration is None:
        raise ConfigError(
            f"{args.config}: not calibrated yet, [calibration] is missing: run `rep-monitor calibrate {args.config}`"
        )
    level = logging.INFO if args.verbose else logging.WARNING
    lines = logging.StreamHandler(sys.stderr)
    lines.addFilter(LogLimit())
    logging.basicConfig(level=level, format="%(levelname)s %(message)s", handlers=[lines])
    faulthandler.enable()  # a service manager ends a daemon that hangs by SIGABRT: then the log says where
    serial = profile.serial

    def source(daemon: "Daemon") -> "AsyncGenerator[Chunk, None]":
        return read_chunks(
            port,
            serial.baud,
            format=serial.format,
            rate_hz=serial.rate_hz,
            block=serial.block,
            on_state=daemon.on_link,
            on_turn=daemon.turned,
            needed_ns=daemon.needed_ns,
        )

    # A terminal that is closed sends SIGHUP, too: there it must stop the daemon.
    reread = None if os.isatty(0) else partial(load_profile, args.config)
    asyncio.run(serve(profile, source, on_up=_say, reread=reread))
    return ExitCode.DONE


def _say(up: "Up") -> None:
    """Into a service's log: no secrets."""
    print(
        f"{up.daemon.machine}: broker {up.broker}",
        f"page {up.page_url}" if up.page_url else "no page",
        sep=", ",
        flush=True,
    )
