"""`rep-monitor config check FILE`: checks a profile or a gym's configuration, and prints what follows from it."""

import argparse
import sys
from pathlib import Path

from monitor.exit_codes import ExitCode

HELP = "Check a machine's profile or a gym's file. Prints every error with its remedy, or what follows from the file."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="print every error, or what follows from the file")
    check.add_argument("file", type=Path, metavar="FILE", help="a machine's profile, or a gym's configuration (TOML)")


def run(args: argparse.Namespace) -> int:
    from monitor.gym.configuration import GymConfig, is_gym, load_gym
    from monitor.profile.derived import derived
    from monitor.profile.readiness import lacks
    from monitor.profile.reading import load_profile, mistakes_in
    from monitor.profile.toml_document import Document

    document = Document.read(args.file)
    of_gym = is_gym(document)
    mistakes = list(document.mistakes(GymConfig)) if of_gym else mistakes_in(args.file)
    for mistake in mistakes:
        print(f"rep-monitor config: {mistake}", file=sys.stderr)
    if mistakes:
        return ExitCode.BAD_INPUT
    if of_gym:
        print(f"{args.file}: ok")
        for name, value in load_gym(args.file).summary().items():
            print(f"  {name:<14}{value}")
        return ExitCode.DONE
    profile = load_profile(args.file)
    print(f"{args.file}: ok")
    for name, value in derived(profile).items():
        print(f"  {name:<14}{value}")
    for sentence in lacks(profile, args.file, profile.serial.port):
        print(f"rep-monitor config: `run` will refuse this: {sentence}", file=sys.stderr)
    return ExitCode.DONE
