"""`rep-monitor doctor PROFILE`: what is, what should be, and the remedy, one line each."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.exit_codes import ExitCode

HELP = (
    "Examine a machine from its port to its page: what is, what should be, the remedy. A daemon that runs is asked"
    " and not disturbed; without one the port is opened for ten seconds. Leave the machine at rest meanwhile."
)
if TYPE_CHECKING:
    from monitor.doctor.finding import Finding

DEFAULT = Path("machine.toml")
STYLES = {"ok": "green", "note": "yellow", "bad": "bold red", "unknown": "dim", "crashed": "bold magenta"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("profile", type=Path, nargs="?", metavar="PROFILE", help=f"default: {DEFAULT} here")
    parser.add_argument("--config", type=Path, metavar="C", help="the same, as the other commands take it")
    parser.add_argument("--port", metavar="PORT", help="instead of the profile's [serial] port")
    parser.add_argument("--json", action="store_true", help="one JSON object: key, verdict, found, should, remedy")


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

        told = {"v": 1, "profile": str(path), "wrong": wrong, "findings": findings}
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        names = [finding.key for finding in findings if finding.verdict in WRONG]
        print(f"\nWrong: {', '.join(names)}." if names else "\nNothing is wrong.")
    return ExitCode.FAILED if wrong else ExitCode.DONE


def _show(finding: "Finding") -> None:
    """As soon as it is known: listening to the board takes a while."""
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
