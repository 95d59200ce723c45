"""`rep-monitor config check FILE`: checks a profile, and prints the numbers that follow from it."""

import argparse
import sys
from pathlib import Path

from monitor.exit_codes import ExitCode

HELP = "Check a machine's profile. Prints every error with its line and remedy, or the numbers that detection uses."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="print every error, or the numbers that follow from the profile")
    check.add_argument("file", type=Path, metavar="FILE", help="the profile, a TOML file")


def run(args: argparse.Namespace) -> int:
    from monitor.profile.derived import derived
    from monitor.profile.readiness import lacks
    from monitor.profile.reading import load_profile, mistakes_in

    for mistake in (mistakes := mistakes_in(args.file)):
        print(f"rep-monitor config: {mistake}", file=sys.stderr)
    if mistakes:
        return ExitCode.BAD_INPUT
    profile = load_profile(args.file)
    print(f"{args.file}: ok")
    for name, value in derived(profile).items():
        print(f"  {name:<14}{value}")
    for sentence in lacks(profile, args.file, profile.serial.port):
        print(f"rep-monitor config: `run` will refuse this: {sentence}", file=sys.stderr)
    return ExitCode.DONE
