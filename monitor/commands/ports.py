"""`rep-monitor ports`: lists the serial devices: their stable names, the programs that use them, and what answers."""

import argparse
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from monitor.arguments import baud
from monitor.exit_codes import ExitCode

if TYPE_CHECKING:
    from firmware_bridge.formats.messages import Hello
    from firmware_bridge.ports import PortInfo

HELP = "List the serial devices: their stable names, the programs that use them, and what answers. May reset a board."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("port", nargs="*", metavar="PORT", help="only these devices, even if they are not listed")
    parser.add_argument("--baud", type=baud, default=500_000, help="baud rate (default: 500000)")
    parser.add_argument("--no-ask", action="store_true", help="list only: open no port and reset no board")


def run(args: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from firmware_bridge.ports import list_ports, port_info

    console = Console()
    found = [port_info(port) for port in args.port] or list_ports()
    if not found:
        console.print("No serial device is plugged in. A board appears as /dev/ttyUSB0 or /dev/ttyACM0.")
        return ExitCode.DONE
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("PORT", "FOR THE PROFILE", "USED BY", "ANSWER"):
        table.add_column(name, overflow="fold")
    with console.status("Asking each port; a board that restarts needs two seconds"), ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda info: _answer(info, args), found))
    for info, (style, answer) in zip(found, answers, strict=True):
        held = ", ".join(map(str, info.holders))
        table.add_row(info.device, info.by_id or info.device, Text(held, "yellow"), Text(answer, style))
    console.print(table)
    return ExitCode.DONE


def _answer(info: "PortInfo", args: argparse.Namespace) -> tuple[str, str]:
    """The answer at the port, with the style to print it in."""
    from firmware_bridge.errors import BridgeError
    from firmware_bridge.ports import probe

    if args.no_ask or info.holders:
        return "dim", f"not asked{f'; {info.description}' if info.description else ''}"
    try:
        hello = probe(info.device, args.baud)
    except BridgeError as error:
        return "red", str(error)
    return ("green", _who(hello)) if hello else ("dim", f"nothing{f'; {info.description}' if info.description else ''}")


def _who(hello: "Hello") -> str:
    return f"firmware {hello.firmware} on {hello.mcu_name}, {hello.adc_name} at {hello.adc_sps} readings a second"
