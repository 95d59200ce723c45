"""`rep-monitor config check FILE`: whether a profile is right, and what follows from its numbers."""

import argparse
from pathlib import Path

from monitor.exit_codes import ExitCode

HELP = "Check a machine's profile: what is wrong, where, and the remedy."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="say what is wrong, where, and the remedy; else what follows from it")
    check.add_argument("file", type=Path, metavar="FILE", help="the profile, a TOML file")


def run(args: argparse.Namespace) -> int:
    from monitor.profile.derived import derived
    from monitor.profile.reading import load_profile

    profile = load_profile(args.file)
    print(f"{args.file}: ok")
    for name, value in derived(profile).items():
        print(f"  {name:<14}{value}")
    return ExitCode.DONE
