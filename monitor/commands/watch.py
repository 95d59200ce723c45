"""`rep-monitor watch`: the live feedback of a machine in a terminal, over SSH say."""

import argparse
import asyncio
import contextlib
from pathlib import Path

from monitor.arguments import tcp_port
from monitor.exit_codes import ExitCode

HELP = "The live feedback in a terminal: of the machine whose page is on this computer, or over any broker."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("machine", nargs="?", metavar="MACHINE", help="its id (default: the only one there is)")
    parser.add_argument("--config", type=Path, metavar="C", help="the machine's profile: its broker, or else its page")
    parser.add_argument(
        "--page", metavar="URL", help="the machine's page, with its token (default http://127.0.0.1:8080/)"
    )
    parser.add_argument("--host", metavar="H", help="a broker")
    parser.add_argument("--port", type=tcp_port, metavar="P", help="of the broker (default 1883, with --tls 8883)")
    parser.add_argument("--user", metavar="NAME", help="an account there that may read, a display's say")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="its password, alone in a file")
    parser.add_argument("--tls", action="store_true", help="encrypted")
    parser.add_argument("--ca-file", type=Path, metavar="FILE", help="who signed the broker's certificate")


def run(args: argparse.Namespace) -> int:
    from monitor.watch.terminal_view import view
    from monitor.watch.viewpoint import viewpoint

    find = viewpoint(
        args.machine,
        args.config,
        args.page,
        host=args.host,
        port=args.port,
        user=args.user,
        password_file=args.password_file,
        tls=args.tls,
        ca_file=args.ca_file,
    )
    with contextlib.suppress(KeyboardInterrupt):  # the usual end
        asyncio.run(view(find))
    return ExitCode.DONE
