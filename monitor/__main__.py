"""The command rep-monitor: finds the subcommand, and tells what went wrong in one sentence.

A subcommand is a file in commands/ and a line in COMMANDS; it is imported only when it is asked for.
"""

import argparse
import os
import select
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from types import ModuleType

from monitor.exit_codes import TABLE, ExitCode, exit_code, sentence

COMMANDS = {
    "demo": "a simulated leg press and lifter on the display, without hardware",
    "run": "the daemon: serial port to detection, display and recording",
    "simulate": "a simulated machine on a pseudo-terminal, for `run` to open",
    "replay": "a recording or a table of samples through the same detection",
    "report": "a session as a page to read and print, or in short on the terminal",
    "watch": "the live feedback in a terminal",
    "export": "samples and events of a recording for other tools",
    "access": "who may look and who may command: the page's tokens, a broker's accounts",
    "backup": "profiles, calibrations and stores in one file",
    "restore": "what a backup holds, back to its place",
    "forget": "take a person out of what is kept",
    "config": "check a machine's profile",
    "calibrate": "what a machine's counts mean: leads you through it, then changes the profile",
    "doctor": "what is wrong with port, board, sensors, clock, disk, broker and page, and the remedy",
    "ports": "the serial devices, who holds them, and what answers",
    "recover": "save what stands in a damaged recording",
}


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    command = next((word for word in words if not word.startswith("-")), "")
    parser = _parser(command)
    args = parser.parse_args(words)
    if args.command is None:
        parser.print_help(sys.stderr)
        return ExitCode.BAD_INPUT
    try:
        status = int(_module(args.command).run(args))
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            return ExitCode.FAILED
        codes = {sentence(part): exit_code(part, command) for part in _parts(error)}
        if None in codes.values():
            raise
        for line in codes:
            print(f"rep-monitor {command}: {line}", file=sys.stderr)
        return max(code for code in codes.values() if code is not None)


def _parser(command: str) -> argparse.ArgumentParser:
    """The parser with the arguments of one subcommand; of the others it knows no more than their line of help."""
    epilog = "exit status:\n" + "\n".join(f"  {code:3d}  {meaning}" for code, meaning in TABLE.items())
    parser = argparse.ArgumentParser(
        prog="rep-monitor",
        description="Live tension feedback for strength machines.",
        epilog=epilog,
        formatter_class=_Help,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, line in COMMANDS.items():
        chosen = commands.add_parser(name, help=line)
        if name == command:
            module = _module(name)
            chosen.description = module.HELP
            module.add_arguments(chosen)
    return parser


def _module(command: str) -> ModuleType:
    return import_module(f"monitor.commands.{command}")


def _nobody_reads() -> bool:
    """Whether whoever reads our output, `head` say, has had enough; then what is left of it goes nowhere."""
    stdout = 1
    look = select.poll()
    look.register(stdout, select.POLLOUT)
    if not any(state & select.POLLERR for _, state in look.poll(0)):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), stdout)
    return True


def _parts(error: Exception) -> Iterator[Exception]:
    """A TaskGroup's failures one by one."""
    if isinstance(error, ExceptionGroup):
        for part in error.exceptions:
            yield from _parts(part)
    else:
        yield error


class _Help(argparse.RawDescriptionHelpFormatter):
    """With room for the longest command, which argparse forgets to indent."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = 4 + max(map(len, COMMANDS))


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"rep-monitor {version('rep-monitor')}")
        parser.exit()


if __name__ == "__main__":
    raise SystemExit(main())
