"""`rep-monitor doctor PROFILE`: examines a machine and prints one line for each finding."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.exit_codes import ExitCode

HELP = (
    "Examine a machine from its serial port to its page, and print a remedy for each fault. A running daemon is asked"
    " and not disturbed; without one, the port is opened for ten seconds. Leave the machine at rest during that time."
)
if TYPE_CHECKING:
    from monitor.doctor.finding import Finding

DEFAULT = Path("machine.toml")
STYLES = {"ok": "green", "note": "yellow", "bad": "bold red", "unknown": "dim", "crashed": "bold magenta"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "profile", type=Path, nargs="?", metavar="PROFILE", help=f"the machine's profile (default: {DEFAULT})"
    )
    parser.add_argument("--config", type=Path, metavar="PROFILE", help="the same, as for the other commands")
    parser.add_argument("--port", metavar="PORT", help="use this port instead of the profile's [serial] port")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object, with key, verdict, found, should, remedy"
    )


def run(args: argparse.Namespace) -> int:
    from monitor.doctor.examination import Examination
    from monitor.doctor.finding import WRONG
    from monitor.profile.profile import Profile
    from monitor.profile.reading import load_profile
    from monitor.profile.toml_document import ConfigError

    path: Path = args.profile or args.config or DEFAULT
    read: Profile | ConfigError
    try:
        read = load_profile(path)
    except ConfigError as error:
        read = error
    findings = []
    for finding in Examination(path, read, args.port).lines():
        findings.append(finding)
        if not args.json:
            _show(finding)
    wrong = sum(finding.verdict in WRONG for finding in findings)
    if args.json:
        import msgspec

        result = {"v": 1, "profile": str(path), "wrong": wrong, "findings": findings}
        print(msgspec.json.format(msgspec.json.encode(result)).decode())
    else:
        names = [finding.key for finding in findings if finding.verdict in WRONG]
        print(f"\nFaults: {', '.join(names)}." if names else "\nNo faults.")
    return ExitCode.FAILED if wrong else ExitCode.DONE


def _show(finding: "Finding") -> None:
    """Prints a finding at once, because reading the board takes some seconds."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    line = Text.assemble(
        (f"{finding.verdict:<8}", STYLES[finding.verdict]), (f"{finding.key:<14} ", "bold"), finding.found
    )
    if finding.verdict != "ok":
        line.append(f"; should be: {finding.should}", "dim")
    if finding.remedy:
        line.append(f"; {finding.remedy}")
    console.print(line, soft_wrap=True)
