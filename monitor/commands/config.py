"""`rep-monitor config check FILE`: checks a profile, and prints the numbers that follow from it."""

import argparse
from pathlib import Path

from monitor.exit_codes import ExitCode

HELP = "Check a machine's profile. Prints the first error with its line and remedy, or the numbers that detection uses."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="print the first error, or the numbers that follow from the profile")
    check.add_argument("file", type=Path, metavar="FILE", help="the profile, a TOML file")


def run(args: argparse.Namespace) -> int:
    from monitor.profile.derived import derived
    from monitor.profile.reading import load_profile

    profile = load_profile(args.file)
    print(f"{args.file}: ok")
    for name, value in derived(profile).items():
        print(f"  {name:<14}{value}")
    return ExitCode.DONE
