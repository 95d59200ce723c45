"""The command rep-monitor: runs a subcommand, and reports an error in one sentence.

A subcommand is a file in commands/ and a line in COMMANDS. Only the one that runs is imported.
"""

import argparse
import os
import select
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from types import ModuleType

from monitor.exit_codes import TABLE, ExitCode, exit_code, sentence
from monitor.safe_output import STREAM, safe_output

COMMANDS = {
    "demo": "show a simulated leg press and lifter on the display, without hardware",
    "run": "run the daemon of a machine: it reads the serial port, detects, publishes and records",
    "simulate": "simulate a machine on a pseudo-terminal that `run` can open",
    "replay": "replay a recording or a table of samples: detect again what happened in it",
    "report": "show a session: a page to read and print, or a summary on the terminal",
    "watch": "show the live feedback in a terminal",
    "export": "write the samples and events of a recording, or the sets of a gym, for other tools",
    "study": "replay many recordings into tables, and compare two versions of the detector",
    "gym": "collect the sets of many machines in one database, and forget a client on all of them",
    "access": "give access: a code for the page, its certificate, or the accounts of a broker",
    "backup": "save profiles, calibrations and stores in one file",
    "restore": "restore a backup",
    "forget": "remove a person from stored data",
    "config": "check a machine's profile or a gym's file",
    "calibrate": "calibrate the sensors of a machine step by step, and write the result into its profile",
    "strength": "measure a lifter's strength at several places of a machine's range, for the report",
    "doctor": "examine port, board, sensors, clock, disk, broker and page, and print remedies",
    "ports": "list the serial devices, the programs that use them, and what answers",
    "recover": "write a clean copy of a damaged recording",
}


def main(argv: Sequence[str] | None = None) -> int:
    os.umask(os.umask(0o077) | 0o022)  # nothing that we make can be written by everybody
    with safe_output():
        return _run(argv)


def _run(argv: Sequence[str] | None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    command = next((word for word in words if not word.startswith("-")), "")
    try:
        status = _carry_out(words, command)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _output_closed():
            return ExitCode.FAILED
        if isinstance(error, OSError) and error.filename == STREAM:
            _discard_output()
        codes = {sentence(part): exit_code(part, command) for part in _parts(error)}
        if None in codes.values():
            raise
        with suppress(OSError):  # standard error may be full, too; the status remains
            for line in codes:
                print(f"rep-monitor {command}".rstrip() + f": {line}", file=sys.stderr)
        return max(code for code in codes.values() if code is not None)


def _carry_out(words: list[str], command: str) -> int:
    try:
        args = _arguments(words, command)
    except SystemExit as end:  # --help and --version are done, or a word is wrong
        return int(end.code or 0)
    if args.command is None:
        return ExitCode.BAD_INPUT
    return int(_module(args.command).run(args))


def _arguments(words: list[str], command: str) -> argparse.Namespace:
    """The parser is not kept, because `run` runs for months."""
    parser = _parser(command)
    args = parser.parse_args(words)
    if args.command is None:
        parser.print_help(sys.stderr)
    return args


def _parser(command: str) -> argparse.ArgumentParser:
    """The parser with all arguments of one subcommand, and a line of help for each of the others."""
    epilog = "exit status:\n" + "\n".join(f"  {code:3d}  {meaning}" for code, meaning in TABLE.items())
    parser = argparse.ArgumentParser(
        prog="rep-monitor",
        description="Live tension feedback for strength machines.",
        epilog=epilog,
        formatter_class=_Help,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
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


def _output_closed() -> bool:
    """True if the reader of our output, such as `head`, has closed it. The rest of the output is then discarded."""
    stdout = 1
    look = select.poll()
    look.register(stdout, select.POLLOUT)
    if not any(state & select.POLLERR for _, state in look.poll(0)):
        return False
    _discard_output()
    return True


def _discard_output() -> None:
    """What is still buffered would fail again at the end of the interpreter."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _parts(error: Exception) -> Iterator[Exception]:
    """The errors of a TaskGroup, one by one."""
    if isinstance(error, ExceptionGroup):
        for part in error.exceptions:
            yield from _parts(part)
    else:
        yield error


class _Help(argparse.RawDescriptionHelpFormatter):
    """Makes the column wide enough for the longest command: argparse ignores its indentation."""

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
