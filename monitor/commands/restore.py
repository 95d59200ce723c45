"""`rep-monitor restore FILE`: restores the profiles, calibrations and stores of a backup."""

import argparse
from pathlib import Path

from monitor.exit_codes import ExitCode

HELP = "Restore a backup. The daemons of its machines must not be running."
PROFILES = Path("/etc/rep-monitor")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="made by `rep-monitor backup`")
    parser.add_argument(
        "--profiles",
        type=Path,
        metavar="FOLDER",
        help=f"folder for the profiles (default {PROFILES} if it exists, else this folder); none is overwritten",
    )
    parser.add_argument("--replace", action="store_true", help="replace existing stores")


def run(args: argparse.Namespace) -> int:
    from monitor.custody.backup import restore

    folder = args.profiles or (PROFILES if PROFILES.is_dir() else Path())
    for line in restore(args.file, folder, replace=args.replace):
        print(line)
    return ExitCode.DONE
