"""`rep-monitor watch`: shows the live feedback of a machine in a terminal, for example over SSH."""

import argparse
import asyncio
import contextlib
from pathlib import Path

from monitor.arguments import add_weights_argument, tcp_port
from monitor.exit_codes import ExitCode

HELP = "Show the live feedback in a terminal: of the machine whose page is on this computer, or from any broker."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("machine", nargs="?", metavar="MACHINE", help="its id (default: the only one)")
    parser.add_argument(
        "--config", type=Path, metavar="C", help="the machine's profile, which names its broker or page"
    )
    parser.add_argument(
        "--page", metavar="URL", help="the machine's page, with its token (default http://127.0.0.1:8080/)"
    )
    parser.add_argument("--host", metavar="H", help="host of a broker")
    parser.add_argument("--root", metavar="ROOT", help='root of the topics there, such as "berlin/rep" (default rep)')
    parser.add_argument("--port", type=tcp_port, metavar="P", help="port of the broker (default 1883; 8883 with --tls)")
    parser.add_argument("--user", metavar="NAME", help="an account of the broker that may read, such as a display's")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="a file that contains only its password")
    parser.add_argument("--tls", action="store_true", help="encrypt the connection")
    parser.add_argument(
        "--ca-file", type=Path, metavar="FILE", help="the certificate authority of the broker, or of the page"
    )
    add_weights_argument(parser)


def run(args: argparse.Namespace) -> int:
    from monitor.profile.reading import load_profile
    from monitor.profile.weights import shown_in
    from monitor.watch.terminal_view import view
    from monitor.watch.viewpoint import viewpoint

    find = viewpoint(
        args.machine,
        args.config,
        args.page,
        root=args.root,
        host=args.host,
        port=args.port,
        user=args.user,
        password_file=args.password_file,
        tls=args.tls,
        ca_file=args.ca_file,
    )
    units = args.weights or (load_profile(args.config).display.units if args.config else "kg")
    with shown_in(units), contextlib.suppress(KeyboardInterrupt):  # the usual end
        asyncio.run(view(find))
    return ExitCode.DONE
