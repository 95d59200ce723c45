"""`rep-monitor restore FILE`: what a backup holds, where the daemon and a person look for it."""

import argparse
from pathlib import Path

from monitor.exit_codes import ExitCode

HELP = "Put back what a backup holds, where no daemon of that machine runs."
PROFILES = Path("/etc/rep-monitor")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="made by `rep-monitor backup`")
    parser.add_argument(
        "--profiles",
        type=Path,
        metavar="FOLDER",
        help=f"where profiles go (default {PROFILES} where that is there, else here); none is overwritten",
    )
    parser.add_argument("--replace", action="store_true", help="instead of the store that is there")


def run(args: argparse.Namespace) -> int:
    from monitor.custody.backup import restore

    folder = args.profiles or (PROFILES if PROFILES.is_dir() else Path())
    for line in restore(args.file, folder, replace=args.replace):
        print(line)
    return ExitCode.DONE
