"""`rep-monitor backup FILE`: saves profiles, calibrations and stores in one file, also while the daemons run."""

import argparse
import sys
from pathlib import Path

from monitor.exit_codes import ExitCode

HELP = "Save profiles, calibrations and stores in one file, also while the daemons run. Recordings are not included."
PROFILES = Path("/etc/rep-monitor")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the backup to write; an existing file is replaced")
    parser.add_argument(
        "--config",
        type=Path,
        action="append",
        metavar="PROFILE",
        help=f"a machine to back up (default: all, with their profiles in {PROFILES})",
    )


def run(args: argparse.Namespace) -> int:
    from monitor.custody.archive import BackupError
    from monitor.custody.backup import back_up, profiles_of, without_a_profile
    from monitor.profile.reading import load_profile
    from monitor.state.folders import machines_with_a_store, state_root

    if args.config:
        machines = [load_profile(path).machine.id for path in args.config]
        profiles = args.config
    else:
        machines = machines_with_a_store()
        profiles = profiles_of(machines, PROFILES)
    if not machines:
        raise BackupError(f"{state_root()} contains no machine: set STATE_DIRECTORY, or give --config")
    manifest = back_up(args.file, [state_root() / machine for machine in machines], profiles)
    for profile in profiles:
        print(f"{profile} (as profiles/{profile.name})")
    for name in manifest.sha256:
        if not name.startswith("profiles/"):
            print(name)
    for machine in without_a_profile(machines, profiles):
        problem = f"{machine}: no profile in {PROFILES} describes it, so the backup has none"
        print(f"rep-monitor backup: {problem}; give every profile with --config", file=sys.stderr)
    print(f"{args.file}: {args.file.stat().st_size} bytes")
    return ExitCode.DONE
