"""`rep-monitor calibrate PROFILE`: from raw counts to metres and newtons, step by step, into the profile."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from monitor.exit_codes import ExitCode

HELP = "Find out what the counts of a machine mean: leads you through it at the machine, then changes the profile."
EPILOG = """answers, a TOML file:
  weights = ["20 kg", "60 kg"]   two or more, at the cell; "45 lb" is understood
  block_mm = 250                 height of the block; or drum_mm = 157.1 and counts_per_turn = 2400
  tap = true                     somebody can knock on the stack
  write = true                   the profile may be changed
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("profile", type=Path, metavar="PROFILE", help="of the machine; it needs no [calibration] yet")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="ask nothing: what a person would say is in here")
    parser.add_argument("--port", metavar="PORT", help="instead of the profile's [serial] port")
    parser.add_argument("--fresh", action="store_true", help="forget a calibration that was left, begin anew")


def run(args: argparse.Namespace) -> int:
    from monitor.calibrate.answers import read_answers
    from monitor.calibrate.course import lead
    from monitor.calibrate.terminal import Terminal
    from monitor.profile.reading import load_profile
    from monitor.profile.toml_document import ConfigError

    profile = load_profile(args.profile)
    port = args.port or profile.serial.port
    if port is None:
        raise ConfigError(
            f"{args.profile}: [serial] port is missing: add it or give --port; `rep-monitor ports` lists them"
        )
    answers = None if args.answers is None else read_answers(args.answers, profile.machine.kind)
    if answers is None and not sys.stdin.isatty():
        raise ConfigError("calibrate leads a person and needs a terminal: without one give --answers FILE")
    with Terminal(interactive=answers is None) as terminal:
        lead(args.profile, port, answers, terminal, _now_utc, fresh=args.fresh)
    return ExitCode.DONE


def _now_utc() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
